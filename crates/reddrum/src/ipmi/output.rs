//! What the operator sees: results in the order of the hosts, and how far it is.

use std::io::{self, IsTerminal, StderrLock, Stdout, Write};
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
    pub(super) fn take(&mut self, outcomes: Vec<(usize, Outcome)>) -> io::Result<()> {
        for (host, outcome) in outcomes {
            self.done += 1;
            self.failed += usize::from(failure_of(&outcome).is_some());
            if let Ok(Report {
                file: Some(bytes), ..
            }) = &outcome
            {
                self.store(host, bytes)?;
            }
            self.early[host] = Some(outcome);
        }
        if self.early.get(self.next).is_some_and(Option::is_some) {
            self.clear_progress()?;
            let mut out = io::BufWriter::new(io::stdout());
            while let Some(outcome) = self.early.get_mut(self.next).and_then(Option::take) {
                self.print(&mut out, &outcome)?;
                self.next += 1;
            }
            out.flush()?;
        }
        self.show_progress()
    }

    /// Says how far hosts are, to an operator: a script waits for the end.
    fn show(&mut self, progress: Vec<(usize, String)>) -> io::Result<()> {
        if self.json || progress.is_empty() {
            return Ok(());
        }
        self.clear_progress()?;
        let mut terminal = io::stderr().lock();
        for (host, text) in progress {
            writeln!(terminal, "{}: {text}", self.names[host])?;
        }
        Ok(())
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
                writeln!(io::stderr(), "{name}: hint: {hint}")?;
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
                out.flush()?;
                writeln!(io::stderr(), "{name}: {failure}")
            }
        }
    }

    /// The end: whether all went well.
    ///
    /// # Errors
    /// Some host did not do what was asked.
    pub(super) fn end(mut self) -> Result<(), ProgramError> {
        // A terminal that is gone needs no tidying.
        let _ = self.clear_progress();
        let text = match (self.alone, self.failed) {
            (_, 0) => return Ok(()),
            (Some(failure), _) => format!("{}: {failure}", self.names[0]),
            (None, failed) => format!("{failed} of {} hosts failed", self.names.len()),
        };
        Err(ProgramError::Hosts(text))
    }

    fn show_progress(&mut self) -> io::Result<()> {
        let Some(progress) = &mut self.progress else {
            return Ok(());
        };
        if progress
            .shown_at
            .is_some_and(|at| at.elapsed() < PROGRESS_EVERY)
        {
            return Ok(());
        }
        progress.shown_at = Some(Instant::now());
        progress.visible = true;
        let mut terminal = io::stderr().lock();
        write!(terminal, "\r{} of {} hosts", self.done, self.names.len())?;
        if self.failed > 0 {
            write!(terminal, ", {} failed", self.failed)?;
        }
        terminal.flush()
    }

    fn clear_progress(&mut self) -> io::Result<()> {
        match &mut self.progress {
            Some(progress) if progress.visible => {
                progress.visible = false;
                clear_line(io::stderr().lock())
            }
            _ => Ok(()),
        }
    }
}

impl Listener for Output {
    fn hear(
        &mut self,
        done: Vec<(usize, Outcome)>,
        progress: Vec<(usize, String)>,
    ) -> io::Result<()> {
        self.show(progress)?;
        self.take(done)
    }
}

/// Why a host did not do what was asked, or not all of it.
fn failure_of(outcome: &Outcome) -> Option<&Failure> {
    match outcome {
        Ok(report) => report.missing.as_deref(),
        Err(failure) => Some(failure),
    }
}

fn clear_line(mut terminal: StderrLock<'_>) -> io::Result<()> {
    // Carriage return, then "erase to the end of the line" (ECMA-48 EL).
    terminal.write_all(b"\r\x1b[K")?;
    terminal.flush()
}
