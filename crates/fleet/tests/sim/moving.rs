//! BMCs get other addresses, addresses other BMCs, and operators treat them in another way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fleet::{Memory, Outcome, Quirk, Quirks, Treatment};
use hardware::{ApplyError, Availability, Change, Link, Observer, Power, PowerAction, Update};
use ipmi::command::app::Guid;
use ipmi::number::CompletionCode;
use vbmc::net::Quality;

use crate::check_readings;
use crate::support::{Setup, World};

const SECOND: Duration = Duration::from_secs(1);

/// Which machines were replaced, and how often a snapshot of one of them had a reading that was not had yet, or new entries of
/// its log were told.
#[derive(Default)]
struct Told {
    replaced: Mutex<Vec<String>>,
    pending: Mutex<u32>,
    entries: Mutex<usize>,
}

impl Observer for Told {
    fn updated(&self, update: &Update) {
        match update {
            Update::Changed { before, after } => {
                let is_pending = |availability| availability == Availability::Pending;
                let pending = after.readings.iter().any(|r| is_pending(r.availability));
                *self.pending.lock().unwrap() += u32::from(pending);
                if before.log.complete {
                    let known = |raw| before.log.entries.iter().any(|entry| entry.raw == raw);
                    let new = after.log.entries.iter().filter(|entry| !known(entry.raw));
                    *self.entries.lock().unwrap() += new.count();
                }
            }
            Update::Replaced { before, after } => {
                assert_eq!(before.id, after.id);
                assert!(after.log.entries.is_empty(), "a log of its own");
                self.replaced.lock().unwrap().push(after.id.to_string());
            }
            other => panic!("{other:?}"),
        }
    }
}

fn observed(world: &World) -> Arc<Told> {
    let told = Arc::new(Told::default());
    world.shared.observe(Arc::clone(&told) as Arc<dyn Observer>);
    told
}

/// Two nodes, and an address for a third.
fn world(seed: u64) -> World {
    let quality = Quality {
        latency: Duration::from_millis(5),
        ..Quality::PERFECT
    };
    let mut world = World::new(Setup {
        present: Some(2),
        ..Setup::new(3, seed, quality)
    });
    for host in &mut world.hosts {
        for _ in 0..3 {
            host.machine.add_event();
        }
    }
    world.run_for(5 * SECOND);
    world
}

#[test]
fn a_bmc_with_another_address_goes_on_where_it_was() {
    let mut world = world(1);
    let (before, told) = (world.node(0), observed(&world));
    assert_eq!(before.log.entries.len(), 3);
    world.set_host(0, None);
    world.set_host(2, Some(0));
    world.run_for(3 * SECOND);
    world.set_address(0, 2);
    world.run_for(5 * SECOND);
    let after = world.node(0);
    assert_eq!(after.link, Link::Up);
    assert!(Arc::ptr_eq(&before.inventory, &after.inventory));
    assert_eq!(after.log.entries.len(), 3);
    assert_ne!(before.address, after.address);
    check_readings(&world, 0, 2 * SECOND);
    assert_eq!(*told.replaced.lock().unwrap(), [""; 0]);
    assert_eq!(*told.entries.lock().unwrap(), 0);
    let counters = world.engine.counters();
    assert_eq!((counters.contacts, counters.sessions_opened), (2, 3));
    assert_eq!((counters.sessions_lost, counters.sessions_left), (0, 1));
    assert_eq!(world.engine.figures().sessions(), 2);
    let off = world.apply(0, Change::Power(PowerAction::ForceOff));
    world.run_for(5 * SECOND);
    assert_eq!(off.try_take(), Some(Ok(())));
}

