//! What full, compact and event-only sensor records share (§43.1 - §43.3).

use core::fmt;

use crate::number::{
    ChannelNumber, EntityId, EntityKind, EventMessageControl, EventReadingType, InstanceModifier,
    IpmbAddress, Lun, RateUnit, SensorInitialization, SensorType, SensorUnit, SharedInstance,
    SoftwareId, ThresholdSet,
};
use crate::record::AnalogFormat;
use crate::wire::{Reader, WireError, Writer};

/// Which sensor of which controller: the key bytes of a sensor record (§43.1, table 43-1, bytes 6-8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SensorKey {
    /// Owner byte: see [`SensorKey::owner`].
    pub owner_id: u8,
    /// Channel in bits 7:4, LUN in bits 1:0.
    pub owner_lun: u8,
    /// Number of the sensor on that owner and LUN.
    pub sensor_number: u8,
}

/// Who owns a sensor, or generated an event: a controller or software (§43.1, table 43-1, byte 6; §5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A management controller.
    Ipmb(IpmbAddress),
    /// System software (table 5-4).
    Software(SoftwareId),
}

impl Owner {
    /// From the byte, whose bit 0 tells which it is.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Self {
        if byte & 1 == 0 {
            Self::Ipmb(IpmbAddress::from_byte(byte))
        } else {
            Self::Software(SoftwareId(byte >> 1))
        }
    }

    /// As the byte.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::Ipmb(address) => address.get(),
            Self::Software(id) => id.0 << 1 | 1,
        }
    }
}

impl SensorKey {
    /// A sensor of the BMC itself on LUN 0.
    #[must_use]
    pub const fn bmc(sensor_number: u8) -> Self {
        Self {
            owner_id: 0x20,
            owner_lun: 0,
            sensor_number,
        }
    }

    /// Who owns the sensor.
    #[must_use]
    pub const fn owner(&self) -> Owner {
        Owner::from_byte(self.owner_id)
    }

    /// Channel of the owner.
    #[must_use]
    pub const fn channel(&self) -> ChannelNumber {
        ChannelNumber(self.owner_lun >> 4)
    }

    /// LUN of the owner.
    #[must_use]
    pub const fn lun(&self) -> Lun {
        Lun::from_byte(self.owner_lun)
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.owner_id, self.owner_lun, self.sensor_number]);
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            owner_id: r.u8("sensor owner ID")?,
            owner_lun: r.u8("sensor owner LUN")?,
            sensor_number: r.u8("sensor number")?,
        })
    }
}

/// The thing that a sensor or FRU belongs to (§39, §43.1, table 43-1, bytes 9-10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entity {
    /// What kind of thing.
    pub id: EntityId,
    /// Instance byte: logical flag in bit 7, number in bits 6:0.
    pub instance_byte: u8,
}

impl Entity {
    /// A physical entity; `instance` has 7 bits.
    #[must_use]
    pub const fn new(id: EntityId, instance: u8) -> Self {
        Self {
            id,
            instance_byte: instance & 0x7f,
        }
    }

    /// Instance number: 00h to 5Fh in the system, 60h to 7Fh on the owner alone (table 39-1).
    #[must_use]
    pub const fn instance(&self) -> u8 {
        self.instance_byte & 0x7f
    }

    /// Whether it is a thing, or stands for a container of others.
    #[must_use]
    pub const fn kind(&self) -> EntityKind {
        EntityKind(self.instance_byte >> 7)
    }

    /// Whether it stands for a container of other entities.
    #[must_use]
    pub const fn is_logical(&self) -> bool {
        self.kind().0 == EntityKind::LOGICAL.0
    }

    /// Whether the instance counts on the owner alone.
    #[must_use]
    pub const fn is_device_relative(&self) -> bool {
        self.instance() >= 0x60
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.id.0, self.instance_byte]);
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            id: EntityId(r.u8("entity ID")?),
            instance_byte: r.u8("entity instance")?,
        })
    }
}

impl fmt::Display for Entity {
    /// Identifier and instance in decimal, as in `7.1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.id.0, self.instance())
    }
}

/// How much of a facility a sensor gives to software: hysteresis, thresholds (§43.1, table 43-1, byte 12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// There is none.
    None,
    /// It can be read.
    Readable,
    /// It can be read and set.
    Settable,
    /// It is built in; the record holds the values.
    Fixed,
}

/// What a sensor can do: capabilities byte (§43.1, table 43-1, byte 12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SensorCapabilities(pub u8);

