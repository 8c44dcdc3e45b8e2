//! What a session sends.

use super::{Farewell, Phase, Session};
use crate::command::app::CloseSession;
use crate::console::bridge::SEND_MESSAGE;
use crate::console::request::{Request, RequestTarget};
use crate::crypto::SessionChannel;
use crate::entropy::Entropy;
use crate::number::PayloadType;
use crate::time::Instant;
use crate::wire::Writer;
use crate::wire::message::MessageHeader;
use crate::wire::session::encode_sessionless;

impl Session {
    /// Writes the next datagram to send to the BMC into `out` and returns its length.
    ///
    /// `out` needs room for [`DATAGRAM_MAX`](crate::wire::DATAGRAM_MAX) bytes. The time that an answer is waited for starts here.
    /// `None` too while the BMC is left alone, see [`set_gap`](Session::set_gap).
    pub fn poll_transmit(
        &mut self,
        now: Instant,
        entropy: &mut dyn Entropy,
        out: &mut [u8],
    ) -> Option<usize> {
        if !self.send || self.rests_until(now).is_some() {
            return None;
        }
        self.send = false;
        self.rest(now);
        if let Phase::LoggingIn(handshake) = &mut self.phase
            && let Some(len) = handshake.encode_farewell(entropy, out)
        {
            // The message that is due follows at the next call.
            self.send = true;
            return Some(len);
        }
        self.sendings = self.sendings.saturating_add(1);
        let (len, wait) = match &mut self.phase {
            Phase::LoggingIn(handshake) => {
                let mut w = Writer::new(out);
                handshake.encode(&self.login, entropy, &mut w);
                let wait = self.policy.wait(handshake.attempt(self.sendings));
                (w.finish().ok(), wait)
            }
            Phase::ExpectPrivilege | Phase::Established | Phase::ExpectClose => {
                let wait = self.request_wait();
                (self.write_request(entropy, out), wait)
            }
            Phase::Leaving(_) => return self.write_farewell(entropy, out),
            Phase::Idle | Phase::NothingToClose => return None,
        };
        self.deadline = Some(now + wait);
        len
    }

    /// Writes a datagram with a payload of another kind than IPMI messages, such as a SOL packet, and returns its length.
    ///
    /// `None` outside an established session of IPMI 2.0, and where `out` is too short.
    pub fn seal_payload(
        &mut self,
        payload_type: PayloadType,
        entropy: &mut dyn Entropy,
        out: &mut [u8],
        payload: impl FnOnce(&mut Writer<'_>),
    ) -> Option<usize> {
        match (&self.phase, self.channel.as_mut()) {
            (Phase::Established, Some(SessionChannel::RmcpPlus(channel))) => {
                channel.seal(payload_type, entropy, out, payload).ok()
            }
            _ => None,
        }
    }

    fn write_request(&mut self, entropy: &mut dyn Entropy, out: &mut [u8]) -> Option<usize> {
        let Request {
            target,
            bridge,
            rq_seq,
            data,
            ..
        } = &self.request;
        let data = data.as_slice();
        let RequestTarget { netfn, cmd, lun } = bridge.map_or(*target, |_| SEND_MESSAGE);
        let header = MessageHeader::request(netfn, lun, cmd, *rq_seq);
        let sealed = self.channel.as_mut()?.seal(entropy, out, |w| {
            header.encode(w, |w| match bridge {
                None => w.bytes(data),
                Some(bridge) => bridge.encode(*target, *rq_seq, data, w),
            });
        });
        sealed.ok()
    }

    fn write_farewell(&mut self, entropy: &mut dyn Entropy, out: &mut [u8]) -> Option<usize> {
        let phase = core::mem::replace(&mut self.phase, Phase::Idle);
        let len = match phase {
            Phase::Leaving(Farewell::Rakp3(rakp3)) => {
                let mut w = Writer::new(out);
                encode_sessionless(PayloadType::RAKP_3, &mut w, |w| rakp3.encode(w));
                w.finish().ok()
            }
            Phase::Leaving(Farewell::CloseSession) => {
                let id = self
                    .channel
                    .as_ref()
                    .map_or(0, SessionChannel::peer_session_id);
                self.start_own(&CloseSession::by_id(id));
                self.write_request(entropy, out)
            }
            _ => None,
        };
        self.end();
        len
    }
}
