//! Transport commands: LAN configuration (§23).

use std::net::Ipv4Addr;

use ipmi::bmc::{Request, serve};
use ipmi::command::transport::{
    BmcArps, GetIpStatistics, GetLanConfigurationParameters, IpStatistics,
    LanConfigurationParameters, LanValue, SetLanConfigurationParameters, SuspendBmcArps,
};
use ipmi::command::{Bytes, Command, Empty};
use ipmi::number::{
    ArpSuspend, CompletionCode, IpSource, LanParameter, PrivilegeLevel, WatchdogControl,
};
use ipmi::wire::Writer;

use super::Device;
use super::event::DESTINATIONS;
use crate::controller::{ParameterSpec, read_parameter, write_parameter};

/// Revision of the parameters (§23.2, byte 2).
const PARAMETER_REVISION: u8 = 0x11;
/// Cipher suites that parameters 23 and 24 have room for.
const SUITES: usize = 16;
/// All of 127.0.0.0/8 is one network.
pub(crate) const NETMASK: [u8; 4] = [255, 0, 0, 0];
/// IPv6 addresses that can be set, and that are told; each from 0.
const V6_ADDRESSES: u8 = 1;

/// The LAN configuration (§23.2, table 23-4). What follows from the machine is in [`live`]; what is set is kept and told,
/// but the machine stays reachable at its own address.
#[rustfmt::skip]
const PARAMETERS: [ParameterSpec; 58] = [
    ParameterSpec::plain(1, 1, &[]).read_only(),
    ParameterSpec::plain(2, 5, &[]),
    ParameterSpec::plain(3, 4, &[]),
    ParameterSpec::plain(4, 1, &[]),
    ParameterSpec::plain(5, 6, &[]),
    ParameterSpec::plain(6, 4, &[]),
    // Time to live 64, don't fragment, low delay.
    ParameterSpec::plain(7, 3, &[0x40, 0x40, 0x10]),
    ParameterSpec::plain(8, 2, &[0x6f, 0x02]),
    ParameterSpec::plain(9, 2, &[0x98, 0x02]),
    ParameterSpec::plain(10, 1, &[]),
    ParameterSpec::plain(11, 1, &[]),
    ParameterSpec::plain(12, 4, &[]),
    ParameterSpec::plain(13, 6, &[]),
    ParameterSpec::plain(14, 4, &[]),
    ParameterSpec::plain(15, 6, &[]),
    ParameterSpec::plain(16, 18, b"public"),
    ParameterSpec::plain(17, 1, &[DESTINATIONS]).read_only(),
    ParameterSpec::sets(18, DESTINATIONS, 4, &[0x00, 3, 3]),
    ParameterSpec::sets(19, DESTINATIONS, 13, &[]),
    ParameterSpec::plain(20, 2, &[]),
    ParameterSpec::plain(21, 1, &[]),
    ParameterSpec::plain(22, 1, &[]).read_only(),
    ParameterSpec::plain(23, 17, &[]).read_only(),
    ParameterSpec::plain(24, 9, &[]),
    ParameterSpec::sets(25, DESTINATIONS, 4, &[]),
    ParameterSpec::plain(26, 6, &[]),
    // IPv4 and IPv6 at the same time; IPv6 is off.
    ParameterSpec::plain(50, 1, &[0x02]).read_only(),
    ParameterSpec::plain(51, 1, &[]),
    ParameterSpec::plain(52, 1, &[]),
    ParameterSpec::plain(53, 1, &[64]),
    ParameterSpec::plain(54, 3, &[]),
    ParameterSpec::plain(55, 3, &[V6_ADDRESSES + 1, V6_ADDRESSES + 1, 0x03]).read_only(),
    ParameterSpec::sets(56, V6_ADDRESSES, 20, &[]),
    ParameterSpec::sets(57, V6_ADDRESSES, 2, &[1]).read_only(),
    ParameterSpec::blocks(58, V6_ADDRESSES, 18),
    ParameterSpec::sets(59, V6_ADDRESSES, 20, &[]).read_only(),
    ParameterSpec::sets(60, V6_ADDRESSES, 2, &[1]).read_only(),
    ParameterSpec::blocks(61, V6_ADDRESSES, 18),
    ParameterSpec::plain(62, 1, &[]).read_only(),
    ParameterSpec::blocks(63, 0, 18),
    ParameterSpec::plain(64, 1, &[0x01]),
    ParameterSpec::plain(65, 16, &[]),
    ParameterSpec::plain(66, 6, &[]),
    ParameterSpec::plain(67, 1, &[]),
    ParameterSpec::plain(68, 16, &[]),
    ParameterSpec::plain(69, 16, &[]),
    ParameterSpec::plain(70, 6, &[]),
    ParameterSpec::plain(71, 1, &[]),
    ParameterSpec::plain(72, 16, &[]),
    ParameterSpec::plain(73, 1, &[]).read_only(),
    ParameterSpec::sets(74, 0, 17, &[]).read_only(),
    ParameterSpec::sets(75, 0, 7, &[]).read_only(),
    ParameterSpec::sets(76, 0, 2, &[]).read_only(),
    ParameterSpec::sets(77, 0, 17, &[]).read_only(),
    ParameterSpec::plain(78, 1, &[]).read_only(),
    ParameterSpec::plain(79, 1, &[]).read_only(),
    ParameterSpec::blocks(80, 0, 18),
    // HPM.2: nothing special; payloads of 240 bytes in both directions.
    ParameterSpec::plain(192, 7, &[0, 0, 0, 0xf0, 0, 0xf0, 0]).read_only(),
];

