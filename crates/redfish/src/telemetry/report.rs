//! The reports that a definition has made, and what of a new one is new.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, OnceLock};

use redfish_schema::DateTime;
use redfish_schema::metric_report_definition::ReportUpdatesEnum as Updates;

use super::definition::Definition;
use super::read::Sample;
use super::resolve::Metric;
use crate::Document;

/// How many reports a definition keeps that makes a new one each time.
pub const MAX_NEW_REPORTS: usize = 8;

/// One report.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    pub(crate) id: String,
    pub(crate) values: VecDeque<Sample>,
    /// When it was made or added to, in milliseconds since 1970; none before the first time.
    pub(crate) time_ms: Option<i64>,
    /// As clients get it. Made for the first, and shared by all: a report may have megabytes.
    pub(crate) document: OnceLock<Document>,
}

/// The reports of one definition that are there to be read, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// Shared with whoever reads one.
    pub(crate) list: VecDeque<Arc<Report>>,
}

impl Reports {
    /// What there is before the first collection: one report without values, unless each is to be a new one.
    pub(crate) fn begin(id: &str, definition: &Definition) -> Self {
        let mut list = VecDeque::new();
        if definition.is_logged() && definition.updates != Updates::NewReport {
            list.push_back(Arc::new(Report {
                id: id.to_owned(),
                ..Report::default()
            }));
        }
        Self { list }
    }

    /// How many values they have together.
    pub(crate) fn len(&self) -> usize {
        self.list.iter().map(|report| report.values.len()).sum()
    }

    /// Takes what was collected at `now_ms`, as the definition says. No more than `room` values are kept: the oldest
    /// make room.
    pub(crate) fn add(
        &mut self,
        id: &str,
        definition: &Definition,
        samples: Vec<Sample>,
        now_ms: i64,
        room: usize,
    ) {
        match (definition.updates, self.list.back_mut()) {
            (Updates::NewReport, _) | (_, None) => {
                let stamp = DateTime::from_unix_ms(now_ms).to_string();
                let stamp = stamp.replace(['-', ':'], "");
                let id = match definition.updates {
                    Updates::NewReport => format!("{id}-{stamp}"),
                    _ => id.to_owned(),
                };
                self.list.retain(|report| report.id != id);
                self.list.push_back(Arc::new(Report {
                    id,
                    values: samples.into(),
                    time_ms: Some(now_ms),
                    document: OnceLock::new(),
                }));
            }
            (Updates::Overwrite, Some(report)) => {
                *report = Arc::new(Report {
                    id: id.to_owned(),
                    values: samples.into(),
                    time_ms: Some(now_ms),
                    document: OnceLock::new(),
                });
            }
            (Updates::AppendWrapsWhenFull | Updates::AppendStopsWhenFull, Some(report)) => {
                append(Arc::make_mut(report), definition, samples, now_ms);
            }
        }
        while self.list.len() > MAX_NEW_REPORTS || (self.list.len() > 1 && self.len() > room) {
            self.list.pop_front();
        }
        if let Some(report) = self
            .list
            .back_mut()
            .filter(|report| report.values.len() > room)
        {
            let excess = report.values.len() - room;
            let report = Arc::make_mut(report);
            report.document.take();
            report.values.drain(..excess);
        }
    }
}

fn append(report: &mut Report, definition: &Definition, samples: Vec<Sample>, now_ms: i64) {
    if let Some(timespan_ms) = definition.timespan_ms {
        let oldest_ms = now_ms.saturating_sub_unsigned(timespan_ms);
        report.values.retain(|value| value.time_ms >= oldest_ms);
    }
    let limit = definition.append_limit;
    let free = limit.saturating_sub(report.values.len());
    if definition.updates == Updates::AppendStopsWhenFull {
        report.values.extend(samples.into_iter().take(free));
    } else {
        report.values.extend(samples);
        let excess = report.values.len().saturating_sub(limit);
        report.values.drain(..excess);
    }
    report.time_ms = Some(now_ms);
    report.document.take();
}

/// The values of the collection before.
#[derive(Debug, Default)]
pub(crate) struct History {
    last: Option<HashMap<Metric, Box<str>>>,
    /// When a report was complete, on the clock of the schedule.
    complete_ms: u64,
}

impl History {
    /// Whether any value differs from before, has come or gone. The first time, all have come.
    pub(crate) fn is_other(&self, samples: &[Sample]) -> bool {
        self.last.as_ref().is_none_or(|last| {
            last.len() != samples.len() || samples.iter().any(|sample| is_new(last, sample))
        })
    }

    /// Notes the values, and leaves those out that the definition suppresses.
    pub(crate) fn note(
        &mut self,
        definition: &Definition,
        mut samples: Vec<Sample>,
        now_ms: u64,
    ) -> Vec<Sample> {
        let values = samples.iter().map(|s| (s.metric.clone(), s.text.clone()));
        let before = self.last.replace(values.collect());
        let beat_at = definition
            .heartbeat_ms
            .map(|ms| self.complete_ms.saturating_add(ms));
        let is_complete = !definition.suppresses || beat_at.is_some_and(|at| at <= now_ms);
        match before {
            Some(before) if !is_complete => samples.retain(|sample| is_new(&before, sample)),
            _ => self.complete_ms = now_ms,
        }
        samples
    }
}

