//! Readings: the same value, unit and limits wherever a sensor shows up.

use std::sync::Arc;

use hardware::*;
use serde_json::json;

use crate::fake::{self, Client, Fake};

#[test]
fn a_sensor_has_its_reading_unit_type_limits_and_range() {
    let sensor = Client::of(&Fake::hall()).get("/redfish/v1/Chassis/Sled1-Node1/Sensors/CPU1_Temp");
    assert_eq!(sensor["Name"], "CPU1 Temp");
    assert_eq!(sensor["Reading"], 61.0);
    assert_eq!(sensor["ReadingType"], "Temperature");
    assert_eq!(sensor["ReadingUnits"], "Cel");
    assert_eq!(sensor["PhysicalContext"], "CPU");
    assert_eq!(sensor["ReadingTime"], "2026-01-31T12:00:00Z");
    assert_eq!(sensor["ReadingRangeMin"], 0.0);
    assert_eq!(sensor["ReadingRangeMax"], 255.0);
    assert_eq!(sensor["Thresholds"]["UpperCaution"]["Reading"], 85.0);
    assert_eq!(sensor["Thresholds"]["UpperCritical"]["Reading"], 95.0);
    assert_eq!(
        sensor["Thresholds"]["UpperCritical"]["Activation"],
        "Increasing"
    );
    assert!(sensor["Thresholds"].get("LowerCritical").is_none());
    assert_eq!(
        sensor["Status"],
        json!({"State": "Enabled", "Health": "OK"})
    );
}

#[test]
fn values_and_limits_have_as_many_digits_as_the_sensor_can_tell_apart() {
    let client = Client::of(&Fake::hall());
    let sensor = client.get("/redfish/v1/Chassis/Sled1-Node1/Sensors/P12V");
    assert_eq!(sensor["Reading"].to_string(), "12.1");
    assert_eq!(
        sensor["Thresholds"]["LowerCritical"]["Reading"].to_string(),
        "10.8"
    );
    let power = client.get("/redfish/v1/Chassis/Sled1-Node1/Power");
    assert_eq!(power["Voltages"][0]["ReadingVolts"].to_string(), "12.1");
    assert_eq!(
        power["Voltages"][0]["LowerThresholdCritical"].to_string(),
        "10.8"
    );
}

#[test]
fn units_that_redfish_does_not_know_become_those_it_does() {
    let client = Client::of(&Fake::hall());
    let inlet = client.get("/redfish/v1/Chassis/Sled1-Node1/Sensors/Inlet_Temp");
    assert_eq!(
        (&inlet["Reading"], &inlet["ReadingUnits"]),
        (&json!(25), &json!("Cel"))
    );
    let air = client.get("/redfish/v1/Chassis/Sled1-Node1/Sensors/Air");
    assert_eq!(
        (&air["Reading"], &air["ReadingUnits"]),
        (&json!(2.83168), &json!("m3/min"))
    );
    assert_eq!(air["ReadingType"], "AirFlowCMM");
    let wear = client.get("/redfish/v1/Chassis/Sled1-Node1/Sensors/Wear");
    assert_eq!(
        (&wear["Reading"], &wear["ReadingUnits"]),
        (&json!(3), &json!("{wear}"))
    );
    assert!(
        wear.get("ReadingType").is_none(),
        "there is no type for this unit"
    );
}

