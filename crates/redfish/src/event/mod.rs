//! Events: from whoever notices something to whoever wants to hear of it (DSP0266 "Eventing").
//!
//! ```text
//!   backend, parts ─► EventSink ─► Hub ─┬─► stream      server-sent events, one task a stream
//!                                numbers │
//!                                buffer  └─► delivery    POST to a destination: a state machine, driven by work.rs
//!                                                        connect.rs and push.rs alone do IO
//! ```
//!
//! Metric reports of the telemetry service take the same way, to whoever asked for them instead of events.
//!
//! The hub keeps the newest events in one bounded buffer. Readers have no queue of their own: each remembers how far it
//! has read, so a slow one costs nothing, and one that was overtaken is told that events may be lost.

mod connect;
mod delivery;
mod destination;
mod filter;
mod hub;
mod import;
mod journal;
mod push;
mod record;
mod service;
mod stream;
mod subscription;
mod work;

pub use delivery::{LONGEST_BACKOFF_S, MAX_EVENTS_TOGETHER};
pub use destination::DestinationSettings;
pub use hub::{MAX_BUFFERED_EVENTS, MAX_BUFFERED_REPORT_BYTES, MAX_BUFFERED_REPORTS};
pub use stream::{
    MAX_EVENT_STREAMS, MAX_EVENT_STREAMS_OF_ACCOUNT, STREAM_COMMENT_INTERVAL_S, STREAM_PATIENCE_S,
};
pub use subscription::{MAX_FILTER_ITEMS, MAX_HEADERS_BYTES, MAX_SUBSCRIPTIONS};
pub use work::MAX_DELIVERIES_AT_ONCE;

pub(crate) use connect::{ConnectError, Connector};
pub(crate) use delivery::Standing;
pub(crate) use destination::{Destination, DestinationError};
pub(crate) use filter::{EventFilter, MessageRef, is_at};
pub(crate) use hub::{Content, Hub, now};
pub(crate) use import::Import;
pub(crate) use record::{Record, event_type_of, health};
pub(crate) use service::Events;
pub(crate) use stream::{Opening, Stream, StreamBody, StreamError, Streams, Watch};
pub(crate) use subscription::{
    Definition, Format, Header, RetryPolicy, Subscription, Subscriptions,
};

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
