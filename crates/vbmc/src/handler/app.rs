//! Application commands: the controller itself (§20), system information (§22.14a), watchdog (§27).

use ipmi::bmc::{Request, serve};
use ipmi::command::app::{
    AcpiPowerState, ChannelInfo, ColdReset, DeviceId, GetAcpiPowerState, GetChannelInfo,
    GetChannelOemPayloadInfo, GetChannelPayloadSupport, GetChannelPayloadVersion, GetDeviceGuid,
    GetDeviceId, GetSelfTestResults, GetSystemInfoParameters, GetUserPayloadAccess,
    GetWatchdogTimer, IpmiVersion, ManufacturingTest, ManufacturingTestOn, ResetWatchdogTimer,
    SelfTestResults, SetAcpiPowerState, SetSystemInfoParameters, SetUserPayloadAccess,
    SetWatchdogTimer, SuspendResumePayloadEncryption, SystemInfoParameters, SystemText, WarmReset,
};
use ipmi::command::oem::dell::{LCD_MODE, LCD_TEXT};
use ipmi::command::{Bytes, Command, Empty};
use ipmi::number::{
    AcpiDevicePowerState, AcpiSystemPowerState, ChannelMedium, ChannelNumber, ChannelProtocol,
    CompletionCode, DeviceAvailability, ParameterCompletion, SelfTestResult, SessionSupport,
    StringEncoding, SystemInfoParameter,
};
use ipmi::wire::Writer;

use super::{Device, firewall, messaging, payload, users};
use crate::controller::{OemFamily, ParameterSpec, read_parameter, write_parameter};
use crate::machine::Machine;
use crate::profile::{BIOS_VERSION, DEVICE_ID, MANUFACTURER_ID, Model};
use crate::sdr::support;

/// Revision of the system information (§22.14b, byte 2).
const PARAMETER_REVISION: u8 = 0x11;
/// Reset Watchdog Timer: it was never set (§27.5).
const WATCHDOG_NOT_SET: CompletionCode = CompletionCode(0x80);
/// The serial channel of a node.
pub(super) const SERIAL_CHANNEL: ChannelNumber = ChannelNumber(2);
/// The longest text has 17 blocks.
const BLOCK_MAX: u8 = 16;
/// System information that can be set: texts in blocks (§22.14a, table 22-16c).
const SYSTEM_INFO: [ParameterSpec; 9] = [
    ParameterSpec::sets(1, BLOCK_MAX, 17, &[]),
    ParameterSpec::sets(2, BLOCK_MAX, 17, &[]),
    ParameterSpec::sets(3, BLOCK_MAX, 17, &[]),
    ParameterSpec::sets(4, BLOCK_MAX, 17, &[]),
    ParameterSpec::sets(5, BLOCK_MAX, 17, &[]),
    ParameterSpec::sets(6, BLOCK_MAX, 17, &[]),
    ParameterSpec::sets(7, BLOCK_MAX, 17, &[]),
    // Dell's LCD.
    ParameterSpec::sets(LCD_TEXT.0, LCD_BLOCK_MAX, 17, &[]),
    ParameterSpec::plain(LCD_MODE.0, 4, &[1]),
];
/// Blocks of the LCD's text beyond the first: 62 characters and two bytes before them.
const LCD_BLOCK_MAX: u8 = 3;

pub(super) fn handle(
    device: &mut Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetDeviceId::CMD => serve(request, response, |_: GetDeviceId| {
            Ok(device_id(device.machine))
        }),
        GetDeviceGuid::CMD => serve(request, response, |_: GetDeviceGuid| Ok(device.config.guid)),
        ColdReset::CMD => serve(request, response, |_: ColdReset| {
            device.restart = true;
            device.machine.start_controller();
            Ok(Empty)
        }),
        WarmReset::CMD => serve(request, response, |_: WarmReset| {
            device.restart = true;
            Ok(Empty)
        }),
        GetSelfTestResults::CMD => serve(request, response, |_: GetSelfTestResults| {
            Ok(SelfTestResults {
                result: SelfTestResult::PASSED,
                detail: 0,
            })
        }),
        GetAcpiPowerState::CMD => serve(request, response, |_: GetAcpiPowerState| {
            Ok(acpi_state(device))
        }),
        SetAcpiPowerState::CMD => serve(request, response, |c: SetAcpiPowerState| {
            let acpi = &mut device.machine.controller_mut().acpi;
            if c.set_system {
                acpi.0 = Some(c.system.0);
            }
            if c.set_device {
                acpi.1 = Some(c.device.0);
            }
            Ok(Empty)
        }),
        ManufacturingTestOn::CMD => serve(request, response, |c: ManufacturingTestOn| {
            // The maker's test echoes what it got.
            Ok(ManufacturingTest { data: c.data })
        }),
        GetSystemInfoParameters::CMD => serve(request, response, |c| get_system_info(device, &c)),
        SetSystemInfoParameters::CMD => serve(request, response, |c| set_system_info(device, &c)),
        _ => channel(device, request, response),
    }
}

