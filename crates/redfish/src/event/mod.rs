//! Events: from whoever notices something to whoever wants to hear of it (DSP0266 "Eventing").
//!
//! ```text
//!   backend, parts ─► EventSink ─► Hub ─┬─► stream      server-sent events, one task a stream
//!                                numbers │
//!                                buffer  └─► delivery    POST to a destination: a state machine, driven by work.rs
//!                                 │  ▲                   connect.rs and push.rs alone do IO
//!                                 ▼  │ shown when on the disk
//!                                journal
//! ```
//!
//! An event is shown to readers when it is on the disk, with its number: so it has one `EventId` for everybody and ever,
//! also where the service is killed between any two steps, and who comes back after that goes on where he was.
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
pub use destination::{DestinationSettings, is_refused_destination};
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

use std::num::NonZeroU64;

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

/// The place of an event in a journal that its source keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Which journal.
    pub journal: u64,
    /// Its number there, greater than that of every earlier one.
    pub number: NonZeroU64,
}

/// Who wants to hear of events. Called on the thread of whoever noticed: must return at once and never block; who needs
/// more time queues (bounded) and returns.
pub trait EventSink: Send + Sync {
    /// One event.
    fn publish(&self, event: Event);

    /// An event that its source keeps until it is [kept here](Self::kept_to). It is published once, however often it is
    /// handed in, also where an earlier run of the service has published it. Those of a journal come in order.
    fn publish_once(&self, event: Event, mark: Mark) {
        let _ = mark;
        self.publish(event);
    }

    /// Up to which number the events of a journal are kept here over a crash: they need not be handed in again. `None`
    /// where nothing is kept over a crash.
    fn kept_to(&self, _journal: u64) -> Option<u64> {
        None
    }

    /// From now on calls `tell` when more is kept. It must return at once.
    fn on_kept(&self, _tell: Box<dyn Fn() + Send + Sync>) {}
}
