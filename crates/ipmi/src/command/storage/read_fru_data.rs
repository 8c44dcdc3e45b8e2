//! Read FRU Data and Write FRU Data (§34.2, §34.3).

use crate::command::{Bytes, Command, Message};
use crate::number::NetFn;
use crate::wire::{Reader, WireError, WireFault, Writer};

/// The most inventory bytes that one answer can carry: its count is a byte.
pub const FRU_PART_MAX: usize = 255;

/// Asks for a part of the inventory of a FRU device.
///
/// Completion code 81h: the FRU device is busy. C8h or CAh: ask for fewer bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadFruData {
    /// Which FRU device.
    pub fru_device_id: u8,
    /// Where to start, in bytes or words as Get FRU Inventory Area Info says.
    pub offset: u16,
    /// How much, in the same unit; more than [`FRU_PART_MAX`] bytes don't come in one answer.
    pub count: u8,
}

/// The answer to [`ReadFruData`] (§34.2, table 34-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FruData {
    /// How much was returned, in the unit of the request.
    pub count: u8,
    /// The bytes: `count` of them, or twice as many where access is by words.
    pub data: Bytes<FRU_PART_MAX>,
}

/// Writes a part of the inventory of a FRU device.
///
/// Completion code 80h: the area is write-protected; 81h: the FRU device is busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteFruData {
    /// Which FRU device.
    pub fru_device_id: u8,
    /// Where to start, in bytes or words as Get FRU Inventory Area Info says.
    pub offset: u16,
    /// The bytes.
    pub data: Bytes<FRU_PART_MAX>,
}

/// The answer to [`WriteFruData`] (§34.3, table 34-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FruDataWritten {
    /// How much was written, in the unit of the request.
    pub count: u8,
}

impl Command for ReadFruData {
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x11;
    const NAME: &'static str = "Read FRU Data";
    const IDEMPOTENT: bool = true;
    type Response = FruData;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.fru_device_id);
        w.u16(self.offset);
        w.u8(self.count);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            fru_device_id: r.u8("FRU device ID")?,
            offset: r.u16("FRU inventory offset")?,
            count: r.u8("count to read")?,
        })
    }
}

impl Command for WriteFruData {
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x12;
    const NAME: &'static str = "Write FRU Data";
    const IDEMPOTENT: bool = true;
    type Response = FruDataWritten;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.fru_device_id);
        w.u16(self.offset);
        self.data.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            fru_device_id: r.u8("FRU device ID")?,
            offset: r.u16("FRU inventory offset")?,
            data: Bytes::decode(r, "data to write")?,
        })
    }
}

impl Message for FruData {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.count);
        self.data.encode(w);
    }

    /// Fewer bytes than `count` are an error: a shorter part read as a whole one would shift everything after it.
    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let count = r.u8("count returned")?;
        let short = r.error("requested data", WireFault::Truncated);
        let data = Bytes::decode(r, "requested data")?;
        if data.len() < count.into() {
            return Err(short);
        }
        Ok(Self { count, data })
    }
}

impl FruData {
    /// The bytes that `count` stands for, without what a BMC appends; none where there are fewer, since a shorter part
    /// read as a whole one would shift everything after it.
    #[must_use]
    pub fn bytes(&self, by_words: bool) -> &[u8] {
        let len = usize::from(self.count) << u8::from(by_words);
        self.data.get(..len).unwrap_or_default()
    }
}

impl Message for FruDataWritten {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.count);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            count: r.u8("count written")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn a_read_names_device_offset_and_count() {
        let read = ReadFruData {
            fru_device_id: 1,
            offset: 0x0120,
            count: 16,
        };
        check::request(&read, &[1, 0x20, 0x01, 16], 4);
        let data = FruData {
            count: 3,
            data: Bytes::from([7, 8, 9]),
        };
        check::response(&data, &[3, 7, 8, 9], 4);
        assert_eq!(data.bytes(false), [7, 8, 9]);
    }

    #[test]
    fn by_words_a_count_stands_for_two_bytes_and_appended_bytes_are_cut() {
        let data = FruData {
            count: 2,
            data: Bytes::from([1, 2, 3, 4, 5]),
        };
        assert_eq!(data.bytes(true), [1, 2, 3, 4]);
        assert_eq!(data.bytes(false), [1, 2]);
        let short = FruData {
            count: 4,
            data: Bytes::from([1, 2, 3, 4, 5, 6, 7]),
        };
        assert_eq!(short.bytes(true), [], "four words are eight bytes");
        assert_eq!(short.bytes(false), [1, 2, 3, 4]);
    }

    #[test]
    fn a_write_carries_its_bytes() {
        let data = Bytes::from([0xaa, 0xbb]);
        let write = WriteFruData {
            fru_device_id: 0,
            offset: 8,
            data,
        };
        check::request(&write, &[0, 8, 0, 0xaa, 0xbb], 3);
        check::response(&FruDataWritten { count: 2 }, &[2], 1);
    }
}
