//! Metric reports and triggers (DSP0266 "Telemetry", DSP0268 "TelemetryService").
//!
//! Time is virtual. It may go faster than a test says: the clock runs ahead while the state is written.

use std::time::Duration;

use redfish::{MAX_REPORT_DEFINITIONS, Store};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::bench::{Answer, Bench, Client, PASSWORD, StateFile, seeds};
use crate::event_delivery::Receiver;
use crate::event_stream::{Stream, open};

const SERVICE: &str = "/redfish/v1/TelemetryService";
const DEFINITIONS: &str = "/redfish/v1/TelemetryService/MetricReportDefinitions";
const REPORTS: &str = "/redfish/v1/TelemetryService/MetricReports";
const TRIGGERS: &str = "/redfish/v1/TelemetryService/Triggers";
const SENSOR: &str = "/redfish/v1/Chassis/0/Sensors/T#/Reading";

/// The service at work; it ends with the handle.
struct Work(JoinHandle<()>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn work(bench: &Bench) -> Work {
    let service = bench.service.clone();
    Work(tokio::spawn(async move { service.work().await }))
}

/// A bench with three chassis, each with a sensor.
fn racks(bench: &Bench) {
    bench
        .rack
        .chassis
        .store(3, std::sync::atomic::Ordering::Relaxed);
}

/// A client without a session: that would time out where the clock runs ahead.
fn client<'a>(bench: &'a Bench, user: &str) -> Client<'a> {
    let basic = crate::authentication::basic(user, PASSWORD);
    Client {
        bench,
        credentials: ("authorization", basic),
    }
}

fn set(bench: &Bench, chassis: usize, reading: f64) {
    bench.rack.readings.lock().unwrap().insert(chassis, reading);
}

/// All sensors.
fn all_sensors(more: Value) -> Value {
    let mut body = json!({
        "Id": "Inlets",
        "Wildcards": [{"Name": "C", "Values": ["*"]}],
        "Metrics": [{
            "MetricId": "Inlet",
            "MetricProperties": ["/redfish/v1/Chassis/{C}/Sensors/T#/Reading"],
        }],
    });
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    body
}

#[track_caller]
fn created(answer: &Answer) -> Value {
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.assert_valid();
    answer.json()
}

async fn define(client: &Client<'_>, more: Value) -> Value {
    let body = all_sensors(more).to_string();
    created(&client.post(DEFINITIONS, &body).await)
}

/// What the report `Inlets` reads, in order.
async fn readings(client: &Client<'_>, report: &str) -> Vec<String> {
    let answer = client.get(&format!("{REPORTS}/{report}")).await;
    answer.assert_valid();
    texts(&answer.json())
}

fn texts(report: &Value) -> Vec<String> {
    let values = report["MetricValues"].as_array().unwrap().iter();
    values
        .map(|value| value["MetricValue"].as_str().unwrap().to_owned())
        .collect()
}

fn members(collection: &Value) -> Vec<&str> {
    let members = collection["Members"].as_array().unwrap().iter();
    members
        .map(|one| one["@odata.id"].as_str().unwrap())
        .collect()
}

/// The next metric report of a stream.
async fn next_report(stream: &mut Stream) -> Value {
    let message = stream.next().await.expect("the stream goes on");
    assert!(
        message.payload["@odata.type"]
            .as_str()
            .is_some_and(|kind| kind.starts_with("#MetricReport.")),
        "{message:?}"
    );
    message.payload
}

#[tokio::test(start_paused = true)]
async fn the_service_says_what_it_can_and_every_link_leads_somewhere() {
    let bench = Bench::new();
    let client = client(&bench, "reader");
    let root = client.get("/redfish/v1/").await.json();
    assert_eq!(root["TelemetryService"]["@odata.id"], SERVICE);
    let answer = client.get(SERVICE).await;
    answer.assert_valid();
    let service = answer.json();
    assert_eq!(service["MinCollectionInterval"], "PT1S");
    for name in [
        "MetricReportDefinitions",
        "MetricReports",
        "Triggers",
        "MetricDefinitions",
    ] {
        let link = service[name]["@odata.id"].as_str().unwrap();
        let answer = client.get(link).await;
        assert_eq!(answer.status, 200, "{link}");
        answer.assert_valid();
    }
    let allow = |answer: Answer| answer.header("allow").unwrap().to_owned();
    assert_eq!(allow(client.get(DEFINITIONS).await), "GET, HEAD, POST");
    assert_eq!(allow(client.get(REPORTS).await), "GET, HEAD");
}

