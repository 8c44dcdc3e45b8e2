//! The command line of `sol`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What to do with serial over LAN; without a command, show the console.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::ipmi) struct SolArgs {
    /// What to do, if not to show the console.
    #[command(subcommand)]
    pub(in crate::ipmi) command: Option<SolCommand>,
    /// Append all that the machine prints to a file.
    #[arg(long, value_name = "FILE")]
    pub(in crate::ipmi) log_file: Option<PathBuf>,
    /// Take the console over from whoever has it.
    #[arg(long)]
    pub(in crate::ipmi) steal: bool,
    /// Give every character to the machine, `~` at the beginning of a line too.
    #[arg(long)]
    pub(in crate::ipmi) no_escape: bool,
    /// With input from a pipe: once it has ended, end when the machine prints nothing for so many milliseconds.
    #[arg(long, default_value_t = 2_000, value_name = "MS", value_parser = clap::value_parser!(u32).range(1..=86_400_000))]
    pub(in crate::ipmi) silence_ms: u32,
}

impl SolArgs {
    /// Whether it is the console itself that is wanted.
    pub(in crate::ipmi) const fn shows(&self) -> bool {
        matches!(self.command, None | Some(SolCommand::Activate))
    }
}

/// What to do with serial over LAN.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::ipmi) enum SolCommand {
    /// Show the console; the same as no command.
    Activate,
    /// Print the configuration.
    Info {
        /// Which channel. [default: the one that carries the session]
        #[arg(value_name = "CHANNEL", value_parser = clap::value_parser!(u8).range(1..=14))]
        channel: Option<u8>,
    },
    /// Change the configuration.
    Set {
        /// What to change.
        setting: SolSetting,
        /// true or false; user, operator or administrator; a number; or a bit rate such as 115.2.
        value: String,
        /// Which channel. [default: the one that carries the session]
        #[arg(value_name = "CHANNEL", value_parser = clap::value_parser!(u8).range(1..=14))]
        channel: Option<u8>,
    },
    /// End whatever console there is on the machine.
    Deactivate,
}

/// Settings of serial over LAN, named as ipmitool names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum SolSetting {
    /// Consoles may be activated.
    Enabled,
    /// Packets must be encrypted.
    ForceEncryption,
    /// Packets must be authenticated.
    ForceAuthentication,
    /// The least privilege level.
    PrivilegeLevel,
    /// Characters are sent after this time, in steps of 5 ms.
    CharacterAccumulateLevel,
    /// Characters are sent as soon as there are so many.
    CharacterSendThreshold,
    /// A packet is sent again so many times, at most 7.
    RetryCount,
    /// A packet is sent again after this time, in steps of 10 ms.
    RetryInterval,
    /// Bit rate after the BMC's start: 9.6, 19.2, 38.4, 57.6 or 115.2 kbit/s.
    NonVolatileBitRate,
    /// Bit rate now.
    VolatileBitRate,
}
