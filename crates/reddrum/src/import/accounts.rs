//! Accounts, roles and their rules.

use std::collections::BTreeMap;

use redfish::{Account, AccountRules, Import, ImportError, Privileges, Role};
use serde::Deserialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::files::{File, Files};
use super::report::Report;
use crate::error::ProgramError;

/// What RedDrum calls [`Role::ReadOnly`].
const READ_ONLY_USER: &str = "ReadOnlyUser";
/// The accounts that every RedDrum comes with, and their passwords: everybody knows them.
const PUBLISHED: [(&str, &str); 4] = [
    ("root", "password"),
    ("redfish_adm", "password_adm"),
    ("redfish_oper", "password_oper"),
    ("redfish_readonly", "password_readonly"),
];

/// An account as RedDrum has it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OldAccount {
    user_name: String,
    /// In plain text, or what `crypt` makes of it.
    password: String,
    role_id: String,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default = "yes")]
    deletable: bool,
}

/// A role as RedDrum has it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OldRole {
    #[serde(default)]
    assigned_privileges: Vec<String>,
    #[serde(default)]
    oem_privileges: Vec<String>,
}

const fn yes() -> bool {
    true
}

/// Adds all that can be taken over. The answer is the account that subscriptions belong to: an administrator's.
pub(super) fn read(
    files: &Files,
    import: &mut Import,
    report: &mut Report,
) -> Result<Option<String>, ProgramError> {
    for (id, role) in entries::<OldRole>(files, File::Roles, report)? {
        add_role(&id, &role, import, report);
    }
    let mut owner = None;
    for (_, account) in entries::<OldAccount>(files, File::Accounts, report)? {
        let role = new_role(&account.role_id).to_owned();
        let name = account.user_name.clone();
        let usable = account.enabled && role == Role::Administrator.name();
        if add_account(account, &role, import, report) && usable && owner.is_none() {
            owner = Some(name);
        }
    }
    if files.has(File::Accounts) && !import.has_administrator() {
        let text =
            "none of the accounts may manage accounts; add an [[account]] to the configuration";
        report.look_at("Accounts", text);
    }
    if let Some(service) = files.object(File::AccountService)? {
        set_rules(&service, import, report);
    }
    Ok(owner)
}

/// The entries of a file, by name. One that has another form than RedDrum's is reported.
fn entries<T: for<'de> Deserialize<'de>>(
    files: &Files,
    file: File,
    report: &mut Report,
) -> Result<Vec<(String, T)>, ProgramError> {
    let all: BTreeMap<String, Value> = files.json(file)?.unwrap_or_default();
    let mut entries = Vec::with_capacity(all.len());
    for (name, value) in all {
        match serde_json::from_value(value) {
            Ok(entry) => entries.push((name, entry)),
            // Not serde's words: they may hold a password.
            Err(_) => report.left(&name, &format!("no entry of {} has this form", file.name())),
        }
    }
    Ok(entries)
}

/// The name of a role here.
fn new_role(id: &str) -> &str {
    if id == READ_ONLY_USER {
        Role::ReadOnly.name()
    } else {
        id
    }
}

fn add_role(id: &str, old: &OldRole, import: &mut Import, report: &mut Report) {
    let what = format!("Role {id}");
    let mut privileges = Privileges::NONE;
    let mut dropped: Vec<&str> = old.oem_privileges.iter().map(String::as_str).collect();
    for name in &old.assigned_privileges {
        match Privileges::from_name(name) {
            Some(one) => privileges = privileges.and(one),
            None => dropped.push(name),
        }
    }
    if let Some(role) = Role::from_name(new_role(id)) {
        if id != role.name() {
            report.taken(&what, &format!("is {} here", role.name()));
        }
        if privileges != role.privileges() || !dropped.is_empty() {
            let has: Vec<_> = role.privileges().names().collect();
            let text = format!(
                "{} is predefined here, with {}: its accounts have these privileges now",
                role.name(),
                has.join(", ")
            );
            report.look_at(&what, &text);
        }
        return;
    }
    match import.add_role(id, privileges) {
        Ok(()) => {
            let has: Vec<_> = privileges.names().collect();
            report.taken(&what, &format!("with {}", has.join(", ")));
            if !dropped.is_empty() {
                let why = format!("no privileges of Redfish: {}", dropped.join(", "));
                report.left(&what, &why);
            }
        }
        Err(error) => report.left(&what, &error.to_string()),
    }
}

/// Whether it was taken over.
fn add_account(old: OldAccount, role: &str, import: &mut Import, report: &mut Report) -> bool {
    let what = format!("Account {}", old.user_name);
    let password = Zeroizing::new(old.password);
    let is_published = PUBLISHED.contains(&(old.user_name.as_str(), password.as_str()));
    let is_plain = !is_hash(&password);
    let account = if is_plain {
        Account::with_password(&old.user_name, &password, role)
    } else {
        Account::with_hash(&old.user_name, &password, role)
    };
    let added = account.map_err(|e| e.to_string()).and_then(|account| {
        let added = import.add_account(account, old.enabled, is_published);
        added.map_err(|e| match e {
            ImportError::Role => format!("there is no role {role}"),
            other => other.to_string(),
        })
    });
    if let Err(error) = added {
        let error = if password.starts_with("$5$") {
            "its password is a SHA-256-crypt hash, which isn't accepted; make the account anew"
        } else {
            &error
        };
        report.left(&what, error);
        return false;
    }
    let state = if old.enabled { "" } else { ", disabled" };
    report.taken(&what, &format!("role {role}{state}"));
    if is_published {
        let text = "everybody knows its password: it has to be changed at the first login";
        report.look_at(&what, text);
    } else if is_plain {
        let text = "RedDrum's file has its password in plain text; only a hash is kept here. Change the password, \
                    and delete the file";
        report.look_at(&what, text);
    }
    if !old.deletable {
        report.left(
            &format!("{what}, Deletable"),
            "every account can be deleted here, but for the last administrator's",
        );
    }
    true
}

/// Whether RedDrum took a text for a hash (of `passlib`'s schemes), and not for the password itself.
fn is_hash(password: &str) -> bool {
    password.starts_with("$6$") || password.starts_with("$5$")
}

fn set_rules(service: &Map<String, Value>, import: &mut Import, report: &mut Report) {
    let mut rules = AccountRules::default();
    let mut taken = Vec::new();
    for (name, value) in service {
        let place = match name.as_str() {
            "MinPasswordLength" => &mut rules.min_password_length,
            "MaxPasswordLength" => &mut rules.max_password_length,
            "AccountLockoutThreshold" => &mut rules.lockout_threshold,
            "AccountLockoutDuration" => &mut rules.lockout_duration_s,
            "AccountLockoutCounterResetAfter" => &mut rules.counter_reset_after_s,
            "AuthFailureLoggingThreshold" => &mut rules.failure_logging_threshold,
            "ServiceEnabled" if *value == Value::Bool(false) => {
                report.left(
                    "AccountService.ServiceEnabled",
                    "accounts are always in force here",
                );
                continue;
            }
            _ => continue,
        };
        *place = value.as_u64().and_then(|number| u32::try_from(number).ok());
        match place {
            Some(number) => taken.push((format!("AccountService.{name}"), number.to_string())),
            None => report.left(
                &format!("AccountService.{name}"),
                "it is no number that fits",
            ),
        }
    }
    match import.set_account_rules(&rules) {
        Ok(()) => {
            for (what, text) in taken {
                report.taken(&what, &text);
            }
        }
        Err(error) => {
            let why = format!("the rules stay as they are by default: {error}");
            report.left("AccountService", &why);
        }
    }
}
