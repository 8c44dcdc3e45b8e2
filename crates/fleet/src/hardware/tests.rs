//! What becomes of a fleet whose threads fail.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{self, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Duration;

use ::hardware::{ApplyError, Availability, Power, PowerAction};
use ipmi::bmc::{self, User};
use ipmi::command::app::Guid;
use ipmi::number::PrivilegeLevel;
use vbmc::bmcs::Bmcs;
use vbmc::serve::{Clock, Server};
use vbmc::site::{Site, SiteOptions};

use super::*;
use crate::engine::Coming;

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

/// Fails on the thread that asks a node's BMC when it hears of it, so often; where it is reached over IPv6, if that is said.
struct Fails {
    node: &'static str,
    times: AtomicU32,
    over_ipv6: bool,
}

fn fails(node: &'static str, over_ipv6: bool) -> Arc<dyn Observer> {
    Arc::new(Fails {
        node,
        times: AtomicU32::new(1),
        over_ipv6,
    })
}

impl Observer for Fails {
    fn updated(&self, update: &Update) {
        let Update::Changed { after, .. } = update else {
            return;
        };
        let is_ipv6 = after.address.is_some_and(|address| address.is_ipv6());
        if after.id.as_str() == self.node && (is_ipv6 || !self.over_ipv6) {
            let less = |left: u32| left.checked_sub(1);
            let times = &self.times;
            let left = times.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
            assert!(left.is_err(), "it failed on purpose");
        }
    }
}

#[test]
fn a_thread_that_fails_again_while_it_begins_anew_or_takes_bmcs_up_loses_none_of_them() {
    const NODES: u32 = 5;
    let server = serve(NODES + 1);
    let fleet = fleet(&server, NODES);
    let ids: Vec<String> = (0..NODES).map(|n| format!("n{n}")).collect();
    until(&fleet, || ids.iter().all(|id| is_read_since(&fleet, id, 0)));
    let at = fleet.node("n4").unwrap().read_at_ms;
    // It fails on n0, and then on n2 when the next engine takes that up.
    fleet.observe(fails("n2", false));
    fail(&fleet, "n0");
    until(&fleet, || fleet.counters().restarts == 2);
    let rest = ["n1", "n3", "n4"];
    until(&fleet, || {
        rest.iter().all(|id| is_read_since(&fleet, id, at))
    });
    for culprit in ["n0", "n2"] {
        assert!(reason_down(&fleet, culprit).contains("leaves it alone"));
    }
    // Of two BMCs that come, the first has an address that another one has, which is told.
    let login = Arc::new(Login::new("admin", b"right").unwrap());
    let target = |name: &str, index: u32| {
        let address = SocketAddr::new(server.bmcs().site().address(index).into(), server.port());
        Target::new(NodeId::new(name).unwrap(), Some(address), &login)
    };
    let targets = [target("x1", 1), target("x5", 5)];
    let moves = fleet.shared.change(&[], &targets);
    let coming = moves.entered.iter().copied().zip(targets);
    let coming = coming.map(Coming::from).collect();
    fleet.observe(fails("x1", false));
    let place = fleet.shared.board.place("n1").unwrap();
    fleet.crew().order(place, Order::Add(coming));
    until(&fleet, || fleet.counters().restarts == 3);
    until(&fleet, || is_read_since(&fleet, "x5", 0));
    assert!(reason_down(&fleet, "x1").contains("same address"));
    assert!(!fleet.has_failed());
    fleet.close();
}

#[test]
fn a_bmc_on_which_a_thread_fails_when_it_hands_it_over_is_left_alone_where_it_goes() {
    let server = serve(2);
    let fleet = fleet(&server, 2);
    until(&fleet, || is_read_since(&fleet, "n1", 0));
    let id = NodeId::new("n0").unwrap();
    fleet.observe(fails("n0", true));
    fleet.set_address(&id, Ok("[::1]:9".parse().unwrap()));
    until(&fleet, || fleet.counters().restarts == 1);
    until(&fleet, || {
        matches!(fleet.node("n0").unwrap().link, Link::Down { .. })
    });
    assert!(reason_down(&fleet, "n0").contains("leaves it alone"));
    // Its new shard doesn't wait for it for ever.
    let off = fleet.apply(&id, Change::Power(PowerAction::ForceOff));
    let told = wait_for(off);
    let Err(ApplyError::Unreachable { reason }) = &told else {
        panic!("{told:?}")
    };
    assert!(reason.contains("leaves it alone"), "{reason}");
    assert!(!fleet.has_failed());
    fleet.close();
}

/// The outcome of a change.
fn wait_for(mut change: ApplyFuture) -> Result<(), ApplyError> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    loop {
        if let Poll::Ready(told) = change.as_mut().poll(&mut task::Context::from_waker(&waker)) {
            return told;
        }
        thread::park();
    }
}

#[test]
fn commands_under_way_when_a_thread_fails_are_told_that_it_did() {
    let server = serve(2);
    let fleet = fleet(&server, 2);
    until(&fleet, || {
        is_read_since(&fleet, "n1", 0) && is_read_since(&fleet, "n0", 0)
    });
    let ids = ["n0", "n1"].map(|id| NodeId::new(id).unwrap());
    // Two for each: the second waits for the first. All of it is taken in one turn, before anything is answered.
    let mut crew = fleet.crew();
    let mut told = Vec::new();
    for id in ids.iter().chain(&ids) {
        let place = fleet.shared.board.place(id.as_str()).unwrap();
        let (sender, outcome) = outcome();
        told.push(outcome);
        let job = Job {
            node: id.clone(),
            change: Change::Power(PowerAction::ForceOff),
            outcome: sender,
        };
        crew.order(place, Order::Job(place, job));
    }
    let place = fleet.shared.board.place("n0").unwrap();
    crew.order(place, Order::Fail(place));
    drop(crew);
    for outcome in told {
        match wait_for(Box::pin(outcome)) {
            // It was quicker.
            Ok(()) => {}
            Err(error) => assert!(error.to_string().contains("service failed"), "{error}"),
        }
    }
    fleet.close();
}
