//! Numbers events, and has the newest for whoever reads them.
//!
//! While a [journal](super::journal) [keeps](Hub::keep) events, readers see one when it is on the disk; else at once.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use redfish_schema::DateTime;
use tokio::sync::{Notify, watch};

use super::{Event, EventSink, Mark, Record};
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
pub(super) const NUMBERS_OF_RUN: u64 = 10_000_000_000;
/// How many events a reader looks at under one lock.
const LOOK: usize = 256;

/// Every event of the service passes here.
pub(crate) struct Hub {
    buffer: Mutex<Buffer>,
    /// The number of the newest event that readers see.
    newest: watch::Sender<u64>,
    is_enabled: AtomicBool,
    /// Events are shown when they are kept, and not before.
    is_kept: AtomicBool,
    unkept: Notify,
    /// How far events of their sources' journals are kept.
    kept_marks: Mutex<Marks>,
    /// Who wants to know when more is kept.
    watchers: Mutex<Vec<Box<dyn Fn() + Send + Sync>>>,
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

/// Of each journal, the number of its newest event that was published.
pub(crate) type Marks = BTreeMap<u64, u64>;

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
    /// The events that were kept, oldest first.
    pub(crate) records: Vec<Record>,
    /// Up to this number events may be missing.
    pub(crate) lost_to: u64,
    /// How far events of their sources' journals were published.
    pub(crate) marks: Marks,
}

/// What is to be kept.
#[derive(Debug)]
pub(crate) struct Unkept {
    pub(crate) events: Vec<Arc<Published>>,
    /// They are everything up to this number.
    pub(crate) to: u64,
    /// The number of the oldest event that readers may ask for.
    pub(crate) oldest: u64,
    /// Up to this number events may be missing.
    pub(crate) lost_to: u64,
    pub(crate) marks: Marks,
}

struct Buffer {
    events: VecDeque<Arc<Published>>,
    /// How many of them are metric reports, and how many bytes those have.
    reports: usize,
    report_bytes: usize,
    /// The number of the next event.
    next: u64,
    /// The number of the newest event that is no metric report.
    newest_event: u64,
    /// Up to this number, events may be missing.
    lost_to: u64,
    marks: Marks,
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
        let newest = events.back().map_or(0, |event| event.number);
        Self {
            buffer: Mutex::new(Buffer {
                events,
                reports: 0,
                report_bytes: 0,
                next: first,
                newest_event: newest,
                lost_to: before.lost_to.max(dropped_to),
                marks: before.marks.clone(),
                groups: HashMap::new(),
            }),
            newest: watch::Sender::new(newest),
            is_enabled: AtomicBool::new(true),
            is_kept: AtomicBool::new(false),
            unkept: Notify::new(),
            kept_marks: Mutex::new(before.marks),
            watchers: Mutex::default(),
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

    /// The number of the newest event that readers see.
    pub(crate) fn newest(&self) -> u64 {
        *self.newest.borrow()
    }

    /// The number that everything published so far doesn't exceed, be it shown already or not: who wants only what comes
    /// from now on begins behind it.
    pub(crate) fn published_to(&self) -> u64 {
        self.lock().next - 1
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

    /// Gives a record its number and publishes it.
    pub(crate) fn publish_record(&self, record: Record) {
        self.take(record, None);
    }

    fn take(&self, mut record: Record, mark: Option<Mark>) {
        let mut buffer = self.lock();
        if let Some(mark) = mark {
            let number = mark.number.get();
            let to = buffer.marks.entry(mark.journal).or_default();
            if number <= *to {
                return;
            }
            *to = number;
        }
        if !self.is_enabled() {
            // That it was published to nobody is to be kept, too.
            if mark.is_some() {
                self.unkept.notify_one();
            }
            return;
        }
        record.number = buffer.next;
        buffer.next += 1;
        buffer.group(&mut record);
        let number = record.number;
        buffer.newest_event = number;
        buffer.push(published(record));
        drop(buffer);
        self.published.fetch_add(1, Ordering::Relaxed);
        if self.is_kept.load(Ordering::SeqCst) {
            self.unkept.notify_one();
        } else {
            self.show(number);
        }
    }

    /// Publishes a metric report: the JSON of a `MetricReport`, and the path of its definition. It isn't kept: after a
    /// restart there are newer ones.
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
        let waits = buffer.newest_event > self.newest();
        drop(buffer);
        self.published.fetch_add(1, Ordering::Relaxed);
        if !waits {
            self.show(number);
        }
    }

    /// From now on readers see only what is [kept](Self::kept), until the answer is dropped.
    pub(crate) fn keep(&self) -> Keeping<'_> {
        self.is_kept.store(true, Ordering::SeqCst);
        Keeping(self)
    }

