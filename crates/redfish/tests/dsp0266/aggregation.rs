//! `AggregationService`: machines that clients name (DSP0268 "AggregationSource", "ConnectionMethod").

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use redfish::{
    Aggregator, BackendFuture, ConfiguredSource, ConnectionMethod, ConnectionMethodType, Failure,
    Source, SourceChange, SourceState, Standing, Store, aggregation_sources, message,
};
use serde_json::{Value, json};

use crate::bench::{Answer, Bench, Client, StateFile};

const SERVICE: &str = "/redfish/v1/AggregationService";
const SOURCES: &str = "/redfish/v1/AggregationService/AggregationSources";
const METHOD: &str = "/redfish/v1/AggregationService/ConnectionMethods/IPMI20";

static METHODS: [ConnectionMethod; 1] = [ConnectionMethod {
    id: "IPMI20",
    name: "IPMI 2.0",
    kind: ConnectionMethodType::IPMI20,
}];

/// Takes whatever it is told, but for hosts named `wrong`. The operator has named one machine.
#[derive(Debug, Default)]
struct Fleet {
    log: Mutex<Vec<String>>,
    /// What the next change fails with, before it is kept.
    failure: Mutex<Option<Failure>>,
    /// What the next change fails with, after it is kept.
    late_failure: Mutex<Option<Failure>>,
    /// What the other end of a login is.
    passwords: Mutex<Vec<String>>,
    /// Changes wait while somebody else has it.
    gate: tokio::sync::Mutex<()>,
    /// A change has come.
    come: tokio::sync::Notify,
}

impl Fleet {
    fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

impl Aggregator for Fleet {
    fn methods(&self) -> &'static [ConnectionMethod] {
        &METHODS
    }

    fn configured(&self) -> Vec<String> {
        vec!["operators".to_owned()]
    }

    fn configured_source(&self, id: &str) -> Option<ConfiguredSource> {
        (id == "operators").then(|| ConfiguredSource {
            host_name: "10.0.0.9".to_owned(),
            method: "IPMI20",
            origin: "Named by the configuration file; change it there.".to_owned(),
        })
    }

    fn standing(&self, id: &str) -> Standing {
        Standing {
            state: match id {
                "operators" => SourceState::Enabled,
                "down" => SourceState::Offline {
                    reason: "no answer".to_owned(),
                },
                "aside" => SourceState::Aside {
                    reason: "another has the same BMC".to_owned(),
                },
                _ => SourceState::Starting,
            },
            resources: vec!["/redfish/v1/Systems/1".to_owned()],
        }
    }

    fn id_of(&self, host_name: &str, _port: Option<u16>) -> String {
        host_name.replace(':', "-")
    }

    fn check(&self, source: &Source) -> Result<(), Failure> {
        match &*source.host_name {
            "wrong" => {
                let message = message::property_value_format_error("wrong", "HostName");
                Err(Failure::Messages(vec![message.about("/HostName")]))
            }
            _ => Ok(()),
        }
    }

    fn change<'a>(
        &'a self,
        change: SourceChange,
        keep: BackendFuture<'static, ()>,
    ) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            if let Some(failure) = self.failure.lock().unwrap().take() {
                return Err(failure);
            }
            let entry = match &change {
                SourceChange::Add(source) => format!("add {} {}", source.id, source.host_name),
                SourceChange::Replace(source) => {
                    format!("replace {} {}", source.id, source.host_name)
                }
                SourceChange::Remove(id) => format!("remove {id}"),
            };
            self.log.lock().unwrap().push(entry);
            if let SourceChange::Add(source) | SourceChange::Replace(source) = &change {
                let login = source.login.as_ref();
                let login = login.map(|login| format!("{}:{}", login.user_name, *login.password));
                self.passwords.lock().unwrap().extend(login);
            }
            self.come.notify_one();
            drop(self.gate.lock().await);
            keep.await?;
            match self.late_failure.lock().unwrap().take() {
                Some(failure) => Err(failure),
                None => Ok(()),
            }
        })
    }
}

fn bench(fleet: &Arc<Fleet>) -> Bench {
    Bench::aggregating(
        Store::in_memory().unwrap(),
        Arc::clone(fleet) as Arc<dyn Aggregator>,
    )
}

fn body(host: &str) -> Value {
    json!({"HostName": host, "UserName": "admin", "Password": "geheim"})
}

