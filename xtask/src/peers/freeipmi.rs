//! FreeIPMI: how to call its tools and how to read what they print.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::sensor::{Sensor, ucum};
use super::target::Target;
use crate::Result;
use crate::process::{Finished, command, run};

/// How long one call may take.
const LIMIT: Duration = Duration::from_secs(60);

/// What ipmi_sim needs: it answers a maximum privilege of 0 in its Open Session Response. Our BMCs need nothing.
pub(crate) const IPMI_SIM_WORKAROUND: &[&str] = &["-W", "opensesspriv"];

/// Calls one of FreeIPMI's tools with a cipher suite.
///
/// `cache` is a folder for its SDR cache: the cache in the home folder outlives the BMC it describes.
///
/// # Errors
/// Only where it can't be started.
pub(crate) fn call(
    tool: &str,
    target: &Target,
    suite: u8,
    cache: &Path,
    arguments: &[&str],
) -> Result<Finished> {
    let mut call = command(tool);
    call.args([
        "-h",
        &format!("{}:{}", target.address, target.port),
        "-u",
        &target.username,
    ]);
    call.args([
        "-p",
        &target.password,
        "-D",
        "LAN_2_0",
        "-I",
        &suite.to_string(),
    ]);
    if [
        "ipmi-sensors",
        "ipmi-sel",
        "ipmi-fru",
        "ipmi-config",
        "bmc-device",
    ]
    .contains(&tool)
    {
        std::fs::create_dir_all(cache)?;
        call.arg("--sdr-cache-recreate")
            .arg("--quiet-cache")
            .arg("--sdr-cache-directory")
            .arg(cache);
    }
    run(
        {
            call.args(arguments);
            call
        },
        LIMIT,
    )
}

/// The sensors as `ipmi-sensors` lists them, in the order of the repository.
///
/// # Errors
/// Where it fails or prints what we can't read.
pub(crate) fn sensors(
    target: &Target,
    suite: u8,
    cache: &Path,
    more: &[&str],
) -> Result<Vec<Sensor>> {
    let mut arguments = vec![
        "--output-sensor-thresholds",
        "--no-header-output",
        "--comma-separated-output",
    ];
    arguments.extend(more);
    let text = call("ipmi-sensors", target, suite, cache, &arguments)?.expect_success()?;
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(parse_sensor_line)
        .collect()
}

/// `record,name,type,reading,unit,lnr,lc,lnc,unc,uc,unr,'state' 'state'`.
fn parse_sensor_line(line: &str) -> Result<Sensor> {
    let columns: Vec<&str> = line.splitn(12, ',').collect();
    let [_record, name, _kind, reading, unit, thresholds @ .., states] = columns.as_slice() else {
        return Err(format!("not a line of ipmi-sensors: {line}").into());
    };
    let thresholds: [&str; 6] = thresholds
        .try_into()
        .map_err(|_| format!("not six thresholds in: {line}"))?;
    let value = reading.parse().ok();
    let states = states
        .split('\'')
        .map(str::trim)
        .filter(|state| !state.is_empty() && *state != "N/A");
    Ok(Sensor {
        name: (*name).trim().to_owned(),
        value,
        unit: ucum(unit),
        thresholds: thresholds.map(|text| text.parse().ok()),
        states: value.is_none().then(|| states.map(str::to_owned).collect()),
    })
}

/// One entry of `ipmi-sel`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// Record ID.
    pub(crate) id: u16,
    /// `Jun-01-2026`, or a word before the clock was set.
    pub(crate) date: String,
    /// `12:00:01`.
    pub(crate) time: String,
    /// The sensor's name.
    pub(crate) sensor: String,
    /// Severity (`Critical`), where asked for.
    pub(crate) state: String,
    /// What happened.
    pub(crate) text: String,
}

