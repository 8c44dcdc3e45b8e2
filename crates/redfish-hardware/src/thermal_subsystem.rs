//! `ThermalSubsystem`, `ThermalMetrics` and `Fan`.

use hardware::{Context, Node, Quantity};
use redfish_schema::fan::{self, Fan};
use redfish_schema::physical_context::PhysicalContext;
use redfish_schema::sensor::SensorArrayExcerpt;
use redfish_schema::thermal_metrics::{TemperatureSummary, ThermalMetrics};
use redfish_schema::thermal_subsystem::ThermalSubsystem;
use redfish_schema::{Collection, Nullable, Reference};

use crate::part::{self, Measurement, Part};
use crate::redundancy::{self, Group};
use crate::sensor::{excerpt, fan_excerpt, physical_context};
use crate::{status, uri};

pub(crate) fn resource(chassis_id: &str, node: &Node) -> ThermalSubsystem {
    let path = format!("{}/ThermalSubsystem", uri::chassis(chassis_id));
    let relevant = part::measurements(node).filter(is_thermal);
    let fans = fan_links(chassis_id, node);
    ThermalSubsystem {
        fans: Some(Reference::to(uri::fans(chassis_id))),
        thermal_metrics: Some(Reference::to(format!("{path}/ThermalMetrics"))),
        fan_redundancy: redundancy::groups(node, Group::Fans, &fans),
        status: Some(status::of_group(node, relevant)),
        ..ThermalSubsystem::new(path.as_str(), "ThermalSubsystem", "Thermal subsystem")
    }
}

fn fan_links(chassis_id: &str, node: &Node) -> Vec<Reference> {
    let fans = part::fans(node);
    fans.iter()
        .map(|fan| Reference::to(uri::fan(chassis_id, &fan.id)))
        .collect()
}

/// Whether a sensor is about heat or cooling.
pub(crate) fn is_thermal(measurement: &Measurement<'_>) -> bool {
    let sensor = measurement.sensor;
    let cools = matches!(sensor.context, Context::Fan | Context::CoolingSubsystem)
        || sensor.quantity == Quantity::FanSpeed;
    sensor.quantity == Quantity::Temperature || cools
}

pub(crate) fn temperatures(node: &Node) -> impl Iterator<Item = Measurement<'_>> {
    part::measurements(node).filter(|m| m.sensor.quantity == Quantity::Temperature)
}

pub(crate) fn metrics(chassis_id: &str, node: &Node) -> ThermalMetrics {
    let path = format!(
        "{}/ThermalSubsystem/ThermalMetrics",
        uri::chassis(chassis_id)
    );
    let of = |context| {
        temperatures(node)
            .find(|m| m.sensor.context == context)
            .map(|m| Nullable::Value(excerpt(chassis_id, &m)))
    };
    let readings = temperatures(node).map(|m| SensorArrayExcerpt {
        data_source_uri: Some(uri::sensor(chassis_id, m.sensor).into()),
        device_name: Some((&*m.sensor.name).into()),
        physical_context: physical_context(m.sensor.context).map(Into::into),
        reading: Some(m.value().into()),
        ..SensorArrayExcerpt::default()
    });
    ThermalMetrics {
        temperature_summary_celsius: Some(TemperatureSummary {
            internal: of(Context::SystemBoard).or_else(|| of(Context::Chassis)),
            intake: of(Context::Intake),
            exhaust: of(Context::Exhaust),
            ..TemperatureSummary::default()
        }),
        temperature_readings_celsius: Some(readings.collect()),
        ..ThermalMetrics::new(path, "ThermalMetrics", "Thermal metrics")
    }
}

pub(crate) fn fans(chassis_id: &str, node: &Node) -> Collection {
    let members = fan_links(chassis_id, node);
    Collection::new(&fan::COLLECTION, uri::fans(chassis_id), "Fans", members)
}

pub(crate) fn fan(chassis_id: &str, node: &Node, fan_id: &str) -> Option<Fan> {
    let part = part::fans(node).into_iter().find(|fan| fan.id == fan_id)?;
    let asset = part.asset.unwrap_or_default();
    let own = Fan::new(
        uri::fan(chassis_id, &part.id),
        part.id.as_str(),
        part.name.as_str(),
    );
    Some(Fan {
        physical_context: Some(place(&part)),
        status: Some(status::of_part(&part)),
        speed_percent: part
            .speeds()
            .next()
            .map(|m| fan_excerpt(chassis_id, &m).into()),
        secondary_speed_percent: part
            .speeds()
            .nth(1)
            .map(|m| fan_excerpt(chassis_id, &m).into()),
        manufacturer: asset.manufacturer.map(Into::into),
        model: asset.model.map(Into::into),
        serial_number: asset.serial_number.map(Into::into),
        part_number: asset.part_number.map(Into::into),
        ..own
    })
}

/// Where a fan blows. A fan is a fan where the machine says nothing else.
pub(crate) fn place(part: &Part<'_>) -> PhysicalContext {
    let context = part
        .speeds()
        .next()
        .and_then(|m| physical_context(m.sensor.context));
    context.unwrap_or(PhysicalContext::Fan)
}
