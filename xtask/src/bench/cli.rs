//! `cargo xtask bench cli`: one command on a thousand virtual BMCs by our program, by ipmitool in a shell loop and by
//! FreeIPMI with its fan-out; what it costs in processor time.
//!
//! Each program asks as many BMCs at a time as it does by itself: ours 256, ipmi-sensors 64, ipmipower all. The BMCs are virtual ones in a
//! process of their own, whose time doesn't count. ipmitool is measured on some of them and
//! scaled: it works at one after the other.

use std::fs;
use std::path::{Path, PathBuf};
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
/// How often each command runs; the middle one counts.
const RUNS: usize = 3;
/// How long one run may take.
const LIMIT: Duration = Duration::from_secs(600);
/// RMCP's port: FreeIPMI's host ranges have no other.
const RMCP_PORT: u16 = 623;

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
    println!("{NODES} virtual BMCs on loopback; CPU = user and system time of the client alone\n");
    println!(
        "{:<44} {:>6} {:>9} {:>9} {:>12} {:>7}",
        "", "hosts", "wall s", "CPU s", "CPU ms/host", "ratio"
    );
    let stand = Stand {
        workspace,
        bmc: &bmc,
        list: &list,
        hosts: &hosts,
        folder: &folder,
    };
    stand.power()?;
    stand.sensors()?;
    vbmc.interrupt()
}

/// What the programs are measured with.
struct Stand<'a> {
    workspace: &'a Workspace,
    bmc: &'a Target,
    /// A file of all hosts.
    list: &'a Path,
    hosts: &'a [&'a str],
    folder: &'a Path,
}

impl Stand<'_> {
    fn power(&self) -> Result {
        let ours = measure(&self.ours(&["power", "status"])?, NODES)?;
        print("reddrum ipmi @hosts power status", ours, ours);
        let loop_ = ipmitool(self.bmc, self.sample(), "power status");
        let theirs = measure(&loop_, SAMPLE)?;
        print("ipmitool, a shell loop, power status", theirs, ours);
        let mut tool = freeipmi("ipmipower", self.bmc, &self.hosts.join(","));
        tool.arg("--stat");
        print(
            "ipmipower --stat, all at once",
            measure(&tool, NODES)?,
            ours,
        );
        tool.args(["-F", "64"]);
        print("ipmipower --stat -F 64", measure(&tool, NODES)?, ours);
        Ok(())
    }

    /// First by those who read the sensor data records, then by those who remember them: each beside its like.
    fn sensors(&self) -> Result {
        let ours = measure(&self.ours(&["--no-sdr-cache", "sensor"])?, NODES)?;
        print("reddrum ipmi @hosts sensor", ours, ours);
        let loop_ = ipmitool(self.bmc, self.sample(), "sensor");
        print(
            "ipmitool, a shell loop, sensor",
            measure(&loop_, SAMPLE)?,
            ours,
        );
        let cache = self.empty("freeipmi-sdr-cache")?;
        let first = sensors(self.bmc, &self.hosts.join(","), &cache);
        print(
            "ipmi-sensors, first time",
            measure_once(&first, NODES)?,
            ours,
        );

        let remembered = self.empty("sdr-cache")?.display().to_string();
        let with_cache = ["--sdr-cache", &remembered, "sensor"];
        measure_once(&self.ours(&with_cache)?, NODES)?;
        let ours = measure(&self.ours(&with_cache)?, NODES)?;
        print("reddrum ipmi @hosts sensor, remembered", ours, ours);
        let dumps = self.empty("ipmitool-sdr-dumps")?.display().to_string();
        let dump = format!("sdr dump {dumps}/$host");
        measure_once(&ipmitool(self.bmc, self.sample(), &dump), SAMPLE)?;
        let cached = format!("-S {dumps}/$host sensor");
        let cached = measure(&ipmitool(self.bmc, self.sample(), &cached), SAMPLE)?;
        print("ipmitool, a shell loop, from sdr dump", cached, ours);
        let again = sensors(self.bmc, &self.hosts.join(","), &cache);
        print(
            "ipmi-sensors, from its cache",
            measure(&again, NODES)?,
            ours,
        );
        Ok(())
    }

    fn sample(&self) -> &[&str] {
        &self.hosts[..SAMPLE]
    }

    /// A folder with nothing in it.
    fn empty(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    fn ours(&self, args: &[&str]) -> Result<Command> {
        let mut program = command(program::binary(self.workspace)?);
        program.arg("ipmi").arg("--hosts-file").arg(self.list);
        program.args(["-U", &self.bmc.username, "-C", "3"]);
        program.env("IPMI_PASSWORD", &self.bmc.password);
        program.args(args);
        Ok(program)
    }
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
    command.args(["-D", "LAN_2_0", "-I", "3"]);
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

/// Runs it several times; what the middle one cost.
fn measure(inner: &Command, hosts: usize) -> Result<Cost> {
    let costs: Result<Vec<Cost>> = (0..RUNS).map(|_| measure_once(inner, hosts)).collect();
    let mut costs = costs?;
    costs.sort_by(|a, b| a.cpu_s.total_cmp(&b.cpu_s));
    Ok(costs[RUNS / 2])
}

/// Runs it below a shell that tells what it cost.
pub(super) fn measure_once(inner: &Command, hosts: usize) -> Result<Cost> {
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
