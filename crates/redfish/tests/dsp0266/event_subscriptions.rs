//! The event service and its subscriptions (DSP0266 "Eventing").

use redfish::{MAX_FILTER_ITEMS, MAX_SUBSCRIPTIONS, Store};
use serde_json::{Value, json};

use crate::bench::{Bench, PASSWORD, StateFile};

const SERVICE: &str = "/redfish/v1/EventService";
const SUBSCRIPTIONS: &str = "/redfish/v1/EventService/Subscriptions";

fn body(more: Value) -> String {
    let mut body = json!({"Destination": "https://192.0.2.1/events", "Protocol": "Redfish"});
    let object = body.as_object_mut().unwrap();
    object.extend(more.as_object().unwrap().clone());
    body.to_string()
}

#[tokio::test]
async fn the_service_is_linked_and_says_what_it_supports() {
    let bench = Bench::new();
    let client = bench.client("reader").await;
    let root = client.get("/redfish/v1/").await.json();
    assert_eq!(root["EventService"]["@odata.id"], SERVICE);
    let service = client.get(SERVICE).await;
    service.assert_valid();
    let json = service.json();
    assert_eq!(json["ServerSentEventUri"], "/redfish/v1/EventService/SSE");
    assert_eq!(json["EventFormatTypes"], json!(["Event", "MetricReport"]));
    let prefixes = json["RegistryPrefixes"].as_array().unwrap();
    assert!(prefixes.contains(&"ResourceEvent".into()), "{prefixes:?}");
    let types = json["ResourceTypes"].as_array().unwrap();
    assert!(types.contains(&"Sensor".into()) && !types.contains(&"SensorCollection".into()));
    let collection = client.get(SUBSCRIPTIONS).await;
    collection.assert_valid();
    assert_eq!(collection.json()["Members@odata.count"], 0);
}

#[tokio::test]
async fn a_subscription_shows_what_was_asked_for_and_no_secret() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let asked = json!({
        "Context": "rack 7",
        "SubscriptionType": "RedfishEvent",
        "EventFormatType": "Event",
        "RegistryPrefixes": ["ResourceEvent"],
        "ExcludeRegistryPrefixes": ["TaskEvent"],
        "MessageIds": ["SensorEvent.1.0.SensorRestored"],
        "ExcludeMessageIds": ["ResourceEvent.ResourceChanged"],
        "OriginResources": [{"@odata.id": "/redfish/v1/Systems"}],
        "SubordinateResources": true,
        "ResourceTypes": ["ComputerSystem", "Sensor"],
        "Severities": ["Warning", "Critical"],
        "DeliveryRetryPolicy": "SuspendRetries",
        "SendHeartbeat": true,
        "HeartbeatIntervalMinutes": 5,
        "VerifyCertificate": false,
    });
    let mut with_headers = asked.clone();
    with_headers["HttpHeaders"] = json!([{"Authorization": "Bearer s3cret"}, {"X-A": "b"}]);
    let answer = client.post(SUBSCRIPTIONS, &body(with_headers)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.assert_valid();
    let path = answer.header("location").unwrap().to_owned();
    let shown = client.get(&path).await;
    shown.assert_valid();
    assert_eq!(shown.json(), answer.json());
    for (name, value) in asked.as_object().unwrap() {
        assert_eq!(&shown.json()[name], value, "{name}");
    }
    assert_eq!(shown.json()["HttpHeaders"], json!([]));
    assert!(!String::from_utf8_lossy(&shown.body).contains("s3cret"));
    assert_eq!(shown.json()["Status"]["State"], "Enabled");
    assert_eq!(
        client.get(SUBSCRIPTIONS).await.json()["Members"][0]["@odata.id"],
        path
    );
    assert_eq!(client.call("DELETE", &path, &[], "").await.status, 204);
    client.get(&path).await.assert_error(404, &["InvalidURI"]);
}

