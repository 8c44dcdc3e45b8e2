//! The sockets of SSDP, one pair for each interface; what is said on them is [`redfish::Ssdp`]'s.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use redfish::{MAX_SSDP_DATAGRAM, SSDP_GROUP, Ssdp, SsdpScope, SsdpSettings};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::config::{FrontConfig, SSDP_INTERFACES_MAX};

/// What makes the service found, on each network where it is to be, for as long as that is switched on.
pub(crate) struct Announcers {
    /// The interfaces that the operator names; none = those at which the service can be reached.
    interfaces: Vec<IpAddr>,
    /// Host and port by which clients know the service.
    public_host: Option<String>,
    listen: SocketAddr,
    uuid: String,
    settings: watch::Receiver<SsdpSettings>,
}

impl Announcers {
    /// Of the service that listens at `listen`.
    pub(crate) fn new(
        config: &FrontConfig,
        listen: SocketAddr,
        uuid: String,
        settings: watch::Receiver<SsdpSettings>,
    ) -> Self {
        Self {
            interfaces: config.ssdp.clone(),
            public_host: config.public_host.clone(),
            listen,
            uuid,
            settings,
        }
    }

    /// Opens every socket once, so that an operator's mistake shows at the start.
    pub(crate) fn check(&self) -> Result<(), (IpAddr, io::Error)> {
        let settings = *self.settings.borrow();
        if settings.is_enabled {
            for interface in &self.interfaces {
                self.open(*interface, settings)
                    .map_err(|error| (*interface, error))?;
            }
        }
        Ok(())
    }

    fn open(&self, interface: IpAddr, settings: SsdpSettings) -> io::Result<Announcer> {
        let url = match &self.public_host {
            Some(host) => format!("https://{host}"),
            None => format!("https://{}", SocketAddr::new(interface, self.listen.port())),
        };
        Announcer::open(interface, url, self.uuid.clone(), settings)
    }

    /// Announces the service whenever and however the settings say so, until `closing` ends.
    pub(crate) async fn run(mut self, mut closing: watch::Receiver<()>) {
        loop {
            let settings = *self.settings.borrow_and_update();
            let (stop, stopping) = watch::channel(());
            let mut running = JoinSet::new();
            for interface in self.wanted(settings) {
                match self.open(interface, settings) {
                    Ok(announcer) => drop(running.spawn(announcer.run(stopping.clone()))),
                    Err(error) => {
                        tracing::warn!(%interface, %error, "SSDP: can't announce the service there");
                    }
                }
            }
            let ends = tokio::select! {
                _ = closing.changed() => true,
                changed = self.settings.changed() => changed.is_err(),
            };
            drop(stop);
            running.join_all().await;
            if ends {
                return;
            }
        }
    }

    /// The interfaces to announce at, at most [`SSDP_INTERFACES_MAX`].
    fn wanted(&self, settings: SsdpSettings) -> Vec<IpAddr> {
        let listen = self.listen.ip();
        let mut wanted = match () {
            () if !settings.is_enabled => Vec::new(),
            () if !self.interfaces.is_empty() => self.interfaces.clone(),
            () if !listen.is_unspecified() && self.public_host.is_none() => vec![listen],
            () => {
                let all = if_addrs::get_if_addrs().unwrap_or_default();
                let reached = |address: &IpAddr| address.is_ipv4() || listen.is_ipv6();
                let others = all.iter().filter(|interface| !interface.is_loopback());
                others
                    .map(if_addrs::Interface::ip)
                    .filter(reached)
                    .collect()
            }
        };
        wanted.truncate(SSDP_INTERFACES_MAX);
        wanted
    }
}

/// The service on one network.
struct Announcer {
    /// Gets what is sent to the group on this network.
    group: UdpSocket,
    /// Sends, from the interface's own address.
    own: UdpSocket,
    /// Whom announcements go to.
    announced_to: SocketAddr,
    url: String,
    uuid: String,
    settings: SsdpSettings,
}

impl Announcer {
    /// Opens the sockets at the interface with this address. Clients are told `url`, the service's base without a slash.
    fn open(
        interface: IpAddr,
        url: String,
        uuid: String,
        settings: SsdpSettings,
    ) -> io::Result<Self> {
        match interface {
            IpAddr::V4(interface) => {
                let sockets = open_v4(interface, SSDP_GROUP, settings.ttl)?;
                Self::on(sockets, SSDP_GROUP, url, uuid, settings)
            }
            IpAddr::V6(interface) => {
                let index = index_of(interface)?;
                let sockets = open_v6(interface, index, settings.ttl)?;
                Self::on(
                    sockets,
                    settings.ipv6_scope.group(index),
                    url,
                    uuid,
                    settings,
                )
            }
        }
    }

