//! Sensor commands (§35).

use ipmi::bmc::{Request, serve};
use ipmi::command::Command;
use ipmi::command::sensor::{
    EventMasks, GetSensorEventEnable, GetSensorEventStatus, GetSensorHysteresis, GetSensorReading,
    GetSensorReadingFactors, GetSensorThresholds, GetSensorType, Hysteresis, SensorEventEnable,
    SensorEventStatus, SensorReading, SensorReadingFactors, SensorThresholds, SensorTypeResponse,
};
use ipmi::number::{CompletionCode, Threshold};
use ipmi::wire::Writer;

use crate::machine::{Machine, Sample};
use crate::sensor::{Analog, Kind, SensorSpec, event_mask, event_offset};

/// Bits 6 and 7 of a numeric sensor's comparison byte are reserved and read as 1 (§35.14).
const COMPARISON_RESERVED: u16 = 0xc0;

pub(super) fn handle(
    machine: &Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetSensorReading::CMD => serve(request, response, |c: GetSensorReading| {
            let (spec, sample) = find(machine, c.sensor_number)?;
            reading(spec, sample)
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
            let masks = EventMasks {
                assertion: mask,
                deassertion: mask,
            };
            Ok(SensorEventEnable {
                events_enabled: true,
                scanning_enabled: true,
                masks,
            })
        }),
        GetSensorEventStatus::CMD => serve(request, response, |c: GetSensorEventStatus| {
            let (spec, sample) = find(machine, c.sensor_number)?;
            Ok(event_status(spec, sample))
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
    spec.analog().ok_or(CompletionCode::ILLEGAL_FOR_TYPE)
}

fn reading(spec: &SensorSpec, sample: Sample) -> Result<SensorReading, CompletionCode> {
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
        events_enabled: true,
        scanning_enabled: true,
        unavailable,
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

fn event_status(spec: &SensorSpec, sample: Sample) -> SensorEventStatus {
    let assertion = match &spec.kind {
        Kind::Analog(_) => Threshold::ALL
            .into_iter()
            .filter(|threshold| sample.held & threshold.bit().0 != 0)
            .fold(0, |mask, threshold| mask | 1 << event_offset(threshold)),
        _ => sample.states & event_mask(spec),
    };
    SensorEventStatus {
        events_enabled: true,
        scanning_enabled: true,
        unavailable: sample.unavailable,
        masks: EventMasks {
            assertion,
            deassertion: 0,
        },
    }
}
