//! What the records of a machine cost in memory that no other machine has: they are there once.

#![expect(clippy::unwrap_used, reason = "test code, helpers too")]

#[allow(dead_code, reason = "other tests use the rest")]
mod support;

use std::sync::Arc;
use std::time::Duration;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use support::{Setup, World};
use vbmc::net::Quality;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

const NODES: u32 = 20;

/// A maker's own records (type C0h): they say nothing of sensors, and are kept like all others.
const OWN_LEN: usize = 64;

fn live() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Bytes that an engine takes whose machines each have so many records that no other machine has.
fn cost(own: u16) -> usize {
    let mut world = World::new(Setup::new(NODES, 1, Quality::PERFECT));
    for (node, host) in (0_u8..).zip(&mut world.hosts) {
        let mut records = host.machine.records.to_vec();
        for number in 0..own {
            let [low, high] = (records.len() as u16 + 1).to_le_bytes();
            let mut record = vec![low, high, 0x51, 0xc0, OWN_LEN as u8 - 5, node];
            record.resize(OWN_LEN, number.to_le_bytes()[0]);
            records.push(record);
        }
        host.machine.records = Arc::new(records);
    }
    world.run_for(Duration::from_secs(10));
    for node in 0..NODES {
        assert!(world.node(node).read_at_ms > 0, "n{node}");
    }
    let empty = World::new(Setup::new(1, 1, Quality::PERFECT));
    let World { engine, shared, .. } = empty;
    let before = live();
    world.engine = engine;
    world.shared = shared;
    before - live()
}

#[test]
fn records_that_no_other_machine_has_are_in_memory_once() {
    const OWN: u16 = 100;
    let bytes = NODES as usize * usize::from(OWN) * OWN_LEN;
    // One makes each machine's plan its own.
    let times = (cost(1 + OWN) - cost(1)) as f64 / bytes as f64;
    println!("{times:.2} times the bytes of the records");
    assert!(times < 1.8, "{times} times");
}
