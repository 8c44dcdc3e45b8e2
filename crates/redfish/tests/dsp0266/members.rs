//! `$filter`, `$skip`, `$top`, pages and `excerpt` (DSP0266 "Query parameters").

use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::bench::{Answer, Bench, Client};

const CHASSIS: &str = "/redfish/v1/Chassis";

fn bench(chassis: usize) -> Bench {
    let bench = Bench::new();
    bench.rack.chassis.store(chassis, Ordering::Relaxed);
    bench
}

/// The last segments of the members' paths.
fn ids(page: &Value) -> Vec<String> {
    let members = page["Members"].as_array().unwrap().iter();
    let id = |member: &Value| {
        let path = member["@odata.id"].as_str().unwrap();
        path.rsplit('/').next().unwrap().to_owned()
    };
    members.map(id).collect()
}

async fn get(client: &Client<'_>, uri: &str) -> Answer {
    let answer = client.get(uri).await;
    assert_eq!(answer.status, 200, "{uri}: {answer:?}");
    // A part lacks what the schema requires.
    if !uri.contains("$select") {
        answer.assert_valid();
    }
    answer
}

/// Every page from `uri` on.
async fn pages(client: &Client<'_>, uri: &str) -> Vec<Value> {
    let mut pages = vec![get(client, uri).await.json()];
    while let Some(next) = pages.last().unwrap().get("Members@odata.nextLink") {
        let page = get(client, next.as_str().unwrap()).await.json();
        pages.push(page);
    }
    pages
}

#[tokio::test]
async fn skip_and_top_show_a_part_and_count_all() {
    let bench = bench(10);
    let client = bench.client("root").await;
    let page = get(&client, &format!("{CHASSIS}?$skip=2&$top=3"))
        .await
        .json();
    assert_eq!(ids(&page), ["2", "3", "4"]);
    assert_eq!(page["Members@odata.count"], 10);
    assert_eq!(page.get("Members@odata.nextLink"), None);
    let page = get(&client, &format!("{CHASSIS}?$skip=100")).await.json();
    assert!(ids(&page).is_empty());
    // Also a collection of the service itself.
    let roles = get(&client, "/redfish/v1/AccountService/Roles?$skip=2")
        .await
        .json();
    assert_eq!(ids(&roles), ["ReadOnly"]);
}

#[tokio::test]
async fn fifty_thousand_members_come_in_pages_that_lead_to_one_another() {
    let bench = bench(50_000);
    let client = bench.client("root").await;
    let pages = pages(&client, CHASSIS).await;
    assert_eq!(pages.len(), 50);
    let all: Vec<_> = pages.iter().flat_map(ids).collect();
    assert_eq!(all.len(), 50_000);
    assert!(all.iter().enumerate().all(|(n, id)| *id == n.to_string()));
    assert!(
        pages
            .iter()
            .all(|page| page["Members@odata.count"] == 50_000)
    );
}

#[tokio::test]
async fn pages_keep_the_rest_of_the_query() {
    let bench = bench(3100);
    let client = bench.client("root").await;
    let uri =
        format!("{CHASSIS}?$filter=PowerState+eq+'On'&$expand=.&$select=Members/Name&$skip=1");
    let pages = pages(&client, &uri).await;
    assert_eq!(pages.len(), 3);
    let all: Vec<_> = pages.iter().flat_map(ids).collect();
    // 1, 2, 4, 5, ...: two thirds are on, and the first of them is skipped.
    assert_eq!(all[..3], ["2", "4", "5"]);
    assert_eq!(all.len(), 3100 - 1034 - 1);
    for page in &pages {
        assert_eq!(page["Members@odata.count"], 3100 - 1034);
        let member = &page["Members"][0];
        assert!(member["Name"].is_string() && member.get("PowerState").is_none());
    }
}

#[tokio::test]
async fn an_expanded_collection_comes_as_its_first_page() {
    let bench = bench(1001);
    let client = bench.client("root").await;
    let page = get(&client, &format!("{CHASSIS}?$expand=.")).await.json();
    assert_eq!(ids(&page).len(), 1000);
    assert_eq!(
        page["Members@odata.nextLink"],
        format!("{CHASSIS}?$expand=.&$skip=1000")
    );
    assert_eq!(page["Members"][999]["Name"], "Chassis 999");
}

#[tokio::test]
async fn a_filter_chooses_members_by_their_properties() {
    let bench = bench(9);
    let client = bench.client("root").await;
    for (filter, expected) in [
        ("PowerState%20eq%20'Off'", vec!["0", "3", "6"]),
        ("PowerState+eq+'Off'+and+not+(Id+eq+'3')", vec!["0", "6"]),
        ("Name+ge+'Chassis+7'", vec!["7", "8"]),
        ("@odata.id+eq+'/redfish/v1/Chassis/5'", vec!["5"]),
        ("Model+ne+null", vec![]),
    ] {
        let page = get(&client, &format!("{CHASSIS}?$filter={filter}"))
            .await
            .json();
        assert_eq!(ids(&page), expected, "{filter}");
        assert_eq!(page["Members@odata.count"], expected.len(), "{filter}");
    }
    let uri = format!("{CHASSIS}?$top=1&$filter=PowerState+eq+'Off'&$skip=1");
    let page = get(&client, &uri).await.json();
    assert_eq!(ids(&page), ["3"], "$filter comes before $skip and $top");
    assert_eq!(page["Members@odata.count"], 3);
}

