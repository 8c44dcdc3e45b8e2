//! What networks and BMCs do to a fleet, and that nobody else feels it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fleet::{Config, Memory, Treatment};
use hardware::{
    ApplyError, Availability, Change, Link, MAX_LOG_ENTRIES, Observer, PowerAction, Update,
};
use ipmi::bmc::{Bmc, User};
use ipmi::command::Command;
use ipmi::command::app::{GetDeviceGuid, Guid};
use ipmi::command::dcmi::GetAssetTag;
use ipmi::command::storage::GetSelInfo;
use ipmi::console::Policy;
use ipmi::number::{CompletionCode, NetFn, PrivilegeLevel};
use vbmc::net::{Quality, SeededEntropy};

use crate::support::machine::{DISCRETE, NUMERIC};
use crate::support::{Setup, UNIX_MS, World};
use crate::{check_readings, seed};

const SECOND: Duration = Duration::from_secs(1);

/// Nodes of a world in which some have faults, and how many have.
const NODES: u32 = 100;
const FAULTY: u32 = 48;

/// The age that 99 of 100 looks at the nodes without faults find at most, over half a minute.
fn p99_of_the_others(world: &mut World) -> Duration {
    let mut ages = Vec::new();
    for _ in 0..300 {
        world.run_for(Duration::from_millis(100));
        ages.extend((FAULTY..NODES).map(|node| world.age(node)));
    }
    ages.sort_unstable();
    ages[ages.len() * 99 / 100]
}

/// Nobody else's p99 moves by more than a twentieth for this: compared with the same world without it.
fn nobody_else_is_later(fault: impl Fn(&mut World)) -> World {
    let settled = || {
        let mut world = World::new(Setup::new(NODES, seed(), Quality::PERFECT));
        world.run_for(5 * SECOND);
        world
    };
    let without = p99_of_the_others(&mut settled());
    let mut world = settled();
    fault(&mut world);
    let with = p99_of_the_others(&mut world);
    assert!(
        with <= without * 21 / 20,
        "{with:?} with faults elsewhere, {without:?} without"
    );
    for node in FAULTY..NODES {
        check_readings(&world, node, 2 * SECOND);
    }
    world
}

#[test]
fn records_that_can_not_be_read_yet_are_soon_tried_again_in_the_same_session_and_then_seldom() {
    for (garbled_s, back_within_s) in [(20, 60), (3_660, 900)] {
        let mut world = World::new(Setup::new(1, seed(), Quality::PERFECT));
        world.hosts[0].machine.records_garbled = true;
        world.run_for(garbled_s * SECOND);
        assert_eq!(world.node(0).link, Link::Up);
        assert_eq!(world.node(0).readings.len(), 0);
        let counters = *world.engine.counters();
        assert_eq!(counters.contacts, 1);
        // After half a minute, twice as long, and so on; then every ten minutes.
        assert!(counters.contacts_failed <= 12, "{counters:?}");
        world.hosts[0].machine.records_garbled = false;
        world.run_for(back_within_s * SECOND);
        assert_eq!(world.node(0).readings.len(), SENSORS, "{garbled_s} s");
        let counters = world.engine.counters();
        assert_eq!((counters.contacts, counters.sessions_opened), (2, 1));
    }
}

const SENSORS: usize = (NUMERIC + DISCRETE) as usize;

/// What BMCs say while they start, or for no reason, or that can't be understood: it may be otherwise in a moment.
const FOR_NOW: [CompletionCode; 6] = [
    CompletionCode::NODE_BUSY,
    CompletionCode::NO_RESPONSE,
    CompletionCode::SDR_IN_UPDATE,
    CompletionCode::BMC_INITIALIZING,
    CompletionCode::NOT_SUPPORTED_IN_STATE,
    CompletionCode::UNSPECIFIED,
];

