//! xRC4 payload encryption (§13.30): the place in the key stream, then at its beginning the vector that it is made
//! from, then the payload, as long as in the clear.

use md5::Digest;
use rc4::{KeyInit, Rc4, StreamCipher};
use zeroize::Zeroize;

use super::exchange::DerivedKey;
use crate::entropy::Entropy;
use crate::wire::Writer;

/// Bytes of the vector from which a key stream is made.
const VECTOR: usize = 16;
/// Bytes of the place in the key stream.
const OFFSET: usize = 4;
/// Bytes before the payload, where a key stream begins.
pub(crate) const HEADER: usize = OFFSET + VECTOR;

/// How far a packet may be ahead in the peer's key stream, in bytes: what got lost before it.
pub(crate) const AHEAD_MAX: u32 = 16 * 1024;

/// xRC4 with one session's key.
///
/// Each packet that we send begins a key stream of its own, so that it can be read whatever was lost before it. A
/// peer may go on in one stream; then packets that arrive late are lost, since the stream is not turned back.
pub(crate) struct Xrc4 {
    k2: [u8; VECTOR],
    key_len: usize,
    inbound: Option<Stream>,
}

/// A key stream, and how much of it is used.
struct Stream {
    cipher: Rc4,
    at: u32,
}

impl Drop for Xrc4 {
    fn drop(&mut self) {
        self.k2.zeroize();
    }
}

impl Xrc4 {
    /// xRC4 with a key of `bits`, 128 or 40; `None` where `k2` is too short.
    pub(crate) fn new(k2: &DerivedKey, bits: usize) -> Option<Self> {
        Some(Self {
            k2: *k2.first_16()?,
            key_len: bits / 8,
            inbound: None,
        })
    }

    fn cipher(&self, vector: &[u8]) -> Option<Rc4> {
        let mut md5 = md5::Md5::new();
        md5.update(self.k2);
        md5.update(vector);
        let mut key = md5.finalize();
        let cipher = Rc4::new_from_slice(key.get(..self.key_len)?).ok();
        key.zeroize();
        cipher
    }

    /// Writes what comes before the payload.
    pub(crate) fn begin(entropy: &mut dyn Entropy, w: &mut Writer<'_>) {
        let mut vector = [0; VECTOR];
        entropy.fill(&mut vector);
        w.u32(0);
        w.bytes(&vector);
    }

    /// Encrypts what was written behind the header that starts at offset `header_at`.
    pub(crate) fn seal(&self, w: &mut Writer<'_>, header_at: usize) {
        let Some((header, payload)) = w
            .written_mut()
            .get_mut(header_at..)
            .and_then(|bytes| bytes.split_at_mut_checked(HEADER))
        else {
            return;
        };
        if let Some(mut cipher) = self.cipher(&header[OFFSET..]) {
            cipher.apply_keystream(payload);
        }
    }

