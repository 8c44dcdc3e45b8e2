//! Application commands: the controller itself (§20), its channel and users (§22).

use ipmi::bmc::{Request, User, serve};
use ipmi::command::app::{
    AcpiPowerState, ChannelAccess, ChannelInfo, ColdReset, DeviceId, GetAcpiPowerState,
    GetBmcGlobalEnables, GetChannelAccess, GetChannelInfo, GetDeviceGuid, GetDeviceId,
    GetSelfTestResults, GetSystemInfoParameters, GetUserAccess, GetUserName, IpmiVersion,
    SelfTestResults, SetSystemInfoParameters, SystemInfoParameters, SystemText, UserAccess,
    UserName, WarmReset,
};
use ipmi::command::{Bytes, Command, Empty};
use ipmi::number::{
    AcpiDevicePowerState, AcpiSystemPowerState, ChannelAccessMode, ChannelMedium, ChannelNumber,
    ChannelProtocol, CompletionCode, GlobalEnables, PrivilegeLevel, SelfTestResult, SessionSupport,
    SystemInfoParameter, UserEnableStatus,
};
use ipmi::wire::Writer;

use super::Device;
use crate::profile::{BIOS_VERSION, FIRMWARE, MANUFACTURER_ID, Model, Profile};
use crate::sdr::support;

/// The controller's kind (§20.1, byte 2): any number.
const DEVICE_ID: u8 = 0x20;
/// User IDs that a channel has at least, used or not.
const USER_IDS_MIN: u8 = 10;
/// Revision of the system information (§22.14b, byte 2).
const PARAMETER_REVISION: u8 = 0x11;
/// Get or Set System Info Parameters: no such parameter.
const PARAMETER_NOT_SUPPORTED: CompletionCode = CompletionCode(0x80);
/// Set System Info Parameters: the parameter is read-only.
const PARAMETER_READ_ONLY: CompletionCode = CompletionCode(0x82);

pub(super) fn handle(
    device: &mut Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetDeviceId::CMD => serve(request, response, |_: GetDeviceId| {
            Ok(device_id(device.machine.profile()))
        }),
        GetDeviceGuid::CMD => serve(request, response, |_: GetDeviceGuid| Ok(device.config.guid)),
        ColdReset::CMD => serve(request, response, |_: ColdReset| {
            device.restart = true;
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
        GetBmcGlobalEnables::CMD => serve(request, response, |_: GetBmcGlobalEnables| {
            Ok(GlobalEnables::SYSTEM_EVENT_LOGGING)
        }),
        GetSystemInfoParameters::CMD => serve(request, response, |c| get_system_info(device, &c)),
        SetSystemInfoParameters::CMD => serve(request, response, |c: SetSystemInfoParameters| {
            let known = system_text(device, c.parameter).is_some();
            Err(if known {
                PARAMETER_READ_ONLY
            } else {
                PARAMETER_NOT_SUPPORTED
            })
        }),
        _ => channel(device, request, response),
    }
}

fn device_id(profile: &Profile) -> DeviceId {
    let (firmware_major, minor) = FIRMWARE;
    DeviceId {
        device_id: DEVICE_ID,
        has_device_sdrs: false,
        device_revision: 1,
        updating: false,
        firmware_major,
        // Two decimal digits in BCD.
        firmware_minor: (minor / 10) << 4 | (minor % 10),
        ipmi_version: IpmiVersion::V2_0,
        support: support(profile.model),
        manufacturer: MANUFACTURER_ID,
        product: profile.product_id,
        auxiliary_firmware: Some([0; 4]),
    }
}

fn acpi_state(device: &Device<'_>) -> AcpiPowerState {
    if device.machine.host().is_on() {
        AcpiPowerState {
            system: AcpiSystemPowerState::S0_G0,
            device: AcpiDevicePowerState::D0,
        }
    } else {
        AcpiPowerState {
            system: AcpiSystemPowerState::S5_G2,
            device: AcpiDevicePowerState::D3,
        }
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

fn get_system_info(
    device: &Device<'_>,
    command: &GetSystemInfoParameters,
) -> Result<SystemInfoParameters, CompletionCode> {
    let text = system_text(device, command.parameter).ok_or(PARAMETER_NOT_SUPPORTED)?;
    let mut data = Bytes::EMPTY;
    if !command.revision_only {
        let bytes = text.into_bytes();
        let text = SystemText {
            encoding: SystemText::LATIN_1,
            bytes,
        };
        let block = text
            .block(command.set)
            .ok_or(CompletionCode::PARAMETER_OUT_OF_RANGE)?;
        let mut numbered = [command.set; 17];
        numbered[1..].copy_from_slice(&block);
        data = Bytes::from(numbered);
    }
    Ok(SystemInfoParameters {
        revision: PARAMETER_REVISION,
        data,
    })
}

fn channel(
    device: &Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetChannelInfo::CMD => serve(request, response, |c: GetChannelInfo| {
            channel_info(device, c.channel)
        }),
        GetChannelAccess::CMD => serve(request, response, |c: GetChannelAccess| {
            device.check_channel(c.channel)?;
            Ok(ChannelAccess {
                pef_alerting_disabled: true,
                per_message_authentication_disabled: false,
                user_level_authentication_disabled: false,
                mode: ChannelAccessMode::ALWAYS_AVAILABLE,
                privilege_limit: PrivilegeLevel::ADMINISTRATOR,
            })
        }),
        GetUserAccess::CMD => serve(request, response, |c: GetUserAccess| {
            device.check_channel(c.channel)?;
            user_access(device, c.user_id)
        }),
        GetUserName::CMD => serve(request, response, |c: GetUserName| {
            let user = user(device, c.user_id)?;
            let mut name = UserName::default();
            if let Some(user) = user {
                let bytes = user.name.as_bytes();
                name.0[..bytes.len()].copy_from_slice(bytes);
            }
            Ok(name)
        }),
        _ => CompletionCode::INVALID_COMMAND,
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

fn user_ids(device: &Device<'_>) -> u8 {
    u8::try_from(device.config.users.len())
        .unwrap_or(63)
        .clamp(USER_IDS_MIN, 63)
}

/// The user with this ID; `None` for an ID that nobody uses.
fn user<'a>(device: &'a Device<'_>, user_id: u8) -> Result<Option<&'a User>, CompletionCode> {
    if !(1..=user_ids(device)).contains(&user_id) {
        return Err(CompletionCode::PARAMETER_OUT_OF_RANGE);
    }
    Ok(device.config.users.get(usize::from(user_id) - 1))
}

fn user_access(device: &Device<'_>, user_id: u8) -> Result<UserAccess, CompletionCode> {
    let user = user(device, user_id)?;
    let enabled = device
        .config
        .users
        .iter()
        .filter(|user| user.enabled)
        .count();
    let is_enabled = user.is_some_and(|user| user.enabled);
    let status = if is_enabled {
        UserEnableStatus::ENABLED
    } else {
        UserEnableStatus::DISABLED
    };
    Ok(UserAccess {
        user_id_max: user_ids(device),
        status,
        enabled_count: u8::try_from(enabled).unwrap_or(63),
        // Names come with the configuration and can't be changed over IPMI.
        fixed_name_count: u8::try_from(device.config.users.len()).unwrap_or(63),
        callback_only: false,
        link_authentication: false,
        ipmi_messaging: is_enabled,
        privilege_limit: user.map_or(UserAccess::NO_ACCESS, |user| user.privilege),
    })
}
