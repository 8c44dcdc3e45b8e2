//! What a client asks of a subscription, checked.

use redfish_schema::event_destination::{
    DeliveryRetryPolicy, EventDestinationProtocol, EventFormatType, SubscriptionType,
};
use redfish_schema::resource::Health;
use redfish_schema::{CheckedCreate, CheckedPatch};
use serde_json::Value;

use super::is_origin_type;
use crate::caller::Owner;
use crate::event::{
    Definition, Destination, DestinationSettings, EventFilter, Format, Header, MAX_FILTER_ITEMS,
    MAX_HEADERS_BYTES, MessageRef, RetryPolicy,
};
use crate::fault::shorten;
use crate::message::{self, Message, REGISTRIES, Severity};
use crate::resource::telemetry_service;
use crate::{Failure, Path};

/// The longest `Context`, in bytes.
pub(crate) const MAX_CONTEXT: usize = 1024;
/// How often a heartbeat is sent where the client says no interval, in minutes.
const HEARTBEAT_MIN: u16 = 10;

/// A new subscription.
///
/// # Errors
/// [`Failure::Messages`] names every property that can't be had.
pub(super) fn new(
    body: &CheckedCreate,
    owner: Owner,
    settings: &DestinationSettings,
) -> Result<Definition, Failure> {
    let mut check = Check::default();
    let text = |name| body.text(name).map(str::to_owned);
    let flag = |name| body.get(name).and_then(Value::as_bool);
    let destination = text("Destination").unwrap_or_default();
    if let Err(error) = Destination::parse(&destination, settings) {
        let message = message::property_value_error("Destination").about("/Destination");
        check.wrong.push(message.with_resolution(error.to_string()));
    }
    check.only(
        body,
        "Protocol",
        EventDestinationProtocol::Redfish.as_str(),
        "",
    );
    let stream = "Open ServerSentEventUri of the event service for a stream; its subscription comes with it.";
    check.only(
        body,
        "SubscriptionType",
        SubscriptionType::RedfishEvent.as_str(),
        stream,
    );
    let format = match body
        .text("EventFormatType")
        .and_then(EventFormatType::from_word)
    {
        Some(EventFormatType::MetricReport) => Format::MetricReport,
        _ => Format::Event,
    };
    if flag("IncludeOriginOfCondition") == Some(true) {
        check.not_in_list(
            "IncludeOriginOfCondition",
            "true",
            "/IncludeOriginOfCondition",
        );
    }
    let report_definitions = check.report_definitions(body);
    if format == Format::Event && !report_definitions.is_empty() {
        let message = message::property_value_error("MetricReportDefinitions");
        let message = message.about("/MetricReportDefinitions");
        let resolution =
            "Events have no metric report definition. Set EventFormatType to MetricReport.";
        check.wrong.push(message.with_resolution(resolution));
    }
    if body.get("BackupDestinations").is_some() {
        return Err(Failure::PropertyNotWritable {
            pointer: "/BackupDestinations".to_owned(),
        });
    }
    let context = text("Context");
    check.context(context.as_deref());
    let sends_heartbeat = flag("SendHeartbeat") == Some(true);
    let interval = body.get("HeartbeatIntervalMinutes").and_then(Value::as_u64);
    let interval = interval.and_then(|minutes| u16::try_from(minutes).ok());
    let definition = Definition {
        destination,
        context,
        filter: check.filter(body),
        headers: check.headers(body.get("HttpHeaders")),
        verify_certificate: flag("VerifyCertificate").unwrap_or(true),
        retry_policy: policy(body.text("DeliveryRetryPolicy")),
        heartbeat_min: sends_heartbeat.then(|| interval.unwrap_or(HEARTBEAT_MIN)),
        owner,
        is_suspended: false,
        format,
        report_definitions,
    };
    check.end(definition)
}

/// A subscription after a PATCH.
///
/// # Errors
/// [`Failure`] names what can't be changed, or not to that.
pub(super) fn changed(old: &Definition, patch: &CheckedPatch) -> Result<Definition, Failure> {
    let mut check = Check::default();
    let mut definition = old.clone();
    for (name, value) in patch.changes() {
        match name.as_str() {
            "Context" => {
                definition.context = value.as_str().map(str::to_owned);
                check.context(definition.context.as_deref());
            }
            "DeliveryRetryPolicy" => definition.retry_policy = policy(value.as_str()),
            "VerifyCertificate" => definition.verify_certificate = value.as_bool().unwrap_or(true),
            "HttpHeaders" => definition.headers = check.headers(Some(value)),
            _ => {
                return Err(Failure::PropertyNotWritable {
                    pointer: format!("/{name}"),
                });
            }
        }
    }
    check.end(definition)
}

/// The policy of this word; without one, events wait for their destination however long it is away.
fn policy(word: Option<&str>) -> RetryPolicy {
    match word.and_then(DeliveryRetryPolicy::from_word) {
        Some(DeliveryRetryPolicy::TerminateAfterRetries) => RetryPolicy::TerminateAfterRetries,
        Some(DeliveryRetryPolicy::SuspendRetries) => RetryPolicy::SuspendRetries,
        Some(DeliveryRetryPolicy::RetryForever) => RetryPolicy::RetryForever,
        Some(DeliveryRetryPolicy::RetryForeverWithBackoff) | None => {
            RetryPolicy::RetryForeverWithBackoff
        }
    }
}

/// What was found wrong so far.
#[derive(Default)]
struct Check {
    wrong: Vec<Message>,
}

