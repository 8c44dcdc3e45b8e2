//! A resource, serialised once.

use std::cell::RefCell;
use std::io;

use bytes::Bytes;
use redfish_schema::{Resource, ResourceType};
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use serde_json::{Map, Value};

use crate::change::with_annotations;
use crate::coding::CodedForms;
use crate::etag::ETag;
use crate::{Failure, settings_resource};

/// The JSON of one resource together with its type.
///
/// A plain GET sends these bytes as they are. Only `$expand`, `$select` and PATCH look inside.
#[derive(Debug, Clone)]
pub struct Document {
    resource: &'static ResourceType,
    json: Bytes,
    methods: Methods,
    derived: Option<Derived>,
}

/// What is made of the bytes once and shared by all clones.
#[derive(Debug, Clone)]
struct Derived {
    tag: ETag,
    forms: CodedForms,
}

/// What can be done to a resource besides reading it.
#[derive(Debug, Clone, Copy, Default)]
struct Methods {
    changeable: bool,
    insertable: bool,
    deletable: bool,
    settable_later: bool,
}

/// How much memory a thread keeps for writing documents, in bytes. Most are smaller.
const MAX_SCRATCH: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Beyond this not every whole number has an `f64`: 2⁵³.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Compact JSON with `61` instead of `61.0`: in Redfish a number is a number, and people read it.
struct PlainNumbers;

impl Formatter for PlainNumbers {
    fn write_f64<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        if value.fract() == 0.0 && value.abs() < MAX_WHOLE {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole and in range, as just checked"
            )]
            return self.write_i64(writer, value as i64);
        }
        CompactFormatter.write_f64(writer, value)
    }
}

impl Document {
    /// Serialises a resource that no PATCH can change.
    ///
    /// # Errors
    /// [`Failure::Internal`] if it can't be serialised: a map with keys that are no strings, say.
    pub fn of(resource: &impl Resource) -> Result<Self, Failure> {
        let kind = resource.resource_type();
        // Written into memory that is there already, and copied: a new buffer for each would grow several times.
        let written = SCRATCH.with_borrow_mut(|json| {
            json.clear();
            json.shrink_to(MAX_SCRATCH);
            let mut serializer = Serializer::with_formatter(&mut *json, PlainNumbers);
            let written = resource.serialize(&mut serializer);
            written.map(|()| Bytes::copy_from_slice(json))
        });
        match written {
            Ok(json) => Ok(Self::from_json(kind, json)),
            Err(error) => Err(Failure::Internal(format!("{}: {error}", kind.name))),
        }
    }

    /// Takes bytes that are already the JSON of such a resource. Cloning the document then shares them.
    #[must_use]
    pub const fn from_json(resource: &'static ResourceType, json: Bytes) -> Self {
        Self {
            resource,
            json,
            methods: Methods {
                changeable: false,
                insertable: false,
                deletable: false,
                settable_later: false,
            },
            derived: None,
        }
    }

