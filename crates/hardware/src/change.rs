//! What one may ask of a machine, and how it may fail.

use alloc::string::String;
use core::fmt;

/// A change of the host's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerAction {
    /// Power on; nothing when it is on.
    On,
    /// Cut power at once.
    ForceOff,
    /// Ask the operating system to shut down.
    GracefulShutdown,
    /// Hard reset: power stays.
    ForceRestart,
    /// Off, a pause, on.
    PowerCycle,
    /// Pulse the diagnostic interrupt (NMI).
    Nmi,
}

/// From where a host boots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BootTarget {
    /// As the firmware is set up.
    #[default]
    None,
    /// Network (PXE).
    Pxe,
    /// Hard disk.
    Disk,
    /// Optical drive.
    Cd,
    /// Removable media.
    Removable,
    /// Firmware set-up screens.
    Setup,
    /// Diagnostic partition.
    Diagnostics,
}

/// How long a boot override lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BootPersistence {
    /// No override.
    #[default]
    Disabled,
    /// The next boot only.
    Once,
    /// Until changed.
    Continuous,
}

/// Firmware interface for the boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BootMode {
    /// PC-compatible BIOS.
    #[default]
    Legacy,
    /// UEFI.
    Uefi,
}

/// What a host boots from next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BootOverride {
    /// From where.
    pub target: BootTarget,
    /// How long this holds.
    pub persistence: BootPersistence,
    /// Legacy or UEFI.
    pub mode: BootMode,
}

/// A wish for one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Change the host's power.
    Power(PowerAction),
    /// Set what the host boots from.
    Boot(BootOverride),
    /// Switch the identify light on (until switched off) or off.
    Indicator(bool),
    /// Empty the event log.
    ClearLog,
}

/// Why a change did not happen. Says whose fault it is; the texts are for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplyError {
    /// No such node here.
    Absent,
    /// The machine can't do this at all.
    Unsupported {
        /// What it can't do.
        what: String,
    },
    /// The machine understood and said no, in its present state.
    Refused {
        /// Its reason in words ("insufficient privilege level", "node busy").
        reason: String,
    },
    /// The machine can't be reached; nothing is known to have changed.
    Unreachable {
        /// What happened ("no answer for 5 s").
        reason: String,
    },
    /// The command was sent but its answer never came: it may or may not have been carried out.
    Unconfirmed {
        /// What was sent.
        what: String,
    },
    /// Too many changes are waiting; try again later.
    Busy,
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("no such node"),
            Self::Unsupported { what } => write!(f, "the machine does not support {what}"),
            Self::Refused { reason } => write!(f, "the machine refused: {reason}"),
            Self::Unreachable { reason } => write!(f, "the machine can't be reached: {reason}"),
            Self::Unconfirmed { what } => {
                write!(f, "no answer to {what}: it may or may not have happened")
            }
            Self::Busy => f.write_str("too many changes are waiting; try again later"),
        }
    }
}

impl core::error::Error for ApplyError {}
