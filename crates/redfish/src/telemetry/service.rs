//! The definitions and triggers that clients have, and how they change.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redfish_schema::metric_report_definition::MetricReportDefinitionType as Type;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::check::{self, merge};
use super::metric::Wildcard;
use super::report::{History, Reports};
use super::resolve::{Sources, Template, resolve};
use super::schedule::{Key, Schedule};
use super::threshold::{Discrete, Numeric};
use super::{
    Definition, MAX_METRICS, MAX_REPORT_DEFINITIONS, MAX_REPORT_VALUES, MAX_TRIGGERS,
    MIN_COLLECTION_INTERVAL_MS, Report, Trigger,
};
use crate::event::Hub;
use crate::message;
use crate::privilege::PrivilegeMap;
use crate::resource::telemetry_service as resource;
use crate::store::{Batch, Store, StoreError, Table};
use crate::{Backend, Failure, Path};

const DEFINITIONS: Table = Table("metric_report_definitions");
const TRIGGERS: Table = Table("triggers");
const SETTINGS: Table = Table("telemetry");
const SETTINGS_KEY: &str = "settings";

/// The telemetry of the service.
pub(crate) struct Telemetry {
    pub(super) backend: Arc<dyn Backend>,
    pub(crate) hub: Arc<Hub>,
    pub(super) privileges: Arc<PrivilegeMap>,
    store: Store,
    state: Arc<Mutex<State>>,
    /// The schedule has changed.
    pub(super) changed: Arc<Notify>,
    /// One change at a time, from the look at what there is to what is made of it.
    changes: tokio::sync::Mutex<()>,
    /// One collection at a time.
    pub(super) turn: tokio::sync::Mutex<()>,
    start: Instant,
}

/// What there is.
#[derive(Default)]
pub(super) struct State {
    kept: Kept,
    pub(super) reporters: BTreeMap<String, Reporter>,
    pub(super) watchers: BTreeMap<String, Watcher>,
    pub(super) schedule: Schedule,
}

/// What is stored beside definitions and triggers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Kept {
    is_enabled: bool,
    /// The number of the next definition or trigger to which no client gives an `Id`.
    next_id: u64,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            is_enabled: true,
            next_id: 1,
        }
    }
}

/// The properties of a definition or trigger, as they were found.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub(super) sources: Arc<Sources>,
    pub(super) at_ms: u64,
}

/// A definition at work.
pub(super) struct Reporter {
    pub(super) definition: Arc<Definition>,
    pub(super) resolved: Option<Resolved>,
    pub(super) reports: Reports,
    pub(super) history: History,
    /// A trigger wants a report, changed or not.
    pub(super) is_forced: bool,
    /// When it last collected, and how long that took.
    pub(super) collected: Option<(u64, u64)>,
}

/// A trigger at work.
pub(super) struct Watcher {
    pub(super) trigger: Arc<Trigger>,
    pub(super) resolved: Option<Resolved>,
    pub(super) numeric: HashMap<Arc<str>, Numeric>,
    pub(super) discrete: HashMap<Arc<str>, Discrete>,
}

/// A definition as a GET shows it.
pub(crate) struct DefinitionState {
    pub(crate) definition: Arc<Definition>,
    /// The `Id` of its newest report that can be read.
    pub(crate) report: Option<String>,
    /// `Id`s of the triggers that have its reports made.
    pub(crate) triggers: Vec<String>,
    /// It has more properties than a report may have values.
    pub(crate) is_cut: bool,
}

/// A trigger as a GET shows it.
pub(crate) struct TriggerState {
    pub(crate) trigger: Arc<Trigger>,
    /// `Id`s of the definitions whose reports it has made, as far as they are there.
    pub(crate) reports: Vec<String>,
    /// It has more properties than it may watch.
    pub(crate) is_cut: bool,
}