fn is_new(last: &HashMap<Metric, Box<str>>, sample: &Sample) -> bool {
    last.get(&sample.metric) != Some(&sample.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn definition(change: &Value) -> Definition {
        let Value::Object(mut body) = change.clone() else {
            panic!("no object")
        };
        let property = json!(["/redfish/v1/Chassis/1/Sensors/A#/Reading"]);
        body.insert("MetricProperties".to_owned(), property);
        Definition::read(body).unwrap()
    }

    fn sample(name: &str, text: &str, time_ms: i64) -> Sample {
        Sample {
            metric: Metric {
                property: format!("/redfish/v1/Chassis/1/Sensors/{name}#/Reading").into(),
                id: None,
            },
            resource_type: "Sensor",
            text: text.into(),
            number: None,
            time_ms,
        }
    }

    /// The texts of each report after collecting one to `rounds`, two values each.
    fn after(change: &Value, rounds: i64, room: usize) -> Vec<String> {
        let definition = definition(change);
        let mut reports = Reports::begin("R", &definition);
        for round in 1..=rounds {
            let now_ms = round * 1000;
            let value = |name: &str| sample(name, &format!("{name}{round}"), now_ms);
            reports.add("R", &definition, vec![value("a"), value("b")], now_ms, room);
        }
        let texts = |report: &Arc<Report>| {
            let texts: Vec<&str> = report.values.iter().map(|value| &*value.text).collect();
            texts.join(" ")
        };
        reports.list.iter().map(texts).collect()
    }

    #[test]
    fn a_report_is_overwritten_appended_to_or_made_anew() {
        const ALL: usize = 1000;
        assert_eq!(after(&json!({}), 0, ALL), [""]);
        assert_eq!(after(&json!({}), 3, ALL), ["a3 b3"]);
        let wraps = json!({"ReportUpdates": "AppendWrapsWhenFull", "AppendLimit": 5});
        assert_eq!(after(&wraps, 2, ALL), ["a1 b1 a2 b2"]);
        assert_eq!(after(&wraps, 4, ALL), ["b2 a3 b3 a4 b4"]);
        let stops = json!({"ReportUpdates": "AppendStopsWhenFull", "AppendLimit": 5});
        assert_eq!(after(&stops, 4, ALL), ["a1 b1 a2 b2 a3"]);
        let timespan = json!({"ReportUpdates": "AppendWrapsWhenFull", "ReportTimespan": "PT2S"});
        assert_eq!(after(&timespan, 9, ALL), ["a7 b7 a8 b8 a9 b9"]);
        let new = json!({"ReportUpdates": "NewReport", "MetricReportDefinitionType": "OnChange"});
        assert_eq!(after(&new, 0, ALL), [""; 0]);
        assert_eq!(after(&new, 2, ALL), ["a1 b1", "a2 b2"]);
        assert_eq!(after(&new, 99, ALL).len(), MAX_NEW_REPORTS);
    }

    #[test]
    fn what_there_is_no_room_for_is_dropped_the_oldest_first() {
        assert_eq!(after(&json!({}), 1, 1), ["b1"]);
        let new = json!({"ReportUpdates": "NewReport", "MetricReportDefinitionType": "OnChange"});
        assert_eq!(after(&new, 4, 5), ["a3 b3", "a4 b4"]);
        let wraps = json!({"ReportUpdates": "AppendWrapsWhenFull"});
        assert_eq!(after(&wraps, 4, 3), ["b3 a4 b4"]);
    }

    #[test]
    fn repeated_values_are_suppressed_until_the_heartbeat() {
        let definition = definition(&json!({
            "SuppressRepeatedMetricValue": true, "MetricReportHeartbeatInterval": "PT10S",
        }));
        let mut history = History::default();
        let mut told = |b: &str, now_ms: u64| {
            let samples = vec![sample("a", "1", 0), sample("b", b, 0)];
            history.note(&definition, samples, now_ms).len()
        };
        let counts = [
            told("1", 0),
            told("1", 1000),
            told("2", 2000),
            told("2", 10_000),
            told("2", 11_000),
        ];
        assert_eq!(counts, [2, 0, 1, 2, 0]);
    }

    #[test]
    fn a_change_is_another_value_or_one_that_came_or_went() {
        let definition = definition(&json!({}));
        let mut history = History::default();
        let (a, b) = (sample("a", "1", 0), sample("b", "1", 0));
        assert!(history.is_other(&[]));
        history.note(&definition, vec![a.clone(), b.clone()], 0);
        assert!(!history.is_other(&[b.clone(), a.clone()]));
        assert!(history.is_other(std::slice::from_ref(&a)));
        assert!(history.is_other(&[a, sample("b", "2", 0)]));
    }
}
