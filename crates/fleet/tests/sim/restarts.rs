//! What a restart keeps: inventories at once, event logs without loss and without repetition.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fleet::Memory;
use hardware::{Availability, Change, Link, LogEvent, LogJournal as _, Node};
use vbmc::net::Quality;

use crate::support::machine::EVENTS_FROM_S;
use crate::support::{Setup, UNIX_MS, World};

const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn remembering(nodes: u32, seed: u64, quality: Quality) -> World {
    World::new(Setup {
        memory: Some(Arc::new(Memory::volatile())),
        ..Setup::new(nodes, seed, quality)
    })
}

/// Who tells of news: the numbers of events that he has told of, how often of losses, and how far he has read.
#[derive(Default)]
pub(crate) struct Teller {
    pub(crate) told: Vec<u32>,
    pub(crate) losses: u32,
    to: u64,
}

fn number(raw: &[u8; 16]) -> u32 {
    let at_s = u32::from_le_bytes(raw[3..7].try_into().unwrap());
    at_s - EVENTS_FROM_S
}

impl Teller {
    /// Tells of what is written by now.
    pub(crate) fn tell(&mut self, world: &World) {
        let journal = world.memory();
        journal.flush();
        for news in journal.after(self.to, usize::MAX) {
            match news.event {
                LogEvent::Entry { raw, .. } => self.told.push(number(&raw)),
                LogEvent::Loss => self.losses += 1,
            }
            self.to = news.number.unwrap().get();
        }
        journal.forget_to(self.to);
    }
}

fn names(node: &Node) -> Vec<String> {
    let sensors = node.inventory.sensors.iter();
    sensors.map(|sensor| sensor.id.to_string()).collect()
}

#[test]
fn after_a_restart_inventories_are_there_at_once_and_are_not_read_again() {
    let mut world = remembering(20, 1, Quality::PERFECT);
    world.run_for(5 * SECOND);
    let before = world.node(7);
    let reads = world.hosts[7].machine.repository_reads;
    assert!(reads > 0);
    world.hosts[7].mute = true;
    world.kill_and_restart();
    for node in [7, 8] {
        let node = world.node(node);
        assert_eq!((node.link.clone(), node.read_at_ms), (Link::Connecting, 0));
        assert_eq!(names(&node), names(&before));
        assert!(
            node.readings
                .iter()
                .all(|r| r.availability == Availability::Pending)
        );
        assert_eq!(node.identity.controller_firmware.as_deref(), Some("2.15"));
    }
    assert_eq!(world.node(7).identity, before.identity);
    assert_eq!(
        world.node(7).inventory.product(),
        before.inventory.product()
    );
    world.run_for(20 * SECOND);
    assert!(matches!(world.node(7).link, Link::Down { .. }));
    assert_eq!(
        names(&world.node(7)),
        names(&before),
        "also while it is away"
    );
    world.hosts[7].mute = false;
    world.run_for(60 * SECOND);
    for node in 0..20 {
        assert_eq!(world.node(node).link, Link::Up, "n{node}");
        assert!(world.age(node) <= 2 * SECOND, "n{node}");
    }
    assert_eq!(world.hosts[7].machine.repository_reads, reads);
    assert_eq!(
        world.engine.counters().contacts,
        0,
        "nobody was got acquainted with anew"
    );
}

#[test]
fn records_that_changed_while_nobody_looked_are_read_again() {
    let mut world = remembering(2, 2, Quality::PERFECT);
    let all = Arc::clone(&world.hosts[0].machine.records);
    world.hosts[0].machine.records = Arc::new(all[..3].to_vec());
    world.run_for(5 * SECOND);
    assert_eq!(world.node(0).readings.len(), 3);
    world.hosts[0].machine.records = all;
    world.hosts[0].machine.records_changed = 2;
    world.kill_and_restart();
    assert_eq!(world.node(0).readings.len(), 3);
    world.run_for(5 * SECOND);
    assert!(world.node(0).readings.len() > 3);
    assert_eq!(world.engine.counters().contacts, 1, "of this one only");
}

#[test]
fn a_session_that_a_killed_process_left_open_is_closed_by_the_next_one_and_no_other_is() {
    let mut world = remembering(5, 8, Quality::PERFECT);
    world.run_for(5 * SECOND);
    for kills in 1..=6 {
        world.kill_and_restart();
        world.run_for(3 * SECOND);
        for (node, host) in world.hosts.iter().enumerate() {
            assert_eq!(host.bmc.session_count(), 1, "n{node}, {kills} kills");
        }
    }
    // One that the BMC ended itself, and whose number may be anybody's now.
    world.hosts[2].bmc.reset();
    world.kill_and_restart();
    world.run_for(5 * SECOND);
    for node in 0..5 {
        assert_eq!(world.node(node).link, Link::Up);
        assert_eq!(world.hosts[node as usize].bmc.session_count(), 1);
    }
    assert_eq!(world.engine.counters().sessions_lost, 0);
}

