//! The only IO of the fleet: a thread a shard that moves datagrams between a socket and an [`Engine`].
//! Where the engine panics, another one goes on with its BMCs ([`crate::failure`]).
//!
//! ```text
//!   wait ─► now ─► receive ─► orders ─► timeouts ─► transmit ─┐
//!    ▲      one clock read a turn                           │
//!    └──────────────────────────────────────────────────────┘
//! ```

mod recovery;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hardware::ApplyError;
use ipmi::time::Instant;
use udp::{Options, RandomBytes, ReceiveBatch, SendBatch, Socket, Waker};

use crate::engine::{Coming, Engine, OneByOne, Salvaged};
use crate::failure::{self, Failures};
use crate::figures::ShardFigures;
use crate::flow::Flow;
use crate::order::{Arrivals, Order};
use crate::report::Report;
use crate::target::ConfigError;
use crate::work::Job;
use recovery::HandOver;

/// The most operator commands on their way to one shard; more are refused as busy.
const MAILBOX_MAX: usize = 4_096;

/// How many batches are sent at most before the other side has its turn. One batch is received: what it brings is answered while
/// sessions and buffers still lie in the processor's caches.
const BATCHES_A_TURN: usize = 2;

/// Where a receive brought so many datagrams, there are soon more: looking again costs less than a sleep.
const MANY: usize = 8;

/// How long answers and due commands are let gather where they come densely, so that a turn serves a batch and not one or two:
/// a wake and its system calls cost more than a reading. What it adds to a round trip is small beside a BMC's own time.
const GATHER: Duration = Duration::from_millis(2);

/// The same where somebody waits for them, be it commands that are due or an operator: long enough for a batch, short enough
/// that those who answer always have something to do.
const GATHER_HURRIED: Duration = Duration::from_micros(100);

/// The longest sleep.
const WAIT_MAX: Duration = Duration::from_millis(500);

/// How long closing the sessions may take: a BMC that does not answer is left to its own inactivity timeout.
const CLOSE_MAX: Duration = Duration::from_secs(3);

/// How often the wall clock is looked at, for the times in snapshots.
const WALL_CLOCK_EVERY: Duration = Duration::from_secs(1);

/// The pause after an error of the socket itself, so that a broken network does not spin.
const ERROR_PAUSE: Duration = Duration::from_millis(100);

/// Why a fleet did not start.
#[derive(Debug)]
pub enum StartError {
    /// The configuration is out of bounds.
    Config(ConfigError),
    /// A socket or a thread could not be had.
    System(io::Error),
    /// The fleet was closed: see [`Fleet::close`](crate::Fleet::close).
    Closed,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => write!(f, "the fleet's configuration: {error}"),
            Self::System(error) => write!(f, "no socket or thread for the fleet: {error}"),
            Self::Closed => f.write_str("the fleet is closed"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::System(error) => Some(error),
            Self::Closed => None,
        }
    }
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// A moment on the clock that engines run on, from the system's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: std::time::Instant,
}

impl Clock {
    /// A clock that begins now.
    pub(crate) fn new() -> Self {
        Self {
            origin: std::time::Instant::now(),
        }
    }