    /// The same document, which is going to be the answer more than once: its entity tag is made now, its compressed
    /// forms when they are first asked for, and all clones share them.
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.derived = Some(Derived {
            tag: ETag::of(&self.json),
            forms: CodedForms::default(),
        });
        self
    }

    /// The same document, in a state that has this number: its entity tag changes with the number, too, since not all of the
    /// state is shown. A PATCH of a password is a change that the next one's `If-Match` must meet.
    pub(crate) fn of_generation(mut self, generation: u64) -> Self {
        self.derived = Some(Derived {
            tag: ETag::of_generation(&self.json, generation),
            forms: CodedForms::default(),
        });
        self
    }

    /// The entity tag of the whole document.
    pub(crate) fn tag(&self) -> ETag {
        match &self.derived {
            Some(derived) => derived.tag,
            None => ETag::of(&self.json),
        }
    }

    /// Where the compressed forms of the whole document are kept, if they are.
    pub(crate) fn forms(&self) -> Option<&CodedForms> {
        self.derived.as_ref().map(|derived| &derived.forms)
    }

    /// The same resource, with at least one property that PATCH can change. It then shows PATCH in its
    /// `Allow` header; without this a PATCH is answered with 405 and never reaches the backend.
    #[must_use]
    pub const fn changeable(mut self) -> Self {
        self.methods.changeable = true;
        self
    }

    /// Whether PATCH can change something.
    #[must_use]
    pub const fn is_changeable(&self) -> bool {
        self.methods.changeable
    }

    /// The same collection, to which POST adds members. Without this a POST is answered with 405.
    #[must_use]
    pub const fn insertable(mut self) -> Self {
        self.methods.insertable = true;
        self
    }

    /// The same resource, which DELETE removes. Without this a DELETE is answered with 405.
    #[must_use]
    pub const fn deletable(mut self) -> Self {
        self.methods.deletable = true;
        self
    }

    /// The same [changeable](Self::changeable) resource at `path`, with a settings resource, `path/Settings`, for what
    /// shall be changed later (DSP0266 "Settings resource"). The service has all to do with it; the backend says with
    /// [`check`](crate::Backend::check) what it would take, and is given a `patch` when the time has come.
    #[must_use]
    pub fn settable_later(self, path: &str) -> Self {
        let mut annotations = Map::new();
        let annotation = settings_resource::annotation(path);
        annotations.insert(settings_resource::SETTINGS.to_owned(), annotation);
        let json = with_annotations(&self, &annotations);
        let mut document = self.with_json(json);
        document.methods.settable_later = true;
        document
    }

    /// Whether it has a settings resource.
    #[must_use]
    pub const fn is_settable_later(&self) -> bool {
        self.methods.settable_later
    }

    /// The same resource with this `@Redfish.Settings` in place of the one before. Its entity tag doesn't count `etag`,
    /// which becomes a member of the annotation: it is the tag of an earlier state, maybe of this one.
    pub(crate) fn with_settings(self, annotation: &Value, etag: Option<&str>) -> Self {
        let Ok(mut object) = serde_json::from_slice::<Map<String, Value>>(&self.json) else {
            return self;
        };
        object.insert(settings_resource::SETTINGS.to_owned(), annotation.clone());
        let Ok(counted) = serde_json::to_vec(&object) else {
            return self;
        };
        let Some(etag) = etag else {
            return self.with_json(counted.into());
        };
        object[settings_resource::SETTINGS]["ETag"] = etag.into();
        let json = serde_json::to_vec(&object).unwrap_or_default().into();
        let derived = Some(Derived {
            tag: ETag::of(&counted),
            forms: CodedForms::default(),
        });
        Self {
            json,
            derived,
            ..self
        }
    }

    /// The methods that the resource has, as the `Allow` header names them (DSP0266 "Response headers").
    #[must_use]
    pub const fn allow(&self) -> &'static str {
        let Methods {
            changeable,
            insertable,
            deletable,
            settable_later: _,
        } = self.methods;
        match (changeable, insertable, deletable) {
            (false, false, false) => "GET, HEAD",
            (true, false, false) => "GET, HEAD, PATCH",
            (false, true, false) => "GET, HEAD, POST",
            (false, false, true) => "GET, HEAD, DELETE",
            (true, true, false) => "GET, HEAD, PATCH, POST",
            (true, false, true) => "GET, HEAD, PATCH, DELETE",
            (false, true, true) => "GET, HEAD, POST, DELETE",
            (true, true, true) => "GET, HEAD, PATCH, POST, DELETE",
        }
    }

    /// The same resource with other JSON.
    pub(crate) fn with_json(self, json: Bytes) -> Self {
        Self {
            json,
            derived: None,
            ..self
        }
    }

    /// The same resource without some of its properties.
    pub(crate) fn without(self, names: &[String]) -> Self {
        if names.is_empty() {
            return self;
        }
        let Ok(mut object) = serde_json::from_slice::<Map<String, Value>>(&self.json) else {
            return self;
        };
        let before = object.len();
        object.retain(|name, _| {
            let property = name.split_once('@').map_or(name.as_str(), |(name, _)| name);
            property.is_empty() || !names.iter().any(|hidden| hidden == property)
        });
        if object.len() == before {
            return self;
        }
        match serde_json::to_vec(&object) {
            Ok(json) => Self {
                json: json.into(),
                derived: None,
                ..self
            },
            Err(_) => self,
        }
    }

    /// Whether POST adds members.
    #[must_use]
    pub const fn is_insertable(&self) -> bool {
        self.methods.insertable
    }

    /// Whether DELETE removes it.
    #[must_use]
    pub const fn is_deletable(&self) -> bool {
        self.methods.deletable
    }

    /// The resource's type.
    #[must_use]
    pub const fn resource(&self) -> &'static ResourceType {
        self.resource
    }

    /// The JSON text, UTF-8.
    #[must_use]
    pub const fn json(&self) -> &Bytes {
        &self.json
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[test]
    fn whole_numbers_are_written_without_a_fraction() {
        for (value, text) in [
            (61.0, "61"),
            (-3.0, "-3"),
            (-0.0, "0"),
            (12.1, "12.1"),
            (1e-7, "1e-7"),
            (1e300, "1e+300"),
        ] {
            let mut json = Vec::new();
            value
                .serialize(&mut Serializer::with_formatter(&mut json, PlainNumbers))
                .unwrap();
            assert_eq!(String::from_utf8(json).unwrap(), text);
        }
    }
}
