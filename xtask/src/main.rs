//! The project's own commands: `cargo xtask tidy`, `test`, `codegen`, `capture`, `coverage`, `bench`, `fuzz`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command for people at a terminal"
)]

mod bench;
mod capture;
mod codegen;
mod coverage;
mod fuzz;
mod peers;
mod process;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use workspace::Workspace;

/// The result of a command; an error is text for the person who called it.
pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "RedDrum's own commands")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks the rules that no compiler checks: crate arrows, sans-IO, sizes, citations.
    Tidy(tidy::Arguments),
    /// Makes the tables and types of `redfish-schema` from the CSDL.
    Codegen {
        /// Only prove that the files are fresh.
        #[arg(long)]
        check: bool,
    },
    /// Runs everything that must hold; installs the programs of others that this needs.
    Test(test::Arguments),
    /// Measures, and prints how near the limit of this machine it is.
    Bench(bench::Arguments),
    /// Prints which commands of a specification there are, and which the code has.
    Coverage(coverage::Arguments),
    /// Captures golden datagrams: ipmitool talking to ipmi_sim.
    Capture(capture::Arguments),
    /// Runs the fuzz targets, and prints what they found.
    Fuzz(fuzz::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Err(error) = process::end_with_children() {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    let outcome = Workspace::load().and_then(|workspace| match arguments.command {
        Command::Tidy(arguments) => tidy::run(&workspace, &arguments),
        Command::Codegen { check } => codegen::run(&workspace, check),
        Command::Test(arguments) => test::run(&workspace, &arguments),
        Command::Bench(arguments) => bench::run(&workspace, &arguments),
        Command::Coverage(arguments) => coverage::run(&workspace, &arguments),
        Command::Capture(arguments) => capture::run(&workspace, &arguments),
        Command::Fuzz(arguments) => fuzz::run_command(&workspace, &arguments),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
