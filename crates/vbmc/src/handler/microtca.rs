//! What a shelf and its power module answer: shelf address, inventory locks, location, power channels, alarms (PICMG 3.0
//! §3.2.3, MTCA.0 §3).

use ipmi::bmc::{Request, serve};
use ipmi::command::picmg::shelf::{
    ALREADY_LOCKED, LOCK, LOCK_ID_INVALID, LOCK_QUERY, UNLOCK_COMMIT, UNLOCK_DISCARD,
};
use ipmi::command::picmg::{
    FruInventoryLock, FruInventoryLockControl, FruInventoryWrite, FruInventoryWritten,
    GetLocationInformation, GetPowerChannelStatus, GetShelfAddressInfo, GetTelcoAlarmCapability,
    LocationInformation, PicmgDone, PmHeartbeat, PowerChannelControl, PowerChannelStatus,
    ShelfAddressInfo, TelcoAlarmCapability,
};
use ipmi::command::{Bytes, Command};
use ipmi::number::{AlarmSeverity, CompletionCode};
use ipmi::wire::Writer;

use crate::machine::Machine;

/// The shelf's own inventory (PICMG 3.0 §3.6.5).
const SHELF_FRU: u8 = 0xfe;
/// Channels of the power module.
const POWER_CHANNELS: u8 = 16;
/// What one channel's byte says: the module is there, payload power is good.
const CHANNEL_ON: u8 = 0x0b;

pub(super) fn handle(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetShelfAddressInfo::CMD => serve(request, response, |_: GetShelfAddressInfo| {
            let name = machine.identity().id.to_string();
            let len = name.len().min(ipmi::command::picmg::SHELF_ADDRESS_MAX);
            let address = Bytes::new(&name.as_bytes()[..len]);
            Ok(ShelfAddressInfo {
                type_length: 0xc0 | u8::try_from(len).unwrap_or(0),
                address: address.ok_or(CompletionCode::CANNOT_RETURN_BYTES)?,
            })
        }),
        FruInventoryLockControl::CMD => serve(request, response, |c| lock(machine, &c)),
        FruInventoryWrite::CMD => serve(request, response, |c| write(machine, &c)),
        GetLocationInformation::CMD => serve(request, response, |c: GetLocationInformation| {
            if c.carrier != 0 {
                return Err(CompletionCode::PARAMETER_OUT_OF_RANGE);
            }
            Ok(LocationInformation {
                slot: c.site_number,
                tier: 1,
                has_slot: true,
                has_tier: true,
                orientation: false,
                x: 0,
                y: 0,
            })
        }),
        PowerChannelControl::CMD => serve(request, response, |c: PowerChannelControl| {
            if !(1..=POWER_CHANNELS).contains(&c.channel) {
                return Err(CompletionCode::PARAMETER_OUT_OF_RANGE);
            }
            let bit = 1_u16 << (c.channel - 1);
            let channels = &mut machine.controller_mut().modular.power_channels;
            // Bit 0 is the enable; the rest of the control is about redundancy.
            if c.control & 1 == 1 {
                *channels |= bit;
            } else {
                *channels &= !bit;
            }
            Ok(PicmgDone)
        }),
        GetPowerChannelStatus::CMD => serve(request, response, |c| power_status(machine, &c)),
        PmHeartbeat::CMD => serve(request, response, |c: PmHeartbeat| {
            let until_s = machine.at_s() + u64::from(c.timeout_100ms).div_ceil(10);
            machine.controller_mut().modular.heartbeat_until_s = Some(until_s);
            Ok(PicmgDone)
        }),
        GetTelcoAlarmCapability::CMD => serve(request, response, |c: GetTelcoAlarmCapability| {
            if c.fru_id != 0 {
                return Err(CompletionCode::INVALID_DATA_FIELD);
            }
            Ok(TelcoAlarmCapability {
                major_reset: false,
                minor_reset: false,
                cutoff: false,
                test: false,
                alarms: AlarmSeverity::CRITICAL | AlarmSeverity::MAJOR | AlarmSeverity::MINOR,
            })
        }),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

fn power_status(
    machine: &Machine,
    c: &GetPowerChannelStatus,
) -> Result<PowerChannelStatus, CompletionCode> {
    let last = c.start.saturating_add(c.count).saturating_sub(1);
    if c.start == 0 || c.count == 0 || last > POWER_CHANNELS {
        return Err(CompletionCode::PARAMETER_OUT_OF_RANGE);
    }
    let modular = &machine.controller().modular;
    let states: Vec<u8> = (c.start..=last)
        .map(|channel| {
            let is_on = modular.power_channels >> (channel - 1) & 1 == 1;
            if is_on { CHANNEL_ON } else { 0 }
        })
        .collect();
    Ok(PowerChannelStatus {
        max: POWER_CHANNELS,
        fault: false,
        payload_good: machine.host().is_on(),
        management_good: true,
        primary: true,
        channels: Bytes::new(&states).ok_or(CompletionCode::CANNOT_RETURN_BYTES)?,
    })
}

/// The shelf's inventory is written under a lock, and takes effect as a whole.
fn lock(
    machine: &mut Machine,
    c: &FruInventoryLockControl,
) -> Result<FruInventoryLock, CompletionCode> {
    if c.fru_id != SHELF_FRU {
        return Err(CompletionCode::DESTINATION_UNAVAILABLE);
    }
    let image = machine.fru(0).unwrap_or_default();
    let now_s = machine.clock_s();
    let controller = machine.controller_mut();
    let modular = &mut controller.modular;
    let mut answer = FruInventoryLock {
        lock: 0,
        changed: modular.shelf_changed_s,
    };
    let is_mine = modular.lock.as_ref().is_some_and(|(id, _)| *id == c.lock);
    match c.operation {
        LOCK_QUERY => {}
        LOCK if modular.lock.is_some() => return Err(ALREADY_LOCKED),
        LOCK => {
            modular.locks = modular.locks.wrapping_add(1).max(1);
            answer.lock = modular.locks;
            modular.lock = Some((answer.lock, image));
        }
        UNLOCK_DISCARD | UNLOCK_COMMIT if !is_mine => return Err(LOCK_ID_INVALID),
        UNLOCK_DISCARD => modular.lock = None,
        UNLOCK_COMMIT => {
            if let Some((_, image)) = modular.lock.take() {
                controller.frus.insert(0, image);
                controller.modular.shelf_changed_s = now_s;
                answer.changed = now_s;
            }
        }
        _ => return Err(CompletionCode::INVALID_DATA_FIELD),
    }
    Ok(answer)
}

fn write(
    machine: &mut Machine,
    c: &FruInventoryWrite,
) -> Result<FruInventoryWritten, CompletionCode> {
    let lock = machine.controller_mut().modular.lock.as_mut();
    let (_, image) = lock
        .filter(|(id, _)| *id == c.lock && c.fru_id == SHELF_FRU)
        .ok_or(LOCK_ID_INVALID)?;
    let start = usize::from(c.offset);
    let room = image.get_mut(start..start + c.data.len());
    let room = room.ok_or(CompletionCode::PARAMETER_OUT_OF_RANGE)?;
    room.copy_from_slice(&c.data);
    Ok(FruInventoryWritten {
        count: u8::try_from(c.data.len()).unwrap_or(u8::MAX),
    })
}
