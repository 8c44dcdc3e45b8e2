//! All machines of a process: racked, named, and each behind its own lock.

use std::collections::HashMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hardware::{NodeId, Topology};
use ipmi::memory::memory_of;
use ipmi::time::Instant;

use crate::curve::hash;
use crate::machine::{Identity, Machine};
use crate::physics::{Feed, Place};
use crate::profile::{Model, Profile};
use crate::rack::{self, NODES_MAX, Slot};

/// What a site is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteOptions {
    /// How many nodes, 1 to [`NODES_MAX`].
    pub nodes: u32,
    /// The same seed makes the same site, second by second.
    pub seed: u64,
    /// Seconds since 1970 at the origin of virtual time.
    pub epoch_s: u64,
}

/// Why there is no site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteError {
    /// So many nodes can't be.
    Nodes(u32),
}

impl fmt::Display for SiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Nodes(nodes) = self;
        write!(f, "a site has 1 to {NODES_MAX} nodes, not {nodes}")
    }
}

impl std::error::Error for SiteError {}

/// Racks of virtual machines. Machines are numbered from 0: first the nodes, then the enclosures' controllers.
#[derive(Debug)]
pub struct Site {
    seed: u64,
    nodes: u32,
    slots: Box<[Slot]>,
    machines: Box<[Mutex<Machine>]>,
    by_name: HashMap<NodeId, u32>,
    /// In the order in which people expect them.
    ids: Arc<[NodeId]>,
    topology: Arc<Topology>,
}

impl Site {
    /// Builds all machines, at the origin of virtual time.
    ///
    /// # Errors
    /// [`SiteError::Nodes`] for no or too many nodes.
    pub fn new(options: SiteOptions) -> Result<Self, SiteError> {
        Self::with_nodes(options, Profile::new(Model::Node))
    }

    /// The same with nodes of another profile.
    ///
    /// # Errors
    /// [`SiteError::Nodes`] for no or too many nodes.
    pub fn with_nodes(options: SiteOptions, node: Profile) -> Result<Self, SiteError> {
        let SiteOptions {
            nodes,
            seed,
            epoch_s,
        } = options;
        if !(1..=NODES_MAX).contains(&nodes) {
            return Err(SiteError::Nodes(nodes));
        }
        let profiles = [
            node,
            Profile::new(Model::Block),
            Profile::new(Model::PowerBay),
        ];
        let profiles = profiles.map(Arc::new);
        let slots = rack::slots(nodes);
        let mut machines: Vec<Mutex<Machine>> = Vec::with_capacity(slots.len());
        let mut by_name = HashMap::with_capacity(slots.len());
        for (number, slot) in (0..).zip(&slots) {
            // The names of slots are identifiers; see rack.rs.
            let Some(id) = NodeId::new(&slot.name()) else {
                continue;
            };
            by_name.insert(id.clone(), number);
            let place = Place {
                seed: hash(seed, number.into()),
                height_c: slot.height_c(),
            };
            let identity = Identity {
                id,
                number,
                place,
                epoch_s,
            };
            let profile = Arc::clone(&profiles[slot.model as usize]);
            machines.push(Mutex::new(if slot.model == Model::Node {
                Machine::node(profile, identity)
            } else {
                Machine::enclosure(
                    profile,
                    identity,
                    &feed(&machines, slot, nodes, Instant::ORIGIN),
                )
            }));
        }
        let mut site = Self {
            seed,
            nodes,
            slots: slots.into(),
            machines: machines.into(),
            by_name,
            ids: Arc::new([]),
            topology: Arc::new(rack::topology(nodes)),
        };
        site.ids = site.sorted_ids();
        Ok(site)
    }

    /// Rack by rack, block by block: the block's controller, then its nodes; the power bays last.
    fn sorted_ids(&self) -> Arc<[NodeId]> {
        let mut order: Vec<_> = (0..).zip(&self.slots).collect();
        order.sort_by_key(|(_, slot)| {
            let group = match slot.model {
                Model::Block => (0, slot.block, 0),
                Model::Node => (0, slot.block, 1),
                Model::PowerBay => (1, slot.block, 0),
            };
            (slot.rack, group, slot.sled, slot.node)
        });
        order
            .into_iter()
            .map(|(index, _)| self.lock(index).identity().id.clone())
            .collect()
    }

