//! Changes: what is asked of a machine, and what is said when it can't be done.

use hardware::*;
use redfish::{Failure, NotDone, Outcome};
use serde_json::{Value, json};

use crate::fake::{Client, Fake};

const SYSTEM: &str = "/redfish/v1/Systems/Loose";

const fn boot(target: BootTarget, persistence: BootPersistence, mode: BootMode) -> BootOverride {
    BootOverride {
        target,
        persistence,
        mode,
    }
}

/// What becomes of the boot override `current` when this patch comes. The snapshot has another one: it is older than what
/// the machine has.
fn patched(current: Option<BootOverride>, patch: &Value) -> Vec<BootOverride> {
    let fake = Fake::hall();
    fake.change("Loose", |node| {
        node.boot = Some(boot(
            BootTarget::Diagnostics,
            BootPersistence::Continuous,
            BootMode::Legacy,
        ));
    });
    Client::of(&fake).patch(SYSTEM, patch).unwrap();
    let becomes = |(_, change)| match change {
        Change::Boot(change) => change.on(current.unwrap_or_default()).unwrap(),
        other => panic!("{other:?}"),
    };
    fake.applied().into_iter().map(becomes).collect()
}

#[test]
fn every_allowed_reset_type_is_its_power_action_and_goes_to_its_node() {
    let fake = Fake::hall();
    let client = Client::of(&fake);
    let action = &client.get(SYSTEM)["Actions"]["#ComputerSystem.Reset"];
    assert_eq!(
        action["target"],
        format!("{SYSTEM}/Actions/ComputerSystem.Reset")
    );
    let allowed = action["ResetType@Redfish.AllowableValues"]
        .as_array()
        .unwrap()
        .clone();
    for reset in &allowed {
        let done = client.call(SYSTEM, "ComputerSystem.Reset", &json!({"ResetType": reset}));
        assert_eq!(done, Ok(Outcome::Done), "{reset}");
    }
    use PowerAction as P;
    let expected = [
        P::On,
        P::ForceOff,
        P::GracefulShutdown,
        P::ForceRestart,
        P::PowerCycle,
        P::Nmi,
    ]
    .map(|action| ("Loose".to_owned(), Change::Power(action)));
    assert_eq!(fake.applied(), expected);
}

#[test]
fn a_reset_type_that_no_machine_here_knows_is_refused_without_asking() {
    let fake = Fake::hall();
    let answer = Client::of(&fake).call(
        SYSTEM,
        "ComputerSystem.Reset",
        &json!({"ResetType": "Hibernate"}),
    );
    let Err(Failure::ParameterValueUnavailable {
        parameter,
        value,
        remedy,
    }) = answer
    else {
        panic!("{answer:?}")
    };
    assert_eq!(
        (parameter.as_str(), value.as_str()),
        ("ResetType", "Hibernate")
    );
    assert!(remedy.contains("GracefulShutdown"), "{remedy}");
    assert!(fake.applied().is_empty());
}

#[test]
fn a_reset_without_a_type_is_asked_for_one_and_the_machine_left_alone() {
    let fake = Fake::hall();
    let answer = Client::of(&fake).call(SYSTEM, "ComputerSystem.Reset", &json!({}));
    let Err(Failure::Messages(messages)) = answer else {
        panic!("{answer:?}")
    };
    assert!(
        format!("{messages:?}").contains("ActionParameterMissing"),
        "{messages:?}"
    );
    assert!(fake.applied().is_empty());
}

#[test]
fn a_boot_target_without_a_lifetime_holds_once() {
    let target = json!({"Boot": {"BootSourceOverrideTarget": "Pxe"}});
    let once = boot(BootTarget::Pxe, BootPersistence::Once, BootMode::Legacy);
    assert_eq!(patched(None, &target), std::slice::from_ref(&once));
    assert_eq!(patched(Some(BootOverride::default()), &target), [once]);
}

