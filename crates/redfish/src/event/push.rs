//! Sends payloads to destinations, over the connections that [`Connector`] makes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::SendRequest;
use tokio::time::timeout;

use super::connect::{ConnectError, Connector};
use super::{Definition, Destination, DestinationSettings};

/// How long a destination may take to answer, in seconds.
const ANSWER_TIMEOUT_S: u64 = 30;
/// The longest answer that is read to its end, in bytes. A longer one costs its connection.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// Carries payloads.
pub(crate) struct Courier {
    connector: Arc<Connector>,
}

/// A connection that is kept for the next payload.
pub(crate) struct Line {
    sender: SendRequest<Full<Bytes>>,
    /// To whom, and whether the certificate was checked.
    to: (String, bool),
}

/// Why a payload didn't arrive.
#[derive(Debug)]
pub(crate) enum PushError {
    /// There is no connection.
    Connect(ConnectError),
    /// It took longer than this many seconds.
    Timeout(u64),
    /// The connection broke, or what came back is no HTTP.
    Http(hyper::Error),
    /// The receiver didn't take it. Redirects count too: they aren't followed.
    Status(StatusCode),
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => error.fmt(f),
            Self::Timeout(seconds) => {
                write!(f, "The destination took longer than {seconds} seconds.")
            }
            Self::Http(error) => write!(f, "The exchange with the destination failed: {error}."),
            Self::Status(status) => write!(f, "The destination answered {status}."),
        }
    }
}

impl From<ConnectError> for PushError {
    fn from(error: ConnectError) -> Self {
        Self::Connect(error)
    }
}

impl From<hyper::Error> for PushError {
    fn from(error: hyper::Error) -> Self {
        Self::Http(error)
    }
}

impl Courier {
    pub(crate) const fn new(connector: Arc<Connector>) -> Self {
        Self { connector }
    }

    pub(crate) fn settings(&self) -> &DestinationSettings {
        self.connector.settings()
    }

    /// Sends one payload, over `line` if that leads to the same destination and is still open. `line` is then the
    /// connection for the next one.
    pub(crate) async fn post(
        &self,
        line: &mut Option<Line>,
        definition: &Definition,
        payload: Bytes,
    ) -> Result<(), PushError> {
        let destination = Destination::parse(&definition.destination, self.settings())
            .map_err(ConnectError::Destination)?;
        let to = (
            definition.destination.clone(),
            definition.verify_certificate,
        );
        let kept = line.take().filter(|kept| kept.to == to);
        if let Some(mut kept) = kept
            && kept.sender.ready().await.is_ok()
        {
            match exchange(&mut kept, &destination, definition, payload.clone()).await {
                // The receiver has closed the connection in the meantime: that says nothing about this payload.
                Err(PushError::Http(error)) => tracing::debug!(%error, "connection was closed"),
                result => {
                    *line = result
                        .as_ref()
                        .is_ok_and(|&is_open| is_open)
                        .then_some(kept);
                    return result.map(|_| ());
                }
            }
        }
        let verify = definition.verify_certificate;
        let sender = self.connector.connect(&destination, verify).await?;
        let mut fresh = Line { sender, to };
        let is_open = exchange(&mut fresh, &destination, definition, payload).await?;
        *line = is_open.then_some(fresh);
        Ok(())
    }
}

/// One POST and its answer. Says whether the connection can be used again.
async fn exchange(
    line: &mut Line,
    destination: &Destination,
    definition: &Definition,
    payload: Bytes,
) -> Result<bool, PushError> {
    let request = request(destination, definition, payload);
    let answer = async {
        let response = line.sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
            .collect()
            .await;
        Ok::<_, hyper::Error>((status, body.is_ok()))
    };
    let answer = timeout(Duration::from_secs(ANSWER_TIMEOUT_S), answer).await;
    let (status, was_read) = answer.map_err(|_| PushError::Timeout(ANSWER_TIMEOUT_S))??;
    if status.is_success() {
        Ok(was_read)
    } else {
        Err(PushError::Status(status))
    }
}

fn request(
    destination: &Destination,
    definition: &Definition,
    payload: Bytes,
) -> Request<Full<Bytes>> {
    let uri = destination.uri();
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = Request::new(Full::new(payload));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = target.parse().unwrap_or_default();
    let headers = request.headers_mut();
    for (name, value) in definition.headers.iter().filter_map(super::Header::parsed) {
        headers.append(name, value);
    }
    let host = uri
        .authority()
        .map(|authority| HeaderValue::from_str(authority.as_str()));
    if let Some(Ok(host)) = host {
        headers.insert(header::HOST, host);
    }
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json;charset=utf-8"),
    );
    headers.insert("odata-version", HeaderValue::from_static("4.0"));
    request
}
