//! Sensor data records become sensors and the plan by which they are read.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use hardware::{Context, MAX_SENSORS, Quantity, Scale, Scales, Sensor, Severity, Thresholds, Unit};
use ipmi::number::{EntityId, EventReadingType, Lun, SensorType, Threshold};
use ipmi::quirk::{Quirk, Quirks};
use ipmi::record::AnalogFormat;
use ipmi::record::sdr::{
    self, Access, CompactSensor, Entity, EventOnlySensor, FruLocator, FullSensor, SdrBody,
    SdrRecord, SensorKey, Units,
};

use super::severity::severity;
use super::unit;
use crate::contact::{Limits, Tables};
use crate::plan::{EventSource, Item, ItemKind, Plan};

/// Address of the BMC itself: the only owner whose sensors can be read without bridging.
const BMC_OWNER: u8 = 0x20;

/// How many state bits a discrete sensor has (§35.14).
const STATES: u8 = 15;

/// What the records describe, as far as it is of use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Described {
    /// In the order of the records.
    sensors: Vec<Record>,
    /// Sensors that only send events: for their names in the log.
    event_only: Vec<EventOnlySensor>,
    /// Inventories behind the BMC.
    pub(crate) frus: Vec<FruLocator>,
    /// Sensors count as the BMC's whatever owner their records name.
    any_owner: bool,
    /// Records that could not be understood, sensors of other controllers, sensors that are too many.
    ignored: usize,
}

#[derive(Clone, Debug)]
enum Record {
    Full(Box<FullSensor>),
    Compact(Box<CompactSensor>),
}

impl Record {
    const fn common(&self) -> &sdr::Sensor {
        match self {
            Self::Full(full) => &full.sensor,
            Self::Compact(compact) => &compact.sensor,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Full(full) => full.id.text(),
            Self::Compact(compact) => compact.id.text(),
        }
    }
}

impl Described {
    /// The sensors with a full record.
    pub(crate) fn full(&self) -> impl Iterator<Item = &FullSensor> {
        self.sensors.iter().filter_map(|record| match record {
            Record::Full(full) => Some(&**full),
            Record::Compact(_) => None,
        })
    }
}

/// Reads records. Sensors that only send events have nothing to be read and are left out, and so are sensors of
/// other controllers behind the BMC, which would need bridging.
pub(crate) fn describe(records: &[Vec<u8>], quirks: Quirks) -> Described {
    let mut described = Described {
        any_owner: quirks.has(Quirk::SensorOwnerWrong),
        ..Described::default()
    };
    for bytes in records {
        let bytes = if described.any_owner {
            owned(bytes)
        } else {
            bytes.into()
        };
        match SdrRecord::decode(&bytes).map(|record| record.body) {
            Ok(SdrBody::FullSensor(full)) => described.add(Record::Full(Box::new(full))),
            Ok(SdrBody::CompactSensor(compact)) => {
                for single in compact.expand() {
                    described.add(Record::Compact(Box::new(single)));
                }
            }
            Ok(SdrBody::EventOnly(sensor)) => described.event_only.extend(sensor.expand()),
            Ok(SdrBody::FruLocator(fru)) if is_behind_bmc(&fru) => described.frus.push(fru),
            Ok(_) => {}
            Err(_) => described.ignored += 1,
        }
    }
    described
}

/// A sensor's record with the BMC for its owner, whoever it names (§43.1: byte 6 of types 01h to 03h).
fn owned(record: &[u8]) -> Cow<'_, [u8]> {
    let mut record = record.to_vec();
    if let [_, _, _, 0x01..=0x03, _, owner, ..] = record.as_mut_slice() {
        *owner = BMC_OWNER;
    }
    record.into()
}

fn is_behind_bmc(fru: &FruLocator) -> bool {
    fru.fru_device_id().is_some() && fru.access_address == BMC_OWNER && fru.lun() == Lun::BMC
}

