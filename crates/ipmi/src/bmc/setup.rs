//! Setting a session up: Open Session and RAKP from the BMC's side (§13.17-§13.23).

use alloc::boxed::Box;

use super::config::{Config, User};
use super::defect::{self, Lapse};
use super::guard::Guard;
use super::handler::Handler;
use super::repeat::Executed;
use super::session::{Active, Challenged, Confirmation, Opened, Peer, SessionTable, Slot, Stage};
use crate::crypto::{Algorithms, Channel, Code, Exchange, SessionChannel, UserKey};
use crate::entropy::Entropy;
use crate::number::{PayloadType, PrivilegeLevel, RakpStatus, RequestedPrivilege, UserLookup};
use crate::quirk::Quirk;
use crate::time::Instant;
use crate::wire::rakp::{
    OpenSessionRequest, OpenSessionResponse, OpenedSession, Proposal, Rakp1, Rakp2, Rakp2Proof,
    Rakp3, Rakp4,
};
use crate::wire::session::encode_sessionless;
use crate::wire::{Reader, Writer};

/// One step of setting up.
pub(super) struct Setup<'a> {
    pub(super) config: &'a Config,
    pub(super) sessions: &'a mut SessionTable,
    pub(super) guard: &'a mut Guard,
    /// Knows whether the channel is open.
    pub(super) handler: &'a mut dyn Handler,
    pub(super) now: Instant,
    pub(super) peer: Peer,
    /// What a BMC with defects remembers.
    pub(super) lapse: &'a mut Lapse,
}

