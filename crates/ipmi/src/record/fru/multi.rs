//! Records of the multirecord area (FRU 1.0 §16 to §18) and what they hold.

use alloc::vec::Vec;

use crate::command::layout::{Field, U24_LEN, layout};
use crate::command::picmg::LinkDescriptor;
use crate::number::{
    CombinedVoltage, CurrentUnit, EnterpriseNumber, EntityId, ManagementAccessType,
    MultiRecordType, PicmgRecordType, PowerSupplyFlags,
};
use crate::wire::{Reader, WireError, Writer};

/// The longest content of a record.
pub const MULTIRECORD_MAX: usize = 255;
/// The maker's records from this type on begin with the maker's number.
const OEM: u8 = 0xc0;

/// A record of the multirecord area (FRU 1.0 §16), its content as it is stored; see [`MultiRecord::content`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultiRecord {
    /// What it is about (FRU 1.0 table 16-2); C0h and above are the maker's.
    pub record_type: MultiRecordType,
    /// Format version in bits 3:0, 2 for this specification; bits 6:4 are reserved and kept.
    pub version: u8,
    /// Its content, at most 255 bytes.
    pub data: Vec<u8>,
}

layout! {
    /// A power supply (FRU 1.0 table 18-1).
    pub struct PowerSupply {
        u16 {
            /// The most that it delivers, in watts.
            pub capacity_w: u16 [11:0],
        }
        /// Peak load, in volt-amperes; FFFFh for not specified.
        pub peak_va: u16,
        /// Inrush current, in amperes; FFh for not specified.
        pub inrush_a: u8,
        /// For how long it flows, in milliseconds.
        pub inrush_ms: u8,
        /// Lower end of the first input range, in 10 mV.
        pub input_1_low_10mv: u16,
        /// Upper end of the first input range, in 10 mV.
        pub input_1_high_10mv: u16,
        /// Lower end of the second input range, in 10 mV; 0 without one.
        pub input_2_low_10mv: u16,
        /// Upper end of the second input range, in 10 mV; 0 without one.
        pub input_2_high_10mv: u16,
        /// Lowest frequency of the input, in hertz; 0 for direct current.
        pub frequency_low_hz: u8,
        /// Highest frequency of the input, in hertz.
        pub frequency_high_hz: u8,
        /// For how long it bridges a loss of input, in milliseconds.
        pub dropout_ms: u8,
        /// What it can.
        pub flags: PowerSupplyFlags,
        u16 {
            /// For how long it delivers its peak, in seconds.
            pub hold_up_s: u16 [15:12],
            /// Peak, in watts.
            pub peak_w: u16 [11:0],
        }
        u8 {
            /// First voltage that shares its power with the second.
            pub combined_1: CombinedVoltage [7:4],
            /// The second.
            pub combined_2: CombinedVoltage [3:0],
        }
        /// What both deliver together, in watts; 0 where they don't share.
        pub combined_w: u16,
        /// Below this speed a fan counts as failing, in rounds per second.
        pub tachometer_rps: u8,
    }
}

layout! {
    /// An output of a power supply (FRU 1.0 tables 18-2 and 18-3).
    pub struct DcOutput {
        u8 {
            /// It delivers while the power supply is off.
            pub standby: bool [7],
            /// Unit of the currents in an extended record; in others they are in 1 mA.
            pub unit: CurrentUnit [6:4],
            /// Number of the output.
            pub number: u8 [3:0],
        }
        /// Nominal voltage, in 10 mV.
        pub nominal_10mv: i16,
        /// Lowest voltage, in 10 mV.
        pub lowest_10mv: i16,
        /// Highest voltage, in 10 mV.
        pub highest_10mv: i16,
        /// Ripple and noise from peak to peak, in millivolts.
        pub ripple_mv: u16,
        /// Least current to draw.
        pub least_current: u16,
        /// Most current to draw.
        pub most_current: u16,
    }
}

