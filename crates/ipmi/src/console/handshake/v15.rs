//! Log-in by IPMI 1.5 (§6.12, §22.16, §22.17): a challenge, and its answer in an authenticated packet.

use alloc::boxed::Box;

use super::refusal::Refusal;
use super::{Handshake, Next, Step};
use crate::command::app::activate_session as activate;
use crate::command::app::get_session_challenge::{INVALID_USER_NAME, NULL_USER_NOT_ENABLED};
use crate::command::app::{
    ActivateSession, ActivatedSession, ChannelAuthenticationCapabilities, GetSessionChallenge,
    SessionChallenge,
};
use crate::command::{Command, Message};
use crate::console::event::{Ignored, LoginFailure};
use crate::console::login::Login;
use crate::console::retry::{OPTIONAL_ATTEMPTS, Policy};
use crate::crypto::v15::End;
use crate::crypto::{SessionChannel, V15Channel, V15Key};
use crate::entropy::Entropy;
use crate::number::{AuthType, CompletionCode, ExtendedCapabilities};
use crate::quirk::Quirk;
use crate::wire::message::{LanMessage, MessageHeader};
use crate::wire::session::V15Header;
use crate::wire::{DATAGRAM_MAX, Reader, WireError, WireFault, Writer};

/// What was learnt before the challenge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Challenge {
    auth_type: AuthType,
    /// The BMC says that it takes this type.
    is_offered: bool,
}

/// A challenge, and what is sent in answer to it.
#[derive(Debug)]
pub(super) struct Activation {
    key: V15Key,
    temporary_session_id: u32,
    challenge: [u8; 16],
    /// Number of the BMC's first packet; 0 before it is drawn.
    outbound: u32,
}

impl Challenge {
    pub(super) fn request(self, login: &Login) -> GetSessionChallenge {
        let mut user_name = [0; 16];
        for (byte, from) in user_name.iter_mut().zip(login.user_name().as_bytes()) {
            *byte = *from;
        }
        GetSessionChallenge {
            auth_type: self.auth_type,
            user_name,
        }
    }
}

impl Activation {
    pub(super) fn encode(
        &mut self,
        login: &Login,
        rq_seq: u8,
        entropy: &mut dyn Entropy,
        w: &mut Writer<'_>,
    ) {
        // Half of the numbers, so that a session doesn't come to the end of them soon.
        while self.outbound == 0 {
            self.outbound = entropy.next_u32() >> 1;
        }
        let command = ActivateSession {
            auth_type: self.key.auth_type(),
            privilege: login.privilege(),
            challenge: self.challenge,
            outbound_sequence: self.outbound,
        };
        let header =
            MessageHeader::request(ActivateSession::NETFN, 0, ActivateSession::CMD, rq_seq);
        let mut buffer = [0; DATAGRAM_MAX];
        let sealed = self
            .key
            .seal(self.temporary_session_id, 0, &mut buffer, |w| {
                header.encode(w, |w| command.encode(w));
            });
        match sealed {
            Ok(len) => w.bytes(&buffer[..len]),
            Err(_) => w.overflow(),
        }
    }
}

impl Handshake {
    pub(super) fn on_v15_capabilities(
        &mut self,
        login: &Login,
        capabilities: &ChannelAuthenticationCapabilities,
    ) -> Next {
        if !capabilities.sessions.contains(ExtendedCapabilities::V1_5) {
            return self.keep(Refusal::Lacks(LoginFailure::NotV15));
        }
        // What a BMC says of itself here is sometimes wrong: a type outside it is left out only where another of
        // the login's is in it.
        let offered = |auth_type: &&AuthType| capabilities.v15_auth_types.contains(auth_type.bit());
        let types = login.v15();
        let found = types.iter().find(offered);
        let Some(auth_type) = found.or_else(|| types.first()) else {
            return self.keep(Refusal::Lacks(LoginFailure::NotV15));
        };
        self.ask(Step::ExpectChallenge(Challenge {
            auth_type: *auth_type,
            is_offered: found.is_some(),
        }))
    }

    pub(super) fn on_challenge(
        &mut self,
        login: &Login,
        completion: CompletionCode,
        r: &mut Reader<'_>,
    ) -> Result<Next, Ignored> {
        let Step::ExpectChallenge(asked) = self.step else {
            return Err(Ignored::Late);
        };
        match completion {
            CompletionCode::OK => {}
            INVALID_USER_NAME | NULL_USER_NOT_ENABLED => {
                return Ok(self.keep(Refusal::Lacks(LoginFailure::UnknownUser)));
            }
            code if !asked.is_offered && says_not_this_type(code) => {
                return Ok(self.keep(Refusal::Lacks(LoginFailure::NotV15)));
            }
            code => return Ok(self.keep(Refusal::Command(code))),
        }
        let SessionChallenge {
            temporary_session_id,
            challenge,
        } = SessionChallenge::decode(r)?;
        let Some(key) = V15Key::new(asked.auth_type, login.password()) else {
            return Ok(Next::Fail(LoginFailure::WrongPassword));
        };
        self.logins = self.logins.saturating_add(1);
        Ok(self.ask(Step::ExpectActivation(Box::new(Activation {
            key,
            temporary_session_id,
            challenge,
            outbound: 0,
        }))))
    }

