//! Serial over LAN (§15): a line of characters over packets that get lost.
//!
//! Both ends are alike: each has at most one packet under way, keeps it until it is acknowledged, and sends it again with the
//! same number until then. A number that came last is acknowledged again, not taken again.
//!
//! ```text
//! characters in ─► write() ─► poll_transmit() ─► packets ─► handle() ─► read() ─► characters out
//!                                   ▲                         │
//!                                   └──── acknowledgement ◄───┘
//! ```
//!
//! A console starts SOL with [`ActivatePayload`](crate::command::app::ActivatePayload), and carries the packets with
//! [`Session::seal_payload`](crate::console::Session::seal_payload) and
//! [`Event::Payload`](crate::console::Event::Payload). A BMC keeps its end in the session.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::time::Instant;
use crate::wire::sol::{NACK, SolPacket};
use crate::wire::{Reader, WireError, Writer};

/// Characters that wait to be sent, at most; [`SolLine::write`] takes no more.
pub const SEND_MAX: usize = 4096;
/// Characters that wait to be read, at most; what comes beyond is not acknowledged, and comes again.
pub const RECEIVE_MAX: usize = 4096;
/// Characters of one packet, at most: both ends of ipmitool and of BMCs take as many.
pub const PACKET_MAX: usize = 200;

/// Numbers that count as new, from the last one on: half of the fifteen.
const SEQUENCE_AHEAD: u8 = 7;

/// When a packet is sent again, and when the other end counts as gone (§26.3, parameter 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SolRetry {
    /// After this time.
    pub interval: Duration,
    /// So often; then the line is broken.
    pub attempts: u16,
}

impl Default for SolRetry {
    /// Each 250 ms, for 30 s.
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(250),
            attempts: 120,
        }
    }
}

/// A packet under way: the first `len` characters of what is to be sent.
#[derive(Clone, Copy, Debug)]
struct Sent {
    sequence: u8,
    len: usize,
    flags: u8,
    at: Instant,
    attempts: u16,
}

/// One end of a line.
#[derive(Debug)]
pub struct SolLine {
    retry: SolRetry,
    outgoing: VecDeque<u8>,
    incoming: VecDeque<u8>,
    sent: Option<Sent>,
    /// Number of the last packet that was sent.
    sequence: u8,
    /// Number of the last packet that came, and how many of its characters were taken.
    last: Option<(u8, u8)>,
    /// That packet is to be acknowledged.
    acknowledge: bool,
    /// Flags to be sent: a break, a flush.
    flags: u8,
    /// Flags that came.
    signals: u8,
    /// The other end has no room: nothing new before this time.
    hold_until: Option<Instant>,
    broken: bool,
    /// Characters of one packet, at most.
    packet_max: usize,
}

impl SolLine {
    /// A line on which nothing was sent.
    #[must_use]
    pub fn new(retry: SolRetry) -> Self {
        Self {
            retry,
            outgoing: VecDeque::new(),
            incoming: VecDeque::new(),
            sent: None,
            sequence: 0,
            last: None,
            acknowledge: false,
            flags: 0,
            signals: 0,
            hold_until: None,
            broken: false,
            packet_max: PACKET_MAX,
        }
    }

    /// Sends no longer packets than the other end takes, in characters; more than [`PACKET_MAX`] are never sent.
    pub const fn set_packet_max(&mut self, characters: usize) {
        if characters >= 1 && characters < PACKET_MAX {
            self.packet_max = characters;
        }
    }

    /// Takes characters to be sent, and says how many there was room for.
    pub fn write(&mut self, characters: &[u8]) -> usize {
        let room = SEND_MAX - self.outgoing.len().min(SEND_MAX);
        let taken = characters.len().min(room);
        self.outgoing.extend(&characters[..taken]);
        taken
    }

    /// How many more characters [`write`](Self::write) would take.
    #[must_use]
    pub fn room(&self) -> usize {
        SEND_MAX - self.outgoing.len().min(SEND_MAX)
    }

    /// Gives characters that came, and says how many.
    pub fn read(&mut self, characters: &mut [u8]) -> usize {
        let count = characters.len().min(self.incoming.len());
        for (to, from) in characters.iter_mut().zip(self.incoming.drain(..count)) {
            *to = from;
        }
        count
    }

    /// Sends flags: an operation such as a break from a console, a status from a BMC.
    pub const fn signal(&mut self, flags: u8) {
        self.flags |= flags & !NACK;
    }

    /// Takes the flags that came, without NACK.
    pub const fn take_signals(&mut self) -> u8 {
        core::mem::replace(&mut self.signals, 0)
    }

