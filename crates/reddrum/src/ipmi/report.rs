//! What a host said, for people and for scripts.

use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::talk::{CallFault, Outcome};

/// Who reads a report. Long ones are made for one of them only: to make them for both costs more than the datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Somebody at a terminal.
    Person,
    /// A program, by `--json`.
    Script,
}

/// What a command found out or did on one host.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Report {
    /// For people, line by line.
    pub(super) lines: Vec<String>,
    /// For scripts.
    pub(super) value: Value,
    /// For a file that the command line names.
    pub(super) file: Option<Vec<u8>>,
    /// Why this is not all that was asked for: the host counts as failed, and what there is is printed all the same.
    pub(super) missing: Option<Box<Failure>>,
    /// What the operator may want to know besides.
    pub(super) hint: Option<String>,
}

impl Report {
    /// A report of one line.
    pub(super) fn line(text: impl Into<String>, value: Value) -> Self {
        Self::of(vec![text.into()], value)
    }

    /// A report of lines.
    pub(super) fn of(lines: Vec<String>, value: Value) -> Self {
        Self {
            lines,
            value,
            file: None,
            missing: None,
            hint: None,
        }
    }

    /// The report of less than was asked for, where there is a reason for that.
    pub(super) fn lacking(mut self, reason: Option<Failure>) -> Self {
        self.missing = reason.map(Box::new);
        self
    }

    /// With a word to the operator, where there is one.
    pub(super) fn hinting(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

/// A report of named values, line by line.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    width: usize,
    lines: Vec<String>,
    value: Map<String, Value>,
}

impl Sheet {
    /// An empty one; names are padded to `width`.
    pub(super) fn new(width: usize) -> Self {
        Self {
            width,
            lines: Vec::new(),
            value: Map::new(),
        }
    }

    /// A value with its name for people and its key for scripts.
    pub(super) fn put(&mut self, name: &str, key: &str, value: impl Into<Value>) {
        let value = value.into();
        let text = match &value {
            Value::String(text) => text.clone(),
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            Value::Null => "none".to_owned(),
            Value::Array(values) => {
                let texts: Vec<_> = values.iter().map(plain).collect();
                texts.join(", ")
            }
            other => other.to_string(),
        };
        self.put_as(name, key, text, value);
    }

    /// The same where people read it another way.
    pub(super) fn put_as(
        &mut self,
        name: &str,
        key: &str,
        text: impl std::fmt::Display,
        value: impl Into<Value>,
    ) {
        self.lines.push(pair(name, self.width, text));
        self.value.insert(key.to_owned(), value.into());
    }

    /// The report.
    pub(super) fn report(self) -> Report {
        Report::of(self.lines, Value::Object(self.value))
    }
}

/// A text as one column of several: what parts columns is not in it. For scripts it stays as it is.
pub(super) fn cell(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains(['|', '\n', '\r']) {
        text.replace('|', "/").replace(['\n', '\r'], " ").into()
    } else {
        text.into()
    }
}

/// A value without quotes.
pub(super) fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A `Name : value` line, with the name padded to `width`.
pub(super) fn pair(name: &str, width: usize, value: impl std::fmt::Display) -> String {
    format!("{name:<width$}: {value}").trim_end().to_owned()
}

/// The outcome of one host as one JSON object; one with both a result and an error is the result of less than was asked for.
pub(super) fn json(host: &str, outcome: &Outcome) -> Value {
    match outcome {
        Ok(report) => {
            let ok = report.missing.is_none();
            let mut value = json!({ "host": host, "ok": ok, "result": report.value });
            if let Some(failure) = &report.missing {
                value["error"] = error(failure);
            }
            if let Some(hint) = &report.hint {
                value["hint"] = hint.as_str().into();
            }
            value
        }
        Err(failure) => json!({ "host": host, "ok": false, "error": error(failure) }),
    }
}

fn error(failure: &Failure) -> Value {
    let mut value = json!({
        "kind": failure.kind(),
        "cause": failure.cause(),
        "remedy": failure.remedy(),
    });
    let first = match failure {
        Failure::Several { first, .. } => first,
        failure => failure,
    };
    if let Failure::Call(error) | Failure::Explained { error, .. } = first {
        value["request"] = error.request().into();
        if let CallFault::Refused(code) | CallFault::NotPassedOn(code) = error.fault {
            value["completion_code"] = code.0.into();
        }
    }
    value
}
