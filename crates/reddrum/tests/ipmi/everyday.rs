//! Everyday's commands on one and on many machines.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use ipmi::number::{BootDevice, ChassisControlAction, CipherSuiteId, IdentifyState, Threshold};
use ipmi::record::sel::{SelRecord, SensorContext};
use serde_json::Value;
use vbmc::fault::Faults;
use vbmc::sensor::Kind;

use crate::support::{Folder, PASSWORD, Rack, program, run, start, told};

#[test]
fn one_of_several_machines_is_switched_off_and_the_others_stay_on() {
    let rack = Rack::new(3);
    let run = rack.run("127.16.0.2", "power off");
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (Some(0), "Chassis Power Control: Down/Off\n")
    );
    assert_eq!(
        [0, 1, 2].map(|index| rack.is_on(index)),
        [true, false, true]
    );
    let run = rack.run("127.16.0.[3,1-2]", "power status");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(
        run.stdout,
        "127.16.0.3: Chassis Power is on\n127.16.0.1: Chassis Power is on\n127.16.0.2: Chassis Power is off\n"
    );
    assert_eq!(
        rack.lines("chassis power soft"),
        ["Chassis Power Control: Soft"]
    );
    assert_eq!(rack.server.bmcs().session_count(), 0);
}

#[test]
fn a_restore_policy_is_kept_and_a_chassis_tells_its_past() {
    let rack = Rack::new(1);
    assert_eq!(
        rack.lines("chassis policy list"),
        ["Supported power restore policies: always-off, previous, always-on"]
    );
    for policy in ["always-on", "previous", "always-off"] {
        let said = rack.lines(&format!("chassis policy {policy}"));
        assert_eq!(said, [format!("Power restore policy: {policy}")]);
        let status = rack.result("chassis status");
        assert_eq!(status["power_restore_policy"], policy);
    }
    rack.lines("power reset");
    let cause = rack.result("chassis restart_cause");
    assert_eq!(cause["restart_cause"], "chassis control command");
    assert!(rack.result("chassis poh")["power_on_minutes"].is_u64());
    assert_eq!(rack.lines("chassis selftest"), rack.lines("mc selftest"));
}

#[test]
fn a_wrong_password_is_told_with_its_host_and_remedy() {
    let rack = Rack::new(1);
    let run = run(rack
        .command("127.16.0.1", "power off")
        .env("IPMI_PASSWORD", "wrong"));
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert_eq!(
        run.stderr,
        "reddrum: 127.16.0.1: the password of user 'admin' is wrong; \
         check --password-file or the environment variable\n"
    );
    assert!(rack.is_on(0));
}

#[test]
fn no_two_hosts_are_given_the_same_address() {
    let rack = Rack::new(2);
    let said = rack.run("127.16.0.[1-2]", "lan set ipaddr 10.9.9.9");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("2 hosts are named"), "{}", said.stderr);
}

#[test]
fn thresholds_of_a_sensor_without_a_reading_are_told_too() {
    let rack = Rack::new(1);
    let told = || rack.result(&["sensor", "CPU1 Temp"])["sensors"][0].take();
    let running = told();
    rack.lines("power off");
    let off = told();
    assert!(running["value"].is_number() && off["value"].is_null());
    assert_eq!(off["thresholds"], running["thresholds"]);
    assert!(!off["thresholds"].as_object().unwrap().is_empty(), "{off}");
}

#[test]
fn log_in_failures_name_cause_and_remedy() {
    let rack = Rack::with(1, |access| access.suites = vec![CipherSuiteId::SUITE_3]);
    let failure = |args: &str| rack.json("127.16.0.1", args)[0]["error"].clone();
    let unknown = failure("-U nobody power status");
    assert_eq!(unknown["kind"], "unknown_user");
    assert!(unknown["cause"].as_str().unwrap().contains("'nobody'"));
    let no_suite = failure("--suite 17 power status");
    assert_eq!(no_suite["kind"], "no_common_suite");
    assert_eq!(
        no_suite["cause"],
        "no common cipher suite: the BMC offers 3; proposed 17"
    );
    assert_eq!(no_suite["remedy"], "propose it: --suite 3");
    let privilege = failure("-U viewer power off");
    assert_eq!(privilege["kind"], "privilege_refused");
    assert_eq!(
        privilege["cause"],
        "user 'viewer' may not work as OPERATOR, or nobody may over this channel"
    );
    assert!(rack.is_on(0));
    // Looking takes no more than USER.
    assert_eq!(
        rack.lines("-U viewer power status"),
        ["Chassis Power is on"]
    );
}

