//! DCMI 1.5 (group extension DCh): capabilities, identification, power, temperatures.

use ipmi::bmc::{Request, serve};
use ipmi::command::dcmi::power::{
    LIMIT_OUT_OF_RANGE, NO_ACTIVE_LIMIT, PowerLimitSettings, STATISTICS_PERIOD_OUT_OF_RANGE,
};
use ipmi::command::dcmi::{
    ActivatePowerLimit, AssetTag, ControllerId, DCMI_SENSORS_MAX, DCMI_STRING_PART,
    DcmiCapabilities, DcmiConfiguration, DcmiDone, DcmiSensorInfo, GetAssetTag, GetControllerId,
    GetDcmiCapabilities, GetDcmiConfiguration, GetDcmiSensorInfo, GetPowerLimit, GetPowerReading,
    GetTemperatureReadings, GetThermalLimit, PowerLimit, PowerReading, SensorsOf, SetAssetTag,
    SetControllerId, SetDcmiConfiguration, SetPowerLimit, SetThermalLimit, StoredLength,
    TemperatureReadings, ThermalLimit, ThermalLimitSettings, VERSION_1_5, temperature_byte,
};
use ipmi::command::{Bytes, Command};
use ipmi::number::{
    CompletionCode, DcmiCapabilityParameter, DcmiEntity, EntityId, PowerExceptionAction,
    PowerLimitActivation, PowerMeasurement, PowerStatisticsMode, SensorType,
    ThermalExceptionActions,
};
use ipmi::record::{RecordId, Timestamp};
use ipmi::wire::Writer;

use super::Device;
use super::transport::mac;
use crate::controller::{ParameterSpec, read_parameter, write_parameter};
use crate::fru;
use crate::log::LOG_ENTRIES_MAX;
use crate::machine::Machine;
use crate::sensor::SensorSpec;

/// Revision of the capabilities (DCMI 1.5 table 6-2).
const CAPABILITIES_REVISION: u8 = 2;
/// Revision of the configuration (DCMI 1.5 table 6-5).
const CONFIGURATION_REVISION: u8 = 1;
/// Longest asset tag, and longest identifier with its zero, in bytes.
const ASSET_TAG_MAX: usize = 63;
const CONTROLLER_ID_MAX: usize = 64;
/// Periods over which power is averaged: now, 30 s, 5 min (DCMI 1.5 table 6-3, parameter 5).
const PERIODS: [u8; 3] = [0x00, 0x1e, 0x45];
/// Limits that make sense for a node, in watts.
const LIMITS_W: std::ops::RangeInclusive<u16> = 100..=1_200;

/// The configuration (DCMI 1.5 table 6-6); starting DHCP anew reads as 0.
const CONFIGURATION: [ParameterSpec; 5] = [
    ParameterSpec::plain(1, 1, &[]),
    ParameterSpec::plain(2, 1, &[]),
    ParameterSpec::plain(3, 1, &[4]),
    ParameterSpec::plain(4, 2, &[120]),
    ParameterSpec::plain(5, 2, &[64]),
];

