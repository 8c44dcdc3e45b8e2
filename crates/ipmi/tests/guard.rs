//! What a BMC lets nobody do: fill its table, guess passwords, keep what was taken from them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may, their helpers too"
)]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use ipmi::bmc::{Config, Lockout, User};
use ipmi::command::app::{
    GetSessionInfo, SetSessionPrivilegeLevel, UserAccess, get_session_info::SessionSelector,
};
use ipmi::console::{Login, LoginFailure, RequestTarget};
use ipmi::crypto::Code;
use ipmi::number::{CompletionCode, NetFn, PayloadType, PrivilegeLevel, RakpStatus};
use ipmi::wire::Reader;
use ipmi::wire::rakp::{Rakp3, Rakp4, Role};
use support::{Happened, Pair, config, login, open, opened, packet, payload, rakp1, rakp2, user};

const ADMIN: Role = Role::name_only(PrivilegeLevel::ADMINISTRATOR);

fn from(host: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, host], 40_000))
}

fn control(pair: &mut Pair) -> Happened {
    let target = RequestTarget {
        netfn: NetFn::CHASSIS,
        cmd: 2,
        lun: 0,
    };
    let asked = pair.session.request_raw(pair.now, target, &[0], false);
    asked.unwrap();
    pair.run()
}

fn done() -> Happened {
    Happened::Response(CompletionCode::OK, vec![])
}

#[test]
fn one_peer_keeps_nobody_out_however_it_fills_the_table() {
    let mut pair = Pair::new(login(&[17]), config());
    pair.establish();
    for second in 0..60u32 {
        pair.peer = from(9);
        for slot in 0..32 {
            let reply = pair.at_bmc(&open(17, second * 100 + slot + 1)).unwrap();
            if let Ok(id) = opened(&reply) {
                // What it began is not made younger by going on.
                pair.at_bmc(&rakp1(id, "admin", ADMIN)).unwrap();
            }
        }
        pair.peer = from(1);
        let reply = pair.at_bmc(&open(17, second + 1)).unwrap();
        let id = opened(&reply).expect("there is room for others");
        // And the flood goes on meanwhile.
        pair.peer = from(9);
        for slot in 32..64 {
            pair.at_bmc(&open(17, second * 100 + slot + 1)).unwrap();
        }
        pair.peer = from(1);
        let reply = pair.at_bmc(&rakp1(id, "admin", ADMIN)).unwrap();
        assert!(rakp2(&reply).outcome.is_ok(), "after {second} s");
        pair.wait(900);
    }
    assert_eq!(pair.bmc.session_count(), 1, "the active session stays");
    pair.peer = support::PEER;
    assert_eq!(control(&mut pair), done());
}

#[test]
fn set_up_ends_after_its_time_whatever_is_sent_in_it() {
    let mut pair = Pair::new(login(&[17]), config());
    let id = opened(&pair.at_bmc(&open(17, 1)).unwrap()).unwrap();
    for _ in 0..5 {
        let reply = pair.at_bmc(&rakp1(id, "admin", ADMIN)).unwrap();
        assert!(rakp2(&reply).outcome.is_ok());
        pair.wait(1_000);
    }
    pair.wait(1);
    let reply = pair.at_bmc(&rakp1(id, "admin", ADMIN)).unwrap();
    let forgotten = Err(RakpStatus::INVALID_SESSION_ID);
    assert_eq!(rakp2(&reply).outcome.map(|_| ()), forgotten);
}

#[test]
fn only_a_user_with_a_privilege_level_gets_in_and_never_above_it() {
    for number in 0..16 {
        let mut limited = user(PrivilegeLevel::ADMINISTRATOR);
        limited.privilege = PrivilegeLevel(number);
        let users = vec![limited];
        for asked in 0..16 {
            let mut pair = Pair::new(
                login(&[17]),
                Config {
                    users: users.clone(),
                    ..config()
                },
            );
            let id = opened(&pair.at_bmc(&open(17, 1)).unwrap()).unwrap();
            let role = Role::name_only(PrivilegeLevel(asked));
            let reply = pair.at_bmc(&rakp1(id, "admin", role)).unwrap();
            let is_level = (1..=5).contains(&number);
            let fits = is_level && (asked <= number || asked == 0);
            let granted = fits && (asked == 0 || asked <= 5);
            assert_eq!(
                rakp2(&reply).outcome.is_ok(),
                granted,
                "{asked} of {number}"
            );
        }
    }
    let nobody = User::new("admin", b"password", UserAccess::NO_ACCESS).unwrap();
    let users = vec![nobody];
    let mut pair = Pair::new(login(&[17]), Config { users, ..config() });
    pair.connect();
    assert_eq!(pair.run(), Happened::LoginFailed(LoginFailure::UnknownUser));
}

