//! `decode`: datagrams as text or JSON, from hexadecimal digits or a capture file.

use std::fmt::Write as _;
use std::io::{self, BufRead, Write};
use std::path::Path;

use ipmi::crypto::UserKey;
use ipmi::print::{CapturedSessions, Datagram, Field, Value};
use serde_json::{Map, Value as Json, json};

use super::capture;
use crate::config::Secret;
use crate::error::ProgramError;

/// The largest capture file, in bytes.
const CAPTURE_MAX: u64 = 1 << 30;

/// How datagrams are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ipmi) enum Style {
    /// In one line.
    Line,
    /// With a line for each field behind it.
    Fields,
    /// As one JSON object.
    Json,
}

/// What opens sealed datagrams: a password, and the BMC's own key where there is one.
///
/// # Errors
/// One of them is longer than any.
pub(in crate::ipmi) fn sessions(
    password: &Secret,
    kg: Option<&Secret>,
) -> Result<CapturedSessions, ProgramError> {
    let key = |name: &str, secret: &Secret| {
        let long = || ProgramError::Usage(format!("{name}: longer than 20 bytes"));
        UserKey::new(secret.expose()).ok_or_else(long)
    };
    let kg = kg.map(|kg| key("the BMC's key", kg)).transpose()?;
    Ok(CapturedSessions::new(key("the password", password)?, kg))
}

/// Prints each datagram; sealed ones open, as far as `sessions` can.
///
/// # Errors
/// Some text is no hexadecimal, no datagram and no file.
pub(in crate::ipmi) fn run(
    datagrams: &[String],
    style: Style,
    sessions: Option<CapturedSessions>,
) -> Result<(), ProgramError> {
    let mut printer = Printer {
        out: io::BufWriter::new(io::stdout().lock()),
        style,
        sessions,
        wrong: 0,
    };
    let printed = datagrams.iter().try_for_each(|text| printer.take(text));
    let printed = printed.and_then(|()| printer.out.flush().map_err(Stop::Output));
    match printed {
        Ok(()) => {}
        // Output into a pipe that was closed (`| head`) is no failure.
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        Err(Stop::Output(error)) => return Err(ProgramError::system("standard output", error)),
        Err(Stop::Input(error)) => {
            // What was printed before goes first.
            let _ = printer.out.flush();
            return Err(error);
        }
    }
    let sealed = printer.sessions.map_or(0, |sessions| sessions.sealed());
    if sealed > 0 {
        // A word to the operator beside the output; without it nothing is missing.
        let _ = writeln!(
            io::stderr(),
            "hint: {sealed} datagrams stay encrypted: their log-in was not captured before them, its user has another \
             password, or the BMC a key of its own (IPMI_KGKEY)"
        );
    }
    match printer.wrong {
        0 => Ok(()),
        1 => Err(ProgramError::Usage("1 text is no datagram".to_owned())),
        wrong => Err(ProgramError::Usage(format!(
            "{wrong} texts are no datagrams"
        ))),
    }
}

/// Why not all was printed.
enum Stop {
    /// The output can't be written.
    Output(io::Error),
    /// The input can't be read.
    Input(ProgramError),
}

/// Prints datagrams one after the other.
struct Printer<W> {
    out: W,
    style: Style,
    /// What opens sealed datagrams.
    sessions: Option<CapturedSessions>,
    /// How many were no datagrams.
    wrong: usize,
}

/// When and where a captured datagram was seen.
struct Seen {
    at_us: u64,
    from: String,
    to: String,
}

impl<W: Write> Printer<W> {
    /// Takes an argument: digits, a capture file, or `-` for lines of digits on standard input.
    fn take(&mut self, text: &str) -> Result<(), Stop> {
        if text == "-" {
            for line in io::stdin().lock().lines() {
                let line = line.map_err(|e| ProgramError::system("standard input", e));
                let line = line.map_err(Stop::Input)?;
                if !line.trim().is_empty() {
                    self.digits(&line)?;
                }
            }
            return Ok(());
        }
        let path = Path::new(text);
        if bytes(text).is_err() && path.is_file() {
            return self.capture(path);
        }
        if !text.chars().all(is_of_digits) {
            let error = format!("'{text}' is no file, and no hexadecimal digits");
            return Err(Stop::Input(ProgramError::Usage(error)));
        }
        self.digits(text)
    }

