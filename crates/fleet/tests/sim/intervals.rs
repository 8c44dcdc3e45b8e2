//! Classes of sensors are read at intervals of their own.

use std::time::Duration;

use fleet::Treatment;
use hardware::{Availability, Link, SensorClass, SensorIntervals};
use ipmi::number::{CompletionCode, SensorType, SensorUnit};
use vbmc::net::Quality;

use crate::support::machine::{DISCRETE, NUMERIC, records_of};
use crate::support::{Setup, UNIX_MS, World};
use crate::{LOSSY, SECOND, seed};

const TEMPERATURE: (SensorType, SensorUnit) = (SensorType::TEMPERATURE, SensorUnit::DEGREES_C);
const FAN: (SensorType, SensorUnit) = (SensorType::FAN, SensorUnit::RPM);
const VOLTAGE: (SensorType, SensorUnit) = (SensorType::VOLTAGE, SensorUnit::VOLTS);
const CURRENT: (SensorType, SensorUnit) = (SensorType::CURRENT, SensorUnit::AMPS);

/// What sensors 1 to 6 measure; the others are discrete.
const MEASURED: [(SensorType, SensorUnit); NUMERIC as usize] =
    [VOLTAGE, TEMPERATURE, FAN, TEMPERATURE, VOLTAGE, CURRENT];

fn class_of(sensor: u8) -> SensorClass {
    match MEASURED.get(usize::from(sensor) - 1) {
        Some(&TEMPERATURE) => SensorClass::Temperature,
        Some(&FAN) => SensorClass::Fan,
        Some(&VOLTAGE) => SensorClass::Voltage,
        Some(_) => SensorClass::Current,
        None => SensorClass::Discrete,
    }
}

fn sensors() -> std::ops::RangeInclusive<u8> {
    1..=NUMERIC + DISCRETE
}

/// Temperatures every second, fans every 3 s, voltages every 10 s, states every 20 s; all else, currents too, every 2 s.
fn intervals() -> SensorIntervals {
    SensorIntervals::default()
        .with(SensorClass::Temperature, 1_000)
        .with(SensorClass::Fan, 3_000)
        .with(SensorClass::Voltage, 10_000)
        .with(SensorClass::Discrete, 20_000)
}

const POLL_INTERVAL_MS: u32 = 2_000;

fn interval_of(sensor: u8) -> Duration {
    let ms = intervals().get(class_of(sensor));
    Duration::from_millis(ms.unwrap_or(POLL_INTERVAL_MS).into())
}

fn world_of(nodes: u32, quality: Quality, intervals: SensorIntervals) -> World {
    let mut setup = Setup::new(nodes, seed(), quality);
    setup.config.poll_interval_ms = POLL_INTERVAL_MS;
    setup.config.sensor_intervals = intervals;
    let mut world = World::new(setup);
    let records = records_of(MEASURED);
    for host in &mut world.hosts {
        host.machine.records = records.clone();
    }
    world
}

/// Notes what is asked from now on.
fn note(world: &mut World) {
    for host in &mut world.hosts {
        host.machine.readings_asked = Some(Vec::new());
    }
}

/// When a sensor was asked for.
fn asked(world: &World, node: usize, sensor: u8) -> Vec<Duration> {
    let asked = world.hosts[node].machine.readings_asked.as_ref().unwrap();
    let of_sensor = asked.iter().filter(|(_, number)| *number == sensor);
    of_sensor
        .map(|(at, _)| Duration::from_nanos(at.as_nanos()))
        .collect()
}

/// How long it was between one time and the next.
fn gaps(asked: &[Duration]) -> impl Iterator<Item = Duration> {
    asked.windows(2).map(|pair| pair[1] - pair[0])
}

