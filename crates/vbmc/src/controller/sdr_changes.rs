//! A sensor data repository that a console has changed: a copy of its own.

use std::collections::BTreeMap;

use ipmi::record::RecordId;

/// Records that it keeps, at most.
pub const SDR_RECORDS_MAX: usize = 512;

/// The records after the first change.
#[derive(Clone, Debug)]
pub struct SdrChanges {
    records: BTreeMap<u16, Box<[u8]>>,
    /// When a record was last added, in seconds since 1970.
    pub added_s: u32,
    /// When one was last erased.
    pub erased_s: u32,
    /// A record that comes in parts: its number and what is there so far.
    pub partial: Option<(u16, Vec<u8>)>,
    /// Only changes are taken.
    pub updating: bool,
}

impl SdrChanges {
    /// A copy of `records`, numbered from 1, made at `made_s`.
    #[must_use]
    pub fn of(records: &[Box<[u8]>], made_s: u32) -> Self {
        Self {
            records: (1..).zip(records.iter().cloned()).collect(),
            added_s: made_s,
            erased_s: made_s,
            partial: None,
            updating: false,
        }
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The record with this number (0 = first, FFFFh = last) and the number of the one after it (FFFFh = none).
    #[must_use]
    pub fn record(&self, id: RecordId) -> Option<(&[u8], RecordId)> {
        let (found, record) = match id {
            RecordId::FIRST => self.records.first_key_value()?,
            RecordId::LAST => self.records.last_key_value()?,
            RecordId(number) => self.records.get_key_value(&number)?,
        };
        let next = self.records.range(found + 1..).next();
        Some((record, next.map_or(RecordId::LAST, |(id, _)| RecordId(*id))))
    }

    /// The number that the next record gets; `None` where there is no room.
    #[must_use]
    pub fn next_id(&self) -> Option<u16> {
        if self.records.len() >= SDR_RECORDS_MAX {
            return None;
        }
        let last = self.records.last_key_value().map_or(0, |(id, _)| *id);
        last.checked_add(1).filter(|id| *id < 0xffff)
    }

    /// Adds a record under a number, which replaces the number in its header; false where its length byte is wrong.
    pub fn add(&mut self, id: u16, mut record: Vec<u8>, now_s: u32) -> bool {
        let fits = matches!(record.as_slice(), [_, _, _, _, len, rest @ ..] if rest.len() == usize::from(*len));
        if fits {
            record[..2].copy_from_slice(&id.to_le_bytes());
            self.records.insert(id, record.into());
            self.added_s = now_s;
        }
        fits
    }

    /// Erases a record; false where there is none.
    pub fn delete(&mut self, id: u16, now_s: u32) -> bool {
        let had = self.records.remove(&id).is_some();
        if had {
            self.erased_s = now_s;
        }
        had
    }

    /// Erases all.
    pub fn clear(&mut self, now_s: u32) {
        self.records.clear();
        self.erased_s = now_s;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_keep_their_order_and_numbers_across_changes() {
        let factory: Vec<Box<[u8]>> =
            vec![[1, 0, 0x51, 0xc0, 0].into(), [2, 0, 0x51, 0xc0, 0].into()];
        let mut sdr = SdrChanges::of(&factory, 5);
        assert!(!sdr.add(3, vec![0, 0, 0x51, 0xc0, 2, 9], 6), "too short");
        assert!(sdr.add(3, vec![0, 0, 0x51, 0xc0, 1, 9], 6));
        assert_eq!(sdr.record(RecordId(3)).unwrap().0[..2], [3, 0]);
        assert!(sdr.delete(2, 7) && !sdr.delete(2, 8));
        assert_eq!(sdr.record(RecordId::FIRST).unwrap().1, RecordId(3));
        assert_eq!(sdr.record(RecordId::LAST).unwrap().1, RecordId::LAST);
        assert_eq!((sdr.added_s, sdr.erased_s, sdr.len()), (6, 7, 2));
        sdr.clear(9);
        assert!(sdr.is_empty() && sdr.record(RecordId::FIRST).is_none());
        assert_eq!(sdr.next_id(), Some(1));
    }
}
