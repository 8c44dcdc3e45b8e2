//! What somebody is told whose command line can't be used.

use clap::error::ErrorKind;

use crate::error::ProgramError;
use crate::ipmi;

/// The command whose errors scripts read.
const FOR_SCRIPTS: &str = "ipmi";

/// Why clap did not take the words of a command line.
pub(crate) struct Refusal {
    error: clap::Error,
    /// The words behind `ipmi`; `None` for other commands.
    words: Option<Vec<String>>,
}

impl Refusal {
    /// By the words of the process.
    pub(crate) fn new(error: clap::Error) -> Self {
        let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
        let words: Vec<_> = words.collect();
        let command = words.iter().position(|word| word == FOR_SCRIPTS);
        let words = command.map(|at| words[at + 1..].to_vec());
        Self { error, words }
    }

    /// The error as one of ours, and whether a script reads it; clap's own words where it is none, as for a request for help.
    pub(crate) fn told(self) -> Result<(ProgramError, bool), clap::Error> {
        let Self { error, words } = self;
        let is_help = matches!(
            error.kind(),
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
        );
        let Some(words) = words.filter(|_| !is_help) else {
            return Err(error);
        };
        let for_script = words.iter().any(|word| word == "--json");
        let advice = match error.kind() {
            ErrorKind::UnknownArgument => ipmi::advice(&words),
            _ => None,
        };
        match advice {
            Some(advice) => Ok((ProgramError::Usage(advice), for_script)),
            None if for_script => Ok((ProgramError::Usage(in_short(&error)), true)),
            None => Err(error),
        }
    }
}

/// What clap says, in one line: the error and its tips.
fn in_short(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "a command is missing".to_owned();
    }
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let told = text.split("\n\n").filter(|paragraph| {
        !paragraph.starts_with("Usage:") && !paragraph.starts_with("For more information")
    });
    let told: Vec<_> = told.map(in_one_line).collect();
    told.join("; ")
}

fn in_one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;

    fn told(line: &str) -> String {
        let words = line.split_whitespace();
        let error = reference::command_line()
            .try_get_matches_from(words)
            .unwrap_err();
        in_short(&error)
    }

    #[test]
    fn claps_errors_fit_a_line() {
        for (line, begin) in [
            (
                "reddrum ipmi a power explode",
                "invalid value 'explode' for '<ACTION>' [possible values: status, on,",
            ),
            (
                "reddrum ipmi a --nothing power on",
                "unexpected argument '--nothing' found",
            ),
            ("reddrum ipmi", "a command is missing"),
        ] {
            let told = told(line);
            assert!(told.starts_with(begin), "{told}");
            assert!(!told.contains('\n') && !told.contains("Usage"), "{told}");
        }
    }
}
