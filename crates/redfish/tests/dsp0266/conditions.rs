//! Entity tags (DSP0266 "ETags").

use crate::bench::Bench;

const SYSTEM: &str = "/redfish/v1/Systems/1";
const LIGHT: &str = r#"{"LocationIndicatorActive":true}"#;

#[tokio::test]
async fn a_tag_changes_with_the_resource_and_spares_the_body_until_then() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let first = client.get(SYSTEM).await;
    let tag = first.header("etag").unwrap().to_owned();
    for method in ["GET", "HEAD"] {
        let same = client
            .call(method, SYSTEM, &[("if-none-match", &tag)], "")
            .await;
        assert_eq!(same.status, 304);
        assert!(same.body.is_empty());
        assert_eq!(same.header("etag"), Some(&*tag));
    }
    let changed = client.patch(SYSTEM, LIGHT).await;
    assert_ne!(changed.header("etag"), Some(&*tag));
    let again = client
        .call("GET", SYSTEM, &[("if-none-match", &tag)], "")
        .await;
    assert_eq!(again.status, 200);
    assert_eq!(again.header("etag"), changed.header("etag"));
}

#[tokio::test]
async fn a_change_of_another_state_than_the_one_seen_is_refused() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let tag = client.get(SYSTEM).await.header("etag").unwrap().to_owned();
    for wrong in ["\"wrong\"", "W/\"wrong\"", &format!("W/{tag}")] {
        let answer = client
            .call("PATCH", SYSTEM, &[("if-match", wrong)], LIGHT)
            .await;
        answer.assert_error(412, &["PreconditionFailed"]);
    }
    assert!(bench.rack.log().is_empty());
    let right = client
        .call("PATCH", SYSTEM, &[("if-match", &tag)], LIGHT)
        .await;
    assert_eq!(right.status, 200);
    let stale = client
        .call("PATCH", SYSTEM, &[("if-match", &tag)], LIGHT)
        .await;
    stale.assert_error(412, &["PreconditionFailed"]);
    assert_eq!(
        client
            .call("PATCH", SYSTEM, &[("if-match", "*")], LIGHT)
            .await
            .status,
        200
    );
    assert_eq!(bench.rack.log().len(), 2);
}

#[tokio::test]
async fn a_session_is_deleted_only_in_the_state_that_was_seen() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let uri = "/redfish/v1/SessionService/Sessions/1";
    let answer = client
        .call("DELETE", uri, &[("if-match", "\"wrong\"")], "")
        .await;
    answer.assert_error(412, &["PreconditionFailed"]);
    let tag = client.get(uri).await.header("etag").unwrap().to_owned();
    assert_eq!(
        client
            .call("DELETE", uri, &[("if-match", &tag)], "")
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn of_two_changes_of_one_state_exactly_one_is_made() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let tag = client.get(SYSTEM).await.header("etag").unwrap().to_owned();
    let condition = [("if-match", &*tag)];
    bench.rack.hold();
    let mut first = Box::pin(client.call("PATCH", SYSTEM, &condition, LIGHT));
    let mut second = Box::pin(client.call("PATCH", SYSTEM, &condition, LIGHT));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(second.as_mut().poll(&mut context).is_pending());
    // Another resource doesn't wait for them.
    let other = client.get("/redfish/v1/Systems/2").await;
    assert_eq!(other.status, 200);
    bench.rack.release();
    assert_eq!(first.await.status, 200);
    second.await.assert_error(412, &["PreconditionFailed"]);
    assert_eq!(bench.rack.log().len(), 1);
}

#[tokio::test]
async fn a_condition_on_reading_is_kept_and_a_304_tells_no_length() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for uri in [
        SYSTEM,
        "/redfish/v1/",
        "/redfish/v1/$metadata",
        "/redfish",
        "/",
    ] {
        let tag = client.get(uri).await.header("etag").unwrap().to_owned();
        for method in ["GET", "HEAD"] {
            let same = client
                .call(method, uri, &[("if-none-match", &tag)], "")
                .await;
            assert_eq!(same.status, 304, "{uri}");
            assert_eq!(same.header("content-length"), None, "{uri}");
            let other = client
                .call(method, uri, &[("if-match", "\"other\"")], "")
                .await;
            assert_eq!(other.status, 412, "{uri}");
            let right = client.call(method, uri, &[("if-match", &tag)], "").await;
            assert_eq!(right.status, 200, "{uri}");
        }
    }
}

#[tokio::test]
async fn a_change_unless_the_state_is_the_one_seen_is_refused_in_that_state() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let tag = client.get(SYSTEM).await.header("etag").unwrap().to_owned();
    for unless in [&*tag, "*"] {
        let answer = client
            .call("PATCH", SYSTEM, &[("if-none-match", unless)], LIGHT)
            .await;
        answer.assert_error(412, &["PreconditionFailed"]);
    }
    assert!(bench.rack.log().is_empty());
}
