//! Sensor commands (§35).

use ipmi::bmc::{Request, serve};
use ipmi::command::sensor::{
    EventEnableAction, EventMasks, GetDeviceSdrInfo, GetSensorEventEnable, GetSensorEventStatus,
    GetSensorHysteresis, GetSensorReading, GetSensorReadingFactors, GetSensorThresholds,
    GetSensorType, Hysteresis, RearmSensorEvents, SensorEventEnable, SensorEventStatus,
    SensorReading, SensorReadingFactors, SensorThresholds, SensorTypeResponse,
    SetSensorEventEnable, SetSensorHysteresis, SetSensorReadingAndEventStatus, SetSensorThresholds,
    SetSensorType,
};
use ipmi::command::storage::{GetDeviceSdr, ReserveDeviceSdrRepository};
use ipmi::command::{Command, Empty};
use ipmi::number::{CompletionCode, ReadingFlags, RearmScope, StatusOperation, Threshold};
use ipmi::wire::Writer;

use crate::controller::SensorSettings;
use crate::machine::{Machine, Sample};
use crate::sensor::{Analog, Condition, Kind, SensorSpec, event_mask, event_offset};

/// Bits 6 and 7 of a numeric sensor's comparison byte are reserved and read as 1 (§35.14).
const COMPARISON_RESERVED: u16 = 0xc0;
/// Set Sensor Reading And Event Status: the reading can't be set (§35.17).
const READING_NOT_SETTABLE: CompletionCode = CompletionCode(0x80);
/// Set Sensor Reading And Event Status: the states can't be set.
const STATES_NOT_SETTABLE: CompletionCode = CompletionCode(0x81);

pub(super) fn handle(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        SetSensorThresholds::CMD => serve(request, response, |c| set_thresholds(machine, &c)),
        SetSensorHysteresis::CMD => serve(request, response, |c| set_hysteresis(machine, &c)),
        SetSensorEventEnable::CMD => serve(request, response, |c| set_events(machine, &c)),
        RearmSensorEvents::CMD => serve(request, response, |c| rearm(machine, &c)),
        SetSensorType::CMD => serve(request, response, |c: SetSensorType| {
            // What a sensor watches is fixed; setting it to just that changes nothing.
            let (spec, _) = find(machine, c.sensor_number)?;
            let same =
                spec.sensor_type == c.sensor_type && spec.event_type() == c.event_reading_type;
            if same {
                Ok(Empty)
            } else {
                Err(CompletionCode::ILLEGAL_FOR_TYPE)
            }
        }),
        SetSensorReadingAndEventStatus::CMD => {
            serve(request, response, |c| set_reading(machine, &c))
        }
        GetDeviceSdrInfo::CMD | GetDeviceSdr::CMD | ReserveDeviceSdrRepository::CMD => {
            super::sdr::device(machine, request, response)
        }
        _ => read(machine, request, response),
    }
}

