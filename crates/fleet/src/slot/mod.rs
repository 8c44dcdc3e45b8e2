//! One BMC in the engine: its session, what is being asked of it, and what is known of it.
//!
//! At most one command is in flight. Who may ask next, when the BMC is free: operator commands first; then the
//! engine's own talks (first contact, reading the event log) and the round over the sensors by turns, so that a long
//! log does not keep the sensors from being read. A round takes its next step as soon as the answer
//! to the one before is in; the rounds themselves keep a pace ([`Pace`]).

mod ask;
mod carry;
mod change;
mod gap;
mod mute;
mod pass;
mod places;
mod rare;
mod round;
mod session;
mod silence;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use hardware::{Link, NodeId, SensorIntervals};
use ipmi::console::{Event, Login, Policy, Session, State};
use ipmi::entropy::Entropy;
use ipmi::memory::head_of;
use ipmi::quirk::Quirks;
use ipmi::time::Instant;

use crate::classes::Classes;
use crate::contact::Finding;
use crate::counters::Counters;
use crate::gate::{Gates, Stage};
use crate::memory::{Memory, Remembered};
use crate::news::News;
use crate::peers::Address;
use crate::plan::{Plan, Plans};
use crate::publish::{Board, Page, Spares, Spot};
use crate::round_trip::RoundTrips;
use crate::schedule::{Jitter, Pace};
use crate::share::Texts;
use crate::talk::Talk;
use crate::target::Treatment;
use crate::work::{Job, Work};
use change::Who;
use rare::Rare;
use silence::Loss;

pub(crate) use carry::Carried;
pub(crate) use silence::{down_after, patient};

/// Bytes of what is rarely needed that are fetched beforehand: more would take longer than is won.
const RARE_HEAD: usize = 64;

/// Bits of a console session ID that hold the slot's number; the others hold its generation.
const SLOT_BITS: u32 = 20;
const GENERATION_MAX: u16 = (1 << (32 - SLOT_BITS)) - 1;

/// The number of the slot whose session a console session ID names; whether it has that session now is another question.
pub(crate) const fn slot_in(session_id: u32) -> u32 {
    session_id & ((1 << SLOT_BITS) - 1)
}

/// What all slots of an engine share.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) poll_interval_ms: u32,
    pub(crate) sensor_intervals: SensorIntervals,
    /// Those that were given to a BMC last: equal ones are shared.
    pub(crate) intervals: Arc<SensorIntervals>,
    pub(crate) slow_rounds: u32,
    pub(crate) slots: u32,
    /// The UDP port of the engine's socket; 0 = not told.
    pub(crate) port: u16,
    pub(crate) policy: Arc<Policy>,
    /// How long a BMC may owe an answer before it is told as down, where little is lost on the way.
    pub(crate) down_after: Duration,
    /// As `policy`, but each message is sent only once: until the first answer.
    pub(crate) probe_policy: Arc<Policy>,
    /// As `policy`, for sessions over a way on which much is lost.
    pub(crate) patient_policy: Arc<Policy>,
    pub(crate) board: Arc<Board>,
    pub(crate) plans: Arc<Plans>,
    pub(crate) memory: Option<Arc<Memory>>,
    pub(crate) texts: Texts,
    pub(crate) spares: Spares,
    pub(crate) gates: Gates,
    pub(crate) round_trips: RoundTrips,
    pub(crate) counters: Counters,
    pub(crate) news: News,
    pub(crate) hurried_until: Instant,
    pub(crate) jitter: Jitter,
    /// Milliseconds since the Unix epoch at [`Instant::ORIGIN`].
    pub(crate) unix_ms_at_origin: u64,
}

impl Context {
    pub(crate) fn unix_ms(&self, now: Instant) -> u64 {
        self.unix_ms_at_origin + now.as_nanos() / 1_000_000
    }

    /// The pace of a BMC that is treated so.
    pub(crate) fn pacing(&mut self, treatment: &Treatment) -> Pacing {
        let poll_interval_ms = treatment.poll_interval_ms.unwrap_or(self.poll_interval_ms);
        let intervals = treatment
            .sensor_intervals
            .or(self.sensor_intervals)
            .or(SensorIntervals::all(poll_interval_ms));
        if *self.intervals != intervals {
            self.intervals = Arc::new(intervals);
        }
        Pacing {
            poll_interval_ms,
            intervals: Arc::clone(&self.intervals),
        }
    }
}

