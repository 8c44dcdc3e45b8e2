//! Session headers: IPMI 1.5 and RMCP+ (§13.6, table 13-8).
//!
//! The trailer of a protected RMCP+ packet belongs to [`crypto::Channel`](crate::crypto::Channel), which checks it.

use core::fmt;

use super::{Reader, WireError, WireFault, Writer, rmcp};
use crate::number::{AuthType, PayloadType};

/// Bytes of an RMCP+ session header without OEM fields, from the authentication type to the payload length.
pub const RMCP_PLUS_HEADER_LEN: usize = 12;
/// Bytes of an IPMI 1.5 packet's authentication code.
pub const V15_CODE_LEN: usize = 16;
/// Flag in the payload type byte: the payload is encrypted.
const ENCRYPTED: u8 = 0x80;
/// Flag in the payload type byte: an integrity code follows.
const AUTHENTICATED: u8 = 0x40;

/// Whose OEM payload it is (only with [`PayloadType::OEM_EXPLICIT`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OemPayload {
    /// The maker's IANA enterprise number.
    pub enterprise: u32,
    /// The maker's payload ID.
    pub id: u16,
}

/// An RMCP+ session header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RmcpPlusHeader {
    /// What the payload is.
    pub payload_type: PayloadType,
    /// Whether the payload is encrypted.
    pub encrypted: bool,
    /// Whether an integrity trailer follows the payload.
    pub authenticated: bool,
    /// Present with [`PayloadType::OEM_EXPLICIT`] only; zeros are written where it is absent then.
    pub oem: Option<OemPayload>,
    /// The receiver's session ID; 0 outside a session.
    pub session_id: u32,
    /// Session sequence number; 0 outside a session.
    pub sequence: u32,
    /// Bytes of payload.
    pub payload_len: u16,
}

impl RmcpPlusHeader {
    /// The header of a packet outside any session.
    #[must_use]
    pub const fn sessionless(payload_type: PayloadType) -> Self {
        Self {
            payload_type,
            encrypted: false,
            authenticated: false,
            oem: None,
            session_id: 0,
            sequence: 0,
            payload_len: 0,
        }
    }

    /// Writes the header; the length comes last, see [`patch_payload_len`].
    pub fn encode(&self, w: &mut Writer<'_>) {
        let flags = if self.encrypted { ENCRYPTED } else { 0 }
            | if self.authenticated { AUTHENTICATED } else { 0 };
        w.u8(AuthType::RMCP_PLUS.0);
        w.u8(flags | (self.payload_type.0 & 0x3f));
        // A reader expects the fields by the type alone.
        if self.payload_type == PayloadType::OEM_EXPLICIT {
            let oem = self.oem.unwrap_or_default();
            w.u32(oem.enterprise);
            w.u16(oem.id);
        }
        w.u32(self.session_id);
        w.u32(self.sequence);
        w.u16(self.payload_len);
    }
}

/// Sets the payload length once it is known: the two bytes before offset `payload_at`.
pub fn patch_payload_len(packet: &mut [u8], payload_at: usize, len: usize) {
    let Ok(len) = u16::try_from(len) else { return };
    if let Some(field) = payload_at
        .checked_sub(2)
        .and_then(|at| packet.get_mut(at..payload_at))
    {
        field.copy_from_slice(&len.to_le_bytes());
    }
}

/// An IPMI 1.5 session header. Prints without its code, which may be the password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct V15Header {
    /// How the packet is authenticated.
    pub auth_type: AuthType,
    /// Session sequence number; 0 outside a session.
    pub sequence: u32,
    /// Session ID; 0 outside a session. Both ends send the one that the BMC gave.
    pub session_id: u32,
    /// Authentication code; zeros where the type is "none", which has no such field.
    pub code: [u8; V15_CODE_LEN],
    /// Bytes of payload.
    pub payload_len: u8,
}

impl fmt::Debug for V15Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("V15Header")
            .field("auth_type", &self.auth_type)
            .field("sequence", &self.sequence)
            .field("session_id", &self.session_id)
            .field("payload_len", &self.payload_len)
            .finish_non_exhaustive()
    }
}

/// Either session header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionHeader {
    /// IPMI 1.5 format.
    V15(V15Header),
    /// RMCP+ format.
    RmcpPlus(RmcpPlusHeader),
}

