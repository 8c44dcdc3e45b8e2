//! `/redfish/v1/TaskService`: tasks, their parts and their monitors (DSP0266 "Asynchronous operations").

use std::fmt::Display;

use redfish_schema::task::{self, Links, Payload, Task};
use redfish_schema::task_service as schema;
use redfish_schema::{CheckedPatch, Collection, DateTime, Reference};
use serde_json::Value;

use super::enabled;
use crate::caller::Caller;
use crate::part::Part;
use crate::task::{
    MAX_AUTO_DELETE_MINUTES, Note, Record, Settings, State, TASKS_PATH, Tasks, WINDOW, Window,
    now_ms,
};
use crate::{ActionCall, BackendFuture, Document, Failure, Outcome, message};

/// Path of the task service, which has the maintenance window of everything that announces one.
pub const PATH: &str = "/redfish/v1/TaskService";
const AUTO_DELETE: &str = "TaskAutoDeleteTimeoutMinutes";

/// The path that tells how a task is getting on, and what came of it in the end.
pub(crate) fn monitor_path(id: impl Display) -> String {
    format!("{PATH}/TaskMonitors/{id}")
}

impl Part for Tasks {
    fn get(&self, rest: &[&str]) -> Result<Document, Failure> {
        match *rest {
            [] => service(self.settings()),
            ["Tasks"] => collection(TASKS_PATH, &self.list(None)),
            ["Tasks", id] => {
                let (_, record) = self.get(id).ok_or(Failure::NotFound)?;
                record
                    .parent
                    .is_none()
                    .then_some(())
                    .ok_or(Failure::NotFound)?;
                task(self, id)
            }
            ["Tasks", id, "SubTasks"] => {
                let (number, _) = self.get(id).ok_or(Failure::NotFound)?;
                let parts = self.list(Some(number));
                if parts.is_empty() {
                    return Err(Failure::NotFound);
                }
                collection(&format!("{TASKS_PATH}/{id}/SubTasks"), &parts)
            }
            ["Tasks", id, "SubTasks", part] => {
                let (number, _) = self.get(id).ok_or(Failure::NotFound)?;
                let (_, record) = self.get(part).ok_or(Failure::NotFound)?;
                if record.parent != Some(number) {
                    return Err(Failure::NotFound);
                }
                task(self, part)
            }
            _ => Err(Failure::NotFound),
        }
    }

    /// How long tasks are kept, and the maintenance window.
    fn patch<'a>(
        &'a self,
        _rest: &'a [&'a str],
        patch: &'a CheckedPatch,
        _caller: &'a Caller,
    ) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            let mut settings = self.settings();
            for (name, value) in patch.changes() {
                match name.as_str() {
                    AUTO_DELETE => settings.auto_delete_minutes = minutes(value)?,
                    WINDOW => {}
                    _ => {
                        return Err(Failure::PropertyNotWritable {
                            pointer: format!("/{name}"),
                        });
                    }
                }
            }
            if let Some(window) = Window::of_patch(patch, settings.window, now_ms())? {
                settings.window = Some(window);
            }
            self.set(settings).await?;
            Ok(Outcome::Done)
        })
    }

    /// Forgets a task that has ended, and calls off one that hasn't.
    fn delete<'a>(&'a self, rest: &'a [&'a str], _caller: &'a Caller) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            let (["Tasks", id] | ["Tasks", _, "SubTasks", id]) = *rest else {
                return Err(Failure::NotChangeable);
            };
            let (number, record) = self.get(id).ok_or(Failure::NotFound)?;
            if record.state.is_final() {
                self.remove(vec![number]).await
            } else {
                self.cancel(number).await
            }
        })
    }

    fn action<'a>(
        &'a self,
        _rest: &'a [&'a str],
        call: &'a ActionCall,
        _caller: &'a Caller,
    ) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            if call.action.name != "TaskService.DeleteAllCompletedTasks" {
                return Err(Failure::NotFound);
            }
            let ended = self.list(None).into_iter().filter(|id| {
                self.get(&id.to_string())
                    .is_some_and(|(_, record)| record.state.is_final())
            });
            self.remove(ended.collect()).await?;
            Ok(Outcome::Done)
        })
    }
}