impl Described {
    fn add(&mut self, record: Record) {
        let key = record.common().key;
        let ours = key.owner_id == BMC_OWNER && (key.owner_lun >> 4 == 0 || self.any_owner);
        if ours && self.sensors.len() < MAX_SENSORS {
            self.sensors.push(record);
        } else {
            self.ignored += 1;
        }
    }
}

/// Makes the plan of a machine from its records and what else it said about its sensors.
pub(crate) fn plan(
    described: &Described,
    limits: &Limits,
    tables: &Tables,
    quirks: Quirks,
) -> Plan {
    let mut builder = Builder::default();
    for record in &described.sensors {
        builder.add(record, limits, tables);
    }
    for sensor in &described.event_only {
        let (name, units) = (sensor.id.text().into(), Units::default());
        let source = EventSource {
            name,
            conversion: None,
            units,
        };
        builder
            .sources
            .entry(number_of(sensor.key))
            .or_insert(source);
    }
    let scale = |item: &Item| match item.kind {
        ItemKind::Number { scale, .. } => Some(scale),
        ItemKind::States { .. } => None,
    };
    // Each sensor has its item, in the same order.
    let scales = Scales::new(builder.scales, builder.items.iter().map(scale));
    let classes = builder.items.iter().map(|item| item.class).collect();
    Plan {
        sources: builder.sources,
        sensors: builder.sensors.into(),
        items: builder.items.into(),
        classes,
        scales: Arc::new(scales),
        repository: OnceLock::new(),
        records: OnceLock::new(),
        quirks,
        ignore_scanning_disabled: quirks.has(Quirk::ScanningFlagWrong),
        any_generator: quirks.has(Quirk::SelGeneratorWrong),
        ignored_records: described.ignored,
    }
}

#[derive(Default)]
struct Builder {
    sensors: Vec<Sensor>,
    items: Vec<Item>,
    sources: HashMap<u32, EventSource>,
    scales: Vec<Scale>,
    scale_places: HashMap<Vec<u8>, u16>,
    ids: HashSet<String>,
    /// Names of states are the same strings for all sensors of a kind.
    states: HashMap<(EventReadingType, SensorType), States>,
}

type States = (Arc<[Arc<str>]>, Arc<[Severity]>);

impl Builder {
    fn add(&mut self, record: &Record, limits: &Limits, tables: &Tables) {
        let common = record.common();
        let numeric = match record {
            Record::Full(full) => scale_of(full, tables).map(|scale| (full, scale)),
            Record::Compact(_) => None,
        };
        let name = record.name();
        let place = self.sensors.len() as u16;
        let mut sensor = Sensor {
            id: self.unique_id(&name).into(),
            name: name.into(),
            key: number_of(common.key),
            quantity: Quantity::Discrete,
            unit: Unit::default(),
            context: context(common.entity),
            instance: instance(common.entity),
            range: None,
            resolution: None,
            thresholds: Thresholds::default(),
            states: Arc::default(),
            state_severities: Arc::default(),
        };
        let kind = if let Some((full, scale)) = numeric {
            describe_number(&mut sensor, full, &scale, limits);
            let compares = common.event_reading_type.is_threshold();
            ItemKind::Number {
                scale: self.scale_place(&scale),
                compares,
            }
        } else {
            (sensor.states, sensor.state_severities) = self.states_of(common);
            ItemKind::States {
                mask: meaningful(&sensor.states),
            }
        };
        let conversion = match record {
            Record::Full(full) => full.conversion(),
            Record::Compact(_) => None,
        };
        let source = EventSource {
            name: Arc::clone(&sensor.name),
            conversion,
            units: common.units,
        };
        self.sources.entry(sensor.key).or_insert(source);
        let (number, lun) = (common.key.sensor_number, common.key.lun().get());
        self.items.push(Item {
            place,
            number,
            lun,
            kind,
            class: sensor.quantity.class(),
        });
        self.sensors.push(sensor);
    }

