//! A machine whose every value says whose it is and when it was.

use std::sync::Arc;
use std::time::Duration;

use ipmi::bmc::{Handler, Request, serve};
use ipmi::command::Command;
use ipmi::command::app::{DeviceId, GetDeviceGuid, GetDeviceId, Guid, IpmiVersion};
use ipmi::command::chassis::{
    BootFlags, BootParameter, ChassisControl, ChassisIdentify, ChassisStatus, GetChassisStatus,
    GetSystemBootOptions, SetSystemBootOptions, SystemBootOptions,
};
use ipmi::command::sensor::{
    GetSensorReading, GetSensorThresholds, SensorReading, SensorThresholds,
};
use ipmi::command::storage::{
    ClearSel, FruData, FruInventoryAreaInfo, GetFruInventoryAreaInfo, GetSdr, GetSdrRepositoryInfo,
    GetSelEntry, GetSelInfo, GetSelTime, ReadFruData, ReserveSdrRepository, ReserveSel, SdrData,
    SdrRepositoryInfo, SdrRepositoryOperations, SelEntryData, SelErasure, SelInfo, SelOperations,
};
use ipmi::command::transport::{GetLanConfigurationParameters, LanConfigurationParameters};
use ipmi::command::{Bytes, Empty};
use ipmi::number::{
    BootOptionParameter, ChassisControlAction, ChassisState, CompletionCode, DeviceAvailability,
    DeviceSupport, EntityId, EraseProgress, EventReadingType, FruAccessMode, IdentifyState,
    LanParameter, LastPowerEvent, NetFn, PowerRestorePolicy, PowerState, ReadingFlags, SensorType,
    SensorUnit, Threshold, ThresholdSet,
};
use ipmi::record::fru::{Fru, FruField, Language, ProductArea};
use ipmi::record::sdr::{
    CompactSensor, Entity, FullSensor, IdString, SdrBody, SdrRecord, Sensor, SensorCapabilities,
    SensorKey, Sharing, Units,
};
use ipmi::record::{AnalogFormat, Factors, RecordId, ReservationId, Timestamp};
use ipmi::time::Instant;
use ipmi::wire::Writer;

/// Numeric sensors of a machine: numbers 1 to this.
pub(crate) const NUMERIC: u8 = 6;

/// Discrete sensors: the numbers after those.
pub(crate) const DISCRETE: u8 = 6;

/// Event number 1 is a second after this, as the machine's log says.
pub(crate) const EVENTS_FROM_S: u32 = 1_700_000_000;

/// How long a numeric sensor keeps a value.
pub(crate) const STEP: Duration = Duration::from_millis(500);

/// The raw reading of a numeric sensor at a step of time: every node and sensor goes through the 256 values in its own
/// order, so that a value tells when it was read.
pub(crate) fn raw_at(node: u32, sensor: u8, step: u64) -> u8 {
    (step as u8)
        .wrapping_mul(2 * sensor + 1)
        .wrapping_add((node as u8).wrapping_mul(37))
}

/// The states of a discrete sensor: the node's number and the sensor's, 15 bits.
pub(crate) fn states_of(node: u32, sensor: u8) -> u16 {
    (node as u16 & 0x3ff) << 5 | u16::from(sensor & 0x1f)
}

/// The value of a raw byte: 0.5 per count, from -20.
pub(crate) fn value_of(raw: u8) -> f64 {
    f64::from(raw) * 0.5 - 20.0
}

/// The number of an entry.
fn id_of(record: &[u8; 16]) -> u16 {
    u16::from_le_bytes([record[0], record[1]])
}

