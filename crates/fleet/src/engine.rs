//! The polling engine: very many BMCs as one state machine without clock, socket or thread.

mod age;
mod ahead;
mod carry;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use hardware::{ApplyError, EnclosureId, Labels, Link, Node, NodeId, SensorIntervals, Update};
use ipmi::console::{Addressee, Login, Policy, addressee};
use ipmi::entropy::Entropy;
use ipmi::time::Instant;

use crate::counters::Counters;
use crate::figures::ShardFigures;
use crate::gate::{Gates, Stage};
use crate::memory::Remembered;
use crate::news::{self, News};
use crate::peers::Peers;
use crate::publish::{Moves, Spares};
use crate::round_trip::RoundTrips;
use crate::schedule::{self, Jitter};
use crate::share::Texts;
use crate::shared::Shared;
use crate::slot::{self, Context, Slot, Trace, slot_in};
use crate::target::{Config, Target, Treatment};
use crate::timer::Wheel;
use crate::work::Job;
use carry::Unfinished;
pub(crate) use carry::{OneByOne, Salvaged};

/// What an engine is told when it is made.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Every sensor is read once in this time, in milliseconds; targets may have their own.
    pub poll_interval_ms: u32,
    /// But those of these classes in times of their own, in milliseconds.
    pub sensor_intervals: SensorIntervals,
    /// Event log and boot options are looked at in every so many rounds.
    pub slow_rounds: u32,
    /// First contacts at a time, at most.
    pub contacts_at_once: u32,
    /// Timeouts and retries.
    pub policy: Arc<Policy>,
    /// Seeds the jitter of probes.
    pub seed: u64,
}

impl EngineConfig {
    /// The part of a fleet's settings that concerns an engine.
    #[must_use]
    pub fn of(config: &Config, seed: u64) -> Self {
        Self {
            poll_interval_ms: config.poll_interval_ms,
            sensor_intervals: config.sensor_intervals,
            slow_rounds: config.slow_rounds.max(1),
            contacts_at_once: config.contacts_at_once.max(1),
            policy: Arc::clone(&config.policy),
            seed,
        }
    }
}

/// Very many BMCs as one state machine without clock, socket or thread.
///
/// The driver (`drive.rs`) hands in what arrived, what time it is and what operators want, and takes out what is
/// to be sent:
///
/// ```text
///   handle_datagram(now, from, bytes) ─┐                    ┌─► poll_transmit(now, entropy, out) until None
///   handle_timeouts(now) ──────────────┼─► slots ─► ready ──┤
///   submit(now, slot, job) ────────────┘                    └─► next_deadline()
/// ```
///
/// One socket serves all BMCs: an answer finds its slot by the console session ID in its header, which holds the slot's
/// number and a generation, so that answers to a session that is gone find nobody. The few messages outside a
/// session find theirs by the sender's address. Those outside name BMCs by their place among the fleet's nodes: a slot's
/// number is the engine's own, and is another BMC's when the first one was removed and its session is closed.
#[derive(Debug)]
pub struct Engine {
    slots: Vec<Berth>,
    /// The slot of each place; [`NOWHERE`] for places of other engines.
    slot_of: Vec<u32>,
    /// Vacant slots.
    vacant: Vec<u32>,
    by_address: Peers<u32>,
    /// Addresses of BMCs that were removed and whose session is still being closed.
    leaving: Peers<()>,
    timers: Wheel,
    /// Slots that may have something to send, each at most once.
    ready: VecDeque<u32>,
    is_ready: Vec<bool>,
    /// When the next new BMC is connected to at the earliest: each has its turn, also where they are added one by one.
    connect_from: Instant,
    /// Slots whose timer fired; kept for its room.
    fired: Vec<u32>,
    /// The slot in which a step is taken, [`NOWHERE`] between steps: where that fails, its BMC is the one that did.
    dealt_with: u32,
    /// The BMC that is being taken up at this moment.
    coming: Option<Unfinished>,
    closing: bool,
    cx: Context,
}

/// A BMC to be taken up.
#[derive(Debug)]
pub struct Coming {
    /// The place of its node.
    pub place: u32,
    /// Which BMC.
    pub target: Target,
    pub(crate) remembered: Option<Box<Remembered>>,
    /// An engine failed while it dealt with it: it is left alone for a while.
    pub(crate) is_culprit: bool,
}

