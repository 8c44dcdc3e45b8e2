//! What an attacker speaks: TLS with whatever bytes it likes in it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::target::HUNG;

/// Where the service is and how to know it.
#[derive(Clone)]
pub(crate) struct Trust {
    address: SocketAddr,
    roots: Arc<RootCertStore>,
}

impl Trust {
    pub(crate) fn of(address: SocketAddr, certificate: CertificateDer<'static>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        Self {
            address,
            roots: Arc::new(roots),
        }
    }

    pub(crate) async fn connect(&self, protocol: &[u8]) -> io::Result<Connection> {
        self.connect_from([127, 0, 0, 1], protocol).await
    }

    /// Connects from this address of loopback.
    pub(crate) async fn connect_from(
        &self,
        from: [u8; 4],
        protocol: &[u8],
    ) -> io::Result<Connection> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((from, 0)))?;
        let stream = socket.connect(self.address).await?;
        self.handshake(stream, protocol).await
    }

    pub(crate) async fn handshake(
        &self,
        stream: TcpStream,
        protocol: &[u8],
    ) -> io::Result<Connection> {
        let mut tls = ClientConfig::builder()
            .with_root_certificates(Arc::clone(&self.roots))
            .with_no_client_auth();
        tls.alpn_protocols = vec![protocol.to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        let connected = TlsConnector::from(Arc::new(tls)).connect(name, stream);
        Ok(Connection {
            stream: timeout(HUNG, connected).await.expect("a handshake")?,
        })
    }
}

pub(crate) struct Connection {
    pub(crate) stream: TlsStream<TcpStream>,
}

/// An HTTP/1.1 response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Header lines, names in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value.trim())
    }
}

/// A request with a body of JSON, or none.
pub(crate) fn request(line: &str, headers: &[&str], body: &str) -> String {
    let mut text = format!("{line} HTTP/1.1\r\nHost: localhost\r\n");
    for header in headers {
        text += &format!("{header}\r\n");
    }
    if !body.is_empty() {
        text += &format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
    }
    format!("{text}\r\n{body}")
}

impl Connection {
    /// Sends; whoever is refused may find the connection gone, which the answer will show.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let sent = async {
            self.stream.write_all(bytes.as_ref()).await?;
            self.stream.flush().await
        };
        timeout(HUNG, sent)
            .await
            .expect("the service reads")
            .is_ok()
    }

    /// The next response; `None` where the connection ends instead.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = timeout(HUNG, self.stream.read_u8())
                .await
                .expect("an answer");
            head.push(byte.ok()?);
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer {
            status,
            head,
            body: String::new(),
        };
        let length = answer
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        timeout(HUNG, self.stream.read_exact(&mut body))
            .await
            .expect("a body")
            .ok()?;
        answer.body = String::from_utf8_lossy(&body).into_owned();
        Some(answer)
    }

    pub(crate) async fn ask(&mut self, text: impl AsRef<[u8]>) -> Option<Answer> {
        self.send(text).await;
        self.answer().await
    }

    pub(crate) async fn get(&mut self, path: &str, headers: &[&str]) -> Answer {
        let line = format!("GET {path}");
        let answer = self.ask(request(&line, headers, "")).await;
        answer.unwrap_or_else(|| panic!("no answer to {line}"))
    }

    /// Logs in and gives the token.
    pub(crate) async fn log_in(&mut self, user: &str, password: &str) -> String {
        let answer = self.try_log_in(user, password).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.header("x-auth-token").unwrap().to_owned()
    }

    pub(crate) async fn try_log_in(&mut self, user: &str, password: &str) -> Answer {
        let body = serde_json::json!({"UserName": user, "Password": password}).to_string();
        let line = "POST /redfish/v1/SessionService/Sessions";
        self.ask(request(line, &[], &body))
            .await
            .expect("an answer")
    }

    /// Everything until the connection ends.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = timeout(HUNG, self.stream.read_to_end(&mut rest))
            .await
            .expect("an end");
        rest
    }
}
