//! What the head of a request says before anything is asked: where it goes, who sent it, what it takes.

use http::Version;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts as Head;
use http::uri::Authority;

use crate::error::Error;
use crate::message;

const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// Refuses what two readers of one request could understand differently: no `Host` or one that is no host, as
/// RFC 9112 §3.2 demands, and a header twice that says where the request goes or who sends it.
pub(crate) fn check_routing(parts: &Head) -> Result<(), Error> {
    for (name, words) in [
        (header::HOST, "Host"),
        (header::AUTHORIZATION, "Authorization"),
        (X_AUTH_TOKEN, "X-Auth-Token"),
    ] {
        if parts.headers.get_all(name).iter().nth(1).is_some() {
            return Err(Error::RepeatedHeader(words));
        }
    }
    match parts.headers.get(header::HOST) {
        Some(host) if is_host(host) => Ok(()),
        Some(_) => Err(message::header_invalid("Host").into()),
        None if parts.version != Version::HTTP_11 || parts.uri.authority().is_some() => Ok(()),
        None => Err(message::header_missing("Host").into()),
    }
}

/// Whether it is a host with or without a port, or empty (RFC 9110 §7.2).
fn is_host(value: &HeaderValue) -> bool {
    value.is_empty()
        || Authority::try_from(value.as_bytes()).is_ok_and(|host| !host.as_str().contains('@'))
}

/// Whether a request comes from a page of this very service, or from no page at all (RFC 6454).
pub(crate) fn is_own_origin(parts: &Head) -> bool {
    let Some(origin) = parts.headers.get(header::ORIGIN) else {
        return true;
    };
    let host = match parts.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => parts
            .headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok()),
    };
    let site = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"));
    site.zip(host)
        .is_some_and(|((_, site), host)| site.eq_ignore_ascii_case(host))
}

/// Whether the `Accept` header admits `media_type`: the most exact range that covers it decides (RFC 9110
/// §12.5.1). Without the header, everything is admitted.
pub(crate) fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let mut ranges = headers
        .get_all(header::ACCEPT)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .peekable();
    if ranges.peek().is_none() {
        return true;
    }
    let family = media_type.split('/').next().unwrap_or_default();
    let decision = ranges.filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let exactness = match kind.strip_suffix("/*") {
            Some("*") => 0,
            Some(range) if range.eq_ignore_ascii_case(family) => 1,
            None if kind.eq_ignore_ascii_case(media_type) => 2,
            _ => return None,
        };
        let refused = parts
            .filter_map(|parameter| parameter.split_once('='))
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
            .any(|(_, q)| q.trim().parse::<f32>().is_ok_and(|q| q <= 0.0));
        Some((exactness, !refused))
    });
    decision.max().is_some_and(|(_, admitted)| admitted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_admits_what_it_names_and_without_it_everything() {
        let with = |value: &str| {
            HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_str(value).unwrap())])
        };
        let json = "application/json";
        assert!(accepts(&HeaderMap::new(), json));
        for good in [
            "application/json",
            "*/*",
            "application/*",
            "text/html, application/json;q=0.5",
            "application/json;odata.metadata=minimal;charset=utf-8",
            "text/html,application/xhtml+xml,*/*;q=0.8",
            "*/*;q=0, application/json",
        ] {
            assert!(accepts(&with(good), json), "{good}");
        }
        for bad in [
            "application/xml",
            "text/*",
            "application/json;q=0",
            "application/json; Q = 0.0, */*",
            "application/*;q=0, */*",
            "json",
            "",
        ] {
            assert!(!accepts(&with(bad), json), "{bad}");
        }
    }
}
