//! Programs that put load on a server, and what the kernel says of the server under it.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::process::{command, run};

/// The core of the server that is measured.
pub(super) const SERVER_CORE: &str = "0";
/// The core of everything else.
pub(super) const CLIENT_CORE: &str = "1";
/// How much longer than asked for a load may take.
const MARGIN: Duration = Duration::from_secs(15);
/// Clock ticks a second in `/proc/PID/stat`: on Linux always 100 to programs.
const TICKS_A_SECOND: f64 = 100.0;

/// A command that runs on one core only.
pub(super) fn pinned(core: &str, program: impl AsRef<std::ffi::OsStr>) -> std::process::Command {
    let mut pinned = command("taskset");
    pinned.args(["--cpu-list", core]).arg(program);
    pinned
}

/// What one run of wrk came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Load {
    /// Answers a second.
    pub(super) rate: f64,
    /// 99 of 100 answers came within this, in milliseconds.
    pub(super) p99_ms: f64,
}

/// Asks for `url` again and again over that many connections, on one core.
///
/// # Errors
/// Where wrk fails, a connection breaks, or an answer is another than 2xx.
pub(super) fn wrk(url: &str, headers: &[String], connections: u32, seconds: u32) -> Result<Load> {
    let mut wrk = pinned(CLIENT_CORE, "wrk");
    wrk.args(["--threads", "1", "--latency"]);
    wrk.args(["--connections", &connections.to_string()]);
    wrk.args(["--duration", &format!("{seconds}s")]);
    for header in headers {
        wrk.args(["--header", header]);
    }
    wrk.arg(url);
    let limit = Duration::from_secs(seconds.into()) + MARGIN;
    let said = run(wrk, limit)?.expect_success()?;
    parse_wrk(&said).ok_or_else(|| format!("wrk {url}: {said}").into())
}

/// Asks for `url` that often over that many connections of HTTP/1.1, and says how long all of it took, in seconds.
///
/// # Errors
/// Where h2load fails or not every answer is 2xx.
pub(super) fn counted(url: &str, header: &str, connections: u32, requests: u32) -> Result<f64> {
    let mut h2load = pinned(CLIENT_CORE, "h2load");
    h2load.args(["--h1", "--requests", &requests.to_string()]);
    h2load.args(["--clients", &connections.to_string(), "--header", header]);
    h2load.arg(url);
    let said = run(h2load, MARGIN)?.expect_success()?;
    parse_h2load(&said, requests).ok_or_else(|| format!("h2load {url}: {said}").into())
}

/// Seconds out of `finished in 570.47ms, ...`, if every request came back with 2xx.
fn parse_h2load(said: &str, requests: u32) -> Option<f64> {
    let rest = |name: &str| said.lines().find_map(|line| line.trim().strip_prefix(name));
    let good = rest("status codes:")?.split_whitespace().next()?;
    if good.parse() != Ok(requests) {
        return None;
    }
    let (time, _) = rest("finished in ")?.split_once(',')?;
    milliseconds(time).map(|ms| ms / 1000.0)
}

/// `None` where something went wrong in the run.
fn parse_wrk(said: &str) -> Option<Load> {
    if said.contains("Non-2xx") || said.contains("Socket errors") {
        return None;
    }
    let field = |name: &str| {
        said.lines()
            .find_map(|line| line.trim().strip_prefix(name))
            .map(str::trim)
    };
    Some(Load {
        rate: field("Requests/sec:")?.parse().ok()?,
        p99_ms: milliseconds(field("99%")?)?,
    })
}

/// The way of wrk and h2load to write a time: `1.23ms`, `45.00us`, `2.10s`.
fn milliseconds(text: &str) -> Option<f64> {
    let (number, factor) = if let Some(number) = text.strip_suffix("us") {
        (number, 0.001)
    } else if let Some(number) = text.strip_suffix("ms") {
        (number, 1.0)
    } else {
        (text.strip_suffix('s')?, 1000.0)
    };
    number.parse::<f64>().ok().map(|value| value * factor)
}

/// What full TLS handshakes came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handshakes {
    /// Handshakes a second.
    pub(super) rate: f64,
    /// Processor time of the server for each, in microseconds.
    pub(super) cpu_us: f64,
}

