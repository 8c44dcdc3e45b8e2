//! `sensor`: every sensor of the repository with value, unit, status and thresholds (§35.5, §35.9, §35.14).

use std::rc::Rc;

use ipmi::command::sensor::{
    GetSensorHysteresis, GetSensorReading, GetSensorReadingFactors, GetSensorThresholds,
    SensorReading,
};
use ipmi::number::{
    IpmbAddress, ReadingFlags, SensorGroup, SensorType, State, Threshold, ThresholdSet,
};
use ipmi::quirk::Quirk;
use ipmi::record::sdr::{Access, FullSensor, Owner, SdrBody, SdrRecord, Sensor};
use ipmi::record::{AnalogFormat, Conversion};
use serde_json::{Map, Value, json};

use super::{column, group, repository, sensor_hint};
use crate::ipmi::failure::Failure;
use crate::ipmi::report::{Reader, Report, cell, pair};
use crate::ipmi::talk::{CallError, CallFault, Line, Outcome};
use crate::pattern::fits;

/// Address of the BMC itself: the only owner whose sensors can be read without bridging.
const BMC: Owner = Owner::Ipmb(IpmbAddress::BMC);

/// Thresholds in the order of the columns: from the lowest to the highest.
pub(super) const COLUMNS: [(Threshold, &str); 6] = [
    (Threshold::LowerNonRecoverable, "lower_non_recoverable"),
    (Threshold::LowerCritical, "lower_critical"),
    (Threshold::LowerNonCritical, "lower_non_critical"),
    (Threshold::UpperNonCritical, "upper_non_critical"),
    (Threshold::UpperCritical, "upper_critical"),
    (Threshold::UpperNonRecoverable, "upper_non_recoverable"),
];

/// The same, in words.
const NAMES: [(Threshold, &str); 6] = [
    (Threshold::LowerNonRecoverable, "Lower Non-Recoverable"),
    (Threshold::LowerCritical, "Lower Critical"),
    (Threshold::LowerNonCritical, "Lower Non-Critical"),
    (Threshold::UpperNonCritical, "Upper Non-Critical"),
    (Threshold::UpperCritical, "Upper Critical"),
    (Threshold::UpperNonRecoverable, "Upper Non-Recoverable"),
];

/// Width of the names in the report of `get`.
const WIDTH: usize = 22;

/// Width of most columns of the list.
const COLUMN: usize = 10;

/// Room for a line of the list, in bytes; longer ones grow.
const LINE_LEN: usize = 160;

/// A sensor as its record describes it.
pub(super) struct Described {
    pub(super) name: String,
    pub(super) sensor: Sensor,
    pub(super) full: Option<Box<FullSensor>>,
}

/// A sensor as it is now.
pub(super) struct Read {
    pub(super) name: String,
    /// In its unit; `None` for a discrete sensor and while there is no reading.
    pub(super) value: Option<f64>,
    pub(super) unit: Option<String>,
    /// `ok`, `nc`, `cr`, `nr` for a sensor with thresholds, `na` without a reading; else the states, `-` for none.
    pub(super) status: String,
    pub(super) states: Option<u16>,
    /// The names of the states, as far as they have any.
    state_names: Vec<&'static str>,
    /// Why there is no reading.
    pub(super) absence: Option<Absence>,
    /// In the order of [`COLUMNS`].
    thresholds: [Option<f64>; 6],
}

/// Why a sensor has no reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// Its record names another owner than the BMC, so that it was not asked for.
    OtherOwner,
    /// The BMC refused to read it.
    Refused,
    /// It is not scanned, says the BMC, which sent a raw byte all the same.
    NotScanned(u8),
    /// It has none now.
    Unavailable,
}

/// Reads the sensors whose names fit one of `names`, or all.
pub(super) async fn run(line: Line, names: Rc<[String]>, reader: Reader) -> Outcome {
    let chosen = chosen(&line, &names).await?;
    let report = report(&line, "sensors", &chosen.sensors, reader).await?;
    let hint = chosen.hint.or_else(|| report.hint.clone());
    Ok(report.hinting(hint).lacking(chosen.missing))
}

