//! Changes of accounts, roles and rules: checked against what is there, written to the store, then put into memory.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError};

use redfish_schema::DateTime;
use tokio::sync::OwnedMutexGuard;
use zeroize::Zeroizing;

use super::password::PasswordHash;
use super::role::{CustomRole, is_role_id};
use super::table::{ACCOUNTS, MAX_ACCOUNTS, ROLES, SETTINGS, SETTINGS_KEY, State};
use super::{Account, Accounts, Policy, check_user_name, now_ms};
use crate::Failure;
use crate::caller::Caller;
use crate::fault::nearest;
use crate::message::{self, Message};
use crate::privilege::{Privileges, Role};
use crate::session::Session;
use crate::store::Batch;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// An account to be made.
pub(crate) struct NewAccount {
    pub(crate) user_name: String,
    pub(crate) password: Zeroizing<String>,
    /// The rest, as if it were changed afterwards.
    pub(crate) edit: Edit,
}

/// What is to be changed of an account; `None` stays as it is.
#[derive(Default)]
pub(crate) struct Edit {
    pub(crate) user_name: Option<String>,
    pub(crate) password: Option<Zeroizing<String>>,
    pub(crate) role_id: Option<String>,
    pub(crate) enabled: Option<bool>,
    /// Ends a lock.
    pub(crate) unlock: bool,
    pub(crate) password_change_required: Option<bool>,
    pub(crate) password_expiration: Option<Option<DateTime>>,
    pub(crate) account_expiration: Option<Option<DateTime>>,
    pub(crate) strict_account_types: Option<bool>,
}

/// What is to be changed of a role; `None` stays as it is.
#[derive(Debug, Default)]
pub(crate) struct RoleEdit {
    /// Privileges that Redfish names.
    pub(crate) assigned: Option<Privileges>,
    /// Privileges that the operator's registry names.
    pub(crate) oem: Option<Privileges>,
}

/// What goes with the change of an account.
#[derive(Default)]
struct Then {
    /// The one session that goes on although the account's credentials have changed.
    keep: Option<Arc<Session>>,
    /// Ends a lock.
    unlock: bool,
}

impl Accounts {
    /// What is wrong with an edit, as far as that can be seen before: all of it, where a change finds the first only.
    /// `user_name` is the account's so far.
    pub(crate) fn faults(&self, edit: &Edit, user_name: Option<&str>) -> Vec<Message> {
        let state = self.read();
        let mut faults = Vec::new();
        let user_name = edit.user_name.as_deref().or(user_name);
        if let Some(new) = &edit.user_name {
            faults.extend(user_name_fault(new));
        }
        if let Some(password) = &edit.password {
            // That a password is a name which can't be had is no fault of its own.
            let of = user_name.filter(|_| faults.is_empty());
            let of = of.unwrap_or_default();
            faults.extend(password_fault(&state.policy, password, of, "Password"));
        }
        if let Some(role_id) = &edit.role_id {
            faults.extend(role_fault(&state, role_id));
        }
        faults
    }

    /// Adds an account. Its `Id` is the answer.
    pub(crate) async fn create(
        self: &Arc<Self>,
        new: NewAccount,
        client: Option<IpAddr>,
    ) -> Result<String, Failure> {
        let NewAccount {
            user_name,
            password,
            edit,
        } = new;
        none(user_name_fault(&user_name))?;
        let policy = self.policy();
        none(password_fault(&policy, &password, &user_name, "Password"))?;
        let hash = self.hash(password, client).await?;
        let changing = self.start().await;
        let state = self.read().clone();
        if state.accounts.len() >= MAX_ACCOUNTS {
            return Err(Failure::LimitReached);
        }
        let role_id = edit.role_id.clone().unwrap_or_default();
        let mut account = Account::with(&user_name, hash, &role_id);
        account.id = state.new_id(&user_name);
        account.epoch = self.new_epoch();
        let drawn = account.draw_number();
        drawn.map_err(|error| Failure::Internal(error.to_string()))?;
        refuse_taken(&state, &account)?;
        edit_account(&mut account, &edit, &state)?;
        set_expiration(&mut account, &edit, &policy);
        let id = account.id.clone();
        self.commit_account(changing, account, Then::default())
            .await?;
        Ok(id)
    }

