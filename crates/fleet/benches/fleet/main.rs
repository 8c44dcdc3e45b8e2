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
//! The machine's speed changes with time, from one second to the next. So both are measured in turns, a second of the engine
//! and a third of a second of the limit. For the latter engine and BMCs are held by a signal, for less time than a console
//! waits for an answer; what is asked twice for it all the same counts among the repeats. `ratio` is readings to the limit's
//! round trips, `all` every answer to them: a round asks also for the state of the machine, its event log and its boot options.
//! `CPU ns` is the engine process's user and system time a reading, `kernel` the system time alone; `bytes/BMC` what its resident
//! memory grew by while it took the fleet up, divided by the number of BMCs; `p50` and `p99` how long answers took; `log-in` the
//! processor time to open a session; `contacts` and `CPU s` the time and the processor time until every inventory was read,
//! beside polling those that were; `repeats` datagrams sent again from then on. Where no round waited in the end, the engine had
//! less to do than it could, which is said.
//!
//! `--interval 60000 --seconds 60` asks for no more than a fleet is asked for as it is run. `--steady` ([`steady`])
//! does so with every value checked, for minutes, also on a bad network; `--simulate` ([`simulate`]) checks as many
//! readings as one likes on virtual time; `--faults` ([`faults`]) shows there what faults do, each in a row.

#[path = "../../tests/telltale/checker.rs"]
mod checker;
mod engine;
mod faults;
mod limit;
mod process;
mod simulate;
mod steady;
#[path = "../../tests/support/mod.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "the tests' own, which use more of it"
)]
mod support;
#[path = "../../tests/telltale/world.rs"]
mod world;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use process::{Process, Role, spawn};

/// The UDP port of the virtual BMCs, and of the limit's server.
const PORT: u16 = 6_231;
const LIMIT_PORT: u16 = 6_232;
/// Sizes measured where none is asked for.
const NODES_DEFAULT: [u32; 3] = [1_000, 10_000, 50_000];
/// Cipher suites measured where none is asked for.
const SUITES_DEFAULT: [u8; 2] = [3, 17];
/// Seconds of each measurement where none are asked for.
const SECONDS_DEFAULT: u32 = 10;
/// How long the engine is measured at a time; then the limit is.
const ENGINE_TURN: Duration = Duration::from_secs(1);
/// With starting and ending it, shorter than the first wait for an answer, which is half a second.
const LIMIT_TURN: Duration = Duration::from_millis(330);
/// How long the limit is measured for the load that the engine is asked for.
const LOAD_SPAN: Duration = Duration::from_secs(5);
/// How long the engine runs after it was held, before it is measured again.
const RESUME: Duration = Duration::from_millis(400);
/// The engine is asked for this much of the limit.
const LOAD_DEFAULT: f64 = 1.0;

