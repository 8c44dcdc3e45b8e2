//! Which record numbers a walk has come by.

use alloc::vec::Vec;

use crate::record::RecordId;

/// A set of record numbers. Most BMCs number their records one after the other: it holds runs of neighbours, in order, so
/// that a list of thousands takes a few bytes.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The first and the last number of each run.
    runs: Vec<(u16, u16)>,
    len: usize,
}

impl Seen {
    /// None.
    pub(super) const fn new() -> Self {
        Self {
            runs: Vec::new(),
            len: 0,
        }
    }

    /// How many.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn clear(&mut self) {
        self.runs.clear();
        self.len = 0;
    }

    /// The place of the first run behind a number, and the run before that.
    fn place(&self, id: u16) -> (usize, Option<(u16, u16)>) {
        let at = self.runs.partition_point(|(first, _)| *first <= id);
        let before = at.checked_sub(1).and_then(|before| self.runs.get(before));
        (at, before.copied())
    }

    pub(super) fn contains(&self, id: RecordId) -> bool {
        let (_, before) = self.place(id.0);
        before.is_some_and(|(_, last)| last >= id.0)
    }

    /// Adds a number; whether it is new.
    pub(super) fn insert(&mut self, id: RecordId) -> bool {
        let id = id.0;
        let (at, before) = self.place(id);
        if before.is_some_and(|(_, last)| last >= id) {
            return false;
        }
        let follows = before.is_some_and(|(_, last)| last == id - 1);
        let leads = self
            .runs
            .get(at)
            .is_some_and(|(first, _)| id.checked_add(1) == Some(*first));
        match (follows, leads) {
            (true, true) => {
                let (_, last) = self.runs.remove(at);
                self.runs[at - 1].1 = last;
            }
            (true, false) => self.runs[at - 1].1 = id,
            (false, true) => self.runs[at].0 = id,
            (false, false) => self.runs.insert(at, (id, id)),
        }
        self.len += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn it_is_a_set_whatever_the_order_and_neighbours_take_no_room() {
        let mut state = 7_u32;
        for bits in [4, 8, 16] {
            let (mut seen, mut model) = (Seen::new(), HashSet::new());
            for _ in 0..3_000 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let id = (state >> 16) as u16 >> (16 - bits);
                assert_eq!(seen.contains(RecordId(id)), model.contains(&id));
                assert_eq!(seen.insert(RecordId(id)), model.insert(id));
                assert_eq!(seen.len(), model.len());
            }
            assert!(seen.runs.windows(2).all(|w| w[0].1 + 1 < w[1].0));
        }
        let mut seen = Seen::new();
        assert!((0..=u16::MAX).all(|id| seen.insert(RecordId(id))));
        assert_eq!(seen.runs, [(0, u16::MAX)]);
        seen.clear();
        assert!(seen.insert(RecordId(5)) && seen.len() == 1);
    }
}
