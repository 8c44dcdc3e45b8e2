//! The commands that a BMC's session layer answers itself.

use super::config::Config;
use super::defect;
use super::handler::decode;
use super::session::{Active, Peer, SessionTable, Slot};
use crate::command::app::close_session::{INVALID_SESSION_HANDLE, INVALID_SESSION_ID};
use crate::command::app::get_channel_authentication_capabilities::CHANNEL_CURRENT;
use crate::command::app::get_channel_cipher_suites::{CHUNK, encode_algorithms, encode_records};
use crate::command::app::get_session_info::{
    ActiveSession, ConsoleAddress, SessionInfo, SessionSelector,
};
use crate::command::app::set_session_privilege_level::ABOVE_LIMIT;
use crate::command::app::{
    ChannelAuthenticationCapabilities, CipherSuitesChunk, CloseSession,
    GetChannelAuthenticationCapabilities, GetChannelCipherSuites, GetSessionInfo, GetSystemGuid,
    SessionPrivilegeLevel, SetSessionPrivilegeLevel,
};
use crate::command::{Command, Message};
use crate::number::{
    AnonymousLogin, AuthTypes, CipherListMode, CompletionCode, ExtendedCapabilities, KgStatus,
    NetFn, PayloadType, PerMessageAuthentication, PrivilegeLevel, SessionProtocol,
};
use crate::wire::Writer;
use crate::wire::message::LanMessage;

/// Room for an answer's data, in bytes; the longest is Get Channel Cipher Suites' and Get Session Info's.
const DATA_MAX: usize = 24;

/// Result of a command: its answer was written, or it is refused.
type Answered = Result<(), CompletionCode>;

/// What the session layer has to say to a request.
#[derive(Debug)]
pub(super) struct Own {
    /// `None`: nothing, the request is not about sessions.
    code: Option<CompletionCode>,
    data: [u8; DATA_MAX],
    len: usize,
    /// What follows.
    pub(super) effect: Effect,
}

/// What follows from a command about sessions, besides its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    None,
    /// The asking session works at this level from now on.
    Level(PrivilegeLevel),
    /// The session with this ID ends, after the answer.
    Close(u32),
}

impl Own {
    const NOTHING: Self = Self {
        code: None,
        data: [0; DATA_MAX],
        len: 0,
        effect: Effect::None,
    };

    pub(super) const fn refused(code: CompletionCode) -> Self {
        Self {
            code: Some(code),
            ..Self::NOTHING
        }
    }

