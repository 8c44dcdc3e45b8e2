//! One event as subscribers get it: an `EventRecord` (DSP0268 "Event").

use redfish_schema::event::{self, EventRecord, EventType};
use redfish_schema::resource::Health;
use redfish_schema::{DateTime, Reference};
use serde::{Deserialize, Serialize};

use super::Event;
use crate::message::{self, Severity};

/// An event with its number and time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Its place among all events of the service: greater than that of every earlier one, also after a restart.
    pub(crate) number: u64,
    /// The `EventId`, where that isn't the number: who asks for a test event may choose it.
    pub(crate) event_id: Option<String>,
    /// When it happened, in milliseconds since 1970.
    pub(crate) time_ms: i64,
    /// The word of the schema.
    pub(crate) event_type: String,
    pub(crate) message_id: String,
    pub(crate) message: Option<String>,
    pub(crate) args: Vec<String>,
    pub(crate) severity: Severity,
    pub(crate) resolution: Option<String>,
    pub(crate) origin: Option<String>,
    pub(crate) resource_type: Option<String>,
    /// What it has in common with others of the same cause.
    pub(crate) group: Option<i64>,
}

impl Record {
    /// The record of `event`; the hub gives it its number.
    pub(crate) fn of(event: &Event, now: DateTime) -> Self {
        let message = &event.message;
        Self {
            number: 0,
            event_id: None,
            time_ms: now.unix_ms(),
            event_type: event_type_of(message.key(), message.severity()).to_string(),
            message_id: message.id(),
            message: Some(message.text()),
            args: message.args().to_vec(),
            severity: message.severity(),
            resolution: Some(message.resolution().to_owned()),
            origin: event.origin.clone(),
            resource_type: event.resource_type.map(str::to_owned),
            group: None,
        }
    }

    /// The JSON of an `EventRecord`. Numbers are unique, so they serve as `MemberId` in any array.
    pub(crate) fn json(&self) -> Vec<u8> {
        let kind = EventType::from_word(&self.event_type).unwrap_or(EventType::Other);
        let mut record = EventRecord::new(self.number.to_string(), kind, &*self.message_id);
        let id = self.event_id.clone();
        record.event_id = Some(id.unwrap_or_else(|| self.number.to_string()));
        record.event_group_id = self.group;
        record.event_timestamp = Some(DateTime::from_unix_ms(self.time_ms));
        record.message_severity = Some(health(self.severity));
        record.message.clone_from(&self.message);
        record.message_args = Some(self.args.clone());
        record.origin_of_condition = self.origin.as_deref().map(Reference::to);
        record.resolution.clone_from(&self.resolution);
        serde_json::to_vec(&record).unwrap_or_default()
    }

    /// The message that says that events may be lost.
    pub(crate) fn of_loss(now: DateTime) -> Self {
        let event = Event {
            message: message::event_buffer_exceeded(),
            origin: Some(crate::resource::event_service::PATH.to_owned()),
            resource_type: Some("EventService"),
        };
        Self::of(&event, now)
    }
}

/// The word of the schema for a severity.
pub(crate) const fn health(severity: Severity) -> Health {
    match severity {
        Severity::Ok => Health::OK,
        Severity::Warning => Health::Warning,
        Severity::Critical => Health::Critical,
    }
}

/// `EventType` is deprecated and required. Clients from before message registries choose by it.
pub(crate) fn event_type_of(key: &str, severity: Severity) -> EventType {
    match key {
        "ResourceCreated" => EventType::ResourceAdded,
        "ResourceRemoved" => EventType::ResourceRemoved,
        "ResourceChanged" => EventType::ResourceUpdated,
        _ if key.starts_with("ResourceSta") || key.starts_with("ResourcePower") => {
            EventType::StatusChange
        }
        _ if severity == Severity::Ok => EventType::Other,
        _ => EventType::Alert,
    }
}

/// The payload with these records, each the JSON of one (DSP0266 "Event message objects"). `id` is that of the payload.
pub(crate) fn payload<'a>(
    id: u64,
    context: Option<&str>,
    records: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<u8> {
    let mut envelope = event::Event::new(id.to_string(), "Event Array", Vec::new());
    envelope.context = context.map(str::to_owned);
    let mut payload = serde_json::to_vec(&envelope).unwrap_or_default();
    // The records are JSON already; the array is the envelope's last property.
    payload.truncate(payload.len().saturating_sub(2));
    for (index, record) in records.into_iter().enumerate() {
        if index > 0 {
            payload.push(b',');
        }
        payload.extend_from_slice(record);
    }
    payload.extend_from_slice(b"]}");
    payload
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::resource_event;

    fn record(number: u64) -> Record {
        let event = Event {
            message: resource_event::resource_status_changed_critical(
                "/redfish/v1/Systems/1",
                "Critical",
            ),
            origin: Some("/redfish/v1/Systems/1".to_owned()),
            resource_type: Some("ComputerSystem"),
        };
        let mut record = Record::of(&event, DateTime::from_unix_ms(0));
        record.number = number;
        record
    }

    #[test]
    fn a_payload_fits_the_schema_whatever_number_of_records_it_has() {
        let records = [record(1), record(2), record(3)].map(|r| r.json());
        for count in 0..=3 {
            for context in [None, Some("from \"me\"")] {
                let records = records[..count].iter().map(Vec::as_slice);
                let json: serde_json::Value =
                    serde_json::from_slice(&payload(7, context, records)).unwrap();
                assert!(redfish_schema::validate(&json).is_empty(), "{json}");
                assert_eq!(json["Events"].as_array().unwrap().len(), count);
                assert_eq!(json["Context"].as_str(), context);
            }
        }
    }

    #[test]
    fn a_record_says_what_happened_when_and_to_what() {
        let json: serde_json::Value = serde_json::from_slice(&record(12).json()).unwrap();
        assert_eq!(json["EventId"], "12");
        assert_eq!(
            json["MessageId"],
            "ResourceEvent.1.3.ResourceStatusChangedCritical"
        );
        assert_eq!(json["MessageArgs"][1], "Critical");
        assert_eq!(json["MessageSeverity"], "Critical");
        assert_eq!(json["EventTimestamp"], "1970-01-01T00:00:00Z");
        assert_eq!(
            json["OriginOfCondition"]["@odata.id"],
            "/redfish/v1/Systems/1"
        );
        assert_eq!(json["EventType"], "StatusChange");
    }

    #[test]
    fn a_record_is_the_same_after_it_was_stored() {
        let stored = serde_json::to_vec(&record(5)).unwrap();
        assert_eq!(
            serde_json::from_slice::<Record>(&stored).unwrap(),
            record(5)
        );
    }
}
