//! Cipher suites: the triples behind the IDs (§22.15.2, table 22-20).

use core::fmt;

use crate::number::{
    AuthAlgorithm as Auth, CipherSuiteId, ConfidentialityAlgorithm as Conf,
    IntegrityAlgorithm as Integ,
};

/// Three algorithms, agreed in Open Session and used as long as the session lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Algorithms {
    /// Authenticates the key exchange.
    pub auth: Auth,
    /// Protects each packet against change.
    pub integrity: Integ,
    /// Hides each payload.
    pub confidentiality: Conf,
}

/// The standard suites, their position being their ID.
const STANDARD: [(Auth, Integ, Conf); 20] = [
    (Auth::NONE, Integ::NONE, Conf::NONE),
    (Auth::HMAC_SHA1, Integ::NONE, Conf::NONE),
    (Auth::HMAC_SHA1, Integ::HMAC_SHA1_96, Conf::NONE),
    (Auth::HMAC_SHA1, Integ::HMAC_SHA1_96, Conf::AES_CBC_128),
    (Auth::HMAC_SHA1, Integ::HMAC_SHA1_96, Conf::XRC4_128),
    (Auth::HMAC_SHA1, Integ::HMAC_SHA1_96, Conf::XRC4_40),
    (Auth::HMAC_MD5, Integ::NONE, Conf::NONE),
    (Auth::HMAC_MD5, Integ::HMAC_MD5_128, Conf::NONE),
    (Auth::HMAC_MD5, Integ::HMAC_MD5_128, Conf::AES_CBC_128),
    (Auth::HMAC_MD5, Integ::HMAC_MD5_128, Conf::XRC4_128),
    (Auth::HMAC_MD5, Integ::HMAC_MD5_128, Conf::XRC4_40),
    (Auth::HMAC_MD5, Integ::MD5_128, Conf::NONE),
    (Auth::HMAC_MD5, Integ::MD5_128, Conf::AES_CBC_128),
    (Auth::HMAC_MD5, Integ::MD5_128, Conf::XRC4_128),
    (Auth::HMAC_MD5, Integ::MD5_128, Conf::XRC4_40),
    (Auth::HMAC_SHA256, Integ::NONE, Conf::NONE),
    (Auth::HMAC_SHA256, Integ::HMAC_SHA256_128, Conf::NONE),
    (Auth::HMAC_SHA256, Integ::HMAC_SHA256_128, Conf::AES_CBC_128),
    (Auth::HMAC_SHA256, Integ::HMAC_SHA256_128, Conf::XRC4_128),
    (Auth::HMAC_SHA256, Integ::HMAC_SHA256_128, Conf::XRC4_40),
];

impl Algorithms {
    /// The algorithms of a standard suite; `None` for an ID that the specification does not define.
    #[must_use]
    pub fn of(suite: CipherSuiteId) -> Option<Self> {
        let (auth, integrity, confidentiality) = *STANDARD.get(usize::from(suite.0))?;
        Some(Self {
            auth,
            integrity,
            confidentiality,
        })
    }

    /// The standard suite that these algorithms are, if they are one.
    #[must_use]
    pub fn suite(self) -> Option<CipherSuiteId> {
        let triple = (self.auth, self.integrity, self.confidentiality);
        let id = STANDARD.iter().position(|standard| *standard == triple)?;
        u8::try_from(id).ok().map(CipherSuiteId)
    }

    /// For comparing suites: the higher, the stronger. What hides comes before what protects against change, that
    /// before what proves the password.
    pub(crate) const fn strength(self) -> (u8, u8, u8) {
        let confidentiality = match self.confidentiality {
            Conf::AES_CBC_128 => 3,
            Conf::XRC4_128 => 2,
            Conf::XRC4_40 => 1,
            _ => 0,
        };
        let integrity = match self.integrity {
            Integ::HMAC_SHA256_128 => 4,
            Integ::HMAC_SHA1_96 => 3,
            Integ::HMAC_MD5_128 => 2,
            Integ::MD5_128 => 1,
            _ => 0,
        };
        let auth = match self.auth {
            Auth::HMAC_SHA256 => 3,
            Auth::HMAC_SHA1 => 2,
            Auth::HMAC_MD5 => 1,
            _ => 0,
        };
        (confidentiality, integrity, auth)
    }

    /// Whether this crate can run a session with them.
    #[must_use]
    pub const fn is_implemented(self) -> bool {
        matches!(
            self.auth,
            Auth::NONE | Auth::HMAC_SHA1 | Auth::HMAC_MD5 | Auth::HMAC_SHA256
        ) && matches!(
            self.integrity,
            Integ::NONE
                | Integ::HMAC_SHA1_96
                | Integ::HMAC_MD5_128
                | Integ::MD5_128
                | Integ::HMAC_SHA256_128
        ) && matches!(
            self.confidentiality,
            Conf::NONE | Conf::AES_CBC_128 | Conf::XRC4_128 | Conf::XRC4_40
        )
    }
}

/// A set of standard cipher suite IDs (0-19); suites of makers are not kept.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct SuiteSet(u32);

impl SuiteSet {
    /// Whether `suite` is in the set.
    #[must_use]
    pub fn contains(self, suite: CipherSuiteId) -> bool {
        bit(suite).is_some_and(|bit| self.0 & bit != 0)
    }

    /// Adds `suite` if it is a standard one.
    pub fn insert(&mut self, suite: CipherSuiteId) {
        self.0 |= bit(suite).unwrap_or(0);
    }

    /// Whether no standard suite is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The suites in ascending order.
    pub fn iter(self) -> impl Iterator<Item = CipherSuiteId> {
        CipherSuiteId::NAMED
            .iter()
            .copied()
            .filter(move |suite| self.contains(*suite))
    }
}

impl FromIterator<CipherSuiteId> for SuiteSet {
    fn from_iter<T: IntoIterator<Item = CipherSuiteId>>(suites: T) -> Self {
        let mut set = Self::default();
        suites.into_iter().for_each(|suite| set.insert(suite));
        set
    }
}

impl fmt::Debug for SuiteSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(|suite| suite.0))
            .finish()
    }
}

impl fmt::Display for SuiteSet {
    /// The IDs, separated by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, suite) in self.iter().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}{}", suite.0)?;
        }
        Ok(())
    }
}

fn bit(suite: CipherSuiteId) -> Option<u32> {
    (usize::from(suite.0) < STANDARD.len()).then(|| 1 << suite.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_standard_suite_is_found_again_by_its_algorithms() {
        for suite in CipherSuiteId::NAMED {
            assert_eq!(
                Algorithms::of(*suite).and_then(Algorithms::suite),
                Some(*suite)
            );
        }
        assert_eq!(Algorithms::of(CipherSuiteId(20)), None);
        assert_eq!(Algorithms::of(CipherSuiteId(0x80)), None);
    }

    #[test]
    fn suites_17_and_3_are_the_strongest_and_0_is_the_weakest() {
        let mut suites = CipherSuiteId::NAMED.to_vec();
        suites.sort_by_key(|suite| Algorithms::of(*suite).map(Algorithms::strength));
        let ids: std::vec::Vec<u8> = suites.iter().map(|suite| suite.0).collect();
        assert_eq!((ids[0], &ids[18..]), (0, &[3, 17][..]));
    }

    #[test]
    fn a_set_keeps_standard_suites_only() {
        let set: SuiteSet = [17, 3, 0x80, 20].into_iter().map(CipherSuiteId).collect();
        assert_eq!(std::format!("{set}"), "3, 17");
        assert!(!set.contains(CipherSuiteId(0x80)));
    }
}
