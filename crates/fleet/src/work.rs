//! The operator commands of one node: waiting, under way, and done but not yet to be seen.

use std::collections::VecDeque;
use std::time::Duration;

use hardware::{ApplyError, Change, NodeId, Power};
use ipmi::time::Instant;

use crate::contact::log::{LogRead, Since};
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

/// For how long a job that outlives sessions waits for the next one: a controller that starts new firmware may test and
/// decompress it first.
pub(crate) const BACK_WITHIN: Duration = Duration::from_secs(600);

/// So many questions in a row does a long job ask; then polling has a turn.
const QUESTIONS_IN_A_ROW: u8 = 4;

/// More questions than any job asks after its session is gone.
const ABANDON_QUESTIONS_MAX: usize = 64;

/// A wish, whom it is meant for, and who waits for its outcome.
#[derive(Debug)]
pub struct Job {
    /// The node that it is meant for: it dies with it, and no other gets it.
    pub node: NodeId,
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

/// What keeps commands waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hindrance {
    /// There is no session.
    Session,
    /// The BMC has not said who it is.
    Identity,
    /// Another question, or another command.
    Turn,
}

/// Under which of its commands a node is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Lane {
    #[default]
    Main,
    /// The one that clears the event log.
    Log,
}

#[derive(Debug)]
struct Active {
    talk: Talk<JobDone>,
    outcome: OutcomeSender,
    expected: Option<Power>,
    /// In words.
    what: &'static str,
    /// It takes minutes: it lets polling go on, and outlives the end of the session.
    is_long: bool,
    /// While there is no session: until when it waits for the next.
    back_by: Option<Instant>,
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
    /// Clears the event log, and reads it before: that may take minutes. It lets polling and other commands go on, and nobody
    /// else reads the log meanwhile.
    clearing: Option<Active>,
    /// Who has the answer to the last question.
    asked: Lane,
    settling: Vec<Settling>,
    /// Before then the BMC is not asked again who it is.
    pub(crate) identify_at: Option<Instant>,
    /// Questions that a long job has asked since anybody else did.
    in_a_row: u8,
    /// What jobs have read of the event log, to be shown.
    shown: Vec<LogRead>,
}

/// A job that came to its end.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) done: JobDone,
    outcome: OutcomeSender,
    expected: Option<Power>,
}

impl Work {
    /// Takes a job; tells it "busy" where too many wait, and refuses it while firmware is installed: the controller
    /// may be about to restart. Returns how many were refused.
    pub(crate) fn push(&mut self, now: Instant, job: Job) -> u64 {
        if self.active.as_ref().is_some_and(|active| active.is_long) {
            let reason = "new firmware is being installed".to_owned();
            job.outcome.tell(Err(ApplyError::WrongState { reason }));
            1
        } else if self.waiting.len() >= JOBS_PER_NODE_MAX {
            job.outcome.tell(Err(ApplyError::Busy));
            1
        } else {
            self.waiting.push_back(Waiting {
                job,
                until: now + JOB_WAIT_MAX,
            });
            0
        }
    }

    /// Nothing is left to do or to tell.
    pub(crate) fn is_empty(&self) -> bool {
        !self.has_questions() && self.settling.is_empty()
    }

    /// Something is to be asked of the BMC, now or after a pause.
    pub(crate) fn has_questions(&self) -> bool {
        self.active.is_some() || self.clearing.is_some() || !self.waiting.is_empty()
    }

