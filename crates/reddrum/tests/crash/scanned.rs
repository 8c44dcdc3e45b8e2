//! BMCs that the service finds by itself: they join the fleet as they come up, and a restart knows them at once.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use vbmc::fault::Faults;

use super::pushed::{configuration, eventually, get, machines, members};
use super::{Folder, Running, reddrum};

const SYSTEMS: &str = "/redfish/v1/Systems";

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A configuration that scans 127.16.0.1 to .6 where `port` is, without .5, and lists .2.
fn scanning(folder: &Folder, port: u16, exclude: &str) {
    let rest = format!(
        "[credentials.bmcs]\nusername = \"admin\"\npassword_command = [\"echo\", \"secret\"]\n\
         [[target]]\nhosts = \"127.16.0.2\"\nnames = \"listed\"\nport = {port}\ncredentials = \"bmcs\"\n\
         [[inventory]]\nscan = [\"127.16.0.0/29\"]\nexclude = [{exclude}]\nnames = \"n[1-6]\"\nport = {port}\n\
         credentials = \"bmcs\"\nevery_s = 10\nrack = \"R7\"\n"
    );
    configuration(folder, &rest);
}

/// How often the log says this.
fn said(folder: &Folder, what: &str) -> usize {
    let log = fs::read_to_string(folder.path("log")).unwrap();
    log.matches(what).count()
}

#[test]
fn a_bmc_that_comes_up_is_found_by_the_next_scan_and_known_at_once_after_a_restart() {
    let machines = machines(5);
    let silent = Faults {
        drop_request_permille: 1_000,
        ..Faults::default()
    };
    // The third one comes up later.
    machines.bmcs().set_faults(2, Some(silent));
    let folder = Folder::new();
    scanning(&folder, machines.port(), "\"127.16.0.5\"");
    let (running, _) = Running::start(reddrum(&folder), &folder.socket());
    let first = names(&["listed", "n1", "n4"]);
    eventually(&folder, "first BMCs", || members(&folder, SYSTEMS) == first);
    let ended = "127.16.0.0/29: 5 addresses asked, 3 BMCs answer";
    eventually(&folder, "line about the scan", || said(&folder, ended) == 1);
    eventually(&folder, "log-in", || {
        get(&folder, &format!("{SYSTEMS}/n1"))["Status"]["State"] == "Enabled"
    });
    let chassis = get(&folder, "/redfish/v1/Chassis/n1");
    let rack = &chassis["Location"]["Placement"]["Rack"];
    assert_eq!(rack, "R7", "{chassis}");

    machines.bmcs().set_faults(2, None);
    let second = names(&["listed", "n1", "n3", "n4"]);
    eventually(&folder, "the BMC that came up", || {
        members(&folder, SYSTEMS) == second
    });
    assert_eq!(said(&folder, "n2 is named elsewhere, as listed"), 1);

    // Nobody answers any more, and they are there all the same.
    running.kill();
    for index in 0..5 {
        machines.bmcs().set_faults(index, Some(silent));
    }
    let (running, _) = Running::start(reddrum(&folder), &folder.socket());
    assert_eq!(members(&folder, SYSTEMS), second);
    eventually(&folder, "a scan", || {
        said(&folder, "5 addresses asked, 0 BMCs answer") >= 1
    });
    assert_eq!(members(&folder, SYSTEMS), second);

    // One that is excluded leaves with the configuration that says so; the rest is not scanned sooner for a key that
    // changes nothing about who is asked.
    scanning(&folder, machines.port(), "\"127.16.0.[4-5]\"");
    hang_up(&running);
    let third = names(&["listed", "n1", "n3"]);
    eventually(&folder, "the one that is excluded to leave", || {
        members(&folder, SYSTEMS) == third
    });
}

fn hang_up(running: &Running) {
    let pid = running.0.id().to_string();
    let done = Command::new("kill").args(["-HUP", &pid]).status().unwrap();
    assert!(done.success());
}
