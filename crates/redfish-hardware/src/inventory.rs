//! `SoftwareInventory`: the firmware of controllers and the BIOS of computers, as far as they tell their versions.
//!
//! None can be updated over IPMI as it is spoken here, and `Updateable` says so.

use hardware::{Hardware, Node, NodeKind};
use redfish_schema::software_inventory::{COLLECTION, SoftwareInventory};
use redfish_schema::{Collection, Reference};

use crate::tree::Tree;
use crate::{status, uri};

const CONTROLLER: &str = "BMC";
const BIOS: &str = "BIOS";

fn version<'a>(node: &'a Node, part: &str) -> Option<&'a str> {
    match part {
        CONTROLLER => node.identity.controller_firmware.as_deref(),
        BIOS if node.kind == NodeKind::Computer => node.identity.bios_version.as_deref(),
        _ => None,
    }
}

fn path(node: &Node, part: &str) -> String {
    format!("{}/{}-{part}", uri::FIRMWARE, node.id.as_str())
}

/// All of it. A machine that was never reached has told no version.
pub(crate) fn collection(hardware: &dyn Hardware, tree: &Tree) -> Collection {
    let nodes = tree.nodes().iter();
    let nodes = nodes.filter_map(|id| hardware.node(id.as_str()));
    let members = nodes.flat_map(|node| {
        let told = [CONTROLLER, BIOS]
            .map(|part| version(&node, part).map(|_| Reference::to(path(&node, part))));
        told.into_iter().flatten()
    });
    Collection::new(
        &COLLECTION,
        uri::FIRMWARE,
        "Firmware inventory",
        members.collect(),
    )
}

/// The firmware `id`, `Node1-BMC` or `Node1-BIOS`.
pub(crate) fn resource(hardware: &dyn Hardware, id: &str) -> Option<SoftwareInventory> {
    let (node, part) = id.rsplit_once('-')?;
    let node = hardware.node(node)?;
    let version = version(&node, part)?;
    let (name, related) = match part {
        CONTROLLER => ("Controller firmware", uri::manager(node.id.as_str())),
        _ => ("System BIOS", uri::system(node.id.as_str())),
    };
    Some(SoftwareInventory {
        version: Some(version.into()),
        updateable: Some(false.into()),
        related_item: Some(vec![Reference::to(related)]),
        status: Some(status::plain(status::link_state(&node), None)),
        ..SoftwareInventory::new(
            path(&node, part),
            id,
            format!("{name} of {}", node.id.as_str()),
        )
    })
}
