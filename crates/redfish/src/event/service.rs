//! What stands behind the event service's resources.

use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, Notify, Semaphore};

use super::connect::Connector;
use super::delivery::{Delivery, Rules};
use super::journal::{Journal, PLACES, Place};
use super::push::Courier;
use super::{
    Definition, DestinationSettings, Event, EventSink as _, Hub, MAX_DELIVERIES_AT_ONCE,
    MAX_SUBSCRIPTIONS, Standing, Streams, Subscription, Subscriptions,
};
use crate::Failure;
use crate::message::resource_event;
use crate::resource::event_service;
use crate::store::{Batch, Store, StoreError, Table};

pub(super) const SUBSCRIPTIONS: Table = Table("subscriptions");
pub(super) const SETTINGS: Table = Table("settings");
pub(super) const SETTINGS_KEY: &str = "EventService";
/// The next subscription's `Id`: one that was removed is never used again.
pub(super) const IDS: Table = Table("subscription_ids");
pub(super) const IDS_KEY: &str = "next";

/// What clients can change of the event service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) is_enabled: bool,
    pub(crate) attempts: u32,
    pub(crate) interval_s: u32,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            is_enabled: true,
            attempts: 3,
            interval_s: 30,
        }
    }
}

/// Events, who gets them, and how.
pub(crate) struct Events {
    pub(crate) hub: Arc<Hub>,
    pub(crate) subscriptions: Arc<Subscriptions>,
    pub(crate) streams: Arc<Streams>,
    pub(super) journal: Journal,
    pub(super) courier: Courier,
    pub(super) turns: Semaphore,
    /// A destination has taken events: how far it has got is to be written.
    pub(super) delivered: Notify,
    kept: Arc<RwLock<Kept>>,
    store: Store,
    /// The next subscription's `Id`. Who adds one holds it, so that the bound holds too.
    next_id: Mutex<u64>,
}

impl Events {
    /// Takes up what the last run has left.
    ///
    /// # Errors
    /// [`StoreError`] if the state can't be read.
    pub(crate) fn open(
        settings: DestinationSettings,
        store: Store,
    ) -> Result<Arc<Self>, StoreError> {
        let (journal, before, mut places) = Journal::open(store.clone())?;
        let hub = Arc::new(Hub::new(before));
        let mut stored = Vec::new();
        for (id, definition) in store.load::<Definition>(SUBSCRIPTIONS)? {
            let standing = if definition.is_suspended {
                Standing::Suspended
            } else {
                Standing::Active
            };
            let delivery = match places.remove(&id) {
                Some(place) => Delivery::new(standing, place.sent_to, place.owes_loss),
                // Nothing says how far it has got.
                None => Delivery::new(standing, hub.newest(), true),
            };
            let id = id
                .parse()
                .map_err(|_| StoreError::Entry(format!("subscription {id}")))?;
            stored.push((id, definition, delivery));
        }
        let kept = stored_settings(&store)?;
        hub.enable(kept.is_enabled);
        let ids = store.load::<u64>(IDS)?;
        let next_id = ids
            .iter()
            .find(|(key, _)| key == IDS_KEY)
            .map_or(1, |(_, id)| *id);
        Ok(Arc::new(Self {
            streams: Streams::new(Arc::clone(&hub)),
            hub,
            subscriptions: Arc::new(Subscriptions::new(stored)),
            journal,
            courier: Courier::new(Connector::new(settings)?),
            turns: Semaphore::new(MAX_DELIVERIES_AT_ONCE),
            delivered: Notify::new(),
            kept: Arc::new(RwLock::new(kept)),
            store,
            next_id: Mutex::new(next_id),
        }))
    }

    pub(crate) fn settings(&self) -> &DestinationSettings {
        self.courier.settings()
    }

