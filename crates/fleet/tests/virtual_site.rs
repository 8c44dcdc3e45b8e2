//! What the engine learns about virtual machines over IPMI is what the machines are.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code, helpers too")]

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use fleet::{Config, Engine, EngineConfig, Shared, Target};
use hardware::{Hardware, Identity, Node, NodeKind, Power, Reading, Sensor, ThresholdState};
use ipmi::bmc::{self, User};
use ipmi::command::app::Guid;
use ipmi::command::chassis::BootFlags;
use ipmi::console::Login;
use ipmi::number::{BootDevice, BootFlagKeep, ChassisControlAction, PrivilegeLevel};
use ipmi::time::Instant;
use ipmi::wire::DATAGRAM_MAX;
use vbmc::bmcs::Bmcs;
use vbmc::hardware::InProcess;
use vbmc::net::{Network, Quality, SeededEntropy};
use vbmc::profile::Model;
use vbmc::site::{Site, SiteOptions};

const EPOCH_S: u64 = 1_795_000_000;
const PORT: u16 = 623;

/// Time stands still for the machines, so that all sensors are read at the same moment of theirs.
fn stopped() -> Instant {
    Instant::ORIGIN + Duration::from_secs(45)
}

fn site() -> Arc<Site> {
    let site = Site::new(SiteOptions {
        nodes: 6,
        seed: 11,
        epoch_s: EPOCH_S,
    })
    .unwrap();
    let second = |s| Instant::ORIGIN + Duration::from_secs(s);
    // One is off, one is too warm, one has its light on and boots from the network next.
    site.machine(1, second(20))
        .control(ChassisControlAction::POWER_DOWN)
        .unwrap();
    site.machine(2, second(5)).warm_air(17.0);
    site.machine(3, second(40)).identify(None);
    let flags = BootFlags {
        valid: true,
        device: BootDevice::PXE,
        ..BootFlags::default()
    };
    site.machine(3, second(40))
        .set_boot_flags(flags, BootFlagKeep::TIMEOUT);
    Arc::new(site)
}

fn target(site: &Site, index: u32, login: &Arc<Login>) -> Target {
    let machine = site.machine(index, stopped());
    let is_node = machine.profile().model == Model::Node;
    Target {
        id: machine.identity().id.clone(),
        kind: if is_node {
            NodeKind::Computer
        } else {
            NodeKind::EnclosureController
        },
        address: Some(SocketAddr::new(IpAddr::V4(site.address(index)), PORT)),
        login: Arc::clone(login),
        enclosure: hardware::EnclosureId::new(&site.slot(index).unwrap().enclosure()),
        labels: Arc::default(),
        treatment: fleet::Treatment::default(),
    }
}

/// Polls the whole site for so long; returns what the engine published.
fn polled(site: &Arc<Site>, span: Duration) -> Vec<Arc<Node>> {
    let admin = User::new("admin", b"secret", PrivilegeLevel::ADMINISTRATOR).unwrap();
    let bmcs = Bmcs::new(
        Arc::clone(site),
        &bmc::Config::new(vec![admin], Guid::default()),
    );
    let login = Arc::new(Login::new("admin", b"secret").unwrap());
    let targets = (0..site.len())
        .map(|index| target(site, index, &login))
        .collect();
    let config = Config {
        slow_rounds: 2,
        ..Config::new(targets)
    };
    let shared = Shared::new(&config.targets);
    let (mut now, end) = (Instant::ORIGIN, Instant::ORIGIN + span);
    let settings = EngineConfig::of(&config, 1);
    // The same time as the machines have, so that times in their logs need no correction.
    let unix_ms = 1_000 * (EPOCH_S + stopped().as_nanos() / 1_000_000_000);
    let names: Vec<_> = config.targets.iter().map(|t| t.id.clone()).collect();
    let mut engine = Engine::new(now, unix_ms, &settings, &shared);
    engine.add(now, (0..).zip(config.targets));
    let console: SocketAddr = "127.0.0.1:40000".parse().unwrap();
    let (mut network, mut entropy) = (Network::new(Quality::PERFECT, 1), SeededEntropy::new(1));
    let mut out = [0; DATAGRAM_MAX];
    while now < end {
        while let Some((to, len)) = engine.poll_transmit(now, &mut entropy, &mut out) {
            network.send(now, console, to, &out[..len]);
        }
        let next = [network.next_at(), engine.next_deadline()]
            .into_iter()
            .flatten()
            .min();
        now = next.unwrap_or(end).max(now + Duration::from_nanos(1));
        while let Some(mut arrival) = network.receive(now) {
            if arrival.to == console {
                engine.handle_datagram(now, arrival.from, &mut arrival.bytes);
                continue;
            }
            let IpAddr::V4(local) = arrival.to.ip() else {
                panic!("{arrival:?}")
            };
            let Arrival { from, to, bytes } = Arrival::of(&mut arrival);
            let reply = bmcs.handle(stopped(), &mut entropy, local, from, bytes, &mut out);
            if let Some(reply) = reply {
                network.send(now, to, from, &out[..reply.len]);
            }
        }
        engine.handle_timeouts(now);
    }
    names
        .iter()
        .map(|id| shared.node(id.as_str()).unwrap())
        .collect()
}

