//! The operator commands of one node: waiting, under way, and done but not yet to be seen.

use std::collections::VecDeque;
use std::time::Duration;

use hardware::{ApplyError, Change, Power};
use ipmi::time::Instant;

use crate::job::{self, JobDone};
use crate::outcome::OutcomeSender;
use crate::script::{Answer, Script};
use crate::talk::{Talk, Turn};

/// The most operator commands that wait for one node; more are refused as busy.
pub(crate) const JOBS_PER_NODE_MAX: usize = 8;

/// How long a command may wait for its node before it fails.
pub(crate) const JOB_WAIT_MAX: Duration = Duration::from_secs(10);

/// For how many more rounds a power change that was acknowledged may stay invisible before it is reported done all the
/// same: machines take a moment to switch.
const SETTLE_ROUNDS_MAX: u8 = 3;

/// More questions than any job asks after its session is gone.
const ABANDON_QUESTIONS_MAX: usize = 64;

/// A wish, and who waits for its outcome.
#[derive(Debug)]
pub struct Job {
    /// What is wished.
    pub change: Change,
    /// Whom to tell.
    pub outcome: OutcomeSender,
}

#[derive(Debug)]
struct Waiting {
    job: Job,
    until: Instant,
}

#[derive(Debug)]
struct Active {
    talk: Talk<JobDone>,
    outcome: OutcomeSender,
    expected: Option<Power>,
}

#[derive(Debug)]
struct Settling {
    outcome: OutcomeSender,
    expected: Power,
    rounds_left: u8,
}

/// The operator commands of one node.
#[derive(Debug, Default)]
pub(crate) struct Work {
    waiting: VecDeque<Waiting>,
    active: Option<Active>,
    settling: Vec<Settling>,
}

/// A job that came to its end.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) done: JobDone,
    outcome: OutcomeSender,
    expected: Option<Power>,
}

impl Work {
    /// Takes a job; tells it "busy" where too many wait.
    pub(crate) fn push(&mut self, now: Instant, job: Job) {
        if self.waiting.len() >= JOBS_PER_NODE_MAX {
            job.outcome.tell(Err(ApplyError::Busy));
        } else {
            self.waiting.push_back(Waiting {
                job,
                until: now + JOB_WAIT_MAX,
            });
        }
    }

    /// Nothing is left to do or to tell.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.active.is_none() && self.settling.is_empty()
    }

    /// When the first waiting job has waited too long.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.waiting.front().map(|waiting| waiting.until)
    }

    /// Fails the jobs that have waited too long; how many.
    pub(crate) fn expire(&mut self, now: Instant) -> u64 {
        let mut expired = 0;
        while self
            .waiting
            .front()
            .is_some_and(|waiting| waiting.until <= now)
        {
            let Some(waiting) = self.waiting.pop_front() else {
                break;
            };
            let reason = format!(
                "no session with the BMC within {} s",
                JOB_WAIT_MAX.as_secs()
            );
            waiting
                .job
                .outcome
                .tell(Err(ApplyError::Unreachable { reason }));
            expired += 1;
        }
        expired
    }

    /// What the jobs want now; `None` = there is none.
    pub(crate) fn turn(&mut self, now: Instant) -> Option<Turn<Finished>> {
        if self.active.is_none() {
            let Job { change, outcome } = self.waiting.pop_front()?.job;
            let expected = job::power_after(&change);
            let talk = Talk::new(Script::new(|line| job::run(line, change)));
            self.active = Some(Active {
                talk,
                outcome,
                expected,
            });
        }
        Some(match self.active.as_mut()?.talk.turn(now) {
            Turn::Done(done) => {
                let Active {
                    outcome, expected, ..
                } = self.active.take()?;
                Turn::Done(Finished {
                    done,
                    outcome,
                    expected,
                })
            }
            Turn::Send(call) => Turn::Send(call),
            Turn::Pause(until) => Turn::Pause(until),
            Turn::Waits => Turn::Waits,
        })
    }

    /// Takes the answer to the active job's question.
    pub(crate) fn answer(&mut self, answer: Answer) {
        if let Some(active) = &mut self.active {
            active.talk.answer(answer);
        }
    }

    /// Tells a finished job's outcome, now that the snapshot shows what became of it; or waits for the machine to
    /// show it.
    pub(crate) fn settle(&mut self, finished: Finished, power: Power) {
        let Finished {
            done,
            outcome,
            expected,
        } = finished;
        match expected {
            Some(expected) if done.outcome.is_ok() && power != expected => {
                self.settling.push(Settling {
                    outcome,
                    expected,
                    rounds_left: SETTLE_ROUNDS_MAX,
                });
            }
            _ => outcome.tell(done.outcome),
        }
    }

    /// A snapshot with this power was published at the end of a round.
    pub(crate) fn published(&mut self, power: Power) {
        for mut settling in std::mem::take(&mut self.settling) {
            if power == settling.expected || settling.rounds_left == 0 {
                settling.outcome.tell(Ok(()));
            } else {
                settling.rounds_left -= 1;
                self.settling.push(settling);
            }
        }
    }

    /// The session is gone: the active job ends as it would without any answer. Those that wait go on waiting.
    pub(crate) fn session_lost(&mut self, now: Instant) -> u64 {
        let lost = self.settling.drain(..).map(|settling| {
            settling.outcome.tell(Ok(()));
        });
        lost.for_each(drop);
        let Some(Active { talk, outcome, .. }) = self.active.take() else {
            return 0;
        };
        let done = talk.abandon(now, ABANDON_QUESTIONS_MAX);
        // A script that does not end drops its sender, which tells too.
        if let Some(done) = done {
            outcome.tell(done.outcome);
        }
        1
    }

    /// Fails all that wait: the BMC can't be reached; how many.
    pub(crate) fn unreachable(&mut self, reason: &str) -> u64 {
        let mut failed = 0;
        for waiting in self.waiting.drain(..) {
            let reason = reason.to_owned();
            waiting
                .job
                .outcome
                .tell(Err(ApplyError::Unreachable { reason }));
            failed += 1;
        }
        failed
    }
}

