//! `/redfish/v1/AggregationService`: where the machines come from, and the way in for more (DSP0268 "AggregationService").

use redfish_schema::aggregation_service::AggregationService as ServiceResource;
use redfish_schema::aggregation_source::{self, AggregationSource, Links};
use redfish_schema::connection_method::{self, ConnectionMethod as MethodResource};
use redfish_schema::resource::{Condition, Health, State, Status};
use redfish_schema::{CheckedCreate, CheckedPatch, Collection, Nullable, Reference};
use serde_json::{Map, Number, Value};
use zeroize::Zeroizing;

use super::enabled;
use crate::aggregation::{
    MAX_AGGREGATION_SOURCES, MAX_SOURCE_TEXT, Source, SourceChange, SourceLogin, SourceState,
    Sources,
};
use crate::caller::Caller;
use crate::fault::choose_one_of;
use crate::message::{self, Message, resource_event};
use crate::part::{Created, Part};
use crate::{BackendFuture, Document, Failure, Outcome, RootLink};

/// Path of the service.
pub(crate) const PATH: &str = "/redfish/v1/AggregationService";
/// Path of the collection of sources.
const SOURCES: &str = "/redfish/v1/AggregationService/AggregationSources";
/// Path of the collection of connection methods.
const METHODS: &str = "/redfish/v1/AggregationService/ConnectionMethods";

/// The links of the service root: the backend's, and the one to this service where it is there.
pub(crate) fn roots(backend: &[RootLink], is_there: bool) -> Vec<RootLink> {
    let own = RootLink {
        name: "AggregationService",
        uri: PATH,
    };
    let own = is_there.then_some(own);
    backend.iter().copied().chain(own).collect()
}

impl Part for Sources {
    fn get(&self, rest: &[&str]) -> Result<Document, Failure> {
        match *rest {
            [] => service(),
            ["AggregationSources"] => collection(self),
            ["AggregationSources", id] => member(self, id),
            ["ConnectionMethods"] => methods(self),
            ["ConnectionMethods", id] => method(self, id),
            _ => Err(Failure::NotFound),
        }
    }

    fn patch<'a>(
        &'a self,
        rest: &'a [&'a str],
        patch: &'a CheckedPatch,
        _caller: &'a Caller,
    ) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            let ["AggregationSources", id] = *rest else {
                return Err(Failure::NotChangeable);
            };
            let held = self.get(id).ok_or(Failure::NotFound)?;
            let source = changed(&held.source, patch.changes())?;
            self.aggregator().check(&source)?;
            self.change(SourceChange::Replace(source)).await?;
            Ok(Outcome::Done)
        })
    }

    fn create<'a>(
        &'a self,
        _rest: &'a [&'a str],
        new: &'a CheckedCreate,
        _caller: &'a Caller,
    ) -> BackendFuture<'a, Created> {
        Box::pin(async move {
            let source = described(self, new)?;
            let created = Created(source_path(&source.id));
            self.aggregator().check(&source)?;
            if self.get(&source.id).is_some() {
                return Err(Failure::AlreadyExists {
                    resource: "AggregationSource",
                    property: "Id",
                    value: source.id,
                });
            }
            if self.count() >= MAX_AGGREGATION_SOURCES {
                return Err(Failure::LimitReached);
            }
            self.change(SourceChange::Add(source)).await?;
            Ok(created)
        })
    }

    fn delete<'a>(&'a self, rest: &'a [&'a str], _caller: &'a Caller) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            let ["AggregationSources", id] = *rest else {
                return Err(Failure::NotChangeable);
            };
            match self.get(id) {
                Some(_) => self.change(SourceChange::Remove(id.to_owned())).await,
                None => Err(Failure::NotFound),
            }
        })
    }
}

fn service() -> Result<Document, Failure> {
    let mut resource = ServiceResource::new(PATH, "AggregationService", "Aggregation Service");
    resource.service_enabled = Some(true.into());
    resource.aggregation_sources = Some(Reference::to(SOURCES));
    resource.connection_methods = Some(Reference::to(METHODS));
    resource.status = Some(enabled());
    Document::of(&resource)
}

