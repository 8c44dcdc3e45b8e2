//! Logging in: what goes wrong, and what each end makes of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may, their helpers too"
)]

mod support;

use std::net::SocketAddr;

use ipmi::bmc::{Config, SETUP_GRACE_MS, User};
use ipmi::console::{Login, LoginFailure, Policy, State};
use ipmi::crypto::Algorithms;
use ipmi::number::{CipherSuiteId, PayloadType, PrivilegeLevel, RakpStatus};
use ipmi::wire::Reader;
use ipmi::wire::rakp::{OpenSessionRequest, OpenSessionResponse, Proposal, Rakp3, Rakp4, Role};
use support::{
    Happened, PEER, Pair, config, is, login, open, opened, packet, payload, rakp1, rakp2, user,
};

fn failed(failure: LoginFailure) -> Happened {
    Happened::LoginFailed(failure)
}

#[test]
fn a_wrong_password_is_noticed_by_the_console_and_told_to_the_bmc() {
    for suites in [[3], [17]] {
        let wrong = Login::new("admin", b"passwort").unwrap();
        let wrong = wrong.with_suites(&suites.map(CipherSuiteId)).unwrap();
        let one = Config {
            session_max: 1,
            ..config()
        };
        let mut pair = Pair::new(wrong, one);
        pair.connect();
        assert_eq!(pair.run(), failed(LoginFailure::WrongPassword));
        assert_eq!(pair.session.state(), State::Idle);
        let farewell = pair.transmit().unwrap();
        let rakp3 = Rakp3::decode(&mut Reader::new(payload(&farewell).1)).unwrap();
        assert_eq!(rakp3.outcome, Err(RakpStatus::INVALID_INTEGRITY_CHECK));
        assert_eq!(
            pair.at_bmc(&farewell),
            None,
            "RAKP 3 with an error is not answered"
        );
        assert_eq!(pair.transmit(), None);
        assert!(
            opened(&pair.at_bmc(&open(3, 77)).unwrap()).is_ok(),
            "the only slot is free again"
        );
    }
}

#[test]
fn a_console_without_the_password_gets_no_session() {
    let mut pair = Pair::new(login(&[3]), config());
    let id = opened(&pair.at_bmc(&open(3, 77)).unwrap()).unwrap();
    let name_only = Role::name_only(PrivilegeLevel::ADMINISTRATOR);
    let reply = pair.at_bmc(&rakp1(id, "admin", name_only)).unwrap();
    assert!(rakp2(&reply).outcome.is_ok());
    for code in [&[][..], &[0; 20]] {
        let rakp3 = Rakp3 {
            tag: 5,
            bmc_session_id: id,
            outcome: Ok(ipmi::crypto::Code::new(code).unwrap()),
        };
        let reply = pair
            .at_bmc(&packet(PayloadType::RAKP_3, |w| rakp3.encode(w)))
            .unwrap();
        let rakp4 = Rakp4::decode(&mut Reader::new(payload(&reply).1)).unwrap();
        // The first wrong proof ends the attempt.
        let status = if code.is_empty() {
            RakpStatus::INVALID_INTEGRITY_CHECK
        } else {
            RakpStatus::INVALID_SESSION_ID
        };
        assert_eq!(rakp4.outcome, Err(status));
        assert_eq!(pair.bmc.session_count(), 0);
    }
}

#[test]
fn an_unknown_or_disabled_user_is_refused() {
    let nobody = Login::new("nobody", b"password").unwrap();
    let mut pair = Pair::new(nobody, config());
    pair.connect();
    assert_eq!(pair.run(), failed(LoginFailure::UnknownUser));
    let mut disabled = config();
    disabled.users[0].enabled = false;
    let mut pair = Pair::new(login(&[17]), disabled);
    pair.connect();
    assert_eq!(pair.run(), failed(LoginFailure::UnknownUser));
}

#[test]
fn a_privilege_level_above_the_users_is_refused_and_no_lower_one_is_tried() {
    let operator = Config {
        users: vec![user(PrivilegeLevel::OPERATOR)],
        ..config()
    };
    let mut pair = Pair::new(login(&[17]), operator.clone());
    pair.connect();
    assert_eq!(pair.run(), failed(LoginFailure::PrivilegeRefused));
    assert_eq!(pair.bmc.session_count(), 0);
    let as_operator = login(&[17])
        .with_privilege(PrivilegeLevel::OPERATOR)
        .unwrap();
    let mut pair = Pair::new(as_operator, operator);
    pair.establish();
    assert_eq!(pair.session.privilege(), Some(PrivilegeLevel::OPERATOR));
}

