//! Where something is not as asked: BMCs that deviate, names that fit nothing, controllers that are not there. What there is is
//! printed, what is missing is told, and the exit code says so.

use ipmi::quirk::Quirk;
use serde_json::Value;

use crate::support::{Node, Run, program, run};

/// How many sensors have a value.
fn values(said: &Value) -> usize {
    let sensors = said["result"]["sensors"].as_array().unwrap().iter();
    sensors.filter(|sensor| sensor["value"].is_number()).count()
}

#[test]
fn a_quirk_that_can_not_be_noticed_is_hinted_at_and_named_by_the_operator() {
    let healthy = values(&Node::new().json(&["sensor"]));
    assert!(healthy > 10);
    for quirk in [Quirk::SensorOwnerWrong, Quirk::ScanningFlagWrong] {
        let node = Node::with(quirk);
        let said = node.json(&["sensor"]);
        assert_eq!((&said["ok"], values(&said)), (&true.into(), 0), "{quirk}");
        let option = format!("--quirk {quirk}");
        assert!(said["hint"].as_str().unwrap().ends_with(&option), "{said}");
        let run = node.run(&["sensor"]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let begin = "127.16.0.1: hint: ";
        assert!(run.stderr.starts_with(begin), "{}", run.stderr);
        let both = format!("often-busy,{quirk}");
        for words in [
            &["--quirk", "often-busy", "--quirk", quirk.name(), "sensor"][..],
            &["sensor", "--quirk", quirk.name(), "--quirk", "often-busy"],
            &["sensor", "--quirk", &both],
        ] {
            let said = node.json(words);
            assert_eq!(values(&said), healthy, "{quirk}");
            assert_eq!(said["hint"], Value::Null);
        }
    }
    let run = Node::new().run(&["--quirk", "sensor-owner-rong", "sensor"]);
    assert_eq!(run.code, Some(2));
    let like = "did you mean \"sensor-owner-wrong\"?";
    assert!(run.stderr.contains(like), "{}", run.stderr);
}

#[test]
fn sensors_that_are_there_are_printed_beside_those_that_are_not() {
    let node = Node::new();
    let run = node.run(&["sensor", "Fan1", "Nope*", "None"]);
    assert_eq!(run.code, Some(1));
    let lines = run.lines();
    assert!(
        lines.len() == 1 && lines[0].starts_with("Fan1 "),
        "{lines:?}"
    );
    let told = "there is no sensor 'Nope*', 'None'; ";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    let said = node.json(&["sensor", "Fan1", "Nope*"]);
    assert_eq!(said["ok"], false);
    assert_eq!(said["result"]["sensors"][0]["name"], "Fan1");
    assert_eq!(said["error"]["kind"], "no_such_sensor");
    let run = node.run(&["sensor", "Nope*"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
}

#[test]
fn a_lan_channel_that_answers_now_and_then_is_printed_whole() {
    let healthy = Node::new().run(&["lan", "print"]);
    let flaky = Node::with(Quirk::LanParameterFlaky).run(&["lan", "print"]);
    assert_eq!((healthy.code, flaky.code), (Some(0), Some(0)));
    assert!(healthy.lines().len() > 8);
    assert_eq!(healthy.stdout, flaky.stdout);
}

#[test]
fn a_suite_that_is_offered_and_refused_is_not_proposed_again() {
    let node = Node::with(Quirk::SuiteOfferedUnusable);
    let error = node.json("-C 17 power status")["error"].take();
    assert_eq!(error["kind"], "no_common_suite", "{error}");
    let cause = error["cause"].as_str().unwrap();
    assert!(cause.ends_with("but refused 17"), "{cause}");
    assert_eq!(error["remedy"], "propose it: --suite 3");
}

#[test]
fn channel_takes_its_words_in_ipmitools_order() {
    let node = Node::new();
    let words = |text: &str| node.json(text)["result"].take();
    let one = words("channel getaccess 1 2");
    assert_eq!(
        (&one["user"], &one["ipmi_messaging"]),
        (&2.into(), &true.into())
    );
    let all = words("channel getaccess 1");
    let all = all["users"].as_array().unwrap();
    assert_eq!(all[1], one);
    assert_eq!(all.len() as u64, one["maximum"].as_u64().unwrap());
    words("user set name 3 ops");
    words("user enable 3");
    let set = words("channel setaccess 1 3 ipmi=on link=off privilege=3");
    assert_eq!(set["privilege_limit"], "OPERATOR");
    assert_eq!(words("channel getaccess 1 3"), set);
    let by_name = words("channel setaccess 1 3 callin=off privilege=user");
    assert_eq!(
        (&by_name["privilege_limit"], &by_name["callback_only"]),
        (&"USER".into(), &true.into())
    );
    assert_eq!(by_name["ipmi_messaging"], true, "it stays");
    for args in ["channel getciphers ipmi 1", "channel getciphers"] {
        assert!(!words(args)["cipher_suites"].as_array().unwrap().is_empty());
    }
    for wrong in [
        "channel setaccess 1 3 privilege=root",
        "channel setaccess 1 3 ipmi",
        "channel setaccess 1 3",
        "channel getaccess",
    ] {
        let run = node.run(wrong);
        assert_eq!(run.code, Some(2), "{wrong}");
    }
}

#[test]
fn what_can_not_be_used_is_told_as_the_operator_wrote_it() {
    let node = Node::new();
    for (args, told) in [
        (&["-p", "99999", "power", "status"][..], "1 to 65535"),
        (&["-p", "0", "power", "status"], "1 to 65535"),
        (
            &["-C", "99", "power", "status"],
            "99 is no standard cipher suite",
        ),
    ] {
        let run = node.run(args);
        assert_eq!(run.code, Some(2), "{args:?}");
        assert!(run.stderr.contains(told), "{}", run.stderr);
    }
    let words = ["ipmi", "node1:99999", "-U", "admin", "power", "status"];
    let Run {
        code, stderr: told, ..
    } = run(program().args(words));
    assert_eq!(code, Some(2));
    assert!(
        told.contains("port 99999 is not one of 1 to 65535"),
        "{told}"
    );
}

#[test]
fn a_refusal_names_the_request_and_who_refused() {
    let node = Node::new();
    let failure = |args: &[&str]| node.json(args)["error"].take();
    let nobody = failure(&["-t", "0x72", "mc", "info"]);
    assert_eq!(
        (
            &nobody["kind"],
            &nobody["request"],
            &nobody["completion_code"]
        ),
        (
            &"not_passed_on".into(),
            &"Get Device ID".into(),
            &0x83.into()
        )
    );
    assert!(nobody["remedy"].as_str().unwrap().contains("-t"));
    let channel = failure(&["-t", "0x72", "-b", "5", "mc", "info"]);
    assert!(
        channel["remedy"]
            .as_str()
            .unwrap()
            .contains("no such channel")
    );
    for (args, request) in [
        (&["picmg", "properties"][..], "Get PICMG Properties"),
        (&["raw", "0x2c", "0x00", "0x00"], "Get PICMG Properties"),
        (&["-t", "0x72", "nm", "version"], "Get Version"),
    ] {
        assert_eq!(failure(args)["request"], request, "{args:?}");
    }
}
