//! What is set in ipmitool's words and orders is kept, and nobody locks himself out by it.

use crate::support::{Folder, Node};

#[test]
fn settings_are_made_in_ipmitools_order_of_words() {
    let node = Node::new();
    assert_eq!(
        node.lines("chassis bootdev pxe options=persistent,efiboot"),
        ["Boot device: PXE (every start, UEFI)"]
    );
    assert_eq!(node.run(&["boot", "pxe", "options=quickly"]).code, Some(2));
    assert_eq!(
        node.lines("chassis identify force"),
        ["Chassis identify interval: indefinite"]
    );
    for (words, kept) in [
        ("lan set 1 ipsrc dhcp", "IP address source DHCP"),
        ("lan set 1 ipsrc static", "IP address source static"),
        (
            "lan set 1 defgw ipaddr 10.0.0.1",
            "default gateway address 10.0.0.1",
        ),
        (
            "lan set 1 defgw 10.0.0.3",
            "default gateway address 10.0.0.3",
        ),
        (
            "lan set gateway 10.0.0.2",
            "default gateway address 10.0.0.2",
        ),
        ("lan set 1 vlan id 7", "802.1q VLAN ID 7"),
        ("lan set 1 vlan priority 5", "802.1q VLAN priority 5"),
        (
            "lan set 1 vlan 8 --priority 3",
            "802.1q VLAN priority 3; 802.1q VLAN ID 8",
        ),
        ("lan set 1 vlan id off", "802.1q VLAN ID disabled"),
        (
            "lan set 1 arp respond off",
            "BMC-generated ARP control ARP responses off, gratuitous ARP off",
        ),
        (
            "lan set 1 arp generate on",
            "BMC-generated ARP control ARP responses off, gratuitous ARP on",
        ),
        (
            "lan set 1 arp respond on",
            "BMC-generated ARP control ARP responses on, gratuitous ARP on",
        ),
        (
            "lan set arp generate off",
            "BMC-generated ARP control ARP responses on, gratuitous ARP off",
        ),
    ] {
        let said = node.result(words)["kept"].take();
        let said: Vec<&str> = said
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_str().unwrap())
            .collect();
        assert_eq!(said.join("; "), kept, "{words}");
    }
    let twice = ["lan", "set", "1", "--channel", "1", "gateway", "10.0.0.1"];
    assert_eq!(node.run(&twice).code, Some(2));
    assert_eq!(node.result("bmc info"), node.result("mc info"));
    assert_eq!(node.lines("fru list"), node.lines("fru"));
    assert_eq!(
        node.result("dcmi power get_limit"),
        node.result("dcmi power get-limit")
    );
}

