//! Who may do what (DSP0266 "Privilege model").

use crate::bench::Bench;

const RESET: &str = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset";
const FORCE_OFF: &str = r#"{"ResetType":"ForceOff"}"#;

#[tokio::test]
async fn a_reader_reads_and_changes_nothing() {
    let bench = Bench::new();
    let reader = bench.client("reader").await;
    assert_eq!(reader.get("/redfish/v1/Systems/1").await.status, 200);
    reader
        .post(RESET, FORCE_OFF)
        .await
        .assert_error(403, &["InsufficientPrivilege"]);
    let patch = reader
        .patch(
            "/redfish/v1/Systems/1",
            r#"{"LocationIndicatorActive":true}"#,
        )
        .await;
    patch.assert_error(403, &["InsufficientPrivilege"]);
    let patch = reader
        .patch("/redfish/v1/SessionService", r#"{"SessionTimeout":60}"#)
        .await;
    patch.assert_error(403, &["InsufficientPrivilege"]);
    assert!(bench.rack.log().is_empty());
}

#[tokio::test]
async fn an_operator_operates_machines_but_not_the_service() {
    let bench = Bench::new();
    let operator = bench.client("operator").await;
    assert_eq!(operator.post(RESET, FORCE_OFF).await.status, 204);
    let patch = operator
        .patch("/redfish/v1/SessionService", r#"{"SessionTimeout":60}"#)
        .await;
    patch.assert_error(403, &["InsufficientPrivilege"]);
}

#[tokio::test]
async fn an_account_is_shown_to_its_owner_and_to_administrators() {
    let bench = Bench::new();
    let (root, reader) = (bench.client("root").await, bench.client("reader").await);
    let uri = |name| format!("/redfish/v1/AccountService/Accounts/{name}");
    assert_eq!(
        reader.get(&uri("reader")).await.json()["RoleId"],
        "ReadOnly"
    );
    reader
        .get(&uri("root"))
        .await
        .assert_error(403, &["InsufficientPrivilege"]);
    let account = root.get(&uri("reader")).await;
    assert_eq!(account.status, 200);
    assert!(account.json()["Password"].is_null());
    assert!(account.header("etag").is_some());
}

#[tokio::test]
async fn expand_shows_nothing_that_a_get_would_not() {
    let bench = Bench::new();
    let reader = bench.client("reader").await;
    let json = reader
        .get("/redfish/v1/AccountService/Accounts?$expand=.")
        .await
        .json();
    let expanded = |name| {
        let members = json["Members"].as_array().unwrap();
        members.iter().any(|member| member["UserName"] == name)
    };
    assert!(expanded("reader"));
    assert!(!expanded("root") && !expanded("operator"));
    assert_eq!(
        json["Members"][0].as_object().unwrap().len(),
        1,
        "a link stays a link"
    );
}

#[tokio::test]
async fn one_ends_ones_own_sessions_and_an_administrator_all() {
    let bench = Bench::new();
    let (root, reader) = (bench.client("root").await, bench.client("reader").await);
    let uri = |n: usize| format!("/redfish/v1/SessionService/Sessions/{n}");
    let forbidden = reader.call("DELETE", &uri(1), &[], "").await;
    forbidden.assert_error(403, &["InsufficientPrivilege"]);
    assert_eq!(root.call("DELETE", &uri(2), &[], "").await.status, 204);
    let reader = bench.client("reader").await;
    assert_eq!(reader.call("DELETE", &uri(3), &[], "").await.status, 204);
}
