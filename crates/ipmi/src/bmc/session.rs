//! The session table: slots, their life, and the reply that each session remembers.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use super::config::Config;
use crate::crypto::{Algorithms, Channel, Code, Exchange};
use crate::number::PrivilegeLevel;
use crate::time::Instant;
use crate::wire::message::MessageHeader;
use crate::wire::rakp::UserName;

/// Where a console sends from.
pub type Peer = SocketAddr;

/// How long a session remembers its last reply for a repeated request, in milliseconds.
///
/// The interval after which a sequence number may mean a new request (§6.5.3 gives 5 s for message bridging);
/// consoles repeat within it.
pub const REPLY_KEPT_MS: u32 = 5_000;
/// A session in set-up is safe from eviction for this long, in milliseconds.
pub const SETUP_GRACE_MS: u32 = 1_000;

/// One entry of the session table.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) bmc_session_id: u32,
    pub(super) console_session_id: u32,
    pub(super) peer: Peer,
    /// Small number for Get Session Info and Close Session, from 1.
    pub(super) handle: u8,
    /// When the last valid packet came.
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

/// A console that proved itself; only a matching RAKP Message 3 makes one.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) channel: Channel,
    pub(super) user_id: u8,
    pub(super) user_name: UserName,
    /// The level that the session works at.
    pub(super) privilege: PrivilegeLevel,
    /// The highest level that it may ask for.
    pub(super) limit: PrivilegeLevel,
    /// RAKP Message 4, until the session's first packet shows that it arrived.
    pub(super) confirmation: Option<Box<Confirmation>>,
    pub(super) last: LastReply,
}

/// RAKP Message 4 and what it answered.
#[derive(Debug)]
pub(super) struct Confirmation {
    pub(super) tag: u8,
    pub(super) rakp3_code: Code,
    pub(super) rakp4_code: Code,
}

/// The last reply of a session, for a console that didn't get it.
#[derive(Debug, Default)]
pub(super) struct LastReply {
    request: Option<(MessageHeader, u64)>,
    at: Instant,
    message: Vec<u8>,
}

impl LastReply {
    /// The reply to this very request, if it is the last one and recent.
    pub(super) fn of(&self, now: Instant, header: &MessageHeader, body: &[u8]) -> Option<&[u8]> {
        let kept = now.since(self.at) <= Duration::from_millis(u64::from(REPLY_KEPT_MS));
        let same = self.request == Some((*header, fingerprint(body)));
        (kept && same).then_some(&self.message)
    }

    /// Remembers the reply in place of the one before.
    pub(super) fn remember(
        &mut self,
        now: Instant,
        header: MessageHeader,
        body: u64,
        message: &[u8],
    ) {
        self.request = Some((header, body));
        self.at = now;
        self.message.clear();
        self.message.extend_from_slice(message);
    }
}

/// Tells requests with the same numbers apart (FNV-1a, 64 bits). Not for security: the sender is authenticated.
pub(super) fn fingerprint(body: &[u8]) -> u64 {
    body.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl Slot {
    pub(super) const fn is_active(&self) -> bool {
        matches!(self.stage, Stage::Active(_))
    }

    pub(super) fn is_expired(&self, now: Instant, config: &Config) -> bool {
        let limit = if self.is_active() {
            config.inactivity_ms
        } else {
            config.setup_ms
        };
        now.since(self.touched) > Duration::from_millis(u64::from(limit))
    }

    /// Whether the same console began this session and never used it: its new attempt replaces it.
    fn is_abandoned_by(&self, peer: Peer, console_session_id: u32) -> bool {
        let unused = match &self.stage {
            Stage::Opened(_) | Stage::Challenged(_) => true,
            Stage::Active(active) => active.confirmation.is_some(),
        };
        unused && self.peer == peer && self.console_session_id == console_session_id
    }
}

/// All slots of a BMC; allocated as sessions come.
#[derive(Debug, Default)]
pub(super) struct SessionTable {
    slots: Vec<Slot>,
}

impl SessionTable {
    pub(super) fn expire(&mut self, now: Instant, config: &Config) {
        self.slots.retain(|slot| !slot.is_expired(now, config));
        if self.slots.is_empty() {
            self.slots = Vec::new();
        }
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

    /// The slot of a packet for `bmc_session_id` from `peer`.
    pub(super) fn find(&mut self, bmc_session_id: u32, peer: Peer) -> Option<&mut Slot> {
        self.slots
            .iter_mut()
            .find(|slot| slot.bmc_session_id == bmc_session_id && slot.peer == peer)
    }

    pub(super) fn remove(&mut self, bmc_session_id: u32) {
        self.slots
            .retain(|slot| slot.bmc_session_id != bmc_session_id);
    }

    pub(super) fn has(&self, bmc_session_id: u32) -> bool {
        self.slots
            .iter()
            .any(|slot| slot.bmc_session_id == bmc_session_id)
    }

    /// Makes room for a session that `peer` opens. `false` where the table is full.
    ///
    /// A console that begins again replaces its own unfinished attempt. Beyond that a full table loses its oldest
    /// session in set-up, once that is older than [`SETUP_GRACE_MS`]; an active session is never evicted.
    pub(super) fn make_room(
        &mut self,
        now: Instant,
        config: &Config,
        peer: Peer,
        console_session_id: u32,
    ) -> bool {
        self.slots
            .retain(|slot| !slot.is_abandoned_by(peer, console_session_id));
        if self.slots.len() < config.session_max {
            return true;
        }
        let grace = Duration::from_millis(u64::from(SETUP_GRACE_MS));
        let evictable =
            |(_, slot): &(usize, &Slot)| !slot.is_active() && now.since(slot.touched) > grace;
        let oldest = self
            .slots
            .iter()
            .enumerate()
            .filter(evictable)
            .min_by_key(|(_, slot)| slot.touched);
        let Some((index, _)) = oldest else {
            return false;
        };
        self.slots.swap_remove(index);
        true
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
