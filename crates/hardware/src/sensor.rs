//! What a sensor is: its name, what it measures, and where its limits lie. No values; those are [`crate::Reading`].

use alloc::sync::Arc;

/// What kind of thing a sensor reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Temperature, normally in degrees Celsius.
    Temperature,
    /// Electric potential.
    Voltage,
    /// Electric current.
    Current,
    /// Electric power.
    Power,
    /// Electric energy.
    Energy,
    /// Fan speed, in revolutions per minute or per cent.
    FanSpeed,
    /// Relative humidity.
    Humidity,
    /// Air flow.
    AirFlow,
    /// Liquid flow.
    LiquidFlow,
    /// Pressure.
    Pressure,
    /// Altitude.
    Altitude,
    /// Frequency.
    Frequency,
    /// Utilisation or another share, in per cent.
    Percent,
    /// Any other number with a unit.
    Other,
    /// Not a number: a set of states, whose meaning is in [`Sensor::states`].
    Discrete,
}

impl Quantity {
    /// Whether a sensor of this kind has a numeric value.
    #[must_use]
    pub const fn is_numeric(self) -> bool {
        !matches!(self, Self::Discrete)
    }
}

/// The unit of a sensor's value, as text in UCUM notation where there is one (`Cel`, `V`, `A`, `W`,
/// `{rev}/min`, `%`), empty for none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit(pub Arc<str>);

/// Which part of the machine a sensor looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub enum Context {
    /// Not said.
    #[default]
    Unspecified,
    /// A processor.
    Cpu,
    /// Memory.
    Memory,
    /// A disk or its bay.
    StorageDevice,
    /// A power supply.
    PowerSupply,
    /// All power supplies together (IPMI's power unit): total power, redundancy.
    PowerSubsystem,
    /// Power conversion on a board (voltage regulator).
    VoltageRegulator,
    /// A fan or cooling device.
    Fan,
    /// All fans together (IPMI's cooling unit): redundancy.
    CoolingSubsystem,
    /// The system board.
    SystemBoard,
    /// Air entering the machine.
    Intake,
    /// Air leaving the machine.
    Exhaust,
    /// The chassis or room in it.
    Chassis,
    /// An add-in card.
    AddInCard,
    /// The management controller itself.
    ManagementController,
    /// A battery.
    Battery,
    /// A rack's or room's power distribution.
    PowerOutlet,
    /// The machine as a whole.
    System,
}

/// Which of the six limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Threshold {
    /// Below this is beyond recovery.
    LowerFatal,
    /// Below this is critical.
    LowerCritical,
    /// Below this needs attention.
    LowerCaution,
    /// Above this needs attention.
    UpperCaution,
    /// Above this is critical.
    UpperCritical,
    /// Above this is beyond recovery.
    UpperFatal,
}

/// The limits of a sensor in the sensor's unit; `None` = not set or not readable.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// IPMI's lower non-recoverable.
    pub lower_fatal: Option<f64>,
    /// Lower critical.
    pub lower_critical: Option<f64>,
    /// IPMI's lower non-critical.
    pub lower_caution: Option<f64>,
    /// IPMI's upper non-critical.
    pub upper_caution: Option<f64>,
    /// Upper critical.
    pub upper_critical: Option<f64>,
    /// IPMI's upper non-recoverable.
    pub upper_fatal: Option<f64>,
}

impl Thresholds {
    /// True where no limit is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The description of one sensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensor {
    /// Its name as the machine gives it (`CPU1 Temp`), not necessarily unique.
    pub name: Arc<str>,
    /// Its name as a URI segment, unique in the node (`CPU1_Temp`, `CPU1_Temp_2`).
    pub id: Arc<str>,
    /// The number by which the source addresses it (for IPMI: owner address << 16 | LUN << 8 | sensor number). Unique
    /// in the node but for records that share one sensor.
    pub key: u32,
    /// What it measures.
    pub quantity: Quantity,
    /// In which unit.
    pub unit: Unit,
    /// Where.
    pub context: Context,
    /// Which of several (CPU 1, CPU 2): counts from 1; 0 = the only one or not said. PSU and fan sensors of one
    /// instance belong to the same supply or fan.
    pub instance: u16,
    /// Smallest and largest value the sensor can report.
    pub range: Option<(f64, f64)>,
    /// Smallest step between two values, for rounding; `None` = not known.
    pub resolution: Option<f64>,
    /// Its limits as last read.
    pub thresholds: Thresholds,
    /// For discrete sensors: the meaning of each state bit, index = bit, empty string = no meaning.
    pub states: Arc<[Arc<str>]>,
    /// Which state bits mean that something is wrong and how bad, index = bit; parallel to `states`.
    pub state_severities: Arc<[crate::Severity]>,
}