impl Setup<'_> {
    /// Answers Open Session Request, RAKP Message 1 or 3; `None` where there is nothing to answer.
    pub(super) fn handle(
        &mut self,
        entropy: &mut dyn Entropy,
        payload_type: PayloadType,
        payload: &[u8],
        w: &mut Writer<'_>,
    ) -> Option<()> {
        let mut r = Reader::new(payload);
        match payload_type {
            PayloadType::OPEN_SESSION_REQUEST => {
                let response = match OpenSessionRequest::decode(&mut r) {
                    Ok(request) => self.open_session(entropy, &request),
                    Err(_) => refuse_malformed_open(payload)?,
                };
                let is_short = self.config.has(Quirk::OpenSessionErrorShort);
                encode_sessionless(PayloadType::OPEN_SESSION_RESPONSE, w, |w| {
                    match response.outcome {
                        Err(status) if is_short => w.bytes(&[response.tag, status.0]),
                        _ => response.encode(w),
                    }
                });
            }
            PayloadType::RAKP_1 => {
                let rakp2 = match Rakp1::decode(&mut r) {
                    Ok(rakp1) => self.rakp1(entropy, &rakp1),
                    Err(error) => self.refuse_malformed_rakp1(payload, error.field)?,
                };
                encode_sessionless(PayloadType::RAKP_2, w, |w| rakp2.encode(w));
                defect::rakp2_packet(self.config, w.written_mut());
            }
            PayloadType::RAKP_3 => {
                let rakp4 = self.rakp3(&Rakp3::decode(&mut r).ok()?)?;
                encode_sessionless(PayloadType::RAKP_4, w, |w| rakp4.encode(w));
            }
            _ => return None,
        }
        Some(())
    }

    fn open_session(
        &mut self,
        entropy: &mut dyn Entropy,
        request: &OpenSessionRequest,
    ) -> OpenSessionResponse {
        OpenSessionResponse {
            tag: request.tag,
            console_session_id: Some(request.console_session_id),
            outcome: self.try_open(entropy, request),
        }
    }

    fn try_open(
        &mut self,
        entropy: &mut dyn Entropy,
        request: &OpenSessionRequest,
    ) -> Result<OpenedSession, RakpStatus> {
        let is_taken = self.sessions.is_taken_for(self.peer, request);
        defect::refuse_open(self.config, request, is_taken)?;
        let algorithms = choose_algorithms(self.config, request.algorithms)?;
        if request.console_session_id == 0 {
            return Err(RakpStatus::ILLEGAL_PARAMETER);
        }
        let privilege = match request.privilege {
            // "The highest that fits": each suite here fits all levels.
            RequestedPrivilege::HIGHEST => PrivilegeLevel::ADMINISTRATOR,
            level if level.name().is_some() => PrivilegeLevel(level.0),
            _ => return Err(RakpStatus::INVALID_ROLE),
        };
        if let Some((slot, opened)) = self.sessions.find_opened_by(self.peer, request) {
            let Opened {
                algorithms,
                privilege,
            } = opened;
            let bmc_session_id = slot.bmc_session_id;
            return Ok(OpenedSession {
                privilege,
                bmc_session_id,
                algorithms,
            });
        }
        self.sessions.abandon(self.peer, request);
        if !self.sessions.make_room(self.now, self.config) {
            return Err(RakpStatus::INSUFFICIENT_RESOURCES);
        }
        let bmc_session_id = self.sessions.new_id(entropy);
        self.sessions.add(Slot {
            bmc_session_id,
            console_session_id: request.console_session_id,
            peer: self.peer,
            tag: request.tag,
            handle: self.sessions.free_handle(),
            opened: self.now,
            touched: self.now,
            stage: Stage::Opened(Opened {
                algorithms,
                privilege,
            }),
        });
        Ok(OpenedSession {
            privilege,
            bmc_session_id,
            algorithms,
        })
    }

    fn rakp1(&mut self, entropy: &mut dyn Entropy, rakp1: &Rakp1) -> Rakp2 {
        let Some(slot) = self.sessions.find(rakp1.bmc_session_id, self.peer) else {
            let outcome = Err(RakpStatus::INVALID_SESSION_ID);
            return Rakp2 {
                tag: rakp1.tag,
                console_session_id: 0,
                outcome,
            };
        };
        let console_session_id = slot.console_session_id;
        let mut by = Challenger {
            config: self.config,
            guard: self.guard,
            now: self.now,
            lapse: self.lapse,
        };
        // Before anything is said of the user: a channel that is closed lets nobody in, at no level.
        let outcome = match self.handler.channel_limit() {
            Some(limit) => by.challenge(entropy, slot, rakp1, limit),
            None => Err(RakpStatus::UNAUTHORIZED_ROLE),
        };
        // A session that is active already is not ended by what anybody can send.
        if outcome.is_err() && !slot.is_active() {
            self.sessions.remove(rakp1.bmc_session_id);
        }
        Rakp2 {
            tag: rakp1.tag,
            console_session_id,
            outcome,
        }
    }

    fn refuse_malformed_rakp1(&mut self, payload: &[u8], field: &str) -> Option<Rakp2> {
        let mut r = Reader::new(payload);
        let [tag, ..] = r.array::<4>("RAKP Message 1").ok()?;
        let slot = self
            .sessions
            .find(r.u32("BMC session ID").ok()?, self.peer)?;
        let status = match field {
            "user name length" => RakpStatus::INVALID_NAME_LENGTH,
            _ => RakpStatus::ILLEGAL_PARAMETER,
        };
        Some(Rakp2 {
            tag,
            console_session_id: slot.console_session_id,
            outcome: Err(status),
        })
    }

    fn rakp3(&mut self, rakp3: &Rakp3) -> Option<Rakp4> {
        let tag = rakp3.tag;
        let Some(slot) = self.sessions.find(rakp3.bmc_session_id, self.peer) else {
            let outcome = Err(RakpStatus::INVALID_SESSION_ID);
            return Some(Rakp4 {
                tag,
                console_session_id: 0,
                outcome,
            });
        };
        let console_session_id = slot.console_session_id;
        if self.config.has(Quirk::Rakp4SessionForgotten) && self.lapse.every_other() {
            self.sessions.remove(rakp3.bmc_session_id);
            return Some(Rakp4 {
                tag,
                console_session_id,
                outcome: Err(RakpStatus::INVALID_SESSION_ID),
            });
        }
        let outcome = match (&slot.stage, rakp3.outcome) {
            (Stage::Opened(_) | Stage::ChallengedV15(_), _) => Err(RakpStatus::INVALID_SESSION_ID),
            // The console repeats itself: RAKP Message 4 was lost.
            (Stage::Active(active), Ok(code)) => match active.confirmation.as_deref()? {
                Confirmation::Rakp4 {
                    tag: kept,
                    rakp3_code,
                    rakp4_code,
                } if *kept == tag && *rakp3_code == code => Ok(*rakp4_code),
                _ => return None,
            },
            (Stage::Active(_), Err(_)) => return None,
            // The console's user got the password wrong, by the console's own reckoning (§13.22).
            (Stage::Challenged(challenged), Err(status)) => {
                if status == RakpStatus::INVALID_INTEGRITY_CHECK {
                    let user_id = challenged.user_id;
                    self.guard.failure(self.config, user_id, self.now);
                }
                self.sessions.remove(rakp3.bmc_session_id);
                return None;
            }
            (Stage::Challenged(challenged), Ok(_)) => {
                let user_id = challenged.user_id;
                let mut activated = activate(self.config, challenged, rakp3);
                // Locked since the challenge, by guesses at other challenges.
                if self.guard.is_locked(self.config, user_id, self.now) {
                    activated = Err(RakpStatus::INVALID_INTEGRITY_CHECK);
                }
                match activated {
                    Ok(_) => self.guard.success(user_id),
                    Err(_) => self.guard.failure(self.config, user_id, self.now),
                }
                // The channel may have been closed, or opened less far, since the challenge.
                let limit = self.handler.channel_limit();
                activated.and_then(|(mut active, rakp4_code)| {
                    active.lower(limit.ok_or(RakpStatus::UNAUTHORIZED_ROLE)?);
                    slot.stage = Stage::Active(Box::new(active));
                    slot.touched = self.now;
                    Ok(rakp4_code)
                })
            }
        };
        if let Err(RakpStatus::INVALID_INTEGRITY_CHECK | RakpStatus::UNAUTHORIZED_ROLE) = outcome {
            self.sessions.remove(rakp3.bmc_session_id);
        }
        Some(Rakp4 {
            tag,
            console_session_id,
            outcome,
        })
    }
}

