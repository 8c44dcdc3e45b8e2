//! Apache, nginx, HAProxy and Caddy in front of the service, each with the configuration that we ship.

mod client;
mod long;
mod smuggle;
mod spoof;
mod web_server;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::program::{self, Program, eventually};
use super::redfish::Client;
use super::report::Report;
use super::target::Target;
use crate::Result;
use crate::workspace::Workspace;
use web_server::{Behind, Kind, WebServer, free_port};

const USERNAME: &str = "root";
const PASSWORD: &str = "a-password-for-the-check";
/// How long the first complete reading may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The only proxy that is trusted. Clients come from [`CLIENT`], so that it shows which of both the service takes for one.
const PROXY: &str = "127.0.0.1";
/// Where clients come from.
const CLIENT: &str = "127.0.0.2";

/// The service behind one web server, and that web server.
struct Stand {
    program: Program,
    web: WebServer,
    kind: Kind,
    machine: String,
    bmc: Target,
    /// Our program.
    binary: PathBuf,
    /// For the files of the checks.
    folder: PathBuf,
}

/// Runs the checks.
///
/// # Errors
/// Where the service or a web server doesn't start.
pub(crate) fn run(workspace: &Workspace, report: &mut Report) -> Result {
    let demo = program::demo(workspace, "proxies-demo", 2)?;
    let bmc = demo.bmcs.first().ok_or("the demo names no BMC")?;
    for kind in Kind::ALL {
        let mut stand = Stand::start(workspace, kind, bmc)?;
        report.note(&format!("through {}", kind.name()));
        client::run(&stand, report)?;
        long::run(&stand, report)?;
        spoof::run(&stand, report)?;
        smuggle::run(&stand, report)?;
        report.check("the web server runs still", stand.web.expect_running());
        report.check("the service runs still", stand.program.expect_running());
        let Stand { program, web, .. } = stand;
        drop(web);
        report.check("Ctrl-C ends the service", program.interrupt());
    }
    report.check("Ctrl-C ends the demo", demo.interrupt());
    Ok(())
}

impl Stand {
    fn start(workspace: &Workspace, kind: Kind, bmc: &Target) -> Result<Self> {
        let folder = workspace.target.join("peers/proxies").join(kind.name());
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        // Web servers drop their rights; and a socket's path may not be long.
        let socket =
            std::env::temp_dir().join(format!("reddrum-proxies-{}.sock", std::process::id()));
        let port = free_port()?;
        let listen = if kind.uses_socket() {
            format!("unix:{}", socket.display())
        } else {
            format!("127.0.0.1:{port}")
        };
        let config = write_config(&folder, &listen, bmc)?;
        let program = program::serve(workspace, &format!("proxies-{}", kind.name()), &config)?;
        let state = folder.join("state");
        let behind = Behind {
            socket: &socket,
            port,
            certificate: &state.join("certificate.pem"),
            private_key: &state.join("private_key.pem"),
        };
        let web = WebServer::start(workspace, kind, &folder, &behind)?;
        let stand = Self {
            program,
            web,
            kind,
            machine: bmc.name.clone(),
            bmc: bmc.clone(),
            binary: program::binary(workspace)?,
            folder: folder.clone(),
        };
        let direct = stand.direct()?;
        let system = format!("/redfish/v1/Systems/{}", stand.machine);
        eventually(PATIENCE, "complete reading", || {
            Ok((direct.get(&system)?["PowerState"] == "On").then_some(()))
        })?;
        Ok(stand)
    }

    /// `https://localhost:PORT` of the web server.
    fn url(&self) -> String {
        format!("https://{}:{}", web_server::NAME, self.web.https_port)
    }

    /// `http://localhost:PORT` of the web server.
    fn plain_url(&self) -> String {
        format!("http://{}:{}", web_server::NAME, self.web.http_port)
    }

    /// A client of the web server that comes from [`CLIENT`], not logged in.
    fn client(&self) -> Client {
        Client::new(&self.url()).with_options(&["--interface", CLIENT, "--ipv4", "--path-as-is"])
    }

    /// A client that goes past the web server, logged in.
    fn direct(&self) -> Result<Client> {
        let mut client = Client::new(&self.program.url).with_options(&["--interface", CLIENT]);
        client.log_in(USERNAME, PASSWORD)?;
        Ok(client)
    }
}

fn write_config(folder: &Path, listen_proxy: &str, bmc: &Target) -> Result<PathBuf> {
    for (file, secret) in [
        ("bmc-password", bmc.password.as_str()),
        ("service-password", PASSWORD),
    ] {
        let path = folder.join(file);
        fs::write(&path, format!("{secret}\n"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    }
    let text = format!(
        r#"[service]
listen = "127.0.0.1:0"
state_dir = "state"
listen_proxy = "{listen_proxy}"
trusted_proxies = ["{PROXY}"]

[[account]]
username = "{USERNAME}"
role = "Administrator"
password_file = "service-password"

[credentials.default]
username = "{}"
password_file = "bmc-password"

[[target]]
hosts = "{}"
names = "{}"
port = {}
"#,
        bmc.username, bmc.address, bmc.name, bmc.port
    );
    let path = folder.join("reddrum.toml");
    fs::write(&path, text)?;
    Ok(path)
}
