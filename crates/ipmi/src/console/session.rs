//! One session with one BMC: timers, requests, and the phases of its life.

mod answer;
mod gap;
mod known;
mod transmit;

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::num::NonZeroU32;

use zeroize::Zeroize;

use super::bridge::Bridge;
use super::event::{Event, Ignored, LoginFailure, RequestRefused, SessionLost, TimedOut};
use super::handshake::{Handshake, Next, next_rq_seq};
use super::login::Login;
use super::request::{KEEPALIVE, Origin, Request, RequestTarget};
use super::retry::{OPTIONAL_ATTEMPTS, Patience, Policy};
use crate::command::Command;
use crate::command::app::{CloseSession, SetSessionPrivilegeLevel};
use crate::crypto::SessionChannel;
use crate::number::{CipherSuiteId, PayloadType, PrivilegeLevel};
use crate::quirk::{Quirk, Quirks};
use crate::time::Instant;
use crate::wire::message::{LanMessage, REQUEST_OVERHEAD};
use crate::wire::rakp::Rakp3;
use crate::wire::{DATAGRAM_MAX, Writer};

/// Longest data of a typed command, in bytes: the specification has none longer than a LAN message's 255.
const COMMAND_DATA_MAX: usize = 256;

/// What a session is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing: not connected yet, failed, lost or closed.
    Idle,
    /// Logging in.
    Connecting,
    /// Logged in: takes requests.
    Established,
    /// Logging out.
    Closing,
}

/// One session with one BMC: logs in, sends one request at a time, repeats it as its [`Policy`] says, logs out.
///
/// After each `connect`, `request`, `close`, `handle_datagram` and `handle_timeout`, call
/// [`poll_transmit`](Self::poll_transmit) until it returns `None`, then wait until
/// [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct Session {
    login: Arc<Login>,
    policy: Arc<Policy>,
    phase: Phase,
    /// Present from RAKP Message 4 until the session ends.
    channel: Option<SessionChannel>,
    request: Request,
    /// Whether the present message is to be sent.
    send: bool,
    /// Whether the request was answered "node busy" and waits to be sent again.
    busy: bool,
    /// Whether the last sending was refused as a repetition of one before, whose answer is to come or is lost.
    refused: bool,
    /// How often the present message was sent.
    sendings: u8,
    /// How many of these were answered "node busy", or precede one that was.
    sendings_answered: u8,
    /// How many answers came to these, the wrong ones included.
    heard: u8,
    /// Answers to the request before that may still come: it was sent so much more often than answered.
    stragglers: u8,
    patience: Patience,
    deadline: Option<Instant>,
    console_session_id: u32,
    suite: Option<CipherSuiteId>,
    rq_seq: u8,
    /// Tag of the last log-in's last attempt; `None` before the first.
    tag: Option<u8>,
    /// The best suite that this BMC ever confirmed.
    proven: Option<CipherSuiteId>,
    /// Requests in a row without answer.
    unanswered: u8,
    /// What is known of the BMC, and what has shown.
    quirks: Quirks,
    /// See [`set_gap`](Self::set_gap).
    gap_ms: u16,
    /// When something may be sent again.
    free_at: Instant,
}

#[derive(Debug)]
enum Phase {
    Idle,
    LoggingIn(Box<Handshake>),
    /// Set Session Privilege Level is in flight.
    ExpectPrivilege,
    Established,
    /// Close Session is in flight.
    ExpectClose,
    /// `close` was called where there is nothing to close; the driver is told at the next time-out.
    NothingToClose,
    /// Over, except for one message that the BMC is owed.
    Leaving(Farewell),
}

/// The last message of a session that is over: sent once, no answer awaited.
#[derive(Debug)]
enum Farewell {
    /// The BMC could not prove itself (§13.22). Rare: it takes no room in other sessions.
    Rakp3(Box<Rakp3>),
    /// The session ends before it was of use: frees the BMC's slot.
    CloseSession,
}

