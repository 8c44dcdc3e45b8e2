//! Every resource, method and role: what is let through is what the privilege registry says that the service itself
//! serves.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::bench::{Bench, Client};

fn names(list: &Value) -> BTreeSet<&str> {
    let names = list.as_array().into_iter().flatten();
    names.filter_map(Value::as_str).collect()
}

/// Whether one of the sets of privileges that are enough is among `has`. `ConfigureSelf` is for one's own only.
fn is_enough(map: &Value, method: &str, has: &BTreeSet<&str>, owns: bool) -> bool {
    let sets = map[method].as_array().into_iter().flatten();
    let mut sets = sets.map(|set| names(&set["Privilege"]));
    sets.any(|set| set.is_subset(has) && (owns || !set.contains("ConfigureSelf")))
}

/// The status of a request that would change nothing.
async fn harmless(client: &Client<'_>, method: &str, uri: &str) -> u16 {
    let headers: &[(&str, &str)] = match method {
        "DELETE" => &[("if-match", "\"another\"")],
        _ => &[],
    };
    let body = if method == "PATCH" { "{}" } else { "" };
    client
        .call(method, uri, headers, body)
        .await
        .status
        .as_u16()
}

#[tokio::test]
async fn every_method_of_every_resource_needs_what_the_registry_says() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let registries = root.get("/redfish/v1/AccountService").await.json();
    let registry = registries["PrivilegeMap"]["@odata.id"].as_str().unwrap();
    let registry = root.get(registry).await.json();
    let mapping = |kind: &str| {
        let all = registry["Mappings"].as_array().unwrap();
        all.iter().find(|one| one["Entity"] == kind).cloned()
    };
    let uris = crate::get::walk(&bench).await;
    let mut checked = 0;
    for (user, role) in [
        ("reader", "ReadOnly"),
        ("operator", "Operator"),
        ("root", "Administrator"),
    ] {
        let role = root
            .get(&format!("/redfish/v1/AccountService/Roles/{role}"))
            .await
            .json();
        let mut has = names(&role["AssignedPrivileges"]);
        // What needs no login is for everybody.
        has.insert("NoAuth");
        let client = bench.client(user).await;
        for uri in &uris {
            let resource = root.get(uri).await.json();
            let kind = resource["@odata.type"].as_str().unwrap();
            let kind = redfish_schema::by_odata_type(kind).unwrap().name;
            // Files, and what is the caller's own or somebody's session, have rules of their own.
            let is_owned = ["Session", "ManagerAccount", "PrivilegeRegistry"].contains(&kind);
            let Some(map) = mapping(kind).filter(|_| !is_owned) else {
                continue;
            };
            let is_overridden = [
                "SubordinateOverrides",
                "ResourceURIOverrides",
                "PropertyOverrides",
            ];
            if is_overridden
                .iter()
                .any(|name| !names(&map[*name]).is_empty() || map[*name].is_array())
            {
                continue;
            }
            for method in ["GET", "HEAD", "PATCH", "DELETE"] {
                let may = is_enough(&map["OperationMap"], method, &has, false);
                let status = harmless(&client, method, uri).await;
                assert_eq!(status != 403, may, "{user} {method} {uri}: {status}");
                checked += 1;
            }
            for method in ["GET", "PATCH", "DELETE"] {
                let nobody = bench.call(method, uri, &[], "").await.status.as_u16();
                let is_open = uri == "/redfish/v1/" && method == "GET";
                assert_eq!(nobody == 401, !is_open, "{method} {uri}: {nobody}");
            }
        }
    }
    assert!(checked > 500, "only {checked}");
}
