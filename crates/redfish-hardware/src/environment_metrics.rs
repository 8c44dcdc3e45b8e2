//! `EnvironmentMetrics`: the few figures of a chassis that capacity planning asks for.

use hardware::{Context, Node, Quantity};
use redfish_schema::environment_metrics::EnvironmentMetrics;
use redfish_schema::sensor::SensorFanArrayExcerpt;

use crate::part::{self, Measurement};
use crate::power_subsystem::{draw, energy};
use crate::sensor::{excerpt, is_percent, physical_context};
use crate::uri;

pub(crate) fn resource(chassis_id: &str, node: &Node) -> EnvironmentMetrics {
    let path = format!("{}/EnvironmentMetrics", uri::chassis(chassis_id));
    let first = |wanted: fn(&Measurement<'_>) -> bool| part::measurements(node).find(wanted);
    let intake = first(|m| {
        m.sensor.quantity == Quantity::Temperature && m.sensor.context == Context::Intake
    });
    let humidity = first(|m| m.sensor.quantity == Quantity::Humidity);
    let counter = first(|m| {
        m.sensor.quantity == Quantity::Energy && m.sensor.context != Context::PowerSupply
    });
    let fans: Vec<_> = part::fans(node)
        .iter()
        .flat_map(part::Part::speeds)
        .map(|m| fan_array_excerpt(chassis_id, &m))
        .collect();
    EnvironmentMetrics {
        temperature_celsius: intake.map(|m| excerpt(chassis_id, &m).into()),
        humidity_percent: humidity.map(|m| excerpt(chassis_id, &m).into()),
        fan_speeds_percent: (!fans.is_empty()).then_some(fans),
        power_watts: draw(node).map(|draw| draw.excerpt(chassis_id).into()),
        energy_kwh: energy(chassis_id, counter).map(Into::into),
        ..EnvironmentMetrics::new(path, "EnvironmentMetrics", "Environment metrics")
    }
}

pub(crate) fn fan_array_excerpt(
    chassis_id: &str,
    measurement: &Measurement<'_>,
) -> SensorFanArrayExcerpt {
    let sensor = measurement.sensor;
    let value = measurement.value();
    SensorFanArrayExcerpt {
        data_source_uri: Some(uri::sensor(chassis_id, sensor).into()),
        device_name: Some((&*sensor.name).into()),
        physical_context: physical_context(sensor.context).map(Into::into),
        reading: is_percent(sensor).then(|| value.into()),
        speed_rpm: (!is_percent(sensor)).then(|| value.into()),
        ..SensorFanArrayExcerpt::default()
    }
}
