//! Reads all sensors of many BMCs with a Rust crate that others wrote, over sessions that stay open.
//!
//! `rust-clients CRATE PORT USER PASSWORD SECONDS HOST...` logs in everywhere, finds the sensors in the sensor data records and
//! reads each once. Then it reads for that many seconds and prints what it came to as a line of JSON.
//!
//! Each crate as it is meant to be used: `ipmi` with a task a BMC on one thread, `ipmi-rs`, which blocks, with a thread a BMC.
//! Both have one request in flight a session and cipher suite 3. Sensors are read by requests by their numbers in both, since
//! `ipmi` has no other: no raw reading is converted to a value, as the service does.

mod by_ipmi;
mod by_ipmi_rs;

use std::fmt::Display;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What a crate is told.
#[derive(Clone, Debug)]
pub struct Task {
    /// The BMCs.
    pub bmcs: Vec<SocketAddr>,
    /// Who logs in.
    pub user: String,
    /// With this password.
    pub password: String,
    /// How long sensors are read.
    pub time: Duration,
}

/// What it came to.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// Readings that had a value.
    pub readings: u64,
    /// How long they took.
    pub wall: Duration,
    /// What they cost of the processor.
    pub cpu: Duration,
}

/// Why it came to nothing.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Get SDR (IPMI 2.0 §33.12) and Get Sensor Reading (§35.14): network function and command.
pub const GET_SDR: (u8, u8) = (0x0a, 0x23);
pub const GET_SENSOR_READING: (u8, u8) = (0x04, 0x2d);

/// The number of the first record, and that behind the last.
pub const FIRST: u16 = 0;
pub const LAST: u16 = 0xffff;

/// Bytes of a record up to its sensor's number.
const HEAD: u8 = 8;

/// The request for the head of a record, for which no reservation is needed.
pub fn head_of(record: u16) -> [u8; 6] {
    let [low, high] = record.to_le_bytes();
    [0, 0, low, high, 0, HEAD]
}

/// The next record, and the sensor that this one is about where it is the BMC's own.
pub fn sensor_in(head: &[u8]) -> Option<(u16, Option<u8>)> {
    let &[low, high, _, _, _, kind, _, owner, _, number] = head else {
        return None;
    };
    // Full and compact sensor records (§43.1, §43.2).
    let is_sensor = matches!(kind, 0x01 | 0x02) && owner == 0x20;
    Some((u16::from_le_bytes([low, high]), is_sensor.then_some(number)))
}

/// Whether the answer to Get Sensor Reading has a reading: bit 5 of its second byte says that there is none.
pub fn has_value(reading: &[u8]) -> bool {
    matches!(reading, [_, state, ..] if state & 0x20 == 0)
}

/// A failure that says with which BMC.
pub fn at(bmc: SocketAddr, what: &str, error: impl Display) -> Failure {
    format!("{bmc}: {what}: {error}").into()
}

/// The clock and the processor's while sensors are read.
pub struct Watch(Instant, Duration);

impl Watch {
    /// Starts.
    pub fn start() -> Result<Self, Failure> {
        Ok(Self(Instant::now(), cpu()?))
    }

    /// Stops.
    pub fn stop(self, readings: u64) -> Result<Done, Failure> {
        Ok(Done {
            readings,
            wall: self.0.elapsed(),
            cpu: cpu()?.saturating_sub(self.1),
        })
    }
}

/// What this process has used, from `/proc/self/stat`: fields 14 and 15, in clock ticks of 10 ms.
fn cpu() -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name in brackets may have blanks.
    let (_, rest) = stat.rsplit_once(')').ok_or("/proc/self/stat is cut")?;
    let fields = rest.split_whitespace().skip(11).take(2);
    let ticks: Result<Vec<u64>, _> = fields.map(str::parse).collect();
    Ok(Duration::from_millis(10 * ticks?.iter().sum::<u64>()))
}

fn run() -> Result<Done, Failure> {
    let mut words = std::env::args().skip(1);
    let mut next = |name: &str| words.next().ok_or_else(|| format!("{name} is missing"));
    let (of, port) = (next("CRATE")?, next("PORT")?.parse()?);
    let (user, password) = (next("USER")?, next("PASSWORD")?);
    let time = Duration::from_secs(next("SECONDS")?.parse()?);
    let bmcs: Result<_, Failure> = words
        .map(|host| Ok(SocketAddr::new(host.parse()?, port)))
        .collect();
    let task = Task {
        bmcs: bmcs?,
        user,
        password,
        time,
    };
    match of.as_str() {
        "ipmi" => by_ipmi::run(&task),
        "ipmi-rs" => by_ipmi_rs::run(&task),
        other => Err(format!("no crate {other}").into()),
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(done) => {
            println!(
                "{{\"readings\": {}, \"wall_s\": {}, \"cpu_s\": {}}}",
                done.readings,
                done.wall.as_secs_f64(),
                done.cpu.as_secs_f64()
            );
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
