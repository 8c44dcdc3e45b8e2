//! Session sequence numbers (§6.12.8-§6.12.13): counting our packets, and taking each of the peer's once.

/// How far ahead of the highest number a packet of an RMCP+ session may be (§6.12.13).
pub const AHEAD: u32 = 15;
/// How far behind the highest number a packet of an RMCP+ session may be.
pub const BEHIND: u32 = 16;
/// How far ahead of, and behind, the highest number a packet of an IPMI 1.5 session may be (§6.12.12).
pub const V15_WINDOW: u32 = 8;

/// Numbers outgoing packets: 1, 2, .. and past the end 1 again, since 0 means "outside a session".
#[derive(Clone, Debug, Default)]
pub struct SequenceCounter {
    last: u32,
}

impl SequenceCounter {
    /// A counter whose first number is `first`, which is not 0.
    #[must_use]
    pub const fn starting_at(first: u32) -> Self {
        Self {
            last: first.wrapping_sub(1),
        }
    }

    /// The next packet's number. A retry is a packet and takes a new one.
    pub const fn next(&mut self) -> u32 {
        self.last = match self.last.wrapping_add(1) {
            0 => 1,
            next => next,
        };
        self.last
    }
}

/// Accepts each incoming number once, from `B` below the highest seen to `A` above it; `B` is at most 31.
///
/// Ask only after the packet's integrity is verified: a forged number must not move the window.
#[derive(Clone, Debug, Default)]
pub struct SequenceWindow<const A: u32 = AHEAD, const B: u32 = BEHIND> {
    highest: u32,
    /// Bit i: `highest - i` was accepted.
    seen: u32,
}

/// Why a sequence number is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SequenceRefused {
    /// The number was accepted before: a duplicate, or a replay.
    Duplicate,
    /// The number is 0, too old, or too far ahead.
    OutOfWindow,
}

impl<const A: u32, const B: u32> SequenceWindow<A, B> {
    /// A window whose first number is `first`, or some that follow.
    #[must_use]
    pub const fn starting_at(first: u32) -> Self {
        Self {
            highest: first.wrapping_sub(1),
            seen: 0,
        }
    }

    /// Accepts `number` and remembers it, or says why not.
    ///
    /// # Errors
    /// [`SequenceRefused`]; the window is then unchanged.
    pub const fn accept(&mut self, number: u32) -> Result<(), SequenceRefused> {
        if number == 0 {
            return Err(SequenceRefused::OutOfWindow);
        }
        let ahead = distance(self.highest, number);
        if ahead == 0 {
            return Err(SequenceRefused::Duplicate);
        }
        if ahead <= A {
            self.seen = (self.seen << ahead) | 1;
            self.highest = number;
            return Ok(());
        }
        let behind = distance(number, self.highest);
        if behind > B || (self.seen == 0) {
            return Err(SequenceRefused::OutOfWindow);
        }
        let bit = 1 << behind;
        if self.seen & bit != 0 {
            return Err(SequenceRefused::Duplicate);
        }
        self.seen |= bit;
        Ok(())
    }
}

/// How far two numbers of one counter lie apart, whichever came first.
pub(crate) const fn apart(a: u32, b: u32) -> u32 {
    let (up, down) = (distance(a, b), distance(b, a));
    if up < down { up } else { down }
}

