//! `decode`: datagrams in one line each, from hexadecimal digits or a capture file.

use std::fmt::{self, Debug};
use std::io::{self, BufRead, Write};
use std::path::Path;

use ipmi::number::PayloadType;
use ipmi::print::OneLine;
use ipmi::wire::asf::Asf;
use ipmi::wire::message::LanMessage;
use ipmi::wire::rakp::{OpenSessionRequest, OpenSessionResponse, Rakp1, Rakp2, Rakp3, Rakp4};
use ipmi::wire::rmcp::Class;
use ipmi::wire::session::{RmcpPlusHeader, SessionHeader};
use ipmi::wire::{Reader, WireError, rmcp};

use super::capture;
use crate::error::ProgramError;

/// The largest capture file, in bytes.
const CAPTURE_MAX: u64 = 1 << 30;

/// Prints each datagram.
///
/// # Errors
/// Some text is no hexadecimal, or no datagram.
pub(in crate::ipmi) fn run(datagrams: &[String]) -> Result<(), ProgramError> {
    let mut out = io::stdout().lock();
    let mut wrong = 0;
    for text in datagrams {
        if text == "-" {
            for line in io::stdin().lock().lines() {
                let line = line.map_err(|e| ProgramError::system("standard input", e))?;
                if !line.trim().is_empty() {
                    wrong += usize::from(!print(&mut out, &line)?);
                }
            }
        } else if bytes(text).is_err() && Path::new(text).is_file() {
            wrong += print_capture(&mut out, Path::new(text))?;
        } else {
            wrong += usize::from(!print(&mut out, text)?);
        }
    }
    match wrong {
        0 => Ok(()),
        1 => Err(ProgramError::Usage("1 text is no datagram".to_owned())),
        wrong => Err(ProgramError::Usage(format!(
            "{wrong} texts are no datagrams"
        ))),
    }
}

/// Prints one; whether it is one.
fn print(out: &mut impl Write, text: &str) -> Result<bool, ProgramError> {
    let decoded = bytes(text).and_then(|bytes| line(&bytes).map_err(|e| e.to_string()));
    let (is_datagram, text) = match decoded {
        Ok(line) => (true, line),
        Err(error) => (false, format!("? {error}")),
    };
    match writeln!(out, "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(ProgramError::system("standard output", error))
        }
        _ => Ok(is_datagram),
    }
}

/// Prints the datagrams of a capture that begin as RMCP does; how many of them are damaged.
fn print_capture(out: &mut impl Write, path: &Path) -> Result<usize, ProgramError> {
    let file = super::read_file(path, CAPTURE_MAX)?;
    let usage = |error: String| ProgramError::Usage(format!("{}: {error}", path.display()));
    let mut wrong = 0;
    for datagram in capture::datagrams(&file).map_err(usage)? {
        // Version 1.0 of RMCP, and a reserved byte.
        if !datagram.payload.starts_with(&[6, 0]) {
            continue;
        }
        let text = line(&datagram.payload).unwrap_or_else(|error| {
            wrong += 1;
            format!("? {error}")
        });
        let (seconds, micro) = (datagram.at_us / 1_000_000, datagram.at_us % 1_000_000);
        let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        let written = writeln!(
            out,
            "{hour:02}:{minute:02}:{second:02}.{micro:06} {} > {}: {text}",
            datagram.from, datagram.to
        );
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(wrong),
            written => written.map_err(|e| ProgramError::system("standard output", e))?,
        }
    }
    Ok(wrong)
}

/// Hexadecimal digits, two a byte, with blanks and colons anywhere.
fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let digits: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != ':')
        .collect();
    let digits = digits.strip_prefix("0x").unwrap_or(&digits);
    let bytes = crate::config::decode_hex(digits.as_bytes());
    bytes.ok_or_else(|| "expected hexadecimal digits, two a byte".to_owned())
}

fn line(datagram: &[u8]) -> Result<String, WireError> {
    let mut r = Reader::new(datagram);
    if rmcp::decode(&mut r)? == Class::Asf {
        return Ok(format!("ASF {:?}", Asf::decode(&mut r)?));
    }
    match SessionHeader::decode(&mut r)? {
        SessionHeader::V15(header) => {
            let message = LanMessage::decode(r.take("message", header.payload_len.into())?)?;
            Ok(match header.session_id {
                0 => format!("IPMI 1.5 {}", OneLine(message)),
                id => format!("IPMI 1.5 session {id:08x} {}", OneLine(message)),
            })
        }
        SessionHeader::RmcpPlus(header) => {
            let payload = r.take("payload", header.payload_len.into())?;
            Ok(format!(
                "{}{}",
                Session(&header),
                rmcp_plus(&header, payload)?
            ))
        }
    }
}

/// The session of a packet; nothing outside one.
struct Session<'a>(&'a RmcpPlusHeader);

impl fmt::Display for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.session_id {
            0 => f.write_str("RMCP+ "),
            id => write!(f, "RMCP+ session {id:08x} packet {} ", self.0.sequence),
        }
    }
}

fn rmcp_plus(header: &RmcpPlusHeader, payload: &[u8]) -> Result<String, WireError> {
    if header.encrypted {
        return Ok(format!(
            "{}, {} bytes encrypted",
            header.payload_type,
            payload.len()
        ));
    }
    let r = &mut Reader::new(payload);
    let show = |message: &dyn Debug| format!("{message:?}");
    Ok(match header.payload_type {
        PayloadType::IPMI => OneLine(LanMessage::decode(payload)?).to_string(),
        PayloadType::OPEN_SESSION_REQUEST => show(&OpenSessionRequest::decode(r)?),
        PayloadType::OPEN_SESSION_RESPONSE => show(&OpenSessionResponse::decode(r)?),
        PayloadType::RAKP_1 => show(&Rakp1::decode(r)?),
        PayloadType::RAKP_2 => show(&Rakp2::decode(r)?),
        PayloadType::RAKP_3 => show(&Rakp3::decode(r)?),
        PayloadType::RAKP_4 => show(&Rakp4::decode(r)?),
        other => format!("{other}, {} bytes", payload.len()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> String {
        bytes(text)
            .and_then(|bytes| line(&bytes).map_err(|e| e.to_string()))
            .unwrap()
    }

    #[test]
    fn datagrams_print_in_one_line() {
        let capabilities = "0600ff07 00 00000000 00000000 09 20 18 c8 81 04 38 8e 04 b1";
        let text = decoded(capabilities);
        assert!(
            text.starts_with("IPMI 1.5 81>20 seq 01 Get Channel Authentication Capabilities: "),
            "{text}"
        );
        assert!(decoded("06:00:ff:06:00:00:11:be:80:01:00:00").starts_with("ASF Ping"));
        let sealed = "0600ff07 06 c0 78563412 05000000 1000 00112233445566778899aabbccddeeff";
        assert_eq!(
            decoded(sealed),
            "RMCP+ session 12345678 packet 5 IPMI message, 16 bytes encrypted"
        );
    }

    #[test]
    fn what_is_no_datagram_is_told() {
        assert!(bytes("06 0").is_err());
        assert!(bytes("hello").is_err());
        assert!(line(&[6, 0, 0xff]).is_err());
    }
}
