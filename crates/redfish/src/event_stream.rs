//! GET of `ServerSentEventUri`: a response that goes on (DSP0266 "Server-sent events").

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts as Head;
use http::{Method, Response};
use http_body_util::Full;

use crate::Path;
use crate::caller::{Caller, Owner};
use crate::error::Error;
use crate::event::{Opening, StreamBody, StreamError, Watch};
use crate::head::accepts;
use crate::outgoing::Outgoing;
use crate::privilege::map::Holder;
use crate::privilege::{Operation, PrivilegeMap, Privileges};
use crate::query::EventQuery;
use crate::resource::event_service;
use crate::service::Service;
use crate::tls::Vouched;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const MEDIA_TYPE: &str = "text/event-stream";

/// Rides on a response whose body is a stream; the body of the response itself is empty.
#[derive(Clone)]
pub(crate) struct Streaming(Arc<Mutex<Option<StreamBody>>>);

impl Streaming {
    /// Puts the stream into its response.
    pub(crate) fn unpack(mut response: Response<Full<Bytes>>) -> Response<Outgoing> {
        let streaming = response.extensions_mut().remove::<Self>();
        let body = streaming.and_then(|Self(body)| {
            let mut body = body.lock().unwrap_or_else(PoisonError::into_inner);
            body.take()
        });
        match body {
            Some(body) => response.map(|_| Outgoing::Stream(Box::pin(body))),
            None => response.map(Outgoing::Whole),
        }
    }
}

/// Whether a request for `path` is one for events.
pub(crate) fn is_stream(path: &Path) -> bool {
    path.as_str() == event_service::STREAM
}

impl Service {
    pub(crate) fn stream(
        &self,
        parts: &Head,
        caller: &Caller,
    ) -> Result<Response<Full<Bytes>>, Error> {
        if !may_watch(self.accounts().privilege_map(), caller.privileges()) {
            return Err(Error::Forbidden);
        }
        if parts.method != Method::GET {
            return Err(Error::Method("GET"));
        }
        if !accepts(&parts.headers, MEDIA_TYPE) {
            return Err(Error::NotAcceptable);
        }
        // Text that isn't one of our numbers stands for one that was never given out.
        let last_event = parts.headers.get(LAST_EVENT_ID).map(|value| {
            let number = value.to_str().ok().and_then(|text| text.parse().ok());
            number.unwrap_or(u64::MAX)
        });
        let opening = Opening {
            owner: Owner::of(caller),
            client: caller.client(),
            query: EventQuery::parse(parts.uri.query())?,
            last_event,
            watch: self.watch(caller, vouched(parts, caller)),
        };
        let body = self
            .events()
            .streams
            .open(opening)
            .map_err(|error| match error {
                StreamError::Limit => Error::StreamLimit,
                StreamError::Disabled => Error::ServiceDisabled(event_service::PATH),
            })?;
        let mut response = Response::new(Full::default());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // nginx would collect the stream before it passes it on.
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
        let body = Arc::new(Mutex::new(Some(body)));
        response.extensions_mut().insert(Streaming(body));
        Ok(response)
    }

    /// Whether the caller may go on reading: his account, his session or certificate and his role are asked each time. An
    /// open stream is use of its session.
    fn watch(&self, caller: &Caller, vouched: Option<Vouched>) -> Watch {
        let (accounts, sessions) = (Arc::clone(self.accounts()), self.sessions());
        let (session, opened) = (caller.session().cloned(), Arc::clone(caller.account()));
        Box::new(move || {
            if vouched.as_ref().is_some_and(|vouched| !vouched.is_still()) {
                return false;
            }
            let account = match &session {
                Some(session) if !sessions.prolong(session) => None,
                Some(session) => accounts.of_session(session),
                None => accounts.as_opened(&opened),
            };
            account.is_some_and(|account| {
                let has = accounts.privileges_of(&account);
                !account.must_change_password() && may_watch(accounts.privilege_map(), has)
            })
        })
    }
}

/// Who vouches for a caller that is somebody by his certificate. `None` of one that has shown a token or a password.
fn vouched(parts: &Head, caller: &Caller) -> Option<Vouched> {
    let is_by_certificate =
        caller.session().is_none() && !parts.headers.contains_key(header::AUTHORIZATION);
    let vouched = parts.extensions.get::<Vouched>();
    vouched.filter(|_| is_by_certificate).cloned()
}

fn may_watch(map: &PrivilegeMap, has: Privileges) -> bool {
    let holder = Holder { has, owns: false };
    map.permits(
        holder,
        "EventService",
        event_service::STREAM,
        Operation::Get,
    )
}
