//! Every kind of mistake in a response is found, and what the typed structures write has none.

use redfish_schema::chassis::{Chassis, ChassisType};
use redfish_schema::computer_system::{
    Actions, Boot, BootSource, ComputerSystem, Links, ResetAction,
};
use redfish_schema::fan::Fan;
use redfish_schema::log_entry::{LogEntry, LogEntryType};
use redfish_schema::resource::{Health, PowerState, ResetType, State, Status};
use redfish_schema::sensor::{ReadingType, Sensor, SensorFanExcerpt, Threshold, Thresholds};
use redfish_schema::thermal::{Temperature, Thermal};
use redfish_schema::{
    Collection, DateTime, Nullable, Reference, Resource, fan, log_entry, validate,
};
use serde_json::{Value, json};

const SYSTEM: &str = "/redfish/v1/Systems/1";

fn system() -> ComputerSystem {
    ComputerSystem {
        power_state: Some(PowerState::On.into()),
        host_name: Some(Nullable::Null),
        last_reset_time: Some(DateTime::from_unix_s(1_700_000_000)),
        boot: Some(Boot {
            boot_source_override_target: Some(BootSource::Pxe.into()),
            boot_source_override_target_allowable_values: Some(vec![
                BootSource::None,
                BootSource::Pxe,
            ]),
            ..Boot::default()
        }),
        status: Some(Status {
            state: Some(State::Enabled.into()),
            health: Some(Health::OK.into()),
            ..Status::default()
        }),
        links: Some(Links {
            chassis: Some(vec![Reference::to("/redfish/v1/Chassis/1")]),
            ..Links::default()
        }),
        actions: Some(Actions {
            reset: Some(ResetAction {
                reset_type_allowable_values: Some(vec![ResetType::On, ResetType::ForceOff]),
                ..ResetAction::new(format!("{SYSTEM}/Actions/ComputerSystem.Reset"))
            }),
        }),
        ..ComputerSystem::new(SYSTEM, "1", "Node 1")
    }
}

fn json_of(resource: &impl Resource) -> Value {
    serde_json::to_value(resource).expect("typed resources are JSON")
}

