//! `cargo xtask bench soak`: the service under the load that it is made for, for hours: whether memory, file descriptors and
//! sessions stay as they are.
//!
//! Virtual BMCs have one core. On the other, `reddrum serve` reads each sensor once a minute, as people run it: with its store,
//! its metrics, and a client that logs in now and then, reads a machine and logs out. Memory grows while a service warms up, and
//! with the documents that it keeps, up to their bound: so many machines are read first. What it grows by afterwards is the
//! slope of the straight line through what was sampled (least squares).

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;

use super::load::{CLIENT_CORE, SERVER_CORE, cpu_seconds, pinned, resident_mib};
use super::redfish_stand::{self, PASSWORD, USERNAME, figure};
use crate::Result;
use crate::peers::program::{self, Program};
use crate::peers::redfish::Client;
use crate::peers::target::Target;
use crate::process::{command, run as run_program};
use crate::workspace::Workspace;

/// How often each sensor is read, in milliseconds.
const INTERVAL_MS: u32 = 60_000;
/// How often it is looked at, and a client comes.
const SAMPLE_EVERY: Duration = Duration::from_secs(15);
/// How often a line is printed, in samples.
const LINE_EVERY: usize = 20;
/// So many machines are read before anything is looked at. The service keeps a thousand documents, each in a place that chance
/// gives it: two documents of each of these machines leave hardly a place empty.
const READ_FIRST: usize = 2_000;
/// This share of the time at the beginning is for warming up: it doesn't count for the slope.
const WARM_UP_SHARE: f64 = 0.2;
/// How long first contacts may take.
const CONTACTS_MAX: Duration = Duration::from_secs(900);
/// What grows in less time than this, after warming up, says nothing about hours.
const JUDGED_FROM_S: f64 = 1_200.0;
/// Memory that grows by more than this an hour is not flat, in per cent.
const SLOPE_MAX_PERCENT: f64 = 1.0;
/// File descriptors that may come and go with connections.
const FILES_SLACK: usize = 16;
/// BMCs that are asked in the end how many sessions they have: the service's and that of who asks.
const ASKED: usize = 200;
const SESSIONS_EXPECTED: u64 = 2;
/// How long asking them may take.
const ASK_MAX: Duration = Duration::from_secs(120);

/// Options of the benchmark.
#[derive(Parser)]
#[command(name = "cargo xtask bench soak")]
struct Options {
    /// BMCs.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    nodes: u32,
    /// Minutes after first contacts.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    minutes: u32,
}

/// One look at the service.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    at_s: f64,
    resident_mib: f64,
    bmcs_mib: f64,
    files: usize,
    cpu_s: f64,
    readings: f64,
    sessions: f64,
    lost: f64,
    repeats: f64,
    oldest_s: f64,
}

/// Runs it.
///
/// # Errors
/// Where a program fails, or something isn't as flat as it should be.
pub(super) fn run(workspace: &Workspace, options: &[String]) -> Result {
    let name = "cargo xtask bench soak".to_owned();
    let Options { nodes, minutes } =
        Options::try_parse_from(std::iter::once(&name).chain(options))?;
    super::build_release(workspace, &["reddrum"])?;
    let mut vbmc = pinned(CLIENT_CORE, program::binary(workspace)?);
    vbmc.args(["vbmc", "--json", "--nodes", &nodes.to_string()]);
    vbmc.args(["--ipmi-port", &redfish_stand::free_udp_port()?.to_string()]);
    let vbmc = program::start(workspace, "bench-soak-vbmc", vbmc)?;
    let folder = redfish_stand::fresh(&workspace.target.join("peers/bench-soak"))?;
    let metrics = redfish_stand::free_port()?;
    let mut service = start(workspace, &folder, metrics, &vbmc.bmcs)?;
    println!(
        "{nodes} virtual BMCs, each sensor read every {INTERVAL_MS} ms, for {minutes} minutes"
    );
    let begin = Instant::now();
    program::eventually(CONTACTS_MAX, "first contact with each BMC", || {
        let done = figure(metrics, "bmc_contacts_total", "result=\"done\"")?;
        Ok((done >= f64::from(nodes)).then_some(()))
    })?;
    println!(
        "first contacts within {:.0} s",
        begin.elapsed().as_secs_f64()
    );
    let stand = Stand {
        metrics,
        service: &mut service,
        bmcs: &vbmc,
    };
    let samples = stand.watch(Duration::from_secs(60 * u64::from(minutes)))?;
    let sessions = sessions_at_bmcs(workspace, &folder, &vbmc.bmcs)?;
    let judged = judge(&samples, nodes, &sessions);
    service.interrupt()?;
    vbmc.interrupt()?;
    judged
}

