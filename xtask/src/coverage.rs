//! `cargo xtask coverage ipmi`: which commands there are, which the library reads and writes, which the virtual BMC answers.

use std::process::Command;

use crate::Result;
use crate::workspace::Workspace;

/// Which coverage.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The specification.
    #[arg(value_enum)]
    name: Name,
    /// Only the counts.
    #[arg(long)]
    brief: bool,
}

/// The specifications.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Name {
    /// IPMI 2.0 with DCMI, PICMG, HPM and VITA 46.11.
    Ipmi,
}

/// Runs the program that makes the table out of the code.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result {
    let (package, example) = match arguments.name {
        Name::Ipmi => ("vbmc", "coverage"),
    };
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(&workspace.root).args([
        "run",
        "--quiet",
        "--package",
        package,
        "--example",
        example,
    ]);
    if arguments.brief {
        command.args(["--", "--brief"]);
    }
    let status = command.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("the table ended with {status}").into())
    }
}
