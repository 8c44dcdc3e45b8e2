//! Entries of the log against bytes laid out by hand from the tables of §32.

use std::string::{String, ToString};
use std::vec::Vec;

use super::*;
use crate::command::check::Arbitrary;
use crate::number::{EventReadingType, Linearization, SensorType, SensorUnit, Threshold};
use crate::record::sdr::{Owner, Units};
use crate::record::{AnalogFormat, Conversion, Factors};

/// Upper critical going high on temperature sensor 11h: reading 90, threshold 85.
const OVERHEAT: [u8; 16] = [
    0x34, 0x12, 0x02, 0x78, 0x56, 0x34, 0x65, 0x20, 0x00, 0x04, 0x01, 0x11, 0x01, 0x59, 90, 85,
];

fn event(bytes: [u8; 16]) -> SystemEvent {
    match SelRecord::decode(&bytes) {
        SelRecord::SystemEvent(event) => event,
        other => panic!("{other:?}"),
    }
}

fn text(sensor_type: u8, kind: u8, data: [u8; 3]) -> String {
    let mut bytes = OVERHEAT;
    (bytes[10], bytes[12]) = (sensor_type, kind);
    bytes[13..].copy_from_slice(&data);
    SelRecord::decode(&bytes)
        .describe(SensorContext::default())
        .to_string()
}

#[test]
fn a_system_event_has_its_fields_where_the_table_has_them() {
    let event = event(OVERHEAT);
    assert_eq!(event.id, RecordId(0x1234));
    assert_eq!(event.timestamp, Timestamp(0x6534_5678));
    assert_eq!(event.generator, GeneratorId::BMC);
    assert_eq!(
        event.generator.owner(),
        Owner::Ipmb(crate::number::IpmbAddress::from_byte(0x20))
    );
    assert_eq!((event.revision.0, event.sensor_number), (4, 0x11));
    assert_eq!(event.sensor_type, SensorType::TEMPERATURE);
    assert_eq!(event.event_reading_type(), EventReadingType::THRESHOLD);
    assert_eq!(event.direction(), EventDirection::Assertion);
    assert_eq!(event.offset(), 9);
    let crossed = ThresholdEvent {
        threshold: Threshold::UpperCritical,
        going_high: true,
    };
    assert_eq!(event.threshold(), Some(crossed));
    assert_eq!(event.byte_2(), EventByte2::TriggerReading(90));
    assert_eq!(event.byte_3(), EventByte3::TriggerThreshold(85));
}

#[test]
fn a_generator_is_a_controller_or_software_on_a_channel_and_lun() {
    let generator = GeneratorId(0x7341);
    assert_eq!(
        generator.owner(),
        Owner::Software(crate::number::SoftwareId(0x20))
    );
    assert_eq!((generator.channel().0, generator.lun().get()), (7, 3));
}

#[test]
fn a_threshold_event_keeps_its_offset() {
    for offset in 0..12 {
        assert_eq!(
            ThresholdEvent::from_offset(offset).map(ThresholdEvent::offset),
            Some(offset)
        );
    }
    assert_eq!(ThresholdEvent::from_offset(12), None);
    let lowest = ThresholdEvent {
        threshold: Threshold::LowerNonRecoverable,
        going_high: false,
    };
    assert_eq!(lowest.offset(), 4);
}

#[test]
fn sixteen_bytes_of_any_kind_come_back_byte_for_byte() {
    let mut types = (0..=255_u8).cycle();
    for bytes in Arbitrary::new(20_000) {
        let Some(mut bytes) = bytes.first_chunk::<16>().copied() else {
            continue;
        };
        bytes[2] = types.next().unwrap();
        let record = SelRecord::decode(&bytes);
        assert_eq!(record.encode(), bytes);
        assert_eq!(record.record_type(), SelRecordType(bytes[2]));
        assert_eq!(record.with_id(RecordId(7)).id(), RecordId(7));
        let stamped = record.with_timestamp(Timestamp(9));
        assert_eq!(
            stamped.timestamp(),
            record.timestamp().map(|_| Timestamp(9))
        );
        // Text never panics, whatever the bytes.
        let context = SensorContext {
            name: Some("x"),
            ..SensorContext::default()
        };
        assert!(!record.describe(context).to_string().is_empty());
    }
}

