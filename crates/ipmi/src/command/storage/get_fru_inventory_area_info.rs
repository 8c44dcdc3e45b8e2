//! Get FRU Inventory Area Info (§34.1).

use crate::command::{Command, Message};
use crate::number::{FruAccessMode, NetFn};
use crate::wire::{Reader, WireError, Writer};

/// Asks how large the inventory of a FRU device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetFruInventoryAreaInfo {
    /// Which FRU device; 0 is the one of the BMC itself.
    pub fru_device_id: u8,
}

/// The answer to [`GetFruInventoryAreaInfo`] (§34.1, table 34-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FruInventoryAreaInfo {
    /// Size in bytes, whatever the access unit.
    pub size: u16,
    /// Unit of the offsets and counts of reads and writes: bytes, or words of two bytes.
    pub access: FruAccessMode,
}

impl Command for GetFruInventoryAreaInfo {
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x10;
    const NAME: &'static str = "Get FRU Inventory Area Info";
    const IDEMPOTENT: bool = true;
    type Response = FruInventoryAreaInfo;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.fru_device_id);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            fru_device_id: r.u8("FRU device ID")?,
        })
    }
}

impl Message for FruInventoryAreaInfo {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u16(self.size);
        w.u8(self.access.0 & 0x01);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            size: r.u16("FRU inventory area size")?,
            access: FruAccessMode(r.u8("access by words")? & 0x01),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn the_size_is_little_endian_and_bit_0_says_words() {
        check::request(&GetFruInventoryAreaInfo { fru_device_id: 7 }, &[7], 1);
        let info = FruInventoryAreaInfo {
            size: 0x0800,
            access: FruAccessMode::WORDS,
        };
        check::response(&info, &[0x00, 0x08, 0x01], 3);
    }
}