pub(super) fn handle(
    device: &mut Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    let now_s = device.machine.at_s();
    match request.cmd {
        GetLanConfigurationParameters::CMD => serve(request, response, |c| get(device, &c)),
        SetLanConfigurationParameters::CMD => {
            serve(request, response, |c: SetLanConfigurationParameters| {
                device.check_channel(c.channel)?;
                let lan = &mut device.machine.controller_mut().lan;
                write_parameter(lan, &PARAMETERS, now_s, c.parameter.0, &c.data)?;
                Ok(Empty)
            })
        }
        SuspendBmcArps::CMD => serve(request, response, |c: SuspendBmcArps| {
            device.check_channel(c.channel)?;
            device.machine.controller_mut().arp_suspended = c.suspend;
            // They rest only while the watchdog runs (§23.3).
            let watchdog = device.machine.controller().watchdog.timer(now_s);
            let resting = if watchdog.settings.control.contains(WatchdogControl::RUNNING) {
                c.suspend.0
            } else {
                0
            };
            let all = ArpSuspend::GRATUITOUS | ArpSuspend::RESPONSES;
            Ok(BmcArps {
                active: ArpSuspend(all.0 & !resting),
            })
        }),
        GetIpStatistics::CMD => serve(request, response, |c: GetIpStatistics| {
            device.check_channel(c.channel)?;
            Ok(statistics(device, c.clear))
        }),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

/// What was set, else what follows from the machine, else what comes from the factory.
fn get(
    device: &Device<'_>,
    c: &GetLanConfigurationParameters,
) -> Result<LanConfigurationParameters, CompletionCode> {
    device.check_channel(c.channel)?;
    let lan = &device.machine.controller().lan;
    let was_set = lan.get(c.parameter.0, c.set, c.block).is_some();
    let data = match live(device, c.parameter).filter(|_| !was_set) {
        Some(data) => data,
        None => {
            let key = (c.parameter.0, c.set, c.block);
            read_parameter(lan, &PARAMETERS, device.machine.at_s(), key)?
        }
    };
    let data = if c.revision_only {
        &[]
    } else {
        data.as_slice()
    };
    Ok(LanConfigurationParameters {
        revision: PARAMETER_REVISION,
        data: Bytes::new(data).ok_or(CompletionCode::CANNOT_RETURN_BYTES)?,
    })
}

/// What follows from the machine.
fn live(device: &Device<'_>, parameter: LanParameter) -> Option<Vec<u8>> {
    let value = |value: LanValue| Some(value.to_data().to_vec());
    match parameter {
        LanParameter::AUTH_TYPE_SUPPORT => {
            let v15 = device.config.v15.as_ref();
            let types = v15.map_or(&[][..], |v15| v15.auth_types.as_slice());
            let mask = types.iter().fold(0, |mask, one| mask | 1_u8 << (one.0 & 7));
            Some(vec![mask])
        }
        LanParameter::IP_ADDRESS => value(LanValue::Ipv4(device.address.octets())),
        LanParameter::IP_ADDRESS_SOURCE => value(LanValue::Source(IpSource::STATIC)),
        LanParameter::MAC_ADDRESS => value(LanValue::Mac(mac(device.address))),
        LanParameter::SUBNET_MASK => value(LanValue::Ipv4(NETMASK)),
        LanParameter::CIPHER_SUITE_COUNT => {
            Some(vec![u8::try_from(suite_count(device)).unwrap_or(16)])
        }
        LanParameter::CIPHER_SUITE_ENTRIES => {
            let mut entries = vec![0; 1 + SUITES];
            for (entry, suite) in entries[1..].iter_mut().zip(&device.config.suites) {
                *entry = suite.0;
            }
            Some(entries)
        }
        LanParameter::CIPHER_SUITE_PRIVILEGES => {
            let mut levels = vec![0; 1 + SUITES / 2];
            for entry in 0..suite_count(device) {
                levels[1 + entry / 2] |= PrivilegeLevel::ADMINISTRATOR.0 << (entry % 2 * 4);
            }
            Some(levels)
        }
        _ => None,
    }
}

/// Requests that came and were answered; there is nothing else on this network.
fn statistics(device: &mut Device<'_>, clear: bool) -> IpStatistics {
    let count = device.machine.count_request(clear);
    IpStatistics {
        ip_received: count,
        ip_header_errors: 0,
        ip_address_errors: 0,
        ip_fragments: 0,
        ip_sent: count,
        udp_received: count,
        rmcp_received: count,
        proxy_received: 0,
        proxy_dropped: 0,
    }
}

fn suite_count(device: &Device<'_>) -> usize {
    device.config.suites.len().min(SUITES)
}

/// A locally administered address made from the IP address.
pub(crate) const fn mac(address: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = address.octets();
    [0x02, 0x52, a, b, c, d]
}
