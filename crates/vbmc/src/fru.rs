//! Nameplates: a machine's and its parts', with serial numbers that no two parts of a site share.

use std::fmt;
use std::sync::Arc;

use hardware::{Asset, Capacity, Part};
use ipmi::number::ChassisType;
use ipmi::number::EntityId;
use ipmi::record::Spd;
use ipmi::record::fru::{
    BoardArea, ChassisArea, Fru, FruField, Language, MultiRecord, ProductArea,
};

use crate::describe;
use crate::machine::Machine;
use crate::profile::{FruSpec, MANUFACTURER, Model};

/// The first board was made at this time: 2025-06-02 06:00:00 UTC, in seconds since 1970.
const FIRST_MADE_S: u64 = 1_748_844_000;
/// One board a quarter of an hour leaves the factory.
const MADE_EVERY_S: u64 = 900;
/// FRU dates count minutes from 1996-01-01 (FRU 1.0 §11).
const FRU_EPOCH_S: u64 = 820_454_400;
/// The processors of a node.
const PROCESSOR: &str = "RDV Processor 6416 @ 2.10GHz";
/// Its memory modules.
const MODULE_PART_NUMBER: &str = "RDV-D4-16G";
/// Serial numbers of memory modules: so many a machine.
const MODULES_PER_MACHINE: u32 = 16;
/// Rack mount chassis (SMBIOS table 17).
const RACK_MOUNT: ChassisType = ChassisType(0x17);

/// All nameplates of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nameplates {
    /// The machine as sold.
    pub product: Asset,
    /// Its main board.
    pub board: Asset,
    /// Its case.
    pub chassis: Asset,
    /// Its parts, from FRU device 1 on: power supplies, processors, memory modules.
    pub parts: Vec<Part>,
}

impl Nameplates {
    /// The nameplates of a machine.
    #[must_use]
    pub fn of(machine: &Machine) -> Self {
        let specs = machine.profile().frus().skip(1);
        Self {
            product: product(machine),
            board: board(machine),
            chassis: chassis(machine),
            parts: specs.map(|fru| part(machine, &fru)).collect(),
        }
    }
}

/// What the EEPROM of a machine's FRU device holds; `None` where there is no such device.
#[must_use]
pub fn image(machine: &Machine, device_id: u8) -> Option<Vec<u8>> {
    let fru = if device_id == 0 {
        let chassis = chassis(machine);
        Fru {
            chassis: Some(ChassisArea {
                chassis_type: RACK_MOUNT,
                part_number: field(chassis.part_number.as_ref()),
                serial_number: field(chassis.serial_number.as_ref()),
                ..ChassisArea::default()
            }),
            board: Some(board_area(&board(machine))),
            product: Some(product_area(&product(machine))),
            ..Fru::default()
        }
    } else {
        let mut specs = machine.profile().frus();
        let spec = specs.find(|spec| spec.device_id == device_id)?;
        let part = part(machine, &spec);
        if let Some(Capacity::Mebibytes(size)) = part.capacity {
            return spd(size, &part.asset);
        }
        let multirecords = match part.capacity {
            Some(Capacity::Watts(watts)) => vec![MultiRecord::of_power_supply(watts)],
            _ => Vec::new(),
        };
        Fru {
            product: Some(product_area(&part.asset)),
            multirecords,
            ..Fru::default()
        }
    };
    fru.encode().ok()
}

/// The serial number of a machine's part: `part` is its letter, and which of several.
fn serial(machine: &Machine, part: fmt::Arguments<'_>) -> Option<Arc<str>> {
    let kind = match machine.profile().model {
        Model::Node => 'N',
        Model::Block => 'B',
        Model::PowerBay => 'P',
    };
    let number = u64::from(machine.identity().number) + 1;
    Some(format!("RDV{kind}{part}{number:06}").into())
}

/// The machine as sold.
pub(crate) fn product(machine: &Machine) -> Asset {
    let profile = machine.profile();
    Asset {
        manufacturer: Some(MANUFACTURER.into()),
        model: Some(profile.product.into()),
        part_number: Some(profile.part_number.into()),
        version: Some("A02".into()),
        serial_number: serial(machine, format_args!("S")),
        asset_tag: Some(machine.identity().id.as_str().into()),
        ..Asset::default()
    }
}

fn board(machine: &Machine) -> Asset {
    let profile = machine.profile();
    let number = u64::from(machine.identity().number) + 1;
    Asset {
        manufacturer: Some(MANUFACTURER.into()),
        model: Some(profile.board.into()),
        part_number: Some(format!("{}-MB", profile.part_number).into()),
        serial_number: serial(machine, format_args!("M")),
        manufactured_at_s: Some(FIRST_MADE_S + MADE_EVERY_S * number),
        ..Asset::default()
    }
}

fn chassis(machine: &Machine) -> Asset {
    Asset {
        name: RACK_MOUNT.name().map(Into::into),
        part_number: Some(format!("{}-CH", machine.profile().part_number).into()),
        serial_number: serial(machine, format_args!("C")),
        ..Asset::default()
    }
}

