//! Management controller device locator record, type 12h (§43.9, table 43-8).

use super::{Entity, IdString};
use crate::number::{ChannelNumber, DeviceSupport, McNotification};
use crate::wire::{Reader, WireError, Writer};

/// Where a management controller is and what it can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct McLocator {
    /// Slave address in bits 7:1; 20h for the BMC.
    pub address: u8,
    /// Channel in bits 3:0.
    pub channel_byte: u8,
    /// What the controller wants to be told and how it starts.
    pub notification: McNotification,
    /// Which devices the controller has.
    pub capabilities: DeviceSupport,
    /// Reserved; zero where we make the record, kept where we read it.
    pub reserved: [u8; 3],
    /// What the controller belongs to.
    pub entity: Entity,
    /// The maker's own.
    pub oem: u8,
    /// Name.
    pub id: IdString,
}

impl McLocator {
    /// Channel of the controller.
    #[must_use]
    pub const fn channel(&self) -> ChannelNumber {
        ChannelNumber(self.channel_byte & 0x0f)
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[
            self.address,
            self.channel_byte,
            self.notification.0,
            self.capabilities.0,
        ]);
        w.bytes(&self.reserved);
        self.entity.encode(w);
        w.u8(self.oem);
        self.id.encode(w);
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            address: r.u8("device slave address")?,
            channel_byte: r.u8("channel number")?,
            notification: McNotification(r.u8("power state notification")?),
            capabilities: DeviceSupport(r.u8("device capabilities")?),
            reserved: r.array("reserved bytes")?,
            entity: Entity::decode(r)?,
            oem: r.u8("OEM byte")?,
            id: IdString::decode(r)?,
        })
    }
}
