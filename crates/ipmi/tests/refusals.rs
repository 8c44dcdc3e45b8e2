//! BMCs that refuse in their own way, and refusals that somebody else forged.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may, their helpers too"
)]

mod support;

use ipmi::bmc::Config;
use ipmi::console::{Addressee, Login, LoginFailure, Policy, State, addressee};
use ipmi::number::{CipherSuiteId, CompletionCode, NetFn, PayloadType, RakpStatus};
use ipmi::wire::message::{LanMessage, MessageHeader};
use ipmi::wire::rakp::{OpenSessionResponse, Rakp2, Rakp4};
use ipmi::wire::session::encode_v15_sessionless;
use ipmi::wire::{Reader, Writer};
use support::{Happened, Pair, config, is, login, packet, payload};

fn failed(failure: LoginFailure) -> Happened {
    Happened::LoginFailed(failure)
}

/// A refusal with tag and console session ID 0, as an answer of this type.
fn nobodys(answer: PayloadType, status: RakpStatus) -> Vec<u8> {
    let (tag, console_session_id) = (0, 0);
    packet(answer, |w| match answer {
        PayloadType::OPEN_SESSION_RESPONSE => OpenSessionResponse {
            tag,
            console_session_id: Some(console_session_id),
            outcome: Err(status),
        }
        .encode(w),
        PayloadType::RAKP_2 => Rakp2 {
            tag,
            console_session_id,
            outcome: Err(status),
        }
        .encode(w),
        _ => Rakp4 {
            tag,
            console_session_id,
            outcome: Err(status),
        }
        .encode(w),
    })
}

const ANSWERS: [PayloadType; 3] = [
    PayloadType::OPEN_SESSION_RESPONSE,
    PayloadType::RAKP_2,
    PayloadType::RAKP_4,
];

/// Runs a log-in against a BMC whose answers of type `answer` are replaced by what `instead` says.
fn log_in(
    pair: &mut Pair,
    answer: PayloadType,
    mut instead: impl FnMut() -> Option<Vec<u8>>,
) -> Happened {
    pair.connect();
    for _ in 0..1_000 {
        while let Some(request) = pair.transmit() {
            let Some(mut reply) = pair.at_bmc(&request) else {
                continue;
            };
            if is(&reply, answer) {
                let Some(other) = instead() else { continue };
                reply = other;
                assert_eq!(addressee(&reply), Ok(Addressee::Sessionless));
            }
            if let Some(happened) = pair.at_console(&reply) {
                return happened;
            }
        }
        if let Some(happened) = pair.time_out() {
            return happened;
        }
    }
    panic!("nothing happened; state {:?}", pair.session.state());
}

#[test]
fn a_refusal_without_tag_and_session_id_is_understood_after_the_steps_time() {
    for answer in ANSWERS {
        let mut pair = Pair::new(login(&[17]), config());
        let status = RakpStatus::UNAUTHORIZED_NAME;
        let happened = log_in(&mut pair, answer, || Some(nobodys(answer, status)));
        assert_eq!(happened, failed(LoginFailure::UnknownUser), "{answer}");
        assert_eq!(
            pair.now.as_nanos() / 1_000_000,
            500,
            "not after all attempts"
        );
    }
}

#[test]
fn a_forged_refusal_does_not_end_a_log_in_that_the_bmc_answers() {
    let mut pair = Pair::new(login(&[17]), config());
    pair.connect();
    while pair.session.state() == State::Connecting {
        let request = pair.transmit().unwrap();
        for answer in ANSWERS {
            pair.at_console(&nobodys(answer, RakpStatus::UNAUTHORIZED_NAME));
        }
        let reply = pair.at_bmc(&request).unwrap();
        pair.at_console(&reply);
    }
    assert_eq!(pair.session.state(), State::Established);
    assert_eq!(pair.now.as_nanos(), 0, "and costs no time");
}

