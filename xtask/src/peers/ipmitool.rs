//! ipmitool: how to call it and how to read what it prints.

use std::collections::BTreeMap;
use std::time::Duration;

use super::sensor::{Sensor, ucum};
use super::target::Target;
use crate::Result;
use crate::process::{Finished, command, run};

/// How long one call may take: a whole SDR repository fits many times.
const LIMIT: Duration = Duration::from_secs(60);

/// Calls ipmitool over RMCP+ with a cipher suite.
///
/// # Errors
/// Only where it can't be started.
pub(crate) fn call(target: &Target, suite: u8, arguments: &[&str]) -> Result<Finished> {
    let mut tool = command("ipmitool");
    tool.args([
        "-I",
        "lanplus",
        "-H",
        &target.address,
        "-p",
        &target.port.to_string(),
    ]);
    tool.args(["-C", &suite.to_string(), "-U", &target.username]);
    // Through the environment: a command line shows in the process list.
    tool.arg("-E")
        .env("IPMITOOL_PASSWORD", &target.password)
        .args(arguments);
    run(tool, LIMIT)
}

/// The sensors as `ipmitool sensor` lists them, by sensor number of `sdr elist`.
///
/// # Errors
/// Where ipmitool fails or prints what we can't read.
pub(crate) fn sensors(target: &Target, suite: u8) -> Result<BTreeMap<u8, Sensor>> {
    let table = call(target, suite, &["sensor"])?.expect_success()?;
    let list = call(target, suite, &["sdr", "elist"])?.expect_success()?;
    let sensors = parse_sensor_table(&table)?;
    let numbered = parse_elist(&list)?;
    if sensors.len() != numbered.len() {
        return Err(format!(
            "`sensor` has {} lines, `sdr elist` {}",
            sensors.len(),
            numbered.len()
        )
        .into());
    }
    // Both list the records in the order of the repository; only one of them has the number.
    let join = |(mut sensor, (number, name, text)): (Sensor, (u8, String, String))| {
        if sensor.name != name {
            return Err(format!(
                "`sensor` has {:?} where `sdr elist` has {name:?}",
                sensor.name
            )
            .into());
        }
        if sensor.value.is_none() && text != "No Reading" {
            let states = text
                .split(", ")
                .filter(|state| !state.is_empty())
                .map(str::to_owned);
            sensor.states = Some(states.collect());
        }
        Ok((number, sensor))
    };
    sensors.into_iter().zip(numbered).map(join).collect()
}

/// `name | value | unit | state | lnr | lc | lnc | unc | uc | unr`.
fn parse_sensor_table(text: &str) -> Result<Vec<Sensor>> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(parse_sensor_line)
        .collect()
}

fn parse_sensor_line(line: &str) -> Result<Sensor> {
    let columns: Vec<&str> = line.split('|').map(str::trim).collect();
    let [name, value, unit, _state, thresholds @ ..] = columns.as_slice() else {
        return Err(format!("not a line of `ipmitool sensor`: {line}").into());
    };
    let thresholds: [&str; 6] = thresholds
        .try_into()
        .map_err(|_| format!("not six thresholds in: {line}"))?;
    let discrete = *unit == "discrete";
    Ok(Sensor {
        name: (*name).to_owned(),
        value: if discrete { None } else { value.parse().ok() },
        unit: ucum(unit),
        thresholds: thresholds.map(|text| text.parse().ok()),
        states: None,
    })
}

/// `name | 01h | ok | 7.1 | text`: number, name and text of each line.
fn parse_elist(text: &str) -> Result<Vec<(u8, String, String)>> {
    let line = |line: &str| {
        let columns: Vec<&str> = line.splitn(5, '|').map(str::trim).collect();
        let [name, number, _state, _entity, text] = columns.as_slice() else {
            return Err(format!("not a line of `ipmitool sdr elist`: {line}").into());
        };
        let number = u8::from_str_radix(number.trim_end_matches('h'), 16)
            .map_err(|error| format!("{error} in: {line}"))?;
        Ok((number, (*name).to_owned(), (*text).to_owned()))
    };
    text.lines()
        .filter(|text| !text.trim().is_empty())
        .map(line)
        .collect()
}

/// One entry of `ipmitool -c sel elist`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// Record ID.
    pub(crate) id: u16,
    /// `MM/DD/YYYY HH:MM:SS`, or how it writes time before the clock was set.
    pub(crate) time: String,
    /// `Temperature CPU1 Temp`.
    pub(crate) sensor: String,
    /// `Upper Critical going high`.
    pub(crate) text: String,
    /// `Asserted` or `Deasserted`.
    pub(crate) direction: String,
}

