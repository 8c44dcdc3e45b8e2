//! What a BMC costs in memory: a site is polled on virtual time, then taken apart, and the allocator tells what each part gave
//! back. `cargo nextest run -p fleet --test footprint --no-capture` prints it.

#![expect(clippy::unwrap_used, reason = "test code, helpers too")]

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use fleet::{Config, Engine, EngineConfig, Shared, Target};
use hardware::NodeId;
use ipmi::bmc::{self, User};
use ipmi::command::app::Guid;
use ipmi::console::Login;
use ipmi::number::PrivilegeLevel;
use ipmi::time::Instant;
use ipmi::wire::DATAGRAM_MAX;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use vbmc::bmcs::Bmcs;
use vbmc::net::{Network, Quality, SeededEntropy};
use vbmc::site::{Site, SiteOptions};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

const EPOCH_S: u64 = 1_795_000_000;
const PORT: u16 = 623;
/// How long all first contacts may take, and how long the fleet goes on after that: a round, and its log.
const SPAN_MAX: Duration = Duration::from_secs(600);
const SETTLE: Duration = Duration::from_secs(5);

/// Allocated memory: bytes asked for, and pieces. What the allocator adds to each piece, 8 to 20 bytes with most, is not in.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    bytes: usize,
    pieces: usize,
}

fn live() -> Cost {
    let stats = ALLOCATOR.stats();
    Cost {
        bytes: stats.bytes_allocated - stats.bytes_deallocated,
        pieces: stats.allocations - stats.deallocations,
    }
}

/// Bytes and pieces that this gives back.
fn given_back(act: impl FnOnce()) -> Cost {
    let before = live();
    act();
    let after = live();
    Cost {
        bytes: before.bytes - after.bytes,
        pieces: before.pieces - after.pieces,
    }
}

