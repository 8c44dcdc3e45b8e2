//! Keeps what subscriptions wanted and haven't got, so that a restart loses nothing of it.
//!
//! Every [`SAVE_INTERVAL_MS`] the events that wait are written, with how far each subscription has got. A receiver that
//! takes its events at once costs no writing of events. What the service learned in the last interval before it was
//! killed may be missing afterwards; subscriptions are told so. What was delivered in that interval may come twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::hub::{Before, Hub, Reader};
use super::{Record, Subscriptions};
use crate::store::{Batch, Store, StoreError, Table};

/// How often the state of deliveries is written, in milliseconds.
pub(crate) const SAVE_INTERVAL_MS: u64 = 1000;

const RECORDS: Table = Table("events");
const PLACES: Table = Table("event_places");
const RUNS: Table = Table("event_runs");
const RUNS_KEY: &str = "runs";

/// How far a subscription has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) sent_to: u64,
    pub(crate) owes_loss: bool,
}

/// About the runs of the service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Runs {
    /// How many there were, with this one.
    count: u64,
    /// The last one wrote everything before it ended.
    ended_well: bool,
    /// Up to which number subscriptions may have lost events.
    lost_to: u64,
}

/// What is on the disk.
pub(crate) struct Journal {
    store: Store,
    written: Mutex<Written>,
    /// One save at a time.
    saving: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Default)]
struct Written {
    runs: Runs,
    /// Events up to this number have been looked at.
    to: u64,
    records: BTreeSet<u64>,
    places: BTreeMap<String, Place>,
}

impl Journal {
    /// Reads what the last run left: its events for the hub, and how far each subscription had got.
    ///
    /// # Errors
    /// [`StoreError`] if it can't be read, or can't be written that a new run begins.
    pub(crate) fn open(
        store: Store,
    ) -> Result<(Self, Before, BTreeMap<String, Place>), StoreError> {
        let before = store
            .load::<Runs>(RUNS)?
            .into_iter()
            .find(|(key, _)| key == RUNS_KEY);
        let before = before.map(|(_, runs)| runs);
        let records: Vec<Record> = store
            .load(RECORDS)?
            .into_iter()
            .map(|(_, record)| record)
            .collect();
        let mut places: BTreeMap<String, Place> = store.load(PLACES)?.into_iter().collect();
        let was_killed = before.is_some_and(|runs| !runs.ended_well);
        for place in places.values_mut() {
            place.owes_loss |= was_killed;
        }
        let runs = Runs {
            count: before.map_or(1, |runs| runs.count + 1),
            ended_well: false,
            lost_to: before.map_or(0, |runs| runs.lost_to),
        };
        let mut batch = Batch::default();
        batch.put(RUNS, RUNS_KEY, &runs)?;
        store.commit_at_start(&batch)?;
        let written = Written {
            runs,
            to: records
                .iter()
                .map(|record| record.number)
                .max()
                .unwrap_or(0),
            records: records.iter().map(|record| record.number).collect(),
            places: places.clone(),
        };
        let before = Before {
            runs: runs.count - 1,
            records,
            lost_to: runs.lost_to,
        };
        let journal = Self {
            store,
            written: Mutex::new(written),
            saving: tokio::sync::Mutex::default(),
        };
        Ok((journal, before, places))
    }

    /// Writes what has changed since the last time. `is_end` says that nothing follows.
    ///
    /// # Errors
    /// [`StoreError`] if it isn't written; the next time includes it.
    pub(crate) async fn save(
        &self,
        hub: &Hub,
        subscriptions: &Subscriptions,
        is_end: bool,
    ) -> Result<(), StoreError> {
        let _one = self.saving.lock().await;
        let mut written = self
            .written
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut batch = Batch::default();
        let mut is_other = save_places(&mut batch, &mut written, subscriptions)?;
        is_other |= save_records(&mut batch, &mut written, hub, subscriptions)?;
        let runs = Runs {
            count: written.runs.count,
            ended_well: is_end,
            lost_to: hub.lost_to(Reader::Subscription),
        };
        if runs != written.runs && (is_end || is_other) {
            batch.put(RUNS, RUNS_KEY, &runs)?;
            written.runs = runs;
            is_other = true;
        }
        if is_other {
            self.store.commit(batch, || {}).await?;
        }
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) = written;
        Ok(())
    }
}

/// Whether there is anything to write.
fn save_places(
    batch: &mut Batch,
    written: &mut Written,
    subscriptions: &Subscriptions,
) -> Result<bool, StoreError> {
    let mut places = BTreeMap::new();
    for subscription in subscriptions.list() {
        let delivery = subscription.delivery();
        let place = Place {
            sent_to: delivery.sent_to(),
            owes_loss: delivery.owes_loss(),
        };
        places.insert(subscription.id().to_owned(), place);
    }
    for (id, place) in &places {
        if written.places.get(id) != Some(place) {
            batch.put(PLACES, id, place)?;
        }
    }
    for id in written.places.keys().filter(|id| !places.contains_key(*id)) {
        batch.remove(PLACES, id);
    }
    let is_other = written.places != places;
    written.places = places;
    Ok(is_other)
}

