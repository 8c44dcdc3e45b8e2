//! The rules for all accounts: the settings of `AccountService`.

use redfish_schema::account_service::BasicAuthState;
use serde::{Deserialize, Deserializer, Serialize};

use super::password::MAX_PASSWORD;
use crate::message::{self, Message};

/// The longest time that a lock or a counter of failures may last, in seconds: a year.
pub(crate) const MAX_LOCKOUT_S: u32 = 365 * 24 * 3600;
/// The largest threshold of failures.
pub(crate) const MAX_FAILURES: u32 = 1_000_000;
/// The most days that a password may live.
pub(crate) const MAX_EXPIRATION_DAYS: u32 = 36_500;

/// What clients may set. Kept in the store as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Policy {
    /// In characters.
    pub(crate) min_password_length: u32,
    /// In characters; besides, a password never has more than [`MAX_PASSWORD`] bytes.
    pub(crate) max_password_length: u32,
    /// How long a password that is set from now on may be used; `None` is for ever.
    pub(crate) password_expiration_days: Option<u32>,
    /// Whether a password is changed by the action `ManagerAccount.ChangePassword` only.
    pub(crate) change_by_action_only: bool,
    /// How many wrong passwords lock an account; 0 is never.
    pub(crate) lockout_threshold: u32,
    /// How long a lock lasts; 0 is not at all.
    pub(crate) lockout_duration_s: u32,
    /// How long after a wrong password the counter starts anew.
    pub(crate) counter_reset_after_s: u32,
    /// If not, the counter never starts anew by itself, and a lock lasts until an administrator ends it.
    pub(crate) counter_reset_enabled: bool,
    /// Every how many refused logins of an account one is written to the log; 0 is never.
    pub(crate) failure_logging_threshold: u32,
    /// Whether Basic authentication is taken, and said to be.
    #[serde(deserialize_with = "basic_auth")]
    pub(crate) basic_auth: BasicAuthState,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            min_password_length: 8,
            max_password_length: MAX_PASSWORD as u32,
            password_expiration_days: None,
            change_by_action_only: false,
            lockout_threshold: 5,
            lockout_duration_s: 30,
            counter_reset_after_s: 30,
            counter_reset_enabled: true,
            failure_logging_threshold: 1,
            basic_auth: BasicAuthState::Enabled,
        }
    }
}

fn basic_auth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BasicAuthState, D::Error> {
    let word = String::deserialize(deserializer)?;
    BasicAuthState::from_word(&word).ok_or_else(|| serde::de::Error::custom("HTTPBasicAuth"))
}

impl Policy {
    /// Whether wrong passwords lock an account at all.
    pub(crate) const fn locks(&self) -> bool {
        self.lockout_threshold > 0 && (!self.counter_reset_enabled || self.lockout_duration_s > 0)
    }

    /// What is wrong with a new password for this user.
    pub(crate) fn refuses(&self, password: &str, user_name: &str) -> Option<String> {
        let length = u32::try_from(password.chars().count()).unwrap_or(u32::MAX);
        let (least, most) = (self.min_password_length.max(1), self.max_password_length);
        if !(least..=most).contains(&length) || password.len() > MAX_PASSWORD {
            return Some(format!(
                "A password has {least} to {most} characters, and no more than {MAX_PASSWORD} bytes."
            ));
        }
        if password.chars().any(char::is_control) {
            return Some("A password has no control characters.".to_owned());
        }
        password
            .eq_ignore_ascii_case(user_name)
            .then(|| "A password is not the user name.".to_owned())
    }

    /// Which settings contradict each other.
    pub(crate) fn contradictions(&self) -> Vec<Message> {
        let mut found = Vec::new();
        let mut wrong = |property: &str, rule: &str| {
            let message = message::property_value_error(property);
            found.push(message.about(format!("/{property}")).with_resolution(rule));
        };
        if self.max_password_length < self.min_password_length {
            wrong(
                "MaxPasswordLength",
                "MaxPasswordLength must not be less than MinPasswordLength.",
            );
        }
        if self.counter_reset_enabled
            && self.lockout_duration_s > 0
            && self.lockout_duration_s < self.counter_reset_after_s
        {
            wrong(
                "AccountLockoutCounterResetAfter",
                "AccountLockoutCounterResetAfter must not be more than AccountLockoutDuration.",
            );
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_a_length_and_is_not_the_name() {
        let policy = Policy::default();
        for wrong in [
            "",
            "1234567",
            "Operator1",
            "line\nline2",
            &"x".repeat(257),
            &"é".repeat(200),
        ] {
            assert!(policy.refuses(wrong, "operator1").is_some(), "{wrong}");
        }
        for right in ["12345678", "correct horse", &"é".repeat(128)] {
            assert_eq!(policy.refuses(right, "operator1"), None, "{right}");
        }
    }

    #[test]
    fn a_policy_comes_back_from_the_store_and_new_settings_get_their_default() {
        let policy = Policy {
            basic_auth: BasicAuthState::Unadvertised,
            password_expiration_days: Some(90),
            ..Policy::default()
        };
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
        assert_eq!(
            serde_json::from_str::<Policy>("{}").unwrap(),
            Policy::default()
        );
        assert!(serde_json::from_str::<Policy>(r#"{"basic_auth":"Often"}"#).is_err());
    }

    #[test]
    fn a_counter_that_outlasts_the_lock_is_a_contradiction() {
        let policy = |duration_s, reset_s, enabled| Policy {
            lockout_duration_s: duration_s,
            counter_reset_after_s: reset_s,
            counter_reset_enabled: enabled,
            ..Policy::default()
        };
        assert_eq!(policy(30, 31, true).contradictions().len(), 1);
        assert!(policy(30, 30, true).contradictions().is_empty());
        assert!(policy(0, 30, true).contradictions().is_empty());
        assert!(policy(30, 31, false).contradictions().is_empty());
    }
}
