//! What a step of `cargo xtask test` has checked, printed as it goes.

use serde_json::Value;

use crate::Result;

/// Counts and names of the checks of one run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    passed: usize,
    failed: usize,
    skipped: usize,
    failures: Vec<String>,
    step: String,
}

impl Report {
    /// From now on checks belong to this step.
    pub(crate) fn begin(&mut self, step: &str) {
        self.step = step.to_owned();
    }

    /// One named check and how it came out.
    pub(crate) fn check(&mut self, name: &str, outcome: Result) {
        match outcome {
            Ok(()) => {
                self.passed += 1;
                println!("    ok    {name}");
            }
            Err(error) => {
                self.failed += 1;
                self.failures.push(format!("{}: {name}", self.step));
                println!("    FAIL  {name}");
                for line in error.to_string().lines() {
                    println!("          {line}");
                }
            }
        }
    }

    /// A check that something else counted, such as a test runner.
    pub(crate) fn add(&mut self, passed: usize, failed: usize, skipped: usize) {
        self.passed += passed;
        self.failed += failed;
        self.skipped += skipped;
        if failed > 0 {
            self.failures
                .push(format!("{}: {failed} failed", self.step));
        }
    }

    /// The checks of a script that prints one line of JSON each: {"check": name, "error": text or null}; how many.
    pub(crate) fn take_over(&mut self, said: &str) -> usize {
        let mut count = 0;
        for line in said.lines() {
            let Ok(check) = serde_json::from_str::<Value>(line) else {
                continue;
            };
            let Some(name) = check["check"].as_str() else {
                continue;
            };
            count += 1;
            let error = check["error"].as_str();
            self.check(name, error.map_or(Ok(()), |error| Err(error.into())));
        }
        count
    }

    /// A fact worth seeing that decides nothing.
    #[expect(
        clippy::unused_self,
        reason = "notes belong to the report, whichever way it prints them"
    )]
    pub(crate) fn note(&self, text: &str) {
        for line in text.lines() {
            println!("    note  {line}");
        }
    }

    /// How many checks failed.
    pub(crate) const fn failed(&self) -> usize {
        self.failed
    }

    /// The failures by name, then the closing line that tools read: `N passed, N failed`.
    pub(crate) fn print_summary(&self) {
        for failure in &self.failures {
            println!("FAILED  {failure}");
        }
        let skipped = if self.skipped > 0 {
            format!(", {} skipped", self.skipped)
        } else {
            String::new()
        };
        println!("{} passed, {} failed{skipped}", self.passed, self.failed);
    }
}

/// `Ok` where both are equal, else both in words.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what}: found {found:?}, expected {expected:?}").into())
    }
}

/// `Ok` where nothing differs, else the differences, a line each.
pub(crate) fn none_of(differences: &[String]) -> Result {
    if differences.is_empty() {
        Ok(())
    } else {
        Err(differences.join("\n").into())
    }
}
