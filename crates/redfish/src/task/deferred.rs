//! Work that waits for the maintenance window (DSP0266 "Operation apply time").

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use redfish_schema::check_parameters;
use serde_json::Value;
use tokio::sync::watch;

use super::{
    Answer, Deferred, Handle, MAX_DEFERRED, Order, Place, Record, Settings, State, Tasks, Window,
    record,
};
use crate::action::responded;
use crate::action_info::refuse_foreign;
use crate::audit::{Deed, Entry};
use crate::caller::Owner;
use crate::error::Error;
use crate::{ActionCall, Backend, Failure, Path};

/// When a client should try again that finds too much waiting, in seconds.
const RETRY_AFTER_S: u32 = 60;

impl Tasks {
    /// Takes up again what waited when the process before ended. `backend` will do it.
    pub(crate) fn resume(&self, backend: &Arc<dyn Backend>) {
        let waiting: Vec<(u64, Arc<Record>)> = {
            let held = self.held();
            let pending = held.tasks.iter().filter(|(_, entry)| {
                entry.record.state == State::Pending && entry.record.deferred.is_some()
            });
            pending
                .map(|(id, entry)| (*id, Arc::clone(&entry.record)))
                .collect()
        };
        if waiting.is_empty() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            tracing::error!("no runtime: work that waits for the maintenance window stays undone");
            return;
        };
        for (id, record) in waiting {
            let (cancel, cancelled) = watch::channel(false);
            if let Some(entry) = self.held().tasks.get_mut(&id) {
                entry.cancel = Some(cancel);
            }
            let handle = Handle {
                tasks: self.clone(),
                id,
                whole: Arc::clone(&record),
                cancelled,
            };
            let owner = record.owner.clone();
            if let Some(deferred) = record.deferred.clone() {
                runtime.spawn(wait(handle, deferred, owner, Arc::clone(backend)));
            }
        }
    }

    /// Keeps an action for the maintenance window. The number of its task is the answer.
    ///
    /// # Errors
    /// [`Failure`] if there is no window to come, or too much waits for it.
    pub(crate) async fn defer(
        &self,
        order: &Order,
        deferred: Deferred,
        backend: &Arc<dyn Backend>,
    ) -> Result<u64, Failure> {
        let window = self.settings().window.map(|w| w.place(record::now_ms()));
        if matches!(window, None | Some(Place::Over)) {
            return Err(Failure::ParameterValueUnavailable {
                parameter: crate::action::APPLY_TIME.to_owned(),
                value: "AtMaintenanceWindowStart".to_owned(),
                remedy: "No maintenance window is to come. Set one: PATCH \
                         @Redfish.MaintenanceWindow of /redfish/v1/TaskService."
                    .to_owned(),
            });
        }
        let waiting = {
            let held = self.held();
            let all = held.tasks.values();
            all.filter(|entry| entry.record.state == State::Pending)
                .count()
        };
        if waiting >= MAX_DEFERRED {
            return Err(Failure::Unavailable {
                retry_after_s: RETRY_AFTER_S,
            });
        }
        let mut record = order.record(State::Pending);
        record.deferred = Some(deferred.clone());
        let owner = record.owner.clone();
        let handle = self.begin(record, true).await;
        let id = handle.id();
        tokio::spawn(wait(handle, deferred, owner, Arc::clone(backend)));
        Ok(id)
    }
}

/// What ends the waiting.
enum Woken {
    Opened,
    Cancelled,
    /// The window is over, or nobody will ever set one again.
    Missed,
    /// The service ends; the next process waits on.
    Closing,
}

/// Waits for the window and does the work then.
async fn wait(handle: Handle, deferred: Deferred, owner: Owner, backend: Arc<dyn Backend>) {
    let mut settings = handle.tasks.0.settings.subscribe();
    match woken(&handle, &mut settings).await {
        // `cancel` has ended it already.
        Woken::Cancelled | Woken::Closing => {}
        Woken::Missed => {
            let missed = Failure::ParameterValueUnavailable {
                parameter: crate::action::APPLY_TIME.to_owned(),
                value: "AtMaintenanceWindowStart".to_owned(),
                remedy: "The maintenance window was over before the service could do the work. \
                         Nothing was changed. Set another window and ask again."
                    .to_owned(),
            };
            tracing::warn!(task = handle.id(), "maintenance window missed");
            let error = Error::Backend(missed, deferred.path);
            let answer = Answer::of(error.into_response());
            handle.finish(answer).await;
        }
        Woken::Opened => {
            if !handle.resume().await {
                return;
            }
            let done = invoke(&deferred, &*backend).await;
            let deed = match &done {
                Ok(_) => Deed::Invoked {
                    path: deferred.path.clone(),
                    action: deferred.action.clone(),
                    parameters: vec!["in the maintenance window".to_owned()],
                },
                Err(error) => Deed::Failed {
                    method: "POST".to_owned(),
                    path: deferred.path.clone(),
                    cause: format!("{error:?}"),
                },
            };
            handle.tasks.audit().record(&Entry {
                user: Some(owner.name().to_owned()),
                client: None,
                deed,
            });
            let response = done.unwrap_or_else(Error::into_response);
            handle.finish(Answer::of(response)).await;
        }
    }
}

async fn woken(handle: &Handle, settings: &mut watch::Receiver<Settings>) -> Woken {
    loop {
        let window: Option<Window> = settings.borrow_and_update().window;
        let open = async move {
            match window.map(|window| window.place(record::now_ms())) {
                None => std::future::pending().await,
                Some(Place::Before(left)) => {
                    tokio::time::sleep(left).await;
                    Woken::Opened
                }
                Some(Place::Inside) => Woken::Opened,
                Some(Place::Over) => Woken::Missed,
            }
        };
        tokio::select! {
            biased;
            () = handle.closing() => return Woken::Closing,
            () = handle.cancelled() => return Woken::Cancelled,
            changed = settings.changed() => if changed.is_err() { return Woken::Missed },
            woken = open => return woken,
        }
    }
}

/// Does what was asked when nobody waits for it any more. The machine may have changed since: all is checked again.
async fn invoke(
    deferred: &Deferred,
    backend: &dyn Backend,
) -> Result<Response<Full<Bytes>>, Error> {
    let failed = |failure| Error::Backend(failure, deferred.path.clone());
    let path = Path::parse(&deferred.path).map_err(|_| failed(Failure::NotFound))?;
    let document = backend.get(&path).await.map_err(failed)?;
    let shown: Value = serde_json::from_slice(document.json())
        .map_err(|error| failed(Failure::Internal(error.to_string())))?;
    let offered = &shown["Actions"][format!("#{}", deferred.action)];
    let action = document.resource().action(&deferred.action);
    let (Some(action), true) = (action, offered.is_object()) else {
        return Err(Error::UnknownAction(deferred.action.clone()));
    };
    let body = Value::Object(deferred.parameters.clone());
    let parameters = check_parameters(action, &body).map_err(|faults| {
        Error::Faults(crate::fault::action_messages(
            &faults,
            &body,
            action.name,
            offered,
        ))
    })?;
    refuse_foreign(action, &parameters, offered)?;
    let call = ActionCall {
        action,
        parameters,
        apply_time: None,
    };
    let outcome = backend.action(&path, &call).await.map_err(failed)?;
    Ok(responded(outcome))
}
