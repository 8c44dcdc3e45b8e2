//! What changes something: PATCH, POST and DELETE.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts as Head;
use http::{Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use redfish_schema::{
    CheckedParameters, Fault, Kind, check_create, check_parameters, check_patch, resource_type,
};
use serde_json::{Map, Value};

use crate::audit::{Deed, Entry};
use crate::body::{MAX_BODY_BYTES, read_object};
use crate::caller::Caller;
use crate::error::Error;
use crate::etag::ETag;
use crate::fault::{action_messages, allowable, choose_one_of, patch_messages};
use crate::message::{self, Message};
use crate::privilege::Operation;
use crate::query::Query;
use crate::respond::no_content;
use crate::service::Service;
use crate::{ActionCall, Document, Failure, Outcome, Path, resource};

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
        let document = self.document(path).await?;
        if !self.may(caller, path, &document, Operation::Change) {
            return Err(Error::Forbidden);
        }
        if !document.is_changeable() {
            return Err(Error::Method(document.allow()));
        }
        let body = Value::Object(read_object(&parts.headers, body, MAX_BODY_BYTES).await?);
        let patch = check_patch(document.resource(), &body)
            .map_err(|faults| refusal(&faults, &body, &document))?;
        // The body may have taken seconds. From here to the answer nobody else changes this resource.
        let _lock = self.locks.lock(path).await;
        let document = self.document(path).await?;
        if !ETag::of(document.json()).permits(&parts.headers) {
            return Err(Error::Precondition);
        }
        let shown = parse(&document, path)?;
        let refused: Vec<Message> = patch
            .leaves()
            .into_iter()
            .filter_map(|(pointer, value)| {
                not_allowed(&shown, &pointer, value).map(|v| (pointer, v))
            })
            .map(|(pointer, value)| {
                let name = pointer.rsplit('/').next().unwrap_or_default();
                let words = allowable(&shown, &pointer).unwrap_or_default();
                message::property_value_not_in_list(value, name)
                    .about(&pointer)
                    .with_resolution(choose_one_of(&words))
            })
            .collect();
        if !refused.is_empty() {
            return Err(Error::Faults(refused));
        }
        let outcome = match resource::part(self, &path.segments()) {
            Some((part, rest)) => part.patch(rest, &patch, caller).await,
            None => self.backend.patch(path, &patch).await,
        };
        outcome.map_err(|failure| Error::Backend(failure, path.to_string()))?;
        let properties = patch.leaves().into_iter().map(|(pointer, _)| pointer);
        self.record(
            caller,
            Deed::Changed {
                path: path.to_string(),
                properties: properties.collect(),
            },
        );
        let document = self.document(path).await?;
        let mut response = self.respond(&document);
        if !patch.left_out().is_empty() {
            *response.body_mut() = Full::new(annotated(&document, patch.left_out(), &body));
        }
        Ok(response)
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
            .document(&target.resource)
            .await
            .map_err(|error| match error {
                Error::Backend(Failure::NotFound, _) => Error::UnknownUri(path.to_string()),
                error => error,
            })?;
        if !self.may(caller, &target.resource, &document, Operation::Change) {
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
        let body = Value::Object(read_object(&parts.headers, body, MAX_BODY_BYTES).await?);
        let parameters = check_parameters(action, &body).map_err(|faults| {
            Error::Faults(action_messages(&faults, &body, action.name, offered))
        })?;
        refuse_not_allowed(&parameters, offered, action.name)?;
        let deed = Deed::Invoked {
            path: target.resource.to_string(),
            action: target.action.clone(),
            parameters: described(&parameters, action),
        };
        let call = ActionCall { action, parameters };
        let outcome = match resource::part(self, &target.resource.segments()) {
            Some((part, rest)) => part.action(rest, &call, caller).await,
            None => self.backend.action(&target.resource, &call).await,
        };
        let outcome = outcome.map_err(|failure| Error::Backend(failure, path.to_string()))?;
        self.record(caller, deed);
        Ok(match outcome {
            Outcome::Done => no_content(),
            Outcome::Answer(json) => answered(json),
        })
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
        let document = self.document(path).await?;
        if !document.is_insertable() {
            return Err(Error::Method(document.allow()));
        }
        if !self.may(caller, path, &document, Operation::Create) {
            return Err(Error::Forbidden);
        }
        let member = document.resource().member_type.and_then(resource_type);
        let member = member.ok_or(Error::Method(document.allow()))?;
        let body = Value::Object(read_object(&parts.headers, body, MAX_BODY_BYTES).await?);
        let new = check_create(member, &body)
            .map_err(|faults| Error::Faults(patch_messages(&faults, &body, &Value::Null)))?;
        let failed = |failure| Error::Backend(failure, path.to_string());
        // Of two new members with the same name, the second meets the first.
        let _lock = self.locks.lock(path).await;
        let created = match resource::part(self, &path.segments()) {
            Some((part, rest)) => part
                .create(rest, &new, caller)
                .await
                .map(|created| created.0),
            None => self.backend.create(path, &new).await,
        };
        let created = created.map_err(failed)?;
        let deed = Deed::Created {
            path: created.clone(),
        };
        self.record(caller, deed);
        let internal = |what: String| Error::Backend(Failure::Internal(what), path.to_string());
        let location = HeaderValue::from_str(&created).map_err(|e| internal(e.to_string()))?;
        let created = Path::parse(&created).map_err(|e| internal(format!("{e:?}")))?;
        let mut response = self.respond(&self.document(&created).await?);
        *response.status_mut() = StatusCode::CREATED;
        response.headers_mut().insert(header::LOCATION, location);
        Ok(response)
    }

    /// DELETE (DSP0266 "DELETE (delete)").
    pub(crate) async fn delete(
        &self,
        path: &Path,
        parts: &Head,
        caller: &Caller,
    ) -> Result<Response<Full<Bytes>>, Error> {
        Query::refuse(parts.uri.query())?;
        let document = self.document(path).await?;
        if !self.may(caller, path, &document, Operation::Change) {
            return Err(Error::Forbidden);
        }
        if !document.is_deletable() {
            return Err(Error::Method(document.allow()));
        }
        let _lock = self.locks.lock(path).await;
        let document = self.document(path).await?;
        if !ETag::of(document.json()).permits(&parts.headers) {
            return Err(Error::Precondition);
        }
        let deleted = match resource::part(self, &path.segments()) {
            Some((part, rest)) => part.delete(rest, caller).await,
            None => self.backend.delete(path).await,
        };
        deleted.map_err(|failure| Error::Backend(failure, path.to_string()))?;
        let deed = match *path.segments() {
            ["SessionService", "Sessions", id] => Deed::LoggedOut(id.to_owned()),
            _ => Deed::Deleted {
                path: path.to_string(),
            },
        };
        self.record(caller, deed);
        Ok(no_content())
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

/// Refuses parameters that the resource doesn't offer, though the schema has them.
fn refuse_not_allowed(
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

/// 200 with what an action answers.
fn answered(json: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(json));
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The document with messages about what was left out, at the top-level property that each belongs to.
fn annotated(document: &Document, left_out: &[Fault], body: &Value) -> Bytes {
    let mut annotations: Map<String, Value> = Map::new();
    for (fault, message) in left_out
        .iter()
        .zip(patch_messages(left_out, body, &Value::Null))
    {
        let property = fault.pointer.split('/').nth(1).unwrap_or(&fault.property);
        let messages = annotations
            .entry(format!("{property}@Message.ExtendedInfo"))
            .or_insert_with(|| Value::Array(Vec::new()));
        if let (Value::Array(messages), Ok(message)) = (messages, serde_json::to_value(message)) {
            messages.push(message);
        }
    }
    let (Some(head), Ok(tail)) = (
        document.json().strip_suffix(b"}"),
        serde_json::to_vec(&annotations),
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
