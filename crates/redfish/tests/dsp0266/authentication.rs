//! Who asks: Basic credentials and tokens (DSP0266 "Authentication overview").

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::bench::{Bench, PASSWORD};

pub(crate) fn basic(user: &str, password: &str) -> String {
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
            .assert_error(401, &["ResourceAtUriUnauthorized"]);
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

#[tokio::test]
async fn a_page_of_another_site_changes_nothing_with_the_credentials_of_the_browser() {
    let bench = Bench::new();
    let right = basic("root", PASSWORD);
    let reset = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset";
    let post = async |origin: &str| {
        let headers = [("authorization", &*right), ("origin", origin)];
        bench
            .call("POST", reset, &headers, r#"{"ResetType":"On"}"#)
            .await
    };
    for foreign in [
        "https://example.com",
        "null",
        "https://localhost:8443",
        "localhost",
    ] {
        post(foreign)
            .await
            .assert_error(403, &["InsufficientPrivilege"]);
    }
    assert!(bench.rack.log().is_empty());
    assert_eq!(post("https://LOCALHOST").await.status, 204);
    assert_eq!(bench.rack.log().len(), 1);

    let headers = [
        ("authorization", &*right),
        ("origin", "https://example.com"),
    ];
    let read = bench.call("GET", "/redfish/v1/Systems", &headers, "").await;
    assert_eq!(read.status, 200);
    assert_eq!(read.header("access-control-allow-origin"), None);
    let client = bench.client("root").await;
    let with_token = client
        .call(
            "POST",
            reset,
            &[("origin", "https://example.com")],
            r#"{"ResetType":"On"}"#,
        )
        .await;
    assert_eq!(with_token.status, 204, "no browser adds a token by itself");
}

#[tokio::test]
async fn many_requests_with_new_credentials_at_once_are_all_answered() {
    let bench = Bench::new();
    let right = basic("root", PASSWORD);
    let headers = [("authorization", &*right)];
    let requests = (0..8).map(|_| bench.call("GET", "/redfish/v1/Systems", &headers, ""));
    let mut waiting: Vec<_> = requests.map(Box::pin).collect();
    // All of them wait before the first is answered.
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for request in &mut waiting {
        assert!(request.as_mut().poll(&mut context).is_pending());
    }
    for request in waiting {
        assert_eq!(request.await.status, 200);
    }
}
