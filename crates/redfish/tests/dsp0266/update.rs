//! Updates (DSP0266 "Multipart HTTP push updates"), on virtual time.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body::{Body, Frame};
use redfish::{
    Failure, MAX_IMAGES, MAX_STAGED_S, MAX_UPDATES_AT_ONCE, MIN_UPLOAD_BYTES_PER_S, UPLOAD_IDLE_S,
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep};

use crate::bench::{Answer, Bench, Client};

const SERVICE: &str = "/redfish/v1/UpdateService";
const PUSH: &str = "/redfish/v1/UpdateService/update-multipart";
const START: &str = "/redfish/v1/UpdateService/Actions/UpdateService.StartUpdate";
const KIND: &str = "multipart/form-data; boundary=frontier";

fn part(name: &str, content: &str) -> String {
    format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
}

pub(crate) fn form(parameters: &Value, image: &str) -> String {
    let parts = [
        part("UpdateParameters", &parameters.to_string()),
        part("UpdateFile", image),
    ];
    format!("{}--frontier--\r\n", parts.concat())
}

pub(crate) async fn push(client: &Client<'_>, body: &str) -> Answer {
    let headers = [("content-type", KIND)];
    client.call("POST", PUSH, &headers, body).await
}

/// Keeps the clock from running ahead to the next day while the state is written. It ends with the handle.
struct Slow(JoinHandle<()>);

