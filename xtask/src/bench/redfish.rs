//! `cargo xtask bench redfish`: answers a second of the service on one core, beside the limit in the same run.

use std::path::PathBuf;

use clap::Parser;

use super::load::{self, Handshakes, Load};
use super::redfish_python;
use super::redfish_stand::{BASIC, DOCUMENTS, NODES, PROXIED, Stand};
use crate::Result;
use crate::peers::program;
use crate::test::tools::{self, Need};
use crate::workspace::Workspace;

/// The goals, as the README states them.
const GOAL_RATIO: f64 = 0.70;
const GOAL_P99_MS: f64 = 2.0;
const GOAL_RESIDENT_MIB: f64 = 24.0;
const GOAL_START_MS: f64 = 100.0;
const GOAL_TEN_THOUSAND_S: f64 = 1.0;
/// How often the start is measured; the middle counts.
const STARTS: u32 = 7;
/// How many clients do handshakes at once, so that the server always has one to do.
const HANDSHAKE_CLIENTS: u32 = 2;
/// The burst: that many requests over that many connections.
const BURST_REQUESTS: u32 = 10_000;
const BURST_CONNECTIONS: u32 = 64;

/// Options of the benchmark.
#[derive(Parser)]
#[command(name = "cargo xtask bench redfish")]
struct Options {
    /// Seconds of each single measurement.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// How often everything is measured; the middle one counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
}

/// What is asked for.
#[derive(Clone, Copy)]
struct Target {
    name: &'static str,
    /// Index into the documents.
    document: usize,
    login: Login,
}

#[derive(Clone, Copy)]
enum Login {
    None,
    Token,
    Basic,
}

const TARGETS: [Target; 4] = [
    Target {
        name: "root, no login",
        document: 0,
        login: Login::None,
    },
    Target {
        name: "Sensor, token",
        document: 1,
        login: Login::Token,
    },
    Target {
        name: "Thermal, token",
        document: 2,
        login: Login::Token,
    },
    Target {
        name: "Thermal, Basic",
        document: 2,
        login: Login::Basic,
    },
];

/// Builds everything, measures and prints.
///
/// # Errors
/// Where something can't be installed, built, started or measured. A goal that is missed is printed, and no error: the
/// machine may be busy with something else.
pub(super) fn run(workspace: &Workspace, options: &[String]) -> Result {
    let name = "cargo xtask bench redfish".to_owned();
    let options = Options::try_parse_from(std::iter::once(&name).chain(options))?;
    if std::thread::available_parallelism()?.get() < 2 {
        return Err("one core is for the server and one for its clients: two are needed".into());
    }
    tools::install(workspace, [Need::Load, Need::Services].iter())?;
    let bare = build(workspace)?;
    let stand = Stand::start(workspace, &bare)?;
    println!(
        "\n{NODES} machines; server on core {}, clients on core {}; middle of {} runs of {} s each\n",
        load::SERVER_CORE,
        load::CLIENT_CORE,
        options.rounds,
        options.seconds
    );
    table(&stand, &options)?;
    println!();
    handshakes(&stand, &options)?;
    burst(&stand)?;
    redfish_python::table(workspace, options.seconds)?;
    let resident = load::resident_mib(stand.service.id())?;
    print_goal("resident after all that, MiB", resident, GOAL_RESIDENT_MIB);
    let mut starts = stand.starts(workspace, STARTS)?;
    starts.sort_by(f64::total_cmp);
    let middle = starts[starts.len() / 2];
    print_goal(
        "start to the first 200, ms (middle of 7)",
        middle,
        GOAL_START_MS,
    );
    demo(workspace)
}

/// The service and what it is compared with, as people build it.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    // In one go, so that both have the same build of every dependency.
    super::build_release(workspace, &["reddrum", "bare-server"])?;
    Ok(workspace.target.join("release/bare-server"))
}

/// Results of one line.
#[derive(Clone, Copy)]
struct Line {
    ours: Load,
    serialised: Load,
    ready: Load,
}

fn table(stand: &Stand, options: &Options) -> Result {
    println!(
        "| target | bytes | connections | req/s | bare, serialising | bare, ready-made | ours / serialising | p99, ms | bare's p99 |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for is_encrypted in [false, true] {
        for connections in [1, 16] {
            let mut rounds: Vec<[Line; 4]> = Vec::new();
            for _ in 0..options.rounds {
                rounds.push(round(stand, is_encrypted, connections, options.seconds)?);
            }
            for (index, target) in TARGETS.iter().enumerate() {
                let lines: Vec<Line> = rounds.iter().map(|round| round[index]).collect();
                print_line(stand, *target, is_encrypted, connections, &lines);
            }
        }
    }
    Ok(())
}

