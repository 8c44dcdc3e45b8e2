//! `cargo xtask bench fleet`: readings a second of the engine on one core, beside what the machine allows.
//!
//! For each size of the fleet, two measurements of two processes each, one pinned to the first core and one to the
//! second, over loopback:
//!
//! 1. **limit** ([`limit`]): a client and a server exchange datagrams of the same sizes with the same work of hash
//!    and cipher, and no protocol.
//! 2. **fleet** ([`engine`]): the fleet engine polls virtual BMCs, everything included: sessions, sequence numbers,
//!    timers, decoding, conversion, threshold states, snapshots. Its poll interval is set so that it is asked
//!    for somewhat more than it can do; what it does is the result.
//!
//! `cpu_ns_per_reading` is the engine process's user and system time; `bytes_per_bmc` what its resident memory grew
//! by while it took the fleet up, divided by the number of BMCs.

mod engine;
mod limit;
mod process;

use std::io::{self, Write};
use std::process::ExitCode;

use process::{Role, spawn};

/// The UDP port of both servers.
const PORT: u16 = 6_231;
/// Sizes measured where none is asked for.
const NODES_DEFAULT: [u32; 2] = [1_000, 50_000];
/// Seconds of each measurement where none are asked for.
const SECONDS_DEFAULT: u32 = 5;
/// The engine is asked for this much of the limit.
const LOAD_DEFAULT: f64 = 0.9;

/// What was asked for on the command line.
struct Options {
    nodes: Vec<u32>,
    seconds: u32,
    load: f64,
    json: bool,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let done = match args.split_first() {
        Some((first, rest)) if first == "--role" => process::play(rest),
        _ => parse(&args).and_then(|options| run(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "bench fleet: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(args: &[String]) -> io::Result<Options> {
    let mut options = Options {
        nodes: NODES_DEFAULT.to_vec(),
        seconds: SECONDS_DEFAULT,
        load: LOAD_DEFAULT,
        json: false,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || {
            args.next()
                .ok_or_else(|| bad(&format!("{arg} needs a value")))
        };
        match arg.as_str() {
            "--nodes" => options.nodes = vec![number(value()?)?],
            "--seconds" => options.seconds = number(value()?)?,
            "--load" => options.load = number(value()?)?,
            "--json" => options.json = true,
            _ => {
                return Err(bad(&format!(
                    "unknown option {arg}; there are --nodes N, --seconds S, --load SHARE, --json"
                )));
            }
        }
    }
    Ok(options)
}

fn number<T: std::str::FromStr>(text: &str) -> io::Result<T> {
    text.parse()
        .map_err(|_| bad(&format!("'{text}' is not a number")))
}

fn bad(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

fn run(options: &Options) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if !options.json {
        writeln!(
            out,
            "{:>7} {:>12} {:>12} {:>6} {:>10} {:>10} {:>10} {:>8}",
            "BMCs", "readings/s", "limit/s", "ratio", "CPU ns", "bytes/BMC", "interval", "timeouts"
        )?;
    }
    for &nodes in &options.nodes {
        let limit = measure_limit(nodes, options.seconds)?;
        let found = measure_engine(nodes, options.seconds, limit * options.load)?;
        let ratio = found.readings_per_s / limit;
        if options.json {
            let line = serde_json::json!({
                "nodes": nodes,
                "seconds": options.seconds,
                "suite": 3,
                "readings_per_s": found.readings_per_s.round(),
                "limit_per_s": limit.round(),
                "ratio": (ratio * 1000.0).round() / 1000.0,
                "cpu_ns_per_reading": found.cpu_ns_per_reading.round(),
                "cpu_share": (found.cpu_share * 1000.0).round() / 1000.0,
                "bytes_per_bmc": found.bytes_per_bmc.round(),
                "sensors_per_bmc": found.sensors_per_bmc,
                "poll_interval_ms": found.poll_interval_ms,
                "retransmits": found.retransmits,
                "timeouts": found.timeouts,
                "set_up_s": (found.set_up_s * 10.0).round() / 10.0,
            });
            writeln!(out, "{line}")?;
        } else {
            writeln!(
                out,
                "{nodes:>7} {:>12.0} {limit:>12.0} {ratio:>6.2} {:>10.0} {:>10.0} {:>8}ms {:>8}",
                found.readings_per_s,
                found.cpu_ns_per_reading,
                found.bytes_per_bmc,
                found.poll_interval_ms,
                found.timeouts
            )?;
        }
        out.flush()?;
    }
    Ok(())
}

fn measure_limit(nodes: u32, seconds: u32) -> io::Result<f64> {
    let _server = spawn(1, Role::LimitServer, &[nodes.to_string()])?.until_ready()?;
    let client = spawn(
        0,
        Role::LimitClient,
        &[nodes.to_string(), seconds.to_string()],
    )?;
    number(&client.last_line()?)
}

fn measure_engine(nodes: u32, seconds: u32, wanted_per_s: f64) -> io::Result<engine::Found> {
    let _bmcs = spawn(1, Role::Bmcs, &[nodes.to_string()])?.until_ready()?;
    let interval_ms = engine::interval_ms(nodes, wanted_per_s);
    let arguments = [
        nodes.to_string(),
        seconds.to_string(),
        interval_ms.to_string(),
    ];
    let line = spawn(0, Role::Engine, &arguments)?.last_line()?;
    engine::Found::from_json(&line).ok_or_else(|| bad(&format!("unexpected result: {line}")))
}
