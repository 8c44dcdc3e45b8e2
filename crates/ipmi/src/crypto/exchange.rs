//! The authenticated key exchange of RAKP messages 1-4 (§13.28.1, §13.31, §13.32).

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::hmac::{DIGEST_MAX, Hmac, Md5, Sha1, Sha256};
use crate::number::{AuthAlgorithm, KeyConstant};
use crate::wire::Writer;
use crate::wire::rakp::{Role, UserName};

/// Longest password and longest `K_g`, in bytes (§13.33).
pub const KEY_MAX: usize = 20;

/// A user's password or a BMC's `K_g`, padded with zeros to 20 bytes as the exchange uses it.
#[derive(Clone)]
pub struct UserKey([u8; KEY_MAX]);

impl UserKey {
    /// A key of at most 20 bytes; `None` for a longer one.
    #[must_use]
    pub fn new(key: &[u8]) -> Option<Self> {
        let mut padded = [0; KEY_MAX];
        padded.get_mut(..key.len())?.copy_from_slice(key);
        Some(Self(padded))
    }

    /// The empty password.
    #[must_use]
    pub const fn empty() -> Self {
        Self([0; KEY_MAX])
    }

    /// The key's first 16 bytes: all that some BMCs go by.
    #[must_use]
    pub(crate) fn cut(&self) -> Self {
        let mut cut = self.clone();
        cut.0[16..].zeroize();
        cut
    }

    /// The 20 bytes. Secret: for comparing and storing by a BMC, never for printing.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; KEY_MAX] {
        &self.0
    }
}

impl Drop for UserKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserKey(redacted)")
    }
}

/// A key exchange authentication code or integrity check value: 0 to 32 bytes.
///
/// Equality takes the same time wherever the first difference is.
#[derive(Clone, Copy, Eq)]
pub struct Code {
    bytes: [u8; DIGEST_MAX],
    len: u8,
}

impl Code {
    /// No bytes: what RAKP-none has in place of a code.
    pub const EMPTY: Self = Self {
        bytes: [0; DIGEST_MAX],
        len: 0,
    };

    /// A code as received; `None` where it is longer than any algorithm's.
    #[must_use]
    pub fn new(code: &[u8]) -> Option<Self> {
        let mut bytes = [0; DIGEST_MAX];
        bytes.get_mut(..code.len())?.copy_from_slice(code);
        Some(Self {
            bytes,
            len: u8::try_from(code.len()).ok()?,
        })
    }

    /// The code's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len).min(DIGEST_MAX)]
    }

    fn truncated(self, len: usize) -> Self {
        Self::new(&self.as_bytes()[..len.min(usize::from(self.len))]).unwrap_or(self)
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({} bytes)", self.len)
    }
}

/// The HMAC of an authentication algorithm; `None` for RAKP-none and for one that this crate doesn't have.
fn keyed_code(algorithm: AuthAlgorithm, key: &[u8], message: &[u8]) -> Option<Code> {
    match algorithm {
        AuthAlgorithm::HMAC_MD5 => Code::new(&Hmac::<Md5>::new(key).code(message)[..16]),
        AuthAlgorithm::HMAC_SHA1 => Code::new(&Hmac::<Sha1>::new(key).code(message)[..20]),
        AuthAlgorithm::HMAC_SHA256 => Code::new(&Hmac::<Sha256>::new(key).code(message)),
        _ => None,
    }
}

/// Everything that both ends know after RAKP Message 2, except the secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Agreed authentication algorithm.
    pub algorithm: AuthAlgorithm,
    /// Console's session ID (SIDm).
    pub console_session_id: u32,
    /// BMC's session ID (SIDc).
    pub bmc_session_id: u32,
    /// Console's random number (Rm).
    pub console_random: [u8; 16],
    /// BMC's random number (Rc).
    pub bmc_random: [u8; 16],
    /// BMC's GUID (GUIDc).
    pub guid: [u8; 16],
    /// The role byte as RAKP Message 1 carried it, look-up bit included.
    pub role: Role,
    /// The user's name.
    pub user_name: UserName,
}

