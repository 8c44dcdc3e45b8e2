//! `/redfish/v1/EventService`: who hears of events (DSP0266 "Eventing").

pub(crate) mod definition;
mod subscription;
mod test_event;

use std::sync::Arc;

use redfish_schema::event_destination::{self, EventFormatType};
use redfish_schema::event_service::{
    self as schema, Actions, SSEFilterPropertiesSupported, SubmitTestEventAction,
};
use redfish_schema::resource::{Health, State, Status};
use redfish_schema::{CheckedCreate, CheckedPatch, Collection, Duration, Reference, resource_type};
use serde_json::{Map, Value};

use super::enabled;
use crate::caller::{Caller, Owner};
use crate::event::{Definition, Events, Header, Subscription};
use crate::message::{self, REGISTRIES, resource_event};
use crate::part::{Created, Part};
use crate::{ActionCall, BackendFuture, Document, Failure, Outcome};

/// Path of the service.
pub(crate) const PATH: &str = "/redfish/v1/EventService";
/// Path of the collection of subscriptions.
const SUBSCRIPTIONS: &str = "/redfish/v1/EventService/Subscriptions";
/// Where server-sent events are read. It is no resource.
pub(crate) const STREAM: &str = "/redfish/v1/EventService/SSE";

/// The most repetitions of a delivery (`DeliveryRetryAttempts`).
pub(crate) const MAX_ATTEMPTS: u32 = 1000;
/// The longest time between two of them, in seconds (`DeliveryRetryIntervalSeconds`).
pub(crate) const MAX_INTERVAL_S: u32 = 86_400;

/// The part of the tree below [`PATH`].
pub(crate) struct EventService {
    events: Arc<Events>,
}

/// Path of a subscription.
pub(crate) fn subscription_path(id: &str) -> String {
    format!("{SUBSCRIPTIONS}/{id}")
}

impl EventService {
    pub(crate) const fn new(events: Arc<Events>) -> Self {
        Self { events }
    }

    /// Whether the caller may change a subscription because it is his own.
    pub(crate) fn is_of(&self, id: &str, caller: &Caller) -> bool {
        match self.events.subscriptions.get(id) {
            Some(subscription) => subscription.definition().owner.is(caller),
            None => {
                let stream = self.events.streams.get(id);
                stream.is_some_and(|stream| stream.owner.is(caller))
            }
        }
    }

    /// Paths of the subscriptions of one owner.
    pub(crate) fn paths_of(&self, owner: &Owner) -> Vec<String> {
        let all = self.events.subscriptions.list();
        let own = all
            .iter()
            .filter(|one| one.definition().owner.is_same(owner));
        own.map(|one| subscription_path(one.id())).collect()
    }

    fn subscription(&self, id: &str) -> Result<Arc<Subscription>, Failure> {
        self.events.subscriptions.get(id).ok_or(Failure::NotFound)
    }

    fn collection(&self) -> Result<Document, Failure> {
        let subscriptions = self.events.subscriptions.list();
        let streams = self.events.streams.list();
        let ids = subscriptions.iter().map(|one| one.id().to_owned());
        let ids = ids.chain(streams.iter().map(|stream| stream.id()));
        let members = ids
            .map(|id| Reference::to(subscription_path(&id)))
            .collect();
        let kind = &event_destination::COLLECTION;
        let name = "Event Subscriptions";
        Document::of(&Collection::new(kind, SUBSCRIPTIONS, name, members)).map(Document::insertable)
    }

    fn member(&self, id: &str) -> Result<Document, Failure> {
        if let Some(stream) = self.events.streams.get(id) {
            return subscription::of_stream(&stream);
        }
        subscription::document(&*self.subscription(id)?)
    }

