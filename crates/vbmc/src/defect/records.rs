//! Sensor data records.

use ipmi::bmc::Request;
use ipmi::command::Command;
use ipmi::command::app::GetDeviceId;
use ipmi::command::storage::{GetSdr, GetSdrRepositoryInfo, ReserveSdrRepository};
use ipmi::number::{CompletionCode, NetFn};
use ipmi::quirk::{Quirk, Quirks};

use super::Answer;
use crate::handler::Device;

/// The most bytes of a record at once with [`Quirk::SdrReadLimited`] and what shows only in parts of records.
const PART_MAX: u8 = 20;
/// What is left of a record that is read whole, with [`Quirk::SdrWholeReadShort`].
const WHOLE: usize = 2 + 24;
/// The record behind the last one, with [`Quirk::SdrLastRefused`].
const BEHIND_LAST: u16 = 0xfff0;
/// One read in so many loses its reservation.
const LOST_EVERY: u32 = 61;
/// Where in the answer to Get SDR the record begins, and in it the number, the type, the length and the owner.
const RECORD: usize = 2;
const TYPE: usize = RECORD + 3;
const LENGTH: usize = RECORD + 4;
const OWNER: usize = RECORD + 5;
/// A controller that there isn't.
const OTHER_OWNER: u8 = 0x2c;

const TIMEOUT: CompletionCode = CompletionCode(0xc3);

fn is(request: &Request<'_>, cmd: u8) -> bool {
    request.netfn == NetFn::STORAGE && request.cmd == cmd
}

/// Record, offset and count of Get SDR.
fn part(request: &Request<'_>) -> Option<(u16, u8, u8)> {
    match request.data {
        [_, _, low, high, offset, count] if is(request, GetSdr::CMD) => {
            Some((u16::from_le_bytes([*low, *high]), *offset, *count))
        }
        _ => None,
    }
}

pub(super) fn refusal(defects: Quirks, request: &Request<'_>, turn: u32) -> Option<CompletionCode> {
    let has = |quirk| defects.has(quirk);
    if has(Quirk::DeviceSdrsOnly) && request.netfn == NetFn::STORAGE && request.cmd & 0xf0 == 0x20 {
        return Some(CompletionCode::INVALID_COMMAND);
    }
    let is_extra = is(request, GetSdrRepositoryInfo::CMD) || is(request, ReserveSdrRepository::CMD);
    if has(Quirk::SdrReserveMissing) && is_extra {
        return Some(CompletionCode::INVALID_COMMAND);
    }
    let (record, offset, count) = part(request)?;
    let in_parts = has(Quirk::SdrReadLimited)
        || has(Quirk::SdrReservationLost)
        || has(Quirk::SdrReserveMissing);
    if in_parts && count > PART_MAX {
        return Some(CompletionCode::CANNOT_RETURN_BYTES);
    }
    if has(Quirk::SdrReservationLost) && offset != 0 && turn.is_multiple_of(LOST_EVERY) {
        return Some(CompletionCode::RESERVATION_CANCELLED);
    }
    (has(Quirk::SdrLastRefused) && record == BEHIND_LAST).then_some(TIMEOUT)
}

/// The request as it would be right: a BMC without reservations takes none.
pub(super) fn rewritten(device: &mut Device<'_>, request: &Request<'_>) -> Option<Vec<u8>> {
    let (_, offset, _) = part(request)?;
    let goes_without = device.config.defects.has(Quirk::SdrReserveMissing);
    (goes_without && offset != 0).then(|| {
        let mut data = request.data.to_vec();
        data[..2].copy_from_slice(&device.machine.reserve_sdr().to_le_bytes());
        data
    })
}

pub(super) fn spoil(answer: &mut Answer<'_>) {
    if answer.request.netfn == NetFn::APP && answer.spoils(Quirk::DeviceSdrsOnly, GetDeviceId::CMD)
    {
        // Provides device SDRs; has no repository.
        answer.data[1] |= 0x80;
        answer.data[5] &= !0x02;
    }
    if answer.request.netfn != NetFn::STORAGE {
        return;
    }
    if answer.spoils(Quirk::SdrCountWrong, GetSdrRepositoryInfo::CMD) {
        answer.patch(1, &[5, 0]);
    }
    let Some((_, offset, count)) = part(answer.request) else {
        return;
    };
    if answer.code != CompletionCode::OK {
        // Behind the end of a record that claims to be longer.
        if answer.defects.has(Quirk::SdrLengthTooBig) && offset != 0 {
            answer.refuse(CompletionCode::CANNOT_RETURN_BYTES);
        }
        return;
    }
    let is_last = answer.data[..2] == [0xff, 0xff];
    if is_last && answer.defects.has(Quirk::SdrListEndless) {
        answer.patch(0, &[1, 0]);
    }
    if is_last && answer.defects.has(Quirk::SdrLastRefused) {
        answer.patch(0, &BEHIND_LAST.to_le_bytes());
    }
    if count == 0xff && answer.defects.has(Quirk::SdrWholeReadShort) {
        answer.data.truncate(WHOLE);
    }
    if offset == 0 && answer.data.len() > LENGTH {
        spoil_head(answer);
    }
}

/// Spoils the beginning of a record.
fn spoil_head(answer: &mut Answer<'_>) {
    if answer.defects.has(Quirk::SdrIdDiffers) {
        answer.data[RECORD] = answer.data[RECORD].wrapping_add(1);
    }
    if answer.defects.has(Quirk::SdrLengthTooBig) {
        answer.data[LENGTH] += 6;
    }
    let is_sensor = matches!(answer.data[TYPE], 0x01..=0x03);
    if answer.defects.has(Quirk::SensorOwnerWrong) && is_sensor {
        answer.patch(OWNER, &[OTHER_OWNER]);
    }
}
