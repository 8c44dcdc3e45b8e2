//! How `serve` starts, and how it follows the operator's certificate, as an operator sees it.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tempfile::TempDir;

/// How long to wait for what never comes.
const LIMIT: Duration = Duration::from_secs(60);
const ACCOUNT: &str =
    "[[account]]\nusername = \"root\"\nrole = \"Administrator\"\npassword_file = \"password\"\n";
const FILES: &str = "certificate = \"chain.pem\"\nprivate_key = \"key.pem\"\n";

/// A folder with a configuration; it goes with the test.
struct Folder(TempDir);

impl Folder {
    fn new(service: &str, rest: &str) -> Self {
        let new = Self(tempfile::tempdir().unwrap());
        new.write("password", "correct horse\n", 0o600);
        let text = format!("[service]\nlisten = \"127.0.0.1:0\"\n{service}{rest}");
        new.write("reddrum.toml", &text, 0o644);
        new
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Puts a file in place whole, as an operator's tool does.
    fn write(&self, name: &str, text: &str, mode: u32) {
        let new = self.path("new");
        fs::write(&new, text).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(mode)).unwrap();
        fs::rename(new, self.path(name)).unwrap();
    }

    /// Writes a fresh certificate and its key.
    fn certify(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        self.write("key.pem", &made.signing_key.serialize_pem(), 0o600);
        self.write("chain.pem", &made.cert.pem(), 0o644);
        made.cert.der().clone()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reddrum"));
        command.args(["serve", "--json", "--config"]);
        command.arg(self.path("reddrum.toml"));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(fs::File::create(self.path("log")).unwrap());
        command
    }

    fn start(&self) -> Running {
        let mut child = self.command().spawn().unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "it ended at its start\n{}", self.log());
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        let url = said["url"].as_str().unwrap();
        let address = url.trim_start_matches("https://").to_owned();
        Running { child, address }
    }
}

/// A running service, killed at the end.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    /// Whether a client that trusts this certificate and no other can talk to it.
    fn shows(&self, certificate: &CertificateDer<'static>) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        rustls::Stream::new(&mut tls, &mut stream)
            .write_all(b"GET /redfish HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .is_ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn eventually(folder: &Folder, what: &str, ready: impl Fn() -> bool) {
    let begun = Instant::now();
    while !ready() {
        assert!(begun.elapsed() < LIMIT, "no {what}\n{}", folder.log());
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_new_certificate_is_shown_without_a_restart_and_a_broken_one_never() {
    let folder = Folder::new(FILES, ACCOUNT);
    let first = folder.certify();
    let service = folder.start();
    assert!(service.shows(&first));

    let second = folder.certify();
    eventually(&folder, "second certificate", || service.shows(&second));
    assert!(!service.shows(&first));

    let refused = || folder.log().matches("the old certificate stays").count();
    let before = refused();
    folder.write("chain.pem", "no certificate", 0o644);
    eventually(&folder, "refusal of a broken file", || refused() > before);
    assert!(service.shows(&second));
    // A chain and the key of another are refused as well.
    let before = refused();
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    folder.write("chain.pem", &other.cert.pem(), 0o644);
    eventually(&folder, "refusal of a pair that does not fit", || {
        refused() > before
    });
    assert!(service.shows(&second));

    let third = folder.certify();
    eventually(&folder, "third certificate", || service.shows(&third));
}

#[test]
fn a_key_that_others_can_read_is_refused_at_the_start() {
    let folder = Folder::new(FILES, ACCOUNT);
    folder.certify();
    fs::set_permissions(folder.path("key.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(ends(&folder), Some(2));
    assert!(folder.log().contains("chmod 600"), "{}", folder.log());
}

#[test]
fn the_service_starts_with_the_operators_certificate_and_a_new_state_folder() {
    let service = format!("{FILES}state_dir = \"state/of/reddrum\"\n");
    let folder = Folder::new(&service, ACCOUNT);
    let certificate = folder.certify();
    let state = folder.path("state/of/reddrum");
    assert!(!state.exists());
    let running = folder.start();
    assert!(running.shows(&certificate));
    assert_eq!(mode(&state), 0o700);
    assert!(state.join("state.redb").is_file());
    // The service makes no certificate of its own beside the operator's.
    assert!(!state.join("private_key.pem").exists());
}

#[test]
fn a_service_that_nobody_could_log_in_to_does_not_start_and_names_the_remedy() {
    let service = "state_dir = \"state\"\n";
    let folder = Folder::new(service, "");
    assert_eq!(ends(&folder), Some(2));
    let said = folder.log();
    assert!(
        said.contains("[[account]]") && said.contains("reddrum import"),
        "{said}"
    );
    // With an account once, it is in the state.
    let text = format!("[service]\nlisten = \"127.0.0.1:0\"\n{service}{ACCOUNT}");
    folder.write("reddrum.toml", &text, 0o644);
    drop(folder.start());
    let text = format!("[service]\nlisten = \"127.0.0.1:0\"\n{service}");
    folder.write("reddrum.toml", &text, 0o644);
    drop(folder.start());
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The exit code of a service that doesn't come to serve.
fn ends(folder: &Folder) -> Option<i32> {
    let mut child = folder.command().spawn().unwrap();
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if begun.elapsed() > LIMIT {
            let _ = child.kill();
            return None;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn sighup_takes_over_a_bmcs_new_password_and_a_mistake_changes_nothing() {
    let port = 30_000 + std::process::id() % 10_000;
    let target = "[credentials.default]\nusername = \"admin\"\npassword_file = \"bmc\"\n\
                  [metrics]\nlisten = \"127.0.0.1:0\"\n[[target]]\nnames = \"n1\"\nhosts = \"127.16.0.1\"\n";
    let rest = format!("{ACCOUNT}{target}port = {port}\n");
    let folder = Folder::new("", &rest);
    folder.write("bmc", "wrong\n", 0o600);
    folder.write("right", "right\n", 0o600);
    let mut bmcs = Command::new(env!("CARGO_BIN_EXE_reddrum"));
    bmcs.args(["vbmc", "--json", "--nodes", "1", "--ipmi-port"])
        .arg(port.to_string())
        .arg("--password-file")
        .arg(folder.path("right"));
    let mut bmcs = bmcs.stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(bmcs.stdout.take().unwrap());
    said.read_line(&mut String::new()).unwrap();
    let bmcs = Running {
        child: bmcs,
        address: String::new(),
    };

    let mut child = folder.command().spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    said.read_line(&mut String::new()).unwrap();
    let service = Running {
        child,
        address: String::new(),
    };
    let hang_up = || {
        let pid = service.child.id().to_string();
        let killed = Command::new("kill").args(["-HUP", &pid]).status();
        assert!(killed.unwrap().success());
    };
    let says = |text: &str| folder.log().contains(text);
    eventually(&folder, "refusal of the wrong password", || {
        says("BMC down")
    });
    folder.write("bmc", "", 0o600);
    hang_up();
    eventually(&folder, "refusal of an empty file", || {
        says("the configuration stays as it was")
    });
    assert!(!says("BMC up"));
    folder.write("bmc", "right\n", 0o600);
    hang_up();
    eventually(&folder, "login with the right one", || says("BMC up again"));
    eventually(&folder, "a line about the new configuration", || {
        says("the configuration was read again")
    });
    drop((service, bmcs));
}