#[test]
fn another_consoles_session_stays_though_it_has_the_id_of_the_one_that_was_left_open() {
    let mut world = remembering(1, 9, Quality::PERFECT);
    world.same_numbers = true;
    world.run_for(5 * SECOND);
    world.hosts[0].bmc.reset();
    let first = world.another_console(0);
    world.hosts[0].bmc.reset();
    assert_eq!(
        world.another_console(0),
        first,
        "a BMC that gives IDs again"
    );
    world.kill_and_restart();
    world.run_for(5 * SECOND);
    assert_eq!(world.node(0).link, Link::Up);
    assert_eq!(world.hosts[0].bmc.session_count(), 2);
}

#[test]
fn a_machine_that_was_removed_and_is_back_soon_is_known_and_missed_no_entry() {
    let mut world = remembering(2, 3, Quality::PERFECT);
    world.hosts[1].machine.add_event();
    world.run_for(5 * SECOND);
    let mut teller = Teller::default();
    teller.tell(&world);
    world.change(&[1], &[]);
    world.run_for(SECOND);
    world.hosts[1].machine.add_event();
    world.kill_and_restart();
    assert!(!world.node(1).readings.is_empty());
    world.run_for(5 * SECOND);
    assert_eq!(world.node(1).link, Link::Up);
    teller.tell(&world);
    assert_eq!(teller.told, [2]);
    assert_eq!(world.engine.counters().contacts, 0);
}

#[test]
fn each_entry_is_told_once_however_often_the_process_is_killed() {
    let mut world = remembering(1, 4, Quality::PERFECT);
    let mut teller = Teller::default();
    for _ in 0..3 {
        world.hosts[0].machine.add_event();
    }
    world.run_for(5 * SECOND);
    teller.tell(&world);
    assert_eq!(teller.told, [], "history");
    for round in 0..60_u32 {
        for _ in 0..round % 4 {
            world.hosts[0].machine.add_event();
        }
        // In the middle of log-ins, of contacts, of rounds.
        world.run_for(Duration::from_millis(u64::from(round * 137 % 2_900)));
        match round % 5 {
            // Before anything was written, before anybody told of it, after that.
            0 | 3 => world.memory().lose_pending(),
            1 => world.memory().flush(),
            _ => teller.tell(&world),
        }
        world.kill_and_restart();
        world.hosts[0].machine.add_event();
    }
    world.run_for(10 * SECOND);
    teller.tell(&world);
    let all: Vec<u32> = (4..=world.hosts[0].machine.events).collect();
    assert_eq!(teller.told, all);
    assert_eq!(teller.losses, 0);
    assert_eq!(world.node(0).log.entries.len(), all.len() + 3);
}

#[test]
fn of_a_log_in_which_nothing_happens_nothing_is_written_however_often_it_is_looked_at() {
    let mut world = remembering(3, 12, Quality::PERFECT);
    world.run_for(10 * SECOND);
    assert!(world.memory().is_pending());
    world.memory().flush();
    world.run_for(1_800 * SECOND);
    assert!(!world.memory().is_pending());
    world.hosts[0].machine.add_event();
    world.run_for(10 * SECOND);
    assert!(world.memory().is_pending());
}

#[test]
fn a_log_cleared_while_it_is_read_or_nobody_looks_is_followed_without_repetition() {
    // Every command takes 20 ms, so that clearing falls into the reading.
    let slow = Quality {
        latency: Duration::from_millis(10),
        ..Quality::PERFECT
    };
    let mut world = remembering(1, 5, slow);
    let mut teller = Teller::default();
    world.run_for(5 * SECOND);
    teller.tell(&world);
    let mut wiped = Vec::new();
    for round in 0..60_u32 {
        for _ in 0..1 + round % 7 {
            world.hosts[0].machine.add_event();
        }
        world.run_for(Duration::from_millis(u64::from(round * 211 % 3_100)));
        if round % 3 == 0 {
            teller.tell(&world);
            let machine = &mut world.hosts[0].machine;
            let numbers = machine.log.iter().map(number);
            wiped.extend(numbers.filter(|number| !teller.told.contains(number)));
            machine.clear();
        }
        if round % 4 == 0 {
            world.memory().lose_pending();
            world.kill_and_restart();
        }
    }
    world.run_for(20 * SECOND);
    teller.tell(&world);
    let told = teller.told;
    let mut once = told.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), told.len(), "nothing twice: {told:?}");
    let events = world.hosts[0].machine.events;
    let missing: Vec<u32> = (1..=events)
        .filter(|number| !told.contains(number))
        .collect();
    assert!(
        missing.iter().all(|number| wiped.contains(number)),
        "{missing:?} were told to nobody, but only {wiped:?} were cleared unread"
    );
    assert!(told.len() > 100, "{} of {events}", told.len());
}

