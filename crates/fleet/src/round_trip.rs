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
pub struct RoundTrips {
    counts: [u64; LEN],
    /// All of them together, in microseconds.
    sum_us: u64,
}

impl Default for RoundTrips {
    fn default() -> Self {
        Self {
            counts: [0; LEN],
            sum_us: 0,
        }
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
        self.counts[at.min(LEN - 1)] += 1;
        self.sum_us += u64::from(us);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long they took together, in seconds; one of more than an hour counts as an hour or so.
    #[must_use]
    pub const fn sum_s(&self) -> f64 {
        self.sum_us as f64 / 1_000_000.0
    }

    /// The time that this share of all answers did not exceed, in milliseconds, rounded up to the end of its step: 0.5
    /// for the median, 0.99 for the slowest hundredth's beginning. 0 where there are none.
    #[must_use]
    pub fn quantile_ms(&self, share: f64) -> f64 {
        let rank = (self.count() as f64 * share).ceil() as u64;
        let mut below = 0;
        let found = self.counts.iter().position(|count| {
            below += count;
            below >= rank.max(1)
        });
        found.map_or(0.0, |at| end_us(at as u32) / 1_000.0)
    }

    /// For each doubling of time from 2 µs on: its end in seconds, and how many answers took no longer. Slower ones than the
    /// last are in [`Self::count`] only.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let mut sum = 0;
        self.counts
            .chunks(STEPS as usize)
            .zip(0..DOUBLINGS - 1)
            .map(move |(steps, doublings)| {
                sum += steps.iter().sum::<u64>();
                (f64::from(1_u32 << (doublings + 1)) / 1_000_000.0, sum)
            })
    }

    /// Those that came since `before`, an earlier state of the same counts.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let mut since = *self;
        since.sum_us = since.sum_us.saturating_sub(before.sum_us);
        for (count, before) in since.counts.iter_mut().zip(before.counts) {
            *count = count.saturating_sub(before);
        }
        since
    }
}

impl std::ops::AddAssign for RoundTrips {
    fn add_assign(&mut self, other: Self) {
        self.sum_us += other.sum_us;
        for (count, other) in self.counts.iter_mut().zip(other.counts) {
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
        assert!((trips.sum_s() - 50.005).abs() < 1e-9);
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
    fn cumulative_counts_grow_to_all_but_those_beyond_the_range() {
        let mut trips = RoundTrips::default();
        for ms in [1, 1, 3, 30, 3_600_000] {
            trips.add(Duration::from_millis(ms));
        }
        let found: Vec<_> = trips.cumulative().collect();
        assert!(found.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1));
        for (end, count) in found {
            let exact = [0.001, 0.001, 0.003, 0.03].iter().filter(|s| **s < end);
            assert_eq!(count, exact.count() as u64, "{end}");
        }
        assert_eq!(trips.count(), 5);
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