/// A machine behind a BMC.
pub(crate) struct Machine {
    pub(crate) node: u32,
    pub(crate) now: Instant,
    pub(crate) on: bool,
    pub(crate) identify: IdentifyState,
    pub(crate) boot: BootFlags,
    pub(crate) log: Vec<[u8; 16]>,
    pub(crate) erased: u32,
    /// Events that ever happened, and how many of them the log has room for at a time.
    pub(crate) events: u32,
    pub(crate) capacity: usize,
    /// An event found no room.
    pub(crate) overflowed: bool,
    /// A full log loses its oldest entry.
    pub(crate) is_ring: bool,
    /// The last entry leads back to the first.
    pub(crate) log_is_endless: bool,
    /// The entry with this number can't be read.
    pub(crate) entry_refused: Option<(u16, CompletionCode)>,
    /// It does not clear its log.
    pub(crate) clear_refused: Option<CompletionCode>,
    /// So many events happen just before it is to be cleared, one at a time.
    pub(crate) events_before_clear: u32,
    /// When it says that the last entry came, if always the same.
    pub(crate) addition_stands: Option<u32>,
    /// No entry came since it was reserved.
    log_is_reserved: bool,
    /// Entries that were asked for.
    pub(crate) entry_reads: u64,
    /// How far its clock is ahead.
    pub(crate) clock_ahead_s: i32,
    /// Every Chassis Control that was executed.
    pub(crate) controls: Vec<ChassisControlAction>,
    /// What it answers to who asks for a reading, instead.
    pub(crate) readings_refused: Option<CompletionCode>,
    /// Sensors of which it refuses to tell the reading.
    pub(crate) sensors_refused: Vec<u8>,
    /// Requests executed.
    pub(crate) requests: u64,
    /// Every sensor that was asked for, and when; `None` = that isn't noted.
    pub(crate) readings_asked: Option<Vec<(Instant, u8)>>,
    pub(crate) records: Arc<Vec<Vec<u8>>>,
    /// When a record was added last.
    pub(crate) records_changed: u32,
    /// What it says of them can't be understood.
    pub(crate) records_garbled: bool,
    /// What it answers to the question for their stamp instead.
    pub(crate) stamp_refused: Option<CompletionCode>,
    /// What it answers to who asks for this record, counted from 1, instead.
    pub(crate) record_refused: Option<(u16, CompletionCode)>,
    /// Reads of the repository.
    pub(crate) repository_reads: u64,
    /// Its BMC's own GUID, where that has one, and what it says instead.
    pub(crate) guid: Option<Guid>,
    pub(crate) guid_refused: Option<CompletionCode>,
    /// It is another one in each answer: so many there were.
    pub(crate) guids_told: Option<u8>,
    /// Its BMC's MAC address, where that tells one, and what it says instead.
    pub(crate) mac: Option<[u8; 6]>,
    pub(crate) mac_refused: Option<CompletionCode>,
    /// It has no nameplate.
    pub(crate) is_plain: bool,
    /// Commands, and numbers of sensors, to which its BMC says nothing at all.
    pub(crate) mute_to: Vec<(NetFn, u8)>,
    pub(crate) mute_sensors: Vec<u8>,
    /// It says nothing to the request just handled.
    pub(crate) is_mute: bool,
}

impl Machine {
    pub(crate) fn new(node: u32, records: &Arc<Vec<Vec<u8>>>) -> Self {
        Self {
            node,
            now: Instant::ORIGIN,
            on: true,
            identify: IdentifyState::OFF,
            boot: BootFlags::default(),
            log: Vec::new(),
            erased: 1,
            events: 0,
            capacity: usize::MAX,
            overflowed: false,
            is_ring: false,
            log_is_endless: false,
            entry_refused: None,
            clear_refused: None,
            events_before_clear: 0,
            addition_stands: None,
            log_is_reserved: false,
            entry_reads: 0,
            clock_ahead_s: 0,
            controls: Vec::new(),
            readings_refused: None,
            sensors_refused: Vec::new(),
            requests: 0,
            readings_asked: None,
            records: Arc::clone(records),
            records_changed: 1,
            records_garbled: false,
            stamp_refused: None,
            record_refused: None,
            repository_reads: 0,
            guid: None,
            guid_refused: None,
            guids_told: None,
            mac: None,
            mac_refused: None,
            is_plain: false,
            mute_to: Vec::new(),
            mute_sensors: Vec::new(),
            is_mute: false,
        }
    }

