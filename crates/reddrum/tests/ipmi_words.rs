//! What hands know from ipmitool, and what hands do wrong: its words beside ours, its options, Ctrl-C, one's own user.

#![expect(clippy::unwrap_used, reason = "test code, helpers too")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ipmi::bmc::{Config, User};
use ipmi::command::app::Guid;
use ipmi::command::picmg::hpm::FirmwareVersion;
use ipmi::number::{ChassisControlAction, PrivilegeLevel};
use serde_json::Value;
use vbmc::bmcs::Bmcs;
use vbmc::controller::{APPLICATION, upgrade_image};
use vbmc::fault::Faults;
use vbmc::serve::{Clock, Server};
use vbmc::site::{Site, SiteOptions};

const PASSWORD: &str = "right";

/// A test that waits for a state longer than this has failed.
const DEADLINE: Duration = Duration::from_secs(60);

/// Between two looks at what is about to change.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// One virtual machine with its BMC at 127.16.0.1; `admin` is user 2.
struct Node {
    server: Server,
    clock: Clock,
}

impl Node {
    fn new() -> Self {
        let clock = Clock::start();
        let options = SiteOptions {
            nodes: 1,
            seed: 1,
            epoch_s: clock.epoch_s(),
        };
        let site = Arc::new(Site::new(options).unwrap());
        let user = |name, level| User::new(name, PASSWORD.as_bytes(), level).unwrap();
        let users = vec![
            user("", PrivilegeLevel::CALLBACK),
            user("admin", PrivilegeLevel::ADMINISTRATOR),
        ];
        let bmcs = Arc::new(Bmcs::new(site, &Config::new(users, Guid::default())));
        let server = Server::start(bmcs, clock, 0).unwrap();
        Self { server, clock }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = program();
        let port = self.server.port().to_string();
        command.args(["ipmi", "127.16.0.1", "-U", "admin", "-p", &port]);
        command.args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn json(&self, args: &str) -> Value {
        let args: Vec<&str> = args.split(' ').chain(["--json"]).collect();
        serde_json::from_slice(&self.run(&args).stdout).unwrap()
    }

    /// What a command brought.
    fn result(&self, args: &str) -> Value {
        let mut said = self.json(args);
        assert_eq!(said["ok"], true, "{args}: {said}");
        said["result"].take()
    }

    /// Why a command failed.
    fn failure(&self, args: &str) -> Value {
        let mut said = self.json(args);
        assert_eq!(said["ok"], false, "{args}: {said}");
        said["error"].take()
    }

    /// The lines of a command.
    fn lines(&self, args: &str) -> Vec<String> {
        let args: Vec<&str> = args.split(' ').collect();
        let run = self.run(&args);
        assert!(run.status.success(), "{run:?}");
        text(run.stdout).lines().map(str::to_owned).collect()
    }
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reddrum"));
    command.stdin(Stdio::null()).env("IPMI_PASSWORD", PASSWORD);
    // Without a home nothing is remembered from other runs.
    for variable in [
        "HOME",
        "XDG_CACHE_HOME",
        "REDDRUM_IPMI_PASSWORD",
        "REDDRUM_IPMI_USERNAME",
        "IPMITOOL_PASSWORD",
        "IPMI_KGKEY",
    ] {
        command.env_remove(variable);
    }
    command
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// A folder that is gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("reddrum {name} {}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn an_interrupted_write_of_an_inventory_tells_how_the_old_one_is_put_back() {
    let node = Node::new();
    let folder = Folder::new("it's old");
    let (saved, other) = (folder.path("saved"), folder.path("other"));
    assert!(node.run(&["fru", "read", "0", &saved]).status.success());
    let before = std::fs::read(&saved).unwrap();
    let flipped: Vec<u8> = before.iter().map(|byte| !byte).collect();
    std::fs::write(&other, flipped).unwrap();
    let dir = folder.path("backups");
    std::fs::create_dir(&dir).unwrap();

    let slow = Faults {
        delay_ms: 40,
        ..Faults::default()
    };
    node.server.bmcs().set_faults(0, Some(slow));
    let write = ["fru", "write", "0", &other, "--force", "--backup-dir", &dir];
    let mut child = node
        .command(&write)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    // The file is there before the first byte is written.
    while std::fs::read_dir(&dir).unwrap().count() == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        assert!(begin.elapsed() < DEADLINE);
        std::thread::sleep(LOOK_AGAIN);
    }
    let interrupt = ["-INT", &child.id().to_string()];
    assert!(
        Command::new("kill")
            .args(interrupt)
            .status()
            .unwrap()
            .success()
    );
    let run = child.wait_with_output().unwrap();
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let told = text(run.stderr);
    let (cause, command) = told.split_once("; put it back with: ").unwrap();
    assert!(
        cause.contains("interrupted") && cause.contains("the old content is in "),
        "{told}"
    );