#[test]
fn the_older_schemas_show_the_same_readings_as_the_sensors() {
    let client = Client::of(&Fake::hall());
    let thermal = client.get("/redfish/v1/Chassis/Sled1-Node1/Thermal");
    let cpu = &thermal["Temperatures"][0];
    assert_eq!(cpu["Name"], "CPU1 Temp");
    assert_eq!(cpu["ReadingCelsius"], 61.0);
    assert_eq!(cpu["UpperThresholdNonCritical"], 85.0);
    assert_eq!(cpu["UpperThresholdCritical"], 95.0);
    assert_eq!(cpu["MemberId"], "0");
    assert_eq!(
        cpu["@odata.id"],
        "/redfish/v1/Chassis/Sled1-Node1/Thermal#/Temperatures/0"
    );
    assert_eq!(thermal["Temperatures"][1]["ReadingCelsius"], 25.0);
    let fans: Vec<_> = thermal["Fans"].as_array().unwrap().iter().collect();
    assert_eq!(fans.len(), 3, "one for each rotor");
    assert_eq!(
        (&fans[0]["Reading"], &fans[0]["ReadingUnits"]),
        (&json!(8400), &json!("RPM"))
    );
    assert_eq!(
        (&fans[2]["Reading"], &fans[2]["ReadingUnits"]),
        (&json!(41), &json!("Percent"))
    );
    let power = client.get("/redfish/v1/Chassis/Sled1-Node1/Power");
    assert_eq!(power["PowerControl"][0]["PowerConsumedWatts"], 312.0);
}

#[test]
fn a_fan_with_two_rotors_is_one_fan_with_two_speeds() {
    let client = Client::of(&Fake::hall());
    let fans = "/redfish/v1/Chassis/Sled1-Node1/ThermalSubsystem/Fans";
    assert_eq!(client.get(fans)["Members@odata.count"], 2);
    let fan = client.get(&format!("{fans}/Fan1A"));
    assert_eq!(fan["SpeedPercent"]["SpeedRPM"], 8400.0);
    assert_eq!(fan["SecondarySpeedPercent"]["SpeedRPM"], 7900.0);
    assert!(
        fan["SpeedPercent"].get("Reading").is_none(),
        "nobody knows the percentage"
    );
    let fan = client.get(&format!("{fans}/Fan2"));
    assert_eq!(fan["SpeedPercent"]["Reading"], 41.0);
    assert!(fan.get("SecondarySpeedPercent").is_none());
    let rotor = client.get("/redfish/v1/Chassis/Sled1-Node1/Sensors/Fan1B");
    assert_eq!(
        rotor["RelatedItem"][0]["@odata.id"],
        format!("{fans}/Fan1A")
    );
}

#[test]
fn the_sensors_of_an_enclosure_are_those_of_its_controller() {
    let client = Client::of(&Fake::hall());
    let fans = client.get("/redfish/v1/Chassis/Block1/ThermalSubsystem/Fans");
    assert_eq!(fans["Members@odata.count"], 3);
    let block = client.get("/redfish/v1/Chassis/Block1");
    let manager = "/redfish/v1/Managers/Block1-Controller";
    assert_eq!(block["Links"]["ManagedBy"][0]["@odata.id"], manager);
    let manager = client.get(manager);
    assert_eq!(manager["ManagerType"], "EnclosureManager");
    assert_eq!(
        manager["Links"]["ManagerInChassis"]["@odata.id"],
        "/redfish/v1/Chassis/Block1"
    );
}

#[test]
fn a_power_supply_has_a_nameplate_and_both_sides_of_its_conversion() {
    let client = Client::of(&Fake::hall());
    let supplies = "/redfish/v1/Chassis/PowerBay1/PowerSubsystem/PowerSupplies";
    let supply = client.get(&format!("{supplies}/PSU1"));
    assert_eq!(supply["Manufacturer"], "Volta");
    assert_eq!(supply["SerialNumber"], "V77");
    assert_eq!(supply["ProductionDate"], "2020-09-13T12:26:40Z");
    assert_eq!(supply["LineInputStatus"], "Normal");
    let other = client.get(&format!("{supplies}/PSU2"));
    assert!(
        other.get("SerialNumber").is_none(),
        "no nameplate is known for it"
    );
    let metrics = client.get(&format!("{supplies}/PSU1/Metrics"));
    assert_eq!(metrics["InputPowerWatts"]["Reading"], 1000.0);
    assert_eq!(metrics["OutputPowerWatts"]["Reading"], 940.0);
    assert_eq!(metrics["InputVoltage"]["Reading"], 230.0);
    assert_eq!(metrics["InputCurrentAmps"]["Reading"], 4.4);
    assert_eq!(metrics["RailVoltage"][0]["Reading"], 12.2);
    assert_eq!(metrics["RailCurrentAmps"][0]["Reading"], 77.0);
    assert_eq!(metrics["TemperatureCelsius"]["Reading"], 40.0);
    assert_eq!(metrics["FanSpeedsPercent"][0]["SpeedRPM"], 9000.0);
    assert_eq!(metrics["EnergykWh"]["Reading"], 17.5);
    let old = client.get("/redfish/v1/Chassis/PowerBay1/Power");
    assert_eq!(old["PowerSupplies"][0]["PowerInputWatts"], 1000.0);
    assert_eq!(old["PowerSupplies"][0]["LineInputVoltage"], 230.0);
}