    /// Takes what came while Activate Session's answer is awaited; `message` starts with it.
    pub(super) fn on_activated(
        &mut self,
        policy: &Policy,
        header: &V15Header,
        message: &[u8],
    ) -> Result<Next, Ignored> {
        let Step::ExpectActivation(activation) = &self.step else {
            return Err(Ignored::Late);
        };
        let message = message
            .get(..usize::from(header.payload_len))
            .unwrap_or_default();
        // With a code, whatever the BMC says of later packets: that was said where anybody could change it.
        if !activation.key.verify(header, message) {
            return Err(Ignored::BadIntegrity);
        }
        let LanMessage {
            header: answer,
            body,
        } = LanMessage::decode(message)?;
        let answered = (answer.netfn, answer.cmd, answer.rq_seq);
        if answered
            != (
                ActivateSession::NETFN.response(),
                ActivateSession::CMD,
                self.rq_seq,
            )
        {
            return Err(Ignored::Late);
        }
        let mut r = Reader::new(body);
        match CompletionCode(r.u8("completion code")?) {
            CompletionCode::OK => {
                let activated = ActivatedSession::decode(&mut r)?;
                let byte_swapped = activation.is_swapped(header);
                if byte_swapped {
                    self.quirks = self.quirks.with(Quirk::SequenceByteSwapped);
                }
                activation.activated(&activated, byte_swapped)
            }
            code => Ok(self.activation_refused(policy, code)),
        }
    }

    fn activation_refused(&mut self, policy: &Policy, code: CompletionCode) -> Next {
        match code {
            activate::NO_SLOT | activate::NO_SLOT_FOR_USER | activate::NO_SLOT_FOR_LEVEL => {
                self.restart_v15(policy.attempts, LoginFailure::Resources)
            }
            activate::ABOVE_LIMIT => Next::Fail(LoginFailure::PrivilegeRefused),
            // The BMC has forgotten the challenge.
            activate::INVALID_SESSION_ID => {
                self.restart_v15(policy.login_attempts, LoginFailure::CommandRejected(code))
            }
            code => Next::Fail(LoginFailure::CommandRejected(code)),
        }
    }

    /// The present step's message stays without answer that leads on, after `sendings` of it.
    pub(super) fn v15_unanswered(
        &self,
        policy: &Policy,
        refusal: Option<Refusal>,
        sendings: u8,
    ) -> Next {
        let is_activation = matches!(self.step, Step::ExpectActivation(_));
        match refusal {
            Some(Refusal::Lacks(failure)) => Next::Fail(failure),
            // Each may count as a wrong password, so there are few.
            _ if is_activation && sendings >= OPTIONAL_ATTEMPTS => {
                Next::Fail(LoginFailure::NotActivated)
            }
            _ if is_activation || sendings < policy.attempts => Next::Repeat,
            Some(refusal) => Next::Fail(refusal.failure()),
            None => Next::Fail(LoginFailure::NoAnswer),
        }
    }

    /// Asks for another challenge, unless that was done `attempts` times.
    fn restart_v15(&mut self, attempts: u8, failure: LoginFailure) -> Next {
        let Step::ExpectActivation(activation) = &self.step else {
            return Next::Fail(failure);
        };
        if self.logins >= attempts {
            return Next::Fail(failure);
        }
        let auth_type = activation.key.auth_type();
        self.ask(Step::ExpectChallenge(Challenge {
            auth_type,
            // It gave a challenge for it once.
            is_offered: true,
        }))
    }
}

/// Whether a completion code may mean that a challenge isn't given for this type of authentication: it will be the same next time.
const fn says_not_this_type(code: CompletionCode) -> bool {
    matches!(
        code,
        CompletionCode::INVALID_DATA_FIELD
            | CompletionCode::INVALID_COMMAND
            | CompletionCode::PARAMETER_OUT_OF_RANGE
            | CompletionCode::INSUFFICIENT_PRIVILEGE
    )
}

impl Activation {
    /// Whether the BMC's first packet has the number that we chose with its bytes in the other order.
    const fn is_swapped(&self, header: &V15Header) -> bool {
        header.sequence != self.outbound && header.sequence.swap_bytes() == self.outbound
    }

    /// The session's channel. Whatever the BMC says, our packets carry a code; its own may lack one where it says so in this
    /// answer, which has one.
    fn activated(&self, activated: &ActivatedSession, byte_swapped: bool) -> Result<Next, Ignored> {
        if activated.inbound_sequence == 0 {
            return Err(Ignored::Unparsable(WireError {
                field: "initial inbound sequence number",
                at: 5,
                fault: WireFault::Invalid,
            }));
        }
        let none = activated.auth_type == AuthType::NONE;
        let mut channel = V15Channel::new(
            End::Console,
            self.key.clone(),
            activated.session_id,
            activated.inbound_sequence,
            self.outbound,
            none,
        );
        channel.byte_swapped = byte_swapped;
        let channel = SessionChannel::V15(Box::new(channel));
        Ok(Next::Done(Box::new(channel), None))
    }
}