async fn post(client: &Client<'_>, body: &Value) -> Answer {
    client.post(SOURCES, &body.to_string()).await
}

fn paths(collection: &Value) -> BTreeSet<String> {
    let members = collection["Members"].as_array().unwrap().iter();
    members
        .map(|member| member["@odata.id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn all_of_it_is_linked_valid_and_at_an_announced_place() {
    let fleet = Arc::new(Fleet::default());
    let bench = bench(&fleet);
    let client = bench.client("root").await;
    for id in ["down", "aside", "n1"] {
        let mut body = body("10.0.0.1");
        body["Id"] = json!(id);
        assert_eq!(post(&client, &body).await.status, 201);
    }
    let walked = crate::get::walk(&bench).await;
    for uri in [
        SERVICE.to_owned(),
        SOURCES.to_owned(),
        format!("{SOURCES}/n1"),
        format!("{SOURCES}/operators"),
        METHOD.to_owned(),
    ] {
        assert!(walked.contains(&uri), "{uri}");
        let mut places = bench.service.templates();
        assert!(places.any(|place| place.is_at(&uri)), "{uri}");
    }
    let method = client.get(METHOD).await.json();
    assert_eq!(method["ConnectionMethodType"], "IPMI20");
    for (id, state, health) in [
        ("n1", "Starting", Value::Null),
        ("down", "UnavailableOffline", json!("Critical")),
        ("aside", "Disabled", json!("Warning")),
        ("operators", "Enabled", json!("OK")),
    ] {
        let status = client.get(&format!("{SOURCES}/{id}")).await.json()["Status"].clone();
        assert_eq!(
            (&status["State"], &status["Health"]),
            (&json!(state), &health)
        );
    }
    let document = bench.call("GET", "/redfish/v1/odata", &[], "").await.json();
    let urls = document["value"].as_array().unwrap();
    assert!(urls.iter().any(|one| one["url"] == SERVICE));
}

#[tokio::test]
async fn without_somebody_who_takes_machines_up_there_is_no_such_service() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let root = client.get("/redfish/v1/").await.json();
    assert!(root.get("AggregationService").is_none());
    for (method, uri) in [("GET", SERVICE), ("GET", SOURCES), ("POST", SOURCES)] {
        let answer = client
            .call(method, uri, &[], &body("10.0.0.1").to_string())
            .await;
        answer.assert_error(404, &["InvalidURI"]);
    }
    let mut places = bench.service.templates();
    assert!(!places.any(|place| place.uri.starts_with(SERVICE)));
}

#[tokio::test]
async fn a_source_is_added_changed_and_removed_and_its_password_is_never_shown() {
    let fleet = Arc::new(Fleet::default());
    let bench = bench(&fleet);
    let client = bench.client("root").await;
    let mut body = body("10.0.0.1:6230");
    body["Links"] = json!({"ConnectionMethod": {"@odata.id": METHOD}});
    let made = post(&client, &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let path = format!("{SOURCES}/10.0.0.1-6230");
    assert_eq!(made.header("location"), Some(&*path));
    assert_eq!(fleet.log(), ["add 10.0.0.1-6230 10.0.0.1:6230"]);
    let source = made.json();
    assert_eq!(source["Name"], "10.0.0.1-6230");
    assert_eq!(source["HostName"], "10.0.0.1:6230");
    assert_eq!(source["UserName"], "admin");
    assert_eq!(source["Password"], Value::Null);
    assert_eq!(source["Links"]["ConnectionMethod"]["@odata.id"], METHOD);
    let accessed = &source["Links"]["ResourcesAccessed"][0]["@odata.id"];
    assert_eq!(accessed, "/redfish/v1/Systems/1");

    let changed = client.patch(&path, r#"{"Password": "neues"}"#).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let moved = client
        .patch(
            &path,
            r#"{"HostName": "10.0.0.2", "UserName": "root", "Password": "neues"}"#,
        )
        .await;
    assert_eq!(moved.json()["HostName"], "10.0.0.2");
    assert_eq!(moved.json()["UserName"], "root");
    assert_eq!(
        fleet.log(),
        [
            "replace 10.0.0.1-6230 10.0.0.1:6230",
            "replace 10.0.0.1-6230 10.0.0.2"
        ]
    );
    assert_eq!(
        *fleet.passwords.lock().unwrap(),
        ["admin:geheim", "admin:neues", "root:neues"]
    );
    let all = client.get(&format!("{SOURCES}?$expand=.")).await;
    let entries = "/redfish/v1/Managers/Testbench/LogServices/Audit/Entries";
    let audit = client.get(entries).await;
    for answer in [&made, &changed, &moved, &all, &audit] {
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(
            !text.contains("geheim") && !text.contains("neues"),
            "{text}"
        );
    }

    let stale = [("if-match", "\"stale\"")];
    let refused = client.call("DELETE", &path, &stale, "").await;
    refused.assert_error(412, &["PreconditionFailed"]);
    let refused = client
        .call("PATCH", &path, &stale, r#"{"UserName": "x"}"#)
        .await;
    refused.assert_error(412, &["PreconditionFailed"]);
    let tag = client.get(&path).await.header("etag").unwrap().to_owned();
    let gone = client
        .call("DELETE", &path, &[("if-match", &tag)], "")
        .await;
    assert_eq!(gone.status, 204, "{gone:?}");
    assert_eq!(fleet.log(), ["remove 10.0.0.1-6230"]);
    client.get(&path).await.assert_error(404, &["InvalidURI"]);
    let again = client.call("DELETE", &path, &[], "").await;
    again.assert_error(404, &["InvalidURI"]);
}

#[tokio::test]
async fn a_port_is_given_back_as_it_was_given_and_a_password_goes_to_no_other_port() {
    let fleet = Arc::new(Fleet::default());
    let bench = bench(&fleet);
    let client = bench.client("root").await;
    let mut ported = body("[2001:db8::1]");
    (ported["Id"], ported["Port"]) = (json!("n1"), json!(6230));
    let made = post(&client, &ported).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(
        (&made.json()["HostName"], &made.json()["Port"]),
        (&json!("[2001:db8::1]"), &json!(6230))
    );
    let mut in_host = body("ipmi://10.0.0.1:6230");
    in_host["Id"] = json!("n2");
    let made = post(&client, &in_host).await.json();
    assert_eq!(
        (&made["HostName"], &made["Port"]),
        (&json!("ipmi://10.0.0.1:6230"), &Value::Null)
    );

    let path = format!("{SOURCES}/n1");
    for (body, status) in [
        (r#"{"Port": 6231}"#, 400),
        (r#"{"Port": 6230}"#, 200),
        (r#"{"Port": 6231, "Password": "neues"}"#, 200),
        (r#"{"Port": null}"#, 400),
        (r#"{"Port": null, "Password": "neues"}"#, 200),
    ] {
        let answer = client.patch(&path, body).await;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
    }
    assert_eq!(client.get(&path).await.json()["Port"], Value::Null);
}

/// Bodies of which something is wrong: with which message, and about what.
fn wrong_bodies() -> Vec<(Value, &'static str, &'static str)> {
    let with = |name: &str, value: Value| {
        let mut body = body("10.0.0.1");
        body[name] = value;
        body
    };
    let missing = "CreateFailedMissingReqProperties";
    vec![
        (
            json!({"UserName": "a", "Password": "b"}),
            missing,
            "HostName",
        ),
        (
            json!({"HostName": "h", "UserName": "a"}),
            missing,
            "Password",
        ),
        (
            json!({"HostName": "h", "Password": "a"}),
            missing,
            "UserName",
        ),
        (with("Port", json!(0)), "PropertyValueOutOfRange", "Port"),
        (
            with("Port", json!(65_536)),
            "PropertyValueOutOfRange",
            "Port",
        ),
        (
            with("HostName", json!("wrong")),
            "PropertyValueFormatError",
            "HostName",
        ),
        (
            with("HostName", json!("x".repeat(300))),
            "PropertyValueError",
            "HostName",
        ),
        (
            with("HostName", json!("")),
            "PropertyValueError",
            "HostName",
        ),
        (
            with("HostName", json!(7)),
            "PropertyValueTypeError",
            "HostName",
        ),
        (
            with("HostName", json!(null)),
            "PropertyValueError",
            "HostName",
        ),
        (with("UserName", json!(null)), missing, "UserName"),
        (with("Password", json!(null)), missing, "Password"),
        (
            with("Password", json!("x".repeat(300))),
            "PropertyValueError",
            "Password",
        ),
        (with("Colour", json!("red")), "PropertyUnknown", "Colour"),
        (
            with("Status", json!({"State": "Enabled"})),
            "PropertyNotWritable",
            "Status",
        ),
    ]
}

/// Bodies with a connection method that isn't there.
fn wrong_methods() -> impl Iterator<Item = (Value, &'static str, &'static str)> {
    let paths = [
        "/redfish/v1/AggregationService/ConnectionMethods/SNMP",
        "/redfish/v1/Systems/IPMI20",
    ];
    paths.into_iter().map(|path| {
        let mut body = body("10.0.0.1");
        body["Links"] = json!({"ConnectionMethod": {"@odata.id": path}});
        (body, "PropertyValueNotInList", "Links/ConnectionMethod")
    })
}

#[tokio::test]
async fn what_is_wrong_is_refused_with_the_property_and_changes_nothing() {
    let fleet = Arc::new(Fleet::default());
    let bench = bench(&fleet);
    let client = bench.client("root").await;
    for (body, key, property) in wrong_bodies().into_iter().chain(wrong_methods()) {
        let answer = post(&client, &body).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        let message = &answer.json()["error"]["@Message.ExtendedInfo"][0];
        let id = message["MessageId"].as_str().unwrap();
        assert!(id.ends_with(&format!(".{key}")), "{body}: {message}");
        let about = message["RelatedProperties"][0].as_str().unwrap();
        assert!(
            about.starts_with(&format!("#/{property}")),
            "{body}: {message}"
        );
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(!text.contains("geheim"), "{text}");
    }
    assert!(fleet.log().is_empty());
    assert_eq!(
        paths(&client.get(SOURCES).await.json()),
        BTreeSet::from([format!("{SOURCES}/operators")])
    );
}

#[tokio::test]
async fn what_is_there_twice_is_refused_and_so_is_what_the_fleet_can_not_take() {
    let fleet = Arc::new(Fleet::default());
    let bench = bench(&fleet);
    let client = bench.client("root").await;
    assert_eq!(post(&client, &body("10.0.0.1")).await.status, 201);
    let twice = post(&client, &body("10.0.0.1")).await;
    twice.assert_error(409, &["ResourceAlreadyExists"]);
    assert_eq!(fleet.log(), ["add 10.0.0.1 10.0.0.1"]);

    let same_host = Failure::AlreadyExists {
        resource: "AggregationSource",
        property: "HostName",
        value: "10.0.0.2".to_owned(),
    };
    *fleet.failure.lock().unwrap() = Some(same_host);
    let refused = post(&client, &body("10.0.0.2")).await;
    refused.assert_error(409, &["ResourceAlreadyExists"]);
    let about = &refused.json()["error"]["@Message.ExtendedInfo"][0]["RelatedProperties"];
    assert_eq!(about, &json!(["#/HostName"]));
    let path = format!("{SOURCES}/10.0.0.1");
    *fleet.failure.lock().unwrap() = Some(Failure::LimitReached);
    let moved = r#"{"HostName": "10.0.0.3", "Password": "geheim"}"#;
    let refused = client.patch(&path, moved).await;
    refused.assert_error(409, &["CreateLimitReachedForResource"]);
    assert_eq!(client.get(&path).await.json()["HostName"], "10.0.0.1");
    let collection = client.get(SOURCES).await.json();
    assert_eq!(collection["Members@odata.count"], 2);
}

#[tokio::test]
async fn what_the_operator_has_named_can_be_read_and_says_where_it_is_changed() {
    let fleet = Arc::new(Fleet::default());
    let bench = bench(&fleet);
    let client = bench.client("root").await;
    let path = format!("{SOURCES}/operators");
    let source = client.get(&path).await;
    assert_eq!(source.header("allow"), Some("GET, HEAD"));
    let source = source.json();
    assert_eq!(source["HostName"], "10.0.0.9");
    assert_eq!(
        source["Description"],
        "Named by the configuration file; change it there."
    );
    assert!(source.get("UserName").is_none());
    for method in ["PATCH", "DELETE"] {
        let refused = client
            .call(method, &path, &[], r#"{"HostName": "x"}"#)
            .await;
        refused.assert_error(405, &["OperationNotAllowed"]);
    }
    assert!(fleet.log().is_empty());
}

#[tokio::test]
async fn a_change_whose_client_hangs_up_keeps_its_lock_and_is_audited() {
    let fleet = Arc::new(Fleet::default());
    let bench = bench(&fleet);
    let client = bench.client("root").await;
    let path = format!("{SOURCES}/10.0.0.1");
    let posted = body("10.0.0.1").to_string();
    let entries = "/redfish/v1/Managers/Testbench/LogServices/Audit/Entries";
    for (method, uri, text, entry) in [
        ("POST", SOURCES, &*posted, "created"),
        ("PATCH", &*path, r#"{"Password": "neues"}"#, "changed"),
        ("DELETE", &*path, "", "deleted"),
    ] {
        let tag = client.get(&path).await.header("etag").map(str::to_owned);
        let held = fleet.gate.lock().await;
        let request = client.call(method, uri, &[], text);
        tokio::select! {
            answer = request => panic!("{answer:?}"),
            () = fleet.come.notified() => {}
        }
        // The client is gone. The next one meets what it has done.
        let tag = tag.unwrap_or_default();
        let headers = [("if-match", &*tag)];
        let next = client.call(
            method,
            uri,
            if method == "POST" { &[] } else { &headers },
            text,
        );
        let (answer, ()) = tokio::join!(next, async { drop(held) });
        let wanted = match method {
            "POST" => 409,
            "PATCH" => 412,
            _ => 404,
        };
        assert_eq!(answer.status, wanted, "{method}: {answer:?}");
        let audit = client.get(entries).await.json();
        let told = audit["Members"].as_array().unwrap().iter().any(|member| {
            let text = member["Message"].as_str().unwrap_or_default();
            text.contains(&path) && text.contains(entry)
        });
        assert!(told, "{method}: {audit}");
    }
    assert_eq!(fleet.log().len(), 3);
}

#[tokio::test]
async fn what_is_kept_but_can_not_be_put_in_force_is_taken_back() {
    let fleet = Arc::new(Fleet::default());
    let store = Store::in_memory().unwrap();
    let aggregator = Arc::clone(&fleet) as Arc<dyn Aggregator>;
    let bench = Bench::aggregating(store.clone(), aggregator);
    let client = bench.client("root").await;
    let fail = || {
        *fleet.late_failure.lock().unwrap() = Some(Failure::Internal("no thread".to_owned()));
    };
    let path = format!("{SOURCES}/10.0.0.1");
    fail();
    assert_eq!(post(&client, &body("10.0.0.1")).await.status, 500);
    assert_eq!(client.get(&path).await.status, 404);
    assert!(aggregation_sources(&store).unwrap().is_empty());
    assert_eq!(post(&client, &body("10.0.0.1")).await.status, 201);
    let kept = aggregation_sources(&store).unwrap();
    for (method, text) in [("PATCH", r#"{"Password": "neues"}"#), ("DELETE", "")] {
        fail();
        let answer = client.call(method, &path, &[], text).await;
        assert_eq!(answer.status, 500, "{method}");
        assert_eq!(client.get(&path).await.status, 200, "{method}");
        assert_eq!(aggregation_sources(&store).unwrap(), kept, "{method}");
    }
}

#[tokio::test]
async fn a_stored_password_goes_to_no_other_host_and_null_means_the_usual_login() {
    let fleet = Arc::new(Fleet::default());
    let bench = bench(&fleet);
    let client = bench.client("root").await;
    let without = json!({"HostName": "10.0.0.5", "UserName": null, "Password": null, "Links": {}});
    let made = post(&client, &without).await;
    assert_eq!(made.status, 201, "{made:?}");
    let link = &made.json()["Links"]["ConnectionMethod"]["@odata.id"];
    assert_eq!(link, METHOD);
    let usual = format!("{SOURCES}/10.0.0.5");
    // It has no password yet, and that may go on.
    let moved = client.patch(&usual, r#"{"HostName": "10.0.0.6"}"#).await;
    assert_eq!(moved.status, 200, "{moved:?}");
    assert_eq!(post(&client, &body("10.0.0.1")).await.status, 201);
    let own = format!("{SOURCES}/10.0.0.1");
    fleet.log();
    for (path, text, key, property) in [
        (
            &usual,
            r#"{"UserName": "x"}"#,
            "PropertyMissing",
            "Password",
        ),
        (
            &usual,
            r#"{"Password": "x"}"#,
            "PropertyMissing",
            "UserName",
        ),
        (
            &own,
            r#"{"HostName": "192.0.2.1"}"#,
            "PropertyMissing",
            "Password",
        ),
        (
            &own,
            r#"{"HostName": "192.0.2.1", "UserName": "x"}"#,
            "PropertyMissing",
            "Password",
        ),
        (&own, r#"{"Password": null}"#, "PropertyMissing", "Password"),
        (
            &own,
            r#"{"HostName": null}"#,
            "PropertyValueError",
            "HostName",
        ),
    ] {
        let refused = client.patch(path, text).await;
        refused.assert_error(400, &[key]);
        let about = &refused.json()["error"]["@Message.ExtendedInfo"][0]["RelatedProperties"];
        assert_eq!(about, &json!([format!("#/{property}")]), "{text}");
    }
    assert!(fleet.log().is_empty());
    let null = client
        .patch(&own, r#"{"HostName": "192.0.2.1", "UserName": null}"#)
        .await;
    assert_eq!(null.json()["UserName"], Value::Null, "{null:?}");
    assert_eq!(*fleet.passwords.lock().unwrap(), ["admin:geheim"]);
}

#[tokio::test]
async fn of_two_new_passwords_for_the_same_state_one_is_taken() {
    let fleet = Arc::new(Fleet::default());
    let bench = bench(&fleet);
    let client = bench.client("root").await;
    let made = post(&client, &body("10.0.0.1")).await;
    let path = format!("{SOURCES}/10.0.0.1");
    let tag = client.get(&path).await.header("etag").unwrap().to_owned();
    assert_eq!(made.header("etag"), Some(&*tag));
    let matching = [("if-match", &*tag)];
    let first = client
        .call("PATCH", &path, &matching, r#"{"Password": "eins"}"#)
        .await;
    assert_eq!(first.status, 200);
    let second = client
        .call("PATCH", &path, &matching, r#"{"Password": "zwei"}"#)
        .await;
    second.assert_error(412, &["PreconditionFailed"]);
    assert_eq!(
        *fleet.passwords.lock().unwrap(),
        ["admin:geheim", "admin:eins"]
    );
}

#[tokio::test]
async fn only_who_may_configure_managers_may_change_sources() {
    let fleet = Arc::new(Fleet::default());
    let bench = bench(&fleet);
    let root = bench.client("root").await;
    assert_eq!(post(&root, &body("10.0.0.1")).await.status, 201);
    let path = format!("{SOURCES}/10.0.0.1");
    for user in ["reader", "operator"] {
        let client = bench.client(user).await;
        assert_eq!(client.get(&path).await.status, 200);
        for (method, uri) in [("POST", SOURCES), ("PATCH", &path), ("DELETE", &path)] {
            let text = body("10.0.0.2").to_string();
            let refused = client.call(method, uri, &[], &text).await;
            refused.assert_error(403, &["InsufficientPrivilege"]);
        }
    }
    bench
        .call("GET", &path, &[], "")
        .await
        .assert_error(401, &["NoValidSession"]);
    assert_eq!(fleet.log().len(), 1);
}

#[tokio::test]
async fn sources_and_their_logins_outlive_a_restart() {
    let file = StateFile::new();
    let open = || loop {
        match Store::open(file.path()) {
            Ok(store) => return store,
            Err(redfish::StoreError::InUse) => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    };
    let fleet = Arc::new(Fleet::default());
    let service = |store| Bench::aggregating(store, Arc::clone(&fleet) as Arc<dyn Aggregator>);
    {
        let bench = service(open());
        let client = bench.client("root").await;
        for host in ["10.0.0.1", "10.0.0.2", "10.0.0.3"] {
            assert_eq!(post(&client, &body(host)).await.status, 201);
        }
        let path = format!("{SOURCES}/10.0.0.2");
        assert_eq!(client.call("DELETE", &path, &[], "").await.status, 204);
        let path = format!("{SOURCES}/10.0.0.3");
        let changed = client.patch(&path, r#"{"Password": "neues"}"#).await;
        assert_eq!(changed.status, 200);
    }
    let store = open();
    let kept = aggregation_sources(&store).unwrap();
    let logins: Vec<_> = kept
        .iter()
        .map(|source| (&*source.id, &**source.login.as_ref().unwrap().password))
        .collect();
    assert_eq!(logins, [("10.0.0.1", "geheim"), ("10.0.0.3", "neues")]);
    let bench = service(store);
    let client = bench.client("root").await;
    let ids = ["10.0.0.1", "10.0.0.3", "operators"];
    let wanted = ids.map(|id| format!("{SOURCES}/{id}"));
    assert_eq!(
        paths(&client.get(SOURCES).await.json()),
        BTreeSet::from(wanted)
    );
}