/// The middle of the rounds for each figure; the ratio is the middle of the rounds' ratios.
fn print_line(
    stand: &Stand,
    target: Target,
    is_encrypted: bool,
    connections: u32,
    rounds: &[Line],
) {
    let middle = |figure: fn(&Line) -> f64| {
        let mut all: Vec<f64> = rounds.iter().map(figure).collect();
        all.sort_by(f64::total_cmp);
        all.get((all.len().max(1) - 1) / 2)
            .copied()
            .unwrap_or(f64::NAN)
    };
    let scheme = if is_encrypted { "https" } else { "http" };
    let ratio = middle(|line| line.ours.rate / line.serialised.rate);
    let p99_ms = middle(|line| line.ours.p99_ms);
    let mut missed = String::new();
    if connections > 1 {
        if ratio < GOAL_RATIO {
            missed.push_str(" (goal 0.70)");
        }
        if p99_ms >= GOAL_P99_MS {
            missed.push_str(" (p99: goal 2 ms)");
        }
    }
    println!(
        "| {}, {scheme} | {} | {connections} | {:.0} | {:.0} | {:.0} | {ratio:.2} | {p99_ms:.2} | {:.2}{missed} |",
        target.name,
        stand.lengths[target.document],
        middle(|line| line.ours.rate),
        middle(|line| line.serialised.rate),
        middle(|line| line.ready.rate),
        middle(|line| line.serialised.p99_ms),
    );
}

/// Every target once, right after what it is compared with: the machine's speed changes with time.
fn round(stand: &Stand, is_encrypted: bool, connections: u32, seconds: u32) -> Result<[Line; 4]> {
    let wrk = |url: &str, headers: &[String]| load::wrk(url, headers, connections, seconds);
    let bare = |kind: &str, document: usize| {
        let (scheme, port) = match is_encrypted {
            false => ("http", stand.bare.http),
            true => ("https", stand.bare.https),
        };
        let name = DOCUMENTS[document];
        wrk(&format!("{scheme}://127.0.0.1:{port}/{kind}/{name}"), &[])
    };
    let ours = |target: Target| {
        let path = &stand.paths[target.document];
        let mut headers = match target.login {
            Login::None => Vec::new(),
            Login::Token => vec![stand.token.clone()],
            Login::Basic => vec![BASIC.to_owned()],
        };
        if is_encrypted {
            return wrk(&format!("{}{path}", stand.service.url), &headers);
        }
        headers.push(PROXIED.to_owned());
        wrk(&format!("http://127.0.0.1:{}{path}", stand.http), &headers)
    };
    let line = |target: Target| -> Result<Line> {
        Ok(Line {
            ready: bare("ready", target.document)?,
            serialised: bare("serialised", target.document)?,
            ours: ours(target)?,
        })
    };
    let [root, sensor, token, basic] = TARGETS;
    let (root, sensor, token) = (line(root)?, line(sensor)?, line(token)?);
    let basic = Line {
        ours: ours(basic)?,
        ..token
    };
    Ok([root, sensor, token, basic])
}

fn handshakes(stand: &Stand, options: &Options) -> Result {
    let servers = [
        ("RedDrum", port_of(&stand.service.url)?, stand.service.id()),
        ("bare hyper", stand.bare.https, stand.bare.id()),
        ("nginx", stand.nginx.https, stand.nginx.id()),
    ];
    println!("| full TLS 1.3 handshakes | a second | server's CPU, µs | a second on a busy core |");
    println!("|---|---:|---:|---:|");
    for (name, port, pid) in servers {
        let Handshakes { rate, cpu_us } =
            load::handshakes(port, pid, HANDSHAKE_CLIENTS, options.seconds)?;
        println!("| {name} | {rate:.0} | {cpu_us:.0} | {:.0} |", 1e6 / cpu_us);
    }
    println!();
    Ok(())
}

fn port_of(url: &str) -> Result<u16> {
    let port = url.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    port.ok_or_else(|| format!("{url} names no port").into())
}

/// Ten thousand requests from many connections, counted, the time to connect included.
fn burst(stand: &Stand) -> Result {
    let (thermal, token) = (&stand.paths[2], &stand.token);
    let url = format!("{}{thermal}", stand.service.url);
    let seconds = load::counted(&url, token, BURST_CONNECTIONS, BURST_REQUESTS)?;
    print_goal(
        "10,000 GETs of Thermal from 64 connections, https, s",
        seconds,
        GOAL_TEN_THOUSAND_S,
    );
    Ok(())
}

/// The demo's resident memory, its virtual BMCs included, after some load.
fn demo(workspace: &Workspace) -> Result {
    let demo = program::demo(workspace, "bench-redfish-demo", NODES)?;
    load::wrk(
        &format!("{}/redfish/v1/", demo.url),
        &[],
        BURST_CONNECTIONS,
        1,
    )?;
    let resident = load::resident_mib(demo.id())?;
    print_goal(
        "resident of the demo, its BMCs included, MiB",
        resident,
        GOAL_RESIDENT_MIB,
    );
    demo.interrupt()
}

fn print_goal(what: &str, value: f64, below: f64) {
    let verdict = if value < below { "reached" } else { "MISSED" };
    println!("{what}: {value:.2} (goal: under {below}; {verdict})");
}
