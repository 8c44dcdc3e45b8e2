//! Reading a request body: bounded, and as strict as RFC 8259 lets one be.

use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{self, HeaderValue};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::error::Error;

/// The largest request body, in bytes. The largest that any served resource needs is a few hundred.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// The largest body of a login, which needs no login, in bytes.
pub const MAX_LOGIN_BYTES: usize = 4 * 1024;
/// How deep objects and arrays of a request body may nest.
pub const MAX_BODY_DEPTH: usize = 16;
/// How long a client may take to send a body, in seconds.
pub const BODY_TIMEOUT_S: u64 = 10;

/// Collects and parses the body of a POST or PATCH of at most `max_bytes`. A missing body is an empty object: actions without
/// parameters are commonly called so.
pub(crate) async fn read_object<B>(
    headers: &HeaderMap,
    body: B,
    max_bytes: usize,
) -> Result<Map<String, Value>, Error>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // A length that is declared is refused before the client has sent it.
    if usize::try_from(body.size_hint().lower()).map_or(true, |length| length > max_bytes) {
        return Err(Error::BodyTooLarge);
    }
    let limited = Limited::new(body, max_bytes);
    let bytes =
        match tokio::time::timeout(Duration::from_secs(BODY_TIMEOUT_S), limited.collect()).await {
            Ok(Ok(collected)) => collected.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(Error::BodyTooLarge),
            Ok(Err(_)) => return Err(Error::BodyBroken),
            Err(_) => return Err(Error::BodyTimeout),
        };
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    if !headers.get(header::CONTENT_TYPE).is_some_and(is_json) {
        return Err(Error::MediaType);
    }
    parse_object(&bytes)
}

/// Whether a `Content-Type` is JSON in UTF-8.
fn is_json(value: &HeaderValue) -> bool {
    let Ok(text) = value.to_str() else {
        return false;
    };
    let mut parts = text.split(';').map(str::trim);
    let json = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    json && parts.all(|parameter| {
        let charset = parameter
            .split_once('=')
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
            .map(|(_, value)| value.trim().trim_matches('"'));
        charset.is_none_or(|charset| charset.eq_ignore_ascii_case("utf-8"))
    })
}

/// Parses a JSON object. A property that stands twice is refused: which one is meant, nobody knows.
pub(crate) fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, Error> {
    let duplicate = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict {
        depth: MAX_BODY_DEPTH,
        duplicate: &duplicate,
    }
    .deserialize(&mut deserializer);
    if let Some(property) = duplicate.take() {
        return Err(Error::DuplicateProperty(property));
    }
    match (value, deserializer.end()) {
        (Ok(Value::Object(object)), Ok(())) => Ok(object),
        (Err(error), _) | (_, Err(error)) => Err(Error::Json(error.to_string())),
        (Ok(_), Ok(())) => Err(Error::Json("the body is no JSON object".to_owned())),
    }
}

/// Builds a [`Value`] as serde_json does, and stops at a duplicate or too deep a nesting.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    duplicate: &'a RefCell<Option<String>>,
}

impl Strict<'_> {
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth, ..self }),
            None => Err(E::custom(format_args!(
                "nested deeper than {MAX_BODY_DEPTH} levels"
            ))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(inner)? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if object.contains_key(&name) {
                self.duplicate.replace(Some(name));
                return Err(A::Error::custom("duplicate property"));
            }
            let value = entries.next_value_seed(inner)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_that_stands_twice_is_named() {
        for text in [
            r#"{"A":1,"A":1}"#,
            r#"{"B":{"A":1,"A":2}}"#,
            r#"{"B":[{"A":1,"\u0041":2}]}"#,
        ] {
            match parse_object(text.as_bytes()) {
                Err(Error::DuplicateProperty(name)) => assert_eq!(name, "A"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_is_no_object_or_not_only_one_is_refused() {
        for text in [
            "",
            "[]",
            "1",
            "null",
            "{} {}",
            "{,}",
            "{\"A\":1,}",
            "{'A':1}",
            "\u{feff}{}",
            "{\"A\":NaN}",
        ] {
            assert!(
                matches!(parse_object(text.as_bytes()), Err(Error::Json(_))),
                "{text}"
            );
        }
        assert!(matches!(
            parse_object(b"{\"A\":\"\xff\"}"),
            Err(Error::Json(_))
        ));
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| {
            format!(
                "{{\"A\":{}1{}}}",
                "[".repeat(depth - 1),
                "]".repeat(depth - 1)
            )
        };
        assert!(parse_object(nested(MAX_BODY_DEPTH).as_bytes()).is_ok());
        assert!(matches!(
            parse_object(nested(MAX_BODY_DEPTH + 1).as_bytes()),
            Err(Error::Json(_))
        ));
        assert!(matches!(
            parse_object("[".repeat(60_000).as_bytes()),
            Err(Error::Json(_))
        ));
    }

    #[test]
    fn json_is_the_only_media_type() {
        for good in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
        ] {
            assert!(is_json(&HeaderValue::from_static(good)), "{good}");
        }
        for bad in [
            "text/plain",
            "application/json-patch+json",
            "application/json;charset=latin1",
            "",
        ] {
            assert!(!is_json(&HeaderValue::from_static(bad)), "{bad}");
        }
    }
}
