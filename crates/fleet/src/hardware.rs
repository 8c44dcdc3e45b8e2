//! A fleet as a source of machines: snapshots out, changes in.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use ::hardware::{
    ApplyError, ApplyFuture, Change, Hardware, Link, Node, NodeId, Observer, Topology,
};

use ipmi::console::Login;

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
    /// Those among the IPv6 shards of targets whose address was not known at the start.
    ipv6_slots: HashMap<u32, (u32, u32)>,
    /// Targets that are in those by now.
    turned_ipv6: RwLock<HashSet<u32>>,
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
        let mut ipv6_slots = HashMap::new();
        let mut shards = Vec::new();
        for (ipv6, places) in share_out(&config.targets, config.shards) {
            let shard = shards.len() as u32;
            let mut only_if_needed = ipv6;
            for (slot, place) in (0..).zip(&places) {
                if ipv6 && config.targets[*place as usize].address.is_none() {
                    ipv6_slots.insert(*place, (shard, slot));
                } else {
                    slots[*place as usize] = (shard, slot);
                    only_if_needed = false;
                }
            }
            let seed = unix_ms().wrapping_add(shards.len() as u64);
            let settings = EngineConfig::of(config, seed);
            let engine = Engine::new(now, unix_ms(), &settings, &shared, &config.targets, places);
            let name = format!("fleet-{}", shards.len());
            match Shard::start(name, engine, clock, ipv6, config.receive_buffer_bytes) {
                Ok(shard) => shards.push(shard),
                // A host without IPv6 can poll by the other.
                Err(_) if only_if_needed => ipv6_slots.retain(|_, (at, _)| *at != shard),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self {
            shared,
            topology: Arc::clone(&config.topology),
            shards,
            slots,
            ipv6_slots,
            turned_ipv6: RwLock::default(),
        })
    }

    /// Tells the address of a target that was given without one, or why it can't be found out: then the node is shown
    /// as down for this reason. To be called again until there is an address; later calls change nothing, as do calls for
    /// targets that had one from the beginning.
    pub fn set_address(&self, id: &NodeId, address: Result<SocketAddr, String>) {
        let Some(place) = self.shared.board.place(id.as_str()) else {
            return;
        };
        let is_ipv6 = matches!(address, Ok(SocketAddr::V6(_)));
        let (seat, address) = match (self.ipv6_slots.get(&place), address) {
            (Some(seat), address) if is_ipv6 => {
                let mut turned = self
                    .turned_ipv6
                    .write()
                    .unwrap_or_else(PoisonError::into_inner);
                turned.insert(place);
                (*seat, address)
            }
            (None, Ok(address)) if is_ipv6 => {
                let reason =
                    format!("its address {address} is IPv6, which this host does not have");
                (self.slots[place as usize], Err(reason))
            }
            (_, address) => (self.slots[place as usize], address),
        };
        if let Some(shard) = self.shards.get(seat.0 as usize) {
            shard.set_address(seat.1, address);
        }
    }

    /// Logs in to a node's BMC with this from now on, without disturbing others. A session that is open goes on, since its
    /// BMC has accepted it; a BMC that refused the login before is tried again within a second.
    pub fn set_login(&self, id: &NodeId, login: &Arc<Login>) {
        let Some(place) = self.shared.board.place(id.as_str()) else {
            return;
        };
        let seats = [self.slots.get(place as usize), self.ipv6_slots.get(&place)];
        for (shard, slot) in seats.into_iter().flatten() {
            if let Some(shard) = self.shards.get(*shard as usize) {
                shard.set_login(*slot, Arc::clone(login));
            }
        }
    }

    /// Shard and slot that speak for a target.
    fn seat(&self, place: u32) -> (u32, u32) {
        let turned = self
            .turned_ipv6
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let ipv6 = turned.contains(&place).then(|| self.ipv6_slots.get(&place));
        *ipv6.flatten().unwrap_or(&self.slots[place as usize])
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
            // One whose address is not known yet may turn out to be of either family.
            .filter(|(_, target)| target.address.is_none_or(|at| at.is_ipv6() == ipv6))
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
            .map(|place| self.seat(place));
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

    fn targets(ipv4: u16, ipv6: u16) -> Vec<Target> {
        let login = Arc::new(Login::new("admin", b"secret").unwrap());
        (0..ipv4 + ipv6)
            .map(|i| Target {
                id: NodeId::new(&format!("n{i}")).unwrap(),
                kind: NodeKind::Computer,
                address: if i < ipv4 {
                    format!("127.0.0.1:{}", 1 + i).parse().ok()
                } else {
                    format!("[::1]:{}", 1 + i).parse().ok()
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
                        .all(|p| targets[*p as usize].address.unwrap().is_ipv6() == *family)
                );
                assert!(!share.is_empty());
                places.extend(share);
            }
            places.sort_unstable();
            assert_eq!(places, (0..u32::from(ipv4 + ipv6)).collect::<Vec<_>>());
        }
    }
}