    /// The present moment.
    pub(crate) fn now(self) -> Instant {
        Instant::ORIGIN + self.origin.elapsed()
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Milliseconds since the Unix epoch by the wall clock.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What other threads and a shard's thread share.
#[derive(Debug)]
pub(crate) struct Mailbox {
    orders: Mutex<VecDeque<Order>>,
    figures: Mutex<ShardFigures>,
    /// Jobs for which there was no room.
    jobs_refused: AtomicU64,
    closing: AtomicBool,
    waker: Waker,
}

impl Mailbox {
    /// Puts an order in and wakes the thread.
    fn put(&self, order: Order) {
        lock(&self.orders).push_back(order);
        self.waker.wake();
    }
}

/// Makes the engine of a shard, which begins at this moment.
pub(crate) type Make = Box<dyn Fn(Instant) -> Engine + Send>;

/// A running shard.
#[derive(Debug)]
pub(crate) struct Shard {
    mailbox: Arc<Mailbox>,
    thread: Option<JoinHandle<()>>,
}

impl Shard {
    /// Starts a thread that drives an engine with a socket of its own, for IPv6 or IPv4 BMCs.
    pub(crate) fn start(
        name: String,
        make: Make,
        clock: Clock,
        ipv6: bool,
        receive_buffer_bytes: usize,
    ) -> io::Result<Self> {
        let address: SocketAddr = if ipv6 {
            (Ipv6Addr::UNSPECIFIED, 0).into()
        } else {
            (Ipv4Addr::UNSPECIFIED, 0).into()
        };
        let options = Options {
            receive_buffer_bytes: Some(receive_buffer_bytes),
            ..Options::default()
        };
        let socket = Socket::bind(address, options)?;
        let port = socket.local_addr()?.port();
        let mut engine = make(clock.now());
        engine.set_port(port);
        let mailbox = Arc::new(Mailbox {
            orders: Mutex::default(),
            figures: Mutex::default(),
            jobs_refused: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            waker: Waker::new()?,
        });
        let driver = Driver {
            socket,
            port,
            make,
            engine,
            clock,
            mailbox: Arc::clone(&mailbox),
            orders: VecDeque::new(),
            coming: VecDeque::new(),
            salvaged: VecDeque::new(),
            handing: None,
            arrivals: Arrivals::default(),
            random: RandomBytes::new()?,
            received: ReceiveBatch::new(),
            sending: SendBatch::new(),
            flow: Flow::new(clock.now()),
            close_by: None,
            failures: Failures::default(),
            wall_clock_at: Instant::ORIGIN,
            started_at: clock.now(),
            idle: Duration::ZERO,
            sends_refused: 0,
            truncated: 0,
            report: Report::new(clock.now()),
        };
        let thread = thread::Builder::new()
            .name(name)
            .spawn(move || driver.run())?;
        Ok(Self {
            mailbox,
            thread: Some(thread),
        })
    }

    /// Sends an operator command to the BMC of a place.
    pub(crate) fn submit(&self, place: u32, job: Job) {
        let mut orders = lock(&self.mailbox.orders);
        if self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
            // Dropped, the job tells that the machine is out of reach.
            return;
        }
        if orders.len() >= MAILBOX_MAX {
            self.mailbox.jobs_refused.fetch_add(1, Ordering::Relaxed);
            job.outcome.tell(Err(ApplyError::Busy));
            return;
        }
        orders.push_back(Order::Job(place, job));
        drop(orders);
        self.mailbox.waker.wake();
    }

    /// Orders anything but a job. There are never more of them than the configuration of the fleet has changes, so that the
    /// mailbox has room for them beside its jobs.
    pub(crate) fn order(&self, order: Order) {
        self.mailbox.put(order);
    }

    /// Where other shards hand BMCs over to it.
    pub(crate) fn mailbox(&self) -> Arc<Mailbox> {
        Arc::clone(&self.mailbox)
    }

    /// What the engine did, as of a few milliseconds ago.
    pub(crate) fn figures(&self) -> ShardFigures {
        ShardFigures {
            has_failed: self.has_failed(),
            ..*lock(&self.mailbox.figures)
        }
    }

    /// Whether its thread has ended though nobody asked for that: nobody asks its BMCs any more.
    pub(crate) fn has_failed(&self) -> bool {
        let is_closing = self.mailbox.closing.load(Ordering::Acquire);
        !is_closing && self.thread.as_ref().is_some_and(JoinHandle::is_finished)
    }

    /// Begins to close all sessions.
    pub(crate) fn begin_close(&self) {
        self.mailbox.closing.store(true, Ordering::Release);
        self.mailbox.waker.wake();
    }

    /// Its thread, to be waited for; `None` where somebody has taken it already.
    pub(crate) fn take_thread(&mut self) -> Option<Running> {
        self.thread.take().map(Running)
    }
}

/// The thread of a shard.
pub(crate) struct Running(JoinHandle<()>);

impl Running {
    /// Waits until all its sessions are closed, which ends within [`CLOSE_MAX`] and a little after
    /// [`Shard::begin_close`]. The thread doesn't wait for itself: it ends by and by.
    pub(crate) fn join(self) {
        let Self(thread) = self;
        if thread.thread().id() != thread::current().id() && thread.join().is_err() {
            tracing::error!("a fleet thread ended by a panic; its sessions were not closed");
        }
    }
}

/// Whether this thread fails at this moment: what is dropped may be half done.
pub(crate) fn is_failing() -> bool {
    thread::panicking()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Driver {
    socket: Socket,
    port: u16,
    make: Make,
    engine: Engine,
    clock: Clock,
    mailbox: Arc<Mailbox>,
    /// Taken out of the mailbox and not carried out yet.
    orders: VecDeque<Order>,
    /// BMCs that the engine is to take up before that.
    coming: VecDeque<Coming>,
    /// BMCs of an engine that has failed, which the next one is to take up.
    salvaged: VecDeque<Salvaged>,
    /// The one that is being handed over at this moment.
    handing: Option<HandOver>,
    arrivals: Arrivals,
    random: RandomBytes,
    received: ReceiveBatch,
    sending: SendBatch,
    flow: Flow,
    /// When the thread ends, whether or not all sessions are closed by then.
    close_by: Option<Instant>,
    failures: Failures,
    wall_clock_at: Instant,
    started_at: Instant,
    /// Time slept since then.
    idle: Duration,
    sends_refused: u64,
    truncated: u64,
    report: Report,
}

impl Drop for Driver {
    /// Whoever waits for a job that was not taken any more is told, also when a thread ends by a panic.
    fn drop(&mut self) {
        lock(&self.mailbox.orders).clear();
    }
}

/// What a turn left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backlog {
    /// Nothing: sleep until something happens.
    None,
    /// More to receive or to send: no sleep.
    More,
    /// The kernel has no room to send: sleep until it has.
    Blocked,
}

impl Driver {
    /// Works to the end. An engine that panics is not used any more: another one takes up its BMCs, a bounded number of times.
    fn run(mut self) {
        loop {
            // Nothing but the engine is left half done by a panic.
            let worked = panic::catch_unwind(AssertUnwindSafe(|| self.work()));
            let Err(payload) = worked else { return };
            if !self.recover(failure::cause(&*payload)) {
                return;
            }
        }
    }

