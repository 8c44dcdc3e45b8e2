//! What is wrong with a BMC's session layer on purpose: the quirks of [`Config::defects`], one short function each.
//!
//! Those of the device behind it are its [`Handler`](super::Handler)'s.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::commands::Own;
use super::config::Config;
use super::session::Opened;
use crate::command::Command;
use crate::command::app::{
    ActivatePayload, ActivateSession, GetChannelAuthenticationCapabilities, GetChannelCipherSuites,
    GetPayloadActivationStatus, GetSystemGuid, SetSessionPrivilegeLevel,
};
use crate::crypto::{Algorithms, Code, Exchange, SessionKey, UserKey, V15Channel};
use crate::number::{
    AuthAlgorithm, CipherSuiteId, CompletionCode, NetFn, PrivilegeLevel, RakpStatus,
    RequestedPrivilege, UserLookup,
};
use crate::quirk::Quirk;
use crate::wire::message::MessageHeader;
use crate::wire::rakp::{OpenSessionRequest, Rakp1, Role};

/// Requests that one session lives for with [`Quirk::SessionDroppedSilently`].
const REQUESTS_UNTIL_DROPPED: u32 = 600;
/// With [`Quirk::OftenBusy`] and [`Quirk::StaleAnswerFirst`] it hits one request of so many.
const HIT_EVERY: u32 = 5;
/// How far a request's number may be ahead of the last one's with [`Quirk::RequestNumbersNarrow`].
const REQUEST_NUMBERS: u8 = 7;
/// Where in a packet of RMCP+ the low byte of the payload's length is.
const PAYLOAD_LEN_AT: usize = 14;

/// What a BMC with defects remembers, besides what every BMC does. No room is taken while there are none.
#[derive(Debug, Default)]
pub(super) struct Lapse(Option<Box<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    /// Set-ups that were hit.
    setups: u32,
    /// Requests in sessions.
    requests: u32,
    /// Number of the last request.
    rq_seq: Option<u8>,
    /// The last answer.
    stale: Vec<u8>,
}

/// What becomes of a request in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is carried out.
    Executed,
    /// It is not answered.
    Dropped,
    /// Its session is gone.
    SessionGone,
    /// It is answered "node busy".
    Busy,
    /// It gets the answer of the one before.
    Stale,
}

impl Config {
    pub(super) const fn has(&self, quirk: Quirk) -> bool {
        self.defects.has(quirk)
    }
}

impl Lapse {
    fn memory(&mut self) -> &mut Memory {
        self.0.get_or_insert_default()
    }

    /// The last answer, for [`Fate::Stale`].
    pub(super) fn stale(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |memory| &memory.stale)
    }

    /// Remembers an answer.
    pub(super) fn remember(&mut self, config: &Config, answer: &[u8]) {
        if config.has(Quirk::StaleAnswerFirst) {
            let stale = &mut self.memory().stale;
            stale.clear();
            stale.extend_from_slice(answer);
        }
    }

    /// Every other time, beginning with the first.
    pub(super) fn every_other(&mut self) -> bool {
        let memory = self.memory();
        memory.setups = memory.setups.wrapping_add(1);
        memory.setups & 1 == 1
    }

    /// What becomes of a request.
    pub(super) fn fate(&mut self, config: &Config, header: &MessageHeader) -> Fate {
        if config.defects.is_empty() {
            return Fate::Executed;
        }
        let memory = self.memory();
        memory.requests = memory.requests.wrapping_add(1);
        let steps = |last: u8| header.rq_seq.wrapping_sub(last) & 0x3f;
        let is_far = memory
            .rq_seq
            .is_some_and(|last| steps(last) > REQUEST_NUMBERS);
        let is_first = header.cmd == SetSessionPrivilegeLevel::CMD;
        if is_first || !is_far || !config.has(Quirk::RequestNumbersNarrow) {
            memory.rq_seq = Some(header.rq_seq);
        }
        let hit = memory.requests.is_multiple_of(HIT_EVERY);
        if config.has(Quirk::RequestNumbersNarrow) && is_far && !is_first {
            Fate::Dropped
        } else if config.has(Quirk::SessionDroppedSilently)
            && memory.requests.is_multiple_of(REQUESTS_UNTIL_DROPPED)
        {
            Fate::SessionGone
        } else if config.has(Quirk::OftenBusy) && hit {
            Fate::Busy
        } else if config.has(Quirk::StaleAnswerFirst) && hit && !memory.stale.is_empty() {
            Fate::Stale
        } else {
            Fate::Executed
        }
    }
}

