//! Whole records against bytes laid out by hand from the tables of §43.

use super::*;
use crate::command::check::Arbitrary;
use crate::number::{
    DeviceSupport, EntityId, EventReadingType, Linearization, SensorType, SensorUnit, Threshold,
    ThresholdSet,
};
use crate::record::{AnalogFormat, Factors};
use std::string::ToString;

/// "CPU1 Temp": two's complement, M 1, thresholds 75/85/95 and 5/0/-5 degrees.
const FULL: [u8; 57] = [
    0x07, 0x00, 0x51, 0x01, 52, // header
    0x20, 0x00, 0x11, // key
    0x03, 0x01, 0x7f, 0x68, 0x01, 0x01, // entity, initialisation, capabilities, type
    0x95, 0x7a, 0x95, 0x7a, 0x3f, 0x3f, // masks
    0x80, 0x01, 0x00, // units
    0x00, 0x01, 0x04, 0x00, 0x00, 0x01, 0x00, // linearisation, factors, direction
    0x07, 40, 60, 20, 0x7f, 0x80, // characteristics
    95, 85, 75, 0xfb, 0x00, 0x05, // thresholds
    2, 3, 0, 0, 0x5a, // hysteresis, reserved, OEM
    0xc9, b'C', b'P', b'U', b'1', b' ', b'T', b'e', b'm', b'p',
];

fn full() -> FullSensor {
    FullSensor {
        sensor: Sensor {
            key: SensorKey::bmc(0x11),
            entity: Entity::new(EntityId::PROCESSOR, 1),
            initialization: crate::number::SensorInitialization(0x7f),
            capabilities: SensorCapabilities(0x68),
            sensor_type: SensorType::TEMPERATURE,
            event_reading_type: EventReadingType::THRESHOLD,
            assertion_mask: 0x7a95,
            deassertion_mask: 0x7a95,
            reading_mask: 0x3f3f,
            units: Units::new(AnalogFormat::TwosComplement, SensorUnit::DEGREES_C),
        },
        linearization: Linearization::LINEAR,
        factors: Factors {
            m: 1,
            tolerance: 4,
            ..Factors::default()
        },
        direction: Direction::Input,
        characteristics: crate::number::AnalogCharacteristics(0x07),
        nominal: 40,
        normal_maximum: 60,
        normal_minimum: 20,
        maximum: 0x7f,
        minimum: 0x80,
        thresholds: [0x05, 0x00, 0xfb, 75, 85, 95],
        positive_hysteresis: 2,
        negative_hysteresis: 3,
        reserved: [0; 2],
        oem: 0x5a,
        id: IdString::new("CPU1 Temp").unwrap(),
    }
}

#[test]
fn a_full_sensor_record_has_its_fields_where_the_table_has_them() {
    let record = SdrRecord::decode(&FULL).unwrap();
    assert_eq!(
        record,
        SdrRecord::new(RecordId(7), SdrBody::FullSensor(full()))
    );
    assert_eq!(record.to_vec(), FULL);
    assert_eq!(record.name().unwrap().text(), "CPU1 Temp");
    let full = full();
    assert!(full.sensor.is_analog());
    assert_eq!(full.sensor.readable_thresholds(), ThresholdSet::ALL);
    assert_eq!(full.threshold(Threshold::UpperCritical), Some(85));
    assert_eq!(full.nominal(), Some(40));
    assert_eq!(full.normal_range(), (Some(20), Some(60)));
    let conversion = full.conversion().unwrap();
    assert_eq!(conversion.value(full.thresholds[2]).to_string(), "-5");
    assert_eq!(conversion.raw(-5.0), 0xfb);
}

#[test]
fn every_byte_of_a_full_sensor_record_counts() {
    for index in 0..FULL.len() {
        if index == 4 || index == HEADER_LEN + 42 {
            continue; // lengths
        }
        let mut bytes = FULL;
        bytes[index] ^= 0x80;
        let changed = SdrRecord::decode(&bytes).unwrap();
        assert_ne!(changed, SdrRecord::decode(&FULL).unwrap(), "byte {index}");
        assert_eq!(changed.to_vec(), bytes, "byte {index}");
    }
}

