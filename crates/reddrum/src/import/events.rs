//! Subscriptions and the rules of their delivery.

use std::collections::BTreeMap;

use redfish::{DestinationSettings, EventRules, Import, NewSubscription};
use serde_json::{Map, Value};

use super::files::{File, Files};
use super::report::Report;
use crate::error::ProgramError;

/// Adds all that can be taken over. RedDrum doesn't know who subscribed; `owner` did, from now on.
pub(super) fn read(
    files: &Files,
    owner: Option<&str>,
    import: &mut Import,
    report: &mut Report,
) -> Result<(), ProgramError> {
    let mut subscriptions: BTreeMap<String, Value> = BTreeMap::new();
    for file in [File::Subscriptions, File::NewSubscriptions] {
        let more: Option<BTreeMap<String, Value>> = files.json(file)?;
        subscriptions.extend(more.unwrap_or_default());
    }
    for (id, subscription) in &subscriptions {
        let what = format!("Subscription {id}");
        match (subscription.as_object(), owner) {
            (Some(subscription), Some(owner)) => {
                add(&what, subscription, owner, import, report);
            }
            (None, _) => report.left(&what, "no subscription has this form"),
            (_, None) => report.left(&what, "there is no administrator that it could belong to"),
        }
    }
    if let Some(service) = files.object(File::EventService)? {
        set_rules(&service, import, report);
    }
    Ok(())
}

fn add(
    what: &str,
    old: &Map<String, Value>,
    owner: &str,
    import: &mut Import,
    report: &mut Report,
) {
    let text = |name: &str| old.get(name).and_then(Value::as_str);
    let Some(destination) = text("EventDestination").or_else(|| text("Destination")) else {
        report.left(what, "it has no destination");
        return;
    };
    if text("Protocol").is_some_and(|protocol| protocol != "Redfish") {
        report.left(what, "its protocol isn't Redfish");
        return;
    }
    let types = old.get("EventTypes").and_then(Value::as_array);
    let types = types.into_iter().flatten().filter_map(Value::as_str);
    let event_types: Vec<String> = types.map(str::to_owned).collect();
    let new = NewSubscription {
        destination,
        context: text("Context").unwrap_or_default(),
        event_types: &event_types,
        owner,
    };
    // Where events may go is decided when the configuration is there; what is refused by default isn't slipped in.
    match import.add_subscription(&new, &DestinationSettings::default()) {
        Ok(()) => report.taken(what, &format!("{destination}, belongs to {owner}")),
        Err(error) => report.left(what, &format!("{destination}: {error}")),
    }
}

fn set_rules(service: &Map<String, Value>, import: &mut Import, report: &mut Report) {
    let number = |name: &str| {
        let value = service.get(name).and_then(Value::as_u64);
        value.and_then(|number| u32::try_from(number).ok())
    };
    let rules = EventRules {
        is_enabled: service.get("ServiceEnabled").and_then(Value::as_bool),
        attempts: number("DeliveryRetryAttempts"),
        interval_s: number("DeliveryRetryIntervalSeconds"),
    };
    match import.set_event_rules(&rules) {
        Ok(()) => {
            if let (Some(attempts), Some(interval)) = (rules.attempts, rules.interval_s) {
                let text = format!("{attempts} more attempts, every {interval} s");
                report.taken("EventService", &text);
            }
        }
        Err(error) => {
            let text = format!("its rules stay as they are by default: {error}");
            report.left("EventService", &text);
        }
    }
}
