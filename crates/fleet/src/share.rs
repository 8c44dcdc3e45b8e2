//! What many machines have in common, each kept once.
//!
//! Fifty thousand machines have some dozen makes, models and firmware versions between them, and their logs say the same
//! things. Serial numbers, UUIDs and addresses are each machine's own and are not looked for.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use hardware::{Asset, FirmwareComponent, Identity, Inventory, Log, LogText, Nameplates};

/// The most texts that are remembered.
const TEXTS_MAX: usize = 16_384;

/// The most that entries of logs say, each once, that is remembered.
const LOG_TEXTS_MAX: usize = 16_384;

/// The most makes of machines that are remembered: each is the nameplates of all parts, some kilobytes.
const MAKES_MAX: usize = 2_048;

/// The most lists of firmware or of deviations that are remembered.
const LISTS_MAX: usize = 2_048;

/// What is shared.
#[derive(Debug)]
pub(crate) struct Texts {
    texts: Pool<str>,
    makes: Pool<Nameplates>,
    firmware: Pool<[FirmwareComponent]>,
    lists: Pool<[Arc<str>]>,
    log_texts: Pool<LogText>,
    empty_log: Arc<Log>,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            texts: Pool::new(TEXTS_MAX),
            makes: Pool::new(MAKES_MAX),
            firmware: Pool::new(LISTS_MAX),
            lists: Pool::new(LISTS_MAX),
            log_texts: Pool::new(LOG_TEXTS_MAX),
            empty_log: Arc::default(),
        }
    }
}

/// Values that may come again. When there are too many, those that nobody has any more are forgotten, and half of the others
/// where that makes no room for a quarter: looking through all is not done for each new one. Whoever has a value keeps it, and
/// only later machines don't share it.
#[derive(Debug)]
struct Pool<T: ?Sized + Eq + Hash> {
    values: HashSet<Arc<T>>,
    max: usize,
}

impl<T: ?Sized + Eq + Hash> Pool<T> {
    fn new(max: usize) -> Self {
        Self {
            values: HashSet::new(),
            max,
        }
    }

    fn get(&self, value: &T) -> Option<&Arc<T>> {
        self.values.get(value)
    }

    /// Adds a value that is not there.
    fn add(&mut self, value: &Arc<T>) {
        if self.values.len() < self.max {
            self.values.insert(Arc::clone(value));
            return;
        }
        self.values.retain(|value| Arc::strong_count(value) > 1);
        if self.values.len() > self.max - self.max / 4 {
            let mut keeps = false;
            self.values.retain(|_| {
                keeps = !keeps;
                keeps
            });
        }
        self.values.insert(Arc::clone(value));
    }

    /// Takes the known one in place of an equal value.
    fn share(&mut self, value: &mut Arc<T>) {
        match self.get(value) {
            Some(known) => value.clone_from(known),
            None => self.add(value),
        }
    }
}