layout! {
    /// What a board draws from an output (FRU 1.0 tables 18-4 and 18-5).
    pub struct DcLoad {
        u8 {
            /// Unit of the currents in an extended record; in others they are in 1 mA.
            pub unit: CurrentUnit [6:4],
            /// Number of the output.
            pub number: u8 [3:0],
        }
        /// Nominal voltage, in 10 mV.
        pub nominal_10mv: i16,
        /// Lowest voltage that it stands, in 10 mV.
        pub lowest_10mv: i16,
        /// Highest voltage that it stands, in 10 mV.
        pub highest_10mv: i16,
        /// Ripple and noise that it stands, in millivolts.
        pub ripple_mv: u16,
        /// Least current that it draws.
        pub least_current: u16,
        /// Most current that it draws.
        pub most_current: u16,
    }
}

/// How to reach a system or component (FRU 1.0 table 18-6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagementAccess {
    /// What `data` is.
    pub kind: ManagementAccessType,
    /// A URL, a name or an address as text; 16 bytes for a unique ID.
    pub data: Vec<u8>,
}

/// What a unit may be used in (FRU 1.0 tables 18-9 and 18-10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compatibility {
    /// Whose codes these are.
    pub maker: EnterpriseNumber,
    /// The entity that the unit is to work in.
    pub entity: EntityId,
    /// Base of the codes.
    pub base: u8,
    /// First code.
    pub code_start: u8,
    /// Which codes from the first on fit: bit n of byte m is code 8 m + n.
    pub mask: Vec<u8>,
}

/// A maker's own record (FRU 1.0 §18.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OemRecord {
    /// Whose it is; 24 bits.
    pub maker: EnterpriseNumber,
    /// Its content.
    pub data: Vec<u8>,
}

/// A record of PICMG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PicmgRecord {
    /// What it is about.
    pub kind: PicmgRecordType,
    /// Version of its format.
    pub version: u8,
    /// What it holds.
    pub body: PicmgBody,
}

/// What a record of PICMG holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PicmgBody {
    /// IP address, default gateway and subnet mask of the shelf manager (13h), in reading order.
    ShelfManagerIp([[u8; 4]; 3]),
    /// GUIDs of a board's own link types, and its links (14h).
    BoardLinks {
        /// For link types F0h and above, in their order.
        guids: Vec<[u8; 16]>,
        /// Its links.
        links: Vec<LinkDescriptor>,
    },
    /// What an `AdvancedMC` draws, in 100 mA (16h).
    ModuleCurrent(u8),
    /// Another record.
    Other(Vec<u8>),
}

/// What a record holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Type 00h.
    PowerSupply(PowerSupply),
    /// Type 01h.
    DcOutput(DcOutput),
    /// Type 02h.
    DcLoad(DcLoad),
    /// Type 03h.
    ManagementAccess(ManagementAccess),
    /// Type 04h.
    BaseCompatibility(Compatibility),
    /// Type 05h.
    ExtendedCompatibility(Compatibility),
    /// Type 09h.
    ExtendedDcOutput(DcOutput),
    /// Type 0Ah.
    ExtendedDcLoad(DcLoad),
    /// Types C0h to FFh of PICMG.
    Picmg(PicmgRecord),
    /// Other makers' types C0h to FFh.
    Oem(OemRecord),
    /// Types that other specifications define (ASF, `NVMe`), and records that are not as their type has it.
    Other(Vec<u8>),
}

impl MultiRecord {
    /// Type of the power supply information record (FRU 1.0 §18.1).
    pub const POWER_SUPPLY: u8 = MultiRecordType::POWER_SUPPLY.0;
    /// The most watts that it can tell: 12 bits.
    const POWER_SUPPLY_MAX_W: u16 = 0x0fff;
    /// The format version that we write.
    const VERSION: u8 = 2;

    /// What a power supply delivers at most, in watts; `None` for other records and where it isn't told.
    #[must_use]
    pub fn power_supply_watts(&self) -> Option<u16> {
        let [low, high, ..] = *self.data.as_slice() else {
            return None;
        };
        let watts = u16::from_le_bytes([low, high]) & Self::POWER_SUPPLY_MAX_W;
        (self.record_type == MultiRecordType::POWER_SUPPLY && watts != 0).then_some(watts)
    }

