//! A console as a state machine without socket and clock: log-in, activation, characters, and the way out.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use ipmi::command::app::payload::{
    PAYLOAD_ALREADY, PAYLOAD_DISABLED, PAYLOAD_LIMIT, PAYLOAD_MUST_BE_ENCRYPTED,
};
use ipmi::command::app::{
    ActivatePayload, DeactivatePayload, GetPayloadActivationStatus, GetPayloadInstanceInfo,
    SolActivation,
};
use ipmi::console::{Event, Ignored, Login, LoginFailure, Policy, RequestRefused, Session};
use ipmi::entropy::Entropy;
use ipmi::number::{PayloadInstances, PayloadType, SolOperation, SolStatus};
use ipmi::sol::{SolLine, SolRetry};
use ipmi::time::Instant;
use ipmi::wire::Writer;
use ipmi::wire::sol::SOL_HEADER_LEN;
use serde_json::{Value, json};

use crate::ipmi::failure::{Asked, Failure};
use crate::ipmi::report::Report;
use crate::ipmi::talk::{Answer, Ask, CallError, CallFault, Line, Outcome, Talk};

/// The only instance that BMCs have.
const INSTANCE: u8 = 1;

/// How often Activate Payload is sent where its answer gets lost.
const ACTIVATIONS_MAX: u32 = 6;

/// How often the BMC is asked who has the console: it may be taken over without a word.
const CHECK_EVERY: Duration = Duration::from_secs(15);

/// Serial alerts wait while the console is active (§24.1): some BMCs mix them into it.
const DEFER_ALERTS: u8 = 1;

/// What the console is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    LoggingIn,
    Activating,
    Active,
    /// SOL is deactivated, and then the session closed.
    Leaving,
    Over,
}

/// A console of one machine.
pub(super) struct Console {
    session: Session,
    asked: Asked,
    steal: bool,
    phase: Phase,
    line: SolLine,
    /// Requests under way.
    talk: Option<Talk>,
    /// The next answer is to a question of a conversation that was given up.
    stale: bool,
    resume_at: Option<Instant>,
    /// When to ask next who has the console.
    check_at: Option<Instant>,
    /// What the operator should know.
    notices: Vec<&'static str>,
    failure: Option<Failure>,
}

impl Console {
    /// A console that is not connected yet. With `steal`, whoever has it now loses it.
    pub(super) fn new(login: Login, policy: Policy, steal: bool) -> Self {
        let asked = Asked {
            username: String::from_utf8_lossy(login.user_name().as_bytes()).into_owned(),
            privilege: login.privilege(),
            suites: login.suites().to_vec(),
        };
        Self {
            session: Session::new(Arc::new(login), Arc::new(policy)),
            asked,
            steal,
            phase: Phase::LoggingIn,
            line: SolLine::new(SolRetry::default()),
            talk: None,
            stale: false,
            resume_at: None,
            check_at: None,
            notices: Vec::new(),
            failure: None,
        }
    }

    /// Starts to log in.
    pub(super) fn connect(&mut self, now: Instant, id: NonZeroU32) {
        self.session.connect(now, id);
    }

    /// Takes a datagram from the BMC.
    pub(super) fn handle_datagram(
        &mut self,
        now: Instant,
        datagram: &mut [u8],
    ) -> Result<(), Ignored> {
        let answer = match self.session.handle_datagram(now, datagram)? {
            Event::Payload(PayloadType::SOL, packet) => {
                // What comes before the activation is known is not acknowledged, and comes again.
                if self.phase == Phase::Active && self.line.handle(now, packet).is_ok() {
                    self.hear_signals(now);
                }
                return Ok(());
            }
            event => self.event(now, &event),
        };
        self.answered(now, answer);
        Ok(())
    }