    fn digits(&mut self, text: &str) -> Result<(), Stop> {
        let decoded = bytes(text).and_then(|bytes| self.decode(&bytes));
        self.print(None, decoded).map_err(Stop::Output)
    }

    fn decode(&mut self, datagram: &[u8]) -> Result<Datagram, String> {
        let decoded = match &mut self.sessions {
            Some(sessions) => sessions.decode(datagram),
            None => Datagram::decode(datagram),
        };
        decoded.map_err(|e| e.to_string())
    }

    /// The datagrams of a capture that begin as RMCP does.
    fn capture(&mut self, path: &Path) -> Result<(), Stop> {
        let usage = |error: String| {
            Stop::Input(ProgramError::Usage(format!("{}: {error}", path.display())))
        };
        let file = super::read_file(path, CAPTURE_MAX).map_err(Stop::Input)?;
        let datagrams = capture::datagrams(&file).map_err(usage)?;
        let all = datagrams.len();
        // Version 1.0 of RMCP, and a reserved byte.
        let mut rmcp = datagrams
            .into_iter()
            .filter(|datagram| datagram.payload.starts_with(&[6, 0]))
            .peekable();
        if rmcp.peek().is_none() {
            return Err(usage(format!("none of its {all} UDP datagrams is IPMI's")));
        }
        for datagram in rmcp {
            let seen = Seen {
                at_us: datagram.at_us,
                from: datagram.from.to_string(),
                to: datagram.to.to_string(),
            };
            let decoded = self.decode(&datagram.payload);
            self.print(Some(&seen), decoded).map_err(Stop::Output)?;
        }
        Ok(())
    }

    fn print(&mut self, seen: Option<&Seen>, decoded: Result<Datagram, String>) -> io::Result<()> {
        self.wrong += usize::from(decoded.is_err());
        if self.style == Style::Json {
            return writeln!(self.out, "{}", json_of(seen, &decoded));
        }
        if let Some(seen) = seen {
            let (seconds, micro) = (seen.at_us / 1_000_000, seen.at_us % 1_000_000);
            let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
            write!(
                self.out,
                "{hour:02}:{minute:02}:{second:02}.{micro:06} {} > {}: ",
                seen.from, seen.to
            )?;
        }
        match decoded {
            Ok(datagram) if self.style == Style::Fields => writeln!(self.out, "{datagram:#}"),
            Ok(datagram) => writeln!(self.out, "{datagram}"),
            Err(error) => writeln!(self.out, "? {error}"),
        }
    }
}

/// A datagram for programs. The keys are those of [`Datagram::parts`]; they don't change between versions.
fn json_of(seen: Option<&Seen>, decoded: &Result<Datagram, String>) -> Json {
    let mut object = Map::new();
    if let Some(Seen { at_us, from, to }) = seen {
        // Up to the year 2255 a double holds microseconds.
        let time_s = *at_us as f64 / 1e6;
        object.insert("time_s".to_owned(), time_s.into());
        object.insert("from".to_owned(), from.as_str().into());
        object.insert("to".to_owned(), to.as_str().into());
    }
    match decoded {
        Ok(datagram) => {
            object.insert("protocol".to_owned(), datagram.protocol.into());
            let line = format!("{}{}", datagram.headline, datagram.detail);
            object.insert("line".to_owned(), line.into());
            object.extend(fields(&datagram.parts));
        }
        Err(error) => {
            object.insert("error".to_owned(), error.as_str().into());
        }
    }
    Json::Object(object)
}

/// Fields that hold something.
fn fields(fields: &[Field]) -> Map<String, Json> {
    let present = fields.iter().filter(|field| field.value != Value::Absent);
    let pair = |field: &Field| (field.name.to_owned(), value(&field.value));
    present.map(pair).collect()
}

