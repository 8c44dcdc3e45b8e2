//! What another service had - accounts, roles, rules, subscriptions - put into the state of this one before it starts.
//!
//! Each thing is checked as if a client made it. All is written at once or not at all, and only into a state that has
//! nothing of the kind yet: what clients of this service made is never overwritten.

use std::fmt;

use crate::account::{self, Account};
use crate::event::{self, DestinationSettings};
use crate::privilege::Privileges;
use crate::store::{Batch, Store, StoreError};

/// Rules for accounts, as `AccountService` names them; `None` leaves the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountRules {
    /// `MinPasswordLength`, in characters.
    pub min_password_length: Option<u32>,
    /// `MaxPasswordLength`, in characters.
    pub max_password_length: Option<u32>,
    /// `AccountLockoutThreshold`: how many wrong passwords lock an account; 0 is never.
    pub lockout_threshold: Option<u32>,
    /// `AccountLockoutDuration`, in seconds.
    pub lockout_duration_s: Option<u32>,
    /// `AccountLockoutCounterResetAfter`, in seconds.
    pub counter_reset_after_s: Option<u32>,
    /// `AuthFailureLoggingThreshold`.
    pub failure_logging_threshold: Option<u32>,
}

/// Rules for the delivery of events, as `EventService` names them; `None` leaves the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventRules {
    /// `ServiceEnabled`.
    pub is_enabled: Option<bool>,
    /// `DeliveryRetryAttempts`.
    pub attempts: Option<u32>,
    /// `DeliveryRetryIntervalSeconds`.
    pub interval_s: Option<u32>,
}

/// A subscription with a destination. The rest is as if a client had said no more: the destination's certificate is
/// verified, and deliveries are tried for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewSubscription<'a> {
    /// `Destination`: a URI.
    pub destination: &'a str,
    /// `Context`; may be empty.
    pub context: &'a str,
    /// `EventTypes`; all events if there are none.
    pub event_types: &'a [String],
    /// The user name of the account that it belongs to.
    pub owner: &'a str,
}

/// What will be put into a store.
#[derive(Default)]
pub struct Import {
    accounts: account::Import,
    events: event::Import,
}

impl Import {
    /// Adds a role.
    ///
    /// # Errors
    /// [`ImportError`] if it can't be one, or is there; nothing has changed then.
    pub fn add_role(&mut self, id: &str, privileges: Privileges) -> Result<(), ImportError> {
        self.accounts.add_role(id, privileges)
    }

    /// Adds an account. Its role is a predefined one, or was added before.
    ///
    /// # Errors
    /// [`ImportError`] if there is no such role, or an account of that name; nothing has changed then.
    pub fn add_account(
        &mut self,
        account: Account,
        enabled: bool,
        must_change_password: bool,
    ) -> Result<(), ImportError> {
        self.accounts
            .add_account(account, enabled, must_change_password)
    }

    /// Takes rules for accounts.
    ///
    /// # Errors
    /// [`ImportError`] if one is out of range or contradicts another; nothing has changed then.
    pub fn set_account_rules(&mut self, rules: &AccountRules) -> Result<(), ImportError> {
        self.accounts.set_rules(rules)
    }

    /// Adds a subscription. `settings` say where events may go.
    ///
    /// # Errors
    /// [`ImportError`] says what a client would be told; nothing has changed then.
    pub fn add_subscription(
        &mut self,
        new: &NewSubscription<'_>,
        settings: &DestinationSettings,
    ) -> Result<(), ImportError> {
        self.events.add(new, settings)
    }

    /// Takes rules for the delivery of events.
    ///
    /// # Errors
    /// [`ImportError`] if one is out of range; nothing has changed then.
    pub fn set_event_rules(&mut self, rules: &EventRules) -> Result<(), ImportError> {
        self.events.set_rules(rules)
    }

    /// Whether any of the accounts can log in and manage accounts.
    #[must_use]
    pub fn has_administrator(&self) -> bool {
        self.accounts.has_administrator()
    }

    /// Writes everything.
    ///
    /// # Errors
    /// [`ImportError::Taken`] if the state has accounts, roles or subscriptions, [`ImportError::Store`] if it can't be
    /// written. Nothing has changed then.
    pub fn write(&self, store: &Store) -> Result<(), ImportError> {
        if account::Import::is_taken(store)? || event::Import::is_taken(store)? {
            return Err(ImportError::Taken);
        }
        let mut batch = Batch::default();
        self.accounts.put(&mut batch)?;
        self.events.put(&mut batch)?;
        Ok(store.commit_at_start(&batch)?)
    }
}

impl fmt::Debug for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Import").finish_non_exhaustive()
    }
}

/// Why something can't be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportError {
    /// A role's id has a form that URIs can't carry.
    RoleId,
    /// There is no role of that name.
    Role,
    /// There is one of that name.
    Duplicate,
    /// There are so many already, and no more fit.
    TooMany(usize),
    /// A number is out of range.
    Value {
        /// Its property.
        property: &'static str,
        /// The least that it may be.
        least: u32,
        /// The most that it may be.
        most: u32,
    },
    /// Rules contradict each other.
    Rules(String),
    /// Events aren't sent there.
    Destination(String),
    /// A `Context` is too long, or has control characters.
    Context,
    /// There is no such type of events.
    EventType(String),
    /// The state has accounts, roles or subscriptions already.
    Taken,
    /// The state can't be read or written.
    Store(StoreError),
}

impl ImportError {
    /// The value, if it is within limits.
    pub(crate) fn within(
        property: &'static str,
        value: u32,
        least: u32,
        most: u32,
    ) -> Result<u32, Self> {
        if (least..=most).contains(&value) {
            Ok(value)
        } else {
            Err(Self::Value {
                property,
                least,
                most,
            })
        }
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RoleId => {
                f.write_str("a role's id has 1 to 64 letters, digits, '-', '_' and '.'")
            }
            Self::Role => f.write_str("there is no role of that name"),
            Self::Duplicate => f.write_str("there is one of that name already"),
            Self::TooMany(most) => write!(f, "there are {most} already, and no more fit"),
            Self::Value {
                property,
                least,
                most,
            } => write!(f, "{property} is not between {least} and {most}"),
            Self::Rules(text) | Self::Destination(text) => f.write_str(text),
            Self::Context => f.write_str("the Context is too long or has control characters"),
            Self::EventType(word) => write!(f, "there is no EventType {word}"),
            Self::Taken => f.write_str(
                "the state has accounts, roles or subscriptions already; take an empty folder",
            ),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ImportError {}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
