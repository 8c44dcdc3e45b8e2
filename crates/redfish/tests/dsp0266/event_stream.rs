//! Server-sent events (DSP0266 "Server-sent events").

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use redfish::message::{resource_event, sensor_event};
use redfish::{
    Event, MAX_BUFFERED_EVENTS, MAX_EVENT_STREAMS_OF_ACCOUNT, Outgoing, STREAM_PATIENCE_S, Store,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::bench::{Bench, Client};

const STREAM: &str = "/redfish/v1/EventService/SSE";
const SUBSCRIPTIONS: &str = "/redfish/v1/EventService/Subscriptions";
const SENSOR: &str = "/redfish/v1/Chassis/1/Sensors/Inlet";

/// An open stream.
pub(crate) struct Stream {
    body: Outgoing,
    rest: String,
}

/// One message of it.
#[derive(Debug)]
pub(crate) struct Message {
    id: String,
    pub(crate) payload: Value,
}

impl Message {
    /// Message keys of the events in it.
    pub(crate) fn keys(&self) -> Vec<&str> {
        let events = self.payload["Events"].as_array().unwrap();
        let key = |event: &'_ Value| {
            event["MessageId"]
                .as_str()
                .unwrap()
                .rsplit('.')
                .next()
                .unwrap()
                .to_owned()
        };
        events
            .iter()
            .map(|event| key(event).leak() as &str)
            .collect()
    }
}

async fn ask(client: &Client<'_>, query: &str, headers: &[(&str, &str)]) -> Response<Outgoing> {
    let mut request = Request::get(format!("{STREAM}{query}"))
        .header("host", "localhost")
        .header(client.credentials.0, &client.credentials.1);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::<Bytes>::default()).unwrap();
    client
        .bench
        .service
        .handle(request, Some([127, 0, 0, 1].into()))
        .await
}

pub(crate) async fn open(client: &Client<'_>, query: &str, headers: &[(&str, &str)]) -> Stream {
    let response = ask(client, query, headers).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert!(response.headers().get("content-length").is_none());
    Stream {
        body: response.into_body(),
        rest: String::new(),
    }
}

impl Stream {
    /// The next message; none at the end. Comments and the like aren't messages.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some((message, rest)) = self.rest.split_once("\n\n") {
                let (message, rest) = (message.to_owned(), rest.to_owned());
                self.rest = rest;
                let line = |name: &str| {
                    let found = message.lines().find_map(|line| line.strip_prefix(name));
                    found.map(str::to_owned)
                };
                if let Some(data) = line("data: ") {
                    let payload: Value = serde_json::from_str(&data).unwrap();
                    let problems = redfish_schema::validate(&payload);
                    assert!(problems.is_empty(), "{problems:?} in {payload}");
                    return Some(Message {
                        id: line("id: ").unwrap(),
                        payload,
                    });
                }
                continue;
            }
            let frame = self.body.frame().await?;
            let data = frame.unwrap().into_data().unwrap();
            self.rest.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    async fn next_keys(&mut self) -> Vec<String> {
        let message = self.next().await.expect("the stream goes on");
        message.keys().into_iter().map(str::to_owned).collect()
    }
}

fn publish(bench: &Bench, message: redfish::Message, origin: &str, kind: &'static str) {
    bench.rack.sink.get().unwrap().0.publish(Event {
        message,
        origin: Some(origin.to_owned()),
        resource_type: Some(kind),
    });
}

fn hot(bench: &Bench) {
    let message = sensor_event::reading_above_upper_critical_threshold("Inlet", "61", "Cel", "60");
    publish(bench, message, SENSOR, "Sensor");
}

fn changed(bench: &Bench) {
    publish(
        bench,
        resource_event::resource_changed(),
        "/redfish/v1/Systems/1",
        "ComputerSystem",
    );
}