    /// Lets time pass; call when [`Self::next_deadline`] is reached.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.resume_at.is_some_and(|at| at <= now) {
            self.resume_at = None;
            self.advance(now, Some(Answer::Paused));
        }
        if self.session.poll_timeout().is_some_and(|at| at <= now) {
            let event = self.session.handle_timeout(now);
            let answer = self.event(now, &event);
            self.answered(now, answer);
        }
        if self.phase == Phase::Active
            && self.talk.is_none()
            && self.check_at.is_some_and(|at| at <= now)
        {
            let ours = self.session.bmc_session_id();
            self.talk = Some(Talk::new(|line| check(line, ours)));
            self.advance(now, None);
        }
        if self.phase == Phase::Active && self.line.is_broken() {
            self.fail(now, silent());
        }
    }

    /// When to call [`Self::handle_timeout`], if at all.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let active = self.phase == Phase::Active;
        let line = self.line.poll_timeout().filter(|_| active);
        let check = self.check_at.filter(|_| active && self.talk.is_none());
        [self.session.poll_timeout(), self.resume_at, line, check]
            .into_iter()
            .flatten()
            .min()
    }

    /// Writes the next datagram into `out`.
    pub(super) fn poll_transmit(
        &mut self,
        now: Instant,
        entropy: &mut dyn Entropy,
        out: &mut [u8],
    ) -> Option<usize> {
        let Self { session, line, .. } = self;
        if let Some(len) = session.poll_transmit(now, entropy, out) {
            return Some(len);
        }
        if self.phase != Phase::Active {
            return None;
        }
        let mut packet = [0; SOL_HEADER_LEN + ipmi::sol::PACKET_MAX];
        let mut w = Writer::new(&mut packet);
        if !line.poll_transmit(now, &mut w) {
            return None;
        }
        session.seal_payload(PayloadType::SOL, entropy, out, |out| out.bytes(w.written()))
    }

    /// Takes what was typed, and says how much there was room for.
    pub(super) fn write(&mut self, characters: &[u8]) -> usize {
        self.line.write(characters)
    }

    /// Characters from the machine; says how many.
    pub(super) fn read(&mut self, characters: &mut [u8]) -> usize {
        self.line.read(characters)
    }

    /// Sends a break.
    pub(super) const fn send_break(&mut self) {
        self.line.signal(SolOperation::BREAK.0);
    }

    /// Whether all that was typed has arrived.
    pub(super) fn is_idle(&self) -> bool {
        self.line.is_idle()
    }

    /// Whether characters go back and forth.
    pub(super) fn is_active(&self) -> bool {
        self.phase == Phase::Active
    }

    /// What the operator should know. Empties the list.
    pub(super) fn take_notices(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.notices)
    }

    /// Ends: deactivates SOL and closes the session.
    pub(super) fn end(&mut self, now: Instant) {
        match self.phase {
            Phase::Active => {
                self.phase = Phase::Leaving;
                self.resume_at = None;
                // A question under way gives way to this one.
                self.talk = Some(Talk::new(deactivate));
                self.stale = self.session.is_busy();
                if !self.stale {
                    self.advance(now, None);
                }
            }
            Phase::LoggingIn | Phase::Activating => {
                self.talk = None;
                self.phase = Phase::Leaving;
                self.session.close(now);
            }
            Phase::Leaving | Phase::Over => {}
        }
    }

    /// Whether nothing more will happen.
    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Why it ended, where the operator didn't end it.
    pub(super) const fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// What an event of the session means; the answer to a question under way.
    fn event(&mut self, now: Instant, event: &Event<'_>) -> Option<Answer> {
        match event {
            Event::None | Event::Payload(..) => None,
            Event::Established => {
                self.phase = Phase::Activating;
                let (steal, ours) = (self.steal, self.session.bmc_session_id());
                let encrypted = self.session.is_encrypted();
                self.talk = Some(Talk::new(|line| activate(line, steal, ours, encrypted)));
                self.advance(now, None);
                None
            }
            Event::Response(response) => {
                Some(Answer::Reply(response.completion, response.data.to_vec()))
            }
            Event::RequestTimedOut(timed_out) => Some(Answer::Unanswered {
                maybe_executed: timed_out.maybe_executed,
            }),
            Event::LoginFailed(failure) => {
                let (failure, asked) = (*failure, self.asked.clone());
                self.over(Some(Failure::Login { failure, asked }));
                None
            }
            Event::SessionLost(_) => {
                self.over(Some(silent()));
                None
            }
            Event::Closed => {
                self.over(None);
                None
            }
        }
    }

    fn hear_signals(&mut self, now: Instant) {
        let status = SolStatus(self.line.take_signals());
        if status.contains(SolStatus::DEACTIVATING) {
            self.fail(now, taken("the BMC ends it"));
        }
        if status.contains(SolStatus::OVERRUN) {
            self.notices.push("the BMC lost characters");
        }
        if status.contains(SolStatus::BREAK) {
            self.notices.push("break");
        }
    }

    fn answered(&mut self, now: Instant, answer: Option<Answer>) {
        if answer.is_some() {
            let stale = std::mem::take(&mut self.stale);
            self.advance(now, answer.filter(|_| !stale));
        }
    }

    /// Runs the questions up to the next one that must be sent.
    fn advance(&mut self, now: Instant, mut answer: Option<Answer>) {
        while let Some(talk) = &mut self.talk {
            // The first question of a conversation has no answer before it.
            let call = match talk.resume(answer.take()) {
                Err(outcome) => return self.talked(now, outcome),
                Ok(Ask::Pause(span)) => {
                    self.resume_at = Some(now + span);
                    return;
                }
                // A console needs no records.
                Ok(Ask::Recall(_) | Ask::Keep(..)) => {
                    answer = Some(Answer::Recalled(None));
                    continue;
                }
                // Nor another session: it ends with this one.
                Ok(Ask::Reconnect) => {
                    answer = Some(Answer::Reconnected(Err(LoginFailure::NoAnswer)));
                    continue;
                }
                Ok(Ask::Call(call)) => call,
            };
            match self
                .session
                .request_raw(now, call.target, &call.data, call.idempotent)
            {
                Ok(()) => return,
                Err(RequestRefused::TooLong) => answer = Some(Answer::TooLong),
                Err(RequestRefused::Busy | RequestRefused::NotEstablished) => {
                    answer = Some(Answer::Unanswered {
                        maybe_executed: false,
                    });
                }
            }
        }
    }

    /// A conversation has ended.
    fn talked(&mut self, now: Instant, outcome: Outcome) {
        self.talk = None;
        match (self.phase, outcome) {
            (Phase::Activating, Ok(report)) => {
                let packet = report.value["packet"].as_u64().unwrap_or(0);
                self.line
                    .set_packet_max(usize::try_from(packet).unwrap_or(0));
                self.phase = Phase::Active;
                self.check_at = Some(now + CHECK_EVERY);
            }
            (Phase::Active, Ok(report)) => {
                let asks = report.value != Value::Null;
                self.check_at = asks.then(|| now + CHECK_EVERY);
            }
            (Phase::Activating | Phase::Active, Err(failure)) => self.fail(now, failure),
            (Phase::LoggingIn | Phase::Leaving | Phase::Over, _) => self.session.close(now),
        }
    }

    fn fail(&mut self, now: Instant, failure: Failure) {
        self.failure.get_or_insert(failure);
        self.phase = Phase::Leaving;
        self.talk = None;
        self.session.close(now);
    }

    fn over(&mut self, failure: Option<Failure>) {
        self.talk = None;
        if self.phase != Phase::Leaving
            && let Some(failure) = failure
        {
            self.failure.get_or_insert(failure);
        }
        self.phase = Phase::Over;
    }
}

