//! Drives the schedule: one task that collects what is due.

use std::sync::{Arc, OnceLock};

use redfish_schema::metric_report_definition::MetricReportDefinitionType as Type;
use redfish_schema::resource::Health;
use redfish_schema::triggers::TriggerActionEnum as Action;
use tokio::sync::MutexGuard;
use tokio::time::sleep_until;

use super::read::{Sample, read};
use super::report::Report;
use super::resolve::resolve;
use super::schedule::{Key, REST, Step};
use super::service::{Resolved, State, Telemetry, Watcher};
use super::threshold::{Crossing, Level};
use super::{
    Definition, MAX_KEPT_VALUES, MAX_METRICS, MAX_REPORT_VALUES, MAX_TRIGGER_EVENTS,
    MIN_COLLECTION_INTERVAL_MS, RESOLVE_INTERVAL_MS, Rule, Trigger,
};
use crate::Event;
use crate::event::{Record, now};
use crate::message::{Message, Severity, telemetry as messages};
use crate::resource::telemetry_service as resource;

/// What is to be collected.
enum Job {
    Report(Arc<Definition>),
    Trigger(Arc<Trigger>),
}

/// The right to collect. When it ends, the time that it took is rested from: also where the client who asked for a
/// report has gone before it was made.
pub(super) struct Turn<'a> {
    telemetry: &'a Telemetry,
    began_ms: u64,
    _alone: MutexGuard<'a, ()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let now_ms = self.telemetry.now_ms();
        self.telemetry.lock().schedule.ended(self.began_ms, now_ms);
    }
}

impl Telemetry {
    /// Collects for as long as it is polled.
    pub(crate) async fn work(&self) {
        loop {
            let now_ms = self.now_ms();
            let step = {
                let mut state = self.lock();
                if state.is_enabled() {
                    state.schedule.step(now_ms)
                } else {
                    Step::Wait { until_ms: None }
                }
            };
            match step {
                Step::Run(key) => self.run(&key).await,
                Step::Wait { until_ms } => {
                    let until = self.instant(until_ms.unwrap_or(0));
                    tokio::select! {
                        () = self.changed.notified() => {}
                        () = sleep_until(until), if until_ms.is_some() => {}
                    }
                }
            }
        }
    }

    async fn run(&self, key: &Key) {
        let _turn = self.turn().await;
        self.collect(key).await;
    }

    /// Waits until nobody else collects and the last collection has been rested from.
    pub(super) async fn turn(&self) -> Turn<'_> {
        let alone = self.turn.lock().await;
        let rest_until_ms = self.lock().schedule.rest_until_ms();
        sleep_until(self.instant(rest_until_ms)).await;
        Turn {
            telemetry: self,
            began_ms: self.now_ms(),
            _alone: alone,
        }
    }

    /// Makes the report of an `OnRequest` definition whose report has the same `Id`, unless it was made just now.
    pub(crate) async fn request(&self, id: &str) {
        if !self.is_due(id) {
            return;
        }
        let _turn = self.turn().await;
        if self.is_due(id) {
            self.collect(&Key::Report(id.to_owned())).await;
        }
    }

    fn is_due(&self, id: &str) -> bool {
        let now_ms = self.now_ms();
        let state = self.lock();
        let reporter = state.reporters.get(id).filter(|_| state.is_enabled());
        let asked = |definition: &Definition| {
            definition.kind == Type::OnRequest && definition.is_enabled && definition.is_logged()
        };
        reporter
            .filter(|one| asked(&one.definition))
            .is_some_and(|one| {
                one.collected.is_none_or(|(at_ms, took_ms)| {
                    let pause_ms = took_ms.saturating_mul(REST).max(MIN_COLLECTION_INTERVAL_MS);
                    now_ms >= at_ms.saturating_add(pause_ms)
                })
            })
    }

    async fn collect(&self, key: &Key) {
        let began_ms = self.now_ms();
        let Some((job, resolved)) = self.lock().job(key) else {
            return;
        };
        let fresh = resolved.filter(|r| began_ms < r.at_ms.saturating_add(RESOLVE_INTERVAL_MS));
        let resolved = match fresh {
            Some(resolved) => resolved,
            None => self.resolve(key, &job, began_ms).await,
        };
        let time_ms = now().unix_ms();
        let list = &resolved.sources.list;
        let samples = read(&*self.backend, &self.privileges, list, time_ms).await;
        let now_ms = self.now_ms();
        match (key, job) {
            (Key::Report(id), Job::Report(definition)) => {
                let took_ms = now_ms - began_ms;
                let report = {
                    let mut state = self.lock();
                    state.reported(
                        id,
                        &definition,
                        resolved,
                        samples,
                        time_ms,
                        (now_ms, took_ms),
                    )
                };
                if let Some(report) = report {
                    self.send(id, &report);
                }
            }
            (Key::Trigger(id), Job::Trigger(trigger)) => {
                let records = {
                    let mut state = self.lock();
                    state.watched(id, &trigger, resolved, &samples, now_ms)
                };
                for record in records {
                    self.hub.publish_record(record);
                }
            }
            _ => {}
        }
    }

    async fn resolve(&self, key: &Key, job: &Job, at_ms: u64) -> Resolved {
        let (templates, wildcards) = match job {
            Job::Report(definition) => (&definition.templates, &definition.wildcards),
            Job::Trigger(trigger) => (&trigger.templates, &trigger.wildcards),
        };
        let room = MAX_METRICS.saturating_sub(self.lock().metrics_beside(key));
        let most = MAX_REPORT_VALUES.min(room);
        let found = resolve(&*self.backend, templates, wildcards, most, false).await;
        Resolved {
            // Only what is verified can be missing.
            sources: Arc::new(found.unwrap_or_default()),
            at_ms,
        }
    }

    /// Publishes a report to who is subscribed.
    fn send(&self, definition: &str, report: &Report) {
        match resource::report_document(definition, report) {
            Ok(document) => {
                let path = resource::definition_path(definition);
                self.hub.publish_report(Some(path), document.json().clone());
            }
            Err(failure) => tracing::error!(%failure, "metric report not sent"),
        }
    }
}

