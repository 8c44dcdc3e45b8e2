//! The parts of the tree that are the service's own: sessions, accounts, events, tasks and so on.

use redfish_schema::{CheckedCreate, CheckedPatch};
use serde_json::{Map, Value};

use crate::caller::Caller;
use crate::task::Order;
use crate::{ActionCall, Backend, BackendFuture, Document, Failure, Outcome, Path};

/// One service below the root, `/redfish/v1/AccountService` for instance.
///
/// It is to the service what a [`Backend`](crate::Backend) is, and knows who asks. `rest` is the path below the part's
/// own. Who may ask and whether a body fits is settled before; a `get` answers from memory.
pub(crate) trait Part: Send + Sync {
    /// The resource at `rest`.
    fn get(&self, rest: &[&str]) -> Result<Document, Failure>;

    /// The resource at `rest`, where it takes the backend to know it: a collection that has the backend's members too,
    /// or a report of what the backend has. `None` where [`get`](Self::get) knows. `path` is the whole path.
    fn get_with<'a>(
        &'a self,
        _rest: &'a [&'a str],
        _path: &'a Path,
        _backend: &'a dyn Backend,
    ) -> Option<BackendFuture<'a, Document>> {
        None
    }

    /// What the resource at `rest` has in arrays that no response shows: what a PATCH of them builds on.
    fn not_shown(&self, _rest: &[&str]) -> Map<String, Value> {
        Map::new()
    }

    /// Changes the resource at `rest`, which said that it is [`changeable`](Document::changeable); as
    /// [`Backend::patch`](crate::Backend::patch) does.
    fn patch<'a>(
        &'a self,
        _rest: &'a [&'a str],
        _patch: &'a CheckedPatch,
        _caller: &'a Caller,
    ) -> BackendFuture<'a, Outcome> {
        Box::pin(std::future::ready(Err(Failure::NotChangeable)))
    }

    /// Adds a member to the collection at `rest`, which said that it takes [new members](Document::insertable). The
    /// new member's path is the answer.
    fn create<'a>(
        &'a self,
        _rest: &'a [&'a str],
        _new: &'a CheckedCreate,
        _caller: &'a Caller,
    ) -> BackendFuture<'a, Created> {
        Box::pin(std::future::ready(Err(Failure::NotChangeable)))
    }

    /// Removes the resource at `rest`, which said that it is [`deletable`](Document::deletable).
    fn delete<'a>(&'a self, _rest: &'a [&'a str], _caller: &'a Caller) -> BackendFuture<'a, ()> {
        Box::pin(std::future::ready(Err(Failure::NotChangeable)))
    }

    /// Whether the service tells of changes of the resource at `rest`; if not, the part does, or nobody wants to know.
    fn is_told(&self, _rest: &[&str]) -> bool {
        true
    }

    /// Begins an action that always goes on as a task, whose number is the answer. `None` of the others.
    fn begin<'a>(
        &'a self,
        _rest: &'a [&'a str],
        _call: &'a ActionCall,
        _order: &'a Order,
    ) -> Option<BackendFuture<'a, u64>> {
        None
    }

    /// Invokes an action that the resource at `rest` shows.
    fn action<'a>(
        &'a self,
        _rest: &'a [&'a str],
        _call: &'a ActionCall,
        _caller: &'a Caller,
    ) -> BackendFuture<'a, Outcome> {
        Box::pin(std::future::ready(Err(Failure::NotFound)))
    }
}

/// The absolute path of a resource that was added, `/redfish/v1/AccountService/Accounts/anna`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Created(pub(crate) String);
