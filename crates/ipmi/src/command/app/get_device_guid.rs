//! Get Device GUID and Get System GUID (§20.8, §22.14).

use core::fmt;

use crate::command::{Command, Message};
use crate::number::NetFn;
use crate::wire::{Reader, WireError, Writer};

/// A GUID in the order in which its bytes travel: least significant first (§20.8, table 20-10).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Guid(pub [u8; 16]);

impl fmt::Display for Guid {
    /// The usual text form, most significant digits first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.to_rfc_4122(GuidFormat::Ipmi).iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// In which order the bytes of a GUID travel: the specification has one, makers have others (§20.8, table 20-10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GuidFormat {
    /// The specification's: all bytes from the last digits to the first.
    #[default]
    Ipmi,
    /// As it is printed: from the first digits to the last (RFC 4122).
    Rfc4122,
    /// The first three groups with their low byte first, the rest as it is printed (SMBIOS 2.6).
    Smbios,
}

impl Guid {
    /// The bytes as the text has them, if they travelled in this order.
    ///
    /// ```
    /// use ipmi::command::app::{Guid, GuidFormat};
    ///
    /// let guid = Guid(*b"0123456789abcdef");
    /// assert_eq!(guid.to_rfc_4122(GuidFormat::Ipmi), *b"fedcba9876543210");
    /// assert_eq!(guid.to_rfc_4122(GuidFormat::Smbios), *b"3210547689abcdef");
    /// ```
    #[must_use]
    pub fn to_rfc_4122(self, format: GuidFormat) -> [u8; 16] {
        let mut bytes = self.0;
        match format {
            GuidFormat::Ipmi => bytes.reverse(),
            GuidFormat::Rfc4122 => {}
            GuidFormat::Smbios => {
                bytes[..4].reverse();
                bytes[4..6].reverse();
                bytes[6..8].reverse();
            }
        }
        bytes
    }

    /// The GUID with the text form's bytes.
    #[must_use]
    pub const fn from_rfc_4122(mut bytes: [u8; 16]) -> Self {
        bytes.reverse();
        Self(bytes)
    }

    /// The order that the version says: in it alone the version's digit is 1 to 5 and the variant's is RFC 4122's. The
    /// specification's where none or several do.
    #[must_use]
    pub fn likely_format(self) -> GuidFormat {
        let fits = |format: GuidFormat| {
            let bytes = self.to_rfc_4122(format);
            matches!(bytes[6] >> 4, 1..=5) && bytes[8] >> 6 == 0b10
        };
        let formats = [GuidFormat::Ipmi, GuidFormat::Rfc4122, GuidFormat::Smbios];
        let mut fitting = formats.into_iter().filter(|format| fits(*format));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => only,
            _ => GuidFormat::Ipmi,
        }
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Message for Guid {
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&self.0);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        r.array("GUID").map(Self)
    }
}

/// Asks for the GUID of the management controller (§20.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetDeviceGuid;

/// Asks for the GUID of the machine (§22.14); may be sent before a session is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetSystemGuid;

impl Command for GetDeviceGuid {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x08;
    const NAME: &'static str = "Get Device GUID";
    const IDEMPOTENT: bool = true;
    type Response = Guid;

    fn encode(&self, _: &mut Writer<'_>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}

impl Command for GetSystemGuid {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x37;
    const NAME: &'static str = "Get System GUID";
    const IDEMPOTENT: bool = true;
    type Response = Guid;

    fn encode(&self, _: &mut Writer<'_>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_prints_most_significant_digits_first() {
        let bytes = core::array::from_fn(|i| u8::try_from(i).unwrap_or(0));
        let text = std::string::ToString::to_string(&Guid(bytes));
        assert_eq!(text, "0f0e0d0c-0b0a-0908-0706-050403020100");
    }

    #[test]
    fn the_order_of_a_guid_shows_in_its_version() {
        let printed = [
            0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4,
            0x30, 0xc8,
        ];
        assert_eq!(Guid(printed).likely_format(), GuidFormat::Rfc4122);
        let mut reversed = printed;
        reversed.reverse();
        assert_eq!(Guid(reversed).likely_format(), GuidFormat::Ipmi);
        let smbios = Guid(printed).to_rfc_4122(GuidFormat::Smbios);
        assert_eq!(Guid(smbios).likely_format(), GuidFormat::Smbios);
        assert_eq!(Guid(smbios).to_rfc_4122(GuidFormat::Smbios), printed);
        assert_eq!(Guid([0; 16]).likely_format(), GuidFormat::Ipmi);
    }
}