impl Session {
    /// A session that does nothing yet.
    #[must_use]
    pub fn new(login: Arc<Login>, policy: Arc<Policy>) -> Self {
        Self {
            login,
            policy,
            phase: Phase::Idle,
            channel: None,
            request: Request::NONE,
            send: false,
            busy: false,
            refused: false,
            sendings: 0,
            sendings_answered: 0,
            heard: 0,
            stragglers: 0,
            patience: Patience::default(),
            deadline: None,
            console_session_id: 0,
            suite: None,
            rq_seq: 0,
            tag: None,
            proven: None,
            unanswered: 0,
            quirks: Quirks::NONE,
            gap_ms: 0,
            free_at: Instant::ORIGIN,
        }
    }

    /// Repeats and gives up by another policy, from the next wait on: a BMC that has long been silent need not be
    /// asked as insistently as one that answers.
    pub fn set_policy(&mut self, policy: Arc<Policy>) {
        self.policy = policy;
    }

    /// Starts to log in; forgets whatever session there was without closing it.
    ///
    /// `console_session_id` must be unique among the sessions that share a socket. A new one for every call keeps
    /// late answers of an earlier log-in apart. Make part of it random: log-in's first steps are not authenticated,
    /// and who can't see this ID can't forge an answer to them.
    pub fn connect(&mut self, _now: Instant, console_session_id: NonZeroU32) {
        self.end();
        self.unanswered = 0;
        self.console_session_id = console_session_id.get();
        let numbers = self.tag.map(|tag| (tag, self.rq_seq));
        let handshake = Handshake::new(self.console_session_id, numbers, self.proven, self.quirks);
        self.phase = Phase::LoggingIn(Box::new(handshake));
        self.send_new();
    }

    /// Sends `command`; its answer comes as [`Event::Response`].
    ///
    /// # Errors
    /// A request is in flight, the session is not established, or the command is too long. Nothing is sent then.
    pub fn request<C: Command>(&mut self, now: Instant, command: &C) -> Result<(), RequestRefused> {
        self.request_over(now, None, command)
    }

    /// Sends `command` to a controller behind the BMC, see [`request_bridged`](Self::request_bridged).
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub fn request_over<C: Command>(
        &mut self,
        now: Instant,
        bridge: Option<Bridge>,
        command: &C,
    ) -> Result<(), RequestRefused> {
        let target = RequestTarget {
            netfn: C::NETFN,
            cmd: C::CMD,
            lun: 0,
        };
        let mut buffer = [0; COMMAND_DATA_MAX];
        let mut w = Writer::new(&mut buffer);
        command.encode(&mut w);
        let len = w.finish().map_err(|_| RequestRefused::TooLong)?;
        let data = buffer.get_mut(..len).unwrap_or_default();
        let asked = self.request_bridged(now, bridge, target, data, command.is_idempotent());
        // A new password, perhaps.
        data.zeroize();
        asked
    }

