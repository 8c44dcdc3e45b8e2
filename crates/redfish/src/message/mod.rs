//! Messages of DMTF's message registries (DSP0268): one module a registry, one function a message.
//!
//! Texts, arguments, severities and resolutions are those of the registry, so that a client may rely on
//! `MessageId` and `MessageArgs` alone; but where a backend knows more, it says so with [`Message::with_text`] and
//! [`Message::with_resolution`]. Each registry has the messages that the service or its backends send. The Base
//! registry answers requests; the others are of events.

mod base;
pub mod heartbeat_event;
pub mod resource_event;
pub mod sensor_event;
pub mod task_event;
pub mod telemetry;
pub mod update;

pub use base::*;

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// A message registry.
pub struct Registry {
    /// The word before the version in a message's identifier, `Base`.
    pub(crate) prefix: &'static str,
    /// Major and minor version, as identifiers name it: `1.16`.
    pub(crate) version: &'static str,
    /// The version with its errata, `1.16.0`.
    pub(crate) full_version: &'static str,
    /// What people call it.
    pub(crate) name: &'static str,
    /// Its messages, sorted by key.
    pub(crate) entries: &'static [&'static Entry],
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.prefix, self.full_version)
    }
}

/// Every registry whose messages are sent.
pub(crate) static REGISTRIES: &[&Registry] = &[
    &REGISTRY,
    &heartbeat_event::REGISTRY,
    &resource_event::REGISTRY,
    &sensor_event::REGISTRY,
    &task_event::REGISTRY,
    &telemetry::REGISTRY,
    &update::REGISTRY,
];

/// How bad the condition behind a message is (`Resource.Health`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Severity {
    /// All is well.
    #[serde(rename = "OK")]
    Ok,
    /// A condition that needs attention.
    Warning,
    /// A condition that needs attention at once, or that ended the request.
    Critical,
}

/// One entry of the registry.
pub(crate) struct Entry {
    pub(crate) registry: &'static Registry,
    pub(crate) key: &'static str,
    /// When the service sends it.
    pub(crate) description: &'static str,
    /// What its arguments are, in order.
    pub(crate) args: &'static [&'static str],
    /// What each of them is: `string` or `number`.
    pub(crate) arg_types: &'static [&'static str],
    pub(crate) severity: Severity,
    pub(crate) text: &'static str,
    pub(crate) resolution: &'static str,
}

/// The registry lists its entries, and each entry names its registry: the name is enough.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.registry.prefix == other.registry.prefix && self.key == other.key
    }
}

impl Eq for Entry {}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.registry.prefix, self.key)
    }
}

impl Entry {
    /// The text with these arguments in place.
    pub(crate) fn text_with(&self, args: &[String]) -> String {
        let mut text = String::with_capacity(self.text.len() + 32);
        let mut pieces = self.text.split('%');
        text.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let index = piece.chars().next().and_then(|c| c.to_digit(10));
            match index.and_then(|n| args.get((n as usize).checked_sub(1)?)) {
                Some(arg) => {
                    text.push_str(arg);
                    text.push_str(&piece[1..]);
                }
                None => {
                    text.push('%');
                    text.push_str(piece);
                }
            }
        }
        text
    }
}

/// One message, as it stands in `@Message.ExtendedInfo` (DSP0266 "Error responses").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    entry: &'static Entry,
    args: Vec<String>,
    text: Option<String>,
    severity: Option<Severity>,
    resolution: Option<String>,
    related_properties: Vec<String>,
}

impl Message {
    const fn new(entry: &'static Entry, args: Vec<String>) -> Self {
        Self {
            entry,
            args,
            text: None,
            severity: None,
            resolution: None,
            related_properties: Vec::new(),
        }
    }

    /// The message's key in the registry, `PropertyUnknown`.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        self.entry.key
    }

    /// The message's identifier, `Base.1.16.PropertyUnknown`.
    #[must_use]
    pub fn id(&self) -> String {
        let registry = self.entry.registry;
        format!(
            "{}.{}.{}",
            registry.prefix, registry.version, self.entry.key
        )
    }

    /// The text: its own, or the registry's with the arguments in place.
    #[must_use]
    pub fn text(&self) -> String {
        let own = self.text.clone();
        own.unwrap_or_else(|| self.entry.text_with(&self.args))
    }

    /// The values that the text names, in the order of the registry.
    #[must_use]
    pub fn args(&self) -> &[String] {
        &self.args
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity.unwrap_or(self.entry.severity)
    }

    /// Says what happened and how bad it is, in place of the registry's words, for which all that can happen to a
    /// resource is the same (DSP0268 "Message": services may replace the severity by one that fits better).
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>, severity: Severity) -> Self {
        self.text = Some(text.into());
        self.severity = Some(severity);
        self
    }

    /// Says what to do, in place of the registry's own advice.
    #[must_use]
    pub fn with_resolution(mut self, resolution: impl Into<String>) -> Self {
        self.resolution = Some(resolution.into());
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn resolution(&self) -> &str {
        self.resolution.as_deref().unwrap_or(self.entry.resolution)
    }

    /// Names the property that the message is about, as a JSON pointer into the request body
    /// (`/Boot/BootSourceOverrideTarget`).
    #[must_use]
    pub fn about(mut self, pointer: impl AsRef<str>) -> Self {
        self.related_properties
            .push(format!("#{}", pointer.as_ref()));
        self
    }

    /// JSON pointers of the properties that the message is about, as URI fragments (`#/Boot`).
    #[must_use]
    pub fn related_properties(&self) -> &[String] {
        &self.related_properties
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = if self.related_properties.is_empty() {
            6
        } else {
            7
        };
        let mut message = serializer.serialize_struct("Message", fields)?;
        message.serialize_field("@odata.type", "#Message.v1_3_0.Message")?;
        message.serialize_field("MessageId", &self.id())?;
        message.serialize_field("Message", &self.text())?;
        message.serialize_field("MessageArgs", &self.args)?;
        message.serialize_field("MessageSeverity", &self.severity())?;
        message.serialize_field("Resolution", self.resolution())?;
        if !self.related_properties.is_empty() {
            message.serialize_field("RelatedProperties", &self.related_properties)?;
        }
        message.end()
    }
}