#[test]
fn a_refused_request_names_its_completion_code() {
    let rack = Rack::new(1);
    let refused = &rack.json("127.16.0.1", "--privilege user -U admin raw 0 2 0")[0]["error"];
    assert_eq!(refused["kind"], "refused");
    assert_eq!(refused["completion_code"], 0xd4);
    assert_eq!(refused["request"], "Chassis Control");
    assert_eq!(
        refused["cause"],
        "Chassis Control: the BMC says D4h, Insufficient privilege level"
    );
    assert!(refused["remedy"].as_str().unwrap().contains("--privilege"));
    assert!(rack.is_on(0));
}

#[test]
fn a_host_that_does_not_answer_does_not_hold_up_the_others() {
    let rack = Rack::new(3);
    // No machine has the second address: nobody answers there.
    let hosts = "127.16.0.1,127.16.9.9,127.16.0.[2-3]";
    let run = rack.run(hosts, "--timeout-ms 20 --attempts 2 power off");
    assert_eq!(run.code, Some(1));
    let off = |n| format!("127.16.0.{n}: Chassis Power Control: Down/Off\n");
    assert_eq!(run.stdout, [off(1), off(2), off(3)].concat());
    assert_eq!(
        run.stderr,
        "127.16.9.9: no answer; check address, port and network; raise --attempts or --timeout-ms \
         if packets get lost\nreddrum: 1 of 4 hosts failed\n"
    );
    assert_eq!([0, 1, 2].map(|index| rack.is_on(index)), [false; 3]);
}

#[test]
fn json_is_an_object_a_line_in_the_order_of_the_hosts() {
    let rack = Rack::new(40);
    rack.machine(6)
        .control(ChassisControlAction::POWER_DOWN)
        .unwrap();
    let said = rack.json(
        "127.16.9.9,127.16.0.[1-40]",
        "--timeout-ms 50 --fanout 8 power status",
    );
    assert_eq!(said.len(), 41);
    assert_eq!(
        (&said[0]["ok"], &said[0]["error"]["kind"]),
        (&false.into(), &"no_answer".into())
    );
    for (n, host) in (1..).zip(&said[1..]) {
        assert_eq!(host["host"], format!("127.16.0.{n}"));
        assert_eq!(host["ok"], true, "{host}");
        assert_eq!(
            host["result"]["power"],
            if n == 7 { "off" } else { "on" },
            "{host}"
        );
    }
}

#[test]
fn the_same_bmc_under_two_names_is_asked_once() {
    let rack = Rack::new(1);
    let twice = format!("127.16.0.1,127.16.0.1:{}", rack.server.port());
    let said = rack.json(&twice, "power cycle");
    assert_eq!(
        (&said[0]["ok"], &said[1]["ok"]),
        (&true.into(), &false.into())
    );
    assert_eq!(said[1]["error"]["kind"], "same_address");
}

/// Equal but for the last bits, which JSON does not carry.
fn is_close(said: &Value, expected: f64) -> bool {
    said.as_f64()
        .is_some_and(|said| (said - expected).abs() <= 1e-9 * expected.abs().max(1.0))
}

