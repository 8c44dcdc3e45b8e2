//! What becomes of a session: it opens, answers, fails to open, is lost, closes.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use hardware::Identity;
use ipmi::console::{Event, Ignored, LoginFailure, Policy, Session, SessionLost};
use ipmi::number::CipherSuiteId;
use ipmi::quirk::{Quirk, Quirks};
use ipmi::time::Instant;

use super::{Context, InFlight, Lacks, Phase, Round, Setup, Slot};
use crate::counters::Counters;
use crate::memory::OpenSession;
use crate::schedule::Trouble;

/// After a lost session the next one is opened within this time: a BMC that restarted is back soon, and a rack of
/// them should not come back in one burst.
const REOPEN_WITHIN: Duration = Duration::from_millis(1_000);

/// Why a BMC is told as down that answers.
const NO_LOGIN: &str =
    "the BMC answers, but no log-in comes to its end; packets are lost, or it hangs";

/// A pause before a session is opened anew, different for each.
pub(super) fn reopen_pause(cx: &mut Context) -> Duration {
    let within = u64::try_from(REOPEN_WITHIN.as_nanos()).unwrap_or(0);
    Duration::from_nanos(cx.jitter.below(within))
}

/// The session of a slot, with what is known of its BMC.
pub(super) fn new(setup: &Setup<'_>, proven: Option<CipherSuiteId>) -> Session {
    let mut session = Session::new(Arc::clone(setup.login), Arc::clone(setup.policy));
    let remembered = setup.remembered.as_deref();
    session.set_quirks(
        match remembered.is_some_and(|remembered| remembered.known.is_unsteady) {
            true => setup.quirks.with(Quirk::GuidUnsteady),
            false => setup.quirks,
        },
    );
    session.set_gap(setup.gap_ms);
    session.set_proven_suite(proven);
    session
}

impl Slot {
    /// A session with the present log-in; what is known of the BMC's deviations stays known.
    pub(super) fn renew_session(&mut self, policy: &Arc<Policy>) {
        let mut session = Session::new(Arc::clone(&self.rare.login), Arc::clone(policy));
        session.set_quirks(self.session.quirks());
        session.inherit_gap(&self.session);
        self.session = session;
    }

    /// Remembers what has shown of the BMC's deviations, tells it once, and shows it with the node.
    pub(super) fn note_quirks(&mut self, cx: &mut Context, now: Instant, noticed: Quirks) {
        let known = self.session.quirks().and(noticed);
        self.session.set_quirks(known);
        let told = &self.page.node().identity.deviations;
        let names = known.iter().map(Quirk::name);
        if names.eq(told.iter().map(|told| &**told)) {
            return;
        }
        let is_new = |quirk: &Quirk| !told.iter().any(|told| **told == *quirk.name());
        let new: Quirks = known.iter().filter(is_new).collect();
        let (node, address) = (&self.page.node().id, &self.address);
        if !new.is_empty() && cx.news.deviates(now) {
            tracing::info!(%node, %address, quirks = %new, "BMC deviates from IPMI: dealt with");
        }
        let node = self.page.node_mut(&mut cx.spares);
        let mut identity = (*node.identity).clone();
        identity.deviations = known.iter().map(|quirk| quirk.name().into()).collect();
        cx.texts.identity(&mut identity);
        node.identity = Arc::new(identity);
    }

    /// Keeps what was told of the BMC's deviations in an identity that was read anew, and the MAC address by which one is known that
    /// does not tell it just now.
    pub(super) fn keep_told(&self, identity: &mut Arc<Identity>) {
        let Some(identity) = Arc::get_mut(identity) else {
            return;
        };
        let before = &self.page.node().identity;
        identity.deviations.clone_from(&before.deviations);
        let mac = before.network.and_then(|network| network.mac);
        if mac.is_some() && self.rare.known.is_some_and(|known| known.is_unsteady) {
            let network = identity.network.get_or_insert_default();
            network.mac = network.mac.or(mac);
        }
    }

    /// Takes in what came of a datagram or of a time-out.
    pub(super) fn event(&mut self, cx: &mut Context, now: Instant, event: Event<'_>) {
        match event {
            // A keep-alive was answered, perhaps, and something has waited for that.
            Event::None => self.proceed(cx, now),
            // Nothing here starts a payload.
            Event::Payload(..) => {}
            Event::Established => {
                cx.counters.sessions_opened += 1;
                self.established(cx, now);
                self.proceed(cx, now);
            }
            Event::Response(response) => {
                self.doubts = false;
                if self.silent_since.take().is_some() && self.round.contacted {
                    self.up(cx, now);
                }
                let after = now.since(self.sent_at);
                let lane = self.lane();
                self.takes_long = cx.gates.takes_long(after);
                if self.lane() != lane {
                    self.refile(cx);
                }
                if self.resent {
                    self.loss.answered_late();
                    cx.gates.answered_late();
                } else {
                    self.loss.answered();
                    cx.round_trips.add(after);
                    cx.gates.answered(lane, after);
                }
                self.answered(cx, now, Some((response.completion, response.data)));
                self.proceed(cx, now);
            }
            Event::RequestTimedOut(_) => {
                cx.counters.timeouts += 1;
                self.doubt();
                self.answered(cx, now, None);
                self.proceed(cx, now);
            }
            Event::LoginFailed(failure) => self.login_failed(cx, now, failure),
            Event::SessionLost(lost) => self.session_lost(cx, now, lost),
            Event::Closed => {
                self.phase = Phase::Closed;
                self.remember_session(cx, None);
            }
        }
    }