#[test]
fn a_boot_patch_leaves_what_it_does_not_name() {
    let current = BootOverride {
        target: BootTarget::Disk,
        persistence: BootPersistence::Continuous,
        mode: BootMode::Uefi,
    };
    let target = json!({"Boot": {"BootSourceOverrideTarget": "Cd"}});
    let kept = boot(BootTarget::Cd, BootPersistence::Continuous, BootMode::Uefi);
    assert_eq!(patched(Some(current), &target), [kept]);
    let mode = json!({"Boot": {"BootSourceOverrideMode": "Legacy"}});
    let kept = boot(
        BootTarget::Disk,
        BootPersistence::Continuous,
        BootMode::Legacy,
    );
    assert_eq!(patched(Some(current), &mode), [kept]);
}

#[test]
fn a_disabled_override_has_no_target() {
    let current = BootOverride {
        target: BootTarget::Disk,
        persistence: BootPersistence::Once,
        mode: BootMode::Uefi,
    };
    let none = boot(BootTarget::None, BootPersistence::Disabled, BootMode::Uefi);
    for patch in [
        json!({"Boot": {"BootSourceOverrideEnabled": "Disabled"}}),
        json!({"Boot": {"BootSourceOverrideTarget": "None"}}),
    ] {
        assert_eq!(
            patched(Some(current), &patch),
            std::slice::from_ref(&none),
            "{patch}"
        );
    }
}

#[test]
fn what_was_set_is_what_is_shown() {
    let fake = Fake::hall();
    let client = Client::of(&fake);
    client
        .patch(
            SYSTEM,
            &json!({"Boot": {"BootSourceOverrideTarget": "BiosSetup",
            "BootSourceOverrideEnabled": "Continuous", "BootSourceOverrideMode": "UEFI"}}),
        )
        .unwrap();
    let (_, Change::Boot(set)) = fake.applied()[0].clone() else {
        panic!()
    };
    fake.change("Loose", |node| {
        node.boot = set.on(BootOverride::default());
    });
    let shown = &client.get(SYSTEM)["Boot"];
    assert_eq!(shown["BootSourceOverrideTarget"], "BiosSetup");
    assert_eq!(shown["BootSourceOverrideEnabled"], "Continuous");
    assert_eq!(shown["BootSourceOverrideMode"], "UEFI");
}

#[test]
fn the_identify_light_can_be_lit_from_the_system_and_from_the_chassis() {
    let fake = Fake::hall();
    let client = Client::of(&fake);
    client
        .patch(SYSTEM, &json!({"LocationIndicatorActive": true}))
        .unwrap();
    client
        .patch(
            "/redfish/v1/Chassis/Loose",
            &json!({"LocationIndicatorActive": false}),
        )
        .unwrap();
    client
        .patch(
            "/redfish/v1/Chassis/Block1",
            &json!({"LocationIndicatorActive": true}),
        )
        .unwrap();
    let expected = [
        ("Loose", true),
        ("Loose", false),
        ("Block1-Controller", true),
    ];
    assert_eq!(
        fake.applied(),
        expected.map(|(id, lit)| (id.to_owned(), Change::Indicator(lit)))
    );
    fake.change("Loose", |node| node.indicator = Indicator::Timed);
    assert_eq!(client.get(SYSTEM)["LocationIndicatorActive"], true);
}

#[test]
fn the_older_property_of_the_identify_light_works_like_the_newer() {
    let fake = Fake::hall();
    let client = Client::of(&fake);
    let chassis = "/redfish/v1/Chassis/Loose";
    for (path, patch) in [
        (SYSTEM, json!({"IndicatorLED": "Lit"})),
        (chassis, json!({"IndicatorLED": "Off"})),
        (
            SYSTEM,
            json!({"IndicatorLED": "Lit", "LocationIndicatorActive": true}),
        ),
    ] {
        client.patch(path, &patch).unwrap();
    }
    let expected = [true, false, true];
    assert_eq!(
        fake.applied(),
        expected.map(|lit| ("Loose".to_owned(), Change::Indicator(lit)))
    );
    for (indicator, shown) in [
        (Indicator::Timed, json!("Lit")),
        (Indicator::Off, json!("Off")),
        (Indicator::Unknown, json!(null)),
    ] {
        fake.change("Loose", |node| node.indicator = indicator);
        assert_eq!(client.get(SYSTEM)["IndicatorLED"], shown);
        assert_eq!(client.get(chassis)["IndicatorLED"], shown);
    }
}

