//! `cargo xtask bench cli`: one command on a thousand virtual BMCs by our program, by ipmitool in a shell loop and by
//! FreeIPMI with its fan-out; what it costs in processor time.
//!
//! The BMCs are virtual ones in a process of their own, whose time doesn't count. ipmitool is measured on some of them and
//! scaled: it works at one after the other.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::peers::program;
use crate::peers::target::Target;
use crate::process::{command, run as run_program};
use crate::workspace::Workspace;

/// BMCs.
const NODES: usize = 1_000;
/// BMCs that ipmitool is measured on.
const SAMPLE: usize = 50;
/// How long one measurement may take.
const LIMIT: Duration = Duration::from_secs(600);
/// RMCP's port: FreeIPMI's host ranges have no other.
const RMCP_PORT: u16 = 623;
/// Sessions at a time, ours and FreeIPMI's.
const FANOUT: &str = "64";

/// What a command cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) wall_s: f64,
    pub(super) cpu_s: f64,
    hosts: usize,
}

impl Cost {
    /// Milliseconds of processor time a host.
    fn cpu_ms(self) -> f64 {
        self.cpu_s * 1e3 / self.hosts as f64
    }
}

/// Runs it.
///
/// # Errors
/// Where a program is missing or fails.
pub(super) fn run(workspace: &Workspace) -> Result {
    super::build_release(workspace, &["reddrum"])?;
    let mut vbmc = command(program::binary(workspace)?);
    vbmc.args(["vbmc", "--json", "--nodes", &NODES.to_string()]);
    vbmc.args(["--ipmi-port", &RMCP_PORT.to_string()]);
    let vbmc = program::start(workspace, "bench-cli-vbmc", vbmc).map_err(|e| {
        format!("{e}\nonly root may use UDP port {RMCP_PORT}, which FreeIPMI needs")
    })?;
    let folder = workspace.target.join("peers/bench-cli");
    fs::create_dir_all(&folder)?;
    let hosts: Vec<&str> = vbmc.bmcs.iter().map(|bmc| bmc.address.as_str()).collect();
    let list = folder.join("hosts");
    fs::write(&list, hosts.join("\n"))?;
    let bmc = vbmc.bmcs.first().cloned().ok_or("no BMC")?;
    let all = hosts.join(",");
    println!("{NODES} virtual BMCs on loopback; CPU = user and system time of the client alone\n");
    println!(
        "{:<44} {:>6} {:>9} {:>9} {:>12} {:>7}",
        "", "hosts", "wall s", "CPU s", "CPU ms/host", "ratio"
    );
    for (what, ours_line) in [("power status", "power status"), ("sensor", "sensor")] {
        let ours = measure(ours(workspace, &bmc, &list, ours_line)?, NODES)?;
        print(&format!("reddrum ipmi @hosts {what}"), ours, ours);
        let sample = &hosts[..SAMPLE];
        let theirs = measure(ipmitool(&bmc, sample, ours_line), SAMPLE)?;
        print(&format!("ipmitool, a shell loop, {what}"), theirs, ours);
        if what == "power status" {
            let mut tool = freeipmi("ipmipower", &bmc, &all);
            tool.arg("--stat");
            print("ipmipower --stat", measure(tool, NODES)?, ours);
        } else {
            let cache = folder.join("sdr-cache");
            let _ = fs::remove_dir_all(&cache);
            fs::create_dir_all(&cache)?;
            for name in [
                "ipmi-sensors, first time",
                "ipmi-sensors, SDRs from its cache",
            ] {
                let tool = sensors(&bmc, &all, &cache);
                print(name, measure(tool, NODES)?, ours);
            }
        }
    }
    vbmc.interrupt()
}

fn print(name: &str, cost: Cost, ours: Cost) {
    println!(
        "{name:<44} {:>6} {:>9.2} {:>9.2} {:>12.3} {:>6.1}x",
        cost.hosts,
        cost.wall_s,
        cost.cpu_s,
        cost.cpu_ms(),
        cost.cpu_ms() / ours.cpu_ms()
    );
}

fn ours(workspace: &Workspace, bmc: &Target, list: &Path, line: &str) -> Result<Command> {
    let mut program = command(program::binary(workspace)?);
    program.arg("ipmi").arg("--hosts-file").arg(list);
    program.args(["-U", &bmc.username, "-C", "3", "--fanout", FANOUT]);
    program.env("IPMI_PASSWORD", &bmc.password);
    program.args(line.split(' '));
    Ok(program)
}

/// One process a host, one after the other.
fn ipmitool(bmc: &Target, hosts: &[&str], line: &str) -> Command {
    let mut shell = command("sh");
    let script = format!(
        "for host in {}; do ipmitool -I lanplus -C 3 -H $host -U {} -E {line} || exit 1; done",
        hosts.join(" "),
        bmc.username
    );
    shell.args(["-c", &script]);
    shell.env("IPMITOOL_PASSWORD", &bmc.password);
    shell
}

fn freeipmi(tool: &str, bmc: &Target, hosts: &str) -> Command {
    let mut command = command(tool);
    command.args(["-h", hosts, "-u", &bmc.username, "-p", &bmc.password]);
    command.args(["-D", "LAN_2_0", "-I", "3", "-F", FANOUT]);
    command
}

fn sensors(bmc: &Target, hosts: &str, cache: &Path) -> Command {
    let mut tool = freeipmi("ipmi-sensors", bmc, hosts);
    tool.arg("--quiet-cache")
        .arg("--sdr-cache-directory")
        .arg(cache);
    tool.arg("--output-sensor-thresholds");
    tool
}

/// Runs it below a shell that tells what it cost.
pub(super) fn measure(inner: Command, hosts: usize) -> Result<Cost> {
    let mut shell = command("bash");
    shell.args([
        "-c",
        "TIMEFORMAT='cost %R %U %S'; time \"$@\" > /dev/null",
        "bash",
    ]);
    shell.arg(inner.get_program()).args(inner.get_args());
    for (name, value) in inner.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    let finished = run_program(shell, LIMIT)?;
    let complaint = finished.describe();
    let told = finished
        .stderr
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("cost "));
    let numbers: Vec<f64> = told
        .unwrap_or_default()
        .split(' ')
        .filter_map(|number| number.parse().ok())
        .collect();
    match numbers.as_slice() {
        &[wall_s, user_s, system_s] if finished.succeeded() => Ok(Cost {
            wall_s,
            cpu_s: user_s + system_s,
            hosts,
        }),
        _ => Err(complaint.into()),
    }
}