fn start(workspace: &Workspace, folder: &Path, metrics: u16, bmcs: &[Target]) -> Result<Program> {
    let proxy = redfish_stand::free_port()?;
    let config = redfish_stand::write_config(folder, proxy, bmcs)?;
    let more = format!(
        "\n[fleet]\npoll_interval_ms = {INTERVAL_MS}\n[metrics]\nlisten = \"127.0.0.1:{metrics}\"\nfleet_only = true\n"
    );
    let text = fs::read_to_string(&config)?;
    fs::write(&config, text + &more)?;
    let mut serve = pinned(SERVER_CORE, program::binary(workspace)?);
    serve.args(["serve", "--json", "--config"]).arg(&config);
    program::start(workspace, "bench-soak-serve", serve)
}

/// What is looked at.
struct Stand<'a> {
    /// The port of the metrics.
    metrics: u16,
    service: &'a mut Program,
    bmcs: &'a Program,
}

impl Stand<'_> {
    fn watch(self, span: Duration) -> Result<Vec<Sample>> {
        println!(
            "\n{:>7} {:>12} {:>8} {:>6} {:>10} {:>9} {:>6} {:>8} {:>9} {:>9}",
            "minutes",
            "resident MiB",
            "BMCs MiB",
            "files",
            "readings/s",
            "sessions",
            "lost",
            "repeats",
            "oldest s",
            "CPU %"
        );
        self.read(0..READ_FIRST.min(self.bmcs.bmcs.len()))?;
        let begin = Instant::now();
        let mut samples = vec![self.sample(begin)?];
        while begin.elapsed() < span {
            thread::sleep(SAMPLE_EVERY);
            self.service.expect_running()?;
            // Each time another one: where there are more than were read first, nothing is kept of it.
            let number = READ_FIRST + samples.len();
            self.read(number..number + 1)?;
            samples.push(self.sample(begin)?);
            if samples.len() % LINE_EVERY == 0 {
                let before = samples[samples.len().saturating_sub(LINE_EVERY)];
                print(&before, samples.last().unwrap_or(&before));
            }
        }
        Ok(samples)
    }

    /// Somebody logs in, reads machines, and logs out.
    fn read(&self, numbers: Range<usize>) -> Result {
        let mut client = Client::new(&self.service.url);
        client.log_in(USERNAME, PASSWORD)?;
        for number in numbers {
            let bmc = self.bmcs.bmcs.get(number % self.bmcs.bmcs.len());
            let name = &bmc.ok_or("no BMC")?.name;
            for path in [
                format!("/redfish/v1/Systems/{name}"),
                format!("/redfish/v1/Chassis/{name}/Thermal"),
            ] {
                client.get(&path)?;
            }
        }
        client.log_out()
    }

    fn sample(&self, begin: Instant) -> Result<Sample> {
        let figure = |name: &str, label: &str| figure(self.metrics, name, label);
        let files = fs::read_dir(format!("/proc/{}/fd", self.service.id()))?;
        Ok(Sample {
            at_s: begin.elapsed().as_secs_f64(),
            resident_mib: resident_mib(self.service.id())?,
            bmcs_mib: resident_mib(self.bmcs.id())?,
            files: files.count(),
            cpu_s: cpu_seconds(self.service.id())?,
            readings: figure("bmc_readings_total", "")?,
            sessions: figure("bmc_sessions_open", "")?,
            lost: figure("bmc_session_ends_total", "reason=\"lost\"")?,
            repeats: figure("bmc_retransmits_total", "")?,
            oldest_s: figure("bmc_oldest_reading_age_seconds", "")?,
        })
    }
}

fn print(before: &Sample, now: &Sample) {
    let span_s = now.at_s - before.at_s;
    println!(
        "{:>7.0} {:>12.1} {:>8.1} {:>6} {:>10.0} {:>9} {:>6} {:>8} {:>9.1} {:>9.1}",
        now.at_s / 60.0,
        now.resident_mib,
        now.bmcs_mib,
        now.files,
        (now.readings - before.readings) / span_s,
        now.sessions,
        now.lost,
        now.repeats,
        now.oldest_s,
        100.0 * (now.cpu_s - before.cpu_s) / span_s,
    );
}

/// How many sessions some BMCs, spread over all, have open while they are asked.
fn sessions_at_bmcs(workspace: &Workspace, folder: &Path, bmcs: &[Target]) -> Result<Vec<u64>> {
    let bmc = bmcs.first().ok_or("no BMC")?;
    let every = bmcs.len().div_ceil(ASKED);
    let hosts: Vec<String> = bmcs
        .iter()
        .step_by(every)
        .map(|bmc| format!("{}:{}", bmc.address, bmc.port))
        .collect();
    let list = folder.join("asked");
    fs::write(&list, hosts.join("\n"))?;
    let mut ask = command(program::binary(workspace)?);
    ask.arg("ipmi").arg("--hosts-file").arg(&list);
    ask.args(["-U", &bmc.username, "--json", "session", "info"]);
    ask.env("IPMI_PASSWORD", &bmc.password);
    let said = run_program(ask, ASK_MAX)?.expect_success()?;
    let active = |line: &str| -> Result<u64> {
        let line: serde_json::Value = serde_json::from_str(line)?;
        let active = line.pointer("/result/active");
        let active = active.and_then(serde_json::Value::as_u64);
        active.ok_or_else(|| format!("no number of sessions in {line}").into())
    };
    said.lines().map(active).collect()
}

