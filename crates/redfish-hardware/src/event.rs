//! What happens to machines, as events: news of the source compared with what was known before.
//!
//! | news                                        | message                              | origin                    |
//! |---------------------------------------------|--------------------------------------|---------------------------|
//! | a node appears, disappears                  | `ResourceCreated`, `ResourceRemoved` | system, chassis, manager  |
//! | another machine gets the name of a node     | `ResourceRemoved`, `ResourceCreated` | system, chassis, manager  |
//! | a controller stops or begins to answer      | `ResourceStatusChanged…`             | manager                   |
//! | a host's power changes                      | `ResourcePoweredOn`, …               | system                    |
//! | boot override, identify light, parts change | `ResourceChanged`                    | system, chassis           |
//! | a reading crosses a limit or comes back     | `Reading…Threshold`, `SensorReading…`| sensor                    |
//! | a discrete state gets worse or better       | `ResourceStatusChanged…`             | power supply, fan, chassis|
//! | a new entry in an event log; a cleared log  | `ResourceCreated`, `ResourceChanged` | log entry, log service    |
//! | entries of a log were lost unread           | `ResourceStatusChangedWarning`       | log service               |
//!
//! Entries of event logs are news where the source's [`LogJournal`] says so, and each is told once, wherever the process is
//! killed: they come with their numbers in it ([`EventSink::publish_once`]), and are forgotten there when the sink has written
//! them down. A source without a journal tells by its snapshots.
//!
//! What an entry says and how bad that is are the event's `Message` and `MessageSeverity`, so that a receiver of alarms need not
//! read the entry to tell a dying power supply from a button; unless the entry is gone by then.
//!
//! What is found at first contact is no event: it did not happen then. Only a limit that is found crossed is told: nobody
//! was told before.

use std::collections::HashSet;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use hardware::{
    Availability, Context, Hardware, Link, Log, LogEntry, LogEvent, LogJournal, LogNews, Node,
    NodeId, NodeKind, Observer, Power, Severity, Threshold, ThresholdState, Update,
};
use redfish::message::{resource_event, sensor_event};
use redfish::{Event, EventSink, Mark, Message};

use crate::log;
use crate::part::{self, Measurement};
use crate::tree::{Tree, TreeCache};
use crate::unit::Conversion;
use crate::uri;

/// How many news of event logs the sink gets before it has written some of them down. A source that has more waits: after a long
/// time of its own it may have hundreds of thousands.
const NEWS_UNDER_WAY_MAX: u64 = 1_024;

/// Translates the updates of a source for a sink.
pub(crate) struct Watch {
    /// Weak, since the source holds its observers.
    hardware: Weak<dyn Hardware>,
    tree: Arc<TreeCache>,
    sink: Arc<dyn EventSink>,
    /// The source has a journal of its event logs.
    has_journal: bool,
    /// News of it was handed in up to this number.
    news_to: Mutex<u64>,
}

impl Watch {
    /// From now on tells `sink` what happens to the machines of `hardware`.
    pub(crate) fn begin(
        hardware: &Arc<dyn Hardware>,
        tree: &Arc<TreeCache>,
        sink: Arc<dyn EventSink>,
    ) {
        let watch = Arc::new(Self {
            hardware: Arc::downgrade(hardware),
            tree: Arc::clone(tree),
            has_journal: hardware.log_journal().is_some(),
            sink,
            news_to: Mutex::new(0),
        });
        // Weak, since the source holds its observers.
        let weak = Arc::downgrade(&watch);
        watch.sink.on_kept(Box::new(move || {
            if let Some(watch) = weak.upgrade() {
                watch.take_news();
            }
        }));
        hardware.observe(Arc::clone(&watch) as Arc<dyn Observer>);
        watch.take_news();
    }

