//! When settings are due, and how they are applied.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::record::{self, ApplyTime, Outcome, Pending, Record, Stage};
use super::{Entry, FutureSettings, MAX_APPLY_ATTEMPTS, TABLE, part};
use crate::audit::{Deed, Entry as AuditEntry};
use crate::error::messages_of;
use crate::message::Message;
use crate::patch::{Change, Maker};
use crate::store::Batch;
use crate::task::now_ms;
use crate::{Failure, Path};

/// When a machine that couldn't be reached is asked again.
pub(super) const AGAIN: Duration = Duration::from_secs(60);

/// What has come for settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// Their time.
    Now,
    /// A reset of their machine, which is not sent yet.
    BeforeReset,
    /// The end of their window.
    Missed,
}

impl Entry {
    /// What has come for these settings. `None` if nothing has.
    fn due(&self, now: Instant) -> Option<Due> {
        let pending = self.record.waiting()?;
        if self.is_taken || pending.is_applying() {
            return None;
        }
        if self.again.is_some_and(|again| now < again) {
            return None;
        }
        if pending.when.has_window() && self.ends.is_some_and(|ends| ends <= now) {
            return Some(Due::Missed);
        }
        let is_open = self.opens.is_some_and(|opens| opens <= now);
        let is_due = match pending.when {
            _ if pending.stage != Stage::Waiting => true,
            ApplyTime::Immediate => true,
            ApplyTime::OnReset => self.is_reset,
            ApplyTime::AtMaintenanceWindowStart => is_open,
            ApplyTime::InMaintenanceWindowOnReset => is_open && self.is_reset,
        };
        is_due.then_some(Due::Now)
    }

    /// When something comes by itself, at the earliest.
    ///
    /// `now` is the one for which [`due`](Self::due) was asked: what comes between the two is missed by neither.
    fn next(&self, now: Instant) -> Option<Instant> {
        self.record.waiting()?;
        let all = [self.again, self.opens, self.ends];
        all.into_iter().flatten().filter(|at| *at > now).min()
    }

    /// Whether a reset is what these settings wait for, now.
    fn awaits_reset(&self, now: Instant) -> bool {
        let is_open = || {
            self.opens.is_some_and(|opens| opens <= now) && self.ends.is_some_and(|ends| now < ends)
        };
        self.record.waiting().is_some_and(|pending| {
            pending.stage == Stage::Waiting
                && match pending.when {
                    ApplyTime::OnReset => true,
                    ApplyTime::InMaintenanceWindowOnReset => is_open(),
                    ApplyTime::Immediate | ApplyTime::AtMaintenanceWindowStart => false,
                }
        })
    }
}

/// Whether the resource at `path` is `top` or below it.
fn is_below(path: &str, top: &str) -> bool {
    let rest = path.strip_prefix(top);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Settings of the resource at `path` that came to nothing.
fn given_up(path: &str, cause: &Failure) -> Deed {
    Deed::Failed {
        method: "PATCH".to_owned(),
        path: format!("{path}/Settings"),
        cause: cause.to_string(),
    }
}

/// What became of settings, as a deed of whoever asked for them. Nobody's client is there any more.
fn of_owner(pending: &Pending, deed: Deed) -> AuditEntry {
    AuditEntry {
        user: Some(pending.owner.name().to_owned()),
        client: None,
        deed,
    }
}

/// Whether nothing was done, since nobody was there to do it.
const fn is_lost(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Unreachable { .. } | Failure::Unavailable { .. } | Failure::Busy { .. }
    )
}

