//! `fru edit`: changes one text of an inventory (FRU Information Storage Definition 1.0).

use std::rc::Rc;

use ipmi::record::fru::{Fru, FruFault, FruField, FruPart, Language};
use serde_json::json;

use super::fru::read;
use super::fru_write::Device;
use crate::ipmi::args::{BackupArgs, FruText};
use crate::ipmi::failure::Failure;
use crate::ipmi::talk::{Line, Outcome};

/// What is to be changed, and how.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) id: u8,
    pub(super) field: FruText,
    pub(super) text: Rc<str>,
    pub(super) backup: BackupArgs,
}

/// Changes one text; the rest of the inventory stays as it is.
pub(super) async fn run(line: Line, edit: Edit) -> Outcome {
    let Edit {
        id, field, text, ..
    } = &edit;
    let stored = read(&line, *id).await?;
    let before = &stored.bytes;
    let mut fru = Fru::decode(before).map_err(|error| Failure::Unfit {
        kind: "no_inventory",
        cause: format!("FRU device {id} has no inventory in IPMI's format: {error}"),
        remedy: "'fru write' stores whole inventories".to_owned(),
    })?;
    if let Some(reason) = stored.cut().or_else(|| loss(&fru)) {
        return Err(Failure::Unfit {
            kind: "damaged_inventory",
            cause: format!("an edit would lose parts of FRU device {id}: {reason}"),
            remedy: "save it with 'fru read', mend the file, and store all of it with 'fru write'"
                .to_owned(),
        });
    }
    let unfit = |cause: String| Failure::Unfit {
        kind: "unfit_text",
        cause,
        remedy: "see 'fru print' for what the device has; a text has at most 63 characters"
            .to_owned(),
    };
    let (place, language) = place(&mut fru, *field)
        .ok_or_else(|| unfit("the inventory has no such area".to_owned()))?;
    *place = FruField::from_text(text, language)
        .ok_or_else(|| unfit(format!("'{text}' can't be stored")))?;
    let after = fru.patch(before, part(*field));
    let after = after.map_err(|error| unfit(error.to_string()))?;
    let (device, backup) = (Device::of(&line, *id).await?, &edit.backup);
    let written = device.replace(&line, &stored, &after, backup).await?;
    let value = json!({ "id": id, "text": &**text });
    Ok(written.report(format!("FRU device {id} changed"), value))
}

/// What can't be read of an inventory, and may be gone after an edit, which writes all areas anew where one must grow.
fn loss(fru: &Fru) -> Option<String> {
    use FruPart::{Board, Chassis, Product};
    // With a wrong checksum an area is read all the same; an edit mends it. Behind the wrong checksum of another part
    // nothing can be trusted: the header says where areas are, and a record's header where the next is.
    let is_harmless =
        |fault: &FruFault| matches!(fault, FruFault::Checksum(Chassis | Board | Product));
    let fault = fru.faults.iter().find(|fault| !is_harmless(fault));
    fault.map(ToString::to_string)
}

/// The area of a text.
const fn part(field: FruText) -> FruPart {
    match field {
        FruText::ChassisPart | FruText::ChassisSerial => FruPart::Chassis,
        FruText::BoardMaker | FruText::BoardProduct | FruText::BoardPart | FruText::BoardSerial => {
            FruPart::Board
        }
        _ => FruPart::Product,
    }
}

/// Where a text is in an inventory, and the language that it is in.
fn place(fru: &mut Fru, field: FruText) -> Option<(&mut FruField, Language)> {
    let english = Language::ENGLISH;
    Some(match field {
        FruText::ChassisPart => (&mut fru.chassis.as_mut()?.part_number, english),
        FruText::ChassisSerial => (&mut fru.chassis.as_mut()?.serial_number, english),
        FruText::BoardSerial => (&mut fru.board.as_mut()?.serial_number, english),
        FruText::ProductSerial => (&mut fru.product.as_mut()?.serial_number, english),
        FruText::BoardMaker | FruText::BoardProduct | FruText::BoardPart => {
            let board = fru.board.as_mut()?;
            let place = match field {
                FruText::BoardMaker => &mut board.manufacturer,
                FruText::BoardProduct => &mut board.product_name,
                _ => &mut board.part_number,
            };
            (place, board.language)
        }
        _ => {
            let product = fru.product.as_mut()?;
            let place = match field {
                FruText::ProductMaker => &mut product.manufacturer,
                FruText::ProductName => &mut product.name,
                FruText::ProductPart => &mut product.part_number,
                FruText::ProductVersion => &mut product.version,
                _ => &mut product.asset_tag,
            };
            (place, product.language)
        }
    })
}

