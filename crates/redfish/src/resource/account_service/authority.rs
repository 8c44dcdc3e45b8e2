//! `MultiFactorAuth.ClientCertificate` and its `Certificates`: who vouches for clients that log in by a certificate.

use redfish_schema::account_service::{CertificateMappingAttribute, ClientCertificate};
use redfish_schema::certificate::CertificateType;
use redfish_schema::{CheckedCreate, Reference};

use crate::caller::Caller;
use crate::resource::certificate;
use crate::trust::Trust;
use crate::{Document, Failure, Privileges};

/// Path of the collection of authorities.
pub(crate) const COLLECTION: &str =
    "/redfish/v1/AccountService/MultiFactorAuth/ClientCertificate/Certificates";

/// What `AccountService` shows of it.
pub(super) fn settings(trust: Option<&Trust>) -> ClientCertificate {
    let standing = trust.map(Trust::standing);
    let is_enabled = standing.is_some_and(|standing| standing.is_enabled);
    let answers_others = standing.is_none_or(|standing| standing.answers_others);
    ClientCertificate {
        enabled: Some(is_enabled.into()),
        certificate_mapping_attribute: Some(CertificateMappingAttribute::CommonName.into()),
        respond_to_unauthenticated_clients: Some(answers_others.into()),
        certificates: trust.map(|_| Reference::to(COLLECTION)),
    }
}

pub(super) fn collection(trust: &Trust) -> Result<Document, Failure> {
    let name = "Authorities of client certificates";
    certificate::collection(COLLECTION, name, &trust.ids()).map(Document::insertable)
}

pub(super) fn member(trust: &Trust, id: &str) -> Result<Document, Failure> {
    let authority = trust.get(id).ok_or(Failure::NotFound)?;
    let text = (authority.pem, CertificateType::PEM);
    let document = certificate::member(COLLECTION, id, text, None, authority.facts)?;
    Ok(match authority.is_added {
        true => document.deletable(),
        false => document,
    })
}

/// Whoever says who vouches for clients can be anybody: that takes the right to change accounts, too.
fn refuse_others(caller: &Caller) -> Result<(), Failure> {
    if caller.privileges().include(Privileges::CONFIGURE_USERS) {
        Ok(())
    } else {
        Err(Failure::Forbidden)
    }
}

pub(super) async fn create(
    trust: &Trust,
    new: &CheckedCreate,
    caller: &Caller,
) -> Result<String, Failure> {
    refuse_others(caller)?;
    let id = trust.add(new).await?;
    Ok(format!("{COLLECTION}/{id}"))
}

pub(super) async fn delete(trust: &Trust, id: &str, caller: &Caller) -> Result<(), Failure> {
    refuse_others(caller)?;
    trust.remove(id).await
}
