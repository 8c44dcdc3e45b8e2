//! The Redfish service in Python that people test against today, on the same core in the same run.

use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::Duration;

use super::load::{self, Load, SERVER_CORE, pinned};
use crate::Result;
use crate::peers::redfish::Client;
use crate::process::Background;
use crate::test::tools;
use crate::workspace::Workspace;

/// How long it may take to begin.
const LIMIT: Duration = Duration::from_secs(20);
/// Connections at once. It ends each after its answer.
const CONNECTIONS: u32 = 16;

/// Prints answers a second of sushy-emulator with its own fake machine, over http and without a login, which is the
/// fastest that it can be.
///
/// # Errors
/// Where it doesn't start or doesn't answer.
pub(super) fn table(workspace: &Workspace, seconds: u32) -> Result {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let program = tools::services_home(workspace).join("bin/sushy-emulator");
    let mut emulator = pinned(SERVER_CORE, program);
    emulator.args(["--fake", "--interface", "127.0.0.1"]);
    emulator.args(["--port", &port.to_string()]);
    emulator.stdout(Stdio::null()).stderr(Stdio::null());
    let mut emulator = Background::start(emulator)?;
    emulator.wait_until(LIMIT, "port of sushy-emulator", || {
        TcpStream::connect(("127.0.0.1", port)).ok()
    })?;
    let url = format!("http://127.0.0.1:{port}");
    let members = Client::new(&url).get("/redfish/v1/Chassis")?;
    let chassis = members["Members"][0]["@odata.id"].as_str();
    let chassis = chassis.ok_or("sushy-emulator has no chassis")?;
    println!(
        "| sushy-emulator 2.2.0, fake machine, no login, http | connections | req/s | p99, ms |"
    );
    println!("|---|---:|---:|---:|");
    for (name, path) in [
        ("root", "/redfish/v1/".to_owned()),
        ("Thermal", format!("{chassis}/Thermal")),
    ] {
        let Load { rate, p99_ms } = load::wrk(&format!("{url}{path}"), &[], CONNECTIONS, seconds)?;
        println!("| {name} | {CONNECTIONS} | {rate:.0} | {p99_ms:.1} |");
    }
    println!();
    Ok(())
}