#[test]
fn both_properties_of_the_identify_light_must_ask_for_the_same() {
    let fake = Fake::hall();
    for patch in [
        json!({"IndicatorLED": "Lit", "LocationIndicatorActive": false}),
        json!({"IndicatorLED": "Blinking"}),
    ] {
        let answer = Client::of(&fake).patch(SYSTEM, &patch);
        let Err(Failure::PropertyValueUnavailable { pointer, .. }) = answer else {
            panic!("{patch}: {answer:?}");
        };
        assert_eq!(pointer, "/IndicatorLED");
    }
    assert!(fake.applied().is_empty());
}

#[test]
fn null_is_shown_where_something_is_not_known_and_can_not_be_asked_for() {
    let fake = Fake::hall();
    for patch in [
        json!({"LocationIndicatorActive": null}),
        json!({"IndicatorLED": null}),
        json!({"Boot": {"BootSourceOverrideTarget": null}}),
    ] {
        let answer = Client::of(&fake).patch(SYSTEM, &patch);
        let Err(Failure::Messages(messages)) = answer else {
            panic!("{patch}: {answer:?}");
        };
        assert!(
            format!("{messages:?}").contains("PropertyValueTypeError"),
            "{messages:?}"
        );
    }
    assert!(fake.applied().is_empty());
}

#[test]
fn an_override_without_a_target_is_refused_without_asking() {
    let fake = Fake::hall();
    let patch =
        json!({"Boot": {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "None"}});
    let answer = Client::of(&fake).patch(SYSTEM, &patch);
    let Err(Failure::PropertyValueUnavailable { pointer, .. }) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(pointer, "/Boot/BootSourceOverrideTarget");
    assert!(fake.applied().is_empty());
}

#[test]
fn what_the_machines_state_forbids_is_the_values_fault_for_now() {
    let fake = Fake::hall();
    let reason = "the host is off".to_owned();
    fake.refuse(ApplyError::WrongState { reason });
    let client = Client::of(&fake);
    let once = json!({"Boot": {"BootSourceOverrideEnabled": "Once"}});
    let answer = client.patch(SYSTEM, &once);
    let Err(Failure::PropertyValueUnavailable { remedy, .. }) = answer else {
        panic!("{answer:?}")
    };
    assert!(remedy.contains("the host is off"), "{remedy}");
    let reset = json!({"ResetType": "ForceRestart"});
    let answer = client.call(SYSTEM, "ComputerSystem.Reset", &reset);
    assert!(
        matches!(answer, Err(Failure::ParameterValueUnavailable { .. })),
        "{answer:?}"
    );
    let log = "/redfish/v1/Managers/Loose/LogServices/SEL";
    let answer = client.call(log, "LogService.ClearLog", &json!({}));
    assert!(
        matches!(answer, Err(Failure::WrongState { .. })),
        "{answer:?}"
    );
}

#[test]
fn a_controller_is_restarted_with_or_without_the_one_reset_type() {
    let fake = Fake::hall();
    let client = Client::of(&fake);
    let manager = "/redfish/v1/Managers/Block1-Controller";
    let action = &client.get(manager)["Actions"]["#Manager.Reset"];
    assert_eq!(
        action["ResetType@Redfish.AllowableValues"],
        json!(["ForceRestart"])
    );
    for parameters in [json!({}), json!({"ResetType": "ForceRestart"})] {
        client.call(manager, "Manager.Reset", &parameters).unwrap();
    }
    let wish = ("Block1-Controller".to_owned(), Change::ResetController);
    assert_eq!(fake.applied(), [wish.clone(), wish]);
    let on = client.call(manager, "Manager.Reset", &json!({"ResetType": "On"}));
    assert!(matches!(on, Err(Failure::ParameterValueUnavailable { .. })));
}

