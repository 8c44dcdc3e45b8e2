//! A service whose log nobody takes.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests fail as tests do"
)]

use std::io::{self, BufRead, BufReader, ErrorKind, PipeReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// How long to wait for what never comes.
const LIMIT: Duration = Duration::from_secs(60);

/// Kills it at the end.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Starts the program with a standard error that takes nothing: a pipe that is full and that nobody reads.
    fn stalled(args: &[&str]) -> (Self, PipeReader) {
        let (reader, mut writer) = io::pipe().unwrap();
        let flags = fcntl_getfl(&writer).unwrap();
        fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
        loop {
            match writer.write(&[b'x'; 512]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        fcntl_setfl(&writer, flags).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_reddrum"));
        command.args(args).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(writer);
        (Self(command.spawn().unwrap()), reader)
    }

    /// The first line that it says.
    fn says(&mut self) -> String {
        let mut said = BufReader::new(self.0.stdout.take().unwrap());
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            said.read_line(&mut line).unwrap();
            let _ = tell.send(line);
        });
        told.recv_timeout(LIMIT).expect("it says where it is")
    }

    fn terminate(&self) {
        let pid = self.0.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(killed.unwrap().success());
    }

    fn ends(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < LIMIT, "it doesn't end");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The sum of a metric's samples.
fn metric(address: &str, name: &str) -> f64 {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    write!(stream, "GET /metrics HTTP/1.0\r\nhost: x\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    let of_it = page.lines().filter(|line| line.starts_with(name));
    let samples: Vec<f64> = of_it
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!(!samples.is_empty(), "no {name} in {page}");
    samples.iter().sum()
}

#[test]
fn a_service_whose_log_nobody_takes_polls_answers_and_ends_all_the_same() {
    let port = (20_000 + std::process::id() % 10_000).to_string();
    // At this level every BMC that is up has a line, by the thread that asks it.
    let (mut service, log) = Running::stalled(&[
        "--log",
        "debug",
        "demo",
        "--json",
        "--nodes",
        "3",
        "--listen",
        "127.0.0.1:0",
        "--metrics",
        "127.0.0.1:0",
        "--ipmi-port",
        &port,
    ]);
    let said: serde_json::Value = serde_json::from_str(&service.says()).unwrap();
    let url = said["metrics"].as_str().unwrap();
    let address = url.strip_prefix("http://").unwrap();
    let address = address.strip_suffix("/metrics").unwrap();
    let readings = || metric(address, "bmc_readings_total");
    let before = readings();
    assert!(before > 0.0);
    let begun = Instant::now();
    while readings() <= before {
        assert!(begun.elapsed() < LIMIT, "nothing is read");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(metric(address, "reddrum_log_lines_dropped_total"), 0.0);
    service.terminate();
    assert_eq!(service.ends().code(), Some(0));
    drop(log);
}

#[test]
fn a_service_that_can_not_start_ends_with_its_code_though_nobody_takes_the_reason() {
    let (mut service, log) = Running::stalled(&["serve", "--config", "/nonexistent/reddrum.toml"]);
    assert_eq!(service.ends().code(), Some(2));
    drop(log);
}

#[test]
fn the_last_lines_are_written_before_the_end() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reddrum"));
    command.args(["--log", "info", "serve", "--config"]);
    command
        .arg("/nonexistent/reddrum.toml")
        .stdin(Stdio::null());
    let ended = command.output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    let said = String::from_utf8(ended.stderr).unwrap();
    let last = said.lines().last().unwrap();
    assert!(last.starts_with("reddrum: "), "{said}");
    assert!(last.contains("/nonexistent/reddrum.toml"), "{said}");
}
