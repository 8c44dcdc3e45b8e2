//! Redfish clients that others wrote, each doing its ordinary work on a demo over TLS.
//!
//! A script in `xtask/peers/clients` drives each one, unchanged, and prints every call and how it came out. What a
//! client reads or changes is compared with what ipmitool says of the same BMC.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::program::{self, Program};
use super::report::Report;
use crate::Result;
use crate::process::{command, run as run_program, run_shown};
use crate::test::{ansible_home, clients_home};
use crate::workspace::Workspace;

/// How long one client's script may take; each wait in it has its own, shorter limit.
const LIMIT: Duration = Duration::from_secs(300);
/// How long the build of a client in Rust may take, from nothing: its compiled schemas are large.
const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);
/// One sled of nodes in its block and rack, with power bays: every kind of resource that the demo has.
const NODES: u32 = 4;

/// sushy, OpenStack's library: with Basic and with session login.
///
/// # Errors
/// Where the demo doesn't start or the script doesn't run to its end.
pub(crate) fn sushy(workspace: &Workspace, report: &mut Report) -> Result {
    python(workspace, report, "sushy")
}

/// redfishtool, DMTF's command line.
///
/// # Errors
/// As [`sushy`].
pub(crate) fn redfishtool(workspace: &Workspace, report: &mut Report) -> Result {
    python(workspace, report, "redfishtool")
}

/// redfish-utilities, DMTF's scripts.
///
/// # Errors
/// As [`sushy`].
pub(crate) fn redfish_utilities(workspace: &Workspace, report: &mut Report) -> Result {
    python(workspace, report, "redfish_utilities")
}

/// DMTF's Python library. The demo trusts the certificate of a server of images beside the script.
///
/// # Errors
/// As [`sushy`].
pub(crate) fn redfish_library(workspace: &Workspace, report: &mut Report) -> Result {
    let folder = image_server(workspace)?;
    let trust = folder.join("server.pem");
    let demo = program::demo_that_trusts(workspace, "client-redfish_library", NODES, &trust)?;
    let mut python = script(workspace, "redfish_library")?;
    python.env("REDDRUM_IMAGE_SERVER", &folder);
    visit(demo, report, python, &workspace.target.join("peers"))
}

/// Makes a certificate for a server at 127.0.0.1: `server.pem` and `server.key` in the folder that is the answer.
fn image_server(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("peers/image_server");
    fs::create_dir_all(&folder)?;
    let mut openssl = command("openssl");
    openssl.args("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=images".split(' '));
    // An authority's certificate is refused as a server's.
    openssl.args(["-addext", "subjectAltName=IP:127.0.0.1"]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    openssl.arg("-keyout").arg(folder.join("server.key"));
    openssl.arg("-out").arg(folder.join("server.pem"));
    run_program(openssl, LIMIT)?.expect_success()?;
    Ok(folder)
}

/// What the power driver of MAAS asks for.
///
/// # Errors
/// As [`sushy`].
pub(crate) fn maas(workspace: &Workspace, report: &mut Report) -> Result {
    python(workspace, report, "maas")
}

/// Ansible's modules for Redfish, in a playbook.
///
/// # Errors
/// As [`sushy`].
pub(crate) fn ansible(workspace: &Workspace, report: &mut Report) -> Result {
    let demo = program::demo(workspace, "client-ansible", NODES)?;
    let source = workspace.path("xtask/peers/clients/ansible");
    let home = ansible_home(workspace);
    let mut ansible = command(clients_home(workspace).join("bin/ansible-playbook"));
    ansible
        .args(["--inventory", "localhost,"])
        .arg(source.join("site.yml"));
    ansible
        .env("ANSIBLE_CONFIG", source.join("ansible.cfg"))
        .env("ANSIBLE_COLLECTIONS_PATH", &home)
        .env("ANSIBLE_HOME", home.join("home"));
    visit(demo, report, ansible, &workspace.target.join("peers"))
}

/// The crate `nv-redfish`, whose parsers are compiled from DMTF's CSDL.
///
/// # Errors
/// As [`sushy`]; also where it can't be built.
pub(crate) fn nv_redfish(workspace: &Workspace, report: &mut Report) -> Result {
    let home = workspace.target.join("peers/nv_redfish");
    let manifest = workspace.path("xtask/peers/clients/nv_redfish/Cargo.toml");
    let mut cargo = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--locked", "--manifest-path"]);
    cargo.arg(manifest).arg("--target-dir").arg(&home);
    run_shown(cargo, BUILD_LIMIT)?;
    let demo = program::demo(workspace, "client-nv_redfish", NODES)?;
    let client = command(home.join("debug/nv_redfish_client"));
    visit(demo, report, client, &workspace.target.join("peers"))
}

/// Runs `NAME_client.py` on a demo of its own.
fn python(workspace: &Workspace, report: &mut Report, name: &str) -> Result {
    let demo = program::demo(workspace, &format!("client-{name}"), NODES)?;
    visit(
        demo,
        report,
        script(workspace, name)?,
        &workspace.target.join("peers"),
    )
}

/// How to run `NAME_client.py`.
fn script(workspace: &Workspace, name: &str) -> Result<Command> {
    let mut python = command(clients_home(workspace).join("bin/python"));
    python.arg(workspace.path(format!("xtask/peers/clients/{name}_client.py")));
    python.env("REDDRUM_BINARY", program::binary(workspace)?);
    Ok(python)
}

/// Runs a script to its end and takes over its checks.
fn visit(mut demo: Program, report: &mut Report, mut script: Command, folder: &Path) -> Result {
    let bmcs: Vec<_> = demo
        .bmcs
        .iter()
        .map(|bmc| {
            serde_json::json!({
                "name": bmc.name, "address": bmc.address, "port": bmc.port,
                "username": bmc.username, "password": bmc.password,
            })
        })
        .collect();
    script
        .env("REDDRUM_URL", &demo.url)
        .env("REDDRUM_USERNAME", &demo.username)
        .env("REDDRUM_PASSWORD", &demo.password)
        .env("REDDRUM_BMCS", serde_json::Value::from(bmcs).to_string())
        // No cache beside the sources, no settings of the person who runs the checks.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("HOME", folder.join("home"))
        .current_dir(folder);
    let finished = run_program(script, LIMIT)?;
    let checks = report.take_over(&finished.stdout);
    // A demo that ended under a client would be the reason for whatever failed.
    report.check("the demo lived through it", demo.expect_running());
    demo.interrupt()?;
    if finished.succeeded() && checks > 0 {
        Ok(())
    } else {
        Err(finished.describe().into())
    }
}
