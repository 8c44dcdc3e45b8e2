//! Requests that come through a reverse proxy: whom to believe about the client.
//!
//! A proxy hides the client's address, and whether it spoke TLS, behind its own connection. It says so in headers that
//! anybody can write. So they count only where the connection comes from a proxy that the configuration names, and only
//! the one family of headers that this proxy writes; a family that it doesn't know it passes on as the client sent it.
//! From everybody else they are taken off the request before anything can read them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::Authority;

/// How many networks of trusted proxies there may be.
pub const MAX_TRUSTED_PROXIES: usize = 64;
/// How many proxies in a row are followed from the service towards the client.
pub const MAX_PROXY_HOPS: usize = 16;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Addresses that share their first bits: `10.0.0.0/8`, `2001:db8::/32`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// An IPv4 address is in its IPv4-mapped form, so that one comparison fits both.
    bits: u128,
    prefix: u32,
}

impl Network {
    /// How many bits an IPv4-mapped address has before the IPv4 address itself.
    const MAPPED: u32 = 96;

    /// Whether `address` is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        mapped(address) & mask(self.prefix) == self.bits
    }
}

/// As an IPv6 address; IPv4 in the mapped form of RFC 4291 §2.5.5.2.
fn mapped(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The first `prefix` bits.
fn mask(prefix: u32) -> u128 {
    u128::MAX.checked_shl(128 - prefix).unwrap_or(0)
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Address)?;
        let before = if address.is_ipv4() { Self::MAPPED } else { 0 };
        let prefix = match prefix.map(str::parse::<u32>) {
            None => 128,
            Some(Ok(length)) if length <= 128 - before => before + length,
            Some(_) => return Err(NetworkError::Prefix),
        };
        let bits = mapped(address);
        if bits & mask(prefix) != bits {
            return Err(NetworkError::HostBits);
        }
        Ok(Self { bits, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match IpAddr::V6(Ipv6Addr::from_bits(self.bits)).to_canonical() {
            IpAddr::V4(v4) if self.prefix >= Self::MAPPED => {
                write!(f, "{v4}/{}", self.prefix - Self::MAPPED)
            }
            _ => write!(f, "{}/{}", Ipv6Addr::from_bits(self.bits), self.prefix),
        }
    }
}

/// Why a text names no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkError {
    /// It begins with no IP address.
    Address,
    /// What follows the slash is no length of a prefix: 0 to 32, or 0 to 128 for IPv6.
    Prefix,
    /// Bits are set behind the prefix, so it isn't clear whether one address is meant or many.
    HostBits,
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "expected an IP address or a network such as 10.0.0.0/8",
            Self::Prefix => "the prefix after / is 0 to 32 for IPv4, 0 to 128 for IPv6",
            Self::HostBits => {
                "the address has bits set behind its prefix; write the network's first address"
            }
        })
    }
}

impl std::error::Error for NetworkError {}

/// Which headers the trusted proxies write. Only these are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardedBy {
    /// `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`, as nearly every proxy does.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The proxies whose word counts. Without any, nobody's does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    by: ForwardedBy,
}

/// More than [`MAX_TRUSTED_PROXIES`] networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyProxies;

impl fmt::Display for TooManyProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "more than {MAX_TRUSTED_PROXIES} networks of trusted proxies"
        )
    }
}

impl std::error::Error for TooManyProxies {}

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// At this address.
    Address(IpAddr),
    /// A program of this machine on our own Unix socket; who may open it, the file's mode says.
    Local,
}

/// Where a request really comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The client's address, as far as it is known.
    pub(crate) client: Option<IpAddr>,
    /// Whether the client's own connection, to us or to the outermost proxy, was encrypted.
    pub(crate) is_encrypted: bool,
}

impl TrustedProxies {
    /// Trusts every address in `networks`, which write the headers `by`.
    ///
    /// # Errors
    /// [`TooManyProxies`].
    pub fn new(networks: Vec<Network>, by: ForwardedBy) -> Result<Self, TooManyProxies> {
        if networks.len() > MAX_TRUSTED_PROXIES {
            return Err(TooManyProxies);
        }
        Ok(Self { networks, by })
    }

    /// Whether a connection from there is a proxy's.
    pub(crate) fn trusts(&self, peer: Peer) -> bool {
        match peer {
            Peer::Address(address) => self.is_proxy(address),
            Peer::Local => true,
        }
    }

