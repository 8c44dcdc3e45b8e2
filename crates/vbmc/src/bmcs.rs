//! Every machine's management controller, found by its address. No IO: datagrams in, replies out.

mod ahead;
mod seat;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipmi::bmc::{Bmc, Config};
use ipmi::command::app::Guid;
use ipmi::entropy::Entropy;
use ipmi::quirk::{GAP_MS, Quirk, Quirks};
use ipmi::time::Instant;
use ipmi::wire::{DATAGRAM_MAX, rmcp};

use crate::fault::{Fate, Faults, HELD_FOR};
use crate::held::{Held, HeldBack};
use crate::site::Site;
use seat::Seat;

/// How late an answer is, and one in how many, where a defect says so: between a console's first and third sending.
const SLOW: Duration = Duration::from_millis(1_200);
const SLOW_EVERY: u64 = 16;

/// The most commands of one controller that are known as not yet answered. Beyond that the first ones are forgotten: whoever reports no
/// answer with [`Bmcs::answered`] is not to fill memory.
const IN_FLIGHT_MAX: usize = 64;

/// What comes sooner after the last answer is dropped with [`Quirk::NeedsGap`].
const GAP: Duration = Duration::from_millis(GAP_MS as u64);

/// The management controllers of a site.
#[derive(Debug)]
pub struct Bmcs {
    site: Arc<Site>,
    fronts: Box<[Mutex<Front>]>,
    datagrams: AtomicU64,
    replies: AtomicU64,
    strays: AtomicU64,
    commands: AtomicU64,
    too_soon: AtomicU64,
    in_flight_max: AtomicU32,
    held: HeldBack,
    /// Controllers on which a console has serial over LAN.
    sol: Mutex<Vec<u32>>,
    /// The UDP port of all of them.
    port: AtomicU16,
}

/// One controller's protocol half.
#[derive(Debug)]
struct Front {
    bmc: Bmc,
    config: Arc<Config>,
    faults: Option<Box<Faults>>,
    datagrams: u64,
    /// Packets with characters that were sent unasked.
    sol_packets: u64,
    commands: u64,
    /// Marks of the commands carried out of which no answer is under way yet. What a console repeats is no other command, though it
    /// be carried out again; and any answer to it will do.
    in_flight: Vec<u32>,
    in_flight_max: u32,
    /// When the last answer went out.
    answered_at: Option<Instant>,
    /// Datagrams dropped because they came too soon after that.
    too_soon: u64,
}

/// A reply to be sent back to the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Which machine answers.
    pub index: u32,
    /// Length of the reply in the caller's buffer; 0 = it is lost, but the command was carried out.
    pub len: usize,
    /// To be sent twice.
    pub duplicate: bool,
    /// To be sent this much later.
    pub delay: Duration,
    /// The mark of the device's command that it answers: to be reported with [`Bmcs::answered`] when it is sent.
    pub command: Option<u32>,
}

/// A datagram that has arrived at a controller, and what comes of it.
struct Call<'a> {
    index: u32,
    now: Instant,
    entropy: &'a mut dyn Entropy,
    local: Ipv4Addr,
    from: SocketAddr,
    datagram: &'a mut [u8],
    fate: Fate,
    out: &'a mut [u8],
}

/// What all controllers together did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams that arrived.
    pub datagrams: u64,
    /// Replies made.
    pub replies: u64,
    /// Datagrams for an address at which there is nobody.
    pub strays: u64,
    /// Commands that a device carried out. Repeats of a request that changes something are answered but not carried out again;
    /// one that reads is.
    pub commands: u64,
    /// Datagrams that came too soon after an answer, to controllers with [`Quirk::NeedsGap`]: these dropped them.
    pub too_soon: u64,
    /// The most commands that any one controller had carried out and not yet answered, 64 at most. One that is repeated counts once.
    pub in_flight_max: u32,
}

/// What one controller did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BmcCounters {
    /// Datagrams that arrived for it.
    pub datagrams: u64,
    /// Commands that its device carried out.
    pub commands: u64,
    /// Datagrams that it dropped because they came too soon after an answer ([`Quirk::NeedsGap`]).
    pub too_soon: u64,
    /// The most commands that it had carried out and not yet answered.
    pub in_flight_max: u32,
    /// Sessions now, those in set-up included.
    pub sessions: usize,
}