#[test]
fn sensors_read_what_the_machine_says() {
    let rack = Rack::new(1);
    // What is stuck does not move between our look and the program's.
    let profile = Arc::clone(rack.machine(0).profile());
    for (index, spec) in (0..).zip(&profile.sensors) {
        if matches!(spec.kind, Kind::Analog(_)) {
            let raw = rack.machine(0).samples()[usize::from(index)].raw;
            rack.machine(0).stick(index, Some(raw));
        }
    }
    let result = rack.result("sensor");
    let said = result["sensors"].as_array().unwrap();
    let samples = rack.machine(0).samples().to_vec();
    let mut numbers = 0;
    for (spec, sample) in profile.sensors.iter().zip(&samples) {
        let found = said.iter().find(|sensor| sensor["name"] == spec.name);
        if matches!(spec.kind, Kind::EventOnly(_)) {
            assert_eq!(found, None);
            continue;
        }
        // Sensors that share a record are named after it.
        let Some(found) = found else {
            assert!(spec.sharing != 1, "{} is missing", spec.name);
            continue;
        };
        let Kind::Analog(analog) = &spec.kind else {
            assert_eq!(found["states"], sample.states, "{found}");
            continue;
        };
        numbers += 1;
        assert!(
            is_close(&found["value"], analog.scale.value(sample.raw)),
            "{found}"
        );
        assert_eq!(found["unit"], analog.unit.to_string());
        assert_eq!(found["status"], "ok", "{found}");
        let upper = analog.limits[Threshold::UpperCritical.index()];
        let said = &found["thresholds"]["upper_critical"];
        match upper {
            Some(limit) => assert!(is_close(said, analog.scale.value(limit.raw)), "{found}"),
            None => assert_eq!(*said, Value::Null, "{found}"),
        }
    }
    assert!(numbers > 10, "{numbers}");
}

#[test]
fn sensors_are_the_same_by_remembered_records_with_fewer_requests() {
    let rack = Rack::new(2);
    let folder = Folder::new("remembered");
    let cache = folder.path("sdr");
    let args = format!("--sdr-cache {cache} sensor");
    let mut cost = Vec::new();
    for _ in 0..2 {
        let before = rack.server.bmcs().counters().commands;
        let run = rack.run("127.16.0.[1-2]", &args);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let names: Vec<_> = run.stdout.lines().map(|l| l[..30].to_owned()).collect();
        cost.push((rack.server.bmcs().counters().commands - before, names));
    }
    let files = std::fs::read_dir(cache).unwrap().count();
    let [(first, names), (second, again)] = &cost[..] else {
        panic!("two runs")
    };
    assert_eq!((names, files), (again, 2));
    let records = rack.machine(0).profile().sensors.len() as u64;
    assert!(second + 2 * records <= *first, "{second} after {first}");
}

#[test]
fn sensors_are_chosen_by_name_and_tell_a_crossed_threshold() {
    let rack = Rack::new(1);
    let profile = Arc::clone(rack.machine(0).profile());
    let upper = Threshold::UpperCritical;
    let hot = profile.sensors.iter().position(|spec| {
        spec.analog()
            .is_some_and(|analog| analog.limits[upper.index()].is_some())
    });
    let hot = hot.unwrap();
    let spec = &profile.sensors[hot];
    let raw = spec.analog().unwrap().limits[upper.index()].unwrap().raw;
    rack.machine(0).stick(u8::try_from(hot).unwrap(), Some(raw));
    let mut command = rack.command("127.16.0.1", "--json sensor");
    let said: Value = serde_json::from_str(&run(command.arg(spec.name)).stdout).unwrap();
    let sensors = said["result"]["sensors"].as_array().unwrap();
    assert_eq!(
        (sensors.len(), &sensors[0]["status"]),
        (1, &"cr".into()),
        "{said}"
    );
    let none = rack.run("127.16.0.1", "sensor Nothing*");
    assert_eq!(none.code, Some(1));
    assert!(
        none.stderr.contains("there is no sensor 'Nothing*'"),
        "{}",
        none.stderr
    );
}

