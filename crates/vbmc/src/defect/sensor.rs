//! Readings.

use ipmi::command::Command;
use ipmi::command::sensor::GetSensorReading;
use ipmi::number::{CompletionCode, NetFn, ReadingFlags};
use ipmi::quirk::Quirk;

use super::Answer;

/// By what sensors without a reading are refused.
const ABSENT: [CompletionCode; 6] = [
    CompletionCode::PARAMETER_OUT_OF_RANGE,
    CompletionCode::NOT_PRESENT,
    CompletionCode::ILLEGAL_FOR_TYPE,
    CompletionCode::NO_RESPONSE,
    CompletionCode(0xd3),
    CompletionCode::NOT_SUPPORTED_IN_STATE,
];
/// A state that no sensor of ours has.
const ILLEGAL_STATE: u8 = 0x20;

pub(super) fn spoil(answer: &mut Answer<'_>) {
    if answer.request.netfn != NetFn::SENSOR_EVENT
        || answer.request.cmd != GetSensorReading::CMD
        || answer.code != CompletionCode::OK
    {
        return;
    }
    let defects = answer.defects;
    let has = |quirk| defects.has(quirk);
    let is_absent = answer.data[1] & ReadingFlags::UNAVAILABLE.0 != 0;
    let number = usize::from(answer.request.data[0]);
    let is_numeric = answer
        .data
        .get(2)
        .is_some_and(|states| states & 0xc0 == 0xc0);
    if has(Quirk::SensorAbsentByCode) && is_absent {
        answer.refuse(ABSENT[number % ABSENT.len()]);
        return;
    }
    if has(Quirk::ScanningFlagWrong) && !is_absent {
        answer.data[1] &= !ReadingFlags::SCANNING.0;
    }
    if has(Quirk::IllegalStates)
        && let [_, _, _, states] = answer.data.as_mut_slice()
    {
        *states |= ILLEGAL_STATE;
    }
    if has(Quirk::ReadingShort) && is_numeric {
        answer.data.truncate(2);
    }
}
