//! BMCs come to an engine, and go from one to another: to the one with a socket for their address, or to the one that goes on where this
//! one has failed.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hardware::NodeId;
use ipmi::time::Instant;

use super::{Berth, Coming, Engine, NOWHERE};
use crate::failure::LEFT_ALONE;
use crate::memory::Remembered;
use crate::publish::Spot;
use crate::schedule;
use crate::slot::{Carried, Setup, Slot, Trace};
use crate::target::Target;

/// How long a BMC that was removed and added again is left alone in between.
const LEAVE: Duration = Duration::from_secs(1);

/// Why the BMC is down that was dealt with when an engine failed.
const LEFT_ALONE_REASON: &str = "the service failed while it dealt with this BMC, and leaves it alone for an hour; the log has the cause";

/// Why a BMC is down that could not be taken up.
const LEFT_OUT_REASON: &str = "the service failed again and again when it took this BMC up, and leaves it out until it is started anew; the log has the cause";

/// A BMC of an engine that has failed.
#[derive(Debug)]
pub(crate) struct Salvaged {
    place: u32,
    carried: Carried,
    fate: Fate,
}

/// What becomes of a BMC when an engine has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It goes on where it was.
    GoesOn,
    /// It was dealt with when that happened: it is left alone for a while and begins afresh then.
    LeftAlone,
    /// It could not be taken up, and when it was to be left alone not either.
    LeftOut,
}

impl Salvaged {
    /// The place of its node.
    pub(crate) const fn place(&self) -> u32 {
        self.place
    }

    /// What takes it up elsewhere, at this address.
    pub(crate) fn moved(self, address: SocketAddr) -> Coming {
        let Carried {
            mut target,
            remembered,
            ..
        } = self.carried;
        target.address = Some(address);
        Coming {
            place: self.place,
            target,
            remembered,
            is_culprit: self.fate != Fate::GoesOn,
        }
    }
}

/// A BMC that is being taken up: enough to go on without it, or with it afresh.
#[derive(Debug)]
pub(super) struct Unfinished {
    place: u32,
    target: Target,
    is_culprit: bool,
    /// As [`Carried::silenced`].
    silenced: Option<String>,
}

impl Unfinished {
    pub(super) fn of(coming: &Coming) -> Self {
        Self {
            place: coming.place,
            target: coming.target.clone(),
            is_culprit: coming.is_culprit,
            silenced: None,
        }
    }
}

/// Takes one after the other out of a queue: where what is done with one fails, the others are still there.
pub(crate) struct OneByOne<'a, T>(pub(crate) &'a mut VecDeque<T>);

impl<T> Iterator for OneByOne<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.pop_front()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl Engine {
    /// Takes a BMC up where its address is nobody else's; else its node is shown as down.
    pub(super) fn take_up(&mut self, now: Instant, connect_at: Instant, coming: Coming) {
        let spot = self.cx.board.spot(coming.place);
        let Some(spot) = spot.filter(|_| !self.closing) else {
            return;
        };
        let refused = match coming.target.address {
            None => Err("it has no address".to_owned()),
            Some(address) if self.by_address.contains(address) => {
                // Their answers could not be told apart.
                Err(format!("another node has the same address {address}"))
            }
            Some(address) => Ok(address),
        };
        match refused {
            Ok(address) => {
                // A BMC with room for one session only has none until the one before is closed.
                let connect_at = match self.leaving.contains(address) {
                    true => connect_at + LEAVE,
                    false => connect_at,
                };
                let is_culprit = coming.is_culprit;
                let connect_at = match is_culprit {
                    true => now + LEFT_ALONE,
                    false => connect_at,
                };
                let index = self.seat(connect_at, spot, address, coming);
                self.by_address.insert(address, index);
                if is_culprit {
                    self.step(index, |slot, cx| slot.down(cx, now, LEFT_ALONE_REASON));
                }
            }
            Err(reason) => {
                let unix_ms = self.cx.unix_ms(now);
                self.cx.board.tell_unreachable(unix_ms, &spot, &reason);
            }
        }
    }

