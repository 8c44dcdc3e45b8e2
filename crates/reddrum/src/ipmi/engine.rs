//! One command on many hosts: sessions and conversations as a state machine without socket and clock.
//!
//! ```text
//!   waiting hosts ─► at most `fanout` slots, each a session and a conversation ─► finished hosts
//!                     connect ─► Established ─► question, answer, … ─► close ─► Closed
//! ```
//!
//! Whoever drives it calls [`Engine::poll_transmit`] until it returns `None` after every other call, and
//! [`Engine::handle_timeouts`] when [`Engine::next_deadline`] is reached.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::rc::Rc;
use std::sync::Arc;

use ipmi::command::Command;
use ipmi::command::app::SendMessage;
use ipmi::console::{Addressee, Bridge, Event, Login, Policy, RequestRefused, Session, addressee};
use ipmi::entropy::Entropy;
use ipmi::quirk::Quirks;
use ipmi::time::Instant;

use super::failure::{Asked, Failure};
use super::talk::{Answer, Ask, Call, Memory, Outcome, Talk};
use crate::config::hosts::HOSTS_MAX;

/// Console session IDs are a host's number, from 1, in these low bits, and what tells runs apart above them.
const HOST_BITS: u32 = 17;
const _: () = assert!(
    HOSTS_MAX < 1 << HOST_BITS,
    "every host has a number of its own"
);

/// What every host is asked.
pub(super) type Begin = Box<dyn Fn() -> Talk>;

/// The console's ID of a session with this host.
fn session_id(salt: u32, host: usize) -> NonZeroU32 {
    let number = u32::try_from(host + 1).unwrap_or(u32::MAX);
    NonZeroU32::new(salt << HOST_BITS | number).expect("hosts are numbered from 1")
}

/// One command on many hosts.
pub(super) struct Engine {
    login: Arc<Login>,
    policy: Arc<Policy>,
    asked: Asked,
    begin: Begin,
    /// The way to the controller that is asked; `None` = the BMC itself.
    bridge: Option<Bridge>,
    /// What the operator says of the BMCs.
    quirks: Quirks,
    /// What BMCs said in earlier runs; `None` = nothing is remembered.
    memory: Option<Rc<dyn Memory>>,
    /// Tells this run's session IDs from those of an earlier one.
    salt: u32,
    waiting: VecDeque<(usize, SocketAddr)>,
    /// As many as hosts are asked at the same time.
    slots: Vec<Option<Slot>>,
    free: Vec<usize>,
    by_id: HashMap<u32, usize>,
    by_address: HashMap<SocketAddr, usize>,
    /// When to look at a slot; entries that a slot no longer expects are skipped.
    timers: BinaryHeap<Reverse<(Instant, usize)>>,
    to_send: VecDeque<usize>,
    finished: Vec<(usize, Outcome)>,
    /// How far hosts are, as they say.
    progress: Vec<(usize, String)>,
}

/// A host that is being asked.
struct Slot {
    host: usize,
    address: SocketAddr,
    bridge: Option<Bridge>,
    memory: Option<Rc<dyn Memory>>,
    session: Session,
    /// `None` once it has ended.
    talk: Option<Talk>,
    outcome: Option<Outcome>,
    /// When the conversation's pause is over.
    resume_at: Option<Instant>,
    /// The old session is closed, and the conversation wants a new one.
    wants_session: bool,
    /// The conversation waits for a new session: until the old one is closed, and until the new one is there.
    is_renewed: bool,
    /// The timer entry that counts.
    armed: Option<Instant>,
    /// In `to_send`.
    queued: bool,
    /// Nothing more is awaited from the BMC.
    over: bool,
    /// A request of the command is on its way or was.
    asked: bool,
    /// That request is Send Message itself, and not passed on by one.
    is_send_message: bool,
}

