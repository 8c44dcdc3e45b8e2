//! What a machine's sensors and log entries are in the terms of [`hardware`]: the same that a console makes of the
//! machine's records.

use std::sync::Arc;

use hardware::{
    Availability, Context, LogEntry, LogEntryKind, LogText, Quantity, Reading, Readings, Sensor,
    Severity, ThresholdState, Thresholds, Unit,
};
use ipmi::number::{
    EntityId, EventReadingType, SensorGroup, SensorType, SensorUnit, State, Threshold,
};
use ipmi::record::Timestamp;
use ipmi::record::sdr::Units;
use ipmi::record::sel::{EventDirection, SelRecord, SensorContext};

use crate::log::ENTRY_LEN;
use crate::machine::Sample;
use crate::profile::Profile;
use crate::sensor::{Analog, Discrete, Kind, SensorSpec};

/// Address of the management controller, in the upper half of a sensor's key.
const OWNER: u32 = 0x20 << 16;

/// The sensors of a profile that have readings, in its order.
pub(crate) fn sensors(profile: &Profile) -> Arc<[Sensor]> {
    profile.sensors.iter().filter_map(sensor).collect()
}

fn sensor(spec: &SensorSpec) -> Option<Sensor> {
    let name: Arc<str> = spec.name.into();
    let blank = Sensor {
        id: spec.name.replace(' ', "_").into(),
        name,
        key: OWNER | u32::from(spec.number),
        quantity: Quantity::Discrete,
        unit: Unit::default(),
        context: context(spec.entity),
        instance: spec.entity_instance.into(),
        range: None,
        resolution: None,
        thresholds: Thresholds::default(),
        states: Arc::default(),
        state_severities: Arc::default(),
    };
    match &spec.kind {
        Kind::Analog(analog) => Some(number(blank, analog)),
        Kind::Discrete(discrete) => Some(states(blank, discrete, spec.sensor_type)),
        Kind::EventOnly(_) => None,
    }
}

fn number(blank: Sensor, analog: &Analog) -> Sensor {
    let (quantity, unit) = match analog.unit {
        SensorUnit::DEGREES_C => (Quantity::Temperature, "Cel"),
        SensorUnit::VOLTS => (Quantity::Voltage, "V"),
        SensorUnit::AMPS => (Quantity::Current, "A"),
        SensorUnit::WATTS => (Quantity::Power, "W"),
        SensorUnit::RPM => (Quantity::FanSpeed, "{rev}/min"),
        SensorUnit::CFM => (Quantity::AirFlow, "[cft_i]/min"),
        other => (Quantity::Other, other.symbol()),
    };
    let limit = |threshold: Threshold| analog.limits[threshold.index()].map(|limit| limit.trip);
    Sensor {
        quantity,
        unit: Unit(unit.into()),
        range: Some(analog.scale.range()),
        resolution: analog.scale.step(),
        thresholds: Thresholds {
            lower_fatal: limit(Threshold::LowerNonRecoverable),
            lower_critical: limit(Threshold::LowerCritical),
            lower_caution: limit(Threshold::LowerNonCritical),
            upper_caution: limit(Threshold::UpperNonCritical),
            upper_critical: limit(Threshold::UpperCritical),
            upper_fatal: limit(Threshold::UpperNonRecoverable),
        },
        ..blank
    }
}

fn states(blank: Sensor, discrete: &Discrete, sensor_type: SensorType) -> Sensor {
    let kind = discrete.event_type;
    // Types from F0h on are PICMG's here: only a shelf manager has any.
    let state = |offset| State::of(SensorGroup::Picmg, kind, sensor_type, offset);
    let name = |offset| state(offset).and_then(State::name).unwrap_or("");
    let named = (0..15)
        .rev()
        .find(|offset| !name(*offset).is_empty())
        .map_or(0, |last| last + 1);
    Sensor {
        states: (0..named).map(|offset| Arc::from(name(offset))).collect(),
        state_severities: (0..named)
            .map(|offset| severity(kind, sensor_type, offset))
            .collect(),
        ..blank
    }
}

/// Which part of the machine an entity is; only those that profiles have.
pub(crate) const fn context(entity: EntityId) -> Context {
    match entity {
        EntityId::PROCESSOR => Context::Cpu,
        EntityId::MEMORY_MODULE | EntityId::MEMORY_DEVICE => Context::Memory,
        EntityId::DISK_DRIVE_BAY => Context::StorageDevice,
        EntityId::POWER_SUPPLY => Context::PowerSupply,
        EntityId::POWER_UNIT => Context::PowerSubsystem,
        EntityId::POWER_MODULE => Context::VoltageRegulator,
        EntityId::FAN => Context::Fan,
        EntityId::COOLING_UNIT => Context::CoolingSubsystem,
        EntityId::SYSTEM_BOARD => Context::SystemBoard,
        EntityId::AIR_INLET => Context::Intake,
        EntityId::SYSTEM_CHASSIS => Context::Chassis,
        EntityId::MANAGEMENT_MODULE => Context::ManagementController,
        EntityId::BATTERY => Context::Battery,
        _ => Context::Unspecified,
    }
}

