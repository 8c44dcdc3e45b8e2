//! `EthernetInterface`: the network interfaces of the machine that the service runs on, to be read.

use std::net::{IpAddr, Ipv4Addr};

use redfish_schema::ethernet_interface::{self as schema, EthernetInterface, LinkStatus};
use redfish_schema::ip_addresses::{IPv4Address, IPv6Address, IPv6AddressOrigin};
use redfish_schema::resource::{Health, State, Status};
use redfish_schema::{Collection, Reference};

use crate::host::{HostFacts, Interface, InterfaceAddress};
use crate::{Document, Failure};

pub(crate) fn collection(manager: &str, facts: &HostFacts) -> Result<Document, Failure> {
    let path = format!("{manager}/EthernetInterfaces");
    let member = |interface: &Interface| Reference::to(format!("{path}/{}", interface.name));
    let members = facts.interfaces.iter().map(member).collect();
    let kind = &schema::COLLECTION;
    Document::of(&Collection::new(
        kind,
        &*path,
        "Network interfaces",
        members,
    ))
}

pub(crate) fn member(manager: &str, facts: &HostFacts, id: &str) -> Result<Document, Failure> {
    let interface = facts.interfaces.iter().find(|i| i.name == id);
    let interface = interface.ok_or(Failure::NotFound)?;
    let path = format!("{manager}/EthernetInterfaces/{id}");
    let state = if interface.is_enabled {
        State::Enabled
    } else {
        State::Disabled
    };
    Document::of(&EthernetInterface {
        interface_enabled: Some(interface.is_enabled.into()),
        mac_address: Some(interface.mac_address.clone().into()),
        link_status: Some(
            interface
                .has_link
                .map(|up| {
                    if up {
                        LinkStatus::LinkUp
                    } else {
                        LinkStatus::LinkDown
                    }
                })
                .into(),
        ),
        speed_mbps: Some(interface.speed_mbps.map(i64::from).into()),
        host_name: Some(facts.host_name.clone().into()),
        fqdn: Some(facts.fqdn.clone().into()),
        name_servers: Some(facts.name_servers.clone()),
        ipv4_addresses: Some(ipv4(interface)),
        ipv6_addresses: Some(ipv6(interface)),
        status: Some(Status {
            state: Some(state.into()),
            health: Some(Health::OK.into()),
            ..Status::default()
        }),
        ..EthernetInterface::new(path, id, format!("Network interface {id}"))
    })
}

fn ipv4(interface: &Interface) -> Vec<IPv4Address> {
    let address = |found: &InterfaceAddress| match found.address {
        IpAddr::V4(address) => Some(IPv4Address {
            address: Some(address.to_string().into()),
            subnet_mask: Some(mask(found.prefix).to_string().into()),
            // The operating system doesn't say where an address came from.
            address_origin: Some(redfish_schema::Nullable::Null),
            gateway: Some(interface.gateway.map(|gateway| gateway.to_string()).into()),
        }),
        IpAddr::V6(_) => None,
    };
    interface.addresses.iter().filter_map(address).collect()
}

fn ipv6(interface: &Interface) -> Vec<IPv6Address> {
    let address = |found: &InterfaceAddress| match found.address {
        IpAddr::V6(address) => Some(IPv6Address {
            address: Some(address.to_string().into()),
            prefix_length: Some(i64::from(found.prefix).into()),
            // Of the others the operating system doesn't say where they came from.
            address_origin: Some(
                address
                    .is_unicast_link_local()
                    .then_some(IPv6AddressOrigin::LinkLocal)
                    .into(),
            ),
            address_state: Some(found.state.into()),
        }),
        IpAddr::V4(_) => None,
    };
    interface.addresses.iter().filter_map(address).collect()
}

fn mask(prefix: u8) -> Ipv4Addr {
    let host_bits = 32 - u32::from(prefix.min(32));
    Ipv4Addr::from_bits(u32::MAX.checked_shl(host_bits).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_becomes_a_mask() {
        for (prefix, text) in [
            (0, "0.0.0.0"),
            (8, "255.0.0.0"),
            (23, "255.255.254.0"),
            (32, "255.255.255.255"),
            (99, "255.255.255.255"),
        ] {
            assert_eq!(mask(prefix).to_string(), text);
        }
    }
}
