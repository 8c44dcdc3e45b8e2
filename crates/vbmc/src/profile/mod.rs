//! What a kind of machine has: its sensors and nameplates. Shared by all machines of the kind.

mod advanced_tca;
mod block;
mod node;
mod power_bay;
mod telltale;

use ipmi::number::{EntityId, EventReadingType, SensorType};
use ipmi::record::AnalogFormat;

use crate::machine::Quiet;
use crate::scale::Scale;
use crate::sdr::Repository;
use crate::sensor::{Kind, Limits, SensorSpec};
use crate::telltale::Law;

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
    /// What each of them delivers at most, in watts.
    pub supply_watts: u16,
    /// How many processors it has.
    pub processors: u8,
    /// How many memory modules it has.
    pub modules: u8,
    /// What each of them holds, in MiB.
    pub module_mib: u32,
    /// Every sensor, by rising number.
    pub sensors: Vec<SensorSpec>,
    /// The records that describe all this.
    pub sdr: Repository,
    /// What its sensors follow in place of the machine's physics.
    pub law: Option<Law>,
    /// Where its sensors are far from all limits.
    pub(crate) quiet: Quiet,
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
    /// It is the EEPROM of a memory module (SPD) and no IPMI inventory.
    pub is_spd: bool,
}

/// Names of power supplies, processors and memory modules.
const SUPPLY_NAMES: [&str; 6] = ["PSU1", "PSU2", "PSU3", "PSU4", "PSU5", "PSU6"];
const PROCESSOR_NAMES: [&str; 2] = ["CPU1", "CPU2"];
const MODULE_NAMES: [&str; 4] = ["DIMM A", "DIMM B", "DIMM C", "DIMM D"];

/// Who makes it all.
pub const MANUFACTURER: &str = "RedDrum Virtual";

/// Its enterprise number: the one for examples (RFC 5612), for there is no such maker.
pub const MANUFACTURER_ID: u32 = 32_473;

/// The kind of every management controller (§20.1, byte 2): any number.
pub const DEVICE_ID: u8 = 0x20;

/// Firmware of every management controller: major, minor (decimal digits), as Get Device ID gives it.
pub const FIRMWARE: (u8, u8) = (2, 14);

/// Version of a node's firmware (BIOS), as its host tells the controller.
pub const BIOS_VERSION: &str = "RDV 1.8.2";

impl Profile {
    /// The profile of a kind of machine.
    #[must_use]
    pub fn new(model: Model) -> Self {
        let mut profile = match model {
            Model::Node => node::profile(),
            Model::Block => block::profile(),
            Model::PowerBay => power_bay::profile(),
        };
        profile.finish();
        profile
    }

    /// The profile of a node that is built as the shelf manager of an `AdvancedTCA` shelf.
    #[must_use]
    pub fn advanced_tca() -> Self {
        let mut profile = node::profile();
        profile.sensors.extend(advanced_tca::sensors());
        profile.finish();
        profile
    }

    /// The profile of a node with sixty sensors that follow a law.
    #[must_use]
    pub fn telltale(law: Law) -> Self {
        let mut profile = telltale::profile(law);
        profile.finish();
        profile
    }

    /// Sorts the sensors, and writes the records and what else follows from them.
    fn finish(&mut self) {
        self.sensors.sort_by_key(|sensor| sensor.number);
        self.sdr = Repository::of(self);
        self.quiet = Quiet::of(&self.sensors);
    }