/// Reads the sensors whose names fit one of `names`, and says all that is known of each.
pub(super) async fn get(line: Line, names: Rc<[String]>) -> Outcome {
    let Chosen {
        sensors,
        missing,
        hint,
    } = chosen(&line, &names).await?;
    let group = group::find(&line, types(&sensors)).await?;
    let (mut lines, mut values) = (Vec::new(), Vec::new());
    for sensor in &sensors {
        let read = sensor.read(&line, group, Wanted::All).await?;
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(sensor.sheet(&read, group));
        let mut value = read.json();
        if let Some(hysteresis) = sensor.hysteresis(&line).await? {
            for (name, key, held) in hysteresis {
                let shown = held.map_or_else(|| "na".to_owned(), |held| held.to_string());
                lines.push(pair(name, WIDTH, shown));
                value[key] = held.into();
            }
        }
        value["number"] = sensor.sensor.key.sensor_number.into();
        value["entity"] = sensor.entity().into();
        value["type"] = sensor.type_name(group).into();
        values.push(value);
    }
    let report = Report::of(lines, json!({ "sensors": values }));
    Ok(report.hinting(hint).lacking(missing))
}

/// The sensors of the repository, in its order.
pub(super) async fn all(line: &Line) -> Result<Vec<Described>, CallError> {
    let records = repository::read(line).await?;
    Ok(of_records(line, records))
}

/// The sensors that these records describe; all of them the BMC's own, where the operator says so.
pub(super) fn of_records(line: &Line, records: Vec<SdrRecord>) -> Vec<Described> {
    let mut sensors = Vec::with_capacity(records.len());
    for record in records {
        describe(record, &mut sensors);
    }
    if line.quirks().has(Quirk::SensorOwnerWrong) {
        for Described { sensor, .. } in &mut sensors {
            let lun = sensor.key.lun().get();
            (sensor.key.owner_id, sensor.key.owner_lun) = (BMC.to_byte(), lun);
        }
    }
    sensors
}

/// The types of sensors.
pub(super) fn types(sensors: &[Described]) -> impl Iterator<Item = SensorType> {
    sensors.iter().map(|sensor| sensor.sensor.sensor_type)
}

/// Sensors that were asked for.
struct Chosen {
    sensors: Vec<Described>,
    /// Which names fit none.
    missing: Option<Failure>,
    /// Why there is no sensor at all.
    hint: Option<String>,
}

/// Those whose names fit one of `names`, or all where there are no names.
async fn chosen(line: &Line, names: &[String]) -> Result<Chosen, Failure> {
    let records = repository::read(line).await?;
    let count = records.len();
    let mut sensors = of_records(line, records);
    let hint = match sensors.is_empty() {
        true => sensor_hint::check_empty(line, count).await?,
        false => None,
    };
    let is_unknown = |name: &&String| !sensors.iter().any(|s| fits(name, &s.name));
    let unknown: Vec<_> = names.iter().filter(is_unknown).collect();
    let list: Vec<_> = unknown.iter().map(|name| format!("'{name}'")).collect();
    let missing = (!unknown.is_empty()).then(|| Failure::Unfit {
        kind: "no_such_sensor",
        cause: format!("there is no sensor {}", list.join(", ")),
        remedy: "'sensor' without names lists all; '*' stands for any characters".to_owned(),
    });
    match missing {
        Some(failure) if unknown.len() == names.len() => Err(failure),
        missing => {
            sensors.retain(|s| names.is_empty() || names.iter().any(|name| fits(name, &s.name)));
            Ok(Chosen {
                sensors,
                missing,
                hint,
            })
        }
    }
}

/// Reads the fans' sensors that have a value.
pub(super) async fn fans(line: Line, reader: Reader) -> Outcome {
    let mut sensors = all(&line).await?;
    sensors.retain(|s| s.sensor.sensor_type == SensorType::FAN && s.is_numeric());
    report(&line, "fans", &sensors, reader).await
}

/// Reads these, one after the other.
async fn report(line: &Line, key: &str, sensors: &[Described], reader: Reader) -> Outcome {
    let group = group::find(line, types(sensors)).await?;
    let mut read = Vec::new();
    for sensor in sensors {
        read.push(sensor.read(line, group, Wanted::All).await?);
    }
    let hint = sensor_hint::find(line, sensors, &read).await?;
    let report = match reader {
        Reader::Person => Report::of(read.iter().map(Read::line).collect(), Value::Null),
        Reader::Script => {
            let values: Vec<_> = read.iter().map(Read::json).collect();
            Report::of(Vec::new(), json!({ key: values }))
        }
    };
    Ok(report.hinting(hint))
}

