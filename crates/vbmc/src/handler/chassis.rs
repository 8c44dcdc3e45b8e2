//! Chassis commands (§28).

use ipmi::bmc::{Request, serve};
use ipmi::command::chassis::{
    BootParameter, ChassisCapabilitiesResponse, ChassisControl, ChassisIdentify, ChassisReset,
    ChassisStatus, GetChassisCapabilities, GetChassisStatus, GetPohCounter, GetSystemBootOptions,
    GetSystemRestartCause, PohCounter, PowerRestorePolicySupport, SetChassisCapabilities,
    SetFrontPanelEnables, SetPowerCycleInterval, SetPowerRestorePolicy, SetSystemBootOptions,
    SystemBootOptions, SystemRestartCause,
};
use ipmi::command::{Bytes, Command, Empty};
use ipmi::number::{
    BootOptionParameter, ChannelNumber, ChassisCapabilities, ChassisState, CompletionCode,
    FrontPanelButtons, PowerRestorePolicy, PowerState, SetInProgress,
};
use ipmi::wire::Writer;

use super::Device;
use crate::controller::{ParameterSpec, read_parameter, write_parameter};
use crate::machine::Machine;
use crate::profile::Model;

/// How long the identify light is on when the request doesn't say, in seconds (§28.5).
const IDENTIFY_S: u8 = 15;
/// How long one console may hold the boot options while it writes several, in seconds.
const WRITING_S: u64 = 30;
/// All four buttons can be disabled (§28.2, table 28-3).
const ALLOWED_BUTTONS: u8 = 0xf0;
/// Boot options that the host doesn't act on, but firmware reads (§28.13, table 28-14).
const STORED: [ParameterSpec; 4] = [
    ParameterSpec::plain(1, 1, &[]),
    ParameterSpec::plain(2, 1, &[]),
    ParameterSpec::plain(6, 9, &[]),
    ParameterSpec {
        len: (2, 17),
        ..ParameterSpec::sets(7, 15, 17, &[])
    },
];
/// Address of the management controller on its own bus.
const BMC_ADDRESS: u8 = 0x20;

/// Set or Get System Boot Options: no such parameter (§28.12).
const PARAMETER_NOT_SUPPORTED: CompletionCode = CompletionCode(0x80);
/// Set System Boot Options: another write is in progress (§28.12).
const SET_IN_PROGRESS: CompletionCode = CompletionCode(0x81);

pub(super) fn handle(
    device: &mut Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    let machine = &mut *device.machine;
    match request.cmd {
        GetChassisCapabilities::CMD => serve(request, response, |_: GetChassisCapabilities| {
            Ok(capabilities(machine))
        }),
        GetChassisStatus::CMD => {
            serve(request, response, |_: GetChassisStatus| Ok(status(machine)))
        }
        ChassisIdentify::CMD => serve(request, response, |command: ChassisIdentify| {
            machine.identify(match command {
                ChassisIdentify::Default => Some(IDENTIFY_S),
                ChassisIdentify::Seconds(seconds) => Some(seconds),
                ChassisIdentify::Indefinitely => None,
            });
            Ok(Empty)
        }),
        SetChassisCapabilities::CMD => serve(request, response, |c: SetChassisCapabilities| {
            let addresses = [
                c.fru_address,
                c.sdr_address,
                c.sel_address,
                c.management_address,
                c.bridge_address.unwrap_or(BMC_ADDRESS),
            ];
            machine.controller_mut().chassis = Some((c.capabilities, addresses));
            Ok(Empty)
        }),
        ChassisReset::CMD => serve(request, response, |_: ChassisReset| {
            device.restart = true;
            Ok(Empty)
        }),
        // The rest is about a host, which an enclosure's controller has not.
        _ if machine.profile().model != Model::Node => CompletionCode::INVALID_COMMAND,
        _ => host(machine, request, response),
    }
}

