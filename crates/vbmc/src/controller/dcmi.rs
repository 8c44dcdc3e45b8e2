//! What DCMI keeps (DCMI 1.5 §6.4, §6.6, §6.7).

use std::collections::BTreeMap;

use ipmi::command::dcmi::{PowerLimitSettings, ThermalLimitSettings};
use ipmi::number::PowerExceptionAction;

/// Limits of inlet temperatures, by instance.
pub type ThermalLimits = BTreeMap<u8, ThermalLimitSettings>;

/// DCMI's own state.
#[derive(Clone, Debug, Default)]
pub struct Dcmi {
    /// Asset tag, where it was set.
    pub asset_tag: Option<Vec<u8>>,
    /// The controller's identifier, where it was set.
    pub controller_id: Option<Vec<u8>>,
    /// The power limit.
    pub limit: Option<PowerLimitSettings>,
    /// It holds.
    pub limit_active: bool,
    /// Since when power is above it, in seconds.
    pub above_since_s: Option<u64>,
    /// Its exception action was taken for this excursion.
    pub acted: bool,
    /// Limits of inlet temperatures.
    pub thermal: ThermalLimits,
    /// Since when the inlet is above its limit, in seconds.
    pub hot_since_s: Option<u64>,
}

impl Dcmi {
    /// Watches the power limit at `now_s` with `power_w` drawn; says what is to be done when it was exceeded for too long.
    pub fn watch(&mut self, now_s: u64, power_w: f64) -> Option<PowerExceptionAction> {
        let limit = self.limit.filter(|_| self.limit_active)?;
        if power_w <= f64::from(limit.limit_w) {
            self.above_since_s = None;
            self.acted = false;
            return None;
        }
        let since_s = *self.above_since_s.get_or_insert(now_s);
        let too_long = (now_s - since_s) * 1_000 >= u64::from(limit.correction_ms);
        if !too_long || self.acted {
            return None;
        }
        self.acted = true;
        Some(limit.action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_active_limit_acts_once_after_the_correction_time() {
        let mut dcmi = Dcmi {
            limit: Some(PowerLimitSettings {
                action: PowerExceptionAction::LOG,
                limit_w: 300,
                correction_ms: 2_000,
                sampling_s: 1,
            }),
            ..Dcmi::default()
        };
        assert_eq!(dcmi.watch(0, 400.0), None, "not active");
        dcmi.limit_active = true;
        assert_eq!(dcmi.watch(1, 400.0), None);
        assert_eq!(dcmi.watch(2, 400.0), None);
        assert_eq!(dcmi.watch(3, 400.0), Some(PowerExceptionAction::LOG));
        assert_eq!(dcmi.watch(4, 400.0), None, "once");
        assert_eq!(dcmi.watch(5, 200.0), None);
        assert_eq!(dcmi.watch(6, 400.0), None);
        assert_eq!(dcmi.watch(8, 400.0), Some(PowerExceptionAction::LOG));
    }
}
