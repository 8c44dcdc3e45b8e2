//! GET and HEAD, and the headers of a document.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use redfish_schema::resource_type;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::caller::Caller;
use crate::error::Error;
use crate::etag::ETag;
use crate::finish::Share;
use crate::head::accepts;
use crate::privilege::Operation;
use crate::query::{
    BoundFilter, Expand, Listing, MAX_EXPANDED_BYTES, MAX_EXPANDED_RESOURCES, Page, Query, excerpt,
    link, splice,
};
use crate::resource::json_schemas::document_uri;
use crate::service::Service;
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
    /// The paths from the document to what is expanded now.
    open: Vec<String>,
}

impl Budget {
    fn new(all: &LargeAnswers, resources: usize, bytes: usize) -> Self {
        Self {
            resources,
            bytes,
            shared: 0,
            share: None,
            all: Arc::clone(&all.0),
            open: Vec::new(),
        }
    }

    /// Whether a link leads back to what it stands in. To expand it would repeat the answer in itself, at each level
    /// anew: a chassis has its sensors, each of which names the chassis.
    fn is_open(&self, path: &Path) -> bool {
        self.open.iter().any(|open| open == path.as_str())
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
    fn spend(self, json: String) -> (Bytes, Option<Share>) {
        let share = self.share.map(Share::new);
        (Share::hold(share.clone(), json), share)
    }
}

/// How many members a collection may have for a `$filter`: each is read once for each answer.
pub const MAX_FILTERED_MEMBERS: usize = 100_000;

/// After how many resources a long query lets other requests have the processor.
const RESOURCES_A_TURN: usize = 64;

/// A document expanded some levels deep. Boxed, because it calls itself.
type Expanded<'a> = Pin<Box<dyn Future<Output = Result<String, Error>> + Send + 'a>>;

impl Service {
    /// GET and HEAD of everything that needs a login.
    pub(crate) async fn read(
        &self,
        path: &Path,
        parts: &Parts,
        caller: &Caller,
    ) -> Result<Response<Full<Bytes>>, Error> {
        let query = Query::parse(parts.uri.query())?;
        let document = match self.document_for(caller, path).await {
            Err(Error::Backend(Failure::NotFound, _)) if self.is_action(path).await => {
                return Err(Error::Method("POST"));
            }
            document => document?,
        };
        let operation = if parts.method == Method::HEAD {
            Operation::Head
        } else {
            Operation::Get
        };
        if !self.may(caller, path, &document, operation) {
            return Err(Error::Forbidden);
        }
        if !accepts(&parts.headers, "application/json") {
            return Err(Error::NotAcceptable);
        }
        if query.is_empty() && Listing::of_large(text(&document)).is_none() {
            Ok(respond(&document))
        } else {
            self.query(document, path, &query, caller).await
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
        Some(if query.chooses_members() {
            Err(message::query_not_supported_on_resource().into())
        } else {
            Ok(match shaped(text(root), &query) {
                Some(part) => respond_part(root, part),
                None => respond(root),
            })
        })
    }

    async fn query(
        &self,
        document: Document,
        path: &Path,
        query: &Query,
        caller: &Caller,
    ) -> Result<Response<Full<Bytes>>, Error> {
        if query.chooses_members() && !document.resource().is_collection() {
            return Err(message::query_not_supported_on_resource().into());
        }
        if query.only {
            let member = match Listing::of(text(&document)).and_then(|listing| listing.only()) {
                Some(target) => self.readable(&target, caller).await,
                None => None,
            };
            return match member {
                Some((_, member)) => Ok(respond(&member)),
                None => {
                    self.query_members(document, path, &Query::default(), caller)
                        .await
                }
            };
        }
        self.query_members(document, path, query, caller).await
    }

    /// The parts of a query in the order of DSP0266 "Query parameters": which members, then what of them.
    async fn query_members(
        &self,
        document: Document,
        path: &Path,
        query: &Query,
        caller: &Caller,
    ) -> Result<Response<Full<Bytes>>, Error> {
        let page = self.page(&document, path, query, caller).await?;
        let Some(expand) = query.expand else {
            return Ok(match (page, &document) {
                (Some(page), document) => {
                    let json = shaped(&page, query).unwrap_or(page);
                    let etag = ETag::of(json.as_bytes());
                    respond_as(document, json.into(), etag)
                }
                (None, document) => match shaped(text(document), query) {
                    Some(part) => respond_part(document, part),
                    None => respond(document),
                },
            });
        };
        let mut budget = Budget::new(
            &self.large_answers,
            MAX_EXPANDED_RESOURCES,
            MAX_EXPANDED_BYTES,
        );
        let whole = page.unwrap_or_else(|| text(&document).to_owned());
        budget.take(whole.len())?;
        budget.open.push(path.as_str().to_owned());
        let mut json = self
            .expanded(whole, expand, expand.levels, caller, &mut budget)
            .await?;
        if let Some(part) = shaped(&json, query) {
            json = part;
        }
        let etag = ETag::of(json.as_bytes());
        let (json, share) = budget.spend(json);
        let mut response = respond_as(&document, json, etag);
        if let Some(share) = share {
            response.extensions_mut().insert(share);
        }
        Ok(response)
    }

    /// The page of a collection that the query asks for. `None` if it is the whole document.
    async fn page(
        &self,
        document: &Document,
        path: &Path,
        query: &Query,
        caller: &Caller,
    ) -> Result<Option<String>, Error> {
        let json = text(document);
        let listing = if query.chooses_members() {
            Listing::of(json)
        } else {
            Listing::of_large(json)
        };
        let Some(mut listing) = listing else {
            return Ok(None);
        };
        if let Some(filter) = &query.filter {
            let member = document.resource().member_type.and_then(resource_type);
            let member = member.ok_or_else(message::query_not_supported_on_resource)?;
            let filter = filter.bind(member)?;
            let keeps = self.filtered(&listing, &filter, caller).await?;
            listing.retain(&keeps);
        }
        let next = |rest: &str| query.next_link(path.as_str(), rest);
        Ok(Some(listing.page(query.page, next)))
    }

    /// For each member, whether the filter accepts it. What the caller may not read is never accepted: that a
    /// filter accepts it would tell what is in it.
    async fn filtered(
        &self,
        listing: &Listing<'_>,
        filter: &BoundFilter<'_>,
        caller: &Caller,
    ) -> Result<Vec<bool>, Error> {
        let members = listing.members();
        if members.len() > MAX_FILTERED_MEMBERS {
            return Err(Error::AnswerTooLarge);
        }
        let mut keeps = Vec::with_capacity(members.len());
        for (index, member) in members.iter().enumerate() {
            if index % RESOURCES_A_TURN == RESOURCES_A_TURN - 1 {
                tokio::task::yield_now().await;
            }
            keeps.push(match link(member) {
                None => filter.accepts(member.get()),
                Some(target) => match self.readable(&target, caller).await {
                    Some((_, document)) => filter.accepts(text(&document)),
                    None => false,
                },
            });
        }
        Ok(keeps)
    }

    /// Replaces the links in `json` by what they lead to. A link stays as it is if nothing is there, if the caller may
    /// not see it (`$expand` opens no door that a GET doesn't), or if it leads back to what it stands in.
    fn expanded<'a>(
        &'a self,
        json: String,
        expand: Expand,
        levels: u8,
        caller: &'a Caller,
        budget: &'a mut Budget,
    ) -> Expanded<'a> {
        Box::pin(async move {
            let links = expand.links_in(&json);
            let mut parts = Vec::with_capacity(links.len());
            for (range, target) in links {
                let Some((path, document)) = self.readable(&target, caller).await else {
                    continue;
                };
                if budget.is_open(&path) {
                    continue;
                }
                // As a GET of the link would answer, a large collection comes as its first page.
                let mut inner = match Listing::of_large(text(&document)) {
                    Some(listing) => {
                        let next = |rest: &str| format!("{path}?{rest}");
                        listing.page(Page::default(), next)
                    }
                    None => text(&document).to_owned(),
                };
                budget.take(inner.len())?;
                if budget.resources.is_multiple_of(RESOURCES_A_TURN) {
                    tokio::task::yield_now().await;
                }
                if levels > 1 {
                    budget.open.push(path.as_str().to_owned());
                    inner = self
                        .expanded(inner, expand, levels - 1, caller, budget)
                        .await?;
                    budget.open.pop();
                }
                parts.push((range, inner));
            }
            Ok(splice(&json, &parts))
        })
    }

