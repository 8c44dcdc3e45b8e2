//! What a client was told is still true after `kill -9`, and a full disk refuses changes and breaks nothing.
//!
//! The service runs as an operator starts it, with its state in a folder. The tests speak HTTP/1.1 over the Unix socket
//! that is meant for a web server, so that nothing stands between them and the service.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

#[path = "crash/polling.rs"]
mod polling;
#[path = "crash/pushed.rs"]
mod pushed;
#[path = "crash/scanned.rs"]
mod scanned;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// How often the service is killed; `REDDRUM_KILLS` asks for more.
const KILLS: u32 = 12;
/// The longest that the service writes before it is killed, in milliseconds.
const LONGEST_LIFE_MS: u64 = 120;
/// How long to wait for a service that never comes.
const START_LIMIT: Duration = Duration::from_secs(60);
/// `root:correct horse`.
const CREDENTIALS: &str = "Basic cm9vdDpjb3JyZWN0IGhvcnNl";
const SESSION_SERVICE: &str = "/redfish/v1/SessionService";
const SUBSCRIPTIONS: &str = "/redfish/v1/EventService/Subscriptions";

/// A folder with a configuration; it goes with the test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn socket(&self) -> PathBuf {
        self.path("http.sock")
    }

    fn configuration(&self) -> PathBuf {
        let password = self.path("password");
        fs::write(&password, "correct horse\n").unwrap();
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
        let path = self.path("reddrum.toml");
        let text = "[service]\nlisten = \"127.0.0.1:0\"\nstate_dir = \"state\"\nlisten_proxy = \"unix:http.sock\"\n\
                    [[account]]\nusername = \"root\"\nrole = \"Administrator\"\npassword_file = \"password\"\n";
        fs::write(&path, text).unwrap();
        path
    }
}

/// A running service, killed at the end at the latest.
struct Running(Child);

impl Running {
    /// Starts `command` and waits until it answers; also how long that took.
    fn start(mut command: Command, socket: &Path) -> (Self, Duration) {
        let begun = Instant::now();
        let log = socket.with_file_name("log");
        let said = || fs::read_to_string(&log).unwrap_or_default();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn();
        let mut running = Self(child.unwrap());
        loop {
            if Http::connect(socket).is_ok_and(|mut http| http.get("/redfish/v1").is_ok()) {
                return (running, begun.elapsed());
            }
            let ended = running.0.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "it ended at its start: {ended:?}\n{}",
                said()
            );
            let waited = begun.elapsed();
            assert!(waited < START_LIMIT, "it never answered\n{}", said());
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How often the service is killed: `normally`, unless `REDDRUM_KILLS` says something else.
fn kills(normally: u32) -> u32 {
    let kills = std::env::var("REDDRUM_KILLS");
    kills.map_or(normally, |kills| kills.parse().unwrap())
}

fn reddrum(folder: &Folder) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reddrum"));
    command
        .arg("serve")
        .arg("--config")
        .arg(folder.path("reddrum.toml"));
    command
}

/// One connection.
struct Http(BufReader<UnixStream>);

/// Status, `Location` and body of an answer.
struct Answer {
    status: u16,
    location: Option<String>,
    body: Value,
}

impl Http {
    fn connect(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(START_LIMIT))?;
        Ok(Self(BufReader::new(stream)))
    }

    fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.send("GET", path, None)
    }

    fn send(&mut self, method: &str, path: &str, body: Option<&Value>) -> io::Result<Answer> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\nAuthorization: {CREDENTIALS}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        self.0.get_mut().write_all(request.as_bytes())?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let mut line = String::new();
        let ended = || io::Error::from(io::ErrorKind::UnexpectedEof);
        self.0.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(ended)?;
        let (mut length, mut location) = (0, None);
        loop {
            line.clear();
            if self.0.read_line(&mut line)? == 0 {
                return Err(ended());
            }
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            match name {
                "content-length" => length = value.parse().unwrap(),
                "location" => location = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Answer {
            status,
            location,
            body,
        })
    }
}

