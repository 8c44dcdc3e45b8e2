//! When a console repeats itself, and when it gives up. No other part of the product retries.

use core::time::Duration;

/// Times and numbers of repetitions, shared by many sessions.
///
/// A request that stays unanswered is sent again after `first_retry_ms`, then after twice that, and so on up to
/// `longest_retry_ms`; after `attempts` sendings and one more wait it is given up. With the default values that is
/// after 0.5 + 1 + 2 + 4 = 7.5 s. Where a BMC has shown that it takes longer than the first wait for its answers, a session
/// begins with a longer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Wait for an answer before the first repetition, in milliseconds.
    pub first_retry_ms: u32,
    /// Longest wait between two sendings, in milliseconds.
    pub longest_retry_ms: u32,
    /// Sendings of one request in all, the first included; 0 counts as 1.
    pub attempts: u8,
    /// Sendings of a request that is not idempotent. With 1 it is never executed twice, whatever the BMC does; a
    /// higher number relies on the BMC to notice that a request has the sequence number of the one before. A sending
    /// that was answered "node busy" doesn't count: it was not executed.
    pub side_effect_attempts: u8,
    /// Wait for the answer to the last sending of a request that is not idempotent, in milliseconds.
    pub side_effect_wait_ms: u32,
    /// Log-ins (from Open Session to RAKP Message 4) that are begun before log-in fails; 0 counts as 1. One lost
    /// packet costs one of them, since these messages can't be repeated one by one.
    pub login_attempts: u8,
    /// Longest wait before a request is sent again that was answered "node busy", in milliseconds. The first wait is a
    /// sixteenth of it, and each is twice the one before: most BMCs are busy for a moment only.
    pub busy_retry_ms: u32,
    /// Time without a request after which the session asks Get Device ID, so that the BMC doesn't end it for
    /// inactivity (60 s by §6.12.15), in milliseconds; 0 for never.
    pub keepalive_ms: u32,
    /// Requests in a row that time out before the session counts as lost; 0 counts as 1.
    pub lost_after: u8,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            first_retry_ms: 500,
            longest_retry_ms: 4_000,
            attempts: 4,
            side_effect_attempts: 1,
            side_effect_wait_ms: 5_000,
            login_attempts: 8,
            busy_retry_ms: 250,
            keepalive_ms: 25_000,
            lost_after: 2,
        }
    }
}

/// Sendings of a request that may be answered "node busy", besides those that a policy has for silence.
const BUSY_SENDINGS: u8 = 4;

/// The first wait for a busy BMC is the longest one over two to this power.
const BUSY_DOUBLINGS: u32 = 4;

/// How long the right answer may be behind one to another request, at least, in milliseconds.
const STALE_GRACE_MS: u64 = 10;

/// Sendings of what may go unanswered without harm: the suite list, and Close Session.
pub(super) const OPTIONAL_ATTEMPTS: u8 = 2;

impl Policy {
    /// Wait after sending number `attempt` (from 1) of an idempotent request.
    #[must_use]
    pub fn wait(&self, attempt: u8) -> Duration {
        let doublings = u32::from(attempt.saturating_sub(1)).min(16);
        let ms = u64::from(self.first_retry_ms) << doublings;
        Duration::from_millis(ms.min(u64::from(self.longest_retry_ms)))
    }

    /// Wait after sending number `attempt` (from 1) was answered "node busy"; `None` where the BMC had time enough.
    pub(super) fn busy_wait(&self, attempt: u8) -> Option<Duration> {
        let doublings = u32::from(attempt.saturating_sub(1)).min(BUSY_DOUBLINGS);
        let ms = self.busy_retry_ms >> (BUSY_DOUBLINGS - doublings);
        let more = attempt < self.attempts.saturating_add(BUSY_SENDINGS);
        more.then(|| Duration::from_millis(ms.into()))
    }

