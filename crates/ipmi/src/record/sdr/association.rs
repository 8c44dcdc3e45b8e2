//! Records without a sensor: entity associations (types 08h and 09h), generic device locator (10h), management controller
//! confirmation (13h), BMC message channel info (14h) (§43.4 to §43.11).

use super::{Entity, IdString};
use crate::command::app::Guid;
use crate::number::{AssociationFlags, ChannelNumber, ChannelProtocol, DeviceType, EntityId};
use crate::wire::{Reader, WireError, Writer};

/// Which entities another one contains, type 08h (§43.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntityAssociation {
    /// The container.
    pub container: (EntityId, u8),
    /// How the rest is to be read; see [`is_range`](Self::is_range) and [`is_linked`](Self::is_linked).
    pub flags: AssociationFlags,
    /// What it contains; entity 0 for none.
    pub contained: [(EntityId, u8); 4],
}

impl EntityAssociation {
    /// The contained entities are two ranges, first and last each.
    #[must_use]
    pub const fn is_range(&self) -> bool {
        self.flags.contains(AssociationFlags::RANGES)
    }

    /// More records say what else the container contains.
    #[must_use]
    pub const fn is_linked(&self) -> bool {
        self.flags.contains(AssociationFlags::LINKED)
    }

    /// Whether an entity is contained.
    #[must_use]
    pub fn contains(&self, entity: EntityId, instance: u8) -> bool {
        if !self.is_range() {
            return self.contained.contains(&(entity, instance));
        }
        let [a, b, c, d] = self.contained;
        [(a, b), (c, d)].iter().any(|((id, first), (_, last))| {
            id.0 != 0 && *id == entity && (*first..=*last).contains(&instance)
        })
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.container.0.0, self.container.1, self.flags.0]);
        for (entity, instance) in self.contained {
            w.bytes(&[entity.0, instance]);
        }
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [id, instance, flags] = r.array("container entity")?;
        let mut contained = [(EntityId(0), 0); 4];
        for one in &mut contained {
            let [id, instance] = r.array("contained entity")?;
            *one = (EntityId(id), instance);
        }
        Ok(Self {
            container: (EntityId(id), instance),
            flags: AssociationFlags(flags),
            contained,
        })
    }
}

/// The same, where entities are counted on one device, type 09h (§43.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceRelativeAssociation {
    /// The container.
    pub container: (EntityId, u8),
    /// Address of its device, and the byte with its channel in bits 7:4.
    pub container_device: (u8, u8),
    /// As in [`EntityAssociation::flags`].
    pub flags: AssociationFlags,
    /// What it contains: device address, byte with the channel, entity, instance; entity 0 for none.
    pub contained: [(u8, u8, EntityId, u8); 4],
    /// Reserved; zero where we make the record, kept where we read it.
    pub reserved: [u8; 6],
}

impl DeviceRelativeAssociation {
    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[
            self.container.0.0,
            self.container.1,
            self.container_device.0,
            self.container_device.1,
            self.flags.0,
        ]);
        for (address, channel, entity, instance) in self.contained {
            w.bytes(&[address, channel, entity.0, instance]);
        }
        w.bytes(&self.reserved);
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [id, instance, address, channel, flags] = r.array("container entity")?;
        let mut contained = [(0, 0, EntityId(0), 0); 4];
        for one in &mut contained {
            let [address, channel, id, instance] = r.array("contained entity")?;
            *one = (address, channel, EntityId(id), instance);
        }
        Ok(Self {
            container: (EntityId(id), instance),
            container_device: (address, channel),
            flags: AssociationFlags(flags),
            contained,
            reserved: r.array("reserved bytes")?,
        })
    }
}

/// A device on a bus that is neither inventory nor controller, type 10h (§43.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GenericLocator {
    /// Address of the controller that reaches it, in bits 7:1.
    pub access_address: u8,
    /// Its own address in bits 7:1; bit 0 is the highest bit of the channel.
    pub slave_address: u8,
    /// The channel's lower bits in 7:5, LUN in 4:3, private bus in 2:0.
    pub bus: u8,
    /// Addresses beyond the first that it takes, in bits 2:0.
    pub address_span: u8,
    /// Reserved; kept.
    pub reserved: u8,
    /// Kind of device (table 43-12).
    pub device_type: DeviceType,
    /// More about that.
    pub device_type_modifier: u8,
    /// What it belongs to.
    pub entity: Entity,
    /// The maker's own.
    pub oem: u8,
    /// Name.
    pub id: IdString,
}

impl GenericLocator {
    /// Channel of the controller that reaches it.
    #[must_use]
    pub const fn channel(&self) -> ChannelNumber {
        ChannelNumber((self.slave_address & 1) << 3 | self.bus >> 5)
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[
            self.access_address,
            self.slave_address,
            self.bus,
            self.address_span,
            self.reserved,
            self.device_type.0,
            self.device_type_modifier,
        ]);
        self.entity.encode(w);
        w.u8(self.oem);
        self.id.encode(w);
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [
            access_address,
            slave_address,
            bus,
            address_span,
            reserved,
            device_type,
            device_type_modifier,
        ] = r.array("device access")?;
        Ok(Self {
            access_address,
            slave_address,
            bus,
            address_span,
            reserved,
            device_type: DeviceType(device_type),
            device_type_modifier,
            entity: Entity::decode(r)?,
            oem: r.u8("OEM byte")?,
            id: IdString::decode(r)?,
        })
    }
}

