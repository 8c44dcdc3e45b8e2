//! What the benchmark of the Redfish service starts: virtual BMCs, the service, and what it is compared with.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::load::{CLIENT_CORE, SERVER_CORE, pinned};
use crate::Result;
use crate::peers::program::{self, Program, eventually};
use crate::peers::redfish::Client;
use crate::peers::target::Target;
use crate::process::{Background, command, run};
use crate::workspace::Workspace;

/// How many machines the service has.
pub(super) const NODES: u32 = 4;
pub(super) const USERNAME: &str = "root";
pub(super) const PASSWORD: &str = "a-password-for-the-bench";
/// Both as RFC 7617 writes them.
pub(super) const BASIC: &str = "Authorization: Basic cm9vdDphLXBhc3N3b3JkLWZvci10aGUtYmVuY2g=";
/// What the clear-text listener wants to hear from a proxy.
pub(super) const PROXIED: &str = "X-Forwarded-Proto: https";
/// How long the first complete reading may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a server may take to begin or to end.
const LIMIT: Duration = Duration::from_secs(10);

/// A server beside the service.
pub(super) struct Peer {
    process: Background,
    /// Its port in clear text; 0 where it has none.
    pub(super) http: u16,
    /// Its port with TLS.
    pub(super) https: u16,
}

impl Peer {
    /// Its number in the system.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }
}

/// Everything that runs.
pub(super) struct Stand {
    /// The virtual BMCs.
    _fleet: Program,
    /// The service, on its core.
    pub(super) service: Program,
    /// Its port for a proxy.
    pub(super) http: u16,
    /// Header of a session.
    pub(super) token: String,
    /// Paths that are read: service root, a sensor, a Thermal.
    pub(super) paths: [String; 3],
    /// Bytes of each.
    pub(super) lengths: [usize; 3],
    /// hyper and rustls with nothing behind them.
    pub(super) bare: Peer,
    /// nginx with the same certificate.
    pub(super) nginx: Peer,
}

/// Names of the documents, in the order of [`Stand::paths`].
pub(super) const DOCUMENTS: [&str; 3] = ["root", "sensor", "thermal"];

impl Stand {
    /// Starts all of it. `bare` is the built server to compare with.
    ///
    /// # Errors
    /// Where a part doesn't start or doesn't answer.
    pub(super) fn start(workspace: &Workspace, bare: &Path) -> Result<Self> {
        let folder = fresh(&workspace.target.join("peers/bench-redfish"))?;
        let reddrum = program::binary(workspace)?;
        let mut vbmc = pinned(CLIENT_CORE, &reddrum);
        let ipmi_port = free_udp_port()?;
        vbmc.args(["vbmc", "--json", "--nodes", &NODES.to_string()]);
        vbmc.args(["--ipmi-port", &ipmi_port.to_string()]);
        let fleet = program::start(workspace, "bench-redfish-vbmc", vbmc)?;
        let http = free_port()?;
        let config = write_config(&folder, http, &fleet.bmcs)?;
        let mut serve = pinned(SERVER_CORE, &reddrum);
        serve.args(["serve", "--json", "--config"]).arg(&config);
        let service = program::start(workspace, "bench-redfish-serve", serve)?;
        let token = log_in(&service.url)?;
        let client = Client::new(&service.url).with_options(&["--header", &token]);
        let paths = paths(&client, &fleet.bmcs)?;
        let state = folder.join("state");
        for file in ["certificate.pem", "private_key.pem"] {
            fs::copy(state.join(file), folder.join(file))?;
        }
        let mut lengths = [0; 3];
        for ((path, name), length) in paths.iter().zip(DOCUMENTS).zip(&mut lengths) {
            let file = folder.join(format!("{name}.json"));
            *length = save(&format!("{}{path}", service.url), &token, &file)?;
        }
        Ok(Self {
            _fleet: fleet,
            http,
            token,
            paths,
            lengths,
            bare: start_bare(bare, &folder)?,
            nginx: start_nginx(&folder)?,
            service,
        })
    }

    /// Ends the service as Ctrl-C does, and starts it anew that many times: from start to the first 200 over clear
    /// text, in milliseconds.
    ///
    /// # Errors
    /// Where it doesn't end or start.
    pub(super) fn starts(self, workspace: &Workspace, times: u32) -> Result<Vec<f64>> {
        let (http, reddrum) = (self.http, program::binary(workspace)?);
        self.service.interrupt()?;
        let config = workspace.target.join("peers/bench-redfish/reddrum.toml");
        let mut all = Vec::new();
        for _ in 0..times {
            let mut serve = pinned(SERVER_CORE, &reddrum);
            serve.args(["serve", "--json", "--config"]).arg(&config);
            serve.stdout(Stdio::null());
            let begin = Instant::now();
            let process = Background::start(serve)?;
            while !answers(http) {
                if begin.elapsed() > LIMIT {
                    return Err("the service does not begin to answer".into());
                }
                thread::sleep(Duration::from_millis(1));
            }
            all.push(begin.elapsed().as_secs_f64() * 1000.0);
            process.interrupt(LIMIT)?;
        }
        Ok(all)
    }
}

/// Whether a GET of the service root comes back with 200.
fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<[u8; 12]> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        write!(
            stream,
            "GET /redfish/v1/ HTTP/1.1\r\nHost: localhost\r\n{PROXIED}\r\n\r\n"
        )?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(status)
    };
    ask().is_ok_and(|status| status == *b"HTTP/1.1 200")
}

pub(super) fn fresh(folder: &Path) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    Ok(folder.to_path_buf())
}

pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The sum of the samples of a metric that have this label; of all of them where it is empty.
///
/// # Errors
/// Where the page doesn't come.
pub(super) fn figure(port: u16, name: &str, label: &str) -> Result<f64> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\nhost: localhost\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    let samples = page.lines().filter(|line| {
        let labels = line
            .strip_prefix(name)
            .filter(|rest| rest.starts_with(['{', ' ']));
        labels.is_some_and(|labels| labels.contains(label))
    });
    let values = samples.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
    Ok(values.sum())
}

pub(super) fn free_udp_port() -> Result<u16> {
    Ok(UdpSocket::bind("0.0.0.0:0")?.local_addr()?.port())
}

pub(super) fn write_config(folder: &Path, listen_proxy: u16, bmcs: &[Target]) -> Result<PathBuf> {
    let bmc = bmcs.first().ok_or("the virtual BMCs name none")?;
    let secrets = [
        ("bmc-password", bmc.password.as_str()),
        ("service-password", PASSWORD),
    ];
    for (file, secret) in secrets {
        let path = folder.join(file);
        fs::write(&path, format!("{secret}\n"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    }
    let mut text = format!(
        r#"[service]
listen = "127.0.0.1:0"
state_dir = "state"
listen_proxy = "127.0.0.1:{listen_proxy}"
trusted_proxies = ["127.0.0.1"]

[[account]]
username = "{USERNAME}"
role = "Administrator"
password_file = "service-password"

[credentials.default]
username = "{}"
password_file = "bmc-password"
"#,
        bmc.username
    );
    for bmc in bmcs {
        let (host, name, port) = (&bmc.address, &bmc.name, bmc.port);
        let _ = write!(
            text,
            "\n[[target]]\nhosts = \"{host}\"\nnames = \"{name}\"\nport = {port}\n"
        );
    }
    let path = folder.join("reddrum.toml");
    fs::write(&path, text)?;
    Ok(path)
}

/// The header of a new session.
fn log_in(url: &str) -> Result<String> {
    let body = json!({"UserName": USERNAME, "Password": PASSWORD});
    let path = "/redfish/v1/SessionService/Sessions";
    let answer = Client::new(url).request("POST", path, Some(&body))?;
    let token = answer.header("X-Auth-Token").map(str::to_owned);
    answer.expect_success("login")?;
    Ok(format!(
        "X-Auth-Token: {}",
        token.ok_or("login: no X-Auth-Token")?
    ))
}

/// Root, a sensor and the Thermal of the first machine, once all machines have been read.
fn paths(client: &Client, bmcs: &[Target]) -> Result<[String; 3]> {
    for bmc in bmcs {
        let system = format!("/redfish/v1/Systems/{}", bmc.name);
        eventually(PATIENCE, "complete reading", || {
            Ok((client.get(&system)?["PowerState"] == "On").then_some(()))
        })?;
    }
    let chassis = bmcs
        .first()
        .map(|bmc| format!("/redfish/v1/Chassis/{}", bmc.name));
    let chassis = chassis.ok_or("the virtual BMCs name none")?;
    let sensors = client.get(&format!("{chassis}/Sensors"))?;
    let sensor = sensors["Members"][0]["@odata.id"].as_str();
    let sensor = sensor.ok_or("the first machine has no sensors")?;
    Ok([
        "/redfish/v1/".to_owned(),
        sensor.to_owned(),
        format!("{chassis}/Thermal"),
    ])
}

/// Keeps the bytes that the service answers with, and says how many they are.
fn save(url: &str, token: &str, file: &Path) -> Result<usize> {
    let mut curl = command("curl");
    curl.args(["--silent", "--show-error", "--insecure", "--fail"]);
    curl.args(["--header", token, "--output"])
        .arg(file)
        .arg(url);
    run(curl, LIMIT)?.expect_success()?;
    Ok(fs::read(file)?.len())
}

fn start_bare(program: &Path, folder: &Path) -> Result<Peer> {
    let mut bare = pinned(SERVER_CORE, program);
    bare.arg(folder).stdout(Stdio::piped());
    let mut process = Background::start(bare)?;
    let mut line = String::new();
    let stdout = process.take_stdout().ok_or("no pipe to the bare server")?;
    BufReader::new(stdout).read_line(&mut line)?;
    let said: Value = serde_json::from_str(&line)
        .map_err(|error| format!("the bare server doesn't listen: {error}"))?;
    let port = |key: &str| said[key].as_u64().and_then(|port| port.try_into().ok());
    let (http, https) = port("http").zip(port("https")).ok_or("no ports")?;
    Ok(Peer {
        process,
        http,
        https,
    })
}

fn start_nginx(folder: &Path) -> Result<Peer> {
    let (https, dir) = (free_port()?, folder.display());
    let mut text = format!(
        "daemon off;\nmaster_process off;\npid {dir}/pid;\nerror_log {dir}/nginx.log;\nevents {{}}\nhttp {{\n\
         access_log off;\nssl_certificate {dir}/certificate.pem;\nssl_certificate_key {dir}/private_key.pem;\n\
         ssl_protocols TLSv1.2 TLSv1.3;\nserver {{ listen 127.0.0.1:{https} ssl; root {dir}; }}\n"
    );
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        let _ = writeln!(text, "{kind}_temp_path {dir}/{kind};");
    }
    let main = folder.join("nginx.conf");
    fs::write(&main, text + "}\n")?;
    let mut nginx = pinned(SERVER_CORE, "nginx");
    nginx.args(["-e", "stderr", "-p"]).arg(folder);
    nginx.arg("-c").arg(&main);
    let mut process = Background::start(nginx)?;
    process.wait_until(LIMIT, "port of nginx", || {
        TcpStream::connect(("127.0.0.1", https)).ok()
    })?;
    Ok(Peer {
        process,
        http: 0,
        https,
    })
}
