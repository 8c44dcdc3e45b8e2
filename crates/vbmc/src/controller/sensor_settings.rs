//! What consoles have set of a sensor (§35.6 to §35.12).

use crate::sensor::Analog;

/// One sensor's settings.
#[derive(Clone, Debug)]
pub struct SensorSettings {
    /// Limits and hysteresis in place of the profile's.
    pub analog: Option<Box<Analog>>,
    /// Event messages are on.
    pub events: bool,
    /// It is scanned.
    pub scanning: bool,
    /// Assertion events that are off, bit n for offset n.
    pub assertion_off: u16,
    /// Deassertion events that are off.
    pub deassertion_off: u16,
    /// States of a discrete sensor that were written.
    pub states: Option<u16>,
}

impl Default for SensorSettings {
    fn default() -> Self {
        Self {
            analog: None,
            events: true,
            scanning: true,
            assertion_off: 0,
            deassertion_off: 0,
            states: None,
        }
    }
}

impl SensorSettings {
    /// Whether an event of this offset is reported.
    #[must_use]
    pub const fn reports(&self, offset: u8, asserted: bool) -> bool {
        let off = if asserted {
            self.assertion_off
        } else {
            self.deassertion_off
        };
        self.events && off >> (offset & 0x0f) & 1 == 0
    }
}