    /// Whether all that was written has been acknowledged.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.outgoing.is_empty() && self.sent.is_none() && self.flags == 0 && !self.acknowledge
    }

    /// Whether the other end has not acknowledged a packet in all its attempts.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Takes a packet.
    ///
    /// # Errors
    /// It is too short to be one.
    pub fn handle(&mut self, now: Instant, payload: &[u8]) -> Result<(), WireError> {
        let packet = SolPacket::decode(&mut Reader::new(payload))?;
        if let Some(sent) = self
            .sent
            .filter(|sent| sent.sequence == packet.acknowledged)
        {
            self.acknowledged(now, sent, packet.accepted);
        }
        self.signals |= packet.flags & !NACK;
        if packet.sequence == 0 {
            return Ok(());
        }
        if let Some((last, _)) = self.last {
            let ahead = (packet.sequence + 15 - last) % 15;
            // The same again: its acknowledgement was lost. A number from the past: an old copy that was late.
            self.acknowledge |= ahead == 0;
            if ahead == 0 || ahead > SEQUENCE_AHEAD {
                return Ok(());
            }
        }
        self.acknowledge = true;
        let room = RECEIVE_MAX - self.incoming.len().min(RECEIVE_MAX);
        let taken = packet.characters.len().min(room).min(usize::from(u8::MAX));
        self.incoming.extend(&packet.characters[..taken]);
        self.last = Some((packet.sequence, u8::try_from(taken).unwrap_or(u8::MAX)));
        Ok(())
    }

    fn acknowledged(&mut self, now: Instant, sent: Sent, accepted: u8) {
        let taken = usize::from(accepted).min(sent.len);
        self.outgoing.drain(..taken);
        self.sent = None;
        // What was not taken goes into a new packet, when there may be room again.
        self.hold_until = (taken < sent.len).then(|| now + self.retry.interval);
    }

    /// Writes the next packet to send, and says whether there is one.
    pub fn poll_transmit(&mut self, now: Instant, w: &mut Writer<'_>) -> bool {
        if self.broken {
            return false;
        }
        match self.sent {
            Some(mut sent) if now >= sent.at + self.retry.interval => {
                if sent.attempts >= self.retry.attempts {
                    self.broken = true;
                    return false;
                }
                sent.attempts += 1;
                sent.at = now;
                self.sent = Some(sent);
                self.encode(Some(sent), w);
                true
            }
            None if self.may_send(now) => {
                self.sequence = self.sequence % 15 + 1;
                let sent = Sent {
                    sequence: self.sequence,
                    len: self.outgoing.len().min(self.packet_max),
                    flags: core::mem::take(&mut self.flags),
                    at: now,
                    attempts: 1,
                };
                self.sent = Some(sent);
                self.encode(Some(sent), w);
                true
            }
            _ if self.acknowledge => {
                self.encode(None, w);
                true
            }
            _ => false,
        }
    }

    fn may_send(&self, now: Instant) -> bool {
        let held = self.hold_until.is_some_and(|until| now < until);
        self.flags != 0 || !self.outgoing.is_empty() && !held
    }

    fn encode(&mut self, sent: Option<Sent>, w: &mut Writer<'_>) {
        let (acknowledged, accepted) = self.last.filter(|_| self.acknowledge).unwrap_or((0, 0));
        self.acknowledge = false;
        let len = sent.map_or(0, |sent| sent.len);
        let packet = SolPacket {
            sequence: sent.map_or(0, |sent| sent.sequence),
            acknowledged,
            accepted,
            flags: sent.map_or(0, |sent| sent.flags),
            characters: &self.outgoing.make_contiguous()[..len],
        };
        packet.encode(w);
    }

    /// When to call [`poll_transmit`](Self::poll_transmit) without anything else having happened.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.sent {
            Some(sent) => Some(sent.at + self.retry.interval),
            None => self.hold_until.filter(|_| !self.outgoing.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::command::check::Arbitrary;

    /// What a packet becomes on its way, of ten.
    const LOST: u64 = 1;
    const DOUBLED: u64 = 2;

    /// Carries packets from one end to the other; some are lost, some come twice, some late.
    fn carry(
        now: Instant,
        from: &mut SolLine,
        to: &mut SolLine,
        chance: &mut Arbitrary,
        late: &mut Vec<Vec<u8>>,
    ) {
        for _ in 0..4 {
            let mut buffer = [0; 256];
            let mut w = Writer::new(&mut buffer);
            if !from.poll_transmit(now, &mut w) {
                break;
            }
            let packet = w.written().to_vec();
            match chance.number() % 10 {
                0..LOST => {}
                LOST..DOUBLED => {
                    to.handle(now, &packet).unwrap();
                    to.handle(now, &packet).unwrap();
                }
                _ => {
                    late.push(packet);
                    if !chance.number().is_multiple_of(3) {
                        for packet in late.drain(..) {
                            to.handle(now, &packet).unwrap();
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_mebibyte_arrives_byte_by_byte_over_a_line_that_loses_a_tenth() {
        let sent: Vec<u8> = (0_u32..1 << 20)
            .map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3])
            .collect();
        let (mut here, mut there) = (
            SolLine::new(SolRetry::default()),
            SolLine::new(SolRetry::default()),
        );
        let mut chance = Arbitrary::new(0);
        let (mut now, mut written, mut received) = (Instant::ORIGIN, 0, Vec::<u8>::new());
        let mut back = 0;
        let (mut late_there, mut late_here) = (Vec::new(), Vec::new());
        while received.len() < sent.len() {
            written += here.write(&sent[written..]);
            // Something goes the other way, too.
            back += there.write(b"echo");
            carry(now, &mut here, &mut there, &mut chance, &mut late_there);
            carry(now, &mut there, &mut here, &mut chance, &mut late_here);
            let mut buffer = [0; 512];
            // The reader is slow now and then, and there is no room.
            if !chance.number().is_multiple_of(4) {
                let count = there.read(&mut buffer);
                received.extend(&buffer[..count]);
            }
            here.read(&mut buffer);
            now = now + Duration::from_millis(50);
            assert!(!here.is_broken() && !there.is_broken());
            assert!(now.since(Instant::ORIGIN) < Duration::from_hours(10));
        }
        assert!(received == sent && back > 0);
    }

    #[test]
    fn packets_are_no_longer_than_the_other_end_takes() {
        for (told, longest) in [(0, PACKET_MAX), (60, 60), (1_000, PACKET_MAX)] {
            let mut line = SolLine::new(SolRetry::default());
            line.set_packet_max(told);
            line.write(&[b'x'; 300]);
            let mut buffer = [0; 256];
            let mut w = Writer::new(&mut buffer);
            assert!(line.poll_transmit(Instant::ORIGIN, &mut w));
            assert_eq!(w.written().len() - 4, longest, "{told}");
        }
    }

    #[test]
    fn a_dead_end_breaks_the_line_after_all_attempts() {
        let retry = SolRetry {
            attempts: 3,
            ..SolRetry::default()
        };
        let mut line = SolLine::new(retry);
        line.write(b"anybody?");
        let mut now = Instant::ORIGIN;
        for _ in 0..3 {
            let mut buffer = [0; 64];
            assert!(line.poll_transmit(now, &mut Writer::new(&mut buffer)));
            assert_eq!(&buffer[4..12], b"anybody?");
            assert!(!line.poll_transmit(now, &mut Writer::new(&mut buffer)));
            now = line.poll_timeout().unwrap();
        }
        assert!(!line.poll_transmit(now, &mut Writer::new(&mut [0; 64])));
        assert!(line.is_broken());
    }

    #[test]
    fn a_break_travels_without_characters_and_only_once() {
        let (mut here, mut there) = (
            SolLine::new(SolRetry::default()),
            SolLine::new(SolRetry::default()),
        );
        here.signal(crate::number::SolOperation::BREAK.0);
        let mut buffer = [0; 64];
        let mut w = Writer::new(&mut buffer);
        assert!(here.poll_transmit(Instant::ORIGIN, &mut w));
        there.handle(Instant::ORIGIN, w.written()).unwrap();
        assert_eq!(there.take_signals(), 0x10);
        assert_eq!(there.take_signals(), 0);
        let mut w = Writer::new(&mut buffer);
        assert!(there.poll_transmit(Instant::ORIGIN, &mut w));
        assert_eq!(w.written(), [0, 1, 0, 0]);
        here.handle(Instant::ORIGIN, w.written()).unwrap();
        assert!(here.is_idle());
    }

    #[test]
    fn any_bytes_are_taken_without_a_panic() {
        let mut line = SolLine::new(SolRetry::default());
        line.write(&[0x55; 300]);
        for bytes in Arbitrary::new(5_000) {
            let mut buffer = [0; 256];
            let _ = line.handle(Instant::ORIGIN, &bytes);
            line.poll_transmit(Instant::ORIGIN, &mut Writer::new(&mut buffer));
        }
    }
}
