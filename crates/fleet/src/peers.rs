//! Where BMCs listen, in little room: nearly all have IPv4 addresses, of six bytes with their port.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// The address of one BMC: half as large as a [`SocketAddr`], but for IPv6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    V4(SocketAddrV4),
    V6(Box<SocketAddrV6>),
}

impl Address {
    /// The same in full.
    pub(crate) fn get(&self) -> SocketAddr {
        match self {
            Self::V4(address) => SocketAddr::V4(*address),
            Self::V6(address) => SocketAddr::V6(**address),
        }
    }

    /// Whether a datagram from `other` is from here: a scope does not count.
    pub(crate) fn is_peer(&self, other: SocketAddr) -> bool {
        let own = self.get();
        (own.ip(), own.port()) == (other.ip(), other.port())
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(address) => Self::V4(address),
            SocketAddr::V6(address) => Self::V6(Box::new(address)),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// Something for each of very many addresses with their ports; scopes do not count.
#[derive(Debug)]
pub(crate) struct Peers<T> {
    v4: HashMap<(Ipv4Addr, u16), T>,
    v6: HashMap<(Ipv6Addr, u16), T>,
}

impl<T> Default for Peers<T> {
    fn default() -> Self {
        Self {
            v4: HashMap::new(),
            v6: HashMap::new(),
        }
    }
}

impl<T: Copy> Peers<T> {
    /// What there is for an address.
    pub(crate) fn get(&self, at: SocketAddr) -> Option<T> {
        let port = at.port();
        match at.ip() {
            IpAddr::V4(ip) => self.v4.get(&(ip, port)).copied(),
            IpAddr::V6(ip) => self.v6.get(&(ip, port)).copied(),
        }
    }

    /// Whether there is anything for an address.
    pub(crate) fn contains(&self, at: SocketAddr) -> bool {
        self.get(at).is_some()
    }

    /// Puts something in for an address.
    pub(crate) fn insert(&mut self, at: SocketAddr, what: T) {
        let port = at.port();
        match at.ip() {
            IpAddr::V4(ip) => self.v4.insert((ip, port), what),
            IpAddr::V6(ip) => self.v6.insert((ip, port), what),
        };
    }

    /// Takes out what there is for an address.
    pub(crate) fn remove(&mut self, at: SocketAddr) {
        let port = at.port();
        match at.ip() {
            IpAddr::V4(ip) => self.v4.remove(&(ip, port)),
            IpAddr::V6(ip) => self.v6.remove(&(ip, port)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_what_it_was_made_of_and_takes_half_the_room() {
        for text in ["10.1.2.3:623", "[fe80::1%7]:624"] {
            let address: SocketAddr = text.parse().unwrap();
            let small = Address::from(address);
            assert_eq!(small.get(), address);
            assert_eq!(small.to_string(), text);
            assert!(small.is_peer(address));
        }
        assert_eq!(2 * size_of::<Address>(), size_of::<SocketAddr>());
    }

    #[test]
    fn peers_are_told_apart_by_address_and_port_and_not_by_scope() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let mut peers = Peers::default();
        for (number, text) in (0..).zip(["10.0.0.1:1", "10.0.0.1:2", "[::1]:1", "[::2%3]:1"]) {
            assert!(!peers.contains(at(text)));
            peers.insert(at(text), number);
            assert_eq!(peers.get(at(text)), Some(number));
        }
        assert_eq!(peers.get(at("[::2%4]:1")), Some(3));
        assert!(Address::from(at("[::2%3]:1")).is_peer(at("[::2%4]:1")));
        assert!(!Address::from(at("10.0.0.1:1")).is_peer(at("10.0.0.1:2")));
        peers.remove(at("[::2%5]:1"));
        peers.remove(at("10.0.0.1:1"));
        assert!(!peers.contains(at("[::2%3]:1")) && !peers.contains(at("10.0.0.1:1")));
        assert_eq!(peers.get(at("10.0.0.1:2")), Some(1));
    }
}