/// Adds the sensors of a record; none for records of other things, and for sensors that only send events.
fn describe(record: SdrRecord, sensors: &mut Vec<Described>) {
    match record.body {
        SdrBody::FullSensor(full) => sensors.push(Described {
            name: full.id.text(),
            sensor: full.sensor,
            full: Some(Box::new(full)),
        }),
        SdrBody::CompactSensor(compact) => {
            sensors.extend(compact.expand().map(|single| Described {
                name: single.id.text(),
                sensor: single.sensor,
                full: None,
            }));
        }
        _ => {}
    }
}

/// How much is read of a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Its reading.
    Reading,
    /// Its thresholds, too, as they are set now.
    All,
}

impl Described {
    /// Reads it.
    pub(super) async fn read(
        &self,
        line: &Line,
        group: SensorGroup,
        wanted: Wanted,
    ) -> Result<Read, CallError> {
        if !self.is_of_bmc() {
            return Ok(self.unread(Absence::OtherOwner));
        }
        let key = self.sensor.key;
        let command = GetSensorReading {
            sensor_number: key.sensor_number,
        };
        let reading = match line.call_on_lun(key.lun().get(), &command).await {
            // A sensor that is described but absent is no failure of the machine.
            Err(CallError {
                fault: CallFault::Refused(_),
                ..
            }) => return self.absent(line, Absence::Refused, wanted).await,
            reading => reading?,
        };
        let scanned = reading.flags.contains(ReadingFlags::SCANNING)
            || line.quirks().has(Quirk::ScanningFlagWrong);
        let absence = match reading.raw {
            _ if reading.is_unavailable() => Some(Absence::Unavailable),
            raw => (!scanned).then_some(Absence::NotScanned(raw)),
        };
        if let Some(absence) = absence {
            return self.absent(line, absence, wanted).await;
        }
        let Some(full) = self.full.as_ref().filter(|_| self.is_numeric()) else {
            return Ok(self.states(&reading, group));
        };
        let value = value(line, full, reading.raw).await?;
        let compares = self.sensor.event_reading_type.is_threshold();
        let status = if compares {
            status(reading.thresholds())
        } else {
            "ok"
        };
        Ok(Read {
            value,
            status: status.to_owned(),
            thresholds: match wanted {
                Wanted::Reading => [None; 6],
                Wanted::All => thresholds(line, full).await?,
            },
            ..self.nothing()
        })
    }

    /// How far a reading must come back over a threshold before that counts as left, upwards and downwards: name, key and
    /// value of each. `None` where the sensor has none that the BMC tells.
    async fn hysteresis(
        &self,
        line: &Line,
    ) -> Result<Option<[(&'static str, &'static str, Option<f64>); 2]>, CallError> {
        let access = self.sensor.capabilities.hysteresis();
        let Some(full) = self
            .full
            .as_ref()
            .filter(|_| self.sensor.is_analog() && self.is_of_bmc() && access != Access::None)
        else {
            return Ok(None);
        };
        let key = self.sensor.key;
        let command = GetSensorHysteresis {
            sensor_number: key.sensor_number,
        };
        let counts = match line.call_on_lun(key.lun().get(), &command).await {
            Ok(counts) => (counts.positive, counts.negative),
            // Fixed ones are only in the record (§43.1, table 43-1, bytes 43-44).
            Err(error) if error.completion().is_some() => {
                (full.positive_hysteresis, full.negative_hysteresis)
            }
            Err(error) => return Err(error),
        };
        let span = |counts| full.conversion()?.span(counts).map(rounded);
        Ok(Some([
            ("Positive Hysteresis", "positive_hysteresis", span(counts.0)),
            ("Negative Hysteresis", "negative_hysteresis", span(counts.1)),
        ]))
    }

    /// What its type is called.
    pub(super) fn type_name(&self, group: SensorGroup) -> String {
        let found = self.sensor.sensor_type;
        let name = group.sensor_type_name(found);
        name.map_or_else(|| format!("OEM type {:02X}h", found.0), str::to_owned)
    }

