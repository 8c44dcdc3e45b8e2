//! `sensor thresh`: Set Sensor Thresholds, and what the BMC keeps of it (§35.8, §35.9).

use std::rc::Rc;

use ipmi::command::sensor::{GetSensorThresholds, SensorThresholds, SetSensorThresholds};
use ipmi::number::{CompletionCode, Threshold};
use ipmi::record::Conversion;
use ipmi::record::sdr::{Access, Owner};
use serde_json::{Map, Value, json};

use super::sensor::{COLUMNS, Described, all, rounded};
use crate::error::ProgramError;
use crate::ipmi::args::Limit;
use crate::ipmi::failure::Failure;
use crate::ipmi::report::Report;
use crate::ipmi::talk::{CallError, Line, Outcome};
use crate::pattern::fits;

/// How many sensors an error names.
const NAMED_MAX: usize = 8;

/// Thresholds to be set, each with its value.
pub(super) type Wanted = Rc<[(Threshold, f64)]>;

/// The values as those of the thresholds that are named.
///
/// # Errors
/// There are more or fewer of them.
pub(super) fn wanted(limit: Limit, values: &[f64]) -> Result<Wanted, ProgramError> {
    let thresholds = limit.thresholds();
    if thresholds.len() == values.len() {
        return Ok(thresholds
            .iter()
            .copied()
            .zip(values.iter().copied())
            .collect());
    }
    let names: Vec<_> = thresholds.iter().map(|one| one.name()).collect();
    let (count, given) = (thresholds.len(), values.len());
    let text = format!(
        "sensor thresh: {count} values are needed, not {given}: {}",
        names.join(", ")
    );
    Err(ProgramError::Usage(text))
}

/// Sets thresholds of one sensor, and reads them back. That needs no reading: it works while the host is off.
pub(super) async fn run(line: Line, name: Rc<str>, wanted: Wanted) -> Outcome {
    let sensor = the_sensor(&name, all(&line).await?)?;
    let conversion = conversion(&sensor)?;
    let key = sensor.sensor.key;
    let mut thresholds = SensorThresholds::default();
    for (threshold, value) in wanted.iter() {
        thresholds.set(*threshold, raw(&sensor, &conversion, *value)?);
    }
    let command = SetSensorThresholds {
        sensor_number: key.sensor_number,
        thresholds,
    };
    if let Err(error) = line.call_on_lun(key.lun().get(), &command).await {
        return Err(refused(&line, &sensor, &conversion, &thresholds, error).await);
    }
    let question = GetSensorThresholds {
        sensor_number: key.sensor_number,
    };
    let kept = line.call_on_lun(key.lun().get(), &question).await?;
    let mut lines = Vec::new();
    for (threshold, _) in wanted.iter() {
        let now = kept
            .get(*threshold)
            .map_or_else(|| "none".to_owned(), |raw| number(&conversion, raw));
        // What counts is what the BMC says now, byte by byte: a reading would hide a rounding.
        if kept.get(*threshold) != thresholds.get(*threshold) {
            return Err(Failure::Unfit {
                kind: "not_kept",
                cause: format!(
                    "the BMC took the command, but now says: {} {threshold:?} {now}",
                    sensor.name
                ),
                remedy:
                    "ask for what it supports: some keep an order among thresholds, or fix them"
                        .to_owned(),
            });
        }
        lines.push(format!("{}: {threshold:?} is now {now}", sensor.name));
    }
    Ok(Report::of(lines, json_of(&sensor, &conversion, &kept)))
}

/// Why the BMC may have refused these thresholds: as far as its record of the sensor, and the thresholds that it has, tell.
async fn refused(
    line: &Line,
    sensor: &Described,
    conversion: &Conversion,
    wanted: &SensorThresholds,
    error: CallError,
) -> Failure {
    let is_about_values = matches!(
        error.completion(),
        Some(
            CompletionCode::INVALID_DATA_FIELD
                | CompletionCode::PARAMETER_OUT_OF_RANGE
                | CompletionCode::ILLEGAL_FOR_TYPE
        )
    );
    if !is_about_values {
        return error.into();
    }
    let key = sensor.sensor.key;
    let question = GetSensorThresholds {
        sensor_number: key.sensor_number,
    };
    let present = line.call_on_lun(key.lun().get(), &question).await.ok();
    let likely = likely(sensor, conversion, wanted, present.as_ref());
    let remedy = if likely.is_empty() {
        "its record lets the threshold be set, and the values are in order: see the BMC's manual for other limits"
            .to_owned()
    } else {
        format!("likely because {}", likely.join("; and "))
    };
    Failure::Explained { error, remedy }
}

