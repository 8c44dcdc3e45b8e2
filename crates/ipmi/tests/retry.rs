//! Requests whose datagrams get lost, late, doubled or replayed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may, their helpers too"
)]

mod support;

use ipmi::bmc::REPLY_KEPT_MS;
use ipmi::command::app::GetDeviceId;
use ipmi::console::{Ignored, Policy, RequestTarget, State};
use ipmi::number::{CipherSuiteId, CompletionCode, NetFn};
use ipmi::quirk::{Quirk, Quirks};
use ipmi::wire::message::LanMessage;
use ipmi::wire::session::SessionHeader;
use ipmi::wire::{DATAGRAM_MAX, Reader};
use support::{DEVICE_ID, Happened, Pair, config, login};

const CHASSIS_CONTROL: RequestTarget = RequestTarget {
    netfn: NetFn::CHASSIS,
    cmd: 2,
    lun: 0,
};
const ECHO: RequestTarget = RequestTarget {
    netfn: NetFn(0x30),
    cmd: 1,
    lun: 0,
};

fn device_id() -> Happened {
    Happened::Response(CompletionCode::OK, DEVICE_ID.to_vec())
}

fn with_policy(policy: Policy) -> Pair {
    let mut pair = Pair::with_policy(login(&[17]), config(), policy);
    pair.establish();
    pair.trace.clear();
    pair
}

fn established() -> Pair {
    with_policy(Policy::default())
}

#[test]
fn a_retry_uses_a_new_session_sequence_number_and_the_same_rqseq() {
    // Suite 2 protects without hiding, so that the message can be read on the way.
    let suite_2 = ipmi::bmc::Config {
        suites: vec![CipherSuiteId(2)],
        ..config()
    };
    let mut pair = Pair::new(login(&[2]), suite_2);
    pair.establish();
    pair.trace.clear();
    pair.session.request(pair.now, &GetDeviceId).unwrap();
    let mut lost = 2;
    let result = pair.run_over(|console, _| {
        if console && lost > 0 {
            lost -= 1;
            return 0;
        }
        1
    });
    assert_eq!(result, device_id());
    let sent: Vec<(u32, u8)> = pair
        .trace
        .iter()
        .filter(|(console, _)| *console)
        .map(|(_, datagram)| {
            let mut r = Reader::new(&datagram[4..]);
            let SessionHeader::RmcpPlus(header) = SessionHeader::decode(&mut r).unwrap() else {
                panic!("not RMCP+")
            };
            let payload = r.take("payload", usize::from(header.payload_len)).unwrap();
            (
                header.sequence,
                LanMessage::decode(payload).unwrap().header.rq_seq,
            )
        })
        .collect();
    let [(first, rq_seq), second, third] = sent[..] else {
        panic!("{sent:?}")
    };
    assert_eq!([second, third], [(first + 1, rq_seq), (first + 2, rq_seq)]);
}

#[test]
fn a_side_effect_is_sent_once_and_its_time_out_says_that_it_may_have_happened() {
    let mut pair = established();
    pair.session
        .request_raw(pair.now, CHASSIS_CONTROL, &[1], false)
        .unwrap();
    let result = pair.run_over(|console, _| usize::from(console));
    assert_eq!(
        result,
        Happened::TimedOut {
            maybe_executed: true
        }
    );
    assert_eq!(pair.trace.iter().filter(|(console, _)| *console).count(), 1);
    assert_eq!(pair.device.executed.len(), 1);
    assert_eq!(pair.session.state(), State::Established);
    // The next request is not disturbed by the late answer.
    let late = pair.trace.last().unwrap().1.clone();
    pair.session.request(pair.now, &GetDeviceId).unwrap();
    assert_eq!(pair.at_console(&late), None);
    assert_eq!(pair.ignored, [Ignored::Late]);
    assert_eq!(pair.run(), device_id());
}

#[test]
fn a_policy_may_repeat_side_effects_and_the_bmc_still_executes_them_once() {
    let mut pair = with_policy(Policy {
        side_effect_attempts: 3,
        ..Policy::default()
    });
    pair.session
        .request_raw(pair.now, CHASSIS_CONTROL, &[1], false)
        .unwrap();
    let mut lost = 2;
    let result = pair.run_over(|console, _| {
        if !console && lost > 0 {
            lost -= 1;
            return 0;
        }
        1
    });
    assert_eq!(result, Happened::Response(CompletionCode::OK, vec![]));
    assert_eq!(pair.device.executed, [(0, 2, vec![1])]);
}