/// How bad a state or event is: lost function is critical, lost reserve or a coming failure is a warning. Only the
/// types that profiles have.
fn severity(kind: EventReadingType, sensor_type: SensorType, offset: u8) -> Severity {
    let (critical, warning): (&[u8], &[u8]) = match (kind, sensor_type) {
        (EventReadingType::THRESHOLD, _) => (&[2, 3, 4, 5, 8, 9, 10, 11], &[0, 1, 6, 7]),
        (EventReadingType::REDUNDANCY, _) => (&[5], &[1, 2, 3, 4, 6, 7]),
        (_, SensorType::PHYSICAL_SECURITY) => (&[], &[0, 1, 2, 3, 4, 5, 6]),
        (_, SensorType::PROCESSOR) => (&[0, 1, 2, 3, 4, 5, 6, 11], &[8, 10, 12]),
        (_, SensorType::POWER_SUPPLY) => (&[1, 3, 4, 6], &[2, 5]),
        (_, SensorType::POWER_UNIT) => (&[2, 3, 4, 5, 6], &[7]),
        (_, SensorType::MEMORY) => (&[1, 2, 3, 7, 10], &[0, 4, 5, 9]),
        (_, SensorType::DRIVE_SLOT) => (&[1, 5, 6, 8], &[2, 7]),
        (_, SensorType::EVENT_LOGGING_DISABLED) => (&[], &[0, 1, 3, 4, 5, 6]),
        (_, SensorType::CRITICAL_INTERRUPT) => (&[0, 1, 2, 3, 4, 5, 6, 8, 9, 10], &[7, 11]),
        (_, SensorType::OS_STOP) => (&[0, 1], &[]),
        (_, SensorType::WATCHDOG_2) => (&[1, 2, 3], &[0, 8]),
        _ => (&[], &[]),
    };
    if critical.contains(&offset) {
        Severity::Critical
    } else if warning.contains(&offset) {
        Severity::Warning
    } else {
        Severity::Ok
    }
}

/// What the sensors with readings deliver, in the profile's order.
pub(crate) fn readings(profile: &Profile, samples: &[Sample]) -> Readings {
    let both = profile.sensors.iter().zip(samples);
    both.filter_map(|(spec, sample)| reading(spec, *sample))
        .collect()
}

fn reading(spec: &SensorSpec, sample: Sample) -> Option<Reading> {
    let available = if sample.unavailable {
        Availability::Unavailable
    } else {
        Availability::Available
    };
    let blank = Reading {
        availability: available,
        ..Reading::default()
    };
    match &spec.kind {
        Kind::EventOnly(_) => None,
        _ if sample.unavailable => Some(blank),
        Kind::Discrete(_) => Some(Reading {
            states: sample.states,
            ..blank
        }),
        Kind::Analog(analog) => {
            let value = analog.scale.value(sample.raw);
            Some(Reading {
                value,
                crossed: crossed(sample.crossed),
                ..blank
            })
        }
    }
}

fn crossed(bits: u8) -> ThresholdState {
    let as_hardware = |threshold| match threshold {
        Threshold::LowerNonCritical => hardware::Threshold::LowerCaution,
        Threshold::LowerCritical => hardware::Threshold::LowerCritical,
        Threshold::LowerNonRecoverable => hardware::Threshold::LowerFatal,
        Threshold::UpperNonCritical => hardware::Threshold::UpperCaution,
        Threshold::UpperCritical => hardware::Threshold::UpperCritical,
        Threshold::UpperNonRecoverable => hardware::Threshold::UpperFatal,
    };
    let set = Threshold::ALL
        .into_iter()
        .filter(|threshold| bits & threshold.bit().0 != 0);
    set.fold(ThresholdState::NONE, |state, threshold| {
        state.with(as_hardware(threshold))
    })
}

/// An entry of the event log.
pub(crate) fn log_entry(profile: &Profile, raw: &[u8; ENTRY_LEN]) -> LogEntry {
    let record = SelRecord::decode(raw);
    let event = if let SelRecord::SystemEvent(event) = &record {
        Some(event)
    } else {
        None
    };
    let spec = event
        .and_then(|e| profile.index(e.sensor_number))
        .map(|i| &profile.sensors[i]);
    let analog = spec.and_then(SensorSpec::analog);
    let text = record.describe(SensorContext {
        name: spec.map(|spec| spec.name),
        conversion: analog.map(|analog| *analog.scale.conversion()),
        units: spec
            .map(|_| analog.map_or_else(Units::default, |a| Units::new(a.scale.format(), a.unit))),
        ..SensorContext::default()
    });
    let mut message = text.event();
    if let Some(detail) = text.detail() {
        message.push_str(": ");
        message.push_str(&detail);
    }
    let asserted = text.direction() != Some(EventDirection::Deassertion);
    let text = LogText {
        kind: if event.is_some() {
            LogEntryKind::Event
        } else {
            LogEntryKind::Oem
        },
        severity: event.filter(|_| asserted).map_or(Severity::Ok, |event| {
            severity(
                event.event_reading_type(),
                event.sensor_type,
                event.offset(),
            )
        }),
        sensor: spec.map(|spec| spec.name.into()),
        sensor_type: event.map_or_else(Arc::default, |e| e.sensor_type.to_string().into()),
        asserted,
        message: message.into(),
    };
    LogEntry {
        id: record.id().0.into(),
        at_s: record
            .timestamp()
            .and_then(Timestamp::unix_seconds)
            .map(u64::from),
        text: Arc::new(text),
        raw: *raw,
    }
}
