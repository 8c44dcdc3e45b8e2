//! Fixed numbers of datagrams in buffers that are used again and again.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use crate::sys::Slot;

/// The most datagrams that one batch holds. More would not save system calls worth mentioning: at 64 their cost
/// is spread so thin that copying the bytes dominates.
pub const BATCH_LEN: usize = 64;

/// The longest datagram that a batch holds, in bytes. Longer ones arrive truncated.
pub const DATAGRAM_LEN_MAX: usize = 1280;

/// What one [`crate::Socket::recv`] received. Allocates once, when made.
pub struct ReceiveBatch {
    pub(crate) slots: Box<[Slot]>,
    pub(crate) filled: usize,
    pub(crate) overflows: u32,
}

/// A received datagram.
#[derive(Debug)]
pub struct Datagram<'a> {
    /// Who sent it.
    pub peer: SocketAddr,
    /// To which of our addresses; `None` on a socket without [`crate::Options::pktinfo`].
    pub local: Option<Ipv4Addr>,
    /// Its bytes, to be decrypted or changed in place.
    pub bytes: &'a mut [u8],
    /// It was longer than [`DATAGRAM_LEN_MAX`]; `bytes` is its beginning.
    pub truncated: bool,
}

impl ReceiveBatch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self {
            slots: Slot::array(BATCH_LEN),
            filled: 0,
            overflows: 0,
        }
    }

    /// How many datagrams the kernel has dropped so far because the socket's receive buffer was full
    /// (`SO_RXQ_OVFL`), as of the last datagram received. Counts from the socket's beginning, modulo 2³².
    #[must_use]
    pub const fn overflows(&self) -> u32 {
        self.overflows
    }

    /// How many datagrams the last receive brought.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.filled
    }

    /// Whether the last receive brought none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// The address that each datagram of the last receive was sent to, where it is known, and its bytes.
    pub fn peek(&self) -> impl Iterator<Item = (Option<Ipv4Addr>, &[u8])> + Clone {
        let filled = self.slots.iter().take(self.filled);
        filled.map(|slot| (slot.local, &slot.bytes[..slot.len]))
    }

    /// The datagrams of the last receive, in the order of their arrival.
    pub fn datagrams_mut(&mut self) -> Datagrams<'_> {
        Datagrams {
            slots: self.slots[..self.filled].iter_mut(),
        }
    }
}

impl Default for ReceiveBatch {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ReceiveBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiveBatch")
            .field("len", &self.filled)
            .finish_non_exhaustive()
    }
}

/// The datagrams of a [`ReceiveBatch`].
#[derive(Debug)]
pub struct Datagrams<'a> {
    slots: std::slice::IterMut<'a, Slot>,
}

impl<'a> Iterator for Datagrams<'a> {
    type Item = Datagram<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        // A datagram without a sender's address can't be answered; the kernel gives none for neither IPv4 nor
        // IPv6, so this skips nothing in practice.
        loop {
            let slot = self.slots.next()?;
            if let Some(peer) = slot.name.get() {
                let Slot {
                    bytes,
                    len,
                    local,
                    truncated,
                    ..
                } = slot;
                return Some(Datagram {
                    peer,
                    local: *local,
                    bytes: &mut bytes[..*len],
                    truncated: *truncated,
                });
            }
        }
    }
}

/// A batch has no room for another datagram: send it first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the batch holds {BATCH_LEN} datagrams already; send them first"
        )
    }
}

impl std::error::Error for Full {}

/// Datagrams to be sent by [`crate::Socket::send`], first in first out. Allocates once, when made.
pub struct SendBatch {
    pub(crate) slots: Box<[Slot]>,
    /// Those before this one are sent.
    pub(crate) head: usize,
    /// Those from this one on are free.
    pub(crate) tail: usize,
}

impl SendBatch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self {
            slots: Slot::array(BATCH_LEN),
            head: 0,
            tail: 0,
        }
    }

    /// How many datagrams wait to be sent.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.tail - self.head
    }

    /// Whether nothing waits to be sent.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.head == self.tail
    }

    /// Whether [`Self::push`] would be refused.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.tail == BATCH_LEN
    }

    /// Adds a datagram to `peer`, from our address `local` where given (IPv4 only; else the kernel chooses).
    /// `write` fills the buffer of [`DATAGRAM_LEN_MAX`] bytes and returns how many it wrote; 0 adds nothing.
    ///
    /// # Errors
    /// [`Full`]; then `write` was not called. A batch that is sent only in part has room again when all is sent.
    pub fn push(
        &mut self,
        peer: SocketAddr,
        local: Option<Ipv4Addr>,
        write: impl FnOnce(&mut [u8]) -> usize,
    ) -> Result<(), Full> {
        self.push_with(|buffer| Some((peer, local, write(buffer))).filter(|(.., len)| *len > 0))?;
        Ok(())
    }

    /// Adds a datagram whose receiver is known only when it is written. `write` fills the buffer of
    /// [`DATAGRAM_LEN_MAX`] bytes and returns to whom, from which of our addresses, and how many bytes; `None` adds
    /// nothing. Returns whether one was added.
    ///
    /// # Errors
    /// [`Full`]; then `write` was not called.
    pub fn push_with(
        &mut self,
        write: impl FnOnce(&mut [u8]) -> Option<(SocketAddr, Option<Ipv4Addr>, usize)>,
    ) -> Result<bool, Full> {
        let slot = self.slots.get_mut(self.tail).ok_or(Full)?;
        let Some((peer, local, len)) = write(&mut slot.bytes) else {
            return Ok(false);
        };
        slot.len = len.min(DATAGRAM_LEN_MAX);
        slot.name.set(peer);
        slot.local = local;
        self.tail += 1;
        Ok(true)
    }

    /// Forgets what waits to be sent.
    pub const fn clear(&mut self) {
        self.head = 0;
        self.tail = 0;
    }
}

impl Default for SendBatch {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SendBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendBatch")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
