//! `Processor`, its collection, and the summary of a system's processors.

use hardware::{Context, Node};
use redfish_schema::computer_system::ProcessorSummary;
use redfish_schema::processor::{COLLECTION, Processor, ProcessorType};
use redfish_schema::{Collection, Reference};

use crate::part::{self, Part};
use crate::{status, uri};

/// The processors that a machine's nameplates and sensors tell of.
pub(crate) fn parts(node: &Node) -> Vec<Part<'_>> {
    part::of_kind(node, Context::Cpu, "CPU", "Processor")
}

/// How many are present and what they are; `None` where the machine tells of none.
pub(crate) fn summary(node: &Node) -> Option<ProcessorSummary> {
    let parts = parts(node);
    let present = || parts.iter().filter(|part| !part.is_absent());
    let model = present().find_map(|part| part.asset?.model);
    (!parts.is_empty()).then(|| ProcessorSummary {
        count: i64::try_from(present().count()).ok().map(Into::into),
        model: Some(model.map(str::to_owned).into()),
    })
}

pub(crate) fn collection(node: &Node) -> Option<Collection> {
    let parts = parts(node);
    let id = node.id.as_str();
    let members: Vec<_> = parts
        .iter()
        .map(|part| Reference::to(uri::processor(id, &part.id)))
        .collect();
    let path = uri::processors(id);
    (!members.is_empty()).then(|| Collection::new(&COLLECTION, path, "Processors", members))
}

pub(crate) fn resource(node: &Node, processor_id: &str) -> Option<Processor> {
    let part = parts(node)
        .into_iter()
        .find(|part| part.id == processor_id)?;
    let asset = part.asset.unwrap_or_default();
    let path = uri::processor(node.id.as_str(), &part.id);
    Some(Processor {
        processor_type: Some(ProcessorType::CPU.into()),
        manufacturer: asset.manufacturer.map(Into::into),
        model: asset.model.map(Into::into),
        serial_number: asset.serial_number.map(Into::into),
        part_number: asset.part_number.map(Into::into),
        version: asset.version.map(Into::into),
        status: Some(status::of_part(&part)),
        ..Processor::new(path, part.id.as_str(), part.name.as_str())
    })
}
