//! What a host said, for people and for scripts.

use serde_json::{Value, json};

use super::failure::Failure;
use super::talk::Outcome;

/// What a command found out or did on one host.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Report {
    /// For people, line by line.
    pub(super) lines: Vec<String>,
    /// For scripts.
    pub(super) value: Value,
}

impl Report {
    /// A report of one line.
    pub(super) fn line(text: impl Into<String>, value: Value) -> Self {
        Self {
            lines: vec![text.into()],
            value,
        }
    }
}

/// A `Name : value` line, with the name padded to `width`.
pub(super) fn pair(name: &str, width: usize, value: impl std::fmt::Display) -> String {
    format!("{name:<width$}: {value}").trim_end().to_owned()
}

/// The outcome of one host as one JSON object.
pub(super) fn json(host: &str, outcome: &Outcome) -> Value {
    match outcome {
        Ok(report) => json!({ "host": host, "ok": true, "result": report.value }),
        Err(failure) => json!({ "host": host, "ok": false, "error": error(failure) }),
    }
}

fn error(failure: &Failure) -> Value {
    let mut value = json!({
        "kind": failure.kind(),
        "cause": failure.cause(),
        "remedy": failure.remedy(),
    });
    if let Failure::Call(error) = failure {
        value["request"] = error.request().into();
        if let Some(code) = error.completion() {
            value["completion_code"] = code.0.into();
        }
    }
    value
}
