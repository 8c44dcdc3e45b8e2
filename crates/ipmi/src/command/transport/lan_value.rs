//! The values of LAN parameters (§23.2, table 23-4).

use crate::command::Bytes;
use crate::command::layout::{Field, layout};
use crate::command::transport::LAN_PARAMETER_MAX;
use crate::number::{
    AddressFormat, ArpControl, AuthTypes, DestinationType, Dhcpv6TimingSupport, IpSource,
    Ipv6AddressStatus, Ipv6DynamicSource, Ipv6Enables, Ipv6RouterControl, Ipv6StaticSource,
    Ipv6Support, LanParameter, PrivilegeLevel, RmcpPort, SetInProgress, SlaacTimingSupport,
};
use crate::wire::{Reader, Writer};

/// Levels of an IPMI 1.5 session for which types are enabled one by one: CALLBACK to OEM.
pub const AUTH_TYPE_LEVELS: usize = 5;
/// Cipher suites that a channel has a privilege level for, at most.
pub const CIPHER_ENTRIES: usize = 16;

layout! {
    /// How an alert destination is served (18).
    pub struct LanDestination {
        u8 {
            /// Which destination; 0 is the volatile one.
            pub number: u8 [3:0],
        }
        u8 {
            /// Alerts are acknowledged.
            pub acknowledged: bool [7],
            /// What kind it is.
            pub kind: DestinationType [2:0],
        }
        /// For how long an acknowledgement is waited for, in seconds.
        pub timeout_s: u8,
        u8 {
            /// How often an alert is sent again.
            pub retries: u8 [2:0],
        }
    }
}

layout! {
    /// Where an alert destination is (19), for IPv4.
    pub struct LanDestinationAddress {
        u8 {
            /// Which destination; 0 is the volatile one.
            pub number: u8 [3:0],
        }
        u8 {
            /// Kind of the address.
            pub format: AddressFormat [7:4],
        }
        u8 {
            /// Through the backup gateway.
            pub backup_gateway: bool [0],
        }
        /// IPv4 address in reading order.
        pub ip: [u8; 4],
        /// MAC address.
        pub mac: [u8; 6],
    }
}

layout! {
    /// A static IPv6 address (56).
    pub struct Ipv6StaticAddress {
        /// Which.
        pub set: u8,
        u8 {
            /// It is used.
            pub enabled: bool [7],
            /// Where it comes from.
            pub source: Ipv6StaticSource [3:0],
        }
        /// The address in reading order.
        pub address: [u8; 16],
        /// Bits of the prefix.
        pub prefix_length: u8,
        /// How it is doing.
        pub status: Ipv6AddressStatus,
    }
}

layout! {
    /// A dynamic IPv6 address (59).
    pub struct Ipv6DynamicAddress {
        /// Which.
        pub set: u8,
        u8 {
            /// Where it comes from.
            pub source: Ipv6DynamicSource [3:0],
        }
        /// The address in reading order.
        pub address: [u8; 16],
        /// Bits of the prefix.
        pub prefix_length: u8,
        /// How it is doing.
        pub status: Ipv6AddressStatus,
    }
}