/// What speaks against these thresholds.
fn likely(
    sensor: &Described,
    conversion: &Conversion,
    wanted: &SensorThresholds,
    present: Option<&SensorThresholds>,
) -> Vec<String> {
    let mut likely = Vec::new();
    let name = &sensor.name;
    match sensor.sensor.capabilities.thresholds() {
        Access::Fixed => likely.push(format!("the thresholds of '{name}' are fixed")),
        Access::Readable => likely.push(format!("the thresholds of '{name}' can only be read")),
        Access::None => likely.push(format!("'{name}' has no thresholds")),
        Access::Settable => {}
    }
    let is_wanted = |(threshold, _): &(Threshold, &str)| wanted.get(*threshold).is_some();
    let settable = sensor.sensor.settable_thresholds();
    for (threshold, _) in COLUMNS.into_iter().filter(is_wanted) {
        if !settable.has(threshold) {
            let threshold = threshold.name();
            likely.push(format!(
                "{threshold} is not among those that its record lets be set"
            ));
        } else if present.is_some_and(|present| present.get(threshold).is_none()) {
            let threshold = threshold.name();
            likely.push(format!("the BMC has no {threshold} threshold for it"));
        }
    }
    let held = |threshold| {
        let raw = wanted.get(threshold).or_else(|| present?.get(threshold))?;
        Some((threshold, rounded(conversion.value(raw))))
    };
    let held: Vec<_> = COLUMNS.into_iter().filter_map(|(t, _)| held(t)).collect();
    for pair in held.windows(2) {
        if let [(below, low), (above, high)] = pair
            && low > high
        {
            let (below, above) = (below.name(), above.name());
            likely.push(format!(
                "{below} would be {low}, above {above} with {high}: set those that are in the way first, or three at \
                 once with 'lower' or 'upper'"
            ));
        }
    }
    likely
}

/// The one sensor of this name.
fn the_sensor(name: &str, sensors: Vec<Described>) -> Result<Described, Failure> {
    let mut named: Vec<_> = sensors
        .into_iter()
        .filter(|sensor| fits(name, &sensor.name))
        .collect();
    // A discrete sensor of the same name is not meant: it has no thresholds.
    if named.iter().any(has_limits) {
        named.retain(has_limits);
    }
    if named.len() > 1 {
        let mut list: Vec<_> = named.iter().take(NAMED_MAX).map(title).collect();
        if named.len() > NAMED_MAX {
            list.push(format!("and {} more", named.len() - NAMED_MAX));
        }
        return Err(Failure::Unfit {
            kind: "several_sensors",
            cause: format!("'{name}' names several sensors: {}", list.join(", ")),
            remedy: "name one; of sensors with one name, 'raw' reaches each by its number"
                .to_owned(),
        });
    }
    let sensor = named.pop().ok_or_else(|| Failure::Unfit {
        kind: "no_such_sensor",
        cause: format!("there is no sensor '{name}'"),
        remedy: "'sensor' lists all with their thresholds".to_owned(),
    })?;
    if sensor.is_of_bmc() {
        return Ok(sensor);
    }
    let (cause, remedy) = match sensor.sensor.key.owner() {
        Owner::Ipmb(address) => (
            format!(
                "'{name}' belongs to the controller {:#04x} on channel {}, not to the BMC",
                address.get(),
                sensor.sensor.key.channel().0
            ),
            "ask that controller: 'raw' with --target and --target-channel",
        ),
        Owner::Software(_) => (
            format!("'{name}' belongs to software of the host, not to the BMC"),
            "set it there",
        ),
    };
    Err(Failure::Unfit {
        kind: "other_owner",
        cause,
        remedy: remedy.to_owned(),
    })
}

