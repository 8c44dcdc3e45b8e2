//! Settings, texts, power and users.

use ipmi::bmc::Request;
use ipmi::command::Command;
use ipmi::command::app::{
    GetDeviceGuid, GetDeviceId, GetSystemGuid, GetSystemInfoParameters, GetUserName,
    GetWatchdogTimer, SetUserPassword,
};
use ipmi::command::chassis::{ChassisIdentify, GetSystemBootOptions};
use ipmi::command::dcmi::{GetAssetTag, GetPowerReading};
use ipmi::number::{CompletionCode, NetFn};
use ipmi::quirk::{Quirk, Quirks};

use super::Answer;

/// Where in the answer to Get Device ID the maker's number is.
const MAKER: usize = 6;
/// Bit of the watchdog's use that says that it runs.
const RUNNING: u8 = 0x40;
/// What follows the flags with [`Quirk::BootFlagsLong`].
const EXCESS: [u8; 12] = [0xa5; 12];

pub(super) fn refusal(defects: Quirks, request: &Request<'_>) -> Option<CompletionCode> {
    let is = |quirk, netfn, cmd| defects.has(quirk) && (request.netfn, request.cmd) == (netfn, cmd);
    let is_password = |quirk| is(quirk, NetFn::APP, SetUserPassword::CMD);
    let refusals = [
        (
            is_password(Quirk::EnableNeedsPassword) && request.data.len() == 2,
            CompletionCode::REQUEST_LENGTH_INVALID,
        ),
        // The top bit of the first byte says that 20 bytes follow.
        (
            is_password(Quirk::Password20Refused)
                && request.data.first().is_some_and(|user| user & 0x80 != 0),
            CompletionCode::REQUEST_LENGTH_INVALID,
        ),
        (
            is(
                Quirk::SystemInfoDenied,
                NetFn::APP,
                GetSystemInfoParameters::CMD,
            ),
            CompletionCode::INSUFFICIENT_PRIVILEGE,
        ),
        (
            is(
                Quirk::IdentifyLengthRefused,
                NetFn::CHASSIS,
                ChassisIdentify::CMD,
            ) && request.data.len() > 1,
            CompletionCode::REQUEST_LENGTH_INVALID,
        ),
    ];
    refusals
        .into_iter()
        .find_map(|(hit, code)| hit.then_some(code))
}

pub(super) fn spoil(answer: &mut Answer<'_>) {
    match answer.request.netfn {
        NetFn::APP => {
            if answer.spoils(Quirk::WatchdogNeverRunning, GetWatchdogTimer::CMD)
                && let Some(timer_use) = answer.data.first_mut()
            {
                *timer_use &= !RUNNING;
            }
            let is_unset = answer.data.iter().all(|byte| *byte == 0);
            if answer.spoils(Quirk::UserNameUnsetRefused, GetUserName::CMD) && is_unset {
                answer.refuse(CompletionCode::INVALID_DATA_FIELD);
            }
            if answer.spoils(Quirk::ManufacturerInvalid, GetDeviceId::CMD) {
                answer.patch(MAKER, &[0xff, 0xff, 0x0f]);
            }
            let is_guid = answer.spoils(Quirk::GuidByteOrder, GetDeviceGuid::CMD)
                || answer.spoils(Quirk::GuidByteOrder, GetSystemGuid::CMD);
            if is_guid {
                answer.data.reverse();
            }
            // Part of the node's number, so that version and variant stay.
            if answer.spoils(Quirk::GuidUnsteady, GetDeviceGuid::CMD) {
                let turn = answer.turn.to_le_bytes();
                answer.patch(0, &turn);
            }
        }
        NetFn::CHASSIS if answer.spoils(Quirk::BootFlagsLong, GetSystemBootOptions::CMD) => {
            answer.data.extend(EXCESS);
        }
        // Nothing but the group.
        NetFn::GROUP_EXTENSION if answer.spoils(Quirk::PowerReadingEmpty, GetPowerReading::CMD) => {
            answer.data.truncate(1);
        }
        // Group, length, characters.
        NetFn::GROUP_EXTENSION
            if answer.spoils(Quirk::AssetTagLengthMissing, GetAssetTag::CMD)
                && answer.data.len() > 1 =>
        {
            answer.data.remove(1);
        }
        _ => {}
    }
}
