//! Who talks with a BMC: a script whose questions are sent one by one.

use std::sync::Arc;

use ipmi::quirk::Quirks;
use ipmi::time::Instant;

use crate::call::Call;
use crate::contact::log::LogRead;
use crate::script::{Answer, Ask, Script, Step};

/// So often a question stays unanswered, each time after all its repetitions, while the BMC answers others, before the script goes on
/// without. Where three tenths are lost each way, that happens by chance to one question in ten million.
const UNANSWERED_MAX: u8 = 4;

/// A script under way, with where it stands.
#[derive(Debug)]
pub(crate) struct Talk<T> {
    script: Script<T>,
    next: Next,
    /// Its last question.
    asked: Option<Arc<Call>>,
    /// How often that stayed unanswered.
    unanswered: u8,
}

#[derive(Debug)]
enum Next {
    /// Run it, with the answer to its last question.
    Resume(Option<Answer>),
    /// It pauses.
    Until(Instant),
    /// Its question is to be sent once more.
    Again,
    /// Its question is on its way.
    Waits,
}

/// What a talk wants now.
#[derive(Debug)]
pub(crate) enum Turn<T> {
    /// Send this and hand in the answer.
    Send(Arc<Call>),
    /// Nothing before this moment.
    Pause(Instant),
    /// Nothing before the answer to its question.
    Waits,
    /// Give the session up; it goes on in the next one.
    Reopen,
    /// It is over.
    Done(T),
}

impl<T> Talk<T> {
    /// A talk that has not begun.
    pub(crate) const fn new(script: Script<T>) -> Self {
        Self {
            script,
            next: Next::Resume(None),
            asked: None,
            unanswered: 0,
        }
    }

    /// What the script has noticed of the BMC's deviations.
    pub(crate) fn noticed(&self) -> Quirks {
        self.script.noticed()
    }

    /// What the script has handed out of the event log since this was asked last.
    pub(crate) fn take_shown(&self) -> Vec<LogRead> {
        self.script.take_shown()
    }

    /// Takes the answer to the question that was sent.
    pub(crate) fn answer(&mut self, answer: Answer) {
        self.next = Next::Resume(Some(answer));
    }

    /// The question got no answer but the session lives on: it is asked again, unless the script can do without, or that was
    /// done often enough: then the BMC has no answer to it. For talks that only look.
    pub(crate) fn ask_again(&mut self) {
        self.unanswered = self.unanswered.saturating_add(1);
        let is_once = self.asked.as_ref().is_some_and(|call| call.once);
        if is_once || self.unanswered >= UNANSWERED_MAX {
            self.answer(Answer::Mute);
        } else {
            self.next = Next::Again;
        }
    }

    /// What is to be done now. Must not be called after [`Turn::Done`].
    pub(crate) fn turn(&mut self, now: Instant) -> Turn<T> {
        loop {
            let answer = match std::mem::replace(&mut self.next, Next::Waits) {
                Next::Resume(answer) => answer,
                Next::Until(at) if at <= now => Some(Answer::Paused),
                Next::Until(at) => {
                    self.next = Next::Until(at);
                    return Turn::Pause(at);
                }
                Next::Again => match &self.asked {
                    Some(call) => return Turn::Send(Arc::clone(call)),
                    None => None,
                },
                Next::Waits => return Turn::Waits,
            };
            match self.script.resume(answer) {
                Step::Done(done) => return Turn::Done(done),
                Step::Asks(Ask::Call(call)) => {
                    self.asked = Some(Arc::clone(&call));
                    self.unanswered = 0;
                    return Turn::Send(call);
                }
                Step::Asks(Ask::Pause(span)) => self.next = Next::Until(now + span),
                Step::Asks(Ask::Reopen) => return Turn::Reopen,
            }
        }
    }

    /// Runs the script to its end with every question unanswered: the session is gone. `None` where it doesn't end
    /// within `questions_max` questions.
    pub(crate) fn abandon(mut self, now: Instant, questions_max: usize) -> Option<T> {
        self.answer_if_waiting();
        for _ in 0..questions_max {
            match self.turn(now) {
                Turn::Done(done) => return Some(done),
                Turn::Send(_) | Turn::Reopen => self.answer(Answer::Unanswered),
                Turn::Pause(_) => self.answer(Answer::Paused),
                Turn::Waits => self.answer_if_waiting(),
            }
        }
        None
    }

    /// The session is gone: its question stays unanswered, and it goes on in the next one.
    pub(crate) fn session_lost(&mut self) {
        self.answer_if_waiting();
    }

    fn answer_if_waiting(&mut self) {
        if matches!(self.next, Next::Waits) {
            self.answer(Answer::Unanswered);
        }
    }
}

#[cfg(test)]
mod tests {
    use ipmi::command::app::GetDeviceId;
    use ipmi::number::CompletionCode;

    use super::*;

    #[test]
    fn an_unanswered_question_is_asked_again_unless_the_script_can_do_without_it() {
        let now = Instant::ORIGIN;
        let mut talk = Talk::new(Script::new(|line| async move {
            let courtesy = line.call_once(&GetDeviceId).await;
            (courtesy.is_err(), line.call(&GetDeviceId).await.is_err())
        }));
        let Turn::Send(courtesy) = talk.turn(now) else {
            panic!("it asks");
        };
        talk.ask_again();
        let mut asked = Vec::new();
        let done = loop {
            match talk.turn(now) {
                Turn::Send(call) => asked.push(call),
                Turn::Done(done) => break done,
                other => panic!("{other:?}"),
            }
            talk.ask_again();
        };
        assert_eq!(asked.len(), usize::from(UNANSWERED_MAX));
        assert!(!asked.iter().any(|call| Arc::ptr_eq(call, &courtesy)));
        assert_eq!(done, (true, true), "then it goes on without");
    }

    #[test]
    fn an_answer_to_another_question_begins_the_count_anew() {
        let now = Instant::ORIGIN;
        let mut talk = Talk::new(Script::new(|line| async move {
            for _ in 0..2 {
                line.call(&GetDeviceId).await.ok();
            }
        }));
        for _ in 0..2 {
            for _ in 1..UNANSWERED_MAX {
                assert!(matches!(talk.turn(now), Turn::Send(_)));
                talk.ask_again();
            }
            assert!(matches!(talk.turn(now), Turn::Send(_)), "once more");
            talk.answer(Answer::Reply {
                completion: CompletionCode::NODE_BUSY,
                data: Vec::new(),
                at: now,
            });
        }
        assert!(matches!(talk.turn(now), Turn::Done(())));
    }
}
