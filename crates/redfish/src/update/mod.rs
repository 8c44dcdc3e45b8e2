//! Updates of firmware: how an image comes in, when it is installed, and the task that tells of it.
//!
//! The service takes images and keeps order; a backend that can install them says so with
//! [`Backend::updater`](crate::Backend::updater). Without one, nothing of this is announced.

mod busy;
mod fetch;
mod image;
mod multipart;
mod push;
mod run;
mod simple;
mod staged;

use busy::Installing;
pub use fetch::{FETCH_ANSWER_S, FETCH_IDLE_S, MAX_FETCH_S};
pub use image::{Image, MAX_IMAGE_BYTES, MAX_IMAGES};
pub(crate) use image::{Intake, IntakeError};
pub(crate) use multipart::MultipartError;
pub use push::{MIN_UPLOAD_BYTES_PER_S, UPLOAD_IDLE_S};
use run::Installer;
pub use simple::MAX_FETCHES_AT_ONCE;
pub use staged::MAX_STAGED_S;
use staged::{Staged, Waiting};

use std::path::PathBuf;
use std::sync::Arc;

use redfish_schema::OperationApplyTime;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use crate::caller::Caller;
use crate::error::Error;
use crate::event::{Connector, DestinationSettings};
use crate::message;
use crate::store::{Store, StoreError};
use crate::task::{Handle, Order, State, Tasks};
use crate::{Backend, BackendFuture, Failure, Path};

/// The most targets of one update.
pub const MAX_TARGETS: usize = 256;

/// How many machines get an image at a time. The others wait.
pub const MAX_UPDATES_AT_ONCE: usize = 16;

/// A backend that installs images.
pub trait Updater: Send + Sync {
    /// The longest image that it takes, in bytes; at most [`MAX_IMAGE_BYTES`].
    fn longest_image(&self) -> u64 {
        MAX_IMAGE_BYTES
    }

    /// Whether an installation can be called off while it is under way.
    fn can_stop(&self) -> bool {
        false
    }

    /// Whether an image can be installed on all of these: resources by their paths. Asked before the image is taken.
    ///
    /// # Errors
    /// [`Failure`] says which can't be updated.
    fn check(&self, targets: &[Path]) -> Result<(), Failure>;

    /// Everything that can be updated, one path for each machine: an image without targets is offered to all of them.
    fn all(&self) -> Vec<Path>;

    /// Which machine a target is a part of. A machine gets one image at a time.
    fn machine(&self, target: &Path) -> String {
        target.to_string()
    }

    /// Installs an image on one target. Done or failed, the machine is left able to take another one.
    fn update<'a>(&'a self, update: &'a Update) -> BackendFuture<'a, Installed>;
}

/// How an installation ended that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installed {
    /// The new firmware runs.
    Done,
    /// The machine has it already, and nobody insisted (`ForceUpdate`). Nothing was changed.
    UpToDate,
    /// The image is for other machines, for this reason. Nothing was changed.
    NotForIt(String),
    /// It was called off, and nothing was changed.
    Stopped,
}

/// One installation.
pub struct Update {
    /// Where to.
    pub target: Path,
    /// What.
    pub image: Image,
    /// Also if the machine thinks that it needs none (`ForceUpdate`).
    pub force: bool,
    task: Arc<Handle>,
    whole: Arc<Handle>,
    /// How much of the task was done before this, in percent.
    before: u8,
}

impl std::fmt::Debug for Update {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Update")
            .field("target", &self.target)
            .field("force", &self.force)
            .finish_non_exhaustive()
    }
}

impl Update {
    /// How to say how far it is, and to hear whether it should stop, from any thread.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress {
            task: Arc::clone(&self.task),
            whole: Arc::clone(&self.whole),
            before: self.before,
        }
    }
}

/// How far an installation is.
#[derive(Clone)]
pub struct Progress {
    task: Arc<Handle>,
    whole: Arc<Handle>,
    before: u8,
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}

impl Progress {
    /// Says how far it is, in percent.
    pub fn tell(&self, percent: u8) {
        self.task.progress(after(self.before, percent));
    }