fn source_path(id: &str) -> String {
    format!("{SOURCES}/{id}")
}

/// First what clients have named, then what the operator has.
fn collection(sources: &Sources) -> Result<Document, Failure> {
    let mut ids = sources.ids();
    let configured = sources.aggregator().configured();
    ids.extend(
        configured
            .into_iter()
            .filter(|id| sources.get(id).is_none()),
    );
    let members = ids
        .iter()
        .map(|id| Reference::to(source_path(id)))
        .collect();
    let kind = &aggregation_source::COLLECTION;
    let collection = Collection::new(kind, SOURCES, "Aggregation Sources", members);
    Document::of(&collection).map(Document::insertable)
}

fn member(sources: &Sources, id: &str) -> Result<Document, Failure> {
    let path = source_path(id);
    let standing = sources.aggregator().standing(id);
    let links = |method: &str| Links {
        connection_method: Some(Reference::to(format!("{METHODS}/{method}"))),
        resources_accessed: Some(standing.resources.iter().map(Reference::to).collect()),
    };
    let status = Some(status(&path, &standing.state));
    if let Some(held) = sources.get(id) {
        let source = &held.source;
        let mut resource = AggregationSource::new(&*path, id, &*source.name);
        resource.host_name = Some(source.host_name.clone().into());
        resource.port = Some(source.port.map(i64::from).into());
        let user_name = source.login.as_ref().map(|login| login.user_name.clone());
        resource.user_name = Some(user_name.into());
        resource.password = Some(Nullable::Null);
        resource.links = Some(links(&source.method));
        resource.status = status;
        let document = Document::of(&resource)?.changeable().deletable();
        return Ok(document.of_generation(held.generation));
    }
    let source = sources.aggregator().configured_source(id);
    let source = source.ok_or(Failure::NotFound)?;
    let mut resource = AggregationSource::new(&*path, id, id);
    resource.description = Some(source.origin.into());
    resource.host_name = Some(source.host_name.into());
    resource.password = Some(Nullable::Null);
    resource.links = Some(links(source.method));
    resource.status = status;
    Document::of(&resource)
}

fn methods(sources: &Sources) -> Result<Document, Failure> {
    let methods = sources.aggregator().methods().iter();
    let members = methods
        .map(|method| Reference::to(format!("{METHODS}/{}", method.id)))
        .collect();
    let kind = &connection_method::COLLECTION;
    Document::of(&Collection::new(
        kind,
        METHODS,
        "Connection Methods",
        members,
    ))
}

fn method(sources: &Sources, id: &str) -> Result<Document, Failure> {
    let mut methods = sources.aggregator().methods().iter();
    let method = methods.find(|method| method.id == id);
    let method = method.ok_or(Failure::NotFound)?;
    let mut resource = MethodResource::new(format!("{METHODS}/{id}"), id, method.name);
    resource.connection_method_type = Some(method.kind.into());
    Document::of(&resource)
}

fn status(path: &str, state: &SourceState) -> Status {
    let (state, health, reason) = match state {
        SourceState::Enabled => return enabled(),
        SourceState::Starting => {
            return Status {
                state: Some(State::Starting.into()),
                ..Status::default()
            };
        }
        SourceState::Offline { reason } => (State::UnavailableOffline, Health::Critical, reason),
        SourceState::Aside { reason } => (State::Disabled, Health::Warning, reason),
    };
    let message = resource_event::resource_errors_detected(path, &**reason);
    let condition = Condition {
        message: Some(message.text()),
        message_args: Some(message.args().to_vec()),
        severity: Some(health),
        ..Condition::new(message.id())
    };
    Status {
        state: Some(state.into()),
        health: Some(health.into()),
        conditions: Some(vec![condition]),
        ..Status::default()
    }
}

