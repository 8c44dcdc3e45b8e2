//! Sessions of IPMI 1.5, where both ends were told to.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may, their helpers too"
)]

mod support;

use ipmi::bmc::{Config, Lockout, User, V15};
use ipmi::command::Command;
use ipmi::command::app::{
    ActivateSession, GetDeviceId, GetSessionChallenge, GetSessionInfo,
    get_session_info::SessionSelector,
};
use ipmi::console::{
    Addressee, Ignored, Login, LoginFailure, RequestRefused, RequestTarget, State, addressee,
};
use ipmi::number::{AuthType, CompletionCode, NetFn, PrivilegeLevel};
use ipmi::wire::Reader;
use ipmi::wire::message::LanMessage;
use ipmi::wire::session::{SessionHeader, V15Header};
use support::{DEVICE_ID, Happened, Pair, config, user};

const TYPES: [AuthType; 4] = [
    AuthType::MD5,
    AuthType::MD2,
    AuthType::PASSWORD,
    AuthType::NONE,
];

const ECHO: RequestTarget = RequestTarget {
    netfn: NetFn(0x30),
    cmd: 1,
    lun: 0,
};

fn login(auth_types: &[AuthType]) -> Login {
    let login = Login::new("admin", b"password").unwrap();
    login.with_v15(auth_types).unwrap()
}

/// A BMC that takes these types.
fn bmc(auth_types: &[AuthType], per_message_auth: bool) -> Config {
    Config {
        v15: Some(V15 {
            auth_types: auth_types.to_vec(),
            per_message_auth,
        }),
        ..config()
    }
}

fn failed(failure: LoginFailure) -> Happened {
    Happened::LoginFailed(failure)
}

fn device_id() -> Happened {
    Happened::Response(CompletionCode::OK, DEVICE_ID.to_vec())
}

/// Header and message of a datagram in IPMI 1.5 format.
fn parts(datagram: &[u8]) -> (V15Header, LanMessage<'_>) {
    let mut r = Reader::new(&datagram[4..]);
    let SessionHeader::V15(header) = SessionHeader::decode(&mut r).unwrap() else {
        panic!("RMCP+: {datagram:02x?}")
    };
    let message = r.take("message", usize::from(header.payload_len)).unwrap();
    (header, LanMessage::decode(message).unwrap())
}

fn cmd(datagram: &[u8]) -> u8 {
    parts(datagram).1.header.cmd
}

#[test]
fn each_type_logs_in_asks_and_logs_out() {
    for auth_type in TYPES {
        for per_message in [true, false] {
            let mut pair = Pair::new(login(&[auth_type]), bmc(&TYPES, per_message));
            pair.establish();
            assert_eq!(pair.session.suite(), None);
            assert_eq!(
                pair.session.privilege(),
                Some(PrivilegeLevel::ADMINISTRATOR)
            );
            for _ in 0..40 {
                pair.session.request(pair.now, &GetDeviceId).unwrap();
                assert_eq!(pair.run(), device_id(), "{auth_type}");
            }
            for (is_console, datagram) in &pair.trace {
                let header = parts(datagram).0;
                let outside = header.session_id == 0;
                assert!(outside || header.auth_type == auth_type);
                assert!(*is_console || addressee(datagram) == Ok(Addressee::Sessionless));
            }
            pair.session.close(pair.now);
            assert_eq!(pair.run(), Happened::Closed);
            assert_eq!(pair.bmc.session_count(), 0);
            assert_eq!(pair.ignored, []);
        }
    }
}

