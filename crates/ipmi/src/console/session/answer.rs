//! What a session makes of answers.

use core::time::Duration;

use super::{Phase, Session};
use crate::command::app::SetSessionPrivilegeLevel;
use crate::command::app::set_session_privilege_level::{ABOVE_LIMIT, NOT_FOR_THIS_USER};
use crate::console::bridge::{self, Said};
use crate::console::event::{CommandError, Event, Ignored, LoginFailure, Response, TimedOut};
use crate::console::request::{Origin, RequestTarget};
use crate::console::retry::Policy;
use crate::console::session::Farewell;
use crate::number::CompletionCode;
use crate::time::Instant;
use crate::wire::message::{BMC_ADDRESS, CONSOLE_ADDRESS, LanMessage};

impl Session {
    /// The answer to the request in flight that a message is; `None` where it says that the answer is to come.
    pub(super) fn read_answer<'d>(
        &mut self,
        now: Instant,
        message: LanMessage<'d>,
    ) -> Result<Option<Response<'d>>, Ignored> {
        let asked = &self.request;
        if asked.origin == Origin::Nobody {
            return Err(Ignored::Late);
        }
        let (target, completion, data) = match asked.bridge {
            Some(_) => match bridge::read(asked.target, asked.rq_seq, message)? {
                Said::PassedOn => return Ok(None),
                Said::Answer(target, completion, data) => (target, completion, data),
            },
            None => {
                let LanMessage { header, body } = message;
                let (completion, data) = bridge::split(body)?;
                let is_from_bmc = (header.from, header.to) == (BMC_ADDRESS, CONSOLE_ADDRESS)
                    && header.netfn.is_response();
                let answers = (header.netfn, header.cmd, header.rq_seq);
                if !is_from_bmc
                    || answers
                        != (
                            asked.target.netfn.response(),
                            asked.target.cmd,
                            asked.rq_seq,
                        )
                {
                    return self.answered_otherwise(now, is_from_bmc).map(|()| None);
                }
                (asked.target, completion, data)
            }
        };
        let RequestTarget { netfn, cmd, .. } = target;
        // The BMC has seen the first sending, and is going to answer it or has done so.
        if completion == CompletionCode::DUPLICATE_REQUEST && self.sendings_unanswered() > 1 {
            self.refused = true;
            self.heard = self.heard.saturating_add(1);
            return Ok(None);
        }
        Ok(Some(Response {
            netfn,
            cmd,
            completion,
            data,
        }))
    }

    /// An answer to another request came in place of ours.
    ///
    /// Either it was late, as that of a request which was repeated, or the BMC took our request and answered the one
    /// before. Then ours is not going to be answered: it is sent again as soon as its answer could have come.
    fn answered_otherwise(&mut self, now: Instant, is_from_bmc: bool) -> Result<(), Ignored> {
        let is_sent = !self.send && !self.busy;
        if !is_from_bmc || !is_sent || !self.request.idempotent {
            return Err(Ignored::Late);
        }
        if let Some(fewer) = self.stragglers.checked_sub(1) {
            self.stragglers = fewer;
            // Nothing was lost: the repetition was in vain.
            self.patience.repeated_in_vain(&self.policy);
            return Err(Ignored::Late);
        }
        let Some(deadline) = self
            .deadline
            .filter(|_| self.sendings < self.policy.attempts)
        else {
            return Err(Ignored::Late);
        };
        self.heard = self.heard.saturating_add(1);
        let took = self.request_wait().saturating_sub(deadline.since(now));
        self.deadline = Some(deadline.min(now + Policy::stale_wait(took)));
        Ok(())
    }

    /// The first sending was answered, or a later one was.
    fn answered_at(&mut self, now: Instant) {
        if self.patience.is_none() {
            return;
        }
        let left = self.deadline.map_or(Duration::ZERO, |at| at.since(now));
        let took = self.request_wait().saturating_sub(left);
        let is_quick = self.sendings == 1 && took < self.policy.wait(1);
        self.patience.answered(is_quick);
    }

    /// The answer to the request in flight is in.
    pub(super) fn answered<'d>(&mut self, now: Instant, response: Response<'d>) -> Event<'d> {
        self.unanswered = 0;
        self.heard = self.heard.saturating_add(1);
        self.answered_at(now);
        if response.completion == CompletionCode::NODE_BUSY
            && let Some(wait) = self.policy.busy_wait(self.sendings)
        {
            // This sending was not executed; one before it without answer may have been.
            if !self.request.idempotent && self.sendings_unanswered() > 1 {
                return self.give_up(now);
            }
            // A new sequence number, or the BMC would repeat this very answer.
            self.sendings_answered = self.sendings;
            self.request.rq_seq = self.take_rq_seq();
            self.deadline = Some(now + wait);
            self.send = false;
            self.refused = false;
            self.busy = true;
            return Event::None;
        }
        let origin = core::mem::replace(&mut self.request.origin, Origin::Nobody);
        self.send = false;
        self.await_keepalive(now);
        match (&self.phase, origin) {
            (Phase::ExpectPrivilege, _) => self.privilege_answered(response),
            (Phase::ExpectClose, _) => {
                self.end();
                Event::Closed
            }
            (_, Origin::Driver) => Event::Response(response),
            _ => Event::None,
        }
    }

    /// Sendings that may have been executed and that no answer speaks of.
    pub(super) const fn sendings_unanswered(&self) -> u8 {
        self.sendings.saturating_sub(self.sendings_answered)
    }

    /// How long the answer to the last sending of the request is waited for.
    pub(super) fn request_wait(&self) -> Duration {
        let sendings = self.sendings_unanswered();
        if self.request.idempotent {
            self.policy.wait(self.patience.on(sendings))
        } else {
            self.policy.side_effect_wait(sendings)
        }
    }

    pub(super) fn await_keepalive(&mut self, now: Instant) {
        let keepalive = self.policy.keepalive_ms;
        let wait = Duration::from_millis(u64::from(keepalive));
        self.deadline = (keepalive != 0).then(|| now + wait);
    }

    /// Ends a request that may have been executed; the BMC answers, though not this one.
    fn give_up(&mut self, now: Instant) -> Event<'static> {
        self.request.origin = Origin::Nobody;
        self.send = false;
        self.await_keepalive(now);
        let RequestTarget { netfn, cmd, .. } = self.request.target;
        Event::RequestTimedOut(TimedOut {
            netfn,
            cmd,
            maybe_executed: true,
        })
    }

    fn privilege_answered(&mut self, response: Response<'_>) -> Event<'static> {
        let asked = self.login.privilege();
        let failure = match response.decode::<SetSessionPrivilegeLevel>() {
            Ok(granted) if granted.privilege >= asked => {
                self.phase = Phase::Established;
                return Event::Established;
            }
            Ok(_) => LoginFailure::PrivilegeRefused,
            Err(CommandError::Wire(_)) => {
                LoginFailure::CommandRejected(CompletionCode::UNSPECIFIED)
            }
            Err(CommandError::Completion(code)) => match code {
                NOT_FOR_THIS_USER | ABOVE_LIMIT | CompletionCode::INSUFFICIENT_PRIVILEGE => {
                    LoginFailure::PrivilegeRefused
                }
                code => LoginFailure::CommandRejected(code),
            },
        };
        self.leave(Farewell::CloseSession);
        Event::LoginFailed(failure)
    }
}
