//! A BMC that others wrote, end to end: `reddrum serve` in front of ipmi_sim must show what ipmitool and FreeIPMI show.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::ipmi_sim::{self, IpmiSim};
use super::program::{self, eventually};
use super::redfish::Client;
use super::report::{Report, none_of, same};
use super::sensor::{self, Sensor, THRESHOLDS};
use super::target::Target;
use super::{freeipmi, ipmitool};
use crate::Result;
use crate::workspace::Workspace;

/// The suite that ipmi_sim has; it knows no SHA-256, so our default [17, 3] must fall back to it.
const SUITE: u8 = 3;
/// The name of the machine in Redfish.
const NAME: &str = "sim1";
pub(super) const USERNAME: &str = "root";
pub(super) const PASSWORD: &str = "a-password-for-the-check";
/// How long the first complete reading may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the checks.
///
/// # Errors
/// Where the simulator or our service doesn't start.
pub(crate) fn run(workspace: &Workspace, report: &mut Report) -> Result {
    let folder = workspace.target.join("peers/ipmi_sim");
    let sim = IpmiSim::start(workspace, &folder)?;
    let target = sim.target();
    ipmi_sim::fill_event_log(&target, SUITE)?;
    let config = write_config(&folder, &target, "listen = \"127.0.0.1:0\"")?;
    let served = program::serve(workspace, "ipmi_sim-serve", &config)?;
    let mut client = Client::new(&served.url);
    log_in(&mut client)?;
    let ours = eventually(PATIENCE, "complete reading", || complete_reading(&client))?;
    compare_sensors(&target, &ours, &folder, report)?;
    compare_events(&client, &target, &folder, report)?;
    compare_fru(&client, &target, &folder, report)?;
    report.check(
        "the power state is the same",
        compare_power(&client, &target),
    );
    report.check(
        "a power command goes through",
        switch_power(&client, &target),
    );
    report.check("Ctrl-C ends it", served.interrupt());
    report.check("its session is closed on the BMC", sessions_left(&target));
    Ok(())
}