    /// What clients have set.
    pub(crate) fn kept(&self) -> Kept {
        *self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What counts for the delivery of a subscription.
    pub(super) fn rules(&self, definition: &Definition) -> Rules {
        let kept = self.kept();
        Rules {
            attempts: kept.attempts,
            interval_s: kept.interval_s,
            policy: definition.retry_policy,
            heartbeat_min: definition.heartbeat_min,
        }
    }

    /// Changes what clients can set.
    pub(crate) async fn keep(&self, new: Kept) -> Result<(), Failure> {
        let mut batch = Batch::default();
        batch.put(SETTINGS, SETTINGS_KEY, &new)?;
        let (kept, hub) = (Arc::clone(&self.kept), Arc::clone(&self.hub));
        let apply = move || {
            *kept.write().unwrap_or_else(PoisonError::into_inner) = new;
            hub.enable(new.is_enabled);
        };
        Ok(self.store.commit(batch, apply).await?)
    }

    /// Adds a subscription; the answer is its `Id`.
    pub(crate) async fn subscribe(&self, definition: Definition) -> Result<String, Failure> {
        let mut next_id = self.next_id.lock().await;
        if self.subscriptions.len() >= MAX_SUBSCRIPTIONS {
            return Err(Failure::LimitReached);
        }
        let id = *next_id;
        let mut batch = Batch::default();
        batch.put(SUBSCRIPTIONS, id.to_string(), &definition)?;
        batch.put(IDS, IDS_KEY, &(id + 1))?;
        let subscriptions = Arc::clone(&self.subscriptions);
        let after = self.hub.published_to();
        let place = Place {
            sent_to: after,
            owes_loss: false,
        };
        batch.put(PLACES, id.to_string(), &place)?;
        // Whether it is written or not, the id isn't used again.
        *next_id += 1;
        let apply = move || subscriptions.add(id, definition, after);
        self.store.commit(batch, apply).await?;
        Ok(id.to_string())
    }

    /// Changes what a subscription says.
    pub(crate) async fn redefine(
        &self,
        subscription: &Arc<Subscription>,
        definition: Definition,
    ) -> Result<(), Failure> {
        let mut batch = Batch::default();
        batch.put(SUBSCRIPTIONS, subscription.id(), &definition)?;
        let subscription = Arc::clone(subscription);
        let apply = move || subscription.redefine(definition);
        Ok(self.store.commit(batch, apply).await?)
    }

    /// Suspends a subscription, or resumes it after the event with this number.
    pub(crate) async fn direct(
        &self,
        subscription: &Arc<Subscription>,
        resume_after: Option<u64>,
    ) -> Result<(), Failure> {
        let mut definition = Definition::clone(&subscription.definition());
        definition.is_suspended = resume_after.is_none();
        let mut batch = Batch::default();
        batch.put(SUBSCRIPTIONS, subscription.id(), &definition)?;
        let subscription = Arc::clone(subscription);
        let apply = move || {
            subscription.redefine(definition);
            subscription.direct(|delivery| match resume_after {
                Some(after) => delivery.resume(after),
                None => delivery.suspend(),
            });
        };
        Ok(self.store.commit(batch, apply).await?)
    }

    /// Removes a subscription.
    pub(crate) async fn unsubscribe(&self, id: &str) -> Result<(), Failure> {
        let mut batch = Batch::default();
        batch.remove(SUBSCRIPTIONS, id);
        batch.remove(PLACES, id);
        let (subscriptions, id) = (Arc::clone(&self.subscriptions), id.to_owned());
        let apply = move || subscriptions.remove(&id);
        Ok(self.store.commit(batch, apply).await?)
    }

    /// A delivery has suspended itself: a restart doesn't change that.
    pub(super) async fn suspended(&self, subscription: &Arc<Subscription>) {
        if let Err(failure) = self.direct(subscription, None).await {
            tracing::error!(id = subscription.id(), %failure, "suspension not written");
        }
        self.tell(subscription, resource_event::resource_changed());
    }

    /// A delivery has ended itself: its subscription is gone.
    pub(super) async fn ended(&self, subscription: &Arc<Subscription>) {
        let id = subscription.id();
        if let Err(failure) = self.unsubscribe(id).await {
            tracing::error!(id, %failure, "end of the subscription not written");
            self.subscriptions.remove(id);
        }
        self.tell(subscription, resource_event::resource_removed());
    }

    /// Publishes what has become of a subscription.
    pub(crate) fn tell(&self, subscription: &Subscription, message: crate::Message) {
        self.hub.publish(Event {
            message,
            origin: Some(event_service::subscription_path(subscription.id())),
            resource_type: Some("EventDestination"),
        });
    }
}

fn stored_settings(store: &Store) -> Result<Kept, StoreError> {
    let entries = store.load::<serde_json::Value>(SETTINGS)?;
    match entries.into_iter().find(|(key, _)| key == SETTINGS_KEY) {
        Some((_, kept)) => {
            serde_json::from_value(kept).map_err(|e| StoreError::Entry(e.to_string()))
        }
        None => Ok(Kept::default()),
    }
}