impl Reporter {
    fn new(id: &str, definition: Definition, resolved: Option<Resolved>) -> Self {
        Self {
            reports: Reports::begin(id, &definition),
            definition: Arc::new(definition),
            resolved,
            history: History::default(),
            is_forced: false,
            collected: None,
        }
    }
}

impl Watcher {
    fn new(trigger: Trigger, resolved: Option<Resolved>) -> Self {
        Self {
            trigger: Arc::new(trigger),
            resolved,
            numeric: HashMap::new(),
            discrete: HashMap::new(),
        }
    }
}

impl State {
    pub(super) const fn is_enabled(&self) -> bool {
        self.kept.is_enabled
    }

    /// How many properties are read for others than `key`.
    pub(super) fn metrics_beside(&self, key: &Key) -> usize {
        let count = |resolved: &Option<Resolved>| resolved.as_ref().map_or(0, |r| r.sources.count);
        let reports = self
            .reporters
            .iter()
            .map(|(id, one)| (Key::Report(id.clone()), &one.resolved));
        let triggers = self
            .watchers
            .iter()
            .map(|(id, one)| (Key::Trigger(id.clone()), &one.resolved));
        let others = reports.chain(triggers).filter(|(other, _)| other != key);
        others.map(|(_, resolved)| count(resolved)).sum()
    }

    fn define(&mut self, id: &str, reporter: Reporter, now_ms: u64) {
        let definition = &reporter.definition;
        let key = Key::Report(id.to_owned());
        self.schedule.remove(&key);
        let interval_ms = match definition.kind {
            Type::Periodic => definition.interval_ms,
            Type::OnChange => Some(MIN_COLLECTION_INTERVAL_MS),
            Type::OnRequest => None,
        };
        if let Some(interval_ms) = interval_ms.filter(|_| definition.is_enabled) {
            self.schedule.repeat(key, now_ms, interval_ms);
        }
        self.reporters.insert(id.to_owned(), reporter);
    }

    fn watch(&mut self, id: &str, watcher: Watcher, now_ms: u64) {
        let key = Key::Trigger(id.to_owned());
        self.schedule.remove(&key);
        if watcher.trigger.is_enabled {
            self.schedule
                .repeat(key, now_ms, MIN_COLLECTION_INTERVAL_MS);
        }
        self.watchers.insert(id.to_owned(), watcher);
    }
}

