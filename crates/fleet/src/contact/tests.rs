//! What a first contact asks of a virtual BMC, and what it comes to know.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipmi::bmc::{Config, Handler, Request, User};
use ipmi::command::Command;
use ipmi::command::app::{GetDeviceGuid, GetSystemGuid, GuidFormat};
use ipmi::number::{NetFn, PrivilegeLevel};
use ipmi::time::Instant;
use ipmi::wire::Writer;
use ipmi::wire::rakp::UserName;
use vbmc::handler::Device;
use vbmc::site::{Site, SiteOptions};

use super::*;
use crate::script::{Script, play};

/// The longest answer of a virtual BMC, in data bytes.
const ANSWER_MAX: usize = 512;

fn site() -> Site {
    let options = SiteOptions {
        nodes: 8,
        seed: 5,
        epoch_s: 1_795_000_000,
    };
    Site::new(options).unwrap()
}

/// How often each command was asked for, by the name of what it is for.
type Asked = BTreeMap<&'static str, u32>;

fn topic(call: &Call) -> &'static str {
    match (call.netfn, call.cmd) {
        (NetFn::STORAGE, 0x10 | 0x11) => "nameplates",
        (NetFn::STORAGE, _) => "records",
        (NetFn::SENSOR_EVENT, _) => "limits",
        (NetFn::TRANSPORT, _) => "network",
        _ => "identity",
    }
}

/// A first contact with a machine of the site.
fn met(site: &Site, index: u32, plans: &Arc<Plans>) -> (Contacted, Asked) {
    match met_as(site, index, plans, None, |_| true) {
        (Finding::Contact(contacted), asked) => (*contacted, asked),
        (other, _) => panic!("{other:?}"),
    }
}

/// A contact with a machine of the site that is perhaps known, and has only such commands.
fn met_as(
    site: &Site,
    index: u32,
    plans: &Arc<Plans>,
    known: Option<Known>,
    has: impl Fn(&Call) -> bool,
) -> (Finding, Asked) {
    met_spoilt(site, index, plans, known, has, &mut |_, _| {})
}

/// The same with a BMC that answers something else.
fn met_spoilt(
    site: &Site,
    index: u32,
    plans: &Arc<Plans>,
    known: Option<Known>,
    has: impl Fn(&Call) -> bool,
    spoil: &mut dyn FnMut(&Call, &mut Vec<u8>),
) -> (Finding, Asked) {
    let user = User::new("admin", b"secret", PrivilegeLevel::ADMINISTRATOR).unwrap();
    let config = Config::new(vec![user], Guid(site.uuid(index).to_le_bytes()));
    let address = site.address(index);
    let about = About {
        address: (address, 623).into(),
        quirks: Quirks::default(),
        recalled: false,
        anew: false,
        uuid: None,
        marks: None,
        left_open: None,
        memory: None,
        shown: Shown::Nothing,
        put_off: 0,
        unmet: 0,
    };
    let plans = Arc::clone(plans);
    let script = Script::new(|line| contact(line, plans, known, about));
    let mut asked = Asked::new();
    let finding = play::run(script, |call| {
        *asked.entry(topic(call)).or_default() += 1;
        if !has(call) {
            return Some((CompletionCode::INVALID_COMMAND, Vec::new()));
        }
        let request = Request {
            netfn: call.netfn,
            lun: call.lun,
            cmd: call.cmd,
            data: call.data(),
            privilege: PrivilegeLevel::ADMINISTRATOR,
            user_id: 2,
            user_name: UserName::default(),
            channel: config.channel,
        };
        let mut machine = site.machine(index, Instant::ORIGIN);
        let mut device = Device {
            machine: &mut machine,
            config: &config,
            address,
            sessions: 1,
            restart: false,
            new_config: None,
        };
        let mut out = [0; ANSWER_MAX];
        let mut w = Writer::new(&mut out);
        let completion = device.handle(&request, &mut w);
        let mut answer = w.written().to_vec();
        spoil(call, &mut answer);
        let completion = match answer.is_empty() {
            true => completion,
            false => CompletionCode::OK,
        };
        Some((completion, answer))
    });
    (finding, asked)
}

