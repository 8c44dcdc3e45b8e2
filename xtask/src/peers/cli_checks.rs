//! `reddrum ipmi` against BMCs that others wrote: ipmi_sim of OpenIPMI, and one made with pyghmi. It must say what ipmitool
//! says of them, and what it changes ipmitool must see.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::time::Duration;

use serde_json::Value;

use super::ipmi_sim::{self, IpmiSim};
use super::report::{Report, same};
use super::target::Target;
use super::{ipmitool, program};
use crate::Result;
use crate::process::{command, run as run_program};
use crate::test::bmcs_home;
use crate::workspace::Workspace;

/// The suite that both BMCs have; ours finds it by itself.
const SUITE: u8 = 3;
/// How long one call may take.
const LIMIT: Duration = Duration::from_secs(60);
const USERNAME: &str = "admin";
const PASSWORD: &str = "a-bmc-password";

/// Runs the checks.
///
/// # Errors
/// Where a BMC doesn't start.
pub(crate) fn run(workspace: &Workspace, report: &mut Report) -> Result {
    let folder = workspace.target.join("peers/ipmi_sim");
    let sim = IpmiSim::start(workspace, &folder)?;
    let target = sim.target();
    ipmi_sim::fill_event_log(&target, SUITE)?;
    let ours = |line: &str| ours(workspace, &target, line);
    let checks: [(&str, Result); 9] = [
        ("power status", power(&target, &ours)),
        ("power off and on", switch(&target, &ours)),
        ("mc info", device(&target, &ours)),
        ("mc guid", guid(&target, &ours)),
        ("sensor", sensors(&target, &ours)),
        ("sel list", events(&target, &ours)),
        ("fru", inventory(&target, &ours)),
        ("user list", users(&target, &ours)),
        ("raw", raw(&target, &ours)),
    ];
    for (what, outcome) in checks {
        let name = format!("ipmi_sim: '{what}' is what ipmitool says");
        report.check(&name, outcome);
    }
    drop(sim);
    pyghmi(workspace, report)
}

/// A BMC made with pyghmi.
///
/// # Errors
/// Where it doesn't start.
pub(super) fn start_pyghmi(workspace: &Workspace) -> Result<program::Program> {
    let port = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut python = command(bmcs_home(workspace).join("bin/python"));
    python.arg(workspace.path("xtask/peers/bmcs/pyghmi_bmc.py"));
    python.args([&port.to_string(), USERNAME, PASSWORD]);
    program::start(workspace, "pyghmi-bmc", python)
}

fn pyghmi(workspace: &Workspace, report: &mut Report) -> Result {
    let bmc = start_pyghmi(workspace)?;
    let target = bmc.bmcs.first().cloned().ok_or("no BMC")?;
    let ours = |line: &str| ours(workspace, &target, line);
    let checks: [(&str, Result); 5] = [
        ("power status", power(&target, &ours)),
        ("power off and on", switch(&target, &ours)),
        ("mc info", device(&target, &ours)),
        ("boot", boot(&target, &ours)),
        ("raw", raw(&target, &ours)),
    ];
    for (what, outcome) in checks {
        let name = format!("pyghmi: '{what}' is what ipmitool says");
        report.check(&name, outcome);
    }
    let wrong = target.with_password("wrong");
    let said = self::ours(workspace, &wrong, "power status");
    let named = said
        .err()
        .is_some_and(|e| e.to_string().contains("password of user"));
    let outcome = if named {
        Ok(())
    } else {
        Err("the cause is not named".into())
    };
    report.check("pyghmi: a wrong password is named as the cause", outcome);
    Ok(())
}

/// What our program says, as its JSON result.
///
/// # Errors
/// Where it fails, or says what is no JSON.
pub(super) fn ours(workspace: &Workspace, target: &Target, line: &str) -> Result<Value> {
    let mut program = command(program::binary(workspace)?);
    let at = format!("{}:{}", target.address, target.port);
    program.args(["ipmi", &at, "-U", &target.username, "--json"]);
    program.env("IPMI_PASSWORD", &target.password);
    program.args(line.split(' '));
    let finished = run_program(program, LIMIT)?;
    let said: Value = serde_json::from_str(finished.stdout.trim())
        .map_err(|error| format!("{error}\n{}", finished.describe()))?;
    match said["ok"].as_bool() {
        Some(true) => Ok(said["result"].clone()),
        _ => Err(finished.describe().into()),
    }
}

/// What ipmitool prints.
fn theirs(target: &Target, line: &str) -> Result<String> {
    let arguments: Vec<&str> = line.split(' ').collect();
    ipmitool::call(target, SUITE, &arguments)?.expect_success()
}

/// The value behind a name in what ipmitool prints.
///
/// # Errors
/// Where no line has the name.
pub(super) fn field(text: &str, name: &str) -> Result<String> {
    let line = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.trim() == name);
    let (_, value) = line.ok_or_else(|| format!("no {name:?} in:\n{text}"))?;
    Ok(value.trim().to_owned())
}

type Ours<'a> = &'a dyn Fn(&str) -> Result<Value>;

fn power(target: &Target, ours: Ours<'_>) -> Result {
    let said = ours("power status")?;
    let state = said["power"].as_str().unwrap_or_default();
    let expected = format!("Chassis Power is {state}\n");
    same("power", &theirs(target, "power status")?, &expected)
}

