//! No reading is ever given to another sensor, another machine or another time: machines whose every value says whose it is
//! and when it was, behind a network that loses, doubles, delays and reorders. `cargo xtask bench fleet` does the same for
//! fifty thousand machines over sockets (`--steady`), and for as many readings as one likes (`--simulate`).

mod checker;
mod world;

use std::sync::Arc;
use std::time::Duration;

use hardware::{Node, Reading};
use vbmc::fault::Faults;
use vbmc::net::Quality;
use vbmc::telltale::{DISCRETE, Law, NUMERIC};
use world::{Setup, World};

const SECOND: Duration = Duration::from_secs(1);

const LAW: Law = Law {
    seed: 5,
    epoch_s: 2,
};

/// On a good network a round takes a tenth of that.
const ROUND_MS_MAX: u64 = 500;

fn setup(nodes: u32, quality: Quality) -> Setup {
    Setup {
        nodes,
        seed: 20_261_122,
        quality,
        poll_interval_ms: 10_000,
        law: LAW,
        round_ms_max: if quality == Quality::PERFECT {
            ROUND_MS_MAX
        } else {
            u64::MAX
        },
    }
}

fn run(world: &mut World, seconds: u32) {
    for _ in 0..seconds {
        world.run_for(SECOND);
        world.look();
    }
}

#[test]
fn on_a_good_network_every_reading_is_right_and_replaced_in_time() {
    let mut world = World::new(setup(200, Quality::PERFECT));
    run(&mut world, 12);
    world.checker.take_tally();
    run(&mut world, 60);
    let tally = world.checker.take_tally();
    assert_eq!(tally.wrong, 0, "{:?}", tally.words);
    let rounds = 6 * 200;
    let sensors = u64::from(NUMERIC + DISCRETE);
    assert_eq!((tally.checked, tally.without_value), (rounds * sensors, 0));
    assert_eq!(tally.replaced.all(), tally.checked);
    assert!(tally.replaced.max_ms() <= 10_100);
    assert!(tally.sampled.max_ms() <= 10_100);
    let half_ms = tally.sampled.quantile_ms(0.5);
    assert!((4_500..5_500).contains(&half_ms), "{half_ms} ms");
    assert!(tally.unnoticed() < 5.0 / 256.0, "{}", tally.unnoticed());
}

#[test]
fn on_a_network_that_loses_doubles_and_delays_no_reading_is_wrong() {
    let mut world = World::new(setup(150, Quality::ROUGH));
    run(&mut world, 150);
    let tally = world.checker.take_tally();
    assert_eq!(tally.wrong, 0, "{:?}", tally.words);
    assert!(tally.checked > 20_000, "{} checked", tally.checked);
    let counters = world.engine.counters();
    assert!(counters.retransmits > 1_000 && counters.dropped_duplicate > 500);
    assert_eq!(world.bmcs.counters().in_flight_max, 1);
}

#[test]
fn answers_that_come_after_their_repetition_are_nobody_elses() {
    let mut world = World::new(Setup {
        round_ms_max: u64::MAX,
        ..setup(60, Quality::PERFECT)
    });
    run(&mut world, 5);
    // Longer than a command waits before it is repeated, however patient the session has become, and shorter than it lives.
    for index in 0..60 {
        let faults = Faults {
            delay_ms: 4_500,
            duplicate_permille: 1_000,
            ..Faults::default()
        };
        world.bmcs.set_faults(index, Some(faults));
    }
    world.checker.take_tally();
    run(&mut world, 300);
    let tally = world.checker.take_tally();
    assert_eq!(tally.wrong, 0, "{:?}", tally.words);
    assert!(tally.checked > 3_000, "{} checked", tally.checked);
    let retransmits = world.engine.counters().retransmits;
    assert!(retransmits > 3_000, "{retransmits}");
    assert_eq!(
        world.bmcs.counters().in_flight_max,
        1,
        "nothing is asked before the answer"
    );
}

