//! What Prometheus gets to read, checked by a strict reader of both formats.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests fail as tests do"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How long to wait for what never comes.
const LIMIT: Duration = Duration::from_secs(60);
const NODES: usize = 5;

/// A running demo, killed at the end.
struct Demo {
    child: Child,
    metrics: String,
}

impl Demo {
    fn start() -> Self {
        // The virtual BMCs have the same addresses in each demo, and a port that no other test's have.
        static DEMOS: AtomicU32 = AtomicU32::new(0);
        let demo = DEMOS.fetch_add(1, Ordering::Relaxed);
        let port = 20_000 + std::process::id() % 5_000 * 2 + demo % 2;
        let mut child = Command::new(env!("CARGO_BIN_EXE_reddrum"))
            .args(["demo", "--json", "--listen", "127.0.0.1:0"])
            .args(["--metrics", "127.0.0.1:0", "--nodes", &NODES.to_string()])
            .args(["--ipmi-port", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        let url = said["metrics"].as_str().unwrap();
        let address = url.strip_prefix("http://").unwrap();
        let metrics = address.strip_suffix("/metrics").unwrap().to_owned();
        Self { child, metrics }
    }

    /// Status line with headers, and the body.
    fn ask(&self, method: &str, path: &str, accept: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.metrics).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nhost: x\r\naccept: {accept}\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_ascii_lowercase(), body.to_owned())
    }

    fn get(&self, path: &str) -> Page {
        let (head, body) = self.ask("GET", path, "*/*");
        assert!(head.contains(" 200 "), "{head}");
        assert!(head.contains("text/plain; version=0.0.4"), "{head}");
        Page::read(&body, false)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

type Labels = BTreeMap<String, String>;

/// Everything that a page says: samples by metric and labels.
struct Page(BTreeMap<String, Vec<(Labels, f64)>>);

impl Page {
    /// Reads a page and refuses all that the formats forbid.
    fn read(text: &str, is_open: bool) -> Self {
        let mut samples: BTreeMap<String, Vec<(Labels, f64)>> = BTreeMap::new();
        let mut families = BTreeSet::new();
        let (mut family, mut kind) = (String::new(), String::new());
        let body = if is_open {
            text.strip_suffix("# EOF\n").expect("an end")
        } else {
            text
        };
        assert!(body.ends_with('\n'), "the last line is whole");
        for line in body.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                family = help.split_once(' ').expect("a help text").0.to_owned();
                assert!(families.insert(family.clone()), "{family} is there twice");
                kind.clear();
            } else if let Some(said) = line.strip_prefix("# TYPE ") {
                let (name, said) = said.split_once(' ').unwrap();
                assert_eq!(name, family);
                said.clone_into(&mut kind);
            } else {
                let (name, labels, value) = sample(line);
                let allowed: &[&str] = match (kind.as_str(), is_open) {
                    ("counter", true) => &["_total"],
                    ("counter" | "gauge", _) => &[""],
                    ("histogram", _) => &["_bucket", "_count", "_sum"],
                    _ => panic!("{line}: no type"),
                };
                let suffix = name.strip_prefix(family.as_str());
                let fits = suffix.is_some_and(|suffix| allowed.contains(&suffix));
                assert!(fits, "{line}: not of {family}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                assert!(value.is_finite(), "{line}");
                let known = samples.entry(name).or_default();
                assert!(known.iter().all(|(l, _)| *l != labels), "{line} is twice");
                known.push((labels, value));
            }
        }
        Self(samples)
    }

    fn all(&self, name: &str) -> &[(Labels, f64)] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    fn sum(&self, name: &str) -> f64 {
        self.all(name).iter().map(|(_, value)| value).sum()
    }

    fn nodes(&self, name: &str) -> BTreeSet<String> {
        let of = |(labels, _): &(Labels, f64)| labels["node"].clone();
        self.all(name).iter().map(of).collect()
    }
}

/// One line: name, labels, value.
fn sample(line: &str) -> (String, Labels, f64) {
    let is_name = |text: &str| {
        let mut bytes = text.bytes();
        bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
            && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let end = line.find(['{', ' ']).expect("a value");
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name), "{line}");
    let mut labels = Labels::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            let (label, after) = rest.split_once("=\"").expect("a label");
            assert!(is_name(label), "{line}");
            let (mut value, mut chars) = (String::new(), after.chars());
            loop {
                match chars.next().expect("the label's end") {
                    '"' => break,
                    '\\' => value.push(match chars.next() {
                        Some('n') => '\n',
                        Some(c @ ('\\' | '"')) => c,
                        other => panic!("{line}: escape {other:?}"),
                    }),
                    c => value.push(c),
                }
            }
            assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            rest = chars.as_str();
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            rest = rest.strip_prefix(',').expect("one more label");
        }
    }
    let value = rest.strip_prefix(' ').expect("a blank");
    (name.to_owned(), labels, value.parse().expect("a number"))
}

