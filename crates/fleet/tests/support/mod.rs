//! A fleet in memory: an engine, machines behind BMCs, and a network between them, on virtual time.

mod hostile;
pub(crate) mod machine;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use fleet::{Coming, Config, Engine, EngineConfig, Job, Memory, Outcome, Shared, Target, outcome};
use hardware::{Change, Node, NodeId};
use hostile::Hostile;
use ipmi::bmc::{Bmc, User};
use ipmi::command::app::Guid;
use ipmi::console::{Login, Session, State};
use ipmi::entropy::Entropy;
use ipmi::number::{CipherSuiteId, PrivilegeLevel};
use ipmi::time::Instant;
use ipmi::wire::DATAGRAM_MAX;
use machine::Machine;
use vbmc::net::{Arrival, Network, Quality, SeededEntropy};

const CONSOLE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 40_000);

/// Milliseconds since the Unix epoch at the origin of virtual time.
pub(crate) const UNIX_MS: u64 = 1_700_000_000_000;

/// What tells packets of RMCP+ from those of IPMI 1.5 (§13.6).
const AUTH_TYPE_RMCP_PLUS: u8 = 6;

/// Answers that are kept to be sent again.
const REPLAYED_MAX: usize = 512;

/// A machine, its BMC, and whether it listens.
pub(crate) struct Host {
    pub(crate) machine: Machine,
    pub(crate) bmc: Bmc,
    pub(crate) mute: bool,
    /// It answers what comes outside of sessions, and opens none.
    pub(crate) opens_nothing: bool,
    /// What it says is not to be trusted: where its whims come from.
    pub(crate) whims: Option<SeededEntropy>,
    /// Datagrams that were sent to it, and those that reached it.
    pub(crate) asked: u64,
    pub(crate) heard: u64,
}

/// One queue before all BMCs, as when one busy computer plays them, or one slow link leads to them.
pub(crate) struct Bottleneck {
    /// How long each datagram takes to get through.
    pub(crate) each: Duration,
    /// How many wait at most; what comes then is lost.
    pub(crate) queue: u32,
    /// When it is through with what it has.
    free_at: Instant,
}

impl Bottleneck {
    pub(crate) const fn new(a_second: u32, queue: u32) -> Self {
        Self {
            each: Duration::from_nanos(1_000_000_000 / a_second as u64),
            queue,
            free_at: Instant::ORIGIN,
        }
    }

    /// When a datagram is through that comes now; `None` if it is lost.
    fn pass(&mut self, now: Instant) -> Option<Instant> {
        let begin = self.free_at.max(now);
        if begin.since(now) > self.each * self.queue {
            return None;
        }
        self.free_at = begin + self.each;
        Some(self.free_at)
    }
}

/// The whole.
pub(crate) struct World {
    memory: Option<Arc<Memory>>,
    settings: EngineConfig,
    targets: Vec<Target>,
    pub(crate) now: Instant,
    pub(crate) engine: Engine,
    pub(crate) shared: Shared,
    pub(crate) hosts: Vec<Host>,
    pub(crate) network: Network,
    /// These hosts are behind a network of their own.
    pub(crate) far: Option<(Range<usize>, Network)>,
    pub(crate) bottleneck: Option<Bottleneck>,
    /// All BMCs draw the same random numbers: they give their sessions the same IDs.
    pub(crate) same_numbers: bool,
    /// Somebody keeps answers and sends them again, one with each that comes.
    pub(crate) replayed: Option<Vec<(SocketAddr, SocketAddr, Vec<u8>)>>,
    places: HashMap<SocketAddr, usize>,
    entropy: SeededEntropy,
    /// A digest of every arrival: when, from whom, to whom, which bytes.
    trace: DefaultHasher,
}

pub(crate) struct Setup {
    pub(crate) nodes: u32,
    pub(crate) seed: u64,
    pub(crate) quality: Quality,
    pub(crate) suite: CipherSuiteId,
    pub(crate) config: Config,
    /// How many of the nodes the engine knows from the beginning; `None` = all.
    pub(crate) present: Option<u32>,
    /// What outlives the engine.
    pub(crate) memory: Option<Arc<Memory>>,
}

