//! BMCs that clients name: they join the fleet that runs, and what a client was told of them is true after `kill -9`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ipmi::bmc;
use ipmi::command::app::Guid;
use ipmi::number::PrivilegeLevel;
use serde_json::{Value, json};
use vbmc::bmcs::Bmcs;
use vbmc::serve::{Clock, Server};
use vbmc::site::{Site, SiteOptions};

use super::{Folder, Http, Running, START_LIMIT, kills, reddrum};

const SOURCES: &str = "/redfish/v1/AggregationService/AggregationSources";

/// How often the service is killed; `REDDRUM_KILLS` asks for more.
const PUSHING_KILLS: u32 = 5;

/// Virtual BMCs that this process plays, at 127.16.0.1 and so on.
pub(super) fn machines(nodes: u32) -> Server {
    let clock = Clock::start();
    let options = SiteOptions {
        nodes,
        seed: 1,
        epoch_s: clock.epoch_s(),
    };
    let admin = bmc::User::new("admin", b"secret", PrivilegeLevel::ADMINISTRATOR).unwrap();
    let access = bmc::Config::new(vec![admin], Guid::default());
    let bmcs = Bmcs::new(Arc::new(Site::new(options).unwrap()), &access);
    Server::start(Arc::new(bmcs), clock, 0).unwrap()
}

pub(super) fn configuration(folder: &Folder, rest: &str) {
    let password = folder.path("password");
    fs::write(&password, "correct horse\n").unwrap();
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
    let text = format!(
        "[service]\nlisten = \"127.0.0.1:0\"\nstate_dir = \"state\"\nlisten_proxy = \"unix:http.sock\"\n\
         [[account]]\nusername = \"root\"\nrole = \"Administrator\"\npassword_file = \"password\"\n\
         [fleet]\npoll_interval_ms = 200\n[aggregation]\nallow_destinations = [\"127.0.0.0/8\"]\n{rest}"
    );
    fs::write(folder.path("reddrum.toml"), text).unwrap();
}

fn source(host: &str, password: &str) -> Value {
    json!({"HostName": host, "UserName": "admin", "Password": password})
}

pub(super) fn get(folder: &Folder, path: &str) -> Value {
    let mut http = Http::connect(&folder.socket()).unwrap();
    http.get(path).unwrap().body
}

/// Names of the members of a collection.
pub(super) fn members(folder: &Folder, path: &str) -> BTreeSet<String> {
    let collection = get(folder, path);
    let members = collection["Members"].as_array().unwrap().iter();
    let name = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    members
        .map(|member| name(member["@odata.id"].as_str().unwrap()))
        .collect()
}

/// Waits for what is only a matter of time.
#[track_caller]
pub(super) fn eventually(folder: &Folder, what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        let log = || fs::read_to_string(folder.path("log")).unwrap();
        assert!(begun.elapsed() < START_LIMIT, "no {what}\n{}", log());
        thread::sleep(Duration::from_millis(50));
    }
}

/// Whether a machine is on, and has a sensor with a reading.
fn is_read(folder: &Folder, id: &str) -> bool {
    let sensors = get(
        folder,
        &format!("/redfish/v1/Chassis/{id}/Sensors?$expand=."),
    );
    let sensors = sensors["Members"].as_array();
    sensors.is_some_and(|all| all.iter().any(|sensor| sensor["Reading"].is_number()))
}

#[track_caller]
fn assert_refused(http: &mut Http, body: &Value, status: u16, key: &str, property: &str) {
    let refused = http.send("POST", SOURCES, Some(body)).unwrap();
    assert_eq!(refused.status, status, "{}", refused.body);
    let message = &refused.body["error"]["@Message.ExtendedInfo"][0];
    let id = message["MessageId"].as_str().unwrap();
    assert!(id.ends_with(key), "{message}");
    assert_eq!(message["RelatedProperties"], json!([property]), "{message}");
}

/// Without a login, where there is none for all; and without a host.
#[track_caller]
fn refuses_what_is_no_bmc(http: &mut Http, host: &str) {
    let bare = json!({ "HostName": host });
    let refused = http.send("POST", SOURCES, Some(&bare)).unwrap();
    assert_eq!(refused.status, 400, "{}", refused.body);
    let messages = &refused.body["error"]["@Message.ExtendedInfo"];
    for (index, property) in ["#/UserName", "#/Password"].into_iter().enumerate() {
        let message = &messages[index];
        let id = message["MessageId"].as_str().unwrap();
        assert!(
            id.ends_with(".CreateFailedMissingReqProperties"),
            "{message}"
        );
        assert_eq!(message["RelatedProperties"], json!([property]));
    }
    let nowhere = source("no host", "secret");
    let key = ".PropertyValueFormatError";
    assert_refused(http, &nowhere, 400, key, "#/HostName");
}

