//! DMTF's validators over the demo.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::program::{self, Program, eventually};
use super::report::Report;
use crate::Result;
use crate::process::{Finished, command, run};
use crate::test::python_home;
use crate::workspace::Workspace;

/// How long a validator may take.
const LIMIT: Duration = Duration::from_secs(60 * 60);
/// How long the first complete reading of all nodes may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// One sled of nodes in its block and rack, with power bays: every kind of resource that the demo has.
const FEW_NODES: u32 = 4;
/// As many nodes as the demo has without options.
const RACK_NODES: u32 = 96;

/// PASS, WARN, FAIL and NOT TESTED.
#[derive(Debug, PartialEq)]
struct Counts([u64; 4]);

impl Counts {
    /// The row of four numbers under the header that both other validators print.
    fn from_table(said: &str) -> Option<Self> {
        let plain = without_colours(said);
        let mut rows = plain
            .lines()
            .skip_while(|line| !line.contains("NOT TESTED"))
            .skip(1);
        let row = rows.find(|line| line.contains(|c: char| c.is_ascii_digit()))?;
        Self::from_numbers(row)
    }

    /// `Summary - PASS: 1, WARN: 2, FAIL: 3, NOT_TESTED: 4`.
    fn from_line(said: &str) -> Option<Self> {
        let plain = without_colours(said);
        Self::from_numbers(plain.lines().find(|line| line.contains("NOT_TESTED:"))?)
    }

    fn from_numbers(text: &str) -> Option<Self> {
        let words = text
            .split(|c: char| !c.is_ascii_digit())
            .filter(|word| !word.is_empty());
        let numbers: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
        numbers.try_into().ok().map(Self)
    }

    /// Good where something passed and nothing failed; else what the validator says of the failures.
    fn judge(&self, details: &str) -> Result {
        match self {
            Self([1..=u64::MAX, _, 0, _]) => Ok(()),
            _ => Err(format!("{}\n{details}", self.text()).into()),
        }
    }

    fn text(&self) -> String {
        let [pass, warn, fail, untested] = self.0;
        format!("PASS {pass}, WARN {warn}, FAIL {fail}, NOT TESTED {untested}")
    }
}

/// Removes terminal colours: escape, bracket, up to the letter m.
fn without_colours(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    out
}

/// A demo whose every node has been read once.
fn settled_demo(workspace: &Workspace, name: &str, nodes: u32) -> Result<Program> {
    let demo = program::demo(workspace, name, nodes)?;
    let client = demo.client()?;
    let last = demo.bmcs.last().ok_or("the demo names no BMC")?;
    eventually(PATIENCE, "reading of the last node", || {
        let sensors = client.members(&format!("/redfish/v1/Chassis/{}/Sensors", last.name))?;
        Ok(sensors
            .iter()
            .any(|sensor| sensor["Reading"].is_number())
            .then_some(()))
    })?;
    Ok(demo)
}

fn validator(workspace: &Workspace, name: &str, demo: &Program) -> Command {
    let mut validator = command(python_home(workspace).join("bin").join(name));
    validator.current_dir(workspace.target.join("peers"));
    validator.args(["-r", &demo.url, "-u", &demo.username, "-p", &demo.password]);
    validator
}

/// The Service Validator over the whole tree of a small demo. It must find no error.
///
/// # Errors
/// Where it can't be run or says no counts.
pub(crate) fn service(workspace: &Workspace, report: &mut Report) -> Result {
    validate_tree(workspace, FEW_NODES, report)
}

/// The same over the tree of a full rack: the same kinds of resources, 24 times as many.
///
/// # Errors
/// As [`service`].
pub(crate) fn service_rack(workspace: &Workspace, report: &mut Report) -> Result {
    validate_tree(workspace, RACK_NODES, report)
}

