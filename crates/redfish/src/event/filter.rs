//! Which events a subscriber wants (DSP0266 "Event message subscription").

use serde::{Deserialize, Serialize};

use super::Record;
use crate::message::{REGISTRIES, Severity};

/// The filter of a subscription. An empty list chooses everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EventFilter {
    pub(crate) registry_prefixes: Vec<String>,
    pub(crate) exclude_registry_prefixes: Vec<String>,
    pub(crate) message_ids: Vec<String>,
    pub(crate) exclude_message_ids: Vec<String>,
    /// Paths.
    pub(crate) origin_resources: Vec<String>,
    /// Whether what is below the origin resources counts too.
    pub(crate) subordinate_resources: Option<bool>,
    /// Names of types, `ComputerSystem`.
    pub(crate) resource_types: Vec<String>,
    pub(crate) severities: Vec<Severity>,
    /// The deprecated words that clients from before message registries choose by.
    pub(crate) event_types: Vec<String>,
}

/// A message as a filter names it: registry and key, whatever the version (DSP0268 "EventDestination", `MessageIds`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MessageRef<'a> {
    /// None where only the key was given.
    prefix: Option<&'a str>,
    key: &'a str,
}

impl<'a> MessageRef<'a> {
    /// Takes `Prefix.Key`, `Prefix.1.3.Key`, `Prefix.1.3.0.Key` and a lone `Key` apart.
    pub(crate) fn of(id: &'a str) -> Self {
        match (id.split_once('.'), id.rsplit_once('.')) {
            (Some((prefix, _)), Some((_, key))) => Self {
                prefix: Some(prefix),
                key,
            },
            _ => Self {
                prefix: None,
                key: id,
            },
        }
    }

    /// Whether the message with this identifier is meant.
    pub(crate) fn is_of(self, id: &str) -> bool {
        self.fits(MessageRef::of(id))
    }

    /// The registry that an identifier names.
    pub(crate) fn prefix_of(id: &str) -> Option<&str> {
        MessageRef::of(id).prefix
    }

    /// Whether both name the same message.
    fn fits(self, other: MessageRef<'_>) -> bool {
        self.key == other.key && (self.prefix.is_none() || self.prefix == other.prefix)
    }

    /// Whether one of the registries that the service sends from has it.
    pub(crate) fn is_known(self) -> bool {
        REGISTRIES.iter().any(|registry| {
            self.prefix.is_none_or(|prefix| prefix == registry.prefix)
                && registry.entries.iter().any(|entry| entry.key == self.key)
        })
    }
}

impl EventFilter {
    /// Whether the subscriber wants it.
    pub(crate) fn accepts(&self, record: &Record) -> bool {
        let message = MessageRef::of(&record.message_id);
        let is_of = |prefixes: &[String]| {
            prefixes
                .iter()
                .any(|prefix| Some(prefix.as_str()) == message.prefix)
        };
        let is_in = |ids: &[String]| ids.iter().any(|id| MessageRef::of(id).fits(message));
        // A message that is named is wanted although its registry isn't.
        let is_any = self.registry_prefixes.is_empty() && self.message_ids.is_empty();
        let is_named = is_any || is_of(&self.registry_prefixes) || is_in(&self.message_ids);
        is_named
            && !is_of(&self.exclude_registry_prefixes)
            && !is_in(&self.exclude_message_ids)
            && self.accepts_origin(record.origin.as_deref())
            && is_one_of(&self.resource_types, record.resource_type.as_ref())
            && is_one_of(&self.severities, Some(&record.severity))
            && is_one_of(&self.event_types, Some(&record.event_type))
    }

    fn accepts_origin(&self, origin: Option<&str>) -> bool {
        let below = self.subordinate_resources == Some(true);
        self.origin_resources.is_empty()
            || origin.is_some_and(|origin| {
                let wanted = &self.origin_resources;
                wanted.iter().any(|path| is_at(origin, path, below))
            })
    }
}

/// Whether `origin` is the resource at `path`, or with `below` one under it.
pub(crate) fn is_at(origin: &str, path: &str, below: bool) -> bool {
    origin.strip_prefix(path).is_some_and(|rest| {
        rest.is_empty() || (below && (rest.starts_with('/') || rest.starts_with('#')))
    })
}

