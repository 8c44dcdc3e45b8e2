//! The limits of a connection, on pipes and in virtual time.

use std::sync::atomic::{AtomicU64, Ordering};

use redfish_schema::CheckedPatch;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::{
    Account, ActionCall, Backend, BackendFuture, DEFAULT_TIMEOUT_S, Document, Failure, Outcome,
    Path, Role, RootLink, Settings, StaticFile,
};

struct Nothing;

impl Backend for Nothing {
    fn roots(&self) -> &[RootLink] {
        &[]
    }

    fn get<'a>(&'a self, _: &'a Path) -> BackendFuture<'a, Document> {
        Box::pin(async { Err(Failure::NotFound) })
    }

    fn patch<'a>(&'a self, _: &'a Path, _: &'a CheckedPatch) -> BackendFuture<'a, Outcome> {
        Box::pin(async { Err(Failure::NotChangeable) })
    }

    fn action<'a>(&'a self, _: &'a Path, _: &'a ActionCall) -> BackendFuture<'a, Outcome> {
        Box::pin(async { Err(Failure::NotFound) })
    }
}

/// How many bytes a pipe holds that nobody has read.
const PIPE: usize = 4096;
/// More than a pipe and the buffers of a connection hold.
const LARGE: usize = 4 * 1024 * 1024;

struct Bench {
    server: Arc<Server>,
    way: Way,
    crowd: Arc<Crowd>,
    certificate: CertificateDer<'static>,
    next: AtomicU64,
    close: watch::Sender<()>,
}

impl Bench {
    fn new(places: usize) -> Self {
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = pair.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(pair.signing_key.serialize_der()).into();
        let tls = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let large = StaticFile {
            path: "/large",
            content_type: "text/plain",
            bytes: vec![b'x'; LARGE].into(),
        };
        let settings = Settings {
            uuid: "92384634-2938-2342-8820-489239905423".to_owned(),
            product: "Test".to_owned(),
            vendor: "Nobody".to_owned(),
            accounts: vec![Account::new("root", "secret", Role::Administrator).unwrap()],
            privileges: crate::PrivilegeMap::default(),
            session_timeout_s: DEFAULT_TIMEOUT_S,
            static_files: [large].into_iter().collect(),
            store: crate::Store::in_memory().unwrap(),
            events: crate::DestinationSettings::default(),
            images: crate::DestinationSettings::default(),
            version: "1.2.3".to_owned(),
            host: Arc::new(crate::UnknownHost),
            aggregator: None,
            tls: None,
        };
        let server = Server {
            http: http(),
            service: Arc::new(Service::new(settings, Arc::new(Nothing)).unwrap()),
            proxies: TrustedProxies::default(),
            public_host: None,
            https_port: HTTPS_PORT,
            strict_transport: None,
            refusals: Pace::default(),
        };
        Self {
            server: Arc::new(server),
            way: Way::Https(Arc::new(tls).into()),
            crowd: Crowd::new(places),
            certificate,
            next: AtomicU64::new(0),
            close: watch::channel(()).0,
        }
    }

    /// A connection before its handshake, and the task that serves it.
    async fn open(&self) -> (DuplexStream, JoinHandle<Ended>) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let place = self.crowd.enter(number).await;
        let (client, stream) = duplex(PIPE);
        let (server, closing) = (Arc::clone(&self.server), self.close.subscribe());
        let (peer, way) = (Peer::Address([127, 0, 0, 1].into()), self.way.clone());
        let task =
            tokio::spawn(
                async move { server.connection(stream, peer, way, &place, closing).await },
            );
        (client, task)
    }

    /// A connection after its handshake.
    async fn connect(&self) -> (TlsStream<DuplexStream>, JoinHandle<Ended>) {
        let (stream, task) = self.open().await;
        let mut trusted = RootCertStore::empty();
        trusted.add(self.certificate.clone()).unwrap();
        let tls = ClientConfig::builder()
            .with_root_certificates(trusted)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(tls));
        (connector.connect(name, stream).await.unwrap(), task)
    }
}

