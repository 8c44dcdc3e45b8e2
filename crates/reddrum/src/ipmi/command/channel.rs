//! `channel`, `session`: who may come in over which channel, and who is there (§22.15, §22.20, §22.22 to §22.27).

use std::rc::Rc;

use ipmi::command::app::get_channel_cipher_suites::{CHUNKS_MAX, SuiteRecords};
use ipmi::command::app::get_session_info::SessionSelector;
use ipmi::command::app::{
    GetChannelAccess, GetChannelAuthenticationCapabilities, GetChannelCipherSuites, GetChannelInfo,
    GetSessionInfo, GetUserAccess, SessionInfo, SetChannelAccess, SetUserAccess, SettingsCopy,
    UserAccess,
};
use ipmi::number::{
    AccessUpdate, ChannelAccessFlags, ChannelAccessMode, ChannelNumber, CipherListMode, KgStatus,
    PayloadType, PerMessageAuthentication, SessionProtocol, UserAccessFlags, UserEnableStatus,
    UserLevelAuthentication,
};
use serde_json::json;

use super::own_user::{Change, Guard};
use super::{ADMINISTRATOR, OPERATOR, Start, USER, on, start};
use crate::ipmi::args::{
    AccessMode, AccessSetting, ChannelCommand, CipherPayload, Privilege, SessionCommand, Sessions,
    UserLevel,
};
use crate::ipmi::failure::Failure;
use crate::ipmi::report::{Report, Sheet};
use crate::ipmi::talk::{Line, Outcome};

/// Width of the names in the reports.
const WIDTH: usize = 27;

/// How to begin it.
pub(super) fn begin(command: ChannelCommand, username: Option<&str>) -> Start {
    match command {
        ChannelCommand::Info(channel) => start(OPERATOR, move |line| info(line, on(channel))),
        ChannelCommand::Getaccess { channel, user } => start(OPERATOR, move |line| {
            users(line, ChannelNumber(channel), user)
        }),
        ChannelCommand::Setaccess {
            channel,
            user,
            settings,
            own,
        } => {
            let settings: Rc<[AccessSetting]> = settings.into();
            let guard = Guard::new(own, username);
            let place = (ChannelNumber(channel), user.id);
            start(ADMINISTRATOR, move |line| {
                set_user(line, place, Rc::clone(&settings), guard.clone())
            })
        }
        ChannelCommand::Authcap { channel, level } => {
            let question = GetChannelAuthenticationCapabilities {
                channel,
                rmcp_plus: true,
                privilege: level.into(),
            };
            start(USER, move |line| authcap(line, question))
        }
        ChannelCommand::Getciphers { payload, channel } => {
            start(USER, move |line| suites(line, payload, on(channel)))
        }
        ChannelCommand::Set {
            mode,
            limit,
            channel,
            own,
        } => {
            let guard = Guard::new(own, username);
            start(ADMINISTRATOR, move |line| {
                set_access(line, mode, limit, on(channel), guard.clone())
            })
        }
    }
}

/// How to begin `lan set access`: both ends of what a channel can be set to.
pub(super) fn begin_lan_access(channel: ChannelNumber, on: bool, guard: Guard) -> Start {
    let (mode, limit) = if on {
        (AccessMode::Always, Some(Privilege::Administrator))
    } else {
        (AccessMode::Disabled, None)
    };
    start(ADMINISTRATOR, move |line| {
        set_access(line, Some(mode), limit, channel, guard.clone())
    })
}

/// How to begin `session`.
pub(super) fn begin_session(command: SessionCommand) -> Start {
    let SessionCommand::Info { which } = command;
    start(USER, move |line| sessions(line, which))
}

