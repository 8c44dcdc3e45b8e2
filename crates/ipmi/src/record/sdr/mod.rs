//! Sensor data records (§43).

mod association;
mod compact;
mod event_only;
mod fru_locator;
mod full;
mod id_string;
mod mc_locator;
mod node_manager;
mod sensor;
#[cfg(test)]
mod tests;

pub use association::{
    DeviceRelativeAssociation, EntityAssociation, GenericLocator, McConfirmation,
    MessageChannelInfo,
};
pub use compact::CompactSensor;
pub use event_only::EventOnlySensor;
pub use fru_locator::FruLocator;
pub use full::{Direction, FullSensor};
pub use id_string::{ID_STRING_MAX, IdString};
pub use mc_locator::McLocator;
pub use node_manager::NodeManagerDiscovery;
pub use sensor::{
    Access, Entity, Owner, Sensor, SensorCapabilities, SensorKey, Sharing, Suffix, UnitRelation,
    Units,
};

use alloc::vec::Vec;

use super::RecordId;
use crate::command::storage::SDR_MAX;
use crate::number::protocol_number;
use crate::wire::{Reader, WireError, Writer};

protocol_number! {
    /// What a sensor data record describes (§43).
    pub struct SdrRecordType(u8) {
        /// A sensor with factors and thresholds.
        FULL_SENSOR = 0x01 => "Full Sensor Record",
        /// A sensor, or several alike.
        COMPACT_SENSOR = 0x02 => "Compact Sensor Record",
        /// A sensor that only sends events.
        EVENT_ONLY = 0x03 => "Event-Only Record",
        /// Which entities contain which.
        ENTITY_ASSOCIATION = 0x08 => "Entity Association Record",
        /// The same, counted on one device.
        DEVICE_RELATIVE_ENTITY_ASSOCIATION = 0x09 => "Device-relative Entity Association Record",
        /// A device on a bus.
        GENERIC_LOCATOR = 0x10 => "Generic Device Locator Record",
        /// An inventory.
        FRU_LOCATOR = 0x11 => "FRU Device Locator Record",
        /// A management controller.
        MC_LOCATOR = 0x12 => "Management Controller Device Locator Record",
        /// A management controller that was found.
        MC_CONFIRMATION = 0x13 => "Management Controller Confirmation Record",
        /// The channels of an IPMI 1.0 BMC.
        MESSAGE_CHANNEL_INFO = 0x14 => "BMC Message Channel Info Record",
        /// The maker's own.
        OEM = 0xc0 => "OEM Record",
    }
}

/// Length of the header of every record (§43, first five bytes of each table).
pub const HEADER_LEN: usize = 5;

/// The header of a record: read it first, to know how much follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    /// Number of the record.
    pub id: RecordId,
    /// SDR version, BCD with the digits swapped: 51h.
    pub version: u8,
    /// What the record describes.
    pub record_type: SdrRecordType,
    /// How many bytes follow the header.
    pub length: u8,
}

impl RecordHeader {
    /// Length of the whole record in bytes, header included.
    #[must_use]
    pub const fn record_len(&self) -> usize {
        HEADER_LEN + self.length as usize
    }

    /// Reads the five bytes.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            id: RecordId(r.u16("record ID")?),
            version: r.u8("SDR version")?,
            record_type: SdrRecordType(r.u8("record type")?),
            length: r.u8("record length")?,
        })
    }
}

/// A sensor data record.
///
/// `encode(decode(bytes)) == bytes` for every record whose length byte is right, reserved bits and trailing bytes
/// included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SdrRecord {
    /// Number of the record in its repository.
    pub id: RecordId,
    /// SDR version, BCD with the digits swapped: [`SdrRecord::VERSION`].
    pub version: u8,
    /// What it describes.
    pub body: SdrBody,
    /// Bytes behind what the specification defines; usually none.
    pub trailing: Vec<u8>,
}

/// What a sensor data record describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SdrBody {
    /// Type 01h.
    FullSensor(FullSensor),
    /// Type 02h.
    CompactSensor(CompactSensor),
    /// Type 03h.
    EventOnly(EventOnlySensor),
    /// Type 08h.
    EntityAssociation(EntityAssociation),
    /// Type 09h.
    DeviceRelativeAssociation(DeviceRelativeAssociation),
    /// Type 10h.
    GenericLocator(GenericLocator),
    /// Type 11h.
    FruLocator(FruLocator),
    /// Type 12h.
    McLocator(McLocator),
    /// Type 13h.
    McConfirmation(McConfirmation),
    /// Type 14h.
    MessageChannelInfo(MessageChannelInfo),
    /// Another type, or a record that is too short for its type.
    Raw {
        /// Its type.
        record_type: SdrRecordType,
        /// The bytes behind the header.
        data: Vec<u8>,
    },
}

impl SdrRecord {
    /// The SDR version of IPMI 1.5 and 2.0.
    pub const VERSION: u8 = 0x51;

    /// A record to be stored.
    #[must_use]
    pub const fn new(id: RecordId, body: SdrBody) -> Self {
        Self {
            id,
            version: Self::VERSION,
            body,
            trailing: Vec::new(),
        }
    }

