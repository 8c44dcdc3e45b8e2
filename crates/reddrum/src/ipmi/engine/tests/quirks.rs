//! Commands against virtual BMCs with defects that only these commands meet.

use clap::Parser;
use ipmi::quirk::{Quirk, Quirks};
use serde_json::Value;

use super::*;
use crate::ipmi::args::IpmiArgs;
use crate::ipmi::command;
use crate::ipmi::report::Reader;

#[derive(Debug, Parser)]
struct Words {
    #[command(flatten)]
    args: IpmiArgs,
}

impl World {
    /// Runs a command line.
    fn command(&mut self, words: &str) -> Outcome {
        let words = ["ipmi", "n1"].into_iter().chain(words.split(' '));
        let words = Words::try_parse_from(words).unwrap();
        let IpmiArgs {
            command,
            connection,
            ..
        } = words.args;
        let (_, begin) = command::begin(&command, &connection, Reader::Script).unwrap();
        let address = SocketAddr::from((self.bmcs.site().address(0), 623));
        let login = (Login::new("admin", b"right").unwrap(), Policy::default());
        self.engine = Engine::new([(0, address)], 1, login, 9, begin).knowing(connection.quirks());
        self.outcomes = vec![None];
        self.run(|_| false);
        self.outcomes[0].take().unwrap()
    }
}

fn world(defects: Quirks) -> World {
    let world = World::new(1, 1, Policy::default(), status());
    world.bmcs.set_defects(0, defects);
    world
}

/// What a command tells of a BMC with a defect and of one without; `before` is done first, and `raw` shows the defect.
fn both(quirk: Quirk, before: &[&str], words: &str, raw: &str) -> [Outcome; 2] {
    let run = |defects| {
        let mut world = world(defects);
        for words in before {
            world.command(words).unwrap();
        }
        let raw = world.command(raw).map(|report| report.value);
        (raw, world.command(words))
    };
    let (raw, told) = run(Quirks::NONE.with(quirk));
    let (healthy_raw, healthy) = run(Quirks::NONE);
    assert_ne!(raw, healthy_raw, "{quirk} does not show");
    [told, healthy]
}

fn values(outcomes: [Outcome; 2]) -> [Value; 2] {
    outcomes.map(|outcome| outcome.unwrap().value)
}

#[test]
fn a_list_goes_on_where_numbers_and_links_are_wrong() {
    for (quirk, words, raw) in [
        (
            Quirk::SdrIdDiffers,
            "sdr info",
            "raw 0x0a 0x23 0 0 2 0 0 0xff",
        ),
        (
            Quirk::SdrIdDiffers,
            "sensor",
            "raw 0x0a 0x23 0 0 2 0 0 0xff",
        ),
    ] {
        let [told, healthy] = values(both(quirk, &[], words, raw));
        assert_eq!(told, healthy, "{quirk}: {words}");
    }
    let count = |defects| {
        let mut world = world(defects);
        let entry = "raw 0x0a 0x44 0 0 2 0 0 0 0 0x20 0 4 1 0x30 1 0x50 0x20 0x10";
        for _ in 0..12 {
            world.command(entry).unwrap();
        }
        let list = world.command("sel list").unwrap().value;
        list["entries"].as_array().map(Vec::len)
    };
    let healthy = count(Quirks::NONE);
    assert!(healthy.is_some_and(|count| count >= 12), "{healthy:?}");
    assert_eq!(count(Quirks::NONE.with(Quirk::SelNextZero)), healthy);
}

#[test]
fn a_clock_that_is_busy_is_asked_again() {
    let [told, healthy] = values(both(
        Quirk::SelTimeBusy,
        &[],
        "sel time get",
        "raw 0x0a 0x48",
    ));
    assert_eq!(told, healthy);
}

#[test]
fn a_watchdog_whose_countdown_moves_is_running() {
    let start = ["watchdog set --timeout 60", "watchdog reset"];
    let told = both(
        Quirk::WatchdogNeverRunning,
        &start,
        "watchdog get",
        "raw 6 0x25",
    );
    for value in values(told) {
        assert_eq!(value["running"], true, "{value}");
    }
    let mut idle = world(Quirks::NONE);
    assert_eq!(
        idle.command("watchdog get").unwrap().value["running"],
        false
    );
}

#[test]
fn a_power_reading_without_data_is_told_as_none() {
    let [told, healthy] = both(
        Quirk::PowerReadingEmpty,
        &[],
        "dcmi power reading",
        "raw 0x2c 2 0xdc 1 0 0",
    );
    assert_eq!(told.unwrap_err().kind(), "not_supported");
    assert!(healthy.unwrap().value["current_w"].as_u64().is_some());
}

#[test]
fn users_without_a_name_do_not_end_the_list() {
    let [told, healthy] = values(both(
        Quirk::UserNameUnsetRefused,
        &[],
        "user list",
        "raw 6 0x46 2",
    ));
    assert_eq!(told, healthy);
    assert!(
        told["users"]
            .as_array()
            .is_some_and(|users| !users.is_empty())
    );
}

#[test]
fn entries_of_a_wrong_generator_find_their_sensors_where_the_operator_says_so() {
    let entry = "raw 0x0a 0x44 0 0 2 0 0 0 0 0x20 0 4 1 0x03 1 0x50 0x20 0x10";
    let sensors = |defects, words: &str| {
        let mut world = world(defects);
        world.command(entry).unwrap();
        let said = world.command(words).unwrap().value;
        let entries = said["entries"].as_array().unwrap().clone();
        let source = |entry: &Value| entry["source"].as_str().unwrap().to_owned();
        entries.iter().map(source).collect::<Vec<_>>()
    };
    let wrong = Quirks::NONE.with(Quirk::SelGeneratorWrong);
    let healthy = sensors(Quirks::NONE, "sel elist");
    let is_named = |source: &String| source.contains("CPU1 Temp");
    assert!(healthy.iter().any(is_named), "{healthy:?}");
    assert_ne!(sensors(wrong, "sel elist"), healthy);
    assert_eq!(
        sensors(wrong, "sel elist --quirk sel-generator-wrong"),
        healthy
    );
}