/// Spoils an answer of the session layer's own.
pub(super) fn own(config: &Config, netfn: NetFn, cmd: u8, request: &[u8], own: Own) -> Own {
    if config.defects.is_empty() || netfn != NetFn::APP {
        return own;
    }
    match cmd {
        GetChannelAuthenticationCapabilities::CMD => capabilities(config, request, own),
        GetChannelCipherSuites::CMD => suites(config, request, own),
        ActivatePayload::CMD | GetPayloadActivationStatus::CMD => payloads(config, cmd, own),
        GetSystemGuid::CMD if config.has(Quirk::GuidByteOrder) => {
            let mut own = own;
            own.data_mut().reverse();
            own
        }
        SetSessionPrivilegeLevel::CMD
            if config.has(Quirk::HighestPrivilegeRefused) && request == [0] =>
        {
            Own::refused(CompletionCode::INVALID_DATA_FIELD)
        }
        _ => own,
    }
}

fn payloads(config: &Config, cmd: u8, mut own: Own) -> Own {
    match own.data_mut() {
        // Auxiliary data, two sizes, port, VLAN.
        [_, _, _, _, sizes @ .., port_low, port_high, _, _] if cmd == ActivatePayload::CMD => {
            if config.has(Quirk::SolSizesWrong) {
                sizes.fill(0);
            }
            if config.has(Quirk::SolPortWrong) {
                core::mem::swap(port_low, port_high);
            }
        }
        [capacity, active, ..] => {
            if config.has(Quirk::SolCapacityZero) {
                *capacity = 0;
            }
            if config.has(Quirk::SolStatusWrong) {
                *active |= 1;
            }
        }
        _ => {}
    }
    own
}

fn capabilities(config: &Config, request: &[u8], mut own: Own) -> Own {
    let asks_for_v20 = request.first().is_some_and(|channel| channel & 0x80 != 0);
    if config.has(Quirk::VersionBitRefused) && asks_for_v20 {
        return Own::refused(CompletionCode::INVALID_DATA_FIELD);
    }
    let [_, auth_types, kinds, sessions, ..] = own.data_mut() else {
        return own;
    };
    if config.has(Quirk::AuthCapabilitiesWrong) {
        // No authentication type, no kind of user, and K_g said to be set.
        *auth_types &= 0x80;
        *kinds = *kinds & 0x18 | 0x20;
    }
    if says_codes_off(config) {
        *kinds |= 0x10;
    }
    if config.has(Quirk::V15SessionsMissing) {
        *sessions |= 1;
    }
    own
}

fn suites(config: &Config, request: &[u8], mut own: Own) -> Own {
    let by_algorithm = request.get(2).is_some_and(|index| index & 0x80 == 0);
    if config.has(Quirk::Sha256Refused)
        || config.has(Quirk::VersionBitRefused)
        || config.has(Quirk::AlgorithmListWrong) && by_algorithm
    {
        return Own::refused(CompletionCode::INVALID_COMMAND);
    }
    let [_, records @ ..] = own.data_mut() else {
        return own;
    };
    if config.has(Quirk::SuiteRecordsBroken) {
        records.fill(0);
    }
    if config.has(Quirk::SuitesCountedFrom1) {
        for record in records.chunks_exact_mut(5) {
            record[1] += 1;
        }
    }
    own
}

/// The suites that a BMC takes and offers.
pub(super) fn suites_of(config: &Config) -> &[CipherSuiteId] {
    const ONE: [CipherSuiteId; 1] = [CipherSuiteId::SUITE_3];
    if config.has(Quirk::OneSuiteOnly) {
        &ONE
    } else {
        &config.suites
    }
}

/// Why a session is not opened.
pub(super) fn refuse_open(
    config: &Config,
    request: &OpenSessionRequest,
    is_taken: bool,
) -> Result<(), RakpStatus> {
    if config.defects.is_empty() {
        return Ok(());
    }
    let by_sha256 = request.algorithms.auth == Some(AuthAlgorithm::HMAC_SHA256);
    let level = request.privilege;
    let refusals = [
        (
            Quirk::HighestPrivilegeRefused,
            level == RequestedPrivilege::HIGHEST,
            RakpStatus::INVALID_ROLE,
        ),
        (
            Quirk::Sha256Refused,
            by_sha256,
            RakpStatus::INVALID_AUTHENTICATION_ALGORITHM,
        ),
        (
            Quirk::SuiteOfferedUnusable,
            by_sha256,
            RakpStatus::NO_CIPHER_SUITE_MATCH,
        ),
        (
            Quirk::OpenSessionErrorShort,
            by_sha256,
            RakpStatus::INVALID_INTEGRITY_ALGORITHM,
        ),
        (
            Quirk::CompletionCodeAsStatus,
            by_sha256,
            RakpStatus(CompletionCode::INVALID_DATA_FIELD.0),
        ),
        (
            Quirk::SuiteTiedToPrivilege,
            by_sha256 && level != PrivilegeLevel::USER.into(),
            RakpStatus::INVALID_ROLE,
        ),
        (
            Quirk::OneSessionSlot,
            is_taken,
            RakpStatus::INSUFFICIENT_RESOURCES,
        ),
    ];
    let hit = refusals
        .iter()
        .find(|(quirk, hit, _)| *hit && config.has(*quirk));
    hit.map_or(Ok(()), |(_, _, status)| Err(*status))
}

