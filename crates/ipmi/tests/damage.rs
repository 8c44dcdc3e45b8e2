//! Log-ins over a network that damages packets and has their checksums made anew, as some tunnels do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may, their helpers too"
)]

mod support;

use ipmi::bmc::{Config, Lockout};
use ipmi::console::{Login, LoginFailure};
use ipmi::crypto::UserKey;
use ipmi::number::PayloadType;
use support::{Happened, Pair, Seeded, config, is, login};

fn failed(failure: LoginFailure) -> Happened {
    Happened::LoginFailed(failure)
}

/// Logs in; `damages` says which datagrams arrive with a wrong last byte: `(true, bytes)` for the console's.
fn log_in(pair: &mut Pair, mut damages: impl FnMut(bool, &[u8]) -> bool) -> Happened {
    let mut over = |from_console, mut datagram: Vec<u8>| {
        if damages(from_console, &datagram)
            && let Some(last) = datagram.last_mut()
        {
            *last ^= 0x10;
        }
        datagram
    };
    pair.connect();
    for _ in 0..1_000 {
        while let Some(request) = pair.transmit() {
            let request = over(true, request);
            let Some(reply) = pair.at_bmc(&request) else {
                continue;
            };
            let reply = over(false, reply);
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

/// How many sessions were asked for.
fn exchanges(pair: &Pair) -> usize {
    let opens = |(console, datagram): &&(bool, Vec<u8>)| {
        *console && is(datagram, PayloadType::OPEN_SESSION_REQUEST)
    };
    pair.trace.iter().filter(opens).count()
}

fn with_one_slot() -> Config {
    Config {
        session_max: 1,
        ..config()
    }
}

/// The messages that carry proofs, and what one that doesn't hold means where it stays so.
const PROOFS: [(PayloadType, LoginFailure); 3] = [
    (PayloadType::RAKP_2, LoginFailure::WrongPassword),
    (PayloadType::RAKP_3, LoginFailure::WrongPassword),
    (PayloadType::RAKP_4, LoginFailure::NotAuthentic),
];

#[test]
fn a_proof_that_was_damaged_once_costs_one_more_exchange_and_no_slot() {
    for (message, _) in PROOFS {
        for suite in [3, 17] {
            let mut pair = Pair::new(login(&[suite]), with_one_slot());
            let mut hit = false;
            let happened = log_in(&mut pair, |_, datagram| {
                is(datagram, message) && !core::mem::replace(&mut hit, true)
            });
            assert_eq!(happened, Happened::Established, "{message} {suite}");
            assert_eq!(exchanges(&pair), 2, "{message} {suite}");
            assert_eq!(pair.now.as_nanos(), 0, "{message} {suite}: without waiting");
        }
    }
}

#[test]
fn a_proof_that_never_holds_is_believed_at_the_second_time() {
    for (message, failure) in PROOFS {
        let mut pair = Pair::new(login(&[17]), config());
        let happened = log_in(&mut pair, |_, datagram| is(datagram, message));
        assert_eq!(happened, failed(failure), "{message}");
        assert_eq!(exchanges(&pair), 2, "{message}");
    }
}

#[test]
fn a_wrong_password_costs_two_exchanges_and_counts_once_towards_the_lock() {
    let locking = Config {
        lockout: Some(Lockout {
            threshold: 2,
            reset_ms: 60_000,
            locked_ms: 60_000,
        }),
        ..with_one_slot()
    };
    let mut pair = Pair::new(Login::new("admin", b"guess").unwrap(), locking);
    for count in 1..=2 {
        assert_eq!(
            log_in(&mut pair, |_, _| false),
            failed(LoginFailure::WrongPassword)
        );
        assert_eq!(exchanges(&pair), 2 * count);
        let farewell = pair.transmit().unwrap();
        assert_eq!(pair.at_bmc(&farewell), None);
        assert_eq!(pair.bmc.failed_logins(), count as u64);
    }
    let locked = log_in(&mut pair, |_, _| false);
    assert_eq!(locked, failed(LoginFailure::UnknownUser));
}

#[test]
fn a_bmc_key_that_differs_is_told_where_the_first_try_took_the_only_slot() {
    let with_kg = Config {
        kg: UserKey::new(b"only the BMC knows"),
        ..with_one_slot()
    };
    let mut pair = Pair::new(login(&[17]), with_kg);
    let happened = log_in(&mut pair, |_, _| false);
    assert_eq!(happened, failed(LoginFailure::NotAuthentic));
}

#[test]
fn where_one_packet_in_twenty_is_damaged_hardly_any_log_in_fails() {
    let mut blamed = 0;
    for seed in 0..500 {
        let mut random = Seeded(seed);
        let mut pair = Pair::new(login(&[17]), config());
        let damages = |from_console: bool, _: &[u8]| !from_console && random.below(20) == 0;
        match log_in(&mut pair, damages) {
            Happened::Established => {}
            Happened::LoginFailed(LoginFailure::WrongPassword | LoginFailure::NotAuthentic) => {
                blamed += 1;
            }
            other => panic!("{other:?}, seed {seed}"),
        }
    }
    // One of two proofs damaged, and again at the second try: about one log-in in a hundred.
    assert!(blamed <= 15, "{blamed} of 500");
}
