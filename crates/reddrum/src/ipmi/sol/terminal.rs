//! The operator's terminal: every key goes to the machine, and afterwards it is as it was.

use std::io::{self, IsTerminal};

use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// A terminal that hands out every key as it is typed, Ctrl-C too; it becomes what it was when this is dropped, also
/// where the program ends by a panic or a signal that it hears.
pub(super) struct RawTerminal {
    before: Termios,
}

impl RawTerminal {
    /// Makes standard input raw, where it is a terminal.
    ///
    /// # Errors
    /// The terminal does not do it.
    pub(super) fn enter() -> io::Result<Option<Self>> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return Ok(None);
        }
        let before = tcgetattr(&stdin)?;
        let terminal = Self { before };
        terminal.make_raw()?;
        Ok(Some(terminal))
    }

    fn make_raw(&self) -> io::Result<()> {
        let mut raw = self.before.clone();
        raw.make_raw();
        Ok(tcsetattr(io::stdin(), OptionalActions::Flush, &raw)?)
    }

    fn restore(&self) -> io::Result<()> {
        Ok(tcsetattr(
            io::stdin(),
            OptionalActions::Drain,
            &self.before,
        )?)
    }

    /// Gives the terminal back to the shell until the program is continued.
    ///
    /// # Errors
    /// The terminal does not do it.
    pub(super) fn suspend(&self) -> io::Result<()> {
        self.restore()?;
        kill_process(getpid(), Signal::TSTP)?;
        self.make_raw()
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        // A terminal that is gone needs no care.
        let _ = self.restore();
    }
}
