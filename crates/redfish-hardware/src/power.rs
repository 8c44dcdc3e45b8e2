//! `Power`, the older schema that many consoles still read: consumption, voltages and supplies in one document.

use hardware::{LimitAction, Link, Node, Quantity};
use redfish_schema::Reference;
use redfish_schema::physical_context::PhysicalContext;
use redfish_schema::power::{
    Power, PowerControl, PowerLimit, PowerLimitException, PowerSupply, Voltage,
};

use crate::part::{self, Measurement, Part, Side};
use crate::power_subsystem::{capacity, draw, on_side};
use crate::redundancy::{self, Group};
use crate::sensor::{physical_context, sensor_number};
use crate::{status, uri};

pub(crate) fn resource(chassis_id: &str, node: &Node) -> Power {
    let path = format!("{}/Power", uri::chassis(chassis_id));
    let voltages = part::measurements(node)
        .filter(|m| m.sensor.quantity == Quantity::Voltage)
        .enumerate()
        .map(|(index, m)| voltage(&path, index, chassis_id, &m))
        .collect();
    let supplies: Vec<_> = part::power_supplies(node)
        .iter()
        .enumerate()
        .map(|(index, part)| power_supply(&path, index, chassis_id, part))
        .collect();
    let members: Vec<_> = supplies
        .iter()
        .map(|part| Reference::to(part.odata_id.as_str()))
        .collect();
    Power {
        redundancy: redundancy::older(node, Group::PowerSupplies, &path, &members),
        power_control: Some(vec![power_control(&path, chassis_id, node)]),
        voltages: Some(voltages),
        power_supplies: Some(supplies),
        ..Power::new(path.as_str(), "Power", "Power")
    }
}

fn power_control(path: &str, chassis_id: &str, node: &Node) -> PowerControl {
    PowerControl {
        name: Some("Chassis power control".into()),
        power_consumed_watts: draw(node).map(|draw| draw.watts().into()),
        power_capacity_watts: Some(capacity(node).into()),
        power_limit: Some(power_limit(node)),
        physical_context: Some(PhysicalContext::Chassis),
        related_item: Some(vec![Reference::to(uri::chassis(chassis_id))]),
        status: Some(status::plain(status::link_state(node), None)),
        ..PowerControl::new(format!("{path}#/PowerControl/0"), "0")
    }
}

/// `null` says that no limit is in force. A machine without DCMI has none that could be seen.
fn power_limit(node: &Node) -> PowerLimit {
    let limit = node.power_limit.filter(|_| node.link == Link::Up);
    let watts = limit.and_then(|limit| limit.limit_w);
    let exception = limit.map(|limit| match limit.action {
        LimitAction::None => PowerLimitException::NoAction,
        LimitAction::PowerOff => PowerLimitException::HardPowerOff,
        LimitAction::Log => PowerLimitException::LogEventOnly,
        LimitAction::Other => PowerLimitException::Oem,
    });
    PowerLimit {
        limit_in_watts: Some(watts.map(f64::from).into()),
        limit_exception: Some(exception.into()),
        correction_in_ms: limit.map(|limit| i64::from(limit.correction_ms).into()),
    }
}

fn voltage(path: &str, index: usize, chassis_id: &str, measurement: &Measurement<'_>) -> Voltage {
    let sensor = measurement.sensor;
    let limits = &sensor.thresholds;
    let scale = measurement.scale();
    let limit = |value: Option<f64>| value.map(|value| scale.value(value).into());
    Voltage {
        name: Some((&*sensor.name).into()),
        sensor_number: Some(sensor_number(sensor).into()),
        status: Some(status::of_sensor(measurement)),
        reading_volts: Some(
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
        min_reading_range: limit(sensor.range.map(|(low, _)| low)),
        max_reading_range: limit(sensor.range.map(|(_, high)| high)),
        physical_context: physical_context(sensor.context),
        related_item: Some(vec![Reference::to(uri::chassis(chassis_id))]),
        ..Voltage::new(format!("{path}#/Voltages/{index}"), index.to_string())
    }
}

fn power_supply(path: &str, index: usize, chassis_id: &str, part: &Part<'_>) -> PowerSupply {
    let asset = part.asset.unwrap_or_default();
    let of = |quantity, side| {
        on_side(part, quantity, side)
            .next()
            .map(|m| m.value().into())
    };
    PowerSupply {
        name: Some(part.name.as_str().into()),
        power_capacity_watts: part.watts().map(Into::into),
        line_input_voltage: of(Quantity::Voltage, Side::Input),
        power_input_watts: of(Quantity::Power, Side::Input),
        power_output_watts: of(Quantity::Power, Side::Output),
        manufacturer: asset.manufacturer.map(Into::into),
        model: asset.model.map(Into::into),
        serial_number: asset.serial_number.map(Into::into),
        part_number: asset.part_number.map(Into::into),
        related_item: Some(vec![Reference::to(uri::power_supply(chassis_id, &part.id))]),
        status: Some(status::of_part(part)),
        ..PowerSupply::new(format!("{path}#/PowerSupplies/{index}"), index.to_string())
    }
}
