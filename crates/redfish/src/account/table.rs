//! All accounts, roles and rules, in memory.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ring::hmac;
use zeroize::Zeroizing;

use super::check::Remembered;
use super::lockout::Lockouts;
use super::password::PasswordHash;
use super::role::{CustomRole, KeptRole, MAX_ROLES};
use super::{Account, AccountError, Kept, Policy};
use crate::audit::AuditLog;
use crate::privilege::{PrivilegeMap, Privileges, Role};
use crate::session::{Session, Sessions};
use crate::store::{self, Batch, Store, StoreError, Table};
use crate::turn::Turns;

/// How many accounts a service has at most.
pub const MAX_ACCOUNTS: usize = 256;

pub(super) const ACCOUNTS: Table = Table("accounts");
pub(super) const ROLES: Table = Table("roles");
pub(super) const SETTINGS: Table = Table("settings");
pub(super) const SETTINGS_KEY: &str = "AccountService";
/// Names of the operator's accounts that were added once. They aren't added again: clients may have renamed or deleted
/// them since.
const SEEDED: Table = Table("seeded_accounts");

/// Whether the state in a file is known to have no account, so that nobody could log in unless the configuration names some. It
/// isn't known where there is no such file, or it can't be read: a service that runs has it for itself.
#[must_use]
pub fn is_known_without_accounts(state: &Path) -> bool {
    store::is_known_without(state, ACCOUNTS)
}

/// All accounts, and the memory of credentials that have been verified.
pub(crate) struct Accounts {
    state: RwLock<State>,
    pub(super) store: Store,
    pub(super) privileges: Arc<PrivilegeMap>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) audit: Arc<AuditLog>,
    /// Held from the first look at what is there until a change is in memory, so that each change sees the one before.
    /// It goes with the change to the store's thread.
    pub(super) changing: Arc<tokio::sync::Mutex<()>>,
    /// Checked in place of an account that doesn't exist, so that both cost the same.
    pub(super) decoy: PasswordHash,
    pub(super) turns: Turns,
    pub(super) lockouts: Lockouts,
    pub(super) remembered: RwLock<HashMap<[u8; 32], Remembered>>,
    /// Keys the digests in `remembered`; without it they say nothing about a password.
    pub(super) key: hmac::Key,
    next_epoch: AtomicU64,
}

/// What changes.
#[derive(Default, Clone)]
pub(super) struct State {
    pub(super) accounts: BTreeMap<String, Arc<Account>>,
    pub(super) roles: BTreeMap<String, CustomRole>,
    pub(super) policy: Arc<Policy>,
}

impl State {
    pub(super) fn by_user_name(&self, user_name: &str) -> Option<&Arc<Account>> {
        self.accounts
            .values()
            .find(|account| account.user_name() == user_name)
    }

    /// What a role may do; nothing if there is no such role.
    pub(super) fn privileges_of(&self, role_id: &str) -> Option<Privileges> {
        Role::from_name(role_id)
            .map(Role::privileges)
            .or_else(|| self.roles.get(role_id).map(|role| role.privileges))
    }

    /// A path segment for a new account: its name, with what a URI would have to escape replaced, and a number if
    /// that is taken.
    pub(super) fn new_id(&self, user_name: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '@');
        let mut base: String = user_name
            .chars()
            .map(|c| if plain(c) { c } else { '_' })
            .collect();
        // `.` and `..` are no segments, and POST to `Accounts/Members` adds an account.
        if base.chars().all(|c| c == '.') || base == "Members" {
            base.push('_');
        }
        let free = |id: &String| !self.accounts.contains_key(id);
        Some(base.clone())
            .filter(free)
            .or_else(|| {
                (2..=MAX_ACCOUNTS + 1)
                    .map(|n| format!("{base}-{n}"))
                    .find(free)
            })
            .unwrap_or(base)
    }

    /// Whether anybody is left who can manage accounts: enabled, for good, and not locked for good.
    pub(super) fn has_administrator(&self) -> bool {
        let needed = Privileges::LOGIN.and(Privileges::CONFIGURE_USERS);
        self.accounts.values().any(|account| {
            let kept = &account.kept;
            kept.enabled
                && !kept.locked
                && kept.account_expiration_ms.is_none()
                && self
                    .privileges_of(&kept.role_id)
                    .is_some_and(|has| has.include(needed))
        })
    }
}

