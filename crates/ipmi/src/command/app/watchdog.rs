//! Reset Watchdog Timer, Set Watchdog Timer and Get Watchdog Timer (§27.5 to §27.7).

use crate::command::Empty;
use crate::command::layout::{layout, message, request};
use crate::number::{
    PreTimeoutInterrupt, WatchdogAction, WatchdogControl, WatchdogExpirations, WatchdogUse,
};

layout! {
    /// How the watchdog timer is set up (§27.6, table 27-3).
    pub struct WatchdogSettings {
        u8 {
            /// In a request: whether running out is logged, and whether a running timer goes on. In an answer: whether it is
            /// logged, and whether the timer runs.
            pub control: WatchdogControl [7:6],
            /// Who uses it.
            pub timer_use: WatchdogUse [2:0],
        }
        u8 {
            /// Interrupt before it runs out.
            pub interrupt: PreTimeoutInterrupt [6:4],
            /// What happens when it runs out.
            pub action: WatchdogAction [2:0],
        }
        /// How long before the end the interrupt comes, in seconds.
        pub pre_timeout_s: u8,
        /// In a request: expiration flags to clear. In an answer: those set.
        pub expirations: WatchdogExpirations,
        /// From which value it counts down, in 100 ms.
        pub initial_100ms: u16,
    }
}

request! {
    /// Starts the timer, or starts it anew, from its initial value (§27.5). Completion code 80h: it was never set.
    pub struct ResetWatchdogTimer: APP 0x22 "Reset Watchdog Timer", repeatable => Empty {}

    /// Sets the timer up; it stands still until it is reset, unless told to go on (§27.6).
    pub struct SetWatchdogTimer: APP 0x24 "Set Watchdog Timer", repeatable => Empty {
        /// How.
        pub settings: WatchdogSettings,
    }

    /// Asks how the timer is set up and where it is (§27.7).
    pub struct GetWatchdogTimer: APP 0x25 "Get Watchdog Timer", repeatable => WatchdogTimer {}
}

message! {
    /// The answer to [`GetWatchdogTimer`] (§27.7, table 27-5).
    pub struct WatchdogTimer {
        /// How it is set up.
        pub settings: WatchdogSettings,
        /// What is left, in 100 ms.
        pub present_100ms: u16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn a_timer_that_ipmitool_shows_as_sms_os_with_hard_reset_after_five_minutes() {
        let settings = WatchdogSettings {
            control: WatchdogControl::RUNNING,
            timer_use: WatchdogUse::SMS_OS,
            interrupt: PreTimeoutInterrupt::NMI,
            action: WatchdogAction::HARD_RESET,
            pre_timeout_s: 10,
            expirations: WatchdogExpirations::SMS_OS,
            initial_100ms: 3000,
        };
        let bytes = [0x44, 0x21, 10, 0x10, 0xb8, 0x0b];
        check::request(&ResetWatchdogTimer, &[], 0);
        check::request(&GetWatchdogTimer, &[], 0);
        check::request(&SetWatchdogTimer { settings }, &bytes, 6);
        let timer = WatchdogTimer {
            settings,
            present_100ms: 2999,
        };
        check::response(&timer, &[0x44, 0x21, 10, 0x10, 0xb8, 0x0b, 0xb7, 0x0b], 8);
    }
}
