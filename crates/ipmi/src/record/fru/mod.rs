//! FRU inventories: *Platform Management FRU Information Storage Definition* 1.0, revision 1.3 ("FRU 1.0").

mod area;
mod field;
mod multi;
mod patch;
#[cfg(test)]
mod tests;

pub use area::{BoardArea, ChassisArea, ProductArea};
pub use field::{FIELD_MAX, FruField};
pub use multi::{
    Compatibility, Content, DcLoad, DcOutput, MULTIRECORD_MAX, ManagementAccess, MultiRecord,
    OemRecord, PicmgBody, PicmgRecord, PowerSupply,
};

pub use crate::number::Language;
pub use patch::Unpatchable;

use alloc::vec::Vec;
use core::fmt;

use area::Area;
use field::END_OF_FIELDS;

use crate::number::MultiRecordType;
use crate::wire::{WireError, WireFault};

/// Length of the common header (FRU 1.0 §8).
const HEADER_LEN: usize = 8;

/// The format version of everything but multirecords (FRU 1.0 §8 - §12).
const VERSION: u8 = 1;

/// Length of the header of a multirecord (FRU 1.0 §16.1).
const RECORD_HEADER_LEN: usize = 5;

/// Bit 7 of the second byte of a multirecord: no record follows.
const END_OF_LIST: u8 = 0x80;

/// Offsets and area lengths count in units of so many bytes.
const UNIT: usize = 8;

/// The inventory of one field-replaceable unit.
///
/// `decode(encode(fru)) == fru`. `encode(decode(bytes)) == bytes` where the areas stand in the order of the fields
/// below without gaps, unused room is zero, and nothing is wrong with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fru {
    /// Internal use area with its version byte, as it is stored: a multiple of 8 bytes.
    pub internal: Option<Vec<u8>>,
    /// Chassis area.
    pub chassis: Option<ChassisArea>,
    /// Board area.
    pub board: Option<BoardArea>,
    /// Product area.
    pub product: Option<ProductArea>,
    /// Multirecord area.
    pub multirecords: Vec<MultiRecord>,
    /// What was wrong with the bytes; the areas are as good as they could be read. Empty where we make one.
    pub faults: Vec<FruFault>,
}

/// A part of an inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FruPart {
    /// Common header.
    Header,
    /// Internal use area.
    Internal,
    /// Chassis area.
    Chassis,
    /// Board area.
    Board,
    /// Product area.
    Product,
    /// A record of the multirecord area, counted from 0.
    MultiRecord(usize),
}

/// Something wrong with an inventory that did not keep it from being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FruFault {
    /// The checksum of the part does not match. Known from several makers whose data is right all the same.
    Checksum(FruPart),
    /// The part starts or ends behind the last byte of the inventory, or has length 0.
    Truncated(FruPart),
    /// The part has another format version than 1; it is not read.
    Version(FruPart),
}

impl fmt::Display for FruFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (part, what) = match self {
            Self::Checksum(part) => (part, "has a wrong checksum"),
            Self::Truncated(part) => (part, "goes beyond the end of the inventory"),
            Self::Version(part) => (part, "has an unknown format version"),
        };
        write!(f, "{part} {what}")
    }
}

impl fmt::Display for FruPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "the common header",
            Self::Internal => "the internal use area",
            Self::Chassis => "the chassis area",
            Self::Board => "the board area",
            Self::Product => "the product area",
            Self::MultiRecord(index) => return write!(f, "multirecord {index}"),
        })
    }
}

/// An inventory that its format cannot hold: the part that is too large or starts too far behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FruTooLarge(pub FruPart);

impl fmt::Display for FruTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} does not fit: an area has at most 2040 bytes and starts before byte 2048",
            self.0
        )
    }
}

impl core::error::Error for FruTooLarge {}

/// The sum of all bytes, which is 0 where a checksum among them is right.
fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// Length of an area in bytes: head, `needed` bytes beside the end marker, that and a checksum, rounded up to the unit.
const fn area_len(needed: usize) -> usize {
    (2 + needed + 2).next_multiple_of(UNIT)
}

