//! What a session makes of answers.

use super::{Phase, Session, ms};
use crate::command::app::SetSessionPrivilegeLevel;
use crate::command::app::set_session_privilege_level::{ABOVE_LIMIT, NOT_FOR_THIS_USER};
use crate::console::bridge::{self, Said};
use crate::console::event::{CommandError, Event, Ignored, LoginFailure, Response, TimedOut};
use crate::console::request::{Origin, RequestTarget};
use crate::console::session::Farewell;
use crate::number::CompletionCode;
use crate::time::Instant;
use crate::wire::message::{BMC_ADDRESS, CONSOLE_ADDRESS, LanMessage};

impl Session {
    /// The answer to the request in flight that a message is; `None` where it says that the answer is to come.
    pub(super) fn read_answer<'d>(
        &mut self,
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
                if (header.netfn, header.cmd) != (asked.target.netfn.response(), asked.target.cmd)
                    || header.rq_seq != asked.rq_seq
                    || (header.from, header.to) != (BMC_ADDRESS, CONSOLE_ADDRESS)
                {
                    return Err(Ignored::Late);
                }
                (asked.target, completion, data)
            }
        };
        let RequestTarget { netfn, cmd, .. } = target;
        // The BMC has seen the first sending, and is going to answer it or has done so.
        if completion == CompletionCode::DUPLICATE_REQUEST && self.sendings_unanswered() > 1 {
            self.refused = true;
            return Ok(None);
        }
        Ok(Some(Response {
            netfn,
            cmd,
            completion,
            data,
        }))
    }

    /// The answer to the request in flight is in.
    pub(super) fn answered<'d>(&mut self, now: Instant, response: Response<'d>) -> Event<'d> {
        self.unanswered = 0;
        if response.completion == CompletionCode::NODE_BUSY && self.sendings < self.policy.attempts
        {
            // This sending was not executed; one before it without answer may have been.
            if !self.request.idempotent && self.sendings_unanswered() > 1 {
                return self.give_up(now);
            }
            // A new sequence number, or the BMC would repeat this very answer.
            self.sendings_answered = self.sendings;
            self.request.rq_seq = self.take_rq_seq();
            self.deadline = Some(now + ms(self.policy.busy_retry_ms));
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
    const fn sendings_unanswered(&self) -> u8 {
        self.sendings.saturating_sub(self.sendings_answered)
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
