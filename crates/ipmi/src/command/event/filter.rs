//! What the PEF configuration holds: filters, policies, string keys (§17.7, §17.11, §30.4).

use crate::command::Bytes;
use crate::command::layout::{Field, layout};
use crate::number::{
    AlertPolicyRule, ChannelNumber, EventFilterType, EventReadingType, EventSeverity, PefActions,
    SensorType,
};
use crate::wire::{Reader, WireError, Writer};

layout! {
    /// Compares one event data byte (§17.8, table 17-3).
    pub struct DataFilter {
        /// Bits that count.
        pub and_mask: u8,
        /// For each bit: 1 it must be equal to `compare_2`, 0 it is one of several of which one must be.
        pub compare_1: u8,
        /// Wanted values.
        pub compare_2: u8,
    }
}

impl DataFilter {
    /// Matches every byte.
    pub const ANY: Self = Self {
        and_mask: 0,
        compare_1: 0,
        compare_2: 0,
    };

    /// Whether a byte passes (§17.8).
    #[must_use]
    pub const fn matches(&self, byte: u8) -> bool {
        let tested = byte & self.and_mask;
        let exact = self.compare_1;
        let loose = !self.compare_1;
        let exact_ok = tested & exact == self.compare_2 & exact;
        // Bits that need not all be equal: at least one must be, unless there are none that count.
        let wanted = loose & self.and_mask;
        let loose_ok = wanted == 0 || !(tested ^ self.compare_2) & wanted != 0;
        exact_ok && loose_ok
    }
}

layout! {
    /// One event filter, parameter 6 without its number: which events do what (§17.7, table 17-2).
    pub struct EventFilter {
        u8 {
            /// It works.
            pub enabled: bool [7],
            /// Who may change it.
            pub filter_type: EventFilterType [6:5],
        }
        /// What it does.
        pub actions: PefActions,
        u8 {
            /// Group control operation selector, for group control.
            pub group_control: u8 [6:4],
            /// Alert policies that an alert uses.
            pub policy: u8 [3:0],
        }
        /// Severity that traps carry.
        pub severity: EventSeverity,
        /// Generator ID of the event, low byte first; FFFFh for any.
        pub generator: u16,
        /// Sensor type; FFh for any.
        pub sensor_type: SensorType,
        /// Sensor number; FFh for any.
        pub sensor_number: u8,
        /// Event/reading type; FFh for any.
        pub event_type: EventReadingType,
        /// Offsets of event data 1 that match, bit n for offset n.
        pub offsets: u16,
        /// Compares event data 1.
        pub data_1: DataFilter,
        /// Compares event data 2.
        pub data_2: DataFilter,
        /// Compares event data 3.
        pub data_3: DataFilter,
    }
}

layout! {
    /// One alert policy, parameter 9 without its number: where an alert goes (§17.11, table 17-4).
    pub struct AlertPolicy {
        u8 {
            /// Which set of policies it belongs to, 1-15.
            pub policy: u8 [7:4],
            /// It is used.
            pub enabled: bool [3],
            /// When.
            pub rule: AlertPolicyRule [2:0],
        }
        u8 {
            /// Channel.
            pub channel: ChannelNumber [7:4],
            /// Destination of that channel.
            pub destination: u8 [3:0],
        }
        u8 {
            /// Which string depends on the event: `string` is then a string set.
            pub event_specific: bool [7],
            /// Alert string, or string set; 0 for none.
            pub string: u8 [6:0],
        }
    }
}

layout! {
    /// For which filter an alert string is, parameter 12 without its number (§30.4, table 30-6).
    pub struct AlertStringKey {
        u8 {
            /// Filter.
            pub filter: u8 [6:0],
        }
        u8 {
            /// String set.
            pub set: u8 [6:0],
        }
    }
}

/// Writes a value of the PEF configuration as the data behind its number.
fn numbered<T: Field, const N: usize>(number: u8, value: &T) -> Bytes<N> {
    let mut buffer = [0; N];
    let mut w = Writer::new(&mut buffer);
    w.u8(number);
    value.put(&mut w);
    Bytes::new(w.written()).unwrap_or_default()
}

macro_rules! table_entries {
    ($($entry:ident)*) => { $(
        impl $entry {
            /// As the data of a parameter: its number in the table, then itself.
            #[must_use]
            pub fn to_data<const N: usize>(&self, number: u8) -> Bytes<N> {
                numbered(number, self)
            }

            /// Reads the data of a parameter: the number in the table, then the entry.
            ///
            /// # Errors
            /// Bytes are missing.
            pub fn from_data(data: &[u8]) -> Result<(u8, Self), WireError> {
                let mut r = Reader::new(data);
                let number = r.u8("entry number")?;
                Ok((number, Field::get(&mut r, "table entry")?))
            }
        }
    )* };
}
table_entries! { EventFilter AlertPolicy AlertStringKey }