impl Slow {
    fn start() -> Self {
        Self(tokio::spawn(async {
            loop {
                sleep(Duration::from_millis(1)).await;
            }
        }))
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The task of an update once it has ended.
pub(crate) async fn ended(client: &Client<'_>, accepted: &Answer) -> Value {
    assert_eq!(accepted.status, 202, "{accepted:?}");
    accepted.assert_valid();
    let uri = accepted.json()["@odata.id"].as_str().unwrap().to_owned();
    for _ in 0..10_000 {
        let answer = client.get(&uri).await;
        answer.assert_valid();
        if answer.json()["EndTime"].is_string() {
            return answer.json();
        }
        tokio::task::yield_now().await;
        std::thread::yield_now();
    }
    panic!("{uri} doesn't end")
}

#[tokio::test(start_paused = true)]
async fn an_image_is_installed_as_a_task_that_tells_how_far_it_is() {
    let bench = Bench::new();
    let client = bench.client("operator").await;
    let service = client.get(SERVICE).await;
    service.assert_valid();
    assert_eq!(service.json()["MultipartHttpPushUri"], PUSH);
    bench.rack.hold();
    let parameters = json!({"Targets": ["/redfish/v1/Managers/bmc"], "ForceUpdate": true});
    let accepted = push(&client, &form(&parameters, "\u{1}\u{2}\r\n--frontie\r\n")).await;
    let uri = accepted.json()["@odata.id"].as_str().unwrap().to_owned();
    tokio::task::yield_now().await;
    assert_eq!(client.get(&uri).await.json()["PercentComplete"], 25);
    let refused = client.call("DELETE", &uri, &[], "").await;
    refused.assert_error(409, &["ResourceInUse"]);
    bench.rack.release();
    let task = ended(&client, &accepted).await;
    assert_eq!(task["TaskState"], "Completed");
    assert_eq!(task["PercentComplete"], 100);
    assert_eq!(task["Payload"]["JsonBody"], parameters.to_string());
    assert_eq!(bench.rack.log(), ["UPDATE bmc 15 bytes 898 true"]);
}

#[tokio::test(start_paused = true)]
async fn several_targets_are_parts_of_one_task() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let targets = ["a", "b", "c"].map(|id| format!("/redfish/v1/Managers/{id}"));
    bench.rack.fail_next(Failure::Refused {
        reason: "wrong image".to_owned(),
    });
    let accepted = push(&client, &form(&json!({"Targets": targets}), "x")).await;
    let task = ended(&client, &accepted).await;
    assert_eq!(task["TaskState"], "Exception");
    let parts = task["SubTasks"]["@odata.id"].as_str().unwrap();
    let listed = client.get(&format!("{parts}?$expand=.")).await;
    listed.assert_valid();
    let states: Vec<_> = listed.json()["Members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["TaskState"].clone())
        .collect();
    assert_eq!(states, ["Exception", "Completed", "Completed"]);
    let monitor = client.get(accepted.header("location").unwrap()).await;
    monitor.assert_error(502, &["OperationFailed"]);
    let all = client.get("/redfish/v1/TaskService/Tasks").await.json();
    assert_eq!(all["Members@odata.count"], 1);
}

#[tokio::test(start_paused = true)]
async fn an_image_can_wait_for_start_update() {
    let bench = Bench::new();
    let _slow = Slow::start();
    let client = bench.client("root").await;
    client
        .post(START, "")
        .await
        .assert_error(400, &["NoOperation"]);
    let later = json!({"@Redfish.OperationApplyTime": "OnStartUpdateRequest"});
    let first = push(&client, &form(&later, "one")).await;
    let second = push(&client, &form(&later, "two")).await;
    assert_eq!(second.json()["TaskState"], "Pending");
    let uri = first.header("location").unwrap();
    assert_eq!(client.call("DELETE", uri, &[], "").await.status, 204);
    assert!(bench.rack.log().is_empty());
    assert_eq!(client.post(START, "").await.status, 204);
    assert_eq!(ended(&client, &second).await["TaskState"], "Completed");
    let all = ["bmc", "other"].map(|id| format!("UPDATE {id} 3 bytes 346 false"));
    assert_eq!(bench.rack.log(), all);
    for _ in 0..MAX_IMAGES {
        assert_eq!(push(&client, &form(&later, "x")).await.status, 202);
    }
    let crowded = push(&client, &form(&later, "x")).await;
    crowded.assert_error(503, &["ServiceTemporarilyUnavailable"]);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_nobody_starts_goes_after_a_day_and_its_task_says_so() {
    let bench = Bench::new();
    let slow = Slow::start();
    let client = bench.client("root").await;
    let later = json!({"@Redfish.OperationApplyTime": "OnStartUpdateRequest"});
    let mut waiting = Vec::new();
    for _ in 0..MAX_IMAGES {
        waiting.push(push(&client, &form(&later, "x")).await);
    }
    drop(slow);
    sleep(Duration::from_secs(MAX_STAGED_S + 1)).await;
    let _slow = Slow::start();
    let client = bench.client("root").await;
    for accepted in &waiting {
        let task = ended(&client, accepted).await;
        assert_eq!(task["TaskState"], "Exception");
        let told = task["Messages"].to_string();
        assert!(told.contains("within 24 hours"), "{told}");
    }
    client
        .post(START, "")
        .await
        .assert_error(400, &["NoOperation"]);
    for _ in 0..MAX_IMAGES {
        assert_eq!(push(&client, &form(&later, "x")).await.status, 202);
    }
    assert!(bench.rack.log().is_empty());
}

/// A body that comes in pieces, with a pause before each.
struct Trickle {
    pieces: VecDeque<Bytes>,
    pause: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl Trickle {
    fn new(pieces: impl Iterator<Item = Vec<u8>>, pause: Duration) -> Self {
        Self {
            pieces: pieces.map(Bytes::from).collect(),
            pause,
            sleep: Box::pin(sleep(pause)),
        }
    }
}

impl Body for Trickle {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        ready!(self.sleep.as_mut().poll(cx));
        let next = Instant::now() + self.pause;
        self.sleep.as_mut().reset(next);
        Poll::Ready(self.pieces.pop_front().map(|piece| Ok(Frame::data(piece))))
    }
}

/// Pushes an image of so many pieces of so many bytes, with a pause before each.
async fn trickle(client: &Client<'_>, pieces: usize, bytes: usize, pause_s: u64) -> StatusCode {
    let whole = form(&json!({}), "IMAGE");
    let (head, tail) = whole.split_once("IMAGE").unwrap();
    let ends = |end: &str| std::iter::once(end.as_bytes().to_vec());
    let image = std::iter::repeat_n(vec![b'x'; bytes], pieces);
    let all = ends(head).chain(image).chain(ends(tail));
    let (name, value) = &client.credentials;
    let request = Request::post(PUSH)
        .header("host", "localhost")
        .header("content-type", KIND)
        .header(*name, value)
        .body(Trickle::new(all, Duration::from_secs(pause_s)))
        .unwrap();
    let from = Some([127, 0, 0, 1].into());
    let service = &client.bench.service;
    service.handle(request, from).await.status()
}

#[tokio::test(start_paused = true)]
async fn uploads_that_drip_keep_their_places_from_nobody() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    // Never a pause that is too long, and yet too slow.
    let pause_s = UPLOAD_IDLE_S - 1;
    let drip = || trickle(&client, 1000, 1000, pause_s);
    let all = tokio::join!(drip(), drip(), drip(), drip());
    assert_eq!([all.0, all.1, all.2, all.3], [408; MAX_IMAGES]);
    let _slow = Slow::start();
    let client = bench.client("root").await;
    let later = json!({"@Redfish.OperationApplyTime": "OnStartUpdateRequest"});
    for _ in 0..MAX_IMAGES {
        assert_eq!(push(&client, &form(&later, "x")).await.status, 202);
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_fast_enough_may_take_longer_than_a_pause() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let piece = usize::try_from(2 * MIN_UPLOAD_BYTES_PER_S).unwrap();
    let start = Instant::now();
    assert_eq!(trickle(&client, 6, piece, 4).await, 202);
    assert!(start.elapsed() > Duration::from_secs(UPLOAD_IDLE_S));
}

/// Paths of this many managers.
fn managers(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| format!("/redfish/v1/Managers/{n}"))
        .collect()
}

/// Calls an update off while all parts that have begun are held, lets them go on, and gives the task's end.
async fn called_off(bench: &Bench, targets: &[String], image: &str) -> Value {
    let client = bench.client("root").await;
    bench.rack.hold();
    let accepted = push(&client, &form(&json!({"Targets": targets}), image)).await;
    let parts = format!(
        "{}/SubTasks",
        accepted.json()["@odata.id"].as_str().unwrap()
    );
    let begun = targets.len().min(MAX_UPDATES_AT_ONCE);
    while client.get(&parts).await.json()["Members@odata.count"] != begun {
        tokio::task::yield_now().await;
    }
    let monitor = accepted.header("location").unwrap();
    assert_eq!(client.call("DELETE", monitor, &[], "").await.status, 204);
    bench.rack.release();
    ended(&client, &accepted).await
}

#[tokio::test(start_paused = true)]
async fn an_update_called_off_when_nothing_is_left_to_stop_is_completed() {
    let bench = Bench::new();
    let task = called_off(&bench, &managers(3), "firmware").await;
    assert_eq!(task["TaskState"], "Completed");
    assert_eq!(task["PercentComplete"], 100);
    assert_eq!(bench.rack.log().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_update_called_off_before_its_last_part_began_is_cancelled() {
    let bench = Bench::new();
    let task = called_off(&bench, &managers(MAX_UPDATES_AT_ONCE + 4), "firmware").await;
    assert_eq!(task["TaskState"], "Cancelled");
    assert_eq!(task["PercentComplete"], 80);
    assert_eq!(bench.rack.log().len(), MAX_UPDATES_AT_ONCE);
}

#[tokio::test(start_paused = true)]
async fn parts_that_were_stopped_have_ended_too() {
    let bench = Bench::new();
    let task = called_off(&bench, &managers(MAX_UPDATES_AT_ONCE + 4), "stops").await;
    assert_eq!(task["TaskState"], "Cancelled");
    assert_eq!(task["PercentComplete"], 80);
    assert!(bench.rack.log().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_image_without_targets_goes_to_everything_that_it_is_for() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let accepted = push(&client, &form(&json!({}), "only for other")).await;
    let task = ended(&client, &accepted).await;
    assert_eq!(task["TaskState"], "Completed");
    assert_eq!(bench.rack.log().len(), 1);
    assert!(bench.rack.log()[0].starts_with("UPDATE other 14 bytes"));
    let told = task["Messages"].as_array().unwrap().iter();
    let told: Vec<_> = told.map(|message| &message["Message"]).collect();
    assert_eq!(
        told,
        ["Device '/redfish/v1/Managers/other' successfully updated with image 'UpdateFile'."]
    );
    // Named, a machine that it is not for is a failure.
    let bmc = json!({"Targets": ["/redfish/v1/Managers/bmc"]});
    let accepted = push(&client, &form(&bmc, "only for other")).await;
    let task = ended(&client, &accepted).await;
    assert_eq!(task["TaskState"], "Exception");
    let monitor = client.get(accepted.header("location").unwrap()).await;
    monitor.assert_error(400, &["PropertyValueError"]);
}

/// Bodies that say the wrong thing, and the message about each.
fn wrong_bodies(bmc: &Value) -> Vec<(String, &'static str)> {
    vec![
        (
            form(&json!({"Targets": ["/redfish/v1/Systems/1"]}), "x"),
            "PropertyNotWritable",
        ),
        (
            form(&json!({"Targets": ["http://elsewhere/"]}), "x"),
            "PropertyValueFormatError",
        ),
        (
            form(&json!({"Targets": "x"}), "x"),
            "PropertyValueTypeError",
        ),
        (form(&json!({"Colour": 1}), "x"), "PropertyUnknown"),
        (
            form(&json!({"@Redfish.OperationApplyTime": "OnReset"}), "x"),
            "PropertyValueNotInList",
        ),
        (
            format!("{}--frontier--", part("UpdateFile", "x")),
            "PropertyMissing",
        ),
        (
            format!("{}--frontier--", part("UpdateParameters", "{}")),
            "PropertyMissing",
        ),
        (
            format!("{}--frontier--", part("UpdateParameters", "{")),
            "MalformedJSON",
        ),
        (
            format!("{}--frontier--", part("OemContoso", "x")),
            "PropertyUnknown",
        ),
        (
            format!("{}{}", part("UpdateParameters", "{}"), form(bmc, "x")),
            "PropertyDuplicate",
        ),
        (part("UpdateParameters", "{}"), "UnrecognizedRequestBody"),
        (String::from("hello"), "UnrecognizedRequestBody"),
        (
            format!("--frontier\r\n{}", "A: x\r\n".repeat(5000)),
            "UnrecognizedRequestBody",
        ),
        (
            format!("--frontier\r\n{}", "A".repeat(5000)),
            "UnrecognizedRequestBody",
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_refused_and_nothing_is_installed() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let bmc = json!({"Targets": ["/redfish/v1/Managers/bmc"]});
    for (body, message) in wrong_bodies(&bmc) {
        push(&client, &body).await.assert_error(400, &[message]);
    }
    let other = client.post(PUSH, "{}").await;
    other.assert_error(415, &["HeaderInvalid"]);
    let none = [("content-type", "multipart/form-data")];
    let none = client.call("POST", PUSH, &none, "x").await;
    none.assert_error(400, &["UnrecognizedRequestBody"]);
    client
        .get(PUSH)
        .await
        .assert_error(405, &["OperationNotAllowed"]);
    let reader = bench.client("reader").await;
    let refused = push(&reader, &form(&bmc, "x")).await;
    refused.assert_error(403, &["InsufficientPrivilege"]);
    assert!(bench.rack.log().is_empty());
    // Nothing of it has kept a place.
    for _ in 0..=MAX_IMAGES {
        let accepted = push(&client, &form(&bmc, "x")).await;
        ended(&client, &accepted).await;
    }
}