    /// Takes turns until it is closed.
    fn work(&mut self) {
        let mut now = self.clock.now();
        let mut backlog = Backlog::None;
        loop {
            now = self.wait(now, backlog);
            if self.close_by.is_none() && self.mailbox.closing.load(Ordering::Acquire) {
                self.take_orders(now);
                self.engine.close(now);
                self.close_by = Some(now + CLOSE_MAX);
            }
            backlog = self.turn(now);
            self.show_figures(now, backlog);
            if let Some(close_by) = self.close_by {
                if self.engine.is_closed() {
                    break;
                }
                if now >= close_by {
                    tracing::warn!("some BMCs did not confirm the end of their session");
                    break;
                }
            }
        }
    }

    /// Sleeps until there is something to do; returns when that is.
    fn wait(&mut self, now: Instant, backlog: Backlog) -> Instant {
        if backlog == Backlog::More {
            return self.clock.now();
        }
        let asleep_at = self.clock.now();
        let deadline = self.engine.next_deadline();
        let timeout = deadline.map_or(WAIT_MAX, |at| at.since(now).min(WAIT_MAX));
        let for_room = backlog == Backlog::Blocked;
        let waker = &self.mailbox.waker;
        let slept = if self.flow.dense && !for_room {
            let gather = match self.engine.is_hurried(now) {
                true => GATHER_HURRIED,
                false => GATHER,
            };
            waker.wait(gather).map(drop)
        } else {
            let waited = self.socket.wait(for_room, Some(waker), Some(timeout));
            waited.map(drop)
        };
        if let Err(error) = slept {
            self.complain(&error, "waiting for datagrams");
        }
        let awake_at = self.clock.now();
        self.idle += awake_at.since(asleep_at);
        awake_at
    }

    /// Hands the figures to whoever asks for them, before a sleep and every few milliseconds.
    fn show_figures(&mut self, now: Instant, backlog: Backlog) {
        if backlog == Backlog::More && !self.report.is_due(now) {
            return;
        }
        let running = now.since(self.started_at);
        let mut own = ShardFigures {
            running_ms: ms(running),
            busy_ms: ms(running.saturating_sub(self.idle)),
            ..ShardFigures::default()
        };
        own.counters.sends_refused = self.sends_refused;
        own.counters.dropped_by_kernel = u64::from(self.received.overflows());
        own.counters.dropped_truncated = self.truncated;
        own.counters.jobs_refused =
            self.mailbox.jobs_refused.load(Ordering::Relaxed) + self.arrivals.jobs_refused();
        *lock(&self.mailbox.figures) = self.report.figures(now, &self.engine, own);
    }

    fn turn(&mut self, now: Instant) -> Backlog {
        if now >= self.wall_clock_at {
            self.engine.set_wall_clock(now, unix_ms());
            self.wall_clock_at = now + WALL_CLOCK_EVERY;
        }
        let more_to_receive = self.receive(now);
        self.take_orders(now);
        self.engine.handle_timeouts(now);
        let backlog = self.transmit(now);
        if more_to_receive {
            Backlog::More
        } else {
            backlog
        }
    }

