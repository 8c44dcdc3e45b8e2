//! The command line of `reddrum ipmi`.

mod access;
mod boot;
mod connection;
mod hardware;
mod makers;
mod records;
mod sol;

use std::path::PathBuf;

pub(super) use access::{
    AccessMode, AccessSetting, AddressSource, ArpPart, ChannelCommand, CipherPayload, LanChange,
    LanCommand, LanSetting, NewPassword, OnChannel, OwnUser, SessionCommand, Sessions, UserCommand,
    UserLevel, UserSetCommand, UserSlot, Vlan,
};

pub(super) use boot::{
    BootArgs, BootClearing, BootparamCommand, BootparamSetArgs, BootparamWords, Device,
};
use clap::{Args, Subcommand, ValueEnum};
pub(super) use connection::{Connection, Privilege};
pub(super) use hardware::{
    Color, DcmiCommand, DcmiPowerCommand, FanSpeed, HpmCommand, HpmWait, LedCommand, LedState,
    LimitAction, McCommand, PefCommand, PefTable, PicmgCommand, PowerLimitArgs, ResetKind,
    TimeoutAction, UnitControl, UnitFanCommand, WatchdogCommand,
};
use ipmi::number::{ChassisControlAction, PowerRestorePolicy};
pub(super) use makers::{FanCommand, LcdCommand, Maker, NmCommand, OfMaker};
pub(super) use records::{
    BackupArgs, EntityWanted, FruArgs, FruCommand, FruText, Limit, SdrCommand, SdrKind, SelCommand,
    SelEnd, SelPart, SelTimeCommand, SensorArgs, SensorCommand,
};
pub(super) use sol::{SolArgs, SolCommand, SolSetting};

use crate::scan::{PINGS_PER_S_DEFAULT, PINGS_PER_S_LIMITS, ROUNDS_DEFAULT};

/// What `reddrum ipmi --help` shows behind the options.
const HELP: &str = "\
Hosts:      node1   10.0.0.5:6230   node[001-500]   a,b,r[1-4]n[1-24]   @FILE or --hosts-file FILE
Passwords:  --password-file FILE (mode 0600), or REDDRUM_IPMI_PASSWORD, IPMI_PASSWORD or
            IPMITOOL_PASSWORD, or asked for on a terminal; the BMC key K_g from IPMI_KGKEY.
Output:     lines as ipmitool prints them, with 'host: ' before each where there are several hosts;
            --json prints one object a line for each host. Always in the order of the hosts.
Exit code:  0 every host did it, 1 some did not, 2 the command line can't be used.

Examples:
  reddrum ipmi node[001-500] -U admin -f bmc.password power status
  reddrum ipmi 10.0.0.5 -U admin sensor 'CPU*' --json
  reddrum ipmi @rack7 -U admin boot pxe --uefi
  reddrum ipmi node17 -U admin sol --log-file node17.log
  reddrum ipmi 10.0.0.0/16 discover";

/// Options of `ipmi`.
#[derive(Debug, Args)]
#[command(
    after_help = HELP,
    subcommand_required = true,
    arg_required_else_help = true,
    args_override_self = true
)]
pub(crate) struct IpmiArgs {
    /// Which BMCs: names, addresses, ranges such as `node[001-500]`, each with `:PORT` if need be, joined by commas.
    #[arg(value_name = "HOSTS")]
    pub(super) hosts: Option<String>,
    /// How to reach them.
    #[command(flatten)]
    pub(super) connection: Connection,
    /// What to do.
    #[command(subcommand)]
    pub(super) command: IpmiCommand,
}

