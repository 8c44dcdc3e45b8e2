//! How many BMCs are dealt with at a time: where less can be answered than is asked for, and where answers take long for other reasons.

use std::time::Duration;

use hardware::Link;
use vbmc::net::{Network, Quality};

use crate::seed;
use crate::support::{Bottleneck, Setup, World};

const SECOND: Duration = Duration::from_secs(1);
const NODES: u32 = 1_000;

/// A network on which an answer takes so long on the way there and back, give or take a part of it.
fn slow(round_trip: Duration, jitter: Duration) -> Quality {
    Quality {
        latency: (round_trip - jitter) / 2,
        jitter,
        ..Quality::PERFECT
    }
}

/// Readings a second over this time.
fn rate(world: &mut World, seconds: u32) -> u64 {
    let before = world.engine.counters().readings;
    world.run_for(SECOND * seconds);
    (world.engine.counters().readings - before) / u64::from(seconds)
}

#[test]
fn far_bmcs_keep_near_ones_waiting_no_longer_than_a_round() {
    const NEAR: usize = 20;
    const ALL: usize = 220;
    let mut setup = Setup::new(ALL as u32, seed(), Quality::PERFECT);
    setup.config.poll_interval_ms = 1_000;
    let mut world = World::new(setup);
    let far = slow(Duration::from_millis(300), Duration::ZERO);
    world.far = Some((NEAR..ALL, Network::new(far, seed())));
    world.run_for(60 * SECOND);
    for second in 0..60 {
        world.run_for(SECOND);
        let late = (0..NEAR as u32).find(|node| world.age(*node) > 2 * SECOND);
        assert_eq!(late, None, "after {second} s");
    }
}

/// For how many seconds of the first minute, and of the next, one of the others has readings older than a round and a second, after the
/// first half of so many BMCs has become this slow; and how old those of the slow ones are in the end.
fn late_beside_slow_ones(nodes: u32, round_trip: Duration) -> (u32, u32, Duration) {
    const ROUND: Duration = Duration::from_secs(10);
    let mut setup = Setup::new(nodes, seed(), Quality::PERFECT);
    setup.config.poll_interval_ms = ROUND.as_millis() as u32;
    let mut world = World::new(setup);
    world.run_for(60 * SECOND);
    let slow_ones = nodes / 2;
    let later = slow(round_trip, Duration::ZERO);
    world.far = Some((0..slow_ones as usize, Network::new(later, seed())));
    let [first, next] = [(); 2].map(|()| {
        let late = (0..60).filter(|_| {
            world.run_for(SECOND);
            (slow_ones..nodes).any(|node| world.age(node) > ROUND + SECOND)
        });
        late.count() as u32
    });
    assert!((0..nodes).all(|node| world.node(node).link == Link::Up));
    let oldest = (0..slow_ones).map(|node| world.age(node)).max();
    (first, next, oldest.unwrap_or_default())
}

#[test]
fn half_of_a_fleet_that_becomes_slow_keeps_nobody_else_waiting_once_that_is_known() {
    for (nodes, ms, first_at_most) in [
        (200, 150, 0),
        (200, 700, 0),
        (4_000, 150, 0),
        (4_000, 400, 15),
        (4_000, 700, 15),
    ] {
        let (first, next, oldest) = late_beside_slow_ones(nodes, Duration::from_millis(ms));
        let what = format!("{nodes} BMCs, {ms} ms: {first} s, then {next} s, slow ones {oldest:?}");
        assert!(first <= first_at_most && next == 0, "{what}");
        assert!(oldest < 25 * SECOND, "{what}");
    }
}

#[test]
fn bmcs_that_take_longer_than_one_datagram_is_waited_for_are_back_after_an_outage() {
    const FEW: u32 = 20;
    let mut world = World::new(Setup::new(FEW, seed(), Quality::PERFECT));
    world.run_for(30 * SECOND);
    let far = slow(Duration::from_millis(700), Duration::ZERO);
    let cut = Quality {
        loss_permille: 1_000,
        ..far
    };
    world.far = Some((0..FEW as usize, Network::new(cut, seed())));
    world.run_for(180 * SECOND);
    let is_down = |world: &World, node| matches!(world.node(node).link, Link::Down { .. });
    assert!((0..FEW).all(|node| is_down(&world, node)));
    world.far = Some((0..FEW as usize, Network::new(far, seed())));
    world.run_for(60 * SECOND);
    assert!((0..FEW).all(|node| world.node(node).link == Link::Up));
}

#[test]
fn after_a_short_overload_bmcs_that_take_long_are_asked_as_before() {
    let quality = slow(Duration::from_millis(150), Duration::from_millis(130));
    let mut setup = Setup::new(NODES, seed(), quality);
    setup.config.poll_interval_ms = 10_000;
    let mut world = World::new(setup);
    world.run_for(60 * SECOND);
    let usual = rate(&mut world, 30);
    world.bottleneck = Some(Bottleneck::new(300, 900));
    world.run_for(20 * SECOND);
    world.bottleneck = None;
    world.run_for(30 * SECOND);
    let later = rate(&mut world, 30);
    assert!(later > usual * 9 / 10, "{later} of {usual}");
}

