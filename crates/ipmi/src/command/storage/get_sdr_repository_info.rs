//! Get SDR Repository Info and Get SDR Repository Allocation Info (§33.9, §33.10).

use crate::command::{Command, Message};
use crate::number::{NetFn, SdrUpdateMode};
use crate::record::Timestamp;
use crate::wire::{Reader, WireError, Writer};

/// Asks how many records the SDR repository has and when it changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetSdrRepositoryInfo;

/// The answer to [`GetSdrRepositoryInfo`] (§33.9, table 33-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SdrRepositoryInfo {
    /// SDR version, BCD with the digits swapped: 51h for 1.5 and 2.0.
    pub version: u8,
    /// Records. Not to be trusted as an end: walk until no record follows.
    pub record_count: u16,
    /// Free bytes; FFFFh: unspecified, FFFEh: 64 KiB - 2 or more.
    pub free_bytes: u16,
    /// Last time a record was added.
    pub last_addition: Timestamp,
    /// Last time a record was deleted.
    pub last_erase: Timestamp,
    /// What the repository can do.
    pub operations: SdrRepositoryOperations,
}

/// What an SDR repository can do (§33.9, table 33-3, byte 15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SdrRepositoryOperations(pub u8);

impl SdrRepositoryOperations {
    /// Get SDR Repository Allocation Info.
    pub const ALLOCATION_INFO: Self = Self(0x01);
    /// Reserve SDR Repository.
    pub const RESERVE: Self = Self(0x02);
    /// Partial Add SDR.
    pub const PARTIAL_ADD: Self = Self(0x04);
    /// Delete SDR.
    pub const DELETE: Self = Self(0x08);
    /// Updates without entering update mode.
    pub const NON_MODAL_UPDATE: Self = Self(0x20);
    /// Updates in update mode.
    pub const MODAL_UPDATE: Self = Self(0x40);
    /// A record could not be stored for lack of room.
    pub const OVERFLOW: Self = Self(0x80);

    /// How the repository takes changes.
    #[must_use]
    pub const fn update_mode(self) -> SdrUpdateMode {
        SdrUpdateMode(self.0 >> 5 & 0x03)
    }

    /// Whether every bit of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Asks how the room of the SDR repository is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetSdrRepositoryAllocationInfo;

/// Room of a repository, in allocation units; the answer to [`GetSdrRepositoryAllocationInfo`] and to
/// [`GetSelAllocationInfo`](super::GetSelAllocationInfo) (§31.3, table 31-3; §33.10, table 33-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocationInfo {
    /// Allocation units there can be; 0: unspecified.
    pub units: u16,
    /// Size of a unit in bytes; 0: unspecified.
    pub unit_size: u16,
    /// Free units.
    pub free_units: u16,
    /// Largest free block, in units.
    pub largest_free_block: u16,
    /// Largest record, in units.
    pub record_size_max: u8,
}

impl Command for GetSdrRepositoryInfo {
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x20;
    const NAME: &'static str = "Get SDR Repository Info";
    const IDEMPOTENT: bool = true;
    type Response = SdrRepositoryInfo;

    fn encode(&self, _: &mut Writer<'_>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}

impl Command for GetSdrRepositoryAllocationInfo {
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x21;
    const NAME: &'static str = "Get SDR Repository Allocation Info";
    const IDEMPOTENT: bool = true;
    type Response = AllocationInfo;

    fn encode(&self, _: &mut Writer<'_>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}

impl Message for SdrRepositoryInfo {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.version);
        w.u16(self.record_count);
        w.u16(self.free_bytes);
        w.u32(self.last_addition.0);
        w.u32(self.last_erase.0);
        w.u8(self.operations.0);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            version: r.u8("SDR version")?,
            record_count: r.u16("record count")?,
            free_bytes: r.u16("free space")?,
            last_addition: Timestamp(r.u32("most recent addition")?),
            last_erase: Timestamp(r.u32("most recent erase")?),
            operations: SdrRepositoryOperations(r.u8("operation support")?),
        })
    }
}

impl Message for AllocationInfo {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u16(self.units);
        w.u16(self.unit_size);
        w.u16(self.free_units);
        w.u16(self.largest_free_block);
        w.u8(self.record_size_max);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            units: r.u16("number of possible allocation units")?,
            unit_size: r.u16("allocation unit size")?,
            free_units: r.u16("number of free allocation units")?,
            largest_free_block: r.u16("largest free block")?,
            record_size_max: r.u8("maximum record size")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn repository_info_has_fourteen_bytes() {
        check::request(&GetSdrRepositoryInfo, &[], 0);
        let info = SdrRepositoryInfo {
            version: 0x51,
            record_count: 33,
            free_bytes: 0xfffe,
            last_addition: Timestamp(0x6000_0001),
            last_erase: Timestamp(0x5f00_0002),
            operations: SdrRepositoryOperations(0x22),
        };
        let bytes = [0x51, 33, 0, 0xfe, 0xff, 1, 0, 0, 0x60, 2, 0, 0, 0x5f, 0x22];
        check::response(&info, &bytes, 14);
        assert!(info.operations.contains(SdrRepositoryOperations::RESERVE));
        assert!(!info.operations.contains(SdrRepositoryOperations::DELETE));
    }

    #[test]
    fn allocation_info_has_nine_bytes() {
        check::request(&GetSdrRepositoryAllocationInfo, &[], 0);
        let info = AllocationInfo {
            units: 0x0102,
            unit_size: 0x0010,
            free_units: 0x0304,
            largest_free_block: 0x0506,
            record_size_max: 4,
        };
        check::response(&info, &[2, 1, 0x10, 0, 4, 3, 6, 5, 4], 9);
    }
}
