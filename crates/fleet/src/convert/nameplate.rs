//! Inventories of FRU devices become nameplates.

use std::sync::Arc;

use hardware::{Asset, Capacity, Nameplates, Part};
use ipmi::number::ChassisType;
use ipmi::record::fru::{
    BoardArea, ChassisArea, Fru, FruField, Language, MultiRecord, ProductArea,
};
use ipmi::record::sdr::FruLocator;
use ipmi::record::{Spd, Timestamp};

use super::sensor::{context, instance};

/// Takes the inventory of the BMC's own FRU device: the machine as sold, its main board, its case. What is no
/// inventory leaves all as it is.
pub(crate) fn nameplate(bytes: &[u8], plates: &mut Nameplates) {
    let Ok(fru) = Fru::decode(bytes) else { return };
    plates.product = fru.product.as_ref().map(of_product).unwrap_or_default();
    plates.board = fru.board.as_ref().map(of_board).unwrap_or_default();
    plates.chassis = fru.chassis.as_ref().map(of_chassis).unwrap_or_default();
}

/// A further part; `None` where its inventory says nothing.
pub(crate) fn part(locator: &FruLocator, bytes: &[u8]) -> Option<Part> {
    let fru = Fru::decode(bytes).ok()?;
    let product = fru.product.as_ref().map(of_product);
    let board = fru.board.as_ref().map(of_board);
    let mut asset = match (product, board) {
        // Many parts have their serial number in the board area only.
        (Some(product), Some(board)) => product.or(board),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => of_chassis(fru.chassis.as_ref()?),
    };
    if asset == Asset::default() {
        return None;
    }
    asset.name = name(locator);
    let mut records = fru.multirecords.iter();
    let watts = records.find_map(MultiRecord::power_supply_watts);
    Some(Part {
        asset,
        context: context(locator.entity),
        instance: instance(locator.entity),
        capacity: watts.map(Capacity::Watts),
    })
}

/// A memory module by the bytes of its EEPROM; `None` where it tells nothing.
pub(crate) fn module(locator: &FruLocator, bytes: &[u8]) -> Option<Part> {
    let spd = Spd::decode(bytes);
    if spd.size_mib.is_none() && spd.part_number.is_none() {
        return None;
    }
    Some(Part {
        asset: Asset {
            name: name(locator),
            part_number: spd.part_number.map(Into::into),
            serial_number: spd
                .serial_number
                .map(|serial| format!("{serial:08X}").into()),
            ..Asset::default()
        },
        context: context(locator.entity),
        instance: instance(locator.entity),
        capacity: spd.size_mib.map(Capacity::Mebibytes),
    })
}

fn name(locator: &FruLocator) -> Option<Arc<str>> {
    Some(locator.id.text())
        .filter(|name| !name.is_empty())
        .map(Into::into)
}

fn of_product(area: &ProductArea) -> Asset {
    Asset {
        name: None,
        manufacturer: text(&area.manufacturer, area.language),
        model: text(&area.name, area.language),
        part_number: text(&area.part_number, area.language),
        version: text(&area.version, area.language),
        serial_number: text(&area.serial_number, Language::ENGLISH),
        asset_tag: text(&area.asset_tag, area.language),
        manufactured_at_s: None,
    }
}

fn of_board(area: &BoardArea) -> Asset {
    Asset {
        manufacturer: text(&area.manufacturer, area.language),
        model: text(&area.product_name, area.language),
        part_number: text(&area.part_number, area.language),
        serial_number: text(&area.serial_number, Language::ENGLISH),
        manufactured_at_s: area
            .manufactured()
            .and_then(Timestamp::unix_seconds)
            .map(u64::from),
        ..Asset::default()
    }
}

fn of_chassis(area: &ChassisArea) -> Asset {
    Asset {
        name: ChassisType::name(area.chassis_type).map(Into::into),
        part_number: text(&area.part_number, Language::ENGLISH),
        serial_number: text(&area.serial_number, Language::ENGLISH),
        ..Asset::default()
    }
}

fn text(field: &FruField, language: Language) -> Option<Arc<str>> {
    Some(field.text(language))
        .filter(|text| !text.is_empty())
        .map(Into::into)
}

#[cfg(test)]
mod tests {
    use hardware::Context;
    use ipmi::number::EntityId;
    use ipmi::record::sdr::{Entity, IdString};

    use super::*;

    fn field(text: &str) -> FruField {
        FruField::from_text(text, Language::ENGLISH).unwrap()
    }

    fn fru() -> Fru {
        Fru {
            board: Some(BoardArea {
                language: Language::ENGLISH,
                manufactured_minutes: 1,
                manufacturer: field("Maker"),
                serial_number: field("B-1"),
                ..BoardArea::default()
            }),
            product: Some(ProductArea {
                language: Language::ENGLISH,
                name: field("Machine 9000"),
                asset_tag: field("  "),
                ..ProductArea::default()
            }),
            ..Fru::default()
        }
    }

    #[test]
    fn each_area_becomes_its_own_nameplate_and_blank_fields_are_none() {
        let bytes = fru().encode().unwrap();
        let mut plates = Nameplates::default();
        nameplate(&bytes, &mut plates);
        assert_eq!(plates.product.model.as_deref(), Some("Machine 9000"));
        assert_eq!(plates.product.asset_tag, None);
        assert_eq!(plates.board.serial_number.as_deref(), Some("B-1"));
        assert_eq!(plates.board.manufactured_at_s, Some(820_454_460));
        assert_eq!(plates.chassis, Asset::default());
    }

    #[test]
    fn a_part_has_its_locators_name_and_the_union_of_its_areas() {
        let id = IdString::new("PSU1").unwrap();
        let entity = Entity::new(EntityId::POWER_SUPPLY, 2);
        let locator = FruLocator::logical(1, entity, id);
        let fru = Fru {
            multirecords: vec![MultiRecord::of_power_supply(750)],
            ..fru()
        };
        let found = part(&locator, &fru.encode().unwrap()).unwrap();
        assert_eq!((found.context, found.instance), (Context::PowerSupply, 2));
        assert_eq!(found.capacity, Some(Capacity::Watts(750)));
        let asset = found.asset;
        assert_eq!(asset.name.as_deref(), Some("PSU1"));
        assert_eq!(asset.model.as_deref(), Some("Machine 9000"));
        assert_eq!(asset.serial_number.as_deref(), Some("B-1"));
        assert_eq!(part(&locator, &[0xff; 64]), None);
        assert_eq!(part(&locator, &Fru::default().encode().unwrap()), None);
    }

    #[test]
    fn a_memory_module_has_the_size_that_its_eeprom_tells() {
        let id = IdString::new("DIMM A").unwrap();
        let entity = Entity::new(EntityId::MEMORY_DEVICE, 1);
        let locator = FruLocator::logical(5, entity, id);
        let bytes = Spd::encode_ddr4(16_384, "M-16", 0xab).unwrap();
        let found = module(&locator, &bytes).unwrap();
        assert_eq!((found.context, found.instance), (Context::Memory, 1));
        assert_eq!(found.capacity, Some(Capacity::Mebibytes(16_384)));
        assert_eq!(found.asset.part_number.as_deref(), Some("M-16"));
        assert_eq!(found.asset.serial_number.as_deref(), Some("000000AB"));
        assert_eq!(module(&locator, &[0xff; 256]), None);
    }
}
