//! One scan over addresses, without socket and clock: whom to ping next and when, and who has answered.
//!
//! ```text
//!   step(now) ─► Ping(address)   send datagram() there now, and ask again at once
//!             ─► Wait(until)     nothing before that time; answers meanwhile go to heard()
//!             ─► Done            every address has answered, or was asked in every round
//! ```
//!
//! Times are spans since the scan began. The command line and the service drive it, each with a socket of its own kind.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use ipmi::number::AsfEntities;
use ipmi::wire::asf::Asf;
use ipmi::wire::rmcp::{self, Class};
use ipmi::wire::{Reader, Writer};

/// Pings a second where nothing else is said.
pub(crate) const PINGS_PER_S_DEFAULT: u32 = 1_000;

/// What may be said instead.
pub(crate) const PINGS_PER_S_LIMITS: std::ops::RangeInclusive<u32> = 1..=100_000;

/// How often an address is asked that does not answer, where nothing else is said: networks lose datagrams.
pub(crate) const ROUNDS_DEFAULT: u8 = 2;

/// Longest datagram that is looked at, in bytes: a pong has 28.
pub(crate) const PONG_MAX: usize = 128;

/// By how much a ping may be late for the next one not to be put off: timers that wake a driver once in a millisecond or more
/// rarely still get to thousands of pings a second.
const LATE_MAX: Duration = Duration::from_millis(10);

/// How fast, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Pings in any one second, at most; at least 1.
    pub(crate) pings_per_s: u32,
    /// How often an address is asked that does not answer.
    pub(crate) rounds: u8,
    /// How long answers are waited for behind the last ping of a round.
    pub(crate) patience: Duration,
}

impl Pace {
    /// Between two pings. A second has one percent fewer than allowed: that makes up for pings that were late by up to [`LATE_MAX`],
    /// so that no second has more.
    fn interval(&self) -> Duration {
        let second = Duration::from_secs(1) + LATE_MAX;
        let nanos = second.as_nanos().div_ceil(self.pings_per_s.max(1).into());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How long a scan of so many addresses takes of which none answers.
    pub(crate) fn longest(&self, addresses: usize) -> Duration {
        let addresses = u32::try_from(addresses).unwrap_or(u32::MAX);
        let round = self.interval().saturating_mul(addresses);
        round
            .saturating_add(self.patience)
            .saturating_mul(self.rounds.into())
    }
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Ping this address.
    Ping(SocketAddr),
    /// Nothing before that time.
    Wait(Duration),
    /// It is over.
    Done,
}

/// A scan under way.
#[derive(Debug)]
pub(crate) struct Sweep {
    addresses: Vec<SocketAddr>,
    /// Index of each address.
    places: HashMap<SocketAddr, usize>,
    /// What each said: whether it speaks IPMI.
    found: Vec<Option<bool>>,
    /// How many have said nothing.
    silent: usize,
    pace: Pace,
    /// Tells answers to us from others.
    tag: u8,
    round: u8,
    /// The address that is next in this round.
    next: usize,
    /// When the next ping may go.
    due: Duration,
    /// When this round ends if nobody answers any more.
    until: Duration,
    pings: u64,
}

impl Sweep {
    /// Over these addresses, each of which is there once. `random` tells this scan's answers from those to others.
    pub(crate) fn new(addresses: Vec<SocketAddr>, pace: Pace, random: u32) -> Self {
        Self {
            places: (0..).zip(&addresses).map(|(n, a)| (*a, n)).collect(),
            found: vec![None; addresses.len()],
            silent: addresses.len(),
            addresses,
            pace,
            // FFh means that no answer is wanted.
            tag: random as u8 & 0x7f,
            round: 0,
            next: 0,
            due: Duration::ZERO,
            until: Duration::ZERO,
            pings: 0,
        }
    }

