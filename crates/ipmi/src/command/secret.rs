//! Passwords and keys inside commands.

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::wire::{Reader, WireError, WireFault, Writer};

/// Up to `N` secret bytes: prints redacted, is compared in constant time, is zeroized on drop.
#[derive(Clone)]
pub struct Secret<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Secret<N> {
    /// A copy of `bytes`; `None` where there are more than `N`.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut copy = Self {
            bytes: [0; N],
            len: bytes.len(),
        };
        copy.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(copy)
    }

    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Without the zeros at the end that fill a password up.
    #[must_use]
    pub fn trimmed(&self) -> &[u8] {
        let end = self.as_slice().iter().rposition(|byte| *byte != 0);
        &self.bytes[..end.map_or(0, |last| last + 1)]
    }

    pub(crate) fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(self.as_slice());
    }

    /// Reads all bytes that are left.
    pub(crate) fn decode(r: &mut Reader<'_>, field: &'static str) -> Result<Self, WireError> {
        let too_long = r.error(field, WireFault::Invalid);
        Self::new(r.rest()).ok_or(too_long)
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && bool::from(self.bytes.ct_eq(&other.bytes))
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} secret bytes]", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_tells_only_its_length() {
        let secret = Secret::<20>::new(b"calvin\0\0").unwrap();
        assert_eq!(std::format!("{secret:?}"), "[8 secret bytes]");
        assert_eq!(secret.trimmed(), b"calvin");
        assert!(secret == Secret::new(b"calvin\0\0").unwrap());
        assert!(secret != Secret::new(b"calvin").unwrap());
        assert_eq!(Secret::<2>::new(b"abc"), None);
    }
}
