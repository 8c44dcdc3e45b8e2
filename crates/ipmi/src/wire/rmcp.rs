//! The RMCP header, first four bytes of every datagram (§13.1.3, ASF 2.0 §3.2.2).

use super::{Reader, WireError, WireFault, Writer};

/// UDP port of RMCP on a managed machine.
pub const PORT: u16 = 623;
/// Bytes of the header.
pub const HEADER_LEN: usize = 4;
/// Version that ASF 2.0 and IPMI use.
const VERSION: u8 = 0x06;
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
        Class::Asf => 0x06,
        Class::Ipmi => 0x07,
    };
    w.bytes(&[VERSION, 0, NO_ACK, class]);
}

/// Reads the header.
///
/// # Errors
/// Another version than 06h, an RMCP acknowledgement or another class is [`WireFault::Invalid`].
pub fn decode(r: &mut Reader<'_>) -> Result<Class, WireError> {
    if r.u8("RMCP version")? != VERSION {
        return Err(WireError {
            field: "RMCP version",
            at: 0,
            fault: WireFault::Invalid,
        });
    }
    r.take("RMCP reserved byte and sequence number", 2)?;
    match r.u8("RMCP class")? {
        0x06 => Ok(Class::Asf),
        0x07 => Ok(Class::Ipmi),
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
