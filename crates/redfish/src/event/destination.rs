//! Where events are sent, and where they must not go: whoever may subscribe makes the service connect to an address of
//! his choice, so addresses that only the service's own machine or network can reach are refused.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use http::Uri;
use rustls::RootCertStore;

use crate::Network;

/// The longest destination, in bytes.
const MAX_DESTINATION: usize = 2048;

/// To which servers that clients name the service connects, and whom it believes there: receivers of events, or servers
/// of images ([`Updater`](crate::Updater)).
#[derive(Debug, Clone)]
pub struct DestinationSettings {
    /// Networks that may be sent to, and fetched from, although their addresses are refused otherwise: loopback,
    /// link-local (which holds the metadata services of clouds), multicast and other addresses that no event receiver
    /// has.
    pub allow_destinations: Vec<Network>,
    /// Whether HTTP without TLS is taken. Events and the headers that authorise them then cross the network in clear
    /// text, or images and the passwords for them.
    pub allow_clear_text: bool,
    /// The certificate authorities that destinations are checked against.
    pub authorities: Arc<RootCertStore>,
}

/// Nothing is opened and nobody believed: the deliveries that succeed are those with `VerifyCertificate` false.
impl Default for DestinationSettings {
    fn default() -> Self {
        Self {
            allow_destinations: Vec::new(),
            allow_clear_text: false,
            authorities: Arc::new(RootCertStore::empty()),
        }
    }
}

/// The address of an event receiver: `https://receiver.example:8443/events`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    uri: Uri,
    is_encrypted: bool,
    host: Host,
    port: u16,
}

/// Who receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Name(String),
    Address(IpAddr),
}

/// Why events can't be sent somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DestinationError {
    /// No URI with a host.
    Form,
    /// Neither `https` nor `http`.
    Scheme,
    /// `http`, which the settings don't allow.
    ClearText,
    /// User and password before the host.
    UserInfo,
    /// An address that is refused.
    Address(IpAddr),
}

impl fmt::Display for DestinationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("Write it as https://host:port/path."),
            Self::Scheme => f.write_str("Events are sent to https destinations."),
            Self::ClearText => f.write_str(
                "Events are sent to https destinations. The configuration of the service can allow http.",
            ),
            Self::UserInfo => f.write_str(
                "Write no user name or password into it. Credentials belong into HttpHeaders.",
            ),
            Self::Address(address) => write!(
                f,
                "The service sends nothing to {address}. Its configuration can allow that network."
            ),
        }
    }
}

impl Destination {
    /// Reads a destination and checks what can be checked without looking up its name.
    pub(crate) fn parse(
        text: &str,
        settings: &DestinationSettings,
    ) -> Result<Self, DestinationError> {
        if text.len() > MAX_DESTINATION || text.contains('#') {
            return Err(DestinationError::Form);
        }
        let uri: Uri = text.parse().map_err(|_| DestinationError::Form)?;
        let is_encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) => return Err(DestinationError::Scheme),
            None => return Err(DestinationError::Form),
        };
        if !is_encrypted && !settings.allow_clear_text {
            return Err(DestinationError::ClearText);
        }
        let authority = uri.authority().ok_or(DestinationError::Form)?;
        if authority.as_str().contains('@') {
            return Err(DestinationError::UserInfo);
        }
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => Some(if is_encrypted { 443 } else { 80 }),
            Some(port) => port[1..].parse().ok().filter(|&port: &u16| port != 0),
            None => None,
        };
        let port = port.ok_or(DestinationError::Form)?;
        let host = Host::of(authority.host()).ok_or(DestinationError::Form)?;
        if let Host::Address(address) = host {
            settings.permit(address)?;
        }
        Ok(Self {
            uri,
            is_encrypted,
            host,
            port,
        })
    }

    pub(crate) const fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) const fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    pub(crate) const fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }
}

