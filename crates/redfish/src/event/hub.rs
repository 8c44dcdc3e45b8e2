//! Numbers events, and keeps the newest for whoever reads them.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use redfish_schema::DateTime;
use tokio::sync::watch;

use super::{Event, EventSink, Record};
use crate::message::Severity;

/// How many events are kept for readers that are behind or come back. The oldest makes room for a new one.
pub const MAX_BUFFERED_EVENTS: usize = 8192;
/// How many bytes of metric reports are kept with them. The oldest report makes room for a new one; the newest stays
/// however large it is.
pub const MAX_BUFFERED_REPORT_BYTES: usize = 64 * 1024 * 1024;
/// How many metric reports are kept with them: they leave the events their place, however often they are made.
pub const MAX_BUFFERED_REPORTS: usize = 512;
/// How many resources may be in a bad condition at once whose events are told as one group.
const MAX_GROUPS: usize = 4096;
/// Numbers of one run of the service; the next run begins beyond them.
const NUMBERS_OF_RUN: u64 = 10_000_000_000;
/// How many events a reader looks at under one lock.
const LOOK: usize = 256;

/// Every event of the service passes here.
pub(crate) struct Hub {
    buffer: Mutex<Buffer>,
    newest: watch::Sender<u64>,
    is_enabled: AtomicBool,
    /// Events and reports published in this run.
    published: AtomicU64,
    /// How often a reader was told of a loss.
    losses: AtomicU64,
}

/// An event or a metric report and its JSON, made once for all readers.
#[derive(Debug)]
pub(crate) struct Published {
    /// Its place among all that is published: greater than that of everything earlier.
    pub(crate) number: u64,
    pub(crate) content: Content,
    /// The JSON of an `EventRecord` or of a `MetricReport`.
    pub(crate) json: Bytes,
}

/// What is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Event(Record),
    /// A metric report, and the path of its definition. One that a client made up for a test has none.
    Report {
        definition: Option<String>,
        time_ms: i64,
    },
}

impl Content {
    /// The event, if it is one.
    pub(crate) const fn event(&self) -> Option<&Record> {
        match self {
            Self::Event(record) => Some(record),
            Self::Report { .. } => None,
        }
    }

    const fn time_ms(&self) -> i64 {
        match self {
            Self::Event(record) => record.time_ms,
            Self::Report { time_ms, .. } => *time_ms,
        }
    }
}

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A stream of server-sent events.
    Stream,
    /// A subscription. What one wants is kept over a restart.
    Subscription,
}

/// What a reader gets.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) events: Vec<Arc<Published>>,
    /// How far he has read with that.
    pub(crate) to: u64,
    /// Events up to this number may be lost to him.
    pub(crate) lost_to: Option<u64>,
}

/// What is known of the time before.
#[derive(Debug, Default)]
pub(crate) struct Before {
    /// How often the service has run.
    pub(crate) runs: u64,
    /// What subscriptions wanted and didn't get, oldest first.
    pub(crate) records: Vec<Record>,
    /// Up to this number subscriptions may have lost events.
    pub(crate) lost_to: u64,
}

struct Buffer {
    events: VecDeque<Arc<Published>>,
    /// How many of them are metric reports, and how many bytes those have.
    reports: usize,
    report_bytes: usize,
    /// The number of the next event.
    next: u64,
    /// Up to this number, events may be missing for streams.
    lost_to: u64,
    /// The same for subscriptions.
    lost_to_subscriptions: u64,
    /// Resources in a bad condition, and the number of the event that began it.
    groups: HashMap<String, i64>,
}

impl Hub {
    pub(crate) fn new(before: Before) -> Self {
        let first = before.runs * NUMBERS_OF_RUN + 1;
        let mut events: VecDeque<_> = before.records.into_iter().map(published).collect();
        events.make_contiguous().sort_by_key(|event| event.number);
        let excess = events.len().saturating_sub(MAX_BUFFERED_EVENTS);
        let dropped = events.drain(..excess).next_back();
        let dropped_to = dropped.map_or(0, |event| event.number);
        Self {
            buffer: Mutex::new(Buffer {
                events,
                reports: 0,
                report_bytes: 0,
                next: first,
                lost_to: first - 1,
                lost_to_subscriptions: before.lost_to.max(dropped_to),
                groups: HashMap::new(),
            }),
            newest: watch::Sender::new(first - 1),
            is_enabled: AtomicBool::new(true),
            published: AtomicU64::new(0),
            losses: AtomicU64::new(0),
        }
    }

