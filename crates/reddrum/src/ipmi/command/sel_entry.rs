//! `sel get` and `sel delete`: single entries of the log (§31.5, §31.8).

use ipmi::command::storage::{DeleteSelEntry, GetSelEntry, ReserveSel, SEL_RECORD_LEN};
use ipmi::record::sel::SelRecord;
use ipmi::record::{RecordId, ReservationId};
use serde_json::{Value, json};

use super::group;
use super::sel::{Sources, show};
use crate::ipmi::failure::Failure;
use crate::ipmi::report::{Report, Sheet};
use crate::ipmi::talk::{CallError, Line, Outcome};

/// Width of the names in the report.
const WIDTH: usize = 17;

/// Tells all that these entries say. That some are not there costs no other.
pub(super) async fn get(line: &Line, ids: &[u16]) -> Outcome {
    let sources = match Sources::read(line).await {
        // Without records an entry says no less than it holds.
        Err(error) if error.completion().is_some() => Sources::default(),
        sources => sources?,
    };
    let (mut lines, mut values) = (Vec::new(), Vec::new());
    let mut missing: Vec<(u16, Failure)> = Vec::new();
    for id in ids {
        let answer = line.call(&GetSelEntry::whole(RecordId(*id))).await;
        let bytes: [u8; SEL_RECORD_LEN] = match answer {
            Ok(entry) if entry.data.len() == SEL_RECORD_LEN => {
                let mut bytes = [0; SEL_RECORD_LEN];
                bytes.copy_from_slice(&entry.data);
                bytes
            }
            Ok(entry) => {
                let count = entry.data.len();
                missing.push((*id, short(count)));
                continue;
            }
            Err(error) if error.completion().is_some() => {
                missing.push((*id, error.into()));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let record = SelRecord::decode(&bytes);
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let report = sheet(line, &record, &sources).await?;
        lines.extend(report.lines);
        values.push(report.value);
    }
    let numbers: Vec<u16> = missing.iter().map(|(id, _)| *id).collect();
    let missing = lacks(missing);
    match missing {
        Some(failure) if values.is_empty() => Err(failure),
        missing => {
            let value = json!({ "entries": values, "missing": numbers });
            Ok(Report::of(lines, value).lacking(missing))
        }
    }
}

/// The failure of entries that are missing: which, and each for which reason.
fn lacks(missing: Vec<(u16, Failure)>) -> Option<Failure> {
    let mut causes: Vec<(String, Vec<String>)> = Vec::new();
    for (id, failure) in &missing {
        let (cause, number) = (failure.cause(), format!("0x{id:04x}"));
        match causes.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, numbers)) => numbers.push(number),
            None => causes.push((cause, vec![number])),
        }
    }
    let causes = causes.into_iter().map(|(cause, numbers)| {
        let entries = if numbers.len() == 1 {
            "entry"
        } else {
            "entries"
        };
        format!("{entries} {}: {cause}", numbers.join(", "))
    });
    let cause = causes.collect::<Vec<_>>().join("; ");
    let (_, first) = missing.into_iter().next()?;
    let first = Box::new(first);
    Some(Failure::Several { cause, first })
}

fn short(count: usize) -> Failure {
    Failure::Unfit {
        kind: "malformed_answer",
        cause: format!("it has {count} bytes, not {SEL_RECORD_LEN}"),
        remedy: "report it with the BMC's make and firmware; 'raw' shows the bytes".to_owned(),
    }
}

/// An entry, line by line. For scripts it has all that it has in a list, and more.
async fn sheet(line: &Line, record: &SelRecord, sources: &Sources) -> Result<Report, CallError> {
    let source = sources.of(record);
    let mut sheet = Sheet::new(WIDTH);
    let id = record.id().0;
    sheet.put_as("SEL Record ID", "id", format!("0x{id:04x}"), id);
    let kind = record.record_type();
    let shown = format!("{kind} (0x{:02x})", kind.0);
    sheet.put_as("Record Type", "record_type", shown, kind.0);
    let time = record.timestamp().map(|time| time.to_string());
    sheet.put("Timestamp", "time", time);
    let types = match record {
        SelRecord::SystemEvent(event) => Some(event.sensor_type),
        _ => None,
    };
    let group = group::find(line, types.into_iter()).await?;
    match record {
        SelRecord::SystemEvent(event) => {
            let generator = event.generator.0;
            let shown = format!("0x{generator:04x}");
            sheet.put_as("Generator ID", "generator", shown, generator);
            let revision = event.revision.0;
            sheet.put_as(
                "EvM Revision",
                "revision",
                format!("{revision:02x}"),
                revision,
            );
            let kind = event.sensor_type;
            let name = group.sensor_type_name(kind).unwrap_or("unknown");
            let shown = format!("{name} (0x{:02x})", kind.0);
            sheet.put_as("Sensor Type", "sensor_type", shown, kind.0);
            let number = event.sensor_number;
            let shown = format!("0x{number:02x}");
            sheet.put_as("Sensor Number", "sensor_number", shown, number);
            sheet.put("Sensor", "sensor", source.map(|source| source.name.clone()));
            let kind = event.event_reading_type();
            let shown = format!("{kind} (0x{:02x})", kind.0);
            sheet.put_as("Event Type", "event_type", shown, kind.0);
            put_bytes(&mut sheet, "Event Data", "event_data", &event.data);
        }
        SelRecord::OemTimestamped(oem) => {
            let number = oem.manufacturer.0;
            let name = oem.manufacturer.name().unwrap_or("unknown");
            let shown = format!("{name} ({number})");
            sheet.put_as("Manufacturer", "manufacturer_id", shown, number);
            put_bytes(&mut sheet, "Data", "oem_data", &oem.data);
        }
        SelRecord::OemNonTimestamped(other) | SelRecord::Reserved(other) => {
            put_bytes(&mut sheet, "Data", "oem_data", &other.data);
        }
    }
    let (_, value) = show(record, source, group);
    for (name, key) in [
        ("Event Direction", "direction"),
        ("Description", "event"),
        ("Detail", "detail"),
    ] {
        let held = value[key].clone();
        if held.is_string() {
            sheet.put(name, key, held);
        }
    }
    let mut report = sheet.report();
    if let (Value::Object(all), Value::Object(listed)) = (&mut report.value, value) {
        all.extend(listed);
    }
    Ok(report)
}

