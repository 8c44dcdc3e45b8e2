//! What a BMC answers outside sessions, and what it lets a session do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may, their helpers too"
)]

mod support;

use std::net::SocketAddr;

use ipmi::bmc::Config;
use ipmi::command::app::close_session::{INVALID_SESSION_HANDLE, INVALID_SESSION_ID};
use ipmi::command::app::get_session_info::SessionSelector;
use ipmi::command::app::{
    ChannelAuthenticationCapabilities, CloseSession, GetChannelAuthenticationCapabilities,
    GetChannelCipherSuites, GetDeviceId, GetSessionInfo, GetSystemGuid, Guid, SessionInfo,
    SetSessionPrivilegeLevel,
};
use ipmi::command::{Command, Message};
use ipmi::console::{Addressee, RequestTarget, addressee};
use ipmi::number::{
    AnonymousLogin, CipherListMode, CompletionCode, ExtendedCapabilities, KgStatus, NetFn,
    PayloadType, PrivilegeLevel,
};
use ipmi::wire::asf::Asf;
use ipmi::wire::message::{LanMessage, MessageHeader};
use ipmi::wire::session::{SessionHeader, encode_sessionless, encode_v15_sessionless};
use ipmi::wire::{Reader, Writer};
use support::{Happened, PEER, Pair, config, login, user};

#[test]
fn a_presence_ping_is_answered_with_its_tag() {
    let mut pair = Pair::new(login(&[3]), config());
    let mut buffer = [0; 64];
    let mut w = Writer::new(&mut buffer);
    Asf::Ping { tag: 0x5c }.encode(&mut w);
    let pong = pair.at_bmc(w.written()).unwrap();
    assert_eq!(addressee(&pong), Ok(Addressee::Pong { tag: 0x5c }));
    assert_eq!(pair.at_bmc(&pong), None, "a pong is not answered");
}

/// Sends a command outside a session, in IPMI 1.5 or RMCP+ format; completion code and data.
fn sessionless<C: Command>(pair: &mut Pair, v15: bool, command: &C) -> (CompletionCode, Vec<u8>) {
    let mut buffer = [0; 64];
    let mut w = Writer::new(&mut buffer);
    let header = MessageHeader::request(C::NETFN, 0, C::CMD, 33);
    let message = |w: &mut Writer<'_>| header.encode(w, |w| command.encode(w));
    if v15 {
        encode_v15_sessionless(&mut w, message);
    } else {
        encode_sessionless(PayloadType::IPMI, &mut w, message);
    }
    let reply = pair.at_bmc(w.written()).unwrap();
    let mut r = Reader::new(&reply[4..]);
    let answered_in = SessionHeader::decode(&mut r).unwrap();
    assert_eq!(
        matches!(answered_in, SessionHeader::V15(_)),
        v15,
        "in the request's format"
    );
    let message = LanMessage::decode(r.rest()).unwrap();
    assert_eq!(message.header, header.response());
    (CompletionCode(message.body[0]), message.body[1..].to_vec())
}

const CAPABILITIES: GetChannelAuthenticationCapabilities = GetChannelAuthenticationCapabilities {
    channel: 0x0e,
    rmcp_plus: true,
    privilege: PrivilegeLevel::ADMINISTRATOR,
};

#[test]
fn what_needs_no_session_is_answered_in_either_format() {
    let mut pair = Pair::new(login(&[3]), config());
    for v15 in [true, false] {
        let (code, data) = sessionless(&mut pair, v15, &CAPABILITIES);
        assert_eq!(code, CompletionCode::OK);
        let read = ChannelAuthenticationCapabilities::decode(&mut Reader::new(&data)).unwrap();
        assert_eq!(read.sessions, ExtendedCapabilities::V2_0);
        assert_eq!(
            (read.kg, read.users),
            (KgStatus::ZERO, AnonymousLogin::NAMED_USERS)
        );
        let guid = sessionless(&mut pair, v15, &GetSystemGuid);
        assert_eq!(guid, (CompletionCode::OK, vec![7; 16]));
        let suites = GetChannelCipherSuites {
            channel: 0x0e,
            payload_type: PayloadType::IPMI,
            mode: CipherListMode::SUITES,
            index: 0,
        };
        let (code, data) = sessionless(&mut pair, v15, &suites);
        assert_eq!(code, CompletionCode::OK);
        assert_eq!(data, [1, 0xc0, 3, 1, 0x41, 0x81, 0xc0, 17, 3, 0x44, 0x81]);
        let beyond = GetChannelCipherSuites { index: 1, ..suites };
        assert_eq!(
            sessionless(&mut pair, v15, &beyond),
            (CompletionCode::OK, vec![1])
        );
    }
    assert_eq!(pair.device.executed.len(), 0);
}

