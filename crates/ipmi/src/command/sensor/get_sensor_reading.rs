//! Get Sensor Reading (§35.14).

use crate::command::{Command, Message};
use crate::number::{NetFn, ReadingFlags, ThresholdSet};
use crate::wire::{Reader, WireError, Writer};

/// Asks for the present reading and states of a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetSensorReading {
    /// Number of the sensor.
    pub sensor_number: u8,
}

/// The answer to [`GetSensorReading`] (§35.14, table 35-15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SensorReading {
    /// The raw reading; without meaning for discrete sensors and while it is unavailable.
    pub raw: u8,
    /// Whether event messages are on, the sensor is scanned, and there is no reading yet: started just now, entity absent.
    pub flags: ReadingFlags,
    /// For a threshold sensor the comparison with its thresholds in the low 6 bits, see [`SensorReading::thresholds`];
    /// for a discrete sensor its states, bit n for offset n, 15 bits. Bytes that the BMC leaves out count as 0. Above
    /// a comparison come two reserved bits, which a BMC sets (C0h).
    pub states: u16,
}

impl SensorReading {
    /// For a threshold sensor: the thresholds at or beyond which the reading is.
    #[must_use]
    pub const fn thresholds(&self) -> ThresholdSet {
        ThresholdSet(self.states.to_le_bytes()[0] & ThresholdSet::ALL.0)
    }

    /// Whether the sensor has no reading or state yet.
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        self.flags.contains(ReadingFlags::UNAVAILABLE)
    }

    /// The raw reading, where the sensor is scanned and has one.
    #[must_use]
    pub const fn available(&self) -> Option<u8> {
        if self.flags.contains(ReadingFlags::SCANNING) && !self.is_unavailable() {
            Some(self.raw)
        } else {
            None
        }
    }
}

impl Command for GetSensorReading {
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x2d;
    const NAME: &'static str = "Get Sensor Reading";
    const IDEMPOTENT: bool = true;
    type Response = SensorReading;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.sensor_number);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            sensor_number: r.u8("sensor number")?,
        })
    }
}

impl Message for SensorReading {
    /// Writes all four bytes; bit 15 of the states is reserved and written as 1.
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.raw, self.flags.0]);
        w.u16(self.states & 0x7fff | 0x8000);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let raw = r.u8("sensor reading")?;
        let flags = r.u8("reading flags")?;
        let low = r.u8("states 0-7").unwrap_or(0);
        let high = r.u8("states 8-14").unwrap_or(0);
        Ok(Self {
            raw,
            flags: ReadingFlags(flags & 0xe0),
            states: u16::from_le_bytes([low, high]) & 0x7fff,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn an_analog_reading_has_its_threshold_comparison_in_the_third_byte() {
        check::request(
            &GetSensorReading {
                sensor_number: 0x11,
            },
            &[0x11],
            1,
        );
        let reading = SensorReading {
            raw: 0x5a,
            flags: ReadingFlags::EVENTS | ReadingFlags::SCANNING,
            states: 0x00d8,
        };
        check::response(&reading, &[0x5a, 0xc0, 0xd8, 0x80], 2);
        assert_eq!(
            reading.thresholds(),
            ThresholdSet::UPPER_NON_CRITICAL | ThresholdSet::UPPER_CRITICAL
        );
        assert_eq!(reading.available(), Some(0x5a));
    }

    #[test]
    fn a_bmc_may_leave_the_state_bytes_out() {
        let decoded = SensorReading::decode(&mut Reader::new(&[0x5a, 0x40]));
        assert_eq!(decoded.map(|reading| reading.states), Ok(0));
        let decoded = SensorReading::decode(&mut Reader::new(&[0x00, 0xc0, 0x02]));
        assert_eq!(decoded.map(|reading| reading.states), Ok(2));
    }

    #[test]
    fn a_reading_is_available_only_while_scanning_is_on() {
        let off = SensorReading {
            raw: 1,
            ..SensorReading::default()
        };
        assert_eq!(off.available(), None);
        let unavailable = SensorReading {
            flags: ReadingFlags::SCANNING | ReadingFlags::UNAVAILABLE,
            ..off
        };
        assert_eq!(unavailable.available(), None);
    }
}