    /// The name as a URI segment, with a number behind it where another sensor has it already.
    fn unique_id(&mut self, name: &str) -> String {
        let safe = |c: char| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') {
                c
            } else {
                '_'
            }
        };
        let mut base: String = name.trim().chars().map(safe).collect();
        if base.is_empty() || base.starts_with('.') {
            base.insert_str(0, "Sensor");
        }
        let mut id = base.clone();
        let mut number = 2;
        while !self.ids.insert(id.clone()) {
            id = format!("{base}_{number}");
            number += 1;
        }
        id
    }

    fn scale_place(&mut self, scale: &Scale) -> u16 {
        let key = scale
            .iter()
            .flat_map(|value| value.to_bits().to_le_bytes())
            .collect();
        *self.scale_places.entry(key).or_insert_with(|| {
            self.scales.push(*scale);
            // Fewer scales than sensors, and those are MAX_SENSORS at most.
            (self.scales.len() - 1) as u16
        })
    }

    fn states_of(&mut self, common: &sdr::Sensor) -> States {
        let (kind, sensor) = (common.event_reading_type, common.sensor_type);
        let states = self.states.entry((kind, sensor)).or_insert_with(|| {
            if kind.is_threshold() {
                return threshold_states();
            }
            let names = (0..STATES).map(|offset| kind.state_name(sensor, offset).unwrap_or(""));
            let mut names: Vec<Arc<str>> = names.map(Arc::from).collect();
            let named = names
                .iter()
                .rposition(|name| !name.is_empty())
                .map_or(0, |last| last + 1);
            names.truncate(named);
            let severities = (0..named as u8).map(|offset| severity(kind, sensor, offset));
            (names.into(), severities.collect())
        });
        (Arc::clone(&states.0), Arc::clone(&states.1))
    }
}

/// The states of a threshold sensor without a number: its comparison bits (§35.14).
fn threshold_states() -> States {
    let names = Threshold::ALL
        .iter()
        .map(|threshold| Arc::from(threshold.name()))
        .collect();
    let severities = Threshold::ALL.iter().map(|threshold| match threshold {
        Threshold::LowerNonCritical | Threshold::UpperNonCritical => Severity::Warning,
        _ => Severity::Critical,
    });
    (names, severities.collect())
}

/// The number by which `hardware` knows a sensor.
pub(super) fn number_of(key: SensorKey) -> u32 {
    u32::from(key.owner_id) << 16 | u32::from(key.lun().get()) << 8 | u32::from(key.sensor_number)
}

/// The reading of every raw byte; `None` for a sensor without numbers, or with a formula that nobody knows.
fn scale_of(full: &FullSensor, tables: &Tables) -> Option<Scale> {
    if full.sensor.units.format() == AnalogFormat::None {
        return None;
    }
    if let Some(table) = tables.get(&full.sensor.key) {
        return Some(**table);
    }
    let conversion = full.conversion()?;
    let mut scale = [0.0; 256];
    for (raw, value) in (0..=u8::MAX).zip(&mut scale) {
        *value = conversion.value(raw);
    }
    Some(scale)
}

fn describe_number(sensor: &mut Sensor, full: &FullSensor, scale: &Scale, limits: &Limits) {
    let value = |raw: u8| Some(scale[usize::from(raw)]).filter(|value| value.is_finite());
    let units = &full.sensor.units;
    sensor.quantity = unit::quantity(units, full.sensor.sensor_type);
    sensor.unit = unit::unit(units);
    sensor.resolution = full
        .conversion()
        .and_then(|c| c.span(1))
        .filter(|step| *step > 0.0);
    // Equal bytes mean that the maker left them out.
    if full.minimum != full.maximum
        && let (Some(a), Some(b)) = (value(full.minimum), value(full.maximum))
    {
        sensor.range = Some((a.min(b), a.max(b)));
    }
    let limits = limits.get(&full.sensor.key);
    let limit = |threshold| {
        let raw = match limits {
            Some(limits) => limits.get(threshold),
            // The record holds them as they are at power-up: better than none where the BMC doesn't tell.
            None if full.sensor.capabilities.thresholds() != Access::None => {
                full.threshold(threshold)
            }
            None => None,
        };
        raw.and_then(value)
    };
    sensor.thresholds = Thresholds {
        lower_fatal: limit(Threshold::LowerNonRecoverable),
        lower_critical: limit(Threshold::LowerCritical),
        lower_caution: limit(Threshold::LowerNonCritical),
        upper_caution: limit(Threshold::UpperNonCritical),
        upper_critical: limit(Threshold::UpperCritical),
        upper_fatal: limit(Threshold::UpperNonRecoverable),
    };
}