#[test]
fn what_comes_after_a_log_was_cleared_by_order_is_told() {
    let mut world = remembering(1, 10, Quality::PERFECT);
    let mut teller = Teller::default();
    world.hosts[0].machine.add_event();
    world.run_for(5 * SECOND);
    let cleared = world.apply(0, Change::ClearLog);
    world.run_for(SECOND);
    assert_eq!(cleared.try_take(), Some(Ok(())));
    world.hosts[0].machine.add_event();
    world.run_for(10 * SECOND);
    teller.tell(&world);
    assert_eq!(teller.told, [2]);
}

#[test]
fn a_log_cleared_by_order_while_it_is_read_is_told_without_repetition() {
    let slow = Quality {
        latency: Duration::from_millis(10),
        ..Quality::PERFECT
    };
    let mut world = remembering(1, 11, slow);
    let mut teller = Teller::default();
    world.run_for(5 * SECOND);
    for round in 0..80_u64 {
        (0..4).for_each(|_| world.hosts[0].machine.add_event());
        world.run_for(Duration::from_millis(4_000 + round * 53));
        (0..4).for_each(|_| world.hosts[0].machine.add_event());
        let cleared = world.apply(0, Change::ClearLog);
        // One entry more while the job clears or reads, or just after that.
        world.run_for(Duration::from_millis(round % 12 * 10));
        world.hosts[0].machine.add_event();
        world.run_for(3 * SECOND);
        assert_eq!(cleared.try_take(), Some(Ok(())));
    }
    world.run_for(10 * SECOND);
    teller.tell(&world);
    let told = teller.told;
    let once: BTreeSet<u32> = told.iter().copied().collect();
    assert_eq!(once.len(), told.len(), "nothing twice: {told:?}");
    assert!(told.is_sorted() && told.len() > 80 * 4, "{}", told.len());
}

#[test]
fn a_log_that_overflows_while_it_is_read_is_told_once_as_incomplete() {
    let slow = Quality {
        latency: Duration::from_millis(10),
        ..Quality::PERFECT
    };
    let mut world = remembering(1, 6, slow);
    world.hosts[0].machine.capacity = 60;
    let mut teller = Teller::default();
    world.run_for(5 * SECOND);
    for _ in 0..90 {
        world.hosts[0].machine.add_event();
        world.run_for(Duration::from_millis(50));
    }
    world.run_for(10 * SECOND);
    teller.tell(&world);
    assert_eq!(teller.told, (1..=60).collect::<Vec<_>>());
    assert_eq!(teller.losses, 1);
    world.kill_and_restart();
    world.run_for(20 * SECOND);
    teller.tell(&world);
    assert_eq!(teller.losses, 1, "told already");
    world.hosts[0].machine.clear();
    world.hosts[0].machine.add_event();
    world.run_for(10 * SECOND);
    teller.tell(&world);
    assert_eq!(teller.told.last(), Some(&91));
}

#[test]
fn times_of_entries_are_ours_whatever_the_clock_of_the_bmc_says() {
    let mut world = remembering(2, 7, Quality::PERFECT);
    world.hosts[0].machine.clock_ahead_s = 7_200;
    for host in &mut world.hosts {
        host.machine.add_event();
    }
    world.run_for(5 * SECOND);
    let at_s = |node| world.node(node).log.entries[0].at_s.unwrap();
    let event_s = u64::from(EVENTS_FROM_S) + 1;
    assert_eq!((at_s(0), at_s(1)), (event_s - 7_200, event_s));
    assert_eq!(
        UNIX_MS / 1_000,
        u64::from(EVENTS_FROM_S),
        "one clock for all else"
    );
}

#[test]
fn times_of_entries_do_not_depend_on_how_long_the_log_takes_to_be_read() {
    const ENTRIES: u32 = 1_000;
    let latency = Duration::from_millis(10);
    let mut world = remembering(
        1,
        7,
        Quality {
            latency,
            ..Quality::PERFECT
        },
    );
    (0..ENTRIES).for_each(|_| world.hosts[0].machine.add_event());
    // Twice that for each entry, and the rounds go on meanwhile.
    world.run_for(120 * SECOND);
    let log = Arc::clone(&world.node(0).log);
    assert_eq!(log.entries.len(), ENTRIES as usize);
    for (entry, number) in log.entries.iter().zip(1..) {
        assert_eq!(entry.at_s, Some(u64::from(EVENTS_FROM_S) + number));
    }
}

#[test]
fn an_entry_that_comes_while_a_node_is_replaced_at_its_address_is_told_once() {
    let mut world = remembering(2, 9, Quality::PERFECT);
    world.hosts[0].machine.add_event();
    world.run_for(5 * SECOND);
    let mut teller = Teller::default();
    world.replace(0, |world| {
        world.hosts[0].machine.add_event();
        world.run_for(5 * SECOND);
    });
    world.run_for(10 * SECOND);
    world.hosts[0].machine.add_event();
    world.run_for(10 * SECOND);
    teller.tell(&world);
    assert_eq!((teller.told, teller.losses), (vec![2, 3], 0));
    assert_eq!(world.node(0).log.entries.len(), 3);
}
