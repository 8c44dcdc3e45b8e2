//! Defects that a test can switch on for one BMC.

use std::time::Duration;

use ipmi::time::Instant;

use crate::curve::hash;

/// How long a datagram is held back for others to overtake it: longer than a console waits before it repeats itself.
pub const HELD_FOR: Duration = Duration::from_millis(700);

/// What is wrong with a BMC. Shares are in thousandths of its datagrams; which ones is decided by a seeded hash, so
/// that a run can be repeated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Decides which datagrams are hit.
    pub seed: u64,
    /// Requests that get lost on the way in.
    pub drop_request_permille: u16,
    /// Answers that get lost on the way out: the command was carried out.
    pub drop_reply_permille: u16,
    /// Answers that arrive twice.
    pub duplicate_permille: u16,
    /// Datagrams, on each way, that are held back for [`HELD_FOR`], so that later ones overtake them.
    pub reorder_permille: u16,
    /// Answers that arrive with a wrong byte at the end, where checksums and integrity codes are.
    pub corrupt_permille: u16,
    /// Answers come this much late, in milliseconds.
    pub delay_ms: u32,
    /// It hears nothing until then.
    pub mute_until: Option<Instant>,
}

/// What happens to one datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) drop_request: bool,
    pub(crate) hold_request: bool,
    pub(crate) drop_reply: bool,
    pub(crate) duplicate: bool,
    pub(crate) corrupt: bool,
    pub(crate) delay: Duration,
}

impl Faults {
    /// The fate of the datagram number `count` that arrives at `now`.
    pub(crate) fn fate(&self, now: Instant, count: u64) -> Fate {
        let hit = |kind: u64, permille: u16| {
            hash(self.seed ^ kind << 56, count) % 1_000 < u64::from(permille)
        };
        let muted = self.mute_until.is_some_and(|until| now < until);
        Fate {
            drop_request: muted || hit(1, self.drop_request_permille),
            drop_reply: hit(2, self.drop_reply_permille),
            duplicate: hit(3, self.duplicate_permille),
            corrupt: hit(4, self.corrupt_permille),
            hold_request: hit(5, self.reorder_permille),
            delay: match hit(6, self.reorder_permille) {
                true => HELD_FOR + Duration::from_millis(self.delay_ms.into()),
                false => Duration::from_millis(self.delay_ms.into()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_hits_about_that_many_datagrams_and_the_same_ones_again() {
        let faults = Faults {
            seed: 9,
            drop_reply_permille: 100,
            ..Faults::default()
        };
        let hits = |faults: &Faults| -> Vec<u64> {
            (0..10_000)
                .filter(|count| faults.fate(Instant::ORIGIN, *count).drop_reply)
                .collect()
        };
        assert!((900..1_100).contains(&hits(&faults).len()));
        assert_eq!(hits(&faults), hits(&faults));
        assert_ne!(hits(&faults), hits(&Faults { seed: 10, ..faults }));
        assert_eq!(faults.fate(Instant::ORIGIN, 1).delay, Duration::ZERO);
    }

    #[test]
    fn a_muted_bmc_hears_nothing_until_its_time() {
        let until = Instant::ORIGIN + Duration::from_secs(5);
        let faults = Faults {
            mute_until: Some(until),
            ..Faults::default()
        };
        assert!(faults.fate(Instant::ORIGIN, 0).drop_request);
        assert!(!faults.fate(until, 0).drop_request);
    }
}