/// Which of several: device-relative instances (60h and up, table 39-1) count from their own zero.
pub(super) const fn instance(entity: Entity) -> u16 {
    let instance = entity.instance();
    (if entity.is_device_relative() {
        instance - 0x60
    } else {
        instance
    }) as u16
}

/// The states that a sensor of this kind can have; all for a maker's own kind, of which no name is known.
fn meaningful(names: &[Arc<str>]) -> u16 {
    let named = names
        .iter()
        .enumerate()
        .filter(|(_, name)| !name.is_empty());
    match named.fold(0, |mask, (offset, _)| mask | 1 << offset) {
        0 => u16::MAX,
        mask => mask,
    }
}

/// Which part of the machine an entity is (§43.14).
pub(super) const fn context(entity: Entity) -> Context {
    match entity.id {
        EntityId::PROCESSOR
        | EntityId::PROCESSOR_MODULE
        | EntityId::PROCESSOR_BOARD
        | EntityId::PROCESSOR_DCMI => Context::Cpu,
        EntityId::MEMORY_MODULE | EntityId::MEMORY_DEVICE => Context::Memory,
        EntityId::DISK | EntityId::DISK_DRIVE_BAY | EntityId::DRIVE_BACKPLANE => {
            Context::StorageDevice
        }
        EntityId::POWER_SUPPLY => Context::PowerSupply,
        EntityId::POWER_UNIT => Context::PowerSubsystem,
        EntityId::POWER_MODULE | EntityId::POWER_SYSTEM_BOARD => Context::VoltageRegulator,
        EntityId::POWER_MANAGEMENT => Context::PowerOutlet,
        EntityId::FAN => Context::Fan,
        EntityId::COOLING_UNIT => Context::CoolingSubsystem,
        EntityId::SYSTEM_BOARD
        | EntityId::OTHER_SYSTEM_BOARD
        | EntityId::EXPANSION_BOARD
        | EntityId::BASEBOARD_DCMI => Context::SystemBoard,
        EntityId::AIR_INLET | EntityId::AIR_INLET_DCMI => Context::Intake,
        EntityId::SYSTEM_CHASSIS
        | EntityId::SUB_CHASSIS
        | EntityId::CHASSIS_BACK_PANEL
        | EntityId::OTHER_CHASSIS_BOARD
        | EntityId::FRONT_PANEL
        | EntityId::BACK_PANEL => Context::Chassis,
        EntityId::ADD_IN_CARD | EntityId::IO_MODULE => Context::AddInCard,
        EntityId::MANAGEMENT_MODULE
        | EntityId::REMOTE_MANAGEMENT
        | EntityId::MANAGEMENT_CONTROLLER_FIRMWARE => Context::ManagementController,
        EntityId::BATTERY => Context::Battery,
        _ => Context::Unspecified,
    }
}

#[cfg(test)]
mod tests {
    use hardware::{Availability, PackedReading, Readings};
    use ipmi::command::sensor::SensorThresholds;
    use ipmi::number::{CompletionCode, Linearization, SensorUnit, ThresholdSet};
    use ipmi::record::sdr::{IdString, SensorCapabilities, Sharing};
    use ipmi::record::{Factors, RecordId};

