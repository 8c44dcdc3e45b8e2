//! ipmitool and FreeIPMI with our virtual BMC, family by family: what they read is right, and what they set is told again.

use std::path::Path;

use super::report::Report;
use super::target::Target;
use super::virtual_bmc::says;
use super::{freeipmi, ipmitool};
use crate::Result;

/// The suite that all of this is asked with.
const SUITE: u8 = 17;

/// An invocation of ipmitool and what it must say.
type Said = (&'static str, &'static [&'static str]);
/// An invocation of a FreeIPMI tool and what it must say.
type ToolSaid = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

/// In this order: later ones look at what earlier ones set.
const IPMITOOL: [Said; 53] = [
    ("mc selftest", &["Selftest: passed"]),
    ("mc getenables", &["System Event Logging", "enabled"]),
    ("mc watchdog get", &["SMS/OS", "Stopped"]),
    ("mc watchdog set timeout=300 action=none use=sms", &[]),
    ("mc watchdog reset", &[]),
    ("mc watchdog get", &["Started/Running"]),
    ("mc watchdog off", &[]),
    ("channel info 1", &["802.3 LAN", "multi-session"]),
    ("channel getaccess 1 2", &["Maximum User IDs"]),
    ("channel authcap 1 4", &["Channel number             : 1"]),
    ("channel getciphers ipmi 1", &["hmac_sha256"]),
    ("session info active", &["active sessions"]),
    ("user set name 5 ops", &[]),
    ("user set password 5 secret-1", &["successful"]),
    ("user priv 5 3 1", &["successful"]),
    ("user enable 5", &[]),
    ("user test 5 16 secret-1", &["Success"]),
    ("user list 1", &["ops", "OPERATOR"]),
    ("user summary 1", &["Maximum IDs"]),
    ("user disable 5", &[]),
    ("chassis poh", &["POH Counter"]),
    ("chassis restart_cause", &["restart cause"]),
    ("chassis policy list", &["always-off always-on previous"]),
    ("chassis bootparam get 3", &["Boot parameter data"]),
    ("sensor thresh Fan1 lcr 900", &["900.000"]),
    ("sensor get Fan1", &["Lower Critical        : 900"]),
    ("sensor thresh Fan1 lcr 1200", &["1200.000"]),
    ("event 1", &["Upper Critical"]),
    ("sel list last 1", &["Temperature #0x30"]),
    ("sel time get", &["UTC"]),
    (
        "lan print 1",
        &["Static Address", "MAC Address", "Cipher Suite Priv Max"],
    ),
    ("lan set 1 defgw ipaddr 10.0.0.1", &["10.0.0.1"]),
    ("lan print 1", &["10.0.0.1"]),
    ("lan set 1 vlan id 7", &[]),
    ("lan print 1", &["802.1q VLAN ID          : 7"]),
    ("lan set 1 vlan id off", &[]),
    ("lan alert print 1", &["PET Trap"]),
    ("lan stats get 1", &["UDP Rx Packet"]),
    ("sol info 1", &["Enabled                         : true"]),
    ("sol set retry-count 3 1", &[]),
    ("sol info 1", &["Retry Count                     : 3"]),
    (
        "sol payload status 1 2",
        &["User 2 on channel 1 is enabled"],
    ),
    ("pef info", &["Alert,Power-off,Reset"]),
    ("pef status", &["0x"]),
    ("dcmi discover", &["Power Management"]),
    (
        "dcmi power reading",
        &["Instantaneous power reading", "activated"],
    ),
    ("dcmi set_asset_tag RACK-9", &["RACK-9"]),
    ("dcmi asset_tag", &["RACK-9"]),
    ("dcmi sensors", &["Inlet Temp"]),
    ("dcmi get_temp_reading", &["Inlet air temperature"]),
    ("dcmi get_mc_id_string", &["DCMI"]),
    ("hpm check", &["BOOT", "APP"]),
    ("raw 0x06 0x01", &["20"]),
];

/// FreeIPMI's, likewise.
const FREEIPMI: [ToolSaid; 20] = [
    (
        "ipmi-dcmi",
        &["--get-dcmi-capability-info"],
        &["1.5", "Available"],
    ),
    ("ipmi-dcmi", &["--get-asset-tag"], &["RACK-9"]),
    (
        "ipmi-dcmi",
        &["--get-management-controller-identifier-string"],
        &["DCMI"],
    ),
    (
        "ipmi-dcmi",
        &["--get-system-power-statistics"],
        &["Current Power", "Watts"],
    ),
    (
        "ipmi-dcmi",
        &["--get-dcmi-sensor-info"],
        &["Inlet Temperature"],
    ),
    (
        "ipmi-chassis",
        &["--get-chassis-capabilities"],
        &["Intrusion sensor"],
    ),
    (
        "ipmi-chassis",
        &["--get-system-restart-cause"],
        &["Restart cause"],
    ),
    (
        "ipmi-chassis",
        &["--get-power-on-hours-counter"],
        &["Power on hours"],
    ),
    (
        "ipmi-config",
        &["--category=chassis", "--checkout"],
        &["Power_Restore_Policy"],
    ),
    (
        "ipmi-config",
        &["--category=pef", "--checkout"],
        &["Event_Filter_1", "Alert_String_1"],
    ),
    (
        "ipmi-config",
        &["--category=sensors", "--checkout"],
        &["Enable_All_Event_Messages"],
    ),
    (
        "ipmi-config",
        &["--category=dcmi", "--checkout"],
        &["RACK-9"],
    ),
    ("bmc-device", &["--get-self-test-results"], &["No Error"]),
    ("bmc-device", &["--get-acpi-power-state"], &["S0/G0"]),
    ("bmc-device", &["--get-sel-time"], &["SEL Time"]),
    (
        "ipmi-pef-config",
        &["--checkout"],
        &["Event_Filter_1", "Community_String"],
    ),
    (
        "ipmi-config",
        &["--category=core", "--checkout", "--section=User2"],
        &["Username", "Enable_User"],
    ),
    (
        "ipmi-config",
        &["--category=core", "--checkout", "--section=Lan_Conf"],
        &["IP_Address", "Subnet_Mask"],
    ),
    ("ipmi-sel", &["--info"], &["Number of log entries"]),
    ("ipmi-raw", &["0", "6", "1"], &["rcvd: 01 00"]),
];

/// Runs the checks.
pub(super) fn run(target: &Target, cache: &Path, report: &mut Report) {
    for (line, expected) in IPMITOOL {
        let arguments: Vec<&str> = line.split(' ').collect();
        let outcome =
            ipmitool::call(target, SUITE, &arguments).and_then(|finished| says(finished, expected));
        report.check(&format!("ipmitool {line}"), outcome);
    }
    for (tool, arguments, expected) in FREEIPMI {
        let outcome = freeipmi::call(tool, target, SUITE, cache, arguments)
            .and_then(|finished| says(finished, expected));
        report.check(&format!("{tool} {}", arguments.join(" ")), outcome);
    }
    report.check("a user who was made over IPMI logs in", new_user(target));
}

/// A user who is let in over IPMI can log in at once, and no more when barred.
fn new_user(target: &Target) -> Result {
    ipmitool::call(target, SUITE, &["user", "enable", "5"])?.expect_success()?;
    let operator = Target {
        username: "ops".to_owned(),
        ..target.with_password("secret-1")
    };
    let status = ["-L", "OPERATOR", "chassis", "power", "status"];
    says(
        ipmitool::call(&operator, SUITE, &status)?,
        &["Chassis Power is on"],
    )?;
    ipmitool::call(target, SUITE, &["user", "disable", "5"])?.expect_success()?;
    if ipmitool::call(&operator, SUITE, &status)?.succeeded() {
        return Err("a barred user can still log in".into());
    }
    Ok(())
}
