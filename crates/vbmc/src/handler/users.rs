//! Users, the LAN channel's access and its keys (§22.22 to §22.30).

use ipmi::bmc::{Config, Request, USERS_MAX, User, serve};
use ipmi::command::app::set_channel::{ACCESS_MODE_NOT_SUPPORTED, KEY_LOCKED};
use ipmi::command::app::set_user::{PASSWORD_DIFFERS, PASSWORD_SIZE_DIFFERS};
use ipmi::command::app::{
    ChannelAccess, ChannelSecurityKey, GetChannelAccess, GetUserAccess, GetUserName,
    SECURITY_KEY_LEN, SetChannelAccess, SetChannelSecurityKeys, SetUserAccess, SetUserName,
    SetUserPassword, SettingsCopy, UserAccess, UserName,
};
use ipmi::command::{Command, Empty, Secret};
use ipmi::crypto::exchange::UserKey;
use ipmi::number::{
    AccessUpdate, ChannelAccessMode, ChannelNumber, CompletionCode, PasswordOperation,
    PasswordSize, PrivilegeLevel, SecurityKeyId, SecurityKeyLock, SecurityKeyOperation,
    UserAccessFlags, UserEnableStatus,
};
use ipmi::wire::Writer;
use ipmi::wire::rakp;

use super::Device;
use super::app::SERIAL_CHANNEL;
use crate::controller::{ChannelAccessSettings, UserSettings};
use crate::host::Activity;
use crate::machine::Machine;
use crate::profile::Model;

/// User IDs that a channel has at least, used or not.
const USER_IDS_MIN: u8 = 10;