impl SensorCapabilities {
    /// The sensor is to be ignored where its entity is absent or disabled.
    #[must_use]
    pub const fn ignore_if_absent(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// Events re-arm by themselves.
    #[must_use]
    pub const fn auto_rearm(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// Access to hysteresis.
    #[must_use]
    pub const fn hysteresis(self) -> Access {
        access(self.0 >> 4)
    }

    /// Access to thresholds.
    #[must_use]
    pub const fn thresholds(self) -> Access {
        access(self.0 >> 2)
    }

    /// Control over event messages.
    #[must_use]
    pub const fn event_control(self) -> EventMessageControl {
        EventMessageControl(self.0 & 0x03)
    }
}

const fn access(bits: u8) -> Access {
    match bits & 0x03 {
        0 => Access::None,
        1 => Access::Readable,
        2 => Access::Settable,
        _ => Access::Fixed,
    }
}

/// The unit of a sensor: three bytes (§43.1, table 43-1, bytes 21-23).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Units {
    /// Format in bits 7:6, rate in 5:3, relation in 2:1, percentage in 0.
    pub flags: u8,
    /// The unit.
    pub base: SensorUnit,
    /// A second unit; unused with [`UnitRelation::None`].
    pub modifier: SensorUnit,
}

/// How a modifier unit joins the base unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnitRelation {
    /// Not at all.
    None,
    /// Base / modifier.
    Per,
    /// Base × modifier.
    Times,
}

impl Units {
    /// A plain unit.
    #[must_use]
    pub const fn new(format: AnalogFormat, base: SensorUnit) -> Self {
        Self {
            flags: format.to_bits() << 6,
            base,
            modifier: SensorUnit::UNSPECIFIED,
        }
    }

    /// How the raw byte counts.
    #[must_use]
    pub const fn format(&self) -> AnalogFormat {
        AnalogFormat::from_bits(self.flags >> 6)
    }

    /// Per which time.
    #[must_use]
    pub const fn rate(&self) -> RateUnit {
        RateUnit(self.flags >> 3 & 0x07)
    }

    /// How the modifier unit joins.
    #[must_use]
    pub const fn relation(&self) -> UnitRelation {
        match self.flags >> 1 & 0x03 {
            1 => UnitRelation::Per,
            2 => UnitRelation::Times,
            _ => UnitRelation::None,
        }
    }

    /// Whether the reading is a percentage.
    #[must_use]
    pub const fn is_percentage(&self) -> bool {
        self.flags & 0x01 != 0
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.flags, self.base.0, self.modifier.0]);
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            flags: r.u8("sensor units 1")?,
            base: SensorUnit(r.u8("base unit")?),
            modifier: SensorUnit(r.u8("modifier unit")?),
        })
    }
}

impl fmt::Display for Units {
    /// As in `degrees C`, `% Volts`, `CFM/Watts`, `RPM per second`; `percent` for a bare percentage.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_percentage() {
            if self.base == SensorUnit::UNSPECIFIED {
                return f.write_str("percent");
            }
            f.write_str("% ")?;
        }
        write!(f, "{}", self.base)?;
        match self.relation() {
            UnitRelation::None => {}
            UnitRelation::Per => write!(f, "/{}", self.modifier)?,
            UnitRelation::Times => write!(f, "*{}", self.modifier)?,
        }
        if self.rate() == RateUnit::NONE {
            Ok(())
        } else {
            write!(f, " {}", self.rate())
        }
    }
}

/// What a full and a compact sensor record have in common: bytes 6 to 23 of both (§43.1, table 43-1; §43.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sensor {
    /// Which sensor.
    pub key: SensorKey,
    /// What it belongs to.
    pub entity: Entity,
    /// How it is initialised and comes up.
    pub initialization: SensorInitialization,
    /// What it can do.
    pub capabilities: SensorCapabilities,
    /// What it watches.
    pub sensor_type: SensorType,
    /// How its states and events are to be read.
    pub event_reading_type: EventReadingType,
    /// Assertion events in bits 14:0; for a threshold sensor events in 11:0 and lower comparisons in 14:12.
    pub assertion_mask: u16,
    /// Deassertion events in bits 14:0; for a threshold sensor events in 11:0 and upper comparisons in 14:12.
    pub deassertion_mask: u16,
    /// Readable states in bits 14:0; for a threshold sensor settable thresholds in 13:8 and readable ones in 5:0.
    pub reading_mask: u16,
    /// Its unit.
    pub units: Units,
}

