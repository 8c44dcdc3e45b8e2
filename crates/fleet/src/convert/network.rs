//! LAN configuration parameters become a network interface.

use std::net::Ipv4Addr;

use hardware::{AddressOrigin, Ipv4, Network, Vlan};
use ipmi::command::transport::LanValue;
use ipmi::number::IpSource;

/// What a BMC says of its LAN channel (§23.2); `None` where it refuses.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LanSettings {
    pub(crate) address: Option<LanValue>,
    pub(crate) source: Option<LanValue>,
    pub(crate) mac: Option<LanValue>,
    pub(crate) netmask: Option<LanValue>,
    pub(crate) gateway: Option<LanValue>,
    pub(crate) vlan: Option<LanValue>,
}

/// The network interface; `None` where nothing is told.
pub(crate) fn network(lan: &LanSettings) -> Option<Network> {
    // 0.0.0.0 stands for "none".
    let address_of = |value: Option<LanValue>| match value {
        Some(LanValue::Ipv4(address)) if address != [0; 4] => Some(Ipv4Addr::from(address)),
        _ => None,
    };
    let network = Network {
        mac: match lan.mac {
            Some(LanValue::Mac(mac)) if mac != [0; 6] => Some(mac),
            _ => None,
        },
        ipv4: address_of(lan.address).map(|address| Ipv4 {
            address,
            netmask: address_of(lan.netmask),
            gateway: address_of(lan.gateway),
            origin: origin(lan.source),
        }),
        vlan: match lan.vlan {
            Some(LanValue::Vlan { id, enabled }) => Some(Vlan { id, enabled }),
            _ => None,
        },
    };
    (network != Network::default()).then_some(network)
}

const fn origin(source: Option<LanValue>) -> AddressOrigin {
    match source {
        Some(LanValue::Source(IpSource::STATIC)) => AddressOrigin::Static,
        Some(LanValue::Source(IpSource::DHCP)) => AddressOrigin::Dhcp,
        Some(LanValue::Source(IpSource::BIOS)) => AddressOrigin::Host,
        _ => AddressOrigin::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_of_zeros_is_none_and_a_bmc_that_tells_nothing_has_no_network() {
        let lan = LanSettings {
            address: Some(LanValue::Ipv4([10, 0, 0, 7])),
            source: Some(LanValue::Source(IpSource::DHCP)),
            gateway: Some(LanValue::Ipv4([0; 4])),
            ..LanSettings::default()
        };
        let expected = Ipv4 {
            address: Ipv4Addr::new(10, 0, 0, 7),
            netmask: None,
            gateway: None,
            origin: AddressOrigin::Dhcp,
        };
        assert_eq!(
            network(&lan).and_then(|network| network.ipv4),
            Some(expected)
        );
        assert_eq!(network(&LanSettings::default()), None);
    }
}
