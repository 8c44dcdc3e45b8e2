//! What clients send is taken or refused as the tables say.

use redfish_schema::{
    Fault, Problem, check_create, check_parameters, check_patch, computer_system,
    environment_metrics, event_destination, manager_account, session, session_service,
};
use serde_json::{Value, json};

fn refused(body: Value) -> Vec<Fault> {
    check_patch(&computer_system::TYPE, &body).expect_err("refused")
}

#[test]
fn a_patch_keeps_the_writable_properties_with_their_values() {
    let body = json!({
        "AssetTag": "A-1",
        "Boot": {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "Pxe"},
        "HostName": null,
    });
    let patch = check_patch(&computer_system::TYPE, &body).unwrap();
    assert_eq!(Value::Object(patch.changes().clone()), body);
    assert_eq!(
        patch.get("/Boot/BootSourceOverrideTarget"),
        Some(&json!("Pxe"))
    );
    assert_eq!(patch.get("/Boot/Nothing"), None);
    let mut pointers: Vec<_> = patch
        .leaves()
        .into_iter()
        .map(|(pointer, _)| pointer)
        .collect();
    pointers.sort();
    assert_eq!(
        pointers,
        [
            "/AssetTag",
            "/Boot/BootSourceOverrideEnabled",
            "/Boot/BootSourceOverrideTarget",
            "/HostName",
        ]
    );
    assert!(patch.left_out().is_empty());
}

#[test]
fn one_wrong_value_refuses_the_whole_patch_and_names_every_fault() {
    let faults = refused(json!({
        "AssetTag": 5,
        "Boot": {"BootSourceOverrideTarget": "pxe", "BootOrder": "Boot1"},
        "LocationIndicatorActive": true,
    }));
    let found: Vec<_> = faults
        .iter()
        .map(|f| (f.pointer.as_str(), f.property.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("/AssetTag", "AssetTag"),
            ("/Boot/BootOrder", "BootOrder"),
            ("/Boot/BootSourceOverrideTarget", "BootSourceOverrideTarget"),
        ]
    );
    assert!(matches!(
        faults[0].problem,
        Problem::WrongType {
            expected: "a string"
        }
    ));
    assert!(matches!(
        faults[1].problem,
        Problem::WrongType {
            expected: "an array"
        }
    ));
    assert!(matches!(faults[2].problem, Problem::NotInList(list) if list.name == "BootSource"));
}

#[test]
fn properties_that_can_never_be_updated_are_left_out_and_told() {
    let body = json!({"AssetTag": "A-1", "PowerState": "Off", "Nope": 1, "Boot": {"Nope": 2}});
    let patch = check_patch(&computer_system::TYPE, &body).unwrap();
    assert_eq!(
        Value::Object(patch.changes().clone()),
        json!({"AssetTag": "A-1"})
    );
    let told: Vec<_> = patch
        .left_out()
        .iter()
        .map(|fault| fault.pointer.as_str())
        .collect();
    assert_eq!(told, ["/Boot/Nope", "/Nope", "/PowerState"]);

    let faults = refused(json!({"PowerState": "Off"}));
    assert!(matches!(faults[0].problem, Problem::ReadOnly));
    let faults = refused(json!({"Status": {"State": "Enabled"}}));
    assert_eq!(faults[0].pointer, "/Status/State");
    assert!(matches!(faults[0].problem, Problem::ReadOnly));
    let faults = refused(json!({"@Redfish.OperationApplyTime": "OnReset"}));
    assert!(matches!(faults[0].problem, Problem::Unknown));
}

#[test]
fn a_patch_of_nothing_or_of_odata_annotations_only_asks_for_no_change() {
    for body in [
        json!({}),
        json!({"@odata.id": "/redfish/v1/Systems/1", "Members@odata.count": 1}),
        json!({"Boot": {}}),
        json!({"Boot": {"@odata.type": "x"}}),
    ] {
        let faults = refused(body);
        assert_eq!(faults.len(), 1);
        assert!(matches!(faults[0].problem, Problem::NoChange));
        assert!(faults[0].pointer.is_empty());
    }
    for body in [json!([]), json!("x"), json!(null)] {
        assert!(matches!(
            refused(body)[0].problem,
            Problem::WrongType { .. }
        ));
    }
}

#[test]
fn null_is_refused_where_the_schema_does_not_allow_it() {
    assert!(matches!(
        refused(json!({"Boot": null}))[0].problem,
        Problem::Null
    ));
    assert!(check_patch(&computer_system::TYPE, &json!({"AssetTag": null})).is_ok());
}

#[test]
fn a_number_is_held_to_its_range() {
    let service = &session_service::TYPE;
    assert!(check_patch(service, &json!({"SessionTimeout": 30})).is_ok());
    let decimal = check_patch(service, &json!({"SessionTimeout": 6e1})).unwrap();
    assert_eq!(decimal.get("/SessionTimeout"), Some(&json!(60)));
    assert!(check_patch(service, &json!({"SessionTimeout": 60.5})).is_err());
    for bad in [29, 86_401] {
        let faults = check_patch(service, &json!({"SessionTimeout": bad})).unwrap_err();
        assert!(matches!(
            faults[0].problem,
            Problem::OutOfRange {
                minimum: Some(30),
                maximum: Some(86_400)
            }
        ));
        assert_eq!(faults[0].problem.to_string(), "must be 30 to 86400");
    }
}

#[test]
fn a_writable_property_inside_an_excerpt_can_be_patched() {
    let body = json!({"PowerLimitWatts": {"SetPoint": 300.5}});
    let patch = check_patch(&environment_metrics::TYPE, &body).unwrap();
    assert_eq!(patch.get("/PowerLimitWatts/SetPoint"), Some(&json!(300.5)));
    let body = json!({"PowerWatts": {"Reading": 1}});
    assert!(
        check_patch(&environment_metrics::TYPE, &body).is_err(),
        "a reading is read only"
    );
}