    /// Receives a batch of what is there; whether there may be more.
    fn receive(&mut self, now: Instant) -> bool {
        let count = match self.socket.recv(&mut self.received) {
            Ok(count) => count,
            Err(error) => {
                self.complain(&error, "receiving");
                return false;
            }
        };
        self.flow.note(now, count);
        let bytes = self.received.peek().map(|(_, bytes)| bytes);
        self.engine.expect(bytes, udp::prefetch);
        for datagram in self.received.datagrams_mut() {
            if datagram.truncated {
                self.truncated += 1;
                continue;
            }
            self.engine
                .handle_datagram(now, datagram.peer, datagram.bytes);
        }
        count >= MANY
    }

    fn take_orders(&mut self, now: Instant) {
        // Where that failed on one, the others are still to come.
        self.take_up(now);
        self.orders.append(&mut lock(&self.mailbox.orders));
        // One by one: where one fails, the others are still there.
        while let Some(order) = self.orders.pop_front() {
            if let Some(order) = self.arrivals.sift(order) {
                self.carry_out(now, order);
            }
        }
    }

    fn take_up(&mut self, now: Instant) {
        if !self.coming.is_empty() {
            self.engine.add(now, OneByOne(&mut self.coming));
        }
    }

    fn carry_out(&mut self, now: Instant, order: Order) {
        match order {
            Order::Job(place, job) => self.engine.submit(now, place, job),
            Order::Add(targets) => {
                self.coming = targets.into();
                self.take_up(now);
            }
            Order::Remove(place, last) => self.engine.remove(now, place, last),
            Order::Login(place, login) => self.engine.set_login(now, place, login),
            Order::Address(place, address) => self.engine.set_address(now, place, address),
            Order::Treatment(place, treatment) => {
                self.engine.set_treatment(now, place, &treatment);
            }
            Order::Labels(place, enclosure, labels) => {
                self.engine.set_labels(place, enclosure, labels);
            }
            Order::HandOver(place, address, to) => {
                let handing = self.handing.insert(HandOver {
                    place,
                    address,
                    coming: None,
                    to,
                });
                let coming = self.engine.hand_over(now, place, address);
                handing.coming = coming.map(Box::new);
                self.handing = None;
            }
            Order::Await(place) => self.arrivals.await_one(place),
            Order::Arrive(place, coming) => {
                for order in self.arrivals.arrived(place).into_iter().rev() {
                    self.orders.push_front(order);
                }
                self.coming.extend(coming.map(|coming| *coming));
                self.take_up(now);
            }
            #[cfg(test)]
            Order::Fail(place) => self.engine.fail(place),
        }
    }

    /// Sends what the engine has to send, up to a bound.
    fn transmit(&mut self, now: Instant) -> Backlog {
        for _ in 0..BATCHES_A_TURN {
            let exhausted = self.fill(now);
            match self.socket.send(&mut self.sending) {
                Ok(sent) => {
                    if sent.refused > 0 {
                        // The session repeats them, and says "no answer" in the end.
                        self.sends_refused += sent.refused as u64;
                        tracing::debug!(refused = sent.refused, "datagrams can't be sent");
                    }
                    if sent.blocked {
                        return Backlog::Blocked;
                    }
                }
                Err(error) => {
                    self.sends_refused += self.sending.len() as u64;
                    self.sending.clear();
                    self.complain(&error, "sending");
                    return Backlog::More;
                }
            }
            if exhausted {
                return Backlog::None;
            }
        }
        Backlog::More
    }

    /// Fills the batch; whether the engine has nothing left.
    fn fill(&mut self, now: Instant) -> bool {
        let Self {
            engine,
            random,
            sending,
            ..
        } = self;
        let mut entropy = |bytes: &mut [u8]| random.fill(bytes);
        while let Ok(pushed) = sending.push_with(|buffer| {
            let (to, len) = engine.poll_transmit(now, &mut entropy, buffer)?;
            Some((to, None, len))
        }) {
            if !pushed {
                return true;
            }
        }
        false
    }

    fn complain(&self, error: &io::Error, doing: &str) {
        tracing::warn!(%error, "the fleet's socket: {doing}");
        thread::sleep(ERROR_PAUSE);
    }
}
