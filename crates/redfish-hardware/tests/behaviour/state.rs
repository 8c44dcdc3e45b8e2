//! State and health: what works, and what doesn't.

use hardware::*;
use serde_json::json;

use crate::fake::{self, Client, Fake};

#[test]
fn a_crossed_limit_shows_in_the_sensor_its_subsystem_its_machine_and_all_around_it() {
    let fake = Fake::hall();
    let crossed = ThresholdState::NONE.with(Threshold::UpperCaution);
    fake.set_reading(
        "Sled1-Node1",
        "CPU1_Temp",
        Reading {
            crossed,
            ..fake::value(88.0)
        },
    );
    let client = Client::of(&fake);
    let health = |uri: &str, name: &str| client.get(uri)["Status"][name].clone();
    assert_eq!(
        health(
            "/redfish/v1/Chassis/Sled1-Node1/Sensors/CPU1_Temp",
            "Health"
        ),
        "Warning"
    );
    assert_eq!(
        health("/redfish/v1/Chassis/Sled1-Node1/ThermalSubsystem", "Health"),
        "Warning"
    );
    assert_eq!(
        health("/redfish/v1/Chassis/Sled1-Node1/PowerSubsystem", "Health"),
        "OK"
    );
    assert_eq!(
        health("/redfish/v1/Systems/Sled1-Node1", "Health"),
        "Warning"
    );
    for around in ["Sled1", "Block1", "Rack1"] {
        let uri = format!("/redfish/v1/Chassis/{around}");
        assert_eq!(health(&uri, "HealthRollup"), "Warning", "{around}");
        assert_eq!(health(&uri, "Health"), "OK", "{around}");
    }
    assert_eq!(health("/redfish/v1/Chassis/Sled2", "HealthRollup"), "OK");
}

#[test]
fn a_state_of_a_discrete_sensor_counts_as_bad_as_it_is() {
    let fake = Fake::hall();
    fake.set_reading("Loose", "CPU1_Status", fake::states(0b10));
    assert_eq!(
        Client::of(&fake).get("/redfish/v1/Systems/Loose")["Status"]["Health"],
        "Critical"
    );
}

#[test]
fn a_machine_that_does_not_answer_has_no_readings_and_says_why() {
    let fake = Fake::hall();
    fake.change("Loose", |node| {
        let reason = "wrong password for user 'admin'".into();
        node.link = Link::Down {
            reason,
            since_ms: fake::READ_AT_MS,
        };
    });
    let client = Client::of(&fake);
    let system = client.get("/redfish/v1/Systems/Loose");
    assert!(system["PowerState"].is_null());
    assert_eq!(system["Status"]["State"], "UnavailableOffline");
    assert!(system["Status"]["Health"].is_null());
    let sensor = client.get("/redfish/v1/Chassis/Loose/Sensors/CPU1_Temp");
    assert!(sensor["Reading"].is_null());
    assert_eq!(
        sensor["Status"],
        json!({"State": "UnavailableOffline", "Health": null})
    );
    assert_eq!(
        sensor["Thresholds"]["UpperCritical"]["Reading"], 95.0,
        "limits stay known"
    );
    let manager = client.get("/redfish/v1/Managers/Loose");
    assert_eq!(manager["Status"]["Health"], "Critical");
    let condition = &manager["Status"]["Conditions"][0];
    assert!(
        condition["Message"]
            .as_str()
            .unwrap()
            .contains("wrong password for user 'admin'")
    );
    assert_eq!(condition["Timestamp"], "2026-01-31T12:00:00Z");
}

#[test]
fn a_machine_that_is_off_stands_by_and_its_controller_works() {
    let fake = Fake::hall();
    fake.change("Loose", |node| node.power = Power::Off);
    let client = Client::of(&fake);
    let system = client.get("/redfish/v1/Systems/Loose");
    assert_eq!(system["PowerState"], "Off");
    assert_eq!(system["Status"]["State"], "StandbyOffline");
    assert_eq!(client.get("/redfish/v1/Chassis/Loose")["PowerState"], "Off");
    let manager = client.get("/redfish/v1/Managers/Loose");
    assert_eq!(
        manager["Status"],
        json!({"State": "Enabled", "Health": "OK"})
    );
}

#[test]
fn an_unavailable_reading_is_null() {
    let fake = Fake::hall();
    let off = Reading {
        availability: Availability::Unavailable,
        ..fake::value(9.0)
    };
    fake.set_reading("Loose", "Fan2", off);
    let client = Client::of(&fake);
    assert!(client.get("/redfish/v1/Chassis/Loose/Sensors/Fan2")["Reading"].is_null());
    assert!(client.get("/redfish/v1/Chassis/Loose/Thermal")["Fans"][2]["Reading"].is_null());
    let fan = client.get("/redfish/v1/Chassis/Loose/ThermalSubsystem/Fans/Fan2");
    assert_eq!(fan["Status"]["State"], "UnavailableOffline");
    assert!(fan["SpeedPercent"]["Reading"].is_null());
}

