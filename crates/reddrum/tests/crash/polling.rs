//! Killed while it polls: every entry of every event log is told as one event, what is remembered of BMCs stays good, and no BMC
//! runs out of sessions.
//!
//! Two clients listen. A receiver of POSTs may get an event again that it took just before a kill: with the `EventId` that it had.
//! A reader of the stream, who says with `Last-Event-ID` what he has, gets each one once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ipmi::bmc;
use ipmi::command::app::Guid;
use ipmi::number::{EventReadingType, PrivilegeLevel, SensorType};
use serde_json::{Value, json};
use vbmc::bmcs::Bmcs;
use vbmc::log::Event;
use vbmc::serve::{Clock, Server};
use vbmc::site::{Site, SiteOptions};

use super::{CREDENTIALS, Folder, Http, Running, START_LIMIT, SUBSCRIPTIONS, kills, reddrum};

const STREAM: &str = "/redfish/v1/EventService/SSE";

/// BMCs that are polled.
const BMCS: u32 = 8;

/// How often the service is killed; `REDDRUM_KILLS` asks for more.
const POLLING_KILLS: u32 = 6;

/// How long the service lives after its first answer, in milliseconds: from the log-ins on.
const LIFE_MS: std::ops::Range<u64> = 200..3_000;

/// The pause between two entries that somebody writes into a log.
const ENTRY_EVERY: Duration = Duration::from_millis(100);

/// Each so many-th time the service is killed when the receiver has just taken something: before that can be written down.
const KILL_AT_DELIVERY_EACH: u32 = 3;

/// How long to wait for that.
const DELIVERY_LIMIT: Duration = Duration::from_secs(2);

/// Virtual machines that this process plays.
struct Machines {
    server: Server,
    clock: Clock,
}

impl Machines {
    fn start() -> Self {
        let clock = Clock::start();
        let options = SiteOptions {
            nodes: BMCS,
            seed: 1,
            epoch_s: clock.epoch_s(),
        };
        let admin = bmc::User::new("admin", b"secret", PrivilegeLevel::ADMINISTRATOR).unwrap();
        let access = bmc::Config::new(vec![admin], Guid::default());
        let bmcs = Bmcs::new(Arc::new(Site::new(options).unwrap()), &access);
        let server = Server::start(Arc::new(bmcs), clock, 0).unwrap();
        Self { server, clock }
    }

    /// Somebody opens and closes the lid: one more entry.
    fn add_entry(&self, index: u32) {
        let event = Event {
            sensor_type: SensorType::PHYSICAL_SECURITY,
            number: 0x57,
            event_type: EventReadingType::SENSOR_SPECIFIC,
            asserted: true,
            data: [0, 0xff, 0xff],
        };
        let site = self.server.bmcs().site();
        let mut machine = site.machine(index, self.clock.now());
        let clock_s = machine.clock_s();
        machine.log_mut().report(clock_s, &event);
    }

    /// The entries of all logs.
    fn entries(&self) -> BTreeSet<Entry> {
        let site = self.server.bmcs().site();
        let mut entries = BTreeSet::new();
        for index in 0..BMCS {
            let machine = site.machine(index, self.clock.now());
            for entry in machine.log().entries() {
                entries.insert((index, u32::from(u16::from_le_bytes([entry[0], entry[1]]))));
            }
        }
        entries
    }

    /// The most sessions that any BMC has now.
    fn sessions(&self) -> usize {
        let of = |index| self.server.bmcs().bmc_counters(index).unwrap().sessions;
        (0..BMCS).map(of).max().unwrap()
    }
}

/// Ends what goes on while it is true, also where the test fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// A BMC, and the number of an entry in its log.
type Entry = (u32, u32);

/// What somebody was told.
#[derive(Default)]
struct Told {
    /// The `EventId`s with which he was told of each entry.
    ids: BTreeMap<Entry, Vec<String>>,
    /// How often he was told that events may be lost.
    losses: usize,
}