    use super::*;

    fn full(number: u8, name: &str) -> FullSensor {
        FullSensor {
            sensor: sdr::Sensor {
                key: SensorKey::bmc(number),
                entity: Entity::new(EntityId::PROCESSOR, 1),
                // Thresholds can be read.
                capabilities: SensorCapabilities(0x04),
                sensor_type: SensorType::TEMPERATURE,
                event_reading_type: EventReadingType::THRESHOLD,
                reading_mask: (ThresholdSet::UPPER_CRITICAL | ThresholdSet::LOWER_CRITICAL)
                    .0
                    .into(),
                units: Units::new(AnalogFormat::Unsigned, SensorUnit::DEGREES_C),
                ..sdr::Sensor::default()
            },
            factors: Factors {
                m: 2,
                ..Factors::default()
            },
            minimum: 10,
            maximum: 100,
            thresholds: [0, 5, 0, 0, 45, 0],
            id: IdString::new(name).unwrap(),
            ..FullSensor::default()
        }
    }

    fn compact(number: u8, count: u8) -> CompactSensor {
        CompactSensor {
            sensor: sdr::Sensor {
                key: SensorKey::bmc(number),
                entity: Entity::new(EntityId::POWER_SUPPLY, 0x61),
                sensor_type: SensorType::POWER_SUPPLY,
                event_reading_type: EventReadingType::SENSOR_SPECIFIC,
                units: Units::new(AnalogFormat::None, SensorUnit::UNSPECIFIED),
                ..sdr::Sensor::default()
            },
            sharing: Sharing {
                direction_count: count,
                instance_offset: 0x81,
            },
            id: IdString::new("PSU").unwrap(),
            ..CompactSensor::default()
        }
    }

    fn bytes(bodies: Vec<SdrBody>) -> Vec<Vec<u8>> {
        bodies
            .into_iter()
            .map(|body| SdrRecord::new(RecordId(1), body).to_vec())
            .collect()
    }

    fn made(bodies: Vec<SdrBody>, limits: &Limits) -> Plan {
        let quirks = Quirks::default();
        plan(
            &describe(&bytes(bodies), quirks),
            limits,
            &Tables::new(),
            quirks,
        )
    }

    #[test]
    fn a_full_record_is_a_sensor_with_unit_range_and_limits() {
        let plan = made(
            vec![SdrBody::FullSensor(full(7, "CPU Temp"))],
            &Limits::new(),
        );
        let sensor = &plan.sensors[0];
        assert_eq!(
            (&*sensor.name, &*sensor.id, sensor.key),
            ("CPU Temp", "CPU_Temp", 0x20_0007)
        );
        assert_eq!(
            (sensor.quantity, &*sensor.unit.0),
            (Quantity::Temperature, "Cel")
        );
        assert_eq!((sensor.context, sensor.instance), (Context::Cpu, 1));
        assert_eq!(
            (sensor.range, sensor.resolution),
            (Some((20.0, 200.0)), Some(2.0))
        );
        let limits = sensor.thresholds;
        assert_eq!(
            (limits.lower_critical, limits.upper_critical),
            (Some(10.0), Some(90.0))
        );
        assert_eq!((limits.upper_caution, limits.upper_fatal), (None, None));
    }

    #[test]
    fn limits_that_the_bmc_tells_outdo_those_of_the_record() {
        let mut told = SensorThresholds::default();
        told.set(Threshold::UpperNonCritical, 40);
        let limits = Limits::from([(SensorKey::bmc(7), told)]);
        let plan = made(vec![SdrBody::FullSensor(full(7, "CPU Temp"))], &limits);
        let limits = plan.sensors[0].thresholds;
        assert_eq!(
            (limits.upper_caution, limits.upper_critical),
            (Some(80.0), None)
        );
    }

