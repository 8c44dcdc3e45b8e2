//! HMAC with the key absorbed once (RFC 2104).
//!
//! Both key blocks are compressed when the key is known; after that a code over a short packet costs two
//! compressions and copies nothing but two chaining values of 20 or 32 bytes. The generic `hmac` crate carries
//! buffers and lengths in each clone, several times that size.

use zeroize::Zeroize;

/// Bytes of the longest digest.
pub(crate) const DIGEST_MAX: usize = 32;
/// Bytes of a block of every digest that IPMI uses.
const BLOCK: usize = 64;

/// A digest at the level of its compression function.
pub(crate) trait Hash {
    /// Chaining value.
    type State: Copy + Zeroize;
    /// Initial chaining value (FIPS 180-4 §5.3).
    const INITIAL: Self::State;
    /// Bytes of the digest.
    const LEN: usize;

    fn compress(state: &mut Self::State, blocks: &[[u8; BLOCK]]);
    /// Writes the digest into the first `LEN` bytes.
    fn output(state: &Self::State, out: &mut [u8; DIGEST_MAX]);
    /// The message's length in bits, as it ends the last block.
    fn length(bits: u64) -> [u8; 8] {
        bits.to_be_bytes()
    }
}

pub(crate) struct Md5;

impl Hash for Md5 {
    type State = [u32; 4];
    /// RFC 1321 §3.3.
    const INITIAL: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    const LEN: usize = 16;

    fn compress(state: &mut [u32; 4], blocks: &[[u8; BLOCK]]) {
        md5::block_api::compress(state, blocks);
    }

    fn output(state: &[u32; 4], out: &mut [u8; DIGEST_MAX]) {
        for (bytes, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(state) {
            *bytes = word.to_le_bytes();
        }
    }

    fn length(bits: u64) -> [u8; 8] {
        bits.to_le_bytes()
    }
}

pub(crate) struct Sha1;

impl Hash for Sha1 {
    type State = [u32; 5];
    const INITIAL: [u32; 5] = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    const LEN: usize = 20;

    fn compress(state: &mut [u32; 5], blocks: &[[u8; BLOCK]]) {
        sha1::block_api::compress(state, blocks);
    }

    fn output(state: &[u32; 5], out: &mut [u8; DIGEST_MAX]) {
        big_endian(state, out);
    }
}

pub(crate) struct Sha256;

impl Hash for Sha256 {
    type State = [u32; 8];
    const INITIAL: [u32; 8] = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];
    const LEN: usize = 32;

    fn compress(state: &mut [u32; 8], blocks: &[[u8; BLOCK]]) {
        sha2::block_api::compress256(state, blocks);
    }

    fn output(state: &[u32; 8], out: &mut [u8; DIGEST_MAX]) {
        big_endian(state, out);
    }
}

fn big_endian(words: &[u32], out: &mut [u8; DIGEST_MAX]) {
    for (bytes, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *bytes = word.to_be_bytes();
    }
}

/// An HMAC key, ready for messages.
pub(crate) struct Hmac<H: Hash> {
    inner: H::State,
    outer: H::State,
}

impl<H: Hash> Hmac<H> {
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        if let Some(start) = block.get_mut(..key.len()) {
            start.copy_from_slice(key);
        } else {
            let mut digest = [0; DIGEST_MAX];
            H::output(&absorb::<H>(H::INITIAL, 0, key), &mut digest);
            block[..H::LEN].copy_from_slice(&digest[..H::LEN]);
        }
        let keyed = |pad: u8| {
            let mut padded = block.map(|byte| byte ^ pad);
            let mut state = H::INITIAL;
            H::compress(&mut state, core::slice::from_ref(&padded));
            padded.zeroize();
            state
        };
        let (inner, outer) = (keyed(0x36), keyed(0x5c));
        block.zeroize();
        Self { inner, outer }
    }

    /// The whole code of `message`; the first `H::LEN` bytes hold it.
    pub(crate) fn code(&self, message: &[u8]) -> [u8; DIGEST_MAX] {
        let mut digest = [0; DIGEST_MAX];
        H::output(&absorb::<H>(self.inner, BLOCK, message), &mut digest);
        let state = absorb::<H>(self.outer, BLOCK, &digest[..H::LEN]);
        H::output(&state, &mut digest);
        digest
    }
}

impl<H: Hash> Drop for Hmac<H> {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

/// Hashes `message` to its end after `before` bytes (whole blocks) are already in `state`.
fn absorb<H: Hash>(mut state: H::State, before: usize, message: &[u8]) -> H::State {
    let (blocks, rest) = message.as_chunks::<BLOCK>();
    if !blocks.is_empty() {
        H::compress(&mut state, blocks);
    }
    let bits = ((before + message.len()) as u64) * 8;
    let mut last = [[0; BLOCK]; 2];
    last[0][..rest.len()].copy_from_slice(rest);
    last[0][rest.len()] = 0x80;
    let count = if rest.len() < BLOCK - 8 { 1 } else { 2 };
    last[count - 1][BLOCK - 8..].copy_from_slice(&H::length(bits));
    H::compress(&mut state, &last[..count]);
    state
}

#[cfg(test)]
mod tests {
    use hmac::{KeyInit, Mac};

    use super::*;

    fn hex(bytes: &[u8]) -> std::string::String {
        bytes
            .iter()
            .map(|byte| std::format!("{byte:02x}"))
            .collect()
    }

    #[test]
    fn rfc_2202_and_rfc_4231_case_2() {
        let message = b"what do ya want for nothing?";
        let md5 = Hmac::<Md5>::new(b"Jefe").code(message);
        assert_eq!(hex(&md5[..16]), "750c783e6ab0b503eaa86e310a5db738");
        let sha1 = Hmac::<Sha1>::new(b"Jefe").code(message);
        assert_eq!(hex(&sha1[..20]), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        let sha256 = Hmac::<Sha256>::new(b"Jefe").code(message);
        assert_eq!(
            hex(&sha256),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn codes_equal_those_of_the_hmac_crate_for_every_length_around_the_block_borders() {
        let bytes: std::vec::Vec<u8> = (0..=255).collect();
        for key_len in [0, 1, 20, 32, 63, 64, 65, 200] {
            for len in 0..200 {
                let (key, message) = (&bytes[..key_len], &bytes[bytes.len() - len..]);
                let mut md5 = hmac::Hmac::<md5::Md5>::new_from_slice(key).unwrap();
                md5.update(message);
                let ours = Hmac::<Md5>::new(key).code(message);
                assert_eq!(ours[..16], md5.finalize().into_bytes()[..]);
                let mut sha1 = hmac::Hmac::<sha1::Sha1>::new_from_slice(key).unwrap();
                sha1.update(message);
                let ours = Hmac::<Sha1>::new(key).code(message);
                assert_eq!(ours[..20], sha1.finalize().into_bytes()[..]);
                let mut sha256 = hmac::Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
                sha256.update(message);
                let ours = Hmac::<Sha256>::new(key).code(message);
                assert_eq!(ours[..], sha256.finalize().into_bytes()[..]);
            }
        }
    }
}
