//! Sessions of IPMI 1.5 from the BMC's side: Get Session Challenge and Activate Session (§6.12, §22.16, §22.17).

use alloc::boxed::Box;

use subtle::ConstantTimeEq;

use super::config::{Config, V15};
use super::defect;
use super::device::{Bmc, Call};
use super::handler::decode;
use super::repeat::Executed;
use super::session::{Active, ChallengedV15, Confirmation, Peer, Slot, Stage};
use crate::command::app::activate_session::{ABOVE_LIMIT, SEQUENCE_OUT_OF_RANGE};
use crate::command::app::get_session_challenge::{INVALID_USER_NAME, NULL_USER_NOT_ENABLED};
use crate::command::app::{
    ActivateSession, ActivatedSession, GetSessionChallenge, SessionChallenge,
};
use crate::command::{Command, Message};
use crate::crypto::v15::End;
use crate::crypto::{SessionChannel, V15Channel, V15Key};
use crate::entropy::Entropy;
use crate::number::{AuthType, CompletionCode, NetFn, PrivilegeLevel};
use crate::quirk::Quirk;
use crate::time::Instant;
use crate::wire::message::{BMC_ADDRESS, LanMessage, MessageHeader};
use crate::wire::rakp::UserName;
use crate::wire::session::{V15Header, encode_v15_sessionless};
use crate::wire::{Writer, rmcp};

impl Bmc {
    /// Answers Get Session Challenge, which is sent outside a session; `None` where `payload` is something else, or
    /// IPMI 1.5 is not spoken.
    pub(super) fn challenge_v15(&mut self, payload: &[u8], call: &mut Call<'_>) -> Option<usize> {
        self.config.v15.as_ref()?;
        if self.config.has(Quirk::V15SessionsMissing) {
            return None;
        }
        let LanMessage { header, body } = LanMessage::decode(payload).ok()?;
        let is_it = (header.to, header.netfn, header.cmd)
            == (BMC_ADDRESS, NetFn::APP, GetSessionChallenge::CMD);
        if !is_it {
            return None;
        }
        let answer = decode(body).and_then(|asked| {
            let limit = call.handler.channel_limit();
            limit.ok_or(CompletionCode::NOT_SUPPORTED_IN_STATE)?;
            self.challenge(call.now, call.entropy, call.from, &asked)
        });
        let mut w = Writer::new(call.out);
        encode_v15_sessionless(&mut w, |w| write_answer(&header, &answer, w));
        w.finish().ok()
    }

    fn challenge(
        &mut self,
        now: Instant,
        entropy: &mut dyn Entropy,
        peer: Peer,
        asked: &GetSessionChallenge,
    ) -> Result<SessionChallenge, CompletionCode> {
        let offered = |v15: &V15| v15.usable().any(|one| one == asked.auth_type);
        if !self.config.v15.as_ref().is_some_and(offered) {
            return Err(CompletionCode::INVALID_DATA_FIELD);
        }
        let name_len = asked.user_name.iter().rposition(|byte| *byte != 0);
        let name = &asked.user_name[..name_len.map_or(0, |last| last + 1)];
        let user_name = UserName::new(name).unwrap_or_default();
        let (user_id, key) = self
            .user_v15(now, &user_name, asked.auth_type)
            .map_or((0, None), |(id, key)| (id, Some(key)));
        let decoy = self.config.hide_users.then(|| {
            let nobody = self.guard.decoy(entropy, &user_name);
            // A password that nobody knows, of sixteen bytes.
            let (short, _) = nobody.as_bytes().split_at(16);
            crate::crypto::UserKey::new(short).and_then(|key| V15Key::new(asked.auth_type, &key))
        });
        let Some(key) = key.or_else(|| decoy.flatten()) else {
            return Err(if user_name.is_empty() {
                NULL_USER_NOT_ENABLED
            } else {
                INVALID_USER_NAME
            });
        };
        self.sessions.expire(now, &self.config);
        self.sessions.abandon_v15(peer);
        if !self.sessions.make_room(now, &self.config) {
            return Err(CompletionCode::OUT_OF_SPACE);
        }
        let bmc_session_id = self.sessions.new_id(entropy);
        let mut challenge = [0; 16];
        entropy.fill(&mut challenge);
        self.sessions.add(Slot {
            bmc_session_id,
            console_session_id: 0,
            peer,
            tag: 0,
            handle: self.sessions.free_handle(),
            opened: now,
            touched: now,
            stage: Stage::ChallengedV15(Box::new(ChallengedV15 {
                key,
                challenge,
                user_id,
                user_name,
            })),
        });
        Ok(SessionChallenge {
            temporary_session_id: bmc_session_id,
            challenge,
        })
    }

    /// A user who may log in by IPMI 1.5: not locked out, and with a password of at most 16 bytes.
    fn user_v15(&self, now: Instant, name: &UserName, auth_type: AuthType) -> Option<(u8, V15Key)> {
        let (id, user) = self
            .config
            .enabled_users()
            .find(|(_, user)| user.name == *name)?;
        let is_locked = self.guard.is_locked(&self.config, id, now);
        let key = V15Key::new(auth_type, &user.password)?;
        (!is_locked).then_some((id, key))
    }