impl Fru {
    /// Reads an inventory.
    ///
    /// Wrong checksums and areas that go too far are told in [`Fru::faults`], not as an error.
    ///
    /// # Errors
    /// There is no common header of a known version: an erased or foreign EEPROM.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let error = |at, fault| WireError {
            field: "FRU common header",
            at,
            fault,
        };
        let (header, _) = bytes
            .split_first_chunk::<HEADER_LEN>()
            .ok_or_else(|| error(bytes.len(), WireFault::Truncated))?;
        if header[0] & 0x0f != VERSION {
            return Err(error(0, WireFault::Invalid));
        }
        let mut fru = Self::default();
        if sum(header) != 0 {
            fru.faults.push(FruFault::Checksum(FruPart::Header));
        }
        let offsets = [header[1], header[2], header[3], header[4], header[5]];
        let [internal, chassis, board, product, records] = offsets.map(|o| usize::from(o) * UNIT);
        fru.internal = fru.internal_area(bytes, internal, &offsets);
        fru.chassis = fru.area(bytes, chassis, FruPart::Chassis);
        fru.board = fru.area(bytes, board, FruPart::Board);
        fru.product = fru.area(bytes, product, FruPart::Product);
        if records != 0 {
            fru.records(bytes, records);
        }
        Ok(fru)
    }

    /// The internal use area has no length of its own: it ends where the next area starts.
    fn internal_area(&mut self, bytes: &[u8], start: usize, offsets: &[u8; 5]) -> Option<Vec<u8>> {
        if start == 0 {
            return None;
        }
        let others = offsets.iter().map(|offset| usize::from(*offset) * UNIT);
        let end = others
            .filter(|other| *other > start)
            .min()
            .unwrap_or(bytes.len());
        let area = bytes
            .get(start..end.min(bytes.len()))
            .filter(|area| !area.is_empty());
        if area.is_none() {
            self.faults.push(FruFault::Truncated(FruPart::Internal));
        }
        area.map(<[u8]>::to_vec)
    }

    fn area<A: Area>(&mut self, bytes: &[u8], start: usize, part: FruPart) -> Option<A> {
        if start == 0 {
            return None;
        }
        let Some(&[version, units]) = bytes.get(start..).and_then(<[u8]>::first_chunk) else {
            self.faults.push(FruFault::Truncated(part));
            return None;
        };
        if version & 0x0f != VERSION {
            self.faults.push(FruFault::Version(part));
            return None;
        }
        let len = usize::from(units) * UNIT;
        let area = &bytes[start..(start + len).min(bytes.len())];
        if area.len() < len || len == 0 {
            self.faults.push(FruFault::Truncated(part));
        } else if sum(area) != 0 {
            self.faults.push(FruFault::Checksum(part));
        }
        // A truncated area has no checksum: all that is there are fields.
        let end = if area.len() < len {
            area.len()
        } else {
            area.len().saturating_sub(1)
        };
        Some(A::decode(area.get(2..end).unwrap_or(&[]), len))
    }

    fn records(&mut self, bytes: &[u8], start: usize) {
        let mut rest = bytes.get(start..).unwrap_or(&[]);
        for index in 0.. {
            let part = FruPart::MultiRecord(index);
            let Some((header, data)) = rest.split_first_chunk::<RECORD_HEADER_LEN>() else {
                self.faults.push(FruFault::Truncated(part));
                return;
            };
            let [record_type, version, length, checksum, _] = *header;
            if sum(header) != 0 {
                // Its length cannot be trusted, so nothing behind it can be found.
                self.faults.push(FruFault::Checksum(part));
                return;
            }
            let Some((data, behind)) = data.split_at_checked(length.into()) else {
                self.faults.push(FruFault::Truncated(part));
                return;
            };
            if sum(data).wrapping_add(checksum) != 0 {
                self.faults.push(FruFault::Checksum(part));
            }
            let data = data.to_vec();
            let end = version & END_OF_LIST != 0;
            let version = version & !END_OF_LIST;
            self.multirecords.push(MultiRecord {
                record_type: MultiRecordType(record_type),
                version,
                data,
            });
            if end {
                return;
            }
            rest = behind;
        }
    }

    /// Writes the inventory: header, then the areas in the order of the fields, each on a multiple of 8 bytes.
    ///
    /// # Errors
    /// An area is longer than 2040 bytes, starts behind byte 2040, or a multirecord has more than 255 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, FruTooLarge> {
        let mut out = Vec::from([VERSION, 0, 0, 0, 0, 0, 0, 0]);
        if let Some(internal) = &self.internal {
            out[1] = offset(&out, FruPart::Internal)?;
            out.extend_from_slice(internal);
            out.resize(out.len().next_multiple_of(UNIT), 0);
        }
        if let Some(chassis) = &self.chassis {
            out[2] = offset(&out, FruPart::Chassis)?;
            encode_area(&mut out, chassis, FruPart::Chassis, 0)?;
        }
        if let Some(board) = &self.board {
            out[3] = offset(&out, FruPart::Board)?;
            encode_area(&mut out, board, FruPart::Board, 0)?;
        }
        if let Some(product) = &self.product {
            out[4] = offset(&out, FruPart::Product)?;
            encode_area(&mut out, product, FruPart::Product, 0)?;
        }
        if !self.multirecords.is_empty() {
            out[5] = offset(&out, FruPart::MultiRecord(0))?;
            self.encode_records(&mut out)?;
        }
        out[7] = sum(&out[..7]).wrapping_neg();
        Ok(out)
    }

    fn encode_records(&self, out: &mut Vec<u8>) -> Result<(), FruTooLarge> {
        let last = self.multirecords.len() - 1;
        for (index, record) in self.multirecords.iter().enumerate() {
            let length = u8::try_from(record.data.len())
                .map_err(|_| FruTooLarge(FruPart::MultiRecord(index)))?;
            let end = if index == last { END_OF_LIST } else { 0 };
            let checksum = sum(&record.data).wrapping_neg();
            let version = record.version & !END_OF_LIST | end;
            let mut header = [record.record_type.0, version, length, checksum, 0];
            header[4] = sum(&header).wrapping_neg();
            out.extend_from_slice(&header);
            out.extend_from_slice(&record.data);
        }
        Ok(())
    }
}

/// The offset of what is appended next, in units.
fn offset(out: &[u8], part: FruPart) -> Result<u8, FruTooLarge> {
    u8::try_from(out.len() / UNIT).map_err(|_| FruTooLarge(part))
}

/// Appends an area of `room` bytes at least, a multiple of 8.
fn encode_area(
    out: &mut Vec<u8>,
    area: &impl Area,
    part: FruPart,
    room: usize,
) -> Result<(), FruTooLarge> {
    let start = out.len();
    out.extend_from_slice(&[VERSION, 0]);
    area.encode(out);
    out.push(END_OF_FIELDS);
    out.extend_from_slice(area.behind());
    let needed = out.len() - start - 3;
    let own = area.room().next_multiple_of(UNIT);
    let len = area_len(needed).max(own).max(room);
    out.resize(start + len - 1, 0);
    out[start + 1] = u8::try_from(len / UNIT).map_err(|_| FruTooLarge(part))?;
    out.push(sum(&out[start..]).wrapping_neg());
    Ok(())
}
