//! Log-in, step by step (§13.15): from the first question to the session's keys.

use alloc::boxed::Box;

use super::event::{Ignored, LoginFailure};
use super::login::Login;
use super::retry::{OPTIONAL_ATTEMPTS, Policy};
use crate::command::app::get_channel_authentication_capabilities::CHANNEL_CURRENT;
use crate::command::app::get_channel_cipher_suites::{CHUNKS_MAX, SuiteRecords};
use crate::command::app::{
    ChannelAuthenticationCapabilities, CipherSuitesChunk, GetChannelAuthenticationCapabilities,
    GetChannelCipherSuites,
};
use crate::command::{Command, Message};
use crate::crypto::{Algorithms, Channel, Code, Exchange, SessionKey, SuiteSet};
use crate::entropy::Entropy;
use crate::number::{CipherSuiteId, CompletionCode, PayloadType, RakpStatus};
use crate::wire::message::{LanMessage, MessageHeader};
use crate::wire::rakp::{
    OpenSessionRequest, OpenSessionResponse, Rakp1, Rakp2, Rakp3, Rakp4, Role,
};
use crate::wire::session::{SessionHeader, encode_sessionless, encode_v15_sessionless};
use crate::wire::{Reader, WireError, WireFault, Writer, rmcp};

/// A log-in under way.
#[derive(Debug)]
pub(super) struct Handshake {
    console_session_id: u32,
    /// Marks this attempt's messages; answers to an earlier attempt carry another tag.
    tag: u8,
    rq_seq: u8,
    /// Which of the login's suites is being tried.
    suite: usize,
    offered: Option<SuiteSet>,
    /// How often Open Session was begun.
    logins: u8,
    step: Step,
}

/// Which answer is awaited, with what was learnt so far.
#[derive(Debug)]
enum Step {
    ExpectAuthenticationCapabilities,
    ExpectCipherSuites { index: u8, records: SuiteRecords },
    ExpectOpenSessionResponse,
    ExpectRakp2(SessionOpened),
    ExpectRakp4(BmcVerified),
}

/// The BMC agreed to algorithms and named its session; nothing is proven.
#[derive(Clone, Copy, Debug)]
struct SessionOpened {
    bmc_session_id: u32,
    algorithms: Algorithms,
    console_random: [u8; 16],
}

/// Proof that the BMC knows the user's key: only [`SessionOpened::verify`] makes it, and RAKP Message 3 can't be
/// written without it.
#[derive(Debug)]
struct BmcVerified {
    algorithms: Algorithms,
    exchange: Exchange,
    rakp3_code: Code,
    session_key: SessionKey,
}

impl SessionOpened {
    fn verify(&self, rakp2: &Rakp2, login: &Login) -> Result<BmcVerified, LoginFailure> {
        let proof = rakp2.outcome.map_err(failure_of)?;
        let exchange = Exchange {
            algorithm: self.algorithms.auth,
            console_session_id: rakp2.console_session_id,
            bmc_session_id: self.bmc_session_id,
            console_random: self.console_random,
            bmc_random: proof.bmc_random,
            guid: proof.guid,
            role: Role::name_only(login.privilege()),
            user_name: *login.user_name(),
        };
        if exchange.rakp2_code(login.password()) != proof.code {
            return Err(LoginFailure::WrongPassword);
        }
        Ok(BmcVerified {
            algorithms: self.algorithms,
            rakp3_code: exchange.rakp3_code(login.password()),
            session_key: exchange.session_key(login.session_secret()),
            exchange,
        })
    }
}

impl BmcVerified {
    /// The session's channel, once RAKP Message 4 confirms that the BMC made the same key.
    fn confirm(&self, code: &Code) -> Result<Channel, LoginFailure> {
        if self.exchange.rakp4_code(&self.session_key) != *code {
            return Err(LoginFailure::NotAuthentic);
        }
        let Exchange {
            console_session_id,
            bmc_session_id,
            ..
        } = self.exchange;
        Channel::new(
            self.algorithms,
            &self.session_key,
            console_session_id,
            bmc_session_id,
        )
        .ok_or(LoginFailure::AlgorithmsChanged)
    }
}