#[tokio::test]
async fn a_filter_tells_nothing_of_what_the_caller_may_not_read() {
    let bench = Bench::new();
    let (root, reader) = (bench.client("root").await, bench.client("reader").await);
    let uri = |filter| format!("/redfish/v1/AccountService/Accounts?$filter={filter}");
    let names = uri("UserName+ne+'x'");
    assert_eq!(ids(&get(&root, &names).await.json()).len(), 3);
    assert_eq!(ids(&get(&reader, &names).await.json()), ["reader"]);
    let admins = uri("RoleId+eq+'Administrator'");
    assert_eq!(ids(&get(&root, &admins).await.json()), ["root"]);
    assert!(ids(&get(&reader, &admins).await.json()).is_empty());
    let passwords = uri("Password+ne+null");
    assert!(ids(&get(&root, &passwords).await.json()).is_empty());
}

#[tokio::test]
async fn a_bad_value_is_refused_with_the_parameter_named() {
    let bench = bench(3);
    let client = bench.client("root").await;
    let long = format!(
        "$filter=Name+eq+'{}'",
        "x".repeat(redfish::MAX_FILTER_BYTES)
    );
    let deep = format!(
        "$filter={}Name+eq+'x'",
        "(".repeat(redfish::MAX_FILTER_DEPTH + 1)
    );
    let many = format!(
        "$select={}",
        vec!["Name"; redfish::MAX_SELECTED + 1].join(",")
    );
    for (query, message, parameter) in [
        ("$top=0", "QueryParameterOutOfRange", "$top"),
        ("$top=-1", "QueryParameterValueFormatError", "$top"),
        ("$top=", "QueryParameterValueFormatError", "$top"),
        ("$skip=x", "QueryParameterValueFormatError", "$skip"),
        (
            "$skip=99999999999999999999",
            "QueryParameterOutOfRange",
            "$skip",
        ),
        ("$filter=", "QueryParameterValueFormatError", "$filter"),
        (
            "$filter=Nothing+eq+1",
            "QueryParameterValueFormatError",
            "$filter",
        ),
        (
            "$filter=Name+eq+1",
            "QueryParameterValueTypeError",
            "$filter",
        ),
        ("excerpt=1", "QueryParameterValueFormatError", "excerpt"),
        (&long, "QueryParameterValueFormatError", "$filter"),
        (&deep, "QueryParameterValueFormatError", "$filter"),
        (&many, "QueryParameterValueFormatError", "$select"),
    ] {
        let answer = client.get(&format!("{CHASSIS}?{query}")).await;
        answer.assert_error(400, &[message]);
        let info = &answer.json()["error"]["@Message.ExtendedInfo"][0];
        assert!(
            info["MessageArgs"]
                .as_array()
                .unwrap()
                .contains(&parameter.into()),
            "{info}"
        );
        assert!(
            answer.body.len() < 2000,
            "a message repeats a value in part only"
        );
    }
    let answer = client
        .get(&format!("{CHASSIS}?$filter=contains(Name,'x')"))
        .await;
    answer.assert_error(501, &["QueryParameterUnsupported"]);
    let answer = client.get(&format!("{CHASSIS}?$top=1&$top=2")).await;
    answer.assert_error(400, &["QueryCombinationInvalid"]);
}

#[tokio::test]
async fn what_chooses_members_goes_with_collections_only() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for uri in ["/redfish/v1/Systems/1", "/redfish/v1/", "/redfish/v1/odata"] {
        for query in ["$top=1", "$skip=1", "$filter=Name+eq+'x'", "only"] {
            let answer = client.get(&format!("{uri}?{query}")).await;
            answer.assert_error(400, &["QueryNotSupportedOnResource"]);
        }
    }
}

#[tokio::test]
async fn an_excerpt_is_what_the_schema_marks_for_it() {
    let bench = bench(2);
    let client = bench.client("root").await;
    let keys = |value: &Value| -> Vec<String> {
        let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    let uri = format!("{CHASSIS}/1/Sensors/T");
    let whole = client.get(&uri).await;
    let short = client.get(&format!("{uri}?excerpt")).await;
    assert_eq!(keys(&short.json()), ["@odata.id", "@odata.type", "Reading"]);
    assert_eq!(short.json()["Reading"], whole.json()["Reading"]);
    assert_eq!(short.header("etag"), whole.header("etag"));
    let list = client
        .get(&format!("{CHASSIS}/1/Sensors?excerpt&$expand=."))
        .await
        .json();
    assert_eq!(
        keys(&list["Members"][0]),
        ["@odata.id", "@odata.type", "Reading"]
    );
    assert_eq!(list["Members@odata.count"], 1);
    // A schema without an excerpt has the whole resource for one.
    let (system, whole) = ("/redfish/v1/Systems/1?excerpt", "/redfish/v1/Systems/1");
    assert_eq!(
        client.get(system).await.json(),
        client.get(whole).await.json()
    );
}

#[tokio::test]
async fn a_page_has_a_tag_of_its_own() {
    let bench = bench(10);
    let client = bench.client("root").await;
    let uri = format!("{CHASSIS}?$top=2");
    let page = client.get(&uri).await;
    let tag = page.header("etag").unwrap().to_owned();
    assert_ne!(client.get(CHASSIS).await.header("etag"), Some(&*tag));
    let same = client
        .call("GET", &uri, &[("if-none-match", &tag)], "")
        .await;
    assert_eq!(same.status, 304);
    bench.rack.chassis.store(11, Ordering::Relaxed);
    let other = client
        .call("GET", &uri, &[("if-none-match", &tag)], "")
        .await;
    assert_eq!(other.status, 200, "the count has changed");
}
