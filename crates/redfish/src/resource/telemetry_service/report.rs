//! One metric report, as a GET shows it and as subscribers get it (DSP0268 "MetricReport").

use redfish_schema::metric_report::{MetricReport, MetricValue};
use redfish_schema::{DateTime, Nullable, Reference};

use super::{definition_path, report_path};
use crate::telemetry::{Report, Sample};
use crate::{Document, Failure};

/// A report of the definition with this `Id`, made once.
pub(crate) fn document(definition: &str, report: &Report) -> Result<Document, Failure> {
    if let Some(made) = report.document.get() {
        return Ok(made.clone());
    }
    let made = make(definition, report)?.shared();
    Ok(report.document.get_or_init(|| made).clone())
}

fn make(definition: &str, report: &Report) -> Result<Document, Failure> {
    let path = report_path(&report.id);
    let name = format!("Metric report {}", report.id);
    let mut resource = MetricReport::new(path, &*report.id, name);
    resource.metric_report_definition = Some(Reference::to(definition_path(definition)));
    let time = report.time_ms.map(DateTime::from_unix_ms);
    resource.timestamp = Some(time.map_or(Nullable::Null, Nullable::Value));
    resource.metric_values = Some(report.values.iter().map(value).collect());
    Document::of(&resource)
}

fn value(sample: &Sample) -> MetricValue {
    MetricValue {
        metric_id: sample.metric.id.as_deref().map(Into::into),
        metric_value: Some(sample.text.to_string().into()),
        timestamp: Some(DateTime::from_unix_ms(sample.time_ms).into()),
        metric_property: Some(sample.property().to_string().into()),
        ..MetricValue::default()
    }
}
