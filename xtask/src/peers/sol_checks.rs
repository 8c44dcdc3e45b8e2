//! Serial over LAN end to end: a virtual node's console through our program, ipmitool and FreeIPMI's ipmiconsole, over a
//! network that loses a tenth of all datagrams each way. Every byte must arrive.
//!
//! The relay in between writes every datagram down before it loses any, and the record is opened with the password: so it
//! is known what the BMC's end sent, whatever a console made of it.

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::program;
use super::relay::{Datagram, Direction, Loss, Relay, is_sol};
use super::report::Report;
use super::target::Target;
use super::{ipmitool, tap};
use crate::Result;
use crate::process::{command, command_line, find};
use crate::workspace::Workspace;

/// Numbered lines that the virtual node prints: 64 bytes each, a mebibyte in all.
const LINES: u32 = 16_384;
/// Of all datagrams, each way.
const LOSS_PERMILLE: u64 = 100;
/// How long one console may take.
const LIMIT: Duration = Duration::from_secs(300);
/// How long the first prompt may take: log-in over a lossy network.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How often a console that shows nothing is sent a return.
const KNOCK_EVERY: Duration = Duration::from_secs(3);
/// How often a program is started until it is logged in. ours needs one; ipmitool and FreeIPMI repeat no RAKP message, and
/// give up after a few lost datagrams: an operator starts them again.
const TRIES_MAX: u32 = 5;
/// Messages of a failed log-in that are shown.
const SHOWN_MAX: usize = 24;
/// What the virtual node's prompt ends with.
const PROMPT: &[u8] = b"login: ";
/// Offset of the payload in an RMCP+ datagram without protection (IPMI 2.0 table 13-8).
const PAYLOAD: usize = 16;

/// A program that shows a console.
struct Console {
    name: &'static str,
    /// How to start it against the relay.
    command: Command,
    /// What makes it leave.
    leave: &'static [u8],
}

/// Runs the checks.
///
/// # Errors
/// Where the virtual BMC doesn't start.
pub(crate) fn run(workspace: &Workspace, report: &mut Report) -> Result {
    for name in ["reddrum", "ipmitool", "ipmiconsole"] {
        let outcome = one(workspace, name, report);
        let check = format!("{name}: a mebibyte at 10 % loss arrives byte by byte");
        report.check(&check, outcome);
    }
    Ok(())
}

/// One program, with a virtual BMC and a relay of its own.
fn one(workspace: &Workspace, name: &'static str, report: &Report) -> Result {
    let port = UdpSocket::bind("0.0.0.0:0")?.local_addr()?.port();
    let loss = Loss {
        permille: LOSS_PERMILLE,
    };
    let relay = Relay::lossy(([127, 16, 0, 1], port).into(), loss)?;
    let mut vbmc = command(program::binary(workspace)?);
    vbmc.args(["vbmc", "--json", "--nodes", "1"]);
    vbmc.args(["--ipmi-port", &port.to_string()]);
    vbmc.args(["--told-port", &relay.port.to_string()]);
    let vbmc = program::start(workspace, &format!("sol-{name}"), vbmc)?;
    let direct = vbmc.bmcs.first().ok_or("no virtual BMC")?;
    // As an operator does on a bad line: packets are repeated after 20 ms, not after half a second.
    ipmitool::call(direct, 17, &["sol", "set", "retry-interval", "2", "1"])?.expect_success()?;
    let target = Target {
        address: "127.0.0.1".to_owned(),
        port: relay.port,
        ..direct.clone()
    };
    let mut tries = 1;
    let (shown, took) = loop {
        let start = Instant::now();
        match talk(console(workspace, name, &target)?) {
            Ok(shown) => break (shown, start.elapsed()),
            Err(error) if tries < TRIES_MAX => report.note(&format!("{name}: {error}")),
            Err(error) => return Err(error),
        }
        report.note(&format!("{name}: {}", handshake(&relay.forget())));
        tries += 1;
        // What the lost session has left behind.
        ipmitool::call(direct, 17, &["sol", "deactivate"])?;
    };
    let lost = relay.lost();
    let record = relay.finish();
    let expected = lines();
    let sent = tap::open(&record, target.password.as_bytes(), None)
        .and_then(|opened| sent_by_bmc(&opened.plain));
    let packets = record.iter().filter(|d| is_sol(&d.bytes)).count();
    report.note(&format!(
        "{name}: log-in {tries}, {:.1} s, {} kB/s; {packets} SOL packets, {lost} datagrams lost",
        took.as_secs_f64(),
        expected.len() / 1_000 / took.as_secs().max(1) as usize
    ));
    let bmc_right = sent.map(|sent| contains(&sent, &expected));
    let verdict = match &bmc_right {
        Ok(true) => "the BMC's end sent every byte once, in order".to_owned(),
        Ok(false) => "the BMC's end did not send what the node printed".to_owned(),
        Err(error) => format!("the record can't be opened: {error}"),
    };
    report.note(&format!("{name}: by the datagrams, {verdict}"));
    vbmc.interrupt()?;
    if !matches!(bmc_right, Ok(true)) {
        return Err(verdict.into());
    }
    if contains(&shown, &expected) {
        return Ok(());
    }
    Err(format!("{}; {verdict}", difference(&shown, &expected)).into())
}