async fn info(line: Line, channel: ChannelNumber) -> Outcome {
    let info = line.call(&GetChannelInfo { channel }).await?;
    let mut sheet = Sheet::new(WIDTH);
    sheet.put("Channel", "channel", info.channel.0);
    sheet.put("Medium", "medium", info.medium.to_string());
    sheet.put("Protocol", "protocol", info.protocol.to_string());
    let support = info.session_support.to_string();
    sheet.put("Sessions", "session_support", support);
    let active = info.active_sessions;
    sheet.put("Active Sessions", "active_sessions", active);
    sheet.put("Protocol Vendor", "vendor", info.vendor);
    for (copy, name, key) in [
        (SettingsCopy::Volatile, "Access Now", "access"),
        (
            SettingsCopy::NonVolatile,
            "Access After Restart",
            "access_after_restart",
        ),
    ] {
        let access = match line.call(&GetChannelAccess { channel, copy }).await {
            Ok(access) => access,
            // Channels without sessions have no access settings.
            Err(error) if error.completion().is_some() => continue,
            Err(error) => return Err(error.into()),
        };
        let mode = access.mode.to_string();
        let text = format!("{mode}, up to {}", access.privilege_limit);
        let value = json!({
            "mode": mode,
            "privilege_limit": access.privilege_limit.to_string(),
            "pef_alerting": !access.flags.contains(ChannelAccessFlags::PEF_ALERTING_OFF),
            "per_message_authentication": !access
                .flags
                .contains(ChannelAccessFlags::PER_MESSAGE_AUTHENTICATION_OFF),
            "user_level_authentication": !access
                .flags
                .contains(ChannelAccessFlags::USER_LEVEL_AUTHENTICATION_OFF),
        });
        sheet.put_as(name, key, text, value);
    }
    Ok(sheet.report())
}

/// The access of a user, or of all.
async fn users(line: Line, channel: ChannelNumber, user: Option<u8>) -> Outcome {
    if let Some(user_id) = user {
        let access = line.call(&GetUserAccess { channel, user_id }).await?;
        return Ok(sheet(user_id, &access).report());
    }
    let (mut lines, mut values) = (Vec::new(), Vec::new());
    let user_id = 1;
    let last = line
        .call(&GetUserAccess { channel, user_id })
        .await?
        .user_id_max;
    for user_id in 1..=last {
        let access = match line.call(&GetUserAccess { channel, user_id }).await {
            Ok(access) => access,
            // A slot that was never used: some BMCs say so by an error.
            Err(error) if error.completion().is_some() => continue,
            Err(error) => return Err(error.into()),
        };
        let report = sheet(user_id, &access).report();
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(report.lines);
        values.push(report.value);
    }
    Ok(Report::of(lines, json!({ "users": values })))
}

fn sheet(user_id: u8, access: &UserAccess) -> Sheet {
    let mut sheet = Sheet::new(WIDTH);
    sheet.put("Maximum User IDs", "maximum", access.user_id_max);
    sheet.put("Enabled User IDs", "enabled_count", access.enabled_count);
    sheet.put("User ID", "user", user_id);
    sheet.put(
        "Callback Only",
        "callback_only",
        access.flags.contains(UserAccessFlags::CALLBACK_ONLY),
    );
    let link = access.flags.contains(UserAccessFlags::LINK_AUTHENTICATION);
    sheet.put("Link Authentication", "link_authentication", link);
    sheet.put(
        "IPMI Messaging",
        "ipmi_messaging",
        access.flags.contains(UserAccessFlags::IPMI_MESSAGING),
    );
    let limit = match access.privilege_limit {
        UserAccess::NO_ACCESS => "no access".to_owned(),
        limit => limit.to_string(),
    };
    sheet.put("Privilege Level", "privilege_limit", limit);
    sheet.put("Enable Status", "status", access.status.to_string());
    sheet
}

/// Whether somebody may no longer get in by it.
fn bars(setting: &AccessSetting) -> bool {
    match setting {
        AccessSetting::Callin(on) | AccessSetting::Ipmi(on) => !on,
        AccessSetting::Privilege(level) => *level != UserLevel::Administrator,
        AccessSetting::Link(_) => false,
    }
}

