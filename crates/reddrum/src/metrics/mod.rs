//! `/metrics`: figures for Prometheus, at an address of their own, in clear text and without a login.
//!
//! ```text
//!   /metrics            own.rs       the fleet, the service and the process: a few kilobytes
//!   /metrics/machines   machines.rs  every sensor of every machine, streamed; ?part=2/5 for the second of five parts
//! ```
//!
//! Both are read from memory; a scrape never waits for a BMC.

mod machines;
mod own;
mod scans;
mod text;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use fleet::Fleet;
use hardware::Hardware as _;
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use redfish::Service;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::inventory;
use crate::scan::Figures;
use machines::{Part, Telling};
use text::{Format, Text};

/// How many scrapes are answered at a time; further ones wait in the listener's backlog.
const SCRAPES_AT_ONCE: usize = 8;
/// How long a connection may last: Prometheus gives up long before.
const CONNECTION_LIMIT: Duration = Duration::from_secs(120);
/// How long the head of a request may take.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// The pause after a connection could not be taken: the system has no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where figures are had, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MetricsConfig {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// Only the figures of the fleet as a whole: `/metrics/machines` isn't there.
    pub(crate) fleet_only: bool,
}

/// A listener that has its socket but doesn't answer yet.
#[derive(Debug)]
pub(crate) struct Metrics {
    listener: TcpListener,
    source: Source,
}

/// What figures are made of.
#[derive(Clone, Debug)]
struct Source {
    /// Weak: a scrape that goes on keeps no fleet alive.
    fleet: Weak<Fleet>,
    service: Arc<Service>,
    scans: Arc<Figures>,
    fleet_only: bool,
}

impl Metrics {
    /// Takes the socket.
    ///
    /// # Errors
    /// It can't be listened there.
    pub(crate) async fn bind(
        config: &MetricsConfig,
        fleet: &Arc<Fleet>,
        service: Arc<Service>,
        scans: Arc<Figures>,
    ) -> std::io::Result<Self> {
        let source = Source {
            fleet: Arc::downgrade(fleet),
            service,
            scans,
            fleet_only: config.fleet_only,
        };
        let listener = TcpListener::bind(config.listen).await?;
        Ok(Self { listener, source })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Answers scrapes until `closing` closes; those that run are cut short then.
    pub(crate) async fn serve(self, mut closing: watch::Receiver<()>) {
        let mut running = JoinSet::new();
        loop {
            let has_room = running.len() < SCRAPES_AT_ONCE;
            tokio::select! {
                accepted = self.listener.accept(), if has_room => match accepted {
                    Ok((stream, _)) => {
                        running.spawn(answer_one(stream, self.source.clone()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "no connection for a scrape");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = running.join_next() => {}
                _ = closing.changed() => break,
            }
        }
        running.shutdown().await;
    }
}

/// One request, one connection.
async fn answer_one(stream: TcpStream, source: Source) {
    let handle = service_fn(move |request: Request<hyper::body::Incoming>| {
        let response = source.answer(&request);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), handle);
    match timeout(CONNECTION_LIMIT, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a scrape was cut short"),
        Err(_) => tracing::debug!("a scrape took too long"),
    }
}

impl Source {
    fn answer<B>(&self, request: &Request<B>) -> Response<Page> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD.\n");
            let allow = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, allow);
            return response;
        }
        let accept = request.headers().get(ACCEPT);
        let accept = accept.and_then(|value| value.to_str().ok()).unwrap_or("");
        let mut text = Text::new(Format::of(accept));
        let Some(fleet) = self.fleet.upgrade() else {
            return plain(StatusCode::SERVICE_UNAVAILABLE, "The service ends.\n");
        };
        let machines = match (request.uri().path(), request.uri().query()) {
            ("/metrics", None) => {
                own::service(&self.service.figures(), &mut text);
                own::fleet(&fleet.figures(), &mut text);
                scans::scans(&self.scans, &mut text);
                own::lists(&inventory::shown(), &mut text);
                own::process(&mut text);
                None
            }
            ("/metrics/machines", query) if !self.fleet_only => {
                let part = match query.unwrap_or("").split_once('=') {
                    None if query.is_none() => Some(Part::ALL),
                    Some(("part", part)) => Part::parse(&part.replace("%2F", "/")),
                    _ => None,
                };
                let Some(part) = part else {
                    return plain(StatusCode::BAD_REQUEST, "Only ?part=N/M, from 1/1 on.\n");
                };
                Some(Telling::new(fleet.node_ids(), part))
            }
            ("/metrics", Some(_)) => {
                return plain(StatusCode::BAD_REQUEST, "/metrics takes no parameters.\n");
            }
            _ => return plain(StatusCode::NOT_FOUND, "See /metrics.\n"),
        };
        let content_type = Format::of(accept).content_type();
        let page = Page {
            text,
            fleet: Weak::clone(&self.fleet),
            machines,
            is_ended: false,
        };
        respond(StatusCode::OK, content_type, page)
    }
}

fn plain(status: StatusCode, said: &str) -> Response<Page> {
    let page = Page::of(said);
    respond(status, "text/plain; charset=utf-8", page)
}

fn respond(status: StatusCode, content_type: &'static str, page: Page) -> Response<Page> {
    let mut response = Response::new(page);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A page on its way: what is written already, and what is written when the client has taken that.
#[derive(Debug)]
struct Page {
    text: Text,
    fleet: Weak<Fleet>,
    machines: Option<Telling>,
    /// The text has its end; what is written goes out and nothing more.
    is_ended: bool,
}

impl Page {
    /// A page that is written already.
    fn of(said: &str) -> Self {
        let mut text = Text::new(Format::Prometheus);
        text.say(said);
        Self {
            text,
            fleet: Weak::new(),
            machines: None,
            is_ended: true,
        }
    }
}

impl Body for Page {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let page = &mut *self;
        if let Some(machines) = &mut page.machines {
            let Some(fleet) = page.fleet.upgrade() else {
                // Half a page must not pass for a whole one.
                return Poll::Ready(Some(Err("the fleet ended")));
            };
            if !machines.write(&*fleet, &mut page.text) {
                page.machines = None;
            } else if page.text.len() == 0 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        if page.machines.is_none() && !std::mem::replace(&mut page.is_ended, true) {
            page.text.end();
        }
        let piece = page.text.take();
        if piece.is_empty() {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_ended && self.text.len() == 0
    }
}
