//! Telemetry: metric reports that clients define, and triggers that watch values for them (DSP0266 "Telemetry",
//! DSP0268 "TelemetryService").
//!
//! ```text
//!   definition, trigger ──► what a client asks, checked against the schema and the backend
//!          │
//!        resolve ──► sources: wildcards replaced by what the backend has
//!          │
//!   schedule ──► work: reads the sources ──┬─► report      kept, to be read
//!   when?  (no clock)                      ├─► threshold   is a trigger met?  (no clock)
//!                                          └─► event::Hub  metric reports and events, to subscribers
//! ```
//!
//! Values are read from the backend's resources, as a client would read them: the backend needs to know nothing of
//! reports. Its snapshots are in memory, so collecting costs processor time and nothing else; [`schedule`] keeps that
//! to a quarter of one processor, whatever clients ask for. A backend may have definitions and reports of its own: they
//! are members of the same collections, and nobody can change them.

mod check;
mod definition;
mod metric;
mod read;
mod report;
mod resolve;
mod schedule;
mod service;
mod threshold;
mod trigger;
mod work;

pub use metric::{
    MAX_METRIC_ID_BYTES, MAX_METRIC_PROPERTIES, MAX_METRIC_PROPERTY_BYTES, MAX_WILDCARD_VALUES,
    MAX_WILDCARDS,
};
pub use report::MAX_NEW_REPORTS;
pub use trigger::{MAX_DISCRETE_TRIGGERS, MAX_TRIGGERED_REPORTS};

pub(crate) use definition::Definition;
pub(crate) use metric::Wildcard;
pub(crate) use read::Sample;
pub(crate) use report::Report;
pub(crate) use service::{DefinitionState, Telemetry, TriggerState};
pub(crate) use threshold::{Expected, Level, Threshold};
pub(crate) use trigger::{Rule, Trigger};

use crate::Path;

/// How many definitions of reports clients may have.
pub const MAX_REPORT_DEFINITIONS: usize = 64;
/// How many triggers clients may have.
pub const MAX_TRIGGERS: usize = 64;
/// How many values a report has at most, and how many properties a trigger watches: one of each machine of the largest
/// fleet.
pub const MAX_REPORT_VALUES: usize = 50_000;
/// How many places, segments of paths and tokens of pointers, wildcards are followed to until they count as too many:
/// ten for each value of the largest report.
pub const MAX_RESOLVE_STEPS: usize = 10 * MAX_REPORT_VALUES;
/// How many properties all definitions and triggers read together.
pub const MAX_METRICS: usize = 200_000;
/// How many values all reports keep together.
pub const MAX_KEPT_VALUES: usize = 500_000;
/// The shortest interval between two collections of the same values, in milliseconds (`MinCollectionInterval`). Also how
/// often values are looked at whose changes count.
pub const MIN_COLLECTION_INTERVAL_MS: u64 = 1000;
/// How long what wildcards stand for counts as known, in milliseconds. New machines are in reports after that time.
pub const RESOLVE_INTERVAL_MS: u64 = 60_000;
/// How many events one look of a trigger publishes at most. What is left comes with the next look.
pub const MAX_TRIGGER_EVENTS: usize = 256;

/// The longest interval, dwell time or timespan, in milliseconds: a year.
const MAX_INTERVAL_MS: u64 = 366 * 86_400_000;

/// Whether a metric report definition may be at `path`.
pub(crate) fn is_report_definition(path: &Path) -> bool {
    matches!(
        *path.segments(),
        ["TelemetryService", "MetricReportDefinitions", _]
    )
}
