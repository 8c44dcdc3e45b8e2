//! Supermicro X10 to X13: fan mode, fan zones, chassis intrusion. From the field: Supermicro publishes no list of
//! them. Network functions 30h to 3Fh are the maker's (§5.1, table 5-1).

use crate::command::Empty;
use crate::command::layout::{message, request};
use crate::number::SupermicroFanMode;

request! {
    /// Asks how the fans are driven.
    pub struct GetFanMode: SUPERMICRO_GET_MODE 0x45 "Get Fan Mode", repeatable => FanMode {}

    /// Sets how the fans are driven. A duty holds only in [`SupermicroFanMode::FULL`].
    pub struct SetFanMode: SUPERMICRO_SET_MODE 0x45 "Set Fan Mode", repeatable => Empty {
        /// How.
        pub mode: SupermicroFanMode,
    }

    /// Asks for the duty of a zone of fans.
    pub struct GetZoneDuty: SUPERMICRO_GET_ZONE 0x70 "Get Fan Zone Duty", repeatable => ZoneDuty {
        /// 0 processors and system, 1 peripherals.
        pub zone: u8,
    }

    /// Sets the duty of a zone of fans.
    pub struct SetZoneDuty: SUPERMICRO_SET_ZONE 0x70 "Set Fan Zone Duty", repeatable => Empty {
        /// 0 processors and system, 1 peripherals.
        pub zone: u8,
        /// Duty, in percent.
        pub duty_percent: u8,
    }

    /// Forgets that the chassis was open.
    pub struct ResetIntrusion: SUPERMICRO 0x03 "Reset Chassis Intrusion", repeatable => Empty {}
}

message! {
    /// The answer to [`GetFanMode`].
    pub struct FanMode {
        /// How the fans are driven.
        pub mode: SupermicroFanMode,
    }

    /// The answer to [`GetZoneDuty`].
    pub struct ZoneDuty {
        /// Duty, in percent.
        pub duty_percent: u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn what_operators_send_by_hand() {
        check::request(&GetFanMode, &[0x00], 1);
        let mode = SupermicroFanMode::FULL;
        check::request(&SetFanMode { mode }, &[0x01, 0x01], 2);
        check::response(&FanMode { mode }, &[0x01], 1);
        check::request(&GetZoneDuty { zone: 0 }, &[0x66, 0x00, 0x00], 3);
        let set = SetZoneDuty {
            zone: 1,
            duty_percent: 0x32,
        };
        check::request(&set, &[0x66, 0x01, 0x01, 0x32], 4);
        check::response(&ZoneDuty { duty_percent: 50 }, &[0x32], 1);
        check::request(&ResetIntrusion, &[], 0);
    }
}