async fn subscriptions(client: &Client<'_>) -> Vec<String> {
    let members = client.get(SUBSCRIPTIONS).await.json()["Members"].clone();
    let path = |member: &Value| member["@odata.id"].as_str().unwrap().to_owned();
    members.as_array().unwrap().iter().map(path).collect()
}

#[tokio::test]
async fn a_stream_begins_with_its_own_subscription_and_tells_what_happens() {
    let bench = Bench::new();
    let client = bench.client("reader").await;
    let mut stream = open(&client, "", &[]).await;
    let first = stream.next().await.unwrap();
    assert_eq!(first.keys(), ["ResourceCreated"]);
    let paths = subscriptions(&client).await;
    assert_eq!(
        first.payload["Events"][0]["OriginOfCondition"]["@odata.id"],
        paths[0]
    );
    let shown = client.get(&paths[0]).await;
    shown.assert_valid();
    assert_eq!(shown.json()["SubscriptionType"], "SSE");
    assert!(shown.json()["Context"].is_string());

    hot(&bench);
    let next = stream.next().await.unwrap();
    assert_eq!(next.keys(), ["ReadingAboveUpperCriticalThreshold"]);
    assert_ne!(next.id, first.id);
    let event = &next.payload["Events"][0];
    assert_eq!(event["OriginOfCondition"]["@odata.id"], SENSOR);
    assert_eq!(event["MessageSeverity"], "Critical");
    assert_eq!(event["MessageArgs"], json!(["Inlet", "61", "Cel", "60"]));
}

#[tokio::test]
async fn what_clients_change_of_the_service_is_an_event() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let mut stream = open(&client, "", &[]).await;
    stream.next().await.unwrap();
    client
        .patch("/redfish/v1/SessionService", r#"{"SessionTimeout": 100}"#)
        .await;
    let next = stream.next().await.unwrap();
    assert_eq!(next.keys(), ["ResourceChanged"]);
    let origin = &next.payload["Events"][0]["OriginOfCondition"]["@odata.id"];
    assert_eq!(origin, "/redfish/v1/SessionService");
    let body = r#"{"Destination": "https://192.0.2.1/", "Protocol": "Redfish"}"#;
    let path = client.post(SUBSCRIPTIONS, body).await;
    let path = path.header("location").unwrap();
    assert_eq!(stream.next_keys().await, ["ResourceCreated"]);
    client.call("DELETE", path, &[], "").await;
    assert_eq!(stream.next_keys().await, ["ResourceRemoved"]);
}