#[test]
fn the_event_log_is_read_cleared_and_stamped_by_a_clock() {
    let rack = Rack::new(1);
    rack.machine(0)
        .control(ChassisControlAction::POWER_DOWN)
        .unwrap();
    let entries: Vec<_> = rack.machine(0).log().entries().to_vec();
    assert!(!entries.is_empty());
    let lines = rack.lines("sel list");
    assert_eq!(lines.len(), entries.len());
    for (line, entry) in lines.iter().zip(&entries) {
        let record = SelRecord::decode(entry);
        let text = record.describe(SensorContext::default()).to_string();
        assert!(line.ends_with(&text), "{line}\n{text}");
    }
    // The extended list names the sensors, which the plain one numbers.
    let named = rack.lines("sel elist");
    assert_eq!(named.len(), lines.len());
    assert!(lines.iter().any(|l| l.contains(" #0x")) && !named.iter().any(|l| l.contains(" #0x")));
    assert_eq!(rack.result("sel info")["entries"], entries.len());
    assert_eq!(rack.lines("sel clear"), ["SEL cleared"]);
    let left = rack.machine(0).log().entries().len();
    assert!(left < entries.len(), "{left}");

    let mut command = rack.command("127.16.0.1", "sel time set");
    let set = run(command.arg("2030-01-02 03:04:05"));
    assert!(
        set.stdout.starts_with("2030-01-02 03:04:0"),
        "{} {}",
        set.stdout,
        set.stderr
    );
    assert!(rack.lines("sel time")[0].starts_with("2030-01-02 03:04:"));
}

#[test]
fn boot_device_and_identify_light_are_set_and_told() {
    let rack = Rack::new(1);
    assert_eq!(rack.lines("boot"), ["Boot device: no override"]);
    assert_eq!(
        rack.lines("boot pxe --uefi"),
        ["Boot device: PXE (next start, UEFI)"]
    );
    let flags = rack.machine(0).host().boot().flags;
    assert_eq!(
        (
            flags.valid,
            flags.boot_type == ipmi::number::BootType::EFI,
            flags.persistence == ipmi::number::BootPersistence::ALL_BOOTS,
        ),
        (true, true, false)
    );
    assert_eq!(flags.device, BootDevice::PXE);
    assert_eq!(
        rack.lines("chassis bootdev bios --persistent"),
        ["Boot device: BIOS setup (every start, legacy)"]
    );
    assert_eq!(rack.lines("boot none"), ["Boot device: no override"]);

    assert_eq!(
        rack.lines("identify on"),
        ["Chassis identify interval: indefinite"]
    );
    assert_eq!(rack.machine(0).identify_state(), IdentifyState::INDEFINITE);
    assert_eq!(rack.result("chassis status")["identify"], "indefinite");
    assert_eq!(
        rack.lines("identify off"),
        ["Chassis identify interval: off"]
    );
    assert_eq!(rack.machine(0).identify_state(), IdentifyState::OFF);
}

#[test]
fn the_bmc_tells_what_it_is() {
    let rack = Rack::new(1);
    let info = rack.result("mc info");
    let guid = rack.server.bmcs().site().guid(0).to_string();
    assert_eq!(info["system_guid"], guid);
    assert_eq!(rack.lines("mc guid"), [format!("System GUID : {guid}")]);
    assert_eq!(info["ipmi_version"], "2.0");
    // Get Device ID by its numbers: manufacturer in bytes 7 to 9.
    let raw = rack.result("raw 0x06 0x01");
    let bytes: Vec<u32> = serde_json::from_value(raw["data"].clone()).unwrap();
    assert_eq!(
        info["manufacturer_id"],
        bytes[6] | bytes[7] << 8 | bytes[8] << 16
    );
    assert!(rack.lines("raw 6 1")[0].starts_with(" 20 01 "));

    let lan = rack.result("lan print");
    assert_eq!(lan["ip_address"], "127.16.0.1");

    let suites = lan["cipher_suites"].as_array().unwrap();
    let best = suites.iter().find(|entry| entry["suite"] == 17);
    assert_eq!(best.unwrap()["privilege"], "ADMINISTRATOR");

    let inventory = rack.result("fru");
    let field = |device: usize, name: &str| {
        let fields = inventory["devices"][device]["fields"].as_array().unwrap();
        fields.iter().find(|field| field["name"] == name).unwrap()["value"].clone()
    };
    let nameplates = vbmc::fru::Nameplates::of(&rack.machine(0));
    let serial = nameplates.product.serial_number.unwrap();
    assert_eq!(field(0, "Product Serial Number"), *serial);
    let supply = nameplates.parts[0].asset.serial_number.clone().unwrap();
    assert_eq!(field(1, "Product Serial Number"), *supply);
    let modules = &nameplates.parts[4..];
    assert_eq!(modules.len(), 4);
    assert_eq!(field(5, "Memory Size"), "16384 MiB");
    assert_eq!(
        field(5, "Serial Number"),
        *modules[0].asset.serial_number.clone().unwrap()
    );
    let one = rack.lines("fru 1");
    assert!(one.iter().any(|line| line.ends_with(&*supply)), "{one:#?}");
    assert_eq!(rack.run("127.16.0.1", "fru 77").code, Some(1));
}

