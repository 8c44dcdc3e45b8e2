//! News of event logs, from the file to whoever tells of it.
//!
//! ```text
//!   Slot::log_read() ─► Pending ─► one transaction ─► LogJournal::after() ─► an event service, which writes it down
//!                                  news and position                            │
//!                                  news is removed ◄── LogJournal::forget_to() ─┘
//! ```
//!
//! Nobody hears of an entry before it's in the file, so each has one number however often the process is killed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use hardware::{LogEvent, LogJournal, LogNews, NodeId, Update};

use super::Memory;
use crate::contact::log::{LogRead, Record};
use crate::publish::Board;

/// News that could not be written and that nobody reads beyond this many makes room for newer.
const UNWRITTEN_MAX: usize = 8_192;

/// What a reading of a log brought that is news.
pub(super) fn news(read: &LogRead) -> impl Iterator<Item = LogEvent> {
    let from = read.records.len().saturating_sub(read.news);
    let entries = read.records[from..].iter().map(event_of);
    read.lost
        .then_some(LogEvent::Loss)
        .into_iter()
        .chain(entries)
}

/// The news that there is this record.
pub(super) fn event_of(raw: &Record) -> LogEvent {
    LogEvent::Entry {
        id: u16::from_le_bytes([raw[0], raw[1]]).into(),
        raw: *raw,
    }
}

/// What is not in the file about the journal in it.
#[derive(Debug)]
pub(super) struct Journal {
    id: u64,
    board: Mutex<Weak<Board>>,
    /// What could not be written.
    unwritten: Mutex<VecDeque<LogNews>>,
}

impl Journal {
    pub(super) fn new(id: u64) -> Self {
        Self {
            id,
            board: Mutex::default(),
            unwritten: Mutex::default(),
        }
    }

    /// Says on this board that there is news.
    pub(super) fn announce_on(&self, board: &Arc<Board>) {
        *lock(&self.board) = Arc::downgrade(board);
    }

    /// There is news.
    pub(super) fn announce(&self) {
        let board = lock(&self.board).upgrade();
        if let Some(board) = board {
            board.tell(&Update::LogNews);
        }
    }

    /// Hands out news that can't be written.
    pub(super) fn hand_out(&self, news: Vec<(NodeId, LogEvent)>) {
        let mut unwritten = lock(&self.unwritten);
        unwritten.extend(news.into_iter().map(|(node, event)| LogNews {
            number: None,
            node,
            event,
        }));
        let excess = unwritten.len().saturating_sub(UNWRITTEN_MAX);
        unwritten.drain(..excess);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LogJournal for Memory {
    fn id(&self) -> u64 {
        self.shared.journal.id
    }

    fn after(&self, number: u64, most: usize) -> Vec<LogNews> {
        let mut unwritten = lock(&self.shared.journal.unwritten);
        let count = unwritten.len().min(most);
        let mut news: Vec<LogNews> = unwritten.drain(..count).collect();
        drop(unwritten);
        let view = self.shared.file.view();
        match view.and_then(|view| view.news(number, most - count)) {
            Ok(written) => news.extend(written),
            Err(error) => tracing::debug!(%error, "news of event logs can't be read now"),
        }
        news
    }

    fn forget_to(&self, number: u64) {
        let mut pending = self.shared.pending();
        pending.read_to = pending.read_to.max(number);
    }
}