#[test]
fn another_machine_at_the_address_is_told_as_another_one_once_and_gets_no_command_of_the_one_before()
 {
    let mut world = world(2);
    let told = observed(&world);
    world.hosts[2].machine.add_event();
    world.set_host(1, Some(2));
    let waiting = world.apply(1, Change::Power(PowerAction::ForceOff));
    // Log-in, and the question who it is; the contact is still to come.
    while world.hosts[2].bmc.session_count() == 0 {
        world.run_for(SECOND / 1_000);
    }
    assert_eq!(*told.replaced.lock().unwrap(), [""; 0]);
    let late = world.apply(1, Change::Power(PowerAction::ForceOff));
    world.run_for(10 * SECOND);
    for outcome in [waiting, late] {
        let outcome = outcome.try_take();
        assert!(
            matches!(
                outcome,
                Some(Err(
                    ApplyError::Unreachable { .. } | ApplyError::Unconfirmed { .. }
                ))
            ),
            "{outcome:?}"
        );
    }
    assert_eq!(world.hosts[2].machine.controls, []);
    let node = world.node(1);
    assert_eq!((node.link.clone(), node.power), (Link::Up, Power::On));
    assert_eq!(node.inventory.product().serial_number, Some("SN-00002"));
    assert_eq!(node.log.entries.len(), 4);
    assert_eq!(*told.replaced.lock().unwrap(), ["n1"]);
    assert_eq!(*told.entries.lock().unwrap(), 0, "its history is no news");
    let off = world.apply(1, Change::Power(PowerAction::ForceOff));
    world.hosts[2].bmc.reset();
    world.run_for(20 * SECOND);
    assert_eq!(*told.replaced.lock().unwrap(), ["n1"], "told once");
    drop(off);
}

/// What a BMC says that can't say who it is just now.
const NOT_NOW: [CompletionCode; 4] = [
    CompletionCode::NODE_BUSY,
    CompletionCode::BMC_INITIALIZING,
    CompletionCode::NOT_SUPPORTED_IN_STATE,
    CompletionCode::UNSPECIFIED,
];

/// Two nodes whose BMCs have GUIDs of their own, and a third machine.
fn world_with_guids(seed: u64) -> World {
    let mut world = World::new(Setup {
        present: Some(2),
        ..Setup::new(3, seed, Quality::PERFECT)
    });
    for (number, host) in (1..).zip(&mut world.hosts) {
        host.machine.guid = Some(Guid([number; 16]));
    }
    world.run_for(5 * SECOND);
    world
}

#[test]
fn a_bmc_that_does_not_say_who_it_is_gets_no_command_that_may_be_meant_for_another() {
    for code in NOT_NOW {
        let mut world = world_with_guids(5);
        world.hosts[2].machine.guid_refused = Some(code);
        world.set_host(1, Some(2));
        let outcome = world.apply(1, Change::Power(PowerAction::ForceOff));
        while world.hosts[2].bmc.session_count() == 0 {
            world.run_for(SECOND / 10);
        }
        let late = world.apply(1, Change::Power(PowerAction::ForceOff));
        world.run_for(15 * SECOND);
        assert_eq!(world.hosts[2].machine.controls, [], "{code:?}");
        let first = outcome.try_take();
        assert!(matches!(first, Some(Err(_))), "{first:?}");
        let Some(Err(ApplyError::Unreachable { reason })) = late.try_take() else {
            panic!("{code:?}: it was carried out");
        };
        assert!(reason.contains("still the same machine"), "{reason}");
        // It says so in the end, and what is wished of it from then on is done.
        world.hosts[2].machine.guid_refused = None;
        world.run_for(60 * SECOND);
        assert_eq!(world.hosts[2].machine.controls, [], "{code:?}");
        let off = world.apply(1, Change::Power(PowerAction::ForceOff));
        world.run_for(3 * SECOND);
        assert_eq!(off.try_take(), Some(Ok(())), "{code:?}");
    }
}