/// What to do on every host.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum IpmiCommand {
    /// Main power: look, switch, reset.
    Power {
        /// What to do.
        action: PowerAction,
    },
    /// Chassis: status, and what ipmitool has under this name.
    #[command(subcommand)]
    Chassis(ChassisCommand),
    /// The BMC itself.
    #[command(subcommand, alias = "bmc")]
    Mc(McCommand),
    /// Sensors with value, unit, status and thresholds.
    Sensor(SensorArgs),
    /// Sensor data records.
    #[command(subcommand)]
    Sdr(SdrCommand),
    /// System event log.
    #[command(subcommand)]
    Sel(SelCommand),
    /// Inventories (FRU).
    Fru(FruArgs),
    /// What to boot from next; without a device, print what is set.
    Boot(BootArgs),
    /// Make the machine show itself.
    Identify {
        /// For so many seconds (0 to 255), `on` until told otherwise, or `off`. [default: 15 seconds]
        #[arg(value_name = "SECONDS|on|off", value_parser = parse_identify)]
        interval: Option<Interval>,
    },
    /// Send a request by its numbers (decimal, or hexadecimal after 0x) and print the answer's bytes. It is sent once.
    Raw(RawArgs),
    /// Serial console of one machine in this terminal, or its configuration; `~.` leaves it.
    Sol(SolArgs),
    /// Boot options by their numbers.
    #[command(subcommand)]
    Bootparam(BootparamCommand),
    /// LAN configuration.
    #[command(subcommand)]
    Lan(LanCommand),
    /// Users of the BMC.
    #[command(subcommand)]
    User(UserCommand),
    /// Channels: who may come in over which, and how.
    #[command(subcommand)]
    Channel(ChannelCommand),
    /// Sessions that are open.
    #[command(subcommand)]
    Session(SessionCommand),
    /// The watchdog that resets the machine unless it is told not to.
    #[command(subcommand)]
    Watchdog(WatchdogCommand),
    /// Platform event filtering: what the BMC does by itself when something happens.
    #[command(subcommand)]
    Pef(PefCommand),
    /// Data centre manageability: power, its limit, asset tag, temperatures.
    #[command(subcommand)]
    Dcmi(DcmiCommand),
    /// Units of an AdvancedTCA or MicroTCA shelf.
    #[command(subcommand)]
    Picmg(PicmgCommand),
    /// Lights of a unit.
    #[command(subcommand)]
    Led(LedCommand),
    /// Fans: their speeds, and by makers' own commands their duty (Supermicro, Dell, ASRock Rack, System x).
    #[command(subcommand)]
    Fan(FanCommand),
    /// The text panel at the front (Dell).
    #[command(subcommand)]
    Lcd(LcdCommand),
    /// Intel's Node Manager: power and its policies. It is found at the BMC, or behind it (0x2c on channel 6, or where a
    /// sensor data record says); `-t` and `-b` name another place.
    #[command(subcommand)]
    Nm(NmCommand),
    /// Firmware, by HPM.1.
    #[command(subcommand)]
    Hpm(HpmCommand),
    /// Find BMCs by ASF ping, without a login. HOSTS may have networks such as 10.0.0.0/24.
    Discover(DiscoverArgs),
    /// How BMCs deviate from IPMI, and what is done about it; asks no BMC. `vbmc --defect` makes virtual ones that do.
    Quirks,
    /// Print datagrams, one line each; asks no BMC.
    ///
    /// With --json each is an object of a line: `protocol` (ASF, IPMI 1.5, RMCP+), `line` (the text), `session` (the session
    /// header), and what it carries: `asf`, `message` (with `command`, `type`, `completion_code`, `data`),
    /// `open_session_request`, `open_session_response`, `rakp_1` to `rakp_4`, `sol`, `payload` or `encrypted` (digits). From
    /// a capture also `time_s`, `from` and `to`. A protocol number is `{"number", "name"}`, a set of bits `{"number", "names"}`.
    /// What can hold a password, such as makers' own messages and the characters of a serial console, is `{"hidden_bytes"}`, its
    /// length, and in text `N bytes, not shown`. What is no datagram is `error`. Keys don't change between versions; there may be more.
    Decode {
        /// A UDP payload in hexadecimal digits, blanks and colons between them are ignored; or a capture file (pcap,
        /// pcapng). `-` reads lines of digits from standard input.
        #[arg(required = true, value_name = "HEX|FILE")]
        datagrams: Vec<String>,
        /// Print every field on a line of its own.
        #[arg(short, long)]
        verbose: bool,
        /// Open what is encrypted, with the password (--password-file, or the environment) and IPMI_KGKEY, in sessions
        /// whose log-in comes before. What can hold a password is not shown even so.
        #[arg(long)]
        open: bool,
    },
}