/// Sets what a user may do, and reads it back.
async fn set_user(
    line: Line,
    (channel, user_id): (ChannelNumber, u8),
    settings: Rc<[AccessSetting]>,
    guard: Guard,
) -> Outcome {
    if settings.iter().any(bars) {
        let change = Change::Limited;
        guard.pass(&line, user_id, Some(channel), change).await?;
    }
    let question = GetUserAccess { channel, user_id };
    let before = line.call(&question).await?;
    let (mut flags, mut privilege_limit) = (before.flags, before.privilege_limit);
    for setting in settings.iter() {
        match *setting {
            AccessSetting::Callin(on) => flags = flags.with(UserAccessFlags::CALLBACK_ONLY, !on),
            AccessSetting::Ipmi(on) => flags = flags.with(UserAccessFlags::IPMI_MESSAGING, on),
            AccessSetting::Link(on) => flags = flags.with(UserAccessFlags::LINK_AUTHENTICATION, on),
            AccessSetting::Privilege(level) => privilege_limit = level.into(),
        }
    }
    let is_flag = |setting: &AccessSetting| !matches!(setting, AccessSetting::Privilege(_));
    let command = SetUserAccess {
        // What BMCs show of a disabled user isn't always what they keep.
        change_flags: settings.iter().any(is_flag),
        flags,
        channel,
        user_id,
        privilege_limit,
        session_limit: None,
    };
    line.call(&command).await?;
    let kept = line.call(&question).await?;
    let report = sheet(user_id, &kept).report();
    // Some BMCs show no messaging of a user that is disabled.
    let shown = |flags: UserAccessFlags| match kept.status {
        UserEnableStatus::DISABLED => flags.with(UserAccessFlags::IPMI_MESSAGING, false),
        _ => flags,
    };
    let is_kept = (shown(kept.flags), kept.privilege_limit) == (shown(flags), privilege_limit);
    let failure = (!is_kept).then(|| Failure::Unfit {
        kind: "not_kept",
        cause: "the BMC took the command, but has other settings now".to_owned(),
        remedy: "some users are fixed; see the BMC's manual".to_owned(),
    });
    Ok(report.lacking(failure))
}

/// How to log in over a channel (§22.13).
async fn authcap(line: Line, question: GetChannelAuthenticationCapabilities) -> Outcome {
    let asked = match line.call(&question).await {
        // A BMC of before IPMI 2.0 knows no such bit in the channel.
        Err(error) if error.completion().is_some() => {
            let plain = GetChannelAuthenticationCapabilities {
                rmcp_plus: false,
                ..question
            };
            line.call(&plain).await
        }
        asked => asked,
    };
    let found = asked?;
    let mut sheet = Sheet::new(WIDTH);
    sheet.put("Channel", "channel", found.channel);
    let level = question.privilege.to_string();
    sheet.put("Privilege Level", "privilege", level);
    let list = |names: Vec<&str>| match names.as_slice() {
        [] => "none".to_owned(),
        names => names.join(", "),
    };
    let types: Vec<_> = found.v15_auth_types.names().collect();
    let text = list(types.clone());
    sheet.put_as("IPMI 1.5 Authentication", "v15_auth_types", text, types);
    let kg = found.kg == KgStatus::SET;
    sheet.put_as("BMC Key (K_g)", "kg_set", found.kg, kg);
    let per_message = found.per_message == PerMessageAuthentication::ENABLED;
    sheet.put_as(
        "Per-message Auth.",
        "per_message_authentication",
        found.per_message,
        per_message,
    );
    let user_level = found.user_level == UserLevelAuthentication::ENABLED;
    sheet.put_as(
        "User Level Auth.",
        "user_level_authentication",
        found.user_level,
        user_level,
    );
    let users: Vec<_> = found.users.names().collect();
    sheet.put_as("Users", "users", list(users.clone()), users);
    let sessions: Vec<_> = found.sessions.names().collect();
    sheet.put_as("Sessions", "sessions", list(sessions.clone()), sessions);
    if found.oem_enterprise != 0 {
        sheet.put("OEM Authentication", "oem_enterprise", found.oem_enterprise);
    }
    Ok(sheet.report())
}

async fn suites(line: Line, payload: CipherPayload, channel: ChannelNumber) -> Outcome {
    let payload_type = match payload {
        CipherPayload::Ipmi => PayloadType::IPMI,
        CipherPayload::Sol => PayloadType::SOL,
    };
    let mut records = SuiteRecords::default();
    for index in 0..CHUNKS_MAX {
        let command = GetChannelCipherSuites {
            channel: channel.0,
            payload_type,
            mode: CipherListMode::SUITES,
            index,
        };
        let chunk = line.call(&command).await?;
        records.read(chunk.bytes());
        if chunk.is_last() {
            break;
        }
    }
    let ids: Vec<u8> = records.suites.iter().map(|suite| suite.0).collect();
    let lines = records.suites.iter().map(|suite| {
        let text = suite.to_string();
        format!("{:<4} {text}", suite.0)
    });
    Ok(Report::of(lines.collect(), json!({ "cipher_suites": ids })))
}