/// Why a user isn't challenged.
pub(super) fn refuse_challenge(
    config: &Config,
    lapse: &mut Lapse,
    rakp1: &Rakp1,
) -> Result<(), RakpStatus> {
    if config.has(Quirk::NameOnlyLookupRefused) && rakp1.role.lookup() == UserLookup::NAME_ONLY {
        return Err(RakpStatus::INVALID_ROLE);
    }
    if config.has(Quirk::Rakp2SessionForgotten) && lapse.every_other() {
        return Err(RakpStatus::INVALID_SESSION_ID);
    }
    if config.has(Quirk::RakpParameterRefusedOnce) && lapse.every_other() {
        return Err(RakpStatus::ILLEGAL_PARAMETER);
    }
    Ok(())
}

/// What goes into the codes in place of what should.
pub(super) fn exchange(config: &Config, opened: Opened, mut exchange: Exchange) -> Exchange {
    if config.has(Quirk::OpenSessionRoleHashed) {
        exchange.role = Role(exchange.role.0 & 0x10 | opened.privilege.0);
    }
    if config.has(Quirk::RakpLookupBitLeftOut) {
        exchange.role = Role(exchange.role.0 & 0x0f);
    }
    if config.has(Quirk::RakpNamePadded) {
        exchange.user_name = exchange.user_name.padded();
    }
    if config.has(Quirk::Rakp2GuidZero) {
        exchange.guid = [0; 16];
    }
    exchange
}

/// The password as far as it counts.
pub(super) fn password(config: &Config, password: &UserKey) -> UserKey {
    if config.has(Quirk::PasswordCutAt16) {
        password.cut()
    } else {
        password.clone()
    }
}

/// The check value of RAKP Message 4.
pub(super) fn rakp4_code(config: &Config, exchange: &Exchange, key: &SessionKey) -> Code {
    if config.has(Quirk::Suite0Code) && exchange.algorithm == AuthAlgorithm::NONE {
        Code::new(&[0x5a; 12]).unwrap_or(Code::EMPTY)
    } else if config.has(Quirk::Rakp4CodeWhole) {
        exchange.rakp4_code_whole(key)
    } else {
        exchange.rakp4_code(key)
    }
}

/// Spoils the packet of RAKP Message 2.
pub(super) fn rakp2_packet(config: &Config, packet: &mut [u8]) {
    if config.has(Quirk::Rakp2LengthOff)
        && let Some(len) = packet.get_mut(PAYLOAD_LEN_AT)
    {
        *len += 1;
    }
}

/// Spoils a message of a session.
pub(super) fn message(config: &Config, message: &mut [u8]) {
    if config.has(Quirk::MessageChecksumWrong)
        && let Some(last) = message.last_mut()
    {
        *last ^= 0x55;
    }
}

/// The ID that an IPMI 1.5 session gets in place of `id`.
pub(super) const fn v15_session_id(config: &Config, id: u32) -> u32 {
    if config.has(Quirk::SessionIdZero) {
        0
    } else {
        id
    }
}

/// The number that the console chose for our first packet, as this BMC has it.
pub(super) const fn v15_outbound(config: &Config, command: &ActivateSession) -> u32 {
    let chosen = command.outbound_sequence;
    if config.has(Quirk::ActivationSequenceOff) {
        chosen.wrapping_add(1)
    } else {
        chosen
    }
}

/// Whether it says, and isn't right, that packets after log-in need no code.
pub(super) const fn says_codes_off(config: &Config) -> bool {
    config.has(Quirk::CodesThoughOff) || config.has(Quirk::DropsWithoutCode)
}

/// Spoils an IPMI 1.5 session.
pub(super) const fn v15_channel(config: &Config, mut channel: V15Channel) -> V15Channel {
    channel.byte_swapped = config.has(Quirk::SequenceByteSwapped);
    channel
}

/// Spoils it once Activate Session is answered.
pub(super) const fn v15_activated(config: &Config, channel: &mut V15Channel) {
    channel.never_a_code = config.has(Quirk::DropsWithoutCode);
}

/// The algorithms of [`Quirk::OneSuiteOnly`] and all others.
pub(super) fn algorithms(config: &Config) -> impl Iterator<Item = Algorithms> + '_ {
    suites_of(config)
        .iter()
        .filter_map(|suite| Algorithms::of(*suite))
}