impl Told {
    /// The payload of a POST, or of a message of the stream.
    fn take(&mut self, payload: &Value) {
        for event in payload["Events"].as_array().into_iter().flatten() {
            let message = event["MessageId"].as_str().unwrap();
            self.losses += usize::from(message.ends_with(".EventBufferExceeded"));
            let origin = &event["OriginOfCondition"]["@odata.id"];
            if let Some(entry) = origin.as_str().and_then(entry_of) {
                let id = event["EventId"].as_str().unwrap();
                self.ids.entry(entry).or_default().push(id.to_owned());
            }
        }
    }

    fn has_all(&self, entries: &BTreeSet<Entry>) -> bool {
        entries.iter().all(|entry| self.ids.contains_key(entry))
    }

    /// Each of these entries was told, and nothing else; each as one event. How often one came again.
    fn repeated(&self, entries: &BTreeSet<Entry>) -> usize {
        let told: BTreeSet<Entry> = self.ids.keys().copied().collect();
        assert_eq!(told, *entries);
        assert_eq!(self.losses, 0);
        let mut repeated = 0;
        for (entry, ids) in &self.ids {
            let distinct: BTreeSet<&String> = ids.iter().collect();
            assert_eq!(distinct.len(), 1, "{entry:?} was told as {ids:?}");
            repeated += ids.len() - 1;
        }
        let ids: BTreeSet<_> = self.ids.values().map(|ids| &ids[0]).collect();
        assert_eq!(ids.len(), told.len(), "no two entries are one event");
        repeated
    }
}

/// Somebody who gets events by POST.
#[derive(Default)]
struct Receiver {
    told: Mutex<Told>,
    /// How many POSTs there were.
    taken: AtomicU64,
}

