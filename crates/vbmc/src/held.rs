//! Datagrams that are held back on their way to a BMC, so that later ones overtake them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ipmi::time::Instant;

use crate::fault::Fate;

/// The most datagrams that are held back; more are lost, as in any real queue.
pub const HELD_MAX: usize = 65_536;

/// A datagram that was held back and goes on now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    at: Instant,
    /// Its rank among equals.
    number: u64,
    /// The address that it was sent to.
    pub local: Ipv4Addr,
    /// Who sent it.
    pub from: SocketAddr,
    pub(crate) bytes: Vec<u8>,
    /// What becomes of its answer.
    pub(crate) fate: Fate,
}

/// Ordered by time, then by number.
impl Ord for Held {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// All that are held back.
#[derive(Debug, Default)]
pub(crate) struct HeldBack {
    queue: Mutex<Queue>,
    /// How many: nearly always none, and then nobody locks.
    len: AtomicUsize,
}

#[derive(Debug, Default)]
struct Queue {
    held: BinaryHeap<Reverse<Held>>,
    count: u64,
}

impl HeldBack {
    /// Holds a datagram back until `at`.
    pub(crate) fn keep(
        &self,
        at: Instant,
        (local, from): (Ipv4Addr, SocketAddr),
        bytes: &[u8],
        fate: Fate,
    ) {
        let mut queue = self.queue();
        if queue.held.len() >= HELD_MAX {
            return;
        }
        queue.count += 1;
        let number = queue.count;
        queue.held.push(Reverse(Held {
            at,
            number,
            local,
            from,
            bytes: bytes.to_vec(),
            fate,
        }));
        self.len.store(queue.held.len(), Ordering::Release);
    }

    /// When the next one goes on.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        if self.len.load(Ordering::Acquire) == 0 {
            return None;
        }
        let queue = self.queue();
        queue.held.peek().map(|Reverse(held)| held.at)
    }

    /// The next one that goes on by `now`.
    pub(crate) fn next(&self, now: Instant) -> Option<Held> {
        if self.next_at().is_none_or(|at| at > now) {
            return None;
        }
        let mut queue = self.queue();
        let Reverse(held) = queue.held.pop()?;
        self.len.store(queue.held.len(), Ordering::Release);
        Some(held)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_held_back_goes_on_at_its_time_in_order_and_is_bounded() {
        let held_back = HeldBack::default();
        let at = |ms| Instant::ORIGIN + Duration::from_millis(ms);
        let from = SocketAddr::from(([127, 0, 0, 1], 1));
        let keep = |ms, byte: u8| {
            held_back.keep(
                at(ms),
                (Ipv4Addr::LOCALHOST, from),
                &[byte],
                Fate::default(),
            );
        };
        assert_eq!(held_back.next_at(), None);
        keep(20, 1);
        keep(10, 2);
        keep(20, 3);
        assert_eq!(held_back.next_at(), Some(at(10)));
        assert_eq!(held_back.next(at(9)), None);
        let order = std::iter::from_fn(|| held_back.next(at(20)));
        assert_eq!(
            order.map(|held| held.bytes[0]).collect::<Vec<_>>(),
            [2, 1, 3]
        );
        assert_eq!(held_back.next_at(), None);
        (0..=HELD_MAX as u64).for_each(|ms| keep(ms, 0));
        let all = std::iter::from_fn(|| held_back.next(at(u64::MAX / 2_000_000)));
        assert_eq!(all.count(), HELD_MAX);
    }
}