    fn on(
        (group, own): (Socket, Socket),
        announced_to: SocketAddr,
        url: String,
        uuid: String,
        settings: SsdpSettings,
    ) -> io::Result<Self> {
        let socket = |socket: Socket| {
            socket.set_nonblocking(true)?;
            UdpSocket::from_std(socket.into())
        };
        Ok(Self {
            group: socket(group)?,
            own: socket(own)?,
            announced_to,
            url,
            uuid,
            settings,
        })
    }

    /// Announces the service and answers searches until `closing` ends; then says goodbye.
    async fn run(self, mut closing: watch::Receiver<()>) {
        let start = Instant::now();
        let now_ms = || u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut ssdp = Ssdp::new(&self.uuid, self.announced_to, &self.settings, now_ms());
        let mut buffer = [0; MAX_SSDP_DATAGRAM + 1];
        loop {
            while let Some(datagram) = ssdp.poll_transmit(now_ms(), |_| Some(self.url.clone())) {
                self.send(datagram.to, &datagram.bytes).await;
            }
            let due = start + Duration::from_millis(ssdp.poll_timeout());
            tokio::select! {
                _ = closing.changed() => break,
                () = sleep_until(due) => {}
                received = self.group.recv_from(&mut buffer) => match received {
                    // Without a random number an answer comes at once, which is allowed.
                    Ok((length, from)) => {
                        let random = getrandom::u64().unwrap_or_default();
                        ssdp.handle_datagram(now_ms(), from, &buffer[..length], random);
                    }
                    Err(error) => tracing::debug!(%error, "SSDP: can't receive"),
                },
            }
        }
        let datagram = ssdp.byebye();
        self.send(datagram.to, &datagram.bytes).await;
    }

    async fn send(&self, to: SocketAddr, bytes: &[u8]) {
        if let Err(error) = self.own.send_to(bytes, to).await {
            tracing::debug!(%to, %error, "SSDP: can't send");
        }
    }
}

/// The socket that hears a group, and the one that speaks.
fn open_v4(interface: Ipv4Addr, group: SocketAddr, ttl: u8) -> io::Result<(Socket, Socket)> {
    let IpAddr::V4(address) = group.ip() else {
        return Err(io::ErrorKind::Unsupported.into());
    };
    let listener = listener(Domain::IPV4)?;
    // Bound to the group, not to an address: a search that comes from beyond the network, by unicast, isn't heard.
    listener.bind(&group.into())?;
    listener.set_multicast_all_v4(false)?;
    listener.join_multicast_v4(&address, &interface)?;
    let sender = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    sender.bind(&SocketAddr::from((interface, 0)).into())?;
    sender.set_multicast_if_v4(&interface)?;
    sender.set_multicast_ttl_v4(ttl.into())?;
    Ok((listener, sender))
}

/// As [`open_v4`]. Searches are heard in the link's scope, however far announcements go.
fn open_v6(interface: Ipv6Addr, index: u32, ttl: u8) -> io::Result<(Socket, Socket)> {
    let group = SsdpScope::Link.group(index);
    let IpAddr::V6(address) = group.ip() else {
        return Err(io::ErrorKind::Unsupported.into());
    };
    let listener = listener(Domain::IPV6)?;
    listener.set_only_v6(true)?;
    listener.bind(&group.into())?;
    listener.set_multicast_all_v6(false)?;
    listener.join_multicast_v6(&address, index)?;
    let sender = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
    sender.set_only_v6(true)?;
    sender.bind(&SocketAddrV6::new(interface, 0, 0, index).into())?;
    sender.set_multicast_if_v6(index)?;
    sender.set_multicast_hops_v6(ttl.into())?;
    Ok((listener, sender))
}

fn listener(domain: Domain) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    // Other programs of this machine, and we on other interfaces, listen at the same group.
    socket.set_reuse_address(true)?;
    Ok(socket)
}

/// The index of the interface that has this address.
fn index_of(address: Ipv6Addr) -> io::Result<u32> {
    let interfaces = if_addrs::get_if_addrs()?;
    let found = interfaces.iter().find(|i| i.ip() == IpAddr::V6(address));
    found
        .and_then(|interface| interface.index)
        .ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}

#[cfg(test)]
mod tests {
    use redfish::SSDP_TTL;

    use super::*;

    const UUID: &str = "92384634-2938-2342-8820-489239905423";

