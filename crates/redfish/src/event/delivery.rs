//! The delivery of one subscription, without any IO: when to send, when to try again, when to give up.

use serde::{Deserialize, Serialize};

use super::RetryPolicy;

/// How many events one POST carries at most.
pub const MAX_EVENTS_TOGETHER: usize = 64;
/// The longest time between two attempts of `RetryForeverWithBackoff`, in seconds.
pub const LONGEST_BACKOFF_S: u64 = 3600;

/// What counts for every subscription (`EventService.DeliveryRetryAttempts` and `DeliveryRetryIntervalSeconds`), and
/// what this one says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// How often a delivery is repeated before the policy decides.
    pub(crate) attempts: u32,
    pub(crate) interval_s: u32,
    pub(crate) policy: RetryPolicy,
    /// How often a heartbeat is sent, in minutes.
    pub(crate) heartbeat_min: Option<u16>,
}

/// How a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Standing {
    /// Events are delivered.
    Active,
    /// Nothing is sent until somebody resumes it.
    Suspended,
    /// It is over: somebody removed it, or it has failed too often.
    Ended,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Send what there is after [`Delivery::sent_to`], with a heartbeat if `heartbeat` says so.
    Send { heartbeat: bool },
    /// Wait for an event or a change, at most until this time.
    Wait { until_ms: Option<u64> },
    /// Nothing ever again.
    End,
}

/// What a failure led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is tried again at this time.
    Retry {
        at_ms: u64,
    },
    Suspended,
    Ended,
}

/// The state of a delivery. Times are milliseconds of a clock that only goes forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    standing: Standing,
    /// Everything up to this number has been delivered, or isn't wanted.
    sent_to: u64,
    /// The destination is to be told that events may be lost.
    owes_loss: bool,
    /// Failures in a row.
    failures: u32,
    retry_at_ms: Option<u64>,
    /// When the last heartbeat was due.
    beat_ms: Option<u64>,
    /// What the last attempt failed of.
    trouble: Option<String>,
}

impl Delivery {
    /// Delivers what comes after `sent_to`.
    pub(crate) const fn new(standing: Standing, sent_to: u64, owes_loss: bool) -> Self {
        Self {
            standing,
            sent_to,
            owes_loss,
            failures: 0,
            retry_at_ms: None,
            beat_ms: None,
            trouble: None,
        }
    }

    pub(crate) const fn standing(&self) -> Standing {
        self.standing
    }

    pub(crate) const fn sent_to(&self) -> u64 {
        self.sent_to
    }

    pub(crate) const fn owes_loss(&self) -> bool {
        self.owes_loss
    }

    /// What the last attempt failed of, if it did.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// What to do at `now_ms`, when `newest` is the number of the newest event.
    pub(crate) fn step(&mut self, now_ms: u64, newest: u64, rules: Rules) -> Step {
        let beat_at = self.next_beat(now_ms, rules);
        match self.standing {
            Standing::Ended => return Step::End,
            Standing::Suspended => return Step::Wait { until_ms: None },
            Standing::Active => {}
        }
        if let Some(at) = self.retry_at_ms.filter(|&at| now_ms < at) {
            return Step::Wait { until_ms: Some(at) };
        }
        let heartbeat = beat_at.is_some_and(|at| at <= now_ms);
        if heartbeat || newest > self.sent_to || self.owes_loss {
            return Step::Send { heartbeat };
        }
        Step::Wait { until_ms: beat_at }
    }

    /// When the next heartbeat is due. The first is due one interval after the delivery began.
    fn next_beat(&mut self, now_ms: u64, rules: Rules) -> Option<u64> {
        let Some(minutes) = rules.heartbeat_min else {
            self.beat_ms = None;
            return None;
        };
        let last = *self.beat_ms.get_or_insert(now_ms);
        Some(last + u64::from(minutes) * 60_000)
    }