#[test]
fn other_commands_need_a_session_and_other_channels_do_not_exist() {
    let mut pair = Pair::new(login(&[3]), config());
    let refused = sessionless(&mut pair, true, &GetDeviceId);
    assert_eq!(refused, (CompletionCode::INSUFFICIENT_PRIVILEGE, vec![]));
    let elsewhere = GetChannelAuthenticationCapabilities {
        channel: 5,
        ..CAPABILITIES
    };
    let refused = sessionless(&mut pair, true, &elsewhere);
    assert_eq!(refused, (CompletionCode::INVALID_DATA_FIELD, vec![]));
    assert_eq!(pair.device.executed.len(), 0);
}

#[test]
fn a_null_user_and_a_key_of_its_own_are_told_before_log_in() {
    let mut users = vec![user(PrivilegeLevel::USER), user(PrivilegeLevel::USER)];
    users[0].name = ipmi::wire::rakp::UserName::default();
    let kg = ipmi::crypto::UserKey::new(b"k");
    let mut pair = Pair::new(
        login(&[3]),
        Config {
            users,
            kg,
            ..config()
        },
    );
    let (_, data) = sessionless(&mut pair, true, &CAPABILITIES);
    let read = ChannelAuthenticationCapabilities::decode(&mut Reader::new(&data)).unwrap();
    let users = AnonymousLogin::NAMED_USERS | AnonymousLogin::NULL_NAMES;
    assert_eq!((read.kg, read.users), (KgStatus::SET, users));
}

