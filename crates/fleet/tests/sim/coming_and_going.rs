//! BMCs are added to a running engine and removed from it, and nobody else notices.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hardware::{ApplyError, Change, Link, Observer, PowerAction, Update};
use vbmc::net::Quality;

use crate::support::{Setup, World};

const SECOND: Duration = Duration::from_secs(1);

/// What observers are told of nodes that come, go or change, but for their readings.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Observer for Told {
    fn updated(&self, update: &Update) {
        let text = match update {
            Update::Changed { after, .. } => format!("changed {}", after.id),
            Update::Removed(last) => format!("removed {}", last.id),
            other => panic!("{other:?}"),
        };
        self.0.lock().unwrap().push(text);
    }
}

fn observed(world: &World) -> Arc<Told> {
    let told = Arc::new(Told::default());
    world.shared.observe(Arc::clone(&told) as Arc<dyn Observer>);
    told
}

#[test]
fn a_removed_bmc_is_logged_out_at_once_is_never_heard_of_again_and_disturbs_nobody() {
    let mut world = World::new(Setup::new(30, 1, Quality::PERFECT));
    world.run_for(5 * SECOND);
    let told = observed(&world);
    let waiting = world.apply(7, Change::Power(PowerAction::On));
    world.change(&[7, 8], &[]);
    assert!(world.shared.node("n7").is_none());
    let outcome = waiting.try_take();
    assert!(
        matches!(
            outcome,
            Some(Err(
                ApplyError::Unconfirmed { .. } | ApplyError::Unreachable { .. }
            ))
        ),
        "{outcome:?}"
    );
    world.run_for(SECOND);
    for host in [7, 8] {
        assert_eq!(world.hosts[host].bmc.session_count(), 0, "logged out");
    }
    let heard = world.hosts[7].heard;
    world.run_for(60 * SECOND);
    assert_eq!(world.hosts[7].heard, heard, "silence after");
    let told = told.0.lock().unwrap();
    let last = told.iter().rposition(|text| text.ends_with(" n7")).unwrap();
    assert_eq!(told[last], "removed n7", "the last that is told of it");
    assert_eq!(told.iter().filter(|text| *text == "removed n7").count(), 1);
    let counters = *world.engine.counters();
    assert_eq!((counters.sessions_lost, counters.rounds_skipped), (0, 0));
    for node in (0..30).filter(|node| ![7, 8].contains(node)) {
        assert!(
            world.age(node) <= SECOND + Duration::from_millis(100),
            "n{node}"
        );
    }
}

#[test]
fn bmcs_that_are_added_are_read_soon_and_take_the_slots_of_those_that_went() {
    let mut world = World::new(Setup {
        present: Some(20),
        ..Setup::new(60, 2, Quality::PERFECT)
    });
    world.run_for(5 * SECOND);
    for first in [20, 25, 30, 35] {
        let going: Vec<u32> = (first - 20..first - 15).collect();
        let coming: Vec<u32> = (first..first + 5).collect();
        world.change(&going, &coming);
        world.run_for(4 * SECOND);
        for node in coming {
            assert_eq!(world.node(node).link, Link::Up, "n{node}");
            let serial = format!("SN-{node:05}");
            let product = world.node(node);
            let product = product.inventory.product();
            assert_eq!(product.serial_number, Some(&*serial));
        }
    }
    let open: usize = world
        .hosts
        .iter()
        .map(|host| host.bmc.session_count())
        .sum();
    assert_eq!(open, 20);
    assert!(world.engine.slots() <= 25, "{}", world.engine.slots());
}

#[test]
fn a_bmc_that_is_removed_and_added_again_is_back_although_it_has_room_for_one_session() {
    let mut world = World::new(Setup::new(3, 3, Quality::PERFECT));
    world.run_for(5 * SECOND);
    world.change(&[1], &[1]);
    assert_eq!(world.node(1).link, Link::Connecting);
    world.run_for(4 * SECOND);
    assert_eq!(world.node(1).link, Link::Up);
    assert_eq!(world.hosts[1].bmc.session_count(), 1);
}

#[test]
fn a_silent_bmc_can_be_removed_and_its_slot_is_free_when_its_session_is_given_up() {
    let mut world = World::new(Setup {
        present: Some(10),
        ..Setup::new(11, 4, Quality::PERFECT)
    });
    world.run_for(5 * SECOND);
    world.hosts[3].mute = true;
    world.change(&[3], &[]);
    world.run_for(60 * SECOND);
    let heard = world.hosts[3].heard;
    world.change(&[], &[10]);
    world.run_for(5 * SECOND);
    assert_eq!(world.engine.slots(), 10, "its slot was taken again");
    assert_eq!(world.node(10).link, Link::Up);
    assert_eq!(world.hosts[3].heard, heard);
}

#[test]
fn thousands_that_wait_for_a_place_can_be_removed_and_others_get_the_places() {
    const NODES: u32 = 3_000;
    let mut world = World::new(Setup {
        present: Some(NODES - 50),
        ..Setup::new(NODES, 5, Quality::PERFECT)
    });
    // In the middle of the log-ins.
    world.run_for(Duration::from_millis(150));
    let going: Vec<u32> = (0..NODES - 50).collect();
    let coming: Vec<u32> = (NODES - 50..NODES).collect();
    world.change(&going, &coming);
    world.run_for(30 * SECOND);
    for node in coming {
        assert_eq!(world.node(node).link, Link::Up, "n{node}");
        assert!(world.age(node) <= 2 * SECOND, "n{node}");
    }
    let figures = world.engine.figures();
    assert_eq!(figures.sessions(), 50);
    for places in [figures.connects, figures.contacts, figures.rounds] {
        assert_eq!((places.taken, places.waiting), (0, 0), "{figures:?}");
    }
}

#[test]
fn a_command_for_a_machine_that_is_gone_does_not_reach_the_one_that_has_its_place() {
    let mut world = World::new(Setup {
        present: Some(2),
        ..Setup::new(3, 6, Quality::PERFECT)
    });
    world.run_for(3 * SECOND);
    // The place was looked up, and then the list of machines was changed.
    world.change(&[1], &[2]);
    world.run_for(5 * SECOND);
    assert_eq!(world.node(2).link, Link::Up);
    let late = world.apply_at(1, 1, Change::Power(PowerAction::ForceOff));
    world.run_for(5 * SECOND);
    assert_eq!(late.try_take(), Some(Err(ApplyError::Absent)));
    assert_eq!(world.hosts[2].machine.controls, []);
    let meant = world.apply_at(1, 2, Change::Power(PowerAction::ForceOff));
    world.run_for(5 * SECOND);
    assert_eq!(meant.try_take(), Some(Ok(())));
}
