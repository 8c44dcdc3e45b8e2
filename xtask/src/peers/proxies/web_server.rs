//! The four web servers, each started on loopback with the configuration that `packaging/` has for it. Paths, ports and the
//! host's name are put into it, nothing else; around it stands what a distribution's own main configuration has.

use std::fmt::Write as _;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Result;
use crate::process::{Background, command, find};
use crate::workspace::Workspace;

/// How long a web server may take until it listens.
const START_LIMIT: Duration = Duration::from_secs(20);
/// How long it may take to end.
const END_LIMIT: Duration = Duration::from_secs(10);
/// Host name in the shipped configurations.
const SHIPPED_NAME: &str = "rack1.example.org";
/// The name that the checks use; it is loopback everywhere.
pub(super) const NAME: &str = "localhost";

/// Apache's modules that the shipped configuration needs, and those of Debian that could meddle with it.
const APACHE_MODULES: [&str; 12] = [
    "mpm_event",
    "authz_core",
    "reqtimeout",
    "headers",
    "env",
    "filter",
    "deflate",
    "ssl",
    "http2",
    "proxy",
    "proxy_http",
    "socache_shmcb",
];

/// Which web server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Apache,
    Nginx,
    Haproxy,
    Caddy,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Apache, Self::Nginx, Self::Haproxy, Self::Caddy];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Apache => "apache",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Caddy => "caddy",
        }
    }

    /// Whether its shipped configuration reaches RedDrum over a Unix socket.
    pub(super) const fn uses_socket(self) -> bool {
        matches!(self, Self::Apache | Self::Nginx)
    }

    const fn shipped(self) -> &'static str {
        match self {
            Self::Apache => "packaging/apache/reddrum.conf",
            Self::Nginx => "packaging/nginx/reddrum.conf",
            Self::Haproxy => "packaging/haproxy/reddrum.cfg",
            Self::Caddy => "packaging/caddy/Caddyfile",
        }
    }
}

/// What a web server needs to know of the service behind it.
pub(super) struct Behind<'a> {
    /// The Unix socket, where the shipped configuration uses one.
    pub(super) socket: &'a Path,
    /// The port on loopback, where it uses that.
    pub(super) port: u16,
    /// Certificate and private key, PEM.
    pub(super) certificate: &'a Path,
    pub(super) private_key: &'a Path,
}

/// A running web server.
pub(super) struct WebServer {
    process: Background,
    pub(super) https_port: u16,
    pub(super) http_port: u16,
}

impl WebServer {
    /// Starts it with its shipped configuration.
    ///
    /// # Errors
    /// Where it doesn't come to listen; with its log.
    pub(super) fn start(
        workspace: &Workspace,
        kind: Kind,
        folder: &Path,
        behind: &Behind<'_>,
    ) -> Result<Self> {
        let (https_port, http_port) = (free_port()?, free_port()?);
        let shipped = fs::read_to_string(workspace.path(kind.shipped()))?;
        let text = substituted(kind, &shipped, folder, behind, [https_port, http_port])?;
        let file = folder.join(Path::new(kind.shipped()).file_name().unwrap_or_default());
        fs::write(&file, text)?;
        let log = folder.join("log");
        let mut server = kind.command(folder, &file, [https_port, http_port])?;
        server.stdout(Stdio::null()).stderr(fs::File::create(&log)?);
        let mut process = Background::start(server)?;
        let said = || fs::read_to_string(&log).unwrap_or_default();
        for port in [https_port, http_port] {
            process
                .wait_until(START_LIMIT, "listener", || {
                    TcpStream::connect(("127.0.0.1", port)).ok()
                })
                .map_err(|error| format!("{error}\n{}", said()))?;
        }
        Ok(Self {
            process,
            https_port,
            http_port,
        })
    }

    pub(super) fn expect_running(&mut self) -> Result {
        self.process.expect_running()
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        // Killed, it would leave its workers behind.
        self.process.terminate(END_LIMIT);
    }
}