/// Connects to `port` again and again, each time with a handshake that resumes nothing, with `clients` programs that
/// share a core.
///
/// # Errors
/// Where OpenSSL fails or the server's process can't be looked at.
pub(super) fn handshakes(port: u16, server: u32, clients: u32, seconds: u32) -> Result<Handshakes> {
    // OpenSSL counts whole seconds of the calendar; the time that it really took is measured around it.
    let one = move || -> std::result::Result<(f64, f64), String> {
        let mut openssl = pinned(CLIENT_CORE, "openssl");
        openssl.args(["s_time", "-new", "-tls1_3", "-connect"]);
        openssl.arg(format!("127.0.0.1:{port}"));
        openssl.args(["-time", &seconds.to_string()]);
        let limit = Duration::from_secs(seconds.into()) + MARGIN;
        let begin = Instant::now();
        let said = run(openssl, limit).and_then(crate::process::Finished::expect_success);
        let said = said.map_err(|error| error.to_string())?;
        let elapsed_s = begin.elapsed().as_secs_f64();
        parse_s_time(&said)
            .map(|count| (count, elapsed_s))
            .ok_or(said)
    };
    let before = cpu_seconds(server)?;
    let clients: Vec<_> = (0..clients).map(|_| thread::spawn(one)).collect();
    let (mut rate, mut all) = (0.0, 0.0);
    for client in clients {
        let (count, elapsed_s) = client.join().map_err(|_| "a thread panicked")??;
        rate += count / elapsed_s;
        all += count;
    }
    let spent = cpu_seconds(server)? - before;
    Ok(Handshakes {
        rate,
        cpu_us: spent * 1e6 / all,
    })
}

/// Connections out of `4321 connections in 2 real seconds, 0 bytes read per connection`.
fn parse_s_time(said: &str) -> Option<f64> {
    let line = said.lines().find(|line| line.contains("real seconds"))?;
    let count: f64 = line.split_whitespace().next()?.parse().ok()?;
    (count > 0.0).then_some(count)
}

/// Processor time that a process has used, in seconds.
///
/// # Errors
/// Where it is gone.
pub(super) fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the program's name in brackets and may hold anything.
    let (_, fields) = stat.rsplit_once(')').ok_or("/proc/PID/stat has no name")?;
    let ticks =
        |index: usize| -> Option<f64> { fields.split_whitespace().nth(index)?.parse().ok() };
    let (user, system) = ticks(11).zip(ticks(12)).ok_or("/proc/PID/stat is short")?;
    Ok((user + system) / TICKS_A_SECOND)
}

/// Resident memory of a process, in MiB.
///
/// # Errors
/// Where it is gone.
pub(super) fn resident_mib(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    Ok(kib.ok_or("/proc/PID/status has no VmRSS")? / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "Running 1s test @ http://127.0.0.1:1/\n  1 threads and 16 connections\n  \
        Latency Distribution\n     50%  175.00us\n     99%    1.31ms\n  \
        Requests/sec:  89425.12\nTransfer/sec:     55.10MB\n";

    #[test]
    fn wrk_is_understood_and_a_run_with_errors_counts_for_nothing() {
        let load = parse_wrk(SAID).unwrap();
        assert!((load.rate - 89_425.12).abs() < 0.001 && (load.p99_ms - 1.31).abs() < 0.001);
        let bad = format!("{SAID}  Non-2xx or 3xx responses: 5\n");
        assert_eq!(parse_wrk(&bad), None);
        assert_eq!(parse_wrk("unable to connect"), None);
    }

    #[test]
    fn h2load_is_understood_and_all_its_requests_must_have_been_answered() {
        let said = "finished in 570.47ms, 3505.91 req/s, 30.28MB/s\n\
            status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx\n";
        assert_eq!(parse_h2load(said, 2000), Some(0.57047));
        assert_eq!(parse_h2load(said, 2001), None);
        assert_eq!(parse_h2load("", 0), None);
    }

    #[test]
    fn times_have_three_units() {
        let close = |text: &str, ms: f64| (milliseconds(text).unwrap() - ms).abs() < 1e-9;
        assert!(close("250.00us", 0.25) && close("1.50ms", 1.5) && close("2.00s", 2000.0));
        assert_eq!(milliseconds("soon"), None);
    }

    #[test]
    fn s_time_says_how_often_it_connected() {
        let said = "\n3000 connections in 0.90s; 3333.33 connections/user sec, bytes read 0\n\
            3000 connections in 2 real seconds, 0 bytes read per connection\n";
        assert_eq!(parse_s_time(said), Some(3000.0));
        assert_eq!(parse_s_time("connect: refused"), None);
    }

    #[test]
    fn the_kernel_tells_of_this_very_process() {
        let pid = std::process::id();
        assert!(cpu_seconds(pid).unwrap() >= 0.0);
        assert!(resident_mib(pid).unwrap() > 0.1);
    }
}