#[test]
fn a_bmc_that_forgot_the_half_open_session_is_asked_for_another() {
    for answer in [PayloadType::RAKP_2, PayloadType::RAKP_4] {
        let mut pair = Pair::new(login(&[17]), config());
        let mut forgets = 2;
        pair.connect();
        let happened = loop {
            while let Some(request) = pair.transmit() {
                let Some(mut reply) = pair.at_bmc(&request) else {
                    continue;
                };
                if is(&reply, answer) && forgets > 0 {
                    forgets -= 1;
                    reply = nobodys(answer, RakpStatus::INVALID_SESSION_ID);
                }
                pair.at_console(&reply);
            }
            if pair.session.state() == State::Established {
                break State::Established;
            }
            assert_eq!(pair.time_out(), None);
        };
        assert_eq!(happened, State::Established);
        assert_eq!(forgets, 0);
    }
}

#[test]
fn a_refusal_that_names_another_session_is_ignored() {
    let mut pair = Pair::new(login(&[17]), config());
    pair.connect();
    let mut refused = 0;
    while pair.session.state() == State::Connecting {
        let request = pair.transmit().unwrap();
        let reply = pair.at_bmc(&request).unwrap();
        if let kind @ (PayloadType::OPEN_SESSION_RESPONSE
        | PayloadType::RAKP_2
        | PayloadType::RAKP_4) = payload(&reply).0
        {
            let mut other = nobodys(kind, RakpStatus::UNAUTHORIZED_NAME);
            other[16] = payload(&reply).1[0];
            other[20] = 99;
            assert_eq!(pair.at_console(&other), None);
            refused += 1;
        }
        pair.at_console(&reply);
    }
    assert_eq!((refused, pair.ignored.len()), (3, 3));
}

/// The answer to a question outside a session with a completion code only.
fn refuse(request: &[u8], code: CompletionCode) -> Vec<u8> {
    let header = LanMessage::decode(&request[14..]).unwrap().header;
    let mut buffer = [0; 64];
    let mut w = Writer::new(&mut buffer);
    encode_v15_sessionless(&mut w, |w| {
        MessageHeader::response(&header).encode(w, |w| w.u8(code.0));
    });
    w.written().to_vec()
}

#[test]
fn a_bmc_that_has_just_started_is_asked_again() {
    for code in [0xc0, 0xc3, 0xd2].map(CompletionCode) {
        let mut pair = Pair::new(login(&[17]), config());
        pair.connect();
        for _ in 0..3 {
            let request = pair.transmit().unwrap();
            assert_eq!(pair.at_console(&refuse(&request, code)), None);
            assert_eq!(pair.time_out(), None);
        }
        assert_eq!(pair.run(), Happened::Established);
        // One that goes on like that is given up.
        pair.connect();
        let failed_so = loop {
            if let Some(request) = pair.transmit() {
                pair.at_console(&refuse(&request, code));
            }
            if let Some(happened) = pair.time_out() {
                break happened;
            }
        };
        assert_eq!(failed_so, failed(LoginFailure::CommandRejected(code)));
    }
}

#[test]
fn a_bmc_that_takes_the_question_for_2_0_for_a_wrong_channel_is_asked_in_the_old_way() {
    let mut pair = Pair::new(login(&[17]), config());
    pair.connect();
    let request = pair.transmit().unwrap();
    let code = CompletionCode::INVALID_DATA_FIELD;
    assert_eq!(pair.at_console(&refuse(&request, code)), None);
    assert_eq!(pair.time_out(), None);
    let plain = pair.transmit().unwrap();
    assert_eq!((request[20], plain[20]), (0x8e, 0x0e));
    let header = LanMessage::decode(&plain[14..]).unwrap().header;
    assert_eq!((header.netfn, header.cmd), (NetFn::APP, 0x38));
    let reply = pair.at_bmc(&plain).unwrap();
    assert_eq!(pair.at_console(&reply), None);
    assert_eq!(pair.time_out(), Some(failed(LoginFailure::NotRmcpPlus)));
}

