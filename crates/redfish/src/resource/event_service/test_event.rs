//! `EventService.SubmitTestEvent`: an event that a client makes up, for everybody who wants such an event.

use redfish_schema::DateTime;
use redfish_schema::event::EventType;
use serde_json::Value;

use crate::event::{Hub, Record, event_type_of, now};
use crate::message::{self, Entry, REGISTRIES, Severity};
use crate::{ActionCall, Failure, Path};

/// The longest text in a test event, in bytes.
const MAX_TEXT: usize = 1024;
/// The most arguments of its message.
const MAX_ARGS: usize = 16;

/// Publishes the event.
pub(super) fn submit(hub: &Hub, call: &ActionCall) -> Result<(), Failure> {
    if !hub.is_enabled() {
        return Err(Failure::Disabled {
            service: super::PATH,
        });
    }
    hub.publish_record(record(call)?);
    Ok(())
}

fn record(call: &ActionCall) -> Result<Record, Failure> {
    let parameters = &call.parameters;
    let wrong = |name: &str| {
        let message = message::action_parameter_value_error(name, call.action.name);
        Failure::Messages(vec![message.about(format!("/{name}"))])
    };
    let text = |name: &str| match parameters.text(name) {
        Some(text) if text.len() > MAX_TEXT || text.chars().any(char::is_control) => {
            Err(wrong(name))
        }
        text => Ok(text.map(str::to_owned)),
    };
    let message_id = text("MessageId")?.ok_or_else(|| wrong("MessageId"))?;
    let args = args(parameters.get("MessageArgs")).ok_or_else(|| wrong("MessageArgs"))?;
    let entry = entry(&message_id).map_err(|()| wrong("MessageId"))?;
    let message = match (text("Message")?, entry) {
        (Some(message), _) => Some(message),
        (None, Some(entry)) if entry.args.len() == args.len() => Some(entry.text_with(&args)),
        (None, Some(_)) => return Err(wrong("MessageArgs")),
        (None, None) => None,
    };
    let severity = parameters.text("MessageSeverity");
    // The deprecated spelling.
    let severity = match severity.or_else(|| parameters.text("Severity")) {
        None => entry.map_or(Severity::Ok, |entry| entry.severity),
        Some("OK") => Severity::Ok,
        Some("Warning") => Severity::Warning,
        Some("Critical") => Severity::Critical,
        Some(_) => return Err(wrong("Severity")),
    };
    let origin = match parameters.text("OriginOfCondition") {
        None => None,
        Some(path) => Some(Path::parse(path).map_err(|_| wrong("OriginOfCondition"))?),
    };
    let key = message_id.rsplit('.').next().unwrap_or_default();
    let event_type = parameters.text("EventType").and_then(EventType::from_word);
    let time = parameters.text("EventTimestamp").and_then(DateTime::parse);
    Ok(Record {
        number: 0,
        event_id: text("EventId")?,
        time_ms: time.unwrap_or_else(now).unix_ms(),
        event_type: event_type
            .unwrap_or_else(|| event_type_of(key, severity))
            .to_string(),
        message_id,
        message,
        args,
        severity,
        resolution: entry.map(|entry| entry.resolution.to_owned()),
        origin: origin.map(|path| path.as_str().to_owned()),
        resource_type: None,
        group: parameters.get("EventGroupId").and_then(Value::as_i64),
    })
}

fn args(given: Option<&Value>) -> Option<Vec<String>> {
    let Some(given) = given else {
        return Some(Vec::new());
    };
    let args = given.as_array()?;
    let is_good = |arg: &&str| arg.len() <= MAX_TEXT && !arg.chars().any(char::is_control);
    let texts = args
        .iter()
        .map(|arg| arg.as_str().filter(is_good).map(str::to_owned));
    let texts: Option<Vec<_>> = texts.collect();
    texts.filter(|texts| texts.len() <= MAX_ARGS)
}

/// The registry's entry of a message. A registry that isn't ours may have any message; ours has those that it has.
fn entry(message_id: &str) -> Result<Option<&'static Entry>, ()> {
    let (prefix, _) = message_id.split_once('.').ok_or(())?;
    let (_, key) = message_id.rsplit_once('.').ok_or(())?;
    let Some(registry) = REGISTRIES.iter().find(|registry| registry.prefix == prefix) else {
        return Ok(None);
    };
    let entry = registry.entries.iter().find(|entry| entry.key == key);
    entry.copied().map(Some).ok_or(())
}
