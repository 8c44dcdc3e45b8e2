//! What the service does: a snapshot for metrics pages.

use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;

use crate::Service;

/// How many requests were answered with a status of each class: 1xx first.
#[derive(Debug, Default)]
pub(crate) struct Answered([AtomicU64; 5]);

impl Answered {
    /// Counts one answer.
    pub(crate) fn count(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100);
        if let Some(count) = class.checked_sub(1).and_then(|class| self.0.get(class)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What a service did since it started and holds now. Taking one costs microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceFigures {
    /// How many requests were answered with a status of each class: 1xx first, 5xx last.
    pub answered: [u64; 5],
    /// Sessions of clients that are open.
    pub sessions: u64,
    /// Subscriptions to events.
    pub subscriptions: u64,
    /// Streams of server-sent events that are open.
    pub streams: u64,
    /// Events and metric reports that were published.
    pub events: u64,
    /// How often a reader was told that events may be lost to it, because it fell behind the buffer.
    pub events_lost: u64,
    /// Tasks that are kept, by their state as `TaskState` names it; states without tasks are there too.
    pub tasks: Vec<(&'static str, u64)>,
}

impl Service {
    /// What the service did so far and holds now.
    #[must_use]
    pub fn figures(&self) -> ServiceFigures {
        let events = self.events();
        let (published, lost) = events.hub.counts();
        ServiceFigures {
            answered: self
                .answered
                .0
                .each_ref()
                .map(|count| count.load(Ordering::Relaxed)),
            sessions: self.sessions().list().len() as u64,
            subscriptions: events.subscriptions.len() as u64,
            streams: events.streams.len() as u64,
            events: published,
            events_lost: lost,
            tasks: self.tasks().count_by_state(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_the_class_of_their_status() {
        let answered = Answered::default();
        for status in [100, 200, 204, 302, 404, 412, 418, 503] {
            answered.count(StatusCode::from_u16(status).unwrap());
        }
        // Beyond the classes that HTTP has.
        answered.count(StatusCode::from_u16(999).unwrap());
        let counts = answered.0.map(AtomicU64::into_inner);
        assert_eq!(counts, [1, 2, 1, 3, 1]);
    }
}