    /// Whether somebody has called it off.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.whole.is_cancelled()
    }
}

/// How much of a task is done of which `before` percent were done already, and `percent` of the rest since.
fn after(before: u8, percent: u8) -> u8 {
    let rest = u16::from(100_u8.saturating_sub(before));
    let since = rest * u16::from(percent.min(100)) / 100;
    before.saturating_add(u8::try_from(since).unwrap_or(100))
}

/// The engine of the update service.
pub(crate) struct Updates {
    tasks: Tasks,
    backend: Arc<dyn Backend>,
    folder: PathBuf,
    connector: Arc<Connector>,
    images: Arc<Semaphore>,
    fetches: Arc<Semaphore>,
    staged: Waiting,
    installing: Installing,
}

/// What a client wants of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) origin: Origin,
    pub(crate) targets: Vec<Path>,
    pub(crate) force: bool,
    /// Wait for `StartUpdate`.
    pub(crate) is_staged: bool,
}

/// How an image has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Origin {
    /// In a multipart push.
    #[default]
    Pushed,
    /// From this URI, which has no query.
    Fetched(String),
}

impl Origin {
    /// From `uri`. Its query may be what authorises whoever knows it: nobody is told.
    fn fetched(uri: &http::Uri) -> Self {
        let text = uri.to_string();
        let bare = text.split('?').next().unwrap_or_default();
        Self::Fetched(bare.to_owned())
    }

    /// What messages call the image, where its file has no name.
    fn name(&self) -> &str {
        match self {
            Self::Pushed => push::FILE,
            Self::Fetched(uri) => uri,
        }
    }
}

impl Asked {
    /// `UpdateParameters`: JSON that nobody has checked.
    pub(crate) fn parse(parameters: &Map<String, Value>) -> Result<Self, Error> {
        let mut asked = Self::default();
        let mut faults = Vec::new();
        for (name, value) in parameters {
            let about = format!("/{name}");
            let shown = || crate::fault::shorten(value.to_string());
            match (name.as_str(), value) {
                ("Targets", Value::Array(items)) if items.len() <= MAX_TARGETS => {
                    for item in items {
                        match item.as_str().map(Path::parse) {
                            Some(Ok(path)) if !asked.targets.contains(&path) => {
                                asked.targets.push(path);
                            }
                            Some(Ok(_)) => {}
                            _ => faults.push(
                                message::property_value_format_error(item.to_string(), name)
                                    .about(&about),
                            ),
                        }
                    }
                }
                ("ForceUpdate", Value::Bool(force)) => asked.force = *force,
                (crate::action::APPLY_TIME, Value::String(word)) => {
                    match OperationApplyTime::from_word(word) {
                        Some(OperationApplyTime::Immediate) => {}
                        Some(OperationApplyTime::OnStartUpdateRequest) => asked.is_staged = true,
                        _ => faults
                            .push(message::property_value_not_in_list(shown(), name).about(&about)),
                    }
                }
                ("Targets", Value::Array(_)) => {
                    faults.push(message::property_value_out_of_range(shown(), name).about(&about));
                }
                ("Targets" | "ForceUpdate" | crate::action::APPLY_TIME, _) => {
                    faults.push(message::property_value_type_error(shown(), name).about(&about));
                }
                (other, _) if other.starts_with("@odata.") => {}
                (other, _) => faults.push(message::property_unknown(other).about(&about)),
            }
        }
        if faults.is_empty() {
            Ok(asked)
        } else {
            Err(Error::Faults(faults))
        }
    }
}

