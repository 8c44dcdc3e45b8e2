//! The engine against machines behind real protocol ends, over a network that loses, doubles and reorders.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code, helpers too")]

#[path = "sim/ahead.rs"]
mod ahead;
#[path = "sim/coming_and_going.rs"]
mod coming_and_going;
#[path = "sim/faults.rs"]
mod faults;
#[path = "sim/figures.rs"]
mod figures;
#[path = "sim/intervals.rs"]
mod intervals;
#[path = "sim/logs.rs"]
mod logs;
#[path = "sim/loss.rs"]
mod loss;
#[path = "sim/moving.rs"]
mod moving;
#[path = "sim/overload.rs"]
mod overload;
#[path = "sim/restarts.rs"]
mod restarts;
mod support;

use std::sync::Arc;
use std::time::Duration;

use hardware::{
    ApplyError, Availability, BootChange, BootMode, BootOverride, BootPersistence, BootTarget,
    Change, Indicator, Link, Power, PowerAction,
};
use ipmi::bmc::{Bmc, User};
use ipmi::command::app::Guid;
use ipmi::command::chassis::BootFlags;
use ipmi::console::Login;
use ipmi::number::{BootDevice, ChassisControlAction, CipherSuiteId, PrivilegeLevel};
use support::machine::{DISCRETE, NUMERIC, STEP, raw_at, states_of, value_of};
use support::{Setup, World};
use vbmc::net::Quality;

const SECOND: Duration = Duration::from_secs(1);

/// A tenth lost each way, some doubled, some held up so that later ones overtake them.
const LOSSY: Quality = Quality {
    loss_permille: 100,
    duplicate_permille: 50,
    reorder_permille: 50,
    latency: Duration::from_micros(200),
    jitter: Duration::from_millis(5),
    hold_up: Duration::from_millis(300),
};

