//! Controller and chassis (VITA 46.11; group extension 03h, §5.1).

use super::VitaDone;
use crate::command::Bytes;
use crate::command::layout::{message, request};
use crate::number::Ipmb0Override;

/// Room for a text or table of the chassis.
pub const VITA_TEXT_MAX: usize = 64;

request! {
    /// Asks whether this is a controller of VITA 46.11, and what it can.
    pub struct GetVsoCapabilities: VSO 0x00 "Get VSO Capabilities", repeatable => VsoCapabilities {}

    /// Asks for the table of addresses in the chassis.
    pub struct GetChassisAddressTable: VSO 0x01 "Get Chassis Address Table Info", repeatable => ChassisAddressTable {}

    /// Asks for the chassis' identifier: a text that the operator chose.
    pub struct GetChassisIdentifier: VSO 0x02 "Get Chassis Identifier", repeatable => ChassisIdentifier {}

    /// Sets the chassis' identifier.
    pub struct SetChassisIdentifier: VSO 0x03 "Set Chassis Identifier", repeatable => VitaDone {
        /// Kind and length as in a FRU field, then the text.
        pub identifier: Bytes<VITA_TEXT_MAX>,
    }

    /// Sets what happens to the two buses.
    pub struct SetIpmbState: VSO 0x09 "Set IPMB State", repeatable => VitaDone {
        u8 {
            /// Link of bus A; 0 for all.
            pub link_a: u8 [7:1],
            /// Bus A is left to the controller; otherwise isolated.
            pub control_a: Ipmb0Override [0],
        }
        u8 {
            /// Link of bus B; 0 for all.
            pub link_b: u8 [7:1],
            /// Bus B is left to the controller.
            pub control_b: Ipmb0Override [0],
        }
        u8 {
            /// Speed of bus B.
            pub speed_b: u8 [3:2],
            /// Speed of bus A.
            pub speed_a: u8 [1:0],
        }
    }
}

message! {
    /// The answer to [`GetVsoCapabilities`].
    pub struct VsoCapabilities in VSO {
        u8 {
            /// Layer: 0 controller, 1 chassis manager.
            pub layer: u8 [5:4],
            /// Tier: 0 tier 1, 1 tier 2.
            pub tier: u8 [1:0],
        }
        u8 {
            /// Highest speed of the buses: 0 100 kHz, 1 400 kHz.
            pub speed: u8 [5:4],
            /// Buses, less one.
            pub buses: u8 [1:0],
        }
        u8 {
            /// Standard: 0 VITA 46.11.
            pub standard: u8 [1:0],
        }
        u8 {
            /// Revision of the standard, major.
            pub revision_major: u8 [7:4],
            /// Revision of the standard, minor.
            pub revision_minor: u8 [3:0],
        }
        /// Highest FRU number.
        pub fru_max: u8,
        /// FRU of the controller itself.
        pub fru_id: u8,
    }

    /// The answer to [`GetChassisAddressTable`].
    pub struct ChassisAddressTable in VSO {
        /// Kind and length of the identifier, the identifier, and the entries, three bytes each: hardware address, site
        /// number, site type.
        pub data: Bytes<VITA_TEXT_MAX>,
    }

    /// The answer to [`GetChassisIdentifier`].
    pub struct ChassisIdentifier in VSO {
        /// Kind and length as in a FRU field, then the text.
        pub identifier: Bytes<VITA_TEXT_MAX>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn the_controller_of_a_vpx_module() {
        check::request(&GetVsoCapabilities, &[3], 1);
        let capabilities = VsoCapabilities {
            layer: 0,
            tier: 1,
            speed: 1,
            buses: 1,
            standard: 0,
            revision_major: 1,
            revision_minor: 0,
            fru_max: 2,
            fru_id: 0,
        };
        check::response(&capabilities, &[3, 0x01, 0x11, 0, 0x10, 2, 0], 7);
        check::request(&GetChassisAddressTable, &[3], 1);
        let data = Bytes::from([0xc1, b'A', 0x41, 1, 0]);
        check::response(
            &ChassisAddressTable { data },
            &[3, 0xc1, b'A', 0x41, 1, 0],
            1,
        );
        check::request(&GetChassisIdentifier, &[3], 1);
        let identifier = Bytes::from([0xc1, b'A']);
        check::response(&ChassisIdentifier { identifier }, &[3, 0xc1, b'A'], 1);
        check::request(&SetChassisIdentifier { identifier }, &[3, 0xc1, b'A'], 1);
        let set = SetIpmbState {
            link_a: 0,
            control_a: Ipmb0Override::LOCAL_CONTROL,
            link_b: 1,
            control_b: Ipmb0Override::ISOLATE,
            speed_b: 1,
            speed_a: 0,
        };
        check::request(&set, &[3, 1, 2, 4], 4);
        check::response(&VitaDone, &[3], 1);
    }
}
