//! Parameters of the system boot options (§28.13, table 28-14).

use crate::command::Bytes;
use crate::number::{
    BiosMuxOverride, BiosVerbosity, BootDevice, BootOptionParameter, ConsoleRedirection,
};
use crate::wire::{Reader, WireError, Writer};

/// The longest parameter is a mailbox block: its number and 16 bytes. The room is larger for the maker's own.
pub const BOOT_PARAMETER_MAX: usize = 32;

/// One parameter of the system boot options with its data.
///
/// Data of another length than the specification's is kept as [`BootParameter::Raw`]: an empty one sets only the
/// lock bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootParameter {
    /// Guards a change of several parameters (0): 0 complete, 1 in progress, 2 commit; 2 bits.
    SetInProgress(u8),
    /// Which restarts leave the boot-flags-valid bit alone (3).
    ValidBitClearing(BootFlagKeep),
    /// Who has handled the boot information (4).
    InfoAcknowledge {
        /// Which bits of `parties` are written; 0 in an answer.
        write_mask: u8,
        /// One bit for each party: BIOS or POST, OS loader, OS or service partition, system management software, OEM.
        parties: u8,
    },
    /// Boot flags (5).
    Flags(BootFlags),
    /// Another parameter, or one whose data has another length.
    Raw {
        /// Which parameter; 7 bits.
        number: BootOptionParameter,
        /// Its data as it travels.
        data: Bytes<BOOT_PARAMETER_MAX>,
    },
}

/// Which restarts do *not* clear the boot-flags-valid bit: data of parameter 3 (§28.13, table 28-14).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BootFlagKeep(pub u8);

impl BootFlagKeep {
    /// Power-up by power button or wake event.
    pub const POWER_BUTTON: Self = Self(0x01);
    /// Reset by button or soft reset.
    pub const RESET_BUTTON: Self = Self(0x02);
    /// Restart by watchdog.
    pub const WATCHDOG: Self = Self(0x04);
    /// No Chassis Control command within 60 seconds of setting the flags.
    pub const TIMEOUT: Self = Self(0x08);
    /// Restart by platform event filter.
    pub const PEF: Self = Self(0x10);

    /// Whether every bit of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Boot flags: data of parameter 5 (§28.13, table 28-14).
///
/// `BootFlags::default()` is "no override, not valid".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BootFlags {
    /// The flags are to be obeyed at the next start. Without it firmware ignores them.
    pub valid: bool,
    /// For every start from now on, not only for the next.
    pub persistent: bool,
    /// Boot in UEFI mode, not in PC-compatible mode.
    pub efi: bool,
    /// Reset firmware settings.
    pub clear_cmos: bool,
    /// Lock the keyboard.
    pub lock_keyboard: bool,
    /// What to boot from; 4 bits.
    pub device: BootDevice,
    /// Blank the screen.
    pub blank_screen: bool,
    /// Lock out the reset button.
    pub lock_reset_button: bool,
    /// Lock out the power button.
    pub lock_power_button: bool,
    /// Firmware verbosity; 2 bits.
    pub verbosity: BiosVerbosity,
    /// Send progress traps.
    pub progress_traps: bool,
    /// Skip the firmware's user password.
    pub bypass_password: bool,
    /// Lock out the sleep button.
    pub lock_sleep_button: bool,
    /// Console redirection; 2 bits.
    pub redirection: ConsoleRedirection,
    /// Run with the shared mode override of the serial port.
    pub shared_mode_override: bool,
    /// Serial multiplexer at the end of POST; 3 bits.
    pub mux_override: BiosMuxOverride,
    /// Which device of that kind: 5 bits; 0 for any. Bit 4 set means an internal device.
    pub device_instance: u8,
}

const fn bit(set: bool, position: u8) -> u8 {
    (set as u8) << position
}

impl BootFlags {
    /// The five data bytes.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; 5] {
        [
            bit(self.valid, 7) | bit(self.persistent, 6) | bit(self.efi, 5),
            bit(self.clear_cmos, 7)
                | bit(self.lock_keyboard, 6)
                | (self.device.0 & 0x0f) << 2
                | bit(self.blank_screen, 1)
                | bit(self.lock_reset_button, 0),
            bit(self.lock_power_button, 7)
                | (self.verbosity.0 & 0x03) << 5
                | bit(self.progress_traps, 4)
                | bit(self.bypass_password, 3)
                | bit(self.lock_sleep_button, 2)
                | self.redirection.0 & 0x03,
            bit(self.shared_mode_override, 3) | self.mux_override.0 & 0x07,
            self.device_instance & 0x1f,
        ]
    }

    /// Reads the five data bytes; reserved bits are dropped.
    #[must_use]
    pub const fn from_bytes([b1, b2, b3, b4, b5]: [u8; 5]) -> Self {
        Self {
            valid: b1 & 0x80 != 0,
            persistent: b1 & 0x40 != 0,
            efi: b1 & 0x20 != 0,
            clear_cmos: b2 & 0x80 != 0,
            lock_keyboard: b2 & 0x40 != 0,
            device: BootDevice(b2 >> 2 & 0x0f),
            blank_screen: b2 & 0x02 != 0,
            lock_reset_button: b2 & 0x01 != 0,
            lock_power_button: b3 & 0x80 != 0,
            verbosity: BiosVerbosity(b3 >> 5 & 0x03),
            progress_traps: b3 & 0x10 != 0,
            bypass_password: b3 & 0x08 != 0,
            lock_sleep_button: b3 & 0x04 != 0,
            redirection: ConsoleRedirection(b3 & 0x03),
            shared_mode_override: b4 & 0x08 != 0,
            mux_override: BiosMuxOverride(b4 & 0x07),
            device_instance: b5 & 0x1f,
        }
    }
}