#[test]
fn the_same_request_twice_is_two_requests() {
    let mut pair = established();
    for _ in 0..70 {
        pair.session
            .request_raw(pair.now, CHASSIS_CONTROL, &[1], false)
            .unwrap();
        assert_eq!(pair.run(), Happened::Response(CompletionCode::OK, vec![]));
    }
    assert_eq!(pair.device.executed.len(), 70);
}

/// Reads `count` times, 20 ms apart.
fn read(pair: &mut Pair, count: usize) {
    for _ in 0..count {
        pair.session.request(pair.now, &GetDeviceId).unwrap();
        assert_eq!(pair.run(), device_id());
        pair.wait(20);
    }
}

/// The actions of the Chassis Control commands that were executed.
fn controlled(pair: &Pair) -> Vec<u8> {
    let control = |request: &&(u8, u8, Vec<u8>)| (request.0, request.1) == (0, 2);
    let executed = pair.device.executed.iter().filter(control);
    executed.map(|request| request.2[0]).collect()
}

fn control(pair: &mut Pair, action: u8) -> Happened {
    pair.session
        .request_raw(pair.now, CHASSIS_CONTROL, &[action], false)
        .unwrap();
    pair.run()
}

#[test]
fn a_change_with_the_bytes_of_one_64_requests_ago_is_executed() {
    let done = Happened::Response(CompletionCode::OK, vec![]);
    let mut pair = established();
    assert_eq!(control(&mut pair, 3), done);
    read(&mut pair, 63);
    assert_eq!(control(&mut pair, 3), done);
    assert_eq!(controlled(&pair), [3, 3]);
    let mut pair = established();
    assert_eq!(control(&mut pair, 0), done);
    read(&mut pair, 30);
    assert_eq!(control(&mut pair, 1), done);
    read(&mut pair, 32);
    assert_eq!(control(&mut pair, 0), done);
    assert_eq!(controlled(&pair), [0, 1, 0]);
}

#[test]
fn a_remembered_reply_is_forgotten_after_its_time() {
    let policy = Policy {
        first_retry_ms: REPLY_KEPT_MS,
        longest_retry_ms: 60_000,
        side_effect_attempts: 4,
        ..Policy::default()
    };
    let mut pair = with_policy(policy);
    pair.session
        .request_raw(pair.now, CHASSIS_CONTROL, &[1], false)
        .unwrap();
    // The first retry comes just in time; the second, 10 s later, doesn't.
    let mut lost = 2;
    let result = pair.run_over(|console, _| {
        if !console && lost > 0 {
            lost -= 1;
            return 0;
        }
        1
    });
    assert_eq!(result, Happened::Response(CompletionCode::OK, vec![]));
    assert_eq!(pair.device.executed.len(), 2);
}

#[test]
fn a_straggling_retry_of_an_answered_request_is_not_executed_again() {
    let mut pair = with_policy(Policy {
        side_effect_attempts: 3,
        ..Policy::default()
    });
    pair.session
        .request_raw(pair.now, CHASSIS_CONTROL, &[1], false)
        .unwrap();
    let first = pair.transmit().unwrap();
    assert_eq!(pair.time_out(), None);
    let straggler = pair.transmit().unwrap();
    let reply = pair.at_bmc(&first).unwrap();
    assert!(pair.at_console(&reply).is_some());
    pair.session
        .request_raw(pair.now, CHASSIS_CONTROL, &[0], false)
        .unwrap();
    assert!(matches!(pair.run(), Happened::Response(..)));
    assert_eq!(pair.at_bmc(&straggler), None);
    assert_eq!(pair.device.executed, [(0, 2, vec![1]), (0, 2, vec![0])]);
}