impl FutureSettings {
    /// Applies settings when their time comes, for as long as this is polled.
    pub(crate) async fn work(&self) {
        let mut windows = self.0.tasks.settings_changes();
        loop {
            let next = self.begin_due();
            let timer = async {
                match next {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.0.changed.notified() => {}
                () = timer => {}
                Ok(()) = windows.changed() => {
                    for entry in self.held().values_mut() {
                        self.set_times(entry);
                    }
                }
            }
        }
    }

    /// Begins to apply what is due. When to look again is the answer.
    fn begin_due(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut held = self.held();
        for (path, entry) in held.iter_mut() {
            let (Some(due), Ok(path)) = (entry.due(now), Path::parse(path)) else {
                continue;
            };
            entry.is_taken = true;
            let settings = self.clone();
            tokio::spawn(async move { settings.apply(&path, due).await });
        }
        held.values().filter_map(|entry| entry.next(now)).min()
    }

    /// Whether a reset of the resource at `top` would apply something.
    pub(super) fn has_below(&self, top: &Path) -> bool {
        let now = Instant::now();
        let held = self.held();
        let below = held.range(top.to_string()..);
        let mut below = below.take_while(|(path, _)| path.starts_with(top.as_str()));
        below.any(|(path, entry)| is_below(path, top.as_str()) && entry.awaits_reset(now))
    }

    /// The resource at `top` was reset: what waited for that is due.
    pub(super) fn was_reset(&self, top: &str) {
        let now = Instant::now();
        let mut is_due = false;
        let mut held = self.held();
        let below = held.range_mut(top.to_owned()..);
        for (path, entry) in below.take_while(|(path, _)| path.starts_with(top)) {
            if is_below(path, top) && entry.awaits_reset(now) {
                entry.is_reset = true;
                is_due = true;
            }
        }
        drop(held);
        if is_due {
            self.0.changed.notify_one();
        }
    }

    /// The resource at `top` is gone: another of its name shall not get its settings. Whose settings are dropped so finds
    /// that in the audit log.
    pub(super) fn forget(&self, top: &str) {
        let gone: Vec<(String, Option<Entry>)> = {
            let mut held = self.held();
            let below = held.range(top.to_owned()..).map(|(path, _)| path);
            let below = below.take_while(|path| path.starts_with(top));
            let gone = below.filter(|path| is_below(path, top)).cloned();
            let gone: Vec<String> = gone.collect();
            let remove = |path: String| {
                let entry = held.remove(&path);
                (path, entry)
            };
            gone.into_iter().map(remove).collect()
        };
        // Most of what goes has no settings: the queue of the store is for others then.
        if gone.is_empty() {
            return;
        }
        let mut batch = Batch::default();
        for (path, entry) in &gone {
            batch.remove(TABLE, path.as_str());
            let record = entry.as_ref().map(|entry| &entry.record);
            // What is with the machine just now has an end, and a line, of its own.
            let pending = record.and_then(|record| record.waiting());
            if let Some(pending) = pending.filter(|pending| !pending.is_applying()) {
                let cause = Failure::WrongState {
                    reason: "the machine is gone, or another one has its name: its pending settings were dropped"
                        .to_owned(),
                };
                self.0
                    .audit
                    .record(&of_owner(pending, given_up(path, &cause)));
            }
        }
        if let Err(error) = self.0.store.write_behind(batch) {
            tracing::error!(%error, path = top, "settings of what is gone are not forgotten");
        }
    }

    /// Applies what waits for a reset of the resource at `top`, which is about to be sent.
    pub(super) async fn apply_before_reset(&self, top: &Path) {
        let now = Instant::now();
        let due: Vec<String> = {
            let mut held = self.held();
            let below = held.range_mut(top.to_string()..);
            let below = below.take_while(|(path, _)| path.starts_with(top.as_str()));
            below
                .filter(|(path, entry)| {
                    is_below(path, top.as_str()) && entry.awaits_reset(now) && !entry.is_taken
                })
                .map(|(path, entry)| {
                    entry.is_taken = true;
                    path.clone()
                })
                .collect()
        };
        for path in due {
            if let Ok(path) = Path::parse(&path) {
                self.apply(&path, Due::BeforeReset).await;
            }
        }
    }

    /// Applies the settings of a resource that its entry has as taken.
    ///
    /// Those that wait for their turn are written down as waiting: a crash leaves them to the process after.
    async fn apply(&self, path: &Path, due: Due) {
        let Ok(_turn) = self.0.turns.acquire().await else {
            return;
        };
        let Some(pending) = self.begin(path).await else {
            return;
        };
        let applied = match due {
            Due::Missed => {
                let failure = Failure::WrongState {
                    reason: "the maintenance window was over before the settings could be applied"
                        .to_owned(),
                };
                self.finish(path, &pending, Err(failure)).await;
                return;
            }
            Due::Now | Due::BeforeReset => self.try_to(path, &pending).await,
        };
        let attempts = pending.attempts() + 1;
        let stage = match &applied {
            Err(failure) if is_lost(failure) && due == Due::BeforeReset => Stage::Waiting,
            Err(failure) if is_lost(failure) && attempts < MAX_APPLY_ATTEMPTS => {
                Stage::Due { attempts }
            }
            _ => return self.finish(path, &pending, applied).await,
        };
        let outcome = self.record(path.as_str()).and_then(|r| r.outcome.clone());
        let pending = Some(Pending { stage, ..pending });
        self.put_anyway(path, Record { pending, outcome }).await;
    }

    /// Applies settings that the table has as being applied.
    pub(super) async fn apply_taken(&self, path: &Path, pending: Pending) -> Result<(), Failure> {
        let Ok(_turn) = self.0.turns.acquire().await else {
            return Err(Failure::Internal("no turn for settings".to_owned()));
        };
        let applied = self.try_to(path, &pending).await;
        let told = applied.as_ref().map(|_| ()).map_err(Failure::clone);
        self.finish(path, &pending, applied).await;
        told
    }

    /// Writes down that settings are being applied. `None` if they are gone, or that can't be written: nothing is done
    /// then.
    async fn begin(&self, path: &Path) -> Option<Pending> {
        let settings = path.join("Settings").ok()?;
        let _lock = self.0.locks.lock(&settings).await;
        let mut record = Record::clone(&*self.record(path.as_str())?);
        let pending = record.pending.as_mut().filter(|p| !p.is_applying())?;
        let attempts = pending.attempts();
        pending.stage = Stage::Applying { attempts };
        let taken = pending.clone();
        match self.put(path.as_str(), record).await {
            Ok(()) => Some(taken),
            Err(failure) => {
                tracing::error!(%path, %failure, "settings are not applied: that can't be written");
                if let Some(entry) = self.held().get_mut(path.as_str()) {
                    entry.is_taken = false;
                    entry.again = Instant::now().checked_add(AGAIN);
                }
                None
            }
        }
    }

    /// Asks the backend.
    async fn try_to(&self, path: &Path, pending: &Pending) -> Result<Change, Failure> {
        let _lock = self.0.locks.lock(path).await;
        let kind = self.0.backend.get(path).await?.resource();
        let patch = part::checked(kind, &pending.changes)?;
        let body = Value::Object(pending.changes.clone());
        let change = Change::new(patch, body, path.clone());
        let made = change.make(Maker::Backend(&*self.0.backend)).await;
        made.map_err(part::failure)
    }

    /// Keeps what became of settings, and tells of it.
    async fn finish(&self, path: &Path, pending: &Pending, applied: Result<Change, Failure>) {
        let (deed, messages) = match &applied {
            Ok(change) => {
                let deed = match change.deed() {
                    Deed::Changed { path, properties } => Deed::Applied { path, properties },
                    other => other,
                };
                (deed, record::success(change.told()))
            }
            Err(failure) => {
                let messages = messages_of(failure.clone(), path.as_str());
                (given_up(path.as_str(), failure), messages)
            }
        };
        self.0.audit.record(&of_owner(pending, deed));
        let mut outcome = Outcome {
            time_ms: now_ms(),
            etag: None,
            messages: record::notes(&messages),
        };
        let document = self.0.backend.get(path).await.ok();
        if let Some(document) = document.as_ref().filter(|_| applied.is_ok()) {
            let annotation = record::annotation(path.as_str(), Some(&outcome));
            let document = document.clone().with_settings(&annotation, None);
            outcome.etag = document.tag().header().to_str().map(str::to_owned).ok();
        }
        let record = Record {
            pending: None,
            outcome: Some(outcome),
        };
        self.put_anyway(path, record).await;
        let kind = document.map_or("Resource", |document| document.resource().name);
        self.tell_outcome(path, kind, applied.is_err().then_some(messages));
    }

    /// A change of both resources, and what went wrong.
    fn tell_outcome(&self, path: &Path, kind: &'static str, wrong: Option<Vec<Message>>) {
        for message in wrong.into_iter().flatten() {
            self.tell(path, message, kind);
        }
        self.tell_changed(path, kind);
        if let Ok(settings) = path.join("Settings") {
            self.tell_changed(&settings, kind);
        }
    }

    /// Keeps a fact also if it can't be written: a restart then finds settings that were being applied, and says so. Of a
    /// resource that was [forgotten](Self::forget) meanwhile there is nothing to keep.
    async fn put_anyway(&self, path: &Path, record: Record) {
        if self.record(path.as_str()).is_none() {
            return;
        }
        if let Err(failure) = self.put(path.as_str(), record.clone()).await {
            tracing::error!(%path, %failure, "the outcome of settings is not written");
            let entry = self.entry(record);
            self.put_into_memory(path.to_string(), entry);
        }
    }
}
