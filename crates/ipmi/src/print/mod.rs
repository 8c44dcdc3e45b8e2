//! Datagrams and messages as text, for people who look at them, and as trees of fields, for programs.
//!
//! [`Datagram`] takes a whole datagram apart, [`OneLine`] prints an IPMI message. Of what can hold a password, a key or a
//! community only the length is printed: the data of commands that are for such, of makers' own commands and payloads, messages
//! within messages that can't be taken apart, the characters of a serial console. What is encrypted is printed as it is, unless
//! [`CapturedSessions`] has the keys, and so are the codes of a log-in: who has one can try passwords against it.

mod captured;
mod datagram;
mod fields;
mod value;

use alloc::string::ToString;
use alloc::vec;
use core::fmt::{self, Debug};

use crate::command::Command;
use crate::command::app::{GetMessage, SendMessage};
use crate::command::table::{self, CommandRow};
use crate::number::{CompletionCode, NetFn};
use crate::wire::WireError;
use crate::wire::message::{BMC_ADDRESS, LanMessage, MessageHeader};

pub use captured::{CapturedSessions, SESSIONS_MAX};
pub use datagram::Datagram;
use value::field;
pub use value::{Field, Shown, Value};

/// The row of a request's or answer's command; `data` are without a completion code.
fn row(netfn: NetFn, cmd: u8, data: &[u8]) -> Option<&'static CommandRow> {
    table::find(NetFn(netfn.0 & !1), cmd, data)
}

/// Whether the data can hold a password, a key or an SNMP community, so that only its length may be printed.
const fn is_secret(netfn: NetFn, cmd: u8) -> bool {
    const ACTIVATE_SESSION: u8 = 0x3a;
    const GET_AUTH_CODE: u8 = 0x3f;
    const SET_USER_PASSWORD: u8 = 0x47;
    const MASTER_WRITE_READ: u8 = 0x52;
    const SET_CHANNEL_SECURITY_KEYS: u8 = 0x56;
    match NetFn(netfn.0 & !1) {
        NetFn::APP => matches!(
            cmd,
            ACTIVATE_SESSION
                | GET_AUTH_CODE
                | SET_USER_PASSWORD
                | MASTER_WRITE_READ
                | SET_CHANNEL_SECURITY_KEYS
        ),
        // Messages to other chassis, of any kind; configuration of LAN, serial lines and SOL. What the makers and groups define is
        // unknown to us.
        NetFn::BRIDGE | NetFn::TRANSPORT => true,
        NetFn(netfn) => netfn > NetFn::TRANSPORT.0,
    }
}

/// How a command or its answer carries another message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carried {
    /// Whole, as Send Message does (§22.7).
    Whole,
    /// As the channel's protocol has it, as Get Message does (§22.6): on IPMB without the BMC's own address before it, on a LAN
    /// with a session's handle before it.
    Received,
}

impl Carried {
    const fn by(netfn: NetFn, cmd: u8) -> Option<Self> {
        match (NetFn(netfn.0 & !1), cmd) {
            (SendMessage::NETFN, SendMessage::CMD) => Some(Self::Whole),
            (GetMessage::NETFN, GetMessage::CMD) => Some(Self::Received),
            _ => None,
        }
    }

    /// Takes the message apart: it has secrets as any other, and one that can't be read may have some. By its checksums it is
    /// known where it begins.
    fn take_apart(self, bytes: &[u8]) -> Value {
        let read = |bytes: &[u8]| {
            let message = LanMessage::decode(bytes).ok()?;
            Some(Parts::of(&message).into_fields(&message.header))
        };
        let shown = read(bytes).or_else(|| match self {
            Self::Whole => None,
            Self::Received => {
                read(&[&[BMC_ADDRESS][..], bytes].concat()).or_else(|| read(bytes.get(1..)?))
            }
        });
        shown.unwrap_or(Value::Secret(bytes.len()))
    }

    /// The fields with the message in them taken apart.
    fn within(self, mut fields: Value) -> Value {
        if let Value::Fields(fields) = &mut fields {
            for field in fields {
                if let Value::Bytes(bytes) = &field.value
                    && !bytes.is_empty()
                {
                    field.value = self.take_apart(bytes);
                }
            }
        }
        fields
    }
}

