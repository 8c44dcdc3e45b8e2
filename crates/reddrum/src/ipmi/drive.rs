//! The only IO towards BMCs: one thread that moves datagrams between one socket and an [`Engine`].

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ipmi::time::Instant;
use tokio::signal::unix::{SignalKind, signal};
use udp::{BATCH_LEN, Options, RandomBytes, ReceiveBatch, SendBatch, Socket, Waker};

use super::engine::Engine;
use super::talk::Outcome;

/// How many batches are received, and how many are sent, before the other side has its turn.
const BATCHES_A_TURN: usize = 8;

/// How long answers are gathered while many hosts are asked. To be woken by each answer would cost several system calls
/// a datagram; no host notices the delay.
const GATHER: Duration = Duration::from_micros(100);

/// With fewer hosts on their way each answer is taken as it comes: there is not much to gather.
const GATHER_FROM: usize = 16;

/// The longest sleep.
const WAIT_MAX: Duration = Duration::from_millis(500);

/// How long closing the sessions may take after an interruption.
const CLOSE_MAX: Duration = Duration::from_secs(3);

/// Wanted size of the socket's receive buffer, in bytes: an answer from every slot at once.
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;

/// Addresses as one socket can reach them all: IPv4 ones are mapped into IPv6 where any is IPv6 (RFC 4291 §2.5.5.2).
pub(crate) fn for_one_socket(addresses: &mut [SocketAddr]) {
    if addresses.iter().any(SocketAddr::is_ipv6) {
        for address in addresses {
            if let IpAddr::V4(v4) = address.ip() {
                address.set_ip(IpAddr::V6(v4.to_ipv6_mapped()));
            }
        }
    }
}

/// Hears of each host as it is done, and every now and then of none; of hosts under way how far they are.
pub(super) trait Listener {
    /// Hosts that are done, and what others say of how far they are, each with its number.
    fn hear(&mut self, done: Vec<(usize, Outcome)>, progress: Vec<(usize, String)>);
}

/// Runs the engine to its end.
///
/// # Errors
/// The operating system gives no socket, or the socket fails.
pub(super) fn run(engine: Engine, ipv6: bool, listener: &mut impl Listener) -> io::Result<()> {
    let address: SocketAddr = if ipv6 {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    };
    let options = Options {
        receive_buffer_bytes: Some(RECEIVE_BUFFER_BYTES),
        ..Options::default()
    };
    let interrupt = Interrupt::listen()?;
    let driver = Driver {
        socket: Socket::bind(address, options)?,
        engine,
        interrupt,
        origin: std::time::Instant::now(),
        random: RandomBytes::new()?,
        received: ReceiveBatch::new(),
        sending: SendBatch::new(),
        flows: false,
    };
    driver.run(listener)
}

/// The operator's wish to end the program early.
pub(super) struct Interrupt {
    asked: AtomicBool,
    waker: Waker,
}

impl Interrupt {
    /// Whether there is that wish.
    pub(super) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }

    /// Wakes whoever waits for it.
    pub(super) const fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Listens for it (Ctrl-C, SIGTERM, SIGHUP) from now on, on a thread that ends with the program.
    pub(super) fn listen() -> io::Result<Arc<Self>> {
        let interrupt = Arc::new(Self {
            asked: AtomicBool::new(false),
            waker: Waker::new()?,
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let guard = runtime.enter();
        let mut ctrl_c = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        drop(guard);
        let asked = Arc::clone(&interrupt);
        let wait = move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = ctrl_c.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hang_up.recv() => {}
                }
            });
            asked.asked.store(true, Ordering::Release);
            asked.waker.wake();
        };
        thread::Builder::new().name("signals".into()).spawn(wait)?;
        Ok(interrupt)
    }
}

struct Driver {
    socket: Socket,
    engine: Engine,
    interrupt: Arc<Interrupt>,
    origin: std::time::Instant,
    random: RandomBytes,
    received: ReceiveBatch,
    sending: SendBatch,
    /// The last turn received something: more is on its way.
    flows: bool,
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
    fn run(mut self, listener: &mut impl Listener) -> io::Result<()> {
        let mut close_by = None;
        self.engine.start_waiting(self.now());
        let mut backlog = self.transmit(self.now())?;
        while !self.engine.is_done() {
            self.wait(backlog)?;
            let now = self.now();
            if close_by.is_none() && self.interrupt.was_asked() {
                self.engine.interrupt(now);
                close_by = Some(now + CLOSE_MAX);
            }
            if close_by.is_some_and(|by| by <= now) {
                self.engine.abandon();
            }
            let more_to_receive = self.receive(now)?;
            self.engine.handle_timeouts(now);
            backlog = self.transmit(now)?;
            if more_to_receive {
                backlog = Backlog::More;
            }
            self.tell(listener);
        }
        self.tell(listener);
        Ok(())
    }

    fn tell(&mut self, listener: &mut impl Listener) {
        let progress = self.engine.take_progress();
        listener.hear(self.engine.take_finished(), progress);
    }

    fn now(&self) -> Instant {
        Instant::ORIGIN + self.origin.elapsed()
    }

    fn wait(&self, backlog: Backlog) -> io::Result<()> {
        if self.flows && backlog == Backlog::None && self.engine.under_way() >= GATHER_FROM {
            thread::sleep(GATHER);
            return Ok(());
        }
        let timeout = match (backlog, self.engine.next_deadline()) {
            (Backlog::More, _) => Duration::ZERO,
            (_, Some(deadline)) => deadline.since(self.now()).min(WAIT_MAX),
            (_, None) => WAIT_MAX,
        };
        let for_room = backlog == Backlog::Blocked;
        self.socket
            .wait(for_room, Some(&self.interrupt.waker), Some(timeout))?;
        Ok(())
    }

    /// Receives what is there, up to a bound; whether there may be more.
    fn receive(&mut self, now: Instant) -> io::Result<bool> {
        self.flows = false;
        for _ in 0..BATCHES_A_TURN {
            let count = self.socket.recv(&mut self.received)?;
            self.flows |= count > 0;
            for datagram in self.received.datagrams_mut() {
                self.engine
                    .handle_datagram(now, datagram.peer, datagram.bytes);
            }
            if count < BATCH_LEN {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Sends what the engine has to send, up to a bound.
    fn transmit(&mut self, now: Instant) -> io::Result<Backlog> {
        for _ in 0..BATCHES_A_TURN {
            let exhausted = self.fill(now);
            let sent = self.socket.send(&mut self.sending)?;
            if sent.refused > 0 {
                // The session repeats them, and says "no answer" in the end.
                tracing::debug!(refused = sent.refused, "datagrams can't be sent");
            }
            if sent.blocked {
                return Ok(Backlog::Blocked);
            }
            if exhausted {
                return Ok(Backlog::None);
            }
        }
        Ok(Backlog::More)
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stay_as_they_are_unless_both_families_are_there() {
        let v4: SocketAddr = "10.0.0.1:623".parse().unwrap();
        let v6: SocketAddr = "[fd00::1]:623".parse().unwrap();
        let mut alone = [v4];
        for_one_socket(&mut alone);
        assert_eq!(alone, [v4]);
        let mut mixed = [v4, v6];
        for_one_socket(&mut mixed);
        assert_eq!(mixed, ["[::ffff:10.0.0.1]:623".parse().unwrap(), v6]);
    }
}
