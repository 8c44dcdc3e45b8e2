//! `…/Settings`: the resource that shows and takes what another shall be like later.

use redfish_schema::{CheckedPatch, check_patch};
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::record::{self, ApplyTime, Pending, Record, Stage};
use super::{APPLY_TIME, FutureSettings, MAX_SETTINGS_BYTES};
use crate::caller::{Caller, Owner};
use crate::error::Error;
use crate::fault::patch_messages;
use crate::message;
use crate::part::Part;
use crate::patch::refuse_words;
use crate::task::{ANSWER_WITHIN, Place, now_ms};
use crate::{Backend, BackendFuture, Document, Failure, Outcome, Path};

/// When to come back to settings that are just being applied, in seconds.
const RETRY_AFTER_S: u32 = 5;

/// `rest` is the whole path here.
impl Part for FutureSettings {
    fn get(&self, _rest: &[&str]) -> Result<Document, Failure> {
        Err(Failure::NotFound)
    }

    fn get_with<'a>(
        &'a self,
        _rest: &'a [&'a str],
        path: &'a Path,
        backend: &'a dyn Backend,
    ) -> Option<BackendFuture<'a, Document>> {
        Some(Box::pin(async move {
            let live = path.parent().ok_or(Failure::NotFound)?;
            let document = backend.get(&live).await?;
            let record = self.record(live.as_str());
            let pending = record.as_ref().and_then(|record| record.pending.as_ref());
            settings_document(path, &document, pending)
        }))
    }

    fn patch<'a>(
        &'a self,
        rest: &'a [&'a str],
        patch: &'a CheckedPatch,
        caller: &'a Caller,
    ) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            let (settings, live) = paths(rest)?;
            let document = self.0.backend.get(&live).await?;
            let kind = document.resource();
            let shown = serde_json::from_slice(document.json())
                .map_err(|error| Failure::Internal(error.to_string()))?;
            refuse_words(patch, &shown).map_err(failure)?;
            let mut record = self.free(&live)?;
            let pending = self.merged(&live, kind, record.pending.take(), patch, caller)?;
            record.pending = Some(pending.clone());
            if pending.is_applying() {
                self.apply_now(&live, record, pending).await?;
            } else {
                self.put(live.as_str(), record).await?;
                self.tell_changed(&settings, kind.name);
            }
            Ok(Outcome::Done)
        })
    }

    /// Calls the settings to come off.
    fn delete<'a>(&'a self, rest: &'a [&'a str], _caller: &'a Caller) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            let (settings, live) = paths(rest)?;
            let kind = self.0.backend.get(&live).await?.resource();
            let mut record = self.free(&live)?;
            if record.pending.take().is_some() {
                self.put(live.as_str(), record).await?;
                self.tell_changed(&settings, kind.name);
            }
            Ok(())
        })
    }

    fn is_told(&self, _rest: &[&str]) -> bool {
        false
    }
}

impl FutureSettings {
    /// What is kept of a resource, if nobody is about to apply it.
    fn free(&self, live: &Path) -> Result<Record, Failure> {
        let held = self.held();
        let Some(entry) = held.get(live.as_str()) else {
            return Ok(Record::default());
        };
        let pending = entry.record.pending.as_ref();
        let is_begun = entry.is_taken || entry.is_reset;
        if is_begun || pending.is_some_and(Pending::is_applying) {
            return Err(Failure::Busy {
                retry_after_s: RETRY_AFTER_S,
            });
        }
        Ok(Record::clone(&entry.record))
    }

