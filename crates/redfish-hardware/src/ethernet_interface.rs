//! `EthernetInterface` and its collection: the one interface of a management controller over which we know it.

use std::fmt::Write as _;

use hardware::{AddressOrigin, Ipv4, Link, Node};
use redfish_schema::ethernet_interface::{
    COLLECTION, DHCPv4Configuration, EthernetInterface, LinkStatus,
};
use redfish_schema::ip_addresses::{IPv4Address, IPv4AddressOrigin};
use redfish_schema::v_lan_network_interface::VLAN;
use redfish_schema::{Collection, Nullable, Reference};

use crate::{status, uri};

/// Name of the interface in its collection.
pub(crate) const LAN: &str = "LAN";

pub(crate) fn collection(node: &Node) -> Collection {
    let id = node.id.as_str();
    let members = vec![Reference::to(uri::ethernet_interface(id))];
    let path = uri::ethernet_interfaces(id);
    Collection::new(&COLLECTION, path, "Ethernet interfaces", members)
}

pub(crate) fn resource(node: &Node) -> EthernetInterface {
    let network = node.identity.network.unwrap_or_default();
    let answers = node.link == Link::Up;
    let addresses = |wanted: fn(&Ipv4) -> bool| {
        let address = network.ipv4.iter().filter(|ipv4| wanted(ipv4));
        Some(address.map(ipv4_address).collect())
    };
    let dhcp = network.ipv4.map(|ipv4| ipv4.origin == AddressOrigin::Dhcp);
    let path = uri::ethernet_interface(node.id.as_str());
    EthernetInterface {
        interface_enabled: Some(answers.then_some(true).into()),
        link_status: Some(answers.then_some(LinkStatus::LinkUp).into()),
        host_name: Some(
            node.identity
                .controller_name
                .as_deref()
                .map(str::to_owned)
                .into(),
        ),
        mac_address: Some(network.mac.map(mac).into()),
        // The controller doesn't tell these over IPMI.
        speed_mbps: Some(Nullable::Null),
        fqdn: Some(Nullable::Null),
        name_servers: Some(Vec::new()),
        dhc_pv4: Some(DHCPv4Configuration {
            dhcp_enabled: Some(dhcp.into()),
        }),
        ipv4_addresses: addresses(|_| true),
        ipv4_static_addresses: addresses(|ipv4| ipv4.origin == AddressOrigin::Static),
        vlan: network.vlan.map(|vlan| VLAN {
            vlan_enable: Some(vlan.enabled.into()),
            vlan_id: Some(i64::from(vlan.id).into()),
        }),
        status: Some(status::of_reachable(node)),
        ..EthernetInterface::new(path.as_str(), LAN, "LAN interface of the controller")
    }
}

fn ipv4_address(ipv4: &Ipv4) -> IPv4Address {
    let origin = match ipv4.origin {
        AddressOrigin::Static => Some(IPv4AddressOrigin::Static),
        AddressOrigin::Dhcp => Some(IPv4AddressOrigin::DHCP),
        AddressOrigin::Host | AddressOrigin::Other => None,
    };
    IPv4Address {
        address: Some(ipv4.address.to_string().into()),
        subnet_mask: Some(ipv4.netmask.map(|mask| mask.to_string()).into()),
        address_origin: Some(origin.into()),
        gateway: Some(ipv4.gateway.map(|gateway| gateway.to_string()).into()),
    }
}

/// `02:52:7f:10:00:01`.
fn mac(bytes: [u8; 6]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let separator = if text.is_empty() { "" } else { ":" };
        // Writing to a String can't fail.
        let _ = write!(text, "{separator}{byte:02x}");
        text
    })
}