#[test]
fn the_owners_tag_and_the_controllers_name_are_kept_by_the_controller() {
    let fake = Fake::hall();
    let client = Client::of(&fake);
    client.patch(SYSTEM, &json!({"AssetTag": "tag 8"})).unwrap();
    client.patch(SYSTEM, &json!({"AssetTag": null})).unwrap();
    client
        .patch(INTERFACE, &json!({"HostName": "bmc7"}))
        .unwrap();
    let changes: Vec<_> = fake
        .applied()
        .into_iter()
        .map(|(_, change)| change)
        .collect();
    assert_eq!(
        changes,
        [
            Change::AssetTag("tag 8".to_owned()),
            Change::AssetTag(String::new()),
            Change::ControllerName("bmc7".to_owned()),
        ]
    );
    assert_eq!(client.get(SYSTEM)["AssetTag"], "tag 7", "the nameplate's");
    fake.change("Loose", |node| {
        let identity = std::sync::Arc::make_mut(&mut node.identity);
        identity.asset_tag = Some("tag 8".into());
        identity.controller_name = Some("bmc7".into());
    });
    assert_eq!(client.get(SYSTEM)["AssetTag"], "tag 8");
    assert_eq!(client.get(INTERFACE)["HostName"], "bmc7");
}

const INTERFACE: &str = "/redfish/v1/Managers/Loose/EthernetInterfaces/LAN";

#[test]
fn a_patch_of_an_interface_is_one_change_of_the_controllers_network() {
    let fake = Fake::hall();
    let client = Client::of(&fake);
    client
        .patch(
            INTERFACE,
            &json!({"IPv4StaticAddresses": [{"Address": "10.0.0.9", "SubnetMask": "255.255.255.0"}],
                "VLAN": {"VLANEnable": true}}),
        )
        .unwrap();
    client
        .patch(INTERFACE, &json!({"DHCPv4": {"DHCPEnabled": true}}))
        .unwrap();
    client
        .patch(INTERFACE, &json!({"IPv4StaticAddresses": [{}]}))
        .unwrap();
    let fixed = NetworkChange {
        dhcp: Some(false),
        address: Some([10, 0, 0, 9].into()),
        netmask: Some([255, 255, 255, 0].into()),
        gateway: None,
        // The number that the controller has already stays.
        vlan: Some(Vlan {
            id: 7,
            enabled: true,
        }),
    };
    let leased = NetworkChange {
        dhcp: Some(true),
        ..NetworkChange::default()
    };
    let changes: Vec<_> = fake
        .applied()
        .into_iter()
        .map(|(_, change)| change)
        .collect();
    assert_eq!(changes, [Change::Network(fixed), Change::Network(leased)]);
}