    /// Changes an account. `by` is who asks: what he does to his own password isn't what he does to another's.
    pub(crate) async fn update(
        self: &Arc<Self>,
        id: &str,
        edit: Edit,
        by: &Caller,
    ) -> Result<(), Failure> {
        let policy = self.policy();
        let own = by.account_id() == id;
        let hash = match &edit.password {
            Some(password) => Some(self.new_hash(id, password, &edit, by).await?),
            None => None,
        };
        let changing = self.start().await;
        let before = self.read().clone();
        let old = before.accounts.get(id).ok_or(Failure::NotFound)?;
        let mut account = Account::clone(old);
        edit_account(&mut account, &edit, &before)?;
        refuse_taken(&before, &account)?;
        if let Some(hash) = hash {
            account.kept.password = hash;
            set_expiration(&mut account, &edit, &policy);
            if own && edit.password_change_required.is_none() {
                account.kept.password_change_required = false;
            }
        }
        let ends_sessions = edit.password.is_some()
            || account.user_name() != old.user_name()
            || account.is_enabled() != old.is_enabled();
        if ends_sessions {
            account.epoch = self.new_epoch();
        }
        let mut after = before.clone();
        after
            .accounts
            .insert(id.to_owned(), Arc::new(account.clone()));
        keep_an_administrator(&before, &after)?;
        let then = Then {
            keep: by.session().filter(|_| own).cloned(),
            unlock: edit.unlock,
        };
        self.commit_account(changing, account, then).await
    }

    /// Checks and hashes a password that replaces another.
    async fn new_hash(
        self: &Arc<Self>,
        id: &str,
        password: &Zeroizing<String>,
        edit: &Edit,
        by: &Caller,
    ) -> Result<PasswordHash, Failure> {
        let account = self.by_id(id).ok_or(Failure::NotFound)?;
        let user_name = edit.user_name.as_deref();
        let user_name = user_name.unwrap_or_else(|| account.user_name());
        none(password_fault(
            &self.policy(),
            password,
            user_name,
            "Password",
        ))?;
        if by.account_id() == id && account.must_change_password() {
            let turn = self.turns.take(by.client()).await.ok_or(CROWDED)?;
            if self
                .is_present_password(turn, &account, password.clone())
                .await
            {
                let message = message::property_value_error("Password");
                let remedy = "The password has to be changed: take another one.";
                return Err(wrong(message, "Password", remedy));
            }
        }
        self.hash(password.clone(), by.client()).await
    }

    /// Removes an account. Its sessions end.
    pub(crate) async fn remove(self: &Arc<Self>, id: &str) -> Result<(), Failure> {
        let changing = self.start().await;
        let before = self.read().clone();
        let mut after = before.clone();
        after.accounts.remove(id).ok_or(Failure::NotFound)?;
        keep_an_administrator(&before, &after)?;
        let mut batch = Batch::default();
        batch.remove(ACCOUNTS, id);
        let (accounts, id) = (Arc::clone(self), id.to_owned());
        let apply = move || {
            accounts.write().accounts.remove(&id);
            accounts.lockouts.forget(&id);
            accounts.forget_credentials(&id, None);
            drop(changing);
        };
        Ok(self.store.commit(batch, apply).await?)
    }

    /// Adds a role.
    pub(crate) async fn create_role(
        self: &Arc<Self>,
        id: &str,
        edit: &RoleEdit,
    ) -> Result<(), Failure> {
        let changing = self.start().await;
        let state = self.read().clone();
        if !is_role_id(id) {
            let message = message::property_value_format_error(id, "RoleId");
            let rule = "A role's id has 1 to 64 letters, digits, '-', '_' and '.'.";
            return Err(wrong(message, "RoleId", rule));
        }
        if state.privileges_of(id).is_some() {
            return Err(Failure::AlreadyExists {
                resource: "Role",
                property: "RoleId",
                value: id.to_owned(),
            });
        }
        if !Self::has_room_for_a_role(&state) {
            return Err(Failure::LimitReached);
        }
        let privileges = edit.assigned.unwrap_or(Privileges::NONE);
        let privileges = privileges.and(edit.oem.unwrap_or(Privileges::NONE));
        self.commit_role(changing, id, CustomRole { privileges })
            .await
    }

    /// Changes a role. It holds at once, for sessions that are open too.
    pub(crate) async fn update_role(
        self: &Arc<Self>,
        id: &str,
        edit: &RoleEdit,
    ) -> Result<(), Failure> {
        let changing = self.start().await;
        let before = self.read().clone();
        let old = before.roles.get(id).ok_or(Failure::NotFound)?.privileges;
        let assigned = edit.assigned.unwrap_or_else(|| old.of_redfish());
        let privileges = assigned.and(edit.oem.unwrap_or_else(|| old.of_oem()));
        let role = CustomRole { privileges };
        let mut after = before.clone();
        after.roles.insert(id.to_owned(), role.clone());
        keep_an_administrator(&before, &after)?;
        self.commit_role(changing, id, role).await
    }

