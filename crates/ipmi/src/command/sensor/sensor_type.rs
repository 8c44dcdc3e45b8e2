//! Get Sensor Type (§35.16).

use crate::command::{Command, Message};
use crate::number::{EventReadingType, NetFn, SensorType};
use crate::wire::{Reader, WireError, Writer};

/// Asks what a sensor watches and how its states are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetSensorType {
    /// Number of the sensor.
    pub sensor_number: u8,
}

/// The answer to [`GetSensorType`] (§35.16, table 35-17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SensorTypeResponse {
    /// What it watches.
    pub sensor_type: SensorType,
    /// How its states are to be read; 7 bits.
    pub event_reading_type: EventReadingType,
}

impl Command for GetSensorType {
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x2f;
    const NAME: &'static str = "Get Sensor Type";
    const IDEMPOTENT: bool = true;
    type Response = SensorTypeResponse;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.sensor_number);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            sensor_number: r.u8("sensor number")?,
        })
    }
}

impl Message for SensorTypeResponse {
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.sensor_type.0, self.event_reading_type.0 & 0x7f]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            sensor_type: SensorType(r.u8("sensor type")?),
            event_reading_type: EventReadingType(r.u8("event/reading type")? & 0x7f),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn type_and_event_reading_type_are_a_byte_each() {
        check::request(&GetSensorType { sensor_number: 3 }, &[3], 1);
        let response = SensorTypeResponse {
            sensor_type: SensorType::POWER_SUPPLY,
            event_reading_type: EventReadingType::SENSOR_SPECIFIC,
        };
        check::response(&response, &[0x08, 0x6f], 2);
    }
}