    /// The record of a power supply of which only this is told; at most 4095 W.
    #[must_use]
    pub fn of_power_supply(watts: u16) -> Self {
        Self::new(
            MultiRecordType::POWER_SUPPLY,
            &Content::PowerSupply(PowerSupply {
                capacity_w: watts.min(Self::POWER_SUPPLY_MAX_W),
                peak_va: 0xffff,
                inrush_a: 0xff,
                inrush_ms: 0,
                input_1_low_10mv: 0,
                input_1_high_10mv: 0,
                input_2_low_10mv: 0,
                input_2_high_10mv: 0,
                frequency_low_hz: 0,
                frequency_high_hz: 0,
                dropout_ms: 0,
                flags: PowerSupplyFlags::NONE,
                hold_up_s: 0,
                peak_w: 0,
                combined_1: CombinedVoltage::V12,
                combined_2: CombinedVoltage::V12,
                combined_w: 0,
                tachometer_rps: 0,
            }),
        )
    }

    /// A record with this content. Content beyond 255 bytes is refused when the inventory is written.
    #[must_use]
    pub fn new(record_type: MultiRecordType, content: &Content) -> Self {
        Self {
            record_type,
            version: Self::VERSION,
            data: content.encode(),
        }
    }

    /// What the record holds. Content that its type can't give back byte by byte is [`Content::Other`], so that
    /// `record.content().encode() == record.data`.
    ///
    /// ```
    /// use ipmi::number::{CurrentUnit, MultiRecordType};
    /// use ipmi::record::fru::{Content, DcOutput, MultiRecord};
    ///
    /// let output = Content::DcOutput(DcOutput {
    ///     standby: true,
    ///     unit: CurrentUnit::MA_10,
    ///     number: 1,
    ///     nominal_10mv: 1200,
    ///     lowest_10mv: 1140,
    ///     highest_10mv: 1260,
    ///     ripple_mv: 120,
    ///     least_current: 0,
    ///     most_current: 3000,
    /// });
    /// let record = MultiRecord::new(MultiRecordType::DC_OUTPUT, &output);
    /// assert_eq!(record.content(), output);
    /// ```
    #[must_use]
    pub fn content(&self) -> Content {
        let content = self.decode(&mut Reader::new(&self.data));
        match content {
            Ok(content) if content.encode() == self.data => content,
            _ => Content::Other(self.data.clone()),
        }
    }

    fn decode(&self, r: &mut Reader<'_>) -> Result<Content, WireError> {
        Ok(match self.record_type {
            MultiRecordType::POWER_SUPPLY => Content::PowerSupply(Field::get(r, "power supply")?),
            MultiRecordType::DC_OUTPUT => Content::DcOutput(Field::get(r, "DC output")?),
            MultiRecordType::DC_LOAD => Content::DcLoad(Field::get(r, "DC load")?),
            MultiRecordType::EXTENDED_DC_OUTPUT => {
                Content::ExtendedDcOutput(Field::get(r, "DC output")?)
            }
            MultiRecordType::EXTENDED_DC_LOAD => Content::ExtendedDcLoad(Field::get(r, "DC load")?),
            MultiRecordType::MANAGEMENT_ACCESS => Content::ManagementAccess(ManagementAccess {
                kind: ManagementAccessType(r.u8("kind of access")?),
                data: r.rest().to_vec(),
            }),
            MultiRecordType::BASE_COMPATIBILITY => Content::BaseCompatibility(compatibility(r)?),
            MultiRecordType::EXTENDED_COMPATIBILITY => {
                Content::ExtendedCompatibility(compatibility(r)?)
            }
            MultiRecordType(OEM..) => match EnterpriseNumber(r.u24("maker")?) {
                EnterpriseNumber::PICMG => Content::Picmg(picmg(r)?),
                maker => Content::Oem(OemRecord {
                    maker,
                    data: r.rest().to_vec(),
                }),
            },
            _ => Content::Other(r.rest().to_vec()),
        })
    }
}

