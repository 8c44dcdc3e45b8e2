//! A fleet and virtual BMCs over real sockets on loopback.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code, helpers too")]

use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use fleet::{Changes, Config, Fleet, Target, Treatment};
use hardware::{
    ApplyError, ApplyFuture, Availability, Change, Hardware, Labels, Link, NodeId, Observer, Power,
    PowerAction, Update,
};
use ipmi::bmc::{self, User};
use ipmi::command::app::Guid;
use ipmi::console::Login;
use ipmi::number::PrivilegeLevel;
use vbmc::bmcs::Bmcs;
use vbmc::serve::{Clock, Server};
use vbmc::site::{Site, SiteOptions};

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

fn targets(server: &Server, nodes: u32) -> Vec<Target> {
    let login = Arc::new(Login::new("admin", b"right").unwrap());
    (0..nodes)
        .map(|index| {
            let id = NodeId::new(&format!("n{index}")).unwrap();
            let address = server.bmcs().site().address(index).into();
            Target::new(id, Some(SocketAddr::new(address, server.port())), &login)
        })
        .collect()
}

/// Wakes a thread at every update.
struct Waking(Thread);

impl Observer for Waking {
    fn updated(&self, _: &Update) {
        self.0.unpark();
    }
}

impl Wake for Waking {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits until something holds, looking after every update of the fleet. What never comes ends with the test runner's
/// patience.
fn until(fleet: &Fleet, holds: impl Fn() -> bool) {
    fleet.observe(Arc::new(Waking(thread::current())));
    while !holds() {
        thread::park();
    }
}

fn outcome(future: ApplyFuture) -> Result<(), ApplyError> {
    let waker = Waker::from(Arc::new(Waking(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return outcome;
        }
        thread::park();
    }
}

struct Unmoved;

impl Observer for Unmoved {
    fn updated(&self, update: &Update) {
        let Update::Changed { before, after } = update else {
            panic!("{update:?}")
        };
        assert!(before.id == after.id && before.revision < after.revision);
    }
}

#[test]
fn a_fleet_reads_virtual_machines_switches_one_and_leaves_no_session_behind() {
    const NODES: u32 = 24;
    let server = serve(NODES);
    let config = Config {
        shards: 2,
        ..Config::new(targets(&server, NODES))
    };
    let fleet = Fleet::start(&config).unwrap();
    fleet.observe(Arc::new(Unmoved));
    let ids = fleet.node_ids();
    assert_eq!(
        (ids[1].as_str(), ids[2].as_str(), ids[10].as_str()),
        ("n1", "n2", "n10")
    );
    until(&fleet, || {
        ids.iter().all(|id| {
            let node = fleet.node(id.as_str()).unwrap();
            node.link == Link::Up && node.revision > 3 && node.read_at_ms > 0
        })
    });
    let node = fleet.node("n7").unwrap();
    assert!(
        node.inventory.sensors.len() >= 20,
        "{} sensors",
        node.inventory.sensors.len()
    );
    for (sensor, reading) in node.inventory.sensors.iter().zip(node.readings.iter()) {
        assert!(
            matches!(
                reading.availability,
                Availability::Available | Availability::Unavailable
            ),
            "{}: {reading:?}",
            sensor.name
        );
    }
    assert_eq!(node.power, Power::On);
    assert!(
        node.inventory.product().serial_number.is_some(),
        "{:?}",
        node.inventory.product()
    );
    assert_ne!(node.identity.uuid, fleet.node("n8").unwrap().identity.uuid);

    let off = Change::Power(PowerAction::ForceOff);
    assert_eq!(outcome(fleet.apply(&node.id, off.clone())), Ok(()));
    assert_eq!(
        fleet.node("n7").unwrap().power,
        Power::Off,
        "shown when told"
    );
    assert_eq!(fleet.node("n8").unwrap().power, Power::On);
    let nobody = NodeId::new("nobody").unwrap();
    assert_eq!(outcome(fleet.apply(&nobody, off)), Err(ApplyError::Absent));

    assert_eq!(server.bmcs().session_count(), NODES as usize);
    let counters = fleet.counters();
    assert_eq!(
        (counters.sessions_lost, counters.contacts),
        (0, u64::from(NODES))
    );
    drop(fleet);
    assert_eq!(server.bmcs().session_count(), 0);
}

#[test]
fn a_bmc_whose_address_comes_later_says_why_it_is_down_and_is_polled_from_then_on() {
    let server = serve(3);
    let mut targets = targets(&server, 2);
    let address = targets[0].address.take().unwrap();
    let id = targets[0].id.clone();
    let fleet = Fleet::start(&Config::new(targets)).unwrap();
    fleet.set_address(&id, Err("no such name".to_owned()));
    until(
        &fleet,
        || matches!(&fleet.node("n0").unwrap().link, Link::Down { reason, .. } if **reason == *"no such name"),
    );
    let off = || outcome(fleet.apply(&id, Change::Power(PowerAction::ForceOff)));
    assert!(matches!(off(), Err(ApplyError::Unreachable { .. })));
    // The other node's address would make their answers the same.
    let taken = server.bmcs().site().address(1);
    fleet.set_address(&id, Ok(SocketAddr::new(taken.into(), server.port())));
    until(
        &fleet,
        || matches!(&fleet.node("n0").unwrap().link, Link::Down { reason, .. } if reason.contains("same address")),
    );
    let from = |place: u32| {
        let taken = server.bmcs().site().address(place);
        Ok(SocketAddr::new(taken.into(), server.port()))
    };
    // Where the other one goes, it is taken.
    fleet.set_address(&NodeId::new("n1").unwrap(), from(2));
    let at_taken = |node: &str| {
        let node = fleet.node(node).unwrap();
        node.link == Link::Up && node.address == Some(taken.into())
    };
    until(&fleet, || at_taken("n0"));
    // And where the other one comes back while it is there, and leaves afterwards.
    fleet.set_address(&NodeId::new("n1").unwrap(), from(1));
    until(
        &fleet,
        || matches!(&fleet.node("n1").unwrap().link, Link::Down { reason, .. } if reason.contains("same address")),
    );
    fleet.set_address(&id, Ok(address));
    until(&fleet, || at_taken("n1"));
    until(&fleet, || {
        let nodes = ["n0", "n1"].map(|id| fleet.node(id).unwrap());
        nodes
            .iter()
            .all(|node| node.link == Link::Up && node.read_at_ms > 0)
    });
    assert_eq!(off(), Ok(()));
    let figures = fleet.figures();
    assert_eq!(
        (figures.nodes, figures.nodes_up, figures.nodes_down),
        (2, 2, 0)
    );
}

/// Which names other machines got, and which machines came and went.
#[derive(Default)]
struct Comings(Mutex<Vec<String>>);

impl Observer for Comings {
    fn updated(&self, update: &Update) {
        let told = match update {
            Update::Replaced { before, after } => {
                assert_eq!(before.id, after.id);
                format!("replaced {}", after.id)
            }
            Update::Added(node) => format!("added {}", node.id),
            Update::Removed(node) => format!("removed {}", node.id),
            Update::Changed { .. } | Update::Topology | Update::LogNews => return,
        };
        self.0.lock().unwrap().push(told);
    }
}

#[test]
fn a_name_with_another_bmc_is_told_as_another_machine_and_one_polled_in_another_way_is_not() {
    let server = serve(2);
    let [first, second] = targets(&server, 2).try_into().unwrap();
    let fleet = Fleet::start(&Config::new(vec![first.clone()])).unwrap();
    let comings = Arc::new(Comings::default());
    fleet.observe(Arc::clone(&comings) as Arc<dyn Observer>);
    let taken_up_anew = |target: &Target| {
        let changes = Changes {
            remove: vec![first.id.clone()],
            add: vec![target.clone()],
            ..Changes::default()
        };
        fleet.change(changes).unwrap();
        std::mem::take(&mut *comings.0.lock().unwrap())
    };
    let slower = Target {
        treatment: Treatment {
            poll_interval_ms: Some(5000),
            ..Treatment::default()
        },
        ..first.clone()
    };
    assert_eq!(taken_up_anew(&slower), Vec::<String>::new());
    let elsewhere = Target {
        address: second.address,
        ..first.clone()
    };
    assert_eq!(taken_up_anew(&elsewhere), ["replaced n0"]);
    let not_known_yet = Target {
        address: None,
        ..first.clone()
    };
    assert_eq!(taken_up_anew(&not_known_yet), ["replaced n0"]);
    assert_eq!(taken_up_anew(&first), ["replaced n0"]);
}

/// Lets another thread go and gives it time, in the middle of a change.
struct Meanwhile(Mutex<Option<mpsc::Sender<()>>>);

impl Observer for Meanwhile {
    fn updated(&self, update: &Update) {
        if matches!(update, Update::Topology)
            && let Some(go) = self.0.lock().unwrap().take()
        {
            go.send(()).unwrap();
            // Nothing hangs on how long: it is what the other one needs to get into the way, where it can.
            thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn a_command_that_meets_a_change_never_reaches_the_machine_that_takes_the_place() {
    let server = serve(2);
    let [first, second] = targets(&server, 2).try_into().unwrap();
    let fleet = Arc::new(Fleet::start(&Config::new(vec![first.clone()])).unwrap());
    until(&fleet, || fleet.node("n0").unwrap().power == Power::On);
    let (go, gone) = mpsc::channel();
    let (other, id) = (Arc::clone(&fleet), first.id.clone());
    let applying = thread::spawn(move || {
        gone.recv().unwrap();
        outcome(other.apply(&id, Change::Power(PowerAction::ForceOff)))
    });
    fleet.observe(Arc::new(Meanwhile(Mutex::new(Some(go)))));
    let changes = Changes {
        remove: vec![first.id],
        add: vec![second],
        topology: Some(Arc::default()),
        ..Changes::default()
    };
    fleet.change(changes).unwrap();
    assert_eq!(applying.join().unwrap(), Err(ApplyError::Absent));
    until(&fleet, || fleet.node("n1").unwrap().power != Power::Unknown);
    assert_eq!(fleet.node("n1").unwrap().power, Power::On);
}

#[test]
fn an_address_that_is_free_again_is_taken_by_the_one_that_waits_for_it() {
    let server = serve(1);
    let [first] = targets(&server, 1).try_into().unwrap();
    let second = Target {
        id: NodeId::new("second").unwrap(),
        ..first.clone()
    };
    let fleet = Fleet::start(&Config::new(vec![first.clone()])).unwrap();
    let change = |remove: Vec<NodeId>, add: Vec<Target>| {
        let changes = Changes {
            remove,
            add,
            ..Changes::default()
        };
        fleet.change(changes).unwrap();
    };
    change(Vec::new(), vec![second]);
    let link = || fleet.node("second").unwrap().link.clone();
    assert!(matches!(link(), Link::Down { .. }));
    change(vec![first.id], Vec::new());
    until(&fleet, || link() == Link::Up);
}

#[test]
fn a_closed_fleet_shows_what_it_knew_does_nothing_more_and_leaves_its_file_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(2);
    let config = Config {
        memory: Some(folder.path().join("fleet.redb")),
        ..Config::new(targets(&server, 1))
    };
    let fleet = Fleet::start(&config).unwrap();
    until(&fleet, || fleet.node("n0").unwrap().link == Link::Up);
    fleet.close();
    assert_eq!(server.bmcs().session_count(), 0);
    fleet.close();
    assert_eq!(fleet.node("n0").unwrap().link, Link::Up);
    let id = NodeId::new("n0").unwrap();
    let off = outcome(fleet.apply(&id, Change::Power(PowerAction::ForceOff)));
    assert!(
        matches!(off, Err(ApplyError::Unreachable { .. })),
        "{off:?}"
    );
    let changes = Changes {
        add: targets(&server, 2),
        ..Changes::default()
    };
    assert!(fleet.change(changes).is_err());
    // Somebody still has the one before.
    let next = Fleet::start(&config).unwrap();
    assert!(!next.node("n0").unwrap().inventory.sensors.is_empty());
    drop((next, fleet));
}

/// Has the fleet for a moment at an update, and is the last one then that has it.
struct Last {
    fleet: Weak<Fleet>,
    /// Says that it has it.
    has: Mutex<mpsc::Sender<()>>,
    /// Hears that nobody else has.
    alone: Mutex<mpsc::Receiver<()>>,
}

impl Observer for Last {
    fn updated(&self, _: &Update) {
        if let Some(fleet) = self.fleet.upgrade()
            && self.has.lock().unwrap().send(()).is_ok()
        {
            let _ = self.alone.lock().unwrap().recv();
            drop(fleet);
        }
    }
}

/// Says at its end that the fleet let go of its observers.
struct AtEnd(mpsc::Sender<()>);

impl Observer for AtEnd {
    fn updated(&self, _: &Update) {}
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[test]
fn a_fleet_whose_last_owner_is_a_thread_of_its_own_ends() {
    let server = serve(1);
    let fleet = Arc::new(Fleet::start(&Config::new(targets(&server, 1))).unwrap());
    let ((has, had), (alone, is_alone)) = (mpsc::channel(), mpsc::channel());
    let (end, ended) = mpsc::channel();
    fleet.observe(Arc::new(AtEnd(end)));
    fleet.observe(Arc::new(Last {
        fleet: Arc::downgrade(&fleet),
        has: Mutex::new(has),
        alone: Mutex::new(is_alone),
    }));
    had.recv().unwrap();
    drop(fleet);
    alone.send(()).unwrap();
    drop((alone, had));
    // Its thread goes on to its end, and lets go of the rest there.
    ended.recv().unwrap();
    assert_eq!(server.bmcs().session_count(), 0);
}

#[test]
fn a_fleet_whose_bmcs_do_not_answer_ends_all_the_same() {
    let server = serve(1);
    let mut targets = targets(&server, 1);
    // Nothing listens there.
    targets[0].address = Some(SocketAddr::from((
        [127, 16, 255, 254],
        server.port().wrapping_add(1),
    )));
    let fleet = Fleet::start(&Config::new(targets)).unwrap();
    let waiting = fleet.apply(&NodeId::new("n0").unwrap(), Change::Power(PowerAction::On));
    drop(fleet);
    assert!(matches!(
        outcome(waiting),
        Err(ApplyError::Unreachable { .. })
    ));
}

/// The way to a BMC from another address family: passes datagrams on, there and back, until it is dropped.
struct Relay {
    at: SocketAddr,
    stop: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Relay {
    /// `console` talks to the first address, and the BMC at the second one hears it.
    fn start(ip: IpAddr, bmc: SocketAddr) -> Self {
        let near = Arc::new(UdpSocket::bind((ip, 0)).unwrap());
        let far = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
        let (at, stop) = (near.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let console = Arc::new(Mutex::new(None));
        let pass = |from: &Arc<UdpSocket>, to: &Arc<UdpSocket>, is_near: bool| {
            let (from, to, stop) = (Arc::clone(from), Arc::clone(to), Arc::clone(&stop));
            let console = Arc::clone(&console);
            // So that it notices its end.
            from.set_read_timeout(Some(Duration::from_millis(20)))
                .unwrap();
            thread::spawn(move || {
                let mut bytes = [0; 2048];
                while !stop.load(Ordering::Relaxed) {
                    let Ok((len, peer)) = from.recv_from(&mut bytes) else {
                        continue;
                    };
                    let target = match is_near {
                        true => {
                            *console.lock().unwrap() = Some(peer);
                            bmc
                        }
                        false => console.lock().unwrap().unwrap(),
                    };
                    to.send_to(&bytes[..len], target).unwrap();
                }
            })
        };
        let threads = vec![pass(&near, &far, true), pass(&far, &near, false)];
        Self { at, stop, threads }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[test]
fn a_bmc_whose_address_comes_to_be_of_the_other_family_is_followed_there_and_back() {
    let server = serve(2);
    let targets = targets(&server, 2);
    let (id, v4) = (targets[0].id.clone(), targets[0].address.unwrap());
    let relay = Relay::start(Ipv6Addr::LOCALHOST.into(), v4);
    let fleet = Fleet::start(&Config::new(targets)).unwrap();
    let comings = Arc::new(Comings::default());
    fleet.observe(Arc::clone(&comings) as Arc<dyn Observer>);
    let node = || fleet.node("n0").unwrap();
    until(&fleet, || node().link == Link::Up && node().read_at_ms > 0);
    let first = node();
    let mut before = fleet.counters().contacts;
    for address in [relay.at, v4, relay.at] {
        let at = node().read_at_ms;
        fleet.set_address(&id, Ok(address));
        // What is ordered meanwhile goes along.
        let labels = Arc::new(Labels {
            others: [("at".into(), address.to_string().into())].into(),
            ..Labels::default()
        });
        let changes = Changes {
            labels: vec![(id.clone(), None, Arc::clone(&labels))],
            ..Changes::default()
        };
        fleet.change(changes).unwrap();
        until(&fleet, || {
            let node = node();
            node.address == Some(address.ip()) && node.link == Link::Up && node.read_at_ms > at
        });
        assert_eq!(*node().labels, *labels);
        assert_eq!(*node().identity, {
            let mut identity = (*first.identity).clone();
            identity.controller_port = Some(address.port());
            identity
        });
        let contacts = fleet.counters().contacts;
        assert_eq!(contacts, before, "it is the same one");
        before = contacts;
        let off = Change::Power(PowerAction::ForceOff);
        assert_eq!(outcome(fleet.apply(&id, off)), Ok(()));
    }
    assert_eq!(*comings.0.lock().unwrap(), [""; 0]);
    assert_eq!(fleet.node("n1").unwrap().link, Link::Up);
    // Another node may have the address that it has left, and waits for the one that it has.
    let other = NodeId::new("n1").unwrap();
    fleet.set_address(&other, Ok(relay.at));
    until(&fleet, || {
        let node = fleet.node("n1").unwrap();
        matches!(&node.link, Link::Down { reason, .. } if reason.contains("same address"))
    });
    fleet.set_address(&id, Ok(v4));
    until(&fleet, || {
        let nodes = ["n0", "n1"].map(|id| fleet.node(id).unwrap());
        nodes.iter().all(|node| node.link == Link::Up)
    });
}
