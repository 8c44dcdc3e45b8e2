//! The session table: slots and their life.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::ops::Range;
use core::time::Duration;

use super::config::Config;
use super::repeat::Executed;
use crate::crypto::{Algorithms, Code, Exchange, SessionChannel, V15Key};
use crate::entropy::Entropy;
use crate::memory::memory_of;
use crate::number::PrivilegeLevel;
use crate::sol::SolLine;
use crate::time::Instant;
use crate::wire::rakp::{OpenSessionRequest, UserName};

/// Where a console sends from.
pub type Peer = SocketAddr;

/// A session in set-up is safe from eviction for this long, in milliseconds, unless its peer has too many of them.
pub const SETUP_GRACE_MS: u32 = 1_000;

/// A peer may have a part of the table in set-up, this one of so many, and at least two; where room is needed, what
/// is more gives way first.
pub const SETUP_SHARE: usize = 4;

/// One entry of the session table.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) bmc_session_id: u32,
    pub(super) console_session_id: u32,
    pub(super) peer: Peer,
    /// Tag of the Open Session Request.
    pub(super) tag: u8,
    /// Small number for Get Session Info and Close Session, from 1.
    pub(super) handle: u8,
    /// When set-up began.
    pub(super) opened: Instant,
    /// When the last valid packet of the active session came.
    pub(super) touched: Instant,
    pub(super) stage: Stage,
}

/// How far a session is.
#[derive(Debug)]
pub(super) enum Stage {
    /// Open Session was answered.
    Opened(Opened),
    /// RAKP Message 2 was sent.
    Challenged(Box<Challenged>),
    /// Get Session Challenge was answered (IPMI 1.5).
    ChallengedV15(Box<ChallengedV15>),
    /// RAKP Message 4 was sent.
    Active(Box<Active>),
}

/// What Open Session agreed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened {
    pub(super) algorithms: Algorithms,
    pub(super) privilege: PrivilegeLevel,
}

/// A console that named a user and is to prove itself.
#[derive(Debug)]
pub(super) struct Challenged {
    pub(super) opened: Opened,
    pub(super) exchange: Exchange,
    pub(super) user_id: u8,
    pub(super) limit: PrivilegeLevel,
}

/// A console of IPMI 1.5 that named a user and is to prove itself.
#[derive(Debug)]
pub(super) struct ChallengedV15 {
    pub(super) key: V15Key,
    pub(super) challenge: [u8; 16],
    /// 0 for nobody.
    pub(super) user_id: u8,
    pub(super) user_name: UserName,
}

/// A console that proved itself; only a matching RAKP Message 3 makes one, or the answer to a challenge (IPMI 1.5).
#[derive(Debug)]
pub(super) struct Active {
    pub(super) channel: SessionChannel,
    pub(super) user_id: u8,
    pub(super) user_name: UserName,
    /// The level that the session works at.
    pub(super) privilege: PrivilegeLevel,
    /// The highest level that it may ask for.
    pub(super) limit: PrivilegeLevel,
    /// The last message of set-up, until the session's first packet shows that it arrived.
    pub(super) confirmation: Option<Box<Confirmation>>,
    pub(super) executed: Executed,
    /// Serial over LAN, while this session has it.
    pub(super) sol: Option<Box<SolLine>>,
}

impl Active {
    /// From now on it may ask for no level above this one, and works at none.
    pub(super) fn lower(&mut self, limit: PrivilegeLevel) {
        self.limit = self.limit.min(limit);
        self.privilege = self.privilege.min(limit);
    }
}

/// The last message of set-up, and what it answered.
#[derive(Debug)]
pub(super) enum Confirmation {
    /// RAKP Message 4.
    Rakp4 {
        tag: u8,
        rakp3_code: Code,
        rakp4_code: Code,
    },
    /// The answer to Activate Session, as a datagram, and the message that asked.
    Activation { request: Vec<u8>, answer: Vec<u8> },
}

impl Slot {
    pub(super) const fn is_active(&self) -> bool {
        matches!(self.stage, Stage::Active(_))
    }

    pub(super) fn is_expired(&self, now: Instant, config: &Config) -> bool {
        let (since, limit) = if self.is_active() {
            (self.touched, config.inactivity_ms)
        } else {
            (self.opened, config.setup_ms)
        };
        now.since(since) > Duration::from_millis(u64::from(limit))
    }