    /// Sends a request by its numbers; its answer comes as [`Event::Response`].
    ///
    /// `idempotent` tells whether executing it twice does the same as once; otherwise it is repeated only as
    /// [`Policy::side_effect_attempts`] allows.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub fn request_raw(
        &mut self,
        now: Instant,
        target: RequestTarget,
        data: &[u8],
        idempotent: bool,
    ) -> Result<(), RequestRefused> {
        self.request_bridged(now, None, target, data, idempotent)
    }

    /// Sends a request to a controller behind the BMC, or to the BMC itself where `bridge` is `None`.
    ///
    /// Its answer comes as [`Event::Response`] with the command's numbers, or with those of Send Message (App 34h)
    /// where a controller on the way refused to pass it on. Controllers on an IPMB take messages of 32 bytes in all.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub fn request_bridged(
        &mut self,
        _now: Instant,
        bridge: Option<Bridge>,
        target: RequestTarget,
        data: &[u8],
        idempotent: bool,
    ) -> Result<(), RequestRefused> {
        let (Phase::Established, Some(channel)) = (&self.phase, &self.channel) else {
            return Err(RequestRefused::NotEstablished);
        };
        if self.request.origin == Origin::Driver {
            return Err(RequestRefused::Busy);
        }
        let bridging = bridge.map_or(0, |bridge| bridge.overhead());
        if data.len() + REQUEST_OVERHEAD + bridging > channel.payload_max(DATAGRAM_MAX) {
            return Err(RequestRefused::TooLong);
        }
        // A keep-alive in flight gives way; its answer will be late and ignored.
        self.start(Origin::Driver, target, data, idempotent);
        self.request.bridge = bridge;
        Ok(())
    }

    /// Logs out: [`Event::Closed`] follows, also where there was nothing to close or the BMC doesn't answer.
    ///
    /// A request in flight gets no answer any more.
    pub fn close(&mut self, now: Instant) {
        if let Phase::LoggingIn(handshake) = &mut self.phase {
            handshake.abandon();
            let abandoned = handshake.take_abandoned();
            self.channel = abandoned.map(|channel| SessionChannel::RmcpPlus(*channel));
        }
        match (&self.phase, &self.channel) {
            (Phase::ExpectClose, _) => {}
            (_, Some(channel)) => {
                let command = CloseSession::by_id(channel.peer_session_id());
                self.remember_numbers();
                self.phase = Phase::ExpectClose;
                self.start_own(&command);
            }
            (_, None) => {
                self.end();
                self.phase = Phase::NothingToClose;
                self.deadline = Some(now);
            }
        }
    }

    /// Forgets the session without a word to the BMC, which is known to have ended it, or to be about to: it restarts.
    /// No event follows; [`connect`](Self::connect) begins the next one.
    pub fn forget(&mut self) {
        self.end();
        self.deadline = None;
        self.unanswered = 0;
    }

    /// Takes a datagram from the BMC, decrypting in place.
    ///
    /// # Errors
    /// [`Ignored`] where it is not for this session, not authentic, or not awaited; nothing changed then.
    pub fn handle_datagram<'d>(
        &mut self,
        now: Instant,
        datagram: &'d mut [u8],
    ) -> Result<Event<'d>, Ignored> {
        let outcome = self.take_datagram(now, datagram);
        self.rest_after(now, &outcome);
        outcome
    }

    fn take_datagram<'d>(
        &mut self,
        now: Instant,
        datagram: &'d mut [u8],
    ) -> Result<Event<'d>, Ignored> {
        if let Phase::LoggingIn(handshake) = &mut self.phase {
            let next = handshake.handle(&self.policy, &self.login, datagram);
            self.quirks = self.quirks.and(handshake.quirks());
            let next = next?;
            return Ok(self.log_in_further(next));
        }
        if matches!(self.phase, Phase::Leaving(_)) {
            return Err(Ignored::NotForUs);
        }
        let Some(channel) = &mut self.channel else {
            return Err(Ignored::NotForUs);
        };
        let opened = channel.open(datagram)?;
        match opened.payload_type {
            PayloadType::IPMI => {}
            PayloadType::SOL if matches!(self.phase, Phase::Established) => {
                return Ok(Event::Payload(opened.payload_type, opened.payload));
            }
            _ => return Err(Ignored::OtherPayload),
        }
        let is_authentic = channel.authenticates();
        let (message, checks) = LanMessage::decode_authentic(opened.payload, is_authentic)?;
        if !checks {
            self.quirks = self.quirks.with(Quirk::MessageChecksumWrong);
        }
        let Some(response) = self.read_answer(now, message)? else {
            return Ok(Event::None);
        };
        Ok(self.answered(now, response))
    }

    /// Lets time pass; call when [`poll_timeout`](Self::poll_timeout) is reached.
    pub fn handle_timeout(&mut self, now: Instant) -> Event<'static> {
        if self.deadline.is_none_or(|deadline| deadline > now) {
            return Event::None;
        }
        self.deadline = None;
        self.rest(now);
        match &mut self.phase {
            Phase::LoggingIn(handshake) => {
                let next = handshake.unanswered(&self.policy, &self.login, self.sendings);
                self.log_in_further(next)
            }
            Phase::NothingToClose => {
                self.phase = Phase::Idle;
                Event::Closed
            }
            Phase::Established if self.request.origin == Origin::Nobody => {
                self.start(Origin::Session, KEEPALIVE, &[], true);
                Event::None
            }
            Phase::ExpectPrivilege | Phase::Established | Phase::ExpectClose => {
                self.request_unanswered(now)
            }
            Phase::Idle | Phase::Leaving(_) => Event::None,
        }
    }

    fn request_unanswered(&mut self, now: Instant) -> Event<'static> {
        let attempts = match (&self.phase, self.request.idempotent) {
            (Phase::ExpectClose, _) => OPTIONAL_ATTEMPTS,
            (_, true) => self.policy.attempts,
            (_, false) => self.policy.side_effect_attempts,
        };
        // What was answered "node busy" was not executed, so that even side effects may be asked for again; see
        // `answered` for a request of which another sending went unanswered.
        let was_busy = core::mem::take(&mut self.busy);
        if was_busy || self.sendings_unanswered() < attempts {
            // The answer is lost, and the BMC would refuse this number as long as it remembers it.
            if core::mem::take(&mut self.refused) && self.request.idempotent {
                self.request.rq_seq = self.take_rq_seq();
            }
            self.send = true;
            return Event::None;
        }
        let RequestTarget { netfn, cmd, .. } = self.request.target;
        let maybe_executed = !self.request.idempotent;
        let timed_out = TimedOut {
            netfn,
            cmd,
            maybe_executed,
        };
        let origin = core::mem::replace(&mut self.request.origin, Origin::Nobody);
        self.unanswered = self.unanswered.saturating_add(1);
        match self.phase {
            Phase::ExpectClose => {
                self.end();
                Event::Closed
            }
            Phase::ExpectPrivilege => {
                self.leave(Farewell::CloseSession);
                Event::LoginFailed(LoginFailure::NoAnswer)
            }
            _ if self.unanswered >= self.policy.lost_after => {
                let request = (origin == Origin::Driver).then_some(timed_out);
                self.leave(Farewell::CloseSession);
                Event::SessionLost(SessionLost { request })
            }
            _ if origin == Origin::Session => {
                self.start(Origin::Session, KEEPALIVE, &[], true);
                Event::None
            }
            _ => {
                self.await_keepalive(now);
                Event::RequestTimedOut(timed_out)
            }
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if at all.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Instant> {
        match self.holds_back() {
            true => Some(self.free_at),
            false => self.deadline,
        }
    }

    /// What the session is doing.
    #[must_use]
    pub const fn state(&self) -> State {
        match self.phase {
            Phase::Idle | Phase::Leaving(_) => State::Idle,
            Phase::LoggingIn(_) | Phase::ExpectPrivilege => State::Connecting,
            Phase::Established => State::Established,
            Phase::ExpectClose | Phase::NothingToClose => State::Closing,
        }
    }

    /// The ID given to the last [`connect`](Self::connect); 0 before the first.
    #[must_use]
    pub const fn console_session_id(&self) -> u32 {
        self.console_session_id
    }

    /// The privilege level that the session works at, once it is established.
    #[must_use]
    pub fn privilege(&self) -> Option<PrivilegeLevel> {
        matches!(self.phase, Phase::Established | Phase::ExpectClose)
            .then(|| self.login.privilege())
    }

    /// The BMC's ID of the session, by which other sessions see it (§22.20, §24.5); 0 without a session.
    #[must_use]
    pub fn bmc_session_id(&self) -> u32 {
        self.channel
            .as_ref()
            .map_or(0, SessionChannel::peer_session_id)
    }

    /// Whether payloads are encrypted.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        matches!(&self.channel, Some(SessionChannel::RmcpPlus(channel)) if channel.is_encrypted())
    }

    /// Whether a request of the driver is in flight.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.request.origin == Origin::Driver
    }

    /// Whether a keep-alive is in flight. A request goes before it: who is to have but one command in flight waits until it is answered.
    #[must_use]
    pub fn keeps_alive(&self) -> bool {
        matches!(self.phase, Phase::Established) && self.request.origin == Origin::Session
    }

    fn log_in_further(&mut self, next: Next) -> Event<'static> {
        match next {
            Next::Wait => {}
            Next::Send => self.send_new(),
            Next::Repeat => self.send = true,
            Next::Done(channel, suite) => {
                self.remember_numbers();
                // What log-in sent is answered outside the session.
                self.sendings = 0;
                self.channel = Some(*channel);
                self.suite = suite;
                if let Some(suite) = suite {
                    self.remember_suite(suite);
                }
                self.phase = Phase::ExpectPrivilege;
                let privilege = self.login.privilege();
                self.start_own(&SetSessionPrivilegeLevel { privilege });
            }
            Next::Fail(failure) => {
                self.channel = match &mut self.phase {
                    Phase::LoggingIn(handshake) => handshake.take_abandoned(),
                    _ => None,
                }
                .map(|channel| SessionChannel::RmcpPlus(*channel));
                if self.channel.is_some() {
                    self.leave(Farewell::CloseSession);
                } else {
                    self.end();
                }
                return Event::LoginFailed(failure);
            }
            Next::Refuse(failure, rakp3) => {
                self.leave(Farewell::Rakp3(Box::new(rakp3)));
                return Event::LoginFailed(failure);
            }
        }
        Event::None
    }

    /// A new message is to be sent.
    const fn send_new(&mut self) {
        self.send = true;
        self.busy = false;
        self.refused = false;
        self.stragglers = self.sendings.saturating_sub(self.heard);
        self.heard = 0;
        self.sendings = 0;
        self.sendings_answered = 0;
        self.deadline = None;
    }

    fn start(&mut self, origin: Origin, target: RequestTarget, data: &[u8], idempotent: bool) {
        let rq_seq = self.take_rq_seq();
        self.request.set(origin, target, data, idempotent, rq_seq);
        self.send_new();
    }

    /// Starts a request of the session itself.
    fn start_own<C: Command>(&mut self, command: &C) {
        let mut buffer = [0; 8];
        let mut w = Writer::new(&mut buffer);
        command.encode(&mut w);
        let target = RequestTarget {
            netfn: C::NETFN,
            cmd: C::CMD,
            lun: 0,
        };
        self.start(
            Origin::Session,
            target,
            w.written(),
            command.is_idempotent(),
        );
    }

    const fn take_rq_seq(&mut self) -> u8 {
        self.rq_seq = next_rq_seq(self.rq_seq);
        self.rq_seq
    }

    /// Ends the session here, with one last message to the BMC.
    fn leave(&mut self, farewell: Farewell) {
        self.remember_numbers();
        self.request.origin = Origin::Nobody;
        self.phase = Phase::Leaving(farewell);
        self.send_new();
    }

    /// Ends the session here. The keys are zeroized as they are dropped.
    fn end(&mut self) {
        self.remember_numbers();
        self.phase = Phase::Idle;
        self.channel = None;
        self.suite = None;
        self.request.origin = Origin::Nobody;
        self.request.data.zeroize();
        self.send_new();
        self.send = false;
    }

    /// The next log-in goes on with the numbers of this one, so that its late answers fit nothing.
    fn remember_numbers(&mut self) {
        if let Phase::LoggingIn(handshake) = &self.phase
            && let Some((tag, rq_seq)) = handshake.numbers()
        {
            self.tag = Some(tag);
            self.rq_seq = rq_seq;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_takes_at_most_416_bytes() {
        assert!(size_of::<Session>() <= 416, "{}", size_of::<Session>());
    }
}