/// Answer to a RAKP 1 with this name, and to a RAKP 3 that guesses.
fn guess(pair: &mut Pair, name: &str, role: Role) -> (Vec<u8>, RakpStatus) {
    pair.bmc.reset();
    let id = opened(&pair.at_bmc(&open(17, 1)).unwrap()).unwrap();
    let challenge = pair.at_bmc(&rakp1(id, name, role)).unwrap();
    let rakp3 = Rakp3 {
        tag: 4,
        bmc_session_id: id,
        outcome: Ok(Code::new(&[0; 32]).unwrap()),
    };
    let reply = pair.at_bmc(&packet(PayloadType::RAKP_3, |w| rakp3.encode(w)));
    let reply = reply.unwrap();
    let rakp4 = Rakp4::decode(&mut Reader::new(payload(&reply).1)).unwrap();
    (challenge, rakp4.outcome.unwrap_err())
}

#[test]
fn hidden_users_are_refused_as_a_wrong_password_is() {
    let mut disabled = User::new("gone", b"password", PrivilegeLevel::ADMINISTRATOR).unwrap();
    disabled.enabled = false;
    let operator = User::new("operator", b"password", PrivilegeLevel::OPERATOR).unwrap();
    let users = vec![user(PrivilegeLevel::ADMINISTRATOR), disabled, operator];
    let hiding = Config {
        users,
        hide_users: true,
        ..config()
    };
    let mut pair = Pair::new(login(&[17]), hiding);
    let known = guess(&mut pair, "admin", ADMIN);
    assert_eq!(known.1, RakpStatus::INVALID_INTEGRITY_CHECK);
    for name in ["nobody", "gone", "operator", ""] {
        let found = guess(&mut pair, name, ADMIN);
        assert_eq!((found.0.len(), found.1), (known.0.len(), known.1), "{name}");
    }
    // A name has one password, as it would have if it were known: the codes differ by the nonces alone.
    let decoy = |pair: &mut Pair, name: &str, seed| {
        pair.entropy = support::Seeded(seed);
        rakp2(&guess(pair, name, ADMIN).0).outcome.unwrap().code
    };
    assert_eq!(decoy(&mut pair, "nobody", 5), decoy(&mut pair, "nobody", 5));
    assert_ne!(decoy(&mut pair, "nobody", 5), decoy(&mut pair, "nemo", 5));
    pair.bmc.reset();
    pair.establish();
    let nobody = Login::new("nobody", b"").unwrap();
    let mut stranger = Pair::new(nobody, (**pair.bmc.config()).clone());
    stranger.connect();
    assert_eq!(
        stranger.run(),
        Happened::LoginFailed(LoginFailure::WrongPassword)
    );
}

/// Logs in up to RAKP Message 3, which is not sent.
fn proof(pair: &mut Pair) -> Vec<u8> {
    pair.connect();
    loop {
        let request = pair.transmit().unwrap();
        if payload(&request).0 == PayloadType::RAKP_3 {
            return request;
        }
        let reply = pair.at_bmc(&request).unwrap();
        pair.at_console(&reply);
    }
}

#[test]
fn over_a_closed_channel_nobody_logs_in_and_who_is_in_stays() {
    let refused = Err(RakpStatus::UNAUTHORIZED_ROLE);
    let mut pair = Pair::new(login(&[17]), config());
    pair.establish();
    pair.device.is_closed = true;
    assert_eq!(control(&mut pair), done());
    for name in ["admin", "nobody"] {
        let id = opened(&pair.at_bmc(&open(17, 77)).unwrap()).unwrap();
        let reply = pair.at_bmc(&rakp1(id, name, ADMIN)).unwrap();
        assert_eq!(rakp2(&reply).outcome.map(|_| ()), refused, "{name}");
    }
    assert_eq!(control(&mut pair), done());
    // It closes while somebody proves himself.
    let mut pair = Pair::new(login(&[17]), config());
    let rakp3 = proof(&mut pair);
    pair.device.is_closed = true;
    let reply = pair.at_bmc(&rakp3).unwrap();
    let rakp4 = Rakp4::decode(&mut Reader::new(payload(&reply).1)).unwrap();
    assert_eq!(rakp4.outcome.map(|_| ()), refused);
    assert_eq!(pair.bmc.session_count(), 0);
    let mut pair = Pair::new(login(&[17]), config());
    pair.device.is_closed = true;
    pair.connect();
    let told = Happened::LoginFailed(LoginFailure::PrivilegeRefused);
    assert_eq!(pair.run(), told, "capabilities are told all the same");
    pair.device.is_closed = false;
    pair.establish();
}

