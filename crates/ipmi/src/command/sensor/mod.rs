//! Sensor commands: readings, thresholds, events (NetFn 04h, §35).
//!
//! ```
//! use ipmi::command::Message;
//! use ipmi::command::sensor::SensorReading;
//! use ipmi::wire::Reader;
//!
//! // A raw byte of 5Ah, scanning on, no threshold crossed.
//! let reading = SensorReading::decode(&mut Reader::new(&[0x5a, 0xc0, 0xc0]))?;
//! assert_eq!(reading.available(), Some(0x5a));
//! // Bit 5 of the second byte: there is no reading now.
//! let none = SensorReading::decode(&mut Reader::new(&[0, 0xe0, 0xc0]))?;
//! assert_eq!(none.available(), None);
//! # Ok::<(), ipmi::wire::WireError>(())
//! ```

mod get_device_sdr_info;
mod get_sensor_reading;
mod get_sensor_reading_factors;
mod sensor_control;
mod sensor_event_enable;
mod sensor_hysteresis;
mod sensor_thresholds;
mod sensor_type;

pub use get_device_sdr_info::{DeviceSdrInfo, GetDeviceSdrInfo};
pub use get_sensor_reading::{GetSensorReading, SensorReading};
pub use get_sensor_reading_factors::{GetSensorReadingFactors, SensorReadingFactors};
pub use sensor_control::{
    RearmMasks, RearmSensorEvents, SetSensorReadingAndEventStatus, SetSensorType,
};
pub use sensor_event_enable::{
    EventEnableAction, EventMasks, GetSensorEventEnable, GetSensorEventStatus, SensorEventEnable,
    SensorEventStatus, SetSensorEventEnable,
};
pub use sensor_hysteresis::{GetSensorHysteresis, Hysteresis, SetSensorHysteresis};
pub use sensor_thresholds::{GetSensorThresholds, SensorThresholds, SetSensorThresholds};
pub use sensor_type::{GetSensorType, SensorTypeResponse};
