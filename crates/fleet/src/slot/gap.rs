//! BMCs that are left alone for a while after each answer.
//!
//! The session keeps the gap, whatever it sends: see [`Session::set_gap`](ipmi::console::Session::set_gap). Here nothing is begun before it is over, and
//! a BMC gives back its place in a round meanwhile. A contact keeps its place, since that stands for memory.

use std::time::Duration;

use ipmi::time::Instant;

use super::{Context, Slot};
use crate::gate::Stage;
use crate::news;

/// Commands of each round beside those for sensors: the state of the chassis, and the event log and the boot options by turns.
const BESIDE_SENSORS: u32 = 2;

impl Slot {
    /// Whether the BMC is left alone now; then the slot wakes when that is over.
    pub(super) fn rests(&mut self, cx: &mut Context, now: Instant) -> bool {
        let Some(until) = self.session.rests_until(now) else {
            return false;
        };
        self.wake_by(until);
        self.leave(cx, Stage::Round);
        true
    }

    /// How much of the time the BMC is left alone, if all is read at its interval. Where that is more than all, there is too little.
    fn share_of_gaps(&self) -> f64 {
        let share = |commands: u32, interval: Duration| {
            f64::from(commands) * self.session.gap().as_secs_f64() / interval.as_secs_f64()
        };
        let items = self.plan.iter().flat_map(|plan| plan.items.iter());
        let of_sensors = items.map(|item| {
            let interval = self.rare.pacing.intervals.get(item.class);
            let ms = interval.unwrap_or(self.rare.pacing.poll_interval_ms);
            share(1, Duration::from_millis(ms.into()))
        });
        of_sensors.sum::<f64>() + share(BESIDE_SENSORS, self.poll_interval())
    }

    /// Tells it once where the gap leaves too little time for what is to be read: rounds are left out then, and counted.
    pub(super) fn tell_tightness(&mut self, cx: &mut Context, now: Instant) {
        let gap = self.session.gap();
        if gap.is_zero() && !self.rare.is_tight {
            return;
        }
        let share = self.share_of_gaps();
        let was_tight = std::mem::replace(&mut self.rare.is_tight, share > 1.0);
        if self.rare.is_tight && !was_tight && cx.news.tight(now) {
            tracing::warn!(
                target: news::TARGET,
                node = %self.page.node().id,
                address = %self.address(),
                gap_ms = gap.as_millis() as u64,
                "too little time for all sensors: the gap after each answer takes {share:.1} times as long as there is; \
                 rounds are left out until poll_interval_ms or sensor_intervals_ms are longer, or gap_ms is shorter"
            );
        }
    }
}
