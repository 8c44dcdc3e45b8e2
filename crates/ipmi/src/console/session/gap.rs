//! A gap between a BMC's answer and what it is sent next: some drop what comes sooner, or hang over it.
//!
//! Log-in, requests, repetitions, keep-alives and Close Session all keep it; serial over LAN, whose packets are no requests, does not. The
//! gap begins with an answer, also with one that comes late or twice; with a datagram of ours, so that two never go out close
//! together; and with the end of the wait for an answer, which may have been given and lost meanwhile. So a repetition comes
//! later by the gap than the [`Policy`](crate::console::Policy) says. While logging in the gap is a second at most, since BMCs forget a
//! session that isn't set up within seconds.

use core::time::Duration;

use super::{Phase, Session};
use crate::console::event::{Event, Ignored};
use crate::quirk::{GAP_MS, Quirk};
use crate::time::Instant;

/// The longest gap while logging in: between Open Session and RAKP Message 3 there are two, and some BMCs forget the session after 5 s.
const LOGIN_GAP_MAX: Duration = Duration::from_secs(1);

impl Session {
    /// Leaves the BMC alone for so many milliseconds after each answer, from the next one on; 0 = for as long as its quirks ask for
    /// ([`GAP_MS`] with [`Quirk::NeedsGap`], else not at all).
    pub const fn set_gap(&mut self, gap_ms: u16) {
        self.gap_ms = gap_ms;
    }

    /// How long the BMC is left alone after each answer.
    #[must_use]
    pub const fn gap(&self) -> Duration {
        let ms = match self.gap_ms {
            0 if self.quirks.has(Quirk::NeedsGap) => GAP_MS,
            ms => ms,
        };
        Duration::from_millis(ms as u64)
    }

    /// Goes on with the gap of an earlier session with the same BMC, and with the rest that is left of it.
    pub const fn inherit_gap(&mut self, earlier: &Self) {
        self.gap_ms = earlier.gap_ms;
        self.free_at = earlier.free_at;
    }

    /// Until when the BMC is left alone; `None` where it may be sent something now.
    #[must_use]
    pub fn rests_until(&self, now: Instant) -> Option<Instant> {
        (self.free_at > now && !self.gap().is_zero()).then_some(self.free_at)
    }

    /// When the BMC was heard last, or waited for in vain; now, where it needs no gap.
    #[must_use]
    pub fn rests_since(&self, now: Instant) -> Instant {
        let gap = self.gap();
        match gap.is_zero() {
            true => now,
            false => Instant::from_nanos(
                self.free_at
                    .as_nanos()
                    .saturating_sub(gap.as_nanos() as u64),
            )
            .min(now),
        }
    }

    /// Whether something is to be sent when the BMC was left alone for long enough: at
    /// [`poll_timeout`](Self::poll_timeout), which is no time-out then.
    #[must_use]
    pub const fn holds_back(&self) -> bool {
        self.send && !self.gap().is_zero()
    }

    /// The gap begins.
    pub(super) fn rest(&mut self, now: Instant) {
        let gap = match self.phase {
            Phase::LoggingIn(_) => self.gap().min(LOGIN_GAP_MAX),
            _ => self.gap(),
        };
        if !gap.is_zero() {
            self.free_at = now + gap;
        }
    }

    /// The gap begins where a datagram was an answer.
    pub(super) fn rest_after(&mut self, now: Instant, outcome: &Result<Event<'_>, Ignored>) {
        if matches!(outcome, Ok(_) | Err(Ignored::Late | Ignored::Duplicate)) {
            self.rest(now);
        }
    }
}
