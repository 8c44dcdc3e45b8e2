//! Documents that are kept until their machine has a newer snapshot.

use std::sync::Arc;

use hardware::*;
use redfish::{Backend, Document, Path};
use redfish_hardware::HardwareBackend;

use crate::fake::{self, Fake, ready};

const SENSOR: &str = "/redfish/v1/Chassis/Loose/Sensors/CPU1_Temp";

fn read(backend: &HardwareBackend, uri: &str) -> Document {
    let path = Path::parse(uri).unwrap();
    ready(backend.get(&path)).unwrap()
}

fn are_one(a: &Document, b: &Document) -> bool {
    std::ptr::eq(a.json().as_ptr(), b.json().as_ptr())
}

#[test]
fn a_document_is_made_once_a_snapshot() {
    let fake = Fake::hall();
    let backend = HardwareBackend::new(Arc::clone(&fake) as Arc<dyn Hardware>);
    let first = read(&backend, SENSOR);
    assert!(are_one(&first, &read(&backend, SENSOR)));
    fake.set_reading("Loose", "CPU1_Temp", fake::value(71.0));
    let second = read(&backend, SENSOR);
    assert!(!are_one(&first, &second));
    let text = std::str::from_utf8(second.json()).unwrap();
    assert!(text.contains("\"Reading\":71"), "{text}");
    assert!(are_one(&second, &read(&backend, SENSOR)));
}

#[test]
fn a_snapshot_with_equal_facts_is_a_newer_one_all_the_same() {
    let fake = Fake::hall();
    let backend = HardwareBackend::new(Arc::clone(&fake) as Arc<dyn Hardware>);
    let first = read(&backend, SENSOR);
    fake.change("Loose", |_| {});
    let second = read(&backend, SENSOR);
    assert!(!are_one(&first, &second));
    assert_eq!(first.json(), second.json());
}

#[test]
fn more_documents_than_places_are_all_right() {
    let fake = Fake::hall();
    let backend = HardwareBackend::new(Arc::clone(&fake) as Arc<dyn Hardware>);
    let loose = (*fake.node("Loose").unwrap()).clone();
    for machine in 0..2_000 {
        let name = format!("Node{machine}");
        fake.put(Node {
            id: NodeId::new(&name).unwrap(),
            ..loose.clone()
        });
    }
    for _ in 0..2 {
        for machine in 0..2_000 {
            let uri = format!("/redfish/v1/Systems/Node{machine}");
            let document = read(&backend, &uri);
            let text = std::str::from_utf8(document.json()).unwrap().to_owned();
            assert!(text.contains(&format!("\"{uri}\"")), "{text}");
        }
    }
}
