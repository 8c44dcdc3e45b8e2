//! The IPMI message inside a LAN packet, with its two checksums (§13.8).

use super::{Reader, WireError, WireFault, Writer};
use crate::number::NetFn;

/// Responder address of the BMC.
pub const BMC_ADDRESS: u8 = 0x20;
/// Requester address of a remote console (software ID 40h, §5.5).
pub const CONSOLE_ADDRESS: u8 = 0x81;
/// Bytes around the data of a request: six of header and the last checksum.
pub const REQUEST_OVERHEAD: usize = 7;

/// Addresses and numbers of a message. Requests and responses have the same layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageHeader {
    /// Address of the receiver.
    pub to: u8,
    /// Network function; odd in a response.
    pub netfn: NetFn,
    /// Logical unit of the receiver, 0-3.
    pub to_lun: u8,
    /// Address of the sender.
    pub from: u8,
    /// The requester's sequence number (rqSeq), 0-63; a response repeats it.
    pub rq_seq: u8,
    /// Logical unit of the sender, 0-3.
    pub from_lun: u8,
    /// Command number.
    pub cmd: u8,
}

impl MessageHeader {
    /// A request from a remote console to the BMC.
    #[must_use]
    pub const fn request(netfn: NetFn, lun: u8, cmd: u8, rq_seq: u8) -> Self {
        Self {
            to: BMC_ADDRESS,
            netfn,
            to_lun: lun & 3,
            from: CONSOLE_ADDRESS,
            rq_seq: rq_seq & 0x3f,
            from_lun: 0,
            cmd,
        }
    }

    /// The header of the response to this request.
    #[must_use]
    pub const fn response(&self) -> Self {
        Self {
            to: self.from,
            netfn: self.netfn.response(),
            to_lun: self.from_lun,
            from: self.to,
            rq_seq: self.rq_seq,
            from_lun: self.to_lun,
            cmd: self.cmd,
        }
    }

    /// Writes a message; `body` writes the data (in a response, completion code first).
    pub fn encode(&self, w: &mut Writer<'_>, body: impl FnOnce(&mut Writer<'_>)) {
        let netfn_lun = (self.netfn.0 << 2) | (self.to_lun & 3);
        w.bytes(&[self.to, netfn_lun, checksum(&[self.to, netfn_lun])]);
        let second = w.position();
        w.bytes(&[
            self.from,
            (self.rq_seq << 2) | (self.from_lun & 3),
            self.cmd,
        ]);
        body(w);
        let sum = w.written().get(second..).map_or(0, checksum);
        w.u8(sum);
    }
}

/// A message, its body borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LanMessage<'a> {
    /// Addresses and numbers.
    pub header: MessageHeader,
    /// Data of a request; completion code and data of a response.
    pub body: &'a [u8],
}

impl<'a> LanMessage<'a> {
    /// Reads a message that fills `bytes`.
    ///
    /// # Errors
    /// Fewer than seven bytes, or either checksum wrong.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, WireError> {
        Self::decode_authentic(bytes, false).map(|(message, _)| message)
    }

    /// Reads a message from a packet, which has a code of its own where `is_authentic`: then wrong checksums change nothing.
    /// Also tells whether the checksums are right.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub(crate) fn decode_authentic(
        bytes: &'a [u8],
        is_authentic: bool,
    ) -> Result<(Self, bool), WireError> {
        let mut r = Reader::new(bytes);
        let [to, netfn_lun, sum] = r.array("IPMI message header")?;
        let first = checksum(&[to, netfn_lun]) == sum;
        if !first && !is_authentic {
            return Err(WireError {
                field: "first checksum",
                at: 2,
                fault: WireFault::Checksum,
            });
        }
        let second = r.position();
        let [from, seq_lun, cmd] = r.array("IPMI message header")?;
        let Some(body_len) = r.remaining().checked_sub(1) else {
            return Err(r.error("second checksum", WireFault::Truncated));
        };
        let body = r.take("IPMI message data", body_len)?;
        let whole = bytes.get(second..).map_or(0, checksum);
        if whole != 0 && !is_authentic {
            return Err(r.error("second checksum", WireFault::Checksum));
        }
        let message = Self {
            header: MessageHeader {
                to,
                netfn: NetFn(netfn_lun >> 2),
                to_lun: netfn_lun & 3,
                from,
                rq_seq: seq_lun >> 2,
                from_lun: seq_lun & 3,
                cmd,
            },
            body,
        };
        Ok((message, first && whole == 0))
    }
}

/// Two's complement checksum: the covered bytes and it add up to zero.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0u8, |sum, byte| sum.wrapping_sub(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn get_device_id_has_the_bytes_that_every_console_sends() {
        let mut buffer = [0xa5; 16];
        let mut w = Writer::new(&mut buffer);
        MessageHeader::request(NetFn::APP, 0, 1, 2).encode(&mut w, |_| {});
        assert_eq!(w.written(), [0x20, 0x18, 0xc8, 0x81, 0x08, 0x01, 0x76]);
    }

    #[test]
    fn a_message_round_trips_and_its_response_swaps_both_ends() {
        let header = MessageHeader {
            from_lun: 2,
            ..MessageHeader::request(NetFn::STORAGE, 1, 0x23, 63)
        };
        let mut buffer = [0xa5; 32];
        let mut w = Writer::new(&mut buffer);
        header.encode(&mut w, |w| w.bytes(&[1, 2, 3]));
        let message = LanMessage::decode(w.written()).unwrap();
        assert_eq!(
            message,
            LanMessage {
                header,
                body: &[1, 2, 3]
            }
        );
        let response = message.header.response();
        assert_eq!((response.to, response.to_lun), (0x81, 2));
        assert_eq!((response.from, response.from_lun), (0x20, 1));
        assert_eq!(response.netfn, NetFn(0x0b));
    }

    #[test]
    fn every_flipped_bit_breaks_a_checksum() {
        let mut buffer = [0; 16];
        let mut w = Writer::new(&mut buffer);
        MessageHeader::request(NetFn::APP, 0, 0x3b, 9).encode(&mut w, |w| w.u8(4));
        let len = w.position();
        for bit in 0..len * 8 {
            let mut bytes = buffer;
            bytes[bit / 8] ^= 1 << (bit % 8);
            let error = LanMessage::decode(&bytes[..len]).unwrap_err();
            assert_eq!(error.fault, WireFault::Checksum);
        }
    }
}
