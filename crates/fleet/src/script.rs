//! Conversations of many commands, written as straight lines.
//!
//! First contact and operator commands are sequences with loops and branches: reserve, read, read on, reserve again. A
//! [`Script`] is such a sequence as an `async fn` over a [`Line`]; `async` is used here for its coroutines only. There
//! is no runtime, no task and no waker: the engine resumes a script with the answer to its last question and gets
//! its next question, like any other state machine of this crate.
//!
//! ```text
//!   Engine ── resume(answer) ─►  Script ── line.call(&GetSdr { .. }).await ─┐
//!          ◄─ Ask::Call(call) ─         ◄───────────── C::Response ─────────┘
//! ```

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ipmi::command::Command;
use ipmi::number::CompletionCode;
use ipmi::quirk::{Quirk, Quirks};
use ipmi::time::Instant;
use ipmi::walk::{self, Found, Walk};

use crate::call::{Call, CallError, decode};
use crate::contact::log::LogRead;

/// What a script wants next.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    /// Send this and come back with the answer.
    Call(Arc<Call>),
    /// Come back after this time.
    Pause(Duration),
    /// The BMC has ended the session, or is about to: come back in the next one.
    Reopen,
}

/// The answer to a script's last question.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The BMC answered.
    Reply {
        completion: CompletionCode,
        data: Vec<u8>,
        /// When it came. The script may be resumed later than that.
        at: Instant,
    },
    /// No answer came, and the session is gone or doubtful.
    Unanswered,
    /// No answer came however often it was asked, while the BMC answers others.
    Mute,
    /// The pause is over.
    Paused,
}

/// Where a script stands.
#[derive(Debug)]
pub(crate) enum Step<T> {
    /// It has a question.
    Asks(Ask),
    /// It has ended.
    Done(T),
}

#[derive(Debug, Default)]
struct Exchange {
    ask: Option<Ask>,
    answer: Option<Answer>,
    noticed: Quirks,
    shown: Vec<LogRead>,
}

/// A script's connection to its BMC: one question at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Arc<Mutex<Exchange>>);

impl Line {
    fn exchange<T>(&self, f: impl FnOnce(&mut Exchange) -> T) -> T {
        // Engine and script take turns on one thread: the lock is never contended, and nothing panics inside.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn ask(&self, ask: Ask) -> Answer {
        self.exchange(|exchange| exchange.ask = Some(ask));
        std::future::poll_fn(|_| {
            self.exchange(|exchange| exchange.answer.take())
                .map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Sends a command and waits for its answer.
    pub(crate) async fn call<C: Command>(&self, command: &C) -> Result<C::Response, CallError> {
        self.call_on_lun(0, command).await
    }

    /// The same, with the moment at which the answer came.
    pub(crate) async fn call_timed<C: Command>(
        &self,
        command: &C,
    ) -> Result<(C::Response, Instant), CallError> {
        self.exchange_call::<C>(Call::of(command)).await
    }

    /// Sends a command to a LUN of the BMC and waits for its answer. What is sent again, and when, is the session's
    /// business (`ipmi::console::Policy`).
    pub(crate) async fn call_on_lun<C: Command>(
        &self,
        lun: u8,
        command: &C,
    ) -> Result<C::Response, CallError> {
        let call = Call::of(command).on_lun(lun);
        Ok(self.exchange_call::<C>(call).await?.0)
    }

    /// Sends a command that the conversation can do without. Silence is an error here, where [`Self::call`] in a talk of the
    /// engine's own would ask on until the session is lost.
    pub(crate) async fn call_once<C: Command>(
        &self,
        command: &C,
    ) -> Result<C::Response, CallError> {
        let call = Call::of(command).once();
        Ok(self.exchange_call::<C>(call).await?.0)
    }

    async fn exchange_call<C: Command>(
        &self,
        call: Call,
    ) -> Result<(C::Response, Instant), CallError> {
        match self.ask(Ask::Call(Arc::new(call))).await {
            Answer::Reply {
                completion,
                data,
                at,
            } => Ok((decode::<C>(completion, &data)?, at)),
            Answer::Mute => Err(CallError::Mute { name: C::NAME }),
            Answer::Unanswered | Answer::Paused => Err(CallError::Unanswered { name: C::NAME }),
        }
    }

    /// Goes on with a walk up to what it finds next; what it notices on the way is remembered.
    pub(crate) async fn walk(&self, walk: &mut impl Walk) -> Result<Found, CallError> {
        let found = self.walk_on(walk).await;
        let noticed = walk.noticed();
        if !noticed.is_empty() {
            self.exchange(|exchange| exchange.noticed = exchange.noticed.and(noticed));
        }
        found
    }

    async fn walk_on(&self, walk: &mut impl Walk) -> Result<Found, CallError> {
        loop {
            match walk.next()? {
                walk::Step::Send(request) => {
                    let call = Arc::new(Call::of_walk(&request));
                    let answer = self.ask(Ask::Call(call)).await;
                    let name = request.name;
                    match answer {
                        Answer::Reply {
                            completion, data, ..
                        } => walk.answer(completion, &data),
                        Answer::Mute => return Err(CallError::Mute { name }),
                        Answer::Unanswered | Answer::Paused => {
                            return Err(CallError::Unanswered { name });
                        }
                    }
                }
                walk::Step::Wait(span) => self.pause(span).await,
                walk::Step::Found(found) => return Ok(found),
            }
        }
    }

    /// Goes on in another session. Where there is none within a while, the script never comes back.
    pub(crate) async fn reopen(&self) {
        self.ask(Ask::Reopen).await;
    }

    /// Remembers a deviation that has shown.
    pub(crate) fn note(&self, quirk: Quirk) {
        self.exchange(|exchange| exchange.noticed = exchange.noticed.with(quirk));
    }

    /// What has shown so far.
    pub(crate) fn noticed(&self) -> Quirks {
        self.exchange(|exchange| exchange.noticed)
    }

    /// Hands out what was read of the event log, to be shown before the next question is sent.
    pub(crate) fn show(&self, read: LogRead) {
        self.exchange(|exchange| exchange.shown.push(read));
    }

    /// What was handed out since this was asked last.
    pub(crate) fn take_shown(&self) -> Vec<LogRead> {
        self.exchange(|exchange| std::mem::take(&mut exchange.shown))
    }

    /// Waits.
    pub(crate) async fn pause(&self, span: Duration) {
        self.ask(Ask::Pause(span)).await;
    }
}

/// A conversation that ends with a `T`.
pub(crate) struct Script<T> {
    line: Line,
    future: Pin<Box<dyn Future<Output = T> + Send>>,
}

impl<T> Script<T> {
    /// Begins a conversation; it runs when resumed first.
    pub(crate) fn new<F>(conversation: impl FnOnce(Line) -> F) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        let line = Line::default();
        Self {
            future: Box::pin(conversation(line.clone())),
            line,
        }
    }

    /// What has shown of the BMC's deviations.
    pub(crate) fn noticed(&self) -> Quirks {
        self.line.noticed()
    }

    /// What it has handed out of the event log since this was asked last.
    pub(crate) fn take_shown(&self) -> Vec<LogRead> {
        self.line.take_shown()
    }

    /// Runs it with the answer to its last question (`None` at first) up to its next question or its end.
    /// Must not be called again after the end.
    pub(crate) fn resume(&mut self, answer: Option<Answer>) -> Step<T> {
        self.line.exchange(|exchange| exchange.answer = answer);
        match self
            .future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(done) => Step::Done(done),
            Poll::Pending => {
                let ask = self.line.exchange(|exchange| exchange.ask.take());
                Step::Asks(ask.expect("a script waits for nothing but the answer to its question"))
            }
        }
    }
}

impl<T> std::fmt::Debug for Script<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").finish_non_exhaustive()
    }
}

