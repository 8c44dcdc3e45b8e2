//! Addresses: logical units, controllers on IPMB, inventories. Small values that are copied, and that no wrong byte gets into.

use core::fmt;

use super::ChannelNumber;
use crate::command::layout::{Bits, Field};
use crate::wire::{Reader, WireError, Writer};

/// Logical unit of a controller, 2 bits (§7.2, table 7-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lun(u8);

impl Lun {
    /// The controller itself.
    pub const BMC: Self = Self(0);
    /// The maker's own.
    pub const OEM_1: Self = Self(1);
    /// System management software, behind the BMC's receive queue.
    pub const SMS: Self = Self(2);
    /// The maker's own.
    pub const OEM_2: Self = Self(3);

    /// A unit from 0 to 3; `None` for another number.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number < 4 { Some(Self(number)) } else { None }
    }

    /// The unit in the low two bits of a byte.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Self {
        Self(byte & 0x03)
    }

    /// Its number, 0 to 3.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// What it is for.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            0 => "BMC",
            2 => "SMS",
            _ => "OEM",
        }
    }
}

impl fmt::Display for Lun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Bits for Lun {
    fn to_bits(self) -> u32 {
        self.0.into()
    }

    fn from_bits(bits: u32) -> Self {
        Self::from_byte(bits.to_le_bytes()[0])
    }
}

/// Slave address of a controller on IPMB: 8 bits, even (§5.5; IPMB 1.0 §2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpmbAddress(u8);

impl IpmbAddress {
    /// The BMC; the shelf manager of `AdvancedTCA`.
    pub const BMC: Self = Self(0x20);

    /// An even address; `None` for an odd byte, which is a software ID.
    #[must_use]
    pub const fn new(byte: u8) -> Option<Self> {
        if byte & 1 == 0 {
            Some(Self(byte))
        } else {
            None
        }
    }

    /// The address in the high seven bits of a byte, whatever its lowest bit is.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Self {
        Self(byte & 0xfe)
    }

    /// The address of a hardware address of PICMG: twice as much (PICMG 3.0 §3.2.3). `None` from 80h on.
    #[must_use]
    pub const fn from_hardware_address(address: u8) -> Option<Self> {
        if address < 0x80 {
            Some(Self(address << 1))
        } else {
            None
        }
    }

    /// The byte, even.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for IpmbAddress {
    fn default() -> Self {
        Self::BMC
    }
}

impl fmt::Display for IpmbAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X}h", self.0)
    }
}

impl Field for IpmbAddress {
    fn put(&self, w: &mut Writer<'_>) {
        w.u8(self.0);
    }

    fn get(r: &mut Reader<'_>, name: &'static str) -> Result<Self, WireError> {
        r.u8(name).map(Self::from_byte)
    }
}

/// What holds an inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FruDevice {
    /// A logical device: FRU commands of the controller reach it by this number.
    Logical(u8),
    /// An EEPROM on a private bus of the controller, 0 to 7: Master Write-Read reaches it.
    Eeprom {
        /// Its address on that bus.
        address: IpmbAddress,
        /// The bus; 3 bits.
        bus: u8,
    },
}

/// Where an inventory is: the controller, and what holds it (§34, §43.8, table 43-7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FruAddress {
    /// The controller that reaches it.
    pub controller: IpmbAddress,
    /// Its channel.
    pub channel: ChannelNumber,
    /// Its logical unit.
    pub lun: Lun,
    /// What holds the inventory.
    pub device: FruDevice,
}

impl FruAddress {
    /// A logical device behind the BMC.
    #[must_use]
    pub const fn of_bmc(fru_device_id: u8) -> Self {
        Self {
            controller: IpmbAddress::BMC,
            channel: ChannelNumber::PRIMARY_IPMB,
            lun: Lun::BMC,
            device: FruDevice::Logical(fru_device_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fits_is_an_address() {
        assert_eq!(Lun::new(3), Some(Lun::OEM_2));
        assert_eq!(Lun::new(4), None);
        assert_eq!(IpmbAddress::new(0x20), Some(IpmbAddress::BMC));
        assert_eq!(IpmbAddress::new(0x81), None);
        assert_eq!(
            IpmbAddress::from_hardware_address(0x41).map(IpmbAddress::get),
            Some(0x82)
        );
        assert_eq!(IpmbAddress::from_hardware_address(0x80), None);
        for byte in 0..=255 {
            assert_eq!(Lun::from_byte(byte).get(), byte & 3);
            assert_eq!(IpmbAddress::from_byte(byte).get() & 1, 0);
        }
    }

    #[test]
    fn they_are_small() {
        assert_eq!(size_of::<Lun>() + size_of::<IpmbAddress>(), 2);
        assert!(size_of::<FruAddress>() <= 6);
    }
}