#[test]
fn each_class_is_asked_at_its_interval_and_what_is_not_named_at_the_poll_interval() {
    let mut world = world_of(20, Quality::PERFECT, intervals());
    world.run_for(25 * SECOND);
    note(&mut world);
    let before = *world.engine.counters();
    world.run_for(120 * SECOND);
    for node in 0..20 {
        for sensor in sensors() {
            let (asked, interval) = (asked(&world, node, sensor), interval_of(sensor));
            let wanted = 120 / interval.as_secs() as usize;
            assert!(asked.len().abs_diff(wanted) <= 1, "n{node} {sensor}");
            for gap in gaps(&asked) {
                let off = gap.abs_diff(interval);
                assert!(off < Duration::from_millis(50), "n{node} {sensor}: {gap:?}");
            }
        }
    }
    let grown = world.engine.counters().since(&before);
    assert_eq!((grown.rounds_skipped, grown.timeouts), (0, 0));
    // The round, and a pass for each other interval.
    let rounds = u64::from(60 + 120 + 40 + 12 + 6_u32) * 20;
    assert!(grown.rounds.abs_diff(rounds) <= 5 * 20, "{}", grown.rounds);
    assert_eq!(world.engine.late(world.now), 0);
}

#[test]
fn each_class_is_spread_evenly_over_its_interval() {
    const NODES: u32 = 200;
    let mut world = world_of(NODES, Quality::PERFECT, intervals());
    world.run_for(40 * SECOND);
    note(&mut world);
    let begin = world.now;
    world.run_for(20 * SECOND);
    let since_ms = |at: Duration| at.as_millis() as u64 - begin.as_nanos() / 1_000_000;
    for sensor in [1, 2, 3, 6, 7] {
        let times = (0..NODES as usize).flat_map(|node| asked(&world, node, sensor));
        let mut by_second = [0_u32; 20];
        for at in times {
            by_second[(since_ms(at) / 1_000).min(19) as usize] += 1;
        }
        let wanted = NODES / interval_of(sensor).as_secs() as u32;
        for (second, count) in by_second.into_iter().enumerate() {
            let off = count.abs_diff(wanted);
            assert!(
                off <= 2,
                "sensor {sensor}, second {second}: {count}, not {wanted}"
            );
        }
    }
}

#[test]
fn other_intervals_hold_at_once_in_the_session_that_is_open() {
    let mut world = world_of(1, Quality::PERFECT, SensorIntervals::default());
    world.run_for(30 * SECOND);
    let sessions = world.engine.counters().sessions_opened;
    let treatment = Treatment {
        sensor_intervals: SensorIntervals::default()
            .with(SensorClass::Voltage, 12_000)
            .with(SensorClass::Temperature, 500),
        ..Treatment::default()
    };
    world.engine.set_treatment(world.now, 0, &treatment);
    let told = world.node(0).intervals.clone().unwrap();
    assert_eq!(told.get(SensorClass::Voltage), Some(12_000));
    assert_eq!(told.get(SensorClass::Current), Some(POLL_INTERVAL_MS));
    note(&mut world);
    world.run_for(48 * SECOND);
    let count = |world: &World, sensor| asked(world, 0, sensor).len();
    let counts = [1, 2, 3, 7].map(|sensor| count(&world, sensor));
    assert_eq!(counts, [4, 96, 24, 24]);
    // Back again: all are in the round.
    world
        .engine
        .set_treatment(world.now, 0, &Treatment::default());
    note(&mut world);
    world.run_for(20 * SECOND);
    let counts = [1, 2, 3, 7].map(|sensor| count(&world, sensor));
    assert!(
        counts.iter().all(|count| count.abs_diff(10) <= 1),
        "{counts:?}"
    );
    let counters = world.engine.counters();
    assert_eq!(counters.sessions_opened, sessions);
    assert_eq!(
        (counters.sessions_lost, world.engine.late(world.now)),
        (0, 0)
    );
}

#[test]
fn a_slow_class_does_not_hold_up_a_quick_one() {
    let slow = Quality {
        latency: Duration::from_millis(40),
        ..Quality::PERFECT
    };
    // Half a second for two temperatures, and half a second for six states every five.
    let intervals = SensorIntervals::default()
        .with(SensorClass::Temperature, 500)
        .with(SensorClass::Discrete, 5_000);
    let mut world = world_of(3, slow, intervals);
    world.run_for(30 * SECOND);
    note(&mut world);
    world.run_for(60 * SECOND);
    let answer = 2 * slow.latency;
    for node in 0..3 {
        for temperature in [2, 4] {
            let asked = asked(&world, node, temperature);
            assert!(asked.len() >= 119, "{}", asked.len());
            for gap in gaps(&asked) {
                // What is on its way when it is due is waited for.
                assert!(gap <= Duration::from_millis(500) + 2 * answer, "{gap:?}");
            }
        }
        assert!(asked(&world, node, 12).len() >= 11, "and comes to its turn");
    }
}

