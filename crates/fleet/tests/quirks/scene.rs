//! How each quirk is put to the test.

use std::sync::Arc;
use std::time::Duration;

use hardware::{
    Change, Indicator, Inventory, Link, LogEntry, Node, Observer, Power, PowerAction, Update,
};
use ipmi::command::app::Guid;
use ipmi::console::LoginFailure;
use ipmi::number::{ChassisControlAction, PasswordOperation};
use ipmi::quirk::{Quirk, Quirks};
use ipmi::time::Instant;

use crate::probe;
use crate::stand::{By, Stand, Told};

/// What shows that a BMC has a defect.
pub(crate) enum Proof {
    /// It sends other datagrams than a BMC without, to the same fleet with the same random numbers.
    OnTheWire,
    /// It answers questions otherwise that the fleet never asks.
    Probe(fn(&mut Stand) -> Vec<Vec<u8>>),
}

/// A test.
pub(crate) struct Scene {
    pub(crate) by: By,
    /// What is done to the machine first.
    pub(crate) prepare: fn(&Stand),
    /// What differs although nothing is wrong: taken away from what is known of both machines.
    pub(crate) forget: fn(&mut Node),
    /// What can't be known of a machine with this defect, changed in what is known of one without.
    pub(crate) adjust: fn(&mut Node),
    pub(crate) proof: Proof,
    /// What else must work, on a stand of its own.
    pub(crate) act: Option<fn(&mut Stand)>,
    /// A quirk to be noticed shows while a machine is polled.
    pub(crate) is_seen: bool,
}

/// Polled by default, and nothing is lost.
const POLLED: Scene = Scene {
    by: By::Default,
    prepare: |_| {},
    forget: |_| {},
    adjust: |_| {},
    proof: Proof::OnTheWire,
    act: None,
    is_seen: true,
};

const BY_V15: Scene = Scene {
    by: By::V15,
    ..POLLED
};

/// Quirks whose tests are with the command line, where what they are about is done, or in `gap.rs`, where time passes.
pub(crate) fn elsewhere() -> Quirks {
    [
        Quirk::NeedsGap,
        Quirk::SelTimeBusy,
        Quirk::WatchdogNeverRunning,
        Quirk::PowerReadingEmpty,
        Quirk::UserNameUnsetRefused,
        Quirk::SolSizesWrong,
        Quirk::SolPortWrong,
        Quirk::SolStatusWrong,
        Quirk::SolCapacityZero,
        Quirk::SolPacketsMalformed,
    ]
    .into_iter()
    .collect()
}

/// Hears of no machine that is another one.
struct NeverAnother;

impl Observer for NeverAnother {
    fn updated(&self, update: &Update) {
        assert!(!matches!(update, Update::Replaced { .. }), "{update:?}");
    }
}

/// The scene of a quirk.
pub(crate) fn of(quirk: Quirk) -> Scene {
    match quirk {
        Quirk::AuthCapabilitiesWrong
        | Quirk::SessionIdZero
        | Quirk::CodesThoughOff
        | Quirk::DropsWithoutCode
        | Quirk::SequenceByteSwapped
        | Quirk::ActivationSequenceOff => BY_V15,
        Quirk::VersionBitRefused => Scene {
            proof: Proof::Probe(probe::capabilities),
            act: Some(|stand| {
                // Who insists on IPMI 2.0 is told why there is none.
                let mut console = stand.console_by(By::Default, 50_001);
                assert_eq!(
                    stand.wait(&mut console),
                    Told::Failed(LoginFailure::NotRmcpPlus)
                );
            }),
            ..BY_V15
        },
        Quirk::V15SessionsMissing => Scene {
            proof: Proof::Probe(probe::challenge),
            ..POLLED
        },
        Quirk::HighestPrivilegeRefused => Scene {
            proof: Proof::Probe(probe::open_at_the_highest_level),
            ..POLLED
        },
        Quirk::OpenSessionRoleHashed => Scene {
            proof: Proof::Probe(probe::codes_of_two_levels),
            ..POLLED
        },
        Quirk::AlgorithmListWrong => Scene {
            proof: Proof::Probe(probe::algorithm_list),
            ..POLLED
        },
        Quirk::PresencePongMissing => Scene {
            proof: Proof::Probe(probe::ping),
            ..POLLED
        },
        Quirk::OneSessionSlot | Quirk::RequestNumbersNarrow => Scene {
            proof: Proof::Probe(probe::two_sessions),
            ..POLLED
        },
        Quirk::CloseSessionUnanswered => Scene {
            proof: Proof::Probe(probe::close),
            act: Some(|stand| {
                let mut console = stand.console(50_001);
                assert_eq!(stand.wait(&mut console), Told::Established);
                console.session.close(stand.now);
                assert_eq!(stand.wait(&mut console), Told::Closed);
                assert_eq!(stand.bmcs.session_count(), 0);
            }),
            ..POLLED
        },
        Quirk::Suite0Code => Scene {
            by: By::Suite0,
            ..POLLED
        },
        Quirk::PasswordCutAt16 => Scene {
            by: By::LongPassword,
            ..POLLED
        },
        quirk => of_device(quirk),
    }
}

