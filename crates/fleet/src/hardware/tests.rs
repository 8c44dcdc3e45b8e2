//! What becomes of a fleet whose threads fail.

use std::net::SocketAddr;
use std::thread::{self, Thread};
use std::time::Duration;

use ::hardware::{Availability, Power, PowerAction};
use ipmi::bmc::{self, User};
use ipmi::command::app::Guid;
use ipmi::number::PrivilegeLevel;
use vbmc::bmcs::Bmcs;
use vbmc::serve::{Clock, Server};
use vbmc::site::{Site, SiteOptions};

use super::*;

fn serve(nodes: u32) -> Server {
    let clock = Clock::start();
    let options = SiteOptions {
        nodes,
        seed: 1,
        epoch_s: clock.epoch_s(),
    };
    let admin = User::new("admin", b"right", PrivilegeLevel::ADMINISTRATOR).unwrap();
    let access = bmc::Config::new(vec![admin], Guid::default());
    let bmcs = Bmcs::new(Arc::new(Site::new(options).unwrap()), &access);
    Server::start(Arc::new(bmcs), clock, 0).unwrap()
}

fn fleet(server: &Server, nodes: u32) -> Fleet {
    let login = Arc::new(Login::new("admin", b"right").unwrap());
    let target = |index: u32| {
        let id = NodeId::new(&format!("n{index}")).unwrap();
        let address = SocketAddr::new(server.bmcs().site().address(index).into(), server.port());
        Target::new(id, Some(address), &login)
    };
    Fleet::start(&Config::new((0..nodes).map(target).collect())).unwrap()
}

/// Wakes a thread at every update.
struct Waking(Thread);

impl Observer for Waking {
    fn updated(&self, _: &Update) {
        self.0.unpark();
    }
}

fn until(fleet: &Fleet, holds: impl Fn() -> bool) {
    fleet.observe(Arc::new(Waking(thread::current())));
    while !holds() {
        // Not every state is told by an update.
        thread::park_timeout(Duration::from_millis(20));
    }
}

/// Has the thread fail that asks a node's BMC, while it deals with that.
fn fail(fleet: &Fleet, node: &str) {
    let place = fleet.shared.board.place(node).unwrap();
    fleet.crew().order(place, Order::Fail(place));
}

fn is_read_since(fleet: &Fleet, node: &str, read_at_ms: u64) -> bool {
    let node = fleet.node(node).unwrap();
    node.link == Link::Up && node.read_at_ms > read_at_ms
}

fn reason_down(fleet: &Fleet, node: &str) -> String {
    match &fleet.node(node).unwrap().link {
        Link::Down { reason, .. } => reason.to_string(),
        link => panic!("{node}: {link:?}"),
    }
}

#[test]
fn a_thread_that_fails_begins_anew_with_all_its_bmcs_but_the_one_that_it_failed_on() {
    const NODES: u32 = 5;
    let server = serve(NODES);
    let fleet = fleet(&server, NODES);
    let ids: Vec<String> = (0..NODES).map(|n| format!("n{n}")).collect();
    until(&fleet, || ids.iter().all(|id| is_read_since(&fleet, id, 0)));
    let (before, counted) = (fleet.node("n1").unwrap(), fleet.counters());
    fail(&fleet, "n3");
    until(&fleet, || fleet.counters().restarts == 1);
    let at = before.read_at_ms;
    let others: Vec<_> = ids.iter().filter(|id| **id != "n3").collect();
    until(&fleet, || {
        others.iter().all(|id| is_read_since(&fleet, id, at))
    });
    let after = fleet.node("n1").unwrap();
    assert!(after.revision > before.revision);
    let now = fleet.counters();
    assert!(now.readings > counted.readings && now.sessions_opened > counted.sessions_opened);
    assert_eq!(now.contacts, counted.contacts, "they are known");
    assert!(reason_down(&fleet, "n3").contains("leaves it alone"));
    let culprit = fleet.node("n3").unwrap();
    let available = |availability| availability == Availability::Available;
    assert!(!culprit.readings.iter().any(|r| available(r.availability)));
    let figures = fleet.figures();
    assert_eq!((figures.nodes_up, figures.nodes_down), (4, 1));
    assert!(!fleet.has_failed());
    // Commands and changes find their BMCs where they are now.
    let off = fleet.apply(&after.id, Change::Power(PowerAction::ForceOff));
    until(&fleet, || fleet.node("n1").unwrap().power == Power::Off);
    drop(off);
    let changes = Changes {
        remove: vec![after.id.clone(), culprit.id.clone()],
        ..Changes::default()
    };
    fleet.change(changes).unwrap();
    until(&fleet, || fleet.counters().sessions_closed > 0);
    fleet.close();
}

#[test]
fn a_thread_that_fails_again_and_again_ends_and_its_nodes_are_shown_as_down() {
    let server = serve(7);
    let fleet = fleet(&server, 7);
    until(&fleet, || is_read_since(&fleet, "n6", 0));
    for failure in 0..5 {
        fail(&fleet, &format!("n{failure}"));
        until(&fleet, || fleet.counters().restarts == failure + 1);
        assert!(!fleet.has_failed());
    }
    for failed in 0..5 {
        let reason = reason_down(&fleet, &format!("n{failed}"));
        assert!(reason.contains("leaves it alone"), "{failed}: {reason}");
    }
    fail(&fleet, "n5");
    until(&fleet, || fleet.has_failed());
    for id in &*fleet.node_ids() {
        assert!(reason_down(&fleet, id.as_str()).contains("started anew"));
    }
    assert!(fleet.figures().shards[0].has_failed);
    fleet.close();
    assert!(!fleet.has_failed(), "it was closed");
}
