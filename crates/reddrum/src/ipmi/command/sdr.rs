//! `sdr`: the sensor data records themselves (§33.9, §43).

use ipmi::command::storage::GetSdrRepositoryInfo;
use ipmi::record::sdr::{SdrBody, SdrRecord};
use serde_json::{Value, json};

use super::repository;
use crate::ipmi::args::SdrCommand;
use crate::ipmi::report::{Report, Sheet};
use crate::ipmi::talk::{Line, Outcome};

/// Width of the names in the report of `info`.
const WIDTH: usize = 21;

/// Does it.
pub(super) async fn run(line: Line, command: SdrCommand) -> Outcome {
    match command {
        SdrCommand::List => {
            let records = repository::read(&line).await?;
            let lines = records.iter().map(describe).collect();
            let list: Vec<Value> = records.iter().map(value).collect();
            Ok(Report::of(lines, json!({ "records": list })))
        }
        SdrCommand::Info => {
            let info = line.call(&GetSdrRepositoryInfo).await?;
            let mut sheet = Sheet::new(WIDTH);
            let version = format!("{:x}.{:x}", info.version & 0x0f, info.version >> 4);
            sheet.put("SDR Version", "version", version);
            sheet.put("Record Count", "records", info.record_count);
            sheet.put("Free Space (bytes)", "free_bytes", info.free_bytes);
            let added = info.last_addition.to_string();
            sheet.put("Most Recent Addition", "last_addition", added);
            let erased = info.last_erase.to_string();
            sheet.put("Most Recent Erase", "last_erase", erased);
            Ok(sheet.report())
        }
    }
}

fn name(record: &SdrRecord) -> String {
    record
        .name()
        .map(ipmi::record::sdr::IdString::text)
        .unwrap_or_default()
}

/// The number of its sensor.
const fn number(record: &SdrRecord) -> Option<u8> {
    match &record.body {
        SdrBody::FullSensor(full) => Some(full.sensor.key.sensor_number),
        SdrBody::CompactSensor(compact) => Some(compact.sensor.key.sensor_number),
        SdrBody::EventOnly(only) => Some(only.key.sensor_number),
        _ => None,
    }
}

fn describe(record: &SdrRecord) -> String {
    let number = number(record).map_or_else(|| "-".to_owned(), |number| format!("{number:02x}h"));
    format!(
        "0x{:04x} | {:<32} | {number:<4} | {}",
        record.id.0,
        record.record_type().to_string(),
        name(record)
    )
}

fn value(record: &SdrRecord) -> Value {
    json!({
        "record": record.id.0,
        "type": record.record_type().to_string(),
        "name": name(record),
        "sensor_number": number(record),
    })
}