fn read(machine: &Machine, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
    match request.cmd {
        GetSensorReading::CMD => serve(request, response, |c: GetSensorReading| {
            let (spec, sample) = find(machine, c.sensor_number)?;
            reading(machine, spec, sample)
        }),
        GetSensorThresholds::CMD => serve(request, response, |c: GetSensorThresholds| {
            numeric(machine, c.sensor_number).map(thresholds)
        }),
        GetSensorHysteresis::CMD => serve(request, response, |c: GetSensorHysteresis| {
            let raw = numeric(machine, c.sensor_number)?.hysteresis;
            Ok(Hysteresis {
                positive: raw,
                negative: raw,
            })
        }),
        GetSensorReadingFactors::CMD => serve(request, response, |c: GetSensorReadingFactors| {
            // The same factors hold for all readings: there is no next reading with others.
            let factors = *numeric(machine, c.sensor_number)?.scale.factors();
            Ok(SensorReadingFactors {
                next_raw: c.raw,
                factors,
            })
        }),
        GetSensorType::CMD => serve(request, response, |c: GetSensorType| {
            let (spec, _) = find(machine, c.sensor_number)?;
            let (sensor_type, event_reading_type) = (spec.sensor_type, spec.event_type());
            Ok(SensorTypeResponse {
                sensor_type,
                event_reading_type,
            })
        }),
        GetSensorEventEnable::CMD => serve(request, response, |c: GetSensorEventEnable| {
            let (spec, _) = find(machine, c.sensor_number)?;
            let mask = event_mask(spec);
            let set = settings(machine, c.sensor_number);
            let masks = EventMasks {
                assertion: mask & !set.assertion_off,
                deassertion: mask & !set.deassertion_off,
            };
            Ok(SensorEventEnable {
                flags: flags(&set, false),
                masks,
            })
        }),
        GetSensorEventStatus::CMD => serve(request, response, |c: GetSensorEventStatus| {
            let (spec, sample) = find(machine, c.sensor_number)?;
            Ok(event_status(machine, spec, sample))
        }),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

fn find(machine: &Machine, number: u8) -> Result<(&SensorSpec, Sample), CompletionCode> {
    let index = machine
        .profile()
        .index(number)
        .ok_or(CompletionCode::NOT_PRESENT)?;
    Ok((&machine.profile().sensors[index], machine.samples()[index]))
}

fn numeric(machine: &Machine, number: u8) -> Result<&Analog, CompletionCode> {
    let (spec, _) = find(machine, number)?;
    let analog = spec.analog().ok_or(CompletionCode::ILLEGAL_FOR_TYPE)?;
    Ok(machine.analog(number, analog))
}

fn settings(machine: &Machine, number: u8) -> SensorSettings {
    machine.sensor_settings(number).cloned().unwrap_or_default()
}

const fn flags(set: &SensorSettings, unavailable: bool) -> ReadingFlags {
    ReadingFlags::NONE
        .with(ReadingFlags::EVENTS, set.events)
        .with(ReadingFlags::SCANNING, set.scanning)
        .with(ReadingFlags::UNAVAILABLE, unavailable)
}

fn reading(
    machine: &Machine,
    spec: &SensorSpec,
    sample: Sample,
) -> Result<SensorReading, CompletionCode> {
    let set = settings(machine, spec.number);
    let states = match &spec.kind {
        Kind::Analog(_) => u16::from(sample.crossed) | COMPARISON_RESERVED,
        Kind::Discrete(_) => sample.states,
        Kind::EventOnly(_) => return Err(CompletionCode::ILLEGAL_FOR_TYPE),
    };
    let Sample {
        raw, unavailable, ..
    } = sample;
    Ok(SensorReading {
        raw,
        flags: flags(&set, unavailable),
        states,
    })
}

fn thresholds(analog: &Analog) -> SensorThresholds {
    let mut thresholds = SensorThresholds::default();
    for threshold in Threshold::ALL {
        if let Some(limit) = &analog.limits[threshold.index()] {
            thresholds.set(threshold, limit.raw);
        }
    }
    thresholds
}

fn event_status(machine: &Machine, spec: &SensorSpec, sample: Sample) -> SensorEventStatus {
    let set = settings(machine, spec.number);
    let assertion = match &spec.kind {
        Kind::Analog(_) => Threshold::ALL
            .into_iter()
            .filter(|threshold| sample.held & threshold.bit().0 != 0)
            .fold(0, |mask, threshold| mask | 1 << event_offset(threshold)),
        _ => sample.states & event_mask(spec),
    };
    SensorEventStatus {
        flags: flags(&set, sample.unavailable),
        masks: EventMasks {
            assertion,
            deassertion: 0,
        },
    }
}

/// Lower limits must lie below upper ones, and each beyond the milder one (§35.8).
fn set_thresholds(machine: &mut Machine, c: &SetSensorThresholds) -> Result<Empty, CompletionCode> {
    let analog = numeric(machine, c.sensor_number)?;
    let mut raw = [None; 6];
    for threshold in Threshold::ALL {
        let index = threshold.index();
        if let Some(value) = c.thresholds.get(threshold) {
            if analog.limits[index].is_none() {
                return Err(CompletionCode::INVALID_DATA_FIELD);
            }
            raw[index] = Some(value);
        }
    }
    let changed = analog.with_raw_limits(raw, analog.hysteresis);
    let order = [
        Threshold::LowerNonRecoverable,
        Threshold::LowerCritical,
        Threshold::LowerNonCritical,
        Threshold::UpperNonCritical,
        Threshold::UpperCritical,
        Threshold::UpperNonRecoverable,
    ];
    let trips = order
        .into_iter()
        .filter_map(|threshold| changed.limits[threshold.index()])
        .map(|limit| limit.trip);
    if !trips.is_sorted() {
        return Err(CompletionCode::INVALID_DATA_FIELD);
    }
    machine.set_sensor(c.sensor_number, |set| set.analog = Some(Box::new(changed)));
    Ok(Empty)
}

/// There is one hysteresis for both directions.
fn set_hysteresis(machine: &mut Machine, c: &SetSensorHysteresis) -> Result<Empty, CompletionCode> {
    let analog = numeric(machine, c.sensor_number)?;
    if c.hysteresis.positive != c.hysteresis.negative {
        return Err(CompletionCode::INVALID_DATA_FIELD);
    }
    let changed = analog.with_raw_limits([None; 6], c.hysteresis.positive);
    machine.set_sensor(c.sensor_number, |set| set.analog = Some(Box::new(changed)));
    Ok(Empty)
}

fn set_events(machine: &mut Machine, c: &SetSensorEventEnable) -> Result<Empty, CompletionCode> {
    find(machine, c.sensor_number)?;
    if c.action == EventEnableAction::Reserved {
        return Err(CompletionCode::INVALID_DATA_FIELD);
    }
    let masks = c.masks.unwrap_or_default();
    machine.set_sensor(c.sensor_number, |set| {
        set.events = c.flags.contains(ReadingFlags::EVENTS);
        set.scanning = c.flags.contains(ReadingFlags::SCANNING);
        match c.action {
            EventEnableAction::Enable => {
                set.assertion_off &= !masks.assertion;
                set.deassertion_off &= !masks.deassertion;
            }
            EventEnableAction::Disable => {
                set.assertion_off |= masks.assertion;
                set.deassertion_off |= masks.deassertion;
            }
            _ => {}
        }
    });
    Ok(Empty)
}

fn rearm(machine: &mut Machine, c: &RearmSensorEvents) -> Result<Empty, CompletionCode> {
    let index = machine.profile().index(c.sensor_number);
    let index = index.ok_or(CompletionCode::NOT_PRESENT)?;
    let mask = match c.masks {
        Some(masks) if c.scope == RearmScope::SELECTED => {
            masks.assertion | masks.deassertion.unwrap_or(0)
        }
        _ => u16::MAX,
    };
    machine.rearm(index, mask);
    Ok(Empty)
}

/// Only the intrusion sensor's states can be written: somebody has closed the lid, and says so.
fn set_reading(
    machine: &mut Machine,
    c: &SetSensorReadingAndEventStatus,
) -> Result<Empty, CompletionCode> {
    let (spec, sample) = find(machine, c.sensor_number)?;
    if c.reading != 0 {
        return Err(READING_NOT_SETTABLE);
    }
    let Kind::Discrete(discrete) = &spec.kind else {
        return Err(STATES_NOT_SETTABLE);
    };
    if discrete.condition != Condition::Intrusion || c.deassertion != StatusOperation::UNCHANGED {
        return Err(STATES_NOT_SETTABLE);
    }
    let given = match *c.states.as_slice() {
        [] => 0,
        [low] => u16::from(low),
        [low, high, ..] => u16::from_le_bytes([low, high & 0x7f]),
    };
    let states = match c.assertion {
        StatusOperation::WRITE => given,
        StatusOperation::SET => sample.states | given,
        StatusOperation::CLEAR => sample.states & given,
        _ => sample.states,
    };
    machine.set_sensor(c.sensor_number, |set| set.states = Some(states));
    Ok(Empty)
}
