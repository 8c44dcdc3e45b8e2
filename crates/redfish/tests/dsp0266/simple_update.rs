//! Images that the service fetches (DSP0268 "UpdateService", `SimpleUpdate`), from real sockets and over TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use redfish::{DestinationSettings, FETCH_ANSWER_S, FETCH_IDLE_S, MAX_FETCHES_AT_ONCE, Store};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::bench::{Answer, Bench, Client, LONGEST_IMAGE};

const SERVICE: &str = "/redfish/v1/UpdateService";
const SIMPLE: &str = "/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate";
const START: &str = "/redfish/v1/UpdateService/Actions/UpdateService.StartUpdate";
const BMC: &str = "/redfish/v1/Managers/bmc";

/// What a server does with a connection once it has a request.
#[derive(Clone)]
struct Script {
    sends: Vec<u8>,
    /// It leaves the connection open afterwards until the other end closes it.
    hangs: bool,
}

fn sends(text: impl AsRef<[u8]>) -> Script {
    Script {
        sends: text.as_ref().to_vec(),
        hangs: false,
    }
}

fn hangs_after(text: &str) -> Script {
    Script {
        hangs: true,
        ..sends(text)
    }
}

fn image(content: &str) -> Script {
    let length = content.len();
    sends(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{content}"
    ))
}

#[derive(Debug, PartialEq)]
enum Seen {
    /// The head of a request.
    Request(String),
    /// The other end has closed the connection that hung.
    Closed,
}

/// A server of images, with a certificate of its own authority for `localhost` and 127.0.0.1.
struct Server {
    address: SocketAddr,
    authority: Arc<RootCertStore>,
    is_encrypted: bool,
    seen: UnboundedReceiver<Seen>,
    _task: JoinSet<()>,
}

impl Server {
    async fn start(script: Script) -> Self {
        Self::of(script, true).await
    }

