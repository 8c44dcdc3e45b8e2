//! `cargo xtask bench fleet-peers`: readings a second, and what one costs in processor time, of the service and of the programs that
//! others use, one after the other against the same virtual BMCs.
//!
//! The virtual BMCs have one core, whoever reads them the other. Ours is `reddrum serve` as people run it, asked for more than
//! it can do; its readings are those it counts itself. FreeIPMI's `ipmi-sensors` logs in for each run, reads with its
//! sensor records from its cache on disk, and ends; pyghmi keeps its sessions, and its records in memory. The Rust crates `ipmi`
//! and `ipmi-rs` read over sessions that stay open, without converting anything (`xtask/peers/rust-clients/`).

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::Value;

use super::load::{CLIENT_CORE, SERVER_CORE, cpu_seconds, pinned};
use super::{cli, redfish_stand};
use crate::Result;
use crate::peers::program::{self, Program};
use crate::peers::target::Target;
use crate::process::{command, run as run_program, run_shown};
use crate::test::tools::{self, Need};
use crate::workspace::Workspace;

/// RMCP's port: FreeIPMI's host ranges have no other.
const RMCP_PORT: u16 = 623;
/// What a virtual node has with a reading.
const SENSORS: usize = 50;
/// BMCs at a time by FreeIPMI.
const FANOUT: &str = "64";
/// Rust crates that open RMCP+ sessions and take requests by their numbers, and how each is used.
const RUST_CRATES: [(&str, &str); 2] = [
    ("ipmi", "0.1.2: sessions kept, a task a BMC on one thread"),
    ("ipmi-rs", "0.6.0: sessions kept, a thread a BMC"),
];
/// How long ours may take to know all machines, and how long one run of a peer.
const LIMIT: Duration = Duration::from_secs(600);

/// What somebody read, and what it cost.
#[derive(Clone, Copy, Debug)]
struct Cost {
    readings: f64,
    wall_s: f64,
    cpu_s: f64,
}

/// Options of the benchmark.
#[derive(Parser)]
#[command(name = "cargo xtask bench fleet-peers")]
struct Options {
    /// BMCs.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    nodes: u32,
    /// Seconds that each but FreeIPMI is measured.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
}

/// Runs it.
///
/// # Errors
/// Where a program is missing or fails.
pub(super) fn run(workspace: &Workspace, options: &[String]) -> Result {
    let name = "cargo xtask bench fleet-peers".to_owned();
    let Options { nodes, seconds } =
        Options::try_parse_from(std::iter::once(&name).chain(options))?;
    tools::install(workspace, [Need::Ipmi, Need::Bmcs].iter())?;
    super::build_release(workspace, &["reddrum"])?;
    let mut vbmc = pinned(CLIENT_CORE, program::binary(workspace)?);
    vbmc.args(["vbmc", "--json", "--nodes", &nodes.to_string()]);
    vbmc.args(["--ipmi-port", &RMCP_PORT.to_string()]);
    let vbmc = program::start(workspace, "bench-fleet-peers-vbmc", vbmc).map_err(|e| {
        format!("{e}\nonly root may use UDP port {RMCP_PORT}, which FreeIPMI needs")
    })?;
    println!(
        "{nodes} virtual BMCs with {SENSORS} sensors on one core, who reads them on the other; suite 3\n"
    );
    println!("| | readings/s | CPU us a reading | times ours |");
    println!("|---|---:|---:|---:|");
    let ours = ours(workspace, &vbmc.bmcs, seconds)?;
    print("`reddrum serve`, sessions kept", ours, ours);
    let theirs = freeipmi(workspace, &vbmc.bmcs)?;
    print("`ipmi-sensors`, records cached, 64 at a time", theirs, ours);
    let theirs = pyghmi(workspace, &vbmc.bmcs, seconds)?;
    print(
        "pyghmi, sessions and records kept, one BMC after the other",
        theirs,
        ours,
    );
    for (name, how) in RUST_CRATES {
        match rust_client(workspace, &vbmc.bmcs, seconds, name) {
            Ok(theirs) => print(&format!("the Rust crate `{name}`, {how}"), theirs, ours),
            Err(error) => println!("\nthe Rust crate `{name}` is left out: {error}\n"),
        }
    }
    vbmc.interrupt()
}

fn print(name: &str, read: Cost, ours: Cost) {
    let cost = |read: Cost| read.cpu_s * 1e6 / read.readings;
    println!(
        "| {name} | {:.0} | {:.1} | {:.1} |",
        read.readings / read.wall_s,
        cost(read),
        cost(read) / cost(ours),
    );
}

