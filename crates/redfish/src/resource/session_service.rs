//! `/redfish/v1/SessionService`: sessions and their timeout (DSP0266 "Redfish login sessions").

use std::sync::Arc;

use redfish_schema::session::{self, SessionTypes};
use redfish_schema::session_service as schema;
use redfish_schema::{CheckedPatch, Collection, DateTime, Reference};

use serde::{Deserialize, Serialize};

use super::enabled;
use crate::account::Accounts;
use crate::caller::Caller;
use crate::part::Part;
use crate::session::{Session, Sessions};
use crate::store::{Batch, Store, StoreError, Table};
use crate::{BackendFuture, Document, Failure, Outcome};

/// Path of the service.
pub(crate) const PATH: &str = "/redfish/v1/SessionService";
/// Path of the collection of sessions.
pub(crate) const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";

/// What is kept of the service's settings.
const SETTINGS: Table = Table("settings");
const SETTINGS_KEY: &str = "SessionService";

#[derive(Serialize, Deserialize)]
struct Kept {
    session_timeout_s: u32,
}

/// The part of the tree below [`PATH`].
pub(crate) struct SessionService {
    sessions: Arc<Sessions>,
    accounts: Arc<Accounts>,
    store: Store,
}

impl SessionService {
    /// Takes up what clients have changed, in place of what `sessions` were told at the start.
    pub(crate) fn load(
        sessions: Arc<Sessions>,
        accounts: Arc<Accounts>,
        store: Store,
    ) -> Result<Self, StoreError> {
        for (key, kept) in store.load::<serde_json::Value>(SETTINGS)? {
            if key == SETTINGS_KEY {
                let kept: Kept =
                    serde_json::from_value(kept).map_err(|e| StoreError::Entry(e.to_string()))?;
                sessions.set_timeout_s(kept.session_timeout_s);
            }
        }
        Ok(Self {
            sessions,
            accounts,
            store,
        })
    }

    async fn set_timeout(&self, session_timeout_s: u32) -> Result<(), Failure> {
        let mut batch = Batch::default();
        batch.put(SETTINGS, SETTINGS_KEY, &Kept { session_timeout_s })?;
        let sessions = Arc::clone(&self.sessions);
        let apply = move || sessions.set_timeout_s(session_timeout_s);
        Ok(self.store.commit(batch, apply).await?)
    }
}

impl Part for SessionService {
    fn get(&self, rest: &[&str]) -> Result<Document, Failure> {
        match *rest {
            [] => service(&self.sessions),
            ["Sessions"] => collection(&self.sessions),
            ["Sessions", id] => {
                let session = self.sessions.by_id(id).ok_or(Failure::NotFound)?;
                member(&session, &self.accounts)
            }
            _ => Err(Failure::NotFound),
        }
    }

    /// Logins come and go; the audit log has them.
    fn is_told(&self, rest: &[&str]) -> bool {
        rest.is_empty()
    }

    /// `SessionTimeout` of the service itself is all that can be changed.
    fn patch<'a>(
        &'a self,
        _rest: &'a [&'a str],
        patch: &'a CheckedPatch,
        _caller: &'a Caller,
    ) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            let timeout_s = timeout_of(patch)?;
            if let Some(timeout_s) = timeout_s {
                self.set_timeout(timeout_s).await?;
            }
            Ok(Outcome::Done)
        })
    }

    fn delete<'a>(&'a self, rest: &'a [&'a str], _caller: &'a Caller) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            let ["Sessions", id] = *rest else {
                return Err(Failure::NotChangeable);
            };
            let session = self.sessions.by_id(id).ok_or(Failure::NotFound)?;
            self.sessions.close(&session);
            Ok(())
        })
    }
}

/// Path of a session.
pub(crate) fn path_of(session: &Session) -> String {
    format!("{SESSIONS}/{}", session.id)
}

/// The document of one session.
pub(crate) fn member(session: &Session, accounts: &Accounts) -> Result<Document, Failure> {
    let name = format!("Session {}", session.id);
    let mut resource = session::Session::new(path_of(session), &*session.id, name);
    let account = accounts.by_id(&session.account_id);
    let user_name = account.as_ref().map(|account| account.user_name());
    resource.user_name = Some(user_name.unwrap_or(&session.user_name).into());
    resource.created_time = Some(DateTime::from(session.created).into());
    resource.client_origin_ip_address = session.client.map(|address| address.to_string().into());
    resource.session_type = Some(SessionTypes::Redfish.into());
    resource.context = session.context.clone().map(Into::into);
    resource.roles = account.map(|account| vec![account.role_id().to_owned()]);
    Document::of(&resource).map(Document::deletable)
}

fn timeout_of(patch: &CheckedPatch) -> Result<Option<u32>, Failure> {
    let mut timeout_s = None;
    for (name, value) in patch.changes() {
        let value = value.as_u64().and_then(|value| u32::try_from(value).ok());
        match (name.as_str(), value) {
            ("SessionTimeout", Some(value)) => timeout_s = Some(value),
            _ => {
                return Err(Failure::PropertyNotWritable {
                    pointer: format!("/{name}"),
                });
            }
        }
    }
    Ok(timeout_s)
}

fn service(sessions: &Sessions) -> Result<Document, Failure> {
    let mut resource = schema::SessionService::new(PATH, "SessionService", "Session Service");
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
    .map(Document::insertable)
}
