//! A module of a VPX chassis (VITA 46.11, group extension 03h): a board in slot 1 with a mezzanine and a fan tray.

use ipmi::bmc::{Request, serve};
use ipmi::command::vita::{
    ChassisAddressTable, ChassisIdentifier, GetChassisAddressTable, GetChassisIdentifier,
    GetVitaFruAddressInfo, GetVitaFruControlCapabilities, GetVitaFruHash, GetVitaFruLedProperties,
    GetVitaFruLedState, GetVitaFruPolicy, GetVitaLedColors, GetVitaLocatorRecordId,
    GetVitaMandatorySensors, GetVitaPayloadModes, GetVsoCapabilities, SetChassisIdentifier,
    SetIpmbState, SetVitaFruActivation, SetVitaFruLedState, SetVitaFruPolicy, SetVitaPayloadMode,
    VITA_TEXT_MAX, VitaDone, VitaFruAddressInfo, VitaFruControl, VitaFruControlCapabilities,
    VitaFruHash, VitaFruLedProperties, VitaFruLedState, VitaFruPolicy, VitaLedColors,
    VitaLocatorRecordId, VitaMandatorySensors, VitaPayloadModeSet, VitaPayloadModes,
    VsoCapabilities,
};
use ipmi::command::{Bytes, Command};
use ipmi::number::{
    ChassisControlAction, CompletionCode, EntityId, IpmbAddress, LedColors, RestartCause,
    SensorType, VitaFruControlAction, VitaFruControlSupport, VitaPolicy, VitaSiteType,
};
use ipmi::record::RecordId;
use ipmi::wire::Writer;

use crate::controller::{FRUS, LEDS, color};
use crate::machine::Machine;

/// Slot 1 and what follows from it.
const HARDWARE_ADDRESS: u8 = 0x41;
const IPMB_ADDRESS: u8 = 2 * HARDWARE_ADDRESS;
/// Modes that a payload has: 0 and 1.
const MODES: u8 = 0x03;

pub(super) fn handle(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetVsoCapabilities::CMD => serve(request, response, |_: GetVsoCapabilities| {
            Ok(VsoCapabilities {
                layer: 0,
                tier: 1,
                speed: 0,
                buses: 1,
                standard: 0,
                revision_major: 1,
                revision_minor: 0,
                fru_max: u8::try_from(FRUS - 1).unwrap_or(u8::MAX),
                fru_id: 0,
            })
        }),
        GetChassisIdentifier::CMD => serve(request, response, |_: GetChassisIdentifier| {
            let identifier = Bytes::new(&identifier(machine));
            let identifier = identifier.ok_or(CompletionCode::CANNOT_RETURN_BYTES)?;
            Ok(ChassisIdentifier { identifier })
        }),
        SetChassisIdentifier::CMD => serve(request, response, |c: SetChassisIdentifier| {
            let fits = c.identifier.first().is_some_and(|type_length| {
                usize::from(type_length & 0x3f) == c.identifier.len() - 1
            });
            if !fits {
                return Err(CompletionCode::INVALID_DATA_FIELD);
            }
            let stored = &mut machine.controller_mut().modular.chassis_id;
            *stored = Some(c.identifier.to_vec());
            Ok(VitaDone)
        }),
        GetChassisAddressTable::CMD => serve(request, response, |_: GetChassisAddressTable| {
            let mut data = identifier(machine);
            data.extend([HARDWARE_ADDRESS, 1, VitaSiteType::FRONT_VPX.0]);
            let data = Bytes::new(&data).ok_or(CompletionCode::CANNOT_RETURN_BYTES)?;
            Ok(ChassisAddressTable { data })
        }),
        SetIpmbState::CMD => serve(request, response, |c: SetIpmbState| {
            // There is one link to each bus, and it stays with the controller.
            if c.link_a > 1 || c.link_b > 1 {
                return Err(CompletionCode::PARAMETER_OUT_OF_RANGE);
            }
            Ok(VitaDone)
        }),
        0x05..=0x08 => leds(machine, request, response),
        _ => fru(machine, request, response),
    }
}