fn save_records(
    batch: &mut Batch,
    written: &mut Written,
    hub: &Hub,
    subscriptions: &Subscriptions,
) -> Result<bool, StoreError> {
    let waiting: Vec<_> = subscriptions
        .list()
        .iter()
        .map(|one| (one.delivery().sent_to(), one.definition()))
        .collect();
    let read = hub.read(Reader::Subscription, written.to, usize::MAX, |event| {
        let number = event.number;
        // A metric report isn't kept: after a restart there are newer ones.
        event.content.event().is_some()
            && waiting
                .iter()
                .any(|(sent_to, definition)| *sent_to < number && definition.wants(&event.content))
    });
    // Everybody has got what comes before; what the buffer has dropped is lost.
    let all_have = waiting.iter().map(|(sent_to, _)| *sent_to).min();
    let done_to = all_have
        .unwrap_or(u64::MAX)
        .max(hub.lost_to(Reader::Subscription));
    let mut is_other = false;
    for event in &read.events {
        let number = event.number;
        if let Some(record) = event.content.event()
            && number > done_to
            && written.records.insert(number)
        {
            batch.put(RECORDS, key(number), record)?;
            is_other = true;
        }
    }
    written.to = written.to.max(read.to);
    let kept = written.records.split_off(&done_to.saturating_add(1));
    for number in std::mem::replace(&mut written.records, kept) {
        batch.remove(RECORDS, key(number));
        is_other = true;
    }
    Ok(is_other)
}

/// Keys sort as the numbers do.
fn key(number: u64) -> String {
    format!("{number:020}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::delivery::Delivery;
    use crate::event::{Definition, EventFilter, Format, RetryPolicy, Standing};
    use crate::message::resource_event;
    use crate::{Event, EventSink};

    fn event(origin: &str) -> Event {
        Event {
            message: resource_event::resource_changed(),
            origin: Some(origin.to_owned()),
            resource_type: None,
        }
    }

    fn subscriptions(sent_to: u64) -> Subscriptions {
        let definition = Definition {
            destination: "https://a.example/".to_owned(),
            context: None,
            filter: EventFilter {
                origin_resources: vec!["/wanted".to_owned()],
                ..EventFilter::default()
            },
            headers: Vec::new(),
            verify_certificate: true,
            retry_policy: RetryPolicy::RetryForever,
            heartbeat_min: None,
            owner: crate::caller::Owner::named("a".to_owned()),
            is_suspended: false,
            format: Format::default(),
            report_definitions: Vec::new(),
        };
        Subscriptions::new(vec![(
            1,
            definition,
            Delivery::new(Standing::Active, sent_to, false),
        )])
    }

    /// Numbers of the events that are kept, and the place of the subscription.
    fn kept(store: &Store) -> (Vec<u64>, Place) {
        let (_, before, places) = Journal::open(store.clone()).unwrap();
        (
            before.records.iter().map(|r| r.number).collect(),
            places["1"],
        )
    }

    #[tokio::test]
    async fn what_is_wanted_and_not_delivered_is_there_after_a_restart() {
        let store = Store::in_memory().unwrap();
        let (journal, before, _) = Journal::open(store.clone()).unwrap();
        let hub = Hub::new(before);
        let subscriptions = subscriptions(hub.newest());
        for origin in ["/wanted", "/other", "/wanted"] {
            hub.publish(event(origin));
        }
        subscriptions.list()[0].delivery().skip(1);
        journal.save(&hub, &subscriptions, true).await.unwrap();
        let place = Place {
            sent_to: 1,
            owes_loss: false,
        };
        assert_eq!(kept(&store), (vec![3], place));
    }

    #[tokio::test]
    async fn what_was_delivered_is_written_no_more_and_removed() {
        let store = Store::in_memory().unwrap();
        let (journal, before, _) = Journal::open(store.clone()).unwrap();
        let hub = Hub::new(before);
        let subscriptions = subscriptions(hub.newest());
        hub.publish(event("/wanted"));
        journal.save(&hub, &subscriptions, false).await.unwrap();
        subscriptions.list()[0].delivery().skip(1);
        hub.publish(event("/other"));
        journal.save(&hub, &subscriptions, true).await.unwrap();
        assert_eq!(kept(&store).0, Vec::<u64>::new());
    }

    #[tokio::test]
    async fn after_a_run_that_was_killed_every_subscription_is_owed_the_message_of_a_loss() {
        let store = Store::in_memory().unwrap();
        let (journal, before, _) = Journal::open(store.clone()).unwrap();
        let hub = Hub::new(before);
        journal.save(&hub, &subscriptions(0), false).await.unwrap();
        assert!(kept(&store).1.owes_loss);
        let (journal, before, _) = Journal::open(store.clone()).unwrap();
        assert_eq!(before.runs, 2);
        let hub = Hub::new(before);
        journal.save(&hub, &subscriptions(0), true).await.unwrap();
        assert!(!kept(&store).1.owes_loss);
    }
}
