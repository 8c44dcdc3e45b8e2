//! The connections that are open, and which of them goes when there is no room for one more.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// All open connections, at most as many as there are places.
///
/// Opening a connection costs a client nothing, so anybody can fill all places. A full house therefore shows
/// out a connection on which nothing is being answered: one that nobody has logged in on before one that
/// somebody has, and among equals the one that has been silent longest.
pub(crate) struct Crowd {
    places: Arc<Semaphore>,
    open: Mutex<HashMap<u64, Arc<Activity>>>,
    /// Somebody has become idle, while a newcomer waits for a place.
    idle: Notify,
    start: Instant,
}

/// What a connection is doing.
pub(crate) struct Activity {
    crowd: Arc<Crowd>,
    number: u64,
    /// Requests that are being answered.
    running: AtomicU32,
    /// Somebody has logged in on it.
    trusted: AtomicBool,
    /// When it last moved a byte or ended a request, in milliseconds since `Crowd::start`.
    last_ms: AtomicU64,
    /// A request with a body was refused, maybe before all of the body had come.
    refused: AtomicBool,
    /// It has been asked to leave.
    leaving: AtomicBool,
    shown_out: Notify,
}

/// A connection's place. Dropping it makes room for another.
pub(crate) struct Place {
    activity: Arc<Activity>,
    _permit: OwnedSemaphorePermit,
}

/// A request that is being answered. Its end is that of the request.
pub(crate) struct Running(Arc<Activity>);

impl Crowd {
    pub(crate) fn new(places: usize) -> Arc<Self> {
        Arc::new(Self {
            places: Arc::new(Semaphore::new(places)),
            open: Mutex::default(),
            idle: Notify::new(),
            start: Instant::now(),
        })
    }

    /// A place for the connection with this number, which no other has. Makes room if need be, and waits as long
    /// as every connection is answering a request.
    pub(crate) async fn enter(self: &Arc<Self>, number: u64) -> Place {
        let permit = loop {
            if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
                break permit;
            }
            self.show_one_out();
            tokio::select! {
                // The semaphore is never closed, so this ends with a permit.
                Ok(permit) = Arc::clone(&self.places).acquire_owned() => break permit,
                () = self.idle.notified() => {}
            }
        };
        let activity = Arc::new(Activity {
            crowd: Arc::clone(self),
            number,
            running: AtomicU32::new(0),
            trusted: AtomicBool::new(false),
            refused: AtomicBool::new(false),
            last_ms: AtomicU64::new(self.now_ms()),
            leaving: AtomicBool::new(false),
            shown_out: Notify::new(),
        });
        self.open().insert(number, Arc::clone(&activity));
        Place {
            activity,
            _permit: permit,
        }
    }

    /// Asks one connection to leave, unless one that was asked is still on its way out.
    fn show_one_out(&self) {
        let open = self.open();
        if open.values().any(|one| one.leaving.load(Ordering::Relaxed)) {
            return;
        }
        let worth = |activity: &Activity| {
            let trusted = activity.trusted.load(Ordering::Relaxed);
            (trusted, activity.last_ms.load(Ordering::Relaxed))
        };
        let idle = open.values().filter(|activity| !activity.is_running());
        if let Some(least) = idle.min_by_key(|activity| worth(activity)) {
            least.leaving.store(true, Ordering::Relaxed);
            least.shown_out.notify_one();
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Activity>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Activity {
    /// Bytes have moved.
    pub(crate) fn moved(&self) {
        self.last_ms.store(self.crowd.now_ms(), Ordering::Relaxed);
    }

    /// Somebody has logged in on this connection.
    pub(crate) fn trust(&self) {
        self.trusted.store(true, Ordering::Relaxed);
    }

    /// A request with a body has been refused.
    pub(crate) fn refuse(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    /// Whether more of a body may come that nobody wants.
    pub(crate) fn has_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// A request begins.
    pub(crate) fn run(self: &Arc<Self>) -> Running {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(Arc::clone(self))
    }

    fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed) > 0
    }

    /// Ends when nothing was answered and no byte has moved for `limit_ms`.
    pub(crate) async fn idle_for(&self, limit_ms: u64) {
        loop {
            let last_ms = self.last_ms.load(Ordering::Relaxed);
            let idle_ms = self.crowd.now_ms().saturating_sub(last_ms);
            let left_ms = limit_ms.saturating_sub(idle_ms);
            if left_ms == 0 && !self.is_running() {
                return;
            }
            // While a request runs, its end is what the time counts from; look again after as long.
            let pause_ms = if left_ms == 0 { limit_ms } else { left_ms };
            tokio::time::sleep(std::time::Duration::from_millis(pause_ms)).await;
        }
    }

    /// Ends when the place is needed for somebody else.
    pub(crate) async fn shown_out(&self) {
        self.shown_out.notified().await;
    }
}

impl Place {
    pub(crate) const fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.activity.crowd.open().remove(&self.activity.number);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.moved();
        if self.0.running.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.crowd.idle.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    /// Whether a connection has been asked to go.
    async fn is_shown_out(place: &Place) -> bool {
        let asked = place.activity().shown_out();
        tokio::time::timeout(Duration::ZERO, asked).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_silent_stranger_goes_first_and_who_logged_in_last() {
        let crowd = Crowd::new(3);
        let trusted = crowd.enter(0).await;
        trusted.activity().trust();
        advance(Duration::from_secs(1)).await;
        let silent = crowd.enter(1).await;
        advance(Duration::from_secs(1)).await;
        let talking = crowd.enter(2).await;

        let newcomer = tokio::spawn({
            let crowd = Arc::clone(&crowd);
            async move { crowd.enter(3).await }
        });
        tokio::task::yield_now().await;
        advance(Duration::from_secs(1)).await;
        assert!(is_shown_out(&silent).await);
        assert!(!is_shown_out(&talking).await && !is_shown_out(&trusted).await);
        assert!(
            !newcomer.is_finished(),
            "the place isn't free before it is left"
        );
        drop(silent);
        let newcomer = newcomer.await.unwrap();

        let second = tokio::spawn({
            let crowd = Arc::clone(&crowd);
            async move { crowd.enter(4).await }
        });
        tokio::task::yield_now().await;
        assert!(is_shown_out(&talking).await && !is_shown_out(&newcomer).await);
        drop(talking);
        drop(second.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_newcomer_waits_while_every_connection_is_answering() {
        let crowd = Crowd::new(1);
        let busy = crowd.enter(0).await;
        let (one, two) = (busy.activity().run(), busy.activity().run());
        let newcomer = tokio::spawn({
            let crowd = Arc::clone(&crowd);
            async move { crowd.enter(1).await }
        });
        tokio::task::yield_now().await;
        drop(one);
        tokio::task::yield_now().await;
        assert!(!is_shown_out(&busy).await);
        drop(two);
        tokio::task::yield_now().await;
        assert!(is_shown_out(&busy).await);
        drop(busy);
        drop(newcomer.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn idleness_counts_from_the_last_byte_or_the_end_of_a_request() {
        let crowd = Crowd::new(1);
        let place = crowd.enter(0).await;
        let begun = Instant::now();
        let running = place.activity().run();
        let end = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(2500)).await;
            drop(running);
        });
        place.activity().idle_for(1000).await;
        end.await.unwrap();
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(3500), "{took:?}");
        assert!(took <= Duration::from_millis(4500), "{took:?}");
    }
}