impl State {
    fn job(&self, key: &Key) -> Option<(Job, Option<Resolved>)> {
        match key {
            Key::Report(id) => {
                let one = self.reporters.get(id)?;
                Some((
                    Job::Report(Arc::clone(&one.definition)),
                    one.resolved.clone(),
                ))
            }
            Key::Trigger(id) => {
                let one = self.watchers.get(id)?;
                Some((Job::Trigger(Arc::clone(&one.trigger)), one.resolved.clone()))
            }
        }
    }

    /// Takes what was collected for a report; answers what is to be sent. If somebody has changed the definition in the
    /// meantime, it comes to nothing.
    fn reported(
        &mut self,
        id: &str,
        definition: &Arc<Definition>,
        resolved: Resolved,
        samples: Vec<Sample>,
        time_ms: i64,
        collected: (u64, u64),
    ) -> Option<Report> {
        let others = self.reporters.iter().filter(|(other, _)| *other != id);
        let kept: usize = others.map(|(_, one)| one.reports.len()).sum();
        let reporter = self.reporters.get_mut(id)?;
        if !Arc::ptr_eq(&reporter.definition, definition) {
            return None;
        }
        reporter.resolved = Some(resolved);
        reporter.collected = Some(collected);
        let is_forced = std::mem::take(&mut reporter.is_forced);
        if definition.kind == Type::OnChange && !is_forced && !reporter.history.is_other(&samples) {
            return None;
        }
        let samples = reporter.history.note(definition, samples, collected.0);
        let mut sent = definition.is_sent().then(|| Report {
            id: id.to_owned(),
            values: samples.iter().cloned().collect(),
            time_ms: Some(time_ms),
            document: OnceLock::new(),
        });
        if definition.is_logged() {
            let room = MAX_KEPT_VALUES.saturating_sub(kept);
            reporter.reports.add(id, definition, samples, time_ms, room);
            let newest = reporter.reports.list.back();
            if let (Some(sent), Some(newest)) = (&mut sent, newest) {
                sent.id.clone_from(&newest.id);
            }
        }
        sent
    }

