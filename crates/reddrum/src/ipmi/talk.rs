//! A conversation with one BMC, written as straight lines.
//!
//! A command of the command line is a sequence of IPMI requests with loops and branches. It is written as an `async fn`
//! over a [`Line`]; `async` is used for its coroutines only. There is no runtime, no task and no waker: the engine
//! resumes the conversation with the answer to its last question and takes its next question.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ipmi::command::{Command, Message};
use ipmi::console::RequestTarget;
use ipmi::number::{CompletionCode, NetFn};
use ipmi::print::command_name;
use ipmi::walk::{self, Fault, Found, Reason, Step, Walk};
use ipmi::wire::{Reader, WireError, Writer};

use super::failure::Failure;
use super::report::Report;

/// Room for the data of a typed request, in bytes: the specification has none longer.
const REQUEST_DATA_MAX: usize = 256;

/// How a conversation with one BMC ended.
pub(super) type Outcome = Result<Report, Failure>;

/// A request that a conversation wants to be sent.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) target: RequestTarget,
    pub(super) data: Vec<u8>,
    /// Whether doing it twice equals doing it once.
    pub(super) idempotent: bool,
}

/// What a conversation wants next.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    /// Send this and come back with the answer.
    Call(Call),
    /// Come back after this time.
    Pause(Duration),
}

/// The answer to a conversation's last question.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// The BMC answered.
    Reply(CompletionCode, Vec<u8>),
    /// No answer came.
    Unanswered { maybe_executed: bool },
    /// The request does not fit a datagram and was not sent.
    TooLong,
    /// The pause is over.
    Paused,
}

/// Why a request brought no usable answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CallError {
    pub(super) netfn: NetFn,
    pub(super) cmd: u8,
    pub(super) fault: CallFault,
}

/// What went wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallFault {
    /// The BMC answered with an error.
    Refused(CompletionCode),
    /// The BMC's answer does not parse.
    Garbled(WireError),
    /// No answer came; a request that changes something may have been carried out.
    Unanswered { maybe_executed: bool },
    /// The request does not fit a datagram.
    TooLong,
}

impl CallError {
    /// The completion code, where the BMC gave one.
    pub(super) const fn completion(&self) -> Option<CompletionCode> {
        match self.fault {
            CallFault::Refused(code) => Some(code),
            _ => None,
        }
    }

    /// Whether the BMC refused for a reason that a request for fewer bytes may not have.
    pub(super) fn asks_for_less(&self) -> bool {
        self.completion().is_some_and(walk::asks_for_less)
    }

    /// The name of the request, or its numbers.
    pub(super) fn request(&self) -> String {
        let Self { netfn, cmd, .. } = self;
        command_name(*netfn, *cmd).map_or_else(
            || format!("request {:02X}h/{cmd:02X}h", netfn.0),
            str::to_owned,
        )
    }
}

impl From<Fault> for CallError {
    fn from(fault: Fault) -> Self {
        Self {
            netfn: fault.netfn,
            cmd: fault.cmd,
            fault: match fault.reason {
                Reason::Refused(code) => CallFault::Refused(code),
                Reason::Garbled(error) => CallFault::Garbled(error),
            },
        }
    }
}

#[derive(Default)]
struct Exchange {
    ask: Option<Ask>,
    answer: Option<Answer>,
    peer: Option<SocketAddr>,
}

/// A conversation's connection to its BMC: one question at a time.
#[derive(Clone, Default)]
pub(super) struct Line(Rc<RefCell<Exchange>>);

impl Line {
    /// Where the BMC is; `None` where a test plays it.
    pub(super) fn peer(&self) -> Option<SocketAddr> {
        self.0.borrow().peer
    }