#[test]
fn over_a_closed_channel_nobody_logs_in_and_who_is_in_stays() {
    let mut pair = Pair::new(login(&[AuthType::MD5]), bmc(&TYPES, true));
    pair.establish();
    pair.device.is_closed = true;
    pair.session.request(pair.now, &GetDeviceId).unwrap();
    assert_eq!(pair.run(), device_id());
    let mut pair = Pair::new(login(&[AuthType::MD5]), bmc(&TYPES, true));
    pair.device.is_closed = true;
    pair.connect();
    let not_now = LoginFailure::CommandRejected(CompletionCode::NOT_SUPPORTED_IN_STATE);
    assert_eq!(pair.run(), failed(not_now));
    // It closes, or gets a limit, between the challenge and its answer.
    for (is_closed, limit) in [(true, None), (false, Some(PrivilegeLevel::OPERATOR))] {
        let mut pair = Pair::new(login(&[AuthType::MD5]), bmc(&TYPES, true));
        pair.connect();
        let refused = loop {
            let request = pair.transmit().unwrap();
            let is_last = cmd(&request) == ActivateSession::CMD;
            if is_last {
                (pair.device.is_closed, pair.device.limit) = (is_closed, limit);
            }
            let reply = pair.at_bmc(&request).unwrap();
            if is_last {
                break reply;
            }
            pair.at_console(&reply);
        };
        let above = CompletionCode(0x86).0;
        assert_eq!(parts(&refused).1.body.first(), Some(&above));
        assert_eq!(pair.bmc.session_count(), 0);
    }
}

#[test]
fn the_first_of_the_logins_types_that_the_bmc_offers_is_used() {
    let mut pair = Pair::new(
        login(&[AuthType::MD5, AuthType::MD2]),
        bmc(&[AuthType::MD2, AuthType::NONE], true),
    );
    pair.establish();
    let (header, _) = parts(&pair.trace.last().unwrap().1);
    assert_eq!(header.auth_type, AuthType::MD2);
    // What is not offered is tried nevertheless where there is nothing else, and refused.
    let mut pair = Pair::new(login(&[AuthType::NONE]), bmc(&[AuthType::MD5], true));
    pair.connect();
    assert_eq!(pair.run(), failed(LoginFailure::NotV15));
}

#[test]
fn a_bmc_speaks_it_only_where_it_was_told_to() {
    let mut pair = Pair::new(login(&[AuthType::MD5]), config());
    pair.connect();
    // Without the extended form of the answer a console can't know, and tries.
    assert_eq!(pair.run(), failed(LoginFailure::NotV15));
    assert_eq!(pair.bmc.session_count(), 0);
    assert!(
        pair.trace
            .iter()
            .all(|(_, datagram)| cmd(datagram) != ActivateSession::CMD)
    );
}

#[test]
fn an_rmcp_plus_login_never_falls_back_to_it() {
    let only_v15 = Config {
        suites: vec![],
        ..bmc(&TYPES, true)
    };
    let mut pair = Pair::new(Login::new("admin", b"password").unwrap(), only_v15);
    pair.connect();
    assert!(matches!(
        pair.run(),
        Happened::LoginFailed(LoginFailure::NoCommonSuite { .. })
    ));
    let sent = pair.trace.iter().filter(|(console, _)| *console);
    for (_, datagram) in sent {
        let is_v15 = datagram[4] != AuthType::RMCP_PLUS.0;
        assert!(!is_v15 || cmd(datagram) != GetSessionChallenge::CMD);
    }
}

#[test]
fn a_wrong_password_is_not_answered_and_counted() {
    for auth_type in [AuthType::MD5, AuthType::MD2, AuthType::PASSWORD] {
        let wrong = Login::new("admin", b"passwort").unwrap();
        let wrong = wrong.with_v15(&[auth_type]).unwrap();
        let mut pair = Pair::new(wrong, bmc(&TYPES, true));
        pair.connect();
        assert_eq!(pair.run(), failed(LoginFailure::NotActivated));
        assert_eq!(pair.bmc.session_count(), 0);
        assert_eq!(pair.bmc.failed_logins(), 1, "a challenge is good for one");
    }
    let locking = Config {
        lockout: Some(Lockout {
            threshold: 1,
            reset_ms: 0,
            locked_ms: 0,
        }),
        ..bmc(&TYPES, true)
    };
    let wrong = Login::new("admin", b"").unwrap();
    let mut pair = Pair::new(wrong.with_v15(&[AuthType::MD5]).unwrap(), locking);
    pair.connect();
    assert_eq!(pair.run(), failed(LoginFailure::NotActivated));
    pair.connect();
    assert_eq!(pair.run(), failed(LoginFailure::UnknownUser), "locked out");
}

