//! A network in memory, on virtual time, that loses, doubles, delays and reorders by seed.
//!
//! Who is at its ends does not matter to it: addresses are any [`SocketAddr`], datagrams any bytes.
//!
//! ```text
//! network.send(now, from, to, bytes)        network.next_at() ─► the moment of the next arrival
//! network.receive(now) ─► Arrival { from, to, bytes }, one at a time, in order of arrival
//! ```

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::Duration;

use ipmi::entropy::Entropy;
use ipmi::time::Instant;

use crate::curve::hash;

/// The most datagrams that are under way; more are lost, as in any real queue.
pub const IN_FLIGHT_MAX: usize = 1 << 20;

/// How bad the network is. Shares are in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    /// Datagrams that never arrive.
    pub loss_permille: u16,
    /// Datagrams that arrive twice.
    pub duplicate_permille: u16,
    /// Datagrams that are held up by `hold_up` besides the latency, so that later ones overtake them.
    pub reorder_permille: u16,
    /// The shortest time under way.
    pub latency: Duration,
    /// The longest time that is added to it, evenly spread.
    pub jitter: Duration,
    /// What holding up adds.
    pub hold_up: Duration,
}

impl Quality {
    /// Everything arrives once and in order, after 200 µs.
    pub const PERFECT: Self = Self {
        loss_permille: 0,
        duplicate_permille: 0,
        reorder_permille: 0,
        latency: Duration::from_micros(200),
        jitter: Duration::ZERO,
        hold_up: Duration::ZERO,
    };

    /// Loses a tenth each way, doubles and holds up one in twenty, for up to a second.
    pub const ROUGH: Self = Self {
        loss_permille: 100,
        duplicate_permille: 50,
        reorder_permille: 50,
        latency: Duration::from_micros(200),
        jitter: Duration::from_millis(2),
        hold_up: Duration::from_millis(1_000),
    };
}

/// A datagram that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When it did.
    pub at: Instant,
    /// Who sent it.
    pub from: SocketAddr,
    /// To whom.
    pub to: SocketAddr,
    /// What it says.
    pub bytes: Vec<u8>,
}

/// What happened on a network so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Datagrams given to [`Network::send`].
    pub sent: u64,
    /// Datagrams lost on the way.
    pub lost: u64,
    /// Datagrams that were doubled.
    pub duplicated: u64,
    /// Datagrams that were held up.
    pub held_up: u64,
    /// Datagrams that [`Network::receive`] handed out.
    pub received: u64,
}

/// A network in memory. The same seed, sends and times give the same arrivals.
#[derive(Debug)]
pub struct Network {
    quality: Quality,
    seed: u64,
    under_way: BinaryHeap<Reverse<UnderWay>>,
    /// Numbers each copy: a draw for its fate, and its rank among equals.
    copies: u64,
    tally: Tally,
}

/// Ordered by arrival, then by number.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct UnderWay {
    at: Instant,
    number: u64,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

impl Network {
    /// An empty network.
    #[must_use]
    pub const fn new(quality: Quality, seed: u64) -> Self {
        let tally = Tally {
            sent: 0,
            lost: 0,
            duplicated: 0,
            held_up: 0,
            received: 0,
        };
        Self {
            quality,
            seed,
            under_way: BinaryHeap::new(),
            copies: 0,
            tally,
        }
    }

    /// Changes how bad it is, from now on.
    pub const fn set_quality(&mut self, quality: Quality) {
        self.quality = quality;
    }

    /// What happened so far.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// Puts a datagram on the network.
    pub fn send(&mut self, now: Instant, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        self.tally.sent += 1;
        if self.happens(1, self.quality.loss_permille) {
            self.tally.lost += 1;
            self.copies += 1;
            return;
        }
        if self.happens(2, self.quality.duplicate_permille) {
            self.tally.duplicated += 1;
            self.put(now, from, to, bytes);
        }
        self.put(now, from, to, bytes);
    }

