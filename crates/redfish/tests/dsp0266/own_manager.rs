//! The service's own manager and its audit log.

use serde_json::Value;

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
