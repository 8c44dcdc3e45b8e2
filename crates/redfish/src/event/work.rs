//! Drives the deliveries: one task a subscription, one that keeps the journal.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use super::delivery::{MAX_EVENTS_TOGETHER, Step, Verdict};
use super::hub::{Published, now};
use super::journal::{PLACES_WITHIN_MS, SAVE_INTERVAL_MS, SAVE_PAUSE_MS};
use super::push::Line;
use super::{Definition, Event, Events, Format, Record, Standing, Subscription, record};
use crate::message::heartbeat_event;
use crate::resource::event_service;

/// How many payloads are on their way at once, over all subscriptions.
pub const MAX_DELIVERIES_AT_ONCE: usize = 32;

impl Events {
    /// Keeps events, and delivers them to the destinations of subscriptions, for as long as it is polled.
    pub(crate) async fn work(self: &Arc<Self>) {
        tokio::join!(self.write(), self.deliver());
    }

    /// Writes events as they come, and shows them to readers when they are written. What comes meanwhile is written together.
    async fn write(&self) {
        let _keeping = self.hub.keep();
        let mut look = interval(Duration::from_millis(SAVE_INTERVAL_MS));
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.hub.has_unkept() => {}
                () = self.delivered.notified() => tokio::select! {
                    () = self.hub.has_unkept() => {}
                    () = sleep(Duration::from_millis(PLACES_WITHIN_MS)) => {}
                },
                _ = look.tick() => {}
            }
            self.save().await;
            sleep(Duration::from_millis(SAVE_PAUSE_MS)).await;
        }
    }

    async fn deliver(self: &Arc<Self>) {
        let mut list = self.subscriptions.watch();
        let mut deliveries = JoinSet::new();
        let mut known = HashSet::new();
        loop {
            list.borrow_and_update();
            for subscription in self.subscriptions.list() {
                if known.insert(subscription.id().to_owned()) {
                    deliveries.spawn(Delivering::new(Arc::clone(self), subscription).run());
                }
            }
            tokio::select! {
                // The list lives as long as this.
                _ = list.changed() => {}
                Some(ended) = deliveries.join_next() => {
                    if let Ok(id) = ended {
                        known.remove(&id);
                    }
                }
            }
        }
    }

    /// Writes what has happened, and what deliveries have come to.
    pub(crate) async fn save(&self) {
        if let Err(error) = self.journal.save(&self.hub, &self.subscriptions).await {
            // The next time includes it.
            tracing::warn!(%error, "events aren't on the disk");
        }
    }
}

/// The delivery to one destination.
struct Delivering {
    events: Arc<Events>,
    subscription: Arc<Subscription>,
    line: Option<Line>,
    start: Instant,
}

/// One payload.
struct Payload {
    bytes: Bytes,
    /// What the destination has with it.
    to: u64,
    heartbeat: bool,
    tells_loss: bool,
}

impl Delivering {
    fn new(events: Arc<Events>, subscription: Arc<Subscription>) -> Self {
        Self {
            events,
            subscription,
            line: None,
            start: Instant::now(),
        }
    }

    /// Delivers until the subscription ends; answers its id.
    async fn run(mut self) -> String {
        let subscription = Arc::clone(&self.subscription);
        let mut newest = self.events.hub.watch();
        loop {
            let definition = subscription.definition();
            let rules = self.events.rules(&definition);
            let to = *newest.borrow_and_update();
            let step = subscription.delivery().step(self.now_ms(), to, rules);
            match step {
                Step::End => return subscription.id().to_owned(),
                Step::Wait { until_ms } => {
                    let until = until_ms.map(|ms| self.start + Duration::from_millis(ms));
                    tokio::select! {
                        _ = newest.changed(), if subscription.delivery().standing() == Standing::Active => {}
                        () = subscription.changed() => {}
                        () = sleep_until(until.unwrap_or(self.start)), if until.is_some() => {}
                    }
                }
                Step::Send { heartbeat } => {
                    let is_over = async {
                        while subscription.delivery().standing() != Standing::Ended {
                            subscription.changed().await;
                        }
                    };
                    tokio::select! {
                        () = self.attempt(&definition, heartbeat) => {}
                        // Nothing is sent any more to who isn't subscribed.
                        () = is_over => {}
                    }
                }
            }
        }
    }

