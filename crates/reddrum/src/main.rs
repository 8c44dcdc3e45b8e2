//! The RedDrum program: command line, configuration and wiring.

mod aggregate;
mod announce;
mod args;
mod authorities;
mod certificate;
mod config;
mod config_command;
mod defect;
mod demo;
mod error;
mod fault;
mod fetch;
mod host;
mod import;
mod inventory;
mod ipmi;
mod log;
mod metrics;
mod password;
mod pattern;
mod place;
mod reference;
mod reload;
mod resolve;
mod scan;
mod serve;
mod shell;
mod ssdp;
mod targets;
mod usage;
mod vbmc_command;
mod web;

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use args::{Cli, Command, ConfigCommand, ImportCommand};
use clap::{FromArgMatches as _, Parser};
use error::ProgramError;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use usage::Refusal;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(_) => match parse_again() {
            Ok(cli) => cli,
            Err(refusal) => match refusal.told() {
                Ok((error, for_script)) => return fail(&error, for_script),
                Err(error) => error.exit(),
            },
        },
    };
    let code = match start(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let for_script = matches!(&cli.command, Command::Ipmi(args) if args.is_for_script());
            fail(&error, for_script)
        }
    };
    log::finish();
    code
}

/// The same again with usage lines worth reading; to make them takes longer than most commands.
fn parse_again() -> Result<Cli, Refusal> {
    let matches = reference::command_line().try_get_matches();
    let cli = matches.and_then(|matches| Cli::from_arg_matches(&matches));
    cli.map_err(Refusal::new)
}

/// The one place that speaks to the operator about a failure; logs may be switched off.
fn fail(error: &ProgramError, for_script: bool) -> ExitCode {
    log::say(&match for_script {
        true => format!("{}\n", error.json()),
        false => format!("reddrum: {error}\n"),
    });
    error.exit_code()
}

fn start(cli: &Cli) -> Result<(), ProgramError> {
    let filter = EnvFilter::try_new(&cli.log)
        .map_err(|e| ProgramError::Usage(format!("--log {}: {e}", cli.log)))?;
    // A service goes on where nobody takes its log. What a command says and logs keeps its order.
    let is_service = matches!(
        &cli.command,
        Command::Demo(_) | Command::Serve(_) | Command::Vbmc(_)
    );
    let writer = match is_service {
        true => BoxMakeWriter::new(
            log::Log::of_process().map_err(|e| ProgramError::system("the log", e))?,
        ),
        false => BoxMakeWriter::new(io::stderr),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        // Colours are for terminals; a file or a journal gets plain text.
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .init();
    match &cli.command {
        Command::Demo(args) => block_on(demo::run(args)),
        Command::Serve(args) => block_on(async {
            // A restart reads the configuration again.
            while serve::run(args).await? == web::End::Restart {}
            Ok(())
        }),
        Command::Vbmc(args) => block_on(vbmc_command::run(args)),
        Command::Ipmi(args) => ipmi::run(args),
        Command::Import(ImportCommand::Reddrum(args)) => {
            let (mut out, mut log) = (io::stdout().lock(), io::stderr().lock());
            quiet_on_closed_pipe(import::run(args, &mut out, &mut log)?)
        }
        Command::Completions { shell } => {
            quiet_on_closed_pipe(reference::completions(*shell, &mut io::stdout().lock()))
        }
        Command::Man { dir } => reference::manual(dir),
        Command::Config(ConfigCommand::Keys) => {
            quiet_on_closed_pipe(config_command::keys(&mut io::stdout().lock()))
        }
        Command::Config(ConfigCommand::Check { file }) => {
            let checked = async {
                let written = config_command::check(file, &mut io::stdout()).await?;
                quiet_on_closed_pipe(written)
            };
            block_on(checked)
        }
    }
}

fn block_on(program: impl Future<Output = Result<(), ProgramError>>) -> Result<(), ProgramError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| ProgramError::system("starting threads", e))?
        .block_on(program)
}

/// Output into a pipe that was closed (`| head`) is no failure.
fn quiet_on_closed_pipe(written: io::Result<()>) -> Result<(), ProgramError> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(ProgramError::system("standard output", error))
        }
        _ => Ok(()),
    }
}