    /// Hands in what the journal of event logs has more.
    fn take_news(&self) {
        let Some(hardware) = self.hardware.upgrade() else {
            return;
        };
        if let Some(journal) = hardware.log_journal() {
            let mut to = self.news_to.lock().unwrap_or_else(PoisonError::into_inner);
            while self.take_some_news(journal, &mut to) {}
        }
    }

    /// Hands in some news behind the number `to`; says whether there may be more.
    fn take_some_news(&self, journal: &dyn LogJournal, to: &mut u64) -> bool {
        // Who writes nothing down has what it was given.
        let kept_to = self.sink.kept_to(journal.id()).unwrap_or(*to);
        *to = kept_to.max(*to);
        journal.forget_to(kept_to);
        let room = NEWS_UNDER_WAY_MAX.saturating_sub(*to - kept_to);
        let news = match usize::try_from(room) {
            Ok(room) if room > 0 => journal.after(*to, room),
            _ => return false,
        };
        for one in &news {
            self.tell_news(journal.id(), one);
            *to = one.number.map_or(*to, NonZeroU64::get);
        }
        !news.is_empty()
    }

    fn tell_news(&self, journal: u64, news: &LogNews) {
        let manager = news.node.as_str();
        let event = match news.event {
            LogEvent::Entry { id, raw } => Event {
                message: self.entry_created(&news.node, (id, raw)),
                origin: Some(uri::log_entry(manager, id)),
                resource_type: Some("LogEntry"),
            },
            LogEvent::Loss => Event {
                message: entries_lost(&uri::log(manager)),
                origin: Some(uri::log(manager)),
                resource_type: Some("LogService"),
            },
        };
        match news.number {
            Some(number) => self.sink.publish_once(event, Mark { journal, number }),
            None => self.sink.publish(event),
        }
    }

    /// The journal has no words for an entry: they are in the node's log, unless it was cleared since.
    fn entry_created(&self, node: &NodeId, key: (u32, [u8; 16])) -> Message {
        let node = self
            .hardware
            .upgrade()
            .and_then(|hardware| hardware.node(node.as_str()));
        let entry = node.as_ref().and_then(|node| {
            let mut newest_first = node.log.entries.iter().rev();
            newest_first.find(|entry| (entry.id, entry.raw) == key)
        });
        entry.map_or_else(resource_event::resource_created, entry_created)
    }

    fn tell(&self, message: Message, origin: String, resource_type: &'static str) {
        self.sink.publish(Event {
            message,
            origin: Some(origin),
            resource_type: Some(resource_type),
        });
    }

    /// Tells the same of every resource that a node is.
    fn tell_of_node(&self, id: &NodeId, kind: NodeKind, tree: &Tree, message: &Message) {
        let name = id.as_str();
        if kind == NodeKind::Computer {
            self.tell(message.clone(), uri::system(name), "ComputerSystem");
        }
        if tree.has_own_chassis(id, kind) {
            self.tell(message.clone(), uri::chassis(name), "Chassis");
        }
        self.tell(message.clone(), uri::manager(name), "Manager");
    }

    fn came_or_went(&self, node: &Node, message: &Message) {
        if let Some(tree) = self.current_tree() {
            self.tell_of_node(&node.id, node.kind, &tree, message);
        }
    }

    fn changed(&self, before: &Node, after: &Node) {
        self.link(before, after);
        if before.link == Link::Up && after.link == Link::Up {
            self.state(before, after);
        }
        if !before.readings.is_same(&after.readings) && after.link == Link::Up {
            self.readings(before, after);
        }
        if !Arc::ptr_eq(&before.log, &after.log) {
            self.log(after.id.as_str(), &before.log, &after.log);
        }
    }