#[test]
fn lost_packets_cost_time_and_nothing_else() {
    let rack = Rack::new(8);
    for index in 0..8 {
        let faults = Faults {
            seed: index.into(),
            drop_request_permille: 100,
            drop_reply_permille: 100,
            duplicate_permille: 50,
            ..Faults::default()
        };
        rack.server.bmcs().set_faults(index, Some(faults));
    }
    let said = rack.json("127.16.0.[1-8]", "--timeout-ms 30 --attempts 10 mc info");
    assert_eq!(said.len(), 8);
    assert!(said.iter().all(|host| host["ok"] == true), "{said:#?}");
}

#[test]
fn an_interruption_closes_sessions_and_tells_which_hosts_were_not_asked() {
    let rack = Rack::new(2);
    let deaf = Faults {
        drop_request_permille: 1_000,
        ..Faults::default()
    };
    rack.server.bmcs().set_faults(0, Some(deaf));
    let args = "--timeout-ms 60000 --fanout 1 power off";
    let mut child = start(&mut rack.command("127.16.0.[1-2]", args));
    // The signal handler is in place before the first datagram leaves.
    while rack.server.bmcs().bmc_counters(0).unwrap().datagrams == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(1));
    }
    let killed = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    let run = told(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let text = "interrupted before the BMC was asked for it; run the command again";
    for host in ["127.16.0.1", "127.16.0.2"] {
        assert!(
            run.stderr.contains(&format!("{host}: {text}\n")),
            "{}",
            run.stderr
        );
    }
    assert!(rack.is_on(0) && rack.is_on(1));
}

#[test]
fn the_password_comes_from_a_file_that_only_its_owner_can_read() {
    let rack = Rack::new(1);
    let folder = Folder::new("password");
    let password = folder.file("password", format!("{PASSWORD}\n").as_bytes());
    let hosts = format!("# all\n127.16.0.1:{}\n", rack.server.port());
    let hosts = folder.file("hosts", hosts.as_bytes());
    let status = |mode: u32| {
        std::fs::set_permissions(&password, PermissionsExt::from_mode(mode)).unwrap();
        let mut command = program();
        command.args([
            "ipmi",
            "--username",
            "admin",
            "power",
            "status",
            "--hosts-file",
        ]);
        run(command.arg(&hosts).arg("--password-file").arg(&password))
    };
    let good = status(0o600);
    assert_eq!(
        (good.code, good.stdout.as_str()),
        (Some(0), "Chassis Power is on\n")
    );
    let bad = status(0o644);
    assert_eq!(bad.code, Some(2));
    assert!(bad.stderr.contains("others can read it") && bad.stderr.contains("chmod 600"));
}

#[test]
fn a_command_line_that_cannot_be_used_exits_with_2_and_says_why() {
    for (args, expected) in [
        ("ipmi 127.0.0.1 power status", "which user?"),
        ("ipmi 127.0.0.1 -U admin power status", "IPMITOOL_PASSWORD"),
        ("ipmi -U admin power status", "which BMCs?"),
        ("ipmi node[1- -U admin power status", "without ']'"),
        (
            "ipmi 127.0.0.1 -U admin power explode",
            "invalid value 'explode'",
        ),
        (
            "ipmi 127.0.0.1 -U admin -P secret power off",
            "--password-file FILE",
        ),
        ("ipmi decode 0600", "1 text is no datagram"),
    ] {
        let run = run(program().args(args.split_whitespace()));
        assert_eq!(run.code, Some(2), "{args}");
        assert!(run.stderr.contains(expected), "{args}: {}", run.stderr);
    }
}