/// The service, with all its sessions open and all records known.
fn ours(workspace: &Workspace, bmcs: &[Target], seconds: u64) -> Result<Cost> {
    let folder = redfish_stand::fresh(&workspace.target.join("peers/bench-fleet-peers"))?;
    let (proxy, metrics) = (redfish_stand::free_port()?, redfish_stand::free_port()?);
    let config = redfish_stand::write_config(&folder, proxy, bmcs)?;
    let more = format!(
        "\n[fleet]\npoll_interval_ms = 100\n[metrics]\nlisten = \"127.0.0.1:{metrics}\"\nfleet_only = true\n"
    );
    let text = fs::read_to_string(&config)?.replace(
        "password_file = \"bmc-password\"\n",
        "password_file = \"bmc-password\"\ncipher_suites = [3]\n",
    );
    fs::write(&config, text + &more)?;
    let mut serve = pinned(SERVER_CORE, program::binary(workspace)?);
    serve.args(["serve", "--json", "--config"]).arg(&config);
    let service = program::start(workspace, "bench-fleet-peers-serve", serve)?;
    let figure = |name: &str, label: &str| redfish_stand::figure(metrics, name, label);
    program::eventually(LIMIT, "first contact with each BMC", || {
        let done = figure("bmc_contacts_total", "result=\"done\"")?;
        Ok((done >= bmcs.len() as f64).then_some(()))
    })?;
    let read = measured(&service, seconds, || figure("bmc_readings_total", ""))?;
    service.interrupt()?;
    Ok(read)
}

fn measured(service: &Program, seconds: u64, readings: impl Fn() -> Result<f64>) -> Result<Cost> {
    let (before, cpu, begin) = (readings()?, cpu_seconds(service.id())?, Instant::now());
    thread::sleep(Duration::from_secs(seconds));
    Ok(Cost {
        readings: readings()? - before,
        wall_s: begin.elapsed().as_secs_f64(),
        cpu_s: cpu_seconds(service.id())? - cpu,
    })
}

/// The second run: the first one reads the records into the cache.
fn freeipmi(workspace: &Workspace, bmcs: &[Target]) -> Result<Cost> {
    let cache = redfish_stand::fresh(&workspace.target.join("peers/bench-fleet-peers-sdr"))?;
    let bmc = bmcs.first().ok_or("no BMC")?;
    let hosts: Vec<&str> = bmcs.iter().map(|bmc| bmc.address.as_str()).collect();
    let sensors = || {
        let mut tool = pinned(SERVER_CORE, "ipmi-sensors");
        tool.args(["-h", &hosts.join(","), "-u", &bmc.username]);
        tool.args(["-p", &bmc.password, "-D", "LAN_2_0", "-I", "3"]);
        tool.args(["-F", FANOUT, "--quiet-cache", "--sdr-cache-directory"]);
        tool.arg(&cache);
        cli::measure_once(&tool, bmcs.len())
    };
    sensors()?;
    let cost = sensors()?;
    Ok(Cost {
        readings: (bmcs.len() * SENSORS) as f64,
        wall_s: cost.wall_s,
        cpu_s: cost.cpu_s,
    })
}

fn pyghmi(workspace: &Workspace, bmcs: &[Target], seconds: u64) -> Result<Cost> {
    let bmc = bmcs.first().ok_or("no BMC")?;
    let mut python = pinned(SERVER_CORE, tools::bmcs_home(workspace).join("bin/python"));
    python.arg(workspace.path("xtask/peers/bmcs/pyghmi_sensors.py"));
    python.args([&bmc.port.to_string(), &bmc.username, &bmc.password]);
    python.arg(seconds.to_string());
    python.args(bmcs.iter().map(|bmc| &bmc.address));
    told("pyghmi", &run_program(python, LIMIT)?.expect_success()?)
}

/// What a program says of itself in its last line.
fn told(name: &str, said: &str) -> Result<Cost> {
    let line = said.lines().last().unwrap_or_default();
    let said: Value = serde_json::from_str(line)?;
    let number = |key: &str| {
        let number = said[key].as_f64();
        number.ok_or_else(|| format!("{name}: no {key} in {line}"))
    };
    Ok(Cost {
        readings: number("readings")?,
        wall_s: number("wall_s")?,
        cpu_s: number("cpu_s")?,
    })
}

/// A Rust crate, in a program of its own outside the workspace.
fn rust_client(workspace: &Workspace, bmcs: &[Target], seconds: u64, name: &str) -> Result<Cost> {
    let bmc = bmcs.first().ok_or("no BMC")?;
    let folder = workspace.target.join("peers/rust-clients");
    let mut cargo = command(env!("CARGO"));
    cargo.args(["build", "--quiet", "--release", "--locked"]);
    cargo.arg("--manifest-path");
    cargo.arg(workspace.path("xtask/peers/rust-clients/Cargo.toml"));
    cargo.arg("--target-dir").arg(&folder);
    run_shown(cargo, super::BUILD_LIMIT)?;
    let mut client = pinned(SERVER_CORE, folder.join("release/rust-clients"));
    client.args([name, &bmc.port.to_string(), &bmc.username, &bmc.password]);
    client.arg(seconds.to_string());
    client.args(bmcs.iter().map(|bmc| &bmc.address));
    told(name, &run_program(client, LIMIT)?.expect_success()?)
}
