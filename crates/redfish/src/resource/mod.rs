//! The resources of the service itself, one file each. Everything else is the backend's.

pub(crate) mod account_service;
pub(crate) mod service_root;
pub(crate) mod session_service;

use redfish_schema::resource::{Health, State, Status};

use crate::{Document, Failure, Path, Service};

/// The document at `path` if that is in the service's own part of the tree.
pub(crate) fn own(service: &Service, path: &Path) -> Option<Result<Document, Failure>> {
    match *path.segments() {
        [] => Some(Ok(service.root().clone())),
        ["SessionService", ref rest @ ..] => Some(session_service::get(service.sessions(), rest)),
        ["AccountService", ref rest @ ..] => Some(account_service::get(service.accounts(), rest)),
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