#[test]
fn each_class_comes_to_its_turn_where_there_is_no_time_for_all() {
    let slow = Quality {
        latency: Duration::from_millis(50),
        ..Quality::PERFECT
    };
    // Two temperatures take 200 ms: there is no time for anything else.
    let intervals = SensorIntervals::default().with(SensorClass::Temperature, 100);
    let mut world = world_of(1, slow, intervals);
    world.run_for(30 * SECOND);
    let before = *world.engine.counters();
    note(&mut world);
    world.run_for(60 * SECOND);
    let skipped = world.engine.counters().since(&before).rounds_skipped;
    assert!(skipped > 100, "that is told: {skipped}");
    for sensor in sensors() {
        let count = asked(&world, 0, sensor).len();
        assert!(count >= 10, "sensor {sensor}: {count}");
    }
}

#[test]
fn a_sensor_that_is_silent_or_an_answer_that_is_lost_keeps_no_class_from_its_interval() {
    let mut world = world_of(10, LOSSY, intervals());
    world.hosts[0].machine.mute_sensors = vec![1];
    world.run_for(60 * SECOND);
    note(&mut world);
    world.run_for(120 * SECOND);
    for node in 0..10 {
        assert_eq!(world.node(node).link, Link::Up, "n{node}");
        for sensor in sensors().skip(1) {
            let count = asked(&world, node as usize, sensor).len();
            let wanted = 120 / interval_of(sensor).as_secs() as usize;
            assert!(
                count * 10 >= wanted * 7,
                "n{node} {sensor}: {count} of {wanted}"
            );
        }
    }
    // Silent in three passes, then asked in every fifth (with repetitions).
    let count = asked(&world, 0, 1).len();
    assert!((1..=4 * 6).contains(&count), "{count}");
}

#[test]
fn readings_are_as_old_as_their_class_and_late_by_its_interval() {
    let mut world = world_of(1, Quality::PERFECT, intervals());
    let age = |world: &World, class| {
        let now_ms = UNIX_MS + world.now.as_nanos() / 1_000_000;
        Duration::from_millis(now_ms - world.node(0).class_read_at_ms(class))
    };
    world.run_for(60 * SECOND);
    let mut oldest = [Duration::ZERO; SensorClass::COUNT];
    for _ in 0..400 {
        world.run_for(Duration::from_millis(100));
        for class in SensorClass::ALL {
            let oldest = &mut oldest[class as usize];
            *oldest = age(&world, class).max(*oldest);
        }
        assert_eq!(world.engine.late(world.now), 0);
    }
    for class in SensorClass::ALL {
        let ms = intervals().get(class).unwrap_or(POLL_INTERVAL_MS);
        let interval = Duration::from_millis(ms.into());
        let off = oldest[class as usize].abs_diff(interval);
        assert!(off <= Duration::from_millis(150), "{class}: {oldest:?}");
    }
    let since = |world: &World| {
        let since = world.engine.oldest_reading();
        since.map(|since| world.now.since(since))
    };
    assert!(since(&world) <= Some(21 * SECOND), "{:?}", since(&world));
    // Temperatures are late after two seconds, though states are not for forty.
    world.hosts[0].machine.readings_refused = Some(CompletionCode::UNSPECIFIED);
    world.run_for(SECOND);
    assert_eq!(world.engine.late(world.now), 0);
    world.run_for(2 * SECOND);
    assert_eq!(world.engine.late(world.now), 1);
    world.hosts[0].machine.readings_refused = None;
    world.run_for(3 * SECOND);
    assert_eq!(world.engine.late(world.now), 0);
    // One that doesn't answer is not late: it is down.
    world.hosts[0].mute = true;
    world.run_for(60 * SECOND);
    assert_eq!((world.engine.late(world.now), since(&world)), (0, None));
    world.hosts[0].mute = false;
    world.run_for(60 * SECOND);
    assert_eq!(world.engine.late(world.now), 0);
    assert!(since(&world) <= Some(21 * SECOND), "{:?}", since(&world));
}

