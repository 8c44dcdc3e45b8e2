//! One field of a FRU area: type/length byte and data (FRU 1.0 §13).

use crate::number::Language;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::record::text::{self, TextType};

/// The most bytes that a field can hold: its length is 6 bits.
pub const FIELD_MAX: usize = 63;

/// The type/length byte that ends the fields of an area.
pub(super) const END_OF_FIELDS: u8 = 0xc1;

impl Language {
    /// Whether 8-bit fields are Latin-1; in another language they are UTF-16.
    #[must_use]
    pub const fn is_english(self) -> bool {
        matches!(self.0, 0 | 25)
    }
}

/// A field as it is stored. `FruField::default()` is an empty one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FruField {
    kind: TextType,
    data: Vec<u8>,
}

impl Default for FruField {
    /// Empty, of type 00b: stored as one zero byte.
    fn default() -> Self {
        Self {
            kind: TextType::Binary,
            data: Vec::new(),
        }
    }
}

impl FruField {
    /// A field of this type; `None` where there are more than 63 bytes, or where type and length together would
    /// read as the end of the fields (one byte of 8-bit text).
    #[must_use]
    pub fn new(kind: TextType, data: &[u8]) -> Option<Self> {
        let ends = kind == TextType::EightBit && data.len() == 1;
        if data.len() > FIELD_MAX || ends {
            None
        } else {
            Some(Self {
                kind,
                data: data.to_vec(),
            })
        }
    }

    /// Text in 8-bit characters for an English area, in UTF-16 for another; empty text makes an empty field.
    ///
    /// One Latin-1 character cannot be stored as such, and becomes packed 6-bit ASCII, or is followed by a space.
    /// `None` where the text is too long or has characters that the language's encoding lacks.
    #[must_use]
    pub fn from_text(text: &str, language: Language) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        if !language.is_english() {
            return Self::new(TextType::EightBit, &text::to_utf_16(text));
        }
        let mut latin_1 = text::to_latin_1(text)?;
        if latin_1.len() == 1 {
            if let Some(packed) = text::to_six_bit(text) {
                return Self::new(TextType::SixBit, &packed);
            }
            latin_1.push(b' ');
        }
        Self::new(TextType::EightBit, &latin_1)
    }

    /// Text in packed 6-bit ASCII; `None` where it is too long or has other characters than `' '..='_'`.
    #[must_use]
    pub fn from_six_bit(text: &str) -> Option<Self> {
        Self::new(TextType::SixBit, &text::to_six_bit(text)?)
    }

    /// Text in BCD plus; `None` where it is too long or has characters other than digits and ` -.:,_`.
    ///
    /// ipmitool reads it; FreeIPMI takes each byte for one character and reports an error.
    #[must_use]
    pub fn from_bcd_plus(text: &str) -> Option<Self> {
        Self::new(TextType::BcdPlus, &text::to_bcd_plus(text)?)
    }

    /// How the data is encoded.
    #[must_use]
    pub const fn kind(&self) -> TextType {
        self.kind
    }

    /// The data as it is stored.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The text, without what fills it up at the end; hex digits for a binary field.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let text = match self.kind {
            TextType::Binary => return self.data.iter().map(|b| format!("{b:02x}")).collect(),
            TextType::BcdPlus => text::bcd_plus(&self.data),
            TextType::SixBit => text::six_bit(&self.data),
            TextType::EightBit if language.is_english() => text::latin_1(&self.data),
            TextType::EightBit => text::utf_16(&self.data),
        };
        text::clean(&text)
    }

    /// Length as stored, type/length byte included.
    pub(super) const fn stored_len(&self) -> usize {
        1 + self.data.len()
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        // `new` bounds the length to 6 bits.
        let [length, ..] = self.data.len().to_le_bytes();
        out.push(self.kind.to_type_length() | length);
        out.extend_from_slice(&self.data);
    }
}
