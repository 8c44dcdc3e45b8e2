//! Random bytes of the operating system.

use std::io;

/// So many are fetched at a time: one system call for 256 initialisation vectors.
const BUFFER_LEN: usize = 4_096;

/// Random bytes of the operating system, fetched in larger pieces: cryptographically strong, and none is given out twice.
///
/// Whoever drives a protocol that takes randomness as an argument hands in a closure: `&mut |out: &mut [u8]| random.fill(out)`.
#[derive(Debug)]
pub struct RandomBytes(Buffer);

struct Buffer {
    bytes: Box<[u8; BUFFER_LEN]>,
    used: usize,
}

impl std::fmt::Debug for Buffer {
    /// What comes next is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Buffer").finish_non_exhaustive()
    }
}

impl RandomBytes {
    /// Fetches the first ones.
    ///
    /// # Errors
    /// The operating system has none.
    pub fn new() -> io::Result<Self> {
        let mut random = Self(Buffer {
            bytes: Box::new([0; BUFFER_LEN]),
            used: BUFFER_LEN,
        });
        random.refill()?;
        Ok(random)
    }

    fn refill(&mut self) -> io::Result<()> {
        let Self(buffer) = self;
        getrandom::fill(&mut *buffer.bytes).map_err(io::Error::other)?;
        buffer.used = 0;
        Ok(())
    }

    /// Fills `out` with random bytes.
    pub fn fill(&mut self, out: &mut [u8]) {
        for piece in out.chunks_mut(BUFFER_LEN) {
            if BUFFER_LEN - self.0.used < piece.len() {
                self.refill()
                    .expect("a system that has given random bytes once goes on giving them");
            }
            let Self(buffer) = self;
            let end = buffer.used + piece.len();
            let taken = &mut buffer.bytes[buffer.used..end];
            piece.copy_from_slice(taken);
            // No byte is ever given out twice, or found in memory later.
            taken.fill(0);
            buffer.used = end;
        }
    }

    /// A random 32-bit number.
    #[must_use]
    pub fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bytes_are_never_given_out_twice() {
        let mut random = RandomBytes::new().unwrap();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..2_000 {
            let mut bytes = [0; 16];
            random.fill(&mut bytes);
            assert!(seen.insert(bytes));
        }
        let mut long = [0; 3 * BUFFER_LEN + 5];
        random.fill(&mut long);
        assert!(
            long.chunks(16)
                .all(|piece| piece.iter().any(|byte| *byte != 0) || piece.len() < 8)
        );
        assert!(!format!("{random:?}").contains('['), "they are secrets");
    }
}
