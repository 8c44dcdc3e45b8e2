//! `user`: Get and Set User Access, Name and Password (§22.26 to §22.30).

use std::io::IsTerminal;
use std::rc::Rc;

use ipmi::command::app::{
    GetUserAccess, GetUserName, SetUserAccess, SetUserName, SetUserPassword, UserAccess, UserName,
};
use ipmi::number::{
    ChannelNumber, PasswordOperation, PrivilegeLevel, UserAccessFlags, UserEnableStatus,
};
use serde_json::{Value, json};

use super::own_user::{Change, Guard};
use super::{ADMINISTRATOR, OPERATOR, Start, on, start};
use crate::config::{Secret, secret};
use crate::error::ProgramError;
use crate::ipmi::args::{NewPassword, UserCommand, UserLevel, UserSetCommand, UserSlot};
use crate::ipmi::failure::Failure;
use crate::ipmi::report::{Report, Sheet};
use crate::ipmi::talk::{Line, Outcome};

/// Completion code of Set User Password (§22.30): the password is another one.
const DIFFERS: u8 = 0x80;
/// The same: it is of another length.
const SIZE_DIFFERS: u8 = 0x81;

/// Width of the names in the report of `summary`.
const WIDTH: usize = 20;

/// How to begin it.
///
/// # Errors
/// A name or password can't be used.
pub(super) fn begin(command: UserCommand, username: Option<&str>) -> Result<Start, ProgramError> {
    let guard = |own| Guard::new(own, username);
    let password = |user: UserSlot, operation, from: &NewPassword| {
        let password = ask(from, operation == PasswordOperation::SET)?;
        let command = SetUserPassword::new(user.id, operation, password.expose());
        command.map(Rc::new).ok_or_else(|| {
            ProgramError::Usage("a password on a BMC has at most 20 bytes".to_owned())
        })
    };
    Ok(match command {
        UserCommand::List { all, channel } => {
            start(OPERATOR, move |line| list(line, on(channel), all))
        }
        UserCommand::Summary(channel) => start(OPERATOR, move |line| summary(line, on(channel))),
        UserCommand::Set(UserSetCommand::Name { user, name, own }) => {
            let guard = guard(own);
            let name = UserName::new(&name).ok_or_else(|| {
                ProgramError::Usage(format!("'{name}': a name on a BMC has at most 16 bytes"))
            })?;
            let user_id = user.id;
            start(ADMINISTRATOR, move |line| {
                set_name(line, user_id, name, guard.clone())
            })
        }
        UserCommand::Set(UserSetCommand::Password {
            user,
            password: from,
        }) => {
            let command = password(user, PasswordOperation::SET, &from)?;
            start(ADMINISTRATOR, move |line| {
                set_password(line, Rc::clone(&command))
            })
        }
        UserCommand::Test {
            user,
            password: from,
        } => {
            let command = password(user, PasswordOperation::TEST, &from)?;
            start(ADMINISTRATOR, move |line| test(line, Rc::clone(&command)))
        }
        UserCommand::Enable(user) => start(ADMINISTRATOR, move |line| enable(line, user.id, true)),
        UserCommand::Disable { user, own } => {
            let guard = guard(own);
            start(ADMINISTRATOR, move |line| {
                disable(line, user.id, guard.clone())
            })
        }
        UserCommand::Priv {
            user,
            level,
            channel,
            own,
        } => {
            let guard = guard(own);
            start(ADMINISTRATOR, move |line| {
                set_level(line, user.id, level, on(channel), guard.clone())
            })
        }
    })
}

/// The password that a user gets, from a file or the operator.
fn ask(from: &NewPassword, twice: bool) -> Result<Secret, ProgramError> {
    if !from.on_the_line.is_empty() {
        let text = "a password is no argument: everybody on this machine can read it there; give \
                    --new-password-file FILE (mode 0600), or leave it out to be asked for it";
        return Err(ProgramError::Usage(text.to_owned()));
    }
    if let Some(file) = &from.new_password_file {
        let read = secret::from_file(file);
        return read.map_err(|e| ProgramError::Usage(format!("--new-password-file: {e}")));
    }
    if !std::io::stderr().is_terminal() {
        let text = "the user's password: give --new-password-file FILE, or run it on a terminal";
        return Err(ProgramError::Usage(text.to_owned()));
    }
    let prompt = |text: &str| {
        let typed = rpassword::prompt_password(text).map(Secret::new);
        typed.map_err(|e| ProgramError::system("asking for the password", e))
    };
    let password = prompt("Password of the user on the BMC: ")?;
    if twice && prompt("The same again: ")?.expose() != password.expose() {
        return Err(ProgramError::Usage("the two passwords differ".to_owned()));
    }
    Ok(password)
}

async fn access(line: &Line, user_id: u8, channel: ChannelNumber) -> Result<UserAccess, Failure> {
    Ok(line.call(&GetUserAccess { channel, user_id }).await?)
}

