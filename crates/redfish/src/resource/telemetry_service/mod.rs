//! `/redfish/v1/TelemetryService`: metric reports and triggers (DSP0268 "TelemetryService").
//!
//! | collection                | members                                     |
//! |---------------------------|---------------------------------------------|
//! | `MetricReportDefinitions` | the backend's, which stay, and clients' own |
//! | `MetricReports`           | the reports of both                         |
//! | `Triggers`                | the backend's, which stay, and clients' own |
//! | `MetricDefinitions`       | the backend's                               |

mod report;
mod report_definition;
mod test_report;
mod trigger;

use std::sync::Arc;

use redfish_schema::resource::{State, Status};
use redfish_schema::telemetry_service::{
    self as schema, Actions, ClearMetricReportsAction,
    ResetMetricReportDefinitionsToDefaultsAction, ResetTriggersToDefaultsAction,
    SubmitTestMetricReportAction,
};
use redfish_schema::{
    CheckedCreate, CheckedPatch, Collection, Duration, Reference, ResourceType, metric_definition,
    metric_report, metric_report_definition, triggers,
};

pub(crate) use report::document as report_document;

use serde_json::Value;

use super::{enabled, joined};
use crate::caller::Caller;
use crate::event::Hub;
use crate::message::resource_event;
use crate::part::{Created, Part};
use crate::privilege::PrivilegeMap;
use crate::store::{Store, StoreError};
use crate::telemetry::{
    MAX_NEW_REPORTS, MAX_REPORT_DEFINITIONS, MIN_COLLECTION_INTERVAL_MS, Telemetry,
};
use crate::{
    ActionCall, Backend, BackendFuture, Document, Event, EventSink as _, Failure, Message, Outcome,
    Path,
};

pub(crate) use crate::telemetry::is_report_definition;

/// Path of the service.
pub(crate) const PATH: &str = "/redfish/v1/TelemetryService";
const DEFINITIONS: &str = "/redfish/v1/TelemetryService/MetricReportDefinitions";
const REPORTS: &str = "/redfish/v1/TelemetryService/MetricReports";
const TRIGGERS: &str = "/redfish/v1/TelemetryService/Triggers";
const METRICS: &str = "/redfish/v1/TelemetryService/MetricDefinitions";

/// The most reports of clients' definitions at once.
const MAX_REPORTS: usize = MAX_REPORT_DEFINITIONS * MAX_NEW_REPORTS;

/// Path of a metric report definition.
pub(crate) fn definition_path(id: &str) -> String {
    format!("{DEFINITIONS}/{id}")
}

/// Path of a metric report.
pub(crate) fn report_path(id: &str) -> String {
    format!("{REPORTS}/{id}")
}

/// Path of a trigger.
pub(crate) fn trigger_path(id: &str) -> String {
    format!("{TRIGGERS}/{id}")
}

/// The part of the tree below [`PATH`].
pub(crate) struct TelemetryService {
    pub(crate) telemetry: Arc<Telemetry>,
}

impl TelemetryService {
    /// With what the store has.
    ///
    /// # Errors
    /// [`StoreError`] if it can't be read.
    pub(crate) fn load(
        backend: &Arc<dyn Backend>,
        hub: &Arc<Hub>,
        privileges: &Arc<PrivilegeMap>,
        store: &Store,
    ) -> Result<Self, StoreError> {
        let (backend, hub) = (Arc::clone(backend), Arc::clone(hub));
        let telemetry = Telemetry::load(backend, hub, Arc::clone(privileges), store.clone())?;
        Ok(Self {
            telemetry: Arc::new(telemetry),
        })
    }

    /// Whether it answers for what is at `rest`. Everything else is the backend's.
    pub(crate) fn has(&self, rest: &[&str]) -> bool {
        match *rest {
            []
            | ["MetricReportDefinitions" | "MetricReports" | "Triggers" | "MetricDefinitions"] => {
                true
            }
            ["MetricReportDefinitions", id] => self.telemetry.definition(id).is_some(),
            ["MetricReports", id] => self.telemetry.report(id).is_some(),
            ["Triggers", id] => self.telemetry.trigger(id).is_some(),
            _ => false,
        }
    }

