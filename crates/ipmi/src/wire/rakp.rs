//! Open Session and the four RAKP messages (§13.17-§13.23).

use super::{Reader, WireError, WireFault, Writer};
use crate::crypto::{Algorithms, Code};
use crate::number::{
    AuthAlgorithm, ConfidentialityAlgorithm, IntegrityAlgorithm, PrivilegeLevel, ProposalKind,
    RakpStatus, RequestedPrivilege, UserLookup,
};

/// Longest user name, in bytes (§13.20).
pub const USER_NAME_MAX: usize = 16;

/// A user name of 0 to 16 bytes, as RAKP Message 1 carries it.
#[derive(Clone, Copy, Default)]
pub struct UserName {
    bytes: [u8; USER_NAME_MAX],
    len: u8,
}

impl UserName {
    /// A name of at most 16 bytes; `None` for a longer one.
    #[must_use]
    pub fn new(name: &[u8]) -> Option<Self> {
        let mut bytes = [0; USER_NAME_MAX];
        bytes.get_mut(..name.len())?.copy_from_slice(name);
        Some(Self {
            bytes,
            len: u8::try_from(name.len()).ok()?,
        })
    }

    /// The name's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.len))
            .unwrap_or(&self.bytes)
    }

    /// The name with zeros up to 16 bytes.
    #[must_use]
    pub(crate) const fn padded(&self) -> Self {
        Self {
            bytes: self.bytes,
            len: USER_NAME_MAX as u8,
        }
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn len(&self) -> u8 {
        self.len
    }

    /// Whether this is the null user's name.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl PartialEq for UserName {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for UserName {}

impl core::fmt::Debug for UserName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

/// The role byte of RAKP Message 1: requested privilege and how the BMC is to look the user up (§13.20).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role(pub u8);

impl Role {
    /// Asks for `privilege`; the BMC looks the user up by name alone.
    #[must_use]
    pub const fn name_only(privilege: PrivilegeLevel) -> Self {
        Self(UserLookup::NAME_ONLY.0 << 4 | (privilege.0 & 0x0f))
    }

    /// The requested maximum privilege; 0 asks for the highest that the user may have.
    #[must_use]
    pub const fn privilege(self) -> PrivilegeLevel {
        PrivilegeLevel(self.0 & 0x0f)
    }

    /// How the BMC is to look the user up.
    #[must_use]
    pub const fn lookup(self) -> UserLookup {
        UserLookup(self.0 >> 4 & 1)
    }
}

impl From<PrivilegeLevel> for RequestedPrivilege {
    fn from(level: PrivilegeLevel) -> Self {
        Self(level.0)
    }
}

/// What a console proposes: each algorithm, or none where the BMC may choose (§13.17, the null payload).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Authentication of the key exchange.
    pub auth: Option<AuthAlgorithm>,
    /// Integrity of packets.
    pub integrity: Option<IntegrityAlgorithm>,
    /// Confidentiality of payloads.
    pub confidentiality: Option<ConfidentialityAlgorithm>,
}

impl From<Algorithms> for Proposal {
    fn from(algorithms: Algorithms) -> Self {
        Self {
            auth: Some(algorithms.auth),
            integrity: Some(algorithms.integrity),
            confidentiality: Some(algorithms.confidentiality),
        }
    }
}

impl Proposal {
    /// Whether the console takes these algorithms.
    #[must_use]
    pub fn allows(&self, algorithms: Algorithms) -> bool {
        self.auth.is_none_or(|asked| asked == algorithms.auth)
            && self
                .integrity
                .is_none_or(|asked| asked == algorithms.integrity)
            && self
                .confidentiality
                .is_none_or(|asked| asked == algorithms.confidentiality)
    }
}

fn encode_proposal(proposal: Proposal, w: &mut Writer<'_>) {
    let Proposal {
        auth,
        integrity,
        confidentiality,
    } = proposal;
    let numbers = [
        auth.map(|algorithm| algorithm.0),
        integrity.map(|algorithm| algorithm.0),
        confidentiality.map(|algorithm| algorithm.0),
    ];
    for (kind, number) in PROPOSAL.iter().zip(numbers) {
        let (len, number) = number.map_or((0, 0), |number| (ALGORITHM_LEN, number & 0x3f));
        w.bytes(&[kind.0, 0, 0, len, number, 0, 0, 0]);
    }
}

