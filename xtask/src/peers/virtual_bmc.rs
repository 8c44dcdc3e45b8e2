//! ipmitool and FreeIPMI with our virtual BMC: every command works without a workaround flag, and who may not log in
//! doesn't.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::program::{self, eventually};
use super::report::{Report, none_of};
use super::sensor::{self, Sensor};
use super::target::Target;
use super::{families, freeipmi, ipmitool, picmg, words};
use crate::Result;
use crate::process::{Finished, command, run as run_program};
use crate::workspace::Workspace;

/// The suites that the virtual BMC offers.
const SUITES: [u8; 2] = [17, 3];
/// Suites that ipmitool knows and the BMC must refuse; 0 is no protection at all.
const REFUSED_SUITES: [u8; 6] = [0, 1, 2, 6, 7, 15];
/// RMCP's own port, the only one that `ipmiping` knows.
const RMCP_PORT: u16 = 623;
/// How long a power change may take to show.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the checks.
///
/// # Errors
/// Where the demo doesn't start.
pub(crate) fn run(workspace: &Workspace, report: &mut Report) -> Result {
    // Root may bind RMCP's port, and then ipmiping can be tried, too.
    let (mut demo, can_ping) = match program::demo_at(workspace, "virtual-bmc", 4, RMCP_PORT) {
        Ok(demo) => (demo, true),
        Err(_) => (program::demo(workspace, "virtual-bmc", 4)?, false),
    };
    let target = &demo.bmcs.first().cloned().ok_or("the demo names no BMC")?;
    let cache = workspace.target.join("peers/sdr-cache");
    for suite in SUITES {
        ipmitool_reads(target, suite, report);
        ipmitool_changes(target, suite, report);
        demo.expect_running()?;
        freeipmi_works(target, suite, &cache, report);
        let agreed = sensors_agree(target, suite, &cache);
        report.check(
            &format!("suite {suite}: ipmitool and ipmi-sensors agree on every sensor"),
            agreed,
        );
    }
    demo.expect_running()?;
    families::run(target, &cache, report);
    words::run(workspace, target, report);
    demo.expect_running()?;
    report.check(
        "ipmitool hpm upgrade with an image of ours: the new version runs",
        upgrade(workspace, target),
    );
    refusals(target, &cache, report);
    if can_ping {
        report.check("ipmiping gets its pongs", ping(target));
    } else {
        report.note("ipmiping left out: only root may bind port 623, and it knows no other");
    }
    report.check("Ctrl-C ends it", demo.interrupt());
    picmg::run(workspace, report)
}

/// The standard output must have every one of these.
pub(super) fn says(finished: Finished, expected: &[&str]) -> Result {
    let complaint = finished.describe();
    let said = finished.expect_success()?;
    match expected.iter().find(|text| !said.contains(*text)) {
        None => Ok(()),
        Some(text) => Err(format!("{text:?} is missing\n{complaint}").into()),
    }
}

/// ipmitool says exactly this within some time.
pub(super) fn eventually_says(
    target: &Target,
    suite: u8,
    arguments: &[&str],
    wanted: &str,
) -> Result {
    eventually(PATIENCE, wanted, || {
        let said = ipmitool::call(target, suite, arguments)?.expect_success()?;
        Ok((said.trim() == wanted).then_some(()))
    })
}

/// ipmitool takes our upgrade image for one, finds what is different in it, and installs it.
fn upgrade(workspace: &Workspace, target: &Target) -> Result {
    const SUITE: u8 = 17;
    let image = workspace.target.join("peers/upgrade.hpm");
    let mut make = command(program::binary(workspace)?);
    make.args([
        "vbmc",
        "firmware",
        "--component",
        "bmc",
        "--version",
        "5.07",
    ]);
    make.args(["--size-kib", "64", "--output"]).arg(&image);
    run_program(make, PATIENCE)?.expect_success()?;
    let image = image.to_str().ok_or("no path in UTF-8")?;
    let check = ipmitool::call(target, SUITE, &["hpm", "check", image])?;
    says(check, &["APP", "2.14", "5.07"])?;
    let upgrade = ipmitool::call(target, SUITE, &["hpm", "upgrade", image, "activate"])?;
    // That it succeeded it says on the error output, and another says it better.
    upgrade.expect_success()?;
    says(
        ipmitool::call(target, SUITE, &["mc", "info"])?,
        &["Firmware Revision         : 5.07"],
    )
}

