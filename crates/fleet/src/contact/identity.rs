//! Who a BMC and its host say they are, and how the BMC is on the network.

use std::sync::Arc;

use hardware::{Identity, Uuid};
use ipmi::command::app::{
    DeviceId, GetSystemGuid, GetSystemInfoParameters, Guid, GuidFormat, SystemText,
};
use ipmi::command::transport::{
    GetLanConfigurationParameters, GetSolConfigurationParameters, LanValue, SolValue,
};
use ipmi::number::{
    ChannelNumber, CompletionCode, LanParameter, SolParameter, SystemInfoParameter,
};
use ipmi::quirk::Quirk;

use super::board::set_mac;
use super::{About, optional};
use crate::call::{Call, CallError, decode};
use crate::convert::{self, LanSettings};
use crate::job::text::{self, Text};
use crate::script::Line;

/// A text has 255 bytes at most, in blocks of 16 behind two bytes of header (§22.14a).
const TEXT_BLOCKS_MAX: u8 = 17;

/// What a BMC answers that has no such parameter (table 23-2).
const PARAMETER_MISSING: CompletionCode = CompletionCode(0x80);

/// The GUIDs that a BMC has told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guids {
    /// Its own.
    pub(super) device: Option<Guid>,
    /// The system's; `None` = it was not asked for that yet.
    pub(super) system: Option<Option<Guid>>,
}

/// Asks for everything else; what the BMC refuses is not known.
pub(super) async fn read(
    line: &Line,
    device: &DeviceId,
    guids: Guids,
    about: &About,
) -> Result<Identity, CallError> {
    let controller = guids.device.and_then(|guid| uuid(line, guid));
    // The device's own GUID stands in for the system's where the BMC does not tell that (§22.14).
    let system = match guids.system {
        Some(told) => told,
        None => optional(line.call(&GetSystemGuid).await)?,
    };
    let system = system.and_then(|guid| uuid(line, guid));
    let bios_version = info(line, SystemInfoParameter::SYSTEM_FIRMWARE_VERSION).await?;
    let host_name = info(line, SystemInfoParameter::SYSTEM_NAME).await?;
    let lan = lan(line).await?;
    let asset_tag = optional(text::read(line, Text::AssetTag).await)?.flatten();
    let controller_name = optional(text::read(line, Text::ControllerName).await)?.flatten();
    Ok(Identity {
        uuid: system.or(controller),
        controller_firmware: Some(
            format!("{}.{:02x}", device.firmware_major, device.firmware_minor).into(),
        ),
        controller_model: None,
        protocol: Some(format!("IPMI {}", device.ipmi_version).into()),
        controller_port: Some(about.address.port()),
        controller_uuid: controller,
        network: convert::network(&lan),
        serial_console: serial_console(line).await?,
        bios_version,
        asset_tag: asset_tag.map(Into::into),
        controller_name: controller_name.map(Into::into),
        host_name,
        firmware: super::firmware::read(line).await?,
        // Told when first contact is over.
        deviations: Arc::default(),
    })
}

/// All zeros and all ones are what BMCs answer that were never given one.
fn uuid(line: &Line, guid: Guid) -> Option<Uuid> {
    let format = guid.likely_format();
    if format != GuidFormat::Ipmi {
        line.note(Quirk::GuidByteOrder);
    }
    let is_set = guid.0 != [0; 16] && guid.0 != [0xff; 16];
    is_set.then(|| Uuid::from_bytes(guid.to_rfc_4122(format)))
}

/// A text of the system information, block by block.
async fn info(line: &Line, parameter: SystemInfoParameter) -> Result<Option<Arc<str>>, CallError> {
    let mut blocks = Vec::new();
    let (mut set, mut count) = (0, 1);
    while set < count {
        let get = GetSystemInfoParameters {
            revision_only: false,
            parameter,
            set,
            block: 0,
        };
        let answer = match optional(line.call(&get).await)? {
            Some(answer) => answer,
            None if set == 0 => return Ok(None),
            None => break,
        };
        // The first byte is the block's number.
        let block = answer.data.as_slice().get(1..).unwrap_or_default();
        if set == 0 {
            count = SystemText::block_count(block).min(TEXT_BLOCKS_MAX);
        }
        blocks.extend_from_slice(block);
        set += 1;
    }
    let text = SystemText::from_blocks(&blocks).text();
    Ok((!text.is_empty()).then(|| text.into()))
}

/// Whether SOL is enabled on the channel over which we talk; `None` for a BMC that knows no SOL.
async fn serial_console(line: &Line) -> Result<Option<bool>, CallError> {
    let get = GetSolConfigurationParameters {
        revision_only: false,
        channel: ChannelNumber::PRESENT,
        parameter: SolParameter::ENABLE,
        set: 0,
        block: 0,
    };
    let answer = optional(line.call(&get).await)?;
    let value = answer.map(|answer| SolValue::from_data(SolParameter::ENABLE, &answer.data));
    Ok(match value {
        Some(SolValue::Enable(enabled)) => Some(enabled),
        _ => None,
    })
}

/// The settings of the channel over which we talk.
pub(crate) async fn lan(line: &Line) -> Result<LanSettings, CallError> {
    Ok(LanSettings {
        address: parameter(line, LanParameter::IP_ADDRESS).await?,
        source: parameter(line, LanParameter::IP_ADDRESS_SOURCE).await?,
        mac: parameter(line, LanParameter::MAC_ADDRESS).await?,
        netmask: parameter(line, LanParameter::SUBNET_MASK).await?,
        gateway: parameter(line, LanParameter::DEFAULT_GATEWAY_ADDRESS).await?,
        vlan: parameter(line, LanParameter::VLAN_ID).await?,
    })
}