    fn is_proxy(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(address))
    }

    /// Says where the request comes from, and takes off it what is said about that. From a trusted proxy, `Host` becomes
    /// the one that the client used.
    pub(crate) fn settle(&self, parts: &mut Parts, peer: Peer, is_encrypted: bool) -> Origin {
        let own = match peer {
            Peer::Address(address) => Some(address.to_canonical()),
            Peer::Local => None,
        };
        let said = if self.trusts(peer) {
            self.said(&parts.headers)
        } else {
            Said::default()
        };
        for name in [
            header::FORWARDED,
            X_FORWARDED_FOR,
            X_FORWARDED_PROTO,
            X_FORWARDED_HOST,
        ] {
            parts.headers.remove(name);
        }
        if let Some(host) = said.host {
            replace_host(parts, host);
        }
        Origin {
            client: self.client(own, &said.hops),
            is_encrypted: said
                .proto
                .map_or(is_encrypted, |proto| proto.eq_ignore_ascii_case("https")),
        }
    }

    fn said(&self, headers: &HeaderMap) -> Said {
        match self.by {
            ForwardedBy::XForwarded => Said {
                hops: elements(headers, &X_FORWARDED_FOR)
                    .take(MAX_PROXY_HOPS)
                    .map(|text| node(&text))
                    .collect(),
                proto: elements(headers, &X_FORWARDED_PROTO).next(),
                host: elements(headers, &X_FORWARDED_HOST).next(),
            },
            ForwardedBy::Forwarded => {
                let mut said = Said::default();
                for (index, element) in elements(headers, &header::FORWARDED)
                    .take(MAX_PROXY_HOPS)
                    .enumerate()
                {
                    said.hops
                        .push(parameter(&element, "for").and_then(|text| node(&text)));
                    if index == 0 {
                        said.proto = parameter(&element, "proto");
                        said.host = parameter(&element, "host");
                    }
                }
                said
            }
        }
    }

    /// The first address, from us outwards, that is no trusted proxy's. Where a hop has no readable address, or all
    /// are trusted, it is the last one that is known.
    fn client(&self, own: Option<IpAddr>, hops: &[Option<IpAddr>]) -> Option<IpAddr> {
        let mut known = own;
        for hop in hops {
            match hop {
                Some(address) if self.is_proxy(*address) => known = Some(*address),
                Some(address) => return Some(*address),
                None => break,
            }
        }
        known
    }
}

/// What the nearest proxy says, nearest hop first.
#[derive(Default)]
struct Said {
    hops: Vec<Option<IpAddr>>,
    /// How the client reached it; only the nearest proxy's word counts, as any other may be the client's.
    proto: Option<String>,
    host: Option<String>,
}

/// The elements of a list header, last first, empty ones left out. Quoted commas separate nothing.
fn elements<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = String> + use<'h> {
    headers.get_all(name).iter().rev().flat_map(|value| {
        // What isn't text is one element that nobody can read.
        let text = value.to_str().unwrap_or("unknown");
        let mut parts = split_unquoted(text, ',');
        parts.reverse();
        parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
    })
}

/// The trimmed parts of a text between separators that stand outside of quotes.
fn split_unquoted(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if c == separator && !quoted => {
                parts.push(text[start..at].trim());
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

/// A parameter of an element of `Forwarded`, without quotes (RFC 7239 §4).
fn parameter(element: &str, name: &str) -> Option<String> {
    let pairs = split_unquoted(element, ';');
    let mut pairs = pairs.iter().filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name))?;
    let value = value.trim();
    let unquoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    Some(unquoted.unwrap_or(value).replace('\\', ""))
}