    /// Takes the values that a trigger watches; answers the events to publish.
    fn watched(
        &mut self,
        id: &str,
        trigger: &Arc<Trigger>,
        resolved: Resolved,
        samples: &[Sample],
        now_ms: u64,
    ) -> Vec<Record> {
        let Some(watcher) = self.watchers.get_mut(id) else {
            return Vec::new();
        };
        if !Arc::ptr_eq(&watcher.trigger, trigger) {
            return Vec::new();
        }
        if watcher
            .resolved
            .as_ref()
            .is_none_or(|old| old.at_ms != resolved.at_ms)
        {
            watcher.forget_others(&resolved);
            watcher.resolved = Some(resolved);
        }
        let mut records = Vec::new();
        for sample in samples {
            if records.len() >= MAX_TRIGGER_EVENTS {
                break;
            }
            records.append(&mut watcher.look(id, sample, now_ms));
        }
        if !records.is_empty() && trigger.actions.contains(&Action::RedfishMetricReport) {
            for report in &trigger.reports {
                let reporter = self.reporters.get_mut(report);
                if let Some(reporter) = reporter.filter(|one| one.definition.is_enabled) {
                    reporter.is_forced = true;
                    self.schedule.hurry(Key::Report(report.clone()), now_ms);
                }
            }
        }
        if !trigger.actions.contains(&Action::RedfishEvent) {
            records.clear();
        }
        records
    }
}

impl Watcher {
    /// Forgets values of properties that aren't there any more.
    fn forget_others(&mut self, resolved: &Resolved) {
        let list = resolved.sources.list.iter();
        let there: std::collections::HashSet<_> = list
            .flat_map(|source| &source.metrics)
            .map(|m| &m.property)
            .collect();
        self.numeric.retain(|property, _| there.contains(property));
        self.discrete.retain(|property, _| there.contains(property));
    }

    fn look(&mut self, id: &str, sample: &Sample, now_ms: u64) -> Vec<Record> {
        let property = sample.property();
        match (&self.trigger.rule, sample.number) {
            (Rule::Numeric(thresholds), Some(value)) => {
                let state = self.numeric.entry(Arc::clone(property)).or_default();
                let crossings = state.step(now_ms, value, thresholds);
                let crossings = crossings.into_iter();
                crossings
                    .map(|crossing| numeric_record(id, sample, crossing))
                    .collect()
            }
            (Rule::Numeric(_), None) => Vec::new(),
            (Rule::Becomes(expected), _) => {
                let state = self.discrete.entry(Arc::clone(property)).or_default();
                let found = state.step(now_ms, &sample.text, expected);
                let severity = found.map(|found| found.severity);
                severity
                    .map(|severity| discrete_record(id, sample, severity))
                    .into_iter()
                    .collect()
            }
            (Rule::Changes, _) => {
                let state = self.discrete.entry(Arc::clone(property)).or_default();
                let changed = state.changed(&sample.text);
                changed
                    .then(|| discrete_record(id, sample, None))
                    .into_iter()
                    .collect()
            }
        }
    }
}

fn numeric_record(trigger: &str, sample: &Sample, crossing: Crossing) -> Record {
    let (metric, value) = (&**sample.property(), &*sample.text);
    let message = match crossing {
        Crossing::Normal => messages::trigger_numeric_reading_normal(metric, value, trigger),
        Crossing::Beyond(level, threshold) => {
            let threshold = threshold.to_string();
            let of_level = match level {
                Level::UpperWarning => messages::trigger_numeric_above_upper_warning,
                Level::UpperCritical => messages::trigger_numeric_above_upper_critical,
                Level::LowerWarning => messages::trigger_numeric_below_lower_warning,
                Level::LowerCritical => messages::trigger_numeric_below_lower_critical,
            };
            of_level(metric, value, threshold, trigger)
        }
        Crossing::Back(level, threshold) => {
            let threshold = threshold.to_string();
            let of_level = match level {
                Level::UpperWarning | Level::UpperCritical => {
                    messages::trigger_numeric_below_upper_critical
                }
                Level::LowerWarning | Level::LowerCritical => {
                    messages::trigger_numeric_above_lower_critical
                }
            };
            of_level(metric, value, threshold, trigger)
        }
    };
    record(sample, message)
}

fn discrete_record(trigger: &str, sample: &Sample, severity: Option<Health>) -> Record {
    let metric = &**sample.property();
    let message = messages::trigger_discrete_condition_met(metric, &*sample.text, trigger);
    let mut record = record(sample, message);
    record.severity = match severity {
        Some(Health::Critical) => Severity::Critical,
        Some(Health::Warning) => Severity::Warning,
        Some(Health::OK) => Severity::Ok,
        None => record.severity,
    };
    record
}

/// The event has happened to the resource that the metric is of.
fn record(sample: &Sample, message: Message) -> Record {
    let path = sample
        .property()
        .split_once('#')
        .map(|(path, _)| path.to_owned());
    let event = Event {
        message,
        origin: path,
        resource_type: Some(sample.resource_type),
    };
    Record::of(&event, now())
}
