//! The service's own manager and its audit log.

use std::sync::{Arc, Mutex};

use redfish::{Host, HostFacts, SsdpScope, SsdpSettings, Store};
use serde_json::{Value, json};

use crate::bench::Bench;

const OWN: &str = "/redfish/v1/Managers/Testbench";
const ENTRIES: &str = "/redfish/v1/Managers/Testbench/LogServices/Audit/Entries";

fn messages(entries: &Value) -> Vec<String> {
    let members = entries["Members"].as_array().unwrap();
    let text = |entry: &Value| {
        let user = entry["Username"].as_str().unwrap_or("-");
        format!("{user}: {}", entry["Message"].as_str().unwrap())
    };
    members.iter().map(text).collect()
}

#[tokio::test]
async fn the_service_is_a_manager_among_those_of_the_backend() {
    let bench = Bench::new();
    let client = bench.client("reader").await;
    let managers = client.get("/redfish/v1/Managers").await;
    managers.assert_valid();
    assert_eq!(managers.json()["Members@odata.count"], 2);
    assert_eq!(managers.json()["Members"][1]["@odata.id"], OWN);
    let root = client.get("/redfish/v1").await.json();
    assert_eq!(root["Links"]["ManagerProvidingService"]["@odata.id"], OWN);
    let own = client.get(OWN).await;
    own.assert_valid();
    assert_eq!(own.json()["ManagerType"], "Service");
    assert_eq!(own.json()["FirmwareVersion"], "1.2.3");
    assert_eq!(own.json()["DateTimeLocalOffset"], "+00:00");
    assert!(own.json()["DateTime"].as_str().unwrap().ends_with('Z'));
    assert_eq!(client.get("/redfish/v1/Managers/nobody").await.status, 404);
}

#[tokio::test]
async fn logins_refusals_and_changes_are_in_the_audit_log_without_values() {
    let bench = Bench::new();
    bench.log_in("root", "wrong").await;
    let reader = bench.client("reader").await;
    let reset = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset";
    let body = r#"{"ResetType":"ForceOff"}"#;
    assert_eq!(reader.post(reset, body).await.status, 403);
    let root = bench.client("root").await;
    assert_eq!(root.post(reset, body).await.status, 204);
    let service = "/redfish/v1/SessionService";
    assert_eq!(
        root.patch(service, r#"{"SessionTimeout":77}"#).await.status,
        200
    );
    let log = root.get(ENTRIES).await;
    log.assert_valid();
    let seen = messages(&log.json());
    assert_eq!(
        seen,
        [
            "root: login refused",
            "reader: logged in, session 1",
            "reader: denied POST /redfish/v1/Systems/1/Actions/ComputerSystem.Reset",
            "root: logged in, session 2",
            "root: invoked ComputerSystem.Reset of /redfish/v1/Systems/1: ResetType=ForceOff",
            "root: changed /redfish/v1/SessionService: /SessionTimeout",
        ]
    );
    let first = &log.json()["Members"][0];
    assert_eq!(first["Originator"], "127.0.0.1");
    assert_eq!(first["Severity"], "Warning");
}

#[tokio::test]
async fn clearing_the_audit_log_leaves_who_did_it() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let clear = "/redfish/v1/Managers/Testbench/LogServices/Audit/Actions/LogService.ClearLog";
    let reader = bench.client("reader").await;
    assert_eq!(reader.post(clear, "{}").await.status, 403);
    assert_eq!(root.post(clear, "{}").await.status, 204);
    let seen = messages(&root.get(ENTRIES).await.json());
    assert_eq!(
        seen,
        ["root: invoked LogService.ClearLog of /redfish/v1/Managers/Testbench/LogServices/Audit"]
    );
}

