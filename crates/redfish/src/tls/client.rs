//! Clients that show a certificate (DSP0266 "Client certificate authentication").

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use super::chain::certificates;
use super::{ChainError, Facts};

/// Who a connection's certificate says that the client is. TLS has checked that an authority vouches for it and that the
/// client has its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientCertificate {
    /// The subject's common name: a user name, to the letter.
    pub(crate) common_name: Arc<str>,
}

impl ClientCertificate {
    /// Of the certificates that the client showed, its own is the first.
    pub(crate) fn of(shown: Option<&[CertificateDer<'_>]>) -> Option<Self> {
        let facts = Facts::of(shown?.first()?)?;
        let common_name = facts.common_name()?.into();
        Some(Self { common_name })
    }
}

/// The authorities in a PEM text.
///
/// # Errors
/// [`ChainError`] says what is wrong with it.
pub fn authorities(text: &str) -> Result<Vec<CertificateDer<'static>>, ChainError> {
    let authorities = certificates(text)?;
    let is_authority = |der: &CertificateDer<'_>| Facts::of(der).is_some_and(|f| f.is_authority);
    if authorities.iter().all(is_authority) {
        Ok(authorities)
    } else {
        Err(ChainError::NoAuthority)
    }
}

/// What asks clients for certificates: of these authorities, or of nobody.
pub(super) fn verifier(
    authorities: &[CertificateDer<'static>],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, ChainError> {
    if authorities.is_empty() {
        return Ok(WebPkiClientVerifier::no_client_auth());
    }
    let unusable = |cause: String| ChainError::Unusable(cause);
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots
            .add(authority.clone())
            .map_err(|e| unusable(e.to_string()))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .allow_unauthenticated()
        .build()
        .map_err(|e| unusable(e.to_string()))
}