    /// The settings to come after a patch of them.
    ///
    /// # Errors
    /// What the backend says to them, and messages about their time and their length.
    fn merged(
        &self,
        live: &Path,
        kind: &'static redfish_schema::ResourceType,
        before: Option<Pending>,
        patch: &CheckedPatch,
        caller: &Caller,
    ) -> Result<Pending, Failure> {
        let mut changes = patch.changes().clone();
        let time = changes.remove(APPLY_TIME);
        let given = time.as_ref().and_then(Value::as_object);
        let now_ms = now_ms();
        let window = self.0.tasks.settings().window;
        let has_window = window.is_some_and(|window| window.place(now_ms) != Place::Over);
        let (when, window) = record::chosen(given, before.as_ref(), has_window, now_ms)?;
        let mut all = before.map(|before| before.changes).unwrap_or_default();
        record::lay_over(&mut all, &changes);
        if !all.is_empty() {
            self.0.backend.check(live, &checked(kind, &all)?)?;
        }
        if json!(all).to_string().len() > MAX_SETTINGS_BYTES {
            let about = changes.keys().next().map_or("", String::as_str);
            let message = message::payload_too_large()
                .about(format!("/{about}"))
                .with_resolution(format!(
                    "The settings to come of one resource may have {MAX_SETTINGS_BYTES} bytes together. Ask \
                     for less, or DELETE what waits."
                ));
            return Err(Failure::Messages(vec![message]));
        }
        Ok(Pending {
            stage: match when == ApplyTime::Immediate && !all.is_empty() {
                true => Stage::Applying { attempts: 0 },
                false => Stage::Waiting,
            },
            changes: all,
            when,
            window,
            owner: Owner::of(caller),
        })
    }

    /// Writes settings and applies them at once. What takes longer than a client waits goes on by itself, and its
    /// outcome is in `@Redfish.Settings`.
    async fn apply_now(
        &self,
        live: &Path,
        record: Record,
        pending: Pending,
    ) -> Result<(), Failure> {
        let (tell, told) = oneshot::channel();
        let (settings, path) = (self.clone(), live.clone());
        let runtime = Handle::current();
        let apply = move || {
            runtime.spawn(async move {
                // Nobody may be there any more to hear it.
                let _ = tell.send(settings.apply_taken(&path, pending).await);
            });
        };
        self.put_and(live.as_str(), record, apply).await?;
        match timeout(ANSWER_WITHIN, told).await {
            Ok(Ok(applied)) => applied,
            Ok(Err(_)) => Err(Failure::Internal("settings without an outcome".to_owned())),
            Err(_) => Ok(()),
        }
    }
}

/// The paths of a settings resource and of the resource that it is for.
fn paths(rest: &[&str]) -> Result<(Path, Path), Failure> {
    let root = Path::parse(crate::ROOT).map_err(|_| Failure::NotFound)?;
    let settings = rest
        .iter()
        .try_fold(root, |path, segment| path.join(segment));
    let settings = settings.map_err(|_| Failure::NotFound)?;
    let live = settings.parent().ok_or(Failure::NotFound)?;
    Ok((settings, live))
}

/// The proof that kept settings fit the schema, whichever version of it kept them.
pub(super) fn checked(
    kind: &'static redfish_schema::ResourceType,
    changes: &Map<String, Value>,
) -> Result<CheckedPatch, Failure> {
    let body = Value::Object(changes.clone());
    let patch = check_patch(kind, &body);
    let patch =
        patch.map_err(|faults| Failure::Messages(patch_messages(&faults, &body, &Value::Null)))?;
    // The arrays are whole: there is nothing to merge them with.
    Ok(patch.onto(kind, &Value::Null))
}

fn settings_document(
    path: &Path,
    live: &Document,
    pending: Option<&Pending>,
) -> Result<Document, Failure> {
    if !live.is_settable_later() {
        return Err(Failure::NotFound);
    }
    let shown: Map<String, Value> = serde_json::from_slice(live.json())
        .map_err(|error| Failure::Internal(error.to_string()))?;
    let kind = live.resource();
    let mut future = record::future(kind.object, &shown, pending);
    let members = [
        ("@odata.type", json!(kind.odata_type)),
        ("@odata.id", json!(path.as_str())),
        ("Id", json!("Settings")),
        ("Name", json!("Settings to come")),
        (APPLY_TIME, record::preferred(pending)),
    ];
    for (name, value) in members {
        future.insert(name.to_owned(), value);
    }
    let json = serde_json::to_vec(&future).map_err(|e| Failure::Internal(e.to_string()))?;
    let document = Document::from_json(kind, json.into());
    Ok(document.changeable().deletable())
}

/// The failure that an error is.
pub(super) fn failure(error: Error) -> Failure {
    match error {
        Error::Backend(failure, _) => failure,
        Error::Faults(messages) => Failure::Messages(messages),
        other => Failure::Internal(format!("{other:?}")),
    }
}
