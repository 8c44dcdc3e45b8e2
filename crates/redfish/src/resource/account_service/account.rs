//! `/redfish/v1/AccountService/Accounts/{name}`: one account.

use std::sync::Arc;

use redfish_schema::manager_account::{
    self as schema, AccountTypes, Actions, ChangePasswordAction, Links, ManagerAccount,
};
use redfish_schema::{CheckedCreate, CheckedPatch, Collection, DateTime, Nullable, Reference};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{not_writable, refused, role};
use crate::account::{Account, Accounts, Edit, NewAccount, Refusal};
use crate::caller::Caller;
use crate::error::messages_of;
use crate::{ActionCall, Document, Failure, message};

/// Path of the collection.
pub(super) const COLLECTION: &str = "/redfish/v1/AccountService/Accounts";

/// Path of the account with this `Id`.
pub(crate) fn path_of(id: &str) -> String {
    format!("{COLLECTION}/{id}")
}

pub(super) fn collection(accounts: &Accounts) -> Result<Document, Failure> {
    let path = |account: &Arc<Account>| Reference::to(path_of(account.id()));
    let members = accounts.list().iter().map(path).collect();
    let kind = &schema::COLLECTION;
    Document::of(&Collection::new(kind, COLLECTION, "Accounts", members)).map(Document::insertable)
}

pub(super) fn member(accounts: &Accounts, id: &str) -> Result<Document, Failure> {
    let account = accounts.by_id(id).ok_or(Failure::NotFound)?;
    let (path, user_name) = (path_of(id), account.user_name());
    let types = vec![AccountTypes::Redfish];
    let mut resource = ManagerAccount::new(&*path, id, format!("Account of {user_name}"), types);
    resource.user_name = Some(user_name.to_owned());
    resource.password = Some(Nullable::Null);
    resource.role_id = Some(account.role_id().to_owned());
    resource.enabled = Some(account.is_enabled());
    resource.locked = Some(accounts.is_locked(&account));
    resource.password_change_required = Some(account.must_change_password().into());
    resource.password_expiration = Some(account.password_expiration().into());
    resource.account_expiration = Some(account.account_expiration().into());
    resource.strict_account_types = Some(account.has_strict_types().into());
    resource.links = Some(Links {
        role: Some(Reference::to(role::path_of(account.role_id()))),
    });
    let target = format!("{path}/Actions/ManagerAccount.ChangePassword");
    resource.actions = Some(Actions {
        change_password: Some(ChangePasswordAction::new(target)),
    });
    Document::of(&resource).map(|document| document.changeable().deletable())
}

pub(super) async fn create(
    accounts: &Arc<Accounts>,
    new: &CheckedCreate,
    caller: &Caller,
) -> Result<String, Failure> {
    let mut edit = edit_of(accounts, new.values(), None)?;
    let new = NewAccount {
        user_name: edit.user_name.take().unwrap_or_default(),
        password: edit.password.take().unwrap_or_default(),
        edit,
    };
    let id = accounts.create(new, caller.client()).await?;
    Ok(path_of(&id))
}

pub(super) async fn patch(
    accounts: &Arc<Accounts>,
    id: &str,
    patch: &CheckedPatch,
    caller: &Caller,
) -> Result<(), Failure> {
    let account = accounts.by_id(id).ok_or(Failure::NotFound)?;
    let edit = edit_of(accounts, patch.changes(), Some(account.user_name()))?;
    if edit.password.is_some() && accounts.policy().change_by_action_only {
        let message = message::property_not_writable("Password");
        let remedy = "RequireChangePasswordAction of the account service is true: invoke the action \
                      ManagerAccount.ChangePassword instead.";
        return Err(refused(message, "Password", remedy));
    }
    accounts.update(id, edit, caller).await
}

