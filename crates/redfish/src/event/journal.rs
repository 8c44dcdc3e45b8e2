//! Keeps the newest events, and how far each subscription has got, so that a restart or a crash loses nothing of it.
//!
//! Events are written before any reader sees them: what was published has one number for ever. They come together as far as
//! they come while the disk is busy with those before. How far a subscription has got is written soon after its destination has
//! taken events: what it took just before a crash it may get again, with the same `EventId`.
//!
//! With the events goes how far their sources' journals were published, so that what a source hands in again isn't published
//! again.
//!
//! A disk that takes nothing holds up no event. It is noted, as far as that goes, and after a crash everybody is told of a loss.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::hub::{Before, Hub, Marks, NUMBERS_OF_RUN, Unkept};
use super::{Record, Subscriptions};
use crate::store::{Batch, Store, StoreError, Table};

/// How often it is looked whether there is anything to write, in milliseconds: what isn't urgent, or failed the last time.
pub(crate) const SAVE_INTERVAL_MS: u64 = 1000;
/// How long what destinations have taken is let gather before it is written, in milliseconds.
pub(crate) const PLACES_WITHIN_MS: u64 = 20;
/// The pause between two writings, in milliseconds: what comes meanwhile is written together.
pub(crate) const SAVE_PAUSE_MS: u64 = 5;
/// Of how many journals of sources is known how far they were published. A source that lost its journal begins another one.
const MAX_JOURNALS: usize = 8;

const RECORDS: Table = Table("events");
pub(super) const PLACES: Table = Table("event_places");
const MARKS: Table = Table("event_marks");
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
    /// Up to which number events may be missing.
    lost_to: u64,
    /// Events were published that could not be written. Those of earlier programs were not all written.
    #[serde(default = "yes")]
    is_behind: bool,
}

const fn yes() -> bool {
    true
}

/// What is on the disk.
pub(crate) struct Journal {
    store: Store,
    written: Mutex<Written>,
    /// One save at a time.
    saving: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Written {
    runs: Runs,
    /// Events up to this number have been looked at.
    to: u64,
    /// Numbers of the events, oldest first.
    records: VecDeque<u64>,
    places: BTreeMap<String, Place>,
    marks: Marks,
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
        let before = before.map(|(_, runs)| runs).unwrap_or_default();
        let records: Vec<Record> = store
            .load(RECORDS)?
            .into_iter()
            .map(|(_, record)| record)
            .collect();
        let places: BTreeMap<String, Place> = store.load(PLACES)?.into_iter().collect();
        let mut batch = Batch::default();
        let marks = marks(&store, &mut batch)?;
        let runs = Runs {
            count: before.count + 1,
            lost_to: match before.is_behind {
                true => before.count * NUMBERS_OF_RUN,
                false => before.lost_to,
            },
            is_behind: false,
        };
        batch.put(RUNS, RUNS_KEY, &runs)?;
        store.commit_at_start(&batch)?;
        let numbers: VecDeque<u64> = records.iter().map(|record| record.number).collect();
        let written = Written {
            runs,
            to: numbers.back().copied().unwrap_or(0),
            records: numbers,
            places: places.clone(),
            marks: marks.clone(),
        };
        let before = Before {
            runs: before.count,
            records,
            lost_to: runs.lost_to,
            marks,
        };
        let journal = Self {
            store,
            written: Mutex::new(written),
            saving: tokio::sync::Mutex::default(),
        };
        Ok((journal, before, places))
    }

    /// Writes what has changed since the last time, then shows the events that were written.
    ///
    /// # Errors
    /// [`StoreError`] if it isn't written; the next time includes it. The events are shown all the same.
    pub(crate) async fn save(
        &self,
        hub: &Hub,
        subscriptions: &Subscriptions,
    ) -> Result<(), StoreError> {
        let _one = self.saving.lock().await;
        let unkept = hub.unkept(self.written().to);
        let saved = self.write(&unkept, places(subscriptions)).await;
        match saved {
            Ok(()) => hub.kept(unkept.to, unkept.marks),
            Err(_) => hub.show(unkept.to),
        }
        saved
    }