/// The event log.
///
/// # Errors
/// Where ipmi-sel fails or prints what we can't read.
pub(crate) fn events(
    target: &Target,
    suite: u8,
    cache: &Path,
    more: &[&str],
) -> Result<Vec<Event>> {
    let mut arguments = vec![
        "--comma-separated-output",
        "--no-header-output",
        "--output-event-state",
    ];
    arguments.extend(more);
    let text = call("ipmi-sel", target, suite, cache, &arguments)?.expect_success()?;
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(parse_event_line)
        .collect()
}

/// `1,Jun-01-2026,12:00:01,CPU1 Temp,Temperature,Critical,Upper Critical - going high ; …`.
fn parse_event_line(line: &str) -> Result<Event> {
    let columns: Vec<&str> = line.splitn(7, ',').map(str::trim).collect();
    let [id, date, time, sensor, _kind, state, text] = columns.as_slice() else {
        return Err(format!("not a line of ipmi-sel: {line}").into());
    };
    Ok(Event {
        id: id.parse().map_err(|error| format!("{error} in: {line}"))?,
        date: (*date).to_owned(),
        time: (*time).to_owned(),
        sensor: (*sensor).to_owned(),
        state: (*state).to_owned(),
        text: (*text).to_owned(),
    })
}

/// The fields of each FRU device as `ipmi-fru` shows them (`FRU Board Manufacturer` = `Acme`), by device ID.
///
/// # Errors
/// Where ipmi-fru fails.
pub(crate) fn fru(
    target: &Target,
    suite: u8,
    cache: &Path,
    more: &[&str],
) -> Result<BTreeMap<u8, Vec<(String, String)>>> {
    let text = call("ipmi-fru", target, suite, cache, more)?.expect_success()?;
    Ok(parse_fru(&text))
}

fn parse_fru(text: &str) -> BTreeMap<u8, Vec<(String, String)>> {
    let mut devices = BTreeMap::new();
    let mut current = 0;
    for line in text.lines() {
        let Some((name, value)) = line.trim().split_once(": ") else {
            continue;
        };
        if name == "FRU Inventory Device" {
            let id = value
                .rsplit_once("(ID ")
                .map(|(_, id)| id.trim_end_matches("h)"));
            current = id
                .and_then(|id| u8::from_str_radix(id, 16).ok())
                .unwrap_or(0);
        } else {
            let fields: &mut Vec<(String, String)> = devices.entry(current).or_default();
            fields.push((name.to_owned(), value.trim().to_owned()));
        }
    }
    devices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_and_a_discrete_line_are_read() {
        let line = "4,12V rail,Voltage,11.98,V,N/A,10.38,10.80,12.69,13.22,N/A,'OK'";
        let sensor = parse_sensor_line(line).unwrap();
        assert_eq!((sensor.value, sensor.unit.as_str()), (Some(11.98), "V"));
        assert_eq!(
            sensor.thresholds,
            [
                None,
                Some(10.38),
                Some(10.8),
                Some(12.69),
                Some(13.22),
                None
            ]
        );
        let line =
            "26,Drive 0,Drive Slot,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,'Drive Presence' 'Drive Fault'";
        let states = parse_sensor_line(line).unwrap().states.unwrap();
        assert_eq!(states, ["Drive Presence", "Drive Fault"]);
    }

    #[test]
    fn an_event_is_read() {
        let line = "3,Jun-01-2026,12:00:02,PSU2 Status,Power Supply,Critical,Power Supply Failure detected";
        let event = parse_event_line(line).unwrap();
        assert_eq!(
            (event.id, event.sensor.as_str(), event.state.as_str()),
            (3, "PSU2 Status", "Critical")
        );
    }

    #[test]
    fn fru_fields_belong_to_their_device() {
        let text = "FRU Inventory Device: Default FRU Device (ID 00h)\n\n  FRU Board Manufacturer: Acme\n\n\
                    FRU Inventory Device: Psu1 FRU (ID 01h)\n\n  FRU Product Name: PSU 1600\n";
        let devices = parse_fru(text);
        assert_eq!(
            devices[&0],
            [("FRU Board Manufacturer".to_owned(), "Acme".to_owned())]
        );
        assert_eq!(devices[&1][0].1, "PSU 1600");
    }
}
