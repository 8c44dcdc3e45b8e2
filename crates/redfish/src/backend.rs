//! What stands behind the service: the seam to everything that isn't HTTP.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use redfish_schema::{Action, CheckedCreate, CheckedParameters, CheckedPatch, OperationApplyTime};

use crate::{Document, EventSink, Failure, Path, Template, Updater};

/// What a [`Backend`] answers with. Boxed, so that the service can hold any backend as `dyn Backend`.
pub type BackendFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// A source of resources.
///
/// The service asks it for every path that it doesn't serve itself. Who asks and whether he may is settled
/// before; so is the form of a body: a backend is given proof types and never JSON that nobody has checked.
/// A `get` is expected to answer from memory, in microseconds.
pub trait Backend: Send + Sync + 'static {
    /// The links from the service root into this backend, in the order in which they are shown.
    fn roots(&self) -> &[RootLink];

    /// Where this backend may have resources: what `/redfish/v1/openapi.yaml` says of it.
    fn templates(&self) -> &'static [Template] {
        &[]
    }

    /// The resource at `path`; a collection with all its members, of which the service makes pages.
    fn get<'a>(&'a self, path: &'a Path) -> BackendFuture<'a, Document>;

    /// Changes the resource at `path`. The service has read the resource just before, has checked the patch against its
    /// type, and has [merged](CheckedPatch::onto) it with what is there: an array in it is the whole new array.
    ///
    /// All of it is done, or none, or the outcome [says](Outcome::Partly) what isn't. After
    /// [`Failure::PropertyNotWritable`] the service asks again without that property.
    fn patch<'a>(&'a self, path: &'a Path, patch: &'a CheckedPatch) -> BackendFuture<'a, Outcome>;

    /// Whether [`patch`](Self::patch) would take this, as far as that is known without asking the machine. The service
    /// asks before it keeps settings of a resource that is [`settable_later`](Document::settable_later).
    ///
    /// # Errors
    /// [`Failure`] as of a `patch`.
    fn check(&self, _path: &Path, _patch: &CheckedPatch) -> Result<(), Failure> {
        Err(Failure::NotChangeable)
    }

    /// Invokes an action of the resource at `path`. The service has checked that the resource shows the
    /// action, and the parameters against the schema and the resource's allowable values.
    fn action<'a>(&'a self, path: &'a Path, call: &'a ActionCall) -> BackendFuture<'a, Outcome>;

    /// Adds a member to the collection at `path`, which said that it takes [new members](Document::insertable). The
    /// answer is the new member's path.
    fn create<'a>(&'a self, _path: &'a Path, _new: &'a CheckedCreate) -> BackendFuture<'a, String> {
        Box::pin(std::future::ready(Err(Failure::NotChangeable)))
    }

    /// Removes the resource at `path`, which said that it is [`deletable`](Document::deletable).
    fn delete<'a>(&'a self, _path: &'a Path) -> BackendFuture<'a, ()> {
        Box::pin(std::future::ready(Err(Failure::NotChangeable)))
    }

    /// Whether it has an inventory of firmware at `/redfish/v1/UpdateService/FirmwareInventory`.
    fn has_firmware_inventory(&self) -> bool {
        false
    }

    /// What installs firmware, if the backend can. Without it the service takes no images.
    fn updater(&self) -> Option<&dyn Updater> {
        None
    }

    /// From now on tells `sink` what happens to its resources, for as long as the backend lives. Called once. A backend
    /// whose resources change by requests only has nothing to tell.
    fn watch(&self, _sink: Arc<dyn EventSink>) {}
}

/// One link of the service root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootLink {
    /// The property of the service root, `Systems`.
    pub name: &'static str,
    /// Where it leads, `/redfish/v1/Systems`.
    pub uri: &'static str,
}

/// An action with parameters that fit it.
#[derive(Debug)]
pub struct ActionCall {
    /// Which action.
    pub action: &'static Action,
    /// Its parameters, checked against the schema.
    pub parameters: CheckedParameters,
    /// When to carry it out, if the client said so and the resource announces it in `@Redfish.OperationApplyTimeSupport`.
    /// `AtMaintenanceWindowStart` never gets here: the service waits for its window and calls then.
    pub apply_time: Option<OperationApplyTime>,
}

/// How a change ended that didn't fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done: a GET shows the new state, or will as soon as the machine is there.
    Done,
    /// It is done, and this JSON object is what the action answers.
    Answer(Bytes),
    /// Some of a PATCH is done. This is not, and there is at least one.
    Partly(Vec<NotDone>),
}

/// A property that a PATCH could not change, while it changed others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotDone {
    /// JSON pointer into the body, `/Boot/BootSourceOverrideMode`.
    pub pointer: String,
    /// Why.
    pub failure: Failure,
}
