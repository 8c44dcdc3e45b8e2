//! One virtual machine with defects, the fleet that polls it, and consoles beside it; all in memory, on virtual time.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use fleet::{Config, Counters, Engine, EngineConfig, Job, Shared, Target, Treatment, outcome};
use hardware::{ApplyError, Change, Node, NodeKind, Observer};
use ipmi::bmc::{self, User, V15};
use ipmi::command::app::Guid;
use ipmi::console::{Event, Login, LoginFailure, Policy, RequestTarget, Session};
use ipmi::number::{AuthType, CipherSuiteId, NetFn, PrivilegeLevel};
use ipmi::quirk::Quirks;
use ipmi::time::Instant;
use ipmi::wire::DATAGRAM_MAX;
use vbmc::bmcs::Bmcs;
use vbmc::net::{Network, Quality, SeededEntropy};
use vbmc::site::{Site, SiteOptions};

const EPOCH_S: u64 = 1_795_000_000;
const PORT: u16 = 623;
const FLEET: u16 = 40_000;

/// How one logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// As by default: suite 17, then 3.
    Default,
    /// IPMI 1.5 with MD5.
    V15,
    /// Suite 0, without any authentication.
    Suite0,
    /// With a password of 20 bytes.
    LongPassword,
}

impl By {
    const fn password(self) -> &'static [u8] {
        match self {
            Self::LongPassword => b"secret-of-20-bytes-!",
            _ => b"secret",
        }
    }

    pub(crate) fn login(self) -> Login {
        let login = Login::new("admin", self.password()).unwrap();
        match self {
            Self::V15 => login.with_v15(&[AuthType::MD5]).unwrap(),
            Self::Suite0 => login.with_suites(&[CipherSuiteId(0)]).unwrap(),
            Self::Default | Self::LongPassword => login,
        }
    }

    fn access(self) -> bmc::Config {
        let level = PrivilegeLevel::ADMINISTRATOR;
        let users = vec![
            User::new("", b"", PrivilegeLevel::CALLBACK).unwrap(),
            User::new("admin", self.password(), level).unwrap(),
        ];
        let mut config = bmc::Config::new(users, Guid::default());
        config.v15 = Some(V15::default());
        config.suites.push(CipherSuiteId(0));
        config
    }
}

/// Whether time passes for the machine: where it stands still, all readings are of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    StandsStill,
    Passes,
}

/// A datagram that a BMC sent: to which port, and its bytes.
pub(crate) type Sent = (u16, Vec<u8>);

pub(crate) struct Stand {
    pub(crate) now: Instant,
    pub(crate) site: Arc<Site>,
    pub(crate) bmcs: Bmcs,
    pub(crate) sent: Vec<Sent>,
    by: By,
    time: Time,
    network: Network,
    entropy: SeededEntropy,
    fleet: Option<(Engine, Shared)>,
    sessions: u32,
}

impl Stand {
    pub(crate) fn new(by: By, time: Time, defects: Quirks) -> Self {
        let options = SiteOptions {
            nodes: 1,
            seed: 12,
            epoch_s: EPOCH_S,
        };
        let site = Arc::new(Site::new(options).unwrap());
        let bmcs = Bmcs::new(Arc::clone(&site), &by.access());
        bmcs.set_defects(0, defects);
        Self {
            now: Instant::ORIGIN,
            site,
            bmcs,
            sent: Vec::new(),
            by,
            time,
            network: Network::new(Quality::PERFECT, 1),
            entropy: SeededEntropy::new(1),
            fleet: None,
            sessions: 0,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(self.site.address(0)), PORT)
    }

    /// The moment at which the machine is.
    pub(crate) fn machine_now(&self) -> Instant {
        match self.time {
            Time::Passes => self.now,
            Time::StandsStill => Instant::ORIGIN + Duration::from_secs(45),
        }
    }

    /// Starts to poll the machine, as an operator who knows of `quirks`.
    pub(crate) fn poll(&mut self, quirks: Quirks) {
        self.poll_treated(Treatment {
            quirks,
            ..Treatment::default()
        });
    }

