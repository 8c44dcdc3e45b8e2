//! Settings resources (DSP0266 "Settings resource"), on virtual time.

use std::time::{Duration, SystemTime};

use redfish::message::resource_event;
use redfish::{Event, Failure, MAX_APPLY_ATTEMPTS, MAX_SETTINGS_BYTES, Store};
use redfish_schema::DateTime;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::bench::{Bench, Client};

const SYSTEM: &str = "/redfish/v1/Systems/1";
const SETTINGS: &str = "/redfish/v1/Systems/1/Settings";
const RESET: &str = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset";
const AUDIT: &str = "/redfish/v1/Managers/Testbench/LogServices/Audit/Entries";
const RESTART: &str = r#"{"ResetType":"ForceRestart"}"#;
const LIGHT: &str =
    r#"{"LocationIndicatorActive":true,"@Redfish.SettingsApplyTime":{"ApplyTime":"OnReset"}}"#;
const LIGHT_NOW: &str = r#"{"LocationIndicatorActive":true}"#;
const LIGHT_DONE: &str = "PATCH /redfish/v1/Systems/1 /LocationIndicatorActive=true";
const RESTART_DONE: &str = "POST /redfish/v1/Systems/1 ComputerSystem.Reset ForceRestart";

/// What goes on beside the requests, until it is dropped.
struct Beside(Vec<JoinHandle<()>>);

impl Beside {
    /// The service's own work. Time stands still but for [`tokio::time::advance`].
    fn of(bench: &Bench) -> Self {
        let service = std::sync::Arc::clone(&bench.service);
        let work = tokio::spawn(async move { service.work().await });
        let awake = tokio::spawn(async {
            loop {
                tokio::task::yield_now().await;
                std::thread::yield_now();
            }
        });
        Self(vec![work, awake])
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// Lets everything run that can run now.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
        std::thread::yield_now();
    }
}

async fn advance(seconds: u64) {
    settle().await;
    tokio::time::advance(Duration::from_secs(seconds)).await;
    settle().await;
}

/// `@Redfish.Settings` once settings were applied, or given up.
async fn outcome(client: &Client<'_>) -> Value {
    for _ in 0..10_000 {
        let answer = client.get(SYSTEM).await;
        answer.assert_valid();
        let shown = answer.json()["@Redfish.Settings"].clone();
        if shown["Time"].is_string() {
            return shown;
        }
        settle().await;
    }
    panic!("no outcome: {:?}", client.bench.rack.log())
}

fn keys(outcome: &Value) -> Vec<String> {
    let messages = outcome["Messages"].as_array().unwrap();
    let keys = messages.iter().map(|message| {
        let id = message["MessageId"].as_str().unwrap();
        id.rsplit('.').next().unwrap().to_owned()
    });
    keys.collect()
}

/// Light, at this time.
fn light(when: &Value) -> String {
    json!({"LocationIndicatorActive": true, "@Redfish.SettingsApplyTime": when}).to_string()
}

/// An apply time with a window.
fn in_window(word: &str, start_in_s: u64, duration_s: u64) -> Value {
    let start = SystemTime::now() + Duration::from_secs(start_in_s);
    json!({
        "ApplyTime": word,
        "MaintenanceWindowStartTime": DateTime::from(start).to_string(),
        "MaintenanceWindowDurationInSeconds": duration_s,
    })
}

/// Somebody else has switched system 1 on.
fn powered_on(bench: &Bench) {
    tell(bench, resource_event::resource_powered_on(SYSTEM));
}

/// The backend tells of system 1.
fn tell(bench: &Bench, message: redfish::Message) {
    bench.rack.sink.get().unwrap().0.publish(Event {
        message,
        origin: Some(SYSTEM.to_owned()),
        resource_type: Some("ComputerSystem"),
    });
}

