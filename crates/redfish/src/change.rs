//! POST that creates, and DELETE; and what all changes share. PATCH: `patch.rs`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts as Head;
use http::{Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use redfish_schema::{CheckedCreate, check_create, resource_type};
use serde_json::{Map, Value};

use crate::account::Account;
use crate::audit::{Deed, Entry};
use crate::body::{MAX_BODY_BYTES, read_object};
use crate::caller::{Caller, Owner};
use crate::error::Error;
use crate::fault::patch_messages;
use crate::message::{Message, resource_event};
use crate::path_lock::PathLock;
use crate::privilege::Operation;
use crate::query::Query;
use crate::respond::{no_content, respond};
use crate::service::Service;
use crate::task::{ANSWER_WITHIN_S, Order, Request};
use crate::{Document, Event, EventSink as _, Failure, Path, resource};

/// When to come back to a resource that somebody else is changing, in seconds.
const LOCKED_RETRY_S: u32 = 5;

impl Service {
    /// The right to change the resource at `path`. Who has waited for it as long as for an answer is told to come
    /// back: the change before goes on as a task.
    pub(crate) async fn lock(&self, path: &Path) -> Result<PathLock, Error> {
        let wait = Duration::from_secs(ANSWER_WITHIN_S);
        let lock = tokio::time::timeout(wait, self.locks.lock(path)).await;
        lock.map_err(|_| {
            let failure = Failure::Busy {
                retry_after_s: LOCKED_RETRY_S,
            };
            Error::Backend(failure, path.to_string())
        })
    }

    /// POST to a collection or its `/Members` (DSP0266 "POST (create)").
    pub(crate) async fn create<B>(
        self: &Arc<Self>,
        path: &Path,
        parts: &Head,
        body: B,
        caller: &Caller,
    ) -> Result<Response<Full<Bytes>>, Error>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Query::refuse(parts.uri.query())?;
        let collection = match *path.segments() {
            [.., "Members"] => path.parent().filter(|_| path.segments().len() > 1),
            _ => None,
        };
        let path = collection.as_ref().unwrap_or(path);
        let document = self.document_for(caller, path).await?;
        if !document.is_insertable() {
            return Err(Error::Method(document.allow()));
        }
        if !self.may(caller, path, &document, Operation::Post) {
            return Err(Error::Forbidden);
        }
        let member = document.resource().member_type.and_then(resource_type);
        let member = member.ok_or_else(|| Error::Method(document.allow()))?;
        let body = Value::Object(read_object(&parts.headers, body, MAX_BODY_BYTES).await?);
        let new = check_create(member, &body)
            .map_err(|faults| Error::Faults(patch_messages(&faults, &body, &Value::Null)))?;
        // Of two new members with the same name, the second meets the first.
        let lock = self.lock(path).await?;
        if self.is_own(path) {
            let (service, path, caller) = (Arc::clone(self), path.clone(), caller.clone());
            return to_its_end(async move {
                let _lock = lock;
                service.create_own(&path, &new, &caller).await
            })
            .await;
        }
        let order = Order {
            caller: caller.clone(),
            request: Request::new("POST", path.as_str(), &body),
        };
        let hidden = self.hidden(caller, path, member.name);
        let (backend, path, caller) = (Arc::clone(&self.backend), path.clone(), caller.clone());
        let audit = Arc::clone(self.audit());
        self.carry_out(order, async move {
            let _lock = lock;
            let failed = |failure| Error::Backend(failure, path.to_string());
            let created = backend.create(&path, &new).await.map_err(failed)?;
            audit.record(&Entry::of(
                &caller,
                Deed::Created {
                    path: created.clone(),
                },
            ));
            let member = member_path(&created, &path)?;
            let document = backend.get(&member).await.map_err(failed)?;
            Ok(respond_created(&document.without(&hidden), &member))
        })
        .await
    }

    /// POST of what is the service's own.
    async fn create_own(
        &self,
        path: &Path,
        new: &CheckedCreate,
        caller: &Caller,
    ) -> Result<Response<Full<Bytes>>, Error> {
        let failed = |failure| Error::Backend(failure, path.to_string());
        let segments = path.segments();
        let part = resource::part(self, &segments);
        let (part, rest) = part.ok_or_else(|| failed(Failure::NotFound))?;
        let created = part.create(rest, new, caller).await.map_err(failed)?.0;
        let deed = Deed::Created {
            path: created.clone(),
        };
        self.record(caller, deed);
        let member = member_path(&created, path)?;
        let document = self.document_for(caller, &member).await?;
        self.tell(&member, &document, resource_event::resource_created());
        Ok(respond_created(&document, &member))
    }

    /// DELETE (DSP0266 "DELETE (delete)").
    pub(crate) async fn delete(
        self: &Arc<Self>,
        path: &Path,
        parts: &Head,
        caller: &Caller,
    ) -> Result<Response<Full<Bytes>>, Error> {
        Query::refuse(parts.uri.query())?;
        let document = self.document_for(caller, path).await?;
        if !self.may(caller, path, &document, Operation::Delete) {
            return Err(Error::Forbidden);
        }
        if !document.is_deletable() {
            return Err(Error::Method(document.allow()));
        }
        let lock = self.lock(path).await?;
        let document = self.document_for(caller, path).await?;
        if !document.tag().permits(&parts.headers) {
            return Err(Error::Precondition);
        }
        let deed = match *path.segments() {
            ["SessionService", "Sessions", id] => Deed::LoggedOut(id.to_owned()),
            _ => Deed::Deleted {
                path: path.to_string(),
            },
        };
        if self.is_own(path) {
            let (service, path, caller) = (Arc::clone(self), path.clone(), caller.clone());
            return to_its_end(async move {
                let _lock = lock;
                service.delete_own(&path, &document, deed, &caller).await
            })
            .await;
        }
        let order = Order {
            caller: caller.clone(),
            request: Request::new("DELETE", path.as_str(), &Value::Object(Map::new())),
        };
        let (backend, path) = (Arc::clone(&self.backend), path.clone());
        let audit = Arc::clone(self.audit());
        let done = Entry::of(caller, deed);
        self.carry_out(order, async move {
            let _lock = lock;
            let deleted = backend.delete(&path).await;
            deleted.map_err(|failure| Error::Backend(failure, path.to_string()))?;
            audit.record(&done);
            Ok(no_content())
        })
        .await
    }

    /// DELETE of what is the service's own, which was so before.
    async fn delete_own(
        &self,
        path: &Path,
        before: &Document,
        deed: Deed,
        caller: &Caller,
    ) -> Result<Response<Full<Bytes>>, Error> {
        let failed = |failure| Error::Backend(failure, path.to_string());
        let segments = path.segments();
        let owner = match *segments {
            ["AccountService", "Accounts", id] => self.accounts().by_id(id),
            _ => None,
        };
        let part = resource::part(self, &segments);
        let (part, rest) = part.ok_or_else(|| failed(Failure::NotFound))?;
        // Afterwards nobody knows what it was.
        let is_told = part.is_told(rest);
        part.delete(rest, caller).await.map_err(failed)?;
        self.record(caller, deed);
        if is_told {
            self.tell(path, before, resource_event::resource_removed());
        }
        if let Some(account) = owner {
            self.end_subscriptions(&account, caller).await;
        }
        Ok(no_content())
    }

    /// Whether the resource at `path` is the service's own, and not its backend's.
    pub(crate) fn is_own(&self, path: &Path) -> bool {
        resource::part(self, &path.segments()).is_some()
    }

    /// Ends the subscriptions of an account that is no more: what its owner asked for would go on to where he chose.
    async fn end_subscriptions(&self, account: &Account, caller: &Caller) {
        let owner = Owner::of_account(account);
        for path in self.parts.event_service.paths_of(&owner) {
            let Ok(path) = Path::parse(&path) else {
                continue;
            };
            let segments = path.segments();
            let (Ok(document), Some((part, rest))) =
                (self.document(&path).await, resource::part(self, &segments))
            else {
                continue;
            };
            if let Err(failure) = part.delete(rest, caller).await {
                tracing::error!(%path, %failure, "the subscription of a deleted account stays");
                continue;
            }
            let gone = path.to_string();
            self.record(caller, Deed::Deleted { path: gone });
            self.tell(&path, &document, resource_event::resource_removed());
        }
    }

    /// Tells of a change of what is the service's own; of what is the backend's, the backend does.
    pub(crate) fn tell(&self, path: &Path, document: &Document, message: Message) {
        self.events().hub.publish(Event {
            message,
            origin: Some(path.to_string()),
            resource_type: Some(document.resource().name),
        });
    }

    /// Keeps a record of what somebody did.
    pub(crate) fn record(&self, caller: &Caller, deed: Deed) {
        self.audit().record(&Entry::of(caller, deed));
    }
}

