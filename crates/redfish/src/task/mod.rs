//! Tasks: work that goes on after its request was answered with 202 (DSP0266 "Asynchronous operations").
//!
//! A task begins as a [`Record`] in the store, so that its client finds it again after a restart. Whoever does the work
//! has a [`Handle`] to say how far it is. What has ended stays as history, bounded in number and age. What ran when the
//! process ended is an `Exception` afterwards: nobody knows how far it came, and the task says so.

mod deferred;
mod record;
mod run;
mod window;

pub(crate) use record::{Answer, Deferred, Note, Record, Request, State, now_ms};
pub(crate) use run::{ANSWER_WITHIN, Order};
pub(crate) use window::{Place, WINDOW, Window, has_window};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::audit::AuditLog;
use crate::caller::Caller;
use crate::error::Error;
use crate::message::task_event;
use crate::store::{Batch, Store, StoreError, Table};
use crate::{Event, EventSink, Failure, Message};

/// How long a client waits for the answer to a change or an action, in seconds. What takes longer goes on as a task.
pub const ANSWER_WITHIN_S: u64 = 3;
/// How many changes and actions are under way at once, whether somebody waits for them or not. One more is refused
/// with 503.
pub const MAX_CHANGES_AT_ONCE: usize = 4096;
/// How many tasks wait for the maintenance window or to be started. One more is refused with 503.
pub const MAX_DEFERRED: usize = 1024;
/// How many tasks that have ended are kept. The oldest make room.
pub const MAX_ENDED_TASKS: usize = 1000;
/// For how long a task that has ended is kept, in minutes, unless a client says otherwise.
pub const DEFAULT_AUTO_DELETE_MINUTES: u32 = 24 * 60;
/// The longest that a client may choose, in minutes: a month.
pub const MAX_AUTO_DELETE_MINUTES: u32 = 31 * 24 * 60;

/// Tasks by their number.
const TASKS: Table = Table("tasks");
const SETTINGS: Table = Table("settings");
const SETTINGS_KEY: &str = "TaskService";
/// Path of the collection of tasks.
pub(crate) const TASKS_PATH: &str = "/redfish/v1/TaskService/Tasks";
const MINUTE: Duration = Duration::from_secs(60);

/// What clients change of the service.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(crate) struct Settings {
    pub(crate) auto_delete_minutes: u32,
    pub(crate) window: Option<Window>,
}

/// All tasks. Clones share them.
#[derive(Clone)]
pub(crate) struct Tasks(Arc<Shared>);

struct Shared {
    store: Store,
    table: Mutex<Held>,
    /// Also wakes who waits for the window.
    settings: watch::Sender<Settings>,
    changes: Arc<Semaphore>,
    /// The service ends: what only waits, ends with it.
    closing: watch::Sender<bool>,
    events: Arc<dyn EventSink>,
    audit: Arc<AuditLog>,
}

struct Held {
    tasks: BTreeMap<u64, Entry>,
    next: u64,
}

struct Entry {
    record: Arc<Record>,
    /// For whoever does the work: whether it should stop. `None` where nothing can stop it.
    cancel: Option<watch::Sender<bool>>,
    /// Since when it has ended, on the clock of this process.
    ended: Option<Instant>,
    /// It waited, and either its work or somebody who calls it off came first.
    is_taken: bool,
}

/// A task, for whoever does its work.
pub(crate) struct Handle {
    tasks: Tasks,
    id: u64,
    /// The task as it began.
    whole: Arc<Record>,
    cancelled: watch::Receiver<bool>,
}

