//! Set Sensor Event Enable, Get Sensor Event Enable and Get Sensor Event Status (§35.10, §35.11, §35.13).

use crate::command::{Command, Empty, Message};
use crate::number::{NetFn, ReadingFlags};
use crate::wire::{Reader, WireError, Writer};

/// Which events of a sensor: bit n is event offset n, for threshold sensors the offsets of table 42-2
/// (§35.11, table 35-11). 15 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventMasks {
    /// Assertion events.
    pub assertion: u16,
    /// Deassertion events.
    pub deassertion: u16,
}

/// What to do with the events that are named in a request (§35.10, table 35-10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventEnableAction {
    /// Leave single events as they are.
    Unchanged,
    /// Enable those named.
    Enable,
    /// Disable those named.
    Disable,
    /// Reserved value 3.
    Reserved,
}

/// Switches event messages and scanning of a sensor on and off (§35.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetSensorEventEnable {
    /// Number of the sensor.
    pub sensor_number: u8,
    /// Whether all event messages and scanning are to be on.
    pub flags: ReadingFlags,
    /// What to do with the events in `masks`.
    pub action: EventEnableAction,
    /// Single events; the four bytes may be left out.
    pub masks: Option<EventMasks>,
}

/// Asks which event messages of a sensor are on (§35.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetSensorEventEnable {
    /// Number of the sensor.
    pub sensor_number: u8,
}

/// Asks which events of a sensor are asserted (§35.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetSensorEventStatus {
    /// Number of the sensor.
    pub sensor_number: u8,
}

/// The answer to [`GetSensorEventEnable`] (§35.11, table 35-11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SensorEventEnable {
    /// Whether all event messages are on, and the sensor is scanned.
    pub flags: ReadingFlags,
    /// Single events that are on. Bytes that the BMC leaves out count as 0.
    pub masks: EventMasks,
}

/// The answer to [`GetSensorEventStatus`] (§35.13, table 35-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SensorEventStatus {
    /// Whether all event messages are on, the sensor is scanned, and there is no status yet.
    pub flags: ReadingFlags,
    /// Events that are asserted. Bytes that the BMC leaves out count as 0.
    pub masks: EventMasks,
}

/// Bits of [`ReadingFlags`] beside the action of a request.
const ENABLES: u8 = ReadingFlags::EVENTS.0 | ReadingFlags::SCANNING.0;

impl EventMasks {
    fn encode(self, w: &mut Writer<'_>) {
        w.u16(self.assertion & 0x7fff);
        w.u16(self.deassertion & 0x7fff);
    }

    /// Reads up to four bytes; those that are left out count as 0.
    fn decode(r: &mut Reader<'_>) -> Self {
        let mut bytes = [0; 4];
        for byte in &mut bytes {
            *byte = r.u8("event mask").unwrap_or(0);
        }
        let [a, b, c, d] = bytes;
        Self {
            assertion: u16::from_le_bytes([a, b]) & 0x7fff,
            deassertion: u16::from_le_bytes([c, d]) & 0x7fff,
        }
    }
}

impl Command for SetSensorEventEnable {
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x28;
    const NAME: &'static str = "Set Sensor Event Enable";
    const IDEMPOTENT: bool = true;
    type Response = Empty;

    fn encode(&self, w: &mut Writer<'_>) {
        let action = match self.action {
            EventEnableAction::Unchanged => 0x00,
            EventEnableAction::Enable => 0x10,
            EventEnableAction::Disable => 0x20,
            EventEnableAction::Reserved => 0x30,
        };
        w.bytes(&[self.sensor_number, self.flags.0 & ENABLES | action]);
        if let Some(masks) = self.masks {
            masks.encode(w);
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let sensor_number = r.u8("sensor number")?;
        let flags = r.u8("event enable flags")?;
        Ok(Self {
            sensor_number,
            flags: ReadingFlags(flags & ENABLES),
            action: match flags >> 4 & 0x03 {
                0 => EventEnableAction::Unchanged,
                1 => EventEnableAction::Enable,
                2 => EventEnableAction::Disable,
                _ => EventEnableAction::Reserved,
            },
            masks: (!r.is_empty()).then(|| EventMasks::decode(r)),
        })
    }
}

impl Command for GetSensorEventEnable {
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x29;
    const NAME: &'static str = "Get Sensor Event Enable";
    const IDEMPOTENT: bool = true;
    type Response = SensorEventEnable;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.sensor_number);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            sensor_number: r.u8("sensor number")?,
        })
    }
}

impl Command for GetSensorEventStatus {
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x2b;
    const NAME: &'static str = "Get Sensor Event Status";
    const IDEMPOTENT: bool = true;
    type Response = SensorEventStatus;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.sensor_number);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            sensor_number: r.u8("sensor number")?,
        })
    }
}

impl Message for SensorEventEnable {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.flags.0 & ENABLES);
        self.masks.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let flags = r.u8("event enable flags")?;
        Ok(Self {
            flags: ReadingFlags(flags & ENABLES),
            masks: EventMasks::decode(r),
        })
    }
}

impl Message for SensorEventStatus {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.flags.0 & 0xe0);
        self.masks.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let flags = r.u8("event status flags")?;
        Ok(Self {
            flags: ReadingFlags(flags & 0xe0),
            masks: EventMasks::decode(r),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn assertion_events_come_before_deassertion_events() {
        let masks = EventMasks {
            assertion: 0x0a81,
            deassertion: 0x7002,
        };
        let set = SetSensorEventEnable {
            sensor_number: 9,
            flags: ReadingFlags::EVENTS | ReadingFlags::SCANNING,
            action: EventEnableAction::Disable,
            masks: Some(masks),
        };
        check::request(&set, &[9, 0xe0, 0x81, 0x0a, 0x02, 0x70], 2);
        check::request(&SetSensorEventEnable { masks: None, ..set }, &[9, 0xe0], 2);
        check::request(&GetSensorEventEnable { sensor_number: 9 }, &[9], 1);
        let enable = SensorEventEnable {
            flags: ReadingFlags::EVENTS,
            masks,
        };
        check::response(&enable, &[0x80, 0x81, 0x0a, 0x02, 0x70], 1);
        check::request(&GetSensorEventStatus { sensor_number: 9 }, &[9], 1);
        let status = SensorEventStatus {
            flags: ReadingFlags::SCANNING | ReadingFlags::UNAVAILABLE,
            masks,
        };
        check::response(&status, &[0x60, 0x81, 0x0a, 0x02, 0x70], 1);
    }

    #[test]
    fn mask_bytes_that_a_bmc_leaves_out_count_as_zero() {
        let decoded = SensorEventEnable::decode(&mut Reader::new(&[0xc0, 0x04]));
        let masks = EventMasks {
            assertion: 4,
            deassertion: 0,
        };
        let expected = SensorEventEnable {
            flags: ReadingFlags::EVENTS | ReadingFlags::SCANNING,
            masks,
        };
        assert_eq!(decoded, Ok(expected));
    }
}