    /// Adds a temperature event of sensor 1, where there is room.
    pub(crate) fn add_event(&mut self) {
        self.events += 1;
        if self.log.len() >= self.capacity && self.is_ring {
            self.log.remove(0);
        } else if self.log.len() >= self.capacity {
            self.overflowed = true;
            return;
        }
        self.log_is_reserved = false;
        let id = self.log.last().map_or(1, |last| id_of(last) + 1);
        let mut record = [0; 16];
        record[..2].copy_from_slice(&id.to_le_bytes());
        record[2] = 2;
        record[3..7].copy_from_slice(&(EVENTS_FROM_S + self.events).to_le_bytes());
        record[7..].copy_from_slice(&[0x20, 0, 4, 1, 1, 1, 0x59, 200, 190]);
        self.log.push(record);
    }

    /// Clears the log.
    pub(crate) fn clear(&mut self) {
        self.log.clear();
        self.erased += 1;
        self.overflowed = false;
    }

    fn entry(&mut self, asked: RecordId) -> Result<SelEntryData, CompletionCode> {
        self.entry_reads += 1;
        let index = match asked {
            RecordId::FIRST => Some(0),
            RecordId(id) => self.log.iter().position(|record| id_of(record) == id),
        };
        let record = index.and_then(|index| self.log.get(index));
        let record = record.ok_or(CompletionCode::NOT_PRESENT)?;
        if let Some((_, code)) = self.entry_refused.filter(|(id, _)| *id == id_of(record)) {
            return Err(code);
        }
        let next = index.and_then(|index| self.log.get(index + 1));
        let next = next.or_else(|| self.log.first().filter(|_| self.log_is_endless));
        Ok(SelEntryData {
            next: next.map_or(RecordId::LAST, |next| RecordId(id_of(next))),
            data: Bytes::from(*record),
        })
    }

    fn fru(&self) -> Vec<u8> {
        let text = |text: &str| FruField::from_text(text, Language::ENGLISH).unwrap();
        let product = ProductArea {
            language: Language::ENGLISH,
            name: text("Machine 9000"),
            serial_number: text(&format!("SN-{:05}", self.node)),
            ..ProductArea::default()
        };
        Fru {
            product: Some(product),
            ..Fru::default()
        }
        .encode()
        .unwrap()
    }

    fn reading(&self, sensor: u8) -> Result<SensorReading, CompletionCode> {
        let reading = SensorReading {
            flags: ReadingFlags::SCANNING,
            ..SensorReading::default()
        };
        if let Some(code) = self.readings_refused {
            return Err(code);
        }
        if self.sensors_refused.contains(&sensor) {
            return Err(CompletionCode::UNSPECIFIED);
        }
        let step = self.now.as_nanos() / STEP.as_nanos() as u64;
        match sensor {
            1..=NUMERIC => Ok(SensorReading {
                raw: raw_at(self.node, sensor, step),
                ..reading
            }),
            n if n <= NUMERIC + DISCRETE => Ok(SensorReading {
                states: states_of(self.node, sensor),
                ..reading
            }),
            _ => Err(CompletionCode::NOT_PRESENT),
        }
    }

    fn sdr(&mut self, part: GetSdr) -> Result<SdrData, CompletionCode> {
        self.repository_reads += 1;
        let GetSdr(part) = part;
        if let Some((id, code)) = self.record_refused
            && id == part.record.0.max(1)
        {
            return Err(code);
        }
        let index = usize::from(part.record.0.max(1)) - 1;
        let bytes = self.records.get(index).ok_or(CompletionCode::NOT_PRESENT)?;
        let next = if index + 1 == self.records.len() {
            RecordId::LAST
        } else {
            RecordId(index as u16 + 2)
        };
        let from = usize::from(part.offset).min(bytes.len());
        let to = (from + usize::from(part.count)).min(bytes.len());
        Ok(SdrData {
            next,
            data: Bytes::new(&bytes[from..to]).unwrap_or_default(),
        })
    }

