//! What the engine says of itself is so.

use std::sync::Arc;
use std::time::Duration;

use hardware::{ApplyError, Change, Link};
use ipmi::number::CompletionCode;
use vbmc::net::Quality;

use crate::seed;
use crate::support::machine::{DISCRETE, NUMERIC};
use crate::support::{Setup, World};

const SECOND: Duration = Duration::from_secs(1);

fn world() -> World {
    let mut world = World::new(Setup::new(1, seed(), Quality::PERFECT));
    world.run_for(5 * SECOND);
    world
}

fn oldest(world: &World) -> Option<Duration> {
    world
        .engine
        .oldest_reading()
        .map(|since| world.now.since(since))
}

#[test]
fn readings_are_as_old_as_the_last_round_that_brought_any() {
    let mut world = world();
    assert!(oldest(&world) <= Some(2 * SECOND));
    world.hosts[0].machine.readings_refused = Some(CompletionCode::UNSPECIFIED);
    let read_at_ms = world.node(0).read_at_ms;
    world.run_for(60 * SECOND);
    // It answers, and rounds go on; there is nothing in them.
    assert_eq!(world.node(0).link, Link::Up);
    assert!(oldest(&world) > Some(55 * SECOND), "{:?}", oldest(&world));
    assert!(world.node(0).read_at_ms < read_at_ms + 2_000);
    world.hosts[0].machine.readings_refused = None;
    world.run_for(3 * SECOND);
    assert!(oldest(&world) <= Some(2 * SECOND));
    // One that doesn't answer is not told as old: it is told as down.
    world.hosts[0].mute = true;
    world.run_for(120 * SECOND);
    assert_eq!(oldest(&world), None);
    world.hosts[0].mute = false;
    world.run_for(120 * SECOND);
    assert!(oldest(&world) <= Some(2 * SECOND));
}

#[test]
fn where_nothing_is_to_be_read_nothing_is_old() {
    let mut world = World::new(Setup::new(1, seed(), Quality::PERFECT));
    world.hosts[0].machine.records = Arc::default();
    world.run_for(30 * SECOND);
    assert_eq!(world.node(0).link, Link::Up);
    assert_eq!(oldest(&world), None);
}

#[test]
fn sensors_without_a_value_are_counted_apart_from_values_and_from_failures() {
    let sensors = u64::from(NUMERIC + DISCRETE);
    for (refusal, [read, unavailable, failed]) in [
        (None, [sensors, 0, 0]),
        (Some(CompletionCode::NOT_PRESENT), [0, sensors, 0]),
        (Some(CompletionCode::UNSPECIFIED), [0, 0, sensors]),
    ] {
        let mut world = world();
        world.hosts[0].machine.readings_refused = refusal;
        world.run_for(2 * SECOND);
        let before = *world.engine.counters();
        world.run_for(10 * SECOND);
        let grown = world.engine.counters().since(&before);
        assert_eq!(grown.readings, 10 * read, "{refusal:?}");
        assert_eq!(grown.readings_unavailable, 10 * unavailable, "{refusal:?}");
        assert_eq!(grown.readings_failed, 10 * failed, "{refusal:?}");
    }
}

#[test]
fn commands_for_which_there_is_no_room_are_counted() {
    let mut world = world();
    let outcomes: Vec<_> = (0..20)
        .map(|_| world.apply(0, Change::Indicator(true)))
        .collect();
    world.run_for(5 * SECOND);
    let told = outcomes.iter().map(|outcome| outcome.try_take().unwrap());
    let told: Vec<_> = told.collect();
    let busy = told
        .iter()
        .filter(|told| **told == Err(ApplyError::Busy))
        .count();
    let done = told.iter().filter(|told| told.is_ok()).count();
    assert!(busy > 8 && busy + done == 20, "{busy} {done}");
    let counters = world.engine.counters();
    assert_eq!(counters.jobs_refused, busy as u64);
    assert_eq!((counters.jobs_done, counters.jobs_failed), (done as u64, 0));
}