    /// What to do at this time. A ping that it says counts as sent.
    pub(crate) fn step(&mut self, now: Duration) -> Step {
        loop {
            if self.silent == 0 || self.round >= self.pace.rounds {
                return Step::Done;
            }
            while self.found.get(self.next).is_some_and(Option::is_some) {
                self.next += 1;
            }
            let Some(address) = self.addresses.get(self.next) else {
                if now < self.until {
                    return Step::Wait(self.until);
                }
                self.round += 1;
                self.next = 0;
                continue;
            };
            if now < self.due {
                return Step::Wait(self.due);
            }
            let interval = self.pace.interval();
            let soonest = (now + interval).saturating_sub(LATE_MAX);
            self.due = (self.due + interval).max(soonest);
            self.until = now + self.pace.patience;
            self.next += 1;
            self.pings += 1;
            return Step::Ping(*address);
        }
    }

    /// What every address is sent.
    pub(crate) fn datagram(&self, buffer: &mut [u8; PONG_MAX]) -> usize {
        let mut w = Writer::new(buffer);
        Asf::Ping { tag: self.tag }.encode(&mut w);
        w.written().len()
    }

    /// Takes what came from an address: nothing but an answer to a ping of this scan counts.
    pub(crate) fn heard(&mut self, from: SocketAddr, datagram: &[u8]) {
        let mut r = Reader::new(datagram);
        if rmcp::decode(&mut r) == Ok(Class::Asf)
            && let Ok(Asf::Pong { tag, entities, .. }) = Asf::decode(&mut r)
            && tag == self.tag
            && let Some(place) = self.places.get(&from)
        {
            let before = self.found[*place].replace(entities.contains(AsfEntities::IPMI));
            self.silent -= usize::from(before.is_none());
        }
    }

    /// How many addresses this round is through with, and how many have answered.
    pub(crate) fn progress(&self) -> (usize, usize) {
        (self.next, self.addresses.len() - self.silent)
    }

    /// How many pings were sent.
    pub(crate) const fn pings(&self) -> u64 {
        self.pings
    }

