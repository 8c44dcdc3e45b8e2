//! Chassis, board and product areas of a FRU inventory (FRU 1.0 §10 - §12).

use alloc::string::String;
use alloc::vec::Vec;

use super::field::END_OF_FIELDS;
use super::{FruField, Language};
use crate::number::ChassisType;
use crate::record::Timestamp;

/// Chassis area (FRU 1.0 §10). Its fields are always in English.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChassisArea {
    /// Shape, as SMBIOS numbers it.
    pub chassis_type: ChassisType,
    /// Part number.
    pub part_number: FruField,
    /// Serial number.
    pub serial_number: FruField,
    /// Fields that the maker adds.
    pub custom: Vec<FruField>,
    /// What the maker put behind the end of the fields, up to the last byte that isn't 0.
    pub behind: Vec<u8>,
    /// Room of the area in bytes, where it is larger than its fields need.
    pub room: usize,
}

/// Board area (FRU 1.0 §11).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoardArea {
    /// Language of the fields, serial number and file ID apart.
    pub language: Language,
    /// When it was made, in minutes since 1996-01-01 00:00; 24 bits, 0 for unspecified.
    pub manufactured_minutes: u32,
    /// Maker.
    pub manufacturer: FruField,
    /// Name.
    pub product_name: FruField,
    /// Serial number; always in English.
    pub serial_number: FruField,
    /// Part number.
    pub part_number: FruField,
    /// File that the inventory was written from; always in English.
    pub file_id: FruField,
    /// Fields that the maker adds.
    pub custom: Vec<FruField>,
    /// What the maker put behind the end of the fields, up to the last byte that isn't 0.
    pub behind: Vec<u8>,
    /// Room of the area in bytes, where it is larger than its fields need.
    pub room: usize,
}

/// Product area (FRU 1.0 §12).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductArea {
    /// Language of the fields, serial number apart.
    pub language: Language,
    /// Maker.
    pub manufacturer: FruField,
    /// Name.
    pub name: FruField,
    /// Part or model number.
    pub part_number: FruField,
    /// Version.
    pub version: FruField,
    /// Serial number; always in English.
    pub serial_number: FruField,
    /// Asset tag.
    pub asset_tag: FruField,
    /// File that the inventory was written from.
    pub file_id: FruField,
    /// Fields that the maker adds.
    pub custom: Vec<FruField>,
    /// What the maker put behind the end of the fields, up to the last byte that isn't 0.
    pub behind: Vec<u8>,
    /// Room of the area in bytes, where it is larger than its fields need.
    pub room: usize,
}

/// 1996-01-01 00:00:00 UTC in seconds since 1970, from which board areas count.
const BOARD_EPOCH: u32 = 820_454_400;

impl BoardArea {
    /// When it was made; `None` where it is not specified.
    #[must_use]
    pub const fn manufactured(&self) -> Option<Timestamp> {
        if self.manufactured_minutes == 0 {
            return None;
        }
        Some(Timestamp(
            BOARD_EPOCH + (self.manufactured_minutes & 0x00ff_ffff) * 60,
        ))
    }

    /// The fields that hold text, each with its name, in the order of the area; empty ones are left out.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        let english = Language::ENGLISH;
        let named = [
            ("Board Manufacturer", &self.manufacturer, self.language),
            ("Board Product Name", &self.product_name, self.language),
            ("Board Serial Number", &self.serial_number, english),
            ("Board Part Number", &self.part_number, self.language),
            ("Board FRU File ID", &self.file_id, english),
        ];
        texts(named, "Board Custom Field", &self.custom, self.language)
    }
}

impl ChassisArea {
    /// The fields that hold text, each with its name, in the order of the area; empty ones are left out.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        let english = Language::ENGLISH;
        let named = [
            ("Chassis Part Number", &self.part_number, english),
            ("Chassis Serial Number", &self.serial_number, english),
        ];
        texts(named, "Chassis Custom Field", &self.custom, english)
    }
}

impl ProductArea {
    /// The fields that hold text, each with its name, in the order of the area; empty ones are left out.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        let named = [
            ("Product Manufacturer", &self.manufacturer, self.language),
            ("Product Name", &self.name, self.language),
            ("Product Part Number", &self.part_number, self.language),
            ("Product Version", &self.version, self.language),
            (
                "Product Serial Number",
                &self.serial_number,
                Language::ENGLISH,
            ),
            ("Product Asset Tag", &self.asset_tag, self.language),
            ("Product FRU File ID", &self.file_id, self.language),
        ];
        texts(named, "Product Custom Field", &self.custom, self.language)
    }
}

fn texts<'a, const N: usize>(
    named: [(&'static str, &'a FruField, Language); N],
    custom_name: &'static str,
    custom: &'a [FruField],
    language: Language,
) -> impl Iterator<Item = (&'static str, String)> + use<'a, N> {
    let custom = custom
        .iter()
        .map(move |field| (custom_name, field, language));
    named
        .into_iter()
        .chain(custom)
        .map(|(name, field, language)| (name, field.text(language)))
        .filter(|(_, text)| !text.is_empty())
}

/// One area's bytes between its two-byte head (version, length) and its checksum.
pub(super) trait Area: Sized {
    /// Reads them; fields that are missing at the end are empty.
    fn decode(body: &[u8], room: usize) -> Self;
    /// Writes fixed bytes and fields, without the end marker.
    fn encode(&self, out: &mut Vec<u8>);
    /// What is behind the end marker.
    fn behind(&self) -> &[u8];
    /// Room of the area in bytes, where it is larger than its fields need.
    fn room(&self) -> usize;
}

/// Takes fields one after the other until the end marker or the end of the area.
struct Fields<'a> {
    rest: &'a [u8],
    /// What is behind the end marker, once it was met.
    behind: &'a [u8],
}

