//! `Thermal`, the older schema that many consoles still read: temperatures and fans in one document.

use hardware::Node;
use redfish_schema::Reference;
use redfish_schema::thermal::{Fan, ReadingUnits, Temperature, Thermal};

use crate::part::{self, Measurement, Part};
use crate::redundancy::{self, Group};
use crate::sensor::{is_percent, physical_context, sensor_number};
use crate::thermal_subsystem::{is_thermal, place, temperatures};
use crate::{number, status, uri};

pub(crate) fn resource(chassis_id: &str, node: &Node) -> Thermal {
    let path = format!("{}/Thermal", uri::chassis(chassis_id));
    let temperatures = temperatures(node)
        .enumerate()
        .map(|(index, m)| temperature(&path, index, chassis_id, &m))
        .collect();
    let fans: Vec<_> = part::fans(node)
        .iter()
        .flat_map(|fan| fan.speeds().map(move |speed| (fan, speed)))
        .enumerate()
        .map(|(index, (part, speed))| fan(&path, index, part, &speed))
        .collect();
    let members: Vec<_> = fans
        .iter()
        .map(|fan| Reference::to(fan.odata_id.as_str()))
        .collect();
    Thermal {
        redundancy: redundancy::older(node, Group::Fans, &path, &members),
        temperatures: Some(temperatures),
        fans: Some(fans),
        status: Some(status::of_group(
            node,
            part::measurements(node).filter(is_thermal),
        )),
        ..Thermal::new(path.as_str(), "Thermal", "Thermal")
    }
}

fn temperature(
    path: &str,
    index: usize,
    chassis_id: &str,
    measurement: &Measurement<'_>,
) -> Temperature {
    let sensor = measurement.sensor;
    let limits = &sensor.thresholds;
    let scale = measurement.scale();
    let limit = |value: Option<f64>| value.map(|value| scale.value(value).into());
    let own = Temperature::new(format!("{path}#/Temperatures/{index}"), index.to_string());
    Temperature {
        name: Some((&*sensor.name).into()),
        sensor_number: Some(sensor_number(sensor).into()),
        status: Some(status::of_sensor(measurement)),
        reading_celsius: Some(
            measurement
                .reading
                .number()
                .map(|value| scale.value(value))
                .into(),
        ),
        upper_threshold_non_critical: limit(limits.upper_caution),
        upper_threshold_critical: limit(limits.upper_critical),
        upper_threshold_fatal: limit(limits.upper_fatal),
        lower_threshold_non_critical: limit(limits.lower_caution),
        lower_threshold_critical: limit(limits.lower_critical),
        lower_threshold_fatal: limit(limits.lower_fatal),
        min_reading_range_temp: limit(sensor.range.map(|(low, _)| low)),
        max_reading_range_temp: limit(sensor.range.map(|(_, high)| high)),
        physical_context: physical_context(sensor.context),
        related_item: Some(vec![Reference::to(uri::chassis(chassis_id))]),
        ..own
    }
}

/// One rotor: this schema has no second speed.
fn fan(path: &str, index: usize, part: &Part<'_>, measurement: &Measurement<'_>) -> Fan {
    let sensor = measurement.sensor;
    let limits = &sensor.thresholds;
    let scale = measurement.scale();
    let limit = |value: Option<f64>| value.map(|value| number::whole(scale.value(value)).into());
    let asset = part.asset.unwrap_or_default();
    let units = if is_percent(sensor) {
        ReadingUnits::Percent
    } else {
        ReadingUnits::RPM
    };
    Fan {
        name: Some((&*sensor.name).into()),
        sensor_number: Some(sensor_number(sensor).into()),
        status: Some(status::of_part(part)),
        reading: Some(measurement.value().map(number::whole).into()),
        reading_units: Some(units.into()),
        upper_threshold_non_critical: limit(limits.upper_caution),
        upper_threshold_critical: limit(limits.upper_critical),
        upper_threshold_fatal: limit(limits.upper_fatal),
        lower_threshold_non_critical: limit(limits.lower_caution),
        lower_threshold_critical: limit(limits.lower_critical),
        lower_threshold_fatal: limit(limits.lower_fatal),
        min_reading_range: limit(sensor.range.map(|(low, _)| low)),
        max_reading_range: limit(sensor.range.map(|(_, high)| high)),
        physical_context: Some(place(part)),
        manufacturer: asset.manufacturer.map(Into::into),
        model: asset.model.map(Into::into),
        serial_number: asset.serial_number.map(Into::into),
        part_number: asset.part_number.map(Into::into),
        ..Fan::new(format!("{path}#/Fans/{index}"), index.to_string())
    }
}