#[test]
fn a_bmc_whose_records_are_not_where_it_says_is_read_and_known_again() {
    let (site, plans) = (site(), Arc::default());
    let (usual, _) = met(&site, 0, &plans);
    // It names a repository, and has no command for one (§33).
    let has = |call: &Call| !(call.netfn == NetFn::STORAGE && (0x20..=0x2c).contains(&call.cmd));
    let (finding, _) = met_as(&site, 0, &plans, None, has);
    let Finding::Contact(contacted) = finding else {
        panic!("{finding:?}");
    };
    assert!(Arc::ptr_eq(&contacted.plan, &usual.plan));
    let known = contacted.known;
    assert!(matches!(known.stamp, Some(Stamp::Device(..))), "{known:?}");
    let look = records_call(known);
    assert_eq!((look.netfn, look.cmd), (NetFn::SENSOR_EVENT, 0x20));
    let (again, asked) = met_as(&site, 0, &plans, Some(known), has);
    assert!(matches!(again, Finding::Unchanged), "{again:?}");
    assert_eq!(asked.get("records"), None, "{asked:?}");
}

#[test]
fn a_first_contact_asks_for_each_thing_once() {
    let (site, plans) = (site(), Arc::default());
    let (contacted, asked) = met(&site, 0, &plans);
    let records = contacted.plan.records.get().unwrap().all().len() as u32;
    let parts = contacted.inventory.parts().len() as u32;
    let sensors = contacted.inventory.sensors.iter();
    let numeric = sensors
        .filter(|sensor| sensor.quantity.is_numeric())
        .count() as u32;
    assert!(parts >= 8 && records >= 50 && numeric >= 30);
    // Each record, and before and after whether they change.
    assert_eq!(asked["records"], records + 2);
    assert_eq!(asked["limits"], numeric);
    // Each device is asked for its size; then two or three pieces of each part and five of the machine's own.
    assert!(asked["nameplates"] <= parts * 3 + 6, "{asked:?}");
    assert!(asked["network"] <= 7, "{asked:?}");
    assert!(asked["identity"] <= 18, "{asked:?}");
    let all: u32 = asked.values().sum();
    assert!(all <= 160, "{all} requests: {asked:?}");
}

#[test]
fn equal_machines_have_one_plan_and_one_copy_of_its_records() {
    let (site, plans) = (site(), Arc::default());
    let (one, _) = met(&site, 0, &plans);
    let (two, _) = met(&site, 1, &plans);
    assert!(Arc::ptr_eq(&one.plan, &two.plan));
    let likeness = Likeness::new(two.known.device, two.known.stamp, Quirks::default());
    let found = plans.records_like(&likeness).unwrap();
    assert!(Arc::ptr_eq(&found, one.plan.records.get().unwrap()));
    assert_ne!(
        one.inventory.product().serial_number,
        two.inventory.product().serial_number
    );
}

#[test]
fn a_machine_that_looks_like_another_but_has_other_records_gets_its_own_plan() {
    let (site, plans) = (site(), Arc::<Plans>::default());
    let (one, _) = met(&site, 0, &plans);
    // The guess is wrong: what is kept under this likeness lacks a record, and another one differs.
    let likeness = Likeness::new(one.known.device, one.known.stamp, Quirks::default());
    let mut others = one.plan.records.get().unwrap().all().to_vec();
    others.pop();
    others[7][9] ^= 1;
    let others = Arc::new(Records::new(others, Quirks::default()));
    plans.add_records(likeness, &others);
    let (two, _) = met(&site, 1, &plans);
    assert!(Arc::ptr_eq(&one.plan, &two.plan));
    // The last one that was met is the next guess.
    let guess = plans.records_like(&likeness).unwrap();
    assert!(Arc::ptr_eq(&guess, one.plan.records.get().unwrap()));
}

