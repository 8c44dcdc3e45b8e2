//! The command line of what is beside the host: `mc`, `watchdog`, `pef`, `dcmi`, `picmg`, `led`, `hpm`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::access::parse_switch;

/// What to do with the BMC itself.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(in crate::ipmi) enum McCommand {
    /// Maker, product, firmware, devices, GUIDs.
    Info,
    /// The system's GUID.
    Guid,
    /// Result of the self test.
    Selftest,
    /// Restart the BMC; sessions end, the machine runs on.
    Reset {
        /// How.
        #[arg(value_name = "cold|warm")]
        kind: ResetKind,
    },
    /// As `watchdog`.
    #[command(subcommand)]
    Watchdog(WatchdogCommand),
}

/// How to restart a BMC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum ResetKind {
    /// As after its power comes on.
    Cold,
    /// Without losing what it knows.
    Warm,
}

/// What to do with the watchdog.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(in crate::ipmi) enum WatchdogCommand {
    /// What it is set to, and how long it still waits.
    Get,
    /// Start it, or begin anew.
    Reset,
    /// Stop it.
    Off,
    /// Set it; `reset` starts it.
    Set {
        /// After this time it acts, in seconds (0.1 to 6553.5).
        #[arg(long, value_name = "SECONDS")]
        timeout: f32,
        /// What it does then.
        #[arg(long, default_value = "reset")]
        action: TimeoutAction,
    },
}

/// What a watchdog does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum TimeoutAction {
    /// Nothing.
    None,
    /// Reset the machine.
    Reset,
    /// Switch it off.
    PowerOff,
    /// Switch it off and on again.
    PowerCycle,
}

/// What to do with platform event filtering.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(in crate::ipmi) enum PefCommand {
    /// What it can do, and what is switched on.
    Info,
    /// The last event that was processed.
    Status,
    /// The filters: which events do what.
    #[command(subcommand)]
    Filter(PefTable),
    /// The alert policies: where alerts go.
    #[command(subcommand)]
    Policy(PefTable),
    /// The same as `filter list`.
    Filters,
    /// The same as `policy list`.
    Policies,
}

/// What to do with a table of platform event filtering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub(in crate::ipmi) enum PefTable {
    /// Print its entries.
    List,
    /// Let an entry count.
    Enable {
        /// Its number.
        #[arg(value_name = "ID", value_parser = clap::value_parser!(u8).range(1..=127))]
        entry: u8,
    },
    /// Let an entry not count; it stays.
    Disable {
        /// Its number.
        #[arg(value_name = "ID", value_parser = clap::value_parser!(u8).range(1..=127))]
        entry: u8,
    },
}

/// What to do with DCMI.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::ipmi) enum DcmiCommand {
    /// What it can do.
    Discover,
    /// Power: what is drawn, and its limit.
    #[command(subcommand)]
    Power(DcmiPowerCommand),
    /// The asset tag; with a text, set it.
    AssetTag {
        /// The new one, at most 63 bytes.
        text: Option<String>,
    },
    /// The controller's identifier; with a text, set it.
    McId {
        /// The new one, at most 63 bytes.
        text: Option<String>,
    },
    /// The asset tag, in ipmitool's words.
    #[command(name = "asset_tag", hide = true)]
    GetAssetTag,
    /// Set the asset tag, in ipmitool's words.
    #[command(name = "set_asset_tag", hide = true)]
    SetAssetTag {
        /// The new one, at most 63 bytes.
        text: String,
    },
    /// The controller's identifier, in ipmitool's words.
    #[command(name = "get_mc_id_string", hide = true)]
    GetMcId,
    /// Set the controller's identifier, in ipmitool's words.
    #[command(name = "set_mc_id_string", hide = true)]
    SetMcId {
        /// The new one, at most 63 bytes.
        text: String,
    },
    /// Temperatures of inlet, processors and baseboard.
    #[command(alias = "get_temp_reading")]
    Thermal,
    /// Which sensors are those of inlet, processors and baseboard.
    Sensors,
}

/// What to do with power.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(in crate::ipmi) enum DcmiPowerCommand {
    /// What is drawn.
    Reading,
    /// The limit.
    #[command(alias = "get_limit")]
    GetLimit,
    /// Change the limit; what is not named stays.
    #[command(alias = "set_limit")]
    SetLimit(PowerLimitArgs),
    /// Let the limit hold.
    Activate,
    /// Lift the limit.
    Deactivate,
}

/// A power limit, or some of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
#[group(required = true, multiple = true)]
pub(in crate::ipmi) struct PowerLimitArgs {
    /// In watts.
    #[arg(long, value_name = "WATTS")]
    pub(in crate::ipmi) limit: Option<u16>,
    /// How long the machine may exceed it, in milliseconds.
    #[arg(long, value_name = "MS")]
    pub(in crate::ipmi) correction: Option<u32>,
    /// Over which time power is averaged, in seconds.
    #[arg(long, value_name = "SECONDS")]
    pub(in crate::ipmi) sample: Option<u16>,
    /// What happens when the machine exceeds it.
    #[arg(long)]
    pub(in crate::ipmi) action: Option<LimitAction>,
}

