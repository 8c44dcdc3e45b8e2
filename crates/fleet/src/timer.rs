//! A hierarchical timer wheel with one timer a slot.
//!
//! Setting a timer costs a few stores; a timer that is put off again and again (a session's retry timer is, by each
//! answer) is not moved at all: it stays where it was placed, and when that place comes up it is placed anew. So the
//! common case, an answer in time, costs one store.

use std::time::Duration;

use ipmi::time::Instant;

/// One tick in nanoseconds, as a power of two: about one millisecond.
const TICK_SHIFT: u32 = 20;

/// Each level has 64 buckets, so that one word says which are occupied.
const BUCKET_BITS: u32 = 6;
const BUCKETS: usize = 1 << BUCKET_BITS;

/// Six levels span 2³⁶ ticks: more than two years. What lies beyond is placed at the horizon and put off there.
const LEVELS: usize = 6;
const HORIZON_MASK: u64 = (1 << (BUCKET_BITS as usize * LEVELS)) - 1;

/// "No timer" in the links, "not due" and "not placed" in the ticks.
const NONE: u32 = u32::MAX;
const NEVER: u64 = u64::MAX;

#[derive(Clone, Debug)]
struct Timer {
    /// The tick at which it is really due.
    due: u64,
    /// The tick of the bucket it lies in: at or before `due`; `NEVER` = in no bucket.
    placed: u64,
    next: u32,
    previous: u32,
    level: u8,
    bucket: u8,
}

/// A timer that is not set.
const UNSET: Timer = Timer {
    due: NEVER,
    placed: NEVER,
    next: NONE,
    previous: NONE,
    level: 0,
    bucket: 0,
};

#[derive(Clone, Debug)]
struct Level {
    heads: [u32; BUCKETS],
    occupied: u64,
}

/// The timers of all slots.
#[derive(Clone, Debug)]
pub(crate) struct Wheel {
    levels: [Level; LEVELS],
    timers: Vec<Timer>,
    /// Every timer placed at or before this tick has been handled.
    elapsed: u64,
}

/// The first tick that is not before `at`: a timer never fires early.
const fn due_tick(at: Instant) -> u64 {
    at.as_nanos().saturating_add((1 << TICK_SHIFT) - 1) >> TICK_SHIFT
}

impl Wheel {
    /// `timers` timers, none of them set; time starts at `now`.
    pub(crate) fn new(now: Instant, timers: usize) -> Self {
        let level = Level {
            heads: [NONE; BUCKETS],
            occupied: 0,
        };
        Self {
            levels: std::array::from_fn(|_| level.clone()),
            timers: vec![UNSET; timers],
            elapsed: now.as_nanos() >> TICK_SHIFT,
        }
    }

