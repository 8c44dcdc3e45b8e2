//! An IPMI message in one line, for logs and for tests that fail.

use core::fmt::{self, Debug};

use crate::command::table::{self, CommandRow};
use crate::number::{CompletionCode, NetFn};
use crate::wire::message::LanMessage;

/// The row of a request's or answer's command; `data` are without a completion code.
fn row(netfn: NetFn, cmd: u8, data: &[u8]) -> Option<&'static CommandRow> {
    table::find(NetFn(netfn.0 & !1), cmd, data)
}

/// The name of a command that is neither a group's nor a maker's, as in the specification's section title; `None` for one
/// that the specification doesn't have.
#[must_use]
pub fn command_name(netfn: NetFn, cmd: u8) -> Option<&'static str> {
    row(netfn, cmd, &[]).map(|row| row.name)
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
        // Configuration of LAN, serial lines and SOL; what the makers and groups define is unknown to us.
        NetFn::TRANSPORT => true,
        NetFn(netfn) => netfn > NetFn::TRANSPORT.0,
    }
}

/// A message that prints as one line.
///
/// ```text
/// 81>20 seq 05 Get Sensor Reading: GetSensorReading { sensor_number: 17 }
/// 20>81 seq 05 Get Sensor Reading = SensorReading { raw: 90, … }
/// 20>81 seq 06 Chassis Control = Insufficient privilege level (0xd4)
/// ```
#[derive(Clone, Copy)]
pub struct OneLine<'a>(pub LanMessage<'a>);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LanMessage { header, body } = self.0;
        write!(
            f,
            "{:02x}>{:02x} seq {:02} ",
            header.from, header.to, header.rq_seq
        )?;
        let is_answer = header.netfn.is_response();
        let (code, data) = match body.split_first() {
            Some((code, data)) if is_answer => (Some(*code), data),
            _ => (None, body),
        };
        let row = row(header.netfn, header.cmd, data);
        match row {
            Some(row) => f.write_str(row.name)?,
            None => write!(f, "{:02x}/{:02x}", header.netfn.0 & !1, header.cmd)?,
        }
        f.write_str(if is_answer { " = " } else { ": " })?;
        match code {
            None if is_answer => return f.write_str("no completion code"),
            Some(code) if code != CompletionCode::OK.0 => {
                let netfn = NetFn(header.netfn.0 & !1);
                let group = row.and_then(|row| row.group);
                return match CompletionCode(code).name_for(netfn, group, header.cmd) {
                    Some(name) => write!(f, "{name} ({code:#04x})"),
                    None => write!(f, "{code:#04x}"),
                };
            }
            _ => {}
        }
        // What a group has that we know is no secret.
        let is_known_group = row.is_some_and(|row| row.group.is_some());
        if is_secret(header.netfn, header.cmd) && !is_known_group {
            return write!(f, "{} bytes", data.len());
        }
        let Some(Ok(codec)) = row.map(|row| row.codec) else {
            return write!(f, "{data:02x?}");
        };
        let print = if is_answer {
            codec.print_response
        } else {
            codec.print_request
        };
        match print(data, f) {
            Ok(printed) => printed,
            Err(error) => write!(f, "{data:02x?} ({error})"),
        }
    }
}

impl Debug for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::string::{String, ToString};

    use super::*;
    use crate::command::check::Arbitrary;
    use crate::wire::message::MessageHeader;

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
            "81>20 seq 05 Get Sensor Reading: GetSensorReading { sensor_number: 17 }"
        );
        assert_eq!(
            line(0x05, 0x2d, &[0x00, 0x5a, 0xc0]),
            "20>81 seq 05 Get Sensor Reading = SensorReading { raw: 90, flags: 0xc0 (scanning enabled, event messages enabled), states: 0 }"
        );
        assert_eq!(
            line(0x01, 0x02, &[0xd4]),
            "20>81 seq 05 Chassis Control = Insufficient privilege level (0xd4)"
        );
    }

    #[test]
    fn what_does_not_decode_or_has_no_type_prints_as_bytes() {
        assert_eq!(
            line(0x04, 0x2d, &[]),
            "81>20 seq 05 Get Sensor Reading: [] (the bytes end before sensor number at byte 0)"
        );
        assert_eq!(line(0x06, 0x7f, &[1, 0xab]), "81>20 seq 05 06/7f: [01, ab]");
        assert_eq!(
            line(0x07, 0x7f, &[]),
            "20>81 seq 05 06/7f = no completion code"
        );
    }

    #[test]
    fn what_can_hold_a_secret_prints_its_length_only() {
        let password = [2, 2, b's', b'3', b'c', b'r', b'3', b't'];
        assert_eq!(
            line(0x06, 0x47, &password),
            "81>20 seq 05 Set User Password: 8 bytes"
        );
        let community = [1, 16, b'p', b'u', b'b'];
        assert!(
            line(0x0c, 0x01, &community).ends_with("Set LAN Configuration Parameters: 5 bytes")
        );
        assert!(line(0x0d, 0x02, &[0, 0x11, b'p']).ends_with(" = 2 bytes"));
        assert!(line(0x30, 0x01, &password).ends_with("30/01: 8 bytes"));
        assert!(line(0x2e, 0x01, &password).ends_with("2e/01: 8 bytes"));
    }

    #[test]
    fn commands_of_groups_are_known_by_their_first_byte() {
        assert_eq!(
            line(0x2c, 0x03, &[0xdc, 0, 0]),
            "81>20 seq 05 Get Power Limit: GetPowerLimit"
        );
        assert_eq!(
            line(0x2d, 0x06, &[0, 0xdc, 2, b'R', b'7']),
            "20>81 seq 05 Get Asset Tag = AssetTag { length: 2, data: [52, 37] }"
        );
        assert_eq!(line(0x2c, 0x03, &[0x77, 1]), "81>20 seq 05 2c/03: 2 bytes");
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
