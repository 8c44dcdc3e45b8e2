//! PATCH (DSP0266 "PATCH (update)").
//!
//! A wrong value refuses the whole request, and nothing changes. What can never be changed, because the schema or the
//! resource has no such property or only shows it, is left out; the rest is done, and the answer says what is missing.
//! The same where a machine takes a part of what is asked and refuses another.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::request::Parts as Head;
use http_body::Body;
use http_body_util::Full;
use redfish_schema::{CheckedPatch, Fault, check_patch};
use serde_json::{Map, Value};

use crate::audit::{Deed, Entry};
use crate::backend::NotDone;
use crate::body::{MAX_BODY_BYTES, read_object};
use crate::caller::Caller;
use crate::change::{not_allowed, parse, to_its_end};
use crate::error::{Error, messages_of};
use crate::fault::{allowable, choose_one_of, patch_messages};
use crate::message::{self, Message, resource_event};
use crate::part::Part;
use crate::privilege::Operation;
use crate::query::Query;
use crate::respond::respond;
use crate::service::Service;
use crate::settings_resource::{self, APPLY_TIME};
use crate::task::{Order, Request, WINDOW, has_window};
use crate::{Backend, Document, Failure, Outcome, Path, resource};

impl Service {
    /// PATCH of a resource of the service's own or of its backend.
    pub(crate) async fn patch<B>(
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
        refuse_annotations(&patch, path)?;
        // The body may have taken seconds. From here to the answer nobody else changes this resource.
        let lock = self.lock(path).await?;
        let document = self.document_for(caller, path).await?;
        if !document.tag().permits(&parts.headers) {
            return Err(Error::Precondition);
        }
        refuse_words(&patch, &parse(&document, path)?)?;
        let present = self.present(path).await?;
        let patch = patch.onto(document.resource(), &present);
        let change = Change::new(patch, body, path.clone());
        if self.is_own(path) {
            let (service, caller) = (Arc::clone(self), caller.clone());
            return to_its_end(async move {
                let _lock = lock;
                service.patch_own(change, &caller).await
            })
            .await;
        }
        let order = Order {
            caller: caller.clone(),
            request: Request::new("PATCH", path.as_str(), &change.body),
        };
        let hidden = self.hidden(caller, path, document.resource().name);
        let (backend, caller) = (Arc::clone(&self.backend), caller.clone());
        let audit = Arc::clone(self.audit());
        self.carry_out(order, async move {
            let _lock = lock;
            let change = change.make(Maker::Backend(&*backend)).await?;
            audit.record(&Entry::of(&caller, change.deed()));
            let document = backend.get(&change.path).await;
            let document = document.map_err(|failure| change.failed(failure))?;
            Ok(change.answer(&document.without(&hidden)))
        })
        .await
    }

