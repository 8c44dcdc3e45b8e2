//! Set ACPI Power State and Manufacturing Test On (§20.5, §20.6).

use crate::command::layout::{message, request};
use crate::command::{Bytes, Empty};
use crate::number::{AcpiDevicePowerState, AcpiSystemPowerState};

/// Room for the maker's own test data, in bytes.
pub const TEST_DATA_MAX: usize = 32;

request! {
    /// Tells the controller which power state the system and its device are in; switches nothing (§20.6).
    pub struct SetAcpiPowerState: APP 0x06 "Set ACPI Power State", repeatable => Empty {
        u8 {
            /// The system's state is to be kept.
            pub set_system: bool [7],
            /// The system's state.
            pub system: AcpiSystemPowerState [6:0],
        }
        u8 {
            /// The device's state is to be kept.
            pub set_device: bool [7],
            /// The device's state.
            pub device: AcpiDevicePowerState [6:0],
        }
    }

    /// Brings a device into its maker's test mode (§20.5).
    pub struct ManufacturingTestOn: APP 0x05 "Manufacturing Test On", once => ManufacturingTest {
        /// The maker's own.
        pub data: Bytes<TEST_DATA_MAX>,
    }
}

message! {
    /// The answer to [`ManufacturingTestOn`].
    pub struct ManufacturingTest {
        /// The maker's own.
        pub data: Bytes<TEST_DATA_MAX>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn each_state_is_kept_only_where_its_top_bit_is_set() {
        let set = SetAcpiPowerState {
            set_system: true,
            system: AcpiSystemPowerState::S5_G2,
            set_device: false,
            device: AcpiDevicePowerState::D3,
        };
        check::request(&set, &[0x85, 0x03], 2);
        let on = ManufacturingTestOn {
            data: Bytes::from([1, 2]),
        };
        check::request(&on, &[1, 2], 0);
        check::response(&ManufacturingTest { data: Bytes::EMPTY }, &[], 0);
    }
}
