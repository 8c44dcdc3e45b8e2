//! Alert Immediate and PET Acknowledge (§30.7, §30.8).

use crate::command::Empty;
use crate::command::layout::{layout, message, request};
use crate::number::{
    AlertOperation, AlertStatus, ChannelNumber, EventMessageRevision, EventReadingType,
    PetSourceType, SensorType,
};
use crate::record::Timestamp;

layout! {
    /// The event that an immediate alert reports (§30.7, table 30-9).
    pub struct AlertedEvent {
        /// Generator: a software ID or an IPMB address.
        pub generator: u8,
        /// Revision of the format.
        pub revision: EventMessageRevision,
        /// Sensor type.
        pub sensor_type: SensorType,
        /// Sensor number.
        pub sensor_number: u8,
        u8 {
            /// The state went, rather than came.
            pub deasserted: bool [7],
            /// Event/reading type.
            pub event_type: EventReadingType [6:0],
        }
        /// Event data 1 to 3.
        pub data: [u8; 3],
    }
}

request! {
    /// Sends an alert to a destination at once, for a test, or tells how it went (§30.7).
    ///
    /// Completion codes 81h: an alert is under way; 82h: IPMI messaging is going on; 83h: the parameters don't fit.
    pub struct AlertImmediate: SENSOR_EVENT 0x16 "Alert Immediate", once => AlertImmediateStatus {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        u8 {
            /// What to do.
            pub operation: AlertOperation [7:6],
            /// Destination of that channel, 1-15.
            pub destination: u8 [3:0],
        }
        u8 {
            /// An alert string is sent.
            pub send_string: bool [7],
            /// Which.
            pub string: u8 [6:0],
        }
        /// What to report; left out where the destination's kind has no place for it.
        pub event: Option<AlertedEvent>,
    }

    /// Acknowledges a platform event trap (§30.8). May be sent without a session.
    pub struct PetAcknowledge: SENSOR_EVENT 0x17 "PET Acknowledge", repeatable => PetAcknowledged {
        /// Sequence number of the trap.
        pub sequence: u16,
        /// Time stamp of the trap.
        pub timestamp: Timestamp,
        /// Source type of the trap.
        pub source_type: PetSourceType,
        /// Sensor device of the trap.
        pub sensor_device: u8,
        /// Sensor number of the trap.
        pub sensor_number: u8,
        /// Event data 1 to 3 of the trap.
        pub data: [u8; 3],
    }
}

message! {
    /// The answer to [`AlertImmediate`]: the status where it was asked for.
    pub struct AlertImmediateStatus {
        /// How it went.
        pub status: Option<AlertStatus>,
    }
}

/// The answer to [`PetAcknowledge`].
pub type PetAcknowledged = Empty;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn an_alert_names_channel_destination_and_string() {
        let alert = AlertImmediate {
            channel: ChannelNumber(1),
            operation: AlertOperation::GET_STATUS,
            destination: 2,
            send_string: true,
            string: 3,
            event: None,
        };
        check::request(&alert, &[1, 0x42, 0x83], 3);
        let event = AlertedEvent {
            generator: 0x41,
            revision: EventMessageRevision::V1_5,
            sensor_type: SensorType::FAN,
            sensor_number: 9,
            deasserted: true,
            event_type: EventReadingType::THRESHOLD,
            data: [1, 2, 3],
        };
        let with_event = AlertImmediate {
            operation: AlertOperation::INITIATE,
            send_string: false,
            event: Some(event),
            ..alert
        };
        let mut bytes = [0; 11];
        crate::command::Command::encode(&with_event, &mut crate::wire::Writer::new(&mut bytes));
        assert_eq!(bytes, [1, 2, 3, 0x41, 4, 4, 9, 0x81, 1, 2, 3]);
        let status = Some(AlertStatus::IN_PROGRESS);
        check::response(&AlertImmediateStatus { status }, &[0xff], 0);
    }

    #[test]
    fn an_acknowledgement_repeats_what_the_trap_said() {
        let acknowledge = PetAcknowledge {
            sequence: 0x0102,
            timestamp: Timestamp(0x0304_0506),
            source_type: PetSourceType(0x20),
            sensor_device: 0x20,
            sensor_number: 7,
            data: [8, 9, 10],
        };
        let bytes = [2, 1, 6, 5, 4, 3, 0x20, 0x20, 7, 8, 9, 10];
        check::request(&acknowledge, &bytes, 12);
    }
}
