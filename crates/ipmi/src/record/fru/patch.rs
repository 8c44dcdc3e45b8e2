//! Changing one area of a stored inventory; every other byte stays where it is.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use super::{
    END_OF_LIST, Fru, FruPart, FruTooLarge, HEADER_LEN, RECORD_HEADER_LEN, UNIT, encode_area, sum,
};

/// Why one area of a stored inventory can't be changed alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpatchable {
    /// The stored inventory has no such area.
    Absent(FruPart),
    /// The area became larger than the format allows.
    TooLarge(FruTooLarge),
    /// The area became larger than its place. To make room others would have to move, and this byte, which is in none of
    /// them and isn't blank, would be lost.
    Stray {
        /// Which area.
        part: FruPart,
        /// Where the byte is.
        at: usize,
    },
}

impl fmt::Display for Unpatchable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(part) => write!(f, "the inventory does not have {part}"),
            Self::TooLarge(error) => write!(f, "{error}"),
            Self::Stray { part, at } => write!(
                f,
                "{part} has no room left, and can't be moved: the byte at {at} belongs to no area"
            ),
        }
    }
}

impl core::error::Error for Unpatchable {}

impl Fru {
    /// The inventory `stored`, of which this is what was read, with its chassis, board or product area as it is here.
    ///
    /// As long as the area fits its place, nothing but the area changes: neither what is between areas nor what is wrong
    /// with others. What an area that got shorter needs no longer is 0, and stays its. An area that outgrows its place
    /// makes all areas move together, as [`Fru::encode`] lays them out; what is left of the old ones behind the last is 0.
    ///
    /// # Errors
    /// There is no such area, it becomes too large, or bytes outside of all areas would be lost.
    pub fn patch(&self, stored: &[u8], part: FruPart) -> Result<Vec<u8>, Unpatchable> {
        let absent = Unpatchable::Absent(part);
        let place = place(stored, part).ok_or(absent)?;
        let room = place.len();
        let mut area = Vec::new();
        match part {
            FruPart::Chassis => {
                let chassis = self.chassis.as_ref().ok_or(absent)?;
                encode_area(&mut area, chassis, part, room)
            }
            FruPart::Board => {
                let board = self.board.as_ref().ok_or(absent)?;
                encode_area(&mut area, board, part, room)
            }
            FruPart::Product => {
                let product = self.product.as_ref().ok_or(absent)?;
                encode_area(&mut area, product, part, room)
            }
            _ => return Err(absent),
        }
        .map_err(Unpatchable::TooLarge)?;
        // It is as large as its place unless it needs more.
        if area.len() == room {
            let mut patched = stored.to_vec();
            patched[place].copy_from_slice(&area);
            return Ok(patched);
        }
        let mut used = Vec::new();
        used.resize(stored.len(), false);
        for range in places(stored) {
            used[range].fill(true);
        }
        let is_stray = |(byte, used): (&u8, &bool)| !used && !matches!(byte, 0 | 0xff);
        if let Some(at) = stored.iter().zip(&used).position(is_stray) {
            return Err(Unpatchable::Stray { part, at });
        }
        let mut moved = self.encode().map_err(Unpatchable::TooLarge)?;
        let end = used
            .iter()
            .rposition(|used| *used)
            .map_or(0, |last| last + 1);
        moved.resize(moved.len().max(end), 0);
        Ok(moved)
    }
}

/// Where an area with a length of its own is; `None` where it is absent or goes beyond the end.
fn place(stored: &[u8], part: FruPart) -> Option<Range<usize>> {
    let offset = match part {
        FruPart::Chassis => 2,
        FruPart::Board => 3,
        FruPart::Product => 4,
        _ => return None,
    };
    let start = usize::from(*stored.get(offset)?) * UNIT;
    let len = usize::from(*stored.get(start + 1)?) * UNIT;
    let range = start..start.checked_add(len)?;
    (start != 0 && stored.get(range.clone()).is_some()).then_some(range)
}

/// Where the parts of an inventory are, in no order.
fn places(stored: &[u8]) -> Vec<Range<usize>> {
    let parts = [FruPart::Chassis, FruPart::Board, FruPart::Product];
    let mut places: Vec<_> = parts
        .into_iter()
        .filter_map(|part| place(stored, part))
        .collect();
    let Some(header) = stored.first_chunk::<HEADER_LEN>() else {
        return places;
    };
    places.push(0..HEADER_LEN);
    let starts = [header[1], header[2], header[3], header[4], header[5]];
    let starts = starts.map(|offset| usize::from(offset) * UNIT);
    let internal = starts[0];
    if (1..stored.len()).contains(&internal) {
        let next = starts.into_iter().filter(|other| *other > internal).min();
        places.push(internal..next.unwrap_or(stored.len()).min(stored.len()));
    }
    let records = starts[4];
    if records != 0 {
        let end = records_end(stored, records);
        places.push(records.min(end)..end);
    }
    places
}