#[tokio::test(start_paused = true)]
async fn a_report_is_made_when_it_is_read_and_its_wildcards_stand_for_what_there_is() {
    let bench = Bench::new();
    racks(&bench);
    let client = client(&bench, "root");
    let definition = define(&client, json!({})).await;
    assert_eq!(definition["MetricReportDefinitionType"], "OnRequest");
    let link = &definition["MetricReport"]["@odata.id"];
    assert_eq!(link, &format!("{REPORTS}/Inlets"));
    let report = client.get(link.as_str().unwrap()).await;
    report.assert_valid();
    let report = report.json();
    assert_eq!(texts(&report), ["20", "21", "22"]);
    let value = &report["MetricValues"][0];
    assert_eq!(value["MetricId"], "Inlet");
    assert_eq!(value["MetricProperty"], SENSOR);
    assert!(value["Timestamp"].is_string() && report["Timestamp"].is_string());
    assert_eq!(
        report["MetricReportDefinition"]["@odata.id"],
        definition["@odata.id"]
    );
    // Within the minimum interval it is the same report, whose bytes all readers share.
    let same = [
        client.get(&format!("{REPORTS}/Inlets")).await,
        client.get(&format!("{REPORTS}/Inlets")).await,
    ];
    assert_eq!(same[0].body.as_ptr(), same[1].body.as_ptr());
    set(&bench, 1, 71.5);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(readings(&client, "Inlets").await, ["20", "71.5", "22"]);
    // What wildcards stand for is looked up again some time later.
    bench
        .rack
        .chassis
        .store(2, std::sync::atomic::Ordering::Relaxed);
    sleep(Duration::from_millis(redfish::RESOLVE_INTERVAL_MS)).await;
    assert_eq!(readings(&client, "Inlets").await, ["20", "71.5"]);
}

#[tokio::test(start_paused = true)]
async fn a_periodic_report_is_appended_to_until_it_is_full() {
    let bench = Bench::new();
    racks(&bench);
    let _work = work(&bench);
    let client = client(&bench, "root");
    let periodic = json!({
        "Schedule": {"RecurrenceInterval": "PT10S"},
        "ReportUpdates": "AppendStopsWhenFull", "AppendLimit": 7,
    });
    let definition = define(&client, periodic).await;
    assert_eq!(definition["MetricReportDefinitionType"], "Periodic");
    assert_eq!(definition["AppendLimit"], 7);
    sleep(Duration::from_secs(60)).await;
    let expected = ["20", "21", "22", "20", "21", "22", "20"];
    assert_eq!(readings(&client, "Inlets").await, expected);
    let clear = format!("{SERVICE}/Actions/TelemetryService.ClearMetricReports");
    assert_eq!(client.post(&clear, "{}").await.status, 204);
    sleep(Duration::from_secs(1)).await;
    assert!(readings(&client, "Inlets").await.len() < 7);
}

#[tokio::test(start_paused = true)]
async fn each_new_report_has_an_id_of_its_own_and_old_ones_go() {
    let bench = Bench::new();
    racks(&bench);
    let _work = work(&bench);
    let client = client(&bench, "root");
    let new = json!({"Schedule": {"RecurrenceInterval": "PT1S"}, "ReportUpdates": "NewReport"});
    let definition = define(&client, new).await;
    let path = definition["@odata.id"].as_str().unwrap();
    // Wall time hardly moves here: reports of one millisecond are one.
    sleep(Duration::from_secs(3)).await;
    let definition = client.get(path).await;
    definition.assert_valid();
    let link = definition.json()["MetricReport"]["@odata.id"].clone();
    let link = link.as_str().unwrap();
    assert!(link.starts_with(&format!("{REPORTS}/Inlets-2")), "{link}");
    let report = client.get(link).await;
    report.assert_valid();
    assert_eq!(texts(&report.json()), ["20", "21", "22"]);
    let reports = client.get(REPORTS).await.json();
    assert!((2..=redfish::MAX_NEW_REPORTS + 1).contains(&members(&reports).len()));
}

