//! `--steady`: a fleet as it is run. Every sensor is read once a minute, and every published value is checked.
//!
//! Virtual nodes on one core have sixty sensors that follow a law (`vbmc::telltale`): a value says whose it is and when.
//! The fleet on the other core is measured for some minutes after it has come to rest:
//!
//! - **freshness**: how old each reading was when a newer one took its place, and how old all were, looked at twice a second;
//! - **attribution**: every snapshot is compared with the law by a thread that knows nothing else; it says how
//!   likely a single mix-up goes unnoticed, for a byte has but 256 values;
//! - processor time of the engine's threads without the checking one, resident memory, datagrams, repeats.
//!
//! Faults (`--loss`, `--duplicate`, `--reorder`, `--delay`, `--rack-off`) begin with the measurement and end with it; then it is measured how
//! long it takes until every machine has been read anew.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fleet::{Counters, Fleet};
use hardware::{Hardware, Link, NodeId};
use ipmi::bmc;
use ipmi::command::app::Guid;
use ipmi::number::PrivilegeLevel;
use vbmc::bmcs::Bmcs;
use vbmc::fault::Faults;
use vbmc::profile::Profile;
use vbmc::rack;
use vbmc::serve::{Clock, Server};
use vbmc::site::{Site, SiteOptions};
use vbmc::telltale::Law;

use super::checker::{Ages, Checker, Tally};
use super::engine::{self, Cpu};
use super::process::{Process, Role, say, spawn};
use super::{Limit, PORT, bad, number};

/// What is measured where nothing else is asked for: the load that the project was begun for.
const NODES_DEFAULT: u32 = 50_000;
const MINUTES_DEFAULT: f64 = 10.0;
const INTERVAL_MS_DEFAULT: u32 = 60_000;

/// A reading may be older than the poll interval by this much.
const LATE_MS: u64 = 1_000;

/// The goals: share of a core, resident memory.
const CPU_SHARE_GOAL: f64 = 0.15;
const RESIDENT_MB_GOAL: f64 = 250.0;

/// How long the limit is measured, before and after.
const LIMIT_SPAN: Duration = Duration::from_secs(5);

/// How often the checker walks over all machines.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Longer than any round takes without faults.
const ROUND_MS_MAX: u64 = 10_000;

/// How long machines may take to come back after faults.
const RECOVERY_MAX: Duration = Duration::from_secs(300);

/// The machines that `--rack-off` switches off: the first rack.
const RACK: Range<u32> = 0..96;

/// A law of so many epochs in a poll interval: what was read a round ago is of another one.
const EPOCHS_A_ROUND: u32 = 3;

/// What was asked for on the command line.
#[derive(Clone, Copy, Debug)]
struct Options {
    nodes: u32,
    minutes: f64,
    interval_ms: u32,
    suite: u8,
    /// In per cent, each way.
    loss: f64,
    /// In per cent.
    duplicate: f64,
    /// In per cent, each way: held back for others to overtake them.
    reorder: f64,
    delay_ms: u32,
    rack_off: bool,
    json: bool,
}

impl Options {
    fn parse(args: &[String]) -> io::Result<Self> {
        let mut options = Self {
            nodes: NODES_DEFAULT,
            minutes: MINUTES_DEFAULT,
            interval_ms: INTERVAL_MS_DEFAULT,
            suite: 3,
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            delay_ms: 0,
            rack_off: false,
            json: false,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || {
                args.next()
                    .ok_or_else(|| bad(&format!("{arg} needs a value")))
            };
            match arg.as_str() {
                "--nodes" => options.nodes = number(value()?)?,
                "--minutes" => options.minutes = number(value()?)?,
                "--interval" => options.interval_ms = number(value()?)?,
                "--suite" => options.suite = number(value()?)?,
                "--loss" => options.loss = number(value()?)?,
                "--duplicate" => options.duplicate = number(value()?)?,
                "--reorder" => options.reorder = number(value()?)?,
                "--delay" => options.delay_ms = number(value()?)?,
                "--rack-off" => options.rack_off = true,
                "--json" => options.json = true,
                _ => {
                    return Err(bad(&format!(
                        "unknown option {arg}; with --steady there are --nodes N, --minutes M, --interval MS, --suite N, --loss PERCENT, --duplicate PERCENT, --reorder PERCENT, --delay MS, --rack-off, --json"
                    )));
                }
            }
        }
        Ok(options)
    }