impl Tasks {
    /// Takes up the tasks of the process before.
    pub(crate) fn load(
        store: Store,
        events: Arc<dyn EventSink>,
        audit: Arc<AuditLog>,
    ) -> Result<Self, StoreError> {
        let mut settings = Settings {
            auto_delete_minutes: DEFAULT_AUTO_DELETE_MINUTES,
            window: None,
        };
        for (key, kept) in store.load::<serde_json::Value>(SETTINGS)? {
            if key == SETTINGS_KEY {
                settings =
                    serde_json::from_value(kept).map_err(|e| StoreError::Entry(e.to_string()))?;
            }
        }
        let mut held = Held {
            tasks: BTreeMap::new(),
            next: 1,
        };
        let mut batch = Batch::default();
        for (key, mut record) in store.load::<Record>(TASKS)? {
            let id = key
                .parse::<u64>()
                .map_err(|_| StoreError::Entry(format!("tasks/{key}")))?;
            // An image that waited for `StartUpdate` is gone.
            let is_lost = record.state == State::Pending && record.deferred.is_none();
            if is_lost || matches!(record.state, State::Running | State::Cancelling) {
                interrupted(&mut record, id);
                batch.put(TASKS, key, &record)?;
            }
            held.next = held.next.max(id.saturating_add(1));
            held.insert(id, Arc::new(record), None);
        }
        store.commit_at_start(&batch)?;
        Ok(Self(Arc::new(Shared {
            store,
            table: Mutex::new(held),
            settings: watch::Sender::new(settings),
            changes: Arc::new(Semaphore::new(MAX_CHANGES_AT_ONCE)),
            closing: watch::Sender::new(false),
            events,
            audit,
        })))
    }

    /// Ends work that waits or that no machine has begun yet, so that nothing holds the store and the machines any more. The
    /// tasks stay as they are written: the next process takes up what waits for its window, and tells of the rest that it
    /// was interrupted.
    pub(crate) fn close(&self) {
        self.0.closing.send_replace(true);
    }

    /// Completes when the service [ends](Self::close).
    pub(crate) async fn closing(&self) {
        let mut closing = self.0.closing.subscribe();
        // Its sender lives as long as we do.
        let _ = closing.wait_for(|closes| *closes).await;
    }

    pub(crate) fn settings(&self) -> Settings {
        *self.0.settings.borrow()
    }

    /// Tells when the settings change.
    pub(crate) fn settings_changes(&self) -> watch::Receiver<Settings> {
        self.0.settings.subscribe()
    }

    pub(crate) async fn set(&self, settings: Settings) -> Result<(), Failure> {
        let mut batch = Batch::default();
        batch.put(SETTINGS, SETTINGS_KEY, &settings)?;
        let shared = Arc::clone(&self.0);
        let apply = move || {
            shared.settings.send_replace(settings);
        };
        Ok(self.0.store.commit(batch, apply).await?)
    }

    /// Numbers of the tasks that are parts of `parent`, or of none, oldest first.
    pub(crate) fn list(&self, parent: Option<u64>) -> Vec<u64> {
        let held = self.held();
        let all = held.tasks.iter();
        all.filter(|(_, entry)| entry.record.parent == parent && !self.is_over(entry))
            .map(|(id, _)| *id)
            .collect()
    }

    /// How many tasks there are in each state, parts of others among them.
    pub(crate) fn count_by_state(&self) -> Vec<(&'static str, u64)> {
        let held = self.held();
        let states = || held.tasks.values().filter(|entry| !self.is_over(entry));
        let count = |state| states().filter(|entry| entry.record.state == state).count() as u64;
        let all = State::ALL.into_iter();
        all.map(|state| (state.name(), count(state))).collect()
    }

    /// The task with this `Id`.
    pub(crate) fn get(&self, id: &str) -> Option<(u64, Arc<Record>)> {
        let number = id.parse().ok().filter(|n: &u64| n.to_string() == id)?;
        let held = self.held();
        let entry = held.tasks.get(&number)?;
        (!self.is_over(entry)).then(|| (number, Arc::clone(&entry.record)))
    }

    /// Whether the task is the caller's.
    pub(crate) fn is_of(&self, id: &str, caller: &Caller) -> bool {
        self.get(id)
            .is_some_and(|(_, record)| record.owner.is(caller))
    }

