//! What happened: the seam between whoever notices something and whoever wants to hear of it.

use crate::Message;

/// Something that happened to a resource (DSP0266 "Eventing").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened, in the words of a message registry.
    pub message: Message,
    /// The path of the resource that it happened to, `/redfish/v1/Systems/Node1`.
    pub origin: Option<String>,
    /// The name of that resource's type, `ComputerSystem`.
    pub resource_type: Option<&'static str>,
}

/// Who wants to hear of events. Called on the thread of whoever noticed: must return at once and never block; who needs
/// more time queues (bounded) and returns.
pub trait EventSink: Send + Sync {
    /// One event.
    fn publish(&self, event: Event);
}