#[test]
fn record_types_have_the_layout_of_their_range() {
    let bytes = |record_type| {
        let mut bytes: [u8; 16] = core::array::from_fn(|i| i.to_le_bytes()[0]);
        bytes[2] = record_type;
        bytes
    };
    let SelRecord::OemTimestamped(oem) = SelRecord::decode(&bytes(0xc0)) else {
        panic!()
    };
    assert_eq!(oem.timestamp, Timestamp(0x0605_0403));
    assert_eq!(
        (oem.manufacturer, oem.data),
        (EnterpriseNumber(0x0009_0807), [10, 11, 12, 13, 14, 15])
    );
    assert!(matches!(
        SelRecord::decode(&bytes(0xdf)),
        SelRecord::OemTimestamped(_)
    ));
    let SelRecord::OemNonTimestamped(oem) = SelRecord::decode(&bytes(0xe0)) else {
        panic!()
    };
    assert_eq!((oem.data[0], oem.data[12]), (3, 15));
    assert!(matches!(
        SelRecord::decode(&bytes(0x00)),
        SelRecord::Reserved(_)
    ));
    assert!(matches!(
        SelRecord::decode(&bytes(0xbf)),
        SelRecord::Reserved(_)
    ));
}

#[test]
fn a_threshold_event_says_reading_and_threshold_in_the_sensors_unit() {
    let factors = Factors {
        m: 1,
        ..Factors::default()
    };
    let conversion = Conversion::new(AnalogFormat::Unsigned, Linearization::LINEAR, &factors);
    let units = Some(Units::new(AnalogFormat::Unsigned, SensorUnit::DEGREES_C));
    let sensor = SensorContext {
        name: Some("CPU1 Temp"),
        conversion,
        units,
        ..SensorContext::default()
    };
    let text = SelRecord::decode(&OVERHEAT).describe(sensor).to_string();
    assert_eq!(
        text,
        "Temperature CPU1 Temp | Upper Critical going high | Asserted | \
         Reading 90 > Threshold 85 degrees C"
    );
    let mut left = OVERHEAT;
    (left[12], left[14]) = (0x81, 80);
    let text = SelRecord::decode(&left).describe(sensor).to_string();
    assert!(
        text.ends_with("Deasserted | Reading 80 < Threshold 85 degrees C"),
        "{text}"
    );
}

#[test]
fn a_reading_that_is_not_whole_has_two_decimals() {
    let factors = Factors {
        m: 63,
        r_exponent: -3,
        ..Factors::default()
    };
    let conversion = Conversion::new(AnalogFormat::Unsigned, Linearization::LINEAR, &factors);
    let sensor = SensorContext {
        conversion,
        ..SensorContext::default()
    };
    let text = SelRecord::decode(&OVERHEAT).describe(sensor).detail();
    assert_eq!(text.as_deref(), Some("Reading 5.67 > Threshold 5.36"));
}

#[test]
fn without_the_sensors_record_numbers_are_raw() {
    let text = SelRecord::decode(&OVERHEAT)
        .describe(SensorContext::default())
        .to_string();
    assert_eq!(
        text,
        "Temperature #0x11 | Upper Critical going high | Asserted | Reading 0x5a > Threshold 0x55"
    );
}