    /// How many machines there are, controllers included.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.machines.len()).unwrap_or(u32::MAX)
    }

    /// Always false: a site has at least one node.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.machines.is_empty()
    }

    /// How many of them are nodes; they come first.
    #[must_use]
    pub const fn nodes(&self) -> u32 {
        self.nodes
    }

    /// The names of all machines in the order in which people expect them.
    #[must_use]
    pub const fn ids(&self) -> &Arc<[NodeId]> {
        &self.ids
    }

    /// The enclosures.
    #[must_use]
    pub const fn topology(&self) -> &Arc<Topology> {
        &self.topology
    }

    /// Where a machine is racked.
    #[must_use]
    pub fn slot(&self, index: u32) -> Option<&Slot> {
        self.slots.get(index as usize)
    }

    /// The number of the machine with this name.
    #[must_use]
    pub fn index_of(&self, id: &NodeId) -> Option<u32> {
        self.by_name.get(id).copied()
    }

    /// The address of a machine's BMC.
    #[must_use]
    pub fn address(&self, index: u32) -> Ipv4Addr {
        rack::address(index, self.nodes)
    }

    /// The number of the machine whose BMC has this address.
    #[must_use]
    pub fn index_at(&self, address: Ipv4Addr) -> Option<u32> {
        rack::index_at(address, self.nodes).filter(|index| *index < self.len())
    }

    /// The UUID of a machine: made from the seed, and no two machines of a site have the same.
    #[must_use]
    pub fn uuid(&self, index: u32) -> u128 {
        let high = hash(self.seed ^ 0x6775_6964, 0);
        let low = hash(self.seed ^ 0x6775_6964, 1) >> 32 << 32 | u64::from(index);
        // Version 4, variant 1 (RFC 9562 §5.4): most of it is random, the last 32 bits are the machine's number.
        let uuid = u128::from(high) << 64 | u128::from(low);
        uuid & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62
    }

    /// The machine, moved to `now` and locked. A controller's nodes are moved along first, so never lock a
    /// controller while holding a node.
    ///
    /// # Panics
    /// With an index that is not below [`Self::len`].
    pub fn machine(&self, index: u32, now: Instant) -> MutexGuard<'_, Machine> {
        let mut machine = self.lock(index);
        if machine.wants_feed(now) {
            let feed = feed(&self.machines, &self.slots[index as usize], self.nodes, now);
            machine.advance_fed(now, &feed);
        } else {
            machine.advance(now);
        }
        machine
    }

    /// Where a machine lies: of one that there is.
    pub(crate) fn machine_memory(&self, index: u32) -> Range<*const u8> {
        memory_of(&self.machines[index as usize])
    }

    /// Where a machine's samples lie; `None` while it is locked.
    pub(crate) fn samples_memory(&self, index: u32) -> Option<Range<*const u8>> {
        let machine = self.machines[index as usize].try_lock().ok()?;
        Some(memory_of(machine.samples()))
    }

    /// Has a machine's controller start anew.
    pub(crate) fn start_controller(&self, index: u32) {
        self.lock(index).start_controller();
    }

    fn lock(&self, index: u32) -> MutexGuard<'_, Machine> {
        // A machine is consistent after each statement; a panic elsewhere while it was locked does not matter.
        self.machines[index as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the nodes of a controller's enclosure add up to at `now`.
fn feed(machines: &[Mutex<Machine>], slot: &Slot, nodes: u32, now: Instant) -> Feed {
    let mut feed = Feed::default();
    let range = slot.feeders(nodes);
    for machine in &machines[range.start as usize..range.end as usize] {
        let mut machine = machine.lock().unwrap_or_else(PoisonError::into_inner);
        machine.advance(now);
        if let Some(node) = machine.body().node() {
            feed.add(node);
        }
    }
    feed
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ipmi::number::ChassisControlAction;

    use super::*;
    use crate::sensor::Signal;

    const OPTIONS: SiteOptions = SiteOptions {
        nodes: 100,
        seed: 1,
        epoch_s: 1_795_000_000,
    };

    fn at(seconds: u64) -> Instant {
        Instant::ORIGIN + Duration::from_secs(seconds)
    }

    fn trace(site: &Site, index: u32, seconds: u64) -> Vec<u8> {
        site.machine(index, at(seconds))
            .samples()
            .iter()
            .map(|sample| sample.raw)
            .collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_machine_however_often_one_looks() {
        let (often, once) = (Site::new(OPTIONS).unwrap(), Site::new(OPTIONS).unwrap());
        for second in 0..120 {
            trace(&often, 7, second);
        }
        assert_eq!(trace(&often, 7, 120), trace(&once, 7, 120));
        let other = Site::new(SiteOptions { seed: 2, ..OPTIONS }).unwrap();
        assert_ne!(trace(&other, 7, 120), trace(&once, 7, 120));
    }

    #[test]
    fn a_power_bay_delivers_what_its_nodes_take() {
        let site = Site::new(OPTIONS).unwrap();
        let bay = site
            .index_of(&NodeId::new("Rack1-PowerBay1-MC").unwrap())
            .unwrap();
        let total = |index| {
            let machine = site.machine(index, at(30));
            machine.body().signal(Signal::TotalPower).unwrap()
        };
        let sum: f32 = (0..48).map(total).sum();
        assert!((total(bay) - sum).abs() < 1.0, "{} {sum}", total(bay));
    }

    #[test]
    fn an_hour_with_nobody_looking_costs_no_more_than_a_few_minutes_and_ends_the_same() {
        let (watched, left) = (Site::new(OPTIONS).unwrap(), Site::new(OPTIONS).unwrap());
        for second in 0..3_600 {
            trace(&watched, 3, second);
        }
        let (a, b) = (trace(&watched, 3, 3_600), trace(&left, 3, 3_600));
        for (a, b) in a.iter().zip(&b) {
            assert!(a.abs_diff(*b) <= 1, "{a} {b}");
        }
    }

    #[test]
    fn a_node_without_power_is_dark_and_its_neighbours_do_not_care() {
        let (site, calm) = (Site::new(OPTIONS).unwrap(), Site::new(OPTIONS).unwrap());
        site.machine(0, at(10))
            .control(ChassisControlAction::POWER_DOWN)
            .unwrap();
        let off = site.machine(0, at(60));
        let sample = |name: &str| {
            let index = off
                .profile()
                .sensors
                .iter()
                .position(|s| s.name == name)
                .unwrap();
            off.samples()[index]
        };
        assert_eq!(sample("Fan1").raw, 0);
        assert_eq!(sample("Fan1").crossed, 0);
        assert!(sample("CPU1 Temp").unavailable && !sample("Inlet Temp").unavailable);
        assert_eq!(sample("Power Unit").states, 1);
        assert!(sample("Total Power").raw <= 4);
        drop(off);
        assert_eq!(trace(&site, 1, 60), trace(&calm, 1, 60));
    }

    #[test]
    fn a_running_machine_reports_no_limit_crossed_for_an_hour() {
        let site = Site::new(OPTIONS).unwrap();
        for index in 0..site.len() {
            let before = site.machine(index, at(0)).log().entries().len();
            for second in (0..=1_200).step_by(10) {
                let machine = site.machine(index, at(second));
                for (sample, sensor) in machine.samples().iter().zip(&machine.profile().sensors) {
                    assert_eq!(
                        sample.crossed, 0,
                        "{} {index} at {second}: {}",
                        sensor.name, sample.raw
                    );
                }
            }
            assert_eq!(site.machine(index, at(1_200)).log().entries().len(), before);
        }
    }

    #[test]
    fn warm_air_crosses_a_limit_once_and_leaves_it_once() {
        let site = Site::new(OPTIONS).unwrap();
        let grown = |seconds| site.machine(5, at(seconds)).log().entries().len();
        let before = grown(5);
        site.machine(5, at(5)).warm_air(15.0);
        let warm = grown(200);
        assert!(warm > before);
        let machine = site.machine(5, at(200));
        let inlet = machine.profile().index(0x01).unwrap();
        assert_ne!(machine.samples()[inlet].held, 0);
        drop(machine);
        site.machine(5, at(200)).warm_air(0.0);
        assert!(grown(500) > warm);
        assert_eq!(site.machine(5, at(500)).samples()[inlet].held, 0);
    }
}