/// What an answer, or its absence, leads to.
pub(super) enum Next {
    /// Send the present step's message, as a new one.
    Send,
    /// Send the present step's message once more.
    Repeat,
    /// Logged in, but for the privilege level.
    Done(Box<Channel>, CipherSuiteId),
    /// Log-in failed.
    Fail(LoginFailure),
    /// Log-in failed, and the BMC is owed RAKP Message 3 that says so.
    Refuse(LoginFailure, Rakp3),
}

impl Handshake {
    pub(super) const fn new(console_session_id: u32, tag: u8, rq_seq: u8) -> Self {
        Self {
            console_session_id,
            tag,
            rq_seq,
            suite: 0,
            offered: None,
            logins: 0,
            step: Step::ExpectAuthenticationCapabilities,
        }
    }

    /// The tag of the last attempt; the next log-in starts after it.
    pub(super) const fn tag(&self) -> u8 {
        self.tag
    }

    /// The sequence number of the last request.
    pub(super) const fn rq_seq(&self) -> u8 {
        self.rq_seq
    }

    /// How long the present step's message is waited for, as the number of an attempt.
    pub(super) const fn attempt(&self, sendings: u8) -> u8 {
        match self.step {
            Step::ExpectAuthenticationCapabilities | Step::ExpectCipherSuites { .. } => sendings,
            _ => self.logins,
        }
    }

    /// Writes the present step's message as a whole datagram.
    pub(super) fn encode(&mut self, login: &Login, entropy: &mut dyn Entropy, w: &mut Writer<'_>) {
        match &mut self.step {
            Step::ExpectAuthenticationCapabilities => {
                let command = GetChannelAuthenticationCapabilities {
                    channel: CHANNEL_CURRENT,
                    rmcp_plus: true,
                    privilege: login.privilege(),
                };
                encode_request(&command, self.rq_seq, w);
            }
            Step::ExpectCipherSuites { index, .. } => {
                let command = GetChannelCipherSuites {
                    channel: CHANNEL_CURRENT,
                    payload_type: PayloadType::IPMI,
                    by_suite: true,
                    index: *index,
                };
                encode_request(&command, self.rq_seq, w);
            }
            Step::ExpectOpenSessionResponse => {
                let Some(algorithms) = self.algorithms(login) else {
                    return;
                };
                let request = OpenSessionRequest {
                    tag: self.tag,
                    privilege: login.privilege(),
                    console_session_id: self.console_session_id,
                    algorithms,
                };
                encode_sessionless(PayloadType::OPEN_SESSION_REQUEST, w, |w| request.encode(w));
            }
            Step::ExpectRakp2(opened) => {
                entropy.fill(&mut opened.console_random);
                let rakp1 = Rakp1 {
                    tag: self.tag,
                    bmc_session_id: opened.bmc_session_id,
                    console_random: opened.console_random,
                    role: Role::name_only(login.privilege()),
                    user_name: *login.user_name(),
                };
                encode_sessionless(PayloadType::RAKP_1, w, |w| rakp1.encode(w));
            }
            Step::ExpectRakp4(verified) => {
                let rakp3 = Rakp3 {
                    tag: self.tag,
                    bmc_session_id: verified.exchange.bmc_session_id,
                    outcome: Ok(verified.rakp3_code),
                };
                encode_sessionless(PayloadType::RAKP_3, w, |w| rakp3.encode(w));
            }
        }
    }

    fn algorithms(&self, login: &Login) -> Option<Algorithms> {
        login
            .suites()
            .get(self.suite)
            .and_then(|suite| Algorithms::of(*suite))
    }

