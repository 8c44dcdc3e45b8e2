//! What limits that are crossed leave in the log.

use std::time::Duration;

use ipmi::number::ChassisControlAction;
use ipmi::time::Instant;
use vbmc::machine::Machine;
use vbmc::sensor::Kind;
use vbmc::site::{Site, SiteOptions};

/// Bit of an entry's event type that says that the state went.
const DEASSERTED: u8 = 0x80;
/// Event data 1: byte 2 is the reading, byte 3 the limit (table 29-6).
const WITH_READING: u8 = 0x50;
/// Event data 1: byte 2 is nothing, byte 3 the limit.
const WITHOUT_READING: u8 = 0x10;

/// The entries about a sensor: event type with direction, event data 1 without the offset, reading.
fn entries(machine: &Machine, number: u8) -> Vec<(u8, u8, u8)> {
    let entries = machine.log().entries().iter();
    let of_it = entries.filter(|entry| entry[11] == number && entry[12] & !DEASSERTED == 1);
    of_it
        .map(|entry| (entry[12], entry[13] & 0xf0, entry[14]))
        .collect()
}

#[test]
fn limits_that_mean_nothing_any_more_go_without_a_reading_that_contradicts_them() {
    let site = Site::new(SiteOptions {
        nodes: 1,
        seed: 1,
        epoch_s: 1_800_000_000,
    })
    .unwrap();
    let at = |s| Instant::ORIGIN + Duration::from_secs(s);
    let mut machine = site.machine(0, at(1));
    let profile = std::sync::Arc::clone(machine.profile());
    let find = |name: &str| {
        let found = profile.sensors.iter().position(|s| s.name == name).unwrap();
        assert!(matches!(profile.sensors[found].kind, Kind::Analog(_)));
        (u8::try_from(found).unwrap(), profile.sensors[found].number)
    };
    // A fan that stands, and a processor that is far too hot: one is not watched without the host, the other not there.
    let ill = [("Fan1", 0), ("CPU1 Temp", 0xff)];
    for (name, raw) in ill {
        machine.stick(find(name).0, Some(raw));
    }
    drop(machine);
    let mut machine = site.machine(0, at(10));
    for (name, raw) in ill {
        let crossed = entries(&machine, find(name).1);
        assert!(!crossed.is_empty(), "{name}");
        let asserted = |entry: &(u8, u8, u8)| *entry == (1, WITH_READING, raw);
        assert!(crossed.iter().all(asserted), "{name}: {crossed:x?}");
    }
    machine.control(ChassisControlAction::POWER_DOWN).unwrap();
    drop(machine);
    let machine = site.machine(0, at(40));
    for (name, _) in ill {
        let all = entries(&machine, find(name).1);
        let (crossed, left) = all.split_at(all.len() / 2);
        assert!(crossed.iter().all(|entry| entry.0 == 1), "{name}: {all:x?}");
        let without = |entry: &(u8, u8, u8)| *entry == (1 | DEASSERTED, WITHOUT_READING, 0xff);
        assert!(left.iter().all(without), "{name}: {all:x?}");
    }
}