#[test]
fn prometheus_reads_what_the_fleet_the_service_and_every_machine_say() {
    let demo = Demo::start();
    let own = demo.get("/metrics");
    assert!(own.sum("bmc_readings_total") > 0.0);
    let up = own
        .all("bmc_targets")
        .iter()
        .find(|(l, _)| l["state"] == "up");
    let controllers = up.unwrap().1 - NODES as f64;
    assert!(controllers >= 0.0);
    assert_eq!(own.sum("bmc_sessions_open"), up.unwrap().1);
    let buckets = own.all("bmc_round_trip_seconds_bucket");
    assert!(buckets.is_sorted_by_key(|(_, count)| *count));
    let count = own.all("bmc_round_trip_seconds_count")[0].1;
    assert_eq!(buckets.last().unwrap().1, count);
    assert!(own.sum("process_resident_memory_bytes") > 1e6);
    assert_eq!(own.all("reddrum_http_requests_total").len(), 5);

    let all = demo.get("/metrics/machines");
    let machines = all.nodes("bmc_up");
    assert_eq!(machines.len() as f64, up.unwrap().1);
    assert_eq!(all.sum("bmc_up"), up.unwrap().1);
    assert!(all.nodes("bmc_temperature_celsius").len() >= NODES);
    let warm = all.all("bmc_temperature_celsius");
    // Among them are distances from a limit.
    assert!(
        warm.iter()
            .all(|(_, value)| (-120.0..120.0).contains(value))
    );
    assert!(all.all("bmc_sensor_state").len() > warm.len());

    // Parts have every machine once.
    let parts = ["1/3", "2/3", "3%2F3"].map(|part| {
        let page = demo.get(&format!("/metrics/machines?part={part}"));
        page.nodes("bmc_up")
    });
    assert_eq!(
        parts.iter().map(BTreeSet::len).sum::<usize>(),
        machines.len()
    );
    let together: BTreeSet<_> = parts.into_iter().flatten().collect();
    assert_eq!(together, machines);

    for path in ["/metrics", "/metrics/machines"] {
        let (head, body) = demo.ask("GET", path, "application/openmetrics-text; version=1.0.0");
        assert!(head.contains("application/openmetrics-text"), "{head}");
        assert!(Page::read(&body, true).0.len() > 10);
    }
}

#[test]
fn what_is_not_a_scrape_is_refused() {
    let demo = Demo::start();
    let status = |method: &str, path: &str| {
        let (head, _) = demo.ask(method, path, "*/*");
        head.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(status("HEAD", "/metrics"), "200");
    assert_eq!(status("POST", "/metrics"), "405");
    assert_eq!(status("GET", "/redfish/v1/"), "404");
    assert_eq!(status("GET", "/metrics?target=10.0.0.1"), "400");
    for query in ["", "part=", "part=0/1", "target=10.0.0.1", "part=1/2&x=1"] {
        let path = format!("/metrics/machines?{query}");
        assert_eq!(status("GET", &path), "400", "{path}");
    }
}
