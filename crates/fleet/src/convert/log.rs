//! Event log records become log entries.

use std::collections::HashMap;
use std::sync::Arc;

use hardware::{Log, LogEntry, LogEntryKind, LogText, MAX_LOG_ENTRIES, Severity};
use ipmi::record::Timestamp;
use ipmi::record::sdr::SensorKey;
use ipmi::record::sel::{EventDirection, SelRecord, SensorContext, SystemEvent};

use super::sensor::number_of;
use super::severity::severity;
use crate::contact::log::LogRead;
use crate::plan::{EventSource, Plan};

/// The log after a reading: what was read behind what was there, or in its place; the newest entries where it is too
/// long. The BMC's clock is `clock_offset_s` ahead of ours.
pub(crate) fn log(before: &Log, read: &LogRead, clock_offset_s: i64, plan: &Plan) -> Log {
    let mut types = HashMap::new();
    let kept: &[LogEntry] = if read.continues { &before.entries } else { &[] };
    let total = kept.len() + read.records.len();
    let entries: Box<[LogEntry]> = kept
        .iter()
        .cloned()
        .chain(
            read.records
                .iter()
                .map(|record| entry(record, clock_offset_s, plan, &mut types)),
        )
        .skip(total.saturating_sub(MAX_LOG_ENTRIES))
        .collect();
    Log {
        losses: before.losses + u32::from(read.lost),
        entries,
        capacity: read.capacity,
        overflowed: read.position.stamp.overflowed,
        complete: read.complete,
    }
}

/// The time of an entry is that of the BMC's clock, less what this was ahead of ours when the entry was read.
fn entry(
    raw: &[u8; 16],
    clock_offset_s: i64,
    plan: &Plan,
    types: &mut HashMap<u8, Arc<str>>,
) -> LogEntry {
    let record = SelRecord::decode(raw);
    let event = match &record {
        SelRecord::SystemEvent(event) => Some(event),
        _ => None,
    };
    let source = event.and_then(|event| source_of(event, plan));
    let text =
        record.describe(
            source.map_or_else(SensorContext::default, |source| SensorContext {
                name: Some(&source.name),
                conversion: source.conversion,
                units: Some(source.units),
                ..SensorContext::default()
            }),
        );
    let mut message = text.event();
    if let Some(detail) = text.detail() {
        message.push_str(": ");
        message.push_str(&detail);
    }
    let asserted = text.direction() != Some(EventDirection::Deassertion);
    let text = LogText {
        kind: if event.is_some() {
            LogEntryKind::Event
        } else {
            LogEntryKind::Oem
        },
        severity: event.filter(|_| asserted).map_or(Severity::Ok, |event| {
            severity(
                event.event_reading_type(),
                event.sensor_type,
                event.offset(),
            )
        }),
        sensor: source.map(|source| Arc::clone(&source.name)),
        sensor_type: event.map_or_else(Arc::default, |event| {
            let number = event.sensor_type;
            Arc::clone(
                types
                    .entry(number.0)
                    .or_insert_with(|| number.to_string().into()),
            )
        }),
        asserted,
        message: message.into(),
    };
    LogEntry {
        id: record.id().0.into(),
        at_s: record
            .timestamp()
            .and_then(Timestamp::unix_seconds)
            .map(|at_s| u64::from(at_s).saturating_add_signed(-clock_offset_s)),
        text: Arc::new(text),
        raw: *raw,
    }
}

/// The sensor that an event is of: by its owner and number, or, of a BMC known to name the wrong owner, by its number,
/// where only one sensor has it.
fn source_of<'p>(event: &SystemEvent, plan: &'p Plan) -> Option<&'p EventSource> {
    let key = number_of(key_of(event));
    let found = plan.sources.get(&key);
    if found.is_some() || !plan.any_generator {
        return found;
    }
    let mut same = plan
        .sources
        .iter()
        .filter(|(own, _)| **own & 0xff == key & 0xff);
    match (same.next(), same.next()) {
        (Some((_, only)), None) => Some(only),
        _ => None,
    }
}

fn key_of(event: &SystemEvent) -> SensorKey {
    SensorKey {
        owner_id: event.generator.owner().to_byte(),
        owner_lun: event.generator.lun().get(),
        sensor_number: event.sensor_number,
    }
}