/// What a filter looks at in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilteredEvent {
    /// Generator ID, low byte first.
    pub generator: u16,
    /// Sensor type.
    pub sensor_type: SensorType,
    /// Sensor number.
    pub sensor_number: u8,
    /// Event/reading type; 7 bits. Deasserted events are filtered like asserted ones.
    pub event_type: EventReadingType,
    /// Event data 1 to 3.
    pub data: [u8; 3],
}

impl EventFilter {
    /// Whether this filter is on and an event passes it (§17.7, §17.8).
    #[must_use]
    pub fn matches(&self, event: &FilteredEvent) -> bool {
        const ANY: u8 = 0xff;
        let [d1, d2, d3] = event.data;
        self.enabled
            && (self.generator == 0xffff || self.generator == event.generator)
            && (self.sensor_type.0 == ANY || self.sensor_type == event.sensor_type)
            && (self.sensor_number == ANY || self.sensor_number == event.sensor_number)
            && (self.event_type.0 == ANY || self.event_type.0 == event.event_type.0 & 0x7f)
            && self.offsets >> (d1 & 0x0f) & 1 == 1
            && self.data_1.matches(d1)
            && self.data_2.matches(d2)
            && self.data_3.matches(d3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANYTHING: EventFilter = EventFilter {
        enabled: true,
        filter_type: EventFilterType::SOFTWARE_CONFIGURABLE,
        actions: PefActions::ALERT,
        group_control: 0,
        policy: 1,
        severity: EventSeverity::CRITICAL,
        generator: 0xffff,
        sensor_type: SensorType::TEMPERATURE,
        sensor_number: 0xff,
        event_type: EventReadingType::THRESHOLD,
        offsets: 0x0a94,
        data_1: DataFilter::ANY,
        data_2: DataFilter::ANY,
        data_3: DataFilter::ANY,
    };

    #[test]
    fn a_filter_has_twenty_bytes_behind_its_number() {
        let data: Bytes<40> = ANYTHING.to_data(1);
        let mut expected = [0; 21];
        expected[..12].copy_from_slice(&[1, 0x80, 1, 1, 0x10, 0xff, 0xff, 1, 0xff, 1, 0x94, 0x0a]);
        assert_eq!(data.as_slice(), &expected);
        assert_eq!(EventFilter::from_data(&data), Ok((1, ANYTHING)));
        assert!(EventFilter::from_data(&data[..20]).is_err());
    }

    #[test]
    fn an_event_passes_only_with_all_that_the_filter_names() {
        let event = FilteredEvent {
            generator: 0x0020,
            sensor_type: SensorType::TEMPERATURE,
            sensor_number: 7,
            event_type: EventReadingType::THRESHOLD,
            data: [0x57, 0x80, 0x70],
        };
        assert!(ANYTHING.matches(&event));
        for other in [
            FilteredEvent {
                data: [0x50, 0, 0],
                ..event
            },
            FilteredEvent {
                sensor_type: SensorType::FAN,
                ..event
            },
            FilteredEvent {
                event_type: EventReadingType::SENSOR_SPECIFIC,
                ..event
            },
        ] {
            assert!(!ANYTHING.matches(&other), "{other:?}");
        }
        let one = EventFilter {
            sensor_number: 8,
            ..ANYTHING
        };
        assert!(!one.matches(&event));
        let off = EventFilter {
            enabled: false,
            ..ANYTHING
        };
        assert!(!off.matches(&event));
    }

    #[test]
    fn bytes_compare_exactly_or_by_one_bit_of_several() {
        assert!(DataFilter::ANY.matches(0x5a));
        let exact = DataFilter {
            and_mask: 0x0f,
            compare_1: 0xff,
            compare_2: 0x07,
        };
        assert!(exact.matches(0x57) && !exact.matches(0x56));
        let one_of = DataFilter {
            and_mask: 0x03,
            compare_1: 0x00,
            compare_2: 0x03,
        };
        assert!(one_of.matches(0x01) && one_of.matches(0x02) && !one_of.matches(0x00));
    }

    #[test]
    fn policies_and_string_keys() {
        let policy = AlertPolicy {
            policy: 1,
            enabled: true,
            rule: AlertPolicyRule::ALWAYS,
            channel: ChannelNumber(1),
            destination: 2,
            event_specific: false,
            string: 3,
        };
        let data: Bytes<8> = policy.to_data(4);
        assert_eq!(data.as_slice(), &[4, 0x18, 0x12, 3]);
        assert_eq!(AlertPolicy::from_data(&data), Ok((4, policy)));
        let key = AlertStringKey { filter: 5, set: 6 };
        let data: Bytes<8> = key.to_data(1);
        assert_eq!(data.as_slice(), &[1, 5, 6]);
    }
}