fn ipmitool_reads(target: &Target, suite: u8, report: &mut Report) {
    let commands: [(&[&str], &[&str]); 10] = [
        (
            &["mc", "info"],
            &["IPMI Version              : 2.0", "Sensor Device"],
        ),
        (&["mc", "guid"], &["System GUID"]),
        (&["sdr", "elist"], &["degrees C", "RPM", "Volts", "Watts"]),
        (&["sdr", "elist", "all"], &["degrees C"]),
        (&["sensor"], &["degrees C", "RPM", "Watts"]),
        (&["sel", "info"], &["Version", "Entries"]),
        (&["sel", "list"], &[]),
        (&["fru"], &["Product Name", "Product Serial", "Board Mfg"]),
        (
            &["chassis", "status"],
            &["System Power         : on", "Power Overload"],
        ),
        (&["chassis", "power", "status"], &["Chassis Power is on"]),
    ];
    for (arguments, expected) in commands {
        let outcome =
            ipmitool::call(target, suite, arguments).and_then(|finished| says(finished, expected));
        report.check(
            &format!("suite {suite}: ipmitool {}", arguments.join(" ")),
            outcome,
        );
    }
    let sensors = ipmitool::sensors(target, suite).and_then(|sensors| match sensors.len() {
        20.. => Ok(()),
        count => Err(format!("only {count} sensors").into()),
    });
    report.check(&format!("suite {suite}: 20 sensors or more"), sensors);
}

fn ipmitool_changes(target: &Target, suite: u8, report: &mut Report) {
    let boot = || -> Result {
        ipmitool::call(target, suite, &["chassis", "bootdev", "pxe"])?.expect_success()?;
        says(
            ipmitool::call(target, suite, &["chassis", "bootparam", "get", "5"])?,
            &["Force PXE"],
        )?;
        ipmitool::call(target, suite, &["chassis", "bootdev", "none"])?.expect_success()?;
        says(
            ipmitool::call(target, suite, &["chassis", "bootparam", "get", "5"])?,
            &["No override"],
        )
    };
    report.check(&format!("suite {suite}: ipmitool chassis bootdev"), boot());
    let power = || -> Result {
        for (verb, state) in [("off", "off"), ("on", "on")] {
            ipmitool::call(target, suite, &["chassis", "power", verb])?.expect_success()?;
            let wanted = format!("Chassis Power is {state}");
            eventually_says(target, suite, &["chassis", "power", "status"], &wanted)?;
        }
        Ok(())
    };
    report.check(
        &format!("suite {suite}: ipmitool chassis power off and on"),
        power(),
    );
    let identify = ipmitool::call(target, suite, &["chassis", "identify", "1"]);
    report.check(
        &format!("suite {suite}: ipmitool chassis identify"),
        identify.and_then(|f| says(f, &[])),
    );
}

fn freeipmi_works(target: &Target, suite: u8, cache: &Path, report: &mut Report) {
    let commands: [(&str, &[&str], &[&str]); 8] = [
        ("bmc-info", &[], &["IPMI Version", "2.0"]),
        ("ipmi-sensors", &[], &["Temperature", "RPM"]),
        ("ipmi-sel", &[], &[]),
        ("ipmi-sel", &["--info"], &["SEL version"]),
        (
            "ipmi-fru",
            &[],
            &["FRU Product Name", "FRU Product Serial Number"],
        ),
        (
            "ipmi-chassis",
            &["--get-chassis-status"],
            &["System Power", "on"],
        ),
        ("ipmi-chassis", &["--chassis-identify=1"], &[]),
        ("ipmipower", &["--stat"], &[": on"]),
    ];
    for (tool, arguments, expected) in commands {
        let outcome = freeipmi::call(tool, target, suite, cache, arguments)
            .and_then(|finished| says(finished, expected));
        report.check(
            &format!("suite {suite}: {tool} {}", arguments.join(" ")),
            outcome,
        );
    }
    let power = || -> Result {
        for (verb, state) in [("--off", ": off"), ("--on", ": on")] {
            freeipmi::call("ipmipower", target, suite, cache, &[verb])?.expect_success()?;
            eventually(PATIENCE, state, || {
                let said = freeipmi::call("ipmipower", target, suite, cache, &["--stat"])?
                    .expect_success()?;
                Ok(said.contains(state).then_some(()))
            })?;
        }
        Ok(())
    };
    report.check(&format!("suite {suite}: ipmipower --off and --on"), power());
}

