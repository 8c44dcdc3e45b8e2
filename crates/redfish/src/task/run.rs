//! Changes and actions: on their own, so that a client that goes away cuts none in half, and as a task where they take
//! long.

use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts as Head;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{ANSWER_WITHIN_S, Answer, Record, Request, State, Tasks, record};
use crate::audit::{AuditLog, Deed, Entry};
use crate::caller::{Caller, Owner};
use crate::error::Error;
use crate::fixed::options;
use crate::privilege::Operation;
use crate::resource::task_service;
use crate::respond::{no_content, respond};
use crate::{Failure, Path, Service};

/// [`ANSWER_WITHIN_S`]
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(ANSWER_WITHIN_S);
/// When a client should ask again how a change is getting on, in seconds.
const RETRY_AFTER_S: u32 = 5;
/// The methods of a task monitor.
const MONITOR_ALLOW: &str = "GET, HEAD, DELETE";

/// What somebody wants to be done.
pub(crate) struct Order {
    pub(crate) caller: Caller,
    pub(crate) request: Request,
}

impl Order {
    /// The record of a task in the state `state`.
    pub(crate) fn record(&self, state: State) -> Record {
        let Request { method, target, .. } = &self.request;
        Record {
            name: format!("{method} {target}"),
            owner: Owner::of(&self.caller),
            state,
            started_ms: record::now_ms(),
            ended_ms: None,
            percent: None,
            messages: Vec::new(),
            request: self.request.clone(),
            answer: None,
            deferred: None,
            parent: None,
        }
    }

    /// The answer to `work`, and a line in the audit log if it failed.
    pub(crate) fn answer(
        &self,
        audit: &AuditLog,
        done: Result<Response<Full<Bytes>>, Error>,
    ) -> Response<Full<Bytes>> {
        done.unwrap_or_else(|error| {
            if let Error::Backend(failure, _) = &error {
                let deed = Deed::Failed {
                    method: self.request.method.clone(),
                    path: self.request.target.clone(),
                    cause: failure.to_string(),
                };
                audit.record(&Entry::of(&self.caller, deed));
            }
            error.into_response()
        })
    }
}

impl Service {
    /// Does `work` and answers as it does, or with 202 if it takes longer than [`ANSWER_WITHIN_S`].
    pub(crate) async fn carry_out<W>(
        &self,
        order: Order,
        work: W,
    ) -> Result<Response<Full<Bytes>>, Error>
    where
        W: Future<Output = Result<Response<Full<Bytes>>, Error>> + Send + 'static,
    {
        let tasks = self.tasks().clone();
        let place = tasks.place(&order.request.target)?;
        let (tell, told) = oneshot::channel();
        tokio::spawn(async move {
            let _place = place;
            let mut work = std::pin::pin!(work);
            if let Ok(done) = timeout(ANSWER_WITHIN, &mut work).await {
                // Nobody may be there any more to hear it.
                let _ = tell.send(Ran::Done(order.answer(tasks.audit(), done)));
                return;
            }
            let handle = tasks.begin(order.record(State::Running), false).await;
            let _ = tell.send(Ran::Going(handle.id()));
            let answer = order.answer(tasks.audit(), work.await);
            handle.finish(Answer::of(answer)).await;
        });
        match told.await {
            Ok(Ran::Done(response)) => Ok(response),
            Ok(Ran::Going(id)) => self.accepted(id),
            Err(_) => {
                let cause = Failure::Internal("a change has ended without an answer".to_owned());
                Err(Error::Backend(cause, String::new()))
            }
        }
    }

    /// The monitor of a task: 202 while it goes on, then what the operation would have answered at once. DELETE calls
    /// it off.
    pub(crate) async fn monitor(
        &self,
        id: &str,
        parts: &Head,
        caller: &Caller,
    ) -> Result<Response<Full<Bytes>>, Error> {
        let failed = |failure| Error::Backend(failure, parts.uri.path().to_owned());
        let found = self.tasks().get(id);
        let monitored =
            found.filter(|(_, record)| record.parent.is_none() && record.state != State::Cancelled);
        let (number, record) = monitored.ok_or_else(|| failed(Failure::NotFound))?;
        let document = task_service::task(self.tasks(), id).map_err(failed)?;
        let path = format!("{}/{id}", super::TASKS_PATH);
        let path = Path::parse(&path).map_err(|_| failed(Failure::NotFound))?;
        let operation = match parts.method {
            Method::GET => Operation::Get,
            Method::HEAD => Operation::Head,
            Method::DELETE => Operation::Delete,
            Method::OPTIONS => return Ok(options(MONITOR_ALLOW)),
            _ => return Err(Error::Method(MONITOR_ALLOW)),
        };
        if !self.may(caller, &path, &document, operation) {
            return Err(Error::Forbidden);
        }
        match (operation, &record.answer) {
            (Operation::Get | Operation::Head, Some(answer)) => Ok(answer.to_response()),
            (Operation::Get | Operation::Head, None) => self.accepted(number),
            _ => {
                self.tasks().cancel(number).await.map_err(failed)?;
                self.record(
                    caller,
                    Deed::Deleted {
                        path: parts.uri.path().to_owned(),
                    },
                );
                Ok(no_content())
            }
        }
    }

    /// 202 with the task, and where to ask how it is getting on.
    pub(crate) fn accepted(&self, id: u64) -> Result<Response<Full<Bytes>>, Error> {
        let path = format!("{}/{id}", super::TASKS_PATH);
        let document = task_service::task(self.tasks(), &id.to_string());
        let document = document.map_err(|failure| Error::Backend(failure, path))?;
        let mut response = respond(&document);
        response.extensions_mut().clear();
        *response.status_mut() = StatusCode::ACCEPTED;
        let headers = response.headers_mut();
        headers.remove(header::ALLOW);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        if let Ok(location) = HeaderValue::try_from(task_service::monitor_path(id)) {
            headers.insert(header::LOCATION, location);
        }
        Ok(response)
    }
}

/// What became of a change while its client waited.
enum Ran {
    Done(Response<Full<Bytes>>),
    Going(u64),
}

impl Tasks {
    /// A place among the changes that are under way.
    fn place(&self, target: &str) -> Result<tokio::sync::OwnedSemaphorePermit, Error> {
        let place = std::sync::Arc::clone(&self.0.changes).try_acquire_owned();
        place.map_err(|_| {
            let failure = Failure::Unavailable {
                retry_after_s: RETRY_AFTER_S,
            };
            Error::Backend(failure, target.to_owned())
        })
    }
}