/// A management controller that was found, type 13h (§43.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct McConfirmation {
    /// Address.
    pub address: u8,
    /// Device ID, as in Get Device ID.
    pub device_id: u8,
    /// Channel in bits 7:4, device revision in 3:0.
    pub channel_revision: u8,
    /// Major firmware version in bits 6:0.
    pub firmware_major: u8,
    /// Minor firmware version, BCD.
    pub firmware_minor: u8,
    /// Version of IPMI, BCD with the digits swapped.
    pub ipmi_version: u8,
    /// Enterprise number of the maker; 20 bits, the upper 4 kept.
    pub manufacturer: u32,
    /// Product.
    pub product: u16,
    /// Device GUID.
    pub guid: Guid,
}

impl McConfirmation {
    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[
            self.address,
            self.device_id,
            self.channel_revision,
            self.firmware_major,
            self.firmware_minor,
            self.ipmi_version,
        ]);
        w.u24(self.manufacturer);
        w.u16(self.product);
        w.bytes(&self.guid.0);
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [
            address,
            device_id,
            channel_revision,
            firmware_major,
            firmware_minor,
            ipmi_version,
        ] = r.array("management controller")?;
        Ok(Self {
            address,
            device_id,
            channel_revision,
            firmware_major,
            firmware_minor,
            ipmi_version,
            manufacturer: r.u24("manufacturer")?,
            product: r.u16("product")?,
            guid: Guid(r.array("device GUID")?),
        })
    }
}

/// The channels of an IPMI 1.0 BMC, type 14h (§43.11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageChannelInfo {
    /// Channels 0 to 7: transmission in bit 7, receiving LUN in 6:4, protocol in 3:0; 0 for none.
    pub channels: [u8; 8],
    /// Interrupt of messages.
    pub message_interrupt: u8,
    /// Interrupt of the event message buffer.
    pub event_interrupt: u8,
    /// Reserved; kept.
    pub reserved: u8,
}

impl MessageChannelInfo {
    /// Protocol of a channel from 0 to 7; `None` where there is no such channel.
    #[must_use]
    pub fn protocol(&self, channel: u8) -> Option<ChannelProtocol> {
        let byte = self.channels.get(usize::from(channel))?;
        (byte & 0x0f != 0).then_some(ChannelProtocol(byte & 0x0f))
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&self.channels);
        w.bytes(&[self.message_interrupt, self.event_interrupt, self.reserved]);
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let channels = r.array("channels")?;
        let [message_interrupt, event_interrupt, reserved] = r.array("interrupts")?;
        Ok(Self {
            channels,
            message_interrupt,
            event_interrupt,
            reserved,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::super::{SdrBody, SdrRecord};
    use super::*;
    use crate::command::check::Arbitrary;

    fn record(record_type: u8, body: &[u8]) -> Vec<u8> {
        let len = u8::try_from(body.len()).unwrap();
        let mut bytes = std::vec![7, 0, 0x51, record_type, len];
        bytes.extend(body);
        bytes
    }

    #[test]
    fn an_association_lists_entities_or_gives_ranges() {
        let list = record(0x08, &[0x17, 1, 0, 3, 1, 3, 2, 0, 0, 0, 0]);
        let decoded = SdrRecord::decode(&list).unwrap();
        let SdrBody::EntityAssociation(association) = decoded.body else {
            panic!("{decoded:?}");
        };
        assert!(association.contains(EntityId(3), 2) && !association.contains(EntityId(3), 3));
        assert_eq!(decoded.to_vec(), list);
        let range = EntityAssociation {
            flags: AssociationFlags::RANGES | AssociationFlags::LINKED,
            contained: [
                (EntityId(8), 1),
                (EntityId(8), 4),
                (EntityId(0), 0),
                (EntityId(0), 0),
            ],
            ..association
        };
        assert!(range.is_linked() && range.contains(EntityId(8), 3));
        assert!(!range.contains(EntityId(8), 5) && !range.contains(EntityId(0), 0));
    }

    #[test]
    fn a_locator_a_confirmation_and_channels_of_the_specification() {
        let mut body = std::vec![0x20, 0xa1, 0x4b, 0, 0, 0x08, 0x01, 0x20, 1, 0, 0xc3];
        body.extend(b"DIM");
        let decoded = SdrRecord::decode(&record(0x10, &body)).unwrap();
        let SdrBody::GenericLocator(locator) = &decoded.body else {
            panic!("{decoded:?}");
        };
        assert_eq!(locator.channel(), ChannelNumber(0x0a));
        assert_eq!(decoded.name().unwrap().text(), "DIM");

        let channels = [0x81, 0, 0, 0, 0, 0, 0, 0x85, 1, 2, 0];
        let decoded = SdrRecord::decode(&record(0x14, &channels)).unwrap();
        let SdrBody::MessageChannelInfo(info) = decoded.body else {
            panic!("{decoded:?}");
        };
        assert_eq!(info.protocol(7), Some(ChannelProtocol::KCS));
        assert_eq!((info.protocol(1), info.protocol(8)), (None, None));
    }

    #[test]
    fn every_record_is_written_as_it_was_read_and_a_short_one_stays_raw() {
        for record_type in [0x08, 0x09, 0x10, 0x13, 0x14] {
            for body in Arbitrary::new(500) {
                let bytes = record(record_type, &body);
                let decoded = SdrRecord::decode(&bytes).unwrap();
                assert_eq!(decoded.to_vec(), bytes, "{decoded:?}");
            }
            let short = SdrRecord::decode(&record(record_type, &[1, 2, 3])).unwrap();
            assert!(matches!(short.body, SdrBody::Raw { .. }));
        }
    }
}
