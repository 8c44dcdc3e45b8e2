//! `cargo xtask bench NAME`: measurements that print a ratio to a limit taken in the same run.

mod cli;
mod fleet_peers;
mod load;
mod redfish;
mod redfish_python;
mod redfish_stand;
mod soak;

use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::process::run_shown;
use crate::workspace::Workspace;

/// How long a build from nothing may take.
const BUILD_LIMIT: Duration = Duration::from_secs(3600);

/// Which benchmark, and its own options.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The benchmark.
    #[arg(value_enum)]
    name: Name,
    /// Options of the benchmark: fleet takes --nodes N, --suite N, --seconds S, --load SHARE, --interval MS, --json; or first
    /// --steady (every sensor once a minute, every value checked) with --nodes N, --minutes M, --interval MS, --suite N,
    /// --loss PERCENT, --duplicate PERCENT, --reorder PERCENT, --delay MS, --rack-off, --json; or first --simulate READINGS (on virtual time, every
    /// value checked) with --nodes N, --seed N; or first --faults (on virtual time, a row for each) with --seed N, --seconds S. fleet-peers takes --nodes N, --seconds S;
    /// redfish --seconds S, --rounds N; soak --nodes N, --minutes M.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

/// The benchmarks.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Name {
    /// One command on a thousand virtual BMCs, beside ipmitool and FreeIPMI.
    Cli,
    /// Readings a second of the fleet engine on one core, beside the UDP path with the same ciphers.
    Fleet,
    /// Readings a second of the service, of FreeIPMI, of pyghmi and of two Rust crates against the same virtual BMCs, and what one
    /// costs.
    FleetPeers,
    /// One request and one sensor response of a console, beside the hash and the cipher alone.
    Ipmi,
    /// Answers a second of the Redfish service on one core, beside bare hyper with the same bytes.
    Redfish,
    /// The service with 50,000 virtual BMCs for two hours: memory, file descriptors and sessions.
    Soak,
}

/// Runs a benchmark in the terminal, everything in it built optimised.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result {
    match arguments.name {
        Name::Cli => cli::run(workspace),
        Name::Fleet => run_target(workspace, "fleet", "fleet", &arguments.options),
        Name::FleetPeers => fleet_peers::run(workspace, &arguments.options),
        Name::Ipmi => run_target(workspace, "ipmi", "ipmi", &arguments.options),
        Name::Redfish => redfish::run(workspace, &arguments.options),
        Name::Soak => soak::run(workspace, &arguments.options),
    }
}

/// Builds these packages as people are told to run them, so that nobody measures a stale program.
fn build_release(workspace: &Workspace, packages: &[&str]) -> Result {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(&workspace.root)
        .args(["build", "--quiet", "--release", "--locked"]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    run_shown(cargo, BUILD_LIMIT)
}

/// Runs a benchmark that is a target of a crate.
fn run_target(workspace: &Workspace, package: &str, target: &str, options: &[String]) -> Result {
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
        .args(options)
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("the benchmark ended with {status}").into())
    }
}