/// The share of what was read before, in percent, that is read of so many BMCs a minute after their network has become this one.
fn share_after(nodes: u32, interval_ms: u32, before: Quality, later: Quality) -> u64 {
    let mut setup = Setup::new(nodes, seed(), before);
    setup.config.poll_interval_ms = interval_ms;
    let mut world = World::new(setup);
    world.run_for(60 * SECOND);
    let seconds = 2 * interval_ms / 1_000;
    let usual = rate(&mut world, seconds);
    world.far = Some((0..nodes as usize, Network::new(later, seed())));
    world.run_for(60 * SECOND);
    let share = 100 * rate(&mut world, seconds) / usual;
    assert!((0..nodes).all(|node| world.node(node).link == Link::Up));
    share
}

#[test]
fn bmcs_that_become_slow_for_good_are_asked_as_often_as_they_can_answer() {
    for (ms, interval_ms) in [(150, 10_000), (700, 20_000), (2_000, 60_000)] {
        let later = slow(Duration::from_millis(ms), Duration::ZERO);
        let share = share_after(500, interval_ms, Quality::PERFECT, later);
        assert!(share > 90, "{share} % at {ms} ms");
    }
}

#[test]
fn bmcs_that_become_slow_behind_a_network_that_loses_some_are_asked_as_before() {
    let lossy = |quality| Quality {
        loss_permille: 200,
        ..quality
    };
    let later = slow(Duration::from_millis(150), Duration::ZERO);
    let share = share_after(NODES, 10_000, lossy(Quality::PERFECT), lossy(later));
    assert!(share > 90, "{share} %");
}

#[test]
fn where_more_is_asked_than_can_be_answered_the_work_is_not_lost_to_repetitions() {
    const A_SECOND: u32 = 1_250;
    let mut world = World::new(Setup::new(NODES, 12, Quality::PERFECT));
    // What waits in its queue waits longer than a command does before it is repeated.
    world.bottleneck = Some(Bottleneck::new(A_SECOND, 2 * A_SECOND));
    world.run_for(60 * SECOND);
    let up = |world: &World| {
        let is_up = |node: &u32| world.node(*node).link == Link::Up;
        (0..NODES).filter(is_up).count() as u32
    };
    let before = *world.engine.counters();
    world.run_for(30 * SECOND);
    let after = *world.engine.counters();
    let answered = after.commands - before.commands;
    let repeated = after.retransmits - before.retransmits;
    assert_eq!(up(&world), NODES);
    assert!(
        answered > u64::from(A_SECOND) * 30 * 9 / 10,
        "{answered} commands"
    );
    assert!(repeated < answered / 20, "{repeated} repetitions");
    // And when there is room again, it is used.
    world.bottleneck = None;
    world.run_for(15 * SECOND);
    assert_eq!(up(&world), NODES);
    assert!((0..NODES).all(|node| world.age(node) < 3 * SECOND));
}

#[test]
fn bmcs_that_get_less_done_than_they_are_asked_for_are_read_more_rarely_and_none_is_told_as_down() {
    for (nodes, percent, queue_s) in [
        (NODES, 80, 3),
        (NODES, 50, 1),
        (NODES, 50, 10),
        (4 * NODES, 15, 3),
    ] {
        let mut setup = Setup::new(nodes, 12, Quality::PERFECT);
        setup.config.poll_interval_ms = 10_000;
        let mut world = World::new(setup);
        world.run_for(60 * SECOND);
        let before = *world.engine.counters();
        world.run_for(30 * SECOND);
        let usual = *world.engine.counters();
        let wanted = (usual.commands - before.commands) / 30;
        // A computer that plays them has other things to do for two minutes; what comes meanwhile waits.
        let a_second = wanted as u32 * percent / 100;
        world.bottleneck = Some(Bottleneck::new(a_second, queue_s * a_second));
        for second in 0..120 {
            world.run_for(SECOND);
            let down = (0..nodes).find(|node| world.node(*node).link != Link::Up);
            assert_eq!(down, None, "{percent} %, {queue_s} s, after {second} s");
        }
        let grown = world.engine.counters().since(&usual);
        assert_eq!(grown.sessions_lost, 0, "{percent} %, {queue_s} s");
        let (readings, repeats) = (grown.readings, grown.retransmits);
        // The others are keep-alives.
        assert!(readings > u64::from(a_second) * 120 / 2, "{readings}");
        assert!(repeats < readings / 10, "{repeats} of {readings}");
        world.bottleneck = None;
        world.run_for(15 * SECOND);
        assert!((0..nodes).all(|node| world.age(node) < 11 * SECOND));
    }
}