    /// What it belongs to, as ipmitool writes it: kind and instance.
    pub(super) fn entity(&self) -> String {
        let entity = self.sensor.entity;
        format!("{}.{}", entity.id.0, entity.instance())
    }

    /// All that is known of it, line by line.
    fn sheet(&self, read: &Read, group: SensorGroup) -> Vec<String> {
        let number = self.sensor.key.sensor_number;
        let mut lines = Vec::new();
        let mut put = |name: &str, text: String| lines.push(pair(name, WIDTH, text));
        put("Sensor ID", format!("{} (0x{number:x})", self.name));
        put("Entity ID", self.entity());
        put("Sensor Type", self.type_name(group));
        match (&read.unit, read.states) {
            (Some(unit), _) => {
                let text = read.value.map(|value| format!("{value} {unit}"));
                put(
                    "Sensor Reading",
                    text.unwrap_or_else(|| "No Reading".to_owned()),
                );
                put("Status", read.status.clone());
                for ((_, name), value) in NAMES.into_iter().zip(read.thresholds) {
                    put(
                        name,
                        value.map_or_else(|| "na".to_owned(), |value| value.to_string()),
                    );
                }
            }
            (None, Some(states)) => {
                put("States Asserted", format!("{states:#06x}"));
                put("States", read.status.clone());
            }
            (None, None) => put("Sensor Reading", "No Reading".to_owned()),
        }
        lines
    }

    /// Whether the BMC itself owns it; another sits behind a controller that only bridging reaches, where the same
    /// number is another sensor's.
    pub(super) fn is_of_bmc(&self) -> bool {
        let key = self.sensor.key;
        key.owner() == BMC && key.channel().0 == 0
    }

    pub(super) fn is_numeric(&self) -> bool {
        self.full.is_some() && self.sensor.units.format() != AnalogFormat::None
    }

    /// Without a reading, for this reason; its thresholds hold all the same.
    async fn absent(
        &self,
        line: &Line,
        absence: Absence,
        wanted: Wanted,
    ) -> Result<Read, CallError> {
        let asked = self.full.as_ref().filter(|_| self.is_numeric());
        let thresholds = match (asked, wanted) {
            (Some(full), Wanted::All) => thresholds(line, full).await?,
            _ => [None; 6],
        };
        Ok(Read {
            thresholds,
            ..self.unread(absence)
        })
    }

    /// The same where nothing more is asked.
    fn unread(&self, absence: Absence) -> Read {
        Read {
            absence: Some(absence),
            ..self.nothing()
        }
    }

    /// Before anything is read.
    fn nothing(&self) -> Read {
        Read {
            name: self.name.clone(),
            value: None,
            unit: self.is_numeric().then(|| self.sensor.units.to_string()),
            status: "na".to_owned(),
            states: None,
            state_names: Vec::new(),
            absence: None,
            thresholds: [None; 6],
        }
    }

    fn states(&self, reading: &SensorReading, group: SensorGroup) -> Read {
        let kind = self.sensor.event_reading_type;
        let is_set = |offset: &u8| reading.states >> offset & 1 == 1;
        let name = |offset| State::of(group, kind, self.sensor.sensor_type, offset)?.name();
        let names: Vec<_> = if kind.is_threshold() {
            reading.thresholds().names().collect()
        } else {
            (0..15).filter(is_set).filter_map(name).collect()
        };
        Read {
            status: if names.is_empty() {
                "-".to_owned()
            } else {
                names.join(", ")
            },
            states: Some(reading.states),
            state_names: names,
            ..self.nothing()
        }
    }
}

/// A raw byte in the sensor's unit; of a non-linear sensor with the factors that hold there (§35.5).
async fn value(line: &Line, full: &FullSensor, raw: u8) -> Result<Option<f64>, CallError> {
    let conversion = match full.conversion() {
        None if full.linearization.is_non_linear() => factors(line, full, raw).await?,
        conversion => conversion,
    };
    let value = conversion.map(|conversion| conversion.value(raw));
    Ok(value.filter(|value| value.is_finite()).map(rounded))
}

/// How many significant decimal digits a value keeps.
const DIGITS: i32 = 12;

