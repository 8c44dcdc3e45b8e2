//! DMTF's validators over the demo, and over the service in front of a BMC that others wrote.

mod front_door;
mod interop;
mod interop_expected;
mod protocol;
mod protocol_untested;
mod subject;

use std::fs;
use std::process::Command;
use std::time::Duration;

pub(crate) use interop::{interop, interop_sim};
pub(crate) use protocol::{protocol, protocol_sim};

use serde_json::json;

use self::subject::Subject;
use super::program::eventually;
use super::report::Report;
use crate::Result;
use crate::process::{Finished, command, run};
use crate::test::python_home;
use crate::workspace::Workspace;

/// How long a validator may take.
const LIMIT: Duration = Duration::from_secs(60 * 60);
/// One sled of nodes in its block and rack, with power bays: every kind of resource that the demo has.
const FEW_NODES: u32 = 4;
/// As many nodes as the demo has without options.
const RACK_NODES: u32 = 96;
/// Where no BMC is: RFC 6761 §6.4 says so. Addresses of this machine are refused.
const NOWHERE: &str = "nowhere.invalid";
/// How long it may take until that is noticed.
const PATIENCE: Duration = Duration::from_secs(60);

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

fn validator(workspace: &Workspace, name: &str, subject: &Subject) -> Command {
    let mut validator = command(python_home(workspace).join("bin").join(name));
    validator.current_dir(workspace.target.join("peers"));
    let program = &subject.program;
    validator.args(["-r", &subject.url, "-u", &program.username]);
    validator.args(["-p", &program.password]);
    validator
}

/// The Service Validator over the whole tree of a small demo. It must find no error.
///
/// # Errors
/// Where it can't be run or says no counts.
pub(crate) fn service(workspace: &Workspace, report: &mut Report) -> Result {
    let demo = Subject::demo(workspace, "service-validator", FEW_NODES)?;
    validate_tree(workspace, demo, report)
}

/// The same over the tree of a full rack: the same kinds of resources, 24 times as many.
///
/// # Errors
/// As [`service`].
pub(crate) fn service_rack(workspace: &Workspace, report: &mut Report) -> Result {
    let demo = Subject::demo(workspace, "service-validator", RACK_NODES)?;
    validate_tree(workspace, demo, report)
}

/// The same over the tree of one machine whose BMC others wrote, and of one that a client has named and nobody reaches.
///
/// # Errors
/// As [`service`].
pub(crate) fn service_sim(workspace: &Workspace, report: &mut Report) -> Result {
    let sim = Subject::sim(workspace, "service-validator-sim")?;
    let client = sim.program.client()?;
    let nowhere = json!({"HostName": NOWHERE, "Id": "nowhere", "UserName": "u", "Password": "p"});
    let sources = "/redfish/v1/AggregationService/AggregationSources";
    client
        .request("POST", sources, Some(&nowhere))?
        .expect_success(sources)?;
    eventually(PATIENCE, "source that can't be reached", || {
        let source = client.get(&format!("{sources}/nowhere"))?;
        Ok((source["Status"]["State"] == "UnavailableOffline").then_some(()))
    })?;
    validate_tree(workspace, sim, report)
}

/// Every resource against DMTF's CSDL, offline.
fn validate_tree(workspace: &Workspace, subject: Subject, report: &mut Report) -> Result {
    let schema = workspace
        .package_folder("nv-redfish-schema")?
        .join("redfish-csdl/csdl");
    let mut validator = validator(workspace, "rf_service_validator", &subject);
    validator.args(["--authtype", "Session", "--skipschema"]);
    validator.args(["--logdir", "service-validator-reports"]);
    validator.arg("--schema_directory").arg(schema);
    let finished = run(validator, LIMIT)?;
    let said = save(workspace, &format!("{}.txt", subject.name), &finished)?;
    let counts = Counts::from_table(&said).ok_or_else(|| finished.describe())?;
    let uris = said.lines().filter(|line| line.starts_with("Validating /"));
    report.note(&format!("{} URIs, {}", uris.count(), counts.text()));
    subject.end(report);
    let errors = lines_with(&log_of(workspace, &said), " ERROR ");
    report.check("0 errors over the whole tree", counts.judge(&errors));
    Ok(())
}

/// What the validator said, kept beside its reports.
fn save(workspace: &Workspace, file: &str, finished: &Finished) -> Result<String> {
    let said = without_colours(&format!("{}{}", finished.stdout, finished.stderr));
    fs::write(workspace.target.join("peers").join(file), &said)?;
    Ok(said)
}

/// The debug log that two of the validators name at their end; their other output only counts what they find.
fn log_of(workspace: &Workspace, said: &str) -> String {
    let path = said
        .lines()
        .find_map(|line| line.strip_prefix("Debug Log:"));
    let folder = workspace.target.join("peers");
    let log = path.and_then(|path| fs::read_to_string(folder.join(path.trim())).ok());
    log.unwrap_or_default()
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