#[cfg(test)]
mod tests {
    use ipmi::number::MultiRecordType;
    use ipmi::record::fru::{MultiRecord, ProductArea};

    use super::*;
    use crate::ipmi::command::fru_write::tests::Eeprom;
    use crate::ipmi::talk::{Talk, play};

    fn edit(eeprom: &mut Eeprom, text: &str) -> Outcome {
        let folder = tempfile::tempdir().unwrap();
        let edit = Edit {
            id: 0,
            field: FruText::ProductSerial,
            text: text.into(),
            backup: BackupArgs {
                backup_dir: folder.path().to_owned(),
                keep_backup: false,
            },
        };
        play::run(Talk::new(|line| run(line, edit)), |call| {
            eeprom.answer(call)
        })
    }

    /// The product area is at byte 8; the record follows it.
    fn inventory() -> Vec<u8> {
        let text = |text| FruField::from_text(text, Language::ENGLISH).unwrap();
        let product = ProductArea {
            language: Language::ENGLISH,
            name: text("Node"),
            serial_number: text("S123"),
            ..ProductArea::default()
        };
        let record = MultiRecord {
            record_type: MultiRecordType(0xc0),
            version: 2,
            data: vec![1, 2, 3],
        };
        let fru = Fru {
            product: Some(product),
            multirecords: vec![record],
            ..Fru::default()
        };
        fru.encode().unwrap()
    }

    /// Where the first record begins.
    fn record_at(bytes: &[u8]) -> usize {
        usize::from(bytes[5]) * 8
    }

    #[test]
    fn one_text_changes_and_the_rest_stays() {
        let mut device = Eeprom::new(inventory());
        edit(&mut device, "S124").unwrap();
        let mut expected = Fru::decode(&inventory()).unwrap();
        let serial = FruField::from_text("S124", Language::ENGLISH).unwrap();
        expected.product.as_mut().unwrap().serial_number = serial;
        assert_eq!(Fru::decode(&device.bytes).unwrap(), expected);
    }

    #[test]
    fn an_area_with_a_wrong_checksum_is_edited_and_mended() {
        let mut bytes = inventory();
        let last_of_area = record_at(&bytes) - 1;
        bytes[last_of_area] ^= 1;
        let mut device = Eeprom::new(bytes);
        edit(&mut device, "S124").unwrap();
        assert_eq!(Fru::decode(&device.bytes).unwrap().faults, []);
    }

    #[test]
    fn an_inventory_of_which_an_edit_would_lose_parts_is_left_alone() {
        let damage = |what: &str, damage: fn(&mut Vec<u8>)| {
            let mut bytes = inventory();
            damage(&mut bytes);
            let mut device = Eeprom::new(bytes.clone());
            let failure = edit(&mut device, "S124").unwrap_err();
            assert_eq!(failure.kind(), "damaged_inventory", "{what}: {failure}");
            assert!(failure.remedy().contains("fru write"), "{failure}");
            assert_eq!((device.writes, device.bytes), (0, bytes), "{what}");
        };
        damage("area of an unknown version", |bytes| {
            // The chassis area is said to begin at the record, whose first byte is no known version.
            bytes[2] = bytes[5];
            bytes[7] = bytes[7].wrapping_sub(bytes[5]);
        });
        damage("area that goes too far", |bytes| bytes[9] = 0xff);
        damage("header with a wrong checksum", |bytes| bytes[7] ^= 1);
        damage("record with a wrong header", |bytes| {
            let at = record_at(bytes) + 4;
            bytes[at] ^= 1;
        });
        damage("record with wrong data", |bytes| {
            let at = record_at(bytes) + 5;
            bytes[at] ^= 1;
        });
    }

    #[test]
    fn an_inventory_that_is_returned_in_part_is_left_alone() {
        let mut bytes = inventory();
        bytes.resize(128, 0);
        let mut device = Eeprom::new(bytes.clone());
        device.readable = 96;
        let failure = edit(&mut device, "S124").unwrap_err();
        assert_eq!(failure.kind(), "damaged_inventory");
        assert!(
            failure.cause().contains("only 96 of 128 bytes were read"),
            "{failure}"
        );
        assert_eq!((device.writes, device.bytes), (0, bytes));
    }
}
