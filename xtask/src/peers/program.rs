//! Our own program under test, run as its users run it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::redfish::Client;
use super::target::Target;
use crate::Result;
use crate::process::{Background, command};
use crate::workspace::Workspace;

/// How long the program may take until it says that it serves.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long it may take to end after Ctrl-C.
const END_LIMIT: Duration = Duration::from_secs(10);

/// A running `reddrum`, with what it printed when it began to serve.
pub(crate) struct Program {
    process: Background,
    log: PathBuf,
    /// Where the service is.
    pub(crate) url: String,
    /// An administrator's name; empty where the program did not make the account.
    pub(crate) username: String,
    /// Their password.
    pub(crate) password: String,
    /// The virtual BMCs.
    pub(crate) bmcs: Vec<Target>,
    /// From start to the line that says it serves.
    pub(crate) start_time: Duration,
}

/// The built program: the release build where there is one, as people are told to run it.
///
/// # Errors
/// Where there is none yet.
pub(crate) fn binary(workspace: &Workspace) -> Result<PathBuf> {
    let candidates =
        ["release", "debug"].map(|profile| workspace.target.join(profile).join("reddrum"));
    candidates
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| {
            "reddrum is not built: run `cargo build --release` or the step `build` first".into()
        })
}

/// `reddrum demo` with that many nodes, on free ports; `name` names its log file.
///
/// # Errors
/// Where it doesn't come to serve; with its log.
pub(crate) fn demo(workspace: &Workspace, name: &str, nodes: u32) -> Result<Program> {
    let port = UdpSocket::bind("0.0.0.0:0")?.local_addr()?.port();
    demo_at(workspace, name, nodes, port)
}

/// [`demo`] that trusts the certificates in a PEM file, and no other, where it connects to servers itself.
///
/// # Errors
/// As [`demo`].
pub(crate) fn demo_that_trusts(
    workspace: &Workspace,
    name: &str,
    nodes: u32,
    certificates: &Path,
) -> Result<Program> {
    let port = UdpSocket::bind("0.0.0.0:0")?.local_addr()?.port();
    let mut demo = demo_command(workspace, nodes, port)?;
    demo.env("SSL_CERT_FILE", certificates);
    start(workspace, name, demo)
}

/// [`demo`] with the virtual BMCs at a given UDP port.
///
/// # Errors
/// As [`demo`].
pub(crate) fn demo_at(
    workspace: &Workspace,
    name: &str,
    nodes: u32,
    ipmi_port: u16,
) -> Result<Program> {
    start(workspace, name, demo_command(workspace, nodes, ipmi_port)?)
}

fn demo_command(workspace: &Workspace, nodes: u32, ipmi_port: u16) -> Result<Command> {
    let mut demo = command(binary(workspace)?);
    demo.args([
        "demo",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--nodes",
        &nodes.to_string(),
    ]);
    demo.args(["--ipmi-port", &ipmi_port.to_string()]);
    Ok(demo)
}

/// `reddrum serve` with a configuration file.
///
/// # Errors
/// Where it doesn't come to serve; with its log.
pub(crate) fn serve(workspace: &Workspace, name: &str, config: &Path) -> Result<Program> {
    let mut serve = command(binary(workspace)?);
    serve.args(["serve", "--json", "--config"]).arg(config);
    start(workspace, name, serve)
}

/// Any command of `reddrum` that says as a line of JSON when it is there.
///
/// # Errors
/// Where it doesn't say so; with its log.
pub(crate) fn start(workspace: &Workspace, name: &str, mut command: Command) -> Result<Program> {
    let folder = workspace.target.join("peers");
    fs::create_dir_all(&folder)?;
    let log_path = folder.join(format!("{name}.log"));
    // A home of its own: nothing of the person who runs the checks is touched.
    let home = folder.join("home");
    fs::create_dir_all(&home)?;
    command
        .env("HOME", &home)
        .env_remove("XDG_STATE_HOME")
        .env_remove("XDG_CONFIG_HOME");
    command
        .stdout(Stdio::piped())
        .stderr(fs::File::create(&log_path)?);
    let begin = Instant::now();
    let mut process = Background::start(command)?;
    let stdout = process.take_stdout().ok_or("no pipe to the program")?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // The pipe is read to its end: the program must never wait for us.
        for line in BufReader::new(stdout)
            .lines()
            .map_while(std::io::Result::ok)
        {
            let _ = sender.send(line);
        }
    });
    let line = process
        .wait_until(START_LIMIT, "line of JSON", || receiver.try_recv().ok())
        .map_err(|error| {
            format!(
                "{error}\n{}",
                fs::read_to_string(&log_path).unwrap_or_default()
            )
        })?;
    let start_time = begin.elapsed();
    let said: Value =
        serde_json::from_str(&line).map_err(|error| format!("{error} in {line:?}"))?;
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let bmcs = said["bmcs"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|bmc| Target {
            name: text(bmc, "name"),
            address: text(bmc, "address"),
            port: bmc["port"]
                .as_u64()
                .and_then(|port| port.try_into().ok())
                .unwrap_or(0),
            username: text(bmc, "username"),
            password: text(bmc, "password"),
        });
    Ok(Program {
        url: text(&said, "url"),
        username: text(&said, "username"),
        password: text(&said, "password"),
        bmcs: bmcs.collect(),
        process,
        log: log_path,
        start_time,
    })
}

impl Program {
    /// A logged-in client.
    ///
    /// # Errors
    /// Where the service refuses the login that it printed itself.
    pub(crate) fn client(&self) -> Result<Client> {
        let mut client = Client::new(&self.url);
        client.log_in(&self.username, &self.password)?;
        Ok(client)
    }

    /// Its number in the system.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// That it runs still: without it, every check would fail for a reason that nobody sees.
    ///
    /// # Errors
    /// How it ended and the end of its log, where it did.
    pub(crate) fn expect_running(&mut self) -> Result {
        let log = || fs::read_to_string(&self.log).unwrap_or_default();
        self.process
            .expect_running()
            .map_err(|error| format!("{error}\n{}", log()).into())
    }

    /// Ends it as Ctrl-C does.
    ///
    /// # Errors
    /// Where it doesn't end by itself, or not with success.
    pub(crate) fn interrupt(self) -> Result {
        self.process.interrupt(END_LIMIT)
    }
}

/// Asks again and again until the answer is `Some`, for at most `limit`.
///
/// # Errors
/// Where the time passes; says what was awaited and the last reason.
pub(crate) fn eventually<T>(
    limit: Duration,
    what: &str,
    mut ask: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let end = Instant::now() + limit;
    loop {
        let reason = match ask() {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => String::new(),
            Err(error) => format!(": {error}"),
        };
        if Instant::now() >= end {
            return Err(format!("no {what} within {} s{reason}", limit.as_secs()).into());
        }
        thread::sleep(Duration::from_millis(200));
    }
}
