//! Settings resources: what resources of the backend shall be like later (DSP0266 "Settings resource").
//!
//! ```text
//!   PATCH …/Settings ─► part.rs: checked as a PATCH of the resource ─► table: kept in the store
//!   reset through us ─► backend.rs ─┐
//!   reset by others  ─► events      ├─► apply.rs: Backend::patch, once ─► outcome in @Redfish.Settings
//!   window opens     ─► work        ┘
//! ```
//!
//! A backend says which of its resources are [settable later](Document::settable_later), and with
//! [`check`](Backend::check) what it would take; all the rest is done here.
//!
//! Settings are applied at most once. Each attempt is written down before it begins: after a crash in the middle of one,
//! nobody knows how far it came, and the outcome says so. Only a machine that can't be reached at all is asked again.

mod apply;
mod backend;
mod part;
mod record;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use crate::audit::AuditLog;
use crate::message::resource_event;
use crate::path_lock::PathLocks;
use crate::store::{Batch, Store, StoreError, Table};
use crate::task::{Tasks, now_ms};
use crate::{Backend, Document, Event, EventSink, Failure, Message, Path};

pub(crate) use record::is_one;

use backend::WithSettings;
use record::{Outcome, Pending, Record, Stage};

/// How many resources have settings to come, or an outcome that is kept. The oldest outcomes make room.
pub const MAX_SETTINGS: usize = 65_536;
/// How long the settings to come of one resource may be, in bytes of JSON.
pub const MAX_SETTINGS_BYTES: usize = 2048;
/// How many settings are applied at once. Others wait their turn.
pub const MAX_APPLICATIONS_AT_ONCE: usize = 256;
/// How often a machine that can't be reached is asked to take its settings, once their time has come.
pub const MAX_APPLY_ATTEMPTS: u32 = 10;

/// The annotation of a resource that has a settings resource.
pub(crate) const SETTINGS: &str = "@Redfish.Settings";
/// The annotation of a settings resource: when it is applied.
pub(crate) const APPLY_TIME: &str = "@Redfish.SettingsApplyTime";

/// Settings by the path of the resource that they are for.
const TABLE: Table = Table("future-settings");

/// The settings of all resources. Clones share them.
#[derive(Clone)]
pub(crate) struct FutureSettings(Arc<Shared>);

struct Shared {
    store: Store,
    backend: Arc<dyn Backend>,
    tasks: Tasks,
    audit: Arc<AuditLog>,
    events: Arc<dyn EventSink>,
    locks: PathLocks,
    table: Mutex<BTreeMap<String, Entry>>,
    /// Something may be due.
    changed: Notify,
    turns: Semaphore,
}

/// The settings of one resource, and what a restart needn't know of them.
struct Entry {
    record: Arc<Record>,
    /// Their window. `None` of one that lies beyond the clock, or if there is none.
    opens: Option<Instant>,
    ends: Option<Instant>,
    /// When a machine that couldn't be reached is asked again.
    again: Option<Instant>,
    /// The machine was reset.
    is_reset: bool,
    /// Somebody is about to apply them.
    is_taken: bool,
}

/// `@Redfish.Settings` of the resource at `path` whose settings were never applied.
pub(crate) fn annotation(path: &str) -> Value {
    record::annotation(path, None)
}

impl FutureSettings {
    /// Takes up the settings of the process before, of resources of `backend`.
    pub(crate) fn load(
        store: &Store,
        backend: Arc<dyn Backend>,
        tasks: &Tasks,
        audit: &Arc<AuditLog>,
        events: &Arc<dyn EventSink>,
    ) -> Result<Self, StoreError> {
        let settings = Self(Arc::new(Shared {
            store: store.clone(),
            backend,
            tasks: tasks.clone(),
            audit: Arc::clone(audit),
            events: Arc::clone(events),
            locks: PathLocks::default(),
            table: Mutex::default(),
            changed: Notify::new(),
            turns: Semaphore::new(MAX_APPLICATIONS_AT_ONCE),
        }));
        let mut batch = Batch::default();
        for (path, mut record) in settings.0.store.load::<Record>(TABLE)? {
            if record.pending.as_ref().is_some_and(Pending::is_applying) {
                let failure = Failure::Unconfirmed {
                    reason: "the service was stopped while the settings were being applied"
                        .to_owned(),
                };
                record.pending = None;
                record.outcome = Some(Outcome {
                    time_ms: now_ms(),
                    etag: None,
                    messages: record::notes(&crate::error::messages_of(failure, &path)),
                });
                batch.put(TABLE, path.as_str(), &record)?;
            }
            let entry = settings.entry(record);
            settings.put_into_memory(path, entry);
        }
        settings.0.store.commit_at_start(&batch)?;
        Ok(settings)
    }

