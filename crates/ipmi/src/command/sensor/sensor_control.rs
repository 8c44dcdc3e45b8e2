//! Re-arm Sensor Events, Set Sensor Type, Set Sensor Reading And Event Status (§35.12, §35.15, §35.17).

use crate::command::layout::{layout, request};
use crate::command::{Bytes, Empty};
use crate::number::{EventReadingType, RearmScope, SensorType, StatusOperation};

layout! {
    /// Events of a sensor to re-arm, as they travel (§35.12).
    pub struct RearmMasks {
        /// Assertion events, bit n for offset n.
        pub assertion: u16,
        /// Deassertion events.
        pub deassertion: Option<u16>,
    }
}

request! {
    /// Has a sensor report events again whose states it has reported already (§35.12).
    pub struct RearmSensorEvents: SENSOR_EVENT 0x2a "Re-arm Sensor Events", repeatable => Empty {
        /// Number of the sensor.
        pub sensor_number: u8,
        u8 {
            /// All events, or only those in `masks`.
            pub scope: RearmScope [7],
        }
        /// Which.
        pub masks: Option<RearmMasks>,
    }

    /// Sets what a sensor watches, for sensors whose type is not fixed (§35.15).
    pub struct SetSensorType: SENSOR_EVENT 0x2e "Set Sensor Type", repeatable => Empty {
        /// Number of the sensor.
        pub sensor_number: u8,
        /// What it watches.
        pub sensor_type: SensorType,
        u8 {
            /// How its states are to be read.
            pub event_reading_type: EventReadingType [6:0],
        }
    }

    /// Writes a sensor's reading and states, for sensors that software delivers (§35.17).
    ///
    /// Completion codes 80h: the reading can't be set; 81h: the states can't be set.
    pub struct SetSensorReadingAndEventStatus: SENSOR_EVENT 0x30 "Set Sensor Reading And Event Status", once => Empty {
        /// Number of the sensor.
        pub sensor_number: u8,
        u8 {
            /// Event data: 0 as the BMC makes it, 1 written without the offset in byte 1, 2 written.
            pub event_data: u8 [7:6],
            /// Assertion states.
            pub assertion: StatusOperation [5:4],
            /// Deassertion states.
            pub deassertion: StatusOperation [3:2],
            /// The reading: 0 unchanged, 1 written.
            pub reading: u8 [1:0],
        }
        /// The reading, raw.
        pub raw: u8,
        /// Assertion states (2 bytes), deassertion states (2), event data (3); trailing ones may be left out.
        pub states: Bytes<7>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn all_events_or_some_are_rearmed() {
        let all = RearmSensorEvents {
            sensor_number: 7,
            scope: RearmScope::ALL,
            masks: None,
        };
        check::request(&all, &[7, 0], 2);
        let some = RearmSensorEvents {
            scope: RearmScope::SELECTED,
            masks: Some(RearmMasks {
                assertion: 0x0201,
                deassertion: Some(0x0403),
            }),
            ..all
        };
        let mut bytes = [0; 6];
        crate::command::Command::encode(&some, &mut crate::wire::Writer::new(&mut bytes));
        assert_eq!(bytes, [7, 0x80, 1, 2, 3, 4]);
    }

    #[test]
    fn type_and_reading_are_written() {
        let set = SetSensorType {
            sensor_number: 7,
            sensor_type: SensorType::FAN,
            event_reading_type: EventReadingType::THRESHOLD,
        };
        check::request(&set, &[7, 4, 1], 3);
        let set = SetSensorReadingAndEventStatus {
            sensor_number: 7,
            event_data: 0,
            assertion: StatusOperation::WRITE,
            deassertion: StatusOperation::UNCHANGED,
            reading: 1,
            raw: 0x80,
            states: Bytes::from([1, 0]),
        };
        check::request(&set, &[7, 0x11, 0x80, 1, 0], 3);
    }
}