    /// Begins a task. Its work may run already, so this can't fail: what can't be written is kept in memory, and a
    /// restart forgets it.
    pub(crate) async fn begin(&self, record: Record, can_stop: bool) -> Handle {
        let (cancel, cancelled) = watch::channel(false);
        let cancel = can_stop.then_some(cancel);
        let (id, gone) = {
            let mut held = self.held();
            let id = held.next;
            held.next += 1;
            (id, self.gone(&held))
        };
        let whole = Arc::new(record);
        let record = Arc::clone(&whole);
        let mut batch = Batch::default();
        for old in &gone {
            batch.remove(TASKS, old.to_string());
        }
        let written = batch.put(TASKS, id.to_string(), &*record);
        let event =
            (record.state == State::Running).then(|| task_event::task_started(id.to_string()));
        let insert = {
            let shared = Arc::clone(&self.0);
            move || {
                let mut held = shared.held();
                for old in gone {
                    held.tasks.remove(&old);
                }
                held.insert(id, record, cancel);
            }
        };
        self.write(written, batch, insert).await;
        if let Some(event) = event {
            self.publish(id, event);
        }
        Handle {
            tasks: self.clone(),
            id,
            whole,
            cancelled,
        }
    }

    /// Commits, and applies also what the disk doesn't take: the facts are so, whether they are written or not.
    async fn write(
        &self,
        written: Result<(), StoreError>,
        batch: Batch,
        apply: impl FnOnce() + Send + 'static,
    ) {
        let apply = Arc::new(Mutex::new(Some(apply)));
        let at_commit = Arc::clone(&apply);
        let committed = match written {
            Ok(()) => self.0.store.commit(batch, move || once(&at_commit)).await,
            Err(error) => Err(error),
        };
        if let Err(error) = committed {
            tracing::error!(%error, "a task is not written: a restart will forget it");
            once(&apply);
        }
    }

    /// Ends a task, unless it has ended.
    async fn end(&self, id: u64, change: impl FnOnce(&mut Record)) {
        let Some(mut record) = self.record(id).filter(|record| !record.state.is_final()) else {
            return;
        };
        {
            let record = Arc::make_mut(&mut record);
            change(record);
            record.ended_ms = Some(now_ms());
            record.deferred = None;
        }
        let event = match record.state {
            State::Completed if record.status() == redfish_schema::resource::Health::OK => {
                task_event::task_completed_ok(id.to_string())
            }
            State::Completed => task_event::task_completed_warning(id.to_string()),
            State::Cancelled => task_event::task_cancelled(id.to_string()),
            _ => task_event::task_aborted(id.to_string()),
        };
        let mut batch = Batch::default();
        let written = batch.put(TASKS, id.to_string(), &*record);
        let (shared, now) = (Arc::clone(&self.0), Instant::now());
        let apply = move || {
            if let Some(entry) = shared.held().tasks.get_mut(&id) {
                entry.record = record;
                entry.cancel = None;
                entry.ended = Some(now);
            }
        };
        self.write(written, batch, apply).await;
        self.publish(id, event);
    }

    /// Calls off what can be called off.
    ///
    /// # Errors
    /// [`Failure::InUse`] of work that can't be stopped half-way.
    pub(crate) async fn cancel(&self, id: u64) -> Result<(), Failure> {
        let (state, stops) = {
            let mut held = self.held();
            let entry = held.tasks.get_mut(&id).ok_or(Failure::NotFound)?;
            let state = entry.record.state;
            let waits = state == State::Pending && !std::mem::replace(&mut entry.is_taken, true);
            let stops = entry
                .cancel
                .as_ref()
                .map(|cancel| cancel.send_replace(true));
            (state, waits || stops.is_some())
        };
        match state {
            State::Pending if stops => {
                self.end(id, |record| record.state = State::Cancelled).await;
                Ok(())
            }
            state if state.is_final() => Ok(()),
            _ if stops => {
                self.update(id, |record| record.state = State::Cancelling);
                Ok(())
            }
            _ => Err(Failure::InUse {
                reason:
                    "This work is with the machine and can't be stopped half-way. Wait for its end."
                        .to_owned(),
            }),
        }
    }