#[test]
fn a_refusal_for_now_empties_no_inventory_that_is_known_and_what_is_remembered_of_it_stays() {
    for code in FOR_NOW {
        let mut world = World::new(Setup {
            memory: Some(Arc::new(Memory::volatile())),
            ..Setup::new(2, seed(), Quality::PERFECT)
        });
        world.run_for(5 * SECOND);
        // It restarts, and doesn't say at once what it has.
        world.hosts[0].bmc.reset();
        world.hosts[0].machine.stamp_refused = Some(code);
        for _ in 0..200 {
            world.run_for(SECOND / 10);
            assert_eq!(world.node(0).readings.len(), SENSORS, "{code:?}");
        }
        // It answers, and is read.
        check_readings(&world, 0, 2 * SECOND);
        world.kill_and_restart();
        assert_eq!(world.node(0).inventory.sensors.len(), SENSORS, "{code:?}");
        world.run_for(10 * SECOND);
        check_readings(&world, 0, 2 * SECOND);
        world.hosts[0].machine.stamp_refused = None;
        // Other records are noticed when it says so.
        let machine = &mut world.hosts[0].machine;
        machine.records = Arc::new(machine.records[..3].to_vec());
        machine.records_changed += 1;
        world.run_for(60 * SECOND);
        assert_eq!(world.node(0).readings.len(), 3, "{code:?}");
    }
}

#[test]
fn a_bmc_that_is_met_while_it_starts_has_its_sensors_soon() {
    for code in FOR_NOW {
        let mut world = World::new(Setup::new(1, seed(), Quality::PERFECT));
        world.hosts[0].machine.stamp_refused = Some(code);
        world.hosts[0].machine.record_refused = Some((1, code));
        world.run_for(20 * SECOND);
        assert_eq!(world.node(0).link, Link::Up);
        world.hosts[0].machine.stamp_refused = None;
        world.hosts[0].machine.record_refused = None;
        world.run_for(45 * SECOND);
        check_readings(&world, 0, 2 * SECOND);
    }
}

#[test]
fn a_bmc_without_records_is_left_alone_about_them() {
    let mut world = World::new(Setup::new(1, seed(), Quality::PERFECT));
    let none = CompletionCode::INVALID_COMMAND;
    world.hosts[0].machine.stamp_refused = Some(none);
    world.hosts[0].machine.record_refused = Some((1, none));
    world.run_for(3_600 * SECOND);
    let counters = world.engine.counters();
    assert_eq!((counters.contacts, counters.contacts_failed), (1, 0));
    assert!(world.hosts[0].machine.repository_reads < 4);
}

#[test]
fn records_that_end_before_their_count_are_neither_taken_for_all_nor_remembered_as_such() {
    let timeout = CompletionCode::TIMEOUT;
    for code in [timeout, CompletionCode::NOT_PRESENT] {
        let mut world = World::new(Setup {
            memory: Some(Arc::new(Memory::volatile())),
            ..Setup::new(1, seed(), Quality::PERFECT)
        });
        world.hosts[0].machine.record_refused = Some((3, code));
        world.run_for(20 * SECOND);
        // What there is, is shown.
        assert_eq!(world.node(0).readings.len(), 2, "{code:?}");
        world.kill_and_restart();
        assert_eq!(world.node(0).inventory.sensors.len(), 0, "not remembered");
        world.run_for(20 * SECOND);
        world.hosts[0].machine.record_refused = None;
        world.run_for(45 * SECOND);
        check_readings(&world, 0, 2 * SECOND);
        // A machine that is known keeps what it has, and is read anew when all can be had.
        let machine = &mut world.hosts[0].machine;
        machine.records = Arc::new(machine.records[..5].to_vec());
        machine.records_changed += 1;
        machine.record_refused = Some((3, code));
        world.run_for(20 * SECOND);
        assert_eq!(world.node(0).readings.len(), SENSORS, "{code:?}");
        world.hosts[0].machine.record_refused = None;
        world.run_for(60 * SECOND);
        assert_eq!(world.node(0).readings.len(), 5, "{code:?}");
    }
}

/// How long it takes until all nodes were read anew.
fn recovery(world: &mut World, longest: Duration) -> Duration {
    let begin = world.now;
    let begin_ms = UNIX_MS + begin.as_nanos() / 1_000_000;
    let is_back = |world: &World, node: u32| {
        let node = world.node(node);
        node.link == Link::Up && node.read_at_ms > begin_ms
    };
    while !(0..NODES).all(|node| is_back(world, node)) {
        world.run_for(SECOND / 10);
        assert!(
            world.now.since(begin) < longest,
            "not back after {longest:?}"
        );
    }
    world.now.since(begin)
}

