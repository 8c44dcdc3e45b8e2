//! Classes of sensors, by which they are read at intervals of their own.

use core::fmt;

use crate::Quantity;

/// What is alike in how often it is worth being read: a temperature changes within seconds, the presence of a power supply hardly ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SensorClass {
    /// Temperatures.
    Temperature,
    /// Speeds of fans.
    Fan,
    /// Voltages.
    Voltage,
    /// Currents.
    Current,
    /// Power and energy.
    Power,
    /// All other numbers: humidity, flow, utilisation.
    Other,
    /// States: presence, redundancy, events of power supplies.
    Discrete,
}

impl SensorClass {
    /// How many classes there are.
    pub const COUNT: usize = 7;

    /// Every class.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Temperature,
        Self::Fan,
        Self::Voltage,
        Self::Current,
        Self::Power,
        Self::Other,
        Self::Discrete,
    ];

    /// Its name in configurations and figures.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::Fan => "fan",
            Self::Voltage => "voltage",
            Self::Current => "current",
            Self::Power => "power",
            Self::Other => "other",
            Self::Discrete => "discrete",
        }
    }

    /// The class of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

impl fmt::Display for SensorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Quantity {
    /// The class of the sensors that report this.
    #[must_use]
    pub const fn class(self) -> SensorClass {
        match self {
            Self::Temperature => SensorClass::Temperature,
            Self::FanSpeed => SensorClass::Fan,
            Self::Voltage => SensorClass::Voltage,
            Self::Current => SensorClass::Current,
            Self::Power | Self::Energy => SensorClass::Power,
            Self::Humidity
            | Self::AirFlow
            | Self::LiquidFlow
            | Self::Pressure
            | Self::Altitude
            | Self::Frequency
            | Self::Percent
            | Self::Other => SensorClass::Other,
            Self::Discrete => SensorClass::Discrete,
        }
    }
}

/// How often sensors are read, by class, in milliseconds; not said of any class by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SensorIntervals([u32; SensorClass::COUNT]);

impl SensorIntervals {
    /// This interval for all classes; 0 = not said.
    #[must_use]
    pub const fn all(ms: u32) -> Self {
        Self([ms; SensorClass::COUNT])
    }

    /// The same with this interval for one class; 0 = not said.
    #[must_use]
    pub const fn with(mut self, class: SensorClass, ms: u32) -> Self {
        self.0[class as usize] = ms;
        self
    }

    /// The interval of a class; `None` where it is not said.
    #[must_use]
    pub const fn get(self, class: SensorClass) -> Option<u32> {
        match self.0[class as usize] {
            0 => None,
            ms => Some(ms),
        }
    }

    /// The same, with the intervals of `others` for classes of which nothing is said.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        let mut all = others;
        for class in SensorClass::ALL {
            if let Some(ms) = self.get(class) {
                all = all.with(class, ms);
            }
        }
        all
    }

    /// The classes of which something is said, with their intervals.
    pub fn iter(self) -> impl Iterator<Item = (SensorClass, u32)> {
        SensorClass::ALL
            .into_iter()
            .filter_map(move |class| Some((class, self.get(class)?)))
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn each_class_has_a_name_and_a_place_of_its_own() {
        for (place, class) in SensorClass::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, place);
            assert_eq!(SensorClass::named(class.name()), Some(class));
        }
        assert_eq!(SensorClass::named("temperatures"), None);
    }

    #[test]
    fn what_one_does_not_say_of_a_class_is_taken_from_the_other() {
        let own = SensorIntervals::default().with(SensorClass::Fan, 30);
        let fleet = SensorIntervals::default()
            .with(SensorClass::Fan, 1)
            .with(SensorClass::Voltage, 60);
        let both: Vec<_> = own.or(fleet).iter().collect();
        assert_eq!(both, [(SensorClass::Fan, 30), (SensorClass::Voltage, 60)]);
        let all = both.len() + own.or(SensorIntervals::all(5)).iter().count();
        assert_eq!(all, 2 + SensorClass::COUNT);
    }
}
