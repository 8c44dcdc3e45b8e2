//! The dashboard in a real browser.

use std::time::Duration;

use super::program;
use super::report::Report;
use crate::Result;
use crate::process::{command, find, run as run_program};
use crate::test::node_home;
use crate::workspace::Workspace;

/// As many nodes as the demo has without options.
const NODES: u32 = 96;
/// How long the whole visit may take; each wait in it has its own, shorter limit.
const LIMIT: Duration = Duration::from_secs(180);

/// Runs the script, which prints its checks as [`Report::take_over`] reads them.
///
/// # Errors
/// Where the demo or the browser doesn't start.
pub(crate) fn run(workspace: &Workspace, report: &mut Report) -> Result {
    let demo = program::demo(workspace, "browser", NODES)?;
    let screenshot = workspace.target.join("peers/dashboard.png");
    let mut node = command("node");
    node.arg(workspace.path("xtask/peers/browser/dashboard.cjs"))
        .arg(&screenshot);
    node.env("NODE_PATH", node_home(workspace).join("node_modules"));
    let chromium = find("chromium").ok_or("chromium is not installed")?;
    node.env("REDDRUM_CHROMIUM", chromium);
    // Through the environment: a command line shows in the process list.
    node.env("REDDRUM_URL", &demo.url)
        .env("REDDRUM_NODES", NODES.to_string());
    node.env("REDDRUM_USERNAME", &demo.username)
        .env("REDDRUM_PASSWORD", &demo.password);
    let finished = run_program(node, LIMIT)?;
    let checks = report.take_over(&finished.stdout);
    report.note(&format!("picture: {}", screenshot.display()));
    demo.interrupt()?;
    if finished.succeeded() && checks > 0 {
        Ok(())
    } else {
        Err(finished.describe().into())
    }
}