/// The configuration a person would write, with the passwords in files that only their owner can read; `service` is what
/// its section of that name says.
pub(super) fn write_config(
    folder: &Path,
    target: &Target,
    service: &str,
) -> Result<std::path::PathBuf> {
    for (file, secret) in [
        ("bmc-password", &target.password),
        ("service-password", &PASSWORD.to_owned()),
    ] {
        let path = folder.join(file);
        fs::write(&path, format!("{secret}\n"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    }
    let text = format!(
        r#"[service]
{service}

[[account]]
username = "{USERNAME}"
role = "Administrator"
password_file = "service-password"

[credentials.default]
username = "{}"
password_file = "bmc-password"

[[target]]
hosts = "{}"
names = "{NAME}"
port = {}
"#,
        target.username, target.address, target.port
    );
    let path = folder.join("reddrum.toml");
    fs::write(&path, text)?;
    Ok(path)
}

/// Logs in as the configuration's account.
///
/// # Errors
/// Where the service refuses.
pub(super) fn log_in(client: &mut Client) -> Result {
    client.log_in(USERNAME, PASSWORD)
}

/// Every sensor that Redfish shows, once each that can have a value has one.
pub(super) fn complete_reading(client: &Client) -> Result<Option<Vec<Sensor>>> {
    let members = client.members(&format!("/redfish/v1/Chassis/{NAME}/Sensors"))?;
    let waiting = members.is_empty()
        || members
            .iter()
            .any(|sensor| sensor["Status"]["State"] == "Starting");
    let numbers = members
        .iter()
        .filter(|sensor| sensor["Reading"].is_number())
        .count();
    let complete = !waiting && numbers >= ipmi_sim::NUMERIC_COUNT;
    if complete {
        Ok(Some(members.iter().map(redfish_sensor).collect()))
    } else {
        Ok(None)
    }
}

fn redfish_sensor(sensor: &Value) -> Sensor {
    let text = |key: &str| sensor[key].as_str().unwrap_or_default().to_owned();
    Sensor {
        name: text("Name"),
        value: sensor["Reading"].as_f64(),
        unit: text("ReadingUnits"),
        thresholds: THRESHOLDS.map(|name| sensor["Thresholds"][name]["Reading"].as_f64()),
        states: None,
    }
}

fn compare_sensors(target: &Target, ours: &[Sensor], folder: &Path, report: &mut Report) -> Result {
    let by_number = ipmitool::sensors(target, SUITE)?;
    let free = freeipmi::sensors(
        target,
        SUITE,
        &folder.join("cache"),
        freeipmi::IPMI_SIM_WORKAROUND,
    )?;
    report.check(
        "ipmitool and FreeIPMI list the same number of sensors",
        same("count", &by_number.len(), &free.len()),
    );
    for ((number, theirs), free) in by_number.iter().zip(&free) {
        // Discrete sensors have no Reading in Redfish; theirs are states of parts.
        if theirs.states.is_some()
            && theirs.value.is_none()
            && theirs.unit.is_empty()
            && !ipmi_sim::is_numeric(*number)
        {
            continue;
        }
        let name = ipmi_sim::name_of(*number).unwrap_or(&theirs.name);
        let outcome = match ours.iter().find(|sensor| sensor.name == name) {
            None => Err(format!("{name} is not among our sensors").into()),
            Some(ours) => {
                let mut found = sensor::differences(ours, theirs, "ipmitool", 3);
                // FreeIPMI 1.6.10 divides 1 by 3 in integers: its cube roots are all wrong.
                if name != ipmi_sim::CUBE_ROOT {
                    found.extend(sensor::differences(ours, free, "ipmi-sensors", 2));
                }
                none_of(&found)
            }
        };
        report.check(&format!("sensor {name}"), outcome);
    }
    Ok(())
}

/// Our log entries, oldest first.
fn log_entries(client: &Client) -> Result<Vec<Value>> {
    client.members(&format!(
        "/redfish/v1/Managers/{NAME}/LogServices/SEL/Entries"
    ))
}

fn compare_events(client: &Client, target: &Target, folder: &Path, report: &mut Report) -> Result {
    let tool = ipmitool::events(target, SUITE)?;
    let free = freeipmi::events(
        target,
        SUITE,
        &folder.join("cache"),
        freeipmi::IPMI_SIM_WORKAROUND,
    )?;
    let ours = eventually(PATIENCE, "complete event log", || {
        let entries = log_entries(client)?;
        Ok((entries.len() >= tool.len()).then_some(entries))
    })?;
    report.check(
        "as many log entries as ipmitool",
        same("count", &ours.len(), &tool.len()),
    );
    report.check(
        "as many log entries as FreeIPMI",
        same("count", &ours.len(), &free.len()),
    );
    for ((ours, tool), free) in ours.iter().zip(&tool).zip(&free) {
        let mut problems = Vec::new();
        let message = ours["Message"].as_str().unwrap_or_default();
        let mut must = |holds: bool, what: String| {
            if !holds {
                problems.push(format!("{what}; ours: {ours}"));
            }
        };
        must(
            ours["Id"].as_str().and_then(|id| id.parse().ok()) == Some(tool.id),
            format!("record {}", tool.id),
        );
        must(
            contains_words(message, &tool.text),
            format!("ipmitool says {:?}", tool.text),
        );
        let sensor = &free.sensor;
        let ours_sensor = format!("{message} {}", ours["Name"].as_str().unwrap_or_default());
        must(
            ours_sensor.contains(sensor.as_str()),
            format!("FreeIPMI names sensor {sensor:?}"),
        );
        let created = ours["Created"].as_str();
        must(
            same_time(created, &tool.time, ipmi_sim::CLOCK_BEHIND_S),
            format!("ipmitool says {:?} by a clock that is behind", tool.time),
        );
        report.check(
            &format!("log entry {}: {} {}", tool.id, tool.sensor, tool.text),
            none_of(&problems),
        );
    }
    Ok(())
}

/// Whether every word of `words` is in `text`, whatever the case.
fn contains_words(text: &str, words: &str) -> bool {
    let text = text.to_lowercase();
    words
        .to_lowercase()
        .split_whitespace()
        .all(|word| text.contains(word))
}

/// Two programs that look at a clock a moment apart may differ by so much, in seconds.
const MOMENT_S: u64 = 3;

/// Whether Redfish's time is ipmitool's (`MM/DD/YY HH:MM:SS UTC`), which is that of a clock so many seconds behind. Before
/// the BMC's clock was set ipmitool says so, and Redfish has none.
fn same_time(ours: Option<&str>, ipmitool: &str, behind_s: u32) -> bool {
    let numbers = |text: &str| -> Vec<i64> {
        text.split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .collect()
    };
    let expected = match *numbers(ipmitool).as_slice() {
        [month, day, year, hour, minute, second] => {
            let year = if year < 100 { 2000 + year } else { year };
            unix_s([year, month, day, hour, minute, second]) + i64::from(behind_s)
        }
        _ => return ours.is_none(),
    };
    let ours = ours.map(numbers);
    ours.and_then(|ours| <[i64; 6]>::try_from(ours).ok())
        .is_some_and(|ours| unix_s(ours).abs_diff(expected) <= MOMENT_S)
}

/// Seconds since 1970 of a date and time of the Gregorian calendar, UTC.
fn unix_s([year, month, day, hour, minute, second]: [i64; 6]) -> i64 {
    // Years begin in March here, so that the day that some have more is their last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = 365 * year + leap_days + (153 * month + 2) / 5 + day - 719_469;
    ((days * 24 + hour) * 60 + minute) * 60 + second
}

/// A nameplate field: where Redfish has it, in which FRU device it is, and the names of the others for it.
struct FruField {
    path: &'static str,
    field: &'static str,
    device: u8,
    ipmitool: &'static str,
    freeipmi: &'static str,
}

const fn fru_field(
    path: &'static str,
    field: &'static str,
    device: u8,
    ipmitool: &'static str,
    freeipmi: &'static str,
) -> FruField {
    FruField {
        path,
        field,
        device,
        ipmitool,
        freeipmi,
    }
}

const SYSTEM: &str = "/redfish/v1/Systems/sim1";
const CHASSIS: &str = "/redfish/v1/Chassis/sim1";
const SUPPLIES: &str = "/redfish/v1/Chassis/sim1/PowerSubsystem/PowerSupplies";

const FRU_FIELDS: [FruField; 11] = [
    fru_field(
        SYSTEM,
        "Manufacturer",
        0,
        "Product Manufacturer",
        "FRU Product Manufacturer Name",
    ),
    fru_field(SYSTEM, "Model", 0, "Product Name", "FRU Product Name"),
    fru_field(
        SYSTEM,
        "PartNumber",
        0,
        "Product Part Number",
        "FRU Product Part/Model Number",
    ),
    fru_field(
        SYSTEM,
        "SerialNumber",
        0,
        "Product Serial",
        "FRU Product Serial Number",
    ),
    fru_field(
        SYSTEM,
        "AssetTag",
        0,
        "Product Asset Tag",
        "FRU Product Asset Tag",
    ),
    fru_field(
        CHASSIS,
        "PartNumber",
        0,
        "Chassis Part Number",
        "FRU Chassis Part Number",
    ),
    fru_field(
        CHASSIS,
        "SerialNumber",
        0,
        "Chassis Serial",
        "FRU Chassis Serial Number",
    ),
    fru_field(
        SUPPLIES,
        "Manufacturer",
        1,
        "Product Manufacturer",
        "FRU Product Manufacturer Name",
    ),
    fru_field(SUPPLIES, "Model", 1, "Product Name", "FRU Product Name"),
    fru_field(
        SUPPLIES,
        "PartNumber",
        1,
        "Product Part Number",
        "FRU Product Part/Model Number",
    ),
    fru_field(
        SUPPLIES,
        "SerialNumber",
        1,
        "Product Serial",
        "FRU Product Serial Number",
    ),
];

fn compare_fru(client: &Client, target: &Target, folder: &Path, report: &mut Report) -> Result {
    let tool = ipmitool::fru(target, SUITE)?;
    let cache = folder.join("cache");
    let free = freeipmi::fru(target, SUITE, &cache, freeipmi::IPMI_SIM_WORKAROUND)?;
    let of = |fields: Option<&Vec<(String, String)>>, name: &str| {
        let found = fields?.iter().find(|(field, _)| field == name)?;
        Some(found.1.clone())
    };
    for FruField {
        path,
        field,
        device,
        ipmitool,
        freeipmi,
    } in FRU_FIELDS
    {
        // A collection stands for its first member: ipmi_sim has one power supply with a nameplate.
        let resource = if path == SUPPLIES {
            client.members(path)?.into_iter().next().unwrap_or_default()
        } else {
            client.get(path)?
        };
        let ours = resource[field].as_str().map(str::to_owned);
        let mut outcome = same("ipmitool", &ours, &of(tool.get(&device), ipmitool));
        // FreeIPMI 1.6.10 takes the blank that pads BCD plus to whole bytes for an error.
        let theirs = of(free.get(&device), freeipmi);
        if !theirs
            .as_ref()
            .is_some_and(|text| text.starts_with("Error '"))
        {
            outcome = outcome.and_then(|()| same("ipmi-fru", &ours, &theirs));
        }
        report.check(
            &format!("FRU {device} {ipmitool} is {field} of {path}"),
            outcome,
        );
    }
    Ok(())
}

fn compare_power(client: &Client, target: &Target) -> Result {
    let system = client.get(&format!("/redfish/v1/Systems/{NAME}"))?;
    let said = ipmitool::call(target, SUITE, &["chassis", "power", "status"])?.expect_success()?;
    let state = system["PowerState"]
        .as_str()
        .unwrap_or_default()
        .to_lowercase();
    same(
        "PowerState",
        &said.trim(),
        &format!("Chassis Power is {state}").as_str(),
    )
}

fn switch_power(client: &Client, target: &Target) -> Result {
    let path = format!("/redfish/v1/Systems/{NAME}/Actions/ComputerSystem.Reset");
    for (reset, state) in [("ForceOff", "off"), ("On", "on")] {
        let body = serde_json::json!({"ResetType": reset});
        client
            .request("POST", &path, Some(&body))?
            .expect_success(reset)?;
        let wanted = format!("Chassis Power is {state}");
        eventually(PATIENCE, &wanted, || {
            let said =
                ipmitool::call(target, SUITE, &["chassis", "power", "status"])?.expect_success()?;
            Ok((said.trim() == wanted).then_some(()))
        })?;
    }
    Ok(())
}

/// Only the session that asks may be left.
fn sessions_left(target: &Target) -> Result {
    let said = ipmitool::call(target, SUITE, &["session", "info", "active"])?.expect_success()?;
    let active = said
        .lines()
        .find(|line| line.starts_with("active sessions"));
    let count = active.and_then(|line| line.rsplit(':').next()?.trim().parse::<u32>().ok());
    same("active sessions", &count, &Some(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_the_same_but_for_the_clock_or_not_set_on_both_sides() {
        let ours = Some("2026-06-02T13:00:01Z");
        assert!(same_time(ours, "06/01/26 12:00:01 UTC", 90_000));
        assert!(same_time(ours, "06/02/2026 13:00:03", 0));
        assert!(!same_time(ours, "06/01/26 12:00:01 UTC", 0));
        assert!(!same_time(ours, "06/01/26 12:00:06 UTC", 90_000));
        assert!(!same_time(None, "06/01/26 12:00:01 UTC", 0));
        assert!(!same_time(ours, "Pre-Init 0000001827", 0));
        assert!(same_time(None, "Pre-Init 0000001827", 0));
    }

    #[test]
    fn dates_are_counted_from_1970() {
        assert_eq!(unix_s([1970, 1, 1, 0, 0, 0]), 0);
        assert_eq!(unix_s([2000, 2, 29, 0, 0, 1]), 951_782_401);
        assert_eq!(unix_s([2026, 6, 1, 12, 0, 0]), 1_780_315_200);
    }
}