    async fn ask(&self, ask: Ask) -> Answer {
        self.0.borrow_mut().ask = Some(ask);
        std::future::poll_fn(|_| {
            let answer = self.0.borrow_mut().answer.take();
            answer.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Sends a command and waits for its answer. What is sent again, and when, is the session's business.
    pub(super) async fn call<C: Command>(&self, command: &C) -> Result<C::Response, CallError> {
        self.call_on_lun(0, command).await
    }

    /// The same to a LUN of the BMC.
    pub(super) async fn call_on_lun<C: Command>(
        &self,
        lun: u8,
        command: &C,
    ) -> Result<C::Response, CallError> {
        let data = self.send(encode(lun, command)).await?;
        decode::<C>(&data)
    }

    /// The same where an answer with the completion code `despite` has all its data, too; whether it had that code.
    pub(super) async fn call_despite<C: Command>(
        &self,
        despite: CompletionCode,
        command: &C,
    ) -> Result<(C::Response, bool), CallError> {
        match self.ask(Ask::Call(encode(0, command))).await {
            Answer::Reply(code, data) if code == despite => Ok((decode::<C>(&data)?, true)),
            answer => {
                let data = data_of((C::NETFN, C::CMD), answer)?;
                Ok((decode::<C>(&data)?, false))
            }
        }
    }

    /// Sends a request by its numbers and waits for the data of its answer.
    pub(super) async fn send(&self, call: Call) -> Result<Vec<u8>, CallError> {
        let RequestTarget { netfn, cmd, .. } = call.target;
        data_of((netfn, cmd), self.ask(Ask::Call(call)).await)
    }

    /// Goes on with a walk up to what it finds next.
    pub(super) async fn walk(&self, walk: &mut impl Walk) -> Result<Found, CallError> {
        loop {
            match walk.next()? {
                Step::Send(request) => {
                    let call = Call {
                        target: RequestTarget {
                            netfn: request.netfn,
                            cmd: request.cmd,
                            lun: 0,
                        },
                        data: request.data().to_vec(),
                        idempotent: true,
                    };
                    match self.ask(Ask::Call(call)).await {
                        Answer::Reply(code, data) => walk.answer(code, &data),
                        silence => {
                            data_of((request.netfn, request.cmd), silence)?;
                        }
                    }
                }
                Step::Wait(span) => self.pause(span).await,
                Step::Found(found) => return Ok(found),
            }
        }
    }

    /// Waits.
    pub(super) async fn pause(&self, span: Duration) {
        self.ask(Ask::Pause(span)).await;
    }
}

/// A command as a request.
fn encode<C: Command>(lun: u8, command: &C) -> Call {
    let mut buffer = [0; REQUEST_DATA_MAX];
    let mut w = Writer::new(&mut buffer);
    command.encode(&mut w);
    Call {
        target: RequestTarget {
            netfn: C::NETFN,
            cmd: C::CMD,
            lun,
        },
        data: w.written().to_vec(),
        idempotent: command.is_idempotent(),
    }
}

/// The data of a successful answer as that of a command.
fn decode<C: Command>(data: &[u8]) -> Result<C::Response, CallError> {
    C::Response::decode(&mut Reader::new(data)).map_err(|error| CallError {
        netfn: C::NETFN,
        cmd: C::CMD,
        fault: CallFault::Garbled(error),
    })
}

/// The data of an answer to the request with these numbers.
fn data_of((netfn, cmd): (NetFn, u8), answer: Answer) -> Result<Vec<u8>, CallError> {
    let fault = match answer {
        Answer::Reply(CompletionCode::OK, data) => return Ok(data),
        Answer::Reply(code, _) => CallFault::Refused(code),
        Answer::Unanswered { maybe_executed } => CallFault::Unanswered { maybe_executed },
        Answer::TooLong => CallFault::TooLong,
        Answer::Paused => CallFault::Unanswered {
            maybe_executed: false,
        },
    };
    Err(CallError { netfn, cmd, fault })
}

/// A conversation under way.
pub(super) struct Talk {
    line: Line,
    future: Pin<Box<dyn Future<Output = Outcome>>>,
}

impl Talk {
    /// Begins a conversation; it runs when resumed first.
    pub(super) fn new<F>(conversation: impl FnOnce(Line) -> F) -> Self
    where
        F: Future<Output = Outcome> + 'static,
    {
        let line = Line::default();
        Self {
            future: Box::pin(conversation(line.clone())),
            line,
        }
    }

    /// Tells it where its BMC is.
    pub(super) fn with(self, peer: SocketAddr) -> Self {
        self.line.0.borrow_mut().peer = Some(peer);
        self
    }

    /// Runs it with the answer to its last question (`None` at first) up to its next question or its end. Must not
    /// be called again after the end.
    pub(super) fn resume(&mut self, answer: Option<Answer>) -> Result<Ask, Outcome> {
        self.line.0.borrow_mut().answer = answer;
        let mut context = Context::from_waker(Waker::noop());
        match self.future.as_mut().poll(&mut context) {
            Poll::Ready(outcome) => Err(outcome),
            Poll::Pending => {
                let ask = self.line.0.borrow_mut().ask.take();
                Ok(ask.expect("a conversation waits for nothing but the answer to its question"))
            }
        }
    }
}

impl fmt::Debug for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Talk").finish_non_exhaustive()
    }
}

/// Runs conversations against functions that play the BMC.
#[cfg(test)]
pub(super) mod play {
    use super::*;

    /// What the played BMC does with a request; `None` = it stays silent.
    pub(in crate::ipmi) type Reply = Option<(CompletionCode, Vec<u8>)>;

    /// Runs a conversation to its end; `bmc` answers each request. Fails the test after 100,000 requests.
    pub(in crate::ipmi) fn run(mut talk: Talk, mut bmc: impl FnMut(&Call) -> Reply) -> Outcome {
        let mut answer = None;
        for _ in 0..100_000 {
            answer = Some(match talk.resume(answer) {
                Err(outcome) => return outcome,
                Ok(Ask::Pause(_)) => Answer::Paused,
                Ok(Ask::Call(call)) => bmc(&call).map_or(
                    Answer::Unanswered {
                        maybe_executed: !call.idempotent,
                    },
                    |(code, data)| Answer::Reply(code, data),
                ),
            });
        }
        panic!("the conversation does not end");
    }
}
