//! The records that are kept: a ring in memory, written behind to the store.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{Entry, print};
use crate::store::{Batch, Store, StoreError, Table};

/// How many records are kept; the oldest make room.
pub const MAX_AUDIT_RECORDS: usize = 4096;
/// For how long the same deed of the same user from the same place only counts up, in milliseconds: somebody who guesses
/// passwords can't push out what others did.
const SAME_WITHIN_MS: i64 = 60_000;

const RECORDS: Table = Table("audit");

/// One record, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Counts up from 1, also over restarts.
    pub(crate) id: u64,
    /// When, in milliseconds since 1970.
    pub(crate) at_ms: i64,
    pub(crate) user: Option<String>,
    pub(crate) client: Option<String>,
    /// What was done or refused.
    pub(crate) text: String,
    /// Whether it was refused or failed.
    pub(crate) is_warning: bool,
    /// How often the same happened again within a minute.
    pub(crate) repeated: u32,
}

impl Record {
    fn new(id: u64, at_ms: i64, entry: &Entry) -> Self {
        Self {
            id,
            at_ms,
            user: entry.user.clone(),
            client: entry.client.map(|address| address.to_string()),
            text: entry.deed.to_string(),
            is_warning: entry.deed.is_warning(),
            repeated: 0,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.user, &self.client, &self.text) == (&other.user, &other.client, &other.text)
            && other.at_ms.saturating_sub(self.at_ms) < SAME_WITHIN_MS
    }

    /// Sorts as the numbers do.
    fn key(&self) -> String {
        format!("{:020}", self.id)
    }

    /// The text with how often it happened.
    pub(crate) fn message(&self) -> String {
        let mut message = self.text.clone();
        if self.repeated > 0 {
            // Writing to a String can't fail.
            let _ = write!(
                message,
                " (and {} times more within a minute)",
                self.repeated
            );
        }
        message
    }
}

/// The service's audit log.
pub(crate) struct AuditLog {
    ring: Arc<Mutex<Ring>>,
    store: Store,
}

#[derive(Default)]
struct Ring {
    records: VecDeque<Record>,
    last_id: u64,
}

impl AuditLog {
    /// The log as the last run left it.
    pub(crate) fn load(store: Store) -> Result<Self, StoreError> {
        let records: VecDeque<Record> = store
            .load(RECORDS)?
            .into_iter()
            .map(|(_, record)| record)
            .collect();
        let last_id = records.back().map_or(0, |record: &Record| record.id);
        let ring = Arc::new(Mutex::new(Ring { records, last_id }));
        Ok(Self { ring, store })
    }

    /// Keeps a record, and prints it to the program's log. Doesn't wait for the disk: a login shouldn't, and what is
    /// printed is on its way out of this machine already.
    pub(crate) fn record(&self, entry: &Entry) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now_ms = now.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX));
        let batch = self.ring().add(entry, now_ms);
        match batch {
            Ok(None) => return,
            Ok(Some(batch)) => {
                if let Err(error) = self.store.write_behind(batch) {
                    tracing::error!(%error, "audit record not stored");
                }
            }
            Err(error) => tracing::error!(%error, "audit record not stored"),
        }
        print(entry);
    }

    /// All records, oldest first.
    pub(crate) fn ids(&self) -> Vec<u64> {
        self.ring().records.iter().map(|record| record.id).collect()
    }

    /// The record with this number.
    pub(crate) fn find(&self, id: u64) -> Option<Record> {
        let ring = self.ring();
        let found = ring.records.binary_search_by_key(&id, |record| record.id);
        found.ok().and_then(|at| ring.records.get(at).cloned())
    }

    /// Forgets every record. Numbers go on.
    pub(crate) async fn clear(&self) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for record in &self.ring().records {
            batch.remove(RECORDS, record.key());
        }
        let last = self.ring().last_id;
        let ring = Arc::clone(&self.ring);
        let forget = move || {
            let mut ring = ring.lock().unwrap_or_else(PoisonError::into_inner);
            ring.records.retain(|record| record.id > last);
        };
        self.store.commit(batch, forget).await
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    /// What has to be written for one more entry; nothing where the last one only happened again.
    fn add(&mut self, entry: &Entry, now_ms: i64) -> Result<Option<Batch>, StoreError> {
        let record = Record::new(self.last_id + 1, now_ms, entry);
        let mut batch = Batch::default();
        if let Some(last) = self.records.back_mut() {
            if last.is_same(&record) {
                last.repeated = last.repeated.saturating_add(1);
                return Ok(None);
            }
            if last.repeated > 0 {
                batch.put(RECORDS, last.key(), &*last)?;
            }
        }
        if self.records.len() >= MAX_AUDIT_RECORDS
            && let Some(oldest) = self.records.pop_front()
        {
            batch.remove(RECORDS, oldest.key());
        }
        batch.put(RECORDS, record.key(), &record)?;
        self.last_id = record.id;
        self.records.push_back(record);
        Ok(Some(batch))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Deed;
    use super::*;

    fn entry(user: &str) -> Entry {
        Entry {
            user: Some(user.to_owned()),
            client: None,
            deed: Deed::LoginRefused,
        }
    }

    #[test]
    fn the_same_within_a_minute_counts_up_and_after_it_is_another_record() {
        let mut ring = Ring::default();
        assert!(ring.add(&entry("a"), 0).unwrap().is_some());
        for at_ms in [1, 59_999] {
            assert!(ring.add(&entry("a"), at_ms).unwrap().is_none());
        }
        assert!(ring.add(&entry("a"), 60_000).unwrap().is_some());
        assert!(ring.add(&entry("b"), 60_001).unwrap().is_some());
        let seen: Vec<_> = ring.records.iter().map(|r| (r.id, r.repeated)).collect();
        assert_eq!(seen, [(1, 2), (2, 0), (3, 0)]);
        assert!(ring.records[0].message().contains("2 times more"));
    }

    #[test]
    fn the_oldest_make_room() {
        let mut ring = Ring::default();
        for n in 0..=MAX_AUDIT_RECORDS {
            ring.add(&entry(&n.to_string()), 0).unwrap();
        }
        assert_eq!(ring.records.len(), MAX_AUDIT_RECORDS);
        assert_eq!(ring.records[0].id, 2);
    }

    #[tokio::test]
    async fn records_and_their_numbers_outlive_the_service() {
        let store = Store::in_memory().unwrap();
        let log = AuditLog::load(store.clone()).unwrap();
        log.record(&entry("a"));
        log.record(&entry("b"));
        // Writing behind is in order, so what this waits for comes after it.
        store.commit(Batch::default(), || ()).await.unwrap();
        let log = AuditLog::load(store.clone()).unwrap();
        assert_eq!(log.ids(), [1, 2]);
        log.clear().await.unwrap();
        assert!(log.ids().is_empty());
        log.record(&entry("c"));
        assert_eq!(log.find(3).unwrap().user.as_deref(), Some("c"));
    }
}
