//! Every machine's management controller, found by its address. No IO: datagrams in, replies out.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipmi::bmc::{Bmc, Config, Handler, Request, SerialPort};
use ipmi::command::app::Guid;
use ipmi::entropy::Entropy;
use ipmi::number::{CompletionCode, PrivilegeLevel};
use ipmi::quirk::{Quirk, Quirks};
use ipmi::sol::SolRetry;
use ipmi::time::Instant;
use ipmi::wire::{DATAGRAM_MAX, Writer, rmcp};

use crate::fault::{Fate, Faults, HELD_FOR};
use crate::handler::Device;
use crate::held::{Held, HeldBack};
use crate::site::Site;

/// How late an answer is, and one in how many, where a defect says so: between a console's first and third sending.
const SLOW: Duration = Duration::from_millis(1_200);
const SLOW_EVERY: u64 = 16;

/// The most commands of one controller that are known as not yet answered. Beyond that the first ones are forgotten: whoever reports no
/// answer with [`Bmcs::answered`] is not to fill memory.
const IN_FLIGHT_MAX: usize = 64;

/// The management controllers of a site.
#[derive(Debug)]
pub struct Bmcs {
    site: Arc<Site>,
    fronts: Box<[Mutex<Front>]>,
    datagrams: AtomicU64,
    replies: AtomicU64,
    strays: AtomicU64,
    commands: AtomicU64,
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
            if front.in_flight.len() >= IN_FLIGHT_MAX {
                front.in_flight.remove(0);
            }
            front.in_flight.push(mark);
            front.in_flight_max = front.in_flight_max.max(front.in_flight.len() as u32);
            self.in_flight_max
                .fetch_max(front.in_flight_max, Ordering::Relaxed);
        }
        self.replies.fetch_add(1, Ordering::Relaxed);
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

    /// Restarts a controller: all its sessions are lost. Its machine runs on.
    pub fn reset(&self, index: u32) {
        if let Some(front) = self.fronts.get(index as usize) {
            lock(front).bmc.reset();
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
            in_flight_max,
            ..
        } = *front;
        Some(BmcCounters {
            datagrams,
            commands,
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

    fn front(&self, index: u32) -> MutexGuard<'_, Front> {
        lock(&self.fronts[index as usize])
    }
}

impl Front {
    /// How much later an answer comes than it should: with [`Quirk::DuplicateRefused`] some take long enough for the
    /// console to ask again.
    fn lag(&self, command: bool) -> Duration {
        let is_slow = self.config.defects.has(Quirk::DuplicateRefused)
            && command
            && self.commands.is_multiple_of(SLOW_EVERY);
        if is_slow { SLOW } else { Duration::ZERO }
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

/// Wakes the machine only for what its session layer does not answer itself.
struct Seat<'a> {
    site: &'a Site,
    now: Instant,
    index: u32,
    address: Ipv4Addr,
    config: &'a Config,
    sessions: usize,
    commands: u32,
    restart: bool,
    new_config: Option<Config>,
    port: u16,
}

impl Seat<'_> {
    /// Does something with the device, and keeps what follows from it.
    fn with_device<T>(&mut self, act: impl FnOnce(&mut Device<'_>) -> T) -> T {
        let machine = &mut *self.site.machine(self.index, self.now);
        let Self {
            config,
            address,
            sessions,
            ..
        } = *self;
        let mut device = Device {
            machine,
            config,
            address,
            sessions,
            restart: false,
            new_config: None,
        };
        let done = act(&mut device);
        self.restart |= device.restart;
        self.new_config = device.new_config;
        done
    }
}

impl Seat<'_> {
    /// Looks at the device without changing it.
    fn look<T>(&self, look: impl FnOnce(&Device<'_>) -> T) -> T {
        look(&Device {
            machine: &mut self.site.machine(self.index, self.now),
            config: self.config,
            address: self.address,
            sessions: self.sessions,
            restart: false,
            new_config: None,
        })
    }
}

impl Handler for Seat<'_> {
    fn handle(&mut self, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
        self.commands += 1;
        self.with_device(|device| device.handle(request, response))
    }

    fn serial(&mut self) -> Option<&mut dyn SerialPort> {
        if self.with_device(|device| device.serial().is_some()) {
            Some(self)
        } else {
            None
        }
    }
}

impl SerialPort for Seat<'_> {
    fn permit(&self, user_id: u8, privilege: PrivilegeLevel) -> Result<(), CompletionCode> {
        self.look(|device| device.permit(user_id, privilege))
    }

    fn retry(&self) -> SolRetry {
        self.look(|device| device.retry())
    }

    fn udp_port(&self) -> u16 {
        self.port
    }

    fn write(&mut self, characters: &[u8]) {
        self.with_device(|device| device.write(characters));
    }

    fn read(&mut self, characters: &mut [u8]) -> usize {
        self.with_device(|device| device.read(characters))
    }
}

impl Site {
    /// The GUID of a machine, made from the site's seed; no two machines of a site have the same.
    #[must_use]
    pub fn guid(&self, index: u32) -> Guid {
        Guid(self.uuid(index).to_le_bytes())
    }
}
