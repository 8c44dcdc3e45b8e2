//! OpenIPMI's `ipmi_sim`: a BMC that others wrote, started for a check and gone after it.

mod fru;
mod sensors;

pub(crate) use sensors::{CUBE_ROOT, NUMERIC_COUNT, is_numeric, name_of};

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::ipmitool;
use super::target::Target;
use crate::Result;
use crate::process::{Background, command, run};
use crate::workspace::Workspace;

/// The user of the emulated BMC.
pub(crate) const USERNAME: &str = "admin";
/// Their password. A test's secret: it opens nothing but an emulator on the loopback interface.
pub(crate) const PASSWORD: &str = "password";

/// How long the emulator may take to answer its first ping.
const START_LIMIT: Duration = Duration::from_secs(10);

/// A running `ipmi_sim`.
pub(crate) struct IpmiSim {
    _process: Background,
    /// The UDP port on 127.0.0.1.
    pub(crate) port: u16,
}

impl IpmiSim {
    /// Writes its configuration into an empty folder, compiles the SDRs, starts it and waits until it answers.
    ///
    /// # Errors
    /// What is missing or went wrong, with the emulator's log.
    pub(crate) fn start(workspace: &Workspace, folder: &Path) -> Result<Self> {
        let port = free_udp_port()?;
        prepare(workspace, folder, port)?;
        let log = fs::File::create(folder.join("ipmi_sim.log"))?;
        let mut start = command("ipmi_sim");
        start.arg("-n").arg("-c").arg(folder.join("lan.conf"));
        start
            .arg("-f")
            .arg(folder.join("bmc.emu"))
            .arg("-s")
            .arg(folder.join("state"));
        start.stdout(log.try_clone()?).stderr(Stdio::from(log));
        let mut process = Background::start(start)?;
        let ready = process.wait_until(START_LIMIT, "answer to a ping", || answers_ping(port));
        ready.map_err(|error| {
            let log = fs::read_to_string(folder.join("ipmi_sim.log")).unwrap_or_default();
            format!("{error}\n{log}")
        })?;
        Ok(Self {
            _process: process,
            port,
        })
    }
}

impl IpmiSim {
    /// How to reach it.
    pub(crate) fn target(&self) -> Target {
        Target {
            name: "ipmi_sim".to_owned(),
            address: "127.0.0.1".to_owned(),
            port: self.port,
            username: USERNAME.to_owned(),
            password: PASSWORD.to_owned(),
        }
    }
}

/// How far the BMC's clock is behind, in seconds: a day and an hour.
pub(crate) const CLOCK_BEHIND_S: u32 = 90_000;

/// Sets the BMC's clock wrong and adds the events once more, now with a time: those from the start have none.
///
/// # Errors
/// Where ipmitool can't do either.
pub(crate) fn fill_event_log(target: &Target, suite: u8) -> Result {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let clock_s = u32::try_from(now_s)?.saturating_sub(CLOCK_BEHIND_S);
    let raw = |bytes: &[u8]| -> Result {
        let words: Vec<String> = bytes.iter().map(|byte| format!("{byte:#04x}")).collect();
        let arguments: Vec<&str> = std::iter::once("raw")
            .chain(words.iter().map(String::as_str))
            .collect();
        ipmitool::call(target, suite, &arguments)?
            .expect_success()
            .map(drop)
    };
    // Set SEL Time (§31.11) and Add SEL Entry (§31.6): a record ID of 0, then the record.
    raw(&[&[0x0a, 0x49], clock_s.to_le_bytes().as_slice()].concat())?;
    for event in &sensors::EVENTS {
        raw(&[&[0x0a, 0x44, 0, 0], event.as_slice()].concat())?;
    }
    Ok(())
}

fn prepare(workspace: &Workspace, folder: &Path, port: u16) -> Result {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let state = folder.join("state/ipmi_sim/bmc1");
    fs::create_dir_all(&state)?;
    let source: PathBuf = workspace.path("xtask/peers/ipmi_sim");
    for script in ["lancontrol", "chassiscontrol"] {
        fs::copy(source.join(script), folder.join(script))?;
    }
    let lan = fs::read_to_string(source.join("lan.conf"))?
        .replace("@PORT@", &port.to_string())
        .replace("@CONSOLE@", &free_tcp_port()?.to_string())
        .replace("@DIR@", &folder.display().to_string())
        .replace("@USERNAME@", USERNAME)
        .replace("@PASSWORD@", PASSWORD);
    fs::write(folder.join("lan.conf"), lan)?;
    fs::write(folder.join("power"), "1\n")?;
    let fru = folder.join("fru.bin");
    fs::write(&fru, fru::devices())?;
    let emulator = sensors::emulator_source(&fru.display().to_string(), fru::SIZE);
    fs::write(folder.join("bmc.emu"), emulator)?;
    fs::write(folder.join("bmc.sdrs"), sensors::sdr_source())?;
    let mut compile = command("sdrcomp");
    compile
        .arg("-o")
        .arg(state.join("sdr.20.main"))
        .arg(folder.join("bmc.sdrs"));
    let finished = run(compile, Duration::from_secs(10))?;
    // sdrcomp ends with 0 even where it refuses its input; it is silent where all is well.
    if finished.stderr.trim().is_empty() && finished.stdout.trim().is_empty() {
        finished.expect_success().map(drop)
    } else {
        Err(finished.describe().into())
    }
}

/// A port that is free now. Another program may take it before we do; then the start fails and says so.
fn free_udp_port() -> Result<u16> {
    Ok(UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn free_tcp_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port())
}

/// Sends an ASF presence ping (§13.2.3) and waits a moment for the pong.
fn answers_ping(port: u16) -> Option<()> {
    const PING: [u8; 12] = [6, 0, 0xff, 6, 0, 0, 0x11, 0xbe, 0x80, 0, 0, 0];
    let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
    socket
        .set_read_timeout(Some(Duration::from_millis(100)))
        .ok()?;
    socket.send_to(&PING, ("127.0.0.1", port)).ok()?;
    let mut answer = [0; 64];
    socket.recv(&mut answer).ok().map(drop)
}
