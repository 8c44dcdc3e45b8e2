//! `ManagerNetworkProtocol`: how the service itself can be reached.

use redfish_schema::Reference;
use redfish_schema::certificate::CertificateUsageType;
use redfish_schema::manager_network_protocol::{
    HTTPSProtocol, ManagerNetworkProtocol, Protocol, SSDProtocol,
};

use crate::certificate::Certificates;
use crate::host::HostFacts;
use crate::resource::certificate;
use crate::resource::certificate_service::HTTPS_ID;
use crate::resource::enabled;
use crate::{Document, Failure};

/// SSDP's port (DSP0266 "Discovery").
const SSDP_PORT: i64 = 1900;

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
            certificate::member(&path, HTTPS_ID, certificates.pem(), usage, facts)
        }
        _ => Err(Failure::NotFound),
    }
}

pub(super) fn resource(
    manager: &str,
    facts: &HostFacts,
    has_certificate: bool,
) -> Result<Document, Failure> {
    let path = format!("{manager}/NetworkProtocol");
    let mut resource = ManagerNetworkProtocol::new(path, "NetworkProtocol", "Network protocol");
    resource.host_name = Some(facts.host_name.clone().unwrap_or_default().into());
    resource.fqdn = Some(facts.fqdn.clone().unwrap_or_default().into());
    resource.http = Some(Protocol {
        protocol_enabled: Some(facts.http_port.is_some().into()),
        port: Some(facts.http_port.map(i64::from).into()),
    });
    resource.https = Some(HTTPSProtocol {
        protocol_enabled: Some(facts.https_port.is_some().into()),
        port: Some(facts.https_port.map(i64::from).into()),
        certificates: has_certificate.then(|| Reference::to(https_certificates(manager))),
    });
    let ssdp = facts.ssdp;
    resource.ssdp = Some(SSDProtocol {
        protocol_enabled: Some(ssdp.is_some().into()),
        port: Some(SSDP_PORT.into()),
        notify_multicast_interval_seconds: ssdp.map(|s| i64::from(s.notify_interval_s).into()),
        notify_ttl: ssdp.map(|s| i64::from(s.ttl).into()),
        notify_ipv6_scope: None,
    });
    resource.status = Some(enabled());
    Document::of(&resource)
}
