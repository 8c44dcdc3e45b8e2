//! What a client asks of a metric report, checked (DSP0268 "MetricReportDefinition").

use std::sync::Arc;

use redfish_schema::metric_report_definition::{
    CollectionTimeScope, MetricReportDefinitionType as Type, ReportActionsEnum as Action,
    ReportUpdatesEnum as Updates,
};
use serde_json::{Map, Value};

use super::check::{Check, Given, objects, texts};
use super::metric::{MAX_METRIC_ID_BYTES, Wildcard};
use super::resolve::Template;
use super::{MAX_INTERVAL_MS, MAX_REPORT_VALUES, MIN_COLLECTION_INTERVAL_MS};
use crate::Failure;

/// How many values a report keeps to which others are appended, where the client says no `AppendLimit`.
const APPEND_LIMIT: usize = 1000;

/// A definition of a metric report.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Definition {
    /// What the client gave, from which all else was read: it is stored, and a PATCH changes it.
    pub(crate) body: Map<String, Value>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) kind: Type,
    pub(crate) is_enabled: bool,
    /// How often a periodic report is made.
    pub(crate) interval_ms: Option<u64>,
    pub(crate) actions: Vec<Action>,
    pub(crate) updates: Updates,
    pub(crate) append_limit: usize,
    /// Values that are as they were in the report before are left out.
    pub(crate) suppresses: bool,
    /// How often a report is complete all the same.
    pub(crate) heartbeat_ms: Option<u64>,
    /// Appended values that are older are dropped.
    pub(crate) timespan_ms: Option<u64>,
    pub(crate) wildcards: Vec<Wildcard>,
    pub(crate) templates: Vec<Template>,
}

impl Definition {
    /// Whether its reports are kept for clients that read them.
    pub(crate) fn is_logged(&self) -> bool {
        self.actions.contains(&Action::LogToMetricReportsCollection)
    }

    /// Whether its reports are sent to subscribers.
    pub(crate) fn is_sent(&self) -> bool {
        self.actions.contains(&Action::RedfishEvent)
    }

    /// Reads what a client gave.
    ///
    /// # Errors
    /// [`Failure::Messages`] names every property that can't be had.
    pub(crate) fn read(body: Map<String, Value>) -> Result<Self, Failure> {
        let mut check = Check::new(&body);
        check.only(&body, "", &KNOWN);
        let (name, description) = (check.text("Name"), check.text("Description"));
        let wildcards = check.wildcards();
        let templates = templates(&mut check, &wildcards);
        let interval_ms = interval(&mut check);
        let kind = kind(&mut check, interval_ms);
        let actions = check.words("ReportActions", Action::from_word);
        let updates = body.get("ReportUpdates").and_then(Value::as_str);
        let updates = updates.and_then(Updates::from_word);
        if kind == Type::OnRequest && updates == Some(Updates::NewReport) {
            let resolution = "A report that is made when it is read is always the same one.";
            check.not_in_list("NewReport", "/ReportUpdates", resolution);
        }
        let suppresses = check.flag("SuppressRepeatedMetricValue");
        let heartbeat_ms = check.duration(
            &body,
            "/MetricReportHeartbeatInterval",
            interval_ms.unwrap_or(MIN_COLLECTION_INTERVAL_MS),
            MAX_INTERVAL_MS,
        );
        let timespan_ms = check.duration(
            &body,
            "/ReportTimespan",
            MIN_COLLECTION_INTERVAL_MS,
            MAX_INTERVAL_MS,
        );
        let definition = Self {
            name,
            description,
            kind,
            is_enabled: check.flag("MetricReportDefinitionEnabled") != Some(false),
            interval_ms,
            actions: actions
                .filter(|actions| !actions.is_empty())
                .unwrap_or_else(|| vec![Action::LogToMetricReportsCollection]),
            updates: updates.unwrap_or(Updates::Overwrite),
            append_limit: append_limit(&mut check),
            suppresses: suppresses == Some(true),
            heartbeat_ms,
            timespan_ms,
            wildcards,
            templates,
            body: body.clone(),
        };
        check.end(definition)
    }
}

/// What a client may give.
const KNOWN: [&str; 15] = [
    "Id",
    "Name",
    "Description",
    "MetricReportDefinitionType",
    "MetricReportDefinitionEnabled",
    "Schedule",
    "ReportActions",
    "ReportUpdates",
    "AppendLimit",
    "SuppressRepeatedMetricValue",
    "MetricReportHeartbeatInterval",
    "ReportTimespan",
    "Wildcards",
    "MetricProperties",
    "Metrics",
];