pub(super) fn handle(
    device: &mut Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    let address = device.address;
    let channel = device.config.channel;
    let machine = &mut *device.machine;
    match request.cmd {
        GetDcmiCapabilities::CMD => serve(request, response, |c: GetDcmiCapabilities| {
            capabilities(c.parameter, channel)
        }),
        SetDcmiConfiguration::CMD => serve(request, response, |c: SetDcmiConfiguration| {
            let now_s = machine.at_s();
            let stored = &mut machine.controller_mut().dcmi_configuration;
            // Starting DHCP anew is an act and leaves nothing behind.
            if c.parameter.0 == 1 {
                return match c.data.as_slice() {
                    [1] => Ok(DcmiDone),
                    [_] => Err(CompletionCode::INVALID_DATA_FIELD),
                    _ => Err(CompletionCode::REQUEST_LENGTH_INVALID),
                };
            }
            write_parameter(stored, &CONFIGURATION, now_s, c.parameter.0, &c.data)?;
            Ok(DcmiDone)
        }),
        GetDcmiConfiguration::CMD => serve(request, response, |c: GetDcmiConfiguration| {
            let stored = &machine.controller().dcmi_configuration;
            let key = (c.parameter.0, c.set, 0);
            let data = read_parameter(stored, &CONFIGURATION, machine.at_s(), key)?;
            Ok(DcmiConfiguration {
                version: VERSION_1_5,
                revision: CONFIGURATION_REVISION,
                data: Bytes::new(&data).ok_or(CompletionCode::CANNOT_RETURN_BYTES)?,
            })
        }),
        GetControllerId::CMD => serve(request, response, |c: GetControllerId| {
            let [a, b, c1, d, e, f] = mac(address);
            let name = || format!("DCMI{a:02X}{b:02X}{c1:02X}{d:02X}{e:02X}{f:02X}").into_bytes();
            let stored = machine.controller().dcmi.controller_id.clone();
            let id = stored.unwrap_or_else(name);
            let id = id.split(|byte| *byte == 0).next().unwrap_or_default();
            let data = part(id, c.offset, c.count, CONTROLLER_ID_MAX)?;
            let length = u8::try_from(id.len()).unwrap_or(63);
            Ok(ControllerId { length, data })
        }),
        SetControllerId::CMD => serve(request, response, |c: SetControllerId| {
            let stored = &mut machine.controller_mut().dcmi.controller_id;
            let old = stored.clone().unwrap_or_default();
            let new = written(old, (c.offset, c.count), &c.data, CONTROLLER_ID_MAX)?;
            let length = u8::try_from(new.len()).unwrap_or(64);
            *stored = Some(new);
            Ok(StoredLength { length })
        }),
        GetAssetTag::CMD => serve(request, response, |c: GetAssetTag| {
            let tag = asset_tag(machine);
            let data = part(&tag, c.offset, c.count, ASSET_TAG_MAX)?;
            let length = u8::try_from(tag.len()).unwrap_or(63);
            Ok(AssetTag { length, data })
        }),
        SetAssetTag::CMD => serve(request, response, |c: SetAssetTag| {
            let old = asset_tag(machine);
            let new = written(old, (c.offset, c.count), &c.data, ASSET_TAG_MAX)?;
            let length = u8::try_from(new.len()).unwrap_or(63);
            machine.controller_mut().dcmi.asset_tag = Some(new);
            Ok(StoredLength { length })
        }),
        _ => measured(machine, request, response),
    }
}