impl Accounts {
    /// Takes up what clients have made, and adds those of `seeds` that were never added before.
    pub(crate) fn load(
        store: Store,
        seeds: Vec<Account>,
        privileges: Arc<PrivilegeMap>,
        sessions: Arc<Sessions>,
        audit: Arc<AuditLog>,
    ) -> Result<Self, LoadError> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut()).map_err(AccountError::from)?;
        let accounts = Self {
            state: RwLock::default(),
            store,
            privileges,
            sessions,
            audit,
            changing: Arc::default(),
            decoy: PasswordHash::of_nothing()?,
            turns: Turns::new(),
            lockouts: Lockouts::default(),
            remembered: RwLock::default(),
            key: hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()),
            next_epoch: AtomicU64::new(1),
        };
        let mut state = accounts.stored()?;
        accounts.seed(&mut state, seeds)?;
        if !state.has_administrator() {
            tracing::warn!("no account may manage accounts; add one to the configuration");
        }
        *accounts.write() = state;
        Ok(accounts)
    }

    /// Whether there is none, so that nobody can ever log in.
    pub(crate) fn is_empty(&self) -> bool {
        self.read().accounts.is_empty()
    }

    fn stored(&self) -> Result<State, StoreError> {
        let mut state = State::default();
        for (id, kept) in self.store.load::<KeptRole>(ROLES)? {
            let role = CustomRole::of(&id, &kept, &self.privileges);
            state.roles.insert(id, role);
        }
        for (id, kept) in self.store.load::<Kept>(ACCOUNTS)? {
            let epoch = self.new_epoch();
            let account = Account { id, kept, epoch };
            state.accounts.insert(account.id.clone(), Arc::new(account));
        }
        for (key, kept) in self.store.load::<serde_json::Value>(SETTINGS)? {
            if key == SETTINGS_KEY {
                let policy =
                    serde_json::from_value(kept).map_err(|e| StoreError::Entry(e.to_string()))?;
                state.policy = Arc::new(policy);
            }
        }
        Ok(state)
    }

    fn seed(&self, state: &mut State, seeds: Vec<Account>) -> Result<(), LoadError> {
        let seeded: Vec<(String, ())> = self.store.load(SEEDED)?;
        let mut batch = Batch::default();
        let mut names: Vec<String> = Vec::new();
        for mut account in seeds {
            let name = account.user_name().to_owned();
            if names.contains(&name) {
                return Err(AccountError::Duplicate.into());
            }
            names.push(name.clone());
            let known = seeded.iter().any(|(seeded, ())| *seeded == name);
            if known || state.by_user_name(&name).is_some() {
                continue;
            }
            if state.privileges_of(account.role_id()).is_none() {
                return Err(AccountError::Role.into());
            }
            if state.accounts.len() >= MAX_ACCOUNTS {
                return Err(AccountError::TooMany.into());
            }
            account.id = state.new_id(&name);
            account.epoch = self.new_epoch();
            account.draw_number().map_err(AccountError::from)?;
            batch.put(ACCOUNTS, &account.id, &account.kept)?;
            batch.put(SEEDED, name, &())?;
            state.accounts.insert(account.id.clone(), Arc::new(account));
        }
        Ok(self.store.commit_at_start(&batch)?)
    }

    /// All accounts, by `Id`.
    pub(crate) fn list(&self) -> Vec<Arc<Account>> {
        self.read().accounts.values().cloned().collect()
    }

    /// The account whose resource has this `Id`.
    pub(crate) fn by_id(&self, id: &str) -> Option<Arc<Account>> {
        self.read().accounts.get(id).cloned()
    }

    /// The account with this user name, whether or not it may be used: see [`admits`](Self::admits).
    pub(crate) fn by_user_name(&self, user_name: &str) -> Option<Arc<Account>> {
        self.read().by_user_name(user_name).cloned()
    }

    /// The account of an open session. `None` if its session isn't worth anything any more: the account is gone or
    /// disabled, its password was changed, or its role may not log in.
    pub(crate) fn of_session(&self, session: &Session) -> Option<Arc<Account>> {
        let account = self.by_id(&session.account_id)?;
        (account.epoch == session.epoch() && self.admits(&account)).then_some(account)
    }

    /// The account of somebody who came without a session, as it is now. `None` if what let him in isn't worth anything
    /// any more.
    pub(crate) fn as_opened(&self, opened: &Account) -> Option<Arc<Account>> {
        let account = self.by_id(&opened.id)?;
        (account.epoch == opened.epoch && self.admits(&account)).then_some(account)
    }

    /// Whether somebody who has shown that the account is his may come in. Locks aren't asked: they are for passwords.
    pub(crate) fn admits(&self, account: &Account) -> bool {
        account.is_enabled()
            && !account.is_expired()
            && self.privileges_of(account).include(Privileges::LOGIN)
    }

    /// What the account's role may do, at this moment.
    pub(crate) fn privileges_of(&self, account: &Account) -> Privileges {
        let privileges = self.read().privileges_of(account.role_id());
        privileges.unwrap_or(Privileges::NONE)
    }

    /// Whether its password opens nothing at the moment.
    pub(crate) fn is_locked(&self, account: &Account) -> bool {
        account.kept.locked || self.lockouts.is_locked(&account.id)
    }

    /// Roles that clients made, by `Id`.
    pub(crate) fn custom_roles(&self) -> Vec<(String, CustomRole)> {
        let state = self.read();
        let roles = state.roles.iter();
        roles.map(|(id, role)| (id.clone(), role.clone())).collect()
    }

    /// A role that a client made.
    pub(crate) fn custom_role(&self, id: &str) -> Option<CustomRole> {
        self.read().roles.get(id).cloned()
    }

    /// The rules that hold at the moment.
    pub(crate) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.read().policy)
    }

    /// Which privileges operations need.
    pub(crate) const fn privilege_map(&self) -> &Arc<PrivilegeMap> {
        &self.privileges
    }

    pub(super) fn has_room_for_a_role(state: &State) -> bool {
        state.roles.len() + Role::ALL.len() < MAX_ROLES
    }

    pub(super) fn new_epoch(&self) -> u64 {
        self.next_epoch.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why accounts can't be taken up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LoadError {
    /// One of the operator's can't be used.
    Account(AccountError),
    /// The store can't be read or written.
    Store(StoreError),
}

impl From<AccountError> for LoadError {
    fn from(error: AccountError) -> Self {
        Self::Account(error)
    }
}

impl From<StoreError> for LoadError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