    // What was told is what a shell takes.
    node.server.bmcs().set_faults(0, None);
    let words = command.trim().strip_prefix("reddrum ").unwrap();
    let script = format!(
        "\"$REDDRUM\" {words} -U admin --backup-dir '{}'",
        folder.path("").replace('\'', r"'\''")
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).env("IPMI_PASSWORD", PASSWORD);
    shell
        .env("REDDRUM", env!("CARGO_BIN_EXE_reddrum"))
        .env_remove("HOME");
    let run = shell.output().unwrap();
    assert!(run.status.success(), "{script}: {run:?}");
    assert!(node.run(&["fru", "read", "0", &saved]).status.success());
    assert_eq!(std::fs::read(&saved).unwrap(), before);
}

#[test]
fn entries_of_the_log_are_chosen_told_and_deleted_by_number() {
    let node = Node::new();
    for _ in 0..3 {
        for action in [
            ChassisControlAction::POWER_DOWN,
            ChassisControlAction::POWER_UP,
        ] {
            let site = node.server.bmcs().site();
            site.machine(0, node.clock.now()).control(action).unwrap();
        }
    }
    let all = node.lines("sel list");
    assert!(all.len() >= 4, "{all:?}");
    assert_eq!(node.lines("sel list last 2"), all[all.len() - 2..]);
    assert_eq!(node.lines("sel list first 3"), all[..3]);
    assert_eq!(node.lines("sel elist last 1").len(), 1);
    assert_eq!(node.lines("sel list first 60000"), all);
    assert_eq!(node.run(&["sel", "list", "last"]).status.code(), Some(2));
    assert_eq!(node.run(&["sel", "list", "7"]).status.code(), Some(2));

    let listed = node.result("sel list")["entries"]
        .as_array()
        .unwrap()
        .clone();
    let ids: Vec<u64> = listed
        .iter()
        .map(|entry| entry["id"].as_u64().unwrap())
        .collect();
    let got = node.result(&format!("sel get {} {:#x}", ids[1], ids[0]));
    let got = got["entries"].as_array().unwrap();
    for (got, listed) in [(&got[0], &listed[1]), (&got[1], &listed[0])] {
        assert_eq!(
            (&got["id"], &got["event"], &got["data"]),
            (&listed["id"], &listed["event"], &listed["data"])
        );
        assert!(
            got["sensor"].is_string() && got["generator"] == 0x20,
            "{got}"
        );
    }
    let sheet = node.lines(&format!("sel get {}", ids[0]));
    assert_eq!(sheet[0], format!("SEL Record ID    : 0x{:04x}", ids[0]));
    // One that is not there costs no other, and is told.
    let partly = node.json(&format!("sel get 0x7777 {}", ids[0]));
    assert_eq!(
        (&partly["ok"], &partly["error"]["completion_code"]),
        (&false.into(), &0xcb.into())
    );
    assert_eq!(partly["result"]["entries"].as_array().unwrap().len(), 1);

    let gone = node.result(&format!("sel delete {} {}", ids[0], ids[2]));
    assert_eq!(gone["records"], serde_json::json!([ids[0], ids[2]]));
    let left = node.result("sel list")["entries"]
        .as_array()
        .unwrap()
        .clone();
    assert!(
        left.iter()
            .all(|entry| entry["id"] != ids[0] && entry["id"] != ids[2])
    );
    assert_eq!(left.len(), listed.len() - 2);
}