/// Takes the console over (§24.1, §24.4, §24.5).
async fn activate(line: Line, steal: bool, ours: u32, encrypted: bool) -> Outcome {
    // BMCs that can't tell are asked for the console all the same.
    let status = GetPayloadActivationStatus {
        payload_type: PayloadType::SOL,
    };
    let said = line
        .call(&status)
        .await
        .is_ok_and(|s| s.active.contains(PayloadInstances::INSTANCE_1));
    // Some say so always: then no session has it.
    let active = said && owner(&line).await.ok() != Some(0);
    if active && steal {
        line.call(&DEACTIVATE).await?;
    } else if active {
        return Err(in_use());
    }
    let options = SolActivation {
        encrypted,
        authenticated: true,
        serial_alerts: ipmi::number::SerialAlertBehavior(DEFER_ALERTS),
        ..SolActivation::default()
    };
    let command = ActivatePayload {
        payload_type: PayloadType::SOL,
        instance: INSTANCE,
        auxiliary: options.to_bytes(),
    };
    for _ in 0..ACTIVATIONS_MAX {
        let error = match line.call(&command).await {
            Ok(activated) => {
                let packet = usize::from(activated.inbound_max).saturating_sub(SOL_HEADER_LEN);
                return Ok(Report::line("", json!({ "packet": packet })));
            }
            Err(error) => error,
        };
        match (error.fault, error.completion()) {
            // It may have been carried out: then the console is ours already.
            (CallFault::Unanswered { .. }, _) | (_, Some(PAYLOAD_ALREADY)) => {
                let is_ours = owner(&line).await.ok() == Some(ours);
                if is_ours {
                    return Ok(Report::line("", json!({ "packet": 0 })));
                }
                if error.completion().is_some() {
                    return Err(in_use());
                }
            }
            _ => return Err(refused(error)),
        }
    }
    Err(silent())
}

