//! A console and a BMC on virtual time, with a network between them that does what a test says.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use ipmi::bmc::{Bmc, Config, Handler, Request, User};
use ipmi::command::app::Guid;
use ipmi::console::{Event, Ignored, Login, Policy, Session, State};
use ipmi::crypto::Algorithms;
use ipmi::entropy::Entropy;
use ipmi::number::{CipherSuiteId, CompletionCode, PayloadType, PrivilegeLevel, RakpStatus};
use ipmi::time::Instant;
use ipmi::wire::message::LanMessage;
use ipmi::wire::rakp::{OpenSessionRequest, OpenSessionResponse, Rakp1, Rakp2, Role, UserName};
use ipmi::wire::session::{SessionHeader, encode_sessionless};
use ipmi::wire::{DATAGRAM_MAX, Reader, Writer};

/// A seeded generator (SplitMix64).
pub struct Seeded(pub u64);

impl Seeded {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Get Device ID's answer of the device below.
pub const DEVICE_ID: [u8; 11] = [0x20, 1, 2, 3, 2, 0xbf, 0xa2, 2, 0, 1, 0];

/// A device that counts what it executes.
#[derive(Default)]
pub struct Device {
    pub executed: Vec<(u8, u8, Vec<u8>)>,
    /// Answers "node busy" this many times first.
    pub busy: u32,
    /// Answers everything with this completion code.
    pub answers: Option<u8>,
    /// Nobody may log in over the channel.
    pub is_closed: bool,
    /// The highest level of log-ins over the channel, where it has one.
    pub limit: Option<PrivilegeLevel>,
}

impl Handler for Device {
    fn handle(&mut self, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
        if let Some(code) = self.answers {
            return CompletionCode(code);
        }
        if self.busy > 0 {
            self.busy -= 1;
            return CompletionCode::NODE_BUSY;
        }
        self.executed
            .push((request.netfn.0, request.cmd, request.data.to_vec()));
        match (request.netfn.0, request.cmd) {
            (6, 1) => response.bytes(&DEVICE_ID),
            // Echo, for any length of data.
            (0x30, 1) => response.bytes(request.data),
            // More than fits.
            (0x30, 2) => response.bytes(&[0; DATAGRAM_MAX]),
            (0, 2) => {}
            // Send Message, to an IPMB with a controller 72h, answered with its answer.
            (6, 0x34) => return on_ipmb(request.data, response),
            _ => return CompletionCode::INVALID_COMMAND,
        }
        CompletionCode::OK
    }

    fn channel_limit(&mut self) -> Option<PrivilegeLevel> {
        (!self.is_closed).then_some(self.limit.unwrap_or(PrivilegeLevel::OEM))
    }
}

/// Address of the controller behind the BMC, and of the one behind that.
pub const SATELLITES: [u8; 2] = [0x72, 0x74];

/// Device ID of the controller behind the BMC.
pub const SATELLITE_ID: [u8; 11] = [0x72, 1, 2, 3, 2, 0xbf, 0xa2, 2, 0, 1, 0];

/// Executes Send Message's data as the IPMB behind it would; answers with the answer.
fn on_ipmb(data: &[u8], response: &mut Writer<'_>) -> CompletionCode {
    let Some((0x40, message)) = data
        .split_first()
        .map(|(track, rest)| (*track & 0xf0, rest))
    else {
        return CompletionCode::INVALID_DATA_FIELD;
    };
    let LanMessage { header, body } = LanMessage::decode(message).unwrap();
    if !SATELLITES.contains(&header.to) {
        // No acknowledge.
        return CompletionCode(0x83);
    }
    header.response().encode(response, |w| match header.cmd {
        0x34 => {
            let mut buffer = [0; 128];
            let mut inner = Writer::new(&mut buffer);
            w.u8(on_ipmb(body, &mut inner).0);
            w.bytes(inner.written());
        }
        0x01 => {
            w.u8(0);
            w.bytes(&SATELLITE_ID);
        }
        _ => w.u8(0xc1),
    });
    CompletionCode::OK
}

/// What an [`Event`] was, without its borrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    Established,
    Response(CompletionCode, Vec<u8>),
    TimedOut { maybe_executed: bool },
    LoginFailed(ipmi::console::LoginFailure),
    Lost,
    Closed,
}

fn happened(event: &Event<'_>) -> Option<Happened> {
    Some(match event {
        Event::None | Event::Payload(..) => return None,
        Event::Established => Happened::Established,
        Event::Response(response) => {
            Happened::Response(response.completion, response.data.to_vec())
        }
        Event::RequestTimedOut(request) => Happened::TimedOut {
            maybe_executed: request.maybe_executed,
        },
        Event::LoginFailed(failure) => Happened::LoginFailed(*failure),
        Event::SessionLost(_) => Happened::Lost,
        Event::Closed => Happened::Closed,
    })
}

pub const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 40_000);

pub fn user(privilege: PrivilegeLevel) -> User {
    User::new("admin", b"password", privilege).unwrap()
}

pub fn config() -> Config {
    Config::new(vec![user(PrivilegeLevel::ADMINISTRATOR)], Guid([7; 16]))
}

pub fn login(suites: &[u8]) -> Login {
    let suites: Vec<_> = suites.iter().copied().map(CipherSuiteId).collect();
    Login::new("admin", b"password")
        .unwrap()
        .with_suites(&suites)
        .unwrap()
}

/// A set-up payload as a whole datagram.
pub fn packet(payload_type: PayloadType, payload: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut buffer = [0; 256];
    let mut w = Writer::new(&mut buffer);
    encode_sessionless(payload_type, &mut w, payload);
    w.finish().unwrap();
    w.written().to_vec()
}