#[test]
fn users_who_may_not_log_in_so_are_refused_or_hidden() {
    let long = User::new("long", &[b'x'; 20], PrivilegeLevel::ADMINISTRATOR).unwrap();
    let mut disabled = User::new("gone", b"password", PrivilegeLevel::ADMINISTRATOR).unwrap();
    disabled.enabled = false;
    let users = vec![user(PrivilegeLevel::ADMINISTRATOR), long, disabled];
    for name in ["nobody", "long", "gone", ""] {
        for (hide_users, failure) in [
            (false, LoginFailure::UnknownUser),
            (true, LoginFailure::NotActivated),
        ] {
            let config = Config {
                users: users.clone(),
                hide_users,
                ..bmc(&TYPES, true)
            };
            let login = Login::new(name, b"password").unwrap();
            let mut pair = Pair::new(login.with_v15(&[AuthType::MD5]).unwrap(), config);
            pair.connect();
            assert_eq!(pair.run(), failed(failure), "{name}");
            assert_eq!(pair.bmc.session_count(), 0);
        }
    }
}

#[test]
fn a_level_above_the_users_is_refused_and_none_is_worked_above() {
    let operator = Config {
        users: vec![user(PrivilegeLevel::OPERATOR)],
        ..bmc(&TYPES, true)
    };
    let mut pair = Pair::new(login(&[AuthType::MD5]), operator.clone());
    pair.connect();
    assert_eq!(pair.run(), failed(LoginFailure::PrivilegeRefused));
    assert_eq!(pair.bmc.session_count(), 0);
    let as_operator = login(&[AuthType::MD5])
        .with_privilege(PrivilegeLevel::OPERATOR)
        .unwrap();
    let mut pair = Pair::new(as_operator, operator);
    pair.establish();
    let oem = pair.session.request_raw(pair.now, ECHO, &[], true);
    oem.unwrap();
    let refused = Happened::Response(CompletionCode::INSUFFICIENT_PRIVILEGE, vec![]);
    assert_eq!(pair.run(), refused);
}

#[test]
fn any_one_lost_datagram_of_set_up_is_made_up_for() {
    let mut pair = Pair::new(login(&[AuthType::MD5]), bmc(&TYPES, true));
    pair.establish();
    let count = pair.trace.len();
    for lost in 0..count {
        let mut pair = Pair::new(login(&[AuthType::MD5]), bmc(&TYPES, true));
        pair.connect();
        let mut number = 0;
        let happened = pair.run_over(|_, _| {
            number += 1;
            usize::from(number != lost + 1)
        });
        assert_eq!(happened, Happened::Established, "without datagram {lost}");
        assert_eq!(pair.bmc.session_count(), 1, "without datagram {lost}");
        pair.session.request(pair.now, &GetDeviceId).unwrap();
        assert_eq!(pair.run(), device_id());
    }
}

#[test]
fn replayed_and_changed_datagrams_are_neither_executed_nor_believed() {
    for auth_type in [AuthType::MD5, AuthType::MD2] {
        let mut pair = Pair::new(login(&[auth_type]), bmc(&TYPES, true));
        pair.establish();
        pair.session
            .request_raw(pair.now, ECHO, &[5], true)
            .unwrap();
        let request = pair.transmit().unwrap();
        for at in (4..request.len()).filter(|at| *at != 29) {
            let mut changed = request.clone();
            changed[at] ^= 1;
            assert_eq!(pair.at_bmc(&changed), None, "byte {at}");
        }
        let reply = pair.at_bmc(&request).unwrap();
        assert_eq!(pair.at_bmc(&request), None);
        let mut changed = reply.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(pair.at_console(&changed), None);
        assert_eq!(
            pair.at_console(&reply),
            Some(Happened::Response(CompletionCode::OK, vec![5]))
        );
        assert_eq!(pair.at_console(&reply), None);
        assert_eq!(pair.ignored, [Ignored::BadIntegrity, Ignored::Duplicate]);
        assert_eq!(pair.device.executed.len(), 1);
        // The whole conversation once more, from its beginning.
        for (is_console, datagram) in core::mem::take(&mut pair.trace) {
            if is_console && parts(&datagram).0.session_id != 0 {
                assert_eq!(pair.at_bmc(&datagram), None);
            }
        }
        assert_eq!(pair.device.executed.len(), 1);
    }
}