/// Whether it has a value to compare with thresholds.
fn has_limits(sensor: &Described) -> bool {
    sensor.full.is_some() && sensor.sensor.is_analog()
}

/// What tells a sensor from others of its name.
fn title(sensor: &Described) -> String {
    let key = sensor.sensor.key;
    format!(
        "{} (number {} of {:#04x})",
        sensor.name, key.sensor_number, key.owner_id
    )
}

/// How values become the sensor's raw bytes.
fn conversion(sensor: &Described) -> Result<Conversion, Failure> {
    let unfit = |cause: String, remedy: &str| Failure::Unfit {
        kind: "no_threshold",
        cause,
        remedy: remedy.to_owned(),
    };
    let full = sensor.full.as_ref().filter(|_| has_limits(sensor));
    let full = full.ok_or_else(|| {
        let cause = format!("'{}' has no value and no limits", sensor.name);
        unfit(cause, "'sensor' lists all with their thresholds")
    })?;
    full.conversion().ok_or_else(|| {
        let cause = format!("'{}' has no one formula for all its values", sensor.name);
        unfit(cause, "'raw' sends the byte that its manual tells")
    })
}

/// The raw byte of a value, which must be within those that the sensor has bytes for.
fn raw(sensor: &Described, conversion: &Conversion, value: f64) -> Result<u8, Failure> {
    let values = (0..=u8::MAX).map(|raw| rounded(conversion.value(raw)));
    let (least, most) = values.filter(|value| value.is_finite()).fold(
        (f64::INFINITY, f64::NEG_INFINITY),
        |(least, most), value| (least.min(value), most.max(value)),
    );
    if (least..=most).contains(&value) {
        return Ok(conversion.raw(value));
    }
    Err(Failure::Unfit {
        kind: "out_of_range",
        cause: format!(
            "'{}' can hold {least} to {most} {}, not {value}",
            sensor.name, sensor.sensor.units
        ),
        remedy: "give a value within that range".to_owned(),
    })
}

fn number(conversion: &Conversion, raw: u8) -> String {
    format!("{:.3}", conversion.value(raw))
}