    fn link(&self, before: &Node, after: &Node) {
        let origin = || uri::manager(after.id.as_str());
        match (&before.link, &after.link) {
            (Link::Connecting | Link::Up, Link::Down { reason, .. }) => {
                let message =
                    status_changed(&origin(), Severity::Critical).with_resolution(format!(
                        "No contact with the controller: {reason}. Check it and the network to it."
                    ));
                self.tell(message, origin(), "Manager");
            }
            (Link::Down { .. }, Link::Up) => {
                self.tell(status_changed(&origin(), Severity::Ok), origin(), "Manager");
            }
            _ => {}
        }
    }

    fn state(&self, before: &Node, after: &Node) {
        let name = after.id.as_str();
        let is_computer = after.kind == NodeKind::Computer;
        if is_computer && before.power != after.power && before.power != Power::Unknown {
            let origin = uri::system(name);
            let message = match after.power {
                Power::On => Some(resource_event::resource_powered_on(origin.as_str())),
                Power::Off => Some(resource_event::resource_powered_off(origin.as_str())),
                Power::PoweringOn => Some(resource_event::resource_powering_on(origin.as_str())),
                Power::PoweringOff => Some(resource_event::resource_powering_off(origin.as_str())),
                Power::Unknown => None,
            };
            if let Some(message) = message {
                self.tell(message, origin, "ComputerSystem");
            }
        }
        let boot = before.boot.is_some() && before.boot != after.boot;
        let light =
            before.indicator != after.indicator && before.indicator != hardware::Indicator::Unknown;
        if is_computer && (boot || light) {
            self.tell(
                resource_event::resource_changed(),
                uri::system(name),
                "ComputerSystem",
            );
        }
        let is_known = !before.inventory.sensors.is_empty() || before.identity.uuid.is_some();
        let parts = !Arc::ptr_eq(&before.inventory, &after.inventory)
            || !Arc::ptr_eq(&before.identity, &after.identity);
        if is_known
            && parts
            && let Some(tree) = self.current_tree()
        {
            let message = resource_event::resource_changed();
            self.tell_of_node(&after.id, after.kind, &tree, &message);
        }
    }

    fn current_tree(&self) -> Option<Arc<Tree>> {
        let hardware = self.hardware.upgrade()?;
        Some(self.tree.current(&*hardware))
    }

    /// Most rounds bring nothing that would be an event: the loop looks at few bytes of each reading.
    fn readings(&self, before: &Node, after: &Node) {
        let known = Arc::ptr_eq(&before.inventory, &after.inventory)
            || before.inventory.sensors == after.inventory.sensors;
        let all = after.inventory.sensors.iter().zip(&after.readings);
        for (place, (sensor, now)) in all.enumerate() {
            if now.availability != Availability::Available {
                continue;
            }
            let was = before.readings.get(place).filter(|_| known);
            let was = was.unwrap_or_default();
            let measurement = Measurement {
                sensor,
                reading: now,
            };
            if sensor.quantity.is_numeric() {
                if was.crossed != now.crossed {
                    self.limit(after, &measurement, was.crossed);
                }
            } else if was.states != now.states && was.availability != Availability::Pending {
                let old = Measurement {
                    sensor,
                    reading: hardware::Reading {
                        availability: Availability::Available,
                        ..was
                    },
                };
                if old.severity() != measurement.severity() {
                    self.discrete(after, &measurement);
                }
            }
        }
    }

    fn limit(&self, node: &Node, measurement: &Measurement<'_>, before: ThresholdState) {
        let Some(chassis) = self.chassis_of(node) else {
            return;
        };
        let origin = uri::sensor(&chassis, measurement.sensor);
        let message = limit_message(measurement, before);
        self.tell(message, origin, "Sensor");
    }

