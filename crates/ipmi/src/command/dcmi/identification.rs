//! Asset tag and the controller's identifier, in parts (DCMI 1.5 §6.4).

use crate::command::Bytes;
use crate::command::layout::{message, request};

/// Bytes that one request reads or writes, at most.
pub const DCMI_STRING_PART: usize = 16;

request! {
    /// Asks for a part of the asset tag (DCMI 1.5 §6.4.2).
    pub struct GetAssetTag: DCMI 0x06 "Get Asset Tag", repeatable => AssetTag {
        /// Where to start, 0-62.
        pub offset: u8,
        /// How many bytes, at most 16.
        pub count: u8,
    }

    /// Writes a part of the asset tag and cuts it off there (DCMI 1.5 §6.4.3).
    pub struct SetAssetTag: DCMI 0x08 "Set Asset Tag", repeatable => StoredLength {
        /// Where to start; at most one past the end.
        pub offset: u8,
        /// How many bytes, at most 16.
        pub count: u8,
        /// They.
        pub data: Bytes<DCMI_STRING_PART>,
    }

    /// Asks for a part of the controller's identifier (DCMI 1.5 §6.4.6.1).
    pub struct GetControllerId: DCMI 0x09 "Get Management Controller ID String", repeatable => ControllerId {
        /// Where to start.
        pub offset: u8,
        /// How many bytes, at most 16.
        pub count: u8,
    }

    /// Writes a part of the controller's identifier; the last part ends with a zero (DCMI 1.5 §6.4.6.2).
    pub struct SetControllerId: DCMI 0x0a "Set Management Controller ID String", repeatable => StoredLength {
        /// Where to start.
        pub offset: u8,
        /// How many bytes, at most 16.
        pub count: u8,
        /// They.
        pub data: Bytes<DCMI_STRING_PART>,
    }
}

message! {
    /// The answer to [`GetAssetTag`] (DCMI 1.5 table 6-8).
    pub struct AssetTag in DCMI {
        /// Length of the whole tag, at most 63.
        pub length: u8,
        /// The part.
        pub data: Bytes<DCMI_STRING_PART>,
    }

    /// The answer to [`GetControllerId`] (DCMI 1.5 table 6-10).
    pub struct ControllerId in DCMI {
        /// Length of the whole identifier without its zero, at most 63.
        pub length: u8,
        /// The part.
        pub data: Bytes<DCMI_STRING_PART>,
    }

    /// The answer to [`SetAssetTag`] and [`SetControllerId`].
    pub struct StoredLength in DCMI {
        /// Length of what is stored now.
        pub length: u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn strings_travel_in_parts() {
        check::request(
            &GetAssetTag {
                offset: 16,
                count: 16,
            },
            &[0xdc, 16, 16],
            3,
        );
        let data = Bytes::from(*b"rack-7");
        check::response(&AssetTag { length: 6, data }, b"\xdc\x06rack-7", 2);
        let set = SetAssetTag {
            offset: 0,
            count: 6,
            data,
        };
        check::request(&set, b"\xdc\x00\x06rack-7", 3);
        check::response(&StoredLength { length: 6 }, &[0xdc, 6], 2);
        check::request(
            &GetControllerId {
                offset: 0,
                count: 16,
            },
            &[0xdc, 0, 16],
            3,
        );
        check::response(&ControllerId { length: 6, data }, b"\xdc\x06rack-7", 2);
        let set = SetControllerId {
            offset: 0,
            count: 6,
            data,
        };
        check::request(&set, b"\xdc\x00\x06rack-7", 3);
    }
}