#[test]
fn lan_settings_are_kept_and_printed() {
    let node = Node::new();
    for set in [
        "lan set gateway 10.0.0.1",
        "lan set netmask 255.255.254.0",
        "lan set vlan 7 --priority 3",
        "lan set source static",
    ] {
        let kept = node.result(set);
        assert!(!kept["kept"].as_array().unwrap().is_empty(), "{set}");
    }
    let text = node.text(&["lan", "print"]);
    for expected in ["10.0.0.1", "255.255.254.0", "7"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    node.result("lan set vlan off");
    assert_eq!(
        node.failure("lan set --channel 9 vlan 8")["kind"],
        "refused"
    );
}

#[test]
fn nobody_locks_himself_out_without_saying_so() {
    let node = Node::new();
    for words in [
        "user disable 2",
        "user set name 2 boss",
        "user priv 2 user",
        "user priv 2 no-access 1",
        "channel setaccess 1 2 privilege=3",
        "channel setaccess 14 2 ipmi=off",
        "channel set --mode disabled",
        "channel set 1 --mode pre-boot",
        "channel set 14 --limit user",
        "user disable 2 -t 0x20",
    ] {
        let error = node.failure(words);
        assert_eq!(error["kind"], "own_user", "{words}");
        assert!(
            error["remedy"].as_str().unwrap().contains("--own-user"),
            "{error}"
        );
        assert_eq!(node.result("power status")["power"], "on", "{words}");
    }
    // What leaves him in, and what is about others.
    node.result("user priv 2 administrator");
    node.result("channel setaccess 1 2 link=off");
    node.result("channel set --mode always --limit administrator");
    node.result("user set name 4 ops");
    node.result("user disable 4");
    // A level alone leaves the rest of a disabled user as it is.
    let set = node.result("channel setaccess 1 4 privilege=operator");
    assert_eq!(set["ipmi_messaging"], true, "{set}");
    let barred = node.result("channel setaccess 1 2 ipmi=off --own-user");
    assert_eq!(barred["ipmi_messaging"], false, "{barred}");
    assert!(!node.run(&["power", "status"]).is_ok());
}

#[test]
fn a_community_string_is_set_from_the_line_or_a_file_and_never_printed() {
    let node = Node::new();
    let folder = Folder::new("community");
    let file = folder.file("community", b"from-a-file\n");
    // Get LAN Configuration Parameters, parameter 16: revision and 18 bytes.
    let kept = || {
        let data = node.result("raw 0x0c 0x02 1 16 0 0")["data"].take();
        let data = data.as_array().unwrap().iter();
        let bytes = data.skip(1).map(|byte| byte.as_u64().unwrap() as u8);
        String::from_utf8(bytes.take_while(|byte| *byte != 0).collect()).unwrap()
    };
    let words = format!("lan set 1 snmp --community-file {file}");
    for (words, community) in [
        ("lan set 1 snmp traps-4-us", "traps-4-us"),
        (words.as_str(), "from-a-file"),
    ] {
        let run = node.run(words);
        assert!(run.is_ok(), "{run:?}");
        assert!(
            run.stdout.contains("community string (not shown)"),
            "{run:?}"
        );
        assert!(!run.stdout.contains(community), "{run:?}");
        assert_eq!(kept(), community);
    }
    let both = format!("{words} both");
    for words in [
        "lan set 1 snmp",
        "lan set 1 snmp nineteen-characters",
        &both,
    ] {
        assert_eq!(node.run(words).code, Some(2), "{words}");
    }
    assert_eq!(kept(), "from-a-file");
}

#[test]
fn a_channel_is_shut_and_opened_with_one_word() {
    let node = Node::new();
    let own = node.failure("lan set 1 access off");
    assert_eq!(own["kind"], "own_user");
    assert!(own["remedy"].as_str().unwrap().contains("--own-user"));
    // Shut from the next restart on, for users' level at most: whoever set both
    // copies so could not log in to open it again.
    node.result("raw 0x06 0x40 0x01 0x40 0x42");
    let opened = node.result("lan set 1 access on");
    let access = &opened["access_after_restart"];
    assert_eq!(
        (&access["mode"], &access["privilege_limit"]),
        (&"always available".into(), &"ADMINISTRATOR".into())
    );
    // Whoever isn't on a channel may shut it, where there is one.
    assert_eq!(node.failure("lan set 9 access off")["kind"], "refused");
    let shut = node.result("lan set 1 access off --own-user");
    for copy in ["access", "access_after_restart"] {
        assert_eq!(shut[copy]["mode"], "disabled", "{shut}");
    }
}

#[test]
fn a_channel_tells_how_to_log_in_at_a_level() {
    let node = Node::new();
    for words in [
        "channel authcap 1 4",
        "channel authcap 1 admin",
        "channel authcap 1",
    ] {
        let found = node.result(words);
        assert_eq!(found["privilege"], "ADMINISTRATOR", "{words}");
        assert_eq!(found["channel"], 1);
        assert_eq!(found["kg_set"], false);
        let sessions = found["sessions"].as_array().unwrap();
        assert!(sessions.contains(&"IPMI 2.0 sessions".into()), "{found}");
    }
    let lines = node.lines("channel authcap 14 user");
    assert!(
        lines.contains(&"BMC Key (K_g)              : all zeros".to_owned()),
        "{lines:?}"
    );
    for wrong in [
        "channel authcap",
        "channel authcap 15 4",
        "channel authcap 1 6",
    ] {
        assert_eq!(node.run(wrong).code, Some(2), "{wrong}");
    }
}

#[test]
fn a_bootflag_is_set_with_what_clears_it() {
    let node = Node::new();
    assert_eq!(
        node.lines("chassis bootparam set bootflag force_pxe options=no-timeout,no-PEF"),
        ["Boot device: PXE (next start, legacy)"]
    );
    let clearing = node.lines("chassis bootparam get 3");
    assert!(clearing[0].ends_with(": 18"), "{clearing:?}");
    node.result("bootparam set bootflag force_bios options=PEF");
    let clearing = node.result("chassis bootparam get 3");
    assert_eq!(
        (&clearing["data"], &clearing["locked"]),
        (&"08".into(), &false.into())
    );
    assert!(
        clearing["meaning"][0]
            .as_str()
            .unwrap()
            .contains("60 seconds"),
        "{clearing}"
    );
    node.result("bootparam set bootflag disk");
    assert_eq!(node.result("bootparam get 3")["data"], "08", "it stays");
    let flags = node.lines("bootparam get 5");
    assert!(flags[0].ends_with(": 80 08 00 00 00"), "{flags:?}");
    assert_eq!(flags[1], "  Boot device: hard drive (next start, legacy)");
    assert_eq!(node.result("boot")["device"], "hard drive");
    // By their bytes, as before.
    node.result("bootparam set 5 0x80 0x14 0 0 0");
    assert!(node.lines("boot")[0].contains("CD"));
    for wrong in [
        "bootparam set bootflag",
        "bootparam set bootflag floppy options=often",
        "bootparam set 5",
        "bootparam set",
    ] {
        assert_eq!(node.run(wrong).code, Some(2), "{wrong}");
    }
}

#[test]
fn filters_and_policies_are_listed_and_switched_in_ipmitools_words() {
    let node = Node::new();
    for (table, old, key) in [
        ("filter", "filters", "filters"),
        ("policy", "policies", "policies"),
    ] {
        let listed = node.result(&format!("pef {table} list"));
        assert_eq!(listed, node.result(&format!("pef {old}")));
        let entries = listed[key].as_array().unwrap();
        assert!(!entries.is_empty(), "{listed}");
        for (word, on) in [("enable", true), ("disable", false), ("enable", true)] {
            let said = node.result(&format!("pef {table} {word} 1"));
            assert_eq!((&said[table], &said["enabled"]), (&1.into(), &on.into()));
            let now = node.result(&format!("pef {table} list"));
            assert_eq!(now[key][0]["enabled"], on, "{now}");
            let mut others = now[key].as_array().unwrap().clone();
            others[0]["enabled"] = entries[0]["enabled"].clone();
            assert_eq!(&others, entries, "nothing else changes");
        }
        assert!(!node.run(&format!("pef {table} enable 120")).is_ok());
    }
}
