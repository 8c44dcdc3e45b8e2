//! The last step of every response: what this very request gets of it. Coding, conditions and HEAD are decided here,
//! for whatever the response is of.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tokio::sync::OwnedSemaphorePermit;

use crate::Failure;
use crate::coding::{Accepted, CodedForms, Coding};
use crate::error::Error;
use crate::etag::ETag;

/// Bodies longer than this, in bytes, are compressed on a thread for blocking work.
const MAX_CODED_INLINE: usize = 64 * 1024;

/// The share of memory that a large body takes until it has been sent, in whatever coding. Rides on the response.
#[derive(Clone)]
pub(crate) struct Share {
    _permits: Arc<OwnedSemaphorePermit>,
}

impl Share {
    pub(crate) fn new(permits: OwnedSemaphorePermit) -> Self {
        Self {
            _permits: Arc::new(permits),
        }
    }

    /// A body that keeps the share as long as it exists.
    pub(crate) fn hold<T: AsRef<[u8]> + Send + 'static>(share: Option<Self>, body: T) -> Bytes {
        Bytes::from_owner(Held {
            body,
            _share: share,
        })
    }
}

struct Held<T> {
    body: T,
    _share: Option<Share>,
}

impl<T: AsRef<[u8]>> AsRef<[u8]> for Held<T> {
    fn as_ref(&self) -> &[u8] {
        self.body.as_ref()
    }
}

/// Writes the tag that the response carries, compresses it if the client asks for that, and leaves out what the
/// client has already or didn't ask for.
pub(crate) async fn finish(
    request: &Parts,
    response: Response<Full<Bytes>>,
) -> Response<Full<Bytes>> {
    let reads = matches!(request.method, Method::GET | Method::HEAD);
    let tag = response.extensions().get::<ETag>().copied();
    let mut response = match tag {
        Some(etag) if reads && response.status() == StatusCode::OK => {
            let answered = represent(request, response, etag).await;
            answered.unwrap_or_else(Error::into_response)
        }
        Some(etag) => {
            let mut response = response;
            response.headers_mut().insert(header::ETAG, etag.header());
            response
        }
        None => response,
    };
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
    response
}

/// The representation that the client takes, or that it has it already. A strong tag is one of bytes, so each coding
/// has its own.
async fn represent(
    request: &Parts,
    mut response: Response<Full<Bytes>>,
    etag: ETag,
) -> Result<Response<Full<Bytes>>, Error> {
    let length = usize::try_from(response.body().size_hint().lower()).unwrap_or(usize::MAX);
    let coding = if is_compressible(&response) {
        let coding = Accepted::by(&request.headers).for_length(length);
        coding.map_err(|_| Error::NoCodingAccepted)?
    } else {
        None
    };
    let etag = etag.coded(coding);
    if !etag.is_matched(&request.headers) {
        return Err(Error::Precondition);
    }
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag.header());
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if etag.is_known(&request.headers) {
        headers.remove(header::CONTENT_TYPE);
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Full::default();
        return Ok(response);
    }
    let Some(coding) = coding else {
        return Ok(response);
    };
    headers.insert(
        header::CONTENT_ENCODING,
        HeaderValue::from_static(coding.name()),
    );
    let body = std::mem::take(response.body_mut());
    let forms = response.extensions().get::<CodedForms>().cloned();
    let share = response.extensions().get::<Share>().cloned();
    let failed = || {
        let cause = format!("a body can't be compressed with {}", coding.name());
        Error::Backend(Failure::Internal(cause), request.uri.path().to_owned())
    };
    let Ok(body) = body.collect().await;
    let coded = compress(coding, body.to_bytes(), forms)
        .await
        .ok_or_else(failed)?;
    let body = match share {
        Some(share) => Share::hold(Some(share), coded),
        None => coded,
    };
    *response.body_mut() = Full::new(body);
    Ok(response)
}

async fn compress(coding: Coding, body: Bytes, forms: Option<CodedForms>) -> Option<Bytes> {
    if let Some(made) = forms.as_ref().and_then(|forms| forms.made(coding)) {
        return Some(made);
    }
    let is_long = body.len() > MAX_CODED_INLINE;
    let work = move || match forms {
        Some(forms) => forms.get(coding, &body),
        None => coding.encode(&body).ok().map(Bytes::from),
    };
    if is_long {
        tokio::task::spawn_blocking(work).await.ok().flatten()
    } else {
        work()
    }
}

/// Whether a body of this media type shrinks; pictures and fonts are compressed already.
fn is_compressible(response: &Response<Full<Bytes>>) -> bool {
    let media_type = response.headers().get(header::CONTENT_TYPE);
    media_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|media_type| {
            let kinds = ["json", "xml", "yaml", "javascript"];
            media_type.starts_with("text/") || kinds.iter().any(|kind| media_type.contains(kind))
        })
}