async fn set_access(
    line: Line,
    mode: Option<AccessMode>,
    limit: Option<Privilege>,
    channel: ChannelNumber,
    guard: Guard,
) -> Outcome {
    let is_shut = matches!(mode, Some(AccessMode::Disabled | AccessMode::PreBoot));
    let is_limited = limit.is_some_and(|limit| limit != Privilege::Administrator);
    if is_shut || is_limited {
        guard.pass_channel(&line, channel).await?;
    }
    let mode = mode.map(|mode| match mode {
        AccessMode::Disabled => ChannelAccessMode::DISABLED,
        AccessMode::PreBoot => ChannelAccessMode::PRE_BOOT_ONLY,
        AccessMode::Always => ChannelAccessMode::ALWAYS_AVAILABLE,
        AccessMode::Shared => ChannelAccessMode::SHARED,
    });
    // Both copies, so that it holds now and after a restart; what is not named stays.
    for (copy, update) in [
        (SettingsCopy::NonVolatile, AccessUpdate::NON_VOLATILE),
        (SettingsCopy::Volatile, AccessUpdate::VOLATILE),
    ] {
        let before = line.call(&GetChannelAccess { channel, copy }).await?;
        let command = SetChannelAccess {
            channel,
            update: mode.map_or(AccessUpdate::UNCHANGED, |_| update),
            flags: before.flags,
            mode: mode.unwrap_or(before.mode),
            update_limit: limit.map_or(AccessUpdate::UNCHANGED, |_| update),
            privilege_limit: limit.map_or(before.privilege_limit, Into::into),
        };
        line.call(&command).await?;
    }
    match info(line, channel).await {
        // It took the command, and takes nothing by this channel from now on.
        Err(failure) if is_shut && failure.kind() == "unanswered" => {
            let text = "Set; the BMC no longer answers by this channel";
            let value = json!({ "mode": mode.map(|mode| mode.to_string()), "confirmed": false });
            Ok(Report::line(text, value))
        }
        told => told,
    }
}

async fn sessions(line: Line, which: Sessions) -> Outcome {
    let current = GetSessionInfo {
        selector: SessionSelector::Current,
    };
    let own = line.call(&current).await?;
    let mut infos = Vec::new();
    match which {
        Sessions::Current => infos.push(own),
        Sessions::Active => {
            for n in 1..=own.active {
                let selector = SessionSelector::Nth(n);
                match line.call(&GetSessionInfo { selector }).await {
                    Ok(info) => infos.push(info),
                    // It has ended meanwhile.
                    Err(error) if error.completion().is_some() => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    let lines = infos.iter().map(describe).collect();
    let list: Vec<_> = infos.iter().filter_map(value).collect();
    let value = json!({ "slots": own.max, "active": own.active, "sessions": list });
    Ok(Report::of(lines, value))
}

fn describe(info: &SessionInfo) -> String {
    let Some(session) = &info.session else {
        return format!("session {:02x}: no session", info.handle);
    };
    let version = if session.protocol == SessionProtocol::V2_0 {
        "2.0"
    } else {
        "1.5"
    };
    let mut text = format!(
        "session {:02x}: user {} as {}, IPMI {version}, channel {}",
        info.handle, session.user_id, session.privilege, session.channel
    );
    if let Some(console) = &session.console {
        let [a, b, c, d] = console.ip;
        text.push_str(&format!(", from {a}.{b}.{c}.{d}:{}", console.port));
    }
    text
}

fn value(info: &SessionInfo) -> Option<serde_json::Value> {
    let session = info.session.as_ref()?;
    let from = session.console.as_ref().map(|console| {
        let [a, b, c, d] = console.ip;
        format!("{a}.{b}.{c}.{d}:{}", console.port)
    });
    Some(json!({
        "handle": info.handle,
        "user": session.user_id,
        "privilege": session.privilege.to_string(),
        "rmcp_plus": session.protocol == SessionProtocol::V2_0,
        "channel": session.channel,
        "from": from,
    }))
}
