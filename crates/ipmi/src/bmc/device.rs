//! One BMC: what a datagram is, who answers it, and how the answer is wrapped.

use alloc::sync::Arc;
use core::ops::Range;

use super::commands::{self, Effect, Own};
use super::config::Config;
use super::defect::{self, Fate, Lapse};
use super::guard::Guard;
use super::handler::{Handler, Request};
use super::privilege::minimum_privilege;
use super::repeat::{Changing, Known, changes_state, fingerprint};
use super::session::{Active, Peer, SessionTable, Stage};
use super::setup::Setup;
use super::sol;
use crate::crypto::{Opened, SessionChannel};
use crate::entropy::Entropy;
use crate::memory::memory_of;
use crate::number::{AuthType, CompletionCode, PayloadType};
use crate::quirk::Quirk;
use crate::time::Instant;
use crate::wire::asf::Asf;
use crate::wire::message::{BMC_ADDRESS, LanMessage};
use crate::wire::session::{SessionHeader, V15Header, encode_sessionless, encode_v15_sessionless};
use crate::wire::{Reader, Writer, rmcp};

/// The protocol end of one managed machine.
///
/// Small while nobody is logged in: a session takes memory only as long as it lives.
#[derive(Debug)]
pub struct Bmc {
    pub(super) config: Arc<Config>,
    pub(super) sessions: SessionTable,
    pub(super) guard: Guard,
    /// The session whose command was handled last; 0 is none.
    asked: u32,
    /// What tells that command from others of the session, and whether it repeats one.
    mark: u16,
    repeats: bool,
    lapse: Lapse,
}

