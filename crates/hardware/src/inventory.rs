//! What changes rarely: parts, names, and the description of every sensor.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{fmt, slice};

use crate::{Context, Sensor};

/// The most sensors one node may have; sources ignore (and count) what is beyond.
pub const MAX_SENSORS: usize = 4096;

/// A thing with a nameplate: chassis, board, product, power supply. Empty strings never occur.
///
/// Its texts are its own (`Asset`), or borrowed from the inventory that has them (`Asset<&str>`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Asset<T = Arc<str>> {
    /// What the source calls it ("Builtin FRU Device", "PSU1").
    pub name: Option<T>,
    /// Who made it.
    pub manufacturer: Option<T>,
    /// Product name or model.
    pub model: Option<T>,
    /// Part or model number.
    pub part_number: Option<T>,
    /// Version of the part.
    pub version: Option<T>,
    /// Serial number.
    pub serial_number: Option<T>,
    /// The owner's tag.
    pub asset_tag: Option<T>,
    /// When it was made, in seconds since the Unix epoch.
    pub manufactured_at_s: Option<u64>,
}

impl<T> Asset<T> {
    /// This nameplate with what it lacks taken from another.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            name: self.name.or(other.name),
            manufacturer: self.manufacturer.or(other.manufacturer),
            model: self.model.or(other.model),
            part_number: self.part_number.or(other.part_number),
            version: self.version.or(other.version),
            serial_number: self.serial_number.or(other.serial_number),
            asset_tag: self.asset_tag.or(other.asset_tag),
            manufactured_at_s: self.manufactured_at_s.or(other.manufactured_at_s),
        }
    }
}

impl Asset {
    /// The same with borrowed texts.
    #[must_use]
    pub fn as_deref(&self) -> Asset<&str> {
        Asset {
            name: self.name.as_deref(),
            manufacturer: self.manufacturer.as_deref(),
            model: self.model.as_deref(),
            part_number: self.part_number.as_deref(),
            version: self.version.as_deref(),
            serial_number: self.serial_number.as_deref(),
            asset_tag: self.asset_tag.as_deref(),
            manufactured_at_s: self.manufactured_at_s,
        }
    }
}

impl From<Asset<&str>> for Asset {
    fn from(asset: Asset<&str>) -> Self {
        Self {
            name: asset.name.map(Into::into),
            manufacturer: asset.manufacturer.map(Into::into),
            model: asset.model.map(Into::into),
            part_number: asset.part_number.map(Into::into),
            version: asset.version.map(Into::into),
            serial_number: asset.serial_number.map(Into::into),
            asset_tag: asset.asset_tag.map(Into::into),
            manufactured_at_s: asset.manufactured_at_s,
        }
    }
}

/// How much a part can do, where its nameplate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capacity {
    /// The most that a power supply delivers, in watts.
    Watts(u16),
    /// What a memory module holds, in MiB.
    Mebibytes(u32),
}

/// A part with a nameplate of its own: a power supply, a processor, a memory module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Part<T = Arc<str>> {
    /// Its nameplate.
    pub asset: Asset<T>,
    /// What kind of part it is.
    pub context: Context,
    /// Which of several, counted as [`Sensor::instance`]: sensors of this context and instance look at this part.
    pub instance: u16,
    /// How much it can do.
    pub capacity: Option<Capacity>,
}

impl From<Part<&str>> for Part {
    fn from(part: Part<&str>) -> Self {
        Self {
            asset: part.asset.into(),
            context: part.context,
            instance: part.instance,
            capacity: part.capacity,
        }
    }
}

/// Every nameplate of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Nameplates {
    /// The machine as sold.
    pub product: Asset,
    /// Its main board.
    pub board: Asset,
    /// Its case.
    pub chassis: Asset,
    /// Further parts with a nameplate of their own.
    pub parts: Vec<Part>,
}

impl Nameplates {
    fn assets_mut(&mut self) -> impl Iterator<Item = &mut Asset> {
        let parts = self.parts.iter_mut().map(|part| &mut part.asset);
        [&mut self.product, &mut self.board, &mut self.chassis]
            .into_iter()
            .chain(parts)
    }
}