/// An address with or without a port; `None` for `unknown` and hidden names (RFC 7239 §6).
fn node(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// Puts the host that the client used in place of the one that the proxy used.
fn replace_host(parts: &mut Parts, host: String) {
    let authority = Authority::from_str(&host).ok();
    if let (Some(_), Some(authority)) = (parts.uri.authority(), authority) {
        let mut uri = std::mem::take(&mut parts.uri).into_parts();
        uri.authority = Some(authority);
        // The parts are those of a whole URI with one authority for another: nothing to fail.
        parts.uri = http::Uri::from_parts(uri).unwrap_or_default();
    }
    // A value that is no host is refused with the request, like a wrong `Host` of a client.
    if let Ok(value) = HeaderValue::from_str(&host) {
        parts.headers.insert(header::HOST, value);
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn proxies(networks: &[&str], by: ForwardedBy) -> TrustedProxies {
        let networks = networks.iter().map(|text| text.parse().unwrap()).collect();
        TrustedProxies::new(networks, by).unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// What comes of a request with these headers from `peer`.
    fn settle(proxies: &TrustedProxies, peer: &str, headers: &[(&str, &str)]) -> (Origin, Parts) {
        let mut request = Request::get("/redfish/v1").header("host", "backend");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let origin = proxies.settle(&mut parts, Peer::Address(address(peer)), true);
        (origin, parts)
    }

    #[test]
    fn a_network_has_the_addresses_of_its_prefix_in_either_family() {
        let network = |text: &str| text.parse::<Network>().unwrap();
        assert!(network("10.0.0.0/8").contains(address("10.255.0.1")));
        assert!(network("10.0.0.0/8").contains(address("::ffff:10.1.2.3")));
        assert!(!network("10.0.0.0/8").contains(address("11.0.0.1")));
        assert!(network("192.0.2.1").contains(address("192.0.2.1")));
        assert!(!network("192.0.2.1").contains(address("192.0.2.2")));
        assert!(network("2001:db8::/32").contains(address("2001:db8:1::1")));
        assert!(!network("0.0.0.0/0").contains(address("2001:db8::1")));
        assert!(network("::/0").contains(address("192.0.2.1")));
        for text in [
            "10.0.0.0/8",
            "192.0.2.1/32",
            "2001:db8::/32",
            "::/0",
            "0.0.0.0/0",
        ] {
            assert_eq!(network(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_network_is_refused_with_its_reason() {
        for (text, reason) in [
            ("", NetworkError::Address),
            ("localhost", NetworkError::Address),
            ("10.0.0.0/33", NetworkError::Prefix),
            ("10.0.0.0/-1", NetworkError::Prefix),
            ("::1/129", NetworkError::Prefix),
            ("10.0.0.1/8", NetworkError::HostBits),
        ] {
            assert_eq!(text.parse::<Network>(), Err(reason), "{text}");
        }
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed_and_nothing_stays_on_the_request() {
        let trusted = proxies(&["10.0.0.0/8"], ForwardedBy::XForwarded);
        let headers = [
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-host", "evil"),
            ("forwarded", "for=127.0.0.1;proto=http;host=evil"),
        ];
        let (origin, parts) = settle(&trusted, "192.0.2.7", &headers);
        assert_eq!(origin.client, Some(address("192.0.2.7")));
        assert!(origin.is_encrypted);
        assert_eq!(parts.headers.len(), 1);
        assert_eq!(parts.headers["host"], "backend");
        let (origin, parts) = settle(&TrustedProxies::default(), "127.0.0.1", &headers);
        assert_eq!(origin.client, Some(address("127.0.0.1")));
        assert_eq!(parts.headers.len(), 1);
    }

    #[test]
    fn the_client_is_the_rightmost_address_that_is_no_proxy() {
        let trusted = proxies(&["10.0.0.0/8", "2001:db8::/64"], ForwardedBy::XForwarded);
        let client = |values: &[&str]| {
            let headers: Vec<_> = values.iter().map(|v| ("x-forwarded-for", *v)).collect();
            settle(&trusted, "10.0.0.1", &headers)
                .0
                .client
                .unwrap()
                .to_string()
        };
        assert_eq!(client(&["192.0.2.1"]), "192.0.2.1");
        assert_eq!(
            client(&["127.0.0.1, 192.0.2.1"]),
            "192.0.2.1",
            "the first is the client's own word"
        );
        assert_eq!(client(&["127.0.0.1", "192.0.2.1"]), "192.0.2.1");
        assert_eq!(client(&["192.0.2.1, 10.0.0.9, 2001:db8::5"]), "192.0.2.1");
        assert_eq!(client(&["192.0.2.1:4711"]), "192.0.2.1");
        assert_eq!(client(&["[2001:db8:7::1]:4711"]), "2001:db8:7::1");
        assert_eq!(client(&["::ffff:192.0.2.1"]), "192.0.2.1");
        assert_eq!(
            client(&[]),
            "10.0.0.1",
            "a proxy that says nothing is the client"
        );
        assert_eq!(client(&["192.0.2.1, unknown"]), "10.0.0.1");
        assert_eq!(client(&["192.0.2.1, unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client(&["10.0.0.3"]), "10.0.0.3", "a proxy asks for itself");
        assert_eq!(client(&["192.0.2.1, , "]), "192.0.2.1");
        let long = format!("192.0.2.1{}", ", 10.0.0.2".repeat(MAX_PROXY_HOPS));
        assert_eq!(client(&[&long]), "10.0.0.2");
    }

    #[test]
    fn only_the_family_of_headers_that_the_proxy_writes_is_read() {
        let headers = [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-host", "x.example"),
            ("x-forwarded-proto", "http"),
            ("forwarded", "for=192.0.2.2;host=f.example;proto=https"),
        ];
        let x = proxies(&["10.0.0.1"], ForwardedBy::XForwarded);
        let (origin, parts) = settle(&x, "10.0.0.1", &headers);
        assert_eq!(origin.client, Some(address("192.0.2.1")));
        assert!(!origin.is_encrypted);
        assert_eq!(parts.headers["host"], "x.example");
        let forwarded = proxies(&["10.0.0.1"], ForwardedBy::Forwarded);
        let (origin, parts) = settle(&forwarded, "10.0.0.1", &headers);
        assert_eq!(origin.client, Some(address("192.0.2.2")));
        assert!(origin.is_encrypted);
        assert_eq!(parts.headers["host"], "f.example");
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        let trusted = proxies(&["10.0.0.0/8"], ForwardedBy::Forwarded);
        let client = |value: &str| {
            let (origin, _) = settle(&trusted, "10.0.0.1", &[("forwarded", value)]);
            origin.client.unwrap().to_string()
        };
        assert_eq!(
            client("for=\"[2001:db8:cafe::17]:4711\""),
            "2001:db8:cafe::17"
        );
        assert_eq!(
            client("For=192.0.2.60;proto=http;by=203.0.113.43"),
            "192.0.2.60"
        );
        assert_eq!(client("for=192.0.2.43, for=10.0.0.2"), "192.0.2.43");
        assert_eq!(
            client("for=127.0.0.1;host=\"a,b;for=1.2.3.4\", for=192.0.2.9"),
            "192.0.2.9"
        );
        assert_eq!(
            client("host=\"a, for=127.0.0.1\";for=192.0.2.9"),
            "192.0.2.9"
        );
        assert_eq!(client("for=_hidden"), "10.0.0.1");
        assert_eq!(client("for=\"192.0.2.9"), "10.0.0.1");
        assert_eq!(client("proto=https"), "10.0.0.1");
    }

    #[test]
    fn the_host_of_the_client_takes_the_place_of_the_proxys_own() {
        let trusted = proxies(&["10.0.0.1"], ForwardedBy::XForwarded);
        let request =
            Request::get("http://backend:8080/a?b").header("x-forwarded-host", "rack.example:444");
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        trusted.settle(&mut parts, Peer::Address(address("10.0.0.1")), false);
        assert_eq!(parts.uri.to_string(), "http://rack.example:444/a?b");
        assert_eq!(parts.headers["host"], "rack.example:444");
        let (_, parts) = settle(&trusted, "10.0.0.1", &[("x-forwarded-host", "evil, real")]);
        assert_eq!(
            parts.headers["host"], "real",
            "the last one is the proxy's own"
        );
    }

    #[test]
    fn a_program_on_our_own_socket_is_a_proxy_without_an_address() {
        let nobody = TrustedProxies::default();
        let request = Request::get("/").header("x-forwarded-for", "192.0.2.1");
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let origin = nobody.settle(&mut parts, Peer::Local, false);
        assert_eq!(origin.client, Some(address("192.0.2.1")));
        let (mut parts, ()) = Request::get("/").body(()).unwrap().into_parts();
        let origin = nobody.settle(&mut parts, Peer::Local, false);
        assert_eq!(
            origin,
            Origin {
                client: None,
                is_encrypted: false
            }
        );
    }

    #[test]
    fn the_number_of_networks_is_bounded() {
        let one: Network = "192.0.2.1".parse().unwrap();
        assert!(
            TrustedProxies::new(vec![one; MAX_TRUSTED_PROXIES], ForwardedBy::default()).is_ok()
        );
        let more = TrustedProxies::new(vec![one; MAX_TRUSTED_PROXIES + 1], ForwardedBy::default());
        assert_eq!(more.err(), Some(TooManyProxies));
    }
}
