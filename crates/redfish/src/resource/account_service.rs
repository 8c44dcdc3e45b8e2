//! `/redfish/v1/AccountService`: accounts and roles, to be read (DSP0266 "Account service overview").

use redfish_schema::account_service::{AccountService, BasicAuthState, LocalAccountAuth};
use redfish_schema::manager_account::{self, AccountTypes, Links, ManagerAccount};
use redfish_schema::privileges::PrivilegeType;
use redfish_schema::{Collection, Nullable, Reference, role};

use super::{enabled, registries};
use crate::account::{Account, Accounts, MAX_PASSWORD};
use crate::part::Part;
use crate::privilege::Role;
use crate::{Document, Failure};

/// Path of the service.
pub(crate) const PATH: &str = "/redfish/v1/AccountService";
const ACCOUNTS: &str = "/redfish/v1/AccountService/Accounts";
const ROLES: &str = "/redfish/v1/AccountService/Roles";

impl Part for Accounts {
    fn get(&self, rest: &[&str]) -> Result<Document, Failure> {
        get(self, rest)
    }
}

fn get(accounts: &Accounts, rest: &[&str]) -> Result<Document, Failure> {
    match *rest {
        [] => service(),
        ["Accounts"] => {
            let path = |account: &Account| format!("{ACCOUNTS}/{}", account.user_name());
            let members = accounts
                .iter()
                .map(|account| Reference::to(path(account)))
                .collect();
            let kind = &manager_account::COLLECTION;
            Document::of(&Collection::new(kind, ACCOUNTS, "Accounts", members))
        }
        ["Accounts", id] => member(accounts.find(id).ok_or(Failure::NotFound)?),
        ["Roles"] => {
            let members = Role::ALL
                .into_iter()
                .map(|role| Reference::to(role_path(role)))
                .collect();
            Document::of(&Collection::new(&role::COLLECTION, ROLES, "Roles", members))
        }
        ["Roles", id] => predefined(Role::from_name(id).ok_or(Failure::NotFound)?),
        _ => Err(Failure::NotFound),
    }
}

fn role_path(role: Role) -> String {
    format!("{ROLES}/{}", role.name())
}

fn service() -> Result<Document, Failure> {
    let mut resource = AccountService::new(PATH, "AccountService", "Account Service");
    resource.service_enabled = Some(true.into());
    resource.min_password_length = Some(1);
    resource.max_password_length = i64::try_from(MAX_PASSWORD).ok();
    resource.account_lockout_threshold = Some(0.into());
    resource.local_account_auth = Some(LocalAccountAuth::Enabled);
    resource.http_basic_auth = Some(BasicAuthState::Enabled.into());
    resource.accounts = Some(Reference::to(ACCOUNTS));
    resource.roles = Some(Reference::to(ROLES));
    resource.privilege_map = Some(Reference::to(registries::privileges_uri()));
    resource.status = Some(enabled());
    Document::of(&resource)
}

fn member(account: &Account) -> Result<Document, Failure> {
    let user_name = account.user_name();
    let mut resource = ManagerAccount::new(
        format!("{ACCOUNTS}/{user_name}"),
        user_name,
        format!("Account of {user_name}"),
        vec![AccountTypes::Redfish],
    );
    resource.user_name = Some(user_name.to_owned());
    resource.password = Some(Nullable::Null);
    resource.role_id = Some(account.role().name().to_owned());
    resource.enabled = Some(true);
    resource.locked = Some(false);
    resource.password_change_required = Some(false.into());
    resource.links = Some(Links {
        role: Some(Reference::to(role_path(account.role()))),
    });
    Document::of(&resource)
}

fn predefined(role: Role) -> Result<Document, Failure> {
    let name = role.name();
    let mut resource = role::Role::new(role_path(role), name, format!("{name} role"), name);
    resource.is_predefined = Some(true);
    resource.restricted = Some(false);
    resource.assigned_privileges = Some(
        role.privileges()
            .names()
            .filter_map(PrivilegeType::from_word)
            .collect(),
    );
    Document::of(&resource)
}
