//! Sessions of IPMI 1.5 both ways: our console with another project's BMC, our virtual BMC with other projects' consoles, each
//! in every way to authenticate; and that nobody gets in with another password.

use std::net::UdpSocket;
use std::path::Path;
use std::time::Duration;

use super::program;
use super::report::Report;
use super::target::Target;
use crate::Result;
use crate::process::{Finished, command, run as run_program};
use crate::workspace::Workspace;

/// A way to authenticate, as each program calls it.
struct Way {
    ours: &'static str,
    /// Debian's ipmitool is built without MD2.
    ipmitool: Option<&'static str>,
    freeipmi: &'static str,
}

const WAYS: [Way; 4] = [
    Way {
        ours: "md5",
        ipmitool: Some("MD5"),
        freeipmi: "md5",
    },
    Way {
        ours: "md2",
        ipmitool: None,
        freeipmi: "md2",
    },
    Way {
        ours: "password",
        ipmitool: Some("PASSWORD"),
        freeipmi: "straight_password_key",
    },
    Way {
        ours: "none",
        ipmitool: Some("NONE"),
        freeipmi: "none",
    },
];

/// How long one call may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Nobody's password.
const WRONG: &str = "not the password";

/// Runs the checks; `sim` is another project's BMC.
///
/// # Errors
/// Where the virtual BMC doesn't start.
pub(crate) fn run(workspace: &Workspace, sim: &Target, report: &mut Report) -> Result {
    let port = UdpSocket::bind("0.0.0.0:0")?.local_addr()?.port();
    let mut vbmc = command(program::binary(workspace)?);
    vbmc.args(["vbmc", "--json", "--nodes", "1", "--v15"]);
    vbmc.arg(WAYS.map(|way| way.ours).join(","));
    vbmc.args(["--ipmi-port", &port.to_string()]);
    let mut vbmc = program::start(workspace, "v15", vbmc)?;
    let bmc = vbmc.bmcs.first().cloned().ok_or("no virtual BMC")?;
    let binary = program::binary(workspace)?;
    for way in &WAYS {
        let by = |console: &str, at: &str| format!("IPMI 1.5 by {}: {console} with {at}", way.ours);
        let said = ours(&binary, sim, way, &sim.password);
        report.check(&by("reddrum ipmi", "ipmi_sim"), opened(said));
        let said = ours(&binary, &bmc, way, &bmc.password);
        report.check(&by("reddrum ipmi", "reddrum vbmc"), opened(said));
        if let Some(auth) = way.ipmitool {
            let said = ipmitool(&bmc, auth, &bmc.password);
            report.check(&by("ipmitool -I lan", "reddrum vbmc"), opened(said));
        }
        let said = freeipmi(&bmc, way, &bmc.password);
        report.check(&by("FreeIPMI", "reddrum vbmc"), opened(said));
    }
    // "None" lets anybody in, as it says.
    for way in WAYS.iter().filter(|way| way.ours != "none") {
        let name = |console: &str| format!("IPMI 1.5 by {}, another password: {console}", way.ours);
        let said = ours(&binary, &bmc, way, WRONG);
        report.check(&name("reddrum ipmi"), not_activated(said));
        let said = freeipmi(&bmc, way, WRONG);
        report.check(&name("FreeIPMI"), refused(said));
        if let Some(auth) = way.ipmitool {
            report.check(&name("ipmitool"), refused(ipmitool(&bmc, auth, WRONG)));
        }
    }
    vbmc.expect_running()?;
    vbmc.interrupt()
}

fn opened(finished: Result<Finished>) -> Result {
    finished?.expect_success().map(drop)
}

fn refused(finished: Result<Finished>) -> Result {
    let finished = finished?;
    match finished.succeeded() {
        false => Ok(()),
        true => Err(format!("it got in: {}", finished.describe()).into()),
    }
}

/// Not let in, and not for another reason.
fn not_activated(finished: Result<Finished>) -> Result {
    let finished = finished?;
    let said = finished.describe();
    match !finished.succeeded() && said.contains("Activate Session") {
        true => Ok(()),
        false => Err(said.into()),
    }
}

fn ours(binary: &Path, bmc: &Target, way: &Way, password: &str) -> Result<Finished> {
    let mut program = command(binary);
    let at = format!("{}:{}", bmc.address, bmc.port);
    program.args(["ipmi", &at, "-U", &bmc.username, "--v15", way.ours]);
    program.args(["--attempts", "2", "power", "status"]);
    program.env("IPMI_PASSWORD", password);
    run_program(program, LIMIT)
}

fn ipmitool(bmc: &Target, auth: &str, password: &str) -> Result<Finished> {
    let mut tool = command("ipmitool");
    tool.args(["-I", "lan", "-A", auth, "-L", "USER", "-R", "2"]);
    tool.args(["-H", &bmc.address, "-p", &bmc.port.to_string()]);
    tool.args(["-U", &bmc.username, "-E", "power", "status"]);
    tool.env("IPMITOOL_PASSWORD", password);
    run_program(tool, LIMIT)
}

fn freeipmi(bmc: &Target, way: &Way, password: &str) -> Result<Finished> {
    let mut tool = command("bmc-info");
    let at = format!("{}:{}", bmc.address, bmc.port);
    tool.args(["-h", &at, "-u", &bmc.username, "-p", password]);
    tool.args(["-D", "LAN", "-a", way.freeipmi, "--get-device-guid"]);
    run_program(tool, LIMIT)
}