impl Coming {
    /// A BMC that entered the fleet, with what is remembered of it.
    #[must_use]
    pub fn of(moves: &mut Moves, place: u32, target: Target) -> Self {
        Self {
            place,
            target,
            remembered: moves.remembered.remove(&place),
            is_culprit: false,
        }
    }
}

/// A BMC of which nothing is known.
impl From<(u32, Target)> for Coming {
    fn from((place, target): (u32, Target)) -> Self {
        Self {
            place,
            target,
            remembered: None,
            is_culprit: false,
        }
    }
}

/// A full engine grows by one in so many at least: BMCs given by name come one by one, and moving all for each takes ever longer.
const GROWTH_MIN: usize = 8;

/// No slot.
const NOWHERE: u32 = u32::MAX;

/// Who has a slot.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are taken: a box would cost each of them a jump"
)]
enum Berth {
    Taken(Slot),
    /// Nobody. Its next BMC goes on with what sessions and gates know of the slot.
    Vacant(Trace),
}

impl Berth {
    /// What its next BMC must know.
    const fn trace(&self) -> Trace {
        match self {
            Self::Taken(slot) => slot.trace(),
            Self::Vacant(trace) => *trace,
        }
    }
}

impl Engine {
    /// An engine without BMCs.
    #[must_use]
    pub fn new(now: Instant, unix_ms: u64, config: &EngineConfig, shared: &Shared) -> Self {
        let cx = Context {
            poll_interval_ms: config.poll_interval_ms,
            sensor_intervals: config.sensor_intervals,
            intervals: Arc::default(),
            slow_rounds: config.slow_rounds,
            slots: 0,
            port: 0,
            down_after: slot::down_after(&config.policy),
            probe_policy: Arc::new(Policy {
                attempts: 1,
                ..*config.policy
            }),
            patient_policy: Arc::new(slot::patient(&config.policy)),
            policy: Arc::clone(&config.policy),
            board: Arc::clone(&shared.board),
            plans: Arc::clone(&shared.plans),
            memory: shared.memory.clone(),
            texts: Texts::default(),
            spares: Spares::default(),
            gates: Gates::new(now, 0, config.contacts_at_once),
            round_trips: RoundTrips::default(),
            counters: Counters::default(),
            news: News::default(),
            hurried_until: now,
            jitter: Jitter::new(config.seed),
            unix_ms_at_origin: unix_ms.saturating_sub(now.as_nanos() / 1_000_000),
        };
        Self {
            slots: Vec::new(),
            slot_of: Vec::new(),
            vacant: Vec::new(),
            by_address: Peers::default(),
            leaving: Peers::default(),
            timers: Wheel::new(now, 0),
            ready: VecDeque::new(),
            is_ready: Vec::new(),
            connect_from: now,
            fired: Vec::new(),
            dealt_with: NOWHERE,
            coming: None,
            closing: false,
            cx,
        }
    }

    /// Tells which UDP port its socket has: by that a later run knows its sessions again (see `Memory`). Untold, no session
    /// is remembered.
    pub const fn set_port(&mut self, port: u16) {
        self.cx.port = port;
    }

    /// Takes BMCs up, each with the place of its node; begins to connect to them at `now`, one after the other. A target without
    /// an address, or with that of another BMC of this engine, is told as down and left alone.
    pub fn add<C: Into<Coming>>(&mut self, now: Instant, targets: impl IntoIterator<Item = C>) {
        let targets = targets.into_iter();
        self.reserve(targets.size_hint().0.saturating_sub(self.vacant.len()));
        let (begin, mut turn) = (self.connect_from.max(now), 0);
        for coming in targets {
            let coming = coming.into();
            self.coming = Some(Unfinished::of(&coming));
            self.take_up(now, schedule::first_connect(begin, turn), coming);
            self.coming = None;
            turn += 1;
        }
        self.connect_from = schedule::first_connect(begin, turn);
        self.cx.slots = self.slots.len() as u32;
        self.cx.gates.set_slots(self.cx.slots);
    }

    /// Room for so many slots more, and not much beyond that.
    fn reserve(&mut self, more: usize) {
        if self.slots.capacity() - self.slots.len() < more {
            let more = more.max(self.slots.len() / GROWTH_MIN);
            self.slots.reserve_exact(more);
            self.is_ready.reserve_exact(more);
            self.timers.reserve(more);
        }
    }

