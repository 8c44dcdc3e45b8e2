//! DMTF's Protocol Validator: no failure, and a reason for everything that it leaves out.

use std::collections::BTreeSet;
use std::fs;

use super::protocol_untested::{Open, WARNINGS, untested};
use super::subject::Subject;
use super::{Counts, FEW_NODES, LIMIT, save, validator};
use crate::Result;
use crate::peers::report::{Report, none_of};
use crate::process::run;
use crate::workspace::Workspace;

/// Over a demo as it is without configuration.
///
/// # Errors
/// Where it can't be run or leaves no report.
pub(crate) fn protocol(workspace: &Workspace, report: &mut Report) -> Result {
    let demo = Subject::demo(workspace, "protocol-validator", FEW_NODES)?;
    validate(workspace, demo, report)
}

/// Over one machine whose BMC others wrote, with SSDP and plain HTTP that redirects.
///
/// # Errors
/// As [`protocol`].
pub(crate) fn protocol_sim(workspace: &Workspace, report: &mut Report) -> Result {
    let sim = Subject::sim(workspace, "protocol-validator-sim")?;
    validate(workspace, sim, report)
}

fn validate(workspace: &Workspace, subject: Subject, report: &mut Report) -> Result {
    let mut validator = validator(workspace, "rf_protocol_validator", &subject);
    validator.args(["--no-cert-check", "--report-type", "tsv"]);
    validator.args(["--report-dir", "protocol-validator-reports"]);
    if !subject.redirects {
        validator.arg("--avoid-http-redirect");
    }
    let finished = run(validator, LIMIT)?;
    let said = save(workspace, &format!("{}.txt", subject.name), &finished)?;
    let counts = Counts::from_line(&said).ok_or_else(|| finished.describe())?;
    let file = said.lines().find(|line| line.trim().ends_with(".tsv"));
    let file = file.ok_or_else(|| finished.describe())?.trim();
    let table = fs::read_to_string(workspace.target.join("peers").join(file))?;
    let rows: Vec<Row<'_>> = table.lines().skip(1).filter_map(Row::parse).collect();
    let uris: BTreeSet<&str> = rows.iter().map(|row| row.uri).collect();
    report.note(&format!("{} URIs, {}", uris.len(), counts.text()));
    let untested = untested(subject.redirects, subject.is_announced);
    subject.end(report);
    let failed = |row: &&Row<'_>| row.result == "FAIL";
    let failures: Vec<String> = rows.iter().filter(failed).map(Row::text).collect();
    report.check("0 failures", counts.judge(&failures.join("\n")));
    report.check(
        &format!(
            "the {} assertions that aren't tested have a reason",
            untested.len()
        ),
        none_of(&differences(&rows, "NOT_TESTED", &untested)),
    );
    report.check(
        &format!("the {} warnings have a reason", WARNINGS.len()),
        none_of(&differences(
            &rows,
            "WARN",
            &WARNINGS.iter().collect::<Vec<_>>(),
        )),
    );
    Ok(())
}

/// One line of the validator's report.
struct Row<'a> {
    assertion: &'a str,
    uri: &'a str,
    result: &'a str,
    message: &'a str,
}

impl<'a> Row<'a> {
    /// Assertion, method, status, URI, result, message.
    fn parse(line: &'a str) -> Option<Self> {
        let mut cells = line.split('\t');
        let assertion = cells.next()?;
        Some(Self {
            assertion,
            uri: cells.nth(2)?,
            result: cells.next()?,
            message: cells.next()?,
        })
    }

    fn text(&self) -> String {
        format!("{} {}: {}", self.assertion, self.uri, self.message)
    }
}

/// What came out so without a reason, and the reasons for what came out otherwise.
fn differences(rows: &[Row<'_>], result: &str, expected: &[&Open]) -> Vec<String> {
    let found: Vec<&Row<'_>> = rows.iter().filter(|row| row.result == result).collect();
    let is = |row: &Row<'_>, open: &Open| {
        row.assertion == open.assertion && (open.uri.is_empty() || row.uri == open.uri)
    };
    let unexplained = found
        .iter()
        .filter(|row| !expected.iter().any(|open| is(row, open)))
        .map(|row| format!("without a reason: {}", row.text()));
    let stale = expected
        .iter()
        .filter(|open| !found.iter().any(|row| is(row, open)))
        .map(|open| {
            format!(
                "it isn't {result} any more: {} ({})",
                open.assertion, open.reason
            )
        });
    unexplained.chain(stale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_reason_and_reasons_without_use_are_told() {
        let rows: Vec<Row<'_>> = [
            "A\tGET\t404\t/x\tNOT_TESTED\tno x\ttext",
            "B\tGET\t200\t/x\tPASS\tpassed\ttext",
            "C\t\t\t\tNOT_TESTED\tno c\ttext",
        ]
        .into_iter()
        .filter_map(Row::parse)
        .collect();
        let open = |assertion, uri| Open {
            assertion,
            uri,
            reason: "why",
        };
        let (a, b, c) = (open("A", "/x"), open("B", ""), open("C", ""));
        assert!(differences(&rows, "NOT_TESTED", &[&a, &c]).is_empty());
        assert_eq!(
            differences(&rows, "NOT_TESTED", &[&b, &c]),
            [
                "without a reason: A /x: no x",
                "it isn't NOT_TESTED any more: B (why)"
            ]
        );
    }
}