#[tokio::test]
async fn a_resource_names_its_settings_and_they_show_what_can_be_set() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let live = client.get(SYSTEM).await;
    live.assert_valid();
    let shown = &live.json()["@Redfish.Settings"];
    assert_eq!(shown["SettingsObject"]["@odata.id"], SETTINGS);
    assert_eq!(shown["SupportedApplyTimes"].as_array().unwrap().len(), 4);
    assert!(shown.get("Time").is_none(), "nothing was applied");

    let answer = client.get(SETTINGS).await;
    assert_eq!(answer.status, 200);
    answer.assert_valid();
    assert_eq!(answer.header("allow"), Some("GET, HEAD, PATCH, DELETE"));
    let settings = answer.json();
    assert_eq!(settings["@odata.type"], live.json()["@odata.type"]);
    assert_eq!(settings["LocationIndicatorActive"], false);
    assert_eq!(
        settings["@Redfish.SettingsApplyTime"]["ApplyTime"],
        "Immediate"
    );
    for absent in [
        "PowerState",
        "Actions",
        "Links",
        "Boot",
        "@Redfish.Settings",
    ] {
        assert!(settings.get(absent).is_none(), "{absent}");
    }
    let boot = r#"{"Boot":{"BootSourceOverrideTarget":"Pxe"},"@Redfish.SettingsApplyTime":{"ApplyTime":"OnReset"}}"#;
    let answer = client.patch(SETTINGS, boot).await;
    answer.assert_valid();
    let target = &answer.json()["Boot"]["BootSourceOverrideTarget"];
    assert_eq!(target, "Pxe", "an override is shown where it is to come");
    for nowhere in [
        "/redfish/v1/Managers/bmc/Settings",
        "/redfish/v1/Systems/9/Settings",
    ] {
        let missing = client.get(nowhere).await;
        missing.assert_error(404, &["InvalidURI"]);
    }
}

#[tokio::test(start_paused = true)]
async fn settings_wait_for_the_reset_and_are_applied_once_before_it() {
    let bench = Bench::new();
    let _beside = Beside::of(&bench);
    let client = bench.client("root").await;
    let answer = client.patch(SETTINGS, LIGHT).await;
    assert_eq!(answer.status, 200);
    answer.assert_valid();
    assert_eq!(answer.json()["LocationIndicatorActive"], true);
    let live = client.get(SYSTEM).await.json();
    assert_eq!(live["LocationIndicatorActive"], false);
    let off = client.post(RESET, r#"{"ResetType":"ForceOff"}"#).await;
    assert_eq!(off.status, 204);
    advance(1000).await;
    assert_eq!(bench.rack.log().len(), 1, "switching off is no reset");

    assert_eq!(client.post(RESET, RESTART).await.status, 204);
    assert_eq!(bench.rack.log()[1..], [LIGHT_DONE, RESTART_DONE]);
    let outcome = outcome(&client).await;
    assert_eq!(keys(&outcome), ["Success"]);
    let live = client.get(SYSTEM).await;
    assert_eq!(live.json()["LocationIndicatorActive"], true);
    assert_eq!(outcome["ETag"], live.header("etag").unwrap());

    powered_on(&bench);
    assert_eq!(client.post(RESET, RESTART).await.status, 204);
    settle().await;
    assert_eq!(bench.rack.log().len(), 4, "not a second time");
}

#[tokio::test(start_paused = true)]
async fn settings_without_a_time_are_applied_at_once() {
    let bench = Bench::new();
    let _beside = Beside::of(&bench);
    let client = bench.client("root").await;
    assert_eq!(client.patch(SETTINGS, LIGHT_NOW).await.status, 200);
    assert_eq!(bench.rack.log(), [LIGHT_DONE]);
}

#[tokio::test(start_paused = true)]
async fn a_reset_by_somebody_else_applies_settings_of_that_machine_only() {
    let bench = Bench::new();
    let _beside = Beside::of(&bench);
    let client = bench.client("root").await;
    let other = "/redfish/v1/Systems/2/Settings";
    assert_eq!(client.patch(other, LIGHT).await.status, 200);
    assert_eq!(client.patch(SETTINGS, LIGHT).await.status, 200);
    powered_on(&bench);
    assert_eq!(keys(&outcome(&client).await), ["Success"]);
    assert_eq!(bench.rack.log(), [LIGHT_DONE]);
}

#[tokio::test]
async fn at_once_means_before_the_answer_and_the_answer_says_what_went_wrong() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let now = light(&json!({"ApplyTime": "Immediate"}));
    let answer = client.patch(SETTINGS, &now).await;
    assert_eq!(answer.status, 200);
    answer.assert_valid();
    assert_eq!(bench.rack.log(), [LIGHT_DONE]);
    assert_eq!(keys(&outcome(&client).await), ["Success"]);
    let reason = "the panel is open".to_owned();
    bench.rack.fail_next(Failure::Refused { reason });
    let refused = client.patch(SETTINGS, &now).await;
    refused.assert_error(502, &["OperationFailed"]);
    let outcome = outcome(&client).await;
    assert_eq!(keys(&outcome), refused.messages());
    assert!(outcome.get("ETag").is_none(), "nothing was applied");
}