/// The scene of a quirk of the device, not of its sessions.
fn of_device(quirk: Quirk) -> Scene {
    match quirk {
        Quirk::SensorAbsentByCode => Scene {
            prepare: |stand| {
                let at = Instant::ORIGIN + Duration::from_secs(20);
                let mut machine = stand.site.machine(0, at);
                machine.control(ChassisControlAction::POWER_DOWN).unwrap();
            },
            ..POLLED
        },
        Quirk::SelListEndless => Scene {
            adjust: |node| Arc::make_mut(&mut node.log).complete = false,
            ..POLLED
        },
        Quirk::SelEntryUnreadable => Scene {
            adjust: |node| {
                let log = Arc::make_mut(&mut node.log);
                log.entries = log
                    .entries
                    .iter()
                    .filter(|entry| entry.id != 2)
                    .cloned()
                    .collect();
            },
            ..POLLED
        },
        Quirk::SelGeneratorWrong => Scene {
            forget: forget_raw,
            ..POLLED
        },
        Quirk::SelTimesSinceStart => Scene {
            forget: forget_raw,
            adjust: |node| entries(node).for_each(|entry| entry.at_s = None),
            ..POLLED
        },
        Quirk::SelReserveDenied => Scene {
            proof: Proof::Probe(probe::reserve_log),
            act: Some(|stand| {
                stand.poll(Quirks::NONE);
                stand.run_for(Duration::from_secs(20));
                assert!(stand.node().log.entries.len() > 1);
                assert_eq!(stand.apply(Change::ClearLog), Ok(()));
                assert!(stand.node().log.entries.is_empty());
            }),
            ..POLLED
        },
        Quirk::FruEmpty => Scene {
            adjust: |node| {
                let inventory = Arc::make_mut(&mut node.inventory);
                let mut plates = inventory.nameplates();
                plates.parts.remove(0);
                *inventory = Inventory::new(plates, Arc::clone(&inventory.sensors));
            },
            ..POLLED
        },
        quirk => of_setting(quirk),
    }
}

/// It says the same GUID in each answer, and another one whenever it starts.
fn another_guid_at_each_start(stand: &mut Stand) {
    stand.bmcs.set_defects(0, Quirks::NONE);
    stand.poll(Quirks::NONE);
    stand.run_for(Duration::from_secs(20));
    stand.observe(Arc::new(NeverAnother));
    let before = stand.node();
    assert!(before.identity.uuid.is_some() && before.log.entries.len() > 1);
    for start in 1..=2 {
        stand.bmcs.set_guid(0, Guid([0x30 + start; 16]));
        stand.run_for(Duration::from_secs(120));
        let node = stand.node();
        assert_eq!(node.link, Link::Up, "start {start}");
        assert!(node.read_at_ms > before.read_at_ms);
        let noticed = &node.identity.deviations;
        let name = Quirk::GuidUnsteady.name();
        assert!(noticed.iter().any(|noticed| **noticed == *name));
        let shown = (node.identity.uuid, node.identity.controller_uuid);
        assert_eq!(shown, (None, None), "it says nothing");
        assert_eq!(node.log.entries.len(), before.log.entries.len());
    }
    // What is meant for it reaches it.
    stand.bmcs.set_guid(0, Guid([0x40; 16]));
    stand.run_for(Duration::from_secs(60));
    assert_eq!(stand.apply(Change::Power(PowerAction::ForceOff)), Ok(()));
}

/// The scene of a quirk of what can be set.
fn of_setting(quirk: Quirk) -> Scene {
    match quirk {
        Quirk::SystemInfoDenied => Scene {
            adjust: |node| {
                let identity = Arc::make_mut(&mut node.identity);
                (identity.bios_version, identity.host_name) = (None, None);
            },
            ..POLLED
        },
        Quirk::IdentifyLengthRefused => Scene {
            proof: Proof::Probe(probe::identify),
            act: Some(|stand| {
                stand.poll(Quirks::NONE);
                stand.run_for(Duration::from_secs(20));
                assert_eq!(stand.apply(Change::Indicator(true)), Ok(()));
                assert_eq!(stand.node().indicator, Indicator::Timed);
            }),
            ..POLLED
        },
        Quirk::GuidUnsteady => Scene {
            adjust: |node| {
                Arc::make_mut(&mut node.identity).controller_uuid = None;
            },
            act: Some(another_guid_at_each_start),
            ..POLLED
        },
        Quirk::PowerCommandIgnored => Scene {
            proof: Proof::Probe(probe::power_down),
            act: Some(|stand| {
                stand.poll(Quirks::NONE);
                stand.run_for(Duration::from_secs(20));
                assert_eq!(stand.apply(Change::Power(PowerAction::ForceOff)), Ok(()));
                assert_eq!(stand.node().power, Power::Off);
                let noticed = &stand.node().identity.deviations;
                assert!(
                    noticed
                        .iter()
                        .any(|name| &**name == "power-command-ignored")
                );
            }),
            is_seen: false,
            ..POLLED
        },
        Quirk::EnableNeedsPassword => Scene {
            proof: Proof::Probe(probe::enable_without_password),
            act: Some(|stand| {
                probe::set_password(stand, PasswordOperation::ENABLE, b"");
            }),
            ..POLLED
        },
        Quirk::Password20Refused => Scene {
            proof: Proof::Probe(probe::long_password),
            act: Some(|stand| {
                probe::set_password(stand, PasswordOperation::SET, b"of sixteen bytes");
            }),
            ..POLLED
        },
        Quirk::AssetTagLengthMissing => Scene {
            prepare: |stand| {
                let mut machine = stand.site.machine(0, Instant::ORIGIN);
                let tag = b"Hall 7, row 12, rack 3 (north)";
                machine.controller_mut().dcmi.asset_tag = Some(tag.to_vec());
            },
            ..POLLED
        },
        _ => POLLED,
    }
}

/// The entries of a node's log.
fn entries(node: &mut Node) -> impl Iterator<Item = &mut LogEntry> {
    Arc::make_mut(&mut node.log).entries.iter_mut()
}

fn forget_raw(node: &mut Node) {
    entries(node).for_each(|entry| entry.raw = [0; 16]);
}
