//! The options of `ipmi` that every command has: how to reach BMCs, and how to print what they say.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ipmi::number::PrivilegeLevel;
use ipmi::quirk::{Quirk, Quirks, UnknownQuirk};

use super::{OfMaker, parse_byte};
use crate::args::V15Auth;
use crate::error::ProgramError;

/// Hosts at a time where nobody says otherwise: with fewer, fewer datagrams go through each system call; more bring nothing.
const FANOUT_DEFAULT: usize = 256;

/// The most hosts that are asked at the same time.
const FANOUT_MAX: usize = 4_096;

/// How to reach BMCs, and how to print what they say.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(in crate::ipmi) struct Connection {
    /// Read the hosts from a file, one host or range a line; `-` is standard input.
    #[arg(long, global = true, value_name = "FILE")]
    pub(in crate::ipmi) hosts_file: Option<PathBuf>,
    /// UDP port of hosts that name none.
    #[arg(short, long, global = true, default_value_t = 623, value_name = "PORT",
          value_parser = parse_port)]
    pub(in crate::ipmi) port: u16,
    /// User name on the BMCs.
    #[arg(
        short = 'U',
        long,
        global = true,
        env = "REDDRUM_IPMI_USERNAME",
        value_name = "NAME"
    )]
    pub(in crate::ipmi) username: Option<String>,
    /// Read the password from the first line of a file that only its owner can read.
    #[arg(short = 'f', long, global = true, value_name = "FILE")]
    pub(in crate::ipmi) password_file: Option<PathBuf>,
    /// Cipher suites to propose, best first; no other is used. Suite 0 lets anybody in. [default: 17,3]
    #[arg(
        short = 'C',
        long,
        global = true,
        value_name = "LIST",
        value_delimiter = ','
    )]
    pub(in crate::ipmi) suite: Vec<u8>,
    /// Log in by IPMI 1.5, in these ways, best first: for BMCs that know nothing better. Nothing is encrypted, the BMC proves
    /// nothing, `password` sends it in the clear, and `none` lets anybody in.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "LIST",
        value_delimiter = ',',
        conflicts_with = "suite"
    )]
    pub(in crate::ipmi) v15: Vec<V15Auth>,
    /// Privilege level to work at. [default: the lowest that the command needs]
    #[arg(
        short = 'L',
        long,
        global = true,
        value_name = "LEVEL",
        ignore_case = true
    )]
    pub(in crate::ipmi) privilege: Option<Privilege>,
    /// Wait for an answer before the request is sent again, in milliseconds; doubles each time.
    #[arg(long, global = true, default_value_t = 500, value_name = "MS",
          value_parser = clap::value_parser!(u32).range(10..=60_000))]
    pub(in crate::ipmi) timeout_ms: u32,
    /// How often a request is sent before the BMC counts as silent. What changes something is sent once.
    #[arg(long, global = true, default_value_t = 4, value_name = "N",
          value_parser = clap::value_parser!(u8).range(1..=20))]
    pub(in crate::ipmi) attempts: u8,
    /// How many hosts to ask at the same time.
    #[arg(long, global = true, default_value_t = FANOUT_DEFAULT, value_name = "N", value_parser = parse_fanout)]
    pub(in crate::ipmi) fanout: usize,
    /// Keep sensor data records in this folder: unchanged ones are not read again. [default: ~/.cache/reddrum/sdr]
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        conflicts_with = "no_sdr_cache"
    )]
    pub(in crate::ipmi) sdr_cache: Option<PathBuf>,
    /// Read all sensor data records anew, and keep none.
    #[arg(long, global = true)]
    pub(in crate::ipmi) no_sdr_cache: bool,
    /// Ask the controller with this address behind the BMC (a number such as 0x72), not the BMC itself.
    #[arg(short = 't', long, global = true, value_name = "ADDRESS", value_parser = parse_byte)]
    pub(in crate::ipmi) target: Option<u8>,
    /// On which of the BMC's channels it is.
    #[arg(
        short = 'b',
        long,
        global = true,
        default_value_t = 0,
        value_name = "CHANNEL",
        requires = "target"
    )]
    pub(in crate::ipmi) target_channel: u8,
    /// Over the controller with this address, which has the target on its channel.
    #[arg(short = 'T', long, global = true, value_name = "ADDRESS", requires = "target", value_parser = parse_byte)]
    pub(in crate::ipmi) transit: Option<u8>,
    /// On which of the BMC's channels that controller is.
    #[arg(
        short = 'B',
        long,
        global = true,
        default_value_t = 0,
        value_name = "CHANNEL",
        requires = "transit"
    )]
    pub(in crate::ipmi) transit_channel: u8,
    /// Whose commands to send.
    #[command(flatten)]
    pub(in crate::ipmi) of: OfMaker,
    /// What the BMCs do in their own way and can't be noticed, such as `sensor-owner-wrong`: names of `quirks`, joined by
    /// commas, or the option repeated in one place; FreeIPMI's workaround flags are taken, too.
    #[arg(long = "quirk", global = true, value_name = "NAME", value_delimiter = ',', value_parser = parse_quirk)]
    pub(in crate::ipmi) quirk: Vec<Quirk>,
    /// Print one JSON object a line for each host.
    #[arg(long, global = true)]
    pub(in crate::ipmi) json: bool,
}

impl Connection {
    /// Options that exclude each other where one stands before the command and one behind it, which clap doesn't see.
    ///
    /// # Errors
    /// Both are there.
    pub(in crate::ipmi) fn check(&self) -> Result<(), ProgramError> {
        let both = |one: &str, other: &str| {
            Err(ProgramError::Usage(format!(
                "{one} can't be used with {other}: leave one of them out"
            )))
        };
        if !self.v15.is_empty() && !self.suite.is_empty() {
            // Suites are RMCP+'s: nothing weaker than they is chosen in silence.
            return both("--v15", "--suite");
        }
        if self.no_sdr_cache && self.sdr_cache.is_some() {
            return both("--no-sdr-cache", "--sdr-cache");
        }
        Ok(())
    }

    /// What the operator says of the BMCs.
    pub(in crate::ipmi) fn quirks(&self) -> Quirks {
        self.quirk.iter().fold(Quirks::NONE, |all, q| all.with(*q))
    }
}

fn parse_quirk(name: &str) -> Result<Quirk, String> {
    name.parse().map_err(|e: UnknownQuirk| e.to_string())
}

fn parse_port(text: &str) -> Result<u16, String> {
    text.parse()
        .ok()
        .filter(|port| *port != 0)
        .ok_or_else(|| "expected 1 to 65535".to_owned())
}

fn parse_fanout(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|fanout| (1..=FANOUT_MAX).contains(fanout))
        .ok_or_else(|| format!("expected 1 to {FANOUT_MAX}"))
}

/// Privilege levels that a session can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum Privilege {
    /// Read.
    User,
    /// Read and operate.
    Operator,
    /// Everything.
    Administrator,
}

impl From<Privilege> for PrivilegeLevel {
    fn from(privilege: Privilege) -> Self {
        match privilege {
            Privilege::User => Self::USER,
            Privilege::Operator => Self::OPERATOR,
            Privilege::Administrator => Self::ADMINISTRATOR,
        }
    }
}