/// `MetricProperties` and those of all `Metrics`.
fn templates(check: &mut Check<'_>, wildcards: &[Wildcard]) -> Vec<Template> {
    let body = check.body;
    let template = |given: Given, id: Option<&str>| Template {
        property: given.property,
        id: id.map(Arc::from),
        place: given.pointer,
    };
    let mut templates: Vec<_> = check
        .properties(body, "", wildcards)
        .into_iter()
        .map(|given| template(given, None))
        .collect();
    for (index, metric) in objects(body, "Metrics") {
        let place = format!("/Metrics/{index}");
        let known = [
            "MetricId",
            "MetricProperties",
            "CollectionFunction",
            "CollectionDuration",
            "CollectionTimeScope",
        ];
        check.only(metric, &place, &known);
        refuse_calculation(check, metric, &place);
        let scope = metric.get("CollectionTimeScope").and_then(Value::as_str);
        if let Some(other) = scope.filter(|word| *word != CollectionTimeScope::Point.as_str()) {
            let resolution = "Values are those of a point in time: choose Point.";
            check.not_in_list(other, &format!("{place}/CollectionTimeScope"), resolution);
        }
        let id = metric.get("MetricId").and_then(Value::as_str);
        if id.is_some_and(|id| id.len() > MAX_METRIC_ID_BYTES) {
            let resolution = format!("Give at most {MAX_METRIC_ID_BYTES} bytes.");
            check.refuse(&format!("{place}/MetricId"), resolution);
        }
        let given = check.properties(metric, &place, wildcards);
        if texts(metric, "MetricProperties").is_empty() {
            let place = format!("{place}/MetricProperties");
            check.refuse(
                &place,
                "Name the properties that the metric's values come from.",
            );
        }
        templates.extend(given.into_iter().map(|given| template(given, id)));
    }
    if texts(body, "MetricProperties").is_empty() && objects(body, "Metrics").is_empty() {
        check.refuse("/Metrics", "Name at least one metric property.");
    }
    let properties: Vec<_> = templates
        .iter()
        .map(|template| &template.property)
        .collect();
    check.unused(wildcards, &properties);
    templates
}

/// Calculations over time aren't offered, although the schema has them.
fn refuse_calculation(check: &mut Check<'_>, metric: &Map<String, Value>, place: &str) {
    let resolution = "The service does no calculations over time: leave this out, and calculate from the reports.";
    for name in ["CollectionFunction", "CollectionDuration"] {
        if let Some(word) = metric.get(name).and_then(Value::as_str) {
            check.not_in_list(word, &format!("{place}/{name}"), resolution);
        }
    }
}

fn interval(check: &mut Check<'_>) -> Option<u64> {
    let schedule = check.body.get("Schedule")?.as_object()?;
    check.only(schedule, "/Schedule", &["RecurrenceInterval"]);
    check.duration(
        schedule,
        "/Schedule/RecurrenceInterval",
        MIN_COLLECTION_INTERVAL_MS,
        MAX_INTERVAL_MS,
    )
}

/// When reports are made. Without a word, a schedule means that they are periodic.
fn kind(check: &mut Check<'_>, interval_ms: Option<u64>) -> Type {
    let word = check.body.get("MetricReportDefinitionType");
    let kind = word.and_then(Value::as_str).and_then(Type::from_word);
    let has_schedule = check
        .body
        .get("Schedule")
        .and_then(Value::as_object)
        .is_some_and(|schedule| schedule.contains_key("RecurrenceInterval"));
    let kind = kind.unwrap_or(if has_schedule {
        Type::Periodic
    } else {
        Type::OnRequest
    });
    if kind == Type::Periodic && interval_ms.is_none() && !has_schedule {
        let resolution = "A periodic report needs to know how often it is made.";
        check.refuse("/Schedule/RecurrenceInterval", resolution);
    }
    kind
}