#[cfg(test)]
mod tests {
    use hardware::PowerAction;
    use ipmi::number::CompletionCode;

    use super::*;
    use crate::outcome::{Outcome, outcome};

    fn job(change: Change) -> (Job, Outcome) {
        let (sender, waiting) = outcome();
        (
            Job {
                change,
                outcome: sender,
            },
            waiting,
        )
    }

    fn at_ms(ms: u64) -> Instant {
        Instant::ORIGIN + Duration::from_millis(ms)
    }

    const OFF: Change = Change::Power(PowerAction::ForceOff);

    fn acknowledge(work: &mut Work, on: bool) -> Finished {
        loop {
            match work.turn(at_ms(0)) {
                Some(Turn::Send(call)) => {
                    let data = if call.cmd == 1 {
                        vec![u8::from(on), 0, 0]
                    } else {
                        vec![]
                    };
                    work.answer(Answer::Reply {
                        completion: CompletionCode::OK,
                        data,
                    });
                }
                Some(Turn::Done(finished)) => return finished,
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn too_many_jobs_are_refused_and_those_that_wait_too_long_fail() {
        let mut work = Work::default();
        let outcomes: Vec<_> = (0..=JOBS_PER_NODE_MAX)
            .map(|_| {
                let (job, outcome) = job(OFF);
                work.push(at_ms(0), job);
                outcome
            })
            .collect();
        assert_eq!(
            outcomes[JOBS_PER_NODE_MAX].try_take(),
            Some(Err(ApplyError::Busy))
        );
        assert_eq!(outcomes[0].try_take(), None);
        assert_eq!(work.expire(at_ms(9_999)), 0);
        assert_eq!(work.expire(at_ms(10_000)), JOBS_PER_NODE_MAX as u64);
        assert!(matches!(
            outcomes[0].try_take(),
            Some(Err(ApplyError::Unreachable { .. }))
        ));
        assert!(work.is_empty());
    }

    #[test]
    fn a_power_change_is_told_when_a_snapshot_shows_it() {
        let mut work = Work::default();
        let (job, outcome) = job(OFF);
        work.push(at_ms(0), job);
        let finished = acknowledge(&mut work, true);
        work.settle(finished, Power::On);
        assert_eq!(outcome.try_take(), None);
        work.published(Power::On);
        assert_eq!(outcome.try_take(), None);
        work.published(Power::Off);
        assert_eq!(outcome.try_take(), Some(Ok(())));
        assert!(work.is_empty());
    }

    #[test]
    fn a_power_change_that_never_shows_is_told_after_a_few_rounds() {
        let mut work = Work::default();
        let (job, outcome) = job(OFF);
        work.push(at_ms(0), job);
        let finished = acknowledge(&mut work, true);
        work.settle(finished, Power::On);
        for _ in 0..=SETTLE_ROUNDS_MAX {
            assert_eq!(outcome.try_take(), None);
            work.published(Power::On);
        }
        assert_eq!(outcome.try_take(), Some(Ok(())));
    }

    #[test]
    fn a_session_lost_in_the_middle_leaves_the_active_job_unconfirmed_and_the_others_waiting() {
        let mut work = Work::default();
        let (first, first_outcome) = job(OFF);
        let (second, second_outcome) = job(OFF);
        work.push(at_ms(0), first);
        work.push(at_ms(0), second);
        assert!(matches!(work.turn(at_ms(0)), Some(Turn::Send(_))));
        work.session_lost(at_ms(1));
        assert!(matches!(
            first_outcome.try_take(),
            Some(Err(ApplyError::Unconfirmed { .. }))
        ));
        assert_eq!(second_outcome.try_take(), None);
        assert_eq!(work.unreachable("no answer"), 1);
        assert!(matches!(
            second_outcome.try_take(),
            Some(Err(ApplyError::Unreachable { .. }))
        ));
    }
}
