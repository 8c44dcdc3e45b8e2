//! Turns: who waits for a costly check, and how many may.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many passwords are checked at once; others wait their turn. A flood of wrong ones then costs one
/// processor at most, and leaves the rest to readings and to clients that are logged in.
pub const MAX_CHECKS_AT_ONCE: usize = 1;
/// How many password checks wait or run. One more is answered with 503.
pub const MAX_CHECKS_WAITING: usize = 512;
/// How many of them are for one client address (one /64 network of IPv6), so that one guesser keeps nobody else
/// waiting for longer than these take.
pub const MAX_CHECKS_WAITING_OF_CLIENT: usize = 64;

/// The queue in front of the password checks.
pub(crate) struct Turns {
    checks: Arc<Semaphore>,
    waiting: Arc<Waiting>,
}

/// How many wait or run, by client.
#[derive(Default)]
struct Waiting(Mutex<HashMap<Option<IpAddr>, usize>>);

/// Somebody's turn. It may go to another thread with the check; dropping it lets the next one in.
pub(crate) struct Turn {
    _permit: OwnedSemaphorePermit,
    _place: InQueue,
}

/// A place in the queue, given back when it is dropped.
struct InQueue {
    waiting: Arc<Waiting>,
    client: Option<IpAddr>,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self {
            checks: Arc::new(Semaphore::new(MAX_CHECKS_AT_ONCE)),
            waiting: Arc::default(),
        }
    }

    /// Waits for a turn. `None` if too many wait already.
    pub(crate) async fn take(&self, client: Option<IpAddr>) -> Option<Turn> {
        let place = Waiting::join(&self.waiting, client.map(network))?;
        let permit = Arc::clone(&self.checks).acquire_owned().await.ok()?;
        Some(Turn {
            _permit: permit,
            _place: place,
        })
    }
}

impl Waiting {
    fn join(this: &Arc<Self>, client: Option<IpAddr>) -> Option<InQueue> {
        let mut counts = this.counts();
        let own = counts.get(&client).copied().unwrap_or_default();
        let all: usize = counts.values().sum();
        if all >= MAX_CHECKS_WAITING || own >= MAX_CHECKS_WAITING_OF_CLIENT {
            return None;
        }
        counts.insert(client, own + 1);
        Some(InQueue {
            waiting: Arc::clone(this),
            client,
        })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Option<IpAddr>, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InQueue {
    fn drop(&mut self) {
        let mut counts = self.waiting.counts();
        match counts.get_mut(&self.client) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                counts.remove(&self.client);
            }
        }
    }
}

/// What counts as one client: an IPv4 address, or the network of an IPv6 address, in which it may choose freely.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let bits = address.to_bits() & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(turns: &Turns, client: &str, count: usize) -> Vec<Option<InQueue>> {
        let client = network(client.parse().unwrap());
        (0..count)
            .map(|_| Waiting::join(&turns.waiting, Some(client)))
            .collect()
    }

    #[tokio::test]
    async fn one_client_fills_its_own_share_only_and_leaves_no_trace() {
        let turns = Turns::new();
        let mut greedy = queue(&turns, "192.0.2.1", MAX_CHECKS_WAITING_OF_CLIENT + 1);
        assert!(greedy.pop().unwrap().is_none());
        assert!(greedy.iter().all(Option::is_some));
        let other = turns.take(Some([192, 0, 2, 2].into())).await;
        assert!(other.is_some());
        greedy.pop();
        assert!(
            queue(&turns, "::ffff:192.0.2.1", 1)[0].is_some(),
            "one left"
        );
        drop((greedy, other));
        assert!(turns.waiting.counts().is_empty());
    }

    #[test]
    fn all_clients_together_are_bounded_too() {
        let turns = Turns::new();
        let full = MAX_CHECKS_WAITING / MAX_CHECKS_WAITING_OF_CLIENT;
        let held: Vec<_> = (0..full)
            .map(|n| {
                queue(
                    &turns,
                    &format!("2001:db8:0:{n}::1"),
                    MAX_CHECKS_WAITING_OF_CLIENT,
                )
            })
            .collect();
        assert!(held.iter().flatten().all(Option::is_some));
        assert!(queue(&turns, "192.0.2.1", 1)[0].is_none());
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_client() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::2:3:4:5"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
