//! `PowerSubsystem`, `PowerSupply` and `PowerSupplyMetrics`.

use hardware::{Context, Node, Quantity};
use redfish_schema::power_subsystem::PowerSubsystem;
use redfish_schema::power_supply::{self, LineStatus, PowerSupply};
use redfish_schema::power_supply_metrics::PowerSupplyMetrics;
use redfish_schema::sensor::{
    SensorCurrentExcerpt, SensorEnergykWhExcerpt, SensorPowerExcerpt, SensorVoltageExcerpt,
};
use redfish_schema::{Collection, DateTime, Reference};

use crate::environment_metrics::fan_array_excerpt;
use crate::part::{self, Measurement, Part, Side};
use crate::redundancy::{self, Group};
use crate::sensor::{excerpt, power_excerpt};
use crate::{status, uri};

pub(crate) fn resource(chassis_id: &str, node: &Node) -> PowerSubsystem {
    let path = format!("{}/PowerSubsystem", uri::chassis(chassis_id));
    let relevant = part::measurements(node).filter(is_power);
    let supplies = supply_links(chassis_id, node);
    PowerSubsystem {
        capacity_watts: capacity(node).map(Into::into),
        power_supplies: Some(Reference::to(uri::power_supplies(chassis_id))),
        power_supply_redundancy: redundancy::groups(node, Group::PowerSupplies, &supplies),
        status: Some(status::of_group(node, relevant)),
        ..PowerSubsystem::new(path, "PowerSubsystem", "Power subsystem")
    }
}

fn supply_links(chassis_id: &str, node: &Node) -> Vec<Reference> {
    let supplies = part::power_supplies(node);
    supplies
        .iter()
        .map(|part| Reference::to(uri::power_supply(chassis_id, &part.id)))
        .collect()
}

/// Whether a sensor is about power.
fn is_power(measurement: &Measurement<'_>) -> bool {
    let sensor = measurement.sensor;
    let electric = matches!(
        sensor.quantity,
        Quantity::Voltage | Quantity::Current | Quantity::Power | Quantity::Energy
    );
    electric
        || matches!(
            sensor.context,
            Context::PowerSupply | Context::PowerSubsystem
        )
}

pub(crate) fn supplies(chassis_id: &str, node: &Node) -> Collection {
    let members = supply_links(chassis_id, node);
    let path = uri::power_supplies(chassis_id);
    Collection::new(&power_supply::COLLECTION, path, "Power supplies", members)
}

fn find<'a>(node: &'a Node, supply_id: &str) -> Option<Part<'a>> {
    part::power_supplies(node)
        .into_iter()
        .find(|supply| supply.id == supply_id)
}

pub(crate) fn supply(chassis_id: &str, node: &Node, supply_id: &str) -> Option<PowerSupply> {
    let part = find(node, supply_id)?;
    let asset = part.asset.unwrap_or_default();
    let path = uri::power_supply(chassis_id, &part.id);
    let line_input_status = part.has_lost_input().map(|lost| {
        let status = if lost {
            LineStatus::LossOfInput
        } else {
            LineStatus::Normal
        };
        status.into()
    });
    let made = asset.manufactured_at_s.and_then(|s| i64::try_from(s).ok());
    Some(PowerSupply {
        line_input_status,
        power_capacity_watts: part.watts().map(Into::into),
        manufacturer: asset.manufacturer.map(Into::into),
        model: asset.model.map(Into::into),
        version: asset.version.map(Into::into),
        production_date: made.map(|s| DateTime::from_unix_s(s).into()),
        serial_number: asset.serial_number.map(Into::into),
        part_number: asset.part_number.map(Into::into),
        metrics: Some(Reference::to(format!("{path}/Metrics"))),
        status: Some(status::of_part(&part)),
        ..PowerSupply::new(path.as_str(), part.id.as_str(), part.name.as_str())
    })
}

