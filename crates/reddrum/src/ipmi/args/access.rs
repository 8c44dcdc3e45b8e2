//! The command line of what decides who reaches a BMC, and how: `user`, `channel`, `session`, `lan`.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand, ValueEnum};
use ipmi::command::app::UserAccess;
use ipmi::number::PrivilegeLevel;

use super::Privilege;
use crate::config::Secret;

/// A channel; without one, that which carries the session.
#[derive(Clone, Copy, Debug, Args)]
pub(in crate::ipmi) struct OnChannel {
    /// Which channel. [default: the one that carries the session]
    #[arg(value_name = "CHANNEL", value_parser = clap::value_parser!(u8).range(0..=14))]
    pub(in crate::ipmi) channel: Option<u8>,
}

/// A user slot: 1 is the user without a name.
#[derive(Clone, Copy, Debug, Args)]
pub(in crate::ipmi) struct UserSlot {
    /// Number of the user, 1 to 63.
    #[arg(value_name = "ID", value_parser = clap::value_parser!(u8).range(1..=63))]
    pub(in crate::ipmi) id: u8,
}

/// Whether the session's own user may be locked out, or everybody from its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub(in crate::ipmi) struct OwnUser {
    /// Do it even to the user that you are logged in as, or the channel that you came in by: you may not get in again.
    #[arg(long)]
    pub(in crate::ipmi) own_user: bool,
}

/// What to do with users.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::ipmi) enum UserCommand {
    /// Users with their access to a channel.
    List {
        /// Also the slots of no user, as ipmitool does.
        #[arg(long)]
        all: bool,
        /// On which channel.
        #[command(flatten)]
        channel: OnChannel,
    },
    /// How many users there are and may be.
    Summary(OnChannel),
    /// Change name or password.
    #[command(subcommand)]
    Set(UserSetCommand),
    /// Let a user log in.
    Enable(UserSlot),
    /// Bar a user.
    Disable {
        /// Which user.
        #[command(flatten)]
        user: UserSlot,
        /// Whoever it is.
        #[command(flatten)]
        own: OwnUser,
    },
    /// Set the highest privilege level of a user, and let it use IPMI on the channel.
    Priv {
        /// Which user.
        #[command(flatten)]
        user: UserSlot,
        /// The level.
        #[arg(value_name = "LEVEL", ignore_case = true)]
        level: UserLevel,
        /// On which channel.
        #[command(flatten)]
        channel: OnChannel,
        /// Whoever it is.
        #[command(flatten)]
        own: OwnUser,
    },
    /// Check a password without changing anything.
    Test {
        /// Which user.
        #[command(flatten)]
        user: UserSlot,
        /// Which password.
        #[command(flatten)]
        password: NewPassword,
    },
}

/// What to change of a user.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::ipmi) enum UserSetCommand {
    /// The name, 1 to 16 bytes; '' clears it.
    Name {
        /// Which user.
        #[command(flatten)]
        user: UserSlot,
        /// The name.
        name: String,
        /// Whoever it is.
        #[command(flatten)]
        own: OwnUser,
    },
    /// The password, at most 20 bytes.
    Password {
        /// Which user.
        #[command(flatten)]
        user: UserSlot,
        /// Where it comes from.
        #[command(flatten)]
        password: NewPassword,
    },
}

/// Where a user's password comes from; never from the command line, which other people can see.
#[derive(Clone, Debug, Args)]
pub(in crate::ipmi) struct NewPassword {
    /// Read it from the first line of a file that only its owner can read. [default: ask for it]
    #[arg(long, value_name = "FILE")]
    pub(in crate::ipmi) new_password_file: Option<PathBuf>,
    /// Where ipmitool has the password itself: it is not taken, and not even kept.
    #[arg(hide = true, num_args = 0.., value_parser = |_: &str| Ok::<_, String>(Unwelcome))]
    pub(in crate::ipmi) on_the_line: Vec<Unwelcome>,
}

/// A word that must not be on a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ipmi) struct Unwelcome;

/// A word that ipmitool has before a value, and that says nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ipmi) struct Word;

