//! Commands of the Data Center Manageability Interface, DCMI 1.5 (group extension DCh).
//!
//! ```
//! use ipmi::command::Command;
//! use ipmi::command::dcmi::power::GetPowerReading;
//! use ipmi::number::PowerStatisticsMode;
//! use ipmi::wire::Writer;
//!
//! let ask = GetPowerReading { mode: PowerStatisticsMode::SYSTEM, period: 0 };
//! let mut buffer = [0; 8];
//! let mut w = Writer::new(&mut buffer);
//! ask.encode(&mut w);
//! assert_eq!(w.written(), [0xdc, 1, 0, 0]);
//! ```

mod capabilities;
mod identification;
pub mod power;
mod thermal;

pub use capabilities::{
    DCMI_PARAMETER_MAX, DcmiCapabilities, DcmiConfiguration, GetDcmiCapabilities,
    GetDcmiConfiguration, SetDcmiConfiguration,
};
pub use identification::{
    AssetTag, ControllerId, DCMI_STRING_PART, GetAssetTag, GetControllerId, SetAssetTag,
    SetControllerId, StoredLength,
};
pub use power::{
    ActivatePowerLimit, GetPowerLimit, GetPowerReading, PowerLimit, PowerLimitSettings,
    PowerReading, SetPowerLimit,
};
pub use thermal::{
    DCMI_SENSORS_MAX, DcmiSensorInfo, GetDcmiSensorInfo, GetTemperatureReadings, GetThermalLimit,
    SensorsOf, SetThermalLimit, TemperatureReadings, ThermalLimit, ThermalLimitSettings,
    temperature_byte, temperature_of,
};

use crate::command::layout::message;

message! {
    /// An answer without data of its own.
    pub struct DcmiDone in DCMI {}
}

/// Version 1.5, as the answers about capabilities and configuration begin (DCMI 1.5 table 6-2).
pub const VERSION_1_5: [u8; 2] = [1, 5];
