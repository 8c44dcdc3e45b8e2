//! Makers' own commands, against virtual BMCs that have them.

use std::time::Instant;

use vbmc::controller::OemFamily;

use crate::support::{DEADLINE, LOOK_AGAIN, Node};

/// One virtual machine of a maker's.
struct Made(Node);

impl Made {
    fn new(family: OemFamily) -> Self {
        Self(Node::of_family(family))
    }

    /// Speeds of the fans, in revolutions per minute.
    fn speeds(&self) -> Vec<f64> {
        let said = self.0.result(&["fan", "list"]);
        let fans = said["fans"].as_array().unwrap().iter();
        fans.map(|fan| {
            assert_eq!(fan["unit"], "RPM");
            fan["value"].as_f64().unwrap()
        })
        .collect()
    }

    /// Waits until the speeds are as wanted.
    fn await_speeds(&self, wanted: impl Fn(&[f64]) -> bool) {
        let begin = Instant::now();
        loop {
            let speeds = self.speeds();
            if wanted(&speeds) {
                return;
            }
            assert!(begin.elapsed() < DEADLINE, "still {speeds:?}");
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// A duty of all fans is seen at the fans, and goes away again.
    fn obeys(&self, maker: &str) {
        let quiet = self.speeds();
        assert!(!quiet.is_empty());
        let said = self.0.result(&["fan", "set", "100", "--maker", maker]);
        assert_eq!(said["percent"], 100);
        let fast = |speeds: &[f64]| speeds.iter().zip(&quiet).all(|(now, was)| *now > was * 1.5);
        self.await_speeds(fast);
        self.0.result(&["fan", "auto", "--maker", maker]);
        self.await_speeds(|speeds| !speeds.iter().zip(&quiet).any(|(now, was)| *now > was * 1.5));
    }
}

#[test]
fn fans_of_every_maker_follow_a_duty_and_are_given_back() {
    for (family, maker) in [
        (OemFamily::Supermicro, "supermicro"),
        (OemFamily::Dell, "dell"),
        (OemFamily::Asrock, "asrock"),
        (OemFamily::SystemX, "system-x"),
    ] {
        Made::new(family).obeys(maker);
    }
}

#[test]
fn a_zone_is_driven_alone() {
    let made = Made::new(OemFamily::Dell);
    let node = &made.0;
    node.result(&["fan", "set", "30", "--maker", "dell"]);
    let args = ["fan", "set", "100", "--zone", "0", "--maker", "dell"];
    assert_eq!(node.result(&args)["zone"], 0);
    made.await_speeds(|speeds| speeds[0] > 2.5 * speeds[1] && speeds[0] > 2.5 * speeds[3]);
    let args = ["fan", "set", "50", "--zone", "77", "--maker", "dell"];
    assert_eq!(node.failure(&args)["kind"], "refused");
}

#[test]
fn the_text_of_dells_panel_is_read_back() {
    let node = Node::of_family(OemFamily::Dell);
    let text = "rack 7, unit 12: please do not unplug, ring +49 30 1234 first";
    let said = node.result(&["lcd", "set", text, "--maker", "dell"]);
    assert_eq!(said["text"], text);
    let get = ["lcd", "get", "--maker", "dell"];
    let shown = node.result(&get);
    assert_eq!(
        (&shown["text"], &shown["mode"]),
        (&said["text"], &said["mode"])
    );
    assert_eq!(shown["mode"], "user-defined text");
    node.result(&["lcd", "set", "gr\u{fc}n", "--maker", "dell"]);
    assert_eq!(node.result(&get)["text"], "gr\u{fc}n", "a shorter one");
    node.result(&["lcd", "mode", "service-tag", "--maker", "dell"]);
    let run = node.run(&get);
    let lines = run.stdout;
    assert_eq!(
        lines,
        "LCD Shows   : service tag\nLCD Text    : gr\u{fc}n\n"
    );
}

#[test]
fn a_text_that_the_panel_can_not_show_is_refused_before_anybody_is_asked() {
    let node = Node::of_family(OemFamily::Dell);
    for text in ["x".repeat(63), "\u{20ac}".to_owned(), "a\nb".to_owned()] {
        let run = node.run(&["lcd", "set", &text, "--maker", "dell"]);
        assert_eq!(run.code, Some(2), "{text}");
    }
    let longest = "x".repeat(62);
    let said = node.result(&["lcd", "set", &longest, "--maker", "dell"]);
    assert_eq!(said["text"], longest);
}

#[test]
fn an_unknown_maker_is_told_with_the_remedy_and_nothing_is_tried() {
    let node = Node::of_family(OemFamily::Dell);
    for args in [
        &["fan", "set", "100"][..],
        &["fan", "auto"],
        &["lcd", "get"],
    ] {
        let failure = node.failure(args);
        assert_eq!(failure["kind"], "unknown_maker", "{args:?}");
        let remedy = failure["remedy"].as_str().unwrap();
        assert!(remedy.contains("--maker") && remedy.contains("'raw'"));
    }
    let failure = node.failure(&["lcd", "get", "--maker", "asrock"]);
    assert_eq!(failure["kind"], "no_lcd");
    let failure = node.failure(&["fan", "set", "50", "--maker", "supermicro"]);
    assert_eq!(failure["kind"], "refused", "another maker's bytes");
}

#[test]
fn node_manager_tells_power_and_its_policies() {
    let node = Node::of_family(OemFamily::NodeManager);
    let power = node.result(&["nm", "power"]);
    let watts = power["current_w"].as_u64().unwrap();
    assert!((50..2_000).contains(&watts), "{power}");
    assert_eq!(node.result(&["nm", "version"])["firmware"], "4.1");
    assert_eq!(
        node.failure(&["nm", "policy", "7"])["kind"],
        "no_such_policy"
    );
    // Set Policy 7: at once, for the platform, 300 W, within 6 s, statistics over 10 s.
    let set = "0x2e 0xc1 0x57 1 0 0x10 7 0x10 1 0x2c 1 0x70 0x17 0 0 0 0 10 0";
    let words = ["-t", "0x2c", "-b", "6", "raw"].into_iter();
    node.result(&words.chain(set.split(' ')).collect::<Vec<_>>());
    let there = node.result(&["nm", "policy", "7", "-t", "0x2c", "-b", "6"]);
    assert_eq!(there["limit_w"], 300, "as it is found by itself");
    let policy = node.result(&["nm", "policy", "7"]);
    assert_eq!(policy["limit_w"], 300);
    assert_eq!(
        (&policy["enabled"], &policy["works"]),
        (&true.into(), &true.into())
    );
    assert_eq!(policy["correction_ms"], 6_000);
    let none = Node::of_family(OemFamily::None).failure(&["nm", "power"]);
    assert_eq!(none["kind"], "no_node_manager");
    assert!(none["remedy"].as_str().unwrap().contains("-t ADDRESS"));
}
