//! Sessions of a capture whose keys are known: from the password, and the log-in that was captured with them (§13.31, §13.32).

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use zeroize::{Zeroize as _, Zeroizing};

use super::datagram::{Datagram, of_rmcp_plus};
use crate::crypto::ways::ways;
use crate::crypto::{Algorithms, Channel, Exchange, UserKey};
use crate::number::PayloadType;
use crate::wire::rakp::{OpenSessionResponse, Rakp1, Rakp2};
use crate::wire::rmcp::{self, Class};
use crate::wire::session::{RmcpPlusHeader, SessionHeader};
use crate::wire::{Reader, WireError};

/// The most sessions that are followed at a time; the oldest go.
pub const SESSIONS_MAX: usize = 1_024;

/// Takes datagrams of a capture apart, in their order, and opens those of sessions whose log-in was among them and whose user
/// has the password. Datagrams of many sessions may be mixed; of each the log-in comes first.
///
/// What can hold a password isn't printed of these, either.
pub struct CapturedSessions {
    user: UserKey,
    kg: Option<UserKey>,
    sessions: VecDeque<Session>,
    /// RAKP messages 1: which session each is of, message 2 proves. Numbers of sessions are the same on many BMCs.
    asked: VecDeque<Rakp1>,
    sealed: u64,
    /// What is opened at present; cleared before any other datagram, so that nothing of it stays in memory that is free.
    opened: Zeroizing<Vec<u8>>,
}

/// A session from its Open Session Response on.
struct Session {
    console_session_id: u32,
    bmc_session_id: u32,
    algorithms: Algorithms,
    /// Towards the BMC, and towards the console; none before the log-in has come so far, and where the password is another.
    channels: Option<[Channel; 2]>,
}

impl CapturedSessions {
    /// Sessions of a user with this password, on BMCs with this `K_g`; `None` where they have none.
    #[must_use]
    pub fn new(user: UserKey, kg: Option<UserKey>) -> Self {
        Self {
            user,
            kg,
            sessions: VecDeque::new(),
            asked: VecDeque::new(),
            sealed: 0,
            opened: Zeroizing::default(),
        }
    }

    /// Takes the next datagram apart; one that can't be opened as [`Datagram::decode`] does.
    ///
    /// # Errors
    /// It is none of RMCP, or damaged: it ends too early, or a checksum is wrong.
    pub fn decode(&mut self, datagram: &[u8]) -> Result<Datagram, WireError> {
        let mut r = Reader::new(datagram);
        if rmcp::decode(&mut r)? == Class::Ipmi
            && let SessionHeader::RmcpPlus(header) = SessionHeader::decode(&mut r)?
        {
            if header.encrypted {
                if let Some(opened) = self.open(&header, datagram) {
                    return opened;
                }
                self.sealed += 1;
            } else if header.session_id == 0 {
                let len = usize::from(header.payload_len).min(r.remaining());
                // What is damaged is told below.
                let _ = self.learn(header.payload_type, r.take("payload", len)?);
            }
        }
        Datagram::decode(datagram)
    }

    /// How many datagrams stayed encrypted.
    #[must_use]
    pub const fn sealed(&self) -> u64 {
        self.sealed
    }

    /// Opens a datagram by the keys of whichever session it is of: its integrity code tells.
    fn open(
        &mut self,
        header: &RmcpPlusHeader,
        datagram: &[u8],
    ) -> Option<Result<Datagram, WireError>> {
        let channels = self.sessions.iter_mut().rev().filter_map(|session| {
            let [to_bmc, to_console] = session.channels.as_mut()?;
            match header.session_id {
                id if id == session.bmc_session_id => Some(to_bmc),
                id if id == session.console_session_id => Some(to_console),
                _ => None,
            }
        });
        for channel in channels {
            // A capture has packets twice, and lacks some.
            channel.expect(header.sequence);
            self.opened.zeroize();
            self.opened.extend_from_slice(datagram);
            if let Ok(opened) = channel.open(&mut self.opened) {
                let taken = of_rmcp_plus(header, opened.payload, true);
                self.opened.zeroize();
                return Some(taken);
            }
        }
        None
    }

    /// Follows a log-in.
    fn learn(&mut self, kind: PayloadType, payload: &[u8]) -> Result<(), WireError> {
        let r = &mut Reader::new(payload);
        match kind {
            PayloadType::OPEN_SESSION_RESPONSE => {
                let response = OpenSessionResponse::decode(r)?;
                if let (Some(id), Ok(opened)) = (response.console_session_id, response.outcome) {
                    let session = Session {
                        console_session_id: id,
                        bmc_session_id: opened.bmc_session_id,
                        algorithms: opened.algorithms,
                        channels: None,
                    };
                    push(&mut self.sessions, session);
                }
            }
            PayloadType::RAKP_1 => {
                let message = Rakp1::decode(r)?;
                if !self.asked.contains(&message) {
                    push(&mut self.asked, message);
                }
            }
            PayloadType::RAKP_2 => {
                let message = Rakp2::decode(r)?;
                self.prove(&message);
            }
            _ => {}
        }
        Ok(())
    }

    /// Finds the session of a RAKP Message 2, and its keys.
    fn prove(&mut self, message: &Rakp2) {
        for session in self.sessions.iter_mut().rev() {
            if session.console_session_id != message.console_session_id {
                continue;
            }
            for asked in self.asked.iter().rev() {
                let is_its = asked.bmc_session_id == session.bmc_session_id;
                let keyed = || session.keyed(asked, message, &self.user, self.kg.as_ref());
                if let Some(channels) = is_its.then(keyed).flatten() {
                    session.channels = Some(channels);
                    return;
                }
            }
        }
    }
}

/// Adds to a list that forgets the oldest.
fn push<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() == SESSIONS_MAX {
        list.pop_front();
    }
    list.push_back(item);
}

impl Session {
    /// What opens its packets; `None` where the password isn't that of the user who logs in.
    fn keyed(
        &self,
        asked: &Rakp1,
        message: &Rakp2,
        user: &UserKey,
        kg: Option<&UserKey>,
    ) -> Option<[Channel; 2]> {
        let proof = message.outcome.as_ref().ok()?;
        let exchange = Exchange {
            algorithm: self.algorithms.auth,
            console_session_id: self.console_session_id,
            bmc_session_id: self.bmc_session_id,
            console_random: asked.console_random,
            bmc_random: proof.bmc_random,
            guid: proof.guid,
            role: asked.role,
            user_name: asked.user_name,
        };
        let way = ways(&exchange, user)
            .find(|way| way.exchange.rakp2_code(&way.password) == proof.code)?;
        let password = &way.password;
        let key = way.exchange.session_key(kg.unwrap_or(password));
        let ids = [self.bmc_session_id, self.console_session_id];
        let towards = |own, peer| Channel::new(self.algorithms, &key, password, own, peer);
        Some([towards(ids[0], ids[1])?, towards(ids[1], ids[0])?])
    }
}

impl fmt::Debug for CapturedSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapturedSessions")
            .field("sessions", &self.sessions.len())
            .field("sealed", &self.sealed)
            .finish_non_exhaustive()
    }
}