/// How often a BMC is asked for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pacing {
    /// The interval of its rounds.
    poll_interval_ms: u32,
    /// That of every class of sensors.
    intervals: Arc<SensorIntervals>,
}

/// Where a slot stands with its BMC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No session; the next attempt is due then.
    Down {
        retry_at: Instant,
    },
    /// The attempt is due and waits for its place.
    Queued,
    Connecting,
    Up,
    Closing,
    Closed,
}

/// Whose question is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InFlight {
    Nothing,
    Job,
    /// For an operator command: who it is.
    Identity,
    Talk,
    Chassis,
    /// Index in the plan's items.
    Sensor(u16),
    LogInfo,
    Boot,
    Records,
    PowerLimit,
    /// Whether the BMC is there.
    Probe,
}

/// Commands of the round that the BMC does not know; asked no more until the next session.
#[derive(Clone, Copy, Debug, Default)]
struct Lacks {
    chassis: bool,
    log: bool,
    boot: bool,
    power_limit: bool,
    /// Some sensors stayed silent: `Rare::mutes`.
    sensors: bool,
}

/// A round over all sensors but those that have [passes](pass::Pass) of their own.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    /// The step to be taken next; `None` between rounds. 0 = chassis status, then the sensors, then what is slow.
    step: Option<u16>,
    /// How many rounds there were in this session.
    number: u32,
    /// This session has made its contact: rounds may run.
    contacted: bool,
    /// The next round does not wait for its pace.
    at_once: bool,
    /// Some reading was had in it: the sensor has a value, or none now.
    brought: bool,
    /// Whether this session is with the BMC that is known.
    who: Who,
    /// Of which classes of sensors it is: all, unless some have intervals of their own.
    classes: Classes,
}

/// One BMC.
#[derive(Debug)]
pub(crate) struct Slot {
    index: u32,
    address: Address,
    generation: u16,
    /// Its BMC was removed: when the session is closed, the slot is vacant.
    leaves: bool,
    phase: Phase,
    in_flight: InFlight,
    /// The last question was a talk's: the round has the next turn.
    talked: bool,
    /// The command in flight was sent once already, at `sent_at`.
    sent: bool,
    /// It had to be sent again.
    resent: bool,
    sent_at: Instant,
    /// The last command stayed unanswered: whether the BMC is there is asked next.
    doubts: bool,
    /// The BMC owes an answer since then, although it was asked again.
    silent_since: Option<Instant>,
    loss: Loss,
    /// Its last answer took far longer than those of others: see [`Gates::takes_long`].
    takes_long: bool,
    /// At which gates it waits, and which it has passed: bits of [`Stage`].
    waits: u8,
    inside: u8,
    lacks: Lacks,
    round: Round,
    /// See [`Self::read_since`]; the origin of time = `None`. It is looked at for all BMCs again and again: it stands by itself.
    read_since: Instant,
    /// From when on readings are late unless some come before.
    late_from: Instant,
    pace: Pace,
    /// When the slot has something to do by itself, beside the session's timer.
    wake: Option<Instant>,
    session: Session,
    page: Page,
    plan: Option<Arc<Plan>>,
    talk: Option<Box<Talk<Finding>>>,
    work: Option<Box<Work>>,
    rare: Box<Rare>,
}

/// What is left of a BMC in the slot that it had.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trace {
    /// Of its last session: answers to that find nobody.
    pub(crate) generation: u16,
    /// At which gates the slot still waits: bits of [`Stage`].
    pub(crate) waits: u8,
}

/// How a slot is made.
#[derive(Debug)]
pub(crate) struct Setup<'a> {
    pub(crate) index: u32,
    pub(crate) trace: Trace,
    pub(crate) address: SocketAddr,
    pub(crate) login: &'a Arc<Login>,
    pub(crate) policy: &'a Arc<Policy>,
    pub(crate) quirks: Quirks,
    pub(crate) gap_ms: u16,
    pub(crate) pacing: Pacing,
    pub(crate) spot: Arc<Spot>,
    pub(crate) remembered: Option<Box<Remembered>>,
    pub(crate) connect_at: Instant,
}

