//! Fetches an image from the server that a client has named: the only part of updates that connects to others.
//!
//! The server is nobody's friend: it may be slow, endless, or send the service on to another place. So everything is
//! bounded, redirects aren't followed, and what isn't a whole image of a known length is none.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

use super::{Image, Intake, IntakeError};
use crate::event::{ConnectError, Connector, Destination, DestinationError};

/// How long a server may take until it begins to answer, in seconds.
pub const FETCH_ANSWER_S: u64 = 30;
/// How long a server may pause while it sends an image, in seconds.
pub const FETCH_IDLE_S: u64 = 30;
/// How long an image may take in all, in seconds.
pub const MAX_FETCH_S: u64 = 60 * 60;

/// Where an image is, and what its server wants to see.
pub(super) struct Source {
    pub(super) destination: Destination,
    /// `Authorization`, marked as secret.
    pub(super) authorization: Option<HeaderValue>,
}

/// Why an image didn't arrive.
#[derive(Debug)]
pub(super) enum FetchError {
    Connect(ConnectError),
    /// The server took longer than this many seconds.
    Timeout(u64),
    /// The connection broke, or what came is no HTTP.
    Http(hyper::Error),
    Status(StatusCode),
    /// The image is packed in this way for the transfer, which wasn't asked for.
    Coding,
    /// The server doesn't say how long the image is: nobody could tell whether all of it came.
    NoLength,
    Empty,
    /// It is longer than this many bytes.
    TooLong(u64),
    /// It can't be written.
    File(std::io::Error),
}

impl FetchError {
    /// Whether the request asks for what it can't have, whatever the server does.
    pub(super) const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Connect(ConnectError::Destination(_)) | Self::TooLong(_)
        )
    }
}

/// Cause and remedy.
impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const AGAIN: &str = "Mend the server, then resubmit the request.";
        match self {
            Self::Connect(ConnectError::Destination(error)) => f.write_str(&refused(*error)),
            Self::Connect(ConnectError::NoAddress(error)) => write!(
                f,
                "The name of the server can't be looked up: {error}. Correct ImageURI."
            ),
            Self::Connect(ConnectError::Tls(error)) => write!(
                f,
                "The TLS handshake with the server failed: {error}. The server needs a certificate for its name of an \
                 authority that the service trusts."
            ),
            Self::Connect(error) => write!(f, "{error} {AGAIN}"),
            Self::Timeout(seconds) => {
                write!(f, "The server took longer than {seconds} seconds. {AGAIN}")
            }
            Self::Http(error) => write!(
                f,
                "The connection broke before the whole image was there: {error}. {AGAIN}"
            ),
            Self::Status(status) if status.is_redirection() => write!(
                f,
                "The server answered {status}. Redirects are not followed: name the URI of the image itself."
            ),
            Self::Status(status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)) => write!(
                f,
                "The server answered {status}. Correct Username and Password."
            ),
            Self::Status(status) => {
                write!(
                    f,
                    "The server answered {status}. Correct ImageURI or mend the server."
                )
            }
            Self::Coding => write!(
                f,
                "The server sends the image with a content coding, which the service didn't ask for. {AGAIN}"
            ),
            Self::NoLength => write!(
                f,
                "The server doesn't say where the image ends, with Content-Length or chunks. {AGAIN}"
            ),
            Self::Empty => f.write_str("What the server sent is empty. Correct ImageURI."),
            Self::TooLong(longest) => write!(
                f,
                "What the server sent is longer than the {longest} bytes of MaxImageSizeBytes. Correct ImageURI."
            ),
            Self::File(error) => write!(
                f,
                "The image can't be written: {error}. Mend that on the machine that the service runs on."
            ),
        }
    }
}

