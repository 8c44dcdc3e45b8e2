//! ipmitool's `picmg` and `hpm` with a virtual AdvancedTCA node: what it sets is told again, and its sensors and its log
//! show what happened to its FRUs.

use std::net::UdpSocket;

use super::report::Report;
use super::target::Target;
use super::virtual_bmc::{eventually_says, says};
use super::{ipmitool, program};
use crate::Result;
use crate::process::command;
use crate::workspace::Workspace;

/// The suite that all of this is asked with.
const SUITE: u8 = 17;

/// An invocation of ipmitool and what it must say, in this order: later ones look at what earlier ones set.
const IPMITOOL: [(&str, &[&str]); 47] = [
    (
        "picmg properties",
        &["Ext. Version : 2.3", "Max FRU Device ID\t: 0x02"],
    ),
    (
        "picmg addrinfo",
        &["Hardware Address : 0x10", "Dedicated Shelf Manager"],
    ),
    ("picmg addrinfo 1", &["AMC"]),
    ("picmg addrinfo 2", &["Fan Tray"]),
    (
        "sdr type 0xf0",
        &["Hot Swap         | 80h | ok  | 240.1 | Transition to M4"],
    ),
    ("sdr type 0xf1", &["IPMB-A enabled, IPMB-B enabled"]),
    ("sdr type 0xf2", &["Module Handle Closed"]),
    ("picmg deactivate 1", &[]),
    (
        "sdr type 0xf0",
        &["AMC Hot Swap     | 81h | ok  | 193.1 | Transition to M1"],
    ),
    ("sdr type 0xf2", &["Module Handle Opened"]),
    (
        "sel elist last 1",
        &["FRU Hot Swap AMC Hot Swap", "Transition to M1"],
    ),
    (
        "picmg led get 1 0",
        &["Local Control function:     ff  [ON]", "[BLUE]"],
    ),
    ("picmg activate 1", &[]),
    (
        "sdr type 0xf0",
        &["AMC Hot Swap     | 81h | ok  | 193.1 | Transition to M4"],
    ),
    (
        "sel elist last 3",
        &["Transition to M2", "Transition to M3", "Transition to M4"],
    ),
    (
        "picmg led get 1 0",
        &["Local Control function:     0  [OFF]"],
    ),
    (
        "picmg policy get 0",
        &["activation not locked", "deactivation not locked"],
    ),
    ("picmg policy set 0 1 1", &[]),
    (
        "picmg policy get 0",
        &[" activation locked", "deactivation not locked"],
    ),
    ("picmg policy set 0 3 2", &[]),
    (
        "picmg policy get 0",
        &[" activation not locked", " deactivation locked"],
    ),
    (
        "picmg led prop 0",
        &["General Status LED Properties:  0x 7"],
    ),
    ("picmg led cap 0 0", &["LED Color Capabilities: BLUE"]),
    ("picmg led cap 0 2", &["LED Color Capabilities: GREEN"]),
    ("picmg led set 0 1 0xff 0 2", &[]),
    (
        "picmg led get 0 1",
        &[
            "[LOCAL CONTROL|OVERRIDE]",
            "Override function:     ff",
            "[RED]",
        ],
    ),
    ("picmg led set 0 1 0xfb 30 2", &[]),
    ("picmg led get 0 1", &["LAMPTEST"]),
    ("picmg led set 0 1 0xfc 0 2", &[]),
    (
        "picmg led get 0 1",
        &["[LOCAL CONTROL]", "Local Control function:     0  [OFF]"],
    ),
    (
        "picmg portstate get 0 1",
        &["PICMG 3.0 Base Interface", "STATE:                disabled"],
    ),
    ("picmg portstate set 0 1 1 1 0 0 1", &[]),
    (
        "picmg portstate get 0 1",
        &["STATE:                enabled"],
    ),
    ("picmg amcportstate set 0 1 5 0 0 1", &[]),
    (
        "picmg amcportstate get 0 0",
        &["ETHERNET", "STATE:                enabled"],
    ),
    (
        "picmg power get 2 0",
        &[
            "Actual Power Level:          1",
            "Power Draw 2:            200",
        ],
    ),
    ("picmg power set 2 2 0", &[]),
    ("picmg power get 2 0", &["Actual Power Level:          2"]),
    ("picmg clk get 4", &["state:     disabled"]),
    ("picmg busres summary", &["Metallic Test Bus pair #1"]),
    // Of the fan tray; ipmitool has no words for it: properties, level 9, level.
    ("raw 0x2c 0x14 0 2", &[" 00 00 0f 05 80"]),
    ("raw 0x2c 0x15 0 2 9", &[" 00"]),
    ("raw 0x2c 0x16 0 2", &[" 00 09 05 00"]),
    ("picmg frucontrol 0 0", &["Cold Reset", "frucontrol: ok"]),
    ("sel elist last 1", &["Initiated by hard reset"]),
    ("hpm check", &["BOOT", "APP"]),
    ("picmg deactivate 0", &[]),
];

/// Runs the checks, with a virtual BMC of its own.
///
/// # Errors
/// Where it doesn't start.
pub(super) fn run(workspace: &Workspace, report: &mut Report) -> Result {
    let port = UdpSocket::bind("0.0.0.0:0")?.local_addr()?.port();
    let mut vbmc = command(program::binary(workspace)?);
    vbmc.args(["vbmc", "--json", "--nodes", "1", "--form", "advanced-tca"]);
    vbmc.args(["--ipmi-port", &port.to_string()]);
    let mut vbmc = program::start(workspace, "picmg", vbmc)?;
    let target = &vbmc.bmcs.first().cloned().ok_or("no virtual BMC")?;
    for (line, expected) in IPMITOOL {
        let arguments: Vec<&str> = line.split(' ').collect();
        let outcome =
            ipmitool::call(target, SUITE, &arguments).and_then(|finished| says(finished, expected));
        report.check(&format!("AdvancedTCA: ipmitool {line}"), outcome);
    }
    report.check(
        "AdvancedTCA: a board that is deactivated is off, and on again when activated",
        board(target),
    );
    vbmc.expect_running()?;
    report.check("Ctrl-C ends the AdvancedTCA node", vbmc.interrupt());
    Ok(())
}

/// The last line of the table has switched the board off.
fn board(target: &Target) -> Result {
    let power = ["chassis", "power", "status"];
    eventually_says(target, SUITE, &power, "Chassis Power is off")?;
    ipmitool::call(target, SUITE, &["picmg", "activate", "0"])?.expect_success()?;
    eventually_says(target, SUITE, &power, "Chassis Power is on")
}
