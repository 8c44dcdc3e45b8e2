//! What is made of a BMC's silence: whether it is there, and how long to wait until it is told as down.
//!
//! Where nothing is lost on the way, eleven sendings without an answer leave no doubt. Where three of ten datagrams are lost each way, half
//! of all sendings stay unanswered, and eleven in a row happen to a hundred such BMCs every quarter of a minute. So each BMC's
//! share of late answers is followed, and one whose share is high is given three times as long, and twice as many commands before its
//! session counts as lost; so is every BMC while more is asked of all together than can be answered. Any answer ends the silence, also
//! one outside a session.

use std::sync::Arc;
use std::time::Duration;

use hardware::Link;
use ipmi::console::{LoginFailure, Policy};
use ipmi::time::Instant;

use super::{Context, InFlight, Phase, Slot};
use crate::news;

/// A BMC that has not answered for so long, although it was asked eleven times, is told as down. Where a tenth of all datagrams
/// is lost each way that happens by chance once in 80 million commands. With a policy that takes longer for one command, it is
/// as long as that, and [`PROBE_SENDINGS`] more.
const DOWN_AFTER: Duration = Duration::from_secs(10);

/// A BMC may have no answer to one command: it has the time of so many sendings after that to answer the probe.
const PROBE_SENDINGS: u8 = 2;

/// How often it was repeated by then what it was asked.
const SENDINGS: u32 = 10;

/// So much longer it may be silent where much is lost: thirty sendings in a row stay unanswered once in 500 million commands at three tenths
/// each way.
const PATIENCE: u32 = 3;

/// As much longer is a session held there.
const SESSION_PATIENCE: u8 = 2;

/// A BMC that answers but can't be logged in to for so long is told as down.
const LOGIN_WITHIN: Duration = Duration::from_secs(60);

/// So many messages are a log-in that begins anew once: before each, a BMC that needs a gap is left alone.
const LOGIN_MESSAGES: u32 = 12;

/// How long a BMC may owe an answer under this policy before it is told as down, where little is lost.
pub(crate) fn down_after(policy: &Policy) -> Duration {
    let waits = |sendings: u8| -> Duration { (1..=sendings).map(|n| policy.wait(n)).sum() };
    let command = waits(policy.attempts.max(1));
    DOWN_AFTER.max(command + waits(PROBE_SENDINGS))
}

/// The policy for sessions with BMCs of whose answers many are lost.
pub(crate) fn patient(policy: &Policy) -> Policy {
    Policy {
        lost_after: policy.lost_after.max(1).saturating_mul(SESSION_PATIENCE),
        ..*policy
    }
}

/// The share of a BMC's last answers that came only after a repetition, in 65,535ths. The newest counts a sixty-fourth. It is 0 as
/// long as nothing was heard.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Loss(u16);

impl Loss {
    /// From a quarter on it is much: as where an eighth is lost each way.
    const MUCH: u16 = u16::MAX / 4;

    /// What is thought of a BMC of which no more is known than that it is there.
    const UNKNOWN: u16 = u16::MAX / 2;

    /// It is there.
    const fn heard(&mut self) {
        if self.0 == 0 {
            self.0 = Self::UNKNOWN;
        }
    }

    /// An answer came to the first sending.
    pub(super) const fn answered(&mut self) {
        self.0 -= self.0 >> 6;
    }

    /// An answer came, but only after a repetition.
    pub(super) const fn answered_late(&mut self) {
        self.0 += (u16::MAX - self.0) >> 6;
    }

    const fn is_much(self) -> bool {
        self.0 >= Self::MUCH
    }
}

impl Slot {
    /// Publishes that the BMC can't be talked to, where that is news.
    pub(crate) fn down(&mut self, cx: &mut Context, now: Instant, reason: &str) {
        self.wake = None;
        self.read_since = Instant::ORIGIN;
        if let Some(work) = &mut self.work {
            cx.counters.jobs_failed += work.unreachable(reason);
        }
        let since_ms = match &self.page.node().link {
            Link::Down { reason: known, .. } if **known == *reason => return,
            Link::Down { since_ms, .. } => *since_ms,
            Link::Connecting | Link::Up => cx.unix_ms(now),
        };
        if cx.news.down(now) {
            tracing::warn!(target: news::TARGET, node = %self.page.node().id, address = %self.address, reason, "BMC down");
        }
        let address = self.address().ip();
        let node = self.page.node_mut(&mut cx.spares);
        node.address = Some(address);
        node.link = Link::Down {
            reason: reason.into(),
            since_ms,
        };
        self.mark_stale(cx);
        self.publish(cx);
    }

    /// The BMC answers and is known.
    pub(super) fn up(&mut self, cx: &mut Context, now: Instant) {
        let (id, address) = (&self.page.node().id, &self.address);
        match self.page.node().link {
            Link::Up => return,
            Link::Connecting => tracing::debug!(node = %id, %address, "BMC up"),
            Link::Down { .. } if cx.news.up(now) => {
                tracing::info!(target: news::TARGET, node = %id, %address, "BMC up again");
            }
            Link::Down { .. } => {}
        }
        self.readings_begin(now);
        let address = self.address().ip();
        let node = self.page.node_mut(&mut cx.spares);
        (node.address, node.link) = (Some(address), Link::Up);
    }

