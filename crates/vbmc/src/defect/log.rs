//! The system event log.

use ipmi::bmc::Request;
use ipmi::command::Command;
use ipmi::command::storage::{ClearSel, GetSelEntry, ReserveSel};
use ipmi::number::{CompletionCode, NetFn};
use ipmi::quirk::{Quirk, Quirks};

use super::Answer;
use crate::handler::Device;

/// Where in the answer to Get SEL Entry the time stamp and the generator are.
const TIME: usize = 2 + 3;
const GENERATOR: usize = 2 + 7;
/// One entry in so many is hit.
const HIT_EVERY: u32 = 3;
/// The entry that can't be read, with [`Quirk::SelEntryUnreadable`].
const UNREADABLE: u16 = 2;

pub(super) fn refusal(defects: Quirks, request: &Request<'_>) -> Option<CompletionCode> {
    let is = |cmd| (request.netfn, request.cmd) == (NetFn::STORAGE, cmd);
    let reserves = is(ReserveSel::CMD);
    let bad = is(GetSelEntry::CMD) && request.data.get(2..4) == Some(&UNREADABLE.to_le_bytes());
    if defects.has(Quirk::SelEntryUnreadable) && bad {
        return Some(CompletionCode::UNSPECIFIED);
    }
    (defects.has(Quirk::SelReserveDenied) && reserves)
        .then_some(CompletionCode::INSUFFICIENT_PRIVILEGE)
}

/// The request as it would be right: a BMC that denies reservations takes none.
pub(super) fn rewritten(device: &mut Device<'_>, request: &Request<'_>) -> Option<Vec<u8>> {
    let denies = device.config.defects.has(Quirk::SelReserveDenied);
    let is_clear = (request.netfn, request.cmd) == (NetFn::STORAGE, ClearSel::CMD);
    (denies && is_clear && request.data.len() > 2).then(|| {
        let mut data = request.data.to_vec();
        let serial = device.machine.next_reservation();
        data[..2].copy_from_slice(&device.machine.log_mut().reserve(serial).to_le_bytes());
        data
    })
}

pub(super) fn spoil(answer: &mut Answer<'_>) {
    if answer.request.netfn != NetFn::STORAGE
        || answer.request.cmd != GetSelEntry::CMD
        || answer.code != CompletionCode::OK
    {
        return;
    }
    let defects = answer.defects;
    let has = |quirk| defects.has(quirk);
    let is_last = answer.data[..2] == [0xff, 0xff];
    if has(Quirk::SelListEndless) && is_last {
        answer.patch(0, &[1, 0]);
    } else if has(Quirk::SelNextZero) && answer.turn.is_multiple_of(HIT_EVERY) {
        answer.patch(0, &[0, 0]);
    }
    if has(Quirk::SelGeneratorWrong) {
        answer.patch(GENERATOR, &[0x2c, 0x00]);
    }
    if has(Quirk::SelTimesSinceStart) {
        // Seconds since the BMC started: up to 2000_0000h.
        answer.patch(TIME, &[0x10, 0x02, 0x00, 0x00]);
    }
}