    /// Makes room for so many timers more.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.timers.reserve_exact(more);
    }

    /// One timer more, not set; its number is the next one.
    pub(crate) fn grow(&mut self) {
        self.timers.push(UNSET);
    }

    /// Sets the timer of `slot` to fire at or shortly after `at`, in place of what it was set to; `None` = not at all.
    pub(crate) fn set(&mut self, slot: u32, at: Option<Instant>) {
        let due = at.map_or(NEVER, due_tick);
        let timer = &mut self.timers[slot as usize];
        timer.due = due;
        if due < timer.placed {
            if timer.placed != NEVER {
                self.unlink(slot);
            }
            self.place(slot);
        }
    }

    /// Appends to `fired` every slot whose timer is due by `now`; those timers are no longer set.
    pub(crate) fn expire(&mut self, now: Instant, fired: &mut Vec<u32>) {
        let now = now.as_nanos() >> TICK_SHIFT;
        while let Some((tick, level, bucket)) = self.first_bucket() {
            if tick > now {
                break;
            }
            self.elapsed = self.elapsed.max(tick);
            self.drain(level, bucket, now, fired);
        }
        self.elapsed = self.elapsed.max(now);
    }

    /// A moment at or before which nothing is due; the next call of [`Self::expire`] is worth while from then on.
    /// `None` = no timer is set.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.first_bucket()
            .map(|(tick, ..)| Instant::ORIGIN + Duration::from_nanos(tick << TICK_SHIFT))
    }

    fn drain(&mut self, level: usize, bucket: usize, now: u64, fired: &mut Vec<u32>) {
        self.levels[level].occupied &= !(1 << bucket);
        let mut slot = std::mem::replace(&mut self.levels[level].heads[bucket], NONE);
        while slot != NONE {
            let timer = &mut self.timers[slot as usize];
            let next = timer.next;
            timer.placed = NEVER;
            if timer.due <= now {
                timer.due = NEVER;
                fired.push(slot);
            } else if timer.due != NEVER {
                self.place(slot);
            }
            slot = next;
        }
    }

    /// The occupied bucket that comes up first, and when. On one level the buckets come up in order, and whatever
    /// lies on a lower level comes up before anything on a higher one.
    fn first_bucket(&self) -> Option<(u64, usize, usize)> {
        let level = self.levels.iter().position(|level| level.occupied != 0)?;
        let bucket = self.levels[level].occupied.trailing_zeros();
        let shift = BUCKET_BITS * level as u32;
        let block = self.elapsed >> (shift + BUCKET_BITS) << (shift + BUCKET_BITS);
        Some((block | u64::from(bucket) << shift, level, bucket as usize))
    }

    /// Puts a timer into the bucket of its due tick: the level is that of the highest digit (to base 64) in which that
    /// tick differs from the present one.
    fn place(&mut self, slot: u32) {
        let timer = &mut self.timers[slot as usize];
        // What is overdue goes to the present tick's bucket, what lies too far ahead to the last one there is.
        let tick = timer.due.clamp(self.elapsed, self.elapsed | HORIZON_MASK);
        let differing = (tick ^ self.elapsed) | (BUCKETS as u64 - 1);
        let level = ((63 - differing.leading_zeros()) / BUCKET_BITS) as usize;
        let bucket = (tick >> (BUCKET_BITS as usize * level)) as usize % BUCKETS;
        let head = std::mem::replace(&mut self.levels[level].heads[bucket], slot);
        timer.placed = tick;
        timer.next = head;
        timer.previous = NONE;
        (timer.level, timer.bucket) = (level as u8, bucket as u8);
        if head != NONE {
            self.timers[head as usize].previous = slot;
        }
        self.levels[level].occupied |= 1 << bucket;
    }

    fn unlink(&mut self, slot: u32) {
        let Timer {
            next,
            previous,
            level,
            bucket,
            ..
        } = self.timers[slot as usize];
        let (level, bucket) = (usize::from(level), usize::from(bucket));
        if next != NONE {
            self.timers[next as usize].previous = previous;
        }
        if previous != NONE {
            self.timers[previous as usize].next = next;
        } else {
            self.levels[level].heads[bucket] = next;
            if next == NONE {
                self.levels[level].occupied &= !(1 << bucket);
            }
        }
        self.timers[slot as usize].placed = NEVER;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::schedule::Jitter;

    fn at_ms(ms: u64) -> Instant {
        Instant::ORIGIN + Duration::from_millis(ms)
    }

    fn expired(wheel: &mut Wheel, now: Instant) -> Vec<u32> {
        let mut fired = Vec::new();
        wheel.expire(now, &mut fired);
        fired.sort_unstable();
        fired
    }

    #[test]
    fn a_timer_fires_once_never_early_and_within_two_ticks() {
        for due_ms in [
            0,
            1,
            63,
            64,
            65,
            4_095,
            4_096,
            300_000,
            20_000_000,
            3_000_000_000,
        ] {
            let mut wheel = Wheel::new(at_ms(5), 1);
            wheel.set(0, Some(at_ms(due_ms)));
            if due_ms > 5 {
                let before = Instant::from_nanos(at_ms(due_ms).as_nanos() - 1);
                assert_eq!(expired(&mut wheel, before), [], "{due_ms}");
            }
            assert_eq!(
                expired(&mut wheel, at_ms(due_ms.max(5) + 2)),
                [0],
                "{due_ms}"
            );
            assert_eq!(
                expired(&mut wheel, at_ms(due_ms + 1_000_000)),
                [],
                "{due_ms}"
            );
            assert_eq!(wheel.next(), None);
        }
    }

    #[test]
    fn a_timer_that_is_put_off_or_taken_back_does_not_fire_at_its_old_time() {
        let mut wheel = Wheel::new(at_ms(0), 2);
        wheel.set(0, Some(at_ms(100)));
        wheel.set(1, Some(at_ms(100)));
        wheel.set(0, Some(at_ms(500)));
        wheel.set(1, None);
        assert_eq!(expired(&mut wheel, at_ms(400)), []);
        assert_eq!(expired(&mut wheel, at_ms(502)), [0]);
        assert_eq!(wheel.next(), None);
    }

    #[test]
    fn the_wheel_agrees_with_a_sorted_map_under_random_use() {
        const TIMERS: u32 = 50;
        let mut random = Jitter::new(7);
        let mut wheel = Wheel::new(at_ms(0), TIMERS as usize);
        let mut model = BTreeMap::new();
        let mut now = 0;
        for _ in 0..20_000 {
            let slot = random.below(u64::from(TIMERS)) as u32;
            match random.below(10) {
                0 => {
                    wheel.set(slot, None);
                    model.remove(&slot);
                }
                1..=6 => {
                    let span = 1 << random.below(30);
                    let due = Instant::from_nanos(now + (random.below(span) << TICK_SHIFT));
                    wheel.set(slot, Some(due));
                    model.insert(slot, due);
                }
                _ => {
                    let span = 1 << random.below(24);
                    now += random.below(span) << TICK_SHIFT;
                    let now = Instant::from_nanos(now);
                    if let (Some(next), Some(first)) = (wheel.next(), model.values().min()) {
                        assert!(next <= *first, "the next moment is never after a due timer");
                    }
                    let due: Vec<_> = model
                        .iter()
                        .filter(|(_, due)| **due <= now)
                        .map(|(slot, _)| *slot)
                        .collect();
                    assert_eq!(expired(&mut wheel, now), due);
                    model.retain(|_, due| *due > now);
                }
            }
        }
    }
}