#[test]
fn without_a_sensor_for_the_whole_a_chassis_draws_what_its_supplies_take_in() {
    let client = Client::of(&Fake::hall());
    let bay = client.get("/redfish/v1/Chassis/PowerBay1/EnvironmentMetrics");
    assert_eq!(bay["PowerWatts"]["Reading"], 2000.0);
    assert!(
        bay["PowerWatts"].get("DataSourceUri").is_none(),
        "no one sensor says so"
    );
    let node = client.get("/redfish/v1/Chassis/Sled1-Node1/EnvironmentMetrics");
    assert_eq!(
        node["PowerWatts"]["Reading"], 312.0,
        "and not the processor's 120 W"
    );
    let source = "/redfish/v1/Chassis/Sled1-Node1/Sensors/Node_Power";
    assert_eq!(node["PowerWatts"]["DataSourceUri"], source);
    assert_eq!(node["TemperatureCelsius"]["Reading"], 25.0);
}

#[test]
fn a_value_kept_from_an_earlier_round_has_no_reading_time() {
    let fake = Fake::hall();
    let kept = Reading {
        availability: Availability::Stale,
        ..fake::value(60.0)
    };
    fake.set_reading("Loose", "CPU1_Temp", kept);
    let sensor = Client::of(&fake).get("/redfish/v1/Chassis/Loose/Sensors/CPU1_Temp");
    assert_eq!(sensor["Reading"], 60.0);
    assert!(sensor.get("ReadingTime").is_none());
}

#[test]
fn a_reading_is_of_the_time_of_its_class_and_says_how_often_it_is_taken() {
    let fake = Fake::hall();
    fake.change("Loose", |node| {
        let intervals = SensorIntervals::all(2_500).with(SensorClass::Temperature, 90_000);
        node.intervals = Some(Arc::new(intervals));
        // Temperatures were read then, and all else 40 s later.
        let later_ms = fake::READ_AT_MS + 40_000;
        node.note_read(later_ms, |class| class != SensorClass::Temperature);
    });
    let client = Client::of(&fake);
    let sensors = "/redfish/v1/Chassis/Loose/Sensors";
    let temperature = client.get(&format!("{sensors}/CPU1_Temp"));
    assert_eq!(temperature["ReadingTime"], "2026-01-31T12:00:00Z");
    assert_eq!(temperature["SensingInterval"], "PT1M30S");
    let power = client.get(&format!("{sensors}/Node_Power"));
    assert_eq!(power["ReadingTime"], "2026-01-31T12:00:40Z");
    assert_eq!(power["SensingInterval"], "PT2.5S");
    let metric = "/redfish/v1/TelemetryService/MetricDefinitions";
    let hottest = client.get(&format!("{metric}/HottestTemperature"));
    assert_eq!(hottest["SensingInterval"], "PT1M30S");
    assert!(
        client
            .get(&format!("{metric}/PowerConsumption"))
            .get("SensingInterval")
            .is_none()
    );
    // How often others are read isn't known.
    let other = client.get("/redfish/v1/Chassis/Sled1-Node1/Sensors/CPU1_Temp");
    assert!(other.get("ReadingTime").is_some() && other.get("SensingInterval").is_none());
}