#[test]
fn answers_and_requests_that_others_overtake_are_nobody_elses() {
    let mut world = World::new(Setup {
        round_ms_max: u64::MAX,
        ..setup(60, Quality::PERFECT)
    });
    run(&mut world, 5);
    for index in 0..60 {
        let faults = Faults {
            seed: u64::from(index),
            reorder_permille: 300,
            ..Faults::default()
        };
        world.bmcs.set_faults(index, Some(faults));
    }
    world.checker.take_tally();
    run(&mut world, 120);
    let tally = world.checker.take_tally();
    assert_eq!(tally.wrong, 0, "{:?}", tally.words);
    assert!(tally.checked > 3_000, "{} checked", tally.checked);
    let counters = world.engine.counters();
    assert!(
        counters.retransmits > 2_000 && counters.dropped_late > 500,
        "{counters:?}"
    );
    assert_eq!(world.bmcs.counters().in_flight_max, 1);
}

#[test]
fn a_round_that_is_due_waits_for_the_answer_to_a_keep_alive() {
    const NODES: u32 = 20;
    // Rounds take 62 answers of 100 ms, a session is kept alive 25 s after that, and the next round is due while it is answered.
    let mut world = World::new(Setup {
        poll_interval_ms: 31_250,
        round_ms_max: u64::MAX,
        ..setup(NODES, Quality::PERFECT)
    });
    run(&mut world, 40);
    for index in 0..NODES {
        let faults = Faults {
            delay_ms: 100,
            ..Faults::default()
        };
        world.bmcs.set_faults(index, Some(faults));
    }
    run(&mut world, 40);
    let before = *world.engine.counters();
    let carried_out = world.bmcs.counters().commands;
    run(&mut world, 125);
    let grown = world.engine.counters().since(&before);
    let kept_alive = world.bmcs.counters().commands - carried_out - grown.commands;
    assert!(kept_alive >= u64::from(NODES), "{kept_alive}");
    assert_eq!(world.bmcs.counters().in_flight_max, 1);
    assert_eq!((grown.retransmits, grown.rounds_skipped), (0, 0));
    assert_eq!(world.checker.take_tally().wrong, 0);
}

/// A snapshot with other readings.
fn with_readings(node: &Node, readings: impl IntoIterator<Item = Reading>) -> Node {
    Node {
        readings: readings.into_iter().collect(),
        ..node.clone()
    }
}

#[test]
fn readings_of_another_machine_another_sensor_or_the_round_before_are_noticed() {
    let mut world = World::new(setup(40, Quality::PERFECT));
    run(&mut world, 12);
    let old: Vec<Arc<Node>> = (0..40).map(|index| world.node(index)).collect();
    world.run_for(10 * SECOND);
    let new: Vec<Arc<Node>> = (0..40).map(|index| world.node(index)).collect();
    let now_ms = world.now_ms();
    let sensors = u64::from(NUMERIC + DISCRETE);
    // What each of these mistakes would publish, and that nearly all of it is found out.
    let others = |index: usize| new[(index + 1) % 40].readings.iter();
    let shifted = |index: usize| new[index].readings.iter().cycle().skip(2).take(60);
    let earlier = |index: usize| old[index].readings.iter();
    let mistakes: [Box<dyn Fn(usize) -> Vec<Reading>>; 3] = [
        Box::new(|index| others(index).collect()),
        Box::new(|index| shifted(index).collect()),
        Box::new(|index| earlier(index).collect()),
    ];
    for (number, mistake) in mistakes.iter().enumerate() {
        let mut world = World::new(setup(40, Quality::PERFECT));
        run(&mut world, 12);
        let before = world.checker.take_tally();
        assert_eq!(before.wrong, 0);
        for (index, node) in new.iter().enumerate() {
            let wrong = with_readings(node, mistake(index));
            world.checker.look(index as u32, &wrong, now_ms);
        }
        let found = world.checker.take_tally();
        assert_eq!(found.checked, 40 * sensors, "mistake {number}");
        assert!(
            found.wrong * 100 > found.checked * 95,
            "mistake {number}: {} of {} found",
            found.wrong,
            found.checked
        );
    }
}