#[tokio::test]
async fn a_service_that_nothing_starts_again_refuses_a_restart() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let reset = format!("{OWN}/Actions/Manager.Reset");
    let answer = root
        .post(&reset, r#"{"ResetType":"GracefulRestart"}"#)
        .await;
    answer.assert_error(409, &["ActionParameterValueConflict"]);
    let answer = root.post(&reset, r#"{"ResetType":"Nmi"}"#).await;
    answer.assert_error(400, &["ActionParameterValueNotInList"]);
}

/// A host that can announce the service, and remembers how it was told to.
#[derive(Default)]
struct Announcing(Mutex<Vec<SsdpSettings>>);

impl Announcing {
    fn told(&self) -> Vec<SsdpSettings> {
        self.0.lock().unwrap().clone()
    }
}

impl Host for Announcing {
    fn facts(&self) -> HostFacts {
        HostFacts {
            ssdp: Some(SsdpSettings::default()),
            ..HostFacts::default()
        }
    }

    fn announce(&self, settings: SsdpSettings) {
        self.0.lock().unwrap().push(settings);
    }

    fn restart(&self) -> Result<(), String> {
        Ok(())
    }
}

const PROTOCOLS: &str = "/redfish/v1/Managers/Testbench/NetworkProtocol";

#[tokio::test]
async fn ssdp_is_switched_by_clients_and_stays_so_after_a_restart() {
    let store = Store::in_memory().unwrap();
    let host = Arc::new(Announcing::default());
    let bench = Bench::on(store.clone(), host.clone());
    let root = bench.client("root").await;
    let before = root.get(PROTOCOLS).await;
    before.assert_valid();
    let off = json!({
        "ProtocolEnabled": false, "Port": 1900, "NotifyMulticastIntervalSeconds": 600,
        "NotifyTTL": 2, "NotifyIPv6Scope": "Link",
    });
    assert_eq!(before.json()["SSDP"], off);
    let body = r#"{"SSDP": {"ProtocolEnabled": true, "NotifyTTL": 3, "NotifyIPv6Scope": "Site"}}"#;
    let after = root.patch(PROTOCOLS, body).await;
    assert_eq!(after.status, 200);
    assert_eq!(after.json()["SSDP"]["ProtocolEnabled"], true);
    let expected = SsdpSettings {
        is_enabled: true,
        ttl: 3,
        ipv6_scope: SsdpScope::Site,
        ..SsdpSettings::default()
    };
    assert_eq!(host.told(), [expected]);

    drop(bench);
    let host = Arc::new(Announcing::default());
    let bench = Bench::on(store, host.clone());
    assert_eq!(host.told(), [expected]);
    let root = bench.client("root").await;
    assert_eq!(root.get(PROTOCOLS).await.json()["SSDP"]["NotifyTTL"], 3);
}

#[tokio::test]
async fn ssdp_takes_no_value_out_of_bounds_and_nothing_else_can_be_changed() {
    let host = Arc::new(Announcing::default());
    let bench = Bench::on(Store::in_memory().unwrap(), host.clone());
    let root = bench.client("root").await;
    for (property, value) in [
        ("NotifyTTL", "0"),
        ("NotifyTTL", "256"),
        ("NotifyMulticastIntervalSeconds", "9"),
        ("NotifyMulticastIntervalSeconds", "901"),
        ("NotifyMulticastIntervalSeconds", "null"),
        ("NotifyIPv6Scope", "null"),
    ] {
        let body = format!(r#"{{"SSDP": {{"ProtocolEnabled": true, "{property}": {value}}}}}"#);
        let answer = root.patch(PROTOCOLS, &body).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
    }
    for body in [r#"{"HTTPS": {"Port": 1}}"#, r#"{"SSDP": {"Port": 1901}}"#] {
        let answer = root.patch(PROTOCOLS, body).await;
        answer.assert_error(400, &["PropertyNotWritable"]);
    }
    assert_eq!(host.told(), []);
    let body = r#"{"SSDP": {"ProtocolEnabled": true}}"#;
    let reader = bench.client("reader").await;
    assert_eq!(reader.patch(PROTOCOLS, body).await.status, 403);
    // A host that can't announce anything doesn't pretend to.
    let other = Bench::new();
    let root = other.client("root").await;
    assert_eq!(root.patch(PROTOCOLS, body).await.status, 405);
}
