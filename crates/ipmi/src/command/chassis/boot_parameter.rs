//! Parameters of the system boot options (§28.13, table 28-14).

use crate::command::Bytes;
use crate::number::{
    BiosMuxOverride, BiosVerbosity, BootDevice, BootFlagKeep, BootOptionParameter, BootOverrides,
    BootParties, BootPersistence, BootType, ConsoleRedirection, ServicePartitionScan,
    SetInProgress,
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
    /// Guards a change of several parameters (0); 2 bits.
    SetInProgress(SetInProgress),
    /// Whether firmware looks for a service partition (2).
    ServicePartitionScan(ServicePartitionScan),
    /// Which restarts leave the boot-flags-valid bit alone (3).
    ValidBitClearing(BootFlagKeep),
    /// Who has handled the boot information (4).
    InfoAcknowledge {
        /// Which bits of `parties` are written; none in an answer.
        write_mask: BootParties,
        /// Who.
        parties: BootParties,
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

/// Boot flags: data of parameter 5 (§28.13, table 28-14).
///
/// `BootFlags::default()` is "no override, not valid".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BootFlags {
    /// The flags are to be obeyed at the next start. Without it firmware ignores them.
    pub valid: bool,
    /// For how many starts.
    pub persistence: BootPersistence,
    /// How firmware boots.
    pub boot_type: BootType,
    /// Locks, and what else firmware is to do.
    pub overrides: BootOverrides,
    /// What to boot from; 4 bits.
    pub device: BootDevice,
    /// Firmware verbosity; 2 bits.
    pub verbosity: BiosVerbosity,
    /// Console redirection; 2 bits.
    pub redirection: ConsoleRedirection,
    /// Run with the shared mode override of the serial port.
    pub shared_mode_override: bool,
    /// Serial multiplexer at the end of POST; 3 bits.
    pub mux_override: BiosMuxOverride,
    /// Which device of that kind: 5 bits; 0 for any. Bit 4 set means an internal device.
    pub device_instance: u8,
}

/// Bits of data byte 2 that are [`BootOverrides`].
const OVERRIDES_2: u8 = 0xc3;
/// Bits of data byte 3 that are [`BootOverrides`].
const OVERRIDES_3: u8 = 0x9c;

const fn bit(set: bool, position: u8) -> u8 {
    (set as u8) << position
}

impl BootFlags {
    /// The five data bytes.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; 5] {
        let [two, three] = self.overrides.0.to_le_bytes();
        [
            bit(self.valid, 7) | (self.persistence.0 & 1) << 6 | (self.boot_type.0 & 1) << 5,
            two & OVERRIDES_2 | (self.device.0 & 0x0f) << 2,
            three & OVERRIDES_3 | (self.verbosity.0 & 0x03) << 5 | self.redirection.0 & 0x03,
            bit(self.shared_mode_override, 3) | self.mux_override.0 & 0x07,
            self.device_instance & 0x1f,
        ]
    }

    /// Reads the five data bytes; reserved bits are dropped.
    #[must_use]
    pub const fn from_bytes([b1, b2, b3, b4, b5]: [u8; 5]) -> Self {
        Self {
            valid: b1 & 0x80 != 0,
            persistence: BootPersistence(b1 >> 6 & 1),
            boot_type: BootType(b1 >> 5 & 1),
            overrides: BootOverrides(u16::from_le_bytes([b2 & OVERRIDES_2, b3 & OVERRIDES_3])),
            device: BootDevice(b2 >> 2 & 0x0f),
            verbosity: BiosVerbosity(b3 >> 5 & 0x03),
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
            Self::ServicePartitionScan(_) => BootOptionParameter::SERVICE_PARTITION_SCAN,
            Self::ValidBitClearing(_) => BootOptionParameter::VALID_BIT_CLEARING,
            Self::InfoAcknowledge { .. } => BootOptionParameter::INFO_ACKNOWLEDGE,
            Self::Flags(_) => BootOptionParameter::BOOT_FLAGS,
            Self::Raw { number, .. } => *number,
        }
    }

    pub(super) fn encode_data(&self, w: &mut Writer<'_>) {
        match self {
            Self::SetInProgress(state) => w.u8(state.0 & 0x03),
            Self::ServicePartitionScan(scan) => w.u8(scan.0),
            Self::ValidBitClearing(keep) => w.u8(keep.0),
            Self::InfoAcknowledge {
                write_mask,
                parties,
            } => w.bytes(&[write_mask.0, parties.0]),
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
            BootOptionParameter::SET_IN_PROGRESS
            | BootOptionParameter::SERVICE_PARTITION_SCAN
            | BootOptionParameter::VALID_BIT_CLEARING => Some(1),
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
                Self::SetInProgress(SetInProgress(state & 0x03))
            }
            (BootOptionParameter::SERVICE_PARTITION_SCAN, [scan, ..]) => {
                Self::ServicePartitionScan(ServicePartitionScan(*scan))
            }
            (BootOptionParameter::VALID_BIT_CLEARING, [keep, ..]) => {
                Self::ValidBitClearing(BootFlagKeep(*keep))
            }
            (BootOptionParameter::INFO_ACKNOWLEDGE, [write_mask, parties, ..]) => {
                Self::InfoAcknowledge {
                    write_mask: BootParties(*write_mask),
                    parties: BootParties(*parties),
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
        assert!(flags.valid);
        assert_eq!(flags.persistence, BootPersistence::ALL_BOOTS);
        assert_eq!(flags.boot_type, BootType::EFI);
        assert_eq!(flags.device, BootDevice::BIOS_SETUP);
    }
}