impl Engine {
    /// Asks `hosts`, each with its number, at most `fanout` at a time. No two hosts may have the same address.
    pub(super) fn new(
        hosts: impl IntoIterator<Item = (usize, SocketAddr)>,
        fanout: usize,
        (login, policy): (Login, Policy),
        salt: u32,
        begin: Begin,
    ) -> Self {
        let asked = Asked {
            username: String::from_utf8_lossy(login.user_name().as_bytes()).into_owned(),
            privilege: login.privilege(),
            suites: login.suites().to_vec(),
        };
        Self {
            login: Arc::new(login),
            policy: Arc::new(policy),
            asked,
            begin,
            bridge: None,
            quirks: Quirks::NONE,
            memory: None,
            salt,
            waiting: hosts.into_iter().collect(),
            slots: (0..fanout).map(|_| None).collect(),
            free: (0..fanout).rev().collect(),
            by_id: HashMap::new(),
            by_address: HashMap::new(),
            timers: BinaryHeap::new(),
            to_send: VecDeque::new(),
            finished: Vec::new(),
            progress: Vec::new(),
        }
    }

    /// Asks controllers behind the BMCs.
    pub(super) fn over(mut self, bridge: Option<Bridge>) -> Self {
        self.bridge = bridge;
        self
    }

    /// Knows this of the BMCs.
    pub(super) const fn knowing(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// Remembers what BMCs say.
    pub(super) fn remembering(mut self, memory: Option<Rc<dyn Memory>>) -> Self {
        self.memory = memory;
        self
    }

    /// Begins with hosts that wait, as far as there are free slots.
    pub(super) fn start_waiting(&mut self, now: Instant) {
        while let Some((host, address)) = self.waiting.pop_front() {
            let Some(place) = self.free.pop() else {
                self.waiting.push_front((host, address));
                return;
            };
            let mut session = Session::new(Arc::clone(&self.login), Arc::clone(&self.policy));
            let id = session_id(self.salt, host);
            session.set_quirks(self.quirks);
            session.connect(now, id);
            let talk = (self.begin)().with(address).behind(self.bridge);
            let talk = talk.remembering(self.memory.is_some());
            self.by_id.insert(id.get(), place);
            self.by_address.insert(address, place);
            self.slots[place] = Some(Slot {
                host,
                address,
                bridge: self.bridge,
                memory: self.memory.clone(),
                session,
                talk: Some(talk.knowing(self.quirks)),
                is_send_message: false,
                outcome: None,
                resume_at: None,
                wants_session: false,
                is_renewed: false,
                armed: None,
                queued: false,
                over: false,
                asked: false,
            });
            self.touched(now, place);
        }
    }

    /// Takes a datagram. What is for nobody, not authentic, or not awaited is ignored.
    pub(super) fn handle_datagram(&mut self, now: Instant, peer: SocketAddr, datagram: &mut [u8]) {
        let place = match addressee(datagram) {
            Ok(Addressee::Session(id)) => self.by_id.get(&id),
            Ok(Addressee::Sessionless) => self.by_address.get(&peer),
            Ok(Addressee::Pong { .. }) | Err(_) => None,
        };
        let Some(&place) = place else { return };
        let Some(slot) = self.slots[place]
            .as_mut()
            .filter(|slot| slot.address == peer)
        else {
            return;
        };
        match slot.session.handle_datagram(now, datagram) {
            Ok(event) => slot.event(now, &event, &self.asked),
            Err(ignored) => {
                tracing::debug!(%peer, %ignored, "a datagram was ignored");
                return;
            }
        }
        self.touched(now, place);
    }

    /// When to call [`Self::handle_timeouts`], if at all.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.timers.peek().map(|Reverse((at, _))| *at)
    }

    /// Lets time pass.
    pub(super) fn handle_timeouts(&mut self, now: Instant) {
        while let Some(&Reverse((at, place))) = self.timers.peek()
            && at <= now
        {
            self.timers.pop();
            let Some(slot) = self.slots[place]
                .as_mut()
                .filter(|slot| slot.armed == Some(at))
            else {
                continue;
            };
            slot.armed = None;
            if slot.resume_at.is_some_and(|at| at <= now) {
                slot.resume_at = None;
                slot.advance(now, Some(Answer::Paused));
            }
            if slot.session.poll_timeout().is_some_and(|at| at <= now) {
                let event = slot.session.handle_timeout(now);
                slot.event(now, &event, &self.asked);
            }
            self.touched(now, place);
        }
    }