    /// The same, treated so.
    pub(crate) fn poll_treated(&mut self, treatment: Treatment) {
        let target = Target {
            id: self.site.machine(0, Instant::ORIGIN).identity().id.clone(),
            kind: NodeKind::Computer,
            address: Some(self.address()),
            login: Arc::new(self.by.login()),
            enclosure: None,
            labels: Arc::default(),
            treatment,
        };
        let config = Config {
            slow_rounds: 2,
            ..Config::new(vec![target])
        };
        let shared = Shared::new(&config.targets);
        let settings = EngineConfig::of(&config, 1);
        let mut engine = Engine::new(self.now, 1_000 * EPOCH_S, &settings, &shared);
        engine.add(self.now, (0..).zip(config.targets));
        self.fleet = Some((engine, shared));
    }

    /// Treats the machine in another way.
    pub(crate) fn treat(&mut self, treatment: Treatment) {
        let (engine, _) = self.fleet.as_mut().unwrap();
        engine.set_treatment(self.now, 0, &treatment);
    }

    /// What the fleet did so far.
    pub(crate) fn counters(&self) -> Counters {
        *self.fleet.as_ref().unwrap().0.counters()
    }

    /// The way to the machine is as bad as this.
    pub(crate) fn over(mut self, quality: Quality) -> Self {
        self.network = Network::new(quality, 1);
        self
    }

