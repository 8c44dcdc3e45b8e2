//! Event-only record, type 03h (§43.3, table 43-3).

use alloc::string::ToString;

use super::{Direction, Entity, IdString, SensorKey, Sharing};
use crate::number::{EventReadingType, SensorType};
use crate::wire::{Reader, WireError, Writer};

/// A sensor that only sends events and cannot be read, or up to 15 that are alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventOnlySensor {
    /// Which sensor; the first of those that share the record.
    pub key: SensorKey,
    /// What it belongs to.
    pub entity: Entity,
    /// What it watches.
    pub sensor_type: SensorType,
    /// How its events are to be read.
    pub event_reading_type: EventReadingType,
    /// How sensors share the record.
    pub sharing: Sharing,
    /// Reserved; zero where we make the record, kept where we read it.
    pub reserved: u8,
    /// The maker's own.
    pub oem: u8,
    /// Name; the name of a sensor that shares the record has an instance modifier behind it.
    pub id: IdString,
}

impl EventOnlySensor {
    /// Whether the sensor watches an input or an output of its entity.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        Direction::from_bits(self.sharing.direction_count >> 6)
    }

    /// The sensors that share this record, each as a record of its own with its number, entity and name (§43.3).
    pub fn expand(&self) -> impl Iterator<Item = Self> + use<> {
        let shared = *self;
        (0..shared.sharing.count()).map(move |index| {
            let mut single = shared;
            shared
                .sharing
                .apply(index, &mut single.key, &mut single.entity);
            single.id = shared
                .id
                .with_suffix(&shared.sharing.suffix(index).to_string());
            single.sharing = shared.sharing.single();
            single
        })
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        self.key.encode(w);
        self.entity.encode(w);
        w.bytes(&[self.sensor_type.0, self.event_reading_type.0]);
        self.sharing.encode(w);
        w.bytes(&[self.reserved, self.oem]);
        self.id.encode(w);
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            key: SensorKey::decode(r)?,
            entity: Entity::decode(r)?,
            sensor_type: SensorType(r.u8("sensor type")?),
            event_reading_type: EventReadingType(r.u8("event/reading type")?),
            sharing: Sharing::decode(r)?,
            reserved: r.u8("reserved byte")?,
            oem: r.u8("OEM byte")?,
            id: IdString::decode(r)?,
        })
    }
}