#[test]
fn a_command_waits_for_a_bmc_that_restarts_and_says_a_moment_later_who_it_is() {
    for code in NOT_NOW {
        let mut world = world_with_guids(6);
        world.hosts[0].bmc.reset();
        world.hosts[0].machine.guid_refused = Some(code);
        while world.engine.counters().sessions_opened < 3 {
            world.run_for(SECOND / 10);
        }
        let off = world.apply(0, Change::Power(PowerAction::ForceOff));
        world.run_for(4 * SECOND);
        assert_eq!(off.try_take(), None, "{code:?}");
        world.hosts[0].machine.guid_refused = None;
        world.run_for(3 * SECOND);
        assert_eq!(off.try_take(), Some(Ok(())), "{code:?}");
    }
}

/// By what the BMCs of a world show whose they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    Mac,
    Serial,
    Both,
}

/// Two nodes whose BMCs have another GUID in each answer, and a third machine.
fn world_without_guids_that_hold(seed: u64, shows: Shows) -> World {
    let mut world = World::new(Setup {
        present: Some(2),
        memory: Some(Arc::new(Memory::volatile())),
        ..Setup::new(3, seed, Quality::PERFECT)
    });
    for (number, host) in (1..).zip(&mut world.hosts) {
        let machine = &mut host.machine;
        machine.guid = Some(Guid([number; 16]));
        machine.guids_told = Some(0);
        machine.mac = (shows != Shows::Serial).then_some([2, 0, 0, 0, 0, number]);
        machine.is_plain = shows == Shows::Mac;
        machine.add_event();
    }
    world.run_for(5 * SECOND);
    let deviations = &world.node(1).identity.deviations;
    assert_eq!(**deviations, ["guid-unsteady".into()]);
    world
}

/// Whether a command was told as failed.
fn has_failed(outcome: &Outcome) -> bool {
    matches!(
        outcome.try_take(),
        Some(Err(
            ApplyError::Unreachable { .. } | ApplyError::Unconfirmed { .. }
        ))
    )
}

/// Machine 2 answers in place of n1: commands that wait don't reach it, and it is told as another once.
fn is_told_as_another(mut world: World, shown: &dyn std::fmt::Debug) {
    let told = observed(&world);
    world.hosts[2].machine.add_event();
    world.set_host(1, Some(2));
    let waiting = world.apply(1, Change::Power(PowerAction::ForceOff));
    while world.hosts[2].bmc.session_count() == 0 {
        world.run_for(SECOND / 1_000);
    }
    let late = world.apply(1, Change::Power(PowerAction::ForceOff));
    world.run_for(20 * SECOND);
    assert_eq!(world.hosts[2].machine.controls, [], "{shown:?}");
    assert!(has_failed(&waiting) && has_failed(&late), "{shown:?}");
    assert_eq!(*told.replaced.lock().unwrap(), ["n1"], "{shown:?}");
    assert_eq!(*told.entries.lock().unwrap(), 0, "its history is no news");
    let node = world.node(1);
    assert_eq!((node.link.clone(), node.power), (Link::Up, Power::On));
    assert_eq!(node.log.entries.len(), 2, "{shown:?}");
    // What is meant for it reaches it, also in its next session.
    world.hosts[2].bmc.reset();
    world.run_for(30 * SECOND);
    let off = world.apply(1, Change::Power(PowerAction::ForceOff));
    world.run_for(3 * SECOND);
    assert_eq!(off.try_take(), Some(Ok(())), "{shown:?}");
    assert_eq!(*told.replaced.lock().unwrap(), ["n1"], "told once");
}

#[test]
fn another_machine_in_place_of_one_whose_guid_does_not_hold_is_told_by_mac_address_or_serial_number()
 {
    for shows in [Shows::Mac, Shows::Serial, Shows::Both] {
        for holds in [false, true] {
            let mut world = world_without_guids_that_hold(7, shows);
            world.hosts[2].machine.guids_told = (!holds).then_some(0);
            is_told_as_another(world, &(shows, holds));
        }
        // It is another one while nobody looks, too.
        let mut world = world_without_guids_that_hold(8, shows);
        world.kill_and_restart();
        is_told_as_another(world, &(shows, "recalled"));
        // And where the GUID of the one before held.
        let mut world = world_with_guids(9);
        world.hosts[1].machine.add_event();
        let machine = &mut world.hosts[2].machine;
        machine.guids_told = Some(0);
        machine.add_event();
        world.run_for(5 * SECOND);
        is_told_as_another(world, &(shows, "held before"));
    }
}

