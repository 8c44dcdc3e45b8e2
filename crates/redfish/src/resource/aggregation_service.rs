//! `/redfish/v1/AggregationService`: where the machines come from, and the way in for more (DSP0268 "AggregationService").

use redfish_schema::aggregation_service::AggregationService as ServiceResource;
use redfish_schema::aggregation_source::{self, AggregationSource, Links};
use redfish_schema::connection_method::{self, ConnectionMethod as MethodResource};
use redfish_schema::resource::{Condition, Health, State, Status};
use redfish_schema::{CheckedCreate, CheckedPatch, Collection, Nullable, Reference};
use serde_json::{Map, Value};

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
            let (id, changes) = (id.to_owned(), patch.changes().clone());
            self.change(move |sources| {
                let source = sources.get(&id).ok_or(Failure::NotFound)?;
                let source = changed(&source, &changes)?;
                sources.aggregator().check(&source)?;
                Ok(SourceChange::Replace(source))
            })
            .await?;
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
            self.change(move |sources| {
                sources.aggregator().check(&source)?;
                if sources.get(&source.id).is_some() {
                    return Err(Failure::AlreadyExists {
                        resource: "AggregationSource",
                        property: "Id",
                        value: source.id,
                    });
                }
                if sources.ids().len() >= MAX_AGGREGATION_SOURCES {
                    return Err(Failure::LimitReached);
                }
                Ok(SourceChange::Add(source))
            })
            .await?;
            Ok(created)
        })
    }

    fn delete<'a>(&'a self, rest: &'a [&'a str], _caller: &'a Caller) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            let ["AggregationSources", id] = *rest else {
                return Err(Failure::NotChangeable);
            };
            let id = id.to_owned();
            self.change(move |sources| match sources.get(&id) {
                Some(_) => Ok(SourceChange::Remove(id)),
                None => Err(Failure::NotFound),
            })
            .await
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
    if let Some(source) = sources.get(id) {
        let mut resource = AggregationSource::new(&*path, id, &*source.name);
        resource.host_name = Some(source.host_name.clone().into());
        let user_name = source.login.as_ref().map(|login| login.user_name.clone());
        resource.user_name = Some(user_name.into());
        resource.password = Some(Nullable::Null);
        resource.links = Some(links(&source.method));
        resource.status = status;
        return Document::of(&resource).map(|document| document.changeable().deletable());
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
    let Some(host_name) = texts.host_name.take() else {
        texts.wrong.push(missing("HostName"));
        return Err(Failure::Messages(texts.wrong));
    };
    let login = texts.login(None)?;
    let id = texts
        .id
        .unwrap_or_else(|| sources.aggregator().id_of(&host_name));
    Ok(Source {
        name: texts.name.unwrap_or_else(|| id.clone()),
        id,
        host_name,
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
    Ok(Source {
        host_name: host_name.unwrap_or_else(|| source.host_name.clone()),
        login: texts.login(source.login.as_ref())?,
        ..source.clone()
    })
}

/// Texts that a client gives, and what is wrong with them.
#[derive(Default)]
struct Texts {
    id: Option<String>,
    name: Option<String>,
    host_name: Option<String>,
    user_name: Option<String>,
    password: Option<zeroize::Zeroizing<String>>,
    wrong: Vec<Message>,
}

impl Texts {
    /// Takes one; whether it is one of them.
    fn take(&mut self, name: &str, value: &Value) -> bool {
        let text = match value {
            Value::String(text) => text,
            // Only what the schema lets be null comes here as such.
            _ if matches!(name, "HostName" | "UserName" | "Password") => {
                let message = message::property_value_type_error("null", name);
                self.wrong.push(message.about(format!("/{name}")));
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
        let own = text.clone();
        match name {
            "Id" => self.id = Some(own),
            "Name" => self.name = Some(own),
            "HostName" => self.host_name = Some(own),
            "UserName" => self.user_name = Some(own),
            "Password" => self.password = Some(own.into()),
            _ => return false,
        }
        true
    }

    /// The login that they make of the one `before`.
    fn login(&mut self, before: Option<&SourceLogin>) -> Result<Option<SourceLogin>, Failure> {
        let known = |login: &SourceLogin| (login.user_name.clone(), login.password.clone());
        let (user_name, password) = before.map(known).unzip();
        let login = match (
            self.user_name.take().or(user_name),
            self.password.take().or(password),
        ) {
            (Some(user_name), Some(password)) => Some(SourceLogin {
                user_name,
                password,
            }),
            (None, None) => None,
            (Some(_), None) => {
                self.wrong.push(missing("Password"));
                None
            }
            (None, Some(_)) => {
                self.wrong.push(missing("UserName"));
                None
            }
        };
        match std::mem::take(&mut self.wrong) {
            wrong if wrong.is_empty() => Ok(login),
            wrong => Err(Failure::Messages(wrong)),
        }
    }
}

fn missing(property: &str) -> Message {
    message::create_failed_missing_req_properties(property).about(format!("/{property}"))
}

fn not_writable(name: &str) -> Failure {
    Failure::PropertyNotWritable {
        pointer: format!("/{name}"),
    }
}
