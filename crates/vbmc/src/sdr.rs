//! A profile's sensor data repository: the same for all machines of a kind.

use ipmi::number::{DeviceSupport, EntityId, FruDeviceModifier, SensorUnit, Threshold};
use ipmi::record::sdr::{
    CompactSensor, Direction, Entity, EventOnlySensor, FruLocator, FullSensor, IdString, McLocator,
    SdrBody, SdrRecord, Sensor, SensorCapabilities, SensorKey, Sharing, Units,
};
use ipmi::record::{AnalogFormat, RecordId};

use crate::profile::{Model, Profile};
use crate::sensor::{Analog, Kind, SensorSpec, event_mask};

/// Address of the management controller on its own bus.
const BMC_ADDRESS: u8 = 0x20;
/// Scanning and events are on from the start (table 43-1, byte 11).
const INITIALIZATION: u8 = 0x03;
/// Sensors re-arm themselves (byte 12).
const AUTO_REARM: u8 = 0x40;
/// Thresholds and hysteresis can be read and set, and each threshold has events of its own.
const SETTABLE_LIMITS: u8 = 0x28;
/// The sensor sends no events.
const NO_EVENTS: u8 = 0x03;
/// A shared compact record: input, numbered names, how many follow in the low bits (table 43-2, byte 24).
const SHARED_INPUT: u8 = 0x40;
/// The entity instance counts up along with the sensors, and names are numbered from 1 (byte 25).
const INSTANCES_FROM_1: u8 = 0x81;

/// The records of a repository, in order; record numbers count from 1.
#[derive(Clone, Debug, Default)]
pub struct Repository {
    records: Vec<Box<[u8]>>,
}

impl Repository {
    /// The repository that describes a profile: the controller, its inventories, its sensors.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        let mut bodies = vec![SdrBody::McLocator(controller(profile))];
        bodies.extend(profile.frus().map(|fru| {
            let (id, entity) = (id_string(fru.name), Entity::new(fru.entity.0, fru.entity.1));
            let locator = FruLocator::logical(fru.device_id, entity, id);
            SdrBody::FruLocator(FruLocator {
                device_type_modifier: if fru.is_spd {
                    FruDeviceModifier::SPD
                } else {
                    FruDeviceModifier::UNSPECIFIED
                },
                ..locator
            })
        }));
        bodies.extend(profile.sensors.iter().filter(|s| s.sharing > 0).map(sensor));
        let record = |(id, body)| SdrRecord::new(RecordId(id), body).to_vec().into();
        Self {
            records: (1..).zip(bodies).map(record).collect(),
        }
    }

    /// The records.
    #[must_use]
    pub fn records(&self) -> &[Box<[u8]>] {
        &self.records
    }

    /// The record that describes a sensor, by the sensor's number.
    #[must_use]
    pub fn record_of_sensor(&self, number: u8) -> Option<RecordId> {
        let numbered = (1..).zip(&self.records);
        // Full, compact and event-only records have the sensor's number in byte 8 (§43.1).
        let mut sensors = numbered.filter(|(_, record)| matches!(record[3], 0x01..=0x03));
        sensors
            .find(|(_, record)| record[7] == number)
            .map(|(id, _)| RecordId(id))
    }

    /// The record with this number (0 = first, FFFFh = last) and the number of the one after it (FFFFh = none).
    #[must_use]
    pub fn record(&self, id: RecordId) -> Option<(&[u8], RecordId)> {
        let index = match id {
            RecordId::FIRST => 0,
            RecordId::LAST => self.records.len().checked_sub(1)?,
            RecordId(number) => usize::from(number) - 1,
        };
        let record = self.records.get(index)?;
        let is_last = index + 1 == self.records.len();
        let next = if is_last {
            None
        } else {
            u16::try_from(index + 2).ok()
        };
        Some((record, next.map_or(RecordId::LAST, RecordId)))
    }
}

/// Names of profiles fit a record; see the test in profile.rs.
fn id_string(name: &str) -> IdString {
    IdString::new(name).unwrap_or_default()
}

fn controller(profile: &Profile) -> McLocator {
    McLocator {
        address: BMC_ADDRESS,
        capabilities: support(profile.model),
        entity: Entity::new(EntityId::MANAGEMENT_MODULE, 1),
        id: id_string(profile.controller),
        ..McLocator::default()
    }
}

/// What the controller of a kind of machine can do.
#[must_use]
pub fn support(model: Model) -> DeviceSupport {
    let all = DeviceSupport::SENSOR
        | DeviceSupport::SDR_REPOSITORY
        | DeviceSupport::SEL
        | DeviceSupport::FRU_INVENTORY
        | DeviceSupport::EVENT_RECEIVER;
    if model == Model::Node {
        all | DeviceSupport::CHASSIS
    } else {
        all
    }
}

