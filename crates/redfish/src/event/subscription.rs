//! Subscriptions: what clients ask for, kept in the store, with the state of their delivery.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use http::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};
use zeroize::Zeroize;

use super::delivery::Delivery;
use super::hub::Content;
use super::{EventFilter, Standing};
use crate::caller::Owner;

/// How many subscriptions with a destination there are at most.
pub const MAX_SUBSCRIPTIONS: usize = 128;
/// How many entries each list of a subscription's filter has at most.
pub const MAX_FILTER_ITEMS: usize = 128;
/// How long all `HttpHeaders` of a subscription are together at most, names and values, in bytes.
pub const MAX_HEADERS_BYTES: usize = 8192;

/// What happens when a destination doesn't take its events (DSP0268 "EventDestination", `DeliveryRetryPolicy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RetryPolicy {
    TerminateAfterRetries,
    SuspendRetries,
    RetryForever,
    RetryForeverWithBackoff,
}

/// What a payload holds (DSP0268 "EventDestination", `EventFormatType`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Format {
    /// Events, many in one payload.
    #[default]
    Event,
    /// One metric report.
    MetricReport,
}

/// A header that is sent with every payload. Its value may be a secret: it is never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) name: String,
    value: String,
}

/// What a client asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Definition {
    pub(crate) destination: String,
    pub(crate) context: Option<String>,
    pub(crate) filter: EventFilter,
    pub(crate) headers: Vec<Header>,
    pub(crate) verify_certificate: bool,
    pub(crate) retry_policy: RetryPolicy,
    /// How often a heartbeat is sent, in minutes.
    pub(crate) heartbeat_min: Option<u16>,
    /// Who subscribed.
    pub(crate) owner: Owner,
    /// Somebody suspended it, or it failed too often.
    pub(crate) is_suspended: bool,
    #[serde(default)]
    pub(crate) format: Format,
    /// Paths of the definitions whose metric reports are wanted; none stands for all.
    #[serde(default)]
    pub(crate) report_definitions: Vec<String>,
}

impl Definition {
    /// Whether the subscriber wants it.
    pub(crate) fn wants(&self, content: &Content) -> bool {
        match (self.format, content) {
            (Format::Event, Content::Event(record)) => self.filter.accepts(record),
            (Format::MetricReport, Content::Report { definition, .. }) => {
                let wanted = &self.report_definitions;
                wanted.is_empty() || definition.as_ref().is_some_and(|d| wanted.contains(d))
            }
            _ => false,
        }
    }
}

/// One subscription with a destination.
pub(crate) struct Subscription {
    id: String,
    definition: RwLock<Arc<Definition>>,
    delivery: Mutex<Delivery>,
    /// Its definition or standing is another.
    changed: Notify,
}

/// All of them.
pub(crate) struct Subscriptions {
    by_id: RwLock<BTreeMap<u64, Arc<Subscription>>>,
    /// Counts changes of the list.
    changes: watch::Sender<u64>,
}

impl Header {
    /// A header that a client may have sent.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn new(name: &str, value: &str) -> Result<Self, &'static str> {
        /// What the service itself says, and what rules the connection.
        const OURS: [&str; 11] = [
            "connection",
            "content-encoding",
            "content-length",
            "content-type",
            "expect",
            "host",
            "keep-alive",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
        ];
        let parsed = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| "The name of a header has letters, digits and -.")?;
        if OURS.contains(&parsed.as_str()) {
            return Err("The service sets this header itself.");
        }
        HeaderValue::from_str(value)
            .map_err(|_| "The value of a header has no line breaks and no control characters.")?;
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }

    /// Its length, name and value together.
    pub(crate) const fn len(&self) -> usize {
        self.name.len() + self.value.len()
    }

    /// As a client sent it. The value may be a secret: it goes into no response.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ &self.name: &self.value })
    }

    /// As HTTP has it; a value that may be a secret is marked as one.
    pub(crate) fn parsed(&self) -> Option<(HeaderName, HeaderValue)> {
        let name = HeaderName::from_bytes(self.name.as_bytes()).ok()?;
        let mut value = HeaderValue::from_str(&self.value).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    }
}

