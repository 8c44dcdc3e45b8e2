//! GET and HEAD, and the headers of a document.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};
use http_body_util::Full;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::account::Account;
use crate::error::Error;
use crate::etag::ETag;
use crate::privilege::Operation;
use crate::query::{
    Expand, MAX_EXPANDED_BYTES, MAX_EXPANDED_RESOURCES, Query, only_member, splice,
};
use crate::service::{Service, accepts, allow};
use crate::{Document, Failure, Path, message};

/// How many MiB all answers with `$expand` together may have that are being made or sent. One more is refused with
/// 503 until others have been taken by their clients.
pub const MAX_EXPANDED_AT_ONCE_MIB: usize = 256;

const MIB: usize = 1024 * 1024;

/// The memory for large answers, in permits of a MiB.
pub(crate) struct LargeAnswers(Arc<Semaphore>);

impl Default for LargeAnswers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_EXPANDED_AT_ONCE_MIB)))
    }
}

/// What is left of the bounds of one `$expand`.
struct Budget {
    resources: usize,
    bytes: usize,
    /// Bytes that `share` stands for.
    shared: usize,
    share: Option<OwnedSemaphorePermit>,
    all: Arc<Semaphore>,
}

impl Budget {
    fn new(all: &LargeAnswers, resources: usize, bytes: usize) -> Self {
        Self {
            resources,
            bytes,
            shared: 0,
            share: None,
            all: Arc::clone(&all.0),
        }
    }

    fn take(&mut self, bytes: usize) -> Result<(), Error> {
        let left = (self.resources.checked_sub(1), self.bytes.checked_sub(bytes));
        let (Some(resources), Some(left)) = left else {
            return Err(Error::AnswerTooLarge);
        };
        (self.resources, self.bytes) = (resources, left);
        while self.shared < bytes {
            let more = Arc::clone(&self.all).try_acquire_owned();
            let more = more.map_err(|_| Error::Crowded)?;
            match &mut self.share {
                Some(share) => share.merge(more),
                none => *none = Some(more),
            }
            self.shared += MIB;
        }
        self.shared -= bytes;
        Ok(())
    }

    /// The answer, which keeps its share of the memory until it has been sent.
    fn spend(self, json: String) -> Bytes {
        Bytes::from_owner(Shared {
            json,
            _share: self.share,
        })
    }
}

/// A large answer and the share of memory that it takes.
struct Shared {
    json: String,
    _share: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.json.as_bytes()
    }
}

/// After how many resources an expansion lets other requests have the processor.
const RESOURCES_A_TURN: usize = 64;

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
            Ok(self.respond(&document))
        } else {
            self.query(document, &query, caller).await
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
            Some(select) => Ok(self.respond_part(root, select.apply(text(root)))),
            None => Ok(self.respond(root)),
        })
    }

    async fn query(
        &self,
        document: Document,
        query: &Query,
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
            return Ok(self.respond(member.as_ref().unwrap_or(&document)));
        }
        let Some(expand) = query.expand else {
            let part = query
                .select
                .as_ref()
                .map(|select| select.apply(text(&document)));
            return Ok(self.respond_part(&document, part.unwrap_or_default()));
        };
        let mut budget = Budget::new(
            &self.large_answers,
            MAX_EXPANDED_RESOURCES,
            MAX_EXPANDED_BYTES,
        );
        budget.take(document.json().len())?;
        let whole = text(&document).to_owned();
        let mut json = self
            .expanded(whole, expand, expand.levels, caller, &mut budget)
            .await?;
        if let Some(select) = &query.select {
            json = select.apply(&json);
        }
        let etag = ETag::of(json.as_bytes());
        Ok(self.respond_as(&document, budget.spend(json), etag))
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
                if budget.resources.is_multiple_of(RESOURCES_A_TURN) {
                    tokio::task::yield_now().await;
                }
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

    /// 200 with the document.
    pub(crate) fn respond(&self, document: &Document) -> Response<Full<Bytes>> {
        let json = document.json();
        self.respond_as(document, json.clone(), ETag::of(json))
    }

    /// 200 with some properties of the document. Its tag is that of the whole document, so that a client can
    /// change what it has seen in part.
    fn respond_part(&self, document: &Document, part: String) -> Response<Full<Bytes>> {
        self.respond_as(document, part.into(), ETag::of(document.json()))
    }

    fn respond_as(&self, document: &Document, json: Bytes, etag: ETag) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(json));
        response.extensions_mut().insert(etag);
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
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
        let all = LargeAnswers::default();
        let mut few = Budget::new(&all, 2, 1000);
        assert!(few.take(10).is_ok() && few.take(10).is_ok());
        assert!(matches!(few.take(10), Err(Error::AnswerTooLarge)));
        let mut small = Budget::new(&all, 100, 15);
        assert!(small.take(10).is_ok());
        assert!(matches!(small.take(10), Err(Error::AnswerTooLarge)));
        assert_eq!(
            Error::AnswerTooLarge.into_response().status(),
            StatusCode::INSUFFICIENT_STORAGE
        );
    }

    #[test]
    fn large_answers_share_one_memory_until_they_are_sent() {
        let all = LargeAnswers::default();
        let large = |mib: usize| {
            let mut budget = Budget::new(&all, 10, 1024 * MIB);
            let taken = budget.take(1).and_then(|()| budget.take(mib * MIB - 1));
            taken.map(|()| budget.spend("x".to_owned()))
        };
        let most = large(MAX_EXPANDED_AT_ONCE_MIB - 1).unwrap();
        let copy = most.clone();
        drop(most);
        assert!(matches!(large(2), Err(Error::Crowded)));
        assert_eq!(Error::Crowded.into_response().status(), 503);
        assert!(
            large(1).is_ok(),
            "what was refused has given back its share"
        );
        drop(copy);
        assert!(large(2).is_ok());
    }
}
