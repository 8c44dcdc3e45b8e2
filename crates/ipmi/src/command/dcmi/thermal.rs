//! DCMI's sensors, temperatures and thermal limits (DCMI 1.5 §6.5, §6.7).

use super::DcmiDone;
use crate::command::Bytes;
use crate::command::layout::{layout, message, request};
use crate::number::{EntityId, SensorType, ThermalExceptionActions};

/// Sensors that one answer tells, at most.
pub const DCMI_SENSORS_MAX: usize = 8;

layout! {
    /// Which sensors of an entity (DCMI 1.5 tables 6-15 and 6-22).
    pub struct SensorsOf {
        /// What they sense: temperature.
        pub sensor_type: SensorType,
        /// The entity: one of [`DcmiEntity`](crate::number::DcmiEntity), or IPMI's own.
        pub entity: EntityId,
        /// Which instance; 0 for all.
        pub instance: u8,
        /// With `instance` 0: from which on, from 1.
        pub start: u8,
    }
}

layout! {
    /// A limit of a temperature (DCMI 1.5 tables 6-20 and 6-21).
    pub struct ThermalLimitSettings {
        /// What happens when the temperature stays above the limit; none for no limit.
        pub actions: ThermalExceptionActions,
        /// The limit, in the units of the sensor's record.
        pub limit: u8,
        /// For how long it may be above it, in seconds.
        pub exception_s: u16,
    }
}

request! {
    /// Asks for the SDRs of an entity's sensors (DCMI 1.5 §6.5.2).
    pub struct GetDcmiSensorInfo: DCMI 0x07 "Get DCMI Sensor Info", repeatable => DcmiSensorInfo {
        /// Which.
        pub sensors: SensorsOf,
    }

    /// Sets the limit of an inlet temperature (DCMI 1.5 §6.7.2). Completion codes 84h, 85h: out of range.
    pub struct SetThermalLimit: DCMI 0x0b "Set Thermal Limit", repeatable => DcmiDone {
        /// Air inlet: 37h or 40h.
        pub entity: EntityId,
        /// Which.
        pub instance: u8,
        /// The limit.
        pub settings: ThermalLimitSettings,
    }

    /// Asks for the limit of an inlet temperature (DCMI 1.5 §6.7.1).
    pub struct GetThermalLimit: DCMI 0x0c "Get Thermal Limit", repeatable => ThermalLimit {
        /// Air inlet: 37h or 40h.
        pub entity: EntityId,
        /// Which.
        pub instance: u8,
    }

    /// Asks for an entity's temperatures in °C, without SDRs (DCMI 1.5 §6.7.3).
    pub struct GetTemperatureReadings: DCMI 0x10 "Get Temperature Readings", repeatable => TemperatureReadings {
        /// Which.
        pub sensors: SensorsOf,
    }
}

message! {
    /// The answer to [`GetDcmiSensorInfo`] (DCMI 1.5 table 6-15).
    pub struct DcmiSensorInfo in DCMI {
        /// Instances that there are.
        pub total: u8,
        /// Of them in this answer.
        pub count: u8,
        /// Their record numbers, two bytes each.
        pub records: Bytes<{ 2 * DCMI_SENSORS_MAX }>,
    }

    /// The answer to [`GetThermalLimit`] (DCMI 1.5 table 6-20).
    pub struct ThermalLimit in DCMI {
        /// The limit.
        pub settings: ThermalLimitSettings,
    }

    /// The answer to [`GetTemperatureReadings`] (DCMI 1.5 table 6-22).
    pub struct TemperatureReadings in DCMI {
        /// Instances that there are.
        pub total: u8,
        /// Of them in this answer.
        pub count: u8,
        /// For each the temperature (see [`temperature_of`]) and the instance.
        pub readings: Bytes<{ 2 * DCMI_SENSORS_MAX }>,
    }
}

/// The temperature that a byte says, in °C: bit 7 is the sign, the rest the amount.
#[must_use]
pub const fn temperature_of(byte: u8) -> i16 {
    let amount = (byte & 0x7f) as i16;
    if byte & 0x80 == 0 { amount } else { -amount }
}

/// The byte that says a temperature; what is beyond ±127 °C is cut off there.
#[must_use]
pub fn temperature_byte(celsius: i16) -> u8 {
    let amount = celsius.unsigned_abs().min(127).to_le_bytes()[0];
    amount | u8::from(celsius < 0) << 7
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn sensors_are_asked_for_by_entity() {
        let sensors = SensorsOf {
            sensor_type: SensorType::TEMPERATURE,
            entity: EntityId(0x40),
            instance: 0,
            start: 1,
        };
        check::request(&GetDcmiSensorInfo { sensors }, &[0xdc, 1, 0x40, 0, 1], 5);
        check::request(
            &GetTemperatureReadings { sensors },
            &[0xdc, 1, 0x40, 0, 1],
            5,
        );
        let info = DcmiSensorInfo {
            total: 2,
            count: 2,
            records: Bytes::from([7, 0, 8, 0]),
        };
        check::response(&info, &[0xdc, 2, 2, 7, 0, 8, 0], 3);
        let readings = TemperatureReadings {
            total: 1,
            count: 1,
            readings: Bytes::from([temperature_byte(-5), 1]),
        };
        check::response(&readings, &[0xdc, 1, 1, 0x85, 1], 3);
        assert_eq!(temperature_of(0x85), -5);
        assert_eq!(temperature_of(temperature_byte(200)), 127);
    }

    #[test]
    fn a_thermal_limit() {
        let settings = ThermalLimitSettings {
            actions: ThermalExceptionActions::POWER_OFF,
            limit: 45,
            exception_s: 60,
        };
        let entity = EntityId(0x37);
        let set = SetThermalLimit {
            entity,
            instance: 1,
            settings,
        };
        check::request(&set, &[0xdc, 0x37, 1, 0x40, 45, 60, 0], 7);
        let get = GetThermalLimit {
            entity,
            instance: 1,
        };
        check::request(&get, &[0xdc, 0x37, 1], 3);
        check::response(&ThermalLimit { settings }, &[0xdc, 0x40, 45, 60, 0], 5);
    }
}
