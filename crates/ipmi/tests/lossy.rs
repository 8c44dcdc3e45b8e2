//! A network that loses, doubles, delays and reorders, on virtual time and from a seed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may, their helpers too"
)]

mod support;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use ipmi::command::app::GetDeviceId;
use ipmi::console::{Policy, RequestTarget, State};
use ipmi::number::{CompletionCode, NetFn};
use ipmi::time::Instant;
use support::{Happened, Pair, Seeded, config, login};

const ECHO: RequestTarget = RequestTarget {
    netfn: NetFn(0x30),
    cmd: 1,
    lun: 0,
};

/// Arrival, order of sending, whether it goes to the BMC, bytes.
type UnderWay = Reverse<(Instant, u64, bool, Vec<u8>)>;

struct Network {
    random: Seeded,
    under_way: BinaryHeap<UnderWay>,
    sent: u64,
    /// How long one datagram in eight takes at most, in milliseconds.
    slow_ms: u64,
}

impl Network {
    const fn new(seed: u64, slow_ms: u64) -> Self {
        Self {
            random: Seeded(seed),
            under_way: BinaryHeap::new(),
            sent: 0,
            slow_ms,
        }
    }

    /// One datagram in ten is lost, one in ten doubled.
    fn send(&mut self, now: Instant, to_bmc: bool, datagram: &[u8]) {
        let copies = match self.random.below(10) {
            0 => 0,
            1 => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let slow = self.random.below(8) == 0;
            let delay = self.random.below(if slow { self.slow_ms } else { 20 });
            self.sent += 1;
            let arrival = now + Duration::from_millis(delay);
            self.under_way
                .push(Reverse((arrival, self.sent, to_bmc, datagram.to_vec())));
        }
    }
}

/// Runs until something happens.
fn run(pair: &mut Pair, network: &mut Network) -> Happened {
    for _ in 0..100_000 {
        while let Some(datagram) = pair.transmit() {
            network.send(pair.now, true, &datagram);
        }
        let arrival = network.under_way.peek().map(|Reverse((at, ..))| *at);
        let deadline = pair.session.poll_timeout();
        let happened = match (arrival, deadline) {
            (Some(arrival), deadline) if deadline.is_none_or(|deadline| arrival <= deadline) => {
                let Some(Reverse((at, _, to_bmc, datagram))) = network.under_way.pop() else {
                    break;
                };
                pair.now = at;
                if to_bmc {
                    if let Some(reply) = pair.at_bmc(&datagram) {
                        network.send(pair.now, false, &reply);
                    }
                    None
                } else {
                    pair.at_console(&datagram)
                }
            }
            (_, Some(_)) => pair.time_out(),
            (_, None) => break,
        };
        if let Some(happened) = happened {
            return happened;
        }
    }
    panic!("nothing happens any more; state {:?}", pair.session.state());
}

/// Sends 200 numbered requests and logs in anew where the session was lost; the trace of it all.
fn talk(seed: u64) -> Vec<(bool, Vec<u8>)> {
    let policy = Policy {
        side_effect_attempts: 4,
        ..Policy::default()
    };
    let mut pair = Pair::with_policy(login(&[17]), config(), policy);
    // More than the first retry waits.
    let mut network = Network::new(seed, 800);
    let (mut answered, mut timed_out) = (0, 0);
    for number in 0..200u8 {
        while pair.session.state() != State::Established {
            pair.connect();
            run(&mut pair, &mut network);
        }
        pair.session
            .request_raw(pair.now, ECHO, &[number], false)
            .unwrap();
        match run(&mut pair, &mut network) {
            Happened::Response(code, data) => {
                assert_eq!(
                    (code, data),
                    (CompletionCode::OK, vec![number]),
                    "its own answer"
                );
                answered += 1;
            }
            Happened::TimedOut { maybe_executed } => {
                assert!(maybe_executed);
                timed_out += 1;
            }
            Happened::Lost => timed_out += 1,
            other => panic!("{other:?}"),
        }
    }
    for number in 0..200u8 {
        let times = pair
            .device
            .executed
            .iter()
            .filter(|request| request.2 == [number])
            .count();
        assert!(
            times <= 1,
            "request {number} was executed {times} times; seed {seed}"
        );
    }
    assert!(
        answered > 190,
        "{answered} answered, {timed_out} timed out; seed {seed}"
    );
    pair.trace
}

#[test]
fn every_request_gets_its_own_answer_and_none_is_executed_twice() {
    for seed in 0..20 {
        talk(seed);
    }
}

/// Off and on by turns with readings between them, faster than rqSeq goes round in the BMC's memory.
#[test]
fn a_change_is_executed_once_if_it_was_answered_and_at_most_once_if_not() {
    const CONTROL: RequestTarget = RequestTarget {
        netfn: NetFn::CHASSIS,
        cmd: 2,
        lun: 0,
    };
    for seed in 0..10 {
        let policy = Policy {
            side_effect_attempts: 4,
            first_retry_ms: 30,
            ..Policy::default()
        };
        let mut pair = Pair::with_policy(login(&[17]), config(), policy);
        let mut network = Network::new(seed, 60);
        let changes = |pair: &Pair| {
            let executed = pair.device.executed.iter();
            executed.filter(|request| request.0 == 0).count()
        };
        let mut answered = 0;
        for number in 0..1_000u16 {
            while pair.session.state() != State::Established {
                pair.connect();
                run(&mut pair, &mut network);
            }
            let before = changes(&pair);
            let is_change = number % 32 == 0;
            let action = (number / 32 % 2).to_le_bytes()[0];
            let asked = if is_change {
                pair.session
                    .request_raw(pair.now, CONTROL, &[action], false)
            } else {
                pair.session.request(pair.now, &GetDeviceId)
            };
            asked.unwrap();
            let happened = run(&mut pair, &mut network);
            let executed = changes(&pair) - before;
            match happened {
                Happened::Response(..) => {
                    assert_eq!(executed, usize::from(is_change), "{number}, seed {seed}");
                    answered += executed;
                }
                _ => assert!(executed <= usize::from(is_change), "{number}, seed {seed}"),
            }
        }
        assert!(
            answered > 29,
            "{answered} of 32 changes answered, seed {seed}"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    assert!(talk(7) == talk(7));
}
