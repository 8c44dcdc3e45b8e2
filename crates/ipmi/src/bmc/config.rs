//! Who may log in to a BMC, and how.

use alloc::vec::Vec;
use core::fmt;

use subtle::ConstantTimeEq;

use crate::command::app::{Guid, UserAccess};
use crate::crypto::exchange::{KEY_MAX, UserKey};
use crate::crypto::v15;
use crate::number::{AuthType, CipherSuiteId, PrivilegeLevel};
use crate::quirk::Quirks;
use crate::wire::rakp::{USER_NAME_MAX, UserName};

/// Most users of a BMC: user IDs have six bits and start at 1 (§6.9).
pub const USERS_MAX: usize = 63;

/// Configuration of a BMC's LAN channel; may be shared by many.
#[derive(Clone, Debug)]
pub struct Config {
    /// Users; position 0 is user ID 1. Those beyond [`USERS_MAX`] can't log in.
    pub users: Vec<User>,
    /// Cipher suites that sessions may use, any of the standard ones, 0 to 19. Those beside 3 and 17 are weak; suite 0
    /// asks for no password at all.
    pub suites: Vec<CipherSuiteId>,
    /// How IPMI 1.5 sessions may be opened; `None` for not at all. They are for old consoles: nothing is encrypted, and
    /// the password can be found out from a packet.
    pub v15: Option<V15>,
    /// GUID of the machine, as Get System GUID and RAKP Message 2 tell it.
    pub guid: Guid,
    /// The BMC's own key, which consoles then need besides a password.
    pub kg: Option<UserKey>,
    /// Sessions at a time, those in set-up included; at most 63 are told to consoles.
    pub session_max: usize,
    /// A session without packets ends after this time, in milliseconds (60 s by §6.12.15).
    pub inactivity_ms: u32,
    /// A session that isn't set up this long after Open Session is forgotten, in milliseconds.
    pub setup_ms: u32,
    /// Answers a name that may not log in as if only the password were wrong, so that names can't be tried out.
    /// Otherwise RAKP Message 2 refuses it with 0Dh, and a level above the user's with 0Ah, as §13.21 has it.
    pub hide_users: bool,
    /// When a user is locked out after wrong passwords; `None` for never. Whoever knows a name can lock it.
    pub lockout: Option<Lockout>,
    /// Number of the LAN channel, 1-0Bh.
    pub channel: u8,
    /// What is wrong with it: deviations from the specification that it shows, for testing consoles. None by default.
    pub defects: Quirks,
}

impl Config {
    /// Channel 1, suites 17 and 3, 16 sessions, 60 s of inactivity, 5 s for set-up, no `K_g`.
    #[must_use]
    pub fn new(users: Vec<User>, guid: Guid) -> Self {
        Self {
            users,
            suites: [CipherSuiteId::SUITE_3, CipherSuiteId::SUITE_17].to_vec(),
            v15: None,
            guid,
            kg: None,
            session_max: 16,
            inactivity_ms: 60_000,
            setup_ms: 5_000,
            hide_users: false,
            lockout: None,
            channel: 1,
            defects: Quirks::NONE,
        }
    }

    /// The users who may log in, and their IDs.
    pub(super) fn enabled_users(&self) -> impl Iterator<Item = (u8, &User)> {
        (1u8..)
            .zip(self.users.iter().take(USERS_MAX))
            .filter(|(_, user)| user.may_log_in())
    }

    /// The user with this ID, where they may log in.
    pub(super) fn enabled_user(&self, id: u8) -> Option<&User> {
        self.enabled_users()
            .find_map(|(found, user)| (found == id).then_some(user))
    }
}

/// What a BMC takes of IPMI 1.5 (§6.12, §22.13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct V15 {
    /// How sessions may be authenticated: MD5, MD2, `PASSWORD`, which sends it in the clear, `NONE`, which lets anybody
    /// in. Others can't be used.
    pub auth_types: Vec<AuthType>,
    /// Whether each packet of a session is authenticated; otherwise only its activation is, and who can see or guess
    /// the session's numbers can send packets in it.
    pub per_message_auth: bool,
}

