//! Serial over LAN: two ends of a line, and packets that get lost, doubled and late.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use crate::sol::{PACKET_MAX, SolLine, SolRetry};
use crate::time::Instant;
use crate::wire::{Reader, Writer};

/// Packets on their way at a time, each direction.
const UNDER_WAY_MAX: usize = 4;
/// A packet that was overtaken by so many is lost: the session's window of sequence numbers drops what is older, and
/// the line's own numbers come again after fifteen.
const LATE_MAX: u32 = 6;
/// Room for one packet: its header and its characters.
const PACKET_ROOM: usize = PACKET_MAX + 8;

/// One end, and what it has sent that is still under way.
struct End {
    line: SolLine,
    /// What was written into it, and how much of that came out at the other end.
    written: Vec<u8>,
    arrived: usize,
    under_way: VecDeque<(u32, Vec<u8>)>,
    sent: u32,
}

/// Two ends of a line; `script` says what is written, and what happens to the packets between them.
///
/// What comes out at one end is what went in at the other, in order, whatever the network does. A network that delivers
/// in the end brings everything, unless an end has given up.
pub fn sol(script: &[u8]) {
    let mut ends = [End::new(), End::new()];
    let mut now = Instant::ORIGIN;
    let mut script = Reader::new(script);
    while let Ok(step) = script.u8("step") {
        let from = usize::from(step >> 7);
        let argument = script.clone().u8("argument").unwrap_or(0);
        match step & 7 {
            0 | 1 => ends[from].write(argument),
            2 => drop(ends[from].take(argument)),
            3 => ends[from].double(),
            4 => now = now + Duration::from_millis(u64::from(argument) * 4),
            5 => ends[from].line.signal(argument),
            6 => deliver(&mut ends, from, argument, now),
            _ => read(&mut ends, from, argument),
        }
        ends.iter_mut().for_each(|end| end.transmit(now));
    }
    settle(&mut ends, now);
}

impl End {
    fn new() -> Self {
        Self {
            line: SolLine::new(SolRetry::default()),
            written: Vec::new(),
            arrived: 0,
            under_way: VecDeque::new(),
            sent: 0,
        }
    }

    /// Characters that tell where they belong.
    fn write(&mut self, count: u8) {
        let at = self.written.len();
        let characters: Vec<u8> = (at..at + usize::from(count))
            .map(|n| (n % 251) as u8)
            .collect();
        let taken = self.line.write(&characters);
        self.written.extend_from_slice(&characters[..taken]);
    }

    fn transmit(&mut self, now: Instant) {
        let mut buffer = [0xa5; PACKET_ROOM];
        let mut count = 0;
        loop {
            let mut w = Writer::new(&mut buffer);
            if !self.line.poll_transmit(now, &mut w) {
                break;
            }
            count += 1;
            assert!(count <= 2, "a line sends without end");
            assert!(w.finish().is_ok(), "a packet is too long");
            let packet = w.written().to_vec();
            if self.under_way.len() >= UNDER_WAY_MAX {
                self.under_way.pop_front();
            }
            self.sent += 1;
            let newest = self.sent;
            self.under_way.push_back((newest, packet));
            self.under_way.retain(|(at, _)| newest - at < LATE_MAX);
        }
    }

    fn take(&mut self, argument: u8) -> Option<Vec<u8>> {
        let index = usize::from(argument).checked_rem(self.under_way.len())?;
        self.under_way.remove(index).map(|(_, packet)| packet)
    }

    fn double(&mut self) {
        if let Some(first) = self.under_way.front().cloned()
            && self.under_way.len() < UNDER_WAY_MAX
        {
            self.under_way.push_front(first);
        }
    }
}

fn deliver(ends: &mut [End; 2], from: usize, argument: u8, now: Instant) {
    if let Some(packet) = ends[from].take(argument) {
        let taken = ends[1 - from].line.handle(now, &packet);
        assert!(taken.is_ok(), "an end can't read what the other wrote");
    }
}

/// Reads at the end that `from` sends to.
fn read(ends: &mut [End; 2], from: usize, count: u8) {
    let mut characters = [0; 256];
    let count = ends[1 - from]
        .line
        .read(&mut characters[..usize::from(count)]);
    let sender = &mut ends[from];
    let expected = sender
        .written
        .get(sender.arrived..sender.arrived + count)
        .unwrap_or_default();
    assert_eq!(&characters[..count], expected, "characters changed");
    sender.arrived += count;
}

/// From now on everything arrives: so does every character.
fn settle(ends: &mut [End; 2], mut now: Instant) {
    let is_done = |end: &End| end.line.is_broken() || end.arrived == end.written.len();
    // A packet of the full length, or one after a pause, every turn.
    let missing: usize = ends.iter().map(|end| end.written.len() - end.arrived).sum();
    for _ in 0..missing + 64 {
        if ends.iter().all(is_done) {
            return;
        }
        now = now + SolRetry::default().interval;
        for from in [0, 1] {
            ends[from].transmit(now);
            while !ends[from].under_way.is_empty() {
                deliver(ends, from, 0, now);
            }
            read(ends, from, u8::MAX);
        }
    }
    assert!(
        ends.iter().any(|end| end.line.is_broken()),
        "characters never arrived"
    );
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::super::conversation::Seeded;
    use super::*;
    use crate::entropy::Entropy;

    #[test]
    fn characters_arrive_in_order_whatever_the_network_does() {
        let mut random = Seeded(6);
        for _ in 0..500 {
            let mut script = vec![0; 200];
            random.fill(&mut script);
            sol(&script);
        }
    }

    #[test]
    #[should_panic(expected = "characters changed")]
    fn a_changed_character_is_noticed() {
        let mut ends = [End::new(), End::new()];
        ends[0].write(3);
        ends[0].transmit(Instant::ORIGIN);
        if let Some((_, packet)) = ends[0].under_way.front_mut() {
            *packet.last_mut().unwrap() ^= 1;
        }
        deliver(&mut ends, 0, 0, Instant::ORIGIN);
        read(&mut ends, 0, 3);
    }
}
