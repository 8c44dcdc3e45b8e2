//! What happens to machines is told: what, in which words, and to which resource.

use std::sync::{Arc, Mutex};

use hardware::*;
use redfish::{Backend, Event, EventSink};
use redfish_hardware::HardwareBackend;

use crate::fake::{self, Fake};

#[derive(Default)]
struct Heard(Mutex<Vec<Event>>);

impl EventSink for Heard {
    fn publish(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

/// A hall whose events are heard.
struct Setup {
    fake: Arc<Fake>,
    heard: Arc<Heard>,
    _backend: HardwareBackend,
}

impl Setup {
    fn new() -> Self {
        let fake = Fake::hall();
        let backend = HardwareBackend::new(Arc::clone(&fake) as Arc<dyn Hardware>);
        let heard = Arc::new(Heard::default());
        backend.watch(Arc::clone(&heard) as Arc<dyn EventSink>);
        Self {
            fake,
            heard,
            _backend: backend,
        }
    }

    /// Key of the message, its arguments, type and path of the origin of everything heard since the last time.
    fn heard(&self) -> Vec<(&'static str, Vec<String>, &'static str, String)> {
        let events = std::mem::take(&mut *self.heard.0.lock().unwrap());
        let event = |event: Event| {
            let args = event.message.args().to_vec();
            let origin = event.origin.unwrap();
            (
                event.message.key(),
                args,
                event.resource_type.unwrap(),
                origin,
            )
        };
        events.into_iter().map(event).collect()
    }

    /// The same without arguments and types.
    fn keys(&self) -> Vec<(&'static str, String)> {
        let heard = self.heard().into_iter();
        heard.map(|(key, _, _, origin)| (key, origin)).collect()
    }
}

fn told(key: &'static str, origin: &str) -> (&'static str, String) {
    (key, format!("/redfish/v1/{origin}"))
}

#[test]
fn a_node_that_comes_or_goes_is_told_of_each_resource_that_it_is() {
    let setup = Setup::new();
    setup.fake.put(fake::computer("New"));
    let created = ["Systems/New", "Chassis/New", "Managers/New"];
    assert_eq!(
        setup.keys(),
        created.map(|origin| told("ResourceCreated", origin))
    );
    setup.fake.remove("New");
    assert_eq!(
        setup.keys(),
        created.map(|origin| told("ResourceRemoved", origin))
    );
}

#[test]
fn a_machine_that_gets_the_name_of_another_is_told_as_that_one_gone_and_this_one_there() {
    let setup = Setup::new();
    setup.fake.put(fake::computer("New"));
    setup.keys();
    setup.fake.replace(fake::computer("New"));
    let all = ["Systems/New", "Chassis/New", "Managers/New"];
    let gone = all.map(|origin| told("ResourceRemoved", origin));
    let there = all.map(|origin| told("ResourceCreated", origin));
    assert_eq!(setup.keys(), [gone, there].concat());
}

#[test]
fn power_boot_and_light_are_told_of_the_system() {
    let setup = Setup::new();
    setup.fake.change("Loose", |node| node.power = Power::Off);
    let system = "/redfish/v1/Systems/Loose".to_owned();
    assert_eq!(
        setup.heard(),
        [(
            "ResourcePoweredOff",
            vec![system.clone()],
            "ComputerSystem",
            system
        )]
    );
    setup.fake.change("Loose", |node| node.power = Power::On);
    setup.fake.change("Loose", |node| {
        node.boot = Some(BootOverride {
            target: BootTarget::Pxe,
            ..BootOverride::default()
        });
    });
    setup
        .fake
        .change("Loose", |node| node.indicator = Indicator::On);
    assert_eq!(
        setup.keys(),
        ["ResourcePoweredOn", "ResourceChanged", "ResourceChanged"]
            .map(|key| told(key, "Systems/Loose"))
    );
    setup.fake.change("Loose", |node| node.revision += 1);
    assert_eq!(setup.keys(), []);
}

#[test]
fn a_controller_that_falls_silent_and_comes_back_is_told_once_each() {
    let setup = Setup::new();
    for reason in ["no answer", "wrong password"] {
        setup.fake.change("Loose", |node| {
            node.link = Link::Down {
                reason: reason.into(),
                since_ms: 1,
            };
        });
    }
    setup.fake.change("Loose", |node| node.link = Link::Up);
    assert_eq!(
        setup.keys(),
        [
            told("ResourceStatusChangedCritical", "Managers/Loose"),
            told("ResourceStatusChangedOK", "Managers/Loose"),
        ]
    );
}

/// A reading of `CPU1 Temp`, whose limits are 85 and 95 °C.
fn cpu(celsius: f64) -> Reading {
    let mut crossed = ThresholdState::NONE;
    for (limit, threshold) in [
        (85.0, Threshold::UpperCaution),
        (95.0, Threshold::UpperCritical),
    ] {
        if celsius >= limit {
            crossed = crossed.with(threshold);
        }
    }
    Reading {
        crossed,
        ..fake::value(celsius)
    }
}

#[test]
fn a_reading_that_crosses_limits_is_told_with_reading_unit_and_limit() {
    let setup = Setup::new();
    let origin = "/redfish/v1/Chassis/Loose/Sensors/CPU1_Temp";
    let mut told = Vec::new();
    for celsius in [70.0, 86.0, 87.0, 97.0, 90.0, 60.0] {
        setup.fake.set_reading("Loose", "CPU1_Temp", cpu(celsius));
        for (key, args, resource_type, at) in setup.heard() {
            assert_eq!((resource_type, at.as_str()), ("Sensor", origin));
            told.push((key, args.join(" ")));
        }
    }
    let expected = [
        ("ReadingAboveUpperCautionThreshold", "CPU1 Temp 86 Cel 85"),
        ("ReadingAboveUpperCriticalThreshold", "CPU1 Temp 97 Cel 95"),
        ("ReadingBelowUpperCriticalThreshold", "CPU1 Temp 90 Cel 95"),
        ("SensorReadingNormalRange", "CPU1 Temp 60 Cel"),
    ];
    assert_eq!(told, expected.map(|(key, args)| (key, args.to_owned())));
}

#[test]
fn a_controllers_sensors_are_told_of_the_enclosure_that_shows_them() {
    let setup = Setup::new();
    setup
        .fake
        .set_reading("Bay1-Controller", "PSU1_Status", fake::states(0b1001));
    setup
        .fake
        .set_reading("Bay1-Controller", "PSU1_Status", fake::states(0b0001));
    let supply = "Chassis/PowerBay1/PowerSubsystem/PowerSupplies/PSU1";
    assert_eq!(
        setup.keys(),
        [
            told("ResourceStatusChangedCritical", supply),
            told("ResourceStatusChangedOK", supply),
        ]
    );
}

#[test]
fn a_machine_that_is_off_has_left_no_limits() {
    let setup = Setup::new();
    let off = Reading {
        availability: Availability::Unavailable,
        ..Reading::default()
    };
    setup.fake.set_reading("Loose", "CPU1_Temp", off);
    assert_eq!(setup.keys(), []);
}

#[test]
fn new_log_entries_are_told_and_old_ones_are_not() {
    let setup = Setup::new();
    let first = setup.fake.node("Loose").unwrap().log.entries[0].clone();
    let entry = |id: u32| LogEntry {
        id,
        ..first.clone()
    };
    let set = |entries: Vec<LogEntry>, complete| {
        setup.fake.change("Loose", |node| {
            node.log = Arc::new(Log {
                entries: entries.into(),
                complete,
                ..Log::default()
            });
        });
    };
    set(vec![entry(1), entry(2)], false);
    setup.keys();
    set(vec![entry(1), entry(2), entry(3)], true);
    assert_eq!(setup.keys(), [], "found when the log was read to its end");
    set(vec![entry(1), entry(2), entry(3), entry(4), entry(5)], true);
    let path = "Managers/Loose/LogServices/SEL";
    assert_eq!(
        setup.heard(),
        [4, 5].map(|id| (
            "ResourceCreated",
            vec![],
            "LogEntry",
            format!("/redfish/v1/{path}/Entries/{id}")
        ))
    );
    set((1..=4).map(entry).collect(), true);
    assert_eq!(setup.keys(), [], "somebody deleted the newest");
    set(vec![entry(2), entry(4), entry(6)], true);
    let created = |id| told("ResourceCreated", &format!("{path}/Entries/{id}"));
    assert_eq!(setup.keys(), [created(6)]);
    set(vec![entry(2), entry(7)], true);
    assert_eq!(
        setup.keys(),
        [created(7)],
        "the newest that is still there counts"
    );
    set(vec![], true);
    assert_eq!(setup.keys(), [told("ResourceChanged", path)]);
    set((1..=500).map(entry).collect(), true);
    let flood = setup.keys();
    assert_eq!(flood.len(), 500);
    assert_eq!(
        flood[499],
        told("ResourceCreated", &format!("{path}/Entries/500")),
        "the newest"
    );
}

#[test]
fn entries_that_were_lost_are_told() {
    let setup = Setup::new();
    setup.fake.change("Loose", |node| {
        let log = Log::clone(&node.log);
        node.log = Arc::new(Log { losses: 1, ..log });
    });
    let path = "Managers/Loose/LogServices/SEL";
    assert_eq!(setup.keys(), [told("ResourceStatusChangedWarning", path)]);
}