impl Bmcs {
    /// Controllers for all machines of `site`, all with the users, suites and limits of `access`. Each gets a GUID of
    /// its own in place of that in `access`.
    #[must_use]
    pub fn new(site: Arc<Site>, access: &Config) -> Self {
        let front = |index| {
            let guid = site.guid(index);
            let config = Arc::new(Config {
                guid,
                ..access.clone()
            });
            let bmc = Bmc::new(Arc::clone(&config));
            let (datagrams, commands) = (0, 0);
            Mutex::new(Front {
                bmc,
                config,
                faults: None,
                datagrams,
                sol_packets: 0,
                commands,
                in_flight: Vec::new(),
                in_flight_max: 0,
                answered_at: None,
                too_soon: 0,
            })
        };
        let fronts = (0..site.len()).map(front).collect();
        let zero = || AtomicU64::new(0);
        let (datagrams, replies, strays, commands) = (zero(), zero(), zero(), zero());
        Self {
            site,
            fronts,
            datagrams,
            replies,
            strays,
            commands,
            too_soon: zero(),
            in_flight_max: AtomicU32::new(0),
            held: HeldBack::default(),
            sol: Mutex::new(Vec::new()),
            port: AtomicU16::new(rmcp::PORT),
        }
    }

    /// The machines.
    #[must_use]
    pub const fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// Handles one datagram that `from` sent to the controller at `local`; a reply is written to `out`, which needs
    /// room for [`ipmi::wire::DATAGRAM_MAX`] bytes. The datagram is decrypted in place. A fault may hold it back, see
    /// [`Self::next_held`].
    pub fn handle(
        &self,
        now: Instant,
        entropy: &mut dyn Entropy,
        local: Ipv4Addr,
        from: SocketAddr,
        datagram: &mut [u8],
        out: &mut [u8],
    ) -> Option<Reply> {
        self.datagrams.fetch_add(1, Ordering::Relaxed);
        let Some(index) = self.site.index_at(local) else {
            self.strays.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let mut front = self.front(index);
        front.datagrams += 1;
        let fate = front.fate(now);
        if fate.drop_request {
            return None;
        }
        if fate.hold_request {
            self.held
                .keep(now + HELD_FOR, (local, from), datagram, fate);
            return None;
        }
        self.respond(
            &mut front,
            Call {
                index,
                now,
                entropy,
                local,
                from,
                datagram,
                fate,
                out,
            },
        )
    }

    /// When the next datagram goes on that a fault holds back.
    #[must_use]
    pub fn held_until(&self) -> Option<Instant> {
        self.held.next_at()
    }

    /// The next datagram that was held back, and goes on by `now`: to be handled by [`Self::handle_held`].
    pub fn next_held(&self, now: Instant) -> Option<Held> {
        self.held.next(now)
    }

    /// Handles a datagram that was held back, as [`Self::handle`] does others.
    pub fn handle_held(
        &self,
        now: Instant,
        entropy: &mut dyn Entropy,
        held: &mut Held,
        out: &mut [u8],
    ) -> Option<Reply> {
        let index = self.site.index_at(held.local)?;
        self.respond(
            &mut self.front(index),
            Call {
                index,
                now,
                entropy,
                local: held.local,
                from: held.from,
                datagram: &mut held.bytes,
                fate: held.fate,
                out,
            },
        )
    }

    fn respond(&self, front: &mut Front, call: Call<'_>) -> Option<Reply> {
        let Call {
            index,
            now,
            entropy,
            local,
            from,
            datagram,
            fate,
            out,
        } = call;
        if front.drops_as_too_soon(now, &self.too_soon) {
            return None;
        }
        let Front { bmc, config, .. } = &mut *front;
        let mut seat = Seat {
            site: &self.site,
            now,
            index,
            address: local,
            config,
            sessions: bmc.session_count(),
            commands: 0,
            restart: false,
            new_config: None,
            port: self.port.load(Ordering::Relaxed),
        };
        let len = bmc.handle_datagram(now, entropy, from, datagram, &mut seat, out);
        let command = seat.commands > 0;
        let (mark, repeats) = (bmc.request_mark(), bmc.repeats());
        if bmc.has_sol() {
            self.note_sol(index);
        }
        let new_config = seat.new_config.take();
        if seat.restart {
            bmc.reset();
        }
        if let Some(new_config) = new_config {
            // Users or keys were changed over IPMI.
            let new_config = Arc::new(new_config);
            bmc.set_config_as_asked(Arc::clone(&new_config));
            *config = new_config;
        }
        if command {
            self.commands.fetch_add(1, Ordering::Relaxed);
            front.commands += 1;
        }
        let lag = front.lag(command);
        let mut len = len?;
        if command && !repeats {
            front.owes(mark);
            self.note_in_flight(front.in_flight_max);
        }
        self.replies.fetch_add(1, Ordering::Relaxed);
        front.answered_at = Some(now + fate.delay + lag);
        if let Some(last) = out[..len].last_mut()
            && fate.corrupt
        {
            *last ^= 0x5a;
        }
        if fate.drop_reply {
            len = 0;
        }
        Some(Reply {
            index,
            len,
            duplicate: fate.duplicate,
            delay: fate.delay + lag,
            command: command.then_some(mark),
        })
    }

    /// Says at which UDP port the controllers are, where it isn't RMCP's own: consoles of serial over LAN check it.
    pub fn set_port(&self, port: u16) {
        self.port.store(port, Ordering::Relaxed);
    }

    fn note_sol(&self, index: u32) {
        let mut sol = self.sol.lock().unwrap_or_else(PoisonError::into_inner);
        if !sol.contains(&index) {
            sol.push(index);
        }
    }

    /// Whether a console has serial over LAN somewhere, so that [`Self::poll_sol`] is to be called some times a second.
    #[must_use]
    pub fn has_sol(&self) -> bool {
        let sol = self.sol.lock().unwrap_or_else(PoisonError::into_inner);
        !sol.is_empty()
    }

    /// Gives `send` each packet with characters of a serial port that is due: from which controller, to which console.
    pub fn poll_sol(
        &self,
        now: Instant,
        entropy: &mut dyn Entropy,
        send: &mut dyn FnMut(Ipv4Addr, SocketAddr, &[u8]),
    ) {
        let indices = self
            .sol
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for index in indices {
            let address = self.site.address(index);
            let mut front = self.front(index);
            let Front {
                bmc,
                config,
                faults,
                sol_packets,
                ..
            } = &mut *front;
            let mut seat = Seat {
                site: &self.site,
                now,
                index,
                address,
                config,
                sessions: bmc.session_count(),
                commands: 0,
                restart: false,
                new_config: None,
                port: self.port.load(Ordering::Relaxed),
            };
            let mut out = [0; DATAGRAM_MAX];
            while let Some((peer, len)) = bmc.poll_sol(now, entropy, &mut seat, &mut out) {
                // Numbered apart from what comes in: each sending has a fate of its own.
                *sol_packets += 1;
                let number = u64::MAX - *sol_packets;
                let fate = faults.as_ref().map(|faults| faults.fate(now, number));
                if !fate.is_some_and(|fate| fate.drop_reply) {
                    send(address, peer, &out[..len]);
                }
            }
            if !bmc.has_sol() {
                let mut sol = self.sol.lock().unwrap_or_else(PoisonError::into_inner);
                sol.retain(|active| *active != index);
            }
        }
    }

    /// A reply to a command of this machine is on its way: the one with this mark ([`Reply::command`]).
    pub fn answered(&self, index: u32, command: u32) {
        let in_flight = &mut self.front(index).in_flight;
        if let Some(place) = in_flight.iter().position(|mark| *mark == command) {
            in_flight.swap_remove(place);
        }
    }

    /// Sets or, with `None`, repairs what is wrong with a BMC. Nothing for an index without a machine.
    pub fn set_faults(&self, index: u32, faults: Option<Faults>) {
        if let Some(front) = self.fronts.get(index as usize) {
            lock(front).faults = faults.map(Box::new);
        }
    }

    /// Gives a BMC deviations from the specification, or with [`Quirks::NONE`] takes them away. Its sessions end. Nothing
    /// for an index without a machine.
    pub fn set_defects(&self, index: u32, defects: Quirks) {
        if let Some(front) = self.fronts.get(index as usize) {
            let mut front = lock(front);
            let config = Arc::new(Config {
                defects,
                ..(*front.config).clone()
            });
            front.bmc = Bmc::new(Arc::clone(&config));
            front.config = config;
        }
    }

    /// Gives a BMC another GUID, as one has that makes one up whenever it starts. Its sessions are lost.
    pub fn set_guid(&self, index: u32, guid: Guid) {
        if let Some(front) = self.fronts.get(index as usize) {
            let mut front = lock(front);
            let config = Arc::new(Config {
                guid,
                ..(*front.config).clone()
            });
            front.bmc = Bmc::new(Arc::clone(&config));
            front.config = config;
        }
    }

    /// Restarts a controller, as a cold reset does: all its sessions are lost. Its machine runs on.
    pub fn reset(&self, index: u32) {
        if let Some(front) = self.fronts.get(index as usize) {
            lock(front).bmc.reset();
            self.site.start_controller(index);
        }
    }

    /// What all controllers together did so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            datagrams: self.datagrams.load(Ordering::Relaxed),
            replies: self.replies.load(Ordering::Relaxed),
            strays: self.strays.load(Ordering::Relaxed),
            commands: self.commands.load(Ordering::Relaxed),
            too_soon: self.too_soon.load(Ordering::Relaxed),
            in_flight_max: self.in_flight_max.load(Ordering::Relaxed),
        }
    }

    /// What one controller did so far; `None` for an index without a machine.
    #[must_use]
    pub fn bmc_counters(&self, index: u32) -> Option<BmcCounters> {
        let front = lock(self.fronts.get(index as usize)?);
        let Front {
            datagrams,
            commands,
            too_soon,
            in_flight_max,
            ..
        } = *front;
        Some(BmcCounters {
            datagrams,
            commands,
            too_soon,
            in_flight_max,
            sessions: front.bmc.session_count(),
        })
    }

    /// Sessions of all controllers, those in set-up included.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.fronts
            .iter()
            .map(|front| lock(front).bmc.session_count())
            .sum()
    }

    fn note_in_flight(&self, count: u32) {
        // To look costs less than to write, and it hardly ever grows.
        if self.in_flight_max.load(Ordering::Relaxed) < count {
            self.in_flight_max.fetch_max(count, Ordering::Relaxed);
        }
    }

    fn front(&self, index: u32) -> MutexGuard<'_, Front> {
        lock(&self.fronts[index as usize])
    }
}