fn sensor(spec: &SensorSpec) -> SdrBody {
    let key = SensorKey::bmc(spec.number);
    let entity = Entity::new(spec.entity, spec.entity_instance);
    match &spec.kind {
        Kind::Analog(analog) => SdrBody::FullSensor(full(spec, analog)),
        Kind::Discrete(_) => {
            let (sharing, name) = match spec.sharing {
                1 => (
                    Sharing {
                        direction_count: SHARED_INPUT | 1,
                        instance_offset: 0,
                    },
                    spec.name,
                ),
                count => {
                    let direction_count = SHARED_INPUT | count;
                    let name = spec.name.trim_end_matches(|c: char| c.is_ascii_digit());
                    (
                        Sharing {
                            direction_count,
                            instance_offset: INSTANCES_FROM_1,
                        },
                        name,
                    )
                }
            };
            let (sensor, id) = (discrete(spec), id_string(name));
            SdrBody::CompactSensor(CompactSensor {
                sensor,
                sharing,
                id,
                ..CompactSensor::default()
            })
        }
        Kind::EventOnly(event_reading_type) => SdrBody::EventOnly(EventOnlySensor {
            key,
            entity,
            sensor_type: spec.sensor_type,
            event_reading_type: *event_reading_type,
            sharing: Sharing {
                direction_count: SHARED_INPUT | 1,
                instance_offset: 0,
            },
            id: id_string(spec.name),
            ..EventOnlySensor::default()
        }),
    }
}

/// What all records of a sensor with a reading have in common.
fn common(spec: &SensorSpec) -> Sensor {
    Sensor {
        key: SensorKey::bmc(spec.number),
        entity: Entity::new(spec.entity, spec.entity_instance),
        initialization: ipmi::number::SensorInitialization(INITIALIZATION),
        capabilities: SensorCapabilities(AUTO_REARM),
        sensor_type: spec.sensor_type,
        event_reading_type: spec.event_type(),
        ..Sensor::default()
    }
}

fn discrete(spec: &SensorSpec) -> Sensor {
    let mask = event_mask(spec);
    Sensor {
        assertion_mask: mask,
        deassertion_mask: mask,
        reading_mask: mask,
        units: Units::new(AnalogFormat::None, SensorUnit::UNSPECIFIED),
        ..common(spec)
    }
}

fn full(spec: &SensorSpec, analog: &Analog) -> FullSensor {
    let mut thresholds = [0; 6];
    let (mut readable, mut lower, mut upper) = (0_u16, 0_u16, 0_u16);
    for threshold in Threshold::ALL {
        if let Some(limit) = &analog.limits[threshold.index()] {
            thresholds[threshold.index()] = limit.raw;
            readable |= u16::from(threshold.bit().0);
            // Bits 12 to 14 of the event masks say which comparisons Get Sensor Reading returns.
            let comparisons = if threshold.is_lower() {
                &mut lower
            } else {
                &mut upper
            };
            *comparisons |= 1 << (12 + threshold.index() % 3);
        }
    }
    let events = event_mask(spec);
    let limits = if readable == 0 {
        NO_EVENTS
    } else {
        SETTABLE_LIMITS
    };
    let sensor = Sensor {
        capabilities: SensorCapabilities(AUTO_REARM | limits),
        assertion_mask: events | lower,
        deassertion_mask: events | upper,
        // Each readable limit can be set.
        reading_mask: readable | readable << 8,
        units: Units::new(analog.scale.format(), analog.unit),
        ..common(spec)
    };
    let [minimum, maximum] = [false, true].map(|largest| analog.scale.end(largest));
    FullSensor {
        sensor,
        linearization: analog.scale.linearization(),
        factors: *analog.scale.factors(),
        direction: Direction::Input,
        // Only the nominal reading is given.
        characteristics: ipmi::number::AnalogCharacteristics(0x01),
        nominal: analog.scale.quantise(analog.nominal),
        maximum,
        minimum,
        thresholds,
        positive_hysteresis: analog.hysteresis,
        negative_hysteresis: analog.hysteresis,
        id: id_string(spec.name),
        ..FullSensor::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sensor_is_described_by_a_record_with_its_number_and_its_conversion() {
        for model in [Model::Node, Model::Block, Model::PowerBay] {
            let profile = Profile::new(model);
            let mut described = Vec::new();
            for record in Repository::of(&profile).records() {
                match SdrRecord::decode(record).unwrap().body {
                    SdrBody::FullSensor(full) => {
                        let spec =
                            &profile.sensors[profile.index(full.sensor.key.sensor_number).unwrap()];
                        let (analog, conversion) =
                            (spec.analog().unwrap(), full.conversion().unwrap());
                        for raw in 0..=u8::MAX {
                            let (a, b) = (analog.scale.value(raw), conversion.value(raw));
                            assert!(a == b || !a.is_finite(), "{} {raw} {a} {b}", spec.name);
                        }
                        described.push((spec.number, full.id.text()));
                    }
                    SdrBody::CompactSensor(compact) => described.extend(
                        compact
                            .expand()
                            .map(|c| (c.sensor.key.sensor_number, c.id.text())),
                    ),
                    SdrBody::EventOnly(event) => {
                        described.push((event.key.sensor_number, event.id.text()));
                    }
                    _ => {}
                }
            }
            let wanted: Vec<_> = profile
                .sensors
                .iter()
                .map(|s| (s.number, s.name.to_owned()))
                .collect();
            described.sort();
            assert_eq!(described, wanted);
        }
    }

    #[test]
    fn records_lead_from_the_first_to_the_last() {
        let repository = Repository::of(&Profile::new(Model::Node));
        let (mut id, mut seen) = (RecordId::FIRST, 0);
        while id != RecordId::LAST {
            (_, id) = repository.record(id).unwrap();
            seen += 1;
        }
        assert_eq!(seen, repository.records().len());
        assert!(repository.record(RecordId(999)).is_none());
    }
}