pub(crate) fn metrics(
    chassis_id: &str,
    node: &Node,
    supply_id: &str,
) -> Option<PowerSupplyMetrics> {
    let part = find(node, supply_id)?;
    let path = format!("{}/Metrics", uri::power_supply(chassis_id, &part.id));
    let name = format!("{} metrics", part.name);
    let of = |quantity, side| on_side(&part, quantity, side);
    let source = |m: &Measurement<'_>| Some(uri::sensor(chassis_id, m.sensor).into());
    let volts = |m: Measurement<'_>| SensorVoltageExcerpt {
        data_source_uri: source(&m),
        reading: Some(m.value().into()),
    };
    let amperes = |m: Measurement<'_>| SensorCurrentExcerpt {
        data_source_uri: source(&m),
        reading: Some(m.value().into()),
    };
    let watts = |m: Measurement<'_>| power_excerpt(chassis_id, &m);
    Some(PowerSupplyMetrics {
        input_voltage: of(Quantity::Voltage, Side::Input)
            .next()
            .map(|m| volts(m).into()),
        input_current_amps: of(Quantity::Current, Side::Input)
            .next()
            .map(|m| amperes(m).into()),
        input_power_watts: of(Quantity::Power, Side::Input)
            .next()
            .map(|m| watts(m).into()),
        energy_kwh: energy(chassis_id, part.first(Quantity::Energy)).map(Into::into),
        output_power_watts: of(Quantity::Power, Side::Output)
            .next()
            .map(|m| watts(m).into()),
        rail_voltage: non_empty(of(Quantity::Voltage, Side::Output).map(volts).collect()),
        rail_current_amps: non_empty(of(Quantity::Current, Side::Output).map(amperes).collect()),
        temperature_celsius: part
            .first(Quantity::Temperature)
            .map(|m| excerpt(chassis_id, &m).into()),
        fan_speeds_percent: non_empty(
            part.speeds()
                .map(|m| fan_array_excerpt(chassis_id, &m))
                .collect(),
        ),
        status: Some(status::of_part(&part)),
        ..PowerSupplyMetrics::new(path, "Metrics", name)
    })
}

/// The sensors of a supply that measure this on this side.
pub(crate) fn on_side<'a>(
    part: &Part<'a>,
    quantity: Quantity,
    side: Side,
) -> impl Iterator<Item = Measurement<'a>> {
    let fits =
        move |m: &Measurement<'_>| m.sensor.quantity == quantity && part::side(m.sensor) == side;
    part.sensors.iter().copied().filter(fits)
}

/// An energy counter, where its unit is the one that the excerpt has.
pub(crate) fn energy(
    chassis_id: &str,
    counter: Option<Measurement<'_>>,
) -> Option<SensorEnergykWhExcerpt> {
    let counter = counter.filter(|m| &*m.sensor.unit.0 == "kW.h")?;
    Some(SensorEnergykWhExcerpt {
        data_source_uri: Some(uri::sensor(chassis_id, counter.sensor).into()),
        reading: Some(counter.value().into()),
        ..SensorEnergykWhExcerpt::default()
    })
}

fn non_empty<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}

/// What all power supplies that are there deliver at most, in watts; `None` where one of them does not tell: part of a
/// sum is no sum.
pub(crate) fn capacity(node: &Node) -> Option<f64> {
    let supplies = part::power_supplies(node);
    let present = supplies.iter().filter(|supply| !supply.is_absent());
    let each: Option<Vec<f64>> = present.map(Part::watts).collect();
    each.filter(|each| !each.is_empty())
        .map(|each| each.into_iter().sum())
}

/// What a chassis draws.
#[derive(Debug)]
pub(crate) enum PowerDraw<'a> {
    /// One sensor measures it.
    Measured(Measurement<'a>),
    /// The sum over its power supplies, in watts; `None`: none of them has a value now.
    Summed(Option<f64>),
}

impl PowerDraw<'_> {
    /// In watts.
    pub(crate) fn watts(&self) -> Option<f64> {
        match self {
            Self::Measured(measurement) => measurement.value(),
            Self::Summed(watts) => *watts,
        }
    }

    /// As a copy of the sensor's reading, or of no sensor in particular.
    pub(crate) fn excerpt(&self, chassis_id: &str) -> SensorPowerExcerpt {
        match self {
            Self::Measured(measurement) => power_excerpt(chassis_id, measurement),
            Self::Summed(watts) => SensorPowerExcerpt {
                reading: Some((*watts).into()),
                ..SensorPowerExcerpt::default()
            },
        }
    }
}

/// What a chassis draws: by the sensor for the whole machine, else by its supplies' inputs (or outputs, where nobody
/// measures inputs). `None`: nothing measures it.
pub(crate) fn draw(node: &Node) -> Option<PowerDraw<'_>> {
    let whole = part::measurements(node)
        .filter(|m| m.sensor.quantity == Quantity::Power)
        .filter_map(|m| Some((rank(m.sensor)?, m)))
        .min_by_key(|(rank, _)| *rank);
    if let Some((_, measurement)) = whole {
        return Some(PowerDraw::Measured(measurement));
    }
    let supplies = part::power_supplies(node);
    [Side::Input, Side::Output].into_iter().find_map(|side| {
        let mut each = supplies
            .iter()
            .filter_map(|supply| on_side(supply, Quantity::Power, side).next());
        let first = each.next()?;
        let values = std::iter::once(first).chain(each).map(|m| m.value());
        Some(PowerDraw::Summed(values.flatten().reduce(|a, b| a + b)))
    })
}

/// How well a power sensor stands for the whole machine: less is better, `None` is not at all.
fn rank(sensor: &hardware::Sensor) -> Option<u8> {
    match sensor.context {
        Context::System => Some(0),
        Context::PowerSubsystem => Some(1),
        Context::Chassis => Some(2),
        Context::SystemBoard => Some(3),
        Context::Unspecified => Some(4),
        _ => None,
    }
}
