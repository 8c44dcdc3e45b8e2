//! What the configuration accepts and how it refuses.

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;

/// A folder with a password file of this mode.
fn folder(mode: u32) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "calvin\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    folder
}

const GOOD: &str = r#"
[service]
listen = "127.0.0.1:9443"

[[account]]
username = "root"
role = "Administrator"
password_file = "secret"

[fleet]
poll_interval_ms = 2000

[credentials.default]
username = "admin"
password_file = "secret"
cipher_suites = [17, 3]

[[target]]
hosts = "10.0.0.[1-3]"
names = "node[001-003]"
rack = "R1"
"#;

fn problems(text: &str) -> Vec<String> {
    let folder = folder(0o600);
    let found = Config::parse(text, folder.path()).map(|_| ()).unwrap_err();
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_range_of_targets_becomes_one_target_each() {
    let folder = folder(0o600);
    let config = Config::parse(GOOD, folder.path()).unwrap();
    let names: Vec<_> = config
        .targets
        .iter()
        .map(|t| (t.id.as_str(), t.host.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("node001", "10.0.0.1"),
            ("node002", "10.0.0.2"),
            ("node003", "10.0.0.3")
        ]
    );
    assert_eq!(config.accounts[0].password.expose(), b"calvin");
    assert_eq!(config.fleet.poll_interval_ms, 2000);
    assert_eq!(config.targets[0].treatment.port, 623);
}

#[test]
fn a_typo_is_an_error_that_names_key_line_and_nearest_valid_key() {
    let found = problems(&GOOD.replace("poll_interval_ms", "pol_intervall_ms"));
    assert_eq!(
        found,
        ["line 11: [fleet] pol_intervall_ms: unknown key; did you mean 'poll_interval_ms'?"]
    );
    let found = problems(&GOOD.replace("[service]", "[servise]"));
    assert_eq!(
        found,
        ["line 2: (top level) servise: unknown key; did you mean 'service'?"]
    );
    let found = problems(&GOOD.replace("rack = ", "zzzzzz = "));
    assert!(
        found[0].contains("unknown key; valid here: hosts, names, port"),
        "{found:?}"
    );
}

#[test]
fn intervals_of_classes_are_checked_and_a_typo_names_what_is_possible() {
    let with = |table: &str| {
        let intervals = format!("poll_interval_ms = 2000\nsensor_intervals_ms = {table}");
        GOOD.replace("poll_interval_ms = 2000", &intervals)
    };
    let folder = folder(0o600);
    let text = with("{ temperature = 10000, discrete = 300000 }")
        + "sensor_intervals_ms = { voltage = 60000 }\n";
    let config = Config::parse(&text, folder.path()).unwrap();
    let classes = |intervals: SensorIntervals| {
        let named = intervals.iter().map(|(class, ms)| (class.name(), ms));
        named.collect::<Vec<_>>()
    };
    assert_eq!(
        classes(config.fleet.sensor_intervals),
        [("temperature", 10_000), ("discrete", 300_000)]
    );
    let treatment = &config.targets[0].treatment;
    assert_eq!(classes(treatment.sensor_intervals), [("voltage", 60_000)]);
    for (table, wanted) in [
        (
            "{ temprature = 10000 }",
            "line 12: [fleet] sensor_intervals_ms: there is no class of sensors 'temprature'; did you mean 'temperature'? \
             The classes are temperature, fan, voltage, current, power, other, discrete",
        ),
        (
            "{ fan = 50 }",
            "line 12: [fleet] sensor_intervals_ms: fan: expected a whole number of milliseconds from 100 to 3600000",
        ),
        (
            "{ fan = \"1s\" }",
            "line 12: [fleet] sensor_intervals_ms: fan: expected a whole number of milliseconds from 100 to 3600000",
        ),
        (
            "5000",
            "line 12: [fleet] sensor_intervals_ms: expected a table, found integer",
        ),
    ] {
        assert_eq!(problems(&with(table)), [wanted]);
    }
}

#[test]
fn every_problem_is_reported_at_once_in_the_order_of_the_file() {
    let text = GOOD
        .replace("127.0.0.1:9443", "nowhere")
        .replace("2000", "5")
        .replace("10.0.0.[1-3]", "10.0.0.[3-1]");
    let found = problems(&text);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found[0].starts_with("line 3: [service] listen:"),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("line 11: [fleet] poll_interval_ms: 5 is out of range"),
        "{found:?}"
    );
    assert!(
        found[2].starts_with("line 19: [[target]] hosts:"),
        "{found:?}"
    );
}

#[test]
fn a_syntax_error_names_its_line() {
    let found = problems("[service]\nlisten = \n");
    assert!(found[0].starts_with("line 2: syntax:"), "{found:?}");
}

