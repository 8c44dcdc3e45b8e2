//! An engine and virtual BMCs whose sensors follow a law, on virtual time, with a network between them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use fleet::{Config, Engine, EngineConfig, Shared, Target};
use hardware::{Node, NodeId};
use ipmi::bmc::{self, User};
use ipmi::command::app::Guid;
use ipmi::console::Login;
use ipmi::number::PrivilegeLevel;
use ipmi::time::Instant;
use ipmi::wire::DATAGRAM_MAX;
use vbmc::bmcs::{Bmcs, Reply};
use vbmc::net::{Arrival, Network, Quality, SeededEntropy};
use vbmc::profile::Profile;
use vbmc::site::{Site, SiteOptions};
use vbmc::telltale::Law;

use super::checker::Checker;

/// Seconds since 1970 at the origin of virtual time.
const EPOCH_S: u64 = 1_795_000_000;

const PORT: u16 = 623;

const CONSOLE: SocketAddr =
    SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)), 40_000);

/// What a world is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) nodes: u32,
    pub(crate) seed: u64,
    pub(crate) quality: Quality,
    pub(crate) poll_interval_ms: u32,
    pub(crate) law: Law,
    /// See [`Checker::new`].
    pub(crate) round_ms_max: u64,
}

/// The whole.
pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) engine: Engine,
    pub(crate) bmcs: Bmcs,
    pub(crate) network: Network,
    pub(crate) checker: Checker,
    shared: Shared,
    ids: Vec<NodeId>,
    entropy: SeededEntropy,
    /// When which BMC sends the answer to which command.
    answers: BinaryHeap<Reverse<(Instant, u32, u32)>>,
}

fn targets(nodes: u32, site: &Site) -> Vec<Target> {
    let login = Login::new("admin", b"secret").expect("a name and a password that fit");
    let login = Arc::new(login);
    let target = |index: u32| {
        let id = site.machine(index, Instant::ORIGIN).identity().id.clone();
        let address = SocketAddr::new(site.address(index).into(), PORT);
        Target::new(id, Some(address), &login)
    };
    (0..nodes).map(target).collect()
}

impl World {
    pub(crate) fn new(setup: Setup) -> Self {
        let Setup {
            nodes,
            seed,
            quality,
            poll_interval_ms,
            law,
            round_ms_max,
        } = setup;
        let options = SiteOptions {
            nodes,
            seed,
            epoch_s: EPOCH_S,
        };
        let site = Site::with_nodes(options, Profile::telltale(law));
        let site = Arc::new(site.expect("a number of nodes that a site can have"));
        let config = Config {
            poll_interval_ms,
            ..Config::new(targets(nodes, &site))
        };
        let user = User::new("admin", b"secret", PrivilegeLevel::ADMINISTRATOR);
        let user = user.expect("a name and a password that fit");
        let access = bmc::Config::new(vec![user], Guid::default());
        let shared = Shared::new(&config.targets);
        let now = Instant::ORIGIN;
        let settings = EngineConfig::of(&config, seed);
        let mut engine = Engine::new(now, EPOCH_S * 1_000, &settings, &shared);
        let ids = config.targets.iter().map(|t| t.id.clone()).collect();
        engine.add(now, (0..).zip(config.targets));
        Self {
            now,
            engine,
            bmcs: Bmcs::new(site, &access),
            network: Network::new(quality, seed),
            checker: Checker::new(law, nodes, EPOCH_S * 1_000, round_ms_max),
            shared,
            ids,
            entropy: SeededEntropy::new(seed),
            answers: BinaryHeap::new(),
        }
    }

    /// Milliseconds since 1970 at present.
    pub(crate) const fn now_ms(&self) -> u64 {
        EPOCH_S * 1_000 + self.now.as_nanos() / 1_000_000
    }

    /// The newest snapshot of a machine.
    pub(crate) fn node(&self, index: u32) -> Arc<Node> {
        let id = self.ids[index as usize].as_str();
        self.shared.node(id).expect("it is in the fleet")
    }

    /// Has the checker look at every machine.
    pub(crate) fn look(&mut self) {
        let now_ms = self.now_ms();
        for index in 0..self.ids.len() as u32 {
            let node = self.node(index);
            self.checker.look(index, &node, now_ms);
        }
    }

    /// Lets virtual time pass.
    pub(crate) fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        self.transmit();
        loop {
            let next = [
                self.network.next_at(),
                self.bmcs.held_until(),
                self.engine.next_deadline(),
            ];
            let Some(next) = next.into_iter().flatten().min().filter(|next| *next <= end) else {
                break;
            };
            // The engine's deadline may lie a little behind; time must go on all the same.
            self.now = next.max(self.now + Duration::from_nanos(1));
            self.note_answers();
            while let Some(arrival) = self.network.receive(self.now) {
                self.arrive(arrival);
            }
            while let Some(mut held) = self.bmcs.next_held(self.now) {
                let (now, entropy) = (self.now, &mut self.entropy);
                let mut out = [0; DATAGRAM_MAX];
                let reply = self.bmcs.handle_held(now, entropy, &mut held, &mut out);
                let to = SocketAddr::new(held.local.into(), PORT);
                self.answer(to, held.from, reply, &out);
            }
            self.engine.handle_timeouts(self.now);
            self.transmit();
        }
        self.now = end;
    }

    fn arrive(&mut self, arrival: Arrival) {
        let Arrival {
            from,
            to,
            mut bytes,
            ..
        } = arrival;
        if to == CONSOLE {
            self.engine.handle_datagram(self.now, from, &mut bytes);
            return;
        }
        let IpAddr::V4(local) = to.ip() else { return };
        let (now, entropy) = (self.now, &mut self.entropy);
        let mut out = [0; DATAGRAM_MAX];
        let reply = self
            .bmcs
            .handle(now, entropy, local, from, &mut bytes, &mut out);
        self.answer(to, from, reply, &out);
    }

    /// Puts the answer of the BMC at `to` on the network.
    fn answer(&mut self, to: SocketAddr, from: SocketAddr, reply: Option<Reply>, out: &[u8]) {
        let Some(reply) = reply else { return };
        let now = self.now;
        if let Some(mark) = reply.command {
            self.answers
                .push(Reverse((now + reply.delay, reply.index, mark)));
        }
        for _ in 0..=usize::from(reply.duplicate) {
            if reply.len > 0 {
                let at = now + reply.delay;
                self.network.send(at, to, from, &out[..reply.len]);
            }
        }
    }

    /// Tells the BMCs which answers are under way by now.
    fn note_answers(&mut self) {
        while let Some(Reverse((at, index, mark))) = self.answers.peek().copied()
            && at <= self.now
        {
            self.answers.pop();
            self.bmcs.answered(index, mark);
        }
    }

    fn transmit(&mut self) {
        let mut out = [0; DATAGRAM_MAX];
        let (now, entropy) = (self.now, &mut self.entropy);
        while let Some((to, len)) = self.engine.poll_transmit(now, entropy, &mut out) {
            self.network.send(now, CONSOLE, to, &out[..len]);
        }
    }
}
