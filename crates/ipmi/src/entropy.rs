//! Randomness as an argument.

/// Where random bytes come from: the operating system in production, a seeded generator in simulations.
///
/// Session nonces and AES initialisation vectors are drawn from it, so outside tests it must be cryptographically
/// strong.
pub trait Entropy {
    /// Fills `out` with random bytes.
    fn fill(&mut self, out: &mut [u8]);

    /// A random 32-bit number.
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }
}

/// A function that fills bytes, such as one around the operating system's random bytes.
impl<F: FnMut(&mut [u8])> Entropy for F {
    fn fill(&mut self, out: &mut [u8]) {
        self(out);
    }
}