/// Declares the values that are a layout or a number, each with its parameters and its bytes on the wire.
macro_rules! values {
    ($($(#[$meta:meta])* $variant:ident($type:ty): $len:literal, $($parameter:ident)|+;)*) => {
        /// The value of a parameter, for the parameters that we give a type (§23.2, table 23-4).
        ///
        /// ```
        /// use ipmi::command::Bytes;
        /// use ipmi::command::transport::LanValue;
        /// use ipmi::number::{IpSource, LanParameter};
        ///
        /// let data = Bytes::from([2]);
        /// let value = LanValue::from_data(LanParameter::IP_ADDRESS_SOURCE, &data);
        /// assert_eq!(value, LanValue::Source(IpSource::DHCP));
        /// assert_eq!(value.to_data(), data);
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum LanValue {
            $( $(#[$meta])* $variant($type), )*
            /// Where the IP address comes from (4); 4 bits.
            Source(IpSource),
            /// VLAN (20): its number, 12 bits, and whether it is on.
            Vlan {
                /// Number.
                id: u16,
                /// Frames carry it.
                enabled: bool,
            },
            /// The lowest level that each cipher suite may be used at, in the order of the suites' list (24); 4 bits each.
            CipherPrivileges([PrivilegeLevel; CIPHER_ENTRIES]),
            /// Another parameter, or data of another length.
            Raw(Bytes<LAN_PARAMETER_MAX>),
        }

        impl LanValue {
            /// Reads a value that is a layout or a number.
            fn fixed(parameter: LanParameter, data: &[u8]) -> Option<Self> {
                let mut r = Reader::new(data);
                match (parameter, data.len()) {
                    $( ($(LanParameter::$parameter)|+, $len) => {
                        Field::get(&mut r, "parameter").map(Self::$variant).ok()
                    } )*
                    _ => None,
                }
            }

            fn put(&self, w: &mut Writer<'_>) {
                match self {
                    $( Self::$variant(value) => Field::put(value, w), )*
                    Self::Source(source) => w.u8(source.0 & 0x0f),
                    Self::Vlan { id, enabled } => {
                        let [low, high] = id.to_le_bytes();
                        w.bytes(&[low, high & 0x0f | u8::from(*enabled) << 7]);
                    }
                    Self::CipherPrivileges(levels) => {
                        w.u8(0);
                        for pair in levels.chunks_exact(2) {
                            w.u8(pair[0].0 & 0x0f | pair[1].0 << 4);
                        }
                    }
                    Self::Raw(data) => w.bytes(data),
                }
            }
        }
    };
}

values! {
    /// Guards a change of several parameters (0).
    SetInProgress(SetInProgress): 1, SET_IN_PROGRESS;
    /// Authentication types that the channel can (1).
    AuthTypeSupport(AuthTypes): 1, AUTH_TYPE_SUPPORT;
    /// Authentication types that are on, for the levels CALLBACK to OEM (2).
    AuthTypeEnables([AuthTypes; AUTH_TYPE_LEVELS]): 5, AUTH_TYPE_ENABLES;
    /// IP address (3), subnet mask (6), default gateway (12) or backup gateway (14): four bytes in reading order.
    Ipv4([u8; 4]): 4, IP_ADDRESS | SUBNET_MASK | DEFAULT_GATEWAY_ADDRESS | BACKUP_GATEWAY_ADDRESS;
    /// MAC address of the channel (5), of the default gateway (13) or of the backup gateway (15).
    Mac([u8; 6]): 6, MAC_ADDRESS | DEFAULT_GATEWAY_MAC | BACKUP_GATEWAY_MAC;
    /// UDP port of RMCP (8, 9).
    Port(RmcpPort): 2, PRIMARY_RMCP_PORT | SECONDARY_RMCP_PORT;
    /// What the BMC does about ARP (10).
    ArpControl(ArpControl): 1, ARP_CONTROL;
    /// An alert destination (18).
    Destination(LanDestination): 4, DESTINATION_TYPE;
    /// Where an alert destination is, for IPv4 (19).
    DestinationAddress(LanDestinationAddress): 13, DESTINATION_ADDRESSES;
    /// What the channel can about IPv6 (50).
    Ipv6Support(Ipv6Support): 1, IPV6_SUPPORT;
    /// Which of IPv4 and IPv6 are used (51).
    Ipv6Enables(Ipv6Enables): 1, IPV6_ENABLES;
    /// A static IPv6 address (56).
    Ipv6Static(Ipv6StaticAddress): 20, IPV6_STATIC_ADDRESS;
    /// A dynamic IPv6 address (59).
    Ipv6Dynamic(Ipv6DynamicAddress): 20, IPV6_DYNAMIC_ADDRESS;
    /// Whether the timing of DHCPv6 can be set (62).
    Dhcpv6Timing(Dhcpv6TimingSupport): 1, DHCPV6_TIMING_SUPPORT;
    /// Where IPv6 routers come from (64).
    Ipv6Routers(Ipv6RouterControl): 1, IPV6_ROUTER_CONTROL;
    /// Whether the timing of SLAAC can be set (79).
    SlaacTiming(SlaacTimingSupport): 1, SLAAC_TIMING_SUPPORT;
}

impl LanValue {
    /// Reads the data of a parameter.
    #[must_use]
    pub fn from_data(parameter: LanParameter, data: &Bytes<LAN_PARAMETER_MAX>) -> Self {
        match (parameter, data.as_slice()) {
            (LanParameter::IP_ADDRESS_SOURCE, &[source]) => Self::Source(IpSource(source & 0x0f)),
            (LanParameter::VLAN_ID, &[low, high]) => Self::Vlan {
                id: u16::from_le_bytes([low, high & 0x0f]),
                enabled: high & 0x80 != 0,
            },
            (LanParameter::CIPHER_SUITE_PRIVILEGES, [_, pairs @ ..]) if pairs.len() == 8 => {
                Self::CipherPrivileges(core::array::from_fn(|i| {
                    let pair = pairs.get(i / 2).copied().unwrap_or(0);
                    PrivilegeLevel(if i % 2 == 0 { pair & 0x0f } else { pair >> 4 })
                }))
            }
            (_, bytes) => Self::fixed(parameter, bytes).unwrap_or(Self::Raw(*data)),
        }
    }

    /// The data of the parameter.
    #[must_use]
    pub fn to_data(&self) -> Bytes<LAN_PARAMETER_MAX> {
        let mut buffer = [0; LAN_PARAMETER_MAX];
        let mut w = Writer::new(&mut buffer);
        self.put(&mut w);
        Bytes::new(w.written()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_a_type_where_number_and_length_fit() {
        for (parameter, bytes, value) in [
            (
                LanParameter::IP_ADDRESS,
                &[10, 0, 0, 7][..],
                LanValue::Ipv4([10, 0, 0, 7]),
            ),
            (
                LanParameter::SUBNET_MASK,
                &[255, 255, 0, 0],
                LanValue::Ipv4([255, 255, 0, 0]),
            ),
            (
                LanParameter::MAC_ADDRESS,
                &[2, 0, 0, 0, 0, 1],
                LanValue::Mac([2, 0, 0, 0, 0, 1]),
            ),
            (
                LanParameter::IP_ADDRESS_SOURCE,
                &[2],
                LanValue::Source(IpSource::DHCP),
            ),
            (
                LanParameter::VLAN_ID,
                &[0x34, 0x81],
                LanValue::Vlan {
                    id: 0x134,
                    enabled: true,
                },
            ),
            (
                LanParameter::IP_ADDRESS,
                &[10, 0],
                LanValue::Raw(Bytes::from([10, 0])),
            ),
            (LanParameter(200), &[1], LanValue::Raw(Bytes::from([1]))),
        ] {
            let data = Bytes::new(bytes).unwrap();
            assert_eq!(LanValue::from_data(parameter, &data), value);
            assert_eq!(value.to_data(), data);
        }
    }

    #[test]
    fn every_parameter_of_every_length_reads_and_comes_back() {
        for parameter in 0..=255 {
            for len in 0..=LAN_PARAMETER_MAX {
                let bytes = [0x11; LAN_PARAMETER_MAX];
                let data = Bytes::new(&bytes[..len]).unwrap();
                let value = LanValue::from_data(LanParameter(parameter), &data);
                let again = LanValue::from_data(LanParameter(parameter), &value.to_data());
                assert_eq!(again, value);
            }
        }
    }

    #[test]
    fn an_ipv6_address_says_where_it_comes_from_and_how_it_is_doing() {
        let mut bytes = [0; 20];
        bytes[..4].copy_from_slice(&[1, 0x02, 0xfe, 0x80]);
        bytes[18..].copy_from_slice(&[64, 2]);
        let data = Bytes::new(&bytes).unwrap();
        let value = LanValue::from_data(LanParameter::IPV6_DYNAMIC_ADDRESS, &data);
        let LanValue::Ipv6Dynamic(address) = value else {
            panic!("{value:?}");
        };
        assert_eq!(address.source, Ipv6DynamicSource::DHCPV6);
        assert_eq!(address.status, Ipv6AddressStatus::PENDING);
        assert_eq!(value.to_data(), data);
    }

    #[test]
    fn a_cipher_suites_level_is_half_a_byte() {
        let data = Bytes::from([0, 0x44, 0x04, 0, 0, 0, 0, 0, 0]);
        let value = LanValue::from_data(LanParameter::CIPHER_SUITE_PRIVILEGES, &data);
        let LanValue::CipherPrivileges(levels) = value else {
            panic!("{value:?}");
        };
        assert_eq!(levels[..4], [4, 4, 4, 0].map(PrivilegeLevel));
        assert_eq!(value.to_data(), data);
    }
}
