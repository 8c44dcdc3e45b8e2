//! `/redfish/v1/SessionService`: sessions and their timeout (DSP0266 "Redfish login sessions").

use redfish_schema::session::{self, SessionTypes};
use redfish_schema::session_service::SessionService;
use redfish_schema::{CheckedPatch, Collection, DateTime, Reference};

use super::enabled;
use crate::session::{Session, Sessions};
use crate::{Document, Failure, Outcome};

/// Path of the service.
pub(crate) const PATH: &str = "/redfish/v1/SessionService";
/// Path of the collection of sessions.
pub(crate) const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";

/// The document at `rest` below [`PATH`].
pub(crate) fn get(sessions: &Sessions, rest: &[&str]) -> Result<Document, Failure> {
    match *rest {
        [] => service(sessions),
        ["Sessions"] => collection(sessions),
        ["Sessions", id] => member(&*sessions.by_id(id).ok_or(Failure::NotFound)?),
        _ => Err(Failure::NotFound),
    }
}

/// Path of a session.
pub(crate) fn path_of(session: &Session) -> String {
    format!("{SESSIONS}/{}", session.id)
}

/// The document of one session.
pub(crate) fn member(session: &Session) -> Result<Document, Failure> {
    let name = format!("Session {}", session.id);
    let mut resource = session::Session::new(path_of(session), &*session.id, name);
    resource.user_name = Some(session.account.user_name().into());
    resource.created_time = Some(DateTime::from(session.created).into());
    resource.client_origin_ip_address = session.client.map(|address| address.to_string().into());
    resource.session_type = Some(SessionTypes::Redfish.into());
    resource.context = session.context.clone().map(Into::into);
    resource.roles = Some(vec![session.account.role().name().to_owned()]);
    Document::of(&resource)
}

/// Changes the service itself; `SessionTimeout` is all that can be changed.
pub(crate) fn patch(sessions: &Sessions, patch: &CheckedPatch) -> Result<Outcome, Failure> {
    let mut timeout_s = None;
    for (name, value) in patch.changes() {
        match (
            name.as_str(),
            value.as_u64().and_then(|value| u32::try_from(value).ok()),
        ) {
            ("SessionTimeout", Some(value)) => timeout_s = Some(value),
            _ => {
                return Err(Failure::PropertyNotWritable {
                    pointer: format!("/{name}"),
                });
            }
        }
    }
    if let Some(timeout_s) = timeout_s {
        sessions.set_timeout_s(timeout_s);
    }
    Ok(Outcome::Done)
}

fn service(sessions: &Sessions) -> Result<Document, Failure> {
    let mut resource = SessionService::new(PATH, "SessionService", "Session Service");
    resource.service_enabled = Some(true.into());
    resource.session_timeout = Some(i64::from(sessions.timeout_s()));
    resource.sessions = Some(Reference::to(SESSIONS));
    resource.status = Some(enabled());
    Document::of(&resource).map(Document::changeable)
}

fn collection(sessions: &Sessions) -> Result<Document, Failure> {
    let members = sessions
        .list()
        .iter()
        .map(|session| Reference::to(path_of(session)))
        .collect();
    Document::of(&Collection::new(
        &session::COLLECTION,
        SESSIONS,
        "Sessions",
        members,
    ))
}
