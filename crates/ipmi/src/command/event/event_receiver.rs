//! Set Event Receiver, Get Event Receiver and Platform Event (§29.1 to §29.3).

use crate::command::layout::{message, request};
use crate::command::{Bytes, Empty};
use crate::number::{EventMessageRevision, EventReadingType, Lun, SensorType};

request! {
    /// Tells a controller where to send its events (§29.1).
    pub struct SetEventReceiver: SENSOR_EVENT 0x00 "Set Event Receiver", repeatable => Empty {
        /// IPMB address; FFh for nowhere.
        pub address: u8,
        u8 {
            /// LUN there.
            pub lun: Lun [1:0],
        }
    }

    /// Asks where a controller sends its events (§29.2).
    pub struct GetEventReceiver: SENSOR_EVENT 0x01 "Get Event Receiver", repeatable => EventReceiver {}

    /// Reports an event to the event receiver, which logs and filters it (§29.3).
    pub struct PlatformEvent: SENSOR_EVENT 0x02 "Platform Event", once => Empty {
        /// On a channel without addresses the software ID of who reports, and then the event; elsewhere 04h, the format's
        /// revision, comes first. Use [`PlatformEvent::event`].
        pub data: Bytes<8>,
    }
}

message! {
    /// The answer to [`GetEventReceiver`] (§29.2).
    pub struct EventReceiver {
        /// IPMB address; FFh for nowhere.
        pub address: u8,
        u8 {
            /// LUN there.
            pub lun: Lun [1:0],
        }
    }
}

/// An event as Platform Event carries it (§29.3, table 29-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventMessage {
    /// Who reports: a software ID, shifted left with bit 0 set; `None` where the message's own address says it.
    pub generator: Option<u8>,
    /// Revision of the format.
    pub revision: EventMessageRevision,
    /// What the sensor watches.
    pub sensor_type: SensorType,
    /// Number of the sensor.
    pub sensor_number: u8,
    /// The state went, rather than came.
    pub deasserted: bool,
    /// How `data` is to be read.
    pub event_type: EventReadingType,
    /// Event data 1 to 3; those left out are FFh.
    pub data: [u8; 3],
}

impl PlatformEvent {
    /// The command that reports an event.
    #[must_use]
    pub fn new(event: &EventMessage) -> Self {
        let direction = u8::from(event.deasserted) << 7 | event.event_type.0 & 0x7f;
        let [d1, d2, d3] = event.data;
        let body = [
            event.revision.0,
            event.sensor_type.0,
            event.sensor_number,
            direction,
            d1,
            d2,
            d3,
        ];
        let data = match event.generator {
            None => Bytes::from(body),
            Some(generator) => {
                let mut all = [generator; 8];
                all[1..].copy_from_slice(&body);
                Bytes::from(all)
            }
        };
        Self { data }
    }

    /// The event; `None` where bytes are missing. A generator is there when the first byte is odd, as software IDs are.
    #[must_use]
    pub fn event(&self) -> Option<EventMessage> {
        let (generator, body) = match self.data.as_slice() {
            [first, rest @ ..] if first & 1 == 1 => (Some(*first), rest),
            all => (None, all),
        };
        let [
            revision,
            sensor_type,
            sensor_number,
            direction,
            d1,
            rest @ ..,
        ] = body
        else {
            return None;
        };
        let at = |index: usize| rest.get(index).copied().unwrap_or(0xff);
        Some(EventMessage {
            generator,
            revision: EventMessageRevision(*revision),
            sensor_type: SensorType(*sensor_type),
            sensor_number: *sensor_number,
            deasserted: direction & 0x80 != 0,
            event_type: EventReadingType(direction & 0x7f),
            data: [*d1, at(0), at(1)],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn the_event_that_ipmitool_sends_for_event_1() {
        let event = EventMessage {
            generator: Some(0x41),
            revision: EventMessageRevision::V1_5,
            sensor_type: SensorType::TEMPERATURE,
            sensor_number: 0x30,
            deasserted: false,
            event_type: EventReadingType::THRESHOLD,
            data: [9, 0xff, 0xff],
        };
        let command = PlatformEvent::new(&event);
        check::request(&command, &[0x41, 4, 1, 0x30, 1, 9, 0xff, 0xff], 0);
        assert_eq!(command.event(), Some(event));
        let bare = EventMessage {
            generator: None,
            deasserted: true,
            ..event
        };
        let command = PlatformEvent::new(&bare);
        check::request(&command, &[4, 1, 0x30, 0x81, 9, 0xff, 0xff], 0);
        assert_eq!(command.event(), Some(bare));
        let short = PlatformEvent {
            data: Bytes::from([4, 1, 0x30]),
        };
        assert_eq!(short.event(), None);
    }

    #[test]
    fn the_receiver_is_an_address_and_a_lun() {
        check::request(
            &SetEventReceiver {
                address: 0x20,
                lun: Lun::from_byte(0),
            },
            &[0x20, 0],
            2,
        );
        check::request(&GetEventReceiver, &[], 0);
        check::response(
            &EventReceiver {
                address: 0xff,
                lun: Lun::from_byte(3),
            },
            &[0xff, 3],
            2,
        );
    }
}
