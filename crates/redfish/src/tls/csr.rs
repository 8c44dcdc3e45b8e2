//! A certificate signing request (PKCS #10) and the key that waits for its certificate.

use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SignatureAlgorithm,
};
use rustls::pki_types::PrivateKeyDer;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What a key can be. RSA keys can't be made here; a certificate with an RSA key can be brought with its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    EcdsaP256,
    EcdsaP384,
    Ed25519,
}

impl KeyKind {
    /// By the names of the TCG's algorithm registry, which `CertificateService` uses. Without names, P-256.
    pub(crate) fn from_names(algorithm: Option<&str>, curve: Option<&str>) -> Option<Self> {
        match (algorithm, curve) {
            (None | Some("TPM_ALG_ECDSA" | "TPM_ALG_ECDH"), None | Some("TPM_ECC_NIST_P256")) => {
                Some(Self::EcdsaP256)
            }
            (None | Some("TPM_ALG_ECDSA" | "TPM_ALG_ECDH"), Some("TPM_ECC_NIST_P384")) => {
                Some(Self::EcdsaP384)
            }
            (None | Some("TPM_ALG_EDDSA"), Some("TPM_ECC_CURVE_25519"))
            | (Some("TPM_ALG_EDDSA"), None) => Some(Self::Ed25519),
            _ => None,
        }
    }

    const fn algorithm(self) -> &'static SignatureAlgorithm {
        match self {
            Self::EcdsaP256 => &PKCS_ECDSA_P256_SHA256,
            Self::EcdsaP384 => &PKCS_ECDSA_P384_SHA384,
            Self::Ed25519 => &PKCS_ED25519,
        }
    }
}

/// What a request says of the service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CsrRequest {
    pub(crate) common_name: Option<String>,
    pub(crate) organization: Option<String>,
    pub(crate) organizational_unit: Option<String>,
    pub(crate) city: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) country: Option<String>,
    pub(crate) alternative_names: Vec<String>,
}

/// A private key whose certificate is still to come.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PendingKey {
    pem: Zeroizing<String>,
}

impl std::fmt::Debug for PendingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PendingKey")
    }
}

impl PendingKey {
    /// A new key, and the request for its certificate in PEM form.
    ///
    /// # Errors
    /// What can't stand in a request, or that no key can be made.
    pub(crate) fn make(kind: KeyKind, request: &CsrRequest) -> Result<(Self, String), String> {
        let text = |error: rcgen::Error| error.to_string();
        let key = KeyPair::generate_for(kind.algorithm()).map_err(text)?;
        let mut params = CertificateParams::new(request.alternative_names.clone()).map_err(text)?;
        let mut name = DistinguishedName::new();
        for (kind, value) in [
            (DnType::CountryName, &request.country),
            (DnType::StateOrProvinceName, &request.state),
            (DnType::LocalityName, &request.city),
            (DnType::OrganizationName, &request.organization),
            (DnType::OrganizationalUnitName, &request.organizational_unit),
            (DnType::CommonName, &request.common_name),
        ] {
            if let Some(value) = value {
                name.push(kind, value.as_str());
            }
        }
        params.distinguished_name = name;
        let csr = params.serialize_request(&key).map_err(text)?;
        let pem = Zeroizing::new(key.serialize_pem());
        Ok((Self { pem }, csr.pem().map_err(text)?))
    }

    /// The key as TLS takes it.
    pub(crate) fn key(&self) -> Option<PrivateKeyDer<'static>> {
        use rustls::pki_types::pem::PemObject as _;
        PrivateKeyDer::from_pem_slice(self.pem.as_bytes()).ok()
    }
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::*;

    use super::*;

    #[test]
    fn a_request_says_what_was_asked_and_is_signed_by_its_key() {
        let request = CsrRequest {
            common_name: Some("rack.example".to_owned()),
            country: Some("DE".to_owned()),
            alternative_names: vec!["rack.example".to_owned(), "192.0.2.1".to_owned()],
            ..CsrRequest::default()
        };
        for kind in [KeyKind::EcdsaP256, KeyKind::EcdsaP384, KeyKind::Ed25519] {
            let (pending, text) = PendingKey::make(kind, &request).unwrap();
            assert!(pending.key().is_some());
            let (_, pem) = parse_x509_pem(text.as_bytes()).unwrap();
            let (_, csr) = X509CertificationRequest::from_der(&pem.contents).unwrap();
            let subject = csr.certification_request_info.subject.to_string();
            assert!(
                subject.contains("CN=rack.example") && subject.contains("C=DE"),
                "{subject}"
            );
            assert!(csr.requested_extensions().unwrap().count() > 0);
        }
    }

    #[test]
    fn only_keys_that_can_be_made_have_a_name() {
        let of = KeyKind::from_names;
        assert_eq!(of(None, None), Some(KeyKind::EcdsaP256));
        assert_eq!(
            of(Some("TPM_ALG_ECDSA"), Some("TPM_ECC_NIST_P384")),
            Some(KeyKind::EcdsaP384)
        );
        assert_eq!(of(Some("TPM_ALG_EDDSA"), None), Some(KeyKind::Ed25519));
        assert_eq!(of(Some("TPM_ALG_RSA"), None), None);
        assert_eq!(of(None, Some("TPM_ECC_SM2_P256")), None);
    }
}
