//! FRU device locator record, type 11h (§43.8, table 43-7).

use super::{Entity, IdString};
use crate::number::{
    ChannelNumber, DeviceType, FruAddress, FruDevice, FruDeviceModifier, IpmbAddress, Lun,
};
use crate::wire::{Reader, WireError, Writer};

/// Where an inventory is: behind FRU commands of a controller, or in an EEPROM on a bus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FruLocator {
    /// Slave address of the controller in bits 7:1; 0 where the device is directly on IPMB.
    pub access_address: u8,
    /// FRU device ID of a logical device; else the slave address of the device in bits 7:1.
    pub device: u8,
    /// Logical flag in bit 7, LUN in 4:3, private bus in 2:0.
    pub access: u8,
    /// Channel of the controller in bits 7:4.
    pub channel_byte: u8,
    /// Reserved; zero where we make the record, kept where we read it.
    pub reserved: u8,
    /// Device type (table 43-12).
    pub device_type: DeviceType,
    /// Device type modifier (table 43-12).
    pub device_type_modifier: FruDeviceModifier,
    /// What the inventory is about.
    pub entity: Entity,
    /// The maker's own.
    pub oem: u8,
    /// Name.
    pub id: IdString,
}

impl FruLocator {
    /// A logical FRU device behind the BMC.
    #[must_use]
    pub const fn logical(fru_device_id: u8, entity: Entity, id: IdString) -> Self {
        Self {
            access_address: 0x20,
            device: fru_device_id,
            access: 0x80,
            channel_byte: 0,
            reserved: 0,
            device_type: DeviceType::FRU_DEVICE,
            device_type_modifier: FruDeviceModifier::UNSPECIFIED,
            entity,
            oem: 0,
            id,
        }
    }

    /// Whether FRU commands reach the inventory.
    #[must_use]
    pub const fn is_logical(&self) -> bool {
        self.access & 0x80 != 0
    }

    /// Whether the inventory is the EEPROM of a memory module (SPD).
    #[must_use]
    pub fn is_spd(&self) -> bool {
        self.device_type == DeviceType::FRU_DEVICE
            && self.device_type_modifier == FruDeviceModifier::SPD
    }

    /// The FRU device ID for FRU commands; `None` where the device is not a logical one.
    #[must_use]
    pub const fn fru_device_id(&self) -> Option<u8> {
        if self.is_logical() {
            Some(self.device)
        } else {
            None
        }
    }

    /// LUN for FRU commands or Master Write-Read.
    #[must_use]
    pub const fn lun(&self) -> Lun {
        Lun::from_byte(self.access >> 3)
    }

    /// Where the inventory is.
    #[must_use]
    pub const fn address(&self) -> FruAddress {
        let device = if self.is_logical() {
            FruDevice::Logical(self.device)
        } else {
            FruDevice::Eeprom {
                address: IpmbAddress::from_byte(self.device),
                bus: self.access & 0x07,
            }
        };
        FruAddress {
            controller: IpmbAddress::from_byte(self.access_address),
            channel: self.channel(),
            lun: self.lun(),
            device,
        }
    }

    /// Channel of the controller.
    #[must_use]
    pub const fn channel(&self) -> ChannelNumber {
        ChannelNumber(self.channel_byte >> 4)
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[
            self.access_address,
            self.device,
            self.access,
            self.channel_byte,
            self.reserved,
            self.device_type.0,
            self.device_type_modifier.0,
        ]);
        self.entity.encode(w);
        w.u8(self.oem);
        self.id.encode(w);
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            access_address: r.u8("device access address")?,
            device: r.u8("FRU device ID")?,
            access: r.u8("access LUN and bus")?,
            channel_byte: r.u8("channel number")?,
            reserved: r.u8("reserved byte")?,
            device_type: DeviceType(r.u8("device type")?),
            device_type_modifier: FruDeviceModifier(r.u8("device type modifier")?),
            entity: Entity::decode(r)?,
            oem: r.u8("OEM byte")?,
            id: IdString::decode(r)?,
        })
    }
}
