//! What is kept of the settings of one resource.

use redfish_schema::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::APPLY_TIME;
use crate::caller::Owner;
use crate::message::{self, Message};
use crate::resource::task_service;
use crate::task::{Note, Window};
use crate::{Failure, Path};

/// When settings are applied (`Settings.ApplyTime`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ApplyTime {
    /// Unless the client says otherwise: clients that follow `SettingsObject` for want of anything else expect to see what they
    /// set, such as a boot override before the reset that it is for.
    #[default]
    Immediate,
    OnReset,
    AtMaintenanceWindowStart,
    InMaintenanceWindowOnReset,
}

impl ApplyTime {
    const ALL: [Self; 4] = [
        Self::Immediate,
        Self::OnReset,
        Self::AtMaintenanceWindowStart,
        Self::InMaintenanceWindowOnReset,
    ];

    /// Whether it takes a maintenance window.
    pub(super) const fn has_window(self) -> bool {
        matches!(
            self,
            Self::AtMaintenanceWindowStart | Self::InMaintenanceWindowOnReset
        )
    }
}

/// The settings of one resource: those to come, and what became of the last ones.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) pending: Option<Pending>,
    pub(super) outcome: Option<Outcome>,
}

/// Settings that are to be applied. Without `changes` it is only a choice of time for those to come.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Pending {
    /// As a PATCH has them, with whole arrays.
    pub(super) changes: Map<String, Value>,
    pub(super) when: ApplyTime,
    /// The client's own window. `None` is the window of the task service, whatever it is then.
    pub(super) window: Option<Window>,
    /// Who asked last.
    pub(super) owner: Owner,
    pub(super) stage: Stage,
}

/// How far settings are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// Their time has not come.
    Waiting,
    /// Their time has come, and the machine could not be reached so often.
    Due { attempts: u32 },
    /// They are with the machine.
    Applying { attempts: u32 },
}

/// What became of settings.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// When, in milliseconds since 1970.
    pub(super) time_ms: i64,
    /// Entity tag of the resource afterwards. `None` if nothing was applied.
    pub(super) etag: Option<String>,
    pub(super) messages: Vec<Note>,
}

impl Record {
    /// Settings that wait, if there are any.
    pub(super) fn waiting(&self) -> Option<&Pending> {
        let pending = self.pending.as_ref()?;
        (!pending.changes.is_empty()).then_some(pending)
    }
}

impl Pending {
    /// Whether nobody may change them now.
    pub(super) const fn is_applying(&self) -> bool {
        matches!(self.stage, Stage::Applying { .. })
    }

    /// How often the machine could not be reached.
    pub(super) const fn attempts(&self) -> u32 {
        match self.stage {
            Stage::Waiting => 0,
            Stage::Due { attempts } | Stage::Applying { attempts } => attempts,
        }
    }
}

/// `@Redfish.SettingsApplyTime` of a settings resource.
pub(super) fn preferred(pending: Option<&Pending>) -> Value {
    let when = pending.map(|pending| pending.when).unwrap_or_default();
    let mut shown = json!({
        "@odata.type": "#Settings.v1_3_3.PreferredApplyTime",
        "ApplyTime": when,
        "ApplyTime@Redfish.AllowableValues": ApplyTime::ALL,
    });
    if let Some(window) = pending.and_then(|pending| pending.window) {
        window.show(&mut shown);
    }
    shown
}

/// `@Redfish.Settings` of the resource at `path`, without the entity tag of the outcome.
pub(super) fn annotation(path: &str, outcome: Option<&Outcome>) -> Value {
    let mut shown = json!({
        "@odata.type": "#Settings.v1_3_3.Settings",
        "SettingsObject": {"@odata.id": format!("{path}/Settings")},
        "SupportedApplyTimes": ApplyTime::ALL,
        "MaintenanceWindowResource": {"@odata.id": task_service::PATH},
    });
    if let Some(outcome) = outcome {
        let messages = outcome.messages.iter().map(Note::to_message);
        shown["Time"] = DateTime::from_unix_ms(outcome.time_ms).to_string().into();
        shown["Messages"] = json!(messages.collect::<Vec<_>>());
    }
    shown
}