async fn list(line: Line, channel: ChannelNumber, all: bool) -> Outcome {
    let mut lines = vec![format!(
        "{:<3} {:<16} {:<11} {:<9} {:<9} {:<9} {}",
        "ID", "Name", "Enabled", "Callin", "Link", "IPMI", "Channel Privilege Limit"
    )];
    let mut users = Vec::new();
    let max = access(&line, 1, channel).await?.user_id_max;
    for user_id in 1..=max {
        let (name, access) = match line.call(&GetUserName { user_id }).await {
            Ok(name) => (name, access(&line, user_id, channel).await?),
            // A slot that was never used: most BMCs say so by an error.
            Err(error) if error.completion().is_some() && !all => continue,
            Err(error) if error.completion().is_some() => {
                match access(&line, user_id, channel).await {
                    Ok(access) => (UserName::default(), access),
                    Err(_) => continue,
                }
            }
            Err(error) => return Err(error.into()),
        };
        let level = match access.privilege_limit {
            UserAccess::NO_ACCESS => "no access".to_owned(),
            level => level.to_string(),
        };
        let unused = name.as_bytes().is_empty() && access.privilege_limit == UserAccess::NO_ACCESS;
        if unused && !all {
            continue;
        }
        lines.push(format!(
            "{user_id:<3} {:<16} {:<11} {:<9} {:<9} {:<9} {level}",
            name.to_string(),
            access.status.name().unwrap_or("unknown"),
            !access.flags.contains(UserAccessFlags::CALLBACK_ONLY),
            access.flags.contains(UserAccessFlags::LINK_AUTHENTICATION),
            access.flags.contains(UserAccessFlags::IPMI_MESSAGING),
        ));
        users.push(json!({
            "id": user_id,
            "name": name.to_string(),
            "enabled": enabled(access.status),
            "callin": !access.flags.contains(UserAccessFlags::CALLBACK_ONLY),
            "link_authentication": access.flags.contains(UserAccessFlags::LINK_AUTHENTICATION),
            "ipmi_messaging": access.flags.contains(UserAccessFlags::IPMI_MESSAGING),
            "privilege_limit": level,
        }));
    }
    Ok(Report::of(lines, json!({ "users": users })))
}

/// BMCs before IPMI 2.0's errata 3 don't tell.
fn enabled(status: UserEnableStatus) -> Value {
    match status {
        UserEnableStatus::ENABLED => true.into(),
        UserEnableStatus::DISABLED => false.into(),
        _ => Value::Null,
    }
}

async fn summary(line: Line, channel: ChannelNumber) -> Outcome {
    let access = access(&line, 1, channel).await?;
    let mut sheet = Sheet::new(WIDTH);
    sheet.put("Maximum IDs", "maximum", access.user_id_max);
    sheet.put("Enabled User Count", "enabled", access.enabled_count);
    sheet.put("Fixed Name Count", "fixed_names", access.fixed_name_count);
    Ok(sheet.report())
}

async fn set_name(line: Line, user_id: u8, name: UserName, guard: Guard) -> Outcome {
    guard.pass(&line, user_id, None, Change::Renamed).await?;
    line.call(&SetUserName { user_id, name }).await?;
    let text = format!("User {user_id} is now called '{name}'");
    let value = json!({ "user": user_id, "name": name.to_string() });
    Ok(Report::line(text, value))
}

async fn set_password(line: Line, command: Rc<SetUserPassword>) -> Outcome {
    line.call(&*command).await?;
    let user = command.user_id;
    let text = format!("The password of user {user} is set");
    Ok(Report::line(
        text,
        json!({ "user": user, "password": "set" }),
    ))
}

async fn test(line: Line, command: Rc<SetUserPassword>) -> Outcome {
    let user = command.user_id;
    let Err(error) = line.call(&*command).await else {
        let text = format!("It is the password of user {user}");
        return Ok(Report::line(text, json!({ "user": user, "matches": true })));
    };
    match error.completion().map(|code| code.0) {
        Some(DIFFERS | SIZE_DIFFERS) => Err(Failure::Unfit {
            kind: "password_differs",
            cause: format!("it is not the password of user {user}"),
            remedy: "set it with 'user set password'".to_owned(),
        }),
        _ => Err(error.into()),
    }
}

async fn disable(line: Line, user: u8, guard: Guard) -> Outcome {
    guard.pass(&line, user, None, Change::Disabled).await?;
    enable(line, user, false).await
}

async fn enable(line: Line, user: u8, on: bool) -> Outcome {
    let operation = if on {
        PasswordOperation::ENABLE
    } else {
        PasswordOperation::DISABLE
    };
    let command = SetUserPassword::new(user, operation, b"").ok_or_else(|| Failure::Unfit {
        kind: "no_such_user",
        cause: format!("there can be no user {user}"),
        remedy: "users have numbers from 1 to 63".to_owned(),
    })?;
    line.call(&command).await?;
    let state = if on { "enabled" } else { "disabled" };
    let text = format!("User {user} is {state}");
    Ok(Report::line(text, json!({ "user": user, "enabled": on })))
}

async fn set_level(
    line: Line,
    user_id: u8,
    level: UserLevel,
    channel: ChannelNumber,
    guard: Guard,
) -> Outcome {
    let limit = PrivilegeLevel::from(level);
    if level != UserLevel::Administrator {
        let change = Change::Limited;
        guard.pass(&line, user_id, Some(channel), change).await?;
    }
    let before = access(&line, user_id, channel).await?;
    let command = SetUserAccess {
        change_flags: true,
        flags: before.flags.with(
            UserAccessFlags::IPMI_MESSAGING,
            level != UserLevel::NoAccess,
        ),
        channel,
        user_id,
        privilege_limit: limit,
        session_limit: None,
    };
    line.call(&command).await?;
    let kept = access(&line, user_id, channel).await?.privilege_limit;
    if kept != limit {
        return Err(Failure::Unfit {
            kind: "not_kept",
            cause: format!("the BMC took the command, but now says: {kept}"),
            remedy: "some users are fixed; see the BMC's manual".to_owned(),
        });
    }
    let text = format!("User {user_id} may work as {kept}");
    let value = json!({ "user": user_id, "privilege_limit": kept.name() });
    Ok(Report::line(text, value))
}