#[test]
fn a_compact_sensor_record_expands_into_the_sensors_that_share_it() {
    let bytes = [
        0x08, 0x00, 0x51, 0x02, 32, // header
        0x20, 0x00, 0x40, 0x1d, 0x05, 0x67, 0x40, 0x04, 0x08, // key to event type
        0x03, 0x00, 0x03, 0x00, 0x03, 0x00, // masks
        0xc0, 0x00, 0x00, // units
        0x03, 0x85, // three sensors, numeric, instances increment, offset 5
        0, 0, 0, 0, 0, 0x77, // hysteresis, reserved, OEM
        0xc5, b'T', b'e', b'm', b'p', b' ',
    ];
    let record = SdrRecord::decode(&bytes).unwrap();
    assert_eq!(record.to_vec(), bytes);
    let SdrBody::CompactSensor(compact) = &record.body else {
        panic!("{record:?}")
    };
    assert_eq!(compact.oem, 0x77);
    assert!(!compact.sensor.is_analog());
    let expanded: Vec<_> = compact
        .expand()
        .map(|s| {
            (
                s.sensor.key.sensor_number,
                s.sensor.entity.instance(),
                s.id.text(),
            )
        })
        .collect();
    let expected = [(0x40, 5, "Temp5"), (0x41, 6, "Temp6"), (0x42, 7, "Temp7")];
    assert_eq!(
        expanded,
        expected.map(|(n, i, text)| (n, i, text.to_string()))
    );
    assert!(compact.expand().all(|single| single.expand().eq([single])));
}

#[test]
fn an_event_only_record_expands_with_letters_on_one_entity() {
    let bytes = [
        0x09, 0x00, 0x51, 0x03, 16, // header
        0x20, 0x00, 0x50, 0x04, 0x01, 0x0d, 0x6f, // key, entity, type
        0x12, 0x02, // two sensors, alpha, same entity, offset 2
        0x00, 0x00, // reserved, OEM
        0xc4, b'D', b'i', b's', b'k',
    ];
    let record = SdrRecord::decode(&bytes).unwrap();
    assert_eq!(record.to_vec(), bytes);
    let SdrBody::EventOnly(event_only) = &record.body else {
        panic!("{record:?}")
    };
    let expanded: Vec<_> = event_only
        .expand()
        .map(|s| (s.key.sensor_number, s.entity.instance(), s.id.text()))
        .collect();
    assert_eq!(
        expanded,
        [
            (0x50, 1, "DiskC".to_string()),
            (0x51, 1, "DiskD".to_string())
        ]
    );
}

#[test]
fn locator_records_have_their_fields_where_the_tables_have_them() {
    let bytes = [
        0x0a, 0x00, 0x51, 0x11, 14, 0x20, 0x03, 0x88, 0x70, 0x00, 0x10, 0x02, 0x0a, 0x01, 0x00,
        0xc3, b'P', b'S', b'1',
    ];
    let record = SdrRecord::decode(&bytes).unwrap();
    assert_eq!(record.to_vec(), bytes);
    let SdrBody::FruLocator(fru) = &record.body else {
        panic!("{record:?}")
    };
    assert_eq!(
        (fru.fru_device_id(), fru.lun(), fru.channel().0),
        (Some(3), crate::number::Lun::OEM_1, 7)
    );
    assert_eq!(fru.entity, Entity::new(EntityId::POWER_SUPPLY, 1));

    let bytes = [
        0x0b, 0x00, 0x51, 0x12, 14, 0x20, 0x00, 0x00, 0xbf, 0, 0, 0, 0x06, 0x01, 0x00, 0xc3, b'B',
        b'M', b'C',
    ];
    let record = SdrRecord::decode(&bytes).unwrap();
    assert_eq!(record.to_vec(), bytes);
    let SdrBody::McLocator(mc) = &record.body else {
        panic!("{record:?}")
    };
    assert_eq!((mc.address, mc.capabilities), (0x20, DeviceSupport(0xbf)));
    assert_eq!(record.name().unwrap().text(), "BMC");
}

