//! Reads metric values of the backend.

use std::sync::Arc;

use redfish_schema::DateTime;
use serde_json::Value;
use tokio::task::yield_now;

use super::resolve::{Metric, RESOURCES_A_TURN, Source};
use crate::privilege::map::Holder;
use crate::privilege::{Operation, PrivilegeMap, Privileges};
use crate::{Backend, Failure};

/// What a property held at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) metric: Metric,
    /// The name of the resource's type.
    pub(crate) resource_type: &'static str,
    pub(crate) text: Box<str>,
    /// The same, if it is a number.
    pub(crate) number: Option<f64>,
    /// When, in milliseconds since 1970: when a sensor was read, or else when the service looked.
    pub(crate) time_ms: i64,
}

/// Reads every property of `sources`. One that isn't known at the moment, or that not everybody with a login may read,
/// is left out: everybody with a login reads reports.
pub(super) async fn read(
    backend: &dyn Backend,
    privileges: &PrivilegeMap,
    sources: &[Source],
    now_ms: i64,
) -> Vec<Sample> {
    let mut samples = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        if index % RESOURCES_A_TURN == RESOURCES_A_TURN - 1 {
            yield_now().await;
        }
        let document = match backend.get(&source.path).await {
            Ok(document) => document,
            Err(Failure::NotFound) => continue,
            Err(failure) => {
                tracing::warn!(path = %source.path, %failure, "can't be read for a metric report");
                continue;
            }
        };
        let Ok(json) = serde_json::from_slice::<Value>(document.json()) else {
            continue;
        };
        let kind = document.resource().name;
        let read_at = json.get("ReadingTime").and_then(Value::as_str);
        let read_at = read_at.and_then(DateTime::parse).map(DateTime::unix_ms);
        let everybody = Holder {
            has: Privileges::LOGIN,
            owns: false,
        };
        let path = source.path.as_str();
        if !privileges.permits(everybody, kind, path, Operation::Get) {
            continue;
        }
        for metric in &source.metrics {
            let get = Operation::Get;
            let top = metric.top();
            if privileges.permits_property(everybody, kind, path, get, top)
                && let Some((text, number)) = json.pointer(metric.pointer()).and_then(value)
            {
                samples.push(Sample {
                    metric: metric.clone(),
                    resource_type: kind,
                    text,
                    number,
                    time_ms: read_at.unwrap_or(now_ms),
                });
            }
        }
    }
    samples
}

/// A value as reports have it: text.
fn value(value: &Value) -> Option<(Box<str>, Option<f64>)> {
    match value {
        Value::String(text) => Some((text.as_str().into(), None)),
        Value::Number(number) => Some((number.to_string().into(), number.as_f64())),
        Value::Bool(flag) => Some((flag.to_string().into(), None)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

impl Sample {
    /// The property's URI, shared.
    pub(crate) fn property(&self) -> &Arc<str> {
        &self.metric.property
    }
}
