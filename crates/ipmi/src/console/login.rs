//! Credentials and what a console will agree to.

use alloc::vec::Vec;
use core::fmt;

use crate::crypto::Algorithms;
use crate::crypto::exchange::{KEY_MAX, UserKey};
use crate::crypto::v15::{self, V15_PASSWORD_MAX, V15Key};
use crate::number::{AuthType, CipherSuiteId, PrivilegeLevel};
use crate::wire::rakp::{USER_NAME_MAX, UserName};

/// Cipher suites that a console proposes where it isn't told otherwise, best first.
pub const DEFAULT_SUITES: [CipherSuiteId; 2] = [CipherSuiteId::SUITE_17, CipherSuiteId::SUITE_3];

/// How to log in, shared by all sessions that log in alike.
///
/// Prints without its secrets and zeroizes them when dropped.
#[derive(Clone)]
pub struct Login {
    user_name: UserName,
    password: UserKey,
    kg: Option<UserKey>,
    suites: Vec<CipherSuiteId>,
    /// Authentication types of IPMI 1.5; empty for RMCP+.
    v15: Vec<AuthType>,
    privilege: PrivilegeLevel,
}

/// Why a log-in can't be described so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginError {
    /// The user name is longer than 16 bytes.
    UserNameTooLong,
    /// The password is longer than 20 bytes.
    PasswordTooLong,
    /// `K_g` is longer than 20 bytes.
    KgTooLong,
    /// This is no standard cipher suite.
    SuiteNotImplemented(CipherSuiteId),
    /// The list of cipher suites is empty.
    NoSuite,
    /// The password is longer than the 16 bytes that IPMI 1.5 has.
    PasswordTooLongForV15,
    /// IPMI 1.5 authenticates by none, MD2, MD5 or straight password; this is none of them.
    AuthTypeNotImplemented(AuthType),
    /// The list of authentication types is empty.
    NoAuthType,
    /// A session can't be asked for at this level; CALLBACK, USER, OPERATOR, ADMINISTRATOR and OEM can.
    InvalidPrivilege(PrivilegeLevel),
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UserNameTooLong => {
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
            Self::KgTooLong => write!(f, "K_g is longer than the {KEY_MAX} bytes that IPMI has"),
            Self::SuiteNotImplemented(suite) => {
                write!(
                    f,
                    "{} is no standard cipher suite (0 to 19); use 17 or 3",
                    suite.0
                )
            }
            Self::NoSuite => f.write_str("the list of cipher suites is empty; name at least one"),
            Self::PasswordTooLongForV15 => write!(
                f,
                "the password is longer than the {V15_PASSWORD_MAX} bytes that IPMI 1.5 has"
            ),
            Self::AuthTypeNotImplemented(auth_type) => {
                write!(
                    f,
                    "{auth_type} does not authenticate IPMI 1.5 sessions; use MD5"
                )
            }
            Self::NoAuthType => {
                f.write_str("the list of authentication types is empty; name at least one")
            }
            Self::InvalidPrivilege(privilege) => {
                write!(
                    f,
                    "{privilege} is no privilege level that a session can be asked for"
                )
            }
        }
    }
}

impl core::error::Error for LoginError {}

impl Login {
    /// Logs `user_name` in with `password`, as ADMINISTRATOR, by suite 17 or else 3, without `K_g`.
    ///
    /// # Errors
    /// A name over 16 bytes or a password over 20 bytes.
    pub fn new(user_name: &str, password: &[u8]) -> Result<Self, LoginError> {
        Ok(Self {
            user_name: UserName::new(user_name.as_bytes()).ok_or(LoginError::UserNameTooLong)?,
            password: UserKey::new(password).ok_or(LoginError::PasswordTooLong)?,
            kg: None,
            suites: DEFAULT_SUITES.to_vec(),
            v15: Vec::new(),
            privilege: PrivilegeLevel::ADMINISTRATOR,
        })
    }

    /// Also proves knowledge of the BMC's own key, `K_g`.
    ///
    /// # Errors
    /// A key over 20 bytes.
    pub fn with_kg(mut self, kg: &[u8]) -> Result<Self, LoginError> {
        self.kg = Some(UserKey::new(kg).ok_or(LoginError::KgTooLong)?);
        Ok(self)
    }

    /// Proposes these suites only, best first.
    ///
    /// The list that a BMC offers is not authenticated: whoever forges it can pick any suite of this list, so
    /// name none that you would not accept. Suite 0 logs in without any password; 1, 6 and 15 protect nothing after
    /// log-in, 2, 7, 11 and 16 hide nothing; MD5 (6 to 14) and RC4 (4, 5, 9, 10, 13, 14, 18, 19) are broken.
    ///
    /// # Errors
    /// An empty list, or a suite that is not among the standard ones, 0 to 19.
    pub fn with_suites(mut self, suites: &[CipherSuiteId]) -> Result<Self, LoginError> {
        let missing = |suite: &&CipherSuiteId| {
            !Algorithms::of(**suite).is_some_and(Algorithms::is_implemented)
        };
        if let Some(suite) = suites.iter().find(missing) {
            return Err(LoginError::SuiteNotImplemented(*suite));
        }
        if suites.is_empty() {
            return Err(LoginError::NoSuite);
        }
        self.suites = suites.to_vec();
        Ok(self)
    }

