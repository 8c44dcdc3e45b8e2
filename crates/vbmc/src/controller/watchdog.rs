//! The watchdog timer (§27), counted in whole seconds of the machine.

use ipmi::command::app::{WatchdogSettings, WatchdogTimer};
use ipmi::number::{
    PreTimeoutInterrupt, WatchdogAction, WatchdogControl, WatchdogExpirations, WatchdogUse,
};

/// The timer.
#[derive(Clone, Debug, Default)]
pub struct Watchdog {
    settings: Option<WatchdogSettings>,
    /// When it runs out; `None` while it stands.
    ends_s: Option<u64>,
    /// The interrupt before the end was given.
    warned: bool,
}

/// The timer reached something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// The time of the interrupt before the end.
    Warning(WatchdogSettings),
    /// The end.
    End(WatchdogSettings),
}

const FACTORY: WatchdogSettings = WatchdogSettings {
    control: WatchdogControl::NONE,
    timer_use: WatchdogUse::SMS_OS,
    interrupt: PreTimeoutInterrupt::NONE,
    action: WatchdogAction::NONE,
    pre_timeout_s: 0,
    expirations: WatchdogExpirations::NONE,
    initial_100ms: 0,
};

impl Watchdog {
    /// Sets the timer up (§27.6): it stops unless it is to go on; the flags named are cleared.
    pub fn set(&mut self, now_s: u64, settings: WatchdogSettings) {
        let old = self.settings.unwrap_or(FACTORY).expirations.0;
        let expirations = WatchdogExpirations(old & !settings.expirations.0);
        let goes_on = settings.control.contains(WatchdogControl::RUNNING) && self.ends_s.is_some();
        self.settings = Some(WatchdogSettings {
            expirations,
            ..settings
        });
        self.warned = false;
        self.ends_s = if goes_on {
            Some(now_s + seconds(settings.initial_100ms))
        } else {
            None
        };
    }

    /// Starts it from its initial value (§27.5); false where it was never set.
    pub fn reset(&mut self, now_s: u64) -> bool {
        let Some(settings) = self.settings else {
            return false;
        };
        self.ends_s = Some(now_s + seconds(settings.initial_100ms));
        self.warned = false;
        true
    }

    /// How it is set up and where it is (§27.7).
    #[must_use]
    pub fn timer(&self, now_s: u64) -> WatchdogTimer {
        let settings = self.settings.unwrap_or(FACTORY);
        let left_s = self.ends_s.map_or(0, |ends_s| ends_s.saturating_sub(now_s));
        WatchdogTimer {
            settings: WatchdogSettings {
                control: settings
                    .control
                    .with(WatchdogControl::RUNNING, self.ends_s.is_some()),
                ..settings
            },
            present_100ms: u16::try_from(left_s * 10).unwrap_or(u16::MAX),
        }
    }

    /// Moves it to `now_s`; says what it reached.
    pub fn tick(&mut self, now_s: u64) -> Option<Expired> {
        let (settings, ends_s) = (self.settings?, self.ends_s?);
        if now_s >= ends_s {
            self.ends_s = None;
            let bit = 1_u8.wrapping_shl(settings.timer_use.0.into());
            let expirations = settings.expirations | WatchdogExpirations(bit);
            self.settings = Some(WatchdogSettings {
                expirations,
                ..settings
            });
            return Some(Expired::End(settings));
        }
        let warns = settings.interrupt != PreTimeoutInterrupt::NONE && !self.warned;
        if warns && now_s + u64::from(settings.pre_timeout_s) >= ends_s {
            self.warned = true;
            return Some(Expired::Warning(settings));
        }
        None
    }
}

fn seconds(of_100ms: u16) -> u64 {
    u64::from(of_100ms).div_ceil(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_warns_runs_out_once_and_remembers_for_whom() {
        let mut watchdog = Watchdog::default();
        assert!(!watchdog.reset(0), "it was never set");
        let settings = WatchdogSettings {
            interrupt: PreTimeoutInterrupt::NMI,
            action: WatchdogAction::HARD_RESET,
            pre_timeout_s: 3,
            initial_100ms: 100,
            ..FACTORY
        };
        watchdog.set(0, settings);
        assert_eq!(watchdog.tick(100), None, "it stands");
        assert!(watchdog.reset(100));
        assert_eq!(watchdog.timer(104).present_100ms, 60);
        assert_eq!(watchdog.tick(106), None);
        assert!(matches!(watchdog.tick(107), Some(Expired::Warning(_))));
        assert_eq!(watchdog.tick(108), None);
        assert!(matches!(watchdog.tick(110), Some(Expired::End(_))));
        assert_eq!(watchdog.tick(111), None);
        let timer = watchdog.timer(111);
        assert_eq!(timer.settings.expirations, WatchdogExpirations::SMS_OS);
        assert_eq!(timer.settings.control, WatchdogControl::NONE);
        let clear = WatchdogSettings {
            expirations: WatchdogExpirations::SMS_OS,
            ..settings
        };
        watchdog.set(112, clear);
        assert_eq!(
            watchdog.timer(112).settings.expirations,
            WatchdogExpirations::NONE
        );
    }

    #[test]
    fn a_running_timer_goes_on_from_the_new_value_only_when_asked() {
        let mut watchdog = Watchdog::default();
        let settings = WatchdogSettings {
            initial_100ms: 50,
            ..FACTORY
        };
        watchdog.set(0, settings);
        watchdog.reset(0);
        let longer = WatchdogSettings {
            control: WatchdogControl::RUNNING,
            initial_100ms: 200,
            ..settings
        };
        watchdog.set(1, longer);
        assert_eq!(watchdog.timer(1).present_100ms, 200);
        watchdog.set(2, settings);
        assert_eq!(watchdog.timer(2).settings.control, WatchdogControl::NONE);
    }
}