/// What was asked for on the command line.
struct Options {
    nodes: Vec<u32>,
    suites: Vec<u8>,
    seconds: u32,
    load: f64,
    interval_ms: Option<u32>,
    json: bool,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let done = match args.split_first() {
        Some((first, rest)) if first == "--role" => process::play(rest),
        Some((first, rest)) if first == "--steady" => steady::run(rest),
        Some((first, rest)) if first == "--simulate" => simulate::run(rest),
        Some((first, rest)) if first == "--faults" => faults::run_command(rest),
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
        suites: SUITES_DEFAULT.to_vec(),
        seconds: SECONDS_DEFAULT,
        load: LOAD_DEFAULT,
        interval_ms: None,
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
            "--suite" => options.suites = vec![number(value()?)?],
            "--seconds" => options.seconds = number(value()?)?,
            "--load" => options.load = number(value()?)?,
            "--interval" => options.interval_ms = Some(number(value()?)?),
            "--json" => options.json = true,
            _ => {
                return Err(bad(&format!(
                    "unknown option {arg}; there are --nodes N, --suite N, --seconds S, --load SHARE, --interval MS, --json"
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
            "{:>6} {:>5} {:>10} {:>9} {:>9} {:>5} {:>5} {:>6} {:>6} {:>9} {:>8} {:>8} {:>8} {:>8} {:>7} {:>8}",
            "BMCs",
            "suite",
            "readings/s",
            "answers/s",
            "limit/s",
            "ratio",
            "all",
            "CPU ns",
            "kernel",
            "bytes/BMC",
            "p50 ms",
            "p99 ms",
            "log-in",
            "contacts",
            "CPU s",
            "repeats"
        )?;
    }
    for &nodes in &options.nodes {
        for &suite in &options.suites {
            let mut limit = Limit::start(nodes)?;
            let wanted_per_s = limit.rate(LOAD_SPAN)? * options.load;
            let log_in_us = measure_log_ins(nodes)?;
            let interval_ms = options
                .interval_ms
                .unwrap_or_else(|| engine::interval_ms(nodes, wanted_per_s));
            let (found, limit) =
                measure_in_turns(nodes, suite, options.seconds, interval_ms, &mut limit)?;
            let row = Row {
                nodes,
                suite,
                limit,
                log_in_us,
                found,
            };
            if options.json {
                row.write_json(&mut out)?;
            } else {
                row.write(&mut out)?;
            }
            out.flush()?;
        }
    }
    Ok(())
}

/// What was measured of one size and suite.
struct Row {
    nodes: u32,
    suite: u8,
    limit: f64,
    log_in_us: f64,
    found: engine::Found,
}

impl Row {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self {
            nodes,
            suite,
            limit,
            log_in_us,
            found,
        } = self;
        writeln!(
            out,
            "{nodes:>6} {suite:>5} {:>10.0} {:>9.0} {limit:>9.0} {:>5.2} {:>5.2} {:>6.0} {:>6.0} {:>9.0} {:>8.2} {:>8.2} {log_in_us:>6.0}us {:>7.1}s {:>7.1} {:>8}",
            found.readings_per_s,
            found.answers_per_s,
            found.readings_per_s / limit,
            found.answers_per_s / limit,
            found.cpu_ns_per_reading,
            found.kernel_ns_per_reading,
            found.bytes_per_bmc,
            found.p50_ms,
            found.p99_ms,
            found.contacts_s,
            found.contacts_cpu_s,
            found.retransmits,
        )?;
        if found.rounds_waiting == 0 {
            writeln!(
                out,
                "       no round waited in the end: the engine had less to do than it could"
            )?;
        }
        Ok(())
    }

    fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let mut line = serde_json::to_value(&self.found)?;
        line["nodes"] = self.nodes.into();
        line["suite"] = self.suite.into();
        line["limit_per_s"] = self.limit.into();
        line["ratio"] = (self.found.readings_per_s / self.limit).into();
        line["ratio_of_all_answers"] = (self.found.answers_per_s / self.limit).into();
        line["log_in_cpu_us"] = self.log_in_us.into();
        writeln!(out, "{line}")
    }
}

/// The two processes that say what the machine allows.
struct Limit {
    _server: Process,
    client: Process,
}

impl Limit {
    fn start(nodes: u32) -> io::Result<Self> {
        let nodes = [nodes.to_string()];
        Ok(Self {
            _server: spawn(1, Role::LimitServer, &nodes)?.until_ready()?,
            client: spawn(0, Role::LimitClient, &nodes)?.until_ready()?,
        })
    }

    /// Round trips a second over this time.
    fn rate(&mut self, span: Duration) -> io::Result<f64> {
        number(&self.client.ask(span)?)
    }
}

fn measure_log_ins(nodes: u32) -> io::Result<f64> {
    let _bmcs = spawn(1, Role::Bmcs, &[nodes.to_string()])?.until_ready()?;
    number(&spawn(0, Role::LogIns, &[nodes.to_string()])?.last_line()?)
}

/// The engine and the limit in turns: what the engine did in so many seconds, and the limit in the mean.
fn measure_in_turns(
    nodes: u32,
    suite: u8,
    seconds: u32,
    interval_ms: u32,
    limit: &mut Limit,
) -> io::Result<(engine::Found, f64)> {
    let bmcs = spawn(1, Role::Bmcs, &[nodes.to_string()])?.until_ready()?;
    let arguments = [
        nodes.to_string(),
        interval_ms.to_string(),
        suite.to_string(),
    ];
    let mut engine = spawn(0, Role::Engine, &arguments)?.until_ready()?;
    let mut limits = 0.0;
    for _ in 0..seconds.max(1) {
        engine.ask(ENGINE_TURN)?;
        engine.hold()?;
        bmcs.hold()?;
        limits += limit.rate(LIMIT_TURN)?;
        bmcs.go_on()?;
        engine.go_on()?;
        std::thread::sleep(RESUME);
    }
    let line = engine.last_line()?;
    let found = serde_json::from_str(&line);
    let found = found.map_err(|_| bad(&format!("unexpected result: {line}")))?;
    Ok((found, limits / f64::from(seconds.max(1))))
}
