//! Entries of the system event log (§32).

mod describe;
mod detail;
mod event;
#[cfg(test)]
mod tests;

pub use describe::{EventText, SensorContext};
pub use event::{EventByte2, EventByte3, EventDirection, GeneratorId, SystemEvent, ThresholdEvent};

use super::{RecordId, Timestamp};
use crate::number::{EnterpriseNumber, SelRecordType};

/// An entry of the system event log: 16 bytes, whatever its type (§32.1 - §32.3).
///
/// `encode(decode(bytes)) == bytes` for every 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelRecord {
    /// Type 02h: an event of a sensor.
    SystemEvent(SystemEvent),
    /// Types C0h to DFh.
    OemTimestamped(OemTimestamped),
    /// Types E0h to FFh.
    OemNonTimestamped(OtherRecord),
    /// A type that the specification reserves; seen from some BMCs.
    Reserved(OtherRecord),
}

/// An entry that the maker defines, with a time (§32.2, table 32-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OemTimestamped {
    /// Number of the entry.
    pub id: RecordId,
    /// Record type, C0h to DFh.
    pub record_type: SelRecordType,
    /// When.
    pub timestamp: Timestamp,
    /// The maker; 20 bits, the rest is kept.
    pub manufacturer: EnterpriseNumber,
    /// The maker's own.
    pub data: [u8; 6],
}

/// An entry without a defined content (§32.3, table 32-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherRecord {
    /// Number of the entry.
    pub id: RecordId,
    /// Record type.
    pub record_type: SelRecordType,
    /// The maker's own.
    pub data: [u8; 13],
}

impl SelRecord {
    /// Reads an entry; every 16 bytes are one.
    #[must_use]
    pub fn decode(bytes: &[u8; 16]) -> Self {
        let [id0, id1, record_type, data @ ..] = *bytes;
        let id = RecordId(u16::from_le_bytes([id0, id1]));
        let other = OtherRecord {
            id,
            record_type: SelRecordType(record_type),
            data,
        };
        match record_type {
            0x02 => Self::SystemEvent(SystemEvent::from_data(id, &data)),
            0xc0..=0xdf => {
                let [t0, t1, t2, t3, m0, m1, m2, data @ ..] = data;
                Self::OemTimestamped(OemTimestamped {
                    id,
                    record_type: other.record_type,
                    timestamp: Timestamp(u32::from_le_bytes([t0, t1, t2, t3])),
                    manufacturer: EnterpriseNumber(u32::from_le_bytes([m0, m1, m2, 0])),
                    data,
                })
            }
            0xe0..=0xff => Self::OemNonTimestamped(other),
            _ => Self::Reserved(other),
        }
    }

    /// The 16 bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&self.id().0.to_le_bytes());
        bytes[2] = self.record_type().0;
        let data = &mut bytes[3..];
        match self {
            Self::SystemEvent(event) => data.copy_from_slice(&event.to_data()),
            Self::OemTimestamped(oem) => {
                data[..4].copy_from_slice(&oem.timestamp.0.to_le_bytes());
                data[4..7].copy_from_slice(&oem.manufacturer.0.to_le_bytes()[..3]);
                data[7..].copy_from_slice(&oem.data);
            }
            Self::OemNonTimestamped(other) | Self::Reserved(other) => {
                data.copy_from_slice(&other.data);
            }
        }
        bytes
    }

    /// Number of the entry.
    #[must_use]
    pub const fn id(&self) -> RecordId {
        match self {
            Self::SystemEvent(event) => event.id,
            Self::OemTimestamped(oem) => oem.id,
            Self::OemNonTimestamped(other) | Self::Reserved(other) => other.id,
        }
    }

    /// The same entry with another number: for a log that stores it.
    #[must_use]
    pub const fn with_id(mut self, id: RecordId) -> Self {
        match &mut self {
            Self::SystemEvent(event) => event.id = id,
            Self::OemTimestamped(oem) => oem.id = id,
            Self::OemNonTimestamped(other) | Self::Reserved(other) => other.id = id,
        }
        self
    }

    /// The same entry with another time; unchanged where its type has none.
    #[must_use]
    pub const fn with_timestamp(mut self, timestamp: Timestamp) -> Self {
        match &mut self {
            Self::SystemEvent(event) => event.timestamp = timestamp,
            Self::OemTimestamped(oem) => oem.timestamp = timestamp,
            Self::OemNonTimestamped(_) | Self::Reserved(_) => {}
        }
        self
    }

    /// Record type: 02h, or the maker's.
    #[must_use]
    pub const fn record_type(&self) -> SelRecordType {
        match self {
            Self::SystemEvent(_) => SelRecordType::SYSTEM_EVENT,
            Self::OemTimestamped(oem) => oem.record_type,
            Self::OemNonTimestamped(other) | Self::Reserved(other) => other.record_type,
        }
    }

    /// When; `None` for a type that has no time.
    #[must_use]
    pub const fn timestamp(&self) -> Option<Timestamp> {
        match self {
            Self::SystemEvent(event) => Some(event.timestamp),
            Self::OemTimestamped(oem) => Some(oem.timestamp),
            Self::OemNonTimestamped(_) | Self::Reserved(_) => None,
        }
    }
}
