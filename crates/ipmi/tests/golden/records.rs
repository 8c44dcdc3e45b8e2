//! Sensors, events and FRU fields of the captured BMC: we must find in the bytes what ipmitool found.

use std::collections::BTreeMap;

use ipmi::command::sensor::{
    GetSensorReading, GetSensorThresholds, SensorReading, SensorThresholds,
};
use ipmi::command::storage::{GetSdr, GetSelEntry, ReadFruData};
use ipmi::command::{Command, Message};
use ipmi::number::Threshold;
use ipmi::record::RecordId;
use ipmi::record::fru::Fru;
use ipmi::record::sdr::{SdrBody, SdrRecord, Sensor};
use ipmi::record::sel::{EventDirection, SelRecord};
use ipmi::wire::Reader;
use ipmi::wire::message::LanMessage;

use crate::vector::Vector;

/// Every request of type `C` that succeeded, with its answer.
fn exchanges<C: Command>(vector: &Vector) -> Vec<(C, C::Response)> {
    let mut found = Vec::new();
    for pair in vector.messages().chunks(2) {
        let request = LanMessage::decode(&pair[0].1).unwrap();
        let response = LanMessage::decode(&pair[1].1).unwrap();
        if (request.header.netfn, request.header.cmd) != (C::NETFN, C::CMD) {
            continue;
        }
        if let Some((0, data)) = response.body.split_first() {
            let command = C::decode(&mut Reader::new(request.body)).unwrap();
            found.push((
                command,
                C::Response::decode(&mut Reader::new(data)).unwrap(),
            ));
        }
    }
    found
}

/// The records of the repository as bytes, put together from the parts that ipmitool read.
fn repository(vector: &Vector) -> Vec<Vec<u8>> {
    let mut order: Vec<RecordId> = Vec::new();
    let mut parts: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    for (GetSdr(part), answer) in exchanges::<GetSdr>(vector) {
        // Record 0 means "the first"; its own number begins the record.
        let id = match (part.offset, &*answer.data) {
            (0, [low, high, ..]) => RecordId(u16::from_le_bytes([*low, *high])),
            _ => part.record,
        };
        if !order.contains(&id) {
            order.push(id);
        }
        let bytes = parts.entry(id.0).or_default();
        let start = usize::from(part.offset);
        bytes.resize(bytes.len().max(start + answer.data.len()), 0);
        bytes[start..start + answer.data.len()].copy_from_slice(&answer.data);
    }
    order.iter().map(|id| parts[&id.0].clone()).collect()
}

/// What ipmitool printed about a sensor: name, value or states, unit, and six thresholds, worst low one first.
struct Printed<'a> {
    name: &'a str,
    value: &'a str,
    unit: &'a str,
    thresholds: Vec<&'a str>,
}

impl<'a> Printed<'a> {
    fn parse(line: &'a str) -> Self {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        Self {
            name: columns[0],
            value: columns[1],
            unit: columns[2],
            thresholds: columns[4..10].to_vec(),
        }
    }
}

/// ipmitool's order of the thresholds.
const PRINTED_ORDER: [Threshold; 6] = [
    Threshold::LowerNonRecoverable,
    Threshold::LowerCritical,
    Threshold::LowerNonCritical,
    Threshold::UpperNonCritical,
    Threshold::UpperCritical,
    Threshold::UpperNonRecoverable,
];

/// A number as ipmitool prints it.
fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "na".to_owned(), |value| format!("{value:.3}"))
}

