//! The report of all machines.

use std::collections::BTreeMap;

use hardware::*;
use serde_json::Value;

use crate::fake::{self, Client, Fake};

const REPORT: &str = "/redfish/v1/TelemetryService/MetricReports/Nodes";

/// The report's values by metric and owner: `("PowerState", "Systems/Loose")`.
fn values(client: &Client) -> BTreeMap<(String, String), Value> {
    let report = client.get(REPORT);
    let entry = |value: &Value| {
        let property = value["MetricProperty"].as_str().unwrap();
        let owner: Vec<&str> = property.split(['/', '#']).skip(3).take(2).collect();
        (
            (
                value["MetricId"].as_str().unwrap().to_owned(),
                owner.join("/"),
            ),
            value.clone(),
        )
    };
    report["MetricValues"]
        .as_array()
        .unwrap()
        .iter()
        .map(entry)
        .collect()
}

fn text<'a>(
    values: &'a BTreeMap<(String, String), Value>,
    id: &str,
    owner: &str,
) -> Option<&'a str> {
    values.get(&(id.to_owned(), owner.to_owned()))?["MetricValue"].as_str()
}

#[test]
fn the_report_tells_every_machine_in_one_document() {
    let values = values(&Client::of(&Fake::hall()));
    assert_eq!(
        text(&values, "HottestTemperature", "Chassis/Sled1-Node1"),
        Some("61")
    );
    assert_eq!(
        text(&values, "PowerConsumption", "Chassis/Sled1-Node1"),
        Some("312")
    );
    assert_eq!(
        text(&values, "PowerState", "Systems/Sled1-Node1"),
        Some("On")
    );
    assert_eq!(text(&values, "Health", "Systems/Sled1-Node1"), Some("OK"));
    assert_eq!(
        text(&values, "State", "Systems/Sled1-Node1"),
        Some("Enabled")
    );
    assert_eq!(
        text(&values, "PowerConsumption", "Chassis/PowerBay1"),
        Some("2000")
    );
    assert_eq!(text(&values, "State", "Chassis/Block1"), Some("Enabled"));
    assert_eq!(
        text(&values, "PowerState", "Chassis/Block1"),
        None,
        "an enclosure has none"
    );
}

#[test]
fn the_hottest_sensor_is_named_and_compared_in_one_unit() {
    let fake = Fake::hall();
    // 160 °F are 71.1 °C: hotter than the processor, though 61 °C is not the larger number to be beaten by 77 °F.
    fake.set_reading("Loose", "Inlet_Temp", fake::value(160.0));
    let client = Client::of(&fake);
    let values = values(&client);
    let hottest = &values[&("HottestTemperature".to_owned(), "Chassis/Loose".to_owned())];
    assert_eq!(
        hottest["MetricProperty"],
        "/redfish/v1/Chassis/Loose/Sensors/Inlet_Temp#/Reading"
    );
    assert_eq!(hottest["MetricValue"], "71.1111");
    assert_eq!(hottest["Timestamp"], "2026-01-31T12:00:00Z");
    let other = &values[&(
        "HottestTemperature".to_owned(),
        "Chassis/Sled1-Node1".to_owned(),
    )];
    assert_eq!(
        other["MetricProperty"],
        "/redfish/v1/Chassis/Sled1-Node1/Sensors/CPU1_Temp#/Reading"
    );
}

#[test]
fn of_a_machine_that_does_not_answer_the_report_tells_only_that() {
    let fake = Fake::hall();
    fake.change("Loose", |node| {
        node.link = Link::Down {
            reason: "no answer".into(),
            since_ms: 1,
        };
    });
    let values = values(&Client::of(&fake));
    let of_loose: Vec<_> = values
        .iter()
        .filter(|((_, owner), _)| owner.ends_with("/Loose"))
        .collect();
    assert_eq!(of_loose.len(), 1);
    assert_eq!(
        text(&values, "State", "Systems/Loose"),
        Some("UnavailableOffline")
    );
}

#[test]
fn every_metric_of_the_report_is_defined() {
    let client = Client::of(&Fake::hall());
    for (id, _) in values(&client).keys() {
        client.get(&format!(
            "/redfish/v1/TelemetryService/MetricDefinitions/{id}"
        ));
    }
}
