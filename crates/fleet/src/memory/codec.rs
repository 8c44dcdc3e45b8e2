//! What is remembered of a BMC, as bytes: fields one after the other, numbers with the least significant byte first, texts with
//! their length, what may be absent with a byte before it. The file's schema says which fields there are.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use hardware::{
    AddressOrigin, Asset, Capacity, Context, FirmwareComponent, Identity, Inventory, Ipv4,
    Nameplates, Network, Part, Uuid, Vlan,
};
use ipmi::command::Message;
use ipmi::command::app::{DeviceId, Guid};
use ipmi::number::CipherSuiteId;
use ipmi::record::RecordId;
use ipmi::wire::{Reader, Writer};

use super::Fingerprint;
use crate::contact::Known;
use crate::contact::log::{LogPosition, LogStamp, Newest, Record};
use crate::contact::repository::Stamp;

/// The longest answer to Get Device ID (§20.1).
const DEVICE_ID_LEN_MAX: usize = 32;

/// What a first contact found out.
#[derive(Clone, Debug)]
pub(crate) struct Contact {
    /// Where the BMC is: the same name at another address is another machine.
    pub(crate) address: SocketAddr,
    /// Which records its sensors were made from.
    pub(crate) repository: Fingerprint,
    pub(crate) known: Known,
    /// The cipher suite of its session.
    pub(crate) suite: Option<CipherSuiteId>,
    pub(crate) identity: Arc<Identity>,
    /// Without sensors: those are the repository's.
    pub(crate) inventory: Arc<Inventory>,
}

/// The order of contexts in the file: new ones at the end.
const CONTEXTS: [Context; 18] = [
    Context::Unspecified,
    Context::Cpu,
    Context::Memory,
    Context::StorageDevice,
    Context::PowerSupply,
    Context::PowerSubsystem,
    Context::VoltageRegulator,
    Context::Fan,
    Context::CoolingSubsystem,
    Context::SystemBoard,
    Context::Intake,
    Context::Exhaust,
    Context::Chassis,
    Context::AddInCard,
    Context::ManagementController,
    Context::Battery,
    Context::PowerOutlet,
    Context::System,
];

/// The order of origins in the file.
const ORIGINS: [AddressOrigin; 4] = [
    AddressOrigin::Static,
    AddressOrigin::Dhcp,
    AddressOrigin::Host,
    AddressOrigin::Other,
];

/// In place of whether there is a GUID: it has one that doesn't hold.
const GUID_UNSTEADY: u8 = 2;

/// Writes fields.
#[derive(Debug, Default)]
pub(crate) struct Encoder(Vec<u8>);

impl Encoder {
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.raw(&value.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.raw(&value.to_le_bytes());
    }

    /// At most 65,534 bytes: what is longer is cut.
    fn bytes(&mut self, bytes: &[u8]) {
        let len = bytes.len().min(usize::from(u16::MAX) - 1);
        self.u16(len as u16);
        self.raw(&bytes[..len]);
    }

    fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.u8(value.is_some().into());
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn text(&mut self, text: &Option<Arc<str>>) {
        self.option(text.as_deref(), |e, text| e.bytes(text.as_bytes()));
    }

    fn place<T: PartialEq>(&mut self, all: &[T], value: &T) {
        let place = all.iter().position(|one| one == value);
        self.u8(place.unwrap_or(0) as u8);
    }
}

/// Reads fields; `None` where they don't fit.
#[derive(Debug)]
pub(crate) struct Decoder<'a>(pub(crate) &'a [u8]);

impl<'a> Decoder<'a> {
    pub(crate) fn raw(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.raw(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        Some(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.array()?))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.u16()?;
        self.raw(len.into())
    }

    fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.u8()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<Option<Arc<str>>> {
        self.option(|d| str::from_utf8(d.bytes()?).ok().map(Into::into))
    }

    fn place<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        all.get(usize::from(self.u8()?)).cloned()
    }
}