/// What was measured of a fleet.
#[derive(Default)]
struct Found {
    bmcs: f64,
    /// By kind.
    costs: Vec<(&'static str, Cost)>,
    /// What all contacts together had in memory for themselves.
    in_flight: f64,
    allocations: f64,
}

/// A fleet that has met all BMCs of a site, `at_once` at a time but for one of each model, which it met before; and the most
/// that was allocated meanwhile.
fn met(bmcs: &Bmcs, at_once: u32) -> (Engine, Shared, usize) {
    let login = Arc::new(Login::new("admin", b"secret").unwrap());
    let site = bmcs.site();
    let target = |index| {
        let id = name(bmcs, index);
        let at = SocketAddr::new(IpAddr::V4(site.address(index)), PORT);
        Target::new(id, Some(at), &login)
    };
    let config = Config {
        contacts_at_once: at_once,
        poll_interval_ms: 3_600_000,
        ..Config::new((0..site.len()).map(target).collect())
    };
    let shared = Shared::new(&config.targets);
    let settings = EngineConfig::of(&config, 1);
    let (mut now, mut most) = (Instant::ORIGIN, 0);
    let mut engine = Engine::new(now, 1_000 * EPOCH_S, &settings, &shared);
    let mut models = Vec::new();
    let (first, mut others): (Vec<_>, Vec<_>) =
        (0..).zip(config.targets).partition(|(index, _)| {
            let model = site.machine(*index, Instant::ORIGIN).profile().model;
            let is_new = !models.contains(&model);
            models.push(model);
            is_new
        });
    let firsts = first.len() as u64;
    engine.add(now, first);
    let console: SocketAddr = "127.0.0.1:40000".parse().unwrap();
    let (mut network, mut entropy) = (Network::new(Quality::PERFECT, 1), SeededEntropy::new(1));
    let mut out = [0; DATAGRAM_MAX];
    let mut end = now + SPAN_MAX;
    while now < end {
        while let Some((to, len)) = engine.poll_transmit(now, &mut entropy, &mut out) {
            network.send(now, console, to, &out[..len]);
        }
        let next = [network.next_at(), engine.next_deadline()];
        let next = next.into_iter().flatten().min();
        now = next.unwrap_or(end).max(now + Duration::from_nanos(1));
        while let Some(mut arrival) = network.receive(now) {
            if arrival.to == console {
                engine.handle_datagram(now, arrival.from, &mut arrival.bytes);
                continue;
            }
            let IpAddr::V4(local) = arrival.to.ip() else {
                continue;
            };
            let (from, to) = (arrival.from, arrival.to);
            let bytes = &mut arrival.bytes;
            if let Some(reply) = bmcs.handle(now, &mut entropy, local, from, bytes, &mut out) {
                network.send(now, to, from, &out[..reply.len]);
                if let Some(command) = reply.command {
                    bmcs.answered(reply.index, command);
                }
            }
        }
        engine.handle_timeouts(now);
        let contacts = engine.figures().counters.contacts;
        if contacts == firsts && !others.is_empty() {
            most = 0;
            engine.add(now, std::mem::take(&mut others));
        }
        most = most.max(live().bytes);
        if end == Instant::ORIGIN + SPAN_MAX && contacts == u64::from(site.len()) {
            end = now + SETTLE;
        }
    }
    (engine, shared, most)
}

fn name(bmcs: &Bmcs, index: u32) -> NodeId {
    let machine = bmcs.site().machine(index, Instant::ORIGIN);
    // Not the machine's own: the fleet has names of its own.
    NodeId::new(machine.identity().id.as_str()).unwrap()
}

/// Polls a site of so many nodes and takes the fleet apart.
fn measure(nodes: u32, at_once: u32) -> Found {
    let admin = User::new("admin", b"secret", PrivilegeLevel::ADMINISTRATOR).unwrap();
    let options = SiteOptions {
        nodes,
        seed: 1,
        epoch_s: EPOCH_S,
    };
    let site = Arc::new(Site::new(options).unwrap());
    let bmcs = Bmcs::new(site, &bmc::Config::new(vec![admin], Guid::default()));
    let count = bmcs.site().len();
    let allocations = ALLOCATOR.stats().allocations;
    let (engine, shared, most) = met(&bmcs, at_once);
    let allocations = ALLOCATOR.stats().allocations - allocations;
    let in_flight = most - live().bytes;
    let snapshot = |index| shared.node(name(&bmcs, index).as_str()).unwrap();
    let mut snapshots: Vec<_> = (0..count).map(snapshot).collect();
    assert!(
        snapshots
            .iter()
            .all(|node| node.read_at_ms > 0 && node.log.complete)
    );
    let room = snapshots.len();
    let mut nodes = Vec::with_capacity(room);
    let (mut readings, mut inventories) = (Vec::with_capacity(room), Vec::with_capacity(room));
    let (mut identities, mut logs) = (Vec::with_capacity(room), Vec::with_capacity(room));
    let costs = vec![
        ("engine", given_back(|| drop(engine))),
        ("index", given_back(|| drop(shared))),
        (
            "snapshot",
            given_back(|| {
                nodes.extend(
                    snapshots
                        .drain(..)
                        .map(|node| Arc::try_unwrap(node).unwrap()),
                );
            }),
        ),
        (
            "names",
            given_back(|| {
                for node in nodes.drain(..) {
                    readings.push(node.readings);
                    inventories.push(node.inventory);
                    identities.push(node.identity);
                    logs.push(node.log);
                }
            }),
        ),
        ("readings", given_back(|| readings.clear())),
        ("inventory", given_back(|| inventories.clear())),
        ("identity", given_back(|| identities.clear())),
        ("log", given_back(|| logs.clear())),
    ];
    Found {
        bmcs: count.into(),
        costs,
        in_flight: in_flight as f64,
        allocations: allocations as f64,
    }
}

#[test]
fn a_bmc_takes_about_two_kilobytes_beside_what_equal_ones_share() {
    // What all share is in both, and the tables are about as full in both.
    let (small, large) = (measure(200, 8), measure(400, 8));
    let more = large.bmcs - small.bmcs;
    let mut total = (0.0, 0.0);
    for ((kind, small), (_, large)) in small.costs.iter().zip(&large.costs) {
        let each = |small: usize, large: usize| (large as f64 - small as f64) / more;
        let (bytes, pieces) = (
            each(small.bytes, large.bytes),
            each(small.pieces, large.pieces),
        );
        println!("{kind:10} {bytes:7.0} bytes in {pieces:5.1} pieces");
        total = (total.0 + bytes, total.1 + pieces);
    }
    println!("all        {:7.0} bytes in {:5.1} pieces", total.0, total.1);
    let each = (large.allocations - small.allocations) / more;
    println!("{each:.0} allocations of both ends until a BMC is known");
    let at_once = measure(100, 10_000);
    let in_flight = at_once.in_flight / at_once.bmcs;
    println!("{in_flight:.0} bytes a first contact under way");
    assert!(total.0 < 2_200.0, "{} bytes a BMC", total.0);
    assert!(in_flight < 4_000.0, "{in_flight} bytes a contact");
}