    fn has_faults(&self) -> bool {
        let shares = [self.loss, self.duplicate, self.reorder];
        shares.iter().any(|share| *share > 0.0) || self.delay_ms > 0 || self.rack_off
    }

    fn law(&self) -> Law {
        Law {
            seed: 1,
            epoch_s: (self.interval_ms / 1_000 / EPOCHS_A_ROUND).max(1),
        }
    }

    /// The line that tells the virtual BMCs what is wrong from now on.
    fn faults(&self) -> String {
        let permille = |percent: f64| (percent * 10.0) as u16;
        let off = if self.rack_off { RACK.end } else { RACK.start };
        format!(
            "{} {} {} {} {off}",
            permille(self.loss),
            permille(self.duplicate),
            permille(self.reorder),
            self.delay_ms
        )
    }
}

/// Some ages, in milliseconds.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Fresh {
    readings: u64,
    p50_ms: u64,
    p99_ms: u64,
    p999_ms: u64,
    max_ms: u64,
}

impl Fresh {
    fn of(ages: &Ages) -> Self {
        Self {
            readings: ages.all(),
            p50_ms: ages.quantile_ms(0.5),
            p99_ms: ages.quantile_ms(0.99),
            p999_ms: ages.quantile_ms(0.999),
            max_ms: ages.max_ms(),
        }
    }

    fn write(&self, out: &mut impl Write, what: &str, limit_ms: u64) -> io::Result<()> {
        let s = |ms: u64| ms as f64 / 1_000.0;
        let verdict = if self.p999_ms <= limit_ms {
            "within"
        } else {
            "MISSED"
        };
        writeln!(
            out,
            "{what:<34} p50 {:.2} s, p99 {:.2} s, p99.9 {:.2} s, max {:.2} s (p99.9 limit {:.0} s: {verdict}; {} readings)",
            s(self.p50_ms),
            s(self.p99_ms),
            s(self.p999_ms),
            s(self.max_ms),
            s(limit_ms),
            self.readings,
        )
    }
}

/// What was measured.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Found {
    seconds: f64,
    contacts_s: f64,
    /// When newer readings took their place, and whenever all were looked at; of machines in the rack that was off apart.
    replaced: Fresh,
    sampled: Fresh,
    sampled_in_rack: Fresh,
    checked: u64,
    wrong: u64,
    without_value: u64,
    unnoticed: f64,
    words: Vec<String>,
    cpu_share: f64,
    checking_cpu_share: f64,
    resident_bytes: u64,
    readings: u64,
    datagrams_sent: u64,
    commands: u64,
    retransmits: u64,
    timeouts: u64,
    sessions_lost: u64,
    rounds_skipped: u64,
    dropped_by_kernel: u64,
    dropped_duplicate: u64,
    dropped_late: u64,
    /// Until every machine was read anew after the faults; `None` where there were none, or it never came.
    recovery_s: Option<f64>,
}

impl Found {
    /// Whether readings are as new as they should be.
    fn is_fresh(&self, interval_ms: u32) -> bool {
        let limit_ms = u64::from(interval_ms) + LATE_MS;
        self.replaced.p999_ms <= limit_ms && self.sampled.p999_ms <= limit_ms
    }
}

