//! News of event logs, from the file to whoever tells of it.
//!
//! ```text
//!   Slot::log_read() ─► Pending ─► one transaction ─► LogJournal::after() ─► an event service, which writes it down
//!                                  news and position                            │
//!                                  news is removed ◄── LogJournal::forget_to() ─┘
//! ```
//!
//! Nobody hears of an entry before it's in the file, so each has one number however often the process is killed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use hardware::{LogEvent, LogJournal, LogNews, NodeId, Update};

use super::Memory;
use crate::contact::log::{LogRead, Record};
use crate::publish::Board;

/// News that could not be written and that nobody reads beyond this many makes room for newer: of each log that lost any, one
/// word about that stays.
pub(super) const UNWRITTEN_MAX: usize = 8_192;

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
    unwritten: Mutex<Unwritten>,
    /// The reader has said that it has all news up to this number.
    forgotten_to: AtomicU64,
}

/// What could not be written, oldest first.
#[derive(Debug, Default)]
struct Unwritten {
    /// Each with the number of the news that was written last before it.
    news: VecDeque<(u64, LogNews)>,
    /// The number of the news that was written last.
    written_to: u64,
}

impl Unwritten {
    /// Makes room: in place of the oldest entries of each log there is one loss of entries.
    fn make_room(&mut self) {
        let excess = self.news.len().saturating_sub(UNWRITTEN_MAX);
        let (mut lost, mut entries) = (BTreeMap::new(), 0);
        for (behind, news) in self.news.drain(..excess) {
            entries += u32::from(news.event != LogEvent::Loss);
            lost.entry(news.node).or_insert(behind);
        }
        if entries > 0 {
            let nodes = lost.len();
            tracing::warn!(
                entries,
                nodes,
                "news of event logs is lost: it can't be written, and nobody reads it"
            );
        }
        for (node, behind) in lost {
            self.news
                .push_front((behind, unnumbered(node, LogEvent::Loss)));
        }
    }
}

impl IntoIterator for Unwritten {
    type Item = LogNews;
    type IntoIter = std::vec::IntoIter<LogNews>;

    fn into_iter(self) -> Self::IntoIter {
        let news = self.news.into_iter().map(|(_, news)| news);
        news.collect::<Vec<_>>().into_iter()
    }
}

const fn unnumbered(node: NodeId, event: LogEvent) -> LogNews {
    LogNews {
        number: None,
        node,
        event,
    }
}

impl Journal {
    /// Of this ID, with news up to this number.
    pub(super) fn new(id: u64, written_to: u64) -> Self {
        let unwritten = Unwritten {
            written_to,
            ..Unwritten::default()
        };
        Self {
            id,
            board: Mutex::default(),
            unwritten: Mutex::new(unwritten),
            forgotten_to: AtomicU64::new(0),
        }
    }

    /// News up to this number is written.
    pub(super) fn written_to(&self, number: u64) {
        lock(&self.unwritten).written_to = number;
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

    /// What was handed out and nobody has fetched yet.
    pub(super) fn take_unwritten(&self) -> Vec<(NodeId, LogEvent)> {
        let news = std::mem::take(&mut lock(&self.unwritten).news).into_iter();
        news.map(|(_, news)| (news.node, news.event)).collect()
    }

    /// Hands out news that can't be written.
    pub(super) fn hand_out(&self, news: Vec<(NodeId, LogEvent)>) {
        let mut unwritten = lock(&self.unwritten);
        let behind = unwritten.written_to;
        let news = news.into_iter();
        let news = news.map(|(node, event)| (behind, unnumbered(node, event)));
        unwritten.news.extend(news);
        unwritten.make_room();
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
        let view = self.shared.file.view();
        let written = view.and_then(|view| view.news(number, most));
        let written = written.unwrap_or_else(|error| {
            tracing::debug!(%error, "news of event logs can't be read now");
            Vec::new()
        });
        let mut unwritten = lock(&self.shared.journal.unwritten);
        let (mut written, mut news) = (written.into_iter().peekable(), Vec::new());
        while news.len() < most {
            let number = written.peek().and_then(|news| news.number);
            // What could not be written comes behind what was written before it.
            let is_next = |(behind, _): &mut (u64, LogNews)| {
                number.is_none_or(|number| number.get() > *behind)
            };
            let next = unwritten.news.pop_front_if(is_next).map(|(_, news)| news);
            match next.or_else(|| written.next()) {
                Some(next) => news.push(next),
                None => break,
            }
        }
        news
    }

    fn forget_to(&self, number: u64) {
        let forgotten_to = &self.shared.journal.forgotten_to;
        if forgotten_to.fetch_max(number, Ordering::Relaxed) < number {
            let mut pending = self.shared.pending();
            pending.read_to = pending.read_to.max(number);
            self.shared.more.notify_one();
        }
    }
}