    /// Forgets a task that has ended, and its parts.
    pub(crate) async fn remove(&self, ids: Vec<u64>) -> Result<(), Failure> {
        let mut all = ids;
        let parts: Vec<u64> = all.iter().flat_map(|id| self.list(Some(*id))).collect();
        all.extend(parts);
        let mut batch = Batch::default();
        for id in &all {
            batch.remove(TASKS, id.to_string());
        }
        let shared = Arc::clone(&self.0);
        let removed = all.clone();
        let apply = move || {
            let mut held = shared.held();
            for id in removed {
                held.tasks.remove(&id);
            }
        };
        self.0.store.commit(batch, apply).await?;
        for id in all {
            self.publish(id, task_event::task_removed(id.to_string()));
        }
        Ok(())
    }

    /// Changes a record in memory only: what a restart needn't know.
    fn update(&self, id: u64, change: impl FnOnce(&mut Record)) {
        if let Some(entry) = self.held().tasks.get_mut(&id)
            && !entry.record.state.is_final()
        {
            change(Arc::make_mut(&mut entry.record));
        }
    }

    fn record(&self, id: u64) -> Option<Arc<Record>> {
        let held = self.held();
        held.tasks.get(&id).map(|entry| Arc::clone(&entry.record))
    }

    /// What has to go before another task comes: too old, or too many.
    fn gone(&self, held: &Held) -> Vec<u64> {
        let ended = held.tasks.iter().filter(|(_, entry)| entry.ended.is_some());
        let count = ended.clone().count();
        let too_many = count.saturating_sub(MAX_ENDED_TASKS - 1);
        let ended = ended.enumerate();
        ended
            .filter(|(place, (_, entry))| *place < too_many || self.is_over(entry))
            .map(|(_, (id, _))| *id)
            .collect()
    }

    fn is_over(&self, entry: &Entry) -> bool {
        let keep = MINUTE * self.settings().auto_delete_minutes;
        entry.ended.is_some_and(|ended| ended.elapsed() > keep)
    }

    fn publish(&self, id: u64, message: Message) {
        self.0.events.publish(Event {
            message,
            origin: Some(format!("{TASKS_PATH}/{id}")),
            resource_type: Some("Task"),
        });
    }

    pub(crate) fn audit(&self) -> &AuditLog {
        &self.0.audit
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held()
    }
}

/// Runs what is there, if it hasn't run yet.
fn once<F: FnOnce()>(apply: &Mutex<Option<F>>) {
    let apply = apply.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(apply) = apply {
        apply();
    }
}

impl Shared {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn insert(&mut self, id: u64, record: Arc<Record>, cancel: Option<watch::Sender<bool>>) {
        let ended = record.ended_ms.map(|ended_ms| {
            let age = u64::try_from(now_ms().saturating_sub(ended_ms)).unwrap_or(0);
            let now = Instant::now();
            now.checked_sub(Duration::from_millis(age)).unwrap_or(now)
        });
        let entry = Entry {
            record,
            cancel,
            ended,
            is_taken: false,
        };
        self.tasks.insert(id, entry);
    }
}

/// The service ended before the task: whether its work was done, nobody knows.
fn interrupted(record: &mut Record, id: u64) {
    let failure = if record.state == State::Pending {
        Failure::NotStored {
            reason: "the image that waited is not kept over a restart of the service".to_owned(),
        }
    } else {
        Failure::Unconfirmed {
            reason: "the service was stopped while the work was under way".to_owned(),
        }
    };
    let error = Error::Backend(failure, record.request.target.clone());
    let answer = Answer::of(error.into_response());
    for note in answer.notes() {
        record.note(note);
    }
    record.note(Note::from(&task_event::task_aborted(id.to_string())));
    record.answer = Some(answer);
    record.state = State::Exception;
    record.ended_ms = Some(now_ms());
}

