//! What a kind of machine has: its sensors and nameplates. Shared by all machines of the kind.

mod block;
mod node;
mod power_bay;

use ipmi::number::{EntityId, EventReadingType, SensorType, SensorUnit};
use ipmi::record::AnalogFormat;

use crate::scale::Scale;
use crate::sdr::Repository;
use crate::sensor::{Analog, Condition, Discrete, Kind, Limits, SensorSpec, Signal};

/// What kind of machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Model {
    /// A computer with two processors on a sled.
    Node,
    /// The controller of a block's fans.
    Block,
    /// The controller of a bay's power supplies.
    PowerBay,
}

/// All machines of one kind: sensors and names. Immutable, behind an `Arc`.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Which kind.
    pub model: Model,
    /// The product's name.
    pub product: &'static str,
    /// The product's part number.
    pub part_number: &'static str,
    /// The main board's name.
    pub board: &'static str,
    /// Name of the management controller, at most 16 bytes.
    pub controller: &'static str,
    /// Number that the product ID field of Get Device ID gives.
    pub product_id: u16,
    /// How many power supplies it has.
    pub supplies: u8,
    /// Every sensor, by rising number.
    pub sensors: Vec<SensorSpec>,
    /// The records that describe all this.
    pub sdr: Repository,
}

/// A FRU inventory of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FruSpec {
    /// Its FRU device ID.
    pub device_id: u8,
    /// Its name.
    pub name: &'static str,
    /// What it is the inventory of.
    pub entity: (EntityId, u8),
}

/// Names of power supplies.
const SUPPLY_NAMES: [&str; 6] = ["PSU1", "PSU2", "PSU3", "PSU4", "PSU5", "PSU6"];

/// Who makes it all.
pub const MANUFACTURER: &str = "RedDrum Virtual";

/// Its enterprise number: the one for examples (RFC 5612), for there is no such maker.
pub const MANUFACTURER_ID: u32 = 32_473;

/// Firmware of every management controller: major, minor (decimal digits), as Get Device ID gives it.
pub const FIRMWARE: (u8, u8) = (2, 14);

impl Profile {
    /// The profile of a kind of machine.
    #[must_use]
    pub fn new(model: Model) -> Self {
        let mut profile = match model {
            Model::Node => node::profile(),
            Model::Block => block::profile(),
            Model::PowerBay => power_bay::profile(),
        };
        profile.sensors.sort_by_key(|sensor| sensor.number);
        profile.sdr = Repository::of(&profile);
        profile
    }

    /// Its FRU inventories: the machine's own, number 0, then the power supplies'.
    pub fn frus(&self) -> impl Iterator<Item = FruSpec> {
        let machine = FruSpec {
            device_id: 0,
            name: "Builtin FRU",
            entity: (EntityId::SYSTEM_BOARD, 1),
        };
        let supplies = (1..=self.supplies)
            .zip(SUPPLY_NAMES)
            .map(|(device_id, name)| FruSpec {
                device_id,
                name,
                entity: (EntityId::POWER_SUPPLY, device_id),
            });
        std::iter::once(machine).chain(supplies)
    }

    /// Index of the sensor with this number.
    #[must_use]
    pub fn index(&self, number: u8) -> Option<usize> {
        self.sensors
            .binary_search_by_key(&number, |sensor| sensor.number)
            .ok()
    }

    /// Number of the first sensor of a type.
    #[must_use]
    pub fn number_of(&self, sensor_type: SensorType) -> Option<u8> {
        self.sensors
            .iter()
            .find(|s| s.sensor_type == sensor_type)
            .map(|s| s.number)
    }
}

/// Half a degree a step, from -64 to 63.5 °C: air.
fn air_scale() -> Scale {
    Scale::of(AnalogFormat::TwosComplement, 5, -1)
}

/// Half a degree a step, from 0 to 127.5 °C: chips.
fn chip_scale() -> Scale {
    Scale::linear(5, -1)
}

/// A numeric sensor of the entity (kind, instance).
fn analog(
    number: u8,
    name: &'static str,
    sensor_type: SensorType,
    entity: (EntityId, u8),
    analog: Analog,
) -> SensorSpec {
    let (entity, entity_instance) = entity;
    let kind = Kind::Analog(analog);
    SensorSpec {
        number,
        name,
        sensor_type,
        entity,
        entity_instance,
        kind,
        host_only: false,
        sharing: 1,
    }
}