#[test]
fn a_full_table_is_tried_again_before_log_in_fails() {
    let full = Config {
        session_max: 0,
        ..config()
    };
    let mut pair = Pair::new(login(&[17]), full);
    pair.connect();
    assert_eq!(pair.run(), failed(LoginFailure::Resources));
    let opens = |pair: &Pair| {
        let sent = pair.trace.iter();
        sent.filter(|(_, datagram)| is(datagram, PayloadType::OPEN_SESSION_REQUEST))
            .count()
    };
    assert_eq!(opens(&pair), usize::from(Policy::default().attempts));
}

#[test]
fn a_suite_that_is_tied_to_another_level_gives_way_to_the_next() {
    let mut pair = Pair::new(login(&[17, 3]), config());
    pair.connect();
    loop {
        let request = pair.transmit().unwrap();
        let mut reply = pair.at_bmc(&request).unwrap();
        // Authentication algorithm 3 is suite 17's.
        if is(&request, PayloadType::OPEN_SESSION_REQUEST) && payload(&request).1[12] == 3 {
            let body = payload(&reply).1;
            let response = OpenSessionResponse {
                outcome: Err(RakpStatus::UNAUTHORIZED_ROLE),
                ..OpenSessionResponse::decode(&mut Reader::new(body)).unwrap()
            };
            reply = packet(PayloadType::OPEN_SESSION_RESPONSE, |w| response.encode(w));
        }
        pair.at_console(&reply);
        if pair.session.state() == State::Established {
            break;
        }
    }
    assert_eq!(pair.session.suite(), Some(CipherSuiteId(3)));
}

/// A BMC that doesn't let a console's new attempt take the place of its old one: each comes from another port.
fn stubborn(pair: &mut Pair, mut lost: impl FnMut(&[u8]) -> bool) -> Option<Happened> {
    let mut port = 40_000;
    let mut port_of = std::collections::HashMap::new();
    pair.connect();
    for _ in 0..1_000 {
        while let Some(request) = pair.transmit() {
            if is(&request, PayloadType::OPEN_SESSION_REQUEST) {
                port += 1;
            }
            // A packet of a session comes from where that was opened.
            let session = (request[4..6] != [6, 0x10]).then(|| request[6..10].to_vec());
            let opened = session.and_then(|id| port_of.get(&id).copied());
            pair.peer.set_port(opened.unwrap_or(port));
            let Some(reply) = pair.at_bmc(&request) else {
                continue;
            };
            if is(&reply, PayloadType::OPEN_SESSION_RESPONSE) {
                port_of.insert(payload(&reply).1[8..12].to_vec(), port);
            }
            if lost(&reply) {
                continue;
            }
            if let Some(happened) = pair.at_console(&reply) {
                // What is left to say.
                while let Some(request) = pair.transmit() {
                    pair.peer.set_port(port_of[&request[6..10]]);
                    pair.at_bmc(&request);
                }
                return Some(happened);
            }
        }
        if pair.session.state() == State::Connecting
            && let Some(happened) = pair.time_out()
        {
            while let Some(request) = pair.transmit() {
                pair.peer.set_port(port_of[&request[6..10]]);
                pair.at_bmc(&request);
            }
            return Some(happened);
        }
    }
    None
}

#[test]
fn sessions_whose_rakp_4_was_lost_are_closed() {
    let mut pair = Pair::new(login(&[17]), config());
    let happened = stubborn(&mut pair, |reply| is(reply, PayloadType::RAKP_4));
    assert_eq!(happened, Some(failed(LoginFailure::NoAnswer)));
    assert_eq!(pair.bmc.session_count(), 0);
    let mut pair = Pair::new(login(&[17]), config());
    let mut to_lose = 3;
    let happened = stubborn(&mut pair, |reply| {
        let lost = is(reply, PayloadType::RAKP_4) && to_lose > 0;
        to_lose -= u32::from(lost);
        lost
    });
    assert_eq!(happened, Some(Happened::Established));
    assert_eq!(pair.bmc.session_count(), 1, "the one in use");
}