#[test]
fn a_bmc_whose_guid_does_not_hold_gets_its_commands_when_it_has_restarted_and_shows_who_it_is() {
    for shows in [Shows::Mac, Shows::Serial, Shows::Both] {
        let mut world = world_without_guids_that_hold(10, shows);
        let (before, told) = (world.node(1), observed(&world));
        for _ in 0..3 {
            let opened = world.engine.counters().sessions_opened;
            world.hosts[1].bmc.reset();
            while world.engine.counters().sessions_opened == opened {
                world.run_for(SECOND / 10);
            }
            let off = world.apply(1, Change::Power(PowerAction::ForceOff));
            world.run_for(5 * SECOND);
            assert_eq!(off.try_take(), Some(Ok(())), "{shows:?}");
        }
        world.kill_and_restart();
        world.run_for(5 * SECOND);
        let off = world.apply(1, Change::Power(PowerAction::ForceOff));
        world.run_for(5 * SECOND);
        assert_eq!(off.try_take(), Some(Ok(())), "{shows:?}");
        assert_eq!(*told.replaced.lock().unwrap(), [""; 0], "{shows:?}");
        assert_eq!(world.node(1).log.entries.len(), before.log.entries.len());
        assert_eq!(world.engine.counters().contacts, 0, "{shows:?}");
    }
}

#[test]
fn a_bmc_whose_guid_does_not_hold_and_that_shows_nothing_else_gets_no_command() {
    for code in NOT_NOW {
        let mut world = world_without_guids_that_hold(11, Shows::Mac);
        let told = observed(&world);
        world.hosts[2].machine.mac_refused = Some(code);
        world.set_host(1, Some(2));
        let waiting = world.apply(1, Change::Power(PowerAction::ForceOff));
        while world.hosts[2].bmc.session_count() == 0 {
            world.run_for(SECOND / 10);
        }
        let late = world.apply(1, Change::Power(PowerAction::ForceOff));
        world.run_for(15 * SECOND);
        assert_eq!(world.hosts[2].machine.controls, [], "{code:?}");
        assert!(has_failed(&waiting), "{code:?}");
        let Some(Err(ApplyError::Unreachable { reason })) = late.try_take() else {
            panic!("{code:?}: it was carried out");
        };
        assert!(reason.contains("still the same machine"), "{reason}");
        // Asked again, and known for another one when it says so.
        world.hosts[2].machine.mac_refused = None;
        world.run_for(60 * SECOND);
        assert_eq!(*told.replaced.lock().unwrap(), ["n1"], "{code:?}");
        assert_eq!(world.hosts[2].machine.controls, [], "{code:?}");
    }
    // One that never says so is taken for another in the end.
    let mut world = world_without_guids_that_hold(12, Shows::Mac);
    let told = observed(&world);
    world.hosts[2].machine.mac = None;
    world.set_host(1, Some(2));
    world.run_for(120 * SECOND);
    let off = world.apply(1, Change::Power(PowerAction::ForceOff));
    world.run_for(15 * SECOND);
    assert!(has_failed(&off) && world.hosts[2].machine.controls.is_empty());
    assert_eq!(*told.replaced.lock().unwrap(), [""; 0]);
    world.run_for(3_600 * SECOND);
    assert_eq!(*told.replaced.lock().unwrap(), ["n1"]);
    assert_eq!(world.node(1).link, Link::Up);
}

