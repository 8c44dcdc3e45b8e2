//! `/redfish/v1/CertificateService`: where certificates are, requests for new ones and their replacement (DSP0266
//! "Certificates").

use std::sync::Arc;

use redfish_schema::certificate::CertificateType;
use redfish_schema::certificate_locations::{self, CertificateLocations};
use redfish_schema::certificate_service::{
    self as schema, Actions, GenerateCSRAction, ReplaceCertificateAction,
};
use redfish_schema::{CheckedParameters, Reference};
use serde_json::json;

use crate::caller::Caller;
use crate::certificate::Certificates;
use crate::message::{self, Message};
use crate::part::Part;
use crate::resource::account_service::authority::COLLECTION as AUTHORITIES;
use crate::tls::{CsrRequest, KeyKind};
use crate::trust::Trust;
use crate::{ActionCall, BackendFuture, Document, Failure, Outcome};

/// Path of the service.
pub(crate) const PATH: &str = "/redfish/v1/CertificateService";
const LOCATIONS: &str = "/redfish/v1/CertificateService/CertificateLocations";
/// `Id` of the one certificate of HTTPS.
pub(crate) const HTTPS_ID: &str = "1";
const CSR: &str = "CertificateService.GenerateCSR";
const REPLACE: &str = "CertificateService.ReplaceCertificate";

/// The part of the tree below [`PATH`].
pub(crate) struct CertificateService {
    certificates: Arc<Certificates>,
    /// Path of the collection with the certificate of HTTPS.
    https: String,
    /// Who vouches for clients.
    trust: Option<Trust>,
}

impl CertificateService {
    pub(crate) const fn new(
        certificates: Arc<Certificates>,
        https: String,
        trust: Option<Trust>,
    ) -> Self {
        Self {
            certificates,
            https,
            trust,
        }
    }

    fn service(&self) -> Result<Document, Failure> {
        let mut replace = ReplaceCertificateAction::new(format!("{PATH}/Actions/{REPLACE}"));
        replace.certificate_type_allowable_values =
            Some(vec![CertificateType::PEM, CertificateType::PEMchain]);
        let csr = GenerateCSRAction::new(format!("{PATH}/Actions/{CSR}"));
        let actions = Actions {
            generate_csr: Some(csr),
            replace_certificate: Some(replace),
        };
        Document::of(&schema::CertificateService {
            certificate_locations: Some(Reference::to(LOCATIONS)),
            actions: self.certificates.is_replaceable().then_some(actions),
            ..schema::CertificateService::new(PATH, "CertificateService", "Certificate service")
        })
    }

    fn locations(&self) -> Result<Document, Failure> {
        let mut all = vec![Reference::to(format!("{}/{HTTPS_ID}", self.https))];
        let authorities = self.trust.iter().flat_map(Trust::ids);
        all.extend(authorities.map(|id| Reference::to(format!("{AUTHORITIES}/{id}"))));
        Document::of(&CertificateLocations {
            links: Some(certificate_locations::Links {
                certificates: Some(all),
            }),
            ..CertificateLocations::new(LOCATIONS, "CertificateLocations", "Certificate locations")
        })
    }

    async fn request(&self, parameters: &CheckedParameters) -> Result<Outcome, Failure> {
        refuse_other(parameters, "CertificateCollection", CSR, &self.https)?;
        let text = |name: &str| parameters.get(name)?.as_str().map(str::to_owned);
        let (algorithm, curve) = (text("KeyPairAlgorithm"), text("KeyCurveId"));
        let kind = KeyKind::from_names(algorithm.as_deref(), curve.as_deref());
        let kind = kind.ok_or_else(|| {
            refused(
                message::action_parameter_value_error("KeyPairAlgorithm", CSR),
                "Ask for TPM_ALG_ECDSA with TPM_ECC_NIST_P256 or TPM_ECC_NIST_P384, or for \
                 TPM_ALG_EDDSA.",
            )
        })?;
        let names = parameters
            .get("AlternativeNames")
            .and_then(|v| v.as_array());
        let names = names.into_iter().flatten().filter_map(|v| v.as_str());
        let csr = self
            .certificates
            .request(
                kind,
                &CsrRequest {
                    common_name: text("CommonName"),
                    organization: text("Organization"),
                    organizational_unit: text("OrganizationalUnit"),
                    city: text("City"),
                    state: text("State"),
                    country: text("Country"),
                    alternative_names: names.map(str::to_owned).collect(),
                },
            )
            .await?;
        let answer = json!({
            "CSRString": csr,
            "CertificateCollection": { "@odata.id": self.https },
        });
        Ok(Outcome::Answer(answer.to_string().into()))
    }

    async fn replace(&self, parameters: &CheckedParameters) -> Result<Outcome, Failure> {
        let https = format!("{}/{HTTPS_ID}", self.https);
        refuse_other(parameters, "CertificateUri", REPLACE, &https)?;
        let text = parameters.get("CertificateString").and_then(|v| v.as_str());
        self.certificates.replace(text.unwrap_or_default()).await?;
        Ok(Outcome::Done)
    }
}

/// Refuses a link to anything but `known`.
fn refuse_other(
    parameters: &CheckedParameters,
    name: &str,
    action: &str,
    known: &str,
) -> Result<(), Failure> {
    let link = parameters.get(name).and_then(|link| link.get("@odata.id"));
    let link = link.and_then(|link| link.as_str()).unwrap_or_default();
    if link.trim_end_matches('/') == known {
        return Ok(());
    }
    let message = message::action_parameter_value_error(name, action).about(format!("/{name}"));
    let remedy = format!("Give {{\"@odata.id\": \"{known}\"}}.");
    Err(refused(message, &remedy))
}

fn refused(message: Message, remedy: &str) -> Failure {
    Failure::Messages(vec![message.with_resolution(remedy)])
}

impl Part for CertificateService {
    fn get(&self, rest: &[&str]) -> Result<Document, Failure> {
        match *rest {
            [] => self.service(),
            ["CertificateLocations"] => self.locations(),
            _ => Err(Failure::NotFound),
        }
    }

    fn action<'a>(
        &'a self,
        _rest: &'a [&'a str],
        call: &'a ActionCall,
        _caller: &'a Caller,
    ) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            match call.action.name {
                CSR => self.request(&call.parameters).await,
                REPLACE => self.replace(&call.parameters).await,
                _ => Err(Failure::NotFound),
            }
        })
    }
}
