//! JSON as text: what a query doesn't touch is copied byte by byte and keeps its order.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Where `part` stands in `whole`, of which it is a part.
pub(super) fn range_in(whole: &str, part: &RawValue) -> Range<usize> {
    let start = part.get().as_ptr().addr() - whole.as_ptr().addr();
    start..start + part.get().len()
}

/// Replaces parts of `json`. The ranges are in order and don't overlap.
pub(crate) fn splice(json: &str, parts: &[(Range<usize>, String)]) -> String {
    let added: usize = parts.iter().map(|(_, text)| text.len()).sum();
    let mut joined = String::with_capacity(json.len() + added);
    let mut copied = 0;
    for (range, text) in parts {
        joined.push_str(&json[copied..range.start]);
        joined.push_str(text);
        copied = range.end;
    }
    joined.push_str(&json[copied..]);
    joined
}

/// The members of a JSON object in their order, with values as text.
pub(crate) struct Members<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Where this leads, if it is a link and nothing else: `{"@odata.id": "..."}`.
    pub(super) fn as_link(&self) -> Option<String> {
        (self.0.len() == 1)
            .then(|| self.string("@odata.id"))
            .flatten()
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let (_, value) = self.0.iter().find(|(member, _)| member == name)?;
        Some(value)
    }

    pub(super) fn string(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }
}

/// A name that borrows from the document where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some(Name(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