impl Handle {
    /// The task's number.
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    /// Begins a part of the work that is worth telling of by itself.
    pub(crate) async fn part(&self, name: String) -> Self {
        let record = self.whole.part(self.id, name);
        self.tasks.begin(record, false).await
    }

    /// Completes when the service ends, which ends work that is not with a machine yet.
    pub(crate) async fn closing(&self) {
        self.tasks.closing().await;
    }

    /// Whether somebody has called the task off.
    pub(crate) fn is_cancelled(&self) -> bool {
        *self.cancelled.borrow()
    }

    /// Says that nothing can stop the work from here on. `false` if somebody has called it off already.
    pub(crate) fn keep(&self) -> bool {
        let mut held = self.tasks.held();
        let is_kept = !self.is_cancelled();
        if is_kept && let Some(entry) = held.tasks.get_mut(&self.id) {
            entry.cancel = None;
        }
        is_kept
    }

    /// Says how far the work is, in percent.
    pub(crate) fn progress(&self, percent: u8) {
        let mut is_new = false;
        self.tasks.update(self.id, |record| {
            is_new = record.percent != Some(percent);
            record.percent = Some(percent);
        });
        if is_new {
            let (id, percent) = (self.id.to_string(), percent.to_string());
            let message = task_event::task_progress_changed(id, percent);
            self.tasks.publish(self.id, message);
        }
    }

    /// Adds a message to what the task tells.
    pub(crate) fn note(&self, note: Note) {
        self.tasks.update(self.id, |record| record.note(note));
    }

    /// Says that the work begins that has waited. `false` if somebody has called it off.
    pub(crate) async fn resume(&self) -> bool {
        let record = {
            let mut held = self.tasks.held();
            let entry = held.tasks.get_mut(&self.id);
            entry.and_then(|entry| {
                let waits = !std::mem::replace(&mut entry.is_taken, true);
                // From here on it is with the machine.
                entry.cancel = None;
                waits.then(|| Arc::clone(&entry.record))
            })
        };
        let Some(mut record) = record else {
            return false;
        };
        Arc::make_mut(&mut record).state = State::Running;
        let mut batch = Batch::default();
        let written = batch.put(TASKS, self.id.to_string(), &*record);
        let (shared, id) = (Arc::clone(&self.tasks.0), self.id);
        let apply = move || {
            if let Some(entry) = shared.held().tasks.get_mut(&id) {
                entry.record = record;
            }
        };
        self.tasks.write(written, batch, apply).await;
        let started = task_event::task_started(self.id.to_string());
        self.tasks.publish(self.id, started);
        true
    }

    /// What the task is doing; `None` once it is forgotten.
    pub(crate) fn state(&self) -> Option<State> {
        self.tasks.record(self.id).map(|record| record.state)
    }

    /// Says that a task which waits will not begin: the caller ends it. `false` if somebody has called it off or
    /// begun it already.
    pub(crate) fn take(&self) -> bool {
        let mut held = self.tasks.held();
        let entry = held.tasks.get_mut(&self.id);
        entry.is_some_and(|entry| !std::mem::replace(&mut entry.is_taken, true))
    }

    /// Waits until somebody calls the task off; for ever, if nobody does.
    pub(crate) async fn cancelled(&self) {
        let mut cancelled = self.cancelled.clone();
        if cancelled.wait_for(|is| *is).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Ends the task with what the client would have been answered.
    pub(crate) async fn finish(&self, answer: Answer) {
        let tasks = self.tasks.clone();
        tasks
            .end(self.id, |record| {
                for note in answer.notes() {
                    record.note(note);
                }
                record.state = if answer.is_success() {
                    record.percent = Some(100);
                    State::Completed
                } else {
                    State::Exception
                };
                record.answer = Some(answer);
            })
            .await;
    }

    /// Ends the task that somebody has called off.
    pub(crate) async fn stopped(&self) {
        let tasks = self.tasks.clone();
        tasks
            .end(self.id, |record| record.state = State::Cancelled)
            .await;
    }
}
