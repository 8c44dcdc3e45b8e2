//! Discovery by SSDP (DSP0266 "Discovery"): answers to who searches, and word of who comes and goes. No socket, no clock.
//!
//! A search is a small datagram whose sender nobody has checked, and its answer is larger. So answers are few: they are
//! spread over the time that the searcher allows, bounded in number and in rate, and one address gets one at a time.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use serde::{Deserialize, Serialize};

use crate::resource::service_root::REDFISH_VERSION;

/// The port of SSDP (UPnP Device Architecture 1.1 §1).
pub const SSDP_PORT: u16 = 1900;
/// The multicast group and port of SSDP for IPv4 (UPnP Device Architecture 1.1 §1).
pub const SSDP_GROUP: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(239, 255, 255, 250)), SSDP_PORT);
/// How far its datagrams go, in hops: the default that DSP0266 names.
pub const SSDP_TTL: u8 = 2;
/// For how long an announcement holds, in seconds; the least that UPnP allows.
pub const SSDP_MAX_AGE_S: u32 = 1800;
/// How often the service announces itself unless told otherwise, in seconds: thrice while an announcement holds.
pub const SSDP_NOTIFY_INTERVAL_S: u32 = 600;
/// The shortest time between announcements that can be set, in seconds.
pub const MIN_SSDP_NOTIFY_INTERVAL_S: u32 = 10;
/// The longest one: an announcement that gets lost is repeated while the last one holds (UPnP Device Architecture 1.1
/// §1.2.2).
pub const MAX_SSDP_NOTIFY_INTERVAL_S: u32 = SSDP_MAX_AGE_S / 2;
/// How many answers wait to be sent.
pub const MAX_SSDP_WAITING: usize = 64;
/// How many answers are sent in a second.
pub const MAX_SSDP_ANSWERS_PER_S: u64 = 20;
/// The longest datagram that is read, in bytes.
pub const MAX_SSDP_DATAGRAM: usize = 1024;

/// The longest time that a searcher is let wait, in seconds (UPnP Device Architecture 1.1 §1.3.2).
const MAX_WAIT_S: u64 = 5;
/// What a Redfish service is called in a search, up to its minor version.
const SERVICE_TYPE: &str = "urn:dmtf-org:service:redfish-rest:1";

/// How the service announces itself: `ManagerNetworkProtocol.SSDP`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SsdpSettings {
    /// Whether it is announced and found at all.
    pub is_enabled: bool,
    /// How often it announces itself, in seconds, from [`MIN_SSDP_NOTIFY_INTERVAL_S`] to
    /// [`MAX_SSDP_NOTIFY_INTERVAL_S`].
    pub notify_interval_s: u32,
    /// How far announcements go, in hops; not 0.
    pub ttl: u8,
    /// How far announcements go over IPv6.
    pub ipv6_scope: SsdpScope,
}

impl Default for SsdpSettings {
    /// Switched off, else as DSP0266 has it.
    fn default() -> Self {
        Self {
            is_enabled: false,
            notify_interval_s: SSDP_NOTIFY_INTERVAL_S,
            ttl: SSDP_TTL,
            ipv6_scope: SsdpScope::Link,
        }
    }
}

/// How far a multicast goes over IPv6 (RFC 4291 §2.7): `SSDP.NotifyIPv6Scope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SsdpScope {
    /// On one network, `FF02::C`. There searches are heard.
    Link,
    /// Over the routers of a site, `FF05::C`.
    Site,
    /// Over those of an organization, `FF08::C`.
    Organization,
}

impl SsdpScope {
    /// The group and port of SSDP in this scope, on the network of the interface with this index.
    #[must_use]
    pub const fn group(self, interface: u32) -> SocketAddr {
        let first = match self {
            Self::Link => 0xff02,
            Self::Site => 0xff05,
            Self::Organization => 0xff08,
        };
        let address = Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0xc);
        SocketAddr::V6(SocketAddrV6::new(address, SSDP_PORT, 0, interface))
    }
}

/// A datagram to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SsdpDatagram {
    /// Whom to.
    pub to: SocketAddr,
    /// What.
    pub bytes: Vec<u8>,
}

/// What the announcement says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Alive,
    Byebye,
}

