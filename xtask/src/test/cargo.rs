//! The steps that cargo does.

use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::peers::report::Report;
use crate::process::{command, run, run_shown};
use crate::workspace::Workspace;

/// How long a build or a test run may take on two cores, from nothing.
const LIMIT: Duration = Duration::from_secs(30 * 60);

fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    // The cargo that runs us, not one that happens to be first in the path.
    let mut cargo = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(&workspace.root).args(arguments);
    cargo
}

/// `cargo fmt --check`.
pub(super) fn format(workspace: &Workspace, report: &mut Report) -> Result {
    let outcome = run_shown(cargo(workspace, &["fmt", "--all", "--check"]), LIMIT);
    report.check("cargo fmt --check", outcome);
    Ok(())
}

/// clippy over everything, tests included.
pub(super) fn clippy(workspace: &Workspace, report: &mut Report) -> Result {
    let arguments = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    report.check(
        "cargo clippy",
        run_shown(cargo(workspace, &arguments), LIMIT),
    );
    Ok(())
}

/// The tests: with nextest where it is installed, else with cargo's own runner.
pub(super) fn tests(workspace: &Workspace, report: &mut Report) -> Result {
    let has_nextest = run(
        cargo(workspace, &["nextest", "--version"]),
        Duration::from_secs(30),
    )
    .is_ok_and(|f| f.succeeded());
    let arguments: &[&str] = if has_nextest {
        &[
            "nextest",
            "run",
            "--workspace",
            "--locked",
            "--no-fail-fast",
            "--status-level",
            "fail",
        ]
    } else {
        &[
            "test",
            "--workspace",
            "--locked",
            "--no-fail-fast",
            "--lib",
            "--bins",
            "--tests",
        ]
    };
    counted(report, "cargo tests", cargo(workspace, arguments))
}

/// The documentation and the examples in it.
pub(super) fn documentation(workspace: &Workspace, report: &mut Report) -> Result {
    let mut doc = cargo(workspace, &["doc", "--workspace", "--no-deps", "--locked"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    report.check("cargo doc", run_shown(doc, LIMIT));
    counted(
        report,
        "examples",
        cargo(
            workspace,
            &["test", "--workspace", "--locked", "--doc", "--no-fail-fast"],
        ),
    )
}

/// The program that the peers talk to.
pub(super) fn release(workspace: &Workspace, report: &mut Report) -> Result {
    let build = cargo(
        workspace,
        &["build", "--release", "--locked", "--package", "reddrum"],
    );
    report.check("cargo build --release", run_shown(build, LIMIT));
    Ok(())
}

/// Runs a test runner, shows what it says, and takes over its counts.
fn counted(report: &mut Report, name: &str, command: Command) -> Result {
    let finished = crate::process::run_copied(command, LIMIT)?;
    let said = format!("{}\n{}", finished.stdout, finished.stderr);
    let counts = count(&said);
    report.add(counts.passed, counts.failed, counts.skipped);
    if finished.succeeded() {
        let counted = if counts.passed > 0 {
            Ok(())
        } else {
            Err(format!("{name}: no test ran").into())
        };
        // A workspace may have no example in its documentation; it always has tests.
        if name == "examples" { Ok(()) } else { counted }
    } else if counts.failed > 0 {
        Ok(()) // Counted, and named by the runner.
    } else {
        Err(format!("`{}` failed before any test did", finished.command).into())
    }
}

/// What a test runner counted.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// Adds up the closing lines of cargo's test runner (one a crate) or nextest's (one in all).
fn count(said: &str) -> Counts {
    let mut counts = Counts::default();
    let closing = |line: &&str| line.contains("test result:") || line.contains("tests run:");
    for line in said.lines().filter(closing) {
        let words: Vec<&str> = line
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|w| !w.is_empty())
            .collect();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<usize>() else {
                continue;
            };
            match pair[1] {
                "passed" => counts.passed += number,
                // nextest counts "1 timed out" apart; it is a failure of its own kind.
                "failed" | "timed" => counts.failed += number,
                "ignored" | "skipped" => counts.skipped += number,
                _ => {}
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_runners_are_counted() {
        let cargo = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s\n\
                     test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(
            count(cargo),
            Counts {
                passed: 15,
                failed: 2,
                skipped: 1
            }
        );
        let nextest = "     Summary [   1.234s] 40 tests run: 38 passed (1 slow), 1 failed, 1 timed out, 2 skipped\n";
        assert_eq!(
            count(nextest),
            Counts {
                passed: 38,
                failed: 2,
                skipped: 2
            }
        );
    }
}