    /// A listener of the group on loopback, as a client has it.
    fn listen(group: SocketAddr) -> UdpSocket {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.bind(&group.into()).unwrap();
        let IpAddr::V4(address) = group.ip() else {
            panic!("IPv4");
        };
        socket
            .join_multicast_v4(&address, &Ipv4Addr::LOCALHOST)
            .unwrap();
        socket.set_nonblocking(true).unwrap();
        UdpSocket::from_std(socket.into()).unwrap()
    }

    async fn next(socket: &UdpSocket) -> String {
        let mut buffer = [0; 2048];
        let received = socket.recv_from(&mut buffer);
        let (length, _) = tokio::time::timeout(Duration::from_secs(60), received)
            .await
            .expect("a datagram")
            .unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[tokio::test]
    async fn a_client_on_the_network_finds_the_service_and_hears_it_go() {
        // Another port than that of SSDP: what runs on this machine beside the test stays out of it.
        let port = std::net::UdpSocket::bind("0.0.0.0:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let group = SocketAddr::new(SSDP_GROUP.ip(), port);
        let announcer = Announcer::on(
            open_v4(Ipv4Addr::LOCALHOST, group, SSDP_TTL).unwrap(),
            SSDP_GROUP,
            "https://127.0.0.1:8443".to_owned(),
            UUID.to_owned(),
            SsdpSettings::default(),
        );
        let (close, closing) = watch::channel(());
        let at_ssdp = listen(SSDP_GROUP);
        let task = tokio::spawn(announcer.unwrap().run(closing));
        let alive = loop {
            let text = next(&at_ssdp).await;
            if text.contains(UUID) {
                break text;
            }
        };
        assert!(alive.contains("NTS: ssdp:alive"), "{alive}");

        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let search = "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n\
                      ST: urn:dmtf-org:service:redfish-rest:1\r\n\r\n";
        let raw = socket2::SockRef::from(&client);
        raw.set_multicast_if_v4(&Ipv4Addr::LOCALHOST).unwrap();
        client.send_to(search.as_bytes(), group).await.unwrap();
        let answer = next(&client).await;
        assert!(
            answer.contains("AL: https://127.0.0.1:8443/redfish/v1/"),
            "{answer}"
        );
        assert!(
            answer.contains(&format!("USN: uuid:{UUID}::urn:dmtf-org")),
            "{answer}"
        );

        drop(close);
        task.await.unwrap();
        let gone = loop {
            let text = next(&at_ssdp).await;
            if text.contains(UUID) {
                break text;
            }
        };
        assert!(gone.contains("NTS: ssdp:byebye"), "{gone}");
    }

    fn announcers(listen: &str, named: &[&str], settings: SsdpSettings) -> Announcers {
        let config = FrontConfig {
            ssdp: named.iter().map(|text| text.parse().unwrap()).collect(),
            ..FrontConfig::default()
        };
        let (_, settings) = watch::channel(settings);
        Announcers::new(&config, listen.parse().unwrap(), UUID.to_owned(), settings)
    }

    #[test]
    fn without_named_interfaces_the_service_is_announced_where_it_listens() {
        let on = SsdpSettings {
            is_enabled: true,
            ..SsdpSettings::default()
        };
        let wanted = |listen, named: &[&str], settings| -> Vec<String> {
            let wanted = announcers(listen, named, settings).wanted(settings);
            wanted.iter().map(ToString::to_string).collect()
        };
        assert!(wanted("127.0.0.1:1", &["10.0.0.1"], SsdpSettings::default()).is_empty());
        assert_eq!(wanted("0.0.0.0:1", &["10.0.0.1"], on), ["10.0.0.1"]);
        assert_eq!(wanted("127.0.0.1:1", &[], on), ["127.0.0.1"]);
        let everywhere = wanted("0.0.0.0:1", &[], on);
        assert!(
            !everywhere.contains(&"127.0.0.1".to_owned()),
            "{everywhere:?}"
        );
    }

    #[tokio::test]
    async fn an_interface_that_is_not_there_shows_at_the_start_if_ssdp_is_on() {
        let on = SsdpSettings {
            is_enabled: true,
            ..SsdpSettings::default()
        };
        for address in ["192.0.2.77", "2001:db8::77"] {
            let found = announcers("0.0.0.0:1", &[address], on).check();
            assert_eq!(
                found
                    .err()
                    .map(|(interface, _)| interface.to_string())
                    .as_deref(),
                Some(address)
            );
            let off = SsdpSettings::default();
            assert!(announcers("0.0.0.0:1", &[address], off).check().is_ok());
        }
    }
}
