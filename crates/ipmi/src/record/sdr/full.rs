//! Full sensor record, type 01h (§43.1, table 43-1).

use super::{IdString, Sensor};
use crate::number::{AnalogCharacteristics, Linearization, Threshold};
use crate::record::{Conversion, Factors};
use crate::wire::{Reader, WireError, Writer};

/// A sensor with everything that its reading and thresholds need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FullSensor {
    /// Key, entity, type, masks and unit.
    pub sensor: Sensor,
    /// Function behind the linear formula; bit 7 is reserved.
    pub linearization: Linearization,
    /// Factors of the linear formula.
    pub factors: Factors,
    /// Whether the sensor watches an input or an output of its entity.
    pub direction: Direction,
    /// Which of the three values that follow are specified.
    pub characteristics: AnalogCharacteristics,
    /// Nominal reading, raw.
    pub nominal: u8,
    /// Normal maximum, raw.
    pub normal_maximum: u8,
    /// Normal minimum, raw.
    pub normal_minimum: u8,
    /// Largest reading that the sensor can give, raw.
    pub maximum: u8,
    /// Smallest reading that the sensor can give, raw.
    pub minimum: u8,
    /// Thresholds at power-up, raw, in the order of [`Threshold::ALL`].
    pub thresholds: [u8; 6],
    /// Positive-going hysteresis in raw counts.
    pub positive_hysteresis: u8,
    /// Negative-going hysteresis in raw counts.
    pub negative_hysteresis: u8,
    /// Reserved; zero where we make the record, kept where we read it.
    pub reserved: [u8; 2],
    /// The maker's own.
    pub oem: u8,
    /// Name.
    pub id: IdString,
}

/// Whether a sensor watches an input or an output of its entity: 2 bits (§43.1, table 43-1, byte 29).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Not specified or not applicable.
    #[default]
    Unspecified,
    /// An input.
    Input,
    /// An output.
    Output,
    /// Reserved value 3.
    Reserved,
}

impl Direction {
    /// From the low 2 bits.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        match bits & 0x03 {
            0 => Self::Unspecified,
            1 => Self::Input,
            2 => Self::Output,
            _ => Self::Reserved,
        }
    }
}

impl FullSensor {
    /// How raw bytes turn into readings; `None` where the sensor has no analog reading or is non-linear
    /// (see [`Conversion::new`]).
    #[must_use]
    pub fn conversion(&self) -> Option<Conversion> {
        Conversion::new(
            self.sensor.units.format(),
            self.linearization,
            &self.factors,
        )
    }

    /// The raw threshold that the record holds; `None` where the sensor has no such threshold.
    #[must_use]
    pub const fn threshold(&self, threshold: Threshold) -> Option<u8> {
        if self.sensor.readable_thresholds().has(threshold) {
            Some(self.thresholds[threshold.index()])
        } else {
            None
        }
    }

    /// Nominal reading, raw, where it is specified.
    #[must_use]
    pub const fn nominal(&self) -> Option<u8> {
        if self
            .characteristics
            .contains(AnalogCharacteristics::NOMINAL)
        {
            Some(self.nominal)
        } else {
            None
        }
    }

    /// Normal minimum and maximum, raw, where they are specified.
    #[must_use]
    pub fn normal_range(&self) -> (Option<u8>, Option<u8>) {
        (
            self.characteristics
                .contains(AnalogCharacteristics::NORMAL_MINIMUM)
                .then_some(self.normal_minimum),
            self.characteristics
                .contains(AnalogCharacteristics::NORMAL_MAXIMUM)
                .then_some(self.normal_maximum),
        )
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        self.sensor.encode(w);
        w.u8(self.linearization.0);
        let mut factors = self.factors.to_bytes();
        factors[DIRECTION_BYTE] |= self.direction as u8;
        w.bytes(&factors);
        w.bytes(&[
            self.characteristics.0,
            self.nominal,
            self.normal_maximum,
            self.normal_minimum,
            self.maximum,
            self.minimum,
        ]);
        // On the wire the highest threshold comes first.
        let mut thresholds = self.thresholds;
        thresholds.reverse();
        w.bytes(&thresholds);
        w.bytes(&[self.positive_hysteresis, self.negative_hysteresis]);
        w.bytes(&self.reserved);
        w.u8(self.oem);
        self.id.encode(w);
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let sensor = Sensor::decode(r)?;
        let linearization = Linearization(r.u8("linearization")?);
        let factors = r.array("factors")?;
        let characteristics = r.u8("analog characteristic flags")?;
        let [nominal, normal_maximum, normal_minimum, maximum, minimum] =
            r.array("analog characteristics")?;
        let mut thresholds: [u8; 6] = r.array("thresholds")?;
        thresholds.reverse();
        Ok(Self {
            sensor,
            linearization,
            factors: Factors::from_bytes(factors),
            direction: Direction::from_bits(factors[DIRECTION_BYTE]),
            characteristics: AnalogCharacteristics(characteristics),
            nominal,
            normal_maximum,
            normal_minimum,
            maximum,
            minimum,
            thresholds,
            positive_hysteresis: r.u8("positive-going hysteresis")?,
            negative_hysteresis: r.u8("negative-going hysteresis")?,
            reserved: r.array("reserved bytes")?,
            oem: r.u8("OEM byte")?,
            id: IdString::decode(r)?,
        })
    }
}

/// Among the six bytes of the factors, the one whose low 2 bits are the sensor direction.
const DIRECTION_BYTE: usize = 4;
