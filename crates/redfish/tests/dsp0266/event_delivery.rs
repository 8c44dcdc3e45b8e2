//! Delivery of events to their destinations, over real sockets and TLS (DSP0266 "Eventing").

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use redfish::message::resource_event;
use redfish::{DestinationSettings, Event, Store};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::bench::{Bench, Client};

const SERVICE: &str = "/redfish/v1/EventService";
const SUBSCRIPTIONS: &str = "/redfish/v1/EventService/Subscriptions";

/// What a receiver got.
#[derive(Debug)]
pub(crate) struct Received {
    /// The number of the connection, from 0.
    connection: usize,
    path: String,
    headers: HeaderMap,
    pub(crate) payload: Value,
}

impl Received {
    fn origins(&self) -> Vec<String> {
        let events = self.payload["Events"].as_array().unwrap();
        let origin = |event: &Value| match &event["OriginOfCondition"]["@odata.id"] {
            Value::String(path) => path.rsplit('/').next().unwrap().to_owned(),
            _ => event["MessageId"].as_str().unwrap().to_owned(),
        };
        events.iter().map(origin).collect()
    }
}

/// A receiver of events, with a certificate of its own authority for `localhost` and 127.0.0.1.
pub(crate) struct Receiver {
    address: SocketAddr,
    authority: Arc<RootCertStore>,
    /// What it answers next; then 200.
    answers: Arc<Mutex<VecDeque<StatusCode>>>,
    received: UnboundedReceiver<Received>,
    _task: JoinSet<()>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), true).await
    }

    async fn at(address: SocketAddr, encrypted: bool) -> Self {
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
        let acceptor = encrypted.then(|| TlsAcceptor::from(Arc::new(tls)));
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = unbounded_channel();
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let mut task = JoinSet::new();
        task.spawn(accept(listener, acceptor, Arc::clone(&answers), sender));
        Self {
            address,
            authority: Arc::new(authority),
            answers,
            received,
            _task: task,
        }
    }

    pub(crate) fn settings(&self) -> DestinationSettings {
        DestinationSettings {
            allow_destinations: vec!["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()],
            allow_clear_text: false,
            authorities: Arc::clone(&self.authority),
        }
    }

    pub(crate) fn uri(&self) -> String {
        format!("https://{}/events?to=me", self.address)
    }

    fn answer_next(&self, answers: &[u16]) {
        let answers = answers
            .iter()
            .map(|&status| StatusCode::from_u16(status).unwrap());
        self.answers.lock().unwrap().extend(answers);
    }

    pub(crate) async fn next(&mut self) -> Received {
        let received = self.received.recv().await.unwrap();
        let problems = redfish_schema::validate(&received.payload);
        assert!(problems.is_empty(), "{problems:?} in {}", received.payload);
        received
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    answers: Arc<Mutex<VecDeque<StatusCode>>>,
    received: UnboundedSender<Received>,
) {
    let mut connections = JoinSet::new();
    for connection in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        let (acceptor, answers, received) =
            (acceptor.clone(), Arc::clone(&answers), received.clone());
        connections.spawn(async move {
            match acceptor {
                Some(acceptor) => {
                    // Who doesn't believe the certificate leaves in the handshake.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, connection, answers, received).await;
                    }
                }
                None => serve(stream, connection, answers, received).await,
            }
        });
    }
}

async fn serve<S>(
    stream: S,
    connection: usize,
    answers: Arc<Mutex<VecDeque<StatusCode>>>,
    received: UnboundedSender<Received>,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let respond = service_fn(|request: Request<hyper::body::Incoming>| {
        let (answers, received) = (Arc::clone(&answers), received.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            assert_eq!(parts.method, "POST");
            let _ = received.send(Received {
                connection,
                path: parts.uri.to_string(),
                headers: parts.headers,
                payload: serde_json::from_slice(&body).unwrap(),
            });
            let status = answers
                .lock()
                .unwrap()
                .pop_front()
                .unwrap_or(StatusCode::OK);
            let mut response = Response::new(Full::<Bytes>::default());
            if status.is_redirection() {
                let elsewhere = "/elsewhere".parse().unwrap();
                response.headers_mut().insert("location", elsewhere);
            }
            *response.status_mut() = status;
            Ok::<_, hyper::Error>(response)
        }
    });
    let http = hyper::server::conn::http1::Builder::new();
    let _ = http.serve_connection(TokioIo::new(stream), respond).await;
}

/// Lets the service deliver.
fn deliver(bench: &Bench) -> JoinHandle<()> {
    let service = Arc::clone(&bench.service);
    tokio::spawn(async move { service.work().await })
}

