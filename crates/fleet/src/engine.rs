//! The polling engine: very many BMCs as one state machine without clock, socket or thread.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hardware::{Identity, Indicator, Link, Node, Power};
use ipmi::console::{Addressee, Login, Policy, addressee};
use ipmi::entropy::Entropy;
use ipmi::time::Instant;

use crate::counters::Counters;
use crate::figures::ShardFigures;
use crate::gate::{Gates, Stage};
use crate::plan::Plans;
use crate::publish::{Board, Spares};
use crate::round_trip::RoundTrips;
use crate::schedule::{self, Jitter};
use crate::share::Texts;
use crate::slot::{self, Context, SLOT_BITS, Setup, Slot};
use crate::target::{Config, Target};
use crate::timer::Wheel;
use crate::work::Job;

/// The machines of a fleet as readers see them, shared by its engines.
#[derive(Clone, Debug)]
pub struct Shared {
    pub(crate) board: Arc<Board>,
    pub(crate) plans: Arc<Plans>,
}

impl Shared {
    /// Every target as a node that was not reached yet.
    #[must_use]
    pub fn new(targets: &[Target]) -> Self {
        let nodes = targets
            .iter()
            .map(|target| Arc::new(unreached(target)))
            .collect();
        Self {
            board: Arc::new(Board::new(nodes)),
            plans: Arc::default(),
        }
    }

    /// The newest snapshot of target number `place`.
    #[must_use]
    pub fn node(&self, place: u32) -> Arc<Node> {
        self.board.node(place)
    }
}

fn unreached(target: &Target) -> Node {
    Node {
        id: target.id.clone(),
        kind: target.kind,
        enclosure: target.enclosure.clone(),
        link: Link::Connecting,
        power: Power::Unknown,
        boot: None,
        indicator: Indicator::Unknown,
        power_limit: None,
        inventory: Arc::default(),
        identity: Arc::new(Identity {
            controller_address: target.address.map(|at| at.ip().to_string().into()),
            ..Identity::default()
        }),
        readings: Arc::default(),
        log: Arc::default(),
        read_at_ms: 0,
        revision: 0,
    }
}

/// What an engine is told when it is made.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Every sensor is read once in this time.
    pub poll_interval: Duration,
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
            poll_interval: Duration::from_millis(config.poll_interval_ms.into()),
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
/// session find theirs by the sender's address.
#[derive(Debug)]
pub struct Engine {
    slots: Vec<Slot>,
    by_address: HashMap<(IpAddr, u16), u32>,
    timers: Wheel,
    /// Slots that may have something to send, each at most once.
    ready: VecDeque<u32>,
    is_ready: Vec<bool>,
    /// Slots whose timer fired; kept for its room.
    fired: Vec<u32>,
    closing: bool,
    cx: Context,
}