    async fn of(script: Script, is_encrypted: bool) -> Self {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certified = rcgen::generate_simple_self_signed(names).unwrap();
        let certificate = certified.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
        let mut authority = RootCertStore::empty();
        authority.add(certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key.into())
            .unwrap();
        let acceptor = is_encrypted.then(|| TlsAcceptor::from(Arc::new(tls)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, seen) = unbounded_channel();
        let mut task = JoinSet::new();
        task.spawn(accept(listener, acceptor, script, sender));
        Self {
            address,
            authority: Arc::new(authority),
            is_encrypted,
            seen,
            _task: task,
        }
    }

    /// A service that may fetch from here.
    fn bench(&self) -> Bench {
        Bench::with_images(self.settings())
    }

    fn settings(&self) -> DestinationSettings {
        DestinationSettings {
            allow_destinations: vec!["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()],
            allow_clear_text: !self.is_encrypted,
            authorities: Arc::clone(&self.authority),
        }
    }

    fn uri(&self, path: &str) -> String {
        let scheme = if self.is_encrypted { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    script: Script,
    seen: UnboundedSender<Seen>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (acceptor, script, seen) = (acceptor.clone(), script.clone(), seen.clone());
        connections.spawn(async move {
            match acceptor {
                Some(acceptor) => {
                    // Who doesn't believe the certificate leaves in the handshake.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, script, seen).await;
                    }
                }
                None => serve(stream, script, seen).await,
            }
        });
    }
}

async fn serve<S>(mut stream: S, script: Script, seen: UnboundedSender<Seen>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let _ = seen.send(Seen::Request(String::from_utf8(head).unwrap()));
    // Who has read enough closes before the end.
    let _ = stream.write_all(&script.sends).await;
    let _ = stream.flush().await;
    if script.hangs {
        let mut rest = [0; 16];
        while stream.read(&mut rest).await.is_ok_and(|count| count > 0) {}
        let _ = seen.send(Seen::Closed);
    } else {
        let _ = stream.shutdown().await;
    }
}

async fn update(client: &Client<'_>, parameters: &Value) -> Answer {
    client.post(SIMPLE, &parameters.to_string()).await
}

/// The task once `is_there` says so of it.
async fn task(client: &Client<'_>, accepted: &Answer, is_there: impl Fn(&Value) -> bool) -> Value {
    assert_eq!(accepted.status, 202, "{accepted:?}");
    accepted.assert_valid();
    let uri = accepted.json()["@odata.id"].as_str().unwrap().to_owned();
    loop {
        let answer = client.get(&uri).await;
        answer.assert_valid();
        if is_there(&answer.json()) {
            return answer.json();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn ended(client: &Client<'_>, accepted: &Answer) -> Value {
    task(client, accepted, |task| task["EndTime"].is_string()).await
}

/// What a task says about its failed transfer: the remedy, and the status that its monitor answers.
async fn failed(client: &Client<'_>, accepted: &Answer) -> (String, u16) {
    let task = ended(client, accepted).await;
    assert_eq!(task["TaskState"], "Exception", "{task}");
    let messages = task["Messages"].as_array().unwrap();
    let told = messages
        .iter()
        .find(|message| message["MessageId"] == "Update.1.0.TransferFailed")
        .unwrap_or_else(|| panic!("{task}"));
    assert_eq!(told["MessageArgs"][1], SERVICE);
    let monitor = client.get(accepted.header("location").unwrap()).await;
    let resolution = told["Resolution"].as_str().unwrap().to_owned();
    (resolution, monitor.status.as_u16())
}

#[tokio::test]
async fn an_image_is_fetched_over_tls_with_credentials_that_nobody_sees() {
    let mut server = Server::start(image("firmware")).await;
    let bench = server.bench();
    let client = bench.client("root").await;
    let accepted = update(
        &client,
        &json!({
            "ImageURI": server.uri("/images/bmc.hpm?signature=sesame"),
            "Targets": [BMC],
            "Username": "fetcher",
            "Password": "open up",
            "ForceUpdate": true,
        }),
    )
    .await;
    let task = ended(&client, &accepted).await;
    assert_eq!(task["TaskState"], "Completed", "{task}");
    assert_eq!(task["PercentComplete"], 100);
    assert_eq!(bench.rack.log(), ["UPDATE bmc 8 bytes 861 true"]);
    let Some(Seen::Request(head)) = server.seen.recv().await else {
        panic!("no request");
    };
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("get /images/bmc.hpm?signature=sesame http/1.1\r\n"));
    assert!(head.contains(&format!("host: {}\r\n", server.address)));
    // "fetcher:open up"
    assert!(
        head.contains("authorization: basic zmv0y2hlcjpvcgvuihvw\r\n"),
        "{head}"
    );
    let entries = client
        .get("/redfish/v1/Managers/Testbench/LogServices/Audit/Entries")
        .await;
    assert_eq!(entries.status, 200);
    for shown in [task.to_string(), entries.json().to_string()] {
        for secret in ["sesame", "open up", "fetcher", "ZmV0Y2hlcjpvcGVuIHVw"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
    assert!(
        entries
            .json()
            .to_string()
            .contains("UpdateService.SimpleUpdate")
    );
}

#[tokio::test]
async fn what_is_announced_is_what_is_taken() {
    let plain = Server::of(image("firmware"), false).await;
    let tls = Server::start(image("firmware")).await;
    for (server, words) in [(&plain, json!(["HTTPS", "HTTP"])), (&tls, json!(["HTTPS"]))] {
        let bench = server.bench();
        let client = bench.client("root").await;
        let service = client.get(SERVICE).await;
        service.assert_valid();
        let action = &service.json()["Actions"]["#UpdateService.SimpleUpdate"];
        assert_eq!(action["target"], SIMPLE);
        assert_eq!(action["TransferProtocol@Redfish.AllowableValues"], words);
        let info = client
            .get(action["@Redfish.ActionInfo"].as_str().unwrap())
            .await;
        info.assert_valid();
        let parameters = info.json()["Parameters"].as_array().unwrap().clone();
        let names: Vec<_> = parameters.iter().map(|one| &one["Name"]).collect();
        assert_eq!(
            names,
            [
                "ImageURI",
                "TransferProtocol",
                "Targets",
                "Username",
                "Password",
                "ForceUpdate"
            ]
        );
        assert_eq!(parameters[0]["Required"], true);
        assert_eq!(parameters[1]["AllowableValues"], words);
        // Without a scheme the protocol counts; without either it is HTTP.
        let bare = format!("{}/image", server.address);
        let asked = json!({"ImageURI": format!("//{bare}"), "TransferProtocol": words[words.as_array().unwrap().len() - 1]});
        let accepted = update(&client, &asked).await;
        assert_eq!(ended(&client, &accepted).await["TaskState"], "Completed");
        let neither = update(&client, &json!({"ImageURI": format!("//{bare}")})).await;
        if server.is_encrypted {
            neither.assert_error(400, &["ActionParameterValueError"]);
        } else {
            assert_eq!(ended(&client, &neither).await["TaskState"], "Completed");
        }
    }
}

/// What is wrong beside a right `ImageURI`, or in its place, and the message about it.
fn wrong_parameters(address: SocketAddr) -> Vec<(&'static str, Value, &'static str)> {
    const VALUE: &str = "ActionParameterValueError";
    const FORM: &str = "ActionParameterValueFormatError";
    const LIST: &str = "ActionParameterValueNotInList";
    const OTHER: &str = "ActionParameterNotSupported";
    let user_info = format!("https://me:secret@{address}/");
    vec![
        ("ImageURI", json!("http://images.example/"), VALUE),
        ("ImageURI", json!("ftp://images.example/"), VALUE),
        ("ImageURI", json!("https://169.254.169.254/x"), VALUE),
        ("ImageURI", json!("https://[fe80::1]/x"), VALUE),
        ("ImageURI", json!("https://2130706433/x"), FORM),
        ("ImageURI", json!(user_info), VALUE),
        ("TransferProtocol", json!("SCP"), LIST),
        ("TransferProtocol", json!("HTTP"), LIST),
        ("TransferProtocol", json!("Pigeon"), LIST),
        ("Password", json!("x"), "ActionParameterMissing"),
        ("Username", json!("a:b"), VALUE),
        ("Username", json!("a\r\nb"), VALUE),
        ("Stage", json!(true), OTHER),
        ("LocalImage", json!(true), OTHER),
        ("ExcludeTargets", json!([]), OTHER),
        ("Targets", json!(["http://elsewhere/"]), FORM),
        ("Targets", json!([null]), "ActionParameterValueTypeError"),
        (
            "Targets",
            json!(["/redfish/v1/Systems/1"]),
            "PropertyNotWritable",
        ),
        ("Targets", json!(vec![BMC; 257]), VALUE),
        ("@Redfish.OperationApplyTime", json!("OnReset"), LIST),
    ]
}

#[tokio::test]
async fn a_request_that_does_not_fit_is_refused_and_nobody_is_asked() {
    let mut server = Server::start(image("firmware")).await;
    let bench = server.bench();
    let client = bench.client("root").await;
    let uri = server.uri("/image");
    let nothing = update(&client, &json!({})).await;
    nothing.assert_error(400, &["ActionParameterMissing"]);
    for (name, value, message) in wrong_parameters(server.address) {
        let mut asked = json!({"ImageURI": uri});
        asked[name] = value;
        let refused = update(&client, &asked).await;
        assert_eq!(refused.messages(), [message], "{asked} {refused:?}");
        assert_eq!(refused.status, 400);
        assert!(!String::from_utf8_lossy(&refused.body).contains("secret"));
    }
    let reader = bench.client("reader").await;
    let refused = update(&reader, &json!({"ImageURI": uri})).await;
    refused.assert_error(403, &["InsufficientPrivilege"]);
    assert!(server.seen.try_recv().is_err());
    assert!(bench.rack.log().is_empty());
}

#[tokio::test]
async fn a_name_of_an_address_that_is_refused_is_not_connected_to() {
    let mut server = Server::start(image("firmware")).await;
    // That events may go there says nothing about images.
    let events = server.settings();
    let bench = Bench::with_events(Store::in_memory().unwrap(), events);
    let client = bench.client("root").await;
    let uri = format!("https://localhost:{}/image", server.address.port());
    let accepted = update(&client, &json!({"ImageURI": uri})).await;
    let (remedy, status) = failed(&client, &accepted).await;
    assert!(remedy.contains("can allow that network"), "{remedy}");
    assert_eq!(status, 400);
    assert!(server.seen.try_recv().is_err());
}

/// What servers answer, and words of what the task says of it.
fn bad_answers() -> Vec<(Script, &'static str, u16)> {
    let head = |more: &str| format!("HTTP/1.1 200 OK\r\n{more}\r\n\r\n");
    let long = "x".repeat(usize::try_from(LONGEST_IMAGE).unwrap() + 1);
    let moved = "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n";
    let length = format!(
        "{}x",
        head(&format!("Content-Length: {}", LONGEST_IMAGE + 1))
    );
    let chunked = head("Transfer-Encoding: chunked");
    vec![
        (sends(moved), "Redirects are not followed", 502),
        (
            sends("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"),
            "Username and Password",
            502,
        ),
        (
            sends("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
            "404",
            502,
        ),
        (
            sends("HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\n\r\nx"),
            "206",
            502,
        ),
        (sends(length), "MaxImageSizeBytes", 400),
        (
            sends(format!("{chunked}{:x}\r\n{long}\r\n0\r\n\r\n", long.len())),
            "MaxImageSizeBytes",
            400,
        ),
        (
            sends(format!("{}half", head("Content-Length: 8"))),
            "connection broke",
            502,
        ),
        (
            sends(format!("{chunked}4\r\nhalf\r\n")),
            "connection broke",
            502,
        ),
        (
            sends(format!("{}firmware", head("Connection: close"))),
            "where the image ends",
            502,
        ),
        (
            sends(format!(
                "{}x",
                head("Content-Encoding: gzip\r\nContent-Length: 1")
            )),
            "content coding",
            502,
        ),
        (sends(head("Content-Length: 0")), "empty", 502),
        (
            sends(head("Content-Length: 1\r\nContent-Length: 2")),
            "connection broke",
            502,
        ),
        (sends("SSH-2.0-image\r\n\r\n"), "connection broke", 502),
        (sends(""), "connection broke", 502),
    ]
}

#[tokio::test]
async fn what_is_no_whole_image_is_not_installed_and_the_task_says_why() {
    for (script, words, status) in bad_answers() {
        let server = Server::of(script, false).await;
        let bench = server.bench();
        let client = bench.client("root").await;
        // Nothing of it keeps a place.
        for _ in 0..=MAX_FETCHES_AT_ONCE {
            let accepted = update(&client, &json!({"ImageURI": server.uri("/image")})).await;
            let (remedy, found) = failed(&client, &accepted).await;
            assert!(remedy.contains(words), "{words}: {remedy}");
            assert_eq!(found, status, "{remedy}");
        }
        assert!(bench.rack.log().is_empty());
    }
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_or_that_is_not_there_sends_nothing() {
    let mut server = Server::start(image("firmware")).await;
    let stranger = Server::start(image("other")).await;
    let bench = stranger.bench();
    let client = bench.client("root").await;
    let asked = json!({"ImageURI": server.uri("/image"), "Username": "me", "Password": "secret"});
    let (remedy, status) = failed(&client, &update(&client, &asked).await).await;
    assert!(remedy.contains("TLS handshake"), "{remedy}");
    assert_eq!(status, 502);
    assert!(server.seen.try_recv().is_err());
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("https://{}/image", free.local_addr().unwrap());
    drop(free);
    let accepted = update(&client, &json!({"ImageURI": uri})).await;
    let (remedy, status) = failed(&client, &accepted).await;
    assert!(remedy.contains("can't be connected to"), "{remedy}");
    assert_eq!(status, 502);
    assert!(bench.rack.log().is_empty());
}

#[tokio::test]
async fn a_server_that_is_too_slow_is_given_up() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf";
    for (script, limit_s) in [
        (hangs_after(""), FETCH_ANSWER_S),
        (hangs_after(half), FETCH_IDLE_S),
    ] {
        let mut server = Server::of(script.clone(), false).await;
        let bench = server.bench();
        let client = bench.client("root").await;
        let asked = json!({"ImageURI": server.uri("/image"), "Targets": [BMC]});
        let accepted = update(&client, &asked).await;
        assert!(matches!(server.seen.recv().await, Some(Seen::Request(_))));
        if !script.sends.is_empty() {
            // Half of the image is a quarter of the work.
            task(&client, &accepted, |task| task["PercentComplete"] == 25).await;
        }
        tokio::time::pause();
        tokio::time::sleep(Duration::from_secs(limit_s + 1)).await;
        tokio::time::resume();
        let (remedy, status) = failed(&client, &accepted).await;
        let words = format!("longer than {limit_s} seconds");
        assert!(remedy.contains(&words), "{remedy}");
        assert_eq!(status, 502);
        assert_eq!(server.seen.recv().await, Some(Seen::Closed));
    }
}

#[tokio::test]
async fn a_fetch_can_be_called_off_and_only_so_many_go_on_at_once() {
    let mut server = Server::of(hangs_after(""), false).await;
    let bench = server.bench();
    let client = bench.client("root").await;
    let asked = json!({"ImageURI": server.uri("/image"), "Targets": [BMC]});
    let mut accepted = Vec::new();
    for _ in 0..MAX_FETCHES_AT_ONCE {
        accepted.push(update(&client, &asked).await);
        assert!(matches!(server.seen.recv().await, Some(Seen::Request(_))));
    }
    let crowded = update(&client, &asked).await;
    crowded.assert_error(503, &["ServiceTemporarilyUnavailable"]);
    for accepted in &accepted {
        let monitor = accepted.header("location").unwrap();
        assert_eq!(client.call("DELETE", monitor, &[], "").await.status, 204);
        assert_eq!(server.seen.recv().await, Some(Seen::Closed));
        let task = ended(&client, accepted).await;
        assert_eq!(task["TaskState"], "Cancelled");
    }
    assert_eq!(update(&client, &asked).await.status, 202);
    assert!(bench.rack.log().is_empty());
}

#[tokio::test]
async fn an_image_can_be_fetched_now_and_installed_later() {
    let mut server = Server::start(image("firmware")).await;
    let bench = server.bench();
    let client = bench.client("operator").await;
    let later = json!({
        "ImageURI": server.uri("/image"),
        "Targets": [BMC],
        "@Redfish.OperationApplyTime": "OnStartUpdateRequest",
    });
    let accepted = update(&client, &later).await;
    let fetched = task(&client, &accepted, |task| task["PercentComplete"] == 50).await;
    assert_eq!(fetched["TaskState"], "Pending");
    assert!(matches!(server.seen.recv().await, Some(Seen::Request(_))));
    // The last byte is there a moment before the image waits.
    while client.post(START, "").await.status != 204 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let task = ended(&client, &accepted).await;
    assert_eq!(task["TaskState"], "Completed", "{task}");
    assert_eq!(bench.rack.log(), ["UPDATE bmc 8 bytes 861 false"]);
}

#[tokio::test]
async fn a_fetched_image_that_fits_no_machine_is_the_parameters_fault() {
    let server = Server::start(image("only for other")).await;
    let bench = server.bench();
    let client = bench.client("root").await;
    let asked = json!({"ImageURI": server.uri("/image"), "Targets": [BMC]});
    let accepted = update(&client, &asked).await;
    ended(&client, &accepted).await;
    let monitor = client.get(accepted.header("location").unwrap()).await;
    monitor.assert_error(400, &["ActionParameterValueError"]);
}