/// Answers an Open Session Request that doesn't parse, as far as it tells whom to answer.
fn refuse_malformed_open(payload: &[u8]) -> Option<OpenSessionResponse> {
    let mut r = Reader::new(payload);
    let [tag, ..] = r.array::<4>("Open Session Request").ok()?;
    let console_session_id = Some(r.u32("console session ID").ok()?);
    Some(OpenSessionResponse {
        tag,
        console_session_id,
        outcome: Err(RakpStatus::ILLEGAL_PARAMETER),
    })
}

/// The strongest of our suites that the console allows; otherwise what is wrong with what it proposes.
fn choose_algorithms(config: &Config, asked: Proposal) -> Result<Algorithms, RakpStatus> {
    let ours = || {
        let implemented = |algorithms: &Algorithms| algorithms.is_implemented();
        defect::algorithms(config).filter(implemented)
    };
    let Proposal {
        auth,
        integrity,
        confidentiality,
    } = asked;
    let chosen = ours()
        .filter(|algorithms| asked.allows(*algorithms))
        .max_by_key(|algorithms| algorithms.strength());
    if let Some(chosen) = chosen {
        Ok(chosen)
    } else if !ours().any(|algorithms| auth.is_none_or(|auth| auth == algorithms.auth)) {
        Err(RakpStatus::INVALID_AUTHENTICATION_ALGORITHM)
    } else if !ours().any(|ours| integrity.is_none_or(|asked| asked == ours.integrity)) {
        Err(RakpStatus::INVALID_INTEGRITY_ALGORITHM)
    } else if !ours().any(|ours| confidentiality.is_none_or(|asked| asked == ours.confidentiality))
    {
        Err(RakpStatus::INVALID_CONFIDENTIALITY_ALGORITHM)
    } else {
        Err(RakpStatus::NO_CIPHER_SUITE_MATCH)
    }
}

/// What a challenge is made from.
struct Challenger<'a> {
    lapse: &'a mut Lapse,
    config: &'a Config,
    guard: &'a mut Guard,
    now: Instant,
}

/// Whom a challenge is for.
struct Challengee {
    /// 0 for nobody.
    user_id: u8,
    key: UserKey,
    privilege: PrivilegeLevel,
}

