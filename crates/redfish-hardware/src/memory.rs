//! `Memory`, its collection, and the summary of a system's memory: the modules that have a nameplate.

use hardware::{Capacity, Context, Node, Part};
use redfish_schema::computer_system::MemorySummary;
use redfish_schema::memory::{COLLECTION, Memory};
use redfish_schema::resource::{State, Status};
use redfish_schema::{Collection, Reference};

use crate::{part, status, uri};

const MIB_PER_GIB: f64 = 1_024.0;

/// Each module with its name in a URI: modules count from 1 in the machine's own order.
fn modules(node: &Node) -> impl Iterator<Item = (String, Part<&str>)> {
    let parts = node.inventory.parts();
    let modules = parts.filter(|part| part.context == Context::Memory);
    (1..)
        .zip(modules)
        .map(|(number, part)| (format!("DIMM{number}"), part))
}

const fn mebibytes(part: &Part<&str>) -> Option<u32> {
    match part.capacity {
        Some(Capacity::Mebibytes(size)) => Some(size),
        _ => None,
    }
}

/// All modules together. `None` where the machine tells of none, or not how large each is: part of a sum is no sum.
pub(crate) fn summary(node: &Node) -> Option<MemorySummary> {
    let sizes: Option<Vec<u32>> = modules(node).map(|(_, part)| mebibytes(&part)).collect();
    let sizes = sizes.filter(|sizes| !sizes.is_empty())?;
    let total: f64 = sizes.into_iter().map(f64::from).sum();
    Some(MemorySummary {
        total_system_memory_gib: Some((total / MIB_PER_GIB).into()),
    })
}

pub(crate) fn collection(node: &Node) -> Option<Collection> {
    let id = node.id.as_str();
    let members: Vec<_> = modules(node)
        .map(|(module, _)| Reference::to(uri::memory_module(id, &module)))
        .collect();
    let path = uri::memory(id);
    (!members.is_empty()).then(|| Collection::new(&COLLECTION, path, "Memory modules", members))
}

pub(crate) fn resource(node: &Node, module_id: &str) -> Option<Memory> {
    let (id, part) = modules(node).find(|(id, _)| id == module_id)?;
    let asset = &part.asset;
    let path = uri::memory_module(node.id.as_str(), &id);
    let name = asset.name.unwrap_or(&id);
    Some(Memory {
        capacity_mib: Some(mebibytes(&part).map(i64::from).into()),
        device_locator: asset.name.map(Into::into),
        manufacturer: asset.manufacturer.map(Into::into),
        model: asset.model.map(Into::into),
        serial_number: asset.serial_number.map(Into::into),
        part_number: asset.part_number.map(Into::into),
        status: Some(module_status(node, &part)),
        ..Memory::new(path, id.as_str(), name)
    })
}

/// A module with a nameplate is there; how well it is, its numeric sensors say. (The discrete ones of memory mostly
/// speak of all modules together.)
fn module_status(node: &Node, part: &Part<&str>) -> Status {
    let own = part::measurements(node).filter(|m| {
        m.sensor.context == Context::Memory
            && m.sensor.instance == part.instance
            && m.sensor.quantity.is_numeric()
            && m.is_fresh()
    });
    let worst = own.map(|m| m.severity()).max();
    status::plain(State::Enabled, worst.map(status::health))
}