/// The violations after a change of a good system.
fn after(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut document = json_of(&system());
    assert_eq!(validate(&document).len(), 0, "{:?}", validate(&document));
    change(&mut document);
    validate(&document)
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// The violations after one member of a good system is set.
fn with(pointer: &str, name: &str, value: Value) -> Vec<String> {
    after(|document| {
        document
            .pointer_mut(pointer)
            .expect("a place in the system")[name] = value;
    })
}

#[test]
fn what_typed_structures_write_has_no_violations() {
    let sensor = Sensor {
        reading_type: Some(ReadingType::Temperature.into()),
        reading: Some(Nullable::Value(23.5)),
        thresholds: Some(Thresholds {
            upper_critical: Some(Threshold {
                reading: Some(90.0.into()),
                ..Threshold::default()
            }),
            ..Thresholds::default()
        }),
        ..Sensor::new("/redfish/v1/Chassis/1/Sensors/Inlet", "Inlet", "Inlet")
    };
    let fan = Fan {
        speed_percent: Some(
            SensorFanExcerpt {
                reading: Some(40.0.into()),
                speed_rpm: Some(Nullable::Null),
                data_source_uri: Some("/redfish/v1/Chassis/1/Sensors/Fan1".into()),
            }
            .into(),
        ),
        ..Fan::new(
            "/redfish/v1/Chassis/1/ThermalSubsystem/Fans/1",
            "1",
            "Fan 1",
        )
    };
    let thermal = Thermal {
        temperatures: Some(vec![Temperature {
            reading_celsius: Some(Nullable::Null),
            ..Temperature::new("/redfish/v1/Chassis/1/Thermal#/Temperatures/0", "0")
        }]),
        ..Thermal::new("/redfish/v1/Chassis/1/Thermal", "Thermal", "Thermal")
    };
    let entries = "/redfish/v1/Managers/1/LogServices/SEL/Entries";
    let entry = LogEntry::new(format!("{entries}/1"), "1", "Entry 1", LogEntryType::SEL);
    let entries = Collection::new(&log_entry::COLLECTION, entries, "Entries", vec![entry]);
    let fans = "/redfish/v1/Chassis/1/ThermalSubsystem/Fans";
    let fans = Collection::new(
        &fan::COLLECTION,
        fans,
        "Fans",
        vec![Reference::to("/redfish/v1/x")],
    );
    let chassis = Chassis::new("/redfish/v1/Chassis/1", "1", "Chassis", ChassisType::Sled);
    for document in [
        json_of(&system()),
        json_of(&sensor),
        json_of(&fan),
        json_of(&thermal),
        json_of(&entries),
        json_of(&fans),
        json_of(&chassis),
    ] {
        let found = validate(&document);
        assert!(found.is_empty(), "{document:#}\n{found:?}");
    }
}

#[test]
fn identity_comes_first_in_the_text() {
    let text = serde_json::to_string(&system()).unwrap();
    let expected = format!(
        "{{\"@odata.type\":\"{}\",\"@odata.id\":\"{SYSTEM}\",\"Id\":\"1\",\"Name\":\"Node 1\",",
        redfish_schema::computer_system::TYPE.odata_type
    );
    assert!(text.starts_with(&expected), "{text}");
}

#[test]
fn a_page_of_a_collection_counts_all_members_and_says_where_the_next_is() {
    let mut fans = Collection::new(
        &fan::COLLECTION,
        "/redfish/v1/Chassis/1/ThermalSubsystem/Fans",
        "Fans",
        vec![Reference::to(
            "/redfish/v1/Chassis/1/ThermalSubsystem/Fans/1",
        )],
    );
    assert_eq!(json_of(&fans)["Members@odata.count"], 1);
    fans.total = Some(9);
    fans.next_link = Some("/redfish/v1/Chassis/1/ThermalSubsystem/Fans?$skip=1".to_owned());
    let document = json_of(&fans);
    assert_eq!(document["Members@odata.count"], 9);
    assert!(validate(&document).is_empty());

    let mut short = document.clone();
    short["Members@odata.count"] = json!(0);
    assert!(
        validate(&short)[0]
            .to_string()
            .contains("smaller than the array")
    );
    let mut none = document;
    none.as_object_mut().unwrap().remove("Members@odata.count");
    assert_eq!(
        validate(&none)[0].to_string(),
        "/Members@odata.count: required, but absent"
    );
}

#[test]
fn a_missing_required_property_is_found() {
    let found = after(|document| {
        document.as_object_mut().unwrap().remove("Name");
    });
    assert_eq!(found, ["/Name: required, but absent"]);
}

#[test]
fn unknown_properties_are_found_at_every_depth_but_not_in_oem_objects() {
    assert_eq!(
        with("", "Nope", json!(1)),
        ["/Nope: the schema has nothing of this name here"]
    );
    assert_eq!(with("/Boot", "Nope", json!(1)).len(), 1);
    assert_eq!(with("", "Nope@odata.count", json!(1)).len(), 1);
    assert!(
        with(
            "",
            "Oem",
            json!({"RedDrum": {"Anything": [1, {"x": null}]}})
        )
        .is_empty()
    );
}

#[test]
fn wrong_types_words_nulls_and_formats_are_found() {
    assert_eq!(
        with("", "PowerState", json!("on")),
        ["/PowerState: isn't one of the words of PowerState"]
    );
    assert_eq!(
        with("", "AssetTag", json!(5)),
        ["/AssetTag: must be a string"]
    );
    assert_eq!(with("", "Boot", json!(null)), ["/Boot: must not be null"]);
    assert_eq!(with("", "Boot", json!("x")), ["/Boot: must be an object"]);
    assert_eq!(with("", "LastResetTime", json!("yesterday")).len(), 1);
    assert_eq!(
        with("", "UUID", json!("1")),
        ["/UUID: must be written as a UUID"]
    );
    assert_eq!(
        with("/Links", "Chassis", json!({})),
        ["/Links/Chassis: must be an array"]
    );
    assert_eq!(
        with("/Links", "Chassis", json!(["/x"])),
        ["/Links/Chassis/0: must be a link"]
    );
    assert_eq!(
        with("/Links", "Chassis", json!([{"@odata.id": "x"}])).len(),
        1
    );
}

#[test]
fn a_wrong_type_version_or_path_is_found() {
    for wrong in [
        "#ComputerSystem.v1_999_0.ComputerSystem",
        "#Nothing.v1_0_0.Nothing",
        "x",
    ] {
        let found = with("", "@odata.type", json!(wrong));
        assert_eq!(
            found,
            ["/@odata.type: no such type, or a newer version than ours"]
        );
    }
    assert!(
        with(
            "",
            "@odata.type",
            json!("#ComputerSystem.v1_0_0.ComputerSystem")
        )
        .is_empty()
    );
    let found = with("", "@odata.id", json!("/redfish/v1/Sistems/1"));
    assert!(found.contains(&"/@odata.id: the schema has no such resource at this path".to_owned()));
    assert_eq!(validate(&json!([]))[0].to_string(), ": must be an object");
    assert_eq!(
        validate(&json!({}))[0].to_string(),
        "/@odata.type: required, but absent"
    );
}

#[test]
fn an_action_has_the_target_that_the_specification_prescribes() {
    let target = "/Actions/#ComputerSystem.Reset";
    assert_eq!(
        with(target, "target", json!("/redfish/v1/Systems/1/Reset")).len(),
        1
    );
    assert_eq!(with(target, "Nope", json!(1)).len(), 1);
    assert_eq!(
        with(target, "Nope@Redfish.AllowableValues", json!([])).len(),
        1
    );
    assert_eq!(
        with(
            target,
            "ResetType@Redfish.AllowableValues",
            json!(["Explode"])
        ),
        [format!(
            "{target}/ResetType@Redfish.AllowableValues/0: isn't one of the words of ResetType"
        )]
    );
    assert_eq!(
        with("/Actions", "#ComputerSystem.Explode", json!({})).len(),
        1
    );
    let found = after(|document| {
        let reset = document.pointer_mut(target).unwrap();
        reset.as_object_mut().unwrap().remove("target");
    });
    assert_eq!(found, [format!("{target}/target: required, but absent")]);
}

#[test]
fn allowable_values_of_a_property_are_words_of_its_enumeration() {
    let name = "BootSourceOverrideTarget@Redfish.AllowableValues";
    assert_eq!(with("/Boot", name, json!(["Pxe", "Tape"])).len(), 1);
    assert_eq!(with("/Boot", name, json!("Pxe")).len(), 1);
}

#[test]
fn an_expanded_link_is_checked_as_the_resource_that_it_is() {
    let chassis = Chassis::new("/redfish/v1/Chassis/1", "1", "Chassis", ChassisType::Sled);
    let mut expanded = json_of(&chassis);
    assert!(with("/Links", "Chassis", json!([expanded.clone()])).is_empty());
    expanded["ChassisType"] = json!("Bathtub");
    let found = with("/Links", "Chassis", json!([expanded]));
    assert_eq!(
        found,
        ["/Links/Chassis/0/ChassisType: isn't one of the words of ChassisType"]
    );
}

#[test]
fn messages_about_a_property_are_checked_too() {
    let message = |id| json!([{"MessageId": id, "Message": "Text"}]);
    assert!(
        with(
            "",
            "AssetTag@Message.ExtendedInfo",
            message(json!("Base.1.0.X"))
        )
        .is_empty()
    );
    assert_eq!(
        with("", "@Message.ExtendedInfo", message(json!(5))).len(),
        1
    );
}

#[test]
fn a_write_only_property_must_be_null_in_a_response() {
    let mut session = json!({
        "@odata.type": "#Session.v1_0_0.Session",
        "@odata.id": "/redfish/v1/SessionService/Sessions/1",
        "Id": "1", "Name": "Session", "Password": null,
    });
    assert!(validate(&session).is_empty());
    session["Password"] = json!("hunter2");
    let found = validate(&session);
    assert_eq!(found.len(), 1);
    assert!(!format!("{found:?}").contains("hunter2"));
}