fn compatibility(r: &mut Reader<'_>) -> Result<Compatibility, WireError> {
    Ok(Compatibility {
        maker: EnterpriseNumber(r.u24("maker")?),
        entity: EntityId(r.u8("entity ID")?),
        base: r.u8("base of the codes")?,
        code_start: r.u8("first code")?,
        mask: r.rest().to_vec(),
    })
}

fn picmg(r: &mut Reader<'_>) -> Result<PicmgRecord, WireError> {
    let (kind, version) = (PicmgRecordType(r.u8("PICMG record")?), r.u8("version")?);
    let body = match kind {
        PicmgRecordType::SHELF_MANAGER_IP if r.remaining() == 12 => PicmgBody::ShelfManagerIp([
            r.array("IP address")?,
            r.array("gateway")?,
            r.array("subnet mask")?,
        ]),
        PicmgRecordType::BOARD_P2P => {
            let count = r.u8("number of GUIDs")?;
            let guids = (0..count).map(|_| r.array("GUID"));
            let guids = guids.collect::<Result<_, _>>()?;
            let mut links = Vec::new();
            while !r.is_empty() {
                links.push(Field::get(r, "link")?);
            }
            PicmgBody::BoardLinks { guids, links }
        }
        PicmgRecordType::AMC_CURRENT if r.remaining() == 1 => {
            PicmgBody::ModuleCurrent(r.u8("current")?)
        }
        _ => PicmgBody::Other(r.rest().to_vec()),
    };
    Ok(PicmgRecord {
        kind,
        version,
        body,
    })
}

impl Content {
    /// The bytes of the record's content.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::PowerSupply(supply) => fixed(supply),
            Self::DcOutput(output) | Self::ExtendedDcOutput(output) => fixed(output),
            Self::DcLoad(load) | Self::ExtendedDcLoad(load) => fixed(load),
            Self::ManagementAccess(access) => [&[access.kind.0], access.data.as_slice()].concat(),
            Self::BaseCompatibility(codes) | Self::ExtendedCompatibility(codes) => {
                let mut out = maker(codes.maker);
                out.extend([codes.entity.0, codes.base, codes.code_start]);
                out.extend(&codes.mask);
                out
            }
            Self::Picmg(record) => {
                let mut out = maker(EnterpriseNumber::PICMG);
                out.extend([record.kind.0, record.version]);
                record.body.encode(&mut out);
                out
            }
            Self::Oem(oem) => {
                let mut out = maker(oem.maker);
                out.extend(&oem.data);
                out
            }
            Self::Other(data) => data.clone(),
        }
    }
}

impl PicmgBody {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::ShelfManagerIp(addresses) => out.extend(addresses.as_flattened()),
            Self::BoardLinks { guids, links } => {
                out.push(u8::try_from(guids.len()).unwrap_or(u8::MAX));
                out.extend(guids.as_flattened());
                for link in links {
                    out.extend(fixed(link));
                }
            }
            Self::ModuleCurrent(current) => out.push(*current),
            Self::Other(data) => out.extend(data),
        }
    }
}

fn maker(maker: EnterpriseNumber) -> Vec<u8> {
    maker.0.to_le_bytes()[..U24_LEN].to_vec()
}