/// The `ParamTypes` word of an argument: text, unless it says that it is a number.
macro_rules! arg_type {
    () => {
        "string"
    };
    (number) => {
        "number"
    };
}
use arg_type;

/// Declares one function and one registry entry a line, so that the number of arguments is checked by the
/// compiler.
macro_rules! messages {
    ($prefix:literal, $version:literal, $errata:literal, $title:literal;
     $($(#[doc = $doc:literal])+ $name:ident($($arg:ident $(as $kind:ident)?),*): $key:literal, $severity:ident, $text:literal, $resolution:literal;)+) => {
        /// The entries, each by the name of its function.
        #[expect(non_upper_case_globals, reason = "a macro can't change the case of a name")]
        mod entry {
            use crate::message::{Entry, Severity};

            $(pub(super) static $name: Entry = Entry {
                registry: &super::REGISTRY,
                key: $key,
                description: concat!($($doc),+).trim_ascii_start(),
                args: &[$(stringify!($arg)),*],
                arg_types: &[$(crate::message::arg_type!($($kind)?)),*],
                severity: Severity::$severity,
                text: $text,
                resolution: $resolution,
            };)+
        }

        $(
            $(#[doc = $doc])+
            #[must_use]
            pub fn $name($($arg: impl Into<String>),*) -> Message {
                Message::new(&entry::$name, vec![$($arg.into()),*])
            }
        )+

        /// The registry of these messages.
        pub(crate) static REGISTRY: crate::message::Registry = crate::message::Registry {
            prefix: $prefix,
            version: $version,
            full_version: concat!($version, ".", $errata),
            name: $title,
            entries: &[$(&entry::$name),+],
        };

        #[cfg(test)]
        pub(super) fn one_of_each() -> Vec<Message> {
            vec![$($name($(concat!("<", stringify!($arg), ">")),*)),+]
        }
    };
}
use messages;

#[cfg(test)]
mod tests {
    use super::*;

    fn one_of_each() -> Vec<Message> {
        [
            base::one_of_each(),
            heartbeat_event::one_of_each(),
            resource_event::one_of_each(),
            sensor_event::one_of_each(),
            task_event::one_of_each(),
            telemetry::one_of_each(),
            update::one_of_each(),
        ]
        .concat()
    }

    #[test]
    fn every_message_uses_each_of_its_arguments() {
        for message in one_of_each() {
            let text = message.text();
            assert!(!text.contains('%'), "{text}");
            for arg in message.args() {
                assert!(text.contains(arg), "{arg} is missing in: {text}");
            }
        }
    }

    #[test]
    fn the_table_is_sorted_and_tells_when_a_message_is_sent() {
        for registry in REGISTRIES {
            assert!(registry.entries.is_sorted_by_key(|entry| entry.key));
            for entry in registry.entries {
                assert!(entry.description.ends_with(['.', ':']), "{entry:?}");
                assert!(!entry.description.starts_with(' '), "{entry:?}");
            }
        }
    }

    #[test]
    fn keys_are_unique_and_sorted_functions_share_no_entry() {
        let mut keys: Vec<_> = one_of_each().iter().map(Message::id).collect();
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }

    #[test]
    fn a_message_names_its_property_by_pointer() {
        let message = property_unknown("Colour").about("/Boot/Colour");
        let json = serde_json::to_value(&message).unwrap();
        assert_eq!(json["MessageId"], "Base.1.16.PropertyUnknown");
        assert_eq!(json["MessageArgs"], serde_json::json!(["Colour"]));
        assert_eq!(
            json["RelatedProperties"],
            serde_json::json!(["#/Boot/Colour"])
        );
        assert_eq!(json["MessageSeverity"], "Warning");
    }

    #[test]
    fn a_percent_sign_in_an_argument_stays_as_it_is() {
        assert_eq!(
            invalid_uri("/a%2fb").text(),
            "The URI /a%2fb was not found."
        );
    }
}
