//! Accounts: who may log in, as what, and the check of who it is (DSP0266 "Account service overview").
//!
//! [`Accounts`] has them all, with the roles that clients made and the [`Policy`]. Memory is what requests read; the
//! store is what a restart reads. Every change goes to the store first ([`change`]). A login is checked in [`check`], and
//! what too many wrong ones bring is in [`lockout`].
//!
//! Places for what comes later: accounts of a directory (LDAP) are another source that [`Accounts::verify`] asks when
//! there is no local account of the name; a second factor is checked in `login.rs`, between the password and the session.
//! A certificate that a connection showed gives a user name: [`Accounts::by_user_name`], then [`Accounts::admits`].

mod change;
mod check;
mod import;
mod lockout;
mod password;
mod policy;
mod role;
mod table;

use std::fmt;

use redfish_schema::DateTime;
use serde::{Deserialize, Serialize};

pub(crate) use change::{Edit, NewAccount, RoleEdit};
pub use check::MAX_REMEMBERED;
pub(crate) use check::Refusal;
pub(crate) use import::Import;
pub use password::{MAX_PASSWORD, PASSWORD_MEMORY_KIB, PASSWORD_PASSES};
pub(crate) use policy::{MAX_EXPIRATION_DAYS, MAX_FAILURES, MAX_LOCKOUT_S, Policy};
pub use role::MAX_ROLES;
pub(crate) use table::Accounts;
pub(crate) use table::LoadError;
pub use table::{MAX_ACCOUNTS, is_known_without_accounts};

use crate::privilege::Role;
use password::PasswordHash;

/// The longest user name, in bytes.
pub const MAX_USER_NAME: usize = 64;

/// An account of the service. Its password is kept as a salted hash only.
#[derive(Clone)]
pub struct Account {
    /// Names its resource. It stays when the user name changes.
    id: String,
    kept: Kept,
    /// Changes with everything that ends what the account's credentials have opened: a session or a remembered
    /// password of another epoch opens nothing any more.
    epoch: u64,
}

/// What the store keeps of an account.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    /// Tells it from every other account there was under its `Id`: drawn at random. 0 for what is older than these
    /// numbers, and for what came from another service's files.
    #[serde(default)]
    number: u64,
    user_name: String,
    password: PasswordHash,
    role_id: String,
    enabled: bool,
    /// Locked until an administrator unlocks it. Locks that end by themselves aren't kept.
    #[serde(default)]
    locked: bool,
    #[serde(default)]
    password_change_required: bool,
    /// Milliseconds since 1970; the password has to be changed from then on.
    #[serde(default)]
    password_expiration_ms: Option<i64>,
    /// Milliseconds since 1970; the account opens nothing from then on.
    #[serde(default)]
    account_expiration_ms: Option<i64>,
    #[serde(default)]
    strict_account_types: bool,
}

impl Account {
    /// Makes an account with a predefined role. Takes as long as the check of a password.
    ///
    /// # Errors
    /// [`AccountError`] if the name or the password can't be used, or the system gives no random numbers.
    pub fn new(user_name: &str, password: &str, role: Role) -> Result<Self, AccountError> {
        Self::with_password(user_name, password, role.name())
    }

    /// Makes an account with the role of this `Id`. Takes as long as the check of a password.
    ///
    /// # Errors
    /// [`AccountError`] if the name or the password can't be used, or the system gives no random numbers.
    pub fn with_password(
        user_name: &str,
        password: &str,
        role_id: &str,
    ) -> Result<Self, AccountError> {
        check_user_name(user_name)?;
        Ok(Self::with(user_name, PasswordHash::of(password)?, role_id))
    }

    /// Makes an account from a hash that another program made: argon2id in PHC string format (`$argon2id$…`), with no
    /// more memory than [`PASSWORD_MEMORY_KIB`], or SHA-512-crypt (`$6$…`). The latter is replaced at the first login.
    ///
    /// # Errors
    /// [`AccountError`] if the name or the hash can't be used.
    pub fn with_hash(user_name: &str, hash: &str, role_id: &str) -> Result<Self, AccountError> {
        check_user_name(user_name)?;
        Ok(Self::with(user_name, PasswordHash::parse(hash)?, role_id))
    }

    fn with(user_name: &str, password: PasswordHash, role_id: &str) -> Self {
        Self {
            id: String::new(),
            kept: Kept {
                number: 0,
                user_name: user_name.to_owned(),
                password,
                role_id: role_id.to_owned(),
                enabled: true,
                locked: false,
                password_change_required: false,
                password_expiration_ms: None,
                account_expiration_ms: None,
                strict_account_types: false,
            },
            epoch: 0,
        }
    }

    /// The name to log in with.
    #[must_use]
    pub fn user_name(&self) -> &str {
        &self.kept.user_name
    }

    /// The role's `Id`.
    #[must_use]
    pub fn role_id(&self) -> &str {
        &self.kept.role_id
    }