impl Front {
    /// A command was carried out whose answer is to come.
    fn owes(&mut self, mark: u32) {
        if self.in_flight.len() >= IN_FLIGHT_MAX {
            self.in_flight.remove(0);
        }
        self.in_flight.push(mark);
        self.in_flight_max = self.in_flight_max.max(self.in_flight.len() as u32);
    }

    /// How much later an answer comes than it should: with [`Quirk::DuplicateRefused`] some take long enough for the
    /// console to ask again.
    fn lag(&self, command: bool) -> Duration {
        let is_slow = self.config.defects.has(Quirk::DuplicateRefused)
            && command
            && self.commands.is_multiple_of(SLOW_EVERY);
        if is_slow { SLOW } else { Duration::ZERO }
    }

    /// Whether it drops what comes now; that is counted here and among `all`.
    fn drops_as_too_soon(&mut self, now: Instant, all: &AtomicU64) -> bool {
        let needs_gap = self.config.defects.has(Quirk::NeedsGap);
        let drops = needs_gap && self.answered_at.is_some_and(|at| now < at + GAP);
        if drops {
            self.too_soon += 1;
            all.fetch_add(1, Ordering::Relaxed);
        }
        drops
    }

    fn fate(&self, now: Instant) -> Fate {
        self.faults
            .as_ref()
            .map_or_else(Fate::default, |faults| faults.fate(now, self.datagrams))
    }
}

fn lock(front: &Mutex<Front>) -> MutexGuard<'_, Front> {
    // A front is consistent after each statement; a panic elsewhere while it was locked does not matter.
    front.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Site {
    /// The GUID of a machine, made from the site's seed; no two machines of a site have the same.
    #[must_use]
    pub fn guid(&self, index: u32) -> Guid {
        Guid(self.uuid(index).to_le_bytes())
    }
}