    /// Gives a BMC a slot.
    fn seat(
        &mut self,
        connect_at: Instant,
        spot: Arc<Spot>,
        address: SocketAddr,
        coming: Coming,
    ) -> u32 {
        let Coming {
            place,
            target,
            remembered,
            is_culprit: _,
        } = coming;
        let index = self.vacant.pop().unwrap_or_else(|| {
            self.slots.push(Berth::Vacant(Trace::default()));
            self.timers.grow();
            self.is_ready.push(false);
            self.slots.len() as u32 - 1
        });
        let pacing = self.cx.pacing(&target.treatment);
        let slot = Slot::new(Setup {
            index,
            trace: self.slots[index as usize].trace(),
            address,
            login: &target.login,
            policy: &self.cx.policy,
            quirks: target.treatment.quirks,
            gap_ms: target.treatment.gap_ms,
            pacing,
            spot,
            remembered,
            connect_at,
        });
        self.timers.set(index, slot.deadline(&self.cx));
        self.slots[index as usize] = Berth::Taken(slot);
        if self.slot_of.len() <= place as usize {
            self.slot_of.resize(place as usize + 1, NOWHERE);
        }
        self.slot_of[place as usize] = index;
        index
    }

    /// Lets go of the BMC of a place, which is at this address now: another engine has the socket for that. Its session is given up
    /// without a word; what is known of it goes along. `None` where it isn't here.
    pub(crate) fn hand_over(
        &mut self,
        now: Instant,
        place: u32,
        address: SocketAddr,
    ) -> Option<Coming> {
        let index = self.slot_at(place).filter(|_| !self.closing)?;
        let (before, carried) = self.step(index, |slot, cx| {
            let before = slot.address();
            slot.leave_for(cx, now, address);
            (before, slot.carried(cx))
        })?;
        if self.by_address.get(before) == Some(index) {
            self.by_address.remove(before);
        }
        let berth = &mut self.slots[index as usize];
        *berth = Berth::Vacant(berth.trace());
        self.slot_of[place as usize] = NOWHERE;
        self.vacant.push(index);
        self.timers.set(index, None);
        // Whom it held up goes on when it has left: see `handle_timeouts`.
        Some(Coming {
            place,
            target: carried.target,
            remembered: carried.remembered,
            is_culprit: false,
        })
    }

    /// The node with whose BMC a step was begun and not finished; `None` where what failed was nobody's.
    pub(crate) fn culprit(&self) -> Option<NodeId> {
        match self.slots.get(self.dealt_with as usize) {
            Some(Berth::Taken(slot)) => Some(slot.node().clone()),
            _ => self.coming.as_ref().map(|coming| coming.target.id.clone()),
        }
    }

    /// All BMCs of this engine, which has failed. Only what no step leaves half done is looked at: of the one that was dealt with, no
    /// more than what it was told to do with it.
    pub(crate) fn salvage(&self) -> Vec<Salvaged> {
        let coming = self.coming.as_ref();
        let is_coming = |place: u32| coming.is_some_and(|coming| coming.place == place);
        let others = self.taken().filter(|(place, ..)| !is_coming(*place));
        let salvaged = others.map(|(place, index, slot)| match index == self.dealt_with {
            true => Salvaged {
                place,
                carried: Carried {
                    silenced: self.silenced(index, slot),
                    ..Carried::afresh(slot.target())
                },
                fate: Fate::LeftAlone,
            },
            false => Salvaged {
                place,
                carried: slot.carried(&self.cx),
                fate: Fate::GoesOn,
            },
        });
        let coming = coming.map(|coming| Salvaged {
            place: coming.place,
            carried: Carried {
                silenced: coming.silenced.clone(),
                ..Carried::afresh(coming.target.clone())
            },
            fate: match coming.is_culprit {
                true => Fate::LeftOut,
                false => Fate::LeftAlone,
            },
        });
        salvaged.chain(coming).collect()
    }

    /// Why nothing is sent to the BMC of a slot that a step may have left half done: where another one has its address.
    fn silenced(&self, index: u32, slot: &Slot) -> Option<String> {
        let is_parked = self.by_address.get(slot.address()) != Some(index);
        is_parked.then(|| slot.why_down().unwrap_or(LEFT_ALONE_REASON).to_owned())
    }