    /// A state belongs to the power supply or fan that it is about; others to the chassis.
    fn discrete(&self, node: &Node, measurement: &Measurement<'_>) {
        let Some(chassis) = self.chassis_of(node) else {
            return;
        };
        let sensor = measurement.sensor;
        let of = |parts: Vec<part::Part<'_>>| {
            let part = parts.into_iter().find(|part| part.has(sensor));
            part.map(|part| part.id)
        };
        let (origin, resource_type) = match sensor.context {
            Context::PowerSupply => of(part::power_supplies(node))
                .map(|id| (uri::power_supply(&chassis, &id), "PowerSupply")),
            Context::Fan => of(part::fans(node)).map(|id| (uri::fan(&chassis, &id), "Fan")),
            _ => None,
        }
        .unwrap_or_else(|| (uri::chassis(&chassis), "Chassis"));
        let states = measurement.holding().collect::<Vec<_>>().join(", ");
        let message = status_changed(&origin, measurement.severity())
            .with_resolution(format!("The sensor {} says: {states}.", sensor.name));
        self.tell(message, origin, resource_type);
    }

    /// The chassis that shows a node's sensors.
    fn chassis_of(&self, node: &Node) -> Option<String> {
        let tree = self.current_tree()?;
        let id = tree
            .controlled_by(&node.id)
            .map_or_else(|| node.id.as_str(), |enclosure| enclosure.id.as_str());
        Some(id.to_owned())
    }

    fn log(&self, manager: &str, before: &Log, after: &Log) {
        if before.complete && after.entries.is_empty() && !before.entries.is_empty() {
            let changed = resource_event::resource_changed();
            self.tell(changed, uri::log(manager), "LogService");
        }
        if self.has_journal {
            return;
        }
        if after.losses > before.losses {
            let origin = uri::log(manager);
            self.tell(entries_lost(&origin), origin, "LogService");
        }
        // What the first reading finds is history.
        let new = match before.complete {
            true => new_entries(&before.entries, &after.entries),
            false => &[],
        };
        for entry in new {
            let origin = uri::log_entry(manager, entry.id);
            self.tell(entry_created(entry), origin, "LogEntry");
        }
    }
}

impl Observer for Watch {
    fn updated(&self, update: &Update) {
        match update {
            Update::Changed { before, after } => self.changed(before, after),
            Update::Added(node) => self.came_or_went(node, &resource_event::resource_created()),
            Update::Replaced { before, after } => {
                self.came_or_went(before, &resource_event::resource_removed());
                self.came_or_went(after, &resource_event::resource_created());
            }
            Update::Removed(node) => self.came_or_went(node, &resource_event::resource_removed()),
            Update::LogNews => self.take_news(),
            Update::Topology => {}
        }
    }
}

/// The entries behind the newest one that was known and is still there; all where none is.
fn new_entries<'a>(before: &[LogEntry], after: &'a [LogEntry]) -> &'a [LogEntry] {
    let key = |entry: &LogEntry| (entry.id, entry.raw);
    let known = before.last().and_then(|last| {
        let last = key(last);
        after.iter().rposition(|entry| key(entry) == last)
    });
    let known = known.or_else(|| {
        // The newest was deleted, or all are gone.
        let before: HashSet<_> = before.iter().map(key).collect();
        after.iter().rposition(|entry| before.contains(&key(entry)))
    });
    known.map_or(after, |known| &after[known + 1..])
}

/// There is this entry: with its own words, since `ResourceCreated` is all well whatever it tells.
fn entry_created(entry: &LogEntry) -> Message {
    let severity = match entry.text.severity {
        Severity::Ok => redfish::message::Severity::Ok,
        Severity::Warning => redfish::message::Severity::Warning,
        Severity::Critical => redfish::message::Severity::Critical,
    };
    resource_event::resource_created().with_text(log::message(&entry.text), severity)
}

fn entries_lost(log: &str) -> Message {
    status_changed(log, Severity::Warning).with_resolution(
        "Entries were lost before they could be read: the log was full, or overwrote them, or its controller can't give them. Clear it now and then.",
    )
}

fn status_changed(resource: &str, severity: Severity) -> Message {
    match severity {
        Severity::Ok => resource_event::resource_status_changed_ok(resource, "OK"),
        Severity::Warning => resource_event::resource_status_changed_warning(resource, "Warning"),
        Severity::Critical => {
            resource_event::resource_status_changed_critical(resource, "Critical")
        }
    }
}

