//! Completion scripts and manual pages, from the definitions of the command line.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::error::ProgramError;

/// Writes the completion script of a shell.
pub(crate) fn completions(shell: Shell, out: &mut impl Write) -> io::Result<()> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    out.write_all(&script)
}

/// Writes a page for the program and one for each command, `reddrum-ipmi-sol.1` and so on.
///
/// # Errors
/// The folder can't be made or written.
pub(crate) fn manual(dir: &Path) -> Result<(), ProgramError> {
    let named = |e: io::Error| ProgramError::system(&dir.display().to_string(), e);
    fs::create_dir_all(dir).map_err(named)?;
    clap_mangen::generate_to(Cli::command(), dir).map_err(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_know_the_commands_of_every_shell() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut script = Vec::new();
            completions(shell, &mut script).unwrap();
            let script = String::from_utf8(script).unwrap();
            for word in ["ipmi", "watchdog", "asset-tag"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}
