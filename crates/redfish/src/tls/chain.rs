//! A certificate with those that vouch for it, and its private key.

use std::fmt;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// The most certificates of one chain.
pub const MAX_CHAIN: usize = 10;
/// The longest text in PEM form, in bytes.
pub const MAX_PEM_BYTES: usize = 64 * 1024;

/// A certificate chain with its private key. Debug shows nothing of the key.
pub struct Chain {
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Why a chain can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainError {
    /// The text holds no certificate in PEM form.
    NoCertificate,
    /// The text is longer than [`MAX_PEM_BYTES`] or has more than [`MAX_CHAIN`] certificates.
    TooLong,
    /// The text isn't PEM; says where.
    Pem(String),
    /// A certificate that should vouch for others may not.
    NoAuthority,
    /// The private key is another certificate's.
    ForeignKey,
    /// The certificate or the key has a form that TLS can't use.
    Unusable(String),
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCertificate => f.write_str("it holds no certificate in PEM form"),
            Self::TooLong => write!(
                f,
                "it is longer than {MAX_PEM_BYTES} bytes or has more than {MAX_CHAIN} certificates"
            ),
            Self::Pem(cause) => write!(f, "it isn't PEM: {cause}"),
            Self::NoAuthority => {
                f.write_str("one of its certificates is no authority's (CA:TRUE is missing)")
            }
            Self::ForeignKey => f.write_str("the private key doesn't belong to the certificate"),
            Self::Unusable(cause) => write!(f, "TLS can't use it: {cause}"),
        }
    }
}

impl std::error::Error for ChainError {}

impl Clone for Chain {
    fn clone(&self) -> Self {
        Self {
            certificates: self.certificates.clone(),
            key: self.key.clone_key(),
        }
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain")
            .field("certificates", &self.certificates.len())
            .finish_non_exhaustive()
    }
}

impl Chain {
    /// A chain, the service's own certificate first.
    ///
    /// # Errors
    /// [`ChainError`] says what is wrong with it.
    pub fn new(
        certificates: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, ChainError> {
        if certificates.is_empty() {
            return Err(ChainError::NoCertificate);
        }
        if certificates.len() > MAX_CHAIN {
            return Err(ChainError::TooLong);
        }
        let chain = Self { certificates, key };
        chain.certified()?;
        Ok(chain)
    }

    /// A chain from PEM text. A key in the text is taken; without one, `key` is.
    ///
    /// # Errors
    /// [`ChainError`] says what is wrong with it.
    pub fn from_pem(text: &str, key: PrivateKeyDer<'static>) -> Result<Self, ChainError> {
        if text.len() > MAX_PEM_BYTES {
            return Err(ChainError::TooLong);
        }
        let certificates = certificates(text)?;
        let own = PrivateKeyDer::from_pem_slice(text.as_bytes()).ok();
        Self::new(certificates, own.unwrap_or(key))
    }

    /// The service's own certificate.
    pub(crate) fn leaf(&self) -> &CertificateDer<'static> {
        // `new` refuses a chain of none.
        &self.certificates[0]
    }

    /// The certificates in PEM form.
    pub(crate) fn pem(&self) -> String {
        self.certificates
            .iter()
            .map(|c| pem("CERTIFICATE", c))
            .collect()
    }

    /// The private key.
    pub(crate) const fn key(&self) -> &PrivateKeyDer<'static> {
        &self.key
    }

    /// What TLS works with.
    pub(super) fn certified(&self) -> Result<CertifiedKey, ChainError> {
        let provider = rustls::crypto::ring::default_provider();
        let certified =
            CertifiedKey::from_der(self.certificates.clone(), self.key.clone_key(), &provider);
        certified.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => ChainError::ForeignKey,
            other => ChainError::Unusable(other.to_string()),
        })
    }
}

/// The certificates of a PEM text, in their order.
pub(crate) fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, ChainError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes())
        .take(MAX_CHAIN + 1)
        .collect();
    match found {
        Ok(found) if found.is_empty() => Err(ChainError::NoCertificate),
        Ok(found) if found.len() > MAX_CHAIN => Err(ChainError::TooLong),
        Ok(found) => Ok(found),
        Err(error) => Err(ChainError::Pem(error.to_string())),
    }
}

/// DER as PEM text (RFC 7468).
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::prelude::BASE64_STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(name: &str) -> (String, PrivateKeyDer<'static>) {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        (made.cert.pem(), key)
    }

    #[test]
    fn a_chain_is_written_as_it_was_read() {
        let (text, key) = made("a.example");
        let chain = Chain::from_pem(&text, key.clone_key()).unwrap();
        let again = Chain::from_pem(&chain.pem(), key).unwrap();
        assert_eq!(again.leaf(), chain.leaf());
        assert!(!format!("{chain:?}").contains("key"));
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let ((text, _), (_, key)) = (made("a.example"), made("b.example"));
        assert_eq!(
            Chain::from_pem(&text, key).err(),
            Some(ChainError::ForeignKey)
        );
    }

    #[test]
    fn what_is_no_chain_is_refused_with_its_reason() {
        let (text, key) = made("a.example");
        let of = |text: &str| Chain::from_pem(text, key.clone_key()).err();
        assert_eq!(of(""), Some(ChainError::NoCertificate));
        assert_eq!(
            of(&"x".repeat(MAX_PEM_BYTES + 1)),
            Some(ChainError::TooLong)
        );
        assert_eq!(of(&text.repeat(MAX_CHAIN + 1)), Some(ChainError::TooLong));
        let broken = text.replace("-----END", "----END");
        assert!(matches!(
            of(&broken),
            Some(ChainError::Pem(_) | ChainError::NoCertificate)
        ));
        let garbage = pem("CERTIFICATE", b"hello");
        assert!(matches!(of(&garbage), Some(ChainError::Unusable(_))));
    }
}