#[test]
fn a_replayed_datagram_is_neither_executed_nor_answered_nor_believed() {
    let mut pair = established();
    pair.session
        .request_raw(pair.now, CHASSIS_CONTROL, &[1], false)
        .unwrap();
    assert_eq!(
        pair.run_over(|_, _| 3),
        Happened::Response(CompletionCode::OK, vec![])
    );
    let trace = core::mem::take(&mut pair.trace);
    for (console, datagram) in &trace {
        if *console {
            assert_eq!(pair.at_bmc(datagram), None);
        } else {
            assert_eq!(pair.at_console(datagram), None);
        }
    }
    assert_eq!(pair.device.executed.len(), 1);
    assert!(
        pair.ignored
            .iter()
            .all(|ignored| *ignored == Ignored::Duplicate),
        "{:?}",
        pair.ignored
    );
}

#[test]
fn every_flipped_bit_is_noticed_and_moves_no_window() {
    for suite in [3, 17] {
        let mut pair = Pair::new(login(&[suite]), config());
        pair.establish();
        pair.session.request(pair.now, &GetDeviceId).unwrap();
        let request = pair.transmit().unwrap();
        let flipped = |datagram: &[u8], bit: usize| {
            let mut bytes = datagram.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        };
        // The three RMCP bytes that carry nothing for IPMI are not protected by the protocol.
        let protected = |len: usize| (0..len * 8).filter(|bit| !(8..24).contains(bit));
        for bit in protected(request.len()) {
            assert_eq!(pair.at_bmc(&flipped(&request, bit)), None, "bit {bit}");
        }
        let reply = pair.at_bmc(&request).unwrap();
        for bit in protected(reply.len()) {
            assert_eq!(pair.at_console(&flipped(&reply, bit)), None, "bit {bit}");
        }
        assert_eq!(pair.at_console(&reply), Some(device_id()));
    }
}

#[test]
fn a_busy_bmc_is_asked_again_under_a_new_rqseq() {
    let mut pair = established();
    pair.device.busy = 2;
    pair.session
        .request_raw(pair.now, CHASSIS_CONTROL, &[1], false)
        .unwrap();
    assert_eq!(pair.run(), Happened::Response(CompletionCode::OK, vec![]));
    assert_eq!(pair.device.executed.len(), 1);
    pair.device.busy = 100;
    pair.session.request(pair.now, &GetDeviceId).unwrap();
    assert_eq!(
        pair.run(),
        Happened::Response(CompletionCode::NODE_BUSY, vec![])
    );
}

/// A session with a BMC that has this defect.
fn with_defect(quirk: Quirk) -> Pair {
    let deviating = ipmi::bmc::Config {
        defects: Quirks::NONE.with(quirk),
        ..config()
    };
    let mut pair = Pair::new(login(&[17]), deviating);
    pair.establish();
    pair
}

#[test]
fn a_bmc_that_is_busy_or_behind_for_a_moment_costs_a_moment() {
    for quirk in [Quirk::OftenBusy, Quirk::StaleAnswerFirst] {
        let mut pair = with_defect(quirk);
        let began = pair.now;
        for _ in 0..100 {
            pair.session.request(pair.now, &GetDeviceId).unwrap();
            assert_eq!(pair.run(), device_id(), "{quirk}");
        }
        // A request in four is hit.
        let took_ms = pair.now.since(began).as_millis();
        assert!((100..=500).contains(&took_ms), "{quirk}: {took_ms} ms");
    }
}

#[test]
fn a_bmc_that_stays_busy_is_asked_ever_more_rarely_and_a_bounded_number_of_times() {
    let mut pair = established();
    pair.device.busy = 100;
    let began = pair.now;
    pair.session.request(pair.now, &GetDeviceId).unwrap();
    let busy = Happened::Response(CompletionCode::NODE_BUSY, vec![]);
    assert_eq!(pair.run(), busy);
    let took_ms = pair.now.since(began).as_millis();
    assert!((900..=1_100).contains(&took_ms), "{took_ms} ms");
    assert_eq!(100 - pair.device.busy, 8);
}

#[test]
fn an_answer_that_straggles_makes_nobody_hurry() {
    let mut pair = established();
    pair.session.request(pair.now, &GetDeviceId).unwrap();
    let first = pair.transmit().unwrap();
    let late = pair.at_bmc(&first).unwrap();
    assert_eq!(pair.time_out(), None);
    let second = pair.transmit().unwrap();
    let answer = pair.at_bmc(&second).unwrap();
    assert_eq!(pair.at_console(&answer), Some(device_id()));
    pair.session.request(pair.now, &GetDeviceId).unwrap();
    pair.transmit().unwrap();
    let deadline = pair.session.poll_timeout();
    assert_eq!(pair.at_console(&late), None);
    assert_eq!(pair.ignored, [Ignored::Late]);
    assert_eq!(pair.session.poll_timeout(), deadline);
}

