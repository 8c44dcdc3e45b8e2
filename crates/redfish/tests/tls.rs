//! The service on a real socket: TLS, both HTTP versions, limits, and an orderly end.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode, Version};
use http_body_util::{BodyExt, Empty, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use redfish::{
    Account, ActionCall, Backend, BackendFuture, DEFAULT_TIMEOUT_S, Document, Failure, Outcome,
    Path, Role, RootLink, Service, Settings, StaticFiles, serve,
};
use redfish_schema::CheckedPatch;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A backend whose only resource answers when it is told to.
#[derive(Default)]
struct Gate {
    asked: Notify,
    open: Notify,
}

impl Backend for Gate {
    fn roots(&self) -> &[RootLink] {
        &[]
    }

    fn get<'a>(&'a self, _: &'a Path) -> BackendFuture<'a, Document> {
        Box::pin(async move {
            self.asked.notify_one();
            self.open.notified().await;
            Err(Failure::NotFound)
        })
    }

    fn patch<'a>(&'a self, _: &'a Path, _: &'a CheckedPatch) -> BackendFuture<'a, Outcome> {
        Box::pin(async { Err(Failure::NotChangeable) })
    }

    fn action<'a>(&'a self, _: &'a Path, _: &'a ActionCall) -> BackendFuture<'a, Outcome> {
        Box::pin(async { Err(Failure::NotFound) })
    }
}

/// A running server and what a client needs to trust it.
struct Server {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    gate: Arc<Gate>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start() -> Self {
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = pair.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(pair.signing_key.serialize_der()).into();
        let mut tls = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
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
        let gate = Arc::new(Gate::default());
        let backend = Arc::clone(&gate) as Arc<dyn Backend>;
        let service = Arc::new(Service::new(settings, backend).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move {
            let _ = stopped.await;
        };
        let task = tokio::spawn(serve(listener, Arc::new(tls), service, shutdown));
        Self {
            address,
            certificate,
            gate,
            stop,
            task,
        }
    }

    async fn connect(&self, protocol: &[u8]) -> io::Result<TlsStream<TcpStream>> {
        let mut trusted = RootCertStore::empty();
        trusted.add(self.certificate.clone()).unwrap();
        let mut tls = ClientConfig::builder()
            .with_root_certificates(trusted)
            .with_no_client_auth();
        tls.alpn_protocols = vec![protocol.to_vec()];
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(tls))
            .connect(name, stream)
            .await
    }
}

/// `root:secret`.
const BASIC: &str = "Basic cm9vdDpzZWNyZXQ=";

#[tokio::test]
async fn one_http_1_connection_carries_many_requests() {
    let server = Server::start().await;
    let stream = server.connect(b"http/1.1").await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);

    let body = r#"{"UserName":"root","Password":"secret"}"#;
    let login = Request::post("/redfish/v1/SessionService/Sessions")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let response = sender.send_request(login).await.unwrap();
    assert_eq!(
        (response.status(), response.version()),
        (StatusCode::CREATED, Version::HTTP_11)
    );
    let token = response.headers()["x-auth-token"].clone();
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let _ = response.into_body().collect().await.unwrap();

    for (method, status) in [("GET", 200), ("HEAD", 200), ("DELETE", 204), ("GET", 401)] {
        let request = Request::builder()
            .method(method)
            .uri(&location)
            .header("host", "localhost")
            .header("x-auth-token", &token)
            .body(Full::default())
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), status, "{method}");
        let declared = response.headers().get("content-length").cloned();
        let received = response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .len();
        match method {
            "HEAD" => assert_eq!(received, 0),
            "GET" => assert_eq!(declared.unwrap(), received.to_string().as_str()),
            _ => {}
        }
    }
}

#[tokio::test]
async fn http_2_is_spoken_to_those_who_ask_for_it() {
    let server = Server::start().await;
    let stream = server.connect(b"h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let uri = format!("https://localhost:{}/redfish/v1/", server.address.port());
    let request = Request::get(uri).body(Empty::<Bytes>::new()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(
        (response.status(), response.version()),
        (StatusCode::OK, Version::HTTP_2)
    );
}

#[tokio::test]
async fn clear_text_gets_no_answer_of_ours() {
    let server = Server::start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream
        .write_all(b"GET /redfish/v1/ HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
}

#[tokio::test]
async fn a_head_beyond_the_limit_is_refused() {
    let server = Server::start().await;
    let mut stream = server.connect(b"http/1.1").await.unwrap();
    let head = format!(
        "GET /redfish/v1/ HTTP/1.1\r\nhost: localhost\r\nx-long: {}\r\n\r\n",
        "x".repeat(2 * redfish::MAX_HEAD_BYTES)
    );
    // The server may close before it has read all of it.
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_shutdown_lets_the_running_request_end_and_takes_no_new_connection() {
    let server = Server::start().await;
    let stream = server.connect(b"http/1.1").await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::get("/redfish/v1/Slow")
        .header("host", "localhost")
        .header("authorization", BASIC)
        .body(Empty::<Bytes>::new())
        .unwrap();
    let running = tokio::spawn(async move { sender.send_request(request).await });
    server.gate.asked.notified().await;

    let Server {
        address,
        gate,
        stop,
        task,
        ..
    } = server;
    stop.send(()).unwrap();
    // The listener closes with the shutdown; until then a connection may still be queued by the kernel.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    gate.open.notify_one();
    let response = running.await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    drop(response);
    let _ = connection.await.unwrap();
    task.await.unwrap();
}

/// A request for the stream of events.
fn events(uri: &str) -> Request<Empty<Bytes>> {
    Request::get(uri)
        .header("host", "localhost")
        .header("authorization", BASIC)
        .body(Empty::new())
        .unwrap()
}

/// Reads until the stream has told of something.
async fn first_event(body: &mut hyper::body::Incoming) -> String {
    let mut text = String::new();
    while !text.contains("data: ") || !text.ends_with("\n\n") {
        let frame = body.frame().await.unwrap().unwrap();
        let data = frame.into_data().unwrap();
        text.push_str(std::str::from_utf8(&data).unwrap());
    }
    text
}

#[tokio::test]
async fn events_stream_over_http_1_until_the_server_ends() {
    let server = Server::start().await;
    let stream = server.connect(b"http/1.1").await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = events("/redfish/v1/EventService/SSE");
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    assert!(first_event(&mut body).await.contains("ResourceCreated"));
    server.stop.send(()).unwrap();
    let mut rest = String::new();
    while let Some(Ok(frame)) = body.frame().await {
        rest.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
    }
    assert!(rest.contains("SubscriptionTerminated"), "{rest}");
    server.task.await.unwrap();
}

#[tokio::test]
async fn events_stream_over_http_2_beside_other_requests() {
    let server = Server::start().await;
    let stream = server.connect(b"h2").await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let at = |path: &str| format!("https://localhost:{}{path}", server.address.port());
    let request = events(&at("/redfish/v1/EventService/SSE"));
    let mut body = sender.send_request(request).await.unwrap().into_body();
    first_event(&mut body).await;
    let other = sender
        .send_request(events(&at("/redfish/v1/EventService")))
        .await
        .unwrap();
    assert_eq!(other.status(), StatusCode::OK);
    let more = sender
        .send_request(events(&at("/redfish/v1/EventService/SSE")))
        .await
        .unwrap();
    assert_eq!(more.status(), StatusCode::OK);
    assert!(first_event(&mut body).await.contains("ResourceCreated"));
}
