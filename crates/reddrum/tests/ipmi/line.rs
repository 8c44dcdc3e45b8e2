//! What hands do wrong on the command line is told, for people and for scripts.

use serde_json::Value;

use crate::support::{Node, program, run};

#[test]
fn a_password_or_host_given_as_ipmitool_has_it_is_told_where_it_belongs() {
    let node = Node::new();
    let refused = node.run("user set password 4 hunter2 20");
    let told = refused.stderr;
    assert_eq!(refused.code, Some(2));
    assert!(told.contains("--new-password-file"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");

    let words = "-I lanplus -H 10.0.0.5 -U admin -P hunter2 sel list";
    for (args, is_json) in [(words.to_owned(), false), (format!("{words} --json"), true)] {
        let run = run(program().arg("ipmi").args(args.split(' ')));
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
        let mut told = run.stderr;
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
        let plain = run(&mut command);
        let for_script = run(command.arg("--json"));
        assert_eq!((for_script.code, plain.code), (Some(2), Some(2)), "{args}");
        let told = for_script.stderr;
        let said: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told.lines().count(), 1);
        let error = &said["error"];
        assert_eq!(
            (&said["ok"], &error["kind"]),
            (&false.into(), &"usage".into())
        );
        assert!(error["cause"].as_str().unwrap().contains(cause), "{told}");
        assert!(error["remedy"].is_string());
        assert!(plain.stderr.contains(cause), "{args}");
    }
    let help = run(program().args(["ipmi", "--json", "--help"]));
    assert!(help.is_ok() && help.stdout.contains("Usage: "));
}
