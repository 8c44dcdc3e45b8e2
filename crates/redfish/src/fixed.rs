//! Documents that never change while the service runs and belong to no resource: metadata, schemas, registries.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Response};
use http_body_util::Full;

use crate::coding::CodedForms;
use crate::error::{Error, READ_ONLY};
use crate::etag::ETag;
use crate::head::accepts;
use crate::message;
use crate::query::Query;
use crate::respond::no_content;

/// The answer to OPTIONS.
pub(crate) fn options(allow: &'static str) -> Response<Full<Bytes>> {
    let mut response = no_content();
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

/// One such document.
pub(crate) struct Fixed {
    bytes: Bytes,
    etag: ETag,
    media_type: &'static str,
    forms: CodedForms,
}

impl Fixed {
    pub(crate) fn new(text: impl Into<Bytes>, media_type: &'static str) -> Self {
        let bytes = text.into();
        Self {
            etag: ETag::of(&bytes),
            bytes,
            media_type,
            forms: CodedForms::default(),
        }
    }

    pub(crate) fn respond(&self, parts: &Parts) -> Result<Response<Full<Bytes>>, Error> {
        if parts.method == Method::OPTIONS {
            return Ok(options(READ_ONLY));
        }
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return Err(Error::Method(READ_ONLY));
        }
        if !accepts(&parts.headers, self.media_type) {
            return Err(Error::NotAcceptable);
        }
        if !Query::parse(parts.uri.query())?.is_empty() {
            return Err(message::query_not_supported_on_resource().into());
        }
        let mut response = Response::new(Full::new(self.bytes.clone()));
        response.extensions_mut().insert(self.etag);
        response.extensions_mut().insert(self.forms.clone());
        let headers = response.headers_mut();
        let media_type = HeaderValue::from_static(self.media_type);
        headers.insert(header::CONTENT_TYPE, media_type);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::ALLOW, HeaderValue::from_static(READ_ONLY));
        Ok(response)
    }
}
