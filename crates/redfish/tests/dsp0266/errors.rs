//! Bodies that are no good, and error responses (DSP0266 "Error responses").

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http_body::Frame;

use crate::bench::Bench;

const SYSTEM: &str = "/redfish/v1/Systems/1";

#[tokio::test]
async fn an_error_has_code_message_and_extended_info() {
    let bench = Bench::new();
    let answer = bench.client("root").await.get("/redfish/v1/Nothing").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let json = answer.json();
    assert_eq!(json["error"]["code"], "Base.1.16.InvalidURI");
    let info = &json["error"]["@Message.ExtendedInfo"][0];
    assert_eq!(info["@odata.type"], "#Message.v1_3_0.Message");
    assert_eq!(info["MessageArgs"][0], "/redfish/v1/Nothing");
    assert_eq!(
        info["Message"],
        "The URI /redfish/v1/Nothing was not found."
    );
    assert_eq!(info["MessageSeverity"], "Critical");
    assert!(
        info["Resolution"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
}

#[tokio::test]
async fn a_body_must_be_a_json_object() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for body in ["{", "[]", "null", "{\"A\":1}x", "{\"A\":}"] {
        client
            .patch(SYSTEM, body)
            .await
            .assert_error(400, &["MalformedJSON"]);
    }
    let twice = r#"{"LocationIndicatorActive":true,"LocationIndicatorActive":false}"#;
    client
        .patch(SYSTEM, twice)
        .await
        .assert_error(400, &["PropertyDuplicate"]);
    let deep = format!("{{\"A\":{}1{}}}", "[".repeat(50), "]".repeat(50));
    client
        .patch(SYSTEM, &deep)
        .await
        .assert_error(400, &["MalformedJSON"]);
}

#[tokio::test]
async fn a_body_must_say_that_it_is_json() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let body = r#"{"LocationIndicatorActive":true}"#;
    for (content_type, status) in [
        ("application/json", 200),
        ("application/json;charset=utf-8", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/json; charset=utf-16", 415),
    ] {
        let answer = client
            .call("PATCH", SYSTEM, &[("content-type", content_type)], body)
            .await;
        assert_eq!(answer.status, status, "{content_type}");
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let body = format!(
        "{{\"AssetTag\":\"{}\"}}",
        "x".repeat(redfish::MAX_BODY_BYTES)
    );
    client
        .patch(SYSTEM, &body)
        .await
        .assert_error(413, &["PayloadTooLarge"]);
}

#[tokio::test]
async fn very_many_faults_make_a_bounded_error() {
    let bench = Bench::new();
    let members: Vec<_> = (0..1000).map(|n| format!("\"P{n}\":1")).collect();
    let body = format!("{{{}}}", members.join(","));
    let answer = bench.client("root").await.patch(SYSTEM, &body).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.messages().len(), redfish::MAX_MESSAGES);
}

/// A body that never comes.
struct Never;

impl http_body::Body for Never {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let bench = Bench::new();
    let token = bench.token("root").await;
    tokio::time::pause();
    let request = Request::patch(SYSTEM)
        .header("host", "localhost")
        .header("x-auth-token", token);
    let response = bench
        .service
        .handle(request.body(Never).unwrap(), None)
        .await;
    assert_eq!(response.status(), 408);
    // Without a token the body isn't looked at, so nobody waits for it.
    let request = Request::patch(SYSTEM).header("host", "localhost");
    let response = bench
        .service
        .handle(request.body(Never).unwrap(), None)
        .await;
    assert_eq!(response.status(), 401);
}
