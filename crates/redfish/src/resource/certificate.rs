//! `Certificate`: a certificate as a resource.

use redfish_schema::certificate::{
    self as schema, Certificate, CertificateType, CertificateUsageType,
};
use redfish_schema::{Collection, Reference};

use crate::tls::Facts;
use crate::{Document, Failure};

/// A collection of certificates at `path`.
pub(crate) fn collection(
    path: &str,
    name: &str,
    ids: &[impl AsRef<str>],
) -> Result<Document, Failure> {
    let member = |id: &str| Reference::to(format!("{path}/{id}"));
    let members = ids.iter().map(|id| member(id.as_ref())).collect();
    Document::of(&Collection::new(&schema::COLLECTION, path, name, members))
}

/// The certificate `id` below `path`.
pub(crate) fn member(
    path: &str,
    id: &str,
    (text, kind): (String, CertificateType),
    usage: Option<CertificateUsageType>,
    facts: Facts,
) -> Result<Document, Failure> {
    Document::of(&Certificate {
        certificate_string: Some(text.into()),
        certificate_type: Some(kind.into()),
        certificate_usage_types: usage.map(|usage| vec![usage]),
        issuer: Some(facts.issuer),
        subject: Some(facts.subject),
        valid_not_before: Some(facts.not_before),
        valid_not_after: Some(facts.not_after),
        key_usage: Some(facts.key_usage),
        serial_number: Some(facts.serial_number),
        fingerprint: Some(facts.fingerprint),
        fingerprint_hash_algorithm: Some("TPM_ALG_SHA256".to_owned()),
        signature_algorithm: Some(facts.signature_algorithm),
        ..Certificate::new(format!("{path}/{id}"), id, format!("Certificate {id}"))
    })
}
