//! A node whose sixty sensors follow a law: see [`crate::telltale`].

use ipmi::number::{EntityId, EventReadingType, SensorType, SensorUnit};

use super::{Profile, node, single, upper};
use crate::machine::Quiet;
use crate::sensor::{Analog, Condition, Discrete, Kind, SensorSpec, Signal};
use crate::telltale::{DISCRETE, Law, NUMERIC, scale};

/// Sensors that share a compact record: its count has four bits.
const SHARED: u8 = DISCRETE / 2;

/// A sensor type of a maker's own: all 15 states may mean something.
const ANY_STATES: SensorType = SensorType(0xc0);

#[rustfmt::skip]
const NAMES: [&str; NUMERIC as usize] = [
    "N01", "N02", "N03", "N04", "N05", "N06", "N07", "N08", "N09", "N10", "N11", "N12", "N13", "N14", "N15",
    "N16", "N17", "N18", "N19", "N20", "N21", "N22", "N23", "N24", "N25", "N26", "N27", "N28", "N29", "N30",
    "N31", "N32", "N33", "N34", "N35", "N36", "N37", "N38", "N39", "N40", "N41", "N42", "N43", "N44",
];

#[rustfmt::skip]
const STATE_NAMES: [&str; DISCRETE as usize] = [
    "Low1", "Low2", "Low3", "Low4", "Low5", "Low6", "Low7", "Low8",
    "High1", "High2", "High3", "High4", "High5", "High6", "High7", "High8",
];

pub(super) fn profile(law: Law) -> Profile {
    let numeric = (1..).zip(NAMES).map(|(number, name)| numeric(number, name));
    let states = (NUMERIC + 1..).zip(STATE_NAMES);
    let states = states.map(|(number, name)| discrete(number, name));
    Profile {
        product: "RDV-2200 Telltale",
        sensors: numeric.chain(states).collect(),
        law: Some(law),
        quiet: Quiet::default(),
        ..node::profile()
    }
}

fn numeric(number: u8, name: &'static str) -> SensorSpec {
    // What the signal is doesn't matter: the law has its place.
    let scale = scale(number);
    let (_, largest) = scale.range();
    let limits = upper(largest * 0.8, largest * 0.9);
    let analog = Analog::new(Signal::Airflow, SensorUnit::DEGREES_C, scale, 0.0);
    let kind = Kind::Analog(analog.with_limits(&limits, 2));
    let entity = (EntityId::SYSTEM_BOARD, number);
    single(number, name, SensorType::TEMPERATURE, entity, kind)
}

fn discrete(number: u8, name: &'static str) -> SensorSpec {
    let place = (number - NUMERIC - 1) % SHARED;
    let kind = Kind::Discrete(Discrete {
        condition: Condition::Memory,
        event_type: EventReadingType::SENSOR_SPECIFIC,
        mask: 0x7fff,
    });
    let entity = (EntityId::DISK_DRIVE_BAY, 1 + place);
    SensorSpec {
        sharing: if place == 0 { SHARED } else { 0 },
        ..single(number, name, ANY_STATES, entity, kind)
    }
}