impl Word {
    fn parser(word: &'static str) -> impl clap::builder::TypedValueParser<Value = Self> {
        PossibleValuesParser::new([word]).map(|_| Self)
    }
}

/// Privilege levels that a user can be limited to, by their names or numbers (§6.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum UserLevel {
    /// Call back.
    #[value(alias = "1")]
    Callback,
    /// Read.
    #[value(alias = "2")]
    User,
    /// Read and operate.
    #[value(alias = "3")]
    Operator,
    /// Everything.
    #[value(aliases = ["admin", "4"])]
    Administrator,
    /// No access over this channel.
    #[value(alias = "15")]
    NoAccess,
}

impl From<UserLevel> for PrivilegeLevel {
    fn from(level: UserLevel) -> Self {
        match level {
            UserLevel::Callback => Self::CALLBACK,
            UserLevel::User => Self::USER,
            UserLevel::Operator => Self::OPERATOR,
            UserLevel::Administrator => Self::ADMINISTRATOR,
            UserLevel::NoAccess => UserAccess::NO_ACCESS,
        }
    }
}

/// What to do with channels; words in the order that ipmitool has.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::ipmi) enum ChannelCommand {
    /// Medium, protocol, sessions and access of a channel.
    Info(OnChannel),
    /// Access of a user over a channel, or of all users.
    Getaccess {
        /// Which channel; 14 is the one that carries the session.
        #[arg(value_parser = clap::value_parser!(u8).range(0..=14))]
        channel: u8,
        /// Which user. [default: all]
        #[arg(value_name = "ID", value_parser = clap::value_parser!(u8).range(1..=63))]
        user: Option<u8>,
    },
    /// Set what a user may do over a channel; what is not named stays.
    Setaccess {
        /// Which channel; 14 is the one that carries the session.
        #[arg(value_parser = clap::value_parser!(u8).range(0..=14))]
        channel: u8,
        /// Which user.
        #[command(flatten)]
        user: UserSlot,
        /// `callin=on|off`, `ipmi=on|off`, `link=on|off`, `privilege=LEVEL`.
        #[arg(value_name = "SETTING", required = true, value_parser = parse_access)]
        settings: Vec<AccessSetting>,
        /// Whoever it is.
        #[command(flatten)]
        own: OwnUser,
    },
    /// How somebody who wants this level may log in over a channel.
    Authcap {
        /// Which channel; 14 is the one that carries the session.
        #[arg(value_parser = clap::value_parser!(u8).range(0..=14))]
        channel: u8,
        /// The level, by its name or number.
        #[arg(
            value_name = "LEVEL",
            ignore_case = true,
            default_value = "administrator"
        )]
        level: AuthcapLevel,
    },
    /// Cipher suites that a channel offers.
    Getciphers {
        /// For which payload.
        #[arg(default_value = "ipmi")]
        payload: CipherPayload,
        /// Which channel.
        #[command(flatten)]
        channel: OnChannel,
    },
    /// Set who may use a channel at most, and when it is open.
    Set {
        /// When it takes sessions.
        #[arg(long)]
        mode: Option<AccessMode>,
        /// The highest level that any user has.
        #[arg(long, ignore_case = true)]
        limit: Option<Privilege>,
        /// Which channel.
        #[command(flatten)]
        channel: OnChannel,
        /// Whichever it is.
        #[command(flatten)]
        own: OwnUser,
    },
}

/// Privilege levels that a log-in can be for, by their names or numbers (§6.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum AuthcapLevel {
    /// Call back.
    #[value(alias = "1")]
    Callback,
    /// Read.
    #[value(alias = "2")]
    User,
    /// Read and operate.
    #[value(alias = "3")]
    Operator,
    /// Everything.
    #[value(aliases = ["admin", "4"])]
    Administrator,
    /// The maker's own.
    #[value(alias = "5")]
    Oem,
}

impl From<AuthcapLevel> for PrivilegeLevel {
    fn from(level: AuthcapLevel) -> Self {
        match level {
            AuthcapLevel::Callback => Self::CALLBACK,
            AuthcapLevel::User => Self::USER,
            AuthcapLevel::Operator => Self::OPERATOR,
            AuthcapLevel::Administrator => Self::ADMINISTRATOR,
            AuthcapLevel::Oem => Self::OEM,
        }
    }
}