/// A temperature in °C.
fn temperature(
    number: u8,
    name: &'static str,
    entity: (EntityId, u8),
    (signal, nominal): (Signal, f64),
    scale: Scale,
    limits: &Limits,
) -> SensorSpec {
    let sensor = Analog::new(signal, SensorUnit::DEGREES_C, scale, nominal).with_limits(limits, 4);
    analog(number, name, SensorType::TEMPERATURE, entity, sensor)
}

/// A voltage in V with limits at -10, -5, +5 and +10 % of the nominal value.
fn voltage(
    number: u8,
    name: &'static str,
    entity: (EntityId, u8),
    (signal, nominal): (Signal, f64),
    scale: Scale,
) -> SensorSpec {
    let limits = Limits::both(
        0.90 * nominal,
        0.95 * nominal,
        1.05 * nominal,
        1.10 * nominal,
    );
    let sensor = Analog::new(signal, SensorUnit::VOLTS, scale, nominal).with_limits(&limits, 1);
    analog(number, name, SensorType::VOLTAGE, entity, sensor)
}

/// A power in W. IPMI has no sensor type for it: "other units-based" is what makers use.
fn power(
    number: u8,
    name: &'static str,
    entity: (EntityId, u8),
    (signal, nominal): (Signal, f64),
    scale: Scale,
    limits: &Limits,
) -> SensorSpec {
    let sensor = Analog::new(signal, SensorUnit::WATTS, scale, nominal).with_limits(limits, 2);
    analog(number, name, SensorType::OTHER_UNITS_BASED, entity, sensor)
}

/// A discrete sensor whose bits belong to its type.
fn discrete(
    number: u8,
    name: &'static str,
    sensor_type: SensorType,
    entity: (EntityId, u8),
    condition: Condition,
    mask: u16,
) -> SensorSpec {
    let (entity, entity_instance) = entity;
    let kind = Kind::Discrete(Discrete {
        condition,
        event_type: EventReadingType::SENSOR_SPECIFIC,
        mask,
    });
    SensorSpec {
        number,
        name,
        sensor_type,
        entity,
        entity_instance,
        kind,
        host_only: false,
        sharing: 1,
    }
}

/// A discrete sensor that reports redundancy.
fn redundancy(
    number: u8,
    name: &'static str,
    sensor_type: SensorType,
    entity: (EntityId, u8),
    condition: Condition,
) -> SensorSpec {
    let mut sensor = discrete(number, name, sensor_type, entity, condition, 0x003f);
    sensor.kind = Kind::Discrete(Discrete {
        condition,
        event_type: EventReadingType::REDUNDANCY,
        mask: 0x003f,
    });
    sensor
}

/// A source of events without a reading.
fn event_only(
    number: u8,
    name: &'static str,
    sensor_type: SensorType,
    entity: (EntityId, u8),
) -> SensorSpec {
    let (entity, entity_instance) = entity;
    let kind = Kind::EventOnly(EventReadingType::SENSOR_SPECIFIC);
    SensorSpec {
        number,
        name,
        sensor_type,
        entity,
        entity_instance,
        kind,
        host_only: false,
        sharing: 1,
    }
}

/// Marks sensors that have no reading while the host is off.
fn while_on(sensors: impl IntoIterator<Item = SensorSpec>) -> impl Iterator<Item = SensorSpec> {
    sensors.into_iter().map(|sensor| SensorSpec {
        host_only: true,
        ..sensor
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_has_unique_numbers_and_names_that_fit_a_record() {
        for model in [Model::Node, Model::Block, Model::PowerBay] {
            let profile = Profile::new(model);
            assert!(
                profile
                    .sensors
                    .iter()
                    .filter(|s| s.analog().is_some())
                    .count()
                    >= 10,
                "{model:?}"
            );
            for pair in profile.sensors.windows(2) {
                assert!(pair[0].number < pair[1].number, "{}", pair[1].name);
            }
            let mut names: Vec<_> = profile.sensors.iter().map(|s| s.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), profile.sensors.len());
            assert!(names.iter().all(|name| (1..=16).contains(&name.len())));
        }
    }

    #[test]
    fn the_nominal_value_is_inside_the_limits_and_the_scale() {
        for model in [Model::Node, Model::Block, Model::PowerBay] {
            for sensor in &Profile::new(model).sensors {
                if let Some(analog) = sensor.analog() {
                    let (low, high) = analog.scale.range();
                    assert!((low..=high).contains(&analog.nominal), "{}", sensor.name);
                    assert_eq!(analog.crossed(analog.nominal), 0, "{}", sensor.name);
                }
            }
        }
    }
}
