//! Content codings: responses compressed for those who ask for it (RFC 9110 §8.4, §12.5.3).

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::HeaderMap;
use http::header;

/// Bodies shorter than this, in bytes, are sent as they are: they fit into one packet anyway.
pub const MIN_CODED_BYTES: usize = 1024;

/// How a body can be compressed. Where a client likes several equally, the first in this order is taken: the one that
/// costs least time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Zstandard (RFC 8878).
    Zstd,
    /// gzip (RFC 1952).
    Gzip,
    /// Brotli (RFC 7932).
    Brotli,
}

/// What a client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// The coding that it likes best, if it takes one.
    pub(crate) coding: Option<Coding>,
    /// Whether it takes a body as it is, and doesn't like that better.
    pub(crate) identity: Identity,
}

/// What a client thinks of a body without coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Better than any coding.
    Preferred,
    /// It will do.
    Accepted,
    /// It refuses it.
    Refused,
}

impl Coding {
    pub(crate) const ALL: [Self; 3] = [Self::Zstd, Self::Gzip, Self::Brotli];

    /// Its name in headers.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Compresses, at levels that prefer time to size: four kilobytes of JSON take tens of microseconds with
    /// Zstandard and gzip, and one or two hundred with Brotli.
    ///
    /// # Errors
    /// None that we know of: the output is in memory.
    pub(crate) fn encode(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd => zstd::bulk::compress(bytes, 3),
            Self::Brotli => {
                let coded = Vec::with_capacity(bytes.len() / 4);
                let mut writer = brotli::CompressorWriter::new(coded, 4096, 3, 20);
                writer.write_all(bytes)?;
                Ok(writer.into_inner())
            }
            Self::Gzip => {
                let coded = Vec::with_capacity(bytes.len() / 4);
                let level = flate2::Compression::new(4);
                let mut writer = flate2::write::GzEncoder::new(coded, level);
                writer.write_all(bytes)?;
                writer.finish()
            }
        }
    }
}

impl Accepted {
    /// Reads `Accept-Encoding`. Without it a client takes anything, and gets what needs no decoding.
    pub(crate) fn by(headers: &HeaderMap) -> Self {
        let ranges = || {
            let values = headers.get_all(header::ACCEPT_ENCODING).into_iter();
            values
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
                .filter_map(weighted)
        };
        let weight = |wanted: &str| {
            let exact = ranges().find(|(name, _)| is_named(name, wanted));
            exact
                .or_else(|| ranges().find(|(name, _)| *name == "*"))
                .map(|(_, weight)| weight)
        };
        let mut best: Option<(Coding, f32)> = None;
        for coding in Coding::ALL {
            let weight = weight(coding.name()).unwrap_or(0.0);
            if weight > best.map_or(0.0, |(_, best)| best) {
                best = Some((coding, weight));
            }
        }
        let identity = match (ranges().find(|(name, _)| is_named(name, "identity")), best) {
            (Some((_, weight)), _) if weight <= 0.0 => Identity::Refused,
            (Some((_, weight)), Some((_, best))) if weight > best => Identity::Preferred,
            // RFC 9110 §12.5.3: not mentioned, it is refused only by a `*` that refuses.
            (None, _) if ranges().any(|(name, weight)| name == "*" && weight <= 0.0) => {
                Identity::Refused
            }
            _ => Identity::Accepted,
        };
        Self {
            coding: best.map(|(coding, _)| coding),
            identity,
        }
    }

    /// The coding for a body of `length` bytes.
    ///
    /// # Errors
    /// If the client takes neither a coding that we have nor the body as it is.
    pub(crate) fn for_length(self, length: usize) -> Result<Option<Coding>, NoneAccepted> {
        match (self.identity, self.coding) {
            (Identity::Refused, None) => Err(NoneAccepted),
            (Identity::Refused, coding) => Ok(coding),
            (Identity::Preferred, _) => Ok(None),
            (Identity::Accepted, coding) => Ok(coding.filter(|_| length >= MIN_CODED_BYTES)),
        }
    }
}

/// The client takes no form in which the service could answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoneAccepted;

/// One entry of `Accept-Encoding`: a name and its weight.
fn weighted(entry: &str) -> Option<(&str, f32)> {
    let mut parts = entry.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let weight = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case("q"))
        .map_or(Ok(1.0), |(_, weight)| weight.trim().parse::<f32>());
    // A weight that is no number isn't a wish for anything.
    Some((name, weight.unwrap_or(0.0)))
}

/// Whether a header's word is this coding. RFC 9110 §8.4.1.3 has an old name for gzip.
fn is_named(word: &str, coding: &str) -> bool {
    word.eq_ignore_ascii_case(coding) || (coding == "gzip" && word.eq_ignore_ascii_case("x-gzip"))
}