fn device_id(machine: &Machine) -> DeviceId {
    let profile = machine.profile();
    let version = machine.controller().firmware.version();
    DeviceId {
        device_id: DEVICE_ID,
        has_device_sdrs: false,
        device_revision: 1,
        availability: DeviceAvailability::NORMAL,
        firmware_major: version.major,
        firmware_minor: version.minor,
        ipmi_version: IpmiVersion::V2_0,
        support: support(profile.model),
        manufacturer: ipmi::number::EnterpriseNumber(MANUFACTURER_ID),
        product: profile.product_id,
        auxiliary_firmware: Some(version.auxiliary),
    }
}

/// What the system told, and otherwise what follows from its power.
fn acpi_state(device: &Device<'_>) -> AcpiPowerState {
    let (system, of_device) = if device.machine.host().is_on() {
        (AcpiSystemPowerState::S0_G0, AcpiDevicePowerState::D0)
    } else {
        (AcpiSystemPowerState::S5_G2, AcpiDevicePowerState::D3)
    };
    let told = device.machine.controller().acpi;
    AcpiPowerState {
        system: told.0.map_or(system, AcpiSystemPowerState),
        device: told.1.map_or(of_device, AcpiDevicePowerState),
    }
}

fn system_text(device: &Device<'_>, parameter: SystemInfoParameter) -> Option<String> {
    let is_node = device.machine.profile().model == Model::Node;
    match parameter {
        SystemInfoParameter::SYSTEM_NAME => Some(device.machine.identity().id.to_string()),
        SystemInfoParameter::SYSTEM_FIRMWARE_VERSION if is_node => Some(BIOS_VERSION.into()),
        SystemInfoParameter::PRIMARY_OS_NAME if is_node => Some("Linux".into()),
        _ => None,
    }
}

/// A maker's parameters are there only on its machines.
fn check_maker(device: &Device<'_>, parameter: SystemInfoParameter) -> Result<(), CompletionCode> {
    let is_dells = matches!(parameter, LCD_TEXT | LCD_MODE);
    if is_dells && device.machine.oem_family() != OemFamily::Dell {
        return Err(CompletionCode(ParameterCompletion::NOT_SUPPORTED.0));
    }
    Ok(())
}

fn get_system_info(
    device: &Device<'_>,
    command: &GetSystemInfoParameters,
) -> Result<SystemInfoParameters, CompletionCode> {
    let data = system_info_data(device, command)?;
    let data = if command.revision_only {
        &[]
    } else {
        data.as_slice()
    };
    Ok(SystemInfoParameters {
        revision: PARAMETER_REVISION,
        data: Bytes::new(data).ok_or(CompletionCode::CANNOT_RETURN_BYTES)?,
    })
}

/// One block of a text: what was set, and otherwise what the machine says.
fn system_info_data(
    device: &Device<'_>,
    command: &GetSystemInfoParameters,
) -> Result<Vec<u8>, CompletionCode> {
    check_maker(device, command.parameter)?;
    let stored = &device.machine.controller().system_info;
    let (number, now_s) = (command.parameter.0, device.machine.at_s());
    let was_set = stored.get(number, 0, 0).is_some();
    let text = system_text(device, command.parameter).filter(|_| !was_set);
    let Some(text) = text else {
        let key = (number, command.set, 0);
        return read_parameter(stored, &SYSTEM_INFO, now_s, key);
    };
    let text = SystemText {
        encoding: StringEncoding::LATIN_1,
        bytes: text.into_bytes(),
    };
    let block = text.block(command.set);
    let block = block.ok_or(CompletionCode::PARAMETER_OUT_OF_RANGE)?;
    Ok([&[command.set], &block[..]].concat())
}