/// Why an image isn't fetched from there, and what to do.
pub(super) fn refused(error: DestinationError) -> String {
    match error {
        DestinationError::Form => "Write it as https://host:port/path.".to_owned(),
        DestinationError::Scheme => "Images are fetched by HTTPS or HTTP.".to_owned(),
        DestinationError::ClearText => {
            "Images are fetched by HTTPS. The configuration of the service can allow HTTP."
                .to_owned()
        }
        DestinationError::UserInfo => {
            "Write no user name or password into it. Username and Password are for that.".to_owned()
        }
        DestinationError::Address(address) => format!(
            "The service connects to no server at {address}. Its configuration can allow that network."
        ),
    }
}

impl From<ConnectError> for FetchError {
    fn from(error: ConnectError) -> Self {
        Self::Connect(error)
    }
}

impl From<IntakeError> for FetchError {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::TooLong(longest) => Self::TooLong(longest),
            IntakeError::File(error) => Self::File(error),
        }
    }
}

/// Fetches the image into `intake` and says in percent how far that is.
pub(super) async fn fetch(
    connector: &Connector,
    source: &Source,
    intake: Intake,
    tell: impl Fn(u8),
) -> Result<Image, FetchError> {
    let whole = async {
        let response = ask(connector, source).await?;
        take(response, intake, tell).await
    };
    let whole = timeout(Duration::from_secs(MAX_FETCH_S), whole).await;
    whole.map_err(|_| FetchError::Timeout(MAX_FETCH_S))?
}

/// The server's answer, once that is an image.
async fn ask(connector: &Connector, source: &Source) -> Result<Response<Incoming>, FetchError> {
    let mut sender = connector.connect(&source.destination, true).await?;
    let request = sender.send_request(request(source));
    let response = timeout(Duration::from_secs(FETCH_ANSWER_S), request).await;
    let response = response
        .map_err(|_| FetchError::Timeout(FETCH_ANSWER_S))?
        .map_err(FetchError::Http)?;
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status()));
    }
    let headers = response.headers();
    let coding = headers.get(header::CONTENT_ENCODING);
    if coding.is_some_and(|coding| coding != "identity") {
        return Err(FetchError::Coding);
    }
    if !headers.contains_key(header::CONTENT_LENGTH)
        && !headers.contains_key(header::TRANSFER_ENCODING)
    {
        return Err(FetchError::NoLength);
    }
    Ok(response)
}

fn request(source: &Source) -> Request<Full<Bytes>> {
    let uri = source.destination.uri();
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = Request::new(Full::default());
    *request.uri_mut() = target.parse().unwrap_or_default();
    let headers = request.headers_mut();
    let host = uri
        .authority()
        .and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(host) = host {
        headers.insert(header::HOST, host);
    }
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    let identity = HeaderValue::from_static("identity");
    headers.insert(header::ACCEPT_ENCODING, identity);
    if let Some(authorization) = &source.authorization {
        headers.insert(header::AUTHORIZATION, authorization.clone());
    }
    request
}

/// Takes the image. A body that ends before its length is an error of `hyper`'s.
async fn take(
    response: Response<Incoming>,
    mut intake: Intake,
    tell: impl Fn(u8),
) -> Result<Image, FetchError> {
    let mut body = response.into_body();
    let length = body.size_hint().exact();
    if length.is_some_and(|length| length > intake.longest()) {
        return Err(FetchError::TooLong(intake.longest()));
    }
    let mut got = 0_u64;
    loop {
        let frame = timeout(Duration::from_secs(FETCH_IDLE_S), body.frame()).await;
        let frame = match frame.map_err(|_| FetchError::Timeout(FETCH_IDLE_S))? {
            None => break,
            Some(frame) => frame.map_err(FetchError::Http)?,
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        intake.push(&data).await?;
        got += data.len() as u64;
        if let Some(percent) = length.and_then(|length| (got * 100).checked_div(length)) {
            tell(u8::try_from(percent).unwrap_or(100));
        }
    }
    if got == 0 {
        return Err(FetchError::Empty);
    }
    Ok(intake.finish().await?)
}