impl Contact {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut e = Encoder::default();
        // At the beginning, to be found without reading all.
        e.raw(&self.repository);
        e.bytes(self.address.to_string().as_bytes());
        let mut device = [0; DEVICE_ID_LEN_MAX];
        let mut w = Writer::new(&mut device);
        self.known.device.encode(&mut w);
        let len = w.finish().unwrap_or(0);
        e.bytes(&device[..len]);
        match self.known {
            Known {
                is_unsteady: true, ..
            } => e.u8(GUID_UNSTEADY),
            Known { guid, .. } => e.option(guid, |e, guid| e.raw(&guid.0)),
        }
        e.option(self.known.stamp, |e, stamp| match stamp {
            Stamp::Repository(count, addition, erase) => {
                e.u8(0);
                e.u16(count);
                e.u32(addition);
                e.u32(erase);
            }
            Stamp::Device(count, change) => {
                e.u8(1);
                e.u8(count);
                e.u32(change);
            }
        });
        e.option(self.suite, |e, suite| e.u8(suite.0));
        put_identity(&mut e, &self.identity);
        let plates = self.inventory.nameplates();
        for asset in [&plates.product, &plates.board, &plates.chassis] {
            put_asset(&mut e, asset);
        }
        e.u16(plates.parts.len() as u16);
        for part in &plates.parts {
            put_asset(&mut e, &part.asset);
            e.place(&CONTEXTS, &part.context);
            e.u16(part.instance);
            e.option(part.capacity, |e, capacity| match capacity {
                Capacity::Watts(watts) => {
                    e.u8(0);
                    e.u32(watts.into());
                }
                Capacity::Mebibytes(mib) => {
                    e.u8(1);
                    e.u32(mib);
                }
            });
        }
        e.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let d = &mut Decoder(bytes);
        let repository = d.array()?;
        let address = str::from_utf8(d.bytes()?).ok()?.parse().ok()?;
        let device = DeviceId::decode(&mut Reader::new(d.bytes()?)).ok()?;
        let is_unsteady = d.0.first() == Some(&GUID_UNSTEADY);
        let guid = match is_unsteady {
            true => d.u8().map(|_| None)?,
            false => d.option(|d| d.array().map(Guid))?,
        };
        let stamp = d.option(|d| match d.u8()? {
            0 => Some(Stamp::Repository(d.u16()?, d.u32()?, d.u32()?)),
            1 => Some(Stamp::Device(d.u8()?, d.u32()?)),
            _ => None,
        })?;
        let suite = d.option(|d| d.u8().map(CipherSuiteId))?;
        let identity = identity(d)?;
        let (product, board, chassis) = (asset(d)?, asset(d)?, asset(d)?);
        let count = d.u16()?;
        let parts: Option<Vec<Part>> = (0..count).map(|_| part(d)).collect();
        let plates = Nameplates {
            product,
            board,
            chassis,
            parts: parts?,
        };
        Some(Self {
            address,
            repository,
            known: Known {
                device,
                stamp,
                guid,
                is_unsteady,
            },
            suite,
            identity: Arc::new(identity),
            inventory: Arc::new(Inventory::new(plates, Arc::default())),
        })
    }
}

/// What has a type of its own is written as its text.
fn put_identity(e: &mut Encoder, identity: &Identity) {
    let uuid =
        |uuid: Option<Uuid>| -> Option<Arc<str>> { uuid.map(|uuid| uuid.to_string().into()) };
    for text in [
        &uuid(identity.uuid),
        &identity.controller_firmware,
        &identity.controller_model,
        &identity.protocol,
        // Once the address, which is told with the contact.
        &None,
        &uuid(identity.controller_uuid),
        &identity.bios_version,
        &identity.asset_tag,
        &identity.controller_name,
        &identity.host_name,
    ] {
        e.text(text);
    }
    e.option(identity.controller_port, Encoder::u16);
    e.option(identity.serial_console, |e, flag| e.u8(flag.into()));
    e.option(identity.network, |e, network| {
        e.option(network.mac, |e, mac| e.raw(&mac));
        e.option(network.ipv4, |e, ipv4| {
            e.raw(&ipv4.address.octets());
            e.option(ipv4.netmask, |e, at| e.raw(&at.octets()));
            e.option(ipv4.gateway, |e, at| e.raw(&at.octets()));
            e.place(&ORIGINS, &ipv4.origin);
        });
        e.option(network.vlan, |e, vlan| {
            e.u16(vlan.id);
            e.u8(vlan.enabled.into());
        });
    });
    e.u16(identity.firmware.len() as u16);
    for component in &*identity.firmware {
        e.u8(component.number);
        e.text(&component.name);
        e.text(&component.version);
    }
}

