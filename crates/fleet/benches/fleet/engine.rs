//! The fleet's own measurement: the engine on one core, virtual BMCs on the other.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fleet::{Config, Counters, Fleet, Target};
use hardware::{Hardware, NodeId, NodeKind};
use ipmi::bmc;
use ipmi::command::app::Guid;
use ipmi::console::Login;
use ipmi::number::{CipherSuiteId, PrivilegeLevel};
use vbmc::bmcs::Bmcs;
use vbmc::rack;
use vbmc::serve::{Clock, Server};
use vbmc::site::{Site, SiteOptions};

/// The same user everywhere; nothing but this benchmark ever talks to these BMCs.
const USER: &str = "bench";
const PASSWORD: &[u8] = b"bench";
/// How long a fleet may take until all inventories are read.
const SET_UP_MAX: Duration = Duration::from_secs(600);
/// Between the first full round and the measurement, so that no first contact is measured.
const SETTLE: Duration = Duration::from_secs(2);
/// About how many sensors a virtual node has; only the poll interval depends on it.
const SENSORS_ABOUT: f64 = 46.0;
/// Clock ticks a second in /proc (USER_HZ on every Linux).
const TICKS_PER_S: f64 = 100.0;

/// What was measured.
pub(crate) struct Found {
    pub(crate) readings_per_s: f64,
    pub(crate) cpu_ns_per_reading: f64,
    pub(crate) cpu_share: f64,
    pub(crate) bytes_per_bmc: f64,
    pub(crate) sensors_per_bmc: u64,
    pub(crate) poll_interval_ms: u64,
    pub(crate) retransmits: u64,
    pub(crate) timeouts: u64,
    pub(crate) set_up_s: f64,
}

impl Found {
    pub(crate) fn to_json(&self) -> String {
        serde_json::json!([
            self.readings_per_s,
            self.cpu_ns_per_reading,
            self.cpu_share,
            self.bytes_per_bmc,
            self.sensors_per_bmc,
            self.poll_interval_ms,
            self.retransmits,
            self.timeouts,
            self.set_up_s,
        ])
        .to_string()
    }

    pub(crate) fn from_json(line: &str) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_str(line).ok()?;
        let (float, whole) = (|i: usize| value[i].as_f64(), |i: usize| value[i].as_u64());
        Some(Self {
            readings_per_s: float(0)?,
            cpu_ns_per_reading: float(1)?,
            cpu_share: float(2)?,
            bytes_per_bmc: float(3)?,
            sensors_per_bmc: whole(4)?,
            poll_interval_ms: whole(5)?,
            retransmits: whole(6)?,
            timeouts: whole(7)?,
            set_up_s: float(8)?,
        })
    }
}

/// The poll interval at which so many nodes are asked for `wanted_per_s` readings.
pub(crate) fn interval_ms(nodes: u32, wanted_per_s: f64) -> u32 {
    let ms = f64::from(nodes) * SENSORS_ABOUT * 1000.0 / wanted_per_s;
    (ms as u32).max(Config::POLL_INTERVAL_MS_MIN)
}

/// Serves virtual BMCs until the process is killed.
pub(crate) fn serve(port: u16, nodes: u32) -> io::Result<()> {
    let clock = Clock::start();
    let options = SiteOptions {
        nodes,
        seed: 1,
        epoch_s: clock.epoch_s(),
    };
    let site = Site::new(options).map_err(io::Error::other)?;
    let user = bmc::User::new(USER, PASSWORD, PrivilegeLevel::ADMINISTRATOR);
    let access = bmc::Config::new(vec![user.map_err(io::Error::other)?], Guid::default());
    let _server = Server::start(Arc::new(Bmcs::new(Arc::new(site), &access)), clock, port)?;
    super::process::say("ready")?;
    loop {
        std::thread::park();
    }
}

/// Polls `nodes` virtual BMCs and measures for `seconds`.
pub(crate) fn measure(port: u16, nodes: u32, seconds: u32, interval_ms: u32) -> io::Result<Found> {
    let login = Login::new(USER, PASSWORD)
        .and_then(|login| login.with_suites(&[CipherSuiteId(3)]))
        .map_err(io::Error::other)?;
    let login = Arc::new(login);
    let target = |index: u32| {
        let name = rack::Slot::of_node(index).name();
        Some(Target {
            id: NodeId::new(&name)?,
            kind: NodeKind::Computer,
            address: SocketAddr::from((rack::address(index, nodes), port)),
            login: Arc::clone(&login),
            enclosure: None,
            quirks: fleet::Quirks::default(),
        })
    };
    let config = Config {
        poll_interval_ms: interval_ms,
        ..Config::new((0..nodes).filter_map(target).collect())
    };
    let before = resident_bytes()?;
    let start = Instant::now();
    let fleet = Fleet::start(&config).map_err(io::Error::other)?;
    while fleet.counters().contacts < u64::from(nodes) {
        if start.elapsed() > SET_UP_MAX {
            return Err(io::Error::other("not all BMCs could be reached"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let set_up_s = start.elapsed().as_secs_f64();
    std::thread::sleep(SETTLE.max(Duration::from_millis(interval_ms.into())));
    let mut found = observe(&fleet, seconds)?;
    found.set_up_s = set_up_s;
    found.poll_interval_ms = interval_ms.into();
    found.bytes_per_bmc = (resident_bytes()?.saturating_sub(before)) as f64 / f64::from(nodes);
    let first = fleet.node(rack::Slot::of_node(0).name().as_str());
    found.sensors_per_bmc = first.map_or(0, |node| node.inventory.sensors.len() as u64);
    Ok(found)
}

fn observe(fleet: &Fleet, seconds: u32) -> io::Result<Found> {
    let (counters, cpu_s, start) = (fleet.counters(), cpu_s()?, Instant::now());
    std::thread::sleep(Duration::from_secs(seconds.into()));
    let spent = start.elapsed().as_secs_f64();
    let (now, cpu_s) = (fleet.counters(), self::cpu_s()? - cpu_s);
    let grown = |figure: fn(&Counters) -> u64| figure(&now) - figure(&counters);
    let readings = grown(|c| c.readings) as f64;
    Ok(Found {
        readings_per_s: readings / spent,
        cpu_ns_per_reading: cpu_s * 1e9 / readings.max(1.0),
        cpu_share: cpu_s / spent,
        bytes_per_bmc: 0.0,
        sensors_per_bmc: 0,
        poll_interval_ms: 0,
        retransmits: grown(|c| c.retransmits),
        timeouts: grown(|c| c.timeouts),
        set_up_s: 0.0,
    })
}

/// User and system time of this process.
fn cpu_s() -> io::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The second field is the name in brackets and may hold anything.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let ticks = |i: usize| {
        fields
            .get(i)
            .and_then(|text| text.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    Ok((ticks(11) + ticks(12)) / TICKS_PER_S)
}

/// Memory of this process that is in RAM.
fn resident_bytes() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|text| text.trim().split(' ').next()?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024)
        .ok_or_else(|| io::Error::other("no VmRSS in /proc/self/status"))
}