    /// The backend with its settings, which tells `sink` of its events.
    pub(crate) fn backend(&self, sink: Arc<dyn EventSink>) -> Arc<dyn Backend> {
        let backend = Arc::new(WithSettings(self.clone()));
        backend.watch(sink);
        backend
    }

    /// Who changes a resource takes its lock here: settings are applied between changes.
    pub(crate) fn locks(&self) -> PathLocks {
        self.0.locks.clone()
    }

    /// The resource at `path` with what became of its last settings.
    fn annotated(&self, path: &Path, document: Document) -> Document {
        if !document.is_settable_later() {
            return document;
        }
        let Some(record) = self.record(path.as_str()) else {
            return document;
        };
        let Some(outcome) = &record.outcome else {
            return document;
        };
        let annotation = record::annotation(path.as_str(), Some(outcome));
        document.with_settings(&annotation, outcome.etag.as_deref())
    }

    fn record(&self, path: &str) -> Option<Arc<Record>> {
        self.held().get(path).map(|entry| Arc::clone(&entry.record))
    }

    /// Writes the settings of a resource, then puts them into memory.
    async fn put(&self, path: &str, record: Record) -> Result<(), Failure> {
        self.put_and(path, record, || ()).await
    }

    /// The same, and then does `next`, also if nobody waits any more.
    async fn put_and(
        &self,
        path: &str,
        record: Record,
        next: impl FnOnce() + Send + 'static,
    ) -> Result<(), Failure> {
        let mut batch = Batch::default();
        let is_new = self.record(path).is_none();
        if is_new && self.held().len() >= MAX_SETTINGS {
            let oldest = self.oldest_outcome().ok_or(Failure::LimitReached)?;
            batch.remove(TABLE, oldest.as_str());
            self.held().remove(&oldest);
        }
        if record.pending.is_none() && record.outcome.is_none() {
            batch.remove(TABLE, path);
        } else {
            batch.put(TABLE, path, &record)?;
        }
        let (settings, path, entry) = (self.clone(), path.to_owned(), self.entry(record));
        let apply = move || {
            settings.put_into_memory(path, entry);
            next();
        };
        Ok(self.0.store.commit(batch, apply).await?)
    }

    fn put_into_memory(&self, path: String, entry: Entry) {
        let record = &entry.record;
        if record.pending.is_none() && record.outcome.is_none() {
            self.held().remove(&path);
        } else {
            self.held().insert(path, entry);
            self.0.changed.notify_one();
        }
    }

    /// What memory holds of a record.
    fn entry(&self, record: Record) -> Entry {
        let mut entry = Entry {
            record: Arc::new(record),
            opens: None,
            ends: None,
            again: None,
            is_reset: false,
            is_taken: false,
        };
        self.set_times(&mut entry);
        entry
    }

    /// Works out the window of settings, from their own or that of the task service.
    fn set_times(&self, entry: &mut Entry) {
        let Some(pending) = &entry.record.pending else {
            return;
        };
        let now = Instant::now();
        if let Stage::Due { attempts: 1.. } = pending.stage {
            entry.again = now.checked_add(apply::AGAIN);
        }
        let window = pending.window.or_else(|| self.0.tasks.settings().window);
        let window = window.filter(|_| pending.when.has_window());
        let left = window.map(|window| window.left(now_ms()));
        entry.opens = left.and_then(|(opens, _)| now.checked_add(opens));
        entry.ends = left.and_then(|(_, ends)| now.checked_add(ends));
    }

    /// The resource whose outcome is the oldest of those with nothing to come.
    fn oldest_outcome(&self) -> Option<String> {
        let held = self.held();
        let ended = held
            .iter()
            .filter(|(_, entry)| entry.record.pending.is_none());
        let oldest = ended.min_by_key(|(_, entry)| {
            let outcome = entry.record.outcome.as_ref();
            outcome.map(|outcome| outcome.time_ms)
        });
        oldest.map(|(path, _)| path.clone())
    }

    /// Tells of a change of a resource or of its settings.
    fn tell(&self, path: &Path, message: Message, kind: &'static str) {
        self.0.events.publish(Event {
            message,
            origin: Some(path.to_string()),
            resource_type: Some(kind),
        });
    }

    fn tell_changed(&self, path: &Path, kind: &'static str) {
        self.tell(path, resource_event::resource_changed(), kind);
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
