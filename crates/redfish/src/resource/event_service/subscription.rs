//! One subscription, as a GET shows it (DSP0268 "EventDestination").

use redfish_schema::event::EventType;
use redfish_schema::event_destination::{
    Actions, DeliveryRetryPolicy, EventDestination, EventDestinationProtocol, EventFormatType,
    ResumeSubscriptionAction, SubscriptionType, SuspendSubscriptionAction,
};
use redfish_schema::resource::{Condition, Health, State, Status};
use redfish_schema::{Nullable, Reference};

use super::super::enabled;
use super::subscription_path;
use crate::event::{Definition, Format, RetryPolicy, Standing, Stream, Subscription, health};
use crate::message;
use crate::{Document, Failure};

/// A subscription with a destination.
pub(super) fn document(subscription: &Subscription) -> Result<Document, Failure> {
    let definition = subscription.definition();
    let id = subscription.id();
    let path = subscription_path(id);
    let kind = Nullable::from(SubscriptionType::RedfishEvent);
    let context = Nullable::from(definition.context.clone());
    let mut resource =
        EventDestination::new(&*path, id, format!("Subscription {id}"), context, kind);
    resource.destination = Some(definition.destination.clone());
    resource.protocol = Some(EventDestinationProtocol::Redfish);
    resource.event_format_type = Some(match definition.format {
        Format::Event => EventFormatType::Event.into(),
        Format::MetricReport => EventFormatType::MetricReport.into(),
    });
    let definitions = definition.report_definitions.iter().map(Reference::to);
    resource.metric_report_definitions = Some(definitions.collect());
    show_filter(&mut resource, &definition);
    // What they hold may be secret.
    resource.http_headers = Some(Vec::new());
    resource.verify_certificate = Some(definition.verify_certificate.into());
    resource.delivery_retry_policy = Some(policy(definition.retry_policy).into());
    resource.include_origin_of_condition = Some(false.into());
    resource.send_heartbeat = Some(definition.heartbeat_min.is_some().into());
    resource.heartbeat_interval_minutes = definition
        .heartbeat_min
        .map(|minutes| i64::from(minutes).into());
    resource.status = Some(status(subscription, &definition));
    let target = |action: &str| format!("{path}/Actions/EventDestination.{action}");
    resource.actions = Some(Actions {
        resume_subscription: Some(ResumeSubscriptionAction::new(target("ResumeSubscription"))),
        suspend_subscription: Some(SuspendSubscriptionAction::new(target(
            "SuspendSubscription",
        ))),
    });
    Document::of(&resource).map(|document| document.changeable().deletable())
}

fn show_filter(resource: &mut EventDestination, definition: &Definition) {
    let filter = &definition.filter;
    let links = filter.origin_resources.iter().map(Reference::to);
    resource.registry_prefixes = Some(filter.registry_prefixes.clone());
    resource.exclude_registry_prefixes = Some(filter.exclude_registry_prefixes.clone());
    resource.message_ids = Some(filter.message_ids.clone());
    resource.exclude_message_ids = Some(filter.exclude_message_ids.clone());
    resource.origin_resources = Some(links.collect());
    resource.subordinate_resources = filter.subordinate_resources.map(Into::into);
    resource.resource_types = Some(filter.resource_types.clone());
    resource.severities = Some(filter.severities.iter().map(|one| health(*one)).collect());
    // A deprecated property: only who uses it sees it.
    let words = filter
        .event_types
        .iter()
        .filter_map(|word| EventType::from_word(word));
    resource.event_types = (!filter.event_types.is_empty()).then(|| words.collect());
}

fn status(subscription: &Subscription, definition: &Definition) -> Status {
    let delivery = subscription.delivery();
    let is_active = delivery.standing() == Standing::Active;
    let condition = delivery.trouble().map(|trouble| {
        let message = message::could_not_establish_connection(&*definition.destination);
        let mut condition = Condition::new(message.id());
        condition.message = Some(message.text());
        condition.message_args = Some(message.args().to_vec());
        condition.severity = Some(Health::Warning);
        condition.resolution = Some(trouble.to_owned());
        condition
    });
    Status {
        state: Some(
            if is_active {
                State::Enabled
            } else {
                State::Disabled
            }
            .into(),
        ),
        health: Some(
            if condition.is_some() {
                Health::Warning
            } else {
                Health::OK
            }
            .into(),
        ),
        conditions: condition.map(|condition| vec![condition]),
        ..Status::default()
    }
}

const fn policy(policy: RetryPolicy) -> DeliveryRetryPolicy {
    match policy {
        RetryPolicy::TerminateAfterRetries => DeliveryRetryPolicy::TerminateAfterRetries,
        RetryPolicy::SuspendRetries => DeliveryRetryPolicy::SuspendRetries,
        RetryPolicy::RetryForever => DeliveryRetryPolicy::RetryForever,
        RetryPolicy::RetryForeverWithBackoff => DeliveryRetryPolicy::RetryForeverWithBackoff,
    }
}

/// The subscription of a stream. It ends with the stream, and the stream with it.
pub(super) fn of_stream(stream: &Stream) -> Result<Document, Failure> {
    let id = stream.id();
    let kind = Nullable::from(SubscriptionType::SSE);
    let name = format!("Stream {id}");
    // The service says who reads: nobody gave it a context.
    let context = Nullable::from(format!("Server-sent events of {}", stream.owner.name()));
    let mut resource = EventDestination::new(subscription_path(&id), id, name, context, kind);
    // `Destination` would name the client's port too, which nobody knows behind a proxy.
    let client = stream.client.map(|client| format!(" to {client}"));
    let filter = stream
        .query
        .as_ref()
        .map(|query| format!(", $filter={}", query.text()));
    let about = format!(
        "Events{}{}",
        client.unwrap_or_default(),
        filter.unwrap_or_default()
    );
    resource.description = Some(about.into());
    resource.protocol = Some(EventDestinationProtocol::Redfish);
    resource.event_format_type = Some(EventFormatType::Event.into());
    resource.status = Some(enabled());
    Document::of(&resource).map(Document::deletable)
}