/// The coded forms of a body that never changes, each made when it is first asked for. They keep a flood of requests
/// for what needs no login from costing more than the bytes that it gets.
#[derive(Debug, Clone, Default)]
pub(crate) struct CodedForms(Arc<[OnceLock<Option<Bytes>>; 3]>);

impl CodedForms {
    /// The form in `coding`, if it has been made.
    pub(crate) fn made(&self, coding: Coding) -> Option<Bytes> {
        self.0[coding as usize].get().cloned().flatten()
    }

    /// The form in `coding` of `bytes`, which are the same in every call. `None` if it can't be made.
    pub(crate) fn get(&self, coding: Coding, bytes: &[u8]) -> Option<Bytes> {
        let made = || {
            let coded = coding.encode(bytes).ok()?;
            // Without the room that the encoder has had in reserve: it may be kept for long.
            Some(Bytes::from(coded.into_boxed_slice()))
        };
        self.0[coding as usize].get_or_init(made).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use http::HeaderValue;

    use super::*;

    fn decode(coding: Coding, coded: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        match coding {
            Coding::Zstd => zstd::stream::copy_decode(coded, &mut bytes).unwrap(),
            Coding::Brotli => {
                brotli::Decompressor::new(coded, 4096)
                    .read_to_end(&mut bytes)
                    .unwrap();
            }
            Coding::Gzip => {
                flate2::read::GzDecoder::new(coded)
                    .read_to_end(&mut bytes)
                    .unwrap();
            }
        }
        bytes
    }

    #[test]
    fn every_coding_gives_back_what_it_was_given_and_shrinks_json() {
        let member = r#"{"@odata.id":"/redfish/v1/Chassis/1/Sensors/Temp"},"#;
        for bytes in [
            b"".to_vec(),
            b"x".to_vec(),
            member.repeat(20_000).into_bytes(),
        ] {
            for coding in Coding::ALL {
                let coded = coding.encode(&bytes).unwrap();
                assert_eq!(decode(coding, &coded), bytes, "{coding:?}");
                assert!(
                    bytes.len() < 100 || coded.len() < bytes.len() / 10,
                    "{coding:?}"
                );
            }
        }
    }

    #[test]
    fn the_header_decides_by_weight_and_without_one_nothing_is_coded() {
        let by = |value: &str| {
            let value = HeaderValue::from_str(value).unwrap();
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, value)]);
            Accepted::by(&headers).for_length(MIN_CODED_BYTES)
        };
        let (zstd, br, gzip) = (Some(Coding::Zstd), Some(Coding::Brotli), Some(Coding::Gzip));
        for (value, expected) in [
            ("gzip, deflate", Ok(gzip)),
            ("gzip, deflate, br, zstd", Ok(zstd)),
            ("gzip;q=1.0, br;q=0.9, zstd;q=0.1", Ok(gzip)),
            ("gzip;q=0.5, br; Q=0.6", Ok(br)),
            ("br, gzip", Ok(gzip)),
            ("X-GZIP", Ok(gzip)),
            ("*", Ok(zstd)),
            ("zstd;q=0, *", Ok(gzip)),
            ("identity", Ok(None)),
            ("identity, gzip;q=0.5", Ok(None)),
            ("identity;q=0.5, gzip", Ok(gzip)),
            ("deflate", Ok(None)),
            ("gzip;q=0", Ok(None)),
            ("gzip;q=high", Ok(None)),
            ("", Ok(None)),
            (",;,", Ok(None)),
            ("identity;q=0, gzip", Ok(gzip)),
            ("identity;q=0", Err(NoneAccepted)),
            ("deflate, *;q=0", Err(NoneAccepted)),
            ("identity, *;q=0", Ok(None)),
        ] {
            assert_eq!(by(value), expected, "{value}");
        }
        let without = Accepted::by(&HeaderMap::new());
        assert_eq!(without.for_length(1_000_000), Ok(None));
    }

    #[test]
    fn a_short_body_is_coded_only_for_those_who_take_nothing_else() {
        let accepted = |identity| Accepted {
            coding: Some(Coding::Gzip),
            identity,
        };
        let short = |identity| accepted(identity).for_length(MIN_CODED_BYTES - 1);
        assert_eq!(short(Identity::Accepted), Ok(None));
        assert_eq!(short(Identity::Refused), Ok(Some(Coding::Gzip)));
    }

    #[test]
    fn a_coded_form_is_made_once() {
        let forms = CodedForms::default();
        let first = forms.get(Coding::Gzip, b"abc").unwrap();
        let again = forms.clone().get(Coding::Gzip, b"abc").unwrap();
        assert_eq!(first.as_ptr(), again.as_ptr());
        assert_eq!(decode(Coding::Gzip, &first), b"abc");
    }
}