/// Every resource against DMTF's CSDL, offline.
fn validate_tree(workspace: &Workspace, nodes: u32, report: &mut Report) -> Result {
    let schema = workspace
        .package_folder("nv-redfish-schema")?
        .join("redfish-csdl/csdl");
    let demo = settled_demo(workspace, "service-validator", nodes)?;
    let mut validator = validator(workspace, "rf_service_validator", &demo);
    validator.args([
        "--authtype",
        "Session",
        "--skipschema",
        "--logdir",
        "service-validator-reports",
    ]);
    validator.arg("--schema_directory").arg(schema);
    let finished = run(validator, LIMIT)?;
    let said = save(workspace, "service-validator.txt", &finished)?;
    let counts = Counts::from_table(&said).ok_or_else(|| finished.describe())?;
    report.note(&counts.text());
    // A demo that ended under the validator would be the reason for whatever it found.
    report.check("the demo lived through it", demo.interrupt());
    let name = format!("0 errors over the whole tree of {nodes} nodes");
    report.check(&name, counts.judge(&errors_of_log(workspace, &said)));
    Ok(())
}

/// The Protocol Validator. It must find no failure.
///
/// # Errors
/// Where it can't be run or says no counts.
pub(crate) fn protocol(workspace: &Workspace, report: &mut Report) -> Result {
    let demo = settled_demo(workspace, "protocol-validator", FEW_NODES)?;
    let mut validator = validator(workspace, "rf_protocol_validator", &demo);
    validator.args([
        "--no-cert-check",
        "--report-dir",
        "protocol-validator-reports",
    ]);
    let finished = run(validator, LIMIT)?;
    let said = save(workspace, "protocol-validator.txt", &finished)?;
    let counts = Counts::from_line(&said).ok_or_else(|| finished.describe())?;
    report.note(&counts.text());
    // A demo that ended under the validator would be the reason for whatever it found.
    report.check("the demo lived through it", demo.interrupt());
    report.check("0 failures", counts.judge(&lines_with(&said, "FAIL")));
    Ok(())
}

/// Where the interoperability profiles of the Open Compute Project lie, from the workspace's root. They are not part of
/// this repository.
const PROFILES: &str = "../shared/profiles";
/// The two profiles, by the names of their files, and under which names the validator gets them. It takes the smallest
/// version of a profile that another one asks for; that is 1.0.0, whose `ProtocolEnable` is a misspelling that 1.0.1
/// mends.
const PROFILE_FILES: [(&str, &str); 2] = [
    (
        "OCPBaselineHardwareManagement.v1_0_1.json",
        "OCPBaselineHardwareManagement.v1_0_0.json",
    ),
    (
        "OCPServerHardwareManagement.v0_2_4.json",
        "OCPServerHardwareManagement.v0_2_4.json",
    ),
];

/// The manager that is the service itself. The profiles ask of every manager that its network settings can be written;
/// the service runs on a host whose network is not its business.
const OWN_MANAGER: &str = "/redfish/v1/Managers/RedDrum";

/// The Interop Validator with the profiles for hardware in general and for servers. It must find no failure in what the
/// machines are.
///
/// # Errors
/// Where it can't be run or says no counts.
pub(crate) fn interop(workspace: &Workspace, report: &mut Report) -> Result {
    let source = workspace.path(PROFILES);
    if !source.is_dir() {
        report.note(&format!(
            "LEFT OUT: no folder {PROFILES} with the profiles {} and {}",
            PROFILE_FILES[0].0, PROFILE_FILES[1].0
        ));
        report.add(0, 0, PROFILE_FILES.len());
        return Ok(());
    }
    let folder = workspace.target.join("peers/profiles");
    fs::create_dir_all(&folder)?;
    for (file, name) in PROFILE_FILES {
        let from = source.join(file);
        fs::copy(&from, folder.join(name))
            .map_err(|error| format!("{}: {error}", from.display()))?;
    }
    let demo = settled_demo(workspace, "interop-validator", FEW_NODES)?;
    for (file, name) in PROFILE_FILES {
        let mut validator = validator(workspace, "rf_interop_validator", &demo);
        validator.args(["--authtype", "Session", "--logdir", "interop-reports"]);
        validator.arg(folder.join(name));
        let finished = run(validator, LIMIT)?;
        let said = save(workspace, &format!("{file}.txt"), &finished)?;
        let counts = Counts::from_table(&said).ok_or_else(|| finished.describe())?;
        let failures = failures_by_uri(&said);
        report.note(&format!(
            "{file}: {} URIs, {}",
            failures.len(),
            counts.text()
        ));
        let own = failures
            .iter()
            .filter(|(uri, _)| uri.starts_with(OWN_MANAGER));
        let own: u64 = own.map(|(_, count)| count).sum();
        let [pass, warn, fail, untested] = counts.0;
        if own > 0 {
            report.note(&format!(
                "{own} of the failures are of {OWN_MANAGER}, the service on its host"
            ));
        }
        let others = Counts([pass, warn, fail.saturating_sub(own), untested]);
        let name = format!("0 failures of the machines with {file}");
        report.check(&name, others.judge(&errors_of_log(workspace, &said)));
    }
    // A demo that ended under the validator would be the reason for whatever it found.
    report.check("the demo lived through it", demo.interrupt());
    Ok(())
}

