//! Answers to requests that came in clear text: a redirect to HTTPS, and never a login.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::Authority;
use http::{Method, Response, StatusCode, Version};
use http_body_util::Full;

use crate::error::Error;
use crate::message;

/// What a request may carry that nobody else is to know.
const SECRETS: [HeaderName; 3] = [
    header::AUTHORIZATION,
    header::COOKIE,
    HeaderName::from_static("x-auth-token"),
];

/// The port that a URL without one means.
const HTTPS_PORT: u16 = 443;

/// The answer to any request that crossed a network in clear text. Only what carries nothing secret is sent on, to
/// `public_host` or else to `port` of the host that the client asked for.
pub(super) fn answer(
    parts: &Parts,
    public_host: Option<&Authority>,
    port: u16,
) -> Response<Full<Bytes>> {
    let mut response = match location(parts, public_host, port) {
        Ok(location) => redirect(location),
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if parts.version <= Version::HTTP_11 {
        // What else is on its way over this connection isn't looked at.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn redirect(location: HeaderValue) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(header::LOCATION, location);
    response
}

fn location(
    parts: &Parts,
    public_host: Option<&Authority>,
    port: u16,
) -> Result<HeaderValue, Error> {
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    if !reads || SECRETS.iter().any(|name| parts.headers.contains_key(name)) {
        return Err(Error::ClearText);
    }
    let authority = match public_host {
        Some(host) => host.to_string(),
        None => {
            let asked = asked_host(parts).ok_or_else(|| message::header_invalid("Host"))?;
            match port {
                HTTPS_PORT => asked.host().to_owned(),
                port => format!("{}:{port}", asked.host()),
            }
        }
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let path = if path.starts_with('/') { path } else { "/" };
    HeaderValue::from_str(&format!("https://{authority}{path}")).map_err(|_| Error::ClearText)
}

/// The host that the client wants, where it names exactly one.
fn asked_host(parts: &Parts) -> Option<Authority> {
    let mut values = parts.headers.get_all(header::HOST).iter();
    let host = match (values.next(), values.next()) {
        (Some(host), None) => Authority::try_from(host.as_bytes()).ok()?,
        (None, _) => parts.uri.authority()?.clone(),
        (Some(_), Some(_)) => return None,
    };
    (!host.host().is_empty() && !host.as_str().contains('@')).then_some(host)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn asked(method: &str, uri: &str, headers: &[(&str, &str)]) -> Response<Full<Bytes>> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        answer(&parts, None, 8443)
    }

    #[track_caller]
    fn assert_sends_to(response: &Response<Full<Bytes>>, location: &str) {
        assert_eq!(response.status(), 308);
        assert_eq!(response.headers()["location"], location);
        assert_eq!(response.headers()["connection"], "close");
    }

    #[test]
    fn reading_is_sent_to_https_on_the_same_host_and_path() {
        let host = [("host", "rack1:8080")];
        for method in ["GET", "HEAD"] {
            let response = asked(method, "/redfish/v1/Systems?$top=1", &host);
            assert_sends_to(&response, "https://rack1:8443/redfish/v1/Systems?$top=1");
        }
        let response = asked("GET", "//evil.example/x", &[("host", "[::1]")]);
        assert_sends_to(&response, "https://[::1]:8443//evil.example/x");
        let response = asked("GET", "http://rack1/a", &[]);
        assert_sends_to(&response, "https://rack1:8443/a");
    }

    #[test]
    fn a_configured_name_and_the_usual_port_are_preferred() {
        let request = Request::get("/redfish").header("host", "evil.example");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let name = Authority::from_static("rack1.example.org");
        assert_sends_to(
            &answer(&parts, Some(&name), 8443),
            "https://rack1.example.org/redfish",
        );
        assert_sends_to(&answer(&parts, None, 443), "https://evil.example/redfish");
    }

    #[test]
    fn what_carries_a_secret_or_changes_something_is_refused() {
        for (method, header) in [
            ("GET", ("authorization", "Basic cm9vdDpzZWNyZXQ=")),
            ("GET", ("x-auth-token", "0")),
            ("HEAD", ("cookie", "a=b")),
            ("POST", ("content-type", "application/json")),
            ("OPTIONS", ("accept", "*/*")),
            ("DELETE", ("accept", "*/*")),
        ] {
            let response = asked(method, "/redfish/v1/", &[("host", "rack1"), header]);
            assert_eq!(response.status(), 403, "{method} {header:?}");
            assert!(!response.headers().contains_key("location"));
            assert!(!response.headers().contains_key("www-authenticate"));
        }
    }

    #[test]
    fn without_exactly_one_host_there_is_nowhere_to_send_to() {
        for headers in [
            &[][..],
            &[("host", "")],
            &[("host", "a"), ("host", "b")],
            &[("host", "user@rack1")],
            &[("host", "a b")],
        ] {
            assert_eq!(asked("GET", "/", headers).status(), 400, "{headers:?}");
        }
    }
}
