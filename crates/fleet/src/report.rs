//! When a shard's figures are put together: for whoever asks every few milliseconds, for the log once a minute.

use std::time::Duration;

use ipmi::time::Instant;

use crate::engine::Engine;
use crate::figures::ShardFigures;

/// How old figures may be that others see, while the thread has no time to sleep.
const PUBLISH_EVERY: Duration = Duration::from_millis(10);

/// How often the oldest readings are looked for: it takes a look at every BMC.
const OLDEST_EVERY: Duration = Duration::from_secs(1);

/// How often the figures are logged.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// The figures of a shard.
#[derive(Debug)]
pub(crate) struct Report {
    /// What was counted by engines before the present one, which have failed.
    before: ShardFigures,
    /// The oldest readings, how many BMCs are late, and when they are looked for again.
    oldest: Option<Instant>,
    late: u32,
    oldest_at: Instant,
    /// When the figures are to be shown again.
    publish_at: Instant,
    /// When they are to be logged again, and as they were the last time.
    log_at: Instant,
    logged: ShardFigures,
}

impl Report {
    /// Nothing is counted yet.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            before: ShardFigures::default(),
            oldest: None,
            late: 0,
            oldest_at: Instant::ORIGIN,
            publish_at: Instant::ORIGIN,
            log_at: now + LOG_EVERY,
            logged: ShardFigures::default(),
        }
    }

    /// Whether what others see is too old.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        now >= self.publish_at
    }

    /// Another engine counts from now on; what this one has counted stays.
    pub(crate) fn keep(&mut self, figures: ShardFigures) {
        self.before += figures;
    }

    /// All figures: the engine's with those of its driver. Logs them where it is time for that.
    pub(crate) fn figures(
        &mut self,
        now: Instant,
        engine: &Engine,
        driver: ShardFigures,
    ) -> ShardFigures {
        self.publish_at = now + PUBLISH_EVERY;
        let mut figures = engine.figures();
        figures += self.before;
        figures += driver;
        if now >= self.oldest_at {
            self.oldest_at = now + OLDEST_EVERY;
            (self.oldest, self.late) = (engine.oldest_reading(), engine.late(now));
        }
        (figures.oldest_reading, figures.late) = (self.oldest, self.late);
        if now >= self.log_at {
            self.log_at = now + LOG_EVERY;
            let oldest = self.oldest.map(|since| now.since(since));
            tracing::info!(
                sessions = figures.sessions(),
                oldest_reading_s = format!("{:.1}", oldest.unwrap_or_default().as_secs_f64()),
                "{}",
                figures.since(&self.logged)
            );
            self.logged = figures;
        }
        figures
    }
}