/// The algorithm payloads in their order.
const PROPOSAL: [ProposalKind; 3] = [
    ProposalKind::AUTHENTICATION,
    ProposalKind::INTEGRITY,
    ProposalKind::CONFIDENTIALITY,
];

/// Bytes of an algorithm payload; 0 in its place means "any".
const ALGORITHM_LEN: u8 = 8;

fn decode_proposal(r: &mut Reader<'_>) -> Result<Proposal, WireError> {
    let mut numbers = [None; 3];
    for (kind, number) in PROPOSAL.into_iter().zip(&mut numbers) {
        let [found, _, _, len, algorithm, ..] = r.array::<8>("algorithm payload")?;
        if ProposalKind(found) != kind {
            return Err(r.error("algorithm payload type", WireFault::Invalid));
        }
        *number = match len {
            ALGORITHM_LEN => Some(algorithm & 0x3f),
            0 => None,
            _ => return Err(r.error("algorithm payload length", WireFault::Invalid)),
        };
    }
    let [auth, integrity, confidentiality] = numbers;
    Ok(Proposal {
        auth: auth.map(AuthAlgorithm),
        integrity: integrity.map(IntegrityAlgorithm),
        confidentiality: confidentiality.map(ConfidentialityAlgorithm),
    })
}

/// Reads what was agreed: a choice left open is none.
fn decode_algorithms(r: &mut Reader<'_>) -> Result<Algorithms, WireError> {
    let open = r.error("algorithm payload length", WireFault::Invalid);
    match decode_proposal(r)? {
        Proposal {
            auth: Some(auth),
            integrity: Some(integrity),
            confidentiality: Some(confidentiality),
        } => Ok(Algorithms {
            auth,
            integrity,
            confidentiality,
        }),
        _ => Err(open),
    }
}

/// RMCP+ Open Session Request (§13.17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenSessionRequest {
    /// Comes back in the response.
    pub tag: u8,
    /// Requested maximum privilege.
    pub privilege: RequestedPrivilege,
    /// The ID that the console gives the session.
    pub console_session_id: u32,
    /// Proposed algorithms.
    pub algorithms: Proposal,
}

impl OpenSessionRequest {
    /// Writes the payload.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.tag, self.privilege.0 & 0x0f, 0, 0]);
        w.u32(self.console_session_id);
        encode_proposal(self.algorithms, w);
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// Too few bytes, or algorithm payloads that are not the three of §13.17 in their order.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [tag, privilege, ..] = r.array::<4>("Open Session Request")?;
        Ok(Self {
            tag,
            privilege: RequestedPrivilege(privilege & 0x0f),
            console_session_id: r.u32("console session ID")?,
            algorithms: decode_proposal(r)?,
        })
    }
}

/// RMCP+ Open Session Response (§13.18).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenSessionResponse {
    /// The request's tag.
    pub tag: u8,
    /// The console's session ID; `None` in the two-byte error that some BMCs send.
    pub console_session_id: Option<u32>,
    /// What was agreed, or why not.
    pub outcome: Result<OpenedSession, RakpStatus>,
}

/// The agreed half of an Open Session Response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenedSession {
    /// Granted maximum privilege.
    pub privilege: PrivilegeLevel,
    /// The ID that the BMC gives the session.
    pub bmc_session_id: u32,
    /// Algorithms that the BMC chose.
    pub algorithms: Algorithms,
}

impl OpenSessionResponse {
    /// Writes the payload.
    pub fn encode(&self, w: &mut Writer<'_>) {
        let (status, privilege) = match self.outcome {
            Ok(opened) => (RakpStatus::OK, opened.privilege.0),
            Err(status) => (status, 0),
        };
        w.bytes(&[self.tag, status.0, privilege, 0]);
        w.u32(self.console_session_id.unwrap_or(0));
        if let Ok(opened) = self.outcome {
            w.u32(opened.bmc_session_id);
            encode_proposal(opened.algorithms.into(), w);
        }
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// Too few bytes for what the status promises.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [tag, status] = r.array("Open Session Response")?;
        let status = RakpStatus(status);
        if status != RakpStatus::OK {
            let _ = r.take("privilege and reserved byte", 2);
            let console_session_id = r.u32("console session ID").ok();
            return Ok(Self {
                tag,
                console_session_id,
                outcome: Err(status),
            });
        }
        let [privilege, _] = r.array("privilege and reserved byte")?;
        let console_session_id = Some(r.u32("console session ID")?);
        let opened = OpenedSession {
            privilege: PrivilegeLevel(privilege & 0x0f),
            bmc_session_id: r.u32("BMC session ID")?,
            algorithms: decode_algorithms(r)?,
        };
        Ok(Self {
            tag,
            console_session_id,
            outcome: Ok(opened),
        })
    }
}

