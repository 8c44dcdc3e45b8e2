//! FRU inventories.

use ipmi::bmc::Request;
use ipmi::command::Command;
use ipmi::command::storage::{GetFruInventoryAreaInfo, ReadFruData};
use ipmi::number::{CompletionCode, NetFn};
use ipmi::quirk::{Quirk, Quirks};

use super::Answer;
use crate::handler::Device;

/// The most bytes at once with [`Quirk::FruReadLimited`].
const PART_MAX: u8 = 16;
/// A device that is a part: its inventory is missing with [`Quirk::FruEmpty`].
const PART: u8 = 1;
/// Length of the common header, and where in it the areas' offsets are, in units of 8 bytes.
const HEADER: usize = 8;
const AREAS: std::ops::Range<usize> = 2..5;
const UNIT: usize = 8;

pub(super) fn refusal(defects: Quirks, request: &Request<'_>) -> Option<CompletionCode> {
    let is_read = request.netfn == NetFn::STORAGE && request.cmd == ReadFruData::CMD;
    let count = request.data.get(3).copied().unwrap_or_default();
    (defects.has(Quirk::FruReadLimited) && is_read && count > PART_MAX)
        .then_some(CompletionCode::PARAMETER_OUT_OF_RANGE)
}

pub(super) fn spoil(device: &Device<'_>, answer: &mut Answer<'_>) {
    if answer.request.netfn != NetFn::STORAGE || answer.code != CompletionCode::OK {
        return;
    }
    if answer.spoils(Quirk::FruEmpty, GetFruInventoryAreaInfo::CMD) && answer.request.data == [PART]
    {
        answer.patch(0, &[0, 0]);
    }
    let [id, low, high, ..] = *answer.request.data else {
        return;
    };
    if !answer.spoils(Quirk::FruChecksumsWrong, ReadFruData::CMD) || id != 0 {
        return;
    }
    let start = usize::from(u16::from_le_bytes([low, high]));
    let image = device.machine.fru(id).unwrap_or_default();
    for at in checksums(&image) {
        // The first byte of the answer is the count.
        if let Some(byte) = at
            .checked_sub(start)
            .and_then(|at| answer.data.get_mut(1 + at))
        {
            *byte ^= 0x5a;
        }
    }
}

/// Where in an inventory the checksums of the header and of its areas are.
fn checksums(image: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let header = image.get(..HEADER).unwrap_or_default();
    let areas = header.get(AREAS).unwrap_or_default().iter();
    let starts = areas
        .map(|offset| usize::from(*offset) * UNIT)
        .filter(|start| *start != 0);
    let ends = starts.filter_map(|start| {
        let units = image.get(start + 1)?;
        Some(start + usize::from(*units) * UNIT - 1)
    });
    ends.chain([HEADER - 1])
}
