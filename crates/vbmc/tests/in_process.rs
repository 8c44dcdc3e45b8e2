//! A site as a source of hardware, without BMCs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code, helpers too")]

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use hardware::{
    ApplyError, BootChange, BootMode, BootOverride, BootPersistence, BootTarget, Change, Hardware,
    Indicator, Installation, InstallationWatch, Node, NodeId, Observer, Power, PowerAction, Update,
};
use ipmi::command::picmg::hpm::FirmwareVersion;
use ipmi::time::Instant;
use vbmc::controller::{BOOT, upgrade_image};
use vbmc::hardware::InProcess;
use vbmc::site::{Site, SiteOptions};

const NODE: &str = "Rack1-Block1-Sled1-Node1";

struct Setup {
    seconds: Arc<AtomicU64>,
    source: InProcess,
}

impl Setup {
    fn new() -> Self {
        let site = Site::new(SiteOptions {
            nodes: 5,
            seed: 1,
            epoch_s: 1_795_000_000,
        })
        .unwrap();
        let seconds = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&seconds);
        let now = move || Instant::from_nanos(1_000_000_000 * clock.load(Ordering::Relaxed));
        Self {
            seconds,
            source: InProcess::new(Arc::new(site), now),
        }
    }

    fn sleep(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    fn apply(&self, id: &str, change: Change) -> Result<(), ApplyError> {
        let mut future = self.source.apply(&NodeId::new(id).unwrap(), change);
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(&mut future).poll(&mut context) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => panic!("{id} takes its time"),
        }
    }

    fn node(&self, id: &str) -> Arc<Node> {
        self.source.node(id).unwrap()
    }
}

#[test]
fn nodes_come_in_the_order_in_which_people_expect_them() {
    let setup = Setup::new();
    let ids: Vec<_> = setup
        .source
        .node_ids()
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = [
        "Rack1-Block1-BC",
        "Rack1-Block1-Sled1-Node1",
        "Rack1-Block1-Sled1-Node2",
        "Rack1-Block1-Sled1-Node3",
        "Rack1-Block1-Sled1-Node4",
        "Rack1-Block1-Sled2-Node1",
        "Rack1-PowerBay1-MC",
    ];
    assert_eq!(ids, expected);
    let topology = setup.source.topology();
    for id in &ids {
        let node = setup.node(id);
        assert!(
            topology
                .find(node.enclosure.as_ref().unwrap().as_str())
                .is_some(),
            "{id}"
        );
        assert_eq!(node.readings.len(), node.inventory.sensors.len(), "{id}");
    }
    assert!(setup.source.node("Rack9").is_none());
}

#[test]
fn a_change_shows_in_the_next_snapshot() {
    let setup = Setup::new();
    setup
        .apply(NODE, Change::Power(PowerAction::ForceOff))
        .unwrap();
    assert_eq!(setup.node(NODE).power, Power::Off);
    setup.apply(NODE, Change::Indicator(true)).unwrap();
    assert_eq!(setup.node(NODE).indicator, Indicator::On);
    let boot = BootOverride {
        target: BootTarget::Pxe,
        persistence: BootPersistence::Once,
        mode: BootMode::Uefi,
    };
    let change = BootChange {
        target: Some(boot.target),
        persistence: Some(boot.persistence),
        mode: Some(boot.mode),
    };
    setup.apply(NODE, Change::Boot(change)).unwrap();
    setup.sleep(300);
    assert_eq!(setup.node(NODE).boot, Some(boot));
    setup.apply(NODE, Change::Power(PowerAction::On)).unwrap();
    assert_eq!(
        setup.node(NODE).boot.unwrap().persistence,
        BootPersistence::Disabled
    );
    assert!(!setup.node(NODE).log.entries.is_empty());
    setup.apply(NODE, Change::ClearLog).unwrap();
    assert!(setup.node(NODE).log.entries.is_empty());
}

