//! What a certificate says, as far as `Certificate` resources show it (RFC 5280).

use redfish_schema::DateTime;
use redfish_schema::certificate::{Identifier, KeyUsage};
use ring::digest::{SHA256, digest};
use x509_parser::prelude::*;

/// A certificate, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Facts {
    pub(crate) issuer: Identifier,
    pub(crate) subject: Identifier,
    pub(crate) not_before: DateTime,
    pub(crate) not_after: DateTime,
    pub(crate) key_usage: Vec<KeyUsage>,
    /// Bytes in hexadecimal with colons.
    pub(crate) serial_number: String,
    /// SHA-256 over the whole, in hexadecimal with colons.
    pub(crate) fingerprint: String,
    /// By its name if it has one, else by its number.
    pub(crate) signature_algorithm: String,
    /// Whether it may vouch for others.
    pub(crate) is_authority: bool,
}

impl Facts {
    /// Takes a certificate apart. `None` if it isn't one.
    pub(crate) fn of(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let mut subject = identifier(certificate.subject());
        subject.alternative_names = alternative_names(&certificate);
        let algorithm = &certificate.signature_algorithm.algorithm;
        let name = oid_registry::OidRegistry::default().with_crypto();
        let name = name.get(algorithm).map(|entry| entry.sn().to_owned());
        Some(Self {
            issuer: identifier(certificate.issuer()),
            subject,
            not_before: DateTime::from_unix_s(certificate.validity().not_before.timestamp()),
            not_after: DateTime::from_unix_s(certificate.validity().not_after.timestamp()),
            key_usage: key_usage(&certificate),
            serial_number: hex(certificate.raw_serial()),
            fingerprint: hex(digest(&SHA256, der).as_ref()),
            signature_algorithm: name.unwrap_or_else(|| algorithm.to_id_string()),
            is_authority: certificate.is_ca(),
        })
    }

    /// The user name of a client's certificate: the subject's common name.
    pub(crate) fn common_name(&self) -> Option<&str> {
        self.subject.common_name.as_deref()
    }
}

fn identifier(name: &X509Name<'_>) -> Identifier {
    fn first<'a>(mut found: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>) -> Option<String> {
        found.next()?.as_str().ok().map(str::to_owned)
    }
    Identifier {
        common_name: first(name.iter_common_name()),
        organization: first(name.iter_organization()),
        organizational_unit: first(name.iter_organizational_unit()),
        city: first(name.iter_locality()),
        state: first(name.iter_state_or_province()),
        country: first(name.iter_country()),
        email: first(name.iter_email()).map(Into::into),
        ..Identifier::default()
    }
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Option<Vec<String>> {
    let names = &certificate
        .subject_alternative_name()
        .ok()??
        .value
        .general_names;
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => {
            Some((*name).to_owned())
        }
        GeneralName::IPAddress(bytes) => ip(bytes),
        _ => None,
    };
    let names: Vec<_> = names.iter().filter_map(name).collect();
    (!names.is_empty()).then_some(names)
}

fn ip(bytes: &[u8]) -> Option<String> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(v4).to_string());
    }
    let v6 = <[u8; 16]>::try_from(bytes).ok()?;
    Some(std::net::Ipv6Addr::from(v6).to_string())
}

fn key_usage(certificate: &X509Certificate<'_>) -> Vec<KeyUsage> {
    let mut usage = Vec::new();
    if let Ok(Some(basic)) = certificate.key_usage() {
        let basic = basic.value;
        usage.extend(
            [
                (basic.digital_signature(), KeyUsage::DigitalSignature),
                (basic.non_repudiation(), KeyUsage::NonRepudiation),
                (basic.key_encipherment(), KeyUsage::KeyEncipherment),
                (basic.data_encipherment(), KeyUsage::DataEncipherment),
                (basic.key_agreement(), KeyUsage::KeyAgreement),
                (basic.key_cert_sign(), KeyUsage::KeyCertSign),
                (basic.crl_sign(), KeyUsage::CRLSigning),
                (basic.encipher_only(), KeyUsage::EncipherOnly),
                (basic.decipher_only(), KeyUsage::DecipherOnly),
            ]
            .into_iter()
            .filter_map(|(is_set, word)| is_set.then_some(word)),
        );
    }
    if let Ok(Some(extended)) = certificate.extended_key_usage() {
        let extended = extended.value;
        usage.extend(
            [
                (extended.server_auth, KeyUsage::ServerAuthentication),
                (extended.client_auth, KeyUsage::ClientAuthentication),
                (extended.code_signing, KeyUsage::CodeSigning),
                (extended.email_protection, KeyUsage::EmailProtection),
                (extended.time_stamping, KeyUsage::Timestamping),
                (extended.ocsp_signing, KeyUsage::OCSPSigning),
            ]
            .into_iter()
            .filter_map(|(is_set, word)| is_set.then_some(word)),
        );
    }
    usage
}

fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_taken_apart() {
        let mut params =
            rcgen::CertificateParams::new(vec!["a.example".to_owned(), "192.0.2.1".to_owned()])
                .unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "a");
        params
            .distinguished_name
            .push(rcgen::DnType::OrganizationName, "Example");
        params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        let key = rcgen::KeyPair::generate().unwrap();
        let made = params.self_signed(&key).unwrap();
        let facts = Facts::of(made.der()).unwrap();
        assert_eq!(facts.common_name(), Some("a"));
        assert_eq!(facts.issuer.organization.as_deref(), Some("Example"));
        let names = facts.subject.alternative_names.unwrap();
        assert_eq!(names, ["a.example", "192.0.2.1"]);
        let usage = [KeyUsage::DigitalSignature, KeyUsage::ServerAuthentication];
        assert_eq!(facts.key_usage, usage);
        assert_eq!(facts.fingerprint.len(), 32 * 3 - 1);
        assert!(!facts.is_authority);
        assert!(facts.not_before.unix_ms() < facts.not_after.unix_ms());
        assert_eq!(Facts::of(b"hello"), None);
    }
}