/// A service that can be found. Times are milliseconds of any clock that only goes forward.
#[derive(Debug)]
pub struct Ssdp {
    uuid: String,
    /// Whom announcements go to.
    group: SocketAddr,
    notify_interval_ms: u64,
    /// The service type with the minor version of the protocol, which clients of version 1 know without it.
    service_type: String,
    waiting: VecDeque<Waiting>,
    next_notify_ms: u64,
    /// Answers that may be sent at once; refilled over time.
    tokens: u64,
    refilled_ms: u64,
}

#[derive(Debug)]
struct Waiting {
    due_ms: u64,
    to: SocketAddr,
    target: String,
}

impl Ssdp {
    /// A service with this UUID, that of its root, on one network. It announces itself to `group` at once.
    #[must_use]
    pub fn new(uuid: &str, group: SocketAddr, settings: &SsdpSettings, now_ms: u64) -> Self {
        Self::of_version(uuid, REDFISH_VERSION, group, settings, now_ms)
    }

    fn of_version(
        uuid: &str,
        redfish_version: &str,
        group: SocketAddr,
        settings: &SsdpSettings,
        now_ms: u64,
    ) -> Self {
        let minor = redfish_version
            .split('.')
            .nth(1)
            .filter(|minor| *minor != "0");
        let service_type = match minor {
            Some(minor) => format!("{SERVICE_TYPE}:{minor}"),
            None => SERVICE_TYPE.to_owned(),
        };
        Self {
            uuid: uuid.to_owned(),
            group,
            notify_interval_ms: u64::from(settings.notify_interval_s) * 1000,
            service_type,
            waiting: VecDeque::new(),
            next_notify_ms: now_ms,
            tokens: MAX_SSDP_ANSWERS_PER_S,
            refilled_ms: now_ms,
        }
    }

    /// Takes a datagram that came from `from`. If it is a search that means us, an answer is due some time within the wait
    /// that it allows; `random` decides when.
    pub fn handle_datagram(&mut self, now_ms: u64, from: SocketAddr, bytes: &[u8], random: u64) {
        let Some(search) = Search::parse(bytes) else {
            return;
        };
        let Some(target) = self.target(search.target) else {
            return;
        };
        // Port 0 is nobody's, and 1900 is that of other services: two of them could answer one another.
        let is_client = from.port() != 0 && from.port() != SSDP_PORT;
        let waits = self
            .waiting
            .iter()
            .any(|waiting| waiting.to.ip() == from.ip());
        if !is_client || waits || self.waiting.len() >= MAX_SSDP_WAITING {
            return;
        }
        let spread_ms = search.wait_s.clamp(1, MAX_WAIT_S) * 1000;
        // The last quarter is left for the way back.
        let due_ms = now_ms + random % (spread_ms * 3 / 4);
        self.waiting.push_back(Waiting {
            due_ms,
            to: from,
            target,
        });
    }

    /// When to ask for datagrams again, in milliseconds.
    #[must_use]
    pub fn poll_timeout(&self) -> u64 {
        let answers = self.waiting.iter().map(|waiting| waiting.due_ms);
        let refill_ms = if self.tokens == 0 {
            self.refilled_ms + 1000
        } else {
            0
        };
        let answer = answers.min().map(|due_ms| due_ms.max(refill_ms));
        answer.map_or(self.next_notify_ms, |due_ms| {
            due_ms.min(self.next_notify_ms)
        })
    }

    /// The next datagram to send, if one is due. `location` says the base URL of the service as the receiver reaches it,
    /// `https://10.0.0.1:8443`; without one, nothing is sent.
    pub fn poll_transmit(
        &mut self,
        now_ms: u64,
        location: impl FnOnce(SocketAddr) -> Option<String>,
    ) -> Option<SsdpDatagram> {
        if self.next_notify_ms <= now_ms {
            self.next_notify_ms = now_ms + self.notify_interval_ms;
            let url = location(self.group)?;
            return Some(self.notify(Word::Alive, &url));
        }
        let passed_s = now_ms.saturating_sub(self.refilled_ms) / 1000;
        if passed_s > 0 {
            self.refilled_ms += passed_s * 1000;
            self.tokens = MAX_SSDP_ANSWERS_PER_S;
        }
        let due = self
            .waiting
            .iter()
            .position(|waiting| waiting.due_ms <= now_ms)?;
        self.tokens = self.tokens.checked_sub(1)?;
        let Waiting { to, target, .. } = self.waiting.remove(due)?;
        let url = location(to)?;
        Some(SsdpDatagram {
            to,
            bytes: self.answer(&target, &url),
        })
    }

