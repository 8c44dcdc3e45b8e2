//! When what is due: rounds spread evenly over the poll interval, connects spread at start, probes of silent BMCs
//! that grow rarer.

use std::time::Duration;

use ipmi::time::Instant;

/// How many sessions one shard begins to open in a second when it starts, at most: see also the gate for log-ins. Fewer would
/// cost more: where datagrams come one at a time, waking up for each takes longer than the work.
pub(crate) const CONNECTS_PER_S: u64 = 10_000;

/// After so many log-ins in a row of which nothing was answered, a BMC is looked for with one datagram at a time.
const PROBE_AFTER: u8 = 3;

/// The pause after a log-in that stayed without answer, before jitter.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause between two probes of a BMC that does not answer, before jitter.
const SILENT_PAUSE_MAX: Duration = Duration::from_secs(30);

/// The longest pause before the next log-in with a BMC that answers, but of whose answers too many are lost, before jitter: the
/// next one may well come to its end.
const LOSSY_PAUSE_MAX: Duration = Duration::from_secs(8);

/// The pause after a refused login, and the longest one: most BMCs lock an account after a few wrong passwords,
/// and no password gets right by itself.
const REFUSED_PAUSE: Duration = Duration::from_secs(30);
const REFUSED_PAUSE_MAX: Duration = Duration::from_secs(300);

/// How long a BMC that does not answer is left alone after a log-in though somebody wants something of it. One that refused the login
/// has [`REFUSED_PAUSE`].
const HASTENED_PAUSE: Duration = Duration::from_secs(5);

/// A small seeded generator for jitter; nothing secret is drawn from it.
#[derive(Clone, Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits (SplitMix64).
    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 where `bound` is 0.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        ((self.next() as u128 * bound as u128) >> 64) as u64
    }

    /// `span` shortened or lengthened by up to a quarter.
    pub(crate) fn around(&mut self, span: Duration) -> Duration {
        let span = nanos(span);
        Duration::from_nanos(span - span / 4 + self.below(span / 2 + 1))
    }
}

/// A span in nanoseconds, at least one: intervals divide.
fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos())
        .unwrap_or(u64::MAX / 2)
        .max(1)
}

/// When slot number `slot` first connects: one after the other at [`CONNECTS_PER_S`].
pub(crate) fn first_connect(start: Instant, slot: u32) -> Instant {
    start + Duration::from_nanos(u64::from(slot) * 1_000_000_000 / CONNECTS_PER_S)
}

/// When a node's rounds begin: always at the same phase of the interval.
///
/// The phases of the slots divide the interval evenly, so that a thousand nodes polled once a second make a
/// steady stream and not a burst; and a slow round moves neither its own successor's phase nor another node's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    due: Instant,
}

impl Pace {
    /// The pace of slot `slot` of `slots`: its first round at or after `now`.
    pub(crate) fn new(now: Instant, interval: Duration, slot: u32, slots: u32) -> Self {
        let interval_ns = nanos(interval);
        let phase = (u128::from(interval_ns) * u128::from(slot) / u128::from(slots.max(1))) as u64;
        let rounds = now.as_nanos().saturating_sub(phase).div_ceil(interval_ns);
        Self {
            due: Instant::from_nanos(phase.saturating_add(rounds.saturating_mul(interval_ns))),
        }
    }

    /// When the next round is due.
    pub(crate) const fn due(self) -> Instant {
        self.due
    }

    /// The round that was due has begun: the next one is due at the next phase after `now`. Returns how many
    /// rounds fell out because the last one took that long.
    pub(crate) fn advance(&mut self, now: Instant, interval: Duration) -> u64 {
        let interval = nanos(interval);
        let behind = now.as_nanos().saturating_sub(self.due.as_nanos()) / interval;
        self.due = self.due + Duration::from_nanos(interval.saturating_mul(behind + 1));
        behind
    }
}

/// Why a BMC could not be talked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It did not answer at all, or has no session to give.
    Silent,
    /// It answered, but the log-in did not come to its end.
    Lossy,
    /// It answered and refused the login.
    Refused,
}

/// Keeps BMCs that don't answer from costing more than a probe now and then.
///
/// Closed while all is well; each failure in a row doubles the pause until the next probe, up to a bound; every pause
/// is jittered so that a rack that went dark together does not come back as one burst. Any answer proves that the BMC is there, and
/// holds the breaker closed: where datagrams are lost a log-in fails now and then, and the next one is tried soon.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Breaker {
    /// Log-ins in a row that failed.
    failures: u8,
    /// Those of them, up to the last, of which nothing was answered.
    silent: u8,
    /// The last one was refused.
    is_refused: bool,
}

impl Breaker {
    /// The BMC answered and let us in.
    pub(crate) const fn succeeded(&mut self) {
        (self.failures, self.silent, self.is_refused) = (0, 0, false);
    }

    /// Whether the BMC has been silent for so long that a single datagram must do to look for it.
    pub(crate) const fn is_probing(self) -> bool {
        self.silent >= PROBE_AFTER
    }

