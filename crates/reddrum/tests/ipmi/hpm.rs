//! Firmware by HPM.1: loaded, activated, waited for, and taken back.

use std::io::{BufRead as _, BufReader};
use std::time::Instant;

use serde_json::Value;
use vbmc::controller::APPLICATION;

use crate::support::{DEADLINE, Folder, LOOK_AGAIN, Node, firmware, start};

/// What `hpm check` said of the application.
fn component(said: &Value, key: &str) -> String {
    let found = said["components"].as_array().unwrap();
    let application = found
        .iter()
        .find(|component| component["component"] == APPLICATION)
        .unwrap();
    application[key].as_str().unwrap().to_owned()
}

/// The firmware that the BMC runs.
fn runs(node: &Node) -> String {
    let info = node.result("mc info");
    info["firmware"].as_str().unwrap().to_owned()
}

#[test]
fn firmware_is_loaded_activated_and_runs() {
    let node = Node::new();
    let folder = Folder::new("hpm");
    let new = folder.file("new.hpm", &firmware(5, 0x07));
    let old = folder.file("old.hpm", &firmware(1, 0x00));
    let mut damaged = firmware(6, 0x00);
    damaged[100] ^= 1;
    let damaged = folder.file("damaged.hpm", &damaged);

    assert_eq!(
        node.failure(&format!("hpm upgrade {old}"))["kind"],
        "not_newer"
    );
    let refused = node.run(&["hpm", "upgrade", &damaged]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    node.result(&format!("hpm upgrade {new} --no-activate"));
    let held = node.result("hpm check");
    assert!(component(&held, "active").starts_with("2.14"), "{held}");
    assert_eq!(node.result("hpm activate")["activating"], true);
    // The controller restarts into it.
    let begin = Instant::now();
    loop {
        let info = node.json("mc info");
        if info["result"]["firmware"]
            .as_str()
            .is_some_and(|version| version.starts_with("5.07"))
        {
            break;
        }
        assert!(begin.elapsed() < DEADLINE, "{info}");
        std::thread::sleep(LOOK_AGAIN);
    }
    let now = node.result("hpm check");
    assert!(component(&now, "active").starts_with("5.07"), "{now}");
    assert!(component(&now, "backup").starts_with("2.14"), "{now}");
}

#[test]
fn an_upgrade_is_waited_for_until_the_controller_runs_it() {
    let node = Node::new();
    let folder = Folder::new("hpm");
    let file = folder.file("new.hpm", &firmware(5, 0x07));
    let run = node.run(&["hpm", "upgrade", &file, "--wait", "--timeout-ms", "100"]);
    let (said, told) = (&run.stdout, &run.stderr);
    assert!(run.is_ok(), "{told}");
    assert!(said.contains("5.07"), "{said}");
    assert!(told.contains("50 % of the firmware are loaded"), "{told}");
    assert!(
        told.contains("the controller activates the firmware"),
        "{told}"
    );
    // It is not only said: whoever comes now finds it.
    assert!(runs(&node).starts_with("5.07"));
    let both = ["hpm", "upgrade", &file, "--wait", "--no-activate"];
    assert_eq!(node.run(&both).code, Some(2));
}

#[test]
fn an_upgrade_goes_on_though_nobody_reads_how_far_it_is() {
    let node = Node::new();
    let folder = Folder::new("unread");
    let file = folder.file("new.hpm", &firmware(5, 0x07));
    let upgrade = ["hpm", "upgrade", &file, "--wait", "--timeout-ms", "100"];
    let mut child = start(&mut node.command(&upgrade));
    // As `2>&1 | head -1` does.
    let mut first = String::new();
    let mut told = BufReader::with_capacity(1, child.stderr.take().unwrap());
    told.read_line(&mut first).unwrap();
    drop((told, child.stdout.take()));
    assert!(first.contains(" % of the firmware are loaded"), "{first}");
    assert!(child.wait().unwrap().success());
    assert!(runs(&node).starts_with("5.07"));
}

#[test]
fn an_activation_and_a_rollback_are_waited_for_until_the_controller_runs_the_other_firmware() {
    let node = Node::new();
    let folder = Folder::new("wait");
    let file = folder.file("new.hpm", &firmware(5, 0x07));
    // There is nothing to activate, and nothing to go back to.
    for words in ["hpm activate --wait", "hpm rollback --wait"] {
        assert_eq!(node.failure(words)["kind"], "refused", "{words}");
    }
    node.result(&["hpm", "upgrade", &file, "--no-activate"]);
    assert!(runs(&node).starts_with("2.14"));
    let run = node.run("hpm activate --wait --timeout-ms 100");
    assert!(run.is_ok(), "{run:?}");
    let told = "the controller activates the firmware";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    assert!(run.stdout.contains("5.07"), "{run:?}");
    assert!(runs(&node).starts_with("5.07"));

    let run = node.run("hpm rollback --wait --timeout-ms 100");
    assert!(run.is_ok(), "{run:?}");
    let told = "the controller goes back to its earlier firmware";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    assert!(runs(&node).starts_with("2.14"));
    let now = node.result("hpm check");
    assert!(component(&now, "active").starts_with("2.14"), "{now}");
}