/// What changes rarely; shared between snapshots of a node.
///
/// Ten thousand machines of one make differ in nothing but serial numbers, asset tags and dates. What they have in
/// common is kept apart ([`Self::common`]), to be [shared](Self::share) by all of them; what is a machine's own takes
/// some ten bytes a part.
#[derive(Clone, Default)]
pub struct Inventory {
    /// The nameplates without what is each machine's own.
    common: Option<Arc<Nameplates>>,
    /// The rest, one after the other: see [`Own`].
    own: Box<[u8]>,
    /// Every sensor, in the machine's own order; at most [`MAX_SENSORS`]. Equal machines share one list.
    pub sensors: Arc<[Sensor]>,
}

impl Inventory {
    /// A machine with these nameplates and sensors.
    #[must_use]
    pub fn new(mut nameplates: Nameplates, sensors: Arc<[Sensor]>) -> Self {
        let mut own = Vec::new();
        for asset in nameplates.assets_mut() {
            put_text(&mut own, asset.serial_number.take());
            put_text(&mut own, asset.asset_tag.take());
            let made = asset.manufactured_at_s.take();
            put_number(&mut own, made.map_or(0, |at_s| at_s.saturating_add(1)));
        }
        nameplates.parts.shrink_to_fit();
        Self {
            common: Some(Arc::new(nameplates)),
            own: own.into(),
            sensors,
        }
    }

    /// The machine as sold.
    #[must_use]
    pub fn product(&self) -> Asset<&str> {
        self.asset(0, |common| &common.product)
    }

    /// Its main board.
    #[must_use]
    pub fn board(&self) -> Asset<&str> {
        self.asset(1, |common| &common.board)
    }

    /// Its case.
    #[must_use]
    pub fn chassis(&self) -> Asset<&str> {
        self.asset(2, |common| &common.chassis)
    }

    /// Further parts with a nameplate of their own, in the machine's own order.
    #[must_use]
    pub fn parts(&self) -> Parts<'_> {
        let parts = self
            .common
            .as_ref()
            .map_or(&[][..], |common| common.parts.as_slice());
        Parts {
            common: parts.iter(),
            own: Own(&self.own).behind(3),
        }
    }

    /// A copy of all nameplates.
    #[must_use]
    pub fn nameplates(&self) -> Nameplates {
        Nameplates {
            product: self.product().into(),
            board: self.board().into(),
            chassis: self.chassis().into(),
            parts: self.parts().map(Into::into).collect(),
        }
    }

    /// What machines of one make have in common: the nameplates without serial numbers, asset tags and dates. `None`
    /// for a machine without nameplates.
    #[must_use]
    pub const fn common(&self) -> Option<&Arc<Nameplates>> {
        self.common.as_ref()
    }

    /// From now on has `common` in place of its own copy, if they are equal; whether they are.
    pub fn share(&mut self, common: &Arc<Nameplates>) -> bool {
        let is_equal = self.common.as_ref() == Some(common);
        if is_equal {
            self.common = Some(Arc::clone(common));
        }
        is_equal
    }

    fn asset(&self, place: usize, of: fn(&Nameplates) -> &Asset) -> Asset<&str> {
        let Some(common) = &self.common else {
            return Asset::default();
        };
        Own(&self.own).behind(place).complete(of(common))
    }
}

impl fmt::Debug for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inventory")
            .field("product", &self.product())
            .field("board", &self.board())
            .field("chassis", &self.chassis())
            .field("parts", &self.parts())
            .field("sensors", &self.sensors)
            .finish()
    }
}

/// The parts of an [`Inventory`].
#[derive(Clone)]
pub struct Parts<'a> {
    common: slice::Iter<'a, Part>,
    own: Own<'a>,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<&'a str>;

    fn next(&mut self) -> Option<Self::Item> {
        let part = self.common.next()?;
        Some(Part {
            asset: self.own.complete(&part.asset),
            context: part.context,
            instance: part.instance,
            capacity: part.capacity,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.common.size_hint()
    }
}

impl ExactSizeIterator for Parts<'_> {}

impl fmt::Debug for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// What is each machine's own, of product, board, chassis and parts in this order: serial number, asset tag, time. A
/// text is its length and its bytes, empty for none; a time is its seconds and one, 0 for none. Numbers have seven bits
/// a byte, low ones first, and a high bit where more follow.
#[derive(Clone, Copy)]
struct Own<'a>(&'a [u8]);

