//! One BMC in the engine: its session, what is being asked of it, and what is known of it.
//!
//! At most one command is in flight. Who may ask next, when the BMC is free: operator commands, then first contact
//! and reading the event log, then the round over the sensors. A round takes its next step as soon as the answer
//! to the one before is in; the rounds themselves keep a pace ([`Pace`]).

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use hardware::{Link, Node};
use ipmi::command::chassis::{GetChassisStatus, GetSystemBootOptions};
use ipmi::command::storage::GetSelInfo;
use ipmi::console::{
    Event, Ignored, Login, LoginFailure, Policy, RequestTarget, Session, SessionLost, State,
};
use ipmi::entropy::Entropy;
use ipmi::number::{BootOptionParameter, CompletionCode};
use ipmi::time::Instant;

use crate::call::{Call, decode};
use crate::contact::log::{LogPosition, LogRead, LogStamp};
use crate::contact::{self, Finding, Known};
use crate::counters::Counters;
use crate::plan::{self, GET_SENSOR_READING, Plan, Plans, Read};
use crate::publish::{Board, Page};
use crate::schedule::{Breaker, Jitter, Pace, Trouble};
use crate::script::{Answer, Script};
use crate::talk::{Talk, Turn};
use crate::work::{Finished, Job, Work};
use crate::{convert, job};

/// Bits of a console session ID that hold the slot's number; the others hold its generation.
pub(crate) const SLOT_BITS: u32 = 20;
const GENERATION_MAX: u16 = (1 << (32 - SLOT_BITS)) - 1;

/// The pause before a first contact that failed is tried again in the same session, before jitter.
const CONTACT_PAUSE: Duration = Duration::from_secs(30);

/// After a lost session the next one is opened within this time: a BMC that restarted is back soon, and a rack of
/// them should not come back in one burst.
const REOPEN_WITHIN: Duration = Duration::from_millis(1_000);

/// What all slots of an engine share.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) poll_interval: Duration,
    pub(crate) slow_rounds: u32,
    pub(crate) slots: u32,
    pub(crate) board: Arc<Board>,
    pub(crate) plans: Arc<Plans>,
    pub(crate) counters: Counters,
    pub(crate) jitter: Jitter,
    /// Milliseconds since the Unix epoch at [`Instant::ORIGIN`].
    pub(crate) unix_ms_at_origin: u64,
}

impl Context {
    fn unix_ms(&self, now: Instant) -> u64 {
        self.unix_ms_at_origin + now.as_nanos() / 1_000_000
    }
}

/// Where a slot stands with its BMC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No session; the next attempt is due then.
    Down {
        retry_at: Instant,
    },
    Connecting,
    Up,
    Closing,
    Closed,
}

/// Whose question is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InFlight {
    Nothing,
    Job,
    Talk,
    Chassis,
    /// Index in the plan's items.
    Sensor(u32),
    LogInfo,
    Boot,
}

/// Commands of the round that the BMC does not know; asked no more until the next session.
#[derive(Clone, Copy, Debug, Default)]
struct Lacks {
    chassis: bool,
    log: bool,
    boot: bool,
}

/// A round over all sensors.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    /// The step to be taken next; `None` between rounds. 0 = chassis status, then the sensors, then what is slow.
    step: Option<u32>,
    /// How many rounds there were in this session.
    number: u32,
    /// This session has made its contact: rounds may run.
    contacted: bool,
}

/// One BMC.
#[derive(Debug)]
pub(crate) struct Slot {
    index: u32,
    place: u32,
    address: SocketAddr,
    login: Arc<Login>,
    generation: u16,
    phase: Phase,
    in_flight: InFlight,
    /// The command in flight was sent once already.
    sent: bool,
    lacks: Lacks,
    breaker: Breaker,
    round: Round,
    pace: Pace,
    /// When the slot has something to do by itself, beside the session's timer.
    wake: Option<Instant>,
    contact_at: Instant,
    session: Session,
    page: Page,
    plan: Option<Arc<Plan>>,
    known: Option<Known>,
    log: Option<LogPosition>,
    talk: Option<Box<Talk<Finding>>>,
    work: Option<Box<Work>>,
}