impl Updates {
    pub(crate) fn new(
        tasks: &Tasks,
        backend: &Arc<dyn Backend>,
        store: &Store,
        servers: DestinationSettings,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            tasks: tasks.clone(),
            backend: Arc::clone(backend),
            folder: store.folder(),
            connector: Connector::new(servers)?,
            images: Arc::new(Semaphore::new(MAX_IMAGES)),
            fetches: Arc::new(Semaphore::new(MAX_FETCHES_AT_ONCE)),
            staged: Waiting::default(),
            installing: Installing::default(),
        })
    }

    pub(crate) fn updater(&self) -> Option<&dyn Updater> {
        self.backend.updater()
    }

    pub(crate) fn has_inventory(&self) -> bool {
        self.backend.has_firmware_inventory()
    }

    /// The longest image that is taken, in bytes.
    pub(crate) fn longest_image(&self) -> u64 {
        let longest = self.updater().map(Updater::longest_image);
        longest.unwrap_or_default().min(MAX_IMAGE_BYTES)
    }

    /// Begins to take an image that messages call `name`.
    pub(crate) fn intake(&self, name: &str) -> Result<Intake, Failure> {
        let place = Arc::clone(&self.images).try_acquire_owned();
        let place = place.map_err(|_| Failure::Unavailable { retry_after_s: 60 })?;
        Intake::new(&self.folder, name, self.longest_image(), place).map_err(|error| {
            Failure::NotStored {
                reason: format!("the image can't be written: {error}"),
            }
        })
    }

    /// Whether this can be done at all.
    pub(crate) fn check(&self, asked: &Asked) -> Result<(), Failure> {
        let updater = self.updater().ok_or(Failure::NotFound)?;
        if asked.targets.is_empty() && updater.all().len() > MAX_TARGETS {
            let missing = message::property_missing("Targets").about("/Targets");
            let missing = missing.with_resolution(format!(
                "Name the targets, at most {MAX_TARGETS}: the service has more machines than it updates at a time."
            ));
            return Err(Failure::Messages(vec![missing]));
        }
        updater.check(&asked.targets)
    }

    /// Installs an image, or keeps it for `StartUpdate`. The number of the task is the answer.
    pub(crate) async fn accept(&self, order: Order, asked: Asked, image: Image) -> u64 {
        let state = if asked.is_staged {
            State::Pending
        } else {
            State::Running
        };
        let can_stop = asked.is_staged || self.can_stop(&asked);
        let task = self.tasks.begin(order.record(state), can_stop).await;
        let id = task.id();
        let staged = Staged {
            task,
            asked,
            image,
            percent: 0,
        };
        if staged.asked.is_staged {
            self.staged.push(staged);
        } else {
            self.spawn(staged);
        }
        id
    }

    /// Whether an installation can be called off that is under way: as such, or between two machines.
    fn can_stop(&self, asked: &Asked) -> bool {
        asked.targets.len() != 1 || self.updater().is_some_and(Updater::can_stop)
    }

    /// Whether HTTP without TLS may be used to fetch images.
    pub(crate) fn may_fetch_clear(&self) -> bool {
        self.connector.settings().allow_clear_text
    }

    /// Starts what waits for it.
    pub(crate) async fn start(&self) -> Result<(), Failure> {
        let mut started = 0_usize;
        for staged in self.staged.take_all() {
            // One that was called off meanwhile takes its image with it.
            if staged.task.resume().await {
                started += 1;
                self.spawn(staged);
            }
        }
        if started == 0 {
            let nothing = message::no_operation().with_resolution(
                "No update waits for this. Push an image, or have it fetched, with @Redfish.OperationApplyTime set to \
                 OnStartUpdateRequest first.",
            );
            return Err(Failure::Messages(vec![nothing]));
        }
        Ok(())
    }

    /// Lets go of images whose updates were called off.
    pub(crate) fn sweep(&self) {
        self.staged.sweep();
    }

    fn spawn(&self, staged: Staged) {
        tokio::spawn(self.installer().run(staged));
    }

    fn installer(&self) -> Installer {
        Installer {
            backend: Arc::clone(&self.backend),
            installing: self.installing.clone(),
        }
    }
}

/// Who asks for an update by this request.
pub(crate) fn order(caller: &Caller, target: &str, parameters: &Map<String, Value>) -> Order {
    Order {
        caller: caller.clone(),
        request: crate::task::Request::new("POST", target, &Value::Object(parameters.clone())),
    }
}