impl Drop for Header {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ...", self.name)
    }
}

impl Subscription {
    fn new(id: String, definition: Definition, delivery: Delivery) -> Self {
        Self {
            id,
            definition: RwLock::new(Arc::new(definition)),
            delivery: Mutex::new(delivery),
            changed: Notify::new(),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn definition(&self) -> Arc<Definition> {
        Arc::clone(
            &self
                .definition
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    pub(crate) fn delivery(&self) -> MutexGuard<'_, Delivery> {
        self.delivery.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes another definition.
    pub(crate) fn redefine(&self, definition: Definition) {
        *self
            .definition
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(definition);
        self.changed.notify_one();
    }

    /// Changes the delivery, and tells whoever drives it.
    pub(crate) fn direct(&self, change: impl FnOnce(&mut Delivery)) {
        change(&mut self.delivery());
        self.changed.notify_one();
    }

    /// Ends when the definition or the standing has changed.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Subscriptions {
    /// With those that were stored.
    pub(crate) fn new(stored: Vec<(u64, Definition, Delivery)>) -> Self {
        let subscription = |(id, definition, delivery): (u64, Definition, Delivery)| {
            (
                id,
                Arc::new(Subscription::new(id.to_string(), definition, delivery)),
            )
        };
        Self {
            by_id: RwLock::new(stored.into_iter().map(subscription).collect()),
            changes: watch::Sender::new(0),
        }
    }

    /// All of them, oldest first.
    pub(crate) fn list(&self) -> Vec<Arc<Subscription>> {
        self.read(|by_id| by_id.values().cloned().collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.read(BTreeMap::len)
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Subscription>> {
        let number = id.parse().ok()?;
        let found = self.read(|by_id| by_id.get(&number).cloned());
        // 007 is no spelling of 7.
        found.filter(|subscription| subscription.id == id)
    }

    /// Adds one. It gets what happens after the event number `after`.
    pub(crate) fn add(&self, id: u64, definition: Definition, after: u64) {
        let delivery = Delivery::new(Standing::Active, after, false);
        let subscription = Subscription::new(id.to_string(), definition, delivery);
        let mut by_id = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        by_id.insert(id, Arc::new(subscription));
        drop(by_id);
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Removes one and ends its delivery.
    pub(crate) fn remove(&self, id: &str) {
        let Some(number) = id.parse::<u64>().ok() else {
            return;
        };
        let mut by_id = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        let removed = by_id.remove(&number);
        drop(by_id);
        if let Some(removed) = removed {
            removed.direct(Delivery::end);
        }
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Tells when the list has changed.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn read<T>(&self, look: impl FnOnce(&BTreeMap<u64, Arc<Subscription>>) -> T) -> T {
        look(&self.by_id.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_breaks_the_request_or_is_ours_is_refused() {
        assert!(Header::new("Authorization", "Bearer abc").is_ok());
        for (name, value) in [
            ("X-A", "a\r\nHost: b"),
            ("X-A", "a\nb"),
            ("X-A", "\0"),
            ("X A", "a"),
            ("X-A:", "a"),
            ("X\r\nY", "a"),
            ("", "a"),
            ("Host", "a"),
            ("content-LENGTH", "5"),
            ("Transfer-Encoding", "chunked"),
        ] {
            assert!(Header::new(name, value).is_err(), "{name}: {value}");
        }
    }

    #[test]
    fn a_header_never_shows_its_value() {
        let header = Header::new("Authorization", "Bearer abc").unwrap();
        assert!(!format!("{header:?}").contains("abc"));
        let (_, value) = header.parsed().unwrap();
        assert!(value.is_sensitive() && !format!("{value:?}").contains("abc"));
    }
}