#[test]
fn a_bmc_whose_records_can_not_all_be_had_is_no_other_one_the_first_time_that_it_does_not_show_who_it_is()
 {
    for code in NOT_NOW {
        let mut world = world_without_guids_that_hold(13, Shows::Mac);
        let machine = &mut world.hosts[1].machine;
        machine.record_refused = Some((3, CompletionCode::TIMEOUT));
        machine.records_changed += 1;
        // It is asked for them again and again.
        world.run_for(7_200 * SECOND);
        assert_eq!(world.node(1).link, Link::Up, "{code:?}");
        let told = observed(&world);
        world.hosts[1].machine.mac_refused = Some(code);
        world.hosts[1].bmc.reset();
        world.run_for(20 * SECOND);
        world.hosts[1].machine.mac_refused = None;
        world.run_for(60 * SECOND);
        assert_eq!(*told.replaced.lock().unwrap(), [""; 0], "{code:?}");
        let off = world.apply(1, Change::Power(PowerAction::ForceOff));
        world.run_for(3 * SECOND);
        assert_eq!(off.try_take(), Some(Ok(())), "{code:?}");
    }
}

#[test]
fn one_whose_address_another_node_has_is_silent_until_it_is_free() {
    let mut world = world(3);
    world.set_address(0, 1);
    world.run_for(3 * SECOND);
    let Link::Down { reason, .. } = world.node(0).link.clone() else {
        panic!("{:?}", world.node(0).link)
    };
    assert!(reason.contains("same address"), "{reason}");
    assert_eq!(world.node(1).link, Link::Up);
    // They have exchanged their addresses.
    world.set_host(0, Some(1));
    world.set_host(1, Some(0));
    world.set_address(1, 0);
    world.set_address(0, 1);
    world.run_for(5 * SECOND);
    for node in [0, 1] {
        assert_eq!(world.node(node).link, Link::Up);
        check_readings(&world, node, 2 * SECOND);
    }
    // One that is removed while it has no address takes nothing from the one that has it.
    world.set_address(0, 0);
    world.change(&[0], &[]);
    world.run_for(5 * SECOND);
    assert!(world.age(1) < 2 * SECOND);
}

#[test]
fn another_interval_or_other_quirks_disturb_neither_session_nor_readings_nor_log() {
    let mut world = world(4);
    let (before, told) = (world.node(0), observed(&world));
    let node = |world: &World| world.node(0);
    let quirks = Quirks::NONE.with(Quirk::FruChecksumsWrong);
    let treat = |world: &mut World, interval_ms: u32, quirks: Quirks| {
        let treatment = Treatment {
            poll_interval_ms: Some(interval_ms),
            quirks,
            ..Treatment::default()
        };
        world.engine.set_treatment(world.now, 0, &treatment);
    };
    treat(&mut world, 4_000, Quirks::NONE);
    world.run_for(5 * SECOND);
    let rounds = world.engine.counters().rounds;
    world.run_for(40 * SECOND);
    let rounds = world.engine.counters().rounds - rounds;
    assert!((49..=51).contains(&rounds), "{rounds}: 10 and 40");
    treat(&mut world, 1_000, quirks);
    world.run_for(5 * SECOND);
    assert!(world.age(0) < 2 * SECOND);
    assert_eq!(node(&world).link, Link::Up);
    assert_eq!(
        *node(&world).identity.deviations,
        [Quirk::FruChecksumsWrong.name().into()]
    );
    treat(&mut world, 1_000, Quirks::NONE);
    world.run_for(5 * SECOND);
    assert!(node(&world).identity.deviations.is_empty());
    assert_eq!(node(&world).log.entries.len(), before.log.entries.len());
    assert_eq!(*told.pending.lock().unwrap(), 0);
    assert_eq!(*told.entries.lock().unwrap(), 0);
    let counters = world.engine.counters();
    assert_eq!((counters.sessions_opened, counters.sessions_lost), (2, 0));
    assert_eq!(counters.contacts, 4, "records are read again");
}
