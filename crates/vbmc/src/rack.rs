//! How machines are racked, named and addressed.
//!
//! A rack holds 4 blocks of 6 sleds of 4 nodes, 96 nodes in all, and 2 power bays; each bay feeds two blocks.
//! Each block and each bay has a controller. The last rack may be partly filled.

use std::net::Ipv4Addr;
use std::ops::Range;

use hardware::{Asset, Enclosure, EnclosureId, EnclosureKind, Location, NodeId, Topology};

use crate::profile::{MANUFACTURER, Model};

/// Nodes on a sled.
pub const NODES_PER_SLED: u32 = 4;
/// Sleds in a block.
pub const SLEDS_PER_BLOCK: u32 = 6;
/// Blocks in a rack.
pub const BLOCKS_PER_RACK: u32 = 4;
/// Nodes in a block.
pub const NODES_PER_BLOCK: u32 = NODES_PER_SLED * SLEDS_PER_BLOCK;
/// Nodes that one power bay feeds.
pub const NODES_PER_BAY: u32 = NODES_PER_RACK / 2;
/// Nodes in a rack.
pub const NODES_PER_RACK: u32 = NODES_PER_BLOCK * BLOCKS_PER_RACK;
/// The most nodes: their addresses must end before those of the controllers begin.
pub const NODES_MAX: u32 = 65_535;

/// Address of the first node's BMC; the others follow.
pub const FIRST_NODE: Ipv4Addr = Ipv4Addr::new(127, 16, 0, 1);
/// Address of the first enclosure controller; the others follow.
pub const FIRST_CONTROLLER: Ipv4Addr = Ipv4Addr::new(127, 17, 0, 1);

/// Rack units of a block's place, counted from the bottom.
const UNITS_PER_BLOCK: u16 = 9;
/// Rack units of the power bays: above the blocks.
const BAY_UNITS: [u16; 2] = [37, 40];

/// Where a machine is racked; all numbers count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What it is.
    pub model: Model,
    /// Which rack.
    pub rack: u32,
    /// Which block of the rack, or which power bay.
    pub block: u32,
    /// Which sled of the block; 0 for a controller.
    pub sled: u32,
    /// Which node of the sled; 0 for a controller.
    pub node: u32,
}

impl Slot {
    /// The slot of node number `index`.
    #[must_use]
    pub const fn of_node(index: u32) -> Self {
        Self {
            model: Model::Node,
            rack: index / NODES_PER_RACK,
            block: index % NODES_PER_RACK / NODES_PER_BLOCK,
            sled: index % NODES_PER_BLOCK / NODES_PER_SLED,
            node: index % NODES_PER_SLED,
        }
    }

    /// The machine's name.
    #[must_use]
    pub fn name(&self) -> String {
        let enclosure = self.enclosure();
        match self.model {
            Model::Node => format!("{enclosure}-Node{}", self.node + 1),
            Model::Block => format!("{enclosure}-BC"),
            Model::PowerBay => format!("{enclosure}-MC"),
        }
    }

    /// The name of the enclosure it sits in.
    #[must_use]
    pub fn enclosure(&self) -> String {
        let (rack, block) = (self.rack + 1, self.block + 1);
        match self.model {
            Model::Node => format!("Rack{rack}-Block{block}-Sled{}", self.sled + 1),
            Model::Block => format!("Rack{rack}-Block{block}"),
            Model::PowerBay => format!("Rack{rack}-PowerBay{block}"),
        }
    }

    /// The numbers of the nodes that a controller of this slot looks after, of `nodes` in all; empty for a node.
    #[must_use]
    pub fn feeders(&self, nodes: u32) -> Range<u32> {
        let rack = self.rack * NODES_PER_RACK;
        let (first, count) = match self.model {
            Model::Node => (rack, 0),
            Model::Block => (rack + self.block * NODES_PER_BLOCK, NODES_PER_BLOCK),
            Model::PowerBay => (rack + self.block * NODES_PER_BAY, NODES_PER_BAY),
        };
        first.min(nodes)..(first + count).min(nodes)
    }