/// Steps from `from` up to `to` on the ring 1, 2, .. 2^32-1, 1 that leaves out 0 (`from` 0 is before 1).
const fn distance(from: u32, to: u32) -> u32 {
    let steps = to.wrapping_sub(from);
    if to < from {
        steps.wrapping_sub(1)
    } else {
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SequenceRefused::{Duplicate, OutOfWindow};

    #[test]
    fn the_first_number_is_1_and_the_wrap_skips_0() {
        let mut counter = SequenceCounter::default();
        assert_eq!((counter.next(), counter.next()), (1, 2));
        counter.last = u32::MAX - 1;
        assert_eq!((counter.next(), counter.next()), (u32::MAX, 1));
    }

    #[test]
    fn a_number_is_taken_once_from_16_below_to_15_above_the_highest() {
        let mut window = SequenceWindow::<AHEAD, BEHIND>::default();
        assert_eq!(window.accept(0), Err(OutOfWindow));
        assert_eq!(
            window.accept(16),
            Err(OutOfWindow),
            "15 above nothing is the most"
        );
        assert_eq!(window.accept(15), Ok(()));
        assert_eq!(window.accept(15), Err(Duplicate));
        assert_eq!(window.accept(30), Ok(()));
        assert_eq!(window.accept(46), Err(OutOfWindow));
        assert_eq!(window.accept(14), Ok(()));
        assert_eq!(window.accept(14), Err(Duplicate));
        assert_eq!(window.accept(15), Err(Duplicate));
        assert_eq!(window.accept(13), Err(OutOfWindow));
        assert_eq!(window.accept(45), Ok(()));
        assert_eq!(window.accept(30), Err(Duplicate));
        assert_eq!(window.accept(29), Ok(()));
        assert_eq!(window.accept(28), Err(OutOfWindow));
    }

    #[test]
    fn two_numbers_are_as_far_apart_as_steps_between_them_also_across_the_wrap() {
        assert_eq!((apart(7, 7), apart(7, 9), apart(9, 7)), (0, 2, 2));
        assert_eq!((apart(u32::MAX, 1), apart(2, u32::MAX)), (1, 2));
    }

    #[test]
    fn a_window_of_ipmi_1_5_starts_where_it_is_told_and_reaches_8() {
        let mut window = SequenceWindow::<V15_WINDOW, V15_WINDOW>::starting_at(1000);
        assert_eq!(window.accept(999), Err(Duplicate), "before the first");
        assert_eq!(window.accept(998), Err(OutOfWindow));
        assert_eq!(window.accept(1008), Err(OutOfWindow));
        assert_eq!(window.accept(1007), Ok(()));
        assert_eq!(window.accept(1000), Ok(()));
        assert_eq!(window.accept(999), Ok(()), "may have been overtaken");
        assert_eq!(window.accept(998), Err(OutOfWindow));
        let mut window = SequenceWindow::<V15_WINDOW, V15_WINDOW>::starting_at(1);
        assert_eq!(window.accept(1), Ok(()));
        let mut counter = SequenceCounter::starting_at(u32::MAX);
        assert_eq!((counter.next(), counter.next()), (u32::MAX, 1));
    }

    #[test]
    fn the_window_crosses_the_wrap_without_0() {
        let mut window = SequenceWindow::<AHEAD, BEHIND> {
            highest: u32::MAX - 1,
            seen: 1,
        };
        assert_eq!(window.accept(1), Ok(()));
        assert_eq!(window.accept(u32::MAX), Ok(()), "one behind 1");
        assert_eq!(window.accept(u32::MAX), Err(Duplicate));
        assert_eq!(window.accept(u32::MAX - 1), Err(Duplicate));
        assert_eq!(window.accept(0), Err(OutOfWindow));
        assert_eq!(window.accept(16), Ok(()), "15 ahead of 1");
        assert_eq!(window.accept(32), Err(OutOfWindow));
    }

    /// Against the rule written down as a set: within the window and not yet seen.
    #[test]
    fn any_order_of_numbers_is_judged_as_a_set_would() {
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        for start in [1, 1000, u32::MAX - 40] {
            let mut window = SequenceWindow::<AHEAD, BEHIND> {
                highest: start,
                seen: 1,
            };
            // Positions on the ring, counted from `start`.
            let (mut seen, mut highest) = (std::collections::BTreeSet::from([0i64]), 0i64);
            for _ in 0..2000 {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let position = highest + i64::try_from(random % 50).unwrap() - 28;
                if position + i64::from(start) < 1 {
                    continue;
                }
                let ring = i64::from(u32::MAX);
                let number = (i64::from(start) - 1 + position).rem_euclid(ring) + 1;
                let expected = if seen.contains(&position) && position >= highest - 16 {
                    Err(Duplicate)
                } else if (highest - 16..=highest + 15).contains(&position) {
                    seen.insert(position);
                    highest = highest.max(position);
                    Ok(())
                } else {
                    Err(OutOfWindow)
                };
                // What lies before the first packet was never sent; the window can't know it.
                assert_eq!(window.accept(u32::try_from(number).unwrap()), expected);
            }
        }
    }
}
