//! Connections to servers that a client has named: events go to them, images come from them. What the settings refuse
//! is never connected to, and a name is looked up once.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
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
use super::{Destination, DestinationError, DestinationSettings};
use crate::store::StoreError;

/// How long a connection may take, with the look-up of the name and the TLS handshake, in seconds.
const CONNECT_TIMEOUT_S: u64 = 10;
/// How many addresses of a name are tried.
const MAX_ADDRESSES: usize = 4;

/// Makes connections.
pub(crate) struct Connector {
    settings: DestinationSettings,
    verified: TlsConnector,
    unverified: TlsConnector,
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum ConnectError {
    /// The destination isn't allowed, or not any more.
    Destination(DestinationError),
    /// The name has no address.
    NoAddress(io::Error),
    /// Nobody listens, or the way there is closed.
    Refused(io::Error),
    /// The TLS handshake failed: an unknown authority or another name in the certificate, for instance.
    Tls(io::Error),
    /// It took longer than this many seconds.
    Timeout(u64),
    /// The connection broke at once.
    Http(hyper::Error),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Destination(error) => error.fmt(f),
            Self::NoAddress(error) => write!(f, "The name can't be looked up: {error}."),
            Self::Refused(error) => write!(f, "The server can't be connected to: {error}."),
            Self::Tls(error) => write!(f, "The TLS handshake with the server failed: {error}."),
            Self::Timeout(seconds) => {
                write!(f, "The connection took longer than {seconds} seconds.")
            }
            Self::Http(error) => write!(f, "The exchange with the server failed: {error}."),
        }
    }
}

impl Connector {
    /// # Errors
    /// [`StoreError`] if the cryptography is of no use.
    pub(crate) fn new(settings: DestinationSettings) -> Result<Arc<Self>, StoreError> {
        let connector = Self::with(settings).map_err(|e| StoreError::File(e.to_string()))?;
        Ok(Arc::new(connector))
    }

    fn with(settings: DestinationSettings) -> Result<Self, rustls::Error> {
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

    pub(crate) const fn settings(&self) -> &DestinationSettings {
        &self.settings
    }

    /// A connection to the destination, whose certificate is checked if `verify`.
    pub(crate) async fn connect(
        &self,
        destination: &Destination,
        verify: bool,
    ) -> Result<SendRequest<Full<Bytes>>, ConnectError> {
        let limit = Duration::from_secs(CONNECT_TIMEOUT_S);
        let connected = timeout(limit, self.connected(destination, verify)).await;
        connected.map_err(|_| ConnectError::Timeout(CONNECT_TIMEOUT_S))?
    }

    async fn connected(
        &self,
        destination: &Destination,
        verify: bool,
    ) -> Result<SendRequest<Full<Bytes>>, ConnectError> {
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
                .map_err(|_| ConnectError::Destination(DestinationError::Form))?,
        };
        let stream = connector
            .connect(name, stream)
            .await
            .map_err(ConnectError::Tls)?;
        shake_hands(stream).await
    }

    /// The addresses of the destination that may be connected to. The connection goes to one of exactly these: the
    /// name isn't looked up again, so it can't point elsewhere after the check.
    async fn addresses(&self, destination: &Destination) -> Result<Vec<SocketAddr>, ConnectError> {
        let port = destination.port();
        let found: Vec<IpAddr> = match destination.host() {
            Host::Address(address) => vec![*address],
            Host::Name(name) => {
                let found = tokio::net::lookup_host((name.as_str(), port)).await;
                let found = found.map_err(ConnectError::NoAddress)?;
                found
                    .map(|address| address.ip())
                    .take(MAX_ADDRESSES)
                    .collect()
            }
        };
        if found.is_empty() {
            let error = io::Error::from(io::ErrorKind::NotFound);
            return Err(ConnectError::NoAddress(error));
        }
        for address in &found {
            self.settings
                .permit(*address)
                .map_err(ConnectError::Destination)?;
        }
        let with_port = |address| SocketAddr::new(address, port);
        Ok(found.into_iter().map(with_port).collect())
    }
}

/// The first address that answers.
async fn connect_to(addresses: &[SocketAddr]) -> Result<TcpStream, ConnectError> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // A request is one write: waiting for more to send with it gains nothing.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(ConnectError::Refused(last))
}

async fn shake_hands<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, ConnectError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(ConnectError::Http)?;
    // It ends with the sender, or when the server closes it; why, the next exchange says.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
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
