//! Words that `reddrum ipmi` has from ipmitool: what ours sets ipmitool sees, what ipmitool sets ours sees, and what both list
//! is the same.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cli_checks::{field, ours};
use super::ipmitool;
use super::report::{Report, same};
use super::target::Target;
use super::virtual_bmc::says;
use crate::Result;
use crate::workspace::Workspace;

/// The suite that ipmitool asks with; ours finds it by itself.
const SUITE: u8 = 17;

/// What ours sets, what ipmitool is asked then, and what it must say.
const SET: [(&str, &str, &str); 7] = [
    (
        "chassis bootparam set bootflag force_pxe options=no-timeout,no-PEF",
        "chassis bootparam get 5",
        "Force PXE",
    ),
    (
        "bootparam set bootflag force_pxe options=PEF",
        "chassis bootparam get 3",
        "Boot parameter data: 08",
    ),
    (
        "lan set 1 vlan priority 3",
        "lan print 1",
        "802.1q VLAN Priority    : 3",
    ),
    (
        "lan set 1 snmp traps-4-us",
        "lan print 1",
        "SNMP Community String   : traps-4-us",
    ),
    ("lan set 1 access on", "channel info 1", "always available"),
    ("pef filter disable 1", "pef filter list", " 1 | disabled"),
    ("pef filter enable 1", "pef filter list", " 1 | enabled"),
];

/// Runs the checks.
pub(super) fn run(workspace: &Workspace, target: &Target, report: &mut Report) {
    let ours = |line: &str| ours(workspace, target, line);
    for (line, question, expected) in SET {
        let seen = ours(line).and_then(|_| {
            let words: Vec<&str> = question.split(' ').collect();
            says(ipmitool::call(target, SUITE, &words)?, &[expected])
        });
        let name = format!("'reddrum ipmi {line}': ipmitool sees it");
        report.check(&name, seen);
    }
    let checks: [(&str, Result); 4] = [
        ("chassis bootparam set bootflag", bootflag(target, &ours)),
        ("sel list 2", events(target, &ours)),
        ("channel authcap 1 4", log_in(target, &ours)),
        ("pef policy list", policies(target, &ours)),
    ];
    for (what, outcome) in checks {
        report.check(&format!("'{what}' is the same here and there"), outcome);
    }
}

type Ours<'a> = &'a dyn Fn(&str) -> Result<Value>;

fn theirs(target: &Target, line: &str) -> Result<String> {
    let words: Vec<&str> = line.split(' ').collect();
    ipmitool::call(target, SUITE, &words)?.expect_success()
}

/// What ipmitool sets with the same words.
fn bootflag(target: &Target, ours: Ours<'_>) -> Result {
    let line = "chassis bootparam set bootflag force_bios options=timeout,no-watchdog";
    theirs(target, line)?;
    let device = ours("boot")?["device"].clone();
    ours(line)?;
    same("the device", &ours("boot")?["device"], &device)?;
    // The bit that ipmitool set and the one that it cleared.
    let kept = &ours("bootparam get 3")?["data"];
    same("what does not clear it", kept, &Value::from("04"))?;
    theirs(target, "chassis bootdev none").map(drop)
}

fn numbers(entries: &Value, key: &str) -> Vec<u64> {
    let entries = entries.as_array().into_iter().flatten();
    entries.filter_map(|entry| entry[key].as_u64()).collect()
}

/// The same entries, from the same end.
fn events(target: &Target, ours: Ours<'_>) -> Result {
    let said = theirs(target, "sel list 2")?;
    let theirs = said.lines().filter_map(|line| {
        let (id, _) = line.split_once('|')?;
        u64::from_str_radix(id.trim(), 16).ok()
    });
    let theirs: Vec<u64> = theirs.collect();
    same("the entries", &theirs.len(), &2)?;
    same(
        "the entries",
        &numbers(&ours("sel list 2")?["entries"], "id"),
        &theirs,
    )
}

fn log_in(target: &Target, ours: Ours<'_>) -> Result {
    let (said, theirs) = (
        ours("channel authcap 1 4")?,
        theirs(target, "channel authcap 1 4")?,
    );
    let sessions = said["sessions"].to_string();
    for version in ["1.5", "2.0"] {
        let found = sessions.contains(&format!("IPMI {version}"));
        let expected = field(&theirs, &format!("Channel supports IPMI v{version}"))?;
        same(version, &found, &(expected == "yes"))?;
    }
    Ok(())
}

fn policies(target: &Target, ours: Ours<'_>) -> Result {
    let said = theirs(target, "pef policy list")?;
    let entry = |line: &str| {
        let (name, number) = line.split_once(':')?;
        name.contains("Alert policy table entry")
            .then(|| number.trim().parse().ok())?
    };
    let theirs: BTreeSet<u64> = said.lines().filter_map(entry).collect();
    let ours = ours("pef policy list")?;
    let ours = ours["policies"].as_array().into_iter().flatten();
    // ipmitool leaves out those that are off.
    let ours = ours.filter(|policy| policy["enabled"] == true);
    let ours: BTreeSet<u64> = ours.filter_map(|policy| policy["entry"].as_u64()).collect();
    same("the entries", &ours, &theirs)
}