    /// Events may be lost: the destination is told with the next payload.
    pub(crate) const fn note_loss(&mut self) {
        self.owes_loss = true;
    }

    /// The destination isn't to be told of a loss.
    pub(crate) const fn forgive_loss(&mut self) {
        self.owes_loss = false;
    }

    /// Nothing of what there was up to `to` is wanted.
    pub(crate) fn skip(&mut self, to: u64) {
        self.sent_to = self.sent_to.max(to);
    }

    /// The destination has everything up to `to`; with a heartbeat and the message of a loss, if those were sent.
    pub(crate) fn succeeded(&mut self, now_ms: u64, to: u64, heartbeat: bool, told_loss: bool) {
        self.skip(to);
        self.failures = 0;
        self.retry_at_ms = None;
        self.trouble = None;
        self.owes_loss &= !told_loss;
        if heartbeat {
            self.beat_ms = Some(now_ms);
        }
    }

    /// The destination didn't take it.
    pub(crate) fn failed(&mut self, now_ms: u64, rules: Rules, why: String) -> Verdict {
        self.trouble = Some(why);
        if self.standing != Standing::Active {
            return match self.standing {
                Standing::Ended => Verdict::Ended,
                _ => Verdict::Suspended,
            };
        }
        self.failures = self.failures.saturating_add(1);
        let interval_ms = u64::from(rules.interval_s) * 1000;
        let pause_ms = match rules.policy {
            RetryPolicy::TerminateAfterRetries if self.failures > rules.attempts => {
                self.standing = Standing::Ended;
                return Verdict::Ended;
            }
            RetryPolicy::SuspendRetries if self.failures > rules.attempts => {
                self.standing = Standing::Suspended;
                return Verdict::Suspended;
            }
            RetryPolicy::RetryForeverWithBackoff => {
                let doublings = (self.failures - 1).min(16);
                let longest_ms = (LONGEST_BACKOFF_S * 1000).max(interval_ms);
                (interval_ms << doublings).min(longest_ms)
            }
            _ => interval_ms,
        };
        let at_ms = now_ms + pause_ms;
        self.retry_at_ms = Some(at_ms);
        Verdict::Retry { at_ms }
    }

    /// Sends nothing until it is resumed.
    pub(crate) fn suspend(&mut self) {
        if self.standing == Standing::Active {
            self.standing = Standing::Suspended;
        }
    }

    /// Goes on, after the event number `after` if that is later than where it stopped. What was tried before doesn't
    /// count any more.
    pub(crate) fn resume(&mut self, after: u64) {
        if self.standing == Standing::Ended {
            return;
        }
        self.standing = Standing::Active;
        self.skip(after);
        self.failures = 0;
        self.retry_at_ms = None;
        self.beat_ms = None;
        self.trouble = None;
    }

