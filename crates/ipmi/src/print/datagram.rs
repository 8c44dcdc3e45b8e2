//! A whole datagram taken apart: ASF, IPMI 1.5 or RMCP+ (§13).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::value::{Field, Shown, Value, field};
use super::{Detail, Headline, Parts};
use crate::crypto::Code;
use crate::number::{AuthType, PayloadType, RakpStatus};
use crate::wire::asf::Asf;
use crate::wire::message::LanMessage;
use crate::wire::rakp::{
    OpenSessionRequest, OpenSessionResponse, Proposal, Rakp1, Rakp2, Rakp3, Rakp4, Role, UserName,
};
use crate::wire::rmcp::{self, Class};
use crate::wire::session::{RmcpPlusHeader, SessionHeader, V15Header};
use crate::wire::sol::SolPacket;
use crate::wire::{Reader, WireError};

/// A datagram taken apart. `{}` prints it in one line, `{:#}` with a line for each field behind that:
///
/// ```text
/// RMCP+ session 0x12345678 packet 5 0x81 > 0x20 seq 1 Get Sensor Reading: sensor number 17
/// RMCP+ RAKP Message 1: tag 0, bmc session id 0x00000100, …
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Who speaks: `ASF`, `IPMI 1.5` or `RMCP+`.
    pub protocol: &'static str,
    /// The line up to what the message says.
    pub headline: String,
    /// What the message says, in one line, with what joins it to the headline; empty where that says all.
    pub detail: String,
    /// Everything: `session` with the header, and what it carries under the name of its kind: `asf`, `message`,
    /// `open_session_request`, `open_session_response`, `rakp_1` to `rakp_4`, `sol`, `payload` or `encrypted`.
    pub parts: Vec<Field>,
}

impl fmt::Display for Datagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.protocol, self.headline)?;
        if !f.alternate() {
            return f.write_str(&self.detail);
        }
        Value::Fields(self.parts.clone()).write_lines(f, 1)
    }
}

impl Datagram {
    /// Takes a datagram apart, as far as it can be read without the session's keys.
    ///
    /// # Errors
    /// It is none of RMCP, or damaged: it ends too early, or a checksum is wrong.
    pub fn decode(datagram: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(datagram);
        if rmcp::decode(&mut r)? == Class::Asf {
            return Ok(of_asf(Asf::decode(&mut r)?));
        }
        match SessionHeader::decode(&mut r)? {
            SessionHeader::V15(header) => {
                let payload = r.take("message", header.payload_len.into())?;
                of_v15(&header, payload)
            }
            SessionHeader::RmcpPlus(header) => {
                // Some BMCs count a byte too many in RAKP Message 2.
                let len = usize::from(header.payload_len).min(r.remaining());
                of_rmcp_plus(&header, r.take("payload", len)?, false)
            }
        }
    }
}

/// What a payload says.
struct Payload {
    headline: String,
    detail: String,
    part: Field,
}

impl Payload {
    /// A payload of fields.
    fn of(headline: String, name: &'static str, fields: Vec<Field>) -> Self {
        let value = Value::Fields(fields);
        Self {
            headline,
            detail: format!(": {value}"),
            part: Field { name, value },
        }
    }
}

fn of_asf(asf: Asf) -> Datagram {
    let (headline, fields) = match asf {
        Asf::Ping { tag } => ("Presence Ping", vec![Field::new("tag", &tag)]),
        Asf::Pong {
            tag,
            entities,
            interactions,
        } => (
            "Presence Pong",
            vec![
                Field::new("tag", &tag),
                Field::new("entities", &entities),
                Field::new("interactions", &interactions),
            ],
        ),
    };
    let kind = field("type", Value::Name(headline));
    let detail = format!(": {}", Value::Fields(fields.clone()));
    let fields = core::iter::once(kind).chain(fields).collect();
    Datagram {
        protocol: "ASF",
        headline: headline.to_owned(),
        detail,
        parts: vec![field("asf", Value::Fields(fields))],
    }
}