#[tokio::test]
async fn a_filter_chooses_what_is_told() {
    let bench = Bench::new();
    let client = bench.client("reader").await;
    let query = "?$filter=ResourceType%20eq%20'Sensor'%20and%20(RegistryPrefix+eq+SensorEvent)";
    let mut stream = open(&client, query, &[]).await;
    changed(&bench);
    hot(&bench);
    assert_eq!(
        stream.next_keys().await,
        ["ReadingAboveUpperCriticalThreshold"]
    );
    let path = subscriptions(&client).await.remove(0);
    let about = client.get(&path).await.json()["Description"].clone();
    assert!(
        about.as_str().unwrap().contains("ResourceType eq 'Sensor'"),
        "{about}"
    );
    for (query, status) in [
        ("?$filter=ResourceType%20eq%20'Nothing'", 400),
        ("?$filter=x", 400),
        ("?$select=Id", 501),
    ] {
        assert_eq!(ask(&client, query, &[]).await.status(), status, "{query}");
    }
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed() {
    let bench = Bench::new();
    let client = bench.client("reader").await;
    let mut stream = open(&client, "", &[]).await;
    let first = stream.next().await.unwrap();
    drop(stream);
    changed(&bench);
    hot(&bench);
    let mut again = open(&client, "", &[("last-event-id", &first.id)]).await;
    let missed = again.next_keys().await;
    let missed: Vec<_> = missed
        .iter()
        .filter(|key| !key.starts_with("ResourceRemoved"))
        .collect();
    assert_eq!(
        missed[..2],
        ["ResourceChanged", "ReadingAboveUpperCriticalThreshold"]
    );
}

#[tokio::test]
async fn a_client_that_comes_back_after_a_crash_gets_exactly_what_it_has_not_had() {
    let store = Store::in_memory().unwrap();
    let query = "?$filter=RegistryPrefix%20eq%20SensorEvent";
    let mut last = String::new();
    for run in 0..4 {
        let bench = Bench::with(store.clone());
        let service = Arc::clone(&bench.service);
        let work = tokio::spawn(async move { service.work().await });
        let client = bench.client("reader").await;
        let headers: &[_] = match run {
            0 => &[],
            _ => &[("last-event-id", last.as_str())],
        };
        let mut stream = open(&client, query, headers).await;
        if run > 0 {
            let missed = stream.next().await.unwrap();
            assert_eq!(missed.keys(), ["ReadingAboveUpperCriticalThreshold"]);
        }
        hot(&bench);
        let had = stream.next().await.unwrap();
        assert_eq!(had.keys(), ["ReadingAboveUpperCriticalThreshold"]);
        // This one is published while the client is away.
        drop(stream);
        let mut other = open(&client, query, &[]).await;
        hot(&bench);
        other.next().await.unwrap();
        last = had.id;
        work.abort();
        let _ = work.await;
    }
}

#[tokio::test]
async fn where_events_are_lost_the_stream_says_so_and_goes_on_with_what_there_is() {
    let bench = Bench::new();
    let client = bench.client("reader").await;
    changed(&bench);
    for _ in 0..MAX_BUFFERED_EVENTS + 10 {
        hot(&bench);
    }
    let query = "?$filter=RegistryPrefix%20eq%20SensorEvent";
    let mut stream = open(&client, query, &[("last-event-id", "1")]).await;
    let loss = stream.next().await.unwrap();
    assert_eq!(loss.keys(), ["EventBufferExceeded"]);
    let next = stream.next().await.unwrap();
    let number = |message: &Message| message.id.parse::<u64>().unwrap();
    assert!(number(&next) > number(&loss));
    assert_eq!(next.keys()[0], "ReadingAboveUpperCriticalThreshold");
    // What never was an id is one of a time that nobody remembers.
    let mut stream = open(&client, query, &[("last-event-id", "abc")]).await;
    assert_eq!(stream.next_keys().await, ["EventBufferExceeded"]);
}

#[tokio::test]
async fn removing_the_subscription_ends_the_stream_and_its_end_removes_the_subscription() {
    let bench = Bench::new();
    let client = bench.client("reader").await;
    let mut stream = open(&client, "", &[]).await;
    stream.next().await.unwrap();
    let path = subscriptions(&client).await.remove(0);
    assert_eq!(client.call("DELETE", &path, &[], "").await.status, 204);
    assert_eq!(stream.next_keys().await, ["SubscriptionTerminated"]);
    assert!(stream.next().await.is_none());
    client.get(&path).await.assert_error(404, &["InvalidURI"]);

    let mut watcher = open(&client, "", &[]).await;
    let other = open(&client, "", &[]).await;
    assert_eq!(subscriptions(&client).await.len(), 2);
    drop(other);
    loop {
        if watcher
            .next_keys()
            .await
            .contains(&"ResourceRemoved".to_owned())
        {
            break;
        }
    }
    assert_eq!(subscriptions(&client).await.len(), 1);
}

#[tokio::test]
async fn a_stream_ends_within_five_seconds_of_its_session() {
    let bench = Bench::new();
    let client = bench.client("reader").await;
    let root = bench.client("root").await;
    let mut stream = open(&client, "", &[]).await;
    stream.next().await.unwrap();
    let sessions = root.get("/redfish/v1/SessionService/Sessions").await.json();
    let session = sessions["Members"][0]["@odata.id"].as_str().unwrap();
    tokio::time::pause();
    assert_eq!(root.call("DELETE", session, &[], "").await.status, 204);
    let end = async { while stream.next().await.is_some() {} };
    timeout(Duration::from_secs(5), end).await.expect("it ends");
}

#[tokio::test]
async fn an_open_stream_is_use_of_its_session_and_says_that_it_is_there() {
    let bench = Bench::new();
    let client = bench.client("reader").await;
    let mut stream = open(&client, "", &[]).await;
    stream.next().await.unwrap();
    tokio::time::pause();
    let mut comments = 0;
    while comments < 200 {
        let frame = stream.body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), ":\n\n");
        comments += 1;
    }
    // That was longer than a session without use lasts.
    assert_eq!(client.get("/redfish/v1/Systems").await.status, 200);
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut() {
    let bench = Bench::new();
    let client = bench.client("reader").await;
    let mut slow = open(&client, "", &[]).await;
    let mut quick = open(&client, "", &[]).await;
    quick.next().await.unwrap();
    tokio::time::pause();
    assert_eq!(subscriptions(&client).await.len(), 2);
    // Payloads carry a bounded number of events, and few of them wait for the reader.
    for _ in 0..1000 {
        hot(&bench);
    }
    let removed = async {
        while !quick
            .next_keys()
            .await
            .contains(&"ResourceRemoved".to_owned())
        {}
    };
    let limit = Duration::from_secs(STREAM_PATIENCE_S + 5);
    timeout(limit, removed).await.expect("the slow one is cut");
    assert_eq!(subscriptions(&client).await.len(), 1);
    let mut left = 0;
    while let Some(message) = slow.next().await {
        left += message.keys().len();
    }
    assert!(left < 1000, "{left}");
}