impl IpmiCommand {
    /// The file that what a host says goes to.
    pub(super) const fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::Sel(SelCommand::Save { file })
            | Self::Sdr(SdrCommand::Dump { file })
            | Self::Fru(FruArgs {
                command: Some(FruCommand::Read { file, .. }),
                ..
            }) => Some(file),
            _ => None,
        }
    }

    /// Whether it gives a BMC what no other one may have.
    pub(super) const fn is_for_one(&self) -> bool {
        matches!(
            self,
            Self::Lan(LanCommand::Set {
                change: LanChange::Setting(LanSetting::Ipaddr { .. }),
                ..
            })
        )
    }
}

/// What to do with main power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PowerAction {
    /// Print whether it is on.
    Status,
    /// Switch on.
    #[value(alias = "up")]
    On,
    /// Switch off at once, without asking the operating system.
    #[value(alias = "down")]
    Off,
    /// Off, and on again.
    Cycle,
    /// Pulse the reset line.
    Reset,
    /// Ask the operating system to shut down.
    Soft,
    /// Send a diagnostic interrupt (NMI).
    Diag,
}

impl PowerAction {
    /// The control of the chassis that it is; `None` for a look.
    pub(super) const fn control(self) -> Option<ChassisControlAction> {
        Some(match self {
            Self::Status => return None,
            Self::On => ChassisControlAction::POWER_UP,
            Self::Off => ChassisControlAction::POWER_DOWN,
            Self::Cycle => ChassisControlAction::POWER_CYCLE,
            Self::Reset => ChassisControlAction::HARD_RESET,
            Self::Soft => ChassisControlAction::SOFT_SHUTDOWN,
            Self::Diag => ChassisControlAction::DIAGNOSTIC_INTERRUPT,
        })
    }
}

/// What to do with the chassis.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum ChassisCommand {
    /// Power, faults, intrusion, identify light, restore policy.
    Status,
    /// As `power`.
    Power {
        /// What to do.
        action: PowerAction,
    },
    /// As `identify`.
    Identify {
        /// For so many seconds (0 to 255), `on` until told otherwise, or `off`. [default: 15 seconds]
        #[arg(value_name = "SECONDS|on|off", value_parser = parse_identify)]
        interval: Option<Interval>,
    },
    /// As `boot`.
    Bootdev(BootArgs),
    /// As `bootparam`.
    #[command(subcommand)]
    Bootparam(BootparamCommand),
    /// What the machine does when mains power comes back; `list` tells which of it the chassis can do.
    Policy {
        /// What.
        policy: RestorePolicy,
    },
    /// Why the system started the last time.
    #[command(alias = "restart_cause")]
    RestartCause,
    /// How long the machine has been on in its life.
    Poh,
    /// As `mc selftest`.
    Selftest,
}

/// What a machine does when mains power comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RestorePolicy {
    /// Print the policies that there are.
    List,
    /// It stays off.
    AlwaysOff,
    /// It goes back to the state in which power was lost.
    Previous,
    /// It switches on.
    AlwaysOn,
}

impl RestorePolicy {
    /// The policy to be set; `None` for a look.
    pub(super) const fn wanted(self) -> Option<PowerRestorePolicy> {
        Some(match self {
            Self::List => return None,
            Self::AlwaysOff => PowerRestorePolicy::ALWAYS_OFF,
            Self::Previous => PowerRestorePolicy::PREVIOUS,
            Self::AlwaysOn => PowerRestorePolicy::ALWAYS_ON,
        })
    }
}

/// How to look for BMCs.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct DiscoverArgs {
    /// Pings a second, at most.
    #[arg(long, default_value_t = PINGS_PER_S_DEFAULT, value_name = "N", value_parser = pings_per_s())]
    pub(super) rate: u32,
    /// How often an address is asked that does not answer.
    #[arg(long, default_value_t = ROUNDS_DEFAULT, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=10))]
    pub(super) rounds: u8,
    /// Print the BMCs as a list that the service takes, as `inventory` in its configuration: hosts,names,port.
    #[arg(long)]
    pub(super) csv: bool,
}

