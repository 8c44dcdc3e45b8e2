//! A relay between a console and a BMC that writes down every datagram: a capture without privileges.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
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
}

/// State that both directions share.
struct Shared {
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
        let console_side = UdpSocket::bind("127.0.0.1:0")?;
        let bmc_side = UdpSocket::bind("127.0.0.1:0")?;
        bmc_side.connect(bmc)?;
        console_side.set_read_timeout(Some(TICK))?;
        bmc_side.set_read_timeout(Some(TICK))?;
        let port = console_side.local_addr()?.port();
        let shared = Arc::new(Shared {
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

    /// Ends it and hands out what passed, in order.
    pub(crate) fn finish(self) -> Vec<Datagram> {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            let _ = thread.join();
        }
        std::mem::take(&mut *lock(&self.shared.record))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
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
            // Written down before it is sent on: the answer can't overtake the question in the record.
            lock(&self.record).push(Datagram {
                direction,
                bytes: buffer[..length].to_vec(),
            });
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