#[tokio::test(start_paused = true)]
async fn settings_are_applied_when_their_window_opens() {
    let bench = Bench::new();
    let _beside = Beside::of(&bench);
    let client = bench.client("root").await;
    let at_start = "AtMaintenanceWindowStart";
    let refused = client
        .patch(SETTINGS, &light(&json!({"ApplyTime": at_start})))
        .await;
    refused.assert_error(409, &["PropertyValueExternalConflict"]);
    let half = json!({"ApplyTime": at_start, "MaintenanceWindowDurationInSeconds": 60});
    let refused = client.patch(SETTINGS, &light(&half)).await;
    refused.assert_error(400, &["PropertyMissing"]);

    let own = light(&in_window(at_start, 1000, 60));
    let answer = client.patch(SETTINGS, &own).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.assert_valid();
    let time = &answer.json()["@Redfish.SettingsApplyTime"];
    assert_eq!(time["MaintenanceWindowDurationInSeconds"], 60);
    assert_eq!(client.post(RESET, RESTART).await.status, 204);
    advance(980).await;
    assert_eq!(bench.rack.log(), [RESTART_DONE]);
    advance(20).await;
    assert_eq!(keys(&outcome(&client).await), ["Success"]);
    assert_eq!(bench.rack.log(), [RESTART_DONE, LIGHT_DONE]);
}

#[tokio::test(start_paused = true)]
async fn without_a_window_of_their_own_settings_wait_for_that_of_the_task_service() {
    let bench = Bench::new();
    let _beside = Beside::of(&bench);
    let client = bench.client("root").await;
    let window = |start_in_s| {
        let mut window = in_window("", start_in_s, 60);
        window.as_object_mut().unwrap().remove("ApplyTime");
        json!({"@Redfish.MaintenanceWindow": window}).to_string()
    };
    let service = redfish::TASK_SERVICE;
    assert_eq!(client.patch(service, &window(5000)).await.status, 200);
    let when = json!({"ApplyTime": "AtMaintenanceWindowStart"});
    assert_eq!(client.patch(SETTINGS, &light(&when)).await.status, 200);
    settle().await;
    assert_eq!(client.patch(service, &window(1000)).await.status, 200);
    advance(990).await;
    assert!(bench.rack.log().is_empty());
    advance(10).await;
    assert_eq!(keys(&outcome(&client).await), ["Success"]);
}

#[tokio::test(start_paused = true)]
async fn a_reset_counts_within_the_window_only_and_a_window_without_one_is_missed() {
    let bench = Bench::new();
    let _beside = Beside::of(&bench);
    let client = bench.client("root").await;
    let when = in_window("InMaintenanceWindowOnReset", 1000, 60);
    assert_eq!(client.patch(SETTINGS, &light(&when)).await.status, 200);
    powered_on(&bench);
    advance(1000).await;
    assert!(
        bench.rack.log().is_empty(),
        "there was no reset in the window"
    );
    powered_on(&bench);
    assert_eq!(keys(&outcome(&client).await), ["Success"]);
    assert_eq!(bench.rack.log(), [LIGHT_DONE]);

    let bench = Bench::new();
    let _beside = Beside::of(&bench);
    let client = bench.client("root").await;
    assert_eq!(client.patch(SETTINGS, &light(&when)).await.status, 200);
    advance(1061).await;
    let outcome = outcome(&client).await;
    assert_ne!(keys(&outcome), ["Success"]);
    assert!(outcome.to_string().contains("window was over"), "{outcome}");
    powered_on(&bench);
    settle().await;
    assert!(bench.rack.log().is_empty());
}