    fn taken(&self) -> impl Iterator<Item = (u32, u32, &Slot)> {
        let places = (0..).zip(&self.slot_of);
        places.filter_map(|(place, index)| match self.slots.get(*index as usize) {
            Some(Berth::Taken(slot)) => Some((place, *index, slot)),
            _ => None,
        })
    }

    /// Takes up the BMCs of an engine that has failed: their readings are stale until they are read again. One that was tried again
    /// later is tried then, and the one that was dealt with not for [`LEFT_ALONE`].
    pub(crate) fn resume(&mut self, now: Instant, salvaged: impl Iterator<Item = Salvaged>) {
        let count = salvaged.size_hint().0;
        self.reserve(count);
        self.connect_from = schedule::first_connect(now, count as u32);
        for (turn, salvaged) in (0..).zip(salvaged) {
            let soon = schedule::first_connect(now, turn);
            self.resume_one(now, soon, salvaged);
        }
        self.cx.slots = self.slots.len() as u32;
        self.cx.gates.set_slots(self.cx.slots);
    }

    fn resume_one(&mut self, now: Instant, soon: Instant, salvaged: Salvaged) {
        let Salvaged {
            place,
            carried,
            fate,
        } = salvaged;
        let spot = self.cx.board.spot(place);
        if fate == Fate::LeftOut {
            if let Some(spot) = spot {
                let unix_ms = self.cx.unix_ms(now);
                self.cx
                    .board
                    .tell_unreachable(unix_ms, &spot, LEFT_OUT_REASON);
            }
            return;
        }
        let mut coming = Coming {
            place,
            target: carried.target,
            remembered: carried.remembered,
            is_culprit: fate == Fate::LeftAlone,
        };
        self.coming = Some(Unfinished {
            silenced: carried.silenced.clone(),
            ..Unfinished::of(&coming)
        });
        if coming.is_culprit {
            coming.remembered = self.recall(&coming.target);
        }
        let connect_at = carried.not_before.map_or(soon, |at| at.max(soon));
        match (carried.silenced, coming.target.address, spot) {
            // What its address is now is another one's.
            (Some(reason), Some(address), Some(spot)) => {
                let index = self.seat(connect_at, spot, address, coming);
                self.step(index, |slot, cx| slot.park(cx, now, &reason));
                self.touched(index);
            }
            _ => {
                let goes_on = !coming.is_culprit;
                self.take_up(now, connect_at, coming);
                if goes_on {
                    self.step_at(place, Slot::go_stale);
                }
            }
        }
        self.coming = None;
    }

    /// What is remembered of a BMC elsewhere than in an engine. A file is read.
    fn recall(&self, target: &Target) -> Option<Box<Remembered>> {
        let memory = self.cx.memory.as_ref()?;
        let mut known = memory.recall(std::slice::from_ref(target), &self.cx.plans);
        known.pop().flatten().map(Box::new)
    }

    /// Tells everybody who waits for a command that nobody goes on with it: this engine has failed.
    pub(crate) fn break_off(&mut self, reason: &str) {
        for berth in &mut self.slots {
            if let Berth::Taken(slot) = berth {
                self.cx.counters.jobs_failed += slot.break_off(reason);
            }
        }
    }