    fn put(&mut self, now: Instant, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let mut under_way = self.quality.latency;
        let jitter_ns = u64::try_from(self.quality.jitter.as_nanos()).unwrap_or(u64::MAX);
        if jitter_ns > 0 {
            under_way += Duration::from_nanos(self.draw(3) % jitter_ns);
        }
        if self.happens(4, self.quality.reorder_permille) {
            self.tally.held_up += 1;
            under_way += self.quality.hold_up;
        }
        self.copies += 1;
        if self.under_way.len() >= IN_FLIGHT_MAX {
            self.tally.lost += 1;
            return;
        }
        let (at, number) = (now + under_way, self.copies);
        self.under_way.push(Reverse(UnderWay {
            at,
            number,
            from,
            to,
            bytes: bytes.to_vec(),
        }));
    }

    fn draw(&self, kind: u64) -> u64 {
        hash(self.seed ^ kind << 56, self.copies)
    }

    fn happens(&self, kind: u64, permille: u16) -> bool {
        self.draw(kind) % 1_000 < u64::from(permille)
    }

    /// When the next datagram arrives.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.under_way.peek().map(|Reverse(next)| next.at)
    }

    /// The next datagram that has arrived by `now`.
    pub fn receive(&mut self, now: Instant) -> Option<Arrival> {
        if self.next_at()? > now {
            return None;
        }
        let Reverse(UnderWay {
            at,
            from,
            to,
            bytes,
            ..
        }) = self.under_way.pop()?;
        self.tally.received += 1;
        Some(Arrival {
            at,
            from,
            to,
            bytes,
        })
    }
}

/// Entropy for simulations: a stream of hashes of a seed. Never for production: it can be predicted.
#[derive(Clone, Debug)]
pub struct SeededEntropy {
    seed: u64,
    drawn: u64,
}

impl SeededEntropy {
    /// The stream that belongs to `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            self.drawn += 1;
            let bytes = hash(self.seed, self.drawn).to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddrV4};

    use super::*;

    const A: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 1), 1));
    const B: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 2), 2));

    fn all(network: &mut Network) -> Vec<Arrival> {
        let end = Instant::from_nanos(u64::MAX);
        std::iter::from_fn(|| network.receive(end)).collect()
    }

    fn numbers(quality: Quality, seed: u64) -> Vec<u8> {
        let mut network = Network::new(quality, seed);
        for i in 0..=u8::MAX {
            network.send(Instant::from_nanos(1_000_000 * u64::from(i)), A, B, &[i]);
        }
        all(&mut network)
            .iter()
            .map(|arrival| arrival.bytes[0])
            .collect()
    }

    #[test]
    fn a_perfect_network_delivers_everything_once_in_order_and_not_before_its_time() {
        assert_eq!(
            numbers(Quality::PERFECT, 1),
            (0..=u8::MAX).collect::<Vec<_>>()
        );
        let mut network = Network::new(Quality::PERFECT, 1);
        network.send(Instant::ORIGIN, A, B, b"x");
        let at = network.next_at().unwrap();
        assert_eq!(at, Instant::ORIGIN + Quality::PERFECT.latency);
        assert_eq!(network.receive(Instant::ORIGIN), None);
        let arrival = network.receive(at).unwrap();
        assert_eq!(
            (arrival.from, arrival.to, arrival.bytes.as_slice()),
            (A, B, b"x".as_slice())
        );
    }

    #[test]
    fn a_rough_network_loses_doubles_and_reorders_the_same_way_for_the_same_seed() {
        let rough = numbers(Quality::ROUGH, 5);
        let mut once: Vec<_> = rough.clone();
        once.sort_unstable();
        assert_ne!(once, rough, "nothing was reordered");
        let with_doubles = once.len();
        once.dedup();
        assert!(once.len() < with_doubles, "nothing was doubled");
        assert!(
            (200..250).contains(&once.len()),
            "{} of 256 arrived",
            once.len()
        );
        assert_eq!(rough, numbers(Quality::ROUGH, 5));
        assert_ne!(rough, numbers(Quality::ROUGH, 6));
    }
}