    fn status(&self) -> ChassisStatus {
        ChassisStatus {
            power: if self.on {
                PowerState::ON
            } else {
                PowerState::NONE
            },
            restore_policy: PowerRestorePolicy::PREVIOUS,
            last_event: LastPowerEvent::NONE,
            state: ChassisState::NONE,
            identify: Some(self.identify),
            front_panel: None,
        }
    }

    fn control(&mut self, action: ChassisControlAction) {
        self.controls.push(action);
        self.on = action != ChassisControlAction::POWER_DOWN;
    }

    fn chassis(&mut self, request: &Request<'_>, w: &mut Writer<'_>) -> CompletionCode {
        match request.cmd {
            GetChassisStatus::CMD => serve(request, w, |_: GetChassisStatus| Ok(self.status())),
            ChassisControl::CMD => serve(request, w, |control: ChassisControl| {
                self.control(control.action);
                Ok(Empty)
            }),
            ChassisIdentify::CMD => serve(request, w, |identify: ChassisIdentify| {
                self.identify = match identify {
                    ChassisIdentify::Indefinitely => IdentifyState::INDEFINITE,
                    ChassisIdentify::Seconds(0) => IdentifyState::OFF,
                    _ => IdentifyState::TEMPORARY,
                };
                Ok(Empty)
            }),
            SetSystemBootOptions::CMD => serve(request, w, |set: SetSystemBootOptions| {
                if let BootParameter::Flags(flags) = set.parameter {
                    self.boot = flags;
                }
                Ok(Empty)
            }),
            GetSystemBootOptions::CMD => serve(request, w, |get: GetSystemBootOptions| {
                if get.parameter != BootOptionParameter::BOOT_FLAGS {
                    return Err(CompletionCode(0x80));
                }
                let parameter = BootParameter::Flags(self.boot);
                Ok(SystemBootOptions {
                    version: 1,
                    invalid: false,
                    parameter,
                })
            }),
            _ => CompletionCode::INVALID_COMMAND,
        }
    }

    fn storage(&mut self, request: &Request<'_>, w: &mut Writer<'_>) -> CompletionCode {
        if self.records_garbled && [GetSdrRepositoryInfo::CMD, GetSdr::CMD].contains(&request.cmd) {
            w.u8(0x51);
            return CompletionCode::OK;
        }
        if let Some(code) = self.stamp_refused
            && request.cmd == GetSdrRepositoryInfo::CMD
        {
            return code;
        }
        match request.cmd {
            GetSdrRepositoryInfo::CMD => serve(request, w, |_: GetSdrRepositoryInfo| {
                Ok(SdrRepositoryInfo {
                    version: 0x51,
                    record_count: self.records.len() as u16,
                    free_bytes: 0,
                    last_addition: Timestamp(self.records_changed),
                    last_erase: Timestamp(1),
                    operations: SdrRepositoryOperations::RESERVE,
                })
            }),
            ReserveSdrRepository::CMD => {
                serve(request, w, |_: ReserveSdrRepository| Ok(ReservationId(1)))
            }
            GetSdr::CMD => serve(request, w, |part: GetSdr| self.sdr(part)),
            GetFruInventoryAreaInfo::CMD => serve(request, w, |info: GetFruInventoryAreaInfo| {
                let present = info.fru_device_id == 0 && !self.is_plain;
                let size = self.fru().len() as u16;
                let info = FruInventoryAreaInfo {
                    size,
                    access: FruAccessMode::BYTES,
                };
                if present {
                    Ok(info)
                } else {
                    Err(CompletionCode::NOT_PRESENT)
                }
            }),
            ReadFruData::CMD => serve(request, w, |read: ReadFruData| {
                let fru = self.fru();
                let from = usize::from(read.offset).min(fru.len());
                let to = (from + usize::from(read.count)).min(fru.len());
                let data = Bytes::new(&fru[from..to]).unwrap_or_default();
                Ok(FruData {
                    count: (to - from) as u8,
                    data,
                })
            }),
            _ => self.event_log(request, w),
        }
    }