impl Engine {
    /// An engine for those of `targets` whose numbers are in `places`; it begins to connect at `now`.
    #[must_use]
    pub fn new(
        now: Instant,
        unix_ms: u64,
        config: &EngineConfig,
        shared: &Shared,
        targets: &[Target],
        places: impl IntoIterator<Item = u32>,
    ) -> Self {
        let places: Vec<u32> = places.into_iter().collect();
        let mut slots: Vec<Slot> = Vec::with_capacity(places.len());
        let mut by_address = HashMap::with_capacity(places.len());
        for (index, place) in (0_u32..).zip(places) {
            let target = &targets[place as usize];
            if let Some(address) = target.address {
                by_address.insert((address.ip(), address.port()), index);
            }
            slots.push(Slot::new(Setup {
                index,
                place,
                address: target.address,
                login: &target.login,
                policy: &config.policy,
                quirks: target.quirks,
                node: shared.board.node(place),
                connect_at: schedule::first_connect(now, index),
            }));
        }
        let cx = Context {
            poll_interval: config.poll_interval,
            slow_rounds: config.slow_rounds,
            slots: slots.len() as u32,
            policy: Arc::clone(&config.policy),
            down_after: slot::down_after(&config.policy),
            probe_policy: Arc::new(Policy {
                attempts: 1,
                ..*config.policy
            }),
            board: Arc::clone(&shared.board),
            plans: Arc::clone(&shared.plans),
            texts: Texts::default(),
            spares: Spares::default(),
            gates: Gates::new(now, slots.len() as u32, config.contacts_at_once),
            round_trips: RoundTrips::default(),
            counters: Counters::default(),
            jitter: Jitter::new(config.seed),
            unix_ms_at_origin: unix_ms.saturating_sub(now.as_nanos() / 1_000_000),
        };
        let mut timers = Wheel::new(now, slots.len());
        for (index, slot) in (0..).zip(&slots) {
            timers.set(index, slot.deadline(&cx));
        }
        Self {
            is_ready: vec![false; slots.len()],
            slots,
            by_address,
            timers,
            ready: VecDeque::new(),
            fired: Vec::new(),
            closing: false,
            cx,
        }
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
            Ok(Addressee::Sessionless) => self.by_address.get(&(from.ip(), from.port())).copied(),
            Ok(Addressee::Pong { .. }) => {
                self.cx.counters.dropped_unexpected += 1;
                return;
            }
            Err(_) => {
                self.cx.counters.dropped_unparsable += 1;
                return;
            }
        };
        let Some(index) = index else {
            self.cx.counters.dropped_unknown_session += 1;
            return;
        };
        let slot = &mut self.slots[index as usize];
        let is_its_own =
            |address: SocketAddr| (address.ip(), address.port()) == (from.ip(), from.port());
        if !slot.address().is_some_and(is_its_own) {
            self.cx.counters.dropped_wrong_peer += 1;
            return;
        }
        slot.datagram(&mut self.cx, now, datagram);
        self.touched(index);
        self.admit(now);
    }

    fn slot_of_session(&self, id: u32) -> Option<u32> {
        let index = id & ((1 << SLOT_BITS) - 1);
        self.slots
            .get(index as usize)
            .filter(|slot| slot.session_id() == id)
            .map(|_| index)
    }

    /// Does everything that is due at `now`.
    pub fn handle_timeouts(&mut self, now: Instant) {
        let mut fired = std::mem::take(&mut self.fired);
        self.timers.expire(now, &mut fired);
        for index in fired.drain(..) {
            self.slots[index as usize].timeout(&mut self.cx, now);
            self.touched(index);
        }
        self.fired = fired;
        self.cx.gates.look(now);
        self.admit(now);
    }

    /// Goes on with the slots that waited for a place that is free now.
    fn admit(&mut self, now: Instant) {
        while let Some((stage, index)) = self.cx.gates.admit() {
            self.slots[index as usize].admitted(&mut self.cx, now, stage);
            self.touched(index);
        }
    }

    /// Takes an operator command for a slot (its position in `places` at [`Self::new`]). The job is told its outcome
    /// in any case.
    pub fn submit(&mut self, now: Instant, slot: u32, job: Job) {
        let Some(target) = self.slots.get_mut(slot as usize) else {
            job.outcome.tell(Err(hardware::ApplyError::Absent));
            return;
        };
        target.submit(&mut self.cx, now, job);
        self.touched(slot);
    }

    /// The address of a slot's BMC is known now, or could not be found out for this reason, which is told as the
    /// node's. Nothing happens to a slot that has an address already.
    pub fn set_address(&mut self, now: Instant, slot: u32, address: Result<SocketAddr, String>) {
        let Some(target) = self.slots.get_mut(slot as usize) else {
            return;
        };
        if target.address().is_some() {
            return;
        }
        let address = address.and_then(|address| {
            match *self
                .by_address
                .entry((address.ip(), address.port()))
                .or_insert(slot)
            {
                owner if owner == slot => Ok(address),
                // Their answers could not be told apart.
                _ => Err(format!("another node has the same address {address}")),
            }
        });
        target.set_address(&mut self.cx, now, address);
        self.touched(slot);
    }

    /// Logs in to a slot's BMC with this from now on; a session that is open goes on.
    pub fn set_login(&mut self, now: Instant, slot: u32, login: Arc<Login>) {
        if let Some(target) = self.slots.get_mut(slot as usize) {
            target.set_login(&mut self.cx, now, login);
            self.touched(slot);
        }
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
            let slot = &mut self.slots[index as usize];
            // Without an address there is no session, and nothing to send.
            if let Some(address) = slot.address()
                && let Some(len) = slot.transmit(&mut self.cx, now, entropy, out)
            {
                return Some((address, len));
            }
            // A session's timer starts when its datagram is written.
            self.timers.set(index, slot.deadline(&self.cx));
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

    /// Begins to close every session; commands that wait are told so.
    pub fn close(&mut self, now: Instant) {
        self.closing = true;
        for index in 0..self.slots.len() as u32 {
            self.slots[index as usize].close(&mut self.cx, now);
            self.touched(index);
        }
    }

    /// Whether every session is closed after [`Self::close`].
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closing && self.slots.iter().all(Slot::is_closed)
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
