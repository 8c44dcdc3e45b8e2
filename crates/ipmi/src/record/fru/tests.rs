//! Inventories against bytes laid out by hand from the tables of FRU 1.0.

use std::string::{String, ToString};
use std::vec::Vec;

use super::*;
use crate::command::check::Arbitrary;
use crate::number::ChassisType;
use crate::number::MultiRecordType;
use crate::record::TextType;

fn english(text: &str) -> FruField {
    FruField::from_text(text, Language::ENGLISH).unwrap()
}

/// A header, a chassis area, a board area and a product area of 8 × 2, 8 × 5 and 8 × 4 bytes.
#[rustfmt::skip]
fn image() -> Vec<u8> {
    let mut bytes = std::vec![
        0x01, 0x00, 0x01, 0x03, 0x08, 0x00, 0x00, 0xf3,
        // chassis: type 17h, part "CP1", serial "CS1"
        0x01, 0x02, 0x17, 0xc3, b'C', b'P', b'1', 0xc3, b'C', b'S', b'1', 0xc1, 0, 0, 0, 0,
        // board: English, 15,768,000 minutes, "Acme", "Node", BCD plus serial, packed part, empty file ID, binary custom
        0x01, 0x05, 0x19, 0xc0, 0x99, 0xf0, 0xc4, b'A', b'c', b'm', b'e', 0xc4, b'N', b'o', b'd', b'e',
        0x43, 0x12, 0x3b, 0x45, 0x83, 0x29, 0xdc, 0xa6, 0x00, 0x02, 0xde, 0xad, 0xc1, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0,
        // product: Japanese, "漢" as maker, packed name, the rest empty but the serial number
        0x01, 0x04, 0x35, 0xc2, 0x22, 0x6f, 0x83, 0x29, 0xdc, 0xa6, 0x00, 0x00, 0xc3, b'S', b'N', b'1',
        0x00, 0x00, 0xc1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    for area in [8..24, 24..64, 64..96] {
        let last = area.end - 1;
        bytes[last] = sum(&bytes[area]).wrapping_neg();
    }
    bytes
}

fn fru() -> Fru {
    Fru {
        chassis: Some(ChassisArea {
            chassis_type: ChassisType(0x17),
            part_number: english("CP1"),
            serial_number: english("CS1"),
            ..ChassisArea::default()
        }),
        board: Some(BoardArea {
            language: Language::ENGLISH,
            manufactured_minutes: 15_768_000,
            manufacturer: english("Acme"),
            product_name: english("Node"),
            serial_number: FruField::from_bcd_plus("123-45").unwrap(),
            part_number: FruField::from_six_bit("IPMI").unwrap(),
            file_id: FruField::default(),
            custom: std::vec![FruField::new(TextType::Binary, &[0xde, 0xad]).unwrap()],
            behind: Vec::new(),
            room: 40,
        }),
        product: Some(ProductArea {
            language: Language(53),
            manufacturer: FruField::from_text("漢", Language(53)).unwrap(),
            name: FruField::from_six_bit("IPMI").unwrap(),
            serial_number: english("SN1"),
            room: 32,
            ..ProductArea::default()
        }),
        ..Fru::default()
    }
}

#[test]
fn areas_have_their_fields_where_the_tables_have_them_in_every_encoding() {
    let decoded = Fru::decode(&image()).unwrap();
    assert_eq!(decoded, fru());
    assert_eq!(decoded.encode(), Ok(image()));
    let board = decoded.board.unwrap();
    let made = board.manufactured().map(|time| time.to_string());
    assert_eq!(made.as_deref(), Some("2025-12-24 00:00:00"));
    let texts: Vec<_> = board.fields().collect();
    let expected = [
        ("Board Manufacturer", "Acme"),
        ("Board Product Name", "Node"),
        ("Board Serial Number", "123-45"),
        ("Board Part Number", "IPMI"),
        ("Board Custom Field", "dead"),
    ];
    assert_eq!(texts, expected.map(|(name, text)| (name, text.to_string())));
}

#[test]
fn eight_bit_text_is_utf_16_in_another_language_but_the_serial_number() {
    let product = Fru::decode(&image()).unwrap().product.unwrap();
    let texts: Vec<_> = product.fields().map(|(_, text)| text).collect();
    assert_eq!(texts, ["漢", "IPMI", "SN1"]);
    let chassis = fru().chassis.unwrap();
    let texts: Vec<_> = chassis.fields().collect();
    assert_eq!(texts[0], ("Chassis Part Number", String::from("CP1")));
}

#[test]
fn a_wrong_checksum_is_told_and_the_area_is_read_all_the_same() {
    for (byte, part) in [
        (7, FruPart::Header),
        (23, FruPart::Chassis),
        (63, FruPart::Board),
        (95, FruPart::Product),
    ] {
        let mut bytes = image();
        bytes[byte] ^= 0x40;
        let decoded = Fru::decode(&bytes).unwrap();
        assert_eq!(decoded.faults, [FruFault::Checksum(part)]);
        assert_eq!(
            Fru {
                faults: Vec::new(),
                ..decoded
            },
            fru()
        );
    }
    let text = FruFault::Checksum(FruPart::Board).to_string();
    assert_eq!(text, "the board area has a wrong checksum");
}

#[test]
fn an_erased_or_short_eeprom_is_an_error() {
    assert_eq!(
        Fru::decode(&[0xff; 64]).map_err(|e| e.fault),
        Err(WireFault::Invalid)
    );
    assert_eq!(
        Fru::decode(&[0x01; 7]).map_err(|e| e.fault),
        Err(WireFault::Truncated)
    );
    assert_eq!(
        Fru::decode(&[1, 0, 0, 0, 0, 0, 0, 0xff]),
        Ok(Fru::default())
    );
}

#[test]
fn an_area_that_goes_too_far_is_read_as_far_as_it_goes() {
    let bytes = image();
    let decoded = Fru::decode(&bytes[..80]).unwrap();
    assert_eq!(decoded.faults, [FruFault::Truncated(FruPart::Product)]);
    assert_eq!(decoded.board, fru().board);
    assert_eq!(decoded.product.unwrap().serial_number, english("SN1"));
    let decoded = Fru::decode(&bytes[..64]).unwrap();
    assert_eq!(decoded.faults, [FruFault::Truncated(FruPart::Product)]);
    assert_eq!(decoded.product, None);
}

#[test]
fn an_area_of_another_version_is_not_read() {
    let mut bytes = image();
    bytes[24] = 2;
    let decoded = Fru::decode(&bytes).unwrap();
    assert_eq!(
        (decoded.board, decoded.faults),
        (None, std::vec![FruFault::Version(FruPart::Board)])
    );
}

#[test]
fn multirecords_end_with_the_end_bit_and_have_two_checksums() {
    let bytes = [
        0x01, 0, 0, 0, 0, 1, 0, 0xfe, // header
        0x00, 0x02, 2, 0xfd, 0xff, 1, 2, // power supply
        0xc0, 0x82, 3, 0xfa, 0xc1, 1, 2, 3, // the maker's
        0xff, 0xff, // erased
    ];
    let decoded = Fru::decode(&bytes).unwrap();
    let record = |record_type, data: &[u8]| MultiRecord {
        record_type,
        version: 2,
        data: data.to_vec(),
    };
    assert_eq!(
        decoded.multirecords,
        [
            record(MultiRecordType(0x00), &[1, 2]),
            record(MultiRecordType(0xc0), &[1, 2, 3])
        ]
    );
    assert_eq!(decoded.faults, []);
    assert_eq!(decoded.encode().unwrap(), bytes[..23]);

    let mut wrong = bytes;
    wrong[14] = 3;
    let faulty = Fru::decode(&wrong).unwrap();
    assert_eq!(faulty.faults, [FruFault::Checksum(FruPart::MultiRecord(0))]);
    assert_eq!(faulty.multirecords.len(), 2);
    let mut wrong = bytes;
    wrong[10] = 200;
    let faulty = Fru::decode(&wrong).unwrap();
    assert_eq!(faulty.faults, [FruFault::Checksum(FruPart::MultiRecord(0))]);
    assert_eq!(faulty.multirecords, []);
    let faulty = Fru::decode(&bytes[..16]).unwrap();
    assert_eq!(
        faulty.faults,
        [FruFault::Truncated(FruPart::MultiRecord(1))]
    );
}

#[test]
fn the_internal_area_ends_where_the_next_area_starts() {
    let internal = Some(std::vec![1, 2, 3, 4, 5, 6, 7, 8]);
    let with = Fru { internal, ..fru() };
    let bytes = with.encode().unwrap();
    assert_eq!(bytes[1..5], [1, 2, 4, 9]);
    assert_eq!(Fru::decode(&bytes), Ok(with));
}

#[test]
fn one_character_and_too_much_text_are_stored_as_well_as_they_can_be() {
    let field = |text: &str| FruField::from_text(text, Language::ENGLISH);
    assert_eq!(
        field("A").map(|f| (f.kind(), f.text(Language::ENGLISH))),
        Some((TextType::SixBit, "A".to_string()))
    );
    assert_eq!(field("a").map(|f| f.data().to_vec()), Some(b"a ".to_vec()));
    assert_eq!(field(""), Some(FruField::default()));
    assert_eq!(field(&"x".repeat(64)), None);
    assert_eq!(field("漢"), None);
    assert_eq!(FruField::new(TextType::EightBit, b"x"), None);
}

#[test]
fn rubbish_behind_a_nul_is_not_shown() {
    let field = FruField::new(TextType::EightBit, b"SN123\0\x1b[2Jxx\xff").unwrap();
    assert_eq!(field.text(Language::ENGLISH), "SN123");
    assert_eq!(field.data().len(), 13, "and kept");
}

#[test]
fn what_does_not_fit_is_refused_and_names_the_area() {
    let custom = std::vec![english(&"x".repeat(63)); 40];
    let large = Fru {
        chassis: Some(ChassisArea {
            custom,
            ..ChassisArea::default()
        }),
        ..Fru::default()
    };
    assert_eq!(large.encode(), Err(FruTooLarge(FruPart::Chassis)));
    let internal = Some(std::vec![0; 2048]);
    let far = Fru { internal, ..fru() };
    assert_eq!(far.encode(), Err(FruTooLarge(FruPart::Chassis)));
    let long = MultiRecord {
        record_type: MultiRecordType(0),
        version: 2,
        data: std::vec![0; 256],
    };
    let records = Fru {
        multirecords: std::vec![long],
        ..Fru::default()
    };
    assert_eq!(records.encode(), Err(FruTooLarge(FruPart::MultiRecord(0))));
}

#[test]
fn no_bytes_panic_and_what_is_read_comes_back() {
    let mut random = Arbitrary::new(0);
    for _ in 0..5_000 {
        let mut bytes = image();
        for _ in 0..1 + random.number() % 8 {
            let [at, value, ..] = random.number().to_le_bytes();
            let at = usize::from(at) % bytes.len();
            bytes[at] = value;
        }
        let Ok(decoded) = Fru::decode(&bytes) else {
            continue;
        };
        if let Ok(again) = decoded.encode() {
            let expected = Fru {
                faults: Vec::new(),
                ..decoded
            };
            assert_eq!(Fru::decode(&again), Ok(expected), "{bytes:02x?}");
        }
    }
}

#[test]
fn a_power_supply_record_tells_the_watts() {
    let record = MultiRecord::of_power_supply(800);
    assert_eq!(record.power_supply_watts(), Some(800));
    assert_eq!(
        (record.data.len(), &record.data[..5]),
        (24, &[0x20, 0x03, 0xff, 0xff, 0xff][..])
    );
    let other = MultiRecord {
        record_type: MultiRecordType(0x01),
        ..record
    };
    assert_eq!(other.power_supply_watts(), None);
    assert_eq!(MultiRecord::of_power_supply(0).power_supply_watts(), None);
}