/// Power and temperatures.
fn measured(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        GetPowerReading::CMD => serve(request, response, |c| power_reading(machine, &c)),
        GetPowerLimit::CMD => power_limit(machine, request, response),
        SetPowerLimit::CMD => serve(request, response, |c: SetPowerLimit| {
            let known = c.settings.action.name().is_some();
            if !known {
                return Err(CompletionCode::INVALID_DATA_FIELD);
            }
            if !LIMITS_W.contains(&c.settings.limit_w) {
                return Err(LIMIT_OUT_OF_RANGE);
            }
            if c.settings.sampling_s == 0 {
                return Err(STATISTICS_PERIOD_OUT_OF_RANGE);
            }
            machine.controller_mut().dcmi.limit = Some(c.settings);
            Ok(DcmiDone)
        }),
        ActivatePowerLimit::CMD => serve(request, response, |c: ActivatePowerLimit| {
            let dcmi = &mut machine.controller_mut().dcmi;
            if dcmi.limit.is_none() {
                return Err(CompletionCode::NOT_SUPPORTED_IN_STATE);
            }
            dcmi.limit_active = match c.activation {
                PowerLimitActivation::ACTIVATE => true,
                PowerLimitActivation::DEACTIVATE => false,
                _ => return Err(CompletionCode::INVALID_DATA_FIELD),
            };
            Ok(DcmiDone)
        }),
        GetDcmiSensorInfo::CMD => serve(request, response, |c: GetDcmiSensorInfo| {
            sensor_info(machine, c.sensors)
        }),
        GetTemperatureReadings::CMD => serve(request, response, |c: GetTemperatureReadings| {
            temperatures(machine, c.sensors)
        }),
        SetThermalLimit::CMD => serve(request, response, |c: SetThermalLimit| {
            check_inlet(c.entity, c.instance)?;
            let thermal = &mut machine.controller_mut().dcmi.thermal;
            if c.settings.actions == ThermalExceptionActions::NONE {
                thermal.remove(&c.instance);
            } else {
                thermal.insert(c.instance, c.settings);
            }
            Ok(DcmiDone)
        }),
        GetThermalLimit::CMD => serve(request, response, |c: GetThermalLimit| {
            check_inlet(c.entity, c.instance)?;
            let stored = machine.controller().dcmi.thermal.get(&c.instance);
            let settings = stored.copied().unwrap_or(ThermalLimitSettings {
                actions: ThermalExceptionActions::NONE,
                limit: 0,
                exception_s: 0,
            });
            Ok(ThermalLimit { settings })
        }),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

/// The limit is told also where it doesn't hold; only the completion code differs (DCMI 1.5 table 6-17).
fn power_limit(
    machine: &Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    let dcmi = &machine.controller().dcmi;
    let settings = dcmi.limit.unwrap_or(PowerLimitSettings {
        action: PowerExceptionAction::NONE,
        limit_w: 0,
        correction_ms: 1_000,
        sampling_s: 1,
    });
    let code = serve(request, response, |_: GetPowerLimit| {
        Ok(PowerLimit { settings })
    });
    if code == CompletionCode::OK && !dcmi.limit_active {
        return NO_ACTIVE_LIMIT;
    }
    code
}

/// By DCMI 1.5 table 6-3.
fn capabilities(
    parameter: DcmiCapabilityParameter,
    channel: u8,
) -> Result<DcmiCapabilities, CompletionCode> {
    let entries = u16::try_from(LOG_ENTRIES_MAX)
        .unwrap_or(0x0fff)
        .to_le_bytes();
    let data = match parameter {
        // Power management; the system interface.
        DcmiCapabilityParameter::SUPPORTED => Bytes::from([0, 1, 1]),
        // No rollover of the log; temperatures are sampled each second.
        DcmiCapabilityParameter::MANDATORY_ATTRIBUTES => {
            Bytes::from([entries[0], entries[1] & 0x0f, 0, 0, 1])
        }
        // Power is managed by the controller itself.
        DcmiCapabilityParameter::OPTIONAL_ATTRIBUTES => Bytes::from([0x20, 0x00]),
        // No second LAN channel, no terminal mode.
        DcmiCapabilityParameter::ACCESS_ATTRIBUTES => Bytes::from([channel, 0xff, 0xff]),
        DcmiCapabilityParameter::POWER_STATISTICS => {
            let [a, b, c] = PERIODS;
            Bytes::from([3, a, b, c])
        }
        _ => return Err(CompletionCode::PARAMETER_OUT_OF_RANGE),
    };
    Ok(DcmiCapabilities {
        version: VERSION_1_5,
        revision: CAPABILITIES_REVISION,
        data,
    })
}

/// The tag that was set, and otherwise that of the nameplate.
fn asset_tag(machine: &Machine) -> Vec<u8> {
    let stored = machine.controller().dcmi.asset_tag.clone();
    stored.unwrap_or_else(|| {
        let tag = fru::product(machine).asset_tag;
        tag.map_or_else(Vec::new, |tag| tag.as_bytes().to_vec())
    })
}

fn part(
    text: &[u8],
    offset: u8,
    count: u8,
    max: usize,
) -> Result<Bytes<DCMI_STRING_PART>, CompletionCode> {
    let (offset, count) = (usize::from(offset), usize::from(count));
    if count > DCMI_STRING_PART || offset >= max || offset + count > max + 1 {
        return Err(CompletionCode::PARAMETER_OUT_OF_RANGE);
    }
    let rest = text.get(offset..).unwrap_or_default();
    Bytes::new(&rest[..count.min(rest.len())]).ok_or(CompletionCode::CANNOT_RETURN_BYTES)
}

/// A text after a part of it was written: it ends there.
fn written(
    mut text: Vec<u8>,
    (offset, count): (u8, u8),
    data: &[u8],
    max: usize,
) -> Result<Vec<u8>, CompletionCode> {
    let offset = usize::from(offset);
    if usize::from(count) != data.len() {
        return Err(CompletionCode::REQUEST_LENGTH_INVALID);
    }
    if offset > text.len() || offset + data.len() > max {
        return Err(CompletionCode::PARAMETER_OUT_OF_RANGE);
    }
    text.truncate(offset);
    text.extend(data);
    Ok(text)
}

fn power_reading(machine: &Machine, c: &GetPowerReading) -> Result<PowerReading, CompletionCode> {
    let period_ms = match c.mode {
        PowerStatisticsMode::SYSTEM => 1_000,
        PowerStatisticsMode::ENHANCED if PERIODS.contains(&c.period) => {
            let unit_ms = [1_000, 60_000, 3_600_000, 86_400_000][usize::from(c.period >> 6)];
            u32::from(c.period & 0x3f) * unit_ms
        }
        PowerStatisticsMode::ENHANCED => return Err(CompletionCode::PARAMETER_OUT_OF_RANGE),
        _ => return Err(CompletionCode::INVALID_DATA_FIELD),
    };
    let power = machine.power_statistics(period_ms / 1_000);
    Ok(PowerReading {
        current_w: power.current_w,
        minimum_w: power.minimum_w,
        maximum_w: power.maximum_w,
        average_w: power.average_w,
        at: Timestamp(machine.clock_s()),
        period_ms,
        measurement: PowerMeasurement::ACTIVE,
    })
}

/// Entities of DCMI as those of IPMI (DCMI 1.5 table 6-14).
fn entity_of(entity: EntityId) -> Result<EntityId, CompletionCode> {
    Ok(match DcmiEntity(entity.0) {
        DcmiEntity::INLET => EntityId::AIR_INLET,
        DcmiEntity::CPU => EntityId::PROCESSOR,
        DcmiEntity::BASEBOARD => EntityId::SYSTEM_BOARD,
        _ => match entity {
            EntityId::AIR_INLET | EntityId::PROCESSOR | EntityId::SYSTEM_BOARD => entity,
            _ => return Err(CompletionCode::PARAMETER_OUT_OF_RANGE),
        },
    })
}

/// Temperature sensors of an entity: index, specification and the instance by which DCMI knows them, from 1.
fn sensors_of(
    machine: &Machine,
    of: SensorsOf,
) -> Result<Vec<(u8, usize, &SensorSpec)>, CompletionCode> {
    if of.sensor_type != SensorType::TEMPERATURE {
        return Err(CompletionCode::INVALID_DATA_FIELD);
    }
    let entity = entity_of(of.entity)?;
    let sensors = machine.profile().sensors.iter().enumerate();
    let mut found: Vec<_> = sensors
        .filter(|(_, sensor)| {
            // Margins are temperatures below zero, and not what is asked for.
            sensor.sensor_type == of.sensor_type
                && sensor.entity == entity
                && sensor.analog().is_some_and(|analog| analog.nominal > 0.0)
        })
        .collect();
    found.sort_by_key(|(_, sensor)| sensor.number);
    let numbered = (1..).zip(found);
    Ok(numbered
        .map(|(instance, (index, sensor))| (instance, index, sensor))
        .collect())
}

/// Of these those that are asked for, at most as many as an answer has room for.
fn selected<'a>(
    all: &[(u8, usize, &'a SensorSpec)],
    of: SensorsOf,
) -> Vec<(u8, usize, &'a SensorSpec)> {
    let wanted = all.iter().filter(|(instance, ..)| match of.instance {
        0 => *instance >= of.start.max(1),
        one => *instance == one,
    });
    wanted.take(DCMI_SENSORS_MAX).copied().collect()
}

fn sensor_info(machine: &Machine, of: SensorsOf) -> Result<DcmiSensorInfo, CompletionCode> {
    let all = sensors_of(machine, of)?;
    let found = selected(&all, of);
    let mut records = Vec::new();
    for (_, _, sensor) in &found {
        let record = machine.profile().sdr.record_of_sensor(sensor.number);
        let RecordId(number) = record.ok_or(CompletionCode::NOT_PRESENT)?;
        records.extend(number.to_le_bytes());
    }
    Ok(DcmiSensorInfo {
        total: u8::try_from(all.len()).unwrap_or(u8::MAX),
        count: u8::try_from(found.len()).unwrap_or(u8::MAX),
        records: Bytes::new(&records).ok_or(CompletionCode::CANNOT_RETURN_BYTES)?,
    })
}

fn temperatures(machine: &Machine, of: SensorsOf) -> Result<TemperatureReadings, CompletionCode> {
    let all = sensors_of(machine, of)?;
    let found = selected(&all, of);
    let mut readings = Vec::new();
    for (instance, index, sensor) in &found {
        let sample = machine.samples()[*index];
        let celsius = sensor
            .analog()
            .filter(|_| !sample.unavailable)
            .map_or(0.0, |analog| analog.scale.value(sample.raw));
        #[expect(
            clippy::cast_possible_truncation,
            reason = "temperatures of a machine are far within 16 bits, and what isn't saturates"
        )]
        let whole = celsius.round() as i16;
        readings.extend([temperature_byte(whole), *instance]);
    }
    Ok(TemperatureReadings {
        total: u8::try_from(all.len()).unwrap_or(u8::MAX),
        count: u8::try_from(found.len()).unwrap_or(u8::MAX),
        readings: Bytes::new(&readings).ok_or(CompletionCode::CANNOT_RETURN_BYTES)?,
    })
}

/// Only the one inlet has limits.
fn check_inlet(entity: EntityId, instance: u8) -> Result<(), CompletionCode> {
    let is_inlet = entity_of(entity)? == EntityId::AIR_INLET;
    if is_inlet && instance == 1 {
        Ok(())
    } else {
        Err(CompletionCode::PARAMETER_OUT_OF_RANGE)
    }
}