    /// The present step's message stays without answer after `sendings` of it.
    pub(super) fn unanswered(&mut self, policy: &Policy, login: &Login, sendings: u8) -> Next {
        match self.step {
            Step::ExpectAuthenticationCapabilities if sendings < policy.attempts => Next::Repeat,
            Step::ExpectCipherSuites { .. } if sendings < OPTIONAL_ATTEMPTS => Next::Repeat,
            Step::ExpectAuthenticationCapabilities => Next::Fail(LoginFailure::NoAnswer),
            // Some BMCs don't answer it; then the suites are tried one by one.
            Step::ExpectCipherSuites { .. } => self.begin_suite(login, 0),
            _ => self.restart(policy, LoginFailure::NoAnswer),
        }
    }

    /// Begins again with Open Session: messages that follow it can't be repeated one by one, since the BMC may
    /// have gone on although its answer was lost.
    fn restart(&mut self, policy: &Policy, failure: LoginFailure) -> Next {
        if self.logins >= policy.login_attempts {
            return Next::Fail(failure);
        }
        self.begin_open_session()
    }

    fn begin_open_session(&mut self) -> Next {
        self.tag = self.tag.wrapping_add(1);
        self.logins = self.logins.saturating_add(1);
        self.step = Step::ExpectOpenSessionResponse;
        Next::Send
    }

    /// Tries the login's suites from position `from` on.
    ///
    /// The BMC's offer is unauthenticated and sometimes wrong: suites outside it are left out only where others of
    /// the login's are in it.
    fn begin_suite(&mut self, login: &Login, from: usize) -> Next {
        let offered = |suite: &CipherSuiteId| self.offered.is_some_and(|set| set.contains(*suite));
        let offer_helps = login.suites().iter().any(offered);
        let mut rest = login.suites().iter().skip(from);
        let Some(skipped) = rest.position(|suite| !offer_helps || offered(suite)) else {
            return Next::Fail(LoginFailure::NoCommonSuite {
                offered: self.offered,
            });
        };
        self.suite = from + skipped;
        self.begin_open_session()
    }

    /// Takes a datagram that arrived outside a session.
    ///
    /// # Errors
    /// It is not the awaited answer; nothing changed.
    pub(super) fn handle(
        &mut self,
        policy: &Policy,
        login: &Login,
        datagram: &[u8],
    ) -> Result<Next, Ignored> {
        let mut r = Reader::new(datagram);
        if rmcp::decode(&mut r)? != rmcp::Class::Ipmi {
            return Err(Ignored::NotForUs);
        }
        let header = SessionHeader::decode(&mut r)?;
        if header.session_id() != 0 {
            return Err(Ignored::NotForUs);
        }
        let payload = r.take("payload", header.payload_len())?;
        let payload_type = match header {
            SessionHeader::V15(_) => PayloadType::IPMI,
            SessionHeader::RmcpPlus(header) => header.payload_type,
        };
        let mut r = Reader::new(payload);
        match payload_type {
            PayloadType::IPMI => self.on_message(login, payload),
            PayloadType::OPEN_SESSION_RESPONSE => {
                self.on_open_session_response(login, &OpenSessionResponse::decode(&mut r)?)
            }
            PayloadType::RAKP_2 => self.on_rakp2(policy, login, &Rakp2::decode(&mut r)?),
            PayloadType::RAKP_4 => self.on_rakp4(policy, login, &Rakp4::decode(&mut r)?),
            _ => Err(Ignored::OtherPayload),
        }
    }

