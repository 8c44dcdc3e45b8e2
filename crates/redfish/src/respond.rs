//! GET and HEAD, and the headers of a document.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::Full;

use crate::account::Account;
use crate::error::Error;
use crate::etag::ETag;
use crate::privilege::Operation;
use crate::query::{
    Expand, MAX_EXPANDED_BYTES, MAX_EXPANDED_RESOURCES, Query, only_member, splice,
};
use crate::service::{Service, accepts, allow};
use crate::{Document, Failure, Path, message};

/// What is left of the bounds of one `$expand`.
struct Budget {
    resources: usize,
    bytes: usize,
}

impl Budget {
    fn take(&mut self, bytes: usize) -> Result<(), Error> {
        match (self.resources.checked_sub(1), self.bytes.checked_sub(bytes)) {
            (Some(resources), Some(bytes)) => {
                *self = Self { resources, bytes };
                Ok(())
            }
            _ => Err(Error::AnswerTooLarge),
        }
    }
}

/// A document expanded some levels deep. Boxed, because it calls itself.
type Expanded<'a> = Pin<Box<dyn Future<Output = Result<String, Error>> + Send + 'a>>;

impl Service {
    /// GET and HEAD of everything that needs a login.
    pub(crate) async fn read(
        &self,
        path: &Path,
        parts: &Parts,
        caller: &Account,
    ) -> Result<Response<Full<Bytes>>, Error> {
        let query = Query::parse(parts.uri.query())?;
        let document = match self.document(path).await {
            Err(Error::Backend(Failure::NotFound, _)) if self.is_action(path).await => {
                return Err(Error::Method("POST"));
            }
            document => document?,
        };
        if !self.may(caller, path, &document, Operation::Read) {
            return Err(Error::Forbidden);
        }
        if !accepts(&parts.headers, "application/json") {
            return Err(Error::NotAcceptable);
        }
        if query.is_empty() {
            Ok(self.respond(&document, &parts.headers))
        } else {
            self.query(document, &query, &parts.headers, caller).await
        }
    }

    /// GET and HEAD of the service root, without a login. `None` if the query goes beyond the root, which is
    /// nothing for everybody.
    pub(crate) fn read_root(&self, parts: &Parts) -> Option<Result<Response<Full<Bytes>>, Error>> {
        if !accepts(&parts.headers, "application/json") {
            return Some(Err(Error::NotAcceptable));
        }
        let query = match Query::parse(parts.uri.query()) {
            Ok(query) if query.expand.is_some() => return None,
            Ok(query) => query,
            Err(error) => return Some(Err(error)),
        };
        let root = self.root();
        Some(match query.select {
            _ if query.only => Err(message::query_not_supported_on_resource().into()),
            Some(select) => Ok(self.respond_part(root, select.apply(text(root)), &parts.headers)),
            None => Ok(self.respond(root, &parts.headers)),
        })
    }

    async fn query(
        &self,
        document: Document,
        query: &Query,
        headers: &HeaderMap,
        caller: &Account,
    ) -> Result<Response<Full<Bytes>>, Error> {
        if query.only {
            if !document.resource().is_collection() {
                return Err(message::query_not_supported_on_resource().into());
            }
            let member = match only_member(text(&document)) {
                Some(target) => self.readable(&target, caller).await,
                None => None,
            };
            return Ok(self.respond(member.as_ref().unwrap_or(&document), headers));
        }
        let Some(expand) = query.expand else {
            let part = query
                .select
                .as_ref()
                .map(|select| select.apply(text(&document)));
            return Ok(self.respond_part(&document, part.unwrap_or_default(), headers));
        };
        let mut budget = Budget {
            resources: MAX_EXPANDED_RESOURCES,
            bytes: MAX_EXPANDED_BYTES,
        };
        budget.take(document.json().len())?;
        let whole = text(&document).to_owned();
        let mut json = self
            .expanded(whole, expand, expand.levels, caller, &mut budget)
            .await?;
        if let Some(select) = &query.select {
            json = select.apply(&json);
        }
        let etag = ETag::of(json.as_bytes());
        Ok(self.respond_as(&document, json.into(), etag, headers))
    }

    /// Replaces the links in `json` by what they lead to. A link stays as it is if nothing is there or the
    /// caller may not see it: `$expand` opens no door that a GET doesn't.
    fn expanded<'a>(
        &'a self,
        json: String,
        expand: Expand,
        levels: u8,
        caller: &'a Account,
        budget: &'a mut Budget,
    ) -> Expanded<'a> {
        Box::pin(async move {
            let links = expand.links_in(&json);
            let mut parts = Vec::with_capacity(links.len());
            for (range, target) in links {
                let Some(document) = self.readable(&target, caller).await else {
                    continue;
                };
                budget.take(document.json().len())?;
                let mut inner = text(&document).to_owned();
                if levels > 1 {
                    inner = self
                        .expanded(inner, expand, levels - 1, caller, budget)
                        .await?;
                }
                parts.push((range, inner));
            }
            Ok(splice(&json, &parts))
        })
    }

    /// The document that a link leads to, if there is one and the caller may read it.
    async fn readable(&self, target: &str, caller: &Account) -> Option<Document> {
        let path = Path::parse(target).ok().filter(|_| !target.contains('#'))?;
        let document = self.document(&path).await.ok()?;
        self.may(caller, &path, &document, Operation::Read)
            .then_some(document)
    }

    /// 200 with the document, or 304 if the client has it already.
    pub(crate) fn respond(
        &self,
        document: &Document,
        request: &HeaderMap,
    ) -> Response<Full<Bytes>> {
        self.respond_as(
            document,
            document.json().clone(),
            ETag::of(document.json()),
            request,
        )
    }

    /// 200 with some properties of the document. Its tag is that of the whole document, so that a client can
    /// change what it has seen in part.
    fn respond_part(
        &self,
        document: &Document,
        part: String,
        request: &HeaderMap,
    ) -> Response<Full<Bytes>> {
        self.respond_as(document, part.into(), ETag::of(document.json()), request)
    }

    fn respond_as(
        &self,
        document: &Document,
        json: Bytes,
        etag: ETag,
        request: &HeaderMap,
    ) -> Response<Full<Bytes>> {
        let known = etag.is_known(request);
        let body = if known { Bytes::new() } else { json };
        let mut response = Response::new(Full::new(body));
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        if !known {
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
        }
        headers.insert(header::ETAG, etag.header());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::ALLOW, HeaderValue::from_static(allow(document)));
        if let Some(link) = self.link(document.resource()) {
            headers.insert(header::LINK, link.clone());
        }
        response
    }
}

/// The document's JSON as text. serde_json writes UTF-8; a backend that hands in other bytes gets `{}`.
fn text(document: &Document) -> &str {
    std::str::from_utf8(document.json()).unwrap_or("{}")
}

/// 204: it is done and there is nothing to say.
pub(crate) fn no_content() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expansion_ends_at_either_bound() {
        let mut few = Budget {
            resources: 2,
            bytes: 1000,
        };
        assert!(few.take(10).is_ok() && few.take(10).is_ok());
        assert!(matches!(few.take(10), Err(Error::AnswerTooLarge)));
        let mut small = Budget {
            resources: 100,
            bytes: 15,
        };
        assert!(small.take(10).is_ok());
        assert!(matches!(small.take(10), Err(Error::AnswerTooLarge)));
        assert_eq!(
            Error::AnswerTooLarge.into_response().status(),
            StatusCode::INSUFFICIENT_STORAGE
        );
    }
}
