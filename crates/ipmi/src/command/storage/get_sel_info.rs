//! Get SEL Info and Get SEL Allocation Info (§31.2, §31.3).

use super::AllocationInfo;
use crate::command::{Command, Message};
use crate::number::NetFn;
use crate::record::Timestamp;
use crate::wire::{Reader, WireError, Writer};

/// Asks how many entries the SEL has and when it changed. Completion code 81h: erase in progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetSelInfo;

/// Asks how the room of the SEL is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetSelAllocationInfo;

/// The answer to [`GetSelInfo`] (§31.2, table 31-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelInfo {
    /// SEL version, BCD with the digits swapped: 51h for 1.5 and 2.0.
    pub version: u8,
    /// Entries.
    pub entry_count: u16,
    /// Free bytes; FFFFh: unspecified or 64 KiB - 1 or more.
    pub free_bytes: u16,
    /// Last time an entry was added.
    pub last_addition: Timestamp,
    /// Last time an entry was deleted or the SEL was cleared.
    pub last_erase: Timestamp,
    /// What the SEL can do.
    pub operations: SelOperations,
}

/// What a SEL can do (§31.2, table 31-2, byte 15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelOperations(pub u8);

impl SelOperations {
    /// Get SEL Allocation Info.
    pub const ALLOCATION_INFO: Self = Self(0x01);
    /// Reserve SEL.
    pub const RESERVE: Self = Self(0x02);
    /// Partial Add SEL Entry.
    pub const PARTIAL_ADD: Self = Self(0x04);
    /// Delete SEL Entry.
    pub const DELETE: Self = Self(0x08);
    /// Events were dropped for lack of room.
    pub const OVERFLOW: Self = Self(0x80);

    /// Whether every bit of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Command for GetSelInfo {
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x40;
    const NAME: &'static str = "Get SEL Info";
    const IDEMPOTENT: bool = true;
    type Response = SelInfo;

    fn encode(&self, _: &mut Writer<'_>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}

impl Command for GetSelAllocationInfo {
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x41;
    const NAME: &'static str = "Get SEL Allocation Info";
    const IDEMPOTENT: bool = true;
    type Response = AllocationInfo;

    fn encode(&self, _: &mut Writer<'_>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}

impl Message for SelInfo {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.version);
        w.u16(self.entry_count);
        w.u16(self.free_bytes);
        w.u32(self.last_addition.0);
        w.u32(self.last_erase.0);
        w.u8(self.operations.0);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            version: r.u8("SEL version")?,
            entry_count: r.u16("entries")?,
            free_bytes: r.u16("free space")?,
            last_addition: Timestamp(r.u32("most recent addition")?),
            last_erase: Timestamp(r.u32("most recent erase")?),
            operations: SelOperations(r.u8("operation support")?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn sel_info_has_fourteen_bytes() {
        check::request(&GetSelInfo, &[], 0);
        check::request(&GetSelAllocationInfo, &[], 0);
        let info = SelInfo {
            version: 0x51,
            entry_count: 3,
            free_bytes: 0x3fd0,
            last_addition: Timestamp(0x6000_0001),
            last_erase: Timestamp::UNSPECIFIED,
            operations: SelOperations(0x8a),
        };
        let bytes = [
            0x51, 3, 0, 0xd0, 0x3f, 1, 0, 0, 0x60, 0xff, 0xff, 0xff, 0xff, 0x8a,
        ];
        check::response(&info, &bytes, 14);
        assert!(info.operations.contains(SelOperations::OVERFLOW));
        assert!(!info.operations.contains(SelOperations::ALLOCATION_INFO));
    }
}