    fn collection(&self, name: &str) -> Option<Result<Document, Failure>> {
        let telemetry = &self.telemetry;
        let links = |path: fn(&str) -> String, ids: Vec<String>| {
            ids.iter().map(|id| Reference::to(path(id))).collect()
        };
        let (kind, path, title, members): (&'static ResourceType, _, _, Vec<Reference>) = match name
        {
            "MetricReportDefinitions" => (
                &metric_report_definition::COLLECTION,
                DEFINITIONS,
                "Metric Report Definitions",
                links(definition_path, telemetry.definitions()),
            ),
            "MetricReports" => (
                &metric_report::COLLECTION,
                REPORTS,
                "Metric Reports",
                links(report_path, telemetry.reports()),
            ),
            "Triggers" => (
                &triggers::COLLECTION,
                TRIGGERS,
                "Triggers",
                links(trigger_path, telemetry.triggers()),
            ),
            "MetricDefinitions" => (
                &metric_definition::COLLECTION,
                METRICS,
                "Metric Definitions",
                Vec::new(),
            ),
            _ => return None,
        };
        let document = Document::of(&Collection::new(kind, path, title, members));
        let takes_more = matches!(name, "MetricReportDefinitions" | "Triggers");
        Some(document.map(|document| {
            if takes_more {
                document.insertable()
            } else {
                document
            }
        }))
    }

    fn service(&self) -> Result<Document, Failure> {
        let is_enabled = self.telemetry.is_enabled();
        let mut resource =
            schema::TelemetryService::new(PATH, "TelemetryService", "Telemetry Service");
        resource.service_enabled = Some(is_enabled.into());
        resource.max_reports = i64::try_from(MAX_REPORTS).ok().map(Into::into);
        let interval = Duration::from_ms(MIN_COLLECTION_INTERVAL_MS);
        resource.min_collection_interval = Some(interval.into());
        resource.supported_collection_functions = Some(Vec::new());
        resource.metric_report_definitions = Some(Reference::to(DEFINITIONS));
        resource.metric_reports = Some(Reference::to(REPORTS));
        resource.triggers = Some(Reference::to(TRIGGERS));
        resource.metric_definitions = Some(Reference::to(METRICS));
        resource.status = Some(status(is_enabled, None));
        let target = |action: &str| format!("{PATH}/Actions/TelemetryService.{action}");
        let action = "ResetMetricReportDefinitionsToDefaults";
        resource.actions = Some(Actions {
            submit_test_metric_report: Some(SubmitTestMetricReportAction::new(target(
                "SubmitTestMetricReport",
            ))),
            clear_metric_reports: Some(ClearMetricReportsAction::new(target("ClearMetricReports"))),
            reset_metric_report_definitions_to_defaults: Some(
                ResetMetricReportDefinitionsToDefaultsAction::new(target(action)),
            ),
            reset_triggers_to_defaults: Some(ResetTriggersToDefaultsAction::new(target(
                "ResetTriggersToDefaults",
            ))),
        });
        Document::of(&resource).map(Document::changeable)
    }

    async fn set(&self, patch: &CheckedPatch) -> Result<(), Failure> {
        if let Some(other) = patch
            .changes()
            .keys()
            .find(|name| *name != "ServiceEnabled")
        {
            return Err(Failure::PropertyNotWritable {
                pointer: format!("/{other}"),
            });
        }
        // null says that the client doesn't care.
        match patch
            .changes()
            .get("ServiceEnabled")
            .and_then(Value::as_bool)
        {
            Some(is_enabled) => self.telemetry.enable(is_enabled).await,
            None => Ok(()),
        }
    }

    fn tell(&self, origin: String, resource_type: &'static str, message: Message) {
        self.telemetry.hub.publish(Event {
            message,
            origin: Some(origin),
            resource_type: Some(resource_type),
        });
    }

    /// The report of a client's definition is there, or gone, with it.
    fn tell_of_report(&self, id: &str, message: Message) {
        self.tell(report_path(id), metric_report::TYPE.name, message);
    }

    async fn undefine(&self, id: &str) -> Result<(), Failure> {
        let report = self.telemetry.definition(id).and_then(|one| one.report);
        self.telemetry.undefine(id).await?;
        if let Some(report) = report {
            self.tell_of_report(&report, resource_event::resource_removed());
        }
        Ok(())
    }

    async fn reset_definitions(&self) -> Result<(), Failure> {
        for id in self.telemetry.definitions() {
            self.undefine(&id).await?;
            let kind = metric_report_definition::TYPE.name;
            self.tell(
                definition_path(&id),
                kind,
                resource_event::resource_removed(),
            );
        }
        Ok(())
    }

    async fn reset_triggers(&self) -> Result<(), Failure> {
        for id in self.telemetry.triggers() {
            self.telemetry.unwatch(&id).await?;
            let kind = triggers::TYPE.name;
            self.tell(trigger_path(&id), kind, resource_event::resource_removed());
        }
        Ok(())
    }
}

/// The status of something that works if it is enabled, and of which something may be wrong.
fn status(is_enabled: bool, trouble: Option<redfish_schema::resource::Condition>) -> Status {
    let state = if is_enabled {
        State::Enabled
    } else {
        State::Disabled
    };
    let health = trouble.as_ref().and_then(|condition| condition.severity);
    Status {
        state: Some(state.into()),
        health: health.map_or_else(|| enabled().health, |health| Some(health.into())),
        conditions: trouble.map(|condition| vec![condition]),
        ..enabled()
    }
}

/// Says that wildcards stand for more than there is room for.
fn cut(is_cut: bool, path: &str) -> Option<redfish_schema::resource::Condition> {
    is_cut.then(|| {
        let message = crate::message::create_limit_reached_for_resource();
        let mut condition = redfish_schema::resource::Condition::new(message.id());
        condition.message = Some(message.text());
        condition.severity = Some(redfish_schema::resource::Health::Warning);
        condition.origin_of_condition = Some(Reference::to(path));
        let resolution =
            "Its wildcards stand for more properties than are read: let them stand for fewer.";
        condition.resolution = Some(resolution.to_owned());
        condition
    })
}

impl Part for TelemetryService {
    fn get(&self, rest: &[&str]) -> Result<Document, Failure> {
        match *rest {
            [] => self.service(),
            [name] => self.collection(name).unwrap_or(Err(Failure::NotFound)),
            ["MetricReportDefinitions", id] => {
                let state = self.telemetry.definition(id).ok_or(Failure::NotFound)?;
                report_definition::document(id, &state)
            }
            ["MetricReports", id] => {
                let (definition, report) = self.telemetry.report(id).ok_or(Failure::NotFound)?;
                report_document(&definition, &report)
            }
            ["Triggers", id] => {
                let state = self.telemetry.trigger(id).ok_or(Failure::NotFound)?;
                trigger::document(id, &state)
            }
            _ => Err(Failure::NotFound),
        }
    }