#[test]
fn in_an_array_null_removes_an_element_and_an_empty_object_leaves_it() {
    let body = json!({"Boot": {"BootOrder": ["Boot1", null, {}, "Boot2"]}});
    let patch = check_patch(&computer_system::TYPE, &body).unwrap();
    assert_eq!(
        patch.get("/Boot/BootOrder"),
        body.pointer("/Boot/BootOrder")
    );
    let faults = refused(json!({"Boot": {"BootOrder": ["Boot1", 2]}}));
    assert_eq!(faults[0].pointer, "/Boot/BootOrder/1");
}

#[test]
fn a_link_has_one_member() {
    let manager = redfish_schema::resource_type("Manager").unwrap();
    let link = |value| check_patch(manager, &json!({"Links": {"ActiveSoftwareImage": value}}));
    assert!(link(json!({"@odata.id": "/redfish/v1/UpdateService/FirmwareInventory/1"})).is_ok());
    for bad in [
        json!("/redfish/v1"),
        json!({}),
        json!({"@odata.id": 1}),
        json!({"@odata.id": "/", "Id": "1"}),
    ] {
        assert!(link(bad).is_err());
    }
}

#[test]
fn a_new_resource_needs_what_the_schema_requires_on_creation() {
    let login = json!({"UserName": "root", "Password": "secret"});
    let checked = check_create(&session::TYPE, &login).unwrap();
    assert_eq!(checked.text("UserName"), Some("root"));
    assert_eq!(checked.text("Password"), Some("secret"));

    let faults =
        check_create(&session::TYPE, &json!({"UserName": 7, "CreatedTime": "x"})).unwrap_err();
    let found: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "/CreatedTime: read only",
            "/UserName: must be a string",
            "/Password: required, but absent",
        ]
    );
    let empty = json!({"UserName": "root", "Password": null});
    let faults = check_create(&session::TYPE, &empty).unwrap_err();
    assert_eq!(faults[0].to_string(), "/Password: must not be null");
    let later = check_patch(&session::TYPE, &json!({"Password": "x"})).unwrap_err();
    assert!(matches!(later[0].problem, Problem::ReadOnly));
    let account = json!({"UserName": "a", "Password": "b", "RoleId": "ReadOnly", "Enabled": true});
    assert!(check_create(&manager_account::TYPE, &account).is_ok());
}

#[test]
fn what_is_chosen_on_creation_can_not_be_changed_later() {
    let kind = &event_destination::TYPE;
    let mut body = json!({
        "Destination": "https://192.0.2.1/events",
        "Protocol": "Redfish",
        "MessageIds": ["ResourceEvent.ResourceChanged"],
        "OriginResources": [{"@odata.id": "/redfish/v1/Systems/1"}],
        "HttpHeaders": [{"Authorization": "Bearer x"}],
    });
    assert!(check_create(kind, &body).is_ok());
    body["Status"] = json!({"State": "Enabled"});
    let faults = check_create(kind, &body).unwrap_err();
    assert_eq!(faults[0].to_string(), "/Status/State: read only");
    let later = check_patch(kind, &json!({"MessageIds": []})).unwrap_err();
    assert!(matches!(later[0].problem, Problem::ReadOnly));
    assert!(
        check_patch(
            kind,
            &json!({"HttpHeaders": [{"Authorization": "Bearer y"}]})
        )
        .is_ok()
    );
}

#[test]
fn parameters_of_an_action_are_checked_like_properties() {
    let system = &computer_system::TYPE;
    let reset = system.action("ComputerSystem.Reset").unwrap();
    let call = check_parameters(reset, &json!({"ResetType": "ForceOff"})).unwrap();
    assert_eq!(call.text("ResetType"), Some("ForceOff"));
    assert_eq!(
        check_parameters(reset, &json!({}))
            .unwrap()
            .text("ResetType"),
        None
    );
    assert_eq!(
        check_parameters(reset, &json!({"ResetType": null}))
            .unwrap()
            .get("ResetType"),
        None
    );

    let faults =
        check_parameters(reset, &json!({"ResetType": "Explode", "Force": true})).unwrap_err();
    assert!(
        faults
            .iter()
            .any(|f| f.property == "Force" && matches!(f.problem, Problem::Unknown))
    );
    assert!(
        faults
            .iter()
            .any(|f| matches!(f.problem, Problem::NotInList(_)))
    );

    let add = system.action("ComputerSystem.AddResourceBlock").unwrap();
    let faults = check_parameters(add, &json!({})).unwrap_err();
    assert_eq!(
        faults[0].to_string(),
        "/ResourceBlock: required, but absent"
    );
    let block = json!({"ResourceBlock": {"@odata.id": "/redfish/v1/ResourceBlocks/1"}});
    assert!(check_parameters(add, &block).is_ok());
}

#[test]
fn a_value_never_shows_in_debug_output_or_in_a_fault() {
    let secret = "hunter2";
    let patch = json!({"Password": secret, "Nope": secret});
    let patch = check_patch(&manager_account::TYPE, &patch).unwrap();
    let create = json!({"UserName": secret, "Password": secret});
    let create = check_create(&session::TYPE, &create).unwrap();
    let faults = check_patch(&manager_account::TYPE, &json!({"Enabled": secret})).unwrap_err();
    let shown = format!(
        "{patch:?} {:?} {create:?} {faults:?} {}",
        patch.left_out(),
        faults[0]
    );
    assert!(!shown.contains(secret), "{shown}");
    assert!(shown.contains("/Password"));
}
