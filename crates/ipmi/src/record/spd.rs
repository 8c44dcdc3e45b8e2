//! Serial presence detect (SPD): the EEPROM of a memory module, which BMCs show as a FRU device of type 10h,
//! modifier 01h (table 43-12). JEDEC standard 21-C: annex K (DDR3), annex L (DDR4); JESD400-5 (DDR5).

use alloc::string::String;

use super::text;

/// What the fields of one memory generation are and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Ddr3,
    Ddr4,
    Ddr5,
}

/// How many bytes at the beginning tell the size of a DDR3 or DDR4 module.
pub const SPD_HEAD_LEN: usize = 16;

/// How a memory module is known: its generation, size and nameplate, as far as the bytes reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spd {
    /// Byte 2: 0Bh DDR3, 0Ch DDR4, 12h DDR5.
    pub memory_type: u8,
    /// What it holds, in MiB; `None` for a type or an organization that we don't know.
    pub size_mib: Option<u32>,
    /// Its part number, without blanks around it.
    pub part_number: Option<String>,
    /// Its serial number, most significant byte first as printed on labels.
    pub serial_number: Option<u32>,
}

impl Spd {
    /// Byte 2 of a DDR3 module.
    pub const DDR3: u8 = 0x0b;
    /// Byte 2 of a DDR4 module.
    pub const DDR4: u8 = 0x0c;
    /// Byte 2 of a DDR5 module.
    pub const DDR5: u8 = 0x12;
    /// Where DDR5 modules describe their organization, which their size needs too: offset and length.
    pub const DDR5_ORGANIZATION: (usize, usize) = (234, 2);

    /// Reads the bytes of the EEPROM from its beginning; what they don't reach is not known.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Self {
        let memory_type = bytes.get(2).copied().unwrap_or_default();
        let Some(layout) = layout(memory_type) else {
            return Self {
                memory_type,
                ..Self::default()
            };
        };
        let (part, serial) = layout.nameplate();
        let part = bytes.get(part.0..part.0 + part.1).map(text::latin_1);
        let serial = bytes.get(serial..serial + 4);
        let serial = serial.and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        Self {
            memory_type,
            size_mib: layout.size_mib(bytes),
            part_number: part
                .map(|part| text::clean(&part))
                .filter(|part| !part.is_empty()),
            serial_number: serial
                .map(u32::from_be_bytes)
                .filter(|serial| ![0, u32::MAX].contains(serial)),
        }
    }

    /// Where in the EEPROM the nameplate lies: offset and length; `None` for a type that we don't know.
    #[must_use]
    pub fn nameplate_range(memory_type: u8) -> Option<(usize, usize)> {
        let ((part, len), serial) = layout(memory_type)?.nameplate();
        Some((serial, part + len - serial))
    }

    /// The EEPROM of a registered DDR4 module with one rank of ×8 devices on a bus of 64 bits: organization and nameplate,
    /// without timings; for virtual machines. `None` for a size that such a module can't have.
    #[must_use]
    pub fn encode_ddr4(size_mib: u32, part_number: &str, serial_number: u32) -> Option<[u8; 512]> {
        // 8 devices: 1 GiB of 1 Gbit devices and so on up to 32 Gbit.
        let density = (2..=7_u8).find(|code| 256 << code == size_mib)?;
        let ((part, len), serial) = Layout::Ddr4.nameplate();
        let mut bytes = [0; 512];
        // Registered, in four groups of four banks.
        bytes[..5].copy_from_slice(&[0x23, 0x12, Self::DDR4, 0x01, 0x80 | density]);
        // 1.2 V; ×8 devices, one rank; 64 bits and 8 of error correction.
        bytes[11..14].copy_from_slice(&[0x03, 0x01, 0x0b]);
        bytes[serial..serial + 4].copy_from_slice(&serial_number.to_be_bytes());
        bytes[part..part + len].fill(b' ');
        for (to, from) in bytes[part..part + len].iter_mut().zip(part_number.bytes()) {
            *to = from;
        }
        Some(bytes)
    }
}

const fn layout(memory_type: u8) -> Option<Layout> {
    match memory_type {
        Spd::DDR3 => Some(Layout::Ddr3),
        Spd::DDR4 => Some(Layout::Ddr4),
        Spd::DDR5 => Some(Layout::Ddr5),
        _ => None,
    }
}

impl Layout {
    /// Offset and length of the part number, offset of the serial number, which lies before it.
    const fn nameplate(self) -> ((usize, usize), usize) {
        match self {
            Self::Ddr3 => ((128, 18), 122),
            Self::Ddr4 => ((329, 20), 325),
            Self::Ddr5 => ((521, 30), 517),
        }
    }