    /// Whether events are published at all (`EventService.ServiceEnabled`).
    pub(crate) fn is_enabled(&self) -> bool {
        self.is_enabled.load(Ordering::Relaxed)
    }

    /// Publishes events from now on, or no more.
    pub(crate) fn enable(&self, enabled: bool) {
        self.is_enabled.store(enabled, Ordering::Relaxed);
        // Streams look whether they may go on.
        self.newest.send_modify(|_| {});
    }

    /// The number of the newest event.
    pub(crate) fn newest(&self) -> u64 {
        *self.newest.borrow()
    }

    /// Tells when there is a newer one.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// How many events and reports were published in this run, and how often a reader was told of a loss.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let published = self.published.load(Ordering::Relaxed);
        (published, self.losses.load(Ordering::Relaxed))
    }

    /// A number for an event that only one reader gets.
    pub(crate) fn take_number(&self) -> u64 {
        let mut buffer = self.lock();
        let number = buffer.next;
        buffer.next += 1;
        number
    }

    /// Gives a record its number and shows it to everybody.
    pub(crate) fn publish_record(&self, mut record: Record) {
        if !self.is_enabled() {
            return;
        }
        let mut buffer = self.lock();
        record.number = buffer.next;
        buffer.next += 1;
        buffer.group(&mut record);
        let number = record.number;
        buffer.push(published(record));
        drop(buffer);
        self.tell(number);
    }

    /// Shows a metric report to everybody: the JSON of a `MetricReport`, and the path of its definition.
    pub(crate) fn publish_report(&self, definition: Option<String>, json: Bytes) {
        if !self.is_enabled() {
            return;
        }
        let time_ms = now().unix_ms();
        let mut buffer = self.lock();
        let number = buffer.next;
        buffer.next += 1;
        buffer.push(Arc::new(Published {
            number,
            content: Content::Report {
                definition,
                time_ms,
            },
            json,
        }));
        drop(buffer);
        self.tell(number);
    }

    fn tell(&self, number: u64) {
        self.published.fetch_add(1, Ordering::Relaxed);
        self.newest
            .send_modify(|newest| *newest = number.max(*newest));
    }

    /// What came after the event number `after` and is wanted, oldest first and at most `most`.
    pub(crate) fn read(
        &self,
        reader: Reader,
        after: u64,
        most: usize,
        wanted: impl Fn(&Published) -> bool,
    ) -> Read {
        let mut read = Read {
            events: Vec::new(),
            to: after,
            lost_to: None,
        };
        let lost_to = self.lost_to(reader);
        // A number that was never given out is another service's, or of a state that is gone.
        if after >= self.lock().next {
            read.to = 0;
        }
        if read.to < lost_to {
            read.lost_to = Some(lost_to);
            self.losses.fetch_add(1, Ordering::Relaxed);
        }
        loop {
            let next = self.after(read.to);
            if next.is_empty() {
                break;
            }
            for event in next {
                if read.events.len() == most {
                    return read;
                }
                read.to = event.number;
                if wanted(&event) {
                    read.events.push(event);
                }
            }
        }
        read.to = read.to.max(lost_to);
        read
    }

    /// Up to which number a reader may have lost events.
    pub(crate) fn lost_to(&self, reader: Reader) -> u64 {
        let buffer = self.lock();
        match reader {
            Reader::Stream => buffer.lost_to,
            Reader::Subscription => buffer.lost_to_subscriptions,
        }
    }

    /// The number before the first event that is not older than `age_ms`.
    pub(crate) fn number_before(&self, age_ms: u64) -> u64 {
        let age_ms = i64::try_from(age_ms).unwrap_or(i64::MAX);
        let since = now().unix_ms().saturating_sub(age_ms);
        let buffer = self.lock();
        let older = buffer
            .events
            .iter()
            .rev()
            .find(|e| e.content.time_ms() < since);
        older.map_or(0, |event| event.number)
    }

    /// The next few events after a number.
    fn after(&self, number: u64) -> Vec<Arc<Published>> {
        let buffer = self.lock();
        let from = buffer.events.partition_point(|e| e.number <= number);
        buffer.events.range(from..).take(LOOK).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for Hub {
    fn publish(&self, event: Event) {
        self.publish_record(Record::of(&event, now()));
    }
}

impl Buffer {
    /// Adds the newest, and drops what there is no room for. A report that is dropped is no loss to be told: a newer one
    /// of its kind is on its way or there already.
    fn push(&mut self, new: Arc<Published>) {
        if self.events.len() == MAX_BUFFERED_EVENTS
            && let Some(oldest) = self.events.pop_front()
        {
            self.forget(&oldest);
            if oldest.content.event().is_some() {
                self.lost_to = self.lost_to.max(oldest.number);
                self.lost_to_subscriptions = oldest.number;
            }
        }
        if new.is_report() {
            self.reports += 1;
            self.report_bytes += new.json.len();
            while (self.reports > MAX_BUFFERED_REPORTS
                || self.report_bytes > MAX_BUFFERED_REPORT_BYTES)
                && let Some(oldest) = self.events.iter().position(|event| event.is_report())
                && let Some(dropped) = self.events.remove(oldest)
            {
                self.forget(&dropped);
            }
        }
        self.events.push_back(new);
    }

    fn forget(&mut self, dropped: &Published) {
        if dropped.is_report() {
            self.reports -= 1;
            self.report_bytes -= dropped.json.len();
        }
    }

    /// All that is told of a resource from when its condition became bad until it is well again has one cause.
    fn group(&mut self, record: &mut Record) {
        let Some(origin) = record.origin.as_ref().filter(|_| record.group.is_none()) else {
            return;
        };
        let number = i64::try_from(record.number).unwrap_or(i64::MAX);
        if record.severity != Severity::Ok {
            let group = self.groups.get(origin).copied();
            if group.is_none() && self.groups.len() < MAX_GROUPS {
                self.groups.insert(origin.clone(), number);
            }
            record.group = Some(group.unwrap_or(number));
        } else if ends_group(&record.message_id) {
            record.group = self.groups.remove(origin);
        }
    }
}

/// Whether a message says that a resource is well again.
fn ends_group(message_id: &str) -> bool {
    [
        "ResourceStatusChangedOK",
        "SensorReadingNormalRange",
        "SensorRestored",
        "TriggerNumericReadingNormal",
        "ResourceRemoved",
    ]
    .iter()
    .any(|key| message_id.ends_with(key))
}

fn published(record: Record) -> Arc<Published> {
    Arc::new(Published {
        number: record.number,
        json: record.json().into(),
        content: Content::Event(record),
    })
}

impl Published {
    const fn is_report(&self) -> bool {
        matches!(self.content, Content::Report { .. })
    }
}

/// The time of an event.
pub(crate) fn now() -> DateTime {
    DateTime::from(SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::sensor_event;

    fn event(origin: &str) -> Event {
        Event {
            message: sensor_event::sensor_failure(origin),
            origin: Some(origin.to_owned()),
            resource_type: Some("Sensor"),
        }
    }

    fn origins(read: &Read) -> Vec<&str> {
        let origin = |e: &Arc<Published>| {
            let record = e.content.event().unwrap();
            record.origin.as_deref().unwrap().to_owned()
        };
        read.events
            .iter()
            .map(|e| origin(e).leak() as &str)
            .collect()
    }

    fn all(hub: &Hub, after: u64) -> Read {
        hub.read(Reader::Stream, after, usize::MAX, |_| true)
    }

    #[test]
    fn every_reader_gets_what_he_wants_in_order_and_goes_on_where_he_stopped() {
        let hub = Hub::new(Before::default());
        for origin in ["/a", "/b", "/a", "/c"] {
            hub.publish(event(origin));
        }
        let is_of_a = |e: &Published| {
            let record = e.content.event().unwrap();
            record.origin.as_deref() == Some("/a")
        };
        let first = hub.read(Reader::Stream, 0, 1, is_of_a);
        assert_eq!(origins(&first), ["/a"]);
        let then = hub.read(Reader::Stream, first.to, 9, is_of_a);
        assert_eq!(origins(&then), ["/a"]);
        assert_eq!(then.to, hub.newest());
        assert_eq!(origins(&all(&hub, 1)), ["/b", "/a", "/c"]);
        assert!(all(&hub, hub.newest()).events.is_empty());
    }

    #[test]
    fn a_reader_that_was_overtaken_is_told_once_up_to_where_events_may_be_lost() {
        let hub = Hub::new(Before::default());
        let start = hub.newest();
        for _ in 0..MAX_BUFFERED_EVENTS + 3 {
            hub.publish(event("/a"));
        }
        let late = hub.read(Reader::Stream, start, 10, |_| true);
        assert_eq!((late.lost_to, late.events[0].number), (Some(3), 4));
        assert_eq!(
            hub.read(Reader::Stream, late.to, 10, |_| true).lost_to,
            None
        );
        let on_time = hub.read(Reader::Stream, 3, 10, |_| true);
        assert_eq!(on_time.lost_to, None);
        // Also a reader who wants nothing of what is there is past the loss.
        let nothing = hub.read(Reader::Stream, start, 10, |_| false);
        assert_eq!((nothing.lost_to, nothing.to), (Some(3), hub.newest()));
    }

    #[test]
    fn numbers_grow_over_a_restart_and_what_subscriptions_wanted_is_there_again() {
        let hub = Hub::new(Before::default());
        hub.publish(event("/a"));
        hub.publish(event("/b"));
        let records = all(&hub, 1)
            .events
            .iter()
            .map(|e| e.content.event().unwrap().clone())
            .collect();
        let again = Hub::new(Before {
            runs: 1,
            records,
            lost_to: 0,
        });
        again.publish(event("/c"));
        assert!(again.newest() > hub.newest());
        let read = again.read(Reader::Subscription, 1, 9, |_| true);
        assert_eq!((origins(&read), read.lost_to), (vec!["/b", "/c"], None));
        // A stream may have lost what no subscription wanted.
        assert!(all(&again, 1).lost_to.is_some());
        assert!(all(&again, again.newest() - 1).lost_to.is_none());
    }

    #[test]
    fn a_number_that_was_never_given_out_begins_at_the_oldest_and_tells_of_the_loss() {
        let hub = Hub::new(Before {
            runs: 1,
            ..Before::default()
        });
        hub.publish(event("/a"));
        let read = all(&hub, u64::MAX);
        assert_eq!(origins(&read), ["/a"]);
        assert!(read.lost_to.is_some());
    }

    #[test]
    fn what_is_told_of_a_resource_until_it_is_well_again_is_one_group() {
        let hub = Hub::new(Before::default());
        let restored = |origin: &str| Event {
            message: sensor_event::sensor_restored(origin),
            ..event(origin)
        };
        hub.publish(event("/a"));
        hub.publish(event("/b"));
        hub.publish(event("/a"));
        hub.publish(restored("/a"));
        hub.publish(restored("/a"));
        hub.publish(event("/a"));
        let group = |e: &Arc<Published>| e.content.event().unwrap().group;
        let groups: Vec<_> = all(&hub, 0).events.iter().map(group).collect();
        assert_eq!(groups, [Some(1), Some(2), Some(1), Some(1), None, Some(6)]);
    }

    #[test]
    fn metric_reports_have_a_bound_of_their_own_and_make_no_event_lost() {
        let hub = Hub::new(Before::default());
        let report = |bytes: usize| hub.publish_report(None, vec![b' '; bytes].into());
        hub.publish(event("/a"));
        let half = MAX_BUFFERED_REPORT_BYTES / 2;
        for bytes in [half, half, 1, 2 * MAX_BUFFERED_REPORT_BYTES] {
            report(bytes);
            hub.publish(event("/b"));
        }
        let read = all(&hub, 0);
        let size = |e: &Arc<Published>| if e.is_report() { e.json.len() } else { 0 };
        let sizes: Vec<_> = read.events.iter().map(size).collect();
        assert_eq!(sizes, [0, 0, 0, 0, 2 * MAX_BUFFERED_REPORT_BYTES, 0]);
        assert_eq!(read.lost_to, None);
        report(7);
        assert_eq!(size(&all(&hub, 9).events[0]), 7);
    }

    #[test]
    fn many_metric_reports_take_no_event_its_place() {
        let hub = Hub::new(Before::default());
        hub.publish(event("/a"));
        for _ in 0..2 * MAX_BUFFERED_EVENTS {
            hub.publish_report(None, Bytes::from_static(b"{}"));
        }
        hub.publish(event("/b"));
        let is_event = |one: &Published| one.content.event().is_some();
        let read = hub.read(Reader::Stream, 0, MAX_BUFFERED_EVENTS, is_event);
        assert_eq!(origins(&read), ["/a", "/b"]);
        assert_eq!(read.lost_to, None);
        let reports = hub.read(Reader::Stream, 0, usize::MAX, Published::is_report);
        assert_eq!(reports.events.len(), MAX_BUFFERED_REPORTS);
    }

    #[test]
    fn a_disabled_hub_publishes_nothing() {
        let hub = Hub::new(Before::default());
        hub.enable(false);
        hub.publish(event("/a"));
        hub.enable(true);
        hub.publish(event("/b"));
        assert_eq!(origins(&all(&hub, 0)), ["/b"]);
    }
}