    /// How much warmer the air is here than at the floor, in °C: 3 °C from the lowest to the highest sled.
    #[must_use]
    pub fn height_c(&self) -> f32 {
        let sleds = BLOCKS_PER_RACK * SLEDS_PER_BLOCK;
        let sled = match self.model {
            Model::PowerBay => self.block * sleds / 2,
            _ => self.block * SLEDS_PER_BLOCK + self.sled,
        };
        3.0 * sled as f32 / sleds as f32
    }
}

/// Every machine's slot: first the nodes, then the controllers, rack by rack.
#[must_use]
pub fn slots(nodes: u32) -> Vec<Slot> {
    let racks = nodes.div_ceil(NODES_PER_RACK);
    let controllers = (0..racks).flat_map(|rack| {
        let slot = move |model, block| Slot {
            model,
            rack,
            block,
            sled: 0,
            node: 0,
        };
        let blocks = (0..BLOCKS_PER_RACK).map(move |block| slot(Model::Block, block));
        blocks.chain((0..2).map(move |bay| slot(Model::PowerBay, bay)))
    });
    let controllers = controllers.filter(|slot| !slot.feeders(nodes).is_empty());
    (0..nodes).map(Slot::of_node).chain(controllers).collect()
}

/// The address of machine number `index` of [`slots`], where the first `nodes` are nodes.
#[must_use]
pub fn address(index: u32, nodes: u32) -> Ipv4Addr {
    let bits = match index.checked_sub(nodes) {
        None => FIRST_NODE.to_bits() + index,
        Some(controller) => FIRST_CONTROLLER.to_bits() + controller,
    };
    Ipv4Addr::from_bits(bits)
}

/// The number of the machine at `address`; the reverse of [`address`]. It may be beyond the last machine.
#[must_use]
pub fn index_at(address: Ipv4Addr, nodes: u32) -> Option<u32> {
    let bits = address.to_bits();
    match bits.checked_sub(FIRST_CONTROLLER.to_bits()) {
        Some(controller) => controller.checked_add(nodes),
        None => bits
            .checked_sub(FIRST_NODE.to_bits())
            .filter(|index| *index < nodes),
    }
}

/// The enclosures of a site with so many nodes, parents first.
#[must_use]
pub fn topology(nodes: u32) -> Topology {
    let mut enclosures = Vec::new();
    for rack in 0..nodes.div_ceil(NODES_PER_RACK) {
        enclosures.extend(enclosure(
            &format!("Rack{}", rack + 1),
            EnclosureKind::Rack,
            rack,
        ));
        for block in 0..BLOCKS_PER_RACK {
            block_and_sleds(&mut enclosures, rack, block, nodes);
        }
        for bay in 0..2 {
            let slot = Slot {
                model: Model::PowerBay,
                rack,
                block: bay,
                sled: 0,
                node: 0,
            };
            if !slot.feeders(nodes).is_empty() {
                enclosures.extend(controlled(
                    &slot,
                    EnclosureKind::PowerBay,
                    BAY_UNITS[bay as usize],
                ));
            }
        }
    }
    Topology {
        enclosures: enclosures.into(),
    }
}

fn block_and_sleds(enclosures: &mut Vec<Enclosure>, rack: u32, block: u32, nodes: u32) {
    let slot = Slot {
        model: Model::Block,
        rack,
        block,
        sled: 0,
        node: 0,
    };
    let feeders = slot.feeders(nodes);
    if feeders.is_empty() {
        return;
    }
    let unit = 1 + UNITS_PER_BLOCK * u16::try_from(block).unwrap_or_default();
    enclosures.extend(controlled(&slot, EnclosureKind::Block, unit));
    for first in feeders.step_by(NODES_PER_SLED as usize) {
        let sled = Slot::of_node(first);
        let unit = unit + u16::try_from(sled.sled).unwrap_or_default();
        enclosures.extend(
            enclosure(&sled.enclosure(), EnclosureKind::Sled, rack).map(|e| Enclosure {
                parent: EnclosureId::new(&slot.enclosure()),
                location: Location {
                    unit: Some(unit),
                    ..e.location
                },
                ..e
            }),
        );
    }
}