#[test]
fn another_guid_is_another_machine_unless_it_is_none_or_in_another_order() {
    let guid = Guid(*b"0123456789abcdef");
    let turned = Guid(guid.to_rfc_4122(GuidFormat::Smbios));
    for same in [
        Some(guid),
        Some(Guid(guid.to_rfc_4122(GuidFormat::Ipmi))),
        Some(turned),
        Some(Guid([0; 16])),
        Some(Guid([0xff; 16])),
        None,
    ] {
        assert!(!differ(Some(guid), same), "{same:?}");
        assert!(!differ(same, Some(guid)), "{same:?}");
    }
    let other = Guid(*b"0123456789abcdeF");
    assert!(differ(Some(guid), Some(other)));
    // A BMC's own GUID decides, and the machine's UUID where there is none.
    let uuid = |guid: Guid| Some(Uuid::from_bytes(guid.to_rfc_4122(GuidFormat::Ipmi)));
    let before = (Some(guid), uuid(guid));
    assert!(is_another(before, (Some(other), uuid(guid))));
    assert!(!is_another(before, (Some(guid), uuid(other))));
    assert!(
        !is_another(before, (None, uuid(other))),
        "it is silent about itself"
    );
    let blank = Some(Guid([0; 16]));
    assert!(is_another((None, uuid(guid)), (blank, uuid(other))));
    assert!(!is_another((None, uuid(guid)), (blank, uuid(guid))));
}

#[test]
fn a_bmc_is_asked_once_for_the_guid_of_its_system() {
    for has_its_own in [true, false] {
        let asked = std::cell::Cell::new(0);
        met_as(&site(), 0, &Arc::default(), None, |call| {
            let is = |cmd| (call.netfn, call.cmd) == (NetFn::APP, cmd);
            asked.set(asked.get() + u32::from(is(GetSystemGuid::CMD)));
            has_its_own || !is(GetDeviceGuid::CMD)
        });
        assert_eq!(asked.get(), 1, "a GUID of its own: {has_its_own}");
    }
}

#[test]
fn a_bmc_with_another_guid_is_the_same_one_where_mac_address_and_serial_number_are() {
    let (site, plans) = (site(), Arc::default());
    let (mut met_first, _) = met(&site, 0, &plans);
    let (other, _) = met(&site, 1, &plans);
    let same = |a: &Contacted, b: &Contacted| {
        let marks = |met: &Contacted| Marks::of(&met.identity, &met.inventory);
        marks(a).agree(&marks(b))
    };
    assert!(same(&met_first, &met_first));
    assert!(!same(&met_first, &other));
    // With only one of both it may be another one.
    let (mut moved, _) = met(&site, 0, &plans);
    Arc::make_mut(&mut moved.identity).network = other.identity.network;
    assert!(!same(&met_first, &moved));
    let (mut plated, _) = met(&site, 0, &plans);
    plated.inventory = Arc::clone(&other.inventory);
    assert!(!same(&met_first, &plated));
    let network = &mut Arc::make_mut(&mut met_first.identity).network;
    network.as_mut().unwrap().mac = Some([0; 6]);
    assert!(!same(&met_first, &met_first), "a blank address is nobody's");
}

#[test]
fn a_guid_that_is_another_one_in_each_answer_is_neither_known_nor_shown() {
    let (site, plans) = (site(), Arc::default());
    for (spoilt, has_own) in [
        (GetDeviceGuid::CMD, true),
        (GetSystemGuid::CMD, true),
        (GetSystemGuid::CMD, false),
    ] {
        let has =
            |call: &Call| has_own || (call.netfn, call.cmd) != (NetFn::APP, GetDeviceGuid::CMD);
        let mut turn = 0;
        let mut spoil = |call: &Call, answer: &mut Vec<u8>| {
            if (call.netfn, call.cmd) == (NetFn::APP, spoilt) {
                turn += 1;
                answer.resize(16, 0x44);
                answer[0] = turn;
            }
        };
        let (finding, _) = met_spoilt(&site, 0, &plans, None, has, &mut spoil);
        let Finding::Contact(contacted) = finding else {
            panic!("{finding:?}");
        };
        // The system's own is not looked at where the controller's tells it from others.
        let is_seen = spoilt == GetDeviceGuid::CMD || !has_own;
        assert_eq!(contacted.known.is_unsteady, is_seen);
        if is_seen {
            assert_eq!(contacted.known.guid, None);
            assert_eq!(contacted.identity.controller_uuid, None);
        }
        assert_eq!(contacted.identity.uuid.is_some(), !is_seen);
        let known = Some(contacted.known);
        let (finding, asked) = met_spoilt(&site, 0, &plans, known, has, &mut spoil);
        assert!(matches!(finding, Finding::Unchanged), "{finding:?}");
        assert!(asked["identity"] <= 4, "{asked:?}");
    }
}
