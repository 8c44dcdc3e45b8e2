//! What the operator sees: results in the order of the hosts, and how far it is.

use std::io::{self, IsTerminal, Stdout, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::drive::Listener;
use super::failure::Failure;
use super::report::{self, Report};
use super::talk::Outcome;
use crate::error::ProgramError;

/// How often the progress line changes.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Takes outcomes as they come and prints them in the order of the hosts.
pub(super) struct Output {
    names: Vec<String>,
    /// What came before its turn.
    early: Vec<Option<Outcome>>,
    /// The first host that is not printed yet.
    next: usize,
    done: usize,
    failed: usize,
    json: bool,
    /// Where what hosts say for files goes.
    save: Option<PathBuf>,
    /// Why the only host failed.
    alone: Option<String>,
    /// What kept the results from where they belong, first of all. Hosts are asked to their end all the same: none is left in the
    /// middle of a change because nobody reads on.
    unwritten: Option<io::Error>,
    progress: Option<Progress>,
}

/// A line on the terminal that says how far it is.
struct Progress {
    visible: bool,
    /// When it was written last.
    shown_at: Option<Instant>,
}

impl Output {
    /// For these hosts.
    pub(super) fn new(names: Vec<String>, json: bool) -> Self {
        let progress = (names.len() > 1 && io::stderr().is_terminal()).then_some(Progress {
            visible: false,
            shown_at: None,
        });
        Self {
            early: names.iter().map(|_| None).collect(),
            names,
            next: 0,
            done: 0,
            failed: 0,
            json,
            save: None,
            alone: None,
            unwritten: None,
            progress,
        }
    }

    /// What a host says for a file goes to this one; with several hosts to one a host, its name behind.
    pub(super) fn saving(mut self, file: Option<&PathBuf>) -> Self {
        self.save = file.cloned();
        self
    }

    fn store(&self, host: usize, bytes: &[u8]) -> io::Result<()> {
        let Some(file) = &self.save else {
            return Ok(());
        };
        let mut path = file.clone().into_os_string();
        if self.names.len() > 1 {
            path.push(".");
            path.push(self.names[host].replace('/', "_"));
        }
        let path = PathBuf::from(path);
        let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
        std::fs::write(&path, bytes).map_err(named)
    }

    /// Takes what hosts said, each with its number; prints all whose turn it is.
    pub(super) fn take(&mut self, outcomes: Vec<(usize, Outcome)>) {
        for (host, outcome) in outcomes {
            self.done += 1;
            self.failed += usize::from(failure_of(&outcome).is_some());
            if let Ok(Report {
                file: Some(bytes), ..
            }) = &outcome
                && let Err(error) = self.store(host, bytes)
            {
                self.unwritten.get_or_insert(error);
            }
            self.early[host] = Some(outcome);
        }
        if self.early.get(self.next).is_some_and(Option::is_some) {
            self.clear_progress();
            let mut out = io::BufWriter::new(io::stdout());
            while let Some(outcome) = self.early.get_mut(self.next).and_then(Option::take) {
                if let Err(error) = self.print(&mut out, &outcome) {
                    self.unwritten.get_or_insert(error);
                }
                self.next += 1;
            }
            if let Err(error) = out.flush() {
                self.unwritten.get_or_insert(error);
            }
        }
        self.show_progress();
    }

    /// Says how far hosts are, to an operator: a script waits for the end.
    fn show(&mut self, progress: Vec<(usize, String)>) {
        if self.json || progress.is_empty() {
            return;
        }
        self.clear_progress();
        let mut terminal = io::stderr().lock();
        for (host, text) in progress {
            // A courtesy: that nobody reads it is no matter.
            let _ = writeln!(terminal, "{}: {text}", self.names[host]);
        }
    }

    fn print(&mut self, out: &mut io::BufWriter<Stdout>, outcome: &Outcome) -> io::Result<()> {
        let name = &self.names[self.next];
        if self.json {
            return writeln!(out, "{}", report::json(name, outcome));
        }
        let is_alone = self.names.len() == 1;
        if let Ok(report) = outcome {
            for line in &report.lines {
                if is_alone {
                    writeln!(out, "{line}")?;
                } else {
                    writeln!(out, "{name}: {line}")?;
                }
            }
            if let Some(hint) = &report.hint {
                out.flush()?;
                let _ = writeln!(io::stderr(), "{name}: hint: {hint}");
            }
        }
        match failure_of(outcome) {
            None => Ok(()),
            // The program's last words say it where there is one host.
            Some(failure) if is_alone => {
                self.alone = Some(failure.to_string());
                Ok(())
            }
            Some(failure) => {
                let flushed = out.flush();
                let _ = writeln!(io::stderr(), "{name}: {failure}");
                flushed
            }
        }
    }

    /// The end: whether all went well.
    ///
    /// # Errors
    /// Some host did not do what was asked, or what it said could not be written. A reader that has gone (`| head`) had what it
    /// wanted.
    pub(super) fn end(mut self) -> Result<(), ProgramError> {
        self.clear_progress();
        let is_lost = |error: &io::Error| error.kind() != io::ErrorKind::BrokenPipe;
        let unwritten = self.unwritten.take().filter(is_lost);
        let mut text = match (self.alone, self.failed) {
            (_, 0) => {
                let failed = |error| Err(ProgramError::system("writing what the BMCs said", error));
                return unwritten.map_or(Ok(()), failed);
            }
            (Some(failure), _) => format!("{}: {failure}", self.names[0]),
            (None, failed) => format!("{failed} of {} hosts failed", self.names.len()),
        };
        if let Some(error) = unwritten {
            text.push_str(&format!("; writing what the BMCs said: {error}"));
        }
        Err(ProgramError::Hosts(text))
    }

    fn show_progress(&mut self) {
        let Some(progress) = &mut self.progress else {
            return;
        };
        if progress
            .shown_at
            .is_some_and(|at| at.elapsed() < PROGRESS_EVERY)
        {
            return;
        }
        progress.shown_at = Some(Instant::now());
        progress.visible = true;
        let mut text = format!("\r{} of {} hosts", self.done, self.names.len());
        if self.failed > 0 {
            text.push_str(&format!(", {} failed", self.failed));
        }
        write_on_terminal(&text);
    }

    fn clear_progress(&mut self) {
        if let Some(progress) = &mut self.progress
            && std::mem::take(&mut progress.visible)
        {
            // Carriage return, then "erase to the end of the line" (ECMA-48 EL).
            write_on_terminal("\r\x1b[K");
        }
    }
}

impl Listener for Output {
    fn hear(&mut self, done: Vec<(usize, Outcome)>, progress: Vec<(usize, String)>) {
        self.show(progress);
        self.take(done);
    }
}

/// Writes what is only for the eye: a terminal that is gone changes nothing.
fn write_on_terminal(text: &str) {
    let mut terminal = io::stderr().lock();
    let written = terminal.write_all(text.as_bytes());
    let _ = written.and_then(|()| terminal.flush());
}

/// Why a host did not do what was asked, or not all of it.
fn failure_of(outcome: &Outcome) -> Option<&Failure> {
    match outcome {
        Ok(report) => report.missing.as_deref(),
        Err(failure) => Some(failure),
    }
}
