//! BMCs come to an engine, and go from one to another: to the one with a socket for their address, or to the one that goes on where this
//! one has failed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hardware::NodeId;
use ipmi::time::Instant;

use super::{Berth, Coming, Engine, NOWHERE};
use crate::failure::LEFT_ALONE;
use crate::publish::Spot;
use crate::schedule;
use crate::slot::{Carried, Setup, Slot, Trace};

/// How long a BMC that was removed and added again is left alone in between.
const LEAVE: Duration = Duration::from_secs(1);

/// Why the BMC is down that was dealt with when an engine failed.
const LEFT_ALONE_REASON: &str = "the service failed while it dealt with this BMC, and leaves it alone for an hour; the log has the cause";

/// A BMC of an engine that has failed.
#[derive(Debug)]
pub(crate) struct Salvaged {
    place: u32,
    carried: Carried,
    /// It was dealt with when that happened.
    is_culprit: bool,
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
                let index = self.seat(connect_at, spot, address, coming);
                self.by_address.insert(address, index);
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
        let Some(Berth::Taken(slot)) = self.slots.get_mut(index as usize) else {
            return None;
        };
        let before = slot.address();
        if self.by_address.get(before) == Some(index) {
            self.by_address.remove(before);
        }
        slot.leave_for(&mut self.cx, now, address);
        let carried = slot.carried(&self.cx);
        let berth = &mut self.slots[index as usize];
        *berth = Berth::Vacant(berth.trace());
        self.slot_of[place as usize] = NOWHERE;
        self.vacant.push(index);
        self.timers.set(index, None);
        // It may have held up others.
        self.admit(now);
        Some(Coming {
            place,
            target: carried.target,
            remembered: carried.remembered,
        })
    }

    /// The node whose BMC was dealt with last.
    pub(crate) fn culprit(&self) -> Option<NodeId> {
        match self.slots.get(self.dealt_with as usize) {
            Some(Berth::Taken(slot)) => Some(slot.node().clone()),
            _ => None,
        }
    }

    /// All BMCs of this engine, which has failed. Only what no step leaves half done is looked at.
    pub(crate) fn salvage(&self) -> Vec<Salvaged> {
        let salvaged = self.taken().map(|(place, index, slot)| Salvaged {
            place,
            carried: slot.carried(&self.cx),
            is_culprit: index == self.dealt_with,
        });
        salvaged.collect()
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
    pub(crate) fn resume(&mut self, now: Instant, salvaged: Vec<Salvaged>) {
        self.reserve(salvaged.len());
        self.connect_from = schedule::first_connect(now, salvaged.len() as u32);
        for (turn, salvaged) in (0..).zip(salvaged) {
            let Salvaged {
                place,
                carried,
                is_culprit,
            } = salvaged;
            let soon = schedule::first_connect(now, turn);
            let connect_at = match is_culprit {
                true => now + LEFT_ALONE,
                false => carried.not_before.map_or(soon, |at| at.max(soon)),
            };
            let silenced = carried.silenced;
            let coming = Coming {
                place,
                target: carried.target,
                remembered: carried.remembered,
            };
            match (&silenced, coming.target.address, self.cx.board.spot(place)) {
                // What its address is now is another one's.
                (Some(_), Some(address), Some(spot)) => {
                    self.seat(connect_at, spot, address, coming);
                }
                _ => self.take_up(now, connect_at, coming),
            }
            let Some(index) = self.slot_at(place) else {
                continue;
            };
            if let Some((slot, cx)) = self.slot_mut(index) {
                match (silenced, is_culprit) {
                    (Some(reason), _) => slot.park(cx, now, &reason),
                    (None, true) => slot.down(cx, now, LEFT_ALONE_REASON),
                    (None, false) => slot.go_stale(cx),
                }
                self.touched(index);
            }
        }
        self.cx.slots = self.slots.len() as u32;
        self.cx.gates.set_slots(self.cx.slots);
    }

    /// Shows all nodes as down for this reason: nobody asks them any more.
    pub(crate) fn give_up(&self, unix_ms: u64, reason: &str) {
        let places = (0..).zip(&self.slot_of);
        for (place, _) in places.filter(|(_, index)| **index != NOWHERE) {
            if let Some(spot) = self.cx.board.spot(place) {
                self.cx.board.tell_unreachable(unix_ms, &spot, reason);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Engine {
        /// Fails as a defect of this program would while the BMC of a place is dealt with.
        pub(crate) fn fail(&mut self, place: u32) {
            if let Some(index) = self.slot_at(place) {
                self.slot_mut(index);
            }
            panic!("it failed on purpose");
        }
    }
}
