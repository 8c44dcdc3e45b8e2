//! What changes something: PATCH, actions, and the login.

use std::net::IpAddr;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use redfish_schema::{Fault, check_create, check_parameters, check_patch, session as session_type};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::account::{Account, MAX_USER_NAME};
use crate::body::{MAX_BODY_BYTES, MAX_LOGIN_BYTES, read_object};
use crate::error::Error;
use crate::etag::ETag;
use crate::fault::{action_messages, patch_messages, shorten};
use crate::message::{self, Message};
use crate::privilege::Operation;
use crate::query::Query;
use crate::resource::session_service;
use crate::respond::no_content;
use crate::service::{LoggedIn, Service, allow};
use crate::session::{MAX_CONTEXT, OpenError};
use crate::{ActionCall, Document, Failure, Outcome, Path};

const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

impl Service {
    /// PATCH (DSP0266 "PATCH (update)"). A wrong value refuses the whole request; a property that can never be
    /// changed is left out with a message, and the rest is done.
    pub(crate) async fn patch<B>(
        &self,
        path: &Path,
        parts: &Parts,
        body: B,
        caller: &Account,
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
            return Err(Error::Method(allow(&document)));
        }
        let body = Value::Object(read_object(&parts.headers, body, MAX_BODY_BYTES).await?);
        let patch = check_patch(document.resource(), &body)
            .map_err(|faults| Error::Faults(patch_messages(&faults, &body)))?;
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
                message::property_value_not_in_list(value, name).about(&pointer)
            })
            .collect();
        if !refused.is_empty() {
            return Err(Error::Faults(refused));
        }
        let outcome = match *path.segments() {
            ["SessionService"] => session_service::patch(self.sessions(), &patch),
            _ => self.backend.patch(path, &patch).await,
        };
        let Outcome::Done = outcome.map_err(|failure| Error::Backend(failure, path.to_string()))?;
        tracing::info!(user = caller.user_name(), %path, ?patch, "changed");
        let document = self.document(path).await?;
        let mut response = self.respond(&document);
        if !patch.left_out().is_empty() {
            *response.body_mut() = Full::new(annotated(&document, patch.left_out(), &body));
        }
        Ok(response)
    }

    /// POST to anything but the collection of sessions: an action, or nothing that we have.
    pub(crate) async fn post<B>(
        &self,
        path: &Path,
        parts: &Parts,
        body: B,
        caller: &Account,
    ) -> Result<Response<Full<Bytes>>, Error>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let Some(target) = ActionTarget::of(path) else {
            let document = self.document(path).await?;
            return Err(Error::Method(allow(&document)));
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
        let parameters = check_parameters(action, &body)
            .map_err(|faults| Error::Faults(action_messages(&faults, &body, action.name)))?;
        let refused: Vec<Message> = parameters
            .names()
            .filter_map(|name| {
                Some((
                    name,
                    not_allowed(offered, &format!("/{name}"), parameters.get(name)?)?,
                ))
            })
            .map(|(name, value)| {
                message::action_parameter_value_not_in_list(value, name, action.name)
                    .about(format!("/{name}"))
            })
            .collect();
        if !refused.is_empty() {
            return Err(Error::Faults(refused));
        }
        let call = ActionCall { action, parameters };
        let outcome = self.backend.action(&target.resource, &call).await;
        let Outcome::Done = outcome.map_err(|failure| Error::Backend(failure, path.to_string()))?;
        let user = caller.user_name();
        tracing::info!(user, path = %target.resource, action = action.name, "invoked");
        Ok(no_content())
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

    /// POST to the collection of sessions: a login (DSP0266 "Session login").
    pub(crate) async fn log_in<B>(
        &self,
        parts: &Parts,
        body: B,
        client: Option<IpAddr>,
    ) -> Result<Response<Full<Bytes>>, Error>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Query::refuse(parts.uri.query())?;
        let mut body = read_object(&parts.headers, body, MAX_LOGIN_BYTES).await?;
        let context = take_context(&mut body)?;
        let body = Value::Object(body);
        let login = check_create(&session_type::TYPE, &body)
            .map_err(|faults| Error::Faults(patch_messages(&faults, &body)))?;
        let user_name = login.text("UserName").unwrap_or_default();
        let password = Zeroizing::new(login.text("Password").unwrap_or_default().to_owned());
        let verified = self.accounts().verify(user_name, password, client).await;
        let account = verified.inspect_err(|refusal| {
            let shown: String = user_name.chars().take(MAX_USER_NAME).collect();
            tracing::warn!(user = ?shown, ?client, ?refusal, "login refused");
        })?;
        let uri = || session_service::SESSIONS.to_owned();
        let internal = |cause: &str| Error::Backend(Failure::Internal(cause.to_owned()), uri());
        let (session, token) =
            self.sessions()
                .open(account, client, context)
                .map_err(|e| match e {
                    OpenError::Limit => Error::SessionLimit,
                    OpenError::NoRandomness => {
                        internal("the operating system gives no random numbers")
                    }
                })?;
        tracing::info!(
            user = session.account.user_name(),
            session = session.id,
            ?client,
            "logged in"
        );
        let document =
            session_service::member(&session).map_err(|failure| Error::Backend(failure, uri()))?;
        let mut response = self.respond(&document);
        *response.status_mut() = StatusCode::CREATED;
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let location = HeaderValue::from_str(&session_service::path_of(&session));
        headers.insert(
            header::LOCATION,
            location.map_err(|_| internal("location"))?,
        );
        let mut token = HeaderValue::from_str(&token).map_err(|_| internal("token"))?;
        token.set_sensitive(true);
        headers.insert(X_AUTH_TOKEN, token);
        response.extensions_mut().insert(LoggedIn);
        Ok(response)
    }
}

/// The `Context` of a login. The schema calls it read-only, and yet it is the client who gives it, here only.
fn take_context(body: &mut Map<String, Value>) -> Result<Option<String>, Error> {
    let wrong = |message: Message| Error::from(message.about("/Context"));
    match body.remove("Context") {
        None => Ok(None),
        Some(Value::String(context)) if context.len() <= MAX_CONTEXT => Ok(Some(context)),
        Some(Value::String(_)) => {
            let long = message::property_value_error("Context");
            Err(wrong(long.with_resolution(format!(
                "Give at most {MAX_CONTEXT} bytes."
            ))))
        }
        Some(other) => {
            let shown = shorten(other.to_string());
            Err(wrong(message::property_value_type_error(shown, "Context")))
        }
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

/// The document with messages about what was left out, at the top-level property that each belongs to.
fn annotated(document: &Document, left_out: &[Fault], body: &Value) -> Bytes {
    let mut annotations: Map<String, Value> = Map::new();
    for (fault, message) in left_out.iter().zip(patch_messages(left_out, body)) {
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