impl Check {
    fn end(self, definition: Definition) -> Result<Definition, Failure> {
        if self.wrong.is_empty() {
            Ok(definition)
        } else {
            Err(Failure::Messages(self.wrong))
        }
    }

    fn not_in_list(&mut self, name: &str, value: &str, pointer: &str) {
        let value = shorten(value.to_owned());
        let message = message::property_value_not_in_list(value, name).about(pointer);
        self.wrong.push(message);
    }

    /// The property has this word or none.
    fn only(&mut self, body: &CheckedCreate, name: &str, word: &str, else_do: &str) {
        if let Some(other) = body.text(name).filter(|other| *other != word) {
            let message = message::property_value_not_in_list(other, name);
            let resolution = format!("The service has {word} only. {else_do}");
            let message = message.about(format!("/{name}"));
            self.wrong
                .push(message.with_resolution(resolution.trim_end()));
        }
    }

    fn context(&mut self, context: Option<&str>) {
        let is_bad = |text: &str| text.len() > MAX_CONTEXT || text.chars().any(char::is_control);
        if context.is_some_and(is_bad) {
            let resolution =
                format!("Give at most {MAX_CONTEXT} bytes without control characters.");
            let message = message::property_value_error("Context").about("/Context");
            self.wrong.push(message.with_resolution(resolution));
        }
    }

    fn filter(&mut self, body: &CheckedCreate) -> EventFilter {
        let is_prefix = |text: &str| REGISTRIES.iter().any(|registry| registry.prefix == text);
        let is_message = |text: &str| MessageRef::of(text).is_known();
        let is_event_type =
            |text: &str| redfish_schema::event::EventType::from_word(text).is_some();
        let mut severities = Vec::new();
        let words = self.list(body, "Severities", |text| Health::from_word(text).is_some());
        for word in words {
            severities.push(match Health::from_word(&word) {
                Some(Health::Critical) => Severity::Critical,
                Some(Health::Warning) => Severity::Warning,
                _ => Severity::Ok,
            });
        }
        EventFilter {
            registry_prefixes: self.list(body, "RegistryPrefixes", is_prefix),
            exclude_registry_prefixes: self.list(body, "ExcludeRegistryPrefixes", is_prefix),
            message_ids: self.list(body, "MessageIds", is_message),
            exclude_message_ids: self.list(body, "ExcludeMessageIds", is_message),
            resource_types: self.list(body, "ResourceTypes", is_origin_type),
            event_types: self.list(body, "EventTypes", is_event_type),
            origin_resources: self.origins(body),
            subordinate_resources: body.get("SubordinateResources").and_then(Value::as_bool),
            severities,
        }
    }

    /// The strings of a list, each of which has to be known.
    fn list(
        &mut self,
        body: &CheckedCreate,
        name: &str,
        is_known: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        self.items(body, name, |value| {
            let text = value.as_str()?;
            is_known(text).then(|| text.to_owned())
        })
    }

    fn origins(&mut self, body: &CheckedCreate) -> Vec<String> {
        self.items(body, "OriginResources", |value| {
            let path = Path::parse(value.get("@odata.id")?.as_str()?).ok()?;
            Some(path.as_str().to_owned())
        })
    }

    fn report_definitions(&mut self, body: &CheckedCreate) -> Vec<String> {
        self.items(body, "MetricReportDefinitions", |value| {
            let path = Path::parse(value.get("@odata.id")?.as_str()?).ok()?;
            let is_definition = telemetry_service::is_report_definition(&path);
            is_definition.then(|| path.as_str().to_owned())
        })
    }

    fn items(
        &mut self,
        body: &CheckedCreate,
        name: &str,
        read: impl Fn(&Value) -> Option<String>,
    ) -> Vec<String> {
        let Some(values) = body.get(name).and_then(Value::as_array) else {
            return Vec::new();
        };
        if values.len() > MAX_FILTER_ITEMS {
            let resolution = format!("Give at most {MAX_FILTER_ITEMS} values.");
            let message = message::property_value_error(name).about(format!("/{name}"));
            self.wrong.push(message.with_resolution(resolution));
            return Vec::new();
        }
        let mut items = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            match read(value) {
                Some(item) => items.push(item),
                None => {
                    let link = value.get("@odata.id").unwrap_or(value);
                    let text = link
                        .as_str()
                        .map_or_else(|| link.to_string(), str::to_owned);
                    self.not_in_list(name, &text, &format!("/{name}/{index}"));
                }
            }
        }
        items
    }

    fn headers(&mut self, given: Option<&Value>) -> Vec<Header> {
        let mut headers = Vec::new();
        for (index, object) in given
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .enumerate()
        {
            for (name, value) in object.as_object().into_iter().flatten() {
                match Header::new(name, value.as_str().unwrap_or_default()) {
                    Ok(header) => headers.push(header),
                    Err(why) => {
                        let pointer = format!("/HttpHeaders/{index}/{name}");
                        let message = message::property_value_error("HttpHeaders").about(pointer);
                        self.wrong.push(message.with_resolution(why));
                    }
                }
            }
        }
        if headers.iter().map(Header::len).sum::<usize>() > MAX_HEADERS_BYTES {
            let resolution = format!("Give at most {MAX_HEADERS_BYTES} bytes of headers.");
            let message = message::property_value_error("HttpHeaders").about("/HttpHeaders");
            self.wrong.push(message.with_resolution(resolution));
        }
        headers
    }
}
