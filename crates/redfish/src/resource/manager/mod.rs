//! `/redfish/v1/Managers/{product}`: the service itself, as the manager that provides the tree (DSP0266 "Service root",
//! `Links.ManagerProvidingService`). Its network interfaces are those of the machine that it runs on; its log is the
//! audit log.

mod announcement;
mod audit_log;
mod interface;
mod network_protocol;

use std::sync::Arc;
use std::time::SystemTime;

use redfish_schema::manager::{self as schema, Actions, Links, ManagerType, ResetAction};
use redfish_schema::resource::ResetType;
use redfish_schema::{CheckedPatch, Collection, DateTime, Reference};

use self::announcement::Announcement;
use super::{enabled, joined};
use crate::audit::AuditLog;
use crate::caller::Caller;
use crate::certificate::Certificates;
use crate::host::Host;
use crate::part::Part;
use crate::store::StoreError;
use crate::{ActionCall, BackendFuture, Document, Failure, Outcome, Settings};

/// Path of the collection, which has the backend's managers too.
pub(crate) const COLLECTION: &str = "/redfish/v1/Managers";
/// How a restart can be asked for. The service always ends the requests that run; both words mean the same.
const RESETS: [ResetType; 2] = [ResetType::ForceRestart, ResetType::GracefulRestart];

/// The part of the tree below the service's own manager.
pub(crate) struct OwnManager {
    id: String,
    uuid: String,
    vendor: String,
    product: String,
    version: String,
    started: SystemTime,
    host: Arc<dyn Host>,
    announcement: Announcement,
    audit: Arc<AuditLog>,
    /// None where the service has no HTTPS of its own.
    certificates: Option<Arc<Certificates>>,
}

impl OwnManager {
    /// Takes up what clients have changed of it.
    pub(crate) fn load(
        settings: &Settings,
        audit: Arc<AuditLog>,
        certificates: Option<Arc<Certificates>>,
    ) -> Result<Self, StoreError> {
        let host = Arc::clone(&settings.host);
        Ok(Self {
            id: id_of(&settings.product),
            uuid: settings.uuid.clone(),
            vendor: settings.vendor.clone(),
            product: settings.product.clone(),
            version: settings.version.clone(),
            started: SystemTime::now(),
            announcement: Announcement::load(Arc::clone(&host), settings.store.clone())?,
            host,
            audit,
            certificates,
        })
    }

    /// Its `Id`. A node of this name can't be seen: the operator is told to give it another.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Its path.
    pub(crate) fn path(&self) -> String {
        format!("{COLLECTION}/{}", self.id)
    }

    /// Path of the collection with the certificate of HTTPS.
    pub(crate) fn https_certificates(&self) -> String {
        network_protocol::https_certificates(&self.path())
    }

    fn resource(&self) -> Result<Document, Failure> {
        let path = self.path();
        let mut reset = ResetAction::new(format!("{path}/Actions/Manager.Reset"));
        reset.reset_type_allowable_values = Some(RESETS.to_vec());
        Document::of(&schema::Manager {
            description: Some("The service that answers these requests".into()),
            manager_type: Some(ManagerType::Service),
            uuid: Some(self.uuid.clone().into()),
            service_entry_point_uuid: Some(self.uuid.clone().into()),
            manufacturer: Some(self.vendor.clone().into()),
            model: Some(self.product.clone().into()),
            firmware_version: Some(self.version.clone().into()),
            last_reset_time: Some(DateTime::from(self.started)),
            // The service thinks in UTC.
            date_time: Some(DateTime::from(SystemTime::now()).into()),
            date_time_local_offset: Some("+00:00".into()),
            status: Some(enabled()),
            log_services: Some(Reference::to(format!("{path}/LogServices"))),
            network_protocol: Some(Reference::to(format!("{path}/NetworkProtocol"))),
            ethernet_interfaces: Some(Reference::to(format!("{path}/EthernetInterfaces"))),
            links: Some(Links {
                manager_for_servers: Some(Vec::new()),
                manager_for_chassis: Some(Vec::new()),
                manager_in_chassis: None,
            }),
            actions: Some(Actions { reset: Some(reset) }),
            ..schema::Manager::new(path.as_str(), self.id.as_str(), self.product.as_str())
        })
    }

    fn reset(&self) -> Result<Outcome, Failure> {
        self.host
            .restart()
            .map_err(|remedy| Failure::ParameterValueUnavailable {
                parameter: "ResetType".to_owned(),
                value: ResetType::ForceRestart.as_str().to_owned(),
                remedy: format!("The service can't be restarted from here: {remedy}."),
            })?;
        Ok(Outcome::Done)
    }
}

impl Part for OwnManager {
    fn get(&self, rest: &[&str]) -> Result<Document, Failure> {
        let path = self.path();
        match *rest {
            [] => self.resource(),
            ["NetworkProtocol"] => {
                let has_certificate = self.certificates.is_some();
                let facts = self.host.facts();
                network_protocol::resource(&path, &facts, &self.announcement, has_certificate)
            }
            ["NetworkProtocol", "HTTPS", "Certificates", ref rest @ ..] => {
                let certificates = self.certificates.as_deref().ok_or(Failure::NotFound)?;
                network_protocol::certificates(&path, certificates, rest)
            }
            ["EthernetInterfaces"] => interface::collection(&path, &self.host.facts()),
            ["EthernetInterfaces", id] => interface::member(&path, &self.host.facts(), id),
            ["LogServices"] => audit_log::services(&path),
            ["LogServices", audit_log::ID] => audit_log::service(&path),
            ["LogServices", audit_log::ID, "Entries"] => audit_log::entries(&path, &self.audit),
            ["LogServices", audit_log::ID, "Entries", id] => {
                audit_log::entry(&path, &self.audit, id)
            }
            _ => Err(Failure::NotFound),
        }
    }

    /// `NetworkProtocol` is all that can be changed.
    fn patch<'a>(
        &'a self,
        _rest: &'a [&'a str],
        patch: &'a CheckedPatch,
        _caller: &'a Caller,
    ) -> BackendFuture<'a, Outcome> {
        Box::pin(self.announcement.patch(patch))
    }

    fn action<'a>(
        &'a self,
        rest: &'a [&'a str],
        call: &'a ActionCall,
        _caller: &'a Caller,
    ) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            match (rest, call.action.name) {
                ([], "Manager.Reset") => self.reset(),
                (["LogServices", audit_log::ID], "LogService.ClearLog") => {
                    self.audit.clear().await?;
                    Ok(Outcome::Done)
                }
                _ => Err(Failure::NotFound),
            }
        })
    }
}

/// A product's name as the segment of a path.
fn id_of(product: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let id: String = product.chars().filter(|&c| fits(c)).collect();
    if id.is_empty() {
        "Service".to_owned()
    } else {
        id
    }
}

/// The backend's collection of managers with the service's own as its last member; or that alone, if the backend has
/// none.
pub(crate) fn with_own(
    theirs: Result<Document, Failure>,
    own: &OwnManager,
) -> Result<Document, Failure> {
    let members = vec![Reference::to(own.path())];
    let own = Collection::new(&schema::COLLECTION, COLLECTION, "Managers", members);
    joined(Document::of(&own)?, theirs)
}
