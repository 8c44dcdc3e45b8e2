//! The sockets of SSDP, one pair for each interface; what is said on them is [`redfish::Ssdp`]'s.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use redfish::{MAX_SSDP_DATAGRAM, SSDP_GROUP, SSDP_TTL, Ssdp};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// The service on one network.
pub(crate) struct Announcer {
    /// Gets what is sent to the group on this network.
    group: UdpSocket,
    /// Sends, from the interface's own address.
    own: UdpSocket,
    url: String,
    uuid: String,
}

impl Announcer {
    /// Opens the sockets at the interface with this address. Clients are told `url`, the service's base without a slash.
    pub(crate) fn open(interface: Ipv4Addr, url: String, uuid: String) -> io::Result<Self> {
        Self::open_at(interface, SSDP_GROUP, url, uuid)
    }

    fn open_at(
        interface: Ipv4Addr,
        group: SocketAddr,
        url: String,
        uuid: String,
    ) -> io::Result<Self> {
        let IpAddr::V4(address) = group.ip() else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let listener = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        // Other programs of this machine, and we on other interfaces, listen at the same group.
        listener.set_reuse_address(true)?;
        // Bound to the group, not to an address: a search that comes from beyond the network, by unicast, isn't heard.
        listener.bind(&group.into())?;
        listener.set_multicast_all_v4(false)?;
        listener.join_multicast_v4(&address, &interface)?;
        let sender = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        sender.bind(&SocketAddr::from((interface, 0)).into())?;
        sender.set_multicast_if_v4(&interface)?;
        sender.set_multicast_ttl_v4(SSDP_TTL.into())?;
        let socket = |socket: Socket| {
            socket.set_nonblocking(true)?;
            UdpSocket::from_std(socket.into())
        };
        Ok(Self {
            group: socket(listener)?,
            own: socket(sender)?,
            url,
            uuid,
        })
    }

    /// Announces the service and answers searches until `closing` ends; then says goodbye.
    pub(crate) async fn run(self, mut closing: watch::Receiver<()>) {
        let start = Instant::now();
        let now_ms = || u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut ssdp = Ssdp::new(&self.uuid, now_ms());
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

#[cfg(test)]
mod tests {
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
        let announcer = Announcer::open_at(
            Ipv4Addr::LOCALHOST,
            group,
            "https://127.0.0.1:8443".to_owned(),
            UUID.to_owned(),
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
}