    /// Sends nothing ever again.
    pub(crate) const fn end(&mut self) {
        self.standing = Standing::Ended;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn rules(policy: RetryPolicy) -> Rules {
        Rules {
            attempts: 3,
            interval_s: 30,
            policy,
            heartbeat_min: None,
        }
    }

    /// Fails until there is another verdict than a retry, or twenty times: the pauses in seconds, and how it ended.
    fn pauses(rules: Rules) -> (Vec<u64>, Option<Verdict>) {
        let mut delivery = Delivery::new(Standing::Active, 0, false);
        let (mut now_ms, mut pauses) = (5, Vec::new());
        for _ in 0..20 {
            assert_eq!(
                delivery.step(now_ms, 1, rules),
                Step::Send { heartbeat: false }
            );
            match delivery.failed(now_ms, rules, "refused".to_owned()) {
                Verdict::Retry { at_ms } => {
                    let early = delivery.step(at_ms - 1, 1, rules);
                    assert_eq!(
                        early,
                        Step::Wait {
                            until_ms: Some(at_ms)
                        }
                    );
                    pauses.push((at_ms - now_ms) / 1000);
                    now_ms = at_ms;
                }
                verdict => return (pauses, Some(verdict)),
            }
        }
        (pauses, None)
    }

    #[test]
    fn each_policy_repeats_as_often_as_it_says() {
        let ends = pauses(rules(RetryPolicy::TerminateAfterRetries));
        assert_eq!(ends, (vec![30, 30, 30], Some(Verdict::Ended)));
        let suspends = pauses(rules(RetryPolicy::SuspendRetries));
        assert_eq!(suspends, (vec![30, 30, 30], Some(Verdict::Suspended)));
        assert_eq!(
            pauses(rules(RetryPolicy::RetryForever)),
            (vec![30; 20], None)
        );
        let (backoff, end) = pauses(rules(RetryPolicy::RetryForeverWithBackoff));
        assert_eq!(backoff[..5], [30, 60, 120, 240, 480]);
        assert_eq!(backoff[19], LONGEST_BACKOFF_S);
        assert_eq!(end, None);
        let none = Rules {
            attempts: 0,
            ..rules(RetryPolicy::SuspendRetries)
        };
        assert_eq!(pauses(none), (vec![], Some(Verdict::Suspended)));
    }

    #[test]
    fn a_success_forgets_earlier_failures() {
        let rules = rules(RetryPolicy::SuspendRetries);
        let mut delivery = Delivery::new(Standing::Active, 0, true);
        for now_ms in [0, 30_000, 60_000] {
            delivery.failed(now_ms, rules, "refused".to_owned());
        }
        assert_eq!(delivery.trouble(), Some("refused"));
        delivery.succeeded(90_000, 7, false, true);
        assert_eq!(
            (delivery.sent_to(), delivery.trouble(), delivery.owes_loss()),
            (7, None, false)
        );
        assert_eq!(
            delivery.step(90_000, 7, rules),
            Step::Wait { until_ms: None }
        );
        let verdict = delivery.failed(90_000, rules, "refused".to_owned());
        assert_eq!(verdict, Verdict::Retry { at_ms: 120_000 });
    }

    #[test]
    fn a_suspended_delivery_waits_and_goes_on_where_it_is_told_to() {
        let rules = rules(RetryPolicy::RetryForever);
        let mut delivery = Delivery::new(Standing::Active, 4, false);
        delivery.suspend();
        assert_eq!(delivery.step(0, 9, rules), Step::Wait { until_ms: None });
        delivery.resume(2);
        assert_eq!(
            (delivery.sent_to(), delivery.step(0, 9, rules)),
            (4, Step::Send { heartbeat: false })
        );
        delivery.suspend();
        delivery.resume(9);
        assert_eq!(delivery.step(0, 9, rules), Step::Wait { until_ms: None });
        delivery.end();
        delivery.resume(0);
        assert_eq!(delivery.step(0, 99, rules), Step::End);
    }

    #[test]
    fn heartbeats_come_at_their_interval_and_a_failed_one_is_due_until_it_arrives() {
        let rules = Rules {
            heartbeat_min: Some(2),
            ..rules(RetryPolicy::RetryForever)
        };
        let mut delivery = Delivery::new(Standing::Active, 0, false);
        assert_eq!(
            delivery.step(1000, 0, rules),
            Step::Wait {
                until_ms: Some(121_000)
            }
        );
        assert_eq!(
            delivery.step(121_000, 0, rules),
            Step::Send { heartbeat: true }
        );
        delivery.failed(121_000, rules, "refused".to_owned());
        assert_eq!(
            delivery.step(122_000, 0, rules),
            Step::Wait {
                until_ms: Some(151_000)
            }
        );
        assert_eq!(
            delivery.step(151_000, 0, rules),
            Step::Send { heartbeat: true }
        );
        delivery.succeeded(151_000, 0, true, false);
        assert_eq!(
            delivery.step(151_000, 0, rules),
            Step::Wait {
                until_ms: Some(271_000)
            }
        );
    }
}
