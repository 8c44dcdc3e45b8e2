//! The families of `reddrum ipmi` beyond everyday's, each against virtual BMCs: what is set is told again, and the machine
//! has it.

#![expect(clippy::unwrap_used, reason = "test code, helpers too")]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipmi::bmc::{Config, User};
use ipmi::command::app::Guid;
use ipmi::command::picmg::hpm::FirmwareVersion;
use ipmi::number::{HotSwapState, PrivilegeLevel};
use serde_json::Value;
use vbmc::bmcs::Bmcs;
use vbmc::controller::{APPLICATION, upgrade_image};
use vbmc::machine::Form;
use vbmc::serve::{Clock, Server};
use vbmc::site::{Site, SiteOptions};

const PASSWORD: &str = "right";

/// A test that waits for a state longer than this has failed.
const DEADLINE: Duration = Duration::from_secs(60);

/// Between two looks at a machine that is about to change.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Virtual machines with their BMCs at 127.16.0.1 and up.
struct Rack {
    server: Server,
    clock: Clock,
}

impl Rack {
    fn new(nodes: u32, form: Form) -> Self {
        let clock = Clock::start();
        let options = SiteOptions {
            nodes,
            seed: 1,
            epoch_s: clock.epoch_s(),
        };
        let site = Arc::new(Site::new(options).unwrap());
        for index in 0..nodes {
            site.machine(index, clock.now()).set_form(form);
        }
        let user = |name, level| User::new(name, PASSWORD.as_bytes(), level).unwrap();
        let users = vec![
            user("", PrivilegeLevel::CALLBACK),
            user("admin", PrivilegeLevel::ADMINISTRATOR),
        ];
        let bmcs = Arc::new(Bmcs::new(site, &Config::new(users, Guid::default())));
        Self {
            server: Server::start(bmcs, clock, 0).unwrap(),
            clock,
        }
    }

    fn run_as(&self, (user, password): (&str, &str), args: &[&str]) -> Output {
        let mut command = program();
        command.env("IPMI_PASSWORD", password);
        let port = self.server.port().to_string();
        command.args(["ipmi", "127.16.0.1", "-U", user, "-p", &port]);
        command.args(args).output().unwrap()
    }

    fn json(&self, args: &str) -> Value {
        let args: Vec<&str> = args.split(' ').chain(["--json"]).collect();
        let run = self.run_as(("admin", PASSWORD), &args);
        serde_json::from_slice(&run.stdout).unwrap()
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

    /// What a command printed for people.
    fn text(&self, args: &[&str]) -> String {
        let run = self.run_as(("admin", PASSWORD), args);
        assert!(run.status.success(), "{run:?}");
        String::from_utf8(run.stdout).unwrap()
    }

    fn hot_swap(&self, fru: u8) -> HotSwapState {
        let site = self.server.bmcs().site();
        site.machine(0, self.clock.now()).hot_swap(fru)
    }
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reddrum"));
    command.stdin(Stdio::null());
    // Without a home nothing is remembered from other runs.
    for variable in [
        "HOME",
        "XDG_CACHE_HOME",
        "REDDRUM_IPMI_PASSWORD",
        "IPMITOOL_PASSWORD",
        "IPMI_KGKEY",
    ] {
        command.env_remove(variable);
    }
    command
}

/// A folder that is gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("reddrum-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_user_is_made_let_in_and_barred() {
    let rack = Rack::new(1, Form::Server);
    let folder = Folder::new("user");
    let secret = folder.file("secret", b"new-secret\n");
    let mut owner = std::fs::metadata(&secret).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut owner, 0o600);
    std::fs::set_permissions(&secret, owner).unwrap();
    let status = ["power", "status"];
    let ops = ("ops", "new-secret");

    assert_eq!(rack.result("user set name 4 ops")["name"], "ops");
    rack.result(&format!("user set password 4 --new-password-file {secret}"));
    assert_eq!(rack.result("user priv 4 user")["privilege_limit"], "USER");
    assert!(
        !rack.run_as(ops, &status).status.success(),
        "not enabled yet"
    );
    rack.result("user enable 4");
    assert!(rack.run_as(ops, &status).status.success());
    let test = format!("user test 4 --new-password-file {secret}");
    assert_eq!(rack.result(&test)["matches"], true);

    let users = rack.result("user list");
    let found = users["users"].as_array().unwrap();
    assert!(found.iter().any(|user| user["name"] == "ops"), "{users}");
    let slots = rack.result("user list --all");
    let slots = slots["users"].as_array().unwrap();
    assert!(slots.len() > found.len(), "{slots:?}");
    assert!(slots.iter().any(|slot| slot["name"] == ""), "{slots:?}");
    assert_eq!(rack.result("user summary")["enabled"], 3);

    rack.result("user disable 4");
    assert!(!rack.run_as(ops, &status).status.success());
}

