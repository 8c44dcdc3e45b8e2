//! The machine that the service itself runs on, as far as the service shows it. Filled by whoever starts the service;
//! this crate asks no operating system.

use std::net::{IpAddr, Ipv4Addr};

use redfish_schema::ip_addresses::AddressState;

use crate::ssdp::SsdpSettings;

/// How the service learns of its own machine, and how it is started anew.
pub trait Host: Send + Sync {
    /// What is so at this moment. Called for each GET of a resource that shows it: may read a few small files, must not
    /// wait for anything.
    fn facts(&self) -> HostFacts;

    /// From now on the service is announced like this. Called only where the facts have
    /// [`ssdp`](HostFacts::ssdp): at the start with what a client has set, and at each change.
    fn announce(&self, settings: SsdpSettings);

    /// Asks for a restart of the service's process once the answer has been sent.
    ///
    /// # Errors
    /// Why it can't be had, in words for the client.
    fn restart(&self) -> Result<(), String>;
}

/// Facts about the machine that the service runs on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostFacts {
    /// The host's name without its domain.
    pub host_name: Option<String>,
    /// The host's name with its domain.
    pub fqdn: Option<String>,
    /// The name servers that it asks, as addresses.
    pub name_servers: Vec<String>,
    /// The port of HTTPS.
    pub https_port: Option<u16>,
    /// The port of plain HTTP, which only redirects or serves a proxy.
    pub http_port: Option<u16>,
    /// How the service is announced until a client changes it; `None` where it can't be announced.
    pub ssdp: Option<SsdpSettings>,
    /// The network interfaces, loopback left out.
    pub interfaces: Vec<Interface>,
}

/// A network interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interface {
    /// The operating system's name, `eth0`.
    pub name: String,
    /// `00:00:5E:00:53:01`.
    pub mac_address: Option<String>,
    /// Whether it is switched on.
    pub is_enabled: bool,
    /// Whether it has a link; `None` where it can't be told.
    pub has_link: Option<bool>,
    /// The speed of the link, in Mbit/s.
    pub speed_mbps: Option<u32>,
    /// Its addresses.
    pub addresses: Vec<InterfaceAddress>,
    /// The gateway of the default route through it.
    pub gateway: Option<Ipv4Addr>,
}

/// An address of a network interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// The address.
    pub address: IpAddr,
    /// The length of its network's prefix, in bits.
    pub prefix: u8,
    /// Whether it can be used (RFC 4862 §2); of IPv6 only.
    pub state: Option<AddressState>,
}

/// A machine that nothing is known of, and a service that can't be restarted from outside: for tests and for programs
/// that embed the service.
#[derive(Debug, Clone, Copy, Default)]
pub struct UnknownHost;

impl Host for UnknownHost {
    fn facts(&self) -> HostFacts {
        HostFacts::default()
    }

    fn announce(&self, _settings: SsdpSettings) {}

    fn restart(&self) -> Result<(), String> {
        Err("nothing starts the service again".to_owned())
    }
}
