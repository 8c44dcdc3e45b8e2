//! The machine that the service runs on: what Linux says of it, and the restart of the service.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use redfish::{AddressState, Host, HostFacts, Interface, InterfaceAddress, SsdpSettings};
use tokio::sync::{Notify, watch};

/// Where Linux keeps what it knows of network interfaces, a folder each.
const INTERFACES: &str = "/sys/class/net";
const ROUTES: &str = "/proc/net/route";
const IPV6_ADDRESSES: &str = "/proc/net/if_inet6";
const RESOLVER: &str = "/etc/resolv.conf";
const HOST_NAME: &str = "/proc/sys/kernel/hostname";
const DOMAIN_NAME: &str = "/proc/sys/kernel/domainname";
/// What the kernel says where nobody has set a domain.
const NO_DOMAIN: &str = "(none)";
/// `IFF_UP` of `<linux/if.h>`.
const INTERFACE_IS_UP: u32 = 1;

/// This machine.
#[derive(Debug, Default)]
pub(crate) struct LocalHost {
    ports: Mutex<Ports>,
    /// How the service is announced; what the service says of it counts.
    ssdp: watch::Sender<SsdpSettings>,
    restart: Notify,
}

/// Where the service listens.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ports {
    pub(crate) https: Option<u16>,
    pub(crate) http: Option<u16>,
}

impl LocalHost {
    /// This machine, which announces the service like this until a client changes it.
    pub(crate) fn new(ssdp: SsdpSettings) -> Self {
        Self {
            ssdp: watch::Sender::new(ssdp),
            ..Self::default()
        }
    }

    /// How the service is to be announced, now and whenever that changes.
    pub(crate) fn ssdp(&self) -> watch::Receiver<SsdpSettings> {
        self.ssdp.subscribe()
    }

    /// Tells where the service listens, once that is known.
    pub(crate) fn set_ports(&self, ports: Ports) {
        *self.ports.lock().unwrap_or_else(PoisonError::into_inner) = ports;
    }

    /// Completes when a client asks for a restart.
    pub(crate) async fn restart_asked(&self) {
        self.restart.notified().await;
    }
}

impl Host for LocalHost {
    fn facts(&self) -> HostFacts {
        let ports = *self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        let host_name = line(HOST_NAME).filter(|name| !name.is_empty());
        let (short, fqdn) = names(host_name, line(DOMAIN_NAME));
        let resolver = fs::read_to_string(RESOLVER).unwrap_or_default();
        HostFacts {
            host_name: short,
            fqdn,
            name_servers: name_servers(&resolver),
            https_port: ports.https,
            http_port: ports.http,
            ssdp: Some(*self.ssdp.borrow()),
            interfaces: interfaces(),
        }
    }

    fn announce(&self, settings: SsdpSettings) {
        self.ssdp.send_replace(settings);
    }

    fn restart(&self) -> Result<(), String> {
        self.restart.notify_one();
        Ok(())
    }
}

