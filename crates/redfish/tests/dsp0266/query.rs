//! Query parameters (DSP0266 "Query parameters").

use serde_json::Value;

use crate::bench::Bench;

#[tokio::test]
async fn expand_replaces_links_level_by_level() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let answer = client.get("/redfish/v1/Systems?$expand=.").await;
    answer.assert_valid();
    let json = answer.json();
    assert_eq!(json["Members"][1]["PowerState"], "On");
    assert_eq!(
        json["Members"][1]["Links"]["ManagedBy"][0]
            .as_object()
            .unwrap()
            .len(),
        1
    );

    let json = client
        .get("/redfish/v1/Systems?$expand=*($levels=2)")
        .await
        .json();
    assert_eq!(json["Members"][0]["Links"]["ManagedBy"][0]["Id"], "bmc");

    let json = client.get("/redfish/v1/Systems/1?$expand=~").await.json();
    assert_eq!(json["Links"]["ManagedBy"][0]["Id"], "bmc");

    let json = client.get("/redfish/v1/?$expand=.($levels=2)").await.json();
    assert_eq!(json["Systems"]["Members"][0]["Id"], "1");
    assert_eq!(json["AccountService"]["Roles"]["Members@odata.count"], 3);
    assert_eq!(json["Links"]["Sessions"].as_object().unwrap().len(), 1);
}

/// How deep resources stand in each other; panics where one stands in itself.
fn depth(json: &Value, open: &mut Vec<String>) -> usize {
    let inner: Vec<&Value> = match json {
        Value::Object(object) => object.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => return 0,
    };
    // A link has nothing but its target.
    let path = json["@odata.id"].as_str().filter(|_| inner.len() > 1);
    if let Some(path) = path {
        assert!(
            !open.iter().any(|open| open == path),
            "{path} stands in itself"
        );
        open.push(path.to_owned());
    }
    let below = inner.into_iter().map(|value| depth(value, open)).max();
    if path.is_some() {
        open.pop();
    }
    below.unwrap_or_default() + usize::from(path.is_some())
}

#[tokio::test]
async fn the_deepest_expansion_repeats_no_resource_in_itself() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for path in ["/redfish/v1/", "/redfish/v1/Systems"] {
        for kind in [".", "*", "~"] {
            let answer = client
                .get(&format!("{path}?$expand={kind}($levels=6)"))
                .await;
            assert_eq!(answer.status, 200, "{path} {kind}");
            let depth = depth(&answer.json(), &mut Vec::new());
            assert!(depth > 1 || kind == "~", "{path} {kind}");
        }
    }
}

#[tokio::test]
async fn select_keeps_the_properties_that_were_asked_for() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let answer = client
        .get("/redfish/v1/Systems/1?$select=PowerState,Boot/BootSourceOverrideTarget")
        .await;
    let json = answer.json();
    let mut names: Vec<_> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["@odata.id", "@odata.type", "Boot", "PowerState"]);
    assert_eq!(json["Boot"]["BootSourceOverrideTarget"], "None");
    let whole = client.get("/redfish/v1/Systems/1").await;
    assert_eq!(
        answer.header("etag"),
        whole.header("etag"),
        "a part has the tag of the whole"
    );

    let json = client
        .get("/redfish/v1/Systems?$expand=.&$select=Members/PowerState")
        .await
        .json();
    assert_eq!(json["Members"][0]["PowerState"], "On");
    assert_eq!(json["Members"][0]["Name"], Value::Null);
    let json = bench
        .call("GET", "/redfish/v1/?$select=UUID", &[], "")
        .await
        .json();
    assert_eq!(json.as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn only_shows_the_one_member_of_a_collection() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    assert_eq!(
        client
            .get("/redfish/v1/Managers/Testbench/LogServices?only")
            .await
            .json()["Id"],
        "Audit"
    );
    assert_eq!(
        client.get("/redfish/v1/Systems?only").await.json()["Members@odata.count"],
        2
    );
    let answer = client.get("/redfish/v1/Systems/1?only").await;
    answer.assert_error(400, &["QueryNotSupportedOnResource"]);
    let answer = client.get("/redfish/v1/Managers?only&$expand=.").await;
    answer.assert_error(400, &["QueryCombinationInvalid"]);
    let answer = client.get("/redfish/v1/Managers?only=foo").await;
    answer.assert_error(400, &["QueryParameterValueFormatError"]);
}

#[tokio::test]
async fn unknown_parameters_are_ignored_unless_they_begin_with_a_dollar_sign() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for uri in ["/redfish/v1/", "/redfish/v1/Systems", "/redfish/v1/odata"] {
        assert_eq!(
            client.get(&format!("{uri}?rpvunknown=1")).await.status,
            200,
            "{uri}"
        );
        for unknown in ["$rpvunknown", "$orderby=Id", "$count=true"] {
            let answer = client.get(&format!("{uri}?{unknown}")).await;
            answer.assert_error(501, &["QueryParameterUnsupported"]);
        }
    }
    let answer = client.get("/redfish/v1/Systems?$expand=.($levels=7)").await;
    answer.assert_error(400, &["QueryParameterOutOfRange"]);
    let answer = client.get("/redfish/v1/Systems?$expand=foo").await;
    answer.assert_error(400, &["QueryParameterValueFormatError"]);
}

#[tokio::test]
async fn queries_go_with_get_only() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let answer = client
        .patch(
            "/redfish/v1/Systems/1?$select=Id",
            r#"{"LocationIndicatorActive":true}"#,
        )
        .await;
    answer.assert_error(400, &["QueryNotSupportedOnOperation"]);
    assert!(bench.rack.log().is_empty());
}
