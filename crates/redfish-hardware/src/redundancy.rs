//! Redundancy: whether the fans or the supplies still suffice when one fails, by the discrete sensor that says so.

use hardware::{Context, Node};
use redfish_schema::redundancy::{Redundancy, RedundancyMode, RedundancyType, RedundantGroup};
use redfish_schema::resource::{State, Status};
use redfish_schema::{Nullable, Reference};

use crate::part::{self, Measurement};
use crate::status;

/// What is redundant, or isn't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Fans,
    PowerSupplies,
}

impl Group {
    const fn contexts(self) -> [Context; 2] {
        match self {
            Self::Fans => [Context::CoolingSubsystem, Context::Fan],
            Self::PowerSupplies => [Context::PowerSubsystem, Context::PowerSupply],
        }
    }
}

/// The first state of IPMI's redundancy states (IPMI 2.0 table 42-2, type 0Bh); no other sensor has it.
const FULLY_REDUNDANT: &str = "fully redundant";

/// The sensors that tell the redundancy of this group; rarely more than one.
fn sensors(node: &Node, group: Group) -> impl Iterator<Item = Measurement<'_>> {
    let contexts = group.contexts();
    part::measurements(node)
        .filter(move |m| contexts.contains(&m.sensor.context))
        .filter(|m| {
            m.sensor
                .states
                .iter()
                .any(|s| s.eq_ignore_ascii_case(FULLY_REDUNDANT))
        })
}

fn state(measurement: &Measurement<'_>) -> Status {
    if measurement.is_known() {
        status::plain(State::Enabled, Some(status::health(measurement.severity())))
    } else {
        status::plain(State::UnavailableOffline, None)
    }
}

/// For `ThermalSubsystem` and `PowerSubsystem`. The machine doesn't tell how many are needed.
pub(crate) fn groups(
    node: &Node,
    group: Group,
    members: &[Reference],
) -> Option<Vec<RedundantGroup>> {
    let groups: Vec<_> = sensors(node, group)
        .map(|m| RedundantGroup {
            group_name: Some(m.sensor.name.to_string()),
            ..RedundantGroup::new(
                Nullable::Value(RedundancyType::NPlusM),
                Nullable::Null,
                state(&m),
                members.to_vec(),
            )
        })
        .collect();
    (!groups.is_empty()).then_some(groups)
}

/// For `Thermal` and `Power`, whose path is `path`.
pub(crate) fn older(
    node: &Node,
    group: Group,
    path: &str,
    members: &[Reference],
) -> Option<Vec<Redundancy>> {
    let all: Vec<_> = sensors(node, group)
        .enumerate()
        .map(|(index, m)| {
            Redundancy::new(
                format!("{path}#/Redundancy/{index}"),
                index.to_string(),
                m.sensor.name.to_string(),
                Nullable::Value(RedundancyMode::NM),
                Nullable::Null,
                members.to_vec(),
                state(&m),
            )
        })
        .collect();
    (!all.is_empty()).then_some(all)
}
