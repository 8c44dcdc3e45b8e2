//! Accounts, roles and rules that another service had.

use std::sync::Arc;

use super::role::{CustomRole, MAX_ROLES, is_role_id};
use super::table::{ACCOUNTS, MAX_ACCOUNTS, ROLES, SETTINGS, SETTINGS_KEY, State};
use super::{Account, MAX_FAILURES, MAX_LOCKOUT_S, MAX_PASSWORD};
use crate::import::{AccountRules, ImportError};
use crate::privilege::{PrivilegeMap, Privileges, Role};
use crate::store::{Batch, Store, StoreError};

/// What will be put into a store.
#[derive(Default)]
pub(crate) struct Import {
    state: State,
    has_rules: bool,
}

impl Import {
    /// Adds a role with the privileges that Redfish names so.
    pub(crate) fn add_role(&mut self, id: &str, privileges: Privileges) -> Result<(), ImportError> {
        if !is_role_id(id) {
            return Err(ImportError::RoleId);
        }
        if self.state.privileges_of(id).is_some() {
            return Err(ImportError::Duplicate);
        }
        if self.state.roles.len() + Role::ALL.len() >= MAX_ROLES {
            return Err(ImportError::TooMany(MAX_ROLES));
        }
        let role = CustomRole { privileges };
        self.state.roles.insert(id.to_owned(), role);
        Ok(())
    }

    /// Adds an account whose role is predefined or was added.
    pub(crate) fn add_account(
        &mut self,
        mut account: Account,
        enabled: bool,
        must_change_password: bool,
    ) -> Result<(), ImportError> {
        if self.state.privileges_of(account.role_id()).is_none() {
            return Err(ImportError::Role);
        }
        if self.state.by_user_name(account.user_name()).is_some() {
            return Err(ImportError::Duplicate);
        }
        if self.state.accounts.len() >= MAX_ACCOUNTS {
            return Err(ImportError::TooMany(MAX_ACCOUNTS));
        }
        account.id = self.state.new_id(account.user_name());
        account.kept.enabled = enabled;
        account.kept.password_change_required = must_change_password;
        let id = account.id.clone();
        self.state.accounts.insert(id, Arc::new(account));
        Ok(())
    }

    /// Takes rules in place of the defaults.
    pub(crate) fn set_rules(&mut self, rules: &AccountRules) -> Result<(), ImportError> {
        let mut policy = (*self.state.policy).clone();
        let longest = u32::try_from(MAX_PASSWORD).unwrap_or(u32::MAX);
        let rows = [
            (
                "MinPasswordLength",
                rules.min_password_length,
                &mut policy.min_password_length,
                (1, longest),
            ),
            (
                "MaxPasswordLength",
                rules.max_password_length,
                &mut policy.max_password_length,
                (1, longest),
            ),
            (
                "AccountLockoutThreshold",
                rules.lockout_threshold,
                &mut policy.lockout_threshold,
                (0, MAX_FAILURES),
            ),
            (
                "AccountLockoutDuration",
                rules.lockout_duration_s,
                &mut policy.lockout_duration_s,
                (0, MAX_LOCKOUT_S),
            ),
            (
                "AccountLockoutCounterResetAfter",
                rules.counter_reset_after_s,
                &mut policy.counter_reset_after_s,
                (0, MAX_LOCKOUT_S),
            ),
            (
                "AuthFailureLoggingThreshold",
                rules.failure_logging_threshold,
                &mut policy.failure_logging_threshold,
                (0, MAX_FAILURES),
            ),
        ];
        for (property, value, place, (least, most)) in rows {
            *place = ImportError::within(property, value.unwrap_or(*place), least, most)?;
        }
        if let Some(contradiction) = policy.contradictions().first() {
            return Err(ImportError::Rules(contradiction.resolution().to_owned()));
        }
        self.state.policy = Arc::new(policy);
        self.has_rules = true;
        Ok(())
    }

    /// Whether anybody of them can manage accounts.
    pub(crate) fn has_administrator(&self) -> bool {
        self.state.has_administrator()
    }

    /// Whether a store has accounts or roles already.
    pub(crate) fn is_taken(store: &Store) -> Result<bool, StoreError> {
        let accounts = store.load::<serde_json::Value>(ACCOUNTS)?;
        let roles = store.load::<serde_json::Value>(ROLES)?;
        Ok(!accounts.is_empty() || !roles.is_empty())
    }

    /// What a store has to be told.
    pub(crate) fn put(&self, batch: &mut Batch) -> Result<(), StoreError> {
        let map = PrivilegeMap::default();
        for (id, role) in &self.state.roles {
            batch.put(ROLES, id, &role.kept(&map))?;
        }
        for (id, account) in &self.state.accounts {
            batch.put(ACCOUNTS, id, &account.kept)?;
        }
        if self.has_rules {
            batch.put(SETTINGS, SETTINGS_KEY, &*self.state.policy)?;
        }
        Ok(())
    }
}