#[test]
fn suite_0_is_refused_unless_it_is_configured() {
    let mut pair = Pair::new(login(&[0]), config());
    pair.connect();
    assert!(matches!(
        pair.run(),
        Happened::LoginFailed(LoginFailure::NoCommonSuite { .. })
    ));
    let refused = opened(&pair.at_bmc(&open(0, 77)).unwrap());
    assert_eq!(refused, Err(RakpStatus::INVALID_AUTHENTICATION_ALGORITHM));
    assert_eq!(pair.bmc.session_count(), 0);
}

#[test]
fn no_common_suite_names_what_the_bmc_offers() {
    let only_17 = Config {
        suites: vec![CipherSuiteId(17)],
        ..config()
    };
    let mut pair = Pair::new(login(&[3]), only_17);
    pair.connect();
    let offered = [CipherSuiteId(17)].into_iter().collect();
    assert_eq!(
        pair.run(),
        failed(LoginFailure::NoCommonSuite {
            offered: Some(offered)
        })
    );
}

#[test]
fn a_suite_that_stands_alone_is_proposed_at_once_and_the_list_asked_for_only_where_it_is_refused() {
    for (suites, asks) in [(&[17][..], 0), (&[17, 3], 1), (&[1], 1)] {
        let mut pair = Pair::new(login(suites), config());
        pair.connect();
        assert_eq!(pair.run() == Happened::Established, suites != [1]);
        // Get Channel Cipher Suites has command 54h, at its place in an IPMI 1.5 packet.
        let is_list = |datagram: &Vec<u8>| {
            !is(datagram, PayloadType::OPEN_SESSION_REQUEST) && datagram.get(19) == Some(&0x54)
        };
        let asked = pair.trace.iter().filter(|(console, datagram)| {
            *console && datagram.get(4) == Some(&0) && is_list(datagram)
        });
        assert_eq!(asked.count(), asks, "{suites:?}");
    }
}

#[test]
fn a_bmc_that_does_not_tell_its_suites_has_them_tried_in_order() {
    let only_3 = Config {
        suites: vec![CipherSuiteId(3)],
        ..config()
    };
    let mut pair = Pair::new(login(&[17, 3]), only_3);
    pair.connect();
    // Get Channel Cipher Suites is the one with command 54h, at its place in an IPMI 1.5 packet.
    let result = pair.run_over(|_, datagram| usize::from(datagram.get(19) != Some(&0x54)));
    assert_eq!(result, Happened::Established);
    assert_eq!(pair.session.suite(), Some(CipherSuiteId(3)));
    let proposals = pair
        .trace
        .iter()
        .filter(|(console, datagram)| *console && is(datagram, PayloadType::OPEN_SESSION_REQUEST));
    assert_eq!(proposals.count(), 2);
}

#[test]
fn the_bmcs_own_key_is_needed_where_it_has_one() {
    let kg = ipmi::crypto::UserKey::new(b"both ends know").unwrap();
    let with_kg = Config {
        kg: Some(kg),
        ..config()
    };
    let mut pair = Pair::new(login(&[17]), with_kg.clone());
    pair.connect();
    assert_eq!(pair.run(), failed(LoginFailure::NotAuthentic));
    let knowing = login(&[17]).with_kg(b"both ends know").unwrap();
    let mut pair = Pair::new(knowing, with_kg);
    pair.establish();
}

#[test]
fn a_bmc_without_rmcp_plus_is_told_apart() {
    let mut pair = Pair::new(login(&[17]), config());
    pair.connect();
    let request = pair.transmit().unwrap();
    let mut reply = pair.at_bmc(&request).unwrap();
    // Extended capabilities, before enterprise number, OEM data and the second checksum.
    let at = reply.len() - 6;
    assert_eq!(reply[at], 0x02);
    reply[at] = 0x01;
    let last = reply.len() - 1;
    reply[last] = reply[last].wrapping_add(1);
    assert_eq!(pair.at_console(&reply), None, "anybody could have said so");
    assert_eq!(pair.time_out(), Some(failed(LoginFailure::NotRmcpPlus)));
}

#[test]
fn where_nothing_answers_the_log_in_fails_after_its_attempts() {
    let policy = Policy {
        first_retry_ms: 100,
        longest_retry_ms: 300,
        attempts: 4,
        ..Policy::default()
    };
    let mut pair = Pair::with_policy(login(&[17]), config(), policy);
    pair.connect();
    assert_eq!(pair.run_over(|_, _| 0), failed(LoginFailure::NoAnswer));
    assert_eq!(pair.trace.len(), 4);
    assert_eq!(pair.now.as_nanos() / 1_000_000, 100 + 200 + 300 + 300);
}

