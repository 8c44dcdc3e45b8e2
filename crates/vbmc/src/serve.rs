//! The only IO of this crate: all BMCs on one UDP socket.
//!
//! The socket is bound to the wildcard address, and `IP_PKTINFO` tells for each datagram which address it was sent to:
//! one socket serves 127.16.0.0/16 and 127.17.0.0/16. What arrives for any other address is dropped, so nothing is
//! reachable from outside this host.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ipmi::entropy::Entropy;
use ipmi::time::Instant;
use udp::{Options, RandomBytes, ReceiveBatch, SendBatch, Socket, Waker};

use crate::bmcs::{Bmcs, Reply};

/// The port that virtual BMCs listen on unless told otherwise.
pub const PORT_DEFAULT: u16 = 6230;

/// How often serial ports are looked at while a console has one.
const SERIAL_EVERY: Duration = Duration::from_millis(20);

/// The most replies that wait because of a fault's delay or doubling; more are dropped.
pub const DELAYED_MAX: usize = 65_536;

/// Wanted size of the socket's buffers, in bytes: a burst of one request to each of 50,000 BMCs.
const BUFFER_BYTES: usize = 32 << 20;

/// Virtual time that runs with the real one.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: std::time::Instant,
    epoch_s: u64,
}

impl Clock {
    /// A clock whose origin is now.
    #[must_use]
    pub fn start() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            origin: std::time::Instant::now(),
            epoch_s: since_epoch.as_secs(),
        }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::ORIGIN + self.origin.elapsed()
    }

    /// Seconds since 1970 at the origin.
    #[must_use]
    pub const fn epoch_s(&self) -> u64 {
        self.epoch_s
    }
}

/// A thread that serves all BMCs of a site. Ends when told to or dropped.
#[derive(Debug)]
pub struct Server {
    bmcs: Arc<Bmcs>,
    port: u16,
    stop: Arc<Stop>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

#[derive(Debug)]
struct Stop {
    wanted: AtomicBool,
    waker: Waker,
}

impl Server {
    /// Binds the port (0 = any free one) and starts the thread.
    ///
    /// # Errors
    /// As the operating system says: port in use, or an unprivileged process below port 1024.
    pub fn start(bmcs: Arc<Bmcs>, clock: Clock, port: u16) -> io::Result<Self> {
        let options = Options {
            pktinfo: true,
            receive_buffer_bytes: Some(BUFFER_BYTES),
            send_buffer_bytes: Some(BUFFER_BYTES),
        };
        let address = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port);
        let socket = Socket::bind(SocketAddr::V4(address), options)?;
        let port = socket.local_addr()?.port();
        bmcs.set_port(port);
        let stop = Arc::new(Stop {
            wanted: AtomicBool::new(false),
            waker: Waker::new()?,
        });
        let service = Service {
            socket,
            clock,
            bmcs: Arc::clone(&bmcs),
            stop: Arc::clone(&stop),
            random: RandomBytes::new()?,
            send: SendBatch::new(),
            answered: Vec::with_capacity(udp::BATCH_LEN),
            delayed: BinaryHeap::new(),
        };
        let thread = std::thread::Builder::new()
            .name("vbmc".into())
            .spawn(move || service.run())?;
        tracing::info!(
            port,
            machines = bmcs.site().len(),
            "virtual BMCs are listening"
        );
        Ok(Self {
            bmcs,
            port,
            stop,
            thread: Some(thread),
        })
    }

    /// The BMCs.
    #[must_use]
    pub const fn bmcs(&self) -> &Arc<Bmcs> {
        &self.bmcs
    }

    /// The port that they listen on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Ends the thread and waits for its end.
    ///
    /// # Errors
    /// What had ended the thread before, as the operating system said.
    pub fn stop(mut self) -> io::Result<()> {
        self.join()
    }

    fn join(&mut self) -> io::Result<()> {
        self.stop.wanted.store(true, Ordering::Release);
        self.stop.waker.wake();
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("the thread of the virtual BMCs panicked")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.join() {
            tracing::error!(%error, "the virtual BMCs had stopped answering");
        }
    }
}

/// What the thread owns.
struct Service {
    socket: Socket,
    clock: Clock,
    bmcs: Arc<Bmcs>,
    stop: Arc<Stop>,
    random: RandomBytes,
    send: SendBatch,
    /// Commands whose answer is in `send`: machine and mark.
    answered: Vec<(u32, u32)>,
    delayed: BinaryHeap<Reverse<Delayed>>,
}

/// A reply that has to wait. Ordered by time.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Delayed {
    at: Instant,
    peer: SocketAddr,
    local: Ipv4Addr,
    /// The command that it answers: machine and mark.
    command: Option<(u32, u32)>,
    bytes: Vec<u8>,
}

impl Service {
    fn run(mut self) -> io::Result<()> {
        let mut receive = ReceiveBatch::new();
        while !self.stop.wanted.load(Ordering::Acquire) {
            if self.socket.recv(&mut receive)? == 0 {
                self.socket
                    .wait(false, Some(&self.stop.waker), self.until_next())?;
            }
            let now = self.clock.now();
            let locals = receive.peek().filter_map(|(local, _)| local);
            self.bmcs.expect(locals, udp::prefetch);
            for datagram in receive.datagrams_mut() {
                let Some(local) = datagram.local.filter(|_| !datagram.truncated) else {
                    continue;
                };
                self.serve(now, (local, datagram.peer), |bmcs, entropy, out| {
                    let (peer, bytes) = (datagram.peer, datagram.bytes);
                    bmcs.handle(now, entropy, local, peer, bytes, out)
                })?;
            }
            while let Some(mut held) = self.bmcs.next_held(now) {
                self.serve(now, (held.local, held.from), |bmcs, entropy, out| {
                    bmcs.handle_held(now, entropy, &mut held, out)
                })?;
            }
            self.release_delayed(now)?;
            self.serial(now)?;
            self.flush()?;
        }
        Ok(())
    }