/// Without the last bits, which binary fractions add to decimal factors: 13.2, not 13.200000000000001.
pub(super) fn rounded(value: f64) -> f64 {
    if value == 0.0 {
        return value;
    }
    // Exact where the power of ten is: then the quotient of two exact numbers is the double nearest to the decimal.
    let digits = DIGITS - 1 - value.abs().log10().floor() as i32;
    if !(0..=EXACT_POWER_OF_TEN).contains(&digits) {
        return value;
    }
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

/// The largest power of ten that a double holds exactly.
const EXACT_POWER_OF_TEN: i32 = 22;

async fn factors(line: &Line, full: &FullSensor, raw: u8) -> Result<Option<Conversion>, CallError> {
    let key = full.sensor.key;
    let command = GetSensorReadingFactors {
        sensor_number: key.sensor_number,
        raw,
    };
    match line.call_on_lun(key.lun().get(), &command).await {
        Ok(answer) => Ok(Some(Conversion::at_reading(
            full.sensor.units.format(),
            &answer.factors,
        ))),
        Err(CallError {
            fault: CallFault::Refused(_),
            ..
        }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The thresholds as the BMC has them now; as the record has them where the BMC does not tell.
async fn thresholds(line: &Line, full: &FullSensor) -> Result<[Option<f64>; 6], CallError> {
    let access = full.sensor.capabilities.thresholds();
    if access == Access::None {
        return Ok([None; 6]);
    }
    let key = full.sensor.key;
    let mut asked = None;
    if access != Access::Fixed {
        let command = GetSensorThresholds {
            sensor_number: key.sensor_number,
        };
        match line.call_on_lun(key.lun().get(), &command).await {
            Ok(thresholds) => asked = Some(thresholds),
            Err(CallError {
                fault: CallFault::Refused(_),
                ..
            }) => {}
            Err(error) => return Err(error),
        }
    }
    let mut values = [None; 6];
    for ((threshold, _), place) in COLUMNS.into_iter().zip(&mut values) {
        let raw = match &asked {
            Some(asked) => asked.get(threshold),
            None => full.threshold(threshold),
        };
        if let Some(raw) = raw {
            *place = value(line, full, raw).await?;
        }
    }
    Ok(values)
}

/// The worst threshold that is crossed, as ipmitool calls it.
fn status(crossed: ThresholdSet) -> &'static str {
    let any = |a: Threshold, b: Threshold| crossed.has(a) || crossed.has(b);
    if any(
        Threshold::LowerNonRecoverable,
        Threshold::UpperNonRecoverable,
    ) {
        "nr"
    } else if any(Threshold::LowerCritical, Threshold::UpperCritical) {
        "cr"
    } else if any(Threshold::LowerNonCritical, Threshold::UpperNonCritical) {
        "nc"
    } else {
        "ok"
    }
}

impl Read {
    /// Columns as ipmitool's `sensor` has them, but a discrete sensor's states by their names.
    fn line(&self) -> String {
        let mut line = String::with_capacity(LINE_LEN);
        column::text(&mut line, &cell(&self.name), 16);
        line.push_str(" | ");
        match self.states {
            Some(states) => column::text(&mut line, &format!("0x{states:x}"), COLUMN),
            None => column::number(&mut line, self.value, COLUMN),
        }
        line.push_str(" | ");
        column::text(
            &mut line,
            &cell(self.unit.as_deref().unwrap_or("discrete")),
            COLUMN,
        );
        line.push_str(" | ");
        column::text(&mut line, &cell(&self.status), 5);
        line.push(' ');
        for threshold in self.thresholds {
            line.push_str("| ");
            column::number(&mut line, threshold, COLUMN);
        }
        line.truncate(line.trim_end().len());
        line
    }

    pub(super) fn json(&self) -> Value {
        let thresholds: Map<_, _> = COLUMNS
            .into_iter()
            .zip(self.thresholds)
            .filter_map(|((_, name), value)| Some((name.to_owned(), value?.into())))
            .collect();
        let mut value = json!({ "name": self.name, "status": self.status });
        if let Some(unit) = &self.unit {
            value["value"] = self.value.into();
            value["unit"] = unit.as_str().into();
            value["thresholds"] = thresholds.into();
        } else {
            value["states"] = self.states.into();
            value["state_names"] = self.state_names.clone().into();
        }
        value
    }
}

#[cfg(test)]
mod tests;