impl Host {
    fn of(text: &str) -> Option<Self> {
        let bracketed = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        if let Some(address) = bracketed {
            return address
                .parse()
                .ok()
                .map(|v6: Ipv6Addr| Self::Address(v6.into()));
        }
        if let Ok(v4) = text.parse::<Ipv4Addr>() {
            return Some(Self::Address(v4.into()));
        }
        // What resolvers read as an address though it isn't written as one: 127.1, 0x7f000001, 2130706433.
        let last = text
            .trim_end_matches('.')
            .rsplit('.')
            .next()
            .unwrap_or_default();
        let is_number = last.starts_with(|c: char| c.is_ascii_digit())
            && (last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x"));
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        let is_host = !last.is_empty() && !is_number && text.chars().all(is_name);
        is_host.then(|| Self::Name(text.to_ascii_lowercase()))
    }
}

impl DestinationSettings {
    /// Whether events may be sent to `address`.
    pub(crate) fn permit(&self, address: IpAddr) -> Result<(), DestinationError> {
        match is_refused_destination(address, &self.allow_destinations) {
            false => Ok(()),
            true => Err(DestinationError::Address(embedded(address))),
        }
    }
}

/// Whether nothing is sent to `address` although a client names it: it is loopback, link-local (which holds the metadata
/// services of clouds), multicast or otherwise nobody's, and in none of the networks of `allow`. The IPv4 address that an IPv6
/// address stands for counts.
#[must_use]
pub fn is_refused_destination(address: IpAddr, allow: &[Network]) -> bool {
    let address = embedded(address);
    is_refused(address) && !allow.iter().any(|network| network.contains(address))
}

/// The IPv4 address that an IPv6 address stands for, where it stands for one.
fn embedded(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let last = || {
        let [.., a, b, c, d] = v6.octets();
        IpAddr::from([a, b, c, d])
    };
    match v6.segments() {
        // Mapped and translated (RFC 4291 §2.5.5.2, RFC 2765); NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0xffff, ..]
        | [0, 0, 0, 0, 0xffff, 0, ..]
        | [0x64, 0xff9b, 0, 0, 0, 0, ..] => last(),
        // Compatible (RFC 4291 §2.5.5.1), but neither :: nor ::1.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 || low > 1 => last(),
        // 6to4 (RFC 3056).
        [0x2002, ..] => {
            let [_, _, a, b, c, d, ..] = v6.octets();
            IpAddr::from([a, b, c, d])
        }
        _ => address,
    }
}

/// Addresses that no receiver of events has, or that only this machine or its own link reaches.
fn is_refused(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, ..] = v4.octets();
            // "This network", loopback, link-local with 169.254.169.254, multicast and reserved; two clouds have their
            // metadata elsewhere.
            first == 0
                || v4.is_loopback()
                || v4.is_link_local()
                || first >= 224
                || matches!(v4.octets(), [100, 100, 100, 200] | [192, 0, 0, _])
        }
        IpAddr::V6(v6) => {
            let [first, ..] = v6.segments();
            v6.is_unspecified()
                || v6.is_loopback()
                || first & 0xffc0 == 0xfe80
                || first & 0xffc0 == 0xfec0
                || v6.is_multicast()
                || v6.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Destination, DestinationError> {
        Destination::parse(text, &DestinationSettings::default())
    }

    #[test]
    fn a_destination_is_an_https_uri_with_a_host() {
        let found = read("https://Receiver.example:8443/events?x=1").unwrap();
        assert_eq!(*found.host(), Host::Name("receiver.example".to_owned()));
        assert_eq!((found.port(), found.is_encrypted()), (8443, true));
        let found = read("https://[2001:db8::1]").unwrap();
        assert_eq!(*found.host(), Host::Address("2001:db8::1".parse().unwrap()));
        assert_eq!(found.port(), 443);
        assert!(read("https://192.168.1.50/Destination1").is_ok());
        for (text, error) in [
            ("receiver.example", DestinationError::Form),
            ("/events", DestinationError::Form),
            ("https://", DestinationError::Form),
            ("https://a b/", DestinationError::Form),
            ("https://a/\r\nx: y", DestinationError::Form),
            ("https://a/#b", DestinationError::Form),
            ("https://a:99999/", DestinationError::Form),
            ("https://a:0/", DestinationError::Form),
            ("ftp://a/", DestinationError::Scheme),
            ("file:///etc/passwd", DestinationError::Form),
            ("http://a/", DestinationError::ClearText),
            ("https://me:secret@a/", DestinationError::UserInfo),
            ("https://me@127.0.0.1/", DestinationError::UserInfo),
        ] {
            assert_eq!(read(text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn clear_text_is_taken_where_the_settings_say_so() {
        let settings = DestinationSettings {
            allow_clear_text: true,
            ..DestinationSettings::default()
        };
        let found = Destination::parse("http://a.example/", &settings).unwrap();
        assert_eq!((found.port(), found.is_encrypted()), (80, false));
    }

    #[test]
    fn addresses_that_only_the_service_reaches_are_refused_in_every_spelling() {
        for address in [
            "127.0.0.1",
            "127.255.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "100.100.100.200",
            "192.0.0.192",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:169.254.169.254]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[::ffff:0:127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[2002:7f00:1::]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[fd00:ec2::254]",
        ] {
            let found = read(&format!("https://{address}/"));
            assert!(
                matches!(found, Err(DestinationError::Address(_))),
                "{address}: {found:?}"
            );
        }
        for spelling in [
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "127.0.0.1.",
            "1.2.3.256",
        ] {
            let found = read(&format!("https://{spelling}/"));
            assert_eq!(found, Err(DestinationError::Form), "{spelling}");
        }
        for address in [
            "10.0.0.1",
            "172.16.0.1",
            "192.168.0.1",
            "8.8.8.8",
            "[fd00::1]",
            "[2001:db8::1]",
            "[64:ff9b::8.8.8.8]",
        ] {
            assert!(read(&format!("https://{address}/")).is_ok(), "{address}");
        }
    }

    #[test]
    fn a_network_that_is_allowed_is_taken_in_every_spelling() {
        let settings = DestinationSettings {
            allow_destinations: vec!["127.0.0.0/8".parse().unwrap()],
            ..DestinationSettings::default()
        };
        for address in ["127.0.0.1", "[::ffff:127.0.0.1]"] {
            assert!(
                Destination::parse(&format!("https://{address}/"), &settings).is_ok(),
                "{address}"
            );
        }
        assert!(Destination::parse("https://[::1]/", &settings).is_err());
        assert!(Destination::parse("https://169.254.169.254/", &settings).is_err());
    }
}