    fn event_log(&mut self, request: &Request<'_>, w: &mut Writer<'_>) -> CompletionCode {
        match request.cmd {
            GetSelInfo::CMD => serve(request, w, |_: GetSelInfo| {
                Ok(SelInfo {
                    version: 0x51,
                    entry_count: self.log.len() as u16,
                    free_bytes: 0,
                    last_addition: Timestamp(self.addition_stands.unwrap_or(self.events)),
                    last_erase: Timestamp(self.erased),
                    operations: if self.overflowed {
                        SelOperations(SelOperations::RESERVE.0 | SelOperations::OVERFLOW.0)
                    } else {
                        SelOperations::RESERVE
                    },
                })
            }),
            ReserveSel::CMD => serve(request, w, |_: ReserveSel| {
                self.log_is_reserved = true;
                Ok(ReservationId(1))
            }),
            GetSelEntry::CMD => serve(request, w, |get: GetSelEntry| self.entry(get.record)),
            GetSelTime::CMD => serve(request, w, |_: GetSelTime| {
                let now_s = (super::UNIX_MS + self.now.as_nanos() / 1_000_000) / 1_000;
                Ok(Timestamp(
                    (now_s as u32).wrapping_add_signed(self.clock_ahead_s),
                ))
            }),
            ClearSel::CMD => serve(request, w, |_: ClearSel| {
                if let Some(code) = self.clear_refused {
                    return Err(code);
                }
                if self.events_before_clear > 0 {
                    self.events_before_clear -= 1;
                    self.add_event();
                }
                if !self.log_is_reserved {
                    return Err(CompletionCode::RESERVATION_CANCELLED);
                }
                self.clear();
                Ok(SelErasure(EraseProgress::COMPLETED))
            }),
            _ => CompletionCode::INVALID_COMMAND,
        }
    }
}

impl Handler for Machine {
    fn handle(&mut self, request: &Request<'_>, w: &mut Writer<'_>) -> CompletionCode {
        self.requests += 1;
        let is_reading =
            (request.netfn, request.cmd) == (NetFn::SENSOR_EVENT, GetSensorReading::CMD);
        let sensor = request.data.first().filter(|_| is_reading);
        self.is_mute = self.mute_to.contains(&(request.netfn, request.cmd))
            || sensor.is_some_and(|sensor| self.mute_sensors.contains(sensor));
        match (request.netfn, request.cmd) {
            (NetFn::SENSOR_EVENT, GetSensorReading::CMD) => {
                serve(request, w, |get: GetSensorReading| {
                    if let Some(asked) = &mut self.readings_asked {
                        asked.push((self.now, get.sensor_number));
                    }
                    self.reading(get.sensor_number)
                })
            }
            (NetFn::SENSOR_EVENT, GetSensorThresholds::CMD) => {
                serve(request, w, |_: GetSensorThresholds| {
                    let mut thresholds = SensorThresholds::default();
                    thresholds.set(Threshold::UpperCritical, 200);
                    Ok(thresholds)
                })
            }
            (NetFn::APP, GetDeviceId::CMD) => serve(request, w, |_: GetDeviceId| Ok(device_id())),
            (NetFn::APP, GetDeviceGuid::CMD) => serve(request, w, |_: GetDeviceGuid| {
                let mut guid = self.guid.ok_or(CompletionCode::INVALID_COMMAND)?;
                if let Some(told) = &mut self.guids_told {
                    *told = told.wrapping_add(1);
                    guid.0[0] = *told;
                }
                self.guid_refused.map_or(Ok(guid), Err)
            }),
            (NetFn::TRANSPORT, GetLanConfigurationParameters::CMD) => {
                serve(request, w, |get: GetLanConfigurationParameters| {
                    let mac = match get.parameter {
                        LanParameter::MAC_ADDRESS => self.mac,
                        _ => None,
                    };
                    let mac = mac.ok_or(CompletionCode(0x80))?;
                    self.mac_refused.map_or(Ok(()), Err)?;
                    Ok(LanConfigurationParameters {
                        revision: 0x11,
                        data: Bytes::new(&mac).unwrap_or_default(),
                    })
                })
            }
            (NetFn::CHASSIS, _) => self.chassis(request, w),
            (NetFn::STORAGE, _) => self.storage(request, w),
            _ => CompletionCode::INVALID_COMMAND,
        }
    }
}

