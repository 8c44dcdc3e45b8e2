//! The last step of every response: what this very request gets of it. Conditions and HEAD are decided here, for
//! whatever the response is of.

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;

use crate::error::Error;
use crate::etag::ETag;
use bytes::Bytes;

/// Writes the tag that the response carries, and leaves out what the client has already or didn't ask for.
pub(crate) fn finish(request: &Parts, response: &mut Response<Full<Bytes>>) {
    let reads = matches!(request.method, Method::GET | Method::HEAD);
    if let Some(etag) = response.extensions().get::<ETag>().copied() {
        response.headers_mut().insert(header::ETAG, etag.header());
        if reads && response.status() == StatusCode::OK {
            if !etag.is_matched(&request.headers) {
                *response = Error::Precondition.into_response();
            } else if etag.is_known(&request.headers) {
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                *response.body_mut() = Full::default();
                response.headers_mut().remove(header::CONTENT_TYPE);
            }
        }
    }
    if request.method == Method::HEAD {
        // RFC 9110 §8.6: a length is that of the body that a GET would have.
        if response.status() != StatusCode::NOT_MODIFIED {
            let length = HeaderValue::from(response.body().size_hint().lower());
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, length);
        }
        *response.body_mut() = Full::default();
    }
}