#[test]
fn a_rack_that_is_off_for_a_minute_is_soon_back_and_nobody_else_is_later_for_it() {
    let mut world = nobody_else_is_later(|world| {
        for host in &mut world.hosts[..FAULTY as usize] {
            host.mute = true;
            host.heard = 0;
        }
    });
    world.run_for(30 * SECOND);
    let heard = world.hosts[..FAULTY as usize].iter().map(|host| host.heard);
    let heard: u64 = heard.sum();
    for node in 0..FAULTY {
        assert!(matches!(world.node(node).link, Link::Down { .. }));
        world.hosts[node as usize].mute = false;
    }
    // The longest pause between two probes, with its jitter, and some.
    recovery(&mut world, 40 * SECOND);
    // What was sent to them in vain: far less than the 13 commands a second of a node that answers.
    let in_vain = heard / u64::from(FAULTY);
    assert!(in_vain < 5 * 13 + 60, "{in_vain} datagrams each");
}

#[test]
fn one_silent_bmc_makes_nobody_later() {
    nobody_else_is_later(|world| world.hosts[0].mute = true);
}

#[test]
fn bmcs_that_restart_all_the_time_make_nobody_later_and_are_read_in_between() {
    let mut world = nobody_else_is_later(|world| {
        for host in &mut world.hosts[..FAULTY as usize] {
            host.bmc.reset();
        }
    });
    for turn in 0..10_u32 {
        for host in &mut world.hosts[..FAULTY as usize] {
            host.bmc.reset();
        }
        // In the middle of log-ins, contacts and rounds.
        world.run_for(Duration::from_millis(u64::from(turn * 711 % 5_000)));
    }
    recovery(&mut world, 60 * SECOND);
    for node in 0..FAULTY {
        check_readings(&world, node, 2 * SECOND);
    }
}

#[test]
fn bmcs_that_say_anything_bring_nothing_down_and_are_believed_when_they_mend() {
    let mut world = nobody_else_is_later(|world| {
        for (host, seed) in world.hosts[..FAULTY as usize].iter_mut().zip(0..) {
            host.whims = Some(SeededEntropy::new(seed));
            for _ in 0..20 {
                host.machine.add_event();
            }
            // All is to be read anew from them, records and parts, too.
            host.machine.records_changed += 1;
            host.bmc.reset();
        }
    });
    world.run_for(120 * SECOND);
    for node in 0..FAULTY {
        let snapshot = world.node(node);
        assert!(snapshot.log.entries.len() <= MAX_LOG_ENTRIES);
        assert!(snapshot.readings.iter().all(|r| r.value.is_finite()));
    }
    // What is learnt in a session holds in it: they are got acquainted with anew in the next one.
    for host in &mut world.hosts[..FAULTY as usize] {
        host.whims = None;
        host.machine.records_changed += 1;
        host.bmc.reset();
    }
    recovery(&mut world, 60 * SECOND);
    world.run_for(10 * SECOND);
    for node in 0..FAULTY {
        check_readings(&world, node, 2 * SECOND);
    }
}

#[test]
fn datagrams_that_all_come_twice_are_taken_once() {
    let doubled = Quality {
        duplicate_permille: 1_000,
        jitter: Duration::from_millis(3),
        ..Quality::PERFECT
    };
    let mut world = World::new(Setup::new(50, seed(), doubled));
    world.run_for(5 * SECOND);
    let before = *world.engine.counters();
    let executed = |world: &World| -> u64 { world.hosts.iter().map(|h| h.machine.requests).sum() };
    let first = executed(&world);
    world.run_for(20 * SECOND);
    let grown = world.engine.counters().since(&before);
    let done = executed(&world) - first;
    assert!(done.abs_diff(grown.commands) <= 50, "{done}, {grown:?}");
    assert!(grown.dropped_duplicate + grown.dropped_late >= grown.commands * 9 / 10);
    assert_eq!((grown.retransmits, grown.timeouts), (0, 0));
    for node in 0..50 {
        check_readings(&world, node, 2 * SECOND);
    }
}