/// The set-up messages that the BMC and the console exchange.
const SET_UP: [PayloadType; 6] = [
    PayloadType::OPEN_SESSION_REQUEST,
    PayloadType::OPEN_SESSION_RESPONSE,
    PayloadType::RAKP_1,
    PayloadType::RAKP_2,
    PayloadType::RAKP_3,
    PayloadType::RAKP_4,
];

#[test]
fn any_lost_set_up_message_restarts_from_open_session_with_a_fresh_tag_and_nonce() {
    for lost in SET_UP {
        let mut pair = Pair::new(login(&[17]), config());
        pair.connect();
        let mut to_lose = 1;
        let result = pair.run_over(|_, datagram| {
            if to_lose > 0 && is(datagram, lost) {
                to_lose -= 1;
                return 0;
            }
            1
        });
        assert_eq!(result, Happened::Established, "{lost:?}");
        assert_eq!(
            pair.bmc.session_count(),
            1,
            "the abandoned attempt at {lost:?} is gone"
        );
        let sent = |kind| {
            pair.trace
                .iter()
                .filter(move |(console, datagram)| *console && is(datagram, kind))
                .map(|(_, datagram)| payload(datagram).1)
        };
        let tags: Vec<u8> = sent(PayloadType::OPEN_SESSION_REQUEST)
            .map(|bytes| bytes[0])
            .collect();
        assert!(tags.len() == 2 && tags[0] != tags[1], "{lost:?}: {tags:?}");
        let nonces: Vec<&[u8]> = sent(PayloadType::RAKP_1)
            .map(|bytes| &bytes[8..24])
            .collect();
        assert!(nonces.len() < 2 || nonces[0] != nonces[1], "{lost:?}");
    }
}

#[test]
fn duplicated_datagrams_change_nothing() {
    for suite in [3, 17] {
        let mut pair = Pair::new(login(&[suite]), config());
        pair.connect();
        assert_eq!(pair.run_over(|_, _| 2), Happened::Established);
        assert_eq!(pair.bmc.session_count(), 1);
    }
}

#[test]
fn late_answers_of_an_earlier_log_in_are_ignored() {
    let mut pair = Pair::new(login(&[17]), config());
    pair.establish();
    let old: Vec<_> = pair
        .trace
        .drain(..)
        .filter(|(console, _)| !console)
        .collect();
    pair.connect();
    let replay = |pair: &mut Pair| {
        for (_, datagram) in &old {
            assert_eq!(pair.at_console(datagram), None);
        }
    };
    replay(&mut pair);
    while pair.session.state() == State::Connecting {
        let request = pair.transmit().unwrap();
        replay(&mut pair);
        let reply = pair.at_bmc(&request).unwrap();
        pair.at_console(&reply);
        replay(&mut pair);
    }
    assert_eq!(pair.session.state(), State::Established);
}

#[test]
fn a_repeated_rakp_1_or_3_gets_the_same_answer() {
    let mut pair = Pair::new(login(&[17]), config());
    pair.connect();
    let mut twice = 0;
    while pair.session.state() == State::Connecting {
        let request = pair.transmit().unwrap();
        let reply = pair.at_bmc(&request).unwrap();
        if matches!(
            payload(&request).0,
            PayloadType::RAKP_1 | PayloadType::RAKP_3
        ) {
            assert_eq!(pair.at_bmc(&request), Some(reply.clone()));
            twice += 1;
        }
        pair.at_console(&reply);
    }
    assert_eq!((twice, pair.session.state()), (2, State::Established));
    // Once the session is in use, RAKP 3 is history.
    let rakp3 = pair
        .trace
        .iter()
        .find(|(_, datagram)| is(datagram, PayloadType::RAKP_3));
    let rakp3 = rakp3.unwrap().1.clone();
    assert_eq!(pair.at_bmc(&rakp3), None);
    assert_eq!(pair.bmc.session_count(), 1);
}