    /// Logs in by IPMI 1.5 instead of RMCP+, with the first of these authentication types that the BMC offers.
    ///
    /// For old BMCs only: nothing is encrypted, the BMC doesn't prove that it knows the password, MD2 and MD5 let it
    /// be found out from one packet, `PASSWORD` sends it in the clear, and with `NONE` anybody is let in. It is never
    /// fallen back to.
    ///
    /// # Errors
    /// An empty list, another authentication type, or a password over 16 bytes.
    pub fn with_v15(mut self, auth_types: &[AuthType]) -> Result<Self, LoginError> {
        if auth_types.is_empty() {
            return Err(LoginError::NoAuthType);
        }
        for auth_type in auth_types {
            if !v15::is_implemented(*auth_type) {
                return Err(LoginError::AuthTypeNotImplemented(*auth_type));
            }
            if V15Key::new(*auth_type, &self.password).is_none() {
                return Err(LoginError::PasswordTooLongForV15);
            }
        }
        self.v15 = auth_types.to_vec();
        Ok(self)
    }

    /// Works at this privilege level. A BMC that refuses it fails the log-in; no other level is tried.
    ///
    /// # Errors
    /// A number that is no level.
    pub fn with_privilege(mut self, privilege: PrivilegeLevel) -> Result<Self, LoginError> {
        if privilege.name().is_none() {
            return Err(LoginError::InvalidPrivilege(privilege));
        }
        self.privilege = privilege;
        Ok(self)
    }

    /// The user's name.
    #[must_use]
    pub const fn user_name(&self) -> &UserName {
        &self.user_name
    }

    /// The suites to propose, best first.
    #[must_use]
    pub fn suites(&self) -> &[CipherSuiteId] {
        &self.suites
    }

    /// The authentication types of IPMI 1.5, best first; empty where log-in is by RMCP+.
    #[must_use]
    pub fn v15(&self) -> &[AuthType] {
        &self.v15
    }

    /// The privilege level to work at.
    #[must_use]
    pub const fn privilege(&self) -> PrivilegeLevel {
        self.privilege
    }

    pub(super) const fn password(&self) -> &UserKey {
        &self.password
    }

    /// The BMC's own key, `K_g`.
    pub(super) const fn kg(&self) -> Option<&UserKey> {
        self.kg.as_ref()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user_name", &self.user_name)
            .field("password", &"redacted")
            .field("kg", &self.kg.as_ref().map(|_| "redacted"))
            .field("suites", &self.suites)
            .field("v15", &self.v15)
            .field("privilege", &self.privilege)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print() {
        let login = Login::new("admin", b"pa55word")
            .unwrap()
            .with_kg(b"k9")
            .unwrap();
        let text = std::format!("{login:?}");
        assert!(
            text.contains("admin") && !text.contains("pa55word") && !text.contains("k9"),
            "{text}"
        );
    }

    #[test]
    fn limits_are_errors_that_say_so() {
        let error = Login::new("a-name-of-17-byte", b"").unwrap_err();
        assert!(std::format!("{error}").contains("16 bytes"));
        assert_eq!(
            Login::new("a", &[1; 21]).unwrap_err(),
            LoginError::PasswordTooLong
        );
        let login = Login::new("a-name-of-16-byt", &[1; 20]).unwrap();
        assert_eq!(
            login.clone().with_kg(&[1; 21]).unwrap_err(),
            LoginError::KgTooLong
        );
        assert_eq!(
            login.clone().with_suites(&[]).unwrap_err(),
            LoginError::NoSuite
        );
        let suite = CipherSuiteId(20);
        assert_eq!(
            login.clone().with_suites(&[suite]).unwrap_err(),
            LoginError::SuiteNotImplemented(suite)
        );
        let by_v15 = |auth_type| login.clone().with_v15(&[auth_type]).map(drop);
        assert_eq!(
            by_v15(AuthType::MD5),
            Err(LoginError::PasswordTooLongForV15)
        );
        let oem = AuthType::OEM;
        assert_eq!(by_v15(oem), Err(LoginError::AuthTypeNotImplemented(oem)));
        assert_eq!(
            login.clone().with_v15(&[]).unwrap_err(),
            LoginError::NoAuthType
        );
        let level = PrivilegeLevel(9);
        assert_eq!(
            login.with_privilege(level).unwrap_err(),
            LoginError::InvalidPrivilege(level)
        );
    }
}