#[test]
fn answers_later_than_the_repetition_are_taken_and_cost_one_repetition() {
    let late = Quality {
        latency: Duration::from_millis(350),
        ..Quality::PERFECT
    };
    let mut setup = Setup::new(50, seed(), late);
    setup.config.poll_interval_ms = 20_000;
    let mut world = World::new(setup);
    world.run_for(120 * SECOND);
    let before = *world.engine.counters();
    world.run_for(60 * SECOND);
    let grown = world.engine.counters().since(&before);
    assert!(grown.commands > 50 * 3 * 13, "{grown:?}");
    assert!(grown.retransmits <= grown.commands + 50, "{grown:?}");
    assert_eq!(grown.timeouts, 0);
    for node in 0..50 {
        check_readings(&world, node, 30 * SECOND);
    }
}

#[test]
fn old_answers_that_somebody_sends_again_change_nothing() {
    let mut world = World::new(Setup::new(50, seed(), Quality::PERFECT));
    world.replayed = Some(Vec::new());
    world.run_for(40 * SECOND);
    let counters = *world.engine.counters();
    let dropped = counters.dropped_duplicate
        + counters.dropped_out_of_window
        + counters.dropped_late
        + counters.dropped_unexpected;
    assert!(dropped > 10_000, "{counters:?}");
    assert_eq!((counters.sessions_lost, counters.timeouts), (0, 0));
    for node in 0..50 {
        assert!(world.age(node) <= 2 * SECOND, "n{node}");
        check_readings(&world, node, 2 * SECOND);
    }
}

#[test]
fn bmcs_that_all_give_their_sessions_the_same_number_are_told_apart() {
    let mut world = World::new(Setup::new(50, seed(), Quality::PERFECT));
    world.same_numbers = true;
    world.run_for(5 * SECOND);
    for round in 0..5 {
        // Old and new sessions have the same numbers, too.
        world.hosts[round].bmc.reset();
        world.run_for(20 * SECOND);
        for node in 0..50 {
            assert_eq!(world.node(node).link, Link::Up, "n{node}");
            check_readings(&world, node, 2 * SECOND);
        }
    }
    assert_eq!(world.engine.counters().sessions_lost, 5);
}

#[test]
fn records_that_change_while_they_are_read_are_read_again() {
    // Every command takes 20 ms: changes fall into the reading.
    let slow = Quality {
        latency: Duration::from_millis(10),
        ..Quality::PERFECT
    };
    for after_ms in [100, 200, 300, 400, 500, 700, 900] {
        let mut world = World::new(Setup::new(1, seed(), slow));
        let all = Arc::clone(&world.hosts[0].machine.records);
        let fewer = all[..usize::from(NUMERIC) - 2].to_vec();
        world.hosts[0].machine.records = Arc::new(fewer);
        world.run_for(Duration::from_millis(after_ms));
        let machine = &mut world.hosts[0].machine;
        machine.records = Arc::clone(&all);
        machine.records_changed += 1;
        world.run_for(20 * SECOND);
        let readings = world.node(0).readings.len();
        assert_eq!(readings, usize::from(NUMERIC + DISCRETE), "{after_ms} ms");
        check_readings(&world, 0, 2 * SECOND);
    }
}

#[test]
fn steps_of_our_own_clock_stop_no_round_and_stamps_follow_it() {
    let mut world = World::new(Setup::new(20, seed(), Quality::PERFECT));
    world.run_for(5 * SECOND);
    for step_ms in [3_600_000_i64, -7_200_000, 86_400_000] {
        let before = world.engine.counters().rounds;
        let now_ms = UNIX_MS + world.now.as_nanos() / 1_000_000;
        let shown_ms = now_ms.saturating_add_signed(step_ms);
        world.engine.set_wall_clock(world.now, shown_ms);
        world.run_for(10 * SECOND);
        assert_eq!(world.engine.counters().rounds - before, 20 * 10);
        for node in 0..20 {
            let age_ms = (shown_ms + 10_000).checked_sub(world.node(node).read_at_ms);
            assert!(age_ms.is_some_and(|age_ms| age_ms <= 1_100), "{age_ms:?}");
        }
        let oldest = world.engine.oldest_reading();
        let oldest = oldest.map(|since| world.now.since(since));
        assert!(oldest.is_some_and(|oldest| oldest <= Duration::from_millis(2_100)));
    }
}