/// Measures as the command line says.
pub(crate) fn run(args: &[String]) -> io::Result<()> {
    let options = Options::parse(args)?;
    let law = options.law();
    let limit_before = Limit::start(options.nodes)?.rate(LIMIT_SPAN)?;
    let arguments = [options.nodes.to_string(), law.epoch_s.to_string()];
    let mut bmcs = spawn(1, Role::Telltales, &arguments)?.until_ready()?;
    let arguments = [
        options.nodes.to_string(),
        ((options.minutes * 60.0) as u32).max(1).to_string(),
        options.interval_ms.to_string(),
        options.suite.to_string(),
        law.epoch_s.to_string(),
        u8::from(options.has_faults()).to_string(),
        u8::from(options.rack_off).to_string(),
    ];
    let mut fleet = spawn(0, Role::Steady, &arguments)?;
    expect(&mut fleet, "settled")?;
    if options.has_faults() {
        bmcs.tell(&options.faults())?;
        expect(&mut fleet, "measured")?;
        bmcs.tell("0 0 0 0 0")?;
    }
    let line = fleet.last_line()?;
    let found: Found =
        serde_json::from_str(&line).map_err(|_| bad(&format!("unexpected result: {line}")))?;
    bmcs.tell("tally")?;
    let tally = bmcs.line()?;
    drop(bmcs);
    let limit_after = Limit::start(options.nodes)?.rate(LIMIT_SPAN)?;
    let limit = limit_before.midpoint(limit_after);
    let mut out = io::stdout().lock();
    if options.json {
        let mut line = serde_json::to_value(&found)?;
        line["nodes"] = options.nodes.into();
        line["in_flight_max"] = number::<u32>(&tally)?.into();
        line["limit_per_s"] = limit.into();
        writeln!(out, "{line}")?;
    } else {
        print(&mut out, &options, &found, &tally)?;
        print_limit(&mut out, &found, limit)?;
    }
    if found.wrong > 0 {
        return Err(io::Error::other("readings were mixed up"));
    }
    // On a bad network the figures are what is asked for.
    if !options.has_faults() && !found.is_fresh(options.interval_ms) {
        return Err(io::Error::other("readings were too old"));
    }
    Ok(())
}

/// What the same number of round trips takes of a core without any protocol.
fn print_limit(out: &mut impl Write, found: &Found, limit: f64) -> io::Result<()> {
    let commands_per_s = found.commands as f64 / found.seconds;
    writeln!(
        out,
        "UDP and ciphers alone              {:.1} % of a core for as many commands (limit here {limit:.0}/s)",
        100.0 * commands_per_s / limit,
    )
}

fn expect(process: &mut Process, wanted: &str) -> io::Result<()> {
    let line = process.line()?;
    if line == wanted {
        Ok(())
    } else {
        Err(bad(&format!("'{line}' in place of '{wanted}'")))
    }
}

fn print(
    out: &mut impl Write,
    options: &Options,
    found: &Found,
    in_flight: &str,
) -> io::Result<()> {
    let limit_ms = u64::from(options.interval_ms) + LATE_MS;
    writeln!(
        out,
        "{} BMCs x 60 sensors, each read every {:.0} s, for {:.0} s; suite {}; loss {} % each way, {} % doubled, {} % held back each way, {} ms late{}",
        options.nodes,
        f64::from(options.interval_ms) / 1_000.0,
        found.seconds,
        options.suite,
        options.loss,
        options.duplicate,
        options.reorder,
        options.delay_ms,
        if options.rack_off {
            ", one rack off"
        } else {
            ""
        },
    )?;
    found
        .replaced
        .write(out, "age of readings when replaced", limit_ms)?;
    found
        .sampled
        .write(out, "age of all readings, sampled", limit_ms)?;
    if options.rack_off {
        found
            .sampled_in_rack
            .write(out, "the same in the rack", limit_ms)?;
    }
    writeln!(
        out,
        "wrong readings                     {} of {} checked (goal 0; one of another sensor goes unnoticed with {:.2} %), {} without a value",
        found.wrong,
        found.checked,
        found.unnoticed * 100.0,
        found.without_value,
    )?;
    for word in &found.words {
        writeln!(out, "    {word}")?;
    }
    print_costs(out, found, in_flight)?;
    if options.has_faults() {
        match found.recovery_s {
            Some(s) => writeln!(out, "all read anew after the faults     {s:.1} s")?,
            None => writeln!(out, "all read anew after the faults     MISSED")?,
        }
    }
    Ok(())
}

