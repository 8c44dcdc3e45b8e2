//! What every response tells a browser not to do with it.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// How long a browser that has seen the service over HTTPS uses nothing else for it, in seconds: a year.
///
/// Subdomains are left out: the host's name may have some that aren't this service's to decide on.
pub const HSTS_MAX_AGE_S: u32 = 31_536_000;

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const COOP: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const COEP: HeaderName = HeaderName::from_static("cross-origin-embedder-policy");

/// The `Strict-Transport-Security` header (RFC 6797); `None` where it is switched off.
pub(super) fn strict_transport(max_age_s: u32) -> Option<HeaderValue> {
    (max_age_s > 0)
        .then(|| HeaderValue::from_str(&format!("max-age={max_age_s}")).ok())
        .flatten()
}

/// Adds the headers that fit the response's media type, and leaves those that it has.
///
/// A document of the API is no page: a browser that shows it runs, loads and frames nothing. A page of the dashboard
/// says itself what it may load.
pub(super) fn protect(headers: &mut HeaderMap, strict_transport: Option<&HeaderValue>) {
    if let Some(value) = strict_transport {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value.clone());
    }
    headers.insert(CORP, HeaderValue::from_static("same-origin"));
    headers
        .entry(header::REFERRER_POLICY)
        .or_insert(HeaderValue::from_static("no-referrer"));
    let is_page = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page {
        headers.insert(COOP, HeaderValue::from_static("same-origin"));
        headers.insert(COEP, HeaderValue::from_static("require-corp"));
    } else {
        headers
            .entry(header::CONTENT_SECURITY_POLICY)
            .or_insert(HeaderValue::from_static(
                "default-src 'none'; frame-ancestors 'none'",
            ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protected(kind: &'static str, hsts: Option<&HeaderValue>) -> HeaderMap {
        let kind = HeaderValue::from_static(kind);
        let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
        protect(&mut headers, hsts);
        headers
    }

    #[test]
    fn a_document_may_do_nothing_and_a_page_keeps_its_own_policy() {
        let headers = protected("application/json", None);
        let policy = "default-src 'none'; frame-ancestors 'none'";
        assert_eq!(headers["content-security-policy"], policy);
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert!(!headers.contains_key(COOP));
        let headers = protected("text/html; charset=utf-8", None);
        assert!(!headers.contains_key("content-security-policy"));
        assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
    }

    #[test]
    fn strict_transport_is_said_with_its_age_or_not_at_all() {
        let hsts = strict_transport(HSTS_MAX_AGE_S);
        let headers = protected("application/json", hsts.as_ref());
        assert_eq!(headers["strict-transport-security"], "max-age=31536000");
        assert_eq!(strict_transport(0), None);
        let headers = protected("application/json", None);
        assert!(!headers.contains_key("strict-transport-security"));
    }
}