const DEACTIVATE: DeactivatePayload = DeactivatePayload {
    payload_type: PayloadType::SOL,
    instance: INSTANCE,
    auxiliary: [0; 4],
};

/// The BMC's ID of the session that has the console; 0 is nobody's.
async fn owner(line: &Line) -> Result<u32, CallError> {
    let question = GetPayloadInstanceInfo {
        payload_type: PayloadType::SOL,
        instance: INSTANCE,
    };
    Ok(line.call(&question).await?.session_id)
}

/// Asks whether the console is still ours. A BMC that can't tell is not asked again.
async fn check(line: Line, ours: u32) -> Outcome {
    match owner(&line).await {
        Ok(id) if id == ours => Ok(Report::line("", json!(true))),
        Ok(0) => Err(taken("the BMC has ended it")),
        Ok(_) => Err(taken("another console has taken it over")),
        Err(error) if error.completion().is_some() => Ok(Report::line("", Value::Null)),
        Err(_) => Ok(Report::line("", json!(true))),
    }
}

async fn deactivate(line: Line) -> Outcome {
    // The session ends anyway, and its console with it.
    let _ = line.call(&DEACTIVATE).await;
    Ok(Report::line("", Value::Null))
}

fn in_use() -> Failure {
    Failure::Unfit {
        kind: "console_in_use",
        cause: "the console is in use by another session".to_owned(),
        remedy: "take it over with --steal, or free it with 'sol deactivate'".to_owned(),
    }
}

fn taken(cause: &str) -> Failure {
    Failure::Unfit {
        kind: "console_lost",
        cause: format!("the console is gone: {cause}"),
        remedy: "connect again; --steal takes it over".to_owned(),
    }
}

fn silent() -> Failure {
    Failure::Unfit {
        kind: "console_silent",
        cause: "the BMC answers no more".to_owned(),
        remedy: "check the network, and connect again".to_owned(),
    }
}

fn refused(error: CallError) -> Failure {
    let (cause, remedy) = match error.completion() {
        Some(PAYLOAD_DISABLED) => (
            "serial over LAN is switched off on this BMC",
            "switch it on: 'sol set enabled true'; and the user's payload access",
        ),
        Some(PAYLOAD_LIMIT) => (
            "the BMC has no more consoles to give",
            "end another one with 'sol deactivate'",
        ),
        Some(PAYLOAD_MUST_BE_ENCRYPTED) => (
            "the BMC wants the console encrypted",
            "use a cipher suite that encrypts: --suite 17 or 3",
        ),
        _ => return error.into(),
    };
    Failure::Unfit {
        kind: "console_refused",
        cause: cause.to_owned(),
        remedy: remedy.to_owned(),
    }
}