impl Slot {
    /// Gives what the next answer needs and does not lie in the slot: see [`Engine::expect`](crate::Engine::expect).
    pub(crate) fn expect(&self, fetch: impl Fn(Range<*const u8>)) {
        fetch(head_of(&*self.rare, RARE_HEAD));
        self.page.expect(fetch);
    }

    pub(crate) fn new(setup: Setup<'_>) -> Self {
        let remembered = setup.remembered.as_deref();
        let session = session::new(&setup, remembered.and_then(|remembered| remembered.suite));
        let rare = Box::new(Rare::new(&setup));
        Self {
            index: setup.index,
            address: setup.address.into(),
            generation: setup.trace.generation,
            leaves: false,
            phase: Phase::Down {
                retry_at: setup.connect_at,
            },
            in_flight: InFlight::Nothing,
            talked: false,
            sent: false,
            resent: false,
            sent_at: setup.connect_at,
            doubts: false,
            silent_since: None,
            loss: Loss::default(),
            takes_long: false,
            waits: setup.trace.waits,
            inside: 0,
            lacks: Lacks::default(),
            round: Round::default(),
            read_since: Instant::ORIGIN,
            late_from: Instant::ORIGIN,
            pace: Pace::new(setup.connect_at, Duration::from_secs(1), 0, 1),
            wake: None,
            session,
            page: Page::new(setup.spot),
            plan: remembered.map(|remembered| Arc::clone(&remembered.plan)),
            talk: None,
            work: None,
            rare,
        }
    }

    /// The name of its node.
    pub(crate) fn node(&self) -> &NodeId {
        &self.page.node().id
    }

