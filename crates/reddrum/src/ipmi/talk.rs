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

use ipmi::command::{Command, Message, table};
use ipmi::console::{Bridge, LoginFailure, RequestTarget};
use ipmi::number::{CompletionCode, NetFn};
use ipmi::quirk::Quirks;
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
    /// Its name, where it is known.
    pub(super) name: Option<&'static str>,
    pub(super) data: Vec<u8>,
    /// Whether doing it twice equals doing it once.
    pub(super) idempotent: bool,
    /// The way to who is to be asked, where that is not who the command line names.
    pub(super) way: Option<Bridge>,
}

impl Call {
    /// What is told of it where it brings no usable answer.
    fn named(&self) -> Named {
        let RequestTarget { netfn, cmd, .. } = self.target;
        let is_group = netfn == NetFn::GROUP_EXTENSION;
        Named {
            netfn,
            cmd,
            group: self.data.first().copied().filter(|_| is_group),
            name: self.name,
        }
    }
}

/// A request without what it holds: as much of it as an error tells.
#[derive(Clone, Copy, Debug)]
struct Named {
    netfn: NetFn,
    cmd: u8,
    group: Option<u8>,
    name: Option<&'static str>,
}

impl Named {
    /// Why it brought no usable answer.
    const fn failed(self, fault: CallFault) -> CallError {
        let Self {
            netfn,
            cmd,
            group,
            name,
        } = self;
        CallError {
            netfn,
            cmd,
            group,
            name,
            fault,
        }
    }
}

/// What a conversation wants next.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    /// Send this and come back with the answer.
    Call(Call),
    /// Come back after this time.
    Pause(Duration),
    /// Close the session and log in anew.
    Reconnect,
    /// What was kept of this BMC under this stamp.
    Recall(Vec<u8>),
    /// Keep this of the BMC under this stamp for later runs.
    Keep(Vec<u8>, Vec<u8>),
}

/// The answer to a conversation's last question.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// The BMC, or the controller behind it that was asked, answered.
    Reply(CompletionCode, Vec<u8>),
    /// A controller on the way to who was asked did not pass the request on, for this reason.
    NotPassedOn(CompletionCode),
    /// No answer came.
    Unanswered { maybe_executed: bool },
    /// The request does not fit a datagram and was not sent.
    TooLong,
    /// The pause is over.
    Paused,
    /// There is a new session, or why there is none.
    Reconnected(Result<(), LoginFailure>),
    /// What was kept, or what was to be kept is.
    Recalled(Option<Vec<u8>>),
}

/// Remembers what BMCs said in earlier runs.
pub(super) trait Memory {
    /// What was kept of the BMC with this address under this very stamp.
    fn recall(&self, address: SocketAddr, stamp: &[u8]) -> Option<Vec<u8>>;

    /// Keeps this of the BMC with this address under this stamp. It may fail to: that only costs time later.
    fn keep(&self, address: SocketAddr, stamp: &[u8], kept: &[u8]);
}

/// Why a request brought no usable answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CallError {
    pub(super) netfn: NetFn,
    pub(super) cmd: u8,
    /// The group of a group extension: its request's first byte.
    pub(super) group: Option<u8>,
    /// The request's name, where it is known.
    pub(super) name: Option<&'static str>,
    pub(super) fault: CallFault,
}

/// What went wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallFault {
    /// The BMC answered with an error.
    Refused(CompletionCode),
    /// A controller on the way refused to pass the request on; who was asked knows nothing of it.
    NotPassedOn(CompletionCode),
    /// The BMC's answer does not parse.
    Garbled(WireError),
    /// No answer came; a request that changes something may have been carried out.
    Unanswered { maybe_executed: bool },
    /// The request does not fit a datagram.
    TooLong,
}

impl CallError {
    /// What the answer to a command holds does not parse.
    pub(super) const fn garbled<C: Command>(error: WireError) -> Self {
        Self {
            netfn: C::NETFN,
            cmd: C::CMD,
            group: None,
            name: Some(C::NAME),
            fault: CallFault::Garbled(error),
        }
    }

    /// The completion code, where who was asked gave one.
    pub(super) const fn completion(&self) -> Option<CompletionCode> {
        match self.fault {
            CallFault::Refused(code) => Some(code),
            _ => None,
        }
    }

    /// Whether the session works: somebody answered in it, with whatever.
    pub(super) const fn is_answered(&self) -> bool {
        !matches!(
            self.fault,
            CallFault::Unanswered { .. } | CallFault::TooLong
        )
    }

