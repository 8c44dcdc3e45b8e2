//! The tables say what the CSDL says: facts picked by hand from the schema files.

use redfish_schema::{
    Kind, ObjectType, Permission, Property, ResourceType, all, by_odata_type, resource_type,
    schema_files,
};

fn served(name: &str) -> &'static ResourceType {
    resource_type(name).expect("a served resource")
}

fn object(property: &Property) -> &'static ObjectType {
    let (Kind::Object(object)
    | Kind::Array {
        item: Kind::Object(object),
        ..
    }) = &property.kind
    else {
        unreachable!("{} is no object but {:?}", property.name, property.kind)
    };
    object
}

#[test]
fn properties_of_every_version_are_merged_through_the_chain_of_base_types() {
    let system = served("ComputerSystem");
    // Resource.Item, Resource.v1_0_0, ComputerSystem v1_0_0, v1_2_0, v1_13_0.
    for name in [
        "Oem",
        "Id",
        "AssetTag",
        "HostingRoles",
        "LocationIndicatorActive",
    ] {
        assert!(system.property(name).is_some(), "{name}");
    }
    let names: Vec<_> = system
        .properties()
        .iter()
        .map(|property| property.name)
        .collect();
    assert_eq!(names[..3], ["Id", "Name", "Description"]);
    assert_eq!(names[names.len() - 3..], ["Links", "Actions", "Oem"]);
}

#[test]
fn objects_are_taken_at_the_newest_version_that_extends_the_one_named() {
    let boot = object(served("ComputerSystem").property("Boot").unwrap());
    // v1_0_0 and v1_5_0.
    assert!(boot.property("BootSourceOverrideTarget").is_some());
    assert!(boot.property("BootOrder").is_some());
    // `Resource.Location` is abstract; everything in it comes from later versions.
    let location = object(served("Chassis").property("Location").unwrap());
    assert!(location.property("PartLocation").is_some());
}

#[test]
fn annotations_of_a_property_reach_the_table() {
    let session = served("SessionService").property("SessionTimeout").unwrap();
    assert!(matches!(
        session.kind,
        Kind::Integer {
            minimum: Some(30),
            maximum: Some(86400)
        }
    ));
    assert_eq!(session.permission, Permission::ReadWrite);
    assert_eq!(session.unit, Some("s"));
    let offset = served("Manager").property("DateTimeLocalOffset").unwrap();
    let Kind::String {
        pattern: Some(pattern),
    } = offset.kind
    else {
        panic!("a pattern")
    };
    assert!(pattern.matches("+01:00") && !pattern.matches("1:00"));
    let led = served("ComputerSystem").property("IndicatorLED").unwrap();
    assert!(led.deprecated && led.nullable);
    let name = served("Fan").property("Name").unwrap();
    assert!(name.required && !name.nullable);
    assert!(
        served("Session")
            .property("Password")
            .unwrap()
            .required_on_create
    );
}

#[test]
fn an_excerpt_has_its_own_properties_and_where_they_come_from() {
    let fan = object(served("Fan").property("SpeedPercent").unwrap());
    assert_eq!(fan.name, "SensorFanExcerpt");
    for name in ["Reading", "SpeedRPM", "DataSourceUri"] {
        assert!(fan.property(name).is_some(), "{name}");
    }
    assert!(
        fan.property("ApparentVA").is_none(),
        "that belongs to the excerpt Power"
    );
    assert!(!fan.is_entity, "an excerpt has no @odata.id");
    assert!(
        served("Sensor").property("DataSourceUri").is_none(),
        "only copies have it"
    );
    let power = object(served("EnvironmentMetrics").property("PowerWatts").unwrap());
    assert!(power.property("ApparentVA").is_some());
}

#[test]
fn navigation_is_a_link_unless_the_schema_expands_it() {
    let chassis = served("Chassis");
    assert!(matches!(
        chassis.property("Sensors").unwrap().kind,
        Kind::Reference("SensorCollection")
    ));
    let temperature = object(served("Thermal").property("Temperatures").unwrap());
    assert!(temperature.is_entity && temperature.property("MemberId").is_some());
    let entry = object(served("LogEntryCollection").property("Members").unwrap());
    assert_eq!(entry.name, "LogEntry");
    let event = served("Event");
    assert!(
        event.uris.is_empty() && !event.object.is_entity,
        "an event is only sent"
    );
}