fn is_one_of<T: PartialEq>(list: &[T], value: Option<&T>) -> bool {
    list.is_empty() || value.is_some_and(|value| list.contains(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;
    use crate::message::{resource_event, sensor_event};
    use redfish_schema::DateTime;

    const SENSOR: &str = "/redfish/v1/Chassis/1/Sensors/Inlet";

    fn hot() -> Record {
        let event = Event {
            message: sensor_event::reading_above_upper_critical_threshold(
                "Inlet", "61", "Cel", "60",
            ),
            origin: Some(SENSOR.to_owned()),
            resource_type: Some("Sensor"),
        };
        Record::of(&event, DateTime::from_unix_ms(0))
    }

    fn created() -> Record {
        let event = Event {
            message: resource_event::resource_created(),
            origin: None,
            resource_type: None,
        };
        Record::of(&event, DateTime::from_unix_ms(0))
    }

    fn list(items: &[&str]) -> Vec<String> {
        items.iter().map(|&item| item.to_owned()).collect()
    }

    /// Whether the filter wants the hot sensor, and the new resource.
    fn wants(change: impl FnOnce(&mut EventFilter)) -> (bool, bool) {
        let mut filter = EventFilter::default();
        change(&mut filter);
        (filter.accepts(&hot()), filter.accepts(&created()))
    }

    #[test]
    fn each_list_chooses_and_an_empty_filter_chooses_everything() {
        assert_eq!(wants(|_| {}), (true, true));
        assert_eq!(
            wants(|f| f.registry_prefixes = list(&["SensorEvent"])),
            (true, false)
        );
        assert_eq!(
            wants(|f| f.exclude_registry_prefixes = list(&["SensorEvent"])),
            (false, true)
        );
        assert_eq!(
            wants(|f| f.resource_types = list(&["Sensor", "Fan"])),
            (true, false)
        );
        assert_eq!(wants(|f| f.severities = vec![Severity::Ok]), (false, true));
        assert_eq!(wants(|f| f.event_types = list(&["Alert"])), (true, false));
    }

    #[test]
    fn a_message_is_named_with_or_without_version_and_registry() {
        let key = "ReadingAboveUpperCriticalThreshold";
        for id in [
            format!("SensorEvent.{key}"),
            format!("SensorEvent.1.0.{key}"),
            format!("SensorEvent.2.7.1.{key}"),
            key.to_owned(),
        ] {
            assert!(MessageRef::of(&id).is_known(), "{id}");
            assert_eq!(
                wants(|f| f.message_ids = vec![id.clone()]),
                (true, false),
                "{id}"
            );
            assert_eq!(
                wants(|f| f.exclude_message_ids = vec![id.clone()]),
                (false, true),
                "{id}"
            );
        }
        for id in [
            format!("ResourceEvent.{key}"),
            "Critical".to_owned(),
            String::new(),
        ] {
            assert!(!MessageRef::of(&id).is_known(), "{id}");
            assert_eq!(
                wants(|f| f.message_ids = vec![id.clone()]),
                (false, false),
                "{id}"
            );
        }
    }

    #[test]
    fn a_message_that_is_named_comes_although_its_registry_is_not() {
        let both = wants(|f| {
            f.registry_prefixes = list(&["ResourceEvent"]);
            f.message_ids = list(&["SensorEvent.ReadingAboveUpperCriticalThreshold"]);
        });
        assert_eq!(both, (true, true));
    }

    #[test]
    fn an_origin_is_the_resource_itself_or_with_subordinates_what_is_below() {
        for (origin, below, expected) in [
            (SENSOR, None, true),
            ("/redfish/v1/Chassis/1", None, false),
            ("/redfish/v1/Chassis/1", Some(false), false),
            ("/redfish/v1/Chassis/1", Some(true), true),
            ("/redfish/v1/Chassis", Some(true), true),
            ("/redfish/v1/Cha", Some(true), false),
            ("/redfish/v1/Chassis/1/Sensors/Inle", Some(true), false),
        ] {
            let found = wants(|f| {
                f.origin_resources = list(&["/redfish/v1/Nothing", origin]);
                f.subordinate_resources = below;
            });
            assert_eq!(found, (expected, false), "{origin} {below:?}");
        }
    }
}
