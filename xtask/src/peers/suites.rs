//! Every cipher suite both ways: our console with BMCs, our virtual BMC with consoles, each with all of 0 to 19.
//!
//! It prints a table. What a program can't open is known beforehand, with its reason: a suite that suddenly opens, or
//! doesn't, is a failure. Sessions of IPMI 1.5 come last.

use std::fmt::Write as _;
use std::net::UdpSocket;
use std::time::Duration;

use super::ipmi_sim::IpmiSim;
use super::report::Report;
use super::target::Target;
use super::{cli_checks, freeipmi, ipmitool, program, v15};
use crate::Result;
use crate::process::{Finished, command, run as run_program};
use crate::workspace::Workspace;

/// The standard suites (IPMI 2.0 table 22-20).
const SUITES: std::ops::RangeInclusive<u8> = 0..=19;
/// How long one call of ours may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A console and a BMC.
struct Way<'a> {
    console: &'static str,
    bmc: &'static str,
    /// What the weaker of both can open.
    knows: &'static [u8],
    /// Why not the others.
    why: &'static str,
    call: &'a dyn Fn(u8) -> Result<Finished>,
}

/// Runs the checks.
///
/// # Errors
/// Where a BMC doesn't start.
pub(crate) fn run(workspace: &Workspace, report: &mut Report) -> Result {
    let mut vbmc = start_vbmc(workspace)?;
    let virtual_bmc = vbmc.bmcs.first().cloned().ok_or("no virtual BMC")?;
    let sim = IpmiSim::start(workspace, &workspace.target.join("peers/ipmi_sim-suites"))?;
    let pyghmi = cli_checks::start_pyghmi(workspace)?;
    let other = pyghmi.bmcs.first().cloned().ok_or("no BMC by pyghmi")?;
    let cache = workspace.target.join("peers/sdr-cache");
    let ways = [
        Way {
            console: "reddrum ipmi",
            bmc: "ipmi_sim",
            knows: &[0, 1, 2, 3, 6, 11],
            why: "ipmi_sim has neither SHA-256 nor xRC4; to 7, 8 and 12 it does not answer, to ipmitool's 7 and 8 neither",
            call: &|suite| ours(workspace, &sim.target(), suite),
        },
        Way {
            console: "reddrum ipmi",
            bmc: "pyghmi",
            knows: &[3],
            why: "pyghmi's BMC has one suite",
            call: &|suite| ours(workspace, &other, suite),
        },
        Way {
            console: "reddrum ipmi",
            bmc: "reddrum vbmc",
            knows: &[
                0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
            ],
            why: "",
            call: &|suite| ours(workspace, &virtual_bmc, suite),
        },
        Way {
            console: "ipmitool",
            bmc: "reddrum vbmc",
            knows: &[0, 1, 2, 3, 6, 7, 8, 15, 16, 17],
            why: "ipmitool has no xRC4 and no MD5 without a key (an assertion fails), and refuses 18 and 19",
            call: &|suite| ipmitool::call(&virtual_bmc, suite, &["mc", "guid"]),
        },
        Way {
            console: "FreeIPMI",
            bmc: "reddrum vbmc",
            knows: &[0, 1, 2, 3, 6, 7, 8, 11, 12, 15, 16, 17],
            why: "FreeIPMI has no xRC4",
            call: &|suite| {
                freeipmi::call(
                    "bmc-info",
                    &virtual_bmc,
                    suite,
                    &cache,
                    &["--get-device-guid"],
                )
            },
        },
    ];
    report.note(&head());
    for way in &ways {
        let outcome = tried(way, report);
        let name = format!(
            "{} with {}: every suite that both have",
            way.console, way.bmc
        );
        report.check(&name, outcome);
    }
    v15::run(workspace, &sim.target(), report)?;
    vbmc.expect_running()?;
    vbmc.interrupt()
}

/// A virtual BMC that offers every suite.
fn start_vbmc(workspace: &Workspace) -> Result<program::Program> {
    let port = UdpSocket::bind("0.0.0.0:0")?.local_addr()?.port();
    let all: Vec<String> = SUITES.map(|suite| suite.to_string()).collect();
    let mut vbmc = command(program::binary(workspace)?);
    vbmc.args(["vbmc", "--json", "--nodes", "1", "--suites", &all.join(",")]);
    vbmc.args(["--ipmi-port", &port.to_string()]);
    program::start(workspace, "suites", vbmc)
}

fn head() -> String {
    let mut head = format!("{:<14}{:<14}", "console", "BMC");
    for suite in SUITES {
        let _ = write!(head, "{suite:>3}");
    }
    head
}

/// Tries every suite, prints the row, and compares it with what is known.
fn tried(way: &Way<'_>, report: &Report) -> Result {
    let mut row = format!("{:<14}{:<14}", way.console, way.bmc);
    let mut wrong = Vec::new();
    for suite in SUITES {
        let finished = (way.call)(suite)?;
        let (opens, knows) = (finished.succeeded(), way.knows.contains(&suite));
        row.push_str(if opens { "  +" } else { "  -" });
        if opens != knows {
            wrong.push(format!(
                "suite {suite} {}: {}",
                if opens { "opens" } else { "does not open" },
                finished.describe()
            ));
        }
    }
    report.note(&row);
    if way.knows.len() < SUITES.count() {
        report.note(&format!("{:<28}- {}", "", way.why));
    }
    super::report::none_of(&wrong)
}

fn ours(workspace: &Workspace, target: &Target, suite: u8) -> Result<Finished> {
    let mut program = command(program::binary(workspace)?);
    let at = format!("{}:{}", target.address, target.port);
    program.args([
        "ipmi",
        &at,
        "-U",
        &target.username,
        "-C",
        &suite.to_string(),
    ]);
    program.args(["power", "status"]);
    program.env("IPMI_PASSWORD", &target.password);
    run_program(program, LIMIT)
}
