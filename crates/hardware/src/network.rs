//! How a management controller is on the network.

use core::net::Ipv4Addr;

/// Where an address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressOrigin {
    /// Set by hand.
    Static,
    /// Leased by DHCP.
    Dhcp,
    /// Loaded by the host's firmware or system software.
    Host,
    /// Another protocol, or not said.
    Other,
}

/// A controller's IPv4 settings as it tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4 {
    /// Its address.
    pub address: Ipv4Addr,
    /// Its network's mask; `None` = not told.
    pub netmask: Option<Ipv4Addr>,
    /// Its default gateway; `None` = none set, or not told.
    pub gateway: Option<Ipv4Addr>,
    /// Where the address comes from.
    pub origin: AddressOrigin,
}

/// An 802.1q VLAN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vlan {
    /// Its number, 12 bits.
    pub id: u16,
    /// Frames carry it.
    pub enabled: bool,
}

/// A controller's network interface, as far as it tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// MAC address.
    pub mac: Option<[u8; 6]>,
    /// IPv4 settings.
    pub ipv4: Option<Ipv4>,
    /// VLAN; `None` where the controller knows no VLANs.
    pub vlan: Option<Vlan>,
}

/// Settings of a controller's network interface to be changed; `None` stays as it is. A controller that gets another
/// address is not found at the old one any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetworkChange {
    /// Where the address is to come from: DHCP or set by hand.
    pub dhcp: Option<bool>,
    /// Static address.
    pub address: Option<Ipv4Addr>,
    /// Mask of the static address's network.
    pub netmask: Option<Ipv4Addr>,
    /// Default gateway.
    pub gateway: Option<Ipv4Addr>,
    /// VLAN.
    pub vlan: Option<Vlan>,
}
