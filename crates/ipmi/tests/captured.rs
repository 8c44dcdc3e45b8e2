//! Captured conversations whose password is known are printed in the clear.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may, their helpers too"
)]

mod support;

use ipmi::bmc::{Config, User};
use ipmi::command::app::{GetDeviceId, Guid};
use ipmi::command::chassis::ChassisControl;
use ipmi::console::Login;
use ipmi::crypto::UserKey;
use ipmi::number::{ChassisControlAction, CipherSuiteId, PrivilegeLevel};
use ipmi::print::{CapturedSessions, Datagram};
use ipmi::quirk::{Quirk, Quirks};
use support::{Pair, config, login};

fn key(text: &str) -> UserKey {
    UserKey::new(text.as_bytes()).unwrap()
}

/// Every datagram of a session with this suite, that asks for the device's ID and switches the machine on.
fn conversation(suite: u8, kg: Option<&str>) -> Vec<Vec<u8>> {
    let mut config = config();
    config.suites = vec![CipherSuiteId(suite)];
    let mut login = login(&[suite]);
    if let Some(kg) = kg {
        config.kg = Some(key(kg));
        login = login.with_kg(kg.as_bytes()).unwrap();
    }
    spoken(Pair::new(login, config))
}

/// Every datagram of a session that asks for the device's ID and switches the machine on.
fn spoken(mut pair: Pair) -> Vec<Vec<u8>> {
    pair.establish();
    pair.session.request(pair.now, &GetDeviceId).unwrap();
    pair.run();
    let action = ChassisControlAction::POWER_UP;
    pair.session
        .request(pair.now, &ChassisControl { action })
        .unwrap();
    pair.run();
    pair.session.close(pair.now);
    pair.run();
    pair.trace.into_iter().map(|(_, bytes)| bytes).collect()
}

#[test]
fn sessions_with_bmcs_that_make_their_codes_in_their_own_way_are_opened_too() {
    // With a name that has no zero behind it and a password that is longer than some BMCs take, each way shows.
    let long = "twenty bytes, no les";
    for quirk in [
        Quirk::RakpLookupBitLeftOut,
        Quirk::RakpNamePadded,
        Quirk::PasswordCutAt16,
    ] {
        let admin = User::new("admin", long.as_bytes(), PrivilegeLevel::ADMINISTRATOR);
        let mut config = Config::new(vec![admin.unwrap()], Guid([7; 16]));
        config.defects = Quirks::NONE.with(quirk);
        let login = Login::new("admin", long.as_bytes()).unwrap();
        let trace = spoken(Pair::new(login, config));
        let mut sessions = CapturedSessions::new(key(long), None);
        let text = printed(&mut sessions, &trace);
        assert!(text.contains("Chassis Control = done"), "{quirk}:\n{text}");
        assert_eq!(sessions.sealed(), 0, "{quirk}");
        // No way leads in without the password.
        let mut sessions = CapturedSessions::new(key("twenty bytes, no mor"), None);
        let is_cut = quirk == Quirk::PasswordCutAt16;
        printed(&mut sessions, &trace);
        assert_eq!(sessions.sealed() == 0, is_cut, "{quirk}");
    }
}

fn printed(sessions: &mut CapturedSessions, trace: &[Vec<u8>]) -> String {
    let lines = trace
        .iter()
        .map(|datagram| sessions.decode(datagram).unwrap().to_string());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_conversation_whose_password_is_known_prints_the_commands_sent() {
    for suite in [3, 4, 8, 12, 17] {
        let trace = conversation(suite, None);
        let mut sessions = CapturedSessions::new(key("password"), None);
        let text = printed(&mut sessions, &trace);
        for said in [
            "Get Device ID",
            "Get Device ID = ",
            "Chassis Control: ",
            "Chassis Control = done",
            "Close Session",
        ] {
            assert!(text.contains(said), "suite {suite}, {said}:\n{text}");
        }
        assert_eq!(sessions.sealed(), 0, "suite {suite}");
    }
}

#[test]
fn a_bmcs_own_key_is_needed_where_it_has_one() {
    let trace = conversation(17, Some("the key"));
    let mut with = CapturedSessions::new(key("password"), Some(key("the key")));
    assert!(printed(&mut with, &trace).contains("Chassis Control"));
    let mut without = CapturedSessions::new(key("password"), None);
    assert!(!printed(&mut without, &trace).contains("Chassis Control"));
    assert!(without.sealed() > 0);
}

#[test]
fn another_password_opens_nothing_and_prints_what_no_password_does() {
    let trace = conversation(17, None);
    let mut sessions = CapturedSessions::new(key("passwore"), None);
    for datagram in &trace {
        assert_eq!(sessions.decode(datagram), Datagram::decode(datagram));
    }
    assert!(sessions.sealed() > 0);
}

#[test]
fn packets_that_are_captured_twice_or_not_at_all_are_no_matter() {
    let trace = conversation(17, None);
    let mut sessions = CapturedSessions::new(key("password"), None);
    let is_control = |text: &str| text.contains("Chassis Control");
    let twice: Vec<_> = trace
        .iter()
        .flat_map(|one| [one.clone(), one.clone()])
        .collect();
    let text = printed(&mut sessions, &twice);
    assert_eq!(text.lines().filter(|line| is_control(line)).count(), 4);
    // The log-in and what comes at the end.
    let log_in = trace.iter().filter(|one| {
        let text = Datagram::decode(one).unwrap().to_string();
        !text.contains("encrypted")
    });
    let gaps: Vec<_> = log_in.chain(trace.last()).cloned().collect();
    let mut sessions = CapturedSessions::new(key("password"), None);
    assert!(printed(&mut sessions, &gaps).contains("Close Session"));
}

#[test]
fn mixed_sessions_of_two_bmcs_with_the_same_numbers_are_told_apart() {
    let (first, second) = (conversation(17, None), conversation(3, None));
    let longest = first.len().max(second.len());
    let mixed: Vec<_> = (0..longest)
        .flat_map(|at| [first.get(at), second.get(at)])
        .flatten()
        .cloned()
        .collect();
    let mut sessions = CapturedSessions::new(key("password"), None);
    let text = printed(&mut sessions, &mixed);
    let controls = text.lines().filter(|line| line.contains("Chassis Control"));
    assert_eq!((controls.count(), sessions.sealed()), (4, 0), "{text}");
}
