//! The seam: what every source of machines offers.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;

use crate::{ApplyError, Change, LogJournal, Node, NodeId, Topology};

/// The outcome of a change, some time later. Ends within the source's own time limit, never hangs.
pub type ApplyFuture = Pin<Box<dyn Future<Output = Result<(), ApplyError>> + Send>>;

/// Something about the machines changed.
#[derive(Clone, Debug)]
pub enum Update {
    /// A node is known from now on.
    Added(Arc<Node>),
    /// A node's new snapshot: readings, power, link, log or anything else may differ.
    Changed {
        /// The snapshot before.
        before: Arc<Node>,
        /// The snapshot now.
        after: Arc<Node>,
    },
    /// Another machine has a node's name from now on, or what may be one: the name has another controller. What was meant
    /// for the machine before is not meant for this one.
    Replaced {
        /// The last snapshot of the machine before.
        before: Arc<Node>,
        /// The snapshot of the one that has the name now.
        after: Arc<Node>,
    },
    /// A node is no longer part of the source; its last snapshot. No other update of it follows.
    Removed(Arc<Node>),
    /// Enclosures changed.
    Topology,
    /// There is more in the source's [`LogJournal`].
    LogNews,
}

/// Who wants to hear of updates. Called on the source's own thread: must return at once and never block;
/// who needs more time queues (bounded) and returns.
pub trait Observer: Send + Sync {
    /// One update.
    fn updated(&self, update: &Update);
}

/// A source of machines: virtual ones, an IPMI fleet, an OpenBMC.
///
/// Snapshots out ([`Self::node`]), changes in ([`Self::apply`]), updates out ([`Self::observe`]). Every method but the
/// future of `apply` returns at once from memory: a reader never waits for a machine.
pub trait Hardware: Send + Sync {
    /// The names of all nodes, sorted as people expect (`Node2` before `Node10`). Cheap: shared, not built.
    fn node_ids(&self) -> Arc<[NodeId]>;

    /// The newest snapshot of a node; `None` where there is no such node.
    fn node(&self, id: &str) -> Option<Arc<Node>>;

    /// The enclosures.
    fn topology(&self) -> Arc<Topology>;

    /// Asks for a change. When the future ends well, the machine has acknowledged it and the next snapshot of
    /// the node shows it (or what the machine made of it).
    fn apply(&self, id: &NodeId, change: Change) -> ApplyFuture;

    /// From now on tells `observer` every update, for as long as the source lives.
    fn observe(&self, observer: Arc<dyn Observer>);

    /// The journal of event logs, which says what is news in them. A source without one knows only what it sees: news is by
    /// what entries a snapshot differs from the one before.
    fn log_journal(&self) -> Option<&dyn LogJournal> {
        None
    }
}
