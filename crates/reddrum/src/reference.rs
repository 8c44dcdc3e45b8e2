//! Completion scripts and manual pages, from the definitions of the command line.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell;

use crate::args::Cli;
use crate::error::ProgramError;

/// The command of which every subcommand but some asks the hosts that are named before it.
const ON_HOSTS: &str = "ipmi";

/// Subcommands of it that ask no host.
const ON_NO_HOST: [&str; 3] = ["decode", "quirks", "help"];

/// The command line with usage lines that name hosts where they belong: clap's own know nothing of what stands before a
/// subcommand.
pub(crate) fn command_line() -> Command {
    with_hosts(Cli::command())
}

fn with_hosts(mut program: Command) -> Command {
    program.build();
    program.mut_subcommand(ON_HOSTS, naming_hosts)
}

/// `reddrum ipmi [OPTIONS] NAME …` as `reddrum ipmi HOSTS [OPTIONS] NAME …`: options may stand anywhere.
fn naming_hosts(mut command: Command) -> Command {
    const OPTIONS: &str = " [OPTIONS]";
    let of = format!("reddrum {ON_HOSTS}");
    if ON_NO_HOST.contains(&command.get_name()) {
        return command;
    }
    let is_own = |argument: &Arg| !argument.is_global_set() && argument.get_long().is_some();
    let has_own = command
        .get_arguments()
        .any(|argument| is_own(argument) && argument.get_id() != "help");
    let usage = command.render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    let lines = usage.lines().map(|line| {
        // Options of the command's own stay where they are.
        let rest = if has_own {
            line.to_owned()
        } else {
            line.replacen(OPTIONS, "", 1)
        };
        let rest = rest.replacen(" [HOSTS]", "", 1);
        rest.replacen(&of, &format!("{of} HOSTS{OPTIONS}"), 1)
    });
    let usage = lines.collect::<Vec<_>>().join("\n");
    // A group without a command names its commands; all of its help would push them off the screen.
    let is_group = command.has_subcommands() && command.get_name() != ON_HOSTS;
    let gives_help = command.is_arg_required_else_help_set() && !is_group;
    command
        .override_usage(usage)
        .arg_required_else_help(gives_help)
        .mut_subcommands(naming_hosts)
}

/// Of the options that all commands of it share, those that operators put behind a command: who they are, and the form of the
/// answer.
const BEHIND: [&str; 4] = ["json", "username", "password-file", "privilege"];

/// Writes the completion script of a shell.
///
/// It completes an option that all subcommands of a command share where that command's own options are, before the
/// subcommand, and some of them behind it, too: with each of them in each subcommand a script would be six times as large, and
/// a shell reads it at its start.
pub(crate) fn completions(shell: Shell, out: &mut impl Write) -> io::Result<()> {
    let shared = |command: Command| command.mut_args(|argument| argument.global(false));
    let mut command = shared(Cli::command())
        .mut_subcommand(ON_HOSTS, |command| with_options_behind(shared(command)))
        .disable_help_subcommand(true);
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    out.write_all(&script)
}

/// Gives its subcommands options of their own, by their long names: what asks no host only the one that means something there.
fn with_options_behind(command: Command) -> Command {
    let named = |argument: &&Arg| {
        argument
            .get_long()
            .is_some_and(|long| BEHIND.contains(&long))
    };
    let options: Vec<Arg> = command.get_arguments().filter(named).cloned().collect();
    let options: Vec<Arg> = options
        .into_iter()
        .map(|one| one.short(None::<char>))
        .collect();
    command.mut_subcommands(|subcommand| {
        if ON_NO_HOST.contains(&subcommand.get_name()) {
            let json = options.iter().filter(|one| one.get_long() == Some("json"));
            subcommand.args(json.cloned())
        } else {
            at_the_end(subcommand, &options)
        }
    })
}

/// Gives options to each command that may end a line.
fn at_the_end(command: Command, options: &[Arg]) -> Command {
    let may_end = !command.is_subcommand_required_set();
    let command = command.mut_subcommands(|subcommand| at_the_end(subcommand, options));
    if may_end {
        command.args(options.iter().cloned())
    } else {
        command
    }
}