#[test]
fn a_full_table_refuses_unless_a_session_in_set_up_is_stale() {
    let two = Config {
        session_max: 2,
        ..config()
    };
    let mut pair = Pair::new(login(&[17]), two);
    pair.establish();
    pair.peer = SocketAddr::new(PEER.ip(), 41_000);
    assert!(opened(&pair.at_bmc(&open(3, 1)).unwrap()).is_ok());
    let refused = opened(&pair.at_bmc(&open(3, 2)).unwrap());
    assert_eq!(refused, Err(RakpStatus::INSUFFICIENT_RESOURCES));
    // The console that began again replaces its own attempt.
    assert!(opened(&pair.at_bmc(&open(3, 1)).unwrap()).is_ok());
    pair.wait(u64::from(SETUP_GRACE_MS) + 1);
    assert!(opened(&pair.at_bmc(&open(3, 2)).unwrap()).is_ok());
    assert_eq!(pair.bmc.session_count(), 1, "the active session stays");
}

#[test]
fn a_console_at_a_full_bmc_is_told_so() {
    let none = Config {
        session_max: 0,
        ..config()
    };
    let mut pair = Pair::new(login(&[17]), none);
    pair.connect();
    assert_eq!(pair.run(), failed(LoginFailure::Resources));
}

#[test]
fn a_session_in_set_up_is_forgotten_after_a_while() {
    let mut pair = Pair::new(login(&[3]), config());
    let id = opened(&pair.at_bmc(&open(3, 77)).unwrap()).unwrap();
    pair.wait(u64::from(config().setup_ms) + 1);
    let name_only = Role::name_only(PrivilegeLevel::ADMINISTRATOR);
    let reply = pair.at_bmc(&rakp1(id, "admin", name_only)).unwrap();
    assert_eq!(
        rakp2(&reply).outcome.unwrap_err(),
        RakpStatus::INVALID_SESSION_ID
    );
}

#[test]
fn a_user_is_found_by_name_alone_or_by_name_and_privilege() {
    let twins = vec![
        user(PrivilegeLevel::USER),
        User::new("admin", b"other", PrivilegeLevel::ADMINISTRATOR).unwrap(),
    ];
    let mut pair = Pair::new(
        login(&[3]),
        Config {
            users: twins,
            ..config()
        },
    );
    let mut ask = |role| {
        let id = opened(&pair.at_bmc(&open(3, 77)).unwrap()).unwrap();
        let reply = pair.at_bmc(&rakp1(id, "admin", role)).unwrap();
        rakp2(&reply).outcome.map(|_| ())
    };
    let name_only = Role::name_only(PrivilegeLevel::ADMINISTRATOR);
    assert_eq!(
        ask(name_only),
        Err(RakpStatus::UNAUTHORIZED_ROLE),
        "the first of the name"
    );
    assert_eq!(
        ask(Role(PrivilegeLevel::ADMINISTRATOR.0)),
        Ok(()),
        "the second"
    );
    assert_eq!(
        ask(Role(PrivilegeLevel::OEM.0)),
        Err(RakpStatus::UNAUTHORIZED_NAME)
    );
    assert_eq!(ask(Role(0x0e)), Err(RakpStatus::INVALID_ROLE));
}

#[test]
fn a_user_name_of_17_bytes_is_answered_with_its_status() {
    let mut pair = Pair::new(login(&[3]), config());
    let id = opened(&pair.at_bmc(&open(3, 77)).unwrap()).unwrap();
    let long = packet(PayloadType::RAKP_1, |w| {
        w.bytes(&[1, 0, 0, 0]);
        w.u32(id);
        w.bytes(&[0; 16]);
        w.bytes(&[0x14, 0, 0, 17]);
        w.bytes(&[b'a'; 17]);
    });
    let reply = pair.at_bmc(&long).unwrap();
    assert_eq!(
        rakp2(&reply).outcome.unwrap_err(),
        RakpStatus::INVALID_NAME_LENGTH
    );
}

