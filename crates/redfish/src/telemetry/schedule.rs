//! When what is collected, without a clock: time comes in as an argument.

use std::collections::BTreeMap;

/// For each millisecond of collecting, how many go by before the next begins: collecting takes a quarter of one
/// processor at most, however much clients ask for.
pub(super) const REST: u64 = 3;

/// What is collected.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// The report of the definition with this `Id`.
    Report(String),
    /// The values that the trigger with this `Id` watches.
    Trigger(String),
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Collect this, now.
    Run(Key),
    /// Nothing before this time; without one, nothing at all until something is added.
    Wait { until_ms: Option<u64> },
}

/// Everything that is due some time. Times are milliseconds of a clock that only goes forward.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    entries: BTreeMap<Key, Entry>,
    rest_until_ms: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    due_ms: u64,
    /// `None`: once.
    interval_ms: Option<u64>,
    /// It is due once more, at this time.
    hurried_ms: Option<u64>,
}

impl Entry {
    fn next_ms(&self) -> u64 {
        let hurried_ms = self.hurried_ms.unwrap_or(self.due_ms);
        hurried_ms.min(self.due_ms)
    }
}

/// The first time after `now_ms` on the grid of `interval_ms` that `due_ms` lies on: what was missed isn't made up for.
const fn next_due(due_ms: u64, interval_ms: u64, now_ms: u64) -> u64 {
    let interval_ms = if interval_ms == 0 { 1 } else { interval_ms };
    let missed = now_ms.saturating_sub(due_ms) / interval_ms;
    due_ms.saturating_add(missed.saturating_add(1).saturating_mul(interval_ms))
}

impl Schedule {
    /// From `now_ms` on, at once and then again every `interval_ms`.
    pub(crate) fn repeat(&mut self, key: Key, now_ms: u64, interval_ms: u64) {
        let entry = Entry {
            due_ms: now_ms,
            interval_ms: Some(interval_ms),
            hurried_ms: None,
        };
        self.entries.insert(key, entry);
    }

    /// Once as soon as possible, beside what else it is due for.
    pub(crate) fn hurry(&mut self, key: Key, now_ms: u64) {
        let entry = self.entries.entry(key).or_insert(Entry {
            due_ms: now_ms,
            interval_ms: None,
            hurried_ms: None,
        });
        entry.hurried_ms = entry.hurried_ms.or(Some(now_ms));
    }

    /// Never again.
    pub(crate) fn remove(&mut self, key: &Key) {
        self.entries.remove(key);
    }

    /// What to do at `now_ms`. What is to run counts as begun: the longest due first.
    pub(crate) fn step(&mut self, now_ms: u64) -> Step {
        let next = self.entries.iter().min_by_key(|(_, entry)| entry.next_ms());
        let Some((key, entry)) = next else {
            return Step::Wait { until_ms: None };
        };
        let at_ms = entry.next_ms().max(self.rest_until_ms);
        if at_ms > now_ms {
            return Step::Wait {
                until_ms: Some(at_ms),
            };
        }
        let (key, entry) = (key.clone(), *entry);
        match entry.interval_ms {
            Some(interval_ms) => {
                let due_ms = if entry.due_ms > now_ms {
                    entry.due_ms
                } else {
                    next_due(entry.due_ms, interval_ms, now_ms)
                };
                let entry = Entry {
                    due_ms,
                    hurried_ms: None,
                    ..entry
                };
                self.entries.insert(key.clone(), entry);
            }
            None => self.remove(&key),
        }
        Step::Run(key)
    }

    /// Until when nothing is collected, whoever asks.
    pub(crate) const fn rest_until_ms(&self) -> u64 {
        self.rest_until_ms
    }

    /// Collecting took from `began_ms` to `now_ms`.
    pub(crate) fn ended(&mut self, began_ms: u64, now_ms: u64) {
        let took_ms = now_ms.saturating_sub(began_ms);
        self.rest_until_ms = now_ms.saturating_add(took_ms.saturating_mul(REST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(id: &str) -> Key {
        Key::Report(id.to_owned())
    }

    /// Runs until `end_ms`, where collecting takes `took_ms`: what ran when.
    fn run(schedule: &mut Schedule, took_ms: u64, end_ms: u64) -> Vec<(u64, Key)> {
        let (mut now_ms, mut ran) = (0, Vec::new());
        while now_ms <= end_ms {
            match schedule.step(now_ms) {
                Step::Run(key) => {
                    ran.push((now_ms, key));
                    schedule.ended(now_ms, now_ms + took_ms);
                    now_ms += took_ms;
                }
                Step::Wait { until_ms: Some(at) } => now_ms = at,
                Step::Wait { until_ms: None } => break,
            }
        }
        ran
    }

    #[test]
    fn each_is_due_at_once_and_then_on_its_own_grid() {
        let mut schedule = Schedule::default();
        schedule.repeat(report("a"), 0, 1000);
        schedule.repeat(report("b"), 500, 2000);
        let ran = run(&mut schedule, 0, 3000);
        let expected = [
            (0, "a"),
            (500, "b"),
            (1000, "a"),
            (2000, "a"),
            (2500, "b"),
            (3000, "a"),
        ];
        assert_eq!(ran, expected.map(|(at, id)| (at, report(id))));
    }

    #[test]
    fn collecting_takes_a_quarter_of_the_time_at_most_and_nobody_starves() {
        let mut schedule = Schedule::default();
        schedule.repeat(report("a"), 0, 1000);
        schedule.repeat(report("b"), 0, 1000);
        let ran = run(&mut schedule, 2000, 100_000);
        assert_eq!(ran.len(), 13, "2 s of work in every 8 s");
        let of_a = ran.iter().filter(|(_, key)| *key == report("a")).count();
        assert!((6..=7).contains(&of_a), "{of_a}");
    }

    #[test]
    fn what_was_missed_is_not_made_up_for() {
        assert_eq!(next_due(0, 1000, 0), 1000);
        assert_eq!(next_due(0, 1000, 999), 1000);
        assert_eq!(next_due(0, 1000, 5000), 6000);
        assert_eq!(next_due(7, 10, 1_000_000), 1_000_007);
        assert_eq!(next_due(0, u64::MAX, 5), u64::MAX);
    }

    #[test]
    fn who_is_in_a_hurry_runs_once_at_once_and_keeps_his_grid() {
        let mut schedule = Schedule::default();
        schedule.repeat(report("a"), 0, 1000);
        assert_eq!(schedule.step(0), Step::Run(report("a")));
        schedule.hurry(report("a"), 300);
        schedule.hurry(report("once"), 300);
        let ran = run(&mut schedule, 0, 2300);
        let times: Vec<_> = ran.iter().map(|(at, _)| *at).collect();
        assert_eq!(times, [300, 300, 1000, 2000]);
        schedule.remove(&report("a"));
        assert_eq!(schedule.step(9000), Step::Wait { until_ms: None });
    }
}
