//! Whose datagram is it: for many sessions on one socket.

use crate::number::PayloadType;
use crate::wire::session::SessionHeader;
use crate::wire::{Reader, WireError, asf, rmcp};

/// Who a datagram from a BMC says it is for. Read from its header alone; nothing is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressee {
    /// The session with this console session ID, established or being set up.
    Session(u32),
    /// An answer outside a session, or in one of IPMI 1.5, whose ID the BMC chose: only the sender's address tells
    /// whose.
    Sessionless,
    /// An ASF presence pong with this tag.
    Pong {
        /// The ping's tag.
        tag: u8,
    },
}

/// Reads who `datagram` is for.
///
/// # Errors
/// The bytes are no RMCP datagram, or one that only consoles send.
pub fn addressee(datagram: &[u8]) -> Result<Addressee, WireError> {
    let mut r = Reader::new(datagram);
    if rmcp::decode(&mut r)? == rmcp::Class::Asf {
        return match asf::Asf::decode(&mut r)? {
            asf::Asf::Pong { tag, .. } => Ok(Addressee::Pong { tag }),
            asf::Asf::Ping { .. } => {
                Err(r.error("ASF message type", crate::wire::WireFault::Invalid))
            }
        };
    }
    let header = SessionHeader::decode(&mut r)?;
    let SessionHeader::RmcpPlus(header) = header else {
        return Ok(Addressee::Sessionless);
    };
    if header.session_id != 0 {
        return Ok(Addressee::Session(header.session_id));
    }
    match header.payload_type {
        PayloadType::OPEN_SESSION_RESPONSE | PayloadType::RAKP_2 | PayloadType::RAKP_4 => {
            // Tag, status and two more bytes precede the ID; a short error has none.
            let id = r
                .take("tag and status", 4)
                .and_then(|_| r.u32("console session ID"));
            // Some BMCs refuse with ID 0, which no session has.
            Ok(match id {
                Ok(id @ 1..) => Addressee::Session(id),
                _ => Addressee::Sessionless,
            })
        }
        _ => Ok(Addressee::Sessionless),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::RakpStatus;
    use crate::wire::Writer;
    use crate::wire::rakp::{OpenSessionResponse, Rakp4};
    use crate::wire::session::{encode_sessionless, encode_v15_sessionless};

    fn of(encode: impl FnOnce(&mut Writer<'_>)) -> Result<Addressee, WireError> {
        let mut buffer = [0; 128];
        let mut w = Writer::new(&mut buffer);
        encode(&mut w);
        addressee(w.written())
    }

    #[test]
    fn set_up_answers_carry_the_console_session_id_in_their_payload() {
        let response = OpenSessionResponse {
            tag: 0,
            console_session_id: Some(7),
            outcome: Err(RakpStatus::INSUFFICIENT_RESOURCES),
        };
        let found = of(|w| {
            encode_sessionless(PayloadType::OPEN_SESSION_RESPONSE, w, |w| {
                response.encode(w);
            });
        });
        assert_eq!(found, Ok(Addressee::Session(7)));
        let rakp4 = Rakp4 {
            tag: 0,
            console_session_id: 9,
            outcome: Err(RakpStatus::INVALID_SESSION_ID),
        };
        let found = of(|w| encode_sessionless(PayloadType::RAKP_4, w, |w| rakp4.encode(w)));
        assert_eq!(found, Ok(Addressee::Session(9)));
    }

    #[test]
    fn what_names_no_session_is_found_by_its_sender() {
        assert_eq!(
            of(|w| encode_v15_sessionless(w, |w| w.u8(0))),
            Ok(Addressee::Sessionless)
        );
        let short = of(|w| {
            encode_sessionless(PayloadType::OPEN_SESSION_RESPONSE, w, |w| w.bytes(&[0, 1]));
        });
        assert_eq!(short, Ok(Addressee::Sessionless));
        let nobodys = Rakp4 {
            tag: 0,
            console_session_id: 0,
            outcome: Err(RakpStatus::UNAUTHORIZED_NAME),
        };
        let found = of(|w| encode_sessionless(PayloadType::RAKP_4, w, |w| nobodys.encode(w)));
        assert_eq!(found, Ok(Addressee::Sessionless));
        let pong = asf::Asf::pong(3);
        assert_eq!(of(|w| pong.encode(w)), Ok(Addressee::Pong { tag: 3 }));
        assert!(of(|w| asf::Asf::Ping { tag: 3 }.encode(w)).is_err());
    }
}
