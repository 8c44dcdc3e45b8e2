//! Reading the vectors.

use std::path::PathBuf;

use ipmi::crypto::{Algorithms, Channel, Exchange, SessionKey, UserKey};
use ipmi::number::{CipherSuiteId, PayloadType};
use ipmi::wire::rakp::{OpenSessionResponse, OpenedSession, Rakp1, Rakp2};
use ipmi::wire::session::SessionHeader;
use ipmi::wire::{Reader, rmcp};

/// One captured run.
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) suite: CipherSuiteId,
    pub(crate) password: UserKey,
    pub(crate) datagrams: Vec<Datagram>,
    /// What ipmitool printed, line by line.
    pub(crate) printed: Vec<String>,
}

pub(crate) struct Datagram {
    pub(crate) from_console: bool,
    pub(crate) bytes: Vec<u8>,
    /// The IPMI message inside a protected one, as an independent program decrypted it at capture time.
    pub(crate) opened: Option<Vec<u8>>,
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

impl Vector {
    fn parse(name: &str, text: &str) -> Self {
        let field = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key))
                .unwrap()
        };
        let mut datagrams = Vec::new();
        let mut opened = None;
        for line in text.lines() {
            if let Some(message) = line.strip_prefix("# opened: ") {
                opened = Some(hex(message));
            } else if let Some((arrow @ (">" | "<"), bytes)) = line.split_once(' ') {
                datagrams.push(Datagram {
                    from_console: arrow == ">",
                    bytes: hex(bytes),
                    opened: opened.take(),
                });
            }
        }
        Self {
            name: name.to_owned(),
            suite: CipherSuiteId(field("suite ").parse().unwrap()),
            password: UserKey::new(field("password ").as_bytes()).unwrap(),
            datagrams,
            printed: text
                .lines()
                .filter_map(|line| line.strip_prefix("# | "))
                .map(str::to_owned)
                .collect(),
        }
    }

    pub(crate) fn all() -> Vec<Self> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors");
        let mut paths: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        assert!(paths.len() >= 8, "only {} vectors found", paths.len());
        let read = |path: &PathBuf| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            Self::parse(&name, &std::fs::read_to_string(path).unwrap())
        };
        paths.iter().map(read).collect()
    }

    /// The vector of this name.
    pub(crate) fn named(name: &str) -> Self {
        Self::all()
            .into_iter()
            .find(|vector| vector.name == name)
            .unwrap()
    }

    /// The payload of the first session-less RMCP+ datagram of this type.
    pub(crate) fn payload(&self, wanted: PayloadType) -> &[u8] {
        let payload = |datagram: &'_ Datagram| {
            let (header, at) = header(&datagram.bytes);
            match header {
                SessionHeader::RmcpPlus(header) if header.payload_type == wanted => {
                    Some(at..at + usize::from(header.payload_len))
                }
                _ => None,
            }
        };
        let found = self
            .datagrams
            .iter()
            .find_map(|d| payload(d).map(|range| &d.bytes[range]));
        found.unwrap_or_else(|| panic!("{}: no payload of type {wanted:?}", self.name))
    }

    /// What the handshake agreed: everything but the secrets, and the algorithms.
    pub(crate) fn exchange(&self) -> (Exchange, Algorithms) {
        let opened = opened_session(self.payload(PayloadType::OPEN_SESSION_RESPONSE));
        let rakp1 = Rakp1::decode(&mut Reader::new(self.payload(PayloadType::RAKP_1))).unwrap();
        let rakp2 = Rakp2::decode(&mut Reader::new(self.payload(PayloadType::RAKP_2))).unwrap();
        let proof = rakp2.outcome.unwrap();
        let exchange = Exchange {
            algorithm: opened.algorithms.auth,
            console_session_id: rakp2.console_session_id,
            bmc_session_id: opened.bmc_session_id,
            console_random: rakp1.console_random,
            bmc_random: proof.bmc_random,
            guid: proof.guid,
            role: rakp1.role,
            user_name: rakp1.user_name,
        };
        (exchange, opened.algorithms)
    }

    pub(crate) fn session_key(&self) -> SessionKey {
        self.exchange().0.session_key(&self.password)
    }

    /// Both ends' channels: the console's, then the BMC's.
    pub(crate) fn channels(&self) -> (Channel, Channel) {
        let (exchange, algorithms) = self.exchange();
        let (console, bmc) = (exchange.console_session_id, exchange.bmc_session_id);
        let channel = |own, peer| {
            let key = self.session_key();
            Channel::new(algorithms, &key, &self.password, own, peer).unwrap()
        };
        (channel(console, bmc), channel(bmc, console))
    }

    /// The datagrams inside the session, in both directions.
    pub(crate) fn in_session(&self) -> impl Iterator<Item = &Datagram> {
        self.datagrams
            .iter()
            .filter(|datagram| header(&datagram.bytes).0.session_id() != 0)
    }

    /// Every IPMI message of the session in the clear, opened by our channels.
    pub(crate) fn messages(&self) -> Vec<(bool, Vec<u8>)> {
        let (mut console, mut bmc) = self.channels();
        let open = |datagram: &Datagram| {
            let mut bytes = datagram.bytes.clone();
            let receiver = if datagram.from_console {
                &mut bmc
            } else {
                &mut console
            };
            let opened = receiver.open(&mut bytes);
            let opened = opened.unwrap_or_else(|error| panic!("{}: {error:?}", self.name));
            assert_eq!(opened.payload_type, PayloadType::IPMI);
            (datagram.from_console, opened.payload.to_vec())
        };
        self.in_session().map(open).collect()
    }
}

/// The session header of a datagram and where its payload begins.
pub(crate) fn header(bytes: &[u8]) -> (SessionHeader, usize) {
    let mut r = Reader::new(bytes);
    assert_eq!(rmcp::decode(&mut r), Ok(rmcp::Class::Ipmi));
    let header = SessionHeader::decode(&mut r).unwrap();
    (header, r.position())
}

fn opened_session(payload: &[u8]) -> OpenedSession {
    OpenSessionResponse::decode(&mut Reader::new(payload))
        .unwrap()
        .outcome
        .unwrap()
}
