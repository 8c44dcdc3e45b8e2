//! New entries of event logs, on their way to whoever tells of them.
//!
//! A snapshot shows what a log holds. Which of its entries are news, and to whom, it doesn't: a source that follows logs over
//! restarts of its own process writes news into a journal together with how far it has read, and keeps them until their reader
//! has written down that it has them. So none is lost and none is told twice, wherever the process is killed.

use alloc::vec::Vec;
use core::num::NonZeroU64;

use crate::NodeId;

/// What happened to an event log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogEvent {
    /// There is an entry that was not there before.
    Entry {
        /// The machine's own number of it: [`LogEntry::id`](crate::LogEntry::id).
        id: u32,
        /// The record as the machine stores it: [`LogEntry::raw`](crate::LogEntry::raw).
        raw: [u8; 16],
    },
    /// Entries were lost before they could be read.
    Loss,
}

/// News of an event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogNews {
    /// Its number in the journal, greater than that of everything earlier. `None` = the source can't write its journal: after a
    /// crash the same news may come again.
    pub number: Option<NonZeroU64>,
    /// Whose log.
    pub node: NodeId,
    /// What happened.
    pub event: LogEvent,
}

/// The news of all event logs of a source, oldest first, for one reader. Every method returns at once.
pub trait LogJournal: Send + Sync {
    /// Which journal this is: numbers of another one mean nothing in it. The same after a restart, and another one where the
    /// journal has begun anew.
    fn id(&self) -> u64;

    /// News behind the one of this number, in their order and at most `most`. News without a number come once.
    fn after(&self, number: u64, most: usize) -> Vec<LogNews>;

    /// The reader will never ask for news up to this number again, also not after a crash.
    fn forget_to(&self, number: u64);
}
