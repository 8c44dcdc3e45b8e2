//! A relay between a console and a BMC that writes down every datagram: a capture without privileges. It can lose some.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::Result;

/// How long a direction waits for a datagram before it looks whether it should end.
const TICK: Duration = Duration::from_millis(20);
/// The largest datagram relayed; IPMI's are far smaller.
const DATAGRAM_MAX: usize = 2048;

/// Which way a datagram went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the console.
    ToBmc,
    /// From the BMC.
    ToConsole,
}

/// One datagram as it passed.
#[derive(Clone, Debug)]
pub(crate) struct Datagram {
    /// Which way.
    pub(crate) direction: Direction,
    /// The UDP payload.
    pub(crate) bytes: Vec<u8>,
    /// It got lost after it was written down.
    pub(crate) lost: bool,
}

/// What a relay loses, after it has written it down.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Loss {
    /// Of all datagrams, each way, in thousandths.
    pub(crate) permille: u64,
}

impl Loss {
    /// Whether datagram number `count` gets lost: always the same ones, spread at random.
    fn hits(self, count: u64) -> bool {
        // SplitMix64's finalizer.
        let mut hash = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (hash ^ hash >> 31) % 1_000 < self.permille
    }
}

/// Whether a datagram is a packet of serial over LAN (IPMI 2.0 §13.6, table 13-8): RMCP+, payload type 1.
pub(crate) fn is_sol(bytes: &[u8]) -> bool {
    const RMCP_PLUS: u8 = 6;
    matches!(bytes, [6, 0, 0xff, 7, RMCP_PLUS, payload, ..] if payload & 0x3f == 1)
}

/// State that both directions share.
struct Shared {
    loss: Loss,
    seen: AtomicU64,
    lost: AtomicU64,
    console_side: UdpSocket,
    bmc_side: UdpSocket,
    console: Mutex<Option<SocketAddr>>,
    record: Mutex<Vec<Datagram>>,
    stop: AtomicBool,
}

/// A running relay.
pub(crate) struct Relay {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    /// Where a console finds it, on 127.0.0.1.
    pub(crate) port: u16,
}

impl Relay {
    /// Relays between a free port on 127.0.0.1 and `bmc`. Answers go to the console heard last.
    ///
    /// # Errors
    /// Where a socket can't be opened.
    pub(crate) fn start(bmc: SocketAddr) -> Result<Self> {
        Self::lossy(bmc, Loss::default())
    }

    /// The same, and some datagrams get lost.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub(crate) fn lossy(bmc: SocketAddr, loss: Loss) -> Result<Self> {
        let console_side = bind_low()?;
        let bmc_side = UdpSocket::bind("127.0.0.1:0")?;
        bmc_side.connect(bmc)?;
        console_side.set_read_timeout(Some(TICK))?;
        bmc_side.set_read_timeout(Some(TICK))?;
        let port = console_side.local_addr()?.port();
        let shared = Arc::new(Shared {
            loss,
            seen: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            console_side,
            bmc_side,
            console: Mutex::new(None),
            record: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let threads = [Direction::ToBmc, Direction::ToConsole]
            .map(|direction| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.relay(direction))
            })
            .into();
        Ok(Self {
            shared,
            threads,
            port,
        })
    }

    /// How many datagrams it lost so far.
    pub(crate) fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Hands out what passed so far, in order, and begins a new record.
    pub(crate) fn forget(&self) -> Vec<Datagram> {
        std::mem::take(&mut *lock(&self.shared.record))
    }

    /// Ends it and hands out what passed, in order.
    pub(crate) fn finish(self) -> Vec<Datagram> {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            let _ = thread.join();
        }
        std::mem::take(&mut *lock(&self.shared.record))
    }
}

/// A free port on 127.0.0.1 below 32,768: FreeIPMI's ipmiconsole calls a host with a higher one invalid.
fn bind_low() -> Result<UdpSocket> {
    let sockets = (24_000..32_768).map(|port| UdpSocket::bind(("127.0.0.1", port)));
    let mut bound = sockets.filter_map(std::io::Result::ok);
    bound.next().ok_or_else(|| "no free UDP port".into())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Whether this one gets lost.
    fn loses(&self) -> bool {
        let count = self.seen.fetch_add(1, Ordering::Relaxed);
        let lost = self.loss.hits(count);
        self.lost.fetch_add(lost.into(), Ordering::Relaxed);
        lost
    }

    fn relay(&self, direction: Direction) {
        let mut buffer = [0; DATAGRAM_MAX];
        while !self.stop.load(Ordering::Relaxed) {
            // Time-outs and ICMP refusals are no reason to end: UDP promises nothing.
            let length = match direction {
                Direction::ToBmc => {
                    let Ok((length, console)) = self.console_side.recv_from(&mut buffer) else {
                        continue;
                    };
                    *lock(&self.console) = Some(console);
                    length
                }
                Direction::ToConsole => {
                    let Ok(length) = self.bmc_side.recv(&mut buffer) else {
                        continue;
                    };
                    length
                }
            };
            let lost = self.loses();
            // Written down before it is sent on: the answer can't overtake the question in the record.
            lock(&self.record).push(Datagram {
                direction,
                bytes: buffer[..length].to_vec(),
                lost,
            });
            if lost {
                continue;
            }
            let _ = match (direction, *lock(&self.console)) {
                (Direction::ToBmc, _) => self.bmc_side.send(&buffer[..length]),
                (Direction::ToConsole, Some(console)) => {
                    self.console_side.send_to(&buffer[..length], console)
                }
                (Direction::ToConsole, None) => continue,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_as_many_are_lost_as_asked_for() {
        let loss = Loss { permille: 100 };
        let lost = (0..100_000).filter(|count| loss.hits(*count)).count();
        assert!((9_700..10_300).contains(&lost), "{lost}");
        assert_eq!((0..1_000).filter(|n| Loss::default().hits(*n)).count(), 0);
    }

    #[test]
    fn both_directions_are_relayed_and_written_down_in_order() {
        let bmc = UdpSocket::bind("127.0.0.1:0").unwrap();
        let relay = Relay::start(bmc.local_addr().unwrap()).unwrap();
        let console = UdpSocket::bind("127.0.0.1:0").unwrap();
        console.send_to(b"ask", ("127.0.0.1", relay.port)).unwrap();
        let mut buffer = [0; 16];
        let (_, from) = bmc.recv_from(&mut buffer).unwrap();
        bmc.send_to(b"tell", from).unwrap();
        assert_eq!(console.recv(&mut buffer).unwrap(), 4);
        let record = relay.finish();
        let seen: Vec<_> = record
            .iter()
            .map(|d| (d.direction, d.bytes.as_slice()))
            .collect();
        assert_eq!(
            seen,
            [
                (Direction::ToBmc, &b"ask"[..]),
                (Direction::ToConsole, &b"tell"[..])
            ]
        );
    }
}