/// Sensor type, event data, and how the text ends.
#[rustfmt::skip]
const DETAILS: [(u8, [u8; 3], &str); 19] = [
    (0x08, [0x36, 0xff, 0x03], "Configuration error | Asserted | Power Supply rating mismatch"),
    (0x0c, [0x31, 0xff, 0x07], "Uncorrectable ECC | Asserted | Memory module 7"),
    (0x0f, [0xc0, 0x0b, 0xff], "System Firmware Error | Asserted | Firmware (BIOS) ROM corruption detected"),
    (0x0f, [0xc2, 0x13, 0xff], "System Firmware Progress | Asserted | Starting operating system boot process"),
    (0x10, [0xf1, 0x6f, 0x12], "Event logging disabled | Asserted | Event 2 of type 0x6f, assertion"),
    (0x10, [0x35, 0xff, 80], "Log almost full | Asserted | 80 % full"),
    (0x12, [0xc4, 0x05, 0xff], "PEF Action | Asserted | Alert, Reset"),
    (0x12, [0xc5, 0x80, 0xff], "Timestamp Clock Sync | Asserted | Second of pair, SEL Timestamp Clock updated"),
    (0x12, [0xc3, 0x30, 0xff], "Entry added to auxiliary log | Asserted | MCA Log: Log cleared"),
    (0x19, [0xf0, 0x05, 0x00], "Soft Power Control Failure | Asserted | Requested S5/G2, in S0/G0"),
    (0x1d, [0xf7, 0x01, 0x01], "System Restart | Asserted | chassis control command, channel 1"),
    (0x21, [0xf0, 0x07, 0x03], "Fault Status | Asserted | DIMM/memory device 3"),
    (0x21, [0xf0, 0x09, 0x03], "Fault Status | Asserted | PCI Express 3"),
    (0x21, [0xf0, 0x0c, 0x03], "Fault Status | Asserted | USB 3"),
    (0x23, [0xc1, 0x24, 0xff], "Hard reset | Asserted | Timer use SMS/OS, interrupt NMI"),
    (0x28, [0xc4, 0x11, 0xff], "Sensor failure | Asserted | Sensor #0x11"),
    (0x2a, [0xf1, 0x02, 0x21], "Session Deactivated | Asserted | User 2, channel 1, timeout"),
    (0x2b, [0xc1, 0x02, 0xff], "Firmware or software change detected | Asserted | Management controller firmware revision"),
    (0x2c, [0xc4, 0x23, 0xff], "Active | Asserted | Handle latch changed, was Activation in Progress"),
];

#[test]
fn sensor_specific_events_tell_what_their_data_adds() {
    for (sensor_type, data, expected) in DETAILS {
        let text = text(sensor_type, 0x6f, data);
        assert!(text.ends_with(expected), "{text}\n{expected}");
    }
}

#[test]
fn data_that_event_data_1_does_not_announce_is_not_shown() {
    let columns = |data| text(0x0f, 0x6f, data).split(" | ").count();
    assert_eq!(
        [[0xc0, 1, 0], [0x80, 1, 0], [0x00, 1, 0]].map(columns),
        [4, 3, 3]
    );
}

#[test]
fn a_discrete_event_tells_its_previous_state() {
    assert_eq!(
        text(0x04, 0x0b, [0x41, 0xf0, 0xff]),
        "Fan #0x11 | Redundancy Lost | Asserted | was Fully Redundant"
    );
    assert_eq!(
        text(0x04, 0x8b, [0x41, 0x20, 0xff]),
        "Fan #0x11 | Redundancy Lost | Deasserted | was Fully Redundant, \
         Transition to Critical from less severe"
    );
}

#[test]
fn what_the_maker_defines_is_shown_as_numbers() {
    assert_eq!(
        text(0xc1, 0x73, [0x05, 0xff, 0xff]),
        "OEM sensor type 0xc1 #0x11 | Event 0x5 of type 0x73 | Asserted"
    );
    let mut bytes = [0x11; 16];
    bytes[2] = 0xf0;
    bytes[5..].copy_from_slice(b"Fatal excep");
    let panic = SelRecord::decode(&bytes)
        .describe(SensorContext::default())
        .to_string();
    assert_eq!(panic, "Linux kernel panic | Fatal excep");
    bytes[2] = 0xc1;
    let columns: Vec<_> = SelRecord::decode(&bytes)
        .describe(SensorContext::default())
        .to_string()
        .split(" | ")
        .map(String::from)
        .collect();
    assert_eq!(
        columns,
        ["OEM record c1", "Manufacturer 0x6c6174: 206578636570"]
    );
}