/// Writes a page for the program and one for each command, `reddrum-ipmi-sol.1` and so on.
///
/// # Errors
/// The folder can't be made or written.
pub(crate) fn manual(dir: &Path) -> Result<(), ProgramError> {
    let named = |e: io::Error| ProgramError::system(&dir.display().to_string(), e);
    fs::create_dir_all(dir).map_err(named)?;
    let program = Cli::command().disable_help_subcommand(true);
    clap_mangen::generate_to(with_hosts(program), dir).map_err(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a command line that is no good is told.
    fn told(line: &str) -> String {
        let words = line.split_whitespace();
        let error = command_line().try_get_matches_from(words).unwrap_err();
        error.to_string()
    }

    #[test]
    fn a_group_without_a_command_names_its_commands_and_not_all_of_its_help() {
        for (line, command) in [
            ("reddrum ipmi a mc", "selftest"),
            ("reddrum ipmi a hpm", "upgrade"),
            ("reddrum ipmi a --json mc", "selftest"),
        ] {
            let told = told(line);
            assert!(told.starts_with("error: "), "{line}: {told}");
            assert!(told.contains(command), "{line}: {told}");
            assert!(!told.contains("--password-file"), "{line}: {told}");
        }
        // `ipmi` alone asks how to begin.
        assert!(told("reddrum ipmi").contains("--password-file"));
    }

    #[test]
    fn usage_lines_name_the_hosts_and_nothing_that_is_not_needed() {
        for (line, usage) in [
            (
                "reddrum ipmi a power status --help",
                "Usage: reddrum ipmi HOSTS [OPTIONS] power <ACTION>\n",
            ),
            (
                "reddrum ipmi a -U admin power",
                "Usage: reddrum ipmi HOSTS [OPTIONS] power <ACTION>\n",
            ),
            (
                "reddrum ipmi a sensor thresh x",
                "Usage: reddrum ipmi HOSTS [OPTIONS] sensor thresh <NAME> <THRESHOLD> <VALUE>...\n",
            ),
            (
                "reddrum ipmi --help",
                "Usage: reddrum ipmi HOSTS [OPTIONS] <COMMAND>\n",
            ),
            (
                "reddrum ipmi decode --help",
                "Usage: reddrum ipmi decode [OPTIONS] <HEX|FILE>...\n",
            ),
            (
                "reddrum ipmi a fru --help",
                "Usage: reddrum ipmi HOSTS [OPTIONS] fru [ID]\n       reddrum ipmi HOSTS [OPTIONS] fru <COMMAND>\n",
            ),
        ] {
            let told = told(line);
            assert!(told.contains(usage), "{line}: {told}");
        }
    }

    #[test]
    fn manual_pages_name_the_hosts() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        manual(dir).unwrap();
        let page = fs::read_to_string(dir.join("reddrum-ipmi-power.1")).unwrap();
        let helps = fs::exists(dir.join("reddrum-ipmi-help.1")).unwrap();
        assert!(page.contains("HOSTS [OPTIONS] power"), "{page}");
        assert!(!helps, "a page about help");
    }

    /// The options that the completion script of a shell offers behind a command of `ipmi`, or behind `ipmi` itself.
    fn offered(script: &str, command: &str) -> Vec<String> {
        let place = format!("__{command})");
        let mut lines = script.lines().map(str::trim);
        lines.find(|line| line.ends_with(&place)).unwrap();
        let options = lines.next().unwrap().strip_prefix("opts=").unwrap();
        let words = options.trim_matches('"').split_whitespace();
        words.map(str::to_owned).collect()
    }

    #[test]
    fn shared_options_are_completed_before_the_command_and_the_usual_ones_behind_it() {
        let mut script = Vec::new();
        completions(Shell::Bash, &mut script).unwrap();
        let script = String::from_utf8(script).unwrap();
        let usual = "--json --username --password-file --privilege";
        for (command, options, others) in [
            ("ipmi", "--json --maker --username -U", ""),
            (
                "ipmi__subcmd__decode",
                "--json --verbose",
                "--maker --username",
            ),
            ("ipmi__subcmd__quirks", "--json", "--maker --username"),
            ("ipmi__subcmd__power", usual, "--maker -U"),
            ("ipmi__subcmd__sel__subcmd__list", usual, "--maker -U"),
            ("ipmi__subcmd__fru", usual, "--maker -U"),
            ("ipmi__subcmd__sel", "list", "--json"),
        ] {
            let offered = offered(&script, command);
            let has = |option: &str| offered.iter().any(|word| word == option);
            assert!(
                options.split_whitespace().all(has),
                "{command}: {offered:?}"
            );
            assert!(
                !others.split_whitespace().any(has),
                "{command}: {offered:?}"
            );
        }
    }

    #[test]
    fn words_of_ipmitools_are_completed() {
        let mut script = Vec::new();
        completions(Shell::Bash, &mut script).unwrap();
        let script = String::from_utf8(script).unwrap();
        for (command, word) in [
            ("ipmi__subcmd__sel__subcmd__list", "last"),
            ("ipmi__subcmd__lan__subcmd__set", "access"),
            ("ipmi__subcmd__lan__subcmd__set", "snmp"),
            ("ipmi__subcmd__lan__subcmd__set__subcmd__vlan", "priority"),
            ("ipmi__subcmd__bootparam__subcmd__set", "bootflag"),
            ("ipmi__subcmd__channel", "authcap"),
            ("ipmi__subcmd__pef__subcmd__filter", "list"),
            ("ipmi__subcmd__hpm__subcmd__activate", "--wait"),
        ] {
            let offered = offered(&script, command);
            assert!(
                offered.iter().any(|one| one == word),
                "{command}: {offered:?}"
            );
        }
    }

    #[test]
    fn completions_know_the_commands_of_every_shell() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut script = Vec::new();
            completions(shell, &mut script).unwrap();
            let script = String::from_utf8(script).unwrap();
            for word in ["ipmi", "watchdog", "asset-tag", "password-file"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
            assert!(script.len() < 250_000, "{shell}: {} bytes", script.len());
        }
    }
}