/// The same BMC again, and another one by the name of `n1`.
#[track_caller]
fn refuses_what_is_there(http: &mut Http, host: &str) {
    let mut twice = source(host, "secret");
    let key = ".ResourceAlreadyExists";
    assert_refused(http, &twice, 409, key, "#/HostName");
    twice["Id"] = json!("n1");
    twice["HostName"] = json!("127.16.0.2");
    assert_refused(http, &twice, 409, key, "#/Id");
}

#[test]
fn a_pushed_bmc_is_polled_changes_its_password_outlives_a_kill_and_goes_when_it_is_deleted() {
    let machines = machines(2);
    let port = machines.port();
    let folder = Folder::new();
    configuration(&folder, "");
    let mut talkative = reddrum(&folder);
    talkative.args(["--log", "trace"]);
    let (running, _) = Running::start(talkative, &folder.socket());
    let mut http = Http::connect(&folder.socket()).unwrap();

    let host = format!("127.16.0.1:{port}");
    refuses_what_is_no_bmc(&mut http, &host);
    assert!(members(&folder, "/redfish/v1/Systems").is_empty());

    let mut body = source(&host, "wrong-secret");
    body["Id"] = json!("n1");
    body["Name"] = json!("The first");
    let added = http.send("POST", SOURCES, Some(&body)).unwrap();
    assert_eq!(added.status, 201, "{}", added.body);
    let path = format!("{SOURCES}/n1");
    assert_eq!(added.location.as_deref(), Some(&*path));
    refuses_what_is_there(&mut http, &host);
    let state = || get(&folder, &path)["Status"]["State"].clone();
    eventually(&folder, "refused login", || state() == "UnavailableOffline");

    let right = json!({"Password": "secret"});
    let changed = http.send("PATCH", &path, Some(&right)).unwrap();
    assert_eq!(changed.status, 200, "{}", changed.body);
    eventually(&folder, "readings", || is_read(&folder, "n1"));
    let shown = get(&folder, &path);
    assert_eq!(shown["Status"]["State"], "Enabled");
    assert_eq!(shown["Name"], "The first");
    assert_eq!(shown["Password"], Value::Null);
    let accessed = shown["Links"]["ResourcesAccessed"].as_array().unwrap();
    assert_eq!(accessed.len(), 3);
    for link in accessed {
        let link = link["@odata.id"].as_str().unwrap();
        assert_eq!(http.get(link).unwrap().status, 200, "{link}");
    }

    running.kill();
    let log = fs::read_to_string(folder.path("log")).unwrap();
    assert!(log.contains("audit") && !log.contains("secret"), "{log}");
    let state_file = fs::metadata(folder.path("state/state.redb")).unwrap();
    assert_eq!(state_file.permissions().mode() & 0o777, 0o600);
    let (running, _) = Running::start(reddrum(&folder), &folder.socket());
    eventually(&folder, "readings after the kill", || {
        is_read(&folder, "n1")
    });

    // It moves to where the second one is.
    let mut http = Http::connect(&folder.socket()).unwrap();
    let elsewhere = json!({"HostName": format!("127.16.0.2:{port}"), "Password": "secret"});
    let moved = http.send("PATCH", &path, Some(&elsewhere)).unwrap();
    assert_eq!(moved.status, 200, "{}", moved.body);
    let address = || get(&folder, "/redfish/v1/Managers/n1/EthernetInterfaces/LAN").to_string();
    eventually(&folder, "the other BMC", || {
        address().contains("127.16.0.2")
    });

    let gone = http.send("DELETE", &path, None).unwrap();
    assert_eq!(gone.status, 204, "{}", gone.body);
    assert!(members(&folder, "/redfish/v1/Systems").is_empty());
    running.kill();
    let (running, _) = Running::start(reddrum(&folder), &folder.socket());
    assert!(members(&folder, "/redfish/v1/Systems").is_empty());
    assert!(members(&folder, SOURCES).is_empty());
    running.kill();
}