    /// `PATCH` of the service itself.
    async fn set(&self, patch: &CheckedPatch) -> Result<(), Failure> {
        let mut kept = self.events.kept();
        let mut wrong = Vec::new();
        let mut number = |name: &str, value: &Value, least: u32, most: u32| {
            let found = value.as_u64().and_then(|value| u32::try_from(value).ok());
            let found = found.filter(|value| (least..=most).contains(value));
            if found.is_none() {
                let message = message::property_value_out_of_range(value.to_string(), name);
                let resolution = format!("Give a value from {least} to {most}.");
                wrong.push(
                    message
                        .about(format!("/{name}"))
                        .with_resolution(resolution),
                );
            }
            found
        };
        for (name, value) in patch.changes() {
            match name.as_str() {
                // null says that the client doesn't care.
                "ServiceEnabled" => kept.is_enabled = value.as_bool().unwrap_or(kept.is_enabled),
                "DeliveryRetryAttempts" => {
                    kept.attempts = number(name, value, 0, MAX_ATTEMPTS).unwrap_or(kept.attempts);
                }
                "DeliveryRetryIntervalSeconds" => {
                    kept.interval_s =
                        number(name, value, 1, MAX_INTERVAL_S).unwrap_or(kept.interval_s);
                }
                _ => {
                    return Err(Failure::PropertyNotWritable {
                        pointer: format!("/{name}"),
                    });
                }
            }
        }
        if !wrong.is_empty() {
            return Err(Failure::Messages(wrong));
        }
        self.events.keep(kept).await
    }

    async fn resume(
        &self,
        subscription: &Arc<Subscription>,
        call: &ActionCall,
    ) -> Result<(), Failure> {
        let name = "DeliverBufferedEventDuration";
        let after = match call.parameters.text(name) {
            // Without a duration, all that is still there.
            None => 0,
            Some(text) => {
                let duration = Duration::parse(text).ok_or_else(|| {
                    let action = call.action.name;
                    let message = message::action_parameter_value_format_error(text, name, action);
                    Failure::Messages(vec![message.about(format!("/{name}"))])
                })?;
                match duration.as_ms() {
                    0 => self.events.hub.published_to(),
                    age_ms => self.events.hub.number_before(age_ms),
                }
            }
        };
        self.events.direct(subscription, Some(after)).await
    }
}

impl Part for EventService {
    fn get(&self, rest: &[&str]) -> Result<Document, Failure> {
        match *rest {
            [] => service(&self.events),
            ["Subscriptions"] => self.collection(),
            ["Subscriptions", id] => self.member(id),
            _ => Err(Failure::NotFound),
        }
    }

    /// A stream tells of its own end.
    fn is_told(&self, rest: &[&str]) -> bool {
        !matches!(*rest, ["Subscriptions", id] if self.events.subscriptions.get(id).is_none())
    }

    /// Headers may be secrets.
    fn not_shown(&self, rest: &[&str]) -> Map<String, Value> {
        let subscription = match *rest {
            ["Subscriptions", id] => self.events.subscriptions.get(id),
            _ => None,
        };
        let headers = |one: &Definition| one.headers.iter().map(Header::to_json).collect();
        let headers = subscription.map(|one| headers(&one.definition()));
        let entry = headers.map(|headers| ("HttpHeaders".to_owned(), headers));
        entry.into_iter().collect()
    }