/// What a POST describes.
fn described(sources: &Sources, new: &CheckedCreate) -> Result<Source, Failure> {
    let mut texts = Texts::default();
    let mut method = sources.aggregator().methods().first().map(|usual| usual.id);
    for (name, value) in new.values() {
        if texts.take(name, value) {
            continue;
        }
        match (name.as_str(), value) {
            ("Links", Value::Object(links)) => method = Some(chosen(sources, links)?),
            _ => return Err(not_writable(name)),
        }
    }
    let required = message::create_failed_missing_req_properties;
    let Some(host_name) = texts.host_name.take() else {
        if texts.wrong.is_empty() {
            texts.wrong.push(required("HostName").about("/HostName"));
        }
        return Err(Failure::Messages(texts.wrong));
    };
    let (id, name) = (texts.id.take(), texts.name.take());
    let port = std::mem::take(&mut texts.port).given(None);
    let login = texts.login(None, required)?;
    let id = id.unwrap_or_else(|| sources.aggregator().id_of(&host_name, port));
    Ok(Source {
        name: name.unwrap_or_else(|| id.clone()),
        id,
        host_name,
        port,
        method: method.unwrap_or_default().to_owned(),
        login,
    })
}

/// The connection method that `Links` names.
fn chosen(sources: &Sources, links: &Map<String, Value>) -> Result<&'static str, Failure> {
    if let Some(other) = links.keys().find(|name| *name != "ConnectionMethod") {
        return Err(not_writable(&format!("Links/{other}")));
    }
    let methods = sources.aggregator().methods();
    let link = links.get("ConnectionMethod");
    if let (None, Some(usual)) = (link, methods.first()) {
        return Ok(usual.id);
    }
    let link = link.and_then(|link| link["@odata.id"].as_str());
    let path = link.unwrap_or_default().trim_end_matches('/');
    let id = path
        .strip_prefix(METHODS)
        .and_then(|rest| rest.strip_prefix('/'));
    if let Some(method) = methods.iter().find(|method| Some(method.id) == id) {
        return Ok(method.id);
    }
    let paths: Vec<String> = methods
        .iter()
        .map(|method| format!("{METHODS}/{}", method.id))
        .collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let shown = crate::fault::shorten(path.to_owned());
    let message = message::property_value_not_in_list(shown, "ConnectionMethod")
        .about("/Links/ConnectionMethod")
        .with_resolution(choose_one_of(&paths));
    Err(Failure::Messages(vec![message]))
}

/// A source after a PATCH.
fn changed(source: &Source, changes: &Map<String, Value>) -> Result<Source, Failure> {
    let mut texts = Texts::default();
    for (name, value) in changes {
        let is_fixed = matches!(name.as_str(), "Id" | "Name");
        if is_fixed || !texts.take(name, value) {
            return Err(not_writable(name));
        }
    }
    let host_name = texts.host_name.take();
    let host_name = host_name.unwrap_or_else(|| source.host_name.clone());
    let port = std::mem::take(&mut texts.port).given(source.port);
    let moves = (&host_name, port) != (&source.host_name, source.port);
    // Nobody reads the password here; by naming a host of his own, somebody would.
    if moves && source.login.is_some() && !texts.names_login() {
        let message = missing("Password");
        let resolution =
            "A password is kept for the host it was given for: give it again for another one.";
        texts.wrong.push(message.with_resolution(resolution));
    }
    let before = source.login.as_ref();
    Ok(Source {
        host_name,
        port,
        login: texts.login(before, message::property_missing)?,
        ..source.clone()
    })
}

/// Texts that a client gives, and what is wrong with them.
#[derive(Default)]
struct Texts {
    id: Option<String>,
    name: Option<String>,
    host_name: Option<String>,
    port: Given<u16>,
    user_name: Given<String>,
    password: Given<Zeroizing<String>>,
    wrong: Vec<Message>,
}

/// What a client says of a property that may be null.
#[derive(Default)]
enum Given<T> {
    #[default]
    Nothing,
    Null,
    Value(T),
}

impl<T> Given<T> {
    /// What it makes of what was before.
    fn given(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Nothing => before,
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }
}