/// The parts of an arrival that are borrowed apart.
struct Arrival<'a> {
    from: SocketAddr,
    to: SocketAddr,
    bytes: &'a mut [u8],
}

impl<'a> Arrival<'a> {
    fn of(arrival: &'a mut vbmc::net::Arrival) -> Self {
        let vbmc::net::Arrival {
            from, to, bytes, ..
        } = arrival;
        Self {
            from: *from,
            to: *to,
            bytes,
        }
    }
}

#[test]
fn what_is_learnt_over_ipmi_is_what_the_machine_is() {
    let site = site();
    let nodes = polled(&site, Duration::from_secs(6));
    // The site has something to tell.
    assert!(nodes.iter().any(|node| node.power == Power::Off));
    let crossed = |r: Reading| r.crossed != ThresholdState::NONE;
    assert!(nodes.iter().any(|node| node.readings.iter().any(crossed)));
    let truth = InProcess::new(Arc::clone(&site), stopped);
    for learnt in nodes {
        let real = truth.node(learnt.id.as_str()).unwrap();
        let id = &learnt.id;
        assert_eq!(learnt.link, real.link, "{id}");
        assert_eq!(learnt.kind, real.kind, "{id}");
        assert_eq!(learnt.enclosure, real.enclosure, "{id}");
        assert_eq!(learnt.power, real.power, "{id}");
        assert_eq!(learnt.indicator, real.indicator, "{id}");
        assert_eq!(learnt.boot, real.boot, "{id}");
        let identity = Identity {
            // What there is only over a network.
            controller_port: None,
            serial_console: None,
            // What DCMI keeps.
            asset_tag: None,
            controller_name: None,
            ..(*learnt.identity).clone()
        };
        assert_eq!(learnt.identity.controller_port, Some(PORT), "{id}");
        assert_eq!(identity, *real.identity, "{id}");
        let (a, b) = (&learnt.inventory, &real.inventory);
        assert_eq!(a.nameplates(), b.nameplates(), "{id}");
        assert_eq!(a.sensors.len(), b.sensors.len(), "{id}");
        for (i, (a, b)) in a.sensors.iter().zip(b.sensors.iter()).enumerate() {
            assert_eq!(format!("{a:?}"), format!("{b:?}"), "{id}");
            same_reading(&learnt, &real, i, a);
        }
        assert_eq!(learnt.log.entries, real.log.entries, "{id}");
        assert_eq!(learnt.log.capacity, real.log.capacity, "{id}");
        assert_eq!(learnt.log.overflowed, real.log.overflowed, "{id}");
        assert!(learnt.log.complete, "{id}");
    }
}

fn same_reading(learnt: &Node, real: &Node, index: usize, sensor: &Sensor) {
    let readings = [learnt, real].map(|node| node.readings.get(index).unwrap());
    let [a, b] = readings;
    let name = format!("{} {}", learnt.id, sensor.name);
    assert_eq!(a.availability, b.availability, "{name}");
    assert_eq!((a.number(), a.crossed), (b.number(), b.crossed), "{name}");
    assert_eq!(a.states, b.states, "{name}");
}