    /// Shows all nodes as down for this reason, and those at these places too: nobody asks them any more.
    pub(crate) fn give_up(&self, unix_ms: u64, reason: &str, others: impl Iterator<Item = u32>) {
        let places = (0..).zip(&self.slot_of);
        let places = places.filter(|(_, index)| **index != NOWHERE);
        for place in places.map(|(place, _)| place).chain(others) {
            if let Some(spot) = self.cx.board.spot(place) {
                self.cx.board.tell_unreachable(unix_ms, &spot, reason);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicU32, Ordering};

    use hardware::{ApplyError, Change, Link, Observer, Update};
    use ipmi::command::app::Guid;
    use ipmi::console::Login;

    use super::*;
    use crate::engine::EngineConfig;
    use crate::memory::Memory;
    use crate::outcome::outcome;
    use crate::shared::Shared;
    use crate::target::Config;
    use crate::work::Job;

    impl Engine {
        /// Fails as a defect of this program would while the BMC of a place is dealt with.
        pub(crate) fn fail(&mut self, place: u32) {
            if let Some(index) = self.slot_at(place) {
                self.step(index, |_, _| panic!("it failed on purpose"));
            }
        }
    }

    /// Fails when it hears of this node, so often.
    struct Fails(&'static str, AtomicU32);

    fn fails(node: &'static str, times: u32) -> Arc<dyn Observer> {
        Arc::new(Fails(node, AtomicU32::new(times)))
    }

    impl Observer for Fails {
        fn updated(&self, update: &Update) {
            let (Update::Changed { after, .. } | Update::Removed(after)) = update else {
                return;
            };
            if after.id.as_str() == self.0 {
                let less = |left: u32| left.checked_sub(1);
                let left = self
                    .1
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
                assert!(left.is_err(), "on purpose");
            }
        }
    }

    fn address(n: u32) -> SocketAddr {
        ([127, 20, 0, n as u8], 623).into()
    }

    fn target(n: u32, at: u32) -> Target {
        let login = Arc::new(Login::new("admin", b"secret").unwrap());
        let id = NodeId::new(&format!("n{n}")).unwrap();
        Target::new(id, Some(address(at)), &login)
    }

    fn new_engine(shared: &Shared) -> Engine {
        let settings = EngineConfig::of(&Config::new(Vec::new()), 1);
        Engine::new(Instant::ORIGIN, 0, &settings, shared)
    }

    /// An engine with BMCs n0, n1 and so on, each of which was dealt with.
    fn engine(count: u32) -> (Engine, Shared) {
        let targets: Vec<_> = (0..count).map(|n| target(n, n)).collect();
        let memory = Arc::new(Memory::volatile());
        for target in &targets {
            memory.remember_any(&target.id, target.address.unwrap());
        }
        let shared = Shared::with_memory(Some(memory));
        let mut moves = shared.change(&[], &targets);
        let coming: Vec<_> = (0..)
            .zip(targets)
            .map(|(place, target)| Coming::of(&mut moves, place, target))
            .collect();
        let mut engine = new_engine(&shared);
        engine.add(Instant::ORIGIN, coming);
        for place in 0..count {
            engine.set_labels(place, None, Arc::default());
        }
        (engine, shared)
    }

    fn caught(fails: impl FnOnce()) {
        catch_unwind(AssertUnwindSafe(fails)).unwrap_err();
    }

    /// The node that is blamed where this fails.
    fn blamed(engine: &mut Engine, fails: impl FnOnce(&mut Engine)) -> Option<String> {
        caught(|| fails(engine));
        let salvaged = engine.salvage();
        let culprits = salvaged.iter().filter(|one| one.fate != Fate::GoesOn);
        let culprit = engine.culprit().map(|id| id.to_string());
        assert_eq!(culprits.count(), usize::from(culprit.is_some()));
        culprit
    }

    #[test]
    fn who_is_blamed_is_the_bmc_of_the_step_that_failed_and_nobody_between_steps() {
        type Step = fn(&mut Engine, Instant);
        let now = Instant::ORIGIN;
        let steps: [Step; 5] = [
            |engine, now| engine.set_address(now, 1, Ok(address(9))),
            |engine, now| engine.set_address(now, 1, Err("it has none".to_owned())),
            |engine, now| drop(engine.hand_over(now, 1, address(9))),
            |engine, _| engine.set_labels(1, None, Arc::default()),
            |engine, _| engine.fail(1),
        ];
        for (number, step) in steps.into_iter().enumerate() {
            let (mut engine, shared) = engine(3);
            shared.observe(fails("n1", 9));
            let blamed = blamed(&mut engine, |engine| step(engine, now));
            assert_eq!(blamed.as_deref(), Some("n1"), "step {number}");
        }
        // One that is gone was not dealt with any more, nor was another.
        let (mut engine, shared) = engine(3);
        shared.observe(fails("n1", 9));
        let last = shared.node("n1").unwrap();
        let blamed = blamed(&mut engine, |engine| engine.remove(now, 1, Some(last)));
        assert_eq!(blamed, None);
    }

    #[test]
    fn of_the_bmc_that_was_dealt_with_only_what_memory_holds_goes_along() {
        let now = Instant::ORIGIN;
        let (mut engine, shared) = engine(3);
        // Half done: memory has heard nothing of this.
        let half_done = Guid([0x77; 16]);
        for place in 0..3 {
            engine.step_at(place, |slot, _| slot.half_done(half_done));
        }
        blamed(&mut engine, |engine| engine.fail(1));
        let mut salvaged: VecDeque<_> = engine.salvage().into();
        let mut engine = new_engine(&shared);
        engine.resume(now, OneByOne(&mut salvaged));
        let after = engine.salvage();
        assert_eq!(after.len(), 3);
        for one in after {
            let is_culprit = one.place == 1;
            let known = one.carried.remembered.unwrap().known;
            assert_eq!(known.guid == Some(half_done), !is_culprit);
            let not_before = one.carried.not_before.unwrap();
            assert_eq!(not_before >= now + LEFT_ALONE, is_culprit);
        }
    }

    #[test]
    fn one_whose_address_another_bmc_has_keeps_silent_also_where_an_engine_fails_on_it() {
        let now = Instant::ORIGIN;
        let (mut engine, shared) = engine(2);
        let reason = "another node has the same address";
        engine.set_address(now, 1, Err(reason.to_owned()));
        blamed(&mut engine, |engine| engine.fail(1));
        let mut salvaged: VecDeque<_> = engine.salvage().into();
        let mut engine = new_engine(&shared);
        engine.resume(now, OneByOne(&mut salvaged));
        assert!(!engine.by_address.contains(address(1)), "it is another's");
        engine.set_address(now, 1, Ok(address(9)));
        assert!(engine.by_address.contains(address(9)));
    }

    #[test]
    fn an_engine_that_fails_while_it_takes_bmcs_up_leaves_the_others_to_the_next_one() {
        let now = Instant::ORIGIN;
        // Of BMCs that come, n3 has the address of another one, which is told.
        let (mut engine, shared) = engine(2);
        let targets = [target(2, 2), target(3, 0), target(4, 4), target(5, 5)];
        shared.change(&[], &targets);
        let mut coming: VecDeque<_> = (2..).zip(targets).map(Coming::from).collect();
        shared.observe(fails("n3", 1));
        caught(|| engine.add(now, OneByOne(&mut coming)));
        assert_eq!(engine.culprit().unwrap().as_str(), "n3");
        let mut salvaged: VecDeque<_> = engine.salvage().into();
        // The next one fails twice over while it takes up those of the one before.
        shared.observe(fails("n1", 2));
        let mut engine = new_engine(&shared);
        for fails in 0..2 {
            caught(|| engine.resume(now, OneByOne(&mut salvaged)));
            assert_eq!(engine.culprit().unwrap().as_str(), "n1", "{fails}");
            let mut before: VecDeque<_> = engine.salvage().into();
            before.append(&mut salvaged);
            salvaged = before;
            engine = new_engine(&shared);
        }
        engine.resume(now, OneByOne(&mut salvaged));
        engine.add(now, OneByOne(&mut coming));
        let taken: Vec<u32> = engine.taken().map(|(place, ..)| place).collect();
        assert_eq!(taken, [0, 2, 4, 5]);
        let reason = |node: &str| match &shared.node(node).unwrap().link {
            Link::Down { reason, .. } => reason.to_string(),
            link => panic!("{node}: {link:?}"),
        };
        assert_eq!(reason("n1"), LEFT_OUT_REASON);
        assert!(reason("n3").contains("same address"));
        // Who wishes something of one that is left out is told why that can't be.
        let (sender, outcome) = outcome();
        let job = Job {
            node: NodeId::new("n1").unwrap(),
            change: Change::Indicator(true),
            outcome: sender,
        };
        engine.submit(now, 1, job);
        let reason = LEFT_OUT_REASON.to_owned();
        let told = Some(Err(ApplyError::Unreachable { reason }));
        assert_eq!(outcome.try_take(), told);
    }
}
