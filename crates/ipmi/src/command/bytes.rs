//! Bytes of variable length inside a command, without an allocation.

use core::fmt;
use core::ops::Deref;

use crate::wire::{Reader, WireError, WireFault, Writer};

/// Up to `N` bytes held in place: record parts, parameter data.
#[derive(Clone, Copy)]
pub struct Bytes<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Bytes<N> {
    /// No bytes.
    pub const EMPTY: Self = Self {
        bytes: [0; N],
        len: 0,
    };

    /// A copy of `bytes`; `None` where there are more than `N`.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut copy = Self::EMPTY;
        copy.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        copy.len = bytes.len();
        Some(copy)
    }

    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(crate) fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(self);
    }

    /// Reads all bytes that are left, and drops those beyond the room: for an answer, to which some BMCs append.
    pub(crate) fn decode_cut(r: &mut Reader<'_>) -> Self {
        let rest = r.rest();
        Self::new(&rest[..rest.len().min(N)]).unwrap_or_default()
    }

    /// Reads all bytes that are left.
    pub(crate) fn decode(r: &mut Reader<'_>, field: &'static str) -> Result<Self, WireError> {
        let too_long = r.error(field, WireFault::Invalid);
        Self::new(r.rest()).ok_or(too_long)
    }
}

impl<const N: usize> Deref for Bytes<N> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl<const N: usize> Default for Bytes<N> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const N: usize, const L: usize> From<[u8; L]> for Bytes<N> {
    /// A copy; that `L` is not more than `N` is checked when the program is compiled.
    fn from(bytes: [u8; L]) -> Self {
        const { assert!(L <= N, "the array is longer than the room") };
        let mut copy = Self::EMPTY;
        copy.bytes[..L].copy_from_slice(&bytes);
        copy.len = L;
        copy
    }
}

impl<const N: usize> PartialEq for Bytes<N> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<const N: usize> Eq for Bytes<N> {}

impl<const N: usize> fmt::Debug for Bytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x?}", self.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_bytes_than_there_is_room_for_are_refused() {
        assert_eq!(Bytes::<2>::new(&[1, 2]).as_deref(), Some(&[1, 2][..]));
        assert_eq!(Bytes::<2>::new(&[1, 2, 3]), None);
        let mut r = Reader::new(&[1, 2, 3]);
        let fault = Bytes::<2>::decode(&mut r, "data").map_err(|e| (e.field, e.fault));
        assert_eq!(fault, Err(("data", WireFault::Invalid)));
    }
}
