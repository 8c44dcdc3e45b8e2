//! The ways in beside HTTPS, on real sockets: proxies in clear text, and redirects.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::net::SocketAddr;
use std::sync::Arc;

use redfish::{
    Account, ActionCall, Backend, BackendFuture, DEFAULT_TIMEOUT_S, Document, Failure, ForwardedBy,
    Front, Outcome, Path, Role, RootLink, Service, Settings, StaticFiles, TrustedProxies,
};
use redfish_schema::CheckedPatch;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

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

fn service() -> Arc<Service> {
    let settings = Settings {
        uuid: "92384634-2938-2342-8820-489239905423".to_owned(),
        product: "Test".to_owned(),
        vendor: "Nobody".to_owned(),
        accounts: vec![Account::new("root", "secret", Role::Administrator).unwrap()],
        privileges: redfish::PrivilegeMap::default(),
        session_timeout_s: DEFAULT_TIMEOUT_S,
        static_files: StaticFiles::default(),
        store: redfish::Store::in_memory().unwrap(),
        events: redfish::DestinationSettings::default(),
        images: redfish::DestinationSettings::default(),
        version: "1.2.3".to_owned(),
        host: Arc::new(redfish::UnknownHost),
        aggregator: None,
        tls: None,
    };
    Arc::new(Service::new(settings, Arc::new(Nothing)).unwrap())
}

/// A running service, ended with its guard.
struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(open: impl FnOnce(TcpListener) -> Front) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self::run(open(listener), address)
    }

    fn run(front: Front, address: SocketAddr) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move {
            let _ = stopped.await;
        };
        let task = tokio::spawn(front.serve(service(), shutdown));
        Self {
            address,
            stop: Some(stop),
            task,
        }
    }

    async fn ask(&self, request: &str) -> String {
        exchange(TcpStream::connect(self.address).await.unwrap(), request).await
    }

    async fn end(mut self) {
        drop(self.stop.take());
        self.task.await.unwrap();
    }
}

/// Sends a request that asks for the end of the connection, and reads all that comes.
async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> String {
    // Whoever is not let in may be gone already.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn request(line: &str, headers: &[&str], body: &str) -> String {
    let mut text = format!("{line} HTTP/1.1\r\nHost: rack1:8080\r\nConnection: close\r\n");
    for header in headers {
        text += header;
        text += "\r\n";
    }
    if !body.is_empty() {
        text += &format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
    }
    format!("{text}\r\n{body}")
}

const LOGIN: &str = r#"{"UserName":"root","Password":"secret"}"#;
const SESSIONS: &str = "POST /redfish/v1/SessionService/Sessions";

fn trusting(network: &str) -> TrustedProxies {
    TrustedProxies::new(vec![network.parse().unwrap()], ForwardedBy::XForwarded).unwrap()
}

#[tokio::test]
async fn a_trusted_proxy_logs_in_for_the_client_that_it_names() {
    let server = Running::start(|listener| {
        Front::new()
            .trusting(trusting("127.0.0.0/8"))
            .proxy(listener)
    })
    .await;
    let forwarded = [
        "X-Forwarded-For: 127.0.0.1, 192.0.2.44",
        "X-Forwarded-Proto: https",
    ];
    let answer = server.ask(&request(SESSIONS, &forwarded, LOGIN)).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(
        answer.contains(r#""ClientOriginIPAddress":"192.0.2.44""#),
        "{answer}"
    );
    assert!(
        answer.contains("strict-transport-security: max-age=31536000"),
        "{answer}"
    );
    server.end().await;
}

#[tokio::test]
async fn what_reached_the_proxy_in_clear_text_is_sent_to_https_without_a_look_at_its_password() {
    let server =
        Running::start(|listener| Front::new().trusting(trusting("127.0.0.1")).proxy(listener))
            .await;
    for said in [
        &[][..],
        &["X-Forwarded-Proto: http"],
        &["X-Forwarded-Proto: https, http"],
    ] {
        let answer = server.ask(&request("GET /redfish/v1/", said, "")).await;
        assert!(answer.starts_with("HTTP/1.1 308"), "{said:?}: {answer}");
        assert!(
            answer.contains("location: https://rack1/redfish/v1/\r\n"),
            "{answer}"
        );
        assert!(!answer.contains("strict-transport"), "{answer}");
        let answer = server.ask(&request(SESSIONS, said, LOGIN)).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{said:?}: {answer}");
    }
    server.end().await;
}

#[tokio::test]
async fn who_is_no_trusted_proxy_gets_no_word_on_the_proxys_port() {
    let server = Running::start(|listener| {
        Front::new()
            .trusting(trusting("192.0.2.0/24"))
            .proxy(listener)
    })
    .await;
    let answer = server
        .ask(&request(
            "GET /redfish/v1/",
            &["X-Forwarded-Proto: https"],
            "",
        ))
        .await;
    assert_eq!(answer, "");
    server.end().await;
}

#[tokio::test]
async fn a_proxy_may_use_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("front.sock");
    let front = Front::new().proxy_socket(UnixListener::bind(&path).unwrap());
    let server = Running::run(front, ([127, 0, 0, 1], 0).into());
    let forwarded = ["X-Forwarded-For: 192.0.2.44", "X-Forwarded-Proto: https"];
    let stream = UnixStream::connect(&path).await.unwrap();
    let answer = exchange(stream, &request(SESSIONS, &forwarded, LOGIN)).await;
    assert!(
        answer.contains(r#""ClientOriginIPAddress":"192.0.2.44""#),
        "{answer}"
    );
    server.end().await;
}

#[tokio::test]
async fn plain_http_redirects_and_takes_no_login() {
    let server = Running::start(|listener| Front::new().redirect(listener)).await;
    let answer = server.ask(&request("GET /redfish/v1/?a", &[], "")).await;
    assert!(answer.starts_with("HTTP/1.1 308"), "{answer}");
    assert!(
        answer.contains("location: https://rack1/redfish/v1/?a\r\n"),
        "{answer}"
    );
    let basic = ["Authorization: Basic cm9vdDpzZWNyZXQ="];
    for (line, headers, body) in [
        ("GET /redfish/v1/SessionService", &basic[..], ""),
        (SESSIONS, &[], LOGIN),
        (SESSIONS, &["X-Forwarded-Proto: https"], LOGIN),
    ] {
        let answer = server.ask(&request(line, headers, body)).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{line}: {answer}");
        assert!(answer.contains("Use https"), "{answer}");
        assert!(!answer.contains("x-auth-token"), "{answer}");
    }
    server.end().await;
}

#[tokio::test]
async fn two_lengths_of_one_body_are_refused_and_end_the_connection() {
    let server =
        Running::start(|listener| Front::new().trusting(trusting("127.0.0.1")).proxy(listener))
            .await;
    let smuggled =
        "GET /redfish/v1/odata HTTP/1.1\r\nHost: rack1\r\nX-Forwarded-Proto: https\r\n\r\n";
    for lengths in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
    ] {
        let text = format!(
            "POST /redfish/v1/Systems HTTP/1.1\r\nHost: rack1\r\nX-Forwarded-Proto: https\r\n{lengths}\r\n\r\n0\r\n\r\n{smuggled}"
        );
        let answer = server.ask(&text).await;
        assert_eq!(
            answer.matches("HTTP/1.1 ").count(),
            1,
            "{lengths}: {answer}"
        );
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
    server.end().await;
}