    async fn write(
        &self,
        unkept: &Unkept,
        places: BTreeMap<String, Place>,
    ) -> Result<(), StoreError> {
        let (batch, runs) = self.written().changes(unkept, &places)?;
        if !batch.is_empty()
            && let Err(error) = self.store.commit(batch, || {}).await
        {
            self.note_behind(runs).await;
            return Err(error);
        }
        let mut written = self.written();
        let new = unkept.events.iter().map(|event| event.number);
        written.records.extend(new);
        let gone = written.records.partition_point(|n| *n < unkept.oldest);
        written.records.drain(..gone);
        written.to = unkept.to;
        written.marks.clone_from(&unkept.marks);
        (written.places, written.runs) = (places, runs);
        Ok(())
    }

    /// Events are about to be shown that aren't on the disk. So little may find room there still.
    async fn note_behind(&self, runs: Runs) {
        let runs = Runs {
            is_behind: true,
            ..runs
        };
        let mut batch = Batch::default();
        if self.written().runs != runs
            && batch.put(RUNS, RUNS_KEY, &runs).is_ok()
            && self.store.commit(batch, || {}).await.is_ok()
        {
            self.written().runs = runs;
        }
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    /// What is to be written.
    fn changes(
        &self,
        unkept: &Unkept,
        places: &BTreeMap<String, Place>,
    ) -> Result<(Batch, Runs), StoreError> {
        let mut batch = Batch::default();
        for event in &unkept.events {
            if let Some(record) = event.content.event() {
                batch.put(RECORDS, key(event.number), record)?;
            }
        }
        for number in self.records.iter().take_while(|n| **n < unkept.oldest) {
            batch.remove(RECORDS, key(*number));
        }
        for (journal, number) in &unkept.marks {
            if self.marks.get(journal) != Some(number) {
                batch.put(MARKS, key(*journal), number)?;
            }
        }
        for (id, place) in places {
            if self.places.get(id) != Some(place) {
                batch.put(PLACES, id, place)?;
            }
        }
        for id in self.places.keys().filter(|id| !places.contains_key(*id)) {
            batch.remove(PLACES, id);
        }
        let runs = Runs {
            count: self.runs.count,
            lost_to: unkept.lost_to,
            is_behind: false,
        };
        if runs != self.runs {
            batch.put(RUNS, RUNS_KEY, &runs)?;
        }
        Ok((batch, runs))
    }
}

/// How far journals were published: of the newest ones, since each new one has a greater name than those before it.
fn marks(store: &Store, batch: &mut Batch) -> Result<Marks, StoreError> {
    let mut marks = Marks::new();
    for (journal, number) in store.load::<u64>(MARKS)? {
        match journal.parse() {
            Ok(journal) => drop(marks.insert(journal, number)),
            Err(_) => return Err(StoreError::Entry(format!("the mark of {journal}"))),
        }
    }
    while marks.len() > MAX_JOURNALS
        && let Some((oldest, _)) = marks.pop_first()
    {
        batch.remove(MARKS, key(oldest));
    }
    Ok(marks)
}

/// How far each subscription has got.
fn places(subscriptions: &Subscriptions) -> BTreeMap<String, Place> {
    let subscriptions = subscriptions.list();
    let place = |one: &std::sync::Arc<super::Subscription>| {
        let delivery = one.delivery();
        let place = Place {
            sent_to: delivery.sent_to(),
            owes_loss: delivery.owes_loss(),
        };
        (one.id().to_owned(), place)
    };
    subscriptions.iter().map(place).collect()
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

    fn seen(hub: &Hub, after: u64) -> Vec<u64> {
        let read = hub.read(after, usize::MAX, |_| true);
        assert_eq!(read.lost_to, None);
        read.events.iter().map(|event| event.number).collect()
    }

    #[tokio::test]
    async fn what_readers_saw_is_there_after_a_crash_with_its_number_and_nothing_else() {
        let store = Store::in_memory().unwrap();
        let (journal, before, _) = Journal::open(store.clone()).unwrap();
        let hub = Hub::new(before);
        let _keeping = hub.keep();
        let subscriptions = subscriptions(hub.newest());
        for origin in ["/wanted", "/other", "/wanted"] {
            hub.publish(event(origin));
        }
        assert_eq!(seen(&hub, 0), [0; 0]);
        journal.save(&hub, &subscriptions).await.unwrap();
        assert_eq!(seen(&hub, 0), [1, 2, 3]);
        subscriptions.list()[0].delivery().skip(1);
        journal.save(&hub, &subscriptions).await.unwrap();
        hub.publish(event("/wanted"));
        // Killed.
        let place = Place {
            sent_to: 1,
            owes_loss: false,
        };
        assert_eq!(kept(&store), (vec![1, 2, 3], place));
        let (_, before, _) = Journal::open(store).unwrap();
        let again = Hub::new(before);
        again.publish(event("/new"));
        assert_eq!(seen(&again, 1), [2, 3, 2 * NUMBERS_OF_RUN + 1]);
    }

    #[tokio::test]
    async fn only_what_readers_may_ask_for_is_kept_and_they_are_told_of_the_rest() {
        let store = Store::in_memory().unwrap();
        let (journal, before, _) = Journal::open(store.clone()).unwrap();
        let hub = Hub::new(before);
        for _ in 0..3 {
            hub.publish(event("/a"));
        }
        journal.save(&hub, &subscriptions(0)).await.unwrap();
        for _ in 0..crate::MAX_BUFFERED_EVENTS - 1 {
            hub.publish(event("/a"));
        }
        journal.save(&hub, &subscriptions(0)).await.unwrap();
        let numbers = kept(&store).0;
        assert_eq!((numbers.len(), numbers[0]), (crate::MAX_BUFFERED_EVENTS, 3));
        let (_, before, _) = Journal::open(store).unwrap();
        assert_eq!(Hub::new(before).read(1, 1, |_| true).lost_to, Some(2));
    }

    #[tokio::test]
    async fn what_a_source_hands_in_again_after_a_crash_is_not_published_again() {
        let store = Store::in_memory().unwrap();
        let (journal, before, _) = Journal::open(store.clone()).unwrap();
        let hub = Hub::new(before);
        let mark = |number| crate::Mark {
            journal: 9,
            number: std::num::NonZeroU64::new(number).unwrap(),
        };
        hub.publish_once(event("/a"), mark(1));
        assert_eq!(hub.kept_to(9), Some(0));
        journal.save(&hub, &subscriptions(0)).await.unwrap();
        assert_eq!(hub.kept_to(9), Some(1));
        hub.publish_once(event("/b"), mark(2));
        // Killed: the source has both of them still, and the first was kept.
        let (_, before, _) = Journal::open(store).unwrap();
        let again = Hub::new(before);
        again.publish_once(event("/a"), mark(1));
        again.publish_once(event("/b"), mark(2));
        assert_eq!(seen(&again, 0), [1, NUMBERS_OF_RUN + 1]);
    }

    #[tokio::test]
    async fn after_events_that_could_not_be_written_everybody_is_told_of_a_loss() {
        let store = Store::in_memory().unwrap();
        let (journal, before, _) = Journal::open(store.clone()).unwrap();
        let hub = Hub::new(before);
        hub.publish(event("/a"));
        journal.save(&hub, &subscriptions(0)).await.unwrap();
        let runs = journal.written().runs;
        journal.note_behind(runs).await;
        let (_, before, _) = Journal::open(store.clone()).unwrap();
        let again = Hub::new(before);
        assert_eq!(again.read(1, 9, |_| true).lost_to, Some(NUMBERS_OF_RUN));
        // And once they are written, nobody.
        journal.save(&hub, &subscriptions(0)).await.unwrap();
        assert!(!journal.written().runs.is_behind);
    }
}