fn host(machine: &mut Machine, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
    match request.cmd {
        ChassisControl::CMD => serve(request, response, |command| control(machine, command)),
        SetPowerRestorePolicy::CMD => serve(request, response, |command: SetPowerRestorePolicy| {
            // "No change" only asks what is supported.
            if command.policy.0 < PowerRestorePolicy::UNKNOWN.0 {
                machine.host_mut().restore_policy = command.policy;
            }
            Ok(PowerRestorePolicySupport::ALL)
        }),
        GetSystemRestartCause::CMD => serve(request, response, |_: GetSystemRestartCause| {
            let (cause, channel) = (
                machine.host().restart_cause(),
                ChannelNumber(request.channel),
            );
            Ok(SystemRestartCause { cause, channel })
        }),
        SetSystemBootOptions::CMD => serve(request, response, |command| {
            set_boot_option(machine, &command)
        }),
        GetSystemBootOptions::CMD => serve(request, response, |command| {
            get_boot_option(machine, &command)
        }),
        GetPohCounter::CMD => serve(request, response, |_: GetPohCounter| {
            let minutes = machine.host().powered_s(machine.at_s()) / 60;
            let count = u32::try_from(minutes).unwrap_or(u32::MAX);
            Ok(PohCounter {
                minutes_per_count: 1,
                count,
            })
        }),
        SetFrontPanelEnables::CMD => serve(request, response, |c: SetFrontPanelEnables| {
            machine.controller_mut().buttons = c.disabled;
            Ok(Empty)
        }),
        SetPowerCycleInterval::CMD => serve(request, response, |c: SetPowerCycleInterval| {
            // Off for a second at least, so that it shows (§28.9).
            machine.host_mut().cycle_off_s = u64::from(c.interval_s).max(1);
            machine.controller_mut().cycle_s = Some(c.interval_s);
            Ok(Empty)
        }),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

fn capabilities(machine: &Machine) -> ChassisCapabilitiesResponse {
    if let Some((capabilities, [fru, sdr, sel, management, bridge])) = machine.controller().chassis
    {
        return ChassisCapabilitiesResponse {
            capabilities,
            fru_address: fru,
            sdr_address: sdr,
            sel_address: sel,
            management_address: management,
            bridge_address: Some(bridge),
        };
    }
    let capabilities = if machine.profile().model == Model::Node {
        ChassisCapabilities::INTRUSION_SENSOR
            | ChassisCapabilities::FRONT_PANEL_LOCKOUT
            | ChassisCapabilities::DIAGNOSTIC_INTERRUPT
    } else {
        ChassisCapabilities::NONE
    };
    ChassisCapabilitiesResponse {
        capabilities,
        fru_address: BMC_ADDRESS,
        sdr_address: BMC_ADDRESS,
        sel_address: BMC_ADDRESS,
        management_address: BMC_ADDRESS,
        bridge_address: None,
    }
}

fn status(machine: &Machine) -> ChassisStatus {
    let host = machine.host();
    let locked = machine.controller().buttons.0 & 0x0f;
    ChassisStatus {
        power: if host.is_on() {
            PowerState::ON
        } else {
            PowerState::NONE
        },
        restore_policy: host.restore_policy,
        last_event: host.last_event(),
        state: if locked == 0 {
            ChassisState::NONE
        } else {
            ChassisState::FRONT_PANEL_LOCKOUT
        },
        identify: Some(machine.identify_state()),
        front_panel: (machine.profile().model == Model::Node)
            .then_some(FrontPanelButtons(locked | ALLOWED_BUTTONS)),
    }
}

fn control(machine: &mut Machine, command: ChassisControl) -> Result<Empty, CompletionCode> {
    if command.action.name().is_none() {
        return Err(CompletionCode::INVALID_DATA_FIELD);
    }
    let done = machine.control(command.action);
    done.map(|()| Empty)
        .map_err(|_| CompletionCode::NOT_SUPPORTED_IN_STATE)
}

fn set_boot_option(
    machine: &mut Machine,
    command: &SetSystemBootOptions,
) -> Result<Empty, CompletionCode> {
    let now_s = machine.at_s();
    let host = machine.host_mut();
    match &command.parameter {
        BootParameter::SetInProgress(SetInProgress::COMPLETE) => {
            host.boot_mut().writing_until_s = None;
        }
        BootParameter::SetInProgress(SetInProgress::IN_PROGRESS) => {
            if host.boot().writing_until_s.is_some() {
                return Err(SET_IN_PROGRESS);
            }
            host.boot_mut().writing_until_s = Some(now_s + WRITING_S);
        }
        // "Commit write" is for BMCs that can roll back.
        BootParameter::SetInProgress(_) => return Err(CompletionCode::INVALID_DATA_FIELD),
        BootParameter::ValidBitClearing(keep) => host.boot_mut().keep = *keep,
        BootParameter::InfoAcknowledge {
            write_mask,
            parties,
        } => {
            let boot = host.boot_mut();
            boot.acknowledge = boot.acknowledge & !write_mask.0 | parties.0 & write_mask.0;
        }
        BootParameter::Flags(flags) => host.set_boot_flags(now_s, *flags),
        BootParameter::ServicePartitionScan(scan) => {
            let number = command.parameter.number().0;
            let stored = &mut machine.controller_mut().boot;
            write_parameter(stored, &STORED, now_s, number, &[scan.0])?;
        }
        BootParameter::Raw { number, data } => {
            // A known parameter ends up here when its length is wrong; an empty one only marks it.
            return match *number {
                number if STORED.iter().any(|spec| spec.number == number.0) => {
                    let stored = &mut machine.controller_mut().boot;
                    if !data.is_empty() {
                        write_parameter(stored, &STORED, now_s, number.0, data)?;
                    }
                    machine.host_mut().boot_mut().lock(number, command.invalid);
                    Ok(Empty)
                }
                _ if !is_supported(*number) => Err(PARAMETER_NOT_SUPPORTED),
                _ if data.is_empty() => {
                    host.boot_mut().lock(*number, command.invalid);
                    Ok(Empty)
                }
                _ => Err(CompletionCode::REQUEST_LENGTH_INVALID),
            };
        }
    }
    let boot = machine.host_mut().boot_mut();
    boot.lock(command.parameter.number(), command.invalid);
    Ok(Empty)
}

fn is_supported(number: BootOptionParameter) -> bool {
    matches!(
        number,
        BootOptionParameter::SET_IN_PROGRESS
            | BootOptionParameter::VALID_BIT_CLEARING
            | BootOptionParameter::INFO_ACKNOWLEDGE
            | BootOptionParameter::BOOT_FLAGS
    )
}

fn get_boot_option(
    machine: &Machine,
    command: &GetSystemBootOptions,
) -> Result<SystemBootOptions, CompletionCode> {
    let boot = machine.host().boot();
    let parameter = match command.parameter {
        BootOptionParameter::SET_IN_PROGRESS => {
            BootParameter::SetInProgress(if boot.writing_until_s.is_some() {
                SetInProgress::IN_PROGRESS
            } else {
                SetInProgress::COMPLETE
            })
        }
        BootOptionParameter::VALID_BIT_CLEARING => BootParameter::ValidBitClearing(boot.keep),
        BootOptionParameter::INFO_ACKNOWLEDGE => BootParameter::InfoAcknowledge {
            write_mask: ipmi::number::BootParties(0),
            parties: ipmi::number::BootParties(boot.acknowledge),
        },
        BootOptionParameter::BOOT_FLAGS => BootParameter::Flags(boot.flags),
        number => {
            let key = (number.0, command.set, command.block);
            let stored = &machine.controller().boot;
            let data = read_parameter(stored, &STORED, machine.at_s(), key)?;
            let data = Bytes::new(&data).ok_or(CompletionCode::CANNOT_RETURN_BYTES)?;
            BootParameter::Raw { number, data }
        }
    };
    Ok(SystemBootOptions {
        version: 1,
        invalid: boot.is_locked(command.parameter),
        parameter,
    })
}