impl Exchange {
    fn code(&self, key: &UserKey, message: impl FnOnce(&mut Writer<'_>)) -> Code {
        // The longest message is that of RAKP 2: 4 + 4 + 16 + 16 + 16 + 1 + 1 + 16 bytes.
        let mut buffer = [0; 96];
        let mut w = Writer::new(&mut buffer);
        message(&mut w);
        keyed_code(self.algorithm, &key.0, w.written()).unwrap_or(Code::EMPTY)
    }

    fn write_user(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.role.0, self.user_name.len()]);
        w.bytes(self.user_name.as_bytes());
    }

    /// The code in RAKP Message 2, by which the BMC shows that it knows the user's key.
    #[must_use]
    pub fn rakp2_code(&self, user: &UserKey) -> Code {
        self.code(user, |w| {
            w.u32(self.console_session_id);
            w.u32(self.bmc_session_id);
            w.bytes(&self.console_random);
            w.bytes(&self.bmc_random);
            w.bytes(&self.guid);
            self.write_user(w);
        })
    }

    /// The code in RAKP Message 3, by which the console shows that it knows the user's key.
    #[must_use]
    pub fn rakp3_code(&self, user: &UserKey) -> Code {
        self.code(user, |w| {
            w.bytes(&self.bmc_random);
            w.u32(self.console_session_id);
            self.write_user(w);
        })
    }

    /// The session integrity key (SIK), from `K_g`, or from the user's key where the BMC has no `K_g`.
    #[must_use]
    pub fn session_key(&self, kg_or_user: &UserKey) -> SessionKey {
        let sik = self.code(kg_or_user, |w| {
            w.bytes(&self.console_random);
            w.bytes(&self.bmc_random);
            self.write_user(w);
        });
        SessionKey {
            algorithm: self.algorithm,
            sik,
        }
    }

    /// The integrity check value in RAKP Message 4, by which the BMC confirms the session key.
    #[must_use]
    pub fn rakp4_code(&self, key: &SessionKey) -> Code {
        let len = if self.algorithm == AuthAlgorithm::HMAC_SHA1 {
            12
        } else {
            16
        };
        self.rakp4_code_whole(key).truncated(len)
    }

    /// The same before it is truncated, as some BMCs send it.
    #[must_use]
    pub(crate) fn rakp4_code_whole(&self, key: &SessionKey) -> Code {
        let mut buffer = [0; 36];
        let mut w = Writer::new(&mut buffer);
        w.bytes(&self.console_random);
        w.u32(self.bmc_session_id);
        w.bytes(&self.guid);
        keyed_code(self.algorithm, key.sik.as_bytes(), w.written()).unwrap_or(Code::EMPTY)
    }
}

/// The session integrity key, from which the keys of packets are derived (§13.32). Zeroized on drop.
pub struct SessionKey {
    algorithm: AuthAlgorithm,
    sik: Code,
}

impl SessionKey {
    /// Additional key `K1` (integrity) or `K2` (confidentiality): the HMAC of 20 bytes of `constant`.
    ///
    /// The constant has 20 bytes with every algorithm; empty under RAKP-none.
    #[must_use]
    pub fn additional(&self, constant: KeyConstant) -> DerivedKey {
        let code = keyed_code(self.algorithm, self.sik.as_bytes(), &[constant.0; KEY_MAX]);
        DerivedKey(code.unwrap_or(Code::EMPTY))
    }

    /// The key's bytes. Secret: for known-answer tests.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.sik.as_bytes()
    }
}

impl Drop for SessionKey {
    fn drop(&mut self) {
        self.sik.bytes.zeroize();
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(redacted)")
    }
}

/// A key derived from the session integrity key. Zeroized on drop.
pub struct DerivedKey(Code);

impl DerivedKey {
    /// The key's bytes: as many as the digest has.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The first 16 bytes, the key of AES-CBC-128; `None` where the digest has fewer.
    #[must_use]
    pub fn first_16(&self) -> Option<&[u8; 16]> {
        self.as_bytes().first_chunk()
    }
}

impl Drop for DerivedKey {
    fn drop(&mut self) {
        self.0.bytes.zeroize();
    }
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DerivedKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use hmac::{KeyInit, Mac};

    use super::*;

    fn exchange(algorithm: AuthAlgorithm) -> Exchange {
        Exchange {
            algorithm,
            console_session_id: 0x0403_0201,
            bmc_session_id: 0x0807_0605,
            console_random: [0x11; 16],
            bmc_random: [0x22; 16],
            guid: [0x33; 16],
            role: Role(0x14),
            user_name: UserName::new(b"admin").unwrap(),
        }
    }