/// RAKP Message 1 (§13.20): the console names a user and sends its random number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rakp1 {
    /// Comes back in RAKP Message 2.
    pub tag: u8,
    /// The BMC's session ID.
    pub bmc_session_id: u32,
    /// The console's random number.
    pub console_random: [u8; 16],
    /// Requested privilege and look-up.
    pub role: Role,
    /// The user.
    pub user_name: UserName,
}

impl Rakp1 {
    /// Writes the payload.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.tag, 0, 0, 0]);
        w.u32(self.bmc_session_id);
        w.bytes(&self.console_random);
        w.bytes(&[self.role.0, 0, 0, self.user_name.len()]);
        w.bytes(self.user_name.as_bytes());
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// Too few bytes; a name length over 16 is [`WireFault::Invalid`] in `user name length`.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [tag, ..] = r.array::<4>("RAKP Message 1")?;
        let bmc_session_id = r.u32("BMC session ID")?;
        let console_random = r.array("console random number")?;
        let [role, _, _, name_len] = r.array("role and user name length")?;
        if usize::from(name_len) > USER_NAME_MAX {
            return Err(r.error("user name length", WireFault::Invalid));
        }
        let name = r.take("user name", usize::from(name_len))?;
        let user_name =
            UserName::new(name).ok_or_else(|| r.error("user name length", WireFault::Invalid))?;
        Ok(Self {
            tag,
            bmc_session_id,
            console_random,
            role: Role(role),
            user_name,
        })
    }
}

/// RAKP Message 2 (§13.21): the BMC proves that it knows the user's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rakp2 {
    /// The tag of RAKP Message 1.
    pub tag: u8,
    /// The console's session ID.
    pub console_session_id: u32,
    /// The proof, or why there is none.
    pub outcome: Result<Rakp2Proof, RakpStatus>,
}

/// The proving half of RAKP Message 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rakp2Proof {
    /// The BMC's random number.
    pub bmc_random: [u8; 16],
    /// The BMC's GUID.
    pub guid: [u8; 16],
    /// Key exchange authentication code.
    pub code: Code,
}

impl Rakp2 {
    /// Writes the payload.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.tag, status_of(self.outcome.map(|_| ())).0, 0, 0]);
        w.u32(self.console_session_id);
        if let Ok(proof) = &self.outcome {
            w.bytes(&proof.bmc_random);
            w.bytes(&proof.guid);
            w.bytes(proof.code.as_bytes());
        }
    }

    /// Reads the payload; the code is what is left of it.
    ///
    /// # Errors
    /// Too few bytes for what the status promises, or a code longer than any algorithm's.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let (tag, status, console_session_id) = decode_head(r)?;
        let outcome = match status {
            RakpStatus::OK => Ok(Rakp2Proof {
                bmc_random: r.array("BMC random number")?,
                guid: r.array("BMC GUID")?,
                code: decode_code(r)?,
            }),
            status => Err(status),
        };
        Ok(Self {
            tag,
            console_session_id,
            outcome,
        })
    }
}

/// RAKP Message 3 (§13.22): the console proves that it knows the user's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rakp3 {
    /// Comes back in RAKP Message 4.
    pub tag: u8,
    /// The BMC's session ID.
    pub bmc_session_id: u32,
    /// The proof (key exchange authentication code), or why the console gives up.
    pub outcome: Result<Code, RakpStatus>,
}

impl Rakp3 {
    /// Writes the payload.
    pub fn encode(&self, w: &mut Writer<'_>) {
        encode_code_message(self.tag, self.bmc_session_id, &self.outcome, w);
    }

    /// Reads the payload; the code is what is left of it.
    ///
    /// # Errors
    /// Too few bytes, or a code longer than any algorithm's.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let (tag, bmc_session_id, outcome) = decode_code_message(r)?;
        Ok(Self {
            tag,
            bmc_session_id,
            outcome,
        })
    }
}

