//! GET and HEAD (DSP0266 "GET (read requests)", "HEAD") and the resources of the service itself.

use crate::bench::{Bench, UUID};

/// Follows every link from the root and gives the paths of all resources.
pub(crate) async fn walk(bench: &Bench) -> Vec<String> {
    fn links(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(object) => {
                if let Some(id) = object.get("@odata.id") {
                    found.push(id.as_str().unwrap().to_owned());
                }
                if let Some(info) = object.get("@Redfish.ActionInfo") {
                    found.push(info.as_str().unwrap().to_owned());
                }
                object.values().for_each(|value| links(value, found));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|value| links(value, found)),
            _ => {}
        }
    }
    let client = bench.client("root").await;
    let mut todo = vec!["/redfish/v1/".to_owned()];
    let mut seen = Vec::new();
    while let Some(uri) = todo.pop() {
        if seen.contains(&uri) {
            continue;
        }
        let answer = client.get(&uri).await;
        assert_eq!(answer.status, 200, "{uri}: {answer:?}");
        assert_eq!(answer.json()["@odata.id"], *uri);
        answer.assert_valid();
        links(&answer.json(), &mut todo);
        seen.push(uri);
    }
    seen
}

#[tokio::test]
async fn every_resource_from_the_root_down_is_there_and_valid() {
    let seen = walk(&Bench::new()).await;
    for uri in [
        "/redfish/v1/SessionService/Sessions/1",
        "/redfish/v1/AccountService/Accounts/reader",
        "/redfish/v1/AccountService/Roles/ReadOnly",
        "/redfish/v1/Systems/2",
        "/redfish/v1/Managers/bmc",
        "/redfish/v1/Managers/Testbench/NetworkProtocol",
        "/redfish/v1/Managers/Testbench/EthernetInterfaces",
        "/redfish/v1/Managers/Testbench/LogServices/Audit/Entries",
    ] {
        assert!(
            seen.iter().any(|path| path == uri),
            "{uri} is missing in {seen:?}"
        );
    }
    let schemas = seen
        .iter()
        .filter(|path| path.starts_with("/redfish/v1/JsonSchemas/"));
    assert_eq!(schemas.count(), redfish_schema::all().len());
}

#[tokio::test]
async fn the_root_says_what_the_service_is_and_what_it_can() {
    let root = Bench::new()
        .call("GET", "/redfish/v1/", &[], "")
        .await
        .json();
    assert_eq!(root["UUID"], UUID);
    assert_eq!(root["Product"], "Test bench");
    assert_eq!(root["RedfishVersion"], "1.20.0");
    assert_eq!(
        root["Links"]["Sessions"]["@odata.id"],
        "/redfish/v1/SessionService/Sessions"
    );
    assert_eq!(root["Systems"]["@odata.id"], "/redfish/v1/Systems");
    let features = &root["ProtocolFeaturesSupported"];
    assert_eq!(features["ExpandQuery"]["MaxLevels"], 6);
    assert_eq!(features["SelectQuery"], true);
    for feature in [
        "FilterQuery",
        "FilterQueryComparisonOperations",
        "FilterQueryCompoundOperations",
        "TopSkipQuery",
        "ExcerptQuery",
        "OnlyMemberQuery",
    ] {
        assert_eq!(features[feature], true, "{feature}");
    }
    assert_eq!(features["IncludeOriginOfConditionQuery"], false);
}

#[tokio::test]
async fn a_trailing_slash_makes_no_difference() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for uri in [
        "/redfish/v1/Systems",
        "/redfish/v1/Systems/1",
        "/redfish/v1/SessionService",
    ] {
        let (plain, slashed) = (client.get(uri).await, client.get(&format!("{uri}/")).await);
        assert_eq!(plain.status, 200);
        assert_eq!(plain.body, slashed.body);
    }
    let plain = bench.call("GET", "/redfish/v1", &[], "").await;
    assert_eq!(
        plain.body,
        bench.call("GET", "/redfish/v1/", &[], "").await.body
    );
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for uri in [
        "/redfish/v1/",
        "/redfish/v1/Systems/1",
        "/redfish/v1/$metadata",
        "/redfish",
        "/",
    ] {
        let get = client.get(uri).await;
        let head = client.call("HEAD", uri, &[], "").await;
        assert_eq!(head.status, get.status, "{uri}");
        assert!(head.body.is_empty(), "{uri}");
        assert_eq!(
            head.header("content-length"),
            Some(&*get.body.len().to_string()),
            "{uri}"
        );
        for name in ["content-type", "etag", "allow", "link", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{uri} {name}");
        }
    }
}

#[tokio::test]
async fn the_body_of_a_get_is_ignored() {
    let bench = Bench::new();
    let answer = bench
        .client("root")
        .await
        .call("GET", "/redfish/v1/Systems", &[], "{")
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for uri in [
        "/redfish/v1/Systems/3",
        "/redfish/v1/systems",
        "/redfish/v1/Systems/1/Actions/ComputerSystem.Explode",
        "/redfish/v1/SessionService/Sessions/99",
        "/redfish/v1/SessionService/Sessions/1/x",
        "/redfish/v1/AccountService/Accounts/nobody",
        "/redfish/v1/AccountService/Roles/ReadOnlyUser",
        "/redfish/v1/Systems//1",
        "/redfish/v1/Systems/..",
        "/redfish/v2",
        "/redfish/v1/Systems%2F1",
    ] {
        client.get(uri).await.assert_error(404, &["InvalidURI"]);
    }
}
