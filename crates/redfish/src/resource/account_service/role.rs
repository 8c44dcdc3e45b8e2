//! `/redfish/v1/AccountService/Roles/{id}`: a predefined role, or one that a client made.

use std::sync::Arc;

use redfish_schema::privileges::PrivilegeType;
use redfish_schema::role::{self as schema};
use redfish_schema::{CheckedCreate, CheckedPatch, Collection, Reference};
use serde_json::{Map, Value};

use super::{not_writable, refused};
use crate::account::{Accounts, RoleEdit};
use crate::privilege::{PrivilegeMap, Privileges, Role};
use crate::{Document, Failure, message};

/// Path of the collection.
pub(super) const COLLECTION: &str = "/redfish/v1/AccountService/Roles";

/// Path of the role with this `Id`.
pub(super) fn path_of(id: &str) -> String {
    format!("{COLLECTION}/{id}")
}

pub(super) fn collection(accounts: &Accounts) -> Result<Document, Failure> {
    let predefined = Role::ALL.into_iter().map(|role| role.name().to_owned());
    let custom = accounts.custom_roles().into_iter().map(|(id, _)| id);
    let members = predefined
        .chain(custom)
        .map(|id| Reference::to(path_of(&id)))
        .collect();
    let kind = &schema::COLLECTION;
    Document::of(&Collection::new(kind, COLLECTION, "Roles", members)).map(Document::insertable)
}

pub(super) fn member(accounts: &Accounts, id: &str) -> Result<Document, Failure> {
    let map = accounts.privilege_map();
    if let Some(role) = Role::from_name(id) {
        return document(map, id, role.privileges(), true);
    }
    let role = accounts.custom_role(id).ok_or(Failure::NotFound)?;
    document(map, id, role.privileges, false).map(|document| document.changeable().deletable())
}

fn document(
    map: &PrivilegeMap,
    id: &str,
    privileges: Privileges,
    is_predefined: bool,
) -> Result<Document, Failure> {
    let mut resource = schema::Role::new(path_of(id), id, format!("{id} role"), id);
    resource.is_predefined = Some(is_predefined);
    resource.restricted = Some(false);
    let assigned = privileges.names().filter_map(PrivilegeType::from_word);
    resource.assigned_privileges = Some(assigned.collect());
    let oem = map.oem_names(privileges).map(str::to_owned);
    resource.oem_privileges = Some(oem.collect());
    Document::of(&resource)
}

pub(super) async fn create(
    accounts: &Arc<Accounts>,
    new: &CheckedCreate,
) -> Result<String, Failure> {
    let id = new.text("RoleId").unwrap_or_default();
    let edit = edit_of(accounts.privilege_map(), new.values(), true)?;
    accounts.create_role(id, &edit).await?;
    Ok(path_of(id))
}

pub(super) async fn patch(
    accounts: &Arc<Accounts>,
    id: &str,
    patch: &CheckedPatch,
) -> Result<(), Failure> {
    let edit = edit_of(accounts.privilege_map(), patch.changes(), false)?;
    accounts.update_role(id, &edit).await
}

fn edit_of(
    map: &PrivilegeMap,
    values: &Map<String, Value>,
    is_new: bool,
) -> Result<RoleEdit, Failure> {
    let mut edit = RoleEdit::default();
    for (name, value) in values {
        match name.as_str() {
            "AssignedPrivileges" => {
                let known = map.used().of_redfish();
                edit.assigned = Some(set_of(map, name, value, known)?);
            }
            "OemPrivileges" => edit.oem = Some(set_of(map, name, value, map.used().of_oem())?),
            "RoleId" if is_new => {}
            _ => return Err(not_writable(name)),
        }
    }
    Ok(edit)
}

/// The privileges of an array of names. Only those that some operation needs can be had.
fn set_of(
    map: &PrivilegeMap,
    property: &str,
    value: &Value,
    known: Privileges,
) -> Result<Privileges, Failure> {
    let names = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut set = Privileges::NONE;
    for name in names {
        let name = name.as_str().unwrap_or_default();
        let one = map.privilege(name).filter(|&one| known.include(one));
        let one = one.ok_or_else(|| {
            let message = message::property_value_not_in_list(name, property);
            let names = map.names(known).join(", ");
            let remedy = match &*names {
                "" => "The privilege registry of the service names none.".to_owned(),
                names => format!("Choose of: {names}."),
            };
            refused(message, property, &remedy)
        })?;
        if set.include(one) {
            let message = message::property_value_error(property);
            let remedy = format!("{name} is there twice.");
            return Err(refused(message, property, &remedy));
        }
        set = set.and(one);
    }
    Ok(set)
}
