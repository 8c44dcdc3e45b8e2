//! `cargo xtask capture`: golden datagrams of ipmitool talking to ipmi_sim, and with suite 17 to our virtual BMC.
//!
//! Each vector is one run of ipmitool through our relay, kept as text: hex a datagram, its direction, and what Wireshark
//! says is inside once decrypted. Vectors are evidence. Nobody edits them; new ones get new names.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::Result;
use crate::peers::ipmi_sim::IpmiSim;
use crate::peers::program::{self, Program};
use crate::peers::relay::{Direction, Relay};
use crate::peers::target::Target;
use crate::peers::{ipmitool, tap, tshark};
use crate::process::{self, command};
use crate::workspace::Workspace;

/// Where the vectors are, below the workspace's root.
pub(crate) const FOLDER: &str = "crates/ipmi/vectors";

/// What `cargo xtask capture` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only the vector of this name.
    #[arg(long)]
    only: Option<String>,
}

/// Which BMC ipmitool talks to.
#[derive(Clone, Copy, PartialEq)]
enum Peer {
    /// OpenIPMI's simulator: neither end is ours.
    IpmiSim,
    /// Our virtual BMC: ipmi_sim has no suite with SHA-256, so only the console's half is somebody else's.
    VirtualBmc,
}

/// What to capture: name, BMC, cipher suite, ipmitool's arguments.
const CAPTURES: [(&str, Peer, u8, &[&str]); 12] = [
    (
        "suite3-get-device-id",
        Peer::IpmiSim,
        3,
        &["raw", "0x06", "0x01"],
    ),
    (
        "suite3-chassis-status",
        Peer::IpmiSim,
        3,
        &["chassis", "power", "status"],
    ),
    (
        "suite3-get-sensor-reading",
        Peer::IpmiSim,
        3,
        &["raw", "0x04", "0x2d", "1"],
    ),
    (
        "suite3-sensor-get",
        Peer::IpmiSim,
        3,
        &["sensor", "get", "CPU1 Temp"],
    ),
    ("suite3-sel-list", Peer::IpmiSim, 3, &["sel", "list"]),
    ("suite3-sensor", Peer::IpmiSim, 3, &["sensor"]),
    ("suite3-sel-elist", Peer::IpmiSim, 3, &["sel", "elist"]),
    ("suite3-fru-print", Peer::IpmiSim, 3, &["fru", "print", "0"]),
    (
        "suite0-get-device-id",
        Peer::IpmiSim,
        0,
        &["raw", "0x06", "0x01"],
    ),
    (
        "suite2-get-device-id",
        Peer::IpmiSim,
        2,
        &["raw", "0x06", "0x01"],
    ),
    (
        "suite17-get-device-id",
        Peer::VirtualBmc,
        17,
        &["raw", "0x06", "0x01"],
    ),
    (
        "suite17-chassis-status",
        Peer::VirtualBmc,
        17,
        &["chassis", "power", "status"],
    ),
];

/// Captures every vector that isn't there yet.
///
/// # Errors
/// What is missing or went wrong; no vector is written then.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result {
    let home = workspace.path(FOLDER);
    let wanted = |name: &str| arguments.only.as_deref().is_none_or(|only| only == name);
    if !CAPTURES.iter().any(|(name, ..)| wanted(name)) {
        let names: Vec<&str> = CAPTURES.iter().map(|(name, ..)| *name).collect();
        return Err(format!("no such vector; there are: {}", names.join(", ")).into());
    }
    let (missing, kept): (Vec<_>, Vec<_>) = CAPTURES
        .into_iter()
        .filter(|(name, ..)| wanted(name))
        .partition(|(name, ..)| !home.join(format!("{name}.txt")).exists());
    kept.iter()
        .for_each(|(name, ..)| println!("{name}: kept, vectors are never rewritten"));
    let folder = workspace.target.join("capture");
    fs::create_dir_all(&folder)?;
    fs::create_dir_all(&home)?;
    for peer in [Peer::IpmiSim, Peer::VirtualBmc] {
        let captures: Vec<_> = missing.iter().filter(|(_, of, ..)| *of == peer).collect();
        if captures.is_empty() {
            continue;
        }
        let bmc = Bmc::start(workspace, &folder, peer)?;
        for (name, _, suite, tool_arguments) in captures {
            let text = bmc.capture(&folder, *suite, tool_arguments)?;
            fs::write(home.join(format!("{name}.txt")), text)?;
            println!("{name}: written");
        }
    }
    Ok(())
}

/// A running BMC to capture.
struct Bmc {
    target: Target,
    version: String,
    _guard: Guard,
}

/// Ends the BMC's program with the capture.
enum Guard {
    Sim { _sim: IpmiSim },
    Demo { _demo: Program },
}

impl Bmc {
    fn start(workspace: &Workspace, folder: &Path, peer: Peer) -> Result<Self> {
        if peer == Peer::IpmiSim {
            let sim = IpmiSim::start(workspace, &folder.join("sim"))?;
            let (target, version) = (sim.target(), openipmi_version()?);
            return Ok(Self {
                target,
                version,
                _guard: Guard::Sim { _sim: sim },
            });
        }
        let demo = program::demo(workspace, "capture", 1)?;
        let target = demo.bmcs.first().cloned().ok_or("the demo names no BMC")?;
        Ok(Self {
            target,
            version: "our virtual BMC".to_owned(),
            _guard: Guard::Demo { _demo: demo },
        })
    }

    /// One run of ipmitool through the relay, as the text of a vector.
    fn capture(&self, folder: &Path, suite: u8, tool_arguments: &[&str]) -> Result<String> {
        let Target {
            address,
            port,
            username,
            password,
            ..
        } = &self.target;
        let relay = Relay::start(format!("{address}:{port}").parse()?)?;
        let relayed = Target {
            address: "127.0.0.1".to_owned(),
            port: relay.port,
            ..self.target.clone()
        };
        let finished = ipmitool::call(&relayed, suite, tool_arguments)?;
        let record = relay.finish();
        let output = finished.expect_success()?;
        let opened = tap::open(&record, password.as_bytes(), None)?;
        let summaries = tshark::summaries(folder, &opened.plain)?;
        let mut text = format!(
            "# {}, {}, {}\n# ipmitool -I lanplus -C {suite} … {}\n",
            version("ipmitool", "-V")?,
            self.version,
            version("tshark", "-v")?,
            tool_arguments.join(" ")
        );
        for line in output.lines() {
            let _ = writeln!(text, "# | {}", line.trim_end());
        }
        let _ = write!(
            text,
            "suite {suite}\nusername {username}\npassword {password}\n"
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
