//! Power levels and fans (PICMG 3.0 §3.9).

use super::PicmgDone;
use crate::command::Bytes;
use crate::command::layout::{message, request};
use crate::number::{FanLevelSetting, PowerLevelType};

/// Power levels that a FRU has, at most (PICMG 3.0 table 3-83).
pub const POWER_LEVELS_MAX: usize = 21;

request! {
    /// Allows a FRU to draw power.
    pub struct SetPowerLevel: PICMG 0x11 "Set Power Level", repeatable => PicmgDone {
        /// FRU.
        pub fru_id: u8,
        /// Level; 0 for none, FFh leaves it.
        pub level: u8,
        /// 1 takes the desired levels for the present ones, 0 does not.
        pub copy_desired: u8,
    }

    /// Asks what a FRU draws, or wants to.
    pub struct GetPowerLevel: PICMG 0x12 "Get Power Level", repeatable => PowerLevels {
        /// FRU.
        pub fru_id: u8,
        /// Which levels.
        pub kind: PowerLevelType,
    }

    /// Asks how a fan tray can be set.
    pub struct GetFanSpeedProperties: PICMG 0x14 "Get Fan Speed Properties", repeatable => FanSpeedProperties {
        /// FRU.
        pub fru_id: u8,
    }

    /// Sets the speed of a fan tray.
    pub struct SetFanLevel: PICMG 0x15 "Set Fan Level", repeatable => PicmgDone {
        /// FRU.
        pub fru_id: u8,
        /// Level.
        pub level: FanLevelSetting,
        /// 1 lets the tray go faster by itself; optional.
        pub local_control: Option<u8>,
    }

    /// Asks for the speed of a fan tray.
    pub struct GetFanLevel: PICMG 0x16 "Get Fan Level", repeatable => FanLevel {
        /// FRU.
        pub fru_id: u8,
    }
}

message! {
    /// The answer to [`GetPowerLevel`].
    pub struct PowerLevels in PICMG {
        u8 {
            /// The FRU changes its levels by itself.
            pub dynamic: bool [7],
            /// Level in use; 0 for none.
            pub level: u8 [4:0],
        }
        /// Time until power is stable, in 100 ms.
        pub delay_100ms: u8,
        /// Unit of the draws, in 100 mW.
        pub multiplier_100mw: u8,
        /// Draw of each level, from 1.
        pub draws: Bytes<POWER_LEVELS_MAX>,
    }

    /// The answer to [`GetFanSpeedProperties`].
    pub struct FanSpeedProperties in PICMG {
        /// Lowest level.
        pub minimum: u8,
        /// Highest level.
        pub maximum: u8,
        /// Level in normal operation.
        pub normal: u8,
        u8 {
            /// The tray can set itself.
            pub local_control: bool [7],
        }
    }

    /// The answer to [`GetFanLevel`].
    pub struct FanLevel in PICMG {
        /// Level that is set.
        pub override_level: FanLevelSetting,
        /// Level of local control; there where the tray has it.
        pub local_level: Option<u8>,
        /// 1 while local control is on.
        pub local_control: Option<u8>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn power_is_allowed_by_levels() {
        let set = SetPowerLevel {
            fru_id: 0,
            level: 1,
            copy_desired: 1,
        };
        check::request(&set, &[0, 0, 1, 1], 4);
        let get = GetPowerLevel {
            fru_id: 0,
            kind: PowerLevelType::STEADY,
        };
        check::request(&get, &[0, 0, 0], 3);
        let levels = PowerLevels {
            dynamic: false,
            level: 1,
            delay_100ms: 5,
            multiplier_100mw: 10,
            draws: Bytes::from([100, 200]),
        };
        check::response(&levels, &[0, 1, 5, 10, 100, 200], 4);
    }

    #[test]
    fn fans_have_levels() {
        check::request(&GetFanSpeedProperties { fru_id: 2 }, &[0, 2], 2);
        let properties = FanSpeedProperties {
            minimum: 0,
            maximum: 15,
            normal: 5,
            local_control: true,
        };
        check::response(&properties, &[0, 0, 15, 5, 0x80], 5);
        let set = SetFanLevel {
            fru_id: 2,
            level: FanLevelSetting(9),
            local_control: None,
        };
        check::request(&set, &[0, 2, 9], 3);
        check::request(&GetFanLevel { fru_id: 2 }, &[0, 2], 2);
        let level = FanLevel {
            override_level: FanLevelSetting(9),
            local_level: Some(7),
            local_control: Some(1),
        };
        check::response(&level, &[0, 9, 7, 1], 2);
    }
}