#[test]
fn a_password_file_that_others_can_read_is_refused_with_the_remedy() {
    let folder = folder(0o644);
    let found = Config::parse(GOOD, folder.path()).map(|_| ()).unwrap_err();
    assert_eq!(found.len(), 2);
    assert!(
        found[0]
            .text
            .contains("others can read it (mode 0644); run: chmod 600"),
        "{found:?}"
    );
}

#[test]
fn a_password_in_the_file_itself_is_an_unknown_key() {
    let text = GOOD.replace(
        "password_file = \"secret\"\ncipher",
        "password = \"calvin\"\ncipher",
    );
    let found = problems(&text);
    assert!(
        found[0].contains("did you mean 'password_env'?") || found[0].contains("password_file"),
        "{found:?}"
    );
    assert!(!found.concat().contains("calvin"));
}

#[test]
fn a_target_without_its_credentials_is_refused() {
    let found = problems(&GOOD.replace("[credentials.default]", "[credentials.lab]"));
    assert!(
        found
            .iter()
            .any(|p| p.contains("there is no [credentials.default]")),
        "{found:?}"
    );
}

#[test]
fn a_word_that_is_nearly_right_is_answered_with_the_right_one() {
    let found = problems(&GOOD.replace("[credentials.default]", "[credentials.defaults]"));
    let text = "there is no [credentials.default]; did you mean 'defaults'?";
    assert!(found.iter().any(|p| p.contains(text)), "{found:?}");
    let found = problems(&GOOD.replace("\"Administrator\"", "\"administrater\""));
    let text = "did you mean 'Administrator'?";
    assert!(found.iter().any(|p| p.contains(text)), "{found:?}");
}

#[test]
fn where_images_may_come_from_is_read_beside_where_events_may_go() {
    let folder = folder(0o600);
    let text = format!("{GOOD}\n[update]\nallow_clear_text = true\nca_file = \"ca.pem\"");
    let config = Config::parse(&text, folder.path()).unwrap();
    assert!(config.update.allow_clear_text && !config.events.allow_clear_text);
    assert_eq!(config.update.ca_file, Some(folder.path().join("ca.pem")));
    assert_eq!(config.events.ca_file, None);
}

#[test]
fn two_targets_of_one_name_are_refused() {
    let found = problems(&format!("{GOOD}\n[[target]]\nhosts = \"node002\"\n"));
    assert!(
        found[0].contains("'node002' is there twice: in the [[target]] of line"),
        "{found:?}"
    );
}

#[test]
fn a_rack_with_the_name_of_a_machine_is_refused() {
    let found = problems(&GOOD.replace("\"R1\"", "\"node002\""));
    assert_eq!(
        found,
        ["line 21: [[target]] rack: 'node002' is the name of a machine too"]
    );
}

#[test]
fn a_rack_and_a_machine_of_different_sections_share_no_name_either() {
    let more = "\n[[target]]\nhosts = \"10.0.0.9\"\nnames = \"R1\"\n";
    let found = problems(&format!("{GOOD}{more}"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].ends_with("'R1' is the name of a machine too"),
        "{found:?}"
    );
}

#[test]
fn the_cipher_suite_that_checks_no_password_is_refused() {
    let found = problems(&GOOD.replace("[17, 3]", "[17, 0]"));
    assert!(found[0].contains("suite 0 checks no password"), "{found:?}");
}

#[test]
fn a_secret_never_prints() {
    assert_eq!(format!("{:?}", Secret::new("calvin")), "Secret(…)");
}

#[test]
fn every_key_has_a_meaning_and_no_section_lists_one_twice() {
    for section in SECTIONS {
        let mut names: Vec<_> = section.keys.iter().map(|k| k.name).collect();
        assert!(
            section
                .keys
                .iter()
                .all(|k| !k.meaning.is_empty() && !k.kind.is_empty())
        );
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{}", section.heading);
    }
}

/// [`GOOD`] with more keys in `[service]`.
fn with_service(keys: &str) -> String {
    GOOD.replace("[service]", &format!("[service]\n{keys}"))
}