    fn established(&mut self, cx: &mut Context, now: Instant) {
        self.leave_all(cx);
        self.silent_since = None;
        self.session.set_policy(Arc::clone(&cx.policy));
        self.phase = Phase::Up;
        self.rare.breaker.succeeded();
        self.note_quirks(cx, now, Quirks::NONE);
        self.in_flight = InFlight::Nothing;
        self.doubts = false;
        self.forget_mutes();
        self.lacks = Lacks::default();
        self.round = Round::default();
        self.talk = None;
        self.rare.contact_at = now;
        self.remember_session(cx, self.open_session(cx));
    }

    /// Its session, as the next run is to know it; `None` where that run could not tell it from others.
    pub(super) fn open_session(&self, cx: &Context) -> Option<OpenSession> {
        let id = NonZeroU32::new(self.session.bmc_session_id())?;
        (cx.port != 0).then_some(OpenSession { id, port: cx.port })
    }

    /// Sees to it that the next run closes this session, where this run comes to no end in order. One that an earlier run left
    /// open stays remembered until it is seen to.
    fn remember_session(&self, cx: &Context, session: Option<OpenSession>) {
        if let Some(memory) = &cx.memory
            && self.rare.left_open.is_none()
        {
            memory.remember_session(&self.page.node().id, session);
        }
    }

    fn login_failed(&mut self, cx: &mut Context, now: Instant, failure: LoginFailure) {
        if self.phase == Phase::Closing {
            self.phase = Phase::Closed;
            return;
        }
        let trouble = match failure {
            LoginFailure::NoAnswer if self.rare.heard => Trouble::Lossy,
            LoginFailure::NoAnswer | LoginFailure::Resources => Trouble::Silent,
            _ => Trouble::Refused,
        };
        match trouble {
            Trouble::Silent if failure == LoginFailure::Resources => {
                cx.counters.connects_refused += 1;
            }
            Trouble::Silent => cx.counters.connects_unanswered += 1,
            Trouble::Lossy => cx.counters.connects_unfinished += 1,
            Trouble::Refused => cx.counters.connects_refused += 1,
        }
        let reason = match failure {
            LoginFailure::WrongPassword
            | LoginFailure::UnknownUser
            | LoginFailure::PrivilegeRefused => {
                format!("{failure} (user {:?})", self.rare.login.user_name())
            }
            LoginFailure::NoAnswer if self.rare.heard => NO_LOGIN.to_owned(),
            _ => failure.to_string(),
        };
        self.leave_all(cx);
        let pause = self.rare.breaker.failed(trouble, &mut cx.jitter);
        self.phase = Phase::Down {
            retry_at: now + pause,
        };
        if failure != LoginFailure::NoAnswer {
            self.silent_since = None;
        }
        if failure != LoginFailure::NoAnswer || self.is_given_up(now) {
            self.down(cx, now, &reason);
        }
        // It was refused with a login that is not ours any more.
        if self.rare.login_is_new {
            self.try_again_soon(cx, now);
        }
    }

    fn session_lost(&mut self, cx: &mut Context, now: Instant, lost: SessionLost) {
        // One that we are closing is counted as closed already.
        cx.counters.sessions_lost += u64::from(self.phase != Phase::Closing);
        cx.counters.timeouts += u64::from(lost.request.is_some());
        self.in_flight = InFlight::Nothing;
        self.talk = None;
        self.leave_all(cx);
        if let Some(work) = &mut self.work {
            cx.counters.jobs_failed += work.session_lost(now);
        }
        if self.phase == Phase::Closing {
            self.phase = Phase::Closed;
            return;
        }
        self.come_back(cx, now);
    }

    /// Gives up a session that the BMC has ended, or is about to end because it restarts, and opens another: waiting for
    /// answers in it would be in vain.
    pub(super) fn reopen(&mut self, cx: &mut Context, now: Instant) {
        cx.counters.sessions_left += 1;
        self.session.forget();
        self.in_flight = InFlight::Nothing;
        self.talk = None;
        self.silent_since = None;
        self.leave_all(cx);
        if let Some(work) = &mut self.work {
            cx.counters.jobs_failed += work.session_lost(now);
        }
        self.come_back(cx, now);
    }

    fn come_back(&mut self, cx: &mut Context, now: Instant) {
        self.rare.no_session_since = now;
        self.phase = Phase::Down {
            retry_at: now + reopen_pause(cx),
        };
        // Not down yet: a BMC that restarted, or a burst of loss, and it is back with the next session. Its readings are old
        // in any case.
        self.wake = None;
        self.mark_stale(cx);
        self.publish(cx);
    }
}

/// The figure for a datagram that was ignored for this reason.
pub(super) const fn dropped(counters: &mut Counters, ignored: Ignored) -> &mut u64 {
    match ignored {
        Ignored::Unparsable(_) => &mut counters.dropped_unparsable,
        Ignored::NotForUs => &mut counters.dropped_unknown_session,
        Ignored::Unprotected | Ignored::BadIntegrity | Ignored::BadPadding => {
            &mut counters.dropped_bad_integrity
        }
        Ignored::Duplicate => &mut counters.dropped_duplicate,
        Ignored::OutOfWindow | Ignored::KeyStreamLost => &mut counters.dropped_out_of_window,
        Ignored::Late => &mut counters.dropped_late,
        Ignored::OtherPayload => &mut counters.dropped_unexpected,
    }
}