#[test]
fn a_bmc_with_room_for_one_session_is_back_when_it_has_forgotten_the_one_before() {
    let mut world = World::new(Setup::new(4, seed(), Quality::PERFECT));
    let narrow = ipmi::bmc::Config {
        session_max: 1,
        ..(**world.hosts[0].bmc.config()).clone()
    };
    world.hosts[0].bmc = Bmc::new(Arc::new(narrow));
    world.run_for(5 * SECOND);
    assert_eq!(world.node(0).link, Link::Up);
    // The network is away until we give the session up; the BMC keeps it for a minute.
    world.hosts[0].mute = true;
    world.run_for(30 * SECOND);
    world.hosts[0].mute = false;
    world.run_for(100 * SECOND);
    assert_eq!(world.node(0).link, Link::Up);
    assert_eq!(world.hosts[0].bmc.session_count(), 1);
    // Killed, we are nobody whom it knows; the session of before must end first.
    world.kill_and_restart();
    world.run_for(100 * SECOND);
    assert_eq!(world.node(0).link, Link::Up);
    assert_eq!(world.hosts[0].bmc.session_count(), 1);
    for node in 0..4 {
        check_readings(&world, node, 2 * SECOND);
    }
}

#[test]
fn a_bmc_that_is_silent_to_some_commands_is_got_acquainted_with_and_read_without_them() {
    let mut world = World::new(Setup::new(2, seed(), Quality::PERFECT));
    world.hosts[0].machine.mute_to = vec![
        (NetFn::APP, GetDeviceGuid::CMD),
        (NetFn::GROUP_EXTENSION, GetAssetTag::CMD),
        (NetFn::STORAGE, GetSelInfo::CMD),
    ];
    world.run_for(180 * SECOND);
    assert_eq!(world.node(0).link, Link::Up);
    assert_eq!(world.node(0).readings.len(), SENSORS);
    let counters = *world.engine.counters();
    assert_eq!(
        (counters.sessions_opened, counters.sessions_lost),
        (2, 0),
        "{counters:?}"
    );
    assert!(counters.timeouts > 0);
    check_readings(&world, 1, 2 * SECOND);
}

#[test]
fn two_silent_sensors_cost_no_session_and_hold_up_the_others_seldom() {
    let mut world = World::new(Setup::new(1, seed(), Quality::PERFECT));
    world.run_for(10 * SECOND);
    world.hosts[0].machine.mute_sensors = vec![2, 3];
    world.run_for(60 * SECOND);
    let before = *world.engine.counters();
    world.run_for(600 * SECOND);
    let counters = *world.engine.counters();
    assert_eq!(
        (counters.sessions_opened, counters.sessions_lost),
        (1, 0),
        "{counters:?}"
    );
    assert_eq!(world.node(0).link, Link::Up);
    // Both are asked in vain for eleven seconds, but only in every fifth round: else it were some 550 readings.
    let readings = counters.readings - before.readings;
    assert!(readings > 600 * (SENSORS as u64 - 2) / 4, "{readings}");
    let is_stale = |sensor: usize| {
        world.node(0).readings.get(sensor).unwrap().availability == Availability::Stale
    };
    assert_eq!((0..SENSORS).filter(|sensor| is_stale(*sensor)).count(), 2);
    // They are back soon after they answer again.
    world.hosts[0].machine.mute_sensors.clear();
    world.run_for(30 * SECOND);
    check_readings(&world, 0, 2 * SECOND);
}

#[test]
fn a_slow_policy_and_a_sensor_that_is_never_answered_make_no_bmc_look_dead() {
    let mut setup = Setup::new(1, seed(), Quality::PERFECT);
    setup.config.policy = Arc::new(Policy {
        first_retry_ms: 2_000,
        longest_retry_ms: 2_000,
        ..Config::policy()
    });
    let mut world = World::new(setup);
    world.run_for(5 * SECOND);
    world.hosts[0].machine.mute_sensors = vec![3];
    let downs = Arc::new(Downs::default());
    world
        .shared
        .observe(Arc::clone(&downs) as Arc<dyn Observer>);
    let timeouts = world.engine.counters().timeouts;
    world.run_for(300 * SECOND);
    assert!(world.engine.counters().timeouts > timeouts + 5);
    assert_eq!(downs.0.load(Ordering::Relaxed), 0, "not for a moment");
    // One that is dead is still told so.
    world.hosts[0].mute = true;
    world.run_for(30 * SECOND);
    assert!(matches!(world.node(0).link, Link::Down { .. }));
}