fn fixed(value: &impl Field) -> Vec<u8> {
    let mut buffer = [0; MULTIRECORD_MAX];
    let mut w = Writer::new(&mut buffer);
    value.put(&mut w);
    w.written().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check::Arbitrary;
    use crate::number::{LinkInterface, LinkType};

    fn record(record_type: u8, data: &[u8]) -> MultiRecord {
        MultiRecord {
            record_type: MultiRecordType(record_type),
            version: 2,
            data: data.to_vec(),
        }
    }

    #[test]
    fn content_of_any_type_and_any_bytes_comes_back_byte_by_byte() {
        for record_type in (0..=0x10).chain([0xc0, 0xff]) {
            for (number, mut data) in Arbitrary::new(400).enumerate() {
                if number % 2 == 0 && data.len() > 5 {
                    data[..3].copy_from_slice(&[0x5a, 0x31, 0x00]);
                    data[3] = [0x13, 0x14, 0x16, 0x17][number / 2 % 4];
                    data[5] &= 1;
                }
                let record = record(record_type, &data);
                assert_eq!(record.content().encode(), data, "type {record_type:#04x}");
            }
        }
    }

    #[test]
    fn a_power_supply_has_24_bytes() {
        let bytes = [
            0xee, 0x02, 0x84, 0x03, 0x23, 0x0a, 0x28, 0x23, 0xa8, 0x2f, 0x50, 0x46, 0x20, 0x67, 47,
            63, 12, 0x0b, 0x52, 0x23, 0x02, 0x26, 0x02, 30,
        ];
        let Content::PowerSupply(supply) = record(0, &bytes).content() else {
            panic!("not a power supply");
        };
        assert_eq!((supply.capacity_w, supply.peak_va), (750, 900));
        assert_eq!(
            (supply.input_1_low_10mv, supply.input_1_high_10mv),
            (9000, 12200)
        );
        assert_eq!((supply.hold_up_s, supply.peak_w), (2, 850));
        assert_eq!(supply.combined_2, CombinedVoltage::V5);
        assert!(supply.flags.contains(PowerSupplyFlags::HOT_SWAP));
        assert!(!supply.flags.contains(PowerSupplyFlags::AUTOSWITCH));
        // A reserved bit can't be given back by the fields: the bytes are kept instead.
        let mut odd = bytes;
        odd[1] |= 0x80;
        assert_eq!(record(0, &odd).content(), Content::Other(odd.to_vec()));
        assert_eq!(
            MultiRecord::of_power_supply(750).power_supply_watts(),
            Some(750)
        );
        assert_eq!(MultiRecord::of_power_supply(750).data.len(), 24);
    }

    #[test]
    fn a_load_of_12_volts_and_a_url() {
        let bytes = [
            0x01, 0xb0, 0x04, 0x74, 0x04, 0xec, 0x04, 0x78, 0x00, 0x00, 0x00, 0xb8, 0x0b,
        ];
        let Content::DcLoad(load) = record(2, &bytes).content() else {
            panic!("not a load");
        };
        assert_eq!(
            (load.nominal_10mv, load.lowest_10mv, load.highest_10mv),
            (1200, 1140, 1260)
        );
        assert_eq!((load.ripple_mv, load.most_current), (120, 3000));
        let access = record(3, b"\x01http://bmc.example/").content();
        let Content::ManagementAccess(access) = access else {
            panic!("{access:?}");
        };
        assert_eq!(access.kind, ManagementAccessType::SYSTEM_URL);
        assert_eq!(access.data, b"http://bmc.example/");
    }

    #[test]
    fn makers_have_their_records_and_picmg_has_a_boards_links() {
        let codes = [0xa2, 0x02, 0x00, 0x07, 1, 2, 0xff, 0x01];
        let Content::BaseCompatibility(compatibility) = record(4, &codes).content() else {
            panic!("not a compatibility record");
        };
        assert_eq!(compatibility.maker, EnterpriseNumber::DELL);
        assert_eq!(compatibility.mask, [0xff, 0x01]);

        let board = [0x5a, 0x31, 0x00, 0x14, 0, 0, 0x01, 0x11, 0x00, 0x00];
        let content = record(0xc0, &board).content();
        let Content::Picmg(picmg) = &content else {
            panic!("{content:?}");
        };
        let PicmgBody::BoardLinks { guids, links } = &picmg.body else {
            panic!("{picmg:?}");
        };
        assert!(guids.is_empty());
        assert_eq!(links[0].link_type, LinkType::BASE);
        assert_eq!(
            (links[0].interface, links[0].channel),
            (LinkInterface::BASE, 1)
        );

        let oem = record(0xd0, &[0xa2, 0x02, 0x00, 9]).content();
        let maker = EnterpriseNumber::DELL;
        assert_eq!(
            oem,
            Content::Oem(OemRecord {
                maker,
                data: [9].to_vec()
            })
        );
    }
}