fn put_bytes(sheet: &mut Sheet, name: &str, key: &str, bytes: &[u8]) {
    let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    sheet.put_as(name, key, digits.join(" "), bytes);
}

/// Erases these entries, one after the other, up to the first that can't be.
pub(super) async fn delete(line: &Line, ids: &[u16]) -> Outcome {
    let (mut lines, mut deleted) = (Vec::new(), Vec::new());
    for id in ids {
        match delete_one(line, RecordId(*id)).await {
            Ok(()) => {
                lines.push(format!("Entry 0x{id:04x} deleted"));
                deleted.push(*id);
            }
            Err(error) if deleted.is_empty() => return Err(error.into()),
            Err(error) => {
                let report = Report::of(lines, json!({ "records": deleted }));
                return Ok(report.lacking(Some(error.into())));
            }
        }
    }
    Ok(Report::of(lines, json!({ "records": deleted })))
}

/// Each erasure ends the reservation (§31.4).
async fn delete_one(line: &Line, record: RecordId) -> Result<(), CallError> {
    let reservation = match line.call(&ReserveSel).await {
        Ok(reservation) => reservation,
        // Logs without reservations take the number 0.
        Err(error) if error.completion().is_some() => ReservationId::NONE,
        Err(error) => return Err(error),
    };
    let command = DeleteSelEntry {
        reservation,
        record,
    };
    line.call(&command).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;
    use ipmi::number::CompletionCode;

    use super::*;
    use crate::ipmi::talk::{Talk, play};

    #[test]
    fn an_entry_is_told_of_a_bmc_without_sensor_records() {
        let talk = Talk::new(|line| async move { get(&line, &[3]).await });
        let report = play::run(talk, |call| {
            if call.target.cmd != GetSelEntry::CMD {
                return Some((CompletionCode::INVALID_COMMAND, vec![]));
            }
            let mut entry = vec![0xff, 0xff, 3, 0, 0x02, 0x78, 0x56, 0x34, 0x65, 0x20, 0, 4];
            entry.extend([1, 0x11, 1, 0x59, 90, 85]);
            Some((CompletionCode::OK, entry))
        })
        .unwrap();
        assert_eq!(report.lines[0], "SEL Record ID    : 0x0003");
        let entry = &report.value["entries"][0];
        assert_eq!(
            (&entry["sensor"], &entry["sensor_number"]),
            (&Value::Null, &0x11.into())
        );
        assert_eq!(entry["event"], "Upper Critical going high");
    }

    #[test]
    fn entries_that_are_not_there_are_named() {
        let told = |ids: &'static [u16]| {
            let talk = Talk::new(move |line| async move { get(&line, ids).await });
            play::run(talk, |call| {
                if call.target.cmd != GetSelEntry::CMD {
                    return Some((CompletionCode::INVALID_COMMAND, vec![]));
                }
                let id = call.data[2];
                let mut entry = vec![0xff, 0xff, id, 0, 0x02, 0x78, 0x56, 0x34, 0x65, 0x20, 0, 4];
                entry.extend([1, 0x11, 1, 0x59, 90, 85]);
                match id {
                    6 => Some((CompletionCode::OK, entry)),
                    8 => Some((CompletionCode::OK, entry[..10].to_vec())),
                    _ => Some((CompletionCode::NOT_PRESENT, vec![])),
                }
            })
        };
        let report = told(&[5, 6, 7, 8]).unwrap();
        assert_eq!(report.value["missing"], json!([5, 7, 8]));
        let failure = report.missing.unwrap();
        assert_eq!(failure.kind(), "refused");
        let cause = failure.cause();
        assert!(
            cause.starts_with("entries 0x0005, 0x0007: Get SEL Entry"),
            "{cause}"
        );
        assert!(
            cause.ends_with("; entry 0x0008: it has 8 bytes, not 16"),
            "{cause}"
        );
        let all = told(&[6]).unwrap();
        assert_eq!((&all.value["missing"], all.missing), (&json!([]), None));
        let failure = told(&[5]).unwrap_err();
        assert!(failure.cause().starts_with("entry 0x0005: "), "{failure}");
    }

    #[test]
    fn entries_go_up_to_the_first_that_can_not() {
        let talk = Talk::new(|line| async move { delete(&line, &[7, 8, 9]).await });
        let (mut reserved, mut asked) = (0, Vec::new());
        let report = play::run(talk, |call| {
            if call.target.cmd == ReserveSel::CMD {
                reserved += 1;
                return Some((CompletionCode::OK, vec![reserved, 0]));
            }
            asked.push((call.data[0], call.data[2]));
            let code = match call.data[2] {
                8 => CompletionCode::NOT_PRESENT,
                _ => CompletionCode::OK,
            };
            Some((code, call.data[2..].to_vec()))
        })
        .unwrap();
        // Each with a reservation of its own.
        assert_eq!(asked, [(1, 7), (2, 8)]);
        assert_eq!(report.lines, ["Entry 0x0007 deleted"]);
        assert_eq!(report.value, json!({ "records": [7] }));
        assert_eq!(report.missing.unwrap().kind(), "refused");
    }
}
