//! The ID string of a record (§43.15).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::command::Bytes;
use crate::record::text::{self, TextType};
use crate::wire::{Reader, WireError, Writer};

/// The most characters that the specification gives an ID string (§43.1, table 43-1, byte 49).
pub const ID_STRING_MAX: usize = 16;

/// The name of a sensor or device as its record holds it: type/length byte and data.
///
/// The length is 5 bits, so there are at most 31 bytes, although the specification allows 16.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct IdString {
    type_length: u8,
    data: Bytes<31>,
}

/// Bits 4:0 of the type/length byte.
const LENGTH: u8 = 0x1f;

impl IdString {
    /// From text of at most 16 Latin-1 characters; `None` for other text.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let data = text::to_latin_1(text)?;
        if data.len() > ID_STRING_MAX {
            None
        } else {
            Self::from_latin_1(data)
        }
    }

    /// Cuts after 31 bytes. A length of 1 is reserved, so that one character is followed by a NUL.
    fn from_latin_1(mut data: Vec<u8>) -> Option<Self> {
        data.truncate(LENGTH.into());
        if data.len() == 1 {
            data.push(0);
        }
        let length = u8::try_from(data.len()).ok()?;
        let type_length = TextType::EightBit.to_type_length() | length;
        Some(Self {
            type_length,
            data: Bytes::new(&data)?,
        })
    }

    /// The text, without what fills it up at the end.
    #[must_use]
    pub fn text(&self) -> String {
        let data = &self.data;
        let mut decoded = match TextType::from_type_length(self.type_length) {
            // Some firmware writes the bare length before ASCII: Unicode would have twice as many bytes.
            TextType::Binary
                if data.len() == usize::from(self.type_length & LENGTH)
                    && data.iter().all(|byte| (b' '..=b'~').contains(byte)) =>
            {
                text::latin_1(data)
            }
            TextType::Binary => text::utf_16(data),
            TextType::BcdPlus => text::bcd_plus(data),
            TextType::SixBit => text::six_bit(data),
            TextType::EightBit => text::latin_1(data),
        };
        // Some makers count bytes, as in a FRU inventory, some characters, as the specification says. More bytes
        // than the count means characters.
        let length = usize::from(self.type_length & LENGTH);
        if data.len() > length
            && let Some((end, _)) = decoded.char_indices().nth(length)
        {
            decoded.truncate(end);
        }
        text::clean(&decoded)
    }

    /// The same name with a suffix, cut to what a record can hold.
    #[must_use]
    pub fn with_suffix(&self, suffix: &str) -> Self {
        let mut name = self.text();
        name.push_str(suffix);
        text::to_latin_1(&name)
            .and_then(Self::from_latin_1)
            .unwrap_or(*self)
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.type_length);
        w.bytes(&self.data);
    }

    /// A length beyond the end of the record ends there: some firmware counts too much.
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let type_length = r.u8("ID string type/length")?;
        let room = r.remaining().min(LENGTH.into());
        let len = match TextType::from_type_length(type_length) {
            TextType::EightBit => room.min(usize::from(type_length & LENGTH)),
            // The unit of the length is uncertain; the string is the record's last field.
            _ => room,
        };
        let data = r.take("ID string", len)?;
        Ok(Self {
            type_length,
            data: Bytes::new(data).unwrap_or_default(),
        })
    }
}

impl fmt::Debug for IdString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text())
    }
}

impl fmt::Display for IdString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> IdString {
        IdString::decode(&mut Reader::new(bytes)).unwrap()
    }

    #[test]
    fn every_encoding_reads_as_text() {
        assert_eq!(decode(b"\xc5Temp \xaa").text(), "Temp");
        assert_eq!(decode(&[0x82, 0x29, 0xdc, 0xa6]).text(), "IP");
        assert_eq!(decode(&[0x83, 0x29, 0xdc, 0xa6]).text(), "IPMI");
        assert_eq!(decode(&[0x84, 0x29, 0xdc, 0xa6]).text(), "IPMI");
        assert_eq!(decode(&[0x42, 0x12, 0xc3]).text(), "12.3");
        assert_eq!(decode(&[0x02, 0x22, 0x6f, 0x57, 0x5b]).text(), "漢字");
        assert_eq!(decode(&[0xc0]).text(), "");
        assert_eq!(decode(b"\x0aCPU 0 Temp").text(), "CPU 0 Temp");
    }

    #[test]
    fn what_lies_behind_a_nul_and_what_terminals_obey_is_not_shown() {
        assert_eq!(decode(b"\xcbCPU\0\x1b[2Jxyz").text(), "CPU");
        assert_eq!(decode(b"\xc5\x1b[2J\x9b").text(), "\u{fffd}[2J\u{fffd}");
        assert_eq!(decode(&[0x03, b'C', 0, 0, 0, b'x', 0]).text(), "C");
    }

    #[test]
    fn a_length_beyond_the_record_ends_with_the_record_and_is_kept() {
        let id = decode(b"\xdfFan");
        assert_eq!(id.text(), "Fan");
        let mut buffer = [0xa5; 8];
        let mut w = Writer::new(&mut buffer);
        id.encode(&mut w);
        assert_eq!(w.written(), b"\xdfFan");
    }

    #[test]
    fn a_name_has_at_most_sixteen_latin_1_characters_and_never_length_one() {
        assert_eq!(IdString::new("CPU 0 Temp").unwrap().text(), "CPU 0 Temp");
        assert_eq!(IdString::new("12345678901234567"), None);
        assert_eq!(IdString::new("温度"), None);
        let single = IdString::new("P").unwrap();
        assert_eq!((single.type_length, single.text().as_str()), (0xc2, "P"));
    }

    #[test]
    fn a_suffix_is_appended_to_the_text() {
        assert_eq!(
            IdString::new("Temp ").unwrap().with_suffix("5").text(),
            "Temp5"
        );
        assert_eq!(
            decode(&[0x83, 0x29, 0xdc, 0xa6]).with_suffix(" A").text(),
            "IPMI A"
        );
    }
}
