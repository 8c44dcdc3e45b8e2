//! Event logs of a source that has a journal of them: each entry is told once, and kept at one end or the other meanwhile.

use std::num::NonZeroU64;
use std::sync::{Arc, Mutex};

use hardware::*;
use redfish::{Backend, Event, EventSink, Mark, Message};
use redfish_hardware::HardwareBackend;

use crate::fake::Fake;

const JOURNAL: u64 = 7;

/// A hall whose logs are followed over restarts.
struct Source {
    fake: Arc<Fake>,
    /// The news, by number.
    news: Mutex<Vec<LogNews>>,
    forgotten_to: Mutex<u64>,
    observers: Mutex<Vec<Arc<dyn Observer>>>,
}

impl Source {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            fake: Fake::hall(),
            news: Mutex::default(),
            forgotten_to: Mutex::default(),
            observers: Mutex::default(),
        })
    }

    /// There are entries of these numbers, which the journal gives them, too.
    fn entries(&self, ids: impl IntoIterator<Item = u32>) {
        let news = |id: u32| LogNews {
            number: NonZeroU64::new(id.into()),
            node: NodeId::new("Loose").unwrap(),
            event: LogEvent::Entry { id, raw: [0; 16] },
        };
        self.news.lock().unwrap().extend(ids.into_iter().map(news));
        self.tell(&Update::LogNews);
    }

    fn tell(&self, update: &Update) {
        for observer in &*self.observers.lock().unwrap() {
            observer.updated(update);
        }
    }

    fn forgotten_to(&self) -> u64 {
        *self.forgotten_to.lock().unwrap()
    }
}

impl LogJournal for Source {
    fn id(&self) -> u64 {
        JOURNAL
    }

    fn after(&self, number: u64, most: usize) -> Vec<LogNews> {
        let number_of = |news: &LogNews| news.number.map_or(0, NonZeroU64::get);
        let mut news = self.news.lock().unwrap();
        let found: Vec<_> = news
            .iter()
            .filter(|one| one.number.is_none() || number_of(one) > number)
            .take(most)
            .cloned()
            .collect();
        news.retain(|one| one.number.is_some());
        found
    }

    fn forget_to(&self, number: u64) {
        *self.forgotten_to.lock().unwrap() = number;
    }
}

impl Hardware for Source {
    fn node_ids(&self) -> Arc<[NodeId]> {
        self.fake.node_ids()
    }

    fn node(&self, id: &str) -> Option<Arc<Node>> {
        self.fake.node(id)
    }

    fn topology(&self) -> Arc<Topology> {
        self.fake.topology()
    }

    fn apply(&self, id: &NodeId, change: Change) -> ApplyFuture {
        self.fake.apply(id, change)
    }

    fn observe(&self, observer: Arc<dyn Observer>) {
        self.observers.lock().unwrap().push(observer);
    }

    fn log_journal(&self) -> Option<&dyn LogJournal> {
        Some(self)
    }
}

/// An event service: what it was handed in, and how far it has that on its disk.
#[derive(Default)]
struct Sink {
    origins: Mutex<Vec<String>>,
    messages: Mutex<Vec<Message>>,
    marks: Mutex<Vec<u64>>,
    kept_to: Mutex<u64>,
    tell: Mutex<Vec<Box<dyn Fn() + Send + Sync>>>,
}

impl Sink {
    fn watch(self: &Arc<Self>, source: &Arc<Source>) -> HardwareBackend {
        let backend = HardwareBackend::new(Arc::clone(source) as Arc<dyn Hardware>);
        backend.watch(Arc::clone(self) as Arc<dyn EventSink>);
        backend
    }

    fn keep_to(&self, number: u64) {
        *self.kept_to.lock().unwrap() = number;
        for tell in &*self.tell.lock().unwrap() {
            tell();
        }
    }

    fn marks(&self) -> Vec<u64> {
        std::mem::take(&mut *self.marks.lock().unwrap())
    }
}

impl EventSink for Sink {
    fn publish(&self, event: Event) {
        self.messages.lock().unwrap().push(event.message);
        self.origins.lock().unwrap().push(event.origin.unwrap());
    }

    fn publish_once(&self, event: Event, mark: Mark) {
        assert_eq!(mark.journal, JOURNAL);
        self.marks.lock().unwrap().push(mark.number.get());
        self.publish(event);
    }

    fn kept_to(&self, journal: u64) -> Option<u64> {
        assert_eq!(journal, JOURNAL);
        Some(*self.kept_to.lock().unwrap())
    }

    fn on_kept(&self, tell: Box<dyn Fn() + Send + Sync>) {
        self.tell.lock().unwrap().push(tell);
    }
}