/// What it comes to.
fn judge(samples: &[Sample], nodes: u32, at_bmcs: &[u64]) -> Result {
    let warm = ((samples.len() as f64) * WARM_UP_SHARE) as usize;
    let counted = &samples[warm.min(samples.len())..];
    let (Some(first), Some(last)) = (counted.first(), counted.last()) else {
        return Err("no samples".into());
    };
    let slope_mib_h = slope(counted, |sample| sample.resident_mib) * 3_600.0;
    let percent = 100.0 * slope_mib_h / first.resident_mib;
    let is_long = last.at_s - first.at_s >= JUDGED_FROM_S;
    if !is_long {
        println!(
            "\ntoo short to say whether memory is flat: that takes {JUDGED_FROM_S} s after warming up"
        );
    }
    let files = |samples: &[Sample]| samples.iter().map(|sample| sample.files).max();
    let half = counted.split_at(counted.len() / 2);
    let (early, late) = (files(half.0).unwrap_or(0), files(half.1).unwrap_or(0));
    let oldest_s = counted.iter().map(|s| s.oldest_s).fold(0.0, f64::max);
    let at_bmc = at_bmcs.iter().copied().max().unwrap_or(0);
    println!("\nafter {:.0} minutes of warming up:", first.at_s / 60.0);
    println!(
        "memory             {:.1} to {:.1} MiB, slope {slope_mib_h:+.2} MiB an hour ({percent:+.2} %; at most {SLOPE_MAX_PERCENT} %); virtual BMCs {:+.2} MiB an hour",
        first.resident_mib,
        last.resident_mib,
        slope(counted, |sample| sample.bmcs_mib) * 3_600.0,
    );
    println!("file descriptors   at most {early} in the first half, {late} in the second");
    println!(
        "sessions           {} open of {nodes}, {} lost; of {} BMCs asked none has more than {at_bmc} (the service's, and who asks)",
        last.sessions,
        last.lost,
        at_bmcs.len()
    );
    println!(
        "readings           {:.0} a second, the oldest {oldest_s:.1} s old, {} repeats; {:.1} % of a core",
        (last.readings - first.readings) / (last.at_s - first.at_s),
        last.repeats - first.repeats,
        100.0 * (last.cpu_s - first.cpu_s) / (last.at_s - first.at_s),
    );
    let faults = [
        (is_long && percent > SLOPE_MAX_PERCENT, "memory grows"),
        (late > early + FILES_SLACK, "file descriptors grow"),
        (
            last.sessions > f64::from(nodes),
            "sessions are leaked by the service",
        ),
        (at_bmc > SESSIONS_EXPECTED, "sessions are left open at BMCs"),
    ];
    let said: Vec<&str> = faults
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, what)| *what)
        .collect();
    match said.is_empty() {
        true => Ok(()),
        false => Err(said.join("; ").into()),
    }
}

/// Of the straight line through what was sampled, a second.
fn slope(samples: &[Sample], value: impl Fn(&Sample) -> f64) -> f64 {
    let n = samples.len().max(1) as f64;
    let mean_x = samples.iter().map(|sample| sample.at_s).sum::<f64>() / n;
    let mean_y = samples.iter().map(&value).sum::<f64>() / n;
    let both = samples
        .iter()
        .map(|s| (s.at_s - mean_x) * (value(s) - mean_y));
    let square = samples.iter().map(|s| (s.at_s - mean_x).powi(2));
    both.sum::<f64>() / square.sum::<f64>().max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(mib_a_second: f64, files: impl Fn(usize) -> usize) -> Vec<Sample> {
        let sample = |index: usize| Sample {
            at_s: 60.0 * index as f64,
            resident_mib: 100.0 + mib_a_second * 60.0 * index as f64,
            files: files(index),
            sessions: 3.0,
            ..Sample::default()
        };
        (0..100).map(sample).collect()
    }

    #[test]
    fn memory_that_grows_by_a_line_has_its_slope() {
        let found = slope(&samples(0.25, |_| 9), |sample| sample.resident_mib);
        assert!((found - 0.25).abs() < 1e-9);
    }

    #[test]
    fn what_grows_or_is_left_open_is_told() {
        assert!(judge(&samples(0.0, |_| 9), 3, &[2, 2]).is_ok());
        let told = |samples: &[Sample], sessions: &[u64]| {
            judge(samples, 3, sessions).unwrap_err().to_string()
        };
        assert_eq!(told(&samples(0.25, |_| 9), &[2]), "memory grows");
        assert!(
            judge(&samples(0.25, |_| 9)[..20], 3, &[2]).is_ok(),
            "too short"
        );
        assert_eq!(
            told(&samples(0.0, |at| 9 + at), &[2]),
            "file descriptors grow"
        );
        assert_eq!(
            told(&samples(0.0, |_| 9), &[2, 3]),
            "sessions are left open at BMCs"
        );
    }
}
