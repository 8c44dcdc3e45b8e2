//! What a BMC keeps: sensors, their records, the event log, in ipmitool's words and orders.

use ipmi::number::ChassisControlAction;
use serde_json::Value;

use crate::support::{Folder, Node};

#[test]
fn entries_of_the_log_are_chosen_told_and_deleted_by_number() {
    let node = Node::new();
    for _ in 0..3 {
        for action in [
            ChassisControlAction::POWER_DOWN,
            ChassisControlAction::POWER_UP,
        ] {
            let site = node.rack.server.bmcs().site();
            site.machine(0, node.rack.clock.now())
                .control(action)
                .unwrap();
        }
    }
    let all = node.lines("sel list");
    assert!(all.len() >= 4, "{all:?}");
    assert_eq!(node.lines("sel list last 2"), all[all.len() - 2..]);
    assert_eq!(node.lines("sel list first 3"), all[..3]);
    assert_eq!(node.lines("sel elist last 1").len(), 1);
    assert_eq!(node.lines("sel list first 60000"), all);
    assert_eq!(node.lines("sel list 3"), all[..3]);
    assert_eq!(node.lines("sel elist 1").len(), 1);
    for wrong in [
        "sel list last",
        "sel list 0",
        "sel list 3 3",
        "sel list middle 3",
    ] {
        assert_eq!(node.run(wrong).code, Some(2), "{wrong}");
    }

    let listed = node.result("sel list")["entries"]
        .as_array()
        .unwrap()
        .clone();
    let ids: Vec<u64> = listed
        .iter()
        .map(|entry| entry["id"].as_u64().unwrap())
        .collect();
    let got = node.result(&format!("sel get {} {:#x}", ids[1], ids[0]));
    let got = got["entries"].as_array().unwrap();
    for (got, listed) in [(&got[0], &listed[1]), (&got[1], &listed[0])] {
        assert_eq!(
            (&got["id"], &got["event"], &got["data"]),
            (&listed["id"], &listed["event"], &listed["data"])
        );
        assert!(
            got["sensor"].is_string() && got["generator"] == 0x20,
            "{got}"
        );
    }
    let sheet = node.lines(&format!("sel get {}", ids[0]));
    assert_eq!(sheet[0], format!("SEL Record ID    : 0x{:04x}", ids[0]));
    // One that is not there costs no other, and is told.
    let partly = node.json(&format!("sel get 0x7777 {}", ids[0]));
    assert_eq!(
        (&partly["ok"], &partly["error"]["completion_code"]),
        (&false.into(), &0xcb.into())
    );
    assert_eq!(partly["result"]["entries"].as_array().unwrap().len(), 1);

    let gone = node.result(&format!("sel delete {} {}", ids[0], ids[2]));
    assert_eq!(gone["records"], serde_json::json!([ids[0], ids[2]]));
    let left = node.result("sel list")["entries"]
        .as_array()
        .unwrap()
        .clone();
    assert!(
        left.iter()
            .all(|entry| entry["id"] != ids[0] && entry["id"] != ids[2])
    );
    assert_eq!(left.len(), listed.len() - 2);
}

#[test]
fn records_and_sensors_are_listed_in_ipmitools_words() {
    let node = Node::new();
    let count = |args: &str| node.lines(args).len();
    let (full, compact) = (count("sdr list full"), count("sdr list compact"));
    assert!(full > 0 && compact > 0);
    assert_eq!(full + compact, count("sdr list"));
    let fru = node.lines("sdr list fru");
    assert!(
        !fru.is_empty() && fru.iter().all(|line| line.contains("| Log FRU @")),
        "{fru:?}"
    );
    let mc = node.lines("sdr elist mcloc");
    assert!(mc[0].contains("| Static MC @ 20h"), "{mc:?}");
    assert!(count("sdr list all") >= full + compact + fru.len() + mc.len());
    assert_eq!(node.lines("sdr type list"), node.lines("sdr type"));
    let fans = node.result("sdr entity 29.1");
    assert_eq!(fans["sensors"][0]["name"], "Fan1");
    assert!(count("sdr entity 29") > 1);
    assert_eq!(node.failure("sdr entity 250")["kind"], "no_such_entity");

    for words in ["sdr get Fan1", "sensor get Fan1"] {
        let sensor = &node.result(words)["sensors"][0];
        assert_eq!(sensor["name"], "Fan1");
        assert!(
            sensor["positive_hysteresis"].as_f64().unwrap() > 0.0,
            "{sensor}"
        );
    }
    let sheet = node.lines("sensor get Fan1");
    assert!(
        sheet
            .iter()
            .any(|line| line.starts_with("Positive Hysteresis   : ")),
        "{sheet:?}"
    );
    assert!(node.lines("sensor reading Fan1")[0].starts_with("Fan1 "));

    let folder = Folder::new("dump");
    let file = folder.path("sdr.bin");
    assert!(node.run(&["sdr", "dump", &file]).is_ok());
    let bytes = std::fs::read(file).unwrap();
    let (mut rest, mut records) = (bytes.as_slice(), 0);
    while let Some(header) = rest.first_chunk::<5>() {
        assert_eq!(
            header[2], 0x51,
            "a record begins with its number and version"
        );
        rest = &rest[5 + usize::from(header[4])..];
        records += 1;
    }
    assert_eq!(
        (node.result("sdr info")["records"].clone(), rest.len()),
        (records.into(), 0)
    );
}