/// Has a change of what is the service's own come to its end although the client goes: with what it holds locked, its
/// entry in the audit log and its event. There is at most one of each path.
pub(crate) async fn to_its_end<W>(work: W) -> Result<Response<Full<Bytes>>, Error>
where
    W: Future<Output = Result<Response<Full<Bytes>>, Error>> + Send + 'static,
{
    let ended = tokio::spawn(work).await;
    ended.unwrap_or_else(|error| {
        let cause = Failure::Internal(format!("a change has ended without an answer: {error}"));
        Err(Error::Backend(cause, String::new()))
    })
}

pub(crate) fn parse(document: &Document, path: &Path) -> Result<Value, Error> {
    serde_json::from_slice(document.json())
        .map_err(|error| Error::Backend(Failure::Internal(error.to_string()), path.to_string()))
}

/// The first word at `pointer` that the resource's own `@Redfish.AllowableValues` leaves out, if any. The
/// schema's words are more than most resources take.
pub(crate) fn not_allowed(shown: &Value, pointer: &str, value: &Value) -> Option<String> {
    let allowed = shown
        .pointer(&format!("{pointer}@Redfish.AllowableValues"))?
        .as_array()?;
    let words = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let word = words
        .iter()
        .find(|word| word.is_string() && !allowed.contains(word))?;
    word.as_str().map(str::to_owned)
}

/// The path that a backend says a new member has.
fn member_path(created: &str, collection: &Path) -> Result<Path, Error> {
    Path::parse(created).map_err(|error| {
        let cause = Failure::Internal(format!("{created}: {error}"));
        Error::Backend(cause, collection.to_string())
    })
}

/// 201 with a new member, and where it is.
fn respond_created(document: &Document, path: &Path) -> Response<Full<Bytes>> {
    let mut response = respond(document);
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::from_str(path.as_str()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The document with annotations at its end.
pub(crate) fn with_annotations(document: &Document, annotations: &Map<String, Value>) -> Bytes {
    let (Some(head), Ok(tail)) = (
        document.json().strip_suffix(b"}"),
        serde_json::to_vec(annotations),
    ) else {
        return document.json().clone();
    };
    // A resource is never an empty object, so a comma fits between both parts.
    let mut joined = Vec::with_capacity(head.len() + tail.len());
    joined.extend_from_slice(head);
    joined.push(b',');
    joined.extend_from_slice(&tail[1..]);
    joined.into()
}