    /// How much longer the answer is waited for where one to another request came, which took `took`.
    ///
    /// The right one may have been overtaken, and then it is behind by much less than a round trip.
    pub(super) fn stale_wait(took: Duration) -> Duration {
        took.max(Duration::from_millis(STALE_GRACE_MS))
    }

    /// Wait after sending number `attempt` (from 1) of a request that is not idempotent.
    #[must_use]
    pub fn side_effect_wait(&self, attempt: u8) -> Duration {
        if attempt < self.side_effect_attempts {
            self.wait(attempt)
        } else {
            Duration::from_millis(u64::from(self.side_effect_wait_ms))
        }
    }
}

/// How much longer than the policy says a session waits for the answers of a slow BMC.
///
/// To ask again before the answer can be there makes a slow BMC do everything twice. That it was so shows when the answers to both
/// sendings come, so nothing was lost between; a network that loses datagrams leaves the wait as it is, and so does one that holds
/// some of them back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Patience {
    /// Doublings of the first wait.
    doublings: u8,
    /// Repetitions in vain without a quick answer between.
    in_vain: u8,
    /// Answers in a row for which the wait of the policy would have done.
    quick: u8,
}

/// So many repetitions in vain lengthen the wait.
const IN_VAIN: u8 = 3;

/// So many quick answers in a row shorten it again.
const QUICK_ANSWERS: u8 = 32;

impl Patience {
    /// Whether all answers were quick of late, so that one more changes nothing.
    pub(super) const fn is_none(self) -> bool {
        self.doublings == 0 && self.in_vain == 0
    }

    /// A repetition was in vain. The third one doubles the first wait, up to the policy's longest.
    pub(super) fn repeated_in_vain(&mut self, policy: &Policy) {
        self.quick = 0;
        self.in_vain += 1;
        if self.in_vain < IN_VAIN {
            return;
        }
        self.in_vain = 0;
        if policy.wait(self.on(1)) < policy.wait(u8::MAX) {
            self.doublings += 1;
        }
    }

    /// An answer came, to the first sending and within the policy's own wait or not.
    pub(super) const fn answered(&mut self, is_quick: bool) {
        if !is_quick {
            self.quick = 0;
            return;
        }
        self.in_vain = 0;
        self.quick += 1;
        if self.quick == QUICK_ANSWERS {
            self.quick = 0;
            self.doublings = self.doublings.saturating_sub(1);
        }
    }

    /// The sending whose wait by the policy is that of sending number `attempt`.
    pub(super) const fn on(self, attempt: u8) -> u8 {
        attempt.saturating_add(self.doublings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let policy = Policy {
            first_retry_ms: 100,
            longest_retry_ms: 350,
            ..Policy::default()
        };
        let waits: std::vec::Vec<_> = (1..=255)
            .map(|attempt| policy.wait(attempt).as_millis())
            .collect();
        assert_eq!(waits[..4], [100, 200, 350, 350]);
        assert!(waits[4..].iter().all(|wait| *wait == 350));
    }

    #[test]
    fn patience_grows_up_to_the_longest_wait_and_ends_when_answers_are_quick() {
        let policy = Policy::default();
        let mut patience = Patience::default();
        let vain = |patience: &mut Patience| patience.repeated_in_vain(&policy);
        for _ in 0..100 {
            (1..IN_VAIN).for_each(|_| vain(&mut patience));
            patience.answered(false);
            patience.answered(true);
        }
        assert!(patience.is_none(), "now and then one is held up");
        for doublings in [1, 2, 3, 3, 3] {
            (0..IN_VAIN).for_each(|_| vain(&mut patience));
            assert_eq!(patience.on(1), 1 + doublings);
        }
        assert_eq!(policy.wait(patience.on(1)), policy.wait(u8::MAX));
        for _ in 0..1_000 {
            (1..QUICK_ANSWERS).for_each(|_| patience.answered(true));
            patience.answered(false);
        }
        assert_eq!(patience.on(1), 4, "one of them is slow still");
        (0..3 * QUICK_ANSWERS).for_each(|_| patience.answered(true));
        assert!(patience.is_none());
    }
}