fn of_v15(header: &V15Header, payload: &[u8]) -> Result<Datagram, WireError> {
    let V15Header {
        auth_type,
        sequence,
        session_id,
        code: _,
        payload_len,
    } = header;
    let mut session = vec![
        Field::new("auth_type", auth_type),
        Field::new("session_id", session_id),
        Field::new("sequence", sequence),
        Field::new("payload_length", payload_len),
    ];
    if *auth_type != AuthType::NONE {
        // It may be the password itself.
        session.push(field(
            "authentication_code",
            Value::Secret(header.code.len()),
        ));
    }
    let payload = of_message(payload)?;
    let place = match session_id {
        0 => String::new(),
        id => format!("session 0x{id:08x} packet {sequence} "),
    };
    Ok(Datagram {
        protocol: "IPMI 1.5",
        headline: place + &payload.headline,
        detail: payload.detail,
        parts: vec![field("session", Value::Fields(session)), payload.part],
    })
}

/// A datagram with this payload; one that is encrypted may have been opened.
pub(super) fn of_rmcp_plus(
    header: &RmcpPlusHeader,
    bytes: &[u8],
    is_open: bool,
) -> Result<Datagram, WireError> {
    let RmcpPlusHeader {
        payload_type,
        encrypted,
        authenticated,
        oem,
        session_id,
        sequence,
        payload_len,
    } = header;
    let oem_fields = oem.map(|oem| {
        Value::Fields(vec![
            Field::new("enterprise", &oem.enterprise),
            Field::new("payload_id", &oem.id),
        ])
    });
    let session = vec![
        Field::new("payload_type", payload_type),
        Field::new("encrypted", encrypted),
        Field::new("authenticated", authenticated),
        field("oem", oem_fields.unwrap_or(Value::Absent)),
        Field::new("session_id", session_id),
        Field::new("sequence", sequence),
        Field::new("payload_length", payload_len),
    ];
    let payload = if *encrypted && !is_open {
        Payload {
            headline: payload_type.to_string(),
            detail: format!(", {} bytes encrypted", bytes.len()),
            part: field("encrypted", bytes.value()),
        }
    } else {
        of_payload(*payload_type, bytes)?
    };
    let place = match session_id {
        0 => String::new(),
        id => format!("session 0x{id:08x} packet {sequence} "),
    };
    Ok(Datagram {
        protocol: "RMCP+",
        headline: place + &payload.headline,
        detail: payload.detail,
        parts: vec![field("session", Value::Fields(session)), payload.part],
    })
}

fn of_payload(kind: PayloadType, bytes: &[u8]) -> Result<Payload, WireError> {
    let r = &mut Reader::new(bytes);
    let (name, fields) = match kind {
        PayloadType::IPMI => return of_message(bytes),
        PayloadType::SOL => ("sol", of_sol(&SolPacket::decode(r)?)),
        PayloadType::OPEN_SESSION_REQUEST => (
            "open_session_request",
            of_open_request(&OpenSessionRequest::decode(r)?),
        ),
        PayloadType::OPEN_SESSION_RESPONSE => (
            "open_session_response",
            of_open_response(&OpenSessionResponse::decode(r)?),
        ),
        PayloadType::RAKP_1 => ("rakp_1", of_rakp_1(&Rakp1::decode(r)?)),
        PayloadType::RAKP_2 => ("rakp_2", of_rakp_2(&Rakp2::decode(r)?)),
        PayloadType::RAKP_3 => {
            let Rakp3 {
                tag,
                bmc_session_id,
                outcome,
            } = Rakp3::decode(r)?;
            let id = Field::new("bmc_session_id", &bmc_session_id);
            ("rakp_3", of_code_message(tag, id, &outcome))
        }
        PayloadType::RAKP_4 => {
            let Rakp4 {
                tag,
                console_session_id,
                outcome,
            } = Rakp4::decode(r)?;
            let id = Field::new("console_session_id", &console_session_id);
            ("rakp_4", of_code_message(tag, id, &outcome))
        }
        other => {
            return Ok(Payload {
                headline: other.to_string(),
                detail: format!(", {} bytes", bytes.len()),
                // What it is, only its maker knows.
                part: field("payload", Value::Secret(bytes.len())),
            });
        }
    };
    Ok(Payload::of(kind.to_string(), name, fields))
}

