//! Installing the programs that checks need: only what is missing, only what the chosen steps use.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::process::{self, command, run, run_shown};
use crate::workspace::Workspace;

/// How long one installation may take over a slow line.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// A group of programs that a step needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// ipmitool, FreeIPMI and OpenIPMI's simulator.
    Ipmi,
    /// Wireshark's dissectors.
    Tshark,
    /// curl.
    Curl,
    /// Apache httpd, nginx, HAProxy and Caddy.
    WebServers,
    /// Python with DMTF's validators.
    Python,
    /// Python with Redfish clients.
    Clients,
    /// Python with a BMC that others wrote.
    Bmcs,
    /// The collection that has Ansible's Redfish modules.
    Ansible,
    /// Python with a Redfish service to compare with.
    Services,
    /// Chromium, Node.js and playwright-core.
    Browser,
    /// What puts load on a server: wrk and OpenSSL's s_time; nginx to compare with.
    Load,
}

/// A program and the Debian package that has it.
type Program = (&'static str, &'static str);

impl Need {
    const fn programs(self) -> &'static [Program] {
        match self {
            Self::Ipmi => &[
                ("ipmitool", "ipmitool"),
                ("ipmi-sensors", "freeipmi-tools"),
                ("ipmiping", "freeipmi-tools"),
                ("ipmi_sim", "openipmi"),
                ("sdrcomp", "openipmi"),
            ],
            Self::Tshark => &[("tshark", "tshark")],
            Self::Curl => &[("curl", "curl")],
            Self::WebServers => &[
                ("apache2", "apache2"),
                ("nginx", "nginx-light"),
                ("haproxy", "haproxy"),
                ("caddy", "caddy"),
            ],
            Self::Python | Self::Clients | Self::Bmcs | Self::Ansible | Self::Services => {
                &[("python3", "python3")]
            }
            Self::Browser => &[("chromium", "chromium"), ("node", "nodejs"), ("npm", "npm")],
            Self::Load => &[
                ("wrk", "wrk"),
                ("h2load", "nghttp2-client"),
                ("openssl", "openssl"),
                ("taskset", "util-linux"),
                ("nginx", "nginx-light"),
                ("curl", "curl"),
            ],
        }
    }
}

/// Installs what is missing.
///
/// # Errors
/// What can't be installed, and what to do by hand.
pub(crate) fn install<'a>(workspace: &Workspace, needs: impl Iterator<Item = &'a Need>) -> Result {
    let needs: BTreeSet<Need> = needs.copied().collect();
    let mut packages: BTreeSet<&str> = needs
        .iter()
        .flat_map(|need| need.programs())
        .filter(|(program, _)| !process::is_installed(program))
        .map(|(_, package)| *package)
        .collect();
    let python = [Need::Python, Need::Clients, Need::Bmcs, Need::Services];
    if python.iter().any(|need| needs.contains(need)) && !python_makes_environments() {
        packages.insert("python3-venv");
    }
    install_packages(&packages)?;
    if needs.contains(&Need::Python) {
        let pins = workspace.path("xtask/peers/requirements.txt");
        install_environment(&python_home(workspace), &pins)?;
    }
    if needs.contains(&Need::Clients) {
        let pins = workspace.path("xtask/peers/clients/requirements.txt");
        install_environment(&clients_home(workspace), &pins)?;
    }
    if needs.contains(&Need::Bmcs) {
        let pins = workspace.path("xtask/peers/bmcs/requirements.txt");
        install_environment(&bmcs_home(workspace), &pins)?;
    }
    if needs.contains(&Need::Services) {
        let pins = workspace.path("xtask/peers/services/requirements.txt");
        install_environment(&services_home(workspace), &pins)?;
    }
    if needs.contains(&Need::Ansible) {
        install_collection(workspace)?;
    }
    if needs.contains(&Need::Browser) {
        install_playwright(workspace)?;
    }
    println!("   every program is there");
    Ok(())
}

/// Debian's Python comes without the part that makes virtual environments.
fn python_makes_environments() -> bool {
    let mut python = command("python3");
    python.args(["-c", "import venv, ensurepip"]);
    run(python, Duration::from_secs(30)).is_ok_and(|finished| finished.succeeded())
}

fn install_packages(packages: &BTreeSet<&str>) -> Result {
    if packages.is_empty() {
        return Ok(());
    }
    let list: Vec<&str> = packages.iter().copied().collect();
    println!("   installing {}", list.join(" "));
    let by_hand = |error: Box<dyn std::error::Error>| {
        format!(
            "{error}\nThese Debian packages are needed: {}. Install them by hand and run again.",
            list.join(" ")
        )
    };
    run_shown(as_root("apt-get", &["update", "-qq"]), LIMIT).map_err(by_hand)?;
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(&list);
    let quiet = NoServices::begin().map_err(by_hand)?;
    run_shown(as_root("apt-get", &arguments), LIMIT).map_err(by_hand)?;
    drop(quiet);
    let all = [
        Need::Ipmi,
        Need::Tshark,
        Need::Curl,
        Need::WebServers,
        Need::Python,
        Need::Clients,
        Need::Ansible,
        Need::Services,
        Need::Browser,
        Need::Load,
    ];
    let programs = all.iter().flat_map(|need| need.programs());
    let mut installed = programs.filter(|(_, package)| packages.contains(package));
    match installed.find(|(program, _)| !process::is_installed(program)) {
        Some((program, package)) => {
            Err(format!("{package} is installed, but {program} is not found").into())
        }
        None => Ok(()),
    }
}

