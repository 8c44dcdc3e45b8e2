//! Tasks (DSP0266 "Asynchronous operations", "Operation apply time"), on virtual time.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use redfish::{ANSWER_WITHIN_S, Failure, MAX_ENDED_TASKS, Store};
use redfish_schema::DateTime;
use serde_json::{Value, json};

use crate::bench::{Answer, Bench, Client};

const SERVICE: &str = "/redfish/v1/TaskService";
const TASKS: &str = "/redfish/v1/TaskService/Tasks";
const SYSTEM: &str = "/redfish/v1/Systems/1";
const RESET: &str = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset";
const OFF: &str = r#"{"ResetType":"ForceOff"}"#;
const OFF_IN_WINDOW: &str =
    r#"{"ResetType":"ForceOff","@Redfish.OperationApplyTime":"AtMaintenanceWindowStart"}"#;

/// Asks for a reset of a machine that takes its time.
async fn long_reset(bench: &Bench, client: &Client<'_>) -> Answer {
    bench.rack.hold();
    let answer = client.post(RESET, OFF).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    answer
}

/// Lets everything run that can run now: what sleeps from now on has begun to.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
        std::thread::yield_now();
    }
}

/// The task at `uri` once it is in another state than `state`.
async fn after(client: &Client<'_>, uri: &str, state: &str) -> Value {
    for _ in 0..1000 {
        let answer = client.get(uri).await;
        answer.assert_valid();
        let task = answer.json();
        if task["TaskState"] != state {
            return task;
        }
        settle().await;
    }
    panic!("{uri} stays {state}")
}

fn window(start_in_s: u64, duration_s: u64) -> String {
    let start = SystemTime::now() + Duration::from_secs(start_in_s);
    json!({"@Redfish.MaintenanceWindow": {
        "MaintenanceWindowStartTime": DateTime::from(start).to_string(),
        "MaintenanceWindowDurationInSeconds": duration_s,
    }})
    .to_string()
}