fn identity(d: &mut Decoder<'_>) -> Option<Identity> {
    let address = |d: &mut Decoder<'_>| d.array().map(|octets: [u8; 4]| Ipv4Addr::from(octets));
    let uuid = parsed(d)?;
    let (controller_firmware, controller_model, protocol) = (d.text()?, d.text()?, d.text()?);
    // Once the address.
    d.text()?;
    Some(Identity {
        // Told anew by the next session.
        deviations: Arc::default(),
        uuid,
        controller_firmware,
        controller_model,
        protocol,
        controller_uuid: parsed(d)?,
        bios_version: d.text()?,
        asset_tag: d.text()?,
        controller_name: d.text()?,
        host_name: d.text()?,
        controller_port: d.option(Decoder::u16)?,
        serial_console: d.option(|d| Some(d.u8()? != 0))?,
        network: d.option(|d| {
            Some(Network {
                mac: d.option(Decoder::array)?,
                ipv4: d.option(|d| {
                    Some(Ipv4 {
                        address: address(d)?,
                        netmask: d.option(address)?,
                        gateway: d.option(address)?,
                        origin: d.place(&ORIGINS)?,
                    })
                })?,
                vlan: d.option(|d| {
                    Some(Vlan {
                        id: d.u16()?,
                        enabled: d.u8()? != 0,
                    })
                })?,
            })
        })?,
        firmware: {
            let count = d.u16()?;
            let component = |d: &mut Decoder<'_>| {
                Some(FirmwareComponent {
                    number: d.u8()?,
                    name: d.text()?,
                    version: d.text()?,
                })
            };
            let all: Option<Vec<_>> = (0..count).map(|_| component(d)).collect();
            all?.into()
        },
    })
}

/// What was written as its text.
fn parsed<T: FromStr>(d: &mut Decoder<'_>) -> Option<Option<T>> {
    Some(match d.text()? {
        Some(text) => Some(text.parse().ok()?),
        None => None,
    })
}

fn put_asset(e: &mut Encoder, asset: &Asset) {
    for text in [
        &asset.name,
        &asset.manufacturer,
        &asset.model,
        &asset.part_number,
        &asset.version,
        &asset.serial_number,
        &asset.asset_tag,
    ] {
        e.text(text);
    }
    e.option(asset.manufactured_at_s, |e, at| e.raw(&at.to_le_bytes()));
}

fn asset(d: &mut Decoder<'_>) -> Option<Asset> {
    Some(Asset {
        name: d.text()?,
        manufacturer: d.text()?,
        model: d.text()?,
        part_number: d.text()?,
        version: d.text()?,
        serial_number: d.text()?,
        asset_tag: d.text()?,
        manufactured_at_s: d.option(Decoder::u64)?,
    })
}

fn part(d: &mut Decoder<'_>) -> Option<Part> {
    Some(Part {
        asset: asset(d)?,
        context: d.place(&CONTEXTS)?,
        instance: d.u16()?,
        capacity: d.option(|d| match d.u8()? {
            0 => Some(Capacity::Watts(d.u32()?.try_into().ok()?)),
            1 => Some(Capacity::Mebibytes(d.u32()?)),
            _ => None,
        })?,
    })
}

/// How far a log was followed.
pub(crate) fn encode_position(position: &LogPosition) -> Vec<u8> {
    let mut e = Encoder::default();
    let stamp = position.stamp;
    e.u16(stamp.entries);
    e.u32(stamp.last_addition);
    e.u32(stamp.last_erase);
    e.u8(stamp.overflowed.into());
    e.option(position.newest.last(), |e, last| e.raw(&last));
    // Earlier versions of this program ended here.
    let newest = position.newest.all();
    let before_last = newest.split_last().map_or(newest, |(_, before)| before);
    e.u8(before_last.len() as u8);
    before_last.iter().for_each(|record| e.raw(record));
    e.u8(position.endless.into());
    e.option(position.last_unreadable, |e, id| e.u16(id.0));
    e.finish()
}

/// What [`encode_position`] wrote.
pub(crate) fn decode_position(bytes: &[u8]) -> Option<LogPosition> {
    let d = &mut Decoder(bytes);
    let stamp = LogStamp {
        entries: d.u16()?,
        last_addition: d.u32()?,
        last_erase: d.u32()?,
        overflowed: d.u8()? != 0,
    };
    let last = d.option(Decoder::array)?;
    let mut position = LogPosition {
        stamp,
        newest: Newest::of(last.into_iter()),
        ..LogPosition::default()
    };
    if d.0.is_empty() {
        return Some(position);
    }
    let count = d.u8()?;
    let before: Option<Vec<Record>> = (0..count).map(|_| d.array()).collect();
    position.newest = Newest::of(before?.into_iter().chain(last));
    position.endless = d.u8()? != 0;
    position.last_unreadable = d.option(Decoder::u16)?.map(RecordId);
    Some(position)
}