impl Receiver {
    /// Listens for as long as the process runs.
    fn start() -> (Arc<Self>, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let receiver = Arc::new(Self::default());
        let hears = Arc::clone(&receiver);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let hears = Arc::clone(&hears);
                // It ends when the service does.
                thread::spawn(move || while hears.take(&stream).is_some() {});
            }
        });
        (receiver, address)
    }

    /// One request; `None` at the end of the connection.
    fn take(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let body = serde_json::from_slice(&body).unwrap_or_default();
        self.told.lock().unwrap().take(&body);
        self.taken.fetch_add(1, Ordering::Relaxed);
        let mut stream = stream;
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").ok()
    }

    /// Waits for the next request, but not for ever.
    fn wait(&self) {
        let (before, begun) = (self.taken.load(Ordering::Relaxed), Instant::now());
        while self.taken.load(Ordering::Relaxed) == before && begun.elapsed() < DELIVERY_LIMIT {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Somebody who reads the stream of events, and opens it again when it ends.
#[derive(Default)]
struct Reader {
    told: Mutex<Told>,
    /// What he has: the `id` of the newest message.
    last: Mutex<Option<String>>,
}

impl Reader {
    /// Reads until the stream ends.
    fn read(&self, socket: &Path) -> io::Result<()> {
        let mut http = Http::connect(socket)?;
        let last = self.last.lock().unwrap().clone();
        let last = last.map_or_else(String::new, |id| format!("Last-Event-ID: {id}\r\n"));
        let request = format!(
            "GET {STREAM} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\nAuthorization: {CREDENTIALS}\r\n\
             Accept: text/event-stream\r\n{last}\r\n"
        );
        http.0.get_mut().write_all(request.as_bytes())?;
        let (mut line, mut text) = (String::new(), String::new());
        while line != "\r\n" {
            line.clear();
            if http.0.read_line(&mut line)? == 0 {
                return Ok(());
            }
        }
        loop {
            // RFC 9112, 7.1: each chunk begins with its length.
            line.clear();
            http.0.read_line(&mut line)?;
            let Ok(length @ 1..) = usize::from_str_radix(line.trim_end(), 16) else {
                return Ok(());
            };
            let mut chunk = vec![0; length + 2];
            http.0.read_exact(&mut chunk)?;
            text.push_str(std::str::from_utf8(&chunk[..length]).unwrap());
            while let Some((message, rest)) = text.split_once("\n\n") {
                self.take(message);
                text = rest.to_owned();
            }
        }
    }

    fn take(&self, message: &str) {
        let field = |name| message.lines().find_map(|line| line.strip_prefix(name));
        if let (Some(id), Some(data)) = (field("id: "), field("data: ")) {
            let payload = serde_json::from_str(data).unwrap();
            self.told.lock().unwrap().take(&payload);
            *self.last.lock().unwrap() = Some(id.to_owned());
        }
    }
}

/// The entry that a resource stands for.
fn entry_of(path: &str) -> Option<Entry> {
    let rest = path.strip_prefix("/redfish/v1/Managers/n")?;
    let (node, entry) = rest.split_once("/LogServices/SEL/Entries/")?;
    Some((node.parse().ok()?, entry.parse().ok()?))
}

fn configuration(folder: &Folder, port: u16) {
    let password = folder.path("password");
    fs::write(&password, "correct horse\n").unwrap();
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
    let bmc_password = folder.path("bmc.password");
    fs::write(&bmc_password, "secret\n").unwrap();
    fs::set_permissions(&bmc_password, fs::Permissions::from_mode(0o600)).unwrap();
    let last = BMCS - 1;
    let text = format!(
        "[service]\nlisten = \"127.0.0.1:0\"\nstate_dir = \"state\"\nlisten_proxy = \"unix:http.sock\"\n\
         [[account]]\nusername = \"root\"\nrole = \"Administrator\"\npassword_file = \"password\"\n\
         [events]\nallow_destinations = [\"127.0.0.0/8\"]\nallow_clear_text = true\n\
         [fleet]\npoll_interval_ms = 200\n\
         [credentials.default]\nusername = \"admin\"\npassword_file = \"bmc.password\"\ncipher_suites = [3]\n\
         [[target]]\nhosts = \"127.16.0.[1-{BMCS}]\"\nnames = \"n[0-{last}]\"\nport = {port}\n"
    );
    fs::write(folder.path("reddrum.toml"), text).unwrap();
}

/// Waits for what is only a matter of time.
#[track_caller]
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < 2 * START_LIMIT, "no {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Ends it as an operator does.
fn end_in_order(mut running: Running) {
    let pid = running.0.id().to_string();
    let asked = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(asked.unwrap().success());
    assert!(running.0.wait().unwrap().success());
}

/// The log of a life, and the state folder, show no sign of a file that was damaged.
fn nothing_was_damaged(folder: &Folder) {
    let log = fs::read_to_string(folder.path("log")).unwrap();
    for word in ["can't be used", "can't be written", "panicked"] {
        assert!(!log.contains(word), "{log}");
    }
    for file in fs::read_dir(folder.path("state")).unwrap() {
        let name = file.unwrap().file_name();
        assert!(!name.to_string_lossy().contains("unusable"), "{name:?}");
    }
}

/// How many entries a log resource has.
fn count(http: &mut Http, node: u32) -> u64 {
    let path = format!("/redfish/v1/Managers/n{node}/LogServices/SEL/Entries");
    let answer = http.get(&path).unwrap();
    answer.body["Members@odata.count"].as_u64().unwrap_or(0)
}

/// Whether the service shows each log as it is.
fn shows_all(folder: &Folder, entries: &BTreeSet<Entry>) -> bool {
    let mut http = Http::connect(&folder.socket()).unwrap();
    (0..BMCS).all(|node| {
        let wanted = entries.iter().filter(|(index, _)| *index == node).count();
        count(&mut http, node) == wanted as u64
    })
}

/// Asks for events by POST.
fn subscribe(folder: &Folder, address: SocketAddr) {
    let body = json!({
        "Destination": format!("http://{address}/events"),
        "Protocol": "Redfish",
        "Context": "entries",
        "ResourceTypes": ["LogEntry"],
        "DeliveryRetryPolicy": "RetryForever",
    });
    let mut http = Http::connect(&folder.socket()).unwrap();
    let answer = http.send("POST", SUBSCRIPTIONS, Some(&body)).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.body);
}

#[test]
fn event_logs_are_followed_and_bmcs_keep_sessions_to_give_however_often_the_service_is_killed() {
    let kills = kills(POLLING_KILLS);
    let machines = Machines::start();
    let (receiver, address) = Receiver::start();
    let reader = Reader::default();
    let folder = Folder::new();
    configuration(&folder, machines.server.port());
    let goes_on = AtomicBool::new(true);
    thread::scope(|scope| {
        let _stop = Stop(&goes_on);
        // The first life finds the logs as they are: that is history, and told to nobody.
        let (running, _) = Running::start(reddrum(&folder), &folder.socket());
        scope.spawn(|| {
            while goes_on.load(Ordering::Relaxed) {
                // It ends when the service does.
                let _ = reader.read(&folder.socket());
                thread::sleep(Duration::from_millis(5));
            }
        });
        subscribe(&folder, address);
        let history = machines.entries();
        eventually("history", || shows_all(&folder, &history));
        eventually("stream", || reader.last.lock().unwrap().is_some());
        end_in_order(running);

        let mut sessions_max = live_and_die(kills, &machines, &receiver, &folder);

        let (running, _) = Running::start(reddrum(&folder), &folder.socket());
        let all = machines.entries();
        let new: BTreeSet<Entry> = all.difference(&history).copied().collect();
        let hears = |told: &Mutex<Told>| told.lock().unwrap().has_all(&new);
        eventually("POST of every entry", || hears(&receiver.told));
        eventually("message of every entry", || hears(&reader.told));
        eventually("all entries", || shows_all(&folder, &all));
        sessions_max = sessions_max.max(machines.sessions());
        goes_on.store(false, Ordering::Relaxed);
        end_in_order(running);
        nothing_was_damaged(&folder);

        let posted_again = receiver.told.lock().unwrap().repeated(&new);
        let streamed_again = reader.told.lock().unwrap().repeated(&new);
        assert_eq!(streamed_again, 0, "the reader says what he has");
        let room = bmc::Config::new(Vec::new(), Guid::default()).session_max;
        assert!(sessions_max < room, "{sessions_max} of {room} sessions");
        println!(
            "{kills} kills; {} entries, none lost, each one event; {posted_again} came again by POST with the same EventId, \
             {streamed_again} by the stream; at most {sessions_max} sessions at a BMC",
            new.len()
        );
    });
}

/// Starts and kills the service while entries are written into the logs. The most sessions that a BMC had.
fn live_and_die(kills: u32, machines: &Machines, receiver: &Receiver, folder: &Folder) -> usize {
    let mut sessions_max = 0;
    let (mut random, writes) = (0x9E37_79B9_7F4A_7C15_u64, AtomicBool::new(true));
    thread::scope(|scope| {
        let _stop = Stop(&writes);
        scope.spawn(|| {
            for index in (0..BMCS).cycle() {
                if !writes.load(Ordering::Relaxed) {
                    break;
                }
                machines.add_entry(index);
                thread::sleep(ENTRY_EVERY);
            }
        });
        for kill in 1..=kills {
            let (running, _) = Running::start(reddrum(folder), &folder.socket());
            // xorshift64: the lives differ, and each run has the same ones.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let life_ms = LIFE_MS.start + random % (LIFE_MS.end - LIFE_MS.start);
            thread::sleep(Duration::from_millis(life_ms));
            sessions_max = sessions_max.max(machines.sessions());
            if kill % KILL_AT_DELIVERY_EACH == 0 {
                receiver.wait();
            }
            running.kill();
            nothing_was_damaged(folder);
        }
    });
    sessions_max
}