fn print_costs(out: &mut impl Write, found: &Found, in_flight: &str) -> io::Result<()> {
    writeln!(
        out,
        "engine                             {:.1} % of a core (goal {:.0} %), {:.0} MB resident (goal {RESIDENT_MB_GOAL} MB); the checks took {:.1} %",
        found.cpu_share * 100.0,
        CPU_SHARE_GOAL * 100.0,
        found.resident_bytes as f64 / 1e6,
        found.checking_cpu_share * 100.0,
    )?;
    writeln!(
        out,
        "datagrams                          {} sent for {} commands, {} repeats, {} commands given up, {} sessions lost, {} rounds left out",
        found.datagrams_sent,
        found.commands,
        found.retransmits,
        found.timeouts,
        found.sessions_lost,
        found.rounds_skipped,
    )?;
    writeln!(
        out,
        "dropped                            {} by the kernel, {} doubled, {} late; most commands in flight at a BMC: {in_flight}",
        found.dropped_by_kernel, found.dropped_duplicate, found.dropped_late,
    )?;
    writeln!(
        out,
        "first contacts                     {:.1} s",
        found.contacts_s
    )?;
    Ok(())
}

/// Serves virtual BMCs with sensors that follow a law. Each line of input says what is wrong from then on: loss each way and
/// doubling and holding back in thousandths, delay in milliseconds, how many machines are off; or `tally`, which is answered.
pub(crate) fn serve(nodes: u32, epoch_s: u32) -> io::Result<()> {
    let clock = Clock::start();
    let options = SiteOptions {
        nodes,
        seed: 1,
        epoch_s: clock.epoch_s(),
    };
    let law = Law { seed: 1, epoch_s };
    let site = Site::with_nodes(options, Profile::telltale(law)).map_err(io::Error::other)?;
    let user = bmc::User::new(
        engine::USER,
        engine::PASSWORD,
        PrivilegeLevel::ADMINISTRATOR,
    );
    let access = bmc::Config::new(vec![user.map_err(io::Error::other)?], Guid::default());
    let server = Server::start(Arc::new(Bmcs::new(Arc::new(site), &access)), clock, PORT)?;
    say("ready")?;
    for line in io::stdin().lines() {
        let line = line?;
        if line == "tally" {
            say(&server.bmcs().counters().in_flight_max.to_string())?;
            continue;
        }
        let numbers: Result<Vec<u32>, _> = line.split(' ').map(number).collect();
        let [loss, duplicate, reorder, delay_ms, off] = numbers?[..] else {
            return Err(bad(&line));
        };
        for index in 0..nodes {
            let faults = Faults {
                seed: u64::from(index),
                drop_request_permille: if index < off { 1_000 } else { loss as u16 },
                drop_reply_permille: loss as u16,
                duplicate_permille: duplicate as u16,
                reorder_permille: reorder as u16,
                delay_ms,
                ..Faults::default()
            };
            let is_good = [loss, duplicate, reorder, delay_ms] == [0; 4] && index >= off;
            server
                .bmcs()
                .set_faults(index, (!is_good).then_some(faults));
        }
    }
    Ok(())
}

/// What the measuring process is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    pub(crate) nodes: u32,
    pub(crate) seconds: u32,
    pub(crate) interval_ms: u32,
    pub(crate) suite: u8,
    pub(crate) epoch_s: u32,
    pub(crate) has_faults: bool,
    pub(crate) rack_off: bool,
}

fn unix_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A fleet with somebody who looks.
struct Watched {
    fleet: Fleet,
    ids: Vec<NodeId>,
    checker: Checker,
    /// Machines that are told apart, and who looks at those.
    apart: Range<u32>,
    apart_checker: Checker,
}

impl Watched {
    fn look(&mut self) {
        let now_ms = unix_ms();
        for (machine, id) in (0..).zip(&self.ids) {
            let Some(node) = self.fleet.node(id.as_str()) else {
                continue;
            };
            let checker = if self.apart.contains(&machine) {
                &mut self.apart_checker
            } else {
                &mut self.checker
            };
            checker.look(machine, &node, now_ms);
        }
    }

    fn look_for(&mut self, span: Duration) {
        let begin = Instant::now();
        while begin.elapsed() < span {
            std::thread::sleep(LOOK_EVERY.min(span.saturating_sub(begin.elapsed())));
            self.look();
        }
    }

