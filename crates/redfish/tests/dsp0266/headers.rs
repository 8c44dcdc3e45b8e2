//! Request and response headers (DSP0266 "Request headers", "Response headers").

use http::{Request, Version};
use http_body_util::Full;

use crate::bench::Bench;

#[tokio::test]
async fn odata_version_is_4_0_or_absent() {
    let bench = Bench::new();
    let get = async |version| {
        bench
            .call("GET", "/redfish/v1/", &[("odata-version", version)], "")
            .await
    };
    assert_eq!(get("4.0").await.status, 200);
    for version in ["4.1", "3.0", "", "4.0.0"] {
        get(version).await.assert_error(412, &["HeaderInvalid"]);
    }
}

#[tokio::test]
async fn a_request_of_http_1_1_says_for_which_host_it_is() {
    let bench = Bench::new();
    let request = |builder: http::request::Builder| builder.body(Full::default()).unwrap();
    let answer = bench.send(request(Request::get("/redfish/v1/"))).await;
    answer.assert_error(400, &["HeaderMissing"]);
    for bad in ["a b", "root@localhost", "local/host"] {
        let answer = bench
            .send(request(Request::get("/redfish/v1/").header("host", bad)))
            .await;
        answer.assert_error(400, &["HeaderInvalid"]);
    }
    for good in [
        Request::get("/redfish/v1/").header("host", "localhost"),
        Request::get("/redfish/v1/").header("host", "[::1]:8443"),
        Request::get("/redfish/v1/").header("host", ""),
        Request::get("https://localhost/redfish/v1/"),
        Request::get("/redfish/v1/").version(Version::HTTP_10),
    ] {
        assert_eq!(bench.send(request(good)).await.status, 200);
    }
}

#[tokio::test]
async fn accept_must_admit_what_there_is() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let accepted = async |uri, accept| {
        client
            .call("GET", uri, &[("accept", accept)], "")
            .await
            .status
    };
    assert_eq!(
        accepted("/redfish/v1/Systems", "application/json").await,
        200
    );
    assert_eq!(accepted("/redfish/v1/Systems", "*/*").await, 200);
    assert_eq!(accepted("/redfish/v1/Systems", "text/html").await, 406);
    assert_eq!(accepted("/redfish/v1/", "application/xml").await, 406);
    assert_eq!(
        accepted("/redfish/v1/$metadata", "application/xml").await,
        200
    );
    assert_eq!(
        accepted("/redfish/v1/$metadata", "application/json").await,
        406
    );
}

#[tokio::test]
async fn a_document_says_its_type_its_methods_and_its_schema() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for (uri, allow) in [
        ("/redfish/v1/", "GET, HEAD"),
        ("/redfish/v1/Systems", "GET, HEAD"),
        ("/redfish/v1/Systems/1", "GET, HEAD, PATCH"),
        ("/redfish/v1/Managers/bmc", "GET, HEAD"),
        ("/redfish/v1/SessionService", "GET, HEAD, PATCH"),
        ("/redfish/v1/SessionService/Sessions", "GET, HEAD, POST"),
        ("/redfish/v1/SessionService/Sessions/1", "GET, HEAD, DELETE"),
    ] {
        let answer = client.get(uri).await;
        assert_eq!(
            answer.header("content-type"),
            Some("application/json"),
            "{uri}"
        );
        assert_eq!(answer.header("allow"), Some(allow), "{uri}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{uri}");
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{uri}"
        );
        // The schema is that of the very version in the body.
        let json = answer.json();
        let odata_type = json["@odata.type"].as_str().unwrap();
        let namespace = odata_type
            .trim_start_matches('#')
            .rsplit_once('.')
            .unwrap()
            .0;
        let schema = format!("/redfish/v1/JsonSchemas/{namespace}/{namespace}.json");
        let link = format!("<{schema}>; rel=describedby");
        assert_eq!(answer.header("link"), Some(&*link), "{uri}");
        assert_eq!(client.get(&schema).await.json()["title"], odata_type);
    }
}

#[tokio::test]
async fn a_method_that_a_resource_lacks_is_answered_with_those_it_has() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for (method, uri, allow) in [
        ("POST", "/redfish/v1/", "GET, HEAD"),
        ("PATCH", "/redfish/v1/", "GET, HEAD"),
        ("DELETE", "/redfish/v1/", "GET, HEAD"),
        ("PUT", "/redfish/v1/Systems/1", "GET, HEAD, PATCH"),
        ("DELETE", "/redfish/v1/Systems/1", "GET, HEAD, PATCH"),
        ("POST", "/redfish/v1/Systems", "GET, HEAD"),
        (
            "PATCH",
            "/redfish/v1/SessionService/Sessions",
            "GET, HEAD, POST",
        ),
        ("PATCH", "/redfish/v1/Managers/bmc", "GET, HEAD"),
        (
            "PATCH",
            "/redfish/v1/AccountService/Roles/Operator",
            "GET, HEAD",
        ),
        ("POST", "/redfish/v1/$metadata", "GET, HEAD"),
        ("DELETE", "/redfish/v1/odata", "GET, HEAD"),
        ("PUT", "/redfish", "GET, HEAD"),
        (
            "GET",
            "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset",
            "POST",
        ),
    ] {
        let answer = client.call(method, uri, &[], "{}").await;
        answer.assert_error(405, &["OperationNotAllowed"]);
        assert_eq!(answer.header("allow"), Some(allow), "{method} {uri}");
    }
    client
        .call("FAKEMETHOD", "/redfish/v1/", &[], "")
        .await
        .assert_error(501, &["OperationNotAllowed"]);
    client
        .call("PUT", "/redfish/v1/Systems/3", &[], "")
        .await
        .assert_error(404, &["InvalidURI"]);
}

#[tokio::test]
async fn a_header_that_says_who_or_where_stands_once() {
    let bench = Bench::new();
    let token = bench.token("root").await;
    for (name, value) in [
        ("host", "localhost"),
        ("authorization", "Basic cm9vdDp4"),
        ("x-auth-token", &*token),
    ] {
        let twice = [(name, value), (name, value)];
        let answer = bench.call("GET", "/redfish/v1/Systems", &twice, "").await;
        answer.assert_error(400, &["HeaderInvalid"]);
    }
}

#[tokio::test]
async fn options_tells_the_methods_of_a_resource() {
    let bench = Bench::new();
    let client = bench.client("reader").await;
    for (uri, allow) in [
        ("/redfish/v1/", "GET, HEAD"),
        ("/redfish/v1/$metadata", "GET, HEAD"),
        ("/redfish/v1/Systems/1", "GET, HEAD, PATCH"),
        ("/redfish/v1/SessionService/Sessions", "GET, HEAD, POST"),
    ] {
        let answer = client.call("OPTIONS", uri, &[], "").await;
        assert_eq!(answer.status, 204, "{uri}");
        assert_eq!(answer.header("allow"), Some(allow), "{uri}");
    }
    let stranger = bench
        .call("OPTIONS", "/redfish/v1/Systems/1", &[], "")
        .await;
    assert_eq!(stranger.status, 401);
}