    #[test]
    fn names_become_unique_uri_segments() {
        let names = ["Fan 1", "Fan/1", "Fan_1", "Fan_1_2", "", "..", "+3.3V"];
        let bodies = names
            .iter()
            .zip(1..)
            .map(|(name, n)| SdrBody::FullSensor(full(n, name)));
        let plan = made(bodies.collect(), &Limits::new());
        let ids: Vec<_> = plan.sensors.iter().map(|sensor| &*sensor.id).collect();
        assert_eq!(
            ids,
            [
                "Fan_1",
                "Fan_1_2",
                "Fan_1_3",
                "Fan_1_2_2",
                "Sensor",
                "Sensor..",
                "_3.3V"
            ]
        );
    }

    #[test]
    fn sensors_that_share_a_record_are_read_one_by_one_with_their_states() {
        let plan = made(
            vec![SdrBody::CompactSensor(compact(0x30, 3))],
            &Limits::new(),
        );
        let numbers: Vec<_> = plan
            .items
            .iter()
            .map(|item| (item.number, item.place))
            .collect();
        assert_eq!(numbers, [(0x30, 0), (0x31, 1), (0x32, 2)]);
        let last = &plan.sensors[2];
        assert_eq!(
            (&*last.name, last.instance, last.quantity),
            ("PSU3", 3, Quantity::Discrete)
        );
        assert_eq!(&*last.states[1], "Failure detected");
        assert_eq!(last.state_severities[1], Severity::Critical);
        assert_eq!(last.states.len(), last.state_severities.len());
        assert!(Arc::ptr_eq(&plan.sensors[0].states, &last.states));
    }

    #[test]
    fn what_cannot_be_read_is_no_sensor_but_is_known_to_events() {
        let mut foreign = full(1, "Riser Temp");
        foreign.sensor.key.owner_id = 0x82;
        let event_only = EventOnlySensor {
            key: SensorKey::bmc(9),
            id: IdString::new("ECC").unwrap(),
            ..EventOnlySensor::default()
        };
        let bodies = vec![
            SdrBody::FullSensor(foreign),
            SdrBody::EventOnly(event_only),
            SdrBody::FullSensor(full(2, "CPU Temp")),
        ];
        let plan = made(bodies.clone(), &Limits::new());
        assert_eq!(
            (plan.sensors.len(), plan.items.len(), plan.ignored_records),
            (1, 1, 1)
        );
        assert_eq!(&*plan.sources[&0x20_0009].name, "ECC");
        let quirks = Quirks::default().with(Quirk::SensorOwnerWrong);
        assert_eq!(describe(&bytes(bodies), quirks).sensors.len(), 2);
    }

    #[test]
    fn equal_conversions_share_a_scale_and_values_without_meaning_are_unavailable() {
        let mut inverse = full(3, "Odd");
        inverse.linearization = Linearization::INVERSE;
        let bodies = vec![
            SdrBody::FullSensor(full(1, "A")),
            SdrBody::FullSensor(full(2, "B")),
            SdrBody::FullSensor(inverse),
        ];
        let plan = made(bodies, &Limits::new());
        assert_eq!(plan.scales.all().len(), 2);
        let read = |raw| {
            let mut packed = [PackedReading::default(); 3];
            let answer = [raw, 0xc0];
            plan.read(plan.items[2], CompletionCode::OK, &answer, &mut packed[2]);
            Readings::packed(&plan.scales, &packed).get(2).unwrap()
        };
        assert_eq!(read(4).number(), Some(0.125));
        assert_eq!(read(0).availability, Availability::Unavailable);
    }

    #[test]
    fn garbage_is_counted_and_hides_nothing() {
        let mut records = bytes(vec![SdrBody::FullSensor(full(1, "A"))]);
        records.insert(0, vec![1, 0, 0x51]);
        records.push(vec![2, 0, 0x51, 0x01, 200, 1, 2, 3]);
        let described = describe(&records, Quirks::default());
        assert_eq!((described.sensors.len(), described.ignored), (1, 1));
    }
}