impl Texts {
    /// Takes one; whether it is one of them.
    fn take(&mut self, name: &str, value: &Value) -> bool {
        let text = match (name, value) {
            (_, Value::String(text)) => text,
            ("Port", Value::Number(number)) => {
                self.take_port(number);
                return true;
            }
            ("Port", _) => {
                self.port = Given::Null;
                return true;
            }
            // Only what the schema lets be null comes here as such.
            ("HostName", _) => {
                let message = message::property_value_error(name).about(format!("/{name}"));
                let resolution = "Give a host: a source without one is none.";
                self.wrong.push(message.with_resolution(resolution));
                return true;
            }
            ("UserName", _) => {
                self.user_name = Given::Null;
                return true;
            }
            ("Password", _) => {
                self.password = Given::Null;
                return true;
            }
            _ => return false,
        };
        let least = usize::from(!matches!(name, "UserName" | "Password"));
        if !(least..=MAX_SOURCE_TEXT).contains(&text.len()) {
            // Whatever it is, it may be a password in the wrong place.
            let message = message::property_value_error(name).about(format!("/{name}"));
            let resolution = format!("Give a text of {least} to {MAX_SOURCE_TEXT} bytes.");
            self.wrong.push(message.with_resolution(resolution));
        }
        match name {
            "Id" => self.id = Some(text.clone()),
            "Name" => self.name = Some(text.clone()),
            "HostName" => self.host_name = Some(text.clone()),
            "UserName" => self.user_name = Given::Value(text.clone()),
            "Password" => self.password = Given::Value(text.clone().into()),
            _ => return false,
        }
        true
    }

    fn take_port(&mut self, number: &Number) {
        let port = number.as_u64().and_then(|port| u16::try_from(port).ok());
        if let Some(port) = port.filter(|port| *port > 0) {
            self.port = Given::Value(port);
        } else {
            let message = message::property_value_out_of_range(number.to_string(), "Port");
            let message = message.about("/Port");
            let resolution = "Give a UDP port, 1 to 65535.";
            self.wrong.push(message.with_resolution(resolution));
        }
    }

    /// Whether they say what the login is, or that there is none of its own.
    const fn names_login(&self) -> bool {
        matches!(
            (&self.user_name, &self.password),
            (_, Given::Value(_)) | (Given::Null, _)
        )
    }

    /// The login that they make of the one `before`: null for `UserName` says that there is none of its own. Where one half is
    /// missing, the message is `absent`.
    fn login(
        mut self,
        before: Option<&SourceLogin>,
        absent: impl Fn(&'static str) -> Message,
    ) -> Result<Option<SourceLogin>, Failure> {
        let user_name = match self.user_name {
            Given::Value(user_name) => Some(user_name),
            Given::Null => None,
            Given::Nothing => before.map(|login| login.user_name.clone()),
        };
        let password = match (self.password, &user_name) {
            (Given::Value(password), _) => Some(password),
            (Given::Nothing, Some(_)) => before.map(|login| login.password.clone()),
            (Given::Null | Given::Nothing, _) => None,
        };
        let mut missing = |name: &'static str| {
            // Of one property one message is enough.
            if self.wrong.is_empty() {
                let message = absent(name).about(format!("/{name}"));
                let resolution = "Give both UserName and Password, or null for both.";
                self.wrong.push(message.with_resolution(resolution));
            }
            None
        };
        let login = match (user_name, password) {
            (Some(user_name), Some(password)) => Some(SourceLogin {
                user_name,
                password,
            }),
            (None, None) => None,
            (Some(_), None) => missing("Password"),
            (None, Some(_)) => missing("UserName"),
        };
        match self.wrong.is_empty() {
            true => Ok(login),
            false => Err(Failure::Messages(self.wrong)),
        }
    }
}

fn missing(property: &str) -> Message {
    message::property_missing(property).about(format!("/{property}"))
}

fn not_writable(name: &str) -> Failure {
    Failure::PropertyNotWritable {
        pointer: format!("/{name}"),
    }
}
