//! Requests that come twice: what was executed is not executed again.
//!
//! A console that got no answer repeats its request under a new session sequence number with the same rqSeq. Reading
//! again does no harm and gives the newest value, so only requests that change something are remembered: by all
//! their bytes, for [`REPLY_KEPT_MS`], as many as fit the sequence window. The last one's reply is kept and sent
//! again; an older one is a straggler whose console has moved on, and is dropped.
//!
//! A console that asks much comes round to the same rqSeq within that time: it has six bits. The same bytes
//! [`REPEATED_WITHIN`] packets apart or more are a new request.

use alloc::vec::Vec;
use core::time::Duration;

use super::privilege::minimum_privilege;
use crate::number::{NetFn, PrivilegeLevel};
use crate::sequence;
use crate::time::Instant;
use crate::wire::message::{LanMessage, MessageHeader, checksum};

/// How long a session remembers that it executed a request, in milliseconds.
///
/// After that the same bytes are a new request (5 s is IPMB's expiration interval for rqSeq); consoles repeat within
/// it. Less, where [`REPEATED_WITHIN`] packets come sooner.
pub const REPLY_KEPT_MS: u32 = 5_000;

/// Repetitions of a request are less than this many packets apart.
///
/// Half of rqSeq's round. A repetition follows its request by a few packets, and what was overtaken on its way is at
/// most 16 behind, or the sequence window refuses it.
pub const REPEATED_WITHIN: u32 = 32;

/// Requests remembered: as many as a straggler can be behind and still pass the sequence window, and its own.
const REMEMBERED: usize = sequence::BEHIND as usize + 1;

/// Whether a request may change something, so that executing it twice is not like executing it once.
pub(super) fn changes_state(netfn: NetFn, cmd: u8, data: &[u8]) -> bool {
    match (netfn, cmd) {
        // Boot options, PEF, users and their payload access, LAN and serial configuration: reading them takes an
        // operator.
        (NetFn::CHASSIS, 0x09)
        | (NetFn::SENSOR_EVENT, 0x13)
        | (NetFn::APP, 0x3f | 0x44 | 0x46 | 0x4d)
        | (NetFn::TRANSPORT, 0x02 | 0x11) => false,
        // Send Message may carry anything; payloads start and stop.
        (NetFn::APP, 0x34 | 0x48 | 0x49 | 0x55) => true,
        // All else that a user may do is reading (table G-1).
        _ => minimum_privilege(netfn, cmd, data) > PrivilegeLevel::USER,
    }
}

/// What a session executed lately.
#[derive(Debug, Default)]
pub(super) struct Executed {
    /// The newest last; allocated with the first request that changes something.
    requests: Vec<Remembered>,
    /// The reply to the newest.
    reply: Vec<u8>,
    /// Numbers and last checksum of the last request of any kind.
    last: Option<(MessageHeader, u8)>,
    /// The console uses one rqSeq for everything, so that a repetition can't be told from a new request.
    numbers_nothing: bool,
    /// Marks of the last requests of any kind, and how many there were: the place of the next.
    marks: [u16; REMEMBERED],
    marked: usize,
}

/// A request that changes something, as it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changing {
    /// Tells its bytes from others.
    pub(super) fingerprint: u64,
    /// Session sequence number of its packet.
    pub(super) sequence: u32,
}

#[derive(Debug)]
struct Remembered {
    request: Changing,
    at: Instant,
}

/// What is known about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known<'a> {
    /// To be executed.
    New,
    /// Executed last: this was the reply.
    Last(&'a [u8]),
    /// Executed before others: nobody waits for a reply.
    Straggler,
}

impl Executed {
    /// Looks up a request that changes something.
    pub(super) fn find(&self, now: Instant, request: Changing) -> Known<'_> {
        let kept = Duration::from_millis(u64::from(REPLY_KEPT_MS));
        let is_it = |found: &Remembered| {
            found.request.fingerprint == request.fingerprint
                && sequence::apart(found.request.sequence, request.sequence) < REPEATED_WITHIN
                && now.since(found.at) <= kept
        };
        let Some(position) = self.requests.iter().rposition(is_it) else {
            return Known::New;
        };
        if self.numbers_nothing {
            Known::New
        } else if position + 1 == self.requests.len() {
            Known::Last(&self.reply)
        } else {
            Known::Straggler
        }
    }

    /// Notes that a request came, of whatever kind. Gives its mark, and says whether it repeats one of the last.
    pub(super) fn note(&mut self, request: &LanMessage<'_>) -> (u16, bool) {
        let now = (request.header, checksum(request.body));
        if self
            .last
            .is_some_and(|last| last.0.rq_seq == now.0.rq_seq && last != now)
        {
            self.numbers_nothing = true;
        }
        self.last = Some(now);
        let mark = mark(now.0, now.1);
        let repeats = !self.numbers_nothing && self.marks.contains(&mark);
        if !repeats {
            self.marks[self.marked % REMEMBERED] = mark;
            self.marked = self.marked.wrapping_add(1);
        }
        (mark, repeats)
    }

    /// Remembers a request that was executed, with its reply.
    pub(super) fn remember(&mut self, now: Instant, request: Changing, reply: &[u8]) {
        if self.requests.len() == REMEMBERED {
            self.requests.remove(0);
        }
        self.requests
            .reserve_exact(REMEMBERED - self.requests.len());
        self.requests.push(Remembered { request, at: now });
        self.reply.clear();
        self.reply.extend_from_slice(reply);
    }
}