#[tokio::test(start_paused = true)]
async fn an_action_that_takes_long_is_answered_with_a_task_and_ends_as_it_would_have() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let begin = tokio::time::Instant::now();
    let accepted = long_reset(&bench, &client).await;
    assert_eq!(begin.elapsed(), Duration::from_secs(ANSWER_WITHIN_S));
    accepted.assert_valid();
    let task = accepted.json();
    assert_eq!(task["TaskState"], "Running");
    assert_eq!(task["Payload"]["TargetUri"], RESET);
    assert_eq!(task["Payload"]["HttpOperation"], "POST");
    assert_eq!(task["Payload"]["JsonBody"], OFF);
    assert!(accepted.header("retry-after").is_some());
    let monitor = accepted.header("location").unwrap().to_owned();
    assert_eq!(task["TaskMonitor"], *monitor);
    let uri = task["@odata.id"].as_str().unwrap().to_owned();

    let again = client.get(&monitor).await;
    assert_eq!(again.status, 202);
    assert_eq!(again.header("location"), Some(&*monitor));
    assert!(bench.rack.log().is_empty());

    bench.rack.release();
    let task = after(&client, &uri, "Running").await;
    assert_eq!(task["TaskState"], "Completed");
    assert_eq!(task["TaskStatus"], "OK");
    assert_eq!(task["PercentComplete"], 100);
    assert!(task["EndTime"].is_string());
    let done = client.get(&monitor).await;
    assert_eq!(done.status, 204);
    assert!(done.body.is_empty());
    assert_eq!(bench.rack.log().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_patch_that_takes_long_ends_with_the_resource() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    bench.rack.hold();
    let on = r#"{"LocationIndicatorActive":true}"#;
    let accepted = client.patch(SYSTEM, on).await;
    assert_eq!(accepted.status, 202);
    let other = client.patch(SYSTEM, on).await;
    other.assert_error(503, &["ResourceInUse"]);
    bench.rack.release();
    let task = accepted.json()["@odata.id"].as_str().unwrap().to_owned();
    after(&client, &task, "Running").await;
    let done = client.get(accepted.header("location").unwrap()).await;
    assert_eq!(done.status, 200);
    done.assert_valid();
    assert_eq!(done.json()["LocationIndicatorActive"], true);
    assert_eq!(client.patch(SYSTEM, on).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_failure_after_the_answer_is_what_the_monitor_answers() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let reason = "node1: no answer".to_owned();
    bench.rack.fail_next(Failure::Unreachable { reason });
    let accepted = long_reset(&bench, &client).await;
    bench.rack.release();
    let uri = accepted.json()["@odata.id"].as_str().unwrap().to_owned();
    let task = after(&client, &uri, "Running").await;
    assert_eq!(task["TaskState"], "Exception");
    assert_eq!(task["TaskStatus"], "Critical");
    assert_eq!(task["Messages"][0]["MessageArgs"], json!([]));
    let done = client.get(accepted.header("location").unwrap()).await;
    done.assert_error(502, &["OperationFailed"]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_cuts_no_change_in_half() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    bench.rack.hold();
    {
        let mut call = Box::pin(client.post(RESET, OFF));
        for _ in 0..10 {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(call.as_mut().poll(&mut context).is_pending());
            tokio::task::yield_now().await;
        }
    }
    bench.rack.release();
    settle().await;
    assert_eq!(bench.rack.log().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn work_with_the_machine_can_not_be_called_off() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let accepted = long_reset(&bench, &client).await;
    let uri = accepted.json()["@odata.id"].as_str().unwrap().to_owned();
    for uri in [accepted.header("location").unwrap(), &uri] {
        let refused = client.call("DELETE", uri, &[], "").await;
        refused.assert_error(409, &["ResourceInUse"]);
    }
    bench.rack.release();
    after(&client, &uri, "Running").await;
    assert_eq!(client.call("DELETE", &uri, &[], "").await.status, 204);
    client.get(&uri).await.assert_error(404, &["InvalidURI"]);
}

#[tokio::test(start_paused = true)]
async fn a_task_is_for_its_owner_and_for_administrators() {
    let bench = Bench::new();
    let (owner, root, reader) = (
        bench.client("operator").await,
        bench.client("root").await,
        bench.client("reader").await,
    );
    let accepted = long_reset(&bench, &owner).await;
    let uri = accepted.json()["@odata.id"].as_str().unwrap().to_owned();
    for uri in [&*uri, accepted.header("location").unwrap()] {
        assert!(owner.get(uri).await.status.is_success());
        assert!(root.get(uri).await.status.is_success());
        let refused = reader.get(uri).await;
        refused.assert_error(403, &["InsufficientPrivilege"]);
        let refused = reader.call("DELETE", uri, &[], "").await;
        refused.assert_error(403, &["InsufficientPrivilege"]);
    }
    let listed = reader.get(&format!("{TASKS}?$expand=.")).await.json();
    assert_eq!(listed["Members"], json!([{"@odata.id": uri}]));
}

#[tokio::test(start_paused = true)]
async fn what_ran_when_the_service_died_is_an_exception_afterwards() {
    let store = Store::in_memory().unwrap();
    let bench = Bench::with(store.clone());
    let client = bench.client("root").await;
    let accepted = long_reset(&bench, &client).await;
    let uri = accepted.json()["@odata.id"].as_str().unwrap().to_owned();
    let monitor = accepted.header("location").unwrap().to_owned();

    let bench = Bench::with(store);
    let client = bench.client("root").await;
    let answer = client.get(&uri).await;
    answer.assert_valid();
    assert_eq!(answer.json()["TaskState"], "Exception");
    assert_eq!(answer.json()["Messages"].as_array().unwrap().len(), 2);
    client
        .get(&monitor)
        .await
        .assert_error(504, &["OperationTimeout"]);
    let next = long_reset(&bench, &client).await;
    assert_ne!(next.json()["@odata.id"], *uri, "numbers are used once");
}

#[tokio::test(start_paused = true)]
async fn an_action_waits_for_the_maintenance_window() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let system = client.get(SYSTEM).await;
    system.assert_valid();
    let support =
        &system.json()["Actions"]["#ComputerSystem.Reset"]["@Redfish.OperationApplyTimeSupport"];
    assert_eq!(support["MaintenanceWindowResource"]["@odata.id"], SERVICE);

    let refused = client.post(RESET, OFF_IN_WINDOW).await;
    refused.assert_error(409, &["ActionParameterValueConflict"]);
    assert_eq!(client.patch(SERVICE, &window(1000, 60)).await.status, 200);
    let accepted = client.post(RESET, OFF_IN_WINDOW).await;
    assert_eq!(accepted.status, 202);
    accepted.assert_valid();
    assert_eq!(accepted.json()["TaskState"], "Pending");
    let uri = accepted.json()["@odata.id"].as_str().unwrap().to_owned();
    settle().await;
    tokio::time::advance(Duration::from_secs(980)).await;
    settle().await;
    assert!(bench.rack.log().is_empty());
    tokio::time::advance(Duration::from_secs(20)).await;
    after(&client, &uri, "Pending").await;
    let task = after(&client, &uri, "Running").await;
    assert_eq!(task["TaskState"], "Completed");
    assert_eq!(
        bench.rack.log(),
        ["POST /redfish/v1/Systems/1 ComputerSystem.Reset ForceOff"]
    );
}

#[tokio::test(start_paused = true)]
async fn waiting_work_can_be_called_off_and_survives_a_restart() {
    let store = Store::in_memory().unwrap();
    let bench = Bench::with(store.clone());
    let client = bench.client("root").await;
    client.patch(SERVICE, &window(1000, 60)).await;
    let off = client.post(RESET, OFF_IN_WINDOW).await;
    let monitor = off.header("location").unwrap().to_owned();
    assert_eq!(client.call("DELETE", &monitor, &[], "").await.status, 204);
    client
        .get(&monitor)
        .await
        .assert_error(404, &["InvalidURI"]);
    let task = client.get(off.json()["@odata.id"].as_str().unwrap()).await;
    assert_eq!(task.json()["TaskState"], "Cancelled");

    let kept = client.post(RESET, OFF_IN_WINDOW).await;
    let kept = kept.json()["@odata.id"].as_str().unwrap().to_owned();
    let first = bench;
    let bench = Bench::with(store);
    let client = bench.client("root").await;
    assert_eq!(client.get(&kept).await.json()["TaskState"], "Pending");
    settle().await;
    tokio::time::advance(Duration::from_secs(1000)).await;
    after(&client, &kept, "Pending").await;
    assert_eq!(
        after(&client, &kept, "Running").await["TaskState"],
        "Completed"
    );
    assert_eq!(bench.rack.log().len(), 1);
    drop(first);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_closed_lets_go_of_its_machines_though_work_waits_for_its_window() {
    let store = Store::in_memory().unwrap();
    let bench = Bench::with(store.clone());
    let machines = Arc::downgrade(&bench.rack);
    let client = bench.client("root").await;
    client.patch(SERVICE, &window(1000, 60)).await;
    let kept = client.post(RESET, OFF_IN_WINDOW).await;
    let kept = kept.json()["@odata.id"].as_str().unwrap().to_owned();
    bench.service.close().await;
    settle().await;
    drop(bench);
    assert!(machines.upgrade().is_none(), "somebody still has them");
    let bench = Bench::with(store);
    let client = bench.client("root").await;
    assert_eq!(client.get(&kept).await.json()["TaskState"], "Pending");
}

#[tokio::test(start_paused = true)]
async fn an_apply_time_that_is_not_announced_is_refused_and_nothing_happens() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for (word, message) in [
        ("\"OnReset\"", "ActionParameterValueNotInList"),
        ("\"Whenever\"", "ActionParameterValueNotInList"),
        ("3", "ActionParameterValueNotInList"),
    ] {
        let body = format!(r#"{{"ResetType":"On","@Redfish.OperationApplyTime":{word}}}"#);
        client
            .post(RESET, &body)
            .await
            .assert_error(400, &[message]);
    }
    let other = r#"{"ResetType":"On","@Redfish.Whatever":1}"#;
    let refused = client.post(RESET, other).await;
    refused.assert_error(400, &["ActionParameterUnknown"]);
    let window = window(60, 60);
    let refused = client.patch(SYSTEM, &window).await;
    refused.assert_error(400, &["PropertyUnknown"]);
    assert!(bench.rack.log().is_empty());
    let at_once = r#"{"ResetType":"On","@Redfish.OperationApplyTime":"Immediate"}"#;
    assert_eq!(client.post(RESET, at_once).await.status, 204);
}

#[tokio::test(start_paused = true)]
async fn history_is_bounded_in_age_and_number() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let service = client.get(SERVICE).await;
    service.assert_valid();
    let patch = r#"{"TaskAutoDeleteTimeoutMinutes":10}"#;
    assert_eq!(client.patch(SERVICE, patch).await.status, 200);
    for bad in ["0", "1000000000"] {
        let patch = format!(r#"{{"TaskAutoDeleteTimeoutMinutes":{bad}}}"#);
        let refused = client.patch(SERVICE, &patch).await;
        refused.assert_error(400, &["PropertyValueOutOfRange"]);
    }
    client.patch(SERVICE, &window(1000, 60)).await;
    for _ in 0..MAX_ENDED_TASKS + 3 {
        let accepted = client.post(RESET, OFF_IN_WINDOW).await;
        let monitor = accepted.header("location").unwrap();
        assert_eq!(client.call("DELETE", monitor, &[], "").await.status, 204);
    }
    let count = async || client.get(TASKS).await.json()["Members@odata.count"].clone();
    assert_eq!(count().await, MAX_ENDED_TASKS);
    tokio::time::advance(Duration::from_secs(601)).await;
    assert_eq!(count().await, 0);
}

#[tokio::test(start_paused = true)]
async fn all_that_has_ended_can_be_forgotten_at_once() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    client.patch(SERVICE, &window(1000, 60)).await;
    let ended = client.post(RESET, OFF_IN_WINDOW).await;
    let monitor = ended.header("location").unwrap();
    client.call("DELETE", monitor, &[], "").await;
    let waiting = client.post(RESET, OFF_IN_WINDOW).await;
    let action = format!("{SERVICE}/Actions/TaskService.DeleteAllCompletedTasks");
    assert_eq!(client.post(&action, "").await.status, 204);
    let left = client.get(TASKS).await.json();
    assert_eq!(
        left["Members"],
        json!([{"@odata.id": waiting.json()["@odata.id"]}])
    );
}