#[test]
fn what_the_operator_names_comes_first_and_a_pushed_bmc_stands_aside_while_it_does() {
    let machines = machines(3);
    let port = machines.port();
    let folder = Folder::new();
    let list = |lines: &str| {
        let text = format!("hosts,names,port\n{lines}");
        let new = folder.path("new");
        fs::write(&new, text).unwrap();
        fs::rename(&new, folder.path("bmcs.csv")).unwrap();
    };
    list(&format!("127.16.0.1,n1,{port}\n"));
    let rest = "default_login = true\n[credentials.default]\nusername = \"admin\"\npassword_command = [\"echo\", \"secret\"]\n\
                cipher_suites = [3]\n[[inventory]]\nfile = \"bmcs.csv\"\n";
    configuration(&folder, rest);
    let (running, _) = Running::start(reddrum(&folder), &folder.socket());
    let mut http = Http::connect(&folder.socket()).unwrap();
    let same = json!({"HostName": format!("127.16.0.1:{port}")});
    assert_refused(
        &mut http,
        &same,
        409,
        ".ResourceAlreadyExists",
        "#/HostName",
    );
    let of_list = format!("{SOURCES}/n1");
    let named = "Named by the list bmcs.csv; change it there.";
    assert_eq!(get(&folder, &of_list)["Description"], named);
    assert_eq!(http.send("DELETE", &of_list, None).unwrap().status, 405);

    // It has the login of all others.
    let body = json!({"Id": "n2", "HostName": format!("127.16.0.2:{port}")});
    let added = http.send("POST", SOURCES, Some(&body)).unwrap();
    assert_eq!(added.status, 201, "{}", added.body);
    eventually(&folder, "readings of both", || {
        is_read(&folder, "n1") && is_read(&folder, "n2")
    });

    // The operator names the same BMC, as another machine: his word holds, now and after a restart.
    list(&format!("127.16.0.[1-2],\"n[1,3]\",{port}\n"));
    let both = BTreeSet::from(["n1".to_owned(), "n3".to_owned()]);
    let systems = || members(&folder, "/redfish/v1/Systems");
    eventually(&folder, "the machine of the list", || systems() == both);
    let path = format!("{SOURCES}/n2");
    let status = || get(&folder, &path)["Status"].clone();
    assert_eq!(status()["State"], "Disabled");
    assert!(
        status().to_string().contains("n3 has the same BMC"),
        "{}",
        status()
    );
    running.kill();
    let (running, _) = Running::start(reddrum(&folder), &folder.socket());
    assert_eq!(systems(), both);
    assert_eq!(status()["State"], "Disabled");

    // He takes it back, and the client's is polled again.
    list(&format!("127.16.0.1,n1,{port}\n"));
    let both = BTreeSet::from(["n1".to_owned(), "n2".to_owned()]);
    eventually(&folder, "the client's machine", || systems() == both);
    eventually(&folder, "its readings", || is_read(&folder, "n2"));
    running.kill();
}

/// Names BMCs one after the other, and takes some back, until the service is gone.
fn push_until_death(
    socket: &Path,
    told: &mut BTreeSet<String>,
    asked: &mut Option<String>,
    life: u32,
) -> io::Result<()> {
    let mut http = Http::connect(socket)?;
    for turn in 0_u32.. {
        if turn % 4 == 2 {
            // Another password takes nobody away, whenever the service dies.
            let Some(id) = told.first() else { continue };
            let login = json!({"Password": format!("secret{turn}")});
            let changed = http.send("PATCH", &format!("{SOURCES}/{id}"), Some(&login))?;
            assert_eq!(changed.status, 200, "{}", changed.body);
        } else if turn % 4 == 3 {
            let Some(id) = told.first().cloned() else {
                continue;
            };
            *asked = Some(id.clone());
            let gone = http.send("DELETE", &format!("{SOURCES}/{id}"), None)?;
            assert_eq!(gone.status, 204, "{}", gone.body);
            told.remove(&id);
        } else {
            let id = format!("n{life}-{turn}");
            *asked = Some(id.clone());
            // Nobody is there: what counts is what is kept.
            let port = 10_000 + turn;
            let mut body = source(&format!("127.17.{life}.1:{port}"), "secret");
            body["Id"] = json!(id);
            let added = http.send("POST", SOURCES, Some(&body))?;
            assert_eq!(added.status, 201, "{}", added.body);
            told.insert(id);
        }
        *asked = None;
    }
    Ok(())
}

/// Whether all that was told is there, and no more: but for the change that was on its way, which is made or not.
#[track_caller]
fn assert_is_kept(folder: &Folder, told: &mut BTreeSet<String>, asked: Option<String>) {
    let found = members(folder, SOURCES);
    if let Some(id) = asked {
        match found.contains(&id) {
            true => told.insert(id),
            false => told.remove(&id),
        };
    }
    assert_eq!(found, *told);
    assert_eq!(members(folder, "/redfish/v1/Systems"), *told);
}

#[test]
fn no_bmc_that_was_acknowledged_is_lost_and_none_comes_back_when_the_service_is_killed() {
    let folder = Folder::new();
    configuration(&folder, "");
    let (mut told, mut asked) = (BTreeSet::new(), None::<String>);
    let mut pushed = 0;
    for life in 0..=kills(PUSHING_KILLS) {
        let (running, _) = Running::start(reddrum(&folder), &folder.socket());
        assert_is_kept(&folder, &mut told, asked.take());
        let lives = Duration::from_millis(u64::from(60 + 37 * (life % 7)));
        let socket = folder.socket();
        thread::scope(|scope| {
            scope.spawn(move || {
                thread::sleep(lives);
                running.kill();
            });
            let ended = push_until_death(&socket, &mut told, &mut asked, life);
            assert!(ended.is_err(), "it ends with the connection");
        });
        pushed += told.len();
    }
    let (running, _) = Running::start(reddrum(&folder), &folder.socket());
    assert_is_kept(&folder, &mut told, asked.take());
    running.kill();
    assert!(pushed > 0, "at least one was acknowledged");
}