    /// Whether the same console began this session, never used it, and now begins again.
    fn is_abandoned_by(&self, peer: Peer, request: &OpenSessionRequest) -> bool {
        let unused = match &self.stage {
            Stage::Opened(_) | Stage::Challenged(_) => true,
            Stage::ChallengedV15(_) => false,
            Stage::Active(active) => active.confirmation.is_some(),
        };
        let same_console =
            self.peer == peer && self.console_session_id == request.console_session_id;
        unused && same_console && self.tag != request.tag
    }
}

/// Whom a peer's share is counted for: its address, of IPv6 the half that a provider gives a whole network.
const fn origin(peer: Peer) -> u128 {
    match peer {
        Peer::V4(address) => address.ip().to_bits() as u128,
        Peer::V6(address) => address.ip().to_bits() >> 64 << 64,
    }
}

/// All slots of a BMC; allocated as sessions come.
#[derive(Debug, Default)]
pub(super) struct SessionTable {
    slots: Vec<Slot>,
}

impl SessionTable {
    /// Where it lies.
    pub(super) fn memory(&self) -> Range<*const u8> {
        memory_of(&*self.slots)
    }

    pub(super) fn expire(&mut self, now: Instant, config: &Config) {
        self.slots.retain(|slot| !slot.is_expired(now, config));
        if self.slots.is_empty() {
            self.slots = Vec::new();
        }
    }

    /// Whether somebody else than who sent this request has a session, or one in set-up.
    pub(super) fn is_taken_for(&self, peer: Peer, request: &OpenSessionRequest) -> bool {
        let same = |slot: &Slot| {
            slot.peer == peer && slot.console_session_id == request.console_session_id
        };
        self.slots.iter().any(|slot| !same(slot))
    }

    pub(super) fn clear(&mut self) {
        self.slots = Vec::new();
    }

    pub(super) fn iter_active(&self) -> impl Iterator<Item = (&Slot, &Active)> {
        self.slots.iter().filter_map(|slot| match &slot.stage {
            Stage::Active(active) => Some((slot, &**active)),
            _ => None,
        })
    }

    /// The session that has serial over LAN.
    pub(super) fn sol_mut(&mut self) -> Option<(Peer, &mut Active)> {
        self.slots
            .iter_mut()
            .find_map(|slot| match &mut slot.stage {
                Stage::Active(active) if active.sol.is_some() => Some((slot.peer, &mut **active)),
                _ => None,
            })
    }

    /// The slot of a packet for `bmc_session_id` from `peer`.
    pub(super) fn find(&mut self, bmc_session_id: u32, peer: Peer) -> Option<&mut Slot> {
        self.slots
            .iter_mut()
            .find(|slot| slot.bmc_session_id == bmc_session_id && slot.peer == peer)
    }

    /// The active session with this ID that belongs to `peer`.
    pub(super) fn find_active(&mut self, bmc_session_id: u32, peer: Peer) -> Option<&mut Active> {
        match &mut self.find(bmc_session_id, peer)?.stage {
            Stage::Active(active) => Some(&mut **active),
            _ => None,
        }
    }

    pub(super) fn slot_mut(&mut self, bmc_session_id: u32) -> Option<&mut Slot> {
        self.slots
            .iter_mut()
            .find(|slot| slot.bmc_session_id == bmc_session_id)
    }

    pub(super) fn remove(&mut self, bmc_session_id: u32) {
        self.slots
            .retain(|slot| slot.bmc_session_id != bmc_session_id);
    }

    fn has(&self, bmc_session_id: u32) -> bool {
        self.slots
            .iter()
            .any(|slot| slot.bmc_session_id == bmc_session_id)
    }

    /// The session that this very request opened before: the request was repeated, or doubled on its way.
    pub(super) fn find_opened_by(
        &self,
        peer: Peer,
        request: &OpenSessionRequest,
    ) -> Option<(&Slot, Opened)> {
        self.slots.iter().find_map(|slot| {
            let opened = match &slot.stage {
                Stage::Opened(opened) => *opened,
                Stage::Challenged(challenged) => challenged.opened,
                Stage::ChallengedV15(_) | Stage::Active(_) => return None,
            };
            let same = slot.peer == peer
                && (slot.console_session_id, slot.tag) == (request.console_session_id, request.tag)
                && request.algorithms.allows(opened.algorithms);
            same.then_some((slot, opened))
        })
    }

