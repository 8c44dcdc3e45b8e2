//! `dcmi`: capabilities, power, identification and temperatures (DCMI 1.5 §6).

use std::rc::Rc;

use ipmi::command::Bytes;
use ipmi::command::dcmi::{
    ActivatePowerLimit, DCMI_STRING_PART, GetAssetTag, GetControllerId, GetDcmiCapabilities,
    GetDcmiSensorInfo, GetPowerLimit, GetPowerReading, GetTemperatureReadings, PowerLimitSettings,
    SensorsOf, SetAssetTag, SetControllerId, SetPowerLimit, temperature_of,
};
use ipmi::number::{
    CompletionCode, DcmiCapabilityParameter, DcmiEntity, EntityId, PowerExceptionAction,
    PowerLimitActivation, PowerStatisticsMode, SensorType,
};
use serde_json::{Value, json};

use super::{ADMINISTRATOR, OPERATOR, Start, USER, start};
use crate::error::ProgramError;
use crate::ipmi::args::{DcmiCommand, DcmiPowerCommand, LimitAction, PowerLimitArgs};
use crate::ipmi::failure::Failure;
use crate::ipmi::report::{Report, Sheet};
use crate::ipmi::talk::{CallError, CallFault, Line, Outcome};

/// Width of the names in the reports.
const WIDTH: usize = 32;

/// The longest asset tag and identifier, in bytes (DCMI 1.5 §6.4).
const TEXT_MAX: usize = 63;

/// Completion code of Get Power Limit: there is a limit, and it does not hold now.
const NOT_ACTIVE: CompletionCode = CompletionCode(0x80);

/// What has sensors that DCMI knows.
const ENTITIES: [DcmiEntity; 3] = [DcmiEntity::INLET, DcmiEntity::CPU, DcmiEntity::BASEBOARD];

/// Which of two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    AssetTag,
    ControllerId,
}

/// How to begin it.
///
/// # Errors
/// A text is too long.
pub(super) fn begin(command: DcmiCommand) -> Result<Start, ProgramError> {
    let text = |which, new: Option<String>| {
        let Some(new) = new else {
            return Ok(start(USER, move |line| async move {
                let text = read(&line, which).await?;
                Ok(Report::line(text.clone(), json!({ "text": text })))
            }));
        };
        if new.len() > TEXT_MAX {
            let error = format!("'{new}': at most {TEXT_MAX} bytes");
            return Err(ProgramError::Usage(error));
        }
        let new: Rc<str> = new.into();
        let level = match which {
            Text::AssetTag => OPERATOR,
            Text::ControllerId => ADMINISTRATOR,
        };
        Ok(start(level, move |line| {
            write(line, which, Rc::clone(&new))
        }))
    };
    Ok(match command {
        DcmiCommand::Discover => start(USER, discover),
        DcmiCommand::Power(DcmiPowerCommand::Reading) => start(USER, power),
        DcmiCommand::Power(DcmiPowerCommand::GetLimit) => start(USER, limit),
        DcmiCommand::Power(DcmiPowerCommand::SetLimit(args)) => {
            start(OPERATOR, move |line| set_limit(line, args))
        }
        DcmiCommand::Power(DcmiPowerCommand::Activate) => start(OPERATOR, |line| {
            activate(line, PowerLimitActivation::ACTIVATE)
        }),
        DcmiCommand::Power(DcmiPowerCommand::Deactivate) => start(OPERATOR, |line| {
            activate(line, PowerLimitActivation::DEACTIVATE)
        }),
        DcmiCommand::AssetTag { text: new } => text(Text::AssetTag, new)?,
        DcmiCommand::McId { text: new } => text(Text::ControllerId, new)?,
        DcmiCommand::GetAssetTag => text(Text::AssetTag, None)?,
        DcmiCommand::SetAssetTag { text: new } => text(Text::AssetTag, Some(new))?,
        DcmiCommand::GetMcId => text(Text::ControllerId, None)?,
        DcmiCommand::SetMcId { text: new } => text(Text::ControllerId, Some(new))?,
        DcmiCommand::Thermal => start(USER, thermal),
        DcmiCommand::Sensors => start(USER, sensors),
    })
}