fn append_limit(check: &mut Check<'_>) -> usize {
    let Some(given) = check.body.get("AppendLimit").filter(|v| !v.is_null()) else {
        return APPEND_LIMIT;
    };
    let limit = given.as_u64().and_then(|limit| usize::try_from(limit).ok());
    let limit = limit.filter(|limit| (1..=MAX_REPORT_VALUES).contains(limit));
    if limit.is_none() {
        let resolution = format!("Give 1 to {MAX_REPORT_VALUES}.");
        check.out_of_range(&given.to_string(), "/AppendLimit", resolution);
    }
    limit.unwrap_or(APPEND_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::super::metric::MAX_METRIC_PROPERTY_BYTES;
    use super::*;
    use serde_json::json;

    fn read(mut change: Value) -> Result<Definition, Vec<String>> {
        let mut body = json!({
            "MetricProperties": ["/redfish/v1/Chassis/{C}/Sensors/Inlet#/Reading"],
            "Wildcards": [{"Name": "C", "Values": ["*"]}],
        });
        if let (Some(body), Some(change)) = (body.as_object_mut(), change.as_object_mut()) {
            body.append(change);
        }
        let Value::Object(body) = body else {
            panic!("no object")
        };
        Definition::read(body).map_err(|failure| match failure {
            Failure::Messages(messages) => messages
                .iter()
                .map(|m| format!("{}{}", m.key(), m.related_properties()[0]))
                .collect(),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn what_a_client_leaves_out_has_a_sensible_value() {
        let found = read(json!({})).unwrap();
        assert_eq!((found.kind, found.is_enabled), (Type::OnRequest, true));
        assert!(found.is_logged() && !found.is_sent());
        assert_eq!(found.updates, Updates::Overwrite);
        let found = read(json!({"Schedule": {"RecurrenceInterval": "PT10S"}})).unwrap();
        assert_eq!(
            (found.kind, found.interval_ms),
            (Type::Periodic, Some(10_000))
        );
    }

    #[test]
    fn every_fault_is_named_with_its_place() {
        for (change, expected) in [
            (
                json!({"Schedule": {"RecurrenceInterval": "PT0.5S"}}),
                "PropertyValueOutOfRange#/Schedule/RecurrenceInterval",
            ),
            (
                json!({"Schedule": {"Lifetime": "PT1S"}}),
                "PropertyNotWritable#/Schedule/Lifetime",
            ),
            (
                json!({"MetricReportDefinitionType": "Periodic"}),
                "PropertyValueError#/Schedule/RecurrenceInterval",
            ),
            (
                json!({"MetricProperties": ["/redfish/v1/Chassis/{C}#/Colour"]}),
                "PropertyValueError#/MetricProperties/0",
            ),
            (
                json!({"MetricProperties": ["/redfish/v1/Chassis/{C}#/Name", "/redfish/v1/Chassis/{D}#/Name"]}),
                "PropertyValueError#/MetricProperties/1",
            ),
            (
                json!({"Wildcards": [{"Name": "C", "Values": ["*"]}, {"Name": "D", "Values": ["*"]}]}),
                "PropertyValueError#/Wildcards/1/Name",
            ),
            (
                json!({"Wildcards": [{"Name": "C", "Values": []}]}),
                "PropertyValueError#/Wildcards/0/Values",
            ),
            (
                json!({"Wildcards": [{"Name": "C", "Values": ["*"]}, {"Name": "C", "Values": ["1"]}]}),
                "PropertyValueError#/Wildcards/1/Name",
            ),
            (
                json!({"Metrics": [{"MetricId": "A"}]}),
                "PropertyValueError#/Metrics/0/MetricProperties",
            ),
            (
                json!({"Metrics": [{"MetricProperties": ["/redfish/v1/Chassis/{C}#/Name"], "CollectionFunction": "Average"}]}),
                "PropertyValueNotInList#/Metrics/0/CollectionFunction",
            ),
            (
                json!({"ReportActions": ["RedfishEvent", "LogToMetricReportsCollection", "RedfishEvent"]}),
                "PropertyValueError#/ReportActions/2",
            ),
            (
                json!({"ReportUpdates": "NewReport"}),
                "PropertyValueNotInList#/ReportUpdates",
            ),
            (
                json!({"AppendLimit": 0}),
                "PropertyValueOutOfRange#/AppendLimit",
            ),
            (
                json!({"AppendLimit": MAX_REPORT_VALUES + 1}),
                "PropertyValueOutOfRange#/AppendLimit",
            ),
            (
                json!({"ReportTimespan": "PT0S"}),
                "PropertyValueOutOfRange#/ReportTimespan",
            ),
            (
                json!({"Links": {"Triggers": []}}),
                "PropertyNotWritable#/Links",
            ),
        ] {
            assert_eq!(read(change).unwrap_err(), [expected]);
        }
    }

    #[test]
    fn what_every_value_of_a_report_repeats_is_short() {
        let name = "/redfish/v1/Chassis/{C}#/Name";
        let of_id = |length: usize| {
            let id = "x".repeat(length);
            read(json!({"Metrics": [{"MetricId": id, "MetricProperties": [name]}]}))
        };
        assert!(of_id(MAX_METRIC_ID_BYTES).is_ok());
        assert_eq!(
            of_id(MAX_METRIC_ID_BYTES + 1).unwrap_err(),
            ["PropertyValueError#/Metrics/0/MetricId"]
        );
        let of_property = |length: usize| {
            let fixed = "/redfish/v1/Chassis/#/Name";
            let id = "x".repeat(length - fixed.len());
            let property = fixed.replace('#', &format!("{id}#"));
            read(json!({"MetricProperties": [name, property]}))
        };
        assert!(of_property(MAX_METRIC_PROPERTY_BYTES).is_ok());
        assert_eq!(
            of_property(MAX_METRIC_PROPERTY_BYTES + 1).unwrap_err(),
            ["PropertyValueError#/MetricProperties/1"]
        );
    }
}
