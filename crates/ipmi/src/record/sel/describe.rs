//! An entry of the event log as text.

use alloc::format;
use alloc::string::String;
use core::fmt;

use super::detail::detail;
use super::{EventByte2, EventByte3, EventDirection, SelRecord, SystemEvent};
use crate::number::{EventReadingType, SelRecordType, SensorGroup, SensorType};
use crate::record::Conversion;
use crate::record::sdr::Units;
use crate::record::text;

/// What the record of the sensor adds to the text of its event. `SensorContext::default()` is "not known".
#[derive(Clone, Copy, Debug, Default)]
pub struct SensorContext<'a> {
    /// Name of the sensor.
    pub name: Option<&'a str>,
    /// How raw readings and thresholds convert.
    pub conversion: Option<Conversion>,
    /// Their unit.
    pub units: Option<Units>,
    /// Who defines the sensor types from F0h on.
    pub group: SensorGroup,
}

/// An entry of the event log, ready to print.
///
/// It prints as columns: sensor, event, direction and what else is known, as in
/// `Temperature CPU1 Temp | Upper Critical going high | Asserted | Reading 90 > Threshold 85 degrees C`.
#[derive(Clone, Copy, Debug)]
pub struct EventText<'a> {
    record: &'a SelRecord,
    sensor: SensorContext<'a>,
}

/// The record type under which a Linux kernel stores its panic text.
const LINUX_PANIC: SelRecordType = SelRecordType(0xf0);

impl SelRecord {
    /// The text of the entry.
    #[must_use]
    pub const fn describe<'a>(&'a self, sensor: SensorContext<'a>) -> EventText<'a> {
        EventText {
            record: self,
            sensor,
        }
    }
}

impl EventText<'_> {
    /// The first column: type and name of the sensor, or of the record.
    #[must_use]
    pub fn source(&self) -> String {
        match self.record {
            SelRecord::SystemEvent(event) => match (self.sensor.name, event.sensor_number) {
                (Some(name), _) => format!("{} {name}", self.sensor_type(event.sensor_type)),
                (None, 0) => self.sensor_type(event.sensor_type),
                (None, number) => format!("{} #{number:#04x}", self.sensor_type(event.sensor_type)),
            },
            SelRecord::OemNonTimestamped(other) if other.record_type == LINUX_PANIC => {
                String::from("Linux kernel panic")
            }
            record @ (SelRecord::OemTimestamped(_) | SelRecord::OemNonTimestamped(_)) => {
                format!("OEM record {:02x}", record.record_type().0)
            }
            SelRecord::Reserved(other) => format!("Reserved record {:02x}", other.record_type.0),
        }
    }

    /// The second column: what happened.
    #[must_use]
    pub fn event(&self) -> String {
        match self.record {
            SelRecord::SystemEvent(event) => event.state_name(self.sensor.group).map_or_else(
                || {
                    format!(
                        "Event {:#x} of type {:#04x}",
                        event.offset(),
                        event.direction_type & 0x7f
                    )
                },
                String::from,
            ),
            SelRecord::OemTimestamped(oem) => {
                format!(
                    "Manufacturer {:#08x}: {}",
                    oem.manufacturer.0,
                    hex(&oem.data)
                )
            }
            SelRecord::OemNonTimestamped(other) if other.record_type == LINUX_PANIC => {
                // An address byte and a sequence byte come before the text.
                text::clean(&text::latin_1(&other.data[2..]))
            }
            SelRecord::OemNonTimestamped(other) | SelRecord::Reserved(other) => hex(&other.data),
        }
    }

    /// The third column: whether the state was entered or left; `None` for a record without a direction.
    #[must_use]
    pub const fn direction(&self) -> Option<EventDirection> {
        match self.record {
            SelRecord::SystemEvent(event) => Some(event.direction()),
            _ => None,
        }
    }

    /// The fourth column: reading and threshold, the previous state, or what event data 2 and 3 say.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        let SelRecord::SystemEvent(event) = self.record else {
            return None;
        };
        if event.event_reading_type().is_threshold() {
            return self.threshold(event);
        }
        let previous = match event.byte_2() {
            EventByte2::PreviousState(byte) => previous_state(event, byte),
            _ => None,
        };
        let specific = event.event_reading_type() == EventReadingType::SENSOR_SPECIFIC;
        previous.or_else(|| {
            if specific {
                detail(self.sensor.group, event)
            } else {
                None
            }
        })
    }

    fn sensor_type(&self, sensor_type: SensorType) -> String {
        match self.sensor.group.sensor_type_name(sensor_type) {
            Some(name) => String::from(name),
            None if sensor_type.is_oem() => format!("OEM sensor type {sensor_type}"),
            None => format!("Sensor type {sensor_type}"),
        }
    }

    fn threshold(&self, event: &SystemEvent) -> Option<String> {
        let reading = match event.byte_2() {
            EventByte2::TriggerReading(raw) => Some(raw),
            _ => None,
        };
        let threshold = match event.byte_3() {
            EventByte3::TriggerThreshold(raw) => Some(raw),
            _ => None,
        };
        // A deasserted event has the reading back on the other side.
        let high =
            event.threshold()?.going_high == (event.direction() == EventDirection::Assertion);
        let relation = if high { '>' } else { '<' };
        let unit = match (self.sensor.conversion, self.sensor.units) {
            (Some(_), Some(units)) => format!(" {units}"),
            _ => String::new(),
        };
        match (
            reading.map(|r| self.number(r)),
            threshold.map(|t| self.number(t)),
        ) {
            (Some(reading), Some(threshold)) => Some(format!(
                "Reading {reading} {relation} Threshold {threshold}{unit}"
            )),
            (Some(reading), None) => Some(format!("Reading {reading}{unit}")),
            (None, Some(threshold)) => Some(format!("{relation} Threshold {threshold}{unit}")),
            (None, None) => None,
        }
    }

    /// A raw byte as a reading with two decimals where it is not whole; in hex where no conversion is known.
    fn number(&self, raw: u8) -> String {
        match self
            .sensor
            .conversion
            .map(|conversion| conversion.value(raw))
        {
            Some(value) if libm::floor(value) == value => format!("{value:.0}"),
            Some(value) => format!("{value:.2}"),
            None => format!("{raw:#04x}"),
        }
    }
}

impl fmt::Display for EventText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} | {}", self.source(), self.event())?;
        if let Some(direction) = self.direction() {
            write!(f, " | {direction}")?;
        }
        match self.detail() {
            Some(detail) => write!(f, " | {detail}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for EventDirection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Assertion => "Asserted",
            Self::Deassertion => "Deasserted",
        })
    }
}

/// Previous state and severity of a discrete event; Fh is "unspecified" for both (§29.7, table 29-6).
fn previous_state(event: &SystemEvent, byte: u8) -> Option<String> {
    let state = event
        .event_reading_type()
        .state_name(event.sensor_type, byte & 0x0f);
    let severity = EventReadingType::SEVERITY.state_name(event.sensor_type, byte >> 4);
    match (state, severity) {
        (Some(state), Some(severity)) => Some(format!("was {state}, {severity}")),
        (Some(state), None) => Some(format!("was {state}")),
        (None, Some(severity)) => Some(String::from(severity)),
        (None, None) => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
