//! `/redfish/v1/`: where every client begins (DSP0266 "Redfish-defined URIs and relative reference rules").

use redfish_schema::Reference;
use redfish_schema::service_root::{
    DeepOperations, Expand, Links, ProtocolFeaturesSupported, ServiceRoot,
};

use super::manager::{self, OwnManager};
use super::{
    account_service, certificate_service, event_service, json_schemas, registries, session_service,
    task_service, telemetry_service, update_service,
};
use crate::query::MAX_EXPAND_LEVELS;
use crate::{Document, Failure, RootLink, Settings};

/// The version of DSP0266 that the service follows.
pub(crate) const REDFISH_VERSION: &str = "1.20.0";

/// Makes the document. It never changes while the service runs.
pub(crate) fn document(
    settings: &Settings,
    roots: &[RootLink],
    manager: &OwnManager,
) -> Result<Document, Failure> {
    let mut links = Links::new(Reference::to(session_service::SESSIONS));
    links.manager_providing_service = Some(Reference::to(manager.path()));
    let mut root = ServiceRoot::new("/redfish/v1/", "RootService", "Root Service", links);
    root.redfish_version = Some(REDFISH_VERSION.to_owned());
    root.uuid = Some(settings.uuid.clone().into());
    root.product = Some(settings.product.clone().into());
    root.vendor = Some(settings.vendor.clone().into());
    root.protocol_features_supported = Some(features());
    root.session_service = Some(Reference::to(session_service::PATH));
    root.tasks = Some(Reference::to(task_service::PATH));
    root.update_service = Some(Reference::to(update_service::PATH));
    root.account_service = Some(Reference::to(account_service::PATH));
    root.event_service = Some(Reference::to(event_service::PATH));
    root.telemetry_service = Some(Reference::to(telemetry_service::PATH));
    root.registries = Some(Reference::to(registries::PATH));
    root.managers = Some(Reference::to(manager::COLLECTION));
    if settings.tls.is_some() {
        root.certificate_service = Some(Reference::to(certificate_service::PATH));
    }
    root.json_schemas = Some(Reference::to(json_schemas::PATH));
    for link in roots {
        let property = match link.name {
            "Systems" => &mut root.systems,
            "Chassis" => &mut root.chassis,
            "Managers" => &mut root.managers,
            "AggregationService" => &mut root.aggregation_service,
            other => {
                return Err(Failure::Internal(format!(
                    "the service root has no {other}"
                )));
            }
        };
        *property = Some(Reference::to(link.uri));
    }
    Document::of(&root)
}

/// What we really do, and no more.
fn features() -> ProtocolFeaturesSupported {
    ProtocolFeaturesSupported {
        expand_query: Some(Expand {
            expand_all: Some(true),
            links: Some(true),
            no_links: Some(true),
            levels: Some(true),
            max_levels: Some(i64::from(MAX_EXPAND_LEVELS)),
        }),
        select_query: Some(true),
        only_member_query: Some(true),
        filter_query: Some(true),
        filter_query_comparison_operations: Some(true),
        filter_query_compound_operations: Some(true),
        top_skip_query: Some(true),
        excerpt_query: Some(true),
        include_origin_of_condition_query: Some(false),
        client_context_query: Some(false),
        deep_operations: Some(DeepOperations {
            deep_patch: Some(false),
            deep_post: Some(false),
            max_levels: None,
        }),
        multiple_http_requests: Some(true),
    }
}
