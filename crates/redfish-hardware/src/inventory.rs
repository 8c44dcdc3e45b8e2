//! `SoftwareInventory`: the firmware of controllers and the BIOS of computers, as far as they tell their versions.
//!
//! A controller that takes firmware over the network is `Updateable`, as a whole and by its components: an image names the
//! components that it is for. A BIOS is not.

use hardware::{FirmwareComponent, Hardware, Node, NodeKind};
use redfish_schema::software_inventory::{COLLECTION, SoftwareInventory};
use redfish_schema::{Collection, Reference};

use crate::tree::Tree;
use crate::{status, uri};

/// A piece of firmware of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The firmware of its controller as a whole: `Node1-BMC`.
    Controller,
    /// A component of that by its number: `Node1-BMC.1`.
    Component(u8),
    /// The firmware of its host: `Node1-BIOS`.
    Bios,
}

impl Part {
    fn parse(text: &str) -> Option<Self> {
        match text.split_once('.') {
            None if text == "BMC" => Some(Self::Controller),
            None if text == "BIOS" => Some(Self::Bios),
            Some(("BMC", number)) => {
                let component = number.parse().ok().map(Self::Component)?;
                // One name for one thing: no 01.
                (component.word() == text).then_some(component)
            }
            _ => None,
        }
    }

    fn word(self) -> String {
        match self {
            Self::Controller => "BMC".to_owned(),
            Self::Component(number) => format!("BMC.{number}"),
            Self::Bios => "BIOS".to_owned(),
        }
    }

    fn component(self, node: &Node) -> Option<&FirmwareComponent> {
        let Self::Component(number) = self else {
            return None;
        };
        let mut components = node.identity.firmware.iter();
        components.find(|component| component.number == number)
    }

    /// The version, where the machine tells it.
    fn version(self, node: &Node) -> Option<&str> {
        match self {
            Self::Controller => node.identity.controller_firmware.as_deref(),
            Self::Component(_) => self.component(node)?.version.as_deref(),
            Self::Bios if node.kind == NodeKind::Computer => node.identity.bios_version.as_deref(),
            Self::Bios => None,
        }
    }

    /// Whether it can be replaced over the network.
    pub(crate) fn is_updateable(self, node: &Node) -> bool {
        match self {
            Self::Controller => !node.identity.firmware.is_empty(),
            Self::Component(_) => self.component(node).is_some(),
            Self::Bios => false,
        }
    }
}

fn path(node: &Node, part: Part) -> String {
    format!("{}/{}-{}", uri::FIRMWARE, node.id.as_str(), part.word())
}

/// The node and the piece of its firmware that `id` names.
pub(crate) fn named(id: &str) -> Option<(&str, Part)> {
    let (node, part) = id.rsplit_once('-')?;
    Some((node, Part::parse(part)?))
}

/// The firmware of the controller of a node, where it takes other firmware over the network.
pub(crate) fn updateable(node: &Node) -> Option<String> {
    let part = Part::Controller;
    (part.is_updateable(node) && part.version(node).is_some()).then(|| path(node, part))
}

/// All of it. A machine that was never reached has told no version.
pub(crate) fn collection(hardware: &dyn Hardware, tree: &Tree) -> Collection {
    let nodes = tree.nodes().iter();
    let nodes = nodes.filter_map(|id| hardware.node(id.as_str()));
    let members = nodes.flat_map(|node| {
        let components = node.identity.firmware.iter();
        let components = components.map(|component| Part::Component(component.number));
        let parts = [Part::Controller, Part::Bios].into_iter().chain(components);
        let told = parts.filter(|part| part.version(&node).is_some());
        let told: Vec<_> = told.map(|part| Reference::to(path(&node, part))).collect();
        told
    });
    Collection::new(
        &COLLECTION,
        uri::FIRMWARE,
        "Firmware inventory",
        members.collect(),
    )
}

/// The firmware `id`.
pub(crate) fn resource(hardware: &dyn Hardware, id: &str) -> Option<SoftwareInventory> {
    let (node, part) = named(id)?;
    let node = hardware.node(node)?;
    let version = part.version(&node)?;
    let (name, related) = match part {
        Part::Controller => (
            "Controller firmware".to_owned(),
            uri::manager(node.id.as_str()),
        ),
        Part::Component(number) => {
            let component = part.component(&node)?.name.as_deref();
            let name = component.map_or_else(|| number.to_string(), ToOwned::to_owned);
            let name = format!("Controller firmware component {name}");
            (name, uri::manager(node.id.as_str()))
        }
        Part::Bios => ("System BIOS".to_owned(), uri::system(node.id.as_str())),
    };
    Some(SoftwareInventory {
        version: Some(version.into()),
        updateable: Some(part.is_updateable(&node).into()),
        related_item: Some(vec![Reference::to(related)]),
        status: Some(status::plain(status::link_state(&node), None)),
        ..SoftwareInventory::new(
            path(&node, part),
            id,
            format!("{name} of {}", node.id.as_str()),
        )
    })
}