/// Type and bytes of a set-up payload; IPMI messages come as type 0.
pub fn payload(datagram: &[u8]) -> (PayloadType, &[u8]) {
    let mut r = Reader::new(&datagram[4..]);
    match SessionHeader::decode(&mut r).unwrap() {
        SessionHeader::RmcpPlus(header) if header.session_id == 0 => {
            (header.payload_type, r.rest())
        }
        _ => (PayloadType::IPMI, r.rest()),
    }
}

pub fn is(datagram: &[u8], payload_type: PayloadType) -> bool {
    payload(datagram).0 == payload_type
}

pub fn open(suite: u8, console_session_id: u32) -> Vec<u8> {
    let request = OpenSessionRequest {
        tag: 9,
        privilege: PrivilegeLevel::ADMINISTRATOR.into(),
        console_session_id,
        algorithms: Algorithms::of(CipherSuiteId(suite)).unwrap().into(),
    };
    packet(PayloadType::OPEN_SESSION_REQUEST, |w| request.encode(w))
}

pub fn opened(reply: &[u8]) -> Result<u32, RakpStatus> {
    let response = OpenSessionResponse::decode(&mut Reader::new(payload(reply).1)).unwrap();
    response.outcome.map(|opened| opened.bmc_session_id)
}

pub fn rakp1(bmc_session_id: u32, name: &str, role: Role) -> Vec<u8> {
    let rakp1 = Rakp1 {
        tag: 4,
        bmc_session_id,
        console_random: [3; 16],
        role,
        user_name: UserName::new(name.as_bytes()).unwrap(),
    };
    packet(PayloadType::RAKP_1, |w| rakp1.encode(w))
}

pub fn rakp2(reply: &[u8]) -> Rakp2 {
    Rakp2::decode(&mut Reader::new(payload(reply).1)).unwrap()
}

/// One console session and one BMC.
pub struct Pair {
    pub now: Instant,
    pub entropy: Seeded,
    pub session: Session,
    pub bmc: Bmc,
    pub device: Device,
    pub peer: SocketAddr,
    pub ignored: Vec<Ignored>,
    /// Every datagram that was sent: `true` for the console's.
    pub trace: Vec<(bool, Vec<u8>)>,
    next_id: u32,
}

impl Pair {
    pub fn new(login: Login, config: Config) -> Self {
        Self::with_policy(login, config, Policy::default())
    }

    pub fn with_policy(login: Login, config: Config, policy: Policy) -> Self {
        Self {
            now: Instant::ORIGIN,
            entropy: Seeded(1),
            session: Session::new(Arc::new(login), Arc::new(policy)),
            bmc: Bmc::new(Arc::new(config)),
            device: Device::default(),
            peer: PEER,
            ignored: Vec::new(),
            trace: Vec::new(),
            next_id: 0x1000,
        }
    }

    pub fn connect(&mut self) {
        self.next_id += 1;
        self.session
            .connect(self.now, NonZeroU32::new(self.next_id).unwrap());
    }

    /// The console's next datagram.
    pub fn transmit(&mut self) -> Option<Vec<u8>> {
        let mut out = [0xa5; DATAGRAM_MAX];
        let len = self
            .session
            .poll_transmit(self.now, &mut self.entropy, &mut out)?;
        self.trace.push((true, out[..len].to_vec()));
        Some(out[..len].to_vec())
    }

    /// Hands a datagram to the BMC; its reply.
    pub fn at_bmc(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        let mut datagram = datagram.to_vec();
        let mut out = [0xa5; DATAGRAM_MAX];
        let len = self.bmc.handle_datagram(
            self.now,
            &mut self.entropy,
            self.peer,
            &mut datagram,
            &mut self.device,
            &mut out,
        )?;
        self.trace.push((false, out[..len].to_vec()));
        Some(out[..len].to_vec())
    }

    /// Hands a datagram to the console.
    pub fn at_console(&mut self, datagram: &[u8]) -> Option<Happened> {
        let mut datagram = datagram.to_vec();
        match self.session.handle_datagram(self.now, &mut datagram) {
            Ok(event) => happened(&event),
            Err(ignored) => {
                self.ignored.push(ignored);
                None
            }
        }
    }

    /// Lets time pass to the session's next time-out.
    pub fn time_out(&mut self) -> Option<Happened> {
        self.now = self.session.poll_timeout()?;
        happened(&self.session.handle_timeout(self.now))
    }

    pub fn wait(&mut self, ms: u64) {
        self.now = self.now + Duration::from_millis(ms);
    }

    /// Runs until something happens, over a network that loses nothing.
    pub fn run(&mut self) -> Happened {
        self.run_over(|_, _| 1)
    }

    /// Runs until something happens. `network` says how often a datagram arrives: `(true, bytes)` for the
    /// console's.
    pub fn run_over(&mut self, mut network: impl FnMut(bool, &[u8]) -> usize) -> Happened {
        for _ in 0..10_000 {
            while let Some(request) = self.transmit() {
                for _ in 0..network(true, &request) {
                    let Some(reply) = self.at_bmc(&request) else {
                        continue;
                    };
                    for _ in 0..network(false, &reply) {
                        if let Some(happened) = self.at_console(&reply) {
                            return happened;
                        }
                    }
                }
            }
            if let Some(happened) = self.time_out() {
                return happened;
            }
        }
        panic!(
            "nothing happened in 10,000 rounds; state {:?}",
            self.session.state()
        );
    }

    pub fn establish(&mut self) {
        self.connect();
        assert_eq!(self.run(), Happened::Established);
        assert_eq!(self.session.state(), State::Established);
    }
}