fn device_id() -> DeviceId {
    DeviceId {
        device_id: 1,
        has_device_sdrs: false,
        device_revision: 1,
        availability: DeviceAvailability::NORMAL,
        firmware_major: 2,
        firmware_minor: 0x15,
        ipmi_version: IpmiVersion::V2_0,
        support: DeviceSupport::SDR_REPOSITORY | DeviceSupport::SEL | DeviceSupport::CHASSIS,
        manufacturer: ipmi::number::EnterpriseNumber(674),
        product: 9_000,
        auxiliary_firmware: None,
    }
}

/// The records of every machine: numeric sensors, then one record that the discrete ones share.
pub(crate) fn records() -> Arc<Vec<Vec<u8>>> {
    records_of([(SensorType::TEMPERATURE, SensorUnit::DEGREES_C); NUMERIC as usize])
}

/// The same, where the numeric sensors measure these.
pub(crate) fn records_of(
    measured: [(SensorType, SensorUnit); NUMERIC as usize],
) -> Arc<Vec<Vec<u8>>> {
    let mut records = Vec::new();
    for (number, (sensor_type, unit)) in (1..).zip(measured) {
        let sensor = Sensor {
            key: SensorKey::bmc(number),
            entity: Entity::new(EntityId::PROCESSOR, number),
            capabilities: SensorCapabilities(0x48),
            sensor_type,
            event_reading_type: EventReadingType::THRESHOLD,
            reading_mask: ThresholdSet::UPPER_CRITICAL.0.into(),
            units: Units::new(AnalogFormat::Unsigned, unit),
            ..Sensor::default()
        };
        let full = FullSensor {
            sensor,
            // (5·x − 200) · 10^-1
            factors: Factors {
                m: 5,
                b: -200,
                r_exponent: -1,
                ..Factors::default()
            },
            maximum: 255,
            // Two sensors have one name.
            id: IdString::new(&format!("CPU{} Temp", number / 2)).unwrap(),
            ..FullSensor::default()
        };
        records.push(SdrBody::FullSensor(full));
    }
    let shared = CompactSensor {
        sensor: Sensor {
            key: SensorKey::bmc(NUMERIC + 1),
            entity: Entity::new(EntityId::DISK, 1),
            // A maker's own, so that all 15 states may mean something.
            sensor_type: SensorType(0xc0),
            event_reading_type: EventReadingType::SENSOR_SPECIFIC,
            reading_mask: 0x7fff,
            units: Units::new(AnalogFormat::None, SensorUnit::UNSPECIFIED),
            ..Sensor::default()
        },
        sharing: Sharing {
            direction_count: DISCRETE,
            instance_offset: 0x81,
        },
        id: IdString::new("Disk ").unwrap(),
        ..CompactSensor::default()
    };
    records.push(SdrBody::CompactSensor(shared));
    let numbered = (1..)
        .zip(records)
        .map(|(id, body)| SdrRecord::new(RecordId(id), body).to_vec());
    Arc::new(numbered.collect())
}