    fn on_message(&mut self, login: &Login, payload: &[u8]) -> Result<Next, Ignored> {
        let message = LanMessage::decode(payload)?;
        let is_answer_to = |netfn: crate::number::NetFn, cmd| {
            let header = message.header;
            (header.netfn, header.cmd, header.rq_seq) == (netfn.response(), cmd, self.rq_seq)
        };
        let mut r = Reader::new(message.body);
        match &self.step {
            Step::ExpectAuthenticationCapabilities
                if is_answer_to(
                    GetChannelAuthenticationCapabilities::NETFN,
                    GetChannelAuthenticationCapabilities::CMD,
                ) =>
            {
                let completion = CompletionCode(r.u8("completion code")?);
                if completion != CompletionCode::OK {
                    return Ok(Next::Fail(LoginFailure::CommandRejected(completion)));
                }
                let capabilities = ChannelAuthenticationCapabilities::decode(&mut r)?;
                if !capabilities.rmcp_plus_sessions {
                    return Ok(Next::Fail(LoginFailure::NotRmcpPlus));
                }
                self.rq_seq = next_rq_seq(self.rq_seq);
                self.step = Step::ExpectCipherSuites {
                    index: 0,
                    records: SuiteRecords::default(),
                };
                Ok(Next::Send)
            }
            Step::ExpectCipherSuites { index, records }
                if is_answer_to(GetChannelCipherSuites::NETFN, GetChannelCipherSuites::CMD) =>
            {
                let (index, records) = (*index, *records);
                let completion = CompletionCode(r.u8("completion code")?);
                Ok(self.on_cipher_suites(login, index, records, completion, &mut r))
            }
            _ => Err(Ignored::Late),
        }
    }

    fn on_cipher_suites(
        &mut self,
        login: &Login,
        index: u8,
        mut records: SuiteRecords,
        completion: CompletionCode,
        r: &mut Reader<'_>,
    ) -> Next {
        let chunk = match completion {
            CompletionCode::OK => CipherSuitesChunk::decode(r).ok(),
            _ => None,
        };
        // A BMC that refuses the question, or answers nonsense, has its suites tried one by one.
        let Some(chunk) = chunk else {
            return self.begin_suite(login, 0);
        };
        records.read(chunk.bytes());
        if !chunk.is_last() && index + 1 < CHUNKS_MAX {
            self.rq_seq = next_rq_seq(self.rq_seq);
            self.step = Step::ExpectCipherSuites {
                index: index + 1,
                records,
            };
            return Next::Send;
        }
        self.offered = (!records.suites.is_empty()).then_some(records.suites);
        self.begin_suite(login, 0)
    }

    fn on_open_session_response(
        &mut self,
        login: &Login,
        response: &OpenSessionResponse,
    ) -> Result<Next, Ignored> {
        if !matches!(self.step, Step::ExpectOpenSessionResponse) || response.tag != self.tag {
            return Err(Ignored::Late);
        }
        if response
            .console_session_id
            .is_some_and(|id| id != self.console_session_id)
        {
            // Errors of some BMCs carry 0 here; the tag is theirs then.
            if response.outcome.is_ok() {
                return Err(Ignored::NotForUs);
            }
        }
        let opened = match response.outcome {
            Ok(opened) => opened,
            Err(status) if is_about_algorithms(status) => {
                // This suite's try was no failed attempt at logging in.
                self.logins = self.logins.saturating_sub(1);
                let next = self.suite + 1;
                return Ok(self.begin_suite(login, next));
            }
            Err(status) => return Ok(Next::Fail(failure_of(status))),
        };
        if Some(opened.algorithms) != self.algorithms(login) {
            return Ok(Next::Fail(LoginFailure::AlgorithmsChanged));
        }
        if opened.bmc_session_id == 0 {
            let error = WireError {
                field: "BMC session ID",
                at: 8,
                fault: WireFault::Invalid,
            };
            return Err(Ignored::Unparsable(error));
        }
        self.step = Step::ExpectRakp2(SessionOpened {
            bmc_session_id: opened.bmc_session_id,
            algorithms: opened.algorithms,
            console_random: [0; 16],
        });
        Ok(Next::Send)
    }

