//! Get Device ID (§20.1).

use crate::command::{Command, Message};
use crate::number::{DeviceAvailability, DeviceSupport, EnterpriseNumber, NetFn};
use crate::wire::{Reader, WireError, Writer};

/// Asks what the management controller is: maker, product, firmware, devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetDeviceId;

/// The answer to [`GetDeviceId`] (§20.1, table 20-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceId {
    /// The maker's number of the device; 00h: unspecified.
    pub device_id: u8,
    /// The device has SDRs of its own.
    pub has_device_sdrs: bool,
    /// Revision of the device hardware, 4 bits.
    pub device_revision: u8,
    /// Whether firmware, SDRs or FRU data are being updated, or the controller is starting; 1 bit.
    pub availability: DeviceAvailability,
    /// Major firmware revision, binary, 7 bits.
    pub firmware_major: u8,
    /// Minor firmware revision, BCD: 12h is ".12".
    pub firmware_minor: u8,
    /// Version of the specification.
    pub ipmi_version: IpmiVersion,
    /// Which devices the controller has.
    pub support: DeviceSupport,
    /// The maker, 20 bits; 000000h: unspecified.
    pub manufacturer: EnterpriseNumber,
    /// The maker's number of the product; 0000h: unspecified.
    pub product: u16,
    /// Auxiliary firmware revision as the maker defines it; optional.
    pub auxiliary_firmware: Option<[u8; 4]>,
}

/// Version of the IPMI specification: BCD with the digits swapped, 02h for 2.0, 51h for 1.5 (§20.1, table 20-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpmiVersion(pub u8);

impl IpmiVersion {
    /// IPMI 1.5.
    pub const V1_5: Self = Self(0x51);
    /// IPMI 2.0.
    pub const V2_0: Self = Self(0x02);
}

impl core::fmt::Display for IpmiVersion {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:x}.{:x}", self.0 & 0x0f, self.0 >> 4)
    }
}

impl Command for GetDeviceId {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x01;
    const NAME: &'static str = "Get Device ID";
    const IDEMPOTENT: bool = true;
    type Response = DeviceId;

    fn encode(&self, _: &mut Writer<'_>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}

impl Message for DeviceId {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.device_id);
        w.u8(self.device_revision & 0x0f | u8::from(self.has_device_sdrs) << 7);
        w.u8(self.firmware_major & 0x7f | (self.availability.0 & 1) << 7);
        w.bytes(&[self.firmware_minor, self.ipmi_version.0, self.support.0]);
        w.u24(self.manufacturer.0 & 0x0f_ffff);
        w.u16(self.product);
        if let Some(auxiliary) = self.auxiliary_firmware {
            w.bytes(&auxiliary);
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let device_id = r.u8("device ID")?;
        let revision = r.u8("device revision")?;
        let firmware = r.u8("firmware revision 1")?;
        Ok(Self {
            device_id,
            has_device_sdrs: revision & 0x80 != 0,
            device_revision: revision & 0x0f,
            availability: DeviceAvailability(firmware >> 7),
            firmware_major: firmware & 0x7f,
            firmware_minor: r.u8("firmware revision 2")?,
            ipmi_version: IpmiVersion(r.u8("IPMI version")?),
            support: DeviceSupport(r.u8("additional device support")?),
            manufacturer: EnterpriseNumber(r.u24("manufacturer ID")? & 0x0f_ffff),
            product: r.u16("product ID")?,
            auxiliary_firmware: r.array("auxiliary firmware revision").ok(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;
    use crate::command::check;

    #[test]
    fn the_manufacturer_has_three_bytes_and_the_product_two() {
        check::request(&GetDeviceId, &[], 0);
        let id = DeviceId {
            device_id: 0x23,
            has_device_sdrs: true,
            device_revision: 1,
            availability: DeviceAvailability::NORMAL,
            firmware_major: 9,
            firmware_minor: 0x48,
            ipmi_version: IpmiVersion::V2_0,
            support: DeviceSupport(0x9f),
            manufacturer: EnterpriseNumber(0x00_1291),
            product: 0x0f02,
            auxiliary_firmware: Some([1, 2, 3, 4]),
        };
        let bytes = [
            0x23, 0x81, 0x09, 0x48, 0x02, 0x9f, 0x91, 0x12, 0x00, 0x02, 0x0f, 1, 2, 3, 4,
        ];
        check::response(&id, &bytes, 11);
        let without = DeviceId {
            availability: DeviceAvailability::UPDATE_IN_PROGRESS,
            auxiliary_firmware: None,
            ..id
        };
        let bytes = [
            0x23, 0x81, 0x89, 0x48, 0x02, 0x9f, 0x91, 0x12, 0x00, 0x02, 0x0f,
        ];
        check::response(&without, &bytes, 11);
    }

    #[test]
    fn a_version_prints_its_digits_in_reading_order() {
        assert_eq!(IpmiVersion::V2_0.to_string(), "2.0");
        assert_eq!(IpmiVersion::V1_5.to_string(), "1.5");
    }
}
