//! Judges published snapshots by the law that their sensors follow, and by nothing else.

use hardware::{Availability, Node, Reading};
use vbmc::telltale::{Law, NUMERIC};

/// Ages up to this are told apart, in steps of [`AGE_STEP_MS`].
const AGE_MS_MAX: u64 = 600_000;
const AGE_STEP_MS: u64 = 10;

/// How far a machine's clock may be behind the readers', in milliseconds: it counts whole seconds.
const CLOCK_BEHIND_MS: u64 = 2_000;

/// Complaints that are kept in words.
const WORDS_MAX: usize = 5;

/// How old readings were.
#[derive(Clone, Debug)]
pub(crate) struct Ages {
    counts: Vec<u64>,
    all: u64,
    max_ms: u64,
}

impl Default for Ages {
    fn default() -> Self {
        Self {
            counts: vec![0; (AGE_MS_MAX / AGE_STEP_MS) as usize + 1],
            all: 0,
            max_ms: 0,
        }
    }
}

impl Ages {
    /// So many readings were so old.
    pub(crate) fn add(&mut self, age_ms: u64, readings: u64) {
        let step = age_ms.min(AGE_MS_MAX) / AGE_STEP_MS;
        self.counts[step as usize] += readings;
        self.all += readings;
        self.max_ms = self.max_ms.max(age_ms);
    }

    /// So many readings were looked at.
    pub(crate) const fn all(&self) -> u64 {
        self.all
    }

    /// The oldest.
    pub(crate) const fn max_ms(&self) -> u64 {
        self.max_ms
    }

    /// An age that this share of the readings did not exceed, to the next step; 0 where there were none.
    pub(crate) fn quantile_ms(&self, share: f64) -> u64 {
        let wanted = (self.all as f64 * share).ceil() as u64;
        let mut below = 0;
        let step = self.counts.iter().position(|count| {
            below += count;
            below >= wanted && wanted > 0
        });
        let end = |step: usize| (step as u64 + 1) * AGE_STEP_MS;
        step.map_or(0, |step| end(step).min(self.max_ms))
    }
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Readings compared with the law.
    pub(crate) checked: u64,
    /// Those that the sensor can't have given in the time in which they were taken.
    pub(crate) wrong: u64,
    /// Readings of those rounds that had no value, or only an old one.
    pub(crate) without_value: u64,
    /// How old readings were when newer ones took their place.
    pub(crate) replaced: Ages,
    /// How old readings were whenever all were looked at.
    pub(crate) sampled: Ages,
    /// The first wrong ones, in words.
    pub(crate) words: Vec<String>,
    /// Sum of the chances that a reading from elsewhere would have passed for right.
    chances: f64,
}

impl Tally {
    /// How likely one reading of another machine or another sensor goes unnoticed, on average. A reading of the same sensor that
    /// belongs to the round before is told apart only where rounds are short against the poll interval.
    pub(crate) fn unnoticed(&self) -> f64 {
        self.chances / self.checked.max(1) as f64
    }
}

/// Follows the snapshots of many machines.
///
/// A round's readings were taken after the round before had ended, in the time that a round takes at most, and not after now:
/// whatever the sensor said in that time is right, anything else is wrong. The shorter rounds are against the epochs, the
/// fewer values pass; where they are an epoch and [`CLOCK_BEHIND_MS`] shorter than the poll interval, none of the round
/// before does.
#[derive(Debug)]
pub(crate) struct Checker {
    law: Law,
    round_ms_max: u64,
    /// For each machine, when the last round that was seen had ended, by the wall clock; at first when the fleet began.
    rounds_ms: Vec<u64>,
    began_ms: u64,
    pub(crate) tally: Tally,
}

impl Checker {
    /// For so many machines, of which nothing was read before this moment. A round takes `round_ms_max` at most; `u64::MAX`
    /// where it takes as long as the network lets it.
    pub(crate) fn new(law: Law, machines: u32, began_ms: u64, round_ms_max: u64) -> Self {
        Self {
            law,
            round_ms_max,
            rounds_ms: vec![began_ms; machines as usize],
            began_ms,
            tally: Tally::default(),
        }
    }

    /// Begins to count anew, and goes on with the same rounds.
    pub(crate) fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// Looks at the snapshot of a machine as it is at `now_ms`.
    pub(crate) fn look(&mut self, machine: u32, node: &Node, now_ms: u64) {
        let Some(before_ms) = self.rounds_ms.get(machine as usize).copied() else {
            return;
        };
        let (read_at_ms, count) = (node.read_at_ms, node.readings.len() as u64);
        if read_at_ms == 0 {
            return;
        }
        let age_ms = now_ms.saturating_sub(read_at_ms);
        self.tally.sampled.add(age_ms, count);
        if read_at_ms == before_ms {
            return;
        }
        if before_ms != self.began_ms {
            let age_ms = read_at_ms.saturating_sub(before_ms);
            self.tally.replaced.add(age_ms, count);
        }
        self.rounds_ms[machine as usize] = read_at_ms;
        let begin_ms = before_ms.max(read_at_ms.saturating_sub(self.round_ms_max));
        let first = self
            .law
            .epoch(begin_ms.saturating_sub(CLOCK_BEHIND_MS) / 1_000);
        let last = self.law.epoch(now_ms / 1_000);
        for (sensor, reading) in node.inventory.sensors.iter().zip(node.readings.iter()) {
            if reading.availability != Availability::Available {
                self.tally.without_value += 1;
                continue;
            }
            // The lowest byte of the key is the sensor's number.
            let [number, ..] = sensor.key.to_le_bytes();
            self.judge(machine, number, &reading, first..=last);
        }
    }

    fn judge(
        &mut self,
        machine: u32,
        number: u8,
        reading: &Reading,
        epochs: std::ops::RangeInclusive<u64>,
    ) {
        let (law, is_numeric) = (self.law, number <= NUMERIC);
        let is_right = epochs.clone().any(|epoch| {
            if is_numeric {
                law.value(machine, number, epoch).to_bits() == (reading.value + 0.0).to_bits()
            } else {
                law.states(machine, number, epoch) == reading.states
            }
        });
        let values = if is_numeric { 256.0 } else { 32_768.0 };
        let tally = &mut self.tally;
        tally.checked += 1;
        tally.chances += epochs.clone().count() as f64 / values;
        if !is_right {
            tally.wrong += 1;
            if tally.words.len() < WORDS_MAX {
                tally.words.push(format!(
                    "machine {machine}, sensor {number}: {reading:?} in none of the epochs {epochs:?}"
                ));
            }
        }
    }
}
