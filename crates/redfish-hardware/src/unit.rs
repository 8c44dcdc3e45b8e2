//! Units: which `ReadingType` a sensor has, and how its values become what that type demands.

use hardware::{Quantity, Sensor};
use redfish_schema::sensor::ReadingType;

/// How a sensor's values become those of a Redfish sensor. Most need nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Conversion {
    pub(crate) factor: f64,
    offset: f64,
    /// The type whose unit the converted value has; `None` where the schema has no type for this unit.
    pub(crate) reading_type: Option<ReadingType>,
    /// The unit after conversion, in UCUM notation; `None`: the sensor's own.
    unit: Option<&'static str>,
}

/// Cubic metres in a cubic foot: 0.3048³.
const CUBIC_METRES_PER_CUBIC_FOOT: f64 = 0.028_316_846_592;

impl Conversion {
    const fn unchanged(reading_type: ReadingType) -> Self {
        Self {
            factor: 1.0,
            offset: 0.0,
            reading_type: Some(reading_type),
            unit: None,
        }
    }

    const fn to(reading_type: ReadingType, unit: &'static str, factor: f64, offset: f64) -> Self {
        Self {
            factor,
            offset,
            reading_type: Some(reading_type),
            unit: Some(unit),
        }
    }

    const UNKNOWN: Self = Self {
        factor: 1.0,
        offset: 0.0,
        reading_type: None,
        unit: None,
    };

    /// The conversion for a sensor's quantity and unit.
    pub(crate) fn of(sensor: &Sensor) -> Self {
        use ReadingType as T;
        match (sensor.quantity, &*sensor.unit.0) {
            (Quantity::Temperature, "Cel") => Self::unchanged(T::Temperature),
            (Quantity::Temperature, "[degF]") => {
                Self::to(T::Temperature, "Cel", 5.0 / 9.0, -160.0 / 9.0)
            }
            (Quantity::Temperature, "K") => Self::to(T::Temperature, "Cel", 1.0, -273.15),
            (Quantity::Voltage, "V") => Self::unchanged(T::Voltage),
            (Quantity::Voltage, "mV") => Self::to(T::Voltage, "V", 1e-3, 0.0),
            (Quantity::Current, "A") => Self::unchanged(T::Current),
            (Quantity::Current, "mA") => Self::to(T::Current, "A", 1e-3, 0.0),
            (Quantity::Power, "W") => Self::unchanged(T::Power),
            (Quantity::Power, "mW") => Self::to(T::Power, "W", 1e-3, 0.0),
            (Quantity::Power, "kW") => Self::to(T::Power, "W", 1e3, 0.0),
            (Quantity::Energy, "J") => Self::unchanged(T::EnergyJoules),
            (Quantity::Energy, "W.h") => Self::unchanged(T::EnergyWh),
            (Quantity::Energy, "kW.h") => Self::unchanged(T::EnergykWh),
            (Quantity::FanSpeed, "{rev}/min") => Self::unchanged(T::Rotational),
            (Quantity::Humidity, "%") => Self::unchanged(T::Humidity),
            (Quantity::FanSpeed | Quantity::Percent, "%") => Self::unchanged(T::Percent),
            (Quantity::AirFlow, "m3/min") => Self::unchanged(T::AirFlowCMM),
            (Quantity::AirFlow, "[cft_i]/min") => {
                Self::to(T::AirFlowCMM, "m3/min", CUBIC_METRES_PER_CUBIC_FOOT, 0.0)
            }
            (Quantity::LiquidFlow, "L/min") => Self::unchanged(T::LiquidFlowLPM),
            (Quantity::Pressure, "Pa") => Self::unchanged(T::PressurePa),
            (Quantity::Pressure, "kPa") => Self::unchanged(T::PressurekPa),
            (Quantity::Altitude, "m") => Self::unchanged(T::Altitude),
            (Quantity::Frequency, "Hz") => Self::unchanged(T::Frequency),
            _ => Self::UNKNOWN,
        }
    }

    /// A value in the unit of the Redfish sensor.
    pub(crate) fn apply(&self, value: f64) -> f64 {
        value * self.factor + self.offset
    }

    /// The unit after conversion; `None` for numbers without one.
    pub(crate) fn unit<'a>(&self, sensor: &'a Sensor) -> Option<&'a str> {
        self.unit
            .or(Some(&*sensor.unit.0))
            .filter(|unit| !unit.is_empty())
    }
}
