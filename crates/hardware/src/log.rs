//! A machine's event log as followed by the source.

use alloc::boxed::Box;
use alloc::sync::Arc;

/// The most entries kept of one node's log: the newest ones.
pub const MAX_LOG_ENTRIES: usize = 4096;

/// How bad a state or an event is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Normal.
    #[default]
    Ok,
    /// Needs attention.
    Warning,
    /// Needs attention now.
    Critical,
}

/// What kind of record an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogEntryKind {
    /// A sensor reports a state.
    Event,
    /// The maker's own record.
    Oem,
}

/// One entry of a machine's event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The machine's own number of the entry.
    pub id: u32,
    /// When, in seconds since the Unix epoch; `None` where the machine's clock was not set.
    pub at_s: Option<u64>,
    /// What happened. Entries that say the same may share it, those of other machines too.
    pub text: Arc<LogText>,
    /// The record as the machine stores it, for experts; empty where the source has none.
    pub raw: [u8; 16],
}

/// What an entry of a log says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogText {
    /// Which kind of record it is.
    pub kind: LogEntryKind,
    /// How bad.
    pub severity: Severity,
    /// Name of the sensor concerned, where known.
    pub sensor: Option<Arc<str>>,
    /// IPMI's sensor type in words ("Temperature", "Power Supply"); empty for records without one.
    pub sensor_type: Arc<str>,
    /// True when the state came, false when it went.
    pub asserted: bool,
    /// What happened, in words ("Upper Critical going high", "Power Supply AC lost").
    pub message: Arc<str>,
}

/// A machine's event log as followed so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// Oldest first; at most [`MAX_LOG_ENTRIES`].
    pub entries: Box<[LogEntry]>,
    /// How many entries the machine has room for, used ones included; `None` = not known.
    pub capacity: Option<u32>,
    /// The machine lost entries because its log was full.
    pub overflowed: bool,
    /// The log was read to its end at least once.
    pub complete: bool,
    /// How often entries were lost before they could be read.
    pub losses: u32,
}