/// How many failures the Interop Validator counted at each URI, from its lines `Validating URI...` and
/// `  - Pass: 1, Warn: 0, Fail: 2, Skip: 3`.
fn failures_by_uri(said: &str) -> Vec<(&str, u64)> {
    let mut uris: Vec<(&str, u64)> = Vec::new();
    for line in said.lines() {
        if let Some(uri) = line.strip_prefix("Validating /") {
            let len = uri.trim_end_matches("...").len();
            uris.push((&line["Validating ".len()..][..len + 1], 0));
        } else if let (Some((_, fail)), Some(last)) = (line.split_once("Fail: "), uris.last_mut()) {
            let digits = fail.split(',').next().unwrap_or_default();
            last.1 += digits.trim().parse::<u64>().unwrap_or_default();
        }
    }
    uris
}

/// What the validator said, kept beside its reports.
fn save(workspace: &Workspace, file: &str, finished: &Finished) -> Result<String> {
    let said = without_colours(&format!("{}{}", finished.stdout, finished.stderr));
    fs::write(workspace.target.join("peers").join(file), &said)?;
    Ok(said)
}

/// The errors in the debug log that the Service Validator names at its end; its other output only counts them.
fn errors_of_log(workspace: &Workspace, said: &str) -> String {
    let path = said
        .lines()
        .find_map(|line| line.strip_prefix("Debug Log:"));
    let folder = workspace.target.join("peers");
    let log = path.and_then(|path| fs::read_to_string(folder.join(path.trim())).ok());
    lines_with(&log.unwrap_or_default(), " ERROR ")
}

/// The first lines that have this word.
fn lines_with(said: &str, word: &str) -> String {
    const SHOWN_MAX: usize = 40;
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| line.contains(word))
        .take(SHOWN_MAX)
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_both_formats_are_read() {
        let table = "+--+\n|  PASS  | WARN | FAIL | NOT TESTED |\n+---+\n| \u{1b}[32m  12 \u{1b}[0m | 0 | 3 | 44 |\n";
        assert_eq!(Counts::from_table(table), Some(Counts([12, 0, 3, 44])));
        let line = "Summary - \u{1b}[32mPASS: 289\u{1b}[0m, WARN: 0, FAIL: 4, NOT_TESTED: 50\n";
        assert_eq!(Counts::from_line(line), Some(Counts([289, 0, 4, 50])));
        assert_eq!(Counts::from_line("nothing"), None);
    }

    #[test]
    fn failures_are_counted_by_uri() {
        let said = "Validating /redfish/v1/...\n  - Pass: 7, Warn: 0, Fail: 0, Skip: 0\n\
            Validating /redfish/v1/Managers/A...\n  - Pass: 7, Warn: 0, Fail: 12, Skip: 1\n";
        assert_eq!(
            failures_by_uri(said),
            [("/redfish/v1/", 0), ("/redfish/v1/Managers/A", 12)]
        );
    }

    #[test]
    fn a_run_without_a_pass_or_with_a_failure_is_no_good() {
        assert!(Counts([12, 3, 0, 4]).judge("").is_ok());
        assert!(Counts([0, 0, 0, 4]).judge("").is_err());
        let error = Counts([12, 0, 1, 0])
            .judge("FAIL here")
            .unwrap_err()
            .to_string();
        assert!(error.contains("FAIL here"), "{error}");
    }
}
