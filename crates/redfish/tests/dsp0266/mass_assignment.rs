//! What a client may not set stays as it is, whatever a body says: read-only properties, and properties that nobody has
//! heard of, in every resource and every collection.

use redfish_schema::{Kind, Permission, Property, by_odata_type};
use serde_json::{Map, Value, json};

use crate::bench::{Bench, Client};

/// A value that the property could have.
fn value_of(property: &Property) -> Value {
    match &property.kind {
        Kind::Boolean => json!(true),
        Kind::Integer { .. } | Kind::Number { .. } => json!(7),
        Kind::DateTime => json!("2001-01-01T00:00:00Z"),
        Kind::Duration => json!("PT1S"),
        Kind::Guid => json!("00000000-0000-0000-0000-000000000000"),
        Kind::Enumeration(list) => json!(list.members[0]),
        Kind::Array { .. } => json!([]),
        Kind::Object(_) => json!({}),
        Kind::Reference(_) => json!({"@odata.id": "/redfish/v1/Systems"}),
        Kind::String { .. } | Kind::Uri | Kind::Primitive => json!("mass"),
    }
}

/// The resource without what time alone changes.
async fn shown(client: &Client<'_>, uri: &str) -> Map<String, Value> {
    let answer = client.get(uri).await;
    assert_eq!(answer.status, 200, "{uri}");
    let mut resource = answer.json().as_object().unwrap().clone();
    resource.remove("DateTime");
    resource
}

/// Whether the audit log is told of every one of these requests, and so differs after it.
fn is_log(uri: &str) -> bool {
    uri.contains("/LogServices/")
}

#[tokio::test]
async fn no_property_that_is_read_only_or_unknown_can_be_set_with_patch() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let mut tried = 0;
    for uri in crate::get::walk(&bench).await {
        if is_log(&uri) || uri.starts_with("/redfish/v1/JsonSchemas/") {
            continue;
        }
        let before = shown(&root, &uri).await;
        let Some(kind) = by_odata_type(before["@odata.type"].as_str().unwrap()) else {
            continue;
        };
        let is_closed = |property: &&Property| {
            property.permission == Permission::Read && !matches!(property.kind, Kind::Object(_))
        };
        let read_only = kind.properties().iter().filter(is_closed);
        let bodies = read_only
            .map(|property| (property.name, value_of(property)))
            .chain([("IsAdmin", json!(true)), ("__proto__", json!({"a": 1}))]);
        for (name, value) in bodies {
            let answer = root.patch(&uri, &json!({ name: value }).to_string()).await;
            let status = answer.status.as_u16();
            assert!(matches!(status, 400 | 405), "{uri} {name}: {answer:?}");
            if status == 400 {
                let told = answer.messages();
                let right = ["PropertyNotWritable", "PropertyUnknown"];
                assert!(right.contains(&&*told[0]), "{uri} {name}: {told:?}");
            }
            tried += 1;
        }
        assert_eq!(shown(&root, &uri).await, before, "{uri}");
    }
    assert!(bench.rack.log().is_empty(), "the backend was asked");
    assert!(tried > 500, "only {tried} properties were tried");
}

#[tokio::test]
async fn no_member_is_made_with_a_property_that_a_client_may_not_give() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    for (collection, good) in [
        (
            "/redfish/v1/AccountService/Accounts",
            json!({"UserName": "mallory", "Password": "correct horse 2", "RoleId": "ReadOnly"}),
        ),
        (
            "/redfish/v1/AccountService/Roles",
            json!({"RoleId": "Mallory", "AssignedPrivileges": ["Login"]}),
        ),
        (
            "/redfish/v1/EventService/Subscriptions",
            json!({"Destination": "https://203.0.113.1/", "Protocol": "Redfish", "Context": "x"}),
        ),
    ] {
        let before = shown(&root, collection).await;
        let kind = by_odata_type(before["@odata.type"].as_str().unwrap()).unwrap();
        let member = redfish_schema::resource_type(kind.member_type.unwrap()).unwrap();
        let is_closed = |property: &&Property| {
            property.permission == Permission::Read
                && !matches!(property.kind, Kind::Object(_))
                && !property.on_create
                && !property.required_on_create
        };
        let closed = member.properties().iter().filter(is_closed);
        let extra = closed
            .map(|property| (property.name, value_of(property)))
            .chain([("IsAdmin", json!(true))]);
        for (name, value) in extra {
            let mut body = good.clone();
            body[name] = value;
            let answer = root.post(collection, &body.to_string()).await;
            assert_eq!(answer.status, 400, "{collection} {name}: {answer:?}");
        }
        assert_eq!(shown(&root, collection).await, before, "{collection}");
    }
}

/// Of his own account somebody without `ConfigureUsers` changes the password, and nothing that would give him more.
#[tokio::test]
async fn nobody_gives_himself_more_than_he_has() {
    let bench = Bench::new();
    let (reader, root) = (bench.client("reader").await, bench.client("root").await);
    let own = "/redfish/v1/AccountService/Accounts/reader";
    let before = shown(&root, own).await;
    let kind = redfish_schema::resource_type("ManagerAccount").unwrap();
    for property in kind
        .properties()
        .iter()
        .filter(|one| one.name != "Password")
    {
        for body in [
            json!({ property.name: value_of(property) }),
            json!({ property.name: value_of(property), "Password": "another horse 3" }),
        ] {
            let answer = reader.patch(own, &body.to_string()).await;
            answer.assert_error(403, &["InsufficientPrivilege"]);
        }
    }
    assert_eq!(shown(&root, own).await, before);
    assert_eq!(
        reader.get(own).await.status,
        200,
        "the password is the same"
    );
}