    /// Its FRU inventories: the machine's own, number 0, then those of its power supplies, processors and memory
    /// modules.
    pub fn frus(&self) -> impl Iterator<Item = FruSpec> {
        let supplies = parts(EntityId::POWER_SUPPLY, self.supplies, &SUPPLY_NAMES);
        let processors = parts(EntityId::PROCESSOR, self.processors, &PROCESSOR_NAMES);
        let modules = parts(EntityId::MEMORY_DEVICE, self.modules, &MODULE_NAMES);
        let machine = ("Builtin FRU", (EntityId::SYSTEM_BOARD, 1));
        let all = std::iter::once(machine).chain(supplies);
        (0..)
            .zip(all.chain(processors).chain(modules))
            .map(|(device_id, (name, entity))| FruSpec {
                device_id,
                name,
                entity,
                is_spd: entity.0 == EntityId::MEMORY_DEVICE,
            })
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

/// Names and entities of `count` parts of a kind; instances count from 1.
fn parts(
    entity: EntityId,
    count: u8,
    names: &'static [&'static str],
) -> impl Iterator<Item = (&'static str, (EntityId, u8))> {
    let named = (1..=count).zip(names);
    named.map(move |(instance, name)| (*name, (entity, instance)))
}

/// Half a degree a step, from -64 to 63.5 °C: air.
fn air() -> Scale {
    Scale::of(AnalogFormat::TwosComplement, 5, -1)
}

/// Half a degree a step, from 0 to 127.5 °C: chips.
fn chip() -> Scale {
    Scale::linear(5, -1)
}

/// One unit a step, from -128 to 127.
fn signed() -> Scale {
    Scale::of(AnalogFormat::TwosComplement, 1, 0)
}

/// One unit a step, from -127 to 127.
fn ones_complement() -> Scale {
    Scale::of(AnalogFormat::OnesComplement, 1, 0)
}

/// The limits of the air that enters: it can be too cold, too.
const INTAKE: Limits = Limits([f64::NAN, 2.0, 5.0, 36.0, 42.0, 47.0]);

/// Two upper limits.
const fn upper(non_critical: f64, critical: f64) -> Limits {
    Limits::upper(non_critical, critical, f64::NAN)
}

/// Limits of a voltage at -10, -5, +5 and +10 % of its nominal value.
const fn rail(nominal: f64) -> Limits {
    Limits::both(
        0.90 * nominal,
        0.95 * nominal,
        1.05 * nominal,
        1.10 * nominal,
    )
}

/// A sensor that is neither shared nor tied to the host.
const fn single(
    number: u8,
    name: &'static str,
    sensor_type: SensorType,
    (entity, entity_instance): (EntityId, u8),
    kind: Kind,
) -> SensorSpec {
    let (host_only, sharing) = (false, 1);
    SensorSpec {
        number,
        name,
        sensor_type,
        entity,
        entity_instance,
        kind,
        host_only,
        sharing,
    }
}

/// Numeric sensors of one type and unit, one a row: number, name, entity and instance, signal, nominal reading,
/// scale, limits, hysteresis in raw steps. Power has no sensor type: "other units-based" is what makers use for it.
macro_rules! numeric {
    ($sensor_type:ident in $unit:ident:
     $($number:literal $name:literal $entity:ident $instance:literal $signal:ident$(($i:literal))? $nominal:literal
       $scale:expr, $limits:expr, $hysteresis:literal;)*) => {
        [$(super::single(
            $number,
            $name,
            ipmi::number::SensorType::$sensor_type,
            (ipmi::number::EntityId::$entity, $instance),
            crate::sensor::Kind::Analog(
                crate::sensor::Analog::new(
                    crate::sensor::Signal::$signal$(($i))?,
                    ipmi::number::SensorUnit::$unit,
                    $scale,
                    $nominal,
                )
                .with_limits(&$limits, $hysteresis),
            ),
        )),*]
    };
}
use numeric;

/// Discrete sensors, one a row: number, name, type, entity and instance, condition, the state bits it can set. A row
/// that ends in `redundancy` reports the generic states of redundancy in place of those of its type.
macro_rules! discrete {
    ($($number:literal $name:literal $sensor_type:ident $entity:ident $instance:literal
       $condition:ident$(($i:literal))? $mask:literal $($event_type:ident)?;)*) => {
        [$(super::single(
            $number,
            $name,
            ipmi::number::SensorType::$sensor_type,
            (ipmi::number::EntityId::$entity, $instance),
            crate::sensor::Kind::Discrete(crate::sensor::Discrete {
                condition: crate::sensor::Condition::$condition$(($i))?,
                event_type: super::event_type!($($event_type)?),
                mask: $mask,
            }),
        )),*]
    };
}
use discrete;

macro_rules! event_type {
    () => {
        ipmi::number::EventReadingType::SENSOR_SPECIFIC
    };
    (redundancy) => {
        ipmi::number::EventReadingType::REDUNDANCY
    };
}
use event_type;

/// A source of events without a reading.
const fn event_only(
    number: u8,
    name: &'static str,
    sensor_type: SensorType,
    entity: (EntityId, u8),
) -> SensorSpec {
    let kind = Kind::EventOnly(EventReadingType::SENSOR_SPECIFIC);
    single(number, name, sensor_type, entity, kind)
}

/// Marks sensors that have no reading while the host is off.
fn while_on<const N: usize>(sensors: [SensorSpec; N]) -> [SensorSpec; N] {
    sensors.map(|sensor| SensorSpec {
        host_only: true,
        ..sensor
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_has_unique_numbers_and_names_that_fit_a_record() {
        let models = [Model::Node, Model::Block, Model::PowerBay].map(Profile::new);
        for profile in models.into_iter().chain([Profile::advanced_tca()]) {
            let model = profile.model;
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