/// What the client was told, and what it was about to be told.
#[derive(Default)]
struct Told {
    timeout: Option<u64>,
    subscriptions: BTreeSet<String>,
    /// The change that was on its way when the service died.
    asked: Option<Asked>,
}

enum Asked {
    Timeout(u64),
    Subscribe,
    Remove(String),
}

impl Told {
    /// Changes things one after the other until the service is gone.
    fn change_until_death(&mut self, socket: &Path, seed: u64) -> io::Result<()> {
        let mut http = Http::connect(socket)?;
        for turn in seed.. {
            match turn % 3 {
                0 => {
                    let timeout = 30 + turn % 80_000;
                    self.asked = Some(Asked::Timeout(timeout));
                    let body = json!({ "SessionTimeout": timeout });
                    let answer = http.send("PATCH", SESSION_SERVICE, Some(&body))?;
                    assert_eq!(answer.status, 200, "{}", answer.body);
                    self.timeout = Some(timeout);
                }
                1 => {
                    self.asked = Some(Asked::Subscribe);
                    let body = json!({
                        "Destination": "https://192.0.2.1/events",
                        "Protocol": "Redfish",
                        "Context": format!("turn {turn}"),
                        "RegistryPrefixes": ["TaskEvent"],
                    });
                    let answer = http.send("POST", SUBSCRIPTIONS, Some(&body))?;
                    assert_eq!(answer.status, 201, "{}", answer.body);
                    self.subscriptions.insert(answer.location.unwrap());
                }
                _ => {
                    let Some(path) = self.subscriptions.first().cloned() else {
                        continue;
                    };
                    self.asked = Some(Asked::Remove(path.clone()));
                    let answer = http.send("DELETE", &path, None)?;
                    assert_eq!(answer.status, 204, "{}", answer.body);
                    self.subscriptions.remove(&path);
                }
            }
            self.asked = None;
        }
        Ok(())
    }

    /// What the service has must be what was told, with or without the change that was on its way.
    fn compare(&mut self, http: &mut Http) {
        let service = http.get(SESSION_SERVICE).unwrap().body;
        let timeout = service["SessionTimeout"].as_u64();
        let collection = http.get(SUBSCRIPTIONS).unwrap().body;
        let members = collection["Members"].as_array().unwrap();
        let found: BTreeSet<_> = members
            .iter()
            .map(|member| member["@odata.id"].as_str().unwrap().to_owned())
            .collect();
        match self.asked.take() {
            Some(Asked::Timeout(asked)) if timeout == Some(asked) => self.timeout = timeout,
            Some(Asked::Subscribe) => {
                let new: Vec<_> = found.difference(&self.subscriptions).cloned().collect();
                assert!(new.len() <= 1, "asked for one, found {new:?}");
                self.subscriptions.extend(new);
            }
            Some(Asked::Remove(path)) if !found.contains(&path) => {
                self.subscriptions.remove(&path);
            }
            _ => {}
        }
        assert_eq!(found, self.subscriptions);
        if let Some(told) = self.timeout {
            assert_eq!(timeout, Some(told));
        }
    }
}

