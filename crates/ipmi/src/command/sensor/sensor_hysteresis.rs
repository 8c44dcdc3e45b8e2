//! Set Sensor Hysteresis and Get Sensor Hysteresis (§35.6, §35.7).

use crate::command::{Command, Empty, Message};
use crate::number::NetFn;
use crate::wire::{Reader, WireError, Writer};

/// The hysteresis mask byte, reserved for future use: FFh (§35.6, table 35-6).
const MASK: u8 = 0xff;

/// Hysteresis in raw counts: how far a reading must come back before a threshold's event is deasserted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hysteresis {
    /// Positive-going: for upper thresholds.
    pub positive: u8,
    /// Negative-going: for lower thresholds.
    pub negative: u8,
}

/// Sets the hysteresis of a threshold sensor (§35.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetSensorHysteresis {
    /// Number of the sensor.
    pub sensor_number: u8,
    /// The new values.
    pub hysteresis: Hysteresis,
}

/// Asks for the hysteresis of a threshold sensor (§35.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetSensorHysteresis {
    /// Number of the sensor.
    pub sensor_number: u8,
}

impl Command for SetSensorHysteresis {
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x24;
    const NAME: &'static str = "Set Sensor Hysteresis";
    const IDEMPOTENT: bool = true;
    type Response = Empty;

    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.sensor_number, MASK]);
        self.hysteresis.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let sensor_number = r.u8("sensor number")?;
        r.u8("hysteresis mask")?;
        Ok(Self {
            sensor_number,
            hysteresis: Hysteresis::decode(r)?,
        })
    }
}

impl Command for GetSensorHysteresis {
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x25;
    const NAME: &'static str = "Get Sensor Hysteresis";
    const IDEMPOTENT: bool = true;
    type Response = Hysteresis;

    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.sensor_number, MASK]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let sensor_number = r.u8("sensor number")?;
        r.u8("hysteresis mask")?;
        Ok(Self { sensor_number })
    }
}

impl Message for Hysteresis {
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.positive, self.negative]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            positive: r.u8("positive-going hysteresis")?,
            negative: r.u8("negative-going hysteresis")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn the_mask_is_ffh_and_positive_comes_first() {
        let hysteresis = Hysteresis {
            positive: 2,
            negative: 3,
        };
        let set = SetSensorHysteresis {
            sensor_number: 0x30,
            hysteresis,
        };
        check::request(&set, &[0x30, 0xff, 2, 3], 4);
        check::request(
            &GetSensorHysteresis {
                sensor_number: 0x30,
            },
            &[0x30, 0xff],
            2,
        );
        check::response(&hysteresis, &[2, 3], 2);
    }
}