#[tokio::test]
async fn the_number_of_streams_of_an_account_is_bounded() {
    let bench = Bench::new();
    let client = bench.client("reader").await;
    let mut streams = Vec::new();
    for _ in 0..MAX_EVENT_STREAMS_OF_ACCOUNT {
        streams.push(open(&client, "", &[]).await);
    }
    let more = ask(&client, "", &[]).await;
    assert_eq!(more.status(), 503);
    let body = more.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("EventSubscriptionLimitExceeded"));
    let other = bench.client("root").await;
    open(&other, "", &[]).await;
}

#[tokio::test]
async fn a_stream_is_for_get_with_a_login_and_the_media_type_of_streams() {
    let bench = Bench::new();
    let client = bench.client("reader").await;
    bench
        .call("GET", STREAM, &[], "")
        .await
        .assert_error(401, &["NoValidSession"]);
    let json = client
        .call("GET", STREAM, &[("accept", "application/json")], "")
        .await;
    json.assert_error(406, &["HeaderInvalid"]);
    for method in ["POST", "PATCH", "DELETE", "PUT"] {
        let answer = client.call(method, STREAM, &[], "{}").await;
        answer.assert_error(405, &["OperationNotAllowed"]);
        assert_eq!(answer.header("allow"), Some("GET"));
    }
    let response = ask(&client, "", &[("accept", "text/event-stream")]).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["odata-version"], "4.0");
}

#[tokio::test]
async fn a_disabled_service_ends_its_streams_and_opens_none() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let mut stream = open(&client, "", &[]).await;
    stream.next().await.unwrap();
    client
        .patch("/redfish/v1/EventService", r#"{"ServiceEnabled": false}"#)
        .await;
    while stream.next().await.is_some() {}
    assert_eq!(ask(&client, "", &[]).await.status(), 503);
    client
        .patch("/redfish/v1/EventService", r#"{"ServiceEnabled": true}"#)
        .await;
    let mut stream = open(&client, "", &[]).await;
    stream.next().await.unwrap();
    bench.service.end_streams();
    while stream.next().await.is_some() {}
    assert_eq!(ask(&client, "", &[]).await.status(), 503);
}