impl Default for V15 {
    /// MD5, each packet.
    fn default() -> Self {
        Self {
            auth_types: [AuthType::MD5].to_vec(),
            per_message_auth: true,
        }
    }
}

impl V15 {
    /// The types that work.
    pub(super) fn usable(&self) -> impl Iterator<Item = AuthType> {
        let types = self.auth_types.iter().copied();
        types.filter(|auth_type| v15::is_implemented(*auth_type))
    }
}

/// The limit on wrong passwords (LAN parameter 26, §23.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    /// Wrong passwords that lock a user out; 0 counts as 1.
    pub threshold: u8,
    /// The count starts anew after this time without a wrong password, in milliseconds; 0 for never.
    pub reset_ms: u32,
    /// How long a user is locked out, in milliseconds; 0 for until the configuration is set again.
    pub locked_ms: u32,
}

/// A user of a BMC.
#[derive(Clone, Debug)]
pub struct User {
    /// Name; an empty one is the null user's.
    pub name: UserName,
    /// Password; prints redacted, zeroized on drop.
    pub password: UserKey,
    /// Highest privilege level of the user's sessions. With a number that is no level, such as
    /// [`UserAccess::NO_ACCESS`](crate::command::app::UserAccess::NO_ACCESS), the user can't log in.
    pub privilege: PrivilegeLevel,
    /// Whether the user may log in.
    pub enabled: bool,
    /// Whether IPMI messages are among what the user may do on the channel (§22.26). Otherwise the user can't log in, either.
    pub messaging: bool,
}

/// Why there can't be such a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserError {
    /// The name is longer than 16 bytes.
    NameTooLong,
    /// The password is longer than 20 bytes.
    PasswordTooLong,
    /// This is neither a privilege level nor "no access".
    InvalidPrivilege(PrivilegeLevel),
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
            Self::InvalidPrivilege(privilege) => {
                write!(
                    f,
                    "{privilege} is neither a privilege level nor \"no access\""
                )
            }
        }
    }
}

impl core::error::Error for UserError {}

impl User {
    /// A user who may log in, unless `privilege` is
    /// [`UserAccess::NO_ACCESS`](crate::command::app::UserAccess::NO_ACCESS).
    ///
    /// # Errors
    /// A name over 16 bytes, a password over 20 bytes, or a number that is no level.
    pub fn new(name: &str, password: &[u8], privilege: PrivilegeLevel) -> Result<Self, UserError> {
        if privilege.name().is_none() && privilege != UserAccess::NO_ACCESS {
            return Err(UserError::InvalidPrivilege(privilege));
        }
        Ok(Self {
            name: UserName::new(name.as_bytes()).ok_or(UserError::NameTooLong)?,
            password: UserKey::new(password).ok_or(UserError::PasswordTooLong)?,
            privilege,
            enabled: true,
            messaging: true,
        })
    }

    /// Enabled, for IPMI messages too, and with a privilege level.
    const fn may_log_in(&self) -> bool {
        self.enabled && self.messaging && self.privilege.name().is_some()
    }

    /// Whether name and password are the same; the password is compared in constant time.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.name == other.name
            && bool::from(self.password.as_bytes().ct_eq(other.password.as_bytes()))
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
    fn only_a_privilege_level_lets_a_user_in() {
        for number in 0..=15 {
            let user = User::new("admin", b"", PrivilegeLevel(number));
            match number {
                1..=5 => assert!(user.is_ok_and(|user| user.may_log_in())),
                15 => assert!(user.is_ok_and(|user| !user.may_log_in())),
                _ => assert_eq!(
                    user.unwrap_err(),
                    UserError::InvalidPrivilege(PrivilegeLevel(number))
                ),
            }
        }
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