    async fn attempt(&mut self, definition: &Definition, heartbeat: bool) {
        let events = Arc::clone(&self.events);
        // The semaphore is never closed.
        let _turn = events.turns.acquire().await;
        let Some(payload) = self.payload(definition, heartbeat) else {
            return;
        };
        let sent = events
            .courier
            .post(&mut self.line, definition, payload.bytes)
            .await;
        let now_ms = self.now_ms();
        let id = self.subscription.id();
        let verdict = match sent {
            Ok(()) => {
                let mut delivery = self.subscription.delivery();
                delivery.succeeded(now_ms, payload.to, payload.heartbeat, payload.tells_loss);
                drop(delivery);
                events.delivered.notify_one();
                return;
            }
            Err(error) => {
                tracing::debug!(id, %error, "events not delivered");
                let rules = self.events.rules(definition);
                let mut delivery = self.subscription.delivery();
                delivery.failed(now_ms, rules, error.to_string())
            }
        };
        match verdict {
            Verdict::Retry { .. } => {}
            Verdict::Suspended => {
                tracing::warn!(
                    id,
                    "subscription suspended: its destination takes no events"
                );
                self.events.suspended(&self.subscription).await;
            }
            Verdict::Ended => {
                tracing::warn!(id, "subscription ended: its destination takes no events");
                self.events.ended(&self.subscription).await;
            }
        }
    }

    /// What is to be sent now; none if nothing is wanted.
    fn payload(&self, definition: &Definition, heartbeat: bool) -> Option<Payload> {
        match definition.format {
            Format::Event => self.events(definition, heartbeat),
            // A heartbeat is an event: a payload of its own, before the next report.
            Format::MetricReport if heartbeat => Some(self.heartbeat(definition)),
            Format::MetricReport => self.report(definition),
        }
    }

    /// The next metric report.
    fn report(&self, definition: &Definition) -> Option<Payload> {
        let hub = &self.events.hub;
        let after = self.subscription.delivery().sent_to();
        let wanted = |one: &Published| definition.wants(&one.content);
        let read = hub.read(after, 1, wanted);
        let mut delivery = self.subscription.delivery();
        // A report tells how things are, not what has happened: who missed one has nothing to look after.
        delivery.forgive_loss();
        let Some(report) = read.events.first() else {
            delivery.skip(read.to);
            return None;
        };
        Some(Payload {
            bytes: with_context(&report.json, definition.context.as_deref()),
            to: read.to,
            heartbeat: false,
            tells_loss: false,
        })
    }

    fn heartbeat(&self, definition: &Definition) -> Payload {
        let mut record = Record::of(&pulse(), now());
        record.number = self.events.hub.take_number();
        let json = record.json();
        let context = definition.context.as_deref();
        Payload {
            bytes: record::payload(record.number, context, [json.as_slice()]).into(),
            to: self.subscription.delivery().sent_to(),
            heartbeat: true,
            tells_loss: false,
        }
    }

    fn events(&self, definition: &Definition, heartbeat: bool) -> Option<Payload> {
        let hub = &self.events.hub;
        let after = self.subscription.delivery().sent_to();
        let wanted = |one: &Published| definition.wants(&one.content);
        let read = hub.read(after, MAX_EVENTS_TOGETHER, wanted);
        let mut delivery = self.subscription.delivery();
        if read.lost_to.is_some() {
            delivery.note_loss();
        }
        let tells_loss = delivery.owes_loss();
        if read.events.is_empty() && !tells_loss && !heartbeat {
            delivery.skip(read.to);
            return None;
        }
        drop(delivery);
        let own = |mut record: Record| {
            record.number = hub.take_number();
            (record.number, record.json())
        };
        let loss = tells_loss.then(|| own(Record::of_loss(now())));
        let beat = heartbeat.then(|| own(Record::of(&pulse(), now())));
        let own = loss.as_ref().or(beat.as_ref()).map(|(number, _)| *number);
        let last = read.events.last().map(|event| event.number);
        let id = last.or(own);
        let first = loss.iter().map(|(_, json)| json.as_slice());
        let middle = read.events.iter().map(|event| &*event.json);
        let records = first
            .chain(middle)
            .chain(beat.iter().map(|(_, json)| json.as_slice()));
        let bytes = record::payload(
            id.unwrap_or_default(),
            definition.context.as_deref(),
            records,
        );
        Some(Payload {
            bytes: bytes.into(),
            to: read.to,
            heartbeat,
            tells_loss,
        })
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A metric report as this subscriber gets it: with the context that he gave.
fn with_context(json: &Bytes, context: Option<&str>) -> Bytes {
    let Some((context, open)) = context.zip(json.strip_suffix(b"}")) else {
        return json.clone();
    };
    let mut bytes = Vec::with_capacity(json.len() + context.len() + 16);
    bytes.extend_from_slice(open);
    bytes.extend_from_slice(b",\"Context\":");
    bytes.extend_from_slice(Value::from(context).to_string().as_bytes());
    bytes.push(b'}');
    bytes.into()
}

fn pulse() -> Event {
    Event {
        message: heartbeat_event::redfish_service_functional(),
        origin: Some(event_service::PATH.to_owned()),
        resource_type: Some("EventService"),
    }
}