    /// When the first waiting job has waited too long, or the active one for another session.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let waiting = self.waiting.front().map(|waiting| waiting.until);
        let active = self.active.as_ref().and_then(|active| active.back_by);
        [waiting, active].into_iter().flatten().min()
    }

    /// It is somebody else's turn to ask, if anybody has a question.
    pub(crate) const fn gives_way(&self) -> bool {
        self.in_a_row >= QUESTIONS_IN_A_ROW
    }

    /// Somebody else has had a turn.
    pub(crate) const fn gave_way(&mut self) {
        self.in_a_row = 0;
    }

    /// Fails the jobs that have waited too long, for this reason; how many.
    pub(crate) fn expire(&mut self, now: Instant, hindrance: Hindrance) -> u64 {
        let mut expired = 0;
        let is_late = |active: &mut Active| active.back_by.is_some_and(|by| by <= now);
        if let Some(active) = self.active.take_if(is_late) {
            let what = "the installation of firmware, and the controller has not come back";
            let what = what.to_owned();
            active.outcome.tell(Err(ApplyError::Unconfirmed { what }));
            expired += 1;
        }
        while self
            .waiting
            .front()
            .is_some_and(|waiting| waiting.until <= now)
        {
            let Some(waiting) = self.waiting.pop_front() else {
                break;
            };
            let error = self.too_late(hindrance);
            waiting.job.outcome.tell(Err(error));
            expired += 1;
        }
        expired
    }

    /// What those are told that have waited too long.
    fn too_late(&self, hindrance: Hindrance) -> ApplyError {
        let s = JOB_WAIT_MAX.as_secs();
        let reason = match hindrance {
            Hindrance::Session => format!("no session with the BMC within {s} s"),
            Hindrance::Identity => {
                format!("the BMC has not shown within {s} s that it is still the same machine's")
            }
            Hindrance::Turn => match self.active.as_ref().or(self.clearing.as_ref()) {
                Some(Active { what, .. }) => {
                    let reason = format!("{what} is under way, for more than {s} s");
                    return ApplyError::WrongState { reason };
                }
                None => format!("what the BMC was asked before took it more than {s} s"),
            },
        };
        ApplyError::Unreachable { reason }
    }

    /// What jobs have read of the event log since this was asked last. To be shown before anything else is sent: it may be about to
    /// be cleared.
    pub(crate) fn take_shown(&mut self) -> Vec<LogRead> {
        std::mem::take(&mut self.shown)
    }

    /// A job reads the event log.
    pub(crate) const fn reads_log(&self) -> bool {
        self.clearing.is_some()
    }

    /// Begins what waits and can begin, in its order. Only firmware waits for an event log that is being cleared: it restarts the
    /// controller.
    fn begin(&mut self, log: &Since) {
        loop {
            let is_free = self.active.is_none();
            let can_begin = |change: &Change| match change {
                Change::ClearLog => self.clearing.is_none(),
                Change::Firmware(_) => is_free && self.clearing.is_none(),
                _ => is_free,
            };
            let mut waiting = self.waiting.iter();
            let next = waiting.position(|waiting| can_begin(&waiting.job.change));
            let Some(Waiting { job, .. }) = next.and_then(|next| self.waiting.remove(next)) else {
                return;
            };
            let Job {
                change, outcome, ..
            } = job;
            let (lane, what) = match change {
                Change::ClearLog => (&mut self.clearing, "clearing the event log"),
                Change::Firmware(_) => (&mut self.active, "the installation of firmware"),
                _ => (&mut self.active, "another command"),
            };
            let expected = job::power_after(&change);
            let is_long = matches!(change, Change::Firmware(_));
            let log = *log;
            *lane = Some(Active {
                talk: Talk::new(Script::new(|line| job::run(line, change, log))),
                outcome,
                expected,
                what,
                is_long,
                back_by: None,
            });
            self.in_a_row = 0;
        }
    }

    /// What the jobs want now; `None` = there is none. `log` says how far the event log was read.
    pub(crate) fn turn(&mut self, now: Instant, log: &Since) -> Option<Turn<Finished>> {
        self.begin(log);
        match (self.lane_turn(now, Lane::Main), &self.clearing) {
            (Some(Turn::Pause(until)), Some(_)) => match self.lane_turn(now, Lane::Log) {
                Some(Turn::Pause(other)) => Some(Turn::Pause(other.min(until))),
                Some(Turn::Waits) | None => Some(Turn::Pause(until)),
                turn => turn,
            },
            (Some(Turn::Waits) | None, Some(_)) => self.lane_turn(now, Lane::Log),
            (turn, _) => turn,
        }
    }

    const fn lane(&mut self, lane: Lane) -> &mut Option<Active> {
        match lane {
            Lane::Main => &mut self.active,
            Lane::Log => &mut self.clearing,
        }
    }

    fn lane_turn(&mut self, now: Instant, lane: Lane) -> Option<Turn<Finished>> {
        let active = self.lane(lane).as_mut()?;
        active.back_by = None;
        let turn = active.talk.turn(now);
        let gives_way = active.is_long || lane == Lane::Log;
        let mut shown = active.talk.take_shown();
        self.shown.append(&mut shown);
        Some(match turn {
            Turn::Done(done) => {
                let Active {
                    outcome, expected, ..
                } = self.lane(lane).take()?;
                Turn::Done(Finished {
                    done,
                    outcome,
                    expected,
                })
            }
            Turn::Send(call) => {
                self.asked = lane;
                self.in_a_row = self.in_a_row.saturating_add(u8::from(gives_way));
                Turn::Send(call)
            }
            Turn::Pause(until) => Turn::Pause(until),
            Turn::Waits => Turn::Waits,
            Turn::Reopen => Turn::Reopen,
        })
    }

    /// Takes the answer to the last question.
    pub(crate) fn answer(&mut self, answer: Answer) {
        if let Some(active) = self.lane(self.asked) {
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

    /// The session is gone: jobs under way end as they would without any answer, but for a long one, which goes on in the next
    /// session. Those that wait go on waiting. Returns how many ended.
    pub(crate) fn session_lost(&mut self, now: Instant) -> u64 {
        let lost = self.settling.drain(..).map(|settling| {
            settling.outcome.tell(Ok(()));
        });
        lost.for_each(drop);
        if let Some(active) = self.active.as_mut().filter(|active| active.is_long) {
            active.talk.session_lost();
            active.back_by = Some(now + BACK_WITHIN);
        }
        let is_short = |active: &mut Active| !active.is_long;
        let ended = [self.active.take_if(is_short), self.clearing.take()];
        let mut count = 0;
        for Active { talk, outcome, .. } in ended.into_iter().flatten() {
            let done = talk.abandon(now, ABANDON_QUESTIONS_MAX);
            // A script that does not end drops its sender, which tells too.
            if let Some(done) = done {
                outcome.tell(done.outcome);
            }
            count += 1;
        }
        count
    }

    /// Nobody goes on with any of them, because the engine has failed: those under way may have been carried out, the others were
    /// not sent. Returns how many ended without being done.
    pub(crate) fn break_off(mut self, reason: &str) -> u64 {
        for settling in self.settling.drain(..) {
            settling.outcome.tell(Ok(()));
        }
        let mut count = self.unreachable(reason);
        for Active { outcome, .. } in [self.active, self.clearing].into_iter().flatten() {
            let what = "the command because the service failed".to_owned();
            outcome.tell(Err(ApplyError::Unconfirmed { what }));
            count += 1;
        }
        count
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
    use ipmi::command::Command;
    use ipmi::command::storage::{ClearSel, ReserveSel};
    use ipmi::number::CompletionCode;

    use super::*;
    use crate::outcome::{Outcome, outcome};

    fn job(change: Change) -> (Job, Outcome) {
        let (sender, waiting) = outcome();
        (
            Job {
                node: NodeId::new("n1").unwrap(),
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
        let mut now = at_ms(0);
        loop {
            match work.turn(now, &Since::Never) {
                Some(Turn::Pause(until)) => now = until,
                Some(Turn::Send(call)) => {
                    let data = if call.cmd == 1 {
                        vec![u8::from(on), 0, 0]
                    } else {
                        vec![]
                    };
                    work.answer(Answer::Reply {
                        completion: CompletionCode::OK,
                        data,
                        at: now,
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
        let expire = |work: &mut Work, ms| work.expire(at_ms(ms), Hindrance::Session);
        assert_eq!(expire(&mut work, 9_999), 0);
        assert_eq!(expire(&mut work, 10_000), JOBS_PER_NODE_MAX as u64);
        assert!(matches!(
            outcomes[0].try_take(),
            Some(Err(ApplyError::Unreachable { .. }))
        ));
        assert!(work.is_empty());
    }

    /// What the jobs ask next.
    fn asked(work: &mut Work) -> u8 {
        match work.turn(at_ms(0), &Since::Never) {
            Some(Turn::Send(call)) => call.cmd,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_log_that_is_being_cleared_holds_no_power_command_up_and_gets_its_own_answers() {
        let mut work = Work::default();
        let (clear, cleared) = job(Change::ClearLog);
        let (off, switched) = job(OFF);
        let reply = |data: &[u8]| Answer::Reply {
            completion: CompletionCode::OK,
            data: data.to_vec(),
            at: at_ms(0),
        };
        work.push(at_ms(0), clear);
        assert_eq!(asked(&mut work), ReserveSel::CMD);
        work.push(at_ms(0), off);
        work.answer(reply(&[1, 0]));
        let finished = acknowledge(&mut work, false);
        work.settle(finished, Power::Off);
        assert_eq!(switched.try_take(), Some(Ok(())));
        assert!(work.reads_log());
        assert_eq!(asked(&mut work), ClearSel::CMD);
        // Another one waits, and is told for what.
        let (again, refused) = job(Change::ClearLog);
        work.push(at_ms(0), again);
        assert_eq!(work.expire(at_ms(10_000), Hindrance::Turn), 1);
        let Some(Err(ApplyError::WrongState { reason })) = refused.try_take() else {
            panic!("it was not begun");
        };
        assert!(reason.contains("clearing the event log"), "{reason}");
        assert_eq!(work.session_lost(at_ms(10_000)), 1);
        assert!(matches!(
            cleared.try_take(),
            Some(Err(ApplyError::Unconfirmed { .. }))
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
        assert!(matches!(
            work.turn(at_ms(0), &Since::Never),
            Some(Turn::Send(_))
        ));
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