/// What a PATCH of a settings resource says of the time, above what was chosen before.
///
/// # Errors
/// Messages, if the window is incomplete, over, or not for this time; and if there is none and the service has none.
pub(super) fn chosen(
    given: Option<&Map<String, Value>>,
    before: Option<&Pending>,
    service_has_window: bool,
    now_ms: i64,
) -> Result<(ApplyTime, Option<Window>), Failure> {
    let none = Map::new();
    let given = given.unwrap_or(&none);
    let word = given.get("ApplyTime").cloned();
    let when = match word.map(serde_json::from_value) {
        Some(when) => when.map_err(|error| Failure::Internal(error.to_string()))?,
        None => before.map(|pending| pending.when).unwrap_or_default(),
    };
    let is_named = Window::is_named(given);
    if !when.has_window() {
        return match is_named {
            true => Err(refused(
                when,
                "Ask for AtMaintenanceWindowStart or InMaintenanceWindowOnReset, or leave the window out.",
            )),
            false => Ok((when, None)),
        };
    }
    let own = before.and_then(|pending| pending.window);
    let window = match is_named {
        true => Some(Window::of_members(given, APPLY_TIME, own, now_ms)?),
        false => own,
    };
    if window.is_none() && !service_has_window {
        return Err(refused(
            when,
            "No maintenance window is to come. Add MaintenanceWindowStartTime and \
             MaintenanceWindowDurationInSeconds, or PATCH @Redfish.MaintenanceWindow of \
             /redfish/v1/TaskService.",
        ));
    }
    Ok((when, window))
}

fn refused(when: ApplyTime, remedy: &str) -> Failure {
    Failure::PropertyValueUnavailable {
        pointer: format!("/{APPLY_TIME}/ApplyTime"),
        value: json!(when).as_str().unwrap_or_default().to_owned(),
        remedy: remedy.to_owned(),
    }
}

/// Whether `path` is where a settings resource may be: below a resource of the backend.
pub(crate) fn is_one(path: &Path) -> bool {
    matches!(*path.segments(), [_, _, .., "Settings"])
}

/// Messages as an outcome keeps them.
pub(super) fn notes<'m>(messages: impl IntoIterator<Item = &'m Message>) -> Vec<Note> {
    messages.into_iter().map(Note::from).collect()
}

/// The messages of settings that were applied, but for what `told` is about.
pub(super) fn success(told: Vec<(String, Message)>) -> Vec<Message> {
    if told.is_empty() {
        return vec![message::success()];
    }
    told.into_iter().map(|(_, message)| message).collect()
}

/// The settings resource's object: what of `shown` a client may write, and the values to come above it. Of a boot override
/// only what is to come: clients (OpenStack's, for one) set it where they see it, and most mean the present.
pub(super) fn future(
    kind: &'static redfish_schema::ObjectType,
    shown: &Map<String, Value>,
    pending: Option<&Pending>,
) -> Map<String, Value> {
    let mut future = settable(kind, shown);
    if let Some(Value::Object(boot)) = future.get_mut("Boot") {
        boot.retain(|name, _| !(name.contains("BootSourceOverride") || name == "HttpBootUri"));
        if boot.is_empty() {
            future.remove("Boot");
        }
    }
    if let Some(pending) = pending {
        lay_over(&mut future, &pending.changes);
    }
    future
}

/// The members of an object that the schema lets a client write, with their annotations.
fn settable(kind: &redfish_schema::ObjectType, shown: &Map<String, Value>) -> Map<String, Value> {
    let kept = shown.iter().filter_map(|(name, value)| {
        let property = name.split_once('@').map_or(name.as_str(), |(name, _)| name);
        let property = kind.property(property)?;
        let value = match (&property.kind, value) {
            (redfish_schema::Kind::Object(inner), Value::Object(value)) => {
                let inner = settable(inner, value);
                (!inner.is_empty()).then_some(Value::Object(inner))?
            }
            _ => property.permission.is_writable().then(|| value.clone())?,
        };
        Some((name.clone(), value))
    });
    kept.filter(|(name, _)| !matches!(name.as_str(), "Links" | "Oem"))
        .collect()
}

/// Sets what `changes` name; objects in both are entered.
pub(super) fn lay_over(object: &mut Map<String, Value>, changes: &Map<String, Value>) {
    for (name, change) in changes {
        match (object.get_mut(name), change) {
            (Some(Value::Object(inner)), Value::Object(changes)) => lay_over(inner, changes),
            _ => {
                object.insert(name.clone(), change.clone());
            }
        }
    }
}