#[test]
fn packets_without_code_are_taken_only_where_each_need_not_have_one() {
    for per_message in [true, false] {
        let mut pair = Pair::new(login(&[AuthType::MD5]), bmc(&TYPES, per_message));
        pair.establish();
        pair.session.request(pair.now, &GetDeviceId).unwrap();
        let request = pair.transmit().unwrap();
        let bare = [&request[..4], &[0], &request[5..13], &request[29..]].concat();
        let reply = pair.at_bmc(&bare);
        assert_eq!(reply.is_some(), !per_message);
        if let Some(reply) = reply {
            assert_eq!(parts(&reply).0.auth_type, AuthType::NONE, "answered alike");
            assert_eq!(pair.at_console(&reply), Some(device_id()));
        }
    }
}

#[test]
fn that_packets_need_no_code_is_believed_only_where_it_has_one() {
    let mut pair = Pair::new(login(&[AuthType::MD5]), bmc(&TYPES, false));
    pair.connect();
    let activated = loop {
        let asked = pair.transmit().unwrap();
        let reply = pair.at_bmc(&asked).unwrap();
        if cmd(&reply) == ActivateSession::CMD {
            break reply;
        }
        assert_eq!(pair.at_console(&reply), None);
    };
    // As somebody on the way would change it, who has no password.
    let plain = [&activated[..4], &[0], &activated[5..13], &activated[29..]].concat();
    assert_eq!(parts(&plain).0.auth_type, AuthType::NONE);
    assert_eq!(pair.at_console(&plain), None);
    assert_eq!(pair.ignored, [Ignored::BadIntegrity]);
    assert_eq!(pair.at_console(&activated), None);
    assert_eq!(pair.run(), Happened::Established);
}

#[test]
fn messages_have_at_most_255_bytes() {
    let mut pair = Pair::new(login(&[AuthType::MD5]), bmc(&TYPES, true));
    pair.establish();
    for len in [0, 1, 22, 50, 78, 94, 122, 200, 247] {
        let data: Vec<u8> = (0..len).collect();
        let asked = pair.session.request_raw(pair.now, ECHO, &data, true);
        asked.unwrap();
        assert_eq!(pair.run(), Happened::Response(CompletionCode::OK, data));
    }
    let long = pair.session.request_raw(pair.now, ECHO, &[0; 249], true);
    assert_eq!(long, Err(RequestRefused::TooLong));
    // The answer has a completion code more than the request.
    let asked = pair.session.request_raw(pair.now, ECHO, &[0; 248], true);
    asked.unwrap();
    let cut = Happened::Response(CompletionCode::CANNOT_RETURN_BYTES, vec![]);
    assert_eq!(pair.run(), cut);
}

#[test]
fn session_info_tells_the_protocol_and_a_changed_configuration_ends_it() {
    let mut pair = Pair::new(login(&[AuthType::MD5]), bmc(&TYPES, true));
    pair.establish();
    let selector = SessionSelector::Current;
    let asked = pair.session.request(pair.now, &GetSessionInfo { selector });
    asked.unwrap();
    let Happened::Response(_, data) = pair.run() else {
        panic!("no answer")
    };
    assert_eq!(data[5] >> 4, 0, "IPMI 1.5");
    pair.bmc.set_config(std::sync::Arc::new(config()));
    assert_eq!(pair.bmc.session_count(), 0);
}

#[test]
fn the_table_is_shared_with_rmcp_plus_and_a_console_that_begins_again_takes_its_own_place() {
    let one = Config {
        session_max: 1,
        ..bmc(&TYPES, true)
    };
    let mut pair = Pair::new(login(&[AuthType::MD5]), one);
    for _ in 0..5 {
        pair.connect();
        for expected in [0x38, GetSessionChallenge::CMD] {
            let request = pair.transmit().unwrap();
            assert_eq!(cmd(&request), expected);
            let reply = pair.at_bmc(&request).unwrap();
            assert_eq!(pair.at_console(&reply), None);
        }
    }
    pair.establish();
    let full = support::opened(&pair.at_bmc(&support::open(3, 7)).unwrap());
    assert!(full.is_err());
    assert_eq!(pair.session.state(), State::Established);
}