#[tokio::test(start_paused = true)]
async fn a_definition_is_changed_and_removed() {
    let bench = Bench::new();
    racks(&bench);
    let client = client(&bench, "root");
    let path = define(&client, json!({})).await["@odata.id"].clone();
    let path = path.as_str().unwrap();
    let changed = client
        .patch(
            path,
            r#"{"Wildcards": [{"Values": ["2", "0"]}], "ReportActions": ["LogToMetricReportsCollection", "RedfishEvent"]}"#,
        )
        .await;
    assert_eq!(changed.status, 200, "{changed:?}");
    changed.assert_valid();
    assert_eq!(
        changed.json()["Wildcards"],
        json!([{"Name": "C", "Values": ["2", "0"]}])
    );
    assert_eq!(readings(&client, "Inlets").await, ["22", "20"]);
    let wrong = client
        .patch(path, r#"{"Schedule": {"RecurrenceInterval": "PT0.1S"}}"#)
        .await;
    wrong.assert_error(400, &["PropertyValueOutOfRange"]);
    let off = client
        .patch(path, r#"{"MetricReportDefinitionEnabled": false}"#)
        .await;
    assert_eq!(off.json()["Status"]["State"], "Disabled");
    set(&bench, 2, 99.0);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(readings(&client, "Inlets").await, ["22", "20"], "disabled");
    assert_eq!(client.call("DELETE", path, &[], "").await.status, 204);
    assert_eq!(client.get(path).await.status, 404);
    assert_eq!(client.get(&format!("{REPORTS}/Inlets")).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn what_the_backend_has_is_in_the_same_collections_and_stays() {
    let bench = Bench::new();
    racks(&bench);
    let client = client(&bench, "root");
    define(&client, json!({})).await;
    for collection in [DEFINITIONS, REPORTS] {
        let answer = client.get(collection).await;
        answer.assert_valid();
        let expected = ["Rack", "Inlets"].map(|id| format!("{collection}/{id}"));
        assert_eq!(members(&answer.json()), expected);
    }
    let theirs = format!("{DEFINITIONS}/Rack");
    assert_eq!(client.get(&theirs).await.json()["Name"], "The rack");
    let patch = client
        .patch(&theirs, r#"{"MetricReportDefinitionEnabled": false}"#)
        .await;
    patch.assert_error(405, &["OperationNotAllowed"]);
    let delete = client.call("DELETE", &theirs, &[], "").await;
    delete.assert_error(405, &["OperationNotAllowed"]);
    for id in ["Rack", "Inlets"] {
        let body = all_sensors(json!({"Id": id})).to_string();
        let answer = client.post(DEFINITIONS, &body).await;
        assert_eq!(answer.messages(), ["ResourceAlreadyExists"], "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_refused_with_its_place() {
    let bench = Bench::new();
    racks(&bench);
    let client = client(&bench, "root");
    let nobody = "/redfish/v1/Chassis/9/Sensors/T#/Reading";
    for (change, place) in [
        (
            json!({"MetricProperties": [SENSOR, nobody]}),
            "#/MetricProperties/1",
        ),
        (
            json!({"Wildcards": [{"Name": "C", "Values": ["0", "9"]}]}),
            "#/Metrics/0/MetricProperties/0",
        ),
        (
            json!({"MetricProperties": ["/redfish/v1/Chassis/0/Sensors/T#/Colour"]}),
            "#/MetricProperties/0",
        ),
        (
            json!({"MetricProperties": ["/redfish/v1/Chassis/{X}/Sensors/T#/Reading"]}),
            "#/MetricProperties/0",
        ),
    ] {
        let body = all_sensors(change.clone()).to_string();
        let answer = client.post(DEFINITIONS, &body).await;
        answer.assert_error(400, &["PropertyValueError"]);
        let info = &answer.json()["error"]["@Message.ExtendedInfo"][0];
        assert_eq!(info["RelatedProperties"], json!([place]), "{change}");
    }
    assert_eq!(members(&client.get(DEFINITIONS).await.json()).len(), 1);
    let trigger = json!({
        "MetricProperties": [SENSOR], "TriggerActions": ["RedfishMetricReport"],
        "NumericThresholds": {"UpperCritical": {"Reading": 90}},
        "Links": {"MetricReportDefinitions": [{"@odata.id": format!("{DEFINITIONS}/Nothing")}]},
    });
    let answer = client.post(TRIGGERS, &trigger.to_string()).await;
    answer.assert_error(400, &["PropertyValueError"]);
}

#[tokio::test(start_paused = true)]
async fn readers_read_and_administrators_define() {
    let bench = Bench::new();
    racks(&bench);
    let (root, reader) = (client(&bench, "root"), client(&bench, "reader"));
    define(&root, json!({})).await;
    assert_eq!(readings(&reader, "Inlets").await, ["20", "21", "22"]);
    let path = format!("{DEFINITIONS}/Inlets");
    for user in ["reader", "operator"] {
        let client = client(&bench, user);
        let body = all_sensors(json!({"Id": "Other"})).to_string();
        for answer in [
            client.post(DEFINITIONS, &body).await,
            client.post(TRIGGERS, "{}").await,
            client
                .patch(&path, r#"{"MetricReportDefinitionEnabled": false}"#)
                .await,
            client.call("DELETE", &path, &[], "").await,
            client.patch(SERVICE, r#"{"ServiceEnabled": false}"#).await,
        ] {
            answer.assert_error(403, &["InsufficientPrivilege"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_that_not_everybody_may_read_is_in_no_report() {
    let registry = json!({
        "@odata.type": "#PrivilegeRegistry.v1_1_4.PrivilegeRegistry",
        "Id": "Strict", "Name": "Strict",
        "PrivilegesUsed": ["Login", "ConfigureManager", "ConfigureUsers", "ConfigureComponents", "ConfigureSelf"],
        "OEMPrivilegesUsed": [],
        "Mappings": [{"Entity": "Sensor", "OperationMap": {
            "GET": [{"Privilege": ["ConfigureComponents"]}],
            "HEAD": [{"Privilege": ["ConfigureComponents"]}],
            "PATCH": [{"Privilege": ["ConfigureComponents"]}],
            "PUT": [{"Privilege": ["ConfigureComponents"]}],
            "POST": [{"Privilege": ["ConfigureComponents"]}],
            "DELETE": [{"Privilege": ["ConfigureComponents"]}],
        }}],
    });
    let privileges = redfish::PrivilegeMap::parse(&registry.to_string()).unwrap();
    let bench = Bench::of(seeds(), Store::in_memory().unwrap(), privileges);
    racks(&bench);
    let client = client(&bench, "root");
    let more = json!({"MetricProperties": ["/redfish/v1/Chassis/0#/PowerState"]});
    define(&client, more).await;
    assert_eq!(readings(&client, "Inlets").await, ["Off"]);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_a_value_makes_a_report_and_streams_that_ask_for_it_get_it() {
    let bench = Bench::new();
    racks(&bench);
    let _work = work(&bench);
    let client = client(&bench, "root");
    for id in ["Inlets", "Other"] {
        let on_change = json!({
            "Id": id, "MetricReportDefinitionType": "OnChange", "ReportActions": ["RedfishEvent"],
            "SuppressRepeatedMetricValue": true,
        });
        let definition = define(&client, on_change).await;
        assert!(definition.get("MetricReport").is_none(), "it isn't kept");
    }
    sleep(Duration::from_secs(5)).await;
    let filter = "?$filter=EventFormatType%20eq%20MetricReport";
    let mut all = open(&client, filter, &[]).await;
    let filter = format!("?$filter=MetricReportDefinition%20eq%20'{DEFINITIONS}/Other'");
    let mut other = open(&client, &filter, &[]).await;
    sleep(Duration::from_secs(10)).await;
    set(&bench, 1, 25.0);
    let mut ids = Vec::new();
    for _ in 0..2 {
        let report = next_report(&mut all).await;
        assert_eq!(texts(&report), ["25"], "without a change nothing was sent");
        let definition = &report["MetricReportDefinition"]["@odata.id"];
        ids.push(definition.as_str().unwrap().to_owned());
    }
    ids.sort_unstable();
    assert_eq!(
        ids,
        ["Inlets", "Other"].map(|id| format!("{DEFINITIONS}/{id}"))
    );
    let report = next_report(&mut other).await;
    assert_eq!(
        (&report["Id"], texts(&report)),
        (&json!("Other"), vec!["25".to_owned()])
    );
}

async fn keys(stream: &mut Stream) -> Vec<String> {
    let message = stream.next().await.expect("the stream goes on");
    message.keys().into_iter().map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn a_threshold_that_is_crossed_is_told_and_so_is_the_way_back() {
    let bench = Bench::new();
    racks(&bench);
    let _work = work(&bench);
    let client = client(&bench, "root");
    let trigger = json!({
        "Id": "Hot", "MetricType": "Numeric", "TriggerActions": ["RedfishEvent"],
        "NumericThresholds": {
            "UpperWarning": {"Reading": 40, "Activation": "Either"},
            "UpperCritical": {"Reading": 60.5, "Activation": "Either", "DwellTime": "PT5S"},
        },
        "MetricProperties": ["/redfish/v1/Chassis/{C}/Sensors/T#/Reading"],
        "Wildcards": [{"Name": "C", "Values": ["*"]}],
    });
    let answer = client.post(TRIGGERS, &trigger.to_string()).await;
    let shown = created(&answer);
    assert_eq!(
        shown["NumericThresholds"]["UpperCritical"]["DwellTime"],
        "PT5S"
    );
    assert_eq!(shown["NumericThresholds"]["UpperWarning"]["Reading"], 40);
    let mut stream = open(&client, "?$filter=RegistryPrefix%20eq%20Telemetry", &[]).await;
    set(&bench, 2, 70.0);
    // The clock here runs on while the first is written, so that both may come together.
    let (mut told, mut events) = (Vec::new(), Vec::new());
    while told.len() < 2 {
        let message = stream.next().await.unwrap();
        told.extend(message.keys().into_iter().map(str::to_owned));
        events.extend(message.payload["Events"].as_array().unwrap().clone());
    }
    assert_eq!(
        told,
        [
            "TriggerNumericAboveUpperWarning",
            "TriggerNumericAboveUpperCritical"
        ]
    );
    let event = &events[1];
    let metric = "/redfish/v1/Chassis/2/Sensors/T#/Reading";
    assert_eq!(event["MessageArgs"], json!([metric, "70", "60.5", "Hot"]));
    assert_eq!(event["MessageSeverity"], "Critical");
    assert_eq!(
        event["OriginOfCondition"]["@odata.id"],
        "/redfish/v1/Chassis/2/Sensors/T"
    );
    set(&bench, 2, 50.0);
    assert_eq!(
        keys(&mut stream).await,
        ["TriggerNumericBelowUpperCritical"]
    );
    set(&bench, 2, 20.0);
    assert_eq!(keys(&mut stream).await, ["TriggerNumericReadingNormal"]);
    let path = format!("{TRIGGERS}/Hot");
    let off = client.patch(&path, r#"{"TriggerEnabled": false}"#).await;
    off.assert_valid();
    assert_eq!(off.json()["Status"]["State"], "Disabled");
    assert_eq!(client.call("DELETE", &path, &[], "").await.status, 204);
    assert_eq!(client.get(&path).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn a_discrete_trigger_has_a_report_made() {
    let bench = Bench::new();
    racks(&bench);
    let _work = work(&bench);
    let client = client(&bench, "root");
    define(&client, json!({"ReportActions": ["RedfishEvent"]})).await;
    let trigger = json!({
        "TriggerActions": ["RedfishEvent", "RedfishMetricReport"],
        "DiscreteTriggers": [{"Name": "light", "Value": "true", "Severity": "Warning"}],
        "MetricProperties": ["/redfish/v1/Systems/1#/LocationIndicatorActive"],
        "Links": {"MetricReportDefinitions": [{"@odata.id": format!("{DEFINITIONS}/Inlets")}]},
    });
    let shown = created(&client.post(TRIGGERS, &trigger.to_string()).await);
    assert_eq!(shown["MetricType"], "Discrete");
    assert_eq!(shown["DiscreteTriggerCondition"], "Specified");
    let trigger = shown["@odata.id"].as_str().unwrap();
    let definition = client.get(&format!("{DEFINITIONS}/Inlets")).await;
    definition.assert_valid();
    assert_eq!(
        definition.json()["Links"]["Triggers"],
        json!([{"@odata.id": trigger}])
    );
    let filter =
        "?$filter=EventFormatType%20eq%20MetricReport%20or%20RegistryPrefix%20eq%20Telemetry";
    let mut stream = open(&client, filter, &[]).await;
    let light = r#"{"LocationIndicatorActive":true}"#;
    assert_eq!(
        client.patch("/redfish/v1/Systems/1", light).await.status,
        200
    );
    let message = stream.next().await.unwrap();
    assert_eq!(message.keys(), ["TriggerDiscreteConditionMet"]);
    assert_eq!(message.payload["Events"][0]["MessageSeverity"], "Warning");
    assert_eq!(texts(&next_report(&mut stream).await), ["20", "21", "22"]);
}

#[tokio::test]
async fn definitions_and_triggers_survive_a_restart() {
    let file = StateFile::new();
    let trigger = json!({
        "Id": "Hot", "MetricProperties": [SENSOR],
        "NumericThresholds": {"LowerCritical": {"Reading": 5, "Activation": "Either"}},
    });
    let before = {
        let bench = file.bench();
        racks(&bench);
        let client = client(&bench, "root");
        define(&client, json!({"Description": "What goes in"})).await;
        created(&client.post(TRIGGERS, &trigger.to_string()).await);
        let unnamed = json!({"MetricProperties": [SENSOR]}).to_string();
        assert_eq!(
            created(&client.post(DEFINITIONS, &unnamed).await)["Id"],
            "1"
        );
        let gone = all_sensors(json!({"Id": "Gone"})).to_string();
        created(&client.post(DEFINITIONS, &gone).await);
        let gone = format!("{DEFINITIONS}/Gone");
        assert_eq!(client.call("DELETE", &gone, &[], "").await.status, 204);
        let off = client.patch(SERVICE, r#"{"ServiceEnabled": false}"#).await;
        assert_eq!(off.json()["Status"]["State"], "Disabled");
        let hot = client.get(&format!("{TRIGGERS}/Hot")).await.json();
        let inlets = client.get(&format!("{DEFINITIONS}/Inlets")).await.json();
        (hot, inlets)
    };
    let bench = file.bench();
    racks(&bench);
    let client = client(&bench, "root");
    let hot = client.get(&format!("{TRIGGERS}/Hot")).await.json();
    let inlets = client.get(&format!("{DEFINITIONS}/Inlets")).await.json();
    assert_eq!((hot, inlets), before);
    assert_eq!(client.get(&format!("{DEFINITIONS}/Gone")).await.status, 404);
    let report = format!("{REPORTS}/Inlets");
    assert_eq!(
        texts(&client.get(&report).await.json()),
        [""; 0],
        "disabled"
    );
    let on = client.patch(SERVICE, r#"{"ServiceEnabled": true}"#).await;
    assert_eq!(on.status, 200);
    assert_eq!(texts(&client.get(&report).await.json()).len(), 3);
    let unnamed = json!({"MetricProperties": [SENSOR]}).to_string();
    assert_eq!(
        created(&client.post(DEFINITIONS, &unnamed).await)["Id"],
        "2"
    );
}

#[tokio::test(start_paused = true)]
async fn there_are_as_many_definitions_as_the_service_keeps() {
    let bench = Bench::new();
    racks(&bench);
    let client = client(&bench, "root");
    for number in 0..MAX_REPORT_DEFINITIONS {
        define(&client, json!({"Id": format!("D{number}")})).await;
    }
    let body = all_sensors(json!({"Id": "More"})).to_string();
    let more = client.post(DEFINITIONS, &body).await;
    assert_eq!(more.messages(), ["CreateLimitReachedForResource"]);
    let action = "ResetMetricReportDefinitionsToDefaults";
    let reset = format!("{SERVICE}/Actions/TelemetryService.{action}");
    assert_eq!(client.post(&reset, "{}").await.status, 204);
    let left = client.get(DEFINITIONS).await.json();
    assert_eq!(members(&left), [format!("{DEFINITIONS}/Rack")]);
}

#[tokio::test]
async fn a_report_is_pushed_to_who_is_subscribed_to_its_definition() {
    let mut receiver = Receiver::start().await;
    let bench = Bench::with_events(Store::in_memory().unwrap(), receiver.settings());
    racks(&bench);
    let _work = work(&bench);
    let client = client(&bench, "root");
    let definition = format!("{DEFINITIONS}/Inlets");
    let subscription = json!({
        "Destination": receiver.uri(), "Protocol": "Redfish", "Context": "the \"hall\"",
        "EventFormatType": "MetricReport",
        "MetricReportDefinitions": [{"@odata.id": definition}],
    });
    let uri = "/redfish/v1/EventService/Subscriptions";
    let shown = created(&client.post(uri, &subscription.to_string()).await);
    assert_eq!(shown["EventFormatType"], "MetricReport");
    assert_eq!(
        shown["MetricReportDefinitions"],
        json!([{"@odata.id": definition}])
    );
    let periodic = |id: &str| {
        json!({
            "Id": id, "Schedule": {"RecurrenceInterval": "PT1S"}, "ReportActions": ["RedfishEvent"],
        })
    };
    define(&client, periodic("Other")).await;
    define(&client, periodic("Inlets")).await;
    for _ in 0..2 {
        let report = receiver.next().await.payload;
        assert_eq!(report["Id"], "Inlets");
        assert_eq!(report["Context"], "the \"hall\"");
        assert_eq!(texts(&report), ["20", "21", "22"]);
    }
}

#[tokio::test]
async fn a_test_report_goes_to_whoever_wants_metric_reports() {
    let bench = Bench::new();
    let client = client(&bench, "root");
    let mut events = open(&client, "", &[]).await;
    let filter = "?$filter=EventFormatType%20eq%20MetricReport";
    let mut reports = open(&client, filter, &[]).await;
    let uri = format!("{SERVICE}/Actions/TelemetryService.SubmitTestMetricReport");
    let test = json!({
        "MetricReportName": "Test1",
        "GeneratedMetricReportValues": [
            {"MetricId": "Power", "MetricValue": "312", "MetricProperty": "/redfish/v1/Chassis/1/Sensors/P#/Reading"},
        ],
    });
    assert_eq!(client.post(&uri, &test.to_string()).await.status, 204);
    let report = next_report(&mut reports).await;
    assert_eq!(
        (&report["Id"], texts(&report)),
        (&json!("Test1"), vec!["312".to_owned()])
    );
    // A stream without a filter tells of events only: of the two streams, so far.
    assert_eq!(keys(&mut events).await[0], "ResourceCreated");
    for (body, message) in [
        (json!({"MetricReportName": "T"}), "ActionParameterMissing"),
        (
            json!({"MetricReportName": "a/b", "GeneratedMetricReportValues": []}),
            "ActionParameterValueError",
        ),
    ] {
        let answer = client.post(&uri, &body.to_string()).await;
        answer.assert_error(400, &[message]);
    }
}

#[tokio::test(start_paused = true)]
async fn wildcards_that_lead_to_nothing_very_many_times_are_refused() {
    let bench = Bench::new();
    racks(&bench);
    let client = client(&bench, "root");
    let values: Vec<_> = (0..1500).map(|n| n.to_string()).collect();
    // Three chassis, 1,500 sensors of each, and 1,500 places of each: nothing of it is there.
    let body = json!({
        "Wildcards": [{"Name": "C", "Values": ["*"]}, {"Name": "D", "Values": values}, {"Name": "S", "Values": values}],
        "MetricProperties": ["/redfish/v1/Chassis/{C}/PCIeDevices/{D}/PCIeFunctions/{S}#/Status/Conditions/{S}/Message"],
    });
    let answer = client.post(DEFINITIONS, &body.to_string()).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.messages(), ["PropertyValueError"]);
    let sane = all_sensors(json!({})).to_string();
    assert_eq!(client.post(DEFINITIONS, &sane).await.status, 201);
}

#[tokio::test]
async fn a_definition_made_at_the_moment_does_not_undo_that_the_service_is_switched_off() {
    let file = StateFile::new();
    {
        let bench = file.bench();
        racks(&bench);
        let client = client(&bench, "root");
        let unnamed = json!({"MetricProperties": [SENSOR]}).to_string();
        let (off, made) = tokio::join!(
            client.patch(SERVICE, r#"{"ServiceEnabled": false}"#),
            client.post(DEFINITIONS, &unnamed),
        );
        assert_eq!((off.status.as_u16(), made.status.as_u16()), (200, 201));
    }
    let bench = file.bench();
    let client = client(&bench, "root");
    let service = client.get(SERVICE).await.json();
    assert_eq!(service["ServiceEnabled"], false);
}