#[test]
fn no_session_gets_above_the_limit_of_its_channel() {
    let mut pair = Pair::new(login(&[17]), config());
    pair.device.limit = Some(PrivilegeLevel::OPERATOR);
    for (asked, is_granted) in [(0, true), (2, true), (3, true), (4, false), (5, false)] {
        let id = opened(&pair.at_bmc(&open(17, 77)).unwrap()).unwrap();
        let role = Role::name_only(PrivilegeLevel(asked));
        let reply = pair.at_bmc(&rakp1(id, "admin", role)).unwrap();
        assert_eq!(rakp2(&reply).outcome.is_ok(), is_granted, "{asked}");
        pair.bmc.reset();
    }
    let operator = login(&[17]).with_privilege(PrivilegeLevel::OPERATOR);
    let mut pair = Pair::new(operator.unwrap(), config());
    pair.device.limit = Some(PrivilegeLevel::OPERATOR);
    pair.establish();
    let above = SetSessionPrivilegeLevel {
        privilege: PrivilegeLevel::ADMINISTRATOR,
    };
    let refused = Happened::Response(CompletionCode(0x81), vec![]);
    pair.session.request(pair.now, &above).unwrap();
    assert_eq!(pair.run(), refused);
    // Nor above one that was set since it was opened, or while somebody proved himself.
    let mut pair = Pair::new(login(&[17]), config());
    pair.establish();
    pair.device.limit = Some(PrivilegeLevel::OPERATOR);
    pair.session.request(pair.now, &above).unwrap();
    assert_eq!(pair.run(), refused);
    let mut pair = Pair::new(login(&[17]), config());
    let rakp3 = proof(&mut pair);
    pair.device.limit = Some(PrivilegeLevel::OPERATOR);
    let rakp4 = pair.at_bmc(&rakp3).unwrap();
    assert_eq!(pair.at_console(&rakp4), None);
    let told = Happened::LoginFailed(LoginFailure::PrivilegeRefused);
    assert_eq!(pair.run(), told);
}

#[test]
fn wrong_passwords_lock_a_user_out_for_a_while() {
    let locking = Config {
        lockout: Some(Lockout {
            threshold: 3,
            reset_ms: 60_000,
            locked_ms: 10_000,
        }),
        ..config()
    };
    let mut pair = Pair::new(login(&[17]), locking.clone());
    for _ in 0..3 {
        guess(&mut pair, "admin", ADMIN);
    }
    assert_eq!(pair.bmc.failed_logins(), 3);
    pair.connect();
    let locked = Happened::LoginFailed(LoginFailure::UnknownUser);
    assert_eq!(pair.run(), locked);
    pair.wait(10_000);
    pair.establish();
    // A console that finds its own password wrong says so (RAKP 3 with a status), which counts.
    let mut wrong = Pair::new(Login::new("admin", b"guess").unwrap(), locking.clone());
    for _ in 0..3 {
        wrong.connect();
        let found = Happened::LoginFailed(LoginFailure::WrongPassword);
        assert_eq!(wrong.run(), found);
        let farewell = wrong.transmit().unwrap();
        wrong.at_bmc(&farewell);
    }
    wrong.connect();
    assert_eq!(wrong.run(), locked);
    // Guesses at challenges that were made before the lock don't get through it.
    let mut pair = Pair::new(login(&[17]), locking);
    let rakp3 = proof(&mut pair);
    pair.peer = from(9);
    for id in 0..3 {
        let id = opened(&pair.at_bmc(&open(17, 50 + id)).unwrap()).unwrap();
        pair.at_bmc(&rakp1(id, "admin", ADMIN)).unwrap();
        let guess = Rakp3 {
            tag: 4,
            bmc_session_id: id,
            outcome: Ok(Code::EMPTY),
        };
        pair.at_bmc(&packet(PayloadType::RAKP_3, |w| guess.encode(w)));
    }
    pair.peer = support::PEER;
    pair.at_bmc(&rakp3).unwrap();
    assert_eq!(pair.bmc.session_count(), 0);
}