/// Whether what began at `begun` took `seconds`, give or take a little.
#[track_caller]
fn assert_took(begun: Instant, seconds: u64) {
    let took = begun.elapsed();
    let expected = Duration::from_secs(seconds)..Duration::from_secs(seconds + 2);
    assert!(expected.contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_come_ends_the_connection() {
    let bench = Bench::new(1);
    for said in [&b""[..], b"\x16\x03\x01"] {
        let begun = Instant::now();
        let (mut client, task) = bench.open().await;
        client.write_all(said).await.unwrap();
        assert!(task.await.unwrap().is_err());
        assert_took(begun, HANDSHAKE_TIMEOUT_S);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_asks_nothing_is_sent_away() {
    let bench = Bench::new(1);
    for said in ["", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nhost: loc"] {
        let (mut client, task) = bench.connect().await;
        let begun = Instant::now();
        client.write_all(said.as_bytes()).await.unwrap();
        client.flush().await.unwrap();
        let _ = task.await.unwrap();
        assert_took(begun, IDLE_TIMEOUT_S);
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_comes_byte_by_byte_is_not_waited_for() {
    let bench = Bench::new(1);
    let (mut client, task) = bench.connect().await;
    let begun = Instant::now();
    let drip = tokio::spawn(async move {
        while client.write_all(b"G").await.is_ok() && client.flush().await.is_ok() {
            sleep(Duration::from_secs(5)).await;
        }
    });
    assert!(task.await.unwrap().is_err());
    assert_took(begun, HEAD_TIMEOUT_S);
    drip.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_take_its_answer_is_sent_away() {
    let bench = Bench::new(1);
    let (mut client, task) = bench.connect().await;
    client
        .write_all(b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut some = vec![0; 10_000];
    client.read_exact(&mut some).await.unwrap();
    let begun = Instant::now();
    let _ = task.await.unwrap();
    assert_took(begun, IDLE_TIMEOUT_S);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_used_now_and_then_stays() {
    let bench = Bench::new(1);
    let (mut client, task) = bench.connect().await;
    let begun = Instant::now();
    for _ in 0..3 {
        sleep(Duration::from_secs(IDLE_TIMEOUT_S - 5)).await;
        client
            .write_all(b"HEAD / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await
            .unwrap();
        let mut answer = [0; 12];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 404");
        let mut rest = [0; 4096];
        assert!(client.read(&mut rest).await.unwrap() > 0);
    }
    task.await.unwrap().unwrap();
    assert_took(begun, 3 * (IDLE_TIMEOUT_S - 5) + IDLE_TIMEOUT_S);
}

#[tokio::test(start_paused = true)]
async fn for_a_newcomer_a_stranger_leaves_before_somebody_who_has_logged_in() {
    let bench = Bench::new(2);
    let (mut known, known_task) = bench.connect().await;
    let request = "GET /redfish/v1/SessionService HTTP/1.1\r\nhost: localhost\r\n\
                   authorization: Basic cm9vdDpzZWNyZXQ=\r\n\r\n";
    known.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    known.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    sleep(Duration::from_secs(1)).await;
    let (_stranger, stranger_task) = bench.connect().await;
    let (_handshaking, handshaking_task) = bench.open().await;
    stranger_task.await.unwrap().unwrap();
    let (_newcomer, _task) = bench.connect().await;
    handshaking_task.await.unwrap().unwrap();
    assert!(!known_task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_server_ends_what_is_idle_at_once() {
    let bench = Bench::new(2);
    let (_idle, idle_task) = bench.connect().await;
    let (_handshaking, handshaking_task) = bench.open().await;
    let begun = Instant::now();
    drop(bench.close);
    let _ = idle_task.await.unwrap();
    handshaking_task.await.unwrap().unwrap();
    assert_took(begun, 0);
}

const LONG_LOGIN: &str = "POST /redfish/v1/SessionService/Sessions HTTP/1.1\r\nhost: localhost\r\n\
                          content-length: 9000000000\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn whoever_sends_on_after_a_refusal_still_reads_it() {
    let bench = Bench::new(1);
    for gives_up in [true, false] {
        let (client, task) = bench.connect().await;
        let (mut reader, mut writer) = tokio::io::split(client);
        let begun = Instant::now();
        writer.write_all(LONG_LOGIN.as_bytes()).await.unwrap();
        // Far more than pipe and buffers hold: unless somebody reads, this is never sent.
        writer.write_all(&[b'x'; 64 * 1024]).await.unwrap();
        writer.flush().await.unwrap();
        if gives_up {
            writer.shutdown().await.unwrap();
        }
        let mut answer = Vec::new();
        let _ = reader.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        let _ = task.await.unwrap();
        assert_took(begun, if gives_up { 0 } else { 2 });
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_sends_for_ever_into_a_refused_request() {
    let bench = Bench::new(1);
    let (mut client, task) = bench.connect().await;
    client.write_all(LONG_LOGIN.as_bytes()).await.unwrap();
    let mut sent = 0;
    while client.write_all(&[b'x'; 4096]).await.is_ok() && client.flush().await.is_ok() {
        sent += 4096;
    }
    let _ = task.await.unwrap();
    assert!(sent < 2 * MAX_FORGOTTEN_BYTES, "{sent}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_on_which_no_request_can_follow_is_said_to_close() {
    for (request, closes) in [
        (
            "PATCH /redfish/v1/SessionService HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n",
            true,
        ),
        (
            "PATCH /redfish/v1/SessionService HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n",
            false,
        ),
        (
            "DELETE /redfish/v1/SessionService HTTP/1.1\r\nhost: localhost\r\n\r\n",
            false,
        ),
    ] {
        let bench = Bench::new(1);
        let (mut client, _task) = bench.connect().await;
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = client.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).to_lowercase();
        assert!(answer.starts_with("http/1.1 401"), "{answer}");
        assert_eq!(
            answer.contains("\r\nconnection: close\r\n"),
            closes,
            "{request}"
        );
    }
}