    /// Whether the BMC refused for a reason that a request for fewer bytes may not have.
    pub(super) fn asks_for_less(&self) -> bool {
        self.completion().is_some_and(walk::asks_for_less)
    }

    /// The name of the request, or its numbers.
    pub(super) fn request(&self) -> String {
        let Self { netfn, cmd, .. } = self;
        self.name.map_or_else(
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
            group: None,
            name: Some(fault.name),
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
    quirks: Quirks,
    /// The way that the command line names.
    named: Option<Bridge>,
    /// Another way that the conversation took.
    way: Option<Bridge>,
    /// What the operator must know where the conversation goes no further.
    unfinished: Option<String>,
    /// How far it is, as far as the operator has not been told.
    progress: Vec<String>,
    /// Nothing is kept for later runs, nor was anything.
    forgets: bool,
}

/// A conversation's connection to its BMC: one question at a time.
#[derive(Clone, Default)]
pub(super) struct Line(Rc<RefCell<Exchange>>);

impl Line {
    /// Where the BMC is; `None` where a test plays it.
    pub(super) fn peer(&self) -> Option<SocketAddr> {
        self.0.borrow().peer
    }

    /// The way to the controller behind the BMC that is asked; `None` where it is the BMC itself.
    pub(super) fn way(&self) -> Option<Bridge> {
        let exchange = self.0.borrow();
        exchange.way.or(exchange.named)
    }

    /// From now on, should the program be ended, this is left for the operator to do.
    pub(super) fn leaves_unfinished(&self, remedy: String) {
        self.0.borrow_mut().unfinished = Some(remedy);
    }

    async fn ask(&self, ask: Ask) -> Answer {
        self.0.borrow_mut().ask = Some(ask);
        std::future::poll_fn(|_| {
            let answer = self.0.borrow_mut().answer.take();
            answer.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// What the operator says of the BMC.
    pub(super) fn quirks(&self) -> Quirks {
        self.0.borrow().quirks
    }

    /// From now on asks the controller at the end of this way, whomever the command line names.
    pub(super) fn go_over(&self, way: Option<Bridge>) {
        self.0.borrow_mut().way = way;
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
        let call = self.request(lun, command);
        let named = call.named();
        let data = data_of(named, self.ask(Ask::Call(call)).await)?;
        decode::<C>(named, &data)
    }

    /// The same where an answer with the completion code `despite` has all its data, too; whether it had that code.
    pub(super) async fn call_despite<C: Command>(
        &self,
        despite: CompletionCode,
        command: &C,
    ) -> Result<(C::Response, bool), CallError> {
        let call = self.request(0, command);
        let named = call.named();
        match self.ask(Ask::Call(call)).await {
            Answer::Reply(code, data) if code == despite => Ok((decode::<C>(named, &data)?, true)),
            answer => {
                let data = data_of(named, answer)?;
                Ok((decode::<C>(named, &data)?, false))
            }
        }
    }

    /// Sends a request by its numbers and waits for the data of its answer.
    pub(super) async fn send(&self, call: Call) -> Result<Vec<u8>, CallError> {
        let named = call.named();
        data_of(named, self.ask(Ask::Call(call)).await)
    }

    /// Whether anything is kept of BMCs for later runs: what only serves that is else left undone.
    pub(super) fn remembers(&self) -> bool {
        !self.0.borrow().forgets
    }

    /// What was kept of this BMC under this stamp, if anything was.
    pub(super) async fn recall(&self, stamp: &[u8]) -> Option<Vec<u8>> {
        match self.ask(Ask::Recall(stamp.to_vec())).await {
            Answer::Recalled(kept) => kept,
            _ => None,
        }
    }

    /// Keeps this of the BMC for later runs.
    pub(super) async fn keep(&self, stamp: &[u8], kept: Vec<u8>) {
        self.ask(Ask::Keep(stamp.to_vec(), kept)).await;
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
                        name: table::find(request.netfn, request.cmd, request.data())
                            .map(|row| row.name),
                        data: request.data().to_vec(),
                        idempotent: true,
                        way: self.0.borrow().way,
                    };
                    let named = call.named();
                    match self.ask(Ask::Call(call)).await {
                        Answer::Reply(code, data) => walk.answer(code, &data),
                        silence => {
                            data_of(named, silence)?;
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

    /// Logs in anew: the BMC has ended the session, as one does that restarts.
    pub(super) async fn reconnect(&self) -> Result<(), LoginFailure> {
        match self.ask(Ask::Reconnect).await {
            Answer::Reconnected(done) => done,
            _ => Err(LoginFailure::NoAnswer),
        }
    }

    /// Says how far it is, to an operator who waits.
    pub(super) fn tell(&self, progress: String) {
        self.0.borrow_mut().progress.push(progress);
    }

    /// A command as a request.
    fn request<C: Command>(&self, lun: u8, command: &C) -> Call {
        let mut buffer = [0; REQUEST_DATA_MAX];
        let mut w = Writer::new(&mut buffer);
        command.encode(&mut w);
        Call {
            target: RequestTarget {
                netfn: C::NETFN,
                cmd: C::CMD,
                lun,
            },
            name: Some(C::NAME),
            data: w.written().to_vec(),
            idempotent: command.is_idempotent(),
            way: self.0.borrow().way,
        }
    }
}

/// The data of a successful answer as that of a command.
fn decode<C: Command>(named: Named, data: &[u8]) -> Result<C::Response, CallError> {
    C::Response::decode(&mut Reader::new(data))
        .map_err(|error| named.failed(CallFault::Garbled(error)))
}

/// The data of an answer to a request.
fn data_of(named: Named, answer: Answer) -> Result<Vec<u8>, CallError> {
    Err(named.failed(match answer {
        Answer::Reply(CompletionCode::OK, data) => return Ok(data),
        Answer::Reply(code, _) => CallFault::Refused(code),
        Answer::NotPassedOn(code) => CallFault::NotPassedOn(code),
        Answer::Unanswered { maybe_executed } => CallFault::Unanswered { maybe_executed },
        Answer::TooLong => CallFault::TooLong,
        Answer::Paused | Answer::Reconnected(_) | Answer::Recalled(_) => CallFault::Unanswered {
            maybe_executed: false,
        },
    }))
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

    /// Tells it which controller behind the BMC the command line names.
    pub(super) fn behind(self, way: Option<Bridge>) -> Self {
        self.line.0.borrow_mut().named = way;
        self
    }

    /// Tells it what the operator says of the BMC.
    pub(super) fn knowing(self, quirks: Quirks) -> Self {
        self.line.0.borrow_mut().quirks = quirks;
        self
    }

    /// Tells it whether anything is kept for later runs.
    pub(super) fn remembering(self, remembers: bool) -> Self {
        self.line.0.borrow_mut().forgets = !remembers;
        self
    }

    /// What is left for the operator to do where it goes no further; `None` for nothing of its own.
    pub(super) fn unfinished(&self) -> Option<String> {
        self.line.0.borrow().unfinished.clone()
    }

    /// How far it is, as far as that was not asked before.
    pub(super) fn take_progress(&self) -> Vec<String> {
        std::mem::take(&mut self.line.0.borrow_mut().progress)
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

    /// What a played network does with a request: any answer, also that it was not passed on.
    pub(in crate::ipmi) fn run_over(
        mut talk: Talk,
        mut network: impl FnMut(&Ask) -> Answer,
    ) -> Outcome {
        let mut answer = None;
        for _ in 0..100_000 {
            match talk.resume(answer) {
                Err(outcome) => return outcome,
                Ok(ask) => answer = Some(network(&ask)),
            }
        }
        panic!("the conversation does not end");
    }

    /// What is remembered in these tests; of one BMC.
    #[derive(Default)]
    pub(in crate::ipmi) struct Kept(RefCell<Option<(Vec<u8>, Vec<u8>)>>);

    /// Runs a conversation to its end; `bmc` answers each request. Fails the test after 100,000 requests.
    pub(in crate::ipmi) fn run(talk: Talk, bmc: impl FnMut(&Call) -> Reply) -> Outcome {
        run_with(&Kept::default(), talk, bmc)
    }

    /// The same with what earlier conversations kept.
    pub(in crate::ipmi) fn run_with(
        kept: &Kept,
        mut talk: Talk,
        mut bmc: impl FnMut(&Call) -> Reply,
    ) -> Outcome {
        let mut answer = None;
        for _ in 0..100_000 {
            answer = Some(match talk.resume(answer) {
                Err(outcome) => return outcome,
                Ok(Ask::Pause(_)) => Answer::Paused,
                Ok(Ask::Reconnect) => Answer::Reconnected(Ok(())),
                Ok(Ask::Recall(stamp)) => {
                    let kept = kept.0.borrow();
                    let found = kept.as_ref().filter(|(under, _)| *under == stamp);
                    Answer::Recalled(found.map(|(_, records)| records.clone()))
                }
                Ok(Ask::Keep(stamp, records)) => {
                    *kept.0.borrow_mut() = Some((stamp, records));
                    Answer::Recalled(None)
                }
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
