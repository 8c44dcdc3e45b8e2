//! Lists of BMCs are followed while `serve` runs, as an operator sees it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests fail as tests do"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long to wait for what never comes.
const LIMIT: Duration = Duration::from_secs(60);

/// A running service in a folder of its own; both go with the test.
struct Service {
    folder: TempDir,
    child: Child,
    metrics: String,
}

impl Service {
    /// Starts with these files and this end of the configuration.
    fn start(files: &[(&str, &str)], rest: &str) -> Self {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path();
        let text = format!(
            "[service]\nlisten = \"127.0.0.1:0\"\nstate_dir = \"state\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n\
             [[account]]\nusername = \"root\"\nrole = \"Administrator\"\npassword_command = [\"echo\", \"correct horse\"]\n\
             [credentials.default]\nusername = \"admin\"\npassword_file = \"password\"\n{rest}"
        );
        write(folder, "password", "secret\n");
        write(folder, "reddrum.toml", &text);
        for (name, text) in files {
            write(folder, name, text);
        }
        let (child, metrics) = launch(folder);
        Self {
            folder: around,
            metrics,
            child,
        }
    }

    /// Ends the process and starts another one with the same files.
    fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.child, self.metrics) = launch(self.folder.path());
    }

    fn write(&self, name: &str, text: &str) {
        write(self.folder.path(), name, text);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// The machines that it has, with what is said of each besides.
    fn machines(&self) -> Vec<String> {
        let mut stream = TcpStream::connect(&self.metrics).unwrap();
        stream
            .write_all(b"GET /metrics/machines HTTP/1.0\r\nhost: localhost\r\n\r\n")
            .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let lines = text
            .lines()
            .filter(|line| line.starts_with("bmc_up{") || line.starts_with("bmc_labels{"));
        lines
            .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
            .collect()
    }

    #[track_caller]
    fn eventually(&self, what: &str, ready: impl Fn() -> bool) {
        let begun = Instant::now();
        while !ready() {
            assert!(begun.elapsed() < LIMIT, "no {what}\n{}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn hang_up(&self) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-HUP", &pid])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process with the files of a folder, once it answers, and where its metrics are.
fn launch(folder: &Path) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_reddrum"))
        .args(["serve", "--json", "--config"])
        .arg(folder.join("reddrum.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(folder.join("log")).unwrap())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    said.read_line(&mut line).unwrap();
    let log = fs::read_to_string(folder.join("log")).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{log}"));
    let metrics = said["metrics"].as_str().unwrap();
    let metrics = metrics
        .trim_start_matches("http://")
        .trim_end_matches("/metrics");
    (child, metrics.to_owned())
}

/// Puts a file in place whole, as an operator's tool does.
fn write(folder: &Path, name: &str, text: &str) {
    let new = folder.join("new");
    fs::write(&new, text).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(new, folder.join(name)).unwrap();
}

fn up(names: &[&str]) -> Vec<String> {
    names
        .iter()
        .map(|name| format!("bmc_up{{node=\"{name}\"}}"))
        .collect()
}

#[test]
fn machines_come_and_go_with_an_edited_file_and_a_broken_one_changes_nothing() {
    let service = Service::start(
        &[(
            "bmcs.csv",
            "hosts,names,rack,label.owner\n127.9.9.[1-2],n[1-2],R1,a\n",
        )],
        "[[inventory]]\nfile = \"bmcs.csv\"\n[[target]]\nhosts = \"127.9.9.9\"\nnames = \"n9\"\n",
    );
    let labels =
        |name: &str| format!("bmc_labels{{node=\"{name}\",rack=\"R1\",label_owner=\"a\"}}");
    let mut wanted = up(&["n1", "n2", "n9"]);
    wanted.extend([labels("n1"), labels("n2")]);
    assert_eq!(service.machines(), wanted);

    service.write("bmcs.csv", "hosts,names\n127.9.9.[2-4],n[2-4]\n");
    let wanted = up(&["n2", "n3", "n4", "n9"]);
    service.eventually("new machines", || service.machines() == wanted);
    service.eventually("a line with their names", || {
        let log = service.log();
        let line = log
            .lines()
            .find(|line| line.contains("a list of BMCs was read again"));
        line.is_some_and(|line| {
            ["bmcs.csv", "removed=1 (n1)", "added=2 (n3, n4)"]
                .iter()
                .all(|part| line.contains(part))
        })
    });

    for (text, why) in [
        ("hosts,names\n127.9.9.[2-4]\n", "line 2: 1 fields"),
        ("hosts,names\n127.9.9.8,n9\n", "'n9' is there twice"),
        ("hosts,nmes\n127.9.9.8,n8\n", "did you mean 'names'"),
        ("hosts,names\n", "nothing in it but the names of fields"),
    ] {
        service.write("bmcs.csv", text);
        service.eventually("refusal", || service.log().contains(why));
        assert_eq!(service.machines(), wanted);
    }

    // The configuration file itself is read when it is asked for.
    let file = fs::read_to_string(service.path("reddrum.toml")).unwrap();
    service.write("bmcs.csv", "hosts,names\n127.9.9.3,n3\n");
    service.write(
        "reddrum.toml",
        &file.replace("names = \"n9\"", "names = \"n10\""),
    );
    service.hang_up();
    service.eventually("both changes", || service.machines() == up(&["n3", "n10"]));
}

#[test]
fn a_machine_moves_from_one_list_to_another_whichever_is_written_first() {
    let service = Service::start(
        &[
            ("a.csv", "hosts,names\n127.9.7.1,n1\n"),
            ("b.csv", "hosts,names\n127.9.7.[2-3],n[2-3]\n"),
        ],
        "[[inventory]]\nfile = \"a.csv\"\n[[inventory]]\nfile = \"b.csv\"\n",
    );
    let sorted = || {
        let mut machines = service.machines();
        machines.sort();
        machines
    };
    service.write("a.csv", "hosts,names\n127.9.7.[1-2],n[1-2]\n");
    service.eventually("refusal", || service.log().contains("'n2' is there twice"));
    assert_eq!(sorted(), up(&["n1", "n2", "n3"]));
    service.write("b.csv", "hosts,names\n127.9.7.[3-4],n[3-4]\n");
    let wanted = up(&["n1", "n2", "n3", "n4"]);
    service.eventually("both changes", || sorted() == wanted);
}

#[test]
fn a_list_with_a_mistake_is_left_out_at_the_start_and_sighup_takes_all_else() {
    let service = Service::start(
        &[
            ("a.csv", "hosts,nmes\n127.9.6.1,n1\n"),
            ("b.csv", "hosts,names\n127.9.6.2,n2\n"),
            ("c.csv", "hosts,names\n127.9.6.3,n2\n"),
        ],
        "[[inventory]]\nfile = \"a.csv\"\n[[inventory]]\nfile = \"b.csv\"\n[[inventory]]\nfile = \"c.csv\"\n\
         [[inventory]]\nfile = \"later.json\"\n[[target]]\nhosts = \"127.9.6.9\"\nnames = \"n9\"\n",
    );
    let sorted = || {
        let mut machines = service.machines();
        machines.sort();
        machines
    };
    assert_eq!(sorted(), up(&["n2", "n9"]));
    let log = service.log();
    for wanted in [
        "a.csv: entry 1: unknown key 'nmes'",
        "'n2' is there twice: entry 1 of",
        "later.json: No such file",
    ] {
        let line = log.lines().find(|line| line.contains(wanted));
        let line = line.unwrap_or_else(|| panic!("no '{wanted}' in {log}"));
        assert!(line.contains("ERROR") && line.contains("is left out until it is mended"));
    }
    service.write(
        "later.json",
        "[{\"host\": \"127.9.6.4\", \"name\": \"n4\"}]",
    );
    service.eventually("machines of a new file", || {
        sorted() == up(&["n2", "n4", "n9"])
    });

    // A broken list and a missing one stay as they were, while the rest of the configuration is taken.
    service.write("b.csv", "hosts,names\n\"127.9.6.2,n2\n");
    fs::remove_file(service.path("later.json")).unwrap();
    let file = fs::read_to_string(service.path("reddrum.toml")).unwrap();
    let file = file.replace("names = \"n9\"", "names = \"n10\"");
    let file = file.replace(
        "[metrics]\nlisten = \"127.0.0.1:0\"",
        "[metrics]\nlisten = \"127.0.0.1:1\"",
    );
    service.write("reddrum.toml", &file);
    service.hang_up();
    service.eventually("the other target", || sorted() == up(&["n10", "n2", "n4"]));
    service.eventually("a line about the restart", || {
        service
            .log()
            .contains("hold only after a restart: [metrics] listen")
    });
    assert!(service.log().contains("this list of BMCs stays as it was"));

    // Mended, they are taken without being asked for.
    service.write("a.csv", "hosts,names\n127.9.6.1,n1\n");
    service.write("b.csv", "hosts,names\n127.9.6.5,n5\n");
    let wanted = up(&["n1", "n10", "n2", "n4", "n5"]);
    service.eventually("all that is mended", || sorted() == wanted);
}

#[test]
fn a_check_of_the_configuration_reads_its_lists_as_serve_does() {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path();
    let check = |rest: &str| {
        let text = format!(
            "[[account]]\nusername = \"root\"\nrole = \"Administrator\"\npassword_command = [\"echo\", \"correct horse\"]\n\
             [credentials.default]\nusername = \"admin\"\npassword_command = [\"echo\", \"secret\"]\n\
             [[target]]\nhosts = \"10.0.0.[1-2]\"\nnames = \"t[1-2]\"\n{rest}"
        );
        write(folder, "reddrum.toml", &text);
        let done = Command::new(env!("CARGO_BIN_EXE_reddrum"))
            .args(["config", "check"])
            .arg(folder.join("reddrum.toml"))
            .output()
            .unwrap();
        let said = [done.stdout, done.stderr].concat();
        (done.status.code(), String::from_utf8(said).unwrap())
    };
    write(folder, "a.csv", "hosts,names\n10.0.1.[1-3],a[1-3]\n");
    write(folder, "b.yaml", "- {hosts: 10.0.2.1, names: b1}\n");
    let good = "[[inventory]]\nfile = \"a.csv\"\n[[inventory]]\nfile = \"b.yaml\"\n";
    let (code, said) = check(&format!(
        "{good}[[inventory]]\nurl = \"http://127.0.0.1:1/\"\n\
         [[inventory]]\nscan = [\"10.0.9.0/29\"]\ncredentials = \"default\"\nexclude = [\"10.0.9.1\"]\n"
    ));
    assert_eq!(code, Some(0), "{said}");
    let wanted = "good: 2 targets, 2 lists with 4 machines, 1 server not asked for a list, 1 scan of 5 addresses not made, 1 account";
    assert!(said.contains(wanted), "{said}");

    for (list, text, wanted) in [
        ("gone.csv", None, "(os error 2); an [[inventory]] names it"),
        (
            "c.csv",
            Some("hosts,nmes\n10.0.3.1,c1\n"),
            "c.csv: entry 1: unknown key 'nmes'",
        ),
        ("c.json", Some("[{\"host\": "), "c.json: EOF while parsing"),
        (
            "c.csv",
            Some("hosts,names\n10.0.3.1,c1\n10.0.3.2,a2\n"),
            "'a2' is there twice: entry 1 of ",
        ),
        (
            "c.csv",
            Some("hosts,names,label.a-b\n10.0.3.1,c1,x\n"),
            "c.csv: entry 1: 'a-b' can't name a label",
        ),
        (
            "c.csv",
            Some("hosts,names,credentials\n10.0.3.1,c1,x\n"),
            "there is no [credentials.x]: entry 1 of ",
        ),
    ] {
        if let Some(text) = text {
            write(folder, list, text);
        }
        let (code, said) = check(&format!("{good}[[inventory]]\nfile = \"{list}\"\n"));
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(wanted), "{said}");
        assert!(!said.contains("good"), "{said}");
    }
}

#[test]
fn a_server_is_asked_again_and_again_and_what_it_said_last_holds_when_it_fails() {
    let answer = Arc::new(Mutex::new((
        200,
        "[{\"targets\": [\"127.9.8.1:6230\"]}]".to_owned(),
    )));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/targets", listener.local_addr().unwrap());
    let told = Arc::clone(&answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            assert!(request[..length].starts_with(b"GET /targets HTTP/1.1\r\n"));
            let (status, body) = told.lock().unwrap().clone();
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            stream.write_all((head + &body).as_bytes()).unwrap();
        }
    });
    let rest = format!("[[inventory]]\nurl = \"{url}\"\nrefresh_s = 5\n");
    let service = Service::start(&[], &rest);
    assert_eq!(service.machines(), up(&["127.9.8.1"]));
    *answer.lock().unwrap() = (503, "away".to_owned());
    service.eventually("complaint", || service.log().contains("answers 503"));
    assert_eq!(service.machines(), up(&["127.9.8.1"]));
    *answer.lock().unwrap() = (200, "[{\"targets\": [\"127.9.8.2\"]}]".to_owned());
    service.eventually("new machine", || service.machines() == up(&["127.9.8.2"]));
}