    /// Sends what serial ports have for consoles.
    fn serial(&mut self, now: Instant) -> io::Result<()> {
        if !self.bmcs.has_sol() {
            return Ok(());
        }
        let mut packets = Vec::new();
        let (bmcs, random) = (Arc::clone(&self.bmcs), &mut self.random);
        let mut entropy = |bytes: &mut [u8]| random.fill(bytes);
        bmcs.poll_sol(now, &mut entropy, &mut |local, peer, packet| {
            packets.push((local, peer, packet.to_vec()));
        });
        for (local, peer, packet) in packets {
            if self.send.is_full() {
                self.flush()?;
            }
            // It was made sure that there is room.
            let _ = self.send.push(peer, Some(local), |out| {
                out[..packet.len()].copy_from_slice(&packet);
                packet.len()
            });
        }
        Ok(())
    }

    /// Until when nothing has to be done unless something comes.
    fn until_next(&self) -> Option<Duration> {
        let delayed = self.delayed.peek().map(|Reverse(next)| next.at);
        let next = [delayed, self.bmcs.held_until()].into_iter().flatten();
        let delayed = next.min().map(|at| at.since(self.clock.now()));
        if self.bmcs.has_sol() {
            Some(delayed.map_or(SERIAL_EVERY, |delayed| delayed.min(SERIAL_EVERY)))
        } else {
            delayed
        }
    }

    fn serve(
        &mut self,
        now: Instant,
        (local, peer): (Ipv4Addr, SocketAddr),
        handle: impl FnOnce(&Bmcs, &mut dyn Entropy, &mut [u8]) -> Option<Reply>,
    ) -> io::Result<()> {
        if self.send.is_full() {
            self.flush()?;
        }
        let (bmcs, random) = (&self.bmcs, &mut self.random);
        let mut reply: Option<Reply> = None;
        let mut late: Option<Vec<u8>> = None;
        let pushed = self.send.push(peer, Some(local), |out| {
            reply = handle(bmcs, &mut |bytes: &mut [u8]| random.fill(bytes), out);
            let Some(reply) = &reply else { return 0 };
            if reply.duplicate || !reply.delay.is_zero() {
                late = Some(out[..reply.len].to_vec());
            }
            if reply.delay.is_zero() { reply.len } else { 0 }
        });
        // It was made sure that there is room.
        let (Ok(()), Some(reply)) = (pushed, reply) else {
            return Ok(());
        };
        let command = reply.command.map(|mark| (reply.index, mark));
        match late {
            None => self.answered.extend(command),
            Some(bytes) => self.hold_back(now, local, peer, &reply, bytes),
        }
        Ok(())
    }

    /// The slow path of a faulty BMC: replies that come late or twice.
    fn hold_back(
        &mut self,
        now: Instant,
        local: Ipv4Addr,
        peer: SocketAddr,
        reply: &Reply,
        bytes: Vec<u8>,
    ) {
        let command = reply.command.map(|mark| (reply.index, mark));
        let copies = usize::from(reply.duplicate) + usize::from(!reply.delay.is_zero());
        if bytes.is_empty() || self.delayed.len() + copies > DELAYED_MAX {
            self.answered.extend(command);
            return;
        }
        let at = now + reply.delay;
        if reply.delay.is_zero() {
            // The first copy is in the batch already.
            self.answered.extend(command);
            self.delayed.push(Reverse(Delayed {
                at,
                peer,
                local,
                command: None,
                bytes,
            }));
            return;
        }
        if reply.duplicate {
            let bytes = bytes.clone();
            self.delayed.push(Reverse(Delayed {
                at,
                peer,
                local,
                command: None,
                bytes,
            }));
        }
        self.delayed.push(Reverse(Delayed {
            at,
            peer,
            local,
            command,
            bytes,
        }));
    }

    fn release_delayed(&mut self, now: Instant) -> io::Result<()> {
        while self
            .delayed
            .peek()
            .is_some_and(|Reverse(next)| next.at <= now)
        {
            if self.send.is_full() {
                self.flush()?;
            }
            let Some(Reverse(due)) = self.delayed.pop() else {
                break;
            };
            // It was made sure that there is room.
            let _ = self.send.push(due.peer, Some(due.local), |out| {
                out[..due.bytes.len()].copy_from_slice(&due.bytes);
                due.bytes.len()
            });
            self.answered.extend(due.command);
        }
        Ok(())
    }

    /// Sends what is in the batch, waiting for room where there is none, unless it is time to stop.
    fn flush(&mut self) -> io::Result<()> {
        for (index, mark) in self.answered.drain(..) {
            self.bmcs.answered(index, mark);
        }
        while self.socket.send(&mut self.send)?.blocked && !self.stop.wanted.load(Ordering::Acquire)
        {
            self.socket.wait(true, Some(&self.stop.waker), None)?;
        }
        Ok(())
    }
}