#[test]
fn records_and_sensors_are_listed_in_ipmitools_words() {
    let node = Node::new();
    let count = |args: &str| node.lines(args).len();
    let (full, compact) = (count("sdr list full"), count("sdr list compact"));
    assert!(full > 0 && compact > 0);
    assert_eq!(full + compact, count("sdr list"));
    let fru = node.lines("sdr list fru");
    assert!(
        !fru.is_empty() && fru.iter().all(|line| line.contains("| Log FRU @")),
        "{fru:?}"
    );
    let mc = node.lines("sdr elist mcloc");
    assert!(mc[0].contains("| Static MC @ 20h"), "{mc:?}");
    assert!(count("sdr list all") >= full + compact + fru.len() + mc.len());
    assert_eq!(node.lines("sdr type list"), node.lines("sdr type"));
    let fans = node.result("sdr entity 29.1");
    assert_eq!(fans["sensors"][0]["name"], "Fan1");
    assert!(count("sdr entity 29") > 1);
    assert_eq!(node.failure("sdr entity 250")["kind"], "no_such_entity");

    for words in ["sdr get Fan1", "sensor get Fan1"] {
        let sensor = &node.result(words)["sensors"][0];
        assert_eq!(sensor["name"], "Fan1");
        assert!(
            sensor["positive_hysteresis"].as_f64().unwrap() > 0.0,
            "{sensor}"
        );
    }
    let sheet = node.lines("sensor get Fan1");
    assert!(
        sheet
            .iter()
            .any(|line| line.starts_with("Positive Hysteresis   : ")),
        "{sheet:?}"
    );
    assert!(node.lines("sensor reading Fan1")[0].starts_with("Fan1 "));

    let folder = Folder::new("dump");
    let file = folder.path("sdr.bin");
    assert!(node.run(&["sdr", "dump", &file]).status.success());
    let bytes = std::fs::read(file).unwrap();
    let (mut rest, mut records) = (bytes.as_slice(), 0);
    while let Some(header) = rest.first_chunk::<5>() {
        assert_eq!(
            header[2], 0x51,
            "a record begins with its number and version"
        );
        rest = &rest[5 + usize::from(header[4])..];
        records += 1;
    }
    assert_eq!(
        (node.result("sdr info")["records"].clone(), rest.len()),
        (records.into(), 0)
    );
}

#[test]
fn thresholds_are_set_three_at_once_and_a_refusal_names_its_cause() {
    let node = Node::new();
    let sensors = node.result("sensor")["sensors"].as_array().unwrap().clone();
    let upper = [
        "upper_non_critical",
        "upper_critical",
        "upper_non_recoverable",
    ];
    let limit = |sensor: &Value, name: &str| sensor["thresholds"][name].as_f64();
    let has_all = |sensor: &&Value| upper.iter().all(|name| limit(sensor, name).is_some());
    let sensor = sensors.iter().find(has_all).unwrap();
    let name = sensor["name"].as_str().unwrap();
    let [unc, ucr, unr] = upper.map(|name| limit(sensor, name).unwrap());
    let set = |words: &[String]| {
        let mut args = vec!["sensor", "thresh", name];
        args.extend(words.iter().map(String::as_str));
        args.push("--json");
        serde_json::from_slice::<Value>(&node.run(&args).stdout).unwrap()
    };
    // Each a step lower than it was.
    let lower = [2.0 * unc - ucr, unc, ucr];
    let values = lower.map(|value| value.to_string());
    let words: Vec<String> = ["upper".to_owned()].into_iter().chain(values).collect();
    let said = set(&words);
    assert_eq!(said["ok"], true, "{said}");
    let kept = upper.map(|name| limit(&said["result"], name).unwrap());
    let is_kept = |(kept, set): (&f64, &f64)| (kept - set).abs() < 1e-6;
    assert!(kept.iter().zip(&lower).all(is_kept), "{kept:?} {lower:?}");

    // Above the one that must lie above it.
    let said = set(&["unc".to_owned(), unr.to_string()]);
    let error = &said["error"];
    assert_eq!(
        (&error["kind"], &error["completion_code"]),
        (&"refused".into(), &0xcc.into())
    );
    let remedy = error["remedy"].as_str().unwrap();
    assert!(
        remedy.contains("upper non-critical would be") && remedy.contains("above upper critical"),
        "{remedy}"
    );

    let lacks = sensors.iter().find(|sensor| {
        limit(sensor, "lower_critical").is_none() && limit(sensor, "upper_critical").is_some()
    });
    let lacking = lacks.unwrap()["name"].as_str().unwrap();
    let run = node.run(&["sensor", "thresh", lacking, "lcr", "1", "--json"]);
    let said: Value = serde_json::from_slice(&run.stdout).unwrap();
    let remedy = said["error"]["remedy"].as_str().unwrap();
    assert!(remedy.contains("lower critical"), "{said}");
    let few = node.run(&["sensor", "thresh", name, "upper", "1"]);
    assert_eq!(few.status.code(), Some(2), "{few:?}");
}

