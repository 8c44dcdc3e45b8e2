//! The part of `[service]` that says how requests come in beside HTTPS: redirects, reverse proxies, discovery.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use redfish::{ForwardedBy, HSTS_MAX_AGE_S, Network, TrustedProxies};

use super::section::{Problems, Section};

/// The longest that browsers can be told to use HTTPS only, in seconds: two years.
const HSTS_LIMIT_S: u32 = 63_072_000;
/// On how many networks the service can be announced.
pub(crate) const SSDP_INTERFACES_MAX: usize = 16;
/// What a Unix socket's path follows.
const UNIX: &str = "unix:";

/// How requests come in beside HTTPS.
#[derive(Clone, Debug)]
pub(crate) struct FrontConfig {
    /// Host and port by which clients know the service.
    pub(crate) public_host: Option<String>,
    /// For how long browsers are told to use HTTPS only.
    pub(crate) hsts_max_age_s: u32,
    /// Where plain HTTP listens, to redirect.
    pub(crate) listen_redirect: Option<SocketAddr>,
    /// Where a reverse proxy asks in clear text.
    pub(crate) listen_proxy: Option<ProxyAddress>,
    /// Whose word about a client counts.
    pub(crate) proxies: TrustedProxies,
    /// Addresses of the interfaces on which SSDP finds the service; at most [`SSDP_INTERFACES_MAX`].
    pub(crate) ssdp: Vec<IpAddr>,
}

impl Default for FrontConfig {
    fn default() -> Self {
        Self {
            public_host: None,
            hsts_max_age_s: HSTS_MAX_AGE_S,
            listen_redirect: None,
            listen_proxy: None,
            proxies: TrustedProxies::default(),
            ssdp: Vec::new(),
        }
    }
}

impl FrontConfig {
    /// Reports interfaces on which the service is announced, but listens at another address.
    pub(super) fn check_reachable(
        &self,
        listen: SocketAddr,
        section: &Section<'_, '_>,
        problems: &mut Problems<'_>,
    ) {
        let listens = |interface: &&IpAddr| match listen.ip() {
            // Linux takes IPv4 in there too.
            IpAddr::V6(all) if all.is_unspecified() => true,
            IpAddr::V4(all) if all.is_unspecified() => interface.is_ipv4(),
            one => one == **interface,
        };
        if let (None, Some(interface)) = (&self.public_host, self.ssdp.iter().find(|i| !listens(i)))
        {
            let text = format!(
                "clients can't reach {listen} at {interface}; set public_url, or let 'listen' be 0.0.0.0 or [::]"
            );
            section.problem(problems, "ssdp_interfaces", text);
        }
    }
}

/// Where a reverse proxy asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProxyAddress {
    /// A TCP socket.
    Tcp(SocketAddr),
    /// A Unix socket, at this path.
    Unix(PathBuf),
}

/// Reads the keys; paths start at `base`.
pub(super) fn read(
    section: &Section<'_, '_>,
    base: &Path,
    problems: &mut Problems<'_>,
) -> FrontConfig {
    let proxies = read_proxies(section, problems);
    let listen_proxy = read_listen_proxy(section, base, problems);
    let tcp = matches!(listen_proxy, Some(ProxyAddress::Tcp(_)));
    if tcp && section.strings(problems, "trusted_proxies").is_empty() {
        let text = "needs trusted_proxies beside it: nobody else is let in there";
        section.problem(problems, "listen_proxy", text);
    }
    FrontConfig {
        public_host: read_public_host(section, problems),
        hsts_max_age_s: section.integer(
            problems,
            "hsts_max_age_s",
            0..=HSTS_LIMIT_S,
            HSTS_MAX_AGE_S,
        ),
        listen_redirect: read_address(section, "listen_redirect", problems),
        listen_proxy,
        proxies,
        ssdp: read_ssdp(section, problems),
    }
}

fn read_ssdp(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for text in section.strings(problems, "ssdp_interfaces") {
        match text.parse() {
            Ok(address) if addresses.contains(&address) => {
                section.problem(
                    problems,
                    "ssdp_interfaces",
                    format!("'{text}' is there twice"),
                );
            }
            Ok(address) => addresses.push(address),
            Err(_) => {
                let text = format!("'{text}' is no address of an interface");
                section.problem(problems, "ssdp_interfaces", text);
            }
        }
    }
    if addresses.len() > SSDP_INTERFACES_MAX {
        let text = format!("more than {SSDP_INTERFACES_MAX} interfaces");
        section.problem(problems, "ssdp_interfaces", text);
    }
    addresses
}

fn read_address(
    section: &Section<'_, '_>,
    key: &str,
    problems: &mut Problems<'_>,
) -> Option<SocketAddr> {
    let text = section.string(problems, key)?;
    let address = text.parse().ok();
    if address.is_none() {
        section.problem(problems, key, "expected ADDRESS:PORT, such as 0.0.0.0:80");
    }
    address
}

fn read_listen_proxy(
    section: &Section<'_, '_>,
    base: &Path,
    problems: &mut Problems<'_>,
) -> Option<ProxyAddress> {
    let anywhere = section.flag(problems, "insecure_proxy_network");
    let text = section.string(problems, "listen_proxy")?;
    if let Some(path) = text.strip_prefix(UNIX) {
        return Some(ProxyAddress::Unix(base.join(path)));
    }
    let Ok(address) = text.parse::<SocketAddr>() else {
        let text = "expected ADDRESS:PORT, such as 127.0.0.1:8080, or unix:/PATH";
        section.problem(problems, "listen_proxy", text);
        return None;
    };
    if !address.ip().is_loopback() && !anywhere {
        let text = "not a loopback address: passwords would cross the network in clear text. Let the proxy use \
                    'listen' over TLS, or set insecure_proxy_network = true";
        section.problem(problems, "listen_proxy", text);
        return None;
    }
    Some(ProxyAddress::Tcp(address))
}

fn read_proxies(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> TrustedProxies {
    let mut networks = Vec::new();
    for text in section.strings(problems, "trusted_proxies") {
        match text.parse::<Network>() {
            Ok(network) => networks.push(network),
            Err(error) => {
                section.problem(problems, "trusted_proxies", format!("'{text}': {error}"));
            }
        }
    }
    let by = match section.string(problems, "forwarded_header") {
        None => ForwardedBy::default(),
        Some(name) if name.eq_ignore_ascii_case("X-Forwarded-For") => ForwardedBy::XForwarded,
        Some(name) if name.eq_ignore_ascii_case("Forwarded") => ForwardedBy::Forwarded,
        Some(_) => {
            let text = "expected X-Forwarded-For or Forwarded";
            section.problem(problems, "forwarded_header", text);
            ForwardedBy::default()
        }
    };
    TrustedProxies::new(networks, by).unwrap_or_else(|error| {
        section.problem(problems, "trusted_proxies", error.to_string());
        TrustedProxies::default()
    })
}

/// `https://HOST[:PORT]`, without the scheme.
fn read_public_host(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Option<String> {
    let url = section.string(problems, "public_url")?;
    let host = url
        .strip_prefix("https://")
        .map(|host| host.trim_end_matches('/'));
    let usable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    let host = host.filter(|host| !host.is_empty() && host.chars().all(usable));
    if host.is_none() {
        let text = "expected https://HOST or https://HOST:PORT, without a path";
        section.problem(problems, "public_url", text);
    }
    host.map(str::to_owned)
}
