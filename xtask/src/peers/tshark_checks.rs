//! Wireshark reads our datagrams as meant: our console's and our BMC's, opened by a reader that is not ours.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use super::ipmi_sim::{self, IpmiSim};
use super::program::{self, eventually};
use super::redfish::Client;
use super::relay::{Datagram, Direction, Relay};
use super::report::{Report, none_of, same};
use super::target::Target;
use super::{ipmitool, sim_checks, tap, tshark};
use crate::Result;
use crate::workspace::Workspace;

/// How long our console may take to have asked for everything.
const PATIENCE: Duration = Duration::from_secs(60);

/// What our console asks of every BMC, in Wireshark's words.
const CONSOLE_ASKS: [&str; 11] = [
    "Get Channel Authentication Capabilities",
    "Set Session Privilege Level",
    "Get Device ID",
    "Get SDR Repository Info",
    "Get SDR",
    "Get Sensor Reading",
    "Get Chassis Status",
    "Get SEL Info",
    "Get SEL Entry",
    "Read FRU Data",
    "Close Session",
];

/// Runs the checks.
///
/// # Errors
/// Where a program doesn't start.
pub(crate) fn run(workspace: &Workspace, report: &mut Report) -> Result {
    let folder = workspace.target.join("peers/tshark");
    fs::create_dir_all(&folder)?;
    report.check(
        "a wrong checksum is noticed",
        notices_a_wrong_checksum(&folder),
    );
    our_console(workspace, &folder, report)?;
    our_bmc(workspace, &folder, report)
}

/// The checks below can fail: Get Channel Authentication Capabilities with its last byte one too low.
fn notices_a_wrong_checksum(folder: &Path) -> Result {
    let bytes = [
        [6, 0, 0xff, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9].as_slice(),
        &[0x20, 0x18, 0xc8, 0x81, 0, 0x38, 0x8e, 4, 0xb4],
    ]
    .concat();
    let record = [Datagram {
        direction: Direction::ToBmc,
        bytes,
        lost: false,
    }];
    same(
        "complaints",
        &tshark::complaints(folder, &record)?.len(),
        &1,
    )
}

/// `reddrum serve` talking to ipmi_sim, through the relay.
fn our_console(workspace: &Workspace, folder: &Path, report: &mut Report) -> Result {
    let sim = IpmiSim::start(workspace, &folder.join("sim"))?;
    let relay = Relay::start(SocketAddr::from(([127, 0, 0, 1], sim.port)))?;
    let target = Target {
        port: relay.port,
        ..sim.target()
    };
    let config =
        sim_checks::write_config(&folder.join("sim"), &target, "listen = \"127.0.0.1:0\"")?;
    let served = program::serve(workspace, "tshark-serve", &config)?;
    let mut client = Client::new(&served.url);
    sim_checks::log_in(&mut client)?;
    eventually(PATIENCE, "complete reading", || {
        sim_checks::complete_reading(&client)
    })?;
    served.interrupt()?;
    let record = relay.finish();
    report.check(
        "our console: falls back to suite 3, all that ipmi_sim has",
        agreed_suite_3(&record),
    );
    let asked = judge("our console", folder, &record, ipmi_sim::PASSWORD, report)?;
    let missing: Vec<String> = CONSOLE_ASKS
        .iter()
        .filter(|name| !asked.contains(**name))
        .map(|name| format!("no {name} among {asked:?}"))
        .collect();
    report.check(
        "our console: Wireshark names every request",
        none_of(&missing),
    );
    Ok(())
}

/// The Open Session Response (payload type 11h) that agrees must name HMAC-SHA1, HMAC-SHA1-96 and AES-CBC-128.
fn agreed_suite_3(record: &[Datagram]) -> Result {
    let agreed = record.iter().find_map(|datagram| {
        let bytes = &datagram.bytes;
        let agrees = bytes.get(4..6) == Some(&[6, 0x11]) && bytes.get(17) == Some(&0);
        // The algorithm's number is the fifth byte of each of three payloads, after 12 bytes of response.
        let algorithms = [28, 36, 44].map(|at| bytes.get(at + 4).copied());
        agrees.then_some(algorithms)
    });
    same("algorithms", &agreed, &Some([Some(1), Some(1), Some(1)]))
}

/// ipmitool talking to our virtual BMC, through the relay.
fn our_bmc(workspace: &Workspace, folder: &Path, report: &mut Report) -> Result {
    let demo = program::demo(workspace, "tshark-demo", 4)?;
    let Some(target) = demo.bmcs.first() else {
        return Err("the demo names no BMC".into());
    };
    for suite in [3, 17] {
        let relay = Relay::start(format!("{}:{}", target.address, target.port).parse()?)?;
        let relayed = Target {
            address: "127.0.0.1".to_owned(),
            port: relay.port,
            ..target.clone()
        };
        for arguments in [
            &["sdr", "elist"][..],
            &["chassis", "status"],
            &["fru"],
            &["sel", "list"],
            &["mc", "info"],
        ] {
            ipmitool::call(&relayed, suite, arguments)?.expect_success()?;
        }
        let record = relay.finish();
        judge(
            &format!("our BMC, suite {suite}"),
            folder,
            &record,
            &target.password,
            report,
        )?;
    }
    demo.interrupt()
}

/// Opens a record, lets tshark decode it, and returns the names of all requests.
fn judge(
    who: &str,
    folder: &Path,
    record: &[Datagram],
    password: &str,
    report: &mut Report,
) -> Result<BTreeSet<String>> {
    let opened = match tap::open(record, password.as_bytes(), None) {
        Ok(opened) => opened,
        Err(error) => {
            report.check(
                &format!("{who}: every code and padding is right"),
                Err(error),
            );
            return Ok(BTreeSet::new());
        }
    };
    report.note(&format!(
        "{who}: {} datagrams, {} codes checked",
        record.len(),
        opened.codes_checked
    ));
    let enough = opened.codes_checked > record.len() / 2;
    report.check(
        &format!("{who}: every code and padding is right"),
        if enough {
            Ok(())
        } else {
            Err("hardly anything was protected".into())
        },
    );
    let complaints = tshark::complaints(folder, &opened.plain)?;
    report.check(
        &format!("{who}: Wireshark has nothing to complain about"),
        none_of(&complaints),
    );
    let infos = tshark::fields(folder, &opened.plain, &["_ws.col.Info"])?;
    let asked = infos
        .lines()
        .zip(&opened.plain)
        .filter(|(_, datagram)| datagram.direction == Direction::ToBmc)
        .filter_map(|(info, _)| info.strip_prefix("Req, ").map(str::to_owned))
        .collect();
    Ok(asked)
}