/// The event log.
///
/// # Errors
/// Where ipmitool fails or prints what we can't read.
pub(crate) fn events(target: &Target, suite: u8) -> Result<Vec<Event>> {
    let text = call(target, suite, &["-c", "sel", "elist"])?.expect_success()?;
    parse_events(&text)
}

fn parse_events(text: &str) -> Result<Vec<Event>> {
    let line = |line: &str| {
        let columns: Vec<&str> = line.split(',').map(str::trim).collect();
        let [id, date, time, sensor, text, direction, ..] = columns.as_slice() else {
            return Err(format!("not a line of `ipmitool -c sel elist`: {line}").into());
        };
        Ok(Event {
            id: u16::from_str_radix(id, 16).map_err(|error| format!("{error} in: {line}"))?,
            time: format!("{date} {time}"),
            sensor: (*sensor).to_owned(),
            text: (*text).to_owned(),
            direction: (*direction).to_owned(),
        })
    };
    text.lines()
        .filter(|text| !text.trim().is_empty())
        .map(line)
        .collect()
}

/// The fields of each FRU device as `ipmitool fru print` shows them, by device ID.
///
/// # Errors
/// Where ipmitool fails.
pub(crate) fn fru(target: &Target, suite: u8) -> Result<BTreeMap<u8, Vec<(String, String)>>> {
    let finished = call(target, suite, &["fru", "print"])?;
    // ipmitool ends with 1 where any locator leads nowhere; what it printed still counts.
    if finished.stdout.trim().is_empty() {
        Err(finished.describe().into())
    } else {
        Ok(parse_fru(&finished.stdout))
    }
}

fn parse_fru(text: &str) -> BTreeMap<u8, Vec<(String, String)>> {
    let mut devices = BTreeMap::new();
    let mut current = 0;
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let (name, value) = (name.trim(), value.trim());
        if name == "FRU Device Description" {
            let id = value
                .rsplit_once("(ID ")
                .and_then(|(_, id)| id.trim_end_matches(')').parse().ok());
            current = id.unwrap_or(0);
            devices.entry(current).or_insert_with(Vec::new);
        } else {
            devices
                .entry(current)
                .or_insert_with(Vec::new)
                .push((name.to_owned(), value.to_owned()));
        }
    }
    devices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_and_a_discrete_line_are_read() {
        let text = "\
12V rail         | 11.977     | Volts      | ok    | na        | 10.384    | 10.797    | 12.685    | 13.216    | na        
Absent Temp      | na         |            | na    | na        | na        | na        | na        | na        | na        
PSU2 Status      | 0xb        | discrete   | 0x0b00| na        | na        | na        | na        | na        | na        
Lin x^2          | 361.000    | Watts      | ok    | na        | na        | 49.000    | 125000.000| 4356.000  | na        
";
        let sensors = parse_sensor_table(text).unwrap();
        assert_eq!(sensors[0].unit, "V");
        assert_eq!(
            sensors[0].thresholds,
            [
                None,
                Some(10.384),
                Some(10.797),
                Some(12.685),
                Some(13.216),
                None
            ]
        );
        assert_eq!(sensors[1].value, None);
        assert_eq!((sensors[2].value, sensors[2].unit.as_str()), (None, ""));
        assert_eq!(sensors[3].thresholds[3], Some(125_000.0));
    }

    #[test]
    fn an_elist_line_has_number_and_states() {
        let text = "PSU2 Status      | 29h | ok  |  7.1 | Presence detected, Failure detected\n";
        let expected = (
            0x29,
            "PSU2 Status".to_owned(),
            "Presence detected, Failure detected".to_owned(),
        );
        assert_eq!(parse_elist(text).unwrap(), [expected]);
    }

    #[test]
    fn an_event_is_read() {
        let text =
            "a,06/01/2026,12:00:01,Physical Security Lid,General Chassis intrusion,Asserted\n";
        let events = parse_events(text).unwrap();
        assert_eq!(events[0].id, 10);
        assert_eq!(events[0].time, "06/01/2026 12:00:01");
        assert_eq!(events[0].text, "General Chassis intrusion");
    }

    #[test]
    fn fru_fields_belong_to_their_device() {
        let text = "FRU Device Description : Builtin FRU Device (ID 0)\n Board Mfg             : Acme\n \
                    Board Mfg Date        : Sat Jan  9 01:36:00 2021 UTC\n\n\
                    FRU Device Description : Psu1 FRU (ID 1)\n Product Name          : PSU 1600\n";
        let devices = parse_fru(text);
        assert_eq!(devices[&0][1].1, "Sat Jan  9 01:36:00 2021 UTC");
        assert_eq!(
            devices[&1],
            [("Product Name".to_owned(), "PSU 1600".to_owned())]
        );
    }
}