    fn size_mib(self, bytes: &[u8]) -> Option<u32> {
        let at = |index: usize| bytes.get(index).copied().map(u32::from);
        // Megabits a device, devices side by side, ranks.
        let (mbit, width, bus, ranks) = match self {
            Self::Ddr3 => (
                ddr4_mbit(at(4)? & 0x0f)?,
                4 << (at(7)? & 7),
                8 << (at(8)? & 7),
                1 + (at(7)? >> 3 & 7),
            ),
            Self::Ddr4 => {
                // A stack of dies that show as ranks of their own (3DS): byte 6.
                let stacked = at(6)? & 3 == 2;
                let dies = if stacked { 1 + (at(6)? >> 4 & 7) } else { 1 };
                (
                    ddr4_mbit(at(4)? & 0x0f)?,
                    4 << (at(12)? & 7),
                    8 << (at(13)? & 7),
                    (1 + (at(12)? >> 3 & 7)) * dies,
                )
            }
            Self::Ddr5 => {
                let organization = at(Spd::DDR5_ORGANIZATION.0)?;
                let bus = at(Spd::DDR5_ORGANIZATION.0 + 1)?;
                let channels = 1 << (bus >> 5 & 3);
                let dies = match at(4)? >> 5 {
                    0 => 1,
                    code @ 1..=5 => 1 << (code - 1).max(1),
                    _ => return None,
                };
                (
                    ddr5_mbit(at(4)? & 0x1f)?,
                    4 << (at(6)? >> 5),
                    (8 << (bus & 7)) * channels,
                    (1 + (organization >> 3 & 7)) * dies,
                )
            }
        };
        (mbit / 8).checked_mul(bus / width)?.checked_mul(ranks)
    }
}

/// Megabits of a DDR3 or DDR4 die.
const fn ddr4_mbit(code: u32) -> Option<u32> {
    Some(match code {
        0..=7 => 256 << code,
        8 => 12 * 1024,
        9 => 24 * 1024,
        _ => return None,
    })
}

/// Megabits of a DDR5 die.
const fn ddr5_mbit(code: u32) -> Option<u32> {
    Some(match code {
        1 => 4 * 1024,
        2 => 8 * 1024,
        3 => 12 * 1024,
        4 => 16 * 1024,
        5 => 24 * 1024,
        6 => 32 * 1024,
        7 => 48 * 1024,
        8 => 64 * 1024,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_of_three_generations_have_the_size_that_their_label_says() {
        // DDR3 8 GiB 2Rx8: 4 Gbit ×8, two ranks, 64 bits and 8 of ECC.
        let mut ddr3 = [0; 176];
        (ddr3[2], ddr3[4], ddr3[7], ddr3[8]) = (Spd::DDR3, 0x04, 0x09, 0x0b);
        assert_eq!(Spd::decode(&ddr3).size_mib, Some(8 * 1024));
        // DDR4 32 GiB 2Rx4: 8 Gbit ×4, two ranks, 64 bits and 8 of ECC.
        let mut ddr4 = [0; 512];
        (ddr4[2], ddr4[4], ddr4[12], ddr4[13]) = (Spd::DDR4, 0x85, 0x08, 0x0b);
        assert_eq!(Spd::decode(&ddr4).size_mib, Some(32 * 1024));
        // DDR4 128 GiB 2S4Rx4: the same with 16 Gbit, each device a stack of two.
        (ddr4[4], ddr4[6]) = (0x86, 0x92);
        assert_eq!(Spd::decode(&ddr4).size_mib, Some(128 * 1024));
        // DDR5 16 GiB 1Rx8: 16 Gbit ×8, one rank, two channels of 32 bits.
        let mut ddr5 = [0; 1024];
        (ddr5[2], ddr5[4], ddr5[6]) = (Spd::DDR5, 0x04, 0x20);
        (ddr5[234], ddr5[235]) = (0x00, 0x22);
        assert_eq!(Spd::decode(&ddr5).size_mib, Some(16 * 1024));
    }

    #[test]
    fn what_the_bytes_do_not_reach_is_not_known() {
        let bytes = Spd::encode_ddr4(16 * 1024, "M1", 7).unwrap();
        for len in 0..bytes.len() {
            let spd = Spd::decode(&bytes[..len]);
            assert_eq!(spd.size_mib.is_some(), len >= 14, "{len}");
            assert_eq!(spd.serial_number.is_some(), len >= 329, "{len}");
        }
        assert_eq!(Spd::decode(&[0; 64]).size_mib, None);
        assert_eq!(Spd::decode(&[0xff; 64]).memory_type, 0xff);
    }

    #[test]
    fn an_encoded_module_is_read_back() {
        let bytes = Spd::encode_ddr4(8 * 1024, "RDV-D8", 0x1234_5678).unwrap();
        let expected = Spd {
            memory_type: Spd::DDR4,
            size_mib: Some(8 * 1024),
            part_number: Some("RDV-D8".into()),
            serial_number: Some(0x1234_5678),
        };
        assert_eq!(Spd::decode(&bytes), expected);
        let (start, len) = Spd::nameplate_range(Spd::DDR4).unwrap();
        assert_eq!((start, len), (325, 24));
        assert_eq!(Spd::encode_ddr4(3, "", 0), None);
    }
}
