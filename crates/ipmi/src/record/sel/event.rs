//! The event of a sensor: SEL record type 02h (§32.1, table 32-1; §29.7, table 29-6).

use crate::number::{
    ChannelNumber, EventMessageRevision, EventReadingType, Lun, SensorGroup, SensorType, State,
    Threshold,
};
use crate::record::sdr::Owner;
use crate::record::{RecordId, Timestamp};

/// An event of a sensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemEvent {
    /// Number of the entry.
    pub id: RecordId,
    /// When.
    pub timestamp: Timestamp,
    /// Who sent it.
    pub generator: GeneratorId,
    /// Format of the event message.
    pub revision: EventMessageRevision,
    /// What the sensor watches.
    pub sensor_type: SensorType,
    /// Number of the sensor on its owner.
    pub sensor_number: u8,
    /// Direction in bit 7, event/reading type in bits 6:0.
    pub direction_type: u8,
    /// Event data 1, 2 and 3.
    pub data: [u8; 3],
}

/// Who sent an event: owner in the first byte, channel and LUN in the second (§32.1, table 32-1, bytes 8-9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GeneratorId(pub u16);

impl GeneratorId {
    /// The BMC itself.
    pub const BMC: Self = Self(0x0020);

    /// Controller or software.
    #[must_use]
    pub const fn owner(self) -> Owner {
        let [owner, _] = self.0.to_le_bytes();
        Owner::from_byte(owner)
    }

    /// Channel over which the event came; 0 for the primary IPMB and for the BMC's own.
    #[must_use]
    pub const fn channel(self) -> ChannelNumber {
        let [_, byte] = self.0.to_le_bytes();
        ChannelNumber(byte >> 4)
    }

    /// LUN of the sensor on its owner.
    #[must_use]
    pub const fn lun(self) -> Lun {
        let [_, byte] = self.0.to_le_bytes();
        Lun::from_byte(byte)
    }
}

/// Whether a state was entered or left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventDirection {
    /// Entered.
    Assertion,
    /// Left.
    Deassertion,
}

/// What event data 2 holds (§29.7, table 29-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventByte2 {
    /// Nothing.
    Unspecified,
    /// The raw reading that triggered a threshold event.
    TriggerReading(u8),
    /// Previous state, offset in 3:0 (Fh unspecified), and severity, offset of type 07h in 7:4 (Fh unspecified).
    PreviousState(u8),
    /// The maker's own.
    Oem(u8),
    /// An extension that table 42-3 defines for the sensor type.
    SensorSpecific(u8),
}

/// What event data 3 holds (§29.7, table 29-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventByte3 {
    /// Nothing.
    Unspecified,
    /// The raw threshold that was crossed.
    TriggerThreshold(u8),
    /// The maker's own.
    Oem(u8),
    /// An extension that table 42-3 defines for the sensor type.
    SensorSpecific(u8),
    /// Reserved for this kind of event.
    Reserved(u8),
}

/// A threshold event taken apart: which threshold, and in which direction the reading crossed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ThresholdEvent {
    /// Which threshold.
    pub threshold: Threshold,
    /// The reading rose above it; else it fell below it.
    pub going_high: bool,
}

impl ThresholdEvent {
    /// From an offset of table 42-2 for event/reading type 01h; `None` from 12 on.
    #[must_use]
    pub const fn from_offset(offset: u8) -> Option<Self> {
        // The table counts the lower three from the mildest to the worst, then the upper three, two offsets each.
        let index = offset as usize / 2;
        if index >= Threshold::ALL.len() {
            return None;
        }
        Some(Self {
            threshold: Threshold::ALL[index],
            going_high: offset % 2 == 1,
        })
    }

    /// The offset.
    #[must_use]
    pub const fn offset(self) -> u8 {
        (self.threshold as u8) * 2 + self.going_high as u8
    }
}

impl SystemEvent {
    /// Whether the state was entered or left.
    #[must_use]
    pub const fn direction(&self) -> EventDirection {
        if self.direction_type & 0x80 == 0 {
            EventDirection::Assertion
        } else {
            EventDirection::Deassertion
        }
    }

    /// How the event is to be read.
    #[must_use]
    pub const fn event_reading_type(&self) -> EventReadingType {
        EventReadingType(self.direction_type & 0x7f)
    }

    /// Offset of the state or event, 0 to 15: low half of event data 1.
    #[must_use]
    pub const fn offset(&self) -> u8 {
        self.data[0] & 0x0f
    }

    /// What state or event it is, for a sensor of this group; `None` where the maker defines it.
    #[must_use]
    pub const fn state(&self, group: SensorGroup) -> Option<State> {
        State::of(
            group,
            self.event_reading_type(),
            self.sensor_type,
            self.offset(),
        )
    }

    /// The name of the state or event; `None` where the maker defines it.
    #[must_use]
    pub fn state_name(&self, group: SensorGroup) -> Option<&'static str> {
        self.state(group).and_then(State::name)
    }

    /// The threshold that was crossed; `None` for an event of another kind.
    #[must_use]
    pub const fn threshold(&self) -> Option<ThresholdEvent> {
        if self.event_reading_type().is_threshold() {
            ThresholdEvent::from_offset(self.offset())
        } else {
            None
        }
    }

    /// Event data 2 with what event data 1 says about it.
    #[must_use]
    pub const fn byte_2(&self) -> EventByte2 {
        let [first, byte, _] = self.data;
        match (first >> 6, self.event_reading_type().is_threshold()) {
            (0, _) => EventByte2::Unspecified,
            (1, true) => EventByte2::TriggerReading(byte),
            (1, false) => EventByte2::PreviousState(byte),
            (2, _) => EventByte2::Oem(byte),
            _ => EventByte2::SensorSpecific(byte),
        }
    }

    /// Event data 3 with what event data 1 says about it.
    #[must_use]
    pub const fn byte_3(&self) -> EventByte3 {
        let [first, _, byte] = self.data;
        match (first >> 4 & 0x03, self.event_reading_type().is_threshold()) {
            (0, _) => EventByte3::Unspecified,
            (1, true) => EventByte3::TriggerThreshold(byte),
            (1, false) => EventByte3::Reserved(byte),
            (2, _) => EventByte3::Oem(byte),
            _ => EventByte3::SensorSpecific(byte),
        }
    }

    pub(super) const fn from_data(id: RecordId, data: &[u8; 13]) -> Self {
        let [
            t0,
            t1,
            t2,
            t3,
            g0,
            g1,
            revision,
            sensor_type,
            sensor_number,
            kind,
            d1,
            d2,
            d3,
        ] = *data;
        Self {
            id,
            timestamp: Timestamp(u32::from_le_bytes([t0, t1, t2, t3])),
            generator: GeneratorId(u16::from_le_bytes([g0, g1])),
            revision: EventMessageRevision(revision),
            sensor_type: SensorType(sensor_type),
            sensor_number,
            direction_type: kind,
            data: [d1, d2, d3],
        }
    }

    pub(super) const fn to_data(self) -> [u8; 13] {
        let [t0, t1, t2, t3] = self.timestamp.0.to_le_bytes();
        let [g0, g1] = self.generator.0.to_le_bytes();
        let [d1, d2, d3] = self.data;
        [
            t0,
            t1,
            t2,
            t3,
            g0,
            g1,
            self.revision.0,
            self.sensor_type.0,
            self.sensor_number,
            self.direction_type,
            d1,
            d2,
            d3,
        ]
    }
}
