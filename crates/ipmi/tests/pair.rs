//! A console's session against a BMC: logging in, asking, logging out, on virtual time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may, their helpers too"
)]

mod support;

use ipmi::command::app::GetDeviceId;
use ipmi::console::{RequestRefused, RequestTarget, State};
use ipmi::number::{CipherSuiteId, CompletionCode, NetFn, PrivilegeLevel};
use support::{DEVICE_ID, Happened, Pair, config, login};

const ECHO: RequestTarget = RequestTarget {
    netfn: NetFn(0x30),
    cmd: 1,
    lun: 0,
};

/// A BMC with every standard suite, 0 included.
fn all_suites() -> ipmi::bmc::Config {
    let suites = CipherSuiteId::NAMED.to_vec();
    ipmi::bmc::Config { suites, ..config() }
}

#[test]
fn each_suite_logs_in_asks_and_logs_out() {
    for suite in 0..20 {
        let mut pair = Pair::new(login(&[suite]), all_suites());
        pair.establish();
        assert_eq!(pair.session.suite(), Some(CipherSuiteId(suite)));
        assert_eq!(
            pair.session.privilege(),
            Some(PrivilegeLevel::ADMINISTRATOR)
        );
        pair.session.request(pair.now, &GetDeviceId).unwrap();
        let answer = Happened::Response(CompletionCode::OK, DEVICE_ID.to_vec());
        assert_eq!(pair.run(), answer, "suite {suite}");
        assert_eq!(pair.bmc.session_count(), 1);
        pair.session.close(pair.now);
        assert_eq!(pair.session.state(), State::Closing);
        assert_eq!(pair.run(), Happened::Closed);
        assert_eq!(
            (pair.session.state(), pair.bmc.session_count()),
            (State::Idle, 0)
        );
        assert_eq!(pair.ignored, []);
    }
}

#[test]
fn by_default_the_best_common_suite_is_used() {
    let default = ipmi::console::Login::new("admin", b"password").unwrap();
    let mut pair = Pair::new(default.clone(), config());
    pair.establish();
    assert_eq!(pair.session.suite(), Some(CipherSuiteId(17)));
    let only_3 = ipmi::bmc::Config {
        suites: vec![CipherSuiteId(3)],
        ..config()
    };
    let mut pair = Pair::new(default, only_3);
    pair.establish();
    assert_eq!(pair.session.suite(), Some(CipherSuiteId(3)));
}

#[test]
fn requests_of_every_length_come_back_whole() {
    for suite in [3, 4, 10, 12, 17] {
        let mut pair = Pair::new(login(&[suite]), all_suites());
        pair.establish();
        for len in 0..=255u8 {
            let data: Vec<u8> = (0..len).collect();
            pair.session
                .request_raw(pair.now, ECHO, &data, true)
                .unwrap();
            assert_eq!(pair.run(), Happened::Response(CompletionCode::OK, data));
        }
        assert_eq!(pair.ignored, []);
    }
}

#[test]
fn one_request_is_in_flight_at_a_time_and_only_while_established() {
    let mut pair = Pair::new(login(&[17]), config());
    let refused = pair.session.request(pair.now, &GetDeviceId);
    assert_eq!(refused, Err(RequestRefused::NotEstablished));
    pair.establish();
    pair.session.request(pair.now, &GetDeviceId).unwrap();
    assert_eq!(
        pair.session.request(pair.now, &GetDeviceId),
        Err(RequestRefused::Busy)
    );
    pair.run();
    let long = pair.session.request_raw(pair.now, ECHO, &[0; 1000], true);
    assert_eq!(long, Err(RequestRefused::TooLong));
}

#[test]
fn an_answer_that_does_not_fit_is_cannot_return_bytes() {
    let mut pair = Pair::new(login(&[3]), config());
    pair.establish();
    let target = RequestTarget { cmd: 2, ..ECHO };
    pair.session
        .request_raw(pair.now, target, &[], true)
        .unwrap();
    assert_eq!(
        pair.run(),
        Happened::Response(CompletionCode::CANNOT_RETURN_BYTES, vec![])
    );
}