/// A message taken apart: what [`OneLine`] and [`Datagram`] print of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    /// The specification's name of the command.
    command: Option<&'static str>,
    /// The completion code of an answer, with its name; `None` for a request, and for an answer without.
    completion: Option<Value>,
    /// The data, without the completion code; nothing where the command failed.
    data: Value,
    /// Why the data could not be read, where its command is known.
    error: Option<WireError>,
}

impl Parts {
    fn of(message: &LanMessage<'_>) -> Self {
        let LanMessage { header, body } = message;
        let (code, data) = match body.split_first() {
            Some((code, data)) if header.netfn.is_response() => (Some(*code), data),
            _ => (None, *body),
        };
        let row = row(header.netfn, header.cmd, data);
        let group = row.and_then(|row| row.group);
        let named = |code: u8| {
            let netfn = NetFn(header.netfn.0 & !1);
            let name = CompletionCode(code).name_for(netfn, group, header.cmd);
            Value::code(code.into(), 8, name)
        };
        let mut parts = Self {
            command: row.map(|row| row.name),
            completion: code.map(named),
            data: Value::Absent,
            error: None,
        };
        if code.is_some_and(|code| code != CompletionCode::OK.0) {
            return parts;
        }
        // What a group has that we know is no secret.
        if is_secret(header.netfn, header.cmd) && group.is_none() {
            parts.data = Value::Secret(data.len());
            return parts;
        }
        let read = row.and_then(|row| row.codec.ok()).map(|codec| {
            if header.netfn.is_response() {
                (codec.response)(data)
            } else {
                (codec.request)(data)
            }
        });
        let carried = Carried::by(header.netfn, header.cmd);
        (parts.data, parts.error) = match (read, carried) {
            (Some(Ok(fields)), Some(carried)) => (carried.within(fields), None),
            (Some(Ok(fields)), None) => (fields, None),
            (Some(Err(error)), Some(_)) => (Value::Secret(data.len()), Some(error)),
            (Some(Err(error)), None) => (data.value(), Some(error)),
            (None, _) => (data.value(), None),
        };
        parts
    }

    /// The message, field by field.
    fn into_fields(self, header: &MessageHeader) -> Value {
        let is_answer = header.netfn.is_response();
        let kind = if is_answer { "response" } else { "request" };
        let error = self.error.map(|error| Value::Text(error.to_string()));
        Value::Fields(vec![
            Field::new("from_address", &header.from),
            Field::new("from_lun", &header.from_lun),
            Field::new("to_address", &header.to),
            Field::new("to_lun", &header.to_lun),
            Field::new("sequence", &header.rq_seq),
            field("type", Value::Name(kind)),
            // The request's, also of an answer: it is what has a name.
            Field::new("netfn", &NetFn(header.netfn.0 & !1)),
            field("cmd", Value::code(header.cmd.into(), 8, None)),
            field("command", self.command.map_or(Value::Absent, Value::Name)),
            field("completion_code", self.completion.unwrap_or(Value::Absent)),
            field("data", self.data),
            field("error", error.unwrap_or(Value::Absent)),
        ])
    }

    /// Whether the command failed.
    fn has_failed(&self) -> bool {
        matches!(&self.completion, Some(Value::Code { number, .. }) if *number != 0)
    }
}

/// An IPMI message that prints as one line.
///
/// ```text
/// 0x81 > 0x20 seq 5 Get Sensor Reading: sensor number 17
/// 0x20 > 0x81 seq 5 Get Sensor Reading = raw 90, flags 0xc0 (…), states 0x00
/// 0x20 > 0x81 seq 6 Chassis Control = Insufficient privilege level (0xd4)
/// ```
#[derive(Clone, Copy)]
pub struct OneLine<'a>(pub LanMessage<'a>);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = Parts::of(&self.0);
        write!(f, "{}", Headline(&self.0.header, &parts))?;
        write!(f, "{}", Detail(&self.0.header, &parts))
    }
}

impl Debug for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Who sends which command to whom.
struct Headline<'a>(&'a MessageHeader, &'a Parts);

impl fmt::Display for Headline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(header, parts) = self;
        let (from, to) = (header.from, header.to);
        write!(f, "0x{from:02x} > 0x{to:02x} seq {} ", header.rq_seq)?;
        match parts.command {
            Some(name) => f.write_str(name),
            None => write!(f, "{:02x}/{:02x}", header.netfn.0 & !1, header.cmd),
        }
    }
}