    /// Removes a role that nobody has.
    pub(crate) async fn remove_role(self: &Arc<Self>, id: &str) -> Result<(), Failure> {
        let changing = self.start().await;
        let state = self.read().clone();
        if !state.roles.contains_key(id) {
            return Err(Failure::NotFound);
        }
        let has_it = |account: &&Arc<Account>| account.role_id() == id;
        let holders: Vec<&str> = state
            .accounts
            .values()
            .filter(has_it)
            .take(5)
            .map(|account| account.user_name())
            .collect();
        if !holders.is_empty() {
            return Err(Failure::InUse {
                reason: format!(
                    "Accounts have this role ({}). Give them another one first.",
                    holders.join(", ")
                ),
            });
        }
        let mut batch = Batch::default();
        batch.remove(ROLES, id);
        let (accounts, id) = (Arc::clone(self), id.to_owned());
        let apply = move || {
            accounts.write().roles.remove(&id);
            drop(changing);
        };
        Ok(self.store.commit(batch, apply).await?)
    }

    /// Changes the rules. Those about passwords hold for the passwords that are set from now on.
    pub(crate) async fn set_policy(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Policy),
    ) -> Result<(), Failure> {
        let changing = self.start().await;
        let mut policy = Policy::clone(&self.policy());
        change(&mut policy);
        let contradictions = policy.contradictions();
        if !contradictions.is_empty() {
            return Err(Failure::Messages(contradictions));
        }
        let mut batch = Batch::default();
        batch.put(SETTINGS, SETTINGS_KEY, &policy)?;
        let accounts = Arc::clone(self);
        let apply = move || {
            accounts.write().policy = Arc::new(policy);
            drop(changing);
        };
        Ok(self.store.commit(batch, apply).await?)
    }

    /// Locks an account until an administrator ends that. The last administrator's isn't: nobody could.
    pub(super) async fn lock_for_good(self: &Arc<Self>, id: &str) {
        let changing = self.start().await;
        let before = self.read().clone();
        let Some(account) = before.accounts.get(id) else {
            return;
        };
        let mut account = Account::clone(account);
        account.kept.locked = true;
        let mut after = before.clone();
        after
            .accounts
            .insert(id.to_owned(), Arc::new(account.clone()));
        if keep_an_administrator(&before, &after).is_err() {
            self.lockouts.forget(id);
            return;
        }
        if let Err(failure) = self
            .commit_account(changing, account, Then::default())
            .await
        {
            tracing::error!(%failure, "the lock of an account isn't written; it ends with the next start");
        }
    }

    /// Keeps a better hash of the same password. The sessions stay.
    pub(super) async fn upgrade(self: &Arc<Self>, verified: &Account, hash: PasswordHash) {
        let changing = self.start().await;
        let Some(account) = self.by_id(verified.id()) else {
            return;
        };
        if account.epoch != verified.epoch {
            return;
        }
        let mut account = Account::clone(&account);
        account.kept.password = hash;
        if let Err(failure) = self
            .commit_account(changing, account, Then::default())
            .await
        {
            tracing::error!(%failure, "an outdated password hash stays");
        }
    }

    async fn start(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.changing).lock_owned().await
    }

    async fn hash(
        &self,
        password: Zeroizing<String>,
        client: Option<IpAddr>,
    ) -> Result<PasswordHash, Failure> {
        let turn = self.turns.take(client).await.ok_or(CROWDED)?;
        let hash = move || {
            let _turn = turn;
            PasswordHash::of(&password)
        };
        let hashed = tokio::task::spawn_blocking(hash).await;
        let internal = |cause: &dyn std::fmt::Display| Failure::Internal(cause.to_string());
        hashed
            .map_err(|error| internal(&error))?
            .map_err(|error| internal(&error))
    }

    async fn commit_account(
        self: &Arc<Self>,
        changing: OwnedMutexGuard<()>,
        account: Account,
        then: Then,
    ) -> Result<(), Failure> {
        let mut batch = Batch::default();
        batch.put(ACCOUNTS, &account.id, &account.kept)?;
        let accounts = Arc::clone(self);
        let apply = move || {
            let (id, epoch) = (account.id.clone(), account.epoch);
            if let Some(session) = then.keep {
                session.renew(epoch);
            }
            if then.unlock {
                accounts.lockouts.forget(&id);
            }
            let account = Arc::new(account);
            accounts.write().accounts.insert(id.clone(), account);
            accounts.forget_credentials(&id, Some(epoch));
            drop(changing);
        };
        Ok(self.store.commit(batch, apply).await?)
    }

    async fn commit_role(
        self: &Arc<Self>,
        changing: OwnedMutexGuard<()>,
        id: &str,
        role: CustomRole,
    ) -> Result<(), Failure> {
        let mut batch = Batch::default();
        batch.put(ROLES, id, &role.kept(&self.privileges))?;
        let (accounts, id) = (Arc::clone(self), id.to_owned());
        let apply = move || {
            accounts.write().roles.insert(id, role);
            drop(changing);
        };
        Ok(self.store.commit(batch, apply).await?)
    }

    /// Ends what credentials of another epoch have opened. They open nothing any more already; this makes room.
    fn forget_credentials(&self, id: &str, epoch: Option<u64>) {
        self.sessions.close_of(id, epoch);
        self.remembered
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, entry| entry.account_id != id || Some(entry.epoch) == epoch);
    }
}