#[test]
fn who_writes_the_addresses_in_use_is_told_where_to_write() {
    let patch = json!({"IPv4Addresses": [{"Address": "10.0.0.9"}]});
    let refused = Client::of(&Fake::hall()).patch(INTERFACE, &patch);
    let Err(Failure::Messages(messages)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(messages[0].key(), "PropertyNotWritable");
    assert!(messages[0].resolution().contains("IPv4StaticAddresses"));
}

#[test]
fn an_interface_refuses_what_a_controller_can_not_be_told() {
    let fake = Fake::hall();
    for (patch, wanted) in [
        (json!({"FQDN": "bmc7.example.org"}), "/FQDN"),
        (json!({"IPv4StaticAddresses": []}), "/IPv4StaticAddresses"),
        (
            json!({"IPv4StaticAddresses": [null]}),
            "/IPv4StaticAddresses",
        ),
        (
            json!({"IPv4StaticAddresses": [{"Address": "10.0.0.9"}], "DHCPv4": {"DHCPEnabled": true}}),
            "/DHCPv4/DHCPEnabled",
        ),
    ] {
        match Client::of(&fake).patch(INTERFACE, &patch) {
            Err(
                Failure::PropertyNotWritable { pointer }
                | Failure::PropertyValueUnavailable { pointer, .. },
            ) => assert_eq!(pointer, wanted),
            other => panic!("{patch}: {other:?}"),
        }
    }
    assert!(fake.applied().is_empty());
}

#[test]
fn an_enclosure_without_a_controller_can_not_be_changed() {
    let answer = Client::of(&Fake::hall()).patch(
        "/redfish/v1/Chassis/Rack1",
        &json!({"LocationIndicatorActive": true}),
    );
    assert_eq!(answer, Err(Failure::NotChangeable));
}

#[test]
fn a_patch_with_one_property_that_can_not_be_set_changes_nothing() {
    let fake = Fake::hall();
    let answer = Client::of(&fake).patch(
        SYSTEM,
        &json!({"LocationIndicatorActive": true, "HostName": "mine"}),
    );
    assert_eq!(
        answer,
        Err(Failure::PropertyNotWritable {
            pointer: "/HostName".to_owned()
        })
    );
    let patch =
        json!({"LocationIndicatorActive": true, "Boot": {"BootSourceOverrideTarget": "UefiHttp"}});
    let answer = Client::of(&fake).patch(SYSTEM, &patch);
    assert!(
        matches!(answer, Err(Failure::PropertyValueUnavailable { .. })),
        "{answer:?}"
    );
    assert!(fake.applied().is_empty());
}

#[test]
fn a_machine_that_refuses_one_thing_is_asked_for_the_rest_and_what_is_missing_is_told() {
    let patch = json!({"LocationIndicatorActive": true, "AssetTag": "a", "Boot": {"BootSourceOverrideTarget": "Pxe"}});
    let fake = Fake::hall();
    let refused = ApplyError::Refused {
        reason: "no".into(),
    };
    fake.refuse_some(refused, |change| matches!(change, Change::Indicator(_)));
    let answer = Client::of(&fake).patch(SYSTEM, &patch);
    let light = NotDone {
        pointer: "/LocationIndicatorActive".to_owned(),
        failure: Failure::Refused {
            reason: "no".into(),
        },
    };
    assert_eq!(answer, Ok(Outcome::Partly(vec![light])));
    assert_eq!(fake.applied().len(), 3, "each was asked for");
}

#[test]
fn a_machine_that_stops_answering_is_not_asked_for_the_rest() {
    let patch = json!({"LocationIndicatorActive": true, "AssetTag": "a", "Boot": {"BootSourceOverrideTarget": "Pxe"}});
    let silent = || ApplyError::Unreachable {
        reason: "no answer".into(),
    };
    let fake = Fake::hall();
    fake.refuse_some(silent(), |change| matches!(change, Change::Indicator(_)));
    let Ok(Outcome::Partly(not_done)) = Client::of(&fake).patch(SYSTEM, &patch) else {
        panic!("the boot target is set")
    };
    let pointers: Vec<_> = not_done.iter().map(|one| one.pointer.as_str()).collect();
    assert_eq!(pointers, ["/LocationIndicatorActive", "/AssetTag"]);
    assert_eq!(fake.applied().len(), 2);
    let fake = Fake::hall();
    fake.refuse(silent());
    let answer = Client::of(&fake).patch(SYSTEM, &patch);
    assert!(
        matches!(answer, Err(Failure::Unreachable { .. })),
        "nothing is done: {answer:?}"
    );
    assert_eq!(fake.applied().len(), 1);
}

#[test]
fn of_a_static_address_only_what_is_new_is_set() {
    let fake = Fake::hall();
    let client = Client::of(&fake);
    let same = json!({"Address": "127.16.0.1", "SubnetMask": "255.0.0.0"});
    let patch = |address: Value| {
        client
            .patch(INTERFACE, &json!({"IPv4StaticAddresses": [address]}))
            .unwrap();
    };
    patch(same);
    assert!(fake.applied().is_empty(), "it has that address");
    patch(json!({"Gateway": "127.16.0.254"}));
    let gateway = NetworkChange {
        gateway: Some([127, 16, 0, 254].into()),
        ..NetworkChange::default()
    };
    assert_eq!(
        fake.applied(),
        [("Loose".to_owned(), Change::Network(gateway))]
    );
}

#[test]
fn the_log_is_cleared_at_its_own_machine() {
    let fake = Fake::hall();
    let log = "/redfish/v1/Managers/Loose/LogServices/SEL";
    Client::of(&fake)
        .call(log, "LogService.ClearLog", &json!({}))
        .unwrap();
    assert_eq!(fake.applied(), [("Loose".to_owned(), Change::ClearLog)]);
}

#[test]
fn a_failure_says_whose_fault_it_is() {
    let fake = Fake::hall();
    let client = Client::of(&fake);
    let reset = || client.call(SYSTEM, "ComputerSystem.Reset", &json!({"ResetType": "Nmi"}));
    let cases = [
        (ApplyError::Absent, Failure::NotFound),
        (
            ApplyError::Unsupported {
                what: "a diagnostic interrupt".into(),
            },
            Failure::ParameterValueUnavailable {
                parameter: "ResetType".into(),
                value: "Nmi".into(),
                remedy: "The machine does not support a diagnostic interrupt.".into(),
            },
        ),
        (
            ApplyError::Refused {
                reason: "node busy".into(),
            },
            Failure::Refused {
                reason: "node busy".into(),
            },
        ),
        (
            ApplyError::Unreachable {
                reason: "no answer for 5 s".into(),
            },
            Failure::Unreachable {
                reason: "no answer for 5 s".into(),
            },
        ),
        (
            ApplyError::Unconfirmed {
                what: "Chassis Control".into(),
            },
            Failure::Unconfirmed {
                reason: "no answer to Chassis Control".into(),
            },
        ),
        (ApplyError::Busy, Failure::Unavailable { retry_after_s: 2 }),
    ];
    for (error, expected) in cases {
        fake.refuse(error);
        assert_eq!(reset(), Err(expected));
    }
    fake.refuse(ApplyError::Unsupported {
        what: "an identify light".into(),
    });
    let answer = client.patch(SYSTEM, &json!({"LocationIndicatorActive": true}));
    let Err(Failure::PropertyValueUnavailable { pointer, .. }) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(pointer, "/LocationIndicatorActive");
}

#[test]
fn what_is_for_later_is_checked_without_asking_the_machine() {
    let fake = Fake::hall();
    let client = Client::of(&fake);
    let interface = "/redfish/v1/Managers/Loose/EthernetInterfaces/LAN";
    for (uri, body) in [
        (SYSTEM, json!({"AssetTag": "A1"})),
        (SYSTEM, json!({"Boot": {"BootSourceOverrideTarget": "Pxe"}})),
        (interface, json!({"DHCPv4": {"DHCPEnabled": true}})),
    ] {
        assert_eq!(client.check(uri, &body), (Ok(()), true), "{body}");
    }
    let (refused, _) = client.check(SYSTEM, &json!({"HostName": "node"}));
    let pointer = "/HostName".to_owned();
    assert_eq!(refused, Err(Failure::PropertyNotWritable { pointer }));
    for text in ["x".repeat(64), "a\nb".to_owned()] {
        for (uri, name) in [(SYSTEM, "AssetTag"), (interface, "HostName")] {
            let (refused, _) = client.check(uri, &json!({ name: text }));
            let Err(Failure::PropertyValueUnavailable { pointer, .. }) = refused else {
                panic!("{name} {text:?}: {refused:?}")
            };
            assert_eq!(pointer, format!("/{name}"));
        }
    }
    let longest = json!({"AssetTag": "x".repeat(63)});
    assert_eq!(client.check(SYSTEM, &longest), (Ok(()), true));
    let never = json!({"Boot": {"BootSourceOverrideTarget": "UefiHttp"}});
    let (refused, _) = client.check(SYSTEM, &never);
    assert!(matches!(
        refused,
        Err(Failure::PropertyValueUnavailable { .. })
    ));
    let (refused, is_settable_later) = client.check(
        "/redfish/v1/Chassis/Loose",
        &json!({"LocationIndicatorActive": true}),
    );
    assert_eq!((refused, is_settable_later), (Ok(()), false));
    assert!(fake.applied().is_empty());
}
