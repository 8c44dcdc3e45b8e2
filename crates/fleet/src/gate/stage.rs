//! The stages of dealing with a BMC: how many are in each, and who waits.

use std::collections::VecDeque;

use crate::figures::Places;

/// What a BMC needs a place for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Logging in.
    Connect,
    /// First contact: its records lie in memory meanwhile.
    Contact,
    /// A round over its sensors.
    Round,
}

impl Stage {
    /// Every stage.
    pub(crate) const ALL: [Self; 3] = [Self::Connect, Self::Contact, Self::Round];

    /// One bit for each stage and lane.
    pub(crate) const fn bit(self, lane: Lane) -> u8 {
        1 << (self as u8 + lane as u8 * Self::ALL.len() as u8)
    }

    /// The bits of a stage.
    pub(crate) const fn bits(self) -> u8 {
        self.bit(Lane::Quick) | self.bit(Lane::Slow)
    }
}

/// With whom a BMC waits. Those who keep their place long would fill all; so they wait by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Its last answer came soon, or none is known.
    Quick,
    /// Its last answer took far longer than those of others.
    Slow,
}

impl Lane {
    /// Every lane, in the order of their numbers, in which a free place is offered to them.
    pub(crate) const ALL: [Self; 2] = [Self::Quick, Self::Slow];
}

/// A lane may have its share of the places however many the other one has.
const SHARE: u32 = 4;

/// A number of places, and who waits for one.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) limit: u32,
    inside: [u32; Lane::ALL.len()],
    waiting: [VecDeque<u32>; Lane::ALL.len()],
}

impl Gate {
    pub(super) const fn new(limit: u32) -> Self {
        Self {
            limit,
            inside: [0; Lane::ALL.len()],
            waiting: [const { VecDeque::new() }; Lane::ALL.len()],
        }
    }

    /// How many have a place.
    pub(super) fn inside(&self) -> u32 {
        self.inside.iter().sum()
    }

    /// How many wait for one.
    pub(super) fn waiting(&self) -> u32 {
        self.waiting.iter().map(VecDeque::len).sum::<usize>() as u32
    }

    pub(super) fn places(&self) -> Places {
        Places {
            limit: self.limit,
            taken: self.inside(),
            waiting: self.waiting(),
        }
    }

    fn has_room(&self, lane: Lane) -> bool {
        let share = self.limit.div_ceil(SHARE);
        self.inside() < self.limit || self.inside[lane as usize] < share
    }

    /// Lets a slot in, or lets it wait as the last of its lane.
    pub(super) fn enter(&mut self, lane: Lane, slot: u32) -> bool {
        let waiting = &self.waiting[lane as usize];
        let enters = waiting.is_empty() && self.has_room(lane);
        match enters {
            true => self.inside[lane as usize] += 1,
            false => self.waiting[lane as usize].push_back(slot),
        }
        enters
    }

    /// Lets a slot in, or lets it wait as the first.
    pub(super) fn enter_again(&mut self, lane: Lane, slot: u32) -> bool {
        let enters = self.has_room(lane);
        match enters {
            true => self.inside[lane as usize] += 1,
            false => self.waiting[lane as usize].push_front(slot),
        }
        enters
    }

    /// One is no longer inside.
    pub(super) const fn leave(&mut self, lane: Lane) {
        let inside = &mut self.inside[lane as usize];
        *inside = inside.saturating_sub(1);
    }

    /// One that is inside is in this lane from now on, and not in the other.
    pub(super) fn refile(&mut self, lane: Lane) {
        for other in Lane::ALL {
            match other == lane {
                true => self.inside[other as usize] += 1,
                false => self.leave(other),
            }
        }
    }

    /// The next one that waited and is inside from now on.
    pub(super) fn admit(&mut self) -> Option<(Lane, u32)> {
        Lane::ALL.into_iter().find_map(|lane| {
            if !self.has_room(lane) {
                return None;
            }
            let slot = self.waiting[lane as usize].pop_front()?;
            self.inside[lane as usize] += 1;
            Some((lane, slot))
        })
    }

    /// As many quick ones are inside as this.
    #[cfg(test)]
    pub(super) const fn set_inside(&mut self, inside: u32) {
        self.inside = [inside, 0];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Lane::{Quick, Slow};

    #[test]
    fn slots_wait_in_the_order_in_which_they_came() {
        let mut gate = Gate::new(2);
        assert_eq!(
            [1, 2, 3, 4].map(|slot| gate.enter(Quick, slot)),
            [true, true, false, false]
        );
        assert_eq!(gate.admit(), None);
        gate.leave(Quick);
        assert!(!gate.enter(Quick, 5), "others came first");
        assert_eq!([gate.admit(), gate.admit()], [Some((Quick, 3)), None]);
        gate.leave(Quick);
        gate.leave(Quick);
        assert_eq!(
            [gate.admit(), gate.admit(), gate.admit()],
            [Some((Quick, 4)), Some((Quick, 5)), None]
        );
    }

    #[test]
    fn slow_ones_take_no_place_of_the_quick_ones_share_nor_these_of_theirs() {
        for (first, later) in [(Slow, Quick), (Quick, Slow)] {
            let mut gate = Gate::new(8);
            let of_many = |gate: &mut Gate, lane, slots: std::ops::Range<u32>| {
                slots.filter(|slot| gate.enter(lane, *slot)).count()
            };
            assert_eq!(of_many(&mut gate, first, 0..20), 8);
            assert_eq!(of_many(&mut gate, later, 20..40), 2);
            assert_eq!(gate.admit(), None);
            gate.leave(later);
            assert_eq!([gate.admit(), gate.admit()], [Some((later, 22)), None]);
            // There are ten for eight places: only shares are given.
            gate.leave(first);
            gate.leave(first);
            assert_eq!(gate.admit(), None);
            gate.leave(first);
            let next = if later == Quick {
                (Quick, 23)
            } else {
                (Quick, 8)
            };
            assert_eq!([gate.admit(), gate.admit()], [Some(next), None]);
        }
    }

    #[test]
    fn one_that_turns_out_slow_leaves_its_place_to_quick_ones() {
        let mut gate = Gate::new(8);
        assert!((0..8).all(|slot| gate.enter(Quick, slot)));
        assert!(!gate.enter(Quick, 8));
        (0..6).for_each(|_| gate.refile(Slow));
        assert_eq!(gate.admit(), None);
        gate.refile(Slow);
        assert_eq!([gate.admit(), gate.admit()], [Some((Quick, 8)), None]);
        assert_eq!(gate.inside(), 9);
    }

    #[test]
    fn each_stage_and_lane_has_its_own_bit() {
        let bits = Stage::ALL.into_iter().flat_map(|stage| {
            assert_eq!(stage.bits(), stage.bit(Quick) | stage.bit(Slow));
            Lane::ALL.map(|lane| stage.bit(lane))
        });
        assert_eq!(bits.fold(0, |all, bit| all + u32::from(bit)), 0b11_1111);
    }
}
