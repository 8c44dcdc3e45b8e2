//! Where three of ten datagrams are lost each way: half of all that is sent stays unanswered, and every BMC is there.

use std::time::Duration;

use hardware::Link;
use vbmc::net::Quality;

use crate::support::{Setup, UNIX_MS, World};
use crate::{check_readings, seed};

const SECOND: Duration = Duration::from_secs(1);
const NODES: u32 = 100;

const LOSSY: Quality = Quality {
    loss_permille: 300,
    ..Quality::PERFECT
};

/// A world in which each sensor is read every twenty seconds: a round takes ten, most of it waiting for what is lost.
fn world(nodes: u32, seed: u64) -> World {
    let mut setup = Setup::new(nodes, seed, LOSSY);
    setup.config.poll_interval_ms = 20_000;
    World::new(setup)
}

fn is_down(world: &World, node: u32) -> bool {
    matches!(world.node(node).link, Link::Down { .. })
}

/// The age that so many of a thousand do not exceed.
fn quantile(ages: &[Duration], permille: usize) -> Duration {
    ages[(ages.len() - 1) * permille / 1_000]
}

#[test]
fn no_bmc_that_answers_looks_dead_and_readings_stay_as_fresh_as_loss_allows() {
    let mut ages = Vec::new();
    for seed in [seed(), 1, 2] {
        let mut world = world(NODES, seed);
        let (mut first, mut early) = (None, 0);
        for second in 1..=720 {
            world.run_for(SECOND);
            let down = (0..NODES).filter(|node| is_down(&world, *node));
            let down: Vec<_> = down.map(|node| world.node(node).link.clone()).collect();
            // Of ten sendings to one of which nothing was heard yet, none may come through: once in a thousand times.
            early += match second {
                ..=20 => down.len(),
                _ => {
                    assert_eq!(down, [], "seed {seed}, after {second} s");
                    0
                }
            };
            if first.is_none() && (0..NODES).all(|node| world.node(node).read_at_ms > 0) {
                first = Some(second);
            }
            if second > 120 {
                ages.extend((0..NODES).map(|node| world.age(node)));
            }
        }
        let counters = world.engine.counters();
        println!(
            "seed {seed}: all read after {first:?} s; {} commands, {} repeats, {} given up, {} sessions lost, {} log-ins failed",
            counters.commands,
            counters.retransmits,
            counters.timeouts,
            counters.sessions_lost,
            counters.connects_unanswered + counters.connects_unfinished,
        );
        assert!(early <= 10, "{early} seconds down");
        assert!(first.is_some_and(|first| first <= 150), "{first:?}");
        assert!(counters.retransmits > counters.commands / 2);
        // Six sendings, half of which get through both ways.
        assert!(counters.timeouts < counters.commands / 40);
        // Not one in two hours and a BMC.
        assert!(counters.sessions_lost <= 10, "{}", counters.sessions_lost);
        for node in 0..NODES {
            check_readings(&world, node, 100 * SECOND);
        }
    }
    ages.sort_unstable();
    let [p50, p99, p999, max] = [500, 990, 999, 1_000].map(|share| quantile(&ages, share));
    println!("age of readings: p50 {p50:?}, p99 {p99:?}, p99.9 {p999:?}, max {max:?}");
    assert!(p50 < 20 * SECOND && p99 < 40 * SECOND, "{p50:?}, {p99:?}");
    assert!(p999 < 60 * SECOND, "{p999:?}");
}

#[test]
fn a_dead_bmc_is_told_as_down_within_half_a_minute_and_is_probed_as_rarely_as_any() {
    let mut world = world(NODES, seed());
    world.run_for(120 * SECOND);
    for node in 0..5 {
        world.hosts[node].mute = true;
    }
    // A round may have just ended, and the next one is due twenty seconds after it began.
    world.run_for((20 + 30) * SECOND);
    assert!((0..5).all(|node| is_down(&world, node)));
    world.run_for(60 * SECOND);
    let heard: u64 = world.hosts[..5].iter().map(|host| host.heard).sum();
    world.run_for(300 * SECOND);
    let probes: u64 = world.hosts[..5].iter().map(|host| host.heard).sum();
    // Seven in ten of them arrive.
    let each = (probes - heard) as f64 / 5.0;
    assert!((5.0 * 0.7..=15.0).contains(&each), "{each} in 300 s");
    assert!((5..NODES).all(|node| !is_down(&world, node)));
    for node in 0..5 {
        world.hosts[node].mute = false;
    }
    // Half of the probes are lost; the first that is not is followed by a whole log-in.
    world.run_for(240 * SECOND);
    for node in 0..5 {
        assert_eq!(world.node(node).link, Link::Up, "n{node}");
        check_readings(&world, node, 100 * SECOND);
    }
}

#[test]
fn of_twenty_bmcs_that_restart_nineteen_are_read_again_within_a_minute_and_a_half_and_all_within_three()
 {
    let mut world = world(NODES, seed());
    world.run_for(120 * SECOND);
    for host in &mut world.hosts[..20] {
        host.bmc.reset();
    }
    let reset_ms = UNIX_MS + world.now.as_nanos() / 1_000_000;
    let sessions = world.engine.counters().sessions_opened;
    world.run_for(90 * SECOND);
    assert!(world.engine.counters().sessions_opened >= sessions + 20);
    let is_back = |world: &World, node: u32| {
        let snapshot = world.node(node);
        snapshot.link == Link::Up && snapshot.read_at_ms > reset_ms
    };
    // Where so much is lost, now and then one has bad luck.
    let late: Vec<u32> = (0..20).filter(|node| !is_back(&world, *node)).collect();
    assert!(late.len() <= 1, "{late:?}");
    world.run_for(90 * SECOND);
    assert!((0..20).all(|node| is_back(&world, node)));
}

#[test]
fn a_bmc_that_answers_but_opens_no_session_is_told_so_and_costs_less_than_a_datagram_a_second() {
    let mut world = World::new(Setup::new(10, seed(), Quality::PERFECT));
    world.hosts[0].opens_nothing = true;
    world.run_for(55 * SECOND);
    assert_eq!(world.node(0).link, Link::Connecting);
    world.run_for(45 * SECOND);
    let Link::Down { reason, .. } = &world.node(0).link else {
        panic!("it is {:?}", world.node(0).link)
    };
    assert!(reason.contains("no log-in comes to its end"), "{reason}");
    let counters = world.engine.counters();
    assert_eq!(counters.connects_unanswered, 0, "it did answer");
    assert!(counters.connects_unfinished > 0, "{counters:?}");
    let heard = world.hosts[0].heard;
    world.run_for(300 * SECOND);
    let heard = world.hosts[0].heard - heard;
    assert!(heard < 300, "{heard} datagrams in 300 s");
    for node in 1..10 {
        assert!(world.age(node) <= SECOND + Duration::from_millis(100));
    }
    world.hosts[0].opens_nothing = false;
    world.run_for(45 * SECOND);
    assert_eq!(world.node(0).link, Link::Up);
    check_readings(&world, 0, 2 * SECOND);
}
