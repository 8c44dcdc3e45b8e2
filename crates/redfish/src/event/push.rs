//! Sends payloads to destinations: the only part of eventing that does IO.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::destination::Host;
use super::{Definition, Destination, DestinationError, EventSettings};

/// How long a connection to a destination may take, with the look-up of its name and the TLS handshake, in seconds.
const CONNECT_TIMEOUT_S: u64 = 10;
/// How long a destination may take to answer, in seconds.
const ANSWER_TIMEOUT_S: u64 = 30;
/// The longest answer that is read to its end, in bytes. A longer one costs its connection.
const MAX_ANSWER_BYTES: usize = 16 * 1024;
/// How many addresses of a name are tried.
const MAX_ADDRESSES: usize = 4;

/// Carries payloads.
pub(crate) struct Courier {
    settings: EventSettings,
    verified: TlsConnector,
    unverified: TlsConnector,
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
    /// The destination isn't allowed, or not any more.
    Destination(DestinationError),
    /// The name has no address.
    NoAddress(io::Error),
    Connect(io::Error),
    /// The TLS handshake failed: an unknown authority or another name in the certificate, for instance.
    Tls(io::Error),
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
            Self::Destination(error) => error.fmt(f),
            Self::NoAddress(error) => {
                write!(f, "The name of the destination has no address: {error}.")
            }
            Self::Connect(error) => write!(f, "The destination can't be connected to: {error}."),
            Self::Tls(error) => {
                write!(f, "The TLS handshake with the destination failed: {error}.")
            }
            Self::Timeout(seconds) => {
                write!(f, "The destination took longer than {seconds} seconds.")
            }
            Self::Http(error) => write!(f, "The exchange with the destination failed: {error}."),
            Self::Status(status) => write!(f, "The destination answered {status}."),
        }
    }
}

impl From<hyper::Error> for PushError {
    fn from(error: hyper::Error) -> Self {
        Self::Http(error)
    }
}

impl Courier {
    pub(crate) fn new(settings: EventSettings) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = || {
            ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()
        };
        let verified = versions()?
            .with_root_certificates(Arc::clone(&settings.authorities))
            .with_no_client_auth();
        let unverified = versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(Arc::clone(&provider))))
            .with_no_client_auth();
        Ok(Self {
            settings,
            verified: TlsConnector::from(Arc::new(verified)),
            unverified: TlsConnector::from(Arc::new(unverified)),
        })
    }

    pub(crate) const fn settings(&self) -> &EventSettings {
        &self.settings
    }

    /// Sends one payload, over `line` if that leads to the same destination and is still open. `line` is then the
    /// connection for the next one.
    pub(crate) async fn post(
        &self,
        line: &mut Option<Line>,
        definition: &Definition,
        payload: Bytes,
    ) -> Result<(), PushError> {
        let destination = Destination::parse(&definition.destination, &self.settings)
            .map_err(PushError::Destination)?;
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
        let limit = Duration::from_secs(CONNECT_TIMEOUT_S);
        let connected = timeout(
            limit,
            self.connect(&destination, definition.verify_certificate),
        )
        .await;
        let sender = connected.map_err(|_| PushError::Timeout(CONNECT_TIMEOUT_S))??;
        let mut fresh = Line { sender, to };
        let is_open = exchange(&mut fresh, &destination, definition, payload).await?;
        *line = is_open.then_some(fresh);
        Ok(())
    }

    async fn connect(
        &self,
        destination: &Destination,
        verify: bool,
    ) -> Result<SendRequest<Full<Bytes>>, PushError> {
        let stream = connect_to(&self.addresses(destination).await?).await?;
        if !destination.is_encrypted() {
            return shake_hands(stream).await;
        }
        let connector = if verify {
            &self.verified
        } else {
            &self.unverified
        };
        let name = match destination.host() {
            Host::Address(address) => ServerName::from(*address),
            Host::Name(name) => ServerName::try_from(name.clone())
                .map_err(|_| PushError::Destination(DestinationError::Form))?,
        };
        let stream = connector
            .connect(name, stream)
            .await
            .map_err(PushError::Tls)?;
        shake_hands(stream).await
    }

    /// The addresses of the destination that may be sent to. The connection goes to one of exactly these: the name
    /// isn't looked up again, so it can't point elsewhere after the check.
    async fn addresses(&self, destination: &Destination) -> Result<Vec<SocketAddr>, PushError> {
        let port = destination.port();
        let found: Vec<IpAddr> = match destination.host() {
            Host::Address(address) => vec![*address],
            Host::Name(name) => {
                let found = tokio::net::lookup_host((name.as_str(), port)).await;
                let found = found.map_err(PushError::NoAddress)?;
                found
                    .map(|address| address.ip())
                    .take(MAX_ADDRESSES)
                    .collect()
            }
        };
        if found.is_empty() {
            let error = io::Error::from(io::ErrorKind::NotFound);
            return Err(PushError::NoAddress(error));
        }
        for address in &found {
            self.settings
                .permit(*address)
                .map_err(PushError::Destination)?;
        }
        let with_port = |address| SocketAddr::new(address, port);
        Ok(found.into_iter().map(with_port).collect())
    }
}

/// The first address that answers.
async fn connect_to(addresses: &[SocketAddr]) -> Result<TcpStream, PushError> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // A payload is one write: waiting for more to send with it gains nothing.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(PushError::Connect(last))
}

async fn shake_hands<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, PushError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the sender, or when the receiver closes it; why, the next exchange says.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
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

/// Takes every certificate, for subscriptions with `VerifyCertificate` false. The receiver still has to prove that it
/// holds the certificate's key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
