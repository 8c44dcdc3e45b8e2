//! The whole tree of resources: every link leads somewhere, every document fits its schema.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::fake::{self, Client, Fake};
use hardware::*;
use redfish::{Backend, Failure, Template};
use redfish_schema::validate;
use serde_json::Value;

/// Every document that can be reached, by path.
fn crawl(client: &Client) -> BTreeMap<String, Value> {
    let roots = client.backend().roots().iter();
    let mut open: Vec<String> = roots.map(|r| r.uri.to_owned()).collect();
    // What the service's own resources link to.
    open.push("/redfish/v1/UpdateService/FirmwareInventory".to_owned());
    for name in [
        "MetricReports",
        "MetricReportDefinitions",
        "MetricDefinitions",
    ] {
        open.push(format!("/redfish/v1/TelemetryService/{name}"));
    }
    let mut documents = BTreeMap::new();
    while let Some(uri) = open.pop() {
        if documents.contains_key(&uri) {
            continue;
        }
        let document = client.get(&uri);
        links(&document, &mut |link| {
            open.push(link.split('#').next().unwrap().to_owned());
        });
        documents.insert(uri, document);
    }
    documents
}

/// Calls `found` with everything in a document that is a link to a resource or a part of one.
fn links(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::String(text) => {
                        if matches!(
                            name.as_str(),
                            "@odata.id" | "DataSourceUri" | "MetricProperty"
                        ) {
                            found(text);
                        }
                    }
                    // The maintenance window and settings resources are the service's, not the backend's.
                    _ if name == "MaintenanceWindowResource" || name == "SettingsObject" => {}
                    value => links(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| links(item, found)),
        _ => {}
    }
}

/// The hall in each state that a machine may be in.
fn hall_in_every_state() -> Arc<Fake> {
    let fake = Fake::hall();
    fake.change("Sled1-Node2", |node| {
        node.power = Power::Off;
        node.boot = None;
        node.indicator = Indicator::Unknown;
        node.readings = node
            .readings
            .iter()
            .map(|r| Reading {
                availability: Availability::Unavailable,
                ..r
            })
            .collect();
    });
    fake.change("Sled2-Node1", |node| {
        node.link = Link::Down {
            reason: "no answer for 5 s".into(),
            since_ms: fake::READ_AT_MS,
        };
    });
    fake.change("Loose", |node| {
        node.link = Link::Connecting;
        node.power = Power::Unknown;
        node.inventory = Arc::default();
        node.identity = Arc::default();
        node.readings = Readings::default();
        node.log = Arc::default();
        node.read_at_ms = 0;
    });
    fake
}

#[test]
fn every_document_fits_its_schema_in_every_state_of_a_machine() {
    for fake in [
        Fake::hall(),
        hall_in_every_state(),
        Arc::new(Fake::default()),
    ] {
        for (uri, document) in crawl(&Client::of(&fake)) {
            assert_eq!(document["@odata.id"], uri.as_str());
            let violations: Vec<String> = validate(&document)
                .iter()
                .map(ToString::to_string)
                .collect();
            assert!(
                violations.is_empty(),
                "{uri}: {violations:#?}\n{document:#}"
            );
        }
    }
}

#[test]
fn every_link_leads_to_a_resource_and_every_fragment_to_a_value_in_it() {
    let documents = crawl(&Client::of(&hall_in_every_state()));
    let mut count = 0;
    for (uri, document) in &documents {
        links(document, &mut |link| {
            count += 1;
            let (path, pointer) = link.split_once('#').unwrap_or((link, ""));
            let target = documents
                .get(path)
                .unwrap_or_else(|| panic!("{uri} links to {link}"));
            assert!(target.pointer(pointer).is_some(), "{uri} links to {link}");
        });
    }
    assert!(count > 500, "only {count} links were followed");
}

