//! The resources of the service itself, one file each. Everything else is the backend's.

pub(crate) mod account_service;
pub(crate) mod aggregation_service;
pub(crate) mod certificate;
pub(crate) mod certificate_service;
pub(crate) mod event_service;
mod joined;
pub(crate) mod json_schemas;
pub(crate) mod manager;
pub(crate) mod registries;
pub(crate) mod service_root;
pub(crate) mod session_service;
pub(crate) mod task_service;
pub(crate) mod telemetry_service;
pub(crate) mod update_service;

use redfish_schema::resource::{Health, State, Status};

pub(crate) use joined::joined;

use crate::fixed::Fixed;
use crate::part::Part;
use crate::{Path, Service};

/// The part of the tree that is the service's own and has `segments`, and the path inside of it.
pub(crate) fn part<'a, 's>(
    service: &'a Service,
    segments: &'s [&'s str],
) -> Option<(&'a dyn Part, &'s [&'s str])> {
    let (first, rest) = segments.split_first()?;
    if let ["Managers", id, rest @ ..] = segments {
        let own = &service.parts.manager;
        if *id == own.id() {
            return Some((own, rest));
        }
    }
    let part: &dyn Part = match *first {
        "SessionService" => &service.parts.sessions,
        "TaskService" => service.tasks(),
        "UpdateService" if rest.first() != Some(&"FirmwareInventory") => &service.parts.updates,
        "AccountService" => &service.parts.accounts,
        "EventService" => &service.parts.event_service,
        "TelemetryService" if service.parts.telemetry.has(rest) => &service.parts.telemetry,
        "AggregationService" => service.parts.sources.as_ref()?,
        "CertificateService" => service.parts.certificates.as_ref()?,
        "JsonSchemas" => &json_schemas::JsonSchemas,
        "Registries" => &service.parts.registries,
        "Systems" | "Managers" | "Chassis" if matches!(segments, [_, _, .., "Settings"]) => {
            return Some((&service.parts.settings, segments));
        }
        _ => return None,
    };
    Some((part, rest))
}

/// The file at `path` that is no resource, and the type whose privileges it needs.
pub(crate) fn file(service: &Service, path: &Path) -> Option<(&'static str, Fixed)> {
    let json = |text: Vec<u8>| Fixed::new(text, "application/json");
    match *path.segments() {
        ["JsonSchemas", id, file] => {
            json_schemas::document(id, file).map(|text| ("JsonSchemaFile", json(text)))
        }
        ["Registries", id, file] => {
            let registries = &service.parts.registries;
            registries
                .document(id, file)
                .map(|text| ("MessageRegistryFile", json(text)))
        }
        _ => None,
    }
}

/// The status of something that works as long as it answers.
fn enabled() -> Status {
    Status {
        state: Some(State::Enabled.into()),
        health: Some(Health::OK.into()),
        ..Status::default()
    }
}