#[test]
fn a_power_supply_that_lost_its_input_is_critical_and_an_empty_slot_is_absent() {
    let fake = Fake::hall();
    fake.set_reading("Bay1-Controller", "PSU1_Status", fake::states(0b1001));
    fake.set_reading("Bay1-Controller", "PSU2_Status", fake::states(0));
    let client = Client::of(&fake);
    let supplies = "/redfish/v1/Chassis/PowerBay1/PowerSubsystem/PowerSupplies";
    let lost = client.get(&format!("{supplies}/PSU1"));
    assert_eq!(lost["LineInputStatus"], "LossOfInput");
    assert_eq!(
        lost["Status"],
        json!({"State": "Enabled", "Health": "Critical"})
    );
    let empty = client.get(&format!("{supplies}/PSU2"));
    assert_eq!(empty["Status"], json!({"State": "Absent", "Health": null}));
}

#[test]
fn a_log_entry_has_time_severity_type_direction_and_event_data() {
    let client = Client::of(&Fake::hall());
    let log = "/redfish/v1/Managers/Loose/LogServices/SEL/Entries";
    let entry = client.get(&format!("{log}/1"));
    assert_eq!(entry["EntryType"], "SEL");
    assert_eq!(entry["Severity"], "Critical");
    assert_eq!(entry["Created"], "2020-09-13T12:26:40Z");
    assert_eq!(entry["SensorType"], "Temperature");
    assert_eq!(entry["SensorNumber"], 0x30);
    assert_eq!(entry["EntryCode"], "Assert");
    assert_eq!(entry["Message"], "CPU1 Temp: Upper Critical going high");
    assert_eq!(entry["MessageId"], "0x0159615F");
    assert_eq!(entry["GeneratorId"], "0x0020");
    let gone = client.get(&format!("{log}/2"));
    assert_eq!(gone["EntryCode"], "Deassert");
    assert!(
        gone.get("Created").is_none(),
        "the machine's clock was not set"
    );
    let oem = client.get(&format!("{log}/3"));
    assert_eq!(oem["EntryType"], "Oem");
    assert!(oem.get("SensorNumber").is_none());
    let all = client.get(log);
    assert_eq!(all["Members"][0], entry);
    assert_eq!(all["Members@odata.count"], 3);
}

#[test]
fn a_rack_says_where_it_stands() {
    let rack = Client::of(&Fake::hall()).get("/redfish/v1/Chassis/Rack1");
    let placement = json!({
        "Row": "B", "Rack": "12", "RackOffsetUnits": "EIA_310", "RackOffset": 1,
        "AdditionalInfo": "Hall 7",
    });
    assert_eq!(rack["Location"]["Placement"], placement);
    assert_eq!(rack["ChassisType"], "Rack");
    assert_eq!(rack["Manufacturer"], "Acme");
}

#[test]
fn lost_redundancy_shows_in_the_group_and_not_in_one_of_its_members() {
    let fake = Fake::hall();
    fake.set_reading("Block1-Controller", "Fan_Redundancy", fake::states(0b10));
    let client = Client::of(&fake);
    let subsystem = client.get("/redfish/v1/Chassis/Block1/ThermalSubsystem");
    let group = &subsystem["FanRedundancy"][0];
    assert_eq!(group["GroupName"], "Fan Redundancy");
    assert_eq!(
        group["Status"],
        json!({"State": "Enabled", "Health": "Warning"})
    );
    assert_eq!(group["RedundancyGroup"].as_array().unwrap().len(), 3);
    assert_eq!(subsystem["Status"]["Health"], "Warning");
    let fan = client.get("/redfish/v1/Chassis/Block1/ThermalSubsystem/Fans/Fan_1");
    assert_eq!(fan["Status"]["Health"], "OK");
    let thermal = client.get("/redfish/v1/Chassis/Block1/Thermal");
    assert_eq!(thermal["Redundancy"][0]["Status"]["Health"], "Warning");
    assert_eq!(
        thermal["Redundancy"][0]["RedundancySet"][2]["@odata.id"],
        "/redfish/v1/Chassis/Block1/Thermal#/Fans/2"
    );
    let power = client.get("/redfish/v1/Chassis/PowerBay1/PowerSubsystem");
    assert_eq!(power["PowerSupplyRedundancy"][0]["Status"]["Health"], "OK");
    let older = client.get("/redfish/v1/Chassis/PowerBay1/Power");
    assert_eq!(older["Redundancy"][0]["Mode"], "N+m");
}
