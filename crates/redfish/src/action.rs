//! Actions: POST to the target that a resource shows (DSP0266 "POST (Action)").

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::header::{self, HeaderValue};
use http::request::Parts as Head;
use http_body::Body;
use http_body_util::Full;
use redfish_schema::{CheckedParameters, Kind, OperationApplyTime, check_parameters};
use serde_json::{Map, Value};

use crate::action_info::refuse_foreign;
use crate::audit::{Deed, Entry};
use crate::body::{MAX_BODY_BYTES, read_object};
use crate::caller::Caller;
use crate::change::{not_allowed, parse};
use crate::error::Error;
use crate::fault::{action_messages, allowable, choose_one_of, shorten};
use crate::message::{self, Message};
use crate::privilege::Operation;
use crate::query::Query;
use crate::respond::no_content;
use crate::service::Service;
use crate::task::{Deferred, Order, Request};
use crate::{ActionCall, Failure, Outcome, Path, resource};

/// The annotation by which a client says when an action shall be carried out (DSP0266 "Operation apply time").
pub(crate) const APPLY_TIME: &str = "@Redfish.OperationApplyTime";

impl Service {
    /// POST to anything but the collection of sessions: an action, or a new member of a collection.
    pub(crate) async fn post<B>(
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
        if !document.tag().permits(&parts.headers) {
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
        refuse_foreign(action, &parameters, offered)?;
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
            if let Some(begun) = part.begin(rest, &call, &order) {
                let id = begun.await.map_err(failed)?;
                self.record(&order.caller, deed);
                return self.accepted(id);
            }
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

/// What an action that has been carried out is answered with.
pub(crate) fn responded(outcome: Outcome) -> Response<Full<Bytes>> {
    match outcome {
        Outcome::Done | Outcome::Partly(_) => no_content(),
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
