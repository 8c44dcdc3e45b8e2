//! `sdr`: sensors in short, and the sensor data records themselves (§33.9, §43).

use std::collections::BTreeMap;
use std::rc::Rc;

use ipmi::command::storage::GetSdrRepositoryInfo;
use ipmi::number::{SensorGroup, SensorType};
use ipmi::record::sdr::{Entity, SdrBody, SdrRecord};
use serde_json::{Value, json};

use super::sensor::{self, Described, Read, Wanted};
use super::{group, repository};
use crate::ipmi::args::{EntityWanted, SdrCommand, SdrKind};
use crate::ipmi::failure::Failure;
use crate::ipmi::report::{Report, Sheet, cell};
use crate::ipmi::talk::{Line, Outcome};

/// Width of the names in the report of `info`.
const WIDTH: usize = 21;

/// Does it.
pub(super) async fn run(line: Line, command: Rc<SdrCommand>) -> Outcome {
    match &*command {
        SdrCommand::List { kind } => list(&line, *kind, Form::Short).await,
        SdrCommand::Elist { kind } => list(&line, *kind, Form::Extended).await,
        SdrCommand::Type { name: None } => types(&line).await,
        SdrCommand::Type { name: Some(name) } if name == "list" => types(&line).await,
        SdrCommand::Type { name: Some(name) } => {
            let is_it = |sensor: &Described, group| is_of_type(sensor, group, name);
            let sensors = sensor::all(&line).await?;
            let found = readings(&line, sensors, is_it, Form::Extended).await?;
            if found.lines.is_empty() {
                return Err(Failure::Unfit {
                    kind: "no_such_type",
                    cause: format!("there is no sensor of type '{name}'"),
                    remedy: "'sdr type' without a name lists the types that there are".to_owned(),
                });
            }
            Ok(found)
        }
        SdrCommand::Entity { entity } => {
            let sensors = sensor::all(&line).await?;
            let is_it = |sensor: &Described, _| is_of_entity(sensor.sensor.entity, *entity);
            let found = readings(&line, sensors, is_it, Form::Extended).await?;
            if found.lines.is_empty() {
                return Err(Failure::Unfit {
                    kind: "no_such_entity",
                    cause: "there is no sensor of this entity".to_owned(),
                    remedy: "'sdr elist' names the entities of all sensors".to_owned(),
                });
            }
            Ok(found)
        }
        // Commands of `sensor`, which is asked in place of this.
        SdrCommand::Get { names } => sensor::get(line, names.as_slice().into()).await,
        SdrCommand::Dump { .. } => {
            let records = repository::read_bytes(&line).await?;
            let text = format!("{} records saved", records.len());
            let mut report = Report::line(text, json!({ "saved": records.len() }));
            report.file = Some(records.concat());
            Ok(report)
        }
        SdrCommand::Records => {
            let records = repository::read_anew(&line).await?;
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

/// How much a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As `ipmitool sdr list` has it.
    Short,
    /// As `ipmitool sdr elist` has it.
    Extended,
}

/// The sensors with their readings, and what else records of this kind describe.
async fn list(line: &Line, kind: Option<SdrKind>, form: Form) -> Outcome {
    let records = repository::read(line).await?;
    let others: Vec<_> = records
        .iter()
        .filter_map(|record| Some((other(record, kind?, form)?, value(record))))
        .collect();
    let mut sensors = sensor::of_records(line, records);
    sensors.retain(|sensor| match kind {
        None | Some(SdrKind::All) => true,
        Some(SdrKind::Full) => sensor.full.is_some(),
        Some(SdrKind::Compact) => sensor.full.is_none(),
        Some(_) => false,
    });
    let mut report = readings(line, sensors, |_, _| true, form).await?;
    let (lines, values): (Vec<_>, Vec<_>) = others.into_iter().unzip();
    report.lines.extend(lines);
    if kind.is_some() {
        report.value["records"] = values.into();
    }
    Ok(report)
}

/// What a record describes that is no sensor with a reading, in a line as ipmitool has it; `None` for one of another kind.
fn other(record: &SdrRecord, kind: SdrKind, form: Form) -> Option<String> {
    let (its, status, entity, what) = match &record.body {
        SdrBody::EventOnly(sensor) => {
            let what = match form {
                Form::Short => "event-only",
                Form::Extended => "Event-Only",
            };
            (SdrKind::Event, "ns", sensor.entity, what.to_owned())
        }
        SdrBody::McLocator(mc) => {
            let what = format!("Static MC @ {:02X}h", mc.address);
            (SdrKind::Mcloc, "ok", mc.entity, what)
        }
        SdrBody::FruLocator(fru) => {
            let what = match (form, fru.is_logical()) {
                (Form::Short, true) => format!("Log FRU @{:02X}h", fru.device),
                (Form::Short, false) => format!("Phy FRU @{:02X}h", fru.device),
                (Form::Extended, true) => format!("Logical FRU @{:02X}h", fru.device),
                (Form::Extended, false) => format!("Physical FRU @{:02X}h", fru.device),
            };
            (SdrKind::Fru, "ok", fru.entity, what)
        }
        SdrBody::GenericLocator(device) => {
            let what = format!(
                "Generic @{:02X}h:{:02X}h",
                device.access_address, device.slave_address
            );
            (SdrKind::Generic, "ok", device.entity, what)
        }
        _ => return None,
    };
    if kind != SdrKind::All && kind != its {
        return None;
    }
    let name = name(record);
    let name = cell(&name);
    Some(match form {
        Form::Short => format!("{name:<16} | {what:<17} | {status}"),
        Form::Extended => {
            let number = number(record).unwrap_or(0);
            let entity = format!("{}.{}", entity.id.0, entity.instance());
            format!("{name:<16} | {number:02X}h | {status:<3} | {entity:>4} | {what}")
        }
    })
}

/// Reads those sensors that are wanted, a line each. Limits are not asked for: that halves the requests.
async fn readings(
    line: &Line,
    sensors: Vec<Described>,
    is_wanted: impl Fn(&Described, SensorGroup) -> bool,
    form: Form,
) -> Outcome {
    let group = group::find(line, sensor::types(&sensors)).await?;
    let (mut lines, mut values) = (Vec::new(), Vec::new());
    for sensor in sensors.iter().filter(|sensor| is_wanted(sensor, group)) {
        let read = sensor.read(line, group, Wanted::Reading).await?;
        lines.push(match form {
            Form::Short => short(&read),
            Form::Extended => extended(sensor, &read),
        });
        let mut value = read.json();
        value["number"] = sensor.sensor.key.sensor_number.into();
        value["entity"] = sensor.entity().into();
        value["type"] = sensor.type_name(group).into();
        if let Value::Object(fields) = &mut value {
            fields.remove("thresholds");
        }
        values.push(value);
    }
    Ok(Report::of(lines, json!({ "sensors": values })))
}

/// The types of the sensors that there are, and how many sensors each has.
async fn types(line: &Line) -> Outcome {
    let sensors = sensor::all(line).await?;
    let group = group::find(line, sensor::types(&sensors)).await?;
    let mut counts: BTreeMap<u8, (String, usize)> = BTreeMap::new();
    for sensor in &sensors {
        let number = sensor.sensor.sensor_type.0;
        let name = || (sensor.type_name(group), 0);
        counts.entry(number).or_insert_with(name).1 += 1;
    }
    let line = |(number, (name, count)): (&u8, &(String, usize))| {
        format!("0x{number:02x} | {name:<32} | {count}")
    };
    let value = |(number, (name, count)): (&u8, &(String, usize))| json!({ "number": number, "name": name, "sensors": count });
    Ok(Report::of(
        counts.iter().map(line).collect(),
        json!({ "types": counts.iter().map(value).collect::<Vec<_>>() }),
    ))
}

/// Whether a sensor has the type of this name, or of this number as in `0x01`.
fn is_of_type(sensor: &Described, group: SensorGroup, name: &str) -> bool {
    let number = name
        .strip_prefix("0x")
        .and_then(|digits| u8::from_str_radix(digits, 16).ok());
    match number {
        Some(number) => sensor.sensor.sensor_type == SensorType(number),
        None => sensor.type_name(group).eq_ignore_ascii_case(name),
    }
}

fn is_of_entity(entity: Entity, wanted: EntityWanted) -> bool {
    entity.id.0 == wanted.id && wanted.instance.is_none_or(|it| it == entity.instance())
}

/// The reading with its unit, no more digits than needed; a discrete sensor's states as a mask.
fn reading(read: &Read, none: &str) -> String {
    match (read.value, &read.unit, read.states) {
        (Some(value), Some(unit), _) if value == value.trunc() => format!("{value:.0} {unit}"),
        (Some(value), Some(unit), _) => format!("{value:.2} {unit}"),
        (_, _, Some(states)) => format!("0x{states:02x}"),
        _ => none.to_owned(),
    }
}

/// Whether it can be read, and how it is, in at most two letters.
fn health(read: &Read) -> &str {
    match (read.value, read.states) {
        (None, None) => "ns",
        (_, Some(_)) => "ok",
        (Some(_), None) => &read.status,
    }
}

fn short(read: &Read) -> String {
    let reading = reading(read, "no reading");
    let name = cell(&read.name);
    format!("{name:<16} | {reading:<17} | {}", health(read))
}

fn extended(sensor: &Described, read: &Read) -> String {
    let number = sensor.sensor.key.sensor_number;
    let text = match read.states {
        Some(_) if read.status == "-" => String::new(),
        Some(_) => read.status.clone(),
        None => reading(read, "No Reading"),
    };
    let line = format!(
        "{:<16} | {number:02X}h | {:<3} | {:>4} | {text}",
        cell(&read.name),
        health(read),
        sensor.entity()
    );
    line.trim_end().to_owned()
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
        cell(&name(record))
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
