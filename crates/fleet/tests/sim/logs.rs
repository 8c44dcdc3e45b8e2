//! Event logs of BMCs that make it hard: each entry is told once, whatever they do.

use std::time::Duration;

use hardware::{Change, Link};
use ipmi::number::CompletionCode;
use vbmc::net::Quality;

use crate::restarts::{Teller, remembering};
use crate::seed;
use crate::support::World;

const SECOND: Duration = Duration::from_secs(1);

/// A BMC with three entries that were read, and who tells of new ones.
fn followed(prepare: impl Fn(&mut World)) -> (World, Teller) {
    let mut world = remembering(1, seed(), Quality::PERFECT);
    prepare(&mut world);
    add(&mut world, 3);
    let mut teller = Teller::default();
    world.run_for(10 * SECOND);
    assert_eq!(told(&mut teller, &world), [], "history");
    (world, teller)
}

fn add(world: &mut World, count: u32) {
    (0..count).for_each(|_| world.hosts[0].machine.add_event());
}

/// The numbers of all events that were told so far.
fn told(teller: &mut Teller, world: &World) -> Vec<u32> {
    teller.tell(world);
    teller.told.clone()
}

#[test]
fn an_entry_that_can_not_be_read_hides_no_later_one_is_told_once_as_lost_and_is_not_asked_for_all_the_time()
 {
    let (mut world, mut teller) = followed(|_| {});
    world.hosts[0].machine.entry_refused = Some((5, CompletionCode::UNSPECIFIED));
    add(&mut world, 4);
    world.run_for(10 * SECOND);
    assert_eq!(told(&mut teller, &world), [4, 6, 7]);
    let reads = world.hosts[0].machine.entry_reads;
    world.run_for(60 * SECOND);
    assert_eq!(world.hosts[0].machine.entry_reads, reads);
    add(&mut world, 2);
    world.run_for(10 * SECOND);
    world.kill_and_restart();
    add(&mut world, 1);
    world.run_for(10 * SECOND);
    assert_eq!(told(&mut teller, &world), [4, 6, 7, 8, 9, 10]);
    assert_eq!(teller.losses, 1);
    assert_eq!(world.node(0).log.entries.len(), 9);
}

#[test]
fn a_log_that_is_refused_is_tried_again_but_not_all_the_time() {
    let (mut world, mut teller) = followed(|_| {});
    world.hosts[0].machine.entry_refused = Some((4, CompletionCode::INSUFFICIENT_PRIVILEGE));
    add(&mut world, 1);
    let reads = world.hosts[0].machine.entry_reads;
    world.run_for(600 * SECOND);
    let tried = world.hosts[0].machine.entry_reads - reads;
    assert!((6..20).contains(&tried), "{tried}");
    assert!(world.engine.counters().logs_failed >= 3);
    world.hosts[0].machine.entry_refused = None;
    world.run_for(900 * SECOND);
    assert_eq!((told(&mut teller, &world), teller.losses), (vec![4], 0));
}

#[test]
fn new_entries_of_a_log_without_an_end_are_told_once_also_across_restarts() {
    let (mut world, mut teller) = followed(|world| world.hosts[0].machine.log_is_endless = true);
    assert_eq!(world.node(0).log.entries.len(), 3);
    for _ in 0..3 {
        add(&mut world, 2);
        world.run_for(10 * SECOND);
        add(&mut world, 1);
        world.run_for(10 * SECOND);
        world.kill_and_restart();
        world.run_for(10 * SECOND);
    }
    assert_eq!(told(&mut teller, &world), (4..=12).collect::<Vec<_>>());
    assert_eq!(teller.losses, 0);
}