fn line(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

/// The short name and the full one; a full one needs a domain.
fn names(host: Option<String>, domain: Option<String>) -> (Option<String>, Option<String>) {
    let Some(host) = host else {
        return (None, None);
    };
    if let Some((short, _)) = host.split_once('.') {
        return (Some(short.to_owned()), Some(host));
    }
    let domain = domain.filter(|domain| !domain.is_empty() && domain != NO_DOMAIN);
    let fqdn = domain.map(|domain| format!("{host}.{domain}"));
    (Some(host), fqdn)
}

fn name_servers(resolver: &str) -> Vec<String> {
    let server = |line: &str| {
        let mut words = line.split_whitespace();
        let address = words
            .nth(1)
            .filter(|_| line.trim_start().starts_with("nameserver"));
        address.map(str::to_owned)
    };
    resolver.lines().filter_map(server).collect()
}

/// Every interface but loopback, sorted by name.
fn interfaces() -> Vec<Interface> {
    let Ok(folder) = fs::read_dir(INTERFACES) else {
        return Vec::new();
    };
    let gateways = gateways(&fs::read_to_string(ROUTES).unwrap_or_default());
    let states = address_states(&fs::read_to_string(IPV6_ADDRESSES).unwrap_or_default());
    let mut addresses: BTreeMap<String, Vec<InterfaceAddress>> = BTreeMap::new();
    for address in if_addrs::get_if_addrs().unwrap_or_default() {
        let found = match &address.addr {
            if_addrs::IfAddr::V4(v4) => InterfaceAddress {
                address: IpAddr::V4(v4.ip),
                prefix: v4.prefixlen,
                state: None,
            },
            if_addrs::IfAddr::V6(v6) => InterfaceAddress {
                address: IpAddr::V6(v6.ip),
                prefix: v6.prefixlen,
                state: states.get(&(address.name.clone(), v6.ip)).copied(),
            },
        };
        addresses.entry(address.name).or_default().push(found);
    }
    let mut found: Vec<_> = folder
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name != "lo")
        .map(|name| interface(&name, &mut addresses, &gateways))
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn interface(
    name: &str,
    addresses: &mut BTreeMap<String, Vec<InterfaceAddress>>,
    gateways: &BTreeMap<String, Ipv4Addr>,
) -> Interface {
    let fact = |file: &str| line(&format!("{INTERFACES}/{name}/{file}"));
    let flags = fact("flags")
        .and_then(|flags| u32::from_str_radix(flags.strip_prefix("0x").unwrap_or(&flags), 16).ok());
    Interface {
        mac_address: fact("address").filter(|mac| !mac.is_empty()),
        is_enabled: flags.is_some_and(|flags| flags & INTERFACE_IS_UP != 0),
        has_link: fact("carrier").map(|carrier| carrier == "1"),
        // A virtual interface says -1, one without a link nothing.
        speed_mbps: fact("speed").and_then(|speed| speed.parse().ok()),
        addresses: addresses.remove(name).unwrap_or_default(),
        gateway: gateways.get(name).copied(),
        name: name.to_owned(),
    }
}

/// The states of IPv6 addresses by interface, from the kernel's table: address, index, prefix, scope and flags as
/// hexadecimal numbers, then the interface. The flags are those of `<linux/if_addr.h>`.
fn address_states(table: &str) -> BTreeMap<(String, Ipv6Addr), AddressState> {
    const FAILED: u8 = 0x08;
    const DEPRECATED: u8 = 0x20;
    const TENTATIVE: u8 = 0x40;
    let state = |line: &str| {
        let mut words = line.split_whitespace();
        let address = u128::from_str_radix(words.next()?, 16).ok()?;
        let flags = u8::from_str_radix(words.nth(3)?, 16).ok()?;
        let state = match flags {
            flags if flags & FAILED != 0 => AddressState::Failed,
            flags if flags & TENTATIVE != 0 => AddressState::Tentative,
            flags if flags & DEPRECATED != 0 => AddressState::Deprecated,
            _ => AddressState::Preferred,
        };
        Some(((words.next()?.to_owned(), Ipv6Addr::from(address)), state))
    };
    table.lines().filter_map(state).collect()
}

/// The gateway of the default route by interface, from the kernel's table: interface, destination and gateway, the
/// addresses as hexadecimal numbers in the machine's byte order.
fn gateways(routes: &str) -> BTreeMap<String, Ipv4Addr> {
    let default = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, destination, gateway) = (words.next()?, words.next()?, words.next()?);
        let gateway = u32::from_str_radix(gateway, 16).ok()?;
        (destination == "00000000" && gateway != 0)
            .then(|| (name.to_owned(), Ipv4Addr::from(gateway.to_ne_bytes())))
    };
    routes.lines().filter_map(default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_name_needs_a_domain() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(names(text("a"), text("(none)")), (text("a"), None));
        assert_eq!(names(text("a"), text("b.c")), (text("a"), text("a.b.c")));
        assert_eq!(
            names(text("a.b.c"), text("(none)")),
            (text("a"), text("a.b.c"))
        );
        assert_eq!(names(None, text("b")), (None, None));
    }

    #[test]
    fn name_servers_are_read_as_the_resolver_reads_them() {
        let text = "# nameserver 192.0.2.9\nsearch example.org\nnameserver 192.0.2.1\n  nameserver 2001:db8::1 \n";
        assert_eq!(name_servers(text), ["192.0.2.1", "2001:db8::1"]);
    }

    #[test]
    fn only_a_default_route_names_a_gateway() {
        let gateway = u32::from_ne_bytes([192, 0, 2, 1]);
        let text = format!(
            "Iface\tDestination\tGateway\neth0\t00000000\t{gateway:08X}\t0003\neth1\t000200C0\t00000000\t0001\n"
        );
        let found = gateways(&text);
        assert_eq!(found.len(), 1);
        assert_eq!(found["eth0"], Ipv4Addr::new(192, 0, 2, 1));
    }

    #[test]
    fn the_state_of_an_address_is_what_the_kernel_says() {
        let line = |last: u8, flags: u8| {
            format!("fe8000000000000000000000000000{last:02x} 02 40 20 {flags:02x}     eth0\n")
        };
        let flags = [0x80, 0x02, 0xa0, 0xc0, 0xc8];
        let table: String = flags.iter().zip(1..).map(|(f, n)| line(n, *f)).collect();
        let found = address_states(&format!("nonsense\n{table}"));
        let expected = [
            AddressState::Preferred,
            AddressState::Preferred,
            AddressState::Deprecated,
            AddressState::Tentative,
            AddressState::Failed,
        ];
        assert_eq!(found.len(), expected.len());
        for (last, state) in (1..).zip(expected) {
            let address = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, last);
            assert_eq!(found[&("eth0".to_owned(), address)], state);
        }
    }

    #[tokio::test]
    async fn a_restart_that_was_asked_for_is_heard_of() {
        let host = LocalHost::default();
        host.restart().unwrap();
        host.restart_asked().await;
    }
}
