//! FRU data for ipmi_sim, written here byte by byte so that neither side of the comparison makes its own test data.
//!
//! The layout is that of the *Platform Management FRU Information Storage Definition* v1.0 rev 1.3.

/// Bytes of each emulated FRU device.
pub(crate) const SIZE: usize = 512;

/// One text field: how it's packed and what it says.
enum Field<'a> {
    /// 8-bit ASCII, type code 11b. Never one character: its type/length byte would be C1h, the end mark.
    Ascii(&'a str),
    /// 6-bit ASCII, type code 10b: four characters in three bytes, capitals and digits only.
    SixBit(&'a str),
    /// BCD plus, type code 01b: two digits a byte, blanks and dashes allowed.
    BcdPlus(&'a str),
}

impl Field<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let (code, bytes) = match self {
            Self::Ascii(text) => (3, text.as_bytes().to_vec()),
            Self::SixBit(text) => (2, six_bit(text)),
            Self::BcdPlus(text) => (1, bcd_plus(text)),
        };
        out.push(code << 6 | bytes.len() as u8);
        out.extend(bytes);
    }
}

fn six_bit(text: &str) -> Vec<u8> {
    let mut bits = 0_u32;
    let mut count = 0;
    let mut out = Vec::new();
    for byte in text.bytes() {
        bits |= u32::from(byte - 0x20) << count;
        count += 6;
        while count >= 8 {
            out.push(bits as u8);
            bits >>= 8;
            count -= 8;
        }
    }
    if count > 0 {
        out.push(bits as u8);
    }
    out
}

fn bcd_plus(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => byte - b'0',
        b' ' => 0xa,
        b'-' => 0xb,
        _ => 0xc,
    };
    text.as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | pair.get(1).map_or(0xa, |&b| digit(b)))
        .collect()
}

/// Format version, length in units of 8 bytes, `head`, the fields, the end mark, padding and the checksum.
fn area(head: &[u8], fields: &[Field<'_>]) -> Vec<u8> {
    let mut out = vec![1, 0];
    out.extend(head);
    for field in fields {
        field.write(&mut out);
    }
    out.push(0xc1);
    while out.len() % 8 != 7 {
        out.push(0);
    }
    out[1] = ((out.len() + 1) / 8) as u8;
    out.push(zero_sum(&out));
    out
}

fn zero_sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte))
}

/// Both FRU devices, one after the other.
pub(crate) fn devices() -> Vec<u8> {
    [node(), power_supply()].concat()
}

/// A FRU with a product area only.
fn power_supply() -> Vec<u8> {
    use Field::Ascii;
    let fields = [
        "Acme Power",
        "PSU 1600",
        "PSU-PN-1",
        "A1",
        "PSU0001",
        "",
        "",
    ]
    .map(Ascii);
    let product = area(&[25], &fields);
    let mut out = vec![1, 0, 0, 0, 1, 0, 0];
    out.push(zero_sum(&out));
    out.extend(product);
    out.resize(SIZE, 0);
    out
}

/// A FRU with all three text areas, every packing, and custom fields.
fn node() -> Vec<u8> {
    use Field::{Ascii, BcdPlus, SixBit};
    // 17h = rack mount chassis (SMBIOS type 3).
    let chassis = area(
        &[0x17],
        &[
            SixBit("CHS-PN-100"),
            BcdPlus("2026-1121"),
            Ascii("chassis extra"),
        ],
    );
    // Language English, made 0x00c8d4e0 minutes after 1996-01-01 00:00 UTC.
    let board = area(
        &[25, 0xe0, 0xd4, 0xc8],
        &[
            Ascii("Acme Boards"),
            Ascii("Node Board"),
            Ascii("BRD0001"),
            SixBit("BRD-PN-200"),
            Ascii("fru.bin"),
            Ascii("board extra 1"),
            Ascii("board extra 2"),
        ],
    );
    let product = area(
        &[25],
        &[
            Ascii("Acme Systems"),
            Ascii("Rack Node 1"),
            Ascii("PRD-PN-300"),
            BcdPlus("10-02"),
            Ascii("PRD0001"),
            Ascii("asset 4711"),
            Ascii("fru.bin"),
        ],
    );
    let chassis_at = 1;
    let board_at = chassis_at + chassis.len() / 8;
    let product_at = board_at + board.len() / 8;
    let mut out = vec![
        1,
        0,
        chassis_at as u8,
        board_at as u8,
        product_at as u8,
        0,
        0,
    ];
    out.push(zero_sum(&out));
    out.extend(chassis);
    out.extend(board);
    out.extend(product);
    out.resize(SIZE, 0);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_bit_text_packs_as_the_definition_shows() {
        // The example in the FRU definition §13.3: "IPMI" = 29h DCh A6h.
        assert_eq!(six_bit("IPMI"), [0x29, 0xdc, 0xa6]);
    }

    #[test]
    fn every_area_adds_up_to_zero() {
        let device = node();
        assert_eq!(zero_sum(&device[..8]), 0);
        for offset in &device[2..5] {
            let start = usize::from(*offset) * 8;
            let length = usize::from(device[start + 1]) * 8;
            assert_eq!(
                zero_sum(&device[start..start + length]),
                0,
                "area at {start}"
            );
        }
    }
}
