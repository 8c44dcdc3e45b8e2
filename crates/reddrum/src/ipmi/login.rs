//! How to log in: the password and the BMC key come from a file, the environment or a prompt; never from an argument.

use std::io::{self, IsTerminal};

use ipmi::console::{Bridge, Hop, HopError, Login, LoginError, Policy};
use ipmi::number::{ChannelNumber, CipherSuiteId, PrivilegeLevel};
use ipmi::wire::message::BMC_ADDRESS;

use super::args::Connection;
use crate::args::V15Auth;
use crate::config::{Secret, secret};
use crate::error::ProgramError;

/// Variables that may hold the password, first come first served: ours, FreeIPMI's and ipmitool's.
const PASSWORD_VARIABLES: [&str; 3] = [
    "REDDRUM_IPMI_PASSWORD",
    "IPMI_PASSWORD",
    "IPMITOOL_PASSWORD",
];

/// The variable that may hold the BMC key: text, or hexadecimal digits after `0x`.
const KG_VARIABLE: &str = "IPMI_KGKEY";

/// The longest wait between two sendings, in milliseconds, unless the first is longer.
const LONGEST_RETRY_MS: u32 = 4_000;

/// How to log in, as the options, the environment and the operator say.
///
/// # Errors
/// Something is missing, or IPMI has no room for it.
pub(super) fn login(options: &Connection, lowest: PrivilegeLevel) -> Result<Login, ProgramError> {
    let Some(username) = &options.username else {
        let text = "which user? give --username NAME or set REDDRUM_IPMI_USERNAME \
                    (--username '' is the null user)";
        return Err(ProgramError::Usage(text.to_owned()));
    };
    // Who proves nothing needs no secret.
    let is_open = |way: &V15Auth| *way == V15Auth::None;
    let password = match !options.v15.is_empty() && options.v15.iter().all(is_open) {
        true => Secret::new(""),
        false => password(options, &format!("'{username}' on the BMCs"))?,
    };
    let usage = |error: LoginError| ProgramError::Usage(error.to_string());
    let mut login = Login::new(username, password.expose()).map_err(usage)?;
    if let Some(kg) = kg()? {
        login = login.with_kg(kg.expose()).map_err(usage)?;
    }
    if !options.suite.is_empty() {
        let suites: Vec<_> = options.suite.iter().map(|&id| CipherSuiteId(id)).collect();
        login = login.with_suites(&suites).map_err(usage)?;
    }
    if !options.v15.is_empty() {
        let ways: Vec<_> = options.v15.iter().copied().map(Into::into).collect();
        login = login.with_v15(&ways).map_err(usage)?;
    }
    let privilege = options.privilege.map_or(lowest, Into::into);
    login.with_privilege(privilege).map_err(usage)
}

/// The way to the controller that is to be asked; `None` for the BMC itself, also where the operator names its own address.
///
/// # Errors
/// An address or channel is none.
pub(super) fn bridge(options: &Connection) -> Result<Option<Bridge>, ProgramError> {
    let Some(address) = options.target else {
        return Ok(None);
    };
    let is_direct =
        options.transit.is_none() && options.target_channel == ChannelNumber::PRIMARY_IPMB.0;
    if is_direct && address == BMC_ADDRESS {
        return Ok(None);
    }
    let usage = |error: HopError| ProgramError::Usage(error.to_string());
    let target = Hop::new(options.target_channel, address).map_err(usage)?;
    Ok(Some(match options.transit {
        None => Bridge::to(target),
        Some(address) => {
            let transit = Hop::new(options.transit_channel, address).map_err(usage)?;
            Bridge::over(transit, target)
        }
    }))
}

/// How often to ask, and how long to wait.
pub(super) fn policy(options: &Connection) -> Policy {
    let default = Policy::default();
    Policy {
        first_retry_ms: options.timeout_ms,
        longest_retry_ms: options.timeout_ms.max(LONGEST_RETRY_MS),
        attempts: options.attempts,
        login_attempts: options.attempts.saturating_mul(2),
        side_effect_wait_ms: options.timeout_ms.max(default.side_effect_wait_ms),
        ..default
    }
}

/// The password, and the BMC's key where there is one, of sessions that others have had.
///
/// # Errors
/// There is no password, or what should have it can't be read.
pub(super) fn secrets(options: &Connection) -> Result<(Secret, Option<Secret>), ProgramError> {
    Ok((password(options, "the captured sessions' user")?, kg()?))
}

/// The password of somebody.
fn password(options: &Connection, whose: &str) -> Result<Secret, ProgramError> {
    if let Some(file) = &options.password_file {
        let file = secret::from_file(file);
        return file.map_err(|e| ProgramError::Usage(format!("--password-file: {e}")));
    }
    if let Some(secret) = PASSWORD_VARIABLES.into_iter().find_map(variable) {
        return Ok(secret);
    }
    if io::stderr().is_terminal() {
        let prompt = format!("Password of {whose}: ");
        return rpassword::prompt_password(prompt)
            .map(Secret::new)
            .map_err(|e| ProgramError::system("asking for the password", e));
    }
    let variables = PASSWORD_VARIABLES.join(", ");
    let text = format!("no password: give --password-file FILE, or set one of {variables}");
    Err(ProgramError::Usage(text))
}

fn variable(name: &str) -> Option<Secret> {
    use std::os::unix::ffi::OsStringExt;
    let value = std::env::var_os(name)?.into_vec();
    (!value.is_empty()).then(|| Secret::new(value))
}

fn kg() -> Result<Option<Secret>, ProgramError> {
    let Some(text) = variable(KG_VARIABLE) else {
        return Ok(None);
    };
    let Some(digits) = text.expose().strip_prefix(b"0x") else {
        return Ok(Some(text));
    };
    let key = crate::config::decode_hex(digits).map(Secret::new);
    let wrong = || {
        ProgramError::Usage(format!(
            "{KG_VARIABLE}: hexadecimal digits, two a byte, follow 0x"
        ))
    };
    key.map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    /// The command line's options for every command.
    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        connection: Connection,
    }

    fn way(line: &str) -> Option<Bridge> {
        let words = std::iter::once("ipmi").chain(line.split_whitespace());
        bridge(&Words::parse_from(words).connection).unwrap()
    }

    #[test]
    fn a_bmcs_own_address_is_the_bmc_itself() {
        assert_eq!(way("-t 0x20"), None);
        assert_eq!(way("-t 32 -b 0"), None);
        // On another channel, and behind another controller, it is somebody else's.
        for line in ["-t 0x72", "-t 0x20 -b 7", "-t 0x20 -T 0x82"] {
            assert!(way(line).is_some(), "{line}");
        }
    }
}