impl Bmc {
    /// A BMC without sessions.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            config,
            sessions: SessionTable::default(),
            guard: Guard::default(),
            asked: 0,
            mark: 0,
            repeats: false,
            lapse: Lapse::default(),
        }
    }

    /// Handles one datagram from `from`, decrypting in place; writes at most one reply into `out` and returns its
    /// length.
    ///
    /// `None` means that there is nothing to say: the datagram is malformed, not authentic, a replay, or for a
    /// session that is no more. `out` needs room for [`DATAGRAM_MAX`](crate::wire::DATAGRAM_MAX) bytes.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        entropy: &mut dyn Entropy,
        from: Peer,
        datagram: &mut [u8],
        handler: &mut dyn Handler,
        out: &mut [u8],
    ) -> Option<usize> {
        (self.asked, self.mark, self.repeats) = (0, 0, false);
        let mut r = Reader::new(datagram);
        if rmcp::decode(&mut r).ok()? == rmcp::Class::Asf {
            if self.config.has(Quirk::PresencePongMissing) {
                return None;
            }
            return pong(&mut r, out);
        }
        let header = SessionHeader::decode(&mut r).ok()?;
        if header.session_id() != 0 || self.is_of_session_0(&header) {
            let mut call = Call {
                now,
                from,
                entropy,
                handler,
                out,
            };
            return match header {
                SessionHeader::V15(header) => self.v15_packet(&header, datagram, &mut call),
                SessionHeader::RmcpPlus(_) => {
                    self.session_packet(header.session_id(), datagram, &mut call)
                }
            };
        }
        let payload = r.take("payload", header.payload_len()).ok()?;
        match header {
            SessionHeader::V15(v15) if v15.auth_type == AuthType::NONE => {
                let mut call = Call {
                    now,
                    from,
                    entropy,
                    handler,
                    out: &mut *out,
                };
                match self.challenge_v15(payload, &mut call) {
                    Some(len) => Some(len),
                    None => self.sessionless(&header, payload, out),
                }
            }
            // Outside a session there is nothing to authenticate with.
            SessionHeader::V15(_) => None,
            SessionHeader::RmcpPlus(plus) if plus.payload_type == PayloadType::IPMI => {
                self.sessionless(&header, payload, out)
            }
            // One that knows IPMI 1.5 only.
            SessionHeader::RmcpPlus(_) if self.config.has(Quirk::VersionBitRefused) => None,
            SessionHeader::RmcpPlus(header) => {
                self.sessions.expire(now, &self.config);
                let mut w = Writer::new(out);
                let mut setup = Setup {
                    config: &self.config,
                    sessions: &mut self.sessions,
                    guard: &mut self.guard,
                    lapse: &mut self.lapse,
                    handler,
                    now,
                    peer: from,
                };
                setup.handle(entropy, header.payload_type, payload, &mut w)?;
                w.finish().ok()
            }
        }
    }

    /// Forgets all sessions without telling anybody, as a restart does.
    pub fn reset(&mut self) {
        self.sessions.clear();
    }

    /// Forgets sessions that were idle too long. Done at every log-in too; call it to free memory earlier.
    pub fn expire(&mut self, now: Instant) {
        self.sessions.expire(now, &self.config);
    }

    /// Whether a session has serial over LAN, so that [`poll_sol`](Self::poll_sol) is to be called now and then.
    #[must_use]
    pub fn has_sol(&self) -> bool {
        self.sessions
            .iter_active()
            .any(|(_, active)| active.sol.is_some())
    }

    /// Writes a packet with characters of the device's serial port, where one is due, and gives its length and the console
    /// that it is for. Call it until it gives `None`: after each datagram, and while [`has_sol`](Self::has_sol) some times
    /// a second.
    pub fn poll_sol(
        &mut self,
        now: Instant,
        entropy: &mut dyn Entropy,
        handler: &mut dyn Handler,
        out: &mut [u8],
    ) -> Option<(Peer, usize)> {
        let (peer, active) = self.sessions.sol_mut()?;
        let mut len = active.sol_transmit(now, entropy, handler, out)?;
        if self.config.has(Quirk::SolPacketsMalformed) && self.lapse.every_other() {
            len = active.malformed(entropy, out)?;
        }
        Some((peer, len))
    }

    /// Where the table of sessions lies, which every datagram needs: for a driver that has the memory of very many BMCs fetched
    /// before it handles a batch.
    #[must_use]
    pub fn session_table_memory(&self) -> Range<*const u8> {
        self.sessions.memory()
    }

    /// Where an active session lies, which the datagram of a console that has logged in needs; best asked for when the table is
    /// there. `None` without one.
    #[must_use]
    pub fn session_memory(&self) -> Option<Range<*const u8>> {
        let (_, active) = self.sessions.iter_active().next()?;
        Some(memory_of(active))
    }

    /// Active sessions.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.sessions.iter_active().count()
    }

    /// What tells the request in the last datagram from those before and after it, of all sessions; repetitions of it have the same.
    /// 0 where it was none of a session.
    #[must_use]
    pub const fn request_mark(&self) -> u32 {
        self.asked << 16 | self.mark as u32
    }

    /// Whether the last datagram repeated a request: its console had no answer, or none when it sent this one.
    #[must_use]
    pub const fn repeats(&self) -> bool {
        self.repeats
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Replaces the configuration.
    ///
    /// Sessions of users who are no more, or have another name or password, end at once, and so does all that is
    /// being set up; none goes on above its user's level. Users who were locked out may log in again.
    pub fn set_config(&mut self, config: Arc<Config>) {
        self.asked = 0;
        self.set_config_as_asked(config);
    }

    /// The same after the last datagram was a command that has changed it. The session of that command goes on, also where
    /// its own user has another password or may not log in any more: it still has to be closed, and nothing that IPMI 2.0
    /// §22.30 says ends it.
    pub fn set_config_as_asked(&mut self, config: Arc<Config>) {
        self.sessions.reconfigure(&self.config, &config, self.asked);
        self.guard.unlock();
        self.config = config;
    }

    /// Log-ins that failed for a wrong password, since this BMC was made.
    #[must_use]
    pub const fn failed_logins(&self) -> u64 {
        self.guard.failed()
    }

    /// Answers a message outside a session, in the format in which it came.
    fn sessionless(&self, format: &SessionHeader, payload: &[u8], out: &mut [u8]) -> Option<usize> {
        let LanMessage { header, body } = LanMessage::decode(payload).ok()?;
        if header.to != BMC_ADDRESS || header.netfn.is_response() {
            return None;
        }
        let own = commands::sessionless(&self.config, header.netfn, header.cmd, body);
        let mut w = Writer::new(out);
        let message = |w: &mut Writer<'_>| {
            header.response().encode(w, |w| {
                answer(w, usize::MAX, |w| {
                    own.write(w)
                        .unwrap_or(CompletionCode::INSUFFICIENT_PRIVILEGE)
                });
            });
        };
        match format {
            SessionHeader::V15(_) => encode_v15_sessionless(&mut w, message),
            SessionHeader::RmcpPlus(_) => encode_sessionless(PayloadType::IPMI, &mut w, message),
        }
        w.finish().ok()
    }

    /// Whether a packet of session 0 is one of a session, for [`Quirk::SessionIdZero`].
    fn is_of_session_0(&self, header: &SessionHeader) -> bool {
        let has_code = |v15: &V15Header| v15.auth_type != AuthType::NONE;
        self.config.has(Quirk::SessionIdZero)
            && matches!(header, SessionHeader::V15(v15) if has_code(v15))
    }

    /// Handles a packet of an active session.
    pub(super) fn session_packet(
        &mut self,
        id: u32,
        datagram: &mut [u8],
        call: &mut Call<'_>,
    ) -> Option<usize> {
        let now = call.now;
        let slot = self.sessions.find(id, call.from)?;
        if slot.is_expired(now, &self.config) {
            self.sessions.remove(id);
            return None;
        }
        let Stage::Active(active) = &mut slot.stage else {
            return None;
        };
        let Opened {
            payload_type,
            sequence,
            payload,
            ..
        } = active.channel.open(datagram).ok()?;
        slot.touched = now;
        active.confirmation = None;
        let payload = &*payload;
        if payload_type == PayloadType::SOL {
            return active.sol_packet(payload, call);
        }
        if payload_type != PayloadType::IPMI {
            return None;
        }
        self.request(id, sequence, payload, call)
    }

    /// Handles a request in a session, from a packet with the number `sequence`.
    fn request(
        &mut self,
        id: u32,
        sequence: u32,
        payload: &[u8],
        call: &mut Call<'_>,
    ) -> Option<usize> {
        let message = LanMessage::decode(payload).ok()?;
        let LanMessage { header, body } = message;
        if header.to != BMC_ADDRESS || header.netfn.is_response() {
            return None;
        }
        let active = self.sessions.find_active(id, call.from)?;
        (self.mark, self.repeats) = active.executed.note(&message);
        self.asked = id;
        let permitted = active.privilege >= minimum_privilege(header.netfn, header.cmd, body);
        let refuses = self.config.has(Quirk::DuplicateRefused);
        let changes = permitted && (refuses || changes_state(header.netfn, header.cmd, body));
        let changing = changes.then(|| Changing {
            fingerprint: fingerprint(payload),
            sequence,
        });
        match changing.map_or(Known::New, |request| {
            active.executed.find(call.now, request)
        }) {
            Known::New => {}
            Known::Last(_) if refuses => {
                return active.refuse(&message, CompletionCode::DUPLICATE_REQUEST, call);
            }
            Known::Last(reply) => {
                let Call { entropy, out, .. } = call;
                return active.channel.seal(*entropy, out, |w| w.bytes(reply)).ok();
            }
            Known::Straggler => return None,
        }
        match self.lapse.fate(&self.config, &header) {
            Fate::Executed => {}
            Fate::Dropped => return None,
            Fate::SessionGone => {
                self.sessions.remove(id);
                return None;
            }
            Fate::Busy => return active.refuse(&message, CompletionCode::NODE_BUSY, call),
            Fate::Stale => return active.send(self.lapse.stale(), call),
        }
        if commands::is_about_others(header.netfn, header.cmd) {
            // Nobody counts who has long gone.
            self.sessions.expire(call.now, &self.config);
        }
        let own = if permitted && sol::is_about_payloads(header.netfn, header.cmd) {
            sol::command(&self.config, &mut self.sessions, id, &message, call.handler)
        } else if permitted {
            let limit = || call.handler.channel_limit();
            commands::in_session(&self.config, &self.sessions, id, limit, &message)
        } else {
            Own::refused(CompletionCode::INSUFFICIENT_PRIVILEGE)
        };
        let active = self.sessions.find_active(id, call.from)?;
        if let Effect::Level(level) = own.effect {
            active.privilege = level;
        }
        let len = active.execute(
            &self.config,
            &mut self.lapse,
            &message,
            &own,
            changing,
            call,
        );
        if let Effect::Close(closed) = own.effect {
            self.sessions.remove(closed);
            return len.filter(|_| !self.config.has(Quirk::CloseSessionUnanswered));
        }
        len
    }
}

