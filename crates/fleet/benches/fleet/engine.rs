//! The fleet's own measurement: the engine on one core, virtual BMCs on the other.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fleet::{Config, Fleet, ShardFigures, Target};
use hardware::{Hardware, NodeId};
use ipmi::bmc;
use ipmi::command::app::Guid;
use ipmi::console::Login;
use ipmi::number::{CipherSuiteId, PrivilegeLevel};
use vbmc::bmcs::Bmcs;
use vbmc::rack;
use vbmc::serve::{Clock, Server};
use vbmc::site::{Site, SiteOptions};

/// The same user everywhere; nothing but this benchmark ever talks to these BMCs.
pub(crate) const USER: &str = "bench";
pub(crate) const PASSWORD: &[u8] = b"bench";
/// How long a fleet may take until all inventories are read.
const SET_UP_MAX: Duration = Duration::from_secs(600);
/// Between the first full round and the measurement, so that no first contact is measured.
const SETTLE: Duration = Duration::from_secs(2);
/// About how many sensors a virtual node has; only the poll interval depends on it.
const SENSORS_ABOUT: f64 = 46.0;
/// Clock ticks a second in /proc (USER_HZ on every Linux).
const TICKS_PER_S: f64 = 100.0;

/// What was measured.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Found {
    pub(crate) readings_per_s: f64,
    /// Answers to whatever was asked, readings among them.
    pub(crate) answers_per_s: f64,
    pub(crate) cpu_ns_per_reading: f64,
    /// Part of it that the kernel took.
    pub(crate) kernel_ns_per_reading: f64,
    pub(crate) cpu_share: f64,
    pub(crate) bytes_per_bmc: f64,
    pub(crate) sensors_per_bmc: u64,
    pub(crate) poll_interval_ms: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// How many rounds ran at a time in the end, and how many waited.
    pub(crate) rounds_at_once: u32,
    pub(crate) rounds_waiting: u32,
    /// Age of the oldest snapshot in the end.
    pub(crate) oldest_ms: u64,
    pub(crate) resident_bytes: u64,
    pub(crate) retransmits: u64,
    pub(crate) timeouts: u64,
    pub(crate) dropped_by_kernel: u64,
    /// First contacts with all BMCs: time, and processor time.
    pub(crate) contacts_s: f64,
    pub(crate) contacts_cpu_s: f64,
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

/// A fleet of `nodes` virtual BMCs.
pub(crate) fn config(port: u16, nodes: u32, interval_ms: u32, suite: u8) -> io::Result<Config> {
    let login = Login::new(USER, PASSWORD)
        .and_then(|login| login.with_suites(&[CipherSuiteId(suite)]))
        .map_err(io::Error::other)?;
    let login = Arc::new(login);
    let target = |index: u32| {
        let name = rack::Slot::of_node(index).name();
        let address = SocketAddr::from((rack::address(index, nodes), port));
        Some(Target::new(NodeId::new(&name)?, Some(address), &login))
    };
    Ok(Config {
        poll_interval_ms: interval_ms,
        ..Config::new((0..nodes).filter_map(target).collect())
    })
}

pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) -> io::Result<()> {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > SET_UP_MAX {
            return Err(io::Error::other(format!("{what}: that takes too long")));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Processor time to open a session, in microseconds: all sessions are opened, and hardly anything is asked.
pub(crate) fn log_ins(port: u16, nodes: u32) -> io::Result<f64> {
    let config = Config {
        contacts_at_once: 1,
        ..config(port, nodes, 60_000, 3)?
    };
    let cpu = Cpu::now()?;
    let fleet = Fleet::start(&config).map_err(io::Error::other)?;
    wait_until("opening all sessions", || {
        fleet.counters().sessions_opened >= u64::from(nodes)
    })?;
    Ok(cpu.since()?.total_s() * 1e6 / f64::from(nodes))
}

/// Polls `nodes` virtual BMCs, says so when every inventory was read, and measures for as many milliseconds as each line that it
/// is given says; in the end all of them together.
pub(crate) fn measure(port: u16, nodes: u32, interval_ms: u32, suite: u8) -> io::Result<Found> {
    let config = config(port, nodes, interval_ms, suite)?;
    let before = resident_bytes()?;
    let (start, cpu) = (Instant::now(), Cpu::now()?);
    let fleet = Fleet::start(&config).map_err(io::Error::other)?;
    wait_until("reaching all BMCs", || {
        fleet.counters().contacts >= u64::from(nodes)
    })?;
    let contacts_s = start.elapsed().as_secs_f64();
    let contacts_cpu_s = cpu.since()?.total_s();
    std::thread::sleep(SETTLE.max(Duration::from_millis(interval_ms.into())));
    let first = fleet.node(rack::Slot::of_node(0).name().as_str());
    let grown = resident_bytes()?.saturating_sub(before);
    let retransmits = fleet.counters().retransmits;
    super::process::say("ready")?;
    let mut windows = Windows::default();
    for span in super::process::spans() {
        windows.observe(&fleet, span?)?;
        super::process::say("done")?;
    }
    Ok(Found {
        contacts_s,
        contacts_cpu_s,
        poll_interval_ms: interval_ms.into(),
        bytes_per_bmc: grown as f64 / f64::from(nodes),
        sensors_per_bmc: first.map_or(0, |node| node.inventory.sensors.len() as u64),
        retransmits: fleet.counters().retransmits - retransmits,
        ..windows.found(&fleet)?
    })
}

/// What happened while it was measured, from time to time.
#[derive(Default)]
struct Windows {
    grown: ShardFigures,
    spent_s: f64,
    user_s: f64,
    kernel_s: f64,
}

impl Windows {
    fn observe(&mut self, fleet: &Fleet, span: Duration) -> io::Result<()> {
        let (before, cpu, start) = (fleet.figures().total(), Cpu::now()?, Instant::now());
        std::thread::sleep(span);
        let cpu = cpu.since()?;
        self.spent_s += start.elapsed().as_secs_f64();
        self.user_s += cpu.user_s;
        self.kernel_s += cpu.kernel_s;
        self.grown += fleet.figures().total().since(&before);
        Ok(())
    }

    fn found(&self, fleet: &Fleet) -> io::Result<Found> {
        let (figures, grown) = (fleet.figures(), &self.grown);
        // Answers, whatever they bring.
        let counters = &grown.counters;
        let readings = (counters.readings + counters.readings_unavailable) as f64;
        let places = figures.total().rounds;
        Ok(Found {
            readings_per_s: readings / self.spent_s,
            answers_per_s: grown.round_trips.count() as f64 / self.spent_s,
            cpu_ns_per_reading: (self.user_s + self.kernel_s) * 1e9 / readings.max(1.0),
            kernel_ns_per_reading: self.kernel_s * 1e9 / readings.max(1.0),
            cpu_share: (self.user_s + self.kernel_s) / self.spent_s,
            p50_ms: grown.round_trips.quantile_ms(0.5),
            p99_ms: grown.round_trips.quantile_ms(0.99),
            rounds_at_once: places.taken,
            rounds_waiting: places.waiting,
            oldest_ms: figures.oldest_ms.unwrap_or(0),
            resident_bytes: resident_bytes()?,
            timeouts: counters.timeouts,
            dropped_by_kernel: counters.dropped_by_kernel,
            ..Found::default()
        })
    }
}

/// Processor time of this process, or of one of its threads.
#[derive(Clone, Copy)]
pub(crate) struct Cpu {
    /// The file that says it.
    path: &'static str,
    user_s: f64,
    kernel_s: f64,
}

impl Cpu {
    pub(crate) fn now() -> io::Result<Self> {
        Self::read("/proc/self/stat")
    }

    pub(crate) fn of_this_thread() -> io::Result<Self> {
        Self::read("/proc/thread-self/stat")
    }

    fn read(path: &'static str) -> io::Result<Self> {
        let stat = std::fs::read_to_string(path)?;
        // The second field is the name in brackets and may hold anything.
        let fields = stat.rsplit(')').next().unwrap_or("");
        let mut fields = fields.split_whitespace().skip(11);
        let mut seconds = || {
            let ticks: Option<f64> = fields.next().and_then(|text| text.parse().ok());
            ticks.unwrap_or(0.0) / TICKS_PER_S
        };
        Ok(Self {
            path,
            user_s: seconds(),
            kernel_s: seconds(),
        })
    }

    pub(crate) fn since(self) -> io::Result<Self> {
        let now = Self::read(self.path)?;
        Ok(Self {
            path: self.path,
            user_s: now.user_s - self.user_s,
            kernel_s: now.kernel_s - self.kernel_s,
        })
    }

    pub(crate) fn total_s(self) -> f64 {
        self.user_s + self.kernel_s
    }
}

/// Memory of this process that is in RAM.
pub(crate) fn resident_bytes() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|text| text.trim().split(' ').next()?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024)
        .ok_or_else(|| io::Error::other("no VmRSS in /proc/self/status"))
}