impl<'a> Fields<'a> {
    const fn new(rest: &'a [u8]) -> Self {
        Self { rest, behind: &[] }
    }

    /// The next field; `None` at the end. A length beyond the area ends with the area.
    fn next(&mut self) -> Option<FruField> {
        let (&type_length, rest) = self.rest.split_first()?;
        if type_length == END_OF_FIELDS {
            (self.rest, self.behind) = (&[], rest);
            return None;
        }
        let len = usize::from(type_length & 0x3f).min(rest.len());
        let (data, rest) = rest.split_at(len);
        self.rest = rest;
        FruField::new(crate::record::TextType::from_type_length(type_length), data)
    }

    fn field(&mut self) -> FruField {
        self.next().unwrap_or_default()
    }

    fn custom(&mut self) -> Vec<FruField> {
        core::iter::from_fn(|| self.next()).collect()
    }

    /// What is behind the end marker. Room that is filled with FFh, as in an erased memory, is as good as with 0.
    fn behind(&self) -> Vec<u8> {
        if self.behind.iter().all(|byte| matches!(byte, 0 | 0xff)) {
            return Vec::new();
        }
        let last = self.behind.iter().rposition(|byte| *byte != 0);
        self.behind[..last.map_or(0, |last| last + 1)].to_vec()
    }
}

/// The room to remember: none where the area is as small as its fields allow.
fn spare(room: usize, needed: usize) -> usize {
    if room > super::area_len(needed) {
        room
    } else {
        0
    }
}

/// Bytes of the fields, and of what is behind their end.
fn stored(fields: &[&FruField], custom: &[FruField], behind: &[u8]) -> usize {
    let fields = fields.iter().copied().chain(custom);
    fields.map(FruField::stored_len).sum::<usize>() + behind.len()
}

impl Area for ChassisArea {
    fn decode(body: &[u8], room: usize) -> Self {
        let (&chassis_type, rest) = body.split_first().unwrap_or((&0, &[]));
        let mut fields = Fields::new(rest);
        let mut area = Self {
            chassis_type: ChassisType(chassis_type),
            part_number: fields.field(),
            serial_number: fields.field(),
            custom: fields.custom(),
            behind: fields.behind(),
            room: 0,
        };
        let named = [&area.part_number, &area.serial_number];
        area.room = spare(room, 1 + stored(&named, &area.custom, &area.behind));
        area
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.chassis_type.0);
        encode_fields(out, &[&self.part_number, &self.serial_number], &self.custom);
    }

    fn behind(&self) -> &[u8] {
        &self.behind
    }

    fn room(&self) -> usize {
        self.room
    }
}

impl BoardArea {
    const fn named(&self) -> [&FruField; 5] {
        [
            &self.manufacturer,
            &self.product_name,
            &self.serial_number,
            &self.part_number,
            &self.file_id,
        ]
    }
}

impl Area for BoardArea {
    fn decode(body: &[u8], room: usize) -> Self {
        let ([language, a, b, c], rest) = match body.split_first_chunk::<4>() {
            Some((head, rest)) => (*head, rest),
            None => ([0; 4], &[][..]),
        };
        let mut fields = Fields::new(rest);
        let mut area = Self {
            language: Language(language),
            manufactured_minutes: u32::from_le_bytes([a, b, c, 0]),
            manufacturer: fields.field(),
            product_name: fields.field(),
            serial_number: fields.field(),
            part_number: fields.field(),
            file_id: fields.field(),
            custom: fields.custom(),
            behind: fields.behind(),
            room: 0,
        };
        area.room = spare(room, 4 + stored(&area.named(), &area.custom, &area.behind));
        area
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.language.0);
        out.extend_from_slice(&self.manufactured_minutes.to_le_bytes()[..3]);
        encode_fields(out, &self.named(), &self.custom);
    }

    fn behind(&self) -> &[u8] {
        &self.behind
    }

    fn room(&self) -> usize {
        self.room
    }
}

impl ProductArea {
    const fn named(&self) -> [&FruField; 7] {
        [
            &self.manufacturer,
            &self.name,
            &self.part_number,
            &self.version,
            &self.serial_number,
            &self.asset_tag,
            &self.file_id,
        ]
    }
}

impl Area for ProductArea {
    fn decode(body: &[u8], room: usize) -> Self {
        let (&language, rest) = body.split_first().unwrap_or((&0, &[]));
        let mut fields = Fields::new(rest);
        let mut area = Self {
            language: Language(language),
            manufacturer: fields.field(),
            name: fields.field(),
            part_number: fields.field(),
            version: fields.field(),
            serial_number: fields.field(),
            asset_tag: fields.field(),
            file_id: fields.field(),
            custom: fields.custom(),
            behind: fields.behind(),
            room: 0,
        };
        area.room = spare(room, 1 + stored(&area.named(), &area.custom, &area.behind));
        area
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.language.0);
        encode_fields(out, &self.named(), &self.custom);
    }

    fn behind(&self) -> &[u8] {
        &self.behind
    }

    fn room(&self) -> usize {
        self.room
    }
}

fn encode_fields(out: &mut Vec<u8>, named: &[&FruField], custom: &[FruField]) {
    for field in named.iter().copied().chain(custom) {
        field.encode(out);
    }
}