/// Tells a request from those shortly before and after it, which have other numbers; never 0.
fn mark(header: MessageHeader, checksum: u8) -> u16 {
    let what = header.netfn.0.rotate_left(3) ^ header.cmd ^ checksum;
    1 << 15 | u16::from(header.rq_seq & 0x3f) << 8 | u16::from(what)
}

/// Tells messages apart (FNV-1a, 64 bits). Not for security: the sender is authenticated.
pub(super) fn fingerprint(message: &[u8]) -> u64 {
    message.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_is_repeated_and_changing_is_not() {
        for (netfn, cmd, changes) in [
            (NetFn::SENSOR_EVENT, 0x2d, false),
            (NetFn::CHASSIS, 0x01, false),
            (NetFn::CHASSIS, 0x09, false),
            (NetFn::CHASSIS, 0x02, true),
            (NetFn::STORAGE, 0x47, true),
            (NetFn::APP, 0x47, true),
            (NetFn::APP, 0x34, true),
            (NetFn(0x30), 0x01, true),
        ] {
            assert_eq!(
                changes_state(netfn, cmd, &[]),
                changes,
                "{netfn:?} {cmd:#04x}"
            );
        }
    }

    /// A request that came as packet number `sequence`.
    fn changing(fingerprint: u64, sequence: u32) -> Changing {
        Changing {
            fingerprint,
            sequence,
        }
    }

    #[test]
    fn the_same_bytes_a_round_of_rqseq_later_are_a_new_request() {
        let now = Instant::ORIGIN;
        let mut executed = Executed::default();
        executed.remember(now, changing(5, 100), &[1]);
        for sequence in [84, 99, 101, 131] {
            assert_eq!(executed.find(now, changing(5, sequence)), Known::Last(&[1]));
        }
        assert_eq!(executed.find(now, changing(5, 132)), Known::New);
        assert_eq!(executed.find(now, changing(5, 164)), Known::New);
    }

    #[test]
    fn the_last_request_has_a_reply_and_those_before_it_are_stragglers() {
        let now = Instant::ORIGIN;
        let mut executed = Executed::default();
        for fingerprint in 0..20 {
            assert_eq!(executed.find(now, changing(fingerprint, 1)), Known::New);
            executed.remember(
                now,
                changing(fingerprint, 1),
                &[u8::try_from(fingerprint).unwrap()],
            );
        }
        assert_eq!(executed.find(now, changing(19, 1)), Known::Last(&[19]));
        assert_eq!(executed.find(now, changing(18, 1)), Known::Straggler);
        assert_eq!(executed.find(now, changing(3, 1)), Known::Straggler);
        assert_eq!(
            executed.find(now, changing(2, 1)),
            Known::New,
            "beyond what is remembered"
        );
        let later = now + Duration::from_millis(u64::from(REPLY_KEPT_MS) + 1);
        assert_eq!(executed.find(later, changing(19, 1)), Known::New);
    }

    #[test]
    fn a_request_repeats_one_of_the_last_where_number_and_bytes_are_the_same() {
        let mut executed = Executed::default();
        let mut note = |rq_seq, sensor: u8| {
            let header = MessageHeader::request(NetFn::SENSOR_EVENT, 0, 0x2d, rq_seq);
            let body = &[sensor];
            executed.note(&LanMessage { header, body }).1
        };
        for rq_seq in 0..=16 {
            assert!(!note(rq_seq, 7), "{rq_seq}");
        }
        for straggler in [16, 0, 9] {
            assert!(note(straggler, 7), "{straggler}");
        }
        assert!(!note(17, 7));
        assert!(!note(0, 7), "as many as the sequence window lets pass");
        assert!(!note(14, 8), "other bytes");
    }

    #[test]
    fn a_console_that_numbers_nothing_has_everything_executed() {
        let now = Instant::ORIGIN;
        let mut executed = Executed::default();
        let request = |cmd| LanMessage {
            header: MessageHeader::request(NetFn::CHASSIS, 0, cmd, 1),
            body: &[],
        };
        executed.note(&request(2));
        executed.remember(now, changing(100, 1), &[]);
        executed.note(&request(2));
        assert_eq!(
            executed.find(now, changing(100, 1)),
            Known::Last(&[]),
            "a repetition, as far as one can tell"
        );
        executed.note(&request(4));
        executed.remember(now, changing(200, 1), &[]);
        assert_eq!(executed.find(now, changing(100, 1)), Known::New);
    }
}
