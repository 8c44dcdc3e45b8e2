//! The dashboard in a real browser.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::program::{self, Program};
use super::report::Report;
use super::target::Target;
use crate::Result;
use crate::process::{command, find, run as run_program};
use crate::test::node_home;
use crate::workspace::Workspace;

/// As many nodes as the demo has without options.
const NODES: u32 = 96;
/// How long the whole visit may take; each wait in it has its own, shorter limit.
const LIMIT: Duration = Duration::from_secs(180);

/// The machine whose BMC the service can log in to, and the one whose password it has wrong.
const REACHABLE: &str = "reachable";
const UNREACHABLE: &str = "unreachable";
/// Who logs in to the service that is configured with both.
const USERNAME: &str = "operator";
const PASSWORD: &str = "Browser-visit-7";

/// Visits the demo, then a service that can't log in to one of its BMCs.
///
/// # Errors
/// Where the demo, the service or the browser doesn't start.
pub(crate) fn run(workspace: &Workspace, report: &mut Report) -> Result {
    let demo = program::demo(workspace, "browser", NODES)?;
    let screenshot = workspace.target.join("peers/dashboard.png");
    let mut dashboard = script(workspace, "dashboard.cjs", &demo.url)?;
    dashboard
        .arg(&screenshot)
        .env("REDDRUM_NODES", NODES.to_string());
    log_in_as(&mut dashboard, &demo.username, &demo.password);
    visit(dashboard, report)?;
    report.note(&format!("picture: {}", screenshot.display()));
    unreachable(workspace, report, &demo)?;
    demo.interrupt()
}

/// A service in front of two of the demo's BMCs, with a wrong password for one of them.
fn unreachable(workspace: &Workspace, report: &mut Report, demo: &Program) -> Result {
    // The last ones: the visit before has switched the first off.
    let [.., good, bad] = demo.bmcs.as_slice() else {
        return Err("the demo names no BMCs".into());
    };
    let config = write_config(&workspace.target.join("peers/browser"), good, bad)?;
    let served = program::serve(workspace, "browser-serve", &config)?;
    let mut node = script(workspace, "unreachable.cjs", &served.url)?;
    node.env("REDDRUM_REACHABLE", REACHABLE)
        .env("REDDRUM_UNREACHABLE", UNREACHABLE);
    log_in_as(&mut node, USERNAME, PASSWORD);
    visit(node, report)?;
    served.interrupt()
}

fn write_config(folder: &Path, good: &Target, bad: &Target) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    for (file, secret) in [
        ("good", good.password.as_str()),
        ("bad", "not-this-one"),
        ("service", PASSWORD),
    ] {
        let path = folder.join(file);
        fs::write(&path, format!("{secret}\n"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    }
    let account = format!("[[account]]\nusername = \"{USERNAME}\"\npassword_file = \"service\"\n");
    let mut text = format!("[service]\nlisten = \"127.0.0.1:0\"\n{account}");
    for (credentials, name, bmc) in [("good", REACHABLE, good), ("bad", UNREACHABLE, bad)] {
        let Target {
            address,
            port,
            username,
            ..
        } = bmc;
        text += &format!(
            "[credentials.{credentials}]\nusername = \"{username}\"\npassword_file = \"{credentials}\"\n\
             [[target]]\nhosts = \"{address}\"\nport = {port}\nnames = \"{name}\"\ncredentials = \"{credentials}\"\n"
        );
    }
    let path = folder.join("reddrum.toml");
    fs::write(&path, text)?;
    Ok(path)
}

/// A script of `xtask/peers/browser` with what it needs to find the browser and the service.
fn script(workspace: &Workspace, name: &str, url: &str) -> Result<Command> {
    let chromium = find("chromium").ok_or("chromium is not installed")?;
    let mut node = command("node");
    node.arg(workspace.path("xtask/peers/browser").join(name))
        .env("NODE_PATH", node_home(workspace).join("node_modules"))
        .env("REDDRUM_CHROMIUM", chromium)
        .env("REDDRUM_URL", url);
    Ok(node)
}

/// Through the environment: a command line shows in the process list.
fn log_in_as(node: &mut Command, username: &str, password: &str) {
    node.env("REDDRUM_USERNAME", username)
        .env("REDDRUM_PASSWORD", password);
}

/// Runs a script, which prints its checks as [`Report::take_over`] reads them.
fn visit(node: Command, report: &mut Report) -> Result {
    let finished = run_program(node, LIMIT)?;
    let checks = report.take_over(&finished.stdout);
    if finished.succeeded() && checks > 0 {
        Ok(())
    } else {
        Err(finished.describe().into())
    }
}