    /// As a service would have it.
    #[cfg(test)]
    pub(crate) fn with_id(mut self, id: &str) -> Self {
        self.id = id.to_owned();
        self
    }

    /// Names its resource; empty before a service has it.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Tells it from others that had its `Id` before.
    pub(crate) const fn number(&self) -> u64 {
        self.kept.number
    }

    /// Gives it a number that no other account has had.
    ///
    /// # Errors
    /// What the system says that has no random numbers.
    fn draw_number(&mut self) -> Result<(), getrandom::Error> {
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random)?;
        self.kept.number = u64::from_ne_bytes(random).max(1);
        Ok(())
    }

    /// Compared with that of what its credentials have opened.
    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether it may be used at all.
    pub(crate) const fn is_enabled(&self) -> bool {
        self.kept.enabled
    }

    /// Whether a client wants its types exactly as they are; there is only one.
    pub(crate) const fn has_strict_types(&self) -> bool {
        self.kept.strict_account_types
    }

    /// When the password has to be changed.
    pub(crate) fn password_expiration(&self) -> Option<DateTime> {
        self.kept.password_expiration_ms.map(DateTime::from_unix_ms)
    }

    /// From when on it opens nothing.
    pub(crate) fn account_expiration(&self) -> Option<DateTime> {
        self.kept.account_expiration_ms.map(DateTime::from_unix_ms)
    }

    /// Whether its password has to be changed before anything else.
    pub(crate) fn must_change_password(&self) -> bool {
        self.kept.password_change_required || is_past(self.kept.password_expiration_ms)
    }

    fn is_expired(&self) -> bool {
        is_past(self.kept.account_expiration_ms)
    }
}

/// Whether a time has come. The clock is read only if there is one.
fn is_past(unix_ms: Option<i64>) -> bool {
    unix_ms.is_some_and(|time| now_ms() >= time)
}

fn now_ms() -> i64 {
    DateTime::from(std::time::SystemTime::now()).unix_ms()
}

/// What a URI and Basic authentication can carry.
fn check_user_name(user_name: &str) -> Result<(), AccountError> {
    let usable = |c: char| c.is_ascii_graphic() && !matches!(c, ':' | '/' | '\\' | '%' | '?' | '#');
    if (1..=MAX_USER_NAME).contains(&user_name.len()) && user_name.chars().all(usable) {
        Ok(())
    } else {
        Err(AccountError::UserName)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("user_name", &self.kept.user_name)
            .field("role_id", &self.kept.role_id)
            .finish_non_exhaustive()
    }
}

/// Why an account can't be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountError {
    /// The user name is empty, longer than [`MAX_USER_NAME`], or has a character that a URI or Basic
    /// authentication can't carry.
    UserName,
    /// The password is empty or longer than [`MAX_PASSWORD`].
    Password,
    /// The hash of a password has a form that isn't known, or would take too much time or memory to check.
    Hash,
    /// There is no such role.
    Role,
    /// Two accounts have the same user name.
    Duplicate,
    /// There are more than [`MAX_ACCOUNTS`].
    TooMany,
    /// The operating system has no random numbers for a salt.
    NoRandomness,
}

impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UserName => write!(
                f,
                "a user name has 1 to {MAX_USER_NAME} printable ASCII characters, without space and : / \\ % ? #"
            ),
            Self::Password => write!(f, "a password has 1 to {MAX_PASSWORD} bytes"),
            Self::Hash => write!(
                f,
                "the hash of a password is argon2id ($argon2id$v=19$…) with at most {PASSWORD_MEMORY_KIB} KiB and one lane, \
                 or SHA-512-crypt ($6$…)"
            ),
            Self::Role => f.write_str("there is no role of that name"),
            Self::Duplicate => f.write_str("two accounts have the same user name"),
            Self::TooMany => write!(f, "there are more than {MAX_ACCOUNTS} accounts"),
            Self::NoRandomness => f.write_str("the operating system gives no random numbers"),
        }
    }
}

impl std::error::Error for AccountError {}

impl From<getrandom::Error> for AccountError {
    fn from(_: getrandom::Error) -> Self {
        Self::NoRandomness
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_password_prints() {
        let account = Account::new("root", "hunter2", Role::Administrator).unwrap();
        assert_eq!(
            format!("{account:?}"),
            "Account { user_name: \"root\", role_id: \"Administrator\", .. }"
        );
    }

    #[test]
    fn names_that_a_uri_or_basic_can_not_carry_are_refused() {
        for name in ["", "a:b", "a/b", "a b", "ä", &"a".repeat(65)] {
            let error = Account::new(name, "x", Role::ReadOnly).unwrap_err();
            assert_eq!(error, AccountError::UserName, "{name}");
        }
        assert_eq!(
            Account::new("a", "", Role::ReadOnly).unwrap_err(),
            AccountError::Password
        );
    }
}
