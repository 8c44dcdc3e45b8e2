//! Get PICMG Properties, Get Address Info, Get Device Locator Record ID (PICMG 3.0 §3.2.3, §3.1.3).

use crate::command::layout::{message, request};
use crate::number::{AddressKeyType, IpmbAddress, PicmgExtension, PicmgSiteType};
use crate::record::RecordId;

request! {
    /// Asks whether this is a controller of PICMG, and what FRUs it has.
    pub struct GetPicmgProperties: PICMG 0x00 "Get PICMG Properties", repeatable => PicmgProperties {}

    /// Asks for the addresses of a FRU, or which FRU has an address.
    pub struct GetAddressInfo: PICMG 0x01 "Get Address Info", repeatable => AddressInfo {
        /// FRU; left out for the controller itself.
        pub fru_id: Option<u8>,
        /// What `key` is. The shelf manager only.
        pub key_type: Option<AddressKeyType>,
        /// The address; with a physical one the site number.
        pub key: Option<u8>,
        /// With a physical address the site's type.
        pub site_type: Option<PicmgSiteType>,
    }

    /// Asks for the number of a FRU's locator record.
    pub struct GetDeviceLocatorRecordId: PICMG 0x0d "Get Device Locator Record ID", repeatable => DeviceLocatorRecordId {
        /// FRU.
        pub fru_id: u8,
    }
}

message! {
    /// The answer to [`GetPicmgProperties`].
    pub struct PicmgProperties in PICMG {
        u8 {
            /// Minor version of the extension.
            pub minor: u8 [7:4],
            /// Major version: which specification.
            pub major: PicmgExtension [3:0],
        }
        /// Highest FRU number.
        pub fru_max: u8,
        /// FRU of the controller itself.
        pub fru_id: u8,
    }

    /// The answer to [`GetAddressInfo`].
    pub struct AddressInfo in PICMG {
        /// Hardware address.
        pub hardware_address: u8,
        /// IPMB-0 address.
        pub ipmb_0_address: IpmbAddress,
        /// FFh.
        pub ipmb_1_address: u8,
        /// FRU.
        pub fru_id: u8,
        /// Site number.
        pub site_number: u8,
        /// Site type.
        pub site_type: PicmgSiteType,
        /// Carrier number (`MicroTCA`).
        pub carrier: Option<u8>,
    }

    /// The answer to [`GetDeviceLocatorRecordId`].
    pub struct DeviceLocatorRecordId in PICMG {
        /// Record.
        pub record: RecordId,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn an_advancedtca_board_in_slot_3() {
        check::request(&GetPicmgProperties, &[0], 1);
        let properties = PicmgProperties {
            minor: 3,
            major: PicmgExtension(2),
            fru_max: 1,
            fru_id: 0,
        };
        check::response(&properties, &[0, 0x32, 1, 0], 4);
        let get = GetAddressInfo {
            fru_id: Some(0),
            key_type: Some(AddressKeyType(3)),
            key: Some(3),
            site_type: Some(PicmgSiteType::BOARD),
        };
        check::request(&get, &[0, 0, 3, 3, 0], 1);
        let info = AddressInfo {
            hardware_address: 0x43,
            ipmb_0_address: IpmbAddress::from_byte(0x86),
            ipmb_1_address: 0xff,
            fru_id: 0,
            site_number: 3,
            site_type: PicmgSiteType::BOARD,
            carrier: None,
        };
        check::response(&info, &[0, 0x43, 0x86, 0xff, 0, 3, 0], 7);
        check::request(&GetDeviceLocatorRecordId { fru_id: 1 }, &[0, 1], 2);
        let record = RecordId(0x0102);
        check::response(&DeviceLocatorRecordId { record }, &[0, 2, 1], 3);
    }
}
