//! Server-sent events: one task feeds each stream from the hub (DSP0266 "Server-sent events").

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, timeout};

use super::delivery::MAX_EVENTS_TOGETHER;
use super::hub::{Hub, Published, now};
use super::{Event, EventSink as _, Record, record};
use crate::caller::Owner;
use crate::message::{self, resource_event};
use crate::query::EventQuery;
use crate::resource::event_service;

/// How many streams of events are open at once.
pub const MAX_EVENT_STREAMS: usize = 256;
/// How many of them one account may have.
pub const MAX_EVENT_STREAMS_OF_ACCOUNT: usize = 64;
/// How often a stream says that it is there, when nothing happens, in seconds.
pub const STREAM_COMMENT_INTERVAL_S: u64 = 15;
/// How long a stream waits for a reader that takes nothing, in seconds. Then it is cut.
pub const STREAM_PATIENCE_S: u64 = 30;

/// How often a stream looks whether its reader may still read, in seconds.
const LOOK_INTERVAL_S: u64 = 2;
/// How many pieces wait for a slow connection; each has at most [`MAX_EVENTS_TOGETHER`] events.
const PIECES: usize = 4;
/// When a client that lost its stream opens it again, in milliseconds.
const RETRY_MS: u32 = 3000;

/// Whether the reader may still read. Asked every few seconds.
pub(crate) type Watch = Box<dyn Fn() -> bool + Send + Sync>;

/// The streams that are open.
pub(crate) struct Streams {
    hub: Arc<Hub>,
    open: Mutex<BTreeMap<u64, Arc<Stream>>>,
    next: AtomicU64,
    is_closed: AtomicBool,
}

/// One stream, which is also a subscription.
pub(crate) struct Stream {
    number: u64,
    pub(crate) owner: Owner,
    pub(crate) client: Option<IpAddr>,
    /// What is told, if not everything.
    pub(crate) query: Option<EventQuery>,
    /// It is to end; why, the flag in [`Streams`] says.
    end: Notify,
    is_ended: AtomicBool,
}

/// What a client asks for.
pub(crate) struct Opening {
    pub(crate) owner: Owner,
    pub(crate) client: Option<IpAddr>,
    pub(crate) query: Option<EventQuery>,
    /// The number of the last event that he has (`Last-Event-ID`).
    pub(crate) last_event: Option<u64>,
    pub(crate) watch: Watch,
}

/// Why there is no stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamError {
    /// As many are open as there may be.
    Limit,
    /// The event service is disabled, or ends.
    Disabled,
}

impl Stream {
    /// The `Id` of its subscription. Those of subscriptions with a destination are numbers.
    pub(crate) fn id(&self) -> String {
        format!("SSE{}", self.number)
    }

    fn end(&self) {
        self.is_ended.store(true, Ordering::Relaxed);
        self.end.notify_one();
    }
}

impl Streams {
    pub(crate) fn new(hub: Arc<Hub>) -> Arc<Self> {
        Arc::new(Self {
            hub,
            open: Mutex::default(),
            next: AtomicU64::new(1),
            is_closed: AtomicBool::new(false),
        })
    }

    /// All that are open, oldest first.
    pub(crate) fn list(&self) -> Vec<Arc<Stream>> {
        self.lock().values().cloned().collect()
    }

    /// The stream with this `Id`.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Stream>> {
        let number = id.strip_prefix("SSE")?.parse().ok()?;
        let found = self.lock().get(&number).cloned();
        found.filter(|stream| stream.id() == id)
    }

    /// Ends the stream with this `Id`, after telling its reader.
    pub(crate) fn close(&self, id: &str) {
        if let Some(stream) = self.get(id) {
            self.lock().remove(&stream.number);
            stream.end();
        }
    }

    /// Ends all streams, and opens no more: the service ends.
    pub(crate) fn close_all(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        for stream in self.list() {
            stream.end();
        }
    }

    /// Opens a stream. Its subscription is there from now until the stream ends.
    pub(crate) fn open(self: &Arc<Self>, opening: Opening) -> Result<StreamBody, StreamError> {
        if !self.hub.is_enabled() || self.is_closed.load(Ordering::Relaxed) {
            return Err(StreamError::Disabled);
        }
        let mut open = self.lock();
        let own = open
            .values()
            .filter(|one| one.owner.is_same(&opening.owner))
            .count();
        if open.len() >= MAX_EVENT_STREAMS || own >= MAX_EVENT_STREAMS_OF_ACCOUNT {
            return Err(StreamError::Limit);
        }
        let stream = Arc::new(Stream {
            number: self.next.fetch_add(1, Ordering::Relaxed),
            owner: opening.owner,
            client: opening.client,
            query: opening.query,
            end: Notify::new(),
            is_ended: AtomicBool::new(false),
        });
        open.insert(stream.number, Arc::clone(&stream));
        drop(open);
        // What the stream is told begins with its own subscription.
        let after = opening
            .last_event
            .unwrap_or_else(|| self.hub.published_to());
        self.tell(&stream, resource_event::resource_created());
        let (pieces, body) = mpsc::channel(PIECES);
        let feeder = Feeder {
            streams: Arc::clone(self),
            stream,
            pieces,
            after,
            watch: opening.watch,
        };
        tokio::spawn(feeder.run());
        Ok(StreamBody(body))
    }

    fn tell(&self, stream: &Stream, message: crate::Message) {
        self.hub.publish(Event {
            message,
            origin: Some(event_service::subscription_path(&stream.id())),
            resource_type: Some("EventDestination"),
        });
    }

    /// How many are open.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Stream>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of the response.
