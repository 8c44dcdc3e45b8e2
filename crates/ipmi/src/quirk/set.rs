//! A set of quirks: what is known of one BMC.

use core::fmt;

use super::Quirk;

/// Bits of one word.
const WORD: usize = 64;

/// A set of quirks, 16 bytes; none by default.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Quirks([u64; 2]);

impl Quirks {
    /// No quirk.
    pub const NONE: Self = Self([0; 2]);

    /// The set with this quirk in it.
    #[must_use]
    pub const fn with(mut self, quirk: Quirk) -> Self {
        let at = quirk as usize;
        self.0[at / WORD] |= 1 << (at % WORD);
        self
    }

    /// The set without this quirk.
    #[must_use]
    pub const fn without(mut self, quirk: Quirk) -> Self {
        let at = quirk as usize;
        self.0[at / WORD] &= !(1 << (at % WORD));
        self
    }

    /// What is in one of the sets or in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub const fn except(self, other: Self) -> Self {
        Self([self.0[0] & !other.0[0], self.0[1] & !other.0[1]])
    }

    /// Whether this quirk is in the set.
    #[must_use]
    pub const fn has(self, quirk: Quirk) -> bool {
        let at = quirk as usize;
        self.0[at / WORD] >> (at % WORD) & 1 == 1
    }

    /// Whether no quirk is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0[0] == 0 && self.0[1] == 0
    }

    /// The quirks in the set, in the order of [`Quirk::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Quirk> {
        let bits = (0..2 * WORD).filter(move |at| self.0[at / WORD] >> (at % WORD) & 1 == 1);
        bits.filter_map(Quirk::at)
    }

    /// The set of these bits.
    #[must_use]
    pub const fn of_bits(bits: [u64; 2]) -> Self {
        Self(bits)
    }

    /// The set as bits, for comparing and as part of a key; their order may change between versions.
    #[must_use]
    pub const fn bits(self) -> [u64; 2] {
        self.0
    }
}

// Every quirk has a bit.
const _: () = assert!(Quirk::ALL.len() <= 2 * WORD);

impl FromIterator<Quirk> for Quirks {
    fn from_iter<I: IntoIterator<Item = Quirk>>(quirks: I) -> Self {
        quirks.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Quirks {
    /// The names, with commas; "none" for the empty set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        for (i, quirk) in self.iter().enumerate() {
            write!(f, "{}{quirk}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Quirks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quirks({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_quirk_is_a_bit_of_its_own() {
        for quirk in Quirk::ALL {
            let alone = Quirks::NONE.with(*quirk);
            assert!(alone.iter().eq([*quirk]));
            assert_eq!(alone.without(*quirk), Quirks::NONE);
            assert_eq!(alone.and(alone), alone);
            assert!(alone.except(alone).is_empty());
        }
        let all: Quirks = Quirk::ALL.iter().copied().collect();
        assert!(all.iter().eq(Quirk::ALL.iter().copied()));
    }
}
