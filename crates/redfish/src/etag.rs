//! Entity tags and the conditions that name them (DSP0266 "ETags", RFC 9110 §13).

use std::hash::{DefaultHasher, Hasher};

use http::HeaderMap;
use http::header::{self, HeaderValue};

use crate::coding::Coding;

/// A strong entity tag: a hash of the representation, and the coding that it is sent in.
///
/// Equal bytes have equal tags, also after a restart. A resource whose reading changes has another tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ETag {
    hash: u64,
    coding: Option<Coding>,
}

/// A tag as it stands in a header.
struct Text {
    bytes: [u8; 24],
    length: usize,
}

impl Text {
    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl ETag {
    pub(crate) fn of(representation: &[u8]) -> Self {
        // SipHash with a fixed key. Two states of one resource share a tag once in 2^64; nobody gains
        // from making such a pair, so a cryptographic digest would only cost time on every GET.
        let mut hasher = DefaultHasher::new();
        hasher.write(representation);
        Self {
            hash: hasher.finish(),
            coding: None,
        }
    }

    /// The tag of a state that has a number, and of which not all is shown.
    pub(crate) fn of_generation(representation: &[u8], generation: u64) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(representation);
        hasher.write_u64(generation);
        Self {
            hash: hasher.finish(),
            coding: None,
        }
    }

    /// The tag of the same state in this coding: other bytes, another tag.
    pub(crate) const fn coded(self, coding: Option<Coding>) -> Self {
        Self { coding, ..self }
    }

    fn text(self) -> Text {
        let mut bytes = [b'"'; 24];
        for (digit, byte) in bytes[1..17].iter_mut().enumerate() {
            let nibble = (self.hash >> (60 - 4 * digit)) & 0xF;
            *byte = b"0123456789abcdef"[nibble as usize];
        }
        let mut length = 17;
        if let Some(coding) = self.coding {
            let name = coding.name().as_bytes();
            bytes[length] = b'-';
            bytes[length + 1..=length + name.len()].copy_from_slice(name);
            length += 1 + name.len();
        }
        Text {
            bytes,
            length: length + 1,
        }
    }

    pub(crate) fn header(self) -> HeaderValue {
        HeaderValue::from_bytes(self.text().as_bytes())
            .unwrap_or_else(|_| HeaderValue::from_static("\"\""))
    }

    /// Whether `If-None-Match` names this tag, so that a GET is answered with 304. Weak comparison.
    pub(crate) fn is_known(self, headers: &HeaderMap) -> bool {
        let text = self.text();
        names(headers, header::IF_NONE_MATCH)
            .any(|tag| tag == b"*" || strong_part(tag) == text.as_bytes())
    }

    /// Whether a change may go ahead (RFC 9110 §13.2.2): `If-Match` is absent or names this state, and
    /// `If-None-Match` is absent or doesn't.
    pub(crate) fn permits(self, headers: &HeaderMap) -> bool {
        let known = self.forms().any(|form| form.is_known(headers));
        self.is_matched(headers) && !known
    }

    /// Whether `If-Match` is absent or names this state, compared strongly, so that a weak tag never matches. The
    /// client may have seen the state in any coding.
    pub(crate) fn is_matched(self, headers: &HeaderMap) -> bool {
        !headers.contains_key(header::IF_MATCH)
            || names(headers, header::IF_MATCH)
                .any(|tag| tag == b"*" || self.forms().any(|form| tag == form.text().as_bytes()))
    }

    /// The tags of this state in every coding.
    fn forms(self) -> impl Iterator<Item = Self> {
        let codings = Coding::ALL.into_iter().map(Some).chain([None]);
        codings.map(move |coding| self.coded(coding))
    }
}

/// The tags in all headers `name`. Our own tags hold no comma, so splitting there can't join or cut one that
/// matches.
fn names(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &[u8]> {
    headers
        .get_all(name)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
}

fn strong_part(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn a_tag_is_a_quoted_string_that_changes_with_the_bytes() {
        let tag = ETag::of(b"one");
        assert_eq!(tag, ETag::of(b"one"));
        assert_ne!(tag, ETag::of(b"two"));
        let header = tag.header();
        let text = header.to_str().unwrap();
        assert_eq!(text.len(), 18);
        assert!(text.starts_with('"') && text.ends_with('"'));
    }

    #[test]
    fn if_match_compares_strongly_and_if_none_match_weakly() {
        let tag = ETag::of(b"one");
        let own = tag.header().to_str().unwrap().to_owned();
        let cases = [
            (own.clone(), true, true),
            (format!("\"other\", {own}"), true, true),
            (format!("W/{own}"), false, true),
            ("*".to_owned(), true, true),
            ("\"other\"".to_owned(), false, false),
            (own.trim_matches('"').to_owned(), false, false),
        ];
        for (value, permits, known) in cases {
            assert_eq!(
                tag.permits(&with(header::IF_MATCH, &value)),
                permits,
                "{value}"
            );
            let unless = with(header::IF_NONE_MATCH, &value);
            assert_eq!(tag.is_known(&unless), known, "{value}");
            assert_eq!(tag.permits(&unless), !known, "{value}");
        }
        assert!(tag.permits(&HeaderMap::new()));
        assert!(!tag.is_known(&HeaderMap::new()));
    }

    #[test]
    fn each_coding_has_its_own_tag_and_each_names_the_same_state() {
        let tag = ETag::of(b"one");
        let mut texts = Vec::new();
        for form in tag.forms() {
            let text = form.header().to_str().unwrap().to_owned();
            assert!(
                text.starts_with('"') && text.ends_with('"') && text.len() >= 18,
                "{text}"
            );
            assert!(tag.permits(&with(header::IF_MATCH, &text)), "{text}");
            assert!(!tag.permits(&with(header::IF_NONE_MATCH, &text)), "{text}");
            let known = with(header::IF_NONE_MATCH, &text);
            assert_eq!(tag.is_known(&known), form == tag, "{text}");
            texts.push(text);
        }
        assert!(texts.iter().any(|text| text.ends_with("-gzip\"")));
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), 4);
    }
}