impl Sensor {
    /// Whether it has an analog reading: it is a threshold sensor with an analog format.
    #[must_use]
    pub const fn is_analog(&self) -> bool {
        self.event_reading_type.is_threshold() && !matches!(self.units.format(), AnalogFormat::None)
    }

    /// Thresholds that can be read; none for a discrete sensor.
    #[must_use]
    pub const fn readable_thresholds(&self) -> ThresholdSet {
        if !self.event_reading_type.is_threshold() {
            return ThresholdSet::NONE;
        }
        let [low, _] = self.reading_mask.to_le_bytes();
        ThresholdSet(low & ThresholdSet::ALL.0)
    }

    /// Thresholds that can be set; none for a discrete sensor.
    #[must_use]
    pub const fn settable_thresholds(&self) -> ThresholdSet {
        if !self.event_reading_type.is_threshold() {
            return ThresholdSet::NONE;
        }
        let [_, high] = self.reading_mask.to_le_bytes();
        ThresholdSet(high & ThresholdSet::ALL.0)
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        self.key.encode(w);
        self.entity.encode(w);
        w.bytes(&[
            self.initialization.0,
            self.capabilities.0,
            self.sensor_type.0,
            self.event_reading_type.0,
        ]);
        w.u16(self.assertion_mask);
        w.u16(self.deassertion_mask);
        w.u16(self.reading_mask);
        self.units.encode(w);
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            key: SensorKey::decode(r)?,
            entity: Entity::decode(r)?,
            initialization: SensorInitialization(r.u8("sensor initialization")?),
            capabilities: SensorCapabilities(r.u8("sensor capabilities")?),
            sensor_type: SensorType(r.u8("sensor type")?),
            event_reading_type: EventReadingType(r.u8("event/reading type")?),
            assertion_mask: r.u16("assertion event mask")?,
            deassertion_mask: r.u16("deassertion event mask")?,
            reading_mask: r.u16("reading mask")?,
            units: Units::decode(r)?,
        })
    }
}

/// How sensors share one compact or event-only record: two bytes (§43.2, table 43-2, bytes 24-25).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sharing {
    /// Direction in bits 7:6, modifier type in 5:4, share count in 3:0.
    pub direction_count: u8,
    /// Whether instances increment in bit 7, modifier offset in 6:0.
    pub instance_offset: u8,
}

impl Sharing {
    /// How many sensors share the record: 1 where it is not shared.
    #[must_use]
    pub const fn count(&self) -> u8 {
        let count = self.direction_count & 0x0f;
        if count == 0 { 1 } else { count }
    }

    /// Whether each sensor has its own entity instance, one after the other.
    #[must_use]
    pub const fn instances(&self) -> SharedInstance {
        SharedInstance(self.instance_offset >> 7)
    }

    /// How the sensors are told apart.
    #[must_use]
    pub const fn modifier(&self) -> InstanceModifier {
        InstanceModifier(self.direction_count >> 4 & 0x03)
    }

    /// What the name of the sensor of this index ends with; nothing for a record that is not shared.
    #[must_use]
    pub fn suffix(&self, index: u8) -> Suffix {
        if self.count() == 1 {
            return Suffix::None;
        }
        let number = u16::from(self.instance_offset & 0x7f) + u16::from(index);
        if self.modifier() == InstanceModifier::ALPHA {
            Suffix::Alpha(number)
        } else {
            Suffix::Numeric(number)
        }
    }

    /// The key and entity of the sensor of this index.
    pub(super) const fn apply(&self, index: u8, key: &mut SensorKey, entity: &mut Entity) {
        key.sensor_number = key.sensor_number.wrapping_add(index);
        if self.instances().0 == SharedInstance::INCREMENTS.0 {
            let instance = entity.instance().wrapping_add(index) & 0x7f;
            entity.instance_byte = entity.instance_byte & 0x80 | instance;
        }
    }

    /// The same bytes, but not shared.
    pub(super) const fn single(&self) -> Self {
        Self {
            direction_count: self.direction_count & 0xc0 | 1,
            instance_offset: 0,
        }
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.direction_count, self.instance_offset]);
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            direction_count: r.u8("record sharing")?,
            instance_offset: r.u8("entity instance sharing")?,
        })
    }
}

/// The instance modifier behind the name of a sensor that shares a record (§43.2, table 43-2, byte 25).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suffix {
    /// None.
    None,
    /// A decimal number.
    Numeric(u16),
    /// Letters: 0 is A, 25 is Z, 26 is AA.
    Alpha(u16),
}