#[test]
fn no_acknowledged_change_is_lost_when_the_service_is_killed() {
    let kills = kills(KILLS);
    let folder = Folder::new();
    folder.configuration();
    let (mut told, mut starts) = (Told::default(), Vec::new());
    let (mut random, mut changes) = (0x9E37_79B9_7F4A_7C15_u64, 0_u64);
    for kill in 0..kills {
        let (running, start) = Running::start(reddrum(&folder), &folder.socket());
        starts.push(start);
        told.compare(&mut Http::connect(&folder.socket()).unwrap());
        // xorshift64: the lives differ, and each run has the same ones.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let life = Duration::from_millis(random % LONGEST_LIFE_MS);
        let (killer, killed) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                thread::sleep(life);
                running.kill();
                killer.send(()).unwrap();
            });
            let seed = u64::from(kill) * 1_000_003;
            let ended = told.change_until_death(&folder.socket(), seed);
            assert!(ended.is_err(), "it ends with the connection");
            killed.recv().unwrap();
        });
        changes += u64::from(told.timeout.is_some());
    }
    assert!(changes > 0, "at least one change was acknowledged");
    let (running, _) = Running::start(reddrum(&folder), &folder.socket());
    told.compare(&mut Http::connect(&folder.socket()).unwrap());
    running.kill();
    starts.sort();
    println!(
        "{kills} kills, none lost; start to first answer: median {:?}, longest {:?}; {} subscriptions at the end",
        starts[starts.len() / 2],
        starts[starts.len() - 1],
        told.subscriptions.len(),
    );
}

/// A service whose state folder is a file system of its own, and nearly full.
fn on_a_small_disk(folder: &Folder) -> Command {
    let state = folder.path("state");
    fs::create_dir_all(&state).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=4m tmpfs {0} && chmod 700 {0} && exec {1} serve --config {2}",
        state.display(),
        env!("CARGO_BIN_EXE_reddrum"),
        folder.path("reddrum.toml").display(),
    );
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]);
    command
}

#[test]
fn a_full_disk_refuses_changes_and_everything_else_goes_on() {
    let folder = Folder::new();
    folder.configuration();
    let (running, _) = Running::start(on_a_small_disk(&folder), &folder.socket());
    // The file system is the service's alone; this is the way to it.
    let disk = PathBuf::from(format!("/proc/{}/root", running.0.id()));
    let disk = disk.join(folder.path("state").strip_prefix("/").unwrap());
    let mut http = Http::connect(&folder.socket()).unwrap();
    let set = |http: &mut Http, timeout: u64| {
        let body = json!({ "SessionTimeout": timeout });
        http.send("PATCH", SESSION_SERVICE, Some(&body)).unwrap()
    };
    let timeout =
        |http: &mut Http| http.get(SESSION_SERVICE).unwrap().body["SessionTimeout"].clone();
    assert_eq!(set(&mut http, 100).status, 200);

    let mut filler = fs::File::create(disk.join("filler")).unwrap();
    let block = vec![1; 4096];
    while filler.write_all(&block).is_ok() {}
    let mut refused = None;
    // What the file has room for itself is taken still.
    let mut last = 100;
    for next in 101..2000 {
        // Long texts: the state has to grow.
        let body = json!({
            "Destination": format!("https://192.0.2.1/{}", "x".repeat(900)),
            "Protocol": "Redfish",
            "Context": "x".repeat(200),
            "RegistryPrefixes": ["TaskEvent"],
        });
        let answer = http.send("POST", SUBSCRIPTIONS, Some(&body)).unwrap();
        if answer.status != 201 {
            refused = Some(answer);
            break;
        }
        let answer = set(&mut http, next);
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
        last = next;
    }
    let refused = refused.expect("a disk of 4 MiB is full some time");
    assert_eq!(refused.status, 507, "{}", refused.body);
    let message = &refused.body["error"]["@Message.ExtendedInfo"][0];
    assert!(
        message["MessageId"]
            .as_str()
            .unwrap()
            .ends_with("InsufficientStorage")
    );
    assert!(
        message["Resolution"].as_str().unwrap().contains("full"),
        "{message}"
    );
    assert_eq!(timeout(&mut http), last);
    assert_eq!(http.get("/redfish/v1").unwrap().status, 200);

    // Room is made, and the same service goes on.
    drop(filler);
    fs::remove_file(disk.join("filler")).unwrap();
    assert_eq!(set(&mut http, 200).status, 200);
    assert_eq!(timeout(&mut http), 200);
    running.kill();
}
