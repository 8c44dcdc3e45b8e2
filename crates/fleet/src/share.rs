//! Texts that many machines have in common, each kept once.
//!
//! Fifty thousand machines have some dozen makers, models and firmware versions between them, and their logs say the same
//! things. Serial numbers, UUIDs and addresses are each machine's own and are not looked for.

use std::collections::HashSet;
use std::sync::Arc;

use hardware::{Asset, Identity, Inventory, Log};

/// The most texts that are remembered. When there are more, all are forgotten and remembering begins anew: whoever
/// has a text keeps it, and only later machines don't share it.
const TEXTS_MAX: usize = 16_384;

/// The texts that are shared.
#[derive(Debug, Default)]
pub(crate) struct Texts(HashSet<Arc<str>>);

impl Texts {
    /// Shares the texts of an inventory that was just read.
    pub(crate) fn inventory(&mut self, inventory: &mut Inventory) {
        for asset in [
            &mut inventory.product,
            &mut inventory.board,
            &mut inventory.chassis,
        ] {
            self.asset(asset);
        }
        for part in Arc::get_mut(&mut inventory.parts).unwrap_or_default() {
            self.asset(&mut part.asset);
        }
    }

    fn asset(&mut self, asset: &mut Asset) {
        for text in [
            &mut asset.name,
            &mut asset.manufacturer,
            &mut asset.model,
            &mut asset.part_number,
            &mut asset.version,
        ] {
            self.optional(text);
        }
    }

    /// Shares the texts of an identity that was just read.
    pub(crate) fn identity(&mut self, identity: &mut Identity) {
        for text in [
            &mut identity.controller_firmware,
            &mut identity.controller_model,
            &mut identity.protocol,
            &mut identity.bios_version,
        ] {
            self.optional(text);
        }
        for component in Arc::get_mut(&mut identity.firmware).unwrap_or_default() {
            self.optional(&mut component.name);
            self.optional(&mut component.version);
        }
    }

    /// Shares the texts of a log that was just read.
    pub(crate) fn log(&mut self, log: &mut Log) {
        for entry in Arc::get_mut(&mut log.entries).unwrap_or_default() {
            self.text(&mut entry.sensor_type);
            self.text(&mut entry.message);
        }
    }

    fn optional(&mut self, text: &mut Option<Arc<str>>) {
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn text(&mut self, text: &mut Arc<str>) {
        if let Some(known) = self.0.get(&**text) {
            *text = Arc::clone(known);
            return;
        }
        if self.0.len() >= TEXTS_MAX {
            self.0.clear();
        }
        self.0.insert(Arc::clone(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(serial: &str) -> Inventory {
        let asset = Asset {
            manufacturer: Some("Maker".into()),
            serial_number: Some(serial.into()),
            ..Asset::default()
        };
        Inventory {
            parts: vec![hardware::Part {
                asset: asset.clone(),
                ..hardware::Part::default()
            }]
            .into(),
            product: asset,
            ..Inventory::default()
        }
    }

    #[test]
    fn equal_machines_have_one_copy_of_what_they_have_in_common() {
        let mut texts = Texts::default();
        let (mut one, mut two) = (inventory("1"), inventory("2"));
        texts.inventory(&mut one);
        texts.inventory(&mut two);
        let maker = |asset: &Asset| asset.manufacturer.clone().unwrap();
        assert!(Arc::ptr_eq(&maker(&one.product), &maker(&two.product)));
        assert!(Arc::ptr_eq(
            &maker(&one.product),
            &maker(&two.parts[0].asset)
        ));
        assert_eq!(two.product.serial_number.as_deref(), Some("2"));
    }

    #[test]
    fn the_memory_of_texts_is_bounded_and_loses_nothing() {
        let mut texts = Texts::default();
        for number in 0..3 * TEXTS_MAX {
            let mut text: Arc<str> = number.to_string().into();
            texts.text(&mut text);
            assert_eq!(*text, *number.to_string());
            assert!(texts.0.len() <= TEXTS_MAX);
        }
    }
}