    /// Ends when there is something to be kept.
    pub(crate) async fn has_unkept(&self) {
        self.unkept.notified().await;
    }

    /// What is to be kept behind the event number `after`.
    pub(crate) fn unkept(&self, after: u64) -> Unkept {
        let buffer = self.lock();
        let from = buffer.events.partition_point(|e| e.number <= after);
        let new = buffer.events.range(from..);
        let oldest = buffer.events.front().map(|event| event.number);
        Unkept {
            events: new.filter(|e| !e.is_report()).cloned().collect(),
            to: buffer.next - 1,
            oldest: oldest.unwrap_or(buffer.next),
            lost_to: buffer.lost_to,
            marks: buffer.marks.clone(),
        }
    }

    /// Everything up to the number `to` is kept, and how far that is in journals.
    pub(crate) fn kept(&self, to: u64, marks: Marks) {
        self.show(to);
        let mut kept = lock(&self.kept_marks);
        let is_more = *kept != marks;
        *kept = marks;
        drop(kept);
        if is_more {
            for tell in lock(&self.watchers).iter() {
                tell();
            }
        }
    }

    /// Shows everything up to the number `to` to readers, and the metric reports that follow.
    pub(crate) fn show(&self, to: u64) {
        let buffer = self.lock();
        let shown = match buffer.newest_event <= to {
            true => buffer.events.len(),
            false => buffer.events.partition_point(|e| e.number <= to),
        };
        // Not a number that only one reader has: nobody would ever have read so far.
        let last = shown
            .checked_sub(1)
            .and_then(|last| buffer.events.get(last));
        let Some(to) = last.map(|last| last.number) else {
            return;
        };
        // Under the lock: nothing is published between the look and the word.
        self.newest.send_modify(|newest| *newest = to.max(*newest));
    }