    /// The last word: the service goes.
    #[must_use]
    pub fn byebye(&self) -> SsdpDatagram {
        self.notify(Word::Byebye, "")
    }

    /// What a search for `target` is answered for; `None` if it doesn't mean us.
    fn target(&self, target: &str) -> Option<String> {
        let is = |name: &str| target.eq_ignore_ascii_case(name);
        if is("ssdp:all") || is(SERVICE_TYPE) || is(&self.service_type) {
            // A client that searches without a minor version compares what it gets with what it asked for.
            let short = is(SERVICE_TYPE);
            return Some(if short {
                SERVICE_TYPE.to_owned()
            } else {
                self.service_type.clone()
            });
        }
        let uuid = target
            .split_at_checked(5)
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("uuid:"));
        let ours = uuid.is_some_and(|(_, uuid)| uuid.eq_ignore_ascii_case(&self.uuid));
        (ours || is("upnp:rootdevice")).then(|| target.to_owned())
    }

    /// The unique name of the service as what is searched for.
    fn usn(&self, target: &str) -> String {
        match target.starts_with("uuid:") {
            true => format!("uuid:{}", self.uuid),
            false => format!("uuid:{}::{target}", self.uuid),
        }
    }

    fn answer(&self, target: &str, url: &str) -> Vec<u8> {
        let mut text = String::from("HTTP/1.1 200 OK\r\n");
        // Writing to a String can't fail.
        let _ = write!(
            text,
            "CACHE-CONTROL: max-age={SSDP_MAX_AGE_S}\r\nEXT:\r\nAL: {url}/redfish/v1/\r\nST: {target}\r\nUSN: {}\r\n\r\n",
            self.usn(target)
        );
        text.into_bytes()
    }

    fn notify(&self, word: Word, url: &str) -> SsdpDatagram {
        let target = &self.service_type;
        let mut text = format!(
            "NOTIFY * HTTP/1.1\r\nHOST: {}\r\nNT: {target}\r\nUSN: {}\r\n",
            host(self.group),
            self.usn(target)
        );
        let _ = match word {
            Word::Alive => write!(
                text,
                "NTS: ssdp:alive\r\nCACHE-CONTROL: max-age={SSDP_MAX_AGE_S}\r\nAL: {url}/redfish/v1/\r\n\r\n"
            ),
            Word::Byebye => write!(text, "NTS: ssdp:byebye\r\n\r\n"),
        };
        SsdpDatagram {
            to: self.group,
            bytes: text.into_bytes(),
        }
    }
}

/// The group as a header has it. The index of an interface means nothing to others.
fn host(group: SocketAddr) -> String {
    match group {
        SocketAddr::V4(group) => group.to_string(),
        SocketAddr::V6(group) => format!("[{}]:{}", group.ip(), group.port()),
    }
}

/// An `M-SEARCH` request.
#[derive(Debug, PartialEq, Eq)]
struct Search<'a> {
    /// `ST`: what is searched for.
    target: &'a str,
    /// `MX`: how long the searcher waits, in seconds.
    wait_s: u64,
}

