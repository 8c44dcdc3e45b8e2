//! Which firmware can be replaced, and what is said about the rest.

use std::sync::Arc;

use hardware::FirmwareComponent;
use redfish::{Backend, Event, EventSink, Failure, Path};

use crate::fake::{Client, Fake};

const INVENTORY: &str = "/redfish/v1/UpdateService/FirmwareInventory";

fn with_components(fake: &Fake, node: &str) {
    let component = |number, name: &str, version: &str| FirmwareComponent {
        number,
        name: Some(name.into()),
        version: Some(version.into()),
    };
    fake.change(node, |node| {
        let identity = Arc::make_mut(&mut node.identity);
        identity.controller_firmware = Some("2.14".into());
        identity.firmware = [component(0, "BOOT", "1.00"), component(7, "APP", "2.14")].into();
    });
}

fn path(id: &str) -> Path {
    Path::parse(&format!("{INVENTORY}/{id}")).unwrap()
}

#[test]
fn where_no_machine_takes_firmware_the_service_offers_no_way_to_send_any() {
    let fake = Fake::hall();
    let backend = redfish_hardware::HardwareBackend::new(Arc::clone(&fake) as _);
    assert!(backend.updater().is_none());
    with_components(&fake, "Loose");
    assert!(backend.updater().is_some());
}

/// Hears nothing.
struct Deaf;

impl EventSink for Deaf {
    fn publish(&self, _: Event) {}
}

#[test]
fn a_machine_that_takes_firmware_tells_so_itself() {
    let fake = Fake::hall();
    let backend = redfish_hardware::HardwareBackend::new(Arc::clone(&fake) as _);
    backend.watch(Arc::new(Deaf));
    assert!(backend.updater().is_none());
    fake.change("Loose", |_| {});
    assert!(backend.updater().is_none());
    with_components(&fake, "Loose");
    assert!(backend.updater().is_some());
}

#[test]
fn firmware_is_updateable_where_its_controller_takes_other_firmware() {
    let fake = Fake::hall();
    with_components(&fake, "Loose");
    let client = Client::of(&fake);
    let whole = client.get(&format!("{INVENTORY}/Loose-BMC"));
    assert_eq!(whole["Updateable"], true);
    let part = client.get(&format!("{INVENTORY}/Loose-BMC.0"));
    assert_eq!(
        (&part["Updateable"], &part["Version"]),
        (&true.into(), &"1.00".into())
    );
    assert_eq!(part["Name"], "Controller firmware component BOOT of Loose");
    let bios = client.get(&format!("{INVENTORY}/Loose-BIOS"));
    assert_eq!(bios["Updateable"], false);
    let all = client.get(INVENTORY);
    let all = all["Members"].as_array().unwrap().iter();
    let of_loose = all.filter(|member| member["@odata.id"].as_str().unwrap().contains("/Loose-"));
    assert_eq!(of_loose.count(), 4);
}

#[test]
fn targets_are_updateable_firmware_and_managers_that_have_some() {
    let fake = Fake::hall();
    with_components(&fake, "Loose");
    let backend = redfish_hardware::HardwareBackend::new(Arc::clone(&fake) as _);
    let updater = backend.updater().unwrap();
    let manager = Path::parse("/redfish/v1/Managers/Loose").unwrap();
    let good = [path("Loose-BMC"), path("Loose-BMC.7"), manager];
    assert_eq!(updater.check(&good), Ok(()));
    assert_eq!(updater.all(), [path("Loose-BMC")]);
    let system = Path::parse("/redfish/v1/Systems/Loose").unwrap();
    let bad = [
        path("Loose-BIOS"),
        path("Loose-BMC.1"),
        path("Loose-BMC.07"),
        path("Sled1-Node1-BMC"),
        path("Nobody-BMC"),
        system,
    ];
    let Err(Failure::Messages(messages)) = updater.check(&bad) else {
        panic!("they are refused");
    };
    assert_eq!(messages.len(), bad.len());
}