#[test]
fn a_silent_server_holds_up_neither_start_nor_reload_and_what_it_told_last_holds() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/?token=geheim", listener.local_addr().unwrap());
    let is_silent = Arc::new(Mutex::new(false));
    let silent = Arc::clone(&is_silent);
    thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if *silent.lock().unwrap() {
                held.push(stream);
                continue;
            }
            let mut request = [0; 4096];
            assert!(stream.read(&mut request).unwrap() > 0);
            let body = "[{\"targets\": [\"127.9.5.1\"]}]";
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n", body.len());
            let answer = head + "connection: close\r\n\r\n" + body;
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let rest = format!(
        "[[inventory]]\nurl = \"{url}\"\n[[inventory]]\nfile = \"a.csv\"\n\
         [[target]]\nhosts = \"127.9.5.9\"\nnames = \"n9\"\n"
    );
    let files = [("a.csv", "hosts,names\n127.9.5.2,n2\n")];
    let mut service = Service::start(&files, &rest);
    let sorted = |service: &Service| {
        let mut machines = service.machines();
        machines.sort();
        machines
    };
    assert_eq!(sorted(&service), up(&["127.9.5.1", "n2", "n9"]));
    *is_silent.lock().unwrap() = true;
    service.restart();
    assert_eq!(sorted(&service), up(&["127.9.5.1", "n2", "n9"]));
    let log = service.log();
    assert!(
        log.contains("is taken as its server told it to an earlier run: http://127.0.0.1:"),
        "{log}"
    );
    // It is being asked again, and says nothing; all else is followed.
    service.write("a.csv", "[]");
    service.eventually("refusal", || service.log().contains("a.csv: "));
    service.write("a.csv", "hosts,names\n127.9.5.3,n3\n");
    let wanted = up(&["127.9.5.1", "n3", "n9"]);
    service.eventually("the other list", || sorted(&service) == wanted);
    let file = fs::read_to_string(service.path("reddrum.toml")).unwrap();
    service.write("reddrum.toml", &file.replace("\"n9\"", "\"n10\""));
    service.hang_up();
    let wanted = up(&["127.9.5.1", "n10", "n3"]);
    service.eventually("the other target", || sorted(&service) == wanted);
    assert!(!service.log().contains("geheim"), "{}", service.log());
}