#[test]
fn entries_that_somebody_deletes_make_no_other_one_news() {
    let (mut world, mut teller) = followed(|_| {});
    add(&mut world, 3);
    world.run_for(10 * SECOND);
    for is_restarted in [false, true] {
        world.hosts[0].machine.log.pop();
        world.hosts[0].machine.erased += 1;
        if is_restarted {
            world.kill_and_restart();
        }
        world.run_for(10 * SECOND);
        assert_eq!(told(&mut teller, &world), [4, 5, 6]);
    }
    assert_eq!(world.node(0).log.entries.len(), 4);
    add(&mut world, 1);
    world.run_for(10 * SECOND);
    assert_eq!(told(&mut teller, &world), [4, 5, 6, 7]);
    assert_eq!(teller.losses, 0);
}

#[test]
fn entries_that_change_no_stamp_because_the_log_is_full_are_found_all_the_same() {
    let (mut world, mut teller) = followed(|world| {
        let machine = &mut world.hosts[0].machine;
        (machine.is_ring, machine.capacity) = (true, 6);
        // A second that never ends.
        machine.addition_stands = Some(u32::MAX - 1);
    });
    add(&mut world, 6);
    for _ in 0..100 {
        if told(&mut teller, &world).last() != Some(&9) {
            world.run_for(SECOND / 10);
        }
    }
    assert_eq!(told(&mut teller, &world), (4..=9).collect::<Vec<_>>());
    // Right after it was read.
    add(&mut world, 1);
    // In the same second: it is looked for again at once.
    world.run_for(5 * SECOND);
    assert_eq!(told(&mut teller, &world).last(), Some(&10));
    world.run_for(60 * SECOND);
    let reads = world.hosts[0].machine.entry_reads;
    world.run_for(60 * SECOND);
    assert_eq!(world.hosts[0].machine.entry_reads, reads, "not for ever");
    add(&mut world, 1);
    world.run_for(900 * SECOND);
    assert_eq!(told(&mut teller, &world), (4..=11).collect::<Vec<_>>());
}

#[test]
fn clearing_a_log_tells_first_what_nobody_has_seen() {
    for late in 0..3 {
        let (mut world, mut teller) = followed(|_| {});
        add(&mut world, 2);
        world.hosts[0].machine.events_before_clear = late;
        let outcome = world.apply(0, Change::ClearLog);
        world.run_for(10 * SECOND);
        assert_eq!(outcome.try_take(), Some(Ok(())));
        assert_eq!(told(&mut teller, &world), (4..6 + late).collect::<Vec<_>>());
        assert!(world.node(0).log.entries.is_empty());
        assert!(world.hosts[0].machine.log.is_empty());
        add(&mut world, 1);
        world.run_for(10 * SECOND);
        assert_eq!(told(&mut teller, &world).last(), Some(&(6 + late)));
        assert_eq!(
            (told(&mut teller, &world).len(), teller.losses),
            (3 + late as usize, 0)
        );
    }
}

#[test]
fn a_clear_that_is_refused_or_must_read_much_first_keeps_no_sensor_from_being_read() {
    const ENTRIES: u32 = 2_000;
    let slow = Quality {
        latency: Duration::from_millis(10),
        ..Quality::PERFECT
    };
    for refused in [None, Some(CompletionCode::INSUFFICIENT_PRIVILEGE)] {
        let mut world = remembering(1, seed(), slow);
        world.run_for(10 * SECOND);
        world.hosts[0].machine.clear_refused = refused;
        add(&mut world, ENTRIES);
        let outcome = world.apply(0, Change::ClearLog);
        for _ in 0..120 {
            world.run_for(SECOND);
            assert!(world.age(0) < 10 * SECOND, "{:?}", world.age(0));
        }
        assert_eq!(
            outcome.try_take().map(|told| told.is_ok()),
            Some(refused.is_none())
        );
        assert_eq!(world.node(0).link, Link::Up);
        let reads = world.hosts[0].machine.entry_reads;
        assert!(reads <= u64::from(ENTRIES) + 20, "{reads}");
        // Refused again, it takes no reading.
        let outcome = world.apply(0, Change::ClearLog);
        world.run_for(10 * SECOND);
        assert!(outcome.try_take().is_some());
        assert!(world.hosts[0].machine.entry_reads <= reads + 5);
    }
}