/// Runs scripts against functions that play the BMC.
#[cfg(test)]
pub(crate) mod play {
    use super::*;

    /// What the played BMC does with a call; `None` = it stays silent.
    pub(crate) type Reply = Option<(CompletionCode, Vec<u8>)>;

    /// How long each answer takes.
    pub(crate) const ANSWER_TIME: Duration = Duration::from_millis(20);

    /// Runs a script to its end, from the origin of time on; `bmc` answers each call. Fails the test after 100,000 calls.
    pub(crate) fn run<T>(mut script: Script<T>, mut bmc: impl FnMut(&Call) -> Reply) -> T {
        let (mut answer, mut at) = (None, Instant::ORIGIN);
        for _ in 0..100_000 {
            answer = Some(match script.resume(answer) {
                Step::Done(done) => return done,
                Step::Asks(Ask::Pause(span)) => {
                    at = at + span;
                    Answer::Paused
                }
                Step::Asks(Ask::Reopen) => Answer::Paused,
                Step::Asks(Ask::Call(call)) => {
                    at = at + ANSWER_TIME;
                    bmc(&call).map_or(Answer::Unanswered, |(completion, data)| Answer::Reply {
                        completion,
                        data,
                        at,
                    })
                }
            });
        }
        panic!("the script does not end");
    }
}

#[cfg(test)]
mod tests {
    use ipmi::command::app::{GetDeviceGuid, Guid};

    use super::*;

    async fn guid(line: Line) -> Result<Guid, CallError> {
        line.call(&GetDeviceGuid).await
    }

    #[test]
    fn a_script_gets_the_answer_to_its_question() {
        let got = play::run(Script::new(guid), |call| {
            assert_eq!((call.cmd, call.data()), (0x08, [].as_slice()));
            Some((CompletionCode::OK, vec![7; 16]))
        });
        assert_eq!(got, Ok(Guid([7; 16])));
    }

    #[test]
    fn silence_short_answers_and_error_codes_are_told_apart() {
        let silent = play::run(Script::new(guid), |_| None);
        assert!(matches!(silent, Err(CallError::Unanswered { .. })));
        let short = play::run(Script::new(guid), |_| Some((CompletionCode::OK, vec![1])));
        assert!(matches!(short, Err(CallError::Garbled { .. })));
        let code = CompletionCode::INVALID_COMMAND;
        let refused = play::run(Script::new(guid), |_| Some((code, vec![])));
        assert_eq!(refused.unwrap_err().completion(), Some(code));
    }
}