/// A world of one BMC that has been silent for ten minutes, and answers again right after it was looked for in vain.
fn back_after_long(seed: u64) -> World {
    let mut world = World::new(Setup::new(2, seed, Quality::PERFECT));
    world.run_for(5 * SECOND);
    world.hosts[0].mute = true;
    world.run_for(600 * SECOND);
    let heard = world.hosts[0].heard;
    while world.hosts[0].heard == heard {
        world.run_for(SECOND / 10);
    }
    // The probe is given up.
    world.run_for(6 * SECOND);
    world.hosts[0].mute = false;
    world
}

/// How long it takes until it is up.
fn up_after(world: &mut World) -> Duration {
    let begin = world.now;
    while world.node(0).link != Link::Up {
        world.run_for(SECOND / 10);
    }
    world.now.since(begin)
}

#[test]
fn a_bmc_that_was_silent_for_long_is_looked_for_soon_when_somebody_wants_something_of_it() {
    type Wish = fn(&mut World);
    let by_itself = up_after(&mut back_after_long(21));
    assert!(by_itself > 10 * SECOND, "{by_itself:?}");
    let wishes: [Wish; 3] = [
        |world| drop(world.apply(0, Change::Power(PowerAction::On))),
        |world| {
            let treatment = Treatment {
                gap_ms: 20,
                ..Treatment::default()
            };
            world.engine.set_treatment(world.now, 0, &treatment);
        },
        |world| {
            let treatment = Treatment {
                poll_interval_ms: Some(2_000),
                ..Treatment::default()
            };
            world.engine.set_treatment(world.now, 0, &treatment);
        },
    ];
    for (number, wish) in wishes.into_iter().enumerate() {
        let mut world = back_after_long(21);
        wish(&mut world);
        let after = up_after(&mut world);
        assert!(after < 7 * SECOND, "wish {number}: {after:?}");
    }
    // What is treated as before is not looked for.
    let mut world = back_after_long(21);
    world
        .engine
        .set_treatment(world.now, 0, &Treatment::default());
    assert_eq!(up_after(&mut world), by_itself);
}

#[test]
fn however_often_somebody_wants_something_of_a_bmc_that_is_down_it_is_not_asked_more_often_than_bounded()
 {
    let mut world = World::new(Setup::new(2, seed(), Quality::PERFECT));
    world.run_for(5 * SECOND);
    world.hosts[0].mute = true;
    // A wrong password: the account must not be locked.
    let user = User::new("admin", b"other", PrivilegeLevel::ADMINISTRATOR).unwrap();
    let access = ipmi::bmc::Config::new(vec![user], Guid::default());
    world.hosts[1].bmc = Bmc::new(Arc::new(access));
    world.run_for(300 * SECOND);
    let (heard, before) = (world.hosts[0].heard, *world.engine.counters());
    for _ in 0..600 {
        for node in 0..2 {
            let told = world.apply(node, Change::Power(PowerAction::On)).try_take();
            let is_told = matches!(told, Some(Err(ApplyError::Unreachable { .. })));
            assert!(is_told, "at once: {told:?}");
        }
        world.run_for(SECOND / 2);
    }
    let grown = world.engine.counters().since(&before);
    let probes = world.hosts[0].heard - heard;
    assert!((20..=61).contains(&probes), "{probes} in 300 s");
    let refused = grown.connects_refused;
    assert!((5..=10).contains(&refused), "{refused} in 300 s");
}

/// How many snapshots say that a BMC is down.
#[derive(Default)]
struct Downs(AtomicU32);

impl Observer for Downs {
    fn updated(&self, update: &Update) {
        if let Update::Changed { after, .. } = update
            && matches!(after.link, Link::Down { .. })
        {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}
