//! DMTF's Interop Validator with the profiles of the Open Compute Project: no failure but those that have a reason.

use std::fs;

use super::interop_expected::{Expected, MANAGER, SIM, WHOLE};
use super::subject::Subject;
use super::{Counts, FEW_NODES, LIMIT, log_of, save, validator};
use crate::Result;
use crate::peers::report::{Report, none_of};
use crate::process::run;
use crate::workspace::Workspace;

/// Where the profiles lie, from the workspace's root. They are not part of this repository.
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

/// Over a demo: its machines have everything that the profiles ask for.
///
/// # Errors
/// Where it can't be run or says no counts.
pub(crate) fn interop(workspace: &Workspace, report: &mut Report) -> Result {
    let subject = || Subject::demo(workspace, "interop-validator", FEW_NODES);
    validate(workspace, subject, &[&MANAGER], report)
}

/// Over one machine whose BMC others wrote, and which lacks what its BMC doesn't tell.
///
/// # Errors
/// As [`interop`].
pub(crate) fn interop_sim(workspace: &Workspace, report: &mut Report) -> Result {
    let subject = || Subject::sim(workspace, "interop-validator-sim");
    validate(workspace, subject, &[&MANAGER, &SIM], report)
}

fn validate(
    workspace: &Workspace,
    subject: impl FnOnce() -> Result<Subject>,
    expected: &[&[Expected]],
    report: &mut Report,
) -> Result {
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
    let subject = subject()?;
    for (file, name) in PROFILE_FILES {
        let mut validator = validator(workspace, "rf_interop_validator", &subject);
        validator.args(["--authtype", "Session", "--logdir", "interop-reports"]);
        validator.arg(folder.join(name));
        let finished = run(validator, LIMIT)?;
        let said = save(
            workspace,
            &format!("{}-{file}.txt", subject.name),
            &finished,
        )?;
        let counts = Counts::from_table(&said).ok_or_else(|| finished.describe())?;
        let log = log_of(workspace, &said);
        let found = Found::in_log(&log);
        let uris = found.uris.len();
        report.note(&format!("{file}: {uris} URIs, {}", counts.text()));
        let [pass, _, fail, _] = counts.0;
        let all = match (pass, found.failures.len() as u64 == fail) {
            (1.., true) => Ok(()),
            _ => Err(format!("{} of {fail} are in the log", found.failures.len()).into()),
        };
        report.check(
            &format!("{file}: something passed, and every failure is known"),
            all,
        );
        let known = expected.iter().flat_map(|list| list.iter());
        let known: Vec<&Expected> = known.filter(|known| known.is_of(file)).collect();
        let name = format!("{file}: every failure has a reason, of {}", known.len());
        report.check(&name, none_of(&found.differences(&known)));
    }
    subject.end(report);
    Ok(())
}

/// What the validator's debug log says.
struct Found<'a> {
    /// What it looked at.
    uris: Vec<&'a str>,
    failures: Vec<Failure<'a>>,
}

/// One failure.
struct Failure<'a> {
    uri: &'a str,
    /// `/HostName`, or `/HostName (Write)`; indices are left out of it.
    requirement: String,
    text: &'a str,
}

impl<'a> Found<'a> {
    /// Reads `Validating URI...` and `FAIL - REQUIREMENT (value): text`.
    fn in_log(log: &'a str) -> Self {
        let mut found = Self {
            uris: Vec::new(),
            failures: Vec::new(),
        };
        for line in log.lines() {
            if let Some((_, uri)) = line.split_once(" - INFO - Validating /") {
                let start = line.len() - uri.len() - 1;
                found.uris.push(line[start..].trim_end_matches('.'));
            } else if let Some((_, text)) = line.split_once(" - ERROR - FAIL - ") {
                let whole = text.contains("across all instances in the service");
                let last = found.uris.last().copied().unwrap_or_default();
                found.failures.push(Failure {
                    uri: if whole { WHOLE } else { last },
                    requirement: requirement(text),
                    text,
                });
            }
        }
        found
    }

    /// Failures without a reason, and reasons for what doesn't fail any more.
    fn differences(&self, known: &[&Expected]) -> Vec<String> {
        let unexplained = self.failures.iter().filter(|failure| {
            let is = |known: &&Expected| known.is(failure.uri, &failure.requirement);
            !known.iter().any(is)
        });
        let unexplained = unexplained
            .map(|failure| format!("without a reason: {}: {}", failure.uri, failure.text));
        let stale = known.iter().filter(|known| {
            let failed = |failure: &Failure<'_>| known.is(failure.uri, &failure.requirement);
            let mut uris = self.uris.iter().chain(&[WHOLE]);
            uris.any(|uri| known.covers(uri)) && !self.failures.iter().any(failed)
        });
        let stale = stale.map(|known| {
            let Expected {
                uri, requirement, ..
            } = known;
            format!("it fails no more: {uri}: {requirement} ({})", known.reason)
        });
        unexplained.chain(stale).collect()
    }
}

/// The first words of a failure, up to its value.
fn requirement(text: &str) -> String {
    let path_end = text.find(" (").unwrap_or(text.len());
    let (path, rest) = text.split_at(path_end);
    let mut out: String = path
        .split('/')
        .skip(1)
        .filter(|name| name.parse::<usize>().is_err())
        .flat_map(|name| ["/", name])
        .collect();
    if let Some(kind) = [" (Write)", " (Count)"]
        .iter()
        .find(|kind| rest.starts_with(**kind))
    {
        out.push_str(kind);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
2026 - redfish - INFO - Validating /redfish/v1/Managers/A...
2026 - redfish - INFO - PASS - /Name (A): Property present
2026 - redfish - ERROR - FAIL - /SerialConsole ([Not Present]): Read Requirement Error: not present
2026 - redfish - INFO - Validating /redfish/v1/Managers/A/EthernetInterfaces/eth0...
2026 - redfish - ERROR - FAIL - /HostName (Write) (vm): Write Requirement Error: not writable
2026 - redfish - ERROR - FAIL - /IPv6Addresses/0/AddressState ([Not Present]): Read Requirement Error: not present
";

    fn expected(uri: &'static str, requirement: &'static str) -> Expected {
        Expected {
            profile: "",
            uri,
            requirement,
            reason: "why",
        }
    }

    #[test]
    fn every_failure_needs_a_reason_and_every_reason_a_failure() {
        let found = Found::in_log(LOG);
        assert_eq!(found.uris.len(), 2);
        let console = expected("/redfish/v1/Managers/A", "/SerialConsole");
        let name = expected(
            "/redfish/v1/Managers/A/EthernetInterfaces/*",
            "/HostName (Write)",
        );
        let state = expected(
            "/redfish/v1/Managers/*/EthernetInterfaces/*",
            "/IPv6Addresses/AddressState",
        );
        assert!(found.differences(&[&console, &name, &state]).is_empty());
        let [unexplained] = &found.differences(&[&name, &state])[..] else {
            panic!("one failure");
        };
        assert!(unexplained.contains("/SerialConsole"), "{unexplained}");
        let other = expected("/redfish/v1/Managers/A", "/UUID");
        let [stale] = &found.differences(&[&console, &name, &state, &other])[..] else {
            panic!("one reason");
        };
        assert!(stale.contains("fails no more"), "{stale}");
        // What isn't there can't fail.
        let elsewhere = expected("/redfish/v1/Managers/B", "/UUID");
        assert!(
            found
                .differences(&[&console, &name, &state, &elsewhere])
                .is_empty()
        );
    }
}
