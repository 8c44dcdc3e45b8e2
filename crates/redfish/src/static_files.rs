//! Files that are served beside the Redfish tree: a dashboard, say. The service doesn't know what they are.

use std::collections::HashMap;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Response};
use http_body_util::Full;

use crate::coding::CodedForms;
use crate::error::{Error, READ_ONLY};
use crate::etag::ETag;

/// What a page of these files may do: load and call this service, and nothing else in the world.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";

/// One file.
#[derive(Debug, Clone)]
pub struct StaticFile {
    /// Its path, starting with a slash and outside of `/redfish`. `/` is the start page.
    pub path: &'static str,
    /// Its media type, `text/html; charset=utf-8`.
    pub content_type: &'static str,
    /// What is in it.
    pub bytes: Bytes,
}

/// The files by path. They are for everybody: a login page can't ask for a login.
#[derive(Debug, Default)]
pub struct StaticFiles {
    by_path: HashMap<&'static str, Entry>,
}

#[derive(Debug)]
struct Entry {
    content_type: HeaderValue,
    bytes: Bytes,
    etag: ETag,
    forms: CodedForms,
}

impl FromIterator<StaticFile> for StaticFiles {
    fn from_iter<I: IntoIterator<Item = StaticFile>>(files: I) -> Self {
        let entry = |file: StaticFile| {
            let content_type = HeaderValue::from_static(file.content_type);
            (
                file.path,
                Entry {
                    content_type,
                    etag: ETag::of(&file.bytes),
                    bytes: file.bytes,
                    forms: CodedForms::default(),
                },
            )
        };
        Self {
            by_path: files.into_iter().map(entry).collect(),
        }
    }
}

impl StaticFiles {
    /// Answers a request for `path`, which isn't under `/redfish`.
    pub(crate) fn respond(
        &self,
        method: &Method,
        path: &str,
    ) -> Result<Response<Full<Bytes>>, Error> {
        let file = self
            .by_path
            .get(path)
            .ok_or_else(|| Error::UnknownUri(path.to_owned()))?;
        if method != Method::GET && method != Method::HEAD {
            return Err(Error::Method(READ_ONLY));
        }
        let mut response = Response::new(Full::new(file.bytes.clone()));
        response.extensions_mut().insert(file.etag);
        response.extensions_mut().insert(file.forms.clone());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, file.content_type.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        headers.insert(
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        );
        Ok(response)
    }
}
