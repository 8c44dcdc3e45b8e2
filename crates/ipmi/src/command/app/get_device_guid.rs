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
        for (i, byte) in self.0.iter().rev().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
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
}