    /// The same from the `hmac` crate, parts put together by hand.
    fn hmac_of(algorithm: AuthAlgorithm, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let message = parts.concat();
        if algorithm == AuthAlgorithm::HMAC_MD5 {
            let mut mac = hmac::Hmac::<md5::Md5>::new_from_slice(key).unwrap();
            mac.update(&message);
            mac.finalize().into_bytes().to_vec()
        } else if algorithm == AuthAlgorithm::HMAC_SHA1 {
            let mut mac = hmac::Hmac::<sha1::Sha1>::new_from_slice(key).unwrap();
            mac.update(&message);
            mac.finalize().into_bytes().to_vec()
        } else {
            let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
            mac.update(&message);
            mac.finalize().into_bytes().to_vec()
        }
    }

    const USER: &[u8] = b"\x14\x05admin";
    const PASSWORD: &[u8] = b"password\0\0\0\0\0\0\0\0\0\0\0\0";

    #[test]
    fn codes_and_keys_cover_what_13_28_to_13_32_say_in_their_order() {
        for (algorithm, icv_len) in [
            (AuthAlgorithm::HMAC_MD5, 16),
            (AuthAlgorithm::HMAC_SHA1, 12),
            (AuthAlgorithm::HMAC_SHA256, 16),
        ] {
            let exchange = exchange(algorithm);
            let user = UserKey::new(b"password").unwrap();
            let of = |key: &[u8], parts: &[&[u8]]| hmac_of(algorithm, key, parts);
            let (sidm, sidc) = (&[1, 2, 3, 4][..], &[5, 6, 7, 8][..]);
            let (rm, rc, guid) = (&[0x11; 16][..], &[0x22; 16][..], &[0x33; 16][..]);
            let rakp2 = of(PASSWORD, &[sidm, sidc, rm, rc, guid, USER]);
            assert_eq!(exchange.rakp2_code(&user).as_bytes(), rakp2);
            let rakp3 = of(PASSWORD, &[rc, sidm, USER]);
            assert_eq!(exchange.rakp3_code(&user).as_bytes(), rakp3);
            let sik = of(PASSWORD, &[rm, rc, USER]);
            let key = exchange.session_key(&user);
            assert_eq!(key.as_bytes(), sik);
            let rakp4 = of(&sik, &[rm, sidc, guid]);
            assert_eq!(exchange.rakp4_code(&key).as_bytes(), &rakp4[..icv_len]);
            for constant in [KeyConstant::K1, KeyConstant::K2] {
                let derived = of(&sik, &[&[constant.0; 20]]);
                assert_eq!(key.additional(constant).as_bytes(), derived);
                assert_eq!(
                    key.additional(constant).first_16().unwrap()[..],
                    derived[..16]
                );
            }
        }
    }

    #[test]
    fn a_key_of_the_bmcs_own_changes_the_session_key_and_nothing_before_it() {
        let exchange = exchange(AuthAlgorithm::HMAC_SHA256);
        let [user, kg] = [b"password".as_slice(), b"kg"].map(|key| UserKey::new(key).unwrap());
        assert_ne!(
            exchange.session_key(&user).as_bytes(),
            exchange.session_key(&kg).as_bytes()
        );
    }

    #[test]
    fn rakp_none_has_neither_codes_nor_keys() {
        let exchange = exchange(AuthAlgorithm::NONE);
        let user = UserKey::new(b"password").unwrap();
        assert_eq!(exchange.rakp2_code(&user), Code::EMPTY);
        assert_eq!(exchange.rakp3_code(&user), Code::EMPTY);
        let key = exchange.session_key(&user);
        assert_eq!(
            (exchange.rakp4_code(&key), key.as_bytes()),
            (Code::EMPTY, &[][..])
        );
    }

    #[test]
    fn a_code_equals_only_one_of_the_same_length_and_bytes() {
        let code = |bytes: &[u8]| Code::new(bytes).unwrap();
        assert_eq!(code(&[1; 20]), code(&[1; 20]));
        assert_ne!(code(&[1; 20]), code(&[1; 19]));
        assert_ne!(code(&[]), code(&[0]));
        assert_eq!(Code::new(&[0; 33]), None);
    }

    #[test]
    fn keys_and_codes_do_not_print() {
        let key = UserKey::new(b"password").unwrap();
        let exchange = exchange(AuthAlgorithm::HMAC_SHA1);
        let session = exchange.session_key(&key);
        let derived = session.additional(KeyConstant(1));
        let code = exchange.rakp2_code(&key);
        let text = std::format!("{key:?} {session:?} {derived:?} {code:?}");
        assert_eq!(
            text,
            "UserKey(redacted) SessionKey(redacted) DerivedKey(redacted) Code(20 bytes)"
        );
    }
}