/// An enclosure in a rack with the controller of this slot.
fn controlled(slot: &Slot, kind: EnclosureKind, unit: u16) -> Option<Enclosure> {
    enclosure(&slot.enclosure(), kind, slot.rack).map(|e| Enclosure {
        parent: EnclosureId::new(&format!("Rack{}", slot.rack + 1)),
        controller: NodeId::new(&slot.name()),
        location: Location {
            unit: Some(unit),
            ..e.location
        },
        ..e
    })
}

/// `None` only for a name that is no identifier, which these names are.
fn enclosure(name: &str, kind: EnclosureKind, rack: u32) -> Option<Enclosure> {
    let model = match kind {
        EnclosureKind::Rack => "RDV-9000 Rack",
        EnclosureKind::Block => "RDV-9000 Block",
        EnclosureKind::Sled => "RDV-2200 Sled",
        EnclosureKind::PowerBay => "RDV-9000 Power Bay",
    };
    let asset = Asset {
        name: Some(name.into()),
        manufacturer: Some(MANUFACTURER.into()),
        model: Some(model.into()),
        serial_number: Some(format!("RDV-{}", name.replace('-', "").to_uppercase()).into()),
        ..Asset::default()
    };
    let rack = format!("Rack{}", rack + 1);
    let location = Location {
        rack: Some(rack.into()),
        ..Location::default()
    };
    let id = EnclosureId::new(name)?;
    Some(Enclosure {
        id,
        kind,
        parent: None,
        controller: None,
        asset,
        location,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_rack_has_96_nodes_four_blocks_and_two_power_bays() {
        let slots = slots(96);
        assert_eq!(slots.len(), 96 + 4 + 2);
        assert_eq!(slots[0].name(), "Rack1-Block1-Sled1-Node1");
        assert_eq!(slots[95].name(), "Rack1-Block4-Sled6-Node4");
        assert_eq!(slots[96].name(), "Rack1-Block1-BC");
        assert_eq!(slots[101].name(), "Rack1-PowerBay2-MC");
        assert_eq!(slots[101].feeders(96), 48..96);
        let count = |kind| {
            topology(96)
                .enclosures
                .iter()
                .filter(|e| e.kind == kind)
                .count()
        };
        assert_eq!(count(EnclosureKind::Sled), 24);
        assert_eq!(count(EnclosureKind::PowerBay), 2);
    }

    #[test]
    fn the_last_rack_has_only_what_its_nodes_need() {
        let slots = slots(96 + 5);
        let extra: Vec<_> = slots[101 + 6..].iter().map(Slot::name).collect();
        assert_eq!(extra, ["Rack2-Block1-BC", "Rack2-PowerBay1-MC"]);
        assert!(topology(101).find("Rack2-Block1-Sled2").is_some());
        assert!(topology(101).find("Rack2-Block1-Sled3").is_none());
        assert!(topology(101).find("Rack2-Block2").is_none());
    }

    #[test]
    fn every_address_leads_back_to_its_machine() {
        for nodes in [1, 96, 1_000, NODES_MAX] {
            for index in (0..nodes + 20).step_by(7) {
                assert_eq!(index_at(address(index, nodes), nodes), Some(index));
            }
        }
        assert_eq!(address(95, 96), Ipv4Addr::new(127, 16, 0, 96));
        assert_eq!(address(96, 96), Ipv4Addr::new(127, 17, 0, 1));
        assert_eq!(index_at(Ipv4Addr::new(127, 16, 0, 97), 96), None);
        assert_eq!(index_at(Ipv4Addr::LOCALHOST, 96), None);
    }

    #[test]
    fn every_enclosure_has_a_known_parent_before_it() {
        let topology = topology(250);
        for (i, enclosure) in topology.enclosures.iter().enumerate() {
            match &enclosure.parent {
                None => assert_eq!(enclosure.kind, EnclosureKind::Rack),
                Some(parent) => assert!(topology.enclosures[..i].iter().any(|e| e.id == *parent)),
            }
        }
    }
}