/// What happens when a machine exceeds its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum LimitAction {
    /// Nothing.
    None,
    /// It is switched off.
    PowerOff,
    /// It is logged.
    Log,
}

/// A field-replaceable unit behind a controller; 0 is the controller's own.
#[derive(Clone, Copy, Debug, Args)]
pub(in crate::ipmi) struct Unit {
    /// Number of the FRU.
    #[arg(value_name = "FRU", default_value_t = 0)]
    pub(in crate::ipmi) fru: u8,
}

/// What to do with an AdvancedTCA controller.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(in crate::ipmi) enum PicmgCommand {
    /// Version and units.
    Properties,
    /// Where it is.
    Addrinfo(Unit),
    /// Activate a unit.
    Activate(Unit),
    /// Deactivate a unit.
    Deactivate(Unit),
    /// Whether a unit may be activated and deactivated.
    Policy(Unit),
    /// Power levels of a unit.
    Power(Unit),
    /// Reset a unit or its payload.
    Frucontrol {
        /// How.
        action: UnitControl,
        /// Which unit.
        #[command(flatten)]
        unit: Unit,
    },
    /// Fan level of a unit.
    #[command(subcommand)]
    Fan(UnitFanCommand),
}

/// How to control a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum UnitControl {
    /// Cold reset.
    Cold,
    /// Warm reset.
    Warm,
    /// Graceful reboot.
    Graceful,
    /// Diagnostic interrupt.
    Diag,
    /// Quiesce.
    Quiesce,
}

/// What to do with the lights of a unit.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(in crate::ipmi) enum LedCommand {
    /// All lights of a unit with state and colour.
    List(Unit),
    /// Switch a light.
    Set {
        /// Which: 0 the blue one, 1 to 3, and the unit's own from 4.
        led: u8,
        /// What it shows.
        state: LedState,
        /// In which colour. [default: its own]
        #[arg(long)]
        color: Option<Color>,
        /// Which unit.
        #[arg(long, default_value_t = 0)]
        fru: u8,
    },
}

/// What a light shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum LedState {
    /// Light.
    On,
    /// None.
    Off,
    /// Half a second on, half a second off.
    Blink,
    /// What the unit itself wants.
    Auto,
}

/// Colours of lights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum Color {
    /// Blue.
    Blue,
    /// Red.
    Red,
    /// Green.
    Green,
    /// Amber.
    Amber,
    /// Orange.
    Orange,
    /// White.
    White,
}

/// What to do with fans of a unit.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(in crate::ipmi) enum UnitFanCommand {
    /// Level and limits.
    Get(Unit),
    /// Set the level.
    Set {
        /// The level, or `auto` for the unit's own control.
        #[arg(value_name = "LEVEL|auto", value_parser = parse_level)]
        level: FanSpeed,
        /// Which unit.
        #[command(flatten)]
        unit: Unit,
    },
}

/// A fan level; `None` is the unit's own control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ipmi) struct FanSpeed(pub(in crate::ipmi) Option<u8>);

fn parse_level(text: &str) -> Result<FanSpeed, String> {
    let level = text.parse().ok().filter(|level| *level <= 0xfd);
    match (text, level) {
        ("auto", _) => Ok(FanSpeed(None)),
        (_, Some(level)) => Ok(FanSpeed(Some(level))),
        _ => Err("expected auto, or 0 to 253".to_owned()),
    }
}

/// What to do with firmware (HPM.1).
#[derive(Clone, Debug, Subcommand)]
pub(in crate::ipmi) enum HpmCommand {
    /// Components with their versions.
    Check,
    /// Load an image and activate it.
    Upgrade {
        /// The image (HPM.1).
        file: PathBuf,
        /// Load it, and leave the activation for later.
        #[arg(long)]
        no_activate: bool,
        /// Wait until the controller runs it: it restarts, and answers nothing for a while.
        #[arg(long, conflicts_with = "no_activate")]
        wait: bool,
        /// Only if the image is of a newer version, or `off`: whatever its version.
        #[arg(long, default_value = "on", value_parser = parse_switch, action = clap::ArgAction::Set)]
        newer_only: bool,
    },
    /// Activate what was loaded.
    Activate(HpmWait),
    /// Go back to what was before.
    Rollback(HpmWait),
    /// What the controller is doing.
    Status,
}

/// Whether to wait for a controller that restarts into other firmware.
#[derive(Clone, Copy, Debug, Args)]
pub(in crate::ipmi) struct HpmWait {
    /// Wait until the controller runs it: it restarts, and answers nothing for a while.
    #[arg(long)]
    pub(in crate::ipmi) wait: bool,
}