impl Setup {
    pub(crate) fn new(nodes: u32, seed: u64, quality: Quality) -> Self {
        let config = Config {
            slow_rounds: 5,
            ..Config::new(Vec::new())
        };
        Self {
            nodes,
            seed,
            quality,
            suite: CipherSuiteId::SUITE_3,
            config,
            present: None,
            memory: None,
        }
    }
}

fn address(node: u32) -> SocketAddr {
    let [_, a, b, c] = (node + 1).to_be_bytes();
    (Ipv4Addr::new(127, 16 + a, b, c), 623).into()
}

fn target(node: u32, login: &Arc<Login>) -> Target {
    let id = NodeId::new(&format!("n{node}")).unwrap();
    Target::new(id, Some(address(node)), login)
}

/// An engine that takes up all targets at `now`.
fn begin(
    now: Instant,
    settings: &EngineConfig,
    memory: Option<&Arc<Memory>>,
    targets: Vec<Target>,
) -> (Engine, Shared) {
    let shared = Shared::with_memory(memory.cloned());
    let mut moves = shared.change(&[], &targets);
    let unix_ms = UNIX_MS + now.as_nanos() / 1_000_000;
    let mut engine = Engine::new(now, unix_ms, settings, &shared);
    engine.set_port(CONSOLE.port());
    let places: Vec<u32> = moves.entered.clone();
    let coming = places.into_iter().zip(targets);
    let coming: Vec<_> = coming
        .map(|(place, target)| Coming::of(&mut moves, place, target))
        .collect();
    engine.add(now, coming);
    (engine, shared)
}

impl World {
    pub(crate) fn new(setup: Setup) -> Self {
        let Setup {
            nodes,
            seed,
            quality,
            suite,
            mut config,
            present,
            memory,
        } = setup;
        let login = Login::new("admin", b"secret").and_then(|login| login.with_suites(&[suite]));
        let login = Arc::new(login.unwrap());
        let present = present.unwrap_or(nodes);
        config.targets = (0..present).map(|node| target(node, &login)).collect();
        config.check().unwrap();
        let settings = EngineConfig::of(&config, seed);
        let now = Instant::ORIGIN;
        let (engine, shared) = begin(now, &settings, memory.as_ref(), config.targets.clone());
        let records = machine::records();
        let user = User::new("admin", b"secret", PrivilegeLevel::ADMINISTRATOR).unwrap();
        let host = |node: u32| {
            let mut guid = [0x11; 16];
            guid[..4].copy_from_slice(&node.to_le_bytes());
            let access = ipmi::bmc::Config::new(vec![user.clone()], Guid(guid));
            let bmc = Bmc::new(Arc::new(access));
            Host {
                machine: Machine::new(node, &records),
                bmc,
                mute: false,
                opens_nothing: false,
                whims: None,
                asked: 0,
                heard: 0,
            }
        };
        Self {
            memory,
            settings,
            targets: config.targets,
            now,
            engine,
            shared,
            hosts: (0..nodes).map(host).collect(),
            network: Network::new(quality, seed),
            far: None,
            bottleneck: None,
            same_numbers: false,
            replayed: None,
            places: (0..nodes)
                .map(|node| (address(node), node as usize))
                .collect(),
            entropy: SeededEntropy::new(seed),
            trace: DefaultHasher::new(),
        }
    }

