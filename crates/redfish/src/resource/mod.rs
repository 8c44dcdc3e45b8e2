//! The resources of the service itself, one file each. Everything else is the backend's.

pub(crate) mod account_service;
pub(crate) mod json_schemas;
pub(crate) mod registries;
pub(crate) mod service_root;
pub(crate) mod session_service;

use redfish_schema::resource::{Health, State, Status};

use crate::fixed::Fixed;
use crate::{Document, Failure, Path, Service};

/// The document at `path` if that is in the service's own part of the tree.
pub(crate) fn own(service: &Service, path: &Path) -> Option<Result<Document, Failure>> {
    match *path.segments() {
        [] => Some(Ok(service.root().clone())),
        ["SessionService", ref rest @ ..] => Some(session_service::get(service.sessions(), rest)),
        ["AccountService", ref rest @ ..] => Some(account_service::get(service.accounts(), rest)),
        ["JsonSchemas", ref rest @ ..] => Some(json_schemas::get(rest)),
        ["Registries", ref rest @ ..] => Some(registries::get(rest)),
        _ => None,
    }
}

/// The file at `path` that is no resource, and the type whose privileges it needs.
pub(crate) fn file(path: &Path) -> Option<(&'static str, Fixed)> {
    let json = |text: Vec<u8>| Fixed::new(text, "application/json");
    match *path.segments() {
        ["JsonSchemas", id, file] => {
            json_schemas::document(id, file).map(|text| ("JsonSchemaFile", json(text)))
        }
        ["Registries", id, file] => {
            registries::document(id, file).map(|text| ("MessageRegistryFile", json(text)))
        }
        _ => None,
    }
}

/// The status of something that works as long as it answers.
fn enabled() -> Status {
    Status {
        state: Some(State::Enabled.into()),
        health: Some(Health::OK.into()),
        ..Status::default()
    }
}
