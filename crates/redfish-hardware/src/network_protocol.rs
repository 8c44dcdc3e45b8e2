//! `ManagerNetworkProtocol`: which protocols a management controller speaks, as far as it is known from outside.

use hardware::Node;
use redfish_schema::Nullable;
use redfish_schema::manager_network_protocol::{HTTPSProtocol, ManagerNetworkProtocol, Protocol};

use crate::{status, uri};

/// How `Identity::protocol` begins for controllers that speak IPMI.
const IPMI: &str = "IPMI";

pub(crate) fn resource(node: &Node) -> ManagerNetworkProtocol {
    let identity = &node.identity;
    let protocol = identity.protocol.as_deref().unwrap_or_default();
    let ipmi = protocol.starts_with(IPMI).then(|| Protocol {
        protocol_enabled: Some(true.into()),
        port: Some(identity.controller_port.map(i64::from).into()),
    });
    ManagerNetworkProtocol {
        host_name: Some(
            identity
                .controller_name
                .as_deref()
                .map(str::to_owned)
                .into(),
        ),
        // Neither domain nor web servers of a controller can be learnt over IPMI.
        fqdn: Some(Nullable::Null),
        http: Some(Protocol {
            protocol_enabled: Some(Nullable::Null),
            port: Some(Nullable::Null),
        }),
        https: Some(HTTPSProtocol {
            protocol_enabled: Some(Nullable::Null),
            port: Some(Nullable::Null),
            ..HTTPSProtocol::default()
        }),
        ipmi,
        status: Some(status::of_reachable(node)),
        ..ManagerNetworkProtocol::new(
            uri::network_protocol(node.id.as_str()),
            "NetworkProtocol",
            "Network protocols",
        )
    }
}
