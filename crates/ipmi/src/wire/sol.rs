//! Packets of serial over LAN (§15.9).

use super::{Reader, WireError, Writer};

/// Bytes before the characters.
pub const SOL_HEADER_LEN: usize = 4;

/// Bit of [`SolPacket::flags`] in both directions: the acknowledged packet was not taken, or only in part.
pub const NACK: u8 = 0x40;

/// One SOL payload (§15.9, table 15-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SolPacket<'a> {
    /// Sequence number, 1-15; 0 for a packet that only acknowledges.
    pub sequence: u8,
    /// Sequence number of the packet that is acknowledged; 0 for none.
    pub acknowledged: u8,
    /// How many of its characters were taken.
    pub accepted: u8,
    /// From a console [`SolOperation`](crate::number::SolOperation), from a BMC
    /// [`SolStatus`](crate::number::SolStatus).
    pub flags: u8,
    /// The characters.
    pub characters: &'a [u8],
}

impl<'a> SolPacket<'a> {
    /// Writes it.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[
            self.sequence & 0x0f,
            self.acknowledged & 0x0f,
            self.accepted,
            self.flags,
        ]);
        w.bytes(self.characters);
    }

    /// Reads it.
    ///
    /// # Errors
    /// Fewer than four bytes.
    pub fn decode(r: &mut Reader<'a>) -> Result<Self, WireError> {
        let [sequence, acknowledged, accepted, flags] = r.array("SOL header")?;
        Ok(Self {
            sequence: sequence & 0x0f,
            acknowledged: acknowledged & 0x0f,
            accepted,
            flags,
            characters: r.rest(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_four_bytes_and_characters() {
        let packet = SolPacket {
            sequence: 3,
            acknowledged: 15,
            accepted: 7,
            flags: NACK,
            characters: b"ls\r",
        };
        let mut buffer = [0; 16];
        let mut w = Writer::new(&mut buffer);
        packet.encode(&mut w);
        assert_eq!(w.written(), b"\x03\x0f\x07\x40ls\r");
        assert_eq!(SolPacket::decode(&mut Reader::new(w.written())), Ok(packet));
        assert!(SolPacket::decode(&mut Reader::new(&[1, 2, 3])).is_err());
    }
}