fn pings_per_s() -> clap::builder::RangedI64ValueParser<u32> {
    let (first, last) = PINGS_PER_S_LIMITS.into_inner();
    clap::value_parser!(u32).range(i64::from(first)..=i64::from(last))
}

/// How long a machine shows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interval {
    /// So many seconds.
    Seconds(u8),
    /// Until told otherwise.
    On,
    /// Not at all.
    Off,
}

fn parse_identify(text: &str) -> Result<Interval, String> {
    match text {
        "on" | "force" => Ok(Interval::On),
        "off" | "0" => Ok(Interval::Off),
        _ => {
            let seconds = text.parse().map(Interval::Seconds);
            seconds.map_err(|_| "expected 0 to 255 seconds, on or off".to_owned())
        }
    }
}

/// A request by its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub(super) struct RawArgs {
    /// Logical unit of the BMC.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=3))]
    pub(super) lun: u8,
    /// Network function of the request: even, 0 to 0x3e.
    #[arg(value_parser = parse_netfn)]
    pub(super) netfn: u8,
    /// Command.
    #[arg(value_parser = parse_byte)]
    pub(super) cmd: u8,
    /// Data.
    #[arg(value_name = "BYTE", value_parser = parse_byte)]
    pub(super) data: Vec<u8>,
}

fn parse_byte(text: &str) -> Result<u8, String> {
    let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u8::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| "expected a byte, such as 18 or 0x12".to_owned())
}

fn parse_netfn(text: &str) -> Result<u8, String> {
    let netfn = parse_byte(text)?;
    if netfn.is_multiple_of(2) && netfn <= 0x3e {
        Ok(netfn)
    } else {
        Err("the network function of a request is even, 0 to 0x3e".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: IpmiArgs,
    }

    fn parse(line: &str) -> Result<IpmiArgs, clap::Error> {
        let words = std::iter::once("ipmi").chain(line.split_whitespace());
        Line::try_parse_from(words).map(|line| line.args)
    }

    #[test]
    fn options_may_stand_anywhere() {
        for line in [
            "-U admin --suite 17,3 -p 6230 --json node[1-3] power off",
            "node[1-3] -U admin --suite 17,3 power -p 6230 off --json",
            "node[1-3] power off -U admin --suite 17,3 -p 6230 --json",
        ] {
            let args = parse(line).unwrap();
            assert_eq!(args.hosts.as_deref(), Some("node[1-3]"), "{line}");
            assert_eq!(args.connection.username.as_deref(), Some("admin"), "{line}");
            assert_eq!(
                (args.connection.suite, args.connection.port),
                (vec![17, 3], 6230)
            );
            assert!(args.connection.json);
            assert!(matches!(
                args.command,
                IpmiCommand::Power {
                    action: PowerAction::Off
                }
            ));
        }
    }

    #[test]
    fn hosts_may_come_from_a_file_alone() {
        let args = parse("--hosts-file rack7 -U admin power status").unwrap();
        assert_eq!(args.hosts, None);
        assert_eq!(args.connection.hosts_file, Some(PathBuf::from("rack7")));
    }

    #[test]
    fn a_request_by_numbers_takes_hexadecimal_and_decimal() {
        let Ok(IpmiCommand::Raw(raw)) = parse("a raw 0x06 1 0xFF 18").map(|args| args.command)
        else {
            panic!("it must parse");
        };
        assert_eq!(
            raw,
            RawArgs {
                lun: 0,
                netfn: 6,
                cmd: 1,
                data: vec![0xff, 18]
            }
        );
        for line in [
            "a raw 7 1",
            "a raw 0x40 1",
            "a raw 6",
            "a raw 6 256",
            "a raw 6 1 zz",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn what_is_no_choice_is_refused() {
        for line in [
            "a power explode",
            "a boot --persistent",
            "a identify 256",
            "a --fanout 0 power on",
            "a --fanout 5000 power on",
            "a -P secret power on",
            "a --privilege root power on",
            "a lan print 15",
            "a user priv 64 user",
            "a lan set vlan id 0",
            "a picmg fan set 254",
            "a fan set 101",
            "a fan set 50 --maker acme",
            "a lcd mode upside-down",
            "a sel add 1 2 3",
            "a",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
