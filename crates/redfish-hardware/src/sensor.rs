//! `Sensor` and its collection: every numeric sensor of a chassis.
//!
//! Discrete sensors have no reading. What they say goes into the `Status` of the part they look at.

use hardware::{Context, Node, Quantity};
use redfish_schema::physical_context::{PhysicalContext, PhysicalSubContext};
use redfish_schema::sensor::{
    COLLECTION, ImplementationType, Sensor, SensorExcerpt, SensorFanExcerpt, SensorPowerExcerpt,
    Threshold, ThresholdActivation, Thresholds,
};
use redfish_schema::{Collection, Duration, Nullable, Reference};

use crate::part::{self, Measurement, Side};
use crate::unit::Conversion;
use crate::{status, uri};

pub(crate) fn collection(chassis_id: &str, node: &Node) -> Collection {
    let members = part::measurements(node)
        .filter(|m| m.sensor.quantity.is_numeric())
        .map(|m| Reference::to(uri::sensor(chassis_id, m.sensor)))
        .collect();
    Collection::new(&COLLECTION, uri::sensors(chassis_id), "Sensors", members)
}

pub(crate) fn resource(chassis_id: &str, node: &Node, sensor_id: &str) -> Option<Sensor> {
    let measurement = part::measurement(node, sensor_id)?;
    let sensor = measurement.sensor;
    let conversion = Conversion::of(sensor);
    let (scale, range) = (measurement.scale(), sensor.range);
    let own = Sensor::new(uri::sensor(chassis_id, sensor), &*sensor.id, &*sensor.name);
    Some(Sensor {
        reading_type: conversion.reading_type.map(Into::into),
        reading: Some(measurement.value().into()),
        reading_units: conversion.unit(sensor).map(Into::into),
        reading_time: measurement
            .is_fresh()
            .then(|| status::read_at(node, sensor)),
        sensing_interval: sensing_interval(node, sensor),
        reading_range_min: range.map(|(low, _)| scale.value(low).into()),
        reading_range_max: range.map(|(_, high)| scale.value(high).into()),
        physical_context: physical_context(sensor.context).map(Into::into),
        physical_sub_context: sub_context(sensor).map(Into::into),
        implementation: Some(ImplementationType::PhysicalSensor.into()),
        thresholds: thresholds(&measurement),
        status: Some(status::of_sensor(&measurement)),
        related_item: related_item(chassis_id, node, sensor),
        ..own
    })
}

/// How often it is read; absent where that isn't known.
fn sensing_interval(node: &Node, sensor: &hardware::Sensor) -> Option<Nullable<Duration>> {
    let ms = node.intervals.as_ref()?.get(sensor.quantity.class())?;
    Some(Duration::from_ms(ms.into()).into())
}

fn thresholds(measurement: &Measurement<'_>) -> Option<Thresholds> {
    let limits = &measurement.sensor.thresholds;
    if limits.is_empty() {
        return None;
    }
    let scale = measurement.scale();
    let of = |limit: Option<f64>, activation: ThresholdActivation| {
        limit.map(|limit| Threshold {
            reading: Some(scale.value(limit).into()),
            activation: Some(activation.into()),
            ..Threshold::default()
        })
    };
    Some(Thresholds {
        upper_caution: of(limits.upper_caution, ThresholdActivation::Increasing),
        upper_critical: of(limits.upper_critical, ThresholdActivation::Increasing),
        upper_fatal: of(limits.upper_fatal, ThresholdActivation::Increasing),
        lower_caution: of(limits.lower_caution, ThresholdActivation::Decreasing),
        lower_critical: of(limits.lower_critical, ThresholdActivation::Decreasing),
        lower_fatal: of(limits.lower_fatal, ThresholdActivation::Decreasing),
    })
}

/// The fan or power supply that the sensor looks at.
fn related_item(
    chassis_id: &str,
    node: &Node,
    sensor: &hardware::Sensor,
) -> Option<Vec<Reference>> {
    let path = if sensor.context == Context::PowerSupply {
        let supply = part::power_supplies(node)
            .into_iter()
            .find(|p| p.has(sensor))?;
        uri::power_supply(chassis_id, &supply.id)
    } else if sensor.quantity == Quantity::FanSpeed {
        let fan = part::fans(node).into_iter().find(|p| p.has(sensor))?;
        uri::fan(chassis_id, &fan.id)
    } else {
        return None;
    };
    Some(vec![Reference::to(path)])
}

fn sub_context(sensor: &hardware::Sensor) -> Option<PhysicalSubContext> {
    let electric = matches!(
        sensor.quantity,
        Quantity::Voltage | Quantity::Current | Quantity::Power
    );
    if sensor.context != Context::PowerSupply || !electric {
        return None;
    }
    Some(match part::side(sensor) {
        Side::Input => PhysicalSubContext::Input,
        Side::Output => PhysicalSubContext::Output,
    })
}

pub(crate) const fn physical_context(context: Context) -> Option<PhysicalContext> {
    Some(match context {
        Context::Unspecified => return None,
        Context::Cpu => PhysicalContext::CPU,
        Context::Memory => PhysicalContext::Memory,
        Context::StorageDevice => PhysicalContext::StorageDevice,
        Context::PowerSupply => PhysicalContext::PowerSupply,
        Context::PowerSubsystem => PhysicalContext::PowerSubsystem,
        Context::VoltageRegulator => PhysicalContext::VoltageRegulator,
        Context::Fan => PhysicalContext::Fan,
        Context::CoolingSubsystem => PhysicalContext::CoolingSubsystem,
        Context::SystemBoard => PhysicalContext::SystemBoard,
        Context::Intake => PhysicalContext::Intake,
        Context::Exhaust => PhysicalContext::Exhaust,
        Context::Chassis | Context::System => PhysicalContext::Chassis,
        Context::AddInCard => PhysicalContext::ExpansionSubsystem,
        Context::ManagementController => PhysicalContext::Manager,
        Context::Battery => PhysicalContext::Battery,
        Context::PowerOutlet => PhysicalContext::PowerOutlet,
    })
}

/// The number by which an IPMI console addresses the sensor.
pub(crate) fn sensor_number(sensor: &hardware::Sensor) -> i64 {
    i64::from(sensor.key & 0xFF)
}

/// A copy of a reading inside another resource, with the way back to the sensor.
pub(crate) fn excerpt(chassis_id: &str, measurement: &Measurement<'_>) -> SensorExcerpt {
    SensorExcerpt {
        data_source_uri: Some(uri::sensor(chassis_id, measurement.sensor).into()),
        reading: Some(measurement.value().into()),
    }
}

pub(crate) fn power_excerpt(chassis_id: &str, measurement: &Measurement<'_>) -> SensorPowerExcerpt {
    SensorPowerExcerpt {
        data_source_uri: Some(uri::sensor(chassis_id, measurement.sensor).into()),
        reading: Some(measurement.value().into()),
        ..SensorPowerExcerpt::default()
    }
}

/// A fan's speed: per cent where the machine tells per cent, else revolutions per minute.
pub(crate) fn fan_excerpt(chassis_id: &str, measurement: &Measurement<'_>) -> SensorFanExcerpt {
    let value = measurement.value();
    let is_percent = is_percent(measurement.sensor);
    SensorFanExcerpt {
        data_source_uri: Some(uri::sensor(chassis_id, measurement.sensor).into()),
        reading: is_percent.then(|| value.into()),
        speed_rpm: (!is_percent).then(|| value.into()),
    }
}

pub(crate) fn is_percent(sensor: &hardware::Sensor) -> bool {
    &*sensor.unit.0 == "%"
}
