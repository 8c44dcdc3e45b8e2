//! BMCs of a network are found.

use serde_json::Value;

use crate::support::{Folder, Rack, program, run};

#[test]
fn bmcs_of_a_network_are_found() {
    let rack = Rack::new(5);
    let port = rack.server.port().to_string();
    let mut command = program();
    command.args(["ipmi", "127.16.0.0/28", "-p", &port, "discover", "--json"]);
    let run = run(&mut command);
    assert!(run.is_ok(), "{run:?}");
    let said = run.stdout;
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
    let rack = Rack::new(3);
    let port = rack.server.port().to_string();
    let folder = Folder::new("discover");
    let mut command = program();
    command.args(["ipmi", "127.16.0.0/28", "-p", &port, "discover", "--csv"]);
    let run = run(&mut command);
    assert!(run.is_ok(), "{run:?}");
    folder.file("bmcs.csv", run.stdout.as_bytes());
    let config = "[service]\n[[account]]\nusername = \"a\"\npassword_command = [\"echo\", \"p\"]\n\
                  [credentials.default]\nusername = \"root\"\npassword_command = [\"echo\", \"p\"]\n\
                  [[inventory]]\nfile = \"bmcs.csv\"\n";
    let file = folder.file("reddrum.toml", config.as_bytes());
    let check = crate::support::run(program().args(["config", "check", &file]));
    assert!(check.is_ok(), "{check:?}");
    let told = check.stdout;
    assert!(told.contains("3 machines"), "{told}");
}

#[test]
fn a_host_that_can_not_be_asked_is_told_and_the_others_are_found() {
    let rack = Rack::new(1);
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
        run(command.args(rest))
    };
    // An empty label is no name: no server is asked for it.
    let hosts = "no..name,127.16.0.1";
    let run = discover(hosts, &["--json"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let lines: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0]["host"], "no..name");
    assert_eq!(lines[0]["error"]["kind"], "no_address");
    assert_eq!(lines[1]["result"]["ipmi"], true);

    let run = discover(hosts, &[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(run.stdout, "127.16.0.1: IPMI\n");
    let told = run.stderr;
    assert!(told.contains("no..name: the name has no address"), "{told}");

    let run = discover("no..name", &[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let told = run.stderr;
    assert_eq!(told.matches("no..name").count(), 1, "{told}");
}