    /// Handles a packet in IPMI 1.5 format with a session ID.
    pub(super) fn v15_packet(
        &mut self,
        header: &V15Header,
        datagram: &mut [u8],
        call: &mut Call<'_>,
    ) -> Option<usize> {
        let id = header.session_id;
        let slot = self.sessions.find(id, call.from)?;
        match &slot.stage {
            Stage::ChallengedV15(_) if slot.is_expired(call.now, &self.config) => {
                self.sessions.remove(id);
                None
            }
            Stage::ChallengedV15(_) => {
                self.activate_v15(header, message_of(header, datagram)?, call)
            }
            Stage::Active(active) => match active.confirmation.as_deref() {
                // The console repeats itself: the answer was lost.
                Some(Confirmation::Activation { request, answer })
                    if request.as_slice() == message_of(header, datagram)? =>
                {
                    let len = answer.len();
                    call.out.get_mut(..len)?.copy_from_slice(answer);
                    Some(len)
                }
                _ => self.session_packet(id, datagram, call),
            },
            _ => None,
        }
    }

    /// Activate Session: what can't be authenticated is dropped, and ends the attempt.
    fn activate_v15(
        &mut self,
        header: &V15Header,
        message: &[u8],
        call: &mut Call<'_>,
    ) -> Option<usize> {
        let id = header.session_id;
        let slot = self.sessions.find(id, call.from)?;
        let Stage::ChallengedV15(challenged) = &slot.stage else {
            return None;
        };
        let user_id = challenged.user_id;
        let proven = challenged.key.verify(header, message) && user_id != 0;
        if !proven || self.guard.is_locked(&self.config, user_id, call.now) {
            self.guard.failure(&self.config, user_id, call.now);
            self.sessions.remove(id);
            return None;
        }
        let LanMessage {
            header: asked,
            body,
        } = LanMessage::decode(message).ok()?;
        let is_it =
            (asked.to, asked.netfn, asked.cmd) == (BMC_ADDRESS, NetFn::APP, ActivateSession::CMD);
        if !is_it {
            return None;
        }
        let user_limit = self.config.enabled_user(user_id)?.privilege;
        let command = decode(body).and_then(|command| {
            // One that was closed since the challenge is above every limit.
            let limit = call.handler.channel_limit().ok_or(ABOVE_LIMIT)?;
            check(challenged, user_limit.min(limit), &command)
        });
        let inbound = (call.entropy.next_u32() >> 1).max(1);
        let (answer, mut channel) = match command {
            Ok(command) => activated(&self.config, challenged, id, &command, inbound),
            Err(code) => {
                let refused = Err::<ActivatedSession, _>(code);
                let sealed = challenged.key.seal(id, 0, call.out, |w| {
                    write_answer(&asked, &refused, w);
                });
                self.sessions.remove(id);
                return sealed.ok();
            }
        };
        let len = channel
            .seal(call.out, |w| write_answer(&asked, &Ok(answer), w))
            .ok()?;
        defect::v15_activated(&self.config, &mut channel);
        let confirmation = Confirmation::Activation {
            request: message.to_vec(),
            answer: call.out[..len].to_vec(),
        };
        let user_name = challenged.user_name;
        slot.touched = call.now;
        slot.bmc_session_id = answer.session_id;
        slot.stage = Stage::Active(Box::new(Active {
            channel: SessionChannel::V15(Box::new(channel)),
            user_id,
            user_name,
            privilege: PrivilegeLevel::USER.min(answer.privilege),
            limit: answer.privilege,
            confirmation: Some(Box::new(confirmation)),
            executed: Executed::default(),
            sol: None,
        }));
        self.guard.success(user_id);
        Some(len)
    }
}

/// What an Activate Session is answered, and the session's channel.
fn activated(
    config: &Config,
    challenged: &ChallengedV15,
    session_id: u32,
    command: &ActivateSession,
    inbound_sequence: u32,
) -> (ActivatedSession, V15Channel) {
    let per_message = config.v15.as_ref().is_none_or(|v15| v15.per_message_auth);
    let key = challenged.key.clone();
    let session_id = defect::v15_session_id(config, session_id);
    let answer = ActivatedSession {
        auth_type: if per_message && !defect::says_codes_off(config) {
            key.auth_type()
        } else {
            AuthType::NONE
        },
        session_id,
        inbound_sequence,
        privilege: command.privilege,
    };
    let outbound = defect::v15_outbound(config, command);
    let channel = V15Channel::new(
        End::Bmc,
        key,
        session_id,
        outbound,
        inbound_sequence,
        !per_message,
    );
    (answer, defect::v15_channel(config, channel))
}

/// An Activate Session that answers its challenge; otherwise what is wrong with it.
fn check(
    challenged: &ChallengedV15,
    user_limit: PrivilegeLevel,
    command: &ActivateSession,
) -> Result<ActivateSession, CompletionCode> {
    if command.outbound_sequence == 0 {
        return Err(SEQUENCE_OUT_OF_RANGE);
    }
    let same = command.challenge.ct_eq(&challenged.challenge);
    let is_level = command.privilege.name().is_some();
    if !bool::from(same) || !is_level || command.auth_type != challenged.key.auth_type() {
        return Err(CompletionCode::INVALID_DATA_FIELD);
    }
    if command.privilege > user_limit {
        return Err(ABOVE_LIMIT);
    }
    Ok(*command)
}

/// The message of a packet.
fn message_of<'d>(header: &V15Header, datagram: &'d [u8]) -> Option<&'d [u8]> {
    let code_len = match header.auth_type {
        AuthType::NONE => 0,
        _ => header.code.len(),
    };
    // Type, sequence number, session ID, code, length.
    let start = rmcp::HEADER_LEN + 1 + 4 + 4 + code_len + 1;
    datagram.get(start..start + usize::from(header.payload_len))
}

fn write_answer<M: Message>(
    asked: &MessageHeader,
    answer: &Result<M, CompletionCode>,
    w: &mut Writer<'_>,
) {
    asked.response().encode(w, |w| match answer {
        Ok(answer) => {
            w.u8(CompletionCode::OK.0);
            answer.encode(w);
        }
        Err(code) => w.u8(code.0),
    });
}