/// The limits from the worst to the mildest.
const WORST_FIRST: [Threshold; 6] = [
    Threshold::UpperFatal,
    Threshold::LowerFatal,
    Threshold::UpperCritical,
    Threshold::LowerCritical,
    Threshold::UpperCaution,
    Threshold::LowerCaution,
];

/// What a change of crossed limits means: the worst limit that was newly crossed; else that all is normal again; else
/// the worst limit from beyond which the reading came back.
fn limit_message(measurement: &Measurement<'_>, before: ThresholdState) -> Message {
    let (sensor, now) = (measurement.sensor, measurement.reading.crossed);
    let name = &*sensor.name;
    let reading = measurement.value().unwrap_or_default().to_string();
    let units = Conversion::of(sensor).unit(sensor).unwrap_or_default();
    let limit = |threshold| {
        limit_of(sensor, threshold).map(|limit| measurement.scale().value(limit).to_string())
    };
    let newly = |t: &Threshold| now.contains(*t) && !before.contains(*t);
    let no_more = |t: &Threshold| before.contains(*t) && !now.contains(*t);
    if let Some(crossed) = WORST_FIRST.into_iter().find(newly) {
        let Some(limit) = limit(crossed) else {
            return match now.severity() {
                Severity::Critical => sensor_event::reading_critical(name, reading, units),
                _ => sensor_event::reading_warning(name, reading, units),
            };
        };
        let message = match crossed {
            Threshold::UpperFatal => sensor_event::reading_above_upper_fatal_threshold,
            Threshold::UpperCritical => sensor_event::reading_above_upper_critical_threshold,
            Threshold::UpperCaution => sensor_event::reading_above_upper_caution_threshold,
            Threshold::LowerFatal => sensor_event::reading_below_lower_fatal_threshold,
            Threshold::LowerCritical => sensor_event::reading_below_lower_critical_threshold,
            Threshold::LowerCaution => sensor_event::reading_below_lower_caution_threshold,
        };
        return message(name, reading.as_str(), units, limit.as_str());
    }
    let left = WORST_FIRST.into_iter().find(no_more);
    let Some((left, limit)) = left
        .filter(|_| now != ThresholdState::NONE)
        .and_then(|left| Some((left, limit(left)?)))
    else {
        return match now.severity() {
            Severity::Ok => sensor_event::sensor_reading_normal_range(name, reading, units),
            Severity::Warning => sensor_event::reading_no_longer_critical(name, reading, units),
            Severity::Critical => sensor_event::reading_critical(name, reading, units),
        };
    };
    let message = match left {
        Threshold::UpperFatal => sensor_event::reading_below_upper_fatal_threshold,
        Threshold::UpperCritical => sensor_event::reading_below_upper_critical_threshold,
        Threshold::LowerFatal => sensor_event::reading_above_lower_fatal_threshold,
        Threshold::LowerCritical => sensor_event::reading_above_lower_critical_threshold,
        // Back from beyond a caution while another limit is crossed: only on the other side.
        Threshold::UpperCaution | Threshold::LowerCaution => {
            return sensor_event::reading_warning(name, reading, units);
        }
    };
    message(name, reading.as_str(), units, limit.as_str())
}

const fn limit_of(sensor: &hardware::Sensor, threshold: Threshold) -> Option<f64> {
    let limits = &sensor.thresholds;
    match threshold {
        Threshold::LowerFatal => limits.lower_fatal,
        Threshold::LowerCritical => limits.lower_critical,
        Threshold::LowerCaution => limits.lower_caution,
        Threshold::UpperCaution => limits.upper_caution,
        Threshold::UpperCritical => limits.upper_critical,
        Threshold::UpperFatal => limits.upper_fatal,
    }
}
