//! Sessions of IPMI 1.5, which are opened only where they are asked for.

use ipmi::bmc::V15;
use ipmi::number::{AuthType, CipherSuiteId};

use crate::support::{Rack, run};

/// A machine whose BMC takes IPMI 1.5 in these ways.
fn rack(auth_types: &[AuthType]) -> Rack {
    Rack::with(1, |access| {
        access.v15 = Some(V15 {
            auth_types: auth_types.to_vec(),
            ..V15::default()
        });
    })
}

#[test]
fn a_bmc_is_asked_by_ipmi_1_5_in_whichever_way_it_takes() {
    for (auth_type, name) in [
        (AuthType::MD5, "md5"),
        (AuthType::MD2, "md2"),
        (AuthType::PASSWORD, "password"),
        (AuthType::NONE, "none"),
    ] {
        let rack = rack(&[auth_type]);
        for ways in [name, "md5,md2,password,none"] {
            let said = rack.lines(&format!("power status --v15 {ways}"));
            assert_eq!(said, ["Chassis Power is on"], "{name} {ways}");
        }
        assert_eq!(rack.server.bmcs().session_count(), 0);
        let sensors = rack.lines(&format!("sensor --no-sdr-cache --v15 {name}"));
        assert!(sensors.len() > 40, "{}", sensors.len());
    }
}

#[test]
fn what_keeps_a_session_of_ipmi_1_5_from_being_opened_is_said() {
    let kind = |rack: &Rack, args: &str| {
        let said = rack.json("127.16.0.1", args);
        assert_eq!(said[0]["ok"], false, "{}", said[0]);
        said[0]["error"]["kind"].as_str().unwrap().to_owned()
    };
    // Unless told to, a BMC takes none, and a console opens none.
    let modern = Rack::new(1);
    assert_eq!(kind(&modern, "power status --v15 md5"), "not_v15");
    let old = Rack::with(1, |access| {
        access.v15 = Some(V15::default());
        access.suites = [CipherSuiteId(0)].to_vec();
    });
    assert_ne!(kind(&old, "power status"), "not_v15");
    // Nor in a way that was not named.
    assert_eq!(kind(&old, "power status --v15 password,none"), "not_v15");
    let mut wrong = old.command(
        "127.16.0.1",
        "power status --v15 md5 --attempts 1 --timeout-ms 50 --json",
    );
    let said = run(wrong.env("IPMI_PASSWORD", "wrong"));
    assert_eq!(said.code, Some(1));
    let said: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(said["error"]["kind"], "not_activated", "{said}");
    assert_eq!(old.server.bmcs().session_count(), 0);
}

#[test]
fn no_password_is_too_long_in_silence() {
    let rack = rack(&[AuthType::MD5]);
    let mut long = rack.command("127.16.0.1", "power status --v15 md5");
    let said = run(long.env("IPMI_PASSWORD", "seventeen letters"));
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("16 bytes"), "{}", said.stderr);
    // Suites are RMCP+'s.
    for order in [
        "power status --v15 md5 -C 3",
        "-C 3 power status --v15 password",
        "--v15 password power status -C 3",
        "--sdr-cache /tmp sensor --no-sdr-cache",
    ] {
        let said = rack.run("127.16.0.1", order);
        assert_eq!(said.code, Some(2), "{order}: {said:?}");
    }
    assert_eq!(rack.server.bmcs().session_count(), 0);
}

#[test]
fn who_proves_nothing_needs_no_password() {
    let rack = rack(&[AuthType::NONE]);
    let mut plain = rack.command("127.16.0.1", "power status --v15 none");
    assert!(run(plain.env_remove("IPMI_PASSWORD")).is_ok());
    let mut named = rack.command("127.16.0.1", "power status --v15 none,md5");
    assert_eq!(run(named.env_remove("IPMI_PASSWORD")).code, Some(2));
}

#[test]
fn nobodys_console_is_taken_away_by_a_session_that_can_have_none() {
    let rack = rack(&[AuthType::MD5]);
    let said = rack.run("127.16.0.1", "sol --steal --v15 md5");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("IPMI 2.0 only"), "{}", said.stderr);
}