fn part(machine: &Machine, fru: &FruSpec) -> Part {
    let profile = machine.profile();
    let serial = |letter: char| serial(machine, format_args!("{letter}{}", fru.entity.1));
    let name = Some(fru.name.into());
    let maker = Some(MANUFACTURER.into());
    let (asset, capacity) = match fru.entity.0 {
        EntityId::POWER_SUPPLY => (
            Asset {
                name,
                manufacturer: maker,
                model: Some("RDV Power Supply".into()),
                part_number: Some("RDV-PS".into()),
                version: Some("01".into()),
                serial_number: serial('W'),
                ..Asset::default()
            },
            Some(Capacity::Watts(profile.supply_watts)),
        ),
        EntityId::MEMORY_DEVICE => {
            // The EEPROM has numbers only: 8 hexadecimal digits, as on labels.
            let number = machine.identity().number + 1;
            let serial = number * MODULES_PER_MACHINE + u32::from(fru.entity.1);
            (
                Asset {
                    name,
                    part_number: Some(MODULE_PART_NUMBER.into()),
                    serial_number: Some(format!("{serial:08X}").into()),
                    ..Asset::default()
                },
                Some(Capacity::Mebibytes(profile.module_mib)),
            )
        }
        _ => (
            Asset {
                name,
                manufacturer: maker,
                model: Some(PROCESSOR.into()),
                serial_number: serial('U'),
                ..Asset::default()
            },
            None,
        ),
    };
    Part {
        asset,
        context: describe::context(fru.entity.0),
        instance: fru.entity.1.into(),
        capacity,
    }
}

/// The EEPROM of a memory module.
fn spd(size_mib: u32, asset: &Asset) -> Option<Vec<u8>> {
    let serial = asset.serial_number.as_ref()?;
    let serial = u32::from_str_radix(serial, 16).ok()?;
    let part_number = asset.part_number.as_ref()?;
    Spd::encode_ddr4(size_mib, part_number, serial).map(Vec::from)
}

/// Nothing for a missing text; these texts are all short Latin.
fn field(text: Option<&Arc<str>>) -> FruField {
    text.and_then(|text| FruField::from_text(text, Language::ENGLISH))
        .unwrap_or_default()
}

fn board_area(asset: &Asset) -> BoardArea {
    let since_epoch_s = asset
        .manufactured_at_s
        .unwrap_or(FRU_EPOCH_S)
        .saturating_sub(FRU_EPOCH_S);
    BoardArea {
        language: Language::ENGLISH,
        manufactured_minutes: u32::try_from(since_epoch_s / 60).unwrap_or_default(),
        manufacturer: field(asset.manufacturer.as_ref()),
        product_name: field(asset.model.as_ref()),
        serial_number: field(asset.serial_number.as_ref()),
        part_number: field(asset.part_number.as_ref()),
        ..BoardArea::default()
    }
}

fn product_area(asset: &Asset) -> ProductArea {
    ProductArea {
        language: Language::ENGLISH,
        manufacturer: field(asset.manufacturer.as_ref()),
        name: field(asset.model.as_ref()),
        part_number: field(asset.part_number.as_ref()),
        version: field(asset.version.as_ref()),
        serial_number: field(asset.serial_number.as_ref()),
        asset_tag: field(asset.asset_tag.as_ref()),
        ..ProductArea::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use ipmi::time::Instant;

    use super::*;
    use crate::site::{Site, SiteOptions};

    #[test]
    fn the_inventory_says_what_the_nameplate_says_and_no_serial_number_occurs_twice() {
        let site = Site::new(SiteOptions {
            nodes: 97,
            seed: 3,
            epoch_s: 1_795_000_000,
        })
        .unwrap();
        let mut serials = HashSet::new();
        for index in 0..site.len() {
            let machine = site.machine(index, Instant::ORIGIN);
            let plates = Nameplates::of(&machine);
            let fru = Fru::decode(&image(&machine, 0).unwrap()).unwrap();
            let text = |field: &FruField| Some(field.text(Language::ENGLISH));
            let (board, product) = (fru.board.unwrap(), fru.product.unwrap());
            assert_eq!(fru.faults, []);
            assert_eq!(
                text(&board.serial_number).as_deref(),
                plates.board.serial_number.as_deref()
            );
            assert_eq!(
                text(&product.name).as_deref(),
                plates.product.model.as_deref()
            );
            let made = board.manufactured().map(|time| u64::from(time.0));
            assert_eq!(made, plates.board.manufactured_at_s);
            let all = [&plates.product, &plates.board, &plates.chassis];
            let parts = plates.parts.iter().map(|part| &part.asset);
            for asset in all.into_iter().chain(parts) {
                assert!(serials.insert(asset.serial_number.clone()), "{asset:?}");
            }
            let last = u8::try_from(plates.parts.len()).unwrap();
            assert!((0..=last).all(|device| image(&machine, device).is_some()));
            assert!(image(&machine, last + 1).is_none());
        }
    }
}