    /// Decrypts in place and returns the payload without what comes before it; `None` where it is too short, or its
    /// place in the key stream is behind us, too far ahead, or in a stream whose beginning never came.
    pub(crate) fn open<'d>(&mut self, payload: &'d mut [u8]) -> Option<&'d mut [u8]> {
        let (offset, payload) = payload.split_first_chunk_mut::<OFFSET>()?;
        let at = u32::from_le_bytes(*offset);
        let payload = if at == 0 {
            let (vector, payload) = payload.split_at_mut_checked(VECTOR)?;
            let cipher = self.cipher(vector)?;
            self.inbound = Some(Stream { cipher, at });
            payload
        } else {
            payload
        };
        let stream = self.inbound.as_mut()?;
        let skipped = at
            .checked_sub(stream.at)
            .filter(|skipped| *skipped <= AHEAD_MAX)?;
        let end = at.checked_add(u32::try_from(payload.len()).ok()?)?;
        for _ in 0..skipped {
            stream.cipher.apply_keystream(&mut [0]);
        }
        stream.cipher.apply_keystream(payload);
        stream.at = end;
        Some(payload)
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::crypto::{Exchange, UserKey};
    use crate::number::{AuthAlgorithm, PrivilegeLevel};
    use crate::wire::rakp::{Role, UserName};

    fn k2() -> DerivedKey {
        let exchange = Exchange {
            algorithm: AuthAlgorithm::HMAC_SHA1,
            console_session_id: 1,
            bmc_session_id: 2,
            console_random: [3; 16],
            bmc_random: [4; 16],
            guid: [5; 16],
            role: Role::name_only(PrivilegeLevel::ADMINISTRATOR),
            user_name: UserName::default(),
        };
        let user = UserKey::new(b"password").unwrap();
        exchange
            .session_key(&user)
            .additional(crate::number::KeyConstant(2))
    }

    /// RC4 as it was published, written down a second time.
    fn rc4(key: &[u8], data: &[u8]) -> Vec<u8> {
        let mut state: Vec<u8> = (0..=255).collect();
        let mut j = 0_usize;
        for i in 0..256 {
            j = (j + usize::from(state[i]) + usize::from(key[i % key.len()])) % 256;
            state.swap(i, j);
        }
        let (mut i, mut j) = (0_usize, 0_usize);
        let mut next = || {
            i = (i + 1) % 256;
            j = (j + usize::from(state[i])) % 256;
            state.swap(i, j);
            state[(usize::from(state[i]) + usize::from(state[j])) % 256]
        };
        data.iter().map(|byte| byte ^ next()).collect()
    }

    fn key(bits: usize, vector: &[u8]) -> Vec<u8> {
        let material = [k2().first_16().unwrap(), vector].concat();
        md5::Md5::digest(material)[..bits / 8].to_vec()
    }

    #[test]
    fn wikipedias_vector_of_rc4() {
        assert_eq!(rc4(b"Key", b"Plaintext")[..4], [0xbb, 0xf3, 0x16, 0xe8]);
    }

    #[test]
    fn a_packet_is_offset_0_a_vector_and_rc4_under_the_md5_of_k2_and_the_vector() {
        struct Nines;
        impl Entropy for Nines {
            fn fill(&mut self, out: &mut [u8]) {
                out.fill(9);
            }
        }
        for bits in [128, 40] {
            let mut xrc4 = Xrc4::new(&k2(), bits).unwrap();
            let mut buffer = [0; 64];
            let mut w = Writer::new(&mut buffer);
            w.u8(0xee);
            Xrc4::begin(&mut Nines, &mut w);
            w.bytes(b"what is said");
            xrc4.seal(&mut w, 1);
            let encrypted = rc4(&key(bits, &[9; 16]), b"what is said");
            let expected = [&[0xee, 0, 0, 0, 0][..], &[9; 16], &encrypted].concat();
            assert_eq!(w.written(), expected);
            let opened = xrc4.open(&mut w.written_mut()[1..]);
            assert_eq!(opened.as_deref(), Some(&b"what is said"[..]));
        }
    }

    #[test]
    fn a_stream_goes_on_over_what_was_lost_and_not_back() {
        let stream = rc4(&key(128, &[7; 16]), &[0; 20_000]);
        let packet = |offset: usize, text: &[u8]| {
            let mut bytes = u32::try_from(offset).unwrap().to_le_bytes().to_vec();
            if offset == 0 {
                bytes.extend([7; 16]);
            }
            bytes.extend(text.iter().zip(&stream[offset..]).map(|(a, b)| a ^ b));
            bytes
        };
        let mut xrc4 = Xrc4::new(&k2(), 128).unwrap();
        let mut open = |mut bytes: Vec<u8>| xrc4.open(&mut bytes).map(|plain| plain.to_vec());
        assert_eq!(open(packet(4, b"early")), None, "the vector never came");
        assert_eq!(open(packet(0, b"first")), Some(b"first".to_vec()));
        assert_eq!(open(packet(5, b"second")), Some(b"second".to_vec()));
        assert_eq!(open(packet(300, b"later")), Some(b"later".to_vec()));
        assert_eq!(open(packet(11, b"late")), None);
        assert_eq!(open(packet(305 + 16 * 1024 + 1, b"far")), None);
        assert_eq!(open(packet(305 + 16 * 1024, b"far")), Some(b"far".to_vec()));
        assert_eq!(open(packet(0, b"anew")), Some(b"anew".to_vec()));
        for len in 0..20 {
            assert_eq!(open(std::vec![0; len]), None, "{len} bytes");
        }
        assert_eq!(open(std::vec![0; 20]), Some(std::vec![]));
    }
}