impl Challenger<'_> {
    /// Looks the user up and makes the BMC's half of the exchange.
    fn challenge(
        &mut self,
        entropy: &mut dyn Entropy,
        slot: &mut Slot,
        rakp1: &Rakp1,
        channel_limit: PrivilegeLevel,
    ) -> Result<Rakp2Proof, RakpStatus> {
        let (opened, earlier) = match &slot.stage {
            Stage::Opened(opened) => (*opened, None),
            Stage::Challenged(challenged) => (challenged.opened, Some(challenged.exchange)),
            Stage::ChallengedV15(_) | Stage::Active(_) => {
                return Err(RakpStatus::INVALID_SESSION_ID);
            }
        };
        defect::refuse_challenge(self.config, self.lapse, rakp1)?;
        if rakp1.role.privilege().name().is_some() && rakp1.role.privilege() > channel_limit {
            return Err(RakpStatus::UNAUTHORIZED_ROLE);
        }
        let user = self.challengee(entropy, rakp1)?;
        let exchange = Exchange {
            algorithm: opened.algorithms.auth,
            console_session_id: slot.console_session_id,
            bmc_session_id: slot.bmc_session_id,
            console_random: rakp1.console_random,
            bmc_random: [0; 16],
            guid: self.config.guid.0,
            role: rakp1.role,
            user_name: rakp1.user_name,
        };
        let mut exchange = defect::exchange(self.config, opened, exchange);
        // A console that repeats RAKP Message 1 gets the same answer.
        let repeated = earlier.filter(|earlier| {
            Exchange {
                bmc_random: exchange.bmc_random,
                ..*earlier
            } == exchange
        });
        match repeated {
            Some(earlier) => exchange.bmc_random = earlier.bmc_random,
            None => entropy.fill(&mut exchange.bmc_random),
        }
        let asked = match rakp1.role.privilege() {
            PrivilegeLevel(0) => user.privilege,
            level => level,
        };
        let limit = asked
            .min(user.privilege)
            .min(opened.privilege)
            .min(channel_limit);
        slot.stage = Stage::Challenged(Box::new(Challenged {
            opened,
            exchange,
            user_id: user.user_id,
            limit,
        }));
        Ok(Rakp2Proof {
            bmc_random: exchange.bmc_random,
            guid: exchange.guid,
            code: exchange.rakp2_code(&user.key),
        })
    }

    /// The user, or in place of one who may not log in a decoy, where users are hidden.
    fn challengee(
        &mut self,
        entropy: &mut dyn Entropy,
        rakp1: &Rakp1,
    ) -> Result<Challengee, RakpStatus> {
        // Made for known names too, so that it takes as long.
        let decoy = self
            .config
            .hide_users
            .then(|| self.guard.decoy(entropy, &rakp1.user_name));
        let found = find_user(self.config, rakp1).and_then(|(user_id, user)| {
            if self.guard.is_locked(self.config, user_id, self.now) {
                return Err(RakpStatus::UNAUTHORIZED_NAME);
            }
            Ok(Challengee {
                user_id,
                key: defect::password(self.config, &user.password),
                privilege: user.privilege,
            })
        });
        match (found, decoy) {
            (Err(RakpStatus::UNAUTHORIZED_NAME | RakpStatus::UNAUTHORIZED_ROLE), Some(key)) => {
                Ok(Challengee {
                    user_id: 0,
                    key,
                    privilege: PrivilegeLevel::CALLBACK,
                })
            }
            (found, _) => found,
        }
    }
}

fn find_user<'c>(config: &'c Config, rakp1: &Rakp1) -> Result<(u8, &'c User), RakpStatus> {
    let asked = rakp1.role.privilege();
    if asked.0 != 0 && asked.name().is_none() {
        return Err(RakpStatus::INVALID_ROLE);
    }
    let mut named = config
        .enabled_users()
        .filter(|(_, user)| user.name == rakp1.user_name);
    let unauthorized = RakpStatus::UNAUTHORIZED_NAME;
    if rakp1.role.lookup() == UserLookup::NAME_ONLY {
        let (user_id, user) = named.next().ok_or(unauthorized)?;
        if asked > user.privilege {
            return Err(RakpStatus::UNAUTHORIZED_ROLE);
        }
        Ok((user_id, user))
    } else {
        // By name and privilege: several users may share a name.
        named
            .find(|(_, user)| asked <= user.privilege)
            .ok_or(unauthorized)
    }
}

/// Checks the console's proof and makes the session's keys.
fn activate(
    config: &Config,
    challenged: &Challenged,
    rakp3: &Rakp3,
) -> Result<(Active, Code), RakpStatus> {
    let Challenged {
        opened,
        exchange,
        user_id,
        limit,
    } = challenged;
    let user = config.enabled_user(*user_id);
    // With nobody's password too, so that it takes as long.
    let nobody = UserKey::empty();
    let password = &defect::password(config, user.map_or(&nobody, |user| &user.password));
    let expected = exchange.rakp3_code(password);
    if rakp3.outcome != Ok(expected) || user.is_none() {
        return Err(RakpStatus::INVALID_INTEGRITY_CHECK);
    }
    let key = exchange.session_key(config.kg.as_ref().unwrap_or(password));
    let Exchange {
        bmc_session_id,
        console_session_id,
        ..
    } = *exchange;
    let channel = Channel::new(
        opened.algorithms,
        &key,
        password,
        bmc_session_id,
        console_session_id,
    )
    .ok_or(RakpStatus::NO_CIPHER_SUITE_MATCH)?;
    let rakp4_code = defect::rakp4_code(config, exchange, &key);
    let active = Active {
        channel: SessionChannel::RmcpPlus(channel),
        user_id: *user_id,
        user_name: user.map_or(exchange.user_name, |user| user.name),
        privilege: PrivilegeLevel::USER.min(*limit),
        limit: *limit,
        confirmation: Some(Box::new(Confirmation::Rakp4 {
            tag: rakp3.tag,
            rakp3_code: expected,
            rakp4_code,
        })),
        executed: Executed::default(),
        sol: None,
    };
    Ok((active, rakp4_code))
}