impl BootParameter {
    /// Which parameter this is.
    #[must_use]
    pub const fn number(&self) -> BootOptionParameter {
        match self {
            Self::SetInProgress(_) => BootOptionParameter::SET_IN_PROGRESS,
            Self::ValidBitClearing(_) => BootOptionParameter::VALID_BIT_CLEARING,
            Self::InfoAcknowledge { .. } => BootOptionParameter::INFO_ACKNOWLEDGE,
            Self::Flags(_) => BootOptionParameter::BOOT_FLAGS,
            Self::Raw { number, .. } => *number,
        }
    }

    pub(super) fn encode_data(&self, w: &mut Writer<'_>) {
        match self {
            Self::SetInProgress(state) => w.u8(state & 0x03),
            Self::ValidBitClearing(keep) => w.u8(keep.0),
            Self::InfoAcknowledge {
                write_mask,
                parties,
            } => w.bytes(&[*write_mask, *parties]),
            Self::Flags(flags) => w.bytes(&flags.to_bytes()),
            Self::Raw { data, .. } => data.encode(w),
        }
    }

    /// Reads a request's data: bytes beyond a parameter's own make it another parameter.
    pub(super) fn decode_data(
        number: BootOptionParameter,
        r: &mut Reader<'_>,
    ) -> Result<Self, WireError> {
        let data = Bytes::decode(r, "parameter data")?;
        let own = Self::len_of(number).is_none_or(|len| data.len() == len);
        Ok(Self::from_data(number, data, own))
    }

    /// Reads an answer's data: some BMCs append bytes to it.
    pub(super) fn decode_answer(number: BootOptionParameter, r: &mut Reader<'_>) -> Self {
        Self::from_data(number, Bytes::decode_cut(r), true)
    }

    /// Bytes of a parameter that has a type.
    const fn len_of(number: BootOptionParameter) -> Option<usize> {
        match number {
            BootOptionParameter::SET_IN_PROGRESS | BootOptionParameter::VALID_BIT_CLEARING => {
                Some(1)
            }
            BootOptionParameter::INFO_ACKNOWLEDGE => Some(2),
            BootOptionParameter::BOOT_FLAGS => Some(5),
            _ => None,
        }
    }

    fn from_data(
        number: BootOptionParameter,
        data: Bytes<BOOT_PARAMETER_MAX>,
        typed: bool,
    ) -> Self {
        match (number, data.as_slice()) {
            _ if !typed => Self::Raw { number, data },
            (BootOptionParameter::SET_IN_PROGRESS, [state, ..]) => {
                Self::SetInProgress(state & 0x03)
            }
            (BootOptionParameter::VALID_BIT_CLEARING, [keep, ..]) => {
                Self::ValidBitClearing(BootFlagKeep(*keep))
            }
            (BootOptionParameter::INFO_ACKNOWLEDGE, [write_mask, parties, ..]) => {
                Self::InfoAcknowledge {
                    write_mask: *write_mask,
                    parties: *parties,
                }
            }
            (BootOptionParameter::BOOT_FLAGS, &[b1, b2, b3, b4, b5, ..]) => {
                Self::Flags(BootFlags::from_bytes([b1, b2, b3, b4, b5]))
            }
            _ => Self::Raw { number, data },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_the_boot_flags_is_some_field_or_reserved() {
        let reserved = [0x1f, 0x00, 0x00, 0xf0, 0xe0];
        for byte in 0..5 {
            for bit in 0..8 {
                let mut bytes = [0; 5];
                bytes[byte] = 1 << bit;
                let kept = BootFlags::from_bytes(bytes).to_bytes();
                let expected = if reserved[byte] >> bit & 1 == 1 {
                    [0; 5]
                } else {
                    bytes
                };
                assert_eq!(kept, expected, "byte {byte} bit {bit}");
            }
        }
    }

    #[test]
    fn the_flags_that_ipmitool_sends_for_a_persistent_uefi_set_up_boot() {
        let flags = BootFlags::from_bytes([0xe0, 0x18, 0, 0, 0]);
        assert!(flags.valid && flags.persistent && flags.efi);
        assert_eq!(flags.device, BootDevice::BIOS_SETUP);
    }
}