    /// Writes the next datagram into `out`; to whom, and its length.
    pub(super) fn poll_transmit(
        &mut self,
        now: Instant,
        entropy: &mut dyn Entropy,
        out: &mut [u8],
    ) -> Option<(SocketAddr, usize)> {
        while let Some(&place) = self.to_send.front() {
            if let Some(slot) = self.slots[place].as_mut() {
                if let Some(len) = slot.session.poll_transmit(now, entropy, out) {
                    return Some((slot.address, len));
                }
                slot.queued = false;
            }
            self.to_send.pop_front();
            if self.slots[place].as_ref().is_some_and(|slot| slot.over) {
                self.finish(place);
                self.start_waiting(now);
            } else {
                self.arm(place);
            }
        }
        None
    }

    /// Hosts that are done, with what they said. Empties the list.
    pub(super) fn take_finished(&mut self) -> Vec<(usize, Outcome)> {
        std::mem::take(&mut self.finished)
    }

    /// What hosts say of how far they are, each with its number. Empties the list.
    pub(super) fn take_progress(&mut self) -> Vec<(usize, String)> {
        std::mem::take(&mut self.progress)
    }

    /// How many hosts are being asked.
    pub(super) fn under_way(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether every host is done.
    pub(super) fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.under_way() == 0
    }

    /// Ends all: hosts that wait are not asked, sessions are closed.
    pub(super) fn interrupt(&mut self, now: Instant) {
        let unasked = || {
            Err(Failure::Interrupted {
                maybe_executed: false,
                unfinished: None,
            })
        };
        let waiting = std::mem::take(&mut self.waiting);
        self.finished
            .extend(waiting.into_iter().map(|(host, _)| (host, unasked())));
        for place in 0..self.slots.len() {
            let Some(slot) = &mut self.slots[place] else {
                continue;
            };
            if let Some(talk) = &slot.talk {
                let failure = Failure::Interrupted {
                    maybe_executed: slot.asked,
                    unfinished: talk.unfinished(),
                };
                slot.end(now, Err(failure));
                self.touched(now, place);
            }
        }
    }

    /// Gives up waiting for the confirmation that sessions are closed.
    pub(super) fn abandon(&mut self) {
        for place in 0..self.slots.len() {
            if self.slots[place].is_some() {
                self.finish(place);
            }
        }
    }

    fn finish(&mut self, place: usize) {
        let Some(slot) = self.slots[place].take() else {
            return;
        };
        self.by_id.remove(&slot.session.console_session_id());
        self.by_address.remove(&slot.address);
        self.free.push(place);
        let interrupted = Err(Failure::Interrupted {
            maybe_executed: slot.asked,
            unfinished: slot.talk.as_ref().and_then(Talk::unfinished),
        });
        self.finished
            .push((slot.host, slot.outcome.unwrap_or(interrupted)));
    }

    /// Something happened in a slot: it may have something to send, and other deadlines.
    fn touched(&mut self, now: Instant, place: usize) {
        let Some(slot) = &mut self.slots[place] else {
            return;
        };
        if let Some(talk) = &slot.talk {
            let told = talk.take_progress().into_iter();
            self.progress.extend(told.map(|text| (slot.host, text)));
        }
        if std::mem::take(&mut slot.wants_session) {
            self.by_id.remove(&slot.session.console_session_id());
            // What is still on its way to the old session is for nobody.
            self.salt = self.salt.wrapping_add(1);
            let id = session_id(self.salt, slot.host);
            slot.session.connect(now, id);
            self.by_id.insert(id.get(), place);
        }
        if !slot.queued {
            slot.queued = true;
            self.to_send.push_back(place);
        }
        self.arm(place);
    }

    /// Sees to a timer entry at the slot's deadline or before it: one that comes too early is renewed when it is due.
    fn arm(&mut self, place: usize) {
        let Some(slot) = &mut self.slots[place] else {
            return;
        };
        let deadlines = [slot.session.poll_timeout(), slot.resume_at];
        let Some(deadline) = deadlines.into_iter().flatten().min() else {
            return;
        };
        if slot.armed.is_none_or(|armed| deadline < armed) {
            slot.armed = Some(deadline);
            self.timers.push(Reverse((deadline, place)));
        }
    }
}