/// RAKP Message 4 (§13.23): the BMC confirms the session key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rakp4 {
    /// The tag of RAKP Message 3.
    pub tag: u8,
    /// The console's session ID.
    pub console_session_id: u32,
    /// Integrity check value, or why there is no session.
    pub outcome: Result<Code, RakpStatus>,
}

impl Rakp4 {
    /// Writes the payload.
    pub fn encode(&self, w: &mut Writer<'_>) {
        encode_code_message(self.tag, self.console_session_id, &self.outcome, w);
    }

    /// Reads the payload; the code is what is left of it.
    ///
    /// # Errors
    /// Too few bytes, or a code longer than any algorithm's.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let (tag, console_session_id, outcome) = decode_code_message(r)?;
        Ok(Self {
            tag,
            console_session_id,
            outcome,
        })
    }
}

const fn status_of(outcome: Result<(), RakpStatus>) -> RakpStatus {
    match outcome {
        Ok(()) => RakpStatus::OK,
        Err(status) => status,
    }
}

fn decode_head(r: &mut Reader<'_>) -> Result<(u8, RakpStatus, u32), WireError> {
    let [tag, status, _, _] = r.array("RAKP message")?;
    Ok((tag, RakpStatus(status), r.u32("session ID")?))
}

fn decode_code(r: &mut Reader<'_>) -> Result<Code, WireError> {
    let at = r.position();
    Code::new(r.rest()).ok_or(WireError {
        field: "authentication code",
        at,
        fault: WireFault::Invalid,
    })
}

fn encode_code_message(
    tag: u8,
    session_id: u32,
    outcome: &Result<Code, RakpStatus>,
    w: &mut Writer<'_>,
) {
    w.bytes(&[tag, status_of(outcome.map(|_| ())).0, 0, 0]);
    w.u32(session_id);
    if let Ok(code) = outcome {
        w.bytes(code.as_bytes());
    }
}

type CodeMessage = (u8, u32, Result<Code, RakpStatus>);

