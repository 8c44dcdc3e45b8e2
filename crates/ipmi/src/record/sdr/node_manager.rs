//! The record by which a board tells where Intel's Node Manager is.

use super::{SdrBody, SdrRecord, SdrRecordType};
use crate::number::ChannelNumber;

/// Subtype of the record among Intel's own, and its version.
const DISCOVERY: [u8; 2] = [0x0d, 0x01];

/// Where Node Manager is (OEM record C0h, subtype 0Dh; Node Manager 3.0 External Interface Specification, "NM discovery").
///
/// Boards of other makers have it, too, some under their own manufacturer's number: that is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeManagerDiscovery {
    /// Slave address of its controller: eight bits, even. 2Ch on nearly all boards.
    pub address: u8,
    /// The BMC's channel to it; 6 on nearly all boards.
    pub channel: ChannelNumber,
    /// The controller's LUN that has its sensors.
    pub lun: u8,
}

impl NodeManagerDiscovery {
    /// What a record says, where it is one of these.
    #[must_use]
    pub fn of(record: &SdrRecord) -> Option<Self> {
        let SdrBody::Raw { record_type, data } = &record.body else {
            return None;
        };
        // Manufacturer, subtype, version, address, channel and LUN; numbers of sensors follow.
        let [_, _, _, subtype, version, address, place, ..] = *data.as_slice() else {
            return None;
        };
        let is_it = *record_type == SdrRecordType::OEM && [subtype, version] == DISCOVERY;
        is_it.then_some(Self {
            address: address & 0xfe,
            channel: ChannelNumber(place >> 4),
            lun: place & 0x03,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RecordId;

    #[test]
    fn the_record_of_an_intel_board_names_address_and_channel() {
        let decode = |bytes: &[u8]| SdrRecord::decode(bytes).unwrap();
        let board = [
            0x31, 0, 0x51, 0xc0, 0x0b, 0x57, 0x01, 0, 0x0d, 0x01, 0x2c, 0x60, 0x17, 0x18, 0x19,
            0x1a,
        ];
        let found = NodeManagerDiscovery {
            address: 0x2c,
            channel: ChannelNumber(6),
            lun: 0,
        };
        assert_eq!(NodeManagerDiscovery::of(&decode(&board)), Some(found));
        for (at, other) in [(3, 0xc1), (8, 0x0e), (9, 0x02)] {
            let mut record = board;
            record[at] = other;
            assert_eq!(
                NodeManagerDiscovery::of(&decode(&record)),
                None,
                "byte {at}"
            );
        }
        let short = decode(&[1, 0, 0x51, 0xc0, 3, 0x57, 0x01, 0]);
        assert_eq!(
            (short.id, NodeManagerDiscovery::of(&short)),
            (RecordId(1), None)
        );
    }
}