#[test]
fn an_action_has_its_parameters_without_the_binding_one() {
    let reset = served("ComputerSystem")
        .action("ComputerSystem.Reset")
        .unwrap();
    assert_eq!(reset.parameters.len(), 1);
    let kind = reset.parameter("ResetType").unwrap();
    assert!(kind.nullable, "a service may have a default");
    let Kind::Enumeration(words) = kind.kind else {
        panic!("words")
    };
    assert!(words.contains("ForceOff") && !words.contains("forceoff"));
    let decommission = served("ComputerSystem")
        .action("ComputerSystem.Decommission")
        .unwrap();
    assert!(
        !decommission
            .parameter("DecommissionTypes")
            .unwrap()
            .nullable
    );
    let block = served("ComputerSystem")
        .action("ComputerSystem.AddResourceBlock")
        .unwrap();
    assert!(matches!(
        block.parameter("ResourceBlock").unwrap().kind,
        Kind::Reference("ResourceBlock")
    ));
}

#[test]
fn words_of_an_annotated_string_type_are_an_enumeration() {
    let code = served("LogEntry").property("SensorType").unwrap();
    let Kind::Enumeration(words) = code.kind else {
        panic!("words")
    };
    assert!(words.contains("Platform Security Violation Attempt"));
}

#[test]
fn capabilities_are_those_of_the_resource() {
    assert!(served("SessionCollection").insertable && !served("FanCollection").insertable);
    assert!(served("Session").deletable && !served("Sensor").deletable);
    assert!(served("Fan").updatable);
    assert_eq!(served("FanCollection").member_type, Some("Fan"));
}

#[test]
fn a_type_is_found_by_its_odata_type_at_any_version() {
    let fan = by_odata_type("#Fan.v1_0_0.Fan").unwrap();
    assert_eq!(fan.name, "Fan");
    assert!(by_odata_type(fan.odata_type).is_some());
    for wrong in [
        "Fan.v1_0_0.Fan",
        "#Fan.v1_0_0.Pump",
        "#Sensor.v1_0_0.Fan",
        "#Fan",
        "",
        "#.",
    ] {
        assert!(by_odata_type(wrong).is_none(), "{wrong}");
    }
    for resource in all() {
        assert!(std::ptr::eq(
            by_odata_type(resource.odata_type).unwrap(),
            *resource
        ));
    }
}

#[test]
fn a_path_is_compared_with_the_uri_templates() {
    let fan = served("Fan");
    assert!(fan.may_be_at("/redfish/v1/Chassis/1/ThermalSubsystem/Fans/2"));
    assert!(fan.may_be_at("/redfish/v1/Chassis/1/ThermalSubsystem/Fans/2/"));
    assert!(!fan.may_be_at("/redfish/v1/Chassis//ThermalSubsystem/Fans/2"));
    assert!(!fan.may_be_at("/redfish/v1/Chassis/1/ThermalSubsystem/Fans"));
    assert!(!fan.may_be_at("/redfish/v1/Systems/1"));
    assert!(
        served("Thermal").may_be_at("/redfish/v1/Chassis/1/Thermal"),
        "a deprecated URI"
    );
}

#[test]
fn every_schema_that_a_table_comes_from_is_in_the_list_of_files() {
    for resource in all() {
        let namespace = resource.odata_type[1..].rsplit_once('.').unwrap().0;
        let file = schema_files()
            .iter()
            .find(|file| file.namespaces.contains(&namespace))
            .unwrap_or_else(|| panic!("no file with {namespace}"));
        let family = namespace.split('.').next().unwrap();
        assert!(file.uri.ends_with(&format!("/{family}_v1.xml")));
    }
    assert!(
        schema_files()
            .iter()
            .any(|file| file.uri.ends_with("/Resource_v1.xml"))
    );
    assert_eq!(
        served("Fan").json_schema_uri(),
        format!(
            "http://redfish.dmtf.org/schemas/v1/Fan.v{}.json",
            version("Fan")
        )
    );
}

fn version(name: &str) -> String {
    served(name)
        .version
        .expect("no collection")
        .to_string()
        .replace('.', "_")
}
