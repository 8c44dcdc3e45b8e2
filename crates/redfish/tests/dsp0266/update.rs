//! Updates (DSP0266 "Multipart HTTP push updates"), on virtual time.

use redfish::{Failure, MAX_IMAGES};
use serde_json::{Value, json};

use crate::bench::{Answer, Bench, Client};

const SERVICE: &str = "/redfish/v1/UpdateService";
const PUSH: &str = "/redfish/v1/UpdateService/update-multipart";
const START: &str = "/redfish/v1/UpdateService/Actions/UpdateService.StartUpdate";
const KIND: &str = "multipart/form-data; boundary=frontier";

fn part(name: &str, content: &str) -> String {
    format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
}

fn form(parameters: &Value, image: &str) -> String {
    let parts = [
        part("UpdateParameters", &parameters.to_string()),
        part("UpdateFile", image),
    ];
    format!("{}--frontier--\r\n", parts.concat())
}

async fn push(client: &Client<'_>, body: &str) -> Answer {
    let headers = [("content-type", KIND)];
    client.call("POST", PUSH, &headers, body).await
}

/// The task of an update once it has ended.
async fn ended(client: &Client<'_>, accepted: &Answer) -> Value {
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