/// How a slot is made.
#[derive(Debug)]
pub(crate) struct Setup<'a> {
    pub(crate) index: u32,
    pub(crate) place: u32,
    pub(crate) address: SocketAddr,
    pub(crate) login: &'a Arc<Login>,
    pub(crate) policy: &'a Arc<Policy>,
    pub(crate) node: &'a Node,
    pub(crate) connect_at: Instant,
}

impl Slot {
    pub(crate) fn new(setup: &Setup<'_>) -> Self {
        Self {
            index: setup.index,
            place: setup.place,
            address: setup.address,
            login: Arc::clone(setup.login),
            generation: 0,
            phase: Phase::Down {
                retry_at: setup.connect_at,
            },
            in_flight: InFlight::Nothing,
            sent: false,
            lacks: Lacks::default(),
            breaker: Breaker::default(),
            round: Round::default(),
            pace: Pace::new(setup.connect_at, Duration::from_secs(1), 0, 1),
            wake: None,
            contact_at: setup.connect_at,
            session: Session::new(Arc::clone(setup.login), Arc::clone(setup.policy)),
            page: Page::new(setup.node),
            plan: None,
            known: None,
            log: None,
            talk: None,
            work: None,
        }
    }

    /// Where its BMC listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The console session ID of its present session.
    pub(crate) const fn session_id(&self) -> u32 {
        self.session.console_session_id()
    }

