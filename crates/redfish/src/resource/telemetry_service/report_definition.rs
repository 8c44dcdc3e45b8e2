//! One metric report definition of a client, as a GET shows it (DSP0268 "MetricReportDefinition").

use redfish_schema::metric_report_definition::{
    CollectionTimeScope, Links, Metric, MetricReportDefinition, ReportUpdatesEnum as Updates,
    Wildcard,
};
use redfish_schema::schedule::Schedule;
use redfish_schema::{Duration, Reference};
use serde_json::{Map, Value};

use super::{cut, definition_path, report_path, status, trigger_path};
use crate::telemetry::{self, DefinitionState};
use crate::{Document, Failure};

/// The definition with this `Id`.
pub(super) fn document(id: &str, state: &DefinitionState) -> Result<Document, Failure> {
    let definition = &*state.definition;
    let path = definition_path(id);
    let name = definition.name.clone();
    let name = name.unwrap_or_else(|| format!("Metric report definition {id}"));
    let mut resource = MetricReportDefinition::new(&*path, id, name);
    resource.description = definition.description.clone().map(Into::into);
    resource.metric_report_definition_type = Some(definition.kind.into());
    resource.metric_report_definition_enabled = Some(definition.is_enabled.into());
    resource.schedule = definition.interval_ms.map(|ms| Schedule {
        recurrence_interval: Some(Duration::from_ms(ms).into()),
    });
    resource.report_actions = Some(definition.actions.clone());
    resource.report_updates = Some(definition.updates);
    let appends = matches!(
        definition.updates,
        Updates::AppendWrapsWhenFull | Updates::AppendStopsWhenFull
    );
    let limit = i64::try_from(definition.append_limit).ok();
    resource.append_limit =
        limit.filter(|_| appends || definition.body.contains_key("AppendLimit"));
    resource.suppress_repeated_metric_value = Some(definition.suppresses.into());
    let duration = |ms: Option<u64>| ms.map(|ms| Duration::from_ms(ms).into());
    resource.metric_report_heartbeat_interval = duration(definition.heartbeat_ms);
    resource.report_timespan = duration(definition.timespan_ms);
    let wildcard = |wildcard: &telemetry::Wildcard| Wildcard {
        name: Some(wildcard.name.clone().into()),
        values: Some(wildcard.values.clone()),
    };
    resource.wildcards = Some(definition.wildcards.iter().map(wildcard).collect());
    resource.metric_properties = Some(texts(&definition.body, "MetricProperties"));
    resource.metrics = Some(metrics(&definition.body));
    resource.metric_report = state
        .report
        .as_deref()
        .map(|id| Reference::to(report_path(id)));
    let triggers = state
        .triggers
        .iter()
        .map(|id| Reference::to(trigger_path(id)));
    resource.links = Some(Links {
        triggers: Some(triggers.collect()),
    });
    resource.status = Some(status(definition.is_enabled, cut(state.is_cut, &path)));
    Document::of(&resource).map(|document| document.changeable().deletable())
}

/// `Metrics` as the client gave them, checked.
fn metrics(body: &Map<String, Value>) -> Vec<Metric> {
    let list = body.get("Metrics").and_then(Value::as_array);
    let metric = |object: &Map<String, Value>| {
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let scope = text("CollectionTimeScope").and_then(CollectionTimeScope::from_word);
        Metric {
            metric_id: text("MetricId").map(Into::into),
            metric_properties: Some(texts(object, "MetricProperties")),
            collection_time_scope: scope.map(Into::into),
            ..Metric::default()
        }
    };
    let list = list.into_iter().flatten().filter_map(Value::as_object);
    list.map(metric).collect()
}

fn texts(object: &Map<String, Value>, name: &str) -> Vec<String> {
    let list = object.get(name).and_then(Value::as_array);
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}
