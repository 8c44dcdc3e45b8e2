//! Wrong passwords, and what too many of them bring (`AccountService.AccountLockoutThreshold`).

use std::time::Duration;

use crate::authentication::basic;
use crate::bench::{Bench, PASSWORD};

const READER: &str = "/redfish/v1/AccountService/Accounts/reader";
const SERVICE: &str = "/redfish/v1/AccountService";
const SYSTEM: &str = "/redfish/v1/Systems/1";

async fn guess(bench: &Bench, times: usize) {
    for _ in 0..times {
        let refused = bench.log_in("reader", "wrong").await;
        refused.assert_error(401, &["ResourceAtUriUnauthorized"]);
    }
}

/// Moves the clock on. It runs by itself otherwise, since checks of passwords take real time.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_locked_account_opens_to_nobody_until_its_time_is_over() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let reader = bench.client("reader").await;
    let header = basic("reader", PASSWORD);
    let headers = [("authorization", header.as_str())];
    let get = || bench.call("GET", SYSTEM, &headers, "");
    assert_eq!(get().await.status, 200);
    root.patch(
        SERVICE,
        r#"{"AccountLockoutDuration":600,"AccountLockoutCounterResetAfter":600}"#,
    )
    .await;
    guess(&bench, 5).await;
    assert_eq!(root.get(READER).await.json()["Locked"], true);
    let right = bench.log_in("reader", PASSWORD).await;
    right.assert_error(401, &["ResourceAtUriUnauthorized"]);
    assert_eq!(get().await.status, 401, "remembered or not");
    assert_eq!(reader.get(SYSTEM).await.status, 200, "open sessions go on");
    assert_eq!(
        bench.log_in("operator", PASSWORD).await.status,
        201,
        "others log in"
    );
    pass(601).await;
    assert_eq!(root.get(READER).await.json()["Locked"], false);
    assert_eq!(bench.log_in("reader", PASSWORD).await.status, 201);
}

#[tokio::test]
async fn an_administrator_unlocks_and_a_login_starts_the_count_anew() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    root.patch(SERVICE, r#"{"AccountLockoutCounterResetEnabled":false}"#)
        .await;
    guess(&bench, 4).await;
    assert_eq!(bench.log_in("reader", PASSWORD).await.status, 201);
    guess(&bench, 4).await;
    assert_eq!(bench.log_in("reader", PASSWORD).await.status, 201);
    guess(&bench, 5).await;
    pass(1_000).await;
    assert_eq!(
        bench.log_in("reader", PASSWORD).await.status,
        401,
        "until it is ended"
    );
    let locked = root.patch(READER, r#"{"Locked":true}"#).await;
    locked.assert_error(400, &["PropertyValueError"]);
    let unlocked = root.patch(READER, r#"{"Locked":false}"#).await;
    assert_eq!(unlocked.json()["Locked"], false);
    assert_eq!(bench.log_in("reader", PASSWORD).await.status, 201);
}

#[tokio::test]
async fn the_last_administrator_is_never_locked_for_good() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    root.patch(SERVICE, r#"{"AccountLockoutCounterResetEnabled":false}"#)
        .await;
    for _ in 0..5 {
        bench.log_in("root", "wrong").await;
    }
    assert_eq!(bench.log_in("root", PASSWORD).await.status, 201);
}

#[tokio::test]
async fn unknown_disabled_and_locked_accounts_are_refused_alike() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    guess(&bench, 5).await;
    let operator = "/redfish/v1/AccountService/Accounts/operator";
    root.patch(operator, r#"{"Enabled":false}"#).await;
    let mut bodies = Vec::new();
    for user in ["nobody", "operator", "reader"] {
        let refused = bench.log_in(user, PASSWORD).await;
        refused.assert_error(401, &["ResourceAtUriUnauthorized"]);
        bodies.push(refused.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
}