impl Texts {
    /// Shares what an inventory that was just read has in common with others.
    pub(crate) fn inventory(&mut self, inventory: &mut Inventory) {
        let Some(common) = inventory.common() else {
            return;
        };
        if let Some(known) = self.makes.get(common) {
            inventory.share(&Arc::clone(known));
            return;
        }
        let mut plates = Nameplates::clone(common);
        for asset in [&mut plates.product, &mut plates.board, &mut plates.chassis] {
            self.asset(asset);
        }
        for part in &mut plates.parts {
            self.asset(&mut part.asset);
        }
        let plates = Arc::new(plates);
        inventory.share(&plates);
        self.makes.add(&plates);
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

    /// Shares what an identity that was just read has in common with others.
    pub(crate) fn identity(&mut self, identity: &mut Identity) {
        for text in [
            &mut identity.controller_firmware,
            &mut identity.controller_model,
            &mut identity.protocol,
            &mut identity.bios_version,
        ] {
            self.optional(text);
        }
        self.firmware.share(&mut identity.firmware);
        self.lists.share(&mut identity.deviations);
    }

    /// Shares what the entries of a log say that was just read; all of it where it is as empty as the last empty one.
    pub(crate) fn log(&mut self, mut log: Log) -> Arc<Log> {
        if log.entries.is_empty() {
            if log != *self.empty_log {
                self.empty_log = Arc::new(log);
            }
            return Arc::clone(&self.empty_log);
        }
        for entry in &mut log.entries {
            if let Some(text) = Arc::get_mut(&mut entry.text) {
                self.texts.share(&mut text.sensor_type);
                self.texts.share(&mut text.message);
            }
            self.log_texts.share(&mut entry.text);
        }
        Arc::new(log)
    }

    fn optional(&mut self, text: &mut Option<Arc<str>>) {
        if let Some(text) = text {
            self.texts.share(text);
        }
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
        let plates = Nameplates {
            parts: vec![hardware::Part {
                asset: asset.clone(),
                ..hardware::Part::default()
            }],
            product: asset,
            ..Nameplates::default()
        };
        Inventory::new(plates, Arc::default())
    }

    #[test]
    fn equal_machines_have_one_copy_of_what_they_have_in_common() {
        let mut texts = Texts::default();
        let (mut one, mut two) = (inventory("1"), inventory("2"));
        texts.inventory(&mut one);
        texts.inventory(&mut two);
        let (one, common) = (one.common().unwrap(), two.common().unwrap());
        assert!(Arc::ptr_eq(one, common));
        let maker = |asset: &Asset| asset.manufacturer.clone().unwrap();
        let part = &common.parts[0].asset;
        assert!(Arc::ptr_eq(&maker(&common.product), &maker(part)));
        assert_eq!(two.product().serial_number, Some("2"));
    }

    #[test]
    fn equal_controllers_have_one_list_of_firmware() {
        let identity = || Identity {
            firmware: [FirmwareComponent {
                name: Some("BOOT".into()),
                ..FirmwareComponent::default()
            }]
            .into(),
            ..Identity::default()
        };
        let mut texts = Texts::default();
        let (mut one, mut two) = (identity(), identity());
        texts.identity(&mut one);
        texts.identity(&mut two);
        assert!(Arc::ptr_eq(&one.firmware, &two.firmware));
    }

    #[test]
    fn the_memory_of_texts_is_bounded_and_loses_nothing() {
        let mut texts = Pool::new(TEXTS_MAX);
        let mut kept = Vec::new();
        for number in 0..3 * TEXTS_MAX {
            let mut text: Arc<str> = number.to_string().into();
            texts.share(&mut text);
            assert_eq!(*text, *number.to_string());
            assert!(texts.values.len() <= TEXTS_MAX);
            kept.push(text);
        }
    }

    #[test]
    fn a_full_pool_that_is_looked_through_has_room_after_that() {
        const MAX: usize = 64;
        for unused in 0..=MAX {
            let mut texts = Pool::new(MAX);
            let mut kept: Vec<Arc<str>> = (0..MAX).map(|n| n.to_string().into()).collect();
            kept.iter_mut().for_each(|text| texts.share(text));
            kept.truncate(MAX - unused);
            texts.share(&mut "new".into());
            let left = texts.values.len() - 1;
            assert!(left <= MAX - MAX / 4, "{unused} unused: {left} left");
            assert!(left >= (MAX - unused) / 2, "{unused} unused: {left} left");
        }
    }

    #[test]
    fn what_nobody_has_any_more_is_forgotten_first() {
        let mut texts = Pool::new(8);
        let mut kept: Arc<str> = "kept".into();
        texts.share(&mut kept);
        for number in 0..100 {
            texts.share(&mut number.to_string().into());
        }
        let mut again: Arc<str> = "kept".into();
        texts.share(&mut again);
        assert!(Arc::ptr_eq(&kept, &again));
    }
}