#[tokio::test]
async fn what_a_patch_of_the_resource_would_refuse_is_refused_at_once() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let before = client.get(SETTINGS).await;
    for (body, status, messages) in [
        (
            r#"{"LocationIndicatorActive":"bright"}"#,
            400,
            "PropertyValueTypeError",
        ),
        (
            r#"{"Boot":{"BootSourceOverrideTarget":"Usb"}}"#,
            400,
            "PropertyValueNotInList",
        ),
        (r#"{"PowerState":"Off"}"#, 400, "PropertyNotWritable"),
        (r#"{"HostName":"node"}"#, 400, "PropertyNotWritable"),
        (r#"{"Colour":"red"}"#, 400, "PropertyUnknown"),
        (
            r#"{"AssetTag":"loud!"}"#,
            409,
            "PropertyValueExternalConflict",
        ),
        (
            r#"{"@Redfish.SettingsApplyTime":{"ApplyTime":"Never"}}"#,
            400,
            "PropertyValueNotInList",
        ),
        (
            r#"{"@Redfish.SettingsApplyTime":{"ApplyTime":"OnReset","MaintenanceWindowDurationInSeconds":5}}"#,
            409,
            "PropertyValueExternalConflict",
        ),
    ] {
        let refused = client.patch(SETTINGS, body).await;
        refused.assert_error(status, &[messages]);
    }
    for (name, body) in [
        (
            "AplyTime",
            r#"{"AssetTag":"A1","@Redfish.SettingsApplyTime":{"AplyTime":"Immediate"}}"#,
        ),
        (
            "MaintenanceWindowStartTim",
            r#"{"AssetTag":"A1","@Redfish.SettingsApplyTime":{"ApplyTime":"OnReset","MaintenanceWindowStartTim":"2030-01-01T00:00:00Z"}}"#,
        ),
        (
            "@Redfish.OperationApplyTime",
            r#"{"AssetTag":"A1","@Redfish.OperationApplyTime":"Immediate"}"#,
        ),
    ] {
        let refused = client.patch(SETTINGS, body).await;
        refused.assert_error(400, &["PropertyUnknown"]);
        let told = &refused.json()["error"]["@Message.ExtendedInfo"][0];
        assert_eq!(told["MessageArgs"], json!([name]));
    }
    let long = json!({"AssetTag": "x".repeat(MAX_SETTINGS_BYTES)}).to_string();
    let refused = client.patch(SETTINGS, &long).await;
    refused.assert_error(400, &["PayloadTooLarge"]);
    let time =
        r#"{"@Redfish.SettingsApplyTime":{"ApplyTime":"OnReset"},"LocationIndicatorActive":true}"#;
    let refused = client.patch(SYSTEM, time).await;
    refused.assert_error(400, &["PropertyUnknown"]);
    assert_eq!(client.get(SETTINGS).await.body, before.body);
    assert!(bench.rack.log().is_empty());

    let both = r#"{"HostName":"node","AssetTag":"A1","@Redfish.SettingsApplyTime":{"ApplyTime":"OnReset"}}"#;
    let answer = client.patch(SETTINGS, both).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["AssetTag"], "A1");
    assert!(answer.json().get("HostName@Message.ExtendedInfo").is_some());
}

#[tokio::test]
async fn privileges_and_entity_tags_count_as_for_the_resource() {
    let bench = Bench::new();
    let reader = bench.client("reader").await;
    assert_eq!(reader.get(SETTINGS).await.status, 200);
    for method in ["PATCH", "DELETE"] {
        let denied = reader.call(method, SETTINGS, &[], LIGHT).await;
        denied.assert_error(403, &["InsufficientPrivilege"]);
    }
    let client = bench.client("operator").await;
    let tag = client
        .get(SETTINGS)
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    let with_tag = [("if-match", tag.as_str())];
    let first = client.call("PATCH", SETTINGS, &with_tag, LIGHT).await;
    assert_eq!(first.status, 200);
    assert_ne!(first.header("etag"), Some(&*tag));
    let second = client.call("PATCH", SETTINGS, &with_tag, LIGHT).await;
    second.assert_error(412, &["PreconditionFailed"]);
    let new = first.header("etag").unwrap();
    let third = client
        .call("DELETE", SETTINGS, &[("if-match", new)], "")
        .await;
    assert_eq!(third.status, 204);
}

#[tokio::test(start_paused = true)]
async fn settings_survive_a_restart_and_can_be_called_off() {
    let store = Store::in_memory().unwrap();
    let first = Bench::with(store.clone());
    let client = first.client("root").await;
    assert_eq!(client.patch(SETTINGS, LIGHT).await.status, 200);
    let tag = r#"{"AssetTag":"A1","@Redfish.SettingsApplyTime":{"ApplyTime":"OnReset"}}"#;
    assert_eq!(
        client
            .patch("/redfish/v1/Systems/2/Settings", tag)
            .await
            .status,
        200
    );

    let bench = Bench::with(store.clone());
    let _beside = Beside::of(&bench);
    let client = bench.client("root").await;
    let kept = client.get(SETTINGS).await.json();
    assert_eq!(kept["LocationIndicatorActive"], true);
    let gone = client.call("DELETE", SETTINGS, &[], "").await;
    assert_eq!(gone.status, 204);
    let kept = client.get(SETTINGS).await.json();
    assert_eq!(kept["LocationIndicatorActive"], false);
    assert_eq!(client.post(RESET, RESTART).await.status, 204);
    let other = RESET.replace("/1/", "/2/");
    assert_eq!(client.post(&other, RESTART).await.status, 204);
    assert_eq!(
        bench.rack.log(),
        [
            RESTART_DONE,
            "PATCH /redfish/v1/Systems/2 /AssetTag=\"A1\"",
            "POST /redfish/v1/Systems/2 ComputerSystem.Reset ForceRestart",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn settings_go_with_their_machine() {
    let bench = Bench::new();
    let _beside = Beside::of(&bench);
    let client = bench.client("root").await;
    assert_eq!(client.patch(SETTINGS, LIGHT).await.status, 200);
    tell(&bench, resource_event::resource_removed());
    let lines = client.get(AUDIT).await.json();
    let lines = lines["Members"].as_array().unwrap();
    let dropped = lines.iter().filter_map(|line| line["Message"].as_str());
    let mut dropped = dropped.filter(|line| line.contains("pending settings were dropped"));
    let line = dropped.next().unwrap();
    assert!(
        line.contains("failed PATCH /redfish/v1/Systems/1/Settings"),
        "{line}"
    );
    assert_eq!(dropped.next(), None);
    let settings = client.get(SETTINGS).await.json();
    assert_eq!(settings["LocationIndicatorActive"], false);
    powered_on(&bench);
    settle().await;
    assert!(bench.rack.log().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_with_the_machine_when_the_service_was_killed_is_not_applied_again() {
    let store = Store::in_memory().unwrap();
    let first = Bench::with(store.clone());
    let beside = Beside::of(&first);
    let client = first.client("root").await;
    assert_eq!(client.patch(SETTINGS, LIGHT).await.status, 200);
    first.rack.hold();
    powered_on(&first);
    for _ in 0..10_000 {
        if client.patch(SETTINGS, LIGHT).await.status == 503 {
            break;
        }
        settle().await;
    }
    let busy = client.patch(SETTINGS, LIGHT).await;
    busy.assert_error(503, &["ResourceInUse"]);
    settle().await;

    let bench = Bench::with(store);
    drop(beside);
    let _beside = Beside::of(&bench);
    let client = bench.client("root").await;
    assert_eq!(keys(&outcome(&client).await), ["OperationTimeout"]);
    powered_on(&bench);
    settle().await;
    assert!(bench.rack.log().is_empty());
}

/// Waits until the machine wasn't reached, and that is written down. What can't be taken is refused from then on;
/// before, it is to be asked for later.
async fn not_reached(client: &Client<'_>) {
    let in_no_window = light(&in_window("OnReset", 60, 60));
    while client.bench.rack.failure.lock().unwrap().is_some()
        || client.patch(SETTINGS, &in_no_window).await.status == 503
    {
        settle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_not_reached_is_asked_again_but_not_for_ever() {
    let bench = Bench::new();
    let _beside = Beside::of(&bench);
    let client = bench.client("root").await;
    assert_eq!(client.patch(SETTINGS, LIGHT).await.status, 200);
    let lost = || Failure::Unreachable {
        reason: "no answer".to_owned(),
    };
    bench.rack.fail_next(lost());
    powered_on(&bench);
    not_reached(&client).await;
    advance(50).await;
    assert!(bench.rack.log().is_empty());
    advance(10).await;
    assert_eq!(keys(&outcome(&client).await), ["Success"]);
    assert_eq!(bench.rack.log(), [LIGHT_DONE]);

    let bench = Bench::new();
    let _beside = Beside::of(&bench);
    let client = bench.client("root").await;
    assert_eq!(client.patch(SETTINGS, LIGHT).await.status, 200);
    bench.rack.fail_next(lost());
    powered_on(&bench);
    for _ in 1..MAX_APPLY_ATTEMPTS {
        not_reached(&client).await;
        bench.rack.fail_next(lost());
        advance(60).await;
    }
    assert_ne!(keys(&outcome(&client).await), ["Success"]);
    assert!(bench.rack.log().is_empty());
}