impl Telemetry {
    /// With what the store has.
    ///
    /// # Errors
    /// [`StoreError`] if it can't be read.
    pub(crate) fn load(
        backend: Arc<dyn Backend>,
        hub: Arc<Hub>,
        privileges: Arc<PrivilegeMap>,
        store: Store,
    ) -> Result<Self, StoreError> {
        let mut state = State::default();
        if let Some((_, kept)) = store.load::<Kept>(SETTINGS)?.into_iter().next() {
            state.kept = kept;
        }
        let ignored = |id: &str, failure: Failure| {
            tracing::error!(id, %failure, "stored telemetry is of no use to this version");
        };
        for (id, body) in store.load::<Map<String, Value>>(DEFINITIONS)? {
            match Definition::read(body) {
                Ok(definition) => state.define(&id, Reporter::new(&id, definition, None), 0),
                Err(failure) => ignored(&id, failure),
            }
        }
        for (id, body) in store.load::<Map<String, Value>>(TRIGGERS)? {
            match Trigger::read(body) {
                Ok(trigger) => state.watch(&id, Watcher::new(trigger, None), 0),
                Err(failure) => ignored(&id, failure),
            }
        }
        Ok(Self {
            backend,
            hub,
            privileges,
            store,
            state: Arc::new(Mutex::new(state)),
            changed: Arc::default(),
            changes: tokio::sync::Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            start: Instant::now(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clock of the schedule, in milliseconds.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The moment of the schedule's clock.
    pub(super) fn instant(&self, ms: u64) -> Instant {
        self.start + std::time::Duration::from_millis(ms)
    }

    /// Whether anything is collected at all (`ServiceEnabled`).
    pub(crate) fn is_enabled(&self) -> bool {
        self.lock().is_enabled()
    }

    /// Collects from now on, or no more.
    pub(crate) async fn enable(&self, is_enabled: bool) -> Result<(), Failure> {
        let _change = self.changes.lock().await;
        let kept = Kept {
            is_enabled,
            ..self.lock().kept
        };
        let mut batch = Batch::default();
        batch.put(SETTINGS, SETTINGS_KEY, &kept)?;
        self.commit(batch, move |state, _| state.kept.is_enabled = is_enabled)
            .await
    }

    /// `Id`s of all definitions.
    pub(crate) fn definitions(&self) -> Vec<String> {
        self.lock().reporters.keys().cloned().collect()
    }

    /// `Id`s of all reports that can be read.
    pub(crate) fn reports(&self) -> Vec<String> {
        let state = self.lock();
        let reports = state.reporters.values().flat_map(|one| &one.reports.list);
        reports.map(|report| report.id.clone()).collect()
    }

    /// `Id`s of all triggers.
    pub(crate) fn triggers(&self) -> Vec<String> {
        self.lock().watchers.keys().cloned().collect()
    }

    /// A client's definition.
    pub(crate) fn definition(&self, id: &str) -> Option<DefinitionState> {
        let state = self.lock();
        let reporter = state.reporters.get(id)?;
        let is_of =
            |(_, watcher): &(&String, &Watcher)| watcher.trigger.reports.iter().any(|r| r == id);
        let triggers = state.watchers.iter().filter(is_of);
        Some(DefinitionState {
            definition: Arc::clone(&reporter.definition),
            report: reporter.reports.list.back().map(|report| report.id.clone()),
            triggers: triggers.map(|(id, _)| id.clone()).collect(),
            is_cut: reporter.resolved.as_ref().is_some_and(|r| r.sources.is_cut),
        })
    }

    /// A report of a client's definition, and the definition's `Id`.
    pub(crate) fn report(&self, id: &str) -> Option<(String, Arc<Report>)> {
        let state = self.lock();
        state.reporters.iter().find_map(|(definition, reporter)| {
            let report = reporter
                .reports
                .list
                .iter()
                .find(|report| report.id == id)?;
            Some((definition.clone(), Arc::clone(report)))
        })
    }

    /// A client's trigger.
    pub(crate) fn trigger(&self, id: &str) -> Option<TriggerState> {
        let state = self.lock();
        let watcher = state.watchers.get(id)?;
        // The backend's definitions can't be made anew, and those of clients may be gone.
        let is_there = |id: &&String| state.reporters.contains_key(*id);
        let reports = watcher.trigger.reports.iter().filter(is_there);
        Some(TriggerState {
            trigger: Arc::clone(&watcher.trigger),
            reports: reports.cloned().collect(),
            is_cut: watcher.resolved.as_ref().is_some_and(|r| r.sources.is_cut),
        })
    }

    /// Adds a definition; the answer is its `Id`.
    pub(crate) async fn define(&self, body: &Map<String, Value>) -> Result<String, Failure> {
        let definition = Definition::read(body.clone())?;
        let _change = self.changes.lock().await;
        if self.lock().reporters.len() >= MAX_REPORT_DEFINITIONS {
            return Err(Failure::LimitReached);
        }
        let (id, mut batch) = self.new_id(body, Key::Report).await?;
        let key = Key::Report(id.clone());
        let resolved = self
            .verify(&key, &definition.templates, &definition.wildcards)
            .await?;
        batch.put(DEFINITIONS, id.clone(), &definition.body)?;
        let reporter = Reporter::new(&id, definition, Some(resolved));
        let name = id.clone();
        self.commit(batch, move |state, now_ms| {
            state.define(&name, reporter, now_ms);
        })
        .await?;
        Ok(id)
    }

    /// Changes a definition. Its reports stay, unless they are to be of another kind.
    pub(crate) async fn redefine(
        &self,
        id: &str,
        changes: &Map<String, Value>,
    ) -> Result<(), Failure> {
        let _change = self.changes.lock().await;
        let old = self.definition(id).ok_or(Failure::NotFound)?.definition;
        let definition = Definition::read(merge(&old.body, changes))?;
        let key = Key::Report(id.to_owned());
        let resolved = self
            .verify(&key, &definition.templates, &definition.wildcards)
            .await?;
        let mut batch = Batch::default();
        batch.put(DEFINITIONS, id, &definition.body)?;
        let keeps = old.updates == definition.updates && old.is_logged() == definition.is_logged();
        let id = id.to_owned();
        let mut reporter = Reporter::new(&id, definition, Some(resolved));
        self.commit(batch, move |state, now_ms| {
            if let Some(old) = state.reporters.remove(&id).filter(|_| keeps) {
                reporter.reports = old.reports;
            }
            state.define(&id, reporter, now_ms);
        })
        .await
    }

    /// Removes a definition and its reports.
    pub(crate) async fn undefine(&self, id: &str) -> Result<(), Failure> {
        let _change = self.changes.lock().await;
        let mut batch = Batch::default();
        batch.remove(DEFINITIONS, id);
        let id = id.to_owned();
        self.commit(batch, move |state, _| {
            state.reporters.remove(&id);
            state.schedule.remove(&Key::Report(id));
        })
        .await
    }

    /// Adds a trigger; the answer is its `Id`.
    pub(crate) async fn watch(&self, body: &Map<String, Value>) -> Result<String, Failure> {
        let trigger = Trigger::read(body.clone())?;
        let _change = self.changes.lock().await;
        if self.lock().watchers.len() >= MAX_TRIGGERS {
            return Err(Failure::LimitReached);
        }
        self.check_reports(&trigger)?;
        let (id, mut batch) = self.new_id(body, Key::Trigger).await?;
        let key = Key::Trigger(id.clone());
        let resolved = self
            .verify(&key, &trigger.templates, &trigger.wildcards)
            .await?;
        batch.put(TRIGGERS, id.clone(), &trigger.body)?;
        let (name, watcher) = (id.clone(), Watcher::new(trigger, Some(resolved)));
        self.commit(batch, move |state, now_ms| {
            state.watch(&name, watcher, now_ms);
        })
        .await?;
        Ok(id)
    }

    /// Changes a trigger. It looks at its values as if for the first time.
    pub(crate) async fn rewatch(
        &self,
        id: &str,
        changes: &Map<String, Value>,
    ) -> Result<(), Failure> {
        let _change = self.changes.lock().await;
        let old = self.trigger(id).ok_or(Failure::NotFound)?.trigger;
        let trigger = Trigger::read(merge(&old.body, changes))?;
        self.check_reports(&trigger)?;
        let key = Key::Trigger(id.to_owned());
        let resolved = self
            .verify(&key, &trigger.templates, &trigger.wildcards)
            .await?;
        let mut batch = Batch::default();
        batch.put(TRIGGERS, id, &trigger.body)?;
        let (id, watcher) = (id.to_owned(), Watcher::new(trigger, Some(resolved)));
        self.commit(batch, move |state, now_ms| {
            state.watch(&id, watcher, now_ms);
        })
        .await
    }

    /// Removes a trigger.
    pub(crate) async fn unwatch(&self, id: &str) -> Result<(), Failure> {
        let _change = self.changes.lock().await;
        let mut batch = Batch::default();
        batch.remove(TRIGGERS, id);
        let id = id.to_owned();
        self.commit(batch, move |state, _| {
            state.watchers.remove(&id);
            state.schedule.remove(&Key::Trigger(id));
        })
        .await
    }

    /// Forgets the values of all reports.
    pub(crate) fn clear_reports(&self) {
        for (id, reporter) in &mut self.lock().reporters {
            reporter.reports = Reports::begin(id, &reporter.definition);
            reporter.history = History::default();
            reporter.collected = None;
        }
    }

    /// Every definition of this trigger's links has to be a client's.
    fn check_reports(&self, trigger: &Trigger) -> Result<(), Failure> {
        let state = self.lock();
        let mut ids = trigger.reports.iter().enumerate();
        let Some((index, id)) = ids.find(|(_, id)| !state.reporters.contains_key(*id)) else {
            return Ok(());
        };
        let name = "MetricReportDefinitions";
        let message = message::property_value_error(name).about(format!("/Links/{name}/{index}"));
        let resolution = format!("There is no definition {id} that clients have made.");
        Err(Failure::Messages(vec![message.with_resolution(resolution)]))
    }

    /// An `Id` that nobody has: the client's choice, or a number.
    async fn new_id(
        &self,
        body: &Map<String, Value>,
        key: impl Fn(String) -> Key,
    ) -> Result<(String, Batch), Failure> {
        let mut batch = Batch::default();
        if let Some(id) = check::id(body)? {
            if self.is_taken(&key(id.clone())).await {
                return Err(Failure::AlreadyExists {
                    resource: match key(String::new()) {
                        Key::Report(_) => "MetricReportDefinition",
                        Key::Trigger(_) => "Triggers",
                    },
                    property: "Id",
                    value: id,
                });
            }
            return Ok((id, batch));
        }
        loop {
            let kept = {
                let mut state = self.lock();
                // Whether it is written or not, the number isn't used again.
                state.kept.next_id += 1;
                state.kept
            };
            let id = (kept.next_id - 1).to_string();
            if !self.is_taken(&key(id.clone())).await {
                batch.put(SETTINGS, SETTINGS_KEY, &kept)?;
                return Ok((id, batch));
            }
        }
    }

    async fn is_taken(&self, key: &Key) -> bool {
        let path = match key {
            Key::Report(id) if self.lock().reporters.contains_key(id) => return true,
            Key::Trigger(id) if self.lock().watchers.contains_key(id) => return true,
            Key::Report(id) => resource::definition_path(id),
            Key::Trigger(id) => resource::trigger_path(id),
        };
        match Path::parse(&path) {
            Ok(path) => self.backend.get(&path).await.is_ok(),
            Err(_) => true,
        }
    }

    /// The properties that a client asks for, if they are there and not too many.
    async fn verify(
        &self,
        key: &Key,
        templates: &[Template],
        wildcards: &[Wildcard],
    ) -> Result<Resolved, Failure> {
        // It may take as long as a collection, and shares the time for these.
        let _turn = self.turn().await;
        let found = resolve(
            &*self.backend,
            templates,
            wildcards,
            MAX_REPORT_VALUES,
            true,
        )
        .await;
        let refused = |place: &str, resolution: String| {
            let message = message::property_value_error("MetricProperties").about(place);
            Failure::Messages(vec![message.with_resolution(resolution)])
        };
        let sources = found
            .map_err(|missing| refused(&missing.place, format!("There is no {}.", missing.path)))?;
        if sources.is_cut {
            let resolution = format!(
                "These are more than {MAX_REPORT_VALUES} properties, or too many places to look for them: ask for fewer."
            );
            return Err(refused("/MetricProperties", resolution));
        }
        if self.lock().metrics_beside(key) + sources.count > MAX_METRICS {
            return Err(Failure::LimitReached);
        }
        Ok(Resolved {
            sources: Arc::new(sources),
            at_ms: self.now_ms(),
        })
    }

    /// Writes a change, then makes it.
    async fn commit(
        &self,
        batch: Batch,
        change: impl FnOnce(&mut State, u64) + Send + 'static,
    ) -> Result<(), Failure> {
        let (state, changed) = (Arc::clone(&self.state), Arc::clone(&self.changed));
        let now_ms = self.now_ms();
        let apply = move || {
            change(
                &mut state.lock().unwrap_or_else(PoisonError::into_inner),
                now_ms,
            );
            changed.notify_one();
        };
        Ok(self.store.commit(batch, apply).await?)
    }
}