impl SessionHeader {
    /// Reads what follows the RMCP header, up to the payload.
    ///
    /// # Errors
    /// Bytes that end too early, or a payload length beyond the datagram. Bytes behind the payload are the
    /// trailer's, or a legacy pad, and no error.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let auth_type = AuthType(r.u8("authentication type")? & 0x0f);
        let header = if auth_type == AuthType::RMCP_PLUS {
            Self::RmcpPlus(decode_rmcp_plus(r)?)
        } else {
            let sequence = r.u32("session sequence number")?;
            let session_id = r.u32("session ID")?;
            let code = match auth_type {
                AuthType::NONE => [0; V15_CODE_LEN],
                _ => r.array("authentication code")?,
            };
            let payload_len = r.u8("payload length")?;
            Self::V15(V15Header {
                auth_type,
                sequence,
                session_id,
                code,
                payload_len,
            })
        };
        if header.payload_len() > r.remaining() + header.excess() {
            return Err(r.error("payload", WireFault::Truncated));
        }
        Ok(header)
    }

    /// How many bytes more than there are the header may claim: some BMCs count one too many in RAKP Message 2
    /// ([`Quirk::Rakp2LengthOff`](crate::quirk::Quirk::Rakp2LengthOff)), whose own code decides about it.
    const fn excess(&self) -> usize {
        match self {
            Self::RmcpPlus(header) => (header.payload_type.0 == PayloadType::RAKP_2.0) as usize,
            Self::V15(_) => 0,
        }
    }

    /// Bytes of payload that follow the header.
    #[must_use]
    pub fn payload_len(&self) -> usize {
        match self {
            Self::V15(header) => usize::from(header.payload_len),
            Self::RmcpPlus(header) => usize::from(header.payload_len),
        }
    }

    /// The session ID of either format; 0 outside a session.
    #[must_use]
    pub const fn session_id(&self) -> u32 {
        match self {
            Self::V15(header) => header.session_id,
            Self::RmcpPlus(header) => header.session_id,
        }
    }
}

fn decode_rmcp_plus(r: &mut Reader<'_>) -> Result<RmcpPlusHeader, WireError> {
    let kind = r.u8("payload type")?;
    let payload_type = PayloadType(kind & 0x3f);
    let oem = if payload_type == PayloadType::OEM_EXPLICIT {
        Some(OemPayload {
            enterprise: r.u32("OEM enterprise number")?,
            id: r.u16("OEM payload ID")?,
        })
    } else {
        None
    };
    Ok(RmcpPlusHeader {
        payload_type,
        encrypted: kind & ENCRYPTED != 0,
        authenticated: kind & AUTHENTICATED != 0,
        oem,
        session_id: r.u32("session ID")?,
        sequence: r.u32("session sequence number")?,
        payload_len: r.u16("payload length")?,
    })
}

/// Lengths of a datagram at which some network chips of IPMI 1.5's time fail; such a one gets a byte more (table 13-8).
const LEGACY_LENGTHS: [usize; 5] = [56, 84, 112, 128, 156];

/// Writes a whole datagram in IPMI 1.5 format outside a session; `message` writes the IPMI message.
pub fn encode_v15_sessionless(w: &mut Writer<'_>, message: impl FnOnce(&mut Writer<'_>)) {
    let header = V15Header {
        auth_type: AuthType::NONE,
        sequence: 0,
        session_id: 0,
        code: [0; V15_CODE_LEN],
        payload_len: 0,
    };
    encode_v15(&header, w, message, |_| [0; V15_CODE_LEN]);
}