const CROWDED: Failure = Failure::Unavailable { retry_after_s: 2 };

fn wrong(message: Message, property: &str, remedy: &str) -> Failure {
    Failure::Messages(vec![fault(message, property, remedy)])
}

fn fault(message: Message, property: &str, remedy: &str) -> Message {
    let message = message.about(format!("/{property}"));
    message.with_resolution(remedy)
}

/// A fault fails a change.
fn none(fault: Option<Message>) -> Result<(), Failure> {
    match fault {
        None => Ok(()),
        Some(fault) => Err(Failure::Messages(vec![fault])),
    }
}

fn user_name_fault(user_name: &str) -> Option<Message> {
    let error = check_user_name(user_name).err()?;
    let message = message::property_value_format_error(user_name, "UserName");
    Some(fault(message, "UserName", &error.to_string()))
}

/// Why the rules don't let a password be set. It isn't repeated in the message.
fn password_fault(
    policy: &Policy,
    password: &str,
    user_name: &str,
    property: &str,
) -> Option<Message> {
    let rule = policy.refuses(password, user_name)?;
    let message = message::property_value_format_error("******", property);
    Some(fault(message, property, &rule))
}

/// There is no such role; which there are, and which may be meant.
fn role_fault(state: &State, role_id: &str) -> Option<Message> {
    if state.privileges_of(role_id).is_some() {
        return None;
    }
    let custom = state.roles.keys().map(String::as_str);
    let predefined = Role::ALL.map(Role::name);
    let ids: Vec<&str> = predefined.into_iter().chain(custom).collect();
    let meant = nearest(role_id, ids.iter().copied());
    let meant = meant.map_or_else(String::new, |id| format!("Did you mean '{id}'? "));
    let message = message::property_value_not_in_list(role_id, "RoleId");
    let remedy = format!("{meant}Choose one of: {}.", ids.join(", "));
    Some(fault(message, "RoleId", &remedy))
}

/// Refuses a user name that another account has.
fn refuse_taken(state: &State, account: &Account) -> Result<(), Failure> {
    let other = state.by_user_name(account.user_name());
    if other.is_none_or(|other| other.id == account.id) {
        return Ok(());
    }
    Err(Failure::AlreadyExists {
        resource: "ManagerAccount",
        property: "UserName",
        value: account.user_name().to_owned(),
    })
}

/// Everything but the password.
fn edit_account(account: &mut Account, edit: &Edit, state: &State) -> Result<(), Failure> {
    let kept = &mut account.kept;
    if let Some(user_name) = &edit.user_name {
        none(user_name_fault(user_name))?;
        kept.user_name.clone_from(user_name);
    }
    if let Some(role_id) = &edit.role_id {
        none(role_fault(state, role_id))?;
        kept.role_id.clone_from(role_id);
    }
    kept.enabled = edit.enabled.unwrap_or(kept.enabled);
    kept.locked &= !edit.unlock;
    if let Some(required) = edit.password_change_required {
        kept.password_change_required = required;
    }
    if let Some(expiration) = edit.password_expiration {
        kept.password_expiration_ms = expiration.map(DateTime::unix_ms);
    }
    if let Some(expiration) = edit.account_expiration {
        kept.account_expiration_ms = expiration.map(DateTime::unix_ms);
    }
    kept.strict_account_types = edit
        .strict_account_types
        .unwrap_or(kept.strict_account_types);
    Ok(())
}

/// A new password starts a new life, unless the client says how long.
fn set_expiration(account: &mut Account, edit: &Edit, policy: &Policy) {
    if edit.password_expiration.is_none() {
        let days = policy.password_expiration_days;
        account.kept.password_expiration_ms =
            days.map(|days| now_ms().saturating_add(i64::from(days) * DAY_MS));
    }
}

/// Refuses a change after which nobody could manage accounts any more.
fn keep_an_administrator(before: &State, after: &State) -> Result<(), Failure> {
    if after.has_administrator() || !before.has_administrator() {
        return Ok(());
    }
    Err(Failure::InUse {
        reason: "This is the last enabled account that may manage accounts, and it stays so. Give another account a role \
                 with the privilege ConfigureUsers first."
            .to_owned(),
    })
}
