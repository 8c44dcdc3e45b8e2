//! `cargo xtask capture`: golden datagrams of ipmitool talking to ipmi_sim.
//!
//! Each vector is one run of ipmitool through our relay, kept as text: hex a datagram, its direction, and what Wireshark
//! says is inside once decrypted. Vectors are evidence. Nobody edits them; new ones get new names.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use crate::Result;
use crate::peers::ipmi_sim::{self, IpmiSim};
use crate::peers::relay::{Direction, Relay};
use crate::peers::{tap, tshark};
use crate::process::{self, command};
use crate::workspace::Workspace;

/// How long one run of ipmitool may take.
const TOOL_LIMIT: Duration = Duration::from_secs(60);

/// Where the vectors are, below the workspace's root.
pub(crate) const FOLDER: &str = "crates/ipmi/vectors";

/// What `cargo xtask capture` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only the vector of this name.
    #[arg(long)]
    only: Option<String>,
}

/// What to capture: name, cipher suite, ipmitool's arguments.
const CAPTURES: [(&str, u8, &[&str]); 8] = [
    ("suite3-get-device-id", 3, &["raw", "0x06", "0x01"]),
    ("suite3-chassis-status", 3, &["chassis", "power", "status"]),
    (
        "suite3-get-sensor-reading",
        3,
        &["raw", "0x04", "0x2d", "1"],
    ),
    ("suite3-sensor-get", 3, &["sensor", "get", "CPU1 Temp"]),
    ("suite3-sel-list", 3, &["sel", "list"]),
    ("suite3-fru-print", 3, &["fru", "print", "0"]),
    ("suite0-get-device-id", 0, &["raw", "0x06", "0x01"]),
    ("suite2-get-device-id", 2, &["raw", "0x06", "0x01"]),
];

/// Captures every vector that isn't there yet.
///
/// # Errors
/// What is missing or went wrong; no vector is written then.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result {
    let folder = workspace.target.join("capture");
    let sim = IpmiSim::start(workspace, &folder)?;
    for (name, suite, tool_arguments) in CAPTURES {
        let path = workspace.path(FOLDER).join(format!("{name}.txt"));
        if arguments.only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        if path.exists() {
            println!("{name}: kept, vectors are never rewritten");
            continue;
        }
        let text = capture(&folder, sim.port, suite, tool_arguments)?;
        fs::create_dir_all(workspace.path(FOLDER))?;
        fs::write(&path, text)?;
        println!("{name}: written");
    }
    Ok(())
}

fn capture(folder: &Path, port: u16, suite: u8, tool_arguments: &[&str]) -> Result<String> {
    let relay = Relay::start(SocketAddr::from(([127, 0, 0, 1], port)))?;
    let mut tool = command("ipmitool");
    tool.args([
        "-I",
        "lanplus",
        "-H",
        "127.0.0.1",
        "-p",
        &relay.port.to_string(),
        "-C",
        &suite.to_string(),
    ]);
    tool.args(["-U", ipmi_sim::USERNAME, "-P", ipmi_sim::PASSWORD])
        .args(tool_arguments);
    let finished = process::run(tool, TOOL_LIMIT)?;
    let record = relay.finish();
    let output = finished.expect_success()?;
    let opened = tap::open(&record, ipmi_sim::PASSWORD.as_bytes(), None)?;
    let summaries = tshark::summaries(folder, &opened.plain)?;
    let mut text = format!(
        "# {}, {}, {}\n# ipmitool -I lanplus -C {suite} … {}\n",
        version("ipmitool", "-V")?,
        openipmi_version()?,
        version("tshark", "-v")?,
        tool_arguments.join(" ")
    );
    for line in output.lines() {
        let _ = writeln!(text, "# | {}", line.trim_end());
    }
    let _ = write!(
        text,
        "suite {suite}\nusername {}\npassword {}\n",
        ipmi_sim::USERNAME,
        ipmi_sim::PASSWORD
    );
    for ((datagram, plain), summary) in record.iter().zip(&opened.plain).zip(summaries) {
        let _ = writeln!(text, "\n# {summary}");
        if plain.bytes != datagram.bytes {
            let _ = writeln!(text, "# opened: {}", hex(&plain.bytes[16..]));
        }
        let arrow = if datagram.direction == Direction::ToBmc {
            '>'
        } else {
            '<'
        };
        let _ = writeln!(text, "{arrow} {}", hex(&datagram.bytes));
    }
    Ok(text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// ipmi_sim tells its own version only, not OpenIPMI's: the package does.
fn openipmi_version() -> Result<String> {
    let mut ask = command("dpkg-query");
    ask.args(["-W", "-f", "OpenIPMI ${Version}", "openipmi"]);
    process::run(ask, Duration::from_secs(10))?.expect_success()
}

/// The first line a program says when asked for its version.
fn version(program: &str, flag: &str) -> Result<String> {
    let mut ask = command(program);
    ask.arg(flag);
    let finished = process::run(ask, Duration::from_secs(10))?;
    let said = format!("{}{}", finished.stdout, finished.stderr);
    Ok(said
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or(program)
        .trim()
        .to_owned())
}
