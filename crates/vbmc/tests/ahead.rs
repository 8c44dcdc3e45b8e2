//! What a batch of datagrams is going to need is told beforehand.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code, helpers too")]
#![expect(dead_code, reason = "not all of the helpers are for this")]

mod support;

use std::cell::RefCell;
use std::net::Ipv4Addr;

use support::World;

/// How many pieces of memory are named for datagrams to these addresses, and their bytes together.
fn named(world: &World, locals: &[Ipv4Addr]) -> (usize, usize) {
    let pieces = RefCell::new(Vec::new());
    world.bmcs.expect(locals.iter().copied(), |memory| {
        let len = memory.end.addr() - memory.start.addr();
        pieces.borrow_mut().push(len);
    });
    let pieces = pieces.into_inner();
    (pieces.len(), pieces.iter().sum())
}

#[test]
fn each_controller_asked_names_its_parts_and_once_it_has_a_session_that_too() {
    let mut world = World::new(3, 1);
    let [first, second] = [0, 1].map(|index| world.site.address(index));
    let (pieces, bytes) = named(&world, &[first]);
    assert!(pieces >= 4 && bytes > 0, "{pieces} pieces, {bytes} bytes");
    assert_eq!(named(&world, &[first, second]), (2 * pieces, 2 * bytes));
    world.console(0);
    let (pieces_with_session, bytes_with_session) = named(&world, &[first]);
    assert_eq!(pieces_with_session, pieces + 1);
    assert!(bytes_with_session > bytes + 100, "{bytes_with_session}");
    assert_eq!(named(&world, &[second]), (pieces, bytes));
}

#[test]
fn strays_name_nothing() {
    let world = World::new(3, 1);
    let strays = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(192, 0, 2, 1)];
    assert_eq!(named(&world, &strays), (0, 0));
}