fn switch(target: &Target, ours: Ours<'_>) -> Result {
    for state in ["off", "on"] {
        ours(&format!("power {state}"))?;
        program::eventually(Duration::from_secs(20), "power change", || {
            let said = theirs(target, "power status")?;
            Ok(said.contains(&format!("is {state}")).then_some(()))
        })?;
    }
    Ok(())
}

fn device(target: &Target, ours: Ours<'_>) -> Result {
    let (said, expected) = (ours("mc info")?, theirs(target, "mc info")?);
    for (key, name) in [
        ("device_id", "Device ID"),
        ("manufacturer_id", "Manufacturer ID"),
    ] {
        let found = said[key].to_string();
        same(name, &found, &field(&expected, name)?)?;
    }
    let version = said["ipmi_version"].as_str().unwrap_or_default().to_owned();
    same("IPMI Version", &version, &field(&expected, "IPMI Version")?)
}

fn guid(target: &Target, ours: Ours<'_>) -> Result {
    let said = ours("mc guid")?;
    let digits = |text: &str| -> String {
        let mut digits: Vec<char> = text
            .to_lowercase()
            .chars()
            .filter(char::is_ascii_hexdigit)
            .collect();
        // Clients differ in the order of the bytes; the bytes themselves are the same.
        digits.sort_unstable();
        digits.into_iter().collect()
    };
    let expected = field(&theirs(target, "mc guid")?, "System GUID")?;
    let found = digits(said["system_guid"].as_str().unwrap_or_default());
    same("GUID", &found, &digits(&expected))
}

fn sensors(target: &Target, ours: Ours<'_>) -> Result {
    let said = ours("sensor")?;
    let value = |sensor: &Value| {
        let name = sensor["name"].as_str()?.to_owned();
        Some((name, sensor["value"].as_f64()))
    };
    let list = said["sensors"].as_array().cloned().unwrap_or_default();
    let found: BTreeMap<String, Option<f64>> = list.iter().filter_map(value).collect();
    let expected = ipmitool::sensors(target, SUITE)?;
    if expected.is_empty() {
        return Err("ipmitool shows no sensor".into());
    }
    for sensor in expected.values() {
        let Some(expected) = sensor.value else {
            continue;
        };
        let near = |found: f64| (found - expected).abs() <= 0.001 * expected.abs().max(1.0);
        // ipmitool prints a name in six-bit characters as it is stored: then the value must be there under some name.
        let near = if sensor.name.is_ascii() {
            found.get(&sensor.name).copied().flatten().is_some_and(near)
        } else {
            found.values().flatten().copied().any(near)
        };
        if !near {
            let text = format!(
                "{}: ipmitool has {expected}, we have {found:?}",
                sensor.name
            );
            return Err(text.into());
        }
    }
    Ok(())
}

fn events(target: &Target, ours: Ours<'_>) -> Result {
    let said = ours("sel list")?;
    let found = said["entries"].as_array().map_or(0, Vec::len);
    same("entries", &found, &ipmitool::events(target, SUITE)?.len())
}

fn inventory(target: &Target, ours: Ours<'_>) -> Result {
    let said = ours("fru 0")?;
    let fields = said["devices"][0]["fields"].as_array().cloned();
    let ours: Vec<(String, String)> = fields
        .unwrap_or_default()
        .iter()
        .filter_map(|field| {
            let text = |key: &str| field[key].as_str().map(str::to_owned);
            Some((text("name")?, text("value")?))
        })
        .collect();
    let expected = ipmitool::fru(target, SUITE)?.remove(&0).unwrap_or_default();
    for name in [
        "Chassis Serial",
        "Board Serial",
        "Product Serial",
        "Product Name",
    ] {
        let Some((_, theirs)) = expected.iter().find(|(found, _)| found == name) else {
            return Err(format!("ipmitool shows no {name}").into());
        };
        if !ours.iter().any(|(_, value)| value == theirs) {
            return Err(format!("{name} {theirs:?} is missing in {ours:?}").into());
        }
    }
    Ok(())
}

fn users(target: &Target, ours: Ours<'_>) -> Result {
    let said = ours("user list 1")?;
    let names = said["users"].as_array().cloned().unwrap_or_default();
    let expected = theirs(target, "user list 1")?;
    for user in &names {
        let name = user["name"].as_str().unwrap_or_default();
        if !expected.contains(name) {
            return Err(format!("ipmitool shows no user {name:?}:\n{expected}").into());
        }
    }
    let named = names
        .iter()
        .any(|user| user["name"] == target.username.as_str());
    same("our own user is there", &named, &true)
}

fn boot(target: &Target, ours: Ours<'_>) -> Result {
    theirs(target, "chassis bootdev pxe")?;
    let found = ours("boot")?["device"]
        .as_str()
        .unwrap_or_default()
        .to_lowercase();
    same("boot device", &found.contains("pxe"), &true)
}

fn raw(target: &Target, ours: Ours<'_>) -> Result {
    let said = ours("raw 6 1")?;
    let bytes = said["data"].as_array().cloned().unwrap_or_default();
    let bytes: Vec<u64> = bytes.iter().filter_map(Value::as_u64).collect();
    let expected: std::result::Result<Vec<u64>, _> = theirs(target, "raw 6 1")?
        .split_whitespace()
        .map(|byte| u64::from_str_radix(byte, 16))
        .collect();
    same("bytes of Get Device ID", &bytes, &expected?)
}
