//! Log-in, step by step (§13.15): from the first question to the session's keys.
//!
//! Nothing before RAKP Message 2 is authenticated. A refusal that names our session ends a step at once; one that
//! anybody could have sent (see [`Refusal`]) only where nothing better comes in the step's time.

mod abandoned;
mod deviation;
mod proof;
mod refusal;
mod suites;
mod v15;

use alloc::boxed::Box;

use abandoned::Abandoned;
use proof::{BmcVerified, SessionOpened};
use refusal::{Refusal, failure_of, is_about_suite};
use v15::{Activation, Challenge};

use super::event::{Ignored, LoginFailure};
use super::login::Login;
use super::retry::{OPTIONAL_ATTEMPTS, Policy};
use crate::command::app::get_channel_authentication_capabilities::CHANNEL_CURRENT;
use crate::command::app::get_channel_cipher_suites::SuiteRecords;
use crate::command::app::{
    ChannelAuthenticationCapabilities, GetChannelAuthenticationCapabilities,
    GetChannelCipherSuites, GetSessionChallenge,
};
use crate::command::{Command, Message};
use crate::crypto::{SessionChannel, SuiteSet};
use crate::entropy::Entropy;
use crate::number::{
    CipherListMode, CipherSuiteId, CompletionCode, ExtendedCapabilities, PayloadType, RakpStatus,
};
use crate::quirk::{Quirk, Quirks};
use crate::wire::message::{LanMessage, MessageHeader};
use crate::wire::rakp::{OpenSessionRequest, OpenSessionResponse, Rakp1, Rakp2, Rakp3, Rakp4};
use crate::wire::session::{SessionHeader, encode_sessionless, encode_v15_sessionless};
use crate::wire::{Reader, WireError, WireFault, Writer, rmcp};

/// A log-in under way.
#[derive(Debug)]
pub(super) struct Handshake {
    console_session_id: u32,
    /// Marks this attempt's messages; answers to an earlier attempt carry another tag.
    tag: u8,
    rq_seq: u8,
    /// Whether tag and sequence number were drawn at random; from then on they count.
    drawn: bool,
    /// Asks in the way of IPMI 1.5, for a BMC that doesn't understand that of 2.0.
    plain: bool,
    /// Which of the login's suites is being tried.
    suite: usize,
    /// The suite that this BMC had before: worse ones are not tried.
    proven: Option<CipherSuiteId>,
    offered: Option<SuiteSet>,
    /// How often Open Session was begun.
    logins: u8,
    /// How the BMC, or somebody, refused the present step.
    refusal: Option<Refusal>,
    /// What a proof that didn't hold would mean; it was put down to a damaged packet, which is done once.
    doubt: Option<LoginFailure>,
    /// A session that log-in goes on without, and that the BMC is to forget.
    abandoned: Option<Abandoned>,
    /// What is known of the BMC, and what shows meanwhile.
    quirks: Quirks,
    step: Step,
}

/// Which answer is awaited, with what was learnt so far.
#[derive(Debug)]
enum Step {
    ExpectAuthenticationCapabilities,
    ExpectCipherSuites {
        index: u8,
        records: SuiteRecords,
    },
    ExpectOpenSessionResponse,
    ExpectRakp2(SessionOpened),
    ExpectRakp4(BmcVerified),
    /// IPMI 1.5: Get Session Challenge was sent.
    ExpectChallenge(Challenge),
    /// IPMI 1.5: Activate Session was sent.
    ExpectActivation(Box<Activation>),
}

/// Whom an answer to a set-up message names.
enum Whose {
    /// This log-in.
    Ours,
    /// Nobody: a refusal that may be meant for this log-in.
    Anybodys(RakpStatus),
}

/// What an answer, or its absence, leads to.
pub(super) enum Next {
    /// Nothing yet.
    Wait,
    /// Send the present step's message, as a new one.
    Send,
    /// Send the present step's message once more.
    Repeat,
    /// Logged in, but for the privilege level.
    Done(Box<SessionChannel>, Option<CipherSuiteId>),
    /// Log-in failed.
    Fail(LoginFailure),
    /// Log-in failed, and the BMC is owed RAKP Message 3 that says so.
    Refuse(LoginFailure, Rakp3),
}

impl Handshake {
    /// `numbers` are tag and sequence number to count on from; without them they are drawn at random, so that
    /// nobody who can't see the packets knows them.
    pub(super) fn new(
        console_session_id: u32,
        numbers: Option<(u8, u8)>,
        proven: Option<CipherSuiteId>,
        quirks: Quirks,
    ) -> Self {
        let (tag, rq_seq) = numbers.unwrap_or_default();
        Self {
            console_session_id,
            tag,
            rq_seq: next_rq_seq(rq_seq),
            drawn: numbers.is_some(),
            plain: false,
            suite: 0,
            proven,
            offered: None,
            logins: 0,
            refusal: None,
            doubt: None,
            abandoned: None,
            quirks,
            step: Step::ExpectAuthenticationCapabilities,
        }
    }