/// What a cipher suite is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum CipherPayload {
    /// Requests and answers.
    Ipmi,
    /// Serial over LAN.
    Sol,
}

/// What a user may do over a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ipmi) enum AccessSetting {
    /// Log in other than by callback.
    Callin(bool),
    /// Send requests.
    Ipmi(bool),
    /// Be authenticated by the link.
    Link(bool),
    /// Work at this level at most.
    Privilege(UserLevel),
}

fn parse_access(text: &str) -> Result<AccessSetting, String> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    Ok(match name {
        "callin" => AccessSetting::Callin(parse_switch(value)?),
        "ipmi" => AccessSetting::Ipmi(parse_switch(value)?),
        "link" => AccessSetting::Link(parse_switch(value)?),
        "privilege" => {
            AccessSetting::Privilege(UserLevel::from_str(value, true).map_err(|_| {
                "expected callback, user, operator, administrator or no-access, or its number"
                    .to_owned()
            })?)
        }
        _ => return Err("expected callin=, ipmi=, link= or privilege=".to_owned()),
    })
}

/// When a channel takes sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum AccessMode {
    /// Never.
    Disabled,
    /// Before the operating system runs.
    PreBoot,
    /// Always.
    Always,
    /// Shared with the operating system.
    Shared,
}

/// What to do with sessions.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(in crate::ipmi) enum SessionCommand {
    /// This session, or all that are open.
    Info {
        /// Which.
        #[arg(default_value = "active")]
        which: Sessions,
    },
}

/// Which sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum Sessions {
    /// All that are open.
    #[value(alias = "all")]
    Active,
    /// This one.
    Current,
}

/// What to do with the LAN configuration.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::ipmi) enum LanCommand {
    /// Addresses, gateway, VLAN, cipher suites.
    Print(OnChannel),
    /// Change one thing. A BMC that gets another address is reached at that from now on.
    Set {
        /// On which channel. [default: the one that carries the session]
        #[arg(long, value_name = "CHANNEL", value_parser = clap::value_parser!(u8).range(1..=14))]
        channel: Option<u8>,
        /// The same, where ipmitool has it.
        #[arg(value_name = "CHANNEL", conflicts_with = "channel", value_parser = clap::value_parser!(u8).range(1..=14))]
        on: Option<u8>,
        /// What.
        #[command(subcommand)]
        change: LanChange,
    },
}

/// What of a LAN channel to change.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::ipmi) enum LanChange {
    /// Its configuration.
    #[command(flatten)]
    Setting(LanSetting),
    /// Whether the channel takes sessions: `on` always, up to administrator; `off` never. `channel set` says it more finely.
    Access {
        /// on or off.
        #[arg(value_name = "on|off", value_parser = parse_switch, action = clap::ArgAction::Set)]
        on: bool,
        /// Whichever it is.
        #[command(flatten)]
        own: OwnUser,
    },
}

/// What of the LAN configuration to change.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub(in crate::ipmi) enum LanSetting {
    /// IP address.
    Ipaddr {
        /// The address.
        address: Ipv4Addr,
    },
    /// Subnet mask.
    Netmask {
        /// The mask.
        #[arg(value_parser = parse_mask)]
        mask: Ipv4Addr,
    },
    /// Default gateway.
    #[command(alias = "defgw", allow_missing_positional = true)]
    Gateway {
        /// As ipmitool has it.
        #[arg(hide = true, value_parser = Word::parser("ipaddr"))]
        word: Option<Word>,
        /// Its address.
        #[arg(required = true)]
        address: Ipv4Addr,
    },
    /// Backup gateway.
    #[command(alias = "bakgw", allow_missing_positional = true)]
    BackupGateway {
        /// As ipmitool has it.
        #[arg(hide = true, value_parser = Word::parser("ipaddr"))]
        word: Option<Word>,
        /// Its address.
        #[arg(required = true)]
        address: Ipv4Addr,
    },
    /// Where the address comes from.
    #[command(alias = "ipsrc")]
    Source {
        /// From where.
        source: AddressSource,
    },
    /// VLAN (802.1q).
    Vlan(VlanArgs),
    /// Whether the BMC answers ARP requests, or sends ARPs that nobody asked for.
    #[command(allow_missing_positional = true)]
    Arp {
        /// Which of the two; the other stays as it is.
        #[arg(default_value = "respond")]
        part: ArpPart,
        /// on or off.
        #[arg(required = true, value_name = "on|off", value_parser = parse_switch, action = clap::ArgAction::Set)]
        on: bool,
    },
    /// SNMP community string of the traps that the BMC sends, at most 18 bytes. It is not printed.
    Snmp {
        /// The string. Others on this machine can read it here: what is meant to be secret is better in a file.
        #[arg(required_unless_present = "community_file", value_parser = |text: &str| Ok::<_, String>(Secret::new(text)))]
        community: Option<Secret>,
        /// Read it from the first line of a file that only its owner can read.
        #[arg(long, value_name = "FILE", conflicts_with = "community")]
        community_file: Option<PathBuf>,
    },
}