/// Ends the service as its server does.
async fn end(bench: Bench, work: JoinHandle<()>) {
    work.abort();
    let _ = work.await;
    bench.service.close().await;
}

fn happen(bench: &Bench, system: &str) {
    bench.rack.sink.get().unwrap().0.publish(Event {
        message: resource_event::resource_changed(),
        origin: Some(format!("/redfish/v1/Systems/{system}")),
        resource_type: Some("ComputerSystem"),
    });
}

/// Subscribes to what happens to systems.
async fn subscribe(client: &Client<'_>, destination: &str, more: Value) -> String {
    let mut body = json!({
        "Destination": destination,
        "Protocol": "Redfish",
        "Context": "mine",
        "ResourceTypes": ["ComputerSystem"],
    });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let answer = client.post(SUBSCRIPTIONS, &body.to_string()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.header("location").unwrap().to_owned()
}

/// The subscription, once it is as `is` wants it.
async fn shown(client: &Client<'_>, path: &str, is: impl Fn(&Value) -> bool) -> Value {
    loop {
        let answer = client.get(path).await;
        answer.assert_valid();
        if is(&answer.json()) {
            return answer.json();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn events_arrive_with_their_context_and_headers_over_one_connection() {
    let mut receiver = Receiver::start().await;
    let bench = Bench::with_events(Store::in_memory().unwrap(), receiver.settings());
    let _work = deliver(&bench);
    let client = bench.client("root").await;
    let headers = json!({"HttpHeaders": [{"Authorization": "Bearer s3cret", "X-Rack": "7"}]});
    let subscription = subscribe(&client, &receiver.uri(), headers).await;
    for system in ["1", "2"] {
        happen(&bench, system);
        let got = receiver.next().await;
        assert_eq!(got.origins(), [system]);
        assert_eq!(got.payload["Context"], "mine");
        assert_eq!((got.connection, got.path.as_str()), (0, "/events?to=me"));
        assert_eq!(got.headers["authorization"], "Bearer s3cret");
        assert_eq!(got.headers["x-rack"], "7");
        assert_eq!(got.headers["host"], receiver.address.to_string());
        assert!(
            got.headers["content-type"]
                .to_str()
                .unwrap()
                .starts_with("application/json")
        );
    }
    let edits = r#"{"HttpHeaders":[{}, null, {"X-New": "9"}]}"#;
    assert_eq!(client.patch(&subscription, edits).await.status, 200);
    happen(&bench, "1");
    let got = receiver.next().await;
    assert_eq!(
        got.headers["authorization"], "Bearer s3cret",
        "left as it is"
    );
    assert!(!got.headers.contains_key("x-rack"), "removed");
    assert_eq!(got.headers["x-new"], "9");
    let action = format!("{SERVICE}/Actions/EventService.SubmitTestEvent");
    let elsewhere = r#"{"MessageId": "ResourceEvent.1.3.TestMessage", "MessageArgs": []}"#;
    assert_eq!(client.post(&action, elsewhere).await.status, 204);
    happen(&bench, "1");
    let got = receiver.next().await;
    assert_eq!(got.origins(), ["1"], "the test event is about no system");
}

#[tokio::test]
async fn many_events_come_together_and_in_order() {
    let mut receiver = Receiver::start().await;
    let bench = Bench::with_events(Store::in_memory().unwrap(), receiver.settings());
    let client = bench.client("root").await;
    subscribe(&client, &receiver.uri(), json!({})).await;
    let systems: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    for system in &systems {
        happen(&bench, system);
    }
    let _work = deliver(&bench);
    let (mut origins, mut ids, mut payloads) = (Vec::new(), Vec::new(), 0);
    while origins.len() < systems.len() {
        let got = receiver.next().await;
        origins.extend(got.origins());
        let events = got.payload["Events"].as_array().unwrap();
        let id = |event: &Value| event["EventId"].as_str().unwrap().parse::<u64>().unwrap();
        ids.extend(events.iter().map(id));
        payloads += 1;
    }
    assert_eq!(origins, systems);
    assert!(ids.is_sorted() && payloads == systems.len().div_ceil(redfish::MAX_EVENTS_TOGETHER));
}

#[tokio::test]
async fn a_receiver_whose_certificate_is_not_believed_gets_nothing_unless_that_was_asked_for() {
    let mut receiver = Receiver::start().await;
    let settings = DestinationSettings {
        authorities: Arc::new(RootCertStore::empty()),
        ..receiver.settings()
    };
    let bench = Bench::with_events(Store::in_memory().unwrap(), settings);
    let _work = deliver(&bench);
    let client = bench.client("root").await;
    let path = subscribe(&client, &receiver.uri(), json!({})).await;
    happen(&bench, "1");
    let bad = shown(&client, &path, |json| json["Status"]["Health"] == "Warning").await;
    let condition = &bad["Status"]["Conditions"][0];
    assert!(
        condition["Resolution"].as_str().unwrap().contains("TLS"),
        "{condition}"
    );
    assert!(receiver.received.try_recv().is_err());
    subscribe(
        &client,
        &receiver.uri(),
        json!({"VerifyCertificate": false}),
    )
    .await;
    happen(&bench, "2");
    assert_eq!(receiver.next().await.origins(), ["2"]);
}

#[tokio::test]
async fn the_certificate_has_to_name_the_destination() {
    let mut receiver = Receiver::at(SocketAddr::from(([0, 0, 0, 0], 0)), true).await;
    let bench = Bench::with_events(Store::in_memory().unwrap(), receiver.settings());
    let _work = deliver(&bench);
    let client = bench.client("root").await;
    let port = receiver.address.port();
    let other = subscribe(&client, &format!("https://127.0.0.2:{port}/"), json!({})).await;
    happen(&bench, "1");
    shown(&client, &other, |json| {
        json["Status"]["Health"] == "Warning"
    })
    .await;
    let by_name = format!("https://localhost:{port}/");
    subscribe(&client, &by_name, json!({})).await;
    happen(&bench, "2");
    assert_eq!(receiver.next().await.origins(), ["2"]);
}

#[tokio::test]
async fn a_receiver_that_refuses_gets_its_events_again_and_none_is_lost() {
    let mut receiver = Receiver::start().await;
    let bench = Bench::with_events(Store::in_memory().unwrap(), receiver.settings());
    let _work = deliver(&bench);
    let client = bench.client("root").await;
    client
        .patch(SERVICE, r#"{"DeliveryRetryIntervalSeconds": 1}"#)
        .await;
    receiver.answer_next(&[503, 302]);
    let path = subscribe(
        &client,
        &receiver.uri(),
        json!({"DeliveryRetryPolicy": "RetryForever"}),
    )
    .await;
    happen(&bench, "1");
    let first = receiver.next().await;
    shown(&client, &path, |json| json["Status"]["Health"] == "Warning").await;
    let second = receiver.next().await;
    assert_eq!(second.payload, first.payload);
    happen(&bench, "2");
    // A redirect isn't followed: the next attempt comes to the destination itself.
    let third = receiver.next().await;
    assert_eq!(third.path, "/events?to=me");
    assert_eq!(third.origins(), ["1", "2"]);
    shown(&client, &path, |json| json["Status"]["Health"] == "OK").await;
}

#[tokio::test]
async fn a_subscription_that_fails_too_often_is_suspended_and_goes_on_when_it_is_resumed() {
    let mut receiver = Receiver::start().await;
    let bench = Bench::with_events(Store::in_memory().unwrap(), receiver.settings());
    let _work = deliver(&bench);
    let client = bench.client("root").await;
    client
        .patch(SERVICE, r#"{"DeliveryRetryAttempts": 0}"#)
        .await;
    receiver.answer_next(&[500]);
    let path = subscribe(
        &client,
        &receiver.uri(),
        json!({"DeliveryRetryPolicy": "SuspendRetries"}),
    )
    .await;
    happen(&bench, "1");
    shown(&client, &path, |json| json["Status"]["State"] == "Disabled").await;
    receiver.next().await;
    happen(&bench, "2");
    let resume = format!("{path}/Actions/EventDestination.ResumeSubscription");
    let bad = client
        .post(&resume, r#"{"DeliverBufferedEventDuration": "5"}"#)
        .await;
    bad.assert_error(400, &["ActionParameterValueFormatError"]);
    assert_eq!(client.post(&resume, "{}").await.status, 204);
    let mut origins = receiver.next().await.origins();
    if origins.len() < 2 {
        // The other one was not on the disk yet.
        origins.extend(receiver.next().await.origins());
    }
    assert_eq!(origins, ["1", "2"]);

    let suspend = format!("{path}/Actions/EventDestination.SuspendSubscription");
    assert_eq!(client.post(&suspend, "{}").await.status, 204);
    happen(&bench, "3");
    let none = r#"{"DeliverBufferedEventDuration": "PT0S"}"#;
    assert_eq!(client.post(&resume, none).await.status, 204);
    happen(&bench, "4");
    assert_eq!(receiver.next().await.origins(), ["4"]);
}

#[tokio::test]
async fn a_subscription_that_fails_too_often_ends_where_its_policy_says_so() {
    let mut receiver = Receiver::start().await;
    let bench = Bench::with_events(Store::in_memory().unwrap(), receiver.settings());
    let _work = deliver(&bench);
    let client = bench.client("root").await;
    client
        .patch(SERVICE, r#"{"DeliveryRetryAttempts": 0}"#)
        .await;
    receiver.answer_next(&[500]);
    let path = subscribe(
        &client,
        &receiver.uri(),
        json!({"DeliveryRetryPolicy": "TerminateAfterRetries"}),
    )
    .await;
    happen(&bench, "1");
    receiver.next().await;
    while client.get(&path).await.status == 200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        client.get(SUBSCRIPTIONS).await.json()["Members@odata.count"],
        0
    );
}

#[tokio::test]
async fn what_was_not_delivered_is_delivered_after_a_restart() {
    let store = Store::in_memory().unwrap();
    let mut receiver = Receiver::start().await;
    let bench = Bench::with_events(store.clone(), receiver.settings());
    let work = deliver(&bench);
    let client = bench.client("root").await;
    receiver.answer_next(&[503]);
    subscribe(&client, &receiver.uri(), json!({})).await;
    happen(&bench, "1");
    let first = receiver.next().await;
    happen(&bench, "2");
    end(bench, work).await;

    let bench = Bench::with_events(store, receiver.settings());
    happen(&bench, "3");
    let _work = deliver(&bench);
    let got = receiver.next().await;
    assert_eq!(got.origins(), ["1", "2", "3"]);
    assert_eq!(got.payload["Events"][0], first.payload["Events"][0]);
}

#[tokio::test]
async fn a_service_that_was_killed_goes_on_where_it_was_and_no_event_gets_another_id() {
    let store = Store::in_memory().unwrap();
    let mut receiver = Receiver::start().await;
    let bench = Bench::with_events(store.clone(), receiver.settings());
    let work = deliver(&bench);
    let client = bench.client("root").await;
    receiver.answer_next(&[503]);
    subscribe(&client, &receiver.uri(), json!({})).await;
    happen(&bench, "1");
    let first = receiver.next().await;
    work.abort();
    let _ = work.await;

    let bench = Bench::with_events(store, receiver.settings());
    let _work = deliver(&bench);
    let got = receiver.next().await;
    assert_eq!(got.payload["Events"], first.payload["Events"]);
    happen(&bench, "2");
    assert_eq!(receiver.next().await.origins(), ["2"]);
}

#[tokio::test]
async fn a_name_of_an_address_that_is_refused_gets_nothing() {
    let mut receiver = Receiver::start().await;
    let settings = DestinationSettings {
        allow_destinations: Vec::new(),
        ..receiver.settings()
    };
    let bench = Bench::with_events(Store::in_memory().unwrap(), settings);
    let _work = deliver(&bench);
    let client = bench.client("root").await;
    let by_name = format!("https://localhost:{}/", receiver.address.port());
    let path = subscribe(&client, &by_name, json!({})).await;
    happen(&bench, "1");
    let bad = shown(&client, &path, |json| json["Status"]["Health"] == "Warning").await;
    let why = bad["Status"]["Conditions"][0]["Resolution"]
        .as_str()
        .unwrap();
    assert!(why.contains("sends nothing to"), "{why}");
    assert!(receiver.received.try_recv().is_err());
}

#[tokio::test]
async fn clear_text_is_delivered_where_the_configuration_allows_it() {
    let mut receiver = Receiver::at("127.0.0.1:0".parse().unwrap(), false).await;
    let settings = DestinationSettings {
        allow_clear_text: true,
        ..receiver.settings()
    };
    let bench = Bench::with_events(Store::in_memory().unwrap(), settings);
    let _work = deliver(&bench);
    let client = bench.client("root").await;
    subscribe(
        &client,
        &format!("http://{}/x", receiver.address),
        json!({}),
    )
    .await;
    happen(&bench, "1");
    assert_eq!(receiver.next().await.path, "/x");
}

#[tokio::test]
async fn a_subscription_that_was_removed_gets_nothing_more() {
    let mut receiver = Receiver::start().await;
    let bench = Bench::with_events(Store::in_memory().unwrap(), receiver.settings());
    let _work = deliver(&bench);
    let client = bench.client("root").await;
    let gone = subscribe(&client, &receiver.uri(), json!({"Context": "gone"})).await;
    subscribe(&client, &receiver.uri(), json!({"Context": "stays"})).await;
    assert_eq!(client.call("DELETE", &gone, &[], "").await.status, 204);
    happen(&bench, "1");
    happen(&bench, "2");
    let mut got = Vec::new();
    while got.len() < 2 {
        let received = receiver.next().await;
        assert_eq!(received.payload["Context"], "stays");
        got.extend(received.origins());
    }
    assert_eq!(got, ["1", "2"]);
    assert!(receiver.received.try_recv().is_err());
}