    /// PATCH of what is the service's own.
    async fn patch_own(
        &self,
        change: Change,
        caller: &Caller,
    ) -> Result<Response<Full<Bytes>>, Error> {
        let path = change.path.clone();
        let segments = path.segments();
        let part = resource::part(self, &segments);
        let (part, rest) = part.ok_or_else(|| change.failed(Failure::NotFound))?;
        let change = change.make(Maker::Part(part, rest, caller)).await?;
        self.record(caller, change.deed());
        let document = self.document_for(caller, &path).await?;
        if part.is_told(rest) {
            self.tell(&path, &document, resource_event::resource_changed());
        }
        Ok(change.answer(&document))
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

    /// What is there, with what no response shows.
    async fn present(&self, path: &Path) -> Result<Value, Error> {
        let mut present = parse(&self.document(path).await?, path)?;
        if let (Some((part, rest)), Value::Object(shown)) =
            (resource::part(self, &path.segments()), &mut present)
        {
            shown.extend(part.not_shown(rest));
        }
        Ok(present)
    }
}

/// A PATCH that fits, and how far it got.
pub(crate) struct Change {
    patch: CheckedPatch,
    not_done: Vec<NotDone>,
    body: Value,
    path: Path,
}

/// Who makes a change.
#[derive(Clone, Copy)]
pub(crate) enum Maker<'a> {
    Part(&'a dyn Part, &'a [&'a str], &'a Caller),
    Backend(&'a dyn Backend),
}

impl Change {
    /// A change of the resource at `path`: what `body` asks for, with whole arrays.
    pub(crate) const fn new(patch: CheckedPatch, body: Value, path: Path) -> Self {
        Self {
            patch,
            not_done: Vec::new(),
            body,
            path,
        }
    }

    /// Makes the change, without what turns out to be unchangeable here. Each turn has one property less.
    pub(crate) async fn make(mut self, maker: Maker<'_>) -> Result<Self, Error> {
        loop {
            let outcome = match maker {
                Maker::Part(part, rest, caller) => part.patch(rest, &self.patch, caller).await,
                Maker::Backend(backend) => backend.patch(&self.path, &self.patch).await,
            };
            match outcome {
                Ok(Outcome::Partly(not_done)) => {
                    self.not_done = not_done;
                    return Ok(self);
                }
                Ok(Outcome::Done | Outcome::Answer(_)) => return Ok(self),
                Err(Failure::PropertyNotWritable { pointer }) if self.patch.leave_out(&pointer) => {
                    if self.patch.is_empty() {
                        let faults = self.patch.left_out();
                        let messages = patch_messages(faults, &self.body, &Value::Null);
                        return Err(Error::Faults(messages));
                    }
                }
                Err(failure) => return Err(self.failed(failure)),
            }
        }
    }

    fn failed(&self, failure: Failure) -> Error {
        Error::Backend(failure, self.path.to_string())
    }

    /// For the audit log: what was changed.
    pub(crate) fn deed(&self) -> Deed {
        let is_done = |pointer: &String| !self.not_done.iter().any(|not| not.pointer == *pointer);
        let properties = self.patch.leaves().into_iter().map(|(pointer, _)| pointer);
        Deed::Changed {
            path: self.path.to_string(),
            properties: properties.filter(is_done).collect(),
        }
    }

    /// Messages about what isn't changed, and where in the body each of it is.
    pub(crate) fn told(&self) -> Vec<(String, Message)> {
        let left_out = self.patch.left_out();
        let pointers = left_out.iter().map(|fault| fault.pointer.clone());
        let messages = patch_messages(left_out, &self.body, &Value::Null);
        let mut told: Vec<(String, Message)> = pointers.zip(messages).collect();
        for not_done in &self.not_done {
            let messages = messages_of(not_done.failure.clone(), self.path.as_str());
            let about = |message: Message| message.about(&not_done.pointer);
            let pointer = || not_done.pointer.clone();
            told.extend(messages.into_iter().map(|m| (pointer(), about(m))));
        }
        told
    }

    /// 200 with the resource as it is now, and messages about what isn't changed.
    fn answer(&self, document: &Document) -> Response<Full<Bytes>> {
        let mut response = respond(document);
        let told = self.told();
        if !told.is_empty()
            && let Ok(Value::Object(shown)) = parse(document, &self.path)
        {
            *response.body_mut() = Full::new(annotated(shown, told));
        }
        response
    }
}

/// The faults of a PATCH, each with what the resource would take.
fn refusal(faults: &[Fault], body: &Value, document: &Document) -> Error {
    let resource = serde_json::from_slice(document.json()).unwrap_or_default();
    Error::Faults(patch_messages(faults, body, &resource))
}

/// Refuses words that the resource doesn't offer, though the schema has them.
pub(crate) fn refuse_words(patch: &CheckedPatch, shown: &Value) -> Result<(), Error> {
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

/// Refuses a maintenance window of a resource that has none, and an apply time of what is no settings resource.
fn refuse_annotations(patch: &CheckedPatch, path: &Path) -> Result<(), Error> {
    let places = [
        (WINDOW, has_window(path)),
        (APPLY_TIME, settings_resource::is_one(path)),
    ];
    for (name, is_here) in places {
        if patch.changes().contains_key(name) && !is_here {
            let about = format!("/{name}");
            return Err(message::property_unknown(name).about(about).into());
        }
    }
    Ok(())
}

/// The resource with messages, each beside the property that it is about, and all at the resource, where clients look for
/// them, too.
fn annotated(mut shown: Map<String, Value>, told: Vec<(String, Message)>) -> Bytes {
    let mut all = Vec::with_capacity(told.len());
    for (pointer, message) in told {
        let Ok(message) = serde_json::to_value(&message) else {
            continue;
        };
        annotate(&mut shown, &pointer, message.clone());
        all.push(message);
    }
    shown.insert("@Message.ExtendedInfo".to_owned(), Value::Array(all));
    // A map of strings to values can always be written.
    serde_json::to_vec(&shown).unwrap_or_default().into()
}

/// Puts a message beside the property at `pointer`, or beside the first on the way that isn't an object.
fn annotate(shown: &mut Map<String, Value>, pointer: &str, message: Value) {
    let mut object = shown;
    let mut tokens = pointer.split('/').skip(1).peekable();
    while let Some(token) = tokens.next() {
        if tokens.peek().is_some() && object.get(token).is_some_and(Value::is_object) {
            let Some(Value::Object(inner)) = object.get_mut(token) else {
                return;
            };
            object = inner;
            continue;
        }
        let name = format!("{token}@Message.ExtendedInfo");
        let messages = object
            .entry(name)
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(messages) = messages {
            messages.push(message);
        }
        return;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_message_stands_beside_its_property_or_beside_the_array_around_it() {
        let mut shown = object(json!({"Boot": {"Mode": "UEFI"}, "Addresses": [{"Mask": null}]}));
        annotate(&mut shown, "/Boot/Mode", json!(1));
        annotate(&mut shown, "/Boot/Mode", json!(2));
        annotate(&mut shown, "/Addresses/0/Mask", json!(3));
        annotate(&mut shown, "/Colour/Red", json!(4));
        assert_eq!(
            Value::Object(shown),
            json!({
                "Boot": {"Mode": "UEFI", "Mode@Message.ExtendedInfo": [1, 2]},
                "Addresses": [{"Mask": null}],
                "Addresses@Message.ExtendedInfo": [3],
                "Colour@Message.ExtendedInfo": [4],
            })
        );
    }
}