fn of_message(bytes: &[u8]) -> Result<Payload, WireError> {
    let message = LanMessage::decode(bytes)?;
    let (header, parts) = (&message.header, Parts::of(&message));
    Ok(Payload {
        headline: Headline(header, &parts).to_string(),
        detail: Detail(header, &parts).to_string(),
        part: field("message", parts.into_fields(header)),
    })
}

fn of_sol(packet: &SolPacket<'_>) -> Vec<Field> {
    let SolPacket {
        sequence,
        acknowledged,
        accepted,
        flags,
        characters,
    } = packet;
    vec![
        Field::new("sequence", sequence),
        Field::new("acknowledged", acknowledged),
        Field::new("accepted", accepted),
        field("flags", Value::code((*flags).into(), 8, None)),
        // Passwords are typed there, too.
        field("characters", Value::Secret(characters.len())),
    ]
}

/// The algorithms of a proposal; what is left to the BMC is absent.
fn of_proposal(proposal: &Proposal) -> [Field; 3] {
    [
        Field::new("authentication", &proposal.auth),
        Field::new("integrity", &proposal.integrity),
        Field::new("confidentiality", &proposal.confidentiality),
    ]
}

fn of_open_request(request: &OpenSessionRequest) -> Vec<Field> {
    let OpenSessionRequest {
        tag,
        privilege,
        console_session_id,
        algorithms,
    } = request;
    let mut fields = vec![
        Field::new("tag", tag),
        Field::new("privilege", privilege),
        Field::new("console_session_id", console_session_id),
    ];
    fields.extend(of_proposal(algorithms));
    fields
}

fn of_open_response(response: &OpenSessionResponse) -> Vec<Field> {
    let OpenSessionResponse {
        tag,
        console_session_id,
        outcome,
    } = response;
    let mut fields = vec![
        Field::new("tag", tag),
        status(outcome.as_ref().err()),
        Field::new("console_session_id", console_session_id),
    ];
    if let Ok(opened) = outcome {
        fields.push(Field::new("bmc_session_id", &opened.bmc_session_id));
        fields.push(Field::new("privilege", &opened.privilege));
        fields.extend(of_proposal(&opened.algorithms.into()));
    }
    fields
}

fn status(error: Option<&RakpStatus>) -> Field {
    Field::new("status", error.unwrap_or(&RakpStatus::OK))
}

fn of_rakp_1(message: &Rakp1) -> Vec<Field> {
    let Rakp1 {
        tag,
        bmc_session_id,
        console_random,
        role,
        user_name,
    } = message;
    vec![
        Field::new("tag", tag),
        Field::new("bmc_session_id", bmc_session_id),
        Field::new("console_random", console_random),
        Field::new("privilege", &Role::privilege(*role)),
        Field::new("lookup", &Role::lookup(*role)),
        Field::new("user_name", user_name),
    ]
}

fn of_rakp_2(message: &Rakp2) -> Vec<Field> {
    let Rakp2 {
        tag,
        console_session_id,
        outcome,
    } = message;
    let mut fields = vec![
        Field::new("tag", tag),
        status(outcome.as_ref().err()),
        Field::new("console_session_id", console_session_id),
    ];
    if let Ok(proof) = outcome {
        fields.push(Field::new("bmc_random", &proof.bmc_random));
        fields.push(Field::new("guid", &proof.guid));
        fields.push(Field::new("code", &proof.code));
    }
    fields
}

fn of_code_message(tag: u8, id: Field, outcome: &Result<Code, RakpStatus>) -> Vec<Field> {
    let mut fields = vec![Field::new("tag", &tag), status(outcome.as_ref().err()), id];
    fields.extend(outcome.as_ref().ok().map(|code| Field::new("code", code)));
    fields
}

impl Shown for Code {
    fn value(&self) -> Value {
        self.as_bytes().value()
    }
}

impl Shown for UserName {
    fn value(&self) -> Value {
        Value::Text(String::from_utf8_lossy(self.as_bytes()).into_owned())
    }
}