#[test]
fn lan_settings_are_kept_and_printed() {
    let rack = Rack::new(1, Form::Server);
    for set in [
        "lan set gateway 10.0.0.1",
        "lan set netmask 255.255.254.0",
        "lan set vlan 7 --priority 3",
        "lan set source static",
    ] {
        let kept = rack.result(set);
        assert!(!kept["kept"].as_array().unwrap().is_empty(), "{set}");
    }
    let text = rack.text(&["lan", "print"]);
    for expected in ["10.0.0.1", "255.255.254.0", "7"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    rack.result("lan set vlan off");
    assert_eq!(
        rack.failure("lan set --channel 9 vlan 8")["kind"],
        "refused"
    );
}

#[test]
fn dcmi_tells_power_and_keeps_limit_and_names() {
    let rack = Rack::new(1, Form::Server);
    assert_eq!(rack.result("dcmi discover")["version"], "1.5");
    let watts = rack.result("dcmi power reading")["current_w"].as_u64();
    assert!((50..1_000).contains(&watts.unwrap()), "{watts:?}");
    rack.result("dcmi power set-limit --limit 400 --correction 2000 --sample 10 --action log");
    rack.result("dcmi power activate");
    let limit = rack.result("dcmi power get-limit");
    assert_eq!(
        (&limit["limit_w"], &limit["active"]),
        (&400.into(), &true.into())
    );
    rack.result("dcmi power deactivate");
    assert_eq!(rack.result("dcmi power get-limit")["active"], false);
    for (what, text) in [("asset-tag", "RACK-7"), ("mc-id", "bmc-7.example")] {
        assert_eq!(rack.result(&format!("dcmi {what} {text}"))["text"], text);
        assert_eq!(rack.result(&format!("dcmi {what}"))["text"], text);
    }
    // ipmitool's words: what reads there reads here, and what sets there sets here.
    for (read, set) in [
        ("asset_tag", "set_asset_tag"),
        ("get_mc_id_string", "set_mc_id_string"),
    ] {
        assert_eq!(rack.result(&format!("dcmi {set} box-7"))["text"], "box-7");
        for words in [vec!["dcmi", read, "other"], vec!["dcmi", set]] {
            let run = rack.run_as(("admin", PASSWORD), &words);
            assert_eq!(run.status.code(), Some(2), "{words:?}");
        }
        assert_eq!(rack.result(&format!("dcmi {read}"))["text"], "box-7");
    }
    let found = rack.result("dcmi thermal");
    assert!(!found["temperatures"].as_array().unwrap().is_empty());
}

#[test]
fn units_of_a_shelf_are_activated_lit_and_cooled() {
    let rack = Rack::new(1, Form::AdvancedTca);
    assert_eq!(rack.result("picmg properties")["version"], "2.3");
    rack.result("picmg deactivate 1");
    assert_eq!(rack.hot_swap(1), HotSwapState::M1);
    let handle = rack.text(&["sensor", "AMC*"]);
    assert!(handle.contains("Module handle opened"), "{handle}");
    assert!(handle.contains("Transition to M1"), "{handle}");
    let log = rack.text(&["sel", "elist"]);
    assert!(
        log.contains("FRU Hot Swap AMC Hot Swap | Transition to M1"),
        "{log}"
    );
    rack.result("picmg activate 1");
    assert_eq!(rack.hot_swap(1), HotSwapState::M4);

    rack.result("led set 1 blink --color red");
    let leds = rack.text(&["led", "list"]);
    assert!(leds.contains("LED1") || leds.contains("LED 1"), "{leds}");
    rack.result("picmg fan set 9 2");
    let fan = rack.result("picmg fan get 2");
    assert_eq!((&fan["level"], &fan["maximum"]), (&9.into(), &15.into()));
    assert_eq!(rack.failure("picmg fan get 0")["kind"], "refused");
    assert_eq!(rack.result("picmg policy 0")["fru"], 0);
    assert_eq!(rack.result("picmg power 1")["steady"]["level"], 1);

    let server = Rack::new(1, Form::Server);
    assert_eq!(server.failure("picmg properties")["kind"], "refused");
}

#[test]
fn firmware_is_loaded_activated_and_runs() {
    let rack = Rack::new(1, Form::Server);
    let folder = Folder::new("hpm");
    // The minor version is two decimal digits.
    let image = |major, minor| {
        let version = FirmwareVersion {
            major,
            minor,
            auxiliary: [0; 4],
        };
        upgrade_image(APPLICATION, version, 32 << 10)
    };
    let new = folder.file("new.hpm", &image(5, 0x07));
    let old = folder.file("old.hpm", &image(1, 0x00));
    let mut damaged = image(6, 0x00);
    damaged[100] ^= 1;
    let damaged = folder.file("damaged.hpm", &damaged);

    assert_eq!(
        rack.failure(&format!("hpm upgrade {old}"))["kind"],
        "not_newer"
    );
    let refused = rack.run_as(("admin", PASSWORD), &["hpm", "upgrade", &damaged]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    rack.result(&format!("hpm upgrade {new} --no-activate"));
    let held = rack.result("hpm check");
    let component = |said: &Value, key: &str| {
        let found = said["components"].as_array().unwrap();
        let application = found
            .iter()
            .find(|c| c["component"] == APPLICATION)
            .unwrap();
        application[key].as_str().unwrap().to_owned()
    };
    assert!(component(&held, "active").starts_with("2.14"), "{held}");
    assert_eq!(rack.result("hpm activate")["activating"], true);
    // The controller restarts into it.
    let begin = Instant::now();
    loop {
        let info = rack.json("mc info");
        if info["result"]["firmware"]
            .as_str()
            .is_some_and(|version| version.starts_with("5.07"))
        {
            break;
        }
        assert!(begin.elapsed() < DEADLINE, "{info}");
        std::thread::sleep(LOOK_AGAIN);
    }
    let now = rack.result("hpm check");
    assert!(component(&now, "active").starts_with("5.07"), "{now}");
    assert!(component(&now, "backup").starts_with("2.14"), "{now}");
}

#[test]
fn bmcs_of_a_network_are_found() {
    let rack = Rack::new(5, Form::Server);
    let port = rack.server.port().to_string();
    let mut command = program();
    command.args(["ipmi", "127.16.0.0/28", "-p", &port, "discover", "--json"]);
    let run = command.output().unwrap();
    assert!(run.status.success(), "{run:?}");
    let said = String::from_utf8(run.stdout).unwrap();
    let hosts: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["ok"] == true)
        .map(|line| {
            assert_eq!(line["result"]["ipmi"], true);
            line["host"].clone()
        })
        .collect();
    assert_eq!(hosts, [1, 2, 3, 4, 5].map(|n| format!("127.16.0.{n}")));
}

#[test]
fn what_is_found_is_a_list_that_the_service_takes() {
    let rack = Rack::new(3, Form::Server);
    let port = rack.server.port().to_string();
    let folder = std::env::temp_dir().join(format!("reddrum-discover-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut command = program();
    command.args(["ipmi", "127.16.0.0/28", "-p", &port, "discover", "--csv"]);
    let run = command.output().unwrap();
    assert!(run.status.success(), "{run:?}");
    std::fs::write(folder.join("bmcs.csv"), &run.stdout).unwrap();
    let config = "[service]\n[[account]]\nusername = \"a\"\npassword_command = [\"echo\", \"p\"]\n\
                  [credentials.default]\nusername = \"root\"\npassword_command = [\"echo\", \"p\"]\n\
                  [[inventory]]\nfile = \"bmcs.csv\"\n";
    let file = folder.join("reddrum.toml");
    std::fs::write(&file, config).unwrap();
    let check = program().args(["config", "check"]).arg(&file).output();
    let check = check.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(check.status.success(), "{check:?}");
    let told = String::from_utf8(check.stdout).unwrap();
    assert!(told.contains("3 machines"), "{told}");
}

#[test]
fn a_host_that_can_not_be_asked_is_told_and_the_others_are_found() {
    let rack = Rack::new(1, Form::Server);
    let port = rack.server.port().to_string();
    let discover = |hosts: &str, rest: &[&str]| {
        let mut command = program();
        command.args([
            "ipmi",
            hosts,
            "-p",
            &port,
            "--timeout-ms",
            "200",
            "discover",
        ]);
        command.args(rest).output().unwrap()
    };
    // An empty label is no name: no server is asked for it.
    let hosts = "no..name,127.16.0.1";
    let run = discover(hosts, &["--json"]);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let lines: Vec<Value> = String::from_utf8(run.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0]["host"], "no..name");
    assert_eq!(lines[0]["error"]["kind"], "no_address");
    assert_eq!(lines[1]["result"]["ipmi"], true);

    let run = discover(hosts, &[]);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert_eq!(run.stdout, b"127.16.0.1: IPMI\n");
    let told = String::from_utf8(run.stderr).unwrap();
    assert!(told.contains("no..name: the name has no address"), "{told}");

    let run = discover("no..name", &[]);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let told = String::from_utf8(run.stderr).unwrap();
    assert_eq!(told.matches("no..name").count(), 1, "{told}");
}

#[test]
fn a_capture_is_decoded_line_by_line() {
    // libpcap's header; then one packet of raw IP: an ASF ping from 10.0.0.1:1234 to 10.0.0.2:623.
    let mut file = Vec::new();
    for word in [
        0xa1b2_c3d4_u32,
        0x0004_0002,
        0,
        0,
        65_535,
        101,
        5,
        7,
        40,
        40,
    ] {
        file.extend(word.to_le_bytes());
    }
    file.extend([
        0x45, 0, 0, 40, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
    ]);
    file.extend([0x04, 0xd2, 0x02, 0x6f, 0, 20, 0, 0]);
    file.extend([6, 0, 0xff, 6, 0, 0, 0x11, 0xbe, 0x80, 1, 0, 0]);
    let folder = Folder::new("decode");
    let path = folder.file("one.pcap", &file);
    let run = program().args(["ipmi", "decode", &path]).output().unwrap();
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success() && said.lines().count() == 1, "{said}");
    assert!(
        said.contains("ASF Presence Ping") && said.contains("10.0.0.2"),
        "{said}"
    );
    let cut = folder.file("cut.pcap", &file[..50]);
    let run = program().args(["ipmi", "decode", &cut]).output().unwrap();
    assert_eq!(run.status.code(), Some(2));
}

#[test]
fn sensors_are_listed_in_ipmitools_ways() {
    let rack = Rack::new(1, Form::Server);
    let lists = rack.result("sensor list")["sensors"]
        .as_array()
        .unwrap()
        .len();
    let list = rack.text(&["sdr", "list"]);
    assert_eq!(list.lines().count(), lists);
    let fan = list.lines().find(|line| line.starts_with("Fan1 ")).unwrap();
    let columns: Vec<&str> = fan.split('|').map(str::trim).collect();
    assert!(columns[1].ends_with(" RPM") && columns[2] == "ok", "{fan}");

    let extended = rack.text(&["sdr", "elist"]);
    let fan = extended
        .lines()
        .find(|line| line.starts_with("Fan1 "))
        .unwrap();
    let columns: Vec<&str> = fan.split('|').map(str::trim).collect();
    assert_eq!(columns[1..4], ["20h", "ok", "29.1"], "{fan}");

    let fans = rack.text(&["sdr", "type", "fan"]);
    assert!(
        fans.lines().count() >= 4 && !fans.contains("degrees"),
        "{fans}"
    );
    assert_eq!(rack.text(&["sdr", "type", "0x04"]), fans);
    assert!(rack.text(&["sdr", "type"]).contains("Temperature"));
    assert_eq!(rack.failure("sdr type Nonsense")["kind"], "no_such_type");

    let one = rack.text(&["sensor", "get", "Fan1"]);
    for expected in [
        "Sensor ID             : Fan1 (0x20)",
        "Entity ID             : 29.1",
        "Lower Critical        : 1200",
    ] {
        assert!(one.contains(expected), "{expected}: {one}");
    }
    let records = rack.result("sdr records")["records"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(rack.result("sdr info")["records"], records);
}

#[test]
fn an_inventory_is_written_only_if_it_is_sound_and_the_old_one_is_kept_on_demand() {
    let rack = Rack::new(1, Form::Server);
    let folder = Folder::new("fru");
    let (saved, dir) = (folder.file("saved", b""), folder.0.to_str().unwrap());
    rack.result(&format!("fru read 0 {saved}"));
    let before = std::fs::read(&saved).unwrap();

    let mut damaged = before.clone();
    damaged[9] ^= 0x40;
    let damaged = folder.file("damaged", &damaged);
    let run = rack.run_as(("admin", PASSWORD), &["fru", "write", "0", &damaged]);
    let told = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(2), "{told}");
    assert!(told.contains("is no sound inventory"), "{told}");
    let missing = ["fru", "write", "0", "nowhere.bin"];
    let run = rack.run_as(("admin", PASSWORD), &missing);
    assert_eq!(run.status.code(), Some(2));

    let edit = format!("fru edit 0 asset-tag T-42 --backup-dir {dir} --keep-backup");
    let edited = rack.result(&edit);
    let backup = edited["backup"].as_str().unwrap();
    assert_eq!(std::fs::read(backup).unwrap(), before);
    assert!(rack.text(&["fru", "print", "0"]).contains("T-42"));
    // The file of an earlier write is never replaced, and stands in no later one's way: not in that which puts it back.
    let again = rack.result(&edit.replace("42", "43"));
    assert_eq!(again["backup"], format!("{backup}.2"));
    assert_eq!(std::fs::read(backup).unwrap(), before);
    rack.result(&format!("fru write 0 {backup} --backup-dir {dir}"));
    assert!(!std::path::Path::new(&format!("{backup}.3")).exists());
    assert!(!rack.text(&["fru", "print", "0"]).contains("T-4"));
}

#[test]
fn what_decode_is_given_is_printed_or_told_to_be_missing() {
    let decode = |args: &[&str]| {
        let run = program().args(["ipmi", "decode"]).args(args).output();
        let run = run.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (run.status.code(), text(run.stdout), text(run.stderr))
    };
    let ping = "0600ff06000011be80010000";
    assert_eq!(
        decode(&[ping]),
        (
            Some(0),
            "ASF Presence Ping: tag 1\n".to_owned(),
            String::new()
        )
    );
    let (code, out, _) = decode(&["--json", ping]);
    let object: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &object["asf"]["tag"]), (Some(0), &Value::from(1)));
    let (code, _, told) = decode(&["nowhere.pcap"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("'nowhere.pcap' is no file"), "{told}");
}