fn ask<C: Command>(pair: &mut Pair, command: &C) -> (CompletionCode, Vec<u8>) {
    pair.session.request(pair.now, command).unwrap();
    match pair.run() {
        Happened::Response(code, data) => (code, data),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_level_may_do_what_its_table_says() {
    let target = |netfn, cmd| RequestTarget { netfn, cmd, lun: 0 };
    for (level, control, oem) in [
        (PrivilegeLevel::USER, false, false),
        (PrivilegeLevel::OPERATOR, true, false),
        (PrivilegeLevel::ADMINISTRATOR, true, true),
    ] {
        let login = login(&[17]).with_privilege(level).unwrap();
        let mut pair = Pair::new(login, config());
        pair.establish();
        for (target, allowed) in [
            (target(NetFn::APP, 1), true),
            (target(NetFn::CHASSIS, 2), control),
            (target(NetFn(0x30), 1), oem),
        ] {
            let before = pair.device.executed.len();
            pair.session
                .request_raw(pair.now, target, &[], true)
                .unwrap();
            let Happened::Response(code, _) = pair.run() else {
                panic!("no answer")
            };
            let executed = pair.device.executed.len() > before;
            assert_eq!(executed, allowed, "{level}, {target:?}");
            assert_eq!(code != CompletionCode::INSUFFICIENT_PRIVILEGE, allowed);
        }
    }
}

#[test]
fn a_session_may_lower_its_level_and_raise_it_up_to_its_limit() {
    let operator = Config {
        users: vec![user(PrivilegeLevel::OPERATOR)],
        ..config()
    };
    let login = login(&[17])
        .with_privilege(PrivilegeLevel::OPERATOR)
        .unwrap();
    let mut pair = Pair::new(login, operator);
    pair.establish();
    let mut set = |level: u8| {
        ask(
            &mut pair,
            &SetSessionPrivilegeLevel {
                privilege: PrivilegeLevel(level),
            },
        )
    };
    assert_eq!(set(2), (CompletionCode::OK, vec![2]));
    assert_eq!(set(0), (CompletionCode::OK, vec![2]), "0 asks");
    assert_eq!(set(4), (CompletionCode(0x81), vec![]));
    assert_eq!(set(0), (CompletionCode::OK, vec![2]), "and nothing changed");
    assert_eq!(set(1), (CompletionCode::INVALID_DATA_FIELD, vec![]));
    assert_eq!(set(9), (CompletionCode::INVALID_DATA_FIELD, vec![]));
    assert_eq!(set(3), (CompletionCode::OK, vec![3]));
}

/// Two consoles at one BMC; the second one's session is left in the pair.
fn two_sessions(level: PrivilegeLevel) -> (Pair, ipmi::console::Session) {
    let login = login(&[17]).with_privilege(level).unwrap();
    let mut pair = Pair::new(login.clone(), config());
    pair.establish();
    let second = ipmi::console::Session::new(
        std::sync::Arc::new(login),
        std::sync::Arc::new(ipmi::console::Policy::default()),
    );
    let first = core::mem::replace(&mut pair.session, second);
    pair.establish();
    assert_eq!(pair.bmc.session_count(), 2);
    (pair, first)
}

#[test]
fn two_sessions_of_one_console_do_not_disturb_each_other() {
    let (mut pair, first) = two_sessions(PrivilegeLevel::USER);
    let mut first = Some(first);
    for _ in 0..100 {
        assert_eq!(ask(&mut pair, &GetDeviceId).0, CompletionCode::OK);
        let other = core::mem::replace(&mut pair.session, first.take().unwrap());
        first = Some(other);
    }
    assert_eq!(pair.ignored, []);
}

#[test]
fn session_info_tells_who_is_logged_in() {
    let (mut pair, _first) = two_sessions(PrivilegeLevel::USER);
    let mut info = |selector| {
        let (code, data) = ask(&mut pair, &GetSessionInfo { selector });
        assert_eq!(code, CompletionCode::OK);
        SessionInfo::decode(&mut Reader::new(&data)).unwrap()
    };
    let current = info(SessionSelector::Current);
    assert_eq!((current.handle, current.max, current.active), (2, 16, 2));
    let session = current.session.unwrap();
    assert_eq!(
        (session.user_id, session.privilege),
        (1, PrivilegeLevel::USER)
    );
    let console = session.console.unwrap();
    assert_eq!((console.ip, console.port), ([127, 0, 0, 1], PEER.port()));
    assert_eq!(info(SessionSelector::Nth(1)).handle, 1);
    assert_eq!(info(SessionSelector::Handle(2)), current);
    assert_eq!(info(SessionSelector::Nth(3)).session, None);
}

#[test]
fn another_session_is_closed_by_an_administrator_only() {
    let by_handle = CloseSession {
        session_id: 0,
        handle: Some(1),
    };
    let (mut pair, _first) = two_sessions(PrivilegeLevel::OPERATOR);
    assert_eq!(
        ask(&mut pair, &by_handle).0,
        CompletionCode::INSUFFICIENT_PRIVILEGE
    );
    assert_eq!(pair.bmc.session_count(), 2);
    let (mut pair, _first) = two_sessions(PrivilegeLevel::ADMINISTRATOR);
    assert_eq!(ask(&mut pair, &by_handle).0, CompletionCode::OK);
    assert_eq!(pair.bmc.session_count(), 1);
    assert_eq!(ask(&mut pair, &by_handle).0, INVALID_SESSION_HANDLE);
    assert_eq!(
        ask(&mut pair, &CloseSession::by_id(12)).0,
        INVALID_SESSION_ID
    );
}

#[test]
fn a_session_belongs_to_the_address_that_opened_it() {
    let mut pair = Pair::new(login(&[17]), config());
    pair.establish();
    pair.session.request(pair.now, &GetDeviceId).unwrap();
    let request = pair.transmit().unwrap();
    pair.peer = SocketAddr::new(PEER.ip(), PEER.port() + 1);
    assert_eq!(pair.at_bmc(&request), None);
    pair.peer = PEER;
    assert!(pair.at_bmc(&request).is_some());
}

#[test]
fn requests_of_a_wrong_length_are_c7h() {
    let mut pair = Pair::new(login(&[17]), config());
    pair.establish();
    for (cmd, data) in [
        (0x3b, &[][..]),
        (0x3c, &[1, 2, 3]),
        (0x38, &[0x0e]),
        (0x37, &[0]),
    ] {
        let target = RequestTarget {
            netfn: NetFn::APP,
            cmd,
            lun: 0,
        };
        pair.session
            .request_raw(pair.now, target, data, true)
            .unwrap();
        let answer = Happened::Response(CompletionCode::REQUEST_LENGTH_INVALID, vec![]);
        assert_eq!(pair.run(), answer, "{cmd:#04x}");
    }
}

#[test]
fn a_bmc_that_nobody_is_logged_in_to_is_small() {
    assert!(size_of::<ipmi::bmc::Bmc>() <= 64);
    let mut pair = Pair::new(login(&[17]), config());
    pair.establish();
    pair.bmc.reset();
    assert_eq!(pair.bmc.session_count(), 0);
    assert_eq!(pair.bmc.config().guid, Guid([7; 16]));
}