/// `ManagerAccount.ChangePassword`: who asks shows his own password once more, whoever's is changed.
pub(super) async fn change_password(
    accounts: &Arc<Accounts>,
    id: &str,
    call: &ActionCall,
    caller: &Caller,
) -> Result<(), Failure> {
    let text = |name: &str| {
        let text = call.parameters.text(name).unwrap_or_default();
        Zeroizing::new(text.to_owned())
    };
    let (own, new) = (text("SessionAccountPassword"), text("NewPassword"));
    let action = call.action.name;
    let account = accounts.by_id(id).ok_or(Failure::NotFound)?;
    if let Some(rule) = accounts.policy().refuses(&new, account.user_name()) {
        let name = "NewPassword";
        let message = message::action_parameter_value_format_error("******", name, action);
        return Err(refused(message, name, &rule));
    }
    let confirmed = accounts.confirm(caller.account(), own, caller.client());
    confirmed.await.map_err(|refusal| match refusal {
        Refusal::Crowded => Failure::Unavailable { retry_after_s: 2 },
        Refusal::Wrong { .. } => {
            let name = "SessionAccountPassword";
            let message = message::action_parameter_value_error(name, action);
            let remedy = "Send the password of the account that the request comes from. Wrong ones lock the account.";
            refused(message, name, remedy)
        }
    })?;
    let edit = Edit {
        password: Some(new),
        ..Edit::default()
    };
    accounts.update(id, edit, caller).await
}

/// What a PATCH or POST asks for of an account with this name so far. The schema has checked the types.
///
/// # Errors
/// Everything that is wrong with it.
fn edit_of(
    accounts: &Accounts,
    values: &Map<String, Value>,
    user_name: Option<&str>,
) -> Result<Edit, Failure> {
    let mut edit = Edit::default();
    let mut faults = Vec::new();
    for (name, value) in values {
        if let Err(failure) = set(&mut edit, name, value) {
            faults.extend(messages_of(failure, COLLECTION));
        }
    }
    faults.extend(accounts.faults(&edit, user_name));
    if faults.is_empty() {
        Ok(edit)
    } else {
        Err(Failure::Messages(faults))
    }
}

fn set(edit: &mut Edit, name: &str, value: &Value) -> Result<(), Failure> {
    match name {
        "UserName" => edit.user_name = Some(text(name, value)?),
        "Password" => edit.password = Some(Zeroizing::new(text(name, value)?)),
        "RoleId" => edit.role_id = Some(text(name, value)?),
        "Enabled" => edit.enabled = value.as_bool(),
        "Locked" => edit.unlock = unlock(value)?,
        "PasswordChangeRequired" => {
            edit.password_change_required = Some(value.as_bool().unwrap_or_default());
        }
        "PasswordExpiration" => edit.password_expiration = Some(time(name, value)?),
        "AccountExpiration" => edit.account_expiration = Some(time(name, value)?),
        "StrictAccountTypes" => {
            edit.strict_account_types = Some(value.as_bool().unwrap_or_default());
        }
        "AccountTypes" => check_types(value)?,
        _ => return Err(not_writable(name)),
    }
    Ok(())
}

fn text(name: &str, value: &Value) -> Result<String, Failure> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| {
        let message = message::property_value_type_error("null", name);
        refused(message, name, "The value is a string.")
    })
}

fn unlock(value: &Value) -> Result<bool, Failure> {
    if value.as_bool() == Some(false) {
        return Ok(true);
    }
    let message = message::property_value_error("Locked");
    let remedy = "Wrong passwords lock an account, and false unlocks it. To keep somebody out, set Enabled to false.";
    Err(refused(message, "Locked", remedy))
}

fn time(name: &str, value: &Value) -> Result<Option<DateTime>, Failure> {
    let Some(text) = value.as_str() else {
        return Ok(None);
    };
    let time = DateTime::parse(text).map(Some);
    time.ok_or_else(|| {
        let message = message::property_value_format_error(text, name);
        refused(message, name, "The value is YYYY-MM-DDThh:mm:ssZ.")
    })
}

/// An account is for Redfish and nothing else.
fn check_types(value: &Value) -> Result<(), Failure> {
    let redfish = AccountTypes::Redfish.as_str();
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let other = items.iter().find(|item| item.as_str() != Some(redfish));
    let remedy = format!("The accounts of this service are for {redfish}.");
    if let Some(other) = other {
        let shown = other.as_str().unwrap_or_default();
        let message = message::property_value_not_in_list(shown, "AccountTypes");
        return Err(refused(message, "AccountTypes", &remedy));
    }
    if !items.is_empty() {
        return Ok(());
    }
    let message = message::property_value_error("AccountTypes");
    Err(refused(message, "AccountTypes", &remedy))
}
