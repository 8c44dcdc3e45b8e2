//! The value of one sensor at one moment.

use crate::{Severity, Threshold};

/// Whether a reading has a value, and if not, why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Availability {
    /// Never read.
    #[default]
    Pending,
    /// Read; value and states hold.
    Available,
    /// The machine says that the sensor has no reading now (host off, part absent, scanning disabled).
    Unavailable,
    /// The machine refused or did not answer the last read; the value kept is older than the snapshot.
    Stale,
}

/// Which side of its limits a numeric sensor is on: one bit for each crossed [`Threshold`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThresholdState(u8);

impl ThresholdState {
    /// Nothing crossed.
    pub const NONE: Self = Self(0);

    /// The limits whose bits these are, by the order of [`Threshold`].
    pub(crate) const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// One bit a limit, by the order of [`Threshold`].
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    /// Adds a crossed limit.
    #[must_use]
    pub const fn with(self, threshold: Threshold) -> Self {
        Self(self.0 | 1 << threshold as u8)
    }

    /// Whether this limit is crossed.
    #[must_use]
    pub const fn contains(self, threshold: Threshold) -> bool {
        self.0 & (1 << threshold as u8) != 0
    }

    /// The worst that the crossed limits mean.
    #[must_use]
    pub const fn severity(self) -> Severity {
        if has_either(self, Threshold::LowerFatal, Threshold::UpperFatal)
            || has_either(self, Threshold::LowerCritical, Threshold::UpperCritical)
        {
            Severity::Critical
        } else if has_either(self, Threshold::LowerCaution, Threshold::UpperCaution) {
            Severity::Warning
        } else {
            Severity::Ok
        }
    }
}

const fn has_either(state: ThresholdState, a: Threshold, b: Threshold) -> bool {
    state.contains(a) || state.contains(b)
}

/// The value of one sensor at one moment. Nodes keep theirs packed, see [`Readings`](crate::Readings).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// The converted value in the sensor's unit; always finite; meaningless for discrete sensors.
    pub value: f64,
    /// For discrete sensors: one bit a state that holds (see [`crate::Sensor::states`]). 0 for numeric ones.
    pub states: u16,
    /// For numeric sensors: which limits are crossed.
    pub crossed: ThresholdState,
    /// Whether the above means anything.
    pub availability: Availability,
}

impl Reading {
    /// The numeric value where there is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        matches!(
            self.availability,
            Availability::Available | Availability::Stale
        )
        .then_some(self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_crossed_limit_decides_the_severity() {
        let state = ThresholdState::NONE.with(Threshold::UpperCaution);
        assert_eq!(state.severity(), Severity::Warning);
        assert_eq!(
            state.with(Threshold::UpperCritical).severity(),
            Severity::Critical
        );
        assert_eq!(ThresholdState::NONE.severity(), Severity::Ok);
    }
}
