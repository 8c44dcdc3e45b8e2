//! What a machine is: its parts, its controller, how that is on the network.

use hardware::*;
use serde_json::json;

use crate::fake::{Client, Fake};

#[test]
fn a_system_tells_its_processors_and_its_memory_as_far_as_nameplates_and_sensors_do() {
    let fake = Fake::hall();
    let client = Client::of(&fake);
    let system = client.get("/redfish/v1/Systems/Loose");
    assert_eq!(
        system["ProcessorSummary"],
        json!({"Count": 1, "Model": "Abacus 9"})
    );
    assert_eq!(
        system["MemorySummary"]["TotalSystemMemoryGiB"].as_f64(),
        Some(24.0)
    );
    assert_eq!(system["BiosVersion"], "1.8.2");
    assert_eq!(system["HostName"], "web7");
    let processors = client.get(system["Processors"]["@odata.id"].as_str().unwrap());
    assert_eq!(processors["Members@odata.count"], 1);
    let processor = client.get("/redfish/v1/Systems/Loose/Processors/CPU1");
    assert_eq!(processor["Model"], "Abacus 9");
    assert_eq!(processor["Status"]["Health"], "OK");
    let memory = client.get("/redfish/v1/Systems/Loose/Memory/DIMM2");
    assert_eq!(memory["CapacityMiB"], 8_192);
    assert_eq!(memory["DeviceLocator"], "B");
}

#[test]
fn what_no_nameplate_tells_is_left_out_and_part_of_a_sum_is_no_sum() {
    let fake = Fake::hall();
    fake.change("Loose", |node| {
        let inventory = std::sync::Arc::make_mut(&mut node.inventory);
        let mut plates = inventory.nameplates();
        plates.parts[3].capacity = None;
        *inventory = Inventory::new(plates, inventory.sensors.clone());
    });
    fake.change("Sled1-Node1", |node| {
        let inventory = std::sync::Arc::make_mut(&mut node.inventory);
        let mut plates = inventory.nameplates();
        plates.parts.clear();
        *inventory = Inventory::new(plates, inventory.sensors.clone());
    });
    let client = Client::of(&fake);
    let system = client.get("/redfish/v1/Systems/Loose");
    assert!(system.get("MemorySummary").is_none());
    assert!(system.get("Memory").is_some(), "the modules are there");
    let system = client.get("/redfish/v1/Systems/Sled1-Node1");
    assert!(system.get("Memory").is_none());
    assert_eq!(
        system["ProcessorSummary"],
        json!({"Count": 1, "Model": null}),
        "its sensors tell of it"
    );
    let power = client.get("/redfish/v1/Chassis/Sled1-Node1/Power");
    assert!(power["PowerControl"][0]["PowerCapacityWatts"].is_null());
}

#[test]
fn a_supplys_nameplate_is_known_by_what_it_is_and_not_by_its_name() {
    let client = Client::of(&Fake::hall());
    let supply = "/redfish/v1/Chassis/Loose/PowerSubsystem/PowerSupplies/PSU1";
    let supply = client.get(supply);
    assert_eq!(supply["Model"], "V-1100");
    assert_eq!(supply["PowerCapacityWatts"], 1_100);
    let power = client.get("/redfish/v1/Chassis/Loose/Power");
    assert_eq!(power["PowerSupplies"][0]["PowerCapacityWatts"], 1_100);
    assert_eq!(power["PowerControl"][0]["PowerCapacityWatts"], 1_100);
}

#[test]
fn a_manager_tells_its_uuid_its_interface_its_protocols_and_its_console() {
    let fake = Fake::hall();
    let client = Client::of(&fake);
    let manager = client.get("/redfish/v1/Managers/Loose");
    assert_eq!(manager["UUID"], "2c5f39cb-2fa1-11d2-883f-0016d3cca427");
    assert_eq!(
        manager["SerialConsole"]["ConnectTypesSupported"],
        json!(["IPMI"])
    );
    let protocols = client.get(manager["NetworkProtocol"]["@odata.id"].as_str().unwrap());
    assert_eq!(
        protocols["IPMI"],
        json!({"ProtocolEnabled": true, "Port": 6_230})
    );
    assert_eq!(
        protocols["HTTPS"],
        json!({"ProtocolEnabled": null, "Port": null}),
        "nobody knows"
    );
    let interfaces = client.get("/redfish/v1/Managers/Loose/EthernetInterfaces");
    let path = interfaces["Members"][0]["@odata.id"].as_str().unwrap();
    let interface = client.get(path);
    assert_eq!(interface["MACAddress"], "02:52:7f:10:00:01");
    assert_eq!(interface["LinkStatus"], "LinkUp");
    assert_eq!(
        interface["IPv4Addresses"],
        json!([{"Address": "127.16.0.1", "SubnetMask": "255.0.0.0", "AddressOrigin": "Static", "Gateway": null}])
    );
    assert_eq!(interface["VLAN"], json!({"VLANEnable": false, "VLANId": 7}));
    fake.change("Loose", |node| node.link = Link::Connecting);
    let interface = client.get(path);
    assert!(interface["LinkStatus"].is_null());
    let log = client.get("/redfish/v1/Managers/Loose/LogServices/SEL");
    assert_eq!(log["MaxNumberOfRecords"], 3_639);
}

#[test]
fn a_machine_that_does_not_answer_is_critical_to_all_that_it_sits_in() {
    let fake = Fake::hall();
    let client = Client::of(&fake);
    let rollup = |id: &str| {
        let chassis = client.get(&format!("/redfish/v1/Chassis/{id}"));
        chassis["Status"]["HealthRollup"].clone()
    };
    let before = rollup("Sled2");
    fake.change("Sled1-Node2", |node| {
        node.link = Link::Down {
            reason: "no answer".into(),
            since_ms: 0,
        };
    });
    for id in ["Sled1", "Block1", "Rack1"] {
        assert_eq!(rollup(id), "Critical", "{id}");
    }
    assert_eq!(rollup("Sled2"), before);
}

#[test]
fn a_power_limit_is_told_while_it_is_in_force() {
    let fake = Fake::hall();
    let client = Client::of(&fake);
    let limit = || {
        let power = client.get("/redfish/v1/Chassis/Loose/Power");
        power["PowerControl"][0]["PowerLimit"].clone()
    };
    let unknown = json!({"LimitInWatts": null, "LimitException": null});
    assert_eq!(limit(), unknown);
    let mut told = PowerLimit {
        limit_w: Some(350),
        action: LimitAction::PowerOff,
        correction_ms: 5_000,
    };
    fake.change("Loose", |node| node.power_limit = Some(told));
    assert_eq!(
        limit(),
        json!({"LimitInWatts": 350, "LimitException": "HardPowerOff", "CorrectionInMs": 5_000})
    );
    told.limit_w = None;
    fake.change("Loose", |node| node.power_limit = Some(told));
    assert!(limit()["LimitInWatts"].is_null());
}