#[test]
fn every_sensor_has_the_value_and_the_thresholds_that_ipmitool_prints() {
    let vector = Vector::named("suite3-sensor");
    let readings: BTreeMap<u8, SensorReading> = exchanges::<GetSensorReading>(&vector)
        .into_iter()
        .map(|(command, answer)| (command.sensor_number, answer))
        .collect();
    let limits: BTreeMap<u8, SensorThresholds> = exchanges::<GetSensorThresholds>(&vector)
        .into_iter()
        .map(|(command, answer)| (command.sensor_number, answer))
        .collect();
    let mut lines = vector.printed.iter().map(|line| Printed::parse(line));
    let mut numeric = 0;
    for bytes in repository(&vector) {
        let record = SdrRecord::decode(&bytes).unwrap();
        let name = record.name().unwrap().text();
        match &record.body {
            SdrBody::FullSensor(full) => {
                numeric += 1;
                let line = lines.next().unwrap();
                let number_of = full.sensor.key.sensor_number;
                let conversion = full.conversion().unwrap();
                let value = readings.get(&number_of).and_then(SensorReading::available);
                assert_eq!(
                    number(value.map(|raw| conversion.value(raw))),
                    line.value,
                    "{name}"
                );
                check_name_and_unit(&name, &full.sensor, &line);
                for (threshold, expected) in PRINTED_ORDER.into_iter().zip(line.thresholds) {
                    let raw = limits
                        .get(&number_of)
                        .and_then(|limits| limits.get(threshold));
                    let ours = number(raw.map(|raw| conversion.value(raw)));
                    assert_eq!(ours, expected, "{name}: {threshold:?}");
                }
            }
            SdrBody::CompactSensor(compact) => {
                let line = lines.next().unwrap();
                let reading = readings[&compact.sensor.key.sensor_number];
                assert_eq!(format!("{:#x}", reading.states), line.value, "{name}");
                assert_eq!((name.as_str(), "discrete"), (line.name, line.unit));
            }
            _ => {}
        }
    }
    assert!(
        lines.next().is_none(),
        "ipmitool printed more sensors than we found"
    );
    assert!(numeric >= 20, "only {numeric} numeric sensors");
}

/// 6-bit names are rubbish in ipmitool's output; sdrcomp packs a name of capitals and digits so.
fn check_name_and_unit(name: &str, sensor: &Sensor, line: &Printed<'_>) {
    if name == "P3V3" {
        assert_ne!(name, line.name);
    } else {
        assert_eq!(name, line.name);
    }
    if line.value != "na" {
        assert_eq!(sensor.units.to_string(), line.unit, "{name}");
    }
}

#[test]
fn every_record_of_the_repository_is_written_back_byte_for_byte() {
    let vector = Vector::named("suite3-sensor");
    let records = repository(&vector);
    assert!(records.len() >= 28, "only {} records", records.len());
    for bytes in records {
        let record = SdrRecord::decode(&bytes).unwrap();
        assert!(!matches!(record.body, SdrBody::Raw { .. }), "{record:?}");
        assert_eq!(record.to_vec(), bytes, "{record:?}");
    }
}

#[test]
fn every_event_reads_as_ipmitool_prints_it() {
    let vector = Vector::named("suite3-sel-elist");
    let entries = exchanges::<GetSelEntry>(&vector);
    let mut seen = 0;
    for line in &vector.printed {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let [id, _date, _time, _sensor, text, direction, ..] = columns.as_slice() else {
            panic!("not an entry: {line}");
        };
        let id = u16::from_str_radix(id, 16).unwrap();
        let records = entries
            .iter()
            .map(|(_, answer)| SelRecord::decode(&answer.data.as_ref().try_into().unwrap()));
        let record = records
            .into_iter()
            .find(|record| record.id().0 == id)
            .unwrap();
        let ours = record.describe(Default::default());
        assert_eq!(ours.event(), *text);
        let expected = match ours.direction() {
            Some(EventDirection::Assertion) => "Asserted",
            Some(EventDirection::Deassertion) => "Deasserted",
            None => "",
        };
        assert_eq!(expected, *direction, "{line}");
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[test]
fn every_fru_field_reads_as_ipmitool_prints_it() {
    let vector = Vector::named("suite3-fru-print");
    let mut bytes = Vec::new();
    for (command, answer) in exchanges::<ReadFruData>(&vector) {
        let start = usize::from(command.offset);
        let data = &answer.data;
        bytes.resize(bytes.len().max(start + data.len()), 0);
        bytes[start..start + data.len()].copy_from_slice(data);
    }
    let fru = Fru::decode(&bytes).unwrap();
    assert_eq!(fru.faults, []);
    let (chassis, board, product) = (
        fru.chassis.unwrap(),
        fru.board.unwrap(),
        fru.product.unwrap(),
    );
    let values: Vec<String> = chassis
        .fields()
        .chain(board.fields())
        .chain(product.fields())
        .map(|(_, value)| value.trim_end().to_owned())
        .collect();
    let mut compared = 0;
    for line in &vector.printed {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        // The type and the date are no text fields.
        if ["Chassis Type", "Board Mfg Date"].contains(&name.trim()) {
            continue;
        }
        assert!(
            values.iter().any(|ours| ours == value.trim()),
            "{line} is not among {values:?}"
        );
        compared += 1;
    }
    assert!(compared >= 14, "only {compared} fields");
}
