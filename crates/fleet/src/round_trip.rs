//! How long answers take, as counts in steps that grow with the time.

use std::time::Duration;

/// Steps to a doubling.
const STEPS: u32 = 4;

/// Doublings from a microsecond on: up to a minute.
const DOUBLINGS: u32 = 26;

const LEN: usize = (STEPS * DOUBLINGS) as usize;

/// How many answers took how long: from a microsecond to a minute in steps of at most a quarter. Commands that had
/// to be repeated are not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundTrips([u64; LEN]);

impl Default for RoundTrips {
    fn default() -> Self {
        Self([0; LEN])
    }
}

impl RoundTrips {
    /// Counts one.
    pub(crate) fn add(&mut self, took: Duration) {
        let us = u32::try_from(took.as_micros()).unwrap_or(u32::MAX).max(1);
        let doublings = us.ilog2();
        // The two bits behind the highest one.
        let step = (us << (31 - doublings) >> 29) & (STEPS - 1);
        let at = (doublings * STEPS + step) as usize;
        self.0[at.min(LEN - 1)] += 1;
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The time that this share of all answers did not exceed, in milliseconds, rounded up to the end of its step: 0.5
    /// for the median, 0.99 for the slowest hundredth's beginning. 0 where there are none.
    #[must_use]
    pub fn quantile_ms(&self, share: f64) -> f64 {
        let rank = (self.count() as f64 * share).ceil() as u64;
        let mut below = 0;
        let found = self.0.iter().position(|count| {
            below += count;
            below >= rank.max(1)
        });
        found.map_or(0.0, |at| end_us(at as u32) / 1_000.0)
    }

    /// Those that came since `before`, an earlier state of the same counts.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let mut since = *self;
        for (count, before) in since.0.iter_mut().zip(before.0) {
            *count = count.saturating_sub(before);
        }
        since
    }
}

impl std::ops::AddAssign for RoundTrips {
    fn add_assign(&mut self, other: Self) {
        for (count, other) in self.0.iter_mut().zip(other.0) {
            *count += other;
        }
    }
}

/// Where a step ends, in microseconds.
fn end_us(at: u32) -> f64 {
    let (doublings, step) = (at / STEPS, at % STEPS);
    f64::from(1_u32 << doublings) * (1.0 + f64::from(step + 1) / f64::from(STEPS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_a_quarter() {
        let mut trips = RoundTrips::default();
        for us in 1..=10_000 {
            trips.add(Duration::from_micros(us));
        }
        for share in [0.01, 0.5, 0.9, 0.99, 1.0] {
            let (exact, found) = (10.0 * share, trips.quantile_ms(share));
            assert!(
                (exact..=exact * 1.26 + 0.001).contains(&found),
                "{share}: {found}"
            );
        }
        assert_eq!(trips.count(), 10_000);
    }

    #[test]
    fn the_ends_of_the_range_hold_whatever_lies_beyond() {
        let mut trips = RoundTrips::default();
        assert_eq!(trips.quantile_ms(0.5), 0.0);
        trips.add(Duration::ZERO);
        trips.add(Duration::from_secs(1 << 40));
        assert_eq!(trips.count(), 2);
        assert!(trips.quantile_ms(1.0) >= 60_000.0);
    }

    #[test]
    fn what_came_since_is_the_difference_and_sums_add_up() {
        let mut trips = RoundTrips::default();
        trips.add(Duration::from_millis(1));
        let before = trips;
        trips.add(Duration::from_millis(8));
        let since = trips.since(&before);
        assert_eq!((since.count(), since.quantile_ms(1.0) >= 8.0), (1, true));
        let mut sum = before;
        sum += since;
        assert_eq!(sum, trips);
    }
}