    /// The document that a link leads to, if there is one and the caller may read it.
    async fn readable(&self, target: &str, caller: &Caller) -> Option<(Path, Document)> {
        let path = Path::parse(target).ok().filter(|_| !target.contains('#'))?;
        let document = self.document_for(caller, &path).await.ok()?;
        self.may(caller, &path, &document, Operation::Get)
            .then_some((path, document))
    }
}

/// `Link` header by `@odata.type`, made once: every GET has one.
static LINKS: LazyLock<HashMap<&'static str, HeaderValue>> = LazyLock::new(|| {
    let all = redfish_schema::all().iter();
    all.filter_map(|kind| {
        let link = format!("<{}>; rel=describedby", document_uri(kind));
        Some((kind.odata_type, HeaderValue::from_str(&link).ok()?))
    })
    .collect()
});

/// The most headers that an answer with a document has, with those that are added on its way out.
const MAX_HEADERS: usize = 16;

/// 200 with the document.
pub(crate) fn respond(document: &Document) -> Response<Full<Bytes>> {
    let mut response = respond_as(document, document.json().clone(), document.tag());
    if let Some(forms) = document.forms() {
        response.extensions_mut().insert(forms.clone());
    }
    response
}

/// 200 with some properties of the document. Its tag is that of the whole document, so that a client can change what
/// it has seen in part.
fn respond_part(document: &Document, part: String) -> Response<Full<Bytes>> {
    respond_as(document, part.into(), document.tag())
}

fn respond_as(document: &Document, json: Bytes, etag: ETag) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(json));
    response.extensions_mut().insert(etag);
    let headers = response.headers_mut();
    headers.reserve(MAX_HEADERS);
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::ALLOW, HeaderValue::from_static(document.allow()));
    if let Some(link) = LINKS.get(document.resource().odata_type) {
        headers.insert(header::LINK, link.clone());
    }
    response
}

/// What `excerpt` and `$select` leave of a document. `None` if the query has neither.
fn shaped(json: &str, query: &Query) -> Option<String> {
    let short = query.excerpt.then(|| excerpt(json));
    match &query.select {
        Some(select) => Some(select.apply(short.as_deref().unwrap_or(json))),
        None => short,
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
            taken.map(|()| budget.spend("x".to_owned()).0)
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
