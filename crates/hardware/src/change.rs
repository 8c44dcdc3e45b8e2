//! What one may ask of a machine, and how it may fail.

use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::{Installation, NetworkChange};

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

/// A boot override to be changed; `None` stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BootChange {
    /// From where.
    pub target: Option<BootTarget>,
    /// How long this holds.
    pub persistence: Option<BootPersistence>,
    /// Legacy or UEFI.
    pub mode: Option<BootMode>,
}

impl BootChange {
    /// What becomes of the machine's `current` override. A target without a lifetime, where none is set yet, holds
    /// for one boot: without one it would have no effect at all. `None`: an override is asked for that has no target,
    /// neither a new one nor the machine's own.
    #[must_use]
    pub fn on(self, current: BootOverride) -> Option<BootOverride> {
        let mode = self.mode.unwrap_or(current.mode);
        let target = self.target.unwrap_or(current.target);
        let persistence = match (self.persistence, self.target) {
            (Some(persistence), _) => persistence,
            (None, Some(BootTarget::None)) => BootPersistence::Disabled,
            (None, Some(_)) if current.persistence == BootPersistence::Disabled => {
                BootPersistence::Once
            }
            (None, _) => current.persistence,
        };
        match (persistence, target) {
            (BootPersistence::Disabled, _) => Some(BootOverride {
                mode,
                ..BootOverride::default()
            }),
            (_, BootTarget::None) => None,
            _ => Some(BootOverride {
                target,
                persistence,
                mode,
            }),
        }
    }
}

/// A wish for one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Change the host's power.
    Power(PowerAction),
    /// Change what the host boots from.
    Boot(BootChange),
    /// Switch the identify light on (until switched off) or off.
    Indicator(bool),
    /// Empty the event log.
    ClearLog,
    /// Restart the management controller; the host goes on running.
    ResetController,
    /// Change the controller's network settings.
    Network(NetworkChange),
    /// Set the owner's tag of the machine; empty for none.
    AssetTag(String),
    /// Set the controller's name; empty for none.
    ControllerName(String),
    /// Install firmware and start it. Takes minutes; the controller may be out of reach meanwhile.
    Firmware(Installation),
}

/// The longest text that a controller keeps for its owner, in bytes: a tag, a name (DCMI 1.5 §6.4).
pub const OWNER_TEXT_LEN_MAX: usize = 63;

impl Change {
    /// Refuses what no machine takes, in whatever state it is: known without asking it.
    ///
    /// # Errors
    /// [`ApplyError::Unsupported`]: the text of an owner is too long, or has control characters.
    pub fn check(&self) -> Result<(), ApplyError> {
        match self {
            Self::AssetTag(text) | Self::ControllerName(text) => check_owner_text(text),
            _ => Ok(()),
        }
    }
}

/// Refuses a text that no controller keeps for its owner.
///
/// # Errors
/// [`ApplyError::Unsupported`]: it is longer than [`OWNER_TEXT_LEN_MAX`], or has control characters.
pub fn check_owner_text(text: &str) -> Result<(), ApplyError> {
    if text.len() > OWNER_TEXT_LEN_MAX || text.chars().any(char::is_control) {
        return Err(ApplyError::Unsupported {
            what: format!("more than {OWNER_TEXT_LEN_MAX} bytes of text, or control characters"),
        });
    }
    Ok(())
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
    /// The machine can do this, but not in its present state; nothing was changed.
    WrongState {
        /// What is in the way ("the host is off").
        reason: String,
    },
    /// The image is damaged, or not for this machine; nothing was changed.
    WrongImage {
        /// What is wrong with it ("the image is for product 2201h, the machine is 2200h").
        reason: String,
    },
    /// What the image would install runs already; nothing was changed.
    UpToDate,
    /// It was called off and given up; the machine is as it was.
    Cancelled,
    /// The machine understood and said no.
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
            Self::WrongState { reason } => write!(f, "not possible now: {reason}"),
            Self::WrongImage { reason } => write!(f, "wrong image: {reason}"),
            Self::UpToDate => f.write_str("it runs already"),
            Self::Cancelled => f.write_str("it was called off"),
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

#[cfg(test)]
mod tests {
    use super::*;

    const DISK_ALWAYS: BootOverride = BootOverride {
        target: BootTarget::Disk,
        persistence: BootPersistence::Continuous,
        mode: BootMode::Uefi,
    };

    #[test]
    fn a_change_of_one_property_leaves_the_machines_others() {
        let change = BootChange {
            target: Some(BootTarget::Pxe),
            ..BootChange::default()
        };
        let expected = BootOverride {
            target: BootTarget::Pxe,
            ..DISK_ALWAYS
        };
        assert_eq!(change.on(DISK_ALWAYS), Some(expected));
        assert_eq!(BootChange::default().on(DISK_ALWAYS), Some(DISK_ALWAYS));
    }

    #[test]
    fn a_target_where_there_was_no_override_holds_for_one_boot() {
        let change = BootChange {
            target: Some(BootTarget::Pxe),
            ..BootChange::default()
        };
        let after = change.on(BootOverride::default());
        assert_eq!(
            after.map(|boot| boot.persistence),
            Some(BootPersistence::Once)
        );
    }

    #[test]
    fn no_target_or_no_lifetime_is_no_override() {
        let none = BootOverride {
            mode: BootMode::Uefi,
            ..BootOverride::default()
        };
        for change in [
            BootChange {
                target: Some(BootTarget::None),
                ..BootChange::default()
            },
            BootChange {
                persistence: Some(BootPersistence::Disabled),
                ..BootChange::default()
            },
        ] {
            assert_eq!(change.on(DISK_ALWAYS), Some(none));
        }
    }

    #[test]
    fn a_lifetime_without_any_target_is_no_wish_that_can_come_true() {
        let once = BootChange {
            persistence: Some(BootPersistence::Once),
            ..BootChange::default()
        };
        assert_eq!(once.on(BootOverride::default()), None);
        assert!(once.on(DISK_ALWAYS).is_some());
    }
}