#[test]
fn what_can_not_be_done_is_said_so_and_changes_nothing() {
    let setup = Setup::new();
    let off = Change::Power(PowerAction::ForceOff);
    assert_eq!(setup.apply("Rack7", off.clone()), Err(ApplyError::Absent));
    let unsupported = setup.apply("Rack1-Block1-BC", off.clone());
    assert!(
        matches!(unsupported, Err(ApplyError::Unsupported { .. })),
        "{unsupported:?}"
    );
    setup.apply(NODE, off).unwrap();
    let refused = setup.apply(NODE, Change::Power(PowerAction::ForceRestart));
    assert!(
        matches!(refused, Err(ApplyError::WrongState { .. })),
        "{refused:?}"
    );
    assert_eq!(setup.node(NODE).power, Power::Off);
}

/// Remembers whose snapshots changed.
#[derive(Default)]
struct Notes(Mutex<Vec<(String, u64, u64)>>);

impl Observer for Notes {
    fn updated(&self, update: &Update) {
        if let Update::Changed { before, after } = update {
            let note = (after.id.to_string(), before.revision, after.revision);
            self.0.lock().unwrap().push(note);
        }
    }
}

#[test]
fn observers_hear_of_each_change_once() {
    let setup = Setup::new();
    let notes = Arc::new(Notes::default());
    setup.source.observe(notes.clone());
    setup.source.publish();
    assert!(notes.0.lock().unwrap().is_empty());
    setup
        .apply(NODE, Change::Power(PowerAction::ForceOff))
        .unwrap();
    setup.source.publish();
    let heard = std::mem::take(&mut *notes.0.lock().unwrap());
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!(heard[0].0, NODE);
    setup.sleep(1);
    // Somebody looks between the change and its announcement.
    setup.node(NODE);
    setup.source.publish();
    let heard = notes.0.lock().unwrap();
    assert_eq!(heard.len(), setup.source.node_ids().len(), "{heard:?}");
    assert!(
        heard.iter().all(|(_, before, after)| before < after),
        "{heard:?}"
    );
}

struct Unwatched;

impl InstallationWatch for Unwatched {
    fn progress(&self, _percent: u8) {}
}

#[test]
fn firmware_is_installed_where_it_belongs_and_nowhere_else() {
    let setup = Setup::new();
    let version = FirmwareVersion {
        major: 1,
        minor: 0x99,
        ..FirmwareVersion::default()
    };
    let boot = Installation {
        image: upgrade_image(BOOT, version, 100).into(),
        component: None,
        force: false,
        watch: Arc::new(Unwatched),
    };
    let versions = || {
        let node = setup.node(NODE);
        let firmware = node.identity.firmware.iter();
        let versions = firmware.map(|part| part.version.as_deref().unwrap().to_owned());
        versions.collect::<Vec<_>>()
    };
    assert_eq!(versions(), ["2.14", "2.14"]);
    let other = Installation {
        component: Some(1),
        ..boot.clone()
    };
    let refused = setup.apply(NODE, Change::Firmware(other));
    assert!(matches!(refused, Err(ApplyError::WrongImage { .. })));
    let refused = setup.apply("Rack1-Block1-BC", Change::Firmware(boot.clone()));
    assert!(matches!(refused, Err(ApplyError::Unsupported { .. })));
    assert_eq!(versions(), ["2.14", "2.14"]);
    assert_eq!(setup.apply(NODE, Change::Firmware(boot.clone())), Ok(()));
    let again = setup.apply(NODE, Change::Firmware(boot.clone()));
    assert_eq!(again, Err(ApplyError::UpToDate));
    let forced = Installation {
        force: true,
        ..boot
    };
    assert_eq!(setup.apply(NODE, Change::Firmware(forced)), Ok(()));
    assert_eq!(versions(), ["1.99", "2.14"]);
    assert_eq!(
        setup.node(NODE).identity.controller_firmware.as_deref(),
        Some("2.14")
    );
}