async fn discover(line: Line) -> Outcome {
    let ask = |parameter| GetDcmiCapabilities { parameter };
    let supported = line.call(&ask(DcmiCapabilityParameter::SUPPORTED)).await?;
    let mut sheet = Sheet::new(WIDTH);
    let [major, minor] = supported.version;
    sheet.put("DCMI Version", "version", format!("{major}.{minor}"));
    let bit = |byte: usize, bit: u8| {
        let byte = supported.data.get(byte).copied().unwrap_or(0);
        byte >> bit & 1 == 1
    };
    // Byte 1 of parameter 1: optional platform capabilities; byte 2: ways of management access.
    sheet.put("Power Management", "power_management", bit(1, 0));
    sheet.put("In-band System Interface", "in_band", bit(2, 0));
    sheet.put("Serial TMODE", "serial_tmode", bit(2, 1));
    sheet.put("Secondary LAN", "secondary_lan", bit(2, 2));
    let attributes = line
        .call(&ask(DcmiCapabilityParameter::MANDATORY_ATTRIBUTES))
        .await;
    match attributes {
        Ok(found) => {
            if let &[low, high, ..] = found.data.as_slice() {
                let word = u16::from_le_bytes([low, high]);
                sheet.put("SEL Entries", "sel_entries", word & 0x0fff);
                let overwrites = word & 0x8000 != 0;
                sheet.put("SEL Overwrites", "sel_overwrites", overwrites);
            }
        }
        Err(error) if error.completion().is_some() => {}
        Err(error) => return Err(error.into()),
    }
    Ok(sheet.report())
}

async fn power(line: Line) -> Outcome {
    let reading = line
        .call(&GetPowerReading {
            mode: PowerStatisticsMode::SYSTEM,
            period: 0,
        })
        .await
        .map_err(|error| match error.fault {
            CallFault::Garbled(_) => Failure::Unfit {
                kind: "not_supported",
                cause: "the BMC takes the question for its power, and has no answer".to_owned(),
                remedy: "look at its sensors: 'sensor'".to_owned(),
            },
            _ => error.into(),
        })?;
    let mut sheet = Sheet::new(WIDTH);
    sheet.put("Instantaneous Power (W)", "current_w", reading.current_w);
    sheet.put("Minimum (W)", "minimum_w", reading.minimum_w);
    sheet.put("Maximum (W)", "maximum_w", reading.maximum_w);
    sheet.put("Average (W)", "average_w", reading.average_w);
    sheet.put("At", "at", reading.at.to_string());
    let period = f64::from(reading.period_ms) / 1000.0;
    sheet.put("Sampling Period (s)", "period_s", period);
    sheet.put(
        "Measurement Active",
        "active",
        reading.measurement == ipmi::number::PowerMeasurement::ACTIVE,
    );
    Ok(sheet.report())
}

/// The limit, and whether it holds.
async fn get_limit(line: &Line) -> Result<(PowerLimitSettings, bool), CallError> {
    let (limit, inactive) = line.call_despite(NOT_ACTIVE, &GetPowerLimit {}).await?;
    Ok((limit.settings, !inactive))
}

async fn limit(line: Line) -> Outcome {
    let (settings, active) = get_limit(&line).await?;
    let mut sheet = Sheet::new(WIDTH);
    sheet.put("Power Limit Active", "active", active);
    sheet.put("Power Limit (W)", "limit_w", settings.limit_w);
    let action = settings.action.to_string();
    sheet.put("Exception Action", "action", action);
    let correction = settings.correction_ms;
    sheet.put("Correction Time (ms)", "correction_ms", correction);
    sheet.put("Sampling Period (s)", "sampling_s", settings.sampling_s);
    Ok(sheet.report())
}

async fn set_limit(line: Line, args: PowerLimitArgs) -> Outcome {
    let (before, _) = get_limit(&line).await?;
    let settings = PowerLimitSettings {
        action: args.action.map_or(before.action, |action| match action {
            LimitAction::None => PowerExceptionAction::NONE,
            LimitAction::PowerOff => PowerExceptionAction::POWER_OFF,
            LimitAction::Log => PowerExceptionAction::LOG,
        }),
        limit_w: args.limit.unwrap_or(before.limit_w),
        correction_ms: args.correction.unwrap_or(before.correction_ms),
        sampling_s: args.sample.unwrap_or(before.sampling_s),
    };
    line.call(&SetPowerLimit { settings }).await?;
    limit(line).await
}

async fn activate(line: Line, activation: PowerLimitActivation) -> Outcome {
    line.call(&ActivatePowerLimit { activation }).await?;
    limit(line).await
}

/// Reads a text in parts.
async fn read(line: &Line, which: Text) -> Result<String, CallError> {
    let mut text = Vec::new();
    loop {
        let offset = u8::try_from(text.len()).unwrap_or(u8::MAX);
        let left = TEXT_MAX.saturating_sub(text.len()).min(DCMI_STRING_PART);
        let count = u8::try_from(left).unwrap_or(0);
        let (length, part) = match which {
            Text::AssetTag => {
                let part = line.call(&GetAssetTag { offset, count }).await?;
                (part.length, part.data)
            }
            Text::ControllerId => {
                let part = line.call(&GetControllerId { offset, count }).await?;
                (part.length, part.data)
            }
        };
        text.extend_from_slice(&part);
        if part.is_empty() || text.len() >= usize::from(length).min(TEXT_MAX) {
            text.truncate(usize::from(length));
            // Some pad with zeros.
            let end = text.iter().position(|byte| *byte == 0);
            text.truncate(end.unwrap_or(text.len()));
            return Ok(String::from_utf8_lossy(&text).into_owned());
        }
    }
}