    /// Tag and sequence number of the last attempt, for the next log-in to count on from; `None` while nothing was
    /// sent.
    pub(super) fn numbers(&self) -> Option<(u8, u8)> {
        self.drawn.then_some((self.tag, self.rq_seq))
    }

    /// How long the present step's message is waited for, as the number of an attempt.
    pub(super) const fn attempt(&self, sendings: u8) -> u8 {
        match self.step {
            Step::ExpectAuthenticationCapabilities
            | Step::ExpectCipherSuites { .. }
            | Step::ExpectChallenge(_) => sendings,
            _ => self.logins,
        }
    }

    /// Writes the present step's message as a whole datagram.
    pub(super) fn encode(&mut self, login: &Login, entropy: &mut dyn Entropy, w: &mut Writer<'_>) {
        if !core::mem::replace(&mut self.drawn, true) {
            let mut numbers = [0; 2];
            entropy.fill(&mut numbers);
            (self.tag, self.rq_seq) = (numbers[0], numbers[1] & 0x3f);
        }
        match &mut self.step {
            Step::ExpectAuthenticationCapabilities => {
                let command = GetChannelAuthenticationCapabilities {
                    channel: CHANNEL_CURRENT,
                    rmcp_plus: !self.plain && login.v15().is_empty(),
                    privilege: login.privilege(),
                };
                encode_request(&command, self.rq_seq, w);
            }
            Step::ExpectCipherSuites { index, .. } => {
                let command = GetChannelCipherSuites {
                    channel: CHANNEL_CURRENT,
                    payload_type: PayloadType::IPMI,
                    mode: CipherListMode::SUITES,
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
                    privilege: login.privilege().into(),
                    console_session_id: self.console_session_id,
                    algorithms: algorithms.into(),
                };
                encode_sessionless(PayloadType::OPEN_SESSION_REQUEST, w, |w| request.encode(w));
            }
            Step::ExpectRakp2(opened) => {
                entropy.fill(&mut opened.console_random);
                let rakp1 = Rakp1 {
                    tag: self.tag,
                    bmc_session_id: opened.bmc_session_id,
                    console_random: opened.console_random,
                    role: self.quirks.role(login),
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
            Step::ExpectChallenge(challenge) => {
                encode_request(&challenge.request(login), self.rq_seq, w);
            }
            Step::ExpectActivation(activation) => {
                activation.encode(login, self.rq_seq, entropy, w);
            }
        }
    }

    /// The present step's message stays without answer that leads on, after `sendings` of it.
    pub(super) fn unanswered(&mut self, policy: &Policy, login: &Login, sendings: u8) -> Next {
        match (&self.step, self.refusal) {
            (Step::ExpectAuthenticationCapabilities, refusal) => {
                self.capabilities_unanswered(policy, refusal, sendings)
            }
            // Some BMCs don't answer it, or refuse it; then the suites are tried one by one.
            (Step::ExpectCipherSuites { .. }, None) if sendings < OPTIONAL_ATTEMPTS => Next::Repeat,
            (Step::ExpectCipherSuites { .. }, _) => self.suites_known(login),
            (Step::ExpectChallenge(_) | Step::ExpectActivation(_), refusal) => {
                self.v15_unanswered(policy, refusal, sendings)
            }
            (_, refusal) => {
                self.abandon();
                match refusal {
                    Some(Refusal::Status(status)) => self.refused(policy, login, status),
                    _ => self.restart(policy, LoginFailure::NoAnswer),
                }
            }
        }
    }

    fn capabilities_unanswered(
        &mut self,
        policy: &Policy,
        refusal: Option<Refusal>,
        sendings: u8,
    ) -> Next {
        match refusal {
            Some(Refusal::Lacks(failure)) => Next::Fail(failure),
            // An old BMC may take the request for IPMI 2.0's fields as a wrong channel.
            Some(Refusal::Command(CompletionCode::INVALID_DATA_FIELD)) if !self.plain => {
                self.plain = true;
                self.ask(Step::ExpectAuthenticationCapabilities)
            }
            // A BMC that has just started is busy, or says that it can't answer yet.
            _ if sendings < policy.attempts => Next::Repeat,
            Some(refusal) => Next::Fail(refusal.failure()),
            None => Next::Fail(LoginFailure::NoAnswer),
        }
    }

    /// Goes on to a step.
    fn advance(&mut self, step: Step) -> Next {
        self.refusal = None;
        self.step = step;
        Next::Send
    }

    /// Goes on to a step whose message is an IPMI request.
    fn ask(&mut self, step: Step) -> Next {
        self.rq_seq = next_rq_seq(self.rq_seq);
        self.advance(step)
    }

    /// Keeps a refusal that anybody could have sent, in case that nothing better comes.
    const fn keep(&mut self, refusal: Refusal) -> Next {
        self.refusal = Some(refusal);
        Next::Wait
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
        self.advance(Step::ExpectOpenSessionResponse)
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
        if let (SessionHeader::V15(header), Step::ExpectActivation(_)) = (&header, &self.step) {
            return self.on_activated(policy, header, r.rest());
        }
        if header.session_id() != 0 {
            return Err(Ignored::NotForUs);
        }
        let payload = self.payload(&mut r, header.payload_len())?;
        let payload_type = match header {
            SessionHeader::V15(_) => PayloadType::IPMI,
            SessionHeader::RmcpPlus(header) => header.payload_type,
        };
        let mut r = Reader::new(payload);
        match payload_type {
            PayloadType::IPMI => self.on_message(login, payload),
            PayloadType::OPEN_SESSION_RESPONSE => {
                let response = OpenSessionResponse::decode(&mut r)?;
                self.on_open_session_response(policy, login, &response)
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
                    return Ok(self.keep(Refusal::Command(completion)));
                }
                let capabilities = ChannelAuthenticationCapabilities::decode(&mut r)?;
                if !login.v15().is_empty() {
                    return Ok(self.on_v15_capabilities(login, &capabilities));
                }
                if !capabilities.sessions.contains(ExtendedCapabilities::V2_0) {
                    return Ok(self.keep(Refusal::Lacks(LoginFailure::NotRmcpPlus)));
                }
                // With one suite there is nothing to choose: the list is asked for only where that one is refused.
                Ok(match login.suites() {
                    [_] => self.begin_suites(login),
                    _ => self.ask_suites(),
                })
            }
            Step::ExpectCipherSuites { index, records }
                if is_answer_to(GetChannelCipherSuites::NETFN, GetChannelCipherSuites::CMD) =>
            {
                let (index, records) = (*index, *records);
                let completion = CompletionCode(r.u8("completion code")?);
                Ok(self.on_cipher_suites(login, index, records, completion, &mut r))
            }
            Step::ExpectChallenge(_)
                if is_answer_to(GetSessionChallenge::NETFN, GetSessionChallenge::CMD) =>
            {
                let completion = CompletionCode(r.u8("completion code")?);
                self.on_challenge(login, completion, &mut r)
            }
            _ => Err(Ignored::Late),
        }
    }

    /// Whether the answer to a set-up message is ours: it carries our tag and session ID.
    ///
    /// Some BMCs refuse with session ID 0, or without one, and with tag 0.
    fn whose(
        &self,
        tag: u8,
        console_session_id: Option<u32>,
        refused: Option<RakpStatus>,
    ) -> Result<Whose, Ignored> {
        let id = console_session_id.unwrap_or(0);
        match refused {
            _ if tag == self.tag && id == self.console_session_id => Ok(Whose::Ours),
            Some(status) if id == 0 && (tag == 0 || tag == self.tag) => Ok(Whose::Anybodys(status)),
            _ if tag == self.tag => Err(Ignored::NotForUs),
            _ => Err(Ignored::Late),
        }
    }

    fn on_open_session_response(
        &mut self,
        policy: &Policy,
        login: &Login,
        response: &OpenSessionResponse,
    ) -> Result<Next, Ignored> {
        if !matches!(self.step, Step::ExpectOpenSessionResponse) {
            return Err(Ignored::Late);
        }
        let (tag, id) = (response.tag, response.console_session_id);
        if let Whose::Anybodys(status) = self.whose(tag, id, response.outcome.err())? {
            return Ok(self.keep(Refusal::Status(status)));
        }
        let opened = match response.outcome {
            Ok(opened) => opened,
            // A full table may have room soon.
            Err(status) if failure_of(status) == LoginFailure::Resources => {
                return Ok(self.keep(Refusal::Status(status)));
            }
            Err(status) => return Ok(self.refused(policy, login, status)),
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
        Ok(self.advance(Step::ExpectRakp2(SessionOpened {
            bmc_session_id: opened.bmc_session_id,
            algorithms: opened.algorithms,
            console_random: [0; 16],
        })))
    }

    fn on_rakp2(&mut self, policy: &Policy, login: &Login, rakp2: &Rakp2) -> Result<Next, Ignored> {
        let Step::ExpectRakp2(opened) = self.step else {
            return Err(Ignored::Late);
        };
        let id = Some(rakp2.console_session_id);
        if let Whose::Anybodys(status) = self.whose(rakp2.tag, id, rakp2.outcome.err())? {
            return Ok(self.keep(Refusal::Status(status)));
        }
        let proof = match rakp2.outcome {
            Ok(proof) => proof,
            Err(status) => return Ok(self.refused(policy, login, status)),
        };
        match opened.verify(self.console_session_id, &proof, login, self.quirks) {
            Ok(verified) => {
                self.quirks = self.quirks.and(verified.quirks);
                Ok(self.advance(Step::ExpectRakp4(verified)))
            }
            Err(failure) if self.may_doubt(policy, failure) => {
                // What can't be told apart yet is not counted as a bad password: users get locked out by that.
                let rakp3 = self.refusal_of(&opened, RakpStatus::ILLEGAL_PARAMETER);
                self.abandoned = Some(Abandoned::HalfOpen(rakp3));
                Ok(self.begin_open_session())
            }
            Err(failure) => {
                // The BMC is told, so that it frees the session and counts a bad password (§13.22).
                let rakp3 = self.refusal_of(&opened, RakpStatus::INVALID_INTEGRITY_CHECK);
                Ok(Next::Refuse(failure, rakp3))
            }
        }
    }

    fn on_rakp4(&mut self, policy: &Policy, login: &Login, rakp4: &Rakp4) -> Result<Next, Ignored> {
        if !matches!(self.step, Step::ExpectRakp4(_)) {
            return Err(Ignored::Late);
        }
        let id = Some(rakp4.console_session_id);
        if let Whose::Anybodys(status) = self.whose(rakp4.tag, id, rakp4.outcome.err())? {
            return Ok(self.keep(Refusal::Status(status)));
        }
        let code = match rakp4.outcome {
            Ok(code) => code,
            // The BMC made its own proof with this password, so it is right: our proof was damaged on the way.
            Err(RakpStatus::INVALID_INTEGRITY_CHECK)
                if self.may_doubt(policy, LoginFailure::WrongPassword) =>
            {
                return Ok(self.begin_open_session());
            }
            Err(status) => return Ok(self.refused(policy, login, status)),
        };
        let Step::ExpectRakp4(verified) = &self.step else {
            return Err(Ignored::Late);
        };
        match (verified.confirm(&code), login.suites().get(self.suite)) {
            (Ok((channel, quirks)), Some(suite)) => {
                self.quirks = self.quirks.and(quirks);
                let channel = SessionChannel::RmcpPlus(channel);
                Ok(Next::Done(Box::new(channel), Some(*suite)))
            }
            (Ok(_), None) => Ok(Next::Fail(LoginFailure::AlgorithmsChanged)),
            // For the BMC the session is active.
            (Err(failure), _) if self.may_doubt(policy, failure) => {
                self.abandon();
                Ok(self.begin_open_session())
            }
            (Err(failure), _) => Ok(Next::Fail(failure)),
        }
    }

    /// A set-up message was refused, and nothing better is to be expected.
    fn refused(&mut self, policy: &Policy, login: &Login, status: RakpStatus) -> Next {
        let opening = matches!(self.step, Step::ExpectOpenSessionResponse);
        let failure = failure_of(status);
        match status {
            // The BMC has forgotten the half-open session: it is asked for another one.
            RakpStatus::INVALID_SESSION_ID | RakpStatus::INACTIVE_SESSION_ID => {
                self.restart(policy, failure)
            }
            RakpStatus::INVALID_ROLE if self.asked_by_name_only() => {
                self.quirks = self.quirks.with(Quirk::NameOnlyLookupRefused);
                self.restart(policy, failure)
            }
            RakpStatus::ILLEGAL_PARAMETER if !opening => {
                self.quirks = self.quirks.with(Quirk::RakpParameterRefusedOnce);
                self.restart(policy, failure)
            }
            _ if opening && is_about_suite(status) => {
                self.note_suite_refused(login, status);
                // This suite's try was no failed attempt at logging in.
                self.logins = self.logins.saturating_sub(1);
                match failure {
                    LoginFailure::PrivilegeRefused => {
                        self.begin_suite(login, self.suite + 1, failure)
                    }
                    // Why is told with what the BMC offers.
                    _ if login.suites().len() == 1 => self.ask_suites(),
                    _ => {
                        let offered = self.offered;
                        let failure = LoginFailure::NoCommonSuite { offered };
                        self.begin_suite(login, self.suite + 1, failure)
                    }
                }
            }
            // The last slot went to the session whose key was not confirmed, and which could not be closed without it.
            _ if failure == LoginFailure::Resources
                && self.doubt == Some(LoginFailure::NotAuthentic) =>
            {
                Next::Fail(LoginFailure::NotAuthentic)
            }
            _ if failure == LoginFailure::Resources && self.logins < policy.attempts => {
                self.restart(policy, failure)
            }
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