    fn get_with<'a>(
        &'a self,
        rest: &'a [&'a str],
        path: &'a Path,
        backend: &'a dyn Backend,
    ) -> Option<BackendFuture<'a, Document>> {
        match *rest {
            [_] => Some(Box::pin(async move {
                joined(self.get(rest)?, backend.get(path).await)
            })),
            ["MetricReports", id] => Some(Box::pin(async move {
                self.telemetry.request(id).await;
                self.get(rest)
            })),
            _ => None,
        }
    }

    fn patch<'a>(
        &'a self,
        rest: &'a [&'a str],
        patch: &'a CheckedPatch,
        _caller: &'a Caller,
    ) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            match *rest {
                [] => self.set(patch).await?,
                ["MetricReportDefinitions", id] => {
                    self.telemetry.redefine(id, patch.changes()).await?;
                }
                ["Triggers", id] => self.telemetry.rewatch(id, patch.changes()).await?,
                _ => return Err(Failure::NotChangeable),
            }
            Ok(Outcome::Done)
        })
    }

    fn create<'a>(
        &'a self,
        rest: &'a [&'a str],
        new: &'a CheckedCreate,
        _caller: &'a Caller,
    ) -> BackendFuture<'a, Created> {
        Box::pin(async move {
            match *rest {
                ["MetricReportDefinitions"] => {
                    let id = self.telemetry.define(new.values()).await?;
                    let report = self.telemetry.definition(&id).and_then(|one| one.report);
                    if let Some(report) = report {
                        self.tell_of_report(&report, resource_event::resource_created());
                    }
                    Ok(Created(definition_path(&id)))
                }
                ["Triggers"] => {
                    let id = self.telemetry.watch(new.values()).await?;
                    Ok(Created(trigger_path(&id)))
                }
                _ => Err(Failure::NotChangeable),
            }
        })
    }

    fn delete<'a>(&'a self, rest: &'a [&'a str], _caller: &'a Caller) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            match *rest {
                ["MetricReportDefinitions", id] => self.undefine(id).await,
                ["Triggers", id] => self.telemetry.unwatch(id).await,
                _ => Err(Failure::NotChangeable),
            }
        })
    }

    fn action<'a>(
        &'a self,
        rest: &'a [&'a str],
        call: &'a ActionCall,
        _caller: &'a Caller,
    ) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            match (rest, call.action.name) {
                ([], "TelemetryService.SubmitTestMetricReport") => {
                    test_report::submit(&self.telemetry, call)?;
                }
                ([], "TelemetryService.ClearMetricReports") => self.telemetry.clear_reports(),
                ([], "TelemetryService.ResetMetricReportDefinitionsToDefaults") => {
                    self.reset_definitions().await?;
                }
                ([], "TelemetryService.ResetTriggersToDefaults") => self.reset_triggers().await?,
                _ => return Err(Failure::NotFound),
            }
            Ok(Outcome::Done)
        })
    }
}