impl Active {
    /// Answers a request by what the session layer has to say, or else by the device, and seals the answer.
    fn execute(
        &mut self,
        config: &Config,
        lapse: &mut Lapse,
        message: &LanMessage<'_>,
        own: &Own,
        changing: Option<Changing>,
        call: &mut Call<'_>,
    ) -> Option<usize> {
        let LanMessage { header, body } = message;
        let request = Request {
            netfn: header.netfn,
            lun: header.to_lun,
            cmd: header.cmd,
            data: body,
            privilege: self.privilege,
            user_id: self.user_id,
            user_name: self.user_name,
            channel: config.channel,
        };
        let Call {
            now,
            entropy,
            handler,
            out,
            ..
        } = call;
        if config.has(Quirk::SequenceSkips) {
            self.channel.skip_number();
        }
        let longest = self.channel.payload_max(out.len());
        let executed = &mut self.executed;
        let sealed = self.channel.seal(*entropy, out, |w| {
            let start = w.position();
            header.response().encode(w, |w| {
                answer(w, start + longest, |w| {
                    own.write(w).unwrap_or_else(|| handler.handle(&request, w))
                });
            });
            if let Some(message) = w.written_mut().get_mut(start..) {
                defect::message(config, message);
            }
            lapse.remember(config, &w.written()[start..]);
            if let Some(request) = changing {
                executed.remember(*now, request, &w.written()[start..]);
            }
        });
        sealed.ok()
    }

