//! AES-CBC-128 payload encryption (§13.29): IV, then the payload padded 01 02 03 .. with the pad length last.

use core::mem::ManuallyDrop;

use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128Dec, Aes128Enc};

use crate::wire::Writer;

/// Bytes of a block, and of the initialisation vector that starts an encrypted payload.
pub(crate) const BLOCK: usize = 16;

/// The key schedule of one session: that for encryption, from which the other follows by nine instructions a packet.
/// Keeping both would make a session a quarter larger, and fetching the second from memory costs more than making it.
pub(crate) struct AesCbc(Aes128Enc);

impl AesCbc {
    pub(crate) fn new(key: &[u8; BLOCK]) -> Self {
        Self(Aes128Enc::new(&Array(*key)))
    }

    /// Pads and encrypts what was written after the vector that starts at offset `iv_at`.
    pub(crate) fn seal(&self, w: &mut Writer<'_>, iv_at: usize) {
        let plain_at = iv_at + BLOCK;
        let pad = (BLOCK - (w.position() - plain_at + 1) % BLOCK) % BLOCK;
        for i in (1u8..).take(pad) {
            w.u8(i);
        }
        w.u8(u8::try_from(pad).unwrap_or(0));
        let Some(bytes) = w.written_mut().get_mut(iv_at..) else {
            return;
        };
        let (blocks, _) = bytes.as_chunks_mut::<BLOCK>();
        let Some((iv, blocks)) = blocks.split_first_mut() else {
            return;
        };
        let mut previous = *iv;
        for block in blocks {
            xor(block, &previous);
            self.0.encrypt_block(Array::cast_from_core_mut(block));
            previous = *block;
        }
    }

    /// Decrypts in place and returns the payload without vector and padding; `None` where the length is no
    /// multiple of the block or the padding is not 01 02 03 .. with its length.
    pub(crate) fn open<'d>(&self, payload: &'d mut [u8]) -> Option<&'d mut [u8]> {
        let (blocks, rest) = payload.as_chunks_mut::<BLOCK>();
        if !rest.is_empty() || blocks.len() < 2 {
            return None;
        }
        // Clearing these few words byte by byte would take half as long as all the rest. They lie on the stack, where the next
        // packet's overwrite them; the key that they come from stays as long as the session and is cleared with it.
        let cipher = ManuallyDrop::new(Aes128Dec::from(&self.0));
        // Backwards, so that each block's predecessor is still ciphertext when it is needed.
        for i in (1..blocks.len()).rev() {
            let [previous, block] = blocks.get_disjoint_mut([i - 1, i]).ok()?;
            cipher.decrypt_block(Array::cast_from_core_mut(block));
            xor(block, previous);
        }
        let plain = payload.get_mut(BLOCK..)?;
        let pad = usize::from(*plain.last()?);
        let data_len = plain.len().checked_sub(1 + pad)?;
        let (data, padding) = plain.split_at_mut_checked(data_len)?;
        let padding_holds = padding
            .iter()
            .take(pad)
            .zip(1u8..)
            .all(|(byte, i)| *byte == i);
        (pad < BLOCK && padding_holds).then_some(data)
    }
}

fn xor(block: &mut [u8; BLOCK], other: &[u8; BLOCK]) {
    *block = (u128::from_ne_bytes(*block) ^ u128::from_ne_bytes(*other)).to_ne_bytes();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(aes: &AesCbc, plain: &[u8]) -> std::vec::Vec<u8> {
        let mut buffer = [0; 512];
        let mut w = Writer::new(&mut buffer);
        w.bytes(&[0x5a; 3]);
        w.bytes(&[7; BLOCK]);
        w.bytes(plain);
        aes.seal(&mut w, 3);
        w.finish().unwrap();
        w.written()[3..].to_vec()
    }

    #[test]
    fn nist_sp_800_38a_f_2_1_first_block() {
        let key = 0x2b7e_1516_28ae_d2a6_abf7_1588_09cf_4f3c_u128.to_be_bytes();
        let aes = AesCbc::new(&key);
        let mut buffer = [0; 64];
        let mut w = Writer::new(&mut buffer);
        w.bytes(&core::array::from_fn::<u8, 16, _>(|i| {
            u8::try_from(i).unwrap()
        }));
        w.bytes(&0x6bc1_bee2_2e40_9f96_e93d_7e11_7393_172a_u128.to_be_bytes());
        aes.seal(&mut w, 0);
        let cipher = 0x7649_abac_8119_b246_cee9_8e9b_12e9_197d_u128.to_be_bytes();
        assert_eq!(w.written()[16..32], cipher);
    }

    #[test]
    fn every_length_round_trips_in_the_fewest_blocks() {
        let aes = AesCbc::new(&[9; 16]);
        for len in 0..200usize {
            let plain: std::vec::Vec<u8> = (0..len).map(|i| u8::try_from(i).unwrap()).collect();
            let mut bytes = sealed(&aes, &plain);
            assert_eq!(bytes.len(), BLOCK + (len + 1).next_multiple_of(BLOCK));
            assert_eq!(aes.open(&mut bytes), Some(&mut plain.clone()[..]));
        }
    }

    #[test]
    fn wrong_padding_or_length_is_refused() {
        let aes = AesCbc::new(&[9; 16]);
        let encrypt = |plain: [u8; 16]| {
            let mut block = plain;
            xor(&mut block, &[7; 16]);
            aes.0.encrypt_block(Array::cast_from_core_mut(&mut block));
            [[7; 16], block].concat()
        };
        let mut plain = [0xee; 16];
        plain[13..].copy_from_slice(&[1, 2, 2]);
        assert_eq!(
            aes.open(&mut encrypt(plain)).map(|data| data.len()),
            Some(13)
        );
        plain[13..].copy_from_slice(&[1, 3, 2]);
        assert_eq!(
            aes.open(&mut encrypt(plain)),
            None,
            "pad bytes must count up"
        );
        plain[15] = 16;
        assert_eq!(
            aes.open(&mut encrypt(plain)),
            None,
            "longer than the payload"
        );
        let whole = sealed(&aes, &[1; 20]);
        for len in 0..whole.len() {
            let cut = aes.open(&mut whole[..len].to_vec()).is_some();
            assert!(!cut || len % BLOCK == 0, "{len} bytes are no whole blocks");
        }
    }
}