    /// Until every machine answers and was read after `since_ms`.
    fn look_until_read(&mut self, since_ms: u64) -> Option<f64> {
        let begin = Instant::now();
        while begin.elapsed() < RECOVERY_MAX {
            std::thread::sleep(LOOK_EVERY);
            self.look();
            let is_anew = |id: &NodeId| {
                let node = self.fleet.node(id.as_str());
                node.is_some_and(|node| node.link == Link::Up && node.read_at_ms > since_ms)
            };
            if self.ids.iter().all(is_anew) {
                return Some(begin.elapsed().as_secs_f64());
            }
        }
        None
    }
}

/// Polls, looks and prints the figures.
pub(crate) fn measure(task: &Task) -> io::Result<()> {
    let law = Law {
        seed: 1,
        epoch_s: task.epoch_s,
    };
    let config = engine::config(PORT, task.nodes, task.interval_ms, task.suite)?;
    let ids = (0..task.nodes).filter_map(|index| NodeId::new(&rack::Slot::of_node(index).name()));
    let ids: Vec<NodeId> = ids.collect();
    let round_ms_max = if task.has_faults {
        u64::MAX
    } else {
        ROUND_MS_MAX
    };
    let began_ms = unix_ms();
    let checker = || Checker::new(law, task.nodes, began_ms, round_ms_max);
    let begin = Instant::now();
    let fleet = Fleet::start(&config).map_err(io::Error::other)?;
    engine::wait_until("reaching all BMCs", || {
        fleet.counters().contacts >= u64::from(task.nodes)
    })?;
    let contacts_s = begin.elapsed().as_secs_f64();
    let mut watched = Watched {
        fleet,
        ids,
        checker: checker(),
        apart: if task.rack_off { RACK } else { 0..0 },
        apart_checker: checker(),
    };
    // Each has had a round at its own time then.
    let settle_ms = u64::from(task.interval_ms) + LATE_MS;
    watched.look_for(Duration::from_millis(settle_ms));
    say("settled")?;
    let settled = watched.checker.take_tally();
    let settled_apart = watched.apart_checker.take_tally();
    let before = watched.fleet.figures().total().counters;
    let (start, cpu, checking) = (Instant::now(), Cpu::now()?, Cpu::of_this_thread()?);
    watched.look_for(Duration::from_secs(task.seconds.into()));
    let seconds = start.elapsed().as_secs_f64();
    let (cpu_s, checking_s) = (cpu.since()?.total_s(), checking.since()?.total_s());
    let grown = watched.fleet.figures().total().counters.since(&before);
    let tally = watched.checker.take_tally();
    let apart = watched.apart_checker.take_tally();
    let mut found = Found {
        seconds,
        contacts_s,
        sampled_in_rack: Fresh::of(&apart.sampled),
        cpu_share: (cpu_s - checking_s) / seconds,
        checking_cpu_share: checking_s / seconds,
        resident_bytes: engine::resident_bytes()?,
        ..Found::of(&grown, &tally)
    };
    if task.has_faults {
        let measured_ms = unix_ms();
        say("measured")?;
        found.recovery_s = watched.look_until_read(measured_ms);
    }
    // Mix-ups before and after count, too.
    let after = watched.checker.take_tally();
    let after_apart = watched.apart_checker.take_tally();
    for other in [settled, settled_apart, apart, after, after_apart] {
        found.checked += other.checked;
        found.wrong += other.wrong;
        found.words.extend(other.words);
    }
    say(&serde_json::to_string(&found)?)
}

impl Found {
    fn of(grown: &Counters, tally: &Tally) -> Self {
        Self {
            replaced: Fresh::of(&tally.replaced),
            sampled: Fresh::of(&tally.sampled),
            checked: tally.checked,
            wrong: tally.wrong,
            without_value: tally.without_value,
            unnoticed: tally.unnoticed(),
            words: tally.words.clone(),
            readings: grown.readings,
            datagrams_sent: grown.datagrams_sent,
            commands: grown.commands,
            retransmits: grown.retransmits,
            timeouts: grown.timeouts,
            sessions_lost: grown.sessions_lost,
            rounds_skipped: grown.rounds_skipped,
            dropped_by_kernel: grown.dropped_by_kernel,
            dropped_duplicate: grown.dropped_duplicate,
            dropped_late: grown.dropped_late,
            ..Self::default()
        }
    }
}