#[test]
fn settings_are_made_in_ipmitools_order_of_words() {
    let node = Node::new();
    assert_eq!(
        node.lines("chassis bootdev pxe options=persistent,efiboot"),
        ["Boot device: PXE (every start, UEFI)"]
    );
    assert_eq!(
        node.run(&["boot", "pxe", "options=quickly"]).status.code(),
        Some(2)
    );
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
    assert_eq!(node.run(&twice).status.code(), Some(2));
    assert_eq!(node.result("bmc info"), node.result("mc info"));
    assert_eq!(node.lines("fru list"), node.lines("fru"));
    assert_eq!(
        node.result("dcmi power get_limit"),
        node.result("dcmi power get-limit")
    );
}

#[test]
fn a_password_or_host_given_as_ipmitool_has_it_is_told_where_it_belongs() {
    let node = Node::new();
    let run = node.run(&["user", "set", "password", "4", "hunter2", "20"]);
    let told = text(run.stderr);
    assert_eq!(run.status.code(), Some(2));
    assert!(told.contains("--new-password-file"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");

    let words = "-I lanplus -H 10.0.0.5 -U admin -P hunter2 sel list";
    for (args, is_json) in [(words.to_owned(), false), (format!("{words} --json"), true)] {
        let run = program()
            .arg("ipmi")
            .args(args.split(' '))
            .output()
            .unwrap();
        assert_eq!(
            (run.status.code(), run.stdout.as_slice()),
            (Some(2), &b""[..])
        );
        let mut told = text(run.stderr);
        assert!(!told.contains("hunter2"), "{told}");
        if is_json {
            let error: Value = serde_json::from_str(&told).unwrap();
            assert_eq!(
                (&error["ok"], &error["error"]["kind"]),
                (&false.into(), &"usage".into())
            );
            told = error["error"]["cause"].as_str().unwrap().to_owned();
        }
        for part in [
            "--password-file",
            "before the command",
            "Say: reddrum ipmi 10.0.0.5 -U admin sel list",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}

#[test]
fn errors_of_the_command_line_are_json_for_scripts() {
    for (args, cause) in [
        ("127.0.0.1 power explode", "invalid value 'explode'"),
        ("127.0.0.1 power", "the following required arguments"),
        ("-U admin power status", "which BMCs?"),
        ("127.0.0.1 power status", "which user?"),
        (
            "127.0.0.1 -U admin --nothing power status",
            "unexpected argument '--nothing'",
        ),
        ("decode nowhere.pcap", "is no file"),
        ("decode 0600", "1 text is no datagram"),
    ] {
        let mut command = program();
        command.arg("ipmi").args(args.split(' '));
        let plain = command.output().unwrap();
        let run = command.arg("--json").output().unwrap();
        assert_eq!(
            (run.status.code(), plain.status.code()),
            (Some(2), Some(2)),
            "{args}"
        );
        let told = text(run.stderr);
        let said: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told.lines().count(), 1);
        let error = &said["error"];
        assert_eq!(
            (&said["ok"], &error["kind"]),
            (&false.into(), &"usage".into())
        );
        assert!(error["cause"].as_str().unwrap().contains(cause), "{told}");
        assert!(error["remedy"].is_string());
        assert!(text(plain.stderr).contains(cause), "{args}");
    }
    let help = program()
        .args(["ipmi", "--json", "--help"])
        .output()
        .unwrap();
    assert!(help.status.success() && text(help.stdout).contains("Usage: "));
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
    node.result("user disable 2 --own-user");
    assert!(!node.run(&["power", "status"]).status.success());
}

#[test]
fn an_upgrade_is_waited_for_until_the_controller_runs_it() {
    let node = Node::new();
    let folder = Folder::new("hpm");
    let file = folder.path("new.hpm");
    let version = FirmwareVersion {
        major: 5,
        minor: 0x07,
        auxiliary: [0; 4],
    };
    std::fs::write(&file, upgrade_image(APPLICATION, version, 32 << 10)).unwrap();
    let run = node.run(&["hpm", "upgrade", &file, "--wait", "--timeout-ms", "100"]);
    let (said, told) = (text(run.stdout), text(run.stderr));
    assert!(run.status.success(), "{told}");
    assert!(said.contains("5.07"), "{said}");
    assert!(told.contains("50 % of the firmware are loaded"), "{told}");
    assert!(
        told.contains("the controller activates the firmware"),
        "{told}"
    );
    // It is not only said: whoever comes now finds it.
    let info = node.result("mc info");
    assert!(
        info["firmware"].as_str().unwrap().starts_with("5.07"),
        "{info}"
    );
    let both = ["hpm", "upgrade", &file, "--wait", "--no-activate"];
    assert_eq!(node.run(&both).status.code(), Some(2));
}

#[test]
fn an_upgrade_goes_on_though_nobody_reads_how_far_it_is() {
    let node = Node::new();
    let folder = Folder::new("unread");
    let file = folder.path("new.hpm");
    let version = FirmwareVersion {
        major: 5,
        minor: 0x07,
        auxiliary: [0; 4],
    };
    std::fs::write(&file, upgrade_image(APPLICATION, version, 32 << 10)).unwrap();
    let mut child = node
        .command(&["hpm", "upgrade", &file, "--wait", "--timeout-ms", "100"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // As `2>&1 | head -1` does.
    let mut first = String::new();
    let mut told = BufReader::with_capacity(1, child.stderr.take().unwrap());
    told.read_line(&mut first).unwrap();
    drop((told, child.stdout.take()));
    assert!(first.contains(" % of the firmware are loaded"), "{first}");
    assert!(child.wait().unwrap().success());
    let info = node.result("mc info");
    assert!(
        info["firmware"].as_str().unwrap().starts_with("5.07"),
        "{info}"
    );
}

/// Stands between the program and a BMC, and keeps what both say in hexadecimal digits, a line each.
fn tap(to: String) -> (u16, Arc<Mutex<Vec<String>>>, mpsc::Sender<()>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let (port, lines) = (socket.local_addr().unwrap().port(), Arc::default());
    let (stop, stopped) = mpsc::channel();
    let kept: Arc<Mutex<Vec<String>>> = Arc::clone(&lines);
    let bmc = to.parse().unwrap();
    std::thread::spawn(move || {
        let (mut buffer, mut console) = ([0; 2_048], None);
        while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
            let Ok((len, from)) = socket.recv_from(&mut buffer) else {
                continue;
            };
            let digits = buffer[..len].iter().map(|byte| format!("{byte:02x}"));
            kept.lock().unwrap().push(digits.collect());
            if from != bmc {
                console = Some(from);
            }
            let peer = if from == bmc { console } else { Some(bmc) };
            socket.send_to(&buffer[..len], peer.unwrap()).unwrap();
        }
    });
    (port, lines, stop)
}

#[test]
fn a_session_that_was_captured_with_its_log_in_is_decoded_with_the_password() {
    let node = Node::new();
    for suite in ["17", "3"] {
        let (port, lines, stop) = tap(format!("127.16.0.1:{}", node.server.port()));
        let host = format!("127.0.0.1:{port}");
        let args = [
            "ipmi", &host, "-U", "admin", "-C", suite, "chassis", "status",
        ];
        let run = program().args(args).output().unwrap();
        assert!(run.status.success(), "{run:?}");
        stop.send(()).unwrap();
        let lines = lines.lock().unwrap().join("\n");
        let decode = |args: &[&str], password: &str| {
            let mut command = program();
            command
                .args(["ipmi", "decode", "-"])
                .args(args)
                .env("IPMI_PASSWORD", password);
            command
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            child
                .stdin
                .take()
                .unwrap()
                .write_all(lines.as_bytes())
                .unwrap();
            let run = child.wait_with_output().unwrap();
            assert!(run.status.success(), "{run:?}");
            (text(run.stdout), text(run.stderr))
        };
        let (said, told) = decode(&["--open"], PASSWORD);
        for command in ["Get Chassis Status = ", "Close Session"] {
            assert!(said.contains(command), "{said}");
        }
        assert_eq!(
            (said.contains(" encrypted"), told.as_str()),
            (false, ""),
            "{said}"
        );
        let (said, told) = decode(&["--open"], "wrong");
        assert!(said.contains(" bytes encrypted") && !said.contains("Get Chassis Status"));
        assert!(told.contains("stay encrypted"), "{told}");
        let (said, told) = decode(&[], PASSWORD);
        assert!(
            said.contains(" bytes encrypted") && told.is_empty(),
            "{told}"
        );
    }
}
