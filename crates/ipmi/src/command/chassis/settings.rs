//! Chassis settings without an answer: Chassis Reset, Set Chassis Capabilities, Set Front Panel Enables, Set Power
//! Cycle Interval (§28.4, §28.6, §28.7, §28.9).

use crate::command::Empty;
use crate::command::layout::request;
use crate::number::{ChassisCapabilities, FrontPanelButtons};

request! {
    /// Resets the chassis' own controllers, in IPMI 1.0; today [`ChassisControl`](super::ChassisControl) resets the
    /// system (§28.4).
    pub struct ChassisReset: CHASSIS 0x03 "Chassis Reset", once => Empty {}

    /// Sets what Get Chassis Capabilities tells (§28.7).
    pub struct SetChassisCapabilities: CHASSIS 0x05 "Set Chassis Capabilities", repeatable => Empty {
        /// What the chassis offers; only intrusion sensor and front panel lockout can be set.
        pub capabilities: ChassisCapabilities,
        /// IPMB address of the FRU inventory device.
        pub fru_address: u8,
        /// IPMB address of the SDR device.
        pub sdr_address: u8,
        /// IPMB address of the SEL device.
        pub sel_address: u8,
        /// IPMB address of the system management device.
        pub management_address: u8,
        /// IPMB address of the bridge device; absent means 20h.
        pub bridge_address: Option<u8>,
    }

    /// Disables front-panel buttons, and enables those that are not named (§28.6).
    pub struct SetFrontPanelEnables: CHASSIS 0x0a "Set Front Panel Button Enables", repeatable => Empty {
        u8 {
            /// Buttons to disable; the low four bits of [`FrontPanelButtons`].
            pub disabled: FrontPanelButtons [3:0],
        }
    }

    /// Sets how long a power cycle stays off (§28.9).
    pub struct SetPowerCycleInterval: CHASSIS 0x0b "Set Power Cycle Interval", repeatable => Empty {
        /// Seconds; 0 for at once.
        pub interval_s: u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn settings_are_bytes_in_the_order_of_the_tables() {
        check::request(&ChassisReset, &[], 0);
        let set = SetChassisCapabilities {
            capabilities: ChassisCapabilities::INTRUSION_SENSOR,
            fru_address: 0x20,
            sdr_address: 0x22,
            sel_address: 0x24,
            management_address: 0x26,
            bridge_address: Some(0x28),
        };
        check::request(&set, &[1, 0x20, 0x22, 0x24, 0x26, 0x28], 5);
        let disabled = FrontPanelButtons::POWER_OFF_DISABLED | FrontPanelButtons::RESET_DISABLED;
        check::request(&SetFrontPanelEnables { disabled }, &[3], 1);
        check::request(&SetPowerCycleInterval { interval_s: 10 }, &[10], 1);
    }
}
