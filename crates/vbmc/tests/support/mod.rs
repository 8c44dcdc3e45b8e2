//! A site, a network on virtual time, and consoles that log in to it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use ipmi::bmc::{Config, User};
use ipmi::command::Command;
use ipmi::command::app::Guid;
use ipmi::command::storage::{GetSdr, GetSelEntry, SdrPart};
use ipmi::console::{Bridge, CommandError, Event, Login, LoginFailure, Policy, Session};
use ipmi::number::{CompletionCode, PrivilegeLevel};
use ipmi::record::RecordId;
use ipmi::record::sdr::SdrRecord;
use ipmi::time::Instant;
use ipmi::wire::DATAGRAM_MAX;
use vbmc::bmcs::Bmcs;
use vbmc::net::{Network, Quality, SeededEntropy};
use vbmc::site::{Site, SiteOptions};

/// Seconds since 1970 at the origin of virtual time.
pub(crate) const EPOCH_S: u64 = 1_795_000_000;

/// The port that everybody uses here.
const PORT: u16 = 623;

/// On a rough network a whole log-in may fail a few times.
const LOGINS_MAX: u32 = 10;

/// A site and one console's network to it.
pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) site: Arc<Site>,
    pub(crate) bmcs: Bmcs,
    pub(crate) network: Network,
    entropy: SeededEntropy,
    sessions: u32,
}

/// A console's session with one machine.
pub(crate) struct Console {
    pub(crate) session: Session,
    pub(crate) here: SocketAddr,
    there: SocketAddr,
}

/// What ended a wait.
#[derive(Debug, PartialEq)]
pub(crate) enum Ended {
    Established,
    Answer(CompletionCode, Vec<u8>),
    TimedOut,
    LoginFailed(LoginFailure),
    Lost,
    Closed,
}

impl World {
    pub(crate) fn new(nodes: u32, seed: u64) -> Self {
        Self::with_quality(nodes, seed, Quality::PERFECT)
    }

    pub(crate) fn with_quality(nodes: u32, seed: u64, quality: Quality) -> Self {
        let site = Site::new(SiteOptions {
            nodes,
            seed,
            epoch_s: EPOCH_S,
        })
        .unwrap();
        let site = Arc::new(site);
        let user = |name, password: &[u8], level| User::new(name, password, level).unwrap();
        let users = vec![
            user("admin", b"right", PrivilegeLevel::ADMINISTRATOR),
            user("watcher", b"look", PrivilegeLevel::USER),
        ];
        let bmcs = Bmcs::new(Arc::clone(&site), &Config::new(users, Guid::default()));
        let network = Network::new(quality, seed);
        let entropy = SeededEntropy::new(seed);
        Self {
            now: Instant::ORIGIN,
            site,
            bmcs,
            network,
            entropy,
            sessions: 0,
        }
    }

    /// Lets time pass.
    pub(crate) fn sleep(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }

    /// A console that begins to log in.
    pub(crate) fn dial(&mut self, index: u32, login: Login) -> Console {
        self.sessions += 1;
        let here = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 40_000);
        let there = SocketAddr::new(IpAddr::V4(self.site.address(index)), PORT);
        let mut session = Session::new(Arc::new(login), Arc::new(Policy::default()));
        session.connect(self.now, NonZeroU32::new(self.sessions).unwrap());
        Console {
            session,
            here,
            there,
        }
    }

    /// A console that has logged in as administrator.
    pub(crate) fn console(&mut self, index: u32) -> Console {
        for _ in 0..LOGINS_MAX {
            let mut console = self.dial(index, Login::new("admin", b"right").unwrap());
            if self.wait(&mut console) == Ended::Established {
                return console;
            }
        }
        panic!("machine {index} did not let us in");
    }

    /// Runs the network until the console's session has something to tell.
    pub(crate) fn wait(&mut self, console: &mut Console) -> Ended {
        loop {
            self.transmit(console);
            let arrival = self.network.next_at();
            let timeout = console.session.poll_timeout();
            let next = [arrival, timeout]
                .into_iter()
                .flatten()
                .min()
                .expect("nothing to wait for");
            self.now = self.now.max(next);
            if let Some(ended) = self.step(console) {
                // What the session has to send last, such as after it was closed, goes out.
                self.transmit(console);
                return ended;
            }
        }
    }

    fn transmit(&mut self, console: &mut Console) {
        let mut out = [0; DATAGRAM_MAX];
        while let Some(len) = console
            .session
            .poll_transmit(self.now, &mut self.entropy, &mut out)
        {
            self.network
                .send(self.now, console.here, console.there, &out[..len]);
        }
    }

    fn step(&mut self, console: &mut Console) -> Option<Ended> {
        while let Some(mut arrival) = self.network.receive(self.now) {
            if arrival.to == console.here {
                if arrival.from != console.there {
                    continue;
                }
                if let Some(ended) = console
                    .session
                    .handle_datagram(self.now, &mut arrival.bytes)
                    .ok()
                    .and_then(|event| ended(&event))
                {
                    return Some(ended);
                }
                self.transmit(console);
            } else {
                self.deliver(arrival.from, arrival.to, &mut arrival.bytes);
            }
        }
        if console
            .session
            .poll_timeout()
            .is_some_and(|at| at <= self.now)
        {
            return ended(&console.session.handle_timeout(self.now));
        }
        None
    }

    /// Hands a datagram to the BMCs and puts the reply on the network.
    pub(crate) fn deliver(&mut self, from: SocketAddr, to: SocketAddr, bytes: &mut [u8]) {
        let IpAddr::V4(local) = to.ip() else { return };
        let mut out = [0; DATAGRAM_MAX];
        let reply = self
            .bmcs
            .handle(self.now, &mut self.entropy, local, from, bytes, &mut out);
        let Some(reply) = reply else { return };
        if let Some(mark) = reply.command {
            self.bmcs.answered(reply.index, mark);
        }
        let copies = if reply.duplicate { 2 } else { 1 };
        for _ in 0..copies {
            self.network
                .send(self.now + reply.delay, to, from, &out[..reply.len]);
        }
    }

    /// Sends a command and decodes its answer.
    pub(crate) fn ask<C: Command>(
        &mut self,
        console: &mut Console,
        command: &C,
    ) -> Result<C::Response, CommandError> {
        self.ask_over(console, None, command)
    }

    /// The same of a controller behind the BMC.
    pub(crate) fn ask_over<C: Command>(
        &mut self,
        console: &mut Console,
        way: Option<Bridge>,
        command: &C,
    ) -> Result<C::Response, CommandError> {
        let asked = console.session.request_over(self.now, way, command);
        asked.unwrap();
        match self.wait(console) {
            Ended::Answer(CompletionCode::OK, data) => {
                let mut r = ipmi::wire::Reader::new(&data);
                ipmi::command::Message::decode(&mut r).map_err(CommandError::Wire)
            }
            Ended::Answer(code, _) => Err(CommandError::Completion(code)),
            other => panic!("{} ended in {other:?}", C::NAME),
        }
    }

    /// The machine's repository, record by record.
    pub(crate) fn records(&mut self, console: &mut Console) -> Vec<SdrRecord> {
        let (mut id, mut records) = (RecordId::FIRST, Vec::new());
        while id != RecordId::LAST {
            let part = self.ask(console, &GetSdr(SdrPart::whole(id))).unwrap();
            records.push(SdrRecord::decode(&part.data).unwrap());
            id = part.next;
        }
        records
    }

    /// The machine's event log, entry by entry.
    pub(crate) fn log(&mut self, console: &mut Console) -> Vec<[u8; 16]> {
        let (mut id, mut entries) = (RecordId::FIRST, Vec::new());
        while id != RecordId::LAST {
            let Ok(part) = self.ask(console, &GetSelEntry::whole(id)) else {
                break;
            };
            entries.push(part.data.as_slice().try_into().unwrap());
            id = part.next;
        }
        entries
    }
}

fn ended(event: &Event<'_>) -> Option<Ended> {
    Some(match event {
        Event::None | Event::Payload(..) => return None,
        Event::Established => Ended::Established,
        Event::Response(response) => Ended::Answer(response.completion, response.data.to_vec()),
        Event::RequestTimedOut(_) => Ended::TimedOut,
        Event::LoginFailed(failure) => Ended::LoginFailed(*failure),
        Event::SessionLost(_) => Ended::Lost,
        Event::Closed => Ended::Closed,
    })
}