fn set_system_info(
    device: &mut Device<'_>,
    command: &SetSystemInfoParameters,
) -> Result<Empty, CompletionCode> {
    check_maker(device, command.parameter)?;
    let now_s = device.machine.at_s();
    let parameters = &mut device.machine.controller_mut().system_info;
    let (number, data) = (command.parameter.0, command.data.as_slice());
    write_parameter(parameters, &SYSTEM_INFO, now_s, number, data).map(|()| Empty)
}

/// The watchdog timer (§27).
fn watchdog(
    device: &mut Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    let machine = &mut *device.machine;
    let now_s = machine.at_s();
    if machine.profile().model != Model::Node {
        return CompletionCode::INVALID_COMMAND;
    }
    match request.cmd {
        ResetWatchdogTimer::CMD => serve(request, response, |_: ResetWatchdogTimer| {
            let was_set = machine.controller_mut().watchdog.reset(now_s);
            was_set.then_some(Empty).ok_or(WATCHDOG_NOT_SET)
        }),
        SetWatchdogTimer::CMD => serve(request, response, |c: SetWatchdogTimer| {
            let SetWatchdogTimer { settings } = c;
            let known = settings.timer_use.name().is_some() && settings.action.name().is_some();
            let pre_timeout = u16::from(settings.pre_timeout_s) * 10;
            if !known || pre_timeout > settings.initial_100ms {
                return Err(CompletionCode::INVALID_DATA_FIELD);
            }
            machine.controller_mut().watchdog.set(now_s, settings);
            Ok(Empty)
        }),
        _ => serve(request, response, |_: GetWatchdogTimer| {
            Ok(machine.controller().watchdog.timer(now_s))
        }),
    }
}

fn channel(
    device: &mut Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetChannelInfo::CMD => serve(request, response, |c: GetChannelInfo| {
            channel_info(device, c.channel)
        }),
        GetUserPayloadAccess::CMD
        | SetUserPayloadAccess::CMD
        | GetChannelPayloadSupport::CMD
        | GetChannelPayloadVersion::CMD
        | GetChannelOemPayloadInfo::CMD
        | SuspendResumePayloadEncryption::CMD => payload::handle(device, request, response),
        GetWatchdogTimer::CMD | SetWatchdogTimer::CMD | ResetWatchdogTimer::CMD => {
            watchdog(device, request, response)
        }
        0x09..=0x0d | 0x60..=0x64 => firewall::handle(device, request, response),
        0x2e..=0x36 | 0x52 | 0x57 => messaging::handle(device, request, response),
        _ => users::handle(device, request, response),
    }
}

fn channel_info(device: &Device<'_>, asked: ChannelNumber) -> Result<ChannelInfo, CompletionCode> {
    let lan = ChannelNumber(device.config.channel);
    let (channel, medium, protocol, session_support) = match asked {
        ChannelNumber::PRESENT => (
            lan,
            ChannelMedium::LAN_802_3,
            ChannelProtocol::IPMB,
            SessionSupport::MULTI,
        ),
        _ if asked == lan => (
            lan,
            ChannelMedium::LAN_802_3,
            ChannelProtocol::IPMB,
            SessionSupport::MULTI,
        ),
        SERIAL_CHANNEL if device.machine.profile().model == Model::Node => (
            asked,
            ChannelMedium::SERIAL,
            ChannelProtocol::TERMINAL_MODE,
            SessionSupport::SINGLE,
        ),
        ChannelNumber::SYSTEM_INTERFACE => {
            let medium = ChannelMedium::SYSTEM_INTERFACE;
            (
                asked,
                medium,
                ChannelProtocol::KCS,
                SessionSupport::SESSIONLESS,
            )
        }
        _ => return Err(CompletionCode::INVALID_DATA_FIELD),
    };
    let active_sessions = if channel == lan {
        device.sessions.min(63)
    } else {
        0
    };
    Ok(ChannelInfo {
        channel,
        medium,
        protocol,
        session_support,
        active_sessions: u8::try_from(active_sessions).unwrap_or(63),
        vendor: ChannelInfo::IPMI_FORUM,
        // Without an interrupt (FFh) where it is the system interface.
        auxiliary: if channel == lan { [0; 2] } else { [0xff; 2] },
    })
}