/// What `/redfish/v1/openapi.yaml` says of the backend is what there is.
#[test]
fn every_resource_is_at_a_place_that_is_announced_and_every_place_has_one() {
    let client = Client::of(&hall_in_every_state());
    let places = client.backend().templates();
    let mut empty: Vec<Template> = places.to_vec();
    empty.retain(|place| !place.uri.ends_with("/Settings"));
    for (uri, document) in crawl(&client) {
        let kind = document["@odata.type"].as_str().unwrap();
        let kind = redfish_schema::by_odata_type(kind).unwrap();
        let place = places.iter().find(|one| one.is_at(&uri));
        let place = place.unwrap_or_else(|| panic!("{uri} is nowhere"));
        assert_eq!(place.kind, kind.name, "{uri}");
        assert!(kind.may_be_at(place.uri), "{place:?}");
        let methods = client.document(&uri).unwrap();
        let settings = format!("{}/Settings", place.uri);
        let settings = places.iter().any(|one| one.uri == settings);
        assert_eq!(settings, methods.is_settable_later(), "{uri}");
        assert!(place.is_changeable || !methods.is_changeable(), "{uri}");
        assert!(place.is_insertable || !methods.is_insertable(), "{uri}");
        assert!(place.is_deletable || !methods.is_deletable(), "{uri}");
        for (name, _) in document["Actions"].as_object().into_iter().flatten() {
            let name = name.trim_start_matches('#');
            assert!(place.actions.contains(&name), "{uri}: {name}");
        }
        empty.retain(|other| other.uri != place.uri);
    }
    assert!(empty.is_empty(), "nothing is at {empty:?}");
}

#[test]
fn members_are_counted_and_names_are_unique() {
    let client = Client::of(&Fake::hall());
    for (uri, document) in crawl(&client) {
        let Some(members) = document.get("Members").and_then(Value::as_array) else {
            continue;
        };
        assert_eq!(document["Members@odata.count"], members.len(), "{uri}");
        let paths: BTreeSet<&str> = members
            .iter()
            .map(|m| m["@odata.id"].as_str().unwrap())
            .collect();
        assert_eq!(paths.len(), members.len(), "{uri}");
    }
    assert_eq!(client.get("/redfish/v1/Systems")["Members@odata.count"], 4);
    assert_eq!(client.get("/redfish/v1/Chassis")["Members@odata.count"], 9);
    assert_eq!(client.get("/redfish/v1/Managers")["Members@odata.count"], 6);
}

#[test]
fn containment_is_told_from_both_sides() {
    let documents = crawl(&Client::of(&Fake::hall()));
    let mut pairs = 0;
    for (uri, document) in &documents {
        let contents = document
            .pointer("/Links/Contains")
            .and_then(Value::as_array);
        for child in contents.into_iter().flatten() {
            pairs += 1;
            let child = &documents[child["@odata.id"].as_str().unwrap()];
            assert_eq!(child["Links"]["ContainedBy"]["@odata.id"], uri.as_str());
        }
    }
    // Two below the rack, two sleds below the block, three nodes in the sleds.
    assert_eq!(pairs, 7);
}

#[test]
fn what_does_not_exist_is_not_found() {
    let client = Client::of(&Fake::hall());
    for uri in [
        "/redfish/v1/Systems/Nobody",
        "/redfish/v1/Systems/Rack1",
        "/redfish/v1/Systems/Block1-Controller",
        "/redfish/v1/Systems/Loose/Nothing",
        "/redfish/v1/Chassis/Block1-Controller",
        "/redfish/v1/Chassis/Block1-Controller/Sensors",
        "/redfish/v1/Chassis/Rack1/Sensors",
        "/redfish/v1/Chassis/Loose/Sensors/Nothing",
        "/redfish/v1/Chassis/Loose/Sensors/CPU1_Status",
        "/redfish/v1/Chassis/Loose/PowerSubsystem/PowerSupplies/PSU9",
        "/redfish/v1/Managers/Rack1",
        "/redfish/v1/Managers/Loose/LogServices/SEL/Entries/01",
        "/redfish/v1/Managers/Loose/LogServices/SEL/Entries/9",
        "/redfish/v1/TelemetryService/MetricReports/Other",
        "/redfish/v1/Fabrics",
    ] {
        assert_eq!(client.try_get(uri), Err(Failure::NotFound), "{uri}");
    }
}

#[test]
fn a_new_node_is_there_with_the_next_request() {
    let fake = Fake::hall();
    let client = Client::of(&fake);
    assert_eq!(client.get("/redfish/v1/Systems")["Members@odata.count"], 4);
    fake.put(Node {
        enclosure: EnclosureId::new("Sled2"),
        ..fake::computer("Sled2-Node2")
    });
    assert_eq!(client.get("/redfish/v1/Systems")["Members@odata.count"], 5);
    let sled = client.get("/redfish/v1/Chassis/Sled2");
    assert_eq!(
        sled["Links"]["Contains"][1]["@odata.id"],
        "/redfish/v1/Chassis/Sled2-Node2"
    );
}