    /// Lets virtual time pass.
    pub(crate) fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        self.transmit();
        loop {
            let far = self.far.as_ref().and_then(|(_, far)| far.next_at());
            let next = [self.network.next_at(), far, self.engine.next_deadline()];
            let Some(next) = next.into_iter().flatten().min().filter(|next| *next <= end) else {
                break;
            };
            // The engine's deadline may lie a little behind; time must go on all the same.
            self.now = next.max(self.now + Duration::from_nanos(1));
            while let Some(arrival) = self.receive() {
                arrival.at.hash(&mut self.trace);
                (arrival.from, arrival.to).hash(&mut self.trace);
                arrival.bytes.hash(&mut self.trace);
                self.arrive(arrival.from, arrival.to, arrival.bytes);
            }
            self.engine.handle_timeouts(self.now);
            self.transmit();
        }
        self.now = end;
    }

    fn receive(&mut self) -> Option<Arrival> {
        let near = self.network.receive(self.now);
        near.or_else(|| self.far.as_mut()?.1.receive(self.now))
    }

    /// The network over which a host is reached.
    fn network_to(&mut self, host: SocketAddr) -> &mut Network {
        match (&mut self.far, self.places.get(&host)) {
            (Some((hosts, far)), Some(place)) if hosts.contains(place) => far,
            _ => &mut self.network,
        }
    }

    fn arrive(&mut self, from: SocketAddr, to: SocketAddr, mut bytes: Vec<u8>) {
        if to == CONSOLE {
            self.engine.handle_datagram(self.now, from, &mut bytes);
            return;
        }
        let Some(host) = self.places.get(&to).map(|place| &mut self.hosts[*place]) else {
            return;
        };
        host.heard += 1;
        let is_rmcp_plus = bytes.get(4) == Some(&AUTH_TYPE_RMCP_PLUS);
        if host.mute || host.opens_nothing && is_rmcp_plus {
            return;
        }
        let through_at = match &mut self.bottleneck {
            None => Some(self.now),
            Some(bottleneck) => bottleneck.pass(self.now),
        };
        let Some(through_at) = through_at else {
            return;
        };
        let mut out = [0; DATAGRAM_MAX];
        host.machine.now = self.now;
        let mut same = SeededEntropy::new(1);
        let entropy = match self.same_numbers {
            true => &mut same,
            false => &mut self.entropy,
        };
        let Host {
            machine,
            bmc,
            whims,
            ..
        } = host;
        machine.is_mute = false;
        let reply = match whims {
            None => bmc.handle_datagram(self.now, entropy, from, &mut bytes, machine, &mut out),
            Some(whims) => {
                let mut hostile = Hostile { machine, whims };
                bmc.handle_datagram(self.now, entropy, from, &mut bytes, &mut hostile, &mut out)
            }
        };
        let is_mute = machine.is_mute;
        if let Some(len) = reply.filter(|_| !is_mute) {
            self.network_to(to).send(through_at, to, from, &out[..len]);
            self.replay(through_at, to, from, &out[..len]);
        }
    }

    /// Keeps an answer, and sends one of those that were kept.
    fn replay(&mut self, at: Instant, from: SocketAddr, to: SocketAddr, answer: &[u8]) {
        let Some(kept) = &mut self.replayed else {
            return;
        };
        let draw = self.entropy.next_u32() as usize;
        match kept.get_mut(draw % REPLAYED_MAX) {
            Some(place) => {
                let (from, to, old) = std::mem::replace(place, (from, to, answer.to_vec()));
                self.network_to(from).send(at, from, to, &old);
            }
            None => kept.push((from, to, answer.to_vec())),
        }
    }

    fn transmit(&mut self) {
        let mut out = [0; DATAGRAM_MAX];
        let now = self.now;
        while let Some((to, len)) = self.engine.poll_transmit(now, &mut self.entropy, &mut out) {
            if let Some(place) = self.places.get(&to) {
                self.hosts[*place].asked += 1;
            }
            self.network_to(to).send(now, CONSOLE, to, &out[..len]);
        }
    }

    /// What outlives the engine.
    pub(crate) fn memory(&self) -> &Memory {
        self.memory.as_ref().unwrap()
    }

    /// The process is killed, and another one begins with what was remembered.
    pub(crate) fn kill_and_restart(&mut self) {
        let (memory, targets) = (self.memory.as_ref(), self.targets.clone());
        (self.engine, self.shared) = begin(self.now, &self.settings, memory, targets);
        self.transmit();
    }

    /// Another console of the same user, on the same computer, logs in at a BMC; returns the BMC's ID of its session.
    pub(crate) fn another_console(&mut self, node: usize) -> u32 {
        let login = Login::new("admin", b"secret")
            .and_then(|login| login.with_suites(&[CipherSuiteId::SUITE_3]));
        let mut session = Session::new(Arc::new(login.unwrap()), Arc::default());
        session.connect(self.now, NonZeroU32::MIN);
        let from = SocketAddr::new(CONSOLE.ip(), CONSOLE.port() + 1);
        let Host { machine, bmc, .. } = &mut self.hosts[node];
        let (mut asked, mut answer) = ([0; DATAGRAM_MAX], [0; DATAGRAM_MAX]);
        while session.state() != State::Established {
            let mut entropy = SeededEntropy::new(1);
            let len = session.poll_transmit(self.now, &mut entropy, &mut asked);
            let asked = &mut asked[..len.unwrap()];
            let len =
                bmc.handle_datagram(self.now, &mut entropy, from, asked, machine, &mut answer);
            session
                .handle_datagram(self.now, &mut answer[..len.unwrap()])
                .unwrap();
        }
        session.bmc_session_id()
    }

    /// Takes BMCs off and puts others on, while all runs.
    pub(crate) fn change(&mut self, leaving: &[u32], coming: &[u32]) {
        let login = Login::new("admin", b"secret")
            .and_then(|login| login.with_suites(&[CipherSuiteId::SUITE_3]));
        let login = Arc::new(login.unwrap());
        let name = |node: &u32| NodeId::new(&format!("n{node}")).unwrap();
        let leaving: Vec<_> = leaving.iter().map(name).collect();
        let targets: Vec<_> = coming.iter().map(|node| target(*node, &login)).collect();
        let moves = self.shared.change(&leaving, &targets);
        for (place, last) in moves.left {
            let is_replaced = targets.iter().any(|target| target.id == last.id);
            let last = (!is_replaced).then_some(last);
            self.engine.remove(self.now, place, last);
        }
        let targets = moves.entered.into_iter().zip(targets);
        self.engine.add(self.now, targets.collect::<Vec<_>>());
        self.transmit();
    }

    /// Takes a BMC off and puts it on again under its name; its engine hears of that only later.
    pub(crate) fn replace(&mut self, node: u32, later: impl FnOnce(&mut Self)) {
        let targets = [self.targets[node as usize].clone()];
        let id = targets[0].id.clone();
        let mut moves = self.shared.change(&[id], &targets);
        later(self);
        self.engine.remove(self.now, moves.left[0].0, None);
        let [target] = targets;
        let place = moves.entered[0];
        let coming = Coming::of(&mut moves, place, target);
        self.engine.add(self.now, [coming]);
        self.transmit();
    }

    /// From now on, who answers at the address that a node was given at the beginning is this host; `None` = nobody is.
    pub(crate) fn set_host(&mut self, node: u32, host: Option<usize>) {
        match host {
            Some(host) => self.places.insert(address(node), host),
            None => self.places.remove(&address(node)),
        };
    }

    /// The engine is told that a node is where another one was at the beginning.
    pub(crate) fn set_address(&mut self, node: u32, at: u32) {
        self.engine.set_address(self.now, node, Ok(address(at)));
        self.transmit();
    }

    /// Wishes something of a node.
    pub(crate) fn apply(&mut self, node: u32, change: Change) -> Outcome {
        self.apply_at(node, node, change)
    }

    /// Wishes something of a node that had this place when it was looked up.
    pub(crate) fn apply_at(&mut self, place: u32, node: u32, change: Change) -> Outcome {
        let (sender, outcome) = outcome();
        let job = Job {
            node: NodeId::new(&format!("n{node}")).unwrap(),
            change,
            outcome: sender,
        };
        self.engine.submit(self.now, place, job);
        self.transmit();
        outcome
    }

    /// The newest snapshot of a node.
    pub(crate) fn node(&self, node: u32) -> Arc<Node> {
        self.shared.node(&format!("n{node}")).unwrap()
    }

    /// How old a node's readings are.
    pub(crate) fn age(&self, node: u32) -> Duration {
        let now_ms = UNIX_MS + self.now.as_nanos() / 1_000_000;
        Duration::from_millis(now_ms - self.node(node).read_at_ms)
    }

    pub(crate) fn trace(&self) -> u64 {
        self.trace.finish()
    }
}
