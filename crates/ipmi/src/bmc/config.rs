//! Who may log in to a BMC, and how.

use alloc::vec::Vec;
use core::fmt;

use crate::command::app::Guid;
use crate::crypto::exchange::{KEY_MAX, UserKey};
use crate::number::{CipherSuiteId, PrivilegeLevel};
use crate::wire::rakp::{USER_NAME_MAX, UserName};

/// Most users of a BMC: user IDs have six bits and start at 1 (§6.9).
pub const USERS_MAX: usize = 63;

/// Configuration of a BMC's LAN channel; may be shared by many.
#[derive(Clone, Debug)]
pub struct Config {
    /// Users; position 0 is user ID 1. Those beyond [`USERS_MAX`] can't log in.
    pub users: Vec<User>,
    /// Cipher suites that sessions may use. Suite 0, which asks for no password, works only if named here.
    pub suites: Vec<CipherSuiteId>,
    /// GUID of the machine, as Get System GUID and RAKP Message 2 tell it.
    pub guid: Guid,
    /// The BMC's own key, which consoles then need besides a password.
    pub kg: Option<UserKey>,
    /// Sessions at a time, those in set-up included; at most 63 are told to consoles.
    pub session_max: usize,
    /// A session without packets ends after this time, in milliseconds (60 s by §6.12.15).
    pub inactivity_ms: u32,
    /// A session that isn't set up after this time is forgotten, in milliseconds.
    pub setup_ms: u32,
    /// Number of the LAN channel, 1-0Bh.
    pub channel: u8,
}

impl Config {
    /// Channel 1, suites 17 and 3, 16 sessions, 60 s of inactivity, 5 s for set-up, no `K_g`.
    #[must_use]
    pub fn new(users: Vec<User>, guid: Guid) -> Self {
        Self {
            users,
            suites: [CipherSuiteId::SUITE_3, CipherSuiteId::SUITE_17].to_vec(),
            guid,
            kg: None,
            session_max: 16,
            inactivity_ms: 60_000,
            setup_ms: 5_000,
            channel: 1,
        }
    }

    /// The enabled users and their IDs.
    pub(super) fn enabled_users(&self) -> impl Iterator<Item = (u8, &User)> {
        (1u8..)
            .zip(self.users.iter().take(USERS_MAX))
            .filter(|(_, user)| user.enabled)
    }
}

/// A user of a BMC.
#[derive(Clone, Debug)]
pub struct User {
    /// Name; an empty one is the null user's.
    pub name: UserName,
    /// Password; prints redacted, zeroized on drop.
    pub password: UserKey,
    /// Highest privilege level of the user's sessions.
    pub privilege: PrivilegeLevel,
    /// Whether the user may log in.
    pub enabled: bool,
}

/// Why there can't be such a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserError {
    /// The name is longer than 16 bytes.
    NameTooLong,
    /// The password is longer than 20 bytes.
    PasswordTooLong,
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameTooLong => {
                write!(
                    f,
                    "the user name is longer than the {USER_NAME_MAX} bytes that IPMI has"
                )
            }
            Self::PasswordTooLong => {
                write!(
                    f,
                    "the password is longer than the {KEY_MAX} bytes that IPMI has"
                )
            }
        }
    }
}

impl core::error::Error for UserError {}

impl User {
    /// A user who may log in.
    ///
    /// # Errors
    /// A name over 16 bytes or a password over 20 bytes.
    pub fn new(name: &str, password: &[u8], privilege: PrivilegeLevel) -> Result<Self, UserError> {
        Ok(Self {
            name: UserName::new(name.as_bytes()).ok_or(UserError::NameTooLong)?,
            password: UserKey::new(password).ok_or(UserError::PasswordTooLong)?,
            privilege,
            enabled: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_password_does_not_print() {
        let user = User::new("admin", b"pa55word", PrivilegeLevel::ADMINISTRATOR).unwrap();
        let config = Config::new([user].into(), Guid([1; 16]));
        let text = std::format!("{config:?}");
        assert!(text.contains("admin") && !text.contains("pa55word") && !text.contains("112, 97"));
    }

    #[test]
    fn limits_are_errors() {
        let level = PrivilegeLevel::USER;
        assert_eq!(
            User::new("a-name-of-17-byte", b"", level).unwrap_err(),
            UserError::NameTooLong
        );
        assert_eq!(
            User::new("a", &[0; 21], level).unwrap_err(),
            UserError::PasswordTooLong
        );
    }
}