    /// Lets time pass.
    pub(crate) fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        while self.now < end {
            self.transmit();
            let engine = self
                .fleet
                .as_ref()
                .and_then(|(engine, _)| engine.next_deadline());
            let next = [self.network.next_at(), engine].into_iter().flatten().min();
            self.now = next
                .unwrap_or(end)
                .max(self.now + Duration::from_nanos(1))
                .min(end);
            self.carry(&mut |_| {});
            if let Some((engine, _)) = &mut self.fleet {
                engine.handle_timeouts(self.now);
            }
        }
    }

    fn transmit(&mut self) {
        let mut out = [0; DATAGRAM_MAX];
        let (now, from) = (self.now, local(FLEET));
        if let Some((engine, _)) = &mut self.fleet {
            while let Some((to, len)) = engine.poll_transmit(now, &mut self.entropy, &mut out) {
                self.network.send(now, from, to, &out[..len]);
            }
        }
    }

    /// Hands over what has arrived by now; what is for neither fleet nor BMC goes to `console`.
    fn carry(&mut self, console: &mut dyn FnMut(&mut [u8])) {
        while let Some(mut arrival) = self.network.receive(self.now) {
            if arrival.from.port() == PORT {
                self.sent.push((arrival.to.port(), arrival.bytes.clone()));
            }
            match &mut self.fleet {
                Some((engine, _)) if arrival.to == local(FLEET) => {
                    engine.handle_datagram(self.now, arrival.from, &mut arrival.bytes);
                }
                _ if arrival.to.port() != PORT => console(&mut arrival.bytes),
                _ => self.deliver(arrival.from, arrival.to, &mut arrival.bytes),
            }
        }
    }

    fn deliver(&mut self, from: SocketAddr, to: SocketAddr, bytes: &mut [u8]) {
        let IpAddr::V4(local) = to.ip() else {
            panic!("{to}")
        };
        let (now, entropy) = (self.machine_now(), &mut self.entropy);
        let mut out = [0; DATAGRAM_MAX];
        let reply = self.bmcs.handle(now, entropy, local, from, bytes, &mut out);
        if let Some(reply) = reply {
            self.network
                .send(self.now + reply.delay, to, from, &out[..reply.len]);
        }
    }

    /// Sends a datagram that is no session's; what comes back.
    pub(crate) fn exchange(&mut self, datagram: &[u8]) -> Vec<Vec<u8>> {
        let (from, to) = (local(50_000), self.address());
        let before = self.sent.len();
        self.network.send(self.now, from, to, datagram);
        for _ in 0..2 {
            self.now = self.network.next_at().unwrap_or(self.now);
            self.carry(&mut |_| {});
        }
        self.sent[before..]
            .iter()
            .map(|(_, bytes)| bytes.clone())
            .collect()
    }

    /// Tells `observer` what happens to the node from now on.
    pub(crate) fn observe(&self, observer: Arc<dyn Observer>) {
        let (_, shared) = self.fleet.as_ref().unwrap();
        shared.observe(observer);
    }

    /// The newest snapshot.
    pub(crate) fn node(&self) -> Arc<Node> {
        let id = self.site.machine(0, Instant::ORIGIN).identity().id.clone();
        let (_, shared) = self.fleet.as_ref().unwrap();
        shared.node(id.as_str()).unwrap()
    }

    /// Lets the fleet change something, and gives it a minute.
    pub(crate) fn apply(&mut self, change: Change) -> Result<(), ApplyError> {
        let (sender, mut told) = outcome();
        let now = self.now;
        let job = Job {
            node: self.node().id.clone(),
            change,
            outcome: sender,
        };
        self.fleet.as_mut().unwrap().0.submit(now, 0, job);
        self.run_for(Duration::from_secs(60));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::Pin::new(&mut told).poll(&mut cx) {
            std::task::Poll::Ready(told) => told,
            std::task::Poll::Pending => panic!("the change has no outcome after a minute"),
        }
    }

    /// A console at its own port.
    pub(crate) fn console(&mut self, port: u16) -> Console {
        self.console_by(self.by, port)
    }

    /// The same with a log-in of its own.
    pub(crate) fn console_by(&mut self, by: By, port: u16) -> Console {
        self.sessions += 1;
        let login = Arc::new(by.login());
        let mut session = Session::new(login, Arc::new(Policy::default()));
        session.connect(self.now, NonZeroU32::new(self.sessions).unwrap());
        Console { session, port }
    }

    /// Runs until a console's session has something to tell.
    pub(crate) fn wait(&mut self, console: &mut Console) -> Told {
        loop {
            let mut out = [0; DATAGRAM_MAX];
            let (here, there) = (local(console.port), self.address());
            while let Some(len) =
                console
                    .session
                    .poll_transmit(self.now, &mut self.entropy, &mut out)
            {
                self.network.send(self.now, here, there, &out[..len]);
            }
            let timeout = console.session.poll_timeout();
            let next = [self.network.next_at(), timeout]
                .into_iter()
                .flatten()
                .min();
            self.now = self.now.max(next.expect("something to wait for"));
            let now = self.now;
            let mut told = None;
            self.carry(&mut |bytes| {
                let event = console.session.handle_datagram(now, bytes);
                told = told
                    .take()
                    .or_else(|| event.ok().and_then(|event| Told::of(&event)));
            });
            if told.is_none() && timeout.is_some_and(|at| at <= now) {
                told = Told::of(&console.session.handle_timeout(now));
            }
            if let Some(told) = told {
                return told;
            }
        }
    }

    /// Asks by numbers.
    pub(crate) fn ask(&mut self, console: &mut Console, numbers: (NetFn, u8), data: &[u8]) -> Told {
        let (netfn, cmd) = numbers;
        let target = RequestTarget { netfn, cmd, lun: 0 };
        console
            .session
            .request_raw(self.now, target, data, true)
            .unwrap();
        self.wait(console)
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A console of its own beside the fleet.
pub(crate) struct Console {
    pub(crate) session: Session,
    port: u16,
}

/// What a console's session told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Established,
    Answer(u8, Vec<u8>),
    TimedOut,
    Failed(LoginFailure),
    Lost,
    Closed,
}

impl Told {
    fn of(event: &Event<'_>) -> Option<Self> {
        Some(match event {
            Event::None | Event::Payload(..) => return None,
            Event::Established => Self::Established,
            Event::Response(response) => {
                Self::Answer(response.completion.0, response.data.to_vec())
            }
            Event::RequestTimedOut(_) => Self::TimedOut,
            Event::LoginFailed(failure) => Self::Failed(*failure),
            Event::SessionLost(_) => Self::Lost,
            Event::Closed => Self::Closed,
        })
    }
}
