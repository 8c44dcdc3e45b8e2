//! Families beyond everyday's: what is set is told again, and the machine has it.

use ipmi::number::HotSwapState;
use vbmc::machine::Form;

use crate::support::{Folder, Node};

#[test]
fn a_user_is_made_let_in_and_barred() {
    let node = Node::new();
    let folder = Folder::new("user");
    let secret = folder.file("secret", b"new-secret\n");
    let status = ["power", "status"];
    let ops = ("ops", "new-secret");

    assert_eq!(node.result("user set name 4 ops")["name"], "ops");
    node.result(&format!("user set password 4 --new-password-file {secret}"));
    assert_eq!(node.result("user priv 4 user")["privilege_limit"], "USER");
    assert!(!node.run_as(ops, &status).is_ok(), "not enabled yet");
    node.result("user enable 4");
    assert!(node.run_as(ops, &status).is_ok());
    let test = format!("user test 4 --new-password-file {secret}");
    assert_eq!(node.result(&test)["matches"], true);

    let users = node.result("user list");
    let found = users["users"].as_array().unwrap();
    assert!(found.iter().any(|user| user["name"] == "ops"), "{users}");
    let slots = node.result("user list --all");
    let slots = slots["users"].as_array().unwrap();
    assert!(slots.len() > found.len(), "{slots:?}");
    assert!(slots.iter().any(|slot| slot["name"] == ""), "{slots:?}");
    assert_eq!(node.result("user summary")["enabled"], 3);

    node.result("user disable 4");
    assert!(!node.run_as(ops, &status).is_ok());
}

#[test]
fn dcmi_tells_power_and_keeps_limit_and_names() {
    let node = Node::new();
    assert_eq!(node.result("dcmi discover")["version"], "1.5");
    let watts = node.result("dcmi power reading")["current_w"].as_u64();
    assert!((50..1_000).contains(&watts.unwrap()), "{watts:?}");
    node.result("dcmi power set-limit --limit 400 --correction 2000 --sample 10 --action log");
    node.result("dcmi power activate");
    let limit = node.result("dcmi power get-limit");
    assert_eq!(
        (&limit["limit_w"], &limit["active"]),
        (&400.into(), &true.into())
    );
    node.result("dcmi power deactivate");
    assert_eq!(node.result("dcmi power get-limit")["active"], false);
    for (what, text) in [("asset-tag", "RACK-7"), ("mc-id", "bmc-7.example")] {
        assert_eq!(node.result(&format!("dcmi {what} {text}"))["text"], text);
        assert_eq!(node.result(&format!("dcmi {what}"))["text"], text);
    }
    // ipmitool's words: what reads there reads here, and what sets there sets here.
    for (read, set) in [
        ("asset_tag", "set_asset_tag"),
        ("get_mc_id_string", "set_mc_id_string"),
    ] {
        assert_eq!(node.result(&format!("dcmi {set} box-7"))["text"], "box-7");
        for words in [vec!["dcmi", read, "other"], vec!["dcmi", set]] {
            let run = node.run(&words);
            assert_eq!(run.code, Some(2), "{words:?}");
        }
        assert_eq!(node.result(&format!("dcmi {read}"))["text"], "box-7");
    }
    let found = node.result("dcmi thermal");
    assert!(!found["temperatures"].as_array().unwrap().is_empty());
}

#[test]
fn units_of_a_shelf_are_activated_lit_and_cooled() {
    let node = Node::of_form(Form::AdvancedTca);
    assert_eq!(node.result("picmg properties")["version"], "2.3");
    node.result("picmg deactivate 1");
    assert_eq!(node.rack.machine(0).hot_swap(1), HotSwapState::M1);
    let handle = node.text(&["sensor", "AMC*"]);
    assert!(handle.contains("Module handle opened"), "{handle}");
    assert!(handle.contains("Transition to M1"), "{handle}");
    let log = node.text(&["sel", "elist"]);
    assert!(
        log.contains("FRU Hot Swap AMC Hot Swap | Transition to M1"),
        "{log}"
    );
    node.result("picmg activate 1");
    assert_eq!(node.rack.machine(0).hot_swap(1), HotSwapState::M4);

    node.result("led set 1 blink --color red");
    let leds = node.text(&["led", "list"]);
    assert!(leds.contains("LED1") || leds.contains("LED 1"), "{leds}");
    node.result("picmg fan set 9 2");
    let fan = node.result("picmg fan get 2");
    assert_eq!((&fan["level"], &fan["maximum"]), (&9.into(), &15.into()));
    assert_eq!(node.failure("picmg fan get 0")["kind"], "refused");
    assert_eq!(node.result("picmg policy 0")["fru"], 0);
    assert_eq!(node.result("picmg power 1")["steady"]["level"], 1);

    let server = Node::new();
    assert_eq!(server.failure("picmg properties")["kind"], "refused");
}