async fn write(line: Line, which: Text, new: Rc<str>) -> Outcome {
    // An identifier ends with a zero byte (DCMI 1.5 table 6-17); an empty text is one part without bytes.
    let mut bytes = new.as_bytes().to_vec();
    if which == Text::ControllerId {
        bytes.push(0);
    }
    let mut offset = 0;
    while offset == 0 || offset < bytes.len() {
        let part = &bytes[offset..bytes.len().min(offset + DCMI_STRING_PART)];
        let at = u8::try_from(offset).unwrap_or(u8::MAX);
        let count = u8::try_from(part.len()).unwrap_or(0);
        let data = Bytes::new(part).unwrap_or(Bytes::EMPTY);
        match which {
            Text::AssetTag => {
                let command = SetAssetTag {
                    offset: at,
                    count,
                    data,
                };
                line.call(&command).await?;
            }
            Text::ControllerId => {
                let command = SetControllerId {
                    offset: at,
                    count,
                    data,
                };
                line.call(&command).await?;
            }
        }
        offset += DCMI_STRING_PART;
    }
    let kept = read(&line, which).await?;
    Ok(Report::line(kept.clone(), json!({ "text": kept })))
}

/// The first instance behind an answer of `count` entries from `start` on; `None` where there is none. Instances count
/// to 255 (DCMI 1.5 table 6-22).
fn behind(start: u8, count: u8, total: u8) -> Option<u8> {
    let next = start.checked_add(count)?;
    (count > 0 && next <= total).then_some(next)
}

fn sensors_of(entity: DcmiEntity, start: u8) -> SensorsOf {
    SensorsOf {
        sensor_type: SensorType::TEMPERATURE,
        entity: EntityId(entity.0),
        instance: 0,
        start,
    }
}

async fn thermal(line: Line) -> Outcome {
    let (mut lines, mut list) = (Vec::new(), Vec::new());
    for entity in ENTITIES {
        let mut next = Some(1);
        while let Some(start) = next {
            let sensors = sensors_of(entity, start);
            let answer = line.call(&GetTemperatureReadings { sensors }).await?;
            for pair in answer.readings.chunks_exact(2) {
                let (celsius, instance) = (temperature_of(pair[0]), pair[1]);
                lines.push(format!(
                    "{:<10} {instance:>3} | {celsius} C",
                    entity.to_string()
                ));
                list.push(json!({
                    "entity": entity.to_string(), "instance": instance, "celsius": celsius
                }));
            }
            next = behind(start, answer.count, answer.total);
        }
    }
    Ok(Report::of(lines, json!({ "temperatures": list })))
}

async fn sensors(line: Line) -> Outcome {
    let (mut lines, mut list) = (Vec::new(), Vec::<Value>::new());
    for entity in ENTITIES {
        let mut next = Some(1);
        while let Some(start) = next {
            let sensors = sensors_of(entity, start);
            let answer = line.call(&GetDcmiSensorInfo { sensors }).await?;
            for pair in answer.records.chunks_exact(2) {
                let record = u16::from_le_bytes([pair[0], pair[1]]);
                lines.push(format!(
                    "{:<10} | record 0x{record:04x}",
                    entity.to_string()
                ));
                list.push(json!({ "entity": entity.to_string(), "record": record }));
            }
            next = behind(start, answer.count, answer.total);
        }
    }
    Ok(Report::of(lines, json!({ "sensors": list })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipmi::talk::{Call, Talk, play};

    /// One reading or record an answer, of as many as a byte can count.
    fn endless(call: &Call) -> play::Reply {
        let [low, high] = [call.data[4], 0];
        Some((CompletionCode::OK, vec![0xdc, 255, 1, low, high]))
    }

    #[test]
    fn a_bmc_that_counts_to_255_is_asked_for_each_instance_once() {
        let entities = ENTITIES.len();
        let report = play::run(Talk::new(thermal), endless).unwrap();
        assert_eq!(report.lines.len(), 255 * entities);
        let report = play::run(Talk::new(sensors), endless).unwrap();
        assert_eq!(report.lines.len(), 255 * entities);
    }

    #[test]
    fn the_next_instance_is_behind_those_that_were_told() {
        assert_eq!(behind(1, 8, 20), Some(9));
        assert_eq!(behind(17, 4, 20), None);
        assert_eq!(behind(1, 0, 20), None, "no entries although there are some");
        assert_eq!(behind(255, 1, 255), None);
    }
}