#[test]
fn the_ways_in_beside_https_are_read() {
    let folder = folder(0o600);
    let text = with_service(
        r#"
        public_url = "https://rack1.example.org/"
        hsts_max_age_s = 0
        listen_redirect = "0.0.0.0:80"
        listen_proxy = "127.0.0.1:8080"
        trusted_proxies = ["127.0.0.1", "2001:db8::/64"]
        forwarded_header = "forwarded"
        "#,
    );
    let front = Config::parse(&text, folder.path()).unwrap().service.front;
    assert_eq!(front.public_host.as_deref(), Some("rack1.example.org"));
    assert_eq!(front.hsts_max_age_s, 0);
    assert_eq!(front.listen_redirect, Some(([0, 0, 0, 0], 80).into()));
    let proxy = ProxyAddress::Tcp(([127, 0, 0, 1], 8080).into());
    assert_eq!(front.listen_proxy, Some(proxy));
    let text = with_service("listen_proxy = \"unix:http.sock\"");
    let front = Config::parse(&text, folder.path()).unwrap().service.front;
    let socket = ProxyAddress::Unix(folder.path().join("http.sock"));
    assert_eq!(front.listen_proxy, Some(socket));
}

#[test]
fn clear_text_listens_on_loopback_unless_the_risk_is_taken_by_name() {
    let open = "listen_proxy = \"0.0.0.0:8080\"\ntrusted_proxies = [\"10.0.0.0/8\"]";
    let found = problems(&with_service(open));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("listen_proxy: not a loopback address"),
        "{found:?}"
    );
    let folder = folder(0o600);
    let text = with_service(&format!("{open}\ninsecure_proxy_network = true"));
    assert!(Config::parse(&text, folder.path()).is_ok());
}

#[test]
fn what_is_wrong_with_the_ways_in_is_named() {
    for (keys, expected) in [
        (
            "listen_proxy = \"127.0.0.1:1\"",
            "listen_proxy: needs trusted_proxies",
        ),
        (
            "listen_proxy = \"8080\"",
            "listen_proxy: expected ADDRESS:PORT",
        ),
        (
            "listen_redirect = \"80\"",
            "listen_redirect: expected ADDRESS:PORT",
        ),
        (
            "trusted_proxies = [\"10.0.0.1/8\"]",
            "'10.0.0.1/8': the address has bits set",
        ),
        (
            "trusted_proxies = \"10.0.0.1\"",
            "trusted_proxies: expected a list of strings",
        ),
        (
            "forwarded_header = \"X-Real-IP\"",
            "forwarded_header: expected",
        ),
        (
            "public_url = \"http://rack1\"",
            "public_url: expected https://HOST",
        ),
        (
            "public_url = \"https://rack1/a\"",
            "public_url: expected https://HOST",
        ),
        (
            "hsts_max_age_s = 99999999",
            "hsts_max_age_s: 99999999 is out of range",
        ),
        ("ssdp_interfaces = [\"eth0\"]", "'eth0' is no address"),
        (
            "ssdp_interfaces = [\"127.0.0.1\", \"127.0.0.1\"]",
            "is there twice",
        ),
        (
            "ssdp_interfaces = [\"10.0.0.1\"]",
            "ssdp_interfaces: clients can't reach",
        ),
        (
            "insecure_proxy_network = 1",
            "insecure_proxy_network: expected true or false",
        ),
    ] {
        let found = problems(&with_service(keys));
        assert!(
            found.iter().any(|problem| problem.contains(expected)),
            "{keys}: {found:?}"
        );
    }
}

#[test]
fn where_events_may_go_is_read() {
    let folder = folder(0o600);
    let with = |keys: &str| format!("{GOOD}\n[events]\n{keys}");
    let text = with("allow_destinations = [\"127.0.0.0/8\", \"fe80::/10\"]\nca_file = \"ca.pem\"");
    let events = Config::parse(&text, folder.path()).unwrap().events;
    assert_eq!(events.allow_destinations.len(), 2);
    assert_eq!(events.ca_file, Some(folder.path().join("ca.pem")));
    assert!(!events.allow_clear_text);
    let found = problems(&with("allow_destinations = [\"127.0.0.1/8\"]"));
    assert!(
        found[0].contains("allow_destinations: '127.0.0.1/8'"),
        "{found:?}"
    );
}

#[test]
fn metrics_are_off_until_they_have_an_address_and_stay_on_this_machine_unless_told_otherwise() {
    let folder = folder(0o600);
    let parse = |section: &str| Config::parse(&format!("{GOOD}{section}"), folder.path());
    assert!(parse("").unwrap().metrics.is_none());
    let local = parse("[metrics]\nlisten = \"127.0.0.1:9290\"\n").unwrap();
    assert!(!local.metrics.unwrap().fleet_only);
    let open = "[metrics]\nlisten = \"0.0.0.0:9290\"\n";
    let refused = parse(open).unwrap_err();
    assert!(refused[0].to_string().contains("insecure_network"));
    assert!(parse(&format!("{open}insecure_network = true\n")).is_ok());
    for bad in ["[metrics]\n", "[metrics]\nlisten = \"9290\"\n"] {
        assert_eq!(parse(bad).unwrap_err().len(), 1, "{bad}");
    }
}