/// The thresholds as the BMC has them now.
fn json_of(sensor: &Described, conversion: &Conversion, kept: &SensorThresholds) -> Value {
    let thresholds: Map<_, _> = COLUMNS
        .into_iter()
        .filter_map(|(threshold, name)| {
            let value = rounded(conversion.value(kept.get(threshold)?));
            Some((name.to_owned(), value.into()))
        })
        .collect();
    json!({
        "name": sensor.name,
        "unit": sensor.sensor.units.to_string(),
        "thresholds": thresholds,
    })
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;
    use ipmi::command::app::{GetDeviceGuid, GetDeviceId};
    use ipmi::command::storage::{GetSdr, GetSdrRepositoryInfo};
    use ipmi::number::{CompletionCode, EventReadingType, NetFn, SensorType, SensorUnit};
    use ipmi::record::sdr::{
        FullSensor, IdString, SdrBody, SdrRecord, Sensor, SensorCapabilities, SensorKey, Units,
    };
    use ipmi::record::{AnalogFormat, Factors, RecordId};

    use super::*;
    use crate::ipmi::talk::{Call, Talk, play};

    /// A BMC with these sensors, whose host is off.
    struct Bmc {
        sensors: Vec<FullSensor>,
        /// What it makes of a raw threshold.
        keeps: fn(u8) -> u8,
        /// Number and upper critical threshold of what was set.
        set: Vec<(u8, u8)>,
    }

    /// A fan that counts in hundreds.
    fn fan(name: &str, key: SensorKey) -> FullSensor {
        FullSensor {
            sensor: Sensor {
                key,
                sensor_type: SensorType::FAN,
                event_reading_type: EventReadingType::THRESHOLD,
                // Thresholds readable and settable (§43.1, table 43-1, byte 12).
                capabilities: SensorCapabilities(0x08),
                reading_mask: 0x3f3f,
                units: Units::new(AnalogFormat::Unsigned, SensorUnit(18)),
                ..Sensor::default()
            },
            factors: Factors {
                m: 100,
                ..Factors::default()
            },
            id: IdString::new(name).unwrap(),
            ..FullSensor::default()
        }
    }

    fn other(number: u8, owner_id: u8, owner_lun: u8) -> SensorKey {
        SensorKey {
            owner_id,
            owner_lun,
            sensor_number: number,
        }
    }

    impl Bmc {
        fn new(sensors: Vec<FullSensor>) -> Self {
            Self {
                sensors,
                keeps: |raw| raw,
                set: Vec::new(),
            }
        }

        fn answer(&mut self, call: &Call) -> play::Reply {
            let ok = |data: Vec<u8>| Some((CompletionCode::OK, data));
            match (call.target.netfn, call.target.cmd) {
                (GetDeviceId::NETFN, GetDeviceId::CMD) => {
                    ok(vec![0x20, 1, 1, 0, 2, 0x02, 0, 0, 0, 0, 0])
                }
                (GetDeviceGuid::NETFN, GetDeviceGuid::CMD) => {
                    Some((CompletionCode::INVALID_COMMAND, vec![]))
                }
                (GetSdrRepositoryInfo::NETFN, GetSdrRepositoryInfo::CMD) => ok(vec![0x51; 14]),
                (GetSdr::NETFN, GetSdr::CMD) => {
                    let index = usize::from(call.data[2]);
                    let id = RecordId(index as u16);
                    let body = SdrBody::FullSensor(self.sensors[index]);
                    let last = index + 1 == self.sensors.len();
                    let next = if last { 0xffff } else { index as u16 + 1 };
                    let mut data = next.to_le_bytes().to_vec();
                    data.extend(SdrRecord::new(id, body).to_vec());
                    ok(data)
                }
                (SetSensorThresholds::NETFN, SetSensorThresholds::CMD) => {
                    // Upper critical: bit 4 of the mask, the fifth of the values.
                    assert_eq!(call.data[1], 1 << 4);
                    self.set.push((call.data[0], (self.keeps)(call.data[6])));
                    ok(vec![])
                }
                (GetSensorThresholds::NETFN, GetSensorThresholds::CMD) => {
                    let kept = self.set.last().unwrap();
                    assert_eq!(kept.0, call.data[0]);
                    ok(vec![1 << 4, 0, 0, 0, 0, kept.1, 0])
                }
                // Get Sensor Reading among them: there is none while the host is off.
                (NetFn::SENSOR_EVENT, _) => Some((CompletionCode::NOT_SUPPORTED_IN_STATE, vec![])),
                (netfn, cmd) => panic!("request {:02x}h/{cmd:02x}h", netfn.0),
            }
        }

        fn thresh(&mut self, name: &str, value: f64) -> Outcome {
            let name: Rc<str> = name.into();
            let wanted = wanted(Limit::Ucr, &[value]).unwrap();
            let talk = Talk::new(|line| run(line, name, wanted));
            play::run(talk, |call| self.answer(call))
        }
    }

    #[test]
    fn a_threshold_is_set_and_read_back_while_the_host_is_off() {
        let mut bmc = Bmc::new(vec![
            fan("Fan1", SensorKey::bmc(65)),
            fan("Fan2", SensorKey::bmc(66)),
        ]);
        let report = bmc.thresh("fan2", 9_000.0).unwrap();
        assert_eq!(bmc.set, [(66, 90)]);
        assert_eq!(report.lines, ["Fan2: UpperCritical is now 9000.000"]);
        assert_eq!(report.value["thresholds"]["upper_critical"], 9_000.0);
    }

    #[test]
    fn a_threshold_that_the_bmc_changed_is_a_failure() {
        let mut bmc = Bmc::new(vec![fan("Fan1", SensorKey::bmc(65))]);
        bmc.keeps = |raw| raw - 1;
        let failure = bmc.thresh("Fan1", 9_000.0).unwrap_err();
        assert_eq!(failure.kind(), "not_kept");
        assert!(failure.cause().contains("Fan1 UpperCritical 8900.000"));
    }

    #[test]
    fn a_sensor_of_another_controller_is_not_taken_for_the_bmcs_of_that_number() {
        // Of a satellite controller, of one on another channel, and of system software.
        for key in [
            other(65, 0x82, 0),
            other(65, 0x20, 0x10),
            other(65, 0x41, 0),
        ] {
            let mut bmc = Bmc::new(vec![fan("Fan", SensorKey::bmc(65)), fan("PSU Fan", key)]);
            let failure = bmc.thresh("PSU Fan", 9_000.0).unwrap_err();
            assert_eq!(failure.kind(), "other_owner", "{failure}");
            assert_eq!(bmc.set, []);
        }
    }

    #[test]
    fn a_name_that_several_sensors_have_sets_none() {
        let fans = |count: u8| (1..=count).map(|n| fan(&format!("Fan{n}"), SensorKey::bmc(n)));
        let mut bmc = Bmc::new(fans(2).collect());
        let failure = bmc.thresh("Fan*", 9_000.0).unwrap_err();
        assert_eq!(failure.kind(), "several_sensors");
        assert!(
            failure
                .cause()
                .ends_with(": Fan1 (number 1 of 0x20), Fan2 (number 2 of 0x20)"),
            "{failure}"
        );
        assert_eq!(bmc.set, []);
        let failure = Bmc::new(fans(11).collect())
            .thresh("Fan*", 1.0)
            .unwrap_err();
        assert!(failure.cause().ends_with(", and 3 more"), "{failure}");
    }

    #[test]
    fn what_speaks_against_a_threshold_is_found_in_the_record_and_among_the_others() {
        let mut full = fan("Fan1", SensorKey::bmc(65));
        // Only upper critical can be set.
        full.sensor.reading_mask = 0x103f;
        let conversion = full.conversion().unwrap();
        let mut sensor = Described {
            name: "Fan1".to_owned(),
            sensor: full.sensor,
            full: Some(Box::new(full)),
        };
        let of = |threshold, raw| {
            let mut thresholds = SensorThresholds::default();
            thresholds.set(threshold, raw);
            thresholds
        };
        let present = of(Threshold::UpperNonRecoverable, 100);
        let found = |sensor: &Described, wanted, present| {
            likely(sensor, &conversion, &wanted, Some(&present)).join("; ")
        };
        let wanted = of(Threshold::LowerCritical, 5);
        let told = found(&sensor, wanted, present);
        assert_eq!(
            told,
            "lower critical is not among those that its record lets be set"
        );
        let wanted = of(Threshold::UpperCritical, 120);
        let told = found(&sensor, wanted, present);
        assert!(told.contains("the BMC has no upper critical"), "{told}");
        let order = "upper critical would be 12000, above upper non-recoverable with 10000";
        assert!(told.contains(order), "{told}");
        let mut both = present;
        both.set(Threshold::UpperCritical, 90);
        assert_eq!(found(&sensor, of(Threshold::UpperCritical, 95), both), "");
        sensor.sensor.capabilities = SensorCapabilities(0x0c);
        let told = found(&sensor, of(Threshold::UpperCritical, 95), both);
        assert_eq!(told, "the thresholds of 'Fan1' are fixed");
    }

    #[test]
    fn sides_take_three_values_and_thresholds_one() {
        let upper = wanted(Limit::Upper, &[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(upper[1], (Threshold::UpperCritical, 2.0));
        let lower = wanted(Limit::Lower, &[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(lower[0], (Threshold::LowerNonRecoverable, 1.0));
        assert!(wanted(Limit::Ucr, &[1.0, 2.0]).is_err());
        let error = wanted(Limit::Lower, &[1.0]).unwrap_err().to_string();
        assert!(error.contains("3 values are needed, not 1"), "{error}");
    }

    #[test]
    fn a_value_that_no_byte_stands_for_is_not_sent() {
        let mut bmc = Bmc::new(vec![fan("Fan1", SensorKey::bmc(65))]);
        for value in [-1.0, 25_501.0, f64::INFINITY, f64::NAN] {
            let failure = bmc.thresh("Fan1", value).unwrap_err();
            assert_eq!(failure.kind(), "out_of_range", "{failure}");
            assert!(failure.cause().contains("0 to 25500"), "{failure}");
        }
        assert_eq!(bmc.set, []);
        bmc.thresh("Fan1", 25_500.0).unwrap();
        bmc.thresh("Fan1", 0.0).unwrap();
        assert_eq!(bmc.set, [(65, 255), (65, 0)]);
    }
}
