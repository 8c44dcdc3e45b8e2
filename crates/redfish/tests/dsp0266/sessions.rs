//! Sessions (DSP0266 "Redfish login sessions").

use std::time::Duration;

use crate::bench::{Bench, PASSWORD};

const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";

#[tokio::test]
async fn a_login_answers_with_location_token_and_session() {
    let bench = Bench::new();
    for uri in [
        SESSIONS,
        "/redfish/v1/SessionService/Sessions/",
        "/redfish/v1/SessionService/Sessions/Members",
    ] {
        let body = format!("{{\"UserName\":\"root\",\"Password\":\"{PASSWORD}\"}}");
        let answer = bench.call("POST", uri, &[], &body).await;
        assert_eq!(answer.status, 201);
        answer.assert_valid();
        let token = answer.header("x-auth-token").unwrap();
        assert!(token.len() == 64 && token.bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let json = answer.json();
        assert_eq!(answer.header("location"), json["@odata.id"].as_str());
        assert_eq!(json["UserName"], "root");
        assert_eq!(json["ClientOriginIPAddress"], "127.0.0.1");
        assert!(json["Password"].is_null() && !answer.body.windows(9).any(|w| w == b"correct h"));
        let location = answer.header("location").unwrap();
        let read = bench
            .call("GET", location, &[("x-auth-token", token)], "")
            .await;
        assert_eq!(read.json()["Id"], json["Id"]);
    }
}

#[tokio::test]
async fn a_login_that_fails_opens_nothing() {
    let bench = Bench::new();
    for (user, password) in [("root", "wrong"), ("nobody", PASSWORD), ("root", "")] {
        let answer = bench.log_in(user, password).await;
        answer.assert_error(401, &["ResourceAtUriUnauthorized"]);
        assert_eq!(answer.header("x-auth-token"), None);
    }
    let long = bench.log_in("root", &"x".repeat(1000)).await;
    assert_eq!(long.status, 401);
    let endless = bench
        .log_in("root", &"x".repeat(redfish::MAX_LOGIN_BYTES))
        .await;
    endless.assert_error(413, &["PayloadTooLarge"]);
    let client = bench.client("root").await;
    assert_eq!(client.get(SESSIONS).await.json()["Members@odata.count"], 1);
}

#[tokio::test]
async fn a_login_without_its_properties_says_which() {
    let bench = Bench::new();
    for (body, messages) in [
        (
            "{}",
            vec![
                "CreateFailedMissingReqProperties",
                "CreateFailedMissingReqProperties",
            ],
        ),
        (
            r#"{"UserName":"root"}"#,
            vec!["CreateFailedMissingReqProperties"],
        ),
        (
            r#"{"UserName":"root","Password":5}"#,
            vec!["PropertyValueTypeError"],
        ),
        (
            r#"{"UserName":"root","Password":"x","Colour":"red"}"#,
            vec!["PropertyUnknown"],
        ),
        (
            r#"{"UserName":"root","UserName":"reader","Password":"x"}"#,
            vec!["PropertyDuplicate"],
        ),
    ] {
        let answer = bench.call("POST", SESSIONS, &[], body).await;
        answer.assert_error(400, &messages);
    }
}

#[tokio::test]
async fn a_deleted_session_opens_nothing_any_more() {
    let bench = Bench::new();
    let (one, two) = (bench.client("root").await, bench.client("root").await);
    let uri = one.get(SESSIONS).await.json()["Members"][0]["@odata.id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(two.call("DELETE", &uri, &[], "").await.status, 204);
    assert_eq!(one.get(SESSIONS).await.status, 401);
    assert_eq!(two.get(SESSIONS).await.json()["Members@odata.count"], 1);
    two.call("DELETE", &uri, &[], "")
        .await
        .assert_error(404, &["InvalidURI"]);
}

#[tokio::test]
async fn the_timeout_can_be_read_changed_and_felt() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let uri = "/redfish/v1/SessionService";
    assert_eq!(client.get(uri).await.json()["SessionTimeout"], 1800);
    let changed = client.patch(uri, r#"{"SessionTimeout":60}"#).await;
    assert_eq!(changed.status, 200);
    assert_eq!(changed.json()["SessionTimeout"], 60);
    changed.assert_valid();
    for (body, message) in [
        (r#"{"SessionTimeout":29}"#, "PropertyValueOutOfRange"),
        (r#"{"SessionTimeout":86401}"#, "PropertyValueOutOfRange"),
        (r#"{"SessionTimeout":"60"}"#, "PropertyValueTypeError"),
        (r#"{"SessionTimeout":60.5}"#, "PropertyValueTypeError"),
        (r#"{"ServiceEnabled":false}"#, "PropertyNotWritable"),
    ] {
        client.patch(uri, body).await.assert_error(400, &[message]);
    }
    assert_eq!(client.get(uri).await.json()["SessionTimeout"], 60);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(59)).await;
    assert_eq!(client.get(uri).await.status, 200);
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(client.get(uri).await.status, 401);
}

#[tokio::test]
async fn a_session_keeps_the_context_of_its_client() {
    let bench = Bench::new();
    let body = format!(r#"{{"UserName":"reader","Password":"{PASSWORD}","Context":"page"}}"#);
    let answer = bench.call("POST", SESSIONS, &[], &body).await;
    assert_eq!(answer.json()["Context"], "page");
    let number = body.replace("\"page\"", "7");
    let answer = bench.call("POST", SESSIONS, &[], &number).await;
    answer.assert_error(400, &["PropertyValueTypeError"]);
    let long = body.replace("page", &"x".repeat(300));
    bench
        .call("POST", SESSIONS, &[], &long)
        .await
        .assert_error(400, &["PropertyValueError"]);
}
