//! What Wireshark's dissectors make of our datagrams.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::relay::{Datagram, Direction};
use crate::Result;
use crate::process::{command, run};

/// The port of RMCP: written into the capture whatever the real one was, so that the dissector is chosen.
const RMCP_PORT: u16 = 623;
/// The capture file in the folder of a check.
const FILE: &str = "opened.pcap";
/// How long tshark may take.
const LIMIT: Duration = Duration::from_secs(60);
const CONSOLE_PORT: u16 = 40_000;
const BMC: [u8; 4] = [127, 0, 0, 2];
const CONSOLE: [u8; 4] = [127, 0, 0, 1];
/// pcap's number for packets that begin with an IP header.
const LINKTYPE_RAW: u32 = 101;

/// Writes a capture file with made-up IPv4 and UDP headers, one datagram a second.
///
/// # Errors
/// Where the file can't be written.
pub(crate) fn write_pcap(path: &Path, record: &[Datagram]) -> Result {
    let mut out = Vec::new();
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 0x0000_ffff, LINKTYPE_RAW] {
        out.extend(u32::to_le_bytes(word));
    }
    for (second, datagram) in record.iter().enumerate() {
        let packet = ipv4_packet(datagram);
        let length = packet.len() as u32;
        for word in [second as u32, 0, length, length] {
            out.extend(word.to_le_bytes());
        }
        out.extend(packet);
    }
    fs::write(path, out).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn ipv4_packet(datagram: &Datagram) -> Vec<u8> {
    let (source, target, ports) = match datagram.direction {
        Direction::ToBmc => (CONSOLE, BMC, [CONSOLE_PORT, RMCP_PORT]),
        Direction::ToConsole => (BMC, CONSOLE, [RMCP_PORT, CONSOLE_PORT]),
    };
    let udp_length = 8 + datagram.bytes.len() as u16;
    let mut out = vec![0x45, 0];
    out.extend((20 + udp_length).to_be_bytes());
    // No identification or fragments, 64 hops, UDP, no header checksum.
    out.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    out.extend(source);
    out.extend(target);
    out.extend(ports[0].to_be_bytes());
    out.extend(ports[1].to_be_bytes());
    out.extend(udp_length.to_be_bytes());
    out.extend([0, 0]);
    out.extend(&datagram.bytes);
    out
}

/// One line for each datagram: Wireshark's protocol and summary.
///
/// # Errors
/// As [`fields`].
pub(crate) fn summaries(folder: &Path, record: &[Datagram]) -> Result<Vec<String>> {
    let text = fields(folder, record, &["_ws.col.Protocol", "_ws.col.Info"])?;
    Ok(text.lines().map(|line| line.replace('\t', ": ")).collect())
}

/// What Wireshark has to say against a record: what it can't dissect, and checksums that are wrong.
///
/// # Errors
/// Where tshark fails; its words.
pub(crate) fn complaints(folder: &Path, record: &[Datagram]) -> Result<Vec<String>> {
    let names = ["_ws.malformed", "_ws.expert.message", "_ws.col.Info"];
    let mut found = Vec::new();
    for (index, line) in fields(folder, record, &names)?.lines().enumerate() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [malformed, expert, info] = columns.as_slice() else {
            continue;
        };
        // Commands whose data Wireshark 4.0 has no dissector for: its gap, not ours.
        let expert = expert.replace("[PARSER NOT IMPLEMENTED]", "");
        if !malformed.is_empty() || !expert.is_empty() {
            found.push(format!(
                "datagram {}: {info}: {malformed} {expert}",
                index + 1
            ));
        }
    }
    // A wrong checksum is no expert's finding; only the full text says it.
    let mut number = 0;
    for line in run(tshark(folder, &["-V"]), LIMIT)?
        .expect_success()?
        .lines()
    {
        number += usize::from(line.starts_with("Frame "));
        if line.contains("(incorrect") {
            found.push(format!("datagram {number}: {}", line.trim()));
        }
    }
    Ok(found)
}

/// The chosen fields of every datagram, tab separated, a line each.
///
/// # Errors
/// Where tshark fails or doesn't answer one line a datagram.
pub(crate) fn fields(folder: &Path, record: &[Datagram], names: &[&str]) -> Result<String> {
    write_pcap(&folder.join(FILE), record)?;
    let mut arguments = vec!["-T", "fields"];
    names.iter().for_each(|name| arguments.extend(["-e", name]));
    let text = run(tshark(folder, &arguments), LIMIT)?.expect_success()?;
    let lines = text.lines().count();
    if lines == record.len() {
        Ok(text)
    } else {
        Err(format!("tshark made {lines} lines of {} datagrams", record.len()).into())
    }
}

/// tshark on the capture file of this folder.
fn tshark(folder: &Path, arguments: &[&str]) -> Command {
    let mut tshark = command("tshark");
    tshark.arg("-r").arg(folder.join(FILE));
    tshark
        .args(["-o", "ipmi.dissect_bus_commands:TRUE"])
        .args(arguments);
    tshark
}