async fn parameter(line: &Line, parameter: LanParameter) -> Result<Option<LanValue>, CallError> {
    optional(ask(line, parameter).await)
}

async fn ask(line: &Line, parameter: LanParameter) -> Result<LanValue, CallError> {
    let get = GetLanConfigurationParameters::new(ChannelNumber::PRESENT, parameter);
    let mut answer = line.call(&get).await;
    if answer
        .as_ref()
        .is_err_and(|error| error.completion() == Some(CompletionCode::UNSPECIFIED))
    {
        answer = line.call(&get).await;
        if answer.is_ok() {
            line.note(Quirk::LanParameterFlaky);
        }
    }
    answer.map(|answer| LanValue::from_data(parameter, &answer.data))
}

/// The MAC address of the channel over which we talk; `None` for a BMC that says for good that it tells none, or a blank one.
pub(super) async fn mac(line: &Line) -> Result<Option<[u8; 6]>, CallError> {
    match ask(line, LanParameter::MAC_ADDRESS).await {
        Ok(value) => Ok(told_mac(&value)),
        Err(error) if error.completion() == Some(PARAMETER_MISSING) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What asks for that.
pub(crate) fn mac_call() -> Call {
    Call::of(&GetLanConfigurationParameters::new(
        ChannelNumber::PRESENT,
        LanParameter::MAC_ADDRESS,
    ))
}

/// The answer to that.
pub(crate) fn mac_answer(
    completion: CompletionCode,
    data: &[u8],
) -> Result<Option<[u8; 6]>, CallError> {
    let answer = decode::<GetLanConfigurationParameters>(completion, data)?;
    let value = LanValue::from_data(LanParameter::MAC_ADDRESS, &answer.data);
    Ok(told_mac(&value))
}

const fn told_mac(value: &LanValue) -> Option<[u8; 6]> {
    match value {
        LanValue::Mac(mac) => set_mac(*mac),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use ipmi::command::Command;
    use ipmi::command::app::{GetDeviceGuid, IpmiVersion};
    use ipmi::number::DeviceSupport;
    use ipmi::quirk::Quirks;

    use super::*;
    use crate::script::{Script, play};

    fn about() -> About {
        let address: SocketAddr = "10.0.0.7:623".parse().unwrap();
        About {
            address,
            quirks: Quirks::default(),
            recalled: false,
            anew: false,
            uuid: None,
            marks: None,
            left_open: None,
            memory: None,
            shown: crate::contact::Shown::Nothing,
            put_off: 0,
            unmet: 0,
        }
    }

    fn read_played(answer: impl FnMut(u8, &[u8]) -> play::Reply) -> Result<Identity, CallError> {
        let device = DeviceId {
            device_id: 0x20,
            has_device_sdrs: false,
            device_revision: 1,
            availability: ipmi::number::DeviceAvailability::NORMAL,
            firmware_major: 2,
            firmware_minor: 0x14,
            ipmi_version: IpmiVersion::V2_0,
            support: DeviceSupport::SENSOR,
            manufacturer: ipmi::number::EnterpriseNumber(0),
            product: 0,
            auxiliary_firmware: None,
        };
        let mut answer = answer;
        let script = Script::new(move |line| async move {
            let device_guid = optional(line.call(&GetDeviceGuid).await)?;
            let guids = Guids {
                device: device_guid,
                system: None,
            };
            read(&line, &device, guids, &about()).await
        });
        play::run(script, |call| answer(call.cmd, call.data()))
    }

    #[test]
    fn a_bmc_that_tells_nothing_is_known_by_what_we_call_it() {
        let identity = read_played(|_, _| Some((CompletionCode::INVALID_COMMAND, vec![]))).unwrap();
        let expected = Identity {
            controller_firmware: Some("2.14".into()),
            protocol: Some("IPMI 2.0".into()),
            controller_port: Some(623),
            ..Identity::default()
        };
        assert_eq!(identity, expected);
    }

    #[test]
    fn a_long_text_is_put_together_from_its_blocks() {
        let name = "BIOS of a machine with a long name 1.2.3";
        let text = SystemText {
            encoding: ipmi::number::StringEncoding::LATIN_1,
            bytes: name.into(),
        };
        let identity = read_played(|cmd, data| {
            if cmd != GetSystemInfoParameters::CMD || data[1] != 1 {
                return Some((CompletionCode(0x80), vec![]));
            }
            let mut answer = vec![0x11, data[2]];
            answer.extend(text.block(data[2])?);
            Some((CompletionCode::OK, answer))
        });
        assert_eq!(identity.unwrap().bios_version.as_deref(), Some(name));
    }

    #[test]
    fn a_bmc_has_a_serial_console_where_it_knows_sol_whether_it_is_enabled_or_not() {
        for (answer, known) in [
            (Some((CompletionCode::OK, vec![0x11, 0x01])), Some(true)),
            (Some((CompletionCode::OK, vec![0x11, 0x00])), Some(false)),
            (Some((CompletionCode(0x80), vec![])), None),
        ] {
            let identity = read_played(|cmd, data| {
                if cmd == GetSolConfigurationParameters::CMD && data[..2] == [0x0e, 1] {
                    answer.clone()
                } else {
                    Some((CompletionCode::INVALID_COMMAND, vec![]))
                }
            });
            assert_eq!(identity.unwrap().serial_console, known);
        }
    }

    #[test]
    fn silence_ends_the_reading() {
        assert!(read_played(|_, _| None).is_err());
    }
}