/// Writes a whole datagram in IPMI 1.5 format: `message` writes the IPMI message, `code` makes the authentication
/// code of it where the header's type has one.
pub(crate) fn encode_v15(
    header: &V15Header,
    w: &mut Writer<'_>,
    message: impl FnOnce(&mut Writer<'_>),
    code: impl FnOnce(&[u8]) -> [u8; V15_CODE_LEN],
) {
    rmcp::encode(rmcp::Class::Ipmi, w);
    w.u8(header.auth_type.0);
    w.u32(header.sequence);
    w.u32(header.session_id);
    let code_at = w.position();
    let has_code = header.auth_type != AuthType::NONE;
    if has_code {
        w.bytes(&[0; V15_CODE_LEN]);
    }
    w.u8(0);
    let start = w.position();
    message(w);
    let Ok(len) = u8::try_from(w.position() - start) else {
        return w.overflow();
    };
    // What did not fit has overflowed already.
    let Some((head, message)) = w.written_mut().split_at_mut_checked(start) else {
        return;
    };
    if let Some(field) = head.last_mut() {
        *field = len;
    }
    if let Some(field) = head.get_mut(code_at..code_at + V15_CODE_LEN)
        && has_code
    {
        field.copy_from_slice(&code(message));
    }
    if LEGACY_LENGTHS.contains(&w.position()) {
        w.u8(0);
    }
}

/// Writes a whole RMCP+ datagram outside a session; `payload` writes the payload.
pub fn encode_sessionless(
    payload_type: PayloadType,
    w: &mut Writer<'_>,
    payload: impl FnOnce(&mut Writer<'_>),
) {
    rmcp::encode(rmcp::Class::Ipmi, w);
    RmcpPlusHeader::sessionless(payload_type).encode(w);
    let start = w.position();
    payload(w);
    let len = w.position() - start;
    patch_payload_len(w.written_mut(), start, len);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rmcp_plus_header_round_trips_with_and_without_oem_fields() {
        for oem in [
            None,
            Some(OemPayload {
                enterprise: 674,
                id: 0x1234,
            }),
        ] {
            let header = RmcpPlusHeader {
                payload_type: if oem.is_some() {
                    PayloadType::OEM_EXPLICIT
                } else {
                    PayloadType::SOL
                },
                encrypted: true,
                authenticated: oem.is_none(),
                oem,
                session_id: 0xdead_beef,
                sequence: 0x0102_0304,
                payload_len: 3,
            };
            let mut buffer = [0xa5; 32];
            let mut w = Writer::new(&mut buffer);
            header.encode(&mut w);
            w.bytes(&[1, 2, 3]);
            let mut r = Reader::new(w.written());
            assert_eq!(
                SessionHeader::decode(&mut r),
                Ok(SessionHeader::RmcpPlus(header))
            );
            assert_eq!(r.remaining(), 3);
        }
    }

    #[test]
    fn a_sessionless_1_5_packet_has_the_bytes_of_table_13_8() {
        let mut buffer = [0xa5; 32];
        let mut w = Writer::new(&mut buffer);
        encode_v15_sessionless(&mut w, |w| w.bytes(&[1, 2, 3]));
        assert_eq!(
            w.written(),
            [6, 0, 0xff, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]
        );
        let mut r = Reader::new(&w.written()[4..]);
        let header = SessionHeader::decode(&mut r).unwrap();
        assert_eq!((header.payload_len(), header.session_id()), (3, 0));
    }

    #[test]
    fn a_1_5_packet_of_a_session_has_its_code_before_the_length_and_is_never_of_an_unlucky_length()
    {
        let header = V15Header {
            auth_type: AuthType::MD5,
            sequence: 0x0403_0201,
            session_id: 0x0807_0605,
            code: [0; 16],
            payload_len: 0,
        };
        let mut buffer = [0xa5; 64];
        let mut w = Writer::new(&mut buffer);
        encode_v15(
            &header,
            &mut w,
            |w| w.bytes(&[7; 3]),
            |message| {
                assert_eq!(message, [7; 3]);
                [9; 16]
            },
        );
        let head = [6, 0, 0xff, 7, 2, 1, 2, 3, 4, 5, 6, 7, 8];
        let expected = [&head[..], &[9; 16], &[3, 7, 7, 7]].concat();
        assert_eq!(w.written(), expected);
        let mut r = Reader::new(&expected[4..]);
        let read = SessionHeader::decode(&mut r).unwrap();
        let (code, payload_len) = ([9; 16], 3);
        let carried = V15Header {
            code,
            payload_len,
            ..header
        };
        assert_eq!(read, SessionHeader::V15(carried));
        for len in 0..256 {
            let mut buffer = [0xa5; 300];
            let mut w = Writer::new(&mut buffer);
            encode_v15(&header, &mut w, |w| w.bytes(&[1; 256][..len]), |_| [9; 16]);
            let written = w.position();
            assert!(w.finish().is_err() == (len > 255));
            assert!(!LEGACY_LENGTHS.contains(&written), "{len} bytes of message");
        }
    }

    #[test]
    fn a_payload_longer_than_its_datagram_is_refused() {
        let mut buffer = [0xa5; 32];
        let mut w = Writer::new(&mut buffer);
        encode_sessionless(PayloadType::RAKP_1, &mut w, |w| w.bytes(&[0; 4]));
        let mut r = Reader::new(&w.written()[4..w.position() - 1]);
        let error = SessionHeader::decode(&mut r).unwrap_err();
        assert_eq!(error.fault, WireFault::Truncated);
    }

    #[test]
    fn a_1_5_message_of_more_than_255_bytes_does_not_fit() {
        let mut buffer = [0; 512];
        let mut w = Writer::new(&mut buffer);
        encode_v15_sessionless(&mut w, |w| w.bytes(&[0; 256]));
        assert!(w.finish().is_err());
    }
}
