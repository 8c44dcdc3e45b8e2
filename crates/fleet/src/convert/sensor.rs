//! Sensor data records become sensors and the plan by which they are read.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hardware::{Context, MAX_SENSORS, Quantity, Sensor, Severity, Thresholds, Unit};
use ipmi::number::{EntityId, EventReadingType, SensorType, Threshold};
use ipmi::record::AnalogFormat;
use ipmi::record::sdr::{
    self, Access, CompactSensor, Entity, EventOnlySensor, FruLocator, FullSensor, SdrBody,
    SdrRecord, SensorKey, Units,
};

use super::severity::severity;
use super::unit;
use crate::contact::{Limits, Tables};
use crate::plan::{EventSource, Item, ItemKind, Plan, Table};

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
pub(crate) fn describe(records: &[Vec<u8>]) -> Described {
    let mut described = Described::default();
    for bytes in records {
        match SdrRecord::decode(bytes).map(|record| record.body) {
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

fn is_behind_bmc(fru: &FruLocator) -> bool {
    fru.fru_device_id().is_some() && fru.access_address == BMC_OWNER && fru.lun() == 0
}

impl Described {
    fn add(&mut self, record: Record) {
        let key = record.common().key;
        let ours = key.owner_id == BMC_OWNER && key.owner_lun >> 4 == 0;
        if ours && self.sensors.len() < MAX_SENSORS {
            self.sensors.push(record);
        } else {
            self.ignored += 1;
        }
    }
}

/// Makes the plan of a machine from its records and what else it said about its sensors.
pub(crate) fn plan(described: &Described, limits: &Limits, tables: &Tables) -> Plan {
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
    Plan {
        sources: builder.sources,
        sensors: builder.sensors.into(),
        items: builder.items.into(),
        tables: builder.tables.into(),
        ignored_records: described.ignored,
    }
}

#[derive(Default)]
struct Builder {
    sensors: Vec<Sensor>,
    items: Vec<Item>,
    sources: HashMap<u32, EventSource>,
    tables: Vec<Table>,
    table_places: HashMap<Vec<u8>, u16>,
    ids: HashSet<String>,
    /// Names of states are the same strings for all sensors of a kind.
    states: HashMap<(EventReadingType, SensorType), States>,
}

type States = (Arc<[Arc<str>]>, Arc<[Severity]>);

impl Builder {
    fn add(&mut self, record: &Record, limits: &Limits, tables: &Tables) {
        let common = record.common();
        let numeric = match record {
            Record::Full(full) => table_of(full, tables).map(|table| (full, table)),
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
        let kind = if let Some((full, table)) = numeric {
            describe_number(&mut sensor, full, &table, limits);
            let compares = common.event_reading_type.is_threshold();
            ItemKind::Number {
                table: self.table_place(&table),
                compares,
            }
        } else {
            (sensor.states, sensor.state_severities) = self.states_of(common);
            ItemKind::States
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
        let (number, lun) = (common.key.sensor_number, common.key.lun());
        self.items.push(Item {
            place,
            number,
            lun,
            kind,
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

    fn table_place(&mut self, table: &Table) -> u16 {
        let key = table
            .iter()
            .flat_map(|value| value.to_bits().to_le_bytes())
            .collect();
        *self.table_places.entry(key).or_insert_with(|| {
            self.tables.push(*table);
            // Fewer tables than sensors, and those are MAX_SENSORS at most.
            (self.tables.len() - 1) as u16
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
    u32::from(key.owner_id) << 16 | u32::from(key.lun()) << 8 | u32::from(key.sensor_number)
}

/// The reading of every raw byte; `None` for a sensor without numbers, or with a formula that nobody knows.
fn table_of(full: &FullSensor, tables: &Tables) -> Option<Table> {
    if full.sensor.units.format() == AnalogFormat::None {
        return None;
    }
    if let Some(table) = tables.get(&full.sensor.key) {
        return Some(**table);
    }
    let conversion = full.conversion()?;
    let mut table = [0.0; 256];
    for (raw, value) in (0..=u8::MAX).zip(&mut table) {
        *value = conversion.value(raw);
    }
    Some(table)
}

fn describe_number(sensor: &mut Sensor, full: &FullSensor, table: &Table, limits: &Limits) {
    let value = |raw: u8| Some(table[usize::from(raw)]).filter(|value| value.is_finite());
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
const fn instance(entity: Entity) -> u16 {
    let instance = entity.instance();
    (if entity.is_device_relative() {
        instance - 0x60
    } else {
        instance
    }) as u16
}

/// Which part of the machine an entity is (§43.14).
const fn context(entity: Entity) -> Context {
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