    /// Where its BMC listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address.get()
    }

    /// Whether a datagram from there is from its BMC.
    pub(crate) fn is_peer(&self, from: SocketAddr) -> bool {
        self.address.is_peer(from)
    }

    /// The console session ID of its present session.
    pub(crate) const fn session_id(&self) -> u32 {
        self.session.console_session_id()
    }

    /// When it wants to be called next.
    pub(crate) fn deadline(&self, cx: &Context) -> Option<Instant> {
        let retry = match self.phase {
            Phase::Down { retry_at } => Some(retry_at),
            _ => None,
        };
        let job = self.work.as_ref().and_then(|work| work.deadline());
        let session = self.session.poll_timeout();
        [session, self.wake, retry, job, self.silent_until(cx)]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether its session is closed for good.
    pub(crate) fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Its BMC was removed: once closed, it is gone.
    pub(crate) const fn leave_for_good(&mut self) {
        self.leaves = true;
    }

    /// Whether its BMC was removed and the session is closed.
    pub(crate) fn is_gone(&self) -> bool {
        self.leaves && self.phase == Phase::Closed
    }

    /// When the last round of its BMC began that brought readings, or when that began to answer: of classes of sensors with intervals
    /// of their own, whichever was longest ago. `None` where it does not answer, or nothing is to be read.
    pub(crate) fn read_since(&self) -> Option<Instant> {
        (self.read_since != Instant::ORIGIN).then_some(self.read_since)
    }

    /// Whether some class of sensors was not read for twice its interval, though its BMC answers.
    pub(crate) fn is_late(&self, now: Instant) -> bool {
        self.read_since != Instant::ORIGIN && self.late_from <= now
    }

    /// What the slot's next BMC must know.
    pub(crate) const fn trace(&self) -> Trace {
        Trace {
            generation: self.generation,
            waits: self.waits,
        }
    }

    /// Takes a datagram from its BMC.
    pub(crate) fn datagram(&mut self, cx: &mut Context, now: Instant, datagram: &mut [u8]) {
        match self.session.handle_datagram(now, datagram) {
            Ok(event) => {
                if !matches!(event, Event::Response(_)) {
                    self.heard(cx, now);
                }
                self.event(cx, now, event);
            }
            Err(ignored) => {
                *session::dropped(&mut cx.counters, ignored) += 1;
                self.came_late(cx, now);
            }
        }
    }

    /// The interval of its rounds.
    fn poll_interval(&self) -> Duration {
        Duration::from_millis(self.rare.pacing.poll_interval_ms.into())
    }

    /// Does what is due.
    pub(crate) fn timeout(&mut self, cx: &mut Context, now: Instant) {
        // What waits for the gap to end is sent without any of this.
        let is_timeout = !self.session.holds_back();
        if is_timeout && self.session.poll_timeout().is_some_and(|at| at <= now) {
            self.unanswered(cx, now);
            if !self.goes_before_keep_alive(cx, now) {
                let event = self.session.handle_timeout(now);
                self.event(cx, now, event);
            }
        }
        if self.silent_until(cx).is_some_and(|at| at <= now) {
            self.tell_silence(cx, now);
        }
        let hindrance = self.hindrance();
        if let Some(work) = &mut self.work {
            cx.counters.jobs_failed += work.expire(now, hindrance);
        }
        match self.phase {
            Phase::Down { retry_at } if retry_at <= now => {
                if self.enter(cx, Stage::Connect) {
                    self.connect(cx, now);
                } else {
                    self.phase = Phase::Queued;
                }
            }
            _ => self.proceed(cx, now),
        }
    }

    /// Takes an operator command.
    pub(crate) fn submit(&mut self, cx: &mut Context, now: Instant, job: Job) {
        // The operator need not wait for a BMC that is down; but who asks again in a moment finds it, if it is back.
        if self.phase != Phase::Up
            && let Link::Down { reason, .. } = &self.page.node().link
        {
            cx.counters.jobs_failed += 1;
            let reason = reason.to_string();
            self.hasten(cx, now);
            job.outcome
                .tell(Err(hardware::ApplyError::Unreachable { reason }));
            return;
        }
        cx.counters.jobs_refused += self.work.get_or_insert_default().push(now, job);
        self.proceed(cx, now);
    }

    /// The next datagram for its BMC.
    pub(crate) fn transmit(
        &mut self,
        cx: &mut Context,
        now: Instant,
        entropy: &mut dyn Entropy,
        out: &mut [u8],
    ) -> Option<usize> {
        let len = self.session.poll_transmit(now, entropy, out)?;
        cx.counters.datagrams_sent += 1;
        if self.in_flight != InFlight::Nothing {
            cx.counters.retransmits += u64::from(self.sent);
            if !std::mem::replace(&mut self.sent, true) {
                self.sent_at = now;
            }
        }
        Some(len)
    }

    /// Closes its session for good, for this reason.
    pub(crate) fn close(&mut self, cx: &mut Context, now: Instant, reason: &str) {
        if let Some(mut work) = self.work.take() {
            cx.counters.jobs_failed += work.session_lost(now);
            cx.counters.jobs_failed += work.unreachable(reason);
        }
        self.talk = None;
        self.wake = None;
        self.silent_since = None;
        self.leave_all(cx);
        if matches!(self.phase, Phase::Closing | Phase::Closed) {
            return;
        }
        cx.counters.sessions_closed += u64::from(self.phase == Phase::Up);
        match self.session.state() {
            State::Idle => self.phase = Phase::Closed,
            State::Connecting | State::Established | State::Closing => {
                self.phase = Phase::Closing;
                self.session.close(now);
            }
        }
    }

    fn connect(&mut self, cx: &Context, now: Instant) {
        // Generations begin at 1, so that no ID is 0.
        self.generation = self.generation % GENERATION_MAX + 1;
        let id = u32::from(self.generation) << SLOT_BITS | self.index;
        let id = NonZeroU32::new(id).expect("the generation is at least 1");
        self.phase = Phase::Connecting;
        self.resent = false;
        self.sent_at = now;
        self.rare.heard = false;
        let policy = match self.rare.breaker.is_probing() {
            true => &cx.probe_policy,
            false => &cx.policy,
        };
        if std::mem::take(&mut self.rare.login_is_new) {
            self.renew_session(policy);
        }
        self.session.set_policy(Arc::clone(policy));
        self.session.connect(now, id);
    }

    fn publish(&mut self, cx: &mut Context) {
        cx.counters.snapshots += 1;
        self.page.publish(&cx.board, &mut cx.spares);
    }

    /// Publishes that the node is another machine now.
    fn publish_another(&mut self, cx: &mut Context) {
        cx.counters.snapshots += 1;
        self.page.publish_another(&cx.board, &mut cx.spares);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_small_enough_for_fifty_thousand() {
        let (slot, session) = (size_of::<Slot>(), size_of::<Session>());
        assert!(
            slot <= 624,
            "a slot takes {slot} bytes, {session} of them the session"
        );
    }
}
