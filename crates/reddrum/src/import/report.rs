//! What the operator is told of an import.

use std::fmt;

/// What became of each thing that was found.
#[derive(Debug, Default)]
pub(super) struct Report {
    taken: Vec<String>,
    left: Vec<String>,
    look_at: Vec<String>,
    absent: Vec<&'static str>,
}

impl Report {
    /// Something that this service has from now on.
    pub(super) fn taken(&mut self, what: &str, text: &str) {
        self.taken.push(line(what, text));
    }

    /// Something that it hasn't, and why.
    pub(super) fn left(&mut self, what: &str, why: &str) {
        self.left.push(line(what, why));
    }

    /// Something that the operator should do or know.
    pub(super) fn look_at(&mut self, what: &str, text: &str) {
        self.look_at.push(line(what, text));
    }

    /// A file that isn't there.
    pub(super) fn absent(&mut self, file: &'static str) {
        self.absent.push(file);
    }
}

/// Names come from files: nothing in them reaches a terminal as a control character.
fn line(what: &str, text: &str) -> String {
    let plain = |c: char| if c.is_control() { '?' } else { c };
    format!("{what}: {text}").chars().map(plain).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (heading, lines) in [
            ("Taken over:", &self.taken),
            ("Not taken over:", &self.left),
            ("Look at this:", &self.look_at),
        ] {
            if !lines.is_empty() {
                writeln!(f, "{heading}")?;
            }
            for line in lines {
                writeln!(f, "  {line}")?;
            }
        }
        if !self.absent.is_empty() {
            writeln!(f, "Files that aren't there: {}", self.absent.join(", "))?;
        }
        Ok(())
    }
}
