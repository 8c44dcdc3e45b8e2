//! The service's end of TLS: its certificate, which can be replaced while connections are open.

mod chain;
mod client;
mod csr;
mod facts;
mod live;
mod refused;

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

pub(crate) use chain::pem;
pub use chain::{Chain, ChainError, MAX_CHAIN, MAX_PEM_BYTES};
pub use client::authorities;
pub(crate) use client::{ClientCertificate, Clients, one_authority};
pub(crate) use csr::{CsrRequest, KeyKind, PendingKey};
pub(crate) use facts::Facts;
use live::Live;
pub use live::TlsConfig;
pub(crate) use live::{Presented, Vouched};
pub(crate) use refused::{Pace, cause as refusal_of_certificate};

/// Who takes care of the service's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateOwner {
    /// The operator, in files: a client can't replace it. New files take effect without a restart.
    Operator,
    /// The service: a client may ask for a signing request and bring a certificate.
    Service,
}

/// The certificate that TLS shows, and the configuration that shows it.
pub struct Tls {
    shown: Arc<Shown>,
    config: TlsConfig,
    /// Who vouches for clients, as the operator says.
    authorities: Vec<CertificateDer<'static>>,
}

/// What every new connection is shown.
struct Shown(ArcSwap<(Chain, Arc<CertifiedKey>)>);

impl Tls {
    /// TLS 1.3 and 1.2 with HTTP/2 and HTTP/1.1 behind it, showing this chain. Clients that show a certificate of one
    /// of `authorities` may be somebody by it; none need to.
    ///
    /// # Errors
    /// [`ChainError`] if certificate and key don't belong together, or one of them or of the authorities can't be used.
    pub fn new(chain: Chain, authorities: &[CertificateDer<'static>]) -> Result<Self, ChainError> {
        let certified = Arc::new(chain.certified()?);
        let shown = Arc::new(Shown(ArcSwap::from_pointee((chain, certified))));
        let config = TlsConfig::new(live(&shown, authorities, false)?);
        Ok(Self {
            shown,
            config,
            authorities: authorities.to_vec(),
        })
    }

    /// What a listener needs.
    #[must_use]
    pub fn config(&self) -> TlsConfig {
        self.config.clone()
    }

    /// Who vouches for clients, as the operator says.
    pub(crate) fn authorities(&self) -> &[CertificateDer<'static>] {
        &self.authorities
    }

    /// Believes these authorities, too, from the next connection on.
    ///
    /// # Errors
    /// [`ChainError`] if one can't be used; all stays as it was then.
    pub(crate) fn believe(&self, clients: Clients) -> Result<(), ChainError> {
        let mut all = clients.added;
        all.extend_from_slice(&self.authorities);
        if !clients.is_enabled {
            all.clear();
        }
        let live = live(&self.shown, &all, clients.needs_certificate)?;
        self.config.set(live);
        Ok(())
    }

    /// Shows another chain from the next connection on. Open connections go on with theirs.
    ///
    /// # Errors
    /// [`ChainError`] if it can't be used; the old one stays then.
    pub fn replace(&self, chain: Chain) -> Result<(), ChainError> {
        let certified = Arc::new(chain.certified()?);
        self.shown.0.store(Arc::new((chain, certified)));
        Ok(())
    }

    /// The chain that is shown now.
    pub(crate) fn chain(&self) -> Chain {
        self.shown.0.load().0.clone()
    }
}

/// A configuration in which these vouch for clients.
fn live(
    shown: &Arc<Shown>,
    authorities: &[CertificateDer<'static>],
    needs_certificate: bool,
) -> Result<Live, ChainError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = client::verifier(authorities, needs_certificate, &provider)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|e| ChainError::Unusable(e.to_string()))?
        .with_client_cert_verifier(Arc::clone(&verifier))
        .with_cert_resolver(Arc::clone(shown) as Arc<dyn ResolvesServerCert>);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Live {
        config: Arc::new(config),
        verifier: Some(verifier),
    })
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown")
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.load().1))
    }
}