    /// How long to pause at least after the last log-in was begun, though somebody wants something of the BMC.
    pub(crate) const fn pause_min(self) -> Duration {
        match self.is_refused {
            true => REFUSED_PAUSE,
            false => HASTENED_PAUSE,
        }
    }

    /// Another failure: how long to pause before the next probe.
    pub(crate) fn failed(&mut self, trouble: Trouble, jitter: &mut Jitter) -> Duration {
        let doublings = u32::from(self.failures).min(16);
        self.failures = self.failures.saturating_add(1);
        self.is_refused = matches!(trouble, Trouble::Refused);
        self.silent = match trouble {
            Trouble::Silent => self.silent.saturating_add(1),
            Trouble::Lossy | Trouble::Refused => 0,
        };
        let (first, longest) = match trouble {
            Trouble::Silent => (FIRST_PAUSE, SILENT_PAUSE_MAX),
            Trouble::Lossy => (FIRST_PAUSE, LOSSY_PAUSE_MAX),
            Trouble::Refused => (REFUSED_PAUSE, REFUSED_PAUSE_MAX),
        };
        jitter.around(first.saturating_mul(1 << doublings).min(longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(1_000);

    fn at_ms(ms: u64) -> Instant {
        Instant::ORIGIN + Duration::from_millis(ms)
    }

    #[test]
    fn the_rounds_of_all_slots_divide_the_interval_evenly() {
        let now = at_ms(123_456);
        let mut due: Vec<u64> = (0..1_000)
            .map(|i| Pace::new(now, INTERVAL, i, 1_000).due().as_nanos())
            .collect();
        due.sort_unstable();
        assert!(due[0] >= now.as_nanos() && due[999] < (now + INTERVAL).as_nanos());
        for pair in due.windows(2) {
            assert_eq!(pair[1] - pair[0], 1_000_000);
        }
    }

    #[test]
    fn a_slow_round_skips_whole_intervals_and_keeps_its_phase() {
        let mut pace = Pace::new(at_ms(0), INTERVAL, 250, 1_000);
        assert_eq!(pace.due(), at_ms(250));
        assert_eq!(pace.advance(at_ms(251), INTERVAL), 0);
        assert_eq!(pace.due(), at_ms(1_250));
        assert_eq!(pace.advance(at_ms(4_900), INTERVAL), 3);
        assert_eq!(pace.due(), at_ms(5_250));
    }

    #[test]
    fn a_round_that_is_due_right_now_is_not_put_off() {
        assert_eq!(
            Pace::new(at_ms(3_250), INTERVAL, 250, 1_000).due(),
            at_ms(3_250)
        );
    }

    #[test]
    fn the_pauses_between_probes_grow_to_their_bound_and_no_further() {
        let (mut breaker, mut jitter) = (Breaker::default(), Jitter::new(1));
        let pauses: Vec<_> = (0..300)
            .map(|_| breaker.failed(Trouble::Silent, &mut jitter).as_secs_f64())
            .collect();
        for (i, pause) in pauses.iter().enumerate() {
            let middle = f64::from(1_u32 << i.min(8)).min(30.0);
            assert!(
                (middle * 0.75..=middle * 1.25).contains(pause),
                "probe {i}: {pause} s"
            );
        }
        breaker.succeeded();
        assert!(breaker.failed(Trouble::Silent, &mut jitter) <= Duration::from_millis(1_250));
    }

    #[test]
    fn a_thousand_bmcs_that_fall_silent_together_are_probed_apart() {
        let mut jitter = Jitter::new(2);
        let mut probes: Vec<_> = (0..1_000)
            .map(|_| {
                let mut breaker = Breaker {
                    failures: 10,
                    silent: 10,
                    is_refused: false,
                };
                breaker.failed(Trouble::Silent, &mut jitter).as_millis()
            })
            .collect();
        probes.sort_unstable();
        let busiest = probes.windows(100).map(|w| w[99] - w[0]).min().unwrap_or(0);
        assert!(busiest > 1_000, "100 of 1,000 probes within {busiest} ms");
    }

    #[test]
    fn a_bmc_that_answers_is_never_probed_and_never_left_alone_for_long() {
        let (mut breaker, mut jitter) = (Breaker::default(), Jitter::new(4));
        for _ in 0..20 {
            breaker.failed(Trouble::Silent, &mut jitter);
        }
        assert!(breaker.is_probing());
        for _ in 0..300 {
            let pause = breaker.failed(Trouble::Lossy, &mut jitter);
            assert!(pause <= LOSSY_PAUSE_MAX * 5 / 4, "{pause:?}");
            assert!(!breaker.is_probing());
        }
        for silent in 1..=PROBE_AFTER {
            breaker.failed(Trouble::Silent, &mut jitter);
            assert_eq!(breaker.is_probing(), silent == PROBE_AFTER);
        }
    }

    #[test]
    fn a_refused_login_is_tried_again_far_more_rarely_than_a_silent_bmc() {
        let (mut breaker, mut jitter) = (Breaker::default(), Jitter::new(3));
        assert!(breaker.failed(Trouble::Refused, &mut jitter) >= Duration::from_secs(22));
    }
}