/// What a field holds: numbers as they are, codes with their names, session IDs and bytes in hexadecimal digits.
fn value(held: &Value) -> Json {
    match held {
        Value::Absent => Json::Null,
        Value::Bool(yes) => (*yes).into(),
        Value::Number(number) => (*number).into(),
        Value::Code { number, name, .. } => json!({ "number": number, "name": name }),
        Value::Flags { number, names, .. } => json!({ "number": number, "names": names }),
        Value::SessionId(id) => format!("0x{id:08x}").into(),
        Value::Bytes(bytes) => hex(bytes).into(),
        Value::Name(name) => (*name).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Secret(len) => json!({ "hidden_bytes": len }),
        Value::Fields(inner) => fields(inner).into(),
        Value::List(values) => values.iter().map(value).collect(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        // A String takes all that is written.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// Whether a character may be in a text of hexadecimal digits.
fn is_of_digits(c: char) -> bool {
    c.is_ascii_hexdigit() || c.is_whitespace() || matches!(c, ':' | 'x')
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

#[cfg(test)]
mod tests {
    use super::*;

    const CAPABILITIES: &str = "0600ff07 00 00000000 00000000 09 20 18 c8 81 04 38 8e 04 b1";
    const SEALED: &str = "0600ff07 06 c0 78563412 05000000 1000 00112233445566778899aabbccddeeff";

    /// What is printed of some arguments, and whether anything was wrong.
    fn printed(style: Style, texts: &[&str]) -> (String, usize) {
        let mut printer = Printer {
            out: Vec::new(),
            style,
            sessions: None,
            wrong: 0,
        };
        for text in texts {
            assert!(printer.take(text).is_ok(), "{text}");
        }
        (String::from_utf8(printer.out).unwrap(), printer.wrong)
    }

    #[test]
    fn datagrams_print_in_one_line() {
        let ping = "06:00:ff:06:00:00:11:be:80:01:00:00";
        let (text, wrong) = printed(Style::Line, &[CAPABILITIES, ping, SEALED]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "IPMI 1.5 0x81 > 0x20 seq 1 Get Channel Authentication Capabilities: channel 14, rmcp plus yes, \
                 privilege ADMINISTRATOR (0x04)",
                "ASF Presence Ping: tag 1",
                "RMCP+ session 0x12345678 packet 5 IPMI message, 16 bytes encrypted",
            ]
        );
        assert_eq!(wrong, 0);
    }

    #[test]
    fn fields_print_on_lines_of_their_own() {
        let (text, _) = printed(Style::Fields, &[CAPABILITIES]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[..3],
            [
                "IPMI 1.5 0x81 > 0x20 seq 1 Get Channel Authentication Capabilities",
                "    session",
                "        auth type: none (0x00)",
            ]
        );
        assert!(lines.contains(&"    message"), "{text}");
        assert!(lines.contains(&"        data"), "{text}");
        assert!(lines.contains(&"            rmcp plus: yes"), "{text}");
    }

    #[test]
    fn each_datagram_is_one_object_and_what_is_none_too() {
        let (text, wrong) = printed(Style::Json, &[CAPABILITIES, SEALED, "0600ff"]);
        let objects: Vec<Json> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(objects[0]["protocol"], "IPMI 1.5");
        let message = &objects[0]["message"];
        assert_eq!(message["cmd"]["number"], 0x38);
        assert_eq!(message["type"], "request");
        assert_eq!(
            message["command"],
            "Get Channel Authentication Capabilities"
        );
        assert_eq!(message["data"]["privilege"]["name"], "ADMINISTRATOR");
        assert_eq!(objects[1]["session"]["session_id"], "0x12345678");
        assert_eq!(objects[1]["encrypted"], "00112233445566778899aabbccddeeff");
        assert!(objects[2]["error"].is_string());
        assert_eq!((objects.len(), wrong), (3, 1));
    }

    #[test]
    fn what_is_no_datagram_is_told() {
        assert!(bytes("06 0").is_err());
        assert!(bytes("hello").is_err());
        let (text, wrong) = printed(Style::Line, &["0600ff"]);
        assert!(text.starts_with("? "), "{text}");
        assert_eq!(wrong, 1);
    }

    #[test]
    fn a_file_that_is_not_there_is_told_so() {
        let mut printer = Printer {
            out: Vec::new(),
            style: Style::Line,
            sessions: None,
            wrong: 0,
        };
        let Err(Stop::Input(error)) = printer.take("nowhere.pcap") else {
            panic!("it must be refused");
        };
        assert!(
            error.to_string().contains("'nowhere.pcap' is no file"),
            "{error}"
        );
    }
}