    /// Makes room for a session that somebody opens. `false` where the table is full.
    ///
    /// A full table loses the oldest session in set-up of the peer that has most of them, where that is more than
    /// its [share](SETUP_SHARE); else the oldest of all, once it is older than [`SETUP_GRACE_MS`]. An active session
    /// is never evicted, and no packet makes one in set-up younger.
    pub(super) fn make_room(&mut self, now: Instant, config: &Config) -> bool {
        if self.slots.len() < config.session_max {
            return true;
        }
        let in_setup = || {
            let slots = self.slots.iter().enumerate();
            slots.filter(|(_, slot)| !slot.is_active())
        };
        let held_by = |peer| {
            in_setup()
                .filter(|(_, slot)| origin(slot.peer) == peer)
                .count()
        };
        let share = (config.session_max / SETUP_SHARE).max(2);
        let greedy = in_setup()
            .map(|(_, slot)| (held_by(origin(slot.peer)), origin(slot.peer)))
            .max_by_key(|(held, _)| *held)
            .filter(|(held, _)| *held > share)
            .map(|(_, peer)| peer);
        let grace = Duration::from_millis(u64::from(SETUP_GRACE_MS));
        let evictable = |(_, slot): &(usize, &Slot)| match greedy {
            Some(peer) => origin(slot.peer) == peer,
            None => now.since(slot.opened) > grace,
        };
        let oldest = in_setup()
            .filter(evictable)
            .min_by_key(|(_, slot)| slot.opened);
        let Some((index, _)) = oldest else {
            return false;
        };
        self.slots.swap_remove(index);
        true
    }

    /// Forgets what the same console began before and never used.
    pub(super) fn abandon(&mut self, peer: Peer, request: &OpenSessionRequest) {
        self.slots
            .retain(|slot| !slot.is_abandoned_by(peer, request));
    }

    /// Forgets what the same console asked for by IPMI 1.5 and never activated.
    pub(super) fn abandon_v15(&mut self, peer: Peer) {
        let is_asked = |slot: &Slot| matches!(slot.stage, Stage::ChallengedV15(_));
        self.slots
            .retain(|slot| slot.peer != peer || !is_asked(slot));
    }

    /// A random ID that no session has, and not 0.
    pub(super) fn new_id(&self, entropy: &mut dyn Entropy) -> u32 {
        let mut id = entropy.next_u32();
        // Counting on, rather than drawing again, ends even with a broken source of randomness.
        while id == 0 || self.has(id) {
            id = id.wrapping_add(1);
        }
        id
    }

    /// Brings the sessions under a new configuration: those of users who are no more, or have another password, end,
    /// as does all that is in set-up, and of IPMI 1.5 where that is not spoken any more; none works above its user's
    /// level. The session `asked` has changed that itself, and outlives its password and what lets its user log in.
    pub(super) fn reconfigure(&mut self, old: &Config, new: &Config, asked: u32) {
        self.slots.retain_mut(|slot| {
            let Stage::Active(active) = &mut slot.stage else {
                return false;
            };
            if active.channel.is_v15() && new.v15.is_none() {
                return false;
            }
            let is_asking = slot.bmc_session_id == asked;
            let users = (
                old.enabled_user(active.user_id),
                new.enabled_user(active.user_id),
            );
            let (Some(was), Some(user)) = users else {
                return is_asking;
            };
            active.lower(user.privilege);
            user.is_same(was) || is_asking
        });
    }

    /// Adds a session; room must have been made.
    pub(super) fn add(&mut self, slot: Slot) {
        if self.slots.capacity() == 0 {
            // One console is the common case; a second one makes it grow.
            self.slots.reserve_exact(1);
        }
        self.slots.push(slot);
    }

    /// The lowest handle that no session has.
    pub(super) fn free_handle(&self) -> u8 {
        (1..=u8::MAX)
            .find(|handle| self.slots.iter().all(|slot| slot.handle != *handle))
            .unwrap_or(0)
    }
}