    /// Writes a packet of serial over LAN that lacks half of its header.
    fn malformed(&mut self, entropy: &mut dyn Entropy, out: &mut [u8]) -> Option<usize> {
        let SessionChannel::RmcpPlus(channel) = &mut self.channel else {
            return None;
        };
        let sealed = channel.seal(PayloadType::SOL, entropy, out, |w| w.bytes(&[0, 0]));
        sealed.ok()
    }

    /// Sends a message as it is.
    fn send(&mut self, message: &[u8], call: &mut Call<'_>) -> Option<usize> {
        let Call { entropy, out, .. } = call;
        let sealed = self.channel.seal(*entropy, out, |w| w.bytes(message));
        sealed.ok()
    }

    /// Refuses a request without carrying it out.
    fn refuse(
        &mut self,
        message: &LanMessage<'_>,
        code: CompletionCode,
        call: &mut Call<'_>,
    ) -> Option<usize> {
        let Call { entropy, out, .. } = call;
        let sealed = self.channel.seal(*entropy, out, |w| {
            message.header.response().encode(w, |w| w.u8(code.0));
        });
        sealed.ok()
    }
}

/// What the handling of one datagram works with.
pub(super) struct Call<'a> {
    pub(super) now: Instant,
    pub(super) from: Peer,
    pub(super) entropy: &'a mut dyn Entropy,
    pub(super) handler: &'a mut dyn Handler,
    pub(super) out: &'a mut [u8],
}

/// Writes completion code and data; what doesn't end before offset `end`, checksum included, becomes CAh.
fn answer(w: &mut Writer<'_>, end: usize, execute: impl FnOnce(&mut Writer<'_>) -> CompletionCode) {
    let code_at = w.position();
    w.u8(CompletionCode::UNSPECIFIED.0);
    let mut code = execute(w);
    if w.finish().is_err() || w.position() >= end {
        w.truncate(code_at + 1);
        code = CompletionCode::CANNOT_RETURN_BYTES;
    }
    if let Some(byte) = w.written_mut().get_mut(code_at) {
        *byte = code.0;
    }
}

fn pong(r: &mut Reader<'_>, out: &mut [u8]) -> Option<usize> {
    let Asf::Ping { tag } = Asf::decode(r).ok()? else {
        return None;
    };
    let mut w = Writer::new(out);
    Asf::pong(tag).encode(&mut w);
    w.finish().ok()
}
