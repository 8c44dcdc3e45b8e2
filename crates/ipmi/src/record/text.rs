//! The text encodings of type/length bytes, in SDRs (§43.15) and in FRU inventories (FRU 1.0 §13).

use alloc::string::String;
use alloc::vec::Vec;

/// How the bytes behind a type/length byte are to be read: its top 2 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextType {
    /// In a FRU inventory: binary. In an SDR: Unicode.
    Binary,
    /// Two of 16 characters in a byte.
    BcdPlus,
    /// Four of 64 characters in three bytes.
    SixBit,
    /// In an SDR, and in a FRU area in English: Latin-1. In a FRU area in another language: UTF-16, low byte first.
    EightBit,
}

impl TextType {
    /// From the top 2 bits of a type/length byte.
    #[must_use]
    pub const fn from_type_length(type_length: u8) -> Self {
        match type_length >> 6 {
            0 => Self::Binary,
            1 => Self::BcdPlus,
            2 => Self::SixBit,
            _ => Self::EightBit,
        }
    }

    /// As the top 2 bits of a type/length byte.
    #[must_use]
    pub const fn to_type_length(self) -> u8 {
        (self as u8) << 6
    }
}

/// The 16 characters of BCD plus. A FRU inventory reserves the last three; SDRs define them (§43.15).
const BCD_PLUS: &[u8; 16] = b"0123456789 -.:,_";

/// Reads BCD plus, the high half of each byte first.
pub(crate) fn bcd_plus(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0x0f])
        .map(|nibble| char::from(BCD_PLUS[usize::from(nibble)]))
        .collect()
}

/// Writes BCD plus; an odd number of characters is filled with a space. `None` for other characters.
pub(crate) fn to_bcd_plus(text: &str) -> Option<Vec<u8>> {
    let nibble = |byte: &u8| {
        BCD_PLUS
            .iter()
            .position(|c| c == byte)
            .and_then(|n| n.try_into().ok())
    };
    let nibbles: Vec<u8> = text.as_bytes().iter().map(nibble).collect::<Option<_>>()?;
    Some(
        nibbles
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair.get(1).unwrap_or(&0x0a))
            .collect(),
    )
}

/// Reads packed 6-bit ASCII, the first character in the low bits.
pub(crate) fn six_bit(bytes: &[u8]) -> String {
    (0..bytes.len() * 8 / 6)
        .map(|i| {
            let (byte, shift) = (i * 6 / 8, i * 6 % 8);
            let high = bytes.get(byte + 1).copied().unwrap_or(0);
            let [code, _] = (u16::from_le_bytes([bytes[byte], high]) >> shift & 0x3f).to_le_bytes();
            char::from(code + 0x20)
        })
        .collect()
}

/// Writes packed 6-bit ASCII. `None` for characters that are not among `' '..='_'`: small letters among others.
pub(crate) fn to_six_bit(text: &str) -> Option<Vec<u8>> {
    let mut packed = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0_u16, 0);
    for character in text.bytes() {
        if !(0x20..=0x5f).contains(&character) {
            return None;
        }
        bits |= u16::from(character - 0x20) << count;
        count += 6;
        if count >= 8 {
            packed.push(bits.to_le_bytes()[0]);
            bits >>= 8;
            count -= 8;
        }
    }
    if count > 0 {
        packed.push(bits.to_le_bytes()[0]);
    }
    Some(packed)
}

/// Reads Latin-1: every byte is the character of its number.
pub(crate) fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Writes Latin-1. `None` for characters beyond U+00FF.
pub(crate) fn to_latin_1(text: &str) -> Option<Vec<u8>> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect()
}

/// Reads UTF-16, low byte first; a broken surrogate pair becomes U+FFFD, an odd last byte is dropped.
pub(crate) fn utf_16(bytes: &[u8]) -> String {
    let units = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Writes UTF-16, low byte first.
pub(crate) fn to_utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A decoded text as it may be shown.
///
/// It ends at the first NUL: makers fill fields with a NUL and what happens to lie behind it. What fills a field up
/// goes: FFh as in erased EEPROM, spaces. Control characters become U+FFFD, since a name ends up in terminals.
pub(crate) fn clean(text: &str) -> String {
    let text = text.split('\0').next().unwrap_or_default();
    text.trim_end_matches(['\u{ff}', ' '])
        .trim_start_matches(' ')
        .replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_example_of_packed_six_bit_ascii() {
        assert_eq!(six_bit(&[0x29, 0xdc, 0xa6]), "IPMI");
        assert_eq!(to_six_bit("IPMI"), Some([0x29, 0xdc, 0xa6].to_vec()));
        assert_eq!(to_six_bit("ipmi"), None);
    }

    #[test]
    fn six_bit_text_of_every_length_comes_back() {
        let text = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_";
        for len in 0..=text.len() {
            let packed = to_six_bit(&text[..len]).unwrap();
            assert_eq!(packed.len(), (len * 6).div_ceil(8));
            // Up to 6 spare bits can read as one more space.
            assert_eq!(six_bit(&packed).trim_end(), text[..len].trim_end());
        }
    }

    #[test]
    fn bcd_plus_has_its_high_half_first_and_sixteen_characters() {
        assert_eq!(bcd_plus(&[0x12, 0xb3, 0xc4, 0xde, 0xfa]), "12-3.4:,_ ");
        assert_eq!(
            to_bcd_plus("12-3.4:,_ "),
            Some([0x12, 0xb3, 0xc4, 0xde, 0xfa].to_vec())
        );
        assert_eq!(to_bcd_plus("123"), Some([0x12, 0x3a].to_vec()));
        assert_eq!(to_bcd_plus("12A"), None);
    }

    #[test]
    fn latin_1_and_utf_16_come_back() {
        assert_eq!(latin_1(&[b'a', 0xe9]), "aé");
        assert_eq!(to_latin_1("aé"), Some([b'a', 0xe9].to_vec()));
        assert_eq!(to_latin_1("a→"), None);
        assert_eq!(utf_16(&to_utf_16("漢字 𝄞")), "漢字 𝄞");
        assert_eq!(utf_16(&[0x00, 0xd8, 0x41]), "\u{fffd}");
    }

    #[test]
    fn a_type_is_the_top_two_bits() {
        for bits in 0..4 {
            assert_eq!(
                TextType::from_type_length(bits << 6 | 0x15).to_type_length(),
                bits << 6
            );
        }
    }
}
