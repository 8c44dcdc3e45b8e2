//! Universally unique identifiers.

use core::fmt;
use core::str::FromStr;

/// A UUID (RFC 4122), its bytes in the order in which they are written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// The UUID of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

/// The usual text, in lower case: `1b4e28ba-2fa1-11d2-883f-0016d3cca427`.
impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is no UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoUuid;

impl fmt::Display for NoUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no UUID: 32 hexadecimal digits are expected, as xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
        )
    }
}

impl core::error::Error for NoUuid {}

/// Reads what [`fmt::Display`] writes, in either case.
impl FromStr for Uuid {
    type Err = NoUuid;

    fn from_str(text: &str) -> Result<Self, NoUuid> {
        if text.len() != 36 {
            return Err(NoUuid);
        }
        let mut bytes = [0; 16];
        let mut digits = 0;
        for (index, character) in text.char_indices() {
            if matches!(index, 8 | 13 | 18 | 23) {
                if character != '-' {
                    return Err(NoUuid);
                }
                continue;
            }
            let digit = character.to_digit(16).ok_or(NoUuid)?;
            let byte: &mut u8 = bytes.get_mut(digits / 2).ok_or(NoUuid)?;
            *byte = *byte << 4 | digit as u8;
            digits += 1;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn the_text_of_a_uuid_is_read_as_it_is_written() {
        let text = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
        let uuid: Uuid = text.parse().unwrap();
        assert_eq!(uuid.to_bytes()[..5], [0x1b, 0x4e, 0x28, 0xba, 0x2f]);
        assert_eq!(uuid.to_string(), text);
        assert_eq!(text.to_uppercase().parse(), Ok(uuid));
        assert_eq!(Uuid::from_bytes(uuid.to_bytes()), uuid);
    }

    #[test]
    fn other_texts_are_no_uuids() {
        for text in [
            "",
            "1b4e28ba2fa111d2883f0016d3cca427",
            "1b4e28ba-2fa1-11d2-883f-0016d3cca42",
            "1b4e28ba-2fa1-11d2-883f-0016d3cca42g",
            "1b4e28ba-2fa1-11d2-883f-0016d3cca4é",
            "1b4e28baa2fa1-11d2-883f-0016d3cca42",
        ] {
            assert_eq!(text.parse::<Uuid>(), Err(NoUuid), "{text}");
        }
    }
}