    /// What the record describes.
    #[must_use]
    pub const fn record_type(&self) -> SdrRecordType {
        match &self.body {
            SdrBody::FullSensor(_) => SdrRecordType::FULL_SENSOR,
            SdrBody::CompactSensor(_) => SdrRecordType::COMPACT_SENSOR,
            SdrBody::EventOnly(_) => SdrRecordType::EVENT_ONLY,
            SdrBody::FruLocator(_) => SdrRecordType::FRU_LOCATOR,
            SdrBody::McLocator(_) => SdrRecordType::MC_LOCATOR,
            SdrBody::EntityAssociation(_) => SdrRecordType::ENTITY_ASSOCIATION,
            SdrBody::DeviceRelativeAssociation(_) => {
                SdrRecordType::DEVICE_RELATIVE_ENTITY_ASSOCIATION
            }
            SdrBody::GenericLocator(_) => SdrRecordType::GENERIC_LOCATOR,
            SdrBody::McConfirmation(_) => SdrRecordType::MC_CONFIRMATION,
            SdrBody::MessageChannelInfo(_) => SdrRecordType::MESSAGE_CHANNEL_INFO,
            SdrBody::Raw { record_type, .. } => *record_type,
        }
    }

    /// The name of the sensor or device; `None` for a record without one.
    #[must_use]
    pub const fn name(&self) -> Option<&IdString> {
        match &self.body {
            SdrBody::FullSensor(full) => Some(&full.id),
            SdrBody::CompactSensor(compact) => Some(&compact.id),
            SdrBody::EventOnly(event_only) => Some(&event_only.id),
            SdrBody::FruLocator(fru) => Some(&fru.id),
            SdrBody::McLocator(mc) => Some(&mc.id),
            SdrBody::GenericLocator(generic) => Some(&generic.id),
            SdrBody::EntityAssociation(_)
            | SdrBody::DeviceRelativeAssociation(_)
            | SdrBody::McConfirmation(_)
            | SdrBody::MessageChannelInfo(_)
            | SdrBody::Raw { .. } => None,
        }
    }

    /// Reads a record.
    ///
    /// The length byte bounds it, and so do the bytes that are there: a BMC may announce more than it sends. Bytes
    /// behind the announced length are ignored. A record of a known type that is too short for it is kept raw, so
    /// that one bad record does not hide the others; only a short header is an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let header = RecordHeader::decode(&mut r)?;
        let len = r.remaining().min(header.length.into());
        let data = r.take("record body", len)?;
        let mut body_reader = Reader::new(data);
        let (body, trailing) = match decode_body(header.record_type, &mut body_reader) {
            Some(body) => (body, body_reader.rest().to_vec()),
            None => {
                let record_type = header.record_type;
                (
                    SdrBody::Raw {
                        record_type,
                        data: data.to_vec(),
                    },
                    Vec::new(),
                )
            }
        };
        Ok(Self {
            id: header.id,
            version: header.version,
            body,
            trailing,
        })
    }

    /// Writes the record with a length byte that is right.
    ///
    /// What goes beyond the 255 bytes that a length byte can name is cut; no record of the specification does.
    pub fn encode(&self, w: &mut Writer<'_>) {
        let mut buffer = [0; SDR_MAX - HEADER_LEN];
        let mut body = Writer::new(&mut buffer);
        match &self.body {
            SdrBody::FullSensor(full) => full.encode(&mut body),
            SdrBody::CompactSensor(compact) => compact.encode(&mut body),
            SdrBody::EventOnly(event_only) => event_only.encode(&mut body),
            SdrBody::FruLocator(fru) => fru.encode(&mut body),
            SdrBody::McLocator(mc) => mc.encode(&mut body),
            SdrBody::EntityAssociation(association) => association.encode(&mut body),
            SdrBody::DeviceRelativeAssociation(association) => association.encode(&mut body),
            SdrBody::GenericLocator(generic) => generic.encode(&mut body),
            SdrBody::McConfirmation(confirmation) => confirmation.encode(&mut body),
            SdrBody::MessageChannelInfo(info) => info.encode(&mut body),
            SdrBody::Raw { data, .. } => body.bytes(&data[..data.len().min(SDR_MAX - HEADER_LEN)]),
        }
        body.bytes(&self.trailing);
        w.u16(self.id.0);
        let [length, ..] = body.position().to_le_bytes();
        w.bytes(&[self.version, self.record_type().0, length]);
        w.bytes(body.written());
    }

    /// The record's bytes.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut buffer = [0; SDR_MAX];
        let mut w = Writer::new(&mut buffer);
        self.encode(&mut w);
        w.written().to_vec()
    }
}

/// `None` for a type that is kept raw and for a body that is too short.
fn decode_body(record_type: SdrRecordType, r: &mut Reader<'_>) -> Option<SdrBody> {
    match record_type {
        SdrRecordType::FULL_SENSOR => FullSensor::decode(r).map(SdrBody::FullSensor).ok(),
        SdrRecordType::COMPACT_SENSOR => CompactSensor::decode(r).map(SdrBody::CompactSensor).ok(),
        SdrRecordType::EVENT_ONLY => EventOnlySensor::decode(r).map(SdrBody::EventOnly).ok(),
        SdrRecordType::FRU_LOCATOR => FruLocator::decode(r).map(SdrBody::FruLocator).ok(),
        SdrRecordType::MC_LOCATOR => McLocator::decode(r).map(SdrBody::McLocator).ok(),
        SdrRecordType::ENTITY_ASSOCIATION => EntityAssociation::decode(r)
            .map(SdrBody::EntityAssociation)
            .ok(),
        SdrRecordType::DEVICE_RELATIVE_ENTITY_ASSOCIATION => DeviceRelativeAssociation::decode(r)
            .map(SdrBody::DeviceRelativeAssociation)
            .ok(),
        SdrRecordType::GENERIC_LOCATOR => {
            GenericLocator::decode(r).map(SdrBody::GenericLocator).ok()
        }
        SdrRecordType::MC_CONFIRMATION => {
            McConfirmation::decode(r).map(SdrBody::McConfirmation).ok()
        }
        SdrRecordType::MESSAGE_CHANNEL_INFO => MessageChannelInfo::decode(r)
            .map(SdrBody::MessageChannelInfo)
            .ok(),
        _ => None,
    }
}