#[expect(
    clippy::print_stdout,
    reason = "a failing run says which seed to repeat"
)]
/// The seed of the large simulation; `SIM_SEED` names another one.
fn seed() -> u64 {
    let seed = std::env::var("SIM_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(20_261_121);
    println!("SIM_SEED={seed}");
    seed
}

/// Every reading must be one that this very sensor of this very node had in the last `window`.
fn check_readings(world: &World, node: u32, window: Duration) {
    let snapshot = world.node(node);
    assert_eq!(
        snapshot.readings.len(),
        usize::from(NUMERIC + DISCRETE),
        "n{node}: {:?}",
        snapshot.link
    );
    let last = world.now.as_nanos() / STEP.as_nanos() as u64;
    let first = last.saturating_sub(window.as_nanos() as u64 / STEP.as_nanos() as u64 + 1);
    for (number, (sensor, reading)) in (1..).zip(
        snapshot
            .inventory
            .sensors
            .iter()
            .zip(snapshot.readings.iter()),
    ) {
        assert_eq!(sensor.key, 0x20_0000 | u32::from(number));
        if number <= NUMERIC {
            let value = reading
                .number()
                .unwrap_or_else(|| panic!("n{node} {number}: {reading:?}"));
            let had = (first..=last).any(|step| value_of(raw_at(node, number, step)) == value);
            let age = world.age(node);
            assert!(
                had,
                "n{node} sensor {number}: {value} is not its value; {reading:?}, {age:?} old, {:?}",
                snapshot.link
            );
        } else {
            assert_eq!(
                reading.states,
                states_of(node, number),
                "n{node} sensor {number}"
            );
        }
    }
}

#[test]
fn a_thousand_nodes_on_a_lossy_network_are_fresh_and_nothing_is_mixed_up() {
    const NODES: u32 = 1_000;
    let mut world = World::new(Setup::new(NODES, seed(), LOSSY));
    world.run_for(40 * SECOND);
    // Some nodes are switched meanwhile; whatever is lost, nothing may be executed twice.
    let outcomes: Vec<_> = (0..NODES)
        .step_by(7)
        .map(|node| {
            (
                node,
                world.apply(node, Change::Power(PowerAction::PowerCycle)),
            )
        })
        .collect();
    for _ in 0..5 {
        world.run_for(3 * SECOND);
        for node in 0..NODES {
            check_readings(&world, node, 20 * SECOND);
        }
        let fresh = (0..NODES)
            .filter(|node| world.age(*node) < 10 * SECOND)
            .count();
        assert!(fresh >= 990, "{fresh} of {NODES} nodes are fresh");
    }
    for node in 0..NODES {
        assert_eq!(world.node(node).link, Link::Up, "n{node}");
        assert!(
            world.age(node) < 15 * SECOND,
            "n{node} is {:?} old",
            world.age(node)
        );
        let serial = format!("SN-{node:05}");
        assert_eq!(
            world.node(node).inventory.product().serial_number,
            Some(&*serial)
        );
    }
    let (mut done, mut unconfirmed) = (0, 0);
    for (node, outcome) in outcomes {
        let executed = world.hosts[node as usize].machine.controls.len();
        match outcome.try_take() {
            Some(Ok(())) => {
                assert_eq!(executed, 1, "n{node}");
                done += 1;
            }
            Some(Err(ApplyError::Unconfirmed { .. })) => {
                assert!(executed <= 1, "n{node}");
                unconfirmed += 1;
            }
            other => panic!("n{node}: {other:?}, executed {executed} times"),
        }
    }
    assert!(
        done > 80 && unconfirmed > 0,
        "{done} done, {unconfirmed} unconfirmed"
    );
    let counters = *world.engine.counters();
    assert!(
        counters.retransmits > 1_000 && counters.dropped_duplicate > 1_000,
        "{counters:?}"
    );
    let tally = world.network.tally();
    assert!(
        tally.lost * 100 > tally.sent * 9 && tally.held_up > 0,
        "{tally:?}"
    );
}

fn trace(seed: u64) -> (u64, fleet::Counters) {
    let mut world = World::new(Setup::new(60, seed, LOSSY));
    world.run_for(5 * SECOND);
    let _outcome = world.apply(3, Change::Power(PowerAction::ForceOff));
    world.run_for(5 * SECOND);
    (world.trace(), *world.engine.counters())
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_seed_another() {
    let first = trace(1);
    assert_eq!(first, trace(1));
    assert_ne!(first.0, trace(2).0);
}

#[test]
fn on_a_good_network_every_sensor_is_read_once_a_second() {
    for suite in [CipherSuiteId::SUITE_3, CipherSuiteId::SUITE_17] {
        let mut world = World::new(Setup {
            suite,
            ..Setup::new(50, 3, Quality::PERFECT)
        });
        world.run_for(3 * SECOND);
        let before = *world.engine.counters();
        world.run_for(20 * SECOND);
        let after = *world.engine.counters();
        let per_sensor = (after.readings - before.readings) / (50 * u64::from(NUMERIC + DISCRETE));
        assert_eq!(per_sensor, 20);
        assert_eq!(
            (after.rounds_skipped, after.retransmits, after.timeouts),
            (0, 0, 0)
        );
        let oldest = (0..50).map(|node| world.age(node)).max();
        // A snapshot is as old as the end of its round; the oldest reading in it, as the beginning.
        let since = world
            .engine
            .oldest_reading()
            .map(|since| world.now.since(since));
        assert!(since >= oldest && since <= oldest.map(|end| end + SECOND));
        for node in 0..50 {
            assert!(world.age(node) <= SECOND + Duration::from_millis(100));
            check_readings(&world, node, 2 * SECOND);
        }
    }
}

#[test]
fn at_most_one_command_is_in_flight_and_the_load_is_spread_over_the_second() {
    let mut world = World::new(Setup::new(100, 4, Quality::PERFECT));
    world.run_for(5 * SECOND);
    let mut busiest = 0;
    for _ in 0..20 {
        let before = world.network.tally().sent;
        world.run_for(Duration::from_millis(50));
        busiest = busiest.max(world.network.tally().sent - before);
    }
    // 100 nodes × 13 commands × 2 datagrams in a second are 130 in 50 ms.
    assert!(busiest < 2 * 130, "{busiest} datagrams in 50 ms");
}

#[test]
fn equal_machines_share_their_sensors_and_names_are_unique() {
    let mut world = World::new(Setup::new(3, 5, Quality::PERFECT));
    world.run_for(3 * SECOND);
    let (a, b) = (world.node(0), world.node(2));
    assert!(Arc::ptr_eq(&a.inventory.sensors, &b.inventory.sensors));
    let ids: Vec<_> = a
        .inventory
        .sensors
        .iter()
        .map(|sensor| sensor.id.to_string())
        .collect();
    assert_eq!(
        ids[..4],
        ["CPU0_Temp", "CPU1_Temp", "CPU1_Temp_2", "CPU2_Temp"]
    );
    assert_eq!(ids[6..8], ["Disk1", "Disk2"]);
    let limits = a.inventory.sensors[0].thresholds;
    assert_eq!(
        (limits.upper_critical, limits.upper_caution),
        (Some(80.0), None)
    );
    assert_eq!(a.identity.controller_firmware.as_deref(), Some("2.15"));
    assert_eq!(a.identity.protocol.as_deref(), Some("IPMI 2.0"));
    assert_ne!(a.identity.uuid, b.identity.uuid);
}

#[test]
fn a_change_is_acknowledged_only_when_the_snapshot_shows_it() {
    let mut world = World::new(Setup::new(2, 6, Quality::PERFECT));
    world.run_for(3 * SECOND);
    let off = world.apply(1, Change::Power(PowerAction::ForceOff));
    while off.try_take().is_none_or(|outcome| {
        assert_eq!(outcome, Ok(()));
        assert_eq!(world.node(1).power, Power::Off, "shown when told");
        false
    }) {
        assert!(world.now.as_nanos() < 4_000_000_000);
        world.run_for(Duration::from_millis(1));
    }
    assert_eq!(world.node(0).power, Power::On);
    let boot = BootOverride {
        target: BootTarget::Pxe,
        persistence: BootPersistence::Once,
        mode: BootMode::Uefi,
    };
    let change = BootChange {
        target: Some(boot.target),
        persistence: Some(boot.persistence),
        mode: Some(boot.mode),
    };
    let set = world.apply(1, Change::Boot(change));
    let lit = world.apply(1, Change::Indicator(true));
    world.run_for(SECOND);
    assert_eq!(
        (set.try_take(), lit.try_take()),
        (Some(Ok(())), Some(Ok(())))
    );
    assert_eq!(
        (world.node(1).boot, world.node(1).indicator),
        (Some(boot), Indicator::On)
    );
    assert!(world.hosts[1].machine.boot.valid);
    assert_eq!(
        world.hosts[1].machine.controls,
        [ChassisControlAction::POWER_DOWN]
    );
}

#[test]
fn what_others_change_over_ipmi_shows_within_two_poll_intervals() {
    let mut world = World::new(Setup::new(2, 6, Quality::PERFECT));
    world.run_for(3 * SECOND);
    for host in &mut world.hosts {
        host.machine.add_event();
        host.machine.boot = BootFlags {
            valid: true,
            device: BootDevice::PXE,
            ..BootFlags::default()
        };
    }
    // The round in which it is noticed must come to its end.
    world.run_for(2 * SECOND + SECOND / 2);
    for node in [world.node(0), world.node(1)] {
        assert_eq!(node.log.entries.len(), 1, "{}", node.id);
        assert_eq!(node.boot.unwrap().target, BootTarget::Pxe, "{}", node.id);
    }
}

#[test]
fn the_event_log_is_followed_and_cleared() {
    let mut world = World::new(Setup::new(1, 7, Quality::PERFECT));
    world.hosts[0].machine.add_event();
    world.run_for(4 * SECOND);
    assert_eq!(world.node(0).log.entries.len(), 1);
    for _ in 0..3 {
        world.hosts[0].machine.add_event();
    }
    world.run_for(6 * SECOND);
    let log = world.node(0).log.clone();
    assert_eq!((log.entries.len(), log.complete), (4, true));
    assert_eq!(log.entries[3].text.sensor.as_deref(), Some("CPU0 Temp"));
    assert_eq!(
        *log.entries[3].text.message,
        *"Upper Critical going high: Reading 80 > Threshold 75 degrees C"
    );
    assert_eq!(
        world.engine.counters().log_entries,
        4,
        "what is known is not read again"
    );
    let cleared = world.apply(0, Change::ClearLog);
    world.run_for(SECOND);
    assert_eq!(cleared.try_take(), Some(Ok(())));
    assert_eq!(world.node(0).log.entries.len(), 0);
}

#[test]
fn a_long_event_log_does_not_keep_the_sensors_from_being_read() {
    // Every command takes 20 ms: 1,000 entries take 20 s by themselves.
    let slow = Quality {
        latency: Duration::from_millis(10),
        ..Quality::PERFECT
    };
    let mut world = World::new(Setup::new(1, 13, slow));
    for _ in 0..1_000 {
        world.hosts[0].machine.add_event();
    }
    world.run_for(3 * SECOND);
    for _ in 0..10 {
        world.run_for(SECOND);
        assert!(world.age(0) < 2 * SECOND, "{:?} old", world.age(0));
    }
    assert_eq!(
        world.node(0).log.entries.len(),
        0,
        "not read to its end yet"
    );
    world.run_for(40 * SECOND);
    assert_eq!(world.node(0).log.entries.len(), 1_000);
}

#[test]
fn sensors_that_are_added_to_a_running_machine_appear() {
    let mut world = World::new(Setup::new(1, 14, Quality::PERFECT));
    let all = world.hosts[0].machine.records.clone();
    let fewer = all[..usize::from(NUMERIC) - 1].to_vec();
    world.hosts[0].machine.records = Arc::new(fewer);
    world.run_for(3 * SECOND);
    assert_eq!(world.node(0).readings.len(), usize::from(NUMERIC) - 1);
    world.hosts[0].machine.records = all;
    world.hosts[0].machine.records_changed = 2;
    world.run_for(8 * SECOND);
    check_readings(&world, 0, 2 * SECOND);
    assert_eq!(world.engine.counters().contacts, 2);
}

#[test]
fn a_bmc_that_restarts_is_back_soon_and_its_records_are_not_read_again() {
    let mut world = World::new(Setup::new(2, 8, Quality::PERFECT));
    world.run_for(3 * SECOND);
    let reads = world.hosts[0].machine.repository_reads;
    world.hosts[0].bmc.reset();
    world.run_for(25 * SECOND);
    assert_eq!(world.node(0).link, Link::Up);
    assert!(world.age(0) < 2 * SECOND);
    check_readings(&world, 0, 3 * SECOND);
    assert_eq!(world.hosts[0].machine.repository_reads, reads);
    assert_eq!(world.engine.counters().sessions_lost, 1);
}

#[test]
fn a_silent_bmc_is_told_as_down_is_probed_ever_more_rarely_and_costs_the_others_nothing() {
    let mut world = World::new(Setup::new(20, 9, Quality::PERFECT));
    world.hosts[19].mute = true;
    world.run_for(5 * SECOND);
    for node in 0..5 {
        world.hosts[node].mute = true;
    }
    world.run_for(60 * SECOND);
    for node in [0, 4, 19] {
        let Link::Down { reason, .. } = &world.node(node).link else {
            panic!("n{node} is not down")
        };
        assert!(reason.contains("answer"), "{reason}");
    }
    assert!(
        world
            .node(0)
            .readings
            .iter()
            .all(|r| r.availability == Availability::Stale)
    );
    let refused = world.apply(0, Change::Power(PowerAction::On));
    assert!(matches!(
        refused.try_take(),
        Some(Err(ApplyError::Unreachable { .. }))
    ));
    let heard = world.hosts[0].heard;
    world.run_for(300 * SECOND);
    let probes = world.hosts[0].heard - heard;
    assert!(
        (5..=15).contains(&probes),
        "{probes} datagrams in 300 s: one every 30 s"
    );
    for node in 5..19 {
        assert!(
            world.age(node) <= SECOND + Duration::from_millis(100),
            "n{node}"
        );
    }
    for node in 0..5 {
        world.hosts[node].mute = false;
    }
    world.run_for(90 * SECOND);
    for node in 0..5 {
        assert_eq!(world.node(node).link, Link::Up);
        check_readings(&world, node, 2 * SECOND);
    }
}

#[test]
fn a_bmc_that_falls_silent_is_down_after_ten_seconds_and_up_again_with_its_next_answer() {
    let mut world = World::new(Setup::new(10, 4, Quality::PERFECT));
    world.run_for(5 * SECOND);
    world.hosts[3].mute = true;
    // Its next command is due within a second.
    world.run_for(Duration::from_millis(9_900));
    assert_eq!(world.node(3).link, Link::Up, "not before ten seconds");
    world.run_for(Duration::from_millis(1_200));
    assert!(
        matches!(world.node(3).link, Link::Down { .. }),
        "{:?}",
        world.node(3).link
    );
    world.hosts[3].mute = false;
    world.run_for(4 * SECOND);
    assert_eq!(world.node(3).link, Link::Up);
    check_readings(&world, 3, 2 * SECOND);
}

#[test]
fn a_tenth_of_all_datagrams_lost_each_way_makes_no_bmc_look_dead() {
    const NODES: u32 = 100;
    let mut world = World::new(Setup::new(NODES, seed(), LOSSY));
    world.run_for(20 * SECOND);
    for second in 0..60 {
        world.run_for(SECOND);
        let down = (0..NODES).find(|node| matches!(world.node(*node).link, Link::Down { .. }));
        assert_eq!(down, None, "after {second} s");
    }
    assert!(world.engine.counters().retransmits > 10_000);
}

#[test]
fn thousands_of_dead_bmcs_take_no_living_ones_place() {
    const NODES: u32 = 3_000;
    const DEAD: u32 = 2_900;
    let mut world = World::new(Setup::new(NODES, 6, Quality::PERFECT));
    for node in 0..DEAD {
        world.hosts[node as usize].mute = true;
    }
    world.run_for(5 * SECOND);
    // Every living one was read, although more BMCs than there are places are being waited for.
    for node in DEAD..NODES {
        assert_eq!(world.node(node).link, Link::Up, "n{node}");
        assert!(world.age(node) <= 2 * SECOND, "n{node}");
    }
    world.run_for(5 * SECOND);
    let figures = world.engine.figures();
    assert_eq!(figures.sessions(), u64::from(NODES - DEAD));
    assert_eq!((figures.connects.waiting, figures.rounds.waiting), (0, 0));
}

#[test]
fn a_wrong_password_is_said_so_and_is_not_tried_again_at_once() {
    let mut setup = Setup::new(1, 10, Quality::PERFECT);
    setup.config.poll_interval_ms = 1_000;
    let mut world = World::new(setup);
    let user = User::new("admin", b"other", PrivilegeLevel::ADMINISTRATOR).unwrap();
    let mut access = (**world.hosts[0].bmc.config()).clone();
    access.users = vec![user];
    world.hosts[0].bmc.set_config(Arc::new(access));
    world.run_for(20 * SECOND);
    let Link::Down { reason, .. } = &world.node(0).link else {
        panic!("not down")
    };
    assert_eq!(&**reason, "the password is wrong (user \"admin\")");
    assert_eq!(
        world.engine.counters().connects_refused,
        1,
        "an account must not be locked by us"
    );
}

#[test]
fn closing_ends_every_session_at_the_bmcs_too() {
    let mut world = World::new(Setup::new(30, 11, Quality::PERFECT));
    world.hosts[29].mute = true;
    world.run_for(3 * SECOND);
    assert_eq!(world.hosts[7].bmc.session_count(), 1);
    world.engine.close(world.now);
    world.run_for(3 * SECOND);
    assert!(world.engine.is_closed());
    for host in &world.hosts {
        assert_eq!(host.bmc.session_count(), 0);
    }
    let heard: u64 = world.hosts.iter().map(|host| host.heard).sum();
    world.run_for(60 * SECOND);
    assert_eq!(
        world.hosts.iter().map(|host| host.heard).sum::<u64>(),
        heard,
        "silence after"
    );
}

#[test]
fn forged_and_misdirected_datagrams_change_nothing_and_are_counted() {
    let mut world = World::new(Setup::new(2, 12, Quality::PERFECT));
    world.run_for(3 * SECOND);
    let engine = &mut world.engine;
    let before = *engine.counters();
    let from = |node: u8| std::net::SocketAddr::from(([127, 16, 0, node + 1], 623));
    let session = |id: u32| {
        let mut bytes = vec![0x06, 0, 0xff, 0x07, 0x06, 0xc0];
        bytes.extend(id.to_le_bytes());
        bytes.extend([9, 0, 0, 0, 32, 0]);
        bytes.extend([0xaa; 48]);
        bytes
    };
    let first_of_node_0 = 1 << 20;
    engine.handle_datagram(world.now, from(0), &mut session(first_of_node_0));
    engine.handle_datagram(world.now, from(1), &mut session(first_of_node_0));
    engine.handle_datagram(world.now, from(0), &mut session(7 << 20));
    engine.handle_datagram(world.now, from(0), &mut session(0xffff_ffff));
    engine.handle_datagram(world.now, from(0), &mut [1, 2, 3]);
    engine.handle_datagram(
        world.now,
        from(9),
        &mut [0x06, 0, 0xff, 0x07, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    );
    let after = *engine.counters();
    assert_eq!(
        after.dropped_bad_integrity - before.dropped_bad_integrity,
        1
    );
    assert_eq!(after.dropped_wrong_peer - before.dropped_wrong_peer, 1);
    assert_eq!(
        after.dropped_unknown_session - before.dropped_unknown_session,
        3
    );
    assert_eq!(after.dropped_unparsable - before.dropped_unparsable, 1);
    world.run_for(3 * SECOND);
    check_readings(&world, 0, 2 * SECOND);
    assert_eq!(world.engine.counters().sessions_lost, 0);
}

#[test]
fn a_new_login_is_used_at_once_where_the_old_one_is_refused_and_disturbs_nobody_else() {
    let mut world = World::new(Setup::new(20, 5, Quality::PERFECT));
    world.run_for(10 * SECOND);
    // The operator changes a BMC's password at the BMC, which ends its sessions.
    let user = User::new("admin", b"changed", PrivilegeLevel::ADMINISTRATOR).unwrap();
    let access = ipmi::bmc::Config::new(vec![user], Guid([0x11; 16]));
    world.hosts[3].bmc = Bmc::new(Arc::new(access));
    world.run_for(40 * SECOND);
    assert!(matches!(world.node(3).link, Link::Down { .. }));
    let opened = world.engine.counters().sessions_opened;

    let login = Login::new("admin", b"changed")
        .and_then(|login| login.with_suites(&[CipherSuiteId::SUITE_3]));
    let login = Arc::new(login.unwrap());
    for node in [3, 4, 20] {
        world.engine.set_login(world.now, node, Arc::clone(&login));
    }
    // Far sooner than a refused login is tried again by itself.
    world.run_for(5 * SECOND);
    assert_eq!(world.node(3).link, Link::Up);
    assert!(world.age(3) < 3 * SECOND);
    let counters = world.engine.counters();
    assert_eq!(counters.sessions_opened, opened + 1, "sessions go on");
    for node in 0..20 {
        assert!(world.age(node) < 3 * SECOND, "n{node}");
    }
}