/// What a BMC does about ARP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum ArpPart {
    /// It answers requests.
    Respond,
    /// It tells its address unasked (gratuitous ARP).
    Generate,
}

/// Where a BMC's address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum AddressSource {
    /// It is set by hand.
    Static,
    /// From a DHCP server.
    Dhcp,
    /// From the machine's firmware.
    Bios,
    /// From elsewhere.
    Other,
}

/// A VLAN and its priority, or the words that ipmitool has for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::ipmi) struct VlanArgs {
    /// `off`, or its number from 1 to 4094.
    #[arg(value_name = "ID|off", required = true, value_parser = parse_vlan)]
    id: Option<Vlan>,
    /// Priority, 0 to 7.
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=7))]
    priority: Option<u8>,
    #[command(subcommand)]
    part: Option<VlanPart>,
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
enum VlanPart {
    /// The VLAN; the same as without this word.
    Id {
        /// `off`, or its number from 1 to 4094.
        #[arg(value_name = "ID|off", value_parser = parse_vlan)]
        id: Vlan,
        /// Priority, 0 to 7.
        #[arg(long, value_parser = clap::value_parser!(u8).range(0..=7))]
        priority: Option<u8>,
    },
    /// The priority alone; the VLAN stays.
    Priority {
        /// 0 to 7.
        #[arg(value_parser = clap::value_parser!(u8).range(0..=7))]
        priority: u8,
    },
}

impl VlanArgs {
    /// The VLAN that is wanted, where one is.
    pub(in crate::ipmi) fn id(&self) -> Option<Vlan> {
        match self.part {
            None => self.id,
            Some(VlanPart::Id { id, .. }) => Some(id),
            Some(VlanPart::Priority { .. }) => None,
        }
    }

    /// The priority that is wanted, where one is.
    pub(in crate::ipmi) fn priority(&self) -> Option<u8> {
        match self.part {
            None => self.priority,
            Some(VlanPart::Id { priority, .. }) => priority,
            Some(VlanPart::Priority { priority }) => Some(priority),
        }
    }
}

/// A VLAN, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ipmi) struct Vlan(pub(in crate::ipmi) Option<u16>);

/// Ones and then zeros: a BMC with another mask is out of reach.
fn parse_mask(text: &str) -> Result<Ipv4Addr, String> {
    let mask: Ipv4Addr = text
        .parse()
        .map_err(|_| "expected a mask such as 255.255.255.0")?;
    let bits = u32::from(mask);
    if bits.leading_ones() + bits.trailing_zeros() == 32 {
        Ok(mask)
    } else {
        Err("a mask is ones and then zeros, such as 255.255.255.0".to_owned())
    }
}

fn parse_vlan(text: &str) -> Result<Vlan, String> {
    let id = text.parse().ok().filter(|id| (1..=4_094).contains(id));
    match (text, id) {
        ("off", _) => Ok(Vlan(None)),
        (_, Some(id)) => Ok(Vlan(Some(id))),
        _ => Err("expected off, or 1 to 4094".to_owned()),
    }
}

pub(super) fn parse_switch(text: &str) -> Result<bool, String> {
    match text {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err("expected on or off".to_owned()),
    }
}