impl<'a> Own<'a> {
    /// Without the first few assets.
    fn behind(mut self, assets: usize) -> Self {
        for _ in 0..assets {
            let _ = (self.text(), self.text(), self.number());
        }
        self
    }

    /// The next asset, of which all machines have this in common.
    fn complete(&mut self, common: &'a Asset) -> Asset<&'a str> {
        Asset {
            serial_number: self.text(),
            asset_tag: self.text(),
            manufactured_at_s: self.number().checked_sub(1),
            ..common.as_deref()
        }
    }

    fn text(&mut self) -> Option<&'a str> {
        let len = usize::try_from(self.number()).ok()?;
        let (text, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        str::from_utf8(text).ok().filter(|text| !text.is_empty())
    }

    fn number(&mut self) -> u64 {
        let (mut number, mut shift) = (0, 0);
        while let Some((byte, rest)) = self.0.split_first() {
            self.0 = rest;
            number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }
}

fn put_text(own: &mut Vec<u8>, text: Option<Arc<str>>) {
    let text = text.as_deref().unwrap_or_default();
    put_number(own, text.len() as u64);
    own.extend_from_slice(text.as_bytes());
}

fn put_number(own: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        own.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    own.push(number.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;
    use alloc::vec;

    use super::*;

    fn nameplates(number: u64) -> Nameplates {
        let asset = |kind: &str| Asset {
            name: Some(kind.into()),
            manufacturer: Some("Maker".into()),
            serial_number: Some(format!("{kind}-{number}").into()),
            ..Asset::default()
        };
        let part = |kind: &str, instance| Part {
            asset: asset(kind),
            context: Context::Memory,
            instance,
            capacity: Some(Capacity::Mebibytes(16_384)),
        };
        Nameplates {
            product: Asset {
                asset_tag: Some("Schöner Rechner".into()),
                ..asset("product")
            },
            board: Asset {
                manufactured_at_s: Some(1_750_000_000 + number),
                ..asset("board")
            },
            chassis: Asset::default(),
            parts: vec![part("A", 1), Part::default(), part("B", 2)],
        }
    }

    #[test]
    fn an_inventory_has_the_nameplates_that_it_was_given() {
        let mut extreme = nameplates(u64::MAX - 1_750_000_000 - 1);
        extreme.product.serial_number = Some(String::from_utf8(vec![b'x'; 40_000]).unwrap().into());
        extreme.chassis.manufactured_at_s = Some(0);
        for given in [nameplates(1), extreme, Nameplates::default()] {
            let inventory = Inventory::new(given.clone(), Arc::default());
            assert_eq!(inventory.nameplates(), given);
            assert_eq!(inventory.product(), given.product.as_deref());
            assert_eq!(inventory.parts().len(), given.parts.len());
        }
        let none = Inventory::default();
        assert_eq!(none.nameplates(), Nameplates::default());
    }

    #[test]
    fn machines_of_one_make_have_all_in_common_but_what_is_their_own() {
        let one = Inventory::new(nameplates(1), Arc::default());
        let mut two = Inventory::new(nameplates(2), Arc::default());
        assert!(two.share(one.common().unwrap()));
        assert!(Arc::ptr_eq(one.common().unwrap(), two.common().unwrap()));
        assert_eq!(two.nameplates(), nameplates(2));
        let mut other = nameplates(2);
        other.parts[0].asset.model = Some("Other".into());
        let mut other = Inventory::new(other, Arc::default());
        assert!(!other.share(one.common().unwrap()));
        assert_eq!(other.parts().next().unwrap().asset.model, Some("Other"));
    }

    #[test]
    fn what_is_a_machines_own_takes_its_texts_and_three_bytes_a_nameplate() {
        let inventory = Inventory::new(nameplates(1), Arc::default());
        let texts = "product-1Schöner Rechnerboard-1A-1B-1";
        // The time takes four bytes more than none.
        assert_eq!(inventory.own.len(), texts.len() + 6 * 3 + 4);
    }
}
