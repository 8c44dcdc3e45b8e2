//! The laws that every command and answer keeps, as functions for the tests beside each of them.

use core::fmt::Debug;

use super::{Command, Message};
use crate::wire::{Reader, WireFault, Writer};

/// A buffer prefilled with a pattern that no encoder writes by accident.
const BUFFER: [u8; 320] = [0xa5; 320];

/// How many random inputs each decoder gets.
const ROUNDS: usize = 2_000;

fn encoded(encode: impl Fn(&mut Writer<'_>)) -> std::vec::Vec<u8> {
    let mut buffer = BUFFER;
    let mut w = Writer::new(&mut buffer);
    encode(&mut w);
    let len = w
        .finish()
        .expect("the test buffer is larger than any command");
    assert!(
        buffer[len..].iter().all(|byte| *byte == 0xa5),
        "wrote past what it reports"
    );
    buffer[..len].to_vec()
}

/// Both directions of a request against the bytes of the specification; fewer than `least` bytes are refused.
pub(crate) fn request<C: Command + PartialEq + Debug>(command: &C, bytes: &[u8], least: usize) {
    assert_eq!(encoded(|w| command.encode(w)), bytes, "encode {}", C::NAME);
    let mut r = Reader::new(bytes);
    assert_eq!(
        C::decode(&mut r).as_ref(),
        Ok(command),
        "decode {}",
        C::NAME
    );
    r.finish("request")
        .expect("a request decoder reads every byte");
    for len in 0..bytes.len() {
        let decoded = C::decode(&mut Reader::new(&bytes[..len]));
        refuses_short(decoded.map(drop).map_err(|e| e.fault), len, least);
    }
    for data in Arbitrary::new(ROUNDS) {
        if let Ok(decoded) = C::decode(&mut Reader::new(&data)) {
            let again = encoded(|w| decoded.encode(w));
            assert_eq!(
                C::decode(&mut Reader::new(&again)),
                Ok(decoded),
                "{data:02x?}"
            );
        }
    }
}

/// Both directions of an answer against the bytes of the specification; fewer than `least` bytes are refused.
pub(crate) fn response<M: Message + PartialEq + Debug>(message: &M, bytes: &[u8], least: usize) {
    assert_eq!(encoded(|w| message.encode(w)), bytes, "encode {message:?}");
    assert_eq!(M::decode(&mut Reader::new(bytes)).as_ref(), Ok(message));
    for len in 0..bytes.len() {
        let decoded = M::decode(&mut Reader::new(&bytes[..len]));
        refuses_short(decoded.map(drop).map_err(|e| e.fault), len, least);
    }
    for data in Arbitrary::new(ROUNDS) {
        if let Ok(decoded) = M::decode(&mut Reader::new(&data)) {
            let again = encoded(|w| decoded.encode(w));
            assert_eq!(
                M::decode(&mut Reader::new(&again)),
                Ok(decoded),
                "{data:02x?}"
            );
        }
    }
}

fn refuses_short(decoded: Result<(), WireFault>, len: usize, least: usize) {
    if len < least {
        assert_eq!(decoded, Err(WireFault::Truncated), "{len} bytes");
    } else {
        assert_eq!(decoded, Ok(()), "{len} bytes");
    }
}

/// Seeded random byte strings of 0 to 63 bytes.
pub(crate) struct Arbitrary {
    state: u64,
    left: usize,
}

impl Arbitrary {
    /// `rounds` strings, the same in every run.
    pub(crate) fn new(rounds: usize) -> Self {
        Self {
            state: 0x9e37_79b9_7f4a_7c15,
            left: rounds,
        }
    }

    /// The next random number (xorshift64*).
    pub(crate) fn number(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

impl Iterator for Arbitrary {
    type Item = std::vec::Vec<u8>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let len = self.number() >> 58;
        Some((0..len).map(|_| self.number().to_le_bytes()[5]).collect())
    }
}