#[test]
fn closing_during_log_in_closes_a_session_that_may_be_active() {
    let mut pair = Pair::new(login(&[17]), config());
    pair.connect();
    while pair.bmc.session_count() == 0 {
        let request = pair.transmit().unwrap();
        let reply = pair.at_bmc(&request).unwrap();
        if !is(&reply, PayloadType::RAKP_4) {
            pair.at_console(&reply);
        }
    }
    pair.session.close(pair.now);
    assert_eq!(pair.run(), Happened::Closed);
    assert_eq!(pair.bmc.session_count(), 0);
}

#[test]
fn a_bmc_that_had_a_better_suite_is_not_logged_in_to_with_a_worse_one() {
    let mut pair = Pair::new(login(&[17, 3]), config());
    pair.establish();
    assert_eq!(pair.session.proven_suite(), Some(CipherSuiteId(17)));
    // Somebody forges the refusal of suite 17.
    let happened = {
        pair.connect();
        loop {
            let request = pair.transmit().unwrap();
            let mut reply = pair.at_bmc(&request).unwrap();
            if is(&reply, PayloadType::OPEN_SESSION_RESPONSE) {
                let response = OpenSessionResponse {
                    outcome: Err(RakpStatus::NO_CIPHER_SUITE_MATCH),
                    ..OpenSessionResponse::decode(&mut Reader::new(payload(&reply).1)).unwrap()
                };
                reply = packet(PayloadType::OPEN_SESSION_RESPONSE, |w| response.encode(w));
            }
            if let Some(happened) = pair.at_console(&reply) {
                break happened;
            }
        }
    };
    let had = CipherSuiteId(17);
    let Happened::LoginFailed(LoginFailure::Downgrade { had: found, .. }) = happened else {
        panic!("{happened:?}")
    };
    assert_eq!(found, had);
    // Or the list of suites.
    let only_3 = Config {
        suites: vec![CipherSuiteId(3)],
        ..config()
    };
    pair.bmc = ipmi::bmc::Bmc::new(std::sync::Arc::new(only_3));
    pair.connect();
    let offered = Some([CipherSuiteId(3)].into_iter().collect());
    let downgrade = failed(LoginFailure::Downgrade { had, offered });
    assert_eq!(pair.run(), downgrade);
    // A driver that knows why may say so.
    pair.session.set_proven_suite(None);
    pair.establish();
    assert_eq!(pair.session.proven_suite(), Some(CipherSuiteId(3)));
}

#[test]
fn the_first_tag_and_rqseq_are_drawn_at_random() {
    let first = |seed| {
        let mut pair = Pair::new(login(&[17]), config());
        pair.entropy = support::Seeded(seed);
        pair.establish();
        let mut sent = pair.trace.iter().filter(|(console, _)| *console);
        let rq_seq = sent.next().unwrap().1[18] >> 2;
        let mut opens =
            sent.filter(|(_, datagram)| is(datagram, PayloadType::OPEN_SESSION_REQUEST));
        (rq_seq, payload(&opens.next().unwrap().1).1[0])
    };
    let drawn: std::collections::HashSet<_> = (0..50).map(first).collect();
    assert!(drawn.len() > 40, "{drawn:?}");
}

#[test]
fn an_unknown_user_is_told_apart_from_silence_also_by_the_clock() {
    let nobody = Login::new("nobody", b"password").unwrap();
    let mut pair = Pair::new(nobody, config());
    pair.connect();
    assert_eq!(pair.run(), failed(LoginFailure::UnknownUser));
    assert_eq!(pair.now.as_nanos(), 0);
}
