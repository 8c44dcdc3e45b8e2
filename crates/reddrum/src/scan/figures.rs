//! What scans have done, for Prometheus.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What the scans of one entry have done in this run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OfScan {
    /// Scans that came to their end.
    pub(crate) done: u64,
    /// Scans that did not.
    pub(crate) failed: u64,
    /// Pings sent.
    pub(crate) pings: u64,
    /// BMCs that answered in the last scan.
    pub(crate) answering: u64,
    /// BMCs that were found and not forgotten, without those that are named elsewhere.
    pub(crate) known: u64,
    /// BMCs that were found first.
    pub(crate) new: u64,
    /// BMCs that were forgotten.
    pub(crate) gone: u64,
}

/// The figures of every entry by its title, shared by who writes and who reads them.
#[derive(Debug, Default)]
pub(crate) struct Figures(Mutex<BTreeMap<String, OfScan>>);

impl Figures {
    /// All of them as they are now.
    pub(crate) fn all(&self) -> BTreeMap<String, OfScan> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes those of an entry.
    pub(crate) fn of(&self, title: &str, change: impl FnOnce(&mut OfScan)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(title) {
            all.insert(title.to_owned(), OfScan::default());
        }
        if let Some(figures) = all.get_mut(title) {
            change(figures);
        }
    }

    /// Forgets entries that aren't any of these.
    pub(super) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|title, _| is_there(title));
    }
}