    /// When it wants to be called next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let retry = match self.phase {
            Phase::Down { retry_at } => Some(retry_at),
            _ => None,
        };
        let job = self.work.as_ref().and_then(|work| work.deadline());
        [self.session.poll_timeout(), self.wake, retry, job]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether its session is closed for good.
    pub(crate) fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Takes a datagram from its BMC.
    pub(crate) fn datagram(&mut self, cx: &mut Context, now: Instant, datagram: &mut [u8]) {
        match self.session.handle_datagram(now, datagram) {
            Ok(event) => self.event(cx, now, event),
            Err(ignored) => *dropped(&mut cx.counters, ignored) += 1,
        }
    }

    /// Does what is due.
    pub(crate) fn timeout(&mut self, cx: &mut Context, now: Instant) {
        if self.session.poll_timeout().is_some_and(|at| at <= now) {
            let event = self.session.handle_timeout(now);
            self.event(cx, now, event);
        }
        if let Some(work) = &mut self.work {
            cx.counters.jobs_failed += work.expire(now);
        }
        match self.phase {
            Phase::Down { retry_at } if retry_at <= now => self.connect(now),
            _ => self.proceed(cx, now),
        }
    }

    /// Takes an operator command.
    pub(crate) fn submit(&mut self, cx: &mut Context, now: Instant, job: Job) {
        // A BMC that is down is probed all the time; the operator need not wait for the outcome.
        if self.phase != Phase::Up
            && let Link::Down { reason, .. } = &self.page.node().link
        {
            cx.counters.jobs_failed += 1;
            let reason = reason.to_string();
            job.outcome
                .tell(Err(hardware::ApplyError::Unreachable { reason }));
            return;
        }
        self.work.get_or_insert_default().push(now, job);
        self.proceed(cx, now);
    }

    /// The next datagram for its BMC.
    pub(crate) fn transmit(
        &mut self,
        cx: &mut Context,
        now: Instant,
        entropy: &mut dyn Entropy,
        out: &mut [u8],
    ) -> Option<usize> {
        let len = self.session.poll_transmit(now, entropy, out)?;
        cx.counters.datagrams_sent += 1;
        if self.in_flight != InFlight::Nothing {
            cx.counters.retransmits += u64::from(self.sent);
            self.sent = true;
        }
        Some(len)
    }

    /// Closes its session for good.
    pub(crate) fn close(&mut self, cx: &mut Context, now: Instant) {
        if let Some(mut work) = self.work.take() {
            cx.counters.jobs_failed += work.session_lost(now);
            cx.counters.jobs_failed += work.unreachable("the service is shutting down");
        }
        self.talk = None;
        self.wake = None;
        match self.session.state() {
            State::Idle => self.phase = Phase::Closed,
            State::Connecting | State::Established | State::Closing => {
                self.phase = Phase::Closing;
                self.session.close(now);
            }
        }
    }

    fn connect(&mut self, now: Instant) {
        // Generations begin at 1, so that no ID is 0.
        self.generation = self.generation % GENERATION_MAX + 1;
        let id = u32::from(self.generation) << SLOT_BITS | self.index;
        let id = NonZeroU32::new(id).expect("the generation is at least 1");
        self.phase = Phase::Connecting;
        self.session.connect(now, id);
    }

    fn event(&mut self, cx: &mut Context, now: Instant, event: Event<'_>) {
        match event {
            Event::None => {}
            Event::Established => {
                cx.counters.sessions_opened += 1;
                self.established(now);
                self.proceed(cx, now);
            }
            Event::Response(response) => {
                self.answered(cx, Some((response.completion, response.data)));
                self.proceed(cx, now);
            }
            Event::RequestTimedOut(_) => {
                cx.counters.timeouts += 1;
                self.answered(cx, None);
                self.proceed(cx, now);
            }
            Event::LoginFailed(failure) => self.login_failed(cx, now, failure),
            Event::SessionLost(lost) => self.session_lost(cx, now, lost),
            Event::Closed => self.phase = Phase::Closed,
        }
    }

    fn established(&mut self, now: Instant) {
        self.phase = Phase::Up;
        self.breaker.succeeded();
        self.in_flight = InFlight::Nothing;
        self.lacks = Lacks::default();
        self.round = Round::default();
        self.talk = None;
        self.contact_at = now;
    }

    fn login_failed(&mut self, cx: &mut Context, now: Instant, failure: LoginFailure) {
        if self.phase == Phase::Closing {
            self.phase = Phase::Closed;
            return;
        }
        let trouble = match failure {
            LoginFailure::NoAnswer | LoginFailure::Resources => Trouble::Silent,
            _ => Trouble::Refused,
        };
        match trouble {
            Trouble::Silent => cx.counters.connects_unanswered += 1,
            Trouble::Refused => cx.counters.connects_refused += 1,
        }
        let reason = match failure {
            LoginFailure::WrongPassword
            | LoginFailure::UnknownUser
            | LoginFailure::PrivilegeRefused => {
                format!("{failure} (user {:?})", self.login.user_name())
            }
            _ => failure.to_string(),
        };
        let pause = self.breaker.failed(trouble, &mut cx.jitter);
        self.phase = Phase::Down {
            retry_at: now + pause,
        };
        self.down(cx, now, &reason);
    }

    fn session_lost(&mut self, cx: &mut Context, now: Instant, lost: SessionLost) {
        cx.counters.sessions_lost += 1;
        cx.counters.timeouts += u64::from(lost.request.is_some());
        self.in_flight = InFlight::Nothing;
        self.talk = None;
        if let Some(work) = &mut self.work {
            cx.counters.jobs_failed += work.session_lost(now);
        }
        if self.phase == Phase::Closing {
            self.phase = Phase::Closed;
            return;
        }
        let within = u64::try_from(REOPEN_WITHIN.as_nanos()).unwrap_or(0);
        let pause = Duration::from_nanos(cx.jitter.below(within));
        self.phase = Phase::Down {
            retry_at: now + pause,
        };
        self.down(cx, now, "the BMC stopped answering");
    }

    /// Publishes that the BMC can't be talked to, where that is news.
    fn down(&mut self, cx: &mut Context, now: Instant, reason: &str) {
        self.wake = None;
        if let Some(work) = &mut self.work {
            cx.counters.jobs_failed += work.unreachable(reason);
        }
        let since_ms = match &self.page.node().link {
            Link::Down { reason: known, .. } if **known == *reason => return,
            Link::Down { since_ms, .. } => *since_ms,
            Link::Connecting | Link::Up => cx.unix_ms(now),
        };
        let node = self.page.node_mut();
        node.link = Link::Down {
            reason: reason.into(),
            since_ms,
        };
        Arc::make_mut(&mut node.readings)
            .iter_mut()
            .for_each(plan::mark_stale);
        self.publish(cx);
    }

    fn publish(&mut self, cx: &mut Context) {
        cx.counters.snapshots += 1;
        self.page.publish(&cx.board, self.place);
    }

    /// Asks what is to be asked next, if nothing is in flight.
    fn proceed(&mut self, cx: &mut Context, now: Instant) {
        self.wake = None;
        if self.phase != Phase::Up {
            return;
        }
        while self.in_flight == InFlight::Nothing && self.session.state() == State::Established {
            let asked =
                self.work_turn(cx, now) || self.talk_turn(cx, now) || self.round_turn(cx, now);
            if !asked {
                break;
            }
        }
    }

    fn wake_by(&mut self, at: Instant) {
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }

    fn send(&mut self, cx: &mut Context, now: Instant, call: &Call, who: InFlight) {
        let target = RequestTarget {
            netfn: call.netfn,
            cmd: call.cmd,
            lun: call.lun,
        };
        self.in_flight = who;
        self.sent = false;
        cx.counters.commands += 1;
        if self
            .session
            .request_raw(now, target, call.data(), call.idempotent)
            .is_err()
        {
            // Longer than this BMC's payload limit: as good as refused, now and ever.
            self.answered(cx, Some((CompletionCode::REQUEST_LENGTH_INVALID, &[])));
        }
    }

    fn work_turn(&mut self, cx: &mut Context, now: Instant) -> bool {
        let Some(work) = &mut self.work else {
            return false;
        };
        match work.turn(now) {
            Some(Turn::Send(call)) => self.send(cx, now, &call, InFlight::Job),
            Some(Turn::Done(finished)) => self.job_done(cx, finished),
            Some(Turn::Pause(until)) => {
                self.wake_by(until);
                return false;
            }
            None if work.is_empty() => {
                self.work = None;
                return false;
            }
            None | Some(Turn::Waits) => return false,
        }
        true
    }

    fn job_done(&mut self, cx: &mut Context, mut finished: Finished) {
        match finished.done.outcome {
            Ok(()) => cx.counters.jobs_done += 1,
            Err(_) => cx.counters.jobs_failed += 1,
        }
        let observed = std::mem::take(&mut finished.done.observed);
        let node = self.page.node_mut();
        if let Some(status) = &observed.status {
            node.power = job::power_of(status);
            node.indicator = job::indicator_of(status);
        }
        node.boot = observed.boot.or(node.boot);
        let power = node.power;
        if let Some(log) = observed.log {
            self.log_read(cx, log);
        }
        self.publish(cx);
        if let Some(work) = &mut self.work {
            work.settle(finished, power);
        }
    }

    fn talk_turn(&mut self, cx: &mut Context, now: Instant) -> bool {
        if self.talk.is_none() && !self.begin_contact(cx, now) {
            return false;
        }
        let Some(talk) = &mut self.talk else {
            return false;
        };
        match talk.turn(now) {
            Turn::Send(call) => self.send(cx, now, &call, InFlight::Talk),
            Turn::Done(finding) => {
                self.talk = None;
                self.found(cx, now, finding);
            }
            Turn::Pause(until) => {
                self.wake_by(until);
                return false;
            }
            Turn::Waits => return false,
        }
        true
    }

    /// Begins the first contact of a session, where it is still to be made: of a BMC that is known already, a look
    /// whether it is still the same.
    fn begin_contact(&mut self, cx: &Context, now: Instant) -> bool {
        if self.round.contacted {
            return false;
        }
        if self.contact_at > now {
            self.wake_by(self.contact_at);
            return false;
        }
        let (plans, known) = (Arc::clone(&cx.plans), self.known);
        let address = self.address.ip();
        let script = Script::new(|line| contact::contact(line, plans, known, address));
        self.talk = Some(Box::new(Talk::new(script)));
        true
    }

    fn found(&mut self, cx: &mut Context, now: Instant, finding: Finding) {
        match finding {
            Finding::Unchanged => self.begin_rounds(cx, now),
            Finding::Contact(contacted) => {
                cx.counters.contacts += 1;
                cx.counters.repositories_cut += u64::from(contacted.cut);
                cx.counters.records_ignored += contacted.plan.ignored_records as u64;
                self.known = Some(contacted.known);
                let node = self.page.node_mut();
                node.link = Link::Up;
                node.identity = contacted.identity;
                node.inventory = contacted.inventory;
                node.readings =
                    vec![hardware::Reading::default(); node.inventory.sensors.len()].into();
                self.plan = Some(contacted.plan);
                self.log = None;
                self.publish(cx);
                self.begin_rounds(cx, now);
            }
            Finding::Log(Some(log)) => self.log_read(cx, log),
            Finding::Log(None) => {}
            Finding::Failed(error) => {
                cx.counters.contacts_failed += 1;
                self.contact_at = now + cx.jitter.around(CONTACT_PAUSE);
                self.down(cx, now, &format!("first contact failed: {error}"));
            }
        }
    }

    /// A node that was not read in this session is read at once, and then at its pace.
    fn begin_rounds(&mut self, cx: &Context, now: Instant) {
        self.pace = Pace::new(now, cx.poll_interval, self.index, cx.slots);
        self.page.node_mut().link = Link::Up;
        self.round = Round {
            step: Some(0),
            number: 0,
            contacted: true,
        };
    }

    fn log_read(&mut self, cx: &mut Context, read: LogRead) {
        cx.counters.log_entries += read.records.len() as u64;
        self.log = Some(read.position);
        let Some(plan) = &self.plan else { return };
        let node = self.page.node_mut();
        node.log = Arc::new(convert::log(&node.log, &read, plan));
    }

    /// Takes the next step of the round, or begins a round that is due.
    fn round_turn(&mut self, cx: &mut Context, now: Instant) -> bool {
        let Some(plan) = self.plan.as_ref().filter(|_| self.round.contacted) else {
            return false;
        };
        let Some(step) = self.round.step else {
            if self.pace.due() > now {
                self.wake_by(self.pace.due());
                return false;
            }
            cx.counters.rounds_skipped += self.pace.advance(now, cx.poll_interval);
            self.round.step = Some(0);
            self.round.number = self.round.number.wrapping_add(1);
            return true;
        };
        self.round.step = Some(step + 1);
        let items = plan.items.len() as u32;
        // The first round of a session is a slow one; then each slot has its own turn.
        let turn = self.round.number.wrapping_add(self.index);
        let slow = self.round.number == 0 || turn.is_multiple_of(cx.slow_rounds);
        if step == 0 {
            if !self.lacks.chassis {
                self.send(cx, now, &Call::of(&GetChassisStatus), InFlight::Chassis);
            }
        } else if step <= items {
            let item = plan.items[step as usize - 1];
            let (netfn, cmd) = GET_SENSOR_READING;
            let target = RequestTarget {
                netfn,
                cmd,
                lun: item.lun,
            };
            self.in_flight = InFlight::Sensor(step - 1);
            self.sent = false;
            cx.counters.commands += 1;
            if self
                .session
                .request_raw(now, target, &[item.number], true)
                .is_err()
            {
                self.answered(cx, None);
            }
        } else if step == items + 1 {
            if slow && !self.lacks.log && self.talk.is_none() {
                self.send(cx, now, &Call::of(&GetSelInfo), InFlight::LogInfo);
            }
        } else if step == items + 2 {
            if slow && !self.lacks.boot {
                let get = GetSystemBootOptions::new(BootOptionParameter::BOOT_FLAGS);
                self.send(cx, now, &Call::of(&get), InFlight::Boot);
            }
        } else {
            self.finish_round(cx, now);
        }
        true
    }

    fn finish_round(&mut self, cx: &mut Context, now: Instant) {
        self.round.step = None;
        cx.counters.rounds += 1;
        self.page.node_mut().read_at_ms = cx.unix_ms(now);
        self.publish(cx);
        if let Some(work) = &mut self.work {
            work.published(self.page.node().power);
        }
    }

    /// The question in flight has its answer, or will have none.
    fn answered(&mut self, cx: &mut Context, reply: Option<(CompletionCode, &[u8])>) {
        let who = std::mem::replace(&mut self.in_flight, InFlight::Nothing);
        let as_answer = || match reply {
            Some((completion, data)) => Answer::Reply {
                completion,
                data: data.to_vec(),
            },
            None => Answer::Unanswered,
        };
        match who {
            InFlight::Nothing => {}
            InFlight::Sensor(item) => self.sensor_answered(cx, item, reply),
            InFlight::Job => {
                if let Some(work) = &mut self.work {
                    work.answer(as_answer());
                }
            }
            InFlight::Talk => {
                if let Some(talk) = &mut self.talk {
                    match reply {
                        Some(_) => talk.answer(as_answer()),
                        None => talk.ask_again(),
                    }
                }
            }
            InFlight::Chassis | InFlight::LogInfo | InFlight::Boot => {
                if let Some((completion, data)) = reply {
                    self.round_answered(who, completion, data);
                }
            }
        }
    }

    fn sensor_answered(
        &mut self,
        cx: &mut Context,
        item: u32,
        reply: Option<(CompletionCode, &[u8])>,
    ) {
        let Some(plan) = &self.plan else { return };
        let Some(item) = plan.items.get(item as usize) else {
            return;
        };
        let readings = Arc::make_mut(&mut self.page.node_mut().readings);
        let Some(reading) = readings.get_mut(usize::from(item.place)) else {
            return;
        };
        let read = match reply {
            Some((completion, data)) => plan.read(*item, completion, data, reading),
            None => {
                plan::mark_stale(reading);
                Read::Failed
            }
        };
        match read {
            Read::Ok => cx.counters.readings += 1,
            Read::Failed => cx.counters.readings_failed += 1,
        }
    }

    /// Chassis status, boot flags, state of the event log.
    fn round_answered(&mut self, who: InFlight, completion: CompletionCode, data: &[u8]) {
        let lacking = matches!(
            completion,
            CompletionCode::INVALID_COMMAND
                | CompletionCode::INVALID_FOR_LUN
                | CompletionCode::INSUFFICIENT_PRIVILEGE
        );
        match who {
            InFlight::Chassis => {
                self.lacks.chassis = lacking;
                if let Ok(status) = decode::<GetChassisStatus>(completion, data) {
                    let node = self.page.node_mut();
                    node.power = job::power_of(&status);
                    node.indicator = job::indicator_of(&status);
                }
            }
            InFlight::Boot => {
                self.lacks.boot = lacking;
                if let Ok(options) = decode::<GetSystemBootOptions>(completion, data) {
                    self.page.node_mut().boot = Some(job::boot_override(&options.parameter));
                }
            }
            _ => {
                self.lacks.log = lacking;
                let Ok(info) = decode::<GetSelInfo>(completion, data) else {
                    return;
                };
                if self.log.is_none_or(|log| log.stamp != LogStamp::of(&info)) {
                    let since = self.log;
                    let script = Script::new(|line| contact::follow_log(line, since));
                    self.talk = Some(Box::new(Talk::new(script)));
                }
            }
        }
    }
}

/// The figure for a datagram that was ignored for this reason.
const fn dropped(counters: &mut Counters, ignored: Ignored) -> &mut u64 {
    match ignored {
        Ignored::Unparsable(_) => &mut counters.dropped_unparsable,
        Ignored::NotForUs => &mut counters.dropped_unknown_session,
        Ignored::Unprotected | Ignored::BadIntegrity | Ignored::BadPadding => {
            &mut counters.dropped_bad_integrity
        }
        Ignored::Duplicate => &mut counters.dropped_duplicate,
        Ignored::OutOfWindow => &mut counters.dropped_out_of_window,
        Ignored::Late => &mut counters.dropped_late,
        Ignored::OtherPayload => &mut counters.dropped_unexpected,
    }
}
