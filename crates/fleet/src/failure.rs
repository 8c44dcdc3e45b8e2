//! What becomes of a shard whose engine panics: a defect of this program, met while one BMC was dealt with.
//!
//! What such an engine knows of its own state can't be relied on any more, but each BMC's address, login and inventory can: another engine
//! on the same thread and socket goes on with them ([`Engine::salvage`], [`Engine::resume`]). Readings are stale until they
//! are read again, commands under way are told as failed. The BMC that was dealt with when it happened is left alone for
//! [`LEFT_ALONE`], for it may do the same again. Where it happens too often the thread ends, its nodes are shown as down, and
//! [`Fleet::has_failed`](crate::Fleet::has_failed) has the whole service end: started anew, it begins with a sound state.

use std::any::Any;
use std::collections::VecDeque;
use std::time::Duration;

use ipmi::time::Instant;

use crate::engine::Engine;
use crate::figures::ShardFigures;

/// How long the BMC is left alone that was dealt with when an engine failed.
pub(crate) const LEFT_ALONE: Duration = Duration::from_secs(3_600);

/// How often in [`WITHIN`] a shard begins anew. One BMC alone brings it to one.
pub(crate) const ANEW_MAX: usize = 5;

/// See [`ANEW_MAX`].
const WITHIN: Duration = Duration::from_secs(3_600);

/// Why nodes are down whose thread has ended.
pub(crate) const GIVEN_UP: &str =
    "the service failed too often while it talked with BMCs; it has to be started anew";

/// Why commands fail that waited when an engine failed.
pub(crate) const BROKEN_OFF: &str =
    "the service failed while it dealt with BMCs, before this was sent; the log has the cause";

/// When a shard's engines failed, in the last hour.
#[derive(Debug, Default)]
pub(crate) struct Failures(VecDeque<Instant>);

impl Failures {
    /// Takes note of a failure; whether the shard may go on.
    pub(crate) fn may_begin_anew(&mut self, now: Instant) -> bool {
        self.0.retain(|at| now.since(*at) < WITHIN);
        if self.0.len() >= ANEW_MAX {
            return false;
        }
        self.0.push_back(now);
        true
    }
}

/// What a panic said.
pub(crate) fn cause(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without words").to_owned()
}

/// What an engine counted that has failed: its sessions are lost.
pub(crate) fn figures_of_failed(engine: &Engine) -> ShardFigures {
    let mut figures = engine.figures();
    figures.counters.sessions_lost += figures.sessions();
    figures.counters.restarts += 1;
    ShardFigures {
        counters: figures.counters,
        round_trips: figures.round_trips,
        ..ShardFigures::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_begins_anew_a_bounded_number_of_times_an_hour() {
        let at = |minutes: u64| Instant::ORIGIN + Duration::from_secs(60 * minutes);
        let mut failures = Failures::default();
        assert!((0..5).all(|minute| failures.may_begin_anew(at(minute))));
        assert!(!failures.may_begin_anew(at(59)));
        assert!(failures.may_begin_anew(at(60)), "the first was an hour ago");
        assert!(!failures.may_begin_anew(at(60)));
    }

    #[test]
    fn what_a_panic_said_is_the_cause() {
        assert_eq!(cause(&"words"), "words");
        assert_eq!(cause(&"words".to_owned()), "words");
        assert_eq!(cause(&7), "a panic without words");
    }
}
