//! What a fleet does and how well: a snapshot for metrics pages and logs.

use std::fmt;

use ipmi::time::Instant;

use crate::counters::Counters;
use crate::round_trip::RoundTrips;

/// The places of one stage of dealing with BMCs: see the rounds, contacts and log-ins of [`ShardFigures`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// How many BMCs may be dealt with at a time; a quarter more where slow ones wait beside others.
    pub limit: u32,
    /// How many are, those left out that let a command be repeated.
    pub taken: u32,
    /// How many wait for a place.
    pub waiting: u32,
}

impl std::ops::AddAssign for Places {
    fn add_assign(&mut self, other: Self) {
        self.limit += other.limit;
        self.taken += other.taken;
        self.waiting += other.waiting;
    }
}

/// The figures of one thread, since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardFigures {
    /// Everything that is counted.
    pub counters: Counters,
    /// How long answers took.
    pub round_trips: RoundTrips,
    /// Log-ins at a time.
    pub connects: Places,
    /// First contacts at a time.
    pub contacts: Places,
    /// Rounds over a BMC's sensors at a time.
    pub rounds: Places,
    /// How long the thread runs, in milliseconds.
    pub running_ms: u64,
    /// How much of that it worked and did not sleep, in milliseconds.
    pub busy_ms: u64,
    /// As [`crate::Engine::oldest_reading`], as of a second ago at most.
    pub oldest_reading: Option<Instant>,
    /// As [`crate::Engine::late`], as of a second ago at most.
    pub late: u32,
    /// The thread has ended by failures of its own: nobody asks its BMCs any more.
    pub has_failed: bool,
}

impl ShardFigures {
    /// Sessions that are open now.
    #[must_use]
    pub const fn sessions(&self) -> u64 {
        let Counters {
            sessions_opened,
            sessions_lost,
            sessions_left,
            sessions_closed,
            ..
        } = self.counters;
        sessions_opened.saturating_sub(sessions_lost + sessions_left + sessions_closed)
    }

    /// The share of its time that the thread worked, 0 to 1.
    #[must_use]
    pub fn utilisation(&self) -> f64 {
        self.busy_ms as f64 / self.running_ms.max(1) as f64
    }

    /// What happened since `before`, an earlier state of the same thread; places are as they are now.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            counters: self.counters.since(&before.counters),
            round_trips: self.round_trips.since(&before.round_trips),
            running_ms: self.running_ms.saturating_sub(before.running_ms),
            busy_ms: self.busy_ms.saturating_sub(before.busy_ms),
            ..*self
        }
    }
}

impl std::ops::AddAssign for ShardFigures {
    fn add_assign(&mut self, other: Self) {
        self.counters += other.counters;
        self.round_trips += other.round_trips;
        self.connects += other.connects;
        self.contacts += other.contacts;
        self.rounds += other.rounds;
        self.running_ms += other.running_ms;
        self.busy_ms += other.busy_ms;
        self.late += other.late;
        self.has_failed |= other.has_failed;
        let oldest = [self.oldest_reading, other.oldest_reading];
        self.oldest_reading = oldest.into_iter().flatten().min();
    }
}

/// One line for the log: rates of the time covered, then every drop and failure that occurred.
impl fmt::Display for ShardFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.running_ms.max(1) as f64 / 1_000.0;
        write!(
            f,
            "{:.0} readings/s, answers in {:.1} ms (p50) {:.1} ms (p99), {:.0} % busy, {} of {} rounds running, {} waiting, {} BMCs late",
            self.counters.readings as f64 / seconds,
            self.round_trips.quantile_ms(0.5),
            self.round_trips.quantile_ms(0.99),
            self.utilisation() * 100.0,
            self.rounds.taken,
            self.rounds.limit,
            self.rounds.waiting,
            self.late,
        )?;
        for (name, value) in self.counters.troubles().filter(|(_, value)| *value > 0) {
            write!(f, ", {name} {value}")?;
        }
        Ok(())
    }
}

/// The figures of a fleet at one moment.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// How many machines there are.
    pub nodes: u32,
    /// How many answer.
    pub nodes_up: u32,
    /// How many don't, or refuse us.
    pub nodes_down: u32,
    /// For how long the BMC among those that answer that was not read for longest was not, in milliseconds: since its last round
    /// began that brought readings, or since it began to answer. `None` where there is nothing to be read. By a clock that
    /// nobody sets.
    pub oldest_ms: Option<u64>,
    /// Each thread's.
    pub shards: Vec<ShardFigures>,
}

impl Figures {
    /// The figures of all threads together.
    #[must_use]
    pub fn total(&self) -> ShardFigures {
        let mut total = ShardFigures::default();
        for shard in &self.shards {
            total += *shard;
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_rates_of_its_time_and_every_trouble_that_occurred() {
        let mut before = ShardFigures {
            running_ms: 1_000,
            ..ShardFigures::default()
        };
        before.counters.readings = 100;
        let mut now = before;
        now.counters.readings += 60_000;
        now.counters.dropped_late = 3;
        now.running_ms += 60_000;
        now.busy_ms += 15_000;
        let line = now.since(&before).to_string();
        assert!(line.starts_with("1000 readings/s"), "{line}");
        assert!(line.contains("25 % busy"), "{line}");
        assert!(line.ends_with("dropped_late 3"), "{line}");
    }

    #[test]
    fn open_sessions_are_those_opened_and_not_ended() {
        let mut figures = ShardFigures::default();
        figures.counters.sessions_opened = 10;
        figures.counters.sessions_lost = 3;
        figures.counters.sessions_closed = 1;
        assert_eq!(figures.sessions(), 6);
        let mut total = figures;
        total += figures;
        assert_eq!(total.sessions(), 12);
    }
}