/// What the command says, or how it ended.
struct Detail<'a>(&'a MessageHeader, &'a Parts);

impl fmt::Display for Detail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(header, parts) = self;
        let is_answer = header.netfn.is_response();
        let sign = if is_answer { " =" } else { ":" };
        match &parts.completion {
            None if is_answer => return write!(f, "{sign} no completion code"),
            Some(code) if parts.has_failed() => return write!(f, "{sign} {code}"),
            Some(_) if parts.data.is_empty() => return write!(f, "{sign} done"),
            None if parts.data.is_empty() => return Ok(()),
            _ => write!(f, "{sign} {}", parts.data)?,
        }
        match parts.error {
            Some(error) => write!(f, " ({error})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::String;

    use super::*;
    use crate::command::check::Arbitrary;
    use crate::wire::Writer;

    fn line(netfn: u8, cmd: u8, body: &[u8]) -> String {
        let request = MessageHeader::request(NetFn(netfn & !1), 0, cmd, 5);
        let header = if netfn & 1 == 1 {
            request.response()
        } else {
            request
        };
        OneLine(LanMessage { header, body }).to_string()
    }

    #[test]
    fn request_and_answer_print_field_by_field() {
        assert_eq!(
            line(0x04, 0x2d, &[0x11]),
            "0x81 > 0x20 seq 5 Get Sensor Reading: sensor number 17"
        );
        assert_eq!(
            line(0x05, 0x2d, &[0x00, 0x5a, 0xc0]),
            "0x20 > 0x81 seq 5 Get Sensor Reading = raw 90, flags 0xc0 (scanning enabled, event messages enabled), states 0x00"
        );
        assert_eq!(
            line(0x01, 0x02, &[0xd4]),
            "0x20 > 0x81 seq 5 Chassis Control = Insufficient privilege level (0xd4)"
        );
    }

    #[test]
    fn what_does_not_decode_or_has_no_type_prints_as_bytes() {
        assert_eq!(
            line(0x04, 0x2d, &[]),
            "0x81 > 0x20 seq 5 Get Sensor Reading: no bytes (the bytes end before sensor number at byte 0)"
        );
        assert_eq!(
            line(0x06, 0x7f, &[1, 0xab]),
            "0x81 > 0x20 seq 5 06/7f: 01 ab"
        );
        assert_eq!(
            line(0x07, 0x7f, &[]),
            "0x20 > 0x81 seq 5 06/7f = no completion code"
        );
    }

    #[test]
    fn what_can_hold_a_secret_prints_its_length_only() {
        let password = [2, 2, b's', b'3', b'c', b'r', b'3', b't'];
        assert_eq!(
            line(0x06, 0x47, &password),
            "0x81 > 0x20 seq 5 Set User Password: 8 bytes, not shown"
        );
        let community = [1, 16, b'p', b'u', b'b'];
        assert!(
            line(0x0c, 0x01, &community)
                .ends_with("Set LAN Configuration Parameters: 5 bytes, not shown")
        );
        assert!(line(0x0d, 0x02, &[0, 0x11, b'p']).ends_with(" = 2 bytes, not shown"));
        assert!(line(0x30, 0x01, &password).ends_with("30/01: 8 bytes, not shown"));
        assert!(line(0x2e, 0x01, &password).ends_with("2e/01: 8 bytes, not shown"));
    }

    #[test]
    fn commands_of_groups_are_known_by_their_first_byte() {
        assert_eq!(
            line(0x2c, 0x03, &[0xdc, 0, 0]),
            "0x81 > 0x20 seq 5 Get Power Limit"
        );
        assert_eq!(
            line(0x2d, 0x06, &[0, 0xdc, 2, b'R', b'7']),
            "0x20 > 0x81 seq 5 Get Asset Tag = length 2, data 52 37"
        );
        assert_eq!(
            line(0x2c, 0x03, &[0x77, 1]),
            "0x81 > 0x20 seq 5 2c/03: 2 bytes, not shown"
        );
    }

    #[test]
    fn a_bridged_message_prints_as_a_message_and_hides_its_secrets() {
        let bridged = |netfn: u8, cmd: u8, body: &[u8]| {
            let mut buffer = [0; 64];
            let mut w = Writer::new(&mut buffer);
            w.u8(0x46);
            MessageHeader::request(NetFn(netfn), 0, cmd, 9).encode(&mut w, |w| w.bytes(body));
            line(0x06, 0x34, w.written())
        };
        let reading = bridged(0x04, 0x2d, &[0x11]);
        assert!(
            reading.contains("command Get Sensor Reading, data (sensor number 17)"),
            "{reading}"
        );
        let password = bridged(0x06, 0x47, &[2, 2, b's', b'3', b'c', b'r', b'3', b't']);
        assert!(
            password.contains("command Set User Password, data 8 bytes, not shown"),
            "{password}"
        );
        let damaged = line(0x06, 0x34, &[0x46, 0x20, 0x18, 0xff, 1, 2, 3]);
        assert!(damaged.ends_with("message 6 bytes, not shown"), "{damaged}");
        // Longer than any message that Send Message carries.
        let long = line(0x06, 0x34, &[0x73; 300]);
        assert!(long.contains(": 300 bytes, not shown ("), "{long}");
    }

    #[test]
    fn a_message_that_came_from_another_channel_prints_as_a_message_and_hides_its_secrets() {
        let community = [0, 0x11, b'p', b'u', b'b', b'l', b'i', b'c'];
        let received = |netfn: u8, cmd: u8, body: &[u8]| {
            let mut buffer = [0; 64];
            let mut w = Writer::new(&mut buffer);
            let header = MessageHeader {
                to: BMC_ADDRESS,
                from: 0x72,
                ..MessageHeader::request(NetFn(netfn), 0, cmd, 9).response()
            };
            header.encode(&mut w, |w| w.bytes(body));
            let whole = w.written();
            let on_lan = [&[5][..], whole].concat();
            // On IPMB, on a LAN, and of a BMC that leaves nothing out.
            [&whole[1..], &on_lan[..], whole].map(|message| {
                let answer = [&[0, 0x47][..], message].concat();
                line(0x07, 0x33, &answer)
            })
        };
        for reading in received(0x04, 0x2d, &[0, 0x5a, 0xc0]) {
            let told = "command Get Sensor Reading, completion code";
            assert!(reading.contains(told), "{reading}");
            assert!(reading.contains("data (raw 90"), "{reading}");
        }
        for lan in received(0x0c, 0x02, &community) {
            let told = "command Get LAN Configuration Parameters, completion code";
            assert!(lan.contains(told), "{lan}");
            assert!(lan.contains("data 7 bytes, not shown"), "{lan}");
            assert!(!lan.contains("70 75 62"), "{lan}");
        }
        let damaged = line(0x07, 0x33, &[0, 0x47, b'p', b'u', b'b', b'l', b'i', b'c']);
        assert!(damaged.ends_with("message 6 bytes, not shown"), "{damaged}");
        let short = line(0x07, 0x33, &[0]);
        assert!(short.contains(" = 0 bytes, not shown ("), "{short}");
    }

    #[test]
    fn what_a_console_shows_and_what_makers_send_prints_its_length_only() {
        // SOL, payloads of makers, and one that nobody has defined.
        let sol: &[u8] = &[5, 0, 0, 0];
        for (kind, head) in [
            (1, sol),
            (0x20, &sol[..0]),
            (0x27, &sol[..0]),
            (0x3f, &sol[..0]),
        ] {
            let payload = [head, &b"s3cr3t"[..]].concat();
            let mut bytes = vec![6, 0, 0xff, 7, 6, kind, 0x78, 0x56, 0x34, 0x12, 5, 0, 0, 0];
            bytes.extend([payload.len() as u8, 0]);
            bytes.extend(payload);
            let datagram = Datagram::decode(&bytes).unwrap();
            let lines = format!("{datagram:#}");
            assert!(lines.contains(": 6 bytes, not shown"), "{lines}");
            for text in [lines, datagram.to_string(), format!("{:?}", datagram.parts)] {
                for secret in ["s3cr3t", "73 33 63", "115, 51, 99"] {
                    assert!(!text.contains(secret), "{kind}: {text}");
                }
            }
        }
    }

    #[test]
    fn no_message_panics() {
        for body in Arbitrary::new(100) {
            for row in table::COMMANDS {
                line(row.netfn.0, row.cmd, &body);
                line(row.netfn.0 | 1, row.cmd, &body);
            }
        }
    }
}