#[test]
fn a_class_that_does_not_answer_makes_no_bmc_late_and_is_shown_as_unavailable_unless_none_answers()
{
    // Fans never answer; currents, which are read in the round with the discrete ones, neither do.
    for (silent, refused) in [(3, true), (3, false), (6, true)] {
        let intervals = SensorIntervals::default()
            .with(SensorClass::Temperature, 1_000)
            .with(SensorClass::Fan, 3_000)
            .with(SensorClass::Voltage, 10_000)
            .with(SensorClass::Discrete, 20_000);
        let mut world = world_of(1, Quality::PERFECT, intervals);
        let machine = &mut world.hosts[0].machine;
        match refused {
            true => machine.sensors_refused = vec![silent],
            false => machine.mute_sensors = vec![silent],
        }
        world.run_for(90 * SECOND);
        let availability = |world: &World, sensor: u8| {
            let node = world.node(0);
            node.readings
                .get(usize::from(sensor) - 1)
                .unwrap()
                .availability
        };
        let mut late = 0;
        for _ in 0..60 {
            world.run_for(SECOND);
            late += world.engine.late(world.now);
            let shown = availability(&world, silent);
            assert_eq!(shown, Availability::Unavailable, "{silent} {refused}");
        }
        // While a question that is not answered is repeated, once in five passes, nothing else is read.
        let late_max = if refused { 0 } else { 30 };
        assert!(late <= late_max, "{silent} {refused}: {late} s of 60");
        let since = world.engine.oldest_reading().unwrap();
        assert!(world.now.since(since) <= 21 * SECOND);
        // The others are read as ever; where they stop, too, it is late, and down where it says nothing at all.
        assert_eq!(availability(&world, 2), Availability::Available);
        world.hosts[0].machine.readings_refused = Some(CompletionCode::UNSPECIFIED);
        world.run_for(25 * SECOND);
        for _ in 0..120 {
            world.run_for(SECOND);
            assert_eq!(world.engine.late(world.now), 1, "{silent} {refused}");
        }
        world.hosts[0].machine.readings_refused = None;
        // One that answers again is shown again.
        let machine = &mut world.hosts[0].machine;
        machine.sensors_refused.clear();
        machine.mute_sensors.clear();
        world.run_for(60 * SECOND);
        assert_eq!(availability(&world, silent), Availability::Available);
        assert_eq!(world.engine.late(world.now), 0);
        world.hosts[0].mute = true;
        world.run_for(30 * SECOND);
        assert!(matches!(world.node(0).link, Link::Down { .. }));
    }
}

#[test]
fn a_machine_with_sensors_of_one_class_only_has_one_pass_or_none() {
    let mut world = world_of(2, Quality::PERFECT, intervals());
    // The record of the discrete sensors is the last.
    let mut records = Vec::clone(&records_of([TEMPERATURE; NUMERIC as usize]));
    records.pop();
    world.hosts[0].machine.records = records.into();
    let mut records = Vec::clone(&records_of([CURRENT; NUMERIC as usize]));
    records.pop();
    world.hosts[1].machine.records = records.into();
    world.run_for(20 * SECOND);
    note(&mut world);
    let rounds = world.engine.counters().rounds;
    world.run_for(60 * SECOND);
    assert!(asked(&world, 0, 3).len().abs_diff(60) <= 1);
    assert!(asked(&world, 1, 3).len().abs_diff(30) <= 1);
    // 30 rounds each, and 60 passes of the one with temperatures.
    let rounds = world.engine.counters().rounds - rounds;
    assert!(rounds.abs_diff(120) <= 3, "{rounds}");
    let since = world.engine.oldest_reading();
    assert!(since.is_some_and(|since| world.now.since(since) < 3 * SECOND));
    assert!(
        world.age(0) < 2 * SECOND,
        "the round brings none, the pass does"
    );
}

#[test]
fn the_same_seed_gives_the_same_trace_with_intervals_of_classes_too() {
    let trace = || {
        let mut world = world_of(40, LOSSY, intervals());
        world.run_for(20 * SECOND);
        (world.trace(), *world.engine.counters())
    };
    assert_eq!(trace(), trace());
}