#[cfg(test)]
mod tests {
    use ipmi::number::{Linearization, SensorUnit};
    use ipmi::record::sdr::Units;
    use ipmi::record::{AnalogFormat, Conversion, Factors};

    use super::*;

    fn plan() -> Plan {
        let factors = Factors {
            m: 1,
            ..Factors::default()
        };
        let format = AnalogFormat::Unsigned;
        let source = EventSource {
            name: "CPU1 Temp".into(),
            conversion: Conversion::new(format, Linearization::LINEAR, &factors),
            units: Units::new(format, SensorUnit::DEGREES_C),
        };
        Plan {
            sources: HashMap::from([(0x20_0030, source)]),
            ..Plan::default()
        }
    }

    /// A temperature event of sensor 30h of the BMC.
    fn record(id: u16, time: u32, kind: u8, data: [u8; 3]) -> [u8; 16] {
        let mut record = [0; 16];
        record[..2].copy_from_slice(&id.to_le_bytes());
        record[2] = 2;
        record[3..7].copy_from_slice(&time.to_le_bytes());
        record[7..13].copy_from_slice(&[0x20, 0, 4, 1, 0x30, kind]);
        record[13..].copy_from_slice(&data);
        record
    }

    fn read(records: Vec<[u8; 16]>, continues: bool) -> LogRead {
        LogRead {
            records,
            continues,
            complete: true,
            ..LogRead::default()
        }
    }

    #[test]
    fn times_are_those_of_our_clock() {
        let read = read(vec![record(1, 1_700_003_600, 1, [0; 3])], false);
        let log = log(&Log::default(), &read, 3_600, &plan());
        assert_eq!(log.entries[0].at_s, Some(1_700_000_000));
    }

    #[test]
    fn a_threshold_event_names_its_sensor_and_says_how_far_it_went() {
        let records = vec![
            record(1, 1_700_000_000, 0x01, [0x59, 90, 85]),
            record(2, 12, 0x81, [0x59, 80, 85]),
        ];
        let log = log(&Log::default(), &read(records, false), 0, &plan());
        let [came, went] = &*log.entries else {
            panic!("two entries")
        };
        assert_eq!(came.text.sensor.as_deref(), Some("CPU1 Temp"));
        assert_eq!(&*came.text.sensor_type, "Temperature");
        assert_eq!(
            *came.text.message,
            *"Upper Critical going high: Reading 90 > Threshold 85 degrees C"
        );
        assert_eq!(
            (came.text.severity, came.text.asserted),
            (Severity::Critical, true)
        );
        assert_eq!(came.at_s, Some(1_700_000_000));
        assert_eq!(
            (went.text.severity, went.text.asserted, went.at_s),
            (Severity::Ok, false, None)
        );
    }

    #[test]
    fn an_event_of_another_controller_is_not_given_to_our_sensor_of_that_number() {
        let mut foreign = record(1, 0, 0x01, [0x59, 90, 85]);
        foreign[7] = 0x82;
        let log = log(&Log::default(), &read(vec![foreign], false), 0, &plan());
        assert_eq!(log.entries[0].text.sensor, None);
    }

    #[test]
    fn new_entries_follow_the_old_ones_and_the_oldest_fall_out() {
        let many: Vec<_> = (0..MAX_LOG_ENTRIES as u16)
            .map(|id| record(id, 0, 1, [0; 3]))
            .collect();
        let before = log(&Log::default(), &read(many, false), 0, &plan());
        let new = vec![record(60_000, 0, 1, [0; 3]), record(60_001, 0, 1, [0; 3])];
        let after = log(&before, &read(new.clone(), true), 0, &plan());
        assert_eq!(after.entries.len(), MAX_LOG_ENTRIES);
        assert_eq!(
            (after.entries[0].id, after.entries[MAX_LOG_ENTRIES - 1].id),
            (2, 60_001)
        );
        assert_eq!(log(&before, &read(new, false), 0, &plan()).entries.len(), 2);
    }

    #[test]
    fn a_makers_record_keeps_its_bytes() {
        let raw = [9, 0, 0xe0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];
        let log = log(&Log::default(), &read(vec![raw], false), 0, &plan());
        let entry = &log.entries[0];
        assert_eq!(
            (entry.text.kind, entry.at_s, entry.raw),
            (LogEntryKind::Oem, None, raw)
        );
        assert_eq!(&*entry.text.sensor_type, "");
    }
}