fn decode_code_message(r: &mut Reader<'_>) -> Result<CodeMessage, WireError> {
    let (tag, status, session_id) = decode_head(r)?;
    let outcome = if status == RakpStatus::OK {
        Ok(decode_code(r)?)
    } else {
        Err(status)
    };
    Ok((tag, session_id, outcome))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::CipherSuiteId;

    fn written(encode: impl FnOnce(&mut Writer<'_>)) -> std::vec::Vec<u8> {
        let mut buffer = [0xa5; 128];
        let mut w = Writer::new(&mut buffer);
        encode(&mut w);
        w.written().to_vec()
    }

    #[test]
    fn open_session_has_the_bytes_of_tables_13_9_and_13_10() {
        let Some(algorithms) = Algorithms::of(CipherSuiteId(17)) else {
            panic!("suite 17")
        };
        let request = OpenSessionRequest {
            tag: 9,
            privilege: PrivilegeLevel::ADMINISTRATOR.into(),
            console_session_id: 0x0403_0201,
            algorithms: algorithms.into(),
        };
        let tail = [
            0, 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 8, 4, 0, 0, 0, 2, 0, 0, 8, 1, 0, 0, 0,
        ];
        let bytes = written(|w| request.encode(w));
        assert_eq!(bytes, [&[9, 4, 0, 0, 1, 2, 3, 4][..], &tail].concat());
        assert_eq!(
            OpenSessionRequest::decode(&mut Reader::new(&bytes)),
            Ok(request)
        );
        let response = OpenSessionResponse {
            tag: 9,
            console_session_id: Some(0x0403_0201),
            outcome: Ok(OpenedSession {
                privilege: PrivilegeLevel::ADMINISTRATOR,
                bmc_session_id: 0x0807_0605,
                algorithms,
            }),
        };
        let bytes = written(|w| response.encode(w));
        assert_eq!(
            bytes,
            [&[9, 0, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8][..], &tail].concat()
        );
        assert_eq!(
            OpenSessionResponse::decode(&mut Reader::new(&bytes)),
            Ok(response)
        );
    }

    #[test]
    fn an_algorithm_of_length_0_is_the_bmcs_choice_in_a_request_and_none_in_an_answer() {
        let proposal = Proposal {
            auth: None,
            integrity: None,
            confidentiality: Some(ConfidentialityAlgorithm::AES_CBC_128),
        };
        let request = OpenSessionRequest {
            tag: 9,
            privilege: PrivilegeLevel::ADMINISTRATOR.into(),
            console_session_id: 1,
            algorithms: proposal,
        };
        let bytes = written(|w| request.encode(w));
        assert_eq!(bytes[8..20], [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(
            OpenSessionRequest::decode(&mut Reader::new(&bytes)),
            Ok(request)
        );
        for suite in [3, 8, 12, 17] {
            assert!(Algorithms::of(CipherSuiteId(suite)).is_some_and(|all| proposal.allows(all)));
        }
        assert!(Algorithms::of(CipherSuiteId(16)).is_some_and(|all| !proposal.allows(all)));
        let answer = [&[9, 0, 4, 0, 1, 0, 0, 0, 2, 0, 0, 0][..], &bytes[8..]].concat();
        assert!(OpenSessionResponse::decode(&mut Reader::new(&answer)).is_err());
    }

    #[test]
    fn an_open_session_error_may_have_two_bytes_or_eight() {
        let error = |console_session_id| OpenSessionResponse {
            tag: 7,
            console_session_id,
            outcome: Err(RakpStatus::INSUFFICIENT_RESOURCES),
        };
        let read = |bytes: &[u8]| OpenSessionResponse::decode(&mut Reader::new(bytes));
        assert_eq!(read(&[7, 1]), Ok(error(None)));
        assert_eq!(
            read(&[7, 1, 0, 0, 1, 2, 3, 4]),
            Ok(error(Some(0x0403_0201)))
        );
        assert!(read(&[7]).is_err());
    }

    #[test]
    fn rakp_1_has_the_bytes_of_table_13_11_and_needs_all_of_them() {
        let rakp1 = Rakp1 {
            tag: 3,
            bmc_session_id: 0x0807_0605,
            console_random: [0x11; 16],
            role: Role::name_only(PrivilegeLevel::ADMINISTRATOR),
            user_name: UserName::new(b"admin").unwrap_or_default(),
        };
        let bytes = written(|w| rakp1.encode(w));
        let head = [3, 0, 0, 0, 5, 6, 7, 8];
        assert_eq!(
            bytes,
            [&head[..], &[0x11; 16], &[0x14, 0, 0, 5], b"admin"].concat()
        );
        assert_eq!(Rakp1::decode(&mut Reader::new(&bytes)), Ok(rakp1));
        for len in 0..bytes.len() {
            assert!(
                Rakp1::decode(&mut Reader::new(&bytes[..len])).is_err(),
                "{len} bytes"
            );
        }
    }

    #[test]
    fn rakp_2_to_4_carry_a_proof_or_a_status() {
        let code = Code::new(&[0x44; 20]).unwrap_or(Code::EMPTY);
        let proof = Rakp2Proof {
            bmc_random: [0x22; 16],
            guid: [0x33; 16],
            code,
        };
        for outcome in [Ok(proof), Err(RakpStatus::UNAUTHORIZED_NAME)] {
            let rakp2 = Rakp2 {
                tag: 1,
                console_session_id: 2,
                outcome,
            };
            let bytes = written(|w| rakp2.encode(w));
            assert_eq!(
                bytes.len(),
                if outcome.is_ok() { 8 + 16 + 16 + 20 } else { 8 }
            );
            assert_eq!(Rakp2::decode(&mut Reader::new(&bytes)), Ok(rakp2));
        }
        for outcome in [Ok(code), Err(RakpStatus::INVALID_INTEGRITY_CHECK)] {
            let rakp3 = Rakp3 {
                tag: 1,
                bmc_session_id: 2,
                outcome,
            };
            let bytes = written(|w| rakp3.encode(w));
            assert_eq!(Rakp3::decode(&mut Reader::new(&bytes)), Ok(rakp3));
            let rakp4 = Rakp4 {
                tag: 1,
                console_session_id: 2,
                outcome,
            };
            let bytes = written(|w| rakp4.encode(w));
            assert_eq!(Rakp4::decode(&mut Reader::new(&bytes)), Ok(rakp4));
        }
        assert!(
            Rakp3::decode(&mut Reader::new(&[0; 8 + 33])).is_err(),
            "longer than any code"
        );
    }
}