/// As long as it exists, Debian starts no service that it installs: we only want the programs.
struct NoServices {
    /// Whether the policy is ours to remove.
    made: bool,
}

impl NoServices {
    /// What Debian asks before it starts a service; exit code 101 = don't.
    const POLICY: &str = "/usr/sbin/policy-rc.d";

    fn begin() -> Result<Self> {
        if Path::new(Self::POLICY).exists() {
            return Ok(Self { made: false });
        }
        let script = format!(
            "printf '#!/bin/sh\\nexit 101\\n' > {0} && chmod 755 {0}",
            Self::POLICY
        );
        run_shown(as_root("sh", &["-c", &script]), LIMIT)?;
        Ok(Self { made: true })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.made {
            // A policy that stays hinders nobody but installations, and those say so.
            let _ = run_shown(as_root("rm", &["-f", Self::POLICY]), LIMIT);
        }
    }
}

/// A command as root, through sudo where we aren't, asking nothing.
fn as_root(program: &str, arguments: &[&str]) -> Command {
    let mut root = if is_root() {
        command(program)
    } else {
        let mut sudo = command("sudo");
        sudo.args(["--non-interactive", "DEBIAN_FRONTEND=noninteractive"]);
        sudo.arg(program);
        sudo
    };
    root.env("DEBIAN_FRONTEND", "noninteractive")
        .args(arguments);
    root
}

fn is_root() -> bool {
    let mut id = command("id");
    id.arg("-u");
    run(id, Duration::from_secs(10)).is_ok_and(|finished| finished.stdout.trim() == "0")
}

/// A virtual environment with what the pins name; made anew when they change.
fn install_environment(home: &Path, pins: &Path) -> Result {
    once(home, pins, || {
        let mut venv = command("python3");
        venv.args(["-m", "venv"]).arg(home);
        run_shown(venv, LIMIT)?;
        let mut pip = command(home.join("bin/pip"));
        pip.args([
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
        ])
        .arg(pins);
        run_shown(pip, LIMIT)
    })
}

/// `community.general` out of the wheel of `ansible`: the wheel has all of Ansible's collections, twenty
/// thousand files, of which the checks need one.
fn install_collection(workspace: &Workspace) -> Result {
    let home = ansible_home(workspace);
    let pins = workspace.path("xtask/peers/clients/ansible/requirements.txt");
    once(&home, &pins, || {
        let wheel = home.join("wheel");
        let mut pip = command(clients_home(workspace).join("bin/pip"));
        pip.args(["download", "--quiet", "--disable-pip-version-check"]);
        pip.args(["--no-deps", "--only-binary", ":all:", "--requirement"]);
        pip.arg(&pins).arg("--dest").arg(&wheel);
        run_shown(pip, LIMIT)?;
        let mut python = command("python3");
        python.arg(workspace.path("xtask/peers/clients/ansible/unpack.py"));
        python.arg(&wheel).arg(&home);
        run_shown(python, LIMIT)
    })
}

/// playwright-core as the lock file has it; no browser of its own is fetched.
fn install_playwright(workspace: &Workspace) -> Result {
    let home = node_home(workspace);
    let source = workspace.path("xtask/peers/browser");
    once(&home, &source.join("package-lock.json"), || {
        fs::create_dir_all(&home)?;
        for file in ["package.json", "package-lock.json"] {
            fs::copy(source.join(file), home.join(file))?;
        }
        let mut npm = command("npm");
        npm.args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel",
            "error",
        ]);
        npm.current_dir(&home);
        run_shown(npm, LIMIT)
    })
}

/// Where the validators are installed.
pub(crate) fn python_home(workspace: &Workspace) -> PathBuf {
    workspace.target.join("peers/venv")
}

/// Where the Redfish clients in Python are installed.
pub(crate) fn clients_home(workspace: &Workspace) -> PathBuf {
    workspace.target.join("peers/clients")
}

/// Where BMCs in Python are installed.
pub(crate) fn bmcs_home(workspace: &Workspace) -> PathBuf {
    workspace.target.join("peers/bmcs")
}

/// Where the Redfish services in Python are installed.
pub(crate) fn services_home(workspace: &Workspace) -> PathBuf {
    workspace.target.join("peers/services")
}

/// Where Ansible finds its collections.
pub(crate) fn ansible_home(workspace: &Workspace) -> PathBuf {
    workspace.target.join("peers/ansible")
}

/// Where playwright-core is installed.
pub(crate) fn node_home(workspace: &Workspace) -> PathBuf {
    workspace.target.join("peers/node")
}

/// Fills `home` unless it was filled from the same pins before.
fn once(home: &Path, pins: &Path, fill: impl FnOnce() -> Result) -> Result {
    let wanted =
        fs::read_to_string(pins).map_err(|error| format!("{}: {error}", pins.display()))?;
    let mark = home.join("installed-from");
    if fs::read_to_string(&mark).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    println!(
        "   installing what {} names",
        pins.file_name().unwrap_or_default().display()
    );
    if home.exists() {
        fs::remove_dir_all(home)?;
    }
    fill()?;
    fs::write(mark, wanted)?;
    Ok(())
}
