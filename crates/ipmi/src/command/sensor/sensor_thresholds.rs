//! Set Sensor Thresholds and Get Sensor Thresholds (§35.8, §35.9).

use crate::command::{Command, Empty, Message};
use crate::number::{NetFn, Threshold, ThresholdSet};
use crate::wire::{Reader, WireError, Writer};

/// Thresholds in raw counts, with the set of those that count (§35.9, table 35-9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SensorThresholds {
    /// In an answer: which are readable. In a request: which to set. 6 bits.
    pub present: ThresholdSet,
    /// Raw values in the order of [`Threshold::ALL`]; those that are not present have no meaning.
    pub raw: [u8; 6],
}

impl SensorThresholds {
    /// The raw value of one threshold; `None` where it is not present.
    #[must_use]
    pub const fn get(&self, threshold: Threshold) -> Option<u8> {
        if self.present.has(threshold) {
            Some(self.raw[threshold.index()])
        } else {
            None
        }
    }

    /// Adds one threshold.
    pub fn set(&mut self, threshold: Threshold, raw: u8) {
        self.present = self.present | threshold.bit();
        self.raw[threshold.index()] = raw;
    }
}

/// Sets the thresholds that are present (§35.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetSensorThresholds {
    /// Number of the sensor.
    pub sensor_number: u8,
    /// Which thresholds, and their new raw values.
    pub thresholds: SensorThresholds,
}

/// Asks for the thresholds of a sensor (§35.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetSensorThresholds {
    /// Number of the sensor.
    pub sensor_number: u8,
}

impl Command for SetSensorThresholds {
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x26;
    const NAME: &'static str = "Set Sensor Thresholds";
    const IDEMPOTENT: bool = true;
    type Response = Empty;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.sensor_number);
        self.thresholds.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            sensor_number: r.u8("sensor number")?,
            thresholds: SensorThresholds::decode(r)?,
        })
    }
}

impl Command for GetSensorThresholds {
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x27;
    const NAME: &'static str = "Get Sensor Thresholds";
    const IDEMPOTENT: bool = true;
    type Response = SensorThresholds;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.sensor_number);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            sensor_number: r.u8("sensor number")?,
        })
    }
}

impl Message for SensorThresholds {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.present.0 & ThresholdSet::ALL.0);
        w.bytes(&self.raw);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            present: ThresholdSet(r.u8("threshold mask")? & ThresholdSet::ALL.0),
            raw: r.array("thresholds")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn a_mask_says_which_of_the_six_bytes_count() {
        let mut thresholds = SensorThresholds::default();
        thresholds.set(Threshold::UpperCritical, 0x90);
        thresholds.set(Threshold::LowerNonCritical, 0x10);
        let bytes = [0x11, 0x10, 0, 0, 0, 0x90, 0];
        check::response(&thresholds, &bytes, 7);
        check::request(&GetSensorThresholds { sensor_number: 5 }, &[5], 1);
        let set = SetSensorThresholds {
            sensor_number: 5,
            thresholds,
        };
        check::request(&set, &[5, 0x11, 0x10, 0, 0, 0, 0x90, 0], 8);
        assert_eq!(thresholds.get(Threshold::UpperCritical), Some(0x90));
        assert_eq!(thresholds.get(Threshold::UpperNonRecoverable), None);
    }
}