fn minutes(value: &Value) -> Result<u32, Failure> {
    let minutes = value.as_u64().and_then(|value| u32::try_from(value).ok());
    let allowed = minutes.filter(|m| (1..=MAX_AUTO_DELETE_MINUTES).contains(m));
    allowed.ok_or_else(|| {
        let message = message::property_value_out_of_range(value.to_string(), AUTO_DELETE)
            .about(format!("/{AUTO_DELETE}"))
            .with_resolution(format!(
                "Choose between 1 and {MAX_AUTO_DELETE_MINUTES} minutes."
            ));
        Failure::Messages(vec![message])
    })
}

fn service(settings: Settings) -> Result<Document, Failure> {
    let target = format!("{PATH}/Actions/TaskService.DeleteAllCompletedTasks");
    let resource = schema::TaskService {
        service_enabled: Some(true.into()),
        completed_task_over_write_policy: Some(schema::OverWritePolicy::Oldest),
        life_cycle_event_on_task_state_change: Some(true),
        task_auto_delete_timeout_minutes: Some(i64::from(settings.auto_delete_minutes)),
        tasks: Some(Reference::to(TASKS_PATH)),
        status: Some(enabled()),
        actions: Some(schema::Actions {
            delete_all_completed_tasks: Some(schema::DeleteAllCompletedTasksAction::new(target)),
        }),
        ..schema::TaskService::new(PATH, "TaskService", "Task Service")
    };
    let document = Document::of(&resource)?;
    let Some(window) = settings.window else {
        return Ok(document.changeable());
    };
    let mut json: Value = serde_json::from_slice(document.json())
        .map_err(|error| Failure::Internal(error.to_string()))?;
    json[WINDOW] = window.to_json();
    let json = json.to_string().into_bytes().into();
    Ok(Document::from_json(document.resource(), json).changeable())
}

fn collection(path: &str, ids: &[u64]) -> Result<Document, Failure> {
    let members = ids.iter().map(|id| Reference::to(format!("{path}/{id}")));
    let members = members.collect();
    Document::of(&Collection::new(&task::COLLECTION, path, "Tasks", members))
}

/// The document of a task, or of a part of one.
pub(crate) fn task(tasks: &Tasks, id: &str) -> Result<Document, Failure> {
    let (number, record) = tasks.get(id).ok_or(Failure::NotFound)?;
    let path = match record.parent {
        None => format!("{TASKS_PATH}/{id}"),
        Some(parent) => format!("{TASKS_PATH}/{parent}/SubTasks/{id}"),
    };
    let has_parts = !tasks.list(Some(number)).is_empty();
    let resource = Task {
        task_state: Some(record.state.word()),
        task_status: Some(record.status()),
        start_time: Some(DateTime::from_unix_ms(record.started_ms)),
        end_time: record.ended_ms.map(DateTime::from_unix_ms),
        percent_complete: record.percent.map(|percent| i64::from(percent).into()),
        hide_payload: Some(record.request.body.is_none()),
        payload: payload(&record),
        task_monitor: (record.state != State::Cancelled && record.parent.is_none())
            .then(|| monitor_path(number)),
        sub_tasks: has_parts.then(|| Reference::to(format!("{path}/SubTasks"))),
        messages: Some(record.messages.iter().map(Note::to_message).collect()),
        links: created(&record),
        ..Task::new(path.clone(), id, record.name.clone())
    };
    Document::of(&resource).map(Document::deletable)
}

fn payload(record: &Record) -> Option<Payload> {
    let body = record.request.body.clone()?;
    Some(Payload {
        target_uri: Some(record.request.target.clone()),
        http_operation: Some(record.request.method.clone()),
        http_headers: Some(vec!["Content-Type: application/json".to_owned()]),
        json_body: Some(body),
    })
}

fn created(record: &Record) -> Option<Links> {
    let created = record.answer.as_ref()?.created()?;
    Some(Links {
        created_resources: Some(vec![Reference::to(created)]),
    })
}
