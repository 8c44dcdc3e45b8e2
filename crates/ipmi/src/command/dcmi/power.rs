//! Power reading and power limit (DCMI 1.5 §6.6).

use super::DcmiDone;
use crate::command::layout::{layout, message, request};
use crate::number::{
    CompletionCode, DcmiCompletion, PowerExceptionAction, PowerLimitActivation, PowerMeasurement,
    PowerStatisticsMode,
};
use crate::record::Timestamp;

/// Get Power Limit: no limit is active; the settings follow all the same.
pub const NO_ACTIVE_LIMIT: CompletionCode = CompletionCode(DcmiCompletion::NO_LIMIT.0);
/// Set Power Limit: the limit is out of range.
pub const LIMIT_OUT_OF_RANGE: CompletionCode = CompletionCode(DcmiCompletion::LIMIT_OUT_OF_RANGE.0);
/// Set Power Limit: the correction time is out of range.
pub const CORRECTION_TIME_OUT_OF_RANGE: CompletionCode =
    CompletionCode(DcmiCompletion::CORRECTION_TIME_OUT_OF_RANGE.0);
/// Set Power Limit: the statistics period is out of range.
pub const STATISTICS_PERIOD_OUT_OF_RANGE: CompletionCode =
    CompletionCode(DcmiCompletion::PERIOD_OUT_OF_RANGE.0);

layout! {
    /// A power limit (DCMI 1.5 tables 6-17 and 6-18).
    pub struct PowerLimitSettings {
        /// What happens when power stays above the limit.
        pub action: PowerExceptionAction,
        /// The limit, in watts.
        pub limit_w: u16,
        /// For how long power may be above it, in milliseconds.
        pub correction_ms: u32,
        reserved 2;
        /// Over which time power is averaged, in seconds.
        pub sampling_s: u16,
    }
}

request! {
    /// Asks for power drawn (DCMI 1.5 §6.6.1).
    pub struct GetPowerReading: DCMI 0x02 "Get Power Reading", repeatable => PowerReading {
        /// Which statistics.
        pub mode: PowerStatisticsMode,
        /// Period for the enhanced mode, as parameter 5 of the capabilities lists it; otherwise 0.
        pub period: u8,
        reserved 1;
    }

    /// Asks for the power limit (DCMI 1.5 §6.6.2). Completion code [`NO_ACTIVE_LIMIT`].
    pub struct GetPowerLimit: DCMI 0x03 "Get Power Limit", repeatable => PowerLimit {
        reserved 2;
    }

    /// Sets the power limit (DCMI 1.5 §6.6.3).
    pub struct SetPowerLimit: DCMI 0x04 "Set Power Limit", repeatable => DcmiDone {
        reserved 3;
        /// The limit.
        pub settings: PowerLimitSettings,
    }

    /// Has the power limit hold, or not (DCMI 1.5 §6.6.4).
    pub struct ActivatePowerLimit: DCMI 0x05 "Activate/Deactivate Power Limit", repeatable => DcmiDone {
        /// Whether.
        pub activation: PowerLimitActivation,
        reserved 2;
    }
}

message! {
    /// The answer to [`GetPowerReading`] (DCMI 1.5 table 6-16).
    pub struct PowerReading in DCMI {
        /// Now, in watts.
        pub current_w: u16,
        /// Least over the period.
        pub minimum_w: u16,
        /// Most over the period.
        pub maximum_w: u16,
        /// Mean over the period.
        pub average_w: u16,
        /// When it was measured.
        pub at: Timestamp,
        /// Length of the period, in milliseconds.
        pub period_ms: u32,
        u8 {
            /// Whether power is measured.
            pub measurement: PowerMeasurement [6],
        }
    }

    /// The answer to [`GetPowerLimit`] (DCMI 1.5 table 6-17).
    pub struct PowerLimit in DCMI {
        reserved 2;
        /// The limit.
        pub settings: PowerLimitSettings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn the_reading_of_the_present_power() {
        let get = GetPowerReading {
            mode: PowerStatisticsMode::SYSTEM,
            period: 0,
        };
        check::request(&get, &[0xdc, 1, 0, 0], 4);
        let reading = PowerReading {
            current_w: 0x0102,
            minimum_w: 3,
            maximum_w: 4,
            average_w: 5,
            at: Timestamp(0x0403_0201),
            period_ms: 1000,
            measurement: PowerMeasurement::ACTIVE,
        };
        let bytes = [
            0xdc, 2, 1, 3, 0, 4, 0, 5, 0, 1, 2, 3, 4, 0xe8, 3, 0, 0, 0x40,
        ];
        check::response(&reading, &bytes, 18);
    }

    #[test]
    fn the_limit_travels_with_three_reserved_bytes_there_and_two_back() {
        let settings = PowerLimitSettings {
            action: PowerExceptionAction::LOG,
            limit_w: 500,
            correction_ms: 1000,
            sampling_s: 5,
        };
        let set = SetPowerLimit { settings };
        let bytes = [0xdc, 0, 0, 0, 0x11, 0xf4, 1, 0xe8, 3, 0, 0, 0, 0, 5, 0];
        check::request(&set, &bytes, 15);
        let bytes = [0xdc, 0, 0, 0x11, 0xf4, 1, 0xe8, 3, 0, 0, 0, 0, 5, 0];
        check::response(&PowerLimit { settings }, &bytes, 14);
        check::request(&GetPowerLimit, &[0xdc, 0, 0], 3);
        let activation = PowerLimitActivation::ACTIVATE;
        check::request(&ActivatePowerLimit { activation }, &[0xdc, 1, 0, 0], 4);
    }
}