#[test]
fn a_change_is_not_repeated_because_another_answer_came() {
    let mut pair = with_defect(Quirk::StaleAnswerFirst);
    let mut unanswered = 0;
    for _ in 0..20 {
        pair.session
            .request_raw(pair.now, CHASSIS_CONTROL, &[3], false)
            .unwrap();
        match pair.run() {
            Happened::Response(CompletionCode::OK, _) => {}
            Happened::TimedOut { maybe_executed } => {
                assert!(maybe_executed);
                unanswered += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!((1..=5).contains(&unanswered), "{unanswered}");
    assert_eq!(controlled(&pair).len(), 20 - unanswered);
}

/// Runs the first request to its time-out, and answers its repetition with `code` only.
fn second_sending_answered(pair: &mut Pair, code: u8) -> Option<Happened> {
    let first = pair.transmit().unwrap();
    pair.at_bmc(&first).unwrap();
    assert_eq!(pair.time_out(), None);
    let second = pair.transmit().unwrap();
    // Another BMC than ours keeps no replies: ours forgets after a while.
    pair.wait(u64::from(REPLY_KEPT_MS) + 1);
    pair.device.answers = Some(code);
    let reply = pair.at_bmc(&second).unwrap();
    pair.device.answers = None;
    pair.at_console(&reply)
}

#[test]
fn busy_after_a_sending_without_answer_does_not_execute_a_side_effect_again() {
    let mut pair = with_policy(Policy {
        side_effect_attempts: 2,
        ..Policy::default()
    });
    let ask = |pair: &mut Pair| {
        pair.session
            .request_raw(pair.now, CHASSIS_CONTROL, &[3], false)
            .unwrap();
    };
    ask(&mut pair);
    let maybe_executed = true;
    assert_eq!(
        second_sending_answered(&mut pair, 0xc0),
        Some(Happened::TimedOut { maybe_executed })
    );
    assert_eq!(pair.transmit(), None);
    assert_eq!(controlled(&pair), [3]);
    // What is idempotent is asked again.
    pair.session.request(pair.now, &GetDeviceId).unwrap();
    assert_eq!(second_sending_answered(&mut pair, 0xc0), None);
    assert_eq!(pair.run(), device_id());
}

#[test]
fn duplicated_request_means_that_the_answer_to_the_first_is_on_its_way() {
    let mut pair = established();
    pair.session.request(pair.now, &GetDeviceId).unwrap();
    let first = pair.transmit().unwrap();
    let answer = pair.at_bmc(&first).unwrap();
    assert_eq!(pair.time_out(), None);
    let second = pair.transmit().unwrap();
    pair.device.answers = Some(0xcf);
    let reply = pair.at_bmc(&second).unwrap();
    assert_eq!(pair.at_console(&reply), None);
    assert_eq!(pair.at_console(&answer), Some(device_id()));
    // To a request that was sent once it is an answer like others.
    pair.session.request(pair.now, &GetDeviceId).unwrap();
    let once = Happened::Response(CompletionCode::DUPLICATE_REQUEST, vec![]);
    assert_eq!(pair.run(), once);
}

/// Sends until an answer or a time-out, at a BMC that refuses what it has seen; its first answer is lost.
fn asked_where_the_answer_is_lost(
    policy: Policy,
    target: RequestTarget,
    idempotent: bool,
) -> (Happened, usize) {
    let refusing = ipmi::bmc::Config {
        defects: Quirks::NONE.with(Quirk::DuplicateRefused),
        ..config()
    };
    let mut pair = Pair::with_policy(login(&[17]), refusing, policy);
    pair.establish();
    pair.session
        .request_raw(pair.now, target, &[3], idempotent)
        .unwrap();
    let mut lost = 1;
    let result = pair.run_over(|console, _| {
        if !console && lost > 0 {
            lost -= 1;
            return 0;
        }
        1
    });
    (result, pair.device.executed.len())
}

#[test]
fn where_repetitions_are_refused_and_the_answer_is_lost_only_the_harmless_is_asked_anew() {
    let (result, executed) = asked_where_the_answer_is_lost(Policy::default(), ECHO, true);
    assert_eq!(result, Happened::Response(CompletionCode::OK, vec![3]));
    assert_eq!(executed, 2);
    let insistent = Policy {
        side_effect_attempts: 4,
        ..Policy::default()
    };
    let (result, executed) = asked_where_the_answer_is_lost(insistent, CHASSIS_CONTROL, false);
    let maybe_executed = true;
    assert_eq!(result, Happened::TimedOut { maybe_executed });
    assert_eq!(executed, 1);
}

#[test]
fn keep_alives_hold_a_session_that_asks_nothing() {
    let mut pair = established();
    for _ in 0..20 {
        while let Some(request) = pair.transmit() {
            let reply = pair.at_bmc(&request).unwrap();
            assert_eq!(pair.at_console(&reply), None);
        }
        assert_eq!(pair.time_out(), None);
    }
    assert!(
        pair.now.as_nanos() > 120_000_000_000,
        "the BMC's patience is 60 s"
    );
    pair.session.request(pair.now, &GetDeviceId).unwrap();
    assert_eq!(pair.run(), device_id());
}

#[test]
fn a_request_goes_before_a_keep_alive_in_flight() {
    let mut pair = established();
    assert_eq!(pair.time_out(), None);
    let keep_alive = pair.transmit().unwrap();
    assert!(!pair.session.is_busy());
    pair.session
        .request_raw(pair.now, ECHO, &[5], true)
        .unwrap();
    let late = pair.at_bmc(&keep_alive).unwrap();
    assert_eq!(pair.at_console(&late), None);
    assert_eq!(pair.run(), Happened::Response(CompletionCode::OK, vec![5]));
}

#[test]
fn a_session_goes_on_after_one_keep_alive_whose_repetitions_were_all_lost() {
    let mut pair = established();
    // It is due, and then it is sent as often as any request, and waited for.
    for _ in 0..=Policy::default().attempts {
        assert_eq!(pair.time_out(), None);
        assert!(pair.session.keeps_alive());
        assert!(pair.transmit().is_some());
    }
    assert_eq!(pair.session.state(), State::Established);
    assert_eq!(pair.time_out(), None);
    let asked = pair.transmit().unwrap();
    let reply = pair.at_bmc(&asked).unwrap();
    assert_eq!(pair.at_console(&reply), None);
    assert!(!pair.session.keeps_alive());
}

#[test]
fn a_bmc_that_answers_no_keep_alive_is_given_up() {
    let mut pair = established();
    let mut sendings = 0;
    while pair.session.state() == State::Established {
        let happened = pair.time_out();
        sendings += u32::from(pair.transmit().is_some());
        assert!(matches!(happened, None | Some(Happened::Lost)));
    }
    let Policy {
        attempts,
        lost_after,
        ..
    } = Policy::default();
    // And Close Session.
    assert_eq!(sendings, u32::from(attempts * lost_after) + 1);
}

#[test]
fn without_keep_alives_the_bmc_ends_the_session_after_its_time() {
    let mut pair = with_policy(Policy {
        keepalive_ms: 0,
        ..Policy::default()
    });
    assert_eq!(pair.session.poll_timeout(), None);
    pair.wait(u64::from(config().inactivity_ms) + 1);
    pair.bmc.expire(pair.now);
    assert_eq!(pair.bmc.session_count(), 0);
}

#[test]
fn a_bmc_that_restarted_is_noticed_and_can_be_logged_in_to_again() {
    let mut pair = established();
    pair.bmc.reset();
    for expected in [
        Happened::TimedOut {
            maybe_executed: false,
        },
        Happened::Lost,
    ] {
        pair.session.request(pair.now, &GetDeviceId).unwrap();
        assert_eq!(pair.run(), expected);
    }
    assert_eq!(pair.session.state(), State::Idle);
    pair.establish();
}

#[test]
fn a_session_is_closed_even_if_the_bmc_does_not_answer() {
    let mut pair = established();
    pair.session.close(pair.now);
    assert_eq!(pair.run_over(|_, _| 0), Happened::Closed);
    assert_eq!(pair.trace.len(), 2, "Close Session, twice");
    assert_eq!(pair.session.state(), State::Idle);
}

#[test]
fn a_too_short_buffer_loses_one_sending_only() {
    let mut pair = established();
    pair.session.request(pair.now, &GetDeviceId).unwrap();
    let mut short = [0; 20];
    assert_eq!(
        pair.session
            .poll_transmit(pair.now, &mut pair.entropy, &mut short),
        None
    );
    assert_eq!(pair.time_out(), None);
    let mut out = [0; DATAGRAM_MAX];
    assert!(
        pair.session
            .poll_transmit(pair.now, &mut pair.entropy, &mut out)
            .is_some()
    );
}

/// Asks for the device ID over a network on which each answer takes `delay_ms`, but for those that `is_lost`. Answers may come after
/// the request they belong to is over; those are in `under_way`.
fn ask_slow_bmc(
    pair: &mut Pair,
    under_way: &mut Vec<(ipmi::time::Instant, Vec<u8>)>,
    delay_ms: u64,
    mut is_lost: impl FnMut() -> bool,
) -> Happened {
    pair.session.request(pair.now, &GetDeviceId).unwrap();
    for _ in 0..100 {
        while let Some(request) = pair.transmit() {
            let arrives = pair.now + std::time::Duration::from_millis(delay_ms);
            let reply = pair.at_bmc(&request).filter(|_| !is_lost());
            under_way.extend(reply.map(|reply| (arrives, reply)));
        }
        let deadline = pair.session.poll_timeout().unwrap();
        let is_next = under_way.first().is_some_and(|(at, _)| *at <= deadline);
        let happened = if is_next {
            let (at, reply) = under_way.remove(0);
            pair.now = pair.now.max(at);
            pair.at_console(&reply)
        } else {
            pair.time_out()
        };
        if let Some(happened) = happened {
            return happened;
        }
    }
    panic!("nothing happened")
}

fn sent(pair: &Pair) -> usize {
    pair.trace.iter().filter(|(console, _)| *console).count()
}

#[test]
fn a_bmc_that_is_slower_than_the_first_wait_is_soon_asked_once_and_a_quick_one_waited_for_as_before()
 {
    let mut pair = established();
    let mut under_way = Vec::new();
    for _ in 0..4 {
        assert_eq!(
            ask_slow_bmc(&mut pair, &mut under_way, 700, || false),
            device_id()
        );
    }
    let before = sent(&pair);
    for _ in 0..50 {
        assert_eq!(
            ask_slow_bmc(&mut pair, &mut under_way, 700, || false),
            device_id()
        );
    }
    assert_eq!(sent(&pair) - before, 50, "none of them twice");
    // It has become quick: a lost request is repeated after half a second again.
    for _ in 0..100 {
        assert_eq!(
            ask_slow_bmc(&mut pair, &mut under_way, 3, || false),
            device_id()
        );
    }
    pair.session.request(pair.now, &GetDeviceId).unwrap();
    let asked_at = pair.now;
    pair.transmit().unwrap();
    let repeat_at = pair.session.poll_timeout().unwrap();
    assert_eq!(repeat_at.since(asked_at).as_millis(), 500);
}

#[test]
fn loss_makes_no_wait_longer() {
    let mut pair = established();
    let mut under_way = Vec::new();
    // Every third or so, and never all of one request.
    let (mut random, mut in_a_row) = (support::Seeded(3), 0);
    let mut is_lost = || {
        in_a_row = if in_a_row < 3 && random.below(3) == 0 {
            in_a_row + 1
        } else {
            0
        };
        in_a_row > 0
    };
    for _ in 0..300 {
        let asked_at = pair.now;
        let before = sent(&pair);
        let happened = ask_slow_bmc(&mut pair, &mut under_way, 20, &mut is_lost);
        assert_eq!(happened, device_id());
        let repeats = sent(&pair) - before - 1;
        let waited: u64 = (0..repeats).map(|n| 500 << n).sum();
        assert_eq!(
            pair.now.since(asked_at).as_millis(),
            u128::from(waited + 20)
        );
    }
}