#[test]
fn malformed_and_impossible_proposals_are_answered_with_their_status() {
    let mut pair = Pair::new(login(&[3]), config());
    let mut status = |datagram: &[u8]| opened(&pair.at_bmc(datagram).unwrap()).unwrap_err();
    assert_eq!(
        status(&open(3, 0)),
        RakpStatus::ILLEGAL_PARAMETER,
        "console session ID 0"
    );
    assert_eq!(
        status(&open(8, 7)),
        RakpStatus::INVALID_AUTHENTICATION_ALGORITHM
    );
    assert_eq!(status(&open(1, 7)), RakpStatus::INVALID_INTEGRITY_ALGORITHM);
    assert_eq!(
        status(&open(4, 7)),
        RakpStatus::INVALID_CONFIDENTIALITY_ALGORITHM
    );
    let mut mixed = Algorithms::of(CipherSuiteId(3)).unwrap();
    mixed.integrity = Algorithms::of(CipherSuiteId(17)).unwrap().integrity;
    let request = OpenSessionRequest {
        tag: 1,
        privilege: PrivilegeLevel::ADMINISTRATOR.into(),
        console_session_id: 7,
        algorithms: mixed.into(),
    };
    let mixed = packet(PayloadType::OPEN_SESSION_REQUEST, |w| request.encode(w));
    assert_eq!(status(&mixed), RakpStatus::NO_CIPHER_SUITE_MATCH);
    let short = packet(PayloadType::OPEN_SESSION_REQUEST, |w| {
        w.bytes(&[1, 4, 0, 0, 7, 0, 0, 0, 0]);
    });
    assert_eq!(status(&short), RakpStatus::ILLEGAL_PARAMETER);
}

#[test]
fn an_open_session_request_without_privilege_is_granted_the_highest() {
    let mut pair = Pair::new(login(&[3]), config());
    let request = OpenSessionRequest {
        tag: 1,
        privilege: PrivilegeLevel(0).into(),
        console_session_id: 7,
        algorithms: Algorithms::of(CipherSuiteId(3)).unwrap().into(),
    };
    let reply = pair.at_bmc(&packet(PayloadType::OPEN_SESSION_REQUEST, |w| {
        request.encode(w);
    }));
    let reply = reply.unwrap();
    let response = OpenSessionResponse::decode(&mut Reader::new(payload(&reply).1)).unwrap();
    assert_eq!(
        response.outcome.unwrap().privilege,
        PrivilegeLevel::ADMINISTRATOR
    );
}

#[test]
fn what_a_proposal_leaves_open_is_the_strongest_suite_that_fits() {
    let many = Config {
        suites: [0, 1, 3, 2, 16, 17].map(CipherSuiteId).to_vec(),
        ..config()
    };
    let mut pair = Pair::new(login(&[17]), many);
    let anything = Proposal {
        auth: None,
        integrity: None,
        confidentiality: None,
    };
    let mut agreed = |algorithms| {
        let request = OpenSessionRequest {
            tag: 1,
            privilege: PrivilegeLevel::ADMINISTRATOR.into(),
            console_session_id: 7,
            algorithms,
        };
        let open = packet(PayloadType::OPEN_SESSION_REQUEST, |w| request.encode(w));
        let reply = pair.at_bmc(&open).unwrap();
        let response = OpenSessionResponse::decode(&mut Reader::new(payload(&reply).1)).unwrap();
        pair.bmc.reset();
        response.outcome.map(|opened| opened.algorithms.suite())
    };
    assert_eq!(agreed(anything), Ok(Some(CipherSuiteId(17))));
    let sha1 = Proposal {
        auth: Algorithms::of(CipherSuiteId(3)).map(|suite| suite.auth),
        ..anything
    };
    assert_eq!(agreed(sha1), Ok(Some(CipherSuiteId(3))));
    let md5 = Proposal {
        auth: Algorithms::of(CipherSuiteId(8)).map(|suite| suite.auth),
        ..anything
    };
    assert_eq!(
        agreed(md5),
        Err(RakpStatus::INVALID_AUTHENTICATION_ALGORITHM)
    );
}

#[test]
fn closing_before_the_session_is_up_just_ends_it() {
    let mut pair = Pair::new(login(&[17]), config());
    pair.session.close(pair.now);
    assert_eq!(pair.run(), Happened::Closed);
    pair.connect();
    pair.transmit().unwrap();
    pair.session.close(pair.now);
    assert_eq!(pair.run(), Happened::Closed);
    assert_eq!(pair.session.state(), State::Idle);
    pair.establish();
}

#[test]
fn a_repeated_open_session_request_is_answered_with_the_same_session() {
    let mut pair = Pair::new(login(&[3]), config());
    let first = opened(&pair.at_bmc(&open(3, 77)).unwrap()).unwrap();
    let name_only = Role::name_only(PrivilegeLevel::ADMINISTRATOR);
    let challenge = pair.at_bmc(&rakp1(first, "admin", name_only));
    assert_eq!(opened(&pair.at_bmc(&open(3, 77)).unwrap()), Ok(first));
    assert_eq!(
        pair.at_bmc(&rakp1(first, "admin", name_only)),
        challenge,
        "nothing was lost"
    );
    assert_ne!(opened(&pair.at_bmc(&open(3, 78)).unwrap()), Ok(first));
}
