//! The maintenance window of the service: `@Redfish.MaintenanceWindow` of `TaskService` (DSP0266 "Operation apply
//! time").

use std::time::Duration;

use redfish_schema::{CheckedPatch, DateTime};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::message;
use crate::{Failure, Path};

/// The annotation.
pub(crate) const WINDOW: &str = "@Redfish.MaintenanceWindow";
const START: &str = "MaintenanceWindowStartTime";
const DURATION: &str = "MaintenanceWindowDurationInSeconds";
/// How long a window may be, in seconds: a month.
const MAX_DURATION_S: u64 = 31 * 24 * 3600;

/// When deferred work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Window {
    /// Milliseconds since 1970.
    start_ms: i64,
    duration_s: u64,
}

/// Where a point in time lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The window opens after that long.
    Before(Duration),
    Inside,
    Over,
}

impl Window {
    /// Where `now_ms` lies.
    pub(crate) fn place(self, now_ms: i64) -> Place {
        let end_ms = self
            .start_ms
            .saturating_add_unsigned(self.duration_s * 1000);
        match u64::try_from(self.start_ms.saturating_sub(now_ms)) {
            Ok(ms) if ms > 0 => Place::Before(Duration::from_millis(ms)),
            _ if now_ms < end_ms => Place::Inside,
            _ => Place::Over,
        }
    }

    /// How long it is until the window opens, and until it is over; nothing of what has passed.
    pub(crate) fn left(self, now_ms: i64) -> (Duration, Duration) {
        let end_ms = self
            .start_ms
            .saturating_add_unsigned(self.duration_s.saturating_mul(1000));
        let until = |at_ms: i64| u64::try_from(at_ms.saturating_sub(now_ms)).unwrap_or(0);
        let (open, end) = (until(self.start_ms), until(end_ms));
        (Duration::from_millis(open), Duration::from_millis(end))
    }

    /// As the annotation shows it.
    pub(crate) fn to_json(self) -> Value {
        let mut json = json!({"@odata.type": "#Settings.v1_3_3.MaintenanceWindow"});
        self.show(&mut json);
        json
    }

    /// Sets the members of an annotation that say when it is.
    pub(crate) fn show(self, annotation: &mut Value) {
        annotation[START] = DateTime::from_unix_ms(self.start_ms).to_string().into();
        annotation[DURATION] = self.duration_s.into();
    }

    /// The window that a patch of `TaskService` asks for; what it doesn't name stays as in `current`.
    ///
    /// # Errors
    /// Messages, if a part is missing or the window would be over.
    pub(crate) fn of_patch(
        patch: &CheckedPatch,
        current: Option<Self>,
        now_ms: i64,
    ) -> Result<Option<Self>, Failure> {
        match patch.changes().get(WINDOW) {
            Some(Value::Object(given)) => {
                Self::of_members(given, WINDOW, current, now_ms).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Whether members of an annotation name a window, or a part of one.
    pub(crate) fn is_named(given: &Map<String, Value>) -> bool {
        given.contains_key(START) || given.contains_key(DURATION)
    }

    /// The window that members of the annotation `annotation` ask for; what they don't name stays as in `current`.
    ///
    /// # Errors
    /// Messages, if a part is missing or the window would be over.
    pub(crate) fn of_members(
        given: &Map<String, Value>,
        annotation: &str,
        current: Option<Self>,
        now_ms: i64,
    ) -> Result<Self, Failure> {
        let wrong = |name: &str, value: String| {
            let message = message::property_value_out_of_range(value, name)
                .about(format!("/{annotation}/{name}"))
                .with_resolution(
                    "Choose a window that isn't over, of at least one second and at most 31 days.",
                );
            Failure::Messages(vec![message])
        };
        let missing = |name: &str| {
            let message = message::property_missing(name).about(format!("/{annotation}/{name}"));
            Failure::Messages(vec![message])
        };
        let start_ms = match given.get(START).and_then(Value::as_str) {
            Some(text) => DateTime::parse(text).map(DateTime::unix_ms),
            None => current.map(|window| window.start_ms),
        };
        let duration_s = match given.get(DURATION) {
            Some(value) => Some(
                value
                    .as_u64()
                    .filter(|s| (1..=MAX_DURATION_S).contains(s))
                    .ok_or_else(|| wrong(DURATION, value.to_string()))?,
            ),
            None => current.map(|window| window.duration_s),
        };
        let start_ms = start_ms.ok_or_else(|| missing(START))?;
        let duration_s = duration_s.ok_or_else(|| missing(DURATION))?;
        let window = Self {
            start_ms,
            duration_s,
        };
        if window.place(now_ms) == Place::Over {
            let start = DateTime::from_unix_ms(start_ms).to_string();
            return Err(wrong(START, start));
        }
        Ok(window)
    }
}

/// Whether the resource at `path` has a maintenance window.
pub(crate) fn has_window(path: &Path) -> bool {
    *path.segments() == ["TaskService"]
}

#[cfg(test)]
mod tests {
    use redfish_schema::{check_patch, task_service};

    use super::*;

    fn asked(body: &Value, current: Option<Window>) -> Result<Option<Window>, Failure> {
        let patch = check_patch(&task_service::TYPE, body).unwrap();
        Window::of_patch(&patch, current, 1_000_000)
    }

    #[test]
    fn a_window_is_before_inside_or_over() {
        let window = Window {
            start_ms: 5000,
            duration_s: 10,
        };
        assert_eq!(window.place(2000), Place::Before(Duration::from_secs(3)));
        assert_eq!(window.place(5000), Place::Inside);
        assert_eq!(window.place(14_999), Place::Inside);
        assert_eq!(window.place(15_000), Place::Over);
        assert_eq!(window.place(i64::MAX), Place::Over);
    }

    #[test]
    fn a_patch_may_name_one_part_of_a_window_and_none_that_is_over() {
        let whole = json!({WINDOW: {START: "1970-01-01T01:00:00Z", DURATION: 60}});
        let window = asked(&whole, None).unwrap().unwrap();
        assert_eq!(window.start_ms, 3_600_000);
        let part = json!({WINDOW: {DURATION: 90}});
        assert_eq!(asked(&part, Some(window)).unwrap().unwrap().duration_s, 90);
        assert!(asked(&part, None).is_err());
        let over = json!({WINDOW: {START: "1970-01-01T00:00:00Z", DURATION: 60}});
        assert!(asked(&over, None).is_err());
        let endless = json!({WINDOW: {START: "1970-01-01T01:00:00Z", DURATION: 1e12}});
        assert!(asked(&endless, None).is_err());
        assert_eq!(asked(&json!({"ServiceEnabled": true}), None), Ok(None));
    }
}
