//! Sessions that a log-in goes on without: the BMC is asked to forget them, so that they take none of its slots.

use alloc::boxed::Box;

use super::proof::SessionOpened;
use super::{Handshake, Step, next_rq_seq};
use crate::command::Command;
use crate::command::app::CloseSession;
use crate::console::event::LoginFailure;
use crate::console::retry::Policy;
use crate::crypto::Channel;
use crate::entropy::Entropy;
use crate::number::{PayloadType, RakpStatus};
use crate::wire::Writer;
use crate::wire::message::MessageHeader;
use crate::wire::rakp::Rakp3;
use crate::wire::session::encode_sessionless;

/// What the BMC has of a session that was given up.
#[derive(Debug)]
pub(super) enum Abandoned {
    /// It may have activated it: RAKP Message 3 is out.
    Active(Box<Channel>),
    /// It waits for RAKP Message 3, which is to say that there is an end to it.
    HalfOpen(Rakp3),
}

impl Handshake {
    /// Gives up what is under way, so that [`take_abandoned`](Self::take_abandoned) finds it.
    ///
    /// Once RAKP Message 3 is sent the BMC has an active session, though its answer be lost.
    pub(in crate::console) fn abandon(&mut self) {
        if let Step::ExpectRakp4(verified) = &self.step {
            let channel = verified.channel().map(Box::new);
            self.abandoned = channel.map(Abandoned::Active);
        }
    }

    /// A session that the BMC may have activated, if there is one to close.
    pub(in crate::console) fn take_abandoned(&mut self) -> Option<Box<Channel>> {
        match self.abandoned.take() {
            Some(Abandoned::Active(channel)) => Some(channel),
            _ => None,
        }
    }

    /// Writes what the BMC is to be told of a session that was given up, if there is one.
    pub(in crate::console) fn encode_farewell(
        &mut self,
        entropy: &mut dyn Entropy,
        out: &mut [u8],
    ) -> Option<usize> {
        match self.abandoned.take()? {
            Abandoned::Active(channel) => self.encode_close(*channel, entropy, out),
            Abandoned::HalfOpen(rakp3) => {
                let mut w = Writer::new(out);
                encode_sessionless(PayloadType::RAKP_3, &mut w, |w| rakp3.encode(w));
                w.finish().ok()
            }
        }
    }

    fn encode_close(
        &mut self,
        mut channel: Channel,
        entropy: &mut dyn Entropy,
        out: &mut [u8],
    ) -> Option<usize> {
        let command = CloseSession::by_id(channel.peer_session_id());
        self.rq_seq = next_rq_seq(self.rq_seq);
        let header = MessageHeader::request(CloseSession::NETFN, 0, CloseSession::CMD, self.rq_seq);
        let sealed = channel.seal(PayloadType::IPMI, entropy, out, |w| {
            header.encode(w, |w| command.encode(w));
        });
        sealed.ok()
    }

    /// RAKP Message 3 that ends a session by this status (§13.22).
    pub(super) const fn refusal_of(&self, opened: &SessionOpened, status: RakpStatus) -> Rakp3 {
        Rakp3 {
            tag: self.tag,
            bmc_session_id: opened.bmc_session_id,
            outcome: Err(status),
        }
    }

    /// Whether a proof that doesn't hold may be a damaged packet's, and not mean this `failure` yet: then the whole
    /// exchange is tried once more.
    ///
    /// UDP's checksum lets about one damaged packet in 65,000 through, and all that are damaged where it is made anew. Once
    /// only: a password that is wrong stays wrong, and BMCs count.
    pub(super) const fn may_doubt(&mut self, policy: &Policy, failure: LoginFailure) -> bool {
        if self.doubt.is_some() || self.logins >= policy.login_attempts {
            return false;
        }
        self.doubt = Some(failure);
        true
    }
}
