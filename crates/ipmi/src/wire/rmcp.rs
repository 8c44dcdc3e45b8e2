//! The RMCP header, first four bytes of every datagram (§13.1.3, ASF 2.0 §3.2.2).

use super::{Reader, WireError, WireFault, Writer};
use crate::number::{RmcpMessageClass, RmcpMessageRole, RmcpPort, RmcpVersion};

/// UDP port of RMCP on a managed machine.
pub const PORT: u16 = RmcpPort::PRIMARY.0;
/// Bytes of the header.
pub const HEADER_LEN: usize = 4;
/// Sequence number that asks for no RMCP acknowledgement; IPMI uses no other.
const NO_ACK: u8 = 0xff;

/// What kind of message follows the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// ASF: presence ping and pong.
    Asf,
    /// IPMI: a session header follows.
    Ipmi,
}

/// Writes the header.
pub fn encode(class: Class, w: &mut Writer<'_>) {
    let class = match class {
        Class::Asf => RmcpMessageClass::ASF,
        Class::Ipmi => RmcpMessageClass::IPMI,
    };
    w.bytes(&[RmcpVersion::RMCP_1_0.0, 0, NO_ACK, class.0]);
}

/// Reads the header.
///
/// # Errors
/// Another version than 06h, an RMCP acknowledgement or another class is [`WireFault::Invalid`].
pub fn decode(r: &mut Reader<'_>) -> Result<Class, WireError> {
    if RmcpVersion(r.u8("RMCP version")?) != RmcpVersion::RMCP_1_0 {
        return Err(WireError {
            field: "RMCP version",
            at: 0,
            fault: WireFault::Invalid,
        });
    }
    r.take("RMCP reserved byte and sequence number", 2)?;
    let byte = r.u8("RMCP class")?;
    let role = RmcpMessageRole(byte >> 7);
    match (role, RmcpMessageClass(byte & 0x7f)) {
        (RmcpMessageRole::NORMAL, RmcpMessageClass::ASF) => Ok(Class::Asf),
        (RmcpMessageRole::NORMAL, RmcpMessageClass::IPMI) => Ok(Class::Ipmi),
        _ => Err(WireError {
            field: "RMCP class",
            at: 3,
            fault: WireFault::Invalid,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_classes_round_trip_and_others_are_refused() {
        for class in [Class::Asf, Class::Ipmi] {
            let mut buffer = [0xa5; 4];
            let mut w = Writer::new(&mut buffer);
            encode(class, &mut w);
            assert_eq!(w.finish(), Ok(HEADER_LEN));
            assert_eq!(decode(&mut Reader::new(&buffer)), Ok(class));
        }
        // Bit 7 marks an acknowledgement.
        assert!(decode(&mut Reader::new(&[6, 0, 0, 0x86])).is_err());
        assert!(decode(&mut Reader::new(&[5, 0, 0xff, 7])).is_err());
        assert!(decode(&mut Reader::new(&[6, 0, 0xff])).is_err());
    }
}