    /// Lets go of the BMC of a place, whose node is off the board already: its session is closed, its waiting commands are told
    /// so, and nothing of it is published any more. Then observers are told that this snapshot was the last one; `None` where
    /// a node of the same name has taken its place. Its slot is another BMC's when the session is closed.
    pub fn remove(&mut self, now: Instant, place: u32, last: Option<Arc<Node>>) {
        self.let_go(now, place);
        if let Some(last) = last {
            self.cx.board.tell(&Update::Removed(last));
        }
    }

    fn let_go(&mut self, now: Instant, place: u32) {
        let Some(index) = self.slot_at(place) else {
            return;
        };
        self.slot_of[place as usize] = NOWHERE;
        let address = self.step(index, |slot, cx| {
            slot.leave_for_good();
            slot.close(cx, now, "it was removed from the fleet");
            slot.address()
        });
        // One without an address for now has none to give up.
        if let Some(address) = address.filter(|at| self.by_address.get(*at) == Some(index)) {
            self.by_address.remove(address);
            self.leaving.insert(address, ());
        }
        self.touched(index);
    }

    /// Makes the slot of a removed BMC vacant once its session is closed.
    fn vacate(&mut self, index: u32) {
        let berth = &mut self.slots[index as usize];
        if let Berth::Taken(slot) = berth
            && slot.is_gone()
        {
            self.leaving.remove(slot.address());
            *berth = Berth::Vacant(slot.trace());
            self.vacant.push(index);
            self.timers.set(index, None);
        }
    }

    fn slot_at(&self, place: u32) -> Option<u32> {
        let index = self.slot_of.get(place as usize).copied();
        index.filter(|index| *index != NOWHERE)
    }

    /// Takes a step with the BMC of a slot; `None` where that is vacant. Where it fails, that BMC is the one that did.
    fn step<T>(
        &mut self,
        index: u32,
        step: impl FnOnce(&mut Slot, &mut Context) -> T,
    ) -> Option<T> {
        let Some(Berth::Taken(slot)) = self.slots.get_mut(index as usize) else {
            return None;
        };
        self.dealt_with = index;
        let done = step(slot, &mut self.cx);
        self.dealt_with = NOWHERE;
        Some(done)
    }

    /// The same with the BMC of a place; whether it is there.
    fn step_at(&mut self, place: u32, step: impl FnOnce(&mut Slot, &mut Context)) -> bool {
        let Some(index) = self.slot_at(place) else {
            return false;
        };
        let done = self.step(index, step);
        if done.is_some() {
            self.touched(index);
        }
        done.is_some()
    }

    /// Corrects the wall clock by which snapshots are stamped: it is `unix_ms` at `now`.
    pub fn set_wall_clock(&mut self, now: Instant, unix_ms: u64) {
        self.cx.unix_ms_at_origin = unix_ms.saturating_sub(now.as_nanos() / 1_000_000);
    }