    fn patch<'a>(
        &'a self,
        rest: &'a [&'a str],
        patch: &'a CheckedPatch,
        _caller: &'a Caller,
    ) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            match *rest {
                [] => self.set(patch).await?,
                ["Subscriptions", id] => {
                    let subscription = self.subscription(id)?;
                    let definition = definition::changed(&subscription.definition(), patch)?;
                    self.events.redefine(&subscription, definition).await?;
                }
                _ => return Err(Failure::NotChangeable),
            }
            Ok(Outcome::Done)
        })
    }

    fn create<'a>(
        &'a self,
        _rest: &'a [&'a str],
        new: &'a CheckedCreate,
        caller: &'a Caller,
    ) -> BackendFuture<'a, Created> {
        Box::pin(async move {
            let owner = Owner::of(caller);
            let definition: Definition = definition::new(new, owner, self.events.settings())?;
            let id = self.events.subscribe(definition).await?;
            Ok(Created(subscription_path(&id)))
        })
    }

    fn delete<'a>(&'a self, rest: &'a [&'a str], _caller: &'a Caller) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            let ["Subscriptions", id] = *rest else {
                return Err(Failure::NotChangeable);
            };
            if self.events.streams.get(id).is_some() {
                self.events.streams.close(id);
                return Ok(());
            }
            self.events.unsubscribe(self.subscription(id)?.id()).await
        })
    }

    fn action<'a>(
        &'a self,
        rest: &'a [&'a str],
        call: &'a ActionCall,
        _caller: &'a Caller,
    ) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            match (rest, call.action.name) {
                ([], "EventService.SubmitTestEvent") => {
                    test_event::submit(&self.events.hub, call)?;
                }
                (["Subscriptions", id], "EventDestination.SuspendSubscription") => {
                    let subscription = self.subscription(id)?;
                    self.events.direct(&subscription, None).await?;
                    self.events
                        .tell(&subscription, resource_event::resource_changed());
                }
                (["Subscriptions", id], "EventDestination.ResumeSubscription") => {
                    let subscription = self.subscription(id)?;
                    self.resume(&subscription, call).await?;
                    self.events
                        .tell(&subscription, resource_event::resource_changed());
                }
                _ => return Err(Failure::NotFound),
            }
            Ok(Outcome::Done)
        })
    }
}

fn service(events: &Events) -> Result<Document, Failure> {
    let kept = events.kept();
    let mut resource = schema::EventService::new(PATH, "EventService", "Event Service");
    resource.service_enabled = Some(kept.is_enabled.into());
    resource.delivery_retry_attempts = Some(i64::from(kept.attempts));
    resource.delivery_retry_interval_seconds = Some(i64::from(kept.interval_s));
    resource.event_format_types = Some(EventFormatType::ALL.to_vec());
    let prefixes = REGISTRIES.iter().map(|registry| registry.prefix.to_owned());
    resource.registry_prefixes = Some(prefixes.collect());
    resource.exclude_registry_prefix = Some(true);
    resource.exclude_message_id = Some(true);
    resource.resource_types = Some(origin_types().map(str::to_owned).collect());
    resource.severities = Some(Health::ALL.to_vec());
    resource.subordinate_resources_supported = Some(true.into());
    resource.include_origin_of_condition_supported = Some(false.into());
    resource.server_sent_event_uri = Some(STREAM.to_owned());
    resource.sse_filter_properties_supported = Some(SSEFilterPropertiesSupported {
        event_format_type: Some(true),
        message_id: Some(true),
        metric_report_definition: Some(true),
        origin_resource: Some(true),
        registry_prefix: Some(true),
        resource_type: Some(true),
        subordinate_resources: Some(true),
    });
    resource.subscriptions = Some(Reference::to(SUBSCRIPTIONS));
    resource.status = Some(if kept.is_enabled {
        enabled()
    } else {
        Status {
            state: Some(State::Disabled.into()),
            ..enabled()
        }
    });
    let mut test =
        SubmitTestEventAction::new(format!("{PATH}/Actions/EventService.SubmitTestEvent"));
    test.message_severity_allowable_values = Some(Health::ALL.to_vec());
    resource.actions = Some(Actions {
        submit_test_event: Some(test),
    });
    Document::of(&resource).map(Document::changeable)
}

/// Types of resources that events can be about.
fn origin_types() -> impl Iterator<Item = &'static str> {
    let all = redfish_schema::all().iter().map(|kind| kind.name);
    all.filter(|name| is_origin_type(name))
}

/// Whether a type has instances with a path that an event can name.
fn is_origin_type(name: &str) -> bool {
    !name.ends_with("Collection") && resource_type(name).is_some_and(|kind| !kind.uris.is_empty())
}
