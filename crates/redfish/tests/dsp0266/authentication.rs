//! Who asks: Basic credentials and tokens (DSP0266 "Authentication overview").

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::bench::{Bench, PASSWORD};

fn basic(user: &str, password: &str) -> String {
    format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{user}:{password}"))
    )
}

#[tokio::test]
async fn without_credentials_nothing_else_is_answered_not_even_whether_it_exists() {
    let bench = Bench::new();
    for (method, uri) in [
        ("GET", "/redfish/v1/Systems"),
        ("GET", "/redfish/v1/Nothing"),
        ("GET", "/redfish/v1/AccountService/Accounts/root"),
        ("HEAD", "/redfish/v1/Systems/1"),
        ("PATCH", "/redfish/v1/Systems/1"),
        ("POST", "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset"),
        ("DELETE", "/redfish/v1/SessionService/Sessions/1"),
        ("POST", "/redfish/v1/"),
        ("GET", "/redfish/v1/?$expand=."),
    ] {
        let answer = bench.call(method, uri, &[], "").await;
        assert_eq!(answer.status, 401, "{method} {uri}");
        assert!(
            answer
                .header("www-authenticate")
                .is_some_and(|v| v.starts_with("Basic realm="))
        );
        assert_eq!(answer.header("etag"), None);
    }
    assert!(bench.rack.log().is_empty());
}

#[tokio::test]
async fn basic_credentials_open_every_request_and_no_session() {
    let bench = Bench::new();
    let right = basic("root", PASSWORD);
    for _ in 0..2 {
        let answer = bench
            .call(
                "GET",
                "/redfish/v1/SessionService/Sessions",
                &[("authorization", &right)],
                "",
            )
            .await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["Members@odata.count"], 0);
        assert_eq!(answer.header("set-cookie"), None);
    }
}

#[tokio::test]
async fn wrong_credentials_are_refused_after_right_ones_too() {
    let bench = Bench::new();
    let get = async |headers: &[(&str, &str)]| {
        bench.call("GET", "/redfish/v1/Systems", headers, "").await
    };
    assert_eq!(
        get(&[("authorization", &basic("root", PASSWORD))])
            .await
            .status,
        200
    );
    for wrong in [
        basic("root", "wrong"),
        basic("reader", ""),
        basic("nobody", PASSWORD),
        basic("ROOT", PASSWORD),
        "Basic".to_owned(),
        "Basic %%%".to_owned(),
        "Digest x".to_owned(),
    ] {
        get(&[("authorization", &wrong)])
            .await
            .assert_error(401, &["NoValidSession"]);
    }
}

#[tokio::test]
async fn a_wrong_token_is_not_mended_by_right_basic_credentials() {
    let bench = Bench::new();
    let right = basic("root", PASSWORD);
    let headers = [("x-auth-token", "0000"), ("authorization", right.as_str())];
    let answer = bench.call("GET", "/redfish/v1/Systems", &headers, "").await;
    answer.assert_error(401, &["NoValidSession"]);
}

#[tokio::test]
async fn credentials_are_checked_before_conditions() {
    let bench = Bench::new();
    let etag = bench
        .client("root")
        .await
        .get("/redfish/v1/Systems/1")
        .await;
    let etag = etag.header("etag").unwrap();
    let answer = bench
        .call(
            "GET",
            "/redfish/v1/Systems/1",
            &[("if-none-match", etag)],
            "",
        )
        .await;
    assert_eq!(answer.status, 401);
}