impl<'a> Search<'a> {
    /// Reads one; `None` for anything else. Some clients leave out the empty line at the end, and are understood.
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() > MAX_SSDP_DATAGRAM {
            return None;
        }
        let mut lines = std::str::from_utf8(bytes).ok()?.split("\r\n");
        if lines.next()? != "M-SEARCH * HTTP/1.1" {
            return None;
        }
        let (mut target, mut wait_s, mut discovers) = (None, 1, false);
        for line in lines.take_while(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':')?;
            let value = value.trim();
            if name.eq_ignore_ascii_case("ST") {
                target = Some(value);
            } else if name.eq_ignore_ascii_case("MX") {
                wait_s = value.parse().ok()?;
            } else if name.eq_ignore_ascii_case("MAN") {
                discovers = value == "\"ssdp:discover\"";
            }
        }
        target
            .filter(|_| discovers)
            .map(|target| Self { target, wait_s })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "92384634-2938-2342-8820-489239905423";

    fn search(target: &str) -> String {
        format!(
            "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 3\r\nST: {target}\r\n\r\n"
        )
    }

    fn from(last: u8, port: u16) -> SocketAddr {
        ([192, 0, 2, last], port).into()
    }

    /// A service whose first announcement is out.
    fn announced() -> Ssdp {
        let mut ssdp = Ssdp::of_version(UUID, "1.20.1", SSDP_GROUP, &SsdpSettings::default(), 0);
        assert!(next(&mut ssdp, 0).is_some());
        ssdp
    }

    fn next(ssdp: &mut Ssdp, now_ms: u64) -> Option<(SocketAddr, String)> {
        let sent = ssdp.poll_transmit(now_ms, |_| Some("https://rack1:8443".to_owned()))?;
        Some((sent.to, String::from_utf8(sent.bytes).unwrap()))
    }

    #[test]
    fn a_search_for_redfish_is_answered_with_uuid_and_root() {
        for (target, st) in [
            (
                "urn:dmtf-org:service:redfish-rest:1",
                "urn:dmtf-org:service:redfish-rest:1",
            ),
            (
                "URN:dmtf-org:service:redfish-rest:1",
                "urn:dmtf-org:service:redfish-rest:1",
            ),
            (
                "urn:dmtf-org:service:redfish-rest:1:20",
                "urn:dmtf-org:service:redfish-rest:1:20",
            ),
            ("ssdp:all", "urn:dmtf-org:service:redfish-rest:1:20"),
            ("upnp:rootdevice", "upnp:rootdevice"),
        ] {
            let mut ssdp = announced();
            ssdp.handle_datagram(10, from(1, 5000), search(target).as_bytes(), 0);
            assert_eq!(ssdp.poll_timeout(), 10);
            let (to, text) = next(&mut ssdp, 10).unwrap();
            assert_eq!(to, from(1, 5000));
            assert!(
                text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("\r\n\r\n"),
                "{text}"
            );
            for line in [
                format!("ST: {st}"),
                format!("USN: uuid:{UUID}::{st}"),
                "AL: https://rack1:8443/redfish/v1/".to_owned(),
                "CACHE-CONTROL: max-age=1800".to_owned(),
                "EXT:".to_owned(),
            ] {
                assert!(text.lines().any(|found| found == line), "{line} in {text}");
            }
            assert_eq!(next(&mut ssdp, 10_000), None);
        }
        let mut ssdp = announced();
        ssdp.handle_datagram(
            0,
            from(1, 5000),
            search(&format!("uuid:{UUID}")).as_bytes(),
            0,
        );
        assert!(
            next(&mut ssdp, 0)
                .unwrap()
                .1
                .contains(&format!("USN: uuid:{UUID}\r\n"))
        );
    }

    #[test]
    fn a_search_without_its_last_empty_line_is_understood() {
        let text = search("ssdp:all");
        assert!(Search::parse(text.trim_end().as_bytes()).is_some());
    }

    #[test]
    fn what_is_no_search_for_us_gets_no_answer() {
        let good = search("ssdp:all");
        let long = good.replace("MX: 3", &format!("X: {}", "x".repeat(MAX_SSDP_DATAGRAM)));
        for bad in [
            String::new(),
            search("urn:schemas-upnp-org:device:MediaServer:1"),
            search("urn:dmtf-org:service:redfish-rest:2"),
            search("uuid:00000000-2938-2342-8820-489239905423"),
            search(""),
            good.replace("ssdp:discover", "ssdp:other"),
            good.replace("M-SEARCH", "NOTIFY"),
            good.replace("HTTP/1.1", "HTTP/1.0"),
            good.replace("MX: 3", "MX: x"),
            good.replace("MX: 3", "MX"),
            long,
        ] {
            let mut ssdp = announced();
            ssdp.handle_datagram(0, from(1, 5000), bad.as_bytes(), 0);
            assert_eq!(next(&mut ssdp, 10_000), None, "{bad}");
        }
        let mut ssdp = announced();
        ssdp.handle_datagram(
            0,
            from(1, 5000),
            b"M-SEARCH * HTTP/1.1\r\nST: \xff\r\n\r\n",
            0,
        );
        ssdp.handle_datagram(0, from(1, 1900), good.as_bytes(), 0);
        ssdp.handle_datagram(0, from(1, 0), good.as_bytes(), 0);
        assert_eq!(next(&mut ssdp, 10_000), None);
    }

    #[test]
    fn answers_are_spread_over_the_time_that_the_searcher_waits() {
        for (wait, latest_ms) in [("0", 750), ("1", 750), ("3", 2250), ("120", 3750)] {
            let text = search("ssdp:all").replace("MX: 3", &format!("MX: {wait}"));
            for random in [0, 1, 999, u64::MAX] {
                let mut ssdp = announced();
                ssdp.handle_datagram(0, from(1, 5000), text.as_bytes(), random);
                let due_ms = ssdp.poll_timeout();
                assert!(due_ms < latest_ms, "{wait} {random}: {due_ms}");
                assert!(due_ms == 0 || next(&mut ssdp, due_ms - 1).is_none());
                assert!(next(&mut ssdp, due_ms).is_some());
            }
        }
    }

    #[test]
    fn answers_are_bounded_in_number_rate_and_by_address() {
        let mut ssdp = announced();
        let text = search("ssdp:all");
        for n in 0..=255 {
            for port in [5000, 5001] {
                ssdp.handle_datagram(0, from(n, port), text.as_bytes(), 0);
            }
        }
        assert_eq!(ssdp.waiting.len(), MAX_SSDP_WAITING);
        let (mut now_ms, mut seconds, mut sent) = (0, Vec::new(), 0);
        while !ssdp.waiting.is_empty() {
            let mut count = 0;
            while let Some((to, _)) = next(&mut ssdp, now_ms) {
                assert_eq!(to.port(), 5000);
                count += 1;
            }
            seconds.push(count);
            sent += count;
            assert!(
                ssdp.poll_timeout() > now_ms,
                "asking again at once would be in vain"
            );
            now_ms = ssdp.poll_timeout();
        }
        assert_eq!(sent, MAX_SSDP_WAITING as u64);
        assert!(
            seconds.iter().all(|count| *count <= MAX_SSDP_ANSWERS_PER_S),
            "{seconds:?}"
        );
    }

    #[test]
    fn the_service_says_when_it_comes_stays_and_goes() {
        let settings = SsdpSettings {
            notify_interval_s: 60,
            ..SsdpSettings::default()
        };
        let mut ssdp = Ssdp::of_version(UUID, "1.20.1", SSDP_GROUP, &settings, 5);
        for n in 0..3 {
            let now_ms = 5 + n * 60_000;
            assert_eq!(ssdp.poll_timeout(), now_ms);
            let (to, text) = next(&mut ssdp, now_ms).unwrap();
            assert_eq!(to, SSDP_GROUP);
            assert!(
                text.starts_with("NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"),
                "{text}"
            );
            assert!(
                text.contains("NTS: ssdp:alive\r\n")
                    && text.contains("AL: https://rack1:8443/redfish/v1/\r\n")
            );
            assert!(
                text.contains("NT: urn:dmtf-org:service:redfish-rest:1:20\r\n"),
                "{text}"
            );
            assert_eq!(next(&mut ssdp, now_ms), None);
        }
        let text = String::from_utf8(ssdp.byebye().bytes).unwrap();
        assert!(
            text.contains("NTS: ssdp:byebye\r\n") && !text.contains("AL:"),
            "{text}"
        );
        const { assert!(SSDP_NOTIFY_INTERVAL_S <= MAX_SSDP_NOTIFY_INTERVAL_S) };
    }

    #[test]
    fn announcements_over_ipv6_go_as_far_as_their_scope() {
        for (scope, group) in [
            (SsdpScope::Link, "[ff02::c]:1900"),
            (SsdpScope::Site, "[ff05::c]:1900"),
            (SsdpScope::Organization, "[ff08::c]:1900"),
        ] {
            let group_address = scope.group(7);
            let mut ssdp = Ssdp::new(UUID, group_address, &SsdpSettings::default(), 0);
            let (to, text) = next(&mut ssdp, 0).unwrap();
            assert_eq!(to, group_address);
            let host = format!("HOST: {group}");
            assert!(text.lines().any(|line| line == host), "{host} in {text}");
        }
    }

    #[test]
    fn a_version_without_a_minor_number_adds_none() {
        let ssdp = Ssdp::of_version(UUID, "1.0.0", SSDP_GROUP, &SsdpSettings::default(), 0);
        assert_eq!(ssdp.service_type, SERVICE_TYPE);
    }
}
