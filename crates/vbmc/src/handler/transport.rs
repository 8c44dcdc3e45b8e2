//! Transport commands: LAN configuration (§23).

use std::net::Ipv4Addr;

use ipmi::bmc::{Request, serve};
use ipmi::command::transport::{
    GetLanConfigurationParameters, LAN_PARAMETER_MAX, LanConfigurationParameters, LanValue,
    SetLanConfigurationParameters,
};
use ipmi::command::{Bytes, Command};
use ipmi::number::{CompletionCode, IpSource, LanParameter, PrivilegeLevel};
use ipmi::wire::Writer;

use super::Device;

/// Revision of the parameters (§23.2, byte 2).
const PARAMETER_REVISION: u8 = 0x11;
/// Get or Set LAN Configuration Parameters: no such parameter.
const PARAMETER_NOT_SUPPORTED: CompletionCode = CompletionCode(0x80);
/// Set LAN Configuration Parameters: the parameter is read-only.
const PARAMETER_READ_ONLY: CompletionCode = CompletionCode(0x82);
/// Cipher suites that parameters 23 and 24 have room for.
const SUITES: usize = 16;
/// All of 127.0.0.0/8 is one network.
pub(crate) const NETMASK: [u8; 4] = [255, 0, 0, 0];

pub(super) fn handle(
    device: &Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetLanConfigurationParameters::CMD => {
            serve(request, response, |c: GetLanConfigurationParameters| {
                device.check_channel(c.channel)?;
                let data = parameter(device, c.parameter).ok_or(PARAMETER_NOT_SUPPORTED)?;
                let data = if c.revision_only { Bytes::EMPTY } else { data };
                Ok(LanConfigurationParameters {
                    revision: PARAMETER_REVISION,
                    data,
                })
            })
        }
        SetLanConfigurationParameters::CMD => {
            serve(request, response, |c: SetLanConfigurationParameters| {
                device.check_channel(c.channel)?;
                let known = parameter(device, c.parameter).is_some();
                Err(if known {
                    PARAMETER_READ_ONLY
                } else {
                    PARAMETER_NOT_SUPPORTED
                })
            })
        }
        _ => CompletionCode::INVALID_COMMAND,
    }
}

fn parameter(device: &Device<'_>, parameter: LanParameter) -> Option<Bytes<LAN_PARAMETER_MAX>> {
    Some(match parameter {
        // No set is in progress, no authentication of IPMI 1.5, no ARP of our own, no alert destinations.
        LanParameter::SET_IN_PROGRESS
        | LanParameter::AUTH_TYPE_SUPPORT
        | LanParameter::ARP_CONTROL
        | LanParameter::GRATUITOUS_ARP_INTERVAL
        | LanParameter::DESTINATION_COUNT
        | LanParameter::VLAN_PRIORITY => Bytes::from([0]),
        LanParameter::AUTH_TYPE_ENABLES => Bytes::from([0; 5]),
        LanParameter::IP_ADDRESS => LanValue::Ipv4(device.address.octets()).to_data(),
        LanParameter::IP_ADDRESS_SOURCE => LanValue::Source(IpSource::STATIC).to_data(),
        LanParameter::MAC_ADDRESS => LanValue::Mac(mac(device.address)).to_data(),
        LanParameter::SUBNET_MASK => LanValue::Ipv4(NETMASK).to_data(),
        // Time to live 64, don't fragment, low delay: the defaults of table 23-4.
        LanParameter::IPV4_HEADER => Bytes::from([0x40, 0x40, 0x10]),
        LanParameter::DEFAULT_GATEWAY_ADDRESS | LanParameter::BACKUP_GATEWAY_ADDRESS => {
            LanValue::Ipv4([0; 4]).to_data()
        }
        LanParameter::DEFAULT_GATEWAY_MAC | LanParameter::BACKUP_GATEWAY_MAC => {
            LanValue::Mac([0; 6]).to_data()
        }
        LanParameter::COMMUNITY_STRING => Bytes::from([0; 18]),
        LanParameter::VLAN_ID => LanValue::Vlan {
            id: 0,
            enabled: false,
        }
        .to_data(),
        LanParameter::CIPHER_SUITE_COUNT => {
            Bytes::from([u8::try_from(suite_count(device)).unwrap_or(16)])
        }
        LanParameter::CIPHER_SUITE_ENTRIES => {
            let mut entries = [0; 1 + SUITES];
            for (entry, suite) in entries[1..].iter_mut().zip(&device.config.suites) {
                *entry = suite.0;
            }
            Bytes::from(entries)
        }
        LanParameter::CIPHER_SUITE_PRIVILEGES => {
            let mut levels = [0; 1 + SUITES / 2];
            for entry in 0..suite_count(device) {
                levels[1 + entry / 2] |= PrivilegeLevel::ADMINISTRATOR.0 << (entry % 2 * 4);
            }
            Bytes::from(levels)
        }
        _ => return None,
    })
}

fn suite_count(device: &Device<'_>) -> usize {
    device.config.suites.len().min(SUITES)
}

/// A locally administered address made from the IP address.
pub(crate) const fn mac(address: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = address.octets();
    [0x02, 0x52, a, b, c, d]
}
