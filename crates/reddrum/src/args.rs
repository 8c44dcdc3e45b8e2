//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::fault::Fault;
use crate::ipmi::IpmiArgs;

/// Redfish in front of the machines of a data centre, whatever the machines speak.
#[derive(Debug, Parser)]
#[command(name = "reddrum", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// How much to log to standard error: error, warn, info, debug, trace, or a filter such as fleet=debug.
    #[arg(
        long,
        global = true,
        env = "REDDRUM_LOG",
        default_value = "warn",
        value_name = "FILTER"
    )]
    pub(crate) log: String,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a virtual rack of machines with IPMI BMCs, poll them, and serve them as Redfish.
    Demo(DemoArgs),
    /// Serve the BMCs that a configuration file names as Redfish.
    Serve(ServeArgs),
    /// Run one command on one or many BMCs, straight over IPMI.
    Ipmi(IpmiArgs),
    /// Explain or check a configuration file.
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// What to do about configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every section and key with its meaning and default.
    Keys,
    /// Check a file and say everything that is wrong with it.
    Check {
        /// The file.
        file: PathBuf,
    },
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// How many nodes; 96 fill one rack.
    #[arg(long, default_value_t = 96, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub(crate) nodes: u32,
    /// Where to serve Redfish over HTTPS; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8443", value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,
    /// The UDP port at which the virtual BMCs answer, each on its own 127.16.x.y.
    #[arg(long, default_value_t = 6230, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) ipmi_port: u16,
    /// The seed of the machines' behaviour: same seed, same loads and temperatures.
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    pub(crate) seed: u64,
    /// Lets a machine fall ill some seconds (10) after the start, for good; can be given more than once. Kinds: `hot`
    /// (the air that enters is too warm), `fan` (Fan1 stands still), `silent` (its BMC answers no more), `lossy` (a
    /// fifth of its datagrams gets lost each way).
    #[arg(long = "fault", value_name = "MACHINE=KIND[@SECONDS]")]
    pub(crate) faults: Vec<Fault>,
    /// Once it serves, print one line of JSON on standard output instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The configuration file (TOML); `reddrum config keys` explains its keys.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Once it serves, print one line of JSON on standard output instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_defaults_are_those_of_the_readme() {
        let Ok(Cli {
            command: Command::Demo(demo),
            ..
        }) = Cli::try_parse_from(["reddrum", "demo"])
        else {
            panic!("'reddrum demo' must parse");
        };
        assert_eq!((demo.nodes, demo.ipmi_port), (96, 6230));
        assert_eq!(demo.listen.to_string(), "127.0.0.1:8443");
    }
}
