//! What a batch of answers is going to need is told beforehand.

use std::cell::RefCell;
use std::ops::Range;

use std::time::Duration;

use vbmc::net::Quality;

use crate::seed;
use crate::support::{Setup, World};

fn world() -> World {
    let mut world = World::new(Setup::new(2, seed(), Quality::PERFECT));
    world.run_for(Duration::from_secs(5));
    world
}

/// Bytes of a datagram of the session in this slot, of whatever generation: RMCP header, RMCP+ header (IPMI 2.0 §13.6).
fn datagram(slot: u32) -> Vec<u8> {
    let id = (1 << 20 | slot).to_le_bytes();
    let mut bytes = vec![0x06, 0, 0xff, 0x07, 0x06, 0xc0];
    bytes.extend(id);
    bytes.extend([0; 54]);
    bytes
}

/// The pieces of memory that are named for these datagrams.
fn named(world: &World, datagrams: &[Vec<u8>]) -> Vec<Range<*const u8>> {
    let pieces = RefCell::new(Vec::new());
    let bytes = datagrams.iter().map(Vec::as_slice);
    world
        .engine
        .expect(bytes, |memory| pieces.borrow_mut().push(memory));
    pieces.into_inner()
}

#[test]
fn answers_of_a_batch_name_the_slots_of_their_sessions_first_and_then_what_hangs_on_them() {
    let world = world();
    let one = named(&world, &[datagram(0)]);
    assert!(one.len() >= 3, "{one:?}");
    let both = named(&world, &[datagram(0), datagram(1)]);
    assert_eq!(both.len(), 2 * one.len());
    assert_eq!(both[0], one[0]);
    // Neighbours in the table of slots.
    assert_eq!(both[1].start, both[0].end);
}

#[test]
fn strangers_and_garbage_name_nothing() {
    let world = world();
    let beyond = datagram(2);
    let cut = datagram(0)[..7].to_vec();
    let pong = vec![0x06, 0, 0xff, 0x06, 0, 0, 0x11, 0xbe, 0x40, 0, 0, 0];
    assert!(named(&world, &[beyond, cut, pong, vec![]]).is_empty());
}