/// Kind and length as in a FRU field, and the text: what was set, and otherwise the machine's name.
fn identifier(machine: &Machine) -> Vec<u8> {
    let stored = machine.controller().modular.chassis_id.clone();
    stored.unwrap_or_else(|| {
        let name = machine.identity().id.to_string();
        let len = name.len().min(VITA_TEXT_MAX / 2);
        let mut identifier = vec![0xc0 | u8::try_from(len).unwrap_or(0)];
        identifier.extend(&name.as_bytes()[..len]);
        identifier
    })
}

fn check(fru: u8) -> Result<usize, CompletionCode> {
    let fru = usize::from(fru);
    if fru < FRUS {
        Ok(fru)
    } else {
        Err(CompletionCode::INVALID_DATA_FIELD)
    }
}

fn leds(machine: &mut Machine, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
    let now_s = machine.at_s();
    match request.cmd {
        GetVitaFruLedProperties::CMD => serve(request, response, |c: GetVitaFruLedProperties| {
            check(c.fru_id)?;
            let count = u8::try_from(LEDS).unwrap_or(u8::MAX);
            Ok(VitaFruLedProperties { count })
        }),
        GetVitaLedColors::CMD => serve(request, response, |c: GetVitaLedColors| {
            let fru = check(c.fru_id)?;
            let led = machine.controller().modular.frus[fru].led(now_s, c.led_id.0);
            led.ok_or(CompletionCode::INVALID_DATA_FIELD)?;
            let color = color(c.led_id.0);
            Ok(VitaLedColors {
                colors: LedColors(1 << color.0),
                default_local: color,
                default_override: color,
                flags: None,
            })
        }),
        SetVitaFruLedState::CMD => serve(request, response, |c: SetVitaFruLedState| {
            let fru = check(c.fru_id)?;
            let frus = &mut machine.controller_mut().modular.frus;
            if frus[fru].set_led(now_s, c.led_id.0, c.behaviour) {
                Ok(VitaDone)
            } else {
                Err(CompletionCode::INVALID_DATA_FIELD)
            }
        }),
        _ => serve(request, response, |c: GetVitaFruLedState| {
            let fru = check(c.fru_id)?;
            let led = machine.controller().modular.frus[fru].led(now_s, c.led_id.0);
            let led = led.ok_or(CompletionCode::INVALID_DATA_FIELD)?;
            let (state, local, overriding, lamp_test_100ms) = led;
            Ok(VitaFruLedState {
                state,
                local,
                overriding,
                lamp_test_100ms,
            })
        }),
    }
}

fn fru(machine: &mut Machine, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
    match request.cmd {
        VitaFruControl::CMD => serve(request, response, |c| control(machine, &c)),
        GetVitaFruControlCapabilities::CMD => {
            serve(request, response, |c: GetVitaFruControlCapabilities| {
                check(c.fru_id)?;
                Ok(VitaFruControlCapabilities {
                    support: VitaFruControlSupport::COLD_RESET
                        | VitaFruControlSupport::DIAGNOSTIC_INTERRUPT
                        | VitaFruControlSupport::PAYLOAD_POWER,
                })
            })
        }
        SetVitaFruPolicy::CMD => serve(request, response, |c: SetVitaFruPolicy| {
            let fru = check(c.fru_id)?;
            let policy = &mut machine.controller_mut().modular.frus[fru].policy;
            *policy = *policy & !c.mask.0 | c.set.0 & c.mask.0;
            Ok(VitaDone)
        }),
        GetVitaFruPolicy::CMD => serve(request, response, |c: GetVitaFruPolicy| {
            let fru = check(c.fru_id)?;
            let policy = VitaPolicy(machine.controller().modular.frus[fru].policy);
            Ok(VitaFruPolicy { policy })
        }),
        SetVitaFruActivation::CMD => serve(request, response, |c: SetVitaFruActivation| {
            let fru = check(c.fru_id)?;
            super::picmg::activate(machine, fru, c.activation)?;
            Ok(VitaDone)
        }),
        GetVitaLocatorRecordId::CMD => serve(request, response, |c: GetVitaLocatorRecordId| {
            check(c.fru_id)?;
            let record = RecordId(u16::from(c.fru_id) + 1);
            Ok(VitaLocatorRecordId { record })
        }),
        GetVitaFruAddressInfo::CMD => serve(request, response, |c: GetVitaFruAddressInfo| {
            let fru_id = c.fru_id.unwrap_or(0);
            check(fru_id)?;
            Ok(VitaFruAddressInfo {
                hardware_address: HARDWARE_ADDRESS,
                ipmb_0_address: IpmbAddress::from_byte(IPMB_ADDRESS),
                fru_id,
                site_number: 1,
                site_type: match fru_id {
                    0 => VitaSiteType::FRONT_VPX,
                    1 => VitaSiteType::XMC,
                    _ => VitaSiteType::FAN_TRAY,
                },
                channel_7: None,
            })
        }),
        _ => payload(machine, request, response),
    }
}