    fn on_rakp2(&mut self, policy: &Policy, login: &Login, rakp2: &Rakp2) -> Result<Next, Ignored> {
        let Step::ExpectRakp2(opened) = &self.step else {
            return Err(Ignored::Late);
        };
        if rakp2.tag != self.tag || rakp2.console_session_id != self.console_session_id {
            return Err(Ignored::Late);
        }
        match opened.verify(rakp2, login) {
            Ok(verified) => {
                self.step = Step::ExpectRakp4(verified);
                Ok(Next::Send)
            }
            Err(failure) if rakp2.outcome.is_ok() => {
                // The BMC is told, so that it frees the session and counts a bad password (§13.22).
                let rakp3 = Rakp3 {
                    tag: self.tag,
                    bmc_session_id: opened.bmc_session_id,
                    outcome: Err(RakpStatus::INVALID_INTEGRITY_CHECK),
                };
                Ok(Next::Refuse(failure, rakp3))
            }
            Err(failure) => Ok(self.refused(policy, failure)),
        }
    }

    fn on_rakp4(&mut self, policy: &Policy, login: &Login, rakp4: &Rakp4) -> Result<Next, Ignored> {
        let Step::ExpectRakp4(verified) = &self.step else {
            return Err(Ignored::Late);
        };
        if rakp4.tag != self.tag || rakp4.console_session_id != self.console_session_id {
            return Err(Ignored::Late);
        }
        let confirmed = rakp4
            .outcome
            .map_err(failure_of)
            .and_then(|code| verified.confirm(&code));
        match (confirmed, login.suites().get(self.suite)) {
            (Ok(channel), Some(suite)) => Ok(Next::Done(Box::new(channel), *suite)),
            (Ok(_), None) => Ok(Next::Fail(LoginFailure::AlgorithmsChanged)),
            (Err(failure), _) => Ok(self.refused(policy, failure)),
        }
    }

    /// A BMC that has forgotten the half-open session is asked for another one; other refusals are final.
    fn refused(&mut self, policy: &Policy, failure: LoginFailure) -> Next {
        match failure {
            LoginFailure::Rejected(
                RakpStatus::INVALID_SESSION_ID | RakpStatus::INACTIVE_SESSION_ID,
            ) => self.restart(policy, failure),
            _ => Next::Fail(failure),
        }
    }
}

fn encode_request<C: Command>(command: &C, rq_seq: u8, w: &mut Writer<'_>) {
    let header = MessageHeader::request(C::NETFN, 0, C::CMD, rq_seq);
    encode_v15_sessionless(w, |w| header.encode(w, |w| command.encode(w)));
}

/// The requester's next sequence number: six bits.
pub(super) const fn next_rq_seq(rq_seq: u8) -> u8 {
    rq_seq.wrapping_add(1) & 0x3f
}

/// Whether another cipher suite may do better.
const fn is_about_algorithms(status: RakpStatus) -> bool {
    matches!(
        status,
        RakpStatus::INVALID_AUTHENTICATION_ALGORITHM
            | RakpStatus::INVALID_INTEGRITY_ALGORITHM
            | RakpStatus::NO_MATCHING_AUTHENTICATION
            | RakpStatus::NO_MATCHING_INTEGRITY
            | RakpStatus::INVALID_CONFIDENTIALITY_ALGORITHM
            | RakpStatus::NO_CIPHER_SUITE_MATCH
            | RakpStatus::ILLEGAL_PARAMETER
    )
}

const fn failure_of(status: RakpStatus) -> LoginFailure {
    match status {
        RakpStatus::INSUFFICIENT_RESOURCES | RakpStatus::INSUFFICIENT_RESOURCES_FOR_ROLE => {
            LoginFailure::Resources
        }
        RakpStatus::INVALID_ROLE | RakpStatus::UNAUTHORIZED_ROLE => LoginFailure::PrivilegeRefused,
        RakpStatus::UNAUTHORIZED_NAME | RakpStatus::INVALID_NAME_LENGTH => {
            LoginFailure::UnknownUser
        }
        RakpStatus::INVALID_INTEGRITY_CHECK => LoginFailure::WrongPassword,
        status => LoginFailure::Rejected(status),
    }
}