#[test]
fn news_is_handed_in_once_with_its_number_and_forgotten_when_it_is_kept() {
    let source = Source::new();
    source.entries([1, 2]);
    let sink = Arc::new(Sink::default());
    let _backend = sink.watch(&source);
    assert_eq!(sink.marks(), [1, 2], "what came before anybody listened");
    source.entries([3]);
    assert_eq!(sink.marks(), [3]);
    assert_eq!(source.forgotten_to(), 0);
    sink.keep_to(2);
    assert_eq!(source.forgotten_to(), 2);
    assert_eq!(sink.marks(), [0; 0]);
    let origins = sink.origins.lock().unwrap();
    assert_eq!(
        origins[2],
        "/redfish/v1/Managers/Loose/LogServices/SEL/Entries/3"
    );
}

#[test]
fn an_entry_is_told_with_its_own_words_and_severity_unless_it_is_gone() {
    let source = Source::new();
    source.fake.change("Loose", |node| {
        let like = &node.log.entries[0];
        let text = LogText {
            kind: LogEntryKind::Event,
            sensor: Some("PSU1_Status".into()),
            sensor_type: "Power Supply".into(),
            message: "Failure detected".into(),
            severity: Severity::Critical,
            asserted: true,
        };
        let entry = LogEntry {
            id: 4,
            raw: [0; 16],
            text: Arc::new(text),
            ..like.clone()
        };
        node.log = Arc::new(Log {
            entries: [entry].into(),
            ..Log::clone(&node.log)
        });
    });
    let sink = Arc::new(Sink::default());
    let _backend = sink.watch(&source);
    source.entries([4, 5]);
    let messages = sink.messages.lock().unwrap();
    let told: Vec<_> = messages.iter().map(|m| (m.key(), m.severity())).collect();
    assert_eq!(
        told,
        [
            ("ResourceCreated", redfish::message::Severity::Critical),
            ("ResourceCreated", redfish::message::Severity::Ok),
        ]
    );
    assert_eq!(messages[0].text(), "PSU1_Status: Failure detected");
    assert_eq!(
        messages[1].text(),
        "The resource has been created successfully."
    );
}

#[test]
fn after_a_crash_only_what_was_not_kept_is_handed_in_again() {
    let source = Source::new();
    source.entries([1, 2, 3]);
    let sink = Arc::new(Sink::default());
    *sink.kept_to.lock().unwrap() = 2;
    let _backend = sink.watch(&source);
    assert_eq!((sink.marks(), source.forgotten_to()), (vec![3], 2));
}

#[test]
fn a_source_with_very_much_news_waits_until_some_of_it_is_kept() {
    const ALL: u32 = 5_000;
    let source = Source::new();
    let sink = Arc::new(Sink::default());
    let _backend = sink.watch(&source);
    source.entries(1..=ALL);
    let (mut got, mut turns) = (Vec::new(), 0);
    loop {
        let some = sink.marks();
        let Some(last) = some.last() else { break };
        assert!(some.len() <= 1_024);
        sink.keep_to(*last);
        got.extend(some);
        turns += 1;
    }
    assert!(got.into_iter().eq(1..=u64::from(ALL)));
    assert!(turns > 1, "in pieces");
}

#[test]
fn news_that_the_source_could_not_write_is_told_without_a_number() {
    let source = Source::new();
    let sink = Arc::new(Sink::default());
    let _backend = sink.watch(&source);
    source.news.lock().unwrap().push(LogNews {
        number: None,
        node: NodeId::new("Loose").unwrap(),
        event: LogEvent::Loss,
    });
    source.tell(&Update::LogNews);
    assert_eq!(sink.marks(), [0; 0]);
    let origins = sink.origins.lock().unwrap();
    assert_eq!(*origins, ["/redfish/v1/Managers/Loose/LogServices/SEL"]);
}

#[test]
fn what_snapshots_show_of_logs_is_not_told_besides() {
    let source = Source::new();
    let sink = Arc::new(Sink::default());
    let _backend = sink.watch(&source);
    let before = source.node("Loose").unwrap();
    let mut entries = before.log.entries.to_vec();
    entries.push(LogEntry {
        id: 99,
        ..entries[0].clone()
    });
    let after = Node {
        log: Arc::new(Log {
            entries: entries.into(),
            losses: before.log.losses + 1,
            ..Log::clone(&before.log)
        }),
        ..Node::clone(&before)
    };
    source.tell(&Update::Changed {
        before,
        after: Arc::new(after),
    });
    assert_eq!(*sink.origins.lock().unwrap(), [""; 0]);
}