#[tokio::test]
async fn a_subscription_without_wishes_gets_everything_and_is_kept_as_long_as_it_takes() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let answer = client.post(SUBSCRIPTIONS, &body(json!({}))).await;
    answer.assert_valid();
    let json = answer.json();
    assert_eq!(json["SubscriptionType"], "RedfishEvent");
    assert_eq!(json["DeliveryRetryPolicy"], "RetryForeverWithBackoff");
    assert_eq!(json["VerifyCertificate"], true);
    assert_eq!(json["Context"], Value::Null);
    assert_eq!(json["MessageIds"], json!([]));
}

/// The property, and a value that is none of those that it may have.
const UNKNOWN: [(&str, &str); 13] = [
    ("/Protocol", r#"{"Protocol": "SNMPv2c"}"#),
    ("/Protocol", r#"{"Protocol": "FTP"}"#),
    ("/SubscriptionType", r#"{"SubscriptionType": "SSE"}"#),
    (
        "/MetricReportDefinitions/0",
        r#"{"EventFormatType": "MetricReport", "MetricReportDefinitions": [{"@odata.id": "/redfish/v1/Systems/1"}]}"#,
    ),
    (
        "/RegistryPrefixes/1",
        r#"{"RegistryPrefixes": ["ResourceEvent", "Nothing"]}"#,
    ),
    (
        "/ExcludeRegistryPrefixes/0",
        r#"{"ExcludeRegistryPrefixes": ["Nothing"]}"#,
    ),
    (
        "/MessageIds/0",
        r#"{"MessageIds": ["ResourceEvent.1.0.Nothing"]}"#,
    ),
    (
        "/ExcludeMessageIds/0",
        r#"{"ExcludeMessageIds": ["Nothing"]}"#,
    ),
    ("/ResourceTypes/0", r#"{"ResourceTypes": ["Nothing"]}"#),
    (
        "/ResourceTypes/0",
        r#"{"ResourceTypes": ["Sensor.v1_0_0"]}"#,
    ),
    ("/Severities/0", r#"{"Severities": ["Bad"]}"#),
    (
        "/OriginResources/0",
        r#"{"OriginResources": [{"@odata.id": "Systems"}]}"#,
    ),
    (
        "/IncludeOriginOfCondition",
        r#"{"IncludeOriginOfCondition": true}"#,
    ),
];

/// The property, and a value that is wrong in another way.
const WRONG: [(&str, &str); 9] = [
    ("/Context", r#"{"Context": "a\r\nb"}"#),
    (
        "/HttpHeaders/0/X-A",
        r#"{"HttpHeaders": [{"X-A": "a\r\nHost: b"}]}"#,
    ),
    ("/HttpHeaders/0/Host", r#"{"HttpHeaders": [{"Host": "a"}]}"#),
    ("/Destination", r#"{"Destination": "receiver"}"#),
    ("/Destination", r#"{"Destination": "http://192.0.2.1/"}"#),
    (
        "/Destination",
        r#"{"Destination": "https://me:pw@192.0.2.1/"}"#,
    ),
    ("/Destination", r#"{"Destination": "https://127.0.0.1/"}"#),
    (
        "/Destination",
        r#"{"Destination": "https://169.254.169.254/latest/meta-data"}"#,
    ),
    (
        "/Destination",
        r#"{"Destination": "https://[::ffff:127.0.0.1]/"}"#,
    ),
];

#[tokio::test]
async fn what_can_not_be_had_is_refused_with_the_property_and_leaves_nothing() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let mut refused = Vec::new();
    for (cases, message) in [
        (UNKNOWN.as_slice(), "PropertyValueNotInList"),
        (WRONG.as_slice(), "PropertyValueError"),
    ] {
        let case = |&(pointer, asked): &(_, &str)| {
            (serde_json::from_str(asked).unwrap(), message, pointer)
        };
        refused.extend(cases.iter().map(case));
    }
    let minutes = json!({"HeartbeatIntervalMinutes": 0});
    refused.push((
        minutes,
        "PropertyValueOutOfRange",
        "/HeartbeatIntervalMinutes",
    ));
    let many = json!({"MessageIds": vec!["ResourceCreated"; MAX_FILTER_ITEMS + 1]});
    refused.push((many, "PropertyValueError", "/MessageIds"));
    for (asked, message, pointer) in refused {
        let answer = client
            .post(SUBSCRIPTIONS, &body(Value::clone(&asked)))
            .await;
        assert_eq!(answer.status, 400, "{asked}");
        assert_eq!(answer.messages(), [message], "{asked}");
        let info = &answer.json()["error"]["@Message.ExtendedInfo"][0];
        let related = json!([format!("#{pointer}")]);
        assert_eq!(info["RelatedProperties"], related, "{asked}");
    }
    let missing = client.post(SUBSCRIPTIONS, r#"{"Context": "a"}"#).await;
    let lacking = "CreateFailedMissingReqProperties";
    missing.assert_error(400, &[lacking, lacking]);
    assert_eq!(
        client.get(SUBSCRIPTIONS).await.json()["Members@odata.count"],
        0
    );
}

#[tokio::test]
async fn some_of_a_subscription_can_be_changed_and_the_rest_stays() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let answer = client.post(SUBSCRIPTIONS, &body(json!({}))).await;
    let path = answer.header("location").unwrap().to_owned();
    let patch = r#"{"Context": "new", "DeliveryRetryPolicy": "RetryForever", "VerifyCertificate": false, "HttpHeaders": [{"X-A": "b"}]}"#;
    let changed = client.patch(&path, patch).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    changed.assert_valid();
    assert_eq!(changed.json()["Context"], "new");
    assert_eq!(changed.json()["DeliveryRetryPolicy"], "RetryForever");
    assert_eq!(changed.json()["VerifyCertificate"], false);
    client
        .patch(&path, r#"{"MessageIds": []}"#)
        .await
        .assert_error(400, &["PropertyNotWritable"]);
    client
        .patch(&path, r#"{"HttpHeaders": [{"X-A": "a\nb"}]}"#)
        .await
        .assert_error(400, &["PropertyValueError"]);
}

#[tokio::test]
async fn subscriptions_and_settings_survive_a_restart_and_no_id_comes_again() {
    let store = Store::in_memory().unwrap();
    let bench = Bench::with(store.clone());
    let client = bench.client("root").await;
    let mut paths = Vec::new();
    for context in ["a", "b"] {
        let answer = client
            .post(SUBSCRIPTIONS, &body(json!({"Context": context})))
            .await;
        paths.push(answer.header("location").unwrap().to_owned());
    }
    let suspend = format!("{}/Actions/EventDestination.SuspendSubscription", paths[0]);
    assert_eq!(client.post(&suspend, "{}").await.status, 204);
    client.call("DELETE", &paths[1], &[], "").await;
    let patch = r#"{"DeliveryRetryAttempts": 7, "DeliveryRetryIntervalSeconds": 9}"#;
    let set = client.patch(SERVICE, patch).await;
    assert_eq!(set.status, 200, "{set:?}");
    drop(bench);

    let bench = Bench::with(store);
    let client = bench.client("root").await;
    let service = client.get(SERVICE).await.json();
    assert_eq!(service["DeliveryRetryAttempts"], 7);
    assert_eq!(service["DeliveryRetryIntervalSeconds"], 9);
    let shown = client.get(&paths[0]).await.json();
    assert_eq!(shown["Context"], "a");
    assert_eq!(shown["Status"]["State"], "Disabled");
    client
        .get(&paths[1])
        .await
        .assert_error(404, &["InvalidURI"]);
    let next = client.post(SUBSCRIPTIONS, &body(json!({}))).await;
    assert_ne!(next.header("location").unwrap(), paths[1]);
}

#[tokio::test]
async fn settings_of_the_service_have_bounds() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for patch in [
        r#"{"DeliveryRetryAttempts": -1}"#,
        r#"{"DeliveryRetryAttempts": 1001}"#,
        r#"{"DeliveryRetryIntervalSeconds": 0}"#,
        r#"{"DeliveryRetryIntervalSeconds": 86401}"#,
    ] {
        let answer = client.patch(SERVICE, patch).await;
        answer.assert_error(400, &["PropertyValueOutOfRange"]);
    }
    let reader = bench.client("reader").await;
    let refused = reader.patch(SERVICE, r#"{"ServiceEnabled": false}"#).await;
    refused.assert_error(403, &["InsufficientPrivilege"]);
}

#[tokio::test]
async fn the_number_of_subscriptions_is_bounded() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for _ in 0..MAX_SUBSCRIPTIONS {
        assert_eq!(
            client.post(SUBSCRIPTIONS, &body(json!({}))).await.status,
            201
        );
    }
    let more = client.post(SUBSCRIPTIONS, &body(json!({}))).await;
    more.assert_error(409, &["CreateLimitReachedForResource"]);
    let path = format!("{SUBSCRIPTIONS}/1");
    assert_eq!(client.call("DELETE", &path, &[], "").await.status, 204);
    assert_eq!(
        client.post(SUBSCRIPTIONS, &body(json!({}))).await.status,
        201
    );
}

#[tokio::test]
async fn an_operator_subscribes_and_changes_what_is_his_and_a_reader_reads() {
    let bench = Bench::new();
    let (root, operator) = (bench.client("root").await, bench.client("operator").await);
    let reader = bench.client("reader").await;
    let of_root = root.post(SUBSCRIPTIONS, &body(json!({}))).await;
    let of_root = of_root.header("location").unwrap();
    let own = operator.post(SUBSCRIPTIONS, &body(json!({}))).await;
    assert_eq!(own.status, 201, "{own:?}");
    let own = own.header("location").unwrap();
    let denied = operator.call("DELETE", of_root, &[], "").await;
    denied.assert_error(403, &["InsufficientPrivilege"]);
    let denied = reader.post(SUBSCRIPTIONS, &body(json!({}))).await;
    denied.assert_error(403, &["InsufficientPrivilege"]);
    assert_eq!(reader.get(own).await.status, 200);
    assert_eq!(operator.patch(own, r#"{"Context": "x"}"#).await.status, 200);
    assert_eq!(operator.call("DELETE", own, &[], "").await.status, 204);
}

#[tokio::test]
async fn an_account_made_again_under_a_name_does_not_get_what_the_one_before_had() {
    let state = StateFile::new();
    let own = {
        let bench = state.bench();
        let root = bench.client("root").await;
        let accounts = "/redfish/v1/AccountService/Accounts";
        let anna = json!({"UserName": "anna", "Password": PASSWORD, "RoleId": "Operator"});
        let anna = anna.to_string();
        assert_eq!(root.post(accounts, &anna).await.status, 201);
        let first = bench.client("anna").await;
        let own = first.post(SUBSCRIPTIONS, &body(json!({}))).await;
        let own = own.header("location").unwrap().to_owned();
        let changed = first.patch(&own, r#"{"Context": "x"}"#).await;
        assert_eq!(changed.status, 200);
        let path = format!("{accounts}/anna");
        assert_eq!(root.call("DELETE", &path, &[], "").await.status, 204);
        let again = root.post(accounts, &anna).await;
        assert_eq!(again.header("location"), Some(&*path));
        own
    };
    // It went with its account, also from what is kept over a restart.
    let bench = state.bench();
    let second = bench.client("anna").await;
    let gone = second.call("DELETE", &own, &[], "").await;
    gone.assert_error(404, &["InvalidURI"]);
    let others = second.post(SUBSCRIPTIONS, &body(json!({}))).await;
    let others = others.header("location").unwrap();
    assert_eq!(second.call("DELETE", others, &[], "").await.status, 204);
}

#[tokio::test]
async fn a_test_event_has_parameters_that_are_checked() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let action = format!("{SERVICE}/Actions/EventService.SubmitTestEvent");
    let good = r#"{"MessageId": "ResourceEvent.1.3.TestMessage", "MessageArgs": []}"#;
    assert_eq!(client.post(&action, good).await.status, 204);
    for (bad, message) in [
        (r#"{"MessageArgs": []}"#, "ActionParameterMissing"),
        (
            r#"{"MessageId": "x", "MessageArgs": []}"#,
            "ActionParameterValueFormatError",
        ),
        (
            r#"{"MessageId": "ResourceEvent.1.3.Nothing", "MessageArgs": []}"#,
            "ActionParameterValueError",
        ),
        (
            r#"{"MessageId": "TaskEvent.1.0.TaskStarted", "MessageArgs": []}"#,
            "ActionParameterValueError",
        ),
        (
            r#"{"MessageId": "ResourceEvent.1.3.TestMessage", "MessageArgs": [], "MessageSeverity": "Bad"}"#,
            "ActionParameterValueNotInList",
        ),
        (
            r#"{"MessageId": "ResourceEvent.1.3.TestMessage", "MessageArgs": [], "OriginOfCondition": "/etc"}"#,
            "ActionParameterValueError",
        ),
        (
            r#"{"MessageId": "ResourceEvent.1.3.TestMessage", "MessageArgs": [], "EventTimestamp": "now"}"#,
            "ActionParameterValueFormatError",
        ),
        (
            r#"{"MessageId": "ResourceEvent.1.3.TestMessage", "MessageArgs": [], "Colour": "red"}"#,
            "ActionParameterUnknown",
        ),
    ] {
        client
            .post(&action, bad)
            .await
            .assert_error(400, &[message]);
    }
    client.patch(SERVICE, r#"{"ServiceEnabled": false}"#).await;
    assert_eq!(
        client.get(SERVICE).await.json()["Status"]["State"],
        "Disabled"
    );
    let disabled = client.post(&action, good).await;
    disabled.assert_error(503, &["ServiceDisabled"]);
}

#[tokio::test]
async fn a_subscription_stays_its_accounts_when_that_gets_another_name() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let role = r#"{"RoleId":"Listener","AssignedPrivileges":["Login","ConfigureSelf","ConfigureComponents"]}"#;
    let roles = "/redfish/v1/AccountService/Roles";
    assert_eq!(root.post(roles, role).await.status, 201);
    let accounts = "/redfish/v1/AccountService/Accounts";
    let account = |name: &str| {
        format!(r#"{{"UserName":"{name}","Password":"{PASSWORD}","RoleId":"Listener"}}"#)
    };
    assert_eq!(root.post(accounts, &account("anna")).await.status, 201);
    let subscription =
        r#"{"Destination":"https://203.0.113.1/","Protocol":"Redfish","Context":"x"}"#;
    let subscriptions = "/redfish/v1/EventService/Subscriptions";
    let anna = bench.client("anna").await;
    let made = anna.post(subscriptions, subscription).await;
    assert_eq!(made.status, 201, "{made:?}");
    let uri = made.header("location").unwrap().to_owned();
    let rename = r#"{"UserName":"berta"}"#;
    let renamed = root.patch(&format!("{accounts}/anna"), rename).await;
    assert_eq!(renamed.status, 200);
    assert_eq!(root.post(accounts, &account("anna")).await.status, 201);

    let change = r#"{"Context":"new"}"#;
    let another = bench.client("anna").await;
    assert_eq!(
        another.patch(&uri, change).await.status,
        403,
        "only the name is the same"
    );
    let berta = bench.client("berta").await;
    assert_eq!(berta.patch(&uri, change).await.status, 200);
    assert_eq!(berta.call("DELETE", &uri, &[], "").await.status, 204);
}
