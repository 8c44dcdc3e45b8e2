//! `TelemetryService.SubmitTestMetricReport`: a report that a client makes up, for everybody who wants metric reports
//! whatever their definition.

use redfish_schema::DateTime;
use redfish_schema::metric_report::{MetricReport, MetricValue};
use serde_json::{Map, Value};

use super::report_path;
use crate::event::now;
use crate::message;
use crate::resource::event_service;
use crate::telemetry::Telemetry;
use crate::{ActionCall, Document, Failure};

/// The longest name of the report, in bytes.
const MAX_NAME: usize = 64;
/// How many values it has at most.
const MAX_VALUES: usize = 1000;

/// Publishes the report.
pub(super) fn submit(telemetry: &Telemetry, call: &ActionCall) -> Result<(), Failure> {
    if !telemetry.hub.is_enabled() {
        return Err(Failure::Disabled {
            service: event_service::PATH,
        });
    }
    let document = Document::of(&report(call)?)?;
    telemetry.hub.publish_report(None, document.json().clone());
    Ok(())
}

fn report(call: &ActionCall) -> Result<MetricReport, Failure> {
    let wrong = |name: &str, resolution: &str| {
        let message = message::action_parameter_value_error(name, call.action.name);
        let message = message
            .about(format!("/{name}"))
            .with_resolution(resolution);
        Failure::Messages(vec![message])
    };
    let missing = |name: &str| {
        let message = message::action_parameter_missing(call.action.name, name);
        Failure::Messages(vec![message.about(format!("/{name}"))])
    };
    let name = "MetricReportName";
    let text = call.parameters.text(name).ok_or_else(|| missing(name))?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !(1..=MAX_NAME).contains(&text.len()) || !text.chars().all(fits) {
        return Err(wrong(
            name,
            "Give at most 64 letters, digits, -, _ and dots.",
        ));
    }
    if call.parameters.get("MetricReportValues").is_some() {
        let resolution = "This parameter is deprecated: use GeneratedMetricReportValues.";
        return Err(wrong("MetricReportValues", resolution));
    }
    let name = "GeneratedMetricReportValues";
    let values = call.parameters.get(name).and_then(Value::as_array);
    let values = values.ok_or_else(|| missing(name))?;
    if values.len() > MAX_VALUES {
        return Err(wrong(name, "Give at most 1000 values."));
    }
    let mut report = MetricReport::new(report_path(text), text, text);
    report.timestamp = Some(now().into());
    let values = values.iter().filter_map(Value::as_object);
    report.metric_values = Some(values.map(value).collect());
    Ok(report)
}

fn value(given: &Map<String, Value>) -> MetricValue {
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    let time = text("Timestamp").and_then(DateTime::parse);
    MetricValue {
        metric_id: text("MetricId").map(Into::into),
        metric_value: text("MetricValue").map(Into::into),
        timestamp: Some(time.unwrap_or_else(now).into()),
        metric_property: text("MetricProperty").map(Into::into),
        ..MetricValue::default()
    }
}
