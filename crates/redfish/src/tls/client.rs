//! Clients that show a certificate (DSP0266 "Client certificate authentication").

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use super::chain::certificates;
use super::{ChainError, Facts, MAX_PEM_BYTES};

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

/// The one authority in a PEM text.
///
/// # Errors
/// [`ChainError`] says what is wrong with it.
pub(crate) fn one_authority(text: &str) -> Result<CertificateDer<'static>, ChainError> {
    if text.len() > MAX_PEM_BYTES {
        return Err(ChainError::TooLong);
    }
    let [authority] = <[_; 1]>::try_from(authorities(text)?).map_err(|_| ChainError::TooLong)?;
    let added = RootCertStore::empty().add(authority.clone());
    added.map_err(|e| ChainError::Unusable(e.to_string()))?;
    Ok(authority)
}

/// Who vouches for clients besides the operator's authorities, and whether that counts.
#[derive(Debug)]
pub(crate) struct Clients {
    pub(crate) added: Vec<CertificateDer<'static>>,
    /// Whether clients are asked for certificates at all.
    pub(crate) is_enabled: bool,
    /// Whether a client without one gets no answer. It counts where somebody vouches for clients.
    pub(crate) needs_certificate: bool,
}

/// What asks clients for certificates: of these authorities, or of nobody.
pub(super) fn verifier(
    authorities: &[CertificateDer<'static>],
    needs_certificate: bool,
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
    let builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let builder = match needs_certificate {
        true => builder,
        false => builder.allow_unauthenticated(),
    };
    builder.build().map_err(|e| unusable(e.to_string()))
}