#[test]
fn a_new_configuration_ends_the_sessions_of_those_it_takes_the_right_from() {
    let with = |users| Arc::new(Config { users, ..config() });
    let admin = || user(PrivilegeLevel::ADMINISTRATOR);
    let mut renamed = admin();
    renamed.name = ipmi::wire::rakp::UserName::new(b"root").unwrap();
    let mut disabled = admin();
    disabled.enabled = false;
    let mut without_messages = admin();
    without_messages.messaging = false;
    let other_password = User::new("admin", b"other", PrivilegeLevel::ADMINISTRATOR).unwrap();
    for users in [
        vec![],
        vec![renamed],
        vec![disabled],
        vec![without_messages],
        vec![other_password],
        vec![user(UserAccess::NO_ACCESS)],
    ] {
        let mut pair = Pair::new(login(&[17]), config());
        pair.establish();
        let half_open = opened(&pair.at_bmc(&open(17, 77)).unwrap()).unwrap();
        pair.bmc.set_config(with(users));
        assert_eq!(pair.bmc.session_count(), 0);
        let reply = pair.at_bmc(&rakp1(half_open, "admin", ADMIN)).unwrap();
        assert!(rakp2(&reply).outcome.is_err());
        let maybe_executed = true;
        assert_eq!(control(&mut pair), Happened::TimedOut { maybe_executed });
        assert_eq!(pair.device.executed, []);
    }
    let mut pair = Pair::new(login(&[17]), config());
    pair.establish();
    pair.bmc.set_config(with(vec![user(PrivilegeLevel::USER)]));
    let refused = Happened::Response(CompletionCode::INSUFFICIENT_PRIVILEGE, vec![]);
    assert_eq!(control(&mut pair), refused, "as a user from now on");
    let mut pair = Pair::new(login(&[17]), config());
    pair.establish();
    pair.bmc.set_config(with(vec![admin()]));
    assert_eq!(control(&mut pair), done(), "nothing was taken");
}

#[test]
fn the_session_that_changes_its_users_password_outlives_that() {
    let with = |password: &[u8]| {
        let user = User::new("admin", password, PrivilegeLevel::ADMINISTRATOR).unwrap();
        Arc::new(Config {
            users: vec![user],
            ..config()
        })
    };
    let mut pair = Pair::new(login(&[17]), config());
    pair.establish();
    assert_eq!(control(&mut pair), done());
    pair.bmc.set_config_as_asked(with(b"other"));
    assert_eq!(control(&mut pair), done());
    // Somebody else's command comes in between: then it wasn't this session that asked.
    let _ = pair.at_bmc(&open(17, 77));
    pair.bmc.set_config_as_asked(with(b"third"));
    assert_eq!(pair.bmc.session_count(), 0);
}

#[test]
fn a_session_that_ended_by_silence_is_not_counted() {
    let mut pair = Pair::new(login(&[17]), config());
    pair.establish();
    // Another console logs in, and crashes.
    let mut other = Pair::new(login(&[17]), config());
    std::mem::swap(&mut pair.bmc, &mut other.bmc);
    other.peer = from(7);
    other.connect();
    while let Some(request) = other.transmit() {
        let reply = other.at_bmc(&request).unwrap();
        other.at_console(&reply);
    }
    std::mem::swap(&mut pair.bmc, &mut other.bmc);
    assert_eq!(pair.bmc.session_count(), 2);
    let count = |pair: &mut Pair| {
        let selector = SessionSelector::Current;
        let asked = pair.session.request(pair.now, &GetSessionInfo { selector });
        asked.unwrap();
        match pair.run() {
            Happened::Response(_, data) => data[2],
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(count(&mut pair), 2);
    pair.wait(u64::from(config().inactivity_ms) - 1_000);
    assert_eq!(count(&mut pair), 2);
    pair.wait(2_000);
    assert_eq!(count(&mut pair), 1);
}