    /// What came after the event number `after` and is wanted, oldest first and at most `most`.
    pub(crate) fn read(
        &self,
        after: u64,
        most: usize,
        wanted: impl Fn(&Published) -> bool,
    ) -> Read {
        let mut read = Read {
            events: Vec::new(),
            to: after,
            lost_to: None,
        };
        let buffer = self.lock();
        let (lost_to, is_foreign) = (buffer.lost_to, after >= buffer.next);
        drop(buffer);
        // A number that was never given out is another service's, or of a state that is gone.
        if is_foreign {
            read.to = 0;
        }
        if read.to < lost_to || is_foreign {
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
        let shown = self.newest();
        let buffer = self.lock();
        let from = buffer.events.partition_point(|e| e.number <= number);
        let events = buffer.events.range(from..);
        let shown = events.take_while(|e| e.number <= shown);
        shown.take(LOOK).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Buffer> {
        lock(&self.buffer)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Events are shown when they are kept, for as long as this is there.
pub(crate) struct Keeping<'a>(&'a Hub);

impl Drop for Keeping<'_> {
    fn drop(&mut self) {
        self.0.is_kept.store(false, Ordering::SeqCst);
        let newest = self.0.lock().next - 1;
        self.0.show(newest);
    }
}

impl EventSink for Hub {
    fn publish(&self, event: Event) {
        self.publish_record(Record::of(&event, now()));
    }

    fn publish_once(&self, event: Event, mark: Mark) {
        self.take(Record::of(&event, now()), Some(mark));
    }

    fn kept_to(&self, journal: u64) -> Option<u64> {
        let kept = lock(&self.kept_marks).get(&journal).copied();
        Some(kept.unwrap_or(0))
    }

    fn on_kept(&self, tell: Box<dyn Fn() + Send + Sync>) {
        lock(&self.watchers).push(tell);
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
    use std::num::NonZeroU64;

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
        hub.read(after, usize::MAX, |_| true)
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
        let first = hub.read(0, 1, is_of_a);
        assert_eq!(origins(&first), ["/a"]);
        let then = hub.read(first.to, 9, is_of_a);
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
        let late = hub.read(start, 10, |_| true);
        assert_eq!((late.lost_to, late.events[0].number), (Some(3), 4));
        assert_eq!(hub.read(late.to, 10, |_| true).lost_to, None);
        let on_time = hub.read(3, 10, |_| true);
        assert_eq!(on_time.lost_to, None);
        // Also a reader who wants nothing of what is there is past the loss.
        let nothing = hub.read(start, 10, |_| false);
        assert_eq!((nothing.lost_to, nothing.to), (Some(3), hub.newest()));
    }

    #[test]
    fn numbers_grow_over_a_restart_and_what_was_kept_is_there_again() {
        let hub = Hub::new(Before::default());
        for origin in ["/a", "/b"] {
            hub.publish(event(origin));
        }
        let record = |e: &Arc<Published>| e.content.event().unwrap().clone();
        let again = Hub::new(Before {
            runs: 1,
            records: hub.unkept(0).events.iter().map(record).collect(),
            ..Before::default()
        });
        assert_eq!(again.newest(), hub.newest(), "nobody waits for more");
        again.publish(event("/c"));
        assert!(again.newest() > hub.newest());
        for (after, then) in [(0, vec!["/a", "/b", "/c"]), (1, vec!["/b", "/c"])] {
            let read = all(&again, after);
            assert_eq!((origins(&read), read.lost_to), (then, None));
        }
    }

    #[test]
    fn while_events_are_kept_readers_see_what_is_kept_and_the_reports_between() {
        let hub = Hub::new(Before::default());
        let report = || hub.publish_report(None, Bytes::from_static(b"{}"));
        let seen = |hub: &Hub| hub.read(0, usize::MAX, |_| true).to;
        let keeping = hub.keep();
        report();
        assert_eq!(seen(&hub), 1, "reports aren't kept");
        hub.publish(event("/a"));
        report();
        assert_eq!((seen(&hub), hub.newest(), hub.published_to()), (1, 1, 3));
        let unkept = hub.unkept(0);
        assert_eq!((unkept.events.len(), unkept.to), (1, 3));
        hub.publish(event("/b"));
        report();
        hub.kept(unkept.to, unkept.marks);
        assert_eq!(seen(&hub), 3, "what came meanwhile is not kept");
        // A number that only one reader gets is none to be waited for.
        hub.take_number();
        hub.kept(hub.unkept(3).to, Marks::new());
        assert_eq!((seen(&hub), hub.newest()), (5, 5));
        hub.publish(event("/c"));
        drop(keeping);
        assert_eq!(seen(&hub), hub.newest(), "whoever kept them has ended");
        hub.publish(event("/d"));
        assert_eq!(seen(&hub), 8);
    }

    fn mark(number: u64) -> Mark {
        Mark {
            journal: 7,
            number: NonZeroU64::new(number).unwrap(),
        }
    }

    #[test]
    fn an_event_of_a_journal_is_published_once_also_where_an_earlier_run_has_done_it() {
        let hub = Hub::new(Before {
            marks: Marks::from([(7, 4)]),
            ..Before::default()
        });
        assert_eq!((hub.kept_to(7), hub.kept_to(8)), (Some(4), Some(0)));
        for number in [3, 4, 5, 5, 6, 4] {
            hub.publish_once(event(&format!("/{number}")), mark(number));
        }
        assert_eq!(origins(&all(&hub, 0)), ["/5", "/6"]);
        let another = Mark {
            journal: 8,
            ..mark(1)
        };
        hub.publish_once(event("/new"), another);
        assert_eq!(origins(&all(&hub, 2)), ["/new"]);
    }

    #[test]
    fn a_source_hears_when_more_of_its_events_is_kept() {
        let hub = Hub::new(Before::default());
        let calls = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&calls);
        hub.on_kept(Box::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        }));
        let _keeping = hub.keep();
        hub.publish_once(event("/a"), mark(1));
        hub.enable(false);
        hub.publish_once(event("/b"), mark(2));
        assert_eq!(hub.kept_to(7), Some(0));
        for _ in 0..2 {
            let unkept = hub.unkept(0);
            hub.kept(unkept.to, unkept.marks);
        }
        assert_eq!(
            (hub.kept_to(7), calls.load(Ordering::Relaxed)),
            (Some(2), 1)
        );
        assert_eq!(origins(&all(&hub, 0)), ["/a"], "the other to nobody");
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
        let read = hub.read(0, MAX_BUFFERED_EVENTS, is_event);
        assert_eq!(origins(&read), ["/a", "/b"]);
        assert_eq!(read.lost_to, None);
        let reports = hub.read(0, usize::MAX, Published::is_report);
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
