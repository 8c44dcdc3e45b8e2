//! Shelf information (PICMG 3.0 §3.2.3.3, §3.6.5).

use crate::command::Bytes;
use crate::command::layout::{message, request};
use crate::number::CompletionCode;

/// Room for a shelf's address.
pub const SHELF_ADDRESS_MAX: usize = 20;
/// FRU inventory device write: the lock is not this one.
pub const LOCK_ID_INVALID: CompletionCode = CompletionCode(0x80);
/// FRU inventory device lock: somebody else has it.
pub const ALREADY_LOCKED: CompletionCode = CompletionCode(0x81);
/// [`FruInventoryLockControl::operation`]: tell when the information last changed.
pub const LOCK_QUERY: u8 = 0;
/// [`FruInventoryLockControl::operation`]: lock.
pub const LOCK: u8 = 1;
/// [`FruInventoryLockControl::operation`]: unlock, and forget what was written.
pub const UNLOCK_DISCARD: u8 = 2;
/// [`FruInventoryLockControl::operation`]: unlock, and keep what was written.
pub const UNLOCK_COMMIT: u8 = 3;

request! {
    /// Asks for the shelf's address: a text that the operator chose.
    pub struct GetShelfAddressInfo: PICMG 0x02 "Get Shelf Address Info", repeatable => ShelfAddressInfo {}

    /// Locks the shelf's FRU information against others, so that it can be changed as a whole.
    pub struct FruInventoryLockControl: PICMG 0x1f "FRU Inventory Device Lock Control", once => FruInventoryLock {
        /// FRU: FEh is the shelf's.
        pub fru_id: u8,
        /// What to do: 0 query, 1 lock, 2 unlock and discard, 3 unlock and commit.
        pub operation: u8,
        /// The lock, for unlocking.
        pub lock: u16,
    }

    /// Writes FRU information under a lock.
    pub struct FruInventoryWrite: PICMG 0x20 "FRU Inventory Device Write", repeatable => FruInventoryWritten {
        /// FRU: FEh is the shelf's.
        pub fru_id: u8,
        /// The lock.
        pub lock: u16,
        /// Where.
        pub offset: u16,
        /// What.
        pub data: Bytes<64>,
    }
}

message! {
    /// The answer to [`GetShelfAddressInfo`].
    pub struct ShelfAddressInfo in PICMG {
        /// Kind and length, as in a FRU field.
        pub type_length: u8,
        /// The address.
        pub address: Bytes<SHELF_ADDRESS_MAX>,
    }

    /// The answer to [`FruInventoryLockControl`].
    pub struct FruInventoryLock in PICMG {
        /// The lock, when it was got.
        pub lock: u16,
        /// When the information last changed.
        pub changed: u32,
    }

    /// The answer to [`FruInventoryWrite`].
    pub struct FruInventoryWritten in PICMG {
        /// How many bytes were written.
        pub count: u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn the_shelf_has_an_address_and_lockable_information() {
        check::request(&GetShelfAddressInfo, &[0], 1);
        let info = ShelfAddressInfo {
            type_length: 0xc2,
            address: Bytes::from(*b"R7"),
        };
        check::response(&info, b"\x00\xc2R7", 2);
        let lock = FruInventoryLockControl {
            fru_id: 0xfe,
            operation: UNLOCK_COMMIT,
            lock: 0x0102,
        };
        check::request(&lock, &[0, 0xfe, 3, 2, 1], 5);
        let locked = FruInventoryLock {
            lock: 0x0102,
            changed: 0x0304_0506,
        };
        check::response(&locked, &[0, 2, 1, 6, 5, 4, 3], 7);
        let write = FruInventoryWrite {
            fru_id: 0xfe,
            lock: 0x0102,
            offset: 0x0304,
            data: Bytes::from([9]),
        };
        check::request(&write, &[0, 0xfe, 2, 1, 4, 3, 9], 6);
        check::response(&FruInventoryWritten { count: 1 }, &[0, 1], 2);
    }
}
