//! Compact sensor record, type 02h (§43.2, table 43-2).

use alloc::string::ToString;

use super::{Direction, IdString, Sensor, Sharing};
use crate::wire::{Reader, WireError, Writer};

/// A sensor without analog factors and thresholds, or up to 15 that are alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactSensor {
    /// Key, entity, type, masks and unit of the first sensor.
    pub sensor: Sensor,
    /// How sensors share the record.
    pub sharing: Sharing,
    /// Positive-going hysteresis in raw counts.
    pub positive_hysteresis: u8,
    /// Negative-going hysteresis in raw counts.
    pub negative_hysteresis: u8,
    /// Reserved; zero where we make the record, kept where we read it.
    pub reserved: [u8; 3],
    /// The maker's own.
    pub oem: u8,
    /// Name; the name of a sensor that shares the record has an instance modifier behind it.
    pub id: IdString,
}

impl CompactSensor {
    /// Whether the sensor watches an input or an output of its entity.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        Direction::from_bits(self.sharing.direction_count >> 6)
    }

    /// The sensors that share this record, each as a record of its own with its number, entity and name (§43.2).
    pub fn expand(&self) -> impl Iterator<Item = Self> + use<> {
        let shared = *self;
        (0..shared.sharing.count()).map(move |index| {
            let mut single = shared;
            shared
                .sharing
                .apply(index, &mut single.sensor.key, &mut single.sensor.entity);
            single.id = shared
                .id
                .with_suffix(&shared.sharing.suffix(index).to_string());
            single.sharing = shared.sharing.single();
            single
        })
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        self.sensor.encode(w);
        self.sharing.encode(w);
        w.bytes(&[self.positive_hysteresis, self.negative_hysteresis]);
        w.bytes(&self.reserved);
        w.u8(self.oem);
        self.id.encode(w);
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            sensor: Sensor::decode(r)?,
            sharing: Sharing::decode(r)?,
            positive_hysteresis: r.u8("positive-going hysteresis")?,
            negative_hysteresis: r.u8("negative-going hysteresis")?,
            reserved: r.array("reserved bytes")?,
            oem: r.u8("OEM byte")?,
            id: IdString::decode(r)?,
        })
    }
}
