//! A fleet as a source of machines: snapshots out, changes in.

use std::sync::Arc;

use ::hardware::{
    ApplyError, ApplyFuture, Change, Hardware, Link, Node, NodeId, Observer, Topology,
};

use crate::counters::Counters;
use crate::drive::{Clock, Shard, StartError, unix_ms};
use crate::engine::{Engine, EngineConfig, Shared};
use crate::figures::Figures;
use crate::outcome::outcome;
use crate::target::{Config, Target};
use crate::work::Job;

/// Very many IPMI BMCs, polled by threads of its own. Dropped, it closes every session; that takes some seconds
/// at most.
#[derive(Debug)]
pub struct Fleet {
    shared: Shared,
    topology: Arc<Topology>,
    shards: Vec<Shard>,
    /// Shard and slot of each target, by its place.
    slots: Vec<(u32, u32)>,
}

impl Fleet {
    /// Starts to poll.
    ///
    /// # Errors
    /// The configuration is out of bounds, or the system has no socket or thread left.
    pub fn start(config: &Config) -> Result<Self, StartError> {
        config.check()?;
        let shared = Shared::new(&config.targets);
        let clock = Clock::new();
        let now = clock.now();
        let mut slots = vec![(0, 0); config.targets.len()];
        let mut shards = Vec::new();
        for (ipv6, places) in share_out(&config.targets, config.shards) {
            for (slot, place) in (0..).zip(&places) {
                slots[*place as usize] = (shards.len() as u32, slot);
            }
            let seed = unix_ms().wrapping_add(shards.len() as u64);
            let settings = EngineConfig::of(config, seed);
            let engine = Engine::new(now, unix_ms(), &settings, &shared, &config.targets, places);
            let name = format!("fleet-{}", shards.len());
            shards.push(Shard::start(
                name,
                engine,
                clock,
                ipv6,
                config.receive_buffer_bytes,
            )?);
        }
        Ok(Self {
            shared,
            topology: Arc::clone(&config.topology),
            shards,
            slots,
        })
    }

    /// What the engines did so far, all together.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        for shard in &self.shards {
            sum += shard.figures().counters;
        }
        sum
    }

    /// How the fleet is at this moment. Looks at every node's snapshot, on the caller's thread: some milliseconds for
    /// fifty thousand.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let mut figures = Figures {
            nodes: self.slots.len() as u32,
            shards: self.shards.iter().map(Shard::figures).collect(),
            ..Figures::default()
        };
        let mut oldest = u64::MAX;
        self.shared.board.each(|node| match node.link {
            Link::Connecting => {}
            Link::Down { .. } => figures.nodes_down += 1,
            Link::Up => {
                figures.nodes_up += 1;
                if node.read_at_ms != 0 {
                    oldest = oldest.min(node.read_at_ms);
                }
            }
        });
        // Nothing read yet, nothing old.
        figures.oldest_ms = unix_ms().saturating_sub(oldest);
        figures
    }

    fn close(&mut self) {
        self.shards.iter().for_each(Shard::begin_close);
        self.shards.iter_mut().for_each(Shard::join);
    }

    /// Closes every session and ends the threads; within seconds also where BMCs don't answer.
    pub fn shutdown(mut self) {
        self.close();
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.close();
    }
}

/// Divides the targets among shards, round robin; IPv4 and IPv6 need sockets of their own.
fn share_out(targets: &[Target], shards: usize) -> Vec<(bool, Vec<u32>)> {
    let mut shares = Vec::new();
    for ipv6 in [false, true] {
        let places: Vec<u32> = (0..)
            .zip(targets)
            .filter(|(_, target)| target.address.is_ipv6() == ipv6)
            .map(|(place, _)| place)
            .collect();
        for shard in 0..shards.min(places.len()) {
            let share = places.iter().skip(shard).step_by(shards).copied().collect();
            shares.push((ipv6, share));
        }
    }
    shares
}

impl Hardware for Fleet {
    fn node_ids(&self) -> Arc<[NodeId]> {
        self.shared.board.ids()
    }

    fn node(&self, id: &str) -> Option<Arc<Node>> {
        let place = self.shared.board.place(id)?;
        Some(self.shared.board.node(place))
    }

    fn topology(&self) -> Arc<Topology> {
        Arc::clone(&self.topology)
    }

    fn apply(&self, id: &NodeId, change: Change) -> ApplyFuture {
        let (sender, outcome) = outcome();
        let slot = self
            .shared
            .board
            .place(id.as_str())
            .map(|place| self.slots[place as usize]);
        match slot.and_then(|(shard, slot)| Some((self.shards.get(shard as usize)?, slot))) {
            Some((shard, slot)) => shard.submit(
                slot,
                Job {
                    change,
                    outcome: sender,
                },
            ),
            None => sender.tell(Err(ApplyError::Absent)),
        }
        Box::pin(outcome)
    }

    fn observe(&self, observer: Arc<dyn Observer>) {
        self.shared.board.observe(&observer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::hardware::NodeKind;
    use ipmi::console::Login;

    fn targets(ipv4: u16, ipv6: u16) -> Vec<Target> {
        let login = Arc::new(Login::new("admin", b"secret").unwrap());
        (0..ipv4 + ipv6)
            .map(|i| Target {
                id: NodeId::new(&format!("n{i}")).unwrap(),
                kind: NodeKind::Computer,
                address: if i < ipv4 {
                    format!("127.0.0.1:{}", 1 + i).parse().unwrap()
                } else {
                    format!("[::1]:{}", 1 + i).parse().unwrap()
                },
                login: Arc::clone(&login),
                enclosure: None,
                quirks: crate::Quirks::default(),
            })
            .collect()
    }

    #[test]
    fn every_target_is_in_exactly_one_shard_of_its_own_family() {
        for (ipv4, ipv6, shards) in [(10, 0, 3), (0, 2, 4), (5, 5, 2), (0, 0, 1)] {
            let targets = targets(ipv4, ipv6);
            let shares = share_out(&targets, shards);
            let mut places: Vec<u32> = Vec::new();
            for (family, share) in &shares {
                assert!(
                    share
                        .iter()
                        .all(|p| targets[*p as usize].address.is_ipv6() == *family)
                );
                assert!(!share.is_empty());
                places.extend(share);
            }
            places.sort_unstable();
            assert_eq!(places, (0..u32::from(ipv4 + ipv6)).collect::<Vec<_>>());
        }
    }
}