#[test]
fn sensors_are_listed_in_ipmitools_ways() {
    let node = Node::new();
    let lists = node.result("sensor list")["sensors"]
        .as_array()
        .unwrap()
        .len();
    let list = node.text(&["sdr", "list"]);
    assert_eq!(list.lines().count(), lists);
    let fan = list.lines().find(|line| line.starts_with("Fan1 ")).unwrap();
    let columns: Vec<&str> = fan.split('|').map(str::trim).collect();
    assert!(columns[1].ends_with(" RPM") && columns[2] == "ok", "{fan}");

    let extended = node.text(&["sdr", "elist"]);
    let fan = extended
        .lines()
        .find(|line| line.starts_with("Fan1 "))
        .unwrap();
    let columns: Vec<&str> = fan.split('|').map(str::trim).collect();
    assert_eq!(columns[1..4], ["20h", "ok", "29.1"], "{fan}");

    let fans = node.text(&["sdr", "type", "fan"]);
    assert!(
        fans.lines().count() >= 4 && !fans.contains("degrees"),
        "{fans}"
    );
    assert_eq!(node.text(&["sdr", "type", "0x04"]), fans);
    assert!(node.text(&["sdr", "type"]).contains("Temperature"));
    assert_eq!(node.failure("sdr type Nonsense")["kind"], "no_such_type");

    let one = node.text(&["sensor", "get", "Fan1"]);
    for expected in [
        "Sensor ID             : Fan1 (0x20)",
        "Entity ID             : 29.1",
        "Lower Critical        : 1200",
    ] {
        assert!(one.contains(expected), "{expected}: {one}");
    }
    let records = node.result("sdr records")["records"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(node.result("sdr info")["records"], records);
}

#[test]
fn thresholds_are_set_three_at_once_and_a_refusal_names_its_cause() {
    let node = Node::new();
    let sensors = node.result("sensor")["sensors"].as_array().unwrap().clone();
    let upper = [
        "upper_non_critical",
        "upper_critical",
        "upper_non_recoverable",
    ];
    let limit = |sensor: &Value, name: &str| sensor["thresholds"][name].as_f64();
    let has_all = |sensor: &&Value| upper.iter().all(|name| limit(sensor, name).is_some());
    let sensor = sensors.iter().find(has_all).unwrap();
    let name = sensor["name"].as_str().unwrap();
    let [unc, ucr, unr] = upper.map(|name| limit(sensor, name).unwrap());
    let set = |words: &[String]| {
        let mut args = vec!["sensor", "thresh", name];
        args.extend(words.iter().map(String::as_str));
        node.json(&args)
    };
    // Each a step lower than it was.
    let lower = [2.0 * unc - ucr, unc, ucr];
    let values = lower.map(|value| value.to_string());
    let words: Vec<String> = ["upper".to_owned()].into_iter().chain(values).collect();
    let said = set(&words);
    assert_eq!(said["ok"], true, "{said}");
    let kept = upper.map(|name| limit(&said["result"], name).unwrap());
    let is_kept = |(kept, set): (&f64, &f64)| (kept - set).abs() < 1e-6;
    assert!(kept.iter().zip(&lower).all(is_kept), "{kept:?} {lower:?}");

    // Above the one that must lie above it.
    let said = set(&["unc".to_owned(), unr.to_string()]);
    let error = &said["error"];
    assert_eq!(
        (&error["kind"], &error["completion_code"]),
        (&"refused".into(), &0xcc.into())
    );
    let remedy = error["remedy"].as_str().unwrap();
    assert!(
        remedy.contains("upper non-critical would be") && remedy.contains("above upper critical"),
        "{remedy}"
    );

    let lacks = sensors.iter().find(|sensor| {
        limit(sensor, "lower_critical").is_none() && limit(sensor, "upper_critical").is_some()
    });
    let lacking = lacks.unwrap()["name"].as_str().unwrap();
    let said = node.json(&["sensor", "thresh", lacking, "lcr", "1"]);
    let remedy = said["error"]["remedy"].as_str().unwrap();
    assert!(remedy.contains("lower critical"), "{said}");
    let few = node.run(&["sensor", "thresh", name, "upper", "1"]);
    assert_eq!(few.code, Some(2), "{few:?}");
}
