//! Passwords made for one run.

use crate::config::Secret;

/// Letters and digits that people don't mistake for one another: 2^5 of them, so that a random byte maps without bias.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345678";

/// A password of `len` characters, five random bits each.
///
/// # Errors
/// The operating system has no randomness to give.
pub(crate) fn generate(len: usize) -> Result<Secret, getrandom::Error> {
    let mut bytes = vec![0; len];
    getrandom::fill(&mut bytes)?;
    for byte in &mut bytes {
        *byte = ALPHABET[usize::from(*byte) % ALPHABET.len()];
    }
    Ok(Secret::new(bytes))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn passwords_differ_and_are_as_long_as_asked() {
        let all: BTreeSet<Vec<u8>> = (0..100)
            .map(|_| generate(16).unwrap().expose().to_vec())
            .collect();
        assert_eq!(all.len(), 100);
        assert!(all.iter().all(|p| p.len() == 16));
    }

    #[test]
    fn no_character_is_there_twice() {
        assert_eq!(
            ALPHABET.iter().collect::<BTreeSet<_>>().len(),
            ALPHABET.len()
        );
    }
}