    pub(super) fn answer(
        execute: impl FnOnce(&mut Writer<'_>) -> Result<Effect, CompletionCode>,
    ) -> Self {
        let mut own = Self::NOTHING;
        let mut w = Writer::new(&mut own.data);
        match execute(&mut w) {
            Ok(effect) => {
                own.len = w.position();
                own.code = Some(CompletionCode::OK);
                own.effect = effect;
                own
            }
            Err(code) => Self::refused(code),
        }
    }

    /// The data.
    pub(super) fn data_mut(&mut self) -> &mut [u8] {
        &mut self.data[..self.len]
    }

    /// Writes the data and gives the completion code; `None` where somebody else must answer.
    pub(super) fn write(&self, w: &mut Writer<'_>) -> Option<CompletionCode> {
        w.bytes(&self.data[..self.len]);
        self.code
    }
}

/// Whether a command looks at sessions other than the one that asks.
pub(super) const fn is_about_others(netfn: NetFn, cmd: u8) -> bool {
    netfn.0 == NetFn::APP.0 && matches!(cmd, CloseSession::CMD | GetSessionInfo::CMD)
}

/// Answers what may be asked without a session.
pub(super) fn sessionless(config: &Config, netfn: NetFn, cmd: u8, data: &[u8]) -> Own {
    let answer = |execute: fn(&Config, &[u8], &mut Writer<'_>) -> Answered| {
        Own::answer(|w| execute(config, data, w).map(|()| Effect::None))
    };
    let own = match (netfn, cmd) {
        (NetFn::APP, GetSystemGuid::CMD) => answer(system_guid),
        (NetFn::APP, GetChannelAuthenticationCapabilities::CMD) => {
            answer(authentication_capabilities)
        }
        (NetFn::APP, GetChannelCipherSuites::CMD) => answer(cipher_suites),
        _ => Own::NOTHING,
    };
    defect::own(config, netfn, cmd, data, own)
}

/// Answers what is about sessions. `limit` tells that of the channel at this moment; `None` where nobody may log in over it now.
pub(super) fn in_session(
    config: &Config,
    sessions: &SessionTable,
    asking: u32,
    limit: impl FnOnce() -> Option<PrivilegeLevel>,
    message: &LanMessage<'_>,
) -> Own {
    let LanMessage { header, body } = message;
    if header.netfn != NetFn::APP {
        return Own::NOTHING;
    }
    let asking = || {
        sessions
            .iter_active()
            .find(|(slot, _)| slot.bmc_session_id == asking)
    };
    match (header.cmd, asking()) {
        (SetSessionPrivilegeLevel::CMD, Some((_, active))) => {
            let own = Own::answer(|w| set_privilege(active, limit(), body, w));
            defect::own(config, header.netfn, header.cmd, body, own)
        }
        (CloseSession::CMD, Some((slot, active))) => {
            Own::answer(|_| close_session(sessions, slot, active, body))
        }
        (GetSessionInfo::CMD, Some((slot, _))) => {
            Own::answer(|w| session_info(config, sessions, slot, body, w).map(|()| Effect::None))
        }
        (cmd, _) => sessionless(config, header.netfn, cmd, body),
    }
}

fn system_guid(config: &Config, data: &[u8], w: &mut Writer<'_>) -> Answered {
    decode::<GetSystemGuid>(data)?;
    config.guid.encode(w);
    Ok(())
}

fn check_channel(config: &Config, channel: u8) -> Answered {
    if channel == CHANNEL_CURRENT || channel == config.channel {
        Ok(())
    } else {
        Err(CompletionCode::INVALID_DATA_FIELD)
    }
}

fn authentication_capabilities(config: &Config, data: &[u8], w: &mut Writer<'_>) -> Answered {
    let request = decode::<GetChannelAuthenticationCapabilities>(data)?;
    check_channel(config, request.channel)?;
    if request.privilege.name().is_none() {
        return Err(CompletionCode::INVALID_DATA_FIELD);
    }
    let users = || config.enabled_users().map(|(_, user)| user);
    let has_password = |password: &[u8; 20]| password.iter().any(|byte| *byte != 0);
    let null_users = || users().filter(|user| user.name.is_empty());
    let v15 = config.v15.as_ref();
    let mut kinds = AnonymousLogin::NONE;
    for (flag, there) in [
        (
            AnonymousLogin::NAMED_USERS,
            users().any(|user| !user.name.is_empty()),
        ),
        (
            AnonymousLogin::NULL_NAMES,
            null_users().any(|user| has_password(user.password.as_bytes())),
        ),
        (
            AnonymousLogin::ANONYMOUS,
            null_users().any(|user| !has_password(user.password.as_bytes())),
        ),
    ] {
        if there {
            kinds = kinds | flag;
        }
    }
    let sessions = match (request.rmcp_plus, v15) {
        (false, _) => ExtendedCapabilities::NONE,
        (true, None) => ExtendedCapabilities::V2_0,
        (true, Some(_)) => ExtendedCapabilities::V2_0 | ExtendedCapabilities::V1_5,
    };
    let answer = ChannelAuthenticationCapabilities {
        channel: config.channel,
        v15_auth_types: v15.map_or(AuthTypes::NONE, |v15| {
            v15.usable()
                .fold(AuthTypes::NONE, |set, one| set | one.bit())
        }),
        per_message: if v15.is_some_and(|v15| !v15.per_message_auth) {
            PerMessageAuthentication::DISABLED
        } else {
            PerMessageAuthentication::ENABLED
        },
        sessions,
        extended: request.rmcp_plus,
        kg: if config.kg.is_some() {
            KgStatus::SET
        } else {
            KgStatus::ZERO
        },
        users: kinds,
        ..ChannelAuthenticationCapabilities::default()
    };
    answer.encode(w);
    Ok(())
}

fn cipher_suites(config: &Config, data: &[u8], w: &mut Writer<'_>) -> Answered {
    let request = decode::<GetChannelCipherSuites>(data)?;
    check_channel(config, request.channel)?;
    if !matches!(request.payload_type, PayloadType::IPMI | PayloadType::SOL) {
        return Err(CompletionCode::INVALID_DATA_FIELD);
    }
    // Twenty standard suites of five bytes each.
    let mut buffer = [0; 100];
    let mut records = Writer::new(&mut buffer);
    if request.mode == CipherListMode::SUITES {
        encode_records(defect::suites_of(config), &mut records);
    } else {
        encode_algorithms(&config.suites, &mut records);
    }
    let start = usize::from(request.index) * CHUNK;
    let rest = records.written().get(start..).unwrap_or_default();
    CipherSuitesChunk::new(config.channel, rest).encode(w);
    Ok(())
}

fn set_privilege(
    active: &Active,
    channel_limit: Option<PrivilegeLevel>,
    data: &[u8],
    w: &mut Writer<'_>,
) -> Result<Effect, CompletionCode> {
    // Of a channel that was closed since, it is not said how far its sessions may go.
    let limit = channel_limit.map_or(active.limit, |limit| limit.min(active.limit));
    let level = match decode::<SetSessionPrivilegeLevel>(data)?.privilege {
        PrivilegeLevel(0) => active.privilege,
        PrivilegeLevel::CALLBACK => return Err(CompletionCode::INVALID_DATA_FIELD),
        level if level.name().is_none() => return Err(CompletionCode::INVALID_DATA_FIELD),
        level if level > limit => return Err(ABOVE_LIMIT),
        level => level,
    };
    SessionPrivilegeLevel { privilege: level }.encode(w);
    Ok(Effect::Level(level))
}

fn close_session(
    sessions: &SessionTable,
    asking: &Slot,
    active: &Active,
    data: &[u8],
) -> Result<Effect, CompletionCode> {
    let request = decode::<CloseSession>(data)?;
    let found = match request.handle {
        Some(handle) => sessions
            .iter_active()
            .find(|(slot, _)| slot.handle == handle)
            .ok_or(INVALID_SESSION_HANDLE)?,
        None => sessions
            .iter_active()
            .find(|(slot, _)| slot.bmc_session_id == request.session_id)
            .ok_or(INVALID_SESSION_ID)?,
    };
    let id = found.0.bmc_session_id;
    // Anyone may end their own session; another's takes an administrator (§22.19).
    if id != asking.bmc_session_id && active.privilege < PrivilegeLevel::ADMINISTRATOR {
        return Err(CompletionCode::INSUFFICIENT_PRIVILEGE);
    }
    Ok(Effect::Close(id))
}

fn session_info(
    config: &Config,
    sessions: &SessionTable,
    asking: &Slot,
    data: &[u8],
    w: &mut Writer<'_>,
) -> Answered {
    let count = |number: usize| u8::try_from(number.min(63)).unwrap_or(63);
    let mut active = sessions.iter_active();
    let found = match decode::<GetSessionInfo>(data)?.selector {
        SessionSelector::Current => active.find(|(slot, _)| slot.handle == asking.handle),
        SessionSelector::Nth(n) => active.nth(usize::from(n).saturating_sub(1)),
        SessionSelector::Handle(handle) => active.find(|(slot, _)| slot.handle == handle),
        SessionSelector::Id(id) => active.find(|(slot, _)| slot.bmc_session_id == id),
    };
    let info = SessionInfo {
        handle: found.map_or(0, |(slot, _)| slot.handle),
        max: count(config.session_max),
        active: count(sessions.iter_active().count()),
        session: found.map(|(slot, active)| describe(config, slot, active)),
    };
    info.encode(w);
    Ok(())
}

fn describe(config: &Config, slot: &Slot, active: &Active) -> ActiveSession {
    let ip = match slot.peer {
        Peer::V4(address) => address.ip().octets(),
        Peer::V6(_) => [0; 4],
    };
    ActiveSession {
        user_id: active.user_id,
        privilege: active.privilege,
        protocol: if active.channel.is_v15() {
            SessionProtocol::V1_5
        } else {
            SessionProtocol::V2_0
        },
        channel: config.channel,
        console: Some(ConsoleAddress {
            ip,
            mac: [0; 6],
            port: slot.peer.port(),
        }),
    }
}
