//! Integrity of packets (§13.28.4): a code over the packet from its authentication type to its next header.

use md5::Digest;
use subtle::ConstantTimeEq;

use super::exchange::{SessionKey, UserKey};
use super::hmac::{DIGEST_MAX, Hmac, Md5, Sha1, Sha256};
use crate::number::{IntegrityAlgorithm, KeyConstant};
use crate::wire::Writer;

/// Every code is whole words of so many bytes.
const WORD: usize = 4;

/// Prepared state of one session's integrity algorithm.
pub(crate) enum Integrity {
    None,
    HmacSha1(Hmac<Sha1>),
    HmacSha256(Hmac<Sha256>),
    HmacMd5(Hmac<Md5>),
    /// MD5 over password, packet, password: not keyed by the session, and as weak as it looks.
    Md5(UserKey),
}

impl Integrity {
    /// `None` for an algorithm that this crate doesn't have.
    pub(crate) fn new(
        algorithm: IntegrityAlgorithm,
        key: &SessionKey,
        user: &UserKey,
    ) -> Option<Self> {
        let k1 = key.additional(KeyConstant::K1);
        match algorithm {
            IntegrityAlgorithm::NONE => Some(Self::None),
            IntegrityAlgorithm::HMAC_SHA1_96 => Some(Self::HmacSha1(Hmac::new(k1.as_bytes()))),
            IntegrityAlgorithm::HMAC_SHA256_128 => Some(Self::HmacSha256(Hmac::new(k1.as_bytes()))),
            IntegrityAlgorithm::HMAC_MD5_128 => Some(Self::HmacMd5(Hmac::new(k1.as_bytes()))),
            IntegrityAlgorithm::MD5_128 => Some(Self::Md5(user.clone())),
            _ => None,
        }
    }

    /// Bytes of the code in a packet; 0 means packets have no trailer.
    pub(crate) const fn code_len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::HmacSha1(_) => 12,
            Self::HmacSha256(_) | Self::HmacMd5(_) | Self::Md5(_) => 16,
        }
    }

    fn code(&self, covered: &[u8]) -> [u8; DIGEST_MAX] {
        match self {
            Self::None => [0; DIGEST_MAX],
            Self::HmacSha1(hmac) => hmac.code(covered),
            Self::HmacSha256(hmac) => hmac.code(covered),
            Self::HmacMd5(hmac) => hmac.code(covered),
            Self::Md5(user) => {
                let mut md5 = md5::Md5::new();
                md5.update(user.as_bytes());
                md5.update(covered);
                md5.update(user.as_bytes());
                let mut code = [0; DIGEST_MAX];
                code[..16].copy_from_slice(&md5.finalize());
                code
            }
        }
    }

    /// Appends the code over everything from offset `from` on.
    pub(crate) fn seal(&self, w: &mut Writer<'_>, from: usize) {
        let code = self.code(w.written().get(from..).unwrap_or_default());
        w.bytes(&code[..self.code_len()]);
    }

    /// Whether `found` is the code of `covered`, in constant time.
    pub(crate) fn verify(&self, covered: &[u8], found: &[u8]) -> bool {
        let code = self.code(covered);
        let (code, _) = code[..self.code_len()].as_chunks::<WORD>();
        let (words, rest) = found.as_chunks::<WORD>();
        // By words: byte by byte the comparison costs as much as half a hash.
        let difference = code.iter().zip(words).fold(0, |all, (a, b)| {
            all | (u32::from_ne_bytes(*a) ^ u32::from_ne_bytes(*b))
        });
        code.len() == words.len() && rest.is_empty() && difference.ct_eq(&0).into()
    }
}