/// The messages of a session set-up that passed, in order, a lost one with a star: what a console makes of losses.
fn handshake(record: &[Datagram]) -> String {
    let mut words = vec!["it sent and got:".to_owned()];
    for datagram in record {
        let [6, 0, 0xff, 7, 6, payload, ..] = datagram.bytes.as_slice() else {
            continue;
        };
        let name = match payload & 0x3f {
            0x00 => "request",
            0x01 => "SOL",
            0x10 => "OpenSession",
            0x11 => "OpenSessionResponse",
            0x12 => "RAKP1",
            0x13 => "RAKP2",
            0x14 => "RAKP3",
            0x15 => "RAKP4",
            _ => continue,
        };
        words.push(format!("{name}{}", if datagram.lost { "*" } else { "" }));
    }
    // Only how it ended.
    let skipped = (words.len() - 1).saturating_sub(SHOWN_MAX);
    words.drain(1..=skipped);
    words.join(" ")
}

/// How to start a console of this name.
fn console(workspace: &Workspace, name: &'static str, target: &Target) -> Result<Console> {
    let at = format!("{}:{}", target.address, target.port);
    let mut program;
    let leave: &[u8] = match name {
        "reddrum" => {
            program = command(program::binary(workspace)?);
            program.args(["ipmi", &at, "-U", &target.username, "sol"]);
            program.env("IPMI_PASSWORD", &target.password);
            b"\r~."
        }
        "ipmitool" => {
            program = command("ipmitool");
            program.args(["-I", "lanplus", "-H", &target.address, "-E", "-C", "17"]);
            program.args(["-p", &target.port.to_string(), "-U", &target.username]);
            program.env("IPMITOOL_PASSWORD", &target.password);
            program.args(["sol", "activate"]);
            b"\r~."
        }
        _ => {
            // It wants a terminal; `script` has one for it.
            program = command("script");
            let tool = find("ipmiconsole").ok_or("ipmiconsole is missing")?;
            let line = format!(
                "{} -h {at} -u {} -p {} -I 17",
                tool.display(),
                target.username,
                target.password
            );
            program.args(["-qec", &line, "/dev/null"]);
            b"&."
        }
    };
    Ok(Console {
        name,
        command: program,
        leave,
    })
}

/// Lets the node print its lines, and returns all that the console showed.
fn talk(mut console: Console) -> Result<Vec<u8>> {
    let line = command_line(&console.command);
    let mut child = console
        .command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("can't start `{line}`: {error}"))?;
    let outcome = converse(&mut child, &console);
    let _ = child.kill();
    let _ = child.wait();
    outcome
}

fn converse(child: &mut Child, console: &Console) -> Result<Vec<u8>> {
    let mut keys = child.stdin.take().ok_or("no pipe")?;
    let mut screen = child.stdout.take().ok_or("no pipe")?;
    let shown = Arc::new(Mutex::new(Vec::new()));
    let reader = {
        let shown = Arc::clone(&shown);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut buffer) {
                let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
                shown.extend_from_slice(&buffer[..count]);
            }
        })
    };
    let now = || shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let at_prompt = |least: usize| {
        let shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.len() > least && shown.ends_with(PROMPT)
    };
    let late = |what: &str, shown: Vec<u8>| -> Box<dyn std::error::Error> {
        let tail = &shown[shown.len().saturating_sub(200)..];
        let tail = String::from_utf8_lossy(tail).into_owned();
        format!("{} shows no {what}; it ends with {tail:?}", console.name).into()
    };
    let end = Instant::now() + START_LIMIT;
    let mut knock = Instant::now() + KNOCK_EVERY;
    while !at_prompt(0) {
        if Instant::now() >= knock {
            knock += KNOCK_EVERY;
            keys.write_all(b"\r")?;
        }
        if Instant::now() >= end || child.try_wait()?.is_some() {
            return Err(late("prompt", now()));
        }
        thread::sleep(Duration::from_millis(20));
    }
    keys.write_all(format!("lines {LINES}\r").as_bytes())?;
    let least = now().len() + LINES as usize * 60;
    let end = Instant::now() + LIMIT;
    while !at_prompt(least) && Instant::now() < end && child.try_wait()?.is_none() {
        thread::sleep(Duration::from_millis(50));
    }
    keys.write_all(console.leave)?;
    drop(keys);
    let end = Instant::now() + Duration::from_secs(10);
    while child.try_wait()?.is_none() && Instant::now() < end {
        thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = reader.join();
    Ok(now())
}

