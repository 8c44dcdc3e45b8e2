//! Fans of `ASRock` Rack boards and of IBM/Lenovo System x (NetFn 3Ah). From the field: network functions 30h to 3Fh
//! are the maker's (§5.1, table 5-1).

use crate::command::Empty;
use crate::command::layout::{message, request};

/// Fan headers of an `ASRock` Rack board that one command sets.
pub const ASROCK_FANS: usize = 8;
/// Duty of an `ASRock` fan: the board drives it by itself.
pub const ASROCK_SMART_FAN: u8 = 0x01;

request! {
    /// `ASRock` Rack: sets the duty of each fan header.
    pub struct SetAsrockFanDuties: OEM_3A 0x01 "Set Fan Duties", repeatable => Empty {
        /// In percent, in the order of the headers; [`ASROCK_SMART_FAN`] gives one back.
        pub duties_percent: [u8; ASROCK_FANS],
    }

    /// `ASRock` Rack: asks for the duty of each fan header.
    pub struct GetAsrockFanDuties: OEM_3A 0x02 "Get Fan Duties", repeatable => AsrockFanDuties {}

    /// System x: sets the duty of a bank of fans; holds from [`ApplyFanBanks`] on.
    pub struct SetFanBank: OEM_3A 0x07 "Set Fan Bank", repeatable => Empty {
        /// Which bank.
        pub bank: u8,
        /// Duty, FFh for full speed.
        pub duty_255: u8,
        /// 1 overrides what the board wants, 0 gives the bank back.
        pub overriding: u8,
    }

    /// System x: has the fans follow what was set.
    pub struct ApplyFanBanks: OEM_3A 0x06 "Apply Fan Banks", repeatable => Empty {}
}

message! {
    /// The answer to [`GetAsrockFanDuties`].
    pub struct AsrockFanDuties {
        /// In percent, in the order of the headers; [`ASROCK_SMART_FAN`] for one that the board drives.
        pub duties_percent: [u8; ASROCK_FANS],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn eight_headers_or_a_bank() {
        let duties_percent = [50, 50, 1, 1, 1, 1, 1, 1];
        check::request(&SetAsrockFanDuties { duties_percent }, &duties_percent, 8);
        check::request(&GetAsrockFanDuties, &[], 0);
        check::response(&AsrockFanDuties { duties_percent }, &duties_percent, 8);
        let bank = SetFanBank {
            bank: 1,
            duty_255: 0x80,
            overriding: 1,
        };
        check::request(&bank, &[1, 0x80, 1], 3);
        check::request(&ApplyFanBanks, &[], 0);
    }
}
