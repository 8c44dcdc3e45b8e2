//! The command line of makers' own commands: `fan`, `lcd`, `nm`.

use clap::{Args, Subcommand, ValueEnum};
use ipmi::number::{DellLcdMode, NmDomain};

/// Who made a BMC, as far as its own commands are known. Named as `reddrum vbmc --oem` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum Maker {
    /// Supermicro.
    Supermicro,
    /// Dell.
    Dell,
    /// ASRock Rack.
    Asrock,
    /// IBM and Lenovo System x.
    SystemX,
}

/// Whose commands to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub(in crate::ipmi) struct OfMaker {
    /// Send this maker's commands (fan, lcd), whoever the BMC says made it. [default: as Get Device ID says]
    #[arg(long, global = true, value_name = "MAKER")]
    pub(in crate::ipmi) maker: Option<Maker>,
}

/// What to do with the fans of a machine.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(in crate::ipmi) enum FanCommand {
    /// Speeds of all fans, from their sensors.
    List,
    /// Have the fans turn at a duty from now on. The BMC no longer cools by need: watch the temperatures.
    Set {
        /// The duty, in percent.
        #[arg(value_parser = clap::value_parser!(u8).range(0..=100))]
        percent: u8,
        /// Only these, as the maker counts: Supermicro's zone (0 or 1), Dell's fan and ASRock's header from 0, System
        /// x's bank (1 or 2). [default: all]
        #[arg(long, value_name = "N")]
        zone: Option<u8>,
    },
    /// Leave all fans to the BMC again (Supermicro: mode "optimal").
    Auto,
}

/// What to do with the text panel at the front of a machine.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::ipmi) enum LcdCommand {
    /// What it shows, and the text set.
    Get,
    /// Set a text, and show it.
    Set {
        /// The text: at most 62 characters of Latin-1.
        text: String,
    },
    /// Choose what it shows.
    Mode {
        /// What.
        mode: LcdShows,
    },
}

/// What a front panel can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum LcdShows {
    /// The text that was set.
    Text,
    /// Name of the model.
    Model,
    /// Nothing.
    None,
    /// The BMC's IPv4 address.
    Ipv4,
    /// The BMC's IPv6 address.
    Ipv6,
    /// The BMC's MAC address.
    Mac,
    /// Name of the operating system.
    Os,
    /// Service tag.
    ServiceTag,
    /// Temperature of the air around.
    Ambient,
    /// Power drawn.
    Watts,
    /// Asset tag.
    AssetTag,
}

impl From<LcdShows> for DellLcdMode {
    fn from(shows: LcdShows) -> Self {
        match shows {
            LcdShows::Text => Self::USER_TEXT,
            LcdShows::Model => Self::MODEL,
            LcdShows::None => Self::NONE,
            LcdShows::Ipv4 => Self::IDRAC_IPV4,
            LcdShows::Ipv6 => Self::IDRAC_IPV6,
            LcdShows::Mac => Self::IDRAC_MAC,
            LcdShows::Os => Self::OS_NAME,
            LcdShows::ServiceTag => Self::SERVICE_TAG,
            LcdShows::Ambient => Self::AMBIENT,
            LcdShows::Watts => Self::WATTS,
            LcdShows::AssetTag => Self::ASSET_TAG,
        }
    }
}

/// What to ask Intel's Node Manager.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(in crate::ipmi) enum NmCommand {
    /// Versions of Node Manager and its firmware.
    Version,
    /// Power: now, least, most and mean.
    Power {
        /// Of what.
        #[arg(long, default_value = "platform")]
        domain: Domain,
    },
    /// A power policy.
    Policy {
        /// Its number.
        policy: u8,
        /// Of what.
        #[arg(long, default_value = "platform")]
        domain: Domain,
    },
}

/// What Node Manager measures and limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum Domain {
    /// The whole machine.
    Platform,
    /// Processors.
    Cpu,
    /// Memory.
    Memory,
}

impl From<Domain> for NmDomain {
    fn from(domain: Domain) -> Self {
        match domain {
            Domain::Platform => Self::PLATFORM,
            Domain::Cpu => Self::CPU,
            Domain::Memory => Self::MEMORY,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::ipmi::args::IpmiArgs;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: IpmiArgs,
    }

    #[test]
    fn the_maker_is_named_before_the_command_or_behind_it() {
        for line in [
            "ipmi a --maker dell fan set 50",
            "ipmi --maker dell a fan set 50",
            "ipmi a fan --maker dell set 50",
            "ipmi a fan set 50 --maker dell",
        ] {
            let found = Line::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(found.args.connection.of.maker, Some(Maker::Dell), "{line}");
        }
    }
}