/// A port of loopback that nobody uses.
pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The shipped text with our paths, ports and name.
///
/// # Errors
/// Where something that is to be replaced isn't there: then the check would start something else than what is shipped.
fn substituted(
    kind: Kind,
    shipped: &str,
    folder: &Path,
    behind: &Behind<'_>,
    [https, http]: [u16; 2],
) -> Result<String> {
    let path = |path: &Path| path.display().to_string();
    let mut changes = vec![];
    match kind {
        Kind::Apache => {
            changes.push((":443>".to_owned(), format!(":{https}>")));
            changes.push((":80>".to_owned(), format!(":{http}>")));
        }
        Kind::Nginx => {
            changes.push(("listen 443".to_owned(), format!("listen 127.0.0.1:{https}")));
            changes.push(("listen 80".to_owned(), format!("listen 127.0.0.1:{http}")));
        }
        Kind::Haproxy => {
            changes.push(("bind :443".to_owned(), format!("bind 127.0.0.1:{https}")));
            changes.push(("bind :80".to_owned(), format!("bind 127.0.0.1:{http}")));
            let both = folder.join("reddrum.pem");
            let chain = fs::read_to_string(behind.certificate)?;
            fs::write(&both, chain + &fs::read_to_string(behind.private_key)?)?;
            changes.push(("/etc/haproxy/reddrum.pem".to_owned(), path(&both)));
        }
        Kind::Caddy => {}
    }
    if kind != Kind::Haproxy {
        changes.push((SHIPPED_NAME.to_owned(), NAME.to_owned()));
        let [certificate, key] = [behind.certificate, behind.private_key].map(path);
        changes.push(("/etc/reddrum/tls/certificate.pem".to_owned(), certificate));
        changes.push(("/etc/reddrum/tls/private_key.pem".to_owned(), key));
    }
    if kind.uses_socket() {
        changes.push(("/run/reddrum/http.sock".to_owned(), path(behind.socket)));
    } else {
        let port = format!("127.0.0.1:{}", behind.port);
        changes.push(("127.0.0.1:8080".to_owned(), port));
    }
    let mut text = shipped.to_owned();
    for (from, to) in changes {
        if !text.contains(&from) {
            return Err(format!("{}: {from:?} isn't in it", kind.shipped()).into());
        }
        text = text.replace(&from, &to);
    }
    Ok(text)
}

impl Kind {
    /// The command that runs it in the foreground, with what a main configuration has around `file`.
    fn command(self, folder: &Path, file: &Path, ports: [u16; 2]) -> Result<Command> {
        let main = folder.join("main.conf");
        let text = match self {
            Self::Apache => apache_main(folder, file, ports)?,
            Self::Nginx => nginx_main(folder, file),
            Self::Haproxy => "global\n    maxconn 512\n".to_owned(),
            Self::Caddy => caddy_main(file, ports),
        };
        fs::write(&main, text)?;
        let mut server;
        match self {
            Self::Apache => {
                server = command("apache2");
                server.args(["-D", "FOREGROUND", "-f"]).arg(&main);
            }
            Self::Nginx => {
                server = command("nginx");
                server.args(["-e", "stderr", "-p"]).arg(folder);
                server.arg("-c").arg(&main);
            }
            Self::Haproxy => {
                server = command("haproxy");
                server.arg("-db").arg("-f").arg(&main).arg("-f").arg(file);
            }
            Self::Caddy => {
                server = command("caddy");
                server.args(["run", "--adapter", "caddyfile", "--config"]);
                server.arg(&main);
                for name in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
                    server.env(name, folder);
                }
            }
        }
        Ok(server)
    }
}

fn apache_main(folder: &Path, file: &Path, [https, http]: [u16; 2]) -> Result<String> {
    let (dir, site, modules) = (folder.display(), file.display(), apache_modules()?);
    let mut text = format!(
        "ServerRoot {dir}\nDefaultRuntimeDir {dir}\nPidFile {dir}/pid\nErrorLog {dir}/log\n\
         User www-data\nGroup root\nListen 127.0.0.1:{https}\nListen 127.0.0.1:{http}\n"
    );
    for module in APACHE_MODULES {
        let path = modules.join(format!("mod_{module}.so"));
        let _ = writeln!(text, "LoadModule {module}_module {}", path.display());
    }
    // As Debian has them switched on.
    text += "AddOutputFilterByType DEFLATE application/json\n\
             RequestReadTimeout header=20-40,minrate=500 body=10,minrate=500\n";
    Ok(format!("{text}Include {site}\n"))
}

fn nginx_main(folder: &Path, file: &Path) -> String {
    let (dir, site) = (folder.display(), file.display());
    // gzip is as Debian has it.
    let mut text = format!(
        "daemon off;\nworker_processes 1;\npid {dir}/pid;\nuser root;\nevents {{}}\n\
         http {{\naccess_log off;\ngzip on;\n"
    );
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        let _ = writeln!(text, "{kind}_temp_path {dir}/{kind};");
    }
    format!("{text}include {site};\n}}\n")
}

fn caddy_main(file: &Path, [https, http]: [u16; 2]) -> String {
    let site = file.display();
    format!(
        "{{\n\tadmin off\n\tskip_install_trust\n\thttps_port {https}\n\thttp_port {http}\n}}\nimport {site}\n"
    )
}

fn apache_modules() -> Result<PathBuf> {
    let candidates = ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules"];
    let found = candidates
        .iter()
        .map(PathBuf::from)
        .find(|path| path.is_dir());
    let program = find("apache2");
    found.ok_or_else(|| format!("no folder with Apache's modules beside {program:?}").into())
}