#[test]
fn a_logical_fru_locator_is_reached_by_fru_commands_of_the_bmc() {
    let entity = Entity::new(EntityId::MEMORY_MODULE, 2);
    let fru = FruLocator::logical(9, entity, IdString::new("DIMM 2").unwrap());
    assert_eq!(
        (fru.fru_device_id(), fru.lun()),
        (Some(9), crate::number::Lun::BMC)
    );
    let body = SdrBody::FruLocator(fru);
    let record = SdrRecord::new(RecordId(1), body);
    assert_eq!(SdrRecord::decode(&record.to_vec()), Ok(record));
}

#[test]
fn other_types_and_short_bodies_are_kept_raw() {
    for bytes in [
        &[1, 0, 0x51, 0xc0, 3, 0x57, 0x01, 0x00][..],
        &[1, 0, 0x51, 0x01, 2, 0x20, 0],
    ] {
        let record = SdrRecord::decode(bytes).unwrap();
        assert!(matches!(&record.body, SdrBody::Raw { data, .. } if *data == bytes[5..]));
        assert_eq!((record.to_vec().as_slice(), record.name()), (bytes, None));
    }
}

#[test]
fn a_length_that_is_too_large_ends_with_the_bytes_and_a_small_one_cuts() {
    let mut long = FULL;
    long[4] = 0xff;
    let record = SdrRecord::decode(&long).unwrap();
    assert_eq!(record.body, SdrBody::FullSensor(full()));
    assert_eq!(record.to_vec(), FULL);
    let mut padded = FULL.to_vec();
    padded.extend([0; 7]);
    assert_eq!(SdrRecord::decode(&padded).unwrap().to_vec(), FULL);
    assert!(SdrRecord::decode(&FULL[..4]).is_err());
}

#[test]
fn bytes_behind_the_name_are_kept() {
    let mut bytes = FULL.to_vec();
    bytes.extend([1, 2, 3]);
    bytes[4] += 3;
    let record = SdrRecord::decode(&bytes).unwrap();
    assert_eq!(record.trailing, [1, 2, 3]);
    assert_eq!(record.to_vec(), bytes);
}

#[test]
fn every_record_whose_length_is_right_comes_back_byte_for_byte() {
    let mut types = [0x01, 0x02, 0x03, 0x11, 0x12, 0x08, 0xc0]
        .into_iter()
        .cycle();
    for body in Arbitrary::new(20_000) {
        let length = u8::try_from(body.len()).unwrap();
        let mut bytes = std::vec![0x34, 0x12, 0x51, types.next().unwrap(), length];
        bytes.extend(body);
        assert_eq!(SdrRecord::decode(&bytes).unwrap().to_vec(), bytes);
    }
    for bytes in Arbitrary::new(20_000) {
        if let Ok(record) = SdrRecord::decode(&bytes) {
            assert_eq!(SdrRecord::decode(&record.to_vec()), Ok(record.clone()));
            match record.body {
                SdrBody::CompactSensor(compact) => assert!(compact.expand().count() <= 15),
                SdrBody::EventOnly(event_only) => assert!(event_only.expand().count() <= 15),
                _ => {}
            }
        }
    }
}

#[test]
fn a_raw_body_beyond_the_length_byte_is_cut() {
    let data = std::vec![0x11; 300];
    let body = SdrBody::Raw {
        record_type: SdrRecordType::OEM,
        data,
    };
    let bytes = SdrRecord::new(RecordId(2), body).to_vec();
    assert_eq!((bytes.len(), bytes[4]), (SDR_MAX, 255));
}