pub(super) fn handle(
    device: &mut Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetChannelAccess::CMD => serve(request, response, |c: GetChannelAccess| {
            get_channel(device, c)
        }),
        SetChannelAccess::CMD => serve(request, response, |c| set_channel(device, &c)),
        SetChannelSecurityKeys::CMD => serve(request, response, |c| set_key(device, &c)),
        GetUserAccess::CMD => serve(request, response, |c: GetUserAccess| {
            let is_serial = check(device, c.channel)?;
            get_access(device, c.user_id, is_serial)
        }),
        SetUserAccess::CMD => serve(request, response, |c| set_access(device, &c)),
        GetUserName::CMD => serve(request, response, |c: GetUserName| {
            let mut name = UserName::default();
            if let Some(user) = user(device, c.user_id)? {
                let bytes = user.name.as_bytes();
                name.0[..bytes.len()].copy_from_slice(bytes);
            }
            Ok(name)
        }),
        SetUserName::CMD => serve(request, response, |c| set_name(device, &c)),
        SetUserPassword::CMD => serve(request, response, |c| set_password(device, &c)),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

/// Whether it is the serial channel, which has the LAN channel's users, but access of its own.
fn check(device: &Device<'_>, channel: ChannelNumber) -> Result<bool, CompletionCode> {
    let has_serial = device.machine.profile().model == Model::Node;
    if channel == SERIAL_CHANNEL && has_serial {
        Ok(true)
    } else {
        device.check_channel(channel).map(|()| false)
    }
}

fn user_ids(device: &Device<'_>) -> u8 {
    u8::try_from(device.config.users.len())
        .unwrap_or(63)
        .clamp(USER_IDS_MIN, 63)
}

/// The user with this ID; `None` for an ID that nobody uses.
fn user<'a>(device: &'a Device<'_>, user_id: u8) -> Result<Option<&'a User>, CompletionCode> {
    if !(1..=user_ids(device)).contains(&user_id) {
        return Err(CompletionCode::PARAMETER_OUT_OF_RANGE);
    }
    Ok(device.config.users.get(usize::from(user_id) - 1))
}

fn settings(device: &Device<'_>, user_id: u8) -> UserSettings {
    let users = &device.machine.controller().users;
    users.get(&user_id).copied().unwrap_or_default()
}

fn get_access(
    device: &Device<'_>,
    user_id: u8,
    is_serial: bool,
) -> Result<UserAccess, CompletionCode> {
    let user = user(device, user_id)?;
    let enabled = device.config.users.iter().filter(|user| user.enabled);
    let is_enabled = user.is_some_and(|user| user.enabled);
    let on_lan = (
        // Also of a user that is disabled: consoles write back what they have read.
        settings(device, user_id).flags.with(
            UserAccessFlags::IPMI_MESSAGING,
            user.is_some_and(|user| user.messaging),
        ),
        user.map_or(UserAccess::NO_ACCESS, |user| user.privilege),
    );
    let on_serial = device.machine.controller().serial_users.get(&user_id);
    let on_serial = on_serial.filter(|_| is_serial);
    let (flags, privilege_limit) = on_serial.copied().unwrap_or(on_lan);
    Ok(UserAccess {
        user_id_max: user_ids(device),
        status: if is_enabled {
            UserEnableStatus::ENABLED
        } else {
            UserEnableStatus::DISABLED
        },
        enabled_count: u8::try_from(enabled.count()).unwrap_or(63),
        // Only the null user's.
        fixed_name_count: 1,
        flags,
        privilege_limit,
    })
}

/// Changes one user in a copy of the configuration, which takes effect after the answer.
fn change(
    device: &mut Device<'_>,
    user_id: u8,
    change: impl FnOnce(&mut User) -> Result<(), CompletionCode>,
) -> Result<Empty, CompletionCode> {
    user(device, user_id)?;
    let mut config = Config::clone(device.config);
    let index = usize::from(user_id) - 1;
    while config.users.len() <= index.min(USERS_MAX - 1) {
        let nobody = User::new("", b"", UserAccess::NO_ACCESS);
        let mut nobody = nobody.map_err(|_| CompletionCode::UNSPECIFIED)?;
        nobody.enabled = false;
        config.users.push(nobody);
    }
    change(&mut config.users[index])?;
    device.new_config = Some(config);
    Ok(Empty)
}

fn set_access(device: &mut Device<'_>, c: &SetUserAccess) -> Result<Empty, CompletionCode> {
    let is_serial = check(device, c.channel)?;
    let known = c.privilege_limit.name().is_some();
    if !known && c.privilege_limit != UserAccess::NO_ACCESS {
        return Err(CompletionCode::INVALID_DATA_FIELD);
    }
    if is_serial {
        let before = get_access(device, c.user_id, true)?;
        let flags = if c.change_flags {
            c.flags
        } else {
            before.flags
        };
        let users = &mut device.machine.controller_mut().serial_users;
        users.insert(c.user_id, (flags, c.privilege_limit));
        return Ok(Empty);
    }
    let done = change(device, c.user_id, |user| {
        user.privilege = c.privilege_limit;
        if c.change_flags {
            user.messaging = c.flags.contains(UserAccessFlags::IPMI_MESSAGING);
        }
        Ok(())
    })?;
    let settings = device
        .machine
        .controller_mut()
        .users
        .entry(c.user_id)
        .or_default();
    if c.change_flags {
        settings.flags = c.flags;
    }
    if let Some(limit) = c.session_limit {
        settings.session_limit = limit & 0x0f;
    }
    Ok(done)
}

fn set_name(device: &mut Device<'_>, c: &SetUserName) -> Result<Empty, CompletionCode> {
    // The first user is the null user (§6.9).
    if c.user_id == 1 {
        return Err(CompletionCode::INVALID_DATA_FIELD);
    }
    let name = rakp::UserName::new(c.name.as_bytes());
    let name = name.ok_or(CompletionCode::INVALID_DATA_FIELD)?;
    let taken = (1..)
        .zip(&device.config.users)
        .any(|(id, user)| id != c.user_id && !name.is_empty() && user.name == name);
    if taken {
        return Err(CompletionCode::INVALID_DATA_FIELD);
    }
    change(device, c.user_id, |user| {
        user.name = name;
        Ok(())
    })
}

fn set_password(device: &mut Device<'_>, c: &SetUserPassword) -> Result<Empty, CompletionCode> {
    let sets = matches!(
        c.operation,
        PasswordOperation::SET | PasswordOperation::TEST
    );
    let wanted = if c.size == PasswordSize::BYTES_20 {
        20
    } else {
        16
    };
    if sets && c.password.as_slice().len() != wanted {
        return Err(CompletionCode::REQUEST_LENGTH_INVALID);
    }
    let key = || UserKey::new(c.password.trimmed()).ok_or(CompletionCode::INVALID_DATA_FIELD);
    match c.operation {
        PasswordOperation::TEST => {
            let user = user(device, c.user_id)?.ok_or(PASSWORD_DIFFERS)?;
            let stored = user.password.as_bytes();
            if stored[16..].iter().any(|byte| *byte != 0) && c.size == PasswordSize::BYTES_16 {
                return Err(PASSWORD_SIZE_DIFFERS);
            }
            let same = Secret::<20>::new(stored) == Secret::new(key()?.as_bytes());
            if same {
                Ok(Empty)
            } else {
                Err(PASSWORD_DIFFERS)
            }
        }
        PasswordOperation::SET => {
            let key = key()?;
            change(device, c.user_id, |user| {
                user.password = key;
                Ok(())
            })
        }
        operation => change(device, c.user_id, |user| {
            user.enabled = operation == PasswordOperation::ENABLE;
            Ok(())
        }),
    }
}

/// The highest level of a log-in over LAN now; `None` where the channel is closed (§6.6, table 6-4).
pub(super) fn channel_limit(machine: &Machine) -> Option<PrivilegeLevel> {
    let ChannelAccessSettings { mode, limit, .. } = machine.controller().channel.volatile;
    let has_booted = matches!(
        machine.host().activity(),
        Activity::Running | Activity::ShuttingDown { .. }
    );
    let is_open = match mode {
        ChannelAccessMode::DISABLED => false,
        ChannelAccessMode::PRE_BOOT_ONLY => !has_booted,
        _ => true,
    };
    is_open.then_some(limit)
}

fn get_channel(device: &Device<'_>, c: GetChannelAccess) -> Result<ChannelAccess, CompletionCode> {
    let controller = device.machine.controller();
    let channel = match check(device, c.channel)? {
        true => &controller.serial_channel,
        false => &controller.channel,
    };
    let settings = if c.copy == SettingsCopy::NonVolatile {
        channel.non_volatile
    } else {
        channel.volatile
    };
    Ok(ChannelAccess {
        flags: settings.flags,
        mode: settings.mode,
        privilege_limit: settings.limit,
    })
}

fn set_channel(device: &mut Device<'_>, c: &SetChannelAccess) -> Result<Empty, CompletionCode> {
    let is_serial = check(device, c.channel)?;
    if c.update != AccessUpdate::UNCHANGED && c.mode.name().is_none() {
        return Err(ACCESS_MODE_NOT_SUPPORTED);
    }
    if c.privilege_limit.name().is_none() && c.update_limit != AccessUpdate::UNCHANGED {
        return Err(CompletionCode::INVALID_DATA_FIELD);
    }
    let controller = device.machine.controller_mut();
    let channel = match is_serial {
        true => &mut controller.serial_channel,
        false => &mut controller.channel,
    };
    let copies = [
        (AccessUpdate::NON_VOLATILE, &mut channel.non_volatile),
        (AccessUpdate::VOLATILE, &mut channel.volatile),
    ];
    for (copy, settings) in copies {
        if c.update == copy {
            *settings = ChannelAccessSettings {
                flags: c.flags,
                mode: c.mode,
                limit: settings.limit,
            };
        }
        if c.update_limit == copy {
            settings.limit = c.privilege_limit;
        }
    }
    Ok(Empty)
}

fn set_key(
    device: &mut Device<'_>,
    c: &SetChannelSecurityKeys,
) -> Result<ChannelSecurityKey, CompletionCode> {
    device.check_channel(c.channel)?;
    let index = match c.key_id {
        SecurityKeyId::KR => 0,
        SecurityKeyId::KG => 1,
        _ => return Err(CompletionCode::INVALID_DATA_FIELD),
    };
    let locked = device.machine.controller().channel.key_locked[index];
    if locked {
        return Err(KEY_LOCKED);
    }
    let mut answer = ChannelSecurityKey {
        lock: SecurityKeyLock::UNLOCKED,
        key: Secret::new(&[]).ok_or(CompletionCode::UNSPECIFIED)?,
    };
    match c.operation {
        SecurityKeyOperation::SET if c.key.as_slice().len() != SECURITY_KEY_LEN => {
            return Err(CompletionCode::REQUEST_LENGTH_INVALID);
        }
        SecurityKeyOperation::SET if c.key_id == SecurityKeyId::KG => {
            let mut config = Config::clone(device.config);
            config.kg = UserKey::new(c.key.as_slice()).filter(|_| !c.key.trimmed().is_empty());
            device.new_config = Some(config);
        }
        // K_R seeds a generator of random numbers; ours needs none.
        SecurityKeyOperation::SET => {}
        SecurityKeyOperation::READ => {
            let zero = [0; SECURITY_KEY_LEN];
            let kg = device.config.kg.as_ref().map_or(&zero, UserKey::as_bytes);
            let key = if index == 1 { kg } else { &zero };
            answer.key = Secret::new(key).ok_or(CompletionCode::UNSPECIFIED)?;
        }
        SecurityKeyOperation::LOCK => {
            device.machine.controller_mut().channel.key_locked[index] = true;
            answer.lock = SecurityKeyLock::LOCKED;
        }
        _ => return Err(CompletionCode::INVALID_DATA_FIELD),
    }
    Ok(answer)
}
