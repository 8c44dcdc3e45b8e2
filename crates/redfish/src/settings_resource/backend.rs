//! The backend as the service sees it: with what became of settings, and with an eye on resets.

use std::sync::{Arc, Weak};

use redfish_schema::{CheckedCreate, CheckedPatch};
use serde_json::Value;

use super::{FutureSettings, Shared};
use crate::{
    ActionCall, Backend, BackendFuture, Document, Event, EventSink, Failure, Mark, Outcome, Path,
    RootLink, Template, Updater,
};

/// A backend, and the settings of its resources.
pub(crate) struct WithSettings(pub(crate) FutureSettings);

impl WithSettings {
    fn inner(&self) -> &dyn Backend {
        &*self.0.0.backend
    }

    /// Whether an action begins a reset of the host, as far as its power state tells. One that is off isn't restarted,
    /// and one that is on isn't switched on.
    async fn restarts(&self, path: &Path, call: &ActionCall) -> bool {
        if call.action.name != "ComputerSystem.Reset" {
            return false;
        }
        let Ok(document) = self.inner().get(path).await else {
            return false;
        };
        let shown: Value = serde_json::from_slice(document.json()).unwrap_or_default();
        let power = shown["PowerState"].as_str();
        match call.parameters.text("ResetType") {
            Some("On" | "ForceOn") => power != Some("On"),
            Some("ForceRestart" | "GracefulRestart" | "PowerCycle") => power != Some("Off"),
            Some("PushPowerButton") => power == Some("Off"),
            Some("FullPowerCycle") => true,
            _ => false,
        }
    }
}

impl Backend for WithSettings {
    fn roots(&self) -> &[RootLink] {
        self.inner().roots()
    }

    fn templates(&self) -> &'static [Template] {
        self.inner().templates()
    }

    fn get<'a>(&'a self, path: &'a Path) -> BackendFuture<'a, Document> {
        if self.0.record(path.as_str()).is_none() {
            return self.inner().get(path);
        }
        Box::pin(async move { Ok(self.0.annotated(path, self.inner().get(path).await?)) })
    }

    fn patch<'a>(&'a self, path: &'a Path, patch: &'a CheckedPatch) -> BackendFuture<'a, Outcome> {
        self.inner().patch(path, patch)
    }

    fn check(&self, path: &Path, patch: &CheckedPatch) -> Result<(), Failure> {
        self.inner().check(path, patch)
    }

    /// What a host shall be like after its reset is set before the reset: the firmware reads it when the host starts. A
    /// manager that resets can't be set before, since it would be at another address then.
    fn action<'a>(&'a self, path: &'a Path, call: &'a ActionCall) -> BackendFuture<'a, Outcome> {
        if !call.action.name.ends_with(".Reset") || !self.0.has_below(path) {
            return self.inner().action(path, call);
        }
        Box::pin(async move {
            let restarts = self.restarts(path, call).await;
            if restarts {
                self.0.apply_before_reset(path).await;
            }
            let outcome = self.inner().action(path, call).await?;
            if restarts || call.action.name == "Manager.Reset" {
                self.0.was_reset(path.as_str());
            }
            Ok(outcome)
        })
    }

    fn create<'a>(&'a self, path: &'a Path, new: &'a CheckedCreate) -> BackendFuture<'a, String> {
        self.inner().create(path, new)
    }

    fn delete<'a>(&'a self, path: &'a Path) -> BackendFuture<'a, ()> {
        self.inner().delete(path)
    }

    fn has_firmware_inventory(&self) -> bool {
        self.inner().has_firmware_inventory()
    }

    fn updater(&self) -> Option<&dyn Updater> {
        self.inner().updater()
    }

    fn watch(&self, sink: Arc<dyn EventSink>) {
        self.inner().watch(Arc::new(Watched {
            sink,
            settings: Arc::downgrade(&self.0.0),
        }));
    }
}

/// Passes events on, and sees in them what was reset by others.
struct Watched {
    sink: Arc<dyn EventSink>,
    /// Weak, since the backend holds its sink.
    settings: Weak<Shared>,
}

impl Watched {
    fn look_at(&self, event: &Event) {
        let tell: fn(&FutureSettings, &str) = match event.message.key() {
            "ResourcePoweringOn" | "ResourcePoweredOn" => FutureSettings::was_reset,
            "ResourceRemoved" => FutureSettings::forget,
            _ => return,
        };
        if let (Some(origin), Some(settings)) = (&event.origin, self.settings.upgrade()) {
            tell(&FutureSettings(settings), origin);
        }
    }
}

impl EventSink for Watched {
    fn publish(&self, event: Event) {
        self.look_at(&event);
        self.sink.publish(event);
    }

    fn publish_once(&self, event: Event, mark: Mark) {
        self.look_at(&event);
        self.sink.publish_once(event, mark);
    }

    fn kept_to(&self, journal: u64) -> Option<u64> {
        self.sink.kept_to(journal)
    }

    fn on_kept(&self, tell: Box<dyn Fn() + Send + Sync>) {
        self.sink.on_kept(tell);
    }
}