impl fmt::Display for Suffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = |digit: u16| char::from(b'A' + digit.to_le_bytes()[0]);
        match *self {
            Self::None => Ok(()),
            Self::Numeric(number) => write!(f, "{number}"),
            // An offset of 127 and 15 sensors end at EL: two letters are enough.
            Self::Alpha(number) if number < 26 => write!(f, "{}", letter(number)),
            Self::Alpha(number) => {
                write!(
                    f,
                    "{}{}",
                    letter((number / 26 - 1) % 26),
                    letter(number % 26)
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn an_owner_is_an_even_address_or_an_odd_software_id() {
        assert_eq!(SensorKey::bmc(1).owner(), Owner::Ipmb(IpmbAddress::BMC));
        assert_eq!(Owner::from_byte(0x41), Owner::Software(SoftwareId(0x20)));
        for byte in 0..=255 {
            assert_eq!(Owner::from_byte(byte).to_byte(), byte);
        }
        let key = SensorKey {
            owner_id: 0x82,
            owner_lun: 0x73,
            sensor_number: 1,
        };
        assert_eq!((key.channel(), key.lun()), (ChannelNumber(7), Lun::OEM_2));
    }

    #[test]
    fn an_instance_is_logical_or_physical_and_relative_to_system_or_device() {
        let entity = Entity {
            id: EntityId::PROCESSOR,
            instance_byte: 0xe1,
        };
        assert!(entity.is_logical() && entity.is_device_relative());
        assert_eq!(entity.to_string(), "3.97");
        let entity = Entity::new(EntityId::SYSTEM_BOARD, 1);
        assert!(!entity.is_logical() && !entity.is_device_relative());
        assert_eq!(entity.to_string(), "7.1");
    }

    #[test]
    fn units_print_with_percentage_modifier_and_rate() {
        let units = |flags, base, modifier| {
            Units {
                flags,
                base,
                modifier,
            }
            .to_string()
        };
        let (rpm, watts, none) = (SensorUnit::RPM, SensorUnit::WATTS, SensorUnit::UNSPECIFIED);
        assert_eq!(units(0x00, SensorUnit::DEGREES_C, none), "degrees C");
        assert_eq!(units(0x01, none, none), "percent");
        assert_eq!(units(0x01, rpm, none), "% RPM");
        assert_eq!(units(0x02, SensorUnit::CFM, watts), "CFM/Watts");
        assert_eq!(units(0x04, watts, SensorUnit::HOUR), "Watts*hour");
        assert_eq!(units(0x18, rpm, none), "RPM per second");
        assert_eq!(
            Units::new(AnalogFormat::TwosComplement, rpm)
                .format()
                .to_bits(),
            2
        );
    }

    #[test]
    fn capabilities_are_two_bits_each() {
        let capabilities = SensorCapabilities(0xd9);
        assert!(capabilities.ignore_if_absent() && capabilities.auto_rearm());
        assert_eq!(capabilities.hysteresis(), Access::Readable);
        assert_eq!(capabilities.thresholds(), Access::Settable);
        assert_eq!(
            capabilities.event_control(),
            EventMessageControl::ENTIRE_SENSOR
        );
    }

    #[test]
    fn threshold_masks_count_for_threshold_sensors_only() {
        let mut sensor = Sensor {
            reading_mask: 0x1b3f,
            ..Sensor::default()
        };
        assert_eq!(sensor.readable_thresholds(), ThresholdSet::NONE);
        sensor.event_reading_type = EventReadingType::THRESHOLD;
        assert_eq!(sensor.readable_thresholds(), ThresholdSet::ALL);
        assert_eq!(sensor.settable_thresholds(), ThresholdSet(0x1b));
    }

    #[test]
    fn modifiers_count_in_decimal_or_in_letters() {
        let numeric = Sharing {
            direction_count: 0x03,
            instance_offset: 5,
        };
        assert_eq!(
            [0, 1, 2].map(|i| numeric.suffix(i).to_string()),
            ["5", "6", "7"]
        );
        let alpha = Sharing {
            direction_count: 0x13,
            instance_offset: 25,
        };
        assert_eq!(
            [0, 1, 2].map(|i| alpha.suffix(i).to_string()),
            ["Z", "AA", "AB"]
        );
        assert_eq!(Suffix::Alpha(141).to_string(), "EL");
        assert_eq!(Sharing::default().suffix(0).to_string(), "");
    }
}