#[cfg(test)]
pub(crate) mod tests {
    use ipmi::command::app::IpmiVersion;
    use ipmi::number::{DeviceAvailability, DeviceSupport, EnterpriseNumber};

    use super::*;

    pub(crate) fn contact() -> Contact {
        let asset = Asset {
            name: Some("PSU 1".into()),
            serial_number: Some("S-\u{e4}".into()),
            manufactured_at_s: Some(1_700_000_000),
            ..Asset::default()
        };
        let part = |context, capacity| Part {
            asset: asset.clone(),
            context,
            instance: 300,
            capacity,
        };
        let plates = Nameplates {
            product: asset.clone(),
            parts: vec![
                part(Context::System, Some(Capacity::Watts(900))),
                part(Context::Memory, Some(Capacity::Mebibytes(65_536))),
                part(Context::Unspecified, None),
            ],
            ..Nameplates::default()
        };
        Contact {
            address: "[fe80::7]:623".parse().unwrap(),
            repository: [7; 32],
            known: Known {
                device: DeviceId {
                    device_id: 1,
                    has_device_sdrs: true,
                    device_revision: 1,
                    availability: DeviceAvailability::NORMAL,
                    firmware_major: 2,
                    firmware_minor: 0x15,
                    ipmi_version: IpmiVersion::V2_0,
                    support: DeviceSupport::SEL,
                    manufacturer: EnterpriseNumber(674),
                    product: 9_000,
                    auxiliary_firmware: Some([1, 2, 3, 4]),
                },
                stamp: Some(Stamp::Repository(61, 12, 13)),
                guid: Some(Guid([9; 16])),
                is_unsteady: false,
            },
            suite: Some(CipherSuiteId::SUITE_17),
            identity: Arc::new(Identity {
                uuid: "1b4e28ba-2fa1-11d2-883f-0016d3cca427".parse().ok(),
                controller_port: Some(623),
                serial_console: Some(false),
                network: Some(Network {
                    mac: Some([1, 2, 3, 4, 5, 6]),
                    ipv4: Some(Ipv4 {
                        address: Ipv4Addr::new(10, 0, 0, 7),
                        netmask: None,
                        gateway: Some(Ipv4Addr::new(10, 0, 0, 1)),
                        origin: AddressOrigin::Other,
                    }),
                    vlan: Some(Vlan {
                        id: 4_000,
                        enabled: true,
                    }),
                }),
                firmware: vec![FirmwareComponent {
                    number: 1,
                    name: Some("BOOT".into()),
                    version: None,
                }]
                .into(),
                ..Identity::default()
            }),
            inventory: Arc::new(Inventory::new(plates, Arc::default())),
        }
    }

    #[test]
    fn what_is_remembered_of_a_contact_is_what_was_found() {
        let contact = contact();
        let bytes = contact.encode();
        let again = Contact::decode(&bytes).unwrap();
        assert_eq!(format!("{again:?}"), format!("{contact:?}"));
        for len in 0..bytes.len() {
            assert!(Contact::decode(&bytes[..len]).is_none(), "cut at {len}");
        }
    }

    #[test]
    fn positions_come_back_and_cut_ones_do_not() {
        let stamp = LogStamp {
            entries: 3,
            last_addition: 4,
            last_erase: 5,
            overflowed: true,
        };
        for count in 0..6 {
            let position = LogPosition {
                stamp,
                newest: Newest::of((0..count).map(|byte| [byte; 16])),
                endless: count == 2,
                last_unreadable: (count > 3).then_some(RecordId(7)),
                ..LogPosition::default()
            };
            let bytes = encode_position(&position);
            assert_eq!(decode_position(&bytes), Some(position));
            assert_eq!(decode_position(&bytes[..bytes.len() - 1]), None);
        }
    }

    #[test]
    fn a_position_that_an_earlier_version_remembered_is_known() {
        let mut bytes = vec![3, 0, 4, 0, 0, 0, 5, 0, 0, 0, 1, 1];
        bytes.extend([8; 16]);
        let position = decode_position(&bytes).unwrap();
        assert_eq!(position.stamp.entries, 3);
        assert_eq!(position.newest, Newest::of([[8; 16]].into_iter()));
    }
}