impl Slot {
    fn event(&mut self, now: Instant, event: &Event<'_>, asked: &Asked) {
        match event {
            // Nothing here starts a payload.
            Event::None | Event::Payload(..) => {}
            Event::Established => {
                let is_renewed = std::mem::take(&mut self.is_renewed);
                self.advance(now, is_renewed.then_some(Answer::Reconnected(Ok(()))));
            }
            Event::Response(response) => {
                let is_refused_on_the_way = !self.is_send_message
                    && (response.netfn, response.cmd) == (SendMessage::NETFN, SendMessage::CMD);
                let answer = if is_refused_on_the_way {
                    Answer::NotPassedOn(response.completion)
                } else {
                    Answer::Reply(response.completion, response.data.to_vec())
                };
                self.advance(now, Some(answer));
            }
            Event::RequestTimedOut(timed_out) => {
                let maybe_executed = timed_out.maybe_executed;
                self.advance(now, Some(Answer::Unanswered { maybe_executed }));
            }
            // While the conversation pauses nothing is asked; its next question finds the session gone.
            Event::SessionLost(lost) => {
                if let Some(request) = lost.request {
                    let maybe_executed = request.maybe_executed;
                    self.advance(now, Some(Answer::Unanswered { maybe_executed }));
                }
            }
            Event::LoginFailed(failure) if self.is_renewed && self.talk.is_some() => {
                self.is_renewed = false;
                self.advance(now, Some(Answer::Reconnected(Err(*failure))));
            }
            Event::LoginFailed(failure) => {
                let (failure, asked) = (*failure, asked.clone());
                self.talk = None;
                self.outcome
                    .get_or_insert(Err(Failure::Login { failure, asked }));
                self.over = true;
            }
            Event::Closed if self.is_renewed && self.talk.is_some() => self.wants_session = true,
            Event::Closed => self.over = true,
        }
    }

    /// Runs the conversation up to its next question.
    fn advance(&mut self, now: Instant, mut answer: Option<Answer>) {
        while let Some(talk) = &mut self.talk {
            let call = match talk.resume(answer.take()) {
                Err(outcome) => return self.end(now, outcome),
                Ok(Ask::Pause(span)) => {
                    self.resume_at = Some(now + span);
                    return;
                }
                Ok(Ask::Reconnect) => {
                    // The BMC may still have the old one: it has few, and each counts until it is closed or idle for long.
                    self.session.close(now);
                    self.is_renewed = true;
                    return;
                }
                Ok(Ask::Recall(stamp)) => {
                    let memory = self.memory.as_ref();
                    let kept = memory.and_then(|memory| memory.recall(self.address, &stamp));
                    answer = Some(Answer::Recalled(kept));
                    continue;
                }
                Ok(Ask::Keep(stamp, kept)) => {
                    if let Some(memory) = &self.memory {
                        memory.keep(self.address, &stamp, &kept);
                    }
                    answer = Some(Answer::Recalled(None));
                    continue;
                }
                Ok(Ask::Call(call)) => call,
            };
            let Call {
                target,
                data,
                idempotent,
                way,
                ..
            } = &call;
            let numbers = (target.netfn, target.cmd);
            self.is_send_message = numbers == (SendMessage::NETFN, SendMessage::CMD);
            let way = way.or(self.bridge);
            let sent = self
                .session
                .request_bridged(now, way, *target, data, *idempotent);
            answer = Some(match sent {
                Ok(()) => {
                    self.asked = true;
                    return;
                }
                Err(RequestRefused::TooLong) => Answer::TooLong,
                // The session was lost.
                Err(RequestRefused::Busy | RequestRefused::NotEstablished) => Answer::Unanswered {
                    maybe_executed: false,
                },
            });
        }
    }

    /// The conversation has ended: closes the session, so that the BMC has room for others.
    fn end(&mut self, now: Instant, outcome: Outcome) {
        self.talk = None;
        self.resume_at = None;
        self.outcome.get_or_insert(outcome);
        self.session.close(now);
    }
}

#[cfg(test)]
mod tests;
