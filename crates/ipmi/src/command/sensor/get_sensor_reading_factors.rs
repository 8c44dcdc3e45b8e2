//! Get Sensor Reading Factors (§35.5).

use crate::command::{Command, Message};
use crate::number::NetFn;
use crate::record::Factors;
use crate::wire::{Reader, WireError, Writer};

/// Asks for the conversion factors of a non-linear sensor at one raw reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetSensorReadingFactors {
    /// Number of the sensor.
    pub sensor_number: u8,
    /// The raw reading.
    pub raw: u8,
}

/// The answer to [`GetSensorReadingFactors`] (§35.5, table 35-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SensorReadingFactors {
    /// The next raw reading from which other factors hold.
    pub next_raw: u8,
    /// The factors.
    pub factors: Factors,
}

impl Command for GetSensorReadingFactors {
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x23;
    const NAME: &'static str = "Get Sensor Reading Factors";
    const IDEMPOTENT: bool = true;
    type Response = SensorReadingFactors;

    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.sensor_number, self.raw]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            sensor_number: r.u8("sensor number")?,
            raw: r.u8("reading")?,
        })
    }
}

impl Message for SensorReadingFactors {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.next_raw);
        w.bytes(&self.factors.to_bytes());
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            next_raw: r.u8("next reading")?,
            factors: Factors::from_bytes(r.array("factors")?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn the_factors_have_the_layout_of_the_full_sensor_record() {
        check::request(
            &GetSensorReadingFactors {
                sensor_number: 4,
                raw: 9,
            },
            &[4, 9],
            2,
        );
        let factors = Factors {
            m: -2,
            b: 300,
            b_exponent: -3,
            r_exponent: 2,
            ..Factors::default()
        };
        let answer = SensorReadingFactors {
            next_raw: 10,
            factors,
        };
        check::response(&answer, &[10, 0xfe, 0xc0, 0x2c, 0x40, 0x00, 0x2d], 7);
    }
}