    /// Takes a datagram. It is decrypted in place; what is not for us is counted and changes nothing.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &mut [u8]) {
        self.cx.counters.datagrams_received += 1;
        let index = match addressee(datagram) {
            Ok(Addressee::Session(id)) => self.slot_of_session(id),
            Ok(Addressee::Sessionless) => self.by_address.get(from),
            Ok(Addressee::Pong { .. }) => {
                self.cx.counters.dropped_unexpected += 1;
                return;
            }
            Err(_) => {
                self.cx.counters.dropped_unparsable += 1;
                return;
            }
        };
        let took = index.and_then(|index| {
            let took = self.step(index, |slot, cx| {
                let is_peer = slot.is_peer(from);
                if is_peer {
                    slot.datagram(cx, now, datagram);
                }
                is_peer
            });
            Some((index, took?))
        });
        match took {
            None => self.cx.counters.dropped_unknown_session += 1,
            Some((_, false)) => self.cx.counters.dropped_wrong_peer += 1,
            Some((index, true)) => {
                self.touched(index);
                self.admit(now);
            }
        }
    }

    fn slot_of_session(&self, id: u32) -> Option<u32> {
        let index = slot_in(id);
        match self.slots.get(index as usize) {
            Some(Berth::Taken(slot)) if slot.session_id() == id => Some(index),
            _ => None,
        }
    }

    /// Does everything that is due at `now`.
    pub fn handle_timeouts(&mut self, now: Instant) {
        let mut fired = std::mem::take(&mut self.fired);
        self.timers.expire(now, &mut fired);
        for index in fired.drain(..) {
            if self.step(index, |slot, cx| slot.timeout(cx, now)).is_some() {
                self.touched(index);
            }
        }
        self.fired = fired;
        self.cx.gates.look(now);
        self.admit(now);
        if let Some(untold) = self.cx.news.summary(now) {
            match untold.is_trouble() {
                true => tracing::warn!(target: news::TARGET, "{untold}"),
                false => tracing::info!(target: news::TARGET, "{untold}"),
            }
        }
    }

    /// Goes on with the slots that waited for a place that is free now.
    fn admit(&mut self, now: Instant) {
        while let Some((stage, lane, index)) = self.cx.gates.admit() {
            if let Berth::Vacant(trace) = &mut self.slots[index as usize] {
                trace.waits &= !stage.bits();
                self.cx.gates.leave(stage, lane);
                continue;
            }
            self.step(index, |slot, cx| slot.admitted(cx, now, stage, lane));
            self.touched(index);
        }
    }

    /// Takes an operator command for the BMC of a place; where another node has that by now, for nobody. The job is told its
    /// outcome in any case.
    pub fn submit(&mut self, now: Instant, place: u32, job: Job) {
        let job = &mut Some(job);
        self.step_at(place, |slot, cx| {
            if let Some(job) = job.take_if(|job| *slot.node() == job.node) {
                slot.submit(cx, now, job);
            }
        });
        if let Some(job) = job.take() {
            self.cx.counters.jobs_failed += 1;
            let error = self.why_nobody(place, &job.node);
            job.outcome.tell(Err(error));
        }
    }

    /// Why a command for this node finds no BMC at its place.
    fn why_nobody(&self, place: u32, node: &NodeId) -> ApplyError {
        let spot = self.cx.board.spot(place);
        match spot.map(|spot| spot.load_full()) {
            Some(shown) if shown.id == *node => ApplyError::Unreachable {
                reason: match &shown.link {
                    Link::Down { reason, .. } => reason.to_string(),
                    Link::Connecting | Link::Up => "nobody asks its BMC now".to_owned(),
                },
            },
            _ => ApplyError::Absent,
        }
    }

    /// Logs in to the BMC of a place with this from now on; a session that is open goes on.
    pub fn set_login(&mut self, now: Instant, place: u32, login: Arc<Login>) {
        self.step_at(place, |slot, cx| slot.set_login(cx, now, login));
    }

    /// Talks to the BMC of a place at this address from now on; where it has none, for this reason, to nobody until it has one.
    pub fn set_address(&mut self, now: Instant, place: u32, address: Result<SocketAddr, String>) {
        let Some(index) = self.slot_at(place).filter(|_| !self.closing) else {
            return;
        };
        let Some(before) = self.step(index, |slot, _| slot.address()) else {
            return;
        };
        if self.by_address.get(before) == Some(index) {
            self.by_address.remove(before);
        }
        let free = address.and_then(|address| match self.by_address.contains(address) {
            // Their answers could not be told apart.
            true => Err(format!("another node has the same address {address}")),
            false => Ok(address),
        });
        if let Ok(address) = &free {
            self.by_address.insert(*address, index);
        }
        self.step(index, |slot, cx| match free {
            Ok(address) => slot.set_address(cx, now, address),
            Err(reason) => slot.park(cx, now, &reason),
        });
        self.touched(index);
    }

    /// Polls the BMC of a place in this way from now on; all else goes on.
    pub fn set_treatment(&mut self, now: Instant, place: u32, treatment: &Treatment) {
        self.step_at(place, |slot, cx| slot.set_treatment(cx, now, treatment));
    }

    /// Shows this of the BMC of a place from now on: what it sits in, and its labels.
    pub fn set_labels(&mut self, place: u32, enclosure: Option<EnclosureId>, labels: Arc<Labels>) {
        self.step_at(place, |slot, cx| slot.set_labels(cx, enclosure, labels));
    }

    /// Writes the next datagram to be sent into `out` (of [`ipmi::wire::DATAGRAM_MAX`] bytes) and returns where to and
    /// its length. Call it until `None` after every other call.
    pub fn poll_transmit(
        &mut self,
        now: Instant,
        entropy: &mut dyn Entropy,
        out: &mut [u8],
    ) -> Option<(SocketAddr, usize)> {
        while let Some(index) = self.ready.front().copied() {
            let sent = self.step(index, |slot, cx| {
                match slot.transmit(cx, now, entropy, out) {
                    Some(len) => Ok((slot.address(), len)),
                    // A session's timer starts when its datagram is written.
                    None => Err((slot.deadline(cx), slot.is_gone())),
                }
            });
            match sent {
                Some(Ok(sent)) => return Some(sent),
                Some(Err((deadline, is_gone))) => {
                    self.timers.set(index, deadline);
                    if is_gone {
                        self.vacate(index);
                    }
                }
                None => {}
            }
            self.is_ready[index as usize] = false;
            self.ready.pop_front();
        }
        None
    }

    /// When [`Self::handle_timeouts`] is to be called next; may be early, is never late.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Whether answers should be taken soon: commands wait for them that are due, or an operator does.
    #[must_use]
    pub fn is_hurried(&self, now: Instant) -> bool {
        now < self.cx.hurried_until || self.cx.gates.someone_waits()
    }

    /// Begins to close every session; commands that wait are told so.
    pub fn close(&mut self, now: Instant) {
        self.closing = true;
        for index in 0..self.slots.len() as u32 {
            let reason = "the service is shutting down";
            if self
                .step(index, |slot, cx| slot.close(cx, now, reason))
                .is_some()
            {
                self.touched(index);
            }
        }
    }

    /// Whether every session is closed after [`Self::close`].
    #[must_use]
    pub fn is_closed(&self) -> bool {
        let is_closed = |berth: &Berth| match berth {
            Berth::Taken(slot) => slot.is_closed(),
            Berth::Vacant(_) => true,
        };
        self.closing && self.slots.iter().all(is_closed)
    }

    /// How many BMCs the engine had room for at most so far: those it polls, those whose session is being closed, and places of
    /// removed ones that wait for others.
    #[must_use]
    pub const fn slots(&self) -> usize {
        self.slots.len()
    }

    /// What the engine did so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.cx.counters
    }

    /// What the engine did so far and is doing; the times are the driver's to add.
    #[must_use]
    pub fn figures(&self) -> ShardFigures {
        let gates = &self.cx.gates;
        ShardFigures {
            counters: self.cx.counters,
            round_trips: self.cx.round_trips,
            connects: gates.places(Stage::Connect),
            contacts: gates.places(Stage::Contact),
            rounds: gates.places(Stage::Round),
            ..ShardFigures::default()
        }
    }

    /// A slot was called: its timer and its wish to send may have changed. Both are looked at when it is its turn to
    /// send.
    fn touched(&mut self, index: u32) {
        if !std::mem::replace(&mut self.is_ready[index as usize], true) {
            self.ready.push_back(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn bmcs_that_are_added_one_by_one_have_their_turns_and_move_the_others_seldom() {
        const BMCS: u32 = 1_000;
        let login = Arc::new(Login::new("admin", b"secret").unwrap());
        let target = |n: u32| {
            let id = NodeId::new(&format!("n{n}")).unwrap();
            let [_, a, b, c] = n.to_be_bytes();
            Target::new(id, Some(([127, 16 + a, b, c], 623).into()), &login)
        };
        let config = Config::new((0..BMCS).map(target).collect());
        let shared = Shared::new(&config.targets);
        let now = Instant::ORIGIN;
        let mut engine = Engine::new(now, 0, &EngineConfig::of(&config, 1), &shared);
        let mut moved = 0;
        for coming in (0..).zip(config.targets) {
            let before = engine.slots.capacity();
            engine.add(now, [coming]);
            moved += u32::from(engine.slots.capacity() != before);
        }
        assert!(moved < 80, "moved {moved} times");
        let room = engine.slots.capacity() - engine.slots.len();
        assert!(room <= engine.slots.len() / GROWTH_MIN, "{room} are vacant");
        let last = now + Duration::from_secs(1) * (BMCS - 1) / schedule::CONNECTS_PER_S as u32;
        let due = engine.slots[BMCS as usize - 1..]
            .iter()
            .map(|berth| match berth {
                Berth::Taken(slot) => slot.deadline(&engine.cx),
                Berth::Vacant(_) => None,
            });
        assert_eq!(due.collect::<Vec<_>>(), [Some(last)]);
    }
}