/// Where the records that begin at `at` end, as far as their headers can be trusted.
fn records_end(stored: &[u8], mut at: usize) -> usize {
    while let Some(header) = stored
        .get(at..)
        .and_then(<[u8]>::first_chunk::<RECORD_HEADER_LEN>)
        && sum(header) == 0
    {
        let end = at + RECORD_HEADER_LEN + usize::from(header[2]);
        if end > stored.len() {
            break;
        }
        at = end;
        if header[1] & END_OF_LIST != 0 {
            break;
        }
    }
    at.min(stored.len())
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;
    use crate::number::MultiRecordType;
    use crate::record::fru::{BoardArea, FruField, Language, MultiRecord, ProductArea};

    fn text(text: &str) -> FruField {
        FruField::from_text(text, Language::ENGLISH).unwrap()
    }

    fn inventory() -> Fru {
        Fru {
            board: Some(BoardArea {
                language: Language::ENGLISH,
                serial_number: text("B1"),
                behind: vec![0xde, 0, 0xad],
                ..BoardArea::default()
            }),
            product: Some(ProductArea {
                language: Language::ENGLISH,
                serial_number: text("P1"),
                ..ProductArea::default()
            }),
            multirecords: vec![MultiRecord {
                record_type: MultiRecordType(0xc0),
                version: 2,
                data: vec![1, 2, 3],
            }],
            ..Fru::default()
        }
    }

    /// The inventory with another serial number of the board.
    fn with_board_serial(serial: &str) -> Fru {
        let mut fru = inventory();
        fru.board.as_mut().unwrap().serial_number = text(serial);
        fru
    }

    #[test]
    fn what_the_maker_put_behind_the_end_of_the_fields_stays() {
        let stored = inventory().encode().unwrap();
        let behind = |bytes: &[u8]| Fru::decode(bytes).unwrap().board.unwrap().behind;
        assert_eq!(behind(&stored), [0xde, 0, 0xad]);
        for serial in ["B2", "", "a serial number that makes the area larger"] {
            let patched = with_board_serial(serial).patch(&stored, FruPart::Board);
            let patched = patched.unwrap();
            assert_eq!(behind(&patched), [0xde, 0, 0xad], "{serial}");
            assert_eq!(Fru::decode(&patched).unwrap().faults, [], "{serial}");
        }
    }

    #[test]
    fn an_area_that_fits_its_place_changes_alone() {
        let mut stored = inventory().encode().unwrap();
        // Bytes behind all areas, and a wrong checksum of another area.
        stored.extend([0, 0, 7, 7]);
        let product = place(&stored, FruPart::Product).unwrap();
        stored[product.end - 1] ^= 1;
        let patched = with_board_serial("B2").patch(&stored, FruPart::Board);
        let patched = patched.unwrap();
        let board = place(&stored, FruPart::Board).unwrap();
        assert_eq!(patched[..board.start], stored[..board.start]);
        assert_eq!(patched[board.end..], stored[board.end..]);
        assert_ne!(patched[board.clone()], stored[board]);
    }

    #[test]
    fn areas_move_only_where_nothing_gets_lost() {
        let large = with_board_serial("a serial number that makes the area larger");
        let mut stored = inventory().encode().unwrap();
        stored.resize(stored.len() + 64, 0xff);
        let moved = large.patch(&stored, FruPart::Board).unwrap();
        assert_eq!(Fru::decode(&moved), Ok(large.clone()));
        let at = stored.len() - 1;
        stored[at] = 7;
        let part = FruPart::Board;
        assert_eq!(
            large.patch(&stored, part),
            Err(Unpatchable::Stray { part, at })
        );
    }

    #[test]
    fn an_area_that_gets_shorter_keeps_its_place_and_nothing_else_changes() {
        let large = with_board_serial("a serial number that makes the area larger");
        let mut stored = large.encode().unwrap();
        // Bytes that would be lost if areas moved.
        stored.extend([7; 8]);
        let board = place(&stored, FruPart::Board).unwrap();
        let patched = inventory().patch(&stored, FruPart::Board).unwrap();
        assert_eq!(place(&patched, FruPart::Board), Some(board.clone()));
        assert_eq!(patched[..board.start], stored[..board.start]);
        assert_eq!(patched[board.end..], stored[board.end..]);
        let mut expected = inventory();
        expected.board.as_mut().unwrap().room = board.len();
        assert_eq!(Fru::decode(&patched), Ok(expected));
    }

    #[test]
    fn areas_that_move_leave_nothing_of_the_old_ones_behind() {
        const GAP: usize = 128;
        let dense = inventory().encode().unwrap();
        // The records are far behind the other areas.
        let (areas, records) = dense.split_at(usize::from(dense[5]) * UNIT);
        let mut stored = [areas, &[0xff; GAP], records].concat();
        let units = (GAP / UNIT) as u8;
        stored[5] += units;
        stored[7] = stored[7].wrapping_sub(units);
        assert_eq!(Fru::decode(&stored), Ok(inventory()));
        let large = with_board_serial("a serial number that makes the area larger");
        let patched = large.patch(&stored, FruPart::Board).unwrap();
        let needed = large.encode().unwrap();
        assert!(needed.len() < stored.len());
        assert_eq!(patched.len(), stored.len());
        assert_eq!(patched[..needed.len()], needed);
        assert!(patched[needed.len()..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn an_area_that_is_not_there_is_told() {
        let stored = inventory().encode().unwrap();
        let part = FruPart::Chassis;
        assert_eq!(
            inventory().patch(&stored, part),
            Err(Unpatchable::Absent(part))
        );
    }
}
