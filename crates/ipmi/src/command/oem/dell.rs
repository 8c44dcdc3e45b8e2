//! Dell `PowerEdge` with iDRAC: fans, third-party cards' cooling, power, and the front panel's LCD. Fans and cooling are from
//! the field; newer iDRACs refuse them.
//!
//! The LCD is a matter of system information parameters (§22.14a) of Dell's own: [`LCD_TEXT`] holds a
//! [`SystemText`](crate::command::app::SystemText), [`LCD_MODE`] a [`LcdMode`].

use crate::command::app::SYSTEM_INFO_MAX;
use crate::command::layout::{Field, layout, message, request};
use crate::command::{Bytes, Empty};
use crate::number::{DellFanMode, DellLcdMode, SystemInfoParameter};
use crate::wire::{Reader, WireError, Writer};

/// Text of the LCD, in blocks: at most 62 characters.
pub const LCD_TEXT: SystemInfoParameter = SystemInfoParameter(0xc1);
/// What the LCD shows.
pub const LCD_MODE: SystemInfoParameter = SystemInfoParameter(0xc2);
/// The longest text of the LCD.
pub const LCD_TEXT_MAX: usize = 62;
/// A fan's number that means all of them.
pub const ALL_FANS: u8 = 0xff;

layout! {
    /// What the LCD shows: the data of [`LCD_MODE`].
    pub struct LcdMode {
        /// Which.
        pub mode: DellLcdMode,
    }
}

impl LcdMode {
    /// The data of the parameter.
    #[must_use]
    pub fn to_data(self) -> Bytes<SYSTEM_INFO_MAX> {
        let mut buffer = [0; SYSTEM_INFO_MAX];
        let mut w = Writer::new(&mut buffer);
        self.put(&mut w);
        Bytes::new(w.written()).unwrap_or_default()
    }

    /// Reads the data of the parameter.
    ///
    /// # Errors
    /// Fewer than four bytes.
    pub fn from_data(data: &[u8]) -> Result<Self, WireError> {
        Field::get(&mut Reader::new(data), "LCD mode")
    }
}

request! {
    /// Has the iDRAC drive the fans, or leave them to [`SetFanDuty`].
    pub struct SetFanControl: DELL_FAN_MODE 0x30 "Set Fan Control", repeatable => Empty {
        /// Who drives them.
        pub mode: DellFanMode,
    }

    /// Sets the duty of a fan, or of all.
    pub struct SetFanDuty: DELL_FAN_DUTY 0x30 "Set Fan Duty", repeatable => Empty {
        /// Which, from 0; [`ALL_FANS`].
        pub fan: u8,
        /// Duty, in percent.
        pub duty_percent: u8,
    }

    /// Has the fans turn faster for cards that the iDRAC doesn't know, or not.
    pub struct SetThirdPartyCooling: DELL_SET_COOLING 0xce "Set Third-Party Cooling Response", repeatable => Empty {
        /// Which.
        pub setting: CoolingResponse,
    }

    /// Asks whether they do.
    pub struct GetThirdPartyCooling: DELL_GET_COOLING 0xce "Get Third-Party Cooling Response", repeatable => ThirdPartyCooling {
        reserved 3;
    }

    /// Asks for the power drawn now.
    pub struct GetPowerConsumption: DELL_POWER 0xb3 "Get Instantaneous Power Consumption", repeatable => PowerConsumption {}
}

layout! {
    /// Whether fans turn faster for cards that the iDRAC doesn't know.
    pub struct CoolingResponse {
        reserved 3;
        /// Length of what follows: 5.
        pub length: u8,
        reserved 1;
        u8 {
            /// They don't.
            pub disabled: bool [0],
        }
        reserved 2;
    }
}

message! {
    /// The answer to [`GetThirdPartyCooling`].
    pub struct ThirdPartyCooling in DELL_COOLING {
        /// What holds.
        pub setting: CoolingResponse,
    }

    /// The answer to [`GetPowerConsumption`].
    pub struct PowerConsumption {
        /// Power, in watts.
        pub power_w: u16,
        /// Current, in 100 mA.
        pub current_100ma: u16,
        reserved 3;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::app::SetSystemInfoParameters;
    use crate::command::check;

    #[test]
    fn fans_and_cooling_as_operators_send_them_by_hand() {
        let mode = DellFanMode::MANUAL;
        check::request(&SetFanControl { mode }, &[0x01, 0x00], 2);
        let duty = SetFanDuty {
            fan: ALL_FANS,
            duty_percent: 0x14,
        };
        check::request(&duty, &[0x02, 0xff, 0x14], 3);
        let setting = CoolingResponse {
            length: 5,
            disabled: true,
        };
        let bytes = [0x00, 0x16, 0x05, 0, 0, 0, 5, 0, 1, 0, 0];
        check::request(&SetThirdPartyCooling { setting }, &bytes, 11);
        check::request(&GetThirdPartyCooling, &[0x01, 0x16, 0x05, 0, 0, 0], 6);
        let bytes = [0x16, 0x05, 0, 0, 0, 5, 0, 1, 0, 0];
        check::response(&ThirdPartyCooling { setting }, &bytes, 10);
    }

    #[test]
    fn power_and_the_lcd_as_ipmitool_delloem_has_them() {
        check::request(&GetPowerConsumption, &[0x0a, 0x00], 2);
        let power = PowerConsumption {
            power_w: 224,
            current_100ma: 10,
        };
        check::response(&power, &[0xe0, 0, 0x0a, 0, 0, 0, 0], 7);
        let mode = LcdMode {
            mode: DellLcdMode::SERVICE_TAG,
        };
        let set = SetSystemInfoParameters {
            parameter: LCD_MODE,
            data: mode.to_data(),
        };
        check::request(&set, &[0xc2, 0x20, 0, 0, 0], 1);
        assert_eq!(LcdMode::from_data(&set.data), Ok(mode));
        assert!(LcdMode::from_data(&[1, 0]).is_err());
    }
}
