//! What changes something: PATCH, POST and DELETE.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts as Head;
use http::{Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use redfish_schema::{
    CheckedParameters, CheckedPatch, Fault, Kind, OperationApplyTime, check_create,
    check_parameters, check_patch, resource_type,
};
use serde_json::{Map, Value};

use crate::audit::{Deed, Entry};
use crate::body::{MAX_BODY_BYTES, read_object};
use crate::caller::Caller;
use crate::error::Error;
use crate::etag::ETag;
use crate::fault::{action_messages, allowable, choose_one_of, patch_messages, shorten};
use crate::message::{self, Message, resource_event};
use crate::path_lock::PathLock;
use crate::privilege::Operation;
use crate::query::Query;
use crate::respond::{no_content, respond};
use crate::service::Service;
use crate::task::{ANSWER_WITHIN_S, Deferred, Order, Request, WINDOW, has_window};
use crate::{ActionCall, Document, Event, EventSink as _, Failure, Outcome, Path, resource};

/// The annotation by which a client says when an action shall be carried out (DSP0266 "Operation apply time").
pub(crate) const APPLY_TIME: &str = "@Redfish.OperationApplyTime";
/// When to come back to a resource that somebody else is changing, in seconds.
const LOCKED_RETRY_S: u32 = 5;

impl Service {
    /// PATCH (DSP0266 "PATCH (update)"). A wrong value refuses the whole request; a property that can never be
    /// changed is left out with a message, and the rest is done.
    pub(crate) async fn patch<B>(
        &self,
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
        let document = self.document_for(caller, path).await?;
        if !self.may_some(caller, path, &document, Operation::Patch) {
            return Err(Error::Forbidden);
        }
        if !document.is_changeable() {
            return Err(Error::Method(document.allow()));
        }
        let body = read_object(&parts.headers, body, MAX_BODY_BYTES).await?;
        self.check_properties(caller, path, &document, &body)?;
        let body = Value::Object(body);
        let patch = check_patch(document.resource(), &body)
            .map_err(|faults| refusal(&faults, &body, &document))?;
        refuse_window(&patch, path)?;
        // The body may have taken seconds. From here to the answer nobody else changes this resource.
        let lock = self.lock(path).await?;
        let document = self.document_for(caller, path).await?;
        if !ETag::of(document.json()).permits(&parts.headers) {
            return Err(Error::Precondition);
        }
        let shown = parse(&document, path)?;
        refuse_words(&patch, &shown)?;
        let properties = patch.leaves().into_iter().map(|(pointer, _)| pointer);
        let deed = Deed::Changed {
            path: path.to_string(),
            properties: properties.collect(),
        };
        if let Some((part, rest)) = resource::part(self, &path.segments()) {
            let outcome = part.patch(rest, &patch, caller).await;
            outcome.map_err(|failure| Error::Backend(failure, path.to_string()))?;
            self.record(caller, deed);
            let document = self.document_for(caller, path).await?;
            if part.is_told(rest) {
                self.tell(path, &document, resource_event::resource_changed());
            }
            return Ok(patched(&document, &patch, &body));
        }
        let order = Order {
            caller: caller.clone(),
            request: Request::new("PATCH", path.as_str(), &body),
        };
        let hidden = self.hidden(caller, path, document.resource().name);
        let (backend, path) = (Arc::clone(&self.backend), path.clone());
        let audit = Arc::clone(self.audit());
        let done = Entry::of(caller, deed);
        self.carry_out(order, async move {
            let _lock = lock;
            let failed = |failure| Error::Backend(failure, path.to_string());
            backend.patch(&path, &patch).await.map_err(failed)?;
            audit.record(&done);
            let document = backend.get(&path).await.map_err(failed)?;
            Ok(patched(&document.without(&hidden), &patch, &body))
        })
        .await
    }

    /// The right to change the resource at `path`. Who has waited for it as long as for an answer is told to come
    /// back: the change before goes on as a task.
    async fn lock(&self, path: &Path) -> Result<PathLock, Error> {
        let wait = Duration::from_secs(ANSWER_WITHIN_S);
        let lock = tokio::time::timeout(wait, self.locks.lock(path)).await;
        lock.map_err(|_| {
            let failure = Failure::Busy {
                retry_after_s: LOCKED_RETRY_S,
            };
            Error::Backend(failure, path.to_string())
        })
    }

    /// Whether the caller may change every property that a body names, known or not. Somebody who may change his own
    /// password and no more is refused with anything beside it.
    fn check_properties(
        &self,
        caller: &Caller,
        path: &Path,
        document: &Document,
        body: &Map<String, Value>,
    ) -> Result<(), Error> {
        let is_annotation = |name: &&str| name.starts_with('@');
        let names = || {
            body.keys()
                .map(String::as_str)
                .filter(|n| !is_annotation(n))
        };
        if caller.account().must_change_password() && names().any(|name| name != "Password") {
            return Err(Error::password_change_required(caller));
        }
        // A body that names nothing is told so by the schema.
        if self.may_each(caller, path, document, Operation::Patch, names()) {
            Ok(())
        } else {
            Err(Error::Forbidden)
        }
    }

    /// POST to anything but the collection of sessions: an action, or a new member of a collection.
    pub(crate) async fn post<B>(
        &self,
        path: &Path,
        parts: &Head,
        body: B,
        caller: &Caller,
    ) -> Result<Response<Full<Bytes>>, Error>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let Some(target) = ActionTarget::of(path) else {
            return self.create(path, parts, body, caller).await;
        };
        Query::refuse(parts.uri.query())?;
        let document = self
            .document_for(caller, &target.resource)
            .await
            .map_err(|error| match error {
                Error::Backend(Failure::NotFound, _) => Error::UnknownUri(path.to_string()),
                error => error,
            })?;
        if !self.may(caller, &target.resource, &document, Operation::Post) {
            return Err(Error::Forbidden);
        }
        let shown = parse(&document, path)?;
        let offered = shown
            .get("Actions")
            .and_then(|actions| actions.get(format!("#{}", target.action)));
        let (Some(action), Some(offered)) = (document.resource().action(&target.action), offered)
        else {
            return Err(Error::UnknownAction(target.action));
        };
        if !ETag::of(document.json()).permits(&parts.headers) {
            return Err(Error::Precondition);
        }
        let mut body = read_object(&parts.headers, body, MAX_BODY_BYTES).await?;
        let order = Order {
            caller: caller.clone(),
            request: Request::new("POST", path.as_str(), &Value::Object(body.clone())),
        };
        let apply_time = apply_time(&mut body, offered, action.name)?;
        let body = Value::Object(body);
        let parameters = check_parameters(action, &body).map_err(|faults| {
            Error::Faults(action_messages(&faults, &body, action.name, offered))
        })?;
        refuse_not_allowed(&parameters, offered, action.name)?;
        let mut described = described(&parameters, action);
        described.extend(apply_time.map(|word| format!("{APPLY_TIME}={word}")));
        let deed = Deed::Invoked {
            path: target.resource.to_string(),
            action: target.action.clone(),
            parameters: described,
        };
        let call = ActionCall {
            action,
            parameters,
            apply_time,
        };
        self.invoke(order, target, call, deed, body).await
    }

    /// Invokes an action that fits, at once or when it is time.
    async fn invoke(
        &self,
        order: Order,
        target: ActionTarget,
        call: ActionCall,
        deed: Deed,
        body: Value,
    ) -> Result<Response<Full<Bytes>>, Error> {
        let uri = order.request.target.clone();
        let failed = move |failure| Error::Backend(failure, uri);
        if call.apply_time == Some(OperationApplyTime::AtMaintenanceWindowStart) {
            let Value::Object(parameters) = body else {
                return Err(failed(Failure::Internal("no parameters".to_owned())));
            };
            let deferred = Deferred {
                path: target.resource.to_string(),
                action: target.action,
                parameters,
            };
            let backend = &self.backend;
            let id = self.tasks().defer(&order, deferred, backend).await;
            let id = id.map_err(failed)?;
            self.record(&order.caller, deed);
            return self.accepted(id);
        }
        if let Some((part, rest)) = resource::part(self, &target.resource.segments()) {
            let outcome = part.action(rest, &call, &order.caller).await;
            let outcome = outcome.map_err(failed)?;
            self.record(&order.caller, deed);
            return Ok(responded(outcome));
        }
        let backend = Arc::clone(&self.backend);
        let audit = Arc::clone(self.audit());
        let done = Entry::of(&order.caller, deed);
        self.carry_out(order, async move {
            let outcome = backend.action(&target.resource, &call).await;
            let outcome = outcome.map_err(failed)?;
            audit.record(&done);
            Ok(responded(outcome))
        })
        .await
    }

    /// POST to a collection or its `/Members` (DSP0266 "POST (create)").
    async fn create<B>(
        &self,
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
        if let Some((part, rest)) = resource::part(self, &path.segments()) {
            let created = part.create(rest, &new, caller).await;
            let created = created
                .map_err(|failure| Error::Backend(failure, path.to_string()))?
                .0;
            self.record(
                caller,
                Deed::Created {
                    path: created.clone(),
                },
            );
            let member = member_path(&created, path)?;
            let document = self.document_for(caller, &member).await?;
            self.tell(&member, &document, resource_event::resource_created());
            return Ok(respond_created(&document, &member));
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

    /// DELETE (DSP0266 "DELETE (delete)").
    pub(crate) async fn delete(
        &self,
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
        if !ETag::of(document.json()).permits(&parts.headers) {
            return Err(Error::Precondition);
        }
        let deed = match *path.segments() {
            ["SessionService", "Sessions", id] => Deed::LoggedOut(id.to_owned()),
            _ => Deed::Deleted {
                path: path.to_string(),
            },
        };
        if let Some((part, rest)) = resource::part(self, &path.segments()) {
            // Afterwards nobody knows what it was.
            let is_told = part.is_told(rest);
            let deleted = part.delete(rest, caller).await;
            deleted.map_err(|failure| Error::Backend(failure, path.to_string()))?;
            self.record(caller, deed);
            if is_told {
                self.tell(path, &document, resource_event::resource_removed());
            }
            return Ok(no_content());
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

    /// Tells of a change of what is the service's own; of what is the backend's, the backend does.
    fn tell(&self, path: &Path, document: &Document, message: Message) {
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

    /// Whether `path` is the target of an action that its resource shows.
    pub(crate) async fn is_action(&self, path: &Path) -> bool {
        let Some(target) = ActionTarget::of(path) else {
            return false;
        };
        let Ok(document) = self.document(&target.resource).await else {
            return false;
        };
        let name = format!("#{}", target.action);
        parse(&document, path).is_ok_and(|shown| {
            shown
                .get("Actions")
                .is_some_and(|actions| actions.get(name).is_some())
        })
    }
}

/// `/redfish/v1/Systems/1/Actions/ComputerSystem.Reset`, taken apart (DSP0266 "POST (Action)").
struct ActionTarget {
    resource: Path,
    action: String,
}

impl ActionTarget {
    fn of(path: &Path) -> Option<Self> {
        let segments = path.segments();
        let [.., "Actions", action] = *segments else {
            return None;
        };
        Some(Self {
            action: action.to_owned(),
            resource: path.parent()?.parent()?,
        })
    }
}

/// The faults of a PATCH, each with what the resource would take.
fn refusal(faults: &[Fault], body: &Value, document: &Document) -> Error {
    let resource = serde_json::from_slice(document.json()).unwrap_or_default();
    Error::Faults(patch_messages(faults, body, &resource))
}

fn parse(document: &Document, path: &Path) -> Result<Value, Error> {
    serde_json::from_slice(document.json())
        .map_err(|error| Error::Backend(Failure::Internal(error.to_string()), path.to_string()))
}

/// The first word at `pointer` that the resource's own `@Redfish.AllowableValues` leaves out, if any. The
/// schema's words are more than most resources take.
fn not_allowed(shown: &Value, pointer: &str, value: &Value) -> Option<String> {
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

/// Refuses words that the resource doesn't offer, though the schema has them.
fn refuse_words(patch: &CheckedPatch, shown: &Value) -> Result<(), Error> {
    let refused: Vec<Message> = patch
        .leaves()
        .into_iter()
        .filter_map(|(pointer, value)| not_allowed(shown, &pointer, value).map(|v| (pointer, v)))
        .map(|(pointer, value)| {
            let name = pointer.rsplit('/').next().unwrap_or_default();
            let words = allowable(shown, &pointer).unwrap_or_default();
            message::property_value_not_in_list(value, name)
                .about(&pointer)
                .with_resolution(choose_one_of(&words))
        })
        .collect();
    if refused.is_empty() {
        Ok(())
    } else {
        Err(Error::Faults(refused))
    }
}

/// Refuses parameters that the resource doesn't offer, though the schema has them.
pub(crate) fn refuse_not_allowed(
    parameters: &CheckedParameters,
    offered: &Value,
    action: &str,
) -> Result<(), Error> {
    let refused: Vec<Message> = parameters
        .names()
        .filter_map(|name| {
            let value = not_allowed(offered, &format!("/{name}"), parameters.get(name)?)?;
            let message = message::action_parameter_value_not_in_list(value, name, action);
            let pointer = format!("/{name}");
            let words = allowable(offered, &pointer).unwrap_or_default();
            Some(
                message
                    .about(pointer)
                    .with_resolution(choose_one_of(&words)),
            )
        })
        .collect();
    if refused.is_empty() {
        Ok(())
    } else {
        Err(Error::Faults(refused))
    }
}

/// Parameters for the audit log: words of the schema as they are, of everything else only the name.
fn described(parameters: &CheckedParameters, action: &redfish_schema::Action) -> Vec<String> {
    let describe = |name: &str| {
        let word = action
            .parameter(name)
            .filter(|parameter| matches!(parameter.kind, Kind::Enumeration(_)))
            .and_then(|_| parameters.get(name)?.as_str());
        match word {
            Some(word) => format!("{name}={word}"),
            None => name.to_owned(),
        }
    };
    parameters.names().map(describe).collect()
}

/// When the client wants the action to be carried out, taken out of the body. A word that the resource doesn't announce
/// is refused: an action that is done at another time than the client believes is worse than none.
fn apply_time(
    body: &mut Map<String, Value>,
    offered: &Value,
    action: &str,
) -> Result<Option<OperationApplyTime>, Error> {
    let Some(asked) = body.remove(APPLY_TIME) else {
        return Ok(None);
    };
    let about = format!("/{APPLY_TIME}");
    let support = &offered["@Redfish.OperationApplyTimeSupport"];
    let Some(announced) = support["SupportedValues"].as_array() else {
        let message = message::action_parameter_not_supported(APPLY_TIME, action);
        return Err(message.about(about).into());
    };
    let word = match &asked {
        Value::String(word) if announced.contains(&asked) => OperationApplyTime::from_word(word),
        _ => None,
    };
    word.map(Some).ok_or_else(|| {
        let value = asked
            .as_str()
            .map_or_else(|| asked.to_string(), str::to_owned);
        let value = shorten(value);
        let message = message::action_parameter_value_not_in_list(value, APPLY_TIME, action);
        message.about(about).into()
    })
}

/// 200 with the resource as it is now, and messages about what was left out.
fn patched(document: &Document, patch: &CheckedPatch, body: &Value) -> Response<Full<Bytes>> {
    let mut response = respond(document);
    if !patch.left_out().is_empty() {
        *response.body_mut() = Full::new(annotated(document, patch.left_out(), body));
    }
    response
}

/// Refuses a maintenance window of a resource that has none.
fn refuse_window(patch: &CheckedPatch, path: &Path) -> Result<(), Error> {
    if patch.changes().contains_key(WINDOW) && !has_window(path) {
        let about = format!("/{WINDOW}");
        return Err(message::property_unknown(WINDOW).about(about).into());
    }
    Ok(())
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

/// What an action that has been carried out is answered with.
pub(crate) fn responded(outcome: Outcome) -> Response<Full<Bytes>> {
    match outcome {
        Outcome::Done => no_content(),
        Outcome::Answer(json) => answered(json),
    }
}

/// 200 with what an action answers.
fn answered(json: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(json));
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The document with messages about what was left out, at the resource and at the top-level property that each belongs to.
fn annotated(document: &Document, left_out: &[Fault], body: &Value) -> Bytes {
    let mut annotations: Map<String, Value> = Map::new();
    let mut all: Vec<Message> = Vec::new();
    for (fault, message) in left_out
        .iter()
        .zip(patch_messages(left_out, body, &Value::Null))
    {
        let property = fault.pointer.split('/').nth(1).unwrap_or(&fault.property);
        let messages = annotations
            .entry(format!("{property}@Message.ExtendedInfo"))
            .or_insert_with(|| Value::Array(Vec::new()));
        if let (Value::Array(messages), Ok(message)) = (messages, serde_json::to_value(&message)) {
            messages.push(message);
        }
        all.push(message);
    }
    // Clients look for them at the resource, too.
    if let Ok(all) = serde_json::to_value(all) {
        annotations.insert("@Message.ExtendedInfo".to_owned(), all);
    }
    with_annotations(document, &annotations)
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
