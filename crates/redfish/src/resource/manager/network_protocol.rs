//! `ManagerNetworkProtocol`: how the service itself can be reached.

use redfish_schema::Reference;
use redfish_schema::certificate::CertificateUsageType;
use redfish_schema::manager_network_protocol::{HTTPSProtocol, ManagerNetworkProtocol, Protocol};

use super::announcement::Announcement;
use crate::certificate::Certificates;
use crate::host::HostFacts;
use crate::resource::certificate;
use crate::resource::certificate_service::HTTPS_ID;
use crate::resource::enabled;
use crate::{Document, Failure};

/// Path of the collection with the certificate of HTTPS.
pub(super) fn https_certificates(manager: &str) -> String {
    format!("{manager}/NetworkProtocol/HTTPS/Certificates")
}

/// That collection and its one member.
pub(super) fn certificates(
    manager: &str,
    certificates: &Certificates,
    rest: &[&str],
) -> Result<Document, Failure> {
    let path = https_certificates(manager);
    match *rest {
        [] => certificate::collection(&path, "HTTPS certificates", &[HTTPS_ID]),
        [HTTPS_ID] => {
            let facts = certificates.facts().ok_or(Failure::NotFound)?;
            let usage = CertificateUsageType::Web;
            certificate::member(&path, HTTPS_ID, certificates.pem(), Some(usage), facts)
        }
        _ => Err(Failure::NotFound),
    }
}

pub(super) fn resource(
    manager: &str,
    facts: &HostFacts,
    announcement: &Announcement,
    has_certificate: bool,
) -> Result<Document, Failure> {
    let path = format!("{manager}/NetworkProtocol");
    let mut resource = ManagerNetworkProtocol::new(path, "NetworkProtocol", "Network protocol");
    resource.host_name = Some(facts.host_name.clone().into());
    resource.fqdn = Some(facts.fqdn.clone().into());
    resource.http = Some(Protocol {
        protocol_enabled: Some(facts.http_port.is_some().into()),
        port: Some(facts.http_port.map(i64::from).into()),
    });
    resource.https = Some(HTTPSProtocol {
        protocol_enabled: Some(facts.https_port.is_some().into()),
        port: Some(facts.https_port.map(i64::from).into()),
        certificates: has_certificate.then(|| Reference::to(https_certificates(manager))),
    });
    resource.ssdp = Some(announcement.resource());
    resource.status = Some(enabled());
    let document = Document::of(&resource)?;
    Ok(if announcement.is_changeable() {
        document.changeable()
    } else {
        document
    })
}