pub(crate) struct StreamBody(mpsc::Receiver<Bytes>);

impl Body for StreamBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.0.poll_recv(context);
        piece.map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// What a stream ends of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The reader has gone.
    Gone,
    /// The reader has taken nothing for [`STREAM_PATIENCE_S`].
    Slow,
    /// The reader may read no more, the subscription was removed, or the service ends.
    Over,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => "its reader has gone",
            Self::Slow => "its reader takes nothing",
            Self::Over => "it was closed",
        })
    }
}

/// Brings events from the hub to one stream.
struct Feeder {
    streams: Arc<Streams>,
    stream: Arc<Stream>,
    pieces: mpsc::Sender<Bytes>,
    /// The reader has everything up to this number.
    after: u64,
    watch: Watch,
}

impl Feeder {
    async fn run(mut self) {
        let end = self.feed().await.err().unwrap_or(End::Over);
        if end == End::Over {
            // If he doesn't take this either, the stream ends without.
            let _ = self.send_last().await;
        }
        let id = self.stream.id();
        tracing::debug!(
            id,
            user = self.stream.owner.name(),
            "stream of events ended: {end}"
        );
        if end == End::Slow {
            tracing::warn!(
                id,
                user = self.stream.owner.name(),
                "stream of events cut: {end}"
            );
        }
        self.streams.lock().remove(&self.stream.number);
        self.streams
            .tell(&self.stream, resource_event::resource_removed());
    }

    async fn feed(&mut self) -> Result<(), End> {
        let streams = Arc::clone(&self.streams);
        let mut newest = streams.hub.watch();
        let mut comment = {
            let period = Duration::from_secs(STREAM_COMMENT_INTERVAL_S);
            interval_at(Instant::now() + period, period)
        };
        comment.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut look = interval(Duration::from_secs(LOOK_INTERVAL_S));
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Bytes at once: some clients and proxies show the head of a response with the first of its body only.
        self.send(format!("retry: {RETRY_MS}\n\n").into()).await?;
        loop {
            newest.borrow_and_update();
            if self.send_next().await? {
                continue;
            }
            tokio::select! {
                // The hub lives as long as the streams do.
                _ = newest.changed() => {}
                _ = comment.tick() => self.send(Bytes::from_static(b":\n\n")).await?,
                _ = look.tick() => self.check()?,
                () = self.stream.end.notified() => return Err(End::Over),
                () = self.pieces.closed() => return Err(End::Gone),
            }
            if !streams.hub.is_enabled() {
                return Err(End::Over);
            }
        }
    }

    fn check(&self) -> Result<(), End> {
        if (self.watch)() && !self.stream.is_ended.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err(End::Over)
        }
    }

    /// Sends what there is, as far as it fits into one payload. Says whether there may be more.
    async fn send_next(&mut self) -> Result<bool, End> {
        let stream = Arc::clone(&self.stream);
        let wanted = |one: &Published| match &stream.query {
            Some(query) => query.accepts(&one.content),
            None => one.content.event().is_some(),
        };
        let hub = &self.streams.hub;
        let read = hub.read(self.after, MAX_EVENTS_TOGETHER, wanted);
        self.after = read.to;
        if let Some(lost_to) = read.lost_to {
            let mut record = Record::of_loss(now());
            record.number = lost_to;
            // The number belongs to an event that others may have got.
            record.event_id = Some(format!("{lost_to}-lost"));
            self.send(piece(lost_to, [record.json().as_slice()]))
                .await?;
        }
        if read.events.is_empty() {
            return Ok(false);
        }
        // A payload has events or one metric report.
        let is_event = |one: &Published| one.content.event().is_some();
        for together in read.events.chunk_by(|a, b| is_event(a) && is_event(b)) {
            let Some(last) = together.last() else {
                continue;
            };
            if is_event(last) {
                let records = together.iter().map(|event| &*event.json);
                self.send(piece(last.number, records)).await?;
            } else {
                self.send_report(last).await?;
            }
        }
        self.check()?;
        Ok(true)
    }

    /// Sends a metric report. It may be large, and all streams share its bytes.
    async fn send_report(&self, report: &Published) -> Result<(), End> {
        let id = report.number;
        self.send(format!("id: {id}\ndata: ").into()).await?;
        self.send(report.json.clone()).await?;
        self.send(Bytes::from_static(b"\n\n")).await
    }

    async fn send_last(&self) -> Result<(), End> {
        let event = Event {
            message: message::subscription_terminated(),
            origin: Some(event_service::subscription_path(&self.stream.id())),
            resource_type: Some("EventDestination"),
        };
        let mut record = Record::of(&event, now());
        record.number = self.streams.hub.take_number();
        // Who comes back goes on with what he hasn't got, which may have lesser numbers.
        self.send(piece(self.after, [record.json().as_slice()]))
            .await
    }

    async fn send(&self, piece: Bytes) -> Result<(), End> {
        let patience = Duration::from_secs(STREAM_PATIENCE_S);
        match timeout(patience, self.pieces.send(piece)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Slow),
        }
    }
}

/// One message of the stream, with its `id` and the payload as its `data` (HTML "Server-sent events").
fn piece<'a>(id: u64, records: impl IntoIterator<Item = &'a [u8]>) -> Bytes {
    let payload = record::payload(id, None, records);
    let mut piece = format!("id: {id}\ndata: ").into_bytes();
    // JSON as serde_json writes it has no line breaks.
    piece.extend_from_slice(&payload);
    piece.extend_from_slice(b"\n\n");
    piece.into()
}