    /// How long it may be silent before it is told as down. Of a log-in more answers stay out than of anything else: where one message
    /// is lost, all begins again.
    fn patience(&self, cx: &Context) -> Duration {
        let logs_in = self.phase != Phase::Up && self.rare.heard;
        // Each repetition comes later by the gap.
        let once = cx.down_after + self.session.gap() * SENDINGS;
        match logs_in || self.loss.is_much() || cx.gates.are_overloaded() {
            true => once * PATIENCE,
            false => once,
        }
    }

    /// When a BMC that owes an answer is to be told as down.
    pub(super) fn silent_until(&self, cx: &Context) -> Option<Instant> {
        let since = self.silent_since?;
        (!self.is_told_down()).then(|| since + self.patience(cx))
    }

    fn is_told_down(&self) -> bool {
        matches!(self.page.node().link, Link::Down { .. })
    }

    /// It was silent for too long.
    pub(super) fn tell_silence(&mut self, cx: &mut Context, now: Instant) {
        let reason = match self.page.node().link {
            Link::Connecting => LoginFailure::NoAnswer.to_string(),
            _ => {
                let since = self.silent_since.unwrap_or(now);
                format!("no answer for {} s", now.since(since).as_secs())
            }
        };
        self.down(cx, now, &reason);
    }

    /// Whether a log-in that stayed without its end is told: of a BMC that is down in any case, or has answered for too long without
    /// a session coming of it. Silence is told when it has lasted ([`Self::silent_until`]).
    pub(super) fn is_given_up(&self, now: Instant) -> bool {
        let lasted = now.since(self.rare.no_session_since);
        let within = LOGIN_WITHIN + self.session.gap() * LOGIN_MESSAGES;
        self.is_told_down() || self.rare.heard && lasted >= within
    }

    /// An answer did not come in time: the BMC waits for it outside of every gate. Where answers are late everywhere it
    /// stays inside for the first repetition: another in its place would wait as long.
    pub(super) fn unanswered(&mut self, cx: &mut Context, now: Instant) {
        if self.resent || !cx.gates.are_overloaded() {
            self.leave_all(cx);
        }
        let asked = self.in_flight != InFlight::Nothing && self.sent;
        let connecting = self.phase == Phase::Connecting;
        self.resent = asked || connecting;
        self.takes_long |= self.resent && cx.gates.takes_long(now.since(self.sent_at));
        self.refile(cx);
        if self.resent {
            self.silent_since.get_or_insert(self.sent_at);
        } else if self.session.keeps_alive() {
            self.silent_since.get_or_insert(now);
        }
        if self.phase == Phase::Up {
            let policy = match self.loss.is_much() || cx.gates.are_overloaded() {
                true => &cx.patient_policy,
                false => &cx.policy,
            };
            self.session.set_policy(Arc::clone(policy));
        }
    }

    /// It said something that nobody waits for any more: a BMC that takes longer than one datagram is waited for is found by log-ins, not
    /// by single datagrams.
    pub(super) fn came_late(&mut self, cx: &mut Context, now: Instant) {
        if matches!(self.phase, Phase::Down { .. }) && self.rare.breaker.is_probing() {
            self.try_again_soon(cx, now);
        }
    }

    /// It said something that is no answer to a command of ours: it is there, and worth more than a probe.
    pub(super) fn heard(&mut self, cx: &mut Context, now: Instant) {
        let was_silent = self.silent_since.take().is_some();
        match self.phase {
            Phase::Connecting => {
                self.sent_at = now;
                self.loss.heard();
                if !std::mem::replace(&mut self.rare.heard, true) {
                    self.session.set_policy(Arc::clone(&cx.policy));
                }
            }
            Phase::Up if was_silent && self.round.contacted => self.up(cx, now),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether much is lost, as far as is known after so many answers of which this share in a hundred is late.
    fn is_much(late_percent: u32, answers: u32) -> bool {
        let mut loss = Loss::default();
        assert!(!loss.is_much());
        loss.heard();
        assert!(loss.is_much());
        for answer in 0..answers {
            // Spread evenly.
            match (answer + 1) * late_percent / 100 > answer * late_percent / 100 {
                true => loss.answered_late(),
                false => loss.answered(),
            }
        }
        loss.is_much()
    }

    #[test]
    fn much_is_lost_where_half_of_the_answers_are_late_and_not_where_a_fifth_is() {
        for answers in [200, 1_000, 1_003] {
            assert!(is_much(51, answers), "three tenths each way, {answers}");
            assert!(!is_much(19, answers), "a tenth each way, {answers}");
            assert!(!is_much(0, answers));
        }
        let mut loss = Loss(u16::MAX);
        (0..100).for_each(|_| loss.answered());
        assert!(!loss.is_much(), "soon forgotten");
    }

    #[test]
    fn a_policy_that_takes_longer_for_a_command_may_be_silent_as_long_and_a_probe_more() {
        assert_eq!(down_after(&Policy::default()), DOWN_AFTER);
        let slow = Policy {
            attempts: 10,
            ..Policy::default()
        };
        let command: Duration = (1..=10).map(|sending| slow.wait(sending)).sum();
        assert_eq!(command, Duration::from_millis(31_500));
        assert_eq!(down_after(&slow), command + slow.wait(1) + slow.wait(2));
    }
}