/// What the virtual node prints: seven digits, a blank, 54 printable characters, CR and LF.
fn lines() -> Vec<u8> {
    let line = |number: u32| {
        let characters = (number..number + 54).map(|at| b' ' + (at % 95) as u8);
        let mut line = format!("{number:07} ").into_bytes();
        line.extend(characters);
        line.extend(b"\r\n");
        line
    };
    (0..LINES).flat_map(line).collect()
}

fn contains(text: &[u8], expected: &[u8]) -> bool {
    let begin = &expected[..64];
    let at = text.windows(begin.len()).position(|window| window == begin);
    at.is_some_and(|at| text[at..].starts_with(expected))
}

/// Where the console's text leaves what was expected.
fn difference(shown: &[u8], expected: &[u8]) -> String {
    let begin = &expected[..64];
    let Some(at) = shown
        .windows(begin.len())
        .position(|window| window == begin)
    else {
        return format!("the first line is missing in {} bytes", shown.len());
    };
    let shown = &shown[at..];
    let same = shown
        .iter()
        .zip(expected)
        .take_while(|(a, b)| a == b)
        .count();
    let piece = |text: &[u8]| {
        let end = text.len().min(same + 80);
        String::from_utf8_lossy(&text[same.min(text.len())..end]).into_owned()
    };
    format!(
        "the console differs after {same} of {} bytes: shows {:?}, the node printed {:?}",
        expected.len(),
        piece(shown),
        piece(expected)
    )
}

/// The characters that the BMC's end sent and the console acknowledged, from opened datagrams (IPMI 2.0 §15.9).
fn sent_by_bmc(plain: &[Datagram]) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    // The packet under way, and how much of it was taken.
    let mut current: Option<(u8, Vec<u8>, usize)> = None;
    for datagram in plain.iter().filter(|datagram| is_sol(&datagram.bytes)) {
        let payload = datagram.bytes.get(PAYLOAD..).unwrap_or_default();
        let [sequence, acknowledged, accepted, _, characters @ ..] = payload else {
            return Err("a SOL packet of less than four bytes".into());
        };
        match datagram.direction {
            Direction::ToBmc => {
                if let Some((number, _, taken)) = &mut current
                    && acknowledged & 0x0f == *number
                {
                    *taken = usize::from(*accepted);
                }
            }
            Direction::ToConsole if sequence & 0x0f != 0 => {
                let number = sequence & 0x0f;
                match &current {
                    Some((same, sent, _)) if *same == number => {
                        if sent != characters {
                            return Err(
                                format!("packet {number} is repeated with other bytes").into()
                            );
                        }
                    }
                    _ => {
                        take(&mut text, current.take());
                        current = Some((number, characters.to_vec(), 0));
                    }
                }
            }
            Direction::ToConsole => {}
        }
    }
    take(&mut text, current);
    Ok(text)
}

fn take(text: &mut Vec<u8>, packet: Option<(u8, Vec<u8>, usize)>) {
    if let Some((_, characters, taken)) = packet {
        text.extend_from_slice(&characters[..taken.min(characters.len())]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(direction: Direction, payload: &[u8]) -> Datagram {
        let mut bytes = vec![6, 0, 0xff, 7, 6, 1];
        bytes.resize(PAYLOAD, 0);
        bytes.extend(payload);
        Datagram {
            direction,
            bytes,
            lost: false,
        }
    }

    #[test]
    fn repeated_packets_count_once_and_only_what_was_taken() {
        let plain = [
            packet(Direction::ToConsole, b"\x01\0\0\0abc"),
            packet(Direction::ToConsole, b"\x01\0\0\0abc"),
            packet(Direction::ToBmc, b"\0\x01\x02\0"),
            packet(Direction::ToConsole, b"\x02\0\0\0cd"),
            packet(Direction::ToBmc, b"\0\x02\x02\0"),
        ];
        assert_eq!(sent_by_bmc(&plain).unwrap(), b"abcd");
    }

    #[test]
    fn a_difference_is_found_where_it_is() {
        let expected = lines();
        assert!(contains(
            &[b"login: ".as_slice(), &expected].concat(),
            &expected
        ));
        let mut damaged = expected.clone();
        damaged.remove(1_000);
        assert!(!contains(&damaged, &expected));
        assert!(difference(&damaged, &expected).contains("after 1000 of"));
    }
}