/// The board's payload is the host.
fn control(machine: &mut Machine, c: &VitaFruControl) -> Result<VitaDone, CompletionCode> {
    let fru = check(c.fru_id)?;
    let action = match c.action {
        VitaFruControlAction::COLD_RESET => ChassisControlAction::HARD_RESET,
        VitaFruControlAction::DIAGNOSTIC_INTERRUPT => ChassisControlAction::DIAGNOSTIC_INTERRUPT,
        _ => return Err(CompletionCode::INVALID_DATA_FIELD),
    };
    if fru == 0 {
        machine
            .control_because(action, RestartCause::CHASSIS_CONTROL)
            .map_err(|_| CompletionCode::NOT_SUPPORTED_IN_STATE)?;
    }
    Ok(VitaDone)
}

fn payload(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetVitaMandatorySensors::CMD => serve(request, response, |c: GetVitaMandatorySensors| {
            check(c.fru_id)?;
            let profile = machine.profile();
            let number = |sensor_type| profile.number_of(sensor_type).unwrap_or(0xff);
            let board = profile
                .sensors
                .iter()
                .find(|sensor| sensor.entity == EntityId::SYSTEM_BOARD && sensor.analog().is_some())
                .map_or(0xff, |sensor| sensor.number);
            Ok(VitaMandatorySensors {
                state: number(SensorType::POWER_UNIT),
                health: number(SensorType::PROCESSOR),
                voltage: number(SensorType::VOLTAGE),
                temperature: board,
                test_results: number(SensorType::OS_BOOT),
                test_status: number(SensorType::SYSTEM_BOOT_INITIATED),
                payload_mode: number(SensorType::ACPI_POWER_STATE),
            })
        }),
        GetVitaFruHash::CMD => serve(request, response, |c: GetVitaFruHash| {
            check(c.fru_id)?;
            let image = machine.fru(c.fru_id).unwrap_or_default();
            // FNV-1a: any number that changes with the inventory will do.
            let hash = image.iter().fold(0x811c_9dc5_u32, |hash, byte| {
                (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
            });
            Ok(VitaFruHash { hash })
        }),
        GetVitaPayloadModes::CMD => serve(request, response, |c: GetVitaPayloadModes| {
            check(c.fru_id)?;
            Ok(VitaPayloadModes {
                low: MODES,
                high: None,
            })
        }),
        SetVitaPayloadMode::CMD => serve(request, response, |c: SetVitaPayloadMode| {
            let fru = check(c.fru_id)?;
            if c.mode > 7 || MODES >> c.mode & 1 == 0 {
                return Err(CompletionCode::INVALID_DATA_FIELD);
            }
            machine.controller_mut().modular.frus[fru].payload_mode = c.mode;
            Ok(VitaPayloadModeSet { data: Bytes::EMPTY })
        }),
        _ => CompletionCode::INVALID_COMMAND,
    }
}
