//! What a caller may do, and what he may see of a document (DSP0266 "Privilege model").

use crate::caller::Caller;
use crate::error::Error;
use crate::privilege::Operation;
use crate::privilege::map::Holder;
use crate::{Document, Path, Service};

impl Service {
    /// Whether the caller may do `operation` to the document at `path`.
    pub(crate) fn may(
        &self,
        caller: &Caller,
        path: &Path,
        document: &Document,
        operation: Operation,
    ) -> bool {
        let kind = document.resource().name;
        let map = self.accounts.privilege_map();
        map.permits(self.holder(caller, path), kind, path.as_str(), operation)
    }

    /// The same for what is at `uri`, is no resource, and needs what a resource of the type `kind` would.
    pub(crate) fn may_beside(
        &self,
        caller: &Caller,
        kind: &str,
        uri: &str,
        operation: Operation,
    ) -> bool {
        let holder = Holder {
            has: caller.privileges(),
            owns: false,
        };
        let map = self.accounts.privilege_map();
        map.permits(holder, kind, uri, operation)
    }

    /// Whether the caller may do `operation` to each of these properties of the document at `path`.
    pub(crate) fn may_each<'p>(
        &self,
        caller: &Caller,
        path: &Path,
        document: &Document,
        operation: Operation,
        properties: impl IntoIterator<Item = &'p str>,
    ) -> bool {
        let (kind, holder) = (document.resource().name, self.holder(caller, path));
        let map = self.accounts.privilege_map();
        let may = |name| map.permits_property(holder, kind, path.as_str(), operation, name);
        properties.into_iter().all(may)
    }

    /// Whether the caller may do `operation` to anything at all of the document at `path`.
    pub(crate) fn may_some(
        &self,
        caller: &Caller,
        path: &Path,
        document: &Document,
        operation: Operation,
    ) -> bool {
        let (kind, holder) = (document.resource().name, self.holder(caller, path));
        let map = self.accounts.privilege_map();
        map.permits_something(holder, kind, path.as_str(), operation)
    }

    /// The document at `path` as the caller may see it: without the properties that his role may not read.
    pub(crate) async fn document_for(
        &self,
        caller: &Caller,
        path: &Path,
    ) -> Result<Document, Error> {
        let document = self.document(path).await?;
        let hidden = self.hidden(caller, path, document.resource().name);
        Ok(document.without(&hidden))
    }

    /// Which properties of the resource of type `kind` at `path` the caller may not read.
    pub(crate) fn hidden(&self, caller: &Caller, path: &Path, kind: &str) -> Vec<String> {
        let overrides = &self.accounts.privilege_map().mapping(kind).properties;
        if overrides.is_empty() {
            return Vec::new();
        }
        let holder = self.holder(caller, path);
        overrides
            .iter()
            .filter(|other| !holder.meets(other.operations.of(Operation::Get)))
            .flat_map(|other| other.targets.iter().cloned())
            .collect()
    }

    fn holder(&self, caller: &Caller, path: &Path) -> Holder {
        Holder {
            has: caller.privileges(),
            owns: self.owns(caller, path),
        }
    }

    /// Whether it is the caller's own account or session.
    pub(crate) fn owns(&self, caller: &Caller, path: &Path) -> bool {
        match *path.segments() {
            ["AccountService", "Accounts", id] => id == caller.account_id(),
            ["SessionService", "Sessions", id] => self
                .sessions
                .by_id(id)
                .is_some_and(|session| session.account_id == caller.account_id()),
            ["TaskService", "Tasks", id] | ["TaskService", "Tasks", id, "SubTasks", ..] => {
                self.parts.tasks.is_of(id, caller)
            }
            ["EventService", "Subscriptions", id] => self.parts.event_service.is_of(id, caller),
            _ => false,
        }
    }
}
