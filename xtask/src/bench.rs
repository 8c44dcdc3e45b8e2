//! `cargo xtask bench NAME`: measurements that print a ratio to a limit taken in the same run.

use std::process::Command;

use crate::Result;
use crate::workspace::Workspace;

/// Which benchmark, and its own options.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The benchmark.
    #[arg(value_enum)]
    name: Name,
    /// Options of the benchmark: fleet takes --nodes N, --suite N, --seconds S, --load SHARE, --interval MS, --json.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

/// The benchmarks.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Name {
    /// Readings a second of the fleet engine on one core, beside the UDP path with the same ciphers.
    Fleet,
    /// One request and one sensor response of a console, beside the hash and the cipher alone.
    Ipmi,
}

impl Name {
    /// Crate and target that hold it.
    const fn target(self) -> (&'static str, &'static str) {
        match self {
            Self::Fleet => ("fleet", "fleet"),
            Self::Ipmi => ("ipmi", "ipmi"),
        }
    }
}

/// Builds the benchmark optimised and runs it in the terminal.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result {
    let (package, target) = arguments.name.target();
    let status = Command::new(env!("CARGO"))
        .current_dir(&workspace.root)
        .args([
            "bench",
            "--quiet",
            "--package",
            package,
            "--bench",
            target,
            "--",
        ])
        .args(&arguments.options)
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("the benchmark ended with {status}").into())
    }
}