/// Both programs must see the same sensors with the same units and limits. Values move between two calls.
fn sensors_agree(target: &Target, suite: u8, cache: &Path) -> Result {
    let ours: BTreeMap<u8, Sensor> = ipmitool::sensors(target, suite)?;
    let theirs = freeipmi::sensors(target, suite, cache, &[])?;
    let mut problems = Vec::new();
    if ours.len() != theirs.len() {
        problems.push(format!(
            "ipmitool has {} sensors, ipmi-sensors {}",
            ours.len(),
            theirs.len()
        ));
    }
    for (ours, theirs) in ours.values().zip(theirs) {
        if ours.name != theirs.name {
            problems.push(format!(
                "{} and {} in the same place",
                ours.name, theirs.name
            ));
        }
        if ours.value.is_some() != theirs.value.is_some() {
            problems.push(format!(
                "{}: {:?} and {:?}",
                ours.name, ours.value, theirs.value
            ));
        }
        let theirs = Sensor {
            value: ours.value,
            ..theirs
        };
        problems.extend(sensor::differences(ours, &theirs, "ipmi-sensors", 2));
    }
    none_of(&problems)
}

/// A login that must fail, and what the program says about it.
fn refused(finished: &Finished, reasons: &[&str]) -> Result {
    if finished.succeeded() {
        return Err(format!("it worked\n{}", finished.describe()).into());
    }
    let said = format!("{}{}", finished.stdout, finished.stderr);
    let known = reasons.iter().any(|reason| said.contains(reason));
    if known {
        Ok(())
    } else {
        Err(format!("refused, but not for {reasons:?}\n{}", finished.describe()).into())
    }
}

fn refusals(target: &Target, cache: &Path, report: &mut Report) {
    let wrong = target.with_password("certainly-wrong");
    for suite in SUITES {
        let outcome = ipmitool::call(&wrong, suite, &["mc", "info"]).and_then(|finished| {
            refused(
                &finished,
                &["RAKP 2 HMAC is invalid", "Unable to establish"],
            )
        });
        report.check(
            &format!("suite {suite}: a wrong password is refused (ipmitool)"),
            outcome,
        );
        let outcome = freeipmi::call("bmc-info", &wrong, suite, cache, &[]).and_then(|finished| {
            refused(&finished, &["password invalid", "password verification"])
        });
        report.check(
            &format!("suite {suite}: a wrong password is refused (bmc-info)"),
            outcome,
        );
    }
    let stranger = Target {
        username: "nobody".to_owned(),
        ..target.clone()
    };
    let outcome = ipmitool::call(&stranger, 17, &["mc", "info"])
        .and_then(|finished| refused(&finished, &["unauthorized name", "Unable to establish"]));
    report.check("an unknown user is refused", outcome);
    refused_suites(target, cache, report);
    let outcome =
        ipmitool::call(target, 17, &["mc", "info"]).and_then(|finished| says(finished, &[]));
    report.check("and the right login still works", outcome);
}

fn refused_suites(target: &Target, cache: &Path, report: &mut Report) {
    for suite in REFUSED_SUITES {
        let outcome = ipmitool::call(target, suite, &["mc", "info"]).and_then(|finished| {
            refused(
                &finished,
                &["Unable to establish", "invalid", "no matching cipher suite"],
            )
        });
        report.check(
            &format!("cipher suite {suite} is refused (ipmitool)"),
            outcome,
        );
    }
    let outcome = freeipmi::call("bmc-info", target, 0, cache, &[]).and_then(|finished| {
        refused(
            &finished,
            &["cipher suite id unavailable", "bad rmcpplus status code"],
        )
    });
    report.check("cipher suite 0 is refused (bmc-info)", outcome);
    let mut old = command("ipmitool");
    old.args([
        "-I",
        "lan",
        "-H",
        &target.address,
        "-p",
        &target.port.to_string(),
        "-U",
        &target.username,
    ]);
    old.arg("-E")
        .env("IPMITOOL_PASSWORD", &target.password)
        .args(["mc", "info"]);
    let outcome = run_program(old, Duration::from_secs(60)).and_then(|finished| {
        refused(
            &finished,
            &["Unable to establish", "Authentication type", "Error"],
        )
    });
    report.check("an IPMI 1.5 session is refused", outcome);
}

fn ping(target: &Target) -> Result {
    let mut ping = command("ipmiping");
    ping.args(["-c", "3", "-i", "1", &target.address]);
    says(
        run_program(ping, Duration::from_secs(30))?,
        &["3 responses received"],
    )
}