    /// What each address said, in their order: whether it speaks IPMI, or nothing.
    pub(crate) fn into_found(self) -> Vec<Option<bool>> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random, and are the same in each run.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % limit
        }
    }

    fn addresses(count: u32) -> Vec<SocketAddr> {
        let address = |n: u32| SocketAddr::from((n.to_be_bytes(), 623));
        (0x0a00_0001..).take(count as usize).map(address).collect()
    }

    /// Which of them an address is.
    fn index(address: SocketAddr) -> usize {
        let std::net::IpAddr::V4(ip) = address.ip() else {
            panic!("{address}");
        };
        ip.to_bits() as usize - 0x0a00_0001
    }

    fn pong(tag: u8, entities: AsfEntities) -> Vec<u8> {
        let mut buffer = [0; PONG_MAX];
        let mut w = Writer::new(&mut buffer);
        let interactions = ipmi::number::AsfInteractions::NONE;
        Asf::Pong {
            tag,
            entities,
            interactions,
        }
        .encode(&mut w);
        w.written().to_vec()
    }

    /// Every ping of a scan with its time, in which those with an even index answer the first ping, each wake-up is late by up
    /// to `late_ms`, and now and then the machine stands still for a while.
    fn run(count: u32, pace: Pace, late_ms: u64, dice: &mut Dice) -> Vec<(Duration, SocketAddr)> {
        let mut sweep = Sweep::new(addresses(count), pace, 0xffff_ffff);
        let (mut now, mut pings) = (Duration::ZERO, Vec::new());
        loop {
            match sweep.step(now) {
                Step::Ping(address) => {
                    pings.push((now, address));
                    if index(address).is_multiple_of(2) {
                        sweep.heard(address, &pong(0x7f, AsfEntities::IPMI));
                    }
                    now += Duration::from_micros(dice.below(50));
                }
                Step::Wait(until) => {
                    assert!(until > now, "it would never end");
                    let stall = if dice.below(50) == 0 { 3_000 } else { 0 };
                    let late = dice.below(1_000 * (late_ms + stall) + 1);
                    now = until + Duration::from_micros(late);
                }
                Step::Done => break,
            }
        }
        assert_eq!(sweep.pings(), pings.len() as u64);
        let found = sweep.into_found();
        let wanted = (0..count).map(|n| n.is_multiple_of(2).then_some(true));
        assert!(found.into_iter().eq(wanted));
        pings
    }

    #[test]
    fn no_second_has_more_pings_than_allowed_and_every_address_is_asked_often_enough_and_no_more() {
        let mut dice = Dice(7);
        for (rate, count, late_ms) in [
            (1, 5, 0),
            (7, 40, 20),
            (100, 333, 2),
            (1_000, 3_001, 1),
            (1_000, 3_001, 30),
            (100_000, 20_001, 1),
        ] {
            for rounds in [1, 2, 3] {
                let patience = Duration::from_millis(500);
                let pace = Pace {
                    pings_per_s: rate,
                    rounds,
                    patience,
                };
                let pings = run(count, pace, late_ms, &mut dice);
                for (index, (first, _)) in pings.iter().enumerate() {
                    let after = pings.get(index + rate as usize);
                    let over = after.filter(|(at, _)| *at < *first + Duration::from_secs(1));
                    assert_eq!(over, None, "more than {rate} in the second from {first:?}");
                }
                let mut asked = vec![0; count as usize];
                for (_, address) in &pings {
                    asked[index(*address)] += 1;
                }
                for (index, asked) in asked.into_iter().enumerate() {
                    let wanted = if index.is_multiple_of(2) { 1 } else { rounds };
                    assert_eq!(asked, wanted, "{index}");
                }
            }
        }
    }

    #[test]
    fn where_nothing_is_late_it_takes_as_long_as_was_foretold() {
        let pace = Pace {
            pings_per_s: 1_000,
            rounds: 2,
            patience: Duration::from_secs(1),
        };
        let mut sweep = Sweep::new(addresses(1_000), pace, 1);
        let (mut now, mut pings) = (Duration::ZERO, 0);
        let ended = loop {
            match sweep.step(now) {
                Step::Ping(_) => pings += 1,
                Step::Wait(until) => now = until,
                Step::Done => break now,
            }
        };
        assert_eq!(pings, 2_000);
        let foretold = pace.longest(1_000);
        assert!(ended <= foretold && ended + Duration::from_millis(20) > foretold);
        assert!(
            foretold < Duration::from_millis(4_030),
            "a percent is for being late"
        );
    }

    #[test]
    fn only_an_answer_to_this_scan_counts_and_it_ends_when_all_have_answered() {
        let pace = Pace {
            pings_per_s: 10,
            rounds: 2,
            patience: Duration::from_secs(1),
        };
        let all = addresses(2);
        let mut sweep = Sweep::new(all.clone(), pace, 0x1ff);
        assert_eq!(sweep.step(Duration::ZERO), Step::Ping(all[0]));
        let stranger = "10.9.9.9:623".parse().unwrap();
        let elsewhere = SocketAddr::new(all[0].ip(), 624);
        sweep.heard(stranger, &pong(0x7f, AsfEntities::IPMI));
        sweep.heard(elsewhere, &pong(0x7f, AsfEntities::IPMI));
        sweep.heard(all[0], &pong(0x01, AsfEntities::IPMI));
        sweep.heard(all[0], b"nonsense");
        assert_eq!(sweep.progress(), (1, 0));
        sweep.heard(all[0], &pong(0x7f, AsfEntities::ASF_1_0));
        let Step::Wait(due) = sweep.step(Duration::ZERO) else {
            panic!("the second one is not due");
        };
        assert_eq!(sweep.step(due), Step::Ping(all[1]));
        sweep.heard(all[1], &pong(0x7f, AsfEntities::IPMI));
        sweep.heard(all[1], &pong(0x7f, AsfEntities::IPMI));
        assert_eq!(sweep.step(due), Step::Done);
        assert_eq!(sweep.into_found(), [Some(false), Some(true)]);
        let mut nobody = Sweep::new(Vec::new(), pace, 0);
        assert_eq!(nobody.step(Duration::ZERO), Step::Done);
    }
}
